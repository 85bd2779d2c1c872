package groovy

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

func (x *literal) eval(*Thread, *frame) (Value, error) { return x.val, nil }

func (x *gstring) eval(t *Thread, f *frame) (Value, error) {
	if x.lazy || x.keep {
		return x.parted(t, f)
	}
	var b strings.Builder
	for _, part := range x.parts {
		v, err := part.eval(t, f)
		if err != nil {
			return nil, err
		}
		s, ok := v.(string)
		if !ok {
			if s, err = t.toString(v); err != nil {
				return nil, t.place(f, err, part.at())
			}
		}
		if err := t.grow(b.Len()+len(s), 1); err != nil {
			return nil, t.place(f, err, x.pos)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// parted is the value of a string that keeps its parts.
func (x *gstring) parted(t *Thread, f *frame) (Value, error) {
	g := &lazyString{}
	for _, part := range x.parts {
		v, err := part.eval(t, f)
		if err != nil {
			return nil, err
		}
		l, text := part.(*literal)
		g.parts, g.fixed = append(g.parts, v), append(g.fixed, text && l.pos == x.pos)
	}
	return g, t.place(f, t.Alloc(64+16*len(g.parts)), x.pos)
}

// joined is g + v: a GString that keeps the parts of both.
func (g *lazyString) joined(t *Thread, v Value) (Value, error) {
	sum := &lazyString{parts: slices.Clone(g.parts), fixed: slices.Clone(g.fixed)}
	if o, ok := v.(*lazyString); ok {
		sum.parts, sum.fixed = append(sum.parts, o.parts...), append(sum.fixed, o.fixed...)
	} else {
		s, err := t.toString(v)
		if err != nil {
			return nil, err
		}
		sum.parts, sum.fixed = append(sum.parts, s), append(sum.fixed, true)
	}
	return sum, t.grow(len(sum.parts)+4, 16)
}

// lazyPart is what a closure in a string gives: it is called without
// arguments, or with a writer when it takes one.
func (t *Thread) lazyPart(c *Closure) (Value, error) {
	if len(c.lit.fn.params) == 1 && !c.lit.implicit {
		b := &builder{class: "StringWriter"}
		_, err := t.callClosure(c, []Value{b})
		return b, err
	}
	return t.callClosure(c, nil)
}

// toString is Format, with the toString methods of script classes.
func (t *Thread) toString(v Value) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return itoa(v), nil
	}
	f := &formatter{t: t}
	f.value(v, 0)
	if f.err != nil {
		return "", f.err
	}
	return f.b.String(), t.grow(f.b.Len(), 1)
}

func (x *name) eval(t *Thread, f *frame) (Value, error) {
	if x.local != nil {
		v := f.slots[x.local.slot]
		if x.local.captured {
			if c, ok := v.(*cell); ok {
				return c.v, nil
			}
		}
		return v, nil
	}
	if x.up >= 0 {
		return f.up[x.up].v, nil
	}
	t.pos = x.pos
	v, err := t.lookup(f, x.id)
	return v, t.place(f, err, x.pos)
}

func (x *classRef) eval(t *Thread, f *frame) (Value, error) {
	if c := t.class(f.unit, x.typ); c != nil {
		return c, nil
	}
	return &Class{Name: x.typ}, nil
}

func (x *listLit) eval(t *Thread, f *frame) (Value, error) {
	vals := make([]Value, 0, len(x.elems))
	for _, el := range x.elems {
		if s, ok := el.(*spread); ok {
			more, err := s.elements(t, f)
			if err != nil {
				return nil, err
			}
			vals = append(vals, more...)
			continue
		}
		v, err := el.eval(t, f)
		if err != nil {
			return nil, err
		}
		vals = append(vals, v)
	}
	return &List{Elems: vals}, t.place(f, t.grow(len(vals)+2, 16), x.pos)
}

func (x *spread) eval(t *Thread, f *frame) (Value, error) {
	return nil, t.place(f, errors.New("unexpected '*'"), x.pos)
}

func (x *spread) elements(t *Thread, f *frame) ([]Value, error) {
	v, err := x.x.eval(t, f)
	if err != nil || v == nil {
		return nil, err
	}
	list, err := t.elements(v)
	return list, t.place(f, err, x.pos)
}

func (x *mapLit) eval(t *Thread, f *frame) (Value, error) {
	m := NewMap()
	if n := len(x.entries); n > 0 {
		m.slots = make([]slot, 0, n)
	}
	if err := t.grow(len(x.entries)+1, 48); err != nil {
		return nil, t.place(f, err, x.pos)
	}
	for _, en := range x.entries {
		v, err := en.val.eval(t, f)
		if err != nil {
			return nil, err
		}
		if en.key == nil {
			if o, ok := v.(*Map); ok {
				m.putAll(o)
			}
			continue
		}
		k, err := en.key.eval(t, f)
		if err != nil {
			return nil, err
		}
		m.Put(k, v)
	}
	return m, nil
}

func (x *rangeLit) eval(t *Thread, f *frame) (Value, error) {
	a, err := x.from.eval(t, f)
	if err != nil {
		return nil, err
	}
	b, err := x.to.eval(t, f)
	if err != nil {
		return nil, err
	}
	v, err := t.rangeOf(a, b, x.exclusive)
	return v, t.place(f, err, x.pos)
}

func (t *Thread) rangeOf(a, b Value, exclusive bool) (Value, error) {
	if s, ok := plainString(a).(string); ok {
		return t.textRange(s, Format(b), exclusive)
	}
	from, ok1 := Int(a)
	to, ok2 := Int(b)
	if !ok1 || !ok2 {
		if rankOf(a) > 0 && rankOf(b) > 0 {
			return t.stepRange(a, b, exclusive)
		}
		if d, ok := a.(*Date); ok {
			if e, ok := b.(*Date); ok {
				return t.daysTo(d, e, exclusive)
			}
		}
		return nil, Throw("IllegalArgumentException", "range %s..%s", Format(a), Format(b))
	}
	end := to
	if exclusive {
		switch {
		case from == to:
			return NewList(), nil
		case from < to:
			to--
		default:
			to++
		}
	}
	return &Range{from, to, exclusive, end}, nil
}

// stepRange is a range of numbers with fractions, one apart.
func (t *Thread) stepRange(a, b Value, exclusive bool) (Value, error) {
	l := NewList()
	for compareNumbers(a, b) < 0 || compareNumbers(a, b) == 0 && !exclusive {
		l.Elems = append(l.Elems, a)
		if err := t.grow(len(l.Elems), 16); err != nil {
			return nil, err
		}
		var err error
		if a, err = arithmetic("+", a, int64(1)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (t *Thread) textRange(s, u string, exclusive bool) (Value, error) {
	if utf8.RuneCountInString(s) != 1 || utf8.RuneCountInString(u) != 1 {
		return nil, Throw("IllegalArgumentException", "range '%s'..'%s': both ends must be one character", s, u)
	}
	from, _ := utf8.DecodeRuneInString(s)
	to, _ := utf8.DecodeRuneInString(u)
	l := NewList()
	if exclusive && from == to {
		return l, nil
	}
	delta := rune(1)
	if from > to {
		delta = -1
	}
	for r := from; len(l.Elems) < 70000; r += delta {
		if r == to && exclusive {
			break
		}
		l.Elems = append(l.Elems, string(r))
		if r == to {
			break
		}
	}
	return l, t.grow(len(l.Elems), 20)
}

func (x *unary) eval(t *Thread, f *frame) (Value, error) {
	v, err := x.x.eval(t, f)
	if err != nil {
		return nil, err
	}
	if x.op == "!" {
		b, err := t.truth(v)
		return !b, t.place(f, err, x.pos)
	}
	v, err = t.unary(x.op, v)
	return v, t.place(f, err, x.pos)
}

func (x *ternary) eval(t *Thread, f *frame) (Value, error) {
	cond, err := x.cond.eval(t, f)
	if err != nil {
		return nil, err
	}
	ok, err := t.truth(cond)
	switch {
	case err != nil:
		return nil, t.place(f, err, x.pos)
	case !ok:
		return x.no.eval(t, f)
	case x.yes == nil:
		return cond, nil
	}
	return x.yes.eval(t, f)
}

// truth is Truth, with the asBoolean methods of script classes.
func (t *Thread) truth(v Value) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case *instance:
		if m := v.class.find("asBoolean", nil); m != nil {
			r, err := t.invokeMethod(v, m, nil)
			return Truth(r), err
		}
	case *lazyString:
		s, err := t.toString(v)
		return s != "", err
	case *matcher: // it goes to its next match
		return v.find(t)
	case interface{ Truth() bool }:
		return v.Truth(), nil
	}
	return Truth(v), nil
}

func (x *closureLit) eval(t *Thread, f *frame) (Value, error) {
	c := &Closure{lit: x, unit: f.unit, this: f.this, class: f.class}
	if f.clo != nil {
		c.owner = f.clo
	} else {
		c.owner = f.this
	}
	c.up = captured(f, x.fn.captures)
	return c, t.place(f, t.Alloc(112+8*len(c.up)), x.pos)
}

// captured collects the cells that a closure takes along.
func captured(f *frame, list []capture) []*cell {
	if len(list) == 0 {
		return nil
	}
	up := make([]*cell, len(list))
	for i, c := range list {
		if c.local == nil {
			up[i] = f.up[c.up]
			continue
		}
		p, ok := f.slots[c.local.slot].(*cell)
		if !ok { // not declared yet
			p = &cell{}
			f.slots[c.local.slot] = p
		}
		up[i] = p
	}
	return up
}

func (x *conversion) eval(t *Thread, f *frame) (Value, error) {
	v, err := x.x.eval(t, f)
	if err != nil {
		return nil, err
	}
	if x.cast {
		v, err = t.cast(v, x.typ)
	} else {
		v, err = t.convert(v, x.typ)
	}
	return v, t.place(f, err, x.pos)
}

func (x *typeTest) eval(t *Thread, f *frame) (Value, error) {
	v, err := x.x.eval(t, f)
	return err == nil && t.instanceOf(v, x.typ), err
}

func (x *methodPointer) eval(t *Thread, f *frame) (Value, error) {
	v, err := x.x.eval(t, f)
	if err != nil {
		return nil, err
	}
	id, err := memberName(t, f, x.id, x.idExpr)
	if err != nil {
		return nil, err
	}
	return t.pointer(f, v, id, x.pos), nil
}

// memberName is the name after a dot.
func memberName(t *Thread, f *frame, id string, x expr) (string, error) {
	if x == nil {
		return id, nil
	}
	v, err := x.eval(t, f)
	if err != nil {
		return "", err
	}
	return Format(v), nil
}
