package groovy

import (
	"slices"
	"strings"
)

// iterMethod are the methods that every collection shares. A closure that
// takes two parameters gets key and value of a map.
func (t *Thread) iterMethod(v Value, id string, args []Value) (Value, error) {
	var c *Closure
	if len(args) > 0 {
		c, _ = args[len(args)-1].(*Closure)
	}
	switch id {
	case "each", "eachWithIndex", "reverseEach", "collect", "collectEntries", "collectMany", "find", "findAll", "grep", "findIndexOf", "findResult",
		"any", "every", "inject", "sum", "count", "min", "max", "sort", "toSorted", "unique", "groupBy", "join", "removeAll", "retainAll", "partition", "split", "countBy":
	default:
		return nil, ErrNoMember
	}
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	if err := t.grow(len(list), 16); err != nil {
		return nil, err
	}
	switch id {
	case "join":
		sep := ""
		if len(args) > 0 {
			sep = Format(args[0])
		}
		return t.join(list, sep)
	case "sum", "count", "min", "max":
		return t.aggregate(list, id, args, c)
	case "sort", "toSorted":
		return t.sort(v, list, args, c)
	case "unique":
		return t.unique(v, list, c)
	case "inject":
		return t.inject(list, args, c)
	case "collect", "findAll", "any", "every", "find", "grep":
		if c == nil && len(args) == 0 {
			return t.byTruth(list, id)
		}
		if id == "grep" && c == nil {
			out := NewList()
			for _, x := range list {
				ok, err := t.isCase(args[0], x)
				if err != nil {
					return nil, err
				}
				if ok {
					out.Elems = append(out.Elems, x)
				}
			}
			return out, nil
		}
	}
	if c == nil {
		return nil, ErrNoMember
	}
	return t.iterate(v, list, id, c)
}

// apply calls a closure with an element; a map entry gives key and value to
// a closure of two parameters.
func (t *Thread) apply(c *Closure, x Value) (Value, error) {
	if err := t.step(c.lit.pos); err != nil {
		return nil, err
	}
	if e, ok := x.(*entry); ok && c.arity() == 2 {
		return t.Call(c, e.k, e.m.vals[e.k])
	}
	return t.Call(c, x)
}

func (t *Thread) iterate(v Value, list []Value, id string, c *Closure) (Value, error) {
	src, isMap := v.(*Map)
	out, outMap := NewList(), NewMap()
	if id == "reverseEach" {
		slices.Reverse(list)
	}
	no := NewList()
	for i, x := range list {
		var y Value
		var err error
		if id == "eachWithIndex" {
			if e, ok := x.(*entry); ok && c.arity() == 3 {
				y, err = t.Call(c, e.k, e.m.vals[e.k], int64(i))
			} else {
				y, err = t.Call(c, x, int64(i))
			}
		} else {
			y, err = t.apply(c, x)
		}
		if err != nil {
			return nil, err
		}
		switch id {
		case "collect":
			out.Elems = append(out.Elems, y)
		case "collectMany":
			more, err := t.elements(y)
			if err != nil {
				return nil, err
			}
			out.Elems = append(out.Elems, more...)
			if err := t.grow(len(more), 16); err != nil {
				return nil, err
			}
		case "collectEntries":
			putEntry(outMap, y)
		case "groupBy":
			g, _ := outMap.Get(y)
			l, ok := g.(*List)
			if !ok {
				l = NewList()
				outMap.Put(y, l)
			}
			l.Elems = append(l.Elems, x)
		case "countBy":
			n, _ := outMap.Get(y)
			k, _ := n.(int64)
			outMap.Put(y, k+1)
		case "findResult":
			if y != nil {
				return y, nil
			}
		}
		done, result := t.found(id, x, y, i, src, out, outMap, no)
		if done {
			return result, nil
		}
	}
	return iterResult(v, id, out, outMap, no, isMap)
}

// found handles the methods that test each element.
func (t *Thread) found(id string, x, y Value, i int, src *Map, out *List, outMap *Map, no *List) (bool, Value) {
	switch ok := Truth(y); {
	case id == "find" && ok:
		return true, x
	case id == "findIndexOf" && ok:
		return true, int64(i)
	case id == "any" && ok:
		return true, true
	case id == "every" && !ok:
		return true, false
	case id == "findAll" || id == "grep" || id == "retainAll" || id == "split" || id == "partition":
		if !ok {
			no.Elems = append(no.Elems, x)
			break
		}
		out.Elems = append(out.Elems, x)
		if e, isEntry := x.(*entry); isEntry && src != nil {
			outMap.Put(e.k, e.m.vals[e.k])
		}
	case id == "removeAll" && !ok:
		out.Elems = append(out.Elems, x)
	}
	return false, nil
}

