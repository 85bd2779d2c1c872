package groovy

import (
	"maps"
	"math"
	"math/big"
	mbits "math/bits"
	"strconv"
	"strings"
)

func numberClasses() []*Class {
	var list []*Class
	for _, n := range []string{"Integer", "Long", "Short", "Byte"} {
		list = append(list, wholeClass(n))
	}
	for _, n := range []string{"Double", "Float", "BigDecimal", "BigInteger"} {
		list = append(list, fractionClass(n))
	}
	return append(list, &Class{Name: "Boolean", New: func(t *Thread, a []Value) (Value, error) { return parseBool(t, arg(a, 0)) },
		Static: statics("java.lang.Boolean", map[string]Value{"TRUE": true, "FALSE": false}, methods{
			"parseBoolean": fn1(parseBool), "valueOf": fn1(parseBool),
			"toString": fn1(func(_ *Thread, v Value) (Value, error) { return Format(v), nil }),
			"compare": function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
				return int64(boolInt(Truth(a[0])) - boolInt(Truth(a[1]))), nil
			}),
			"logicalXor": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return Truth(a[0]) != Truth(a[1]), nil }),
			"logicalAnd": function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return Truth(a[0]) && Truth(a[1]), nil }),
			"logicalOr":  function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return Truth(a[0]) || Truth(a[1]), nil }),
			"hashCode":   fn1(func(_ *Thread, v Value) (Value, error) { return int64(hashCode(v)), nil }),
		})})
}

// parseNumber is parseInt, valueOf and the like of a class.
func parseNumber(typ string) method {
	return function0(1, 2, func(_ *Thread, a []Value) (Value, error) {
		if len(a) == 2 {
			if numberRank(typ) > rankLong {
				return nil, ErrNoMember
			}
			return parseRadix(a[0], toInt(a[1]), typ)
		}
		if rankOf(a[0]) > 0 {
			return toNumber(a[0], typ), nil
		}
		if a[0] == nil {
			return nil, Throw("NumberFormatException", "null")
		}
		s := Format(a[0])
		if s != strings.TrimSpace(s) && numberRank(typ) <= rankDecimal {
			return nil, badNumber(s)
		}
		if typ == "Float" { // rounded once
			if f, err := strconv.ParseFloat(strings.TrimSpace(s), 32); err == nil && strings.Trim(s, "0123456789.eE+- ") == "" {
				return Float(f), nil
			}
		}
		return strictNumber(s, typ)
	})
}

// parseRadix reads a whole number of another radix.
func parseRadix(v Value, radix int64, typ string) (Value, error) {
	switch {
	case v == nil:
		return nil, Throw("NumberFormatException", "null")
	case radix < 2:
		return nil, Throw("NumberFormatException", "radix %d less than Character.MIN_RADIX", radix)
	case radix > 36:
		return nil, Throw("NumberFormatException", "radix %d greater than Character.MAX_RADIX", radix)
	}
	s := Format(v)
	n, err := strconv.ParseInt(s, int(radix), numberBits(typ))
	if err != nil || strings.Contains(s, "_") {
		return nil, badRadix(s, radix)
	}
	return toNumber(Long(n), typ), nil
}

func badRadix(s string, radix int64) error {
	if radix == 10 {
		return badNumber(s)
	}
	return Throw("NumberFormatException", "For input string: \"%s\" under radix %d", s, radix)
}

// decode is Integer.decode: 0x1F, #1F, 017, -5.
func decode(typ string) method {
	return fn1(func(_ *Thread, v Value) (Value, error) {
		s := Format(v)
		if s == "" {
			return nil, Throw("NumberFormatException", "Zero length string")
		}
		digits := strings.TrimLeft(s[:1], "+-") + s[1:]
		radix, body := int64(10), digits
		switch low := strings.ToLower(digits); {
		case strings.HasPrefix(low, "0x"):
			radix, body = 16, digits[2:]
		case strings.HasPrefix(low, "#"):
			radix, body = 16, digits[1:]
		case len(low) > 1 && low[0] == '0':
			radix, body = 8, digits[1:]
		}
		if strings.HasPrefix(body, "-") || strings.HasPrefix(body, "+") {
			return nil, Throw("NumberFormatException", "Sign character in wrong position")
		}
		if s[0] == '-' {
			if n, err := parseRadix("-"+body, radix, typ); err == nil {
				return n, nil
			}
		}
		return parseRadix(body, radix, typ)
	})
}

