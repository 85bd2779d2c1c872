package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

func (s *Server) applicationRoutes(a huma.API) {
	const tag = "Applications"
	handle(s, a, endpoint{http.MethodGet, "/applications", "applications", "List applications", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]wire.Application, error) {
			all, err := s.Store.Applications(ctx)
			out := make([]wire.Application, 0, len(all))
			for _, app := range all {
				v, verr := s.applicationView(ctx, app)
				if verr != nil {
					return nil, verr
				}
				out = append(out, v)
			}
			return out, err
		})
	handle(s, a, endpoint{http.MethodGet, "/applications/{name}", "application", "One application and its services", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) (wire.Application, error) {
			app, err := s.Store.Application(ctx, in.Name)
			if err != nil {
				return wire.Application{}, err
			}
			return s.applicationView(ctx, app)
		})
	handle(s, a, endpoint{http.MethodPost, "/applications", "deployApplication", "Deploy an application", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *struct{ Body wire.DeployRequest }) (wire.Application, error) {
			o, err := s.applicationOptions(ctx, in.Body)
			if err != nil {
				return wire.Application{}, err
			}
			app, err := s.Engine.DeployApplication(ctx, o)
			if err != nil {
				return wire.Application{}, err
			}
			return s.applicationView(ctx, app)
		})
	handle(s, a, endpoint{http.MethodDelete, "/applications/{name}", "removeApplication", "Remove an application, its services in reverse order; disks stay protected unless wipe names it", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *serviceRemoval) (wire.Application, error) {
			if in.Wipe != "" && in.Wipe != in.Name {
				return wire.Application{}, fmt.Errorf("%w: this erases the disks of application %s: confirm with its name", pool.ErrInvalid, in.Name)
			}
			if in.Abandon && in.Wipe != "" {
				return wire.Application{}, fmt.Errorf("%w: what is abandoned is not wiped: release the machines one by one", pool.ErrInvalid)
			}
			end := func() (pool.Application, error) {
				return s.Engine.RemoveApplication(ctx, in.Name, in.Wipe != "", who(ctx).person())
			}
			if in.Abandon {
				end = func() (pool.Application, error) { return s.Engine.AbandonApplication(ctx, in.Name, who(ctx).person()) }
			}
			app, err := end()
			if err != nil {
				return wire.Application{}, err
			}
			return s.applicationView(ctx, app)
		})
	s.applicationChanges(a, tag)
	handle(s, a, endpoint{http.MethodPost, "/plans", "plan", "Say what a deployment would do: machines, why these, steps, expected time", tag, pool.Viewer, 0},
		func(ctx context.Context, in *struct{ Body wire.DeployRequest }) (pool.Plan, error) {
			return s.plan(ctx, in.Body)
		})
}

// applicationChanges take an application to another version, and back.
func (s *Server) applicationChanges(a huma.API, tag string) {
	handle(s, a, endpoint{http.MethodPost, "/applications/{name}/update", "updateApplication", "Take an application to another version of its recipe, service by service", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *namedAnd[wire.ApplicationUpdateRequest]) (wire.Application, error) {
			b := in.Body
			o, err := s.applicationOptions(ctx, wire.DeployRequest{Recipe: b.Recipe, Digest: b.Digest, Name: in.Name, Image: b.Image, Plan: b.Plan})
			if err != nil {
				return wire.Application{}, err
			}
			o.Batch, o.Health = b.Batch, time.Duration(b.Health)*time.Second
			app, err := s.Engine.UpdateApplication(ctx, o)
			if err != nil {
				return wire.Application{}, err
			}
			return s.applicationView(ctx, app)
		})
	handle(s, a, endpoint{http.MethodPost, "/applications/{name}/undo", "undoApplication", "Take the update of an application that is under way back", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *named) (wire.Application, error) {
			app, err := s.Engine.UndoApplication(ctx, in.Name, who(ctx).person())
			if err != nil {
				return wire.Application{}, err
			}
			return s.applicationView(ctx, app)
		})
	handle(s, a, endpoint{http.MethodPost, "/applications/{name}/maintenance", "maintainApplication", "Begin maintenance of all services of an application: nothing of them is healed or scaled", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, in *namedAnd[wire.MaintenanceRequest]) (pool.Maintenance, error) {
			if _, err := s.Store.Application(ctx, in.Name); err != nil {
				return pool.Maintenance{}, err
			}
			if err := wire.CheckText("reason", in.Body.Reason, 512); err != nil {
				return pool.Maintenance{}, err
			}
			return s.Engine.Maintain(ctx, in.Name, who(ctx).person(), in.Body.Reason, time.Duration(in.Body.Seconds)*time.Second)
		})
	handle(s, a, endpoint{http.MethodDelete, "/applications/{name}/maintenance", "endApplicationMaintenance", "End maintenance", tag, pool.Operator, http.StatusOK},
		func(ctx context.Context, in *named) (wire.Application, error) {
			if err := s.Engine.Unmaintain(ctx, in.Name, who(ctx).person()); err != nil {
				return wire.Application{}, err
			}
			app, err := s.Store.Application(ctx, in.Name)
			if err != nil {
				return wire.Application{}, err
			}
			return s.applicationView(ctx, app)
		})
}

// plan answers for services and applications alike.
func (s *Server) plan(ctx context.Context, r wire.DeployRequest) (pool.Plan, error) {
	recipe, err := s.meant(ctx, r)
	if err != nil {
		return pool.Plan{}, err
	}
	if p, ok, err := s.planChange(ctx, r, recipe); ok || err != nil {
		return p, err
	}
	if len(recipe.Members) == 0 {
		return s.Engine.Plan(ctx, deployOptions(ctx, r, recipe))
	}
	o, err := s.applicationOptions(ctx, r)
	if err != nil {
		return pool.Plan{}, err
	}
	return s.Engine.PlanApplication(ctx, o)
}

