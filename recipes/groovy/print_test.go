package groovy

import (
	"fmt"
	"strings"
)

// treePrinter writes a syntax tree as a text that parses into the same tree. It
// prints every operation in parentheses and ends every statement with a
// semicolon, so that it need not know what binds how.
type treePrinter struct {
	b strings.Builder
	s *Script
}

func printed(s *Script) string {
	p := &treePrinter{s: s}
	for _, d := range s.imports {
		p.add("import ", choose(d.static, "static ", ""), d.path, choose(d.star, ".*", ""))
		if d.alias != "" {
			p.add(" as ", d.alias)
		}
		p.add(";\n")
	}
	p.classes(nil)
	for _, m := range s.methods {
		p.method(m, "")
	}
	p.stmts(s.main.body)
	return p.b.String()
}

func (p *treePrinter) add(list ...string) {
	for _, s := range list {
		p.b.WriteString(s)
	}
}

// classes prints the classes that stand in the class d, or in none.
func (p *treePrinter) classes(d *classDecl) {
	for _, c := range p.s.classes {
		if c.outer == d {
			p.class(c)
		}
	}
}

func (p *treePrinter) class(d *classDecl) {
	for _, n := range d.notes {
		p.add("@", n.id)
		if n.named != nil {
			p.add("(")
			for i, e := range n.named.entries {
				p.add(choose(i > 0, ", ", ""), e.key.(*literal).val.(string), " = ")
				p.operand(e.val)
			}
			p.add(")")
		}
		p.add(" ")
	}
	word := "class "
	switch {
	case d.enum:
		word = "enum "
	case d.iface:
		word = "interface "
	}
	p.add(choose(d.abstract, "abstract ", ""), word, d.id)
	if d.super != "" {
		p.add(" extends ", d.super)
	}
	if len(d.interfaces) > 0 {
		p.add(choose(d.iface, " extends ", " implements "), strings.Join(d.interfaces, ", "))
	}
	p.classBody(d)
}

func (p *treePrinter) classBody(d *classDecl) {
	p.add(" {\n")
	for i, c := range d.constants {
		p.add(choose(i > 0, ", ", ""), c.id)
		if c.args != nil || c.named != nil {
			p.arguments(c.args, c.named)
		}
		if c.body != nil {
			p.classBody(c.body)
		}
	}
	p.add(choose(d.enum, ";\n", ""))
	for _, f := range d.fields {
		p.field(f, "")
	}
	for _, f := range d.statics {
		p.field(f, "static ")
	}
	for _, m := range d.inits {
		p.add(choose(m.static, "static ", ""))
		p.block(m.fn.body)
		p.add("\n")
	}
	for _, m := range d.methods {
		p.method(m, d.id)
	}
	p.classes(d)
	p.add("}\n")
}

func (p *treePrinter) field(f *varDecl, static string) {
	p.add(static, choose(f.hidden, "private ", ""), choose(f.final, "final ", ""))
	p.declared(f)
	p.add(";\n")
}

func (p *treePrinter) method(m *methodDecl, class string) {
	p.add(choose(m.static, "static ", ""))
	switch {
	case m.id == "<init>":
		p.add(class)
	case isName(m.id):
		p.add(cmpOr(m.fn.ret, "def"), " ", m.id)
	default:
		p.add(cmpOr(m.fn.ret, "def"), " ", quoted(m.id))
	}
	p.add("(")
	p.params(m.fn.params)
	p.add(")")
	if !m.abstract {
		p.block(m.fn.body)
	}
	p.add("\n")
}

func cmpOr(a, b string) string { return choose(a != "", a, b) }

func (p *treePrinter) params(list []param) {
	for i, q := range list {
		p.add(choose(i > 0, ", ", ""))
		if q.typ != "" {
			p.add(q.typ, choose(q.rest, "... ", " "))
		}
		p.add(q.local.id)
		if q.deflt != nil {
			p.add(" = ")
			p.expr(q.deflt)
		}
	}
}

func (p *treePrinter) block(list []stmt) {
	p.add(" {\n")
	p.stmts(list)
	p.add("}")
}

func (p *treePrinter) stmts(list []stmt) {
	for _, s := range list {
		p.stmt(s)
		p.add(";\n")
	}
}

