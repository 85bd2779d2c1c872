package groovy

import (
	"math"
	"strings"
)

// apply is DecimalFormat.applyPattern.
func (f *decimalFormat) apply(pattern string) error {
	positive, negative, both, err := cutPattern(pattern)
	if err != nil {
		return err
	}
	p := numberPattern{src: pattern, multiplier: 1, grouping: -1, point: -1}
	if err := p.read(positive); err != nil {
		return err
	}
	n := numberPattern{src: pattern, multiplier: 1, negative: true}
	if both {
		if err := n.read(negative); err != nil {
			return err
		}
	}
	f.pos, f.multiplier, f.scientific, f.exponent = affixes{before: p.prefix, after: p.suffix}, p.multiplier, p.exponent > 0, p.exponent
	f.neg = affixes{before: "'-" + p.prefix, after: p.suffix}
	if both && (n.prefix != p.prefix || n.suffix != p.suffix) {
		f.neg = affixes{before: n.prefix, after: n.suffix}
	}
	if pattern == "" {
		f.minInt, f.maxInt, f.minFrac, f.maxFrac, f.point = 0, math.MaxInt32, 0, math.MaxInt32, false
		return nil
	}
	total := p.left + p.zeros + p.right
	at := total
	if p.point >= 0 {
		at = p.point
	}
	f.minInt, f.maxInt = at-p.left, math.MaxInt32
	if f.scientific {
		f.maxInt = p.left + f.minInt
	}
	f.maxFrac, f.minFrac = total-at, max(p.left+p.zeros-at, 0)
	f.grouped, f.group = p.grouping > 0, max(p.grouping, 0)
	f.point = p.point == 0 || p.point == total
	return nil
}

// cutPattern parts the positive from the negative pattern.
func cutPattern(s string) (positive, negative string, both bool, err error) {
	quoted, body := false, false
	for i, c := range s {
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("#0,.", c):
			body = true
		case c == ';' && (!body || both):
			return "", "", false, Throw("IllegalArgumentException", "Unquoted special character ';' in pattern \"%s\"", s)
		case c == ';':
			positive, negative, both = s[:i], s[i+1:], true
		}
	}
	if !both {
		positive = s
	}
	return positive, negative, both && negative != "", nil
}

// numberPattern is what one half of a pattern says.
type numberPattern struct {
	src             string // the whole
	negative        bool
	prefix, suffix  string // with ' before what stands for a symbol
	multiplier      int64
	left, zeros     int // # and 0 before # again
	right           int
	grouping, point int // -1: none
	exponent        int // digits; 0: none
	inQuote         bool
}

func (p *numberPattern) fault(format string) error {
	return Throw("IllegalArgumentException", format+" pattern \"%s\"", p.src)
}

// read reads one half of a pattern.
func (p *numberPattern) read(s string) error {
	runes := []rune(s)
	i, err := p.affix(runes, 0, &p.prefix)
	if err != nil {
		return err
	}
	for i < len(runes) { // digits after the suffix are more of the same number
		if i, err = p.body(runes, i); err != nil {
			return err
		}
		if i, err = p.affix(runes, i, &p.suffix); err != nil {
			return err
		}
	}
	if p.negative {
		if p.inQuote {
			return p.fault("Malformed")
		}
		return nil
	}
	if p.zeros == 0 && p.left > 0 && p.point >= 0 { // ###.###, ###. and .###
		n := max(p.point, 1)
		p.right, p.left, p.zeros = p.left-n, n-1, 1
	}
	if p.point < 0 && p.right > 0 || p.point >= 0 && (p.point < p.left || p.point > p.left+p.zeros) || p.grouping == 0 || p.inQuote {
		return p.fault("Malformed")
	}
	return nil
}

