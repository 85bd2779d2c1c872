package groovy

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// jsonDepth bounds how deep JSON nests.
const jsonDepth = 256

// jsonReader is groovy.json.JsonSlurper: names are sorted, numbers with a
// fraction are BigDecimals.
type jsonReader struct {
	t     *Thread
	s     string
	i     int
	depth int
}

func (t *Thread) parseJSON(s string) (Value, error) {
	if err := t.Alloc(16 * len(s)); err != nil {
		return nil, err
	}
	if err := t.charge(len(s) / 4); err != nil {
		return nil, err
	}
	r := &jsonReader{t: t, s: s}
	r.blank()
	if r.i == len(s) {
		return nil, Throw("IllegalArgumentException", "Text must not be null or empty")
	}
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	if r.blank(); r.i < len(r.s) {
		return nil, r.fault("text after the value")
	}
	return v, nil
}

func (r *jsonReader) blank() {
	for r.i < len(r.s) && strings.IndexByte(" \t\r\n", r.s[r.i]) >= 0 {
		r.i++
	}
}

func (r *jsonReader) fault(what string) error {
	before := r.s[:min(r.i, len(r.s))]
	line := 1 + strings.Count(before, "\n")
	col := r.i - strings.LastIndexByte(before, '\n')
	return Throw("JsonException", "invalid JSON at line %d, column %d: %s", line, col, what)
}

func (r *jsonReader) value() (Value, error) {
	r.blank()
	if r.depth++; r.depth > jsonDepth {
		return nil, r.fault("nested too deep")
	}
	defer func() { r.depth-- }()
	if r.i >= len(r.s) {
		return nil, r.fault("a value is missing")
	}
	switch c := r.s[r.i]; {
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '"':
		return r.text()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	for word, v := range map[string]Value{"true": true, "false": false, "null": nil} {
		if strings.HasPrefix(r.s[r.i:], word) {
			r.i += len(word)
			return v, nil
		}
	}
	return nil, r.fault(fmt.Sprintf("unexpected %q", r.s[r.i]))
}

func (r *jsonReader) object() (Value, error) {
	m := &Map{kind: sorted}
	r.i++
	for r.blank(); r.i < len(r.s) && r.s[r.i] == '}'; {
		r.i++
		return m, nil
	}
	for {
		r.blank()
		if r.i >= len(r.s) || r.s[r.i] != '"' {
			return nil, r.fault("a name in quotes is expected")
		}
		k, err := r.text()
		if err != nil {
			return nil, err
		}
		if r.blank(); r.i >= len(r.s) || r.s[r.i] != ':' {
			return nil, r.fault("':' is expected")
		}
		r.i++
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		m.Put(k, v)
		if done, err := r.more('}'); done || err != nil {
			return m, err
		}
	}
}

func (r *jsonReader) array() (Value, error) {
	l := NewList()
	r.i++
	for r.blank(); r.i < len(r.s) && r.s[r.i] == ']'; {
		r.i++
		return l, nil
	}
	for {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		l.Elems = append(l.Elems, v)
		if done, err := r.more(']'); done || err != nil {
			return l, err
		}
	}
}

// more reads a comma or the closing bracket.
func (r *jsonReader) more(end byte) (done bool, err error) {
	r.blank()
	if r.i >= len(r.s) || r.s[r.i] != ',' && r.s[r.i] != end {
		return false, r.fault(fmt.Sprintf("',' or '%c' is expected", end))
	}
	r.i++
	return r.s[r.i-1] == end, nil
}

func (r *jsonReader) text() (string, error) {
	start := r.i
	for r.i++; r.i < len(r.s) && r.s[r.i] != '"'; r.i++ {
		if r.s[r.i] == '\\' {
			r.i++
		}
	}
	if r.i >= len(r.s) {
		r.i = start
		return "", r.fault("the string is not closed")
	}
	r.i++
	var s string
	quoted := r.s[start:r.i]
	if !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1], nil
	}
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return "", r.fault("the string has an unknown escape")
	}
	return s, nil
}

func (r *jsonReader) number() (Value, error) {
	start := r.i
	for r.i < len(r.s) && strings.IndexByte("+-0123456789.eE", r.s[r.i]) >= 0 {
		r.i++
	}
	s := r.s[start:r.i]
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return whole(n), nil
	}
	if strings.ContainsAny(s, ".eE") {
		if d, ok := parseDecimal(s); ok {
			return d, nil
		}
	} else if n, ok := readWhole(s, 10); ok {
		return n, nil
	}
	return nil, r.fault("the number is not valid")
}

// jsonWriter is groovy.json.JsonOutput.toJson.
type jsonWriter struct {
	t     *Thread
	b     strings.Builder
	nodes int
	depth int
}

