package groovy

import "slices"

// opcode is the operator of a binary node.
type opcode uint8

const (
	opOther opcode = iota
	opAdd
	opSub
	opMul
	opMod
	opLess
	opLessEq
	opGreater
	opGreaterEq
	opEqual
	opNotEqual
	opAnd
	opOr
)

func codeOf(op string) opcode {
	i := slices.Index([]string{"", "+", "-", "*", "%", "<", "<=", ">", ">=", "==", "!=", "&&", "||"}, op)
	return opcode(max(i, 0))
}

func (x *binary) eval(t *Thread, f *frame) (Value, error) {
	l, err := x.l.eval(t, f)
	if err != nil {
		return nil, err
	}
	if x.code >= opAnd {
		return x.logic(t, f, l)
	}
	r, err := x.r.eval(t, f)
	if err != nil {
		return nil, err
	}
	if i, ok := l.(int64); ok && len(t.uses) == 0 {
		if j, ok := r.(int64); ok {
			if v, ok := quick(x.code, i, j); ok {
				return v, nil
			}
		}
	}
	v, err := t.operate(x.op, l, r)
	return v, t.place(f, err, x.pos)
}

func (x *binary) logic(t *Thread, f *frame, l Value) (Value, error) {
	ok, err := t.truth(l)
	if err != nil {
		return nil, t.place(f, err, x.pos)
	}
	if ok == (x.code == opOr) {
		return ok, nil
	}
	r, err := x.r.eval(t, f)
	if err != nil {
		return nil, err
	}
	ok, err = t.truth(r)
	return ok, t.place(f, err, x.pos)
}

// quick is arithmetic of Integers whose result is one; false leaves it to
// arithmetic.
func quick(c opcode, i, j int64) (Value, bool) {
	var n int64
	switch c {
	case opAdd:
		n = i + j
	case opSub:
		n = i - j
	case opMul:
		n = i * j
	case opMod:
		if j <= 0 {
			return nil, false
		}
		n = i % j
	case opLess:
		return i < j, true
	case opLessEq:
		return i <= j, true
	case opGreater:
		return i > j, true
	case opGreaterEq:
		return i >= j, true
	case opEqual:
		return i == j, true
	case opNotEqual:
		return i != j, true
	default:
		return nil, false
	}
	return n, n == int64(int32(n)) && i == int64(int32(i)) && j == int64(int32(j))
}

// operate applies a binary operator to values.
func (t *Thread) operate(op string, l, r Value) (Value, error) {
	if len(t.uses) > 0 {
		if v, ok, err := t.categoryOperator(op, l, r); ok {
			return v, err
		}
	}
	switch op {
	case "==":
		return boolean(t.equals(l, r))
	case "!=":
		v, err := t.equals(l, r)
		return !v, err
	case "===":
		return identical(l, r), nil
	case "!==":
		return !identical(l, r), nil
	case "<", "<=", ">", ">=", "<=>":
		return t.order(op, l, r)
	case "in":
		return boolean(t.isCase(r, l))
	case "=~", "==~":
		return t.matchOp(op, l, r)
	}
	if rankOf(l) > 0 && rankOf(r) > 0 {
		return arithmetic(op, l, r)
	}
	if l == nil {
		if s, ok := plainString(r).(string); ok && op == "+" {
			return "null" + s, nil
		}
		return nil, Throw("NullPointerException", "Cannot invoke method %s() on null object", operatorMethod(op))
	}
	if op == "+" {
		if g, ok := l.(*lazyString); ok && g.fixed != nil {
			return g.joined(t, r)
		}
		if _, text := l.(string); !text {
			if s, ok := plainString(r).(string); ok && joinsText(l) {
				ls, err := t.toString(l)
				if err != nil {
					return nil, err
				}
				return ls + s, t.grow(len(ls)+len(s), 1)
			}
		}
	}
	return t.CallMethod(l, operatorMethod(op), []Value{r})
}

// joinsText says whether l + "text" makes a text of l.
func joinsText(l Value) bool {
	_, text := l.(*builder)
	_, lazy := l.(*lazyString)
	_, char := l.(Char)
	return text || lazy || rankOf(l) > 0 && !char
}

func boolean(b bool, err error) (Value, error) { return b, err }

