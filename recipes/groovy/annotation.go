package groovy

import (
	"slices"
	"strings"
)

// annotated reads annotations; @Field makes a variable of the script.
func (p *parser) annotated() stmt {
	notes := p.annotations()
	if p.endOfStmt() && p.tok().kind == tEOF {
		return nil
	}
	p.notes = notes
	s := p.stmt()
	p.notes = nil
	field := false
	for _, n := range notes {
		field = field || n.id == "Field"
	}
	if field {
		switch d := s.(type) {
		case *varDecl:
			d.field = true
		case *multi:
			for _, v := range d.list {
				v.(*varDecl).field = true
			}
		}
	}
	return s
}

func (p *parser) annotations() []annotation {
	var notes []annotation
	for p.tok().is("@") {
		at := p.next()
		path := p.path()
		n := annotation{id: path[strings.LastIndexByte(path, '.')+1:]} // a $ is a part of the name
		switch n.id {
		case "Grab", "Grapes", "GrabConfig", "GrabResolver", "GrabExclude":
			p.script.grabs = append(p.script.grabs, grab{at.pos, n.id})
		}
		if p.tok().is("(") && !p.tok().nl {
			p.next()
			_, n.named = p.annotationArguments()
			p.expect(")")
		}
		notes = append(notes, n)
	}
	return notes
}

// annotationArguments are name = value pairs, or one value.
func (p *parser) annotationArguments() ([]expr, *mapLit) {
	m := &mapLit{}
	for !p.tok().is(")") {
		t := p.tok()
		if t.kind == tIdent && p.peek(1).is("=") {
			p.i += 2
			m.entries = append(m.entries, mapEntry{&literal{node{t.pos}, t.text}, p.ternary(false)})
		} else {
			m.entries = append(m.entries, mapEntry{&literal{node{t.pos}, "value"}, p.ternary(false)})
		}
		if !p.accept(",") {
			break
		}
	}
	return nil, m
}

// path is a dotted name.
func (p *parser) path() string {
	start := p.tok().pos
	parts := []string{p.ident()}
	for p.tok().is(".") && !p.tok().nl && p.peek(1).kind == tIdent {
		p.next()
		if parts = append(parts, p.ident()); len(parts) > maxParts {
			p.fail(start, "the name has more than %d parts", maxParts)
		}
	}
	return strings.Join(parts, ".")
}

// maxParts bounds a dotted name and the dimensions of an array: the parser
// walks a name anew where it only tries whether a declaration begins.
const maxParts = 100

func (p *parser) importStmt() {
	d := importDecl{pos: p.next().pos}
	if p.tok().word("static") {
		p.next()
		d.static = true
	}
	d.path = p.path()
	if p.tok().is(".") {
		p.next()
		p.expect("*")
		d.star = true
	} else if p.tok().is(".*") {
		p.next()
		d.star = true
	}
	if p.tok().word("as") {
		p.next()
		d.alias = p.ident()
	}
	p.script.imports = append(p.script.imports, d)
}

// showing is the class, it or one that it extends, that has @ToString.
func (c *scriptClass) showing() *scriptClass {
	for c != nil && c.show == nil {
		c = c.parent
	}
	return c
}

// showing is what @ToString shows.
type showing struct {
	names   bool
	nulls   bool     // ignoreNulls
	super   bool     // includeSuper
	above   bool     // includeSuperProperties
	members []string // those of the class that are shown
}

// annotate does what the AST transformations of the class would.
func (c *scriptClass) annotate(n annotation) {
	flag := func(id string) bool {
		v, _ := n.option(id).(bool)
		return v
	}
	switch n.id {
	case "ToString":
		c.show = &showing{flag("includeNames"), flag("ignoreNulls"), flag("includeSuper"), flag("includeSuperProperties"), c.named(n)}
	case "EqualsAndHashCode":
		c.valued = c.named(n)
	case "Sortable":
		c.sorted = c.named(n)
	case "Canonical", "Immutable":
		c.valued = c.named(n)
		if c.show == nil {
			c.show = &showing{members: c.valued}
		}
	}
}

// named are the properties of the class itself that an annotation is about,
// with its fields when it says so. Never nil.
func (c *scriptClass) named(n annotation) []string {
	only, not := n.list("includes"), n.list("excludes")
	fields, _ := n.option("includeFields").(bool)
	names := []string{}
	for _, hidden := range []bool{false, true} {
		for _, f := range c.decl.fields {
			id := f.ids[0]
			if f.hidden == hidden && (!hidden || fields) && (only == nil || slices.Contains(only, id)) && !slices.Contains(not, id) {
				names = append(names, id)
			}
		}
	}
	return names
}

// list is an option that is names: a list of texts or one text with commas.
func (n annotation) list(id string) []string {
	var names []string
	switch x := n.value(id).(type) {
	case *literal:
		for s := range strings.SplitSeq(Format(x.val), ",") {
			names = append(names, strings.TrimSpace(s))
		}
	case *listLit:
		for _, e := range x.elems {
			if l, ok := e.(*literal); ok {
				names = append(names, Format(l.val))
			}
		}
	}
	return names
}

// option is an option that is a literal.
func (n annotation) option(id string) Value {
	if l, ok := n.value(id).(*literal); ok {
		return l.val
	}
	return nil
}

func (n annotation) value(id string) expr {
	if n.named == nil {
		return nil
	}
	for _, e := range n.named.entries {
		if k, ok := e.key.(*literal); ok && k.val == Value(id) {
			return e.val
		}
	}
	return nil
}

// values are the fields that an object is equal by; all when its class does not
// say.
func (o *instance) values() *Map {
	if o.class.valued == nil {
		return o.fields
	}
	m := NewMap()
	for _, id := range o.class.valued {
		v, _ := o.fields.Get(id)
		m.Put(id, v)
	}
	return m
}

// orderBy compares two objects of a class that is @Sortable.
func (t *Thread) orderBy(x, y *instance) (int, error) {
	for _, id := range x.class.sorted {
		a, _, err := t.field(x, id, false)
		if err != nil {
			return 0, err
		}
		b, _, err := t.field(y, id, false)
		if err != nil {
			return 0, err
		}
		if n, err := t.compare(a, b); n != 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

func (c *scriptClass) noted(ids ...string) bool {
	return slices.ContainsFunc(c.decl.notes, func(n annotation) bool { return slices.Contains(ids, n.id) })
}

// show is what the @ToString of c makes of o; objects may hold each other.
func (t *Thread) show(o *instance, c *scriptClass) (string, error) {
	if err := t.deeper(64); err != nil {
		return "", err
	}
	defer t.shallower(64)
	s, names := c.show, c.show.members
	if s.above && c.parent != nil {
		names = append(slices.Clone(names), c.parent.properties()...)
	}
	var parts []string
	add := func(label string, v Value) error {
		text := "(this)"
		if v != Value(o) {
			var err error
			if text, err = t.toString(v); err != nil {
				return err
			}
		}
		if s.names {
			text = label + ":" + text
		}
		parts = append(parts, text)
		return t.grow(1+len(text), 1)
	}
	for _, id := range names {
		v, _, err := t.field(o, id, false)
		if err == nil && !(v == nil && s.nulls) {
			err = add(id, v)
		}
		if err != nil {
			return "", err
		}
	}
	if p := c.parent.showing(); s.super && p != nil {
		text, err := t.show(o, p)
		if err == nil {
			err = add("super", text)
		}
		if err != nil {
			return "", err
		}
	}
	return c.decl.id + "(" + strings.Join(parts, ", ") + ")", nil
}
