package groovy

import (
	"fmt"
	"slices"
)

// initialize evaluates the static fields of a class and an enum's constants.
func (t *Thread) initialize(c *scriptClass) error {
	d := c.decl
	fr := frame{this: c, unit: c.unit, class: c, up: c.up}
	for i, k := range d.constants {
		if err := t.constant(c, k, i, fr); err != nil {
			return err
		}
	}
	if err := t.initFields(c.statics, d.statics, d.staticInit, fr); err != nil {
		return err
	}
	for _, m := range d.inits {
		if m.static {
			if _, err := t.run(m.fn, nil, fr); err != nil {
				return err
			}
		}
	}
	return nil
}

// initFields evaluates initializers in a frame of their own.
func (t *Thread) initFields(m *Map, fields []*varDecl, fn *function, fr frame) error {
	if len(fields) == 0 {
		return nil
	}
	for _, f := range fields {
		if fr.class == nil || fr.class.hides[f.ids[0]] != nil || !m.Has(f.ids[0]) {
			m.Put(f.ids[0], zero(f.typ))
		}
	}
	if fn == nil {
		return nil
	}
	mark := t.stack
	f := t.take()
	*f = fr
	f.fn, f.slots = fn, t.stack.push(fn.slots)
	outer := t.frame
	t.frame = f
	defer func() {
		t.frame, t.stack = outer, mark
		t.give(f)
	}()
	for _, d := range fields {
		if d.init == nil {
			continue
		}
		v, err := d.init.eval(t, f)
		if err == nil {
			v, err = t.coerce(v, d.typ)
		}
		if err != nil {
			return t.place(f, err, d.pos)
		}
		m.Put(d.ids[0], v)
	}
	return nil
}

// constant makes one constant of an enum.
func (t *Thread) constant(c *scriptClass, k enumConst, i int, fr frame) error {
	class := c
	if k.body != nil {
		sub, err := t.link(c.unit, k.body)
		if err != nil {
			return err
		}
		if err := t.resolve(sub, 0); err != nil {
			return err
		}
		class = sub
	}
	o := &instance{class: class, fields: NewMap(), ordinal: i}
	mark := t.stack
	f := t.take()
	*f = fr
	f.fn, f.slots = c.decl.staticInit, t.stack.push(c.decl.staticInit.slots)
	args, err := t.arguments(f, k.args, k.named, false)
	if err == nil {
		err = t.fill(o, c, args, k.named != nil)
	}
	t.give(f)
	t.stack = mark
	if err != nil {
		return t.placeIn(c.unit, err, k.pos)
	}
	o.fields.Put("name", k.id)
	c.statics.Put(k.id, o)
	c.consts = append(c.consts, o)
	return nil
}

// construct makes an instance: fields, then a constructor or named arguments.
func (t *Thread) construct(c *scriptClass, args []Value, named bool) (Value, error) {
	if err := t.Alloc(256); err != nil {
		return nil, err
	}
	if c.decl.iface || c.decl.abstract {
		return nil, Throw("InstantiationException", "%s is abstract: it cannot be made with new", c.decl.id)
	}
	o := &instance{class: c, fields: NewMap(), ordinal: -1}
	o.declare(c)
	return o, t.fill(o, c, args, named)
}

// declare gives o the fields of c and its ancestors, empty: a method that an
// ancestor's constructor calls may use the fields of the class that it is in.
func (o *instance) declare(c *scriptClass) {
	if c.parent != nil {
		o.declare(c.parent)
	}
	for _, f := range c.decl.fields {
		if !o.fields.Has(f.ids[0]) {
			o.fields.Put(f.ids[0], zero(f.typ))
		}
	}
}

// fill runs field initializers and the constructor of c on o.
func (t *Thread) fill(o *instance, c *scriptClass, args []Value, named bool) error {
	if err := t.deeper(40); err != nil {
		return err
	}
	defer t.shallower(40)
	m := pickBound(c.methods["<init>"], args)
	if m == nil || !callsThis(m.fn) {
		if err := t.prepare(o, c, m); err != nil {
			return err
		}
	}
	if m != nil {
		_, err := t.run(m.fn, args, frame{this: o, unit: c.unit, class: c, up: c.up})
		return err
	}
	return t.fillPlain(o, c, args, named)
}

// callsThis says whether a constructor begins with this(...), which does the
// rest.
func callsThis(fn *function) bool {
	s, ok := firstStmt(fn).(*superInit)
	return ok && s.this
}

func firstStmt(fn *function) stmt {
	if len(fn.body) == 0 {
		return nil
	}
	return fn.body[0]
}