// wholeClass is Integer, Long, Short or Byte.
func wholeClass(n string) *Class {
	size := numberBits(n)
	hi := int64(1)<<(size-1) - 1
	word := map[string]string{"Integer": "Int"}[n]
	text := func(radix int) method {
		return fn1(func(_ *Thread, v Value) (Value, error) {
			if rankOf(v) == 0 || rankOf(v) > rankLong {
				return nil, ErrNoMember
			}
			return twosText(asWhole(v, n), radix), nil
		})
	}
	m := methods{
		"valueOf": parseNumber(n), "parse" + first(word, n): parseNumber(n), "decode": decode(n), "toHexString": text(16), "toOctalString": text(8), "toBinaryString": text(2),
		"toString": function0(1, 2, func(_ *Thread, a []Value) (Value, error) {
			if len(a) == 2 {
				if r := toInt(a[1]); r >= 2 && r <= 36 {
					return toBig(a[0]).Text(int(r)), nil
				}
			}
			return Format(a[0]), nil
		}),
		"compare": function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
			if size < 32 {
				return toInt(a[0]) - toInt(a[1]), nil
			}
			return int64(compareNumbers(a[0], a[1])), nil
		}),
		"max":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return extreme(a[0], a[1], 1) }),
		"min":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return extreme(a[0], a[1], -1) }),
		"sum":      function0(2, 2, func(_ *Thread, a []Value) (Value, error) { return arithmetic("+", a[0], a[1]) }),
		"signum":   fn1(func(_ *Thread, v Value) (Value, error) { return int64(compareNumbers(v, int64(0))), nil }),
		"hashCode": fn1(func(_ *Thread, v Value) (Value, error) { return int64(hashCode(asWhole(v, n))), nil }),
	}
	if size >= 32 {
		maps.Copy(m, bitMethods(n, size))
	}
	return &Class{Name: n, New: func(t *Thread, a []Value) (Value, error) { return m["valueOf"].apply(t, nil, a) },
		Static: statics("java.lang."+n, map[string]Value{"MAX_VALUE": toNumber(Long(hi), n), "MIN_VALUE": toNumber(Long(-hi-1), n), "SIZE": int64(size), "BYTES": int64(size / 8)}, m)}
}

// asWhole is a whole number that is passed as the class's primitive type.
func asWhole(v Value, n string) Value {
	if n == "Long" {
		return Long(toInt(v))
	}
	return v
}

// bitMethods are those of Integer and Long that look at bits.
func bitMethods(n string, size int) methods {
	shift := 64 - size
	on64 := func(fn func(u uint64) uint64) method { // the number's bits stand at the top
		return fn1(func(_ *Thread, v Value) (Value, error) {
			return toNumber(Long(int64(fn(uint64(toInt(v))<<shift))>>shift), n), nil
		})
	}
	counted := func(fn func(u uint64) int) method {
		return fn1(func(_ *Thread, v Value) (Value, error) { return int64(fn(uint64(toInt(v)) << shift)), nil })
	}
	rotated := func(sign int) method {
		return function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
			by := sign * int(toInt(a[1]))
			if size == 32 {
				return int64(int32(mbits.RotateLeft32(uint32(toInt(a[0])), by))), nil
			}
			return Long(mbits.RotateLeft64(uint64(toInt(a[0])), by)), nil
		})
	}
	unsigned := func(v Value) uint64 { return uint64(toInt(v)) << shift >> shift }
	return methods{
		"bitCount":              counted(mbits.OnesCount64),
		"numberOfLeadingZeros":  counted(func(u uint64) int { return min(mbits.LeadingZeros64(u), size) }),
		"numberOfTrailingZeros": counted(func(u uint64) int { return min(mbits.TrailingZeros64(u)-shift*boolInt(u != 0), size) }),
		"reverse":               on64(func(u uint64) uint64 { return mbits.Reverse64(u >> shift) }),
		"reverseBytes":          on64(func(u uint64) uint64 { return mbits.ReverseBytes64(u >> shift) }),
		"lowestOneBit":          on64(func(u uint64) uint64 { return u & -u }),
		"highestOneBit": on64(func(u uint64) uint64 {
			if u == 0 {
				return 0
			}
			return 1 << (mbits.Len64(u) - 1)
		}),
		"rotateLeft": rotated(1), "rotateRight": rotated(-1),
		"toUnsignedString": fn1(func(_ *Thread, v Value) (Value, error) { return strconv.FormatUint(unsigned(v), 10), nil }),
		"toUnsignedLong":   fn1(func(_ *Thread, v Value) (Value, error) { return Long(unsigned(v)), nil }),
		"compareUnsigned": function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
			return int64(new(big.Int).SetUint64(unsigned(a[0])).Cmp(new(big.Int).SetUint64(unsigned(a[1])))), nil
		}),
		"parseUnsigned" + choose(n == "Integer", "Int", n): fn1(func(_ *Thread, v Value) (Value, error) {
			u, err := strconv.ParseUint(Format(v), 10, size)
			if err != nil {
				return nil, badNumber(Format(v))
			}
			return toNumber(Long(int64(u)), n), nil
		}),
	}
}

