package groovy

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

func (t *Thread) binary(e *env, x *binary) (Value, error) {
	l, err := t.eval(e, x.l)
	if err != nil {
		return nil, err
	}
	switch x.op {
	case "&&":
		if !Truth(l) {
			return false, nil
		}
		r, err := t.eval(e, x.r)
		return Truth(r), err
	case "||":
		if Truth(l) {
			return true, nil
		}
		r, err := t.eval(e, x.r)
		return Truth(r), err
	}
	r, err := t.eval(e, x.r)
	if err != nil {
		return nil, err
	}
	return t.operate(x.op, l, r)
}

// operate applies a binary operator to values.
func (t *Thread) operate(op string, l, r Value) (Value, error) {
	switch op {
	case "==", "===":
		return t.equals(l, r)
	case "!=", "!==":
		v, err := t.equals(l, r)
		return !v, err
	case "<", "<=", ">", ">=", "<=>":
		return order(op, l, r)
	case "in":
		return t.isCase(r, l)
	case "=~", "==~":
		re, err := patternOf(r)
		if err != nil {
			return nil, err
		}
		s := Format(l)
		if op == "==~" {
			return t.fits(re, s)
		}
		if err := t.grow(len(s), 1); err != nil {
			return nil, err
		}
		return &matcher{re: re, s: s}, t.search(re, s) // for its truth; matches count anew
	case "&", "|", "^":
		if a, ok := l.(bool); ok {
			b := Truth(r)
			switch op {
			case "&":
				return a && b, nil
			case "|":
				return a || b, nil
			}
			return a != b, nil
		}
	}
	if i, ok := l.(int64); ok {
		if j, ok := r.(int64); ok {
			return integers(op, i, j)
		}
	}
	if a, b, ok := floats(l, r); ok {
		return fractions(op, a, b)
	}
	return t.operateOn(op, l, r)
}

func (t *Thread) equals(l, r Value) (bool, error) {
	if o, ok := l.(*instance); ok {
		if m := o.class.method("equals", 1); m != nil {
			v, err := t.invokeOn(o, m, []Value{r})
			return Truth(v), err
		}
	}
	return Equal(l, r), nil
}

func order(op string, l, r Value) (Value, error) {
	c, err := compare(l, r)
	if err != nil {
		return nil, err
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
	return int64(c), nil
}

func integers(op string, i, j int64) (Value, error) {
	overflow := Throw("ArithmeticException", "integer overflow: %d %s %d", i, op, j)
	switch op {
	case "+":
		if s := i + j; (s > i) == (j > 0) {
			return s, nil
		}
		return nil, overflow
	case "-":
		if d := i - j; (d < i) == (j > 0) {
			return d, nil
		}
		return nil, overflow
	case "*":
		if i == 0 || j == 0 {
			return int64(0), nil
		}
		if p := i * j; p/j == i && !(i == -1 && j == math.MinInt64) && !(j == -1 && i == math.MinInt64) {
			return p, nil
		}
		return nil, overflow
	case "/":
		if j == 0 {
			return nil, Throw("ArithmeticException", "Division by zero")
		}
		if i%j == 0 && !(j == -1 && i == math.MinInt64) {
			return i / j, nil
		}
		return float64(i) / float64(j), nil
	case "%":
		if j == 0 {
			return nil, Throw("ArithmeticException", "Division by zero")
		}
		if j == -1 {
			return int64(0), nil
		}
		return i % j, nil
	case "**":
		p := math.Pow(float64(i), float64(j))
		if p == math.Trunc(p) && math.Abs(p) < 1<<53 {
			return int64(p), nil
		}
		return p, nil
	case "<<":
		return i << (uint64(j) & 63), nil
	case ">>":
		return i >> (uint64(j) & 63), nil
	case ">>>":
		return int64(uint64(i) >> (uint64(j) & 63)), nil
	case "&":
		return i & j, nil
	case "|":
		return i | j, nil
	case "^":
		return i ^ j, nil
	}
	return nil, fmt.Errorf("operator %s is not defined for numbers", op)
}

func fractions(op string, a, b float64) (Value, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		if b == 0 {
			return nil, Throw("ArithmeticException", "Division by zero")
		}
		return a / b, nil
	case "%":
		if b == 0 {
			return nil, Throw("ArithmeticException", "Division by zero")
		}
		return math.Mod(a, b), nil
	case "**":
		return math.Pow(a, b), nil
	}
	return nil, Throw("MissingMethodException", "operator %s is not defined for decimal numbers", op)
}

