package xml

import (
	"fmt"
	"slices"
	"strings"

	"appliance/recipes/groovy"
)

// node is a groovy.util.Node.
type node struct {
	name   groovy.Value // a string or *qname
	attrs  *groovy.Map
	value  groovy.Value // a *nodeList, or what the script gave
	parent *node
}

// newNode is new Node(parent, name, attributes, value).
func newNode(t *groovy.Thread, a []groovy.Value) (groovy.Value, error) {
	if len(a) < 2 || len(a) > 4 {
		return nil, groovy.ErrNoMember
	}
	parent, ok := a[0].(*node)
	if !ok && a[0] != nil {
		return nil, groovy.Throw("IllegalArgumentException", "the parent of a Node is a Node, not %s", groovy.TypeName(a[0]))
	}
	n := makeNode(a[1:])
	if parent != nil {
		parent.add(n)
	}
	return n, t.Alloc(512)
}

// makeNode takes a name, perhaps attributes, perhaps a value.
func makeNode(a []groovy.Value) *node {
	n := &node{name: a[0], attrs: groovy.NewMap(), value: newList()}
	if len(a) > 1 {
		if m, ok := a[1].(*groovy.Map); ok {
			n.attrs, a = m, a[1:]
		}
	}
	if len(a) > 1 {
		n.setValue(a[1])
	}
	return n
}

func (n *node) setValue(v groovy.Value) {
	if l, ok := v.(*groovy.List); ok {
		v = &nodeList{list: l}
	}
	n.value = v
}

// add makes c the last child.
func (n *node) add(c *node) {
	c.parent = n
	l := n.own()
	l.Elems = append(l.Elems, c)
}

// own is the list of the children; a plain value becomes the first of them.
func (n *node) own() *groovy.List {
	l, ok := n.value.(*nodeList)
	if !ok {
		l = newList(n.value)
		n.value = l
	}
	return l.list
}

// children are what the value holds; a plain value is the only one.
func (n *node) children() *nodeList {
	switch v := n.value.(type) {
	case nil:
		return newList()
	case *nodeList:
		return v
	}
	return newList(n.value)
}

// Type names the class.
func (*node) Type() string { return "groovy.util.Node" }

// Attributed says that n.@x is an attribute.
func (*node) Attributed() {}

// Plus says that n + "text" is no text.
func (*node) Plus() {}

// String shows the node with all in it.
func (n *node) String() string {
	w := &walk{left: maxShown}
	w.any(n)
	return w.b.String()
}

// Get is an attribute for @id, children for a name.
func (n *node) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch {
	case strings.HasPrefix(id, "@"):
		v, _ := n.attrs.Get(id[1:])
		return v, nil
	case id == "..":
		if n.parent == nil {
			return nil, nil
		}
		return n.parent, nil
	case id == "*":
		return n.children(), nil
	case id == "**":
		return n.depthFirst(t)
	}
	return n.named(t, func(name groovy.Value) bool {
		if q, ok := name.(*qname); ok {
			return q.matches(id)
		}
		return name == groovy.Value(id)
	})
}

// named are the children of a name.
func (n *node) named(t *groovy.Thread, is func(name groovy.Value) bool) (groovy.Value, error) {
	l := newList()
	kids := n.children().list.Elems
	for _, c := range kids {
		if k, ok := c.(*node); ok && is(k.name) {
			l.list.Elems = append(l.list.Elems, k)
		}
	}
	return l, t.Alloc(64 + 8*len(kids))
}

// Set writes an attribute, or the value.
func (n *node) Set(t *groovy.Thread, id string, v groovy.Value) error {
	switch {
	case strings.HasPrefix(id, "@"):
		n.attrs.Put(id[1:], v)
		return t.Alloc(128)
	case id == "value":
		n.setValue(v)
		return nil
	}
	return groovy.Throw("MissingPropertyException", "No such property: %s for class: %s", id, n.Type())
}

