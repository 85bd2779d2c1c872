package groovy

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// wholeText is %d, %x or %o of a whole number.
func wholeText(s spec, v Value) string {
	n := toBig(v)
	if s.verb == 'd' {
		return s.signed(n.Sign() < 0, new(big.Int).Abs(n).String(), "")
	}
	base, prefix := 16, "0x"
	if s.verb == 'o' {
		base, prefix = 8, "0"
	}
	if !s.has('#') {
		prefix = ""
	}
	if rankOf(v) == rankBig {
		return s.signed(n.Sign() < 0, prefix+new(big.Int).Abs(n).Text(base), "")
	}
	text := twosText(v, base)
	if s.has('0') {
		text = strings.Repeat("0", max(s.width-len(prefix+text), 0)) + text
	}
	return prefix + text
}

// twosText is the digits of a Byte's, Integer's or Long's bits.
func twosText(v Value, base int) string {
	n := uint64(toInt(v))
	if _, ok := v.(Byte); ok {
		n = uint64(uint8(n))
	} else if rankOf(v) == rankInt {
		n = uint64(uint32(n))
	}
	return strconv.FormatUint(n, base)
}

// signed is a number with its sign, commas and zeros; exp follows its digits.
func (s spec) signed(negative bool, digits, exp string) string {
	if s.has(',') {
		digits = commas(digits)
	}
	sign, end := "", ""
	switch {
	case negative && s.has('('):
		sign, end = "(", ")"
	case negative:
		sign = "-"
	case s.has('+'):
		sign = "+"
	case s.has(' '):
		sign = " "
	}
	if missing := s.width - len(sign+digits+exp+end); missing > 0 && s.has('0') {
		digits = strings.Repeat("0", missing) + digits
	}
	return sign + digits + exp + end
}

// commas puts commas between thousands.
func commas(digits string) string {
	whole, frac, hasFrac := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + choose(hasFrac, ".", "") + frac
}

// fractionText is %f, %e, %g or %a of a number with a fraction.
func fractionText(s spec, v Value) string {
	f, _ := Number(v)
	d, isDecimal := v.(*Decimal)
	if !isDecimal {
		switch {
		case math.IsNaN(f):
			return "NaN"
		case math.IsInf(f, 0):
			s.flags = strings.NewReplacer("0", "", ",", "").Replace(s.flags)
			return s.signed(f < 0, "Infinity", "")
		case s.verb == 'a':
			return s.hex(f)
		}
		d = decimalOfFloat(f)
	}
	negative := d.sign() < 0 || !isDecimal && math.Signbit(f)
	d = newDecimal(new(big.Int).Abs(d.unscaled), d.scale)
	digits := s.precision
	if digits < 0 {
		digits = 6
	}
	verb := s.verb
	if verb == 'g' {
		digits = max(digits, 1)
		x := d.rounded(int64(digits))
		e := x.precision() - int64(x.scale) - 1
		switch {
		case d.sign() == 0 && (!isDecimal || d.scale == 0):
			verb, digits = 'f', digits-1
		case d.sign() == 0 || e < -4 || e >= int64(digits):
			verb, digits = 'e', digits-1
			s.flags = strings.ReplaceAll(s.flags, ",", "")
		default:
			verb, digits = 'f', digits-1-int(e)
		}
	}
	point := choose(s.has('#') && digits == 0, ".", "")
	if verb == 'f' {
		return s.signed(negative, d.rescale(int32(digits), halfUp).plain()+point, "")
	}
	mant, exp := d.scientific(digits, !isDecimal && d.sign() == 0)
	return s.signed(negative, mant+point, exp)
}

// rounded is d with so many digits, rounded half up.
func (d *Decimal) rounded(digits int64) *Decimal {
	if drop := d.precision() - digits; drop > 0 {
		d = d.rescale(d.scale-int32(drop), halfUp)
		if d.precision() > digits { // 9.99 became 10.0
			d = d.rescale(d.scale-1, halfUp)
		}
	}
	return d
}

// scientific is d's mantissa with so many digits after the point, and its
// exponent; zero is a double that is 0.
func (d *Decimal) scientific(digits int, zero bool) (mant, exp string) {
	d = d.rounded(int64(digits) + 1)
	text := d.unscaled.String()
	e := len(text) - int(d.scale) - 1
	if zero {
		e = 0
	}
	text += strings.Repeat("0", max(digits+1-len(text), 0))
	mant = text[:1]
	if digits > 0 {
		mant += "." + text[1:digits+1]
	}
	exp = strconv.Itoa(max(e, -e))
	if len(exp) < 2 {
		exp = "0" + exp
	}
	return mant, "e" + choose(e < 0, "-", "+") + exp
}

// hex is %a: Double.toHexString.
func (s spec) hex(f float64) string {
	digits := s.precision
	if digits == 0 {
		digits = 1
	}
	text := hexDouble(math.Abs(f), digits)
	sign := strings.TrimSuffix(s.signed(math.Signbit(f), "x", ""), "x")
	if len(sign) > 1 { // the zeros of the width go after 0x
		sign = strings.Trim(sign, "0")
	}
	if missing := s.width - len(sign+text); missing > 0 && s.has('0') {
		text = "0x" + strings.Repeat("0", missing) + text[2:]
	}
	return sign + text
}

// hexDouble is Double.toHexString with so many digits; -1: as many as it has.
func hexDouble(f float64, digits int) string {
	mant, exp, ok := strings.Cut(strconv.FormatFloat(f, 'x', digits, 64), "p")
	if !ok {
		return formatDouble(f)
	}
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mant + "p" + strconv.Itoa(n)
}
