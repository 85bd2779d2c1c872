package groovy

func (p *parser) primary() expr {
	p.enter()
	defer p.leave()
	t := p.tok()
	n := node{t.pos}
	switch t.kind {
	case tNumber, tString:
		p.next()
		return &literal{n, t.val}
	case tGString:
		p.next()
		return p.gstring(t)
	case tIdent:
		return p.word(t)
	case tOp:
		switch t.text {
		case "(":
			return p.parenthesis()
		case "[":
			return p.bracket()
		case "{":
			return p.closure()
		}
	case tEOF:
	}
	p.fail(t.pos, "unexpected %v", t)
	return nil
}

// parenthesis is (x), or the tuple of (a, b) = list.
func (p *parser) parenthesis() expr {
	n := node{p.next().pos}
	x := p.expr()
	if !p.tok().is(",") {
		p.expect(")")
		return x
	}
	l := &listLit{node: n, elems: []expr{x}, tuple: true}
	for p.accept(",") {
		l.elems = append(l.elems, p.expr())
	}
	p.expect(")")
	if !p.tok().is("=") || !tupleOf(l) {
		p.fail(n.pos, "unexpected ',' in parentheses")
	}
	return l
}

func (p *parser) word(t *token) expr {
	n := node{t.pos}
	p.next()
	switch t.text {
	case "null":
		return &literal{n, nil}
	case "true":
		return &literal{n, true}
	case "false":
		return &literal{n, false}
	case "new":
		return p.creation(n)
	case "if", "else", "while", "for", "switch", "case", "try", "catch", "finally", "return", "throw", "break", "continue", "import", "class", "instanceof", "in", "as", "def", "assert":
		p.fail(t.pos, "unexpected %v", t)
	}
	if p.tok().is("[") && p.peek(1).is("]") && !p.tok().sp && (isPrimitive(t.text) || isUpper(t.text)) {
		id := t.text
		for p.tok().is("[") && p.peek(1).is("]") && len(id) < 2*maxParts {
			p.i += 2
			id += "[]"
		}
		return &classRef{n, id}
	}
	if isPrimitive(t.text) {
		return &classRef{n, t.text}
	}
	return &name{node: n, id: t.text, up: -1}
}

// creation parses what follows new: a class with arguments, or an array.
func (p *parser) creation(n node) expr {
	c := &creation{node: n}
	t := p.tok()
	id := p.path()
	c.class = id
	if p.tok().is("<") {
		p.typeArguments()
	}
	switch {
	case p.tok().is("("):
		p.next()
		c.args, c.named = p.arguments(")")
		p.expect(")")
		if p.tok().is("{") && !p.tok().nl {
			c.body = p.anonymous(n, id)
		}
	case p.tok().is("["):
		for p.tok().is("[") && c.dims < maxParts {
			p.next()
			c.dims++
			if !p.tok().is("]") {
				c.args = append(c.args, p.expr())
			}
			p.expect("]")
		}
		if p.tok().is("{") && len(c.args) == 0 {
			c.init = p.arrayInit()
		}
	default:
		p.fail(t.pos, "expecting '(' after new %s", id)
	}
	return c
}

