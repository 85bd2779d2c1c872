package groovy

import (
	"math/big"
	"slices"
)

// Value is one of nil, bool, int64 (an Integer), Long, float64 (a Double),
// *Decimal (a BigDecimal), string, *List, *Set, *Map, *Range, *Closure,
// *Throwable, *Class, Enum, an Object of the embedder, or a value private to
// this package. An int64 that does not fit 32 bits is taken for a Long.
type Value any

// Object is a value that the embedder gives to scripts. Its methods return
// ErrNoMember for a name it does not have. Implementations are pointers.
// Arguments that are whole numbers arrive as int64.
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
	// Members are the names that the class and its objects answer, for
	// [Interp.Check]; nil is not known.
	Members []string
}

// Enum is a constant of an enumeration.
type Enum struct{ Class, Name string }

// Char is a java.lang.Character.
type Char rune

// Float is a java.lang.Float.
type Float float32

// List is a list, or an array when elem names its element type.
type List struct {
	Elems  []Value
	elem   string // "": a list
	class  string // "": java.util.ArrayList
	frozen bool
	view   *view // nil: the list stands for itself
}

// NewList makes a list of vals.
func NewList(vals ...Value) *List { return &List{Elems: slices.Clone(vals)} }

// Set is a set; it keeps the order that the Java class of its kind keeps.
type Set struct {
	m    *Map
	keys bool // of a map, the keySet: it takes no more elements
}

func newSet(kind mapKind, vals ...Value) *Set {
	s := &Set{m: &Map{kind: kind}}
	for _, v := range vals {
		s.m.Put(v, true)
	}
	return s
}

// sizedSet is new HashSet(size) with the elements: their order depends on size.
func sizedSet(l []Value) *Set {
	s := newSet(hashed)
	for s.m.table = 1; s.m.table < len(l); {
		s.m.table *= 2
	}
	for _, v := range l {
		s.m.Put(v, true)
	}
	return s
}

func (s *Set) clone() *Set {
	c := newSet(linkedOr(s.m.kind))
	c.m.order = s.m.order
	for _, k := range s.m.Keys() {
		c.m.Put(k, true)
	}
	return c
}

// entry is a map entry as each and collect see it.
type entry struct {
	m *Map
	k Value
}

func (e *entry) val() Value { v, _ := e.m.Get(e.k); return v }

// Range is from..to of whole numbers, counting down when to is less than from.
type Range struct {
	From, To int64
	open     bool  // made by ..<, whose end was
	end      int64 // this
}

// within is the range for n elements: what ..< leaves out is known only once
// negative ends are counted from the back. Nil: it has no elements.
func (r *Range) within(n int) *Range {
	if !r.open || (r.From < 0) == (r.end < 0) {
		return r
	}
	from, _ := position(r.From, n)
	to, _ := position(r.end, n)
	switch {
	case from == to:
		return nil
	case from < to:
		to--
	default:
		to++
	}
	return &Range{From: int64(from), To: int64(to)}
}

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

// lazyString is a GString that keeps its parts: of a string that holds closures,
// which is made into text anew each time it is read, or in a script that gives
// the values to a database apart from the text.
type lazyString struct {
	parts []Value
	fixed []bool // the part is text of the literal
}

// builder is a StringBuilder, StringBuffer or StringWriter.
type builder struct {
	b     []byte
	class string
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
	case Long:
		return v != 0
	case Byte:
		return v != 0
	case *big.Int:
		return v.Sign() != 0
	case *Decimal:
		return v.sign() != 0
	case float64:
		return v != 0
	case Float:
		return v != 0
	case Char:
		return v != 0
	case string:
		return v != ""
	case *List:
		return len(v.Elems) > 0
	case *Set:
		return v.m.Len() > 0
	case *Map:
		return v.Len() > 0
	case *builder:
		return len(v.b) > 0
	case *iterator:
		return v.i < len(v.list)
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
	case Long:
		return "java.lang.Long"
	case Byte:
		return "java.lang.Byte"
	case *big.Int:
		return "java.math.BigInteger"
	case *Decimal:
		return "java.math.BigDecimal"
	case float64:
		return "java.lang.Double"
	case Float:
		return "java.lang.Float"
	case Char:
		return "java.lang.Character"
	case string:
		return "java.lang.String"
	case *lazyString:
		return "org.codehaus.groovy.runtime.GStringImpl"
	case *List:
		return v.typeName()
	case *Set:
		return v.m.kind.setName()
	case *Map:
		return v.kind.name()
	case *entry:
		return "java.util.LinkedHashMap$Entry"
	case *Range:
		return "groovy.lang.IntRange"
	case *Closure:
		return "groovy.lang.Closure"
	case *Throwable:
		return qualified(v.Class)
	case *Class, *scriptClass:
		return "java.lang.Class"
	case Enum:
		return v.Class
	case *instance:
		return v.class.decl.id
	case *unit:
		return v.name()
	case *regex:
		return "java.util.regex.Pattern"
	case *matcher:
		return "java.util.regex.Matcher"
	case *builder:
		return "java.lang." + v.class
	case Object:
		return v.Type()
	}
	return "java.lang.Object"
}

func (l *List) typeName() string {
	if l.elem != "" {
		return l.elem + "[]"
	}
	if l.class != "" {
		return "java.util." + l.class
	}
	return "java.util.ArrayList"
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
