package client

import (
	"context"
	"net/http"

	"appliance/api/wire"
	"appliance/pool"
)

// Everywhere below, id is a machine's ID, name or MAC.

func machine(id, what string) string { return v1 + "machines/" + esc(id) + what }

// Machines is GET machines.
func (c *Client) Machines(ctx context.Context) ([]wire.Machine, error) {
	return read[[]wire.Machine](ctx, c, v1+"machines")
}

// Machine is GET machines/ID.
func (c *Client) Machine(ctx context.Context, id string) (wire.Machine, error) {
	return read[wire.Machine](ctx, c, machine(id, ""))
}

// Accept lets a discovered machine in.
func (c *Client) Accept(ctx context.Context, id string, r wire.AcceptRequest) (pool.Operation, error) {
	return ask[pool.Operation](ctx, c, http.MethodPost, machine(id, "/accept"), r)
}

// Power switches a machine.
func (c *Client) Power(ctx context.Context, id string, r wire.PowerRequest) (pool.Operation, error) {
	return ask[pool.Operation](ctx, c, http.MethodPost, machine(id, "/power"), r)
}

// Inspect takes the inventory again.
func (c *Client) Inspect(ctx context.Context, id string) (pool.Operation, error) {
	return ask[pool.Operation](ctx, c, http.MethodPost, machine(id, "/inspect"), nil)
}

// Wipe erases disks.
func (c *Client) Wipe(ctx context.Context, id string, r wire.WipeRequest) (pool.Operation, error) {
	return ask[pool.Operation](ctx, c, http.MethodPost, machine(id, "/wipe"), r)
}

// WriteImage writes an image to the machine's disk.
func (c *Client) WriteImage(ctx context.Context, id string, r wire.ImageRequest) (pool.Operation, error) {
	return ask[pool.Operation](ctx, c, http.MethodPost, machine(id, "/image"), r)
}

// Release gives a machine back to the pool, or lifts the protection of its disks.
func (c *Client) Release(ctx context.Context, id string, r wire.ReleaseRequest) (wire.Machine, error) {
	return ask[wire.Machine](ctx, c, http.MethodPost, machine(id, "/release"), r)
}

// Retire takes a machine out of the pool for good.
func (c *Client) Retire(ctx context.Context, id string) (pool.Operation, error) {
	return ask[pool.Operation](ctx, c, http.MethodPost, machine(id, "/retire"), nil)
}

// Retry does again what failed on a machine.
func (c *Client) Retry(ctx context.Context, id string) (wire.Machine, error) {
	return ask[wire.Machine](ctx, c, http.MethodPost, machine(id, "/retry"), nil)
}

// Cancel stops the machine's open operation at its next safe point.
func (c *Client) Cancel(ctx context.Context, id string) (wire.Machine, error) {
	return ask[wire.Machine](ctx, c, http.MethodPost, machine(id, "/cancel"), nil)
}

// Boot is the machine's boot timeline.
func (c *Client) Boot(ctx context.Context, id string) (wire.BootShow, error) {
	return read[wire.BootShow](ctx, c, machine(id, "/boot"))
}

// BootPaths is what was learned of how models boot.
func (c *Client) BootPaths(ctx context.Context) (wire.BootPaths, error) {
	return read[wire.BootPaths](ctx, c, v1+"boot/paths")
}

// PinBootPath makes a model boot one way; an empty NBP takes that back.
func (c *Client) PinBootPath(ctx context.Context, p wire.PinPath) (wire.BootPaths, error) {
	return ask[wire.BootPaths](ctx, c, http.MethodPost, v1+"boot/paths/pin", p)
}

// ImportBootPaths takes over what another appliance learned.
func (c *Client) ImportBootPaths(ctx context.Context, p wire.BootPaths) (wire.BootPaths, error) {
	return ask[wire.BootPaths](ctx, c, http.MethodPost, v1+"boot/paths", p)
}

// MachineLog is the machine's events; f.Machine is ignored.
func (c *Client) MachineLog(ctx context.Context, id string, f pool.EventFilter) ([]pool.Event, error) {
	f.Machine = ""
	return read[[]pool.Event](ctx, c, machine(id, "/log")+eventQuery(f))
}

// ConsoleLog is the machine's console; f names After, Limit and Last only.
func (c *Client) ConsoleLog(ctx context.Context, id string, f pool.LogFilter) ([]pool.LogLine, error) {
	return read[[]pool.LogLine](ctx, c, machine(id, "/console")+logQuery(f))
}

func logQuery(f pool.LogFilter) string {
	q := query{}
	q.number("after", f.After)
	q.number("limit", int64(f.Limit))
	q.flag("last", f.Last)
	q.set("instance", f.Instance)
	q.set("step", f.Step)
	return q.String()
}

// Services is GET services.
func (c *Client) Services(ctx context.Context) ([]wire.Service, error) {
	return read[[]wire.Service](ctx, c, v1+"services")
}

// Service is GET services/NAME.
func (c *Client) Service(ctx context.Context, name string) (wire.Service, error) {
	return read[wire.Service](ctx, c, v1+"services/"+esc(name))
}

// Deploy is POST services.
func (c *Client) Deploy(ctx context.Context, r wire.DeployRequest) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, v1+"services", r)
}

// Remove is DELETE services/NAME.
func (c *Client) Remove(ctx context.Context, name string, r wire.RemoveRequest) (wire.Service, error) {
	q := query{}
	q.set("wipe", r.Wipe)
	q.flag("abandon", r.Abandon)
	return ask[wire.Service](ctx, c, http.MethodDelete, v1+"services/"+esc(name)+q.String(), nil)
}

// RetryService does again what failed of a service.
func (c *Client) RetryService(ctx context.Context, name string) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, v1+"services/"+esc(name)+"/retry", nil)
}

// ServiceLogs is what the service's steps printed; f names After, Limit, Last, Instance and Step.
func (c *Client) ServiceLogs(ctx context.Context, name string, f pool.LogFilter) ([]pool.LogLine, error) {
	return read[[]pool.LogLine](ctx, c, v1+"services/"+esc(name)+"/logs"+logQuery(f))
}

// Attribute reveals an attribute of a service, a secret one too.
func (c *Client) Attribute(ctx context.Context, service, name string) (wire.AttributeValue, error) {
	return read[wire.AttributeValue](ctx, c, v1+"services/"+esc(service)+"/attributes/"+esc(name))
}
