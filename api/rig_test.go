package api

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"appliance/api/client"
	"appliance/pool"
	"appliance/store"
)

// rig is a server on loopback with a real store and a fake engine.
type rig struct {
	*Server
	t      testing.TB
	url    string
	engine *fakeEngine
	logs   *lockedBuffer
	tokens map[pool.Role]string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// fakeEngine remembers what it was asked, and answers err.
type fakeEngine struct {
	mu    sync.Mutex
	calls []string
	err   error
	live  pool.LiveState
	lives chan pool.LiveUpdate

	verdict  func(pool.AgentHello) (pool.Verdict, error)
	step     *pool.Step
	token    string // of the boot
	opToken  string
	machine  string
	taskErr  error
	outcomes []pool.TaskOutcome
	lines    []string
	store    *store.DB
	beats    atomic.Int64
	healing  pool.HealingState
}

func (f *fakeEngine) called(what ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, strings.Join(what, " "))
	return f.err
}

func (f *fakeEngine) took(call string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c == call {
			return true
		}
	}
	return false
}

func (f *fakeEngine) op(machine string, kind pool.OpKind) pool.Operation {
	return pool.Operation{ID: "op-1", Machine: machine, Kind: kind, Status: pool.Queued, Token: "op-secret"}
}

func (f *fakeEngine) Accept(_ context.Context, m, by string, o pool.AcceptOptions) (pool.Operation, error) {
	return f.op(m, pool.OpEnrol), f.called("accept", m, by, o.Name)
}

func (f *fakeEngine) Start(_ context.Context, m string, k pool.OpKind, p pool.OpParams, by string) (pool.Operation, error) {
	return f.op(m, k), f.called(string(k), m, by)
}

func (f *fakeEngine) Release(ctx context.Context, m, by string, o pool.ReleaseOptions) (pool.Machine, error) {
	if err := f.called("release", m, by); err != nil {
		return pool.Machine{}, err
	}
	return f.store.Machine(ctx, m)
}
func (f *fakeEngine) Cancel(_ context.Context, op, by string) error {
	return f.called("cancel", op, by)
}
func (f *fakeEngine) Deploy(_ context.Context, o pool.DeployOptions) (pool.Service, error) {
	return pool.Service{Name: o.Recipe.Name, Phase: pool.ServiceDeploying, Instances: 1, By: o.By}, f.called("deploy", o.Recipe.Name, o.By)
}

func (f *fakeEngine) DeployApplication(_ context.Context, o pool.ApplicationOptions) (pool.Application, error) {
	return pool.Application{Name: o.Recipe.Name, Phase: pool.ServiceDeploying, By: o.By}, f.called("deploy application", o.Recipe.Name, o.By)
}
func (f *fakeEngine) RemoveApplication(_ context.Context, name string, wipe bool, by string) (pool.Application, error) {
	return pool.Application{Name: name, Phase: pool.ServiceRemoving, Wipe: wipe}, f.called("remove application", name, by)
}
func (f *fakeEngine) AbandonApplication(_ context.Context, name, by string) (pool.Application, error) {
	return pool.Application{Name: name, Phase: pool.ServiceRemoving, Abandon: true}, f.called("abandon application", name, by)
}
func (f *fakeEngine) UpdateApplication(_ context.Context, o pool.ApplicationOptions) (pool.Application, error) {
	return pool.Application{Name: o.Name, Phase: pool.ServiceRunning, By: o.By}, f.called("update application", o.Name, o.Recipe.Digest, o.By)
}
func (f *fakeEngine) UndoApplication(_ context.Context, name, by string) (pool.Application, error) {
	return pool.Application{Name: name}, f.called("undo application", name, by)
}
func (f *fakeEngine) PlanUpdate(_ context.Context, s string, o pool.UpdateOptions) (pool.Plan, error) {
	action := pool.PlanUpdate
	if o.Recipe.Digest == "sha256:old" {
		action = pool.PlanNone
	}
	return pool.Plan{Digest: "sha256:1", Services: []pool.ServicePlan{{Service: s, Action: action, Digest: o.Recipe.Digest, Instances: []pool.InstancePlan{{Number: 1}}}}}, f.called("plan update", s)
}
func (f *fakeEngine) PlanApplicationUpdate(_ context.Context, o pool.ApplicationOptions) (pool.Plan, error) {
	return pool.Plan{Digest: "sha256:1", Application: o.Name}, f.called("plan application update", o.Recipe.Name)
}
func (f *fakeEngine) Plan(_ context.Context, o pool.DeployOptions) (pool.Plan, error) {
	return pool.Plan{Digest: "sha256:1"}, f.called("plan", o.Recipe.Name)
}
func (f *fakeEngine) PlanApplication(_ context.Context, o pool.ApplicationOptions) (pool.Plan, error) {
	return pool.Plan{Digest: "sha256:1", Application: o.Recipe.Name}, f.called("plan application", o.Recipe.Name)
}
func (f *fakeEngine) Update(_ context.Context, s string, o pool.UpdateOptions) (pool.Service, error) {
	return pool.Service{Name: s, Recipe: o.Recipe, Rollout: &pool.Rollout{To: o.To}}, f.called("update", s, o.Recipe.Name, o.By)
}
func (f *fakeEngine) Steer(_ context.Context, s, action, by string) (pool.Service, error) {
	return pool.Service{Name: s}, f.called(action, s, by)
}
func (f *fakeEngine) Abandon(_ context.Context, s, by string) (pool.Service, error) {
	return pool.Service{Name: s, Phase: pool.ServiceRemoved}, f.called("abandon", s, by)
}
func (f *fakeEngine) Remove(_ context.Context, s string, wipe bool, by string) (pool.Service, error) {
	return pool.Service{Name: s, Phase: pool.ServiceRemoving, Wipe: wipe}, f.called("remove", s, by)
}
func (f *fakeEngine) Retry(_ context.Context, what, by string) error {
	return f.called("retry", what, by)
}
func (f *fakeEngine) Live(string) pool.LiveState                  { return f.live }
func (f *fakeEngine) WatchLive() (<-chan pool.LiveUpdate, func()) { return f.lives, func() {} }