// planChange answers for a service or an application that is there: what
// differs, on which machines.
func (s *Server) planChange(ctx context.Context, r wire.DeployRequest, recipe pool.RecipeInfo) (p pool.Plan, there bool, err error) {
	name := r.Name
	if name == "" {
		name = strings.ToLower(recipe.Name)
	}
	before := map[string]string{} // digests by service
	if len(recipe.Members) > 0 {
		p, there, err = s.planApplicationChange(ctx, r, name, recipe, before)
	} else {
		p, there, err = s.planServiceChange(ctx, r, name, recipe, before)
	}
	if err != nil || !there || s.Differences == nil {
		return p, there, err
	}
	for i := range p.Services {
		sp := &p.Services[i]
		if sp.Action != pool.PlanUpdate || before[sp.Service] == sp.Digest {
			continue
		}
		if sp.Changes, err = s.changes(ctx, before[sp.Service], sp.Digest); err != nil {
			return p, true, err
		}
	}
	return p, true, nil
}

func (s *Server) planServiceChange(ctx context.Context, r wire.DeployRequest, name string, recipe pool.RecipeInfo, before map[string]string) (pool.Plan, bool, error) {
	svc, err := s.Store.Service(ctx, name)
	if errors.Is(err, pool.ErrNotFound) || err == nil && (svc.Phase != pool.ServiceRunning || svc.Recipe.Name != recipe.Name) {
		return pool.Plan{}, false, nil
	}
	if err != nil {
		return pool.Plan{}, false, err
	}
	before[name] = svc.Recipe.Digest
	p, err := s.Engine.PlanUpdate(ctx, name, pool.UpdateOptions{Recipe: recipe, Template: r.Template, Image: r.Image})
	return p, true, err
}

func (s *Server) planApplicationChange(ctx context.Context, r wire.DeployRequest, name string, recipe pool.RecipeInfo, before map[string]string) (pool.Plan, bool, error) {
	app, err := s.Store.Application(ctx, name)
	if errors.Is(err, pool.ErrNotFound) || err == nil && (app.Phase != pool.ServiceRunning || app.Recipe.Name != recipe.Name) {
		return pool.Plan{}, false, nil
	}
	if err != nil {
		return pool.Plan{}, false, err
	}
	r.Name = name
	o, err := s.applicationOptions(ctx, r)
	if err != nil {
		return pool.Plan{}, false, err
	}
	for _, key := range app.Services {
		svc, err := s.Store.Service(ctx, key)
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			return pool.Plan{}, false, err
		}
		before[key] = svc.Recipe.Digest
	}
	p, err := s.Engine.PlanApplicationUpdate(ctx, o)
	return p, true, err
}

// changes compares two stored recipes.
func (s *Server) changes(ctx context.Context, old, now string) ([]pool.Difference, error) {
	_, a, err := s.Store.Recipe(ctx, old)
	if err != nil {
		return nil, err
	}
	_, b, err := s.Store.Recipe(ctx, now)
	if err != nil {
		return nil, err
	}
	return s.Differences(a, b)
}

// meant returns the recipe that a request names.
func (s *Server) meant(ctx context.Context, r wire.DeployRequest) (pool.RecipeInfo, error) {
	if (r.Recipe == "") == (r.Digest == "") {
		return pool.RecipeInfo{}, fmt.Errorf("%w: name a recipe, or the digest of one that was uploaded", pool.ErrInvalid)
	}
	if r.Name != "" {
		if err := wire.CheckHostname("name", r.Name); err != nil {
			return pool.RecipeInfo{}, err
		}
	}
	return s.recipe(ctx, r.Recipe, r.Digest)
}

func deployOptions(ctx context.Context, r wire.DeployRequest, recipe pool.RecipeInfo) pool.DeployOptions {
	return pool.DeployOptions{Name: r.Name, Recipe: recipe, Template: r.Template,
		Image: r.Image, Instances: r.Instances, Plan: r.Plan, By: who(ctx).person()}
}

func (s *Server) applicationOptions(ctx context.Context, r wire.DeployRequest) (pool.ApplicationOptions, error) {
	recipe, err := s.meant(ctx, r)
	if err != nil {
		return pool.ApplicationOptions{}, err
	}
	o := pool.ApplicationOptions{Name: r.Name, Recipe: recipe, Image: r.Image, Plan: r.Plan, By: who(ctx).person()}
	switch {
	case len(recipe.Members) == 0:
		return o, fmt.Errorf("%w: recipe %s is a service, not an application", pool.ErrInvalid, recipe.Name)
	case r.Template != "" || r.Instances != 0:
		return o, fmt.Errorf("%w: application %s: templates and numbers of instances are set in its recipe", pool.ErrInvalid, recipe.Name)
	}
	for _, digest := range recipe.Members {
		m, _, err := s.Store.Recipe(ctx, digest)
		if err != nil {
			return o, err
		}
		o.Members = append(o.Members, m)
	}
	return o, nil
}

// applicationView shows an application with its services.
func (s *Server) applicationView(ctx context.Context, app pool.Application) (wire.Application, error) {
	v := wire.Application{Application: app, Members: []wire.Service{}}
	running := 0
	for _, key := range app.Services {
		svc, err := s.Store.Service(ctx, key)
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			return v, err
		}
		if svc.Phase == pool.ServiceRunning {
			running++
		}
		m, err := s.serviceView(ctx, svc, false)
		if err != nil {
			return v, err
		}
		v.Members = append(v.Members, m)
	}
	v.Sentence = pool.ApplicationSentence(app, len(app.Services), running)
	return v, nil
}
