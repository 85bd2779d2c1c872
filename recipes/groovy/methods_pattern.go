package groovy

import (
	"fmt"
	"strings"
)

// textPatternMethods take patterns or work line by line.
func textPatternMethods() methods {
	return methods{
		"matches": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
			if a[0] == nil {
				return nil, Throw("GroovyRuntimeException", "Ambiguous method overloading for method java.lang.String#matches.")
			}
			re, err := t.patternOf(a[0])
			if err != nil {
				return nil, err
			}
			return boolean(t.fits(re, s))
		}),
		"replace": str(1, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.replace(s, a) }),
		"replaceAll": str(1, 2, func(t *Thread, s string, a []Value) (Value, error) {
			return t.replaceWith(s, a, -1)
		}),
		"replaceFirst": str(1, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.replaceWith(s, a, 1) }),
		"minus": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
			if re, ok := a[0].(*regex); ok {
				return t.replacePattern(s, re, "", 1)
			}
			u, err := t.toString(a[0])
			return strings.Replace(s, u, "", 1), err
		}),
		"tokenize": str(0, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.tokenize(s, a) }),
		"split": str(0, 2, func(t *Thread, s string, a []Value) (Value, error) {
			if len(a) == 0 {
				return texts(strings.Fields(s)), t.Alloc(16 * len(s))
			}
			if c, ok := a[0].(*Closure); ok {
				list, err := t.characters(s)
				if err != nil {
					return nil, err
				}
				return t.lib.kinds[kList]["split"].call(t, &List{Elems: list}, []Value{c})
			}
			re, err := t.patternOf(a[0])
			if err != nil {
				return nil, err
			}
			n := int64(0)
			if len(a) == 2 {
				n = toInt(a[1])
			}
			return t.split(s, re, n)
		}),
		"eachLine":      str(1, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.eachLine(s, a) }),
		"splitEachLine": str(2, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.splitEachLine(s, a) }),
		"eachMatch": str(2, 2, func(t *Thread, s string, a []Value) (Value, error) {
			list, err := t.allMatches(s, a[0])
			if err != nil {
				return nil, err
			}
			_, err = t.eachOf(list, a[1])
			return s, err
		}),
		"find":    str(1, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.findIn(s, a) }),
		"findAll": str(1, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.findAllIn(s, a) }),
		"count": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
			if f := Format(a[0]); f != "" {
				return int64(strings.Count(s, f)), nil
			}
			return int64(0), nil
		}),
		"bitwiseNegate": str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.patternValue(s) }),
	}
}

func (t *Thread) replace(s string, a []Value) (Value, error) {
	if m, ok := a[0].(*Map); ok && len(a) == 1 {
		return t.replaceEach(s, m)
	}
	if len(a) != 2 {
		return nil, ErrNoMember
	}
	from, to := Format(a[0]), Format(a[1])
	if err := t.grow(len(s)+strings.Count(s, from)*len(to), 1); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(s, from, to), nil
}

// replaceEach puts the values of m in the place of its keys.
func (t *Thread) replaceEach(s string, m *Map) (Value, error) {
	pairs := make([]string, 0, 2*m.Len())
	size := 0
	for _, e := range m.entries() {
		pairs = append(pairs, Format(e.k), Format(e.v))
		size += len(pairs[len(pairs)-2]) + len(pairs[len(pairs)-1]) + 64
		if err := t.charge(1 + size/1024); err != nil {
			return nil, err
		}
	}
	if err := t.grow(size, 1); err != nil {
		return nil, err
	}
	b := &builder{}
	_, err := strings.NewReplacer(pairs...).WriteString(growing{t, b}, s)
	return string(b.b), err
}

// growing accounts what is written to a builder.
type growing struct {
	t *Thread
	b *builder
}

func (w growing) Write(p []byte) (int, error) { return w.WriteString(string(p)) }

// WriteString adds s, or says that the text gets too long.
func (w growing) WriteString(s string) (int, error) { return len(s), w.t.appendTo(w.b, s) }

// replaceWith is replaceAll and replaceFirst: by a text or by a closure.
func (t *Thread) replaceWith(s string, a []Value, n int) (Value, error) {
	if len(a) != 2 {
		return nil, ErrNoMember
	}
	for i, what := range []string{"regex", "replacement"} {
		if a[i] == nil {
			return nil, Throw("NullPointerException", `Cannot invoke "java.lang.CharSequence.toString()" because "%s" is null`, what)
		}
	}
	re, err := t.patternOf(a[0])
	if err != nil {
		return nil, err
	}
	return t.replacePattern(s, re, a[1], n)
}

