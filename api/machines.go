package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

// one names a machine by its ID, name or MAC.
type one struct {
	ID string `path:"id" maxLength:"128" doc:"ID, name or MAC"`
}

type oneAnd[T any] struct {
	ID   string `path:"id" maxLength:"128" doc:"ID, name or MAC"`
	Body T
}

func (s *Server) machineRoutes(a huma.API) {
	const tag = "Machines"
	handle(s, a, endpoint{http.MethodGet, "/machines", "machines", "List machines", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]wire.Machine, error) { return s.machineList(ctx) })
	handle(s, a, endpoint{http.MethodGet, "/machines/{id}", "machine", "One machine", tag, pool.Viewer, 0},
		func(ctx context.Context, in *one) (wire.Machine, error) { return s.machineView(ctx, in.ID) })
	handle(s, a, endpoint{http.MethodPost, "/machines/{id}/accept", "accept", "Let a discovered machine in", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *oneAnd[wire.AcceptRequest]) (pool.Operation, error) {
			m, err := s.Store.MachineByName(ctx, in.ID)
			if err != nil {
				return pool.Operation{}, err
			}
			b := in.Body
			if b.Name != "" {
				if err := wire.CheckHostname("name", b.Name); err != nil {
					return pool.Operation{}, err
				}
			}
			if err := wire.CheckTags(b.Tags); err != nil {
				return pool.Operation{}, err
			}
			return s.Engine.Accept(ctx, m.ID, who(ctx).person(), pool.AcceptOptions{Erase: b.Erase, Serials: b.Serials, Name: b.Name, Tags: b.Tags})
		})
	handle(s, a, endpoint{http.MethodPost, "/machines/{id}/release", "release", "Give a machine back to the pool, or lift the protection of its disks", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *oneAnd[wire.ReleaseRequest]) (wire.Machine, error) {
			m, err := s.confirmed(ctx, in.ID, in.Body.Wipe, in.Body.Confirm)
			if err != nil {
				return wire.Machine{}, err
			}
			if _, err := s.Engine.Release(ctx, m.ID, who(ctx).person(), pool.ReleaseOptions{Wipe: in.Body.Wipe, Serials: in.Body.Serials}); err != nil {
				return wire.Machine{}, err
			}
			return s.machineView(ctx, m.ID)
		})
	handle(s, a, endpoint{http.MethodPost, "/machines/{id}/retry", "retry", "Do again what failed", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *one) (wire.Machine, error) {
			m, err := s.Store.MachineByName(ctx, in.ID)
			if err != nil {
				return wire.Machine{}, err
			}
			if err := s.Engine.Retry(ctx, m.ID, who(ctx).person()); err != nil {
				return wire.Machine{}, err
			}
			return s.machineView(ctx, m.ID)
		})
	handle(s, a, endpoint{http.MethodPost, "/machines/{id}/cancel", "cancel", "Stop the open operation at its next safe point", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *one) (wire.Machine, error) { return s.cancel(ctx, in.ID) })
	s.operationRoutes(a, tag)
	s.machineHistory(a, tag)
}

// operationRoutes start operations.
func (s *Server) operationRoutes(a huma.API, tag string) {
	post := func(what, summary string) endpoint {
		return endpoint{http.MethodPost, "/machines/{id}/" + what, what, summary, tag, pool.Operator, http.StatusAccepted}
	}
	handle(s, a, post("power", "Switch a machine"), func(ctx context.Context, in *oneAnd[wire.PowerRequest]) (pool.Operation, error) {
		return s.start(ctx, in.ID, pool.OpPower, pool.OpParams{Power: in.Body.Action, Boot: in.Body.Boot})
	})
	handle(s, a, post("inspect", "Take the inventory again"), func(ctx context.Context, in *one) (pool.Operation, error) {
		return s.start(ctx, in.ID, pool.OpInspect, pool.OpParams{})
	})
	handle(s, a, post("fence", "Switch a machine off, with proof, whatever runs on it; its service is recovered"), func(ctx context.Context, in *one) (pool.Operation, error) {
		return s.start(ctx, in.ID, pool.OpFence, pool.OpParams{})
	})
	handle(s, a, post("wipe", "Erase disks"), func(ctx context.Context, in *oneAnd[wire.WipeRequest]) (pool.Operation, error) {
		if _, err := s.confirmed(ctx, in.ID, true, in.Body.Confirm); err != nil {
			return pool.Operation{}, err
		}
		return s.start(ctx, in.ID, pool.OpWipe, pool.OpParams{Disks: in.Body.Serials})
	})
	handle(s, a, post("image", "Write an image to the machine's disk"), func(ctx context.Context, in *oneAnd[wire.ImageRequest]) (pool.Operation, error) {
		b := in.Body
		if b.Hostname != "" {
			if err := wire.CheckHostname("hostname", b.Hostname); err != nil {
				return pool.Operation{}, err
			}
		}
		return s.start(ctx, in.ID, pool.OpDeploy, pool.OpParams{Image: b.Image, Disk: b.Disk, Hostname: b.Hostname, SSHKeys: b.SSHKeys})
	})
	handle(s, a, post("retire", "Take a machine out of the pool for good"), func(ctx context.Context, in *one) (pool.Operation, error) {
		return s.start(ctx, in.ID, pool.OpRetire, pool.OpParams{})
	})
}

