package groovy

import (
	"maps"
	"slices"
	"strings"
)

// universal calls a method that every object has.
func (t *Thread) universal(v Value, id string, args []Value) (Value, error) {
	if m, ok := t.lib.kinds[kOther][id]; ok && m.fits(len(args)) {
		return m.call(t, v, args)
	}
	return nil, noMethod(v, id, args)
}

// objectMethods are the methods of every object.
func objectMethods() methods {
	iterate := func(id string) method {
		return method{0, -1, func(t *Thread, v Value, a []Value) (Value, error) {
			if v == nil {
				v = NewList()
			}
			return t.lib.kinds[kList][id].apply(t, v, a)
		}}
	}
	all := methods{
		"toString": {0, 0, func(t *Thread, v Value, _ []Value) (Value, error) { return text(t.toString(v)) }},
		"equals":   {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return boolean(t.strictEquals(v, a[0])) }},
		"is":       {1, 1, func(_ *Thread, v Value, a []Value) (Value, error) { return identical(v, a[0]), nil }},
		"hashCode": {0, 0, func(t *Thread, v Value, _ []Value) (Value, error) { return int64(hashCode(v)), t.charge(1) }},
		"inspect":  {0, 0, func(t *Thread, v Value, _ []Value) (Value, error) { return text(t.inspect(v)) }},
		"dump":     {0, 0, func(t *Thread, v Value, _ []Value) (Value, error) { return text(t.inspect(v)) }},
		"getClass": {0, 0, func(t *Thread, v Value, _ []Value) (Value, error) {
			if v == nil {
				return nil, ErrNoMember
			}
			return t.classOf(v), nil
		}},
		"compareTo": {1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
			n, err := t.compare(v, a[0])
			return int64(n), err
		}},
		"asBoolean": {0, 0, func(t *Thread, v Value, _ []Value) (Value, error) { return boolean(t.truth(v)) }},
		"asType":    {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.convert(v, classNameOf(a[0])) }},
		"isCase":    {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return boolean(t.isCase(v, a[0])) }},
		"with":      {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.with(v, a[0]) }},
		"identity":  {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.with(v, a[0]) }},
		"tap": {1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
			_, err := t.with(v, a[0])
			return v, err
		}},
		"use":         function0(0, -1, func(t *Thread, a []Value) (Value, error) { return t.use(a) }),
		"sleep":       {1, 2, func(t *Thread, _ Value, a []Value) (Value, error) { return nil, t.sleep(a[0]) }},
		"getAt":       {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.getAtMethod(v, a[0]) }},
		"putAt":       {2, 2, func(t *Thread, v Value, a []Value) (Value, error) { return t.putAtMethod(v, a[0], a[1]) }},
		"getProperty": {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.Get(v, Format(a[0])) }},
		"setProperty": {2, 2, func(t *Thread, v Value, a []Value) (Value, error) { return nil, t.Set(v, Format(a[0]), a[1]) }},
		"hasProperty": {1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
			_, err := t.Get(v, Format(a[0]))
			return err == nil, nil
		}},
		"invokeMethod": {2, 2, func(t *Thread, v Value, a []Value) (Value, error) {
			list, err := t.elements(a[1])
			if err != nil {
				return nil, err
			}
			return t.CallMethod(v, Format(a[0]), list)
		}},
		"respondsTo": {1, 2, func(t *Thread, v Value, a []Value) (Value, error) { return t.respondsTo(v, Format(a[0])), nil }},
	}
	for _, id := range []string{"each", "collect", "find", "findAll", "any", "every", "eachWithIndex", "inject", "findIndexOf", "grep", "iterator", "join", "findResult", "split"} {
		if id == "split" || id == "join" {
			continue
		}
		all[id] = iterate(id)
	}
	return all
}

func text(s string, err error) (Value, error) { return s, err }

