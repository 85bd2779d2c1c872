package groovy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// eval evaluates an expression. Errors leave it with a place.
func (t *Thread) eval(e *env, x expr) (Value, error) {
	if err := t.step(x.at()); err != nil {
		return nil, err
	}
	if err := t.enter(x.at(), t.unit); err != nil {
		return nil, err
	}
	v, err := t.expr(e, x)
	t.leave()
	if err != nil {
		return nil, t.locate(err, x.at())
	}
	return v, nil
}

func (t *Thread) expr(e *env, x expr) (Value, error) {
	switch x := x.(type) {
	case *literal:
		return x.val, nil
	case *gstring:
		return t.gstring(e, x)
	case *name:
		return t.lookup(e, x.id)
	case *listLit:
		vals, err := t.args(e, x.elems, nil)
		if err == nil {
			err = t.grow(len(vals), 16)
		}
		return &List{Elems: vals}, err
	case *mapLit:
		return t.mapLiteral(e, x)
	case *rangeLit:
		return t.rangeOf(e, x)
	case *closureLit:
		return &Closure{lit: x, env: e, unit: t.unit}, t.Alloc(64)
	case *spread:
		return nil, errors.New("unexpected '*'")
	case *unary:
		v, err := t.eval(e, x.x)
		if err != nil {
			return nil, err
		}
		return t.unary(x.op, v)
	case *step:
		return t.increment(e, x)
	case *binary:
		return t.binary(e, x)
	case *ternary:
		cond, err := t.eval(e, x.cond)
		switch {
		case err != nil:
			return nil, err
		case !Truth(cond):
			return t.eval(e, x.no)
		case x.yes == nil:
			return cond, nil
		}
		return t.eval(e, x.yes)
	case *assign:
		return t.assign(e, x)
	case *property:
		return t.property(e, x)
	case *index:
		v, i, err := t.two(e, x.x, x.i)
		if err != nil {
			return nil, err
		}
		return t.getAt(v, i)
	case *call:
		return t.call(e, x)
	case *creation:
		return t.create(e, x)
	case *conversion:
		v, err := t.eval(e, x.x)
		if err != nil {
			return nil, err
		}
		return t.convert(v, x.typ)
	case *typeTest:
		v, err := t.eval(e, x.x)
		return instanceOf(v, x.typ), err
	}
	return nil, fmt.Errorf("unknown expression %T", x)
}

func (t *Thread) two(e *env, a, b expr) (x, y Value, err error) {
	if x, err = t.eval(e, a); err != nil {
		return nil, nil, err
	}
	y, err = t.eval(e, b)
	return x, y, err
}

