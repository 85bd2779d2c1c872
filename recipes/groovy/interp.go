package groovy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Limits bound an evaluation. A zero field is its default.
type Limits struct {
	Steps int64 // statements and expressions; default 20 million
	Bytes int64 // allocated in total; default 256 MiB
	Depth int   // nested expressions and calls; default 4000
}

const maxString = 16 << 20

// Interp is what scripts may reach. The zero value is a pure sandbox.
type Interp struct {
	Classes map[string]*Class // host classes by simple name
	Base    Object            // unqualified names that a script does not define; nil has none
	Out     io.Writer         // print and println; nil discards
	// Execute runs a command line for "cmd".execute(); nil refuses it.
	Execute func(t *Thread, argv []string) (Value, error)
	// Sleep waits for milliseconds; nil refuses sleep.
	Sleep func(ctx context.Context, ms int64) error
	// Import returns the source of a sibling class or of a static import;
	// a path that it does not know is tolerated. Nil knows none.
	Import func(path string) (*Script, error)
	Args   []string // args of a script
	Limits Limits
}

// unit is a script being evaluated: its binding, methods and classes.
// Closures that outlive the run keep it.
type unit struct {
	script  *Script
	binding *Map
	methods map[string][]*methodDecl
	classes map[string]*scriptClass
	imports []*unit // static imports
}

// Thread is one evaluation, from Run or Call to its result. Like a request it
// carries its context; it is not for concurrent use.
type Thread struct {
	ctx    context.Context
	in     *Interp
	unit   *unit
	limits Limits
	steps  int64
	bytes  int64
	depth  int
	pos    Pos     // of the step being evaluated
	selves []Value // objects whose methods are running, innermost last
}

// Context is the context of the evaluation.
func (t *Thread) Context() context.Context { return t.ctx }

// Print writes s to the script's output.
func (t *Thread) Print(s string) error {
	if t.in.Out == nil {
		return nil
	}
	_, err := io.WriteString(t.in.Out, s)
	return err
}

// File is the name of the script being evaluated.
func (t *Thread) File() string {
	if t.unit == nil {
		return ""
	}
	return t.unit.script.File
}

func (in *Interp) thread(ctx context.Context, u *unit) *Thread {
	t := &Thread{ctx: ctx, in: in, unit: u, limits: in.Limits}
	if t.limits.Steps == 0 {
		t.limits.Steps = 20_000_000
	}
	if t.limits.Bytes == 0 {
		t.limits.Bytes = 256 << 20
	}
	if t.limits.Depth == 0 {
		t.limits.Depth = 4000
	}
	return t
}

// Run evaluates a script and returns the value of its last statement. The
// error is an *Error; errors.Is finds ErrLimit, context errors and *Exit in it.
func (in *Interp) Run(ctx context.Context, s *Script) (Value, error) {
	t := in.thread(ctx, nil)
	return t.Run(s)
}

// Run evaluates another script within the evaluation t.
func (t *Thread) Run(s *Script) (Value, error) {
	u, err := t.load(s)
	if err != nil {
		return nil, err
	}
	outer := t.unit
	t.unit = u
	defer func() { t.unit = outer }()
	if len(s.body) == 0 {
		if m := u.methods["main"]; m != nil {
			return t.invoke(&env{}, nil, m[0], []Value{NewList()}, m[0].pos)
		}
	}
	v, _, err := t.block(&env{}, s.body)
	return v, err
}

// load makes the unit of a script, with its methods, classes and imports.
func (t *Thread) load(s *Script) (*unit, error) {
	u := &unit{script: s, binding: NewMap(), methods: map[string][]*methodDecl{}, classes: map[string]*scriptClass{}}
	args := NewList()
	for _, a := range t.in.Args {
		args.Elems = append(args.Elems, a)
	}
	u.binding.Put("args", args)
	for _, m := range s.methods {
		u.methods[m.id] = append(u.methods[m.id], m)
	}
	for _, c := range s.classes {
		u.classes[c.id] = &scriptClass{decl: c, unit: u}
	}
	if err := t.enter(Pos{1, 1}, u); err != nil {
		return nil, err
	}
	defer t.leave()
	for _, d := range s.imports {
		if err := t.importInto(u, d); err != nil {
			return nil, err
		}
	}
	return u, t.statics(u)
}

// importInto brings sibling classes and static members in. An import that
// nobody knows is tolerated; using it is the fault.
func (t *Thread) importInto(u *unit, d importDecl) error {
	if t.in.Import == nil {
		return nil
	}
	s, err := t.in.Import(d.path)
	if err != nil {
		return t.locateIn(u, err, d.pos)
	}
	if s == nil {
		return nil
	}
	v, err := t.load(s)
	if err != nil {
		return err
	}
	if d.static {
		u.imports = append(u.imports, v)
	}
	for id, c := range v.classes {
		if _, ok := u.classes[id]; !ok {
			u.classes[id] = c
		}
	}
	return nil
}

// Call calls a closure that an earlier Run made.
func (in *Interp) Call(ctx context.Context, c *Closure, args ...Value) (Value, error) {
	t := in.thread(ctx, c.unit)
	v, err := t.Call(c, args...)
	return v, t.locate(err, c.lit.pos)
}

