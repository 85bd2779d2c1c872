package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// machineList shows all machines, with few reads however many there are.
func (s *Server) machineList(ctx context.Context) ([]wire.Machine, error) {
	machines, err := s.Store.Machines(ctx)
	if err != nil {
		return nil, err
	}
	open, err := s.Store.OpenOperations(ctx)
	if err != nil {
		return nil, err
	}
	ops := map[string]*pool.Operation{}
	for i := range open {
		ops[open[i].Machine] = &open[i]
	}
	owners, err := s.owners(ctx)
	if err != nil {
		return nil, err
	}
	leases, err := s.leases(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	out := make([]wire.Machine, 0, len(machines))
	for _, m := range machines {
		op := ops[m.ID]
		if op == nil && m.Conditions.Is(pool.CondBroken) {
			if op, err = s.lastOperation(ctx, m.ID); err != nil {
				return nil, err
			}
		}
		out = append(out, s.show(m, op, owners, leases, now))
	}
	return out, nil
}

// machineView shows one machine with all that is known of it.
func (s *Server) machineView(ctx context.Context, id string) (wire.Machine, error) {
	m, err := s.Store.MachineByName(ctx, id)
	if err != nil {
		return wire.Machine{}, err
	}
	op, err := s.lastOperation(ctx, m.ID)
	if err != nil {
		return wire.Machine{}, err
	}
	owners := map[string]string{}
	if m.Instance != "" {
		in, err := s.Store.Instance(ctx, m.Instance)
		if err != nil && !errors.Is(err, pool.ErrNotFound) {
			return wire.Machine{}, err
		}
		owners[m.Instance] = in.Service
	}
	leases, err := s.leases(ctx)
	if err != nil {
		return wire.Machine{}, err
	}
	v := s.show(m, op, owners, leases, time.Now())
	if op != nil {
		if v.Steps, err = s.Store.Steps(ctx, op.ID); err != nil {
			return wire.Machine{}, err
		}
	}
	wiped, err := s.Store.Wiped(ctx, m.ID)
	if err != nil {
		return wire.Machine{}, err
	}
	for _, d := range pool.Unwiped(m, func(serial string) bool { return wiped[serial] }) {
		v.Unwiped = append(v.Unwiped, d.Serial)
	}
	boots, err := s.boots(ctx, m)
	if err != nil {
		return wire.Machine{}, err
	}
	if len(boots) > 0 {
		last := boots[len(boots)-1]
		v.BootedAt, v.Timings = last.Start, timings(last)
		if quiet := pool.Diagnose(last, time.Now()); quiet != "" && v.Live.Agent == "" && (op == nil || op.Status.Open()) && v.Phase != pool.Active {
			v.Sentence = quiet
		}
	}
	return v, nil
}

// lastOperation returns the open operation, else the last one, else nil.
func (s *Server) lastOperation(ctx context.Context, machine string) (*pool.Operation, error) {
	op, err := s.Store.OpenOperation(ctx, machine)
	if errors.Is(err, pool.ErrNotFound) {
		op, err = s.Store.LastOperation(ctx, machine)
	}
	if errors.Is(err, pool.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &op, nil
}

// show makes the view of a machine from what was read.
func (s *Server) show(m pool.Machine, op *pool.Operation, owners map[string]string, leases map[pool.MAC][]pool.Lease, now time.Time) wire.Machine {
	v := wire.Machine{Machine: m, Operation: op, Live: s.Engine.Live(m.ID), Allowed: []pool.OpKind{}, Service: owners[m.Instance]}
	v.Sentence = pool.Sentence(m, op, v.Live, v.Service, now)
	if op == nil || !op.Status.Open() {
		for _, k := range pool.OpKinds() {
			if m.Phase.Allows(k) && (k != pool.OpRelease || m.Phase != pool.Enrolled || held(m)) {
				v.Allowed = append(v.Allowed, k)
			}
		}
	}
	v.BMCState = m.Conditions[pool.CondBMC].Value
	for _, mac := range m.MACs {
		v.Leases = append(v.Leases, leases[mac]...)
	}
	return v
}

// held says whether there is something to release of a machine that nobody has.
func held(m pool.Machine) bool {
	return m.Conditions.Is(pool.CondProtected) || m.Conditions.Is(pool.CondDirty) || m.Conditions.Is(pool.CondHold)
}

// owners maps instances to their services.
func (s *Server) owners(ctx context.Context) (map[string]string, error) {
	all, err := s.Store.Instances(ctx, "")
	out := map[string]string{}
	for _, in := range all {
		out[in.ID] = in.Service
	}
	return out, err
}

func (s *Server) leases(ctx context.Context) (map[pool.MAC][]pool.Lease, error) {
	all, err := s.Store.Leases(ctx)
	out := map[pool.MAC][]pool.Lease{}
	for _, l := range all {
		if !l.Declined {
			out[l.MAC] = append(out[l.MAC], l)
		}
	}
	return out, err
}

// timings are the milliseconds from a boot's start to the first event of
// each stage that people ask for.
func timings(b pool.Boot) map[string]int64 {
	names := map[pool.BootStage]string{
		pool.StageScript: "script", pool.StageKernel: "kernel", pool.StageHello: "agent",
		pool.StageFacts: "inventory", pool.StageLocal: "disk", pool.StageOS: "system",
	}
	out := map[string]int64{}
	for _, e := range b.Events {
		name, ok := names[e.Stage]
		if _, had := out[name]; ok && !had {
			out[name] = e.At.Sub(b.Start).Milliseconds()
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// serviceView shows a service with its instances and their steps.
func (s *Server) serviceView(ctx context.Context, svc pool.Service, steps bool) (wire.Service, error) {
	v := wire.Service{Service: svc, Endpoints: []string{}, Running: []wire.Instance{}}
	instances, err := s.Store.Instances(ctx, svc.Name)
	if err != nil {
		return v, err
	}
	for _, in := range instances {
		shown := wire.Instance{Instance: in, Steps: []pool.Step{}}
		if in.Machine != "" {
			m, err := s.Store.Machine(ctx, in.Machine)
			if err != nil && !errors.Is(err, pool.ErrNotFound) {
				return v, err
			}
			shown.MachineName = m.Name
		}
		if steps {
			if shown.Steps, err = list(s.Store.Steps(ctx, in.ID)); err != nil {
				return v, err
			}
		}
		if in.Endpoint != "" && in.Phase == pool.InstanceRunning {
			v.Endpoints = append(v.Endpoints, in.Endpoint)
		}
		v.Running = append(v.Running, shown)
	}
	slices.SortFunc(v.Running, func(a, b wire.Instance) int { return a.Number - b.Number })
	names := map[string]string{}
	for _, in := range v.Running {
		names[in.ID] = in.MachineName
	}
	v.Sentence = pool.ServiceSentence(svc, instances, names)
	if steps {
		attrs, err := s.Store.Attributes(ctx, "service:"+svc.Name)
		if err != nil {
			return v, err
		}
		for _, at := range attrs {
			if at.Secret {
				at.Value = ""
			}
			v.Attributes = append(v.Attributes, at)
		}
	}
	return v, nil
}
