package xml

import (
	"strings"

	"appliance/recipes/groovy"
)

// nodeList is a groovy.util.NodeList: a list of Nodes and texts that also
// answers names, for all Nodes in it.
type nodeList struct{ list *groovy.List }

func newList(vals ...groovy.Value) *nodeList { return &nodeList{groovy.NewList(vals...)} }

// listOf takes vals as they are.
func listOf(vals []groovy.Value) *nodeList { return &nodeList{&groovy.List{Elems: vals}} }

// Type names the class.
func (*nodeList) Type() string { return "groovy.util.NodeList" }

// Attributed says that l.@x are attributes.
func (*nodeList) Attributed() {}

// Plus says that l + "text" is a list.
func (*nodeList) Plus() {}

// Listed is the list, for comparisons and to show it.
func (l *nodeList) Listed() *groovy.List { return l.list }

// Truth says whether there is anything.
func (l *nodeList) Truth() bool { return len(l.list.Elems) > 0 }

// Get is what all Nodes answer for the name.
func (l *nodeList) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	return l.each(t, func(n *node) (groovy.Value, error) { return n.Get(t, id) })
}

// each puts what the Nodes answer into one list.
func (l *nodeList) each(t *groovy.Thread, ask func(n *node) (groovy.Value, error)) (groovy.Value, error) {
	out := newList()
	for _, v := range l.list.Elems {
		n, ok := v.(*node)
		if !ok {
			continue
		}
		x, err := ask(n)
		if err != nil {
			return nil, err
		}
		if some, ok := x.(*nodeList); ok {
			out.list.Elems = append(out.list.Elems, some.list.Elems...)
		} else {
			out.list.Elems = append(out.list.Elems, x)
		}
	}
	return out, t.Alloc(64 + 16*len(out.list.Elems))
}

// Set writes an attribute of all Nodes.
func (l *nodeList) Set(t *groovy.Thread, id string, v groovy.Value) error {
	if !strings.HasPrefix(id, "@") {
		return groovy.Throw("MissingPropertyException", "No such property: %s for class: %s", id, l.Type())
	}
	for _, c := range l.list.Elems {
		n, ok := c.(*node)
		if !ok {
			return groovy.Throw("ClassCastException", "a text has no attributes")
		}
		if err := n.Set(t, id, v); err != nil {
			return err
		}
	}
	return nil
}

// Call calls a method; what is not of a NodeList is asked of the list.
func (l *nodeList) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	switch {
	case id == "text" && len(a) == 0:
		w := &walk{t: t, left: maxShown}
		w.text(&node{value: l})
		return w.result()
	case id == "getClass" || id == "with":
		return nil, groovy.ErrNoMember
	case len(a) == 1:
		if v, ok, err := l.one(t, id, a[0]); ok {
			return v, err
		}
	}
	own := make([]groovy.Value, len(a))
	for i, v := range a {
		if o, ok := v.(*nodeList); ok {
			v = o.list
		}
		own[i] = v
	}
	v, err := t.CallMethod(l.list, id, own)
	if list, ok := v.(*groovy.List); ok && list == l.list {
		return l, err
	}
	if list, ok := v.(*groovy.List); ok && id == "plus" {
		return &nodeList{list}, err
	}
	return v, err
}

// one answers the methods of a NodeList that take one argument.
func (l *nodeList) one(t *groovy.Thread, id string, v groovy.Value) (groovy.Value, bool, error) {
	switch {
	case id == "getAt":
		if name, ok := v.(string); ok {
			x, err := l.Get(t, name)
			return x, true, err
		}
		if q, ok := v.(*qname); ok {
			x, err := l.each(t, func(n *node) (groovy.Value, error) { return n.named(t, q.matches) })
			return x, true, err
		}
	case id == "replaceNode":
		if n := len(l.list.Elems); n != 1 {
			return nil, true, groovy.Throw("GroovyRuntimeException", "replaceNode() can only be used to replace a single node, but was applied to %d nodes", n)
		}
		x, err := t.CallMethod(l.list.Elems[0], id, []groovy.Value{v})
		return x, true, err
	case id == "plus":
		if _, ok := v.(*groovy.Closure); !ok {
			break
		}
		for _, c := range append([]groovy.Value(nil), l.list.Elems...) {
			if _, err := t.CallMethod(c, id, []groovy.Value{v}); err != nil {
				return nil, true, err
			}
		}
		return nil, true, nil
	}
	return nil, false, nil
}
