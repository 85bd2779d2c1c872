package groovy

import (
	"maps"
	"math"
	"math/big"
	"strings"
	"unicode"
)

// operators are the methods that operators call, for receivers that take
// them by operate.
func operatorMethods(ops ...string) methods {
	m := methods{}
	for _, op := range ops {
		m[operatorMethod(op)] = method{1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
			if rankOf(a[0]) == 0 {
				return nil, ErrNoMember
			}
			return arithmetic(op, v, a[0])
		}}
	}
	return m
}

// numberMethods are those of all numbers.
func numberMethods() methods {
	m := operatorMethods("+", "-", "*", "/", "%", "**", "<<", ">>", ">>>", "&", "|", "^")
	for id, typ := range map[string]string{"toInteger": "Integer", "intValue": "Integer", "toLong": "Long", "longValue": "Long", "shortValue": "Short", "byteValue": "Byte",
		"toDouble": "Double", "doubleValue": "Double", "toFloat": "Float", "floatValue": "Float", "toBigDecimal": "BigDecimal", "toBigInteger": "BigInteger"} {
		m[id] = method{0, 0, func(_ *Thread, v Value, _ []Value) (Value, error) { return toNumber(v, typ), nil }}
	}
	for id, fn := range map[string]native{
		"abs":           func(_ *Thread, v Value, _ []Value) (Value, error) { return absolute(v) },
		"negate":        func(_ *Thread, v Value, _ []Value) (Value, error) { return negate(v) },
		"unaryPlus":     func(_ *Thread, v Value, _ []Value) (Value, error) { return v, nil },
		"negative":      func(_ *Thread, v Value, _ []Value) (Value, error) { return negate(v) },
		"unaryMinus":    func(_ *Thread, v Value, _ []Value) (Value, error) { return negate(v) },
		"positive":      func(_ *Thread, v Value, _ []Value) (Value, error) { return v, nil },
		"bitwiseNegate": func(_ *Thread, v Value, _ []Value) (Value, error) { return bitNot(v) },
		"next":          func(_ *Thread, v Value, _ []Value) (Value, error) { return arithmetic("+", v, int64(1)) },
		"previous":      func(_ *Thread, v Value, _ []Value) (Value, error) { return arithmetic("-", v, int64(1)) },
		"isNaN":         func(_ *Thread, v Value, _ []Value) (Value, error) { return isNaN(v), nil },
		"isInfinite": func(_ *Thread, v Value, _ []Value) (Value, error) {
			f, _ := Number(v)
			return math.IsInf(f, 0), nil
		},
		"signum": func(_ *Thread, v Value, _ []Value) (Value, error) { return int64(compareNumbers(v, int64(0))), nil },
	} {
		m[id] = method{0, 0, fn}
	}
	m["intdiv"] = method{1, 1, func(_ *Thread, v Value, a []Value) (Value, error) { return intDiv(v, a[0]) }}
	m["toString"] = method{0, 1, func(_ *Thread, v Value, a []Value) (Value, error) {
		if len(a) == 1 {
			return toBig(v).Text(int(min(max(toInt(a[0]), 2), 36))), nil
		}
		return Format(v), nil
	}}
	m["plus"] = method{1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		c, ok := a[0].(*mathContext)
		if d, isDecimal := v.(*Decimal); ok && isDecimal {
			return c.round(d)
		}
		if _, isText := plainString(a[0]).(string); rankOf(a[0]) == 0 && !isText {
			return nil, ErrNoMember
		}
		return t.operate("+", v, a[0])
	}}
	m["multiply"] = method{1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		if rankOf(a[0]) == 0 {
			return nil, ErrNoMember
		}
		return arithmetic("*", v, a[0])
	}}
	addLoops(m)
	addRounding(m)
	addDecimal(m)
	maps.Copy(m, bigMethods())
	maps.Copy(m, decimalMethods())
	contextMethods(m)
	return m
}

