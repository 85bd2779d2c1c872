package xml

import (
	"maps"
	"slices"
	"strings"

	"appliance/recipes/groovy"
)

// path is a groovy.util.slurpersupport.GPathResult: elements of a document, or
// attributes of elements.
type path struct {
	class    string // NodeChild, NodeChildren, FilteredNodeChildren, NoChildren, Attributes, FilteredAttributes, Attribute
	name     string // asked for
	from     *path  // that was asked; nil for a document
	elems    []*elem
	attrs    []*path           // of Attributes: each an Attribute
	value    string            // of an Attribute
	declared map[string]string // namespaces by prefix; nil: none
	hints    map[string]string // those that the document declares
}

func newDocument(root *elem, hints map[string]string) *path {
	return &path{class: "NodeChild", name: root.name, elems: []*elem{root}, hints: hints}
}

// of makes a path that p leads to.
func (p *path) of(class, name string, elems []*elem) *path {
	return &path{class: class, name: name, from: p, elems: elems, declared: p.declared, hints: p.hints}
}

// Type names the class.
func (p *path) Type() string { return "groovy.util.slurpersupport." + p.class }

// Attributed says that p.@x are attributes.
func (*path) Attributed() {}

// Plus says that p + "text" is a path.
func (*path) Plus() {}

// Truth says no only where nothing was found.
func (p *path) Truth() bool { return p.class != "NoChildren" }

// String is the text.
func (p *path) String() string {
	w := &walk{left: maxShown}
	p.text(w)
	return w.b.String()
}

// Equals compares the text.
func (p *path) Equals(v groovy.Value) bool { return p.String() == groovy.Format(v) }

func (p *path) text(w *walk) {
	if p.class == "Attribute" {
		w.b.WriteString(p.value)
	}
	for _, a := range p.attrs {
		w.b.WriteString(a.value)
	}
	if p.attrs == nil {
		for _, e := range p.elems {
			e.text(w)
		}
	}
}

// items are what the path consists of.
func (p *path) items() []*path {
	switch {
	case p.attributes():
		return p.attrs
	case p.class == "NodeChild" || p.class == "Attribute":
		return []*path{p}
	}
	up := p
	if p.from != nil {
		up = p.from
	}
	list := make([]*path, len(p.elems))
	for i, e := range p.elems {
		list[i] = up.of("NodeChild", e.name, []*elem{e})
		list[i].declared = p.declared
	}
	return list
}

func (p *path) attributes() bool { return p.class == "Attributes" || p.class == "FilteredAttributes" }

func (p *path) list(t *groovy.Thread) (*groovy.List, error) {
	items := p.items()
	l := &groovy.List{Elems: make([]groovy.Value, len(items))}
	for i, x := range items {
		l.Elems[i] = x
	}
	return l, t.Alloc(64 + 160*len(items))
}

// Get is what is in the elements: attributes for @id, children for a name.
func (p *path) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch {
	case id == "..":
		return p.up(t)
	case id == "*":
		return p.children(t, "*")
	case id == "**":
		return p.depthFirst(t)
	case strings.HasPrefix(id, "@"):
		return p.attribute(t, id[1:])
	}
	return p.children(t, id)
}

// children are the children of a name: name, prefix:name, or * for all.
func (p *path) children(t *groovy.Thread, id string) (*path, error) {
	if p.attributes() || p.class == "Attribute" {
		return nil, groovy.Throw("GroovyRuntimeException", "Can't get the child nodes on a GPath expression selecting attributes: ....%s.childNodes()", p.name)
	}
	prefix, name, ok := strings.Cut(id, ":")
	if !ok || len(p.hints) == 0 {
		prefix, name = "*", id
	}
	uri, bound := p.declared[prefix]
	if prefix == "xml" {
		uri, bound = "http://www.w3.org/XML/1998/namespace", true
	}
	var list []*elem
	n := 0
	for _, e := range p.elems {
		n += len(e.kids)
		for _, c := range e.elems() {
			if (name == "*" || name == c.name) && (prefix == "*" || prefix == "" && c.uri == "" || bound && c.uri == uri) {
				list = append(list, c)
			}
		}
	}
	return p.of("NodeChildren", name, list), t.Alloc(160 + 16*n)
}

// attribute are the attributes of a name that the elements have.
func (p *path) attribute(t *groovy.Thread, id string) (groovy.Value, error) {
	key := id
	prefix, local, ok := strings.Cut(id, ":")
	ok = ok && len(p.hints) > 0
	if ok {
		key = local
	}
	if ok && prefix != "" && prefix != "*" {
		key = (&qname{uri: p.hints[prefix], local: local}).String()
	}
	name := local
	if !ok {
		name = id
	}
	out := p.of("Attributes", name, p.elems)
	out.attrs = []*path{}
	for _, e := range p.elems {
		if v, ok := e.attrs.Get(key); ok && v != nil {
			a := p.of("Attribute", name, nil)
			a.value = groovy.Format(v)
			a.from = p.of("NodeChild", e.name, []*elem{e})
			out.attrs = append(out.attrs, a)
		}
	}
	return out, t.Alloc(160 + 160*len(out.attrs))
}

