package sql

import (
	"math/big"
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// statement is a text with ? for its parameters, and they.
type statement struct {
	text   string
	args   []any
	offset int // first row wanted, from 1
	most   int // rows wanted; 0: all
}

// shown is the statement in messages: without its parameters.
func (s statement) shown() string {
	text := strings.Join(strings.Fields(s.text), " ")
	if r := []rune(text); len(r) > 120 {
		text = string(r[:117]) + "..."
	}
	return text
}

// parse reads (text), (text, list), (text, map), (map, text), (text, a, b) and
// (text..., offset, rows).
func parse(t *groovy.Thread, args []groovy.Value) (statement, error) {
	var s statement
	var named *groovy.Map
	if len(args) > 1 {
		if m, ok := args[0].(*groovy.Map); ok {
			named, args = m, args[1:]
		}
	}
	if len(args) == 0 {
		return s, groovy.ErrNoMember
	}
	bound, err := s.take(t, args[0])
	if err != nil {
		return s, err
	}
	rest := args[1:]
	if n := len(rest); n >= 2 && !bound && strings.Count(s.text, "?") < n || n == 2 && bound {
		offset, ok1 := rest[n-2].(int64)
		most, ok2 := rest[n-1].(int64)
		if ok1 && ok2 {
			s.offset, s.most, rest = int(offset), int(most), rest[:n-2]
		}
	}
	if len(rest) == 1 {
		switch p := rest[0].(type) {
		case *groovy.Map:
			named, rest = p, nil
		case *groovy.List:
			rest = p.Elems
		}
	}
	if named != nil || len(rest) == 1 && strings.ContainsAny(s.text, ":?") && hasNames(s.text) {
		return s, s.fill(t, named, rest)
	}
	for _, v := range rest {
		p, err := parameter(t, v)
		if err != nil {
			return s, err
		}
		s.args = append(s.args, p)
	}
	return s, nil
}

// take reads the text; a GString's values become parameters, without the
// quotes that somebody put around them.
func (s *statement) take(t *groovy.Thread, v groovy.Value) (bound bool, err error) {
	texts, vals, ok, err := t.Parts(v)
	if err != nil {
		return false, err
	}
	if !ok || len(vals) == 0 {
		s.text = groovy.Format(v)
		return false, nil
	}
	var b strings.Builder
	for i, text := range texts {
		if i > 0 && b.Len() > 0 && text != "" {
			if q := text[0]; (q == '\'' || q == '"') && strings.HasSuffix(texts[i-1], string(q)) {
				text = text[1:]
			}
		}
		if i == len(vals) {
			b.WriteString(text)
			break
		}
		if e, raw := vals[i].(*expanded); raw {
			b.WriteString(text + e.text)
			continue
		}
		if next := texts[i+1]; text != "" && next != "" && (next[0] == '\'' || next[0] == '"') {
			text = strings.TrimSuffix(text, next[:1])
		}
		p, err := parameter(t, vals[i])
		if err != nil {
			return false, err
		}
		b.WriteString(text + "?")
		s.args = append(s.args, p)
	}
	s.text = b.String()
	return true, nil
}

// parameter is a value as the drivers take it.
func parameter(t *groovy.Thread, v groovy.Value) (any, error) {
	if b, ok := groovy.Bytes(v); ok {
		return b, nil
	}
	switch x := v.(type) {
	case nil, bool, int64, float64, string:
		return x, nil
	case groovy.Long:
		return int64(x), nil
	case groovy.Byte:
		return int64(x), nil
	case groovy.Float:
		return float64(x), nil
	case *big.Int:
		return x.String(), nil
	case *groovy.Date:
		return x.Time(), nil
	}
	s, err := t.CallMethod(v, "toString", nil)
	return groovy.Format(s), err
}

// pieces walks over a statement and calls f for each byte outside of quotes and
// comments that one of want begins; f says how many bytes it took.
func pieces(text, want string, f func(rest string, b *strings.Builder) int) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		end := ""
		switch c := text[i]; {
		case c == '\'' || c == '"' || c == '`':
			end = string(c)
		case strings.HasPrefix(text[i:], "--"), c == '#' && strings.Contains(want, "#"):
			end = "\n"
		case strings.HasPrefix(text[i:], "/*"):
			end = "*/"
		case strings.IndexByte(want, c) >= 0:
			if n := f(text[i:], &b); n > 0 {
				i += n
				continue
			}
		}
		n := 1
		if end != "" {
			if k := strings.Index(text[i+1:], end); k >= 0 {
				n = k + 1 + len(end)
			} else {
				n = len(text) - i
			}
		}
		b.WriteString(text[i : i+n])
		i += n
	}
	return b.String()
}

// numbered turns ? into $1, $2...
func numbered(text string) string {
	n := 0
	return pieces(text, "?", func(_ string, b *strings.Builder) int {
		n++
		b.WriteString("$" + strconv.Itoa(n))
		return 1
	})
}

// nameAt is the name of a parameter, :name or ?1.name or ?.name, at the start
// of text, and its length.
func nameAt(text string) (name string, length int) {
	i := 1
	if text[0] == '?' {
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		if i == len(text) || text[i] != '.' {
			return "", 0
		}
		i++
	} else if strings.HasPrefix(text, "::") {
		return "", 0
	}
	start := i
	for i < len(text) && (text[i] == '_' || text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z' || i > start && text[i] >= '0' && text[i] <= '9') {
		i++
	}
	if i == start {
		return "", 0
	}
	return text[start:i], i
}

func hasNames(text string) bool {
	found := false
	pieces(text, ":?", func(rest string, b *strings.Builder) int {
		if strings.HasPrefix(rest, "::") {
			b.WriteString("::")
			return 2
		}
		name, n := nameAt(rest)
		found = found || name != ""
		b.WriteString(rest[:n])
		return n
	})
	return found
}

// fill gives named parameters their values: of a map, or of an object's
// properties.
func (s *statement) fill(t *groovy.Thread, named *groovy.Map, rest []groovy.Value) error {
	var from groovy.Value = named
	if named == nil {
		from = rest[0]
	}
	var failed error
	s.text = pieces(s.text, ":?", func(text string, b *strings.Builder) int {
		if strings.HasPrefix(text, "::") {
			b.WriteString("::")
			return 2
		}
		name, n := nameAt(text)
		if n == 0 {
			return 0
		}
		v, err := t.Get(from, name)
		if err == nil {
			var p any
			p, err = parameter(t, v)
			s.args = append(s.args, p)
		}
		if err != nil && failed == nil {
			failed = err
		}
		b.WriteByte('?')
		return n
	})
	return failed
}
