package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

type allEvents struct {
	Machine string `query:"machine" maxLength:"128" doc:"ID, name or MAC"`
	EventQuery
}

func (s *Server) overviewRoutes(a huma.API) {
	const tag = "Appliance"
	handle(s, a, endpoint{http.MethodGet, "/overview", "overview", "Is everything all right?", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) (wire.Overview, error) { return s.overview(ctx) })
	handle(s, a, endpoint{http.MethodGet, "/version", "version", "What runs", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) (wire.Version, error) {
			schema, err := s.Store.Schema(ctx)
			return wire.Version{Version: s.Version, Protocol: wire.Protocol, Started: s.Started, Kit: s.Kit, Schema: schema}, err
		})
	handle(s, a, endpoint{http.MethodGet, "/events", "events", "What happened", tag, pool.Viewer, 0},
		func(ctx context.Context, in *allEvents) ([]pool.Event, error) {
			id := in.Machine
			if id != "" {
				m, err := s.Store.MachineByName(ctx, id)
				if err != nil {
					return nil, err
				}
				id = m.ID
			}
			return list(s.Store.Events(ctx, in.filter(id)))
		})
}

func (s *Server) overview(ctx context.Context) (wire.Overview, error) {
	o := wire.Overview{Machines: map[pool.Phase]int{}, Free: map[string]int{}, Attention: []wire.Attention{},
		Version: s.Version, Interface: s.Interface, Subnets: []pool.Subnet{}}
	if s.Network != nil {
		o.Foreign, o.Subnets = s.Network.Foreign(), s.Network.Subnets()
	}
	machines, err := s.machineList(ctx)
	if err != nil {
		return o, err
	}
	templates, err := s.Store.Templates(ctx)
	if err != nil {
		return o, err
	}
	services, err := s.Store.Services(ctx)
	if err != nil {
		return o, err
	}
	for _, t := range templates {
		o.Free[t.Name] = 0
	}
	for _, p := range pool.Phases() {
		o.Machines[p] = 0
	}
	for _, m := range machines {
		o.Machines[m.Phase]++
		if m.Phase == pool.Ready {
			for _, t := range templates {
				if len(t.Match(m.Machine)) == 0 {
					o.Free[t.Name]++
				}
			}
		}
		o.Attention = append(o.Attention, machineAttention(m)...)
	}
	for _, svc := range services {
		if svc.Phase != pool.ServiceRemoved {
			o.Services++
		}
		at, err := s.serviceAttention(ctx, svc)
		if err != nil {
			return o, err
		}
		o.Attention = append(o.Attention, at...)
	}
	return o, nil
}

// machineAttention lists what a person has to do about a machine.
func machineAttention(m wire.Machine) []wire.Attention {
	var out []wire.Attention
	add := func(action string, c *pool.Cause) {
		out = append(out, wire.Attention{Machine: m.ID, Name: m.Name, Cause: c, Action: action})
	}
	cond := func(t pool.ConditionType, message, remedy, action string) {
		c := m.Conditions[t]
		add(action, &pool.Cause{Code: "machine." + string(t), Message: message, Evidence: c.Reason, Remedy: remedy, At: c.Since})
	}
	if m.Phase == pool.Retired {
		return nil
	}
	if m.Phase == pool.Discovered && m.Facts != nil && (m.Operation == nil || !m.Operation.Status.Open()) {
		add("accept", &pool.Cause{Code: "machine.discovered", Message: fmt.Sprintf("Machine %s waits to be let in.", m.Name),
			Remedy: "Accept it, or leave it: until then it boots its own disk.", At: m.Facts.At})
	}
	if m.Conditions.Is(pool.CondBroken) {
		c := &pool.Cause{Code: "machine.broken", Message: fmt.Sprintf("The last operation on %s failed.", m.Name),
			Evidence: m.Conditions[pool.CondBroken].Reason, Remedy: "Read its log, then try again.", At: m.Conditions[pool.CondBroken].Since}
		if m.Operation != nil && m.Operation.Cause != nil {
			c = m.Operation.Cause
		}
		add("retry", c)
	}
	if m.Operation != nil && m.Operation.Status == pool.Waiting && m.Operation.Waiting == pool.WaitOperator {
		c := m.Operation.Cause
		if c == nil {
			c = &pool.Cause{Code: "operation.waiting", Message: m.Sentence, Remedy: "Do what it asks for.", At: m.Operation.QueuedAt}
		}
		add("power", c)
	}
	if m.Conditions.Is(pool.CondProtected) && m.Phase != pool.Discovered {
		cond(pool.CondProtected, fmt.Sprintf("The disks of %s hold data that nobody allowed to erase.", m.Name),
			"Look at its disks; release it to allow that they are erased.", "release")
	}
	if m.Conditions.Is(pool.CondHold) {
		cond(pool.CondHold, fmt.Sprintf("Machine %s is held back.", m.Name), "Release it when it may be used again.", "release")
	}
	switch m.Conditions[pool.CondBMC].Value {
	case "auth_failed", "locked":
		cond(pool.CondBMC, fmt.Sprintf("The BMC of %s refuses our user.", m.Name), "Inspect the machine: that makes the user again.", "")
	case "unreachable":
		cond(pool.CondBMC, fmt.Sprintf("The BMC of %s does not answer.", m.Name), "Check its cable and address.", "")
	}
	if m.Conditions[pool.CondAgent].Value == "lost" {
		cond(pool.CondAgent, fmt.Sprintf("The agent of %s was heard and is silent.", m.Name), "Look at its console; power-cycle it.", "power")
	}
	return out
}

// serviceAttention tells what is wrong with a service.
func (s *Server) serviceAttention(ctx context.Context, svc pool.Service) ([]wire.Attention, error) {
	if svc.Phase == pool.ServiceRemoved {
		return nil, nil
	}
	if svc.Cause != nil {
		return []wire.Attention{{Service: svc.Name, Name: svc.Name, Cause: svc.Cause, Action: "retry"}}, nil
	}
	instances, err := s.Store.Instances(ctx, svc.Name)
	var out []wire.Attention
	for _, in := range instances {
		if in.Cause != nil && in.Phase != pool.InstanceRemoved {
			action := "retry"
			if in.Heal != nil && in.Heal.Stage == pool.HealWaiting {
				action = "decide"
			}
			out = append(out, wire.Attention{Service: svc.Name, Machine: in.Machine, Name: fmt.Sprintf("%s/%d", svc.Name, in.Number), Cause: in.Cause, Action: action})
		}
	}
	return out, err
}
