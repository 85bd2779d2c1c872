package groovy

import "slices"

// changed makes a method that changes a map.
func changed(least, most int, fn func(t *Thread, m *Map, a []Value) (Value, error)) method {
	return on(least, most, func(t *Thread, m *Map, a []Value) (Value, error) {
		if m.frozen {
			return nil, frozen()
		}
		return fn(t, m, a)
	})
}

// mapMethods are those of maps.
func mapMethods() methods {
	get := on(1, 2, func(t *Thread, m *Map, a []Value) (Value, error) {
		if v, ok := m.Get(a[0]); ok || len(a) == 1 {
			if !ok {
				return t.mapGet(m, a[0])
			}
			return v, nil
		}
		return a[1], t.mapPut(m, a[0], a[1])
	})
	put := changed(2, 2, func(t *Thread, m *Map, a []Value) (Value, error) {
		old, _ := m.Get(a[0])
		return old, t.mapPut(m, a[0], a[1])
	})
	merged := func(into func(m *Map) *Map) method {
		return on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			out := into(m)
			if out.frozen {
				return nil, frozen()
			}
			switch o := a[0].(type) {
			case *Map:
				out.putAll(o)
			case *entry, *List:
				if l, ok := o.(*List); ok && (len(l.Elems) != 2 || out == m) {
					for _, e := range l.Elems {
						putEntry(out, e)
					}
					break
				}
				putEntry(out, o)
			default:
				return nil, ErrNoMember
			}
			return out, t.grow(out.Len(), 64)
		})
	}
	m := methods{
		"size":        on(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) { return int64(m.Len()), nil }),
		"isEmpty":     on(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) { return m.Len() == 0, nil }),
		"get":         get,
		"getAt":       on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) { return t.mapGet(m, a[0]) }),
		"getProperty": on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) { return t.mapGet(m, a[0]) }),
		"put":         put, "putAt": put, "setProperty": put,
		"getOrDefault": on(2, 2, func(_ *Thread, m *Map, a []Value) (Value, error) {
			if v, ok := m.Get(a[0]); ok {
				return v, nil
			}
			return a[1], nil
		}),
		"putIfAbsent": changed(2, 2, func(t *Thread, m *Map, a []Value) (Value, error) {
			if v, ok := m.Get(a[0]); ok && v != nil {
				return v, nil
			}
			return nil, t.mapPut(m, a[0], a[1])
		}),
		"computeIfAbsent": changed(2, 2, func(t *Thread, m *Map, a []Value) (Value, error) {
			if v, ok := m.Get(a[0]); ok && v != nil {
				return v, nil
			}
			v, err := t.callValue(a[1], a[:1])
			if err != nil || v == nil {
				return v, err
			}
			return v, t.mapPut(m, a[0], v)
		}),
		"compute": changed(2, 2, func(t *Thread, m *Map, a []Value) (Value, error) { return t.compute(m, a[0], a[1]) }),
		"computeIfPresent": changed(2, 2, func(t *Thread, m *Map, a []Value) (Value, error) {
			if v, ok := m.Get(a[0]); !ok || v == nil {
				return nil, nil
			}
			return t.compute(m, a[0], a[1])
		}),
		"replaceAll": changed(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			for _, s := range slices.Clone(m.entries()) {
				v, err := t.callValue(a[0], []Value{s.k, s.v})
				if err != nil {
					return nil, err
				}
				m.Put(s.k, v)
			}
			return nil, nil
		}),
		"containsKey":   on(1, 1, func(_ *Thread, m *Map, a []Value) (Value, error) { return m.Has(a[0]), nil }),
		"containsValue": on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) { return m.holds(a[0]), t.charge(m.Len() / 8) }),
		"keySet": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			return &Set{m: m, keys: true}, t.Alloc(32)
		}),
		"values": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			return m.mapView(m.values(), func(v Value, s slot) bool { return identical(v, s.v) }), t.grow(m.Len(), 16)
		}),
		"entrySet": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			list, err := t.elements(m)
			return m.mapView(list, func(v Value, s slot) bool { e, ok := v.(*entry); return ok && identical(e.k, s.k) }), err
		}),
		"firstKey": on(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) { return m.end(0) }),
		"lastKey":  on(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) { return m.end(m.Len() - 1) }),
		"clear":    changed(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) { m.clear(); return nil, nil }),
		"remove":   changed(1, 1, func(_ *Thread, m *Map, a []Value) (Value, error) { return m.Delete(a[0]), nil }),
		"putAll": changed(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			return nil, t.putEntries(m, a[0])
		}),
		"leftShift": merged(func(m *Map) *Map { return m }),
		"plus":      merged(func(m *Map) *Map { return m.clone() }),
		"clone":     on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) { return m.clone(), t.grow(m.Len(), 64) }),
		"minus": on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			o, ok := a[0].(*Map)
			if !ok {
				return nil, ErrNoMember
			}
			out := m.clone()
			for _, s := range o.entries() {
				if v, ok := out.Get(s.k); ok && Equal(v, s.v) {
					out.Delete(s.k)
				}
			}
			return out, t.grow(m.Len(), 64)
		}),
		"intersect": on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			o, ok := a[0].(*Map)
			if !ok {
				return nil, ErrNoMember
			}
			out := NewMap()
			for _, s := range m.entries() {
				if v, ok := o.Get(s.k); ok && Equal(v, s.v) {
					out.Put(s.k, s.v)
				}
			}
			return out, t.grow(m.Len(), 64)
		}),
		"subMap": on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) { return t.subMap(m, a[0]) }),
		"asImmutable": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			c := m.clone()
			c.frozen = true
			return c, t.grow(m.Len(), 64)
		}),
		"withDefault": on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			c, ok := a[0].(*Closure)
			if !ok {
				return nil, ErrNoMember
			}
			m.deflt = c
			return m, nil
		}),
		"toMapString": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) { return text(t.toString(m)) }),
		"spread":      on(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) { return m, nil }),
		"take":        on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) { return t.mapPart(m, 0, int(toInt(a[0]))) }),
		"drop":        on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) { return t.mapPart(m, int(toInt(a[0])), m.Len()) }),
	}
	for id, fn := range configMethods() {
		m[id] = fn
	}
	return m
}

