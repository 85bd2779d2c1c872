package recipes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"appliance/recipes/groovy"
)

// block is an object of the language while it is read: service, lifecycle...
type block struct {
	typ    string
	vals   map[string]groovy.Value
	own    map[string]bool   // set here, not inherited
	where  map[string]string // property -> file:line
	at     string
	bases  []string // service: folders of extended recipes, child first
	baseFS []source
	// baseless: what it extends could not be read
	baseless bool
	vars     map[string]groovy.Value
}

func newBlock(typ string) *block {
	return &block{typ: typ, vals: map[string]groovy.Value{}, own: map[string]bool{}, where: map[string]string{}}
}

// inherit copies b, so that a child can override it.
func (b *block) inherit() *block {
	c := newBlock(b.typ)
	c.at, c.bases, c.baseFS, c.vars = b.at, b.bases, b.baseFS, b.vars
	for k, v := range b.vals {
		if nested, ok := v.(*block); ok {
			v = nested.inherit()
		}
		c.vals[k] = v
		c.where[k] = b.where[k]
	}
	return c
}

// override puts what child set itself over b.
func (b *block) override(child *block) {
	for k := range child.own {
		v := child.vals[k]
		if nested, ok := v.(*block); ok {
			if old, ok := b.vals[k].(*block); ok {
				old.override(nested)
				continue
			}
		}
		b.vals[k], b.where[k], b.own[k] = v, child.where[k], true
	}
}

// Type, Get, Set and Call make a block a value of the language.
func (b *block) Type() string { return b.typ }

// Get reads a property.
func (b *block) Get(_ *groovy.Thread, name string) (groovy.Value, error) {
	if v, ok := b.vals[name]; ok {
		return v, nil
	}
	return nil, groovy.ErrNoMember
}

// Fields are what a block is in JSON.
func (b *block) Fields() map[string]groovy.Value {
	out := maps.Clone(b.vals)
	out["block"] = b.typ
	return out
}

// Set is refused: a block is written by its own statements only.
func (b *block) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call knows no methods.
func (b *block) Call(*groovy.Thread, string, []groovy.Value) (groovy.Value, error) {
	return nil, groovy.ErrNoMember
}

// reader is the base of a descriptor: what its bare words mean.
type reader struct {
	load    *loader
	src     source
	vars    map[string]groovy.Value
	context groovy.Object
	types   map[string]blockType
	stack   []*block
}

// Knows says whether a descriptor may use a bare name: one that its properties
// bind, or a word of the language. Where it stands is not looked at.
func (r *reader) Knows(name string) bool {
	if _, ok := r.vars[name]; ok || r.types[name].parents != nil || slices.Contains(statistics(), name) {
		return true
	}
	for _, t := range r.types {
		if _, ok := t.props[name]; ok {
			return true
		}
	}
	return slices.Contains([]string{"context", "NO_PROCESS_LOCATORS", "dslFilePath", "dslLogger", "extend", "load", "binding"}, name)
}

// Type names the base in messages.
func (r *reader) Type() string { return "recipe" }

func (r *reader) active() *block {
	if len(r.stack) == 0 {
		return nil
	}
	return r.stack[len(r.stack)-1]
}

// Get resolves a bare name: properties first (rule 24), then what the
// language binds.
func (r *reader) Get(t *groovy.Thread, name string) (groovy.Value, error) {
	if v, ok := r.vars[name]; ok {
		return v, nil
	}
	switch name {
	case "context":
		return r.context, nil
	case "NO_PROCESS_LOCATORS":
		return groovy.NewList(), nil
	case "dslFilePath":
		return t.File(), nil
	case "dslLogger":
		return logger(), nil
	case "binding":
		return r.binding(), nil
	}
	if c, ok := t.Class(name); ok {
		return c, nil
	}
	if v, ok := statistic(name); ok {
		return v, nil
	}
	if b := r.active(); b != nil {
		if v, ok := b.vals[name]; ok {
			return v, nil
		}
	}
	if b := r.active(); b != nil {
		if _, ok := r.types[b.typ].props[name]; ok { // "retries -2" is a subtraction
			return nil, groovy.Throw("DSLException", "Could not resolve DSL entry with name: %s (it has no value here; one that begins with an operator is written %s(-1))", name, name)
		}
	}
	err := groovy.Throw("DSLException", "Could not resolve DSL entry with name: %s", name)
	if r.active() == nil {
		return nil, err
	}
	return nil, r.load.faulty(t, err, name)
}

