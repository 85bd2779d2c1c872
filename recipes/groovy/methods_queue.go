package groovy

import "slices"

// queueMethods are those of LinkedList and ArrayDeque that other lists do not
// have, and a few that only lists have.
func queueMethods() methods {
	// end looks at the element at an end; with none it gives null.
	end := func(last bool) method {
		return change(0, 0, func(_ *Thread, l *List, _ []Value) (Value, error) {
			if !l.queue() {
				return nil, ErrNoMember
			}
			if len(l.Elems) == 0 {
				return nil, nil
			}
			return l.Elems[choose(last, len(l.Elems)-1, 0)], nil
		})
	}
	add := func(first bool) method {
		return change(1, 1, func(t *Thread, l *List, a []Value) (Value, error) {
			if !l.queue() {
				return nil, ErrNoMember
			}
			l.Elems = slices.Insert(l.Elems, choose(first, 0, len(l.Elems)), a[0])
			return true, t.grow(1+len(l.Elems)/64, 32)
		})
	}
	return methods{
		"peekFirst": end(false), "peekLast": end(true),
		"offerFirst": add(true), "offerLast": add(false),
		"descendingIterator": on(0, 0, func(t *Thread, l *List, _ []Value) (Value, error) {
			if !l.queue() {
				return nil, ErrNoMember
			}
			list := slices.Clone(l.Elems)
			slices.Reverse(list)
			return &iterator{list: list}, t.grow(len(list), 16)
		}),
		"replaceAll": change(1, 1, func(t *Thread, l *List, a []Value) (Value, error) {
			for i, x := range slices.Clone(l.Elems) {
				v, err := t.callValue(a[0], []Value{x})
				if err != nil {
					return nil, err
				}
				if i < len(l.Elems) {
					l.Elems[i] = v
				}
			}
			return nil, nil
		}),
	}
}

// queue says whether l is a queue with two ends.
func (l *List) queue() bool { return l.class == "LinkedList" || l.class == "ArrayDeque" }

// priorityQueue makes a PriorityQueue: a list that is in order after each
// change. Java keeps a heap, which a walk shows; what poll gives is the same.
func priorityQueue(t *Thread, a []Value) (Value, error) {
	l := &List{class: "PriorityQueue"}
	order := t.sortedBy(comparator(arg(a, max(len(a)-1, 0))))
	l.view = &view{sub: true, sync: func(elems []Value) bool {
		slices.SortStableFunc(elems, order)
		return true
	}}
	if _, size := Int(arg(a, 0)); size || len(a) == 0 || comparator(a[0]) != nil {
		return l, t.Alloc(64)
	}
	elems, err := t.elements(a[0])
	if err != nil {
		return nil, err
	}
	return l, first2(l.become(slices.Clone(elems)), t.grow(len(elems), 16))
}
