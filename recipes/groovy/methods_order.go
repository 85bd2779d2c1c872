package groovy

import "slices"

// addAggregates adds sums, extremes and orders.
func addAggregates(m methods) {
	m["sum"] = method{0, 2, sum}
	m["count"] = method{0, 1, count}
	m["min"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) { return best(t, v, a, -1) }}
	m["max"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) { return best(t, v, a, 1) }}
	m["join"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		sep := ""
		if len(a) == 1 && a[0] != nil {
			sep = Format(a[0])
		}
		return t.join(list, sep)
	}}
	m["collectEntries"] = method{0, 2, collectEntries}
	m["unique"] = method{0, 2, unique}
	m["toUnique"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		return unique(t, &List{Elems: slices.Clone(list)}, a)
	}}
	m["sort"] = method{0, 2, sortMethod}
	m["toSorted"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		if _, ok := v.(*Map); ok && len(a) == 0 {
			a = []Value{nativeClosure(t.unit(), 1, func(t *Thread, a []Value) (Value, error) { return t.Get(a[0], "value") })}
		}
		return sortMethod(t, v, append([]Value{false}, a...))
	}}
	m["asType"] = method{1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.convert(v, classNameOf(a[0])) }}
	m["withIndex"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) { return indexed(t, v, a, false) }}
	m["indexed"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) { return indexed(t, v, a, true) }}
	m["iterator"] = method{0, 0, func(t *Thread, v Value, _ []Value) (Value, error) {
		list, err := t.elements(v)
		return &iterator{list: slices.Clone(list), of: v}, err
	}}
	m["stream"] = method{0, 0, func(t *Thread, v Value, _ []Value) (Value, error) { return v, nil }}
}

func indexed(t *Thread, v Value, a []Value, asMap bool) (Value, error) {
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	if len(a) == 1 {
		from = toInt(a[0])
	}
	l, m := NewList(), NewMap()
	for i, x := range list {
		if asMap {
			m.Put(from+int64(i), x)
			continue
		}
		l.Elems = append(l.Elems, NewList(x, from+int64(i)))
	}
	if err := t.grow(len(list), 64); err != nil || asMap {
		return m, err
	}
	return l, nil
}

// mapped are the elements, or what a closure makes of them.
func mapped(t *Thread, v Value, a []Value) (*walk, []Value, error) {
	list, err := t.elements(v)
	if err != nil {
		return nil, nil, err
	}
	list = slices.Clone(list)
	if err := t.grow(len(list), 16); err != nil {
		return nil, nil, err
	}
	c, ok := arg(a, len(a)-1+boolInt(len(a) == 0)).(*Closure)
	if !ok {
		return &walk{list: list}, list, nil
	}
	w := &walk{list: list, c: c, args: make([]Value, 2)}
	if c.arity() == 2 && len(list) > 0 {
		if _, isEntry := list[0].(*entry); !isEntry {
			return w, list, nil
		}
	}
	out := make([]Value, 0, len(list))
	err = w.each(t, func(_ int, _, y Value) (bool, error) {
		out = append(out, y)
		return false, nil
	})
	return w, out, err
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sum(t *Thread, v Value, a []Value) (Value, error) {
	total, err := sumOf(t, v, a)
	if l, ok := v.(*List); ok && l.elem == "byte" && err == nil && len(a) == 0 && total != nil {
		return Byte(toInt(total)), nil // sum() of a byte[] is a byte
	}
	return total, err
}

func sumOf(t *Thread, v Value, a []Value) (Value, error) {
	_, list, err := mapped(t, v, a)
	if err != nil {
		return nil, err
	}
	var acc Value
	if len(a) > 0 {
		if _, ok := a[0].(*Closure); !ok {
			acc = a[0]
		}
	}
	if acc == nil {
		if len(list) == 0 {
			return nil, nil
		}
		acc, list = list[0], list[1:]
	}
	for _, x := range list {
		if err := t.charge(1); err != nil {
			return nil, err
		}
		if acc, err = t.operate("+", acc, x); err != nil {
			return nil, err
		}
	}
	return acc, nil
}

func count(t *Thread, v Value, a []Value) (Value, error) {
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	if len(a) == 0 {
		return int64(len(list)), nil
	}
	if _, ok := a[0].(*Closure); ok {
		return over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			yes, _, err := w.filtered(t)
			return int64(len(yes)), err
		}).call(t, v, a)
	}
	n := int64(0)
	for _, x := range list {
		if Equal(x, a[0]) {
			n++
		}
	}
	return n, t.charge(len(list) / 4)
}

