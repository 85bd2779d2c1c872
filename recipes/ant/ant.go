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
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// Host is what the tasks need of the machine.
type Host struct {
	Dir string   // relative paths begin here
	Env []string // of the processes, and of property environment="env"
	// Exec runs a process to its end and returns its exit code.
	Exec func(ctx context.Context, c Command, out io.Writer) (int, error)
	// File is the value of a file, for fileScanner.
	File func(path string) groovy.Value
}

// Command is a process to run.
type Command struct {
	Argv  []string
	Dir   string
	Env   []string
	Stdin string
	Err   io.Writer // nil: errors go where the output goes
	Spawn bool      // it goes on; nobody waits
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
	quiet bool // the listener's level is below what is logged
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
		"property": property, "available": available, "condition": conditionTask, "waitfor": waitFor, "tempfile": tempFile, "fail": fail, "sleep": sleep, "checksum": checksum,
	}
}

// Members are the tasks, and the elements that may stand in them.
func Members() []string {
	list := []string{"project", "fileScanner", "antProject", "properties", "baseDir",
		"arg", "env", "redirector", "jvmarg", "sysproperty", "classpath", "pathelement", "path", "assertions", "syspropertyset",
		"fileset", "dirset", "zipfileset", "tarfileset", "filelist", "patternset", "include", "exclude", "includesfile", "excludesfile", "depth", "date",
		"contains", "filename", "mapper", "globmapper", "filterset", "filter", "filterchain", "tokenfilter", "header", "footer",
		"replacetoken", "replacevalue", "replacefilter", "regexp", "substitution", "equals"}
	list = append(list, strings.Fields(conditions)...)
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
		return &groovy.Functions{Name: "org.apache.tools.ant.Project", Consts: map[string]groovy.Value{"properties": b.props, "baseDir": b.host.Dir, "buildListeners": groovy.NewList(&listener{b})},
			Func: func(_ *groovy.Thread, m string, a []groovy.Value) (groovy.Value, error) {
				switch {
				case m == "getProperty" && len(a) == 1:
					v, _ := b.props.Get(groovy.Format(a[0]))
					return v, nil
				case m == "setProperty" && len(a) == 2:
					b.props.Put(groovy.Format(a[0]), groovy.Format(a[1]))
					return nil, nil
				case m == "replaceProperties" && len(a) == 1:
					return b.replaced(groovy.Format(a[0])), nil
				case m == "getBuildListeners":
					return groovy.NewList(&listener{b}), nil
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
	inside := len(b.open) > 0
	_, known := tasks()[id]
	if id == "fileScanner" {
		known = true
	}
	if !known && (!inside || container(b.open[len(b.open)-1].name)) {
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
				s, err := text(t, x)
				if err != nil {
					return nil, err
				}
				n.attrs[strings.ToLower(groovy.Format(k))] = s
			}
		case *groovy.Closure:
			body = v
		default:
			s, err := text(t, v)
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
	if inside && !b.runs() {
		parent := b.open[len(b.open)-1]
		parent.kids = append(parent.kids, n)
		return n.name, t.Alloc(256)
	}
	if id == "fileScanner" {
		return b.scanner(t, n)
	}
	return nil, b.perform(t, n)
}

// runs says whether a task runs as soon as it is written: it stands in nothing,
// or in a target. What stands in another task waits for its end.
func (b *builder) runs() bool {
	return len(b.open) == 0 || b.open[len(b.open)-1].name == "target"
}

// perform runs a task, or the tasks in a container one after the other.
func (b *builder) perform(t *groovy.Thread, n *node) error {
	if err := t.Context().Err(); err != nil {
		return err
	}
	if container(n.name) {
		for _, k := range n.kids {
			if err := b.perform(t, k); err != nil {
				return err
			}
		}
		return nil
	}
	b.expand(n)
	if err := n.check(shapes()); err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	if err := tasks()[n.name](t, b, n); err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	return nil
}

// expand puts the properties' values into what a task and its elements say.
func (b *builder) expand(n *node) {
	for id, v := range n.attrs {
		n.attrs[id] = b.replaced(v)
	}
	n.text = b.replaced(n.text)
	for _, k := range n.kids {
		b.expand(k)
	}
}

var getter = regexp.MustCompile(`^(get|is)[A-Z]`)

var reference = regexp.MustCompile(`\$\$|\$\{([^}]+)\}`)

// replaced is s with the values for ${name}, and $ for $$; the name of no property
// stays.
func (b *builder) replaced(s string) string {
	return reference.ReplaceAllStringFunc(s, func(m string) string {
		if m == "$$" {
			return "$"
		}
		if v, ok := b.props.Get(m[2 : len(m)-1]); ok {
			return groovy.Format(v)
		}
		return m
	})
}

// text is a value as the script writes it.
func text(t *groovy.Thread, v groovy.Value) (string, error) {
	if v == nil {
		return "", nil
	}
	x, err := t.CallMethod(v, "toString", nil)
	return groovy.Format(x), err
}

// define sets a property that is not set yet: the first value stays.
func (b *builder) define(t *groovy.Thread, id, value string) error {
	if _, ok := b.props.Get(id); !ok {
		b.props.Put(id, value)
	}
	return t.Alloc(len(id) + len(value))
}

// holds says whether if and unless let an element or a task take effect: they
// name a property, or say yes or no themselves.
func (b *builder) holds(n *node) bool {
	is := func(id string) bool {
		v := n.attrs[id]
		_, set := b.props.Get(v)
		return (&node{attrs: map[string]string{id: v}}).yes(id, false) || set && !slices.Contains([]string{"false", "no", "off"}, strings.ToLower(v))
	}
	return (n.attrs["if"] == "" || is("if")) && (n.attrs["unless"] == "" || !is("unless"))
}

// path is a file that an attribute names.
func (b *builder) path(p string) string {
	if filepath.IsAbs(p) || p == "" {
		return p
	}
	return filepath.Join(b.host.Dir, p)
}

// yes is a boolean attribute: what says no more than maybe is no.
func (n *node) yes(id string, deflt bool) bool {
	v, ok := n.attrs[id]
	if !ok || v == "" {
		return deflt
	}
	return slices.Contains([]string{"true", "yes", "on"}, strings.ToLower(v))
}

// number is an attribute that is a number.
func (n *node) number(id string, deflt int64) (int64, error) {
	v := n.attrs[id]
	if v == "" {
		return deflt, nil
	}
	i, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, fault("Can't convert value '%s' of the attribute %s to a number", v, id)
	}
	return i, nil
}

// has says whether one of the elements stands in n.
func (n *node) has(names ...string) bool {
	return slices.ContainsFunc(n.kids, func(k *node) bool { return slices.Contains(names, k.name) })
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

// log prints lines as Ant does, with the task's name in front; what is blank is
// not told.
func (b *builder) log(t *groovy.Thread, n *node, text string) error {
	if b.quiet || strings.TrimSpace(text) == "" {
		return nil
	}
	label := "[" + n.name + "] "
	pad := strings.Repeat(" ", max(12-len(label), 0)) + label
	for _, l := range lines(text) {
		if err := t.Print(pad + l + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// lines are the lines of a text, however they end.
func lines(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// message is what the exception of an error says.
func message(err error) string {
	_, s, ok := strings.Cut(err.Error(), "BuildException: ")
	if !ok {
		return err.Error()
	}
	return s
}
