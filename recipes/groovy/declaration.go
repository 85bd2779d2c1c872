package groovy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// declaration parses a variable or, where the shape says so, a method; it
// reports false, with nothing consumed, when neither begins here.
func (p *parser) declaration(inClass bool) (stmt, bool) {
	n := node{p.tok().pos}
	var typ, id string
	static := false
	isMethod, isTuple := false, false
	if !p.try(func() bool {
		typ, static = p.typeOrDef()
		if typ == "def" && p.tok().is("(") && !inClass {
			isTuple = true
			return true
		}
		t := p.tok()
		if t.kind == tString && p.peek(1).is("(") { // def "name"()
			id = p.next().val.(string)
		} else {
			if t.kind != tIdent || t.nl && typ != "def" {
				return false
			}
			id = p.ident()
		}
		t = p.tok()
		isMethod = t.is("(") && !t.nl && p.methodAhead()
		return isMethod || t.nl || t.is("=") || t.is(";") || t.is("}") || t.is(",") || t.kind == tEOF
	}) {
		return nil, false
	}
	switch {
	case isTuple:
		return p.tuple(n), true
	case isMethod:
		m := p.method(n, id)
		m.static = static
		if inClass {
			return m, true
		}
		p.script.methods = append(p.script.methods, m)
		return nil, true
	}
	return p.variables(n, typ, id), true
}

// variables parses the rest of "type id = init, id2, ...".
func (p *parser) variables(n node, typ, id string) stmt {
	if typ == "def" {
		typ = ""
	}
	first := &varDecl{node: n, typ: typ, ids: []string{id}}
	list := []stmt{first}
	d := first
	for {
		p.locals[d.ids[0]] = true
		if p.accept("=") {
			d.init = p.command(false)
		}
		if !p.tok().is(",") {
			break
		}
		p.next()
		d = &varDecl{node: node{p.tok().pos}, typ: typ, ids: []string{p.ident()}}
		list = append(list, d)
	}
	if len(list) == 1 {
		return first
	}
	return &multi{n, list}
}

// multi is several declarations of one statement; it opens no scope.
type multi struct {
	node
	list []stmt
}

