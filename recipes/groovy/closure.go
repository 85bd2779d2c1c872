package groovy

import (
	"fmt"
	"slices"
)

// strategy says who is asked first for a name that a closure does not define.
type strategy uint8

const (
	ownerFirst strategy = iota
	delegateFirst
	ownerOnly
	delegateOnly
	toSelf
)

// Closure is a piece of code with the variables and the object around it.
type Closure struct {
	lit      *closureLit
	up       []*cell
	unit     *unit
	this     Value
	owner    Value // the closure around it, or this
	class    *scriptClass
	delegate Value // nil: the owner
	strategy strategy
	curried  []curry
	native   func(t *Thread, args []Value) (Value, error) // instead of lit's body
	iface    string                                       // as Runnable
	takes    int                                          // parameters of a native one; -1 any number
	memo     *Map
}

// curry is an argument given ahead: at is its index, negative from the end.
type curry struct {
	at   int
	vals []Value
}

// Place says where the closure stands: "file:line".
func (c *Closure) Place() string {
	return fmt.Sprintf("%s:%d", c.unit.script.File, c.lit.pos.Line)
}

// SetDelegate names the value that is asked for names the closure lacks.
func (c *Closure) SetDelegate(v Value) { c.delegate = v }

func (c *Closure) target() Value {
	if c.delegate != nil {
		return c.delegate
	}
	return c.owner
}

// nativeClosure is a closure of this package's own.
func nativeClosure(u *unit, takes int, fn func(t *Thread, args []Value) (Value, error)) *Closure {
	return &Closure{lit: &closureLit{fn: &function{}}, unit: u, native: fn, takes: takes}
}

// arity is the number of parameters the closure takes.
func (c *Closure) arity() int {
	n := len(c.lit.fn.params)
	if c.native != nil {
		n = c.takes
		if n < 0 {
			return 1
		}
	}
	for _, k := range c.curried {
		n -= len(k.vals)
	}
	return max(n, 0)
}

// Call calls a closure within the evaluation t.
func (t *Thread) Call(c *Closure, args ...Value) (Value, error) { return t.callClosure(c, args) }

func (t *Thread) callClosure(c *Closure, args []Value) (Value, error) {
	if len(c.curried) > 0 {
		var err error
		if args, err = t.uncurry(c, args); err != nil {
			return nil, err
		}
	}
	if c.memo != nil {
		return t.remembered(c, args)
	}
	return t.callPlain(c, args)
}

func (t *Thread) callPlain(c *Closure, args []Value) (Value, error) {
	if c.native != nil {
		if t.depth += 16; t.depth > t.limits.Depth {
			t.depth -= 16
			return nil, t.tooDeep(c.unit, c.lit.pos)
		}
		v, err := c.native(t, args)
		t.depth -= 16
		return v, err
	}
	if t.bytes += 64; t.bytes > t.limits.Bytes {
		return nil, t.placeIn(c.unit, t.Alloc(0), c.lit.pos)
	}
	fn := c.lit.fn
	if len(args) != len(fn.params) {
		var err error
		if args, err = c.fit(args); err != nil {
			if t.frame != nil { // the call is at fault
				return nil, t.place(t.frame, err, t.pos)
			}
			return nil, t.placeIn(c.unit, err, c.lit.pos)
		}
	}
	return t.run(fn, args, frame{up: c.up, this: c.this, clo: c, unit: c.unit, class: c.class})
}

// fit makes the arguments fit the parameters where their number differs.
func (c *Closure) fit(args []Value) ([]Value, error) {
	fn := c.lit.fn
	if c.lit.implicit {
		switch len(args) {
		case 0:
			return []Value{nil}, nil
		case 1:
			return args, nil
		}
		return nil, noMethod(c, "call", args)
	}
	if len(args) == 1 && !fn.takes(1) && !fn.rest {
		if l, ok := args[0].(*List); ok && fn.takes(len(l.Elems)) { // [a, b] spreads over |a, b|, but not over |a, b = 1|
			return l.Elems, nil
		}
	}
	if !fn.takes(len(args)) && !(len(args) == 0 && fn.least == 1 && len(fn.params) == 1) {
		return nil, noMethod(c, "call", args)
	}
	return args, nil
}

// uncurry puts the arguments given ahead into their places.
func (t *Thread) uncurry(c *Closure, args []Value) ([]Value, error) {
	args = slices.Clone(args)
	for i := len(c.curried) - 1; i >= 0; i-- {
		k := c.curried[i]
		at := k.at
		if at < 0 {
			at = len(args)
		}
		args = slices.Insert(args, min(at, len(args)), k.vals...)
	}
	return args, t.Alloc(16 * len(args))
}

func (c *Closure) curry(at int, vals []Value) *Closure {
	d := *c
	d.curried = append(slices.Clone(c.curried), curry{at, slices.Clone(vals)})
	return &d
}

// remembered calls a memoized closure, or returns what it gave before.
func (t *Thread) remembered(c *Closure, args []Value) (Value, error) {
	key := NewList(args...)
	if v, ok := c.memo.Get(key); ok {
		return v, nil
	}
	v, err := t.callPlain(c, args)
	if err == nil {
		c.memo.Put(key, v)
		err = t.grow(len(args)+1, 64)
	}
	return v, err
}

// maxChain bounds how many closures are composed or curried into one.
const maxChain = 1000

