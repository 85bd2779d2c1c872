package groovy

import (
	"cmp"
	"fmt"
)

// control says how a statement ended.
type control uint8

const (
	onward control = iota
	broken
	continued
	returned
)

// frame is a running function: its variables, and whose code it is. It lives
// as long as the call; what a closure captures lives in cells.
type frame struct {
	slots []Value
	up    []*cell
	this  Value    // *unit, *instance or *scriptClass
	clo   *Closure // nil in a script or method
	unit  *unit
	class *scriptClass // whose method runs
	fn    *function
}

// stack is where frames and arguments get their room.
type stack struct {
	buf []Value
	top int
}

const stackChunk = 1 << 12

// push takes room for n values, which are nil.
func (s *stack) push(n int) []Value {
	if s.top+n > len(s.buf) {
		s.buf, s.top = make([]Value, max(stackChunk, n)), 0
	}
	v := s.buf[s.top : s.top+n : s.top+n]
	s.top += n
	clear(v)
	return v
}

// take returns a frame to use and to give back.
func (t *Thread) take() *frame {
	if n := len(t.free); n > 0 {
		f := t.free[n-1]
		t.free = t.free[:n-1]
		return f
	}
	return &frame{}
}

func (t *Thread) give(f *frame) {
	*f = frame{}
	t.free = append(t.free, f)
}

// tick counts one step and ends the evaluation when it is over a limit or its
// context has ended.
func (t *Thread) tick(f *frame, pos Pos) error {
	if t.steps++; t.steps >= t.next {
		return t.check(f, pos)
	}
	return nil
}

// check is the rare part of tick.
func (t *Thread) check(f *frame, pos Pos) error {
	t.pos = pos
	if t.steps > t.limits.Steps {
		return t.place(f, fmt.Errorf("%w: more than %d steps (an endless loop?)", ErrLimit, t.limits.Steps), pos)
	}
	t.next = min(t.steps+64, t.limits.Steps+1) // one step may walk over a value of 32 MiB
	return t.place(f, cmp.Or(t.failed(), t.ctx.Err()), pos)
}

// charge counts n steps at once.
func (t *Thread) charge(n int) error {
	t.steps += int64(n)
	if t.steps >= t.next {
		return t.check(t.frame, t.pos)
	}
	return nil
}

// run calls a function: it binds the arguments, makes the frame, runs the
// body. The frame's other fields are those of fr.
func (t *Thread) run(fn *function, args []Value, fr frame) (Value, error) {
	if t.depth += fn.height; t.depth > t.limits.Depth {
		t.depth -= fn.height
		return nil, t.tooDeep(fr.unit, fn.pos)
	}
	mark := t.stack
	f := t.take()
	*f = fr
	f.fn = fn
	f.slots = t.stack.push(fn.slots)
	outer, pos := t.frame, t.pos
	t.frame = f
	v, err := t.body(f, fn, args)
	t.frame, t.pos = outer, pos
	t.give(f)
	t.stack = mark
	t.depth -= fn.height
	return v, err
}

func (t *Thread) body(f *frame, fn *function, args []Value) (Value, error) {
	if err := t.bind(f, fn, args); err != nil {
		return nil, t.place(f, err, fn.pos)
	}
	v, c, err := execBlock(t, f, fn.body)
	if err != nil {
		return nil, err
	}
	if c == broken || c == continued {
		return nil, t.place(f, Throw("GroovyRuntimeException", "break or continue outside a loop"), fn.pos)
	}
	if fn.ret == "void" {
		return nil, nil
	}
	if fn.ret != "" {
		v, err = t.coerce(v, fn.ret)
		err = t.place(f, err, fn.pos)
	}
	return v, err
}

// deeper counts n for a call of the evaluator's own; shallower takes them back.
func (t *Thread) deeper(n int) error {
	if t.depth += n; t.depth > t.limits.Depth {
		t.depth -= n
		return errDeep
	}
	return nil
}

func (t *Thread) shallower(n int) { t.depth -= n }

var errDeep = fmt.Errorf("%w: calls or expressions are nested too deep", ErrLimit)

// tooDeep is the error of a call that goes too deep: at the call, or where
// nothing runs yet at pos of u.
func (t *Thread) tooDeep(u *unit, pos Pos) error {
	if t.frame != nil {
		return t.place(t.frame, errDeep, t.pos)
	}
	return t.placeIn(u, errDeep, pos)
}

// bind gives parameters their arguments or defaults.
func (t *Thread) bind(f *frame, fn *function, args []Value) error {
	if len(args) == len(fn.params) && !fn.rest {
		for i := range fn.params {
			p := &fn.params[i]
			v := args[i]
			if p.typ != "" {
				var err error
				if v, err = t.coerce(v, p.typ); err != nil {
					return err
				}
			}
			if p.local.captured {
				v = &cell{v}
			}
			f.slots[p.local.slot] = v
		}
		return nil
	}
	return t.bindSome(f, fn, args)
}

// bindSome binds when defaults or a rest are concerned.
func (t *Thread) bindSome(f *frame, fn *function, args []Value) error {
	if len(args) < fn.least && len(args) == 0 && fn.least == 1 && len(fn.params) == 1 {
		args = []Value{nil} // a call without arguments passes null
	}
	if len(args) < fn.least || len(args) > len(fn.params) && !fn.rest {
		return Throw("MissingMethodException", "%s takes %s, not %d", fn.describe(), fn.arguments(), len(args))
	}
	optional := len(args) - fn.least // defaults are used from the right
	for i := range fn.params {
		p := &fn.params[i]
		var v Value
		var err error
		switch {
		case p.rest:
			v, args = t.restOf(p, args), nil
		case p.deflt == nil || optional > 0:
			if p.deflt != nil {
				optional--
			}
			v, args = args[0], args[1:]
			v, err = t.coerce(v, p.typ)
		default:
			if v, err = p.deflt.eval(t, f); err == nil {
				v, err = t.coerce(v, p.typ)
			}
		}
		if err != nil {
			return err
		}
		if p.local.captured {
			v = &cell{v}
		}
		f.slots[p.local.slot] = v
	}
	return nil
}

// restOf is what a parameter T... gets: an array given as such, or the rest.
func (t *Thread) restOf(p *param, args []Value) Value {
	if len(args) == 1 {
		if args[0] == nil {
			return nil
		}
		if l, ok := args[0].(*List); ok && (l.elem != "" || p.typ == "") {
			return l
		}
	}
	elem := p.typ
	if elem == "" {
		elem = "Object"
	}
	l := NewList(args...)
	l.elem = elem
	return l
}

func (fn *function) describe() string {
	if fn.id == "" {
		return "the closure"
	}
	return "method " + fn.id
}

func (fn *function) arguments() string {
	switch {
	case fn.rest:
		return fmt.Sprintf("at least %d arguments", fn.least)
	case fn.least == len(fn.params) && fn.least == 1:
		return "1 argument"
	case fn.least == len(fn.params):
		return fmt.Sprintf("%d arguments", fn.least)
	}
	return fmt.Sprintf("%d to %d arguments", fn.least, len(fn.params))
}

// takes says whether the function can be called with n arguments.
func (fn *function) takes(n int) bool {
	return n >= fn.least && (n <= len(fn.params) || fn.rest)
}