func (p *parser) tuple(n node) stmt {
	p.expect("(")
	d := &varDecl{node: n, tuple: true}
	for {
		if p.peek(1).kind == tIdent {
			p.path()
		}
		d.ids = append(d.ids, p.ident())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	p.expect("=")
	d.init = p.expr()
	return d
}

// typeOrDef consumes modifiers and a type, and returns the type or "def".
func (p *parser) typeOrDef() (typ string, static bool) {
	seen := false
	for {
		switch t := p.tok(); {
		case t.word("static"):
			static = true
		case t.word("def"), t.word("final"), t.word("private"), t.word("public"), t.word("protected"), t.word("synchronized"), t.word("transient"), t.word("volatile"), t.word("abstract"):
		default:
			if !seen || p.typeAhead() {
				return p.typeName(), static
			}
			return "def", static
		}
		seen = true
		p.next()
		if p.tok().is("(") {
			return "def", static
		}
	}
}

// typeAhead says whether a type and then a name follow.
func (p *parser) typeAhead() bool {
	i, depth := p.i, p.depth
	ok := p.try(func() bool {
		p.typeName()
		return p.tok().kind == tIdent && !p.tok().nl && !p.tok().word("in")
	})
	p.i, p.depth = i, depth
	return ok
}

// typeName parses a type: a primitive, or a dotted name whose last part
// begins with a capital, with type arguments and [].
func (p *parser) typeName() string {
	t := p.tok()
	id := p.path()
	last := id[strings.LastIndexByte(id, '.')+1:]
	if r, _ := utf8.DecodeRuneInString(last); !isPrimitive(id) && !unicode.IsUpper(r) {
		p.fail(t.pos, "expecting a type, found '%s'", id)
	}
	if p.tok().is("<") {
		p.typeArguments()
	}
	for p.tok().is("[") && p.peek(1).is("]") {
		p.i += 2
		if last += "[]"; len(last) > len(id)+2*maxParts {
			p.fail(t.pos, "the array has more than %d dimensions", maxParts)
		}
	}
	return last
}

func (p *parser) typeArguments() {
	p.expect("<")
	for open := 1; open > 0; {
		switch t := p.next(); {
		case t.is("<"):
			open++
		case t.is(">"):
			open--
		case t.is(">>"):
			open -= 2
		case t.is(">>>"):
			open -= 3
		case t.kind == tIdent, t.is(","), t.is("?"), t.is("."), t.is("["), t.is("]"), t.is("&"):
		default:
			p.fail(t.pos, "unexpected %v in type arguments", t)
		}
	}
}

func isPrimitive(id string) bool {
	switch id {
	case "int", "long", "short", "byte", "char", "boolean", "float", "double", "void":
		return true
	}
	return false
}

// methodAhead says whether the parenthesis here closes before a "{".
func (p *parser) methodAhead() bool {
	open := 0
	for j := p.i; j < len(p.toks); j++ {
		switch t := p.toks[j]; {
		case t.is("("):
			open++
		case t.is(")"):
			if open--; open == 0 {
				for j++; p.toks[min(j, len(p.toks)-1)].word("throws") || p.toks[min(j, len(p.toks)-1)].kind == tIdent; j++ {
					if p.toks[j].nl {
						return false
					}
				}
				return j < len(p.toks) && p.toks[j].is("{")
			}
		case t.is("{") && open == 0:
			return false
		}
	}
	return false
}

func (p *parser) method(n node, id string) *methodDecl {
	p.expect("(")
	m := &methodDecl{node: n, id: id, params: p.params(")")}
	p.expect(")")
	for p.tok().kind == tIdent { // throws A
		p.next()
		for p.accept(",") {
		}
	}
	outer := p.locals
	p.locals = map[string]bool{}
	m.body = p.braces()
	p.locals = outer
	return m
}

// params parses parameters up to, not including, the closing token.
func (p *parser) params(end string) []param {
	var list []param
	for !p.tok().is(end) {
		var q param
		for p.tok().word("final") || p.tok().word("def") {
			p.next()
		}
		if t := p.peek(1); t.kind == tIdent || t.is(".") || t.is("<") || t.is("[") || t.is("...") {
			q.typ = p.typeName()
		}
		q.rest = p.accept("...")
		q.id = p.ident()
		p.locals[q.id] = true
		if p.accept("=") {
			q.deflt = p.expr()
		}
		list = append(list, q)
		if !p.accept(",") {
			break
		}
	}
	return list
}

// classStmt parses a simple class: fields, methods, constructors.
func (p *parser) classStmt() {
	c := &classDecl{node: node{p.next().pos}, id: p.ident()}
	if p.tok().is("<") {
		p.typeArguments()
	}
	if p.tok().word("extends") {
		p.next()
		c.super = p.typeName()
	}
	if p.tok().word("implements") {
		p.next()
		p.typeName()
		for p.accept(",") {
			p.typeName()
		}
	}
	p.expect("{")
	for !p.accept("}") {
		for p.accept(";") {
		}
		if p.tok().is("}") {
			continue
		}
		p.member(c)
	}
	p.script.classes = append(p.script.classes, c)
}

func (p *parser) member(c *classDecl) {
	for p.tok().is("@") {
		p.next()
		p.path()
	}
	t := p.tok()
	static := false
	for i := 0; p.peek(i).kind == tIdent && i < 4; i++ {
		static = static || p.peek(i).word("static")
	}
	for (p.tok().word("public") || p.tok().word("private") || p.tok().word("protected")) && p.peek(1).word(c.id) && p.peek(2).is("(") {
		p.next()
	}
	if p.tok().word(c.id) && p.peek(1).is("(") {
		p.next()
		c.methods = append(c.methods, p.method(node{t.pos}, "<init>"))
		return
	}
	s, ok := p.declaration(true)
	if !ok {
		p.fail(t.pos, "unexpected %v in class %s", t, c.id)
	}
	add := func(d *varDecl) {
		if static {
			c.statics = append(c.statics, d)
		} else {
			c.fields = append(c.fields, d)
		}
	}
	switch s := s.(type) {
	case *methodDecl:
		c.methods = append(c.methods, s)
	case *varDecl:
		add(s)
	case *multi:
		for _, d := range s.list {
			add(d.(*varDecl))
		}
	}
}
