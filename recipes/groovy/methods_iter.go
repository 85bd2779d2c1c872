package groovy

import "slices"

// over makes a method that walks the elements of a collection and calls a
// closure, its last argument.
func over(least, most int, fn func(t *Thread, w *walk, a []Value) (Value, error)) method {
	return method{least, most, func(t *Thread, v Value, a []Value) (Value, error) {
		if len(a) == 0 {
			return nil, ErrNoMember
		}
		c, ok := a[len(a)-1].(*Closure)
		if !ok {
			return nil, ErrNoMember
		}
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		if l, ok := v.(*List); ok && len(l.Elems) > 0 {
			if err := t.grow(len(list), 16); err != nil {
				return nil, err
			}
			list = slices.Clone(list)
		}
		return fn(t, &walk{v: v, list: list, c: c, args: make([]Value, 2)}, a)
	}}
}

// walk is one pass over a collection.
type walk struct {
	v    Value
	list []Value
	c    *Closure
	args []Value
}

// call calls the closure with an element; a map entry gives key and value to
// a closure of two parameters.
func (w *walk) call(t *Thread, x Value) (Value, error) {
	if err := t.charge(1); err != nil {
		return nil, err
	}
	if e, ok := x.(*entry); ok && w.c.arity() == 2 {
		w.args[0], w.args[1] = e.k, e.val()
		return t.callClosure(w.c, w.args)
	}
	w.args[0] = x
	return t.callClosure(w.c, w.args[:1])
}

func (w *walk) test(t *Thread, x Value) (bool, error) {
	v, err := w.call(t, x)
	if err != nil {
		return false, err
	}
	return t.truth(v)
}

// each calls fn with every element and what the closure gives for it, until
// fn says stop.
func (w *walk) each(t *Thread, fn func(i int, x, y Value) (stop bool, err error)) error {
	for i, x := range w.list {
		y, err := w.call(t, x)
		if err != nil {
			return err
		}
		if stop, err := fn(i, x, y); stop || err != nil {
			return err
		}
	}
	return nil
}

// eachOf calls a closure with each element of a list.
func (t *Thread) eachOf(list []Value, fn Value) (Value, error) {
	c, ok := fn.(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	w := &walk{list: list, c: c, args: make([]Value, 2)}
	return nil, w.each(t, func(int, Value, Value) (bool, error) { return false, nil })
}

// like makes a collection of the kind of v.
func like(v Value, elems []Value) Value {
	switch x := v.(type) {
	case *Set:
		return newSet(x.m.kind, elems...)
	case *Map:
		m := &Map{kind: x.kind}
		for _, e := range elems {
			putEntry(m, e)
		}
		return m
	}
	return &List{Elems: elems}
}

func putEntry(m *Map, y Value) {
	switch y := y.(type) {
	case *List:
		if len(y.Elems) >= 2 {
			m.Put(y.Elems[0], y.Elems[1])
		}
	case *Map:
		m.putAll(y)
	case *entry:
		m.Put(y.k, y.val())
	}
}

// iterMethods are what every collection can do.
func iterMethods() methods {
	m := methods{
		"each": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			return w.v, w.each(t, func(int, Value, Value) (bool, error) { return false, nil })
		}),
		"reverseEach": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			slices.Reverse(w.list)
			return w.v, w.each(t, func(int, Value, Value) (bool, error) { return false, nil })
		}),
		"eachWithIndex": over(1, 1, eachWithIndex),
		"findResult": over(1, 2, func(t *Thread, w *walk, a []Value) (Value, error) {
			var found Value
			if len(a) == 2 {
				found = a[0]
			}
			err := w.each(t, func(_ int, _, y Value) (bool, error) {
				if y != nil {
					found = y
				}
				return y != nil, nil
			})
			return found, err
		}),
		"groupBy": {0, -1, groupBy},
		"countBy": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			out := NewMap()
			return out, w.each(t, func(_ int, _, y Value) (bool, error) {
				n, _ := out.Get(y)
				k, _ := n.(int64)
				out.Put(y, k+1)
				return false, t.Alloc(32)
			})
		}),
		"collectMany": over(1, 2, func(t *Thread, w *walk, _ []Value) (Value, error) {
			out := NewList()
			return out, w.each(t, func(_ int, _, y Value) (bool, error) {
				more, err := t.elements(y)
				if err != nil {
					return true, err
				}
				out.Elems = append(out.Elems, more...)
				return false, t.grow(len(more), 16)
			})
		}),
		"inject":        {1, 2, inject},
		"collectNested": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) { return collectNested(t, w, w.list, 0) }),
		"flatten": {0, 0, func(t *Thread, v Value, _ []Value) (Value, error) {
			if m, ok := v.(*Map); ok && m.kind != config {
				return nil, ErrNoMember
			}
			list, err := t.elements(v)
			if err != nil {
				return nil, err
			}
			out := &List{}
			return out, t.flatten(out, list, 0)
		}},
	}
	for id, fn := range map[string]method{"findIndexValues": over(1, 1, indexValues), "findLastIndexOf": over(1, 1, lastIndex), "findResults": over(1, 1, findResults)} {
		m[id] = fn
	}
	m["findIndexOf"] = over(1, 2, findIndex)
	addTests(m)
	addAggregates(m)
	return m
}

