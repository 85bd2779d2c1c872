// Package ant is groovy.util.AntBuilder for scripts: the tasks that recipes
// use, with their attributes and nested elements, and real effects on files
// and processes. It is not Ant: there are no build files, targets or types to
// define, and a task or attribute that is not known is an error that says so.
// It never runs while a recipe is only checked; who embeds it sees to that.
package ant

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"appliance/recipes/groovy"
)

// Host is what the tasks need of the machine.
type Host struct {
	Dir string   // relative paths begin here
	Env []string // of the processes, and of property environment="env"
	// Exec runs a process to its end and returns its exit code.
	Exec func(ctx context.Context, c Command, out io.Writer) (int, error)
}

// Command is a process to run.
type Command struct {
	Argv  []string
	Dir   string
	Env   []string
	Stdin string
	Spawn bool // it goes on; nobody waits
}

// Class is the class AntBuilder.
func Class(h Host) *groovy.Class {
	return &groovy.Class{Name: "AntBuilder", Members: Members(), New: func(*groovy.Thread, []groovy.Value) (groovy.Value, error) {
		b := &builder{host: h, props: groovy.NewMap()}
		for k, v := range map[string]string{"basedir": h.Dir, "os.name": "Linux", "file.separator": "/", "line.separator": "\n", "user.home": "/root", "java.io.tmpdir": "/tmp"} {
			b.props.Put(k, v)
		}
		return b, nil
	}}
}

// node is a task or an element in it, as the script writes it.
type node struct {
	name  string
	attrs map[string]string
	text  string
	kids  []*node
}

// builder is an AntBuilder: the tasks that are open.
type builder struct {
	host  Host
	props *groovy.Map
	open  []*node
}

// task runs a node.
type task func(t *groovy.Thread, b *builder, n *node) error

// tasks are the tasks by name.
func tasks() map[string]task {
	return map[string]task{
		"sequential": nothing, "parallel": nothing, "target": nothing, "taskdef": nothing, "typedef": nothing,
		"exec": execTask, "java": javaTask, "apply": applyTask,
		"echo": echo, "mkdir": mkdir, "chmod": chmod, "copy": copyTask, "move": move, "delete": deleteTask, "touch": touch, "symlink": symlink,
		"get": get, "unzip": unzip, "unjar": unzip, "unwar": unzip, "untar": untar, "gunzip": gunzip, "zip": zipTask, "jar": zipTask, "tar": tarTask, "gzip": gzipTask,
		"fixcrlf": fixcrlf, "replace": replace, "replaceregexp": replaceRegexp, "concat": concat, "loadfile": loadFile,
		"property": property, "available": available, "fail": fail, "sleep": sleep, "checksum": checksum,
	}
}