// replacePattern puts by in the place of the first n matches (-1: of all).
func (t *Thread) replacePattern(s string, re *regex, by Value, n int) (Value, error) {
	replace, err := t.replacer(s, re, by)
	if err != nil {
		return nil, err
	}
	m := newMatcher(re, s)
	var b []byte
	at, found := 0, false
	for ; n != 0; n-- {
		ok, err := m.find(t)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		found = true
		b = append(b, s[at:m.place[0]]...)
		had := len(b)
		if b, err = replace(b, m); err != nil {
			return nil, err
		}
		if len(b) > maxString*2 {
			return nil, t.grow(len(b), 1)
		}
		if err := t.Alloc(len(b) - had + m.place[1] - at + 8); err != nil {
			return nil, err
		}
		at = m.place[1]
	}
	if !found {
		return s, nil
	}
	b = append(b, s[at:]...)
	return string(b), t.grow(len(b), 1)
}

// replacer adds to b what replaces the match that m is at.
func (t *Thread) replacer(s string, re *regex, by Value) (func(b []byte, m *matcher) ([]byte, error), error) {
	closure := func(b []byte, v Value, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		u, err := t.toString(v)
		return append(b, u...), err
	}
	switch by := by.(type) {
	case *Closure:
		return func(b []byte, m *matcher) ([]byte, error) {
			v, err := t.matchCall(by, groupsAt(s, m.place))
			return closure(b, v, err)
		}, nil
	case matchFunction:
		return func(b []byte, m *matcher) ([]byte, error) {
			v, err := t.callClosure(by.c, []Value{m})
			if err != nil {
				return nil, err
			}
			with, err := t.toString(v)
			if err != nil {
				return nil, err
			}
			return re.expand(b, with, s, m.place)
		}, nil
	}
	with, err := t.toString(by)
	return func(b []byte, m *matcher) ([]byte, error) { return re.expand(b, with, s, m.place) }, err
}

// matchCall calls a closure with a match: with its text, or with a list of the
// texts of all groups, which spreads over as many parameters.
func (t *Thread) matchCall(c *Closure, g []Value) (Value, error) {
	return t.callClosure(c, []Value{groups(g)})
}

func (t *Thread) tokenize(s string, a []Value) (Value, error) {
	if err := t.Alloc(16 * len(s)); err != nil { // each of its characters may be a word
		return nil, err
	}
	sep := " \t\n\r\f"
	if len(a) == 1 {
		sep = Format(a[0])
	}
	ends := map[rune]bool{}
	for _, r := range sep {
		ends[r] = true
	}
	return words(strings.FieldsFunc(s, func(r rune) bool { return ends[r] })), t.charge(len(sep) / 64)
}

// split is String.split: without a limit empty parts at the end go. An empty
// match at the beginning splits nothing off.
func (t *Thread) split(s string, re *regex, limit int64) (Value, error) {
	m := newMatcher(re, s)
	var parts []string
	at := 0
	for limit <= 0 || int64(len(parts)) < limit-1 {
		ok, err := m.find(t)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if m.last == 0 {
			continue
		}
		if len(parts) == maxMatches {
			return nil, fmt.Errorf("%w: split into more than %d parts", ErrLimit, maxMatches)
		}
		if err := t.Alloc(48); err != nil {
			return nil, err
		}
		parts = append(parts, s[at:m.first])
		at = m.last
	}
	parts = append(parts, s[at:])
	for limit == 0 && len(parts) > 0 && at > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return texts(parts), t.Alloc(48 * len(parts))
}

