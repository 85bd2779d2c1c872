package xml

import (
	"strings"
	"unicode/utf8"

	"appliance/recipes/groovy"
)

const (
	noDoctype = "http://apache.org/xml/features/disallow-doctype-decl"
	loadDTD   = "http://apache.org/xml/features/nonvalidating/load-external-dtd"
)

// reader is an XmlParser or an XmlSlurper.
type reader struct {
	host     Host
	class    string
	aware    bool // of namespaces
	trim     bool // the texts
	keep     bool // texts of white space
	features map[string]bool
}

// newReader takes validating, namespaceAware and allowDocTypeDeclaration.
func newReader(h Host, class string, a []groovy.Value) (groovy.Value, error) {
	r := &reader{host: h, class: class, aware: true, features: map[string]bool{noDoctype: true, loadDTD: true}}
	for i, v := range a {
		yes, ok := v.(bool)
		switch {
		case !ok || i > 2:
			return nil, groovy.Throw("UnsupportedOperationException", "new %s takes validating, namespaceAware and allowDocTypeDeclaration", class)
		case i == 0 && yes:
			return nil, groovy.Throw("UnsupportedOperationException", "%s does not validate", class)
		case i == 1:
			r.aware = yes
		case i == 2:
			r.features[noDoctype] = !yes
		}
	}
	return r, nil
}

// Type names the class.
func (r *reader) Type() string { return "groovy.util." + r.class }

func (r *reader) flag(id string) *bool {
	switch {
	case id == "trimWhitespace" && r.class == "XmlParser":
		return &r.trim
	case id == "keepIgnorableWhitespace" || id == "keepWhitespace" && r.class == "XmlSlurper":
		return &r.keep
	case id == "namespaceAware" && r.class == "XmlParser":
		return &r.aware
	}
	return nil
}

// Get reads a setting.
func (r *reader) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	if f := r.flag(id); f != nil {
		return *f, nil
	}
	return nil, groovy.ErrNoMember
}

// Set makes a setting.
func (r *reader) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	f := r.flag(id)
	if f == nil {
		return groovy.ErrNoMember
	}
	*f = groovy.Truth(v)
	return nil
}

// Call parses.
func (r *reader) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	switch {
	case id == "parseText" && len(a) == 1 && a[0] == nil:
		return nil, groovy.Throw("NullPointerException", "parseText(null)")
	case id == "parseText" && len(a) == 1:
		return r.parse(t, groovy.Format(a[0]))
	case id == "parse" && len(a) == 1:
		v := a[0]
		if path, ok := v.(string); ok {
			var err error
			if v, err = r.host.File(t, strings.TrimPrefix(strings.TrimPrefix(path, "file://"), "file:")); err != nil {
				return nil, err
			}
		}
		text, err := content(t, v)
		if err != nil {
			return nil, err
		}
		return r.parse(t, text)
	case id == "setFeature" && len(a) == 2:
		r.features[groovy.Format(a[0])] = groovy.Truth(a[1])
		return nil, nil
	case id == "getFeature" && len(a) == 1:
		return r.features[groovy.Format(a[0])], nil
	case (id == "setEntityResolver" || id == "setErrorHandler") && len(a) == 1:
		return nil, groovy.Throw("UnsupportedOperationException", "%s.%s is not available: a DTD is never read", r.class, id)
	}
	return nil, groovy.ErrNoMember
}

func (r *reader) parse(t *groovy.Thread, text string) (groovy.Value, error) {
	if err := t.Alloc(len(text)); err != nil {
		return nil, err
	}
	x := &scanner{s: text, doctypes: !r.features[noDoctype], external: !r.features[loadDTD]}
	b := &tree{t: t, reader: r, x: x, hints: map[string]string{}}
	x.to = b
	if err := x.scan(); err != nil {
		return nil, err
	}
	if r.class == "XmlParser" {
		return b.root, nil
	}
	return newDocument(b.top, b.hints), nil
}

// tree makes the Nodes, or the elements of a GPathResult, of a document.
type tree struct {
	t      *groovy.Thread
	reader *reader
	x      *scanner
	spaces spaces
	hints  map[string]string // the prefixes that the document declares
	body   strings.Builder

	root *node
	open []*node
	top  *elem
	in   *elem
}

func (b *tree) start(raw string, attrs []attr) error {
	if err := b.flush(); err != nil {
		return err
	}
	if err := b.t.Alloc(512 + 160*len(attrs)); err != nil {
		return err
	}
	name, named := qname{local: raw}, make([]qname, len(attrs))
	if b.reader.aware {
		var err error
		if name, named, attrs, err = b.spaces.enter(b.x, raw, attrs, b.hints); err != nil {
			return err
		}
	} else {
		for i, a := range attrs {
			named[i].local = a.name
		}
	}
	if b.reader.class == "XmlParser" {
		b.startNode(name, named, attrs)
	} else {
		b.startElem(name, named, attrs)
	}
	return nil
}

func (b *tree) startNode(name qname, named []qname, attrs []attr) {
	n := &node{name: plainName(name), attrs: groovy.NewMap(), value: newList()}
	for i, a := range attrs {
		n.attrs.Put(plainName(named[i]), a.value)
	}
	if len(b.open) == 0 {
		b.root = n
	} else {
		b.open[len(b.open)-1].add(n)
	}
	b.open = append(b.open, n)
}