// step counts one step and ends the evaluation when it is over a limit or its
// context has ended.
func (t *Thread) step(pos Pos) error {
	t.steps++
	t.pos = pos
	if t.steps > t.limits.Steps {
		return t.fatal(pos, fmt.Errorf("%w: more than %d steps (an endless loop?)", ErrLimit, t.limits.Steps))
	}
	if t.steps&63 == 0 { // one step may walk over a value of 32 MiB
		if err := t.ctx.Err(); err != nil {
			return t.fatal(pos, err)
		}
	}
	return nil
}

func (t *Thread) enter(pos Pos, u *unit) error {
	if t.depth++; t.depth > t.limits.Depth {
		t.depth--
		err := fmt.Errorf("%w: calls or expressions are nested more than %d deep", ErrLimit, t.limits.Depth)
		if u == nil {
			return err
		}
		return &Error{File: u.script.File, Pos: pos, Msg: err.Error(), Source: sourceLine(u.script.src, pos.Line), err: err}
	}
	return nil
}

func (t *Thread) leave() { t.depth-- }

// Alloc accounts n bytes that a host object is about to give to the script.
func (t *Thread) Alloc(n int) error {
	t.bytes += int64(n)
	if t.bytes > t.limits.Bytes {
		return fmt.Errorf("%w: more than %d bytes allocated", ErrLimit, t.limits.Bytes)
	}
	return nil
}

func (t *Thread) fatal(pos Pos, err error) error {
	e := &Error{Pos: pos, Msg: err.Error(), err: err}
	if t.unit != nil {
		e.File, e.Source = t.unit.script.File, sourceLine(t.unit.script.src, pos.Line)
	}
	return e
}

// Located gives err the place being evaluated, unless it has one already.
func (t *Thread) Located(err error) *Error {
	located, _ := t.locate(err, t.pos).(*Error)
	return located
}

func (t *Thread) locate(err error, pos Pos) error {
	return t.locateIn(t.unit, err, pos)
}

// locateIn gives an error its place, unless it has one.
func (t *Thread) locateIn(u *unit, err error, pos Pos) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	e := &Error{Pos: pos, Msg: err.Error(), err: err}
	if u != nil {
		e.File, e.Source = u.script.File, sourceLine(u.script.src, pos.Line)
	}
	var r *raised
	var exit *Exit
	var inner *Error
	switch {
	case errors.As(err, &r):
		e.Thrown, e.Msg = r.thrown, r.thrown.String()
		if c := r.thrown.Class; c == "MissingPropertyException" || c == "MissingMethodException" || c == "DSLException" {
			e.Msg = r.thrown.Message
		}
		e.err = r.thrown.cause
	case errors.Is(err, ErrLimit), errors.As(err, &exit), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &inner):
		e.Thrown = inner.Thrown
	case errors.Is(err, fs.ErrNotExist):
		e.Thrown = &Throwable{Class: "FileNotFoundException", Message: err.Error(), cause: err}
	case isPathError(err):
		e.Thrown = &Throwable{Class: "IOException", Message: err.Error(), cause: err}
	default:
		e.Thrown = &Throwable{Class: "RuntimeException", Message: err.Error(), cause: err}
	}
	return e
}

func isPathError(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p)
}

// grow accounts a string or a list of n elements of size bytes each.
func (t *Thread) grow(n, size int) error {
	if n*size > maxString*2 {
		return fmt.Errorf("%w: a value of %d bytes", ErrLimit, n*size)
	}
	return t.Alloc(n * size)
}

// elements is what v iterates over.
func (t *Thread) elements(v Value) ([]Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *List:
		return v.Elems, nil
	case *Map:
		if err := t.grow(v.Len(), 24); err != nil {
			return nil, err
		}
		list := make([]Value, len(v.keys))
		for i, k := range v.keys {
			list[i] = &entry{v, k}
		}
		return list, nil
	case *Range:
		n := v.len()
		if n > maxString/16 || n < 0 {
			return nil, fmt.Errorf("%w: the range %s is too long for a list", ErrLimit, Format(v))
		}
		if err := t.grow(int(n), 16); err != nil {
			return nil, err
		}
		list := make([]Value, n)
		for i := range list {
			list[i] = v.nth(int64(i))
		}
		return list, nil
	case string:
		if err := t.grow(len(v), 32); err != nil {
			return nil, err
		}
		var list []Value
		for _, r := range v {
			list = append(list, string(r))
		}
		return list, nil
	case *matcher:
		return v.all(t)
	case Object:
		if l, err := v.Call(t, "iterator", nil); err == nil {
			if l, ok := l.(*List); ok {
				return l.Elems, nil
			}
		}
	}
	return []Value{v}, nil
}

// Class finds a class that the script may name; false when there is none.
func (t *Thread) Class(name string) (Value, bool) {
	c := t.class(name)
	return c, c != nil
}

// Where is the place being evaluated.
func (t *Thread) Where() (file string, pos Pos) { return t.File(), t.pos }
