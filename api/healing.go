package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

type body[T any] struct{ Body T }

type namedAnd[T any] struct {
	Name string `path:"name" maxLength:"128"`
	Body T
}

// healingRoutes are about what happens when machines and services fail.
func (s *Server) healingRoutes(a huma.API) {
	const tag = "Healing"
	handle(s, a, endpoint{http.MethodGet, "/healing", "healing", "Whether lost machines are fenced and services healed", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) (pool.HealingState, error) { return s.Engine.Healing(ctx) })
	handle(s, a, endpoint{http.MethodPost, "/healing/stop", "stopHealing", "Fence and replace nothing until it is resumed", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, in *body[wire.StopHealingRequest]) (pool.HealingState, error) {
			why := in.Body.Why
			if why == "" {
				why = "no reason was given"
			}
			if err := wire.CheckText("why", why, 512); err != nil {
				return pool.HealingState{}, err
			}
			return s.Engine.StopHealing(ctx, who(ctx).person(), why)
		})
	handle(s, a, endpoint{http.MethodPost, "/healing/resume", "resumeHealing", "Let healing go on, also for machines that are silent now", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, _ *nothing) (pool.HealingState, error) {
			return s.Engine.ResumeHealing(ctx, who(ctx).person())
		})
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/recover", "recoverService", "Decide for a service that waits: its machine is off, or it may start without its data", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *namedAnd[wire.RecoverRequest]) (wire.Service, error) {
			o := pool.RecoverOptions{WithoutData: in.Body.WithoutData, MachineOff: in.Body.MachineOff, By: who(ctx).person()}
			if _, err := s.Engine.Recover(ctx, in.Name, o); err != nil {
				return wire.Service{}, err
			}
			return s.service(ctx, in.Name)
		})
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/reinstall", "reinstallService", "Write the system of an instance's machine anew; the disk of its storage template stays as it is", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *namedAnd[wire.ReinstallRequest]) (wire.Service, error) {
			if _, err := s.Engine.Reinstall(ctx, in.Name, in.Body.Instance, in.Body.WithoutData, who(ctx).person()); err != nil {
				return wire.Service{}, err
			}
			return s.service(ctx, in.Name)
		})
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/take-as-done", "takeAsDone", "Say that a step which was cut off was done: the service goes on after it", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *named) (wire.Service, error) {
			if _, err := s.Engine.TakeAsDone(ctx, in.Name, who(ctx).person()); err != nil {
				return wire.Service{}, err
			}
			return s.service(ctx, in.Name)
		})
	s.maintenanceRoutes(a, tag)
}

func (s *Server) maintenanceRoutes(a huma.API, tag string) {
	begin := func(ctx context.Context, name string, r wire.MaintenanceRequest) (pool.Maintenance, error) {
		if err := wire.CheckText("reason", r.Reason, 512); err != nil {
			return pool.Maintenance{}, err
		}
		return s.Engine.Maintain(ctx, name, who(ctx).person(), r.Reason, time.Duration(r.Seconds)*time.Second)
	}
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/maintenance", "maintainService", "Begin maintenance: nothing of the service is healed", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, in *namedAnd[wire.MaintenanceRequest]) (pool.Maintenance, error) {
			if _, err := s.Store.Service(ctx, in.Name); err != nil {
				return pool.Maintenance{}, err
			}
			return begin(ctx, in.Name, in.Body)
		})
	handle(s, a, endpoint{http.MethodDelete, "/services/{name}/maintenance", "endServiceMaintenance", "End maintenance", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, in *named) (wire.Service, error) {
			if err := s.Engine.Unmaintain(ctx, in.Name, who(ctx).person()); err != nil {
				return wire.Service{}, err
			}
			return s.service(ctx, in.Name)
		})
	handle(s, a, endpoint{http.MethodPost, "/machines/{id}/maintenance", "maintainMachine", "Begin maintenance: the machine is not fenced, nothing on it is healed", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, in *oneAnd[wire.MaintenanceRequest]) (pool.Maintenance, error) {
			m, err := s.Store.MachineByName(ctx, in.ID)
			if err != nil {
				return pool.Maintenance{}, err
			}
			return begin(ctx, m.ID, in.Body)
		})
	handle(s, a, endpoint{http.MethodDelete, "/machines/{id}/maintenance", "endMachineMaintenance", "End maintenance", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, in *one) (wire.Machine, error) {
			m, err := s.Store.MachineByName(ctx, in.ID)
			if err != nil {
				return wire.Machine{}, err
			}
			if err := s.Engine.Unmaintain(ctx, m.ID, who(ctx).person()); err != nil {
				return wire.Machine{}, err
			}
			return s.machineView(ctx, m.ID)
		})
}
