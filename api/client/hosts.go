package client

import (
	"context"
	"net/http"

	"appliance/api/wire"
)

// Hosts is GET hosts.
func (c *Client) Hosts(ctx context.Context) ([]wire.Host, error) {
	return read[[]wire.Host](ctx, c, v1+"hosts")
}

// Host is GET hosts/ID.
func (c *Client) Host(ctx context.Context, id string) (wire.Host, error) {
	return read[wire.Host](ctx, c, v1+"hosts/"+esc(id))
}

// AddHosts brings hosts that already run into the pool.
func (c *Client) AddHosts(ctx context.Context, r wire.HostsRequest) ([]wire.Host, error) {
	return ask[[]wire.Host](ctx, c, http.MethodPost, v1+"hosts", r)
}

// RemoveHost takes a host out of the pool.
func (c *Client) RemoveHost(ctx context.Context, id string) (wire.Host, error) {
	return ask[wire.Host](ctx, c, http.MethodDelete, v1+"hosts/"+esc(id), nil)
}
