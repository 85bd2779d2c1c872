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
		Health: time.Duration(r.Health) * time.Second, By: who(ctx).person()}
	if (r.Recipe == "" && r.Digest == "") == (r.ToRevision == 0) {
		return wire.Service{}, fmt.Errorf("%w: name a recipe, the digest of one that was uploaded, or a revision", pool.ErrInvalid)
	}
	if r.ToRevision == 0 {
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