// best is min or max: by value, by key closure or by comparing closure.
func best(t *Thread, v Value, a []Value, sign int) (Value, error) {
	if c, ok := arg(a, max(len(a)-1, 0)).(*Closure); ok && c.arity() == 2 {
		list, err := t.elements(v)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		return t.bestBy(list, list, sign, func(x, y Value) (int, error) { return t.compareBy(c, x, y) })
	}
	w, keys, err := mapped(t, v, a)
	if err == nil && w.c == nil {
		keys = slices.DeleteFunc(keys, func(x Value) bool { return x == nil })
		w.list = keys
	}
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return t.bestBy(w.list, keys, sign, t.compareAny)
}

func (t *Thread) bestBy(list, keys []Value, sign int, cmp func(x, y Value) (int, error)) (Value, error) {
	at := 0
	for i := 1; i < len(keys); i++ {
		n, err := cmp(keys[i], keys[at])
		if err != nil {
			return nil, err
		}
		if n*sign > 0 {
			at = i
		}
		if err := t.charge(1); err != nil {
			return nil, err
		}
	}
	return list[at], nil
}

// compareWith compares by a closure of two, of one, whose results compare, or
// by a Comparator.
func (t *Thread) compareWith(by, x, y Value) (int, error) {
	c, ok := by.(*Closure)
	switch {
	case !ok:
		v, err := t.CallMethod(by, "compare", []Value{x, y})
		return int(toInt(v)), err
	case c.arity() == 2 || c.iface == "Comparator":
		return t.compareBy(c, x, y)
	}
	a, err := t.callClosure(c, []Value{x})
	if err != nil {
		return 0, err
	}
	b, err := t.callClosure(c, []Value{y})
	if err != nil {
		return 0, err
	}
	return t.compareAny(a, b)
}

func (t *Thread) compareBy(c *Closure, x, y Value) (int, error) {
	v, err := t.callClosure(c, []Value{x, y})
	if b, ok := v.(bool); ok {
		return boolInt(b), err
	}
	return int(toInt(v)), err
}

// join is list.join(separator).
func (t *Thread) join(list []Value, sep string) (Value, error) {
	var b []byte
	for i, v := range list {
		s, err := t.toString(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, sep...)
		}
		b = append(b, s...)
		if len(b) > maxString {
			return nil, t.grow(len(b), 3)
		}
		if err := t.Alloc(len(s) + len(sep)); err != nil {
			return nil, err
		}
	}
	return string(b), nil
}

func collectEntries(t *Thread, v Value, a []Value) (Value, error) {
	out := NewMap()
	if len(a) > 0 {
		if m, ok := a[0].(*Map); ok {
			out = m
			a = a[1:]
		}
	}
	if len(a) == 0 {
		list, err := t.elements(v)
		for _, x := range list {
			putEntry(out, x)
		}
		return out, first2(err, t.grow(len(list), 64))
	}
	return over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
		return out, w.each(t, func(_ int, _, y Value) (bool, error) {
			putEntry(out, y)
			return false, t.Alloc(64)
		})
	}).call(t, v, a)
}

// unique removes equal elements, in the list itself unless told false.
func unique(t *Thread, v Value, a []Value) (Value, error) {
	inPlace := true
	if len(a) > 0 {
		if b, ok := a[0].(bool); ok {
			inPlace, a = b, a[1:]
		}
	}
	w, keys, err := mapped(t, v, a)
	if err != nil {
		return nil, err
	}
	var out []Value
	if w.c != nil && w.c.arity() == 2 {
		out, err = uniqueBy(t, w)
	} else {
		seen := Map{}
		for i, x := range w.list {
			k := keys[i]
			if rankOf(k) > 0 { // 1 and 1L are one
				k = toDecimal(k).strip(-maxScale)
			}
			if !seen.Has(k) {
				seen.Put(k, true)
				out = append(out, x)
			}
		}
		err = t.grow(len(out), 64)
	}
	if err != nil {
		return nil, err
	}
	if l, ok := v.(*List); ok && inPlace && !l.fixed() {
		return l, l.become(out)
	}
	return like(v, out), nil
}

func uniqueBy(t *Thread, w *walk) ([]Value, error) {
	var out []Value
	for _, x := range w.list {
		same := false
		for _, y := range out {
			n, err := t.compareBy(w.c, x, y)
			if err != nil {
				return nil, err
			}
			if err := t.charge(1); err != nil {
				return nil, err
			}
			same = same || n == 0
		}
		if !same {
			out = append(out, x)
		}
	}
	return out, nil
}

