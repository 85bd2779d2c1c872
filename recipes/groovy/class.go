package groovy

import "fmt"

// scriptClass is a class that a script defines.
type scriptClass struct {
	decl    *classDecl
	unit    *unit
	statics *Map
}

// instance is an object of a script class.
type instance struct {
	class  *scriptClass
	fields *Map
}

// String shows an instance as Java does.
func (o *instance) String() string { return o.class.decl.id + "@1" }

// statics evaluates the static fields of a unit's classes.
func (t *Thread) statics(u *unit) error {
	outer := t.unit
	t.unit = u
	defer func() { t.unit = outer }()
	for _, d := range u.script.classes {
		u.classes[d.id].statics = NewMap()
	}
	for _, d := range u.script.classes {
		c := u.classes[d.id]
		for _, f := range d.statics {
			if err := t.initField(c.statics, f, &env{self: c}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Thread) initField(m *Map, f *varDecl, e *env) error {
	v := zero(f.typ)
	if f.init != nil {
		var err error
		if v, err = t.eval(e, f.init); err != nil {
			return err
		}
	}
	m.Put(f.ids[0], v)
	return nil
}

// super is the script class it extends; nil when that is a host class.
func (c *scriptClass) super() *scriptClass {
	if s := c.unit.classes[c.decl.super]; s != c {
		return s
	}
	return nil
}

// chain calls f for the class and those it extends until f says true.
func (c *scriptClass) chain(f func(*scriptClass) bool) {
	for i := 0; c != nil && i < 32; i++ {
		if f(c) {
			return
		}
		c = c.super()
	}
}

func (c *scriptClass) method(id string, n int) (found *methodDecl) {
	c.chain(func(c *scriptClass) bool {
		var list []*methodDecl
		for _, m := range c.decl.methods {
			if m.id == id {
				list = append(list, m)
			}
		}
		found = pick(list, n)
		return found != nil
	})
	return found
}

func (c *scriptClass) has(id string) (found bool) {
	c.chain(func(c *scriptClass) bool {
		for _, f := range c.decl.fields {
			found = found || f.ids[0] == id
		}
		return found
	})
	return found || id == "message" && isException(c.decl.super, "Throwable") && c.decl.super != ""
}

func (c *scriptClass) staticOwner(id string) (owner *scriptClass) {
	c.chain(func(c *scriptClass) bool {
		if c.statics == nil {
			return false
		}
		if _, ok := c.statics.Get(id); ok {
			owner = c
		}
		return owner != nil
	})
	return owner
}

// field reads a field or static of an object or class.
func (t *Thread) field(o Value, id string) (Value, bool, error) {
	c, ok := o.(*scriptClass)
	if x, isObj := o.(*instance); isObj {
		if v, ok := x.fields.Get(id); ok {
			return v, true, nil
		}
		c, ok = x.class, true
	}
	if !ok {
		return nil, false, nil
	}
	if s := c.staticOwner(id); s != nil {
		v, _ := s.statics.Get(id)
		return v, true, nil
	}
	if m := c.method("get"+upperFirst(id), 0); m != nil && len(m.params) == 0 {
		v, err := t.invokeOn(o, m, nil)
		return v, true, err
	}
	if id == "name" || id == "simpleName" {
		if _, isClass := o.(*scriptClass); isClass {
			return c.decl.id, true, nil
		}
	}
	return nil, false, nil
}

// inside says whether a method of o is running.
func (t *Thread) inside(o Value) bool {
	return len(t.selves) > 0 && t.selves[len(t.selves)-1] == o
}

func (t *Thread) invokeOn(o Value, m *methodDecl, args []Value) (Value, error) {
	c, _ := o.(*scriptClass)
	if x, ok := o.(*instance); ok {
		c = x.class
	}
	if _, isClass := o.(*scriptClass); isClass && !m.static && m.id != "<init>" {
		return nil, Throw("MissingMethodException", "method %s of class %s is not static", m.id, c.decl.id)
	}
	t.selves = append(t.selves, o)
	defer func() { t.selves = t.selves[:len(t.selves)-1] }()
	return t.invoke(&env{self: o}, c.unit, m, args, m.pos)
}

// construct makes an instance: fields, then a constructor or named arguments.
func (t *Thread) construct(c *scriptClass, args []Value, named bool) (Value, error) {
	if err := t.Alloc(256); err != nil {
		return nil, err
	}
	o := &instance{class: c, fields: NewMap()}
	var line []*scriptClass
	c.chain(func(c *scriptClass) bool { line = append(line, c); return false })
	outer := t.unit
	for i := len(line) - 1; i >= 0; i-- {
		t.unit = line[i].unit
		for _, f := range line[i].decl.fields {
			if err := t.initField(o.fields, f, &env{self: o}); err != nil {
				t.unit = outer
				return nil, err
			}
		}
	}
	t.unit = outer
	if m := c.method("<init>", len(args)); m != nil {
		_, err := t.invokeOn(o, m, args)
		return o, err
	}
	if named {
		m := args[0].(*Map)
		for _, k := range m.Keys() {
			if err := t.Set(o, Format(k), m.vals[k]); err != nil {
				return nil, err
			}
		}
		return o, nil
	}
	if len(args) == 1 && c.has("message") {
		o.fields.Put("message", args[0])
		return o, nil
	}
	if len(args) > 0 {
		return nil, Throw("MissingMethodException", "class %s has no constructor for (%s)", c.decl.id, typeList(args))
	}
	return o, nil
}

// superCall is super.f(args) inside a class.
func (t *Thread) superCall(e *env, x *call) (Value, error) {
	args, err := t.args(e, x.args, x.named)
	if err != nil {
		return nil, err
	}
	if o, ok := e.this().(*instance); ok && o.class.super() != nil {
		if m := o.class.super().method(x.id, len(args)); m != nil {
			return t.invokeOn(o, m, args)
		}
	}
	return nil, Throw("MissingMethodException", "super has no method %s", x.id)
}

// create is new T(args) and new T[n].
func (t *Thread) create(e *env, x *creation) (Value, error) {
	args, err := t.args(e, x.args, x.named)
	if err != nil {
		return nil, err
	}
	if x.array {
		n := int64(0)
		if len(args) > 0 {
			n, _ = args[0].(int64)
		}
		if n < 0 || n > maxString/16 {
			return nil, Throw("IllegalArgumentException", "array of size %s", Format(args[0]))
		}
		l := &List{Elems: make([]Value, n)}
		for i := range l.Elems {
			l.Elems[i] = zero(x.class)
		}
		return l, t.grow(int(n), 16)
	}
	switch c := t.class(x.class).(type) {
	case *scriptClass:
		return t.construct(c, args, x.named != nil)
	case *Class:
		if c.New != nil {
			return c.New(t, args)
		}
		return nil, Throw("InstantiationException", "class %s has no constructor", x.class)
	}
	if id := lastName(x.class); knownException(id) {
		return newThrowable(id, args), nil
	}
	return nil, Throw("ClassNotFoundException", "%s", unavailable(x.class))
}

func unavailable(class string) string { return fmt.Sprintf("class %s is not available", class) }

func newThrowable(class string, args []Value) *Throwable {
	th := &Throwable{Class: class}
	for _, a := range args {
		if c, ok := a.(*Throwable); ok {
			th.Cause = c
			if th.Message == "" {
				th.Message = c.String()
			}
		} else {
			th.Message = Format(a)
		}
	}
	return th
}
