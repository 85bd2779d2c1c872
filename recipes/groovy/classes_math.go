package groovy

import (
	"math"
	"math/big"
)

func mathClass() *Class {
	m := methods{
		"abs": fn1(func(_ *Thread, v Value) (Value, error) { return absolute(v) }),
		"max": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return extremeOf(a, 1) }),
		"min": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return extremeOf(a, -1) }),
		"round": fn1(func(_ *Thread, v Value) (Value, error) {
			f, _ := Number(v)
			if _, ok := v.(Float); ok {
				return int64(math.Floor(f + 0.5)), nil
			}
			return Long(math.Floor(f + 0.5)), nil
		}),
		"random":        function0(0, 0, func(*Thread, []Value) (Value, error) { return randomFloat(), nil }),
		"pow":           function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Pow, a) }),
		"atan2":         function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Atan2, a) }),
		"hypot":         function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Hypot, a) }),
		"floorMod":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return floorMod(a) }),
		"floorDiv":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return floorDiv(a) }),
		"signum":        fn1(func(_ *Thread, v Value) (Value, error) { return float64(compareNumbers(v, int64(0))), nil }),
		"addExact":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return exact("+", a) }),
		"multiplyExact": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return exact("*", a) }),
		"toIntExact": fn1(func(_ *Thread, v Value) (Value, error) {
			if n := toInt(v); n != int64(int32(n)) {
				return nil, Throw("ArithmeticException", "integer overflow")
			}
			return int64(int32(toInt(v))), nil
		}),
	}
	for id, f := range map[string]func(float64) float64{"floor": math.Floor, "ceil": math.Ceil, "sqrt": math.Sqrt, "cbrt": math.Cbrt, "exp": math.Exp, "log": math.Log, "log10": math.Log10,
		"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos, "atan": math.Atan, "rint": math.RoundToEven,
		"toRadians": func(x float64) float64 { return x / 180 * math.Pi }, "toDegrees": func(x float64) float64 { return x * 180 / math.Pi }} {
		m[id] = fn1(func(_ *Thread, v Value) (Value, error) {
			x, ok := Number(v)
			if !ok {
				return nil, ErrNoMember
			}
			return f(x), nil
		})
	}
	return &Class{Name: "Math", Static: statics("java.lang.Math", map[string]Value{"PI": math.Pi, "E": math.E}, m)}
}

// extremeOf is Math.max and Math.min: of the wider of the two types.
func extremeOf(a []Value, sign int) (Value, error) {
	v, err := extreme(a[0], a[1], sign)
	if err != nil || rankOf(a[0]) == 0 {
		return nil, ErrNoMember
	}
	switch rk := max(rankOf(a[0]), rankOf(a[1])); {
	case rk == rankLong:
		return Long(toInt(v)), nil
	case rk >= rankDecimal:
		f, _ := Number(v)
		return f, nil
	}
	return v, nil
}

func float2(f func(x, y float64) float64, a []Value) (Value, error) {
	x, ok1 := Number(a[0])
	y, ok2 := Number(a[1])
	if !ok1 || !ok2 {
		return nil, ErrNoMember
	}
	return f(x, y), nil
}

func floorDiv(a []Value) (Value, error) {
	i, j := toInt(a[0]), toInt(a[1])
	if j == 0 {
		return nil, Throw("ArithmeticException", "/ by zero")
	}
	q := i / j
	if i%j != 0 && (i < 0) != (j < 0) {
		q--
	}
	return whole(q), nil
}

func floorMod(a []Value) (Value, error) {
	q, err := floorDiv(a)
	if err != nil {
		return nil, err
	}
	return whole(toInt(a[0]) - toInt(q)*toInt(a[1])), nil
}

func exact(op string, a []Value) (Value, error) {
	v, err := bigs(op, toBig(a[0]), toBig(a[1]))
	if err != nil {
		return nil, err
	}
	n := v.(*big.Int)
	if rankOf(a[0]) == rankInt && rankOf(a[1]) == rankInt {
		if !n.IsInt64() || n.Int64() != int64(int32(n.Int64())) {
			return nil, Throw("ArithmeticException", "integer overflow")
		}
		return n.Int64(), nil
	}
	if !n.IsInt64() {
		return nil, Throw("ArithmeticException", "long overflow")
	}
	return Long(n.Int64()), nil
}