// affix reads what stands before or after the digits, up to where they begin.
func (p *numberPattern) affix(s []rune, i int, out *string) (int, error) {
	var b strings.Builder
	defer func() { *out += b.String() }()
	for ; i < len(s); i++ {
		c := s[i]
		next := i+1 < len(s) && s[i+1] == c
		switch {
		case c == '\'' && next:
			b.WriteString("''")
			i++
		case c == '\'':
			p.inQuote = !p.inQuote
		case p.inQuote:
			b.WriteRune(c)
		case strings.ContainsRune("#0,.", c):
			return i, nil
		case c == '¤':
			b.WriteString(choose(next, "'¤¤", "'¤"))
			i += boolInt(next)
		case c == '%' || c == '‰':
			if p.multiplier != 1 {
				return i, p.fault("Too many percent/per mille characters in")
			}
			p.multiplier = choose(c == '%', int64(100), int64(1000))
			b.WriteString("'" + string(c))
		case c == '-':
			b.WriteString("'-")
		default:
			b.WriteRune(c)
		}
	}
	return i, nil
}

// body reads the digits.
func (p *numberPattern) body(s []rune, i int) (int, error) {
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case p.negative && !strings.ContainsRune("#0,.E", c):
			return i, nil
		case p.negative: // the first half says it all
		case c == '#' && p.zeros > 0:
			p.right++
			p.digit()
		case c == '#':
			p.left++
			p.digit()
		case c == '0':
			if p.right > 0 {
				return i, p.fault("Unexpected '0' in")
			}
			p.zeros++
			p.digit()
		case c == ',':
			p.grouping = 0
		case c == '.':
			if p.point >= 0 {
				return i, p.fault("Multiple decimal separators in")
			}
			p.point = p.left + p.zeros + p.right
		case c == 'E':
			if p.exponent > 0 {
				return i, p.fault("Multiple exponential symbols in")
			}
			for i++; i < len(s) && s[i] == '0'; i++ {
				p.exponent++
			}
			if p.left+p.zeros < 1 || p.exponent < 1 {
				return i, p.fault("Malformed exponential")
			}
			return i, nil
		default:
			return i, nil
		}
	}
	return i, nil
}

// digit counts a digit of the group.
func (p *numberPattern) digit() {
	if p.grouping >= 0 && p.point < 0 {
		p.grouping++
	}
}

// affixes are what stands before and after a number: patterns, in which '
// stands before what a symbol takes the place of.
type affixes struct{ before, after string }

// plainAffix is a pattern of a text that stands for itself.
func plainAffix(s string) string { return strings.ReplaceAll(s, "'", "''") }

// expand is an affix with the symbols in it.
func (s *symbols) expand(pattern string) string {
	return strings.NewReplacer("''", "'", "'¤¤", s.text["internationalCurrencySymbol"], "'¤", s.text["currencySymbol"], "'%", s.text["percent"], "'‰", s.text["perMill"], "'-", s.text["minusSign"]).Replace(pattern)
}

// pattern is DecimalFormat.toPattern.
func (f *decimalFormat) pattern() string {
	var b strings.Builder
	digits := max(f.group, f.minInt) + 1
	if f.scientific {
		digits = f.maxInt
	}
	for i := digits; i > 0; i-- {
		if i != digits && f.grouped && f.group != 0 && i%f.group == 0 {
			b.WriteByte(',')
		}
		b.WriteString(choose(i <= f.minInt, "0", "#"))
	}
	if f.maxFrac > 0 || f.point {
		b.WriteByte('.')
	}
	for i := range f.maxFrac {
		b.WriteString(choose(i < f.minFrac, "0", "#"))
	}
	if f.scientific {
		b.WriteString("E" + strings.Repeat("0", f.exponent))
	}
	half := func(a affixes) string { return writeAffix(a.before) + b.String() + writeAffix(a.after) }
	if f.neg == (affixes{"'-" + f.pos.before, f.pos.after}) {
		return half(f.pos)
	}
	return half(f.pos) + ";" + half(f.neg)
}

// writeAffix is an affix as a pattern has it.
func writeAffix(s string) string {
	var b strings.Builder
	for s != "" {
		plain, rest, special := strings.Cut(s, "'")
		if strings.ContainsAny(plain, "0#.,;%‰¤-") {
			plain = "'" + plain + "'"
		}
		b.WriteString(plain)
		if !special {
			break
		}
		r := []rune(rest)
		n := 1
		if r[0] == '¤' && len(r) > 1 && r[1] == '¤' {
			n = 2
		}
		b.WriteString(choose(r[0] == '\'', "'", "") + string(r[:n]))
		s = string(r[n:])
	}
	return b.String()
}
