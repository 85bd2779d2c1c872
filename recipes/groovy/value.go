package groovy

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Value is one of nil, bool, int64, float64, string, *List, *Map, *Range,
// *Closure, *Throwable, *Class, Enum, an Object of the embedder, or a value
// private to this package.
type Value any

// Object is a value that the embedder gives to scripts. Its methods return
// ErrNoMember for a name it does not have. Implementations are pointers.
type Object interface {
	Type() string
	Get(t *Thread, name string) (Value, error)
	Set(t *Thread, name string, v Value) error
	Call(t *Thread, name string, args []Value) (Value, error)
}

// Class is a host class: what a script may write after new, and the object
// that its static members are asked of. Both may be nil.
type Class struct {
	Name   string
	New    func(t *Thread, args []Value) (Value, error)
	Static Object
}

// Enum is a constant of an enumeration.
type Enum struct{ Class, Name string }

// List is a mutable list; arrays and sets are lists too.
type List struct {
	Elems []Value
	set   bool
}

// NewList makes a list of vals.
func NewList(vals ...Value) *List { return &List{Elems: vals} }

// Map keeps the order of insertion. An auto map answers an unknown property
// with a new map of its own, as groovy.util.ConfigObject does.
type Map struct {
	keys []Value
	vals map[Value]Value
	auto bool
}

// NewMap makes an empty map.
func NewMap() *Map { return &Map{vals: map[Value]Value{}} }

func mapKey(k Value) Value {
	if k != nil && !reflect.TypeOf(k).Comparable() {
		return Format(k)
	}
	return k
}

// Get returns the value of k.
func (m *Map) Get(k Value) (Value, bool) {
	v, ok := m.vals[mapKey(k)]
	return v, ok
}

// Put sets the value of k.
func (m *Map) Put(k, v Value) {
	k = mapKey(k)
	if _, ok := m.vals[k]; !ok {
		m.keys = append(m.keys, k)
	}
	m.vals[k] = v
}

// Delete removes k and returns what it held.
func (m *Map) Delete(k Value) Value {
	k = mapKey(k)
	v, ok := m.vals[k]
	if ok {
		delete(m.vals, k)
		m.keys = slices.DeleteFunc(m.keys, func(x Value) bool { return x == k })
	}
	return v
}

// Keys are the keys in order of insertion.
func (m *Map) Keys() []Value { return slices.Clone(m.keys) }

// Len is the number of entries.
func (m *Map) Len() int { return len(m.keys) }

func (m *Map) clone() *Map {
	c := NewMap()
	for _, k := range m.keys {
		c.Put(k, m.vals[k])
	}
	return c
}

// entry is a map entry as each and collect see it.
type entry struct {
	m *Map
	k Value
}

// Range is from..to, counting down when to is less than from.
type Range struct{ From, To int64 }

func (r *Range) len() int64 {
	if r.From > r.To {
		return r.From - r.To + 1
	}
	return r.To - r.From + 1
}

func (r *Range) nth(i int64) int64 {
	if r.From > r.To {
		return r.From - i
	}
	return r.From + i
}

// Truth is Groovy truth: null, false, 0, and what is empty are false.
func Truth(v Value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case *List:
		return len(v.Elems) > 0
	case *Map:
		return v.Len() > 0
	case *matcher:
		return v.re.re.FindStringIndex(v.s) != nil
	case *builder:
		return v.b.Len() > 0
	}
	return true
}

// TypeName is the name of the value's class as messages show it.
func TypeName(v Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "java.lang.Boolean"
	case int64:
		if v != int64(int32(v)) {
			return "java.lang.Long"
		}
		return "java.lang.Integer"
	case float64:
		return "java.math.BigDecimal"
	case string:
		return "java.lang.String"
	case *List:
		return "java.util.ArrayList"
	case *Map:
		return "java.util.LinkedHashMap"
	case *entry:
		return "java.util.Map.Entry"
	case *Range:
		return "groovy.lang.IntRange"
	case *Closure:
		return "groovy.lang.Closure"
	case *Throwable:
		return qualified(v.Class)
	case *Class:
		return "java.lang.Class"
	case Enum:
		return v.Class
	case *instance:
		return v.class.decl.id
	case *scriptClass:
		return "java.lang.Class"
	case *regex:
		return "java.util.regex.Pattern"
	case *matcher:
		return "java.util.regex.Matcher"
	case *builder:
		return "java.lang.StringBuilder"
	case Object:
		return v.Type()
	}
	return "java.lang.Object"
}

// Format is the value's toString.
func Format(v Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	f := &formatter{}
	f.value(v, 0, false)
	return f.b.String()
}

// maxNodes bounds a walk over a value that contains itself or shares parts.
const maxNodes = 1 << 18

