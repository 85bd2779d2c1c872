package groovy

import (
	"math"
	"strings"
)

// choiceFormat is a java.text.ChoiceFormat: a text for each range of numbers.
type choiceFormat struct {
	limits []float64 // where each begins
	texts  []string
}

// newChoice reads "0#none|1#one|1<many".
func newChoice(s string) (*choiceFormat, error) {
	c := &choiceFormat{}
	var seg [2]strings.Builder
	part, quoted, from := 0, false, math.NaN()
	end := func() {
		c.limits, c.texts = append(c.limits, from), append(c.texts, seg[1].String())
		seg[1].Reset()
		part = 0
	}
	r := []rune(s)
	for i := 0; i < len(r); i++ {
		switch ch := r[i]; {
		case ch == '\'' && i+1 < len(r) && r[i+1] == ch:
			seg[part].WriteRune(ch)
			i++
		case ch == '\'':
			quoted = !quoted
		case quoted:
			seg[part].WriteRune(ch)
		case ch == '<' || ch == '#' || ch == '≤':
			x, err := choiceLimit(seg[0].String())
			if err != nil {
				return nil, err
			}
			if ch == '<' && !math.IsInf(x, 1) {
				x = math.Nextafter(x, math.Inf(1))
			}
			if len(c.limits) > 0 && x <= c.limits[len(c.limits)-1] {
				return nil, Throw("IllegalArgumentException", "Incorrect order of intervals, must be in ascending order")
			}
			from, part = x, 1
			seg[0].Reset()
		case ch == '|':
			end()
		default:
			seg[part].WriteRune(ch)
		}
	}
	if part == 1 {
		end()
	}
	return c, nil
}

func choiceLimit(s string) (float64, error) {
	switch s {
	case "":
		return 0, Throw("IllegalArgumentException", "Each interval must contain a number before a format")
	case "∞":
		return math.Inf(1), nil
	case "-∞":
		return math.Inf(-1), nil
	}
	v, err := parseFloat(strings.TrimSpace(s))
	x, _ := Number(v)
	return x, err
}

// choose is the text for a number.
func (c *choiceFormat) choose(x float64) (string, error) {
	at := 0
	for i, l := range c.limits {
		if x >= l {
			at = i
		}
	}
	if len(c.texts) == 0 {
		return "", Throw("ArrayIndexOutOfBoundsException", "Index 0 out of bounds for length 0")
	}
	return c.texts[at], nil
}

func choiceFormatClass() *Class {
	return &Class{Name: "ChoiceFormat", Members: []string{"format"}, New: func(t *Thread, a []Value) (Value, error) {
		if len(a) == 2 { // limits and texts
			limits, err1 := t.elements(a[0])
			texts, err2 := t.elements(a[1])
			c := &choiceFormat{}
			if len(limits) != len(texts) {
				return nil, Throw("IllegalArgumentException", "Input arrays must be of the same length.")
			}
			for i, l := range limits {
				x, _ := Number(l)
				c.limits, c.texts = append(c.limits, x), append(c.texts, Format(texts[i]))
			}
			return c, first2(err1, err2)
		}
		return newChoice(Format(arg(a, 0)))
	}}
}

// Type names the class.
func (*choiceFormat) Type() string { return "java.text.ChoiceFormat" }

// Get knows no properties.
func (*choiceFormat) Get(*Thread, string) (Value, error) { return nil, ErrNoMember }

// Set refuses.
func (*choiceFormat) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a method.
func (c *choiceFormat) Call(_ *Thread, id string, a []Value) (Value, error) {
	if id != "format" || len(a) != 1 {
		return nil, ErrNoMember
	}
	x, ok := Number(a[0])
	if !ok {
		return nil, Throw("IllegalArgumentException", "Cannot format given Object as a Number")
	}
	return text(c.choose(x))
}
