package groovy

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Closure is a piece of code with the scope it was made in.
type Closure struct {
	lit      *closureLit
	env      *env
	unit     *unit
	delegate Value
	curried  []Value
}

// Place says where the closure stands: "file:line".
func (c *Closure) Place() string {
	return fmt.Sprintf("%s:%d", c.unit.script.File, c.lit.pos.Line)
}

// SetDelegate names the value that is asked for names the closure lacks.
func (c *Closure) SetDelegate(v Value) { c.delegate = v }

// arity is the number of parameters the closure takes.
func (c *Closure) arity() int {
	if c.lit.implicit {
		return 1
	}
	return max(len(c.lit.params)-len(c.curried), 0)
}

// Call calls a closure within the evaluation t.
func (t *Thread) Call(c *Closure, args ...Value) (Value, error) {
	if err := t.enter(c.lit.pos, c.unit); err != nil {
		return nil, err
	}
	defer t.leave()
	if len(c.curried) > 0 {
		args = append(append([]Value(nil), c.curried...), args...)
	}
	outer := t.unit
	t.unit = c.unit
	defer func() { t.unit = outer }()
	e := &env{parent: c.env, closure: c}
	if err := t.Alloc(64); err != nil {
		return nil, t.locate(err, c.lit.pos)
	}
	if c.lit.implicit {
		if len(args) > 1 {
			return nil, t.locate(noMethod(c, "call", args), c.lit.pos)
		}
		var it Value
		if len(args) == 1 {
			it = args[0]
		}
		e.declare("it", it)
	} else {
		if len(args) == 1 && len(c.lit.params) > 1 && !c.lit.params[len(c.lit.params)-1].rest {
			if l, ok := args[0].(*List); ok { // [a, b] spreads over |a, b|
				args = l.Elems
			}
		}
		if err := t.bind(e, c.lit.params, args, "closure"); err != nil {
			return nil, t.locate(err, c.lit.pos)
		}
	}
	v, ctl, err := t.block(e, c.lit.body)
	if err == nil && (ctl == broken || ctl == continued) {
		err = t.locate(errors.New("break or continue outside a loop"), c.lit.pos)
	}
	return v, err
}

// bind declares parameters with their arguments or defaults.
func (t *Thread) bind(e *env, params []param, args []Value, what string) error {
	required := 0
	rest := false
	for _, p := range params {
		if p.deflt == nil && !p.rest {
			required++
		}
		rest = rest || p.rest
	}
	if len(args) < required || len(args) > len(params) && !rest {
		if len(args) == 0 && required == 1 && len(params) == 1 {
			args = []Value{nil} // a call without arguments passes null
		} else {
			return Throw("MissingMethodException", "%s takes %d arguments, not %d", what, len(params), len(args))
		}
	}
	optional := len(args) - required // defaults are used from the right
	for _, p := range params {
		var v Value
		var err error
		switch {
		case p.rest:
			v = &List{Elems: append([]Value(nil), args...)}
			args = nil
		case p.deflt == nil || optional > 0:
			if p.deflt != nil {
				optional--
			}
			v, args = args[0], args[1:]
			v, err = t.coerce(v, p.typ)
		default:
			v, err = t.eval(e, p.deflt)
		}
		if err != nil {
			return err
		}
		e.declare(p.id, v)
	}
	return nil
}

// invoke runs a method of a script or class.
func (t *Thread) invoke(e *env, u *unit, m *methodDecl, args []Value, pos Pos) (Value, error) {
	if u == nil {
		u = t.unit
	}
	if err := t.enter(pos, u); err != nil {
		return nil, err
	}
	defer t.leave()
	outer := t.unit
	t.unit = u
	defer func() { t.unit = outer }()
	if err := t.bind(e, m.params, args, "method "+m.id); err != nil {
		return nil, t.locate(err, m.pos)
	}
	v, _, err := t.block(e, m.body)
	return v, err
}

