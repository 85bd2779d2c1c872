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

// showing is the @ToString of the class.
func (c *scriptClass) showing() *showing { return c.show }

// showing is what @ToString shows.
type showing struct {
	names    bool
	nulls    bool // ignoreNulls
	excludes []string
}

// annotate does what the AST transformations of the class would.
func (c *scriptClass) annotate(n annotation) {
	flag := func(id string) bool {
		v, _ := n.option(id).(bool)
		return v
	}
	switch n.id {
	case "ToString":
		c.show = &showing{names: flag("includeNames"), nulls: flag("ignoreNulls")}
		switch x := n.option("excludes").(type) {
		case string:
			c.show.excludes = strings.Split(x, ",")
		}
	case "EqualsAndHashCode":
		c.byValue = true
	case "Canonical", "Immutable":
		c.byValue = true
		if c.show == nil {
			c.show = &showing{}
		}
	}
}

func (n annotation) option(id string) Value {
	if n.named == nil {
		return nil
	}
	for _, e := range n.named.entries {
		if k, ok := e.key.(*literal); ok && k.val == Value(id) {
			if v, ok := e.val.(*literal); ok {
				return v.val
			}
		}
	}
	return nil
}

func (c *scriptClass) noted(ids ...string) bool {
	return slices.ContainsFunc(c.decl.notes, func(n annotation) bool { return slices.Contains(ids, n.id) })
}

// show is what @ToString makes of o; objects may hold each other.
func (t *Thread) show(o *instance, s *showing) (string, error) {
	if err := t.deeper(64); err != nil {
		return "", err
	}
	defer t.shallower(64)
	var parts []string
	for _, f := range o.class.properties() {
		if slices.Contains(s.excludes, f) {
			continue
		}
		v, _ := o.fields.Get(f)
		if v == nil && s.nulls {
			continue
		}
		text := "(this)"
		if v != Value(o) {
			var err error
			if text, err = t.toString(v); err == nil {
				err = t.grow(1+len(text), 1)
			}
			if err != nil {
				return "", err
			}
		}
		if s.names {
			text = f + ":" + text
		}
		parts = append(parts, text)
	}
	return o.class.decl.id + "(" + strings.Join(parts, ", ") + ")", nil
}
