package groovy

import (
	"math/rand/v2"
	"slices"
)

// listOf makes a method of lists, ranges included, that gets the elements.
func listOf(least, most int, fn func(t *Thread, v Value, l []Value, a []Value) (Value, error)) method {
	return method{least, most, func(t *Thread, v Value, a []Value) (Value, error) {
		l, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		return fn(t, v, l, a)
	}}
}

func empty(what string) error {
	return Throw("NoSuchElementException", "Cannot access %s() element from an empty List", what)
}

// listMethods are what lists and ranges can do without changing.
func listMethods() methods {
	end := func(id string, last bool) method {
		return listOf(0, 0, func(_ *Thread, _ Value, l, _ []Value) (Value, error) {
			if len(l) == 0 {
				return nil, empty(id)
			}
			if last {
				return l[len(l)-1], nil
			}
			return l[0], nil
		})
	}
	m := methods{
		"size":    listOf(0, 0, func(_ *Thread, _ Value, l, _ []Value) (Value, error) { return int64(len(l)), nil }),
		"isEmpty": listOf(0, 0, func(_ *Thread, _ Value, l, _ []Value) (Value, error) { return len(l) == 0, nil }),
		"first":   end("first", false), "head": end("head", false), "last": end("last", true), "getFirst": end("getFirst", false), "getLast": end("getLast", true),
		"contains": listOf(1, 1, func(t *Thread, _ Value, l, a []Value) (Value, error) { return t.contains(l, a[0]) }),
		"containsAll": listOf(1, 1, func(t *Thread, _ Value, l, a []Value) (Value, error) {
			list, err := t.elements(a[0])
			if err != nil {
				return nil, err
			}
			for _, x := range list {
				if ok, err := t.contains(l, x); !ok || err != nil {
					return false, err
				}
			}
			return true, nil
		}),
		"indexOf": listOf(1, 1, func(t *Thread, _ Value, l, a []Value) (Value, error) {
			return int64(slices.IndexFunc(l, func(x Value) bool { return javaEqual(a[0], x) })), t.charge(len(l) / 8)
		}),
		"lastIndexOf": listOf(1, 1, func(t *Thread, _ Value, l, a []Value) (Value, error) {
			for i := len(l) - 1; i >= 0; i-- {
				if javaEqual(a[0], l[i]) {
					return int64(i), nil
				}
			}
			return int64(-1), t.charge(len(l) / 8)
		}),
		"get": listOf(1, 1, func(t *Thread, v Value, l, a []Value) (Value, error) {
			n := toInt(a[0])
			if n < 0 || n >= int64(len(l)) {
				return nil, Throw("IndexOutOfBoundsException", "Index %d out of bounds for length %d", n, len(l))
			}
			return l[n], nil
		}),
		"getAt": {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.getAt(v, a[0]) }},
		"subList": listOf(2, 2, func(t *Thread, v Value, l, a []Value) (Value, error) {
			from, to := toInt(a[0]), toInt(a[1])
			if from < 0 || to > int64(len(l)) || from > to {
				return nil, Throw("IndexOutOfBoundsException", "toIndex = %d", to)
			}
			if of, ok := v.(*List); ok {
				return of.subList(int(from), int(to)), t.grow(int(to-from), 16)
			}
			return NewList(l[from:to]...), t.grow(int(to-from), 16)
		}),
		"transpose":    listOf(0, 0, func(t *Thread, _ Value, l, _ []Value) (Value, error) { return t.transpose(l) }),
		"combinations": listOf(0, 1, func(t *Thread, _ Value, l, a []Value) (Value, error) { return t.combinations(l, a) }),
		"permutations": listOf(0, 0, func(t *Thread, _ Value, l, _ []Value) (Value, error) { return t.permutations(l) }),
		"collate":      listOf(1, 3, func(t *Thread, _ Value, l, a []Value) (Value, error) { return t.collate(l, a) }),
		"execute": listOf(0, 2, func(t *Thread, _ Value, l, a []Value) (Value, error) {
			var argv []string
			for _, x := range l {
				s, err := t.toString(x)
				if err != nil {
					return nil, err
				}
				argv = append(argv, s)
			}
			return t.execute(argv, a)
		}),
		"listIterator": {0, 1, func(t *Thread, v Value, _ []Value) (Value, error) { return t.CallMethod(v, "iterator", nil) }},
	}
	addParts(m)
	addSums(m)
	return m
}

