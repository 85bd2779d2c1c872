package groovy

import (
	"math/big"
)

// bigMethods are those that only BigInteger has.
func bigMethods() methods {
	two := func(fn func(n, o *big.Int) (Value, error)) method {
		return on(1, 1, func(_ *Thread, n *big.Int, a []Value) (Value, error) {
			if r := rankOf(a[0]); r == 0 || r > rankBig {
				return nil, ErrNoMember
			}
			return fn(n, toBig(a[0]))
		})
	}
	bit := func(fn func(n *big.Int, i int) Value) method {
		return on(1, 1, func(_ *Thread, n *big.Int, a []Value) (Value, error) {
			i := toInt(a[0])
			switch {
			case i < 0:
				return nil, Throw("ArithmeticException", "Negative bit address")
			case i > maxBits:
				return nil, tooBig()
			}
			return fn(n, int(i)), nil
		})
	}
	set := func(value func(n *big.Int, i int) uint) method {
		return bit(func(n *big.Int, i int) Value { return new(big.Int).SetBit(n, i, value(n, i)) })
	}
	none := func(fn func(n *big.Int) Value) method {
		return on(0, 0, func(_ *Thread, n *big.Int, _ []Value) (Value, error) { return fn(n), nil })
	}
	shift := func(op string) method {
		return on(1, 1, func(_ *Thread, n *big.Int, a []Value) (Value, error) { return bigBits(op, n, a[0]) })
	}
	return methods{
		"gcd": two(func(n, o *big.Int) (Value, error) {
			return new(big.Int).GCD(nil, nil, new(big.Int).Abs(n), new(big.Int).Abs(o)), nil
		}),
		"divideAndRemainder": {1, 1, func(_ *Thread, v Value, a []Value) (Value, error) { return divideAndRemainder(v, a) }},
		"modInverse": two(func(n, o *big.Int) (Value, error) {
			if z := new(big.Int).ModInverse(n, o); o.Sign() > 0 && z != nil {
				return z, nil
			}
			return nil, Throw("ArithmeticException", "BigInteger not invertible.")
		}),
		"modPow": on(2, 2, func(_ *Thread, n *big.Int, a []Value) (Value, error) {
			e, m := toBig(a[0]), toBig(a[1])
			if m.Sign() <= 0 {
				return nil, Throw("ArithmeticException", "BigInteger: modulus not positive")
			}
			if n.BitLen()+e.BitLen()+m.BitLen() > 1<<15 { // the time grows with the third power
				return nil, tooBig()
			}
			if e.Sign() < 0 && new(big.Int).ModInverse(n, m) == nil {
				return nil, Throw("ArithmeticException", "BigInteger not invertible.")
			}
			return new(big.Int).Exp(n, e, m), nil
		}),
		"testBit":  bit(func(n *big.Int, i int) Value { return n.Bit(i) == 1 }),
		"setBit":   set(func(*big.Int, int) uint { return 1 }),
		"clearBit": set(func(*big.Int, int) uint { return 0 }),
		"flipBit":  set(func(n *big.Int, i int) uint { return 1 - n.Bit(i) }),
		"not":      none(func(n *big.Int) Value { return new(big.Int).Not(n) }),
		"bitLength": none(func(n *big.Int) Value {
			if n.Sign() < 0 {
				n = new(big.Int).Not(n)
			}
			return int64(n.BitLen())
		}),
		"getLowestSetBit": none(func(n *big.Int) Value {
			if n.Sign() == 0 {
				return int64(-1)
			}
			return int64(n.TrailingZeroBits())
		}),
		"toByteArray": on(0, 0, func(t *Thread, n *big.Int, _ []Value) (Value, error) {
			b := bigBytes(n)
			return NewBytes(b), t.grow(len(b), 16)
		}),
		"shiftLeft": shift("<<"), "shiftRight": shift(">>"),
		"isProbablePrime": on(1, 1, func(_ *Thread, n *big.Int, _ []Value) (Value, error) {
			if n.BitLen() > 4096 {
				return nil, tooBig()
			}
			return n.ProbablyPrime(20), nil
		}),
	}
}

// bigQuo is the whole quotient and what remains.
func bigQuo(n, o *big.Int) (q, r *big.Int, err error) {
	if o.Sign() == 0 {
		return nil, nil, Throw("ArithmeticException", "BigInteger divide by zero")
	}
	q, r = new(big.Int).QuoRem(n, o, new(big.Int))
	return q, r, nil
}

// bigBytes is n in two's complement, with a bit for its sign.
func bigBytes(n *big.Int) []byte {
	if n.Sign() >= 0 {
		return append(make([]byte, boolInt(n.BitLen()%8 == 0)), n.Bytes()...)
	}
	m := new(big.Int).Not(n)
	b := append(make([]byte, boolInt(m.BitLen()%8 == 0)), m.Bytes()...)
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

// decimalMethods are those that only BigDecimal has.
func decimalMethods() methods {
	exactly := func(typ string) method {
		return method{0, 0, func(_ *Thread, v Value, _ []Value) (Value, error) {
			n := toBig(v)
			if d, ok := v.(*Decimal); ok {
				if newDecimal(n, 0).cmp(d) != 0 {
					return nil, Throw("ArithmeticException", "Rounding necessary")
				}
			} else if _, ok := v.(*big.Int); !ok {
				return nil, ErrNoMember
			}
			if size := numberBits(typ); n.BitLen() >= size {
				if _, ok := v.(*Decimal); ok {
					return nil, Throw("ArithmeticException", "Overflow")
				}
				return nil, Throw("ArithmeticException", "BigInteger out of %s range", typ)
			}
			return toNumber(Long(n.Int64()), typ), nil
		}}
	}
	moved := func(sign int64, fn func(d *Decimal, scale int64) *Decimal) method {
		return on(1, 1, func(_ *Thread, d *Decimal, a []Value) (Value, error) {
			scale := int64(d.scale) + sign*int64(int32(toInt(a[0])))
			if scale < -maxScale || scale > maxScale {
				return nil, tooBig()
			}
			return fn(d, scale), nil
		})
	}
	point := func(d *Decimal, scale int64) *Decimal {
		m := newDecimal(d.unscaled, int32(scale))
		if scale < 0 {
			return m.rescale(0, down)
		}
		return m
	}
	return methods{
		"intValueExact": exactly("int"), "longValueExact": exactly("long"),
		"movePointLeft": moved(1, point), "movePointRight": moved(-1, point),
		"scaleByPowerOfTen": moved(-1, func(d *Decimal, scale int64) *Decimal { return newDecimal(d.unscaled, int32(scale)) }),
		"ulp":               on(0, 0, func(_ *Thread, d *Decimal, _ []Value) (Value, error) { return newDecimal(big.NewInt(1), d.scale), nil }),
		"divideToIntegralValue": on(1, 1, func(_ *Thread, d *Decimal, a []Value) (Value, error) {
			q, _, err := d.quoRem(toDecimal(a[0]))
			return q, err
		}),
	}
}

// divideAndRemainder is both for a BigDecimal, or a BigInteger's.
func divideAndRemainder(v Value, a []Value) (Value, error) {
	if rankOf(a[0]) == 0 {
		return nil, ErrNoMember
	}
	switch x := v.(type) {
	case *Decimal:
		q, r, err := x.quoRem(toDecimal(a[0]))
		return &List{Elems: []Value{q, r}, elem: "BigDecimal"}, err
	case *big.Int:
		q, r, err := bigQuo(x, toBig(a[0]))
		return &List{Elems: []Value{q, r}, elem: "BigInteger"}, err
	}
	return nil, ErrNoMember
}
