package groovy

// pick chooses the overload for the arguments: of those that take their
// number the one whose parameter types are nearest. Nil when none fits.
func pick(list []*methodDecl, args []Value) *methodDecl {
	if len(list) == 1 {
		fn := list[0].fn
		if !fits(fn, args) || fn.typed && distance(fn, args) < 0 {
			return nil
		}
		return list[0]
	}
	var best *methodDecl
	least := int(^uint(0) >> 1)
	for _, m := range list {
		if d := distance(m.fn, args); d >= 0 && d < least {
			best, least = m, d
		}
	}
	return best
}

func pickBound(list []*boundMethod, args []Value) *boundMethod {
	var best *boundMethod
	least := int(^uint(0) >> 1)
	for _, m := range list {
		if d := distance(m.fn, args); d >= 0 && d < least && !m.abstract {
			best, least = m, d
		}
	}
	return best
}

// fits says whether a function takes the number of arguments; a call without
// any passes null to a function of one parameter.
func fits(fn *function, args []Value) bool {
	return fn.takes(len(args)) || len(args) == 0 && len(fn.params) == 1
}

// distance is how far the arguments are from the parameters' types; -1 when
// they do not fit.
func distance(fn *function, args []Value) int {
	if !fits(fn, args) {
		return -1
	}
	if len(args) > 0 && len(fn.params) == 0 {
		return -1
	}
	d := 0
	if len(args) != len(fn.params) {
		d = 100
	}
	if !fn.takes(len(args)) { // null is passed
		d += 100
	}
	optional := len(args) - fn.least // as bindSome hands them out
	next := 0
	for _, a := range args {
		for next < len(fn.params)-1 && fn.params[next].deflt != nil && optional <= 0 {
			next++
		}
		p := fn.params[min(next, len(fn.params)-1)]
		if p.deflt != nil {
			optional--
		}
		if !p.rest {
			next++
		}
		if p.rest {
			d += 50
			if l, ok := a.(*List); ok && l.elem != "" {
				if l.elem != p.typ && p.typ != "" && p.typ != "Object" {
					d += 30
				}
				continue
			}
		}
		n := typeDistance(a, p.typ)
		if n < 0 {
			return -1
		}
		d += n
	}
	return d
}

// typeDistance is 0 for the value's own class and more for each step away.
func typeDistance(v Value, typ string) int {
	switch typ {
	case "", "Object", "def":
		if v == nil {
			return 0
		}
		return 40
	}
	if len(typ) <= 2 && isUpper(typ) { // a type parameter
		return 40
	}
	if v == nil {
		if isPrimitive(typ) {
			return -1
		}
		return 10
	}
	own := lastName(TypeName(v))
	if boxed(typ) == own {
		if isPrimitive(typ) {
			return 1
		}
		return 0
	}
	if rk := rankOf(v); rk > 0 && numberRank(typ) > 0 {
		if to := numberRank(typ); to >= rk {
			return 2 + int(to-rk)
		}
		if rk == rankDouble && typ == "BigDecimal" { // a fraction becomes one
			return 12
		}
		return -1
	}
	if instanceOf(v, typ) {
		switch typ {
		case "Collection", "Iterable", "Number", "CharSequence", "Serializable", "Comparable":
			return 8
		}
		return 4
	}
	switch typ {
	case "String":
		if _, ok := v.(*lazyString); ok {
			return 3
		}
	case "Closure", "Runnable", "Callable", "Comparator":
		if _, ok := v.(*Closure); ok {
			return 5
		}
	}
	switch v := v.(type) {
	case *instance:
		for n, c := 1, v.class; c != nil; n, c = n+1, c.parent {
			if c.decl.id == typ {
				return n
			}
		}
		if v.class.implements(typ) || v.class.extends(typ) {
			return 9
		}
	case *Closure: // a closure stands for an interface of one method
		if !isKnownType(typ) {
			return 20
		}
	case Object:
		if lastName(v.Type()) == typ || !isKnownType(typ) {
			return 6
		}
	}
	return -1
}

func isKnownType(typ string) bool {
	return isPrimitive(typ) || classPackages()[typ] != "" || typ == "Object"
}

func numberRank(typ string) rank {
	switch typ {
	case "int", "Integer", "short", "Short", "byte", "Byte":
		return rankInt
	case "long", "Long":
		return rankLong
	case "BigInteger":
		return rankBig
	case "BigDecimal":
		return rankDecimal
	case "double", "Double", "float", "Float":
		return rankDouble
	}
	return 0
}

// boxed is the class of a primitive type.
func boxed(typ string) string {
	switch typ {
	case "int", "short", "Short":
		return "Integer"
	case "byte":
		return "Byte"
	case "long":
		return "Long"
	case "char":
		return "Character"
	case "boolean":
		return "Boolean"
	case "float":
		return "Float"
	case "double":
		return "Double"
	}
	return typ
}