// fractionClass is Double, Float, BigDecimal or BigInteger.
func fractionClass(n string) *Class {
	pair := func(fn func(a, b Value) (Value, error)) method {
		return function0(2, 2, func(_ *Thread, a []Value) (Value, error) {
			if rankOf(a[0]) == 0 || rankOf(a[1]) == 0 {
				return nil, ErrNoMember
			}
			return fn(a[0], a[1])
		})
	}
	m := methods{"valueOf": parseNumber(n)}
	switch n {
	case "Double", "Float":
		m["parse"+n] = parseNumber(n)
		m["toString"] = fn1(func(_ *Thread, v Value) (Value, error) { return Format(toNumber(v, n)), nil })
		m["compare"] = pair(func(a, b Value) (Value, error) { return int64(compareNumbers(a, b)), nil })
		m["sum"] = pair(func(a, b Value) (Value, error) { return arithmetic("+", toNumber(a, n), toNumber(b, n)) })
		m["max"] = pair(func(a, b Value) (Value, error) { v, err := extreme(a, b, 1); return toNumber(v, n), err })
		m["min"] = pair(func(a, b Value) (Value, error) { v, err := extreme(a, b, -1); return toNumber(v, n), err })
		m["isNaN"] = fn1(func(_ *Thread, v Value) (Value, error) { f, _ := Number(v); return math.IsNaN(f), nil })
		m["isInfinite"] = fn1(func(_ *Thread, v Value) (Value, error) { f, _ := Number(v); return math.IsInf(f, 0), nil })
		m["isFinite"] = fn1(func(_ *Thread, v Value) (Value, error) {
			f, _ := Number(v)
			return !math.IsInf(f, 0) && !math.IsNaN(f), nil
		})
		m["hashCode"] = fn1(func(_ *Thread, v Value) (Value, error) { return int64(hashCode(toNumber(v, n))), nil })
		maps.Copy(m, floatBits(n))
	case "BigDecimal":
		m["valueOf"] = function0(1, 2, func(_ *Thread, a []Value) (Value, error) {
			if len(a) == 1 && rankOf(a[0]) > 0 {
				return toDecimal(a[0]), nil
			}
			return scaledDecimal(a)
		})
	case "BigInteger":
		m["valueOf"] = fn1(func(_ *Thread, v Value) (Value, error) {
			if _, ok := Int(v); !ok {
				return nil, ErrNoMember
			}
			return toBig(v), nil
		})
	}
	return &Class{Name: n, New: newFraction(n), Static: statics(qualifiedNumber(n), numberConstants(n), m)}
}

func qualifiedNumber(n string) string {
	return choose(strings.HasPrefix(n, "Big"), "java.math.", "java.lang.") + n
}

// numberConstants are the static fields of a class of fractionClass.
func numberConstants(n string) map[string]Value {
	consts := map[string]Value{}
	switch n {
	case "Double":
		return map[string]Value{"MAX_VALUE": math.MaxFloat64, "MIN_VALUE": 4.9e-324, "MIN_NORMAL": 2.2250738585072014e-308, "NaN": math.NaN(), "POSITIVE_INFINITY": math.Inf(1), "NEGATIVE_INFINITY": math.Inf(-1),
			"MAX_EXPONENT": int64(1023), "MIN_EXPONENT": int64(-1022), "SIZE": int64(64), "BYTES": int64(8)}
	case "Float":
		return map[string]Value{"MAX_VALUE": Float(math.MaxFloat32), "MIN_VALUE": Float(1.4e-45), "NaN": Float(math.NaN()), "POSITIVE_INFINITY": Float(math.Inf(1)), "NEGATIVE_INFINITY": Float(math.Inf(-1)),
			"SIZE": int64(32), "BYTES": int64(4)}
	}
	for id, v := range map[string]int64{"ZERO": 0, "ONE": 1, "TEN": 10} {
		consts[id] = toNumber(v, n)
	}
	if n == "BigDecimal" {
		for i, id := range []string{"ROUND_UP", "ROUND_DOWN", "ROUND_CEILING", "ROUND_FLOOR", "ROUND_HALF_UP", "ROUND_HALF_DOWN", "ROUND_HALF_EVEN", "ROUND_UNNECESSARY"} {
			consts[id] = int64(i)
		}
	}
	return consts
}

