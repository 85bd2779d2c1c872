package xml

import (
	"strings"

	"appliance/recipes/groovy"
)

// state is where a MarkupBuilder is in its text.
type state uint8

const (
	fresh  state = iota // nothing is open
	opened              // <a, without its >
	texted              // <a>text
	closed              // </a>
)

// markup is a groovy.xml.MarkupBuilder.
type markup struct {
	to      groovy.Value // a writer; nil: the script's output
	held    strings.Builder
	state   state
	empty   bool // the element that is open
	indent  int
	depth   int
	double  bool
	noNull  bool
	noEmpty bool
	expand  bool
	raw     bool // attributes are not escaped
}

func newMarkup(_ *groovy.Thread, a []groovy.Value) (groovy.Value, error) {
	if len(a) > 1 {
		return nil, groovy.ErrNoMember
	}
	m := &markup{}
	if len(a) == 1 {
		m.to = a[0]
	}
	return m, nil
}

// Type names the class.
func (*markup) Type() string { return "groovy.xml.MarkupBuilder" }

func (m *markup) flag(id string) *bool {
	switch id {
	case "doubleQuotes":
		return &m.double
	case "omitNullAttributes":
		return &m.noNull
	case "omitEmptyAttributes":
		return &m.noEmpty
	case "expandEmptyElements":
		return &m.expand
	}
	return nil
}

// Get reads a setting, or mkp.
func (m *markup) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	if f := m.flag(id); f != nil {
		return *f, nil
	}
	switch id {
	case "escapeAttributes":
		return !m.raw, nil
	case "mkp":
		return &groovy.Functions{Name: "groovy.xml.MarkupBuilderHelper", Func: m.word}, nil
	}
	return nil, groovy.ErrNoMember
}

// Set makes a setting.
func (m *markup) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	if f := m.flag(id); f != nil {
		*f = groovy.Truth(v)
		return nil
	}
	if id != "escapeAttributes" {
		return groovy.ErrNoMember
	}
	m.raw = !groovy.Truth(v)
	return nil
}

// Call writes a tag.
func (m *markup) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if common(id) || accessor.MatchString(id) && (len(a) == 0 || strings.HasPrefix(id, "set") && len(a) == 1 && m.flag(strings.ToLower(id[3:4])+id[4:]) != nil) {
		return nil, groovy.ErrNoMember
	}
	if m.depth++; m.depth > maxDepth {
		return nil, tooDeep()
	}
	defer func() { m.depth-- }()
	g, ok := tagOf(a)
	if !ok {
		return nil, groovy.Throw("MissingMethodException", "No signature of method: %s.%s() is applicable for these arguments", m.Type(), id)
	}
	if err := m.open(t, id, g); err != nil {
		return nil, err
	}
	if g.body != nil {
		g.body.SetDelegate(m)
		if _, err := t.Call(g.body); err != nil {
			return nil, err
		}
	}
	m.enter(closed, id)
	return id, m.flush(t)
}

