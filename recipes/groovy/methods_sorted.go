package groovy

import "slices"

// sortedMap makes a method of TreeMap.
func sortedMap(least, most int, fn func(t *Thread, m *Map, a []Value) (Value, error)) method {
	return on(least, most, func(t *Thread, m *Map, a []Value) (Value, error) {
		if m.kind != sorted {
			return nil, ErrNoMember
		}
		return fn(t, m, a)
	})
}

// nearest is the place of the slot that floor, ceiling, lower or higher of k
// is; one out of the map's places when there is none.
func (m *Map) nearest(id string, k Value) int {
	i, found := m.search(k)
	switch id {
	case "floor":
		return choose(found, i, i-1)
	case "ceiling":
		return i
	case "lower":
		return i - 1
	}
	return choose(found, i+1, i) // higher
}

// cut is the part of a sorted map between two places.
func (m *Map) cut(t *Thread, from, to int) (*Map, error) {
	from = min(max(from, 0), len(m.slots))
	to = min(max(to, from), len(m.slots))
	part := &Map{kind: sorted, order: m.order, slots: slices.Clone(m.slots[from:to])}
	part.live, part.peak = to-from, to-from
	return part, t.grow(to-from, 64)
}

// edge is the place where a part that begins, or ends, at a[0] does so;
// a[1] says whether a[0] is in the part.
func (m *Map) edge(a []Value, start bool) int {
	i, found := m.search(a[0])
	in := start
	if len(a) > 1 {
		in = Truth(a[1])
	}
	return choose(found && in != start, i+1, i)
}

// part makes headMap, tailMap and subMap, and with them those of sets.
func (m *Map) part(t *Thread, id string, a []Value) (*Map, error) {
	switch {
	case id == "head":
		return m.cut(t, 0, m.edge(a, false))
	case id == "tail":
		return m.cut(t, m.edge(a, true), len(m.slots))
	case len(a) == 4:
		return m.cut(t, m.edge(a[:2], true), m.edge(a[2:], false))
	}
	return m.cut(t, m.edge(a[:1], true), m.edge(a[1:2], false))
}

// reversed is a sorted map in the other direction.
func (m *Map) reversed(t *Thread) (*Map, error) {
	order := m.order
	if order == nil {
		order = t.sortedBy(nil)
	}
	r, err := m.cut(t, 0, len(m.slots))
	slices.Reverse(r.slots)
	r.order = func(a, b Value) int { return order(b, a) }
	return r, err
}

func sortedMapMethods(m methods) {
	entryAt := func(m *Map, i int) Value {
		if i < 0 || i >= len(m.slots) {
			return nil
		}
		return &entry{m, m.slots[i].k}
	}
	for _, id := range []string{"floor", "ceiling", "lower", "higher"} {
		m[id+"Entry"] = sortedMap(1, 1, func(_ *Thread, m *Map, a []Value) (Value, error) { return entryAt(m, m.nearest(id, a[0])), nil })
		m[id+"Key"] = sortedMap(1, 1, func(_ *Thread, m *Map, a []Value) (Value, error) {
			if e, ok := entryAt(m, m.nearest(id, a[0])).(*entry); ok {
				return e.k, nil
			}
			return nil, nil
		})
	}
	for id, last := range map[string]bool{"first": false, "last": true} {
		at := func(m *Map) int { return choose(last, len(m.slots)-1, 0) }
		m[id+"Entry"] = sortedMap(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) { return entryAt(m, at(m)), nil })
		m["poll"+upperFirst(id)+"Entry"] = sortedMap(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) {
			e, ok := entryAt(m, at(m)).(*entry)
			if !ok || m.frozen {
				return nil, nil
			}
			out := NewMap()
			out.Put(e.k, e.val())
			m.Delete(e.k)
			return &entry{out, e.k}, nil
		})
	}
	m["headMap"] = sortedMap(1, 2, func(t *Thread, m *Map, a []Value) (Value, error) { return m.part(t, "head", a) })
	m["tailMap"] = sortedMap(1, 2, func(t *Thread, m *Map, a []Value) (Value, error) { return m.part(t, "tail", a) })
	keys := m["subMap"]
	m["subMap"] = on(1, 4, func(t *Thread, v *Map, a []Value) (Value, error) {
		if v.kind == sorted && len(a)%2 == 0 {
			return v.part(t, "sub", a)
		}
		if !keys.fits(len(a)) {
			return nil, ErrNoMember
		}
		return keys.call(t, v, a)
	})
	m["descendingMap"] = sortedMap(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) { return m.reversed(t) })
	m["descendingKeySet"] = sortedMap(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
		r, err := m.reversed(t)
		return &Set{m: r}, err
	})
	m["navigableKeySet"] = m["keySet"]
}

// sortedSet makes a method of TreeSet.
func sortedSet(least, most int, fn func(t *Thread, m *Map, a []Value) (Value, error)) method {
	return on(least, most, func(t *Thread, s *Set, a []Value) (Value, error) {
		if s.m.kind != sorted {
			return nil, ErrNoMember
		}
		return fn(t, s.m, a)
	})
}

func sortedSetMethods(m methods) {
	keyAt := func(m *Map, i int) Value {
		if i < 0 || i >= len(m.slots) {
			return nil
		}
		return m.slots[i].k
	}
	for _, id := range []string{"floor", "ceiling", "lower", "higher"} {
		m[id] = sortedSet(1, 1, func(_ *Thread, m *Map, a []Value) (Value, error) { return keyAt(m, m.nearest(id, a[0])), nil })
	}
	for _, id := range []string{"head", "tail", "sub"} {
		least, most := 1, 2
		if id == "sub" {
			least, most = 2, 4
		}
		m[id+"Set"] = sortedSet(least, most, func(t *Thread, m *Map, a []Value) (Value, error) {
			p, err := m.part(t, id, a)
			return &Set{m: p}, err
		})
	}
	for id, last := range map[string]bool{"pollFirst": false, "pollLast": true} {
		m[id] = sortedSet(0, 0, func(_ *Thread, m *Map, _ []Value) (Value, error) {
			k := keyAt(m, choose(last, len(m.slots)-1, 0))
			if !m.frozen {
				m.Delete(k)
			}
			return k, nil
		})
	}
	m["descendingSet"] = sortedSet(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
		r, err := m.reversed(t)
		return &Set{m: r}, err
	})
}
