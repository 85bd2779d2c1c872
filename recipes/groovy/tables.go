package groovy

import (
	"errors"
	"maps"
	"math/big"
	"strings"
	"sync"
)

// native is a method of a value: v is the receiver.
type native func(t *Thread, v Value, a []Value) (Value, error)

// method is a native method with the number of arguments it takes; most is -1
// when it takes any number.
type method struct {
	least, most int
	call        native
}

func (m method) fits(n int) bool { return n >= m.least && (n <= m.most || m.most < 0) }

// apply calls m where it takes so many arguments.
func (m method) apply(t *Thread, v Value, a []Value) (Value, error) {
	if !m.fits(len(a)) {
		return nil, ErrNoMember
	}
	return m.call(t, v, a)
}

// methods is a table of methods by name.
type methods map[string]method

// on makes a method of receivers of one Go type.
func on[T any](least, most int, fn func(t *Thread, v T, a []Value) (Value, error)) method {
	return method{least, most, func(t *Thread, v Value, a []Value) (Value, error) {
		x, ok := v.(T)
		if !ok {
			return nil, ErrNoMember
		}
		return fn(t, x, a)
	}}
}

// function makes a method without a receiver.
func function0(least, most int, fn func(t *Thread, a []Value) (Value, error)) method {
	return method{least, most, func(t *Thread, _ Value, a []Value) (Value, error) { return fn(t, a) }}
}

// valueKind is what a value's methods are looked up by.
type valueKind uint8

const (
	kOther valueKind = iota
	kNull
	kBool
	kNumber
	kChar
	kText
	kLazy
	kBuilder
	kList
	kSet
	kMap
	kEntry
	kRange
	kClosure
	kThrowable
	kPattern
	kMatcher
	kClass
	kEnum
	kInstance
	kScriptClass
	kScript
	kObject
	kinds
)

func kindOf(v Value) valueKind {
	switch v.(type) {
	case nil:
		return kNull
	case bool:
		return kBool
	case int64, Long, Byte, *big.Int, *Decimal, float64, Float:
		return kNumber
	case Char:
		return kChar
	case string:
		return kText
	case *lazyString:
		return kLazy
	case *builder:
		return kBuilder
	case *List:
		return kList
	case *Set:
		return kSet
	case *Map:
		return kMap
	case *entry:
		return kEntry
	case *Range:
		return kRange
	case *Closure:
		return kClosure
	case *Throwable:
		return kThrowable
	case *regex:
		return kPattern
	case *matcher:
		return kMatcher
	case *Class:
		return kClass
	case Enum:
		return kEnum
	case *instance:
		return kInstance
	case *scriptClass:
		return kScriptClass
	case *unit:
		return kScript
	case Object:
		return kObject
	}
	return kOther
}

// library is what needs nothing of the outside: the methods of each kind of
// value, the functions of every script, the standard classes. It is made once
// and never changes.
type library struct {
	kinds      [kinds]methods
	functions  methods
	classes    map[string]*Class
	packages   map[string]string
	exceptions map[string]string
	dates      methods // of java.util.Date
	calendars  methods
}

var shared struct {
	once sync.Once
	lib  *library
}

// tables returns the library, which is made at the first use.
func tables() *library {
	shared.once.Do(func() { shared.lib = newLibrary() })
	return shared.lib
}

