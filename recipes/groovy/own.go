package groovy

import "strings"

// live is the evaluation in which collections call what a script's classes say
// of their objects: equals, hashCode, compareTo. A closure that outlives the
// Run that made it, and all that came of that Run, live on in Interp.Call.
type live struct{ t *Thread }

// enter makes t the evaluation of what u's Run made, until the func is called.
func (t *Thread) enter(u *unit) func() {
	if u == nil || u.live == nil {
		return func() {}
	}
	l, was := u.live, u.live.t
	l.t, t.live = t, l
	return func() { l.t = was }
}

// fail ends the evaluation at its next step, for callers that cannot return
// an error: what a comparison in a collection threw.
func (t *Thread) fail(err error) {
	if t.fault == nil {
		t.fault = err
	}
	t.next = 0
}

// failed is what fail was given, once.
func (t *Thread) failed() error {
	err := t.fault
	t.fault = nil
	return err
}

// thread is the evaluation that calls the object's methods; nil: none.
func (o *instance) thread() *Thread {
	if u := o.class.unit; u != nil && u.live != nil {
		return u.live.t
	}
	return nil
}

// ownHash is what hashCode of the object's class says; not ok when the class
// has none, or no equals with it.
func (o *instance) ownHash() (hash int32, ok bool) {
	t, m := o.thread(), o.class.find("hashCode", nil)
	if t == nil || m == nil || o.class.find("equals", []Value{o}) == nil {
		return 0, false
	}
	v, err := t.invokeMethod(o, m, nil)
	if err != nil {
		t.fail(err)
	}
	return int32(toInt(v)), true
}

// ownEqual is what equals of the object's class says, or, as == has it,
// compareTo; not ok when the class has neither.
func (o *instance) ownEqual(v Value, compares bool) (same, ok bool) {
	if v == Value(o) {
		return true, true
	}
	t := o.thread()
	if t == nil || v == nil {
		return false, t != nil
	}
	if compares && o.class.implements("Comparable") {
		if m := o.class.find("compareTo", []Value{v}); m != nil {
			if x, ok := v.(*instance); !ok || x.class != o.class {
				return false, true
			}
			n, err := t.invokeMethod(o, m, []Value{v})
			if err != nil {
				t.fail(err)
			}
			return err == nil && toInt(n) == 0, true
		}
	}
	m := o.class.find("equals", []Value{v})
	if m == nil {
		return false, false
	}
	is, err := t.invokeMethod(o, m, []Value{v})
	if err != nil {
		t.fail(err)
	}
	return err == nil && Truth(is), true
}

// comparator is v when it orders a TreeMap; nil when it is no comparator.
func comparator(v Value) Value {
	switch o := v.(type) {
	case *Closure:
		return o
	case *instance:
		if o.class.find("compare", []Value{nil, nil}) != nil {
			return o
		}
	case *Functions:
		return o
	}
	return nil
}

// sortedBy is the order of a TreeMap's keys: a comparator's, or, without one,
// that of compareTo.
func (t *Thread) sortedBy(by Value) func(a, b Value) int {
	l := t.live
	return func(a, b Value) int {
		n, err := l.t.inOrder(by, a, b)
		if err != nil {
			l.t.fail(err)
			return strings.Compare(Format(a), Format(b))
		}
		return n
	}
}

func (t *Thread) inOrder(by, a, b Value) (int, error) {
	if by != nil {
		if err := t.charge(1); err != nil {
			return 0, err
		}
		return t.compareWith(by, a, b)
	}
	n, err := t.compare(a, b)
	if thrown(err) == "IllegalArgumentException" {
		err = Throw("ClassCastException", "%s cannot be cast to %s", TypeName(a), TypeName(b))
	}
	return n, err
}
