package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

func (s *Server) hostRoutes(a huma.API) {
	const tag = "Hosts"
	handle(s, a, endpoint{http.MethodGet, "/hosts", "hosts", "List the hosts that were added", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]wire.Host, error) { return s.hostList(ctx) })
	handle(s, a, endpoint{http.MethodGet, "/hosts/{id}", "host", "One host", tag, pool.Viewer, 0},
		func(ctx context.Context, in *one) (wire.Host, error) {
			m, err := s.Store.MachineByName(ctx, in.ID)
			if err == nil && m.Driver != pool.DriverSSH {
				err = fmt.Errorf("%w: %s is no host that was added", pool.ErrNotFound, m.Name)
			}
			if err != nil {
				return wire.Host{}, err
			}
			return s.hostView(ctx, m)
		})
	handle(s, a, endpoint{http.MethodPost, "/hosts", "addHosts", "Bring hosts that already run into the pool", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *struct{ Body wire.HostsRequest }) ([]wire.Host, error) {
			if in.Body.Local && rank(who(ctx).Role) < rank(pool.Admin) { // recipes run there, beside the appliance's own keys
				return nil, refuse(http.StatusForbidden, "only an admin adds the appliance's own host")
			}
			o, err := hostOptions(in.Body)
			if err != nil {
				return nil, err
			}
			machines, err := s.Engine.AddHosts(ctx, o, who(ctx).person())
			if err != nil {
				return nil, err
			}
			return s.hostViews(ctx, machines)
		})
	handle(s, a, endpoint{http.MethodDelete, "/hosts/{id}", "removeHost", "Take a host out of the pool", tag, pool.Operator, 0},
		func(ctx context.Context, in *one) (wire.Host, error) {
			m, err := s.Engine.RemoveHost(ctx, in.ID, who(ctx).person())
			if err != nil {
				return wire.Host{}, err
			}
			return s.hostView(ctx, m)
		})
}

// localHost is the name of the appliance's own host in the pool.
const localHost = "localhost"

// hostOptions expands what was asked for.
func hostOptions(r wire.HostsRequest) (pool.HostOptions, error) {
	o := pool.HostOptions{Template: r.Template, Zone: r.Zone, Rack: r.Rack, Tags: r.Tags}
	for _, t := range append([]string{r.Zone, r.Rack}, r.Tags...) {
		if err := wire.CheckText("zone, rack or tag", t, 63); err != nil {
			return o, err
		}
	}
	if r.Local {
		if len(r.Nodes) > 0 {
			return o, fmt.Errorf("%w: the appliance's own host is added alone", pool.ErrInvalid)
		}
		o.Nodes = []pool.Node{{ID: localHost}}
		return o, nil
	}
	var specs []pool.NodeSpec
	for _, n := range r.Nodes {
		specs = append(specs, pool.NodeSpec{ID: n.ID, List: n.List, Range: n.Range, NodeLogin: n.Login()})
	}
	var err error
	o.Nodes, err = pool.ExpandNodes(specs, r.Login())
	return o, err
}

func (s *Server) hostList(ctx context.Context) ([]wire.Host, error) {
	machines, err := s.Store.Machines(ctx)
	if err != nil {
		return nil, err
	}
	return s.hostViews(ctx, machines)
}

func (s *Server) hostViews(ctx context.Context, machines []pool.Machine) ([]wire.Host, error) {
	out := []wire.Host{}
	for _, m := range machines {
		if m.Driver != pool.DriverSSH {
			continue
		}
		h, err := s.hostView(ctx, m)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func (s *Server) hostView(ctx context.Context, m pool.Machine) (wire.Host, error) {
	h := wire.Host{ID: m.ID, Name: m.Name, State: m.HostState(), Zone: m.Zone, Rack: m.Rack, Tags: m.Tags, Arch: m.Arch, Instance: m.Instance}
	if l := m.Login; l != nil {
		h.Host, h.Port, h.User, h.HostKey, h.Template = l.Host, l.Port, l.User, l.Fingerprint(), l.Template
	}
	if f := m.Facts; f != nil {
		h.Cores, h.Memory, h.System = f.CPU.Cores, f.Memory, f.Kernel
		switch f.Init {
		case "systemd":
			h.Agent = "a unit of systemd starts it, also after a restart of the host"
		case "cron":
			h.Agent = "a process starts it again when it ends, and cron starts that after a restart of the host"
		case "none":
			h.Agent = "a process starts it again when it ends; a restart of the host ends both (it has neither cron nor a systemd that its user may use)"
		}
	}
	if c := m.Conditions[pool.CondBroken]; c.Value == pool.True {
		h.Why = c.Reason
	}
	op, err := s.Store.LastOperation(ctx, m.ID)
	switch {
	case errors.Is(err, pool.ErrNotFound):
	case err != nil:
		return h, err
	case op.Status.Open():
		if m.Phase == pool.Retired {
			h.State = "" // it comes again
		}
		h.Why = fmt.Sprintf("%s is under way (step %s)", op.Kind, op.Step)
	case op.Cause != nil && h.State == pool.HostInvalid:
		h.Why = op.Cause.Message + " " + op.Cause.Remedy
	}
	if m.Instance != "" {
		in, err := s.Store.Instance(ctx, m.Instance)
		if err != nil && !errors.Is(err, pool.ErrNotFound) {
			return h, err
		}
		h.Service = in.Service
	}
	return h, nil
}
