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
	case Long:
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
			out = append(out, plain(e, depth+1, nodes))
		}
		return out
	case *Set:
		return plain(&List{Elems: v.m.Keys()}, depth, nodes)
	case *Range:
		if l, ok := v.small().(*List); ok {
			return plain(l, depth, nodes)
		}
	case *Map:
		out := make(map[string]any, v.Len())
		for _, s := range v.entries() {
			out[Format(s.k)] = plain(s.v, depth+1, nodes)
		}
		return out
	case Record:
		out := map[string]any{}
		for k, x := range v.Fields() {
			out[k] = plain(x, depth+1, nodes)
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
