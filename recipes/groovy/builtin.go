package groovy

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mrand "math/rand/v2"
	"strings"
)

// builtin are the functions that every script has.
func (t *Thread) builtin(id string, args []Value) (Value, error) {
	switch id {
	case "println":
		if len(args) == 0 {
			return nil, t.Print("\n")
		}
		s, err := t.toString(args[0])
		if err != nil {
			return nil, err
		}
		return nil, t.Print(s + "\n")
	case "print":
		s, err := t.toString(arg(args, 0))
		if err != nil {
			return nil, err
		}
		return nil, t.Print(s)
	case "printf":
		v, err := t.sprintf(args)
		if err != nil {
			return nil, err
		}
		return nil, t.Print(Format(v))
	case "sprintf":
		return t.sprintf(args)
	case "sleep":
		if len(args) > 0 {
			return nil, t.sleep(args[0])
		}
	}
	return nil, ErrNoMember
}

func (t *Thread) sleep(ms Value) error {
	n, ok := number(ms)
	if !ok {
		return Throw("IllegalArgumentException", "sleep(%s)", Format(ms))
	}
	if t.in.Sleep == nil {
		return Throw("UnsupportedOperationException", "sleep is not available here")
	}
	return t.in.Sleep(t.ctx, truncate(n))
}

// Functions is an Object of functions and constants, for a Class's Static.
type Functions struct {
	Name   string
	Func   func(t *Thread, name string, args []Value) (Value, error) // nil has none
	Consts map[string]Value
}

// Type is the name of the class.
func (f *Functions) Type() string { return f.Name }

// Get reads a constant.
func (f *Functions) Get(_ *Thread, name string) (Value, error) {
	if v, ok := f.Consts[name]; ok {
		return v, nil
	}
	return nil, ErrNoMember
}

// Set refuses: constants stay.
func (f *Functions) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a function.
func (f *Functions) Call(t *Thread, name string, args []Value) (Value, error) {
	if f.Func == nil {
		return nil, ErrNoMember
	}
	return f.Func(t, name, args)
}

func knownException(id string) bool {
	return strings.HasSuffix(id, "Exception") || strings.HasSuffix(id, "Error") || id == "Throwable"
}

