package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func hello(m pool.Machine, k agentKey) wire.Hello {
	return wire.Hello{Protocol: wire.Protocol, Version: "1", Mode: pool.InRAM, MAC: m.MAC(), BootID: "boot-1", CSR: k.csr}
}

// verdicts answers as the engine does: wait until the key is pinned.
func (r *rig) verdicts(id string) {
	r.engine.verdict = func(h pool.AgentHello) (pool.Verdict, error) {
		m, err := r.Store.Machine(r.t.Context(), id)
		if err != nil {
			return pool.Verdict{}, err
		}
		if m.Key != "" && (h.Machine != "" || h.Key == m.Key) {
			return pool.Verdict{Machine: m, State: wire.StateWork, Certify: h.Key == m.Key}, nil
		}
		return pool.Verdict{Machine: m, State: wire.StateWait, Retry: time.Second}, nil
	}
}

// TestTrust walks the way of an agent from a claim to a task, and what must
// not go.
func TestTrust(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	r.verdicts(m.ID)
	r.engine.step = &pool.Step{Key: "k", Name: "facts", Task: &pool.Task{Kind: pool.TaskFacts}}
	key, ctx := newAgentKey(t), t.Context()

	w, err := r.agent(key, "").Hello(ctx, hello(m, key))
	if err != nil || w.State != wire.StateWait || w.Certificate != "" {
		t.Fatalf("hello before acceptance = %+v, %v; want to wait, without a certificate", w, err)
	}
	if _, err := r.agent(key, "").NextTask(ctx, 0, "boot-1", pool.InRAM); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a task without a certificate = %v, want denied", err)
	}
	r.edit(m.ID, func(m *pool.Machine) { m.Phase, m.Key = pool.Enrolled, key.print })

	other := newAgentKey(t)
	if w, err := r.agent(other, "").Hello(ctx, hello(m, other)); err != nil || w.Certificate != "" {
		t.Errorf("another key got %+v, %v; want no certificate", w, err)
	}
	w, err = r.agent(key, "").Hello(ctx, hello(m, key))
	if err != nil || w.State != wire.StateWork || w.Certificate == "" {
		t.Fatalf("hello after acceptance = %+v, %v; want a certificate", w, err)
	}
	c := r.agent(key, w.Certificate)
	a, err := c.NextTask(ctx, time.Second, "boot-1", pool.InRAM)
	if err != nil || a == nil || a.Kind != pool.TaskFacts || a.Token != "op-secret" {
		t.Fatalf("NextTask = %+v, %v", a, err)
	}
	if !r.engine.took("next m-1 boot-1 ram") {
		t.Errorf("engine was asked %q", r.engine.calls)
	}
	denied := func(what string, c *client.Client, want string) {
		t.Helper()
		_, err := c.NextTask(ctx, 0, "boot-1", pool.InRAM)
		if !errors.Is(err, client.ErrDenied) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: a task = %v, want denied with %q", what, err, want)
		}
	}
	denied("a certificate for another key", r.agent(other, r.certificate(m.ID, other, time.Now())), "revoked")
	denied("a machine that is gone", r.agent(key, r.certificate("m-9", key, time.Now())), "not known")
	foreign := newRig(t)
	denied("a certificate of another CA", r.agent(key, foreign.certificate(m.ID, key, time.Now())), "say hello")
	old := r.agent(key, r.certificate(m.ID, key, time.Now().Add(-30*24*time.Hour)))
	denied("an expired certificate", old, "expired")
	if w, err := old.Hello(ctx, hello(m, key)); err != nil || w.Certificate == "" {
		t.Errorf("an expired certificate was not renewed: %+v, %v", w, err)
	}
	wrong := hello(m, key)
	wrong.Machine = "m-2"
	if _, err := c.Hello(ctx, wrong); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a certificate of m-1 for m-2 = %v, want denied", err)
	}
	r.edit(m.ID, func(m *pool.Machine) { m.Key = "" })
	denied("a released machine", c, "revoked")
	proved := "nobody was asked"
	r.engine.verdict = func(h pool.AgentHello) (pool.Verdict, error) {
		proved = h.Machine
		return pool.Verdict{Machine: m, State: wire.StateLocal, Why: "the machine is retired"}, nil
	}
	if w, err := c.Hello(ctx, hello(m, key)); err != nil || w.State != wire.StateLocal || w.Certificate != "" || proved != "" {
		t.Errorf("hello with a revoked key = %+v, %v, proved %q; want no proof, and to hear what to do", w, err, proved)
	}
	installed := hello(m, key)
	installed.Mode = pool.Installed
	r.edit(m.ID, func(m *pool.Machine) { m.Epoch = 7 })
	proved = "nobody was asked"
	if w, err := c.Hello(ctx, installed); err != nil || w.State != wire.StateFenced || w.Epoch != 7 || w.Certificate != "" || proved != "nobody was asked" {
		t.Errorf("hello of an installed system with a revoked key = %+v, %v; want fenced, for epoch 7", w, err)
	}
}

