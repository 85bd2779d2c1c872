package groovy

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lookup resolves an unqualified name that is no variable: this, the object's
// properties, the script's binding, delegates of the closures around it,
// static imports, the embedder's base, classes.
func (t *Thread) lookup(f *frame, id string) (Value, error) {
	switch id {
	case "this":
		return f.this, nil
	case "super":
		return f.this, nil
	case "owner":
		if f.clo != nil {
			return f.clo.owner, nil
		}
	case "delegate":
		if f.clo != nil {
			return f.clo.target(), nil
		}
	}
	v, ok, err := t.dynamic(f, id)
	if ok || err != nil {
		return v, err
	}
	for _, u := range f.unit.imports {
		if v, ok, err := u.static(t, id); ok || err != nil {
			return v, err
		}
	}
	if t.in.Base != nil {
		v, err := t.in.Base.Get(t, id)
		if !errors.Is(err, ErrNoMember) {
			return v, err
		}
	}
	if c := t.class(f.unit, id); c != nil {
		return c, nil
	}
	if id == "binding" {
		return &binding{f.unit}, nil
	}
	for _, d := range f.unit.script.imports { // import static X.id
		if d.static && d.star {
			if c := t.class(f.unit, d.path); c != nil {
				if v, err := t.Get(c, id); !missing(err) {
					return v, err
				}
			}
		}
		if d.static && !d.star && lastName(d.path) == id && strings.Contains(d.path, ".") {
			if c := t.class(f.unit, d.path[:strings.LastIndexByte(d.path, '.')]); c != nil {
				return t.Get(c, id)
			}
		}
	}
	return nil, t.noSuchName(f, id)
}

func (t *Thread) noSuchName(f *frame, id string) error {
	hint := didYouMean(id, t.namesIn(f))
	return Throw("MissingPropertyException", "No such property: %s for class: %s%s", id, f.unit.name(), hint)
}

// namesIn are the names that a script might have meant.
func (t *Thread) namesIn(f *frame) []string {
	var names []string
	for _, k := range f.unit.binding.Keys() {
		names = append(names, Format(k))
	}
	if o, ok := f.this.(*instance); ok {
		for _, k := range o.fields.Keys() {
			names = append(names, Format(k))
		}
	}
	for _, d := range f.unit.script.classes {
		names = append(names, d.id)
	}
	return append(names, f.unit.script.locals...)
}

// dynamic asks the closures around a name and the object whose code it is.
func (t *Thread) dynamic(f *frame, id string) (Value, bool, error) {
	if f.clo == nil {
		return t.ownGet(f, f.this, id)
	}
	return t.closureGet(f, f.clo, id)
}

// closureGet resolves a name as the closure's strategy says.
func (t *Thread) closureGet(f *frame, c *Closure, id string) (Value, bool, error) {
	ask := []func() (Value, bool, error){
		func() (Value, bool, error) { return t.ownerGet(f, c, id) },
		func() (Value, bool, error) { return t.delegateGet(c, id) },
	}
	switch c.strategy {
	case delegateFirst:
		slices.Reverse(ask)
	case ownerOnly:
		ask = ask[:1]
	case delegateOnly, toSelf:
		ask = ask[1:]
	case ownerFirst:
		if c.delegate == nil {
			return t.ownerGet(f, c, id)
		}
	}
	for _, q := range ask {
		if v, ok, err := q(); ok || err != nil {
			return v, ok, err
		}
	}
	return nil, false, nil
}

func (t *Thread) ownerGet(f *frame, c *Closure, id string) (Value, bool, error) {
	if o, ok := c.owner.(*Closure); ok {
		return t.closureGet(f, o, id)
	}
	return t.ownGet(f, c.this, id)
}

// delegateGet asks the delegate. A map that lacks the key does not know the
// name, although it would answer null.
func (t *Thread) delegateGet(c *Closure, id string) (Value, bool, error) {
	switch d := c.delegate.(type) {
	case nil:
		return nil, false, nil
	case *Map:
		v, ok := d.Get(id)
		return v, ok, nil
	case *Closure:
		if d == c {
			return nil, false, nil
		}
	}
	v, err := t.Get(c.delegate, id)
	if missing(err) {
		return nil, false, nil
	}
	return v, err == nil, err
}

