package groovy

import (
	"math/big"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// statics makes the static side of a class from tables.
func statics(name string, consts map[string]Value, fns methods) Object {
	return &tableStatics{&Functions{Name: name, Consts: consts}, fns}
}

// tableStatics are the static members of a class of the library. Arguments
// reach them as they are.
type tableStatics struct {
	*Functions
	fns methods
}

// Call calls a static method.
func (s *tableStatics) Call(t *Thread, id string, a []Value) (Value, error) {
	m, ok := s.fns[id]
	if !ok || !m.fits(len(a)) {
		return nil, ErrNoMember
	}
	return m.call(t, nil, a)
}

// fn1 makes a static function of one argument.
func fn1(f func(t *Thread, v Value) (Value, error)) method {
	return function0(1, 1, func(t *Thread, a []Value) (Value, error) { return f(t, a[0]) })
}

// standardClasses are the classes that need nothing of the outside.
func standardClasses() []*Class {
	list := []*Class{configSlurper(), stringClass(), randomClass(), collectionsClass(), arraysClass(), patternClass(), objectsClass(), characterClass(),
		jsonSlurper(), jsonOutput(), templateEngine(), shellClass(), threadClass(), closureClass(), expandoClass(), uuidClass(), formatterClass(), mathContextClass(), tokenizerClass(), evalClass(), bindingClass()}
	list = append(list, numberClasses()...)
	list = append(list, mathClasses()...)
	list = append(list, collectionClasses()...)
	list = append(list, dateClasses()...)
	list = append(list, numberFormatClasses()...)
	list = append(list, enumClasses()...)
	list = append(list, codecClasses()...)
	list = append(list, jsonBuilderClasses()...)
	list = append(list, atomicClasses()...)
	list = append(list, charsetClasses()...)
	for _, n := range []string{"List", "Map", "Collection", "Iterable", "Comparable", "Runnable", "Callable", "Comparator", "CharSequence", "Serializable", "Cloneable", "Iterator", "Queue", "Deque", "SortedMap", "SortedSet", "Appendable", "GroovyObject", "GroovyInterceptable"} {
		list = append(list, &Class{Name: n, Static: &Functions{Name: interfaceType}})
	}
	for _, n := range []string{"Object", "Number", "GString", "Script", "IntRange", "Range", "Void", "Process", "Enum", "Writer", "Reader", "InputStream", "OutputStream"} {
		c := &Class{Name: n}
		if n == "Object" {
			c.New = func(*Thread, []Value) (Value, error) { return &Functions{Name: "java.lang.Object"}, nil }
		}
		list = append(list, c)
	}
	list = append(list, &Class{Name: "Class", Static: statics("java.lang.Class", nil, methods{
		"forName": fn1(func(t *Thread, v Value) (Value, error) {
			if c := t.class(t.unit(), Format(v)); c != nil {
				return c, nil
			}
			return nil, Throw("ClassNotFoundException", "%s", Format(v))
		}),
	})})
	for _, n := range []string{"int", "long", "short", "byte", "char", "boolean", "float", "double", "void"} {
		list = append(list, &Class{Name: n})
	}
	return list
}

func stringClass() *Class {
	return &Class{Name: "String", New: newString, Static: statics("java.lang.String", map[string]Value{"CASE_INSENSITIVE_ORDER": nil}, methods{
		"valueOf": fn1(func(t *Thread, v Value) (Value, error) {
			if l, ok := v.(*List); ok && l.elem == "char" {
				return t.join(l.Elems, "")
			}
			return text(t.toString(v))
		}),
		"copyValueOf": fn1(func(t *Thread, v Value) (Value, error) {
			l, ok := v.(*List)
			if !ok {
				return nil, ErrNoMember
			}
			return t.join(l.Elems, "")
		}),
		"format": function0(1, -1, func(t *Thread, a []Value) (Value, error) {
			return t.sprintf(a)
		}),
		"join": function0(1, -1, func(t *Thread, a []Value) (Value, error) {
			list := a[1:]
			if len(a) == 2 {
				switch a[1].(type) {
				case *List, *Set, *Range:
					var err error
					if list, err = t.elements(a[1]); err != nil {
						return nil, err
					}
				}
			}
			return t.join(list, Format(a[0]))
		}),
	})}
}

func parseBool(_ *Thread, v Value) (Value, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return strings.EqualFold(Format(v), "true"), nil
}

func collectionClasses() []*Class {
	var list []*Class
	list = append(list, &Class{Name: "PriorityQueue", New: priorityQueue})
	for _, n := range []string{"ArrayList", "LinkedList", "Vector", "Stack", "ArrayDeque", "CopyOnWriteArrayList"} {
		list = append(list, &Class{Name: n, New: func(t *Thread, a []Value) (Value, error) {
			l := &List{}
			if n != "ArrayList" {
				l.class = strings.Replace(n, "CopyOnWriteArrayList", "ArrayList", 1)
			}
			if _, size := Int(arg(a, 0)); size || len(a) == 0 {
				return l, t.Alloc(64)
			}
			elems, err := t.elements(a[0])
			l.Elems = slices.Clone(elems)
			return l, first2(err, t.grow(len(elems), 16))
		}})
	}
	for _, n := range []string{"HashSet", "LinkedHashSet", "TreeSet", "Set"} {
		c := &Class{Name: n, New: func(t *Thread, a []Value) (Value, error) {
			s := newSet(setKind(n))
			if s.m.kind == sorted {
				s.m.order = t.sortedBy(comparator(arg(a, 0)))
			}
			if comparator(arg(a, 0)) != nil {
				return s, t.Alloc(64)
			}
			if o, ok := arg(a, 0).(*Set); ok && n == "TreeSet" && o.m.order != nil {
				s.m.order = o.m.order
			}
			if _, size := Int(arg(a, 0)); size || len(a) == 0 {
				return s, t.Alloc(64)
			}
			_, err := t.setAll(s, a[0], true)
			return s, err
		}}
		if n == "Set" {
			c = &Class{Name: n, Static: &Functions{Name: interfaceType}}
		}
		list = append(list, c)
	}
	for _, n := range []string{"HashMap", "LinkedHashMap", "TreeMap", "Properties", "ConfigObject", "Hashtable", "ConcurrentHashMap", "WeakHashMap", "EnumMap"} {
		kind := setKind(n)
		switch n {
		case "ConfigObject":
			kind = config
		case "Hashtable", "WeakHashMap":
			kind = hashed
		case "Properties":
			kind = props
		}
		list = append(list, &Class{Name: n, New: func(t *Thread, a []Value) (Value, error) {
			m := &Map{kind: kind}
			if kind == sorted {
				m.order = t.sortedBy(comparator(arg(a, 0)))
			}
			if o, ok := arg(a, 0).(*Map); ok {
				if o.order != nil && kind == sorted {
					m.order = o.order
				}
				m.putAll(o)
				return m, t.grow(o.Len()+1, 64)
			}
			return m, t.Alloc(64)
		}})
	}
	for _, n := range []string{"StringBuilder", "StringBuffer", "StringWriter"} {
		list = append(list, &Class{Name: n, New: func(t *Thread, a []Value) (Value, error) {
			b := &builder{class: n}
			if _, size := Int(arg(a, 0)); size || len(a) == 0 {
				return b, nil
			}
			return b, t.appendTo(b, a[0])
		}})
	}
	list = append(list, &Class{Name: "StringReader", New: func(t *Thread, a []Value) (Value, error) {
		return &Functions{Name: "java.io.StringReader", Consts: map[string]Value{"text": Format(arg(a, 0))}, Func: func(t *Thread, id string, args []Value) (Value, error) {
			if id == "close" {
				return nil, nil
			}
			return t.CallMethod(Format(arg(a, 0)), id, args)
		}}, nil
	}})
	return append(list, &Class{Name: "PrintWriter", New: func(t *Thread, a []Value) (Value, error) { return arg(a, 0), nil }})
}

func characterClass() *Class {
	is := func(f func(rune) bool) method {
		return fn1(func(_ *Thread, v Value) (Value, error) {
			c, err := toChar(v, "char")
			if err != nil {
				return nil, err
			}
			return f(rune(c.(Char))), nil
		})
	}
	return &Class{Name: "Character", Static: statics("java.lang.Character", nil, methods{
		"isDigit": is(unicode.IsDigit), "isLetter": is(unicode.IsLetter), "isWhitespace": is(unicode.IsSpace), "isUpperCase": is(unicode.IsUpper), "isLowerCase": is(unicode.IsLower),
		"isLetterOrDigit": is(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }),
		"toUpperCase": fn1(func(_ *Thread, v Value) (Value, error) {
			c, err := toChar(v, "char")
			return Char(unicode.ToUpper(rune(toInt(c)))), err
		}),
		"toLowerCase": fn1(func(_ *Thread, v Value) (Value, error) {
			c, err := toChar(v, "char")
			return Char(unicode.ToLower(rune(toInt(c)))), err
		}),
		"getNumericValue": fn1(func(_ *Thread, v Value) (Value, error) {
			c, err := toChar(v, "char")
			if err != nil {
				return nil, err
			}
			n, ok := new(big.Int).SetString(Format(c), 36)
			if !ok {
				return int64(-1), nil
			}
			return n.Int64(), nil
		}),
		"valueOf":  fn1(func(_ *Thread, v Value) (Value, error) { return toChar(v, "char") }),
		"toString": fn1(func(_ *Thread, v Value) (Value, error) { return Format(v), nil }),
	})}
}

