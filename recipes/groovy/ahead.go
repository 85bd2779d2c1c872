package groovy

import "strings"

// What follows is told by looking at tokens only, without consuming them: most
// statements are no declarations, and to find out must cost next to nothing.

// shape is what a statement that begins with a name is.
type shape int

const (
	noDeclaration shape = iota
	aVariable
	aMethod
	aTuple // def (a, b) = list
)

// declarationAhead says what is declared here.
func (p *parser) declarationAhead(inClass bool) shape {
	j := p.i
	if p.token(j).is("<") {
		if j = p.skipTypeArguments(j); j < 0 {
			return noDeclaration
		}
	}
	j, untyped := p.skipTypeOrDef(j)
	if j < 0 {
		return noDeclaration
	}
	if untyped && p.token(j).is("(") && !inClass {
		return aTuple
	}
	switch t := p.token(j); {
	case t.kind == tString && p.token(j+1).is("(") && !p.token(j+1).nl:
	case t.kind != tIdent, t.nl && !untyped:
		return noDeclaration
	}
	j++
	switch t := p.token(j); {
	case t.is("(") && !t.nl && p.methodAhead(j, inClass):
		return aMethod
	case t.nl, t.kind == tEOF, t.is("="), t.is(";"), t.is("}"), t.is(","):
		return aVariable
	}
	return noDeclaration
}

// skipTypeOrDef is the place behind modifiers and a type that begin at j, -1
// when there is none; untyped says that modifiers stand for the type.
func (p *parser) skipTypeOrDef(j int) (after int, untyped bool) {
	for seen := false; ; seen = true {
		switch p.token(j).text {
		case "static", "def", "final", "private", "public", "protected", "synchronized", "transient", "volatile", "abstract":
		default:
			if !seen || p.typeAndName(j) {
				return p.skipType(j), false
			}
			return j, true
		}
		if p.token(j).kind != tIdent {
			return -1, false
		}
		j++
		if p.token(j).is("(") {
			return j, true
		}
		if p.token(j).is("<") {
			if j = p.skipTypeArguments(j); j < 0 {
				return -1, false
			}
		}
	}
}

// typeAndName says whether a type and then a name stand at j.
func (p *parser) typeAndName(j int) bool {
	if j = p.skipType(j); j < 0 {
		return false
	}
	t := p.token(j)
	return t.kind == tIdent && !t.nl && t.text != "in"
}

// skipType is the place behind the type at j; -1 when none is there. It
// accepts what typeName accepts.
func (p *parser) skipType(j int) int {
	t := p.token(j)
	if t.kind != tIdent {
		return -1
	}
	parts := 1
	for j++; p.token(j).is(".") && !p.token(j).nl && p.token(j+1).kind == tIdent; j += 2 {
		if parts++; parts > maxParts {
			return -1
		}
		t = p.token(j + 1)
	}
	if !isUpper(t.text) && (parts > 1 || !isPrimitive(t.text)) {
		return -1
	}
	if p.token(j).is("<") {
		if j = p.skipTypeArguments(j); j < 0 {
			return -1
		}
	}
	for dims := 0; p.token(j).is("[") && p.token(j+1).is("]"); j += 2 {
		if dims++; dims > maxParts {
			return -1
		}
	}
	return j
}

// skipTypeArguments is the place behind the <...> at j; -1 when it is none.
func (p *parser) skipTypeArguments(j int) int {
	for open := 0; ; j++ {
		t := p.token(j)
		switch t.kind {
		case tIdent:
		case tOp:
			switch t.text {
			case "<":
				open++
			case ">", ">>", ">>>":
				open -= len(t.text)
			default:
				if len(t.text) != 1 || !strings.Contains(",?.[]&", t.text) {
					return -1
				}
			}
		default:
			return -1
		}
		if open <= 0 {
			return j + 1
		}
	}
}