// arrayInit is {a, b} after new T[].
func (p *parser) arrayInit() expr {
	l := &listLit{node: node{p.expect("{").pos}}
	p.enter()
	defer p.leave()
	for !p.tok().is("}") {
		if p.tok().is("{") {
			l.elems = append(l.elems, p.arrayInit())
		} else {
			l.elems = append(l.elems, p.expr())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return l
}

// anonymous parses the body of new T() { ... }.
func (p *parser) anonymous(n node, id string) *classDecl {
	d := &classDecl{node: n, id: "anonymous " + lastName(id)}
	outer := p.class
	p.class = d
	p.classBody(d)
	p.class = outer
	d.super = id // the resolver of classes finds out whether it is an interface
	return d
}

func (p *parser) gstring(t *token) expr {
	g := &gstring{node: node{t.pos}, keep: p.script.keeps}
	for _, part := range t.parts() {
		if part.toks == nil {
			g.parts = append(g.parts, &literal{g.node, part.text})
			continue
		}
		if len(part.toks) == 1 {
			g.parts = append(g.parts, &literal{g.node, nil})
			continue
		}
		x, lazy := p.interpolated(part.toks)
		g.lazy = g.lazy || lazy
		g.parts = append(g.parts, x)
	}
	return g
}

// interpolated parses ${...}: an expression, statements ("${host:port}" has a
// label), or, where it begins with an arrow, a closure.
func (p *parser) interpolated(toks []token) (expr, bool) {
	sub := &parser{file: p.file, src: p.src, toks: toks, depth: p.depth, script: p.script, locals: p.locals, class: p.class}
	arrow := sub.tok().is("->") || sub.tok().kind == tIdent && sub.peek(1).is("->")
	if arrow {
		c := &closureLit{node: node{sub.tok().pos}, fn: &function{pos: sub.tok().pos}}
		c.fn.params = sub.params("->")
		sub.expect("->")
		c.fn.body = sub.stmts(tEOF)
		return c, true
	}
	if sub.tok().is("{") { // a closure, not a block
		x := sub.command(true)
		for sub.accept(";") {
		}
		if e := sub.tok(); e.kind != tEOF {
			sub.fail(e.pos, "unexpected %v in the string", e)
		}
		return x, false
	}
	n := node{sub.tok().pos}
	body := sub.stmts(tEOF)
	if len(body) == 0 {
		return &literal{n, nil}, false
	}
	if one, ok := body[0].(*exprStmt); ok && len(body) == 1 {
		return one.x, false
	}
	// Statements run at once, and the last one gives the value.
	return &call{node: n, fn: &closureLit{node: n, fn: &function{pos: n.pos, body: body}}}, false
}

// bracket is a list or a map.
func (p *parser) bracket() expr {
	n := node{p.expect("[").pos}
	if p.tok().is(":") && p.peek(1).is("]") {
		p.i += 2
		return &mapLit{node: n}
	}
	l, m := &listLit{node: n}, &mapLit{node: n}
	for !p.tok().is("]") {
		t := p.tok()
		switch {
		case t.is("*") && p.peek(1).is(":"):
			p.i += 2
			m.entries = append(m.entries, mapEntry{nil, p.expr()})
		case t.is("*"):
			p.next()
			l.elems = append(l.elems, &spread{node{t.pos}, p.expr()})
		case p.keyAhead():
			key := p.mapKey()
			p.expect(":")
			m.entries = append(m.entries, mapEntry{key, p.expr()})
		default:
			x := p.expr()
			if p.accept(":") { // (key): value
				m.entries = append(m.entries, mapEntry{x, p.expr()})
			} else {
				l.elems = append(l.elems, x)
			}
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	if m.entries == nil {
		return l
	}
	if l.elems != nil {
		p.fail(n.pos, "a list holds a map entry without brackets of its own")
	}
	return m
}

// closureAhead says whether the brace here opens a closure with parameters.
// It only looks at tokens, up to the next brace, so that nesting costs nothing.
func (p *parser) closureAhead() bool {
	open := 0
	for j := p.i + 1; j < len(p.toks) && j < p.i+maxHeader; j++ {
		switch t := &p.toks[j]; {
		case t.is("->") && open == 0:
			return true
		case t.is("("), t.is("["):
			open++
		case t.is(")"), t.is("]"):
			if open--; open < 0 {
				return false
			}
		case t.kind == tEOF, t.is("{"), t.is("}"), t.is(";"), t.nl && open == 0 && j > p.i+1 && !p.toks[j-1].is(",") && !t.is("->"):
			return false
		case j == p.i+1 && t.kind != tIdent && !t.is("@") && !t.is("..."):
			return false
		}
	}
	return false
}

// maxHeader bounds the tokens that are looked at for the arrow of a closure.
const maxHeader = 400

func (p *parser) closure() expr {
	at := p.tok().pos
	c := &closureLit{node: node{at}, implicit: true, fn: &function{pos: at}}
	p.enter()
	defer p.leave()
	ctor := p.ctor
	p.ctor = false
	defer func() { p.ctor = ctor }()
	if p.closureAhead() {
		p.expect("{")
		c.implicit = false
		c.fn.params = p.params("->")
		p.expect("->")
		c.fn.body = p.stmts(tOp)
		p.expect("}")
		return c
	}
	c.fn.params = []param{{local: &local{id: "it"}, deflt: &literal{node{at}, nil}}}
	c.fn.body = p.braces()
	return c
}