func absolute(v Value) (Value, error) {
	if compareNumbers(v, int64(0)) < 0 {
		return negate(v)
	}
	return v, nil
}

func intDiv(v, by Value) (Value, error) {
	rk := max(rankOf(v), rankOf(by))
	if rk == 0 || rk > rankBig || rankOf(by) == 0 {
		return nil, Throw("UnsupportedOperationException", "Cannot use intdiv() on this number type: %s with value: %s", TypeName(v), Format(v))
	}
	if compareNumbers(by, int64(0)) == 0 {
		return nil, byZero()
	}
	if rk == rankBig {
		return new(big.Int).Quo(toBig(v), toBig(by)), nil
	}
	i, j := toInt(v), toInt(by)
	n := -i
	if j != -1 {
		n = i / j
	}
	if rk == rankInt {
		return int64(int32(n)), nil
	}
	return Long(n), nil
}

// addLoops adds times, upto, downto and step.
func addLoops(m methods) {
	m["times"] = method{1, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		if toInt(v) < 1 {
			return nil, nil
		}
		return nil, t.count(int64(0), whole(toInt(v)-1), 1, a[0])
	}}
	m["upto"] = method{2, 2, func(t *Thread, v Value, a []Value) (Value, error) { return nil, t.count(v, a[0], 1, a[1]) }}
	m["downto"] = method{2, 2, func(t *Thread, v Value, a []Value) (Value, error) { return nil, t.count(v, a[0], -1, a[1]) }}
	m["step"] = method{3, 3, func(t *Thread, v Value, a []Value) (Value, error) {
		c, ok := a[2].(*Closure)
		if !ok || rankOf(a[1]) == 0 || rankOf(a[0]) == 0 {
			return nil, ErrNoMember
		}
		if rk := max(rankOf(v), rankOf(a[0]), rankOf(a[1])); rk < rankBig || rk == rankDouble { // as ints, whatever they are
			v, a = toNumber(v, "int"), []Value{toNumber(a[0], "int"), toNumber(a[1], "int")}
		}
		way := compareNumbers(a[0], v)
		if by := compareNumbers(a[1], int64(0)); way != 0 && by != way {
			return nil, Throw("GroovyRuntimeException", "Infinite loop in %s.step(%s, %s)", Format(v), Format(a[0]), Format(a[1]))
		}
		for n := v; compareNumbers(a[0], n) == way && way != 0; {
			if err := t.charge(1); err != nil {
				return nil, err
			}
			if _, err := t.callClosure(c, []Value{n}); err != nil {
				return nil, err
			}
			var err error
			if n, err = arithmetic("+", n, a[1]); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}}
}

// count calls a closure with v and what is one apart of it, up or down to end.
func (t *Thread) count(v, end Value, step int64, fn Value) error {
	c, ok := fn.(*Closure)
	if !ok || rankOf(end) == 0 {
		return ErrNoMember
	}
	if compareNumbers(v, end)*int(step) > 0 {
		return Throw("GroovyRuntimeException", "The argument (%s) to %s() cannot be %s than the value (%s) it's called on.",
			Format(end), choose(step > 0, "upto", "downto"), choose(step > 0, "less", "greater"), Format(v))
	}
	args := make([]Value, 1)
	_, isInt := v.(int64)
	for compareNumbers(v, end)*int(step) <= 0 {
		if err := t.charge(1); err != nil {
			return err
		}
		args[0] = v
		if _, err := t.callClosure(c, args); err != nil {
			return err
		}
		if n, small := v.(int64); small && isInt {
			if n += step; n != int64(int32(n)) {
				return nil
			}
			v = n
			continue
		}
		var err error
		if v, err = arithmetic("+", v, step); err != nil {
			return err
		}
	}
	return nil
}

