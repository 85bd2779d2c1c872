package recipes

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"appliance/recipes/groovy"
)

// builder is a java.lang.ProcessBuilder.
type builder struct {
	f        *folder
	argv     []string
	dir      groovy.Value
	env      *groovy.Map
	merge    bool
	in       groovy.Value // files; nil: a pipe
	out, err groovy.Value
}

func (f *folder) newBuilder(_ *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	return &builder{f: f, argv: command(args)}, nil
}

// command are the arguments of ProcessBuilder: one list, or each by itself.
func command(args []groovy.Value) []string {
	if len(args) == 1 {
		if l, ok := args[0].(*groovy.List); ok {
			args = l.Elems
		}
	}
	argv := make([]string, len(args))
	for i, a := range args {
		argv[i] = groovy.Format(a)
	}
	return argv
}

// Type names the class.
func (*builder) Type() string { return "java.lang.ProcessBuilder" }

// Get knows what its methods answer without arguments.
func (b *builder) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*builder) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method; those that set something answer with the builder.
func (b *builder) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "start":
		return b.start(t)
	case "environment":
		return b.environment(), nil
	case "inheritIO":
		b.out, b.err = console(), console()
		return b, nil
	case "command":
		if len(args) == 0 {
			l := groovy.NewList()
			for _, a := range b.argv {
				l.Elems = append(l.Elems, a)
			}
			return l, nil
		}
		b.argv = command(args)
		return b, nil
	case "directory":
		if len(args) == 0 {
			return b.dir, nil
		}
		b.dir = args[0]
		return b, nil
	case "redirectErrorStream":
		if len(args) == 0 {
			return b.merge, nil
		}
		b.merge = groovy.Truth(args[0])
		return b, nil
	}
	if len(args) != 1 {
		return nil, groovy.ErrNoMember
	}
	switch id {
	case "redirectOutput":
		b.out = args[0]
	case "redirectError":
		b.err = args[0]
	case "redirectInput":
		b.in = args[0]
	default:
		return nil, groovy.ErrNoMember
	}
	return b, nil
}

// environment is the map that scripts change.
func (b *builder) environment() *groovy.Map {
	if b.env == nil {
		b.env, _ = b.f.environment().(*groovy.Map)
	}
	return b.env
}

func (b *builder) start(t *groovy.Thread) (groovy.Value, error) {
	if b.f.checking() {
		return nil, unchecked("ProcessBuilder.start")
	}
	if len(b.argv) == 0 {
		return nil, groovy.Throw("IndexOutOfBoundsException", "the command is empty")
	}
	s := groovy.Start{Argv: b.argv, Merge: b.merge}
	if b.dir != nil {
		s.Dir = groovy.Format(b.dir)
	}
	if b.env != nil {
		for _, k := range b.env.Keys() {
			v, _ := b.env.Get(k)
			s.Env = append(s.Env, groovy.Format(k)+"="+groovy.Format(v))
		}
	}
	out, err := b.target(b.out)
	if err != nil {
		return nil, err
	}
	errs, err := b.target(b.err)
	if err != nil {
		return nil, err
	}
	p, err := b.f.launch(t, s, out, errs)
	if err != nil {
		return nil, err
	}
	if b.out != nil {
		p.out.end()
	}
	if b.in != nil {
		return p, b.feed(p)
	}
	return p, nil
}

// target is the file that output goes to; nil: the script reads it.
func (b *builder) target(v groovy.Value) (io.Writer, error) {
	switch f := v.(type) {
	case nil:
		return nil, nil
	case *fileObject:
		w, err := os.OpenFile(f.abs(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return nil, err
		}
		b.f.opened = append(b.f.opened, w)
		return w, nil
	}
	return b.f.context.secrets, nil // INHERIT: the event's output
}

// feed gives the process a file to read.
func (b *builder) feed(p *child) error {
	name := groovy.Format(b.in)
	if !filepath.IsAbs(name) {
		name = filepath.Join(b.f.dir, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	go func() { // ends with the file or the process
		_, _ = io.Copy(p.in, f) // a process may end before it has read all
		_ = f.Close()
		_ = p.in.Close()
	}()
	return nil
}

// runtime is java.lang.Runtime.getRuntime().
func (f *folder) runtime(_ *groovy.Thread, m string, _ []groovy.Value) (groovy.Value, error) {
	if m != "getRuntime" {
		return nil, groovy.ErrNoMember
	}
	return &groovy.Functions{Name: "java.lang.Runtime", Func: func(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
		switch m {
		case "exec":
			return f.runtimeExec(t, args)
		case "availableProcessors":
			return int64(runtime.NumCPU()), nil
		}
		return nil, groovy.ErrNoMember
	}}, nil
}

// runtimeExec is exec(command [, environment [, folder]]).
func (f *folder) runtimeExec(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if f.checking() {
		return nil, unchecked("Runtime.exec")
	}
	if len(args) == 0 {
		return nil, groovy.ErrNoMember
	}
	s := groovy.Start{Argv: strings.Fields(groovy.Format(args[0]))}
	if l, ok := args[0].(*groovy.List); ok {
		s.Argv = command([]groovy.Value{l})
	}
	if len(args) > 1 && args[1] != nil {
		s.Env = command(args[1:2])
	}
	if len(args) > 2 && args[2] != nil {
		s.Dir = groovy.Format(args[2])
	}
	if len(s.Argv) == 0 {
		return nil, groovy.Throw("IllegalArgumentException", "Empty command")
	}
	return f.start(t, s)
}
