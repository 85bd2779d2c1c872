package groovy

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// propertiesMethods are those that java.util.Properties has beside a map's.
func propertiesMethods() methods {
	of := func(least, most int, fn func(t *Thread, m *Map, a []Value) (Value, error)) method {
		return on(least, most, func(t *Thread, m *Map, a []Value) (Value, error) {
			if m.kind != props {
				return nil, ErrNoMember
			}
			return fn(t, m, a)
		})
	}
	get := mapMethods()["getProperty"]
	names := func(t *Thread, m *Map) (*Set, error) {
		s := newSet(hashed)
		for _, e := range m.entries() {
			s.m.Put(e.k, true)
		}
		return s, t.grow(m.Len(), 32)
	}
	return methods{
		"getProperty": on(1, 2, func(t *Thread, m *Map, a []Value) (Value, error) {
			if m.kind != props || len(a) == 1 {
				return get.apply(t, m, a)
			}
			if v, ok := m.Get(a[0]); ok {
				return v, nil
			}
			return a[1], nil
		}),
		"load": of(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			s, err := t.propertiesText(a[0])
			if err != nil {
				return nil, err
			}
			return nil, t.loadProperties(m, s)
		}),
		"store": of(2, 2, func(t *Thread, m *Map, a []Value) (Value, error) { return nil, t.storeProperties(m, a[0], a[1]) }),
		"list": of(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			out := "-- listing properties --\n"
			for _, e := range m.entries() {
				v := []rune(Format(e.v))
				if len(v) > 40 {
					v = append(v[:37:37], []rune("...")...)
				}
				out += Format(e.k) + "=" + string(v) + "\n"
			}
			_, err := t.CallMethod(a[0], "print", []Value{out})
			return nil, err
		}),
		"stringPropertyNames": of(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			s, err := names(t, m)
			return s, err
		}),
		"propertyNames": of(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			return NewEnumeration(tableOrder(m.Keys())...), t.grow(m.Len(), 32)
		}),
	}
}

// tableOrder is the order in which java.util.Hashtable has keys put into it.
func tableOrder(keys []Value) []Value {
	table := make([][]Value, 11) // the last of a chain is its first
	all := func() (list []Value) {
		for _, chain := range slices.Backward(table) {
			for _, k := range slices.Backward(chain) {
				list = append(list, k)
			}
		}
		return list
	}
	put := func(k Value) {
		i := int(uint32(hashCode(k))&math.MaxInt32) % len(table)
		table[i] = append(table[i], k)
	}
	for n, k := range keys {
		if n >= len(table)*3/4 {
			old := all()
			table = make([][]Value, 2*len(table)+1)
			for _, k := range old {
				put(k)
			}
		}
		put(k)
	}
	return all()
}

// NewEnumeration makes a java.util.Enumeration.
func NewEnumeration(vals ...Value) Object { return &enumeration{&iterator{list: vals}} }

// enumeration is a java.util.Enumeration.
type enumeration struct{ *iterator }

// Call calls a method.
func (e *enumeration) Call(t *Thread, id string, a []Value) (Value, error) {
	switch id {
	case "hasMoreElements":
		id = "hasNext"
	case "nextElement":
		id = "next"
	}
	return e.iterator.Call(t, id, a)
}

// propertiesText is what a Reader gives, or the ISO-8859-1 of an InputStream.
func (t *Thread) propertiesText(from Value) (string, error) {
	if from == nil {
		return "", Throw("NullPointerException", "inStream parameter is null")
	}
	if instanceOf(from, "InputStream") {
		v, err := t.Get(from, "bytes")
		if err != nil {
			return "", err
		}
		b, _ := Bytes(v)
		return FindCharset("ISO-8859-1").Decode(b), nil
	}
	if !instanceOf(from, "Reader") {
		return "", ErrNoMember
	}
	v, err := t.Get(from, "text")
	return Format(v), err
}

// loadProperties reads the lines of a properties file into m.
func (t *Thread) loadProperties(m *Map, s string) error {
	if err := t.charge(len(s) / 8); err != nil {
		return err
	}
	all := lines(s)
	for i := 0; i < len(all); i++ {
		line := strings.TrimLeft(all[i], " \t\f")
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		if continues(line) {
			var b strings.Builder
			for ; continues(line) && i+1 < len(all); i++ {
				b.WriteString(line[:len(line)-1])
				line = strings.TrimLeft(all[i+1], " \t\f")
			}
			if continues(line) { // and nothing follows
				line = line[:len(line)-1]
			}
			b.WriteString(line)
			line = b.String()
		}
		key, value := cutProperty(line)
		k, err := unescapeProperty(key)
		if err != nil {
			return err
		}
		v, err := unescapeProperty(value)
		if err != nil {
			return err
		}
		if err := t.mapPut(m, k, v); err != nil {
			return err
		}
		if err := t.Alloc(len(line)); err != nil {
			return err
		}
	}
	return nil
}

// continues says that a line ends with a backslash that no other one escapes.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// cutProperty parts a line at its first =, : or white space.
func cutProperty(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if strings.IndexByte("=: \t\f", line[i]) >= 0 {
			end = i
			break
		}
	}
	value = strings.TrimLeft(line[end:], " \t\f")
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], " \t\f")
	}
	return line[:end], value
}

func unescapeProperty(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			if s[i] != '\\' {
				b.WriteByte(s[i])
			}
			continue
		}
		i++
		switch s[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			n, err := strconv.ParseUint(s[min(i+1, len(s)):min(i+5, len(s))], 16, 16)
			if err != nil || i+5 > len(s) {
				return "", Throw("IllegalArgumentException", "Malformed \\uxxxx encoding.")
			}
			b.WriteRune(rune(n))
			i += 4
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// escapeProperty writes a key or value; latin says that other characters than
// those of ASCII are escaped.
func escapeProperty(s string, key, latin bool) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == ' ' && (key || i == 0):
			b.WriteString(`\ `)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\f':
			b.WriteString(`\f`)
		case strings.ContainsRune(`\=:#!`, r):
			b.WriteString(`\` + string(r))
		case latin && (r < ' ' || r > '~'):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// storeProperties writes m to an OutputStream or Writer.
func (t *Thread) storeProperties(m *Map, to, comment Value) error {
	latin := instanceOf(to, "OutputStream")
	var b strings.Builder
	if comment != nil {
		b.WriteString("#" + strings.Join(lines(escapeComment(Format(comment), latin)), "\n#") + "\n")
	}
	b.WriteString("#" + Format(NewDate(time.Now())) + "\n")
	for _, e := range m.entries() {
		k, ok := e.k.(string)
		v, text := e.v.(string)
		if !ok || !text {
			return Throw("ClassCastException", "%s=%s is not of texts", Format(e.k), Format(e.v))
		}
		b.WriteString(escapeProperty(k, true, latin) + "=" + escapeProperty(v, false, latin) + "\n")
	}
	if err := t.Alloc(b.Len()); err != nil {
		return err
	}
	out := Value(b.String())
	if latin {
		a, err := t.byteArray(FindCharset("ISO-8859-1").Encode(b.String()))
		if err != nil {
			return err
		}
		out = a
	}
	_, err := t.CallMethod(to, "write", []Value{out})
	return err
}

func escapeComment(s string, latin bool) string {
	if !latin {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r > 0xff {
			fmt.Fprintf(&b, `\u%04X`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
