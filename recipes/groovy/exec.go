package groovy

import (
	"fmt"
	"slices"
)

// control says how a statement ended.
type control int

const (
	onward control = iota
	broken
	continued
	returned
)

// env is a scope. The first one of a closure call names the closure, that of
// a method its object.
type env struct {
	parent  *env
	names   []string
	vals    []Value
	closure *Closure
	self    Value // *instance or *scriptClass inside a class
}

func (e *env) declare(id string, v Value) {
	if i := slices.Index(e.names, id); i >= 0 {
		e.vals[i] = v
		return
	}
	e.names = append(e.names, id)
	e.vals = append(e.vals, v)
}

// find returns where the variable lives.
func (e *env) find(id string) *Value {
	for ; e != nil; e = e.parent {
		for i, n := range e.names {
			if n == id {
				return &e.vals[i]
			}
		}
	}
	return nil
}

func (e *env) this() Value {
	for ; e != nil; e = e.parent {
		if e.self != nil {
			return e.self
		}
	}
	return nil
}

// block runs statements; its value is that of the last one.
func (t *Thread) block(e *env, list []stmt) (v Value, c control, err error) {
	for _, s := range list {
		v, c, err = t.stmt(e, s)
		if err != nil || c != onward {
			return v, c, err
		}
	}
	return v, onward, nil
}

func (t *Thread) scope(e *env, list []stmt) (Value, control, error) {
	return t.block(&env{parent: e}, list)
}

func (t *Thread) stmt(e *env, s stmt) (Value, control, error) {
	if err := t.step(s.at()); err != nil {
		return nil, onward, err
	}
	if err := t.enter(s.at(), t.unit); err != nil {
		return nil, onward, err
	}
	defer t.leave()
	switch s := s.(type) {
	case *exprStmt:
		v, err := t.eval(e, s.x)
		return v, onward, err
	case *varDecl:
		return nil, onward, t.declare(e, s)
	case *multi:
		_, c, err := t.block(e, s.list)
		return nil, c, err
	case *block:
		return t.scope(e, s.body)
	case *ifStmt:
		cond, err := t.eval(e, s.cond)
		if err != nil {
			return nil, onward, err
		}
		if Truth(cond) {
			return t.scope(e, s.yes)
		}
		return t.scope(e, s.not)
	case *whileStmt:
		return t.loop(&env{parent: e}, s.cond, nil, s.body)
	case *forStmt:
		inner := &env{parent: e}
		if _, _, err := t.block(inner, s.init); err != nil {
			return nil, onward, err
		}
		return t.loop(inner, s.cond, s.post, s.body)
	case *forIn:
		return t.forIn(e, s)
	case *switchStmt:
		return t.switchOn(e, s)
	case *tryStmt:
		return t.try(e, s)
	case *throwStmt:
		v, err := t.eval(e, s.x)
		if err != nil {
			return nil, onward, err
		}
		return nil, onward, t.throw(v, s.pos)
	case *returnStmt:
		if s.x == nil {
			return nil, returned, nil
		}
		v, err := t.eval(e, s.x)
		return v, returned, err
	case *jump:
		if s.brk {
			return nil, broken, nil
		}
		return nil, continued, nil
	case *assertStmt:
		return nil, onward, t.assert(e, s)
	}
	return nil, onward, t.locate(fmt.Errorf("unknown statement %T", s), s.at())
}

func (t *Thread) declare(e *env, s *varDecl) error {
	var v Value
	var err error
	if s.init != nil {
		if v, err = t.eval(e, s.init); err != nil {
			return err
		}
	}
	if s.tuple {
		list, err := t.elements(v)
		if err != nil {
			return t.locate(err, s.pos)
		}
		for i, id := range s.ids {
			if i < len(list) {
				e.declare(id, list[i])
			} else {
				e.declare(id, nil)
			}
		}
		return nil
	}
	if s.init == nil {
		v = zero(s.typ)
	} else if v, err = t.coerce(v, s.typ); err != nil {
		return t.locate(err, s.pos)
	}
	if s.field {
		t.unit.binding.Put(s.ids[0], v)
		return nil
	}
	e.declare(s.ids[0], v)
	return nil
}

func zero(typ string) Value {
	switch typ {
	case "int", "long", "short", "byte":
		return int64(0)
	case "float", "double":
		return float64(0)
	case "boolean":
		return false
	}
	return nil
}

func (t *Thread) loop(e *env, cond expr, post, body []stmt) (Value, control, error) {
	for {
		if cond != nil {
			v, err := t.eval(e, cond)
			if err != nil || !Truth(v) {
				return nil, onward, err
			}
		}
		v, c, err := t.scope(e, body)
		if err != nil || c == returned {
			return v, c, err
		}
		if c == broken {
			return nil, onward, nil
		}
		if _, _, err := t.block(e, post); err != nil {
			return nil, onward, err
		}
		if cond == nil && len(body) == 0 {
			if err := t.step(Pos{1, 1}); err != nil {
				return nil, onward, err
			}
		}
	}
}

