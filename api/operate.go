package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

// maxInvokeWait is how long an answer waits for the end of a command.
const maxInvokeWait = 10 * time.Minute

type serviceScale struct {
	Name string `path:"name" maxLength:"128"`
	Body wire.ScaleRequest
}

type serviceCommand struct {
	Name    string `path:"name" maxLength:"128"`
	Command string `path:"command" maxLength:"200"`
	Body    wire.InvokeRequest
}

type serviceInvocation struct {
	Name string `path:"name" maxLength:"128"`
	ID   string `path:"id" maxLength:"128"`
	Wait int    `query:"wait" minimum:"0" maximum:"600" doc:"seconds to wait until it is done"`
}

// operateRoutes are what people do with a service that runs.
func (s *Server) operateRoutes(a huma.API) {
	const tag = "Services"
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/scale", "scale", "Set the number of instances of an elastic service", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *serviceScale) (wire.Service, error) {
			svc, err := s.Engine.Scale(ctx, in.Name, in.Body.Instances, in.Body.Wipe, who(ctx).person())
			if err != nil {
				return wire.Service{}, err
			}
			return s.serviceView(ctx, svc, true)
		})
	handle(s, a, endpoint{http.MethodGet, "/services/{name}/scaling", "scaling", "What the scaling rules make of the samples now, and the last decisions with their numbers", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) (wire.ScalingView, error) { return s.scaling(ctx, in.Name) })
	handle(s, a, endpoint{http.MethodPost, "/services/{name}/commands/{command}", "invoke", "Run a custom command on one instance or on all", tag, pool.Operator, http.StatusAccepted},
		func(ctx context.Context, in *serviceCommand) (pool.Invocation, error) {
			return s.invoke(ctx, in.Name, pool.InvokeOptions{Command: in.Command, Args: in.Body.Args, Instance: in.Body.Instance, Rolling: in.Body.Rolling,
				Timeout: time.Duration(in.Body.Timeout) * time.Second, By: who(ctx).person()}, time.Duration(in.Body.Wait)*time.Second)
		})
	handle(s, a, endpoint{http.MethodGet, "/services/{name}/invocations/{id}", "invocation", "How a custom command went, on each instance", tag, pool.Viewer, 0},
		func(ctx context.Context, in *serviceInvocation) (pool.Invocation, error) {
			return s.awaitInvocation(ctx, in.Name, in.ID, time.Duration(in.Wait)*time.Second)
		})
	handle(s, a, endpoint{http.MethodGet, "/services/{name}/readings", "readings", "Details and monitors of the instances that run, at most five seconds old", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) ([]pool.Readings, error) {
			return list(s.Engine.Readings(ctx, in.Name))
		})
	handle(s, a, endpoint{http.MethodGet, "/services/{name}/samples", "samples", "The samples of monitors that are kept, by instance ID and monitor", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) (map[string]map[string][]pool.Sample, error) {
			if _, err := s.Store.Service(ctx, in.Name); err != nil {
				return nil, err
			}
			return s.Engine.Samples(ctx, in.Name)
		})
}

// invoke runs a command and waits for its end, if only for wait.
func (s *Server) invoke(ctx context.Context, service string, o pool.InvokeOptions, wait time.Duration) (pool.Invocation, error) {
	inv, err := s.Engine.Invoke(ctx, service, o)
	if err != nil || wait <= 0 {
		return inv, err
	}
	return s.awaitInvocation(ctx, service, inv.ID, wait)
}

func (s *Server) awaitInvocation(ctx context.Context, service, id string, wait time.Duration) (pool.Invocation, error) {
	ctx, cancel := context.WithTimeout(ctx, min(wait, maxInvokeWait))
	defer cancel()
	return s.Engine.WaitInvocation(ctx, service, id)
}

// scaling is what is decided now, and what was.
func (s *Server) scaling(ctx context.Context, name string) (wire.ScalingView, error) {
	svc, err := s.Store.Service(ctx, name)
	if err != nil {
		return wire.ScalingView{}, err
	}
	out := wire.ScalingView{Service: name, Instances: svc.Instances, Min: max(svc.Recipe.Min, 1), Max: max(svc.Recipe.Max, svc.Recipe.Min, 1),
		Elastic: svc.Recipe.Elastic, Rules: svc.Recipe.Scaling}
	if out.Now, err = s.Engine.ExplainScaling(ctx, name); err != nil {
		return out, err
	}
	out.Decisions, err = list(s.Store.Decisions(ctx, name, 0))
	return out, err
}
