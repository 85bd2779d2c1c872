package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// Hello introduces an agent. A pool.ErrConflict says that the protocols differ.
func (c *Client) Hello(ctx context.Context, h wire.Hello) (wire.Welcome, error) {
	return ask[wire.Welcome](ctx, c, http.MethodPost, wire.PathHello, h)
}

// NextTask waits up to wait for a task (the appliance allows 30 s); nil when there was none.
func (c *Client) NextTask(ctx context.Context, wait time.Duration, bootID string, mode pool.AgentMode) (*wire.Assignment, error) {
	q := query{}
	q.set("wait", strconv.FormatInt(int64(wait/time.Second), 10)) // 0, too
	q.set("boot", bootID)
	q.set("mode", string(mode))
	var a wire.Assignment
	got, err := c.callFor(ctx, c.timeout+wait, http.MethodGet, wire.PathTask+q.String(), nil, &a)
	if err != nil || !got {
		return nil, err
	}
	return &a, nil
}

// TaskProgress reports how far a task is. pool.ErrNotFound: stop it.
func (c *Client) TaskProgress(ctx context.Context, r wire.Report) error {
	return c.tell(ctx, http.MethodPost, wire.PathProgress, r)
}

// TaskResult reports how a task ended. pool.ErrNotFound: nobody wants to know any more.
func (c *Client) TaskResult(ctx context.Context, o wire.Outcome) error {
	return c.tell(ctx, http.MethodPost, wire.PathResult, o)
}

// TaskOutput hands on lines that a task printed. pool.ErrNotFound: stop it.
func (c *Client) TaskOutput(ctx context.Context, o wire.Output) error {
	return c.tell(ctx, http.MethodPost, wire.PathOutput, o)
}

// Console hands on what the machine's console shows.
func (c *Client) Console(ctx context.Context, o wire.Console) error {
	return c.tell(ctx, http.MethodPost, wire.PathConsole, o)
}

// AgentAttribute returns an attribute's value.
func (c *Client) AgentAttribute(ctx context.Context, scope, name string) (wire.AttributeValue, error) {
	return read[wire.AttributeValue](ctx, c, attrPath(scope, name))
}

// AgentAttributes returns all attributes of a scope.
func (c *Client) AgentAttributes(ctx context.Context, scope string) ([]wire.AttributeValue, error) {
	return read[[]wire.AttributeValue](ctx, c, attrPath(scope, ""))
}

// SetAgentAttribute stores an attribute.
func (c *Client) SetAgentAttribute(ctx context.Context, a wire.AttributeValue) error {
	return c.tell(ctx, http.MethodPut, wire.PathAttr, a)
}

// DeleteAgentAttribute removes an attribute.
func (c *Client) DeleteAgentAttribute(ctx context.Context, scope, name string) error {
	return c.tell(ctx, http.MethodDelete, attrPath(scope, name), nil)
}

func attrPath(scope, name string) string {
	q := query{}
	q.set("scope", scope)
	q.set("name", name)
	return wire.PathAttr + q.String()
}

// RecipeArchive returns a recipe's tar.gz. The caller checks its digest and closes it.
func (c *Client) RecipeArchive(ctx context.Context, digest string) (io.ReadCloser, error) {
	return c.fetch(ctx, wire.PathRecipe+esc(digest), nil)
}

// ImageManifest returns an image with its frames.
func (c *Client) ImageManifest(ctx context.Context, name string) (pool.Image, error) {
	return read[pool.Image](ctx, c, wire.PathImage+esc(name)+"/manifest")
}

// ImageFrames returns length bytes of an image's stored file from offset on
// (length < 0: all the rest). The caller closes it; ctx bounds the reading.
func (c *Client) ImageFrames(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	span := "bytes=" + strconv.FormatInt(offset, 10) + "-"
	if length > 0 {
		span += strconv.FormatInt(offset+length-1, 10)
	}
	return c.fetch(ctx, wire.PathImage+esc(name)+"/frames", http.Header{"Range": {span}})
}

// Identity asks for the identity of the system that is being installed.
func (c *Client) Identity(ctx context.Context, r wire.IdentityRequest) (wire.Identity, error) {
	return ask[wire.Identity](ctx, c, http.MethodPost, wire.PathIdentity, r)
}

// Bye says that the agent ends on purpose.
func (c *Client) Bye(ctx context.Context, bootID string) error {
	q := query{}
	q.set("boot", bootID)
	return c.tell(ctx, http.MethodPost, wire.PathBye+q.String(), nil)
}

// Watched tells what became of an instance that the agent watches.
func (c *Client) Watched(ctx context.Context, r pool.WatchReport) error {
	return c.tell(ctx, http.MethodPost, wire.PathWatch, r)
}

// fetch is a GET whose answer is streamed: only ctx bounds it.
func (c *Client) fetch(ctx context.Context, path string, header http.Header) (io.ReadCloser, error) {
	res, err := c.send(ctx, http.MethodGet, path, header, nil)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// upload streams body; only ctx bounds it.
func upload[T any](ctx context.Context, c *Client, method, path, kind string, body io.Reader, size int64) (v T, err error) {
	header := http.Header{"Content-Type": {kind}, "Accept": {"application/json"}}
	if size >= 0 {
		header.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	res, err := c.send(ctx, method, path, header, io.NopCloser(body)) //nolint:bodyclose // decode closes it
	if err != nil {
		return v, err
	}
	err = decode(res.Body, &v)
	if err != nil {
		err = fmt.Errorf("decode answer of %s %s: %w", method, path, err)
	}
	return v, err
}

// Peer looks at a service of the agent's application, and waits up to wait (the
// appliance allows 30 s) until it has n instances; nil when there is no such service.
func (c *Client) Peer(ctx context.Context, name string, n int, wait time.Duration) (*pool.Peer, error) {
	q := query{}
	q.set("name", name)
	q.set("instances", strconv.Itoa(n))
	q.set("wait", strconv.Itoa(int(wait/time.Second)))
	var p pool.Peer
	got, err := c.callFor(ctx, c.timeout+wait, http.MethodGet, wire.PathPeer+q.String(), nil, &p)
	if err != nil || !got {
		return nil, err
	}
	return &p, nil
}

// InvokePeer runs a custom command of a service of the agent's application.
func (c *Client) InvokePeer(ctx context.Context, call wire.InvokeCall) (pool.Invocation, error) {
	var v pool.Invocation
	_, err := c.callFor(ctx, c.timeout+2*time.Minute, http.MethodPost, wire.PathInvoke, call, &v)
	return v, err
}

// PeerReadings are the details and monitors of an instance of the agent's application.
func (c *Client) PeerReadings(ctx context.Context, service string, instance int) (pool.Readings, error) {
	q := query{}
	q.set("service", service)
	q.set("instance", strconv.Itoa(instance))
	return read[pool.Readings](ctx, c, wire.PathReadings+q.String())
}

// SendReadings answers a look.
func (c *Client) SendReadings(ctx context.Context, r pool.Readings) error {
	return c.tell(ctx, http.MethodPost, wire.PathReadings, r)
}
