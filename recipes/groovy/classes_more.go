package groovy

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"strings"
)

func randomFloat() float64 { return mrand.Float64() }

func uuidClass() *Class {
	return &Class{Name: "UUID", Static: statics("java.util.UUID", nil, methods{
		"randomUUID": function0(0, 0, func(*Thread, []Value) (Value, error) { return uuid(), nil }),
		"fromString": fn1(func(_ *Thread, v Value) (Value, error) {
			if len(strings.Split(Format(v), "-")) != 5 {
				return nil, Throw("IllegalArgumentException", "Invalid UUID string: %s", Format(v))
			}
			return strings.ToLower(Format(v)), nil
		}),
	})}
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error, see crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// viaList makes static functions of a list from its methods.
func viaList(ids ...string) methods {
	m := methods{}
	for _, id := range ids {
		m[id] = function0(1, 3, func(t *Thread, a []Value) (Value, error) { return t.CallMethod(a[0], id, a[1:]) })
	}
	return m
}

func collectionsClass() *Class {
	m := viaList("shuffle", "sort", "min", "max", "swap")
	m["sort"] = function0(1, 2, func(t *Thread, a []Value) (Value, error) {
		_, err := t.CallMethod(a[0], "sort", append([]Value{true}, a[1:]...))
		return nil, err
	})
	m["reverse"] = fn1(func(_ *Thread, v Value) (Value, error) {
		l, ok := v.(*List)
		if !ok {
			return nil, ErrNoMember
		}
		slices.Reverse(l.Elems)
		return nil, nil
	})
	m["reverseOrder"] = function0(0, 0, func(t *Thread, _ []Value) (Value, error) {
		c := nativeClosure(t.unit(), 2, func(t *Thread, a []Value) (Value, error) { return t.order("<=>", arg(a, 1), arg(a, 0)) })
		c.iface = "Comparator"
		return c, nil
	})
	m["emptyList"] = function0(0, 0, func(*Thread, []Value) (Value, error) { return &List{frozen: true}, nil })
	m["emptyMap"] = function0(0, 0, func(*Thread, []Value) (Value, error) { return &Map{frozen: true}, nil })
	m["emptySet"] = function0(0, 0, func(*Thread, []Value) (Value, error) { return newSet(linked), nil })
	m["singletonList"] = fn1(func(_ *Thread, v Value) (Value, error) { return &List{Elems: []Value{v}, frozen: true}, nil })
	m["singleton"] = fn1(func(_ *Thread, v Value) (Value, error) { return newSet(linked, v), nil })
	m["frequency"] = function0(2, 2, func(t *Thread, a []Value) (Value, error) { return count(t, a[0], a[1:]) })
	m["nCopies"] = function0(2, 2, func(t *Thread, a []Value) (Value, error) {
		n := int(min(max(toInt(a[0]), 0), maxString))
		return &List{Elems: slices.Repeat([]Value{a[1]}, n), frozen: true}, t.grow(n, 16)
	})
	m["addAll"] = function0(2, -1, func(t *Thread, a []Value) (Value, error) {
		return t.CallMethod(a[0], "addAll", []Value{NewList(a[1:]...)})
	})
	for _, id := range []string{"unmodifiableList", "unmodifiableMap", "unmodifiableSet", "unmodifiableCollection"} {
		m[id] = fn1(func(t *Thread, v Value) (Value, error) { return t.CallMethod(v, "asImmutable", nil) })
	}
	for _, id := range []string{"synchronizedList", "synchronizedMap", "synchronizedSet"} {
		m[id] = fn1(func(_ *Thread, v Value) (Value, error) { return v, nil })
	}
	return &Class{Name: "Collections", Static: statics("java.util.Collections", nil, m)}
}

func arraysClass() *Class {
	m := viaList("sort")
	m["asList"] = function0(0, -1, func(_ *Thread, a []Value) (Value, error) {
		if l, ok := arg(a, 0).(*List); ok && len(a) == 1 && l.elem != "" {
			return NewList(l.Elems...), nil
		}
		return NewList(a...), nil
	})
	m["toString"] = fn1(func(t *Thread, v Value) (Value, error) { return text(t.toString(v)) })
	m["deepToString"] = m["toString"]
	m["equals"] = function0(2, 2, func(t *Thread, a []Value) (Value, error) { return boolean(t.equals(a[0], a[1])) })
	m["hashCode"] = fn1(func(_ *Thread, v Value) (Value, error) { return int64(hashCode(v)), nil })
	m["fill"] = function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
		l, ok := a[0].(*List)
		if !ok {
			return nil, ErrNoMember
		}
		for i := range l.Elems {
			l.Elems[i] = a[1]
		}
		return nil, nil
	})
	m["copyOf"] = function0(2, 2, func(t *Thread, a []Value) (Value, error) { return t.copyOfRange(a[0], 0, toInt(a[1])) })
	m["copyOfRange"] = function0(3, 3, func(t *Thread, a []Value) (Value, error) { return t.copyOfRange(a[0], toInt(a[1]), toInt(a[2])) })
	return &Class{Name: "Arrays", Static: statics("java.util.Arrays", nil, m)}
}

