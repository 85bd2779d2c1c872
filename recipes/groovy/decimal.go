package groovy

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is a java.math.BigDecimal: unscaled / 10^scale.
type Decimal struct {
	unscaled *big.Int
	scale    int32
}

const maxScale = 20000

func newDecimal(u *big.Int, scale int32) *Decimal { return &Decimal{u, scale} }

// parseDecimal reads a number as new BigDecimal(String) does.
func parseDecimal(s string) (*Decimal, bool) {
	mant, exp := s, int64(0)
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mant = s[:i]
		n, err := strconv.ParseInt(s[i+1:], 10, 32)
		if err != nil {
			return nil, false
		}
		exp = n
	}
	scale := int64(0)
	if i := strings.IndexByte(mant, '.'); i >= 0 {
		scale = int64(len(mant) - i - 1)
		mant = mant[:i] + mant[i+1:]
	}
	scale -= exp
	if mant == "" || len(mant) > maxScale || scale > maxScale || scale < -maxScale || strings.ContainsAny(mant, "_ ") {
		return nil, false
	}
	u, ok := new(big.Int).SetString(mant, 10)
	if !ok {
		return nil, false
	}
	return newDecimal(u, int32(scale)), true
}

// badDecimal says why a text is no BigDecimal.
func badDecimal(s string) error {
	points := 0
	for i, c := range s {
		switch {
		case c == '.':
			points++
		case (c == '-' || c == '+') && i == 0, c >= '0' && c <= '9', c == 'e', c == 'E':
		default:
			return Throw("NumberFormatException", "Character %c is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark.", c)
		}
		if points > 1 {
			return Throw("NumberFormatException", "Character array contains more than one decimal point.")
		}
	}
	if strings.HasPrefix(s, "e") || strings.HasPrefix(s, "E") {
		return Throw("NumberFormatException", "No digits found.")
	}
	return Throw("NumberFormatException", "")
}

func decimalOfFloat(f float64) *Decimal {
	d, ok := parseDecimal(formatDouble(f))
	if !ok {
		return newDecimal(new(big.Int), 0)
	}
	return d
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

func (d *Decimal) sign() int { return d.unscaled.Sign() }

func (d *Decimal) float() float64 {
	f, _ := strconv.ParseFloat(d.unscaled.String()+"e"+itoa(-int64(d.scale)), 64)
	return f
}

func (d *Decimal) precision() int64 {
	if d.sign() == 0 {
		return 1
	}
	return int64(len(new(big.Int).Abs(d.unscaled).String()))
}

// truncated is the whole part.
func (d *Decimal) truncated() *big.Int {
	if d.scale <= 0 {
		return new(big.Int).Mul(d.unscaled, pow10(-int64(d.scale)))
	}
	return new(big.Int).Quo(d.unscaled, pow10(int64(d.scale)))
}

// at is the unscaled value with a greater or equal scale.
func (d *Decimal) at(scale int32) *big.Int {
	return new(big.Int).Mul(d.unscaled, pow10(int64(scale-d.scale)))
}

func (d *Decimal) cmp(o *Decimal) int {
	s := max(d.scale, o.scale)
	return d.at(s).Cmp(o.at(s))
}

func decimals(op string, a, b *Decimal) (Value, error) {
	if a.unscaled.BitLen()+b.unscaled.BitLen() > maxBits || max(a.scale, b.scale)-min(a.scale, b.scale) > maxScale {
		return nil, tooBig()
	}
	s := max(a.scale, b.scale)
	z := new(big.Int)
	switch op {
	case "+":
		return newDecimal(z.Add(a.at(s), b.at(s)), s), nil
	case "-":
		return newDecimal(z.Sub(a.at(s), b.at(s)), s), nil
	case "*":
		return newDecimal(z.Mul(a.unscaled, b.unscaled), a.scale+b.scale), nil
	case "/":
		return divide(a, b)
	}
	return nil, Throw("UnsupportedOperationException", "Cannot use mod() on this number type: java.math.BigDecimal with value: %s", a)
}

// divide is Groovy's division: exact when the quotient ends, else rounded to
// at least ten digits.
func divide(a, b *Decimal) (Value, error) {
	if b.sign() == 0 {
		return nil, byZero()
	}
	prefer := a.scale - b.scale
	if a.sign() == 0 {
		return newDecimal(new(big.Int), max(prefer, 0)), nil
	}
	if q, ok := exactQuotient(a, b, prefer); ok {
		return q, nil
	}
	precision := max(a.precision(), b.precision()) + 10
	q := a.quotient(b, precision)
	if scale := max(a.scale, b.scale, 10); q.scale > scale {
		q = q.rescale(scale, halfUp)
	}
	return q, nil
}

// exactQuotient is a/b when it has an end.
func exactQuotient(a, b *Decimal, prefer int32) (*Decimal, bool) {
	g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(a.unscaled), new(big.Int).Abs(b.unscaled))
	den := new(big.Int).Quo(b.unscaled, g)
	num := new(big.Int).Quo(a.unscaled, g)
	if den.Sign() < 0 {
		den.Neg(den)
		num.Neg(num)
	}
	n := int32(0)
	for _, p := range []int64{10, 5, 2} {
		for {
			q, r := new(big.Int).QuoRem(den, big.NewInt(p), new(big.Int))
			if r.Sign() != 0 {
				break
			}
			den = q
			if p == 5 {
				num.Mul(num, big.NewInt(2))
			} else if p == 2 {
				num.Mul(num, big.NewInt(5))
			}
			if n++; n > 10000 {
				return nil, false
			}
		}
	}
	if den.Cmp(big.NewInt(1)) != 0 {
		return nil, false
	}
	d := newDecimal(num, prefer+n)
	return d.strip(prefer), true
}

