package groovy

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func (x *call) eval(t *Thread, f *frame) (Value, error) {
	if err := t.tick(f, x.pos); err != nil {
		return nil, err
	}
	mark := t.stack
	v, err := x.apply(t, f)
	if t.fault != nil && err == nil {
		err = t.failed()
	}
	t.stack = mark
	if err != nil {
		return nil, t.passing(f, err, x.pos)
	}
	return v, nil
}

func (x *call) apply(t *Thread, f *frame) (Value, error) {
	if x.recv == nil && x.fn == nil {
		return x.unqualified(t, f)
	}
	if x.fn != nil {
		fn, err := x.fn.eval(t, f)
		if err != nil {
			return nil, err
		}
		args, err := x.arguments(t, f)
		if err != nil {
			return nil, err
		}
		return t.callValue(fn, args)
	}
	if n, ok := x.recv.(*name); ok && n.id == "super" {
		return x.super(t, f)
	}
	recv, err := x.recv.eval(t, f)
	if err != nil || recv == nil && x.safe {
		return nil, err
	}
	id, err := memberName(t, f, x.id, x.idExpr)
	if err != nil {
		return nil, err
	}
	args, err := x.arguments(t, f)
	if err != nil {
		return nil, err
	}
	t.pos = x.pos
	if x.spread {
		return t.spreadOver(recv, func(v Value) (Value, error) { return t.CallMethod(v, id, args) })
	}
	switch r := recv.(type) {
	case *unit:
		if r == f.unit {
			return t.unqualified(f, id, args, x.pos)
		}
	case *instance:
		if m := r.class.find(id, args); m != nil && len(t.uses) == 0 && !r.class.intercepts {
			return t.invokeMethod(r, m, args)
		}
	}
	return t.CallMethod(recv, id, args)
}

// arguments evaluates the arguments onto the stack; named ones come first, as
// a map.
func (x *call) arguments(t *Thread, f *frame) ([]Value, error) {
	return t.arguments(f, x.args, x.named, x.spreadArgs)
}

func (t *Thread) arguments(f *frame, list []expr, named *mapLit, spreads bool) ([]Value, error) {
	n := len(list)
	if named != nil {
		n++
	}
	if spreads {
		return t.spreadArguments(f, list, named)
	}
	args := t.stack.push(n)
	i := 0
	if named != nil {
		m, err := named.eval(t, f)
		if err != nil {
			return nil, err
		}
		args[0], i = m, 1
	}
	for _, x := range list {
		v, err := x.eval(t, f)
		if err != nil {
			return nil, err
		}
		args[i] = v
		i++
	}
	return args, nil
}

func (t *Thread) spreadArguments(f *frame, list []expr, named *mapLit) ([]Value, error) {
	l := listLit{elems: list}
	if len(list) > 0 {
		l.pos = list[0].at()
	}
	v, err := l.eval(t, f)
	if err != nil {
		return nil, err
	}
	args := v.(*List).Elems
	if named != nil {
		m, err := named.eval(t, f)
		if err != nil {
			return nil, err
		}
		args = slices.Insert(args, 0, m)
	}
	return args, nil
}

// unqualified is f(args) where f may be a variable that holds a closure.
func (x *call) unqualified(t *Thread, f *frame) (Value, error) {
	var fn Value
	if x.callee != nil && (x.callee.local != nil || x.callee.up >= 0) {
		var err error
		if fn, err = x.callee.eval(t, f); err != nil {
			return nil, err
		}
	}
	args, err := x.arguments(t, f)
	if err != nil {
		return nil, err
	}
	t.pos = x.pos
	switch fn := fn.(type) {
	case nil:
	case *Closure:
		return t.callClosure(fn, args)
	default:
		if v, err := t.unqualified(f, x.id, args, x.pos); !missing(err) {
			return v, err
		}
		return t.callValue(fn, args)
	}
	return t.unqualified(f, x.id, args, x.pos)
}

// callValue is (expression)(args).
func (t *Thread) callValue(fn Value, args []Value) (Value, error) {
	if c, ok := fn.(*Closure); ok {
		return t.callClosure(c, args)
	}
	return t.CallMethod(fn, "call", args)
}

