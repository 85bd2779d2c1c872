package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// The model: two appliances over one store, two machines with their installed
// agents, and a network that loses, doubles and delays. The appliances are the
// engine's own code: each of its methods runs up to its commit, which is held
// back, so that whatever the other one commits in between comes first. What a
// machine does (journal, effect, record) follows orchestrator/doc.go and
// agent.Files. All interleavings within the budgets are explored.

// held is a change that an appliance is about to commit, and what it answers
// when that succeeded.
type held struct {
	change *pool.Change
	then   func(*model)
	what   string
}

// msg is a message under way.
type msg struct {
	kind  string // task, result
	box   int
	boot  int
	key   string
	token string
	state string
}

// mrun is what a machine's journal knows of a key.
type mrun struct {
	boot          int
	effect, ended bool
}

// mbox is a machine with its installed system.
type mbox struct {
	on, system, confirmed bool
	boot                  int
	epoch                 int64
	log                   map[string]mrun
}

// model is one state. It is never changed once it was explored.
type model struct {
	mem     *memory
	pend    [2]*held
	box     [2]mbox
	net     []msg
	effects map[string]int

	crashes, losses, doubles, fences, returns int // that may still happen; returns of power to a machine that is off
	stops                                     int // processes that may still end; see model_change_test.go
	asks                                      []ask
}

func (m *model) clone() *model {
	c := *m
	c.mem = m.mem.clone()
	for i := range c.box {
		c.box[i].log = maps.Clone(m.box[i].log)
	}
	c.net, c.effects = slices.Clone(m.net), maps.Clone(m.effects)
	return &c
}

func (m *memory) clone() *memory {
	c := newMemory()
	for id, x := range m.machines {
		c.machines[id] = x.Clone()
	}
	c.ops, c.opOrder = maps.Clone(m.ops), slices.Clone(m.opOrder)
	for key, s := range m.steps {
		c.steps[key] = copyStep(s)
	}
	c.services, c.instances, c.secrets = maps.Clone(m.services), maps.Clone(m.instances), maps.Clone(m.secrets)
	for id, w := range m.wipes {
		c.wipes[id] = maps.Clone(w)
	}
	for name, list := range m.revisions {
		c.revisions[name] = slices.Clone(list)
	}
	c.attrs = maps.Clone(m.attrs)
	c.templates, c.images = m.templates, m.images
	return c
}

var errHeld = errors.New("held back")

// holding is a store that reads, and holds commits back.
type holding struct {
	*handle
	change *pool.Change
}

func (h *holding) Apply(_ context.Context, c *pool.Change) error {
	h.change = copyChange(c)
	return errHeld
}

// engine runs f as an appliance would, up to its commit. It returns what was
// held back, nil when f had nothing to write.
func (m *model) engine(f func(*Engine) error) (*pool.Change, error) {
	h := &holding{handle: m.mem.open()}
	e := &Engine{Store: h, Compute: compute.Metal{}}
	e.init()
	e.started = time.Now().Add(-time.Hour)
	for i, b := range m.box {
		if b.on && b.confirmed {
			e.live[machineID(i)] = &presence{mode: pool.Installed, bootID: bootOf(i, b.boot), epoch: b.epoch, greeted: true, trusted: true, seen: time.Now()}
		}
	}
	err := f(e)
	e.q.close()
	if errors.Is(err, errHeld) || h.change != nil {
		err = nil
	}
	return h.change, err
}

func machineID(i int) string      { return fmt.Sprintf("m-%d", i) }
func bootOf(box, boot int) string { return fmt.Sprintf("boot-%d-%d", box, boot) }

// appliance lets appliance i do something that ends in a commit, or not.
func (m *model) appliance(i int, what string, f func(*Engine) error, then func(*model)) *model {
	if m.pend[i] != nil {
		return nil
	}
	change, err := m.engine(f)
	if err != nil {
		return nil // refused: the other side tries again
	}
	n := m.clone()
	switch {
	case change != nil:
		n.pend[i] = &held{change: change, then: then, what: what}
	case then != nil:
		then(n)
	default:
		return nil
	}
	return n
}

// step is a name and the state that it leads to.
type step struct {
	name string
	next *model
}