func newLibrary() *library {
	l := &library{packages: packages(), exceptions: exceptionPackages(), dates: dateMethods(), calendars: calendarMethods(), functions: scriptFunctions(), classes: map[string]*Class{}}
	merge := func(list ...methods) methods {
		all := methods{}
		for _, m := range list {
			maps.Copy(all, m)
		}
		return all
	}
	object, iter := objectMethods(), iterMethods()
	for k := range l.kinds {
		l.kinds[k] = object
	}
	l.kinds[kBool] = merge(object, boolMethods())
	l.kinds[kNumber] = merge(object, numberMethods())
	l.kinds[kChar] = merge(object, numberMethods(), charMethods())
	text := merge(object, textMethods(), textPatternMethods(), textNumberMethods())
	l.kinds[kText], l.kinds[kLazy] = text, text
	l.kinds[kBuilder] = merge(text, builderMethods())
	l.kinds[kList] = merge(object, iter, listMethods(), listChanges(), queueMethods(), bytesMethods())
	l.kinds[kRange] = merge(object, iter, listMethods(), rangeMethods())
	l.kinds[kSet] = merge(object, iter, setMethods())
	l.kinds[kMap] = merge(object, iter, mapMethods(), mapClosures(), propertiesMethods())
	sortedMapMethods(l.kinds[kMap])
	sortedSetMethods(l.kinds[kSet])
	l.kinds[kEntry] = merge(object, entryMethods())
	l.kinds[kClosure] = merge(object, closureMethods())
	l.kinds[kThrowable] = merge(object, throwableMethods())
	l.kinds[kPattern] = merge(object, patternMethods())
	l.kinds[kMatcher] = merge(object, iter, matcherMethods())
	l.kinds[kEnum] = merge(object, enumMethods())
	l.kinds[kClass] = merge(object, classMethods())
	l.kinds[kInstance] = merge(object, instanceMethods())
	l.kinds[kScriptClass] = merge(object, scriptClassMethods())
	l.kinds[kScript] = merge(object, scriptMethods())
	for _, c := range standardClasses() {
		l.classes[c.Name] = c
	}
	return l
}

// class is a class of the library; nil when it has none of that name.
func (l *library) class(id string) *Class {
	if c, ok := l.classes[id]; ok {
		return c
	}
	if knownException(id) {
		return &Class{Name: id, New: func(_ *Thread, args []Value) (Value, error) { return newThrowable(id, args), nil }}
	}
	return nil
}

// CallMethod calls a method of a value.
func (t *Thread) CallMethod(v Value, id string, args []Value) (Value, error) {
	if x, ok, err := t.categoryCall(v, id, args, false); ok {
		return x, err
	}
	if x, ok, err := t.ownCall(v, id, args); ok {
		return x, err
	}
	if x, ok, err := t.categoryCall(v, id, args, true); ok {
		return x, err
	}
	if v == nil {
		return nil, Throw("NullPointerException", "Cannot invoke method %s() on null object", id)
	}
	if x, ok, err := t.propertyCall(v, id, args); ok {
		return x, err
	}
	if x, ok, err := t.missingMethod(v, id, args); ok {
		return x, err
	}
	err := noMethod(v, id, args).(*raised)
	err.thrown.Message += didYouMean(id, t.methodNames(v))
	return nil, err
}

func (t *Thread) methodNames(v Value) []string {
	var names []string
	for id := range t.lib.kinds[kindOf(v)] {
		names = append(names, id)
	}
	if o, ok := v.(*instance); ok {
		for id := range o.class.methods {
			names = append(names, id)
		}
	}
	return names
}

