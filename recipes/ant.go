package recipes

import (
	"context"
	"fmt"
	"io"
	"strings"

	"appliance/recipes/ant"
	"appliance/recipes/groovy"
)

// ant is the class AntBuilder. While a recipe is checked it can be named, but
// not made: its tasks change the machine.
func (f *folder) ant() *groovy.Class {
	if f.host == nil {
		return &groovy.Class{Name: "AntBuilder", Members: ant.Members(), New: func(*groovy.Thread, []groovy.Value) (groovy.Value, error) {
			return nil, groovy.Throw("UnsupportedOperationException", "AntBuilder is not available while a recipe is checked")
		}}
	}
	return ant.Class(ant.Host{Dir: f.dir, Env: f.env, Exec: f.exec, File: func(path string) groovy.Value { return &fileObject{f, path} }})
}

// exec runs a process of a task on the machine. What it reads may be a
// password: it never stands among arguments, which everybody can see.
func (f *folder) exec(ctx context.Context, c ant.Command, out io.Writer) (int, error) {
	argv, env := c.Argv, c.Env
	var stderr io.Writer
	if c.Err != nil {
		stderr = &capped{w: c.Err, left: maxOutput}
	}
	if c.Stdin != "" && !c.Spawn {
		return bounded(ctx, f.host, Command{Argv: argv, Dir: c.Dir, Env: env, Stdin: strings.NewReader(c.Stdin), Stderr: stderr}, out)
	}
	if c.Stdin != "" { // nobody will be there to give it
		argv = append([]string{"/bin/sh", "-c", `in=$ANT_INPUT; unset ANT_INPUT; printf %s "$in" | "$@"`, "sh"}, argv...)
		env = append(env[:len(env):len(env)], "ANT_INPUT="+c.Stdin)
	}
	return bounded(ctx, f.host, Command{Argv: argv, Dir: c.Dir, Env: env, Background: c.Spawn, Stderr: stderr}, out)
}

// maxOutput is how much a process may write whose output is kept for the script.
const maxOutput = 64 << 20

// bounded runs a command whose output is kept in memory.
func bounded(ctx context.Context, h Host, c Command, out io.Writer) (int, error) {
	b := &capped{w: out, left: maxOutput}
	code, err := h.Exec(ctx, c, b)
	if e, ok := c.Stderr.(*capped); b.left < 0 || ok && e.left < 0 {
		return code, fmt.Errorf("run %s: it wrote more than %d bytes", c.Argv[0], maxOutput)
	}
	return code, err
}

// capped refuses what is too much.
type capped struct {
	w    io.Writer
	left int // below zero: something was refused
}

// Write takes output.
func (c *capped) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		c.left = -1
		return 0, io.ErrShortWrite
	}
	return c.w.Write(p)
}
