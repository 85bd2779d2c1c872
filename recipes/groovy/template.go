package groovy

import "strings"

// templateEngine is groovy.text.SimpleTemplateEngine (and GStringTemplateEngine):
// a text with ${expression}, $name, <%= expression %> and <% code %>.
func templateEngine() *Class {
	return &Class{Name: "SimpleTemplateEngine", New: func(*Thread, []Value) (Value, error) {
		return &Functions{Name: "groovy.text.SimpleTemplateEngine", Func: func(t *Thread, id string, a []Value) (Value, error) {
			if id != "createTemplate" || len(a) == 0 {
				return nil, ErrNoMember
			}
			file, src, err := textOf(t, a[0])
			if err != nil {
				return nil, err
			}
			if err := t.charge(4 * len(src)); err != nil {
				return nil, err
			}
			s, err := t.parse(file, templateScript(src))
			if err != nil {
				return nil, err
			}
			return &template{s}, nil
		}}, nil
	}}
}

// templateScript is the script that prints the template. Its lines are the
// template's, so that an error names the right one.
func templateScript(src string) string {
	var b strings.Builder
	for src != "" {
		i := strings.Index(src, "<%")
		if i < 0 {
			i = len(src)
		}
		if i > 0 {
			b.WriteString(`out.print("""`)
			b.WriteString(templateText(src[:i]))
			b.WriteString(`""");`)
		}
		if i == len(src) {
			break
		}
		code := src[i+2:]
		end := strings.Index(code, "%>")
		if end < 0 {
			end = len(code)
			src = ""
		} else {
			src = code[end+2:]
		}
		if expr, ok := strings.CutPrefix(code[:end], "="); ok {
			b.WriteString(`out.print("""${` + expr + `}""");`)
		} else {
			b.WriteString(code[:end] + ";")
		}
	}
	return b.String()
}

// templateText escapes plain text of a template for a string in three quotes;
// what stands in ${...} stays.
func templateText(s string) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case depth > 0:
			if c == '{' {
				depth++
			} else if c == '}' {
				depth--
			}
			b.WriteByte(c)
		case c == '$' && i+1 < len(s) && s[i+1] == '{':
			depth = 1
			b.WriteString("${")
			i++
		case c == '\\' && i+1 < len(s) && s[i+1] == '$':
			b.WriteString(`\$`)
			i++
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`\btnfr'"u01234567`, s[i+1]) >= 0:
			b.WriteString(s[i : i+2]) // an escape, as in a string
			i++
		case c == '$' && (i+1 == len(s) || !startsName(s[i+1])):
			b.WriteString(`\$`)
		case c == '"':
			b.WriteString(`\"`)
		case c == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// template is a text that is filled in by make.
type template struct{ s *Script }

// Type names the class.
func (*template) Type() string { return "groovy.text.Template" }

// Get and Set know no properties.
func (*template) Get(*Thread, string) (Value, error) { return nil, ErrNoMember }

// Set refuses.
func (*template) Set(*Thread, string, Value) error { return ErrNoMember }

// Call is make(binding).
func (p *template) Call(t *Thread, id string, a []Value) (Value, error) {
	if id != "make" {
		return nil, ErrNoMember
	}
	u, err := t.load(p.s)
	if err != nil {
		return nil, err
	}
	if m, ok := arg(a, 0).(*Map); ok {
		u.binding.putAll(m)
	}
	b := &builder{class: "StringWriter"}
	u.binding.Put("out", b)
	if _, err := t.runUnit(u); err != nil {
		return nil, err
	}
	return &filled{string(b.b)}, nil
}

// filled is a template's text: a Writable.
type filled struct{ text string }

// Type names the class; String is the text.
func (*filled) Type() string     { return "groovy.lang.Writable" }
func (w *filled) String() string { return w.text }

// Get and Set know no properties.
func (*filled) Get(*Thread, string) (Value, error) { return nil, ErrNoMember }

// Set refuses.
func (*filled) Set(*Thread, string, Value) error { return ErrNoMember }

// Call is writeTo(writer); all else is asked of the text.
func (w *filled) Call(t *Thread, id string, a []Value) (Value, error) {
	if id == "writeTo" && len(a) == 1 {
		_, err := t.CallMethod(a[0], "write", []Value{w.text})
		return a[0], err
	}
	return t.CallMethod(w.text, id, a)
}