// Members are the tasks, and the elements that may stand in them.
func Members() []string {
	list := []string{"project", "antProject", "properties", "baseDir",
		"arg", "env", "redirector", "jvmarg", "sysproperty", "classpath", "pathelement", "path", "assertions", "syspropertyset",
		"fileset", "dirset", "zipfileset", "tarfileset", "filelist", "patternset", "include", "exclude", "includesfile", "excludesfile", "depth", "date",
		"contains", "filename", "mapper", "globmapper", "filterset", "filter", "filterchain", "tokenfilter", "header", "footer",
		"replacetoken", "replacevalue", "replacefilter", "regexp", "substitution", "or", "and", "not", "equals", "isset"}
	for id := range tasks() {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// Tasks are the names of the tasks.
func Tasks() []string { return slices.Sorted(maps.Keys(tasks())) }

// containers are tasks whose body holds tasks.
func container(name string) bool {
	return slices.Contains([]string{"sequential", "parallel", "target"}, name)
}

func nothing(*groovy.Thread, *builder, *node) error { return nil }

func fault(format string, args ...any) error {
	return groovy.Throw("BuildException", format, args...)
}

// Type names the class.
func (b *builder) Type() string { return "groovy.util.AntBuilder" }

// Get reads the project and its properties.
func (b *builder) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "project", "antProject":
		return &groovy.Functions{Name: "org.apache.tools.ant.Project", Consts: map[string]groovy.Value{"properties": b.props, "baseDir": b.host.Dir},
			Func: func(_ *groovy.Thread, m string, a []groovy.Value) (groovy.Value, error) {
				switch {
				case m == "getProperty" && len(a) == 1:
					v, _ := b.props.Get(groovy.Format(a[0]))
					return v, nil
				case m == "setProperty" && len(a) == 2:
					b.props.Put(groovy.Format(a[0]), groovy.Format(a[1]))
					return nil, nil
				case m == "getBuildListeners":
					return groovy.NewList(), nil
				}
				return nil, groovy.ErrNoMember
			}}, nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (b *builder) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call is a task, or an element inside the open one.
func (b *builder) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	inside := len(b.open) > 0 && !container(b.open[len(b.open)-1].name)
	run, known := tasks()[id]
	if !known && !inside {
		return nil, groovy.ErrNoMember
	}
	if len(args) == 0 && getter.MatchString(id) {
		return nil, groovy.ErrNoMember // it is asked for a property
	}
	n := &node{name: id, attrs: map[string]string{}}
	var body *groovy.Closure
	for _, a := range args {
		switch v := a.(type) {
		case *groovy.Map:
			for _, k := range v.Keys() {
				x, _ := v.Get(k)
				s, err := b.text(t, x)
				if err != nil {
					return nil, err
				}
				n.attrs[strings.ToLower(groovy.Format(k))] = s
			}
		case *groovy.Closure:
			body = v
		default:
			s, err := b.text(t, v)
			if err != nil {
				return nil, err
			}
			n.text += s
		}
	}
	if body != nil {
		b.open = append(b.open, n)
		body.SetDelegate(b)
		_, err := t.Call(body)
		b.open = b.open[:len(b.open)-1]
		if err != nil {
			return nil, err
		}
	}
	if inside {
		parent := b.open[len(b.open)-1]
		parent.kids = append(parent.kids, n)
		return n.name, t.Alloc(256)
	}
	if err := t.Context().Err(); err != nil {
		return nil, err
	}
	if err := n.check(shapes()); err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	if err := run(t, b, n); err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return nil, nil
}

var getter = regexp.MustCompile(`^(get|is)[A-Z]`)

var reference = regexp.MustCompile(`\$\{([^}]+)\}`)

// text is a value as an attribute; ${name} is a property of the project.
func (b *builder) text(t *groovy.Thread, v groovy.Value) (string, error) {
	x, err := t.CallMethod(v, "toString", nil)
	s := groovy.Format(x)
	if v == nil {
		s, err = "", nil
	}
	return reference.ReplaceAllStringFunc(s, func(m string) string {
		if v, ok := b.props.Get(m[2 : len(m)-1]); ok {
			return groovy.Format(v)
		}
		return m
	}), err
}

// path is a file that an attribute names.
func (b *builder) path(p string) string {
	if filepath.IsAbs(p) || p == "" {
		return p
	}
	return filepath.Join(b.host.Dir, p)
}

// yes is a boolean attribute.
func (n *node) yes(id string, deflt bool) bool {
	switch strings.ToLower(n.attrs[id]) {
	case "true", "yes", "on":
		return true
	case "false", "no", "off":
		return false
	}
	return deflt
}

// need is an attribute that must be there.
func (n *node) need(ids ...string) (string, error) {
	for _, id := range ids {
		if v := n.attrs[id]; v != "" {
			return v, nil
		}
	}
	return "", fault("the attribute %s is missing", strings.Join(ids, " or "))
}

// only refuses attributes that the task does not know.
func (n *node) only(ids ...string) error {
	for id := range n.attrs {
		if !slices.Contains(ids, id) {
			return fault("%s doesn't support the %q attribute", n.name, id)
		}
	}
	return nil
}

// log prints lines as Ant does, with the task's name in front.
func (b *builder) log(t *groovy.Thread, n *node, text string) error {
	label := "[" + n.name + "] "
	pad := strings.Repeat(" ", max(12-len(label), 0)) + label
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if err := t.Print(pad + l + "\n"); err != nil {
			return err
		}
	}
	return nil
}
