package groovy

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// coerce fits a value to the type of a variable or parameter, as an
// assignment to a typed variable does; types it does not know pass.
func (t *Thread) coerce(v Value, typ string) (Value, error) {
	switch typ {
	case "", "Object", "def":
		return v, nil
	case "String":
		switch x := v.(type) {
		case nil, string:
			return v, nil
		default:
			return t.toString(x)
		}
	case "boolean", "Boolean":
		if v == nil && typ == "Boolean" {
			return nil, nil
		}
		return boolean(t.truth(v))
	case "char", "Character":
		return toChar(v, typ)
	}
	if typ == "BigDecimal" && rankOf(v) == rankDouble { // exactly what the Double is
		return exactDecimal(v)
	}
	if numberRank(typ) > 0 {
		return coerceNumber(v, typ)
	}
	if v == nil {
		return nil, nil
	}
	if strings.HasSuffix(typ, "[]") {
		switch v.(type) {
		case *List, *Set, *Range:
			return t.toArray(v, strings.TrimSuffix(typ, "[]"))
		}
		return nil, badCast(v, typ)
	}
	return t.coerceObject(v, typ)
}

// coerceObject checks the class of what is no number.
func (t *Thread) coerceObject(v Value, typ string) (Value, error) {
	switch x := v.(type) {
	case *List:
		if instanceOf(v, typ) {
			return v, nil
		}
		if strings.HasSuffix(typ, "Set") || typ == "LinkedList" || typ == "Queue" || typ == "Deque" || typ == "Stack" {
			return t.toCollection(v, typ)
		}
		if c, ok := t.class(t.unit(), typ).(*scriptClass); ok { // Point p = [1, 2]
			return t.construct(c, x.Elems, false)
		}
	case *Map:
		if c, ok := t.class(t.unit(), typ).(*scriptClass); ok {
			return t.mapAs(x, c)
		}
	case *Closure:
		if typ != "Closure" {
			return asInterface(x, typ), nil
		}
	case string:
		if c, ok := t.class(t.unit(), typ).(*scriptClass); ok && c.decl.enum {
			return t.enumOf(c, x)
		}
	case *scriptClass, *Class:
		return v, nil
	}
	if isKnownType(typ) && !t.instanceOf(v, typ) && known(v) {
		return nil, badCast(v, typ)
	}
	return v, nil
}

// known says that the value's class is one of this package's, so that its
// types are certain.
func known(v Value) bool {
	_, host := v.(Object)
	return !host
}

func (t *Thread) unit() *unit {
	if t.frame == nil {
		return nil
	}
	return t.frame.unit
}

func toChar(v Value, typ string) (Value, error) {
	switch x := v.(type) {
	case nil:
		if typ == "Character" {
			return nil, nil
		}
	case Char:
		return x, nil
	case string:
		if utf8.RuneCountInString(x) == 1 {
			r, _ := utf8.DecodeRuneInString(x)
			return Char(r), nil
		}
	default:
		if n, ok := Int(v); ok {
			return Char(rune(n & 0x1fffff)), nil
		}
	}
	return nil, badCast(v, typ)
}

func coerceNumber(v Value, typ string) (Value, error) {
	if v == nil {
		if isPrimitive(typ) {
			return nil, badCast(v, typ)
		}
		return nil, nil
	}
	if rankOf(v) == 0 {
		if s, ok := v.(string); ok && utf8.RuneCountInString(s) == 1 && numberRank(typ) <= rankLong {
			r, _ := utf8.DecodeRuneInString(s)
			return toNumber(int64(r), typ), nil
		}
		return nil, badCast(v, typ)
	}
	return toNumber(v, typ), nil
}

// toNumber casts a number to a numeric type, as Java casts.
func toNumber(v Value, typ string) Value {
	switch typ {
	case "int", "Integer":
		if n, ok := v.(int64); ok && n == int64(int32(n)) {
			return v
		}
		if f, ok := v.(float64); ok {
			return max(min(truncate(f), 1<<31-1), -1<<31)
		}
		return int64(int32(toInt(v)))
	case "short", "Short":
		return int64(int16(toInt(v)))
	case "byte", "Byte":
		return Byte(toInt(v))
	case "long", "Long":
		return Long(toInt(v))
	case "BigInteger":
		return new(big.Int).Set(toBig(v))
	case "BigDecimal":
		return toDecimal(v)
	case "float", "Float":
		f, _ := Number(v)
		return Float(f)
	case "double", "Double":
		f, _ := Number(v)
		return f
	}
	return v
}

