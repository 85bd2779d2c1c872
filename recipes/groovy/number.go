package groovy

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Long is a java.lang.Long.
type Long int64

// Byte is a java.lang.Byte. A Short is an int64, as an Integer.
type Byte int8

// rank orders the numeric types: an operation has the rank of its higher
// operand. Zero is no number.
type rank uint8

const (
	rankInt rank = iota + 1
	rankLong
	rankBig
	rankDecimal
	rankDouble
)

func rankOf(v Value) rank {
	switch v := v.(type) {
	case int64:
		if v != int64(int32(v)) {
			return rankLong
		}
		return rankInt
	case Char, Byte:
		return rankInt
	case Long:
		return rankLong
	case *big.Int:
		return rankBig
	case *Decimal:
		return rankDecimal
	case float64, Float:
		return rankDouble
	}
	return 0
}

// Int is a whole number that fits 64 bits; false for everything else.
func Int(v Value) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case Long:
		return int64(v), true
	case Char:
		return int64(v), true
	case Byte:
		return int64(v), true
	case *big.Int:
		return v.Int64(), v.IsInt64()
	}
	return 0, false
}

// toInt is Number.longValue.
func toInt(v Value) int64 {
	switch v := v.(type) {
	case float64:
		return truncate(v)
	case Float:
		return truncate(float64(v))
	case *Decimal:
		return v.truncated().Int64()
	}
	n, _ := Int(v)
	return n
}

// truncate is the cast of a double to a long.
func truncate(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

// Number is v as a floating-point number; false when it is none.
func Number(v Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case Long:
		return float64(v), true
	case float64:
		return v, true
	case Float:
		return float64(v), true
	case *Decimal:
		return v.float(), true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	case Char:
		return float64(v), true
	case Byte:
		return float64(v), true
	}
	return 0, false
}

func toBig(v Value) *big.Int {
	if b, ok := v.(*big.Int); ok {
		return b
	}
	if d, ok := v.(*Decimal); ok {
		return d.truncated()
	}
	return big.NewInt(toInt(v))
}

func toDecimal(v Value) *Decimal {
	switch v := v.(type) {
	case *Decimal:
		return v
	case *big.Int:
		return newDecimal(v, 0)
	case float64:
		return decimalOfFloat(v)
	case Float:
		d, _ := parseDecimal(strconv.FormatFloat(float64(v), 'f', -1, 32))
		return d
	}
	return newDecimal(big.NewInt(toInt(v)), 0)
}

// whole is n as an Integer or, when that is too small, a Long.
func whole(n int64) Value {
	if n == int64(int32(n)) {
		return n
	}
	return Long(n)
}

// maxBits bounds the size of whole numbers and decimals.
const maxBits = 1 << 18

func tooBig() error { return Throw("ArithmeticException", "the number has too many digits") }

// arithmetic applies op to two numbers.
func arithmetic(op string, l, r Value) (Value, error) {
	rk := max(rankOf(l), rankOf(r))
	switch op {
	case "**":
		return power(l, r)
	case "/":
		if rk < rankDecimal {
			rk = rankDecimal
		}
	case "<<", ">>", ">>>", "&", "|", "^":
		return bits(op, l, r)
	}
	switch rk {
	case rankInt:
		n, err := longs(op, toInt(l), toInt(r))
		return int64(int32(n)), err
	case rankLong:
		n, err := longs(op, toInt(l), toInt(r))
		return Long(n), err
	case rankBig:
		return bigs(op, toBig(l), toBig(r))
	case rankDecimal:
		return decimals(op, toDecimal(l), toDecimal(r))
	case rankDouble:
	}
	a, _ := Number(l)
	b, _ := Number(r)
	return doubles(op, a, b)
}

func undefined(op string) error {
	return Throw("UnsupportedOperationException", "operator %s is not defined for these numbers", op)
}

func byZero() error { return Throw("ArithmeticException", "Division by zero") }

func longs(op string, i, j int64) (int64, error) {
	switch op {
	case "+":
		return i + j, nil
	case "-":
		return i - j, nil
	case "*":
		return i * j, nil
	case "%":
		if j == 0 {
			return 0, byZero()
		}
		if j == -1 {
			return 0, nil
		}
		return i % j, nil
	}
	return 0, undefined(op)
}

func bigs(op string, a, b *big.Int) (Value, error) {
	if a.BitLen()+b.BitLen() > maxBits {
		return nil, tooBig()
	}
	z := new(big.Int)
	switch op {
	case "+":
		return z.Add(a, b), nil
	case "-":
		return z.Sub(a, b), nil
	case "*":
		return z.Mul(a, b), nil
	case "%":
		if b.Sign() <= 0 {
			return nil, Throw("ArithmeticException", "BigInteger: modulus not positive")
		}
		return z.Mod(a, b), nil
	}
	return nil, undefined(op)
}

