package groovy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Missing is something that a script names and would not find when it runs.
type Missing struct {
	*Error
	What string // class, method, property, name or text
}

// Knower is a Base that says which unqualified names it answers. Of a Base
// that is none nothing is known, and nothing is said of unqualified names.
type Knower interface{ Knows(name string) bool }

// Check tells what s names and would not find if in ran it: classes, methods,
// properties and variables. It only looks at the text and says nothing where
// it is not sure: of a method, where neither the receiver's type is known nor
// the name is that of no method at all; of a name, where a closure's delegate
// may know it.
func (in *Interp) Check(s *Script) []Missing {
	c := &checker{in: in, lib: tables(), s: s, units: map[string]*Script{}}
	for _, g := range s.grabs {
		c.tell("class", g.pos, "@"+g.id+" is not available: nothing is downloaded while a recipe runs")
	}
	if !utf8.ValidString(s.src) {
		c.notUTF8()
	}
	c.look()
	c.function(s.main, place{})
	for _, m := range s.methods {
		c.function(m.fn, place{})
	}
	for _, d := range s.classes {
		c.class(d, place{})
	}
	slices.SortStableFunc(c.found, func(a, b Missing) int {
		return first2int(a.Pos.Line-b.Pos.Line, a.Pos.Col-b.Pos.Col)
	})
	return c.found
}

func first2int(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

// checker is one Check.
type checker struct {
	in      *Interp
	lib     *library
	s       *Script
	units   map[string]*Script // siblings that were looked for, nil when there is none
	names   map[string]bool    // names that the script gives to something
	bound   map[string]bool    // unqualified names that it assigns
	again   map[string]bool    // variables that are assigned after their declaration, or declared twice
	types   map[string]vtype   // of variables that keep their first value's type
	all     map[string]bool    // names of the methods and properties of all types
	open    bool               // the script changes classes: nothing is known of members
	loose   bool               // unqualified names may come from anywhere
	foreign bool               // so may methods: it imports the members of something unknown
	asks    bool               // it looks whether names are bound, which it tells as texts
	lent    bool               // closures are given delegates
	builds  bool               // it makes a builder, which answers whatever it is asked
	found   []Missing
}

// maxMissing is how much one Check tells.
const maxMissing = 100

// place is where an expression stands.
type place struct {
	class    *classDecl // whose code it is
	delegate bool       // in a closure that may have a delegate
	anything bool       // which answers whatever it is asked
}

func (c *checker) tell(what string, pos Pos, msg string) {
	if len(c.found) < maxMissing {
		c.found = append(c.found, Missing{(&Error{File: c.s.File, Pos: pos, Msg: msg}).quote(c.s.src), what})
	}
}

// notUTF8 tells of the first byte that is no UTF-8: the script sees U+FFFD.
func (c *checker) notUTF8() {
	pos := Pos{1, 1}
	for i, r := range c.s.src {
		if r == utf8.RuneError && !strings.HasPrefix(c.s.src[i:], string(r)) {
			c.tell("text", pos, fmt.Sprintf("byte 0x%02x is not UTF-8 text and is read as U+FFFD: save the file as UTF-8", c.s.src[i]))
			return
		}
		pos.Col++
		if r == '\n' {
			pos = Pos{pos.Line + 1, 1}
		}
	}
}

// look collects what the script itself names, declares and assigns.
func (c *checker) look() {
	c.names, c.bound, c.again, c.types = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]vtype{}
	declared := map[string]bool{}
	declare := func(l *local) {
		if l == nil {
			return
		}
		c.again[l.id] = c.again[l.id] || declared[l.id]
		declared[l.id], c.names[l.id] = true, true
	}
	function := func(fn *function) {
		for _, p := range fn.params {
			declare(p.local)
		}
	}
	for _, m := range c.s.methods {
		function(m.fn)
	}
	c.s.walk(func(n any) {
		switch n := n.(type) {
		case *classDecl:
			for _, m := range append(slices.Clone(n.methods), n.inits...) {
				function(m.fn)
			}
		case *closureLit:
			function(n.fn)
		case *varDecl:
			for _, l := range n.locals {
				declare(l)
				if n.field {
					c.bound[l.id] = true
				}
			}
		case *forIn:
			declare(n.local)
			c.again[n.local.id] = true
		case *tryStmt:
			for _, k := range n.catches {
				declare(k.local)
			}
		case *assign:
			if n.op != "" {
				c.changed(n.l)
			} else {
				c.assigned(n.l)
			}
		case *step:
			c.changed(n.x)
		case *literal:
			if id, ok := n.val.(string); ok && len(id) < 64 {
				c.names[id] = true
			}
		case *creation:
			c.builds = c.builds || isBuilder(n.class)
		case *property:
			c.notice(n.id)
		case *call:
			c.notice(n.id)
		case *name:
			c.notice(n.id)
		}
	})
	c.declarations(c.s)
	for _, d := range c.s.imports {
		c.imported(d)
	}
	if k, ok := c.in.Base.(Knower); c.in.Base != nil && !ok || ok && k.Knows("*") {
		c.loose = true
	}
}

// isBuilder says whether objects of a class take any name, as a tag or a field.
func isBuilder(class string) bool {
	return hasWord("JsonBuilder StreamingJsonBuilder MarkupBuilder StreamingMarkupBuilder NodeBuilder XmlParser XmlSlurper", lastName(class))
}

// notice finds what changes classes while the script runs.
func (c *checker) notice(id string) {
	switch id {
	case "metaClass", "mixin", "getMetaClass", "ExpandoMetaClass", "use":
		c.open = true
	case "setVariable", "setBinding", "setProperty":
		c.loose = true
	case "binding", "hasVariable", "getBinding":
		c.asks = true
	case "delegate", "setDelegate", "with", "rehydrate", "Expando", "resolveStrategy":
		c.lent = true
	}
}

