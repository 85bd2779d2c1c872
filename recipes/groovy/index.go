package groovy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

func (x *index) eval(t *Thread, f *frame) (Value, error) {
	v, err := x.x.eval(t, f)
	if err != nil {
		return nil, err
	}
	i, err := x.i.eval(t, f)
	if err != nil {
		return nil, err
	}
	if l, ok := v.(*List); ok {
		if n, ok := i.(int64); ok && n >= 0 && n < int64(len(l.Elems)) {
			return l.Elems[n], nil
		}
	}
	v, err = t.getAt(v, i)
	return v, t.place(f, err, x.pos)
}

// getAt is v[i].
func (t *Thread) getAt(v, i Value) (Value, error) {
	if g, ok := i.(*lazyString); ok {
		i = Format(g)
	}
	switch v := v.(type) {
	case nil:
		return nil, Throw("NullPointerException", "Cannot invoke method getAt() on null object")
	case *Map:
		return t.mapGet(v, i)
	case *List:
		return t.at(v, v.Elems, i)
	case *Range:
		if n, ok := Int(i); ok && n >= 0 && n < v.len() {
			return v.nth(n), nil
		}
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		return t.at(v, list, i)
	case string:
		return t.textAt(v, i)
	case *matcher:
		if n, ok := Int(i); ok {
			return v.at(t, n)
		}
		list, err := v.all(t)
		if err != nil {
			return nil, err
		}
		return t.at(v, list, i)
	case *lazyString, *builder:
		s, err := t.toString(v)
		if err != nil {
			return nil, err
		}
		return t.textAt(s, i)
	}
	r, ok, err := t.ownCall(v, "getAt", []Value{i})
	if !ok || missing(err) {
		if id, isText := i.(string); isText {
			return t.Get(v, id)
		}
		if o, isObject := v.(Object); isObject {
			return t.Get(o, Format(i))
		}
		if _, isSet := v.(*Set); isSet {
			list, err := t.elements(v)
			if err != nil {
				return nil, err
			}
			return t.at(v, list, i)
		}
		return nil, noMethod(v, "getAt", []Value{i})
	}
	return r, err
}

// at is an element, or the part that a range or a list of indexes names.
func (t *Thread) at(v Value, list []Value, i Value) (Value, error) {
	switch i := i.(type) {
	case int64, Long, Byte:
		n := toInt(i)
		p, ok := position(n, len(list))
		if ok {
			return list[p], nil
		}
		return nil, outside(v, n, len(list))
	case *Range:
		return t.slice(list, i)
	case *List:
		if err := t.deeper(8); err != nil { // it may hold itself
			return nil, err
		}
		defer t.shallower(8)
		out := NewList()
		for _, j := range i.Elems {
			x, err := t.at(v, list, j)
			if err != nil {
				return nil, err
			}
			if _, part := j.(*Range); part {
				out.Elems = append(out.Elems, x.(*List).Elems...)
				continue
			}
			out.Elems = append(out.Elems, x)
		}
		return out, t.grow(len(out.Elems), 16)
	case string:
		return t.Get(v, i)
	}
	if n, ok := Number(i); ok {
		return t.at(v, list, int64(n))
	}
	return nil, noMethod(v, "getAt", []Value{i})
}

// outside is the answer for an index that no element has: null for a list,
// an error for an array, and for what lies before the beginning.
func outside(v Value, n int64, size int) error {
	switch v := v.(type) {
	case *matcher:
		return Throw("IndexOutOfBoundsException", "index is out of range %d..%d (index = %d)", -size, size-1, n)
	case *List:
		if v.elem != "" {
			if n < 0 {
				return Throw("ArrayIndexOutOfBoundsException", "Negative array index [%d] too large for array size %d", n, size)
			}
			return Throw("ArrayIndexOutOfBoundsException", "Index %d out of bounds for length %d", n, size)
		}
		if n < 0 {
			return Throw("ArrayIndexOutOfBoundsException", "Negative array index [%d] too large for array size %d", n, size)
		}
	}
	if n < 0 {
		return Throw("IndexOutOfBoundsException", "Negative array index [%d] too large for array size %d", n, size)
	}
	return nil
}

