package groovy

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// listMethod are the methods of lists that do not iterate with a closure.
func (t *Thread) listMethod(l *List, id string, args []Value) (Value, error) {
	if len(args) == 0 {
		return t.listPlain(l, id)
	}
	a := args[0]
	switch id {
	case "add", "leftShift", "push", "addLast":
		return t.listAdd(l, id, args)
	case "addAll":
		list, err := t.elements(a)
		if err != nil {
			return nil, err
		}
		for _, v := range slices.Clone(list) {
			if _, err := t.listAdd(l, "add", []Value{v}); err != nil {
				return nil, err
			}
		}
		return len(list) > 0, nil
	case "get", "getAt", "elementAt":
		return t.listAt(l, a)
	case "set", "putAt":
		return nil, t.putAt(l, a, arg(args, 1))
	case "contains":
		return contains(l.Elems, a), nil
	case "containsAll":
		list, err := t.pairs(l, a)
		return !slices.ContainsFunc(list, func(v Value) bool { return !contains(l.Elems, v) }), err
	case "indexOf":
		return int64(slices.IndexFunc(l.Elems, func(v Value) bool { return Equal(v, a) })), nil
	case "remove", "removeAt":
		if n, ok := a.(int64); ok {
			p, ok := position(n, len(l.Elems))
			if !ok {
				return nil, Throw("IndexOutOfBoundsException", "index out of range: %d of %d", n, len(l.Elems))
			}
			v := l.Elems[p]
			l.Elems = slices.Delete(l.Elems, p, p+1)
			return v, nil
		}
		n := len(l.Elems)
		if i := slices.IndexFunc(l.Elems, func(v Value) bool { return Equal(v, a) }); i >= 0 {
			l.Elems = slices.Delete(l.Elems, i, i+1)
		}
		return len(l.Elems) < n, nil
	case "removeAll":
		if _, ok := a.(*Closure); !ok {
			gone, err := t.pairs(l, a)
			if err != nil {
				return nil, err
			}
			n := len(l.Elems)
			l.Elems = slices.DeleteFunc(l.Elems, func(v Value) bool { return contains(gone, v) })
			return len(l.Elems) < n, nil
		}
	case "plus":
		return t.operate("+", l, a)
	case "minus":
		return t.operate("-", l, a)
	case "multiply":
		return t.operate("*", l, a)
	case "take", "drop":
		n, ok := a.(int64)
		if !ok {
			return nil, ErrNoMember
		}
		n = min(max(n, 0), int64(len(l.Elems)))
		if id == "take" {
			return NewList(slices.Clone(l.Elems[:n])...), nil
		}
		return NewList(slices.Clone(l.Elems[n:])...), nil
	case "subList":
		from, ok1 := a.(int64)
		to, ok2 := arg(args, 1).(int64)
		if !ok1 || !ok2 || from < 0 || from > to || to > int64(len(l.Elems)) {
			return nil, Throw("IndexOutOfBoundsException", "subList(%s)", Format(NewList(args...)))
		}
		return NewList(slices.Clone(l.Elems[from:to])...), nil
	case "intersect":
		list, err := t.pairs(l, a)
		if err != nil {
			return nil, err
		}
		out := NewList()
		for _, v := range l.Elems {
			if contains(list, v) {
				out.Elems = append(out.Elems, v)
			}
		}
		return out, nil
	}
	return nil, ErrNoMember
}

// pairs is elements for what compares each of them with each of l's: that
// takes as many steps.
func (t *Thread) pairs(l *List, v Value) ([]Value, error) {
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	t.steps += int64(len(list)) * int64(len(l.Elems)) / 16
	if err := t.step(t.pos); err != nil {
		return nil, err
	}
	return list, nil
}

func (t *Thread) listAdd(l *List, id string, args []Value) (Value, error) {
	if err := t.grow(1, 32); err != nil {
		return nil, err
	}
	v := args[len(args)-1]
	if len(args) == 2 {
		n, ok := args[0].(int64)
		if !ok || n < 0 || n > int64(len(l.Elems)) {
			return nil, Throw("IndexOutOfBoundsException", "index out of range: %s of %d", Format(args[0]), len(l.Elems))
		}
		l.Elems = slices.Insert(l.Elems, int(n), v)
		return nil, nil
	}
	if l.set && contains(l.Elems, v) {
		return false, nil
	}
	l.Elems = append(l.Elems, v)
	if id == "leftShift" {
		return l, nil
	}
	return true, nil
}