func collectNested(t *Thread, w *walk, list []Value, depth int) (Value, error) {
	if depth > 64 {
		return nil, tooMany("nested lists")
	}
	out := NewList()
	for _, x := range list {
		var y Value
		var err error
		if l, ok := x.(*List); ok {
			y, err = collectNested(t, w, l.Elems, depth+1)
		} else {
			y, err = w.call(t, x)
		}
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, y)
	}
	return out, t.grow(len(out.Elems), 16)
}

func findIndex(t *Thread, w *walk, a []Value) (Value, error) {
	from := 0
	if len(a) == 2 {
		from = int(toInt(a[0]))
	}
	for i, x := range w.list {
		if i < from {
			continue
		}
		ok, err := w.test(t, x)
		if err != nil {
			return nil, err
		}
		if ok {
			return int64(i), nil
		}
	}
	return int64(-1), nil
}

func indexValues(t *Thread, w *walk, _ []Value) (Value, error) {
	out := NewList()
	return out, w.each(t, func(i int, _, y Value) (bool, error) {
		ok, err := t.truth(y)
		if ok {
			out.Elems = append(out.Elems, Long(i))
		}
		return false, err
	})
}

func lastIndex(t *Thread, w *walk, _ []Value) (Value, error) {
	at := int64(-1)
	err := w.each(t, func(i int, _, y Value) (bool, error) {
		ok, err := t.truth(y)
		if ok {
			at = int64(i)
		}
		return false, err
	})
	return at, err
}

func findResults(t *Thread, w *walk, _ []Value) (Value, error) {
	out := NewList()
	return out, w.each(t, func(_ int, _, y Value) (bool, error) {
		if y != nil {
			out.Elems = append(out.Elems, y)
		}
		return false, t.Alloc(16)
	})
}

func eachWithIndex(t *Thread, w *walk, _ []Value) (Value, error) {
	for i, x := range w.list {
		if err := t.charge(1); err != nil {
			return nil, err
		}
		args := []Value{x, int64(i)}
		if e, ok := x.(*entry); ok && w.c.arity() == 3 {
			args = []Value{e.k, e.val(), int64(i)}
		}
		if _, err := t.callClosure(w.c, args); err != nil {
			return nil, err
		}
	}
	return w.v, nil
}

// groupBy groups by one closure, or by several into maps of maps.
func groupBy(t *Thread, v Value, a []Value) (Value, error) {
	if len(a) == 1 {
		if l, ok := a[0].(*List); ok {
			a = l.Elems
		}
	}
	if len(a) == 0 {
		return nil, ErrNoMember
	}
	return over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
		out := NewMap()
		err := w.each(t, func(_ int, x, y Value) (bool, error) {
			g, _ := out.Get(y)
			if e, ok := x.(*entry); ok {
				m, ok := g.(*Map)
				if !ok {
					m = NewMap()
					out.Put(y, m)
				}
				m.Put(e.k, e.val())
				return false, t.Alloc(64)
			}
			l, ok := g.(*List)
			if !ok {
				l = NewList()
				out.Put(y, l)
			}
			l.Elems = append(l.Elems, x)
			return false, t.Alloc(48)
		})
		if err != nil || len(a) == 1 {
			return out, err
		}
		for _, s := range slices.Clone(out.entries()) {
			g, err := groupBy(t, s.v, a[1:])
			if err != nil {
				return nil, err
			}
			out.Put(s.k, g)
		}
		return out, nil
	}).call(t, v, a[:1])
}

func inject(t *Thread, v Value, a []Value) (Value, error) {
	c, ok := a[len(a)-1].(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	var acc Value
	switch {
	case len(a) == 2:
		acc = a[0]
	case len(list) == 0:
		return nil, Throw("NoSuchElementException", "Cannot call inject() on an empty iterable without passing an initial value.")
	default:
		acc, list = list[0], list[1:]
	}
	for _, x := range list {
		if err := t.charge(1); err != nil {
			return nil, err
		}
		args := []Value{acc, x}
		if e, ok := x.(*entry); ok && c.arity() == 3 {
			args = []Value{acc, e.k, e.val()}
		}
		if acc, err = t.callClosure(c, args); err != nil {
			return nil, err
		}
	}
	return acc, nil
}

func collect(t *Thread, v Value, a []Value) (Value, error) {
	if len(a) == 0 {
		list, err := t.elements(v)
		return NewList(list...), err
	}
	return over(1, 2, func(t *Thread, w *walk, a []Value) (Value, error) {
		out := &List{}
		var into Value = out
		if len(a) == 2 {
			into = a[0]
		} else {
			out.Elems = make([]Value, 0, len(w.list))
		}
		err := w.each(t, func(_ int, _, y Value) (bool, error) {
			switch o := into.(type) {
			case *List:
				o.Elems = append(o.Elems, y)
			case *Set:
				o.m.Put(y, true)
			}
			return false, t.Alloc(16)
		})
		return into, err
	}).call(t, v, a)
}

func (t *Thread) flatten(out *List, list []Value, depth int) error {
	if depth > 64 {
		return Throw("IllegalArgumentException", "the list is nested too deep")
	}
	for _, v := range list {
		if err := t.Alloc(16); err != nil {
			return err
		}
		switch x := v.(type) {
		case *List, *Set, *Range:
			inner, err := t.elements(x)
			if err == nil {
				err = t.flatten(out, inner, depth+1)
			}
			if err != nil {
				return err
			}
			continue
		}
		out.Elems = append(out.Elems, v)
	}
	return nil
}