// ownGet reads a property of the object whose code runs, or of the script.
func (t *Thread) ownGet(f *frame, this Value, id string) (Value, bool, error) {
	if u, ok := this.(*unit); ok {
		v, ok := u.binding.Get(id)
		return v, ok, nil
	}
	if v, ok, err := t.field(this, id, true); ok || err != nil {
		return v, ok, err
	}
	if o, ok := this.(*instance); ok && o.outer != nil { // an anonymous class
		return t.ownGet(f, o.outer, id)
	}
	if v, ok := f.unit.binding.Get(id); ok && f.unit.script.main != nil {
		return v, true, nil
	}
	return nil, false, nil
}

// static is a static member of an imported script or class.
func (u *unit) static(t *Thread, id string) (Value, bool, error) {
	for _, c := range u.classes {
		if v, ok, err := t.field(c, id, false); ok || err != nil {
			return v, ok, err
		}
	}
	v, ok := u.binding.Get(id)
	return v, ok, nil
}

// setName assigns to an unqualified name that is no variable: a field, what a
// delegate or the base takes, else the script's binding.
func (t *Thread) setName(f *frame, id string, v Value) error {
	if f.clo != nil {
		if ok, err := t.closureSet(f, f.clo, id, v); ok || err != nil {
			return err
		}
	} else if ok, err := t.ownSet(f, f.this, id, v); ok || err != nil {
		return err
	}
	if t.in.Base != nil {
		if err := t.in.Base.Set(t, id, v); !errors.Is(err, ErrNoMember) {
			return err
		}
	}
	switch this := f.this.(type) {
	case *instance, *scriptClass:
		if f.unit.script.main == nil || !f.unit.binding.Has(id) {
			return Throw("MissingPropertyException", "No such property: %s for class: %s", id, className(this))
		}
	}
	f.unit.binding.Put(id, v)
	return t.grow(1, 64)
}

func className(v Value) string {
	switch v := v.(type) {
	case *instance:
		return v.class.decl.id
	case *scriptClass:
		return v.decl.id
	}
	return TypeName(v)
}

// closureSet assigns a name inside a closure; false when nobody there has it.
func (t *Thread) closureSet(f *frame, c *Closure, id string, v Value) (bool, error) {
	delegate := func() (bool, error) {
		if c.delegate == nil || c.delegate == Value(c) {
			return false, nil
		}
		err := t.Set(c.delegate, id, v)
		if missing(err) {
			return false, nil
		}
		return true, err
	}
	if c.strategy == delegateFirst || c.strategy == delegateOnly {
		if ok, err := delegate(); ok || err != nil {
			return ok, err
		}
	}
	if o, ok := c.owner.(*Closure); ok {
		if ok, err := t.closureSet(f, o, id, v); ok || err != nil {
			return ok, err
		}
	} else if ok, err := t.ownSet(f, c.this, id, v); ok || err != nil {
		return ok, err
	}
	if _, script := c.this.(*unit); c.strategy == ownerFirst && !script { // a script takes any name
		return delegate()
	}
	return false, nil
}

// ownSet assigns a property that the object or script has.
func (t *Thread) ownSet(f *frame, this Value, id string, v Value) (bool, error) {
	if u, ok := this.(*unit); ok {
		if !u.binding.Has(id) {
			return false, nil
		}
		u.binding.Put(id, v)
		return true, nil
	}
	if ok, err := t.setField(this, id, v, true); ok || err != nil {
		return ok, err
	}
	if o, ok := this.(*instance); ok && o.outer != nil {
		return t.ownSet(f, o.outer, id, v)
	}
	return false, nil
}

// Has says whether the map holds k.
func (m *Map) Has(k Value) bool { return m.find(k) >= 0 }

// class finds a class by its simple or qualified name; nil when there is none.
func (t *Thread) class(u *unit, id string) Value {
	if u != nil {
		if c, ok := u.classes[id]; ok {
			return c
		}
		for _, d := range u.script.imports {
			if d.alias == id && d.alias != "" && !d.static {
				id = d.path
			}
		}
	}
	id = lastName(id)
	if u != nil {
		if c, ok := u.classes[id]; ok {
			return c
		}
		if s, ok := u.scripts[id]; ok {
			return s
		}
	}
	if c, ok := t.in.Classes[id]; ok {
		return c
	}
	if c := t.lib.class(id); c != nil {
		return c
	}
	return t.sibling(u, id)
}

