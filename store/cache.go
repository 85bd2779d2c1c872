package store

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"appliance/pool"
)

// maxCached bounds the rows that are kept in memory: those that nobody looked
// at for longest go first, half of all at a time.
const maxCached = 120_000

// cache holds rows as they were committed last, so that a look at a machine
// or an instance costs no query. It is true because all writes pass one
// writer, which brings it in line with each commit before anybody is told
// that the commit succeeded.
//
// A row that is not in it is read while no commit is under way: who reads two
// things never sees the second one older than the first.
//
// Steps and instances that it holds are never changed, only replaced: lists
// share them.
type cache struct {
	// commit is held, for writing, from before a commit until the cache is in
	// line with it; for reading, while a missing row is read.
	commit sync.RWMutex

	mu    sync.Mutex
	rows  map[cacheKey]any // looked at since the last turn
	older map[cacheKey]any // looked at before
	size  int              // of rows
}

// cacheKey names what is cached: one row, or some by what they have in common.
type cacheKey struct {
	of cachedKind
	id string
}

type cachedKind uint8

const (
	cachedMachine   cachedKind = iota // pool.Machine
	cachedOperation                   // pool.Operation
	cachedLast                        // pool.Operation, by machine
	cachedWiped                       // map[string]bool, by machine
	cachedSteps                       // []*pool.Step, by owner
	cachedRunning                     // []*pool.Step, those that run, by machine
	cachedService                     // pool.Service
	cachedInstance                    // *pool.Instance
	cachedKin                         // *kin, by service
	cachedTemplate                    // pool.Template
	cachedSecret                      // pool.Secret
	cachedMAC                         // string: the ID of the machine that had it last
)

// missing is cached in place of a row that does not exist.
type missing struct{}

// kin is the instances of a service, by number.
type kin struct {
	list []*pool.Instance
	at   map[string]int // by ID
}

func newKin(list []pool.Instance) *kin {
	f := &kin{list: make([]*pool.Instance, len(list)), at: make(map[string]int, len(list))}
	for i := range list {
		f.list[i], f.at[list[i].ID] = &list[i], i
	}
	return f
}

// without returns k without an instance.
func (k *kin) without(id string) *kin {
	i, ok := k.at[id]
	if !ok {
		return k
	}
	out := &kin{list: slices.Concat(k.list[:i], k.list[i+1:]), at: make(map[string]int, len(k.list))}
	for i, in := range out.list {
		out.at[in.ID] = i
	}
	return out
}

// cached returns a copy of the row under key, by load when it is not there.
// That a row does not exist is kept as well.
func cached[T any](c *cache, key cacheKey, clone func(T) T, load func() (T, error)) (T, error) {
	c.mu.Lock()
	has := c.get(key)
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
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, pool.ErrNotFound):
		c.put(key, missing{})
		return v, err
	case err != nil:
		return v, err
	}
	c.put(key, v)
	return clone(v), nil
}

// shared is the clone of what nobody changes.
func shared[T any](v T) T { return v }

// settled runs a query that is not cached while no commit is under way.
func settled[T any](c *cache, load func() (T, error)) (T, error) {
	c.commit.RLock()
	defer c.commit.RUnlock()
	return load()
}

// get returns what is under key, nil when nothing is. c.mu is held.
func (c *cache) get(key cacheKey) any {
	if v, ok := c.rows[key]; ok {
		return v
	}
	v, ok := c.older[key]
	if ok {
		c.put(key, v)
	}
	return v
}

// put keeps v under key. c.mu is held.
func (c *cache) put(key cacheKey, v any) {
	if c.size > maxCached/2 || c.rows == nil {
		c.rows, c.older, c.size = map[cacheKey]any{}, c.rows, 0
	}
	c.size += weight(v) - weight(c.rows[key])
	c.rows[key] = v
	delete(c.older, key)
}

func weight(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case []*pool.Step:
		return 1 + len(v)
	case *kin:
		return 1 + len(v.list)
	}
	return 1
}

func (c *cache) drop(key cacheKey) {
	c.size -= weight(c.rows[key])
	delete(c.rows, key)
	delete(c.older, key)
}

// clear lets go of everything: a write that does not say what it wrote.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.empty()
}

func (c *cache) empty() { c.rows, c.older, c.size = nil, nil, 0 }

