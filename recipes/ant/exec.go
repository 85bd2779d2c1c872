package ant

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// words splits a command line as arg line="..." does: blanks separate, quotes
// group.
func words(line string) ([]string, error) {
	var list []string
	var w strings.Builder
	quote, started := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			w.WriteRune(r)
		case r == '"' || r == '\'':
			quote, started = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if started || w.Len() > 0 {
				list = append(list, w.String())
				w.Reset()
				started = false
			}
		default:
			w.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, fault("unbalanced quotes in %s", line)
	}
	if started || w.Len() > 0 {
		list = append(list, w.String())
	}
	return list, nil
}

// arguments are the nested arg elements.
func (b *builder) arguments(n *node) ([]string, error) {
	var list []string
	for _, k := range n.kids {
		if k.name != "arg" {
			continue
		}
		switch {
		case k.attrs["line"] != "":
			more, err := words(k.attrs["line"])
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		case k.attrs["file"] != "":
			list = append(list, filepath.Clean(b.path(k.attrs["file"])))
		case k.attrs["path"] != "":
			list = append(list, b.pathList(k.attrs["path"]))
		default:
			if v, ok := k.attrs["value"]; ok {
				list = append(list, v)
			}
		}
	}
	return list, nil
}

// forHere says whether os and osfamily mean this machine.
func (n *node) forHere() (bool, error) {
	family := strings.ToLower(n.attrs["osfamily"])
	known := []string{"", "unix", "windows", "win9x", "winnt", "dos", "mac", "os/2", "netware", "tandem", "z/os", "os/400", "openvms"}
	if !slices.Contains(known, family) {
		return false, fault("Don't know how to detect os family %q", family)
	}
	return (family == "" || family == "unix") && (n.attrs["os"] == "" || strings.Contains(n.attrs["os"], "Linux")), nil
}

func execTask(t *groovy.Thread, b *builder, n *node) error {
	here, err := n.forHere()
	if err != nil || !here {
		return err
	}
	argv, err := words(n.attrs["command"])
	if err != nil {
		return err
	}
	if len(argv) == 0 {
		x := n.attrs["executable"]
		if x == "" {
			return fault("no executable specified")
		}
		if n.yes("resolveexecutable", false) {
			for _, p := range []string{b.path(x), filepath.Join(b.path(n.attrs["dir"]), x)} {
				if exists(p) {
					x = p
					break
				}
			}
		}
		argv = []string{x}
	}
	args, err := b.arguments(n)
	if err != nil {
		return err
	}
	return b.start(t, n, append(argv, args...))
}

// command is the process of exec, apply and java.
func (b *builder) command(n *node, argv []string) (Command, error) {
	c := Command{Argv: argv, Dir: b.host.Dir, Env: b.host.Env, Stdin: n.attrs["inputstring"], Spawn: n.yes("spawn", false)}
	if c.Spawn {
		for _, id := range strings.Fields("output error outputproperty errorproperty resultproperty input append failonerror timeout") {
			if n.attrs[id] != "" {
				return c, fault("You have used an attribute or nested element which is not compatible with spawn: %s", id)
			}
		}
	}
	if d := n.attrs["dir"]; d != "" {
		if c.Dir = b.path(d); !isDir(c.Dir) {
			return c, fault("The directory %s does not exist", c.Dir)
		}
	}
	var own []string
	for _, k := range n.kids {
		if k.name == "env" {
			own = append(own, k.attrs["key"]+"="+first(k.attrs["value"], b.pathList(k.attrs["path"]), b.path(k.attrs["file"])))
		}
	}
	c.Env = append(c.Env[:len(c.Env):len(c.Env)], own...)
	if n.yes("newenvironment", false) {
		x, err := exec.LookPath(argv[0])
		if err == nil || errors.Is(err, exec.ErrDot) {
			c.Argv = append(append(append([]string{"/usr/bin/env", "-i"}, own...), x), argv[1:]...)
		}
	}
	in := n.attrs["input"]
	if in != "" && c.Stdin != "" {
		return c, fault("The \"input\" and \"inputstring\" attributes cannot both be specified")
	}
	if in != "" {
		s, err := readText(b.path(in))
		c.Stdin = s
		return c, err
	}
	return c, nil
}

// pathList is a list of paths in an attribute, with : between them.
func (b *builder) pathList(s string) string {
	list := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == ';' })
	for i := range list {
		list[i] = filepath.Clean(b.path(list[i]))
	}
	return strings.Join(list, ":")
}

// sink is where a task says that a stream goes.
type sink struct {
	buf      *bytes.Buffer
	property string
	file     string
}

// sinks are those of output and errors; one when both go together.
func (n *node) sinks() []sink {
	out := sink{new(bytes.Buffer), n.attrs["outputproperty"], n.attrs["output"]}
	err := sink{new(bytes.Buffer), n.attrs["errorproperty"], n.attrs["error"]}
	told := err.property != "" || err.file != ""
	if told && err.file != "" && err.file == out.file || !told && (!n.yes("logerror", false) || out.property == "" && out.file == "") {
		return []sink{out}
	}
	return []sink{out, err}
}

