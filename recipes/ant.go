package recipes

import (
	"context"
	"io"

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
	return ant.Class(ant.Host{Dir: f.dir, Env: f.env, Exec: f.exec})
}

// exec runs a process of a task on the machine. What it reads is given by a
// shell, since a Command has no input.
func (f *folder) exec(ctx context.Context, c ant.Command, out io.Writer) (int, error) {
	argv := c.Argv
	if c.Stdin != "" {
		argv = append([]string{"/bin/sh", "-c", `in=$1; shift; printf %s "$in" | "$@"`, "sh", c.Stdin}, argv...)
	}
	return f.host.Exec(ctx, Command{Argv: argv, Dir: c.Dir, Env: c.Env, Background: c.Spawn}, out)
}