func TestBootToken(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	var proved []string
	r.engine.token, r.engine.machine = "once", m.ID
	r.engine.verdict = func(h pool.AgentHello) (pool.Verdict, error) {
		proved = append(proved, h.Machine)
		return pool.Verdict{Machine: m, State: wire.StateWait}, nil
	}
	key := newAgentKey(t)
	for _, token := range []string{"once", "spent", ""} {
		h := hello(m, key)
		h.Token = token
		if _, err := r.agent(key, "").Hello(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	if proved[0] != "m-1" || proved[1] != "" || proved[2] != "" {
		t.Errorf("proved machines = %q, want only the first", proved)
	}
	if strings.Contains(r.logs.String(), "spent") {
		t.Error("the log holds a one-time token")
	}
}

// TestIdentity: the installed system's own key works for its owner's time.
func TestIdentity(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key, installed, ctx := newAgentKey(t), newAgentKey(t), t.Context()
	r.edit(m.ID, func(m *pool.Machine) { m.Phase, m.Key = pool.Active, key.print })
	r.engine.opToken, r.engine.step = "deploy", &pool.Step{Key: "k"}
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	if _, err := c.Identity(ctx, wire.IdentityRequest{CSR: installed.csr, Token: "guess"}); !errors.Is(err, client.ErrDenied) {
		t.Errorf("Identity with a wrong token = %v, want denied", err)
	}
	id, err := c.Identity(ctx, wire.IdentityRequest{CSR: installed.csr, Token: "deploy"})
	if err != nil || id.Machine != m.ID || id.Server != r.url || !strings.Contains(id.CA, "BEGIN CERTIFICATE") {
		t.Fatalf("Identity = %+v, %v", id, err)
	}
	sys := r.agent(installed, id.Certificate)
	if _, err := sys.NextTask(ctx, 0, "boot-2", pool.Installed); err != nil {
		t.Errorf("the installed agent's task = %v", err)
	}
	if _, err := c.NextTask(ctx, 0, "boot-1", pool.InRAM); err != nil {
		t.Errorf("the agent in RAM is locked out: %v", err)
	}
	r.edit(m.ID, func(m *pool.Machine) { m.Epoch++ })
	if _, err := sys.NextTask(ctx, 0, "boot-2", pool.Installed); !errors.Is(err, client.ErrDenied) {
		t.Errorf("a task for the last owner's system = %v, want denied", err)
	}
}

func TestTasks(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key, ctx := newAgentKey(t), t.Context()
	r.edit(m.ID, func(m *pool.Machine) { m.Phase, m.Key = pool.Enrolled, key.print })
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	if a, err := c.NextTask(ctx, 0, "b", pool.InRAM); a != nil || err != nil {
		t.Errorf("NextTask = %+v, %v; want none", a, err)
	}
	err := errors.Join(
		c.TaskProgress(ctx, wire.Report{Key: "k", Token: "t", BootID: "b"}),
		c.TaskOutput(ctx, wire.Output{Key: "k", Token: "t", Lines: []string{"a\x1b[2Jb", "long " + strings.Repeat("x", maxLine)}}),
		c.TaskResult(ctx, wire.Outcome{Key: "k", Token: "t", State: wire.OutcomeDone, Output: "x\ny\a"}),
		c.Bye(ctx, "b"))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.engine.lines[0]; got != "a[2Jb" || len(r.engine.lines[1]) > maxLine+8 {
		t.Errorf("lines = %q, want no control characters and a bound", got)
	}
	if got := r.engine.outcomes[0]; got.Output != "x\ny" || got.Machine != "m-1" {
		t.Errorf("outcome = %+v", got)
	}
	if !r.engine.took("bye m-1 b") || !r.engine.took("progress m-1 k t b") {
		t.Errorf("engine was asked %q", r.engine.calls)
	}
	r.engine.taskErr = pool.ErrNotFound
	if err := c.TaskProgress(ctx, wire.Report{Key: "k"}); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("progress of a cancelled task = %v, want not found (410)", err)
	}
	var problem *client.Error
	if err := c.TaskResult(ctx, wire.Outcome{Key: "k", State: "done"}); !errors.As(err, &problem) || problem.Status != http.StatusGone {
		t.Errorf("result of a cancelled task = %v, want 410", err)
	}
	facts, _ := json.Marshal(map[string]any{"facts": pool.Facts{Hostname: "a\nb"}})
	if err := c.TaskResult(ctx, wire.Outcome{State: "done", Result: facts}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("a result with a line break in a host name = %v, want invalid", err)
	}
	if err := c.TaskResult(ctx, wire.Outcome{State: "fine"}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("a result of unknown state = %v, want invalid", err)
	}
}

// slowEnd is an engine whose long poll takes a moment to end.
type slowEnd struct {
	*fakeEngine
	begun chan struct{}
	ended atomic.Bool
}

func (e *slowEnd) NextTask(ctx context.Context, _, _ string, _ pool.AgentMode) (pool.Step, string, error) {
	close(e.begun)
	<-ctx.Done()
	time.Sleep(50 * time.Millisecond) // as a write under way would
	e.ended.Store(true)
	return pool.Step{}, "", pool.ErrNotFound
}

// TestServeWaits: what a request uses, the database too, may be closed once
// Serve has returned.
func TestServeWaits(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key := newAgentKey(t)
	r.edit(m.ID, func(m *pool.Machine) { m.Key = key.print })
	e := &slowEnd{fakeEngine: r.engine, begun: make(chan struct{})}
	s := &Server{Store: r.Store, Engine: e, Agents: e, CA: r.CA}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	r.url = "https://" + l.Addr().String()
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		_, _ = c.NextTask(t.Context(), time.Minute, "boot-1", pool.InRAM) // however it ends
	}()
	<-e.begun
	cancel()
	if err := <-served; err != nil || !e.ended.Load() {
		t.Errorf("Serve = %v while a request was still under way: %v", err, !e.ended.Load())
	}
	<-asked
}

