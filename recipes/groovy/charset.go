package groovy

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// Charset is a java.nio.charset.Charset: how a text is written as bytes.
type Charset struct {
	name string
	enc  encoding.Encoding // nil: UTF-8
	most rune              // the last character that it has; 0: enc says so
	rest *Charset          // what goes on after the byte order mark; nil: itself
}

// UTF8 is the charset of what names none.
func UTF8() *Charset { return &Charset{name: "UTF-8"} }

// FindCharset finds a charset by its name or another one of it; nil when there
// is none. It knows Unicode's and those of one byte a character: the tables of
// East Asia's would make the agent a megabyte larger.
func FindCharset(name string) *Charset {
	big := &Charset{name: "UTF-16BE", enc: unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)}
	switch strings.ToUpper(name) {
	case "UTF-8", "UTF8":
		return UTF8()
	case "UTF-16", "UTF16", "UNICODE":
		return &Charset{name: "UTF-16", enc: unicode.UTF16(unicode.BigEndian, unicode.UseBOM), rest: big}
	case "UTF-16BE":
		return big
	case "UTF-16LE":
		return &Charset{name: "UTF-16LE", enc: unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)}
	case "UTF-32", "UTF-32BE":
		return &Charset{name: strings.ToUpper(name), enc: utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)}
	case "UTF-32LE":
		return &Charset{name: "UTF-32LE", enc: utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)}
	case "US-ASCII", "ASCII", "ISO646-US":
		return &Charset{name: "US-ASCII", enc: charmap.ISO8859_1, most: 0x7f}
	case "LATIN1", "L1":
		name = "ISO-8859-1"
	}
	key := mapKey(name)
	for _, enc := range charmap.All {
		m, ok := enc.(*charmap.Charmap)
		if ok && mapKey(m.String()) == key {
			return &Charset{name: mapName(key), enc: m}
		}
	}
	return nil
}

// mapKey is what the names of a charset of one byte a character have in common:
// ISO88591, WINDOWS1252 (Cp1252), IBM850 (Cp850, IBM Code Page 850), KOI8R.
func mapKey(name string) string {
	key := strings.NewReplacer("-", "", "_", "", "CODE PAGE", "", " ", "").Replace(strings.ToUpper(name))
	if n, ok := strings.CutPrefix(key, "CP125"); ok {
		return "WINDOWS125" + n
	}
	if n, ok := strings.CutPrefix(key, "CP"); ok {
		return "IBM" + n
	}
	return key
}

// mapName is the canonical name for a key of mapKey.
func mapName(key string) string {
	if n, ok := strings.CutPrefix(key, "ISO8859"); ok {
		return "ISO-8859-" + n
	}
	if n, ok := strings.CutPrefix(key, "WINDOWS"); ok {
		return "windows-" + n
	}
	if n, ok := strings.CutPrefix(key, "KOI8"); ok {
		return "KOI8-" + n
	}
	return key
}

// CharsetOf is the charset that a script names, by a text or a Charset.
func CharsetOf(v Value) (*Charset, error) {
	if c, ok := v.(*Charset); ok {
		return c, nil
	}
	if v == nil {
		return nil, Throw("NullPointerException", "charsetName")
	}
	if c := FindCharset(Format(v)); c != nil {
		return c, nil
	}
	return nil, Throw("UnsupportedEncodingException", "%s", Format(v))
}

// Decode is the text of b; what is no text becomes U+FFFD.
func (c *Charset) Decode(b []byte) string {
	if c.enc == nil {
		return validUTF8(b)
	}
	s, err := c.enc.NewDecoder().Bytes(b)
	if err != nil {
		return "\ufffd"
	}
	if c.most > 0 {
		return strings.Map(func(r rune) rune { return choose(r > c.most, '\ufffd', r) }, string(s))
	}
	return string(s)
}

// Encode is s as bytes; a character that the charset lacks becomes "?".
func (c *Charset) Encode(s string) []byte {
	if c.enc == nil {
		return []byte(s)
	}
	if c.most > 0 {
		s = strings.Map(func(r rune) rune { return choose(r > c.most, '?', r) }, s)
	}
	if b, err := c.enc.NewEncoder().Bytes([]byte(s)); err == nil {
		return b
	}
	var out []byte
	for _, r := range s {
		b, err := c.enc.NewEncoder().Bytes([]byte(string(r)))
		if err != nil {
			b = []byte("?")
		}
		out = append(out, b...)
	}
	return out
}

