package groovy

import (
	"fmt"
	"math/big"
)

// mathContext is a java.math.MathContext: how many digits a result has, and
// how it is rounded to them. Of precision 0 is what is not rounded.
type mathContext struct {
	precision int64
	mode      rounding
}

func mathContextClass() *Class {
	consts := map[string]Value{"UNLIMITED": &mathContext{0, halfUp}, "DECIMAL32": &mathContext{7, halfEven}, "DECIMAL64": &mathContext{16, halfEven}, "DECIMAL128": &mathContext{34, halfEven}}
	return &Class{Name: "MathContext", New: func(_ *Thread, a []Value) (Value, error) {
		n, ok := Int(arg(a, 0))
		if !ok || len(a) > 2 {
			return nil, ErrNoMember
		}
		if n < 0 || n > maxScale {
			return nil, Throw("IllegalArgumentException", "Digits < 0")
		}
		c := &mathContext{n, halfUp}
		if len(a) == 2 {
			c.mode = roundingOf(a[1])
		}
		return c, nil
	}, Static: statics("java.math.MathContext", consts, nil)}
}

// Type names the class.
func (*mathContext) Type() string { return "java.math.MathContext" }

// String is MathContext.toString.
func (c *mathContext) String() string {
	return fmt.Sprintf("precision=%d roundingMode=%s", c.precision, c.mode)
}

// Key stands for the context as a key of a map.
func (c *mathContext) Key() string { return c.String() }

// Get reads a property.
func (c *mathContext) Get(_ *Thread, id string) (Value, error) {
	switch id {
	case "precision":
		return c.precision, nil
	case "roundingMode":
		return Enum{Class: "RoundingMode", Name: string(c.mode)}, nil
	}
	return nil, ErrNoMember
}

// Set refuses.
func (*mathContext) Set(*Thread, string, Value) error { return ErrNoMember }

// Call has no methods.
func (*mathContext) Call(*Thread, string, []Value) (Value, error) { return nil, ErrNoMember }

// round is d with the context's digits.
func (c *mathContext) round(d *Decimal) (*Decimal, error) {
	for drop := d.precision() - c.precision; c.precision > 0 && drop > 0; drop = d.precision() - c.precision {
		r := d.rescale(d.scale-int32(drop), c.mode)
		if c.mode == "UNNECESSARY" && r.cmp(d) != 0 {
			return nil, Throw("ArithmeticException", "Rounding necessary")
		}
		d = r
	}
	return d, nil
}

// divide is the quotient with the context's digits.
func (c *mathContext) divide(d, by *Decimal) (Value, error) {
	prefer := d.scale - by.scale
	if q, ok := exactQuotient(d, by, prefer); ok {
		r, err := c.round(q)
		if err != nil || r == q {
			return q, err
		}
		return r.strip(prefer), nil
	}
	if c.precision == 0 {
		return nil, Throw("ArithmeticException", "Non-terminating decimal expansion; no exact representable decimal result.")
	}
	// More digits than are kept, the last of them not 0: what was cut off counts.
	num := new(big.Int).Mul(d.unscaled, pow10(c.precision+by.precision()+3))
	q, _ := new(big.Int).QuoRem(num, by.unscaled, new(big.Int))
	q.Mul(q, big.NewInt(10))
	q.Add(q, big.NewInt(int64(d.sign()*by.sign())))
	r, err := c.round(newDecimal(q, prefer+int32(c.precision+by.precision()+4)))
	return r, err
}

// contextMethods are BigDecimal's that take a MathContext.
func contextMethods(m methods) {
	for id, op := range map[string]string{"add": "+", "subtract": "-", "multiply": "*"} {
		plain := m[id]
		m[id] = method{1, 2, func(t *Thread, v Value, a []Value) (Value, error) {
			if len(a) == 1 {
				return plain.call(t, v, a)
			}
			c, ok := a[1].(*mathContext)
			d, isDecimal := v.(*Decimal)
			if !ok || !isDecimal || rankOf(a[0]) == 0 {
				return nil, ErrNoMember
			}
			x, err := decimals(op, d, toDecimal(a[0]))
			if err != nil {
				return nil, err
			}
			return c.round(x.(*Decimal))
		}}
	}
	round := m["round"]
	m["round"] = method{0, 1, func(t *Thread, v Value, a []Value) (Value, error) {
		c, ok := arg(a, 0).(*mathContext)
		if d, isDecimal := v.(*Decimal); ok && isDecimal {
			return c.round(d)
		}
		if ok {
			return nil, ErrNoMember
		}
		return round.call(t, v, a)
	}}
}