// sibling finds a class that a file of its name beside the script declares,
// or is, as Groovy does without an import; nil when there is none. A file that does
// not parse has none.
func (t *Thread) sibling(u *unit, id string) Value {
	if u == nil || !isUpper(id) || u.looked[id] {
		return nil
	}
	if u.looked == nil {
		u.looked = map[string]bool{}
	}
	u.looked[id] = true
	if err := t.importInto(u, importDecl{path: id}); err != nil {
		return nil
	}
	if c, ok := u.classes[id]; ok {
		return c
	}
	if s, ok := u.scripts[id]; ok {
		return s
	}
	return nil
}

func lastName(id string) string {
	return id[strings.LastIndexAny(id, ".$")+1:]
}

// eval of x.id in its three forms.
func (x *property) eval(t *Thread, f *frame) (Value, error) {
	if n, ok := x.x.(*name); ok && n.local == nil && n.up < 0 || !ok && isUpper(x.id) {
		if c := x.qualified(t, f); c != nil {
			return c, nil
		}
	}
	v, err := x.x.eval(t, f)
	if err != nil {
		return nil, err
	}
	if v == nil && x.safe {
		return nil, nil
	}
	id, err := memberName(t, f, x.id, x.idExpr)
	if err != nil {
		return nil, err
	}
	switch {
	case x.spread && x.field:
		v, err = t.spreadOver(v, func(v Value) (Value, error) { return t.fieldOf(v, id) })
	case x.spread:
		v, err = t.spreadOver(v, func(v Value) (Value, error) { return t.Get(v, id) })
	case x.field:
		v, err = t.fieldOf(v, id)
	default:
		v, err = t.getIn(f, x.x, v, id)
	}
	return v, t.place(f, err, x.pos)
}

func isUpper(id string) bool {
	r, _ := utf8.DecodeRuneInString(id)
	return unicode.IsUpper(r)
}

// getIn reads a property; code of a class reads its own fields directly.
func (t *Thread) getIn(f *frame, x expr, v Value, id string) (Value, error) {
	if n, ok := x.(*name); ok && v == f.this && (n.id == "this" || n.id == "super") {
		if o, ok := v.(*instance); ok && n.id == "super" && f.class != nil && f.class.parent != nil {
			if key := o.viewOf(f.class.parent, id); key != id {
				v, _ := o.fields.Get(key)
				return v, nil
			}
		}
		if n.id == "this" {
			if v, ok, err := t.field(v, id, true); ok || err != nil {
				return v, err
			}
		}
		if u, ok := v.(*unit); ok {
			if v, ok := u.binding.Get(id); ok {
				return v, nil
			}
		}
	}
	return t.Get(v, id)
}

// qualified resolves a.b.Name to a class when a is no variable.
func (x *property) qualified(t *Thread, f *frame) Value {
	if !isUpper(x.id) || x.idExpr != nil {
		return nil
	}
	for p := x.x; ; {
		switch q := p.(type) {
		case *property:
			p = q.x
			continue
		case *name:
			if q.local != nil || q.up >= 0 {
				return nil
			}
			if isUpper(q.id) { // Outer.Inner
				if p != x.x {
					return nil
				}
				if c, ok := f.unit.classes[q.id+"."+x.id]; ok {
					return c
				}
				if c, ok := t.in.Classes[q.id+"."+x.id]; ok {
					return c
				}
				return nil
			}
			if !slices.Contains([]string{"java", "javax", "groovy", "org", "com", "net"}, q.id) {
				return nil
			}
			return t.class(f.unit, x.id)
		}
		return nil
	}
}

func (t *Thread) spreadOver(v Value, fn func(Value) (Value, error)) (Value, error) {
	if v == nil {
		return nil, nil
	}
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	out := NewList()
	for _, x := range list {
		if x == nil {
			out.Elems = append(out.Elems, nil)
			continue
		}
		y, err := fn(x)
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, y)
	}
	return out, t.grow(len(out.Elems), 16)
}
