package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

type updateInput struct {
	Name string `path:"name" maxLength:"128"`
	Body wire.UpdateRequest
}

type steerInput struct {
	Name string `path:"name" maxLength:"128"`
	Body wire.SteerRequest
}

// rolloutRoutes change services without a gap.
func (s *Server) rolloutRoutes(a huma.API) {
	const tag = "Services"
	handle(s, a, endpoint{http.MethodGet, "/services/{name}/revisions", "revisions", "What a service was made of, oldest first", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) ([]pool.Revision, error) {
			if _, err := s.Store.Service(ctx, in.Name); err != nil {
				return nil, err
			}
			return list(s.Store.Revisions(ctx, in.Name))
		})
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/update", "updateService", "Take a service to another recipe or revision, batch by batch", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *updateInput) (wire.Service, error) {
			return s.update(ctx, in.Name, in.Body)
		})
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/rollout", "steerRollout", "Promote, pause, resume or undo the update of a service", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *steerInput) (wire.Service, error) {
			svc, err := s.Engine.Steer(ctx, in.Name, in.Body.Action, who(ctx).person())
			if err != nil {
				return wire.Service{}, err
			}
			return s.serviceView(ctx, svc, true)
		})
}

func (s *Server) update(ctx context.Context, name string, r wire.UpdateRequest) (wire.Service, error) {
	o := pool.UpdateOptions{To: r.ToRevision, Canary: r.Canary, Auto: r.Auto, Batch: r.Batch, Extra: r.Extra,
		Health: time.Duration(r.Health) * time.Second, By: who(ctx).person(), Template: r.Template, Image: r.Image, WithoutData: r.WithoutData, Plan: r.Plan}
	same := r.Recipe == "" && r.Digest == "" // as it is, on another image or template
	if same == (r.ToRevision == 0) && !(same && r.Template+r.Image != "") {
		return wire.Service{}, fmt.Errorf("%w: name a recipe, the digest of one that was uploaded, or a revision", pool.ErrInvalid)
	}
	switch {
	case r.ToRevision != 0:
		if r.Template+r.Image != "" {
			return wire.Service{}, fmt.Errorf("%w: a revision has its own template and image", pool.ErrInvalid)
		}
	case same:
		svc, err := s.Store.Service(ctx, name)
		if err != nil {
			return wire.Service{}, err
		}
		o.Recipe = svc.Recipe
	default:
		recipe, err := s.meant(ctx, wire.DeployRequest{Recipe: r.Recipe, Digest: r.Digest})
		if err != nil {
			return wire.Service{}, err
		}
		o.Recipe = recipe
	}
	svc, err := s.Engine.Update(ctx, name, o)
	if err != nil {
		return wire.Service{}, err
	}
	return s.serviceView(ctx, svc, true)
}