func (f *fakeEngine) AgentHello(_ context.Context, h pool.AgentHello) (pool.Verdict, error) {
	return f.verdict(h)
}
func (f *fakeEngine) AgentBye(_ context.Context, m, boot string) error {
	return f.called("bye", m, boot)
}
func (f *fakeEngine) Beat(machine, boot string) error {
	f.beats.Add(1)
	if boot != "boot-1" {
		return fmt.Errorf("%w: agent on machine %s: say hello first", pool.ErrConflict, machine)
	}
	return nil
}

func (f *fakeEngine) Watched(_ context.Context, r pool.WatchReport) error {
	return errors.Join(f.taskErr, f.called("watched", r.Machine, r.Watch, r.State, r.Why, r.Evidence))
}

func (f *fakeEngine) Healing(context.Context) (pool.HealingState, error) { return f.healing, nil }
func (f *fakeEngine) StopHealing(_ context.Context, by, why string) (pool.HealingState, error) {
	f.healing = pool.HealingState{Stopped: true, By: by, Why: why}
	return f.healing, f.called("stop-healing", by, why)
}

func (f *fakeEngine) ResumeHealing(_ context.Context, by string) (pool.HealingState, error) {
	f.healing = pool.HealingState{}
	return f.healing, f.called("resume-healing", by)
}

func (f *fakeEngine) Reinstall(_ context.Context, s string, number int, withoutData bool, by string) (pool.Service, error) {
	return pool.Service{Name: s}, f.called("reinstall", s, by, fmt.Sprint(number, withoutData))
}

func (f *fakeEngine) TakeAsDone(_ context.Context, s, by string) (pool.Service, error) {
	return pool.Service{Name: s}, f.called("take-as-done", s, by)
}

func (f *fakeEngine) Recover(_ context.Context, s string, o pool.RecoverOptions) (pool.Service, error) {
	return pool.Service{Name: s}, f.called("recover", s, o.By, fmt.Sprint(o.WithoutData, o.MachineOff))
}

func (f *fakeEngine) Maintain(_ context.Context, what, by, reason string, span time.Duration) (pool.Maintenance, error) {
	return pool.Maintenance{By: by, Reason: reason}, f.called("maintain", what, by, reason, span.String())
}

func (f *fakeEngine) Unmaintain(_ context.Context, what, by string) error {
	return f.called("unmaintain", what, by)
}

func (f *fakeEngine) UseBootToken(_ context.Context, _ pool.MAC, token string) (string, error) {
	if token != f.token {
		return "", pool.ErrNotFound
	}
	return f.machine, nil
}

