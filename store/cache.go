package store

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"appliance/pool"
)

// maxCached bounds the rows that are kept in memory. When there are more, all
// of them are let go: what is at work is soon there again.
const maxCached = 60_000

// cache holds rows as they were committed last, so that a look at a machine
// or an instance costs no query. It is true because all writes pass one
// writer, which brings it in line with each commit before anybody is told
// that the commit succeeded.
//
// A row that is not in it is read while no commit is under way: who reads two
// things never sees the second one older than the first.
type cache struct {
	// commit is held, for writing, from before a commit until the cache is in
	// line with it; for reading, while a missing row is read.
	commit sync.RWMutex

	mu   sync.Mutex
	rows map[string]any
	size int
}

// Keys of what is cached. Steps are kept by owner, and the open ones by machine.
func machineKey(id string) string        { return "machine/" + id }
func operationKey(id string) string      { return "operation/" + id }
func lastKey(machine string) string      { return "last/" + machine }
func wipedKey(machine string) string     { return "wiped/" + machine }
func stepsKey(owner string) string       { return "steps/" + owner }
func openStepsKey(machine string) string { return "open/" + machine }
func serviceKey(name string) string      { return "service/" + name }
func instanceKey(id string) string       { return "instance/" + id }
func siblingsKey(service string) string  { return "instances/" + service }
func templateKey(name string) string     { return "template/" + name }
func secretKey(name string) string       { return "secret/" + name }

// missing is cached in place of a row that does not exist.
type missing struct{}

// cached returns a copy of the row under key, by load when it is not there.
// That a row does not exist is kept as well.
func cached[T any](c *cache, key string, clone func(T) T, load func() (T, error)) (T, error) {
	c.mu.Lock()
	has := c.rows[key]
	c.mu.Unlock()
	switch v := has.(type) {
	case T:
		return clone(v), nil
	case missing:
		var none T
		return none, pool.ErrNotFound
	}
	c.commit.RLock()
	defer c.commit.RUnlock()
	v, err := load()
	if errors.Is(err, pool.ErrNotFound) {
		c.mu.Lock()
		c.put(key, missing{})
		c.mu.Unlock()
	}
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	c.put(key, v)
	c.mu.Unlock()
	return clone(v), nil
}

// settled runs a query that is not cached while no commit is under way.
func settled[T any](c *cache, load func() (T, error)) (T, error) {
	c.commit.RLock()
	defer c.commit.RUnlock()
	return load()
}

// put keeps v under key. c.mu is held.
func (c *cache) put(key string, v any) {
	if c.size > maxCached || c.rows == nil {
		c.rows, c.size = map[string]any{}, 0
	}
	c.size += weight(v) - weight(c.rows[key])
	c.rows[key] = v
}

func weight(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case []pool.Step:
		return 1 + len(v)
	case []pool.Instance:
		return 1 + len(v)
	}
	return 1
}

func (c *cache) drop(key string) {
	c.size -= weight(c.rows[key])
	delete(c.rows, key)
}

// clear lets go of everything: a write that does not say what it wrote.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows, c.size = nil, 0
}

// applied brings the cache in line with a change that was committed; its rows
// have their new Rev.
func (c *cache) applied(ch *pool.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range ch.Machines {
		c.update(machineKey(m.ID), m.Clone())
	}
	for _, o := range ch.Operations {
		c.drop(operationKey(o.ID))
		c.drop(lastKey(o.Machine))
		if o.Rev == 1 { // the oldest ones of the machine may have been forgotten
			c.forgetSteps("op-")
		}
	}
	for _, s := range ch.Steps {
		c.step(*s)
	}
	for _, s := range ch.Services {
		if s.Rev == 1 { // what was remembered of one of that name is gone
			c.rows, c.size = nil, 0
		}
		c.drop(serviceKey(s.Name))
	}
	for _, in := range ch.Instances {
		c.instance(*in)
	}
	for _, w := range ch.Wipes {
		c.drop(wipedKey(w.Machine))
	}
	for name := range ch.Secrets {
		c.drop(secretKey(name))
	}
}

// update replaces a row that is cached.
func (c *cache) update(key string, v any) {
	if _, ok := c.rows[key]; ok {
		c.rows[key] = v
	}
}