func (t *Thread) copyOfRange(v Value, from, to int64) (Value, error) {
	l, ok := v.(*List)
	if !ok {
		return nil, ErrNoMember
	}
	if from < 0 || from > int64(len(l.Elems)) || to < from || to > maxString/16 {
		return nil, Throw("ArrayIndexOutOfBoundsException", "%d..%d of %d", from, to, len(l.Elems))
	}
	out := &List{elem: l.elem, Elems: make([]Value, to-from)}
	for i := range out.Elems {
		out.Elems[i] = zero(l.elem)
	}
	copy(out.Elems, l.Elems[from:])
	return out, t.grow(len(out.Elems), 16)
}

func jsonSlurper() *Class {
	return &Class{Name: "JsonSlurper", New: func(*Thread, []Value) (Value, error) {
		return &Functions{Name: "groovy.json.JsonSlurper", Func: func(t *Thread, id string, a []Value) (Value, error) {
			switch {
			case (id == "parseText" || id == "parse") && len(a) > 0:
				if a[0] == nil {
					return nil, Throw("IllegalArgumentException", "Text must not be null or empty")
				}
				_, s, err := textOf(t, a[0])
				if err != nil {
					return nil, err
				}
				return t.parseJSON(s)
			case id == "setType":
				return &Functions{Name: "groovy.json.JsonSlurper"}, nil
			}
			return nil, ErrNoMember
		}}, nil
	}}
}

func jsonOutput() *Class {
	return &Class{Name: "JsonOutput", Static: statics("groovy.json.JsonOutput", nil, methods{
		"toJson": fn1(func(t *Thread, v Value) (Value, error) { return text(t.toJSON(v)) }),
		"prettyPrint": fn1(func(t *Thread, v Value) (Value, error) {
			s, err := t.toString(v)
			if err != nil {
				return nil, err
			}
			return text(t.prettyJSON(s))
		}),
		"unescaped": fn1(func(_ *Thread, v Value) (Value, error) { return v, nil }),
	})}
}

func shellClass() *Class {
	return &Class{Name: "GroovyShell", New: func(t *Thread, a []Value) (Value, error) {
		vars := NewMap()
		if b, ok := arg(a, 0).(*binding); ok {
			vars = b.u.binding
		}
		return &Functions{Name: "groovy.lang.GroovyShell", Func: func(t *Thread, id string, a []Value) (Value, error) {
			switch {
			case (id == "evaluate" || id == "run") && len(a) > 0:
				file, src, err := textOf(t, a[0])
				if err != nil {
					return nil, err
				}
				return t.evaluate(file, src, vars)
			case id == "parse" && len(a) > 0:
				return t.parsed(a[0], vars)
			case id == "setVariable" && len(a) == 2:
				vars.Put(Format(a[0]), a[1])
				return nil, nil
			case id == "getVariable" && len(a) == 1:
				v, _ := vars.Get(Format(a[0]))
				return v, nil
			}
			return nil, ErrNoMember
		}}, nil
	}}
}

// parsed is a script that GroovyShell.parse gives.
func (t *Thread) parsed(v Value, vars *Map) (Value, error) {
	file, src, err := textOf(t, v)
	if err != nil {
		return nil, err
	}
	s, err := t.parse(file, src)
	if err != nil {
		return nil, err
	}
	u, err := t.load(s)
	if err != nil {
		return nil, err
	}
	u.binding = vars
	return u, nil
}

func evalClass() *Class {
	return &Class{Name: "Eval", Static: statics("groovy.util.Eval", nil, methods{
		"me": fn1(func(t *Thread, v Value) (Value, error) { return t.evaluate("Eval", Format(v), NewMap()) }),
		"x":  evalWith("x"), "xy": evalWith("x", "y"), "xyz": evalWith("x", "y", "z"),
	})}
}

// evalWith is Eval.x and its like: values, then the text that names them so.
func evalWith(ids ...string) method {
	n := len(ids)
	return function0(n+1, n+1, func(t *Thread, a []Value) (Value, error) {
		m := NewMap()
		for i, id := range ids {
			m.Put(id, a[i])
		}
		return t.evaluate("Eval", Format(a[n]), m)
	})
}

func bindingClass() *Class {
	return &Class{Name: "Binding", New: func(t *Thread, a []Value) (Value, error) {
		u := &unit{script: &Script{File: "binding", main: &function{}}, binding: NewMap()}
		if m, ok := arg(a, 0).(*Map); ok {
			u.binding = m
		}
		return &binding{u}, nil
	}}
}