// ownCall calls a method that the value's type has; false when it has none of
// the name for as many arguments.
func (t *Thread) ownCall(v Value, id string, args []Value) (Value, bool, error) {
	switch x := v.(type) {
	case *instance:
		if x.class.intercepts {
			if v, ok, err := t.missingMethod(x, id, args); ok {
				return v, true, err
			}
		}
		if m := x.class.find(id, args); m != nil {
			r, err := t.invokeMethod(x, m, args)
			return r, true, err
		}
		if r, ok, err := t.hostMethod(x, id, args); ok {
			return r, true, err
		}
		if f, ok := x.fields.Get(id); ok {
			if c, ok := f.(*Closure); ok {
				r, err := t.callClosure(c, args)
				return r, true, err
			}
		}
	case *scriptClass:
		if m := x.find(id, args); m != nil && m.static {
			r, err := t.invokeMethod(x, m, args)
			return r, true, err
		}
	case *unit:
		if r, ok, err := t.ownMethod(&frame{this: x, unit: x}, x, id, args); ok {
			return r, true, err
		}
		if c, ok := x.binding.Get(id); ok {
			if c, ok := c.(*Closure); ok {
				r, err := t.callClosure(c, args)
				return r, true, err
			}
		}
		if m, ok := t.lib.functions[id]; ok && m.fits(len(args)) {
			r, err := m.call(t, nil, args)
			return r, true, err
		}
	case *Map:
		return t.mapCall(x, id, args)
	case *Class:
		if x.Static != nil {
			own := args
			_, table := x.Static.(*tableStatics)
			if _, binds := x.Static.(Binder); !table && !binds {
				own = hostArgs(args)
			}
			r, err := x.Static.Call(t, id, own)
			if !errors.Is(err, ErrNoMember) {
				return r, true, err
			}
		}
	case *Throwable:
		if x.object != nil {
			return t.ownCall(x.object, id, args)
		}
	case Object:
		own := args
		if _, ok := x.(Binder); !ok {
			own = hostArgs(args)
		}
		r, err := x.Call(t, id, own)
		if !errors.Is(err, ErrNoMember) {
			return r, true, err
		}
	}
	if c, ok := v.(*Closure); ok && c.iface != "" {
		if _, own := t.lib.kinds[kClosure][id]; !own {
			r, err := t.callClosure(c, args)
			return r, true, err
		}
	}
	return t.nativeCall(v, id, args)
}

// mapCall calls a method of maps, else a closure that the map holds.
func (t *Thread) mapCall(m *Map, id string, args []Value) (Value, bool, error) {
	if v, ok, err := t.nativeCall(m, id, args); ok || err != nil {
		return v, ok, err
	}
	if f, ok := m.Get(id); ok {
		if c, ok := f.(*Closure); ok {
			v, err := t.callClosure(c, args)
			return v, true, err
		}
	}
	return nil, false, nil
}

func (t *Thread) nativeCall(v Value, id string, args []Value) (Value, bool, error) {
	m, ok := t.lib.kinds[kindOf(v)][id]
	if !ok || !m.fits(len(args)) {
		return nil, false, nil
	}
	if t.bytes += 16; t.bytes > t.limits.Bytes {
		return nil, true, t.Alloc(0)
	}
	if t.depth += 8; t.depth > t.limits.Depth {
		t.depth -= 8
		return nil, true, t.tooDeep(t.unit(), t.pos)
	}
	r, err := m.call(t, v, args)
	t.depth -= 8
	if errors.Is(err, ErrNoMember) {
		return nil, false, nil
	}
	return r, true, err
}

// propertyCall answers getX() and setX(v) by the property x.
func (t *Thread) propertyCall(v Value, id string, args []Value) (Value, bool, error) {
	prop, set, ok := accessor(id)
	if !ok {
		return nil, false, nil
	}
	switch {
	case set && len(args) == 1:
		var err error
		switch x := v.(type) {
		case *instance, *scriptClass:
			ok, err = t.setField(v, prop, args[0], true)
			return nil, ok, err
		case Object:
			err = x.Set(t, prop, args[0])
		case *entry:
			err = t.Set(x, prop, args[0])
		default:
			return nil, false, nil
		}
		return nil, !missing(err), err
	case !set && len(args) == 0:
		return t.plainGet(v, prop, strings.HasPrefix(id, "is"))
	}
	return nil, false, nil
}

// plainGet is Get without falling back to the getter, which asked for it.
func (t *Thread) plainGet(v Value, id string, is bool) (Value, bool, error) {
	var x Value
	var err error
	switch v := v.(type) {
	case Object:
		x, err = v.Get(t, id)
	case *Class:
		if v.Static == nil {
			return nil, false, nil
		}
		x, err = v.Static.Get(t, id)
	case *instance, *scriptClass:
		return t.field(v, id, true)
	default:
		return nil, false, nil
	}
	if _, isBool := x.(bool); is && !isBool && err == nil {
		return nil, false, nil
	}
	return x, !missing(err), err
}