// prepare makes the part of the object that the class extends, and fills
// fields with their initial values.
func (t *Thread) prepare(o *instance, c *scriptClass, m *boundMethod) error {
	explicit := false
	if m != nil {
		_, explicit = firstStmt(m.fn).(*superInit)
	}
	if c.parent != nil && !explicit {
		if err := t.fill(o, c.parent, nil, false); err != nil {
			return err
		}
	}
	if explicit {
		return nil // super(...) comes first, then the fields
	}
	return t.ownFields(o, c)
}

func (t *Thread) ownFields(o *instance, c *scriptClass) error {
	fr := frame{this: o, unit: c.unit, class: c, up: c.up}
	o.hide(c)
	if err := t.initFields(o.fields, c.decl.fields, c.decl.fieldInit, fr); err != nil {
		return err
	}
	if c.host != "" && c.parent == nil && knownException(c.host) && !o.fields.Has("message") {
		o.fields.Put("message", nil)
	}
	for _, i := range c.decl.inits {
		if !i.static {
			if _, err := t.run(i.fn, nil, fr); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillPlain is the constructor of a class that declares none.
func (t *Thread) fillPlain(o *instance, c *scriptClass, args []Value, named bool) error {
	if len(args) == 0 {
		return nil
	}
	if c.host != "" && knownException(c.host) && !named {
		return o.setMessage(args)
	}
	if m, ok := args[0].(*Map); ok && len(args) == 1 && (named || len(c.properties()) != 1) {
		for _, s := range slices.Clone(m.entries()) {
			fixed := c.noted("Immutable")
			if fixed {
				var err error
				if s.v, err = t.fixedCopy(s.v); err != nil {
					return err
				}
			}
			if ok, err := t.setField(o, Format(s.k), s.v, fixed); err != nil {
				return err
			} else if !ok {
				if ok, err := t.setMissing(o, Format(s.k), s.v); ok {
					return err
				}
				return Throw("MissingPropertyException", "No such property: %s for class: %s%s", Format(s.k), c.decl.id, didYouMean(Format(s.k), c.properties()))
			}
		}
		return nil
	}
	if props := c.properties(); c.noted("Canonical", "TupleConstructor", "Immutable") && len(args) <= len(props) {
		for i, a := range args {
			if c.noted("Immutable") {
				var err error
				if a, err = t.fixedCopy(a); err != nil {
					return err
				}
			}
			if _, err := t.setField(o, props[i], a, true); err != nil {
				return err
			}
		}
		return nil
	}
	return Throw("GroovyRuntimeException", "Could not find matching constructor for: %s(%s)", c.decl.id, typeList(args))
}

// fixedCopy is what an @Immutable object holds of a value.
func (t *Thread) fixedCopy(v Value) (Value, error) {
	switch v.(type) {
	case *List, *Map, *Set:
		return t.CallMethod(v, "asImmutable", nil)
	}
	return v, nil
}

// setMessage takes the arguments of an exception's constructor.
func (o *instance) setMessage(args []Value) error {
	th := newThrowable("", args)
	if th.hasMessage {
		o.fields.Put("message", th.Message)
	}
	if th.Cause != nil {
		o.fields.Put("cause", th.Cause)
	}
	return nil
}

func (s *superInit) exec(t *Thread, f *frame) (Value, control, error) {
	args, err := t.arguments(f, s.args, s.named, false)
	if err != nil {
		return nil, onward, err
	}
	o := f.this.(*instance)
	c := f.class
	switch {
	case s.this:
		err = t.fill(o, c, args, s.named != nil)
	case c.parent != nil:
		err = t.fill(o, c.parent, args, s.named != nil)
	default:
		if knownException(c.host) {
			err = o.setMessage(args)
		}
	}
	if err == nil && !s.this {
		err = t.ownFields(o, c)
	}
	return nil, onward, t.passing(f, err, s.pos)
}

// super is super.f(args) inside a class.
func (x *call) super(t *Thread, f *frame) (Value, error) {
	args, err := x.arguments(t, f)
	if err != nil {
		return nil, err
	}
	if f.class != nil && f.class.parent != nil {
		if m := f.class.parent.find(x.id, args); m != nil {
			return t.invokeMethod(f.this, m, args)
		}
	}
	if f.class != nil {
		for _, s := range f.class.decl.interfaces {
			if p := f.class.unit.classes[s]; p != nil {
				if m := p.find(x.id, args); m != nil {
					return t.invokeMethod(f.this, m, args)
				}
			}
		}
	}
	if o, ok := f.this.(*instance); ok {
		if prop, set, ok := accessor(x.id); ok && !set && len(args) == 0 {
			if v, ok := o.fields.Get(prop); ok {
				return v, nil
			}
		}
		if x.id == "toString" && len(args) == 0 {
			return o.String(), nil
		}
		if v, ok, err := t.hostMethod(o, x.id, args); ok {
			return v, err
		}
		return t.universal(o, x.id, args)
	}
	return nil, Throw("MissingMethodException", "super has no method %s", x.id)
}

// hostMethod are the methods that an instance has of the host class it
// extends: those of exceptions.
func (t *Thread) hostMethod(o *instance, id string, args []Value) (Value, bool, error) {
	if !knownException(o.class.host) || len(args) > 1 {
		return nil, false, nil
	}
	switch id {
	case "getMessage", "getLocalizedMessage":
		v, _ := o.fields.Get("message")
		return v, true, nil
	case "getCause":
		v, _ := o.fields.Get("cause")
		return v, true, nil
	case "initCause":
		o.fields.Put("cause", args[0])
		return o, true, nil
	case "getStackTrace":
		return &List{elem: "StackTraceElement"}, true, nil
	case "printStackTrace":
		s, err := t.toString(o)
		if err == nil {
			err = t.Print(s + "\n")
		}
		return nil, true, err
	}
	return nil, false, nil
}

// eval is new T(args), new T[n] and new T() { ... }.
func (x *creation) eval(t *Thread, f *frame) (Value, error) {
	if err := t.tick(f, x.pos); err != nil {
		return nil, err
	}
	mark := t.stack
	v, err := x.make(t, f)
	t.stack = mark
	if err != nil {
		return nil, t.passing(f, err, x.pos)
	}
	return v, nil
}

func (x *creation) make(t *Thread, f *frame) (Value, error) {
	if x.init != nil {
		v, err := x.init.eval(t, f)
		if err != nil {
			return nil, err
		}
		return t.convert(v, x.class+"[]")
	}
	args, err := t.arguments(f, x.args, x.named, false)
	if err != nil {
		return nil, err
	}
	if x.dims > 0 {
		return t.array(x.class, args, x.dims)
	}
	t.pos = x.pos
	if x.body != nil {
		return x.anonymous(t, f, args)
	}
	switch c := t.class(f.unit, x.class).(type) {
	case *scriptClass:
		o, err := t.construct(c, slices.Clone(args), x.named != nil)
		return o, err
	case *unit:
		return c, nil
	case *Class:
		if c.New != nil {
			v, err := c.New(t, hostArgs(args))
			return v, err
		}
		return nil, Throw("InstantiationException", "class %s has no constructor", x.class)
	}
	return nil, Throw("ClassNotFoundException", "%s", unavailable(x.class))
}

// anonymous is new T() { ... }: a class of its own that sees the variables
// around it.
func (x *creation) anonymous(t *Thread, f *frame, args []Value) (Value, error) {
	c, err := t.link(f.unit, x.body)
	if err != nil {
		return nil, err
	}
	c.up = captured(f, x.body.captures)
	if err := t.resolve(c, 0); err != nil {
		return nil, err
	}
	o := &instance{class: c, fields: NewMap(), outer: f.this, ordinal: -1}
	if len(c.methods["<init>"]) == 0 && c.parent != nil && len(args) > 0 {
		if err := t.fill(o, c.parent, args, x.named != nil); err != nil {
			return nil, err
		}
		return o, t.ownFields(o, c)
	}
	return o, t.fill(o, c, args, x.named != nil)
}

// array is new T[n][m].
func (t *Thread) array(class string, sizes []Value, dims int) (Value, error) {
	n := int64(0)
	if len(sizes) > 0 {
		n, _ = Int(sizes[0])
	}
	if n < 0 {
		return nil, Throw("NegativeArraySizeException", "%d", n)
	}
	if n > maxString/16 {
		return nil, fmt.Errorf("%w: an array of %d elements", ErrLimit, n)
	}
	l := &List{Elems: make([]Value, n), elem: lastName(class)}
	for i := 1; i < dims; i++ {
		l.elem += "[]"
	}
	if err := t.grow(int(n)+1, 16); err != nil {
		return nil, err
	}
	for i := range l.Elems {
		if len(sizes) > 1 {
			v, err := t.array(class, sizes[1:], dims-1)
			if err != nil {
				return nil, err
			}
			l.Elems[i] = v
			continue
		}
		if dims == 1 {
			l.Elems[i] = zero(class)
		}
	}
	return l, nil
}

func unavailable(class string) string { return fmt.Sprintf("class %s is not available", class) }
