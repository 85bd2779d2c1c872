package xml

import (
	"fmt"
	"strings"

	"appliance/recipes/groovy"
)

// streaming is a groovy.xml.StreamingMarkupBuilder.
type streaming struct {
	encoding string
	double   bool // quotes
	expand   bool // <a></a> instead of <a/>
}

// Type names the class.
func (*streaming) Type() string { return "groovy.xml.StreamingMarkupBuilder" }

// Get reads a setting.
func (s *streaming) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "encoding":
		if s.encoding == "" {
			return nil, nil
		}
		return s.encoding, nil
	case "useDoubleQuotes":
		return s.double, nil
	case "expandEmptyElements":
		return s.expand, nil
	}
	return nil, groovy.ErrNoMember
}

// Set makes a setting.
func (s *streaming) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	switch id {
	case "encoding":
		s.encoding = groovy.Format(v)
	case "useDoubleQuotes":
		s.double = groovy.Truth(v)
	case "expandEmptyElements":
		s.expand = groovy.Truth(v)
	default:
		return groovy.ErrNoMember
	}
	return nil
}

// Call binds a closure, or a node: what it builds is written when asked for.
func (s *streaming) Call(_ *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if len(a) != 1 || id != "bind" && id != "bindNode" {
		return nil, groovy.ErrNoMember
	}
	if _, ok := a[0].(*groovy.Closure); id == "bind" && !ok {
		return nil, groovy.ErrNoMember
	}
	return &writable{*s, a[0]}, nil
}

// writable is what StreamingMarkupBuilder.bind gives.
type writable struct {
	with streaming
	what groovy.Value
}

// Type names the class.
func (*writable) Type() string { return "groovy.lang.Writable" }

// Get and Set know nothing.
func (*writable) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*writable) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Shown is the text, which the closure makes anew each time.
func (w *writable) Shown(t *groovy.Thread) (string, error) {
	d := newMarkupDocument(w.with)
	if err := d.item(t, w.what, nil, nil); err != nil {
		return "", err
	}
	return d.b.String(), nil
}

// Call writes the text to a writer.
func (w *writable) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if id == "toString" && len(a) == 0 || id == "writeTo" && len(a) == 1 {
		s, err := w.Shown(t)
		if err != nil || len(a) == 0 {
			return s, err
		}
		return a[0], write(t, a[0], s)
	}
	return nil, groovy.ErrNoMember
}

// document is what a bound closure speaks to: its methods are tags, its
// properties are prefixes of tags; mkp has the words of the builder.
type document struct {
	with    streaming
	b       strings.Builder
	bound   *groovy.Map // namespaces that are declared, by prefix; ":" is the default
	pending *groovy.Map // those that the next element declares
	depth   int
}

func newMarkupDocument(s streaming) *document {
	d := &document{with: s, bound: groovy.NewHashMap(), pending: groovy.NewHashMap()}
	d.bound.Put("xml", "http://www.w3.org/XML/1998/namespace")
	d.bound.Put("mkp", "http://www.codehaus.org/Groovy/markup/keywords")
	return d
}

// Type names the class.
func (*document) Type() string { return "groovy.xml.streamingmarkupsupport.BaseMarkupBuilder$Document" }

// Get takes a name for a prefix.
func (d *document) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	if word, ok := map[string]string{"out": "yield", "unescaped": "yieldUnescaped", "namespaces": "declareNamespace", "pi": "pi", "comment": "comment"}[id]; ok {
		return &sinkWord{d, word}, nil
	}
	return &prefixed{d, id}, nil
}

// Set refuses.
func (d *document) Set(_ *groovy.Thread, id string, _ groovy.Value) error {
	return groovy.Throw("MissingPropertyException", "No such property: %s for class: %s", id, d.Type())
}

// Call writes an element.
func (d *document) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if common(id) {
		return nil, groovy.ErrNoMember
	}
	return nil, d.tag(t, "", id, a)
}

// prefixed are the tags of a document that have a prefix.
type prefixed struct {
	*document
	prefix string
}

// Call writes an element, or does what a word of mkp says.
func (p *prefixed) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if p.prefix == "mkp" {
		return p.word(t, id, a)
	}
	if common(id) {
		return nil, groovy.ErrNoMember
	}
	return nil, p.tag(t, p.prefix, id, a)
}

