package groovy

import (
	"slices"
	"strings"
)

// getAt is v[i].
func (t *Thread) getAt(v, i Value) (Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, Throw("NullPointerException", "Cannot get property '%s' on null object", Format(i))
	case *Map:
		return t.mapGet(v, i), nil
	case *List, *Range, string, *matcher:
		return t.listAt(v, i)
	case Object:
		r, err := v.Call(t, "getAt", []Value{i})
		if missing(err) {
			return t.Get(v, Format(i))
		}
		return r, err
	}
	return t.Get(v, Format(i))
}

func (t *Thread) listAt(v, i Value) (Value, error) {
	if s, ok := i.(string); ok {
		return t.Get(v, s)
	}
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	_, isString := v.(string)
	switch i := i.(type) {
	case int64:
		n, ok := position(i, len(list))
		if ok {
			return list[n], nil
		}
		if _, isList := v.(*List); isList && i >= 0 {
			return nil, nil
		}
		return nil, Throw("IndexOutOfBoundsException", "index out of range: %d of %d", i, len(list))
	case *Range:
		from, ok1 := position(i.From, len(list))
		to, ok2 := position(i.To, len(list))
		if !ok1 || !ok2 {
			return nil, Throw("IndexOutOfBoundsException", "index out of range: %s of %d", Format(i), len(list))
		}
		var part []Value
		if from <= to {
			part = slices.Clone(list[from : to+1])
		} else {
			part = slices.Clone(list[to : from+1])
			slices.Reverse(part)
		}
		return pieces(part, isString), t.grow(len(part), 16)
	case *List:
		var part []Value
		for _, j := range i.Elems {
			x, err := t.listAt(v, j)
			if err != nil {
				return nil, err
			}
			part = append(part, x)
		}
		return pieces(part, isString), t.grow(len(part), 16)
	}
	return nil, Throw("IllegalArgumentException", "%s is not an index", Format(i))
}

func pieces(part []Value, isString bool) Value {
	if !isString {
		return &List{Elems: part}
	}
	var b strings.Builder
	for _, p := range part {
		b.WriteString(Format(p))
	}
	return b.String()
}

// position turns an index, negative from the end, into an offset.
func position(i int64, n int) (int, bool) {
	if i < 0 {
		i += int64(n)
	}
	return int(i), i >= 0 && i < int64(n)
}

// putAt is v[i] = x.
func (t *Thread) putAt(v, i, x Value) error {
	switch v := v.(type) {
	case nil:
		return Throw("NullPointerException", "Cannot set property '%s' on null object", Format(i))
	case *Map:
		v.Put(i, x)
		return t.grow(1, 64)
	case *List:
		n, ok := i.(int64)
		if !ok {
			return Throw("IllegalArgumentException", "%s is not an index", Format(i))
		}
		if n >= int64(len(v.Elems)) && n < maxString/16 {
			if err := t.grow(int(n)-len(v.Elems)+1, 16); err != nil {
				return err
			}
			for int64(len(v.Elems)) <= n {
				v.Elems = append(v.Elems, nil)
			}
		}
		p, ok := position(n, len(v.Elems))
		if !ok {
			return Throw("IndexOutOfBoundsException", "index out of range: %d of %d", n, len(v.Elems))
		}
		v.Elems[p] = x
		return nil
	case Object:
		_, err := v.Call(t, "putAt", []Value{i, x})
		if missing(err) {
			return t.Set(v, Format(i), x)
		}
		return err
	}
	return t.Set(v, Format(i), x)
}

func (t *Thread) mapGet(m *Map, k Value) Value {
	v, ok := m.Get(k)
	if !ok && m.auto {
		n := NewMap()
		n.auto = true
		m.Put(k, n)
		return n
	}
	return v
}
