package groovy

import (
	"math"
	"math/big"
	"strings"
)

// decimalFormat is a java.text.DecimalFormat.
type decimalFormat struct {
	sym              *symbols
	pos, neg         affixes
	multiplier       int64
	minInt, maxInt   int
	minFrac, maxFrac int
	grouped          bool
	group            int
	point            bool // is always shown
	scientific       bool
	exponent         int // digits at least
	rounding         rounding
	whole            bool // parseIntegerOnly
	exact            bool // parseBigDecimal
}

func newDecimalFormat(pattern string, s *symbols) (*decimalFormat, error) {
	f := &decimalFormat{sym: s, rounding: halfEven, group: 3, grouped: true}
	return f, f.apply(pattern)
}

// decimalDigits are a number: 0.digits times 10^at.
type decimalDigits struct {
	digits string // without zeros at either end
	at     int
}

func digitsOf(d *Decimal) decimalDigits {
	text := new(big.Int).Abs(d.unscaled).String()
	at := len(text) - int(d.scale)
	text = strings.TrimRight(text, "0")
	if text == "" {
		at = 0
	}
	return decimalDigits{text, at}
}

// exactly is the number that a double is, not the shortest that is read as it.
func exactly(x float64) *Decimal {
	r := new(big.Rat).SetFloat64(x)
	k := r.Denom().BitLen() - 1
	return newDecimal(new(big.Int).Mul(r.Num(), new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(k)), nil)), int32(k))
}

// format is DecimalFormat.format.
func (f *decimalFormat) format(t *Thread, v Value) (string, error) {
	if x, ok := v.(*atomic); ok {
		v = x.v
	}
	g, d, exact := *f, (*Decimal)(nil), (*Decimal)(nil)
	negative, isWhole := false, false
	_, char := v.(Char)
	switch rk := rankOf(v); {
	case rk == 0 || char:
		return "", Throw("IllegalArgumentException", "Cannot format given Object as a Number")
	case rk == rankDouble:
		x, _ := Number(v)
		x *= float64(f.multiplier)
		if math.IsNaN(x) {
			return f.sym.text["naN"], nil
		}
		if negative = math.Signbit(x) != (f.multiplier < 0); math.IsInf(x, 0) {
			return f.wrap(negative, f.sym.text["infinity"]), nil
		}
		x = math.Abs(x)
		d, exact = decimalOfFloat(x), exactly(x)
	default:
		isWhole = rk != rankDecimal
		d = toDecimal(v)
		d = newDecimal(new(big.Int).Mul(d.unscaled, big.NewInt(f.multiplier)), d.scale)
		negative = d.sign() < 0
		d = newDecimal(new(big.Int).Abs(d.unscaled), d.scale)
		exact = d
	}
	if rankOf(v) != rankDecimal && rankOf(v) != rankBig { // of a double or a long so much at most
		g.minInt, g.maxInt, g.minFrac, g.maxFrac = min(f.minInt, 309), min(f.maxInt, 309), min(f.minFrac, 340), min(f.maxFrac, 340)
	}
	n, err := g.rounded(d, exact, negative, isWhole)
	if err != nil {
		return "", err
	}
	if err := t.grow(g.minInt+g.minFrac+len(n.digits)+max(n.at, -n.at)+boolInt(g.scientific)*g.maxInt, 2); err != nil {
		return "", err
	}
	if g.scientific {
		return g.wrap(negative, g.scientificText(n)), nil
	}
	return g.wrap(negative, g.fixedText(n)), nil
}

func (f *decimalFormat) wrap(negative bool, s string) string {
	a := choose(negative, f.neg, f.pos)
	return f.sym.expand(a.before) + s + f.sym.expand(a.after)
}

// rounded is d, which is not negative, to as many digits as are shown. exact is
// d where d is only the shortest text of it.
func (f *decimalFormat) rounded(d, exact *Decimal, negative, isWhole bool) (decimalDigits, error) {
	n := digitsOf(d)
	most := f.maxFrac + n.at
	switch {
	case f.scientific:
		most = f.maxInt + f.maxFrac
	case isWhole:
		return n, nil
	}
	switch {
	case most < 0: // too small to be seen: not even rounded up
		return decimalDigits{}, nil
	case len(n.digits) <= most || f.scientific && isWhole && most == 0:
		return n, nil
	case f.rounding == "UNNECESSARY":
		return n, Throw("ArithmeticException", "Rounding needed with the rounding mode being set to RoundingMode.UNNECESSARY")
	}
	mode := f.rounding
	switch mode {
	case halfUp, halfDown, halfEven:
		d = exact
	case ceiling:
		mode = choose(negative, down, up)
	case floor:
		mode = choose(negative, up, down)
	case up, down:
	}
	return digitsOf(d.rescale(int32(most-n.at), mode)), nil
}

// nth is the i-th digit; zero after the last.
func (n decimalDigits) nth(i int) byte {
	if i < 0 || i >= len(n.digits) {
		return '0'
	}
	return n.digits[i]
}

// separator is what stands between the whole digits and the fraction.
func (f *decimalFormat) separator() string {
	if strings.Contains(f.pos.before+f.pos.after+f.neg.before+f.neg.after, "'¤") {
		return f.sym.text["monetaryDecimalSeparator"]
	}
	return f.sym.text["decimalSeparator"]
}

func (f *decimalFormat) fixedText(n decimalDigits) string {
	var b strings.Builder
	count := min(max(f.minInt, n.at), f.maxInt)
	at := n.at - count // of the first digit shown
	for i := count; i > 0; i-- {
		b.WriteByte(n.nth(at))
		at++
		if f.grouped && i > 1 && f.group != 0 && (i-1)%f.group == 0 {
			b.WriteString(f.sym.text["groupingSeparator"])
		}
	}
	fraction := f.minFrac > 0 || n.at < len(n.digits) && len(n.digits) > max(at, 0)
	if !fraction && b.Len() == 0 {
		b.WriteByte('0')
	}
	if f.point || fraction {
		b.WriteString(f.separator())
	}
	for i := 0; i < f.maxFrac && (i < f.minFrac || n.at+i < len(n.digits)); i++ {
		b.WriteByte(n.nth(n.at + i))
	}
	return b.String()
}

func (f *decimalFormat) scientificText(n decimalDigits) string {
	var b strings.Builder
	exp, least := n.at, f.minInt
	if f.maxInt > 1 && f.maxInt > f.minInt { // exponents are its multiples
		if exp >= 1 {
			exp = (exp - 1) / f.maxInt * f.maxInt
		} else {
			exp = (exp - f.maxInt) / f.maxInt * f.maxInt
		}
		least = 1
	} else {
		exp -= least
	}
	ints := n.at - exp
	if n.digits == "" {
		ints, exp = least, 0
	}
	total := max(f.minInt+f.minFrac, ints, len(n.digits))
	for i := range total {
		if i == ints {
			b.WriteString(f.separator())
		}
		b.WriteByte(n.nth(i))
	}
	if f.point && total == ints {
		b.WriteString(f.separator())
	}
	b.WriteString(f.sym.text["exponentSeparator"] + choose(exp < 0, f.sym.text["minusSign"], ""))
	e := itoa(int64(max(exp, -exp)))
	return b.String() + strings.Repeat("0", max(f.exponent-len(e), 0)) + e
}