// standardClass is a class that needs nothing of the outside; nil for others.
func standardClass(id string) *Class {
	c := &Class{Name: id}
	fn := func(f func(t *Thread, name string, args []Value) (Value, error), consts map[string]Value) *Class {
		c.Static = &Functions{Name: id, Func: f, Consts: consts}
		return c
	}
	switch id {
	case "ArrayList", "LinkedList", "Vector", "HashSet", "LinkedHashSet", "TreeSet", "Stack":
		c.New = func(t *Thread, args []Value) (Value, error) {
			if _, size := arg(args, 0).(int64); size || len(args) == 0 {
				return &List{set: strings.HasSuffix(id, "Set")}, nil
			}
			return t.convert(args[0], id)
		}
		return c
	case "HashMap", "LinkedHashMap", "TreeMap", "Properties", "ConfigObject", "Hashtable", "ConcurrentHashMap":
		c.New = func(t *Thread, args []Value) (Value, error) {
			m := NewMap()
			m.auto = id == "ConfigObject"
			if o, ok := arg(args, 0).(*Map); ok {
				return t.mapOp("<<", m, o)
			}
			return m, nil
		}
		return c
	case "StringBuilder", "StringBuffer", "StringWriter":
		c.New = func(t *Thread, args []Value) (Value, error) {
			b := &builder{}
			if s, ok := arg(args, 0).(string); ok {
				return b, t.appendTo(b, s)
			}
			return b, nil
		}
		return c
	case "String":
		c.New = func(t *Thread, args []Value) (Value, error) {
			if len(args) == 0 {
				return "", nil
			}
			return t.toString(args[0])
		}
		return fn(stringStatic, nil)
	case "Integer", "Long", "Short":
		return fn(integerStatic, map[string]Value{"MAX_VALUE": maxOf(id), "MIN_VALUE": -maxOf(id) - 1})
	case "Boolean":
		return fn(func(_ *Thread, name string, args []Value) (Value, error) {
			if name == "parseBoolean" || name == "valueOf" {
				return strings.EqualFold(Format(arg(args, 0)), "true"), nil
			}
			return nil, ErrNoMember
		}, map[string]Value{"TRUE": true, "FALSE": false})
	case "Double", "Float", "BigDecimal":
		return fn(func(_ *Thread, name string, args []Value) (Value, error) {
			if strings.HasPrefix(name, "parse") || name == "valueOf" {
				return parseFloat(Format(arg(args, 0)))
			}
			return nil, ErrNoMember
		}, nil)
	case "Math":
		return fn(mathStatic, map[string]Value{"PI": math.Pi, "E": math.E})
	case "Random":
		c.New = func(*Thread, []Value) (Value, error) {
			return &Functions{Name: "java.util.Random", Func: random}, nil
		}
		return c
	case "UUID":
		return fn(func(_ *Thread, name string, _ []Value) (Value, error) {
			if name == "randomUUID" {
				return uuid(), nil
			}
			return nil, ErrNoMember
		}, nil)
	case "Pattern":
		return fn(patternStatic, nil)
	case "Collections", "Arrays":
		return fn(collectionsStatic, nil)
	case "ConfigSlurper":
		c.New = func(*Thread, []Value) (Value, error) {
			return &Functions{Name: "groovy.util.ConfigSlurper", Func: slurp}, nil
		}
		return c
	case "JsonSlurper":
		c.New = func(*Thread, []Value) (Value, error) {
			return &Functions{Name: "groovy.json.JsonSlurper", Func: slurpJSON}, nil
		}
		return c
	case "JsonOutput":
		return fn(func(t *Thread, name string, args []Value) (Value, error) {
			if name != "toJson" && name != "prettyPrint" {
				return nil, ErrNoMember
			}
			if name == "prettyPrint" {
				return Format(arg(args, 0)), nil
			}
			b, err := json.Marshal(Plain(arg(args, 0)))
			if err != nil {
				return nil, Throw("IllegalArgumentException", "toJson: %v", err)
			}
			return string(b), t.Alloc(len(b))
		}, nil)
	case "Object", "List", "Map", "Closure", "Number", "Set", "Collection", "Thread":
		return fn(func(t *Thread, name string, args []Value) (Value, error) {
			if id == "Thread" && name == "sleep" && len(args) > 0 {
				return nil, t.sleep(args[0])
			}
			return nil, ErrNoMember
		}, nil)
	}
	if knownException(id) {
		c.New = func(_ *Thread, args []Value) (Value, error) { return newThrowable(id, args), nil }
		return c
	}
	return nil
}

func maxOf(id string) int64 {
	switch id {
	case "Long":
		return math.MaxInt64
	case "Short":
		return math.MaxInt16
	}
	return math.MaxInt32
}

func stringStatic(t *Thread, name string, args []Value) (Value, error) {
	switch name {
	case "valueOf":
		return t.toString(arg(args, 0))
	case "format":
		return t.sprintf(args)
	case "join":
		if l, ok := arg(args, 1).(*List); ok {
			return t.join(l.Elems, Format(args[0]))
		}
		if len(args) > 0 {
			return t.join(args[1:], Format(args[0]))
		}
	}
	return nil, ErrNoMember
}

func integerStatic(_ *Thread, name string, args []Value) (Value, error) {
	switch name {
	case "parseInt", "parseLong", "valueOf", "parseShort":
		return parseInt(Format(arg(args, 0)))
	case "toString":
		return Format(arg(args, 0)), nil
	case "toHexString":
		if n, ok := arg(args, 0).(int64); ok {
			return fmt.Sprintf("%x", n), nil
		}
	}
	return nil, ErrNoMember
}

func mathStatic(t *Thread, name string, args []Value) (Value, error) {
	x, ok := number(arg(args, 0))
	if !ok {
		return nil, ErrNoMember
	}
	switch name {
	case "abs", "round":
		return t.numberMethod(args[0], name, nil)
	case "floor":
		return math.Floor(x), nil
	case "ceil":
		return math.Ceil(x), nil
	case "sqrt":
		return math.Sqrt(x), nil
	case "random":
		return mrand.Float64(), nil
	case "pow":
		return t.operate("**", args[0], arg(args, 1))
	case "min", "max":
		n, err := compare(args[0], arg(args, 1))
		if err != nil {
			return nil, err
		}
		if (n < 0) == (name == "min") {
			return args[0], nil
		}
		return args[1], nil
	}
	return nil, ErrNoMember
}

