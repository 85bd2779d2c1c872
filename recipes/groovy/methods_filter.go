package groovy

import (
	"slices"
)

// filtered are the elements for which the closure is true, and the others.
func (w *walk) filtered(t *Thread) (yes, no []Value, err error) {
	for _, x := range w.list {
		ok, err := w.test(t, x)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			yes = append(yes, x)
		} else {
			no = append(no, x)
		}
		if err := t.Alloc(16); err != nil {
			return nil, nil, err
		}
	}
	return yes, no, nil
}

// either makes a method that takes a closure, or nothing and tests the
// elements' own truth.
func either(with func(t *Thread, w *walk, a []Value) (Value, error)) method {
	own := &Closure{lit: &closureLit{fn: &function{}}, takes: 1, native: func(_ *Thread, a []Value) (Value, error) { return a[0], nil }}
	return method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		if len(a) == 0 {
			a = []Value{own}
		}
		return over(1, 1, with).call(t, v, a)
	}}
}

// addTests adds the methods that test elements.
func addTests(m methods) {
	m["collect"] = method{0, 2, collect}
	m["find"] = either(func(t *Thread, w *walk, _ []Value) (Value, error) {
		for _, x := range w.list {
			if ok, err := w.test(t, x); ok || err != nil {
				return x, err
			}
		}
		return nil, nil
	})
	m["findAll"] = either(func(t *Thread, w *walk, _ []Value) (Value, error) {
		yes, _, err := w.filtered(t)
		return like(w.v, yes), err
	})
	m["any"] = either(func(t *Thread, w *walk, _ []Value) (Value, error) {
		for _, x := range w.list {
			if ok, err := w.test(t, x); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	})
	m["every"] = either(func(t *Thread, w *walk, _ []Value) (Value, error) {
		for _, x := range w.list {
			if ok, err := w.test(t, x); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	})
	m["split"] = over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
		yes, no, err := w.filtered(t)
		if _, ok := w.v.(*Map); ok {
			return NewList(NewList(yes...), NewList(no...)), err
		}
		return NewList(like(w.v, yes), like(w.v, no)), err
	})
	m["grep"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		var out []Value
		for _, x := range slices.Clone(list) {
			ok, err := t.truth(x)
			if len(a) == 1 {
				ok, err = t.isCase(a[0], x)
			}
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, x)
			}
			if err := t.charge(1); err != nil {
				return nil, err
			}
		}
		if _, isMap := v.(*Map); isMap {
			return &List{Elems: out}, nil
		}
		return like(v, out), t.grow(len(out), 16)
	}}
	addPrefixes(m)
}

func addPrefixes(m methods) {
	part := func(fn func(n int, w *walk) []Value) method {
		return over(1, 1, func(t *Thread, w *walk, _ []Value) (Value, error) {
			n := 0
			for _, x := range w.list {
				ok, err := w.test(t, x)
				if err != nil {
					return nil, err
				}
				if !ok {
					break
				}
				n++
			}
			return like(w.v, fn(n, w)), nil
		})
	}
	m["takeWhile"] = part(func(n int, w *walk) []Value { return w.list[:n] })
	m["dropWhile"] = part(func(n int, w *walk) []Value { return w.list[n:] })
}
