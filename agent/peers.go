package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// longWait is how long one request to the appliance waits at most; what waits
// longer asks again.
const longWait = 25 * time.Second

// Service implements recipes.Host.
func (h *recipeHost) Service(ctx context.Context, name string, n int, wait time.Duration) (recipes.Service, bool, error) {
	if err := h.lifecycle.connect(); err != nil {
		return recipes.Service{}, false, err
	}
	end := time.Now().Add(wait)
	for {
		now := max(min(time.Until(end), longWait), 0)
		q := url.Values{"name": {name}, "instances": {strconv.Itoa(n)}, "wait": {strconv.Itoa(int(now.Round(time.Second) / time.Second))}}
		var p pool.Peer
		found, err := h.lifecycle.client.Do(ctx, "GET", wire.PathPeer+"?"+q.Encode(), nil, &p)
		if err != nil && !(errors.Is(err, pool.ErrUnavailable) && ctx.Err() == nil && time.Until(end) > time.Second) {
			return recipes.Service{}, false, err
		}
		if err == nil && found && len(p.Instances) >= n || !time.Now().Add(time.Second).Before(end) {
			return seen(p), found, err
		}
		if err != nil {
			pause(ctx, time.Second) // an appliance that starts again is waited for
		}
		if ctx.Err() != nil {
			return recipes.Service{}, false, ctx.Err()
		}
	}
}

func seen(p pool.Peer) recipes.Service {
	s := recipes.Service{Planned: p.Planned}
	for _, in := range p.Instances {
		s.Instances = append(s.Instances, recipes.Instance{ID: in.Number, Address: in.Address, Name: in.Host})
	}
	return s
}

// Invoke implements recipes.Host.
func (h *recipeHost) Invoke(ctx context.Context, service string, instance int, command string, args []string) ([]any, error) {
	if err := h.lifecycle.connect(); err != nil {
		return nil, err
	}
	var inv pool.Invocation
	if _, err := h.lifecycle.client.Do(ctx, "POST", wire.PathInvoke,
		wire.InvokeCall{Service: service, Instance: instance, Command: command, Args: args}, &inv); err != nil {
		return nil, err
	}
	values := make([]any, 0, len(inv.Results))
	for _, r := range inv.Results {
		if r.Status != pool.StepDone {
			text := string(r.Status)
			if r.Cause != nil {
				text = r.Cause.Message + " " + r.Cause.Evidence
			}
			return nil, fmt.Errorf("instance %d: %s", r.Number, text)
		}
		v, err := plainJSON(r.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: value of instance %d: %v", pool.ErrInvalid, r.Number, err)
		}
		values = append(values, v)
	}
	return values, nil
}

// plainJSON decodes JSON with whole numbers as int64.
func plainJSON(b json.RawMessage) (any, error) {
	if len(b) == 0 {
		return nil, nil
	}
	return decodeNumbers(b)
}

// Readings implements recipes.Host.
func (h *recipeHost) Readings(ctx context.Context, service string, instance int) (details, monitors map[string]any, err error) {
	if err := h.lifecycle.connect(); err != nil {
		return nil, nil, err
	}
	q := url.Values{"service": {cmp.Or(service, h.instance.Service)}, "instance": {strconv.Itoa(instance)}}
	var r struct {
		Details, Monitors json.RawMessage
	}
	if _, err := h.lifecycle.client.Do(ctx, "GET", wire.PathReadings+"?"+q.Encode(), nil, &r); err != nil {
		return nil, nil, err
	}
	for _, x := range []struct {
		from json.RawMessage
		to   *map[string]any
	}{{r.Details, &details}, {r.Monitors, &monitors}} {
		v, err := plainJSON(x.from)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: readings of %s/%d: %v", pool.ErrInvalid, service, instance, err)
		}
		*x.to, _ = v.(map[string]any) // absent: none
	}
	return details, monitors, nil
}