// changed is x += 1: what x names must be there.
func (c *checker) changed(x expr) {
	if n, ok := x.(*name); ok {
		c.again[n.id] = true
		return
	}
	c.assigned(x)
}

func (c *checker) assigned(x expr) {
	switch x := x.(type) {
	case *name:
		c.names[x.id], c.again[x.id] = true, true
		if x.local == nil && x.up < 0 {
			c.bound[x.id] = true
		}
	case *property:
		c.names[x.id] = true
	case *listLit:
		for _, e := range x.elems {
			c.assigned(e)
		}
	}
}

// declarations notes the methods and fields of a script and its classes.
func (c *checker) declarations(s *Script) {
	for _, m := range s.methods {
		c.names[m.id] = true
	}
	for _, d := range s.classes {
		c.members(d)
	}
}

func (c *checker) members(d *classDecl) {
	for _, m := range d.methods {
		c.names[m.id] = true
		switch m.id {
		case "methodMissing", "propertyMissing", "invokeMethod", "getProperty", "setProperty":
			c.open = true
		}
	}
	for _, f := range append(slices.Clone(d.fields), d.statics...) {
		for _, l := range f.locals {
			c.names[l.id] = true
		}
	}
	for _, n := range d.notes {
		if !slices.Contains([]string{"ToString", "EqualsAndHashCode", "Canonical", "Immutable", "TupleConstructor", "CompileStatic", "TypeChecked", "PackageScope"}, n.id) {
			c.open = true // @Singleton, @Delegate...: they make members
		}
	}
	for _, k := range d.constants {
		c.names[k.id] = true
		if k.body != nil {
			c.members(k.body)
		}
	}
}

// imported looks at the file that an import reads.
func (c *checker) imported(d importDecl) {
	s := c.sibling(d.path)
	if s != nil {
		c.declarations(s)
		return
	}
	if d.static && d.star && c.classAt(d.path) == nil {
		c.loose, c.foreign = true, true
	}
}

// sibling is the script of a file beside this one; nil when there is none.
func (c *checker) sibling(path string) *Script {
	if c.in.Import == nil {
		return nil
	}
	s, ok := c.units[path]
	if ok {
		return s
	}
	c.units[path] = nil
	s, err := c.in.Import(path)
	if err != nil {
		c.open, c.loose = true, true // its own fault is told elsewhere
	}
	if s != nil {
		c.units[path] = s
		c.declarations(s)
	}
	return s
}

// classAt is the class of a name: one of the embedder, of the library, or a
// *classDecl of the script or a sibling; nil when there is none.
func (c *checker) classAt(path string) any {
	for _, d := range c.s.imports {
		if d.alias == path && path != "" {
			path = d.path
		}
	}
	id := lastName(path)
	own := func(s *Script) any {
		for _, d := range s.classes {
			if d.id == id || d.outer != nil && d.outer.id+"."+d.id == path {
				return d
			}
		}
		return nil
	}
	if d := own(c.s); d != nil {
		return d
	}
	for _, s := range c.units {
		if s != nil {
			if d := own(s); d != nil {
				return d
			}
		}
	}
	if k, ok := c.in.Classes[path]; ok {
		return k
	}
	if k, ok := c.in.Classes[id]; ok {
		return k
	}
	if k := c.lib.class(id); k != nil {
		return k
	}
	if isUpper(id) || c.units[id] != nil {
		if s := c.sibling(id); s != nil {
			if d := own(s); d != nil {
				return d
			}
			return s
		}
	}
	return nil
}

// packageRoot says whether a name begins a qualified class.
func packageRoot(id string) bool {
	return slices.Contains([]string{"java", "javax", "groovy", "org", "com", "net"}, id)
}

// universe are the names of the methods and properties of all types.
func (c *checker) universe() map[string]bool {
	if c.all != nil {
		return c.all
	}
	c.all = map[string]bool{}
	add := func(id string) {
		c.all[id] = true
		if p, _, ok := accessor(id); ok {
			c.all[p] = true
		}
	}
	for _, m := range c.lib.kinds {
		for id := range m {
			add(id)
		}
	}
	for id := range c.lib.functions {
		add(id)
	}
	for _, id := range objectNames() {
		add(id)
	}
	for _, k := range c.lib.classes {
		for _, id := range append(staticNames(k), k.Members...) {
			add(id)
		}
	}
	for _, k := range c.in.Classes {
		for _, id := range append(staticNames(k), k.Members...) {
			add(id)
		}
	}
	return c.all
}

// staticNames are the static members of a class that a table tells.
func staticNames(k *Class) []string {
	var list []string
	f, _ := k.Static.(*Functions)
	if t, ok := k.Static.(*tableStatics); ok {
		f = t.Functions
		for id := range t.fns {
			list = append(list, id)
		}
	}
	if f != nil {
		for id := range f.Consts {
			list = append(list, id)
		}
	}
	return append(list, k.Members...)
}

// answers says whether one of the members answers the name id, directly or as
// the accessor or the property of one.
func answers(members []string, id string) bool {
	if slices.Contains(members, id) {
		return true
	}
	up := upperFirst(id)
	if slices.Contains(members, "get"+up) || slices.Contains(members, "is"+up) || slices.Contains(members, "set"+up) {
		return true
	}
	p, _, ok := accessor(id)
	return ok && slices.Contains(members, p)
}

// className is what a message calls a class.
func shortName(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }
