package groovy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CallMethod calls a method of a value.
func (t *Thread) CallMethod(v Value, id string, args []Value) (Value, error) {
	if err := t.Alloc(16); err != nil {
		return nil, err
	}
	if err := t.enter(t.pos, t.unit); err != nil {
		return nil, err
	}
	defer t.leave()
	if x, err := t.ownCall(v, id, args); !errors.Is(err, ErrNoMember) {
		return x, err
	}
	if x, err := t.universal(v, id, args); !errors.Is(err, ErrNoMember) {
		return x, err
	}
	if v == nil {
		return nil, Throw("NullPointerException", "Cannot invoke method %s() on null object", id)
	}
	if prop, set, ok := accessor(id); ok {
		switch {
		case set && len(args) == 1:
			if err := t.Set(v, prop, args[0]); !missing(err) {
				return nil, err
			}
		case !set && len(args) == 0 && hasProperty(v):
			if x, err := t.plainGet(v, prop); !missing(err) {
				return x, err
			}
		}
	}
	return nil, noMethod(v, id, args)
}

// hasProperty says which values answer getX() from the property x.
func hasProperty(v Value) bool {
	switch v.(type) {
	case Object, *Class, *instance, *scriptClass, *entry, *Map:
		return true
	}
	return false
}

// plainGet is Get without falling back to the getter, which asked for it.
func (t *Thread) plainGet(v Value, id string) (Value, error) {
	switch v := v.(type) {
	case Object:
		return v.Get(t, id)
	case *Class:
		if v.Static != nil {
			return v.Static.Get(t, id)
		}
	case *instance, *scriptClass:
		if x, ok, err := t.field(v, id); ok || err != nil {
			return x, err
		}
	case *entry:
		return t.Get(v, id)
	}
	return nil, ErrNoMember
}

// ownCall asks the value's own type; ErrNoMember when it has no such method.
func (t *Thread) ownCall(v Value, id string, args []Value) (Value, error) {
	switch v := v.(type) {
	case string:
		return t.stringMethod(v, id, args)
	case int64, float64:
		return t.numberMethod(v, id, args)
	case *List:
		if x, err := t.listMethod(v, id, args); !errors.Is(err, ErrNoMember) {
			return x, err
		}
		return t.iterMethod(v, id, args)
	case *Range:
		switch id {
		case "getFrom":
			return min(v.From, v.To), nil
		case "getTo":
			return max(v.From, v.To), nil
		case "contains":
			return t.isCase(v, arg(args, 0))
		}
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		return t.ownCall(&List{Elems: list}, id, args)
	case *Map:
		if x, err := t.mapMethod(v, id, args); !errors.Is(err, ErrNoMember) {
			return x, err
		}
		if x, err := t.iterMethod(v, id, args); !errors.Is(err, ErrNoMember) {
			return x, err
		}
		if c, ok := v.vals[id].(*Closure); ok {
			return t.Call(c, args...)
		}
	case *entry:
		switch id {
		case "getKey":
			return v.k, nil
		case "getValue":
			return v.m.vals[v.k], nil
		}
	case *Closure:
		return t.closureMethod(v, id, args)
	case *Throwable:
		return throwableMethod(v, id)
	case *regex:
		switch id {
		case "matcher":
			return &matcher{re: v, s: Format(arg(args, 0))}, nil
		case "pattern":
			return v.src, nil
		}
	case *matcher:
		if x, err := v.call(t, id, args); !missing(err) {
			return x, err
		}
		return t.iterMethod(v, id, args)
	case *builder:
		return t.builderMethod(v, id, args)
	case *instance:
		if m := v.class.method(id, len(args)); m != nil {
			return t.invokeOn(v, m, args)
		}
		if id == "getMessage" {
			x, _ := v.fields.Get("message")
			return x, nil
		}
		if f, ok := v.fields.vals[id].(*Closure); ok {
			return t.Call(f, args...)
		}
	case *scriptClass:
		if m := v.method(id, len(args)); m != nil {
			return t.invokeOn(v, m, args)
		}
		if id == "newInstance" {
			return t.construct(v, args, false)
		}
	case *Class:
		switch id {
		case "getName", "getSimpleName":
			return v.Name, nil
		case "newInstance":
			if v.New != nil {
				return v.New(t, args)
			}
		}
		if v.Static != nil {
			return v.Static.Call(t, id, args)
		}
	case Enum:
		if id == "name" || id == "getName" {
			return v.Name, nil
		}
	case Object:
		return v.Call(t, id, args)
	}
	return nil, ErrNoMember
}

