package groovy

import (
	"strconv"
	"strings"
)

// messageFormat is a java.text.MessageFormat.
type messageFormat struct {
	src    string
	loc    *locale
	pieces []messagePiece
}

// messagePiece is a text, or after it the argument that is put there.
type messagePiece struct {
	text string
	arg  int    // -1: none
	form Object // nil: as the argument's class is shown
}

// newMessage reads a pattern. A part in quotes is itself; within braces quotes
// are part of what a number's or a date's own pattern reads.
func newMessage(src string, loc *locale) (*messageFormat, error) {
	m := &messageFormat{src: src, loc: loc}
	var seg [4]strings.Builder // the text; number, type and style of an argument
	part, depth, quoted := 0, 0, false
	s := []rune(src)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case part == 0 && c == '\'' && i+1 < len(s) && s[i+1] == '\'':
			seg[0].WriteRune(c)
			i++
		case part == 0 && c == '\'':
			quoted = !quoted
		case part == 0 && c == '{' && !quoted:
			part = 1
		case part == 0:
			seg[0].WriteRune(c)
		case quoted || c == '\'':
			quoted = quoted != (c == '\'')
			seg[part].WriteRune(c)
		case c == ' ' && part == 2 && seg[2].Len() == 0:
		case c == ',' && part < 3:
			part++
		case c == '}' && depth == 0:
			p, err := m.piece(seg[1].String(), seg[2].String(), seg[3].String())
			if err != nil {
				return nil, err
			}
			p.text = seg[0].String()
			m.pieces = append(m.pieces, p)
			seg, part = [4]strings.Builder{}, 0
		default:
			depth += boolInt(c == '{') - boolInt(c == '}')
			seg[part].WriteRune(c)
		}
	}
	if depth == 0 && part != 0 {
		return nil, Throw("IllegalArgumentException", "Unmatched braces in the pattern.")
	}
	m.pieces = append(m.pieces, messagePiece{text: seg[0].String(), arg: -1})
	return m, nil
}

// piece is {index,kind,style}.
func (m *messageFormat) piece(index, kind, style string) (messagePiece, error) {
	n, err := strconv.ParseInt(index, 10, 32)
	switch {
	case err != nil:
		return messagePiece{}, Throw("IllegalArgumentException", "can't parse argument number: %s", index)
	case n < 0:
		return messagePiece{}, Throw("IllegalArgumentException", "negative argument number: %s", index)
	}
	p := messagePiece{arg: int(n)}
	word := strings.ToLower(strings.TrimSpace(style))
	switch k := strings.ToLower(strings.TrimSpace(kind)); k {
	case "":
	case "number":
		p.form, err = m.number(word, style)
	case "date", "time":
		p.form, err = m.date(k, word, style)
	case "choice":
		p.form, err = newChoice(style)
		if err != nil {
			err = Throw("IllegalArgumentException", "Choice Pattern incorrect: %s", style)
		}
	default:
		err = Throw("IllegalArgumentException", "unknown format type: %s", kind)
	}
	return p, err
}

func (m *messageFormat) number(word, style string) (Object, error) {
	switch word {
	case "", "currency", "percent", "integer":
		return numberFormat(word, m.loc)
	}
	s, err := symbolsOf(m.loc)
	if err != nil {
		return nil, err
	}
	return newDecimalFormat(style, s)
}

func (m *messageFormat) date(kind, word, style string) (Object, error) {
	if err := english(m.loc); err != nil {
		return nil, err
	}
	styles := map[string]int64{"": 2, "short": 3, "medium": 2, "long": 1, "full": 0}
	pattern := style
	if n, ok := styles[word]; ok {
		var err error
		if pattern, err = choose(kind == "date", datePattern, timePattern)([]Value{n}, 0); err != nil {
			return nil, err
		}
	} else if _, err := datePieces(style); err != nil {
		return nil, err
	}
	return &dateFormat{pattern: pattern, zone: localZone(), week: american()}, nil
}

// format puts the arguments into the text.
func (m *messageFormat) format(t *Thread, args []Value) (string, error) {
	var b strings.Builder
	for _, p := range m.pieces {
		b.WriteString(p.text)
		if p.arg >= 0 {
			s, err := m.argument(t, p, args)
			if err != nil {
				return "", err
			}
			b.WriteString(s)
		}
		if err := t.grow(b.Len(), 1); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func (m *messageFormat) argument(t *Thread, p messagePiece, args []Value) (string, error) {
	if p.arg >= len(args) {
		return "{" + strconv.Itoa(p.arg) + "}", nil
	}
	v, form := args[p.arg], p.form
	switch d := v.(type) {
	case nil:
		return "null", nil
	case *Date:
		if form == nil && d.cal == nil {
			form = &dateFormat{pattern: "M/d/yy, h:mm a", zone: localZone(), week: american()}
		}
	case Char:
	default:
		if form == nil && rankOf(v) > 0 {
			var err error
			if form, err = numberFormat("", m.loc); err != nil {
				return "", err
			}
		}
	}
	if form == nil {
		return t.javaString(v)
	}
	s, err := t.CallMethod(form, "format", []Value{v})
	if err != nil {
		return "", err
	}
	if _, ok := form.(*choiceFormat); ok && strings.Contains(Format(s), "{") {
		inner, err := newMessage(Format(s), m.loc)
		if err != nil {
			return "", err
		}
		return inner.format(t, args)
	}
	return Format(s), nil
}

func messageFormatClass() *Class {
	return &Class{Name: "MessageFormat", Members: []string{"format", "toPattern", "applyPattern", "locale"}, New: func(_ *Thread, a []Value) (Value, error) {
		l, err := localeAt(a, 1)
		if err != nil || len(a) == 0 {
			return nil, first2(err, ErrNoMember)
		}
		return newMessage(Format(a[0]), l)
	}, Static: statics("java.text.MessageFormat", nil, methods{"format": function0(1, -1, func(t *Thread, a []Value) (Value, error) {
		m, err := newMessage(Format(a[0]), newLocale("en_US"))
		if err != nil {
			return nil, err
		}
		return text(m.format(t, spreadArray(a[1:])))
	})})}
}

// spreadArray is arguments of Object...: one that is an array is all of them.
func spreadArray(a []Value) []Value {
	if len(a) == 1 {
		if l, ok := a[0].(*List); ok && l.elem != "" && !isPrimitive(l.elem) {
			return l.Elems
		}
	}
	return a
}

// Type names the class.
func (*messageFormat) Type() string { return "java.text.MessageFormat" }

// Get reads a property.
func (m *messageFormat) Get(_ *Thread, id string) (Value, error) {
	if id == "locale" {
		return m.loc, nil
	}
	return nil, ErrNoMember
}

// Set refuses.
func (*messageFormat) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a method.
func (m *messageFormat) Call(t *Thread, id string, a []Value) (Value, error) {
	switch {
	case id == "format" && len(a) == 1:
		l, ok := a[0].(*List)
		if !ok || l.elem == "" {
			return nil, Throw("IllegalArgumentException", "Cannot format given Object as a message: it takes an array")
		}
		return text(m.format(t, l.Elems))
	case id == "applyPattern" && len(a) == 1:
		n, err := newMessage(Format(a[0]), m.loc)
		if err == nil {
			*m = *n
		}
		return nil, err
	}
	return nil, ErrNoMember
}
