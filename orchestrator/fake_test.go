package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"appliance/pool"
)

// memory is a store in memory that enforces what the real one does: Rev,
// CheckMachine, CheckOperation, CheckStep and one open operation a machine.
type memory struct {
	mu        sync.Mutex
	machines  map[string]pool.Machine
	ops       map[string]pool.Operation
	opOrder   []string
	steps     map[string]pool.Step
	services  map[string]pool.Service
	instances map[string]pool.Instance
	apps      map[string]pool.Application
	revisions map[string][]pool.Revision
	secrets   map[string]pool.Secret
	wipes     map[string]map[string]bool
	settings  map[string]string
	attrs     map[string]pool.Attribute // by scope and name
	templates []pool.Template
	images    []pool.Image
	events    []pool.Event
	decisions []pool.ScalingDecision
	logs      []pool.LogLine

	points []string // names of the commits so far
	fault  fault
	// chaos says what happens at a commit, beside fault: one of fault's modes, or
	// nothing. It is called with the lock held and must not block.
	chaos  func(n int, name string) string
	hit    bool
	full   bool                // the disk below it
	check  func(*memory) error // an invariant, looked at after each commit
	broken error
}

// fault is what happens at the n-th commit (from 1).
type fault struct {
	at   int
	mode string                 // kill-before, kill-after, fail-before, fail-after
	when func(name string) bool // instead of at: the first commit of such a name
}

func newMemory() *memory {
	return &memory{machines: map[string]pool.Machine{}, ops: map[string]pool.Operation{}, steps: map[string]pool.Step{},
		services: map[string]pool.Service{}, instances: map[string]pool.Instance{}, apps: map[string]pool.Application{}, revisions: map[string][]pool.Revision{}, secrets: map[string]pool.Secret{},
		wipes: map[string]map[string]bool{}, settings: map[string]string{}, attrs: map[string]pool.Attribute{}, templates: pool.Shipped(),
		images: []pool.Image{{Name: "debian-12", Size: 1 << 30, Digest: "sha256:00"}}}
}

var (
	errKilled = errors.New("killed")
	errDisk   = errors.New("disk trouble")
	errFull   = fmt.Errorf("%w: the disk of the data folder is full", pool.ErrUnavailable)
)

// handle is one appliance's connection to the memory; it dies with it.
type handle struct {
	*memory
	once sync.Once
	dead chan struct{}
}

func (m *memory) open() *handle { return &handle{memory: m, dead: make(chan struct{})} }

func (h *handle) kill() { h.once.Do(func() { close(h.dead) }) }

func (h *handle) lock() error {
	select {
	case <-h.dead:
		return errKilled
	default:
		h.mu.Lock()
		return nil
	}
}

// commit runs write at a named commit point, with the fault that is due.
func (h *handle) commit(name string, write func() error) error {
	if err := h.lock(); err != nil {
		return err
	}
	defer h.mu.Unlock()
	if h.full {
		return errFull
	}
	mode := ""
	if n := len(h.points) + 1; !h.hit && (n == h.fault.at || h.fault.when != nil && h.fault.when(name)) {
		h.hit, mode = true, h.fault.mode
	}
	if mode == "" && h.chaos != nil {
		mode = h.chaos(len(h.points)+1, name)
	}
	switch mode {
	case "kill-before":
		h.kill()
		return errKilled
	case "fail-before":
		return errDisk
	}
	if err := write(); err != nil {
		if mode != "" && mode == h.fault.mode { // it would not have been a commit: the fault is still to come
			h.hit = false
		}
		return err
	}
	h.points = append(h.points, name)
	if h.check != nil && h.broken == nil {
		if err := h.check(h.memory); err != nil {
			h.broken = fmt.Errorf("after %s: %w", name, err)
		}
	}
	switch mode {
	case "kill-after":
		h.kill()
		return errKilled
	case "fail-after":
		return errDisk
	}
	return nil
}

