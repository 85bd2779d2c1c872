package groovy

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parse is NumberFormat.parse(text).
func (f *decimalFormat) parse(s string) (Value, error) {
	if strings.HasPrefix(s, f.sym.text["naN"]) {
		return math.NaN(), nil
	}
	p := numberParser{f: f, s: s}
	if at, ok := p.whole(); !ok {
		err := Throw("ParseException", "Unparseable number: \"%s\"", s).(*raised)
		err.thrown.offset = at
		return nil, err
	}
	if p.infinite {
		return math.Inf(2*boolInt(p.positive == (f.multiplier >= 0)) - 1), nil
	}
	if f.exact {
		return p.decimal()
	}
	return p.number(), nil
}

// numberParser reads a number: 0.digits times 10^at.
type numberParser struct {
	f                  *decimalFormat
	s                  string
	pos                int
	digits             string
	at                 int
	positive, infinite bool
}

// whole reads a number with what stands around it; false with the place that is
// wrong.
func (p *numberParser) whole() (int, bool) {
	sym := p.f.sym
	before, minus := sym.expand(p.f.pos.before), sym.expand(p.f.neg.before)
	positive, negative := strings.HasPrefix(p.s, before), strings.HasPrefix(p.s, minus)
	if positive && negative {
		positive, negative = len(before) >= len(minus), len(minus) >= len(before)
	}
	switch {
	case positive:
		p.pos = len(before)
	case negative:
		p.pos = len(minus)
	default:
		return 0, false
	}
	if strings.HasPrefix(p.s[p.pos:], sym.text["infinity"]) {
		p.pos += len(sym.text["infinity"])
		p.infinite = true
	} else if !p.number0(true) {
		return 0, false
	}
	rest := p.s[p.pos:]
	after, minus := sym.expand(p.f.pos.after), sym.expand(p.f.neg.after)
	positive, negative = positive && strings.HasPrefix(rest, after), negative && strings.HasPrefix(rest, minus)
	if positive && negative {
		positive, negative = len(after) > len(minus), len(minus) > len(after)
	}
	p.positive = positive
	return utf8.RuneCountInString(p.s[:p.pos]), positive != negative
}

// number0 reads the digits; in an exponent there are only those.
func (p *numberParser) number0(fraction bool) bool {
	sym := p.f.sym.text
	seen, point, back := false, false, -1
	point0, comma, exp := sym["decimalSeparator"], sym["groupingSeparator"], sym["exponentSeparator"]
	if strings.Contains(p.f.pos.before+p.f.pos.after, "'¤") {
		point0 = sym["monetaryDecimalSeparator"]
	}
	count, shift := 0, 0
	var b strings.Builder
loop:
	for p.pos < len(p.s) {
		rest := p.s[p.pos:]
		switch c := rest[0]; {
		case c >= '0' && c <= '9':
			seen, back = true, -1
			switch {
			case c != '0' || b.Len() > 0:
				b.WriteByte(c)
				count++
			case point:
				p.at--
			}
			p.pos++
		case fraction && strings.HasPrefix(rest, point0):
			if p.f.whole || point {
				break loop
			}
			p.at, point = count, true
			p.pos += len(point0)
		case fraction && p.f.grouped && strings.HasPrefix(rest, comma):
			if point {
				break loop
			}
			back = p.pos
			p.pos += len(comma)
		case fraction && strings.HasPrefix(rest, exp):
			shift = p.power(p.pos + len(exp))
			break loop
		default:
			break loop
		}
	}
	if back >= 0 {
		p.pos = back
	}
	if p.digits = b.String(); !point {
		p.at = count
	}
	p.at += shift
	return seen
}

// power reads an exponent, which is passed over when it is none.
func (p *numberParser) power(from int) int {
	e := numberParser{f: p.f, s: p.s, pos: from}
	minus := p.f.sym.text["minusSign"]
	negative := strings.HasPrefix(p.s[from:], minus)
	if negative {
		e.pos += len(minus)
	}
	if !e.number0(false) {
		return 0
	}
	n, err := strconv.ParseInt("0"+e.digits, 10, 32)
	if err != nil {
		n = math.MaxInt32
	}
	p.pos = e.pos
	return int(n) * (1 - 2*boolInt(negative))
}

// decimal is what was read as a BigDecimal.
func (p *numberParser) decimal() (Value, error) {
	d, ok := parseDecimal("0" + p.digits + "e" + itoa(int64(p.at-len(p.digits))))
	if !ok {
		return nil, tooBig()
	}
	if !p.positive {
		d = newDecimal(d.unscaled.Neg(d.unscaled), d.scale)
	}
	if p.f.multiplier == 1 {
		return d, nil
	}
	return divide(d, toDecimal(p.f.multiplier))
}

// number is what was read as a Long, or a Double where it is none.
func (p *numberParser) number() Value {
	digits := strings.TrimRight(p.digits, "0")
	isLong := digits == "" && (p.positive || p.f.whole)
	n := int64(0)
	if digits != "" && p.at >= len(digits) && p.at <= 19 {
		var err error
		n, err = strconv.ParseInt(choose(p.positive, "", "-")+digits+strings.Repeat("0", p.at-len(digits)), 10, 64)
		isLong = err == nil
	}
	if isLong && n%p.f.multiplier == 0 {
		return Long(n / p.f.multiplier)
	}
	x, _ := strconv.ParseFloat("0"+p.digits+"e"+strconv.Itoa(p.at-len(p.digits)), 64)
	x /= float64(p.f.multiplier)
	if !p.positive {
		x = -x
	}
	if p.f.multiplier != 1 && (x == float64(truncate(x)) && (x != 0 || !math.Signbit(x)) || p.f.whole) {
		return Long(truncate(x))
	}
	return x
}
