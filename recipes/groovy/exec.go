package groovy

import (
	"slices"
	"strings"
)

// execBlock runs statements; its value is that of the last one.
func execBlock(t *Thread, f *frame, list []stmt) (v Value, c control, err error) {
	for _, s := range list {
		if t.steps++; t.steps >= t.next {
			if err := t.check(f, s.at()); err != nil {
				return nil, onward, err
			}
		}
		v, c, err = s.exec(t, f)
		if err != nil || c != onward {
			return v, c, err
		}
	}
	return v, onward, nil
}

func (s *exprStmt) exec(t *Thread, f *frame) (Value, control, error) {
	v, err := s.x.eval(t, f)
	return v, onward, err
}

func (s *block) exec(t *Thread, f *frame) (Value, control, error) { return execBlock(t, f, s.body) }

func (s *multi) exec(t *Thread, f *frame) (Value, control, error) {
	_, c, err := execBlock(t, f, s.list)
	return nil, c, err
}

func (s *ifStmt) exec(t *Thread, f *frame) (Value, control, error) {
	cond, err := s.cond.eval(t, f)
	if err != nil {
		return nil, onward, err
	}
	ok, isBool := cond.(bool)
	if !isBool {
		if ok, err = t.truth(cond); err != nil {
			return nil, onward, t.place(f, err, s.pos)
		}
	}
	if ok {
		return execBlock(t, f, s.yes)
	}
	return execBlock(t, f, s.not)
}

// set stores v in a variable of the frame, in a new cell when it is captured.
func (l *local) set(f *frame, v Value) {
	if l.captured {
		v = &cell{v}
	}
	f.slots[l.slot] = v
}

func (s *varDecl) exec(t *Thread, f *frame) (Value, control, error) {
	var v Value
	var err error
	if s.init != nil {
		if v, err = s.init.eval(t, f); err != nil {
			return nil, onward, err
		}
	}
	if s.tuple {
		return nil, onward, s.assignAll(t, f, v)
	}
	if s.init == nil {
		v = zero(s.typ)
	} else if s.typ != "" {
		if v, err = t.coerce(v, s.typ); err != nil {
			return nil, onward, t.place(f, err, s.pos)
		}
	}
	if s.field {
		f.unit.binding.Put(s.ids[0], v)
		return nil, onward, nil
	}
	s.locals[0].set(f, v)
	return nil, onward, nil
}

func (s *varDecl) assignAll(t *Thread, f *frame, v Value) error {
	list, err := t.elements(v)
	if v == nil {
		err = Throw("NullPointerException", "Cannot invoke method getAt() on null object")
	}
	if err != nil {
		return t.place(f, err, s.pos)
	}
	for i, l := range s.locals {
		var x Value
		if i < len(list) {
			x = list[i]
		}
		if x, err = t.coerce(x, s.types[i]); err != nil {
			return t.place(f, err, s.pos)
		}
		l.set(f, x)
	}
	return nil
}

// zero is the initial value of a variable of the type.
func zero(typ string) Value {
	switch typ {
	case "int", "short":
		return int64(0)
	case "byte":
		return Byte(0)
	case "long":
		return Long(0)
	case "float":
		return Float(0)
	case "double":
		return float64(0)
	case "boolean":
		return false
	case "char":
		return Char(0)
	}
	return nil
}

// loops says whether a jump out of a loop's body is meant for the loop: stop
// ends it with c.
func (t *Thread) loops(c control, labels []string) (stop bool, result control) {
	if c == onward || c == returned {
		return c == returned, c
	}
	if t.label != "" {
		if !slices.Contains(labels, t.label) {
			return true, c
		}
		t.label = ""
	}
	return c == broken, onward
}

func (s *whileStmt) exec(t *Thread, f *frame) (Value, control, error) {
	return loop(t, f, s.labels, s.cond, nil, s.body)
}

func (s *forStmt) exec(t *Thread, f *frame) (Value, control, error) {
	if _, _, err := execBlock(t, f, s.init); err != nil {
		return nil, onward, err
	}
	return loop(t, f, s.labels, s.cond, s.post, s.body)
}

