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
	l := &listLit{n, []expr{x}}
	for p.accept(",") {
		l.elems = append(l.elems, p.expr())
	}
	p.expect(")")
	if !p.tok().is("=") || !tupleOf(l) {
		p.fail(n.pos, "unexpected ',' in parentheses")
	}
	return l
}

func (p *parser) word(t token) expr {
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
	case "if", "else", "while", "for", "switch", "case", "try", "catch", "finally", "return", "throw", "break", "continue", "import", "class", "instanceof":
		p.fail(t.pos, "unexpected %v", t)
	}
	if isPrimitive(t.text) && p.tok().is("[") && p.peek(1).is("]") {
		p.i += 2
		return &name{n, t.text + "[]"}
	}
	return &name{n, t.text}
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
			p.fail(p.tok().pos, "anonymous classes are not supported")
		}
	case p.tok().is("["):
		c.array = true
		for p.accept("[") {
			if !p.tok().is("]") {
				c.args = append(c.args, p.expr())
			}
			p.expect("]")
		}
	default:
		p.fail(t.pos, "expecting '(' after new %s", id)
	}
	return c
}

func (p *parser) gstring(t token) expr {
	g := &gstring{node: node{t.pos}}
	for _, part := range t.parts {
		if part.toks == nil {
			g.parts = append(g.parts, &literal{g.node, part.text})
			continue
		}
		if len(part.toks) == 1 {
			g.parts = append(g.parts, &literal{g.node, nil})
			continue
		}
		sub := &parser{file: p.file, src: p.src, toks: part.toks, depth: p.depth, script: p.script, locals: p.locals}
		if sub.tok().is("->") {
			sub.next()
		}
		x := sub.expr()
		for sub.accept(";") {
		}
		if e := sub.tok(); e.kind != tEOF {
			sub.fail(e.pos, "unexpected %v in the string", e)
		}
		g.parts = append(g.parts, x)
	}
	return g
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
	for j := p.i + 1; j < len(p.toks); j++ {
		switch t := p.toks[j]; {
		case t.is("->"):
			return true
		case t.kind == tEOF, t.is("{"), t.is("}"), t.is(";"), t.is("("), t.nl && j > p.i+1 && !p.toks[j-1].is(","):
			return false
		}
	}
	return false
}

func (p *parser) closure() expr {
	c := &closureLit{node: node{p.tok().pos}, implicit: true}
	p.enter()
	defer p.leave()
	if p.closureAhead() {
		p.expect("{")
		c.implicit = false
		c.params = p.params("->")
		p.expect("->")
		c.body = p.stmts(tOp)
		p.expect("}")
		return c
	}
	c.body = p.braces()
	return c
}
