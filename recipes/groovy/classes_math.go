package groovy

import (
	"maps"
	"math"
	"math/big"
)

// exactMethods are those of Math that fail where a result does not fit, and
// those over a Double's parts.
func exactMethods() methods {
	return methods{
		"addExact":       function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return exact("+", a) }),
		"subtractExact":  function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return exact("-", a) }),
		"negateExact":    fn1(func(_ *Thread, v Value) (Value, error) { return exactWith("*", v, -1) }),
		"incrementExact": fn1(func(_ *Thread, v Value) (Value, error) { return exactWith("+", v, 1) }),
		"decrementExact": fn1(func(_ *Thread, v Value) (Value, error) { return exactWith("-", v, 1) }),
		"getExponent": fn1(func(_ *Thread, v Value) (Value, error) {
			f, ok := Number(v)
			if !ok || f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
				return nil, ErrNoMember
			}
			return int64(math.Ilogb(f)), nil
		}),
		"copySign":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Copysign, a) }),
		"nextAfter":     function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Nextafter, a) }),
		"IEEEremainder": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Remainder, a) }),
		"scalb": function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
			return float2(func(x, n float64) float64 { return math.Ldexp(x, int(n)) }, a)
		}),
		"multiplyExact": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return exact("*", a) }),
		"toIntExact": fn1(func(_ *Thread, v Value) (Value, error) {
			if n := toInt(v); n != int64(int32(n)) {
				return nil, Throw("ArithmeticException", "integer overflow")
			}
			return int64(int32(toInt(v))), nil
		}),
	}
}

func mathClasses() []*Class {
	m := methods{
		"abs": fn1(func(_ *Thread, v Value) (Value, error) {
			if d, ok := v.(*Decimal); ok {
				v = d.float()
			}
			return absolute(v)
		}),
		"max": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return extremeOf(a, 1) }),
		"min": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return extremeOf(a, -1) }),
		"round": fn1(func(_ *Thread, v Value) (Value, error) {
			f, ok := Number(v)
			if !ok {
				return nil, ErrNoMember
			}
			return roundHalfUp(f, v), nil
		}),
		"random":   function0(0, 0, func(*Thread, []Value) (Value, error) { return randomFloat(), nil }),
		"pow":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Pow, a) }),
		"atan2":    function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Atan2, a) }),
		"hypot":    function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return float2(math.Hypot, a) }),
		"floorMod": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return floorMod(a) }),
		"floorDiv": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return floorDiv(a) }),
		"signum": fn1(func(_ *Thread, v Value) (Value, error) {
			n := float64(compareNumbers(v, int64(0)))
			if single(v) {
				return Float(n), nil
			}
			return n, nil
		}),
	}
	maps.Copy(m, exactMethods())
	for id, f := range map[string]func(float64) float64{"floor": math.Floor, "ceil": math.Ceil, "sqrt": math.Sqrt, "cbrt": math.Cbrt, "exp": math.Exp, "expm1": math.Expm1, "log1p": math.Log1p, "sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh,
		"nextUp": func(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }, "ulp": func(x float64) float64 { x = math.Abs(x); return math.Nextafter(x, math.Inf(1)) - x }, "log": math.Log, "log10": math.Log10,
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
	var list []*Class
	for _, id := range []string{"Math", "StrictMath"} {
		list = append(list, &Class{Name: id, Static: statics("java.lang."+id, map[string]Value{"PI": math.Pi, "E": math.E}, m)})
	}
	return list
}

// roundHalfUp is Math.round of v, which is f: an Integer of a Float, else a
// Long.
func roundHalfUp(f float64, v Value) Value {
	r := math.Floor(f)
	if f-r >= 0.5 {
		r++
	}
	if _, ok := v.(Float); ok {
		return min(max(truncate(r), math.MinInt32), math.MaxInt32)
	}
	return Long(truncate(r))
}

func exactWith(op string, v Value, n int64) (Value, error) { return exact(op, []Value{v, n}) }

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
		if single(a[0], a[1]) {
			return Float(f), nil
		}
		return f, nil
	}
	return v, nil
}

// single says that numbers are taken as floats: one is a Float, none is wider.
func single(vals ...Value) bool {
	is := false
	for _, v := range vals {
		_, f := v.(Float)
		if is = is || f; !f && rankOf(v) >= rankDecimal {
			return false
		}
	}
	return is
}

// wide is a whole number as the wider of the types of a.
func wide(n int64, a []Value) Value {
	if max(rankOf(a[0]), rankOf(a[1])) >= rankLong {
		return Long(n)
	}
	return int64(int32(n))
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
	return wide(q, a), nil
}

func floorMod(a []Value) (Value, error) {
	q, err := floorDiv(a)
	if err != nil {
		return nil, err
	}
	return wide(toInt(a[0])-toInt(q)*toInt(a[1]), a), nil
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