// up are the elements around, by the name of what p was asked of, as Groovy
// has it; a document is its own.
func (p *path) up(t *groovy.Thread) (*path, error) {
	switch {
	case p.class == "Attribute":
		return p.from, nil
	case p.class == "NodeChild" && p.elems[0].parent == nil || p.from == nil && p.class != "NodeChild":
		return p, nil
	case p.class == "NodeChild":
		e := p.elems[0].parent
		return p.of("NodeChild", e.name, []*elem{e}), t.Alloc(160)
	}
	var list []*elem
	seen := map[*elem]bool{}
	for _, e := range p.elems {
		if e.parent != nil && !seen[e.parent] {
			seen[e.parent] = true
			list = append(list, e.parent)
		}
	}
	return p.of("NodeParents", p.from.name, list), t.Alloc(160 + 64*len(p.elems))
}

func (p *path) depthFirst(t *groovy.Thread) (groovy.Value, error) {
	w := &walk{t: t, left: maxShown}
	var list []*elem
	var visit func(e *elem)
	visit = func(e *elem) {
		if w.enter() {
			list = append(list, e)
			for _, c := range e.elems() {
				visit(c)
			}
		}
		w.depth--
	}
	for _, e := range p.elems {
		visit(e)
	}
	return p.walked(t, list, w.err)
}

func (p *path) breadthFirst(t *groovy.Thread) (groovy.Value, error) {
	list := slices.Clone(p.elems)
	for i := 0; i < len(list); i++ {
		if err := t.Alloc(16); err != nil {
			return nil, err
		}
		list = append(list, list[i].elems()...)
	}
	return p.walked(t, list, nil)
}

func (p *path) walked(t *groovy.Thread, list []*elem, err error) (groovy.Value, error) {
	if err != nil {
		return nil, err
	}
	return p.of("NodeChildren", "*", list).list(t)
}

// Set replaces the body of children, or with a closure the children; a map
// gives them attributes. Of attributes only texts are taken, as in Groovy.
func (p *path) Set(t *groovy.Thread, id string, v groovy.Value) error {
	if key, ok := strings.CutPrefix(id, "@"); ok {
		if _, text := v.(string); !text {
			return nil
		}
		for _, e := range p.elems {
			e.attrs.Put(key, v)
		}
		return t.Alloc(128 * len(p.elems))
	}
	kids, err := p.children(t, id)
	if err != nil {
		return err
	}
	m, ok := v.(*groovy.Map)
	if !ok {
		return kids.put(t, v)
	}
	for _, k := range m.Keys() {
		x, _ := m.Get(k)
		if err := kids.Set(t, "@"+groovy.Format(k), x); err != nil {
			return err
		}
	}
	return nil
}

// put replaces: by a closure the elements, by a value what is in them.
func (p *path) put(t *groovy.Thread, v groovy.Value) error {
	if c, ok := v.(*groovy.Closure); ok {
		return p.replace(t, func(x *path) *built { return &built{body: c, of: x} })
	}
	kids := plain(v, 0)
	for _, e := range p.elems {
		e.kids = slices.Clone(kids)
	}
	return t.Alloc((64 + 16*len(kids)) * len(p.elems))
}

func (p *path) replace(t *groovy.Thread, by func(x *path) *built) error {
	for _, x := range p.items() {
		if len(x.elems) > 0 {
			x.elems[0].instead = append(x.elems[0].instead, by(x))
		}
	}
	return t.Alloc(128 * len(p.elems))
}

// add appends a value, or what a closure builds, to each element.
func (p *path) add(t *groovy.Thread, v groovy.Value) error {
	for _, x := range p.items() {
		if len(x.elems) == 0 {
			continue
		}
		kids := plain(v, 0)
		if c, ok := v.(*groovy.Closure); ok {
			kids = []groovy.Value{&built{body: c, of: x}}
		}
		x.elems[0].kids = append(x.elems[0].kids, kids...)
		if err := t.Alloc(160 + 16*len(kids)); err != nil {
			return err
		}
	}
	return nil
}

// declare adds prefixes of namespaces for what is asked of p.
func (p *path) declare(m *groovy.Map) {
	all := maps.Clone(p.declared)
	if all == nil {
		all = map[string]string{}
	}
	for _, k := range m.Keys() {
		v, _ := m.Get(k)
		all[groovy.Format(k)] = groovy.Format(v)
	}
	p.declared = all
}

// write builds what the path consists of into a document.
func (p *path) write(t *groovy.Thread, d *document) error {
	if p.attributes() || p.class == "Attribute" {
		return d.yield(t, p.String())
	}
	for _, e := range p.elems {
		if err := e.write(t, d, p.declared, p.hints); err != nil {
			return err
		}
	}
	return nil
}