func patternClass() *Class {
	return &Class{Name: "Pattern", Static: statics("java.util.regex.Pattern", patternFlags(), methods{
		"compile": function0(1, 2, func(t *Thread, a []Value) (Value, error) {
			src, err := t.toString(a[0])
			if err != nil {
				return nil, err
			}
			flags := int64(0)
			if len(a) == 2 {
				flags = toInt(a[1])
			}
			if flags&^(flagClasses<<1-1) != 0 {
				return nil, Throw("IllegalArgumentException", "Unknown flag 0x%x", flags)
			}
			re, err := t.newPattern(src, int(flags))
			if err != nil {
				return nil, err
			}
			return re, nil
		}),
		"quote": fn1(func(t *Thread, v Value) (Value, error) {
			s, err := t.toString(v)
			return `\Q` + strings.ReplaceAll(s, `\E`, `\E\\E\Q`) + `\E`, err
		}),
		"matches": function0(2, 2, func(t *Thread, a []Value) (Value, error) {
			re, err := t.patternOf(a[0])
			if err != nil {
				return nil, err
			}
			s, err := t.toString(a[1])
			if err != nil {
				return nil, err
			}
			return boolean(t.fits(re, s))
		}),
	})}
}

func objectsClass() *Class {
	return &Class{Name: "Objects", Static: statics("java.util.Objects", nil, methods{
		"equals": function0(2, 2, func(t *Thread, a []Value) (Value, error) { return boolean(t.strictEquals(a[0], a[1])) }),
		"toString": function0(1, 2, func(t *Thread, a []Value) (Value, error) {
			if a[0] == nil && len(a) == 2 {
				return a[1], nil
			}
			return text(t.toString(a[0]))
		}),
		"isNull":   fn1(func(_ *Thread, v Value) (Value, error) { return v == nil, nil }),
		"nonNull":  fn1(func(_ *Thread, v Value) (Value, error) { return v != nil, nil }),
		"hashCode": fn1(func(_ *Thread, v Value) (Value, error) { return int64(hashCode(v)), nil }),
		"hash":     function0(0, -1, func(_ *Thread, a []Value) (Value, error) { return int64(hashCode(NewList(a...))), nil }),
		"requireNonNull": function0(1, 2, func(_ *Thread, a []Value) (Value, error) {
			if a[0] == nil {
				return nil, Throw("NullPointerException", "%s", Format(arg(a, 1)))
			}
			return a[0], nil
		}),
	})}
}