func (t *Thread) contains(l []Value, x Value) (bool, error) {
	return slices.ContainsFunc(l, func(v Value) bool { return javaEqual(x, v) }), t.charge(len(l) / 8)
}

// addParts adds what copies a part, or all in another order.
func addParts(m methods) {
	cut := func(fn func(n, size int) (from, to int)) method {
		return listOf(1, 1, func(t *Thread, v Value, l, a []Value) (Value, error) {
			if rankOf(a[0]) == 0 {
				return nil, ErrNoMember
			}
			n := int(min(max(toInt(a[0]), 0), int64(len(l))))
			from, to := fn(n, len(l))
			return like(v, slices.Clone(l[from:to])), t.grow(to-from, 16)
		})
	}
	m["take"] = cut(func(n, _ int) (int, int) { return 0, n })
	m["drop"] = cut(func(n, size int) (int, int) { return n, size })
	m["takeRight"] = cut(func(n, size int) (int, int) { return size - n, size })
	m["dropRight"] = cut(func(n, size int) (int, int) { return 0, size - n })
	copied := func(fn func([]Value) Value) method {
		return listOf(0, 0, func(t *Thread, _ Value, l, _ []Value) (Value, error) {
			return fn(slices.Clone(l)), t.grow(len(l), 16)
		})
	}
	list := func(l []Value) Value { return &List{Elems: l} }
	m["tail"] = listOf(0, 0, func(t *Thread, _ Value, l, _ []Value) (Value, error) {
		if len(l) == 0 {
			return nil, Throw("NoSuchElementException", "Cannot access tail() for an empty List")
		}
		return NewList(l[1:]...), t.grow(len(l), 16)
	})
	m["init"] = listOf(0, 0, func(t *Thread, _ Value, l, _ []Value) (Value, error) {
		if len(l) == 0 {
			return nil, Throw("NoSuchElementException", "Cannot access init() for an empty List")
		}
		return NewList(l[:len(l)-1]...), t.grow(len(l), 16)
	})
	for _, id := range []string{"toList", "asList", "clone"} {
		m[id] = copied(list)
	}
	m["reverse"] = listOf(0, 1, func(t *Thread, v Value, l, a []Value) (Value, error) {
		r := slices.Clone(l)
		slices.Reverse(r)
		if x, ok := v.(*List); ok && Truth(arg(a, 0)) {
			x.Elems = r
			return x, nil
		}
		return &List{Elems: r}, t.grow(len(r), 16)
	})
	m["toArray"] = listOf(0, 1, func(t *Thread, _ Value, l, a []Value) (Value, error) {
		out := &List{Elems: slices.Clone(l), elem: "Object"}
		if x, ok := arg(a, 0).(*List); ok && x.elem != "" {
			out.elem = x.elem
		}
		return out, t.grow(len(l), 16)
	})
	m["asImmutable"] = copied(func(l []Value) Value { return &List{Elems: l, frozen: true} })
	m["asUnmodifiable"] = m["asImmutable"]
	m["asSynchronized"] = method{0, 0, func(_ *Thread, v Value, _ []Value) (Value, error) { return v, nil }}
	m["toSet"] = copied(func(l []Value) Value { return sizedSet(l) })
	m["shuffled"] = copied(func(l []Value) Value {
		rand.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
		return &List{Elems: l}
	})
	m["subsequences"] = listOf(0, 0, func(t *Thread, _ Value, l, _ []Value) (Value, error) { return t.subsequences(l) })
}