// binding is what the properties bind, as scripts ask for it that do not know
// whether a name is there: binding.variables["runParams"].
func (r *reader) binding() groovy.Value {
	vars := groovy.NewMap()
	for _, k := range sortedNames(r.vars) {
		vars.Put(k, r.vars[k])
	}
	return &groovy.Functions{Name: "groovy.lang.Binding", Consts: map[string]groovy.Value{"variables": vars},
		Func: func(_ *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
			if len(args) != 1 {
				return nil, groovy.ErrNoMember
			}
			v, ok := r.vars[groovy.Format(args[0])]
			switch id {
			case "hasVariable":
				return ok, nil
			case "getVariable":
				if !ok {
					return nil, groovy.Throw("MissingPropertyException", "No such property: %s for class: groovy.lang.Binding", groovy.Format(args[0]))
				}
				return v, nil
			}
			return nil, groovy.ErrNoMember
		}}
}

// Set assigns a property of the open block; at the root it is a variable.
func (r *reader) Set(t *groovy.Thread, name string, v groovy.Value) error {
	b := r.active()
	if b == nil {
		return groovy.ErrNoMember
	}
	kind, ok := r.types[b.typ].props[name]
	if !ok {
		return r.load.faulty(t, r.unknown(b, name), name)
	}
	return r.load.faulty(t, r.set(t, b, name, kind, v), name)
}

func (r *reader) unknown(b *block, name string) error {
	return groovy.Throw("DSLException", "Could not find property: %s on Object: %s%s", name, b.typ, hint(name, r.types[b.typ].props))
}

// Call is "name value" and "name { ... }". What is wrong with one is noted,
// and the descriptor read on: its author is told all at once.
func (r *reader) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	v, err := r.entry(t, name, args)
	if r.active() == nil && name != "service" && name != "application" {
		return v, err
	}
	return v, r.load.faulty(t, err, name)
}

func (r *reader) entry(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	b := r.active()
	switch name {
	case "extend":
		if b != nil {
			return r.extend(t, b, args)
		}
	case "load":
		if len(args) == 1 {
			return r.fragment(t, groovy.Format(args[0]))
		}
	}
	var body *groovy.Closure
	if len(args) == 1 {
		body, _ = args[0].(*groovy.Closure)
	}
	if b != nil {
		if kind, ok := r.types[b.typ].props[name]; ok {
			isBlock := body != nil && r.types[name].parents != nil
			if isBlock && (kind == pBlock || kind == pList) {
				return r.open(t, b, name, kind, body)
			}
			if isBlock && kind == pAny { // serviceStatistics of a scaling rule
				n, err := r.nested(t, b, name, body)
				if err != nil {
					return nil, err
				}
				return n, r.set(t, b, name, kind, n)
			}
			if len(args) != 1 {
				return nil, groovy.Throw("DSLException", "Property assignment of field: %s received an array with more then one item: %s", name, groovy.Format(groovy.NewList(args...)))
			}
			if kind == pList && body != nil { // incoming { ... }
				v, err := t.Call(body)
				if err != nil {
					return nil, err
				}
				args = []groovy.Value{v}
			}
			return nil, r.set(t, b, name, kind, args[0])
		}
	}
	if _, ok := r.types[name]; ok && body != nil {
		return r.nested(t, b, name, body)
	}
	if c, ok := r.vars[name].(*groovy.Closure); ok {
		return t.Call(c, args...)
	}
	if v, ok := statistic(name); ok {
		return v, nil
	}
	if b != nil && r.types[b.typ].props["*"] == 0 && !slices.Contains(grids(), b.typ) {
		return nil, groovy.Throw("DSLException", "Could not find property: %s on Object: %s%s. Could not resolve DSL entry with name: %s",
			name, b.typ, hint(name, r.types[b.typ].props), name)
	}
	if b != nil {
		return nil, nil // inside a processing unit, which is refused as a whole
	}
	return nil, groovy.Throw("DSLException", "Could not resolve DSL entry with name: %s", name)
}

// open reads a block that is a property of b.
func (r *reader) open(t *groovy.Thread, b *block, name string, kind propKind, body *groovy.Closure) (groovy.Value, error) {
	if kind == pList {
		return r.nested(t, b, name, body)
	}
	if b.typ == "service" && (name == "lifecycle" || slices.Contains(grids(), name)) {
		for _, other := range append(grids(), "lifecycle") {
			if b.own[other] {
				return nil, groovy.Throw("DSLException", "There may only be one type of processing unit defined. Found more than one: [%s, %s]", other, name)
			}
		}
	}
	if err := r.once(b, name); err != nil {
		return nil, err
	}
	n := newBlock(name)
	if old, ok := b.vals[name].(*block); ok {
		n = old.inherit()
	}
	r.note(t, b, name)
	b.vals[name] = n
	return n, r.run(t, n, body)
}

