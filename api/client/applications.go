package client

import (
	"context"
	"net/http"

	"appliance/api/wire"
	"appliance/pool"
)

// Applications is GET applications.
func (c *Client) Applications(ctx context.Context) ([]wire.Application, error) {
	return read[[]wire.Application](ctx, c, v1+"applications")
}

// Application is GET applications/NAME.
func (c *Client) Application(ctx context.Context, name string) (wire.Application, error) {
	return read[wire.Application](ctx, c, v1+"applications/"+esc(name))
}

// DeployApplication is POST applications.
func (c *Client) DeployApplication(ctx context.Context, r wire.DeployRequest) (wire.Application, error) {
	return ask[wire.Application](ctx, c, http.MethodPost, v1+"applications", r)
}

// RemoveApplication is DELETE applications/NAME.
func (c *Client) RemoveApplication(ctx context.Context, name string, r wire.RemoveRequest) (wire.Application, error) {
	q := query{}
	q.set("wipe", r.Wipe)
	q.flag("abandon", r.Abandon)
	return ask[wire.Application](ctx, c, http.MethodDelete, v1+"applications/"+esc(name)+q.String(), nil)
}

// Plan is POST plans: what a deployment would do.
func (c *Client) Plan(ctx context.Context, r wire.DeployRequest) (pool.Plan, error) {
	return ask[pool.Plan](ctx, c, http.MethodPost, v1+"plans", r)
}

// UpdateService is POST services/NAME/update.
func (c *Client) UpdateService(ctx context.Context, name string, r wire.UpdateRequest) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, v1+"services/"+esc(name)+"/update", r)
}

// SteerRollout promotes, pauses, resumes or undoes the update of a service.
func (c *Client) SteerRollout(ctx context.Context, name, action string) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, v1+"services/"+esc(name)+"/rollout", wire.SteerRequest{Action: action})
}

// Revisions is GET services/NAME/revisions.
func (c *Client) Revisions(ctx context.Context, name string) ([]pool.Revision, error) {
	return read[[]pool.Revision](ctx, c, v1+"services/"+esc(name)+"/revisions")
}

// UpdateApplication is POST applications/NAME/update.
func (c *Client) UpdateApplication(ctx context.Context, name string, r wire.ApplicationUpdateRequest) (wire.Application, error) {
	return ask[wire.Application](ctx, c, http.MethodPost, v1+"applications/"+esc(name)+"/update", r)
}

// UndoApplication takes an update that is under way back.
func (c *Client) UndoApplication(ctx context.Context, name string) (wire.Application, error) {
	return ask[wire.Application](ctx, c, http.MethodPost, v1+"applications/"+esc(name)+"/undo", nil)
}

// MaintainApplication begins maintenance of all services of an application.
func (c *Client) MaintainApplication(ctx context.Context, name string, r wire.MaintenanceRequest) (pool.Maintenance, error) {
	return ask[pool.Maintenance](ctx, c, http.MethodPost, v1+"applications/"+esc(name)+"/maintenance", r)
}

// EndApplicationMaintenance ends it.
func (c *Client) EndApplicationMaintenance(ctx context.Context, name string) (wire.Application, error) {
	return ask[wire.Application](ctx, c, http.MethodDelete, v1+"applications/"+esc(name)+"/maintenance", nil)
}