func (t *Thread) forIn(e *env, s *forIn) (Value, control, error) {
	x, err := t.eval(e, s.x)
	if err != nil {
		return nil, onward, err
	}
	var list []Value
	n := int64(0)
	r, isRange := x.(*Range)
	if isRange {
		n = r.len()
	} else {
		if list, err = t.elements(x); err != nil {
			return nil, onward, t.locate(err, s.pos)
		}
		list = slices.Clone(list)
		n = int64(len(list))
	}
	for i := range n {
		if err := t.step(s.pos); err != nil {
			return nil, onward, err
		}
		inner := &env{parent: e}
		if isRange {
			inner.declare(s.id, r.nth(i))
		} else {
			inner.declare(s.id, list[i])
		}
		v, c, err := t.block(inner, s.body)
		if err != nil || c == returned {
			return v, c, err
		}
		if c == broken {
			break
		}
	}
	return nil, onward, nil
}

func (t *Thread) switchOn(e *env, s *switchStmt) (Value, control, error) {
	x, err := t.eval(e, s.x)
	if err != nil {
		return nil, onward, err
	}
	start := -1
	for i, c := range s.cases {
		for _, val := range c.vals {
			v, err := t.eval(e, val)
			if err != nil {
				return nil, onward, err
			}
			ok, err := t.isCase(v, x)
			if err != nil {
				return nil, onward, t.locate(err, val.at())
			}
			if ok {
				start = i
				break
			}
		}
		if start >= 0 {
			break
		}
	}
	for i := 0; start < 0 && i < len(s.cases); i++ {
		if s.cases[i].deflt {
			start = i
		}
	}
	if start < 0 {
		return nil, onward, nil
	}
	var v Value
	inner := &env{parent: e}
	for _, c := range s.cases[start:] {
		var ctl control
		v, ctl, err = t.block(inner, c.body)
		if err != nil {
			return nil, onward, err
		}
		if ctl == broken {
			return nil, onward, nil
		}
		if ctl != onward {
			return v, ctl, nil
		}
	}
	return v, onward, nil
}

// isCase is Groovy's isCase: membership, match, class test or equality.
func (t *Thread) isCase(c, x Value) (bool, error) {
	switch c := c.(type) {
	case *List:
		return slices.ContainsFunc(c.Elems, func(v Value) bool { return Equal(v, x) }), nil
	case *Range:
		n, ok := number(x)
		return ok && n >= float64(min(c.From, c.To)) && n <= float64(max(c.From, c.To)), nil
	case *Map:
		v, _ := c.Get(x)
		return Truth(v), nil
	case *regex:
		return t.fits(c, Format(x))
	case *Closure:
		v, err := t.Call(c, x)
		return Truth(v), err
	case *Class:
		return instanceOf(x, c.Name), nil
	case *scriptClass:
		return instanceOf(x, c.decl.id), nil
	}
	return Equal(c, x), nil
}

func (t *Thread) try(e *env, s *tryStmt) (v Value, c control, err error) {
	u := t.unit
	v, c, err = t.scope(e, s.body)
	if err != nil {
		t.unit = u
		v, c, err = t.caught(e, s, err)
	}
	if s.finally != nil {
		fv, fc, ferr := t.scope(e, s.finally)
		if ferr != nil || fc != onward {
			return fv, fc, ferr
		}
	}
	return v, c, err
}

// caught runs the catch clause for err, if there is one. Limits, exit and a
// context's end cannot be caught.
func (t *Thread) caught(e *env, s *tryStmt, err error) (Value, control, error) {
	x, ok := t.locate(err, s.pos).(*Error)
	if !ok || x.Thrown == nil {
		return nil, onward, err
	}
	for _, c := range s.catches {
		for _, typ := range c.types {
			if isException(x.Thrown.Class, lastName(typ)) {
				inner := &env{parent: e}
				inner.declare(c.id, x.Thrown)
				return t.block(inner, c.body)
			}
		}
	}
	return nil, onward, err
}

func (t *Thread) throw(v Value, pos Pos) error {
	switch v := v.(type) {
	case *Throwable:
		return t.locate(&raised{v}, pos)
	case *instance:
		msg, _ := v.fields.Get("message")
		th := &Throwable{Class: v.class.decl.id, Cause: v}
		if msg != nil {
			th.Message = Format(msg)
		}
		return t.locate(&raised{th}, pos)
	case nil:
		return t.locate(Throw("NullPointerException", "throw null"), pos)
	}
	return t.locate(Throw("GroovyCastException", "cannot throw a %s", TypeName(v)), pos)
}

func (t *Thread) assert(e *env, s *assertStmt) error {
	v, err := t.eval(e, s.cond)
	if err != nil || Truth(v) {
		return err
	}
	msg := "assertion is false"
	if s.msg != nil {
		m, err := t.eval(e, s.msg)
		if err != nil {
			return err
		}
		msg = Format(m)
	}
	return t.locate(Throw("AssertionError", "%s", msg), s.pos)
}