// next returns all that may happen now.
func (m *model) next() []step {
	var out []step
	add := func(n *model, format string, args ...any) {
		if n != nil {
			out = append(out, step{fmt.Sprintf(format, args...), n})
		}
	}
	for i := range m.pend {
		for _, id := range slices.Sorted(maps.Keys(m.mem.instances)) {
			add(m.appliance(i, "tick "+id, func(e *Engine) error { return e.tick(context.Background(), "i:"+id) }, nil), "appliance %d looks at %s", i, id)
		}
		if m.pend[i] != nil {
			add(m.commit(i), "appliance %d commits %s", i, m.pend[i].what)
			n := m.clone()
			n.pend[i] = nil
			add(n, "appliance %d is killed before it commits %s", i, m.pend[i].what)
		}
	}
	m.changeSteps(add)
	for b := range m.box {
		m.boxSteps(b, add)
	}
	for k := range m.net {
		m.netSteps(k, add)
	}
	return out
}

func (m *model) commit(i int) *model {
	n := m.clone()
	p := n.pend[i]
	n.pend[i] = nil
	if err := n.mem.apply(copyChange(p.change)); err == nil {
		n.mem.waited()
		if p.then != nil {
			p.then(n)
		}
	}
	return n
}

// boxSteps are those of a machine and of what is done to it.
func (m *model) boxSteps(b int, add func(*model, string, ...any)) {
	x, id := m.box[b], machineID(b)
	row := m.mem.machines[id]
	op, busy := m.open(id)
	if busy && op.Kind == pool.OpDeploy { // its deployment, which is not what is modelled here
		n := m.clone()
		op.Status = pool.Succeeded
		n.mem.ops[op.ID] = op
		row := n.mem.machines[id]
		row.Phase, row.Rev = pool.Active, row.Rev+1
		n.mem.machines[id] = row
		n.box[b] = mbox{on: true, system: true, boot: x.boot + 1, epoch: row.Epoch, log: map[string]mrun{}}
		add(n, "machine %d is deployed", b)
	}
	if !x.system {
		return
	}
	if !x.on {
		if m.returns > 0 {
			n := m.clone()
			n.returns--
			n.box[b].on, n.box[b].confirmed, n.box[b].boot = true, false, x.boot+1
			add(n, "machine %d gets power again", b)
		}
		if busy && op.Kind == pool.OpFence {
			for i := range m.pend {
				add(m.appliance(i, "fence", func(e *Engine) error { return e.modelFence(id, op) }, nil), "appliance %d has proof that machine %d is off", i, b)
			}
		}
		return
	}
	if m.crashes > 0 {
		n := m.clone()
		n.crashes--
		n.box[b].confirmed, n.box[b].boot = false, x.boot+1
		add(n, "machine %d restarts", b)
	}
	switch {
	case busy && op.Kind == pool.OpFence:
		n := m.clone()
		n.box[b].on, n.box[b].confirmed = false, false
		add(n, "machine %d is switched off", b)
	case m.fences > 0 && row.Phase == pool.Active:
		for i := range m.pend {
			n := m.appliance(i, "the intent to fence", func(e *Engine) error { return e.modelIntent(id) }, nil)
			if n != nil {
				n.fences--
			}
			add(n, "appliance %d takes machine %d for dead", i, b)
		}
	}
	for i := range m.pend {
		if !x.confirmed {
			add(m.hello(i, b), "machine %d says hello to appliance %d", b, i)
		} else if !m.underWay(b) {
			add(m.poll(i, b), "machine %d asks appliance %d for a task", b, i)
		}
	}
	m.runSteps(b, add)
}

func (m *model) open(machine string) (pool.Operation, bool) {
	for _, op := range m.mem.ops {
		if op.Machine == machine && op.Status.Open() {
			return op, true
		}
	}
	return pool.Operation{}, false
}