func (t *Thread) slice(list []Value, r *Range) (Value, error) {
	if r = r.within(len(list)); r == nil {
		return NewList(), nil
	}
	if len(list) == 0 && r.From == 0 && r.To == -1 {
		return NewList(), nil
	}
	from, ok1 := position(r.From, len(list))
	to, ok2 := position(r.To, len(list))
	if !ok1 && from == len(list) && from > to {
		ok1 = true
	}
	if !ok1 || !ok2 {
		bad := from
		if ok1 {
			bad = to
		}
		if !ok1 && from >= 0 || ok1 && to >= 0 {
			return nil, Throw("IndexOutOfBoundsException", "toIndex = %d", bad+1)
		}
		return nil, Throw("ArrayIndexOutOfBoundsException", "Negative array index [%d] too large for array size %d", bad-len(list), len(list))
	}
	var part []Value
	if from <= to {
		part = slices.Clone(list[from : to+1])
	} else {
		part = slices.Clone(list[to:min(from+1, len(list))])
		slices.Reverse(part)
	}
	return &List{Elems: part}, t.grow(len(part), 16)
}

// position turns an index, negative from the end, into an offset.
func position(i int64, n int) (int, bool) {
	if i < 0 {
		i += int64(n)
	}
	return int(i), i >= 0 && i < int64(n)
}

// textAt is s[i]: a String of one character, or a part.
func (t *Thread) textAt(s string, i Value) (Value, error) {
	if id, ok := i.(string); ok {
		return t.Get(s, id)
	}
	size := utf8.RuneCountInString(s)
	switch i := i.(type) {
	case int64, Long, Byte:
		n := toInt(i)
		p, ok := position(n, size)
		if !ok {
			return nil, Throw("StringIndexOutOfBoundsException", "String index out of range: %d", p)
		}
		return t.part(s, p, p+1, size)
	case *Range:
		if i = i.within(size); i == nil {
			return "", nil
		}
		from, ok1 := position(i.From, size)
		to, ok2 := position(i.To, size)
		if !ok1 || !ok2 {
			if size == 0 && i.From == 0 && i.To == -1 {
				return "", nil
			}
			return nil, Throw("StringIndexOutOfBoundsException", "begin %d, end %d, length %d", from, to+1, size)
		}
		if from > to {
			v, err := t.part(s, to, from+1, size)
			return reversed(Format(v)), err
		}
		return t.part(s, from, to+1, size)
	case *List:
		if err := t.deeper(8); err != nil { // it may hold itself
			return nil, err
		}
		defer t.shallower(8)
		var b strings.Builder
		for _, j := range i.Elems {
			v, err := t.textAt(s, j)
			if err != nil {
				return nil, err
			}
			b.WriteString(Format(v))
			if err := t.grow(b.Len(), 1); err != nil {
				return nil, err
			}
		}
		return b.String(), nil
	}
	return nil, noMethod(s, "getAt", []Value{i})
}