// enumClasses are enumerations of Java that scripts name.
func enumClasses() []*Class {
	var list []*Class
	for name, consts := range map[string]string{
		"RoundingMode": "UP DOWN CEILING FLOOR HALF_UP HALF_DOWN HALF_EVEN UNNECESSARY",
		"TimeUnit":     "NANOSECONDS MICROSECONDS MILLISECONDS SECONDS MINUTES HOURS DAYS",
	} {
		list = append(list, enumClass(name, strings.Fields(consts)))
	}
	return list
}

func enumClass(name string, consts []string) *Class {
	f := &Functions{Name: name, Consts: map[string]Value{}}
	all := NewList()
	for _, n := range consts {
		e := Enum{Class: name, Name: n}
		f.Consts[n] = e
		all.Elems = append(all.Elems, e)
	}
	f.Func = func(_ *Thread, id string, a []Value) (Value, error) {
		switch {
		case id == "values" && len(a) == 0:
			return &List{Elems: slices.Clone(all.Elems), elem: name}, nil
		case id == "valueOf" && len(a) == 1:
			if v, ok := f.Consts[Format(a[0])]; ok {
				return v, nil
			}
			return nil, Throw("IllegalArgumentException", "No enum constant %s.%s", qualifiedClass(name), Format(a[0]))
		}
		return nil, ErrNoMember
	}
	return &Class{Name: name, Static: f}
}

func codecClasses() []*Class {
	return []*Class{
		{Name: "Matcher", Static: statics("java.util.regex.Matcher", nil, methods{"quoteReplacement": fn1(func(_ *Thread, v Value) (Value, error) {
			return strings.NewReplacer(`\`, `\\`, "$", `\$`).Replace(Format(v)), nil
		})})},
		{Name: "URLEncoder", Static: statics("java.net.URLEncoder", nil, methods{"encode": function0(1, 2, func(_ *Thread, a []Value) (Value, error) {
			return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(Format(a[0]))), nil
		})})},
		{Name: "URLDecoder", Static: statics("java.net.URLDecoder", nil, methods{"decode": function0(1, 2, func(_ *Thread, a []Value) (Value, error) {
			s, err := url.QueryUnescape(Format(a[0]))
			if err != nil {
				return nil, Throw("IllegalArgumentException", "URLDecoder: %v", err)
			}
			return s, nil
		})})},
	}
}