// formatter bounds depth and size, for values that contain themselves.
type formatter struct {
	b     strings.Builder
	nodes int
}

// over says that the walk has been long enough.
func (f *formatter) over() bool { return f.nodes > maxNodes || f.b.Len() > maxString }

func (f *formatter) value(v Value, depth int, quote bool) {
	if f.nodes++; depth > 32 || f.over() {
		f.b.WriteString("...")
		return
	}
	switch v := v.(type) {
	case nil:
		f.b.WriteString("null")
	case bool:
		f.b.WriteString(strconv.FormatBool(v))
	case int64:
		f.b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		f.b.WriteString(formatFloat(v))
	case string:
		if quote {
			v = "'" + v + "'"
		}
		f.b.WriteString(v)
	case *List:
		f.b.WriteByte('[')
		for i, e := range v.Elems {
			if f.over() {
				break
			}
			if i > 0 {
				f.b.WriteString(", ")
			}
			f.value(e, depth+1, quote)
		}
		f.b.WriteByte(']')
	case *Map:
		f.pairs(v, depth, quote)
	case *entry:
		f.value(v.k, depth+1, quote)
		f.b.WriteByte('=')
		e, _ := v.m.Get(v.k)
		f.value(e, depth+1, quote)
	case *Range:
		fmt.Fprintf(&f.b, "%d..%d", v.From, v.To)
	case *Class:
		f.b.WriteString("class " + v.Name)
	case *scriptClass:
		f.b.WriteString("class " + v.decl.id)
	case Enum:
		f.b.WriteString(v.Name)
	case *regex:
		f.b.WriteString(v.src)
	case *builder:
		f.b.WriteString(v.b.String())
	case fmt.Stringer:
		f.b.WriteString(v.String())
	default:
		f.b.WriteString(TypeName(v) + "@1")
	}
}

func (f *formatter) pairs(m *Map, depth int, quote bool) {
	if m.Len() == 0 {
		f.b.WriteString("[:]")
		return
	}
	f.b.WriteByte('[')
	for i, k := range m.keys {
		if f.over() {
			break
		}
		if i > 0 {
			f.b.WriteString(", ")
		}
		f.value(k, depth+1, quote)
		f.b.WriteByte(':')
		f.value(m.vals[k], depth+1, quote)
	}
	f.b.WriteByte(']')
}

func formatFloat(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// Equal is Groovy's ==.
func Equal(a, b Value) bool {
	nodes := maxNodes
	return equal(a, b, &nodes)
}

func equal(a, b Value, nodes *int) bool {
	if *nodes--; *nodes < 0 {
		return false
	}
	if x, y, ok := floats(a, b); ok {
		return x == y
	}
	if r, ok := a.(*Range); ok {
		a = r.small()
	}
	if r, ok := b.(*Range); ok {
		b = r.small()
	}
	switch a := a.(type) {
	case *List:
		b, ok := b.(*List)
		return ok && slices.EqualFunc(a.Elems, b.Elems, func(x, y Value) bool { return equal(x, y, nodes) })
	case *Map:
		b, ok := b.(*Map)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for _, k := range a.keys {
			if v, ok := b.Get(k); !ok || !equal(a.vals[k], v, nodes) {
				return false
			}
		}
		return true
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}

// small is the range as a list when it is short enough to compare.
func (r *Range) small() Value {
	if r.len() > 10000 {
		return r
	}
	l := &List{}
	for i := range r.len() {
		l.Elems = append(l.Elems, r.nth(i))
	}
	return l
}

func floats(a, b Value) (x, y float64, ok bool) {
	x, ok1 := number(a)
	y, ok2 := number(b)
	return x, y, ok1 && ok2
}

func number(v Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// compare is the spaceship operator.
func compare(a, b Value) (int, error) {
	if i, ok := a.(int64); ok {
		if j, ok := b.(int64); ok {
			switch {
			case i < j:
				return -1, nil
			case i > j:
				return 1, nil
			}
			return 0, nil
		}
	}
	if x, y, ok := floats(a, b); ok {
		switch {
		case x < y:
			return -1, nil
		case x > y:
			return 1, nil
		}
		return 0, nil
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	}
	if x, ok := a.(bool); ok {
		if y, ok := b.(bool); ok {
			switch {
			case x == y:
				return 0, nil
			case y:
				return -1, nil
			}
			return 1, nil
		}
	}
	switch {
	case a == nil && b == nil:
		return 0, nil
	case a == nil:
		return -1, nil
	case b == nil:
		return 1, nil
	}
	return 0, Throw("IllegalArgumentException", "Cannot compare %s with value '%s' and %s with value '%s'", TypeName(a), Format(a), TypeName(b), Format(b))
}