func (t *Thread) matchOp(op string, l, r Value) (Value, error) {
	re, err := t.patternOf(r)
	if err != nil {
		return nil, err
	}
	s, err := t.toString(l)
	if err != nil {
		return nil, err
	}
	if op == "==~" {
		return boolean(t.fits(re, s))
	}
	return newMatcher(re, s), t.grow(len(s), 1)
}

// equals is Equal, with the equals and compareTo methods of script classes.
func (t *Thread) equals(l, r Value) (bool, error) {
	if o, ok := l.(*instance); ok && l != r {
		if m := o.class.find("compareTo", []Value{r}); m != nil && o.class.implements("Comparable") {
			if x, ok := r.(*instance); !ok || x.class != o.class {
				return false, nil
			}
			v, err := t.invokeMethod(o, m, []Value{r})
			return err == nil && toInt(v) == 0, err
		}
		if m := o.class.find("equals", []Value{r}); m != nil && r != nil {
			v, err := t.invokeMethod(o, m, []Value{r})
			return Truth(v), err
		}
	}
	if g, ok := l.(*lazyString); ok {
		s, err := t.toString(g)
		if err != nil {
			return false, err
		}
		l = s
	}
	if g, ok := r.(*lazyString); ok {
		s, err := t.toString(g)
		if err != nil {
			return false, err
		}
		r = s
	}
	return Equal(l, r), nil
}

// compare is the spaceship, with the compareTo methods of script classes.
func (t *Thread) compare(l, r Value) (int, error) {
	if o, ok := l.(*instance); ok && r != nil {
		if m := o.class.find("compareTo", []Value{r}); m != nil {
			v, err := t.invokeMethod(o, m, []Value{r})
			return int(toInt(v)), err
		}
		if p, ok := r.(*instance); ok && o.class.sorted != nil && p.class == o.class {
			return t.orderBy(o, p)
		}
	}
	return compare(l, r)
}

func (t *Thread) order(op string, l, r Value) (Value, error) {
	c, err := t.compare(l, r)
	if err != nil {
		return nil, err
	}
	if op != "<=>" && isNaN(l, r) {
		return false, nil
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	case ">=":
		return c >= 0, nil
	}
	return int64(cmpInt(int64(c), 0)), nil
}

func isNaN(vals ...Value) bool {
	for _, v := range vals {
		if f, ok := v.(float64); ok && f != f {
			return true
		}
	}
	return false
}

func operatorMethod(op string) string {
	switch op {
	case "+":
		return "plus"
	case "-":
		return "minus"
	case "*":
		return "multiply"
	case "/":
		return "div"
	case "%":
		return "mod"
	case "<<":
		return "leftShift"
	case ">>":
		return "rightShift"
	case ">>>":
		return "rightShiftUnsigned"
	case "**":
		return "power"
	case "&":
		return "and"
	case "|":
		return "or"
	case "^":
		return "xor"
	}
	return "operator" + op
}

func (t *Thread) unary(op string, v Value) (Value, error) {
	if rankOf(v) > 0 {
		switch op {
		case "-":
			return negate(v)
		case "+":
			return v, nil
		}
		return bitNot(v)
	}
	if v == nil {
		return nil, Throw("NullPointerException", "Cannot invoke method %s() on null object", unaryMethod(op))
	}
	if o, ok := v.(*instance); ok {
		return t.CallMethod(o, unaryMethod(op), nil)
	}
	if op == "~" {
		return t.patternValue(v)
	}
	if l, ok := v.(*List); ok {
		return t.unaryAll(op, l)
	}
	return t.CallMethod(v, unaryMethod(op), nil)
}

// unaryAll is the list of op of each element; the list may hold itself.
func (t *Thread) unaryAll(op string, l *List) (Value, error) {
	if err := t.deeper(16); err != nil {
		return nil, err
	}
	defer t.shallower(16)
	out := NewList()
	for _, e := range l.Elems {
		if err := t.charge(1); err != nil {
			return nil, err
		}
		n, err := t.unary(op, e)
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, n)
	}
	return out, t.grow(len(out.Elems), 16)
}

func unaryMethod(op string) string {
	switch op {
	case "-":
		return "negative"
	case "+":
		return "positive"
	}
	return "bitwiseNegate"
}

func bitNot(v Value) (Value, error) {
	switch v := v.(type) {
	case int64:
		return ^v, nil
	case Byte:
		return ^int64(v), nil
	case Long:
		return ^v, nil
	}
	return nil, Throw("UnsupportedOperationException", "~ of %s", TypeName(v))
}