// TestConsole: what a trusted machine's console shows is stored, cleaned, and
// told to who listens; a stranger's is not.
func TestConsole(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key, ctx := newAgentKey(t), t.Context()
	r.edit(m.ID, func(m *pool.Machine) { m.OfferedKey = key.print })
	said := wire.Console{Lines: []string{"agent    1.00  agent starts", "kernel   0.10  \x1b[2Jbad\nline"}}
	cert := r.certificate(m.ID, key, time.Now())
	if err := r.agent(key, "").Console(ctx, said); !errors.Is(err, client.ErrDenied) {
		t.Errorf("console without a certificate = %v, want that it is refused", err)
	}
	if err := r.agent(key, cert).Console(ctx, said); !errors.Is(err, client.ErrDenied) {
		t.Errorf("console of a machine whose key is only offered = %v, want denied", err)
	}
	r.edit(m.ID, func(m *pool.Machine) { m.Key = key.print })
	news, stop := r.Feed.listen()
	defer stop()
	if err := r.agent(key, cert).Console(ctx, said); err != nil {
		t.Fatal(err)
	}
	lines, err := r.client(pool.Viewer).ConsoleLog(ctx, m.ID, pool.LogFilter{})
	if err != nil || len(lines) != 2 || lines[0].Line != said.Lines[0] || lines[1].Line != "kernel   0.10  [2Jbad line" || lines[1].Step != "console" {
		t.Errorf("ConsoleLog = %+v, %v", lines, err)
	}
	if n := <-news; n.Log == nil || n.Log.Line != said.Lines[0] || n.Log.Seq == 0 {
		t.Errorf("the stream told %+v", n)
	}
	many := wire.Console{Lines: make([]string, maxLines+1)}
	if err := r.agent(key, cert).Console(ctx, many); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("%d lines at once = %v, want invalid", len(many.Lines), err)
	}
}

