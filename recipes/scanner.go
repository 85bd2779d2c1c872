package recipes

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// scanner is a java.util.Scanner. What it scans is read at the first use.
type scanner struct {
	in   *input
	text string
	gap  *regexp.Regexp // between tokens
}

// newScanner is new Scanner(text | file | stream | reader [, charset]).
func (f *folder) newScanner(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	s := &scanner{gap: regexp.MustCompile(`[\s\x0b\x1c-\x1f]+`)}
	if len(args) == 0 || len(args) > 2 {
		return nil, groovy.Throw("GroovyRuntimeException", "Could not find matching constructor for: java.util.Scanner")
	}
	cs, _, err := charset(args[1:])
	if err != nil {
		return nil, err
	}
	switch v := args[0].(type) {
	case string:
		s.text = v
		return s, nil
	case *fileObject:
		s.in, err = v.open()
	case *pathObject:
		s.in, err = v.open()
	case *input:
		s.in = v
	default:
		return nil, groovy.Throw("GroovyRuntimeException", "Could not find matching constructor for: java.util.Scanner(%s)", groovy.TypeName(v))
	}
	if err != nil {
		return nil, err
	}
	if s.in.cs == nil {
		s.in = &input{s.in.stream, s.in.class, cs}
	}
	return s, nil
}

// Type names the class.
func (*scanner) Type() string { return "java.util.Scanner" }

// Get knows no properties.
func (*scanner) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*scanner) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method.
func (s *scanner) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "close":
		if s.in != nil {
			return nil, s.in.close()
		}
		return nil, nil
	case "useDelimiter":
		if len(args) != 1 {
			return nil, groovy.ErrNoMember
		}
		re, err := regexp.Compile(groovy.Format(args[0]))
		if err != nil || re.String() == "" {
			return nil, groovy.Throw("PatternSyntaxException", "%s is not taken as a delimiter", groovy.Format(args[0]))
		}
		s.gap = re
		return s, nil
	}
	if len(args) > 0 {
		return nil, groovy.ErrNoMember
	}
	if s.in != nil {
		v, err := s.in.Call(t, "getText", nil)
		if err != nil {
			return nil, err
		}
		s.text, s.in = groovy.Format(v), nil
	}
	return s.scan(t, id)
}

// scan are the methods that look at the text.
func (s *scanner) scan(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "hasNextLine":
		return s.text != "", nil
	case "nextLine":
		if s.text == "" {
			return nil, groovy.Throw("NoSuchElementException", "No line found")
		}
		line, rest, _ := strings.Cut(s.text, "\n")
		s.text = rest
		return strings.TrimSuffix(line, "\r"), t.Alloc(16)
	}
	token, rest, ok := s.token()
	if err := t.Alloc((len(s.text) - len(rest)) / 8); err != nil { // that much was looked at
		return nil, err
	}
	kind, asks := strings.CutPrefix(id, "hasNext")
	if !asks {
		var named bool
		if kind, named = strings.CutPrefix(id, "next"); !named {
			return nil, groovy.ErrNoMember
		}
	}
	return s.typed(kind, token, rest, asks, ok)
}

// token is the next token, and what follows it; false when there is none.
func (s *scanner) token() (token, rest string, ok bool) {
	text := s.text
	if at := s.gap.FindStringIndex(text); at != nil && at[0] == 0 {
		text = text[at[1]:]
	}
	if text == "" {
		return "", "", false
	}
	for _, at := range s.gap.FindAllStringIndex(text, 2) {
		if at[1] > at[0] {
			return text[:at[0]], text[at[0]:], true
		}
	}
	return text, "", true
}

// typed is hasNext..., or next..., of a kind of token.
func (s *scanner) typed(kind, token, rest string, asks, ok bool) (groovy.Value, error) {
	var v groovy.Value = token
	var err error
	switch kind {
	case "":
	case "Int":
		var n int64
		n, err = strconv.ParseInt(token, 10, 32)
		v = n
	case "Long":
		var n int64
		n, err = strconv.ParseInt(token, 10, 64)
		v = groovy.Long(n)
	case "Double":
		v, err = strconv.ParseFloat(token, 64)
	case "Boolean":
		v = strings.EqualFold(token, "true")
		if v == false && !strings.EqualFold(token, "false") {
			err = strconv.ErrSyntax
		}
	default:
		return nil, groovy.ErrNoMember
	}
	switch {
	case asks:
		return ok && err == nil, nil
	case !ok:
		return nil, groovy.Throw("NoSuchElementException", "")
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return nil, groovy.Throw("InputMismatchException", "")
	case err != nil:
		return nil, groovy.Throw("InputMismatchException", "For input string: \"%s\"", token)
	}
	s.text = rest
	return v, nil
}