func (t *Thread) toJSON(v Value) (string, error) {
	w := &jsonWriter{t: t}
	if err := w.value(v); err != nil {
		return "", err
	}
	return w.b.String(), t.grow(w.b.Len(), 1)
}

func (w *jsonWriter) value(v Value) error {
	w.nodes++
	if w.nodes > maxNodes || w.b.Len() > maxString || w.depth > jsonDepth {
		return tooMany("values in JSON")
	}
	w.depth++
	defer func() { w.depth-- }()
	switch x := v.(type) {
	case nil, bool, int64, Long, Byte, *big.Int, *Decimal:
		w.b.WriteString(Format(x))
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return Throw("JsonException", "Number %s can't be serialized as JSON: infinite or NaN are not allowed in JSON.", Format(x))
		}
		w.b.WriteString(Format(x))
	case Float:
		w.b.WriteString(Format(x))
	case *Map:
		return w.pairs(x)
	case *List:
		return w.list(x.Elems)
	case *Set, *Range:
		list, err := w.t.elements(x)
		if err != nil {
			return err
		}
		return w.list(list)
	case *Closure:
		m := NewMap()
		d := *x
		d.delegate, d.strategy = &mapDelegate{m}, delegateFirst
		if _, err := w.t.callClosure(&d, nil); err != nil {
			return err
		}
		return w.pairs(m)
	case *entry:
		m := NewMap()
		m.Put("key", x.k)
		m.Put("value", x.val())
		return w.pairs(m)
	case *instance:
		return w.object(x)
	case *Date:
		w.text(x.utc("yyyy-MM-dd'T'HH:mm:ssZ"))
	default:
		s, err := w.t.toString(v)
		if err != nil {
			return err
		}
		w.text(s)
	}
	return nil
}

func (w *jsonWriter) pairs(m *Map) error {
	w.b.WriteByte('{')
	for i, s := range slices.Clone(m.entries()) {
		if i > 0 {
			w.b.WriteByte(',')
		}
		if s.k == nil {
			return Throw("IllegalArgumentException", "Maps with null keys can't be converted to JSON")
		}
		k, err := w.t.toString(s.k)
		if err != nil {
			return err
		}
		w.text(k)
		w.b.WriteByte(':')
		if err := w.value(s.v); err != nil {
			return err
		}
	}
	w.b.WriteByte('}')
	return nil
}

func (w *jsonWriter) list(l []Value) error {
	w.b.WriteByte('[')
	for i, v := range l {
		if i > 0 {
			w.b.WriteByte(',')
		}
		if err := w.value(v); err != nil {
			return err
		}
	}
	w.b.WriteByte(']')
	return nil
}

// object writes the properties of an object of a class of the script.
func (w *jsonWriter) object(o *instance) error {
	if o.ordinal >= 0 {
		w.text(o.String())
		return nil
	}
	props := slices.Sorted(slices.Values(o.class.properties()))
	m := NewMap()
	for _, p := range props {
		v, _, err := w.t.field(o, p, false)
		if err != nil {
			return err
		}
		m.Put(p, v)
	}
	return w.pairs(m)
}

// text writes a string; what is not ASCII is escaped, as JsonOutput does.
func (w *jsonWriter) text(s string) {
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r == '\r':
			w.b.WriteString(`\r`)
		case r == '\b':
			w.b.WriteString(`\b`)
		case r == '\f':
			w.b.WriteString(`\f`)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&w.b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case r < ' ' || r >= 0x7f:
			fmt.Fprintf(&w.b, `\u%04x`, r)
		default:
			w.b.WriteRune(r)
		}
	}
	w.b.WriteByte('"')
}

// prettyJSON is JsonOutput.prettyPrint.
func (t *Thread) prettyJSON(s string) (string, error) {
	if _, err := t.parseJSON(s); err != nil {
		return "", err
	}
	var b strings.Builder
	indent := 0
	newline := func() {
		b.WriteByte('\n')
		b.WriteString(strings.Repeat("    ", indent))
	}
	for i := 0; i < len(s); i++ {
		if b.Len() > maxString {
			return "", tooMany("lines of JSON")
		}
		switch c := s[i]; c {
		case '"':
			j := i + 1
			for j < len(s) && s[j] != '"' {
				if s[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j, len(s)-1)
			b.WriteString(s[i : j+1])
			i = j
		case '{', '[':
			b.WriteByte(c)
			indent++
			newline()
		case '}', ']':
			indent--
			newline()
			b.WriteByte(c)
		case ',':
			b.WriteByte(c)
			newline()
		case ':':
			b.WriteString(": ")
		case ' ', '\n', '\t', '\r':
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), t.grow(b.Len(), 1)
}
