package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

func (f *fakeEngine) Scale(ctx context.Context, s string, n int, wipe bool, by string) (pool.Service, error) {
	if err := f.called("scale", s, fmt.Sprint(n, " ", wipe), by); err != nil {
		return pool.Service{}, err
	}
	return f.store.Service(ctx, s)
}

func (f *fakeEngine) ExplainScaling(_ context.Context, s string) (pool.ScalingDecision, error) {
	return pool.ScalingDecision{Service: s, Action: pool.ScaleNone, Why: "no rule asks for a change"}, f.err
}

func (f *fakeEngine) Invoke(_ context.Context, s string, o pool.InvokeOptions) (pool.Invocation, error) {
	return pool.Invocation{ID: "inv-1", Service: s, Command: o.Command, Args: o.Args},
		f.called("invoke", s, o.Command, strings.Join(o.Args, ","), fmt.Sprint(o.Instance, " ", o.Rolling, " ", o.Timeout), o.By)
}

func (f *fakeEngine) WaitInvocation(_ context.Context, s, id string) (pool.Invocation, error) {
	if id != "inv-1" {
		return pool.Invocation{}, pool.ErrNotFound
	}
	return pool.Invocation{ID: id, Service: s, Done: true, Results: []pool.CommandRun{{Number: 1, Status: pool.StepDone, Value: json.RawMessage("7")}}}, f.err
}

func (f *fakeEngine) Readings(_ context.Context, s string) ([]pool.Readings, error) {
	return []pool.Readings{{Instance: "in-1", Number: 1, Details: map[string]any{"url": "http://" + s}}}, f.err
}

func (f *fakeEngine) Samples(context.Context, string) (map[string]map[string][]pool.Sample, error) {
	return map[string]map[string][]pool.Sample{"in-1": {"Sessions": {{Value: 2}}}}, f.err
}

func (f *fakeEngine) NextErrand(ctx context.Context, _, boot string) (pool.Step, string, error) {
	if err := f.called("errand", boot); err != nil {
		return pool.Step{}, "", err
	}
	<-ctx.Done()
	return pool.Step{}, "", pool.ErrNotFound
}

func (f *fakeEngine) TakeReadings(_ context.Context, m string, r pool.Readings) error {
	return f.called("readings", m, r.Instance, r.Trouble)
}

// web stores a service web with an instance that runs on machine m-1, and db beside it.
func web(r *rig) {
	now := time.Now().UTC()
	r.apply(&pool.Change{Services: []*pool.Service{{Name: "web", Phase: pool.ServiceRunning, Instances: 1, CreatedAt: now, Recipe: pool.RecipeInfo{Name: "nginx", Max: 3, Elastic: true}},
		{Name: "db", Phase: pool.ServiceRunning, Instances: 1, CreatedAt: now}, {Name: "app.db", Application: "app", Phase: pool.ServiceRunning, Instances: 1, CreatedAt: now}},
		Instances: []*pool.Instance{{ID: "in-1", Service: "web", Number: 1, Machine: "m-1", Phase: pool.InstanceRunning, CreatedAt: now}},
		Decisions: []*pool.ScalingDecision{{Service: "web", At: now, By: "eve", Action: pool.ScaleOut, From: 1, To: 2, Why: "eve asked"}}})
}

