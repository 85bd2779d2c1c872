package xml

import (
	"maps"
	"slices"
	"strconv"

	"appliance/recipes/groovy"
)

// elem is an element as XmlSlurper keeps it. What a script replaces or appends
// by closures is built when the tree is written; it is not seen before.
type elem struct {
	name, uri string
	attrs     *groovy.Map       // by name, or by {uri}name
	spaces    map[string]string // the namespaces of attributes, by their keys
	kids      []groovy.Value    // *elem, *path, text, *built
	instead   []*built          // the last one stands for the element
	parent    *elem
}

// built is a closure that makes markup when the tree is written.
type built struct {
	body *groovy.Closure
	of   *path        // what the closure is given
	more groovy.Value // written behind it, when set
	self bool         // the element itself comes first
}

// Type names the class.
func (*elem) Type() string { return "groovy.util.slurpersupport.Node" }

// Get and Set know nothing: scripts see elements as paths.
func (*elem) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*elem) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call refuses.
func (*elem) Call(*groovy.Thread, string, []groovy.Value) (groovy.Value, error) {
	return nil, groovy.ErrNoMember
}

// plain are the children that a value becomes: paths and texts.
func plain(v groovy.Value, depth int) []groovy.Value {
	switch v := v.(type) {
	case nil:
		return nil
	case *path:
		return []groovy.Value{v}
	case *groovy.List:
		var list []groovy.Value
		for _, x := range v.Elems {
			if depth < 8 {
				list = append(list, plain(x, depth+1)...)
			}
		}
		return list
	}
	return []groovy.Value{groovy.Format(v)}
}

// elems are the children that are elements.
func (e *elem) elems() []*elem {
	var list []*elem
	for _, k := range e.kids {
		if c, ok := k.(*elem); ok {
			list = append(list, c)
		}
	}
	return list
}

// text adds the text of an element.
func (e *elem) text(w *walk) {
	defer func() { w.depth-- }()
	if !w.enter() {
		return
	}
	for _, k := range e.kids {
		switch k := k.(type) {
		case *elem:
			k.text(w)
		case *path:
			k.text(w)
		case string:
			w.b.WriteString(k)
		}
	}
}

// write builds the element into a document. declared are the namespaces of
// the path that leads to it, hints those of the document it comes from.
func (e *elem) write(t *groovy.Thread, d *document, declared, hints map[string]string) error {
	if d.depth++; d.depth > 4*maxDepth {
		return tooDeep()
	}
	defer func() { d.depth-- }()
	if n := len(e.instead); n > 0 {
		last := e.instead[n-1]
		e.instead = e.instead[:n-1] // not while its closure runs
		err := last.write(t, d)
		e.instead = append(e.instead, last)
		return err
	}
	inside := func() error {
		for _, k := range e.kids {
			if err := d.item(t, k, declared, hints); err != nil {
				return err
			}
		}
		return nil
	}
	if e.uri == "" && len(e.spaces) == 0 {
		return d.element(t, "", e.name, e.attrs, inside)
	}
	var fresh []string
	attrs := e.attrs
	if len(e.spaces) > 0 {
		attrs = groovy.NewHashMap()
		for _, k := range e.attrs.Keys() {
			v, _ := e.attrs.Get(k)
			if uri, ok := e.spaces[groovy.Format(k)]; ok {
				k = d.prefixOf(uri, declared, hints, &fresh) + "$" + groovy.Format(k)
			}
			attrs.Put(k, v)
		}
	}
	prefix := d.prefixOf(e.uri, declared, hints, &fresh)
	if err := d.element(t, prefix, e.name, attrs, inside); err != nil {
		return err
	}
	for _, p := range fresh {
		d.pending.Delete(p)
	}
	return nil
}

// prefixOf is the prefix of a namespace; one that is not declared yet is
// declared by the next element.
func (d *document) prefixOf(uri string, declared, hints map[string]string, fresh *[]string) string {
	for _, m := range []*groovy.Map{d.pending, d.bound} {
		for _, k := range m.Keys() {
			if v, _ := m.Get(k); v == uri {
				return groovy.Format(k)
			}
		}
	}
	prefix := ""
	for _, m := range []map[string]string{declared, hints} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if m[k] == uri && prefix == "" {
				prefix = k
			}
		}
	}
	for i := 0; prefix == ""; i++ {
		p := "tag" + strconv.Itoa(i)
		if _, ok := declared[p]; !ok && !d.pending.Has(p) && !d.bound.Has(p) {
			prefix = p
		}
	}
	d.declare(prefix, uri)
	*fresh = append(*fresh, prefix)
	return prefix
}

// write runs the closure on the document.
func (b *built) write(t *groovy.Thread, d *document) error {
	if b.self {
		if err := b.of.write(t, d); err != nil {
			return err
		}
		return d.item(t, b.more, nil, nil)
	}
	if _, err := t.CallMethod(d.bind(b.body), "call", []groovy.Value{b.of}); err != nil {
		return err
	}
	return nil
}