// addSums adds union, difference, repetition and intersection.
func addSums(m methods) {
	m["plus"] = listOf(1, 2, func(t *Thread, v Value, l, a []Value) (Value, error) {
		out := slices.Clone(l)
		if len(a) == 2 { // plus(index, list)
			more, err := t.elements(a[1])
			at, ok := Int(a[0])
			if err != nil || !ok {
				return nil, first2(err, ErrNoMember)
			}
			if at < 0 || at > int64(len(l)) {
				return nil, Throw("IndexOutOfBoundsException", "Index: %d, Size: %d", at, len(l))
			}
			out = slices.Insert(out, int(at), more...)
			return &List{Elems: out}, t.grow(len(out), 16)
		}
		switch x := a[0].(type) {
		case *List, *Range, *Set:
			more, err := t.elements(x)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		default:
			out = append(out, a[0])
		}
		return &List{Elems: out}, t.grow(len(out), 16)
	})
	m["multiply"] = listOf(1, 1, func(t *Thread, _ Value, l, a []Value) (Value, error) {
		if rankOf(a[0]) == 0 {
			return nil, ErrNoMember
		}
		n := toInt(a[0])
		out := &List{}
		if len(l) == 0 || n <= 0 {
			return out, nil
		}
		if err := t.grow(len(l)*int(min(n, maxString)), 16); err != nil {
			return nil, err
		}
		for range n {
			out.Elems = append(out.Elems, l...)
		}
		return out, nil
	})
	m["minus"] = listOf(1, 1, func(t *Thread, v Value, l, a []Value) (Value, error) {
		gone := []Value{a[0]}
		switch x := a[0].(type) {
		case *List, *Range, *Set:
			var err error
			if gone, err = t.elements(x); err != nil {
				return nil, err
			}
		}
		return t.without(v, l, gone, false)
	})
	m["intersect"] = listOf(1, 1, func(t *Thread, v Value, l, a []Value) (Value, error) {
		other, err := t.elements(a[0])
		if err != nil {
			return nil, err
		}
		return t.without(v, l, other, true)
	})
	m["disjoint"] = listOf(1, 1, func(t *Thread, v Value, l, a []Value) (Value, error) {
		other, err := t.elements(a[0])
		if err != nil {
			return nil, err
		}
		both, err := t.without(v, l, other, true)
		return !Truth(both), err
	})
}

// without are the elements that others has (keep) or has not; numbers of one
// value are the same here.
func (t *Thread) without(v Value, l, others []Value, keep bool) (Value, error) {
	index := Map{}
	exact := true
	for _, o := range others {
		_, object := o.(*instance)
		exact = exact && !object && rankOf(o) <= rankInt
		index.Put(o, true)
	}
	if err := t.grow(len(l)+len(others), 48); err != nil {
		return nil, err
	}
	out := []Value{}
	for _, x := range l {
		has := index.Has(x)
		if !has && (!exact || rankOf(x) >= rankLong) {
			if err := t.charge(1 + len(others)/8); err != nil {
				return nil, err
			}
			has = slices.ContainsFunc(others, func(v Value) bool { return Equal(x, v) })
		}
		if has == keep {
			out = append(out, x)
		}
	}
	return like(v, out), nil
}

