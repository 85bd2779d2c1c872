package groovy

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// operand prints x so that anything may stand before and behind it.
func (p *treePrinter) operand(x expr) {
	bare := false
	switch x := x.(type) {
	case *name:
		bare = !reserved(x.id)
	case *literal:
		_, text := x.val.(string)
		_, yes := x.val.(bool)
		bare = text || yes || x.val == nil
	case *gstring, *listLit, *mapLit, *call, *property, *index, *closureLit:
		bare = true
	case *classRef:
		bare = true
	}
	if bare {
		p.expr(x)
		return
	}
	p.add("(")
	p.expr(x)
	p.add(")")
}

// reserved are words that mean something else where an operand may stand.
func reserved(id string) bool {
	return slices.Contains([]string{"return", "in", "as", "instanceof", "case", "assert", "throw", "else", "def", "catch", "finally"}, id)
}

func isName(id string) bool {
	toks, err := lex("", id)
	return err == nil && len(toks) == 2 && toks[0].kind == tIdent && toks[0].text == id && toks[0].off == 0
}

// quoted is a string literal without anything to interpolate.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	escape(&b, s)
	b.WriteByte('\'')
	return b.String()
}

func escape(b *strings.Builder, s string) {
	for _, r := range s {
		switch {
		case strings.ContainsRune(`\'"$`, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r == 0xfeff:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
}

func number(v Value) string {
	switch v := v.(type) {
	case int64:
		if v < 0 { // a sign would be an operator
			return fmt.Sprintf("0x%08xi", uint32(v))
		}
		return strconv.FormatInt(v, 10)
	case Long:
		if v < 0 {
			return fmt.Sprintf("0x%016xL", uint64(v))
		}
		return strconv.FormatInt(int64(v), 10) + "L"
	case *big.Int:
		return v.String() + "G"
	case *Decimal:
		s := Format(v)
		return s + choose(strings.ContainsAny(s, ".eE"), "", "e0")
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64) + "d"
	case Float:
		return strconv.FormatFloat(float64(v), 'g', -1, 32) + "f"
	}
	return Format(v)
}

func (p *treePrinter) expr(x expr) {
	switch x := x.(type) {
	case *literal:
		if s, ok := x.val.(string); ok {
			p.add(quoted(s))
			return
		}
		p.add(number(x.val))
	case *gstring:
		p.gstring(x)
	case *name:
		p.add(x.id)
	case *listLit:
		open, end := "[", "]"
		if x.tuple {
			open, end = "(", ")"
		}
		p.add(open)
		p.list(x.elems)
		p.add(end)
	case *mapLit:
		p.add("[", choose(len(x.entries) == 0, ":", ""))
		p.entries(x.entries)
		p.add("]")
	case *closureLit:
		p.add("{ ")
		if !x.implicit {
			p.params(x.fn.params)
			p.add(" -> ")
		}
		p.stmts(x.fn.body)
		p.add("}")
	case *property, *methodPointer, *index, *call, *creation:
		p.access(x)
	case *classRef:
		p.add(x.typ)
	case *spread:
		p.add("*")
		p.operand(x.x)
	default:
		p.add("(")
		p.operation(x)
		p.add(")")
	}
}

func (p *treePrinter) operation(x expr) {
	switch x := x.(type) {
	case *rangeLit:
		p.infix(x.from, choose(x.exclusive, "..<", ".."), x.to)
	case *unary:
		p.add(x.op)
		p.operand(x.x)
	case *step:
		p.add(choose(x.prefix, x.op, ""))
		p.operand(x.x)
		p.add(choose(x.prefix, "", x.op))
	case *binary:
		if x.op == "/" { // what stands before a slash decides what it is
			p.add("(")
			p.expr(x.l)
			p.add(") / ")
			p.operand(x.r)
			return
		}
		p.infix(x.l, x.op, x.r)
	case *ternary:
		p.operand(x.cond)
		p.add(" ?")
		if x.yes != nil {
			p.add(" ")
			p.operand(x.yes)
			p.add(" ")
		}
		p.add(": ")
		p.operand(x.no)
	case *assign:
		p.expr(x.l)
		p.add(" ", x.op, "= ")
		p.operand(x.r)
	case *conversion:
		if x.cast {
			p.add("(", x.typ, ")(")
			p.expr(x.x)
			p.add(")")
			return
		}
		p.operand(x.x)
		p.add(" as ", x.typ)
	case *typeTest:
		p.operand(x.x)
		p.add(" instanceof ", x.typ)
	default:
		panic(fmt.Sprintf("print %T", x))
	}
}

func (p *treePrinter) infix(l expr, op string, r expr) {
	p.operand(l)
	p.add(" ", op, " ")
	p.operand(r)
}

func (p *treePrinter) list(list []expr) {
	for i, x := range list {
		p.add(choose(i > 0, ", ", ""))
		p.expr(x)
	}
}

func (p *treePrinter) entries(list []mapEntry) {
	for i, e := range list {
		p.add(choose(i > 0, ", ", ""))
		switch k := e.key.(type) {
		case nil:
			p.add("*")
		case *gstring:
			p.expr(k)
		case *literal:
			_, yes := k.val.(bool)
			_, text := k.val.(string)
			if s := number(k.val); !text && (yes || k.val == nil || s[0] == '-') {
				p.add("(", s, ")")
			} else {
				p.expr(k)
			}
		default:
			p.add("(")
			p.expr(k)
			p.add(")")
		}
		p.add(": ")
		p.expr(e.val)
	}
}

func (p *treePrinter) gstring(x *gstring) {
	p.add(`"`)
	for _, part := range x.parts {
		l, ok := part.(*literal)
		s, text := "", false
		if ok {
			s, text = l.val.(string)
		}
		switch c, _ := part.(*closureLit); {
		case text && l.pos == x.pos:
			escape(&p.b, s)
		case c != nil && x.lazy && !c.implicit:
			p.add("${")
			p.params(c.fn.params)
			p.add(" -> ")
			p.stmts(c.fn.body)
			p.add("}")
		default:
			p.add("${")
			p.expr(part)
			p.add("}")
		}
	}
	p.add(`"`)
}

// arguments prints them in parentheses, the named ones first.
func (p *treePrinter) arguments(args []expr, named *mapLit) {
	p.add("(")
	if named != nil {
		p.entries(named.entries)
		p.add(choose(len(args) > 0, ", ", ""))
	}
	p.list(args)
	p.add(")")
}

func (p *treePrinter) member(dot, id string, x expr) {
	p.add(dot)
	switch x.(type) {
	case nil:
		p.add(choose(isName(id), id, quoted(id)))
	case *gstring:
		p.expr(x)
	default:
		p.add("(")
		p.expr(x)
		p.add(")")
	}
}

// access prints what follows dots and parentheses.
func (p *treePrinter) access(x expr) {
	dot := func(safe, spread bool) string { return choose(safe, "?", "") + choose(spread, "*", "") + "." }
	switch x := x.(type) {
	case *property:
		p.operand(x.x)
		p.member(dot(x.safe, x.spread)+choose(x.field, "@", ""), x.id, x.idExpr)
	case *methodPointer:
		p.operand(x.x)
		p.member(".&", x.id, x.idExpr)
	case *index:
		p.operand(x.x)
		p.add("[")
		p.expr(x.i)
		p.add("]")
	case *call:
		switch {
		case x.fn != nil:
			p.operand(x.fn)
		case x.recv != nil:
			p.operand(x.recv)
			p.member(dot(x.safe, x.spread), x.id, x.idExpr)
		case x.callee != nil:
			p.add(x.id)
		default:
			p.add(quoted(x.id))
		}
		p.arguments(x.args, x.named)
	case *creation:
		p.creation(x)
	}
}

func (p *treePrinter) creation(x *creation) {
	p.add("new ", x.class)
	if x.dims == 0 {
		p.arguments(x.args, x.named)
		if x.body != nil {
			p.classBody(x.body)
		}
		return
	}
	for i := range x.dims {
		p.add("[")
		if i < len(x.args) {
			p.expr(x.args[i])
		}
		p.add("]")
	}
	if l, ok := x.init.(*listLit); ok {
		p.add(" {")
		for i, e := range l.elems {
			p.add(choose(i > 0, ", ", ""))
			p.operandOrClosure(e)
		}
		p.add("}")
	}
}

// operandOrClosure prints an element of an array: its brace would be an array's.
func (p *treePrinter) operandOrClosure(x expr) {
	p.add("(")
	p.expr(x)
	p.add(")")
}
