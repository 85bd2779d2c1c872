package groovy

import "reflect"

// Check returns an *Error for each "new X(...)" in s whose class neither the
// script defines nor known answers for. It is a look at the text, without
// running it.
func (s *Script) Check(known func(class string) bool) []*Error {
	own := map[string]bool{}
	for _, c := range s.classes {
		own[c.id] = true
	}
	for _, d := range s.imports {
		if d.alias != "" && known(lastName(d.path)) {
			own[d.alias] = true
		}
	}
	var faults []*Error
	s.walk(func(n any) {
		c, ok := n.(*creation)
		if !ok || c.array {
			return
		}
		id := lastName(c.class)
		if own[id] || known(id) || standardClass(id) != nil {
			return
		}
		faults = append(faults, &Error{File: s.File, Pos: c.pos, Msg: unavailable(c.class), Source: sourceLine(s.src, c.pos.Line)})
	})
	return faults
}

// walk calls f for every node of the tree.
func (s *Script) walk(f func(any)) {
	visit(reflect.ValueOf(s.body), f)
	visit(reflect.ValueOf(s.methods), f)
	visit(reflect.ValueOf(s.classes), f)
}

// visit walks the tree by its shape. The tree is made of this package's
// structs only, and the parser bounds its depth.
func visit(v reflect.Value, f func(any)) {
	k := v.Kind()
	if (k == reflect.Interface || k == reflect.Pointer) && v.IsNil() {
		return
	}
	if k == reflect.Pointer && v.Type().Elem() == reflect.TypeFor[creation]() {
		f((*creation)(v.UnsafePointer()))
	}
	if k == reflect.Interface || k == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct {
		visit(v.Elem(), f)
	}
	if k == reflect.Struct {
		for i := range v.NumField() {
			visit(v.Field(i), f)
		}
	}
	if k == reflect.Slice {
		for i := range v.Len() {
			visit(v.Index(i), f)
		}
	}
}