func loop(t *Thread, f *frame, labels []string, cond expr, post, body []stmt) (Value, control, error) {
	at := f.fn.pos
	if cond != nil {
		at = cond.at()
	}
	for {
		if cond != nil {
			v, err := cond.eval(t, f)
			if err != nil {
				return nil, onward, err
			}
			ok, isBool := v.(bool)
			if !isBool {
				if ok, err = t.truth(v); err != nil {
					return nil, onward, t.place(f, err, at)
				}
			}
			if !ok {
				return nil, onward, nil
			}
		}
		if err := t.tick(f, at); err != nil {
			return nil, onward, err
		}
		v, c, err := execBlock(t, f, body)
		if err != nil {
			return nil, onward, err
		}
		if c != onward {
			if stop, c := t.loops(c, labels); stop {
				return v, c, nil
			}
		}
		for _, p := range post {
			if _, _, err := p.exec(t, f); err != nil {
				return nil, onward, err
			}
		}
	}
}

func (s *forIn) exec(t *Thread, f *frame) (Value, control, error) {
	x, err := s.x.eval(t, f)
	if err != nil {
		return nil, onward, err
	}
	if r, ok := x.(*Range); ok {
		return s.overRange(t, f, r)
	}
	list, err := t.elements(x)
	if err != nil {
		return nil, onward, t.place(f, err, s.pos)
	}
	if l, ok := x.(*List); ok && len(l.Elems) == len(list) {
		list = slices.Clone(list)
	}
	s.local.set(f, nil)
	for _, e := range list {
		if v, stop, c, err := s.once(t, f, e); stop || err != nil {
			return v, c, err
		}
	}
	return nil, onward, nil
}

func (s *forIn) overRange(t *Thread, f *frame, r *Range) (Value, control, error) {
	s.local.set(f, nil)
	for i := range r.len() {
		if v, stop, c, err := s.once(t, f, r.nth(i)); stop || err != nil {
			return v, c, err
		}
	}
	return nil, onward, nil
}

// once runs the body with one element.
func (s *forIn) once(t *Thread, f *frame, e Value) (Value, bool, control, error) {
	if err := t.tick(f, s.pos); err != nil {
		return nil, true, onward, err
	}
	if s.local.typ != "" {
		var err error
		if e, err = t.coerce(e, s.local.typ); err != nil {
			return nil, true, onward, t.place(f, err, s.pos)
		}
	}
	if c, ok := f.slots[s.local.slot].(*cell); ok && s.local.captured {
		c.v = e // one variable for all rounds: closures see the last
	} else {
		f.slots[s.local.slot] = e
	}
	v, c, err := execBlock(t, f, s.body)
	if err != nil || c == onward {
		return nil, false, onward, err
	}
	stop, c := t.loops(c, s.labels)
	return v, stop, c, nil
}

func (s *switchStmt) exec(t *Thread, f *frame) (Value, control, error) {
	x, err := s.x.eval(t, f)
	if err != nil {
		return nil, onward, err
	}
	start, err := s.match(t, f, x)
	if err != nil || start < 0 {
		return nil, onward, err
	}
	for _, c := range s.cases[start:] {
		var last Value // what stands before break is the value of the switch
		for _, st := range c.body {
			if err := t.tick(f, st.at()); err != nil {
				return nil, onward, err
			}
			v, ctl, err := st.exec(t, f)
			switch {
			case err != nil:
				return nil, onward, err
			case ctl == onward:
				last = v
			case ctl == broken && (t.label == "" || slices.Contains(s.labels, t.label)):
				t.label = ""
				return last, onward, nil
			default:
				return v, ctl, nil
			}
		}
		if c.deflt {
			return last, onward, nil
		}
	}
	return nil, onward, nil
}

// match finds the case for x; -1 when there is none.
func (s *switchStmt) match(t *Thread, f *frame, x Value) (int, error) {
	deflt := -1
	for i, c := range s.cases {
		for _, val := range c.vals {
			v, err := val.eval(t, f)
			if err != nil {
				return 0, err
			}
			ok, err := t.isCase(v, x)
			if err != nil {
				return 0, t.place(f, err, val.at())
			}
			if ok {
				return i, nil
			}
		}
		if c.deflt {
			deflt = i
		}
	}
	return deflt, nil
}

