package groovy

import (
	"math/big"
	"strings"
)

// precedence of the binary operators; higher binds tighter.
func precedence(op string) int {
	switch op {
	case "||":
		return 3
	case "&&":
		return 4
	case "|":
		return 5
	case "^":
		return 6
	case "&":
		return 7
	case "==", "!=", "<=>", "===", "!==", "=~", "==~":
		return 8
	case "<", "<=", ">", ">=", "in", "instanceof", "as":
		return 9
	case "<<", ">>", ">>>", "..", "..<":
		return 10
	case "+", "-":
		return 11
	case "*", "/", "%":
		return 12
	case "**":
		return 14
	}
	return 0
}

const prefixPrecedence = 13

// command parses an expression that may be a command: name arguments without
// parentheses. statement says that the expression begins a statement.
func (p *parser) command(statement bool) expr {
	x := p.exprIn(statement)
	if a, ok := x.(*assign); ok {
		a.r = p.commandArgs(a.r)
		return a
	}
	return p.commandArgs(x)
}

// commandArgs turns "a.b x, y" into the call a.b(x, y), and chains of them.
func (p *parser) commandArgs(x expr) expr {
	for {
		if !p.argumentAhead() {
			return x
		}
		var c *call
		switch h := x.(type) {
		case *name:
			c = &call{node: h.node, id: h.id, callee: h}
		case *property:
			if h.spread {
				return x
			}
			c = &call{node: h.node, recv: h.x, id: h.id, idExpr: h.idExpr, safe: h.safe}
		case *call:
			if p.tok().kind != tIdent || h.fn != nil {
				return x
			}
			t := p.next() // a b c d is a(b).c(d)
			if !p.argumentAhead() {
				return &property{node: node{t.pos}, x: x, id: t.text}
			}
			c = &call{node: node{t.pos}, recv: x, id: t.text}
		default:
			return x
		}
		p.enter()
		c.args, c.named = p.arguments("")
		p.leave()
		x = c.spreading()
	}
}

// argumentAhead says whether a command's argument begins here.
func (p *parser) argumentAhead() bool {
	t := p.tok()
	if t.nl {
		return false
	}
	switch t.kind {
	case tString, tGString, tNumber:
		return true
	case tIdent:
		switch t.text {
		case "in", "as", "instanceof", "else", "catch", "finally":
			return false
		}
		return true
	case tOp:
		return t.text == "[" && t.sp || t.text == "{" && t.sp || t.text == "!" && t.sp && !p.peek(1).sp || t.text == "~" && t.sp
	case tEOF:
	}
	return false
}

// arguments parses positional and named arguments up to, not including, end;
// with end "" up to the end of a command.
func (p *parser) arguments(end string) (args []expr, named *mapLit) {
	for {
		t := p.tok()
		if end != "" && t.is(end) {
			return args, named
		}
		switch {
		case p.keyAhead():
			if named == nil {
				named = &mapLit{node: node{t.pos}}
			}
			key := p.mapKey()
			p.expect(":")
			named.entries = append(named.entries, mapEntry{key, p.expr()})
		case t.is("*") && p.peek(1).is(":"):
			p.i += 2
			if named == nil {
				named = &mapLit{node: node{t.pos}}
			}
			named.entries = append(named.entries, mapEntry{nil, p.expr()})
		case t.is("*") && end != "":
			p.next()
			args = append(args, &spread{node{t.pos}, p.expr()})
		default:
			args = append(args, p.expr())
		}
		if !p.accept(",") {
			return args, named
		}
	}
}

// keyAhead says whether "key:" begins here.
func (p *parser) keyAhead() bool {
	t := p.tok()
	if t.kind == tIdent || t.kind == tString || t.kind == tNumber || t.kind == tGString {
		return p.peek(1).is(":")
	}
	return false
}

func (p *parser) mapKey() expr {
	t := p.tok()
	n := node{t.pos}
	switch {
	case t.kind == tIdent:
		p.next()
		return &literal{n, t.text}
	case t.kind == tOp && t.text == "(":
		p.next()
		x := p.expr()
		p.expect(")")
		return x
	}
	return p.primary()
}

func (p *parser) expr() expr { return p.exprIn(false) }

// exprIn parses an assignment or anything that binds tighter. In a statement
// "a [1]" is a command unless a is a variable.
func (p *parser) exprIn(statement bool) expr {
	p.enter()
	defer p.leave()
	l := p.ternary(statement)
	t := p.tok()
	if t.kind != tOp || t.nl {
		return l
	}
	n := node{t.pos}
	switch t.text {
	case "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=":
		switch l := l.(type) {
		case *name, *property, *index:
		case *listLit: // (a, b) = is read by primary as a tuple
			if t.text != "=" || !tupleOf(l) {
				p.fail(t.pos, "the left side of %s is not assignable", t)
			}
		default:
			p.fail(t.pos, "the left side of %s is not assignable", t)
		}
		p.next()
		return &assign{n, t.text[:len(t.text)-1], l, p.command(false)}
	}
	return l
}

