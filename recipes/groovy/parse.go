package groovy

import (
	"fmt"
	"slices"
	"strings"
)

// Parse reads a script. The error is an *Error with the first fault's place.
func Parse(file, src string) (*Script, error) {
	toks, err := lex(file, src)
	if err != nil {
		return nil, err
	}
	p := &parser{file: file, src: src, toks: toks, script: &Script{File: file, src: src}}
	p.script.keeps = slices.ContainsFunc(toks, func(t token) bool { return t.word("Sql") })
	err = p.guard(func() {
		p.script.main = &function{pos: Pos{1, 1}}
		p.script.main.body = p.stmts(tEOF)
		resolve(p.script)
	})
	if err != nil {
		return nil, err
	}
	return p.script, nil
}

// parser is a recursive-descent parser for statements and a Pratt parser for
// expressions. Inside it a fault panics with *Error; guard turns it into a
// result, nothing else passes.
type parser struct {
	file, src string
	toks      []token
	i         int
	depth     int
	script    *Script
	locals    map[string]bool // names declared so far, for "a [1]"
	labels    []string        // before the statement that is parsed
	class     *classDecl      // whose body is parsed
	ctor      bool            // inside a constructor
	notes     []annotation    // before the declaration that is parsed
}

func (p *parser) guard(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	p.locals = map[string]bool{}
	f()
	return nil
}

func (p *parser) fail(pos Pos, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if t := p.tok(); pos == t.pos && (t.kind == tEOF || t.is(")") || t.is("]") || t.is("}")) {
		switch open := p.unclosed(); {
		case open == nil:
		case t.kind == tEOF:
			pos, msg = open.pos, fmt.Sprintf("'%s' is not closed: %s", open.text, msg)
		case open.pos.Line != t.pos.Line:
			msg += fmt.Sprintf(" ('%s' of line %d is open)", open.text, open.pos.Line)
		}
	}
	panic((&Error{File: p.file, Pos: pos, Msg: msg}).quote(p.src))
}

// unclosed is the innermost bracket that is open where the parser stands; nil
// when none is.
func (p *parser) unclosed() *token {
	depth := 0
	for i := p.i - 1; i >= 0; i-- {
		switch t := &p.toks[i]; {
		case t.is(")"), t.is("]"), t.is("}"):
			depth++
		case t.is("("), t.is("["), t.is("{"):
			if depth--; depth < 0 {
				return t
			}
		}
	}
	return nil
}

func (p *parser) tok() *token       { return &p.toks[p.i] }
func (p *parser) peek(n int) *token { return p.token(p.i + n) }

// token is the token at j; past the end it is the last one.
func (p *parser) token(j int) *token { return &p.toks[min(j, len(p.toks)-1)] }

func (p *parser) next() *token {
	t := &p.toks[p.i]
	if t.kind != tEOF {
		p.i++
	}
	return t
}

func (t *token) is(op string) bool   { return t.kind == tOp && t.text == op }
func (t *token) word(id string) bool { return t.kind == tIdent && t.text == id }

func (p *parser) accept(op string) bool {
	if p.tok().is(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(op string) *token {
	t := p.tok()
	if !t.is(op) {
		p.fail(t.pos, "expecting '%s', found %v", op, t)
	}
	return p.next()
}

func (p *parser) ident() string {
	t := p.tok()
	if t.kind != tIdent {
		p.fail(t.pos, "expecting a name, found %v", t)
	}
	return p.next().text
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.tok().pos, "the text is nested too deep")
	}
}

func (p *parser) leave() { p.depth-- }

// try parses speculatively: when f reports false or faults the position is
// as before.
func (p *parser) try(f func() bool) (ok bool) {
	i, depth := p.i, p.depth
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(*Error); !fault {
				panic(r)
			}
			ok = false
		}
		if !ok {
			p.i, p.depth = i, depth
		}
	}()
	return f()
}

// stmts parses up to, not including, end of file or a closing brace.
func (p *parser) stmts(until kind) []stmt {
	var list []stmt
	for {
		for p.accept(";") {
		}
		t := p.tok()
		if t.kind == tEOF {
			if until == tEOF {
				return list
			}
			p.fail(t.pos, "expecting '}', found end of file")
		}
		if t.is("}") {
			if until == tEOF {
				p.fail(t.pos, "unexpected '}'")
			}
			return list
		}
		if s := p.stmt(); s != nil {
			list = append(list, s)
		}
		if t := p.tok(); !t.nl && !t.is(";") && !t.is("}") && t.kind != tEOF {
			p.fail(t.pos, "unexpected %v", t)
		}
	}
}