// addRounding adds round, trunc, floor and ceil with digits.
func addRounding(m methods) {
	m["round"] = method{0, 1, func(_ *Thread, v Value, a []Value) (Value, error) {
		if len(a) == 1 {
			return roundTo(v, toInt(a[0]), halfUp)
		}
		switch x := v.(type) {
		case float64:
			return Long(math.Floor(x + 0.5)), nil
		case Float:
			return int64(math.Floor(float64(x) + 0.5)), nil
		case *Decimal:
			return x.rescale(0, halfUp), nil
		}
		return v, nil
	}}
	m["trunc"] = method{0, 1, func(_ *Thread, v Value, a []Value) (Value, error) {
		n := int64(0)
		if len(a) == 1 {
			n = toInt(a[0])
		}
		return roundTo(v, n, down)
	}}
}

func roundTo(v Value, digits int64, mode rounding) (Value, error) {
	if digits < -300 || digits > 300 {
		return v, nil
	}
	if d, ok := v.(*Decimal); ok {
		return d.rescale(int32(digits), mode), nil
	}
	f, _ := Number(v)
	p := math.Pow(10, float64(digits))
	if mode == down {
		return math.Trunc(f*p) / p, nil
	}
	return math.Floor(f*p+0.5) / p, nil
}

// addDecimal adds the methods of BigDecimal and BigInteger by their names in
// Java.
func addDecimal(m methods) {
	two := func(op string) method {
		return method{1, 1, func(_ *Thread, v Value, a []Value) (Value, error) {
			if rankOf(a[0]) == 0 {
				return nil, ErrNoMember
			}
			return arithmetic(op, v, a[0])
		}}
	}
	m["add"], m["subtract"] = two("+"), two("-")
	m["remainder"] = method{1, 1, func(_ *Thread, v Value, a []Value) (Value, error) {
		if d, ok := v.(*Decimal); ok && rankOf(a[0]) > 0 {
			_, r, err := d.quoRem(toDecimal(a[0]))
			return r, err
		}
		n, ok := v.(*big.Int)
		if o := rankOf(a[0]); !ok || o == 0 || o > rankBig {
			return nil, ErrNoMember
		}
		_, r, err := bigQuo(n, toBig(a[0]))
		return r, err
	}}
	m["pow"] = method{1, 1, func(_ *Thread, v Value, a []Value) (Value, error) { return power(v, a[0]) }}
	m["max"] = method{1, 1, func(_ *Thread, v Value, a []Value) (Value, error) { return extreme(v, a[0], 1) }}
	m["min"] = method{1, 1, func(_ *Thread, v Value, a []Value) (Value, error) { return extreme(v, a[0], -1) }}
	m["setScale"] = on(1, 2, func(_ *Thread, d *Decimal, a []Value) (Value, error) {
		mode := rounding("UNNECESSARY")
		if len(a) == 2 {
			mode = roundingOf(a[1])
		}
		n := toInt(a[0])
		if n < -maxScale || n > maxScale {
			return nil, tooBig()
		}
		if mode == "UNNECESSARY" {
			if r := d.rescale(int32(n), down); r.cmp(d) != 0 {
				return nil, Throw("ArithmeticException", "Rounding necessary")
			}
			mode = down
		}
		return d.rescale(int32(n), mode), nil
	})
	m["scale"] = on(0, 0, func(_ *Thread, d *Decimal, _ []Value) (Value, error) { return int64(d.scale), nil })
	m["precision"] = on(0, 0, func(_ *Thread, d *Decimal, _ []Value) (Value, error) { return d.precision(), nil })
	m["unscaledValue"] = on(0, 0, func(_ *Thread, d *Decimal, _ []Value) (Value, error) { return d.unscaled, nil })
	m["toPlainString"] = on(0, 0, func(_ *Thread, d *Decimal, _ []Value) (Value, error) { return d.plain(), nil })
	m["stripTrailingZeros"] = on(0, 0, func(_ *Thread, d *Decimal, _ []Value) (Value, error) {
		if d.sign() == 0 {
			return newDecimal(new(big.Int), 0), nil
		}
		return d.strip(-maxScale), nil
	})
	m["divide"] = method{1, 3, func(_ *Thread, v Value, a []Value) (Value, error) {
		switch x := v.(type) {
		case *Decimal:
			return x.javaDivide(a)
		case *big.Int:
			if o, ok := a[0].(*big.Int); ok && len(a) == 1 {
				q, _, err := bigQuo(x, o)
				return q, err
			}
		}
		return nil, ErrNoMember
	}}
}

