package client

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

func service(name, below string) string { return v1 + "services/" + esc(name) + below }

// Scale sets the number of instances of a service.
func (c *Client) Scale(ctx context.Context, name string, r wire.ScaleRequest) (wire.Service, error) {
	return ask[wire.Service](ctx, c, http.MethodPost, service(name, "/scale"), r)
}

// Scaling explains how a service scales, and why it did.
func (c *Client) Scaling(ctx context.Context, name string) (wire.ScalingView, error) {
	return read[wire.ScalingView](ctx, c, service(name, "/scaling"))
}

// Invoke runs a custom command; with r.Wait the answer comes when it is done,
// or after that time.
func (c *Client) Invoke(ctx context.Context, name, command string, r wire.InvokeRequest) (pool.Invocation, error) {
	var v pool.Invocation
	_, err := c.callFor(ctx, c.timeout+time.Duration(r.Wait)*time.Second, http.MethodPost, service(name, "/commands/"+esc(command)), r, &v)
	return v, err
}

// Invocation tells how a command went, after waiting up to wait for its end.
func (c *Client) Invocation(ctx context.Context, name, id string, wait time.Duration) (pool.Invocation, error) {
	q := query{}
	q.set("wait", strconv.Itoa(int(wait/time.Second)))
	var v pool.Invocation
	_, err := c.callFor(ctx, c.timeout+wait, http.MethodGet, service(name, "/invocations/"+esc(id))+q.String(), nil, &v)
	return v, err
}

// Readings are the details and monitors of a service's instances.
func (c *Client) Readings(ctx context.Context, name string) ([]pool.Readings, error) {
	return read[[]pool.Readings](ctx, c, service(name, "/readings"))
}

// Samples are the kept samples of monitors, by instance ID and monitor.
func (c *Client) Samples(ctx context.Context, name string) (map[string]map[string][]pool.Sample, error) {
	return read[map[string]map[string][]pool.Sample](ctx, c, service(name, "/samples"))
}

func attribute(scope, name string, rev int64) string {
	q := query{}
	q.set("scope", scope)
	q.number("rev", rev)
	path := v1 + "attributes"
	if name != "" {
		path += "/" + esc(name)
	}
	return path + q.String()
}

// Attributes lists the attributes of a scope, or all; secret ones without value.
func (c *Client) Attributes(ctx context.Context, scope string) ([]pool.Attribute, error) {
	return read[[]pool.Attribute](ctx, c, attribute(scope, "", 0))
}

// GetAttribute returns an attribute with its value, a secret one too.
func (c *Client) GetAttribute(ctx context.Context, scope, name string) (wire.AttributeValue, error) {
	return read[wire.AttributeValue](ctx, c, attribute(scope, name, 0))
}

// SetAttribute sets an attribute. pool.ErrConflict: r.Rev is not its revision.
func (c *Client) SetAttribute(ctx context.Context, scope, name string, r wire.AttributeRequest) (pool.Attribute, error) {
	return ask[pool.Attribute](ctx, c, http.MethodPut, attribute(scope, name, 0), r)
}

// RemoveAttribute removes an attribute, with rev only if it is at that revision.
func (c *Client) RemoveAttribute(ctx context.Context, scope, name string, rev int64) error {
	return c.tell(ctx, http.MethodDelete, attribute(scope, name, rev), nil)
}