// What people do with a service that runs, and who may.
func TestOperate(t *testing.T) {
	r := newRig(t)
	web(r)
	c, ctx := r.client(pool.Operator), t.Context()
	if _, err := c.Scale(ctx, "web", wire.ScaleRequest{Instances: 2, Wipe: true}); err != nil || !r.engine.took("scale web 2 true operator") {
		t.Errorf("scale: %v, %q", err, r.engine.calls)
	}
	inv, err := c.Invoke(ctx, "web", "addNode", wire.InvokeRequest{Args: []string{"a", "b c"}, Instance: 1, Rolling: true, Timeout: 5, Wait: 5})
	if err != nil || !inv.Done || string(inv.Results[0].Value) != "7" || !r.engine.took("invoke web addNode a,b c 1 true 5s operator") {
		t.Errorf("invoke: %+v, %v, %q", inv, err, r.engine.calls)
	}
	if _, err := c.Invocation(ctx, "web", "inv-9", 0); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("an unknown invocation: %v", err)
	}
	if all, err := c.Readings(ctx, "web"); err != nil || all[0].Details["url"] != "http://web" {
		t.Errorf("readings: %+v, %v", all, err)
	}
	if s, err := c.Samples(ctx, "web"); err != nil || s["in-1"]["Sessions"][0].Value != 2 {
		t.Errorf("samples: %+v, %v", s, err)
	}
	if _, err := c.Samples(ctx, "none"); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("samples of nothing: %v", err)
	}
	if s, err := c.Scaling(ctx, "web"); err != nil || s.Max != 3 || s.Min != 1 || !s.Elastic || len(s.Decisions) != 1 || s.Decisions[0].Why != "eve asked" || s.Now.Why == "" {
		t.Errorf("scaling: %+v, %v", s, err)
	}
	v := r.client(pool.Viewer)
	if _, err := v.Scale(ctx, "web", wire.ScaleRequest{Instances: 2}); err == nil {
		t.Error("a viewer scaled")
	}
	if _, err := v.Invoke(ctx, "web", "addNode", wire.InvokeRequest{}); err == nil {
		t.Error("a viewer invoked")
	}
	if _, err := v.SetAttribute(ctx, "global", "a", wire.AttributeRequest{Value: json.RawMessage("1")}); err == nil {
		t.Error("a viewer set an attribute")
	}
}

// Attributes in four scopes: compare-and-set, secrets that show only when
// somebody asks, an event for each change that never holds a value.
func TestPeopleAttributes(t *testing.T) {
	r := newRig(t)
	web(r)
	c, ctx := r.client(pool.Operator), t.Context()
	num := func(n int64) *int64 { return &n }
	for _, scope := range []string{"global", "application:app", "service:web", "instance:web/1", "service:web:1", "instance:in-1"} {
		a, err := c.SetAttribute(ctx, scope, "leader", wire.AttributeRequest{Value: json.RawMessage(`{"a":1}`)})
		if err != nil || a.Value != `{"a":1}` || a.By != "operator" {
			t.Fatalf("%s: %+v, %v", scope, a, err)
		}
	}
	if all, err := c.Attributes(ctx, ""); err != nil || len(all) != 4 { // three names of one instance
		t.Errorf("all: %+v, %v", all, err)
	}
	for _, bad := range []string{"", "x", "service:", "service:none", "instance:web/2", "instance:none", "application:"} {
		if _, err := c.SetAttribute(ctx, bad, "leader", wire.AttributeRequest{Value: json.RawMessage("1")}); !errors.Is(err, pool.ErrInvalid) && !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("scope %q: %v", bad, err)
		}
	}
	for _, tt := range []struct {
		rev  *int64
		want error
	}{{num(0), pool.ErrConflict}, {num(7), pool.ErrConflict}, {num(1), nil}, {num(1), pool.ErrConflict}, {nil, nil}} {
		if _, err := c.SetAttribute(ctx, "service:web", "leader", wire.AttributeRequest{Value: json.RawMessage("2"), Rev: tt.rev}); !errors.Is(err, tt.want) {
			t.Errorf("compare-and-set at %v: %v, want %v", tt.rev, err, tt.want)
		}
	}
	secret, err := c.SetAttribute(ctx, "service:web", "password", wire.AttributeRequest{Value: json.RawMessage(`"hush-hush"`), Secret: true, Rev: num(0)})
	if err != nil || secret.Value != "" || !secret.Secret {
		t.Errorf("secret: %+v, %v", secret, err)
	}
	if all, err := c.Attributes(ctx, "service:web"); err != nil || len(all) != 2 || all[1].Value != "" {
		t.Errorf("listed: %+v, %v", all, err)
	}
	if v, err := c.GetAttribute(ctx, "service:web", "password"); err != nil || string(v.Value) != `"hush-hush"` {
		t.Errorf("revealed: %s, %v", v.Value, err)
	}
	if _, err := r.client(pool.Viewer).GetAttribute(ctx, "service:web", "password"); err == nil {
		t.Error("a viewer saw a secret")
	}
	if err := c.RemoveAttribute(ctx, "service:web", "leader", 1); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("removed at an old revision: %v", err)
	}
	if err := c.RemoveAttribute(ctx, "service:web", "leader", 0); err != nil {
		t.Error(err)
	}
	events, err := c.Events(ctx, pool.EventFilter{Type: "attribute."})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(events)
	if strings.Contains(string(text)+r.logs.String(), "hush-hush") {
		t.Error("an event or the log holds a secret")
	}
	if !slices.ContainsFunc(events, func(e pool.Event) bool {
		return e.Type == "attribute.removed" && e.Scope == "service:web" && e.Attribute == "leader" && e.By == "operator" && e.Service == "web"
	}) || !slices.ContainsFunc(events, func(e pool.Event) bool { return e.Type == "attribute.revealed" && e.Severity == pool.Warning }) {
		t.Errorf("events: %s", text)
	}
}

