package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

type serviceLines struct {
	Name string `path:"name" maxLength:"128"`
	LogQuery
}

type serviceRemoval struct {
	Name    string `path:"name" maxLength:"128"`
	Wipe    string `query:"wipe" maxLength:"128" doc:"the service's name: its disks are erased, too"`
	Abandon bool   `query:"abandon" doc:"nothing is stopped: the machines are given up, dirty, protected and on hold"`
}

type serviceAttribute struct {
	Name string `path:"name" maxLength:"128"`
	Attr string `path:"attr" maxLength:"256"`
}

func (s *Server) serviceRoutes(a huma.API) {
	const tag = "Services"
	handle(s, a, endpoint{http.MethodGet, "/services", "services", "List services", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]wire.Service, error) {
			all, err := s.Store.Services(ctx)
			out := make([]wire.Service, 0, len(all))
			for _, svc := range all {
				v, verr := s.serviceView(ctx, svc, false)
				if verr != nil {
					return nil, verr
				}
				out = append(out, v)
			}
			return out, err
		})
	handle(s, a, endpoint{http.MethodGet, "/services/{name}", "service", "One service, its instances and their steps", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) (wire.Service, error) { return s.service(ctx, in.Name) })
	handle(s, a, endpoint{http.MethodPost, "/services", "deploy", "Deploy a recipe", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *struct{ Body wire.DeployRequest }) (wire.Service, error) {
			return s.deploy(ctx, in.Body)
		})
	handle(s, a, endpoint{http.MethodDelete, "/services/{name}", "remove", "Remove a service; its disks stay protected unless wipe names it", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *serviceRemoval) (wire.Service, error) {
			return s.remove(ctx, in.Name, in.Wipe, in.Abandon)
		})
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/retry", "retryService", "Do again what failed", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *named) (wire.Service, error) {
			if _, err := s.Store.Service(ctx, in.Name); err != nil {
				return wire.Service{}, err
			}
			if err := s.Engine.Retry(ctx, in.Name, who(ctx).person()); err != nil {
				return wire.Service{}, err
			}
			return s.service(ctx, in.Name)
		})
	handle(s, a, endpoint{http.MethodGet, "/services/{name}/logs", "serviceLogs", "What the service's steps printed", tag, pool.Viewer, 0},
		func(ctx context.Context, in *serviceLines) ([]pool.LogLine, error) {
			if _, err := s.Store.Service(ctx, in.Name); err != nil {
				return nil, err
			}
			return list(s.Store.Logs(ctx, pool.LogFilter{Service: in.Name, After: in.After, Limit: in.Limit, Last: in.Last, Instance: in.Instance, Step: in.Step}))
		})
	handle(s, a, endpoint{http.MethodGet, "/services/{name}/attributes/{attr}", "attribute", "Reveal an attribute, a secret one too; this is recorded", tag, pool.Operator, 0},
		func(ctx context.Context, in *serviceAttribute) (wire.AttributeValue, error) {
			return s.revealIn(ctx, "service:"+in.Name, in.Name, in.Attr)
		})
}

func (s *Server) service(ctx context.Context, name string) (wire.Service, error) {
	svc, err := s.Store.Service(ctx, name)
	if err != nil {
		return wire.Service{}, err
	}
	return s.serviceView(ctx, svc, true)
}

// deploy finds the recipe that is meant and hands the rest to the engine.
func (s *Server) deploy(ctx context.Context, r wire.DeployRequest) (wire.Service, error) {
	recipe, err := s.meant(ctx, r)
	if err != nil {
		return wire.Service{}, err
	}
	svc, err := s.Engine.Deploy(ctx, deployOptions(ctx, r, recipe))
	if err != nil {
		return wire.Service{}, err
	}
	return s.serviceView(ctx, svc, true)
}

// recipe returns a recipe by its digest, or by its name: the shipped one, or
// the only other one.
func (s *Server) recipe(ctx context.Context, name, digest string) (pool.RecipeInfo, error) {
	if digest != "" {
		r, _, err := s.Store.Recipe(ctx, digest)
		if errors.Is(err, pool.ErrNotFound) {
			return r, fmt.Errorf("%w: recipe %s was not uploaded", pool.ErrNotFound, digest)
		}
		return r, err
	}
	all, err := s.Store.Recipes(ctx)
	if err != nil {
		return pool.RecipeInfo{}, err
	}
	var found, names = []pool.RecipeInfo{}, []string{}
	for _, r := range all {
		if r.Name == name && r.Shipped {
			return r, nil
		}
		if r.Name == name {
			found = append(found, r)
		}
		names = append(names, r.Name)
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return pool.RecipeInfo{}, fmt.Errorf("%w: %d recipes are called %s: name one by its digest", pool.ErrConflict, len(found), name)
	}
	near := pool.Near(name, names)
	if len(near) == 0 {
		return pool.RecipeInfo{}, fmt.Errorf("%w: recipe %s", pool.ErrNotFound, name)
	}
	return pool.RecipeInfo{}, fmt.Errorf("%w: recipe %s; is it %s?", pool.ErrNotFound, name, strings.Join(near, ", "))
}

func (s *Server) remove(ctx context.Context, name, wipe string, abandon bool) (wire.Service, error) {
	if _, err := s.Store.Service(ctx, name); err != nil {
		return wire.Service{}, err
	}
	if wipe != "" && wipe != name {
		return wire.Service{}, fmt.Errorf("%w: this erases the disks of service %s: confirm with its name", pool.ErrInvalid, name)
	}
	if abandon && wipe != "" {
		return wire.Service{}, fmt.Errorf("%w: what is abandoned is not wiped: release the machines one by one", pool.ErrInvalid)
	}
	end := func() (pool.Service, error) { return s.Engine.Remove(ctx, name, wipe != "", who(ctx).person()) }
	if abandon {
		end = func() (pool.Service, error) { return s.Engine.Abandon(ctx, name, who(ctx).person()) }
	}
	svc, err := end()
	if err != nil {
		return wire.Service{}, err
	}
	return s.serviceView(ctx, svc, true)
}