func (r *reader) run(t *groovy.Thread, n *block, body *groovy.Closure) error {
	n.at = place(t)
	r.stack = append(r.stack, n)
	defer func() { r.stack = r.stack[:len(r.stack)-1] }()
	_, err := t.Call(body)
	return err
}

// nested reads a block that stands where an expression may: the root, an
// element of a list, a service of an application.
func (r *reader) nested(t *groovy.Thread, b *block, name string, body *groovy.Closure) (groovy.Value, error) {
	parents := r.types[name].parents
	switch {
	case b == nil && !slices.Contains(parents, ""):
		return nil, groovy.Throw("DSLException", "Elements of  type %s may not be used as the root node of a DSL", name)
	case b != nil && name == "application":
		return nil, groovy.Throw("DSLException", "Elements of type: application may not be placed in internal nodes")
	case b != nil && !slices.Contains(parents, b.typ):
		return nil, groovy.Throw("DSLException", "The type: %s may only be nested under elements of type %s", name, strings.TrimSpace(strings.Join(parents, " ")))
	}
	n := newBlock(name)
	if err := r.run(t, n, body); err != nil {
		return nil, err
	}
	if b != nil && b.typ == "application" {
		return n, r.member(t, b, n)
	}
	if b != nil && b.typ == "service" && name == "plugin" {
		r.load.warn(place(t), "plugins are not run")
	}
	return n, nil
}

func place(t *groovy.Thread) string {
	file, pos := t.Where()
	return fmt.Sprintf("%s:%d:%d", file, pos.Line, pos.Col)
}

func (r *reader) once(b *block, name string) error {
	if b.own[name] {
		return groovy.Throw("DSLException", "Property duplication was found: Property %s is defined more than once.", name)
	}
	return nil
}

func (r *reader) note(t *groovy.Thread, b *block, name string) {
	b.own[name] = true
	b.where[name] = place(t)
}

// set converts and stores a property; a map is merged into an inherited one.
func (r *reader) set(t *groovy.Thread, b *block, name string, kind propKind, v groovy.Value) error {
	if n, ok := v.(*block); ok && b.vals[name] == n {
		return nil // userInterface load("ui.groovy"): the file has set it
	}
	if err := r.once(b, name); err != nil {
		return err
	}
	v, err := convertProp(t, b.typ, name, kind, v)
	if err != nil {
		return err
	}
	if m, ok := v.(*groovy.Map); ok && (kind == pMap || kind == pExecMap) {
		if old, ok := b.vals[name].(*groovy.Map); ok {
			merged := groovy.NewMap()
			for _, src := range []*groovy.Map{old, m} {
				for _, k := range src.Keys() {
					x, _ := src.Get(k)
					merged.Put(k, x)
				}
			}
			v = merged
		}
	}
	r.note(t, b, name)
	b.vals[name] = v
	return nil
}

// statistic is a value of the Statistics factory; what it computes is
// evaluated by whoever scales.
func statistic(name string) (groovy.Value, bool) {
	if slices.Contains(statistics(), name) {
		return groovy.Enum{Class: "Statistics", Name: name}, true
	}
	return nil, false
}

func statistics() []string {
	return []string{"average", "maximum", "minimum", "median", "percentile", "throughput", "averageCpuPercentage", "maximumThroughput",
		"minimumThroughput", "averageThroughput", "averageOfAverages", "minimumOfAverages", "maximumOfAverages",
		"maximumOfMaximums", "minimumOfMinimums", "percentileOfAverages"}
}

// logger is dslLogger: what is written to it goes to the script's output.
func logger() groovy.Value {
	return &groovy.Functions{Name: "java.util.logging.Logger", Func: func(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
		switch name {
		case "info", "warning", "severe", "fine", "finer", "finest", "debug", "error", "log":
			if len(args) > 0 {
				return nil, t.Print(groovy.Format(args[len(args)-1]) + "\n")
			}
		}
		return nil, groovy.ErrNoMember
	}}
}

// nearest is the known name closest to name; empty when none is close.
func nearest[V any](name string, known map[string]V) string {
	best, least := "", 3
	for k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least || d == least && best != "" && k < best {
			best, least = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost = min(prev, row[j], row[j+1]) + 1
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