func (t *Thread) inspect(v Value) (string, error) {
	f := &formatter{t: t, inspect: true}
	f.value(v, 0)
	return f.b.String(), first2(f.err, t.grow(f.b.Len(), 1))
}

func first2(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// strictEquals is Object.equals: numbers of different classes differ.
func (t *Thread) strictEquals(a, b Value) (bool, error) {
	if ra, rb := rankOf(a), rankOf(b); ra > 0 && rb > 0 && ra != rb {
		return false, nil
	}
	if x, ok := a.(*Decimal); ok {
		if y, ok := b.(*Decimal); ok && x.scale != y.scale {
			return false, nil
		}
	}
	return t.equals(a, b)
}

func classNameOf(v Value) string {
	switch c := v.(type) {
	case *Class:
		return lastName(c.Name)
	case *scriptClass:
		return c.decl.id
	}
	return Format(v)
}

// with runs a closure with v as its delegate.
func (t *Thread) with(v, c Value) (Value, error) {
	k, ok := c.(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	d := *k
	d.delegate, d.strategy = v, delegateFirst
	return t.callClosure(&d, []Value{v})
}

func (t *Thread) getAtMethod(v, i Value) (Value, error) {
	switch v.(type) {
	case *List, *Map, *Range, string, *lazyString, *matcher, *builder:
		return t.getAt(v, i)
	}
	if id, ok := i.(string); ok && v != nil {
		return t.Get(v, id)
	}
	return nil, ErrNoMember
}

func (t *Thread) putAtMethod(v, i, x Value) (Value, error) {
	switch v.(type) {
	case *List, *Map:
		return nil, t.putAt(v, i, x)
	}
	if id, ok := i.(string); ok && v != nil {
		return nil, t.Set(v, id, x)
	}
	return nil, ErrNoMember
}

func (t *Thread) respondsTo(v Value, id string) Value {
	l := NewList()
	if slices.Contains(t.methodNames(v), id) {
		l.Elems = append(l.Elems, id)
	}
	return l
}

func boolMethods() methods {
	return methods{
		"and":          on(1, 1, func(t *Thread, b bool, a []Value) (Value, error) { return b && Truth(a[0]), nil }),
		"or":           on(1, 1, func(t *Thread, b bool, a []Value) (Value, error) { return b || Truth(a[0]), nil }),
		"xor":          on(1, 1, func(t *Thread, b bool, a []Value) (Value, error) { return b != Truth(a[0]), nil }),
		"implies":      on(1, 1, func(t *Thread, b bool, a []Value) (Value, error) { return !b || Truth(a[0]), nil }),
		"booleanValue": on(0, 0, func(t *Thread, b bool, _ []Value) (Value, error) { return b, nil }),
	}
}

func entryMethods() methods {
	return methods{
		"getKey":   on(0, 0, func(_ *Thread, e *entry, _ []Value) (Value, error) { return e.k, nil }),
		"getValue": on(0, 0, func(_ *Thread, e *entry, _ []Value) (Value, error) { return e.val(), nil }),
		"setValue": on(1, 1, func(t *Thread, e *entry, a []Value) (Value, error) {
			old := e.val()
			return old, t.mapPut(e.m, e.k, a[0])
		}),
	}
}

func enumMethods() methods {
	name := on(0, 0, func(_ *Thread, e Enum, _ []Value) (Value, error) { return e.Name, nil })
	m := methods{"name": name, "getName": name}
	for id, to := range map[string]string{"toNanos": "NANOSECONDS", "toMicros": "MICROSECONDS", "toMillis": "MILLISECONDS", "toSeconds": "SECONDS", "toMinutes": "MINUTES", "toHours": "HOURS", "toDays": "DAYS"} {
		m[id] = on(1, 1, func(_ *Thread, e Enum, a []Value) (Value, error) { return e.convertTime(toInt(a[0]), to) })
	}
	m["convert"] = on(2, 2, func(_ *Thread, e Enum, a []Value) (Value, error) {
		from, ok := a[1].(Enum)
		if !ok {
			return nil, ErrNoMember
		}
		return from.convertTime(toInt(a[0]), e.Name)
	})
	m["sleep"] = on(1, 1, func(t *Thread, e Enum, a []Value) (Value, error) {
		ms, err := e.convertTime(toInt(a[0]), "MILLISECONDS")
		if err != nil {
			return nil, err
		}
		return nil, t.sleep(ms)
	})
	return m
}

// convertTime is n of the unit e as another unit.
func (e Enum) convertTime(n int64, to string) (Value, error) {
	units := map[string]int64{"NANOSECONDS": 1, "MICROSECONDS": 1e3, "MILLISECONDS": 1e6, "SECONDS": 1e9, "MINUTES": 60e9, "HOURS": 3600e9, "DAYS": 86400e9}
	a, b := units[e.Name], units[to]
	if a == 0 || b == 0 {
		return nil, ErrNoMember
	}
	if a >= b {
		return Long(n * (a / b)), nil
	}
	return Long(n / (b / a)), nil
}

func throwableMethods() methods {
	message := on(0, 0, func(_ *Thread, e *Throwable, _ []Value) (Value, error) {
		if e.Message == "" && !e.hasMessage {
			return nil, nil
		}
		return e.Message, nil
	})
	place := func(of func(Pos) int) method {
		return on(0, 0, func(_ *Thread, e *Throwable, _ []Value) (Value, error) {
			if e.at.Line == 0 {
				return nil, ErrNoMember
			}
			return int64(of(e.at)), nil
		})
	}
	return methods{
		"getMessage": message, "getLocalizedMessage": message,
		"getLineNumber":   place(func(p Pos) int { return p.Line }),
		"getColumnNumber": place(func(p Pos) int { return p.Col }),
		"getProperty":     on(0, 0, func(_ *Thread, e *Throwable, _ []Value) (Value, error) { return e.member("property: ", " ") }),
		"getMethod":       on(0, 0, func(_ *Thread, e *Throwable, _ []Value) (Value, error) { return e.member(".", "(") }),
		"getErrorOffset": on(0, 0, func(_ *Thread, e *Throwable, _ []Value) (Value, error) {
			if e.Class != "ParseException" {
				return nil, ErrNoMember
			}
			return int64(e.offset), nil
		}),
		"getCause": on(0, 0, func(_ *Thread, e *Throwable, _ []Value) (Value, error) { return e.Cause, nil }),
		"initCause": on(1, 1, func(_ *Thread, e *Throwable, a []Value) (Value, error) {
			e.Cause = a[0]
			return e, nil
		}),
		"getStackTrace":    on(0, 0, func(*Thread, *Throwable, []Value) (Value, error) { return &List{elem: "StackTraceElement"}, nil }),
		"getSuppressed":    on(0, 0, func(*Thread, *Throwable, []Value) (Value, error) { return &List{elem: "Throwable"}, nil }),
		"fillInStackTrace": on(0, 0, func(_ *Thread, e *Throwable, _ []Value) (Value, error) { return e, nil }),
		"printStackTrace": on(0, 1, func(t *Thread, e *Throwable, a []Value) (Value, error) {
			if len(a) == 1 {
				_, err := t.CallMethod(a[0], "println", []Value{e.String()})
				return nil, err
			}
			return nil, t.Print(e.String() + "\n")
		}),
	}
}

// member is the name that a Missing...Exception tells of.
func (th *Throwable) member(before, after string) (Value, error) {
	if !strings.HasPrefix(th.Class, "Missing") {
		return nil, ErrNoMember
	}
	head, _, _ := strings.Cut(th.Message, after+choose(after == "(", ")", "for"))
	return head[strings.LastIndex(head, before)+len(before):], nil
}

// classMethods are those of classes that no script defines.
func classMethods() methods {
	simple := on(0, 0, func(_ *Thread, c *Class, _ []Value) (Value, error) { return lastName(c.Name), nil })
	full := on(0, 0, func(_ *Thread, c *Class, _ []Value) (Value, error) {
		if isPrimitive(c.Name) || strings.Contains(c.Name, ".") {
			return c.Name, nil
		}
		if knownException(c.Name) {
			return qualified(c.Name), nil
		}
		return qualifiedClass(c.Name), nil
	})
	return methods{
		"getName": full, "getSimpleName": simple, "getCanonicalName": full, "getTypeName": full,
		"newInstance": on(0, -1, func(t *Thread, c *Class, a []Value) (Value, error) {
			if c.New == nil {
				return nil, ErrNoMember
			}
			return c.New(t, hostArgs(a))
		}),
		"isInstance": on(1, 1, func(t *Thread, c *Class, a []Value) (Value, error) { return t.instanceOf(a[0], c.Name), nil }),
		"cast":       on(1, 1, func(t *Thread, c *Class, a []Value) (Value, error) { return t.cast(a[0], c.Name) }),
		"isArray":    on(0, 0, func(_ *Thread, c *Class, _ []Value) (Value, error) { return strings.HasSuffix(c.Name, "[]"), nil }),
		"isInterface": on(0, 0, func(_ *Thread, c *Class, _ []Value) (Value, error) {
			return c.Static != nil && c.Static.Type() == interfaceType, nil
		}),
		"isAssignableFrom": on(1, 1, func(_ *Thread, c *Class, a []Value) (Value, error) {
			n := classNameOf(a[0])
			return lastName(c.Name) == n || c.Name == "Object" || hasWord(superTypes(n), lastName(c.Name)) || isException(n, lastName(c.Name)), nil
		}),
	}
}

// interfaceType marks a class of the library as an interface.
const interfaceType = "interface"

func instanceMethods() methods {
	return methods{
		"name": on(0, 0, func(_ *Thread, o *instance, _ []Value) (Value, error) { return o.constant("name") }),
		"ordinal": on(0, 0, func(_ *Thread, o *instance, _ []Value) (Value, error) {
			if o.ordinal < 0 {
				return nil, ErrNoMember
			}
			return int64(o.ordinal), nil
		}),
		"next":     on(0, 0, func(_ *Thread, o *instance, _ []Value) (Value, error) { return o.sibling(1) }),
		"previous": on(0, 0, func(_ *Thread, o *instance, _ []Value) (Value, error) { return o.sibling(-1) }),
		"getDeclaringClass": on(0, 0, func(_ *Thread, o *instance, _ []Value) (Value, error) {
			if o.ordinal < 0 {
				return nil, ErrNoMember
			}
			return o.class, nil
		}),
		"getProperties": on(0, 0, func(t *Thread, o *instance, _ []Value) (Value, error) {
			m := o.fields.clone()
			m.Put("class", o.class)
			return m, t.grow(m.Len(), 64)
		}),
		"clone": on(0, 0, func(t *Thread, o *instance, _ []Value) (Value, error) {
			d := *o
			d.fields = o.fields.clone()
			return &d, t.grow(d.fields.Len()+1, 64)
		}),
	}
}

func (o *instance) constant(id string) (Value, error) {
	if o.ordinal < 0 {
		return nil, ErrNoMember
	}
	v, _ := o.fields.Get(id)
	return v, nil
}

// sibling is the enum's constant n places on.
func (o *instance) sibling(n int) (Value, error) {
	c := o.class
	for c != nil && len(c.consts) == 0 {
		c = c.parent
	}
	if o.ordinal < 0 || c == nil {
		return nil, ErrNoMember
	}
	return c.consts[(o.ordinal+n+len(c.consts))%len(c.consts)], nil
}

func scriptClassMethods() methods {
	name := on(0, 0, func(_ *Thread, c *scriptClass, _ []Value) (Value, error) { return c.decl.id, nil })
	enumOnly := func(fn func(t *Thread, c *scriptClass, a []Value) (Value, error), n int) method {
		return on(n, n, func(t *Thread, c *scriptClass, a []Value) (Value, error) {
			if !c.decl.enum {
				return nil, ErrNoMember
			}
			return fn(t, c, a)
		})
	}
	return methods{
		"getName": name, "getSimpleName": name, "getCanonicalName": name,
		"getMethods":         on(0, 0, func(t *Thread, c *scriptClass, _ []Value) (Value, error) { return c.reflected(t) }),
		"getDeclaredMethods": on(0, 0, func(t *Thread, c *scriptClass, _ []Value) (Value, error) { return c.reflected(t) }),
		"newInstance": on(0, -1, func(t *Thread, c *scriptClass, a []Value) (Value, error) {
			if len(a) == 1 {
				if m, ok := a[0].(*Map); ok {
					return t.construct(c, []Value{m}, true)
				}
			}
			return t.construct(c, slices.Clone(a), false)
		}),
		"values": enumOnly(func(t *Thread, c *scriptClass, _ []Value) (Value, error) {
			return &List{Elems: c.constants(), elem: c.decl.id}, t.grow(len(c.consts), 16)
		}, 0),
		"valueOf":     enumOnly(func(t *Thread, c *scriptClass, a []Value) (Value, error) { return t.enumOf(c, Format(a[0])) }, 1),
		"isInstance":  on(1, 1, func(t *Thread, c *scriptClass, a []Value) (Value, error) { return t.isInstance(a[0], c), nil }),
		"isInterface": on(0, 0, func(_ *Thread, c *scriptClass, _ []Value) (Value, error) { return c.decl.iface, nil }),
		"isAssignableFrom": on(1, 1, func(_ *Thread, c *scriptClass, a []Value) (Value, error) {
			o, ok := a[0].(*scriptClass)
			return ok && (o.extends(c.decl.id) || o.implements(c.decl.id)), nil
		}),
	}
}

// reflected are the class's methods, as far as scripts ask for them: names.
func (c *scriptClass) reflected(t *Thread) (Value, error) {
	ids := slices.Sorted(maps.Keys(c.methods))
	l := &List{elem: "Method"}
	for _, id := range ids {
		if id != "<init>" {
			l.Elems = append(l.Elems, &Functions{Name: "java.lang.reflect.Method", Consts: map[string]Value{"name": id}})
		}
	}
	return l, t.grow(len(l.Elems), 128)
}

func scriptMethods() methods {
	return methods{
		"getBinding": on(0, 0, func(_ *Thread, u *unit, _ []Value) (Value, error) { return &binding{u}, nil }),
		"run":        on(0, 0, func(t *Thread, u *unit, _ []Value) (Value, error) { return t.runUnit(u) }),
	}
}

// binding is the binding of a script.
type binding struct{ u *unit }

// Type names the class.
func (b *binding) Type() string { return "groovy.lang.Binding" }

// Get reads a variable.
func (b *binding) Get(_ *Thread, id string) (Value, error) {
	if id == "variables" {
		return b.u.binding, nil
	}
	if v, ok := b.u.binding.Get(id); ok {
		return v, nil
	}
	return nil, ErrNoMember
}

// Set makes a variable.
func (b *binding) Set(t *Thread, id string, v Value) error {
	b.u.binding.Put(id, v)
	return t.grow(1, 64)
}

// Call are the methods of a binding.
func (b *binding) Call(t *Thread, id string, a []Value) (Value, error) {
	switch {
	case id == "hasVariable" && len(a) == 1:
		return b.u.binding.Has(Format(a[0])), nil
	case id == "getVariable" && len(a) == 1:
		return b.Get(t, Format(a[0]))
	case id == "setVariable" && len(a) == 2:
		return nil, b.Set(t, Format(a[0]), a[1])
	case id == "getVariables":
		return b.u.binding, nil
	}
	return nil, ErrNoMember
}