// An agent waits for a service of its application, invokes its commands, and
// hands in readings of its own instance only.
func TestPeers(t *testing.T) {
	r := newRig(t)
	web(r)
	m := r.add("m-1", "52:54:00:00:00:01")
	key, ctx := newAgentKey(t), t.Context()
	r.edit(m.ID, func(m *pool.Machine) {
		m.Phase, m.Key, m.Instance, m.Epoch, m.Address = pool.Active, key.print, "in-1", 1, netip.MustParseAddr("10.0.0.7")
	})
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	// By its recipe's name, which is not that of the service.
	p, err := c.Peer(ctx, "nginx", 1, 0)
	if err != nil || p == nil || p.Name != "web" || len(p.Instances) != 1 || p.Instances[0].Address != "10.0.0.7" || !p.Instances[0].Running {
		t.Errorf("itself: %+v, %v", p, err)
	}
	for _, name := range []string{"late", "app.db"} {
		if p, err := c.Peer(ctx, name, 0, 0); p != nil || err != nil {
			t.Errorf("%s, which is not there or of another application: %+v, %v", name, p, err)
		}
	}
	began := time.Now()
	time.AfterFunc(300*time.Millisecond, func() {
		r.apply(&pool.Change{Services: []*pool.Service{{Name: "late", Phase: pool.ServiceRunning, CreatedAt: began}}, Events: []*pool.Event{{At: began, Type: "service.deploying"}}})
	})
	if p, err := c.Peer(ctx, "late", 0, 20*time.Second); err != nil || p == nil || time.Since(began) > 10*time.Second {
		t.Errorf("waiting for a service: %+v, %v after %s", p, err, time.Since(began))
	}
	inv, err := c.InvokePeer(ctx, wire.InvokeCall{Service: "db", Command: "addSlave", Args: []string{"x"}})
	if err != nil || !inv.Done || !r.engine.took("invoke db addSlave x 0 false 0s web/1") {
		t.Errorf("invoke: %+v, %v, %q", inv, err, r.engine.calls)
	}
	if _, err := c.InvokePeer(ctx, wire.InvokeCall{Service: "app.db", Command: "addSlave"}); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("a command of another application: %v", err)
	}
	if err := c.SendReadings(ctx, pool.Readings{Instance: "in-1", Trouble: "a\x1b[2Jb"}); err != nil || !r.engine.took("readings "+m.ID+" in-1 a[2Jb") {
		t.Errorf("readings: %v, %q", err, r.engine.calls)
	}
	if err := c.SendReadings(ctx, pool.Readings{Instance: "in-2"}); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("readings of another's instance: %v", err)
	}
	if got, err := c.PeerReadings(ctx, "db", 1); err != nil || got.Details["url"] != "http://db" {
		t.Errorf("readings of a peer: %+v, %v", got, err)
	}
}