// compute is Map.compute: a null takes the key away.
func (t *Thread) compute(m *Map, k, by Value) (Value, error) {
	old, _ := m.Get(k)
	v, err := t.callValue(by, []Value{k, old})
	if err != nil {
		return nil, err
	}
	if v == nil {
		m.Delete(k)
		return nil, nil
	}
	return v, t.mapPut(m, k, v)
}

// mergeValue is Map.merge: by joins v to what k has.
func (t *Thread) mergeValue(m *Map, k, v, by Value) (Value, error) {
	old, _ := m.Get(k)
	if old == nil {
		return v, t.mapPut(m, k, v)
	}
	joined, err := t.callValue(by, []Value{old, v})
	if err == nil && joined == nil {
		m.Delete(k)
	}
	if err != nil || joined == nil {
		return nil, err
	}
	return joined, t.mapPut(m, k, joined)
}

func linkedOr(k mapKind) mapKind {
	if k == config {
		return linked
	}
	return k
}

func (m *Map) holds(x Value) bool {
	return slices.ContainsFunc(m.entries(), func(s slot) bool { return javaEqual(x, s.v) })
}

func (m *Map) values() []Value {
	list := make([]Value, 0, m.Len())
	for _, s := range m.entries() {
		list = append(list, s.v)
	}
	return list
}

func (m *Map) end(i int) (Value, error) {
	if m.Len() == 0 {
		return nil, Throw("NoSuchElementException", "")
	}
	return m.entries()[i].k, nil
}

func (t *Thread) putEntries(m *Map, v Value) error {
	if o, ok := v.(*Map); ok {
		m.putAll(o)
		return t.grow(o.Len(), 64)
	}
	list, err := t.elements(v)
	for _, e := range list {
		putEntry(m, e)
	}
	return first2(err, t.grow(len(list), 64))
}

func (t *Thread) subMap(m *Map, keys Value) (Value, error) {
	list, err := t.elements(keys)
	if err != nil {
		return nil, err
	}
	out := NewMap()
	for _, k := range list {
		if v, ok := m.Get(k); ok {
			out.Put(k, v)
		}
	}
	return out, t.grow(out.Len(), 64)
}

func (t *Thread) mapPart(m *Map, from, to int) (Value, error) {
	out := &Map{kind: m.kind}
	list := m.entries()
	from, to = min(max(from, 0), len(list)), min(max(to, 0), len(list))
	for _, s := range list[from:max(from, to)] {
		out.Put(s.k, s.v)
	}
	return out, t.grow(out.Len(), 64)
}

// mapClosures are the methods of maps that differ from those of other
// collections.
func mapClosures() methods {
	return methods{
		"find": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			for _, x := range w.list {
				if ok, err := w.test(t, x); ok || err != nil {
					return x, err
				}
			}
			return nil, nil
		}),
		"findAll": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			yes, _, err := w.filtered(t)
			return like(w.v, yes), err
		}),
		"groupEntriesBy": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			out := NewMap()
			return out, w.each(t, func(_ int, x, y Value) (bool, error) {
				g, _ := out.Get(y)
				l, ok := g.(*List)
				if !ok {
					l = NewList()
					out.Put(y, l)
				}
				l.Elems = append(l.Elems, x)
				return false, t.Alloc(64)
			})
		}),
		"removeAll": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) { return t.mapRetain(w, false) }),
		"retainAll": over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) { return t.mapRetain(w, true) }),
		"unique":    {0, -1, func(*Thread, Value, []Value) (Value, error) { return nil, ErrNoMember }},
		"iterator": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			list, err := t.elements(m)
			return &iterator{list: list, of: m}, err
		}),
		"asType": {1, 1, func(t *Thread, v Value, a []Value) (Value, error) { return t.convert(v, classNameOf(a[0])) }},
		"join":   {0, 1, func(*Thread, Value, []Value) (Value, error) { return nil, ErrNoMember }},
	}
}

func (t *Thread) mapRetain(w *walk, keep bool) (Value, error) {
	m := w.v.(*Map)
	if m.frozen {
		return nil, frozen()
	}
	n := m.Len()
	for _, x := range w.list {
		ok, err := w.test(t, x)
		if err != nil {
			return nil, err
		}
		if ok != keep {
			m.Delete(x.(*entry).k)
		}
	}
	return m.Len() != n, nil
}
