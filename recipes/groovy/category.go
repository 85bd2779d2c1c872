package groovy

import (
	"math"
	"slices"
)

// category is a class whose static methods are, within use, methods of what
// they take first: a script's or one of the library.
type category struct {
	script *scriptClass
	class  *Class
}

// use calls a closure with categories, which end with it.
func (t *Thread) use(a []Value) (Value, error) {
	if len(a) < 2 {
		return nil, Throw("IllegalArgumentException", "Expecting at least 2 arguments, a category class and a Closure")
	}
	body, ok := a[len(a)-1].(*Closure)
	if !ok {
		return nil, Throw("IllegalArgumentException", "Expecting a Closure to be the last argument")
	}
	classes := a[:len(a)-1]
	if l, ok := classes[0].(*List); ok && len(classes) == 1 {
		classes = l.Elems
	}
	uses := slices.Clone(t.uses)
	for i, v := range classes {
		switch c := v.(type) {
		case *scriptClass:
			uses = append(uses, category{script: c})
		case *Class:
			uses = append(uses, category{class: c})
		default:
			return nil, Throw("IllegalArgumentException", "Expecting a Category Class for argument %d", i)
		}
	}
	if err := t.grow(len(uses), 16); err != nil {
		return nil, err
	}
	outer := t.uses
	t.uses = uses
	defer func() { t.uses = outer }()
	return t.callClosure(body, nil)
}

// categoryCall calls a category's method of v: before v's own the methods of
// its type, late those that are of any Object. False when there is none.
func (t *Thread) categoryCall(v Value, id string, args []Value, late bool) (Value, bool, error) {
	if len(t.uses) == 0 {
		return nil, false, nil
	}
	if err := t.charge(len(t.uses)); err != nil {
		return nil, true, err
	}
	if err := t.grow(len(args)+1, 16); err != nil {
		return nil, true, err
	}
	all := append([]Value{v}, args...)
	if m := t.categoryMethod(id, all, late); m != nil {
		x, err := t.invokeMethod(m.class, m, all)
		return x, true, err
	}
	for _, c := range slices.Backward(t.uses) {
		if c.class == nil || late == (c.class.Name == "TimeCategory") {
			continue
		}
		s, ok := c.class.Static.(*tableStatics)
		if !ok || s.fns[id].call == nil {
			continue
		}
		if x, err := s.Call(t, id, all); !missing(err) {
			return x, true, err
		}
	}
	return nil, false, nil
}

// categoryMethod is the method whose parameters are nearest; of equal ones the
// last used.
func (t *Thread) categoryMethod(id string, all []Value, late bool) *boundMethod {
	var best *boundMethod
	least := math.MaxInt
	for _, c := range slices.Backward(t.uses) {
		if c.script == nil {
			continue
		}
		for _, m := range c.script.methods[id] {
			if !m.static || len(m.fn.params) == 0 {
				continue
			}
			typ := m.fn.params[0].typ
			if late != (typ == "" || typ == "Object" || typ == "def") || all[0] == nil && !late || overridden(all, id, typ) {
				continue
			}
			if d := distance(m.fn, all); d >= 0 && d < least {
				best, least = m, d
			}
		}
	}
	return best
}

// overridden says whether the object's class has the method from a class below
// the category's.
func overridden(all []Value, id, typ string) bool {
	o, ok := all[0].(*instance)
	if !ok || o.class.decl.id == typ {
		return false
	}
	m := o.class.find(id, all[1:])
	return m != nil && m.class.decl.id != typ && m.class.extends(typ)
}

// categoryGet reads a property by a category's getter; a map's are its entries.
func (t *Thread) categoryGet(v Value, id string) (Value, bool, error) {
	if _, isMap := v.(*Map); isMap || len(t.uses) == 0 {
		return nil, false, nil
	}
	getter := "get" + upperFirst(id)
	x, ok, err := t.categoryCall(v, getter, nil, false)
	switch v.(type) {
	case *List, *Set: // they answer any name
		if !ok {
			return t.categoryCall(v, getter, nil, true)
		}
	}
	return x, ok, err
}

// categorySet writes a property by a category's setter.
func (t *Thread) categorySet(v Value, id string, x Value) (bool, error) {
	if len(t.uses) == 0 {
		return false, nil
	}
	_, ok, err := t.categoryCall(v, "set"+upperFirst(id), []Value{x}, false)
	return ok, err
}

// categoryOperator applies an operator that a category gives l.
func (t *Thread) categoryOperator(op string, l, r Value) (Value, bool, error) {
	switch op {
	case "==", "!=", "===", "!==", "<", "<=", ">", ">=", "<=>", "in", "=~", "==~":
		return nil, false, nil
	}
	return t.categoryCall(l, operatorMethod(op), []Value{r}, false)
}