func (d *document) tag(t *groovy.Thread, prefix, id string, a []groovy.Value) error {
	var attrs *groovy.Map
	var body groovy.Value
	for _, v := range a {
		if m, ok := v.(*groovy.Map); ok {
			attrs = m
		} else {
			body = v
		}
	}
	if body == nil {
		return d.element(t, prefix, id, attrs, nil)
	}
	return d.element(t, prefix, id, attrs, func() error { return d.item(t, body, nil, nil) })
}

// word does what mkp.id says.
func (d *document) word(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	quote := d.quote()
	switch {
	case id == "xmlDeclaration" && len(a) == 0:
		d.b.WriteString("<?xml version=" + quote + "1.0" + quote)
		if d.with.encoding != "" {
			d.b.WriteString(" encoding=" + quote + d.with.encoding + quote)
		}
		d.b.WriteString("?>\n")
	case id == "getNamespaces" && len(a) == 0:
		return groovy.NewList(d.bound, d.pending), nil
	case len(a) != 1:
		return nil, groovy.Throw("GroovyRuntimeException", "mkp.%s does not take %d arguments", id, len(a))
	case id == "yield":
		return nil, d.item(t, a[0], nil, nil)
	case id == "yieldUnescaped":
		s, err := textOf(t, a[0])
		d.b.WriteString(s)
		return nil, err
	case id == "comment":
		d.b.WriteString("<!--")
		err := d.yieldValue(t, a[0])
		d.b.WriteString("-->")
		return nil, err
	case id == "declareNamespace" || id == "pi":
		m, ok := a[0].(*groovy.Map)
		if !ok {
			return nil, groovy.Throw("GroovyRuntimeException", "mkp.%s takes a map", id)
		}
		for _, k := range m.Keys() {
			v, _ := m.Get(k)
			if id == "pi" {
				d.b.WriteString("<?" + groovy.Format(k) + pseudo(v, d.with.double) + "?>")
			} else {
				d.declare(groovy.Format(k), groovy.Format(v))
			}
		}
	default:
		return nil, groovy.Throw("GroovyRuntimeException", "Tag %s is not allowed in namespace http://www.codehaus.org/Groovy/markup/keywords", id)
	}
	return nil, t.Alloc(64)
}

// pseudo are the attributes of a processing instruction, or its text.
func pseudo(v groovy.Value, double bool) string {
	m, ok := v.(*groovy.Map)
	if !ok {
		return " " + groovy.Format(v)
	}
	s := ""
	for _, k := range m.Keys() {
		x, _ := m.Get(k)
		text, quote := groovy.Format(x), "'"
		if strings.Contains(text, "'") || double && !strings.Contains(text, `"`) {
			quote = `"`
		}
		s += " " + groovy.Format(k) + "=" + quote + text + quote
	}
	return s
}

func (d *document) declare(prefix, uri string) {
	if prefix == "" {
		prefix = ":"
	}
	if v, ok := d.bound.Get(prefix); !ok || v != uri {
		d.pending.Put(prefix, uri)
	}
}

func (d *document) quote() string {
	if d.with.double {
		return `"`
	}
	return "'"
}

// element writes an element; inside writes its body, nil: it has none.
func (d *document) element(t *groovy.Thread, prefix, name string, attrs *groovy.Map, inside func() error) error {
	if d.depth++; d.depth > 4*maxDepth {
		return tooDeep()
	}
	defer func() { d.depth-- }()
	full := name
	if prefix != "" {
		if !d.bound.Has(prefix) && !d.pending.Has(prefix) {
			return groovy.Throw("GroovyRuntimeException", "Namespace prefix: %s is not bound to a URI", prefix)
		}
		if uri, set := d.pending.Get(prefix); prefix != ":" && (!set || uri != "") {
			full = prefix + ":" + name
		}
	}
	d.b.WriteString("<" + full)
	if err := d.attributes(t, attrs); err != nil {
		return err
	}
	hidden := groovy.NewMap()
	for _, k := range d.pending.Keys() {
		uri, _ := d.pending.Get(k)
		if uri == "" {
			continue
		}
		old, _ := d.bound.Get(k)
		hidden.Put(k, old)
		d.bound.Put(k, uri)
		id := "xmlns"
		if k != ":" {
			id += ":" + groovy.Format(k)
		}
		d.b.WriteString(" " + id + "=" + d.quote() + d.escape(groovy.Format(uri), true) + d.quote())
	}
	if inside == nil && !d.with.expand {
		d.b.WriteString("/>")
	} else {
		d.b.WriteByte('>')
		outer := d.pending
		d.pending = groovy.NewHashMap()
		if inside != nil {
			if err := inside(); err != nil {
				return err
			}
		}
		d.pending = outer
		d.b.WriteString("</" + full + ">")
	}
	for _, k := range hidden.Keys() {
		if old, _ := hidden.Get(k); old != nil {
			d.bound.Put(k, old)
		} else {
			d.bound.Delete(k)
		}
	}
	return t.Alloc(64 + 2*len(full))
}