// start runs the process of exec, apply and java.
func (b *builder) start(t *groovy.Thread, n *node, argv []string) error {
	c, err := b.command(n, argv)
	if err != nil {
		return err
	}
	ms, err := n.number("timeout", 0)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if ms > 0 {
		ctx, stop = context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		defer stop()
	}
	sinks := n.sinks()
	if len(sinks) > 1 {
		c.Err = sinks[1].buf
	}
	for _, s := range sinks { // a file that cannot be written stops it before it starts
		if s.file != "" && !n.yes("append", false) {
			err := writeFile(b.path(s.file), "", false)
			if errors.Is(err, fs.ErrNotExist) {
				return fault("Execute failed: java.nio.file.NoSuchFileException: %s", b.path(s.file))
			}
			if err != nil {
				return fault("Execute failed: %v", err)
			}
		}
	}
	code, err := b.host.Exec(ctx, c, sinks[0].buf)
	if cause := t.Context().Err(); cause != nil {
		return cause
	}
	killed := ctx.Err() != nil && (err != nil || code != 0)
	if err != nil && !killed {
		return b.failed(t, n, c, err)
	}
	if err := b.written(t, n, sinks); err != nil {
		return err
	}
	return b.ended(t, n, code, killed)
}

// failed is the end of a process that did not start.
func (b *builder) failed(t *groovy.Thread, n *node, c Command, err error) error {
	text := err.Error()
	var missing *exec.Error
	if errors.As(err, &missing) || errors.Is(err, fs.ErrNotExist) {
		text = fmt.Sprintf("java.io.IOException: Cannot run program \"%s\" (in directory \"%s\"): error=2, No such file or directory", c.Argv[0], c.Dir)
	}
	if !n.yes("failifexecutionfails", true) {
		return b.log(t, n, "Execute failed: "+text)
	}
	return fault("Execute failed: %s", text)
}

// killedCode is what a process returned that had to be ended: SIGTERM.
const killedCode = 143

// ended is what the code of a process means to the task.
func (b *builder) ended(t *groovy.Thread, n *node, code int, killed bool) error {
	if killed {
		if n.yes("failonerror", false) {
			return fault("Timeout: killed the sub-process")
		}
		code = killedCode
		if err := b.log(t, n, "Timeout: killed the sub-process"); err != nil {
			return err
		}
	}
	if p := n.attrs["resultproperty"]; p != "" {
		if err := b.define(t, p, strconv.Itoa(code)); err != nil {
			return err
		}
	}
	switch {
	case code == 0:
		return nil
	case n.yes("failonerror", false):
		return fault("%s returned: %d", n.name, code)
	case n.name == "java":
		return b.log(t, n, fmt.Sprintf("Java Result: %d", code))
	}
	return b.log(t, n, fmt.Sprintf("Result: %d", code))
}

// written puts what the process wrote where the task says.
func (b *builder) written(t *groovy.Thread, n *node, sinks []sink) error {
	for _, s := range sinks {
		text := s.buf.String()
		if s.property != "" {
			if err := b.define(t, s.property, strings.Join(lines(text), "\n")); err != nil {
				return err
			}
		}
		if s.file != "" {
			if err := writeFile(b.path(s.file), text, n.yes("append", false)); err != nil {
				return err
			}
		}
		if s.property != "" || s.file != "" {
			continue
		}
		for _, l := range lines(text) {
			if err := b.log(t, n, l); err != nil {
				return err
			}
		}
	}
	return nil
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// applyTask runs a command once for each file of its file sets; a file of output
// holds what the last one wrote.
func applyTask(t *groovy.Thread, b *builder, n *node) error {
	here, err := n.forHere()
	if err != nil || !here {
		return err
	}
	x, err := n.need("executable")
	if err != nil {
		return err
	}
	if !n.has("fileset", "dirset") {
		return fault("no resources specified")
	}
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	args, err := b.arguments(n)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := b.start(t, n, append(append([]string{x}, args...), f.path())); err != nil {
			return err
		}
	}
	return nil
}

// javaTask runs a program of Java where the machine has a JVM.
func javaTask(t *groovy.Thread, b *builder, n *node) error {
	argv := []string{first(n.attrs["jvm"], "java")}
	class := ""
	for _, k := range n.kids {
		switch k.name {
		case "jvmarg":
			list, err := words(k.attrs["line"])
			if err != nil {
				return err
			}
			argv = append(argv, append(list, filled(k.attrs["value"])...)...)
		case "sysproperty":
			argv = append(argv, "-D"+k.attrs["key"]+"="+first(k.attrs["value"], k.attrs["file"]))
		case "classpath":
			for _, e := range append([]*node{k}, k.kids...) {
				if p := first(e.attrs["path"], e.attrs["location"]); p != "" {
					class += ":" + p
				}
			}
		}
	}
	if p := n.attrs["classpath"]; p != "" {
		class += ":" + p
	}
	if class != "" {
		argv = append(argv, "-cp", class[1:])
	}
	switch {
	case n.attrs["jar"] != "":
		argv = append(argv, "-jar", b.path(n.attrs["jar"]))
	case n.attrs["classname"] != "":
		argv = append(argv, n.attrs["classname"])
	default:
		return fault("java needs classname or jar")
	}
	list, err := words(n.attrs["args"])
	if err != nil {
		return err
	}
	args, err := b.arguments(n)
	if err != nil {
		return err
	}
	return b.start(t, n, append(append(argv, list...), args...))
}

func filled(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
