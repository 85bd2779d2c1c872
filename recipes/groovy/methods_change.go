package groovy

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
)

// change makes a method that changes a list.
func change(least, most int, fn func(t *Thread, l *List, a []Value) (Value, error)) method {
	return on(least, most, func(t *Thread, l *List, a []Value) (Value, error) {
		if l.frozen {
			return nil, frozen()
		}
		if l.view == nil {
			return fn(t, l, a)
		}
		was := slices.Clone(l.Elems)
		v, err := fn(t, l, a)
		return v, cmp.Or(err, l.synced(was), t.charge(len(was)/8))
	})
}

// listChanges are the methods that change a list.
func listChanges() methods {
	add := change(1, 2, func(t *Thread, l *List, a []Value) (Value, error) {
		if l.elem != "" {
			return nil, ErrNoMember
		}
		if err := t.grow(1, 32); err != nil {
			return nil, err
		}
		if len(a) == 2 {
			n := toInt(a[0])
			if n < 0 || n > int64(len(l.Elems)) {
				return nil, Throw("IndexOutOfBoundsException", "Index: %d, Size: %d", n, len(l.Elems))
			}
			if err := t.charge(len(l.Elems) / 64); err != nil {
				return nil, err
			}
			l.Elems = slices.Insert(l.Elems, int(n), a[1])
			return nil, nil
		}
		l.Elems = append(l.Elems, a[0])
		return true, nil
	})
	pop := func(id string, first bool) method {
		return change(0, 0, func(_ *Thread, l *List, _ []Value) (Value, error) {
			n := len(l.Elems)
			if n == 0 {
				if id == "pop" && l.class == "" {
					return nil, Throw("NoSuchElementException", "Cannot pop() an empty List")
				}
				if id == "poll" || id == "peek" {
					return nil, nil
				}
				return nil, Throw("NoSuchElementException", "")
			}
			i := n - 1
			if first {
				i = 0
			}
			v := l.Elems[i]
			l.Elems = slices.Delete(l.Elems, i, i+1)
			return v, nil
		})
	}
	push := change(1, 1, func(t *Thread, l *List, a []Value) (Value, error) {
		if l.class == "ArrayDeque" {
			l.Elems = slices.Insert(l.Elems, 0, a[0])
			return nil, t.charge(1 + len(l.Elems)/64)
		}
		l.Elems = append(l.Elems, a[0])
		return true, t.grow(1, 32)
	})
	return methods{
		"add": add, "push": push, "addLast": add, "offer": add,
		"addFirst": change(1, 1, func(t *Thread, l *List, a []Value) (Value, error) {
			l.Elems = slices.Insert(l.Elems, 0, a[0])
			return nil, t.grow(1+len(l.Elems)/64, 32)
		}),
		"leftShift": change(1, 1, func(t *Thread, l *List, a []Value) (Value, error) {
			l.Elems = append(l.Elems, a[0])
			return l, t.grow(1, 32)
		}),
		"addAll": change(1, 2, func(t *Thread, l *List, a []Value) (Value, error) {
			more, err := t.elements(a[len(a)-1])
			if err != nil {
				return nil, err
			}
			at := len(l.Elems)
			if len(a) == 2 {
				at = int(min(max(toInt(a[0]), 0), int64(at)))
			}
			l.Elems = slices.Insert(l.Elems, at, slices.Clone(more)...)
			return len(more) > 0, t.grow(len(more), 32)
		}),
		"set": change(2, 2, func(t *Thread, l *List, a []Value) (Value, error) {
			n := toInt(a[0])
			if n < 0 || n >= int64(len(l.Elems)) {
				return nil, Throw("IndexOutOfBoundsException", "Index %d out of bounds for length %d", n, len(l.Elems))
			}
			old := l.Elems[n]
			l.Elems[n] = a[1]
			return old, nil
		}),
		"putAt": {2, 2, func(t *Thread, v Value, a []Value) (Value, error) { return nil, t.putAt(v, a[0], a[1]) }},
		"clear": change(0, 0, func(_ *Thread, l *List, _ []Value) (Value, error) { l.Elems = nil; return nil, nil }),
		"pop":   popOf(pop("pop", false), pop("pop", true)),
		"poll":  pop("poll", true), "pollFirst": pop("poll", true), "pollLast": pop("poll", false), "removeFirst": pop("removeFirst", true), "removeLast": pop("removeLast", false),
		"peek": change(0, 0, func(_ *Thread, l *List, _ []Value) (Value, error) {
			if len(l.Elems) == 0 {
				return nil, nil
			}
			if l.class == "Stack" {
				return l.Elems[len(l.Elems)-1], nil
			}
			return l.Elems[0], nil
		}),
		"remove": change(1, 1, removeFrom), "removeAt": change(1, 1, removeFrom),
		"removeElement": change(1, 1, func(t *Thread, l *List, a []Value) (Value, error) { return l.removeValue(t, a[0]) }),
		"removeAll":     change(1, -1, func(t *Thread, l *List, a []Value) (Value, error) { return t.retain(l, several(a), false) }),
		"retainAll":     change(1, -1, func(t *Thread, l *List, a []Value) (Value, error) { return t.retain(l, several(a), true) }),
		"removeIf":      change(1, 1, func(t *Thread, l *List, a []Value) (Value, error) { return t.retain(l, a[0], false) }),
		"swap": change(2, 2, func(_ *Thread, l *List, a []Value) (Value, error) {
			i, ok1 := position(toInt(a[0]), len(l.Elems))
			j, ok2 := position(toInt(a[1]), len(l.Elems))
			if !ok1 || !ok2 {
				return nil, Throw("IndexOutOfBoundsException", "Index: %d, Size: %d", j, len(l.Elems))
			}
			l.Elems[i], l.Elems[j] = l.Elems[j], l.Elems[i]
			return l, nil
		}),
		"empty": change(0, 0, func(_ *Thread, l *List, _ []Value) (Value, error) { return len(l.Elems) == 0, nil }),
		"shuffle": change(0, 1, func(t *Thread, l *List, a []Value) (Value, error) {
			if r, ok := arg(a, 0).(*javaRandom); ok {
				r.shuffle(l.Elems)
				return nil, t.charge(len(l.Elems) / 8)
			}
			rand.Shuffle(len(l.Elems), func(i, j int) { l.Elems[i], l.Elems[j] = l.Elems[j], l.Elems[i] })
			return nil, t.charge(len(l.Elems) / 8)
		}),
	}
}