func iterResult(v Value, id string, out *List, outMap *Map, no *List, isMap bool) (Value, error) {
	switch id {
	case "each", "eachWithIndex", "reverseEach":
		return v, nil
	case "find", "findResult":
		return nil, nil
	case "findIndexOf":
		return int64(-1), nil
	case "any":
		return false, nil
	case "every":
		return true, nil
	case "collectEntries", "groupBy", "countBy":
		return outMap, nil
	case "split", "partition":
		return NewList(out, no), nil
	case "removeAll", "retainAll":
		if l, ok := v.(*List); ok {
			changed := len(l.Elems) != len(out.Elems)
			l.Elems = out.Elems
			return changed, nil
		}
		return nil, ErrNoMember
	case "findAll":
		if isMap {
			return outMap, nil
		}
	}
	return out, nil
}

func putEntry(m *Map, y Value) {
	switch y := y.(type) {
	case *List:
		if len(y.Elems) == 2 {
			m.Put(y.Elems[0], y.Elems[1])
		}
	case *Map:
		for _, k := range y.keys {
			m.Put(k, y.vals[k])
		}
	case *entry:
		m.Put(y.k, y.m.vals[y.k])
	}
}

func (t *Thread) byTruth(list []Value, id string) (Value, error) {
	out := NewList()
	for _, x := range list {
		if Truth(x) {
			out.Elems = append(out.Elems, x)
		}
	}
	switch id {
	case "any":
		return len(out.Elems) > 0, nil
	case "every":
		return len(out.Elems) == len(list), nil
	case "find":
		if len(out.Elems) > 0 {
			return out.Elems[0], nil
		}
		return nil, nil
	case "collect":
		return NewList(list...), nil
	}
	return out, nil
}

func (t *Thread) inject(list []Value, args []Value, c *Closure) (Value, error) {
	if c == nil {
		return nil, ErrNoMember
	}
	var acc Value
	switch {
	case len(args) == 2:
		acc = args[0]
	case len(list) > 0:
		acc, list = list[0], list[1:]
	}
	for _, x := range list {
		var err error
		if e, ok := x.(*entry); ok && c.arity() == 3 {
			acc, err = t.Call(c, acc, e.k, e.m.vals[e.k])
		} else {
			acc, err = t.Call(c, acc, x)
		}
		if err != nil {
			return nil, err
		}
	}
	return acc, nil
}

// aggregate is sum, count, min and max.
func (t *Thread) aggregate(list []Value, id string, args []Value, c *Closure) (Value, error) {
	t.steps += int64(len(list)) / 4
	if id == "count" {
		n := int64(0)
		for _, x := range list {
			ok := Equal(x, arg(args, 0))
			if c != nil {
				v, err := t.apply(c, x)
				if err != nil {
					return nil, err
				}
				ok = Truth(v)
			}
			if ok {
				n++
			}
		}
		return n, nil
	}
	var best, bestKey Value
	for i, x := range list {
		key := x
		if c != nil {
			var err error
			if key, err = t.apply(c, x); err != nil {
				return nil, err
			}
		}
		if i == 0 {
			best, bestKey = x, key
			continue
		}
		if id == "sum" {
			var err error
			if bestKey, err = t.operate("+", bestKey, key); err != nil {
				return nil, err
			}
			continue
		}
		n, err := compare(key, bestKey)
		if err != nil {
			return nil, err
		}
		if id == "min" && n < 0 || id == "max" && n > 0 {
			best, bestKey = x, key
		}
	}
	if id == "sum" {
		return bestKey, nil
	}
	return best, nil
}

// sort sorts by value, by key closure or by comparing closure; unless told
// false it also sorts a list in place, as Groovy does.
func (t *Thread) sort(v Value, list []Value, args []Value, c *Closure) (Value, error) {
	var fault error
	cmp := func(a, b Value) int {
		if fault != nil {
			return 0
		}
		var n int
		switch {
		case c == nil:
			n, fault = compare(a, b)
		case c.arity() == 2:
			var r Value
			r, fault = t.Call(c, a, b)
			k, _ := r.(int64)
			n = int(k)
		default:
			var x, y Value
			if x, fault = t.apply(c, a); fault == nil {
				if y, fault = t.apply(c, b); fault == nil {
					n, fault = compare(x, y)
				}
			}
		}
		return n
	}
	if _, isMap := v.(*Map); isMap && c == nil {
		cmp = func(a, b Value) int { return strings.Compare(Format(a.(*entry).k), Format(b.(*entry).k)) }
	}
	slices.SortStableFunc(list, cmp)
	if fault != nil {
		return nil, fault
	}
	switch v := v.(type) {
	case *List:
		if len(args) == 0 || args[0] != Value(false) {
			v.Elems = list
			return v, nil
		}
	case *Map:
		m := NewMap()
		for _, x := range list {
			putEntry(m, x)
		}
		return m, nil
	}
	return &List{Elems: list}, nil
}

func (t *Thread) unique(v Value, list []Value, c *Closure) (Value, error) {
	var keys []Value
	out := NewList()
	for _, x := range list {
		key := x
		if c != nil {
			var err error
			if key, err = t.apply(c, x); err != nil {
				return nil, err
			}
		}
		if err := t.Alloc(16 + len(keys)); err != nil {
			return nil, err
		}
		if !contains(keys, key) {
			keys = append(keys, key)
			out.Elems = append(out.Elems, x)
		}
	}
	if l, ok := v.(*List); ok {
		l.Elems = out.Elems
	}
	return out, nil
}