func pointName(c *pool.Change) string {
	var parts []string
	for _, e := range c.Events {
		parts = append(parts, strings.TrimSpace(e.Type+" "+e.Step))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Secrets)) {
		kind, _, _ := strings.Cut(name, "/")
		parts = append(parts, "secret "+kind)
	}
	if len(parts) == 0 {
		return fmt.Sprintf("rows: %d machines, %d operations, %d steps", len(c.Machines), len(c.Operations), len(c.Steps))
	}
	return strings.Join(parts, ", ")
}

func (h *handle) Apply(_ context.Context, c *pool.Change) error {
	if c.Empty() {
		return nil
	}
	return h.commit(pointName(c), func() error { return h.apply(c) })
}

func stale(what, id string, has, rev int64) error {
	if has == rev {
		return nil
	}
	return fmt.Errorf("%w: %s %s is at %d, not %d", pool.ErrConflict, what, id, has, rev)
}

func (m *memory) verify(c *pool.Change, wiped map[string]map[string]bool) error {
	for _, n := range c.Machines {
		old, ok := m.machines[n.ID]
		if err := stale("machine", n.ID, old.Rev, n.Rev); err != nil {
			return err
		}
		var op *pool.Machine
		if ok {
			op = &old
		}
		if err := pool.CheckMachine(op, *n, func(s string) bool { return wiped[n.ID][s] }); err != nil {
			return err
		}
	}
	open := map[string]string{}
	for id, o := range m.ops {
		if o.Status.Open() {
			open[o.Machine] = id
		}
	}
	for _, n := range c.Operations {
		old, ok := m.ops[n.ID]
		if err := stale("operation", n.ID, old.Rev, n.Rev); err != nil {
			return err
		}
		var op *pool.Operation
		if ok {
			op = &old
		}
		phases := []pool.Phase{m.machines[n.Machine].Phase}
		for _, x := range c.Machines {
			if x.ID == n.Machine {
				phases = append(phases, x.Phase)
			}
		}
		if err := pool.CheckOperation(op, *n, phases...); err != nil {
			return err
		}
		has := open[n.Machine]
		switch {
		case n.Status.Open() && has != "" && has != n.ID:
			return fmt.Errorf("%w: machine %s has open operation %s", pool.ErrConflict, n.Machine, has)
		case n.Status.Open():
			open[n.Machine] = n.ID
		case has == n.ID:
			delete(open, n.Machine)
		}
	}
	for _, n := range c.Steps {
		old := m.steps[n.Key]
		if err := cmp.Or(pool.CheckStep(*n), stale("step", n.Key, old.Rev, n.Rev)); err != nil {
			return err
		}
		if old.Status == pool.StepDone && strings.HasPrefix(n.Owner, "in-") {
			return fmt.Errorf("step %s is done: it is shared, and not to be changed", n.Key)
		}
	}
	for _, n := range c.Services {
		old := m.services[n.Name]
		if n.Rev == 0 && old.Phase == pool.ServiceRemoved {
			old.Rev = 0
		}
		if err := stale("service", n.Name, old.Rev, n.Rev); err != nil {
			return err
		}
	}
	for _, n := range c.Applications {
		old := m.apps[n.Name]
		if n.Rev == 0 && old.Phase == pool.ServiceRemoved {
			old.Rev = 0
		}
		if err := stale("application", n.Name, old.Rev, n.Rev); err != nil {
			return err
		}
	}
	for _, n := range c.Revisions {
		if n.Number != len(m.revisions[n.Service])+1 && m.services[n.Service].Phase != pool.ServiceRemoved {
			return fmt.Errorf("%w: revision %d of %s", pool.ErrConflict, n.Number, n.Service)
		}
	}
	for _, n := range c.Instances {
		if err := stale("instance", n.ID, m.instances[n.ID].Rev, n.Rev); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) apply(c *pool.Change) error {
	wiped := map[string]map[string]bool{}
	for id, w := range m.wipes {
		wiped[id] = maps.Clone(w)
	}
	for _, w := range c.Wipes {
		if wiped[w.Machine] == nil {
			wiped[w.Machine] = map[string]bool{}
		}
		wiped[w.Machine][w.Serial] = !w.Used
	}
	if err := m.verify(c, wiped); err != nil {
		return err
	}
	m.wipes = wiped
	for _, n := range c.Machines {
		n.Rev++
		m.machines[n.ID] = n.Clone()
	}
	for _, n := range c.Operations {
		n.Rev++
		if _, ok := m.ops[n.ID]; !ok {
			m.opOrder = append(m.opOrder, n.ID)
		}
		m.ops[n.ID] = *n
	}
	for _, n := range c.Steps {
		n.Rev++
		m.steps[n.Key] = copyStep(*n)
	}
	for _, n := range c.Applications {
		n.Rev++
		m.apps[n.Name] = *n
	}
	for _, n := range c.Services {
		if n.Rev == 0 { // it takes the name of one that was removed
			delete(m.revisions, n.Name)
		}
		n.Rev++
		m.services[n.Name] = *n
	}
	for _, n := range c.Instances {
		n.Rev++
		m.instances[n.ID] = *n
	}
	for _, f := range c.Forgotten {
		maps.DeleteFunc(m.steps, func(_ string, s pool.Step) bool {
			return s.Owner == f.Instance && !stepOpen(&s) && (f.All || s.Seq < pool.CommandSeq && s.Round < f.Round)
		})
		if f.All && m.instances[f.Instance].Phase == pool.InstanceRemoved {
			delete(m.instances, f.Instance)
		}
	}
	for _, n := range c.Revisions {
		m.revisions[n.Service] = append(m.revisions[n.Service], *n)
	}
	for name, s := range c.Secrets {
		if s.IsZero() {
			delete(m.secrets, name)
			continue
		}
		m.secrets[name] = s
	}
	for _, d := range c.Decisions {
		m.decisions = append(m.decisions, *d)
	}
	maps.Copy(m.settings, c.Settings)
	for _, e := range c.Events {
		e.Seq = int64(len(m.events) + 1)
		m.events = append(m.events, *e)
	}
	return nil
}

func copyStep(s pool.Step) pool.Step {
	if s.Task != nil {
		t := *s.Task
		s.Task = &t
	}
	return s
}

// get reads one row.
func get[T any](h *handle, what, id string, from func() (T, bool)) (T, error) {
	var zero T
	if err := h.lock(); err != nil {
		return zero, err
	}
	defer h.mu.Unlock()
	v, ok := from()
	if !ok {
		return zero, fmt.Errorf("%w: %s %s", pool.ErrNotFound, what, id)
	}
	return v, nil
}

func (h *handle) Machine(_ context.Context, id string) (pool.Machine, error) {
	return get(h, "machine", id, func() (pool.Machine, bool) { m, ok := h.machines[id]; return m.Clone(), ok })
}

func (h *handle) MachineByMAC(_ context.Context, mac pool.MAC) (pool.Machine, error) {
	return get(h, "machine", mac.String(), func() (pool.Machine, bool) {
		for _, m := range h.machines {
			if slices.Contains(m.MACs, mac) {
				return m.Clone(), true
			}
		}
		return pool.Machine{}, false
	})
}

func (h *handle) MachineByName(_ context.Context, name string) (pool.Machine, error) {
	return get(h, "machine", name, func() (pool.Machine, bool) {
		for _, m := range h.machines {
			if m.ID == name || m.Name == name {
				return m.Clone(), true
			}
		}
		return pool.Machine{}, false
	})
}

func (h *handle) Machines(context.Context) ([]pool.Machine, error) {
	return get(h, "machines", "", func() ([]pool.Machine, bool) {
		var out []pool.Machine
		for _, m := range h.machines {
			out = append(out, m.Clone())
		}
		slices.SortFunc(out, func(a, b pool.Machine) int { return cmp.Compare(a.Name, b.Name) })
		return out, true
	})
}

func (h *handle) Operation(_ context.Context, id string) (pool.Operation, error) {
	return get(h, "operation", id, func() (pool.Operation, bool) { o, ok := h.ops[id]; return o, ok })
}

func (h *handle) OpenOperation(_ context.Context, machine string) (pool.Operation, error) {
	return get(h, "open operation", machine, func() (pool.Operation, bool) {
		for _, o := range h.ops {
			if o.Machine == machine && o.Status.Open() {
				return o, true
			}
		}
		return pool.Operation{}, false
	})
}

func (h *handle) LastOperation(_ context.Context, machine string) (pool.Operation, error) {
	return get(h, "last operation", machine, func() (pool.Operation, bool) {
		for _, id := range slices.Backward(h.opOrder) {
			if h.ops[id].Machine == machine {
				return h.ops[id], true
			}
		}
		return pool.Operation{}, false
	})
}

func (h *handle) OpenOperations(context.Context) ([]pool.Operation, error) {
	return get(h, "operations", "", func() (out []pool.Operation, ok bool) {
		for _, id := range h.opOrder {
			if h.ops[id].Status.Open() {
				out = append(out, h.ops[id])
			}
		}
		return out, true
	})
}

func (h *handle) selectSteps(keep func(pool.Step) bool) ([]pool.Step, error) {
	return get(h, "steps", "", func() ([]pool.Step, bool) { return h.sortedSteps(keep), true })
}

func (m *memory) sortedSteps(keep func(pool.Step) bool) (out []pool.Step) {
	for _, s := range m.steps {
		if keep(s) {
			out = append(out, copyStep(s))
		}
	}
	slices.SortFunc(out, func(a, b pool.Step) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.Key, b.Key))
	})
	return out
}