// modelIntent is what is stored before the power is switched off.
func (e *Engine) modelIntent(machine string) error {
	m, err := e.Store.Machine(context.Background(), machine)
	if err != nil {
		return err
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	op := d.newOperation(&m, pool.OpFence, pool.OpParams{}, "healing")
	op.Status, op.StartedAt = pool.Running, d.now
	return e.apply(context.Background(), d)
}

// modelFence is what a fence commits once the power is proved to be off: the
// machine loses its owner, its instance waits for a person.
func (e *Engine) modelFence(machine string, op pool.Operation) error {
	v, err := e.view(context.Background(), machine)
	if err != nil || v.m.Instance == "" {
		return errors.Join(errors.New("nothing to fence"), err)
	}
	iv, err := e.iview(context.Background(), v.m.Instance)
	if err != nil {
		return err
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	op.Status, op.EndedAt = pool.Succeeded, d.now
	d.operation(&op)
	d.instance(iv.in).Phase = pool.InstanceFailed
	for _, s := range iv.steps {
		if s.Status == pool.StepPending || s.Status == pool.StepRunning {
			d.end(s, pool.StepCancelled, nil)
		}
	}
	d.newOwner(v.m, "", op.ID, v.wiped)
	d.condition(v.m, pool.CondHold, pool.True, "it was fenced")
	d.condition(v.m, pool.CondDirty, pool.True, "it was fenced")
	d.phase(v.m, pool.Enrolled, "it was fenced")
	return e.apply(context.Background(), d)
}

func (m *model) hello(i, b int) *model {
	x := m.box[b]
	var v pool.Verdict
	change, err := m.engine(func(e *Engine) (err error) {
		v, err = e.AgentHello(context.Background(), pool.AgentHello{Machine: machineID(b), Mode: pool.Installed, BootID: bootOf(b, x.boot), Epoch: x.epoch})
		return err
	})
	if m.pend[i] != nil || err != nil || change == nil && v.State != verdictWork {
		return nil
	}
	welcome := func(n *model) { n.box[b].confirmed = n.box[b].on && n.box[b].boot == x.boot }
	n := m.clone()
	if change != nil { // it notes the agent; it does so only for an owner
		n.pend[i] = &held{change: change, then: welcome, what: "hello"}
	} else {
		welcome(n)
	}
	return n
}

func (m *model) poll(i, b int) *model {
	x := m.box[b]
	var got pool.Step
	var token string
	change, err := m.engine(func(e *Engine) (err error) {
		got, token, err = e.assign(context.Background(), machineID(b), bootOf(b, x.boot), pool.Installed, e.presence(machineID(b)), false)
		return err
	})
	if m.pend[i] != nil || err != nil || change == nil && got.Key == "" {
		return nil
	}
	if change != nil {
		got = *change.Steps[0]
		token = m.mem.secrets[tokenSecret(got.Owner)].Reveal()
	}
	task := func(n *model) { n.send(msg{kind: "task", box: b, boot: x.boot, key: got.Key, token: token}) }
	n := m.clone()
	if change != nil {
		n.pend[i] = &held{change: change, then: task, what: "assignment of " + got.Key}
	} else {
		task(n)
	}
	return n
}

func (m *model) send(x msg) {
	m.net = append(m.net, x)
	slices.SortFunc(m.net, func(a, b msg) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// underWay says whether the agent has something to do, or is being answered.
func (m *model) underWay(b int) bool {
	for _, r := range m.box[b].log {
		if r.boot == m.box[b].boot && !r.ended {
			return true
		}
	}
	return slices.ContainsFunc(m.net, func(x msg) bool { return x.box == b && x.boot == m.box[b].boot })
}

// runSteps are those of what an agent has begun.
func (m *model) runSteps(b int, add func(*model, string, ...any)) {
	x := m.box[b]
	for _, key := range slices.Sorted(maps.Keys(x.log)) {
		r := x.log[key]
		switch {
		case r.ended && !m.inFlight(key) && m.mem.steps[key].Status == pool.StepRunning: // its answer was lost
			n := m.clone()
			n.send(msg{kind: "result", box: b, boot: x.boot, key: key, token: m.token(key), state: "done"})
			add(n, "machine %d tells again that %s is done", b, key)
		case r.ended || r.boot != x.boot:
		case !r.effect:
			n := m.clone()
			r.effect = true
			n.box[b].log[key] = r
			n.effects[fmt.Sprintf("%s@%d/%d", key, b, x.epoch)]++
			add(n, "machine %d: %s has its effect", b, key)
		default:
			n := m.clone()
			r.ended = true
			n.box[b].log[key] = r
			n.send(msg{kind: "result", box: b, boot: x.boot, key: key, token: m.token(key), state: "done"})
			add(n, "machine %d records %s", b, key)
		}
	}
}

func (m *model) inFlight(key string) bool {
	return slices.ContainsFunc(m.net, func(x msg) bool { return x.key == key })
}

func (m *model) token(key string) string {
	return m.mem.secrets[tokenSecret(m.mem.steps[key].Owner)].Reveal()
}

// netSteps are those of a message under way.
func (m *model) netSteps(k int, add func(*model, string, ...any)) {
	x := m.net[k]
	without := func() *model {
		n := m.clone()
		n.net = slices.Delete(n.net, k, k+1)
		return n
	}
	if m.losses > 0 {
		n := without()
		n.losses--
		add(n, "%s of %s is lost", x.kind, x.key)
	}
	if m.doubles > 0 {
		n := m.clone()
		n.doubles--
		n.send(x)
		add(n, "%s of %s is doubled", x.kind, x.key)
	}
	if x.kind == "task" {
		add(without().taken(x), "machine %d gets %s", x.box, x.key)
		return
	}
	for i := range m.pend {
		if m.pend[i] != nil {
			continue
		}
		n := without()
		change, err := m.engine(func(e *Engine) error {
			return e.TaskResult(context.Background(), pool.TaskOutcome{Machine: machineID(x.box), Key: x.key, Token: x.token, BootID: bootOf(x.box, x.boot), State: x.state})
		})
		if err == nil && change != nil {
			n.pend[i] = &held{change: change, what: "result of " + x.key}
		}
		add(n, "appliance %d gets the result of %s", i, x.key)
	}
}

// taken is what an agent makes of a task that reached it.
func (m *model) taken(x msg) *model {
	b := &m.box[x.box]
	if !b.on || !b.confirmed || b.boot != x.boot {
		return m // nobody is there
	}
	r, known := b.log[x.key]
	switch {
	case !known:
		b.log[x.key] = mrun{boot: b.boot}
	case r.ended:
		m.send(msg{kind: "result", box: x.box, boot: b.boot, key: x.key, token: x.token, state: "done"})
	case r.boot != b.boot:
		m.send(msg{kind: "result", box: x.box, boot: b.boot, key: x.key, token: x.token, state: "interrupted"})
	}
	return m
}

// check returns what is wrong with a state.
func (m *model) check() error {
	if err := invariants(m.mem); err != nil {
		return err
	}
	owners := map[string]string{}
	for _, x := range m.mem.machines {
		if x.Instance == "" {
			continue
		}
		if o := owners[x.Instance]; o != "" {
			return fmt.Errorf("instance %s has machines %s and %s", x.Instance, o, x.ID)
		}
		owners[x.Instance] = x.ID
	}
	for name, n := range m.effects {
		key, _, _ := strings.Cut(name, "@")
		if s := m.mem.steps[key]; n > 1 && !s.Idempotent {
			return fmt.Errorf("%s had its effect %d times", name, n)
		}
	}
	ran := map[string]int{}
	for name := range m.effects {
		key, _, _ := strings.Cut(name, "@")
		if s := m.mem.steps[key]; !s.Idempotent {
			once := fmt.Sprintf("%s of %s, round %d", s.Name, s.Owner, s.Round)
			if ran[once]++; ran[once] > 1 {
				return fmt.Errorf("%s had its effect under two keys", once)
			}
		}
	}
	for b, x := range m.box {
		row := m.mem.machines[machineID(b)]
		for key, r := range x.log {
			s, ok := m.mem.steps[key]
			if !ok || s.BootID == "" || s.StartedAt.IsZero() {
				return fmt.Errorf("machine %d began %s before that was stored: %+v", b, key, s)
			}
			if x.on && x.confirmed && r.boot == x.boot && !r.ended && (row.Epoch != x.epoch || row.Instance != s.Owner) {
				return fmt.Errorf("machine %d works on %s at epoch %d; it is %s at epoch %d with owner %q", b, key, x.epoch, row.Phase, row.Epoch, row.Instance)
			}
		}
	}
	return nil
}

// seed keeps the hash of states the same within a run of the test program.
type explorer struct {
	seed  maphash.Seed
	seen  map[uint64]bool
	depth int
	limit int
}

// hash is of all that matters of a state: no times, no random IDs.
func (x *explorer) hash(m *model) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	for _, id := range slices.Sorted(maps.Keys(m.mem.machines)) {
		r := m.mem.machines[id]
		_, _ = fmt.Fprint(&h, id, r.Phase, r.Instance, r.Epoch, r.Rev, r.Conditions[pool.CondAgent].Value, ";")
	}
	for _, id := range slices.Sorted(maps.Keys(m.mem.instances)) {
		r := m.mem.instances[id]
		_, _ = fmt.Fprint(&h, id, r.Phase, r.Machine, r.Step, r.Rev, ";")
	}
	for _, key := range slices.Sorted(maps.Keys(m.mem.steps)) {
		r := m.mem.steps[key]
		_, _ = fmt.Fprint(&h, key, r.Status, r.BootID, r.Rev, ";")
	}
	for _, id := range slices.Sorted(maps.Keys(m.mem.services)) {
		r := m.mem.services[id]
		_, _ = fmt.Fprint(&h, id, r.Phase, r.Rev, r.Instances, r.Rollout.Open(), ";")
	}
	// The two appliances are alike: which of them is about to do what does not matter.
	two := []string{m.pend[0].text(), m.pend[1].text()}
	slices.Sort(two)
	_, _ = fmt.Fprint(&h, two)
	for _, b := range m.box {
		_, _ = fmt.Fprint(&h, b.on, b.system, b.confirmed, b.boot, b.epoch)
		for _, key := range slices.Sorted(maps.Keys(b.log)) {
			_, _ = fmt.Fprint(&h, key, b.log[key])
		}
		_, _ = fmt.Fprint(&h, ";")
	}
	_, _ = fmt.Fprint(&h, m.net, m.crashes, m.losses, m.doubles, m.fences, m.returns, m.stops, m.asks)
	for _, id := range m.mem.opOrder {
		_, _ = fmt.Fprint(&h, m.mem.ops[id].Machine, m.mem.ops[id].Kind, m.mem.ops[id].Status, m.mem.ops[id].Rev, ";")
	}
	for _, key := range slices.Sorted(maps.Keys(m.effects)) {
		_, _ = fmt.Fprint(&h, key, m.effects[key])
	}
	return h.Sum64()
}

// text says what matters of what is held back.
func (p *held) text() string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(p.what)
	for _, r := range p.change.Machines {
		fmt.Fprint(&b, r.ID, r.Rev, r.Phase, r.Epoch)
	}
	for _, r := range p.change.Steps {
		fmt.Fprint(&b, r.Key, r.Rev, r.Status, r.BootID)
	}
	for _, r := range p.change.Instances {
		fmt.Fprint(&b, r.ID, r.Rev, r.Phase, r.Machine)
	}
	for _, r := range p.change.Operations {
		fmt.Fprint(&b, r.Machine, r.Kind, r.Status, r.Rev)
	}
	return b.String()
}

// node is a state with the way to it.
type node struct {
	m    *model
	from *node
	name string
}

func (n *node) way() string {
	var lines []string
	for ; n != nil; n = n.from {
		lines = append(lines, n.name)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// explore visits every state that can be reached from m, breadth first: what
// it finds wrong it finds by the shortest way. It returns the goals that were met.
func (x *explorer) explore(t *testing.T, m *model, goals map[string]func(*model) bool) map[string]bool {
	t.Helper()
	met := map[string]bool{}
	x.seen = map[uint64]bool{x.hash(m): true}
	for level := []*node{{m: m, name: "start"}}; len(level) > 0; x.depth++ {
		var next []*node
		for _, n := range level {
			for _, s := range n.m.next() {
				if h := x.hash(s.next); !x.seen[h] {
					x.seen[h] = true
					after := &node{s.next, n, s.name}
					if err := s.next.check(); err != nil {
						t.Fatalf("%v, by this way:\n%s", err, after.way())
					}
					for name, goal := range goals {
						met[name] = met[name] || goal(s.next)
					}
					next = append(next, after)
				}
			}
			n.m = nil // only the way is needed from now on
		}
		if len(x.seen) > x.limit {
			t.Fatalf("more than %d states at depth %d: the bounds are too wide", x.limit, x.depth)
		}
		level = next
	}
	return met
}

// newModel is a service whose instances wait for machines, of which two are ready.
func newModel(instances int, events ...string) *model {
	m := &model{mem: newMemory(), effects: map[string]int{}}
	now := time.Now().UTC()
	r := recipe()
	r.Events = events
	d := &draft{now: now, mint: mint}
	for i := range m.box {
		m.box[i].log = map[string]mrun{}
		id := machineID(i)
		m.mem.wipes[id] = map[string]bool{"D": true}
		m.mem.machines[id] = pool.Machine{ID: id, Name: id, Phase: pool.Ready, Rev: 1, MACs: []pool.MAC{{0x52, 0x54, 0, 0, 0, byte(i + 1)}},
			Arch: pool.AMD64, Facts: &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: 4}, Memory: 8 << 30, At: now,
				Disks: []pool.Disk{{Name: "vda", Serial: "D", Size: 40 << 30, Type: "virtio"}}}}
	}
	svc := &pool.Service{Name: "db", Recipe: r, Template: "SMALL_LINUX", Image: "debian-12", Instances: instances, Phase: pool.ServiceDeploying, CreatedAt: now}
	d.service(svc)
	for n := 1; n <= instances; n++ {
		in := &pool.Instance{ID: fmt.Sprintf("in-%d", n), Service: "db", Number: n, Phase: pool.InstanceWaiting, Step: stepAcquire, CreatedAt: now}
		d.instance(in)
		d.secret(tokenSecret(in.ID), pool.NewSecret(fmt.Sprintf("token-of-instance-%d", n)))
		s := d.newSteps(in.ID, "", 0, 1, now.Add(time.Hour), []string{stepAcquire}, func(string) spec {
			return spec{waits: true, idem: true, timeout: acquireTime, tries: 1}
		})[0]
		s.Status, s.StartedAt = pool.StepRunning, now
	}
	if err := m.mem.apply(&d.Change); err != nil {
		panic(err)
	}
	return m
}

func phaseMet(p pool.ServicePhase) func(*model) bool {
	return func(m *model) bool {
		for _, in := range m.mem.instances {
			if in.Phase == p {
				return true
			}
		}
		return false
	}
}

// TestModel explores, within its budgets exhaustively, what two appliances,
// two machines and a bad network can make of a service: no machine has two
// owners, nothing that is not idempotent happens twice, nothing happens before
// it was stored, and a machine that was fenced starts nothing.
func TestModel(t *testing.T) {
	for name, tt := range map[string]struct {
		instances                        int
		events                           []string
		crashes, losses, doubles, fences int
		goals                            map[string]func(*model) bool
		long                             bool
	}{
		"lost and doubled":     {1, []string{"init"}, 0, 1, 1, 0, map[string]func(*model) bool{"runs": phaseMet(pool.InstanceRunning)}, false},
		"restart":              {1, []string{"init"}, 1, 0, 0, 0, map[string]func(*model) bool{"runs": phaseMet(pool.InstanceRunning), "asks": phaseMet(pool.InstanceFailed)}, false},
		"fenced":               {1, []string{"init"}, 0, 0, 0, 1, map[string]func(*model) bool{"runs": phaseMet(pool.InstanceRunning), "fenced": phaseMet(pool.InstanceFailed)}, false},
		"two claims":           {2, nil, 0, 0, 0, 0, map[string]func(*model) bool{"runs": phaseMet(pool.InstanceRunning)}, true},
		"restart and doubled":  {1, []string{"init", "start"}, 1, 0, 1, 0, map[string]func(*model) bool{"runs": phaseMet(pool.InstanceRunning), "asks": phaseMet(pool.InstanceFailed)}, true},
		"fenced and restarted": {1, []string{"init"}, 1, 0, 0, 1, map[string]func(*model) bool{"fenced": phaseMet(pool.InstanceFailed)}, true},
		"fenced and doubled":   {1, []string{"init"}, 0, 0, 1, 1, map[string]func(*model) bool{"fenced": phaseMet(pool.InstanceFailed)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.long && testing.Short() {
				t.Skip("takes longer; make engine-test runs it")
			}
			synctest.Test(t, func(t *testing.T) {
				m := newModel(tt.instances, tt.events...)
				m.crashes, m.losses, m.doubles, m.fences = tt.crashes, tt.losses, tt.doubles, tt.fences
				m.returns = 2 * tt.fences
				x := &explorer{seed: maphash.MakeSeed(), limit: 2_000_000}
				met := x.explore(t, m, tt.goals)
				for goal := range tt.goals {
					if !met[goal] {
						t.Errorf("no way leads to %q: the model is too narrow", goal)
					}
				}
				t.Logf("%d states, depth %d", len(x.seen), x.depth)
			})
		})
	}
}