// isCase is Groovy's isCase: membership, match, class test or equality.
func (t *Thread) isCase(c, x Value) (bool, error) {
	switch c := c.(type) {
	case string:
		if x == nil {
			return false, nil
		}
		s, err := t.toString(x)
		return s == c, err
	case *List:
		return slices.ContainsFunc(c.Elems, func(v Value) bool { return javaEqual(x, v) }), nil
	case *Set:
		_, ok := c.m.Get(x)
		return ok, nil
	case *Range:
		n, ok := Number(x)
		return ok && n == float64(int64(n)) && n >= float64(min(c.From, c.To)) && n <= float64(max(c.From, c.To)), nil
	case *Map:
		v, _ := c.Get(x)
		return t.truth(v)
	case *regex:
		if x == nil {
			return false, nil
		}
		s, err := t.toString(x)
		if err != nil {
			return false, err
		}
		return t.fits(c, s)
	case *Closure:
		v, err := t.callClosure(c, []Value{x})
		if err != nil {
			return false, err
		}
		return t.truth(v)
	case *Class:
		return t.instanceOf(x, c.Name), nil
	case *scriptClass:
		return t.isInstance(x, c), nil
	case *instance:
		if m := c.class.find("isCase", []Value{x}); m != nil {
			v, err := t.invokeMethod(c, m, []Value{x})
			return Truth(v), err
		}
	}
	return t.equals(c, x)
}

func (s *throwStmt) exec(t *Thread, f *frame) (Value, control, error) {
	v, err := s.x.eval(t, f)
	if err != nil {
		return nil, onward, err
	}
	return nil, onward, t.throw(f, v, s.pos)
}

func (s *returnStmt) exec(t *Thread, f *frame) (Value, control, error) {
	if s.x == nil {
		return nil, returned, nil
	}
	v, err := s.x.eval(t, f)
	return v, returned, err
}

func (s *jump) exec(t *Thread, _ *frame) (Value, control, error) {
	t.label = s.label
	if s.brk {
		return nil, broken, nil
	}
	return nil, continued, nil
}

func (s *assertStmt) exec(t *Thread, f *frame) (Value, control, error) {
	v, err := s.cond.eval(t, f)
	if err != nil {
		return nil, onward, err
	}
	ok, err := t.truth(v)
	if err != nil || ok {
		return nil, onward, t.place(f, err, s.pos)
	}
	if s.msg == nil {
		return nil, onward, t.place(f, Throw("PowerAssertionError", "assert %s", s.text), s.pos)
	}
	m, err := s.msg.eval(t, f)
	if err != nil {
		return nil, onward, err
	}
	text, err := t.toString(m)
	if err == nil {
		err = Throw("AssertionError", "%s. Expression: %s%s", text, s.expression(), t.values(f, s.cond))
	}
	return nil, onward, t.place(f, err, s.pos)
}

// exec does nothing: methods are known before the script runs.
func (s *methodDecl) exec(*Thread, *frame) (Value, control, error) { return nil, onward, nil }

// expression is the condition as the message of a failed assert shows it.
func (s *assertStmt) expression() string {
	if _, ok := s.cond.(*binary); ok {
		return "(" + s.text + ")"
	}
	return s.text
}

// values are the variables of a comparison, for the message of a failed assert.
func (t *Thread) values(f *frame, cond expr) string {
	var list []string
	var visit func(x expr)
	visit = func(x expr) {
		switch x := x.(type) {
		case *binary:
			visit(x.l)
			visit(x.r)
		case *name:
			v, err := x.eval(t, f)
			if err == nil {
				s, _ := t.toString(v)
				list = append(list, x.id+" = "+s)
			}
		}
	}
	visit(cond)
	if len(list) == 0 {
		return ""
	}
	return ". Values: " + strings.Join(list, ", ")
}