// unqualified calls id(args): a method of the object, of the script or of a
// static import, a built-in function, a delegate's, the base's.
func (t *Thread) unqualified(f *frame, id string, args []Value, pos Pos) (Value, error) {
	if f.clo != nil && (f.clo.strategy == delegateFirst || f.clo.strategy == delegateOnly) {
		if v, ok, err := t.delegateCall(f.clo, id, args); ok {
			return v, err
		}
	}
	if f.clo != nil && closureMethod(id) {
		if v, ok, err := t.nativeCall(f.clo, id, args); ok {
			return v, err
		}
	}
	if v, ok, err := t.categoryCall(f.this, id, args, false); ok {
		return v, err
	}
	if v, ok, err := t.ownMethod(f, f.this, id, args); ok {
		return v, err
	}
	if fn, ok := t.lib.functions[id]; ok && fn.fits(len(args)) {
		return fn.call(t, nil, args)
	}
	if inherited(f.this, id) {
		if v, ok, err := t.nativeCall(f.this, id, args); ok {
			return v, err
		}
	}
	if o, ok := f.this.(*instance); ok && o.class.decl.enum && (id == "values" || id == "valueOf") {
		if v, ok, err := t.nativeCall(o.class, id, args); ok {
			return v, err
		}
	}
	if v, ok, err := t.dynamicClosure(f, id, args); ok {
		return v, err
	}
	for c := f.clo; c != nil; c, _ = c.owner.(*Closure) {
		if v, ok, err := t.delegateCall(c, id, args); ok {
			return v, err
		}
	}
	if t.in.Base != nil {
		v, err := t.in.Base.Call(t, id, hostArgs(args))
		if !errors.Is(err, ErrNoMember) {
			return v, err
		}
	}
	if v, ok, err := t.missingMethod(f.this, id, args); ok {
		return v, err
	}
	if v, ok, err := t.importedCall(f, id, args); ok {
		return v, err
	}
	if v, ok, err := t.categoryCall(choose(f.clo != nil, Value(f.clo), f.this), id, args, true); ok {
		return v, err
	}
	return nil, Throw("MissingMethodException", "No signature of method: %s.%s() is applicable for argument types: (%s) values: %s%s",
		className(f.this), id, typeList(args), valueList(args), didYouMean(id, t.functionsIn(f)))
}

// inherited says whether a name called without an object is a method that
// every object has; in a script only those that no recipe uses as a word.
func inherited(this Value, id string) bool {
	switch id {
	case "getClass", "toString", "hashCode", "getProperty", "setProperty", "invokeMethod", "equals":
		return true
	}
	_, script := this.(*unit)
	return !script
}

func (t *Thread) functionsIn(f *frame) []string {
	var names []string
	for id := range f.unit.methods {
		names = append(names, id)
	}
	if o, ok := f.this.(*instance); ok {
		for id := range o.class.methods {
			names = append(names, id)
		}
	}
	for id := range t.lib.functions {
		names = append(names, id)
	}
	return names
}

// dynamicClosure calls a closure that a property or the binding holds.
func (t *Thread) dynamicClosure(f *frame, id string, args []Value) (Value, bool, error) {
	v, ok, err := t.dynamic(f, id)
	if err != nil || !ok {
		return nil, err != nil, err
	}
	switch c := v.(type) {
	case *Closure:
		v, err := t.callClosure(c, args)
		return v, true, err
	case *instance:
		if m := c.class.find("call", args); m != nil {
			v, err := t.invokeMethod(c, m, args)
			return v, true, err
		}
	}
	return nil, false, nil
}

func (t *Thread) delegateCall(c *Closure, id string, args []Value) (Value, bool, error) {
	if c.delegate == nil || c.delegate == Value(c) {
		return nil, false, nil
	}
	if d, ok := c.delegate.(*Closure); ok {
		if err := t.deeper(40); err != nil { // each may be the other's delegate
			return nil, true, err
		}
		defer t.shallower(40)
		v, err := t.unqualified(&frame{this: d.this, clo: d, unit: d.unit, class: d.class}, id, args, t.pos)
		return v, !missing(err), err
	}
	v, err := t.CallMethod(c.delegate, id, args)
	return v, !missing(err), err
}