func doubles(op string, a, b float64) (Value, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		return a / b, nil
	case "%":
		return math.Mod(a, b), nil
	}
	return nil, undefined(op)
}

// bits are the shifts and the operators of bits.
func bits(op string, l, r Value) (Value, error) {
	rk := rankOf(l)
	if strings.ContainsAny(op, "&|^") {
		rk = max(rk, rankOf(r))
	}
	if rk > rankBig || rankOf(r) > rankBig {
		return nil, Throw("UnsupportedOperationException", "Shift distance and bits must be whole numbers, but %s %s %s", lastName(TypeName(l)), op, lastName(TypeName(r)))
	}
	if rk == rankBig {
		return bigBits(op, toBig(l), r)
	}
	i, j := toInt(l), toInt(r)
	width := uint64(63)
	if rk == rankInt {
		width = 31
	}
	n := uint64(j) & width
	switch op {
	case "<<":
		i <<= n
	case ">>":
		i >>= n
	case ">>>":
		if rk == rankInt {
			i = int64(uint32(i) >> n)
		} else {
			i = int64(uint64(i) >> n)
		}
	case "&":
		i &= j
	case "|":
		i |= j
	case "^":
		i ^= j
	}
	if rk == rankInt {
		return int64(int32(i)), nil
	}
	return Long(i), nil
}

func bigBits(op string, a *big.Int, r Value) (Value, error) {
	z := new(big.Int)
	n := toInt(r)
	switch op {
	case "<<", ">>":
		if n < 0 || n > maxBits || a.BitLen()+int(n) > maxBits {
			return nil, tooBig()
		}
		if op == "<<" {
			return z.Lsh(a, uint(n)), nil
		}
		return z.Rsh(a, uint(n)), nil
	case "&":
		return z.And(a, toBig(r)), nil
	case "|":
		return z.Or(a, toBig(r)), nil
	case "^":
		return z.Xor(a, toBig(r)), nil
	}
	return nil, undefined(op)
}

// power is l ** r: exact for whole exponents, else a double, made whole again
// when it is.
func power(l, r Value) (Value, error) {
	exp, isInt := r.(int64)
	if isInt && exp >= 0 && rankOf(l) < rankDouble {
		if base, ok := l.(*Decimal); ok {
			return base.pow(exp)
		}
		base := toBig(l)
		if int64(base.BitLen())*exp > maxBits {
			return nil, tooBig()
		}
		z := new(big.Int).Exp(base, big.NewInt(exp), nil)
		switch rk := rankOf(l); {
		case rk == rankInt && z.IsInt64() && z.Int64() == int64(int32(z.Int64())):
			return z.Int64(), nil
		case rk == rankLong && z.IsInt64():
			return Long(z.Int64()), nil
		}
		return z, nil
	}
	a, _ := Number(l)
	b, _ := Number(r)
	p := math.Pow(a, b)
	if p == math.Trunc(p) && math.Abs(p) < 1<<63 { // of Doubles, too
		return whole(int64(p)), nil
	}
	return p, nil
}

func negate(v Value) (Value, error) {
	switch v := v.(type) {
	case int64:
		if rankOf(v) == rankLong {
			return Long(-v), nil
		}
		return int64(int32(-v)), nil
	case Byte:
		return -v, nil
	case Long:
		return -v, nil
	case *big.Int:
		return new(big.Int).Neg(v), nil
	case *Decimal:
		return newDecimal(new(big.Int).Neg(v.unscaled), v.scale), nil
	case float64:
		return -v, nil
	case Float:
		return -v, nil
	}
	return nil, noMethod(v, "negative", nil)
}

// compareNumbers is the order of two numbers; NaN is greater than all.
func compareNumbers(a, b Value) int {
	ra, rb := rankOf(a), rankOf(b)
	switch rk := max(ra, rb); {
	case rk <= rankLong:
		return cmpInt(toInt(a), toInt(b))
	case rk == rankBig:
		return toBig(a).Cmp(toBig(b))
	case rk == rankDecimal:
		return toDecimal(a).cmp(toDecimal(b))
	}
	x, _ := Number(a)
	y, _ := Number(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	case x != x && y != y:
		return 0
	case x != x:
		return 1
	}
	return -1
}

func cmpInt(i, j int64) int {
	switch {
	case i < j:
		return -1
	case i > j:
		return 1
	}
	return 0
}
