package groovy

import (
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"
)

// Record is a host object whose form in JSON is its fields.
type Record interface{ Fields() map[string]Value }

// Plain turns a value into Go data for JSON: nil, bool, int64, float64,
// string, []any, map[string]any. What is too much is left out; see Data.
func Plain(v Value) any {
	return new(plainer).value(v, 0)
}

// Data is Plain for what is kept: that something is left out is an error.
func Data(v Value) (any, error) {
	var p plainer
	data := p.value(v, 0)
	if p.cut {
		return nil, Throw("IllegalArgumentException", "the value has more than %d parts, or lists and maps in one another more than %d deep, or itself in it", maxNodes, plainDepth)
	}
	return data, nil
}

const plainDepth = 64

// plainer is one walk over a value.
type plainer struct {
	nodes int
	cut   bool // something was left out
}

func (p *plainer) value(v Value, depth int) any {
	if p.nodes++; p.nodes > maxNodes || depth > plainDepth {
		p.cut = true
		return nil
	}
	switch v := v.(type) {
	case nil, bool, int64, string:
		return v
	case Long:
		return int64(v)
	case Byte:
		return int64(v)
	case *Decimal:
		return v.float()
	case float64, Float:
		f, _ := Number(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil
		}
		return f
	case *List:
		out := make([]any, 0, len(v.Elems))
		for _, e := range v.Elems {
			out = append(out, p.value(e, depth+1))
		}
		return out
	case *Set:
		return p.value(&List{Elems: v.m.Keys()}, depth)
	case *Range:
		if l, ok := v.small().(*List); ok {
			return p.value(l, depth)
		}
	case *Map:
		out := make(map[string]any, v.Len())
		for _, s := range v.entries() {
			out[Format(s.k)] = p.value(s.v, depth+1)
		}
		return out
	case Record:
		out := map[string]any{}
		for k, x := range v.Fields() {
			out[k] = p.value(x, depth+1)
		}
		return out
	}
	return strings.ToValidUTF8(Format(v), string(utf8.RuneError))
}

// FromPlain turns Go data, as Plain makes it, into a value.
func FromPlain(v any) Value {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int64:
		return whole(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return whole(n)
		}
		if d, ok := parseDecimal(v.String()); ok {
			return d
		}
		return v.String()
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