// TestApplicationAttributes: within an application what one service left is
// there for the others to read; what is elsewhere is not.
func TestApplicationAttributes(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key, ctx, now := newAgentKey(t), t.Context(), time.Now().UTC()
	r.apply(&pool.Change{
		Services: []*pool.Service{{Name: "shop.web", Application: "shop", Phase: pool.ServiceRunning, CreatedAt: now},
			{Name: "shop.db", Application: "shop", Phase: pool.ServiceRunning, CreatedAt: now}, {Name: "db", Phase: pool.ServiceRunning, CreatedAt: now}},
		Instances: []*pool.Instance{{ID: "in-1", Service: "shop.web", Number: 1, Machine: m.ID}, {ID: "in-2", Service: "shop.db", Number: 1}},
		Attributes: []*pool.Attribute{{Scope: "service:shop.db", Name: "endpoint", Value: `"10.0.0.7:3306"`, At: now},
			{Scope: "instance:in-2", Name: "role", Value: `"primary"`, At: now}},
	})
	r.edit(m.ID, func(m *pool.Machine) { m.Phase, m.Key, m.Instance, m.Epoch = pool.Active, key.print, "in-1", 1 })
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	if v, err := c.AgentAttribute(ctx, "service:shop.db", "endpoint"); err != nil || string(v.Value) != `"10.0.0.7:3306"` {
		t.Errorf("read the endpoint of a service of its application = %s, %v", v.Value, err)
	}
	if v, err := c.AgentAttribute(ctx, "instance:shop.db/1", "role"); err != nil || string(v.Value) != `"primary"` {
		t.Errorf("read an instance of its application = %s, %v", v.Value, err)
	}
	if err := c.SetAgentAttribute(ctx, wire.AttributeValue{Scope: "application:shop", Name: "tier", Value: json.RawMessage(`1`)}); err != nil {
		t.Errorf("write its application = %v", err)
	}
	for _, scope := range []string{"service:shop.db", "instance:shop.db/1", "application:default", "service:db"} {
		if err := c.SetAgentAttribute(ctx, wire.AttributeValue{Scope: scope, Name: "x", Value: json.RawMessage(`1`)}); !errors.Is(err, client.ErrDenied) {
			t.Errorf("write %s = %v, want denied", scope, err)
		}
	}
	for _, scope := range []string{"application:default", "service:db", "instance:db/1"} {
		if _, err := c.AgentAttributes(ctx, scope); !errors.Is(err, client.ErrDenied) {
			t.Errorf("read %s = %v, want denied", scope, err)
		}
	}
}