// ownMethod calls a method that the script, its class or an import defines.
func (t *Thread) ownMethod(f *frame, this Value, id string, args []Value) (Value, bool, error) {
	switch o := this.(type) {
	case *instance:
		if m := o.class.find(id, args); m != nil {
			v, err := t.invokeMethod(o, m, args)
			return v, true, err
		}
		if o.outer != nil {
			if v, ok, err := t.ownMethod(f, o.outer, id, args); ok {
				return v, true, err
			}
		}
		if o.class.host != "" {
			if v, ok, err := t.hostMethod(o, id, args); ok {
				return v, true, err
			}
		}
	case *scriptClass:
		if m := o.find(id, args); m != nil {
			v, err := t.invokeMethod(o, m, args)
			return v, true, err
		}
	}
	if m := pick(f.unit.methods[id], args); m != nil {
		v, err := t.run(m.fn, args, frame{this: f.unit, unit: f.unit})
		return v, true, err
	}
	for _, u := range f.unit.imports {
		if m := pick(u.methods[id], args); m != nil {
			v, err := t.run(m.fn, args, frame{this: u, unit: u})
			return v, true, err
		}
		for _, c := range u.classes {
			if m := c.find(id, args); m != nil && m.static {
				v, err := t.invokeMethod(c, m, args)
				return v, true, err
			}
		}
	}
	return nil, false, nil
}

// importedCall calls a static method of a host class: import static Math.max.
func (t *Thread) importedCall(f *frame, id string, args []Value) (Value, bool, error) {
	for _, d := range f.unit.script.imports {
		if !d.static {
			continue
		}
		path, member := d.path, id
		if !d.star {
			i := strings.LastIndexByte(path, '.')
			if i < 0 || path[i+1:] != id && d.alias != id {
				continue
			}
			path, member = path[:i], path[i+1:]
		}
		if c := t.class(f.unit, path); c != nil {
			if v, err := t.CallMethod(c, member, args); !missing(err) {
				return v, true, err
			}
		}
	}
	return nil, false, nil
}

// missingMethod asks methodMissing of a class or of the script.
func (t *Thread) missingMethod(this Value, id string, args []Value) (Value, bool, error) {
	margs := []Value{id, &List{Elems: slices.Clone(args), elem: "Object"}}
	switch o := this.(type) {
	case *instance:
		if m := o.class.find("methodMissing", margs); m != nil {
			v, err := t.invokeMethod(o, m, margs)
			return v, true, err
		}
		if m := o.class.find("invokeMethod", margs); m != nil {
			v, err := t.invokeMethod(o, m, margs)
			return v, true, err
		}
	case *unit:
		if m := pick(o.methods["methodMissing"], margs); m != nil {
			v, err := t.run(m.fn, margs, frame{this: o, unit: o})
			return v, true, err
		}
	}
	return nil, false, nil
}

// hostArgs are arguments as Objects of the embedder get them: theirs to keep,
// whole numbers as int64.
func hostArgs(args []Value) []Value {
	out := make([]Value, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case Long:
			a = int64(v)
		case Byte:
			a = int64(v)
		case *lazyString:
			a = Format(v)
		}
		out[i] = a
	}
	return out
}

func noMethod(v Value, id string, args []Value) error {
	owner := memberOwner(v)
	if owner != TypeName(v) {
		owner = "static " + owner
	}
	return Throw("MissingMethodException", "No signature of method: %s.%s() is applicable for argument types: (%s) values: %s", owner, id, typeList(args), valueList(args))
}

// memberOwner is the class whose member a message misses: of a class itself.
func memberOwner(v Value) string {
	switch v := v.(type) {
	case *Class:
		return qualifiedClass(v.Name)
	case *scriptClass:
		return v.decl.id
	}
	return TypeName(v)
}

func typeList(args []Value) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = TypeName(a)
	}
	return strings.Join(names, ", ")
}

// valueList shows arguments, shortened.
func valueList(args []Value) string {
	s := Format(NewList(args...))
	if r := []rune(s); len(r) > 120 {
		return string(r[:117]) + "..."
	}
	return s
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// accessor turns getX, isX and setX into x.
func accessor(id string) (prop string, set, ok bool) {
	for _, p := range []string{"get", "is", "set"} {
		rest, found := strings.CutPrefix(id, p)
		if found && isUpper(rest) {
			return propertyName(rest), p == "set", true
		}
	}
	return "", false, false
}

// propertyName is the property of getX: x, but URL stays URL.
func propertyName(s string) string {
	if len(s) > 1 && isUpper(s[1:]) && isUpper(s) {
		return s
	}
	return lowerFirst(s)
}