// threadClass is java.lang.Thread: what a thread is given runs at once, when
// it is started.
func threadClass() *Class {
	start := func(t *Thread, v Value) (Value, error) {
		th := &thread{body: v}
		_, err := th.Call(t, "start", nil)
		return th, err
	}
	return &Class{Name: "Thread", New: func(_ *Thread, a []Value) (Value, error) { return &thread{body: arg(a, 0), name: "Thread-0"}, nil },
		Static: statics("java.lang.Thread", nil, methods{
			"sleep":         function0(1, 2, func(t *Thread, a []Value) (Value, error) { return nil, t.sleep(a[0]) }),
			"start":         fn1(start),
			"startDaemon":   fn1(start),
			"currentThread": function0(0, 0, func(*Thread, []Value) (Value, error) { return &thread{name: "main"}, nil }),
		})}
}

type thread struct {
	body Value
	name string
}

// Type names the class.
func (*thread) Type() string { return "java.lang.Thread" }

// Get reads a property.
func (th *thread) Get(_ *Thread, id string) (Value, error) {
	switch id {
	case "name":
		return th.name, nil
	case "alive", "interrupted", "daemon":
		return false, nil
	case "contextClassLoader":
		return &Functions{Name: "groovy.lang.GroovyClassLoader"}, nil
	}
	return nil, ErrNoMember
}

// Set takes the properties that change nothing.
func (th *thread) Set(_ *Thread, id string, v Value) error {
	if id == "name" {
		th.name = Format(v)
	}
	return nil
}

// Call runs the thread's body when it is started.
func (th *thread) Call(t *Thread, id string, _ []Value) (Value, error) {
	switch id {
	case "start", "run":
		c, ok := th.body.(*Closure)
		if !ok && th.body != nil {
			return t.CallMethod(th.body, "run", nil)
		}
		if c == nil {
			return nil, nil
		}
		_, err := t.callClosure(c, nil)
		return nil, err
	case "join", "interrupt", "setDaemon", "setPriority":
		return nil, nil
	}
	return nil, ErrNoMember
}

func closureClass() *Class {
	return &Class{Name: "Closure", Static: statics("groovy.lang.Closure", map[string]Value{
		"OWNER_FIRST": int64(ownerFirst), "DELEGATE_FIRST": int64(delegateFirst), "OWNER_ONLY": int64(ownerOnly), "DELEGATE_ONLY": int64(delegateOnly), "TO_SELF": int64(toSelf),
		"IDENTITY": nativeClosure(nil, 1, func(_ *Thread, a []Value) (Value, error) { return arg(a, 0), nil }),
	}, nil)}
}

// expandoClass is groovy.util.Expando: an object whose properties are made by
// setting them; closures are methods.
func expandoClass() *Class {
	return &Class{Name: "Expando", New: func(_ *Thread, a []Value) (Value, error) {
		m, ok := arg(a, 0).(*Map)
		if !ok {
			m = NewMap()
		}
		return &expando{m}, nil
	}}
}

type expando struct{ m *Map }

// Type names the class.
func (*expando) Type() string { return "groovy.util.Expando" }

// Get reads a property; null when it is not set.
func (e *expando) Get(_ *Thread, id string) (Value, error) {
	if id == "properties" {
		return e.m, nil
	}
	v, _ := e.m.Get(id)
	return v, nil
}

// Set makes a property.
func (e *expando) Set(t *Thread, id string, v Value) error {
	e.m.Put(id, v)
	return t.grow(1, 64)
}

// Call calls a property that is a closure.
func (e *expando) Call(t *Thread, id string, a []Value) (Value, error) {
	v, _ := e.m.Get(id)
	c, ok := v.(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	d := *c
	d.delegate, d.strategy = e, delegateFirst
	return t.callClosure(&d, a)
}

func tokenizerClass() *Class {
	return &Class{Name: "StringTokenizer", New: func(t *Thread, a []Value) (Value, error) {
		l, err := t.tokenize(Format(arg(a, 0)), a[min(1, len(a)):])
		if err != nil {
			return nil, err
		}
		it := &iterator{list: l.(*List).Elems}
		return &Functions{Name: "java.util.StringTokenizer", Func: func(t *Thread, id string, _ []Value) (Value, error) {
			switch id {
			case "hasMoreTokens", "hasMoreElements":
				return it.Call(t, "hasNext", nil)
			case "nextToken", "nextElement":
				return it.Call(t, "next", nil)
			case "countTokens":
				return int64(len(it.list) - it.i), nil
			}
			return nil, ErrNoMember
		}}, nil
	}}
}
