package groovy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
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
	// Start starts a process for "cmd".execute() and answers with its
	// java.lang.Process; nil refuses it.
	Start func(t *Thread, s Start) (Value, error)
	// Sleep waits for milliseconds; nil refuses sleep.
	Sleep func(ctx context.Context, ms int64) error
	// Import returns the source of a sibling class or of a static import;
	// a path that it does not know is tolerated. Nil knows none.
	Import func(path string) (*Script, error)
	Args   []string // args of a script
	// Refused are properties that a variable of that name has and that cannot be
	// had here ("context.admin"), with the reason. Check tells of them.
	Refused map[string]string
	Limits  Limits
}

// unit is a script being evaluated: its binding, methods and classes.
// Closures that outlive the run keep it. As a value it is the script itself.
type unit struct {
	looked  map[string]bool // class names that were looked for beside the script
	script  *Script
	binding *Map
	methods map[string][]*methodDecl
	classes map[string]*scriptClass
	imports []*unit          // static imports
	scripts map[string]*unit // scripts beside it, by the names of their classes: Shell.run()
	live    *live
}

// name is the name of the script's class.
func (u *unit) name() string {
	if u == nil || u.script == nil {
		return "Script"
	}
	name, _, _ := strings.Cut(u.script.File[strings.LastIndexByte(u.script.File, '/')+1:], ".")
	return name
}

// Thread is one evaluation, from Run or Call to its result. Like a request it
// carries its context; it is not for concurrent use.
type Thread struct {
	ctx    context.Context
	in     *Interp
	lib    *library
	limits Limits
	steps  int64
	next   int64 // steps at which to look at limits and context
	bytes  int64
	depth  int
	pos    Pos    // of the call being evaluated
	label  string // that a break or continue is on its way to
	frame  *frame // innermost
	stack  stack
	free   []*frame
	live   *live
	fault  error // see fail

	machine  *machine
	patterns map[string]*regex // compiled lately
	uses     []category
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
	if t.frame == nil || t.frame.unit == nil {
		return ""
	}
	return t.frame.unit.script.File
}

func (in *Interp) thread(ctx context.Context) *Thread {
	t := &Thread{ctx: ctx, in: in, lib: tables(), limits: in.Limits}
	t.live = &live{t}
	if t.limits.Steps == 0 {
		t.limits.Steps = 20_000_000
	}
	if t.limits.Bytes == 0 {
		t.limits.Bytes = 256 << 20
	}
	if t.limits.Depth == 0 {
		t.limits.Depth = 40000
	}
	return t
}

// Run evaluates a script and returns the value of its last statement. The
// error is an *Error; errors.Is finds ErrLimit, context errors and *Exit in it.
func (in *Interp) Run(ctx context.Context, s *Script) (v Value, err error) {
	t := in.thread(ctx)
	defer t.survive(&err)
	if v, err = t.Run(s); err == nil && t.fault != nil {
		err = t.Located(t.failed())
	}
	return v, err
}

// errDefect is a fault of the evaluator itself.
var errDefect = errors.New("the evaluator has a defect")

// survive makes a panic of an evaluation its error: who evaluates what others
// wrote must not end by it.
func (t *Thread) survive(err *error) {
	if r := recover(); r != nil {
		*err = t.Located(fmt.Errorf("%w: %v", errDefect, r))
	}
}

// Run evaluates another script within the evaluation t.
func (t *Thread) Run(s *Script) (Value, error) {
	u, err := t.load(s)
	if err != nil {
		return nil, err
	}
	return t.runUnit(u)
}

func (t *Thread) runUnit(u *unit) (Value, error) {
	if len(u.script.main.body) > 0 {
		return t.run(u.script.main, nil, frame{this: u, unit: u})
	}
	args := []Value{&List{elem: "String"}}
	if m := pick(u.methods["main"], args); m != nil {
		return t.run(m.fn, args, frame{this: u, unit: u})
	}
	for _, d := range u.script.classes { // a file with a class that has main or run
		c := u.classes[d.id]
		if m := c.find("main", args); m != nil && m.static {
			return t.invokeMethod(c, m, args)
		}
	}
	return nil, nil
}

// load makes the unit of a script, with its methods, classes and imports.
func (t *Thread) load(s *Script) (*unit, error) {
	u := &unit{script: s, binding: NewMap(), methods: map[string][]*methodDecl{}, classes: map[string]*scriptClass{}, scripts: map[string]*unit{}, live: t.live}
	args := &List{elem: "String"}
	for _, a := range t.in.Args {
		args.Elems = append(args.Elems, a)
	}
	u.binding.Put("args", args)
	for _, m := range s.methods {
		u.methods[m.id] = append(u.methods[m.id], m)
	}
	if t.depth += 40; t.depth > t.limits.Depth {
		return nil, t.tooDeep(u, Pos{1, 1})
	}
	defer func() { t.depth -= 40 }()
	for _, d := range s.imports {
		if err := t.importInto(u, d); err != nil {
			return nil, err
		}
	}
	return u, t.declareClasses(u)
}