// sortMethod sorts by value, by key closure or by comparing closure; unless
// told false it also sorts a list in place, as Groovy does.
func sortMethod(t *Thread, v Value, a []Value) (Value, error) {
	inPlace := true
	if len(a) > 0 {
		if b, ok := a[0].(bool); ok {
			inPlace, a = b, a[1:]
		}
	}
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	if err := t.grow(len(list), 16); err != nil {
		return nil, err
	}
	var by Value
	if len(a) > 0 {
		by = a[0]
	}
	if err := t.sortBy(list, by); err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case *List:
		if inPlace && !x.fixed() {
			return x, x.become(list)
		}
	case *Map:
		m := NewMap()
		for _, e := range list {
			putEntry(m, e)
		}
		return m, nil
	}
	return &List{Elems: list}, nil
}

// sortBy sorts in place; by is nil, a closure, or an object that compares.
func (t *Thread) sortBy(list []Value, by Value) error {
	var fault error
	cmp := t.compareAny
	c, _ := by.(*Closure)
	entries := len(list) > 0
	if entries {
		_, entries = list[0].(*entry)
	}
	switch {
	case by == nil && entries:
		cmp = func(a, b Value) (int, error) { return t.compare(a.(*entry).k, b.(*entry).k) }
	case c != nil && c.arity() != 2 && c.iface != "Comparator":
		return t.sortByKey(list, c)
	case by != nil:
		cmp = func(a, b Value) (int, error) { return t.compareWith(by, a, b) }
	}
	slices.SortStableFunc(list, func(a, b Value) int {
		if fault != nil {
			return 0
		}
		n, err := cmp(a, b)
		if err == nil {
			err = t.charge(1)
		}
		fault = err
		return n
	})
	return fault
}

// sortByKey asks a closure of one parameter for each element's key, once.
func (t *Thread) sortByKey(list []Value, c *Closure) error {
	type keyed struct{ k, v Value }
	w := &walk{list: list, c: c, args: make([]Value, 2)}
	pairs := make([]keyed, 0, len(list))
	if err := w.each(t, func(_ int, x, y Value) (bool, error) {
		pairs = append(pairs, keyed{y, x})
		return false, t.Alloc(32)
	}); err != nil {
		return err
	}
	var fault error
	slices.SortStableFunc(pairs, func(a, b keyed) int {
		if fault != nil {
			return 0
		}
		n, err := t.compareAny(a.k, b.k)
		if err == nil {
			err = t.charge(1)
		}
		fault = err
		return n
	})
	for i, p := range pairs {
		list[i] = p.v
	}
	return fault
}

// iterator is a java.util.Iterator over a copy.
type iterator struct {
	list []Value
	i    int
	gone int // by remove
	of   Value
}

// Type names the class.
func (*iterator) Type() string { return "java.util.Iterator" }

// Get and Set know no properties.
func (*iterator) Get(*Thread, string) (Value, error) { return nil, ErrNoMember }

// Set refuses.
func (*iterator) Set(*Thread, string, Value) error { return ErrNoMember }

// Call are the methods of an iterator.
func (it *iterator) Call(t *Thread, id string, a []Value) (Value, error) {
	switch id {
	case "hasNext":
		return it.i < len(it.list), nil
	case "next":
		if it.i >= len(it.list) {
			return nil, Throw("NoSuchElementException", "")
		}
		it.i++
		return it.list[it.i-1], nil
	case "remove":
		if it.i == 0 {
			return nil, Throw("IllegalStateException", "")
		}
		x := it.list[it.i-1]
		switch of := it.of.(type) {
		case *List:
			i := it.i - 1 - it.gone
			if i >= len(of.Elems) || !identical(of.Elems[i], x) {
				return nil, Throw("ConcurrentModificationException", "")
			}
			it.gone++
			return nil, first2(of.become(slices.Delete(slices.Clone(of.Elems), i, i+1)), t.charge(len(of.Elems)/16))
		case *Set:
			of.m.Delete(x)
		case *Map:
			of.Delete(x.(*entry).k)
		}
		return nil, nil
	case "iterator":
		return &List{Elems: it.list[it.i:]}, nil
	case "toList", "collect", "each", "findAll", "find", "join", "sum", "size", "any", "every":
		return t.CallMethod(&List{Elems: it.list[it.i:]}, id, a)
	}
	return nil, ErrNoMember
}

// compareAny is Groovy's NumberAwareComparator: values that cannot be compared
// are ordered by their hash codes.
func (t *Thread) compareAny(a, b Value) (int, error) {
	n, err := t.compare(a, b)
	if thrown(err) == "IllegalArgumentException" {
		return cmpInt(int64(hashCode(a)), int64(hashCode(b))), nil
	}
	return n, err
}