func badCast(v Value, typ string) error {
	q := typ
	if !isPrimitive(typ) {
		q = qualifiedClass(typ)
	}
	if v == nil {
		return Throw("GroovyCastException", "Cannot cast object 'null' with class 'null' to class '%s'. Try '%s' instead", q, boxedName(typ))
	}
	return Throw("GroovyCastException", "Cannot cast object '%s' with class '%s' to class '%s'", Format(v), TypeName(v), q)
}

func boxedName(typ string) string { return "java.lang." + boxed(typ) }

// cast is (typ) v.
func (t *Thread) cast(v Value, typ string) (Value, error) {
	if v == nil && !isPrimitive(typ) {
		return nil, nil
	}
	switch v.(type) {
	case *instance:
		if c, ok := t.class(t.unit(), typ).(*scriptClass); ok && !t.isInstance(v, c) {
			return nil, badCast(v, typ)
		}
	}
	return t.coerce(v, typ)
}

// convert is v as typ.
func (t *Thread) convert(v Value, typ string) (Value, error) {
	if v == nil {
		if typ == "boolean" {
			return false, nil
		}
		return nil, nil
	}
	if numberRank(typ) > 0 {
		_, char := v.(Char)
		if s, ok := plainString(v).(string); ok && !char {
			return textToNumber(s, typ)
		}
		return coerceNumber(v, typ)
	}
	if o, ok := v.(*instance); ok {
		if m := o.class.find("asType", []Value{&Class{Name: typ}}); m != nil {
			var c Value = &Class{Name: typ}
			if k := t.class(t.unit(), typ); k != nil {
				c = k
			}
			return t.invokeMethod(o, m, []Value{c})
		}
	}
	switch {
	case strings.HasSuffix(typ, "[]"):
		return t.arrayAs(v, strings.TrimSuffix(typ, "[]"))
	case typ == "List" || typ == "ArrayList" || typ == "Collection" || typ == "LinkedList" || typ == "Iterable" || strings.HasSuffix(typ, "Set") || typ == "Queue" || typ == "Stack":
		return t.toCollection(v, typ)
	case typ == "Map" || strings.HasSuffix(typ, "Map"):
		return t.toMap(v, typ)
	case typ == "Pattern":
		return t.patternValue(v)
	case typ == "File" || typ == "URL" || typ == "URI":
		if c, ok := t.class(t.unit(), typ).(*Class); ok && c.New != nil {
			return c.New(t, []Value{v})
		}
	}
	if m, ok := v.(*Map); ok {
		if c, ok := t.class(t.unit(), typ).(*scriptClass); ok {
			return t.mapAs(m, c)
		}
		return m, nil // methods of an interface are its closures
	}
	return t.coerce(v, typ)
}

// mapAs makes an object of a map: closures are the methods of an interface or
// abstract class, else values are properties.
func (t *Thread) mapAs(m *Map, c *scriptClass) (Value, error) {
	if !c.decl.iface && !c.decl.abstract {
		for _, s := range m.entries() {
			if _, ok := s.v.(*Closure); ok {
				return m, nil
			}
		}
		return t.construct(c, []Value{m}, true)
	}
	return m, nil
}

// asInterface is a closure that stands for an object with one method.
func asInterface(c *Closure, typ string) *Closure {
	d := *c
	d.iface = typ
	return &d
}

func textToNumber(s, typ string) (Value, error) {
	s = strings.TrimSpace(s)
	switch numberRank(typ) {
	case rankInt, rankLong:
		n, err := parseInt(s, numberBits(typ))
		if err != nil {
			return nil, err
		}
		return toNumber(n, typ), nil
	case rankBig:
		n, ok := readWhole(s, 10)
		if !ok {
			return nil, badNumber(s)
		}
		return n, nil
	case rankDecimal:
		d, ok := parseDecimal(s)
		if !ok {
			return nil, badDecimal(s)
		}
		return d, nil
	case rankDouble:
	}
	f, err := parseFloat(s)
	if err != nil {
		return nil, err
	}
	return toNumber(f, typ), nil
}

