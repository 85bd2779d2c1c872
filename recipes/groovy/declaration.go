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
	shape := p.declarationAhead(inClass)
	if shape == noDeclaration {
		return nil, false
	}
	if p.tok().is("<") { // type parameters of a method
		p.typeArguments()
	}
	typ, static := p.typeOrDef()
	if shape == aTuple {
		return p.tuple(n), true
	}
	var id string
	if p.tok().kind == tString { // def "name"()
		id = p.next().val.(string)
	} else {
		id = p.ident()
	}
	if shape == aVariable {
		return p.variables(n, typ, id), true
	}
	m := p.method(n, id)
	m.static = static
	if typ != "def" && typ != "Object" {
		m.fn.ret = typ
	}
	if inClass {
		return m, true
	}
	p.script.methods = append(p.script.methods, m)
	return nil, true
}

// variables parses the rest of "type id = init, id2, ...".
func (p *parser) variables(n node, typ, id string) stmt {
	if typ == "def" {
		typ = ""
	}
	declare := func(n node, id string) *varDecl {
		return &varDecl{node: n, typ: typ, ids: []string{id}, locals: []*local{{id: id, typ: typ}}}
	}
	first := declare(n, id)
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
		d = declare(node{p.tok().pos}, p.ident())
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
		typ := ""
		if t := p.peek(1); t.kind == tIdent || t.is("<") || t.is("[") || t.is(".") {
			if p.tok().word("def") {
				p.next()
			} else {
				typ = p.typeName()
			}
		}
		id := p.ident()
		p.locals[id] = true
		d.ids, d.types = append(d.ids, id), append(d.types, typ)
		d.locals = append(d.locals, &local{id: id, typ: typ})
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	p.expect("=")
	d.init = p.command(false)
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
			if !seen || p.typeAndName(p.i) {
				return p.typeName(), static
			}
			return "def", static
		}
		seen = true
		p.next()
		if p.tok().is("(") {
			return "def", static
		}
		if p.tok().is("<") {
			p.typeArguments()
		}
	}
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

// methodAhead says whether the parenthesis at j closes before a "{". In a
// class a method may lack its body.
func (p *parser) methodAhead(j int, inClass bool) bool {
	open := 0
	for ; j < len(p.toks); j++ {
		switch t := &p.toks[j]; {
		case t.is("("):
			open++
		case t.is(")"):
			if open--; open == 0 {
				return p.bodyAfter(j+1, inClass)
			}
		case t.is("{") && open == 0:
			return false
		}
	}
	return false
}

// bodyAfter says whether a method's body, after "throws A, B", begins at j.
func (p *parser) bodyAfter(j int, inClass bool) bool {
	if p.token(j).word("throws") {
		for j++; p.token(j).kind == tIdent || p.token(j).is(",") || p.token(j).is("."); j++ {
		}
	}
	t := p.token(j)
	return t.is("{") || inClass && (t.nl || t.is(";") || t.is("}"))
}

func (p *parser) method(n node, id string) *methodDecl {
	p.expect("(")
	outer, ctor := p.locals, p.ctor
	p.locals = map[string]bool{}
	m := &methodDecl{node: n, id: id, fn: &function{id: id, pos: n.pos, params: p.params(")")}}
	p.expect(")")
	p.ctor = ctor && id == "<init>"
	if p.tok().word("throws") {
		p.next()
		p.path()
		for p.accept(",") {
			p.path()
		}
	}
	if p.tok().is("{") {
		m.fn.body = p.braces()
	} else {
		m.abstract = true
	}
	p.locals, p.ctor = outer, ctor
	return m
}

// params parses parameters up to, not including, the closing token.
func (p *parser) params(end string) []param {
	var list []param
	for !p.tok().is(end) {
		q := param{}
		p.annotations()
		for p.tok().word("final") || p.tok().word("def") {
			p.next()
		}
		if t := p.peek(1); !p.tok().is("...") && (t.kind == tIdent || t.is(".") || t.is("<") || t.is("[") || t.is("...")) {
			q.typ = p.typeName()
		}
		q.rest = p.accept("...")
		q.local = &local{id: p.ident(), typ: q.typ}
		if q.rest {
			q.local.typ = ""
		}
		p.locals[q.local.id] = true
		if p.accept("=") {
			q.deflt = p.expr()
		}
		list = append(list, q)
		if t := p.tok(); q.rest && t.is(",") {
			p.fail(t.pos, "only the last parameter takes any number of arguments")
		}
		if !p.accept(",") {
			break
		}
	}
	if n := len(list); n > 0 { // a last parameter T[] takes what T... takes
		q := &list[n-1]
		if elem, ok := strings.CutSuffix(q.typ, "[]"); ok && q.deflt == nil && !q.rest {
			q.rest, q.typ, q.local.typ = true, elem, ""
		}
	}
	return list
}