func plainName(q qname) groovy.Value {
	if q.uri == "" {
		return q.local
	}
	return &q
}

func (b *tree) startElem(name qname, named []qname, attrs []attr) {
	e := &elem{name: name.local, uri: name.uri, attrs: groovy.NewHashMap(), parent: b.in}
	for i := len(attrs) - 1; i >= 0; i-- {
		q := &named[i]
		if q.uri == "" {
			e.attrs.Put(q.written(), attrs[i].value)
			continue
		}
		e.attrs.Put(q.String(), attrs[i].value)
		if e.spaces == nil {
			e.spaces = map[string]string{}
		}
		e.spaces[q.String()] = q.uri
	}
	if b.in == nil {
		b.top = e
	} else {
		b.in.kids = append(b.in.kids, e)
	}
	b.in = e
}

func (b *tree) end() error {
	if err := b.flush(); err != nil {
		return err
	}
	b.spaces.leave()
	if b.reader.class == "XmlParser" {
		b.open = b.open[:len(b.open)-1]
	} else if b.in.parent != nil {
		b.in = b.in.parent
	}
	return nil
}

func (b *tree) text(s string) error {
	b.body.WriteString(s)
	return b.t.Alloc(len(s))
}

func (*tree) comment(string) error             { return nil }
func (*tree) instruction(string, string) error { return nil }

// flush makes a child of the text that has come.
func (b *tree) flush() error {
	s := b.body.String()
	b.body.Reset()
	blank := strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) == ""
	if b.reader.class == "XmlSlurper" {
		if b.in != nil && s != "" && (b.reader.keep || !blank) {
			b.in.kids = append(b.in.kids, s)
		}
		return b.t.Alloc(32)
	}
	if len(b.open) == 0 {
		return nil
	}
	switch {
	case b.reader.trim && !blank:
		s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	case b.reader.trim || blank && !b.reader.keep:
		return nil
	}
	l := b.open[len(b.open)-1].value.(*nodeList).list
	l.Elems = append(l.Elems, s)
	return b.t.Alloc(32)
}

// spaces are the namespaces that are declared where a document is read.
type spaces struct {
	bound []struct{ prefix, uri string }
	marks []int
}

// enter gives the names of an element and its attributes, without those that
// declare namespaces.
func (s *spaces) enter(x *scanner, raw string, attrs []attr, hints map[string]string) (qname, []qname, []attr, error) {
	s.marks = append(s.marks, len(s.bound))
	for _, id := range append([]string{raw}, namesOf(attrs)...) {
		prefix, local, ok := strings.Cut(id, ":")
		if ok && (prefix == "" || !ncName(local)) {
			return qname{}, nil, nil, x.fault("Element or attribute do not match QName production: QName::=(NCName':')?NCName.")
		}
	}
	var rest []attr
	for _, a := range attrs {
		prefix, declares := strings.CutPrefix(a.name, "xmlns:")
		if !declares && a.name != "xmlns" {
			rest = append(rest, a)
			continue
		}
		if !declares {
			prefix = ""
		}
		if declares && a.value == "" {
			return qname{}, nil, nil, x.fault("The value of the attribute \"prefix=\"xmlns\",localpart=%q,rawname=%q\" is invalid. Prefixed namespace bindings may not be empty.", prefix, a.name)
		}
		s.bound = append(s.bound, struct{ prefix, uri string }{prefix, a.value})
		if hints != nil {
			hints[prefix] = a.value
		}
	}
	name, ok := s.resolve(raw, true)
	if !ok {
		return name, nil, nil, x.fault("The prefix %q for element %q is not bound.", name.prefix, raw)
	}
	named := make([]qname, len(rest))
	seen := map[string]bool{}
	for i, a := range rest {
		if named[i], ok = s.resolve(a.name, false); !ok {
			return name, nil, nil, x.fault("The prefix %q for attribute %q associated with an element type %q is not bound.", named[i].prefix, a.name, raw)
		}
		if key := named[i].String(); named[i].uri != "" && seen[key] {
			return name, nil, nil, x.fault("Attribute %q bound to namespace %q was already specified for element %q.", named[i].local, named[i].uri, raw)
		} else if named[i].uri != "" {
			seen[key] = true
		}
	}
	return name, named, rest, nil
}

func namesOf(attrs []attr) []string {
	list := make([]string, len(attrs))
	for i, a := range attrs {
		list[i] = a.name
	}
	return list
}

// ncName says whether a part of a name is one without a prefix.
func ncName(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && nameRune(r, true) && !strings.Contains(s, ":")
}

func (s *spaces) leave() {
	if n := len(s.marks); n > 0 {
		s.bound, s.marks = s.bound[:s.marks[n-1]], s.marks[:n-1]
	}
}

// resolve finds the namespace of a name; one without prefix is in the default
// namespace if it is an element's.
func (s *spaces) resolve(raw string, element bool) (qname, bool) {
	prefix, local, ok := strings.Cut(raw, ":")
	if !ok {
		prefix, local = "", raw
	}
	if prefix == "" && !element {
		return qname{local: local}, true
	}
	if prefix == "xml" {
		return qname{"http://www.w3.org/XML/1998/namespace", local, prefix}, true
	}
	for i := len(s.bound) - 1; i >= 0; i-- {
		if s.bound[i].prefix == prefix {
			return qname{s.bound[i].uri, local, prefix}, true
		}
	}
	return qname{"", local, prefix}, prefix == ""
}