func tupleOf(l *listLit) bool {
	if !l.tuple {
		return false
	}
	for _, e := range l.elems {
		if _, ok := e.(*name); !ok {
			return false
		}
	}
	return len(l.elems) > 0
}

func (p *parser) ternary(statement bool) expr {
	cond := p.binary(1, statement)
	t := p.tok()
	n := node{t.pos}
	switch {
	case t.is("?:"):
		p.next()
		return &ternary{n, cond, nil, p.nested()}
	case t.is("?"):
		p.next()
		yes := p.nested()
		p.expect(":")
		return &ternary{n, cond, yes, p.nested()}
	}
	return cond
}

// nested is an expression one level deeper; it bounds right recursion.
func (p *parser) nested() expr {
	p.enter()
	defer p.leave()
	return p.exprIn(false)
}

func (p *parser) binary(least int, statement bool) expr {
	x := p.prefix(statement)
	for {
		t := p.tok()
		if t.kind != tOp && !t.word("in") && !t.word("as") && !t.word("instanceof") && !t.is("!") {
			return x
		}
		op := t.text
		if op == "!" && (p.peek(1).word("in") || p.peek(1).word("instanceof")) && !t.nl {
			x = p.negated(x, t, least)
			continue
		}
		prec := precedence(op)
		if prec == 0 || prec < least || t.nl && op != "&&" && op != "||" {
			return x
		}
		p.next()
		n := node{t.pos}
		switch op {
		case "as":
			x = &conversion{n, x, p.typeName(), false}
		case "instanceof":
			x = &typeTest{n, x, p.typeName()}
		case "..", "..<":
			x = &rangeLit{n, x, p.deeper(prec + 1), op == "..<"}
		case "**":
			x = &binary{n, op, codeOf(op), x, p.deeper(prec + 1)}
		default:
			x = &binary{n, op, codeOf(op), x, p.deeper(prec + 1)}
		}
	}
}

func (p *parser) deeper(prec int) expr {
	p.enter()
	defer p.leave()
	return p.binary(prec, false)
}

// negated parses "x !in y" and "x !instanceof T".
func (p *parser) negated(x expr, t *token, least int) expr {
	if precedence("in") < least {
		p.fail(t.pos, "unexpected '!'")
	}
	p.next()
	n := node{t.pos}
	if p.next().text == "in" {
		return &unary{n, "!", &binary{n, "in", opOther, x, p.deeper(precedence("in") + 1)}}
	}
	return &unary{n, "!", &typeTest{n, x, p.typeName()}}
}

func (p *parser) prefix(statement bool) expr {
	t := p.tok()
	n := node{t.pos}
	if t.kind == tOp {
		switch t.text {
		case "!", "~":
			p.next()
			p.enter()
			defer p.leave()
			return &unary{n, t.text, p.prefix(false)}
		case "-", "+":
			p.next()
			if v := p.tok(); t.text == "-" && v.kind == tNumber && !p.peek(1).is("**") && !v.sp && !p.peek(1).is(".") {
				return p.negative(n)
			}
			return &unary{n, t.text, p.deeper(prefixPrecedence)}
		case "++", "--":
			p.next()
			p.enter()
			defer p.leave()
			return &step{n, t.text, p.prefix(false), true}
		case "(":
			if x := p.castExpr(n); x != nil {
				return x
			}
		}
	}
	return p.postfix(p.primary(), statement)
}

// negative is a number with its sign: -2147483648 is an Integer.
func (p *parser) negative(n node) expr {
	v := p.tok().val
	if l, ok := v.(Long); ok && l == 1<<31 && !strings.ContainsAny(p.src[p.tok().off:min(p.tok().off+12, len(p.src))], "lL") {
		p.next()
		return p.postfix(&literal{n, int64(-1 << 31)}, false)
	}
	if b, ok := v.(*big.Int); ok && b.IsUint64() && b.Uint64() == 1<<63 {
		p.next()
		return p.postfix(&literal{n, Long(-1 << 63)}, false)
	}
	if rankOf(v) == rankDouble && !Truth(v) { // -0.0d is read as a BigDecimal first
		return p.deeper(prefixPrecedence)
	}
	return &unary{n, "-", p.deeper(prefixPrecedence)}
}