func (t *Thread) transpose(l []Value) (Value, error) {
	out := NewList()
	least := -1
	var rows [][]Value
	for _, x := range l {
		row, err := t.elements(x)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		if least < 0 || len(row) < least {
			least = len(row)
		}
	}
	for i := range max(least, 0) {
		col := NewList()
		for _, row := range rows {
			col.Elems = append(col.Elems, row[i])
		}
		out.Elems = append(out.Elems, col)
		if err := t.grow(len(rows), 16); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *Thread) combinations(l, a []Value) (Value, error) {
	out := []Value{NewList()}
	if len(l) == 0 {
		return NewList(), nil
	}
	for n, x := range l {
		choices := []Value{x}
		switch x.(type) {
		case *List, *Set, *Range:
			var err error
			if choices, err = t.elements(x); err != nil {
				return nil, err
			}
		}
		var next []Value
		for _, c := range choices {
			for _, o := range out {
				next = append(next, NewList(append(slices.Clone(o.(*List).Elems), c)...))
				if err := t.grow(n+2, 32); err != nil {
					return nil, err
				}
			}
		}
		out = next
	}
	if len(a) == 1 {
		return t.lib.kinds[kList]["collect"].call(t, &List{Elems: out}, []Value{nativeClosure(t.unit(), 1, func(t *Thread, x []Value) (Value, error) {
			c, ok := a[0].(*Closure)
			if !ok {
				return nil, ErrNoMember
			}
			return t.callClosure(c, x)
		})})
	}
	return &List{Elems: out}, nil
}

func (t *Thread) subsequences(l []Value) (Value, error) {
	out := newSet(linked)
	var all []*List
	for _, x := range l {
		next := []*List{}
		for _, s := range all {
			next = append(next, NewList(append(slices.Clone(s.Elems), x)...))
			if err := t.grow(len(s.Elems)+2, 32); err != nil {
				return nil, err
			}
		}
		all = append(append(all, next...), NewList(x))
	}
	for _, s := range all {
		out.m.Put(s, true)
	}
	return out, nil
}

func (t *Thread) permutations(l []Value) (Value, error) {
	out := newSet(linked)
	var walk func(done, rest []Value) error
	walk = func(done, rest []Value) error {
		if len(rest) == 0 {
			out.m.Put(NewList(done...), true)
			return t.grow(len(done)+2, 48)
		}
		if len(done) > 12 {
			return Throw("IllegalArgumentException", "permutations of more than 12 elements")
		}
		for i, x := range rest {
			others := append(slices.Clone(rest[:i]), rest[i+1:]...)
			if err := walk(append(slices.Clone(done), x), others); err != nil {
				return err
			}
			if err := t.charge(1); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk(nil, l)
}

func (t *Thread) collate(l, a []Value) (Value, error) {
	size := int(min(max(toInt(a[0]), 0), int64(len(l))+1))
	step, rest := size, true
	for _, x := range a[1:] {
		if b, ok := x.(bool); ok {
			rest = b
			continue
		}
		step = int(min(max(toInt(x), 0), int64(len(l))+1))
	}
	if size == 0 || step == 0 {
		return NewList(NewList(l...)), nil
	}
	out := NewList()
	for i := 0; i < len(l); i += step {
		if i+size > len(l) && !rest {
			break
		}
		out.Elems = append(out.Elems, NewList(l[i:min(i+size, len(l))]...))
		if err := t.grow(size, 16); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func rangeMethods() methods {
	return methods{
		"getFrom":   on(0, 0, func(_ *Thread, r *Range, _ []Value) (Value, error) { return min(r.From, r.To), nil }),
		"getTo":     on(0, 0, func(_ *Thread, r *Range, _ []Value) (Value, error) { return max(r.From, r.To), nil }),
		"size":      on(0, 0, func(_ *Thread, r *Range, _ []Value) (Value, error) { return r.len(), nil }),
		"isReverse": on(0, 0, func(_ *Thread, r *Range, _ []Value) (Value, error) { return r.From > r.To, nil }),
		"contains":  on(1, 1, func(t *Thread, r *Range, a []Value) (Value, error) { return boolean(t.isCase(r, a[0])) }),
		"containsWithinBounds": on(1, 1, func(t *Thread, r *Range, a []Value) (Value, error) {
			n, ok := Number(a[0])
			return ok && n >= float64(min(r.From, r.To)) && n <= float64(max(r.From, r.To)), nil
		}),
		"step": on(1, 2, func(t *Thread, r *Range, a []Value) (Value, error) {
			n := toInt(a[0])
			if n == 0 {
				return nil, Throw("GroovyRuntimeException", "Infinite loop detected due to step size of 0")
			}
			out := NewList()
			size := r.len()
			if n < 0 {
				r, n = &Range{From: r.To, To: r.From}, -n
			}
			for i := int64(0); i < size; i += n {
				out.Elems = append(out.Elems, r.nth(i))
				if err := t.Alloc(24); err != nil {
					return nil, err
				}
			}
			if len(a) == 2 {
				return t.eachOf(out.Elems, a[1])
			}
			return out, nil
		}),
		"each": on(1, 1, func(t *Thread, r *Range, a []Value) (Value, error) {
			c, ok := a[0].(*Closure)
			if !ok {
				return nil, ErrNoMember
			}
			args := make([]Value, 1)
			for i := range r.len() {
				if err := t.charge(1); err != nil {
					return nil, err
				}
				args[0] = r.nth(i)
				if _, err := t.callClosure(c, args); err != nil {
					return nil, err
				}
			}
			return r, nil
		}),
		"toString": on(0, 0, func(_ *Thread, r *Range, _ []Value) (Value, error) {
			if r.open {
				return itoa(r.From) + "..<" + itoa(r.end), nil
			}
			return itoa(r.From) + ".." + itoa(r.To), nil
		}),
		"asType": method{1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.convert(v, classNameOf(a[0])) }},
	}
}