func (t *Thread) gstring(e *env, x *gstring) (Value, error) {
	var b strings.Builder
	for _, part := range x.parts {
		v, err := t.eval(e, part)
		if err != nil {
			return nil, err
		}
		s, err := t.toString(v)
		if err != nil {
			return nil, err
		}
		if err := t.grow(b.Len()+len(s), 1); err != nil {
			return nil, err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// toString is Format, with the toString methods of script classes.
func (t *Thread) toString(v Value) (string, error) {
	if o, ok := v.(*instance); ok {
		if m := o.class.method("toString", 0); m != nil {
			v, err := t.invokeOn(o, m, nil)
			return Format(v), err
		}
	}
	s := Format(v)
	return s, t.grow(len(s), 1)
}

func (t *Thread) mapLiteral(e *env, x *mapLit) (Value, error) {
	m := NewMap()
	if err := t.grow(len(x.entries), 48); err != nil {
		return nil, err
	}
	for _, en := range x.entries {
		v, err := t.eval(e, en.val)
		if err != nil {
			return nil, err
		}
		if en.key == nil {
			if o, ok := v.(*Map); ok {
				for _, k := range o.keys {
					m.Put(k, o.vals[k])
				}
			}
			continue
		}
		k, err := t.eval(e, en.key)
		if err != nil {
			return nil, err
		}
		m.Put(k, v)
	}
	return m, nil
}

func (t *Thread) rangeOf(e *env, x *rangeLit) (Value, error) {
	a, b, err := t.two(e, x.from, x.to)
	if err != nil {
		return nil, err
	}
	if s, ok := a.(string); ok {
		u, ok := b.(string)
		if !ok || utf8.RuneCountInString(s) != 1 || utf8.RuneCountInString(u) != 1 {
			return nil, Throw("IllegalArgumentException", "range %s..%s", s, Format(b))
		}
		from, _ := utf8.DecodeRuneInString(s)
		to, _ := utf8.DecodeRuneInString(u)
		l := NewList()
		for r := from; r <= to && len(l.Elems) < 70000; r++ {
			l.Elems = append(l.Elems, string(r))
		}
		return l, t.grow(len(l.Elems), 20)
	}
	from, ok1 := a.(int64)
	to, ok2 := b.(int64)
	if !ok1 || !ok2 {
		return nil, Throw("IllegalArgumentException", "range %s..%s", Format(a), Format(b))
	}
	if x.exclusive {
		switch {
		case from == to:
			return NewList(), nil
		case from < to:
			to--
		default:
			to++
		}
	}
	return &Range{from, to}, nil
}

// lookup resolves an unqualified name: variables, the object's fields, the
// script's binding, delegates of the closures around it, static imports, the
// embedder's base, classes.
func (t *Thread) lookup(e *env, id string) (Value, error) {
	if v := e.find(id); v != nil {
		return *v, nil
	}
	switch id {
	case "this":
		return e.this(), nil
	case "delegate", "owner":
		for s := e; s != nil; s = s.parent {
			if s.closure != nil {
				return s.closure.delegate, nil
			}
		}
	}
	if this := e.this(); this != nil {
		if v, ok, err := t.field(this, id); ok || err != nil {
			return v, err
		}
	}
	if v, ok := t.unit.binding.Get(id); ok {
		return v, nil
	}
	for s := e; s != nil; s = s.parent {
		if s.closure == nil || s.closure.delegate == nil {
			continue
		}
		v, err := t.Get(s.closure.delegate, id)
		if err == nil && !(v == nil && isMap(s.closure.delegate)) {
			return v, nil
		}
		if err != nil && !missing(err) {
			return nil, err
		}
	}
	for _, u := range t.unit.imports {
		for _, c := range u.classes {
			if v, ok := c.statics.Get(id); ok {
				return v, nil
			}
		}
		if v, ok := u.binding.Get(id); ok {
			return v, nil
		}
	}
	if t.in.Base != nil {
		v, err := t.in.Base.Get(t, id)
		if !errors.Is(err, ErrNoMember) {
			return v, err
		}
	}
	if c := t.class(id); c != nil {
		return c, nil
	}
	return nil, Throw("MissingPropertyException", "No such property: %s for class: %s", id, t.scriptName())
}

func isMap(v Value) bool {
	_, ok := v.(*Map)
	return ok
}

// missing says that err only means "no such name".
func missing(err error) bool {
	var r *raised
	if errors.As(err, &r) {
		return r.thrown.Class == "MissingPropertyException" || r.thrown.Class == "MissingMethodException"
	}
	return errors.Is(err, ErrNoMember)
}

func (t *Thread) scriptName() string {
	name, _, _ := strings.Cut(t.unit.script.File[strings.LastIndexByte(t.unit.script.File, '/')+1:], ".")
	return name
}

// class finds a class by its simple or qualified name; nil when there is none.
func (t *Thread) class(id string) Value {
	if t.unit != nil {
		if c, ok := t.unit.classes[id]; ok {
			return c
		}
		for _, d := range t.unit.script.imports {
			if d.alias == id && d.alias != "" {
				id = d.path
			}
		}
	}
	id = lastName(id)
	if c, ok := t.in.Classes[id]; ok {
		return c
	}
	if c := standardClass(id); c != nil {
		return c
	}
	return nil
}

func lastName(id string) string { return id[strings.LastIndexByte(id, '.')+1:] }

// property evaluates x.id in its three forms.
func (t *Thread) property(e *env, x *property) (Value, error) {
	if c := t.qualifiedClass(e, x); c != nil {
		return c, nil
	}
	v, err := t.eval(e, x.x)
	if err != nil {
		return nil, err
	}
	id, err := t.memberName(e, x.id, x.idExpr)
	if err != nil {
		return nil, err
	}
	if x.safe && v == nil {
		return nil, nil
	}
	if x.spread {
		return t.spreadOver(v, func(v Value) (Value, error) { return t.Get(v, id) })
	}
	return t.Get(v, id)
}

func (t *Thread) memberName(e *env, id string, x expr) (string, error) {
	if x == nil {
		return id, nil
	}
	v, err := t.eval(e, x)
	return Format(v), err
}

func (t *Thread) spreadOver(v Value, f func(Value) (Value, error)) (Value, error) {
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
		y, err := f(x)
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, y)
	}
	return out, t.grow(len(out.Elems), 16)
}

// qualifiedClass resolves a.b.Name to a class when a is no variable.
func (t *Thread) qualifiedClass(e *env, x *property) Value {
	if r, _ := utf8.DecodeRuneInString(x.id); !unicode.IsUpper(r) {
		return nil
	}
	for p := x.x; ; {
		switch q := p.(type) {
		case *property:
			p = q.x
			continue
		case *name:
			if !slices.Contains([]string{"java", "javax", "groovy", "org", "com", "net"}, q.id) || e.find(q.id) != nil {
				return nil
			}
			return t.class(x.id)
		}
		return nil
	}
}

func (t *Thread) assign(e *env, x *assign) (Value, error) {
	if l, ok := x.l.(*listLit); ok {
		return t.assignTuple(e, l, x.r)
	}
	if x.op == "" {
		v, err := t.eval(e, x.r)
		if err != nil {
			return nil, err
		}
		return v, t.store(e, x.l, v)
	}
	old, err := t.eval(e, x.l)
	if err != nil {
		return nil, err
	}
	r, err := t.eval(e, x.r)
	if err != nil {
		return nil, err
	}
	v, err := t.operate(x.op, old, r)
	if err != nil {
		return nil, err
	}
	return v, t.store(e, x.l, v)
}

func (t *Thread) assignTuple(e *env, l *listLit, r expr) (Value, error) {
	v, err := t.eval(e, r)
	if err != nil {
		return nil, err
	}
	list, err := t.elements(v)
	if err != nil {
		return nil, err
	}
	for i, x := range l.elems {
		var y Value
		if i < len(list) {
			y = list[i]
		}
		if err := t.store(e, x, y); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// store writes v where x says.
func (t *Thread) store(e *env, x expr, v Value) error {
	switch x := x.(type) {
	case *name:
		return t.setName(e, x.id, v)
	case *property:
		o, err := t.eval(e, x.x)
		if err != nil {
			return err
		}
		id, err := t.memberName(e, x.id, x.idExpr)
		if err != nil || x.safe && o == nil {
			return err
		}
		return t.Set(o, id, v)
	case *index:
		o, i, err := t.two(e, x.x, x.i)
		if err != nil {
			return err
		}
		return t.putAt(o, i, v)
	}
	return errors.New("the left side is not assignable")
}

// setName assigns to an unqualified name: a variable, a field, what the base
// takes, else the script's binding.
func (t *Thread) setName(e *env, id string, v Value) error {
	if p := e.find(id); p != nil {
		*p = v
		return nil
	}
	if this := e.this(); this != nil {
		if _, ok, err := t.field(this, id); err != nil {
			return err
		} else if ok {
			return t.Set(this, id, v)
		}
	}
	for s := e; s != nil; s = s.parent {
		if s.closure == nil || s.closure.delegate == nil {
			continue
		}
		if _, held := t.unit.binding.Get(id); held {
			break
		}
		if err := t.Set(s.closure.delegate, id, v); !missing(err) {
			return err
		}
	}
	if t.in.Base != nil {
		if err := t.in.Base.Set(t, id, v); !errors.Is(err, ErrNoMember) {
			return err
		}
	}
	t.unit.binding.Put(id, v)
	return t.grow(1, 64)
}

func (t *Thread) increment(e *env, x *step) (Value, error) {
	old, err := t.eval(e, x.x)
	if err != nil {
		return nil, err
	}
	v, err := t.operate(x.op[:1], old, int64(1))
	if err != nil {
		return nil, err
	}
	if err := t.store(e, x.x, v); err != nil {
		return nil, err
	}
	if x.prefix {
		return v, nil
	}
	return old, nil
}
