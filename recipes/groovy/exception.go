package groovy

import (
	"errors"
	"strings"
)

func (s *tryStmt) exec(t *Thread, f *frame) (v Value, c control, err error) {
	mark, depth := t.stack, t.depth
	v, c, err = execBlock(t, f, s.body)
	if err != nil {
		t.stack, t.depth, t.frame = mark, depth, f
		v, c, err = s.caught(t, f, err)
	}
	if s.finally != nil {
		fv, fc, ferr := execBlock(t, f, s.finally)
		if ferr != nil || fc != onward {
			return fv, fc, ferr
		}
	}
	return v, c, err
}

// caught runs the catch clause for err, if there is one. Limits, exit and a
// context's end cannot be caught.
func (s *tryStmt) caught(t *Thread, f *frame, err error) (Value, control, error) {
	x, ok := t.place(f, err, s.pos).(*Error)
	if !ok || x.Thrown == nil {
		return nil, onward, err
	}
	for _, c := range s.catches {
		for _, typ := range c.types {
			if t.isThrown(x.Thrown, typ) {
				c.local.set(f, x.Thrown.value())
				return execBlock(t, f, c.body)
			}
		}
	}
	return nil, onward, err
}

// value is what a catch clause sees: the instance of a class of the script,
// or the exception.
func (th *Throwable) value() Value {
	if th.object != nil {
		return th.object
	}
	return th
}

func (t *Thread) isThrown(th *Throwable, typ string) bool {
	if th.object != nil {
		return t.instanceOf(th.object, typ)
	}
	return isException(th.Class, lastName(typ))
}

func (t *Thread) throw(f *frame, v Value, pos Pos) error {
	switch v := v.(type) {
	case *Throwable:
		return t.place(f, &raised{v}, pos)
	case *instance:
		th := &Throwable{Class: v.class.decl.id, object: v}
		if msg, _ := v.fields.Get("message"); msg != nil {
			th.Message, th.hasMessage = Format(msg), true
		}
		return t.place(f, &raised{th}, pos)
	case nil:
		return t.place(f, Throw("NullPointerException", "throw null"), pos)
	}
	return t.place(f, Throw("ClassCastException", "Cannot cast object '%s' with class '%s' to class 'java.lang.Throwable'", Format(v), TypeName(v)), pos)
}

func newThrowable(class string, args []Value) *Throwable {
	th := &Throwable{Class: class}
	for i, a := range args {
		switch c := a.(type) {
		case *Throwable:
			th.Cause = c
			if i == 0 {
				th.Message, th.hasMessage = c.String(), true
			}
		case *instance:
			th.Cause = c
		default:
			if i == 0 && a != nil {
				th.Message, th.hasMessage = Format(a), true
			}
		}
	}
	return th
}

// Throw returns an error that a script can catch as the named Java exception.
func knownException(id string) bool {
	return strings.HasSuffix(id, "Exception") || strings.HasSuffix(id, "Error") || id == "Throwable"
}

// IsMissing says that a call failed for want of the member.
func IsMissing(err error) bool { return missing(err) }

// missing says that err only means "no such name".
func missing(err error) bool {
	var r *raised
	if errors.As(err, &r) {
		return r.thrown.Class == "MissingPropertyException" || r.thrown.Class == "MissingMethodException"
	}
	return errors.Is(err, ErrNoMember)
}
