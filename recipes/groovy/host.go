package groovy

import (
	"slices"
	"time"
)

// What an embedder needs to make values of the language of its own, and to
// read them.

// Binder is an Object whose methods get GStrings with their parts; see
// [Thread.Parts].
type Binder interface {
	Object
	Binds()
}

// Attributed is an Object of which x.@name is another thing than x.name: it
// is asked for the name with the @.
type Attributed interface {
	Object
	Attributed()
}

// NewHashMap makes a map that orders its keys as java.util.HashMap.
func NewHashMap() *Map { return &Map{kind: hashed} }

// Parts are the texts of a GString and the values between them, one text more
// than values; false for a value that is none, or has no values. Closures in
// it are called.
func (t *Thread) Parts(v Value) (texts []string, vals []Value, ok bool, err error) {
	g, ok := v.(*lazyString)
	if !ok {
		return nil, nil, false, nil
	}
	text := ""
	for i, p := range g.parts {
		if g.fixed[i] {
			text += p.(string)
			continue
		}
		if c, isClosure := p.(*Closure); isClosure {
			if p, err = t.lazyPart(c); err != nil {
				return nil, nil, false, err
			}
		}
		texts, vals, text = append(texts, text), append(vals, p), ""
	}
	return append(texts, text), vals, true, nil
}

// NewDecimal makes a BigDecimal; false when the text is no number.
func NewDecimal(text string) (Value, bool) {
	d, ok := parseDecimal(text)
	return d, ok
}

// NewBytes makes a byte[].
func NewBytes(b []byte) *List {
	l := &List{Elems: make([]Value, len(b)), elem: "byte"}
	for i, c := range b {
		l.Elems[i] = Byte(c)
	}
	return l
}

// Bytes are the bytes of a byte[]; false for another value.
func Bytes(v Value) ([]byte, bool) {
	l, ok := v.(*List)
	if !ok || l.elem != "byte" {
		return nil, false
	}
	b := make([]byte, len(l.Elems))
	for i, e := range l.Elems {
		b[i] = byte(toInt(e))
	}
	return b, true
}

// NewTimestamp makes a java.sql.Timestamp, or with day a java.sql.Date.
func NewTimestamp(t time.Time, day bool) *Date {
	return &Date{t: t, class: choose(day, "java.sql.Date", "java.sql.Timestamp")}
}

// Array makes an array of a class.
func Array(class string, vals ...Value) *List { return &List{Elems: slices.Clone(vals), elem: class} }

// Params is the number of a closure's parameters.
func (c *Closure) Params() int {
	if c.native != nil {
		return max(c.takes, 1)
	}
	return max(len(c.lit.fn.params)-len(c.curried), 0)
}
