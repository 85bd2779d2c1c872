package groovy

// jsonBuilder is groovy.json.JsonBuilder and StreamingJsonBuilder: calls and
// closures make a value, which is content, and is written at once when the
// builder has a writer.
type jsonBuilder struct {
	v Value
	w Value // of a StreamingJsonBuilder
}

func jsonBuilderClasses() []*Class {
	return []*Class{
		{Name: "JsonBuilder", New: func(_ *Thread, a []Value) (Value, error) { return &jsonBuilder{v: arg(a, 0)}, nil }},
		{Name: "StreamingJsonBuilder", New: func(t *Thread, a []Value) (Value, error) {
			b := &jsonBuilder{w: arg(a, 0)}
			if len(a) == 2 {
				_, err := b.made(t, a[1])
				return b, err
			}
			return b, nil
		}},
	}
}

// Type names the class.
func (b *jsonBuilder) Type() string {
	if b.w != nil {
		return "groovy.json.StreamingJsonBuilder"
	}
	return "groovy.json.JsonBuilder"
}

// Get reads the content.
func (b *jsonBuilder) Get(_ *Thread, id string) (Value, error) {
	if id == "content" && b.w == nil {
		return b.v, nil
	}
	return nil, ErrNoMember
}

// Set refuses.
func (*jsonBuilder) Set(*Thread, string, Value) error { return ErrNoMember }

// Call builds: b(list), b { ... }, b(list) { ... }, b.name { ... }.
func (b *jsonBuilder) Call(t *Thread, id string, a []Value) (Value, error) {
	switch {
	case id == "call" && len(a) > 0:
		v, err := jsonContent(t, a)
		if err != nil {
			return nil, err
		}
		return b.made(t, v)
	case b.w == nil && id == "toString":
		return text(t.toJSON(b.v))
	case b.w == nil && id == "toPrettyString":
		return b.pretty(t)
	case b.w == nil && id == "writeTo" && len(a) == 1:
		s, err := t.toJSON(b.v)
		if err != nil {
			return nil, err
		}
		_, err = t.CallMethod(a[0], "write", []Value{s})
		return a[0], err
	case id == "getClass" || id == "hashCode" || id == "equals":
		return nil, ErrNoMember
	}
	return b.named(t, id, a)
}

// Shown is the builder's text.
func (b *jsonBuilder) Shown(t *Thread) (string, error) { return t.toJSON(b.v) }

func (b *jsonBuilder) pretty(t *Thread) (Value, error) {
	s, err := t.toJSON(b.v)
	if err != nil {
		return nil, err
	}
	return text(t.prettyJSON(s))
}

func (b *jsonBuilder) made(t *Thread, v Value) (Value, error) {
	b.v = v
	if b.w == nil {
		return v, nil
	}
	s, err := t.toJSON(v)
	if err != nil {
		return nil, err
	}
	_, err = t.CallMethod(b.w, "write", []Value{s})
	return b, err
}

// named is b.name(args): an object of one name.
func (b *jsonBuilder) named(t *Thread, id string, a []Value) (Value, error) {
	root := NewMap()
	switch {
	case len(a) == 0:
		root.Put(id, NewMap())
		return b.made(t, root)
	case len(a) <= 2:
		_, closes := a[len(a)-1].(*Closure)
		m, isMap := a[0].(*Map)
		if isMap && closes {
			own, err := jsonContent(t, a[1:])
			if err != nil {
				return nil, err
			}
			m = m.clone()
			m.putAll(own.(*Map))
			root.Put(id, m)
			return b.made(t, root)
		}
		if closes || isMap && len(a) == 1 {
			v, err := jsonContent(t, a)
			if err != nil {
				return nil, err
			}
			root.Put(id, v)
			return b.made(t, root)
		}
	}
	return nil, Throw("JsonException", "Expected no arguments, a single map, a single closure, or a map and closure as arguments.")
}

// jsonContent is what the arguments of a call stand for: the value of one, what
// a closure sets, what it sets for each element of a list, else all as a list.
func jsonContent(t *Thread, a []Value) (Value, error) {
	c, ok := a[len(a)-1].(*Closure)
	switch {
	case ok && len(a) == 1:
		return jsonObject(t, c, nil)
	case ok && len(a) == 2:
		switch a[0].(type) {
		case *List, *Set, *Range:
			list, err := t.elements(a[0])
			if err != nil {
				return nil, err
			}
			out := NewList()
			for _, x := range list {
				v, err := jsonObject(t, c, []Value{x})
				if err != nil {
					return nil, err
				}
				out.Elems = append(out.Elems, v)
			}
			return out, t.grow(len(out.Elems), 16)
		}
	case len(a) == 1:
		return a[0], nil
	}
	return NewList(a...), t.grow(len(a), 16)
}

func jsonObject(t *Thread, c *Closure, args []Value) (Value, error) {
	m := NewMap()
	d := *c
	d.delegate, d.strategy = &mapDelegate{m}, delegateFirst
	_, err := t.callClosure(&d, args)
	return m, first2(err, t.grow(m.Len()+1, 64))
}

// mapDelegate lets a closure fill a map by calls and assignments.
type mapDelegate struct{ m *Map }

// Type names the class.
func (*mapDelegate) Type() string { return "groovy.json.JsonDelegate" }

// Get reads what was set.
func (d *mapDelegate) Get(_ *Thread, id string) (Value, error) {
	if v, ok := d.m.Get(id); ok {
		return v, nil
	}
	return nil, ErrNoMember
}

// Set sets a name.
func (d *mapDelegate) Set(t *Thread, id string, v Value) error {
	d.m.Put(id, v)
	return t.grow(1, 64)
}

// Call sets a name to what its arguments stand for.
func (d *mapDelegate) Call(t *Thread, id string, a []Value) (Value, error) {
	var v Value = NewList()
	if len(a) > 0 {
		var err error
		if v, err = jsonContent(t, a); err != nil {
			return nil, err
		}
	}
	d.m.Put(id, v)
	return v, t.grow(1, 64)
}