func (d *document) attributes(t *groovy.Thread, attrs *groovy.Map) error {
	if attrs == nil {
		return nil
	}
	for _, k := range attrs.Keys() {
		id := groovy.Format(k)
		if prefix, local, ok := strings.Cut(id, "$"); ok {
			if !d.bound.Has(prefix) && !d.pending.Has(prefix) {
				return groovy.Throw("GroovyRuntimeException", "bad attribute namespace tag: %s in %s", prefix, id)
			}
			id = prefix + ":" + local[strings.IndexByte(local, '}')+1:]
		}
		v, _ := attrs.Get(k)
		s, err := textOf(t, v)
		if err != nil {
			return err
		}
		s = d.escape(s, true)
		d.b.WriteString(" " + id + "=" + d.quote() + s + d.quote())
		if err := d.room(t, len(s)+len(id)); err != nil {
			return err
		}
	}
	return nil
}

// item writes a piece of a body.
func (d *document) item(t *groovy.Thread, v groovy.Value, declared, hints map[string]string) error {
	switch v := v.(type) {
	case nil:
		return nil
	case *groovy.Closure:
		_, err := t.CallMethod(d.bind(v), "call", []groovy.Value{d})
		return err
	case *elem:
		return v.write(t, d, declared, hints)
	case *path:
		return v.write(t, d)
	case *built:
		return v.write(t, d)
	case *groovy.List:
		if d.depth++; d.depth > 4*maxDepth {
			return tooDeep()
		}
		defer func() { d.depth-- }()
		for _, x := range v.Elems {
			if err := d.item(t, x, declared, hints); err != nil {
				return err
			}
		}
		return nil
	}
	return d.yieldValue(t, v)
}

// bind makes the document the delegate of a closure.
func (d *document) bind(c *groovy.Closure) *groovy.Closure {
	own := *c
	own.SetDelegate(d)
	return &own
}

func (d *document) yieldValue(t *groovy.Thread, v groovy.Value) error {
	s, err := textOf(t, v)
	if err != nil {
		return err
	}
	return d.yield(t, s)
}

// yield writes a text, escaped.
func (d *document) yield(t *groovy.Thread, s string) error {
	s = d.escape(s, false)
	d.b.WriteString(s)
	return d.room(t, len(s))
}

func (d *document) room(t *groovy.Thread, n int) error {
	if d.b.Len() > maxText {
		return fmt.Errorf("%w: markup of more than %d bytes", groovy.ErrLimit, maxText)
	}
	return t.Alloc(2*n + 32)
}

// maxText bounds what is written at once.
const maxText = 32 << 20

// escape is a text as the builder writes it: what is not ASCII by number
// unless an encoding is set.
func (d *document) escape(s string, attribute bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case attribute && (r == '\n' || r == '\r' || r == '\t'):
			fmt.Fprintf(&b, "&#%02d;", r)
		case attribute && r == '"' && d.with.double:
			b.WriteString("&quot;")
		case attribute && r == '\'' && !d.with.double:
			b.WriteString("&apos;")
		case r > 0x7e && d.with.encoding == "":
			fmt.Fprintf(&b, "&#x%x;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// textOf is the text of a value, as its toString gives it.
func textOf(t *groovy.Thread, v groovy.Value) (string, error) {
	switch v := v.(type) {
	case nil:
		return "null", nil
	case string:
		return v, nil
	}
	x, err := t.CallMethod(v, "toString", nil)
	return groovy.Format(x), err
}

// sinkWord is out, unescaped, namespaces, pi or comment: what is shifted into
// it is written by a word of mkp.
type sinkWord struct {
	d    *document
	word string
}

// Type names the class.
func (*sinkWord) Type() string { return "groovy.xml.streamingmarkupsupport.BaseMarkupBuilder$Document" }

// Get and Set know nothing.
func (*sinkWord) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*sinkWord) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call is the shift.
func (s *sinkWord) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if id != "leftShift" || len(a) != 1 {
		return nil, groovy.ErrNoMember
	}
	_, err := s.d.word(t, s.word, a)
	return s, err
}