// quoRem is divideToIntegralValue and remainder.
func (d *Decimal) quoRem(o *Decimal) (q, r *Decimal, err error) {
	s := max(d.scale, o.scale)
	switch {
	case o.sign() == 0:
		return nil, nil, byZero()
	case d.unscaled.BitLen()+o.unscaled.BitLen() > maxBits || s-min(d.scale, o.scale) > maxScale:
		return nil, nil, tooBig()
	}
	n, m := new(big.Int).QuoRem(d.at(s), o.at(s), new(big.Int))
	prefer := d.scale - o.scale
	q = newDecimal(n, 0)
	if prefer > 0 {
		q = q.rescale(prefer, down)
	} else {
		q = q.strip(prefer)
	}
	return q, newDecimal(m, s), nil
}

// strip removes zeros at the end down to the preferred scale.
func (d *Decimal) strip(prefer int32) *Decimal {
	u, s := d.unscaled, d.scale
	for s > prefer {
		q, r := new(big.Int).QuoRem(u, big.NewInt(10), new(big.Int))
		if r.Sign() != 0 {
			break
		}
		u, s = q, s-1
	}
	return newDecimal(u, s)
}

// quotient is d/o rounded half up to a number of digits.
func (d *Decimal) quotient(o *Decimal, precision int64) *Decimal {
	shift := precision + o.precision() - d.precision() + 3
	num := d.unscaled
	scale := int64(d.scale) - int64(o.scale)
	if shift > 0 {
		num = new(big.Int).Mul(num, pow10(shift))
		scale += shift
	}
	q, r := new(big.Int).QuoRem(num, o.unscaled, new(big.Int))
	res := newDecimal(q, int32(scale))
	sticky := r.Sign() != 0
	if drop := res.precision() - precision; drop > 0 {
		if sticky { // a digit more so that what was cut off counts
			res = newDecimal(new(big.Int).Add(new(big.Int).Mul(q, big.NewInt(10)), big.NewInt(int64(q.Sign()))), int32(scale+1))
			scale++
			drop++
		}
		res = res.rescale(int32(scale-drop), halfUp)
	}
	return res
}

type rounding string

const (
	halfUp   rounding = "HALF_UP"
	halfEven rounding = "HALF_EVEN"
	halfDown rounding = "HALF_DOWN"
	up       rounding = "UP"
	down     rounding = "DOWN"
	ceiling  rounding = "CEILING"
	floor    rounding = "FLOOR"
)

// rescale is setScale.
func (d *Decimal) rescale(scale int32, mode rounding) *Decimal {
	if scale >= d.scale {
		return newDecimal(d.at(scale), scale)
	}
	div := pow10(int64(d.scale - scale))
	q, r := new(big.Int).QuoRem(d.unscaled, div, new(big.Int))
	if r.Sign() == 0 {
		return newDecimal(q, scale)
	}
	half := new(big.Int).Abs(r)
	half.Mul(half, big.NewInt(2))
	c := half.Cmp(div)
	away := false
	switch mode {
	case halfUp:
		away = c >= 0
	case halfDown:
		away = c > 0
	case halfEven:
		away = c > 0 || c == 0 && q.Bit(0) == 1
	case up:
		away = true
	case down:
	case ceiling:
		away = r.Sign() > 0
	case floor:
		away = r.Sign() < 0
	}
	if away {
		q.Add(q, big.NewInt(int64(r.Sign())))
	}
	return newDecimal(q, scale)
}

func (d *Decimal) pow(n int64) (Value, error) {
	if int64(d.unscaled.BitLen())*n > maxBits || int64(d.scale)*n > maxScale {
		return nil, tooBig()
	}
	return newDecimal(new(big.Int).Exp(d.unscaled, big.NewInt(n), nil), d.scale*int32(n)), nil
}

// String is BigDecimal.toString.
func (d *Decimal) String() string {
	digits := new(big.Int).Abs(d.unscaled).String()
	sign := ""
	if d.sign() < 0 {
		sign = "-"
	}
	if d.scale == 0 {
		return sign + digits
	}
	adjusted := -int64(d.scale) + int64(len(digits)) - 1
	if d.scale > 0 && adjusted >= -6 {
		return sign + d.plainDigits(digits)
	}
	s := sign + digits[:1]
	if len(digits) > 1 {
		s += "." + digits[1:]
	}
	if adjusted != 0 {
		s += "E"
		if adjusted > 0 {
			s += "+"
		}
		s += itoa(adjusted)
	}
	return s
}

func (d *Decimal) plainDigits(digits string) string {
	n := int(d.scale)
	if n <= 0 {
		return digits + strings.Repeat("0", -n)
	}
	if len(digits) <= n {
		digits = strings.Repeat("0", n-len(digits)+1) + digits
	}
	return digits[:len(digits)-n] + "." + digits[len(digits)-n:]
}

// plain is BigDecimal.toPlainString.
func (d *Decimal) plain() string {
	s := d.plainDigits(new(big.Int).Abs(d.unscaled).String())
	if d.sign() < 0 {
		return "-" + s
	}
	return s
}

// formatDouble is Double.toString.
func formatDouble(f float64) string { return formatBinary(f, 64) }

func formatBinary(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	case math.Abs(f) == math.SmallestNonzeroFloat64 && bits == 64: // Java shows two digits of these
		return choose(f < 0, "-", "") + "4.9E-324"
	case float32(math.Abs(f)) == math.SmallestNonzeroFloat32 && bits == 32:
		return choose(f < 0, "-", "") + "1.4E-45"
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'e', -1, bits)
	mant, exp, _ := strings.Cut(s, "e")
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mant + "E" + strconv.Itoa(n)
}
