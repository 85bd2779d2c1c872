package groovy

import (
	"context"
	"slices"
	"strings"
)

// Config evaluates a script as groovy.util.ConfigSlurper does: assignments
// and nested blocks make a map; a bare name that nothing defines is an empty
// map. given are variables that the script may read; nil has none.
func (in *Interp) Config(ctx context.Context, s *Script, given map[string]Value) (m *Map, err error) {
	t := in.thread(ctx)
	defer t.survive(&err)
	return t.Config(s, given)
}

// Config is Interp.Config within the evaluation t.
func (t *Thread) Config(s *Script, given map[string]Value) (*Map, error) {
	return t.configIn(s, given, "")
}

func (t *Thread) configIn(s *Script, given map[string]Value, environment string) (*Map, error) {
	root := &Map{kind: config}
	c := &slurp{given: given, stack: []*Map{root}, environment: environment}
	in := *t.in
	in.Base = c
	outer := t.in
	t.in = &in
	defer func() { t.in = outer }()
	_, err := t.Run(s)
	if err == nil {
		err = c.apply(t)
	}
	return root, err
}

// slurp is the base of a ConfigSlurper script: the blocks that are open.
type slurp struct {
	stack       []*Map
	given       map[string]Value
	environment string // that environments { name { } } selects
	inside      int    // depth at which environments is open; 0: not
	chosen      *Map   // what the environment's block set
	into        *Map   // where it belongs
}

// Type names the base in messages.
func (c *slurp) Type() string { return "ConfigSlurper" }

func (c *slurp) top() *Map { return c.stack[len(c.stack)-1] }

// Get reads a setting of the open blocks, innermost first.
func (c *slurp) Get(t *Thread, name string) (Value, error) {
	for i := len(c.stack) - 1; i >= 0; i-- {
		if v, ok := c.stack[i].Get(name); ok {
			return v, nil
		}
	}
	if v, ok := c.given[name]; ok {
		return v, nil
	}
	if v := t.class(t.unit(), name); v != nil {
		return v, nil
	}
	return t.mapGet(c.top(), name)
}

// Set makes a setting.
func (c *slurp) Set(t *Thread, name string, v Value) error {
	c.top().Put(name, v)
	return t.grow(1, 64)
}

// Call opens a block.
func (c *slurp) Call(t *Thread, name string, args []Value) (Value, error) {
	if len(args) != 1 {
		return nil, ErrNoMember
	}
	body, ok := args[0].(*Closure)
	if !ok {
		if c.inside > 0 {
			return nil, ErrNoMember
		}
		return args[0], c.Set(t, name, args[0]) // name value
	}
	switch {
	case name == "environments" && c.inside == 0:
		c.inside = len(c.stack)
		_, err := t.callClosure(body, nil)
		c.inside = 0
		return nil, err
	case c.inside == len(c.stack):
		if name != c.environment {
			return nil, nil
		}
		return c.open(t, c.forEnvironment(), body)
	}
	old, _ := c.top().Get(name)
	m, ok := old.(*Map)
	if !ok {
		m = &Map{kind: config}
		c.top().Put(name, m)
	}
	return c.open(t, m, body)
}

func (c *slurp) open(t *Thread, m *Map, body *Closure) (Value, error) {
	inside := c.inside
	c.inside = 0
	c.stack = append(c.stack, m)
	_, err := t.callClosure(body, nil)
	c.stack = c.stack[:len(c.stack)-1]
	c.inside = inside
	return m, err
}

// forEnvironment collects what the chosen environment sets; it is applied
// when the script has ended, so that it wins.
func (c *slurp) forEnvironment() *Map {
	if c.chosen == nil {
		c.chosen, c.into = &Map{kind: config}, c.top()
	}
	return c.chosen
}

func (c *slurp) apply(t *Thread) error {
	if c.chosen == nil {
		return nil
	}
	return t.mergeConfig(c.into, c.chosen, 0)
}

// mergeConfig is ConfigObject.merge: maps are merged, all else replaced.
func (t *Thread) mergeConfig(into, from *Map, depth int) error {
	for _, s := range slices.Clone(from.entries()) {
		if err := t.charge(1); err != nil { // maps may share parts at each level
			return err
		}
		old, _ := into.Get(s.k)
		a, ok1 := old.(*Map)
		b, ok2 := s.v.(*Map)
		if ok1 && ok2 && depth < 64 && a != b {
			if err := t.mergeConfig(a, b, depth+1); err != nil {
				return err
			}
			continue
		}
		into.Put(s.k, s.v)
	}
	return nil
}

func configSlurper() *Class {
	return &Class{Name: "ConfigSlurper", New: func(_ *Thread, args []Value) (Value, error) {
		environment := ""
		if len(args) == 1 {
			environment = Format(args[0])
		}
		given := map[string]Value{}
		return &Functions{Name: "groovy.util.ConfigSlurper", Func: func(t *Thread, id string, a []Value) (Value, error) {
			switch {
			case id == "setEnvironment" && len(a) == 1:
				environment = Format(a[0])
				return nil, nil
			case id == "getEnvironment":
				return environment, nil
			case id == "setBinding" && len(a) == 1:
				if m, ok := a[0].(*Map); ok {
					for _, s := range m.entries() {
						given[Format(s.k)] = s.v
					}
				}
				return nil, nil
			case id == "parse" && len(a) > 0:
				return t.slurp(a[0], given, environment)
			}
			return nil, ErrNoMember
		}}, nil
	}}
}

