package groovy

import (
	"context"
	"maps"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Config evaluates a script as groovy.util.ConfigSlurper does: assignments
// and nested blocks make a map; a bare name that nothing defines is an empty
// map. given are variables that the script may read; nil has none.
func (in *Interp) Config(ctx context.Context, s *Script, given map[string]Value) (*Map, error) {
	return in.thread(ctx, nil).Config(s, given)
}

// Config is Interp.Config within the evaluation t.
func (t *Thread) Config(s *Script, given map[string]Value) (*Map, error) {
	c := &config{given: given}
	root := NewMap()
	root.auto = true
	c.stack = []*Map{root}
	if t.in.Base != nil {
		c.outer = t.in.Base
	}
	in := *t.in
	in.Base = c
	outer := t.in
	t.in = &in
	defer func() { t.in = outer }()
	_, err := t.Run(s)
	return root, err
}

// config is the base of a ConfigSlurper script: the blocks that are open.
type config struct {
	stack []*Map
	given map[string]Value
	outer Object
}

// Type names the base in messages.
func (c *config) Type() string { return "ConfigSlurper" }

// Get reads a setting of the open blocks, innermost first.
func (c *config) Get(t *Thread, name string) (Value, error) {
	for i := len(c.stack) - 1; i >= 0; i-- {
		if v, ok := c.stack[i].Get(name); ok {
			return v, nil
		}
	}
	if v, ok := c.given[name]; ok {
		return v, nil
	}
	if v := t.class(name); v != nil {
		return v, nil
	}
	top := c.stack[len(c.stack)-1]
	return t.mapGet(top, name), t.grow(1, 64)
}

// Set makes a setting.
func (c *config) Set(t *Thread, name string, v Value) error {
	c.stack[len(c.stack)-1].Put(name, v)
	return t.grow(1, 64)
}

// Call opens a block.
func (c *config) Call(t *Thread, name string, args []Value) (Value, error) {
	if len(args) == 1 {
		body, ok := args[0].(*Closure)
		if !ok {
			return nil, ErrNoMember
		}
		top := c.stack[len(c.stack)-1]
		old, _ := top.Get(name)
		m, ok := old.(*Map)
		if !ok {
			m = NewMap()
			m.auto = true
			top.Put(name, m)
		}
		c.stack = append(c.stack, m)
		_, err := t.Call(body)
		c.stack = c.stack[:len(c.stack)-1]
		return m, err
	}
	return nil, ErrNoMember
}
