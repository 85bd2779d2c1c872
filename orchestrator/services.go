package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/pool"
)

var serviceName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$`)

// newService checks what was asked for and fills in what was left out.
func (e *Engine) newService(ctx context.Context, o pool.DeployOptions) (svc pool.Service, t pool.Template, err error) {
	r := o.Recipe
	if len(r.Members) > 0 {
		return svc, t, fmt.Errorf("%w: %s is an application, not a service", pool.ErrInvalid, r.Name)
	}
	base := o.Name
	if base == "" {
		base = strings.ToLower(strings.TrimPrefix(r.Name, r.Application+"."))
	}
	svc = pool.Service{Name: pool.ServiceKey(o.Application, base), Application: o.Application, DependsOn: o.DependsOn, Recipe: r,
		Template: o.Template, Instances: o.Instances, Phase: pool.ServiceDeploying, By: o.By}
	if !serviceName.MatchString(base) {
		return svc, t, fmt.Errorf("%w: service name %q: lower-case letters, digits and dashes, a letter first, 50 at most", pool.ErrInvalid, base)
	}
	if svc.Instances == 0 {
		svc.Instances = max(r.Instances, 1)
	}
	if low := max(r.Min, 1); svc.Instances < low || r.Max > 0 && svc.Instances > r.Max {
		return svc, t, fmt.Errorf("%w: service %s: %d instances: recipe %s wants %d to %d", pool.ErrInvalid, svc.Name, svc.Instances, r.Name, low, max(r.Max, low))
	}
	old, err := e.Store.Service(ctx, svc.Name)
	switch {
	case err == nil && old.Phase != pool.ServiceRemoved:
		return svc, t, fmt.Errorf("%w: service %s exists; choose another name, or remove it", pool.ErrConflict, svc.Name)
	case err != nil && !errors.Is(err, pool.ErrNotFound):
		return svc, t, err
	}
	return e.madeOf(ctx, svc, o.Image)
}

// madeOf fills in the template and the image that a service gets.
func (e *Engine) madeOf(ctx context.Context, svc pool.Service, image string) (pool.Service, pool.Template, error) {
	if svc.Template == "" {
		svc.Template = svc.Recipe.Template
	}
	t, err := e.template(ctx, svc.Template)
	if err != nil {
		return svc, t, err
	}
	svc.Image, err = e.imageName(ctx, image, t.Image)
	if err != nil && !(image == "" && t.Image == "" && t.Prefers(pool.DriverSSH) >= 0) { // a running host needs none
		return svc, t, err
	}
	if t, err = t.Storing(svc.Recipe.Storage); err != nil {
		return svc, t, fmt.Errorf("service %s: %w", svc.Name, err)
	}
	return svc, imaged(t, svc.Image), nil
}

// wantedBy is what a service's machines must be like: its template, narrowed
// to the storage that its recipe asks for and to what its image allows.
func wantedBy(t pool.Template, r pool.RecipeInfo, image string) pool.Template {
	if narrow, err := t.Storing(r.Storage); err == nil {
		t = narrow
	} else { // the template was changed meanwhile: nothing fits
		t.Storage = []pool.StorageTemplate{{Name: r.Storage, Serial: "of the storage template that " + t.Name + " no longer has"}}
	}
	return imaged(t, image)
}

func (e *Engine) template(ctx context.Context, name string) (pool.Template, error) {
	t, err := e.Store.Template(ctx, name)
	if !errors.Is(err, pool.ErrNotFound) {
		return t, err
	}
	list, err := e.Store.Templates(ctx)
	if err != nil {
		return t, err
	}
	var names []string
	for _, t := range list {
		names = append(names, t.Name)
	}
	return t, fmt.Errorf("%w: template %q does not exist%s", pool.ErrInvalid, name, hintOf(name, names))
}

// hintOf suggests names that are near, or lists what there is.
func hintOf(name string, names []string) string {
	if near := pool.Near(name, names); len(near) > 0 {
		return "; did you mean " + strings.Join(near, " or ") + "?"
	}
	if len(names) == 0 {
		return ""
	}
	return "; there is " + strings.Join(names, ", ")
}

// imageName returns the image that was asked for, else the template's, else
// the appliance's default, else the only one in the library.
func (e *Engine) imageName(ctx context.Context, asked, template string) (string, error) {
	list, err := e.Store.Images(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	for _, name := range []string{asked, template, e.Image} {
		if name == "" {
			continue
		}
		if !slices.Contains(names, name) {
			return "", fmt.Errorf("%w: image %q is not in the library%s", pool.ErrInvalid, name, hintOf(name, names))
		}
		return name, nil
	}
	switch len(names) {
	case 0:
		return "", fmt.Errorf("%w: no image in the library: build or import one first", pool.ErrUnavailable)
	case 1:
		return names[0], nil
	}
	return "", fmt.Errorf("%w: name the image: there is %s", pool.ErrInvalid, strings.Join(names, ", "))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func fitting(n int) string {
	switch n {
	case 0:
		return "none fits"
	case 1:
		return "1 fits"
	}
	return strconv.Itoa(n) + " fit"
}

// setAside shows the machines that waiting instances are about to take as
// reserved: what was promised is not promised again. Virtual machines that are
// still to be made for them take their share of their hypervisor.
func (e *Engine) setAside(ctx context.Context, machines []pool.Machine) ([]pool.Machine, error) {
	instances, err := e.Store.Instances(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, in := range instances {
		if in.Phase != pool.InstanceWaiting {
			continue
		}
		if i := slices.IndexFunc(machines, func(m pool.Machine) bool { return in.Prefer != "" && m.ID == in.Prefer && m.Phase == pool.Ready }); i >= 0 {
			machines[i].Phase = pool.Reserved
			continue
		}
		svc, err := e.Store.Service(ctx, in.Service)
		if err != nil {
			return nil, err
		}
		t, err := e.Store.Template(ctx, svc.Template)
		if err != nil {
			return nil, err
		}
		if best, _, ok := e.Compute.Choose(wantedBy(t, svc.Recipe, svc.Image), machines); ok {
			machines = take(machines, best)
		}
	}
	return machines, nil
}

// imaged narrows a template to what needs no image, when there is none.
func imaged(t pool.Template, image string) pool.Template {
	if image == "" {
		t.Drivers = slices.DeleteFunc(slices.Clone(t.Wants()), func(d pool.Driver) bool { return d != pool.DriverSSH })
	}
	return t
}

// take shows the machine that was chosen as reserved; one that is still to be
// made takes its share of the machine that it will run on.
func take(machines []pool.Machine, best pool.Machine) []pool.Machine {
	best.Phase = pool.Reserved
	if i := slices.IndexFunc(machines, func(m pool.Machine) bool { return best.ID != "" && m.ID == best.ID }); i >= 0 {
		machines[i] = best
		return machines
	}
	return append(machines, best)
}

// freeMachines returns all machines; those that are ready but have an
// operation under way are shown as enrolled, which is what they are good for now.
func (e *Engine) freeMachines(ctx context.Context) ([]pool.Machine, error) {
	machines, err := e.Store.Machines(ctx)
	if err != nil {
		return nil, err
	}
	ops, err := e.Store.OpenOperations(ctx)
	if err != nil {
		return nil, err
	}
	for i := range machines {
		busy := func(op pool.Operation) bool { return op.Machine == machines[i].ID }
		if machines[i].Phase == pool.Ready && slices.ContainsFunc(ops, busy) {
			machines[i].Phase = pool.Enrolled
		}
	}
	return machines, nil
}

// iview reads all that the planner may look at for an instance.
func (e *Engine) iview(ctx context.Context, id string) (*iview, error) {
	e.init()
	in, err := e.Store.Instance(ctx, id)
	if err != nil {
		return nil, err
	}
	svc, err := e.Store.Service(ctx, in.Service)
	if err != nil {
		return nil, err
	}
	rev, err := e.revisionOf(ctx, svc, in)
	if err != nil {
		return nil, err
	}
	e.times.owned(in.ID, rev.Recipe.Name)
	v := &iview{now: time.Now().UTC(), in: &in, svc: &svc, rev: rev, settled: e.started.Add(silence), nameTime: e.NameTime, mint: mint}
	v.load = func() ([]*pool.Instance, error) { return e.Store.Siblings(ctx, in.Service) }
	if in.Next != 0 {
		next, err := e.Store.Revision(ctx, svc.Name, in.Next)
		if err != nil {
			return nil, err
		}
		v.next = &next
	}
	steps, err := e.Store.SharedSteps(ctx, id)
	if err != nil {
		return nil, err
	}
	v.steps = make([]*pool.Step, 0, len(steps))
	for _, s := range steps {
		switch {
		case !isCommand(*s) && s.Round != in.Round: // of an earlier life
		case !isCommand(*s):
			v.steps = append(v.steps, s)
		case stepOpen(s):
			v.commands = append(v.commands, s)
		}
	}
	waits := in.Machine == "" && in.Phase == pool.InstanceWaiting
	if v.template, err = e.Store.Template(ctx, rev.Template); err != nil && (waits || !errors.Is(err, pool.ErrNotFound)) {
		return nil, err
	}
	if waits {
		return v, e.choose(ctx, v)
	}
	if in.Phase == pool.InstanceInstalling || in.Phase == pool.InstanceStarting {
		if v.depends, err = e.depends(ctx, svc); err != nil {
			return nil, err
		}
	}
	if in.Machine == "" {
		return v, nil
	}
	// The operation before the machine: a machine that is newer than its
	// operation is waited for, one that is older would look abandoned.
	if op, found, err := e.lastOperation(ctx, in.Machine); err != nil {
		return nil, err
	} else if found {
		v.op = &pool.Operation{}
		*v.op = op
	}
	m, err := e.Store.Machine(ctx, in.Machine)
	if err != nil {
		return nil, err
	}
	v.m, v.live = &m, e.presence(m.ID)
	if v.wiped, err = e.Store.Wiped(ctx, m.ID); err == nil && in.Phase == pool.InstanceRecovering {
		err = e.recoveryView(ctx, v)
	}
	return v, err
}

// revisionOf is what an instance is made of. Instances of before there were
// revisions are made of what the service is.
func (e *Engine) revisionOf(ctx context.Context, svc pool.Service, in pool.Instance) (pool.Revision, error) {
	if in.Revision == svc.Revision || in.Revision == 0 {
		return pool.Revision{Service: svc.Name, Number: svc.Revision, Recipe: svc.Recipe, Template: svc.Template, Image: svc.Image}, nil
	}
	return e.Store.Revision(ctx, svc.Name, in.Revision)
}

// choose lets Compute choose a machine for an instance that waits for one.
func (e *Engine) choose(ctx context.Context, v *iview) error {
	if ok, err := e.preferred(ctx, v); ok || err != nil {
		return err
	}
	machines, err := e.freeMachines(ctx)
	if err != nil {
		return err
	}
	m, _, ok := e.Compute.Choose(wantedBy(v.template, v.rev.Recipe, v.rev.Image), machines)
	if !ok {
		return e.retryHosts(ctx, v.template)
	}
	m = m.Clone()
	v.choice = &m
	if v.m == nil {
		v.wiped, err = e.Store.Wiped(ctx, m.ID)
	}
	return err
}

// preferred chooses the machine that the instance was planned for, if it is
// free still.
func (e *Engine) preferred(ctx context.Context, v *iview) (bool, error) {
	if v.in.Prefer == "" || v.m != nil {
		return false, nil
	}
	m, err := e.Store.Machine(ctx, v.in.Prefer)
	if errors.Is(err, pool.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := e.Store.OpenOperation(ctx, m.ID); !errors.Is(err, pool.ErrNotFound) {
		return false, err
	}
	if best, _, ok := e.Compute.Choose(wantedBy(v.template, v.rev.Recipe, v.rev.Image), []pool.Machine{m}); !ok || best.ID != m.ID {
		return false, nil
	}
	m = m.Clone()
	v.choice = &m
	v.wiped, err = e.Store.Wiped(ctx, m.ID)
	return true, err
}

func (e *Engine) retryService(ctx context.Context, svc pool.Service, by string) error {
	instances, err := e.Store.Instances(ctx, svc.Name)
	if err != nil {
		return err
	}
	n := 0
	for _, in := range instances {
		if in.Phase == pool.InstanceFailed {
			if err := e.retryInstance(ctx, in.ID, by); err != nil {
				return err
			}
			n++
		}
	}
	if n == 0 {
		return fmt.Errorf("%w: service %s: no instance failed", pool.ErrConflict, svc.Name)
	}
	return nil
}

func (e *Engine) retryInstance(ctx context.Context, id, by string) error {
	for try := 0; ; try++ {
		v, err := e.iview(ctx, id)
		if err != nil {
			return err
		}
		d := v.draft()
		if err := retryInstance(v, &d, by); err != nil {
			return err
		}
		err = e.apply(ctx, &d)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return err
		}
	}
}

// retryInstance goes on where an instance failed: with a new try of its step,
// or with a new deployment of its machine.
func retryInstance(v *iview, d *draft, by string) error {
	s := v.current()
	if v.in.Phase != pool.InstanceFailed || s == nil {
		return fmt.Errorf("%w: instance %s did not fail", pool.ErrConflict, v.in.ID)
	}
	in, svc := d.instance(v.in), d.service(v.svc)
	in.Cause, in.NotBefore, svc.Cause, svc.Phase = nil, time.Time{}, nil, pool.ServiceDeploying
	v.tell(d, "instance.retry", pool.Info, "%s asked to go on with %s at step %s.", by, v.title(), s.Name).By = by
	n := d.newTry(s, s.Status, s.Cause, 0, false)
	n.Tries++
	if s.Verifying {
		v.anew(d, n)
	}
	v.add(n)
	if s.Name != stepAcquire {
		in.Phase = pool.InstanceInstalling
		v.advance(d)
		return nil
	}
	n.Status, n.StartedAt, n.NotBefore, n.Deadline = pool.StepRunning, d.now, time.Time{}, d.now.Add(acquireTime)
	if v.m == nil {
		in.Phase = pool.InstanceWaiting
		n.Deadline = d.now.Add(time.Hour)
		return nil
	}
	in.Phase = pool.InstanceAcquiring
	if v.op != nil && !v.op.Status.Open() && v.m.Phase == pool.Reserved {
		p := v.op.Params
		if p.Instance == "" {
			p = pool.OpParams{Image: v.rev.Image, Instance: in.ID, Disk: v.hint(v.m), Hostname: v.host()}
		}
		d.condition(v.m, pool.CondBroken, "", "")
		d.newOperation(v.m, pool.OpDeploy, p, by)
	}
	return nil
}
