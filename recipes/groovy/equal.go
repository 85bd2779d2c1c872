package groovy

import (
	"math/big"
	"reflect"
	"strings"
)

// Equal is Groovy's ==.
func Equal(a, b Value) bool {
	return equal(a, b, &budget{nodes: maxNodes})
}

// budget bounds a comparison of values that contain themselves.
type budget struct {
	nodes, depth int
	java         bool // numbers of different classes differ
}

// javaEqual is Object.equals, which collections look for their elements by.
func javaEqual(a, b Value) bool {
	return equal(a, b, &budget{nodes: maxNodes, java: true})
}

// maxDepth bounds how deep collections nest that are compared.
const maxDepth = 1000

func (n *budget) enter() bool { n.depth++; return n.depth <= maxDepth }
func (n *budget) leave()      { n.depth-- }

func equal(a, b Value, nodes *budget) bool {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return x == y
		}
	case int64:
		if y, ok := b.(int64); ok {
			return x == y
		}
	case Byte:
		if y, ok := b.(Byte); ok {
			return x == y
		}
	}
	if nodes.nodes--; nodes.nodes < 0 {
		return false
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if rankOf(a) > 0 && rankOf(b) > 0 {
		if nodes.java {
			return keyOf(a) == keyOf(b)
		}
		return compareNumbers(a, b) == 0
	}
	a, b = plainString(a), plainString(b)
	switch x := a.(type) {
	case *List:
		y, ok := b.(*List)
		return ok && (x == y || equalLists(x.Elems, y.Elems, nodes))
	case *Set:
		y, ok := b.(*Set)
		return ok && x.m.Len() == y.m.Len() && containsAll(y.m, x.m.Keys())
	case *Map:
		y, ok := b.(*Map)
		return ok && equalMaps(x, y, nodes)
	case *entry:
		y, ok := b.(*entry)
		return ok && equal(x.k, y.k, nodes) && equal(x.val(), y.val(), nodes)
	case *instance:
		if same, ok := x.ownEqual(b, !nodes.java); ok {
			return same
		}
		y, ok := b.(*instance)
		if ok && x.class.valued != nil && x.class == y.class {
			return x == y || equalMaps(x.values(), y.values(), nodes)
		}
	case *Class:
		y, ok := b.(*Class)
		return ok && (x == y || qualifiedClass(x.Name) == qualifiedClass(y.Name))
	case interface{ Equals(Value) bool }:
		return x.Equals(b)
	case interface{ Key() string }:
		y, ok := b.(interface{ Key() string })
		return ok && reflect.TypeOf(a) == reflect.TypeOf(b) && x.Key() == y.Key()
	}
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}

// plainString makes one of the types that equal a String, or a list, of it.
func plainString(v Value) Value {
	switch v := v.(type) {
	case *lazyString, Char:
		return Format(v)
	case *Range:
		return v.small()
	case interface{ Listed() *List }:
		return v.Listed()
	}
	return v
}

func equalLists(a, b []Value, nodes *budget) bool {
	if len(a) != len(b) {
		return false
	}
	defer nodes.leave()
	if !nodes.enter() {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i], nodes) {
			return false
		}
	}
	return true
}

func equalMaps(a, b *Map, nodes *budget) bool {
	if a == b {
		return true
	}
	if a.Len() != b.Len() {
		return false
	}
	defer nodes.leave()
	if !nodes.enter() {
		return false
	}
	for _, s := range a.entries() {
		if v, ok := b.Get(s.k); !ok || !equal(s.v, v, nodes) {
			return false
		}
	}
	return true
}

func containsAll(m *Map, keys []Value) bool {
	for _, k := range keys {
		if _, ok := m.Get(k); !ok {
			return false
		}
	}
	return true
}

// compare is the spaceship operator.
func compare(a, b Value) (int, error) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return cmpInt(x, y), nil
		}
	}
	switch {
	case a == nil && b == nil:
		return 0, nil
	case a == nil:
		return -1, nil
	case b == nil:
		return 1, nil
	case rankOf(a) > 0 && rankOf(b) > 0:
		return compareNumbers(a, b), nil
	}
	a, b = plainString(a), plainString(b)
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return compareText(x, y), nil
		}
	case bool:
		if y, ok := b.(bool); ok {
			switch {
			case x == y:
				return 0, nil
			case y:
				return -1, nil
			}
			return 1, nil
		}
	case Enum:
		if y, ok := b.(Enum); ok && x.Class == y.Class {
			return strings.Compare(x.Name, y.Name), nil
		}
	case *instance:
		if y, ok := b.(*instance); ok && x.ordinal >= 0 && x.class == y.class {
			return x.ordinal - y.ordinal, nil
		}
	case interface{ Compare(Value) (int, bool) }:
		if n, ok := x.Compare(b); ok {
			return n, nil
		}
	}
	if Equal(a, b) {
		return 0, nil
	}
	return 0, Throw("IllegalArgumentException", "Cannot compare %s with value '%s' and %s with value '%s'", TypeName(a), Format(a), TypeName(b), Format(b))
}

// compareText is String.compareTo: the difference of the first characters
// that differ, else of the lengths.
func compareText(a, b string) int {
	x, y := []rune(a), []rune(b)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return int(x[i]) - int(y[i])
		}
	}
	return len(x) - len(y)
}

// identical is Object.is and ===.
func identical(a, b Value) bool {
	if x, ok := a.(*big.Int); ok {
		y, ok := b.(*big.Int)
		return ok && x == y
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}