func (p *treePrinter) stmt(s stmt) {
	switch s := s.(type) {
	case *exprStmt:
		p.add("(")
		p.expr(s.x)
		p.add(")")
	case *varDecl:
		p.add(choose(s.field, "@Field ", ""))
		p.declared(s)
	case *multi:
		p.several(s.list)
	case *block:
		p.block(s.body)
	case *ifStmt:
		p.head("if", s.cond)
		p.block(s.yes)
		if s.not != nil {
			p.add(" else ")
			p.block(s.not)
		}
	case *whileStmt:
		p.labels(s.labels)
		p.head("while", s.cond)
		p.block(s.body)
	case *forStmt:
		p.loop(s)
	case *forIn:
		p.labels(s.labels)
		p.add("for (", s.local.typ, " ", s.local.id, " in ")
		p.expr(s.x)
		p.add(")")
		p.block(s.body)
	case *switchStmt:
		p.choice(s)
	case *tryStmt:
		p.try(s)
	default:
		p.leaving(s)
	}
}

// leaving prints the statements that go elsewhere.
func (p *treePrinter) leaving(s stmt) {
	switch s := s.(type) {
	case *throwStmt:
		p.add("throw ")
		p.expr(s.x)
	case *returnStmt:
		p.add("return")
		if s.x != nil {
			p.add(" ")
			p.expr(s.x)
		}
	case *jump:
		p.add(choose(s.brk, "break ", "continue "), s.label)
	case *assertStmt:
		p.add("assert ")
		p.expr(s.cond)
		if s.msg != nil {
			p.add(" : ")
			p.expr(s.msg)
		}
	case *superInit:
		p.add(choose(s.this, "this", "super"))
		p.arguments(s.args, s.named)
	default:
		panic(fmt.Sprintf("print %T", s))
	}
}

func (p *treePrinter) labels(list []string) {
	for _, l := range list {
		p.add(l, ": ")
	}
}

func (p *treePrinter) head(word string, x expr) {
	p.add(word, " (")
	p.expr(x)
	p.add(")")
}

// declared prints a declaration with its type.
func (p *treePrinter) declared(d *varDecl) {
	if !d.tuple {
		p.add(cmpOr(d.typ, "def"), " ")
		p.rest(d)
		return
	}
	p.add("def (")
	for i, id := range d.ids {
		p.add(choose(i > 0, ", ", ""), d.types[i], " ", id)
	}
	p.add(") = ")
	p.expr(d.init)
}

func (p *treePrinter) rest(d *varDecl) {
	p.add(d.ids[0])
	if d.init != nil {
		p.add(" = ")
		p.expr(d.init)
	}
}

func (p *treePrinter) several(list []stmt) {
	for i, s := range list {
		d := s.(*varDecl)
		if i == 0 {
			p.add(choose(d.field, "@Field ", ""))
			p.declared(d)
			continue
		}
		p.add(", ")
		p.rest(d)
	}
}

func (p *treePrinter) loop(s *forStmt) {
	p.labels(s.labels)
	p.add("for (")
	list := func(list []stmt) {
		for i, s := range list {
			p.add(choose(i > 0, ", ", ""))
			p.stmt(s)
		}
	}
	if len(s.init) > 0 {
		if _, ok := s.init[0].(*varDecl); ok {
			p.several(s.init)
		} else {
			list(s.init)
		}
	}
	p.add("; ")
	if s.cond != nil {
		p.expr(s.cond)
	}
	p.add("; ")
	list(s.post)
	p.add(")")
	p.block(s.body)
}

func (p *treePrinter) choice(s *switchStmt) {
	p.labels(s.labels)
	p.head("switch", s.x)
	p.add(" {\n")
	for _, c := range s.cases {
		for _, v := range c.vals {
			p.add("case ")
			p.expr(v)
			p.add(":\n")
		}
		p.add(choose(c.deflt, "default:\n", ""))
		p.add(choose(len(c.body) == 0, ";\n", "")) // else the next case would be one of these
		p.stmts(c.body)
	}
	p.add("}")
}

func (p *treePrinter) try(s *tryStmt) {
	p.add("try")
	p.block(s.body)
	for _, c := range s.catches {
		p.add(" catch (", strings.Join(c.types, " | "), " ", c.local.id, ")")
		p.block(c.body)
	}
	if s.finally != nil || len(s.catches) == 0 {
		p.add(" finally ")
		p.block(s.finally)
	}
}
