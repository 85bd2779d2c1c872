package xml

import (
	"fmt"
	"strings"

	"appliance/recipes/groovy"
)

// utility are the static methods of groovy.xml.XmlUtil.
func utility(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	switch {
	case id == "serialize" && (len(a) == 1 || len(a) == 2):
		s, err := serialize(t, a[0])
		if err != nil || len(a) == 1 {
			return s, err
		}
		return nil, write(t, a[1], s)
	case id == "escapeXml" && len(a) == 1:
		s := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(groovy.Format(a[0]))
		return s, t.Alloc(len(s))
	case id == "escapeControlCharacters" && len(a) == 1:
		var b strings.Builder
		for _, r := range groovy.Format(a[0]) {
			if r < ' ' {
				fmt.Fprintf(&b, "&#%d;", r)
			} else {
				b.WriteRune(r)
			}
		}
		return b.String(), t.Alloc(b.Len())
	}
	return nil, groovy.ErrNoMember
}

// serialize writes a document anew, each element on a line of its own, two
// blanks deeper than the one around it. White space between elements is not
// kept.
func serialize(t *groovy.Thread, v groovy.Value) (string, error) {
	var text string
	var err error
	switch v := v.(type) {
	case string:
		text = v
	case *node:
		text, err = (&printer{quote: `"`, preserve: true, compact: true}).text(t, v)
	case *path:
		d := newMarkupDocument(streaming{encoding: "UTF-8"})
		err = v.write(t, d)
		text = d.b.String()
	case nil:
		return "", groovy.Throw("NullPointerException", "serialize(null)")
	default:
		return "", groovy.Throw("MissingMethodException", "No signature of method: static groovy.xml.XmlUtil.serialize() is applicable for argument types: (%s)", groovy.TypeName(v))
	}
	if err != nil {
		return "", err
	}
	if err := t.Alloc(len(text)); err != nil {
		return "", err
	}
	p := &pretty{t: t, top: &piece{}}
	p.in = p.top
	x := &scanner{s: text, to: p, doctypes: true}
	if err := x.scan(); err != nil {
		return "", err
	}
	p.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	for _, k := range p.top.kids {
		if err := p.write(k, 0); err != nil {
			return "", err
		}
	}
	p.b.WriteByte('\n')
	return p.b.String(), t.Alloc(p.b.Len())
}

// piece is an element, with its tag, or another piece of a document.
type piece struct {
	name  string
	attrs []attr
	text  string // of a piece that is no element, as it is written
	parts []string
	plain bool // text, of parts
	kids  []*piece
	up    *piece
}

// pretty keeps a document and writes it.
type pretty struct {
	t   *groovy.Thread
	top *piece
	in  *piece
	b   strings.Builder
}

func (p *pretty) add(k *piece) error {
	k.up = p.in
	p.in.kids = append(p.in.kids, k)
	return p.t.Alloc(128 + len(k.text) + 64*len(k.attrs))
}

func (p *pretty) start(name string, attrs []attr) error {
	k := &piece{name: name, attrs: attrs}
	err := p.add(k)
	p.in = k
	return err
}

func (p *pretty) end() error {
	p.in = p.in.up
	return nil
}

func (p *pretty) text(s string) error {
	if n := len(p.in.kids); n > 0 && p.in.kids[n-1].plain {
		p.in.kids[n-1].parts = append(p.in.kids[n-1].parts, s)
		return p.t.Alloc(len(s) + 16)
	}
	return p.add(&piece{plain: true, parts: []string{s}})
}

func (p *pretty) comment(s string) error { return p.add(&piece{text: "<!--" + s + "-->"}) }

func (p *pretty) instruction(target, data string) error {
	return p.add(&piece{text: "<?" + target + " " + data + "?>"})
}

var (
	inText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	inAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\t", "&#9;", "\r", "&#13;")
)

// write writes a piece at its place in a line.
func (p *pretty) write(k *piece, depth int) error {
	if p.b.Len() > maxText {
		return fmt.Errorf("%w: markup of more than %d bytes", groovy.ErrLimit, maxText)
	}
	switch {
	case k.plain:
		p.b.WriteString(inText.Replace(strings.Join(k.parts, "")))
		return nil
	case k.name == "":
		p.b.WriteString(k.text)
		return nil
	}
	p.b.WriteString("<" + k.name)
	for _, a := range k.attrs {
		p.b.WriteString(" " + a.name + `="` + inAttribute.Replace(a.value) + `"`)
	}
	kids, inline := k.shown()
	if len(kids) == 0 {
		p.b.WriteString("/>")
		return nil
	}
	p.b.WriteByte('>')
	for _, c := range kids {
		if !inline {
			p.line(depth + 1)
		}
		if err := p.write(c, depth+1); err != nil {
			return err
		}
	}
	if !inline {
		p.line(depth)
	}
	p.b.WriteString("</" + k.name + ">")
	return nil
}

func (p *pretty) line(depth int) { p.b.WriteString("\n" + strings.Repeat("  ", depth)) }

// shown are the pieces in an element that are written: all when there is only
// text, which stays in the line; else those that are not white space.
func (k *piece) shown() (kids []*piece, inline bool) {
	inline = true
	for _, c := range k.kids {
		inline = inline && c.plain
	}
	if inline {
		return k.kids, true
	}
	for _, c := range k.kids {
		if !c.plain || strings.TrimSpace(strings.Join(c.parts, "")) != "" {
			kids = append(kids, c)
		}
	}
	return kids, false
}