// readWhole reads a whole number of at most maxScale digits.
func readWhole(s string, base int) (*big.Int, bool) {
	if len(s) > maxScale {
		return nil, false
	}
	return new(big.Int).SetString(s, base)
}

func numberBits(typ string) int {
	switch typ {
	case "long", "Long":
		return 64
	case "short", "Short":
		return 16
	case "byte", "Byte":
		return 8
	}
	return 32
}

func badNumber(s string) error {
	return Throw("NumberFormatException", "For input string: \"%s\"", s)
}

func parseInt(s string, bits int) (Value, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
	if err != nil || strings.Contains(s, "_") {
		return nil, badNumber(s)
	}
	if bits == 64 {
		return Long(n), nil
	}
	return n, nil
}

func parseFloat(s string) (Value, error) {
	s = strings.TrimSpace(s)
	f, err := strconv.ParseFloat(strings.TrimRight(s, "dDfF"), 64)
	if err != nil && f == 0 || strings.ContainsAny(s, "_xXpP") {
		if s == "" {
			return nil, Throw("NumberFormatException", "empty String")
		}
		return nil, badNumber(s)
	}
	return f, nil
}

func (t *Thread) toArray(v Value, elem string) (Value, error) {
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	a := &List{elem: elem, Elems: make([]Value, len(list))}
	for i, x := range list {
		if a.Elems[i], err = t.coerce(x, elem); err != nil {
			return nil, err
		}
	}
	return a, t.grow(len(list), 16)
}

// arrayAs is toArray by as: texts become the numbers that they are of, but for
// those of an array.
func (t *Thread) arrayAs(v Value, elem string) (Value, error) {
	if l, ok := v.(*List); numberRank(elem) == 0 || ok && l.elem != "" {
		return t.toArray(v, elem)
	}
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	for i, x := range list {
		if list[i], err = t.convert(x, elem); err != nil {
			return nil, err
		}
	}
	return t.toArray(&List{Elems: list}, elem)
}

func setKind(typ string) mapKind {
	switch {
	case strings.HasPrefix(typ, "Tree"), strings.HasPrefix(typ, "Sorted"), strings.HasPrefix(typ, "Navigable"):
		return sorted
	case strings.HasPrefix(typ, "Hash"), strings.HasPrefix(typ, "Concurrent"):
		return hashed
	}
	return linked
}

func (t *Thread) toCollection(v Value, typ string) (Value, error) {
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	if err := t.grow(len(list), 64); err != nil {
		return nil, err
	}
	if strings.HasSuffix(typ, "Set") {
		if l, ok := v.(*List); ok && l.elem != "" && typ == "Set" {
			typ = "HashSet" // of an array
		}
		s := newSet(setKind(typ))
		if s.m.kind == sorted {
			s.m.order = t.sortedBy(nil)
		}
		for _, k := range list {
			s.m.Put(k, true)
		}
		return s, nil
	}
	if l, ok := v.(*List); ok && l.elem == "" && l.view == nil && (typ == "List" || typ == "Collection" || typ == "Iterable") {
		return l, nil
	}
	l := NewList(list...)
	if typ == "LinkedList" || typ == "Stack" || typ == "Queue" {
		l.class = strings.Replace(typ, "Queue", "LinkedList", 1)
	}
	return l, nil
}

func (t *Thread) toMap(v Value, typ string) (Value, error) {
	m, ok := v.(*Map)
	if !ok {
		if o, isObject := v.(*instance); isObject {
			return o.fields.clone(), t.grow(o.fields.Len(), 64)
		}
		return nil, badCast(v, typ)
	}
	if typ == "Map" || m.kind == setKind(typ) {
		return m, nil
	}
	c := &Map{kind: setKind(typ)}
	if c.kind == sorted {
		c.order = t.sortedBy(nil)
	}
	c.putAll(m)
	return c, t.grow(c.Len(), 64)
}

// enumOf is the constant of that name.
func (t *Thread) enumOf(c *scriptClass, name string) (Value, error) {
	if v, ok := c.statics.Get(name); ok {
		return v, nil
	}
	return nil, Throw("IllegalArgumentException", "No enum constant %s.%s", c.decl.id, name)
}