func random(_ *Thread, name string, args []Value) (Value, error) {
	switch name {
	case "nextInt", "nextLong":
		n := int64(math.MaxInt32)
		if len(args) > 0 {
			n, _ = args[0].(int64)
		}
		if n <= 0 {
			return nil, Throw("IllegalArgumentException", "bound must be positive")
		}
		return mrand.Int64N(n), nil
	case "nextBoolean":
		return mrand.IntN(2) == 1, nil
	case "nextDouble", "nextFloat":
		return mrand.Float64(), nil
	}
	return nil, ErrNoMember
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error, see crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func patternStatic(t *Thread, name string, args []Value) (Value, error) {
	switch name {
	case "compile":
		return patternOf(arg(args, 0))
	case "quote":
		return `\Q` + Format(arg(args, 0)) + `\E`, nil
	case "matches":
		re, err := patternOf(arg(args, 0))
		if err != nil {
			return nil, err
		}
		return t.fits(re, Format(arg(args, 1)))
	}
	return nil, ErrNoMember
}

func collectionsStatic(t *Thread, name string, args []Value) (Value, error) {
	switch name {
	case "asList":
		if l, ok := arg(args, 0).(*List); ok && len(args) == 1 {
			return l, nil
		}
		return NewList(args...), nil
	case "emptyList":
		return NewList(), nil
	case "emptyMap":
		return NewMap(), nil
	case "sort", "reverse", "shuffle", "min", "max":
		if l, ok := arg(args, 0).(*List); ok {
			v, err := t.CallMethod(l, name, nil)
			if r, ok := v.(*List); ok && name == "reverse" {
				l.Elems = r.Elems
			}
			return v, err
		}
	}
	return nil, ErrNoMember
}

// textOf is the text that a parser is given: a String, or a File or URL whose
// property text the embedder answers.
func textOf(t *Thread, v Value) (file, text string, err error) {
	switch v := v.(type) {
	case string:
		return "script", v, nil
	case Object:
		x, err := v.Get(t, "text")
		if err != nil {
			return "", "", err
		}
		s, _ := x.(string)
		return Format(v), s, nil
	}
	return "", "", Throw("IllegalArgumentException", "parse(%s)", TypeName(v))
}

func slurp(t *Thread, name string, args []Value) (Value, error) {
	if name != "parse" || len(args) == 0 {
		return nil, ErrNoMember
	}
	file, text, err := textOf(t, args[0])
	if err != nil {
		return nil, err
	}
	t.steps += int64(len(text)) // a step for each byte that is parsed
	if err := t.step(t.pos); err != nil {
		return nil, err
	}
	s, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	return t.Config(s, nil)
}

func slurpJSON(t *Thread, name string, args []Value) (Value, error) {
	if name != "parseText" && name != "parse" || len(args) == 0 {
		return nil, ErrNoMember
	}
	_, text, err := textOf(t, args[0])
	if err != nil {
		return nil, err
	}
	if err := t.Alloc(16 * len(text)); err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, Throw("JsonException", "%v", err)
	}
	return FromPlain(v), nil
}

// Plain turns a value into Go data for JSON: nil, bool, int64, float64,
// string, []any, map[string]any.
func Plain(v Value) any {
	nodes := maxNodes
	return plain(v, 0, &nodes)
}

func plain(v Value, depth int, nodes *int) any {
	if *nodes--; *nodes < 0 || depth > 64 {
		return nil
	}
	switch v := v.(type) {
	case nil, bool, int64, string:
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	case *List:
		out := make([]any, 0, len(v.Elems))
		for _, e := range v.Elems {
			out = append(out, plain(e, depth+1, nodes))
		}
		return out
	case *Map:
		out := make(map[string]any, v.Len())
		for _, k := range v.keys {
			out[Format(k)] = plain(v.vals[k], depth+1, nodes)
		}
		return out
	}
	return Format(v)
}

// FromPlain turns Go data, as Plain makes it, into a value.
func FromPlain(v any) Value {
	switch v := v.(type) {
	case int:
		return int64(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil && !errors.Is(err, nil) {
			return v.String()
		}
		return f
	case []string:
		return words(v)
	case []any:
		l := NewList()
		for _, e := range v {
			l.Elems = append(l.Elems, FromPlain(e))
		}
		return l
	case map[string]any:
		m := NewMap()
		for _, k := range sortedKeys(v) {
			m.Put(k, FromPlain(v[k]))
		}
		return m
	}
	return v
}
