package groovy

import "errors"

func (x *assign) eval(t *Thread, f *frame) (Value, error) {
	if l, ok := x.l.(*listLit); ok {
		return x.all(t, f, l)
	}
	if x.op == "" {
		v, err := x.r.eval(t, f)
		if err != nil {
			return nil, err
		}
		if n, ok := x.l.(*name); ok && n.local != nil && n.local.typ == "" && !n.local.captured {
			f.slots[n.local.slot] = v
			return v, nil
		}
		return store(t, f, x.l, v)
	}
	p, err := placeOf(t, f, x.l)
	if err != nil {
		return nil, err
	}
	old, err := p.get(t, f)
	if err != nil {
		return nil, err
	}
	r, err := x.r.eval(t, f)
	if err != nil {
		return nil, err
	}
	v, err := t.operate(x.op, old, r)
	if err != nil {
		return nil, t.place(f, err, x.pos)
	}
	return p.set(t, f, v)
}

func (x *assign) all(t *Thread, f *frame, l *listLit) (Value, error) {
	v, err := x.r.eval(t, f)
	if err != nil {
		return nil, err
	}
	list, err := t.elements(v)
	if v == nil {
		err = Throw("NullPointerException", "Cannot invoke method getAt() on null object")
	}
	if err != nil {
		return nil, t.place(f, err, x.pos)
	}
	for i, el := range l.elems {
		var y Value
		if i < len(list) {
			y = list[i]
		}
		if _, err := store(t, f, el, y); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// target is where an assignment goes, with its parts evaluated once.
type target struct {
	x    expr
	obj  Value
	key  Value
	id   string
	null bool // x?.id of null
}

func placeOf(t *Thread, f *frame, x expr) (target, error) {
	p := target{x: x}
	var err error
	switch x := x.(type) {
	case *property:
		if p.obj, err = x.x.eval(t, f); err != nil {
			return p, err
		}
		p.null = x.safe && p.obj == nil
		p.id, err = memberName(t, f, x.id, x.idExpr)
	case *index:
		if p.obj, err = x.x.eval(t, f); err != nil {
			return p, err
		}
		p.key, err = x.i.eval(t, f)
	}
	return p, err
}

func (p *target) get(t *Thread, f *frame) (Value, error) {
	var v Value
	var err error
	switch x := p.x.(type) {
	case *property:
		switch {
		case p.null:
			return nil, nil
		case x.field:
			v, err = t.fieldOf(p.obj, p.id)
		default:
			v, err = t.getIn(f, x.x, p.obj, p.id)
		}
	case *index:
		v, err = t.getAt(p.obj, p.key)
	default:
		return p.x.eval(t, f)
	}
	return v, t.place(f, err, p.x.at())
}

// set stores v and returns what was stored.
func (p *target) set(t *Thread, f *frame, v Value) (Value, error) {
	var err error
	switch x := p.x.(type) {
	case *name:
		v, err = x.set(t, f, v)
	case *property:
		switch {
		case p.null:
		case x.field:
			err = t.setFieldOf(p.obj, p.id, v)
		default:
			err = t.setIn(f, x.x, p.obj, p.id, v)
		}
	case *index:
		err = t.putAt(p.obj, p.key, v)
	default:
		err = errors.New("the left side is not assignable")
	}
	return v, t.place(f, err, p.x.at())
}

// store writes v where x says.
func store(t *Thread, f *frame, x expr, v Value) (Value, error) {
	p, err := placeOf(t, f, x)
	if err != nil {
		return nil, err
	}
	return p.set(t, f, v)
}

func (x *name) set(t *Thread, f *frame, v Value) (Value, error) {
	if x.local != nil {
		if x.local.typ != "" {
			var err error
			if v, err = t.coerce(v, x.local.typ); err != nil {
				return nil, err
			}
		}
		if x.local.captured {
			if c, ok := f.slots[x.local.slot].(*cell); ok {
				c.v = v
				return v, nil
			}
			f.slots[x.local.slot] = &cell{v}
			return v, nil
		}
		f.slots[x.local.slot] = v
		return v, nil
	}
	if x.up >= 0 {
		f.up[x.up].v = v
		return v, nil
	}
	t.pos = x.pos
	return v, t.setName(f, x.id, v)
}

// setIn writes a property; code of a class writes its own fields directly.
func (t *Thread) setIn(f *frame, x expr, o Value, id string, v Value) error {
	if n, ok := x.(*name); ok && n.id == "this" && o == f.this {
		if ok, err := t.setField(o, id, v, true); ok || err != nil {
			return err
		}
		if u, ok := o.(*unit); ok {
			u.binding.Put(id, v)
			return t.grow(1, 64)
		}
	}
	return t.Set(o, id, v)
}

func (x *step) eval(t *Thread, f *frame) (Value, error) {
	if n, ok := x.x.(*name); ok && n.local != nil && !n.local.captured {
		if i, ok := f.slots[n.local.slot].(int64); ok && i < 1<<30 && i > -1<<30 {
			d := int64(1)
			if x.op == "--" {
				d = -1
			}
			var v Value = i + d
			old := f.slots[n.local.slot]
			f.slots[n.local.slot] = v
			if x.prefix {
				return v, nil
			}
			return old, nil
		}
	}
	p, err := placeOf(t, f, x.x)
	if err != nil {
		return nil, err
	}
	old, err := p.get(t, f)
	if err != nil {
		return nil, err
	}
	v, err := t.next1(old, x.op)
	if err != nil {
		return nil, t.place(f, err, x.pos)
	}
	if v, err = p.set(t, f, v); err != nil {
		return nil, err
	}
	if x.prefix {
		return v, nil
	}
	return old, nil
}

// next1 is v.next() or v.previous().
func (t *Thread) next1(v Value, op string) (Value, error) {
	if rankOf(v) > 0 {
		if c, ok := v.(Char); ok {
			if op == "++" {
				return c + 1, nil
			}
			return c - 1, nil
		}
		return arithmetic(op[:1], v, int64(1))
	}
	id := "next"
	if op == "--" {
		id = "previous"
	}
	if v == nil {
		return nil, Throw("NullPointerException", "Cannot invoke method %s() on null object", id)
	}
	return t.CallMethod(v, id, nil)
}