func (t *Thread) listPlain(l *List, id string) (Value, error) {
	n := len(l.Elems)
	switch id {
	case "size":
		return int64(n), nil
	case "isEmpty":
		return n == 0, nil
	case "clear":
		l.Elems = nil
		return nil, nil
	case "first", "head", "last", "getFirst", "getLast":
		if n == 0 {
			return nil, Throw("NoSuchElementException", "the list is empty")
		}
		if id == "last" || id == "getLast" {
			return l.Elems[n-1], nil
		}
		return l.Elems[0], nil
	case "pop", "removeLast":
		if n == 0 {
			return nil, Throw("NoSuchElementException", "the list is empty")
		}
		v := l.Elems[n-1]
		l.Elems = l.Elems[:n-1]
		return v, nil
	case "iterator":
		return l, nil
	case "execute":
		var argv []string
		for _, v := range l.Elems {
			argv = append(argv, Format(v))
		}
		return t.execute(argv)
	case "tail", "reverse", "flatten", "toSet", "toList", "asList", "clone", "asImmutable", "toArray", "shuffled", "shuffle":
		if err := t.grow(n, 16); err != nil {
			return nil, err
		}
	}
	out := NewList(slices.Clone(l.Elems)...)
	switch id {
	case "tail":
		out.Elems = out.Elems[min(1, n):]
	case "reverse":
		slices.Reverse(out.Elems)
	case "flatten":
		out.Elems = nil
		return out, t.flatten(out, l, 0)
	case "toSet":
		return t.convert(l, "Set")
	case "shuffle", "shuffled":
		rand.Shuffle(n, func(i, j int) { out.Elems[i], out.Elems[j] = out.Elems[j], out.Elems[i] })
		if id == "shuffle" {
			l.Elems = out.Elems
		}
	case "toList", "asList", "clone", "asImmutable", "toArray":
	default:
		return nil, ErrNoMember
	}
	return out, nil
}

func (t *Thread) flatten(out, l *List, depth int) error {
	if depth > 64 {
		return Throw("IllegalArgumentException", "the list is nested too deep")
	}
	for _, v := range l.Elems {
		if err := t.Alloc(16); err != nil {
			return err
		}
		if inner, ok := v.(*List); ok {
			if err := t.flatten(out, inner, depth+1); err != nil {
				return err
			}
			continue
		}
		out.Elems = append(out.Elems, v)
	}
	return nil
}

// mapMethod are the methods of maps that do not iterate.
func (t *Thread) mapMethod(m *Map, id string, args []Value) (Value, error) {
	switch len(args) {
	case 0:
		switch id {
		case "size":
			return int64(m.Len()), nil
		case "isEmpty":
			return m.Len() == 0, nil
		case "keySet":
			return &List{Elems: m.Keys(), set: true}, t.grow(m.Len(), 16)
		case "values":
			l := NewList()
			for _, k := range m.keys {
				l.Elems = append(l.Elems, m.vals[k])
			}
			return l, t.grow(m.Len(), 16)
		case "entrySet", "iterator":
			list, err := t.elements(m)
			return &List{Elems: list}, err
		case "clear":
			m.keys, m.vals = nil, map[Value]Value{}
			return nil, nil
		case "clone":
			return m.clone(), t.grow(m.Len(), 48)
		case "toProperties", "asImmutable":
			return m, nil
		}
	case 1:
		switch id {
		case "get", "getAt", "getProperty":
			return t.mapGet(m, args[0]), nil
		case "containsKey":
			_, ok := m.Get(args[0])
			return ok, nil
		case "containsValue":
			return slices.ContainsFunc(m.keys, func(k Value) bool { return Equal(m.vals[k], args[0]) }), nil
		case "remove":
			if err := t.Alloc(m.Len()); err != nil {
				return nil, err
			}
			return m.Delete(args[0]), nil
		case "putAll", "merge":
			if o, ok := args[0].(*Map); ok {
				return t.mapOp("<<", m, o)
			}
			return nil, Throw("IllegalArgumentException", "%s(%s)", id, Format(args[0]))
		case "plus":
			return t.operate("+", m, args[0])
		case "leftShift":
			return t.operate("<<", m, args[0])
		}
	case 2:
		switch id {
		case "put", "putAt", "setProperty":
			old, _ := m.Get(args[0])
			m.Put(args[0], args[1])
			return old, t.grow(1, 64)
		case "get", "getOrDefault":
			if v, ok := m.Get(args[0]); ok {
				return v, nil
			}
			if id == "get" {
				m.Put(args[0], args[1])
			}
			return args[1], nil
		}
	}
	return nil, ErrNoMember
}

// join is list.join(separator).
func (t *Thread) join(list []Value, sep string) (Value, error) {
	var b strings.Builder
	for i, v := range list {
		s, err := t.toString(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			s = sep + s
		}
		if err := t.grow(b.Len()+len(s), 1); err != nil && b.Len() > maxString {
			return nil, err
		}
		if err := t.Alloc(len(s)); err != nil {
			return nil, err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