func (f *fakeEngine) NextTask(ctx context.Context, m, boot string, mode pool.AgentMode) (pool.Step, string, error) {
	if f.step != nil {
		return *f.step, "op-secret", f.called("next", m, boot, string(mode))
	}
	<-ctx.Done()
	return pool.Step{}, "", pool.ErrNotFound
}

func (f *fakeEngine) TaskProgress(_ context.Context, m, key, token, boot string, p pool.Progress) error {
	return errors.Join(f.taskErr, f.called("progress", m, key, token, boot))
}

func (f *fakeEngine) TaskResult(_ context.Context, o pool.TaskOutcome) error {
	f.outcomes = append(f.outcomes, o)
	return f.taskErr
}

func (f *fakeEngine) TaskOutput(_ context.Context, _, _, _ string, _ int, lines []string) error {
	f.lines = append(f.lines, lines...)
	return f.taskErr
}

func (f *fakeEngine) Identity(ctx context.Context, m, token string) (pool.Machine, error) {
	if token == "" || token != f.opToken {
		return pool.Machine{}, pool.ErrConflict
	}
	return f.store.Machine(ctx, m)
}

// fakeImages keeps one file.
type fakeImages struct{ dir string }

func (f fakeImages) Import(_ context.Context, name string, r io.Reader, _ func(int64), store func(pool.Image) error) (pool.Image, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return pool.Image{}, err
	}
	im := pool.Image{Name: name, Size: int64(len(b)), Stored: int64(len(b)), Arch: pool.AMD64, Digest: "sha256:00", CreatedAt: time.Now().UTC(),
		Frames: []pool.Frame{{Length: int64(len(b)), SHA256: "00"}}}
	return im, errors.Join(os.WriteFile(filepath.Join(f.dir, name), b, 0o600), store(im))
}
func (f fakeImages) Frames(im pool.Image) (*os.File, error) {
	return os.Open(filepath.Join(f.dir, im.Name))
}
func (f fakeImages) Delete(name string, forget func() error) error {
	return errors.Join(forget(), os.Remove(filepath.Join(f.dir, name)))
}