// castExpr parses "(Type) operand"; nil when it is not one.
func (p *parser) castExpr(n node) expr {
	j := p.skipType(p.i + 1)
	if j < 0 || !p.token(j).is(")") || !p.castOperand(p.token(j+1), j-p.i == 2 && isPrimitive(p.token(p.i+1).text)) {
		return nil
	}
	p.next()
	typ := p.typeName()
	p.expect(")")
	return &conversion{n, p.deeper(prefixPrecedence), typ, true}
}

// castOperand says whether the operand of a cast may begin with t.
func (p *parser) castOperand(t *token, primitive bool) bool {
	switch t.kind {
	case tString, tGString, tNumber:
		return true
	case tIdent:
		return !t.nl && t.text != "in" && t.text != "as" && t.text != "instanceof"
	case tOp:
		return t.text == "(" || t.text == "[" || primitive && (t.text == "-" || t.text == "+")
	case tEOF:
	}
	return false
}

// postfix parses calls, properties, indexes and ++ after x.
func (p *parser) postfix(x expr, statement bool) expr {
	for {
		t := p.tok()
		n := node{t.pos}
		if t.kind != tOp {
			return x
		}
		switch t.text {
		case ".", "?.", "*.", ".@", ".&":
			x = p.memberOf(x, t)
		case "(":
			if t.nl {
				return x
			}
			p.next()
			c := callOf(x, n)
			c.args, c.named = p.arguments(")")
			p.expect(")")
			x = p.trailing(c).spreading()
		case "{":
			if t.nl || !callable(x) {
				return x
			}
			x = p.trailing(callOf(x, n))
		case "[":
			if id, ok := x.(*name); t.nl || statement && t.sp && ok && !p.locals[id.id] {
				return x
			}
			p.next()
			i := p.indexExpr(n)
			p.expect("]")
			x = &index{n, x, i}
		case "++", "--":
			if t.nl {
				return x
			}
			p.next()
			x = &step{n, t.text, x, false}
		default:
			return x
		}
	}
}

// indexExpr is what stands in a[...]; several expressions make a list.
func (p *parser) indexExpr(n node) expr {
	x := p.expr()
	if !p.tok().is(",") {
		return x
	}
	l := &listLit{node: n, elems: []expr{x}}
	for p.accept(",") {
		l.elems = append(l.elems, p.expr())
	}
	return l
}

func callable(x expr) bool {
	switch x.(type) {
	case *name, *property:
		return true
	}
	return false
}

// trailing adds closure arguments that follow a call.
func (p *parser) trailing(c *call) *call {
	for t := p.tok(); t.is("{") && !t.nl; t = p.tok() {
		c.args = append(c.args, p.closure())
	}
	return c
}

// callOf makes a call of what x names.
func callOf(x expr, n node) *call {
	switch x := x.(type) {
	case *name:
		return &call{node: x.node, id: x.id, callee: x}
	case *property:
		return &call{node: x.node, recv: x.x, id: x.id, idExpr: x.idExpr, safe: x.safe, spread: x.spread}
	case *literal:
		if id, ok := x.val.(string); ok {
			return &call{node: x.node, id: id}
		}
	case *gstring:
		return &call{node: x.node, recv: &name{node: x.node, id: "this", up: -1}, idExpr: x}
	}
	return &call{node: n, fn: x}
}

// memberOf parses what follows a dot.
func (p *parser) memberOf(x expr, dot *token) expr {
	p.next()
	m := &property{x: x, safe: dot.text == "?.", spread: dot.text == "*."}
	if dot.text != ".@" && p.tok().is("@") { // x*.@id, x?.@id
		p.next()
		m.field = true
	}
	t := p.tok()
	m.node = node{t.pos}
	switch {
	case t.kind == tIdent:
		p.next()
		m.id = t.text
	case t.kind == tString:
		p.next()
		m.id = t.val.(string)
	case t.kind == tGString, t.is("("):
		m.idExpr = p.primary()
		if l, ok := m.idExpr.(*listLit); ok && l.tuple {
			p.fail(l.pos, "unexpected ',' in parentheses")
		}
	default:
		p.fail(t.pos, "expecting a name after '%s', found %v", dot.text, t)
	}
	m.field = m.field || dot.text == ".@"
	if dot.text == ".&" {
		return &methodPointer{m.node, x, m.id, m.idExpr}
	}
	return m
}

// spreading notes that an argument is *list.
func (c *call) spreading() *call {
	for _, a := range c.args {
		if _, ok := a.(*spread); ok {
			c.spreadArgs = true
		}
	}
	return c
}