// slurp parses a text, a File or URL, or Properties.
func (t *Thread) slurp(v Value, given map[string]Value, environment string) (Value, error) {
	if m, ok := v.(*Map); ok {
		root := &Map{kind: config}
		for _, s := range m.entries() {
			nested(root, strings.Split(Format(s.k), "."), s.v)
		}
		return root, t.grow(m.Len(), 128)
	}
	file, text, err := textOf(t, v)
	if err != nil {
		return nil, err
	}
	s, err := t.parse(file, text)
	if err != nil {
		return nil, err
	}
	return t.configIn(s, given, environment)
}

// nested puts the value of a.b.c into maps of maps.
func nested(m *Map, path []string, v Value) {
	for _, p := range path[:min(len(path)-1, 64)] {
		old, _ := m.Get(p)
		next, ok := old.(*Map)
		if !ok {
			next = &Map{kind: config}
			m.Put(p, next)
		}
		m = next
	}
	m.Put(path[len(path)-1], v)
}

// configMethods are those of ConfigObject.
func configMethods() methods {
	return methods{
		"merge": changed(1, 3, func(t *Thread, m *Map, a []Value) (Value, error) {
			if len(a) == 3 {
				return t.mergeValue(m, a[0], a[1], a[2])
			}
			o, ok := a[0].(*Map)
			if !ok || m.kind != config {
				return nil, ErrNoMember
			}
			if err := t.mergeConfig(m, o, 0); err != nil {
				return nil, err
			}
			return m, t.grow(o.Len(), 64)
		}),
		"flatten": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			if m.kind != config {
				return nil, ErrNoMember
			}
			out := &Map{kind: config}
			return out, t.flattenConfig(out, "", m, 0)
		}),
		"toProperties": on(0, 1, func(t *Thread, m *Map, _ []Value) (Value, error) {
			flat := &Map{kind: hashed}
			if err := t.flattenConfig(flat, "", m, 0); err != nil {
				return nil, err
			}
			out := &Map{kind: props}
			for _, s := range flat.entries() {
				text, err := t.toString(s.v)
				if err != nil {
					return nil, err
				}
				out.Put(s.k, text)
			}
			return out, nil
		}),
		"writeTo": on(1, 1, func(t *Thread, m *Map, a []Value) (Value, error) {
			w := &configWriter{t: t}
			if err := w.block(m, 0); err != nil {
				return nil, err
			}
			_, err := t.CallMethod(a[0], "write", []Value{w.b.String()})
			return a[0], err
		}),
		"prettyPrint": on(0, 0, func(t *Thread, m *Map, _ []Value) (Value, error) {
			w := &configWriter{t: t}
			return text(w.b.String(), w.block(m, 0))
		}),
		"isSet": on(1, 1, func(_ *Thread, m *Map, a []Value) (Value, error) {
			v, ok := m.Get(a[0])
			if o, isMap := v.(*Map); isMap && o.Len() == 0 {
				ok = false
			}
			return ok, nil
		}),
	}
}

func (t *Thread) flattenConfig(out *Map, prefix string, m *Map, depth int) error {
	if depth > 64 {
		return tooMany("nested blocks")
	}
	for _, s := range m.entries() {
		if err := t.charge(1); err != nil {
			return err
		}
		key := prefix + Format(s.k)
		if o, ok := s.v.(*Map); ok && o.kind == config {
			if err := t.flattenConfig(out, key+".", o, depth+1); err != nil {
				return err
			}
			continue
		}
		out.Put(key, s.v)
		if err := t.grow(len(key), 2); err != nil {
			return err
		}
	}
	return nil
}

// configWriter writes a ConfigObject as the script that makes it.
type configWriter struct {
	t *Thread
	b strings.Builder
}

func (w *configWriter) block(m *Map, depth int) error {
	if depth > 64 || w.b.Len() > maxString {
		return tooMany("settings")
	}
	tabs := strings.Repeat("\t", depth)
	for _, s := range m.entries() {
		k := Format(s.k)
		if o, ok := s.v.(*Map); ok && o.kind == config {
			if err := w.nested(k, o, depth); err != nil {
				return err
			}
			continue
		}
		text, err := w.t.inspect(s.v)
		if err != nil {
			return err
		}
		w.b.WriteString(tabs + configKey(k) + "=" + text + "\n")
	}
	return nil
}

// nested writes a block, on one line when it holds plain settings only.
func (w *configWriter) nested(k string, o *Map, depth int) error {
	if o.Len() == 0 {
		return nil
	}
	tabs := strings.Repeat("\t", depth)
	plain := !slices.ContainsFunc(o.entries(), func(s slot) bool { m, ok := s.v.(*Map); return ok && m.kind == config })
	if plain && o.Len() == 1 {
		s := o.entries()[0]
		text, err := w.t.inspect(s.v)
		w.b.WriteString(tabs + configKey(k) + "." + configKey(Format(s.k)) + "=" + text + "\n")
		return err
	}
	w.b.WriteString(tabs + configKey(k) + " {\n")
	err := w.block(o, depth+1)
	w.b.WriteString(tabs + "}\n")
	return err
}

func configKey(k string) string {
	for i, r := range k {
		if r != '_' && (r < '0' || r > '9' || i == 0) && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return "'" + k + "'"
		}
	}
	return k
}