// several is what removeAll is given: a collection, a condition, or elements one
// by one.
func several(a []Value) Value {
	if len(a) == 1 {
		switch a[0].(type) {
		case *List, *Set, *Range, *Map, *Closure, nil:
			return a[0]
		}
	}
	return NewList(a...)
}

// popOf takes from the end, but of what is no List from the front.
func popOf(last, first method) method {
	return change(0, 0, func(t *Thread, l *List, a []Value) (Value, error) {
		if l.class == "ArrayDeque" {
			return first.call(t, l, a)
		}
		return last.call(t, l, a)
	})
}

// removeFrom is remove(index) or remove(object).
func removeFrom(t *Thread, l *List, a []Value) (Value, error) {
	n, ok := a[0].(int64)
	if !ok || l.view != nil && !l.view.sub {
		return l.removeValue(t, a[0])
	}
	if n < 0 || n >= int64(len(l.Elems)) {
		return nil, Throw("IndexOutOfBoundsException", "Index %d out of bounds for length %d", n, len(l.Elems))
	}
	v := l.Elems[n]
	l.Elems = slices.Delete(l.Elems, int(n), int(n)+1)
	return v, t.charge(len(l.Elems) / 64)
}

func (l *List) removeValue(t *Thread, x Value) (Value, error) {
	i := slices.IndexFunc(l.Elems, func(v Value) bool { return javaEqual(x, v) })
	if i >= 0 && i < len(l.Elems) { // equals may have changed the list
		l.Elems = slices.Delete(l.Elems, i, i+1)
	}
	return i >= 0, t.charge(len(l.Elems) / 8)
}

// retain keeps, or removes, what a collection has or a closure says.
func (t *Thread) retain(l *List, by Value, keep bool) (Value, error) {
	before := len(l.Elems)
	if c, ok := by.(*Closure); ok {
		var out []Value
		for _, x := range slices.Clone(l.Elems) {
			v, err := t.callClosure(c, []Value{x})
			if err != nil {
				return nil, err
			}
			ok, err := t.truth(v)
			if err != nil {
				return nil, err
			}
			if ok == keep {
				out = append(out, x)
			}
			if err := t.charge(1); err != nil {
				return nil, err
			}
		}
		l.Elems = out
		return len(out) != before, nil
	}
	other, err := t.elements(by)
	if err != nil {
		return nil, err
	}
	index := Map{}
	for _, o := range other {
		index.Put(o, true)
	}
	out := make([]Value, 0, len(l.Elems))
	for _, x := range l.Elems {
		has := index.Has(x)
		if _, object := x.(*instance); object && !has {
			if has, err = t.contains(other, x); err != nil {
				return nil, err
			}
		}
		if has == keep {
			out = append(out, x)
		}
	}
	l.Elems = out
	return len(out) != before, t.grow(len(out)+len(other), 48)
}