// part returns the characters from to to of s, which has size of them. Of
// plain ASCII it copies nothing.
func (t *Thread) part(s string, from, to, size int) (Value, error) {
	if size == len(s) {
		return s[from:to], nil
	}
	s = string([]rune(s)[from:to])
	return s, t.Alloc(len(s))
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

// putAt is v[i] = x.
func (t *Thread) putAt(v, i, x Value) error {
	if g, ok := i.(*lazyString); ok {
		i = Format(g)
	}
	switch v := v.(type) {
	case nil:
		return Throw("NullPointerException", "Cannot invoke method putAt() on null object")
	case *Map:
		return t.mapPut(v, i, x)
	case *List:
		return t.listPut(v, i, x)
	case *builder:
		return Throw("MissingMethodException", "putAt of %s is not available", v.class)
	}
	_, ok, err := t.ownCall(v, "putAt", []Value{i, x})
	if !ok || missing(err) {
		return t.Set(v, Format(i), x)
	}
	return err
}

func frozen() error { return Throw("UnsupportedOperationException", "") }

func (t *Thread) listPut(v *List, i, x Value) error {
	if v.frozen {
		return frozen()
	}
	if v.view != nil {
		was := slices.Clone(v.Elems)
		plain := *v
		plain.view = nil
		if err := t.listPut(&plain, i, x); err != nil {
			return err
		}
		v.Elems = plain.Elems
		return v.synced(was)
	}
	if id, ok := i.(string); ok {
		return t.Set(v, id, x)
	}
	n, ok := Int(i)
	if !ok {
		if l, isList := i.(*List); isList {
			return t.putEach(v, l.Elems, x)
		}
		if r, isRange := i.(*Range); isRange {
			return t.replaceRange(v, r, x)
		}
		return noMethod(v, "putAt", []Value{i, x})
	}
	if n >= int64(len(v.Elems)) && v.elem == "" {
		if n >= maxString/16 {
			return fmt.Errorf("%w: a list of %d elements", ErrLimit, n)
		}
		if err := t.grow(int(n)-len(v.Elems)+1, 16); err != nil {
			return err
		}
		for int64(len(v.Elems)) <= n {
			v.Elems = append(v.Elems, nil)
		}
	}
	p, ok := position(n, len(v.Elems))
	if !ok {
		return outside(&List{elem: "x"}, n, len(v.Elems))
	}
	if v.elem != "" {
		var err error
		if x, err = t.coerce(x, v.elem); err != nil {
			return err
		}
	}
	v.Elems[p] = x
	return nil
}

// putEach is list[i, j] = x: each place gets the element of x, or all of them x.
func (t *Thread) putEach(v *List, places []Value, x Value) error {
	from, several := x.(*List)
	if several && len(from.Elems) != len(places) {
		return Throw("IllegalArgumentException", "Trying to replace %d items with %d items", len(places), len(from.Elems))
	}
	if err := t.deeper(8); err != nil { // a place may be a list that holds itself
		return err
	}
	defer t.shallower(8)
	for i, p := range places {
		if several {
			x = from.Elems[i]
		}
		if err := t.listPut(v, p, x); err != nil {
			return err
		}
	}
	return t.charge(len(places))
}

// replaceRange is list[a..b] = x.
func (t *Thread) replaceRange(v *List, r *Range, x Value) error {
	r = r.within(len(v.Elems))
	if r == nil {
		return nil
	}
	from, _ := position(r.From, len(v.Elems))
	to, _ := position(r.To, len(v.Elems))
	from, to = min(from, to), max(from, to)
	if from < 0 || to >= len(v.Elems) || from > to {
		return Throw("IndexOutOfBoundsException", "range %d..%d of %d", r.From, r.To, len(v.Elems))
	}
	list := []Value{x}
	switch x.(type) {
	case *List, *Range, *Set:
		var err error
		if list, err = t.elements(x); err != nil {
			return err
		}
	}
	v.Elems = slices.Replace(v.Elems, from, to+1, list...)
	return t.grow(len(list), 16)
}

// mapGet is a property or element of a map.
func (t *Thread) mapGet(m *Map, k Value) (Value, error) {
	if v, ok := m.Get(k); ok {
		return v, nil
	}
	switch {
	case m.deflt != nil:
		v, err := t.callClosure(m.deflt, []Value{k})
		if err != nil {
			return nil, err
		}
		m.Put(k, v)
		return v, t.grow(1, 64)
	case m.kind == config:
		n := &Map{kind: config}
		m.Put(k, n)
		return n, t.grow(1, 64)
	}
	return nil, nil
}

func (t *Thread) mapPut(m *Map, k, v Value) error {
	if m.frozen {
		return frozen()
	}
	m.Put(k, v)
	return t.grow(1, 64)
}
