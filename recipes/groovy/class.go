package groovy

import (
	"slices"
	"strings"
)

// scriptClass is a class, interface or enum that a script defines.
type scriptClass struct {
	intercepts bool // calls from outside go to invokeMethod
	decl       *classDecl
	unit       *unit
	parent     *scriptClass // nil when host or nothing is extended
	host       string       // simple name of the host class it extends: Exception
	methods    map[string][]*boundMethod
	fields     map[string]*varDecl // of it and those it extends
	getters    map[string]bool     // properties that a method answers
	setters    map[string]bool
	statics    *Map
	up         []*cell
	consts     []*instance             // of an enum
	hides      map[string]*scriptClass // fields of its own that an ancestor has, too, and whose
	show       *showing                // @ToString
	valued     []string                // fields that equals and hashCode are of; nil has neither
	sorted     []string                // fields that @Sortable compares
	state      initState
}

type initState uint8

const (
	untouched initState = iota
	running
	ready
)

// boundMethod is a method with the class that declares it.
type boundMethod struct {
	*methodDecl
	class *scriptClass
}

// instance is an object of a script class.
type instance struct {
	class   *scriptClass
	fields  *Map
	outer   Value // whose code made an object of an anonymous class
	ordinal int   // of an enum's constant; -1 for others
}

// String shows an instance as Java does.
func (o *instance) String() string {
	if o.ordinal >= 0 {
		n, _ := o.fields.Get("name")
		return Format(n)
	}
	if o.class.host != "" && knownException(o.class.host) {
		if m, _ := o.fields.Get("message"); m != nil {
			return o.class.decl.id + ": " + Format(m)
		}
		return o.class.decl.id
	}
	return o.class.decl.id + "@1"
}

// link makes the class of a declaration: its parent, methods and fields.
func (t *Thread) link(u *unit, d *classDecl) (*scriptClass, error) {
	c := &scriptClass{decl: d, unit: u, statics: NewMap(), methods: map[string][]*boundMethod{}, fields: map[string]*varDecl{}, getters: map[string]bool{}, setters: map[string]bool{}}
	for _, n := range d.notes {
		c.annotate(n)
	}
	return c, t.Alloc(512)
}

// resolve finds what the class extends, and takes its methods over.
func (t *Thread) resolve(c *scriptClass, depth int) error {
	if c.state == ready {
		return nil
	}
	if c.state == running || depth > 32 {
		return Throw("GroovyRuntimeException", "class %s extends itself or too many others", c.decl.id)
	}
	c.state = running
	inherit := func(p *scriptClass) error {
		if err := t.resolve(p, depth+1); err != nil {
			return err
		}
		if c.valued == nil {
			c.valued = p.valued
		}
		if c.sorted == nil {
			c.sorted = p.sorted
		}
		for id, list := range p.methods {
			for _, m := range list {
				c.addMethod(id, m)
			}
		}
		for id, f := range p.fields {
			if c.fields[id] == nil {
				c.fields[id] = f
			} else if d := p.declares(id); d != nil {
				if c.hides == nil {
					c.hides = map[string]*scriptClass{}
				}
				c.hides[id] = d
			}
		}
		return nil
	}
	for _, m := range c.decl.methods {
		c.addMethod(m.id, &boundMethod{m, c})
	}
	for _, f := range c.decl.fields {
		c.fields[f.ids[0]] = f
	}
	if s := c.decl.super; s != "" {
		switch p := t.class(c.unit, s).(type) {
		case *scriptClass:
			c.parent, c.host = p, p.host
			if err := inherit(p); err != nil {
				return err
			}
			c.host = p.host
		case *Class:
			c.host = lastName(s)
		default:
			if !knownException(lastName(s)) && !strings.HasPrefix(c.decl.id, "anonymous ") {
				return t.placeIn(c.unit, Throw("ClassNotFoundException", "class %s extends %s, which is not available", c.decl.id, s), c.decl.pos)
			}
			c.host = lastName(s)
		}
	}
	for _, s := range c.decl.interfaces {
		if p, ok := t.class(c.unit, s).(*scriptClass); ok {
			if err := inherit(p); err != nil {
				return err
			}
		}
	}
	c.intercepts = c.implements("GroovyInterceptable")
	c.state = ready
	return t.complete(c)
}

