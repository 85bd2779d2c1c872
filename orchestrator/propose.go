package orchestrator

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/pool"
)

// maxOthers bounds the machines of a plan that were not chosen.
const maxOthers = 200

// manyChooser chooses for many instances at once; what Compute does one by
// one, with one look at each machine.
type manyChooser interface {
	ChooseMany(t pool.Template, machines []pool.Machine, n int) (best []pool.Machine, why map[string][]string)
}

// outlook is all that a plan may look at beside what is wanted.
type outlook struct {
	now      time.Time
	machines []pool.Machine // what is promised is shown as reserved, what is busy as enrolled
	live     map[string]presence
	compute  Compute
	times    *durations
	digest   string
}

// demand is a service that wants machines.
type demand struct {
	svc      pool.Service
	template pool.Template
	count    int
	first    int // number of its first instance
}

// propose says which machines a set of services gets, in their order, why
// these and why not the others, which steps follow, and how long they took
// before. It is pure: the same outlook gives the same plan.
func propose(o outlook, demands []demand) pool.Plan {
	p := pool.Plan{Digest: o.digest, At: o.now, Services: []pool.ServicePlan{}}
	left := slices.Clone(o.machines)
	index := make(map[string]int, len(left))
	for i := range left {
		index[left[i].ID] = i
	}
	runs := map[string]time.Duration{} // when each service has its first instance
	for _, dem := range demands {
		best, why := chooseMany(o.compute, dem.template, left, dem.count)
		sp := pool.ServicePlan{Service: dem.svc.Name, Action: pool.PlanDeploy, Recipe: dem.svc.Recipe.Name, Digest: dem.svc.Recipe.Digest,
			Template: dem.svc.Template, Image: dem.svc.Image, DependsOn: dem.svc.DependsOn}
		before, gate, after := o.instances(dem, best, &sp, &p)
		for _, d := range dem.svc.DependsOn {
			gate = max(gate, runs[d])
		}
		for _, m := range best {
			m.Phase = pool.Reserved
			if i, ok := index[m.ID]; ok && m.ID != "" {
				left[i] = m
			} else { // it is still to be made
				left = append(left, m)
			}
		}
		sp.Expected = max(before, gate) + after
		runs[dem.svc.Name] = sp.Expected
		p.Expected = max(p.Expected, sp.Expected)
		o.others(&sp, best, why)
		if len(best) < dem.count {
			p.Problems = append(p.Problems, shortage(dem, o.machines, len(best), why))
		}
		p.Services = append(p.Services, sp)
	}
	return p
}

// instances plans each instance. It returns how long the slowest takes up to
// the wait for dependencies, and from there.
func (o outlook) instances(dem demand, best []pool.Machine, sp *pool.ServicePlan, p *pool.Plan) (before, gate, after time.Duration) {
	type known struct {
		steps         []pool.StepPlan
		before, after time.Duration
		unmeasured    int
	}
	seen := map[string]known{}
	for i := range dem.count {
		ip := pool.InstancePlan{Number: dem.first + i, Steps: []pool.StepPlan{}}
		if i < len(best) {
			m := best[i]
			ip.Machine, ip.Name, ip.Why = m.ID, m.Name, reason(m, dem.template)
			ip.Storage = storagePlan(dem.template, m)
			live := o.live[m.ID]
			key := modelOf(m) + fmt.Sprint(controlled(m), live.mode, live.trusted, ip.Number == 1)
			k, ok := seen[key]
			if !ok {
				k.steps, k.before, k.after, k.unmeasured = o.steps(dem, m, live, ip.Number)
				seen[key] = k
			}
			ip.Steps, ip.Expected = k.steps, k.before+k.after
			p.Unmeasured += k.unmeasured
			before, after = max(before, k.before), max(after, k.after)
		}
		sp.Instances = append(sp.Instances, ip)
	}
	return before, 0, after
}

// steps are those of an instance on m: of the machine's deployment, then of
// the recipe.
func (o outlook) steps(dem demand, m pool.Machine, live presence, number int) (out []pool.StepPlan, before, after time.Duration, unmeasured int) {
	add := func(recipe, name string) time.Duration {
		t := o.times.of(recipe, name, modelOf(m))
		out = append(out, pool.StepPlan{Name: name, Expected: t.Mean, Samples: t.N})
		if t.N == 0 && name != stepDepends {
			unmeasured++
		}
		return t.Mean
	}
	for _, name := range opSteps(pool.Operation{Kind: pool.OpDeploy}, m, live) {
		before += add("", name)
	}
	into := &before
	for _, name := range gated(dem.svc, upSteps(dem.svc.Recipe, number)) {
		if name == stepDepends {
			into = &after
		}
		*into += add(dem.svc.Recipe.Name, name)
	}
	return out, before, after, unmeasured
}

// upSteps bring an instance up, once it has its machine.
func upSteps(r pool.RecipeInfo, number int) []string {
	names := []string{stepPrepare}
	if r.Storage != "" {
		names = append(names, stepStorage)
	}
	for _, e := range upEvents() {
		has := slices.Contains(r.Events, e) || e == stepLocator && r.Locator
		if has && (e != "preServiceStart" || number == 1) {
			names = append(names, e)
		}
	}
	return append(names, stepWatch)
}

// chooseMany chooses n machines, best first; fewer when no more fit.
func chooseMany(c Compute, t pool.Template, machines []pool.Machine, n int) (best []pool.Machine, why map[string][]string) {
	if many, ok := c.(manyChooser); ok {
		return many.ChooseMany(t, machines, n)
	}
	left := slices.Clone(machines)
	for {
		m, no, ok := c.Choose(t, left)
		if why = no; !ok || len(best) == n {
			return best, why
		}
		best = append(best, m)
		left = take(left, m)
	}
}