// open writes the begin of a tag.
func (m *markup) open(t *groovy.Thread, id string, g tag) error {
	if g.attrs == nil && g.value != nil {
		m.enter(texted, id)
		m.empty = false
		s, err := textOf(t, g.value)
		m.held.WriteString(">" + m.escape(s, false))
		return first(err, m.written(t))
	}
	m.enter(opened, id)
	if g.attrs != nil {
		if err := m.attributes(t, g.attrs); err != nil {
			return err
		}
	}
	if g.value == nil {
		m.empty = true
		return m.written(t)
	}
	s, err := textOf(t, g.value)
	if err != nil {
		return err
	}
	return m.yield(t, m.escape(s, false))
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (m *markup) attributes(t *groovy.Thread, attrs *groovy.Map) error {
	quote := "'"
	if m.double {
		quote = `"`
	}
	for _, k := range attrs.Keys() {
		v, _ := attrs.Get(k)
		s := ""
		if v != nil {
			var err error
			if s, err = textOf(t, v); err != nil {
				return err
			}
		}
		if v == nil && m.noNull || v != nil && s == "" && m.noEmpty {
			continue
		}
		if !m.raw {
			s = m.escape(s, true)
		}
		m.held.WriteString(" " + groovy.Format(k) + "=" + quote + s + quote)
	}
	return nil
}

// yield writes a text into the element that is open.
func (m *markup) yield(t *groovy.Thread, s string) error {
	if m.state == opened {
		m.state, m.empty = texted, false
		m.held.WriteByte('>')
	}
	m.held.WriteString(s)
	return m.written(t)
}

// written gives what is written to the writer at once, as scripts may write to
// it, too; the output waits for the end of an element.
func (m *markup) written(t *groovy.Thread) error {
	if m.to != nil {
		return m.flush(t)
	}
	return t.Alloc(64)
}

func (m *markup) flush(t *groovy.Thread) error {
	s := m.held.String()
	m.held.Reset()
	if err := t.Alloc(64 + len(s)); err != nil || s == "" {
		return err
	}
	return write(t, m.to, s)
}

// word does what mkp.id says.
func (m *markup) word(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if len(a) != 1 {
		if id != "xmlDeclaration" || len(a) > 1 {
			return nil, groovy.ErrNoMember
		}
		a = []groovy.Value{groovy.NewMap()}
	}
	attrs, isMap := a[0].(*groovy.Map)
	switch {
	case id == "yield", id == "yieldUnescaped", id == "comment":
		s, err := textOf(t, a[0])
		switch {
		case err != nil:
			return nil, err
		case id == "yield":
			s = m.escape(s, false)
		case id == "comment":
			s = "<!-- " + s + " -->"
		}
		return nil, m.yield(t, s)
	case id == "xmlDeclaration" && isMap:
		return nil, m.instruction(t, "xml", attrs)
	case id == "pi" && isMap:
		for _, k := range attrs.Keys() {
			v, _ := attrs.Get(k)
			if x, ok := v.(*groovy.Map); ok {
				return nil, m.instruction(t, groovy.Format(k), x)
			}
		}
	}
	return nil, groovy.ErrNoMember
}

func (m *markup) instruction(t *groovy.Thread, target string, attrs *groovy.Map) error {
	if err := m.open(t, "?"+target, tag{attrs: attrs}); err != nil {
		return err
	}
	m.state = texted
	m.held.WriteString("?>\n")
	return m.flush(t)
}

// enter writes what stands between the last piece and the next.
func (m *markup) enter(next state, name string) {
	switch {
	case next == closed && m.state == opened && m.empty && m.expand:
		m.held.WriteString("></" + name + ">")
	case next == closed && m.state == opened && m.empty:
		m.held.WriteString(" />")
	case next == closed && m.state == opened:
	case next == closed && m.state == texted:
		m.held.WriteString("</" + name + ">")
	case next == closed:
		m.indent--
		m.line()
		m.held.WriteString("</" + name + ">")
	default:
		switch {
		case m.state == opened:
			m.held.WriteByte('>')
			m.indent++
			m.line()
		case m.state == texted && !m.empty:
			m.indent++
			m.line()
		case m.state == closed:
			m.line()
		}
		m.held.WriteString("<" + name)
	}
	m.state = next
}

// line begins a line.
func (m *markup) line() { m.held.WriteString("\n" + strings.Repeat("  ", max(m.indent, 0))) }

func (m *markup) escape(s string, attribute bool) string {
	pairs := []string{"&", "&amp;", "<", "&lt;", ">", "&gt;"}
	if attribute {
		pairs = append(pairs, "\n", "&#10;", "\r", "&#13;", "\t", "&#09;")
		if m.double {
			pairs = append(pairs, `"`, "&quot;")
		} else {
			pairs = append(pairs, "'", "&apos;")
		}
	}
	return strings.NewReplacer(pairs...).Replace(s)
}
