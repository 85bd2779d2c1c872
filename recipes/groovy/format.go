package groovy

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Format is the value's toString. It does not run code of the script; the
// interpreter does, where a class defines toString.
func Format(v Value) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	f := &formatter{}
	f.value(v, 0)
	return f.b.String()
}

// maxNodes bounds a walk over a value that contains itself or shares parts.
const maxNodes = 1 << 18

// formatter bounds depth and size, for values that contain themselves.
type formatter struct {
	b       strings.Builder
	nodes   int
	inspect bool    // as inspect() does: strings in quotes
	keys    bool    // exact, for keys of maps
	java    bool    // as Java's toString does: a map is {a=1}
	t       *Thread // runs toString methods of classes; nil does not
	err     error
	path    []Value // collections that are being formatted
}

// over says that the walk has been long enough.
func (f *formatter) over() bool {
	return f.nodes > maxNodes || f.b.Len() > maxString || f.err != nil
}

func (f *formatter) value(v Value, depth int) {
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
		f.tag('i')
		f.b.WriteString(strconv.FormatInt(v, 10))
	case Long:
		f.tag('l')
		f.b.WriteString(strconv.FormatInt(int64(v), 10))
	case Byte:
		f.tag('b')
		f.b.WriteString(strconv.Itoa(int(v)))
	case *big.Int:
		f.b.WriteString(v.String())
	case float64:
		f.b.WriteString(formatDouble(v))
	case Float:
		f.b.WriteString(formatBinary(float64(v), 32))
	case string:
		f.text(v)
	case *List:
		if v.elem == "char" && !f.keys {
			for _, c := range v.Elems {
				f.value(c, depth+1)
			}
			return
		}
		f.list(v, v.Elems, depth)
	case *Set:
		f.list(v, v.m.Keys(), depth)
	case *Map:
		f.pairs(v, depth)
	case *entry:
		f.value(v.k, depth+1)
		f.b.WriteByte('=')
		f.value(v.val(), depth+1)
	case *Range:
		f.rangeOf(v, depth)
	case *lazyString:
		for _, p := range v.parts {
			f.part(p, depth)
		}
	case *instance:
		f.object(v, depth)
	case interface {
		Shown(t *Thread) (string, error)
	}:
		f.shown(v.Shown)
	case interface{ Listed() *List }:
		f.value(v.Listed(), depth)
	case *atomic:
		f.value(v.v, depth+1)
	default:
		f.b.WriteString(plainText(v))
	}
}

// shown writes what an Object makes of itself when it is asked for its text.
func (f *formatter) shown(of func(*Thread) (string, error)) {
	if f.t == nil || f.err != nil {
		f.b.WriteString("...")
		return
	}
	if f.err = f.t.deeper(64); f.err != nil { // it may hold itself
		return
	}
	defer f.t.shallower(64)
	var s string
	s, f.err = of(f.t)
	f.b.WriteString(s)
}

func (f *formatter) tag(c byte) {
	if f.keys {
		f.b.WriteByte(c)
	}
}

// plainText formats values that contain no others.
func plainText(v Value) string {
	switch v := v.(type) {
	case Char:
		return string(rune(v))
	case *Class:
		if v.Static != nil && v.Static.Type() == interfaceType {
			return "interface " + qualifiedClass(v.Name)
		}
		if isPrimitive(v.Name) {
			return v.Name
		}
		if knownException(v.Name) {
			return "class " + qualified(v.Name)
		}
		return "class " + qualifiedClass(v.Name)
	case *scriptClass:
		if v.decl.iface {
			return "interface " + v.decl.id
		}
		return "class " + v.decl.id
	case Enum:
		return v.Name
	case *regex:
		return v.src
	case *matcher:
		return v.String()
	case *builder:
		return string(v.b)
	case *Closure:
		return v.unit.name() + "$_closure1@1"
	case fmt.Stringer:
		return v.String()
	}
	return TypeName(v) + "@1"
}

func (f *formatter) text(s string) {
	switch {
	case f.keys:
		f.b.WriteString(strconv.Quote(s))
	case f.inspect:
		f.b.WriteString("'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + "'")
	default:
		f.b.WriteString(s)
	}
}

// part is a piece of a string that holds closures.
func (f *formatter) part(p Value, depth int) {
	c, ok := p.(*Closure)
	if !ok {
		f.value(p, depth+1)
		return
	}
	if f.t == nil {
		f.b.WriteString(plainText(c))
		return
	}
	v, err := f.t.lazyPart(c)
	if err != nil {
		f.err = err
		return
	}
	f.value(v, depth+1)
}

// object asks the class of a script how to show its instance.
func (f *formatter) object(o *instance, depth int) {
	if f.keys {
		f.b.WriteString(o.class.decl.id)
		f.pairs(o.values(), depth)
		return
	}
	if f.t != nil {
		s, ok, err := f.t.ownString(o)
		if err != nil {
			f.err = err
			return
		}
		if ok {
			f.b.WriteString(s)
			return
		}
	}
	f.b.WriteString(o.String())
}

// inside says whether v is being formatted already, and marks it.
func (f *formatter) inside(v Value) bool {
	for _, p := range f.path {
		if p == v {
			return true
		}
	}
	return false
}

func (f *formatter) list(v Value, elems []Value, depth int) {
	if f.inside(v) {
		f.b.WriteString("(this Collection)")
		return
	}
	f.path = append(f.path, v)
	f.b.WriteByte('[')
	for i, e := range elems {
		if f.over() {
			break
		}
		if i > 0 {
			f.b.WriteString(", ")
		}
		f.value(e, depth+1)
	}
	f.b.WriteByte(']')
	f.path = f.path[:len(f.path)-1]
}

// rangeOf is the list that the range is; a long one is shown by its ends.
func (f *formatter) rangeOf(r *Range, depth int) {
	if l, ok := r.small().(*List); ok && !f.inspect && !f.java {
		f.list(r, l.Elems, depth)
		return
	}
	fmt.Fprintf(&f.b, "%d..%d", r.From, r.To)
}

func (f *formatter) pairs(m *Map, depth int) {
	open, is, end := "[", ":", "]"
	if f.java {
		open, is, end = "{", "=", "}"
	}
	if m.Len() == 0 {
		f.b.WriteString(choose(f.java, "{}", "[:]"))
		return
	}
	if f.inside(m) {
		f.b.WriteString("(this Map)")
		return
	}
	f.path = append(f.path, m)
	f.b.WriteString(open)
	for i, s := range m.entries() {
		if f.over() {
			break
		}
		if i > 0 {
			f.b.WriteString(", ")
		}
		f.value(s.k, depth+1)
		f.b.WriteString(is)
		f.value(s.v, depth+1)
	}
	f.b.WriteString(end)
	f.path = f.path[:len(f.path)-1]
}

// qualifiedClass is a class's name with its package.
func qualifiedClass(name string) string {
	if q, ok := classPackages()[name]; ok {
		return q + "." + name
	}
	return name
}