func arg(args []Value, i int) Value {
	if i < len(args) {
		return args[i]
	}
	return nil
}

// universal are the methods of every object.
func (t *Thread) universal(v Value, id string, args []Value) (Value, error) {
	switch {
	case id == "toString" && len(args) == 0:
		return t.toString(v)
	case id == "equals" && len(args) == 1:
		return t.equals(v, args[0])
	case id == "is" && len(args) == 1:
		return Equal(v, args[0]), nil
	case id == "inspect" && len(args) == 0:
		f := &formatter{}
		f.value(v, 0, true)
		return f.b.String(), nil
	case id == "hashCode" && len(args) == 0:
		return int64(hash(Format(v))), nil
	case v == nil:
		return nil, ErrNoMember
	case id == "compareTo" && len(args) == 1:
		return order("<=>", v, args[0])
	case id == "getClass" && len(args) == 0:
		return t.Get(v, "class")
	case id == "asType" && len(args) == 1:
		return t.convert(v, lastName(strings.TrimPrefix(Format(args[0]), "class ")))
	case id == "asBoolean" && len(args) == 0:
		return Truth(v), nil
	case (id == "with" || id == "tap") && len(args) == 1:
		if c, ok := args[0].(*Closure); ok {
			d := *c
			d.delegate = v
			x, err := t.Call(&d, v)
			if id == "tap" {
				x = v
			}
			return x, err
		}
	case id == "getAt" && len(args) == 1:
		return t.listAt(v, args[0])
	}
	if _, ok := v.(Object); ok && !strings.HasPrefix(id, "each") {
		return nil, ErrNoMember
	}
	switch id {
	case "each", "collect", "find", "findAll", "any", "every", "eachWithIndex":
		return t.iterMethod(v, id, args)
	}
	return nil, ErrNoMember
}

func hash(s string) int32 {
	h := int32(0)
	for _, r := range s {
		h = 31*h + r
	}
	return h
}

func (t *Thread) closureMethod(c *Closure, id string, args []Value) (Value, error) {
	switch id {
	case "call", "doCall":
		return t.Call(c, args...)
	case "curry":
		d := *c
		d.curried = append(slices.Clone(c.curried), args...)
		d.lit = &closureLit{node: c.lit.node, params: c.lit.params, body: c.lit.body, implicit: c.lit.implicit}
		return &d, nil
	case "setDelegate":
		c.delegate = arg(args, 0)
		return nil, nil
	case "setResolveStrategy":
		return nil, nil
	case "getMaximumNumberOfParameters":
		return int64(c.arity()), nil
	case "clone", "rehydrate":
		d := *c
		return &d, nil
	}
	return nil, ErrNoMember
}

func throwableMethod(v *Throwable, id string) (Value, error) {
	switch id {
	case "getMessage", "getLocalizedMessage":
		if v.Message == "" {
			return nil, nil
		}
		return v.Message, nil
	case "getCause":
		return v.Cause, nil
	case "printStackTrace":
		return nil, nil
	case "getStackTrace":
		return NewList(), nil
	}
	return nil, ErrNoMember
}

// builder is a StringBuilder, StringBuffer or StringWriter.
type builder struct{ b strings.Builder }

func (t *Thread) appendTo(b *builder, v Value) error {
	s, err := t.toString(v)
	if err != nil {
		return err
	}
	if b.b.Len()+len(s) > maxString*2 {
		return fmt.Errorf("%w: a value of %d bytes", ErrLimit, b.b.Len()+len(s))
	}
	b.b.WriteString(s)
	return t.Alloc(2 * len(s))
}

func (t *Thread) builderMethod(b *builder, id string, args []Value) (Value, error) {
	switch id {
	case "append", "write", "print":
		return b, t.appendTo(b, arg(args, 0))
	case "println":
		return b, t.appendTo(b, Format(arg(args, 0))+"\n")
	case "setLength":
		if n, ok := arg(args, 0).(int64); ok && n >= 0 && n <= int64(b.b.Len()) {
			s := b.b.String()[:n]
			b.b.Reset()
			b.b.WriteString(s)
			return nil, nil
		}
	}
	return t.stringMethod(b.b.String(), id, args)
}