func closureMethods() methods {
	compose := func(first, second *Closure) *Closure {
		return nativeClosure(first.unit, first.arity(), func(t *Thread, args []Value) (Value, error) {
			v, err := t.callClosure(first, args)
			if err != nil {
				return nil, err
			}
			return t.callClosure(second, []Value{v})
		})
	}
	curry := func(at func(a []Value) (int, []Value)) method {
		return on(0, -1, func(t *Thread, c *Closure, a []Value) (Value, error) {
			if len(c.curried) > maxChain {
				return nil, fmt.Errorf("%w: a closure is curried more than %d times", ErrLimit, maxChain)
			}
			i, vals := at(a)
			return c.curry(i, vals), t.Alloc(256 + 24*len(c.curried))
		})
	}
	call := on(0, -1, func(t *Thread, c *Closure, a []Value) (Value, error) { return t.callClosure(c, a) })
	return methods{
		"call": call, "doCall": call,
		"curry":  curry(func(a []Value) (int, []Value) { return 0, a }),
		"rcurry": curry(func(a []Value) (int, []Value) { return -1, a }),
		"ncurry": curry(func(a []Value) (int, []Value) {
			if len(a) == 0 {
				return 0, nil
			}
			return int(toInt(a[0])), a[1:]
		}),
		"memoize": on(0, 0, func(t *Thread, c *Closure, _ []Value) (Value, error) {
			d := *c
			d.memo = NewMap()
			return &d, t.Alloc(256)
		}),
		"leftShift": on(1, 1, func(t *Thread, c *Closure, a []Value) (Value, error) {
			if g, ok := a[0].(*Closure); ok {
				return compose(g, c), t.Alloc(256)
			}
			return t.callClosure(c, a)
		}),
		"rightShift": on(1, 1, func(t *Thread, c *Closure, a []Value) (Value, error) {
			if g, ok := a[0].(*Closure); ok {
				return compose(c, g), t.Alloc(256)
			}
			return nil, noMethod(c, "rightShift", a)
		}),
		"getMaximumNumberOfParameters": on(0, 0, func(_ *Thread, c *Closure, _ []Value) (Value, error) { return int64(c.arity()), nil }),
		"getParameterTypes":            on(0, 0, func(_ *Thread, c *Closure, _ []Value) (Value, error) { return c.parameterTypes(), nil }),
		"getDelegate":                  on(0, 0, func(_ *Thread, c *Closure, _ []Value) (Value, error) { return c.target(), nil }),
		"getOwner":                     on(0, 0, func(_ *Thread, c *Closure, _ []Value) (Value, error) { return c.owner, nil }),
		"getThisObject":                on(0, 0, func(_ *Thread, c *Closure, _ []Value) (Value, error) { return c.this, nil }),
		"getResolveStrategy":           on(0, 0, func(_ *Thread, c *Closure, _ []Value) (Value, error) { return int64(c.strategy), nil }),
		"setDelegate":                  on(1, 1, func(_ *Thread, c *Closure, a []Value) (Value, error) { c.delegate = a[0]; return nil, nil }),
		"setResolveStrategy": on(1, 1, func(_ *Thread, c *Closure, a []Value) (Value, error) {
			c.strategy = strategy(min(max(toInt(a[0]), 0), int64(toSelf)))
			return nil, nil
		}),
		"clone": on(0, 0, func(t *Thread, c *Closure, _ []Value) (Value, error) { d := *c; return &d, t.Alloc(128) }),
		"rehydrate": on(3, 3, func(t *Thread, c *Closure, a []Value) (Value, error) {
			d := *c
			d.delegate, d.owner, d.this = a[0], a[1], a[2]
			return &d, t.Alloc(128)
		}),
		"dehydrate": on(0, 0, func(t *Thread, c *Closure, _ []Value) (Value, error) { d := *c; return &d, t.Alloc(128) }),
		"trampoline": on(0, -1, func(t *Thread, c *Closure, a []Value) (Value, error) {
			return trampoline(c.curry(0, a)), t.Alloc(256)
		}),
		"run":     call,
		"compare": call,
	}
}

// trampoline calls c, and what it returns while that is a closure.
func trampoline(c *Closure) *Closure {
	return nativeClosure(c.unit, c.arity(), func(t *Thread, args []Value) (Value, error) {
		v, err := t.callClosure(c, args)
		for err == nil {
			next, ok := v.(*Closure)
			if !ok {
				break
			}
			if err = t.charge(1); err != nil {
				break
			}
			if next.native != nil { // another trampoline: its inner step
				v, err = next.native(t, nil)
				continue
			}
			v, err = t.callClosure(next, nil)
		}
		return v, err
	})
}

func (c *Closure) parameterTypes() Value {
	l := &List{elem: "Class"}
	for _, p := range c.lit.fn.params {
		typ := p.typ
		if typ == "" {
			typ = "Object"
		}
		l.Elems = append(l.Elems, &Class{Name: typ})
	}
	return l
}

// pointer is v.&id: a closure that calls the method.
func (t *Thread) pointer(f *frame, v Value, id string, pos Pos) *Closure {
	takes := -1
	if o, ok := v.(*instance); ok {
		if list := o.class.methods[id]; len(list) == 1 {
			takes = len(list[0].fn.params)
		}
	}
	if u, ok := v.(*unit); ok {
		if list := u.methods[id]; len(list) == 1 {
			takes = len(list[0].fn.params)
		}
	}
	c := nativeClosure(f.unit, takes, func(t *Thread, args []Value) (Value, error) {
		if u, ok := v.(*unit); ok {
			return t.unqualified(&frame{this: u, unit: u}, id, args, pos)
		}
		return t.CallMethod(v, id, args)
	})
	c.this, c.owner, c.delegate = f.this, v, v
	return c
}

// closureMethod says whether a closure's body may call a method of the closure
// itself by its bare name: call(n - 1).
func closureMethod(id string) bool {
	switch id {
	case "call", "doCall", "curry", "rcurry", "ncurry", "memoize", "setDelegate", "setResolveStrategy", "getDelegate", "getOwner", "getThisObject", "getMaximumNumberOfParameters", "getParameterTypes":
		return true
	}
	return false
}
