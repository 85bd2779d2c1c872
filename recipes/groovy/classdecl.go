package groovy

// classAhead says whether a class, interface, enum or trait begins here.
func (p *parser) classAhead() bool {
	for j := range 6 {
		t := p.peek(j)
		switch {
		case t.word("class"), t.word("interface"), t.word("enum"), t.word("trait"):
			return p.peek(j+1).kind == tIdent && (t.text == "class" || isUpper(p.peek(j+1).text)) && (p.peek(j+2).kind == tIdent || p.peek(j+2).is("{") || p.peek(j+2).is("<"))
		case t.word("public"), t.word("private"), t.word("protected"), t.word("abstract"), t.word("final"), t.word("static"), t.word("strictfp"):
		default:
			return false
		}
	}
	return false
}

// classStmt parses a class, interface, enum or trait with its modifiers.
func (p *parser) classStmt(nested bool) {
	d := &classDecl{node: node{p.tok().pos}, notes: p.notes}
	p.notes = nil
	for {
		t := p.next()
		switch t.text {
		case "abstract":
			d.abstract = true
			continue
		case "interface", "trait":
			d.iface = true
		case "enum":
			d.enum = true
		case "class":
		default:
			continue
		}
		break
	}
	d.id = p.ident()
	if p.tok().is("<") {
		p.typeArguments()
	}
	p.heritage(d)
	outer, locals, ctor := p.class, p.locals, p.ctor
	p.class, p.locals, p.ctor = d, map[string]bool{}, false
	p.script.classes = append(p.script.classes, d)
	if nested {
		d.outer = outer
	}
	p.classBody(d)
	p.class, p.locals, p.ctor = outer, locals, ctor
}

// heritage parses extends and implements.
func (p *parser) heritage(d *classDecl) {
	names := func() []string {
		list := []string{p.typeName()}
		for p.accept(",") {
			list = append(list, p.typeName())
		}
		return list
	}
	for {
		switch {
		case p.tok().word("extends"):
			p.next()
			if d.iface {
				d.interfaces = append(d.interfaces, names()...)
			} else {
				d.super = p.typeName()
			}
		case p.tok().word("implements"):
			p.next()
			d.interfaces = append(d.interfaces, names()...)
		default:
			return
		}
	}
}

func (p *parser) classBody(d *classDecl) {
	p.enter()
	defer p.leave()
	p.expect("{")
	if d.enum {
		p.constants(d)
	}
	for !p.accept("}") {
		if p.accept(";") {
			continue
		}
		if t := p.tok(); t.kind == tEOF {
			p.fail(t.pos, "expecting '}', found end of file")
		}
		p.member(d)
		if t := p.tok(); !t.nl && !t.is(";") && !t.is("}") {
			p.fail(t.pos, "unexpected %v in class %s", t, d.id)
		}
	}
}

// constants parses the constants of an enum.
func (p *parser) constants(d *classDecl) {
	for {
		p.annotations()
		t := p.tok()
		if t.kind != tIdent || p.peek(1).kind == tIdent && !p.peek(1).nl {
			return
		}
		c := enumConst{node: node{t.pos}, id: p.next().text}
		if p.tok().is("(") {
			p.next()
			c.args, c.named = p.arguments(")")
			p.expect(")")
		}
		if p.tok().is("{") {
			c.body = &classDecl{node: c.node, id: d.id, super: d.id}
			p.classBody(c.body)
		}
		d.constants = append(d.constants, c)
		if !p.accept(",") {
			return
		}
	}
}

// member parses a field, method, constructor, initializer or class.
func (p *parser) member(d *classDecl) {
	p.notes = p.annotations()
	t := p.tok()
	if p.classAhead() {
		p.classStmt(true)
		return
	}
	p.notes = nil
	if t.is("{") || t.word("static") && p.peek(1).is("{") {
		if t.word("static") {
			p.next()
		}
		d.inits = append(d.inits, &methodDecl{node: node{t.pos}, static: t.word("static"), fn: &function{pos: t.pos, body: p.braces()}})
		return
	}
	m := p.modifiers()
	if p.peek(m.count).word(d.id) && p.peek(m.count+1).is("(") {
		p.i += m.count + 1
		p.ctor = true
		d.methods = append(d.methods, p.method(node{t.pos}, "<init>"))
		p.ctor = false
		return
	}
	s, ok := p.declaration(true)
	if !ok {
		p.fail(t.pos, "unexpected %v in class %s", t, d.id)
	}
	p.add(d, s, m)
}

// modifiers are the words before a member.
type modifiers struct {
	count                           int
	static, final, hidden, abstract bool
}

// modifiers looks at the modifiers ahead without consuming them.
func (p *parser) modifiers() (m modifiers) {
	for ; m.count < 8; m.count++ {
		switch p.peek(m.count).text {
		case "static":
			m.static = true
		case "final":
			m.final = true
		case "private", "protected", "public":
			m.hidden = true
		case "abstract":
			m.abstract = true
		case "synchronized", "transient", "volatile", "def":
		default:
			return m
		}
	}
	return m
}

// add puts a declaration into its class.
func (p *parser) add(d *classDecl, s stmt, m modifiers) {
	field := func(f *varDecl) {
		f.final, f.hidden = m.final, m.hidden
		if m.static || d.iface {
			f.final = f.final || d.iface
			d.statics = append(d.statics, f)
		} else {
			d.fields = append(d.fields, f)
		}
	}
	switch s := s.(type) {
	case *methodDecl:
		s.static = s.static || m.static
		d.methods = append(d.methods, s)
	case *varDecl:
		field(s)
	case *multi:
		for _, f := range s.list {
			field(f.(*varDecl))
		}
	}
}
