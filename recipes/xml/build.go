package xml

import "appliance/recipes/groovy"

// tag is the call of a builder's method as a tag.
type tag struct {
	attrs *groovy.Map // nil: none
	value groovy.Value
	body  *groovy.Closure
}

// tagOf sorts the arguments of a tag: attributes, a value, a closure; false
// when there is more.
func tagOf(args []groovy.Value) (g tag, ok bool) {
	n := len(args)
	if n > 0 {
		if c, ok := args[n-1].(*groovy.Closure); ok {
			g.body, args = c, args[:n-1]
		}
	}
	for i, a := range args {
		if m, ok := a.(*groovy.Map); ok && g.attrs == nil {
			g.attrs = m
		} else if i > 1 || i == 1 && g.attrs == nil || len(args) > 2 {
			return g, false
		} else {
			g.value = a
		}
	}
	return g, true
}

// common are methods that every object has: a builder makes no tags of them.
func common(id string) bool {
	switch id {
	case "toString", "hashCode", "equals", "getClass", "iterator", "with", "each", "collect", "find", "findAll", "any", "every", "inject",
		"getAt", "putAt", "getProperty", "setProperty", "asType", "asBoolean", "isCase", "is", "dump", "inspect", "getMetaClass":
		return true
	}
	return false
}

// nodeBuilder is a groovy.util.NodeBuilder: its tags become Nodes.
type nodeBuilder struct{ open []*node }

// Type names the class.
func (*nodeBuilder) Type() string { return "groovy.util.NodeBuilder" }

// Get and Set know nothing.
func (*nodeBuilder) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*nodeBuilder) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call makes a Node.
func (b *nodeBuilder) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if common(id) || len(a) == 0 && accessor.MatchString(id) {
		return nil, groovy.ErrNoMember
	}
	return b.build(t, append([]groovy.Value{id}, a...))
}

// build makes the Node of a tag: its name and arguments.
func (b *nodeBuilder) build(t *groovy.Thread, a []groovy.Value) (*node, error) {
	g, ok := tagOf(a[1:])
	if !ok {
		return nil, groovy.ErrNoMember
	}
	n := &node{name: a[0], attrs: groovy.NewMap(), value: newList()}
	if g.attrs != nil {
		n.attrs = g.attrs
	}
	if g.value != nil {
		n.setValue(g.value)
	}
	if len(b.open) > 0 {
		b.open[len(b.open)-1].add(n)
	}
	if err := t.Alloc(512); err != nil || g.body == nil {
		return n, err
	}
	b.open = append(b.open, n)
	g.body.SetDelegate(b)
	_, err := t.Call(g.body)
	b.open = b.open[:len(b.open)-1]
	return n, err
}