// Call calls a method.
func (n *node) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	switch {
	case len(a) == 0:
		return n.ask(t, id)
	case id == "appendNode" && len(a) <= 3:
		c := makeNode(a)
		n.add(c)
		return c, t.Alloc(512)
	case len(a) > 1:
		return nil, unknown(n, id)
	}
	switch id {
	case "attribute":
		v, _ := n.attrs.Get(a[0])
		return v, nil
	case "get":
		return n.Get(t, groovy.Format(a[0]))
	case "getAt":
		if q, ok := a[0].(*qname); ok {
			return n.named(t, q.matches)
		}
	case "setValue":
		n.setValue(a[0])
		return nil, nil
	case "append", "remove":
		c, ok := a[0].(*node)
		if !ok {
			return nil, groovy.Throw("IllegalArgumentException", "Node.%s takes a Node, not %s", id, groovy.TypeName(a[0]))
		}
		if id == "append" {
			n.add(c)
			return true, t.Alloc(32)
		}
		return n.remove(c), nil
	case "replaceNode", "plus":
		return n.replace(t, id, a[0])
	}
	return nil, unknown(n, id)
}

// ask answers the methods without arguments.
func (n *node) ask(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "name":
		return n.name, nil
	case "value":
		return n.value, nil
	case "text":
		w := &walk{t: t, left: maxShown}
		w.text(n)
		return w.result()
	case "localText":
		l := groovy.NewList()
		for _, c := range n.children().list.Elems {
			if s, ok := c.(string); ok {
				l.Elems = append(l.Elems, s)
			}
		}
		return l, t.Alloc(16 * len(l.Elems))
	case "children":
		return n.children(), nil
	case "iterator":
		return n.children().list, nil
	case "attributes":
		return n.attrs, nil
	case "parent":
		return n.Get(t, "..")
	case "depthFirst":
		return n.depthFirst(t)
	case "breadthFirst":
		return n.breadthFirst(t)
	case "clone":
		w := &walk{t: t, left: maxShown}
		c := w.clone(n)
		return c, w.err
	}
	return nil, unknown(n, id)
}

func (n *node) remove(c *node) bool {
	l := n.own()
	c.parent = nil
	i := slices.Index(l.Elems, groovy.Value(c))
	if i >= 0 {
		l.Elems = slices.Delete(l.Elems, i, i+1)
	}
	return i >= 0
}

// replace puts what a closure builds, or a Node, behind n, and for replaceNode
// takes n away.
func (n *node) replace(t *groovy.Thread, id string, with groovy.Value) (groovy.Value, error) {
	if n.parent == nil {
		what := map[string]string{"plus": "Adding sibling nodes to", "replaceNode": "Replacing"}[id]
		return nil, groovy.Throw("UnsupportedOperationException", "%s the root node is not supported", what)
	}
	var fresh []groovy.Value
	switch v := with.(type) {
	case *groovy.Closure:
		b := &nodeBuilder{}
		made, err := b.build(t, []groovy.Value{"dummyNode", v})
		if err != nil {
			return nil, err
		}
		fresh = made.children().list.Elems
	case *node:
		if id == "plus" {
			return nil, groovy.ErrNoMember
		}
		fresh = []groovy.Value{makeNode([]groovy.Value{v.name, v.attrs, v.value})}
	default:
		return nil, groovy.ErrNoMember
	}
	p := n.parent
	for _, c := range fresh {
		if k, ok := c.(*node); ok {
			k.parent = p
		}
	}
	l := p.own()
	if i := slices.Index(l.Elems, groovy.Value(n)); i >= 0 {
		l.Elems = slices.Insert(l.Elems, i+1, fresh...)
	}
	if id == "plus" {
		return nil, t.Alloc(64 + 16*len(l.Elems))
	}
	p.remove(n)
	return n, t.Alloc(64 + 16*len(l.Elems))
}

func (n *node) depthFirst(t *groovy.Thread) (groovy.Value, error) {
	w := &walk{t: t, left: maxShown}
	w.list = append(w.list, n)
	w.below(n)
	return listOf(w.list), w.err
}

func (n *node) breadthFirst(t *groovy.Thread) (groovy.Value, error) {
	all, level := []groovy.Value{n}, []groovy.Value{n}
	for depth := 0; len(level) > 0; depth++ {
		var next []groovy.Value
		for _, v := range level {
			if c, ok := v.(*node); ok {
				kids := c.children().list.Elems
				if c == n || len(kids) != 1 || isNode(kids[0]) {
					next = append(next, kids...)
				}
			}
		}
		if err := t.Alloc(64 + 48*len(next)); err != nil {
			return nil, err
		}
		if depth > maxDepth {
			return nil, tooDeep()
		}
		all, level = append(all, next...), next
	}
	return listOf(all), nil
}