// args evaluates arguments; named ones come first, as a map.
func (t *Thread) args(e *env, list []expr, named *mapLit) ([]Value, error) {
	var args []Value
	if named != nil {
		m, err := t.mapLiteral(e, named)
		if err != nil {
			return nil, err
		}
		args = append(args, m)
	}
	for _, x := range list {
		if s, ok := x.(*spread); ok {
			v, err := t.eval(e, s.x)
			if err != nil {
				return nil, err
			}
			more, err := t.elements(v)
			if err != nil {
				return nil, err
			}
			args = append(args, more...)
			continue
		}
		v, err := t.eval(e, x)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	return args, nil
}

func (t *Thread) call(e *env, x *call) (Value, error) {
	if x.fn != nil {
		f, err := t.eval(e, x.fn)
		if err != nil {
			return nil, err
		}
		args, err := t.args(e, x.args, x.named)
		if err != nil {
			return nil, err
		}
		return t.CallMethod(f, "call", args)
	}
	if x.recv == nil {
		args, err := t.args(e, x.args, x.named)
		if err != nil {
			return nil, err
		}
		return t.unqualified(e, x, args)
	}
	if n, ok := x.recv.(*name); ok && n.id == "super" {
		return t.superCall(e, x)
	}
	recv, err := t.eval(e, x.recv)
	if err != nil {
		return nil, err
	}
	id, err := t.memberName(e, x.id, x.idExpr)
	if err != nil || x.safe && recv == nil {
		return nil, err
	}
	args, err := t.args(e, x.args, x.named)
	if err != nil {
		return nil, err
	}
	if n, ok := x.recv.(*name); ok && n.id == "this" && recv == nil {
		return t.unqualified(e, &call{node: x.node, id: id}, args)
	}
	if x.spread {
		return t.spreadOver(recv, func(v Value) (Value, error) { return t.CallMethod(v, id, args) })
	}
	return t.CallMethod(recv, id, args)
}

// unqualified calls f(args): a variable, a method of the object, of the
// script or of a static import, a built-in, a delegate's, the base's.
func (t *Thread) unqualified(e *env, x *call, args []Value) (Value, error) {
	id := x.id
	if p := e.find(id); p != nil {
		if _, ok := (*p).(*Closure); ok {
			return t.CallMethod(*p, "call", args)
		}
	}
	if v, ok, err := t.ownMethod(e, id, args, x.pos); ok || err != nil {
		return v, err
	}
	if v, err := t.builtin(id, args); !errors.Is(err, ErrNoMember) {
		return v, err
	}
	if v, ok := t.unit.binding.Get(id); ok {
		if _, ok := v.(*Closure); ok {
			return t.CallMethod(v, "call", args)
		}
	}
	for s := e; s != nil; s = s.parent {
		if s.closure != nil && s.closure.delegate != nil {
			if v, err := t.CallMethod(s.closure.delegate, id, args); !missing(err) {
				return v, err
			}
		}
	}
	if t.in.Base != nil {
		v, err := t.in.Base.Call(t, id, args)
		if !errors.Is(err, ErrNoMember) {
			return v, err
		}
	}
	return nil, Throw("MissingMethodException", "No signature of method: %s.%s() is applicable for argument types: (%s)", t.scriptName(), id, typeList(args))
}

// ownMethod calls a method that the script, its class or an import defines.
func (t *Thread) ownMethod(e *env, id string, args []Value, pos Pos) (Value, bool, error) {
	switch this := e.this().(type) {
	case *instance:
		if m := this.class.method(id, len(args)); m != nil {
			v, err := t.invokeOn(this, m, args)
			return v, true, err
		}
	case *scriptClass:
		if m := this.method(id, len(args)); m != nil {
			v, err := t.invokeOn(this, m, args)
			return v, true, err
		}
	}
	if m := pick(t.unit.methods[id], len(args)); m != nil {
		v, err := t.invoke(&env{}, nil, m, args, pos)
		return v, true, err
	}
	for _, u := range t.unit.imports {
		if m := pick(u.methods[id], len(args)); m != nil {
			v, err := t.invoke(&env{}, u, m, args, pos)
			return v, true, err
		}
		for _, c := range u.classes {
			if m := c.method(id, len(args)); m != nil {
				v, err := t.invokeOn(c, m, args)
				return v, true, err
			}
		}
	}
	return nil, false, nil
}

// pick chooses the overload that takes n arguments, else any.
func pick(list []*methodDecl, n int) *methodDecl {
	for _, m := range list {
		least := 0
		rest := false
		for _, p := range m.params {
			if p.deflt == nil && !p.rest {
				least++
			}
			rest = rest || p.rest
		}
		if n >= least && (n <= len(m.params) || rest) {
			return m
		}
	}
	if len(list) > 0 {
		return list[0]
	}
	return nil
}

func noMethod(v Value, id string, args []Value) error {
	return Throw("MissingMethodException", "No signature of method: %s.%s() is applicable for argument types: (%s)", TypeName(v), id, typeList(args))
}

func typeList(args []Value) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = lastName(TypeName(a))
	}
	return strings.Join(names, ", ")
}

