package groovy

import (
	"math"
	"strconv"
	"strings"
)

// coerce fits a value to the type of a variable or parameter, as an
// assignment to a typed variable does; types it does not know pass.
func (t *Thread) coerce(v Value, typ string) (Value, error) {
	switch typ {
	case "String":
		if v == nil {
			return nil, nil
		}
		return t.toString(v)
	case "int", "long", "short", "byte", "Integer", "Long", "Short", "BigInteger":
		switch v := v.(type) {
		case nil:
			if typ[0] >= 'A' && typ[0] <= 'Z' {
				return nil, nil
			}
		case int64:
			return v, nil
		case float64:
			return truncate(v), nil
		}
		return nil, badCast(v, typ)
	case "float", "double", "Float", "Double", "BigDecimal":
		if f, ok := number(v); ok {
			return f, nil
		}
		if v == nil {
			return nil, nil
		}
		return nil, badCast(v, typ)
	case "boolean":
		return Truth(v), nil
	case "Boolean":
		if v == nil {
			return nil, nil
		}
		return Truth(v), nil
	}
	return v, nil
}

func badCast(v Value, typ string) error {
	return Throw("GroovyCastException", "Cannot cast object '%s' with class '%s' to class '%s'", Format(v), TypeName(v), typ)
}

func truncate(f float64) int64 {
	if f != f || math.Abs(f) >= 1<<62 {
		return 0
	}
	return int64(f)
}

// convert is "v as typ" and the cast "(typ) v".
func (t *Thread) convert(v Value, typ string) (Value, error) {
	switch typ {
	case "int", "long", "short", "byte", "Integer", "Long", "Short", "BigInteger":
		if s, ok := v.(string); ok {
			return parseInt(s)
		}
	case "float", "double", "Float", "Double", "BigDecimal":
		if s, ok := v.(string); ok {
			return parseFloat(s)
		}
	case "List", "ArrayList", "Collection", "LinkedList", "String[]", "Object[]", "int[]", "long[]", "Set", "HashSet", "LinkedHashSet", "TreeSet":
		if v == nil {
			return nil, nil
		}
		list, err := t.elements(v)
		if err != nil {
			return nil, err
		}
		l := &List{set: strings.HasSuffix(typ, "Set")}
		for _, x := range list {
			if typ == "String[]" {
				x = Format(x)
			}
			if !l.set || !contains(l.Elems, x) {
				l.Elems = append(l.Elems, x)
			}
			if err := t.Alloc(16 + len(l.Elems)/8); err != nil {
				return nil, err
			}
		}
		return l, nil
	case "Map", "HashMap", "LinkedHashMap", "Closure", "Object":
		return v, nil
	}
	return t.coerce(v, typ)
}

func contains(list []Value, x Value) bool {
	for _, v := range list {
		if Equal(v, x) {
			return true
		}
	}
	return false
}

func parseInt(s string) (Value, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return nil, Throw("NumberFormatException", "For input string: \"%s\"", s)
	}
	return n, nil
}

func parseFloat(s string) (Value, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return nil, Throw("NumberFormatException", "For input string: \"%s\"", s)
	}
	return f, nil
}

// instanceOf says whether v is a typ, named as scripts name it.
func instanceOf(v Value, typ string) bool {
	if v == nil {
		return false
	}
	typ = lastName(typ)
	if typ == "Object" {
		return true
	}
	switch v := v.(type) {
	case string:
		return typ == "String" || typ == "CharSequence" || typ == "GString"
	case bool:
		return typ == "Boolean"
	case int64:
		return typ == "Integer" || typ == "Long" || typ == "Number"
	case float64:
		return typ == "BigDecimal" || typ == "Double" || typ == "Float" || typ == "Number"
	case *List:
		return typ == "Collection" || typ == "Iterable" || v.set && strings.HasSuffix(typ, "Set") || !v.set && (typ == "List" || typ == "ArrayList")
	case *Range:
		return typ == "List" || typ == "Collection" || typ == "Range" || typ == "IntRange"
	case *Map:
		return typ == "Map" || typ == "HashMap" || typ == "LinkedHashMap" || v.auto && typ == "ConfigObject"
	case *Closure:
		return typ == "Closure"
	case *Throwable:
		return isException(v.Class, typ)
	case *instance:
		ok := false
		v.class.chain(func(c *scriptClass) bool {
			ok = ok || c.decl.id == typ || c.decl.super == typ
			return ok
		})
		return ok
	}
	return lastName(TypeName(v)) == typ
}