func isNode(v groovy.Value) bool { _, ok := v.(*node); return ok }

// maxShown bounds the nodes that one walk visits.
const maxShown = 1 << 22

func tooDeep() error {
	return fmt.Errorf("%w: nodes nest more than %d deep", groovy.ErrLimit, maxDepth)
}

// walk is a walk over a tree that a script made, which may hold itself.
type walk struct {
	t     *groovy.Thread // nil: nobody is charged
	b     strings.Builder
	list  []groovy.Value
	depth int
	left  int
	err   error
}

// enter counts a node; false when the walk is over.
func (w *walk) enter() bool {
	if w.err != nil {
		return false
	}
	if w.depth++; w.depth > maxDepth {
		w.err = tooDeep()
	}
	if w.left--; w.left < 0 {
		w.err = fmt.Errorf("%w: more than %d nodes", groovy.ErrLimit, maxShown)
	}
	if w.t != nil && w.err == nil {
		w.err = w.t.Alloc(32)
	}
	return w.err == nil
}

func (w *walk) result() (groovy.Value, error) {
	if w.err == nil {
		w.err = w.t.Alloc(w.b.Len())
	}
	return w.b.String(), w.err
}

// text adds the text of a node.
func (w *walk) text(n *node) {
	defer func() { w.depth-- }()
	if !w.enter() {
		return
	}
	switch v := n.value.(type) {
	case string:
		w.b.WriteString(v)
	case *nodeList:
		for _, c := range v.list.Elems {
			switch c := c.(type) {
			case string:
				w.b.WriteString(c)
			case *node:
				w.text(c)
			}
		}
	}
}

// below lists what is under n, depth first; the only text of a node is not told.
func (w *walk) below(n *node) {
	defer func() { w.depth-- }()
	if !w.enter() {
		return
	}
	kids := n.children().list.Elems
	if len(kids) == 1 && !isNode(kids[0]) && w.depth > 1 {
		return
	}
	for _, c := range kids {
		switch c := c.(type) {
		case string:
			w.list = append(w.list, c)
		case *node:
			w.list = append(w.list, c)
			w.below(c)
		}
	}
}

// clone copies a node with all in it.
func (w *walk) clone(n *node) *node {
	defer func() { w.depth-- }()
	c := &node{name: n.name, attrs: groovy.NewMap(), value: n.value}
	if !w.enter() {
		return c
	}
	if w.t != nil && w.err == nil {
		w.err = w.t.Alloc(512 + 128*n.attrs.Len())
	}
	for _, k := range n.attrs.Keys() {
		v, _ := n.attrs.Get(k)
		c.attrs.Put(k, v)
	}
	if l, ok := n.value.(*nodeList); ok {
		copied := newList()
		for _, v := range l.list.Elems {
			if k, ok := v.(*node); ok {
				d := w.clone(k)
				d.parent, v = c, d
			}
			copied.list.Elems = append(copied.list.Elems, v)
		}
		c.value = copied
	}
	return c
}

// show writes a node as its toString does.
func (w *walk) show(n *node) {
	w.any(n.name)
	w.b.WriteString("[attributes={")
	for i, k := range n.attrs.Keys() {
		if i > 0 {
			w.b.WriteString(", ")
		}
		v, _ := n.attrs.Get(k)
		w.any(k)
		w.b.WriteByte('=')
		w.any(v)
	}
	w.b.WriteString("}; value=")
	w.any(n.value)
	w.b.WriteByte(']')
}

// any writes a value. Maps and sets, which may hold the node that is shown,
// are only named.
func (w *walk) any(v groovy.Value) {
	defer func() { w.depth-- }()
	if !w.enter() {
		w.b.WriteString("...")
		return
	}
	switch v := v.(type) {
	case *node:
		w.show(v)
	case *nodeList:
		w.any(v.list)
	case *groovy.List:
		w.b.WriteByte('[')
		for i, x := range v.Elems {
			if i > 0 {
				w.b.WriteString(", ")
			}
			w.any(x)
		}
		w.b.WriteByte(']')
	case *path:
		v.text(w)
	case *groovy.Map, *groovy.Set:
		w.b.WriteString(groovy.TypeName(v))
	default:
		w.b.WriteString(groovy.Format(v))
	}
}
