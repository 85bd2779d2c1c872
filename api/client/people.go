package client

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"appliance/api/wire"
	"appliance/pool"
)

const v1 = "/api/v1/"

// Health returns nil when the appliance answers and can read its database.
func (c *Client) Health(ctx context.Context) error {
	return c.tell(ctx, http.MethodGet, "/healthz", nil)
}

// Overview is GET overview.
func (c *Client) Overview(ctx context.Context) (wire.Overview, error) {
	return read[wire.Overview](ctx, c, v1+"overview")
}

// Version is GET version.
func (c *Client) Version(ctx context.Context) (wire.Version, error) {
	return read[wire.Version](ctx, c, v1+"version")
}

// Subnets is GET subnets.
func (c *Client) Subnets(ctx context.Context) ([]wire.SubnetView, error) {
	return read[[]wire.SubnetView](ctx, c, v1+"subnets")
}

// Leases is GET leases.
func (c *Client) Leases(ctx context.Context) ([]wire.LeaseView, error) {
	return read[[]wire.LeaseView](ctx, c, v1+"leases")
}

// ReleaseLease is DELETE leases/ADDRESS.
func (c *Client) ReleaseLease(ctx context.Context, addr netip.Addr) error {
	return c.tell(ctx, http.MethodDelete, v1+"leases/"+esc(addr.String()), nil)
}

// Reservations is GET reservations.
func (c *Client) Reservations(ctx context.Context) ([]pool.Reservation, error) {
	return read[[]pool.Reservation](ctx, c, v1+"reservations")
}

// Reserve is PUT reservations.
func (c *Client) Reserve(ctx context.Context, r pool.Reservation) error {
	return c.tell(ctx, http.MethodPut, v1+"reservations", r)
}

// Unreserve is DELETE reservations.
func (c *Client) Unreserve(ctx context.Context, key string) error {
	q := query{}
	q.set("key", key)
	return c.tell(ctx, http.MethodDelete, v1+"reservations"+q.String(), nil)
}

// ReloadConfig is POST config/reload.
func (c *Client) ReloadConfig(ctx context.Context) error {
	return c.tell(ctx, http.MethodPost, v1+"config/reload", nil)
}

// Events is GET events.
func (c *Client) Events(ctx context.Context, f pool.EventFilter) ([]pool.Event, error) {
	return read[[]pool.Event](ctx, c, v1+"events"+eventQuery(f))
}

func eventQuery(f pool.EventFilter) string {
	q := query{}
	q.set("machine", f.Machine)
	q.set("service", f.Service)
	q.set("instance", f.Instance)
	q.set("type", f.Type)
	q.set("severity", string(f.Severity))
	q.number("after", f.After)
	q.number("limit", int64(f.Limit))
	q.flag("last", f.Last)
	return q.String()
}

// query builds the part of a URL after the question mark; what is zero stays out.
type query url.Values

func (q query) set(k, v string) {
	if v != "" {
		url.Values(q).Set(k, v)
	}
}

func (q query) number(k string, v int64) {
	if v != 0 {
		q.set(k, strconv.FormatInt(v, 10))
	}
}

func (q query) flag(k string, v bool) {
	if v {
		q.set(k, "true")
	}
}

func (q query) String() string {
	if len(q) == 0 {
		return ""
	}
	return "?" + url.Values(q).Encode()
}

// Recipes is GET recipes.
func (c *Client) Recipes(ctx context.Context) ([]pool.RecipeInfo, error) {
	return read[[]pool.RecipeInfo](ctx, c, v1+"recipes")
}

// Recipe is GET recipes/NAME.
func (c *Client) Recipe(ctx context.Context, name string) (pool.RecipeInfo, error) {
	return read[pool.RecipeInfo](ctx, c, v1+"recipes/"+esc(name))
}

// UploadRecipe is POST recipes: archive is a tar.gz of the recipe's folder.
func (c *Client) UploadRecipe(ctx context.Context, archive io.Reader) (pool.RecipeInfo, error) {
	return upload[pool.RecipeInfo](ctx, c, http.MethodPost, v1+"recipes", "application/gzip", archive, -1)
}

// Templates is GET templates.
func (c *Client) Templates(ctx context.Context) ([]pool.Template, error) {
	return read[[]pool.Template](ctx, c, v1+"templates")
}

// Template is GET templates/NAME.
func (c *Client) Template(ctx context.Context, name string) (pool.Template, error) {
	return read[pool.Template](ctx, c, v1+"templates/"+esc(name))
}

// PutTemplate is PUT templates/NAME.
func (c *Client) PutTemplate(ctx context.Context, t pool.Template) (pool.Template, error) {
	return ask[pool.Template](ctx, c, http.MethodPut, v1+"templates/"+esc(t.Name), t)
}

// Images is GET images.
func (c *Client) Images(ctx context.Context) ([]pool.Image, error) {
	return read[[]pool.Image](ctx, c, v1+"images")
}

// UploadImage is PUT images/NAME: raw is the disk as it is. A size of -1 means unknown.
func (c *Client) UploadImage(ctx context.Context, name string, raw io.Reader, size int64) (pool.Image, error) {
	return upload[pool.Image](ctx, c, http.MethodPut, v1+"images/"+esc(name), "application/octet-stream", raw, size)
}

// DeleteImage is DELETE images/NAME.
func (c *Client) DeleteImage(ctx context.Context, name string) error {
	return c.tell(ctx, http.MethodDelete, v1+"images/"+esc(name), nil)
}

// Session is GET session: who calls.
func (c *Client) Session(ctx context.Context) (wire.Session, error) {
	return read[wire.Session](ctx, c, v1+"session")
}

// Tokens is GET tokens.
func (c *Client) Tokens(ctx context.Context) ([]pool.APIToken, error) {
	return read[[]pool.APIToken](ctx, c, v1+"tokens")
}

// CreateToken is POST tokens: the only time that the token's text is told.
func (c *Client) CreateToken(ctx context.Context, t wire.TokenRequest) (wire.Token, error) {
	return ask[wire.Token](ctx, c, http.MethodPost, v1+"tokens", t)
}

// DeleteToken is DELETE tokens/NAME.
func (c *Client) DeleteToken(ctx context.Context, name string) error {
	return c.tell(ctx, http.MethodDelete, v1+"tokens/"+esc(name), nil)
}