func (p *parser) braces() []stmt {
	p.expect("{")
	list := p.stmts(tOp)
	p.expect("}")
	return list
}

// body is a block or a single statement.
func (p *parser) body() []stmt {
	if p.tok().is("{") {
		return p.braces()
	}
	if p.accept(";") {
		return nil
	}
	if s := p.stmt(); s != nil {
		return []stmt{s}
	}
	return nil
}

func (p *parser) stmt() stmt {
	p.enter()
	defer p.leave()
	labels := p.labels
	p.labels = nil
	t := p.tok()
	n := node{t.pos}
	if t.is("@") {
		return p.annotated()
	}
	if t.is("{") && !p.closureAhead() {
		return &block{n, p.braces()}
	}
	if t.kind == tIdent && p.peek(1).is(":") && !t.word("default") && !t.word("case") {
		p.i += 2
		p.labels = append(labels, t.text)
		if p.tok().is("}") || p.tok().kind == tEOF {
			return nil
		}
		return p.stmt()
	}
	if t.kind != tIdent || p.peek(1).is("=") {
		return p.exprStmt()
	}
	if s, ok := p.keyword(t, n, labels); ok {
		return s
	}
	if (t.text == "super" || t.text == "this") && p.ctor && p.peek(1).is("(") {
		p.i += 2
		s := &superInit{node: n, this: t.text == "this"}
		s.args, s.named = p.arguments(")")
		p.expect(")")
		return s
	}
	if s, ok := p.declaration(false); ok {
		return s
	}
	return p.exprStmt()
}

// keyword parses the statements that begin with a keyword.
func (p *parser) keyword(t *token, n node, labels []string) (stmt, bool) {
	switch t.text {
	case "import":
		p.importStmt()
		return nil, true
	case "package":
		p.next()
		p.path()
		return nil, true
	case "if":
		return p.ifStmt(n), true
	case "while":
		p.next()
		p.expect("(")
		cond := p.expr()
		p.expect(")")
		return &whileStmt{n, labels, cond, p.body()}, true
	case "for":
		return p.forStmt(n, labels), true
	case "switch":
		return p.switchStmt(n, labels), true
	case "try":
		return p.tryStmt(n), true
	case "throw":
		p.next()
		return &throwStmt{n, p.expr()}, true
	case "return":
		p.next()
		if p.endOfStmt() {
			return &returnStmt{n, nil}, true
		}
		return &returnStmt{n, p.command(true)}, true
	case "break", "continue":
		p.next()
		j := &jump{node: n, brk: t.text == "break"}
		if !p.endOfStmt() && p.tok().kind == tIdent {
			j.label = p.next().text
		}
		return j, true
	case "assert":
		return p.assertStmt(n), true
	case "do":
		if p.peek(1).is("{") {
			p.fail(t.pos, "do ... while is not part of Groovy 2.4: use while (true) { ... if (!condition) break }")
		}
	case "synchronized": // one thread runs: the lock is only evaluated
		if p.peek(1).is("(") {
			p.i += 2
			lock := &exprStmt{node{p.tok().pos}, p.expr()}
			p.expect(")")
			return &block{n, append([]stmt{lock}, p.braces()...)}, true
		}
	case "goto":
		p.fail(t.pos, "%s is not supported", t.text)
	}
	if p.classAhead() {
		p.classStmt(false)
		return nil, true
	}
	return nil, false
}

func (p *parser) endOfStmt() bool {
	t := p.tok()
	return t.nl || t.kind == tEOF || t.is(";") || t.is("}")
}

func (p *parser) exprStmt() stmt {
	n := node{p.tok().pos}
	return &exprStmt{n, p.command(true)}
}

func (p *parser) ifStmt(n node) stmt {
	p.next()
	p.expect("(")
	s := &ifStmt{node: n, cond: p.expr()}
	p.expect(")")
	s.yes = p.body()
	if p.tok().is(";") && p.peek(1).word("else") {
		p.next()
	}
	if p.tok().word("else") {
		p.next()
		s.not = p.body()
	}
	return s
}

