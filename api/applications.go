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
			app, err := s.Engine.RemoveApplication(ctx, in.Name, in.Wipe != "", who(ctx).person())
			if err != nil {
				return wire.Application{}, err
			}
			return s.applicationView(ctx, app)
		})
	handle(s, a, endpoint{http.MethodPost, "/plans", "plan", "Say what a deployment would do: machines, why these, steps, expected time", tag, pool.Viewer, 0},
		func(ctx context.Context, in *struct{ Body wire.DeployRequest }) (pool.Plan, error) {
			return s.plan(ctx, in.Body)
		})
}

// plan answers for services and applications alike.
func (s *Server) plan(ctx context.Context, r wire.DeployRequest) (pool.Plan, error) {
	recipe, err := s.meant(ctx, r)
	if err != nil {
		return pool.Plan{}, err
	}
	if p, ok, err := s.planUpdate(ctx, r, recipe); ok || err != nil {
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

// planUpdate answers for a service that is there and made of another version
// of the recipe: what differs, on which machines.
func (s *Server) planUpdate(ctx context.Context, r wire.DeployRequest, recipe pool.RecipeInfo) (pool.Plan, bool, error) {
	name := r.Name
	if name == "" {
		name = strings.ToLower(recipe.Name)
	}
	svc, err := s.Store.Service(ctx, name)
	if err != nil || svc.Phase != pool.ServiceRunning || svc.Recipe.Name != recipe.Name {
		if errors.Is(err, pool.ErrNotFound) {
			err = nil
		}
		return pool.Plan{}, false, err
	}
	sp := pool.ServicePlan{Service: name, Action: pool.PlanUpdate, Recipe: recipe.Name, Digest: recipe.Digest, Template: svc.Template,
		Image: svc.Image, From: svc.Revision}
	if svc.Recipe.Digest == recipe.Digest {
		sp.Action = pool.PlanNone
	} else if s.Differences != nil {
		_, old, err := s.Store.Recipe(ctx, svc.Recipe.Digest)
		if err != nil {
			return pool.Plan{}, false, err
		}
		_, now, err := s.Store.Recipe(ctx, recipe.Digest)
		if err != nil {
			return pool.Plan{}, false, err
		}
		if sp.Changes, err = s.Differences(old, now); err != nil {
			return pool.Plan{}, false, err
		}
	}
	view, err := s.serviceView(ctx, svc, false)
	for _, in := range view.Running {
		sp.Instances = append(sp.Instances, pool.InstancePlan{Number: in.Number, Machine: in.Machine, Name: in.MachineName,
			Why: "it runs there, and is changed in place", Steps: []pool.StepPlan{}})
	}
	return pool.Plan{At: time.Now().UTC(), Services: []pool.ServicePlan{sp}}, true, err
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