// applied brings the cache in line with a change that was committed; its rows
// have their new Rev.
func (c *cache) applied(ch *pool.Change, went gone) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if went.service {
		c.empty()
	}
	c.born(ch)
	for _, m := range ch.Machines {
		c.update(cacheKey{cachedMachine, m.ID}, m.Clone())
	}
	for _, o := range ch.Operations {
		c.drop(cacheKey{cachedOperation, o.ID})
		c.drop(cacheKey{cachedLast, o.Machine})
	}
	for _, id := range went.operations {
		c.drop(cacheKey{cachedOperation, id})
		c.drop(cacheKey{cachedSteps, id})
	}
	for _, s := range ch.Steps {
		c.step(s)
	}
	for _, s := range ch.Services {
		c.drop(cacheKey{cachedService, s.Name})
	}
	for _, in := range ch.Instances {
		c.instance(in)
	}
	for _, w := range ch.Wipes {
		c.drop(cacheKey{cachedWiped, w.Machine})
	}
	for _, t := range ch.Templates {
		c.drop(cacheKey{cachedTemplate, t.Name})
	}
	for _, f := range ch.Forgotten {
		c.drop(cacheKey{cachedSteps, f.Instance})
		if f.All {
			c.drop(cacheKey{cachedInstance, f.Instance})
			if k, ok := c.get(cacheKey{cachedKin, f.Service}).(*kin); ok {
				c.put(cacheKey{cachedKin, f.Service}, k.without(f.Instance))
			}
		}
	}
	for name, s := range ch.Secrets {
		if s.IsZero() {
			c.put(cacheKey{cachedSecret, name}, missing{})
		} else {
			c.put(cacheKey{cachedSecret, name}, s)
		}
	}
}

// born makes room for what belongs to machines, operations and instances that are new:
// they have nothing yet, so there is nothing to be read.
func (c *cache) born(ch *pool.Change) {
	for _, m := range ch.Machines {
		if m.Rev == 1 {
			c.put(cacheKey{cachedMachine, m.ID}, *m)
			c.put(cacheKey{cachedRunning, m.ID}, []*pool.Step{})
			c.put(cacheKey{cachedWiped, m.ID}, map[string]bool{})
			c.put(cacheKey{cachedLast, m.ID}, missing{})
		}
	}
	for _, o := range ch.Operations {
		if o.Rev == 1 {
			c.put(cacheKey{cachedSteps, o.ID}, []*pool.Step{})
		}
	}
	for _, in := range ch.Instances {
		if in.Rev == 1 {
			c.put(cacheKey{cachedInstance, in.ID}, in)
			c.put(cacheKey{cachedSteps, in.ID}, []*pool.Step{})
		}
	}
}

// update replaces a row that is cached.
func (c *cache) update(key cacheKey, v any) {
	if c.get(key) != nil {
		c.put(key, v)
	}
}

// step puts a step into the lists that it belongs to.
func (c *cache) step(s *pool.Step) {
	if s.Rev == 1 && s.Seq >= pool.CommandSeq+pool.KeptCommands { // the oldest ones were forgotten
		c.drop(cacheKey{cachedSteps, s.Owner})
	}
	own := cloneStep(s)
	if list, ok := c.get(cacheKey{cachedSteps, s.Owner}).([]*pool.Step); ok {
		c.put(cacheKey{cachedSteps, s.Owner}, withStep(list, &own, true))
	}
	if list, ok := c.get(cacheKey{cachedRunning, s.Machine}).([]*pool.Step); ok {
		c.put(cacheKey{cachedRunning, s.Machine}, withStep(list, &own, s.Status == pool.StepRunning))
	}
	if s.Machine != "" { // it may have had no machine before
		if list, ok := c.get(cacheKey{cachedRunning, ""}).([]*pool.Step); ok {
			c.put(cacheKey{cachedRunning, ""}, withStep(list, &own, false))
		}
	}
}

// withStep returns a list, in order, with s in it or not. It never changes the
// one it was given: somebody may be reading it.
func withStep(list []*pool.Step, s *pool.Step, in bool) []*pool.Step {
	had := slices.IndexFunc(list, func(o *pool.Step) bool { return o.Key == s.Key })
	switch {
	case had >= 0 && in:
		out := slices.Clone(list)
		out[had] = s
		return out
	case had >= 0:
		return slices.Concat(list[:had], list[had+1:])
	case !in:
		return list
	}
	at, _ := slices.BinarySearchFunc(list, s, stepOrder)
	return slices.Concat(list[:at], []*pool.Step{s}, list[at:])
}

func (c *cache) instance(in *pool.Instance) {
	own := cloneInstance(in)
	c.update(cacheKey{cachedInstance, in.ID}, &own)
	f, ok := c.get(cacheKey{cachedKin, in.Service}).(*kin)
	if !ok {
		return
	}
	if i, ok := f.at[in.ID]; ok {
		f.list[i] = &own
	} else {
		c.drop(cacheKey{cachedKin, in.Service})
	}
}