// complete refuses a class that leaves abstract methods open.
func (t *Thread) complete(c *scriptClass) error {
	if c.decl.abstract || c.decl.iface || c.decl.enum {
		return nil
	}
	for id, list := range c.methods {
		for _, m := range list {
			if m.abstract {
				return t.placeIn(c.unit, Throw("MultipleCompilationErrorsException", "Can't have an abstract method in a non-abstract class. The class '%s' must be declared abstract or the method '%s' must be implemented.", c.decl.id, id), c.decl.pos)
			}
		}
	}
	return nil
}

// addMethod adds a method unless one with the same parameters is there.
func (c *scriptClass) addMethod(id string, m *boundMethod) {
	if id == "<init>" && m.class != c {
		return
	}
	for _, o := range c.methods[id] {
		if sameParams(o.fn, m.fn) {
			return
		}
	}
	c.methods[id] = append(c.methods[id], m)
	if p, set, ok := accessor(id); ok && len(m.fn.params) <= 1 {
		if set && len(m.fn.params) == 1 {
			c.setters[p] = true
		}
		if !set && len(m.fn.params) == 0 {
			c.getters[p] = true
		}
	}
}

func sameParams(a, b *function) bool {
	if len(a.params) != len(b.params) {
		return false
	}
	for i := range a.params {
		if paramType(a.params[i]) != paramType(b.params[i]) {
			return false
		}
	}
	return true
}

func paramType(p param) string {
	if p.typ == "Object" || p.typ == "def" {
		return ""
	}
	return p.typ
}

// find is the method for the arguments; nil when there is none that takes
// their number.
func (c *scriptClass) find(id string, args []Value) *boundMethod {
	list := c.methods[id]
	if len(list) == 1 {
		fn := list[0].fn
		if !fits(fn, args) || list[0].abstract || fn.typed && distance(fn, args) < 0 {
			return nil
		}
		return list[0]
	}
	return pickBound(list, args)
}

// implements says whether the class or one that it extends names the
// interface.
func (c *scriptClass) implements(iface string) bool {
	for i := 0; c != nil && i < 32; i++ {
		if slices.ContainsFunc(c.decl.interfaces, func(s string) bool { return lastName(s) == iface }) {
			return true
		}
		for _, s := range c.decl.interfaces {
			if p := c.unit.classes[s]; p != nil && p != c && p.implements(iface) {
				return true
			}
		}
		c = c.parent
	}
	return false
}

// extends says whether the class is or extends one of that name.
func (c *scriptClass) extends(name string) bool {
	for p := c; p != nil; p = p.parent {
		if p.decl.id == name {
			return true
		}
	}
	return c.host != "" && isException(c.host, name) && knownException(c.host) || c.host == name
}

// staticOwner is the class, of it and those it extends, that has the static.
func (c *scriptClass) staticOwner(id string) *scriptClass {
	for p := c; p != nil; p = p.parent {
		if p.statics.Has(id) {
			return p
		}
	}
	for _, s := range c.decl.interfaces {
		if p := c.unit.classes[s]; p != nil && p.statics.Has(id) {
			return p
		}
	}
	return nil
}

// field reads a property of an object or class. Code of the class itself
// (inside) reads the field, others ask the getter first.
func (t *Thread) field(o Value, id string, inside bool) (Value, bool, error) {
	c, isClass := o.(*scriptClass)
	x, isObject := o.(*instance)
	if isObject {
		c = x.class
	}
	if c == nil {
		return nil, false, nil
	}
	if isObject {
		v, has := x.fields.Get(t.view(x, id))
		if has && (inside || !c.getters[id]) {
			return v, true, nil
		}
	}
	if c.getters[id] {
		for _, name := range []string{"get" + upperFirst(id), "is" + upperFirst(id), "get" + id} {
			if m := c.find(name, nil); m != nil && (isObject || m.static) {
				v, err := t.invokeMethod(o, m, nil)
				return v, true, err
			}
		}
	}
	if s := c.staticOwner(id); s != nil {
		v, _ := s.statics.Get(id)
		return v, true, nil
	}
	if isClass {
		return c.meta(id)
	}
	return t.enumProperty(x, id)
}