// reason says why a machine was chosen.
func reason(m pool.Machine, t pool.Template) string {
	text := "the smallest that is ready and large enough"
	if m.Facts != nil {
		text += fmt.Sprintf(": %s, %s of memory", plural(m.Facts.CPU.Cores, "core"), pool.Bytes(m.Facts.Memory))
	}
	if t.Cores > 0 || t.Memory > 0 {
		text += fmt.Sprintf(" for %s (%s, %s)", t.Name, plural(t.Cores, "core"), pool.Bytes(t.Memory))
	}
	return text
}

// others lists the machines that were not chosen.
func (o outlook) others(sp *pool.ServicePlan, best []pool.Machine, why map[string][]string) {
	chosen := make(map[string]bool, len(best))
	for _, m := range best {
		chosen[m.ID] = true
	}
	for _, m := range o.machines {
		no := why[m.ID]
		if chosen[m.ID] || m.ID == "" { // it is to be made for somebody
			continue
		}
		if len(no) == 0 {
			no = []string{"would do, but is larger than what was chosen"}
		}
		if len(sp.Others) == maxOthers {
			sp.OthersLeft++
			continue
		}
		sp.Others = append(sp.Others, pool.Passed{Machine: m.ID, Name: m.Name, Why: no})
	}
}

// shortage says why there are too few machines for a service.
func shortage(dem demand, machines []pool.Machine, n int, why map[string][]string) string {
	var parts []string
	for _, m := range machines {
		if r := why[m.ID]; len(r) > 0 && len(parts) < 50 {
			parts = append(parts, m.Name+" "+strings.Join(r, " and "))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(why)) {
		if strings.HasPrefix(k, "hypervisor ") {
			parts = append(parts, k+" "+strings.Join(why[k], " and "))
		}
	}
	if len(parts) == 0 {
		parts = []string{"the pool has no other machine; connect a server and switch it on, or accept one: appliance machine list"}
	}
	return fmt.Sprintf("service %s wants %s for template %s, %s: %s",
		dem.svc.Name, plural(dem.count, "free machine"), dem.template.Name, fitting(n), strings.Join(parts, "; "))
}

// outlook reads what plans look at.
func (e *Engine) outlook(ctx context.Context) (outlook, error) {
	e.init()
	machines, err := e.freeMachines(ctx)
	if err != nil {
		return outlook{}, err
	}
	slices.SortFunc(machines, func(a, b pool.Machine) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	known := len(machines) // those that are to be made come after
	if machines, err = e.setAside(ctx, machines); err != nil {
		return outlook{}, err
	}
	o := outlook{now: time.Now().UTC(), machines: machines, live: map[string]presence{}, compute: e.Compute, times: &e.times}
	e.mu.Lock()
	for id, p := range e.live {
		o.live[id] = *p
	}
	e.mu.Unlock()
	o.digest, err = e.stateDigest(ctx, machines[:known])
	return o, err
}

// stateDigest names what a plan depends on: machines as they may be chosen,
// templates, images, services and their revisions.
func (e *Engine) stateDigest(ctx context.Context, machines []pool.Machine) (string, error) {
	h := sha256.New()
	for i := range machines {
		machineState(h, &machines[i])
	}
	templates, err1 := e.Store.Templates(ctx)
	images, err2 := e.Store.Images(ctx)
	services, err3 := e.Store.Services(ctx)
	if err := errors.Join(err1, err2, err3); err != nil {
		return "", err
	}
	for _, t := range templates {
		h.Write(encode(t))
	}
	for _, i := range images {
		say(h, i.Name, i.Digest)
	}
	slices.SortFunc(services, func(a, b pool.Service) int { return cmp.Compare(a.Name, b.Name) })
	for _, s := range services {
		say(h, s.Name, string(s.Phase), s.Recipe.Digest, strconv.Itoa(s.Revision), strconv.Itoa(s.Instances))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func say(h hash.Hash, parts ...string) {
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
}

// machineState writes what is decided by about a machine.
func machineState(h hash.Hash, m *pool.Machine) {
	say(h, m.ID, m.Name, string(m.Phase), m.Instance, strings.Join(m.Tags, ","), string(m.Driver), m.Zone, m.Rack)
	for _, c := range []pool.ConditionType{pool.CondBroken, pool.CondHold, pool.CondProtected, pool.CondDirty} {
		say(h, m.Conditions[c].Value)
	}
	if f := m.Facts; f != nil {
		say(h, strconv.Itoa(f.CPU.Cores), strconv.FormatUint(f.Memory, 10), string(f.Arch))
		for _, d := range f.Disks {
			say(h, d.Serial, strconv.FormatUint(d.Size, 10))
		}
	}
}

// Plan says what Deploy with the same options would do. It changes nothing.
func (e *Engine) Plan(ctx context.Context, o pool.DeployOptions) (pool.Plan, error) {
	look, err := e.outlook(ctx)
	if err != nil {
		return pool.Plan{}, err
	}
	svc, t, err := e.newService(ctx, o)
	if err != nil {
		return pool.Plan{}, err
	}
	return propose(look, []demand{{svc: svc, template: t, count: svc.Instances, first: 1}}), nil
}

// fresh refuses a plan that was made on another state. Errors wrap ErrConflict.
func (o outlook) fresh(plan string) error {
	if plan == "" || plan == o.digest {
		return nil
	}
	return fmt.Errorf("%w: the plan is stale: machines, templates, images or services have changed since it was made; plan again", pool.ErrConflict)
}