func (t *Thread) eachLine(s string, a []Value) (Value, error) {
	c, ok := a[len(a)-1].(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	first := int64(0)
	if len(a) == 2 {
		first = toInt(a[0])
	}
	if err := t.Alloc(16 * len(s)); err != nil {
		return nil, err
	}
	var v Value
	for i, l := range lines(s) {
		if err := t.charge(1); err != nil {
			return nil, err
		}
		args := []Value{l}
		if c.arity() == 2 {
			args = []Value{l, first + int64(i)}
		}
		var err error
		if v, err = t.callClosure(c, args); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (t *Thread) splitEachLine(s string, a []Value) (Value, error) {
	c, ok := a[1].(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	re, err := t.patternOf(a[0])
	if err != nil {
		return nil, err
	}
	var v Value
	for _, l := range lines(s) {
		parts, err := t.split(l, re, 0)
		if err != nil {
			return nil, err
		}
		args := []Value{&List{Elems: parts.(*List).Elems}}
		if v, err = t.callClosure(c, args); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (t *Thread) findIn(s string, a []Value) (Value, error) {
	if c, ok := a[0].(*Closure); ok { // by a test of each character
		list, err := t.characters(s)
		if err != nil {
			return nil, err
		}
		return t.lib.kinds[kList]["find"].call(t, &List{Elems: list}, []Value{c})
	}
	re, err := t.patternOf(a[0])
	if err != nil {
		return nil, err
	}
	places, err := t.matches(re, s, 1)
	if err != nil || places == nil {
		return nil, err
	}
	g := groupsAt(s, places[0])
	if len(a) == 2 {
		c, ok := a[1].(*Closure)
		if !ok {
			return nil, ErrNoMember
		}
		v, err := t.matchCall(c, g)
		if err != nil {
			return nil, err
		}
		return text(t.toString(v))
	}
	return g[0], nil
}

func (t *Thread) findAllIn(s string, a []Value) (Value, error) {
	if c, ok := a[0].(*Closure); ok {
		list, err := t.characters(s)
		if err != nil {
			return nil, err
		}
		return t.lib.kinds[kList]["findAll"].call(t, &List{Elems: list}, []Value{c})
	}
	re, err := t.patternOf(a[0])
	if err != nil {
		return nil, err
	}
	places, err := t.matches(re, s, -1)
	l := NewList()
	for _, p := range places {
		if len(a) == 2 {
			c, ok := a[1].(*Closure)
			if !ok {
				return nil, ErrNoMember
			}
			v, err := t.matchCall(c, groupsAt(s, p))
			if err != nil {
				return nil, err
			}
			l.Elems = append(l.Elems, v)
			continue
		}
		l.Elems = append(l.Elems, s[p[0]:p[1]])
	}
	return l, err
}

func (t *Thread) allMatches(s string, pattern Value) ([]Value, error) {
	re, err := t.patternOf(pattern)
	if err != nil {
		return nil, err
	}
	return newMatcher(re, s).all(t)
}

func patternMethods() methods {
	return methods{
		"matcher": on(1, 1, func(t *Thread, re *regex, a []Value) (Value, error) {
			s, err := t.toString(a[0])
			return newMatcher(re, s), err
		}),
		"pattern": on(0, 0, func(_ *Thread, re *regex, _ []Value) (Value, error) { return re.src, nil }),
		"flags":   on(0, 0, func(_ *Thread, re *regex, _ []Value) (Value, error) { return int64(re.flags), nil }),
		"split": on(1, 2, func(t *Thread, re *regex, a []Value) (Value, error) {
			s, err := t.toString(a[0])
			if err != nil {
				return nil, err
			}
			return t.split(s, re, toInt(choose(len(a) == 2, arg(a, 1), Value(int64(0)))))
		}),
		"isCase": on(1, 1, func(t *Thread, re *regex, a []Value) (Value, error) { return boolean(t.isCase(re, a[0])) }),
		"asPredicate": on(0, 0, func(t *Thread, re *regex, _ []Value) (Value, error) {
			c := nativeClosure(t.unit(), 1, func(t *Thread, a []Value) (Value, error) {
				s, err := t.toString(arg(a, 0))
				if err != nil {
					return nil, err
				}
				return boolean(t.finds(re, s))
			})
			c.iface = "Predicate"
			return c, nil
		}),
	}
}

func arg(args []Value, i int) Value {
	if i < len(args) {
		return args[i]
	}
	return nil
}

func (t *Thread) eachChar(s string, fn Value) (Value, error) {
	c, ok := fn.(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	for _, r := range s {
		if err := t.charge(1); err != nil {
			return nil, err
		}
		if _, err := t.callClosure(c, []Value{string(r)}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// collectReplacements puts what the closure answers in the place of each
// character; null keeps it.
func (t *Thread) collectReplacements(s string, fn Value) (Value, error) {
	c, ok := fn.(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	var b strings.Builder
	for _, r := range s {
		v, err := t.callClosure(c, []Value{Char(r)})
		if err != nil {
			return nil, err
		}
		part := string(r)
		if v != nil {
			part = Format(v)
		}
		if err := t.Alloc(len(part)); err != nil {
			return nil, err
		}
		b.WriteString(part)
	}
	return b.String(), nil
}