// declareClasses makes the classes of a unit and evaluates their statics.
func (t *Thread) declareClasses(u *unit) error {
	for _, d := range u.script.classes {
		c, err := t.link(u, d)
		if err != nil {
			return t.placeIn(u, err, d.pos)
		}
		u.classes[d.id] = c
	}
	for _, d := range u.script.classes {
		if d.outer != nil {
			u.classes[d.outer.id+"."+d.id] = u.classes[d.id]
		}
	}
	for _, d := range u.script.classes {
		if err := t.resolve(u.classes[d.id], 0); err != nil {
			return t.placeIn(u, err, d.pos)
		}
	}
	for _, d := range u.script.classes {
		if err := t.initialize(u.classes[d.id]); err != nil {
			return t.placeIn(u, err, d.pos)
		}
	}
	return nil
}

// importInto brings sibling classes and static members in. An import that
// nobody knows is tolerated; using it is the fault.
func (t *Thread) importInto(u *unit, d importDecl) error {
	if t.in.Import == nil {
		return nil
	}
	s, err := t.in.Import(d.path)
	if err != nil {
		return t.placeIn(u, err, d.pos)
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
	if v.name() == lastName(d.path) {
		u.scripts[v.name()] = v
	}
	for id, c := range v.classes {
		if _, ok := u.classes[id]; !ok {
			u.classes[id] = c
		}
	}
	return nil
}

// Call calls a closure that an earlier Run made.
func (in *Interp) Call(ctx context.Context, c *Closure, args ...Value) (v Value, err error) {
	t := in.thread(ctx)
	defer t.survive(&err)
	defer t.enter(c.unit)()
	v, err = t.callClosure(c, args)
	return v, t.placeIn(c.unit, cmp.Or(err, t.failed()), c.lit.pos)
}

// Alloc accounts n bytes that a host object is about to give to the script.
func (t *Thread) Alloc(n int) error {
	t.bytes += int64(n)
	if t.bytes > t.limits.Bytes {
		return fmt.Errorf("%w: more than %d bytes allocated", ErrLimit, t.limits.Bytes)
	}
	return nil
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

// elements is what v iterates over. A list gives its own elements, not a copy.
func (t *Thread) elements(v Value) ([]Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *List:
		return v.Elems, nil
	case *Set:
		return v.m.Keys(), t.grow(v.m.Len(), 16)
	case *Map:
		if err := t.grow(v.Len(), 40); err != nil {
			return nil, err
		}
		list := make([]Value, 0, v.Len())
		for _, s := range v.entries() {
			list = append(list, &entry{v, s.k})
		}
		return list, nil
	case *Range:
		return t.rangeElements(v)
	case string:
		return t.characters(v)
	case *lazyString, *builder:
		s, err := t.toString(v)
		if err != nil {
			return nil, err
		}
		return t.characters(s)
	case *matcher:
		return v.all(t)
	case *scriptClass:
		if v.decl.enum {
			return v.constants(), nil
		}
	case *instance:
		return t.iterateInstance(v)
	case Object:
		if l, err := v.Call(t, "iterator", nil); err == nil {
			return t.elements(l)
		}
	}
	return []Value{v}, nil
}

func (c *scriptClass) constants() []Value {
	list := make([]Value, len(c.consts))
	for i, o := range c.consts {
		list[i] = o
	}
	return list
}

// iterateInstance walks an object of a script class by its iterator method.
func (t *Thread) iterateInstance(o *instance) ([]Value, error) {
	m := o.class.find("iterator", nil)
	if m == nil {
		return []Value{o}, nil
	}
	it, err := t.invokeMethod(o, m, nil)
	if err != nil {
		return nil, err
	}
	next, ok := it.(*instance)
	if !ok || next == o {
		return t.elements(it)
	}
	var list []Value
	for {
		if err := t.charge(1); err != nil {
			return nil, err
		}
		more, err := t.CallMethod(next, "hasNext", nil)
		if err != nil || !Truth(more) {
			return list, err
		}
		v, err := t.CallMethod(next, "next", nil)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if err := t.Alloc(16); err != nil {
			return nil, err
		}
	}
}

func (t *Thread) rangeElements(v *Range) ([]Value, error) {
	n := v.len()
	if n > maxString/16 || n < 0 {
		return nil, fmt.Errorf("%w: the range %d..%d is too long for a list", ErrLimit, v.From, v.To)
	}
	if err := t.grow(int(n), 16); err != nil {
		return nil, err
	}
	list := make([]Value, n)
	for i := range list {
		list[i] = v.nth(int64(i))
	}
	return list, nil
}

func (t *Thread) characters(s string) ([]Value, error) {
	if err := t.grow(len(s), 32); err != nil {
		return nil, err
	}
	var list []Value
	for _, r := range s {
		list = append(list, string(r))
	}
	return list, nil
}

// Class finds a class that the script may name; false when there is none.
func (t *Thread) Class(name string) (Value, bool) {
	c := t.class(t.unit(), name)
	return c, c != nil
}

// Where is the place being evaluated.
func (t *Thread) Where() (file string, pos Pos) { return t.File(), t.pos }