func (h *handle) Steps(_ context.Context, owner string) ([]pool.Step, error) {
	return h.selectSteps(func(s pool.Step) bool { return s.Owner == owner })
}

func (h *handle) SharedSteps(ctx context.Context, owner string) ([]*pool.Step, error) {
	list, err := h.Steps(ctx, owner)
	out := make([]*pool.Step, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out, err
}

func (h *handle) RunningSteps(_ context.Context, machine string) ([]pool.Step, error) {
	return h.selectSteps(func(s pool.Step) bool {
		return s.Machine == machine && s.Status == pool.StepRunning
	})
}

func (h *handle) TimedSteps(context.Context) ([]pool.Step, error) {
	return h.selectSteps(func(s pool.Step) bool {
		return s.Status == pool.StepRunning || s.Status == pool.StepPending && s.Attempt > 1
	})
}

func (h *handle) Step(_ context.Context, key string) (pool.Step, error) {
	return get(h, "step", key, func() (pool.Step, bool) { s, ok := h.steps[key]; return copyStep(s), ok })
}

func (h *handle) Service(_ context.Context, name string) (pool.Service, error) {
	return get(h, "service", name, func() (pool.Service, bool) { s, ok := h.services[name]; return s, ok })
}

func (h *handle) Services(context.Context) ([]pool.Service, error) {
	return get(h, "services", "", func() ([]pool.Service, bool) { return slices.Collect(maps.Values(h.services)), true })
}

func (h *handle) Instance(_ context.Context, id string) (pool.Instance, error) {
	return get(h, "instance", id, func() (pool.Instance, bool) { i, ok := h.instances[id]; return i, ok })
}

func (h *handle) Siblings(ctx context.Context, service string) ([]*pool.Instance, error) {
	list, err := h.Instances(ctx, service)
	out := make([]*pool.Instance, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out, err
}

func (h *handle) Instances(_ context.Context, service string) ([]pool.Instance, error) {
	return get(h, "instances", service, func() (out []pool.Instance, ok bool) {
		for _, i := range h.instances {
			if service == "" || i.Service == service {
				out = append(out, i)
			}
		}
		slices.SortFunc(out, func(a, b pool.Instance) int { return cmp.Compare(a.ID, b.ID) })
		return out, true
	})
}

func (h *handle) Application(_ context.Context, name string) (pool.Application, error) {
	return get(h, "application", name, func() (pool.Application, bool) { a, ok := h.apps[name]; return a, ok })
}

func (h *handle) Applications(context.Context) ([]pool.Application, error) {
	return get(h, "applications", "", func() ([]pool.Application, bool) { return slices.Collect(maps.Values(h.apps)), true })
}

func (h *handle) Revision(_ context.Context, service string, n int) (pool.Revision, error) {
	return get(h, "revision of", service, func() (pool.Revision, bool) {
		i := slices.IndexFunc(h.revisions[service], func(r pool.Revision) bool { return r.Number == n })
		if i < 0 {
			return pool.Revision{}, false
		}
		return h.revisions[service][i], true
	})
}

func (h *handle) Revisions(_ context.Context, service string) ([]pool.Revision, error) {
	return get(h, "revisions", service, func() ([]pool.Revision, bool) { return slices.Clone(h.revisions[service]), true })
}

func (h *handle) Attribute(_ context.Context, scope, name string) (pool.Attribute, error) {
	return get(h, "attribute", scope+" "+name, func() (pool.Attribute, bool) { a, ok := h.attrs[scope+" "+name]; return a, ok })
}

func (h *handle) Template(_ context.Context, name string) (pool.Template, error) {
	return get(h, "template", name, func() (pool.Template, bool) {
		i := slices.IndexFunc(h.templates, func(t pool.Template) bool { return t.Name == name })
		if i < 0 {
			return pool.Template{}, false
		}
		return h.templates[i], true
	})
}

func (h *handle) Templates(context.Context) ([]pool.Template, error) {
	return get(h, "templates", "", func() ([]pool.Template, bool) { return h.templates, true })
}

func (h *handle) Image(_ context.Context, name string) (pool.Image, error) {
	return get(h, "image", name, func() (pool.Image, bool) {
		i := slices.IndexFunc(h.images, func(t pool.Image) bool { return t.Name == name })
		if i < 0 {
			return pool.Image{}, false
		}
		return h.images[i], true
	})
}

func (h *handle) Images(context.Context) ([]pool.Image, error) {
	return get(h, "images", "", func() ([]pool.Image, bool) { return h.images, true })
}

func (h *handle) Secret(_ context.Context, name string) (pool.Secret, error) {
	return get(h, "secret", name, func() (pool.Secret, bool) { s, ok := h.secrets[name]; return s, ok })
}

func (h *handle) Wiped(_ context.Context, machine string) (map[string]bool, error) {
	return get(h, "wipes", machine, func() (map[string]bool, bool) {
		out := map[string]bool{}
		for s, ok := range h.wipes[machine] {
			if ok {
				out[s] = true
			}
		}
		return out, true
	})
}

func (h *handle) OpenCommands(context.Context) ([]pool.Step, error) {
	return h.selectSteps(func(s pool.Step) bool {
		return isCommand(s) && (s.Status == pool.StepPending || s.Status == pool.StepRunning)
	})
}

func (h *handle) Invocation(_ context.Context, id string) ([]pool.Step, error) {
	return h.selectSteps(func(s pool.Step) bool { return isCommand(s) && strings.HasPrefix(s.Key, id+"/") })
}

func (h *handle) AppendLog(_ context.Context, lines []pool.LogLine) ([]pool.LogLine, error) {
	if err := h.lock(); err != nil {
		return nil, err
	}
	defer h.mu.Unlock()
	if h.full {
		return nil, errFull
	}
	h.logs = append(h.logs, lines...)
	return lines, nil
}

func (h *handle) Discover(ctx context.Context, mac pool.MAC, _ pool.Client, now time.Time) (pool.Machine, error) {
	if m, err := h.MachineByMAC(ctx, mac); !errors.Is(err, pool.ErrNotFound) {
		return m, err
	}
	m := pool.Machine{ID: pool.NewID("m"), Name: "node-" + mac.String()[9:], Phase: pool.Discovered, MACs: []pool.MAC{mac}, CreatedAt: now, Rev: 1}
	err := h.commit("machine.discovered", func() error { h.machines[m.ID] = m.Clone(); return nil })
	return m, err
}

func (h *handle) Setting(_ context.Context, key string) (string, error) {
	return get(h, "setting", key, func() (string, bool) { s, ok := h.settings[key]; return s, ok })
}

func (h *handle) SetSetting(_ context.Context, key, value string) error {
	if err := h.lock(); err != nil {
		return err
	}
	defer h.mu.Unlock()
	if h.full {
		return errFull
	}
	h.settings[key] = value
	return nil
}