// setMethods are those of sets.
func setMethods() methods {
	all := listMethods()
	m := methods{}
	for _, id := range []string{"size", "isEmpty", "first", "head", "last", "containsAll", "toList", "toArray", "take", "drop", "combinations", "permutations", "toSet", "minus", "intersect", "disjoint", "tail", "collate", "subsequences"} {
		m[id] = all[id]
	}
	add := on(1, 1, func(t *Thread, s *Set, a []Value) (Value, error) {
		if s.m.frozen || s.keys {
			return nil, frozen()
		}
		n := s.m.Len()
		s.m.Put(a[0], true)
		return s.m.Len() > n, t.grow(1, 64)
	})
	m["add"] = add
	m["leftShift"] = on(1, 1, func(t *Thread, s *Set, a []Value) (Value, error) {
		_, err := add.call(t, s, a)
		return s, err
	})
	m["contains"] = on(1, 1, func(_ *Thread, s *Set, a []Value) (Value, error) { return s.m.Has(a[0]), nil })
	m["remove"] = on(1, 1, func(_ *Thread, s *Set, a []Value) (Value, error) {
		if s.m.frozen {
			return nil, frozen()
		}
		n := s.m.Len()
		s.m.Delete(a[0])
		return s.m.Len() < n, nil
	})
	m["clear"] = on(0, 0, func(_ *Thread, s *Set, _ []Value) (Value, error) {
		if s.m.frozen {
			return nil, frozen()
		}
		s.m.clear()
		return nil, nil
	})
	m["addAll"] = on(1, 1, func(t *Thread, s *Set, a []Value) (Value, error) { return t.setAll(s, a[0], true) })
	m["removeAll"] = on(1, -1, func(t *Thread, s *Set, a []Value) (Value, error) { return t.setRetain(s, several(a), false) })
	m["retainAll"] = on(1, -1, func(t *Thread, s *Set, a []Value) (Value, error) { return t.setRetain(s, several(a), true) })
	m["plus"] = on(1, 1, func(t *Thread, s *Set, a []Value) (Value, error) {
		out := s.clone()
		switch a[0].(type) {
		case *List, *Set, *Range:
			_, err := t.setAll(out, a[0], true)
			return out, err
		}
		out.m.Put(a[0], true)
		return out, t.grow(out.m.Len(), 64)
	})
	m["clone"] = on(0, 0, func(t *Thread, s *Set, _ []Value) (Value, error) {
		return s.clone(), t.grow(s.m.Len(), 64)
	})
	m["asImmutable"] = on(0, 0, func(t *Thread, s *Set, _ []Value) (Value, error) {
		out := s.clone()
		out.m.frozen = true
		return out, t.grow(s.m.Len(), 64)
	})
	m["getAt"] = method{1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		return t.at(&List{}, list, a[0])
	}}
	return m
}

func (t *Thread) setAll(s *Set, v Value, _ bool) (Value, error) {
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	if s.m.frozen || s.keys {
		return nil, frozen()
	}
	n := s.m.Len()
	for _, x := range list {
		s.m.Put(x, true)
	}
	return s.m.Len() > n, t.grow(len(list), 64)
}

func (t *Thread) setRetain(s *Set, by Value, keep bool) (Value, error) {
	l := NewList(s.m.Keys()...)
	changed, err := t.retain(l, by, keep)
	if err != nil {
		return nil, err
	}
	if s.m.frozen {
		return nil, frozen()
	}
	kept := &Map{kind: s.m.kind, order: s.m.order}
	for _, k := range l.Elems {
		kept.Put(k, true)
	}
	for _, k := range s.m.Keys() {
		if !kept.Has(k) {
			s.m.Delete(k)
		}
	}
	return changed, t.grow(len(l.Elems), 64)
}

// tooMany ends an evaluation that makes too many of something.
func tooMany(what string) error { return fmt.Errorf("%w: too many %s", ErrLimit, what) }