func (p *parser) forStmt(n node, labels []string) stmt {
	p.next()
	p.expect("(")
	var id, typ string
	if p.try(func() bool {
		if t := p.peek(1); !t.word("in") && !t.is(":") {
			typ, _ = p.typeOrDef()
		}
		id = p.ident()
		t := p.next()
		return t.word("in") || t.is(":")
	}) {
		p.locals[id] = true
		x := p.expr()
		p.expect(")")
		if typ == "def" {
			typ = ""
		}
		return &forIn{n, labels, &local{id: id, typ: typ}, x, p.body()}
	}
	s := &forStmt{node: n, labels: labels}
	if !p.tok().is(";") {
		if d, ok := p.declaration(false); ok {
			if d == nil {
				p.fail(n.pos, "a method is declared in the head of a loop")
			}
			s.init = []stmt{d}
			if m, ok := d.(*multi); ok {
				s.init = m.list
			}
		} else {
			s.init = p.exprList()
		}
	}
	p.expect(";")
	if !p.tok().is(";") {
		s.cond = p.expr()
	}
	p.expect(";")
	if !p.tok().is(")") {
		s.post = p.exprList()
	}
	p.expect(")")
	s.body = p.body()
	return s
}

func (p *parser) exprList() []stmt {
	var list []stmt
	for {
		pos := p.tok().pos
		list = append(list, &exprStmt{node{pos}, p.expr()})
		if !p.accept(",") {
			return list
		}
	}
}

func (p *parser) switchStmt(n node, labels []string) stmt {
	p.next()
	p.expect("(")
	s := &switchStmt{node: n, labels: labels, x: p.expr()}
	p.expect(")")
	p.expect("{")
	for !p.accept("}") {
		var c switchCase
		for p.tok().word("case") || p.tok().word("default") {
			if p.next().text == "default" {
				c.deflt = true
			} else {
				c.vals = append(c.vals, p.expr())
			}
			p.expect(":")
		}
		if c.vals == nil && !c.deflt {
			p.fail(p.tok().pos, "expecting 'case', found %v", p.tok())
		}
		c.body = p.caseBody()
		s.cases = append(s.cases, c)
	}
	// The default comes last, wherever it stands.
	slices.SortStableFunc(s.cases, func(a, b switchCase) int { return boolInt(a.deflt) - boolInt(b.deflt) })
	return s
}

func (p *parser) caseBody() []stmt {
	var list []stmt
	for {
		for p.accept(";") {
		}
		t := p.tok()
		if t.word("case") || t.word("default") && p.peek(1).is(":") || t.is("}") {
			return list
		}
		if t.kind == tEOF {
			p.fail(t.pos, "expecting '}', found end of file")
		}
		if s := p.stmt(); s != nil {
			list = append(list, s)
		}
		if t := p.tok(); !t.nl && !t.is(";") && !t.is("}") {
			p.fail(t.pos, "unexpected %v", t)
		}
	}
}

func (p *parser) tryStmt(n node) stmt {
	p.next()
	s := &tryStmt{node: n, body: p.braces()}
	for p.tok().word("catch") {
		p.next()
		p.expect("(")
		var c catch
		p.tok()
		for p.tok().word("final") {
			p.next()
		}
		switch {
		case p.peek(1).is(")"):
			c.types = []string{"Exception"}
		case p.tok().word("def"):
			p.next()
			c.types = []string{"Exception"}
		default:
			c.types = append(c.types, p.path())
			for p.accept("|") {
				c.types = append(c.types, p.path())
			}
		}
		c.local = &local{id: p.ident()}
		p.expect(")")
		c.body = p.braces()
		s.catches = append(s.catches, c)
	}
	if p.tok().word("finally") {
		p.next()
		s.finally = p.braces()
	} else if s.catches == nil {
		p.fail(n.pos, "try needs catch or finally")
	}
	return s
}

func (p *parser) assertStmt(n node) stmt {
	p.next()
	from := p.tok().off
	s := &assertStmt{node: n, cond: p.expr()}
	s.text = strings.TrimSpace(p.src[from:max(p.tok().off, from)])
	if p.accept(":") || p.accept(",") {
		s.msg = p.expr()
	}
	return s
}