func (c *cache) forgetSteps(prefix string) {
	for k := range c.rows {
		if strings.HasPrefix(k, stepsKey(prefix)) {
			c.drop(k)
		}
	}
}

// step puts a step into the lists that it belongs to.
func (c *cache) step(s pool.Step) {
	s = cloneStep(s)
	if list, ok := c.rows[stepsKey(s.Owner)].([]pool.Step); ok {
		c.put(stepsKey(s.Owner), withStep(list, s, true))
	}
	if list, ok := c.rows[openStepsKey(s.Machine)].([]pool.Step); ok {
		c.put(openStepsKey(s.Machine), withStep(list, s, s.Status == pool.StepPending || s.Status == pool.StepRunning))
	}
	if s.Machine != "" { // it may have had no machine before
		if list, ok := c.rows[openStepsKey("")].([]pool.Step); ok {
			c.put(openStepsKey(""), withStep(list, s, false))
		}
	}
}

// withStep returns a list, in order, with s in it or not. It never changes the
// one it was given: somebody may be reading it.
func withStep(list []pool.Step, s pool.Step, in bool) []pool.Step {
	out := make([]pool.Step, 0, len(list)+1)
	for _, o := range list {
		switch {
		case o.Key == s.Key:
			if in {
				out = append(out, s)
				in = false
			}
		case in && stepOrder(s, o) < 0 && !slices.ContainsFunc(list, func(x pool.Step) bool { return x.Key == s.Key }):
			out = append(out, s, o)
			in = false
		default:
			out = append(out, o)
		}
	}
	if in {
		out = append(out, s)
	}
	return out
}

func (c *cache) instance(in pool.Instance) {
	in = deepCopy(in)
	c.update(instanceKey(in.ID), in)
	list, ok := c.rows[siblingsKey(in.Service)].([]pool.Instance)
	if !ok {
		return
	}
	i := slices.IndexFunc(list, func(o pool.Instance) bool { return o.ID == in.ID })
	if i < 0 {
		c.drop(siblingsKey(in.Service))
		return
	}
	list[i] = in
}

// siblings returns copies of the instances of a service. Other than the
// others, this list is changed in place, and copied under the lock: it may
// be long.
func (c *cache) siblings(service string, load func() ([]pool.Instance, error)) ([]pool.Instance, error) {
	if out, ok := c.copySiblings(service); ok {
		return out, nil
	}
	c.commit.RLock()
	defer c.commit.RUnlock()
	list, err := load()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(siblingsKey(service), list)
	return deepCopy(list), nil
}

func (c *cache) copySiblings(service string) ([]pool.Instance, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, ok := c.rows[siblingsKey(service)].([]pool.Instance)
	if !ok {
		return nil, false
	}
	return deepCopy(list), true
}

// oneStep returns a step whose owner's steps are cached; its key begins with the owner.
func (c *cache) oneStep(key string) (pool.Step, bool) {
	owner, _, _ := strings.Cut(key, "/")
	c.mu.Lock()
	defer c.mu.Unlock()
	list, _ := c.rows[stepsKey(owner)].([]pool.Step)
	for i := range list {
		if list[i].Key == key {
			return cloneStep(list[i]), true
		}
	}
	return pool.Step{}, false
}

// stepRev returns the Rev of a step that is cached; known is false when it is not.
func (c *cache) stepRev(s *pool.Step) (rev int64, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, ok := c.rows[stepsKey(s.Owner)].([]pool.Step)
	for i := range list {
		if list[i].Key == s.Key {
			return list[i].Rev, true
		}
	}
	return 0, ok
}

func (c *cache) instanceRev(id string) (rev int64, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in, ok := c.rows[instanceKey(id)].(pool.Instance)
	return in.Rev, ok
}

func stepOrder(a, b pool.Step) int {
	if a.Seq != b.Seq {
		return a.Seq - b.Seq
	}
	if a.Attempt != b.Attempt {
		return a.Attempt - b.Attempt
	}
	return strings.Compare(a.Key, b.Key)
}

func cloneStep(s pool.Step) pool.Step {
	if s.Task != nil {
		t := *s.Task
		s.Task = &t
	}
	return s
}

func cloneSteps(list []pool.Step) []pool.Step {
	out := make([]pool.Step, len(list))
	for i, s := range list {
		out[i] = cloneStep(s)
	}
	return out
}