func extreme(a, b Value, sign int) (Value, error) {
	if rankOf(b) == 0 {
		return nil, ErrNoMember
	}
	if compareNumbers(a, b)*sign >= 0 {
		return a, nil
	}
	return b, nil
}

// javaDivide is BigDecimal.divide with its scale and rounding.
func (d *Decimal) javaDivide(a []Value) (Value, error) {
	if rankOf(a[0]) == 0 {
		return nil, ErrNoMember
	}
	by := toDecimal(a[0])
	if by.sign() == 0 {
		return nil, byZero()
	}
	if c, ok := a[len(a)-1].(*mathContext); ok && len(a) == 2 {
		return c.divide(d, by)
	}
	if len(a) == 1 {
		q, ok := exactQuotient(d, by, d.scale-by.scale)
		if !ok {
			return nil, Throw("ArithmeticException", "Non-terminating decimal expansion; no exact representable decimal result.")
		}
		return q, nil
	}
	scale, mode := d.scale, roundingOf(a[len(a)-1])
	if len(a) == 3 {
		scale = int32(min(max(toInt(a[1]), 0), maxScale))
	}
	digits := int64(scale) + d.precision() + by.precision() + 5
	return d.quotient(by, digits).rescale(scale, mode), nil
}

func roundingOf(v Value) rounding {
	if n, ok := Int(v); ok && n >= 0 && n < 7 {
		return []rounding{up, down, ceiling, floor, halfUp, halfDown, halfEven}[n]
	}
	return rounding(Format(v))
}

func charMethods() methods {
	is := func(fn func(rune) bool) method {
		return on(0, 0, func(_ *Thread, c Char, _ []Value) (Value, error) { return fn(rune(c)), nil })
	}
	to := func(fn func(rune) rune) method {
		return on(0, 0, func(_ *Thread, c Char, _ []Value) (Value, error) { return Char(fn(rune(c))), nil })
	}
	return methods{
		"isDigit": is(unicode.IsDigit), "isLetter": is(unicode.IsLetter), "isWhitespace": is(unicode.IsSpace), "isUpperCase": is(unicode.IsUpper), "isLowerCase": is(unicode.IsLower),
		"isLetterOrDigit": is(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }),
		"toUpperCase":     to(unicode.ToUpper), "toLowerCase": to(unicode.ToLower),
		"charValue": on(0, 0, func(_ *Thread, c Char, _ []Value) (Value, error) { return c, nil }),
		"next":      on(0, 0, func(_ *Thread, c Char, _ []Value) (Value, error) { return c + 1, nil }),
		"previous":  on(0, 0, func(_ *Thread, c Char, _ []Value) (Value, error) { return c - 1, nil }),
		"toString":  on(0, 0, func(_ *Thread, c Char, _ []Value) (Value, error) { return string(rune(c)), nil }),
		"plus": on(1, 1, func(t *Thread, c Char, a []Value) (Value, error) {
			if rankOf(a[0]) > 0 {
				return arithmetic("+", c, a[0])
			}
			if d, ok := a[0].(Char); ok {
				return int64(c) + int64(d), nil
			}
			return nil, ErrNoMember
		}),
		"multiply": on(1, 1, func(t *Thread, c Char, a []Value) (Value, error) {
			return t.CallMethod(strings.Clone(string(rune(c))), "multiply", a)
		}),
	}
}