// siblings returns the instances of a service, which are not to be changed.
// Other than the others, the list that is kept is changed in place, and copied
// under the lock: it may be long.
func (c *cache) siblings(service string, load func() ([]pool.Instance, error)) ([]*pool.Instance, error) {
	key := cacheKey{cachedKin, service}
	if out, ok := c.copyKin(key); ok {
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
	f := newKin(list)
	c.put(key, f)
	return slices.Clone(f.list), nil
}

func (c *cache) copyKin(key cacheKey) ([]*pool.Instance, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.get(key).(*kin)
	if !ok {
		return nil, false
	}
	return slices.Clone(f.list), true
}

// steps returns copies of a list of steps.
func (c *cache) steps(key cacheKey, load func() ([]pool.Step, error)) ([]pool.Step, error) {
	list, err := c.sharedSteps(key, load)
	out := make([]pool.Step, len(list))
	for i, s := range list {
		out[i] = cloneStep(s)
	}
	return out, err
}

// sharedSteps returns a list of steps that are not to be changed.
func (c *cache) sharedSteps(key cacheKey, load func() ([]pool.Step, error)) ([]*pool.Step, error) {
	return cached(c, key, shared, func() ([]*pool.Step, error) {
		read, err := load()
		list := make([]*pool.Step, len(read))
		for i := range read {
			list[i] = &read[i]
		}
		return list, err
	})
}

// oneStep returns a step whose owner's steps are cached; its key begins with the owner.
func (c *cache) oneStep(key string) (pool.Step, bool) {
	owner, _, _ := strings.Cut(key, "/")
	c.mu.Lock()
	s, _ := c.find(owner, key)
	c.mu.Unlock()
	if s == nil {
		return pool.Step{}, false
	}
	return cloneStep(s), true
}

// stays says that the cached step that s was made of was on the same machine.
func (c *cache) stays(s *pool.Step) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	has, _ := c.find(s.Owner, s.Key)
	return has != nil && has.Rev == s.Rev && has.Machine == s.Machine
}

// find returns a step that is cached; known is true when all of its owner's are. c.mu is held.
func (c *cache) find(owner, key string) (s *pool.Step, known bool) {
	list, known := c.get(cacheKey{cachedSteps, owner}).([]*pool.Step)
	for _, s := range list {
		if s.Key == key {
			return s, true
		}
	}
	return nil, known
}

// revs notes the cached Revs of the rows of lean writes, with one lock for all.
func (c *cache) revs(writes []*write) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range writes {
		if l := x.lean; l != nil {
			l.known = l.known[:0]
			for _, s := range l.change.Steps {
				l.known = append(l.known, c.stepRev(s))
			}
			for _, in := range l.change.Instances {
				l.known = append(l.known, c.instanceRev(in.ID))
			}
		}
	}
}

// stepRev returns the Rev of a step, 0 when there is none, and unknown when its
// owner's steps are not cached. c.mu is held.
func (c *cache) stepRev(s *pool.Step) int64 {
	has, known := c.find(s.Owner, s.Key)
	switch {
	case has != nil:
		return has.Rev
	case known:
		return 0
	}
	return unknown
}

// instanceRev returns the Rev of an instance, unknown when it is not cached. c.mu is held.
func (c *cache) instanceRev(id string) int64 {
	if in, ok := c.get(cacheKey{cachedInstance, id}).(*pool.Instance); ok {
		return in.Rev
	}
	return unknown
}

// owner returns the machine that had a MAC when it was last looked up.
func (c *cache) owner(mac string) (id string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok = c.get(cacheKey{cachedMAC, mac}).(string)
	return id, ok
}

func (c *cache) owned(mac, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(cacheKey{cachedMAC, mac}, id)
}

func stepOrder(a, b *pool.Step) int {
	if a.Seq != b.Seq {
		return a.Seq - b.Seq
	}
	if a.Attempt != b.Attempt {
		return a.Attempt - b.Attempt
	}
	return strings.Compare(a.Key, b.Key)
}

// cloneStep returns a copy of s. The planner completes the task of a step that
// is open, so that is copied, too.
func cloneStep(s *pool.Step) pool.Step {
	out := *s
	if s.Task != nil && (s.Status == pool.StepPending || s.Status == pool.StepRunning) {
		t := *s.Task
		out.Task = &t
	}
	return out
}