func TestAttributes(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key, ctx := newAgentKey(t), t.Context()
	now := time.Now().UTC()
	r.apply(&pool.Change{
		Services: []*pool.Service{{Name: "db", Phase: pool.ServiceRunning, CreatedAt: now}, {Name: "web", Phase: pool.ServiceRunning, CreatedAt: now}},
		Instances: []*pool.Instance{{ID: "in-1", Service: "db", Number: 1, Machine: m.ID, Phase: pool.InstanceRunning},
			{ID: "in-2", Service: "web", Number: 1, Phase: pool.InstanceWaiting}, {ID: "in-3", Service: "db", Number: 2, Phase: pool.InstanceWaiting}},
		Attributes: []*pool.Attribute{{Scope: "instance:in-3", Name: "role", Value: `"replica"`, At: now}},
	})
	r.edit(m.ID, func(m *pool.Machine) { m.Phase, m.Key, m.Instance, m.Epoch = pool.Active, key.print, "in-1", 1 })
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	if err := c.SetAgentAttribute(ctx, wire.AttributeValue{Scope: "service:db", Name: "password", Value: json.RawMessage(`"pa55"`), Secret: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetAgentAttribute(ctx, wire.AttributeValue{Scope: "instance:in-1", Name: "port", Value: json.RawMessage(`3306`)}); err != nil {
		t.Fatal(err)
	}
	if v, err := c.AgentAttribute(ctx, "service:db", "password"); err != nil || string(v.Value) != `"pa55"` {
		t.Errorf("AgentAttribute = %+v, %v", v, err)
	}
	if v, err := c.AgentAttributes(ctx, "instance:in-1"); err != nil || len(v) != 1 || string(v[0].Value) != "3306" {
		t.Errorf("AgentAttributes = %+v, %v", v, err)
	}
	if err := c.SetAgentAttribute(ctx, wire.AttributeValue{Scope: "application:default", Name: "tier", Value: json.RawMessage(`"gold"`)}); err != nil {
		t.Errorf("write an attribute of its own application = %v", err)
	}
	for scope, name := range map[string]string{"application:default": "tier", "instance:db/1": "port", "instance:db/2": "role", "instance:in-3": "role"} {
		if _, err := c.AgentAttribute(ctx, scope, name); err != nil {
			t.Errorf("read %s of %s = %v", name, scope, err)
		}
	}
	if err := c.SetAgentAttribute(ctx, wire.AttributeValue{Scope: "instance:db/1", Name: "port", Value: json.RawMessage(`3307`)}); err != nil {
		t.Errorf("write its own instance by number = %v", err)
	}
	if v, err := c.AgentAttribute(ctx, "instance:in-1", "port"); err != nil || string(v.Value) != "3307" {
		t.Errorf("port = %s, %v; want what was written by number", v.Value, err)
	}
	if err := c.SetAgentAttribute(ctx, wire.AttributeValue{Scope: "instance:db/2", Name: "role", Value: json.RawMessage(`1`)}); !errors.Is(err, client.ErrDenied) {
		t.Errorf("write another instance = %v, want denied", err)
	}
	for _, scope := range []string{"service:web", "instance:in-2", "instance:none", "instance:web/1", "instance:db/9", "application:other", "", "bmc"} {
		if _, err := c.AgentAttributes(ctx, scope); !errors.Is(err, client.ErrDenied) {
			t.Errorf("scope %q = %v, want denied", scope, err)
		}
	}
	// People see that there is one, and its value only when they ask, which is recorded.
	svc, err := r.client(pool.Viewer).Service(ctx, "db")
	if err != nil || len(svc.Attributes) != 1 || svc.Attributes[0].Value != "" {
		t.Errorf("service shows attributes %+v, %v", svc.Attributes, err)
	}
	v, err := r.client(pool.Operator).Attribute(ctx, "db", "password")
	if err != nil || string(v.Value) != `"pa55"` {
		t.Errorf("Attribute = %+v, %v", v, err)
	}
	events, err := r.client(pool.Viewer).Events(ctx, pool.EventFilter{Type: "attribute.revealed"})
	if err != nil || len(events) != 1 || events[0].By != "operator" || strings.Contains(events[0].Message, "pa55") {
		t.Errorf("events = %+v, %v; want that operator saw it", events, err)
	}
	if err := c.DeleteAgentAttribute(ctx, "service:db", "password"); err != nil {
		t.Error(err)
	}
	if _, err := c.AgentAttribute(ctx, "service:db", "password"); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("deleted attribute = %v, want not found", err)
	}
}

func TestContent(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key, ctx := newAgentKey(t), t.Context()
	r.edit(m.ID, func(m *pool.Machine) { m.Phase, m.Key = pool.Enrolled, key.print })
	if _, err := r.client(pool.Admin).UploadImage(ctx, "debian-12", strings.NewReader("0123456789"), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client(pool.Operator).UploadRecipe(ctx, strings.NewReader("recipe!")); err != nil {
		t.Fatal(err)
	}
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	if im, err := c.ImageManifest(ctx, "debian-12"); err != nil || len(im.Frames) != 1 {
		t.Errorf("manifest = %+v, %v", im, err)
	}
	read := func(b io.ReadCloser, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(b)
		if err := errors.Join(err, b.Close()); err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := read(c.ImageFrames(ctx, "debian-12", 2, 3)); got != "234" {
		t.Errorf("frames 2..4 = %q", got)
	}
	if got := read(c.ImageFrames(ctx, "debian-12", 4, -1)); got != "456789" {
		t.Errorf("frames from 4 = %q", got)
	}
	if got := read(c.RecipeArchive(ctx, "sha256:aa")); got != "recipe!" {
		t.Errorf("recipe = %q", got)
	}
	if _, err := r.client("").ImageFrames(ctx, "debian-12", 0, -1); !errors.Is(err, client.ErrDenied) {
		t.Errorf("frames for anybody = %v, want denied", err)
	}
}

func TestHelloRefused(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	r.verdicts(m.ID)
	key := newAgentKey(t)
	post := func(h wire.Hello) (int, string) {
		b, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		code, body, _ := r.raw("POST", wire.PathHello, "", bytes.NewReader(b), nil)
		return code, body
	}
	for _, tt := range []struct {
		name string
		edit func(*wire.Hello)
		code int
		want string
	}{
		{"protocol", func(h *wire.Hello) { h.Protocol = "2.3" }, 409, `2.3`},
		{"protocol names ours", func(h *wire.Hello) { h.Protocol = "0.9" }, 409, wire.Protocol},
		{"line break in host name", func(h *wire.Hello) { h.Facts = &pool.Facts{Hostname: "a\nkernel evil"} }, 400, "facts.hostname"},
		{"escape in disk model", func(h *wire.Hello) { h.Facts = &pool.Facts{Disks: []pool.Disk{{Model: "\x1b[2J"}}} }, 400, "facts.disks.model"},
		{"direction mark in product", func(h *wire.Hello) { h.Facts = &pool.Facts{Product: "a\u202eb"} }, 400, "facts.product"},
		{"two disks of one serial", func(h *wire.Hello) {
			h.Facts = &pool.Facts{Disks: []pool.Disk{{Name: "a", Serial: "x", Size: 1}, {Name: "b", Serial: "x", Size: 1}}}
		}, 400, "two disks"},
		{"no MAC", func(h *wire.Hello) { h.MAC = pool.MAC{} }, 400, "mac"},
		{"no boot id", func(h *wire.Hello) { h.BootID = "" }, 400, "bootId"},
		{"bad request", func(h *wire.Hello) { h.CSR = "x" }, 400, "certificate request"},
		{"unknown mode", func(h *wire.Hello) { h.Mode = "root" }, 400, "mode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := hello(m, key)
			tt.edit(&h)
			if code, body := post(h); code != tt.code || !strings.Contains(body, tt.want) {
				t.Errorf("hello = %d %s, want %d naming %q", code, body, tt.code, tt.want)
			}
		})
	}
	big := hello(m, key)
	big.Facts = &pool.Facts{Kernel: strings.Repeat("x", 50<<20)}
	_, err := r.client("").Hello(context.WithoutCancel(t.Context()), big)
	if !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "512.0 KiB") {
		t.Errorf("an inventory of 50 MB = %v, want it refused with the limit", err)
	}
}

func helloContext(body []byte) echo.Context {
	req := httptest.NewRequestWithContext(context.Background(), http.MethodPost, wire.PathHello, bytes.NewReader(body))
	return echo.New().NewContext(req, httptest.NewRecorder())
}

// FuzzHello: what passes holds no control character where it would be printed.
func FuzzHello(f *testing.F) {
	key := seededKey(f, make([]byte, 32)) // the same in every process
	m := pool.Machine{MACs: []pool.MAC{{0x52, 0x54, 0, 0, 0, 1}}}
	h := hello(m, key)
	h.Facts = &pool.Facts{Hostname: "node", Disks: []pool.Disk{{Name: "sda", Serial: "x", Size: 1}}, NICs: []pool.NIC{{Name: "eth0"}}}
	seed, err := json.Marshal(h)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"protocol":"1.0","mode":"ram","mac":"52:54:00:00:00:01","bootId":"b","facts":{"hostname":"a\nb"}}`))
	f.Add([]byte(`{"protocol":"9"}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := parseHello(helloContext(body))
		if err != nil {
			if !errors.Is(err, pool.ErrInvalid) && !errors.Is(err, pool.ErrConflict) {
				t.Fatalf("parseHello = %v, want a kind", err)
			}
			return
		}
		if h.CSR != "" {
			if _, print, err := parseCSR(h.CSR); err == nil && len(print) != 64 {
				t.Fatalf("key fingerprint %q", print)
			}
		}
		if h.Facts != nil && strings.ContainsAny(h.Facts.Hostname+h.Facts.Product+h.BootID, "\n\r\x00\x1b") {
			t.Fatalf("control characters passed: %q", body)
		}
		if _, err := json.Marshal(h); err != nil {
			t.Fatalf("hello cannot be written again: %v", err)
		}
	})
}