// floatBits are the methods of Double and Float over their bits.
func floatBits(n string) methods {
	m := methods{"toHexString": fn1(func(_ *Thread, v Value) (Value, error) {
		f, ok := Number(v)
		if !ok {
			return nil, ErrNoMember
		}
		return choose(math.Signbit(f), "-", "") + hexDouble(math.Abs(f), -1), nil
	})}
	if n == "Double" {
		m["doubleToLongBits"] = fn1(func(_ *Thread, v Value) (Value, error) { f, _ := Number(v); return Long(math.Float64bits(f)), nil })
		m["longBitsToDouble"] = fn1(func(_ *Thread, v Value) (Value, error) { return math.Float64frombits(uint64(toInt(v))), nil })
		m["doubleToRawLongBits"] = m["doubleToLongBits"]
		return m
	}
	m["floatToIntBits"] = fn1(func(_ *Thread, v Value) (Value, error) {
		f, _ := Number(v)
		return int64(int32(math.Float32bits(float32(f)))), nil
	})
	m["intBitsToFloat"] = fn1(func(_ *Thread, v Value) (Value, error) { return Float(math.Float32frombits(uint32(toInt(v)))), nil })
	return m
}

// newFraction is the constructor of a class of fractionClass.
func newFraction(n string) func(*Thread, []Value) (Value, error) {
	return func(t *Thread, a []Value) (Value, error) {
		switch {
		case n == "BigInteger" && len(a) == 2:
			if b, ok := Bytes(a[1]); ok { // sign and magnitude
				x := new(big.Int).SetBytes(b)
				return x.Mul(x, toBig(a[0])), t.grow(len(b), 1)
			}
			return newBigInteger(a)
		case n == "BigInteger" && len(a) == 1:
			if b, ok := Bytes(a[0]); ok {
				return signedBytes(b)
			}
			return newBigInteger([]Value{a[0], int64(10)})
		case n == "BigDecimal" && len(a) == 2:
			if c, ok := a[1].(*mathContext); ok {
				v, err := newFraction(n)(t, a[:1])
				if err != nil {
					return nil, err
				}
				return c.round(v.(*Decimal))
			}
			return scaledDecimal(a)
		case n == "BigDecimal" && len(a) == 1 && rankOf(a[0]) == rankDouble: // exactly what the Double is
			return exactDecimal(a[0])
		case len(a) != 1:
			return nil, ErrNoMember
		}
		return parseNumber(n).apply(t, nil, a)
	}
}

// newBigInteger is new BigInteger(text, radix), or of a sign and bytes.
func newBigInteger(a []Value) (Value, error) {
	if b, ok := Bytes(a[1]); ok {
		n := new(big.Int).SetBytes(b)
		return n.Mul(n, big.NewInt(toInt(a[0]))), nil
	}
	s, radix := Format(a[0]), toInt(a[1])
	switch {
	case s == "":
		return nil, Throw("NumberFormatException", "Zero length BigInteger")
	case radix < 2 || radix > 36:
		return nil, Throw("NumberFormatException", "Radix out of range")
	case len(s) > maxScale:
		return nil, tooBig()
	}
	n, ok := new(big.Int).SetString(s, int(radix))
	if !ok || strings.Contains(s, "_") {
		return nil, badRadix(s, radix)
	}
	return n, nil
}

// signedBytes is a number in two's complement.
func signedBytes(b []byte) (Value, error) {
	if len(b) == 0 {
		return nil, Throw("NumberFormatException", "Zero length BigInteger")
	}
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n, nil
}

// scaledDecimal is the decimal of an unscaled value and a scale.
func scaledDecimal(a []Value) (Value, error) {
	n, ok := Int(arg(a, 1))
	if r := rankOf(a[0]); !ok || r == 0 || r > rankBig {
		return nil, ErrNoMember
	}
	if n < -maxScale || n > maxScale {
		return nil, tooBig()
	}
	return newDecimal(toBig(a[0]), int32(n)), nil
}

// exactDecimal is the decimal that has a Double's exact value.
func exactDecimal(v Value) (Value, error) {
	f, _ := Number(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, Throw("NumberFormatException", "Infinite or NaN")
	}
	d, ok := parseDecimal(new(big.Float).SetFloat64(f).Text('f', 1100))
	if !ok {
		return nil, tooBig()
	}
	return d.strip(0), nil
}
