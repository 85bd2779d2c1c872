package xml

import (
	"fmt"
	"maps"
	"strings"

	"appliance/recipes/groovy"
)

// printer is a groovy.util.XmlNodePrinter.
type printer struct {
	to       groovy.Value // nil: the script's output
	indent   string
	quote    string
	plain    bool // no namespaces
	preserve bool // white space
	expand   bool // empty elements
	compact  bool // no white space but that of the texts
}

func newPrinter(_ *groovy.Thread, a []groovy.Value) (groovy.Value, error) {
	p := &printer{indent: "  ", quote: `"`}
	switch len(a) {
	case 3:
		p.quote = groovy.Format(a[2])
		fallthrough
	case 2:
		p.indent = groovy.Format(a[1])
		fallthrough
	case 1:
		p.to = a[0]
	case 0:
	default:
		return nil, groovy.ErrNoMember
	}
	return p, nil
}

// Type names the class.
func (*printer) Type() string { return "groovy.util.XmlNodePrinter" }

// Get reads a setting.
func (p *printer) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "preserveWhitespace":
		return p.preserve, nil
	case "expandEmptyElements":
		return p.expand, nil
	case "namespaceAware":
		return !p.plain, nil
	case "quote":
		return p.quote, nil
	}
	return nil, groovy.ErrNoMember
}

// Set makes a setting.
func (p *printer) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	switch id {
	case "preserveWhitespace":
		p.preserve = groovy.Truth(v)
	case "expandEmptyElements":
		p.expand = groovy.Truth(v)
	case "namespaceAware":
		p.plain = !groovy.Truth(v)
	case "quote":
		p.quote = groovy.Format(v)
	default:
		return groovy.ErrNoMember
	}
	return nil
}

// Call prints a Node.
func (p *printer) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if id != "print" || len(a) != 1 {
		return nil, groovy.ErrNoMember
	}
	n, ok := a[0].(*node)
	if !ok {
		if a[0] == nil {
			return nil, groovy.Throw("NullPointerException", "print(null)")
		}
		return nil, groovy.ErrNoMember
	}
	s, err := p.text(t, n)
	if err != nil {
		return nil, err
	}
	return nil, write(t, p.to, s)
}

func (p *printer) text(t *groovy.Thread, n *node) (string, error) {
	w := &printing{printer: p, walk: walk{t: t, left: maxShown}}
	w.node(n, nil)
	s, err := w.result()
	return groovy.Format(s), err
}

// printing is one text that is being made.
type printing struct {
	*printer
	walk
	level int
}

func (w *printing) begin() { w.b.WriteString(strings.Repeat(w.indent, w.level)) }

func (w *printing) end() {
	if !w.compact {
		w.b.WriteByte('\n')
	}
}

// node writes a node; spaces are the namespaces that are declared around it.
func (w *printing) node(n *node, spaces map[string]string) {
	defer func() { w.depth-- }()
	if !w.enter() {
		return
	}
	if w.b.Len() > maxText {
		w.err = fmt.Errorf("%w: markup of more than %d bytes", groovy.ErrLimit, maxText)
		return
	}
	own := maps.Clone(spaces)
	if own == nil {
		own = map[string]string{}
	}
	kids := n.children().list.Elems
	tagged := w.name(n.name)
	list, isList := n.value.(*nodeList)
	keep := w.preserve && (!isList || !hasNode(list))
	w.begin()
	w.b.WriteString("<" + tagged)
	w.space(n.name, own)
	w.attributes(n, own)
	if len(kids) == 0 {
		if w.expand {
			w.b.WriteString("></" + tagged + ">")
		} else {
			w.b.WriteString("/>")
		}
		w.end()
		return
	}
	w.b.WriteByte('>')
	if !keep {
		w.end()
	}
	w.level++
	for _, k := range kids {
		if c, ok := k.(*node); ok {
			w.node(c, own)
			continue
		}
		if !w.preserve {
			w.begin()
		}
		w.escaped(k, false)
		if !w.preserve {
			w.end()
		}
	}
	w.level--
	if !keep {
		w.begin()
	}
	w.b.WriteString("</" + tagged + ">")
	w.end()
}

func hasNode(l *nodeList) bool {
	for _, v := range l.list.Elems {
		if isNode(v) {
			return true
		}
	}
	return false
}

func (w *printing) name(v groovy.Value) string {
	q, ok := v.(*qname)
	switch {
	case !ok:
		return groovy.Format(v)
	case w.plain:
		return q.local
	}
	return q.written()
}

// space declares the namespace of a name where it is not yet.
func (w *printing) space(v groovy.Value, spaces map[string]string) {
	q, ok := v.(*qname)
	if uri, set := spaces[q.prefixOr()]; !ok || w.plain || set && uri == q.uri {
		return
	}
	spaces[q.prefix] = q.uri
	id := "xmlns"
	if q.prefix != "" {
		id += ":" + q.prefix
	}
	w.b.WriteString(" " + id + "=" + w.quote + q.uri + w.quote)
}

// prefixOr is the prefix; empty for no name.
func (q *qname) prefixOr() string {
	if q == nil {
		return ""
	}
	return q.prefix
}

func (w *printing) attributes(n *node, spaces map[string]string) {
	for _, k := range n.attrs.Keys() {
		v, _ := n.attrs.Get(k)
		w.b.WriteString(" " + w.name(k) + "=" + w.quote)
		w.escaped(v, true)
		w.b.WriteString(w.quote)
		w.space(k, spaces)
	}
}

// escaped writes a value as text.
func (w *printing) escaped(v groovy.Value, attribute bool) {
	if w.err != nil {
		return
	}
	part := walk{t: w.t, left: w.left}
	part.any(v)
	s := part.b.String()
	if w.err = part.err; w.err == nil {
		w.err = w.t.Alloc(len(s))
	}
	pairs := []string{"<", "&lt;", ">", "&gt;", "&", "&amp;"}
	if attribute {
		pairs = append(pairs, "\n", "&#10;", "\r", "&#13;")
		switch w.quote {
		case "'":
			pairs = append(pairs, "'", "&apos;")
		case `"`:
			pairs = append(pairs, `"`, "&quot;")
		}
	}
	w.b.WriteString(strings.NewReplacer(pairs...).Replace(s))
}