func newRig(t testing.TB) *rig {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := OpenCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	engine := &fakeEngine{store: db, lives: make(chan pool.LiveUpdate, 8)}
	logs := &lockedBuffer{}
	r := &rig{t: t, engine: engine, logs: logs, tokens: map[pool.Role]string{}}
	r.Server = &Server{
		Store: db, Engine: engine, Agents: engine, Images: fakeImages{t.TempDir()}, CA: ca, Feed: &Feed{}, Version: "1.2.3",
		CheckRecipe: func(_ context.Context, b []byte) ([]pool.PackedRecipe, error) {
			if !bytes.HasPrefix(b, []byte("recipe")) {
				return nil, errors.Join(pool.ErrInvalid, errors.New("no recipe"))
			}
			if bytes.HasPrefix(b, []byte("recipe of shop")) {
				return []pool.PackedRecipe{
					{Info: pool.RecipeInfo{Name: "shop", Digest: "sha256:bb", Members: []string{"sha256:cc"}}, Archive: b},
					{Info: pool.RecipeInfo{Name: "shop.db", Application: "shop", Digest: "sha256:cc", Instances: 1}, Archive: []byte("db")},
				}, nil
			}
			return []pool.PackedRecipe{{Info: pool.RecipeInfo{Name: "mysql", Digest: "sha256:aa", Instances: 1}, Archive: b}}, nil
		},
		Console: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>console")}, "assets/app.js": {Data: []byte(strings.Repeat("let a;", 500))}},
		Packages: fstest.MapFS{"dists/stable/Release": {Data: []byte("Origin: appliance\n")}, "pool/a.deb": {Data: []byte("deb")},
			".apt/status": {Data: []byte("state")}, "pool/.b.deb": {Data: []byte("half")}},
		Log: slog.New(slog.NewTextHandler(logs, nil)),
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.url, r.URL = "https://"+l.Addr().String(), "https://10.77.0.1:8443"
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil after its context ended", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	// A token that could not be kept does not count, and does not lock people out.
	full := errors.New("disk is full")
	if fresh, err := r.EnsureAdmin(t.Context(), func(string) error { return full }); fresh || !errors.Is(err, full) {
		t.Fatalf("EnsureAdmin that cannot keep the token = %v, %v", fresh, err)
	}
	fresh, err := r.EnsureAdmin(t.Context(), func(token string) error { r.tokens[pool.Admin] = token; return nil })
	if err != nil || !fresh {
		t.Fatalf("EnsureAdmin = fresh %v, %v", fresh, err)
	}
	for _, role := range []pool.Role{pool.Viewer, pool.Operator} {
		r.tokens[role] = pool.NewToken()
		if err := db.PutToken(t.Context(), pool.APIToken{Name: string(role), Role: role, Hash: hashToken(r.tokens[role]), Created: time.Now().UTC()}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// client returns a client with the given role's token.
func (r *rig) client(role pool.Role) *client.Client {
	r.t.Helper()
	c, err := client.New(client.Options{URL: r.url, Token: r.tokens[role], CAPEM: r.CA.PEM()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

// raw makes any request and returns status, body and headers.
func (r *rig) raw(method, path, token string, body io.Reader, set func(*http.Request)) (int, string, http.Header) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if set != nil {
		set(req)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.CA.PEM())
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true}
	defer tr.CloseIdleConnections()
	res, err := tr.RoundTrip(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return res.StatusCode, "", res.Header
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, string(b), res.Header
}

// add stores a discovered machine with facts.
func (r *rig) add(id, mac string) pool.Machine {
	r.t.Helper()
	m, err := pool.ParseMAC(mac)
	if err != nil {
		r.t.Fatal(err)
	}
	now := time.Now().UTC()
	row := &pool.Machine{ID: id, Name: "node-" + id, Phase: pool.Discovered, MACs: []pool.MAC{m}, CreatedAt: now, UpdatedAt: now,
		Facts: &pool.Facts{At: now, Memory: 1 << 30, CPU: pool.CPU{Cores: 2}, Disks: []pool.Disk{{Name: "sda", Serial: "WD-1", Size: 8 << 30, Type: "hdd"}}}}
	r.apply(&pool.Change{Machines: []*pool.Machine{row}})
	return *row
}

func (r *rig) apply(c *pool.Change) {
	r.t.Helper()
	if err := r.Store.Apply(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}

// edit changes a machine's row.
func (r *rig) edit(id string, f func(*pool.Machine)) pool.Machine {
	r.t.Helper()
	m, err := r.Store.Machine(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	f(&m)
	r.apply(&pool.Change{Machines: []*pool.Machine{&m}})
	return m
}

// agentKey is a key as an agent makes it.
type agentKey struct {
	private ed25519.PrivateKey
	csr     string
	print   string
}

func newAgentKey(t testing.TB) agentKey {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		t.Fatal(err)
	}
	return seededKey(t, seed)
}

func seededKey(t testing.TB, seed []byte) agentKey {
	t.Helper()
	private := ed25519.NewKeyFromSeed(seed)
	spki, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, private)
	if err != nil {
		t.Fatal(err)
	}
	return agentKey{private, string(encodePEM("CERTIFICATE REQUEST", der)), keyFingerprint(spki)}
}

// agent returns a client that proves itself with cert for k ("" for none).
func (r *rig) agent(k agentKey, cert string) *client.Client {
	r.t.Helper()
	c := r.client("")
	if cert != "" {
		der, err := x509.MarshalPKCS8PrivateKey(k.private)
		if err != nil {
			r.t.Fatal(err)
		}
		pair, err := tls.X509KeyPair([]byte(cert), encodePEM("PRIVATE KEY", der))
		if err != nil {
			r.t.Fatal(err)
		}
		c.SetCertificate(&pair)
	}
	return c
}

func (r *rig) certificate(machine string, k agentKey, at time.Time) string {
	r.t.Helper()
	csr, _, err := parseCSR(k.csr)
	if err != nil {
		r.t.Fatal(err)
	}
	cert, err := r.CA.agentCertificate(machine, csr, at)
	if err != nil {
		r.t.Fatal(err)
	}
	return cert
}

func (f *fakeEngine) AddHosts(_ context.Context, o pool.HostOptions, by string) ([]pool.Machine, error) {
	return nil, f.called("add hosts", fmt.Sprint(len(o.Nodes)), by)
}

func (f *fakeEngine) RemoveHost(_ context.Context, host, by string) (pool.Machine, error) {
	return pool.Machine{ID: host, Name: host, Driver: pool.DriverSSH, Phase: pool.Retired}, f.called("remove host", host, by)
}
