package xml

import "appliance/recipes/groovy"

// Call calls a method; what is not of a GPathResult is asked of the list of
// what it consists of.
func (p *path) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	switch len(a) {
	case 0:
		if v, ok, err := p.ask(t, id); ok {
			return v, err
		}
	case 1:
		if v, ok, err := p.one(t, id, a[0]); ok {
			return v, err
		}
	case 2:
		if i, ok := a[0].(int64); ok && id == "putAt" {
			x, err := p.at(i)
			if err != nil {
				return nil, err
			}
			return nil, x.put(t, a[1])
		}
	}
	switch id {
	case "each", "collect", "any", "every", "eachWithIndex", "inject", "join", "sum", "max", "min", "sort", "count", "groupBy", "collectEntries", "collectMany",
		"findIndexOf", "first", "last", "toList", "unique", "findResult", "findResults", "grep", "take", "drop", "toSorted", "collectNested", "countBy", "indexed", "toSet",
		"withIndex", "iterator", "partition", "split", "head", "tail", "takeWhile", "dropWhile", "contains":
		l, err := p.list(t)
		if err != nil {
			return nil, err
		}
		v, err := t.CallMethod(l, id, a)
		if id == "each" || id == "eachWithIndex" {
			v = p
		}
		return v, err
	}
	return nil, unknown(p, id)
}

// ask answers the methods without arguments.
func (p *path) ask(t *groovy.Thread, id string) (v groovy.Value, ok bool, err error) {
	switch id {
	case "text", "toString":
		w := &walk{t: t, left: maxShown}
		p.text(w)
		v, err = w.result()
	case "name":
		v = p.name
	case "size":
		v = int64(len(p.items()))
	case "isEmpty":
		v = len(p.items()) == 0
	case "parent", "pop":
		v, err = p.up(t)
	case "children":
		v, err = p.children(t, "*")
	case "depthFirst":
		v, err = p.depthFirst(t)
	case "breadthFirst":
		v, err = p.breadthFirst(t)
	case "list", "iterator":
		v, err = p.list(t)
	case "toInteger", "toLong", "toFloat", "toDouble", "toBigDecimal", "toBigInteger", "toBoolean", "toURL", "toURI":
		v, err = t.CallMethod(p.String(), id, nil)
	case "attributes", "namespaceURI", "localText":
		if p.class != "NodeChild" {
			return nil, false, nil
		}
		v, err = p.single(t, id)
	default:
		return nil, false, nil
	}
	return v, true, err
}

// single answers what only one element has.
func (p *path) single(t *groovy.Thread, id string) (groovy.Value, error) {
	e := p.elems[0]
	switch id {
	case "attributes":
		return e.attrs, nil
	case "namespaceURI":
		return e.uri, nil
	}
	l := groovy.NewList()
	for _, k := range e.kids {
		if s, ok := k.(string); ok {
			l.Elems = append(l.Elems, s)
		}
	}
	return l, t.Alloc(16 * len(l.Elems))
}

// one answers the methods that take one argument.
func (p *path) one(t *groovy.Thread, id string, a groovy.Value) (v groovy.Value, ok bool, err error) {
	switch id {
	case "getAt":
		return p.index(t, a)
	case "find", "findAll":
		c, ok := a.(*groovy.Closure)
		if !ok {
			return nil, false, nil
		}
		v, err := p.filter(t, c, id == "find")
		return v, true, err
	case "appendNode", "leftShift":
		err = p.add(t, a)
	case "replaceBody":
		if _, ok := a.(*groovy.Closure); ok {
			return nil, true, groovy.Throw("UnsupportedOperationException", "replaceBody takes a value, not a closure")
		}
		err = p.put(t, a)
	case "replaceNode":
		c, ok := a.(*groovy.Closure)
		if !ok {
			return nil, false, nil
		}
		err = p.put(t, c)
	case "plus":
		err = p.replace(t, func(x *path) *built { return &built{of: x, self: true, more: a} })
		return p, true, err
	case "lookupNamespace":
		uri, ok := p.hints[groovy.Format(a)]
		if !ok {
			return nil, true, nil
		}
		return uri, true, nil
	case "declareNamespace":
		m, ok := a.(*groovy.Map)
		if !ok {
			return nil, false, nil
		}
		p.declare(m)
		return p, true, t.Alloc(64 * m.Len())
	case "writeTo":
		err = write(t, a, p.String())
		return a, true, err
	case "equals":
		return p.Equals(a), true, nil
	default:
		return nil, false, nil
	}
	if id == "leftShift" {
		v = p
	}
	return v, true, err
}

// index is p[i], p[a..b] or p["name"].
func (p *path) index(t *groovy.Thread, i groovy.Value) (groovy.Value, bool, error) {
	switch i := i.(type) {
	case int64:
		v, err := p.at(i)
		return v, true, err
	case string:
		v, err := p.Get(t, i)
		return v, true, err
	}
	l, err := p.list(t)
	if err != nil {
		return nil, true, err
	}
	v, err := t.CallMethod(l, "getAt", []groovy.Value{i})
	return v, true, err
}

func (p *path) at(i int64) (*path, error) {
	items := p.items()
	if i < 0 {
		i += int64(len(items))
	}
	if i >= 0 && i < int64(len(items)) {
		return items[i], nil
	}
	if p.class == "NodeChild" {
		return nil, groovy.Throw("ArrayIndexOutOfBoundsException", "Array index out of range: %d", i)
	}
	return p.of("NoChildren", p.name, nil), nil
}

// filter keeps what the closure says yes to.
func (p *path) filter(t *groovy.Thread, c *groovy.Closure, one bool) (groovy.Value, error) {
	class := "FilteredNodeChildren"
	if p.attributes() {
		class = "FilteredAttributes"
	}
	out := p.of(class, p.name, nil)
	if p.attributes() {
		out.attrs = []*path{}
	}
	for _, x := range p.items() {
		v, err := t.Call(c, x)
		if err != nil {
			return nil, err
		}
		if !truth(v) {
			continue
		}
		if one || p.class == "NodeChild" {
			return x, nil
		}
		if p.attributes() {
			out.attrs = append(out.attrs, x)
		} else {
			out.elems = append(out.elems, x.elems...)
		}
	}
	if one || p.class == "NodeChild" {
		return p.of("NoChildren", p.name, nil), nil
	}
	return out, t.Alloc(160)
}

func truth(v groovy.Value) bool {
	if x, ok := v.(interface{ Truth() bool }); ok {
		return x.Truth()
	}
	return groovy.Truth(v)
}
