package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// maxMessage bounds one message of the stream.
const maxMessage = 4 << 20

// silence ends a stream on which not even the heartbeat comes (every 15 s).
const silence = 45 * time.Second

// Stream calls got with each message of the event stream: stored events with
// a Seq above after (after < 0: only new ones), and what else goes by. It
// returns when got returns an error, with that error, when ctx ended, with
// its error, or with one that wraps pool.ErrUnavailable when the stream
// broke: call it again with the last Seq seen.
func (c *Client) Stream(ctx context.Context, after int64, got func(wire.StreamMessage) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	header := http.Header{"Accept": {"text/event-stream"}}
	if after >= 0 {
		header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	quiet := fmt.Errorf("%w: event stream is silent for %s", pool.ErrUnavailable, silence)
	watch := time.AfterFunc(silence, func() { cancel(quiet) })
	defer watch.Stop()
	res, err := c.send(ctx, http.MethodGet, v1+"stream", header, nil)
	if err != nil {
		return ended(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read, or is given up
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 64<<10), maxMessage)
	var data strings.Builder
	for lines.Scan() {
		watch.Reset(silence)
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "data:"); ok {
			data.WriteString(strings.TrimPrefix(rest, " "))
			continue
		}
		if line != "" || data.Len() == 0 {
			continue
		}
		var m wire.StreamMessage
		if err := json.Unmarshal([]byte(data.String()), &m); err != nil {
			return fmt.Errorf("decode event stream: %w", err)
		}
		data.Reset()
		if err := got(m); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return ended(ctx, fmt.Errorf("%w: event stream: %w", pool.ErrUnavailable, err))
	}
	return ended(ctx, fmt.Errorf("%w: event stream ended", pool.ErrUnavailable))
}

// ended prefers why ctx ended to what followed from it.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// WaitMachine returns the machine once ok says so, or ok's error. It looks twice a second.
func (c *Client) WaitMachine(ctx context.Context, id string, ok func(wire.Machine) (bool, error)) (wire.Machine, error) {
	return wait(ctx, func() (wire.Machine, error) { return c.Machine(ctx, id) }, ok)
}

// WaitService returns the service once ok says so, or ok's error.
func (c *Client) WaitService(ctx context.Context, name string, ok func(wire.Service) (bool, error)) (wire.Service, error) {
	return wait(ctx, func() (wire.Service, error) { return c.Service(ctx, name) }, ok)
}

// WaitApplication reads an application until ok says so or fails.
func (c *Client) WaitApplication(ctx context.Context, name string, ok func(wire.Application) (bool, error)) (wire.Application, error) {
	return wait(ctx, func() (wire.Application, error) { return c.Application(ctx, name) }, ok)
}

// wait reads every half second; an appliance that restarts is waited for.
func wait[T any](ctx context.Context, look func() (T, error), ok func(T) (bool, error)) (T, error) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := look()
		if err == nil {
			done, err := ok(v)
			if done || err != nil {
				return v, err
			}
		} else if !errors.Is(err, pool.ErrUnavailable) {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-tick.C:
		}
	}
}

// decode reads one JSON value and closes r.
func decode(r io.ReadCloser, v any) error {
	return errors.Join(json.NewDecoder(r).Decode(v), r.Close())
}