// operateOn applies operators to what is not two numbers.
func (t *Thread) operateOn(op string, l, r Value) (Value, error) {
	switch l := l.(type) {
	case string:
		return t.stringOp(op, l, r)
	case *List:
		return t.listOp(op, l, r)
	case *Range:
		list, err := t.elements(l)
		if err != nil {
			return nil, err
		}
		return t.operateOn(op, &List{Elems: list}, r)
	case *Map:
		return t.mapOp(op, l, r)
	case *builder:
		if op == "<<" {
			return l, t.appendTo(l, r)
		}
	}
	if op == "+" {
		if s, ok := r.(string); ok && l != nil {
			ls, err := t.toString(l)
			if err != nil {
				return nil, err
			}
			return ls + s, t.grow(len(ls)+len(s), 1)
		}
	}
	if l == nil {
		if s, ok := r.(string); ok && op == "+" {
			return "null" + s, nil
		}
		return nil, Throw("NullPointerException", "Cannot invoke method %s() on null object", operatorMethod(op))
	}
	switch l.(type) {
	case Object, *instance: // what has methods of its own; the others call operate
		return t.CallMethod(l, operatorMethod(op), []Value{r})
	}
	return nil, noMethod(l, operatorMethod(op), []Value{r})
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

func (t *Thread) stringOp(op, l string, r Value) (Value, error) {
	switch op {
	case "+":
		s, err := t.toString(r)
		if err != nil {
			return nil, err
		}
		if err := t.grow(len(l)+len(s), 1); err != nil {
			return nil, err
		}
		return l + s, nil
	case "<<":
		b := &builder{}
		if err := t.appendTo(b, l); err != nil {
			return nil, err
		}
		return b, t.appendTo(b, r)
	case "-":
		if re, ok := r.(*regex); ok {
			places, err := t.matches(re, l, 1)
			if err != nil || places == nil {
				return l, err
			}
			return l[:places[0][0]] + l[places[0][1]:], nil
		}
		return strings.Replace(l, Format(r), "", 1), nil
	case "*":
		n, ok := r.(int64)
		if !ok || n < 0 {
			return nil, Throw("IllegalArgumentException", "multiply(String, %s)", Format(r))
		}
		if n > maxString {
			n = maxString * 4
		}
		if len(l) > 0 {
			if err := t.grow(len(l)*int(n), 1); err != nil {
				return nil, err
			}
		}
		if l == "" {
			return "", nil
		}
		return strings.Repeat(l, int(n)), nil
	}
	return nil, noMethod(l, operatorMethod(op), []Value{r})
}

func (t *Thread) listOp(op string, l *List, r Value) (Value, error) {
	switch op {
	case "<<":
		l.Elems = append(l.Elems, r)
		return l, t.grow(1, 32)
	case "+":
		out := &List{Elems: slices.Clone(l.Elems), set: l.set}
		switch r := r.(type) {
		case *List:
			out.Elems = append(out.Elems, r.Elems...)
		case *Range:
			list, err := t.elements(r)
			if err != nil {
				return nil, err
			}
			out.Elems = append(out.Elems, list...)
		default:
			out.Elems = append(out.Elems, r)
		}
		return out, t.grow(len(out.Elems), 16)
	case "-":
		gone := []Value{r}
		if o, ok := r.(*List); ok {
			gone = o.Elems
		}
		out := NewList()
		for _, v := range l.Elems {
			if err := t.Alloc(16 + len(gone)); err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(gone, func(g Value) bool { return Equal(v, g) }) {
				out.Elems = append(out.Elems, v)
			}
		}
		return out, nil
	case "*":
		n, ok := r.(int64)
		if !ok || n < 0 {
			return nil, Throw("IllegalArgumentException", "multiply(List, %s)", Format(r))
		}
		out := NewList()
		if len(l.Elems) == 0 {
			return out, nil
		}
		if err := t.grow(len(l.Elems)*int(min(n, maxString)), 16); err != nil {
			return nil, err
		}
		for range n {
			out.Elems = append(out.Elems, l.Elems...)
		}
		return out, nil
	}
	return nil, noMethod(l, operatorMethod(op), []Value{r})
}

func (t *Thread) mapOp(op string, l *Map, r Value) (Value, error) {
	switch o := r.(type) {
	case *Map:
		out := l
		switch op {
		case "+":
			out = l.clone()
			fallthrough
		case "<<":
			for _, k := range o.Keys() {
				out.Put(k, o.vals[k])
			}
			return out, t.grow(out.Len(), 48)
		}
	case *entry:
		if op == "<<" {
			l.Put(o.k, o.m.vals[o.k])
			return l, t.Alloc(64)
		}
	}
	return nil, noMethod(l, operatorMethod(op), []Value{r})
}

func (t *Thread) unary(op string, v Value) (Value, error) {
	switch op {
	case "!":
		return !Truth(v), nil
	case "~":
		if i, ok := v.(int64); ok {
			return ^i, nil
		}
		return patternOf(v)
	}
	switch v := v.(type) {
	case int64:
		if op == "-" {
			return -v, nil
		}
		return v, nil
	case float64:
		if op == "-" {
			return -v, nil
		}
		return v, nil
	case nil:
		return nil, Throw("NullPointerException", "Cannot invoke method negative() on null object")
	}
	return nil, noMethod(v, "negative", nil)
}
