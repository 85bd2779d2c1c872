package groovy

func matcherMethods() methods {
	counted := on(0, 0, func(t *Thread, m *matcher, _ []Value) (Value, error) {
		places, err := m.found(t)
		return int64(len(places)), err
	})
	place := func(of func(m *matcher) int) method {
		return on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return m.chars(of(m)), nil })
	}
	search := func(kind searchKind) method {
		return on(0, 0, func(t *Thread, m *matcher, _ []Value) (Value, error) { return boolean(m.search(t, m.from, kind)) })
	}
	return methods{
		"matches": search(entire), "lookingAt": search(here),
		"find": on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			if c, ok := arg(a, 0).(*Closure); ok { // the first match that it is true of
				list, err := m.all(t)
				if err != nil {
					return nil, err
				}
				return t.lib.kinds[kList]["find"].call(t, &List{Elems: list}, []Value{c})
			}
			return boolean(m.findFrom(t, a))
		}),
		"reset":       on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) { return m, m.resetTo(t, a) }),
		"region":      on(2, 2, func(_ *Thread, m *matcher, a []Value) (Value, error) { return m, m.setRegion(toInt(a[0]), toInt(a[1])) }),
		"regionStart": place(func(m *matcher) int { return m.from }), "regionEnd": place(func(m *matcher) int { return m.to }),
		"hasGroup":   on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return m.re.prog.groups > 1, nil }),
		"groupCount": on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return int64(m.re.prog.groups - 1), nil }),
		"getCount":   counted, "size": counted,
		"group": on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) { return m.group(a) }),
		"start": on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) { return m.edge(t, a, 0) }),
		"end":   on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) { return m.edge(t, a, 1) }),
		"replaceAll": on(1, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			m.reset(0, len(m.s))
			return t.replacePattern(m.s, m.re, m.function(a[0]), -1)
		}),
		"replaceFirst": on(1, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			m.reset(0, len(m.s))
			return t.replacePattern(m.s, m.re, m.function(a[0]), 1)
		}),
		"appendReplacement": on(2, 2, func(t *Thread, m *matcher, a []Value) (Value, error) { return m.appendReplacement(t, a[0], a[1]) }),
		"appendTail": on(1, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			b, ok := a[0].(*builder)
			if !ok {
				return nil, ErrNoMember
			}
			return b, t.appendTo(b, m.s[m.appended:])
		}),
		"usePattern": on(1, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			re, ok := a[0].(*regex)
			if !ok {
				return nil, ErrNoMember
			}
			m.re, m.place, m.places, m.looked = re, nil, nil, false
			return m, nil
		}),
		"pattern": on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return m.re, nil }),
		"toMatchResult": on(0, 0, func(t *Thread, m *matcher, _ []Value) (Value, error) {
			c := *m
			return &c, t.Alloc(128)
		}),
		"asBoolean": on(0, 0, func(t *Thread, m *matcher, _ []Value) (Value, error) { return boolean(m.find(t)) }),
	}
}

// findFrom is find() and find(offset).
func (m *matcher) findFrom(t *Thread, a []Value) (bool, error) {
	if len(a) == 0 {
		return m.find(t)
	}
	from, ok := m.bytes(toInt(a[0]))
	if !ok {
		return false, Throw("IndexOutOfBoundsException", "Illegal start index")
	}
	m.reset(0, len(m.s))
	return m.search(t, from, anywhere)
}

// resetTo is reset() and reset(text).
func (m *matcher) resetTo(t *Thread, a []Value) error {
	if len(a) == 1 {
		s, err := t.toString(a[0])
		if err != nil {
			return err
		}
		m.s = s
	}
	m.reset(0, len(m.s))
	return nil
}

func (m *matcher) setRegion(from, to int64) error {
	a, ok1 := m.bytes(from)
	b, ok2 := m.bytes(to)
	switch {
	case !ok1:
		return Throw("IndexOutOfBoundsException", "start")
	case !ok2:
		return Throw("IndexOutOfBoundsException", "end")
	case a > b:
		return Throw("IndexOutOfBoundsException", "start > end")
	}
	m.reset(a, b)
	return nil
}

// index is the number of the group that the arguments name.
func (m *matcher) index(a []Value) (int, error) {
	if len(a) == 0 {
		return 0, nil
	}
	if s, ok := plainString(a[0]).(string); ok {
		n, ok := m.re.names[s]
		if !ok {
			return 0, Throw("IllegalArgumentException", "No group with name <%s>", s)
		}
		return n, nil
	}
	n := toInt(a[0])
	if n < 0 || n >= int64(m.re.prog.groups) {
		return 0, Throw("IndexOutOfBoundsException", "No group %d", n)
	}
	return int(n), nil
}

func (m *matcher) group(a []Value) (Value, error) {
	if m.first < 0 {
		return nil, Throw("IllegalStateException", "No match found")
	}
	n, err := m.index(a)
	if err != nil || m.place == nil || m.place[2*n] < 0 {
		return nil, err
	}
	return m.s[m.place[2*n]:m.place[2*n+1]], nil
}

func (m *matcher) edge(t *Thread, a []Value, side int) (Value, error) {
	if m.first < 0 {
		return nil, Throw("IllegalStateException", "No match available")
	}
	n, err := m.index(a)
	if err != nil {
		return nil, err
	}
	if m.place == nil || m.place[2*n] < 0 {
		return int64(-1), nil
	}
	return m.chars(m.place[2*n+side]), t.charge(m.place[2*n+side] / 64)
}

// function is what replaces: a text, or a closure that gets the matcher.
func (m *matcher) function(by Value) Value {
	c, ok := by.(*Closure)
	if !ok {
		return by
	}
	return matchFunction{m, c}
}

// matchFunction is a java.util.function.Function of a match.
type matchFunction struct {
	m *matcher
	c *Closure
}

// appendReplacement adds to the builder what is between the last match and
// this one, and the replacement.
func (m *matcher) appendReplacement(t *Thread, to, by Value) (Value, error) {
	b, ok := to.(*builder)
	if !ok {
		return nil, ErrNoMember
	}
	if m.first < 0 || m.place == nil {
		return nil, Throw("IllegalStateException", "No match available")
	}
	with, err := t.toString(by)
	if err != nil {
		return nil, err
	}
	text, err := m.re.expand(nil, with, m.s, m.place)
	if err != nil {
		return nil, err
	}
	if err := t.appendTo(b, m.s[m.appended:m.place[0]]); err != nil {
		return nil, err
	}
	m.appended = m.place[1]
	return m, t.appendTo(b, string(text))
}