// FuzzTask: whatever an agent reports becomes a bounded outcome or an error.
func FuzzTask(f *testing.F) {
	f.Add([]byte(`{"key":"op/wipe/1","token":"t","state":"done","result":{"facts":{"hostname":"x"}},"output":"line\u001b[2J"}`))
	f.Add([]byte(`{"state":"failed","cause":{"code":"x","message":"y\u0007"}}`))
	f.Add([]byte(`{"state":"done","result":{"disks":[{}]}}`))
	f.Add([]byte(`{"state":"done"}{}`))
	f.Add([]byte(`{"state":"failed","cause":{"code":"x","step":"\u001b[2J","tried":["\u001b[2J"]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var o wire.Outcome
		if decode(bytes.NewReader(body), &o) != nil {
			return
		}
		out, err := parseOutcome("m-1", o)
		if err != nil {
			if !errors.Is(err, pool.ErrInvalid) {
				t.Fatalf("parseOutcome = %v, want invalid", err)
			}
			return
		}
		if len(out.Output) > maxOutput || strings.ContainsAny(out.Output, "\x1b\x07\r\x00") {
			t.Fatalf("output %q", out.Output)
		}
		if out.Cause != nil && (len(out.Cause.Evidence) > maxEvidence || strings.ContainsAny(out.Cause.Message+out.Cause.Step+strings.Join(out.Cause.Tried, ""), "\x1b\x07")) {
			t.Fatalf("cause %+v", out.Cause)
		}
	})
}
