package groovy

import (
	"errors"
	"slices"
)

// Get reads a property of a value.
func (t *Thread) Get(v Value, id string) (Value, error) {
	if x, ok, err := t.categoryGet(v, id); ok {
		return x, err
	}
	switch v := v.(type) {
	case nil:
		return nil, Throw("NullPointerException", "Cannot get property '%s' on null object", id)
	case *Map:
		return t.mapGet(v, id)
	case *List:
		return t.listProperty(v, id)
	case *Range:
		if id != "from" && id != "to" && id != "class" {
			return t.listProperty(v, id)
		}
	case *Set:
		if id != "class" && id != "empty" {
			return t.spreadOver(v, func(x Value) (Value, error) { return t.Get(x, id) })
		}
	case *instance, *scriptClass:
		if o, ok := v.(*instance); ok {
			if m := o.class.find("getProperty", []Value{id}); m != nil {
				return t.invokeMethod(o, m, []Value{id})
			}
		}
		if x, ok, err := t.field(v, id, false); ok || err != nil {
			return x, err
		}
		if x, ok, err := t.missingProperty(v, id); ok {
			return x, err
		}
	case *unit:
		if x, ok := v.binding.Get(id); ok {
			return x, nil
		}
	case *Class:
		if id == "class" {
			return v, nil
		}
		if v.Static != nil {
			if x, err := v.Static.Get(t, id); !missing(err) {
				return x, err
			}
			if x, err := v.Static.Call(t, "get"+upperFirst(id), nil); !missing(err) {
				return x, err
			}
		}
	case Object:
		x, err := v.Get(t, id)
		if !errors.Is(err, ErrNoMember) {
			return x, err
		}
	}
	return t.getter(v, id)
}

// getter reads a property by its method.
func (t *Thread) getter(v Value, id string) (Value, error) {
	if id == "class" {
		return t.classOf(v), nil
	}
	for _, name := range []string{"get" + upperFirst(id), "is" + upperFirst(id)} {
		x, ok, err := t.ownCall(v, name, nil)
		if ok && !missing(err) {
			return x, err
		}
	}
	if x, ok, err := t.categoryCall(v, "get"+upperFirst(id), nil, true); ok {
		return x, err
	}
	return nil, Throw("MissingPropertyException", "No such property: %s for class: %s%s", id, memberOwner(v), didYouMean(id, t.properties(v)))
}

// classOf is v.class.
func (t *Thread) classOf(v Value) Value {
	switch v := v.(type) {
	case *instance:
		return v.class
	case *scriptClass:
		return v
	}
	n := TypeName(v)
	if c := t.lib.class(lastName(n)); c != nil && !isArray(v) {
		return c
	}
	return &Class{Name: n}
}

func isArray(v Value) bool {
	l, ok := v.(*List)
	return ok && l.elem != ""
}

func (t *Thread) listProperty(v Value, id string) (Value, error) {
	if id == "class" {
		return t.classOf(v), nil
	}
	if l, ok := v.(*List); ok {
		if id == "length" && l.elem != "" {
			return int64(len(l.Elems)), nil
		}
		if id == "size" { // a field of ArrayList that scripts could read
			return int64(len(l.Elems)), nil
		}
		if id == "empty" {
			return len(l.Elems) == 0, nil
		}
	}
	if err := t.deeper(8); err != nil { // it may hold itself
		return nil, err
	}
	defer t.shallower(8)
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(x Value) bool { return x == nil }) // list*.a keeps them
	return t.spreadOver(&List{Elems: list}, func(x Value) (Value, error) { return t.Get(x, id) })
}

// setEach writes a property of each value of a list.
func (t *Thread) setEach(l *List, id string, x Value) error {
	if err := t.deeper(8); err != nil { // it may hold itself
		return err
	}
	defer t.shallower(8)
	for _, e := range l.Elems {
		if err := t.charge(1); err != nil {
			return err
		}
		if err := t.Set(e, id, x); err != nil {
			return err
		}
	}
	return nil
}

// Set writes a property of a value.
func (t *Thread) Set(v Value, id string, x Value) error {
	if ok, err := t.categorySet(v, id, x); ok {
		return err
	}
	switch v := v.(type) {
	case nil:
		return Throw("NullPointerException", "Cannot set property '%s' on null object", id)
	case *Map:
		return t.mapPut(v, id, x)
	case *entry:
		if id == "value" {
			return t.mapPut(v.m, v.k, x)
		}
	case *List:
		return t.setEach(v, id, x)
	case *instance, *scriptClass:
		if o, ok := v.(*instance); ok {
			if m := o.class.find("setProperty", []Value{id, x}); m != nil {
				_, err := t.invokeMethod(o, m, []Value{id, x})
				return err
			}
		}
		if ok, err := t.setField(v, id, x, false); ok || err != nil {
			return err
		}
		if ok, err := t.setMissing(v, id, x); ok {
			return err
		}
	case *unit:
		v.binding.Put(id, x)
		return t.grow(1, 64)
	case Object:
		if l, ok := x.(Long); ok {
			x = int64(l)
		}
		if err := v.Set(t, id, x); !errors.Is(err, ErrNoMember) {
			return err
		}
	}
	if _, ok, err := t.ownCall(v, "set"+upperFirst(id), []Value{x}); ok && !missing(err) {
		return err
	}
	if _, ok, _ := t.ownCall(v, "get"+upperFirst(id), nil); ok {
		return Throw("ReadOnlyPropertyException", "Cannot set readonly property: %s for class: %s", id, TypeName(v))
	}
	return Throw("MissingPropertyException", "No such property: %s for class: %s%s", id, memberOwner(v), didYouMean(id, t.properties(v)))
}

// properties are the names that a message may suggest.
func (t *Thread) properties(v Value) []string {
	var names []string
	switch v := v.(type) {
	case *instance:
		for _, k := range v.fields.Keys() {
			names = append(names, Format(k))
		}
		for id := range v.class.methods {
			if p, set, ok := accessor(id); ok && !set {
				names = append(names, p)
			}
		}
	default:
		for id := range t.lib.kinds[kindOf(v)] {
			if p, set, ok := accessor(id); ok && !set {
				names = append(names, p)
			}
		}
	}
	return names
}

// missingProperty asks propertyMissing of a class.
func (t *Thread) missingProperty(v Value, id string) (Value, bool, error) {
	o, ok := v.(*instance)
	if !ok {
		return nil, false, nil
	}
	if m := o.class.find("propertyMissing", []Value{id}); m != nil {
		x, err := t.invokeMethod(o, m, []Value{id})
		return x, true, err
	}
	if m := o.class.find("get", []Value{id}); m != nil && !m.static {
		x, err := t.invokeMethod(o, m, []Value{id})
		return x, true, err
	}
	return nil, false, nil
}

func (t *Thread) setMissing(v Value, id string, x Value) (bool, error) {
	o, ok := v.(*instance)
	if !ok {
		return false, nil
	}
	if m := o.class.find("propertyMissing", []Value{id, x}); m != nil && len(m.fn.params) == 2 {
		_, err := t.invokeMethod(o, m, []Value{id, x})
		return true, err
	}
	if m := o.class.find("set", []Value{id, x}); m != nil && !m.static && len(m.fn.params) == 2 {
		_, err := t.invokeMethod(o, m, []Value{id, x})
		return true, err
	}
	return false, nil
}