// meta are the properties of a class.
func (c *scriptClass) meta(id string) (Value, bool, error) {
	switch id {
	case "name", "simpleName", "canonicalName":
		return c.decl.id, true, nil
	case "class":
		return c, true, nil // U.class is U
	case "superclass":
		if c.parent != nil {
			return c.parent, true, nil
		}
		return &Class{Name: first(c.host, "Object")}, true, nil
	}
	return nil, false, nil
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func (t *Thread) enumProperty(o *instance, id string) (Value, bool, error) {
	if id == "declaringClass" && o.ordinal >= 0 {
		return o.class, true, nil
	}
	return nil, false, nil
}

// fieldOf is o.@id.
func (t *Thread) fieldOf(o Value, id string) (Value, error) {
	if x, ok := o.(*instance); ok {
		if v, ok := x.fields.Get(id); ok {
			return v, nil
		}
		return nil, Throw("MissingFieldException", "No such field: %s for class: %s", id, x.class.decl.id)
	}
	if v, ok, err := t.field(o, id, true); ok || err != nil {
		return v, err
	}
	switch o := o.(type) {
	case Attributed:
		return o.Get(t, "@"+id)
	case *List:
		if id != "size" {
			return nil, Throw("MissingFieldException", "No such field: %s for class: %s", id, TypeName(o))
		}
	}
	return t.Get(o, id)
}

// setFieldOf is o.@id = v.
func (t *Thread) setFieldOf(o Value, id string, v Value) error {
	if a, ok := o.(Attributed); ok {
		return a.Set(t, "@"+id, v)
	}
	ok, err := t.setField(o, id, v, true)
	if !ok && err == nil {
		return Throw("MissingFieldException", "No such field: %s for class: %s", id, TypeName(o))
	}
	return err
}

// setField writes a property of an object or class; false when it has none.
func (t *Thread) setField(o Value, id string, v Value, inside bool) (bool, error) {
	c, _ := o.(*scriptClass)
	x, isObject := o.(*instance)
	if isObject {
		c = x.class
	}
	if c == nil {
		return false, nil
	}
	if !inside && c.setters[id] {
		if m := c.find("set"+upperFirst(id), []Value{v}); m != nil {
			_, err := t.invokeMethod(o, m, []Value{v})
			return true, err
		}
	}
	if isObject {
		if f := c.fields[id]; f != nil {
			if (f.final || c.noted("Immutable")) && !inside {
				return true, Throw("ReadOnlyPropertyException", "Cannot set readonly property: %s for class: %s", id, c.decl.id)
			}
			v, err := t.coerce(v, f.typ)
			if err == nil {
				x.fields.Put(t.view(x, id), v)
				err = t.grow(1, 64)
			}
			return true, err
		}
		if id == "message" && x.fields.Has(id) {
			x.fields.Put(id, v)
			return true, nil
		}
	}
	if s := c.staticOwner(id); s != nil {
		for _, f := range s.decl.statics {
			if f.ids[0] != id {
				continue
			}
			if f.final {
				return true, Throw("ReadOnlyPropertyException", "Cannot set readonly property: %s for class: %s", id, c.decl.id)
			}
			var err error
			if v, err = t.coerce(v, f.typ); err != nil {
				return true, err
			}
		}
		s.statics.Put(id, v)
		return true, t.grow(1, 64)
	}
	return false, nil
}

// invokeMethod calls a method on an object or, when it is static, a class.
func (t *Thread) invokeMethod(o Value, m *boundMethod, args []Value) (Value, error) {
	if m.static {
		o = m.class
	} else if c, isClass := o.(*scriptClass); isClass && m.id != "<init>" {
		return nil, Throw("MissingMethodException", "No signature of method: static %s.%s() is applicable for argument types: (%s) values: %s: the method is not static", c.decl.id, m.id, typeList(args), valueList(args))
	}
	fr := frame{this: o, unit: m.class.unit, class: m.class, up: m.class.up}
	return t.run(m.fn, args, fr)
}

// ownString is the text that the class of an instance gives it.
func (t *Thread) ownString(o *instance) (string, bool, error) {
	if m := o.class.find("toString", nil); m != nil {
		v, err := t.invokeMethod(o, m, nil)
		if err != nil {
			return "", true, err
		}
		s, err := t.toString(v)
		return s, true, err
	}
	if s := o.class.showing(); s != nil {
		text, err := t.show(o, s)
		return text, true, err
	}
	return "", false, nil
}

// properties are the fields that are properties, in order.
func (c *scriptClass) properties() []string {
	var list []string
	if c.parent != nil {
		list = c.parent.properties()
	}
	for _, f := range c.decl.fields {
		if !f.hidden {
			list = append(list, f.ids[0])
		}
	}
	return list
}