// Get reads a property of a value.
func (t *Thread) Get(v Value, id string) (Value, error) {
	none := Throw("MissingPropertyException", "No such property: %s for class: %s", id, TypeName(v))
	switch v := v.(type) {
	case nil:
		return nil, Throw("NullPointerException", "Cannot get property '%s' on null object", id)
	case *Map:
		return t.mapGet(v, id), nil
	case *List:
		if id == "length" {
			return int64(len(v.Elems)), nil
		}
		if id == "class" {
			break
		}
		return t.spreadOver(v, func(x Value) (Value, error) { return t.Get(x, id) })
	case *entry:
		switch id {
		case "key":
			return v.k, nil
		case "value":
			return v.m.vals[v.k], nil
		}
	case *instance, *scriptClass:
		if x, ok, err := t.field(v, id); ok || err != nil {
			return x, err
		}
	case *Class:
		if id == "class" {
			return v, nil
		}
		if v.Static != nil {
			if x, err := v.Static.Get(t, id); !missing(err) {
				return x, err
			}
		}
	case Object:
		x, err := v.Get(t, id)
		if !errors.Is(err, ErrNoMember) {
			return x, err
		}
	}
	if id == "class" {
		if c := t.class(lastName(TypeName(v))); c != nil {
			return c, nil
		}
		return &Class{Name: TypeName(v)}, nil
	}
	x, err := t.CallMethod(v, "get"+upperFirst(id), nil)
	if missing(err) {
		return nil, none
	}
	return x, err
}

// Set writes a property of a value.
func (t *Thread) Set(v Value, id string, x Value) error {
	switch v := v.(type) {
	case nil:
		return Throw("NullPointerException", "Cannot set property '%s' on null object", id)
	case *Map:
		v.Put(id, x)
		return t.grow(1, 64)
	case *entry:
		if id == "value" {
			v.m.Put(v.k, x)
			return nil
		}
	case *Closure:
		switch id {
		case "delegate":
			v.delegate = x
			return nil
		case "resolveStrategy":
			return nil
		}
	case *instance:
		if m := v.class.method("set"+upperFirst(id), 1); m != nil && !t.inside(v) {
			_, err := t.invokeOn(v, m, []Value{x})
			return err
		}
		if v.class.has(id) {
			v.fields.Put(id, x)
			return t.grow(1, 64)
		}
		if c := v.class.staticOwner(id); c != nil {
			c.statics.Put(id, x)
			return nil
		}
	case *scriptClass:
		if c := v.staticOwner(id); c != nil {
			c.statics.Put(id, x)
			return nil
		}
	case Object:
		if err := v.Set(t, id, x); !errors.Is(err, ErrNoMember) {
			return err
		}
	}
	return Throw("MissingPropertyException", "No such property: %s for class: %s", id, TypeName(v))
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// accessor turns getX, isX and setX into x.
func accessor(id string) (prop string, set, ok bool) {
	for _, p := range []string{"get", "is", "set"} {
		rest, found := strings.CutPrefix(id, p)
		if r, _ := utf8.DecodeRuneInString(rest); found && unicode.IsUpper(r) {
			return lowerFirst(rest), p == "set", true
		}
	}
	return "", false, false
}
