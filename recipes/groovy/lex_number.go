package groovy

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func isDigit(c byte) bool { return c >= '0' && c <= '9' || c == '_' }

func (l *lexer) digits(also string) {
	for l.more() && (isDigit(l.peek(0)) || strings.IndexByte(also, l.peek(0)) >= 0) {
		l.next()
	}
}

func (l *lexer) number(t *token) error {
	start := l.off
	t.kind = tNumber
	base := 10
	switch {
	case l.has("0x"), l.has("0X"):
		base = 16
		l.skip(2)
		l.digits("abcdefABCDEF")
	case l.has("0b"), l.has("0B"):
		base = 2
		l.skip(2)
		l.digits("")
	default:
		l.digits("")
	}
	fraction := base == 10 && l.fraction()
	t.text = l.src[start:l.off]
	digits := strings.ReplaceAll(t.text, "_", "")
	suffix := byte(0)
	if strings.IndexByte("lLiIgGfFdD", l.peek(0)) >= 0 && l.more() && base != 16 || strings.IndexByte("lLiIgG", l.peek(0)) >= 0 && l.more() {
		suffix = l.peek(0) | 0x20
		l.next()
	}
	if r, _ := utf8.DecodeRuneInString(l.src[l.off:]); l.more() && (r == '_' || unicode.IsLetter(r) && r != utf8.RuneError) {
		return l.errorf(t.pos, "unexpected '%c' after the number %s", r, t.text)
	}
	if !fraction && base == 10 && len(digits) > 1 && digits[0] == '0' && suffix != 'f' && suffix != 'd' {
		base = 8
	}
	v, ok := numberValue(digits, base, fraction, suffix)
	if !ok {
		return l.errorf(t.pos, "invalid number %s", t.text)
	}
	t.val = v
	return nil
}

// fraction lexes what follows the whole part: .5 and e10.
func (l *lexer) fraction() bool {
	found := false
	if l.peek(0) == '.' && l.peek(1) >= '0' && l.peek(1) <= '9' {
		found = true
		l.next()
		l.digits("")
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		n := 1
		if l.peek(1) == '-' || l.peek(1) == '+' {
			n = 2
		}
		if d := l.peek(n); d >= '0' && d <= '9' {
			found = true
			l.skip(n)
			l.digits("")
		}
	}
	return found
}

// numberValue is the value of a literal: an Integer or the smallest wider type
// that holds it, a BigDecimal when it has a fraction, or what the suffix says.
func numberValue(digits string, base int, fraction bool, suffix byte) (Value, bool) {
	if fraction || suffix == 'f' || suffix == 'd' {
		d, ok := parseDecimal(digits)
		if !ok || suffix == 'l' || suffix == 'i' {
			return nil, false
		}
		switch suffix {
		case 'f':
			f, err := strconv.ParseFloat(digits, 32)
			return Float(f), err == nil
		case 'd':
			f, err := strconv.ParseFloat(digits, 64)
			return f, err == nil
		}
		return d, true
	}
	if base == 16 || base == 2 {
		digits = digits[2:] // 0x, 0b
	}
	n, ok := readWhole(digits, base)
	if !ok {
		return nil, false
	}
	bits := n.BitLen()
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	switch {
	case suffix == 'g':
		return n, true
	case suffix == 'l': // as BigInteger.longValue: 0xffffffffffffffffL is -1
		return Long(int64(low)), true
	case suffix == 'i':
		return int64(int32(uint32(low))), true
	case bits < 32:
		return n.Int64(), true
	case bits < 64:
		return Long(n.Int64()), true
	}
	return n, true
}
