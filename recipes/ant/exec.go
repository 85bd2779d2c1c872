package ant

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// words splits a command line as arg line="..." does: blanks separate, quotes
// group.
func words(line string) []string {
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
	if started || w.Len() > 0 {
		list = append(list, w.String())
	}
	return list
}

// arguments are the nested arg elements.
func (b *builder) arguments(n *node) []string {
	var list []string
	for _, k := range n.kids {
		if k.name != "arg" {
			continue
		}
		switch {
		case k.attrs["line"] != "":
			list = append(list, words(k.attrs["line"])...)
		case k.attrs["file"] != "":
			list = append(list, b.path(k.attrs["file"]))
		case k.attrs["path"] != "":
			list = append(list, k.attrs["path"])
		default:
			list = append(list, k.attrs["value"])
		}
	}
	return list
}

// forHere says whether os and osfamily mean this machine.
func (n *node) forHere() bool {
	family := strings.ToLower(n.attrs["osfamily"])
	return (family == "" || family == "unix") && (n.attrs["os"] == "" || strings.Contains(n.attrs["os"], "Linux"))
}

func execTask(t *groovy.Thread, b *builder, n *node) error {
	if err := n.only("executable", "command", "dir", "failonerror", "failifexecutionfails", "resultproperty", "outputproperty", "errorproperty", "output", "error", "append",
		"osfamily", "os", "spawn", "timeout", "inputstring", "input", "logerror", "newenvironment", "vmlauncher", "searchpath", "resolveexecutable"); err != nil {
		return err
	}
	if !n.forHere() {
		return nil
	}
	argv := words(n.attrs["command"])
	if len(argv) == 0 {
		x, err := n.need("executable")
		if err != nil {
			return err
		}
		if n.yes("resolveexecutable", false) {
			if p := b.path(x); exists(p) {
				x = p
			}
		}
		argv = []string{x}
	}
	return b.start(t, n, append(argv, b.arguments(n)...))
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

// start runs the process of exec, apply and java.
func (b *builder) start(t *groovy.Thread, n *node, argv []string) error {
	c := Command{Argv: argv, Dir: b.host.Dir, Env: b.host.Env, Stdin: n.attrs["inputstring"], Spawn: n.yes("spawn", false)}
	if d := n.attrs["dir"]; d != "" {
		c.Dir = b.path(d)
	}
	for _, k := range n.kids {
		if k.name == "env" {
			c.Env = append(c.Env[:len(c.Env):len(c.Env)], k.attrs["key"]+"="+first(k.attrs["value"], k.attrs["path"], k.attrs["file"]))
		}
	}
	if in := n.attrs["input"]; in != "" {
		text, err := os.ReadFile(b.path(in))
		if err != nil {
			return err
		}
		c.Stdin = string(text)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if ms, err := strconv.Atoi(n.attrs["timeout"]); err == nil && ms > 0 {
		ctx, stop = context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		defer stop()
	}
	var out bytes.Buffer
	code, err := b.host.Exec(ctx, c, &out)
	if err := b.output(t, n, out.String()); err != nil {
		return err
	}
	switch {
	case t.Context().Err() != nil:
		return t.Context().Err()
	case ctx.Err() != nil:
		return fault("Timeout: killed the sub-process")
	case err != nil && !n.yes("failifexecutionfails", true):
		return b.log(t, n, "Execute failed: "+err.Error())
	case err != nil:
		var missing *exec.Error
		if errors.As(err, &missing) {
			return fault("Execute failed: java.io.IOException: Cannot run program \"%s\": %v", argv[0], missing.Err)
		}
		return fault("Execute failed: %v", err)
	}
	if p := n.attrs["resultproperty"]; p != "" {
		b.props.Put(p, strconv.Itoa(code))
	}
	if code != 0 && n.yes("failonerror", false) {
		return fault("%s returned: %d", n.name, code)
	}
	if code != 0 {
		return b.log(t, n, fmt.Sprintf("Result: %d", code))
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

// output puts what the process wrote where the task says.
func (b *builder) output(t *groovy.Thread, n *node, text string) error {
	if p := n.attrs["outputproperty"]; p != "" {
		b.props.Put(p, strings.TrimRight(text, "\n"))
		return t.Alloc(len(text))
	}
	if f := n.attrs["output"]; f != "" {
		return writeFile(b.path(f), text, n.yes("append", false))
	}
	if text == "" {
		return nil
	}
	return b.log(t, n, text)
}

// applyTask runs a command once for each file of its file sets.
func applyTask(t *groovy.Thread, b *builder, n *node) error {
	if !n.forHere() {
		return nil
	}
	x, err := n.need("executable")
	if err != nil {
		return err
	}
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := b.start(t, n, append(append([]string{x}, b.arguments(n)...), f.path())); err != nil {
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
			argv = append(argv, append(words(k.attrs["line"]), filled(k.attrs["value"])...)...)
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
	if args := n.attrs["args"]; args != "" {
		argv = append(argv, words(args)...)
	}
	return b.start(t, n, append(argv, b.arguments(n)...))
}

func filled(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