func (s *Server) start(ctx context.Context, id string, kind pool.OpKind, p pool.OpParams) (pool.Operation, error) {
	m, err := s.Store.MachineByName(ctx, id)
	if err != nil {
		return pool.Operation{}, err
	}
	return s.Engine.Start(ctx, m.ID, kind, p, who(ctx).person())
}

// confirmed returns the machine, if what destroys was confirmed by its name.
func (s *Server) confirmed(ctx context.Context, id string, destroys bool, typed string) (pool.Machine, error) {
	m, err := s.Store.MachineByName(ctx, id)
	if err == nil && destroys && typed != m.Name {
		err = fmt.Errorf("%w: this erases disks of %s: confirm with its name", pool.ErrInvalid, m.Name)
	}
	return m, err
}

func (s *Server) cancel(ctx context.Context, id string) (wire.Machine, error) {
	m, err := s.Store.MachineByName(ctx, id)
	if err != nil {
		return wire.Machine{}, err
	}
	op, err := s.Store.OpenOperation(ctx, m.ID)
	if errors.Is(err, pool.ErrNotFound) {
		return wire.Machine{}, fmt.Errorf("%w: nothing runs on machine %s", pool.ErrConflict, m.Name)
	}
	if err != nil {
		return wire.Machine{}, err
	}
	if err := s.Engine.Cancel(ctx, op.ID, who(ctx).person()); err != nil {
		return wire.Machine{}, err
	}
	return s.machineView(ctx, m.ID)
}

// EventQuery selects events. It is exported because huma sees no fields of
// an embedded type that is not.
type EventQuery struct {
	After    int64         `query:"after" minimum:"0"`
	Service  string        `query:"service" maxLength:"128"`
	Instance string        `query:"instance" maxLength:"128"`
	Type     string        `query:"type" maxLength:"64" doc:"prefix of the type"`
	Severity pool.Severity `query:"severity" enum:"info,warning,error"`
	Limit    int           `query:"limit" minimum:"0" maximum:"10000"`
	Last     bool          `query:"last" doc:"the last ones instead of the first"`
}

func (q EventQuery) filter(machine string) pool.EventFilter {
	return pool.EventFilter{After: q.After, Machine: machine, Service: q.Service, Instance: q.Instance,
		Type: q.Type, Severity: q.Severity, Limit: q.Limit, Last: q.Last}
}

// LogQuery selects lines of output; exported like EventQuery.
type LogQuery struct {
	After    int64  `query:"after" minimum:"0"`
	Limit    int    `query:"limit" minimum:"0" maximum:"10000"`
	Last     bool   `query:"last"`
	Instance string `query:"instance" maxLength:"128"`
	Step     string `query:"step" maxLength:"128"`
}

type machineEvents struct {
	ID string `path:"id" maxLength:"128" doc:"ID, name or MAC"`
	EventQuery
}

type machineLines struct {
	ID string `path:"id" maxLength:"128" doc:"ID, name or MAC"`
	LogQuery
}

func (s *Server) machineHistory(a huma.API, tag string) {
	get := func(what, id, summary string) endpoint {
		return endpoint{http.MethodGet, "/machines/{id}/" + what, id, summary, tag, pool.Viewer, 0}
	}
	handle(s, a, get("boot", "boot", "The boot timeline"), func(ctx context.Context, in *one) (wire.BootShow, error) {
		m, err := s.Store.MachineByName(ctx, in.ID)
		if err != nil {
			return wire.BootShow{}, err
		}
		boots, err := s.boots(ctx, m)
		if err != nil {
			return wire.BootShow{}, err
		}
		return s.bootShow(m, boots), nil
	})
	handle(s, a, get("log", "machineLog", "The machine's events"), func(ctx context.Context, in *machineEvents) ([]pool.Event, error) {
		m, err := s.Store.MachineByName(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return list(s.Store.Events(ctx, in.filter(m.ID)))
	})
	handle(s, a, get("console", "consoleLog", "The machine's console"), func(ctx context.Context, in *machineLines) ([]pool.LogLine, error) {
		m, err := s.Store.MachineByName(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return list(s.Store.Logs(ctx, pool.LogFilter{Machine: m.ID, Step: pool.ConsoleStep, After: in.After, Limit: in.Limit, Last: in.Last}))
	})
}

// maxBootEvents bounds a boot timeline.
const maxBootEvents = 2000

func (s *Server) boots(ctx context.Context, m pool.Machine) ([]pool.Boot, error) {
	if len(m.MACs) == 0 {
		return []pool.Boot{}, nil
	}
	events, err := s.Store.BootEvents(ctx, m.MACs, time.Time{}, maxBootEvents)
	if err != nil {
		return nil, err
	}
	return list(pool.Boots(events), nil)
}