// Rest is what the text goes on with, once its first part was encoded.
func (c *Charset) Rest() *Charset {
	if c.rest != nil {
		return c.rest
	}
	return c
}

// Simple says that each byte is a character, line ends as in ASCII.
func (c *Charset) Simple() bool {
	n := strings.ToUpper(c.name)
	return strings.HasPrefix(n, "ISO-8859") || strings.HasPrefix(n, "WINDOWS-") || strings.HasPrefix(n, "KOI8") || n == "US-ASCII"
}

// Unicode says that the charset is UTF-8.
func (c *Charset) Unicode() bool { return c.enc == nil }

// validUTF8 is b with each part that is no character replaced, as Java does.
func validUTF8(b []byte) string {
	s, err := unicode.UTF8.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	return string(s)
}

// Type names the class; String is the name.
func (c *Charset) Type() string   { return "java.nio.charset.Charset" }
func (c *Charset) String() string { return c.name }

// Key makes the same charsets equal.
func (c *Charset) Key() string { return c.name }

// Get reads a property.
func (c *Charset) Get(*Thread, string) (Value, error) { return nil, ErrNoMember }

// Set refuses.
func (*Charset) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a method.
func (c *Charset) Call(_ *Thread, id string, _ []Value) (Value, error) {
	switch id {
	case "name", "displayName", "toString":
		return c.name, nil
	}
	return nil, ErrNoMember
}

// charsetClasses are Charset and the constants of StandardCharsets.
func charsetClasses() []*Class {
	consts := map[string]Value{}
	for _, n := range []string{"UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "ISO-8859-1", "US-ASCII"} {
		consts[strings.ReplaceAll(n, "-", "_")] = FindCharset(n)
	}
	return []*Class{
		{Name: "StandardCharsets", Static: statics("java.nio.charset.StandardCharsets", consts, nil)},
		{Name: "Charset", Static: statics("java.nio.charset.Charset", nil, methods{
			"defaultCharset": function0(0, 0, func(*Thread, []Value) (Value, error) { return UTF8(), nil }),
			"isSupported":    fn1(func(_ *Thread, v Value) (Value, error) { return FindCharset(Format(v)) != nil, nil }),
			"forName": fn1(func(_ *Thread, v Value) (Value, error) {
				if c := FindCharset(Format(v)); c != nil {
					return c, nil
				}
				return nil, Throw("UnsupportedCharsetException", "%s", Format(v))
			}),
		})},
	}
}

// newString is new String(v), and of bytes new String(bytes [, from, n] [, charset]).
func newString(t *Thread, a []Value) (Value, error) {
	b, ok := Bytes(arg(a, 0))
	if !ok {
		if l, isList := arg(a, 0).(*List); isList {
			if from, n := toInt(arg(a, 1)), toInt(arg(a, 2)); len(a) == 3 && l.elem == "char" {
				if from < 0 || n < 0 || from+n > int64(len(l.Elems)) {
					return nil, Throw("StringIndexOutOfBoundsException", "offset %d, count %d, length %d", from, n, len(l.Elems))
				}
				return t.join(l.Elems[from:from+n], "")
			}
			return t.join(l.Elems, "")
		}
		if arg(a, 0) == nil {
			return "", nil
		}
		return text(t.toString(a[0]))
	}
	cs, rest := UTF8(), a[1:]
	if n := len(rest); n == 1 || n == 3 {
		var err error
		if cs, err = CharsetOf(rest[n-1]); err != nil {
			return nil, err
		}
		rest = rest[:n-1]
	}
	if len(rest) == 2 {
		from, n := toInt(rest[0]), toInt(rest[1])
		if from < 0 || n < 0 || from+n > int64(len(b)) {
			return nil, Throw("StringIndexOutOfBoundsException", "offset %d, count %d, length %d", from, n, len(b))
		}
		b = b[from : from+n]
	}
	s := cs.Decode(b)
	return s, t.Alloc(len(s))
}
