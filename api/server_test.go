package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func TestProblems(t *testing.T) {
	r := newRig(t)
	r.add("m-1", "52:54:00:00:00:01")
	c := r.client(pool.Operator)
	for _, tt := range []struct {
		err  error
		code int
		kind error
		text string
	}{
		{fmt.Errorf("%w: image x", pool.ErrInvalid), 400, pool.ErrInvalid, "invalid: image x"},
		{fmt.Errorf("inspect: %w: it", pool.ErrNotFound), 404, pool.ErrNotFound, "inspect: not found: it"},
		{fmt.Errorf("%w: busy", pool.ErrConflict), 409, pool.ErrConflict, "conflict: busy"},
		{fmt.Errorf("%w: no machine", pool.ErrUnavailable), 503, pool.ErrUnavailable, "unavailable: no machine"},
		{errors.New("open /var/lib/x: secret path"), 500, nil, "internal error"},
	} {
		r.engine.err = tt.err
		_, err := c.Inspect(t.Context(), "m-1")
		var e *client.Error
		if !errors.As(err, &e) || e.Status != tt.code || e.Error() != tt.text || tt.kind != nil && !errors.Is(err, tt.kind) {
			t.Errorf("engine error %q: client sees %v (%+v), want %d %q", tt.err, err, e, tt.code, tt.text)
		}
	}
	if !strings.Contains(r.logs.String(), "secret path") {
		t.Error("the internal error is not in the log")
	}
	code, body, h := r.raw("GET", "/api/v1/nothing", r.tokens[pool.Viewer], nil, nil)
	if code != 404 || h.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"status":404`) {
		t.Errorf("unknown endpoint = %d %s %s", code, h.Get("Content-Type"), body)
	}
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Strict-Transport-Security", "Referrer-Policy"} {
		if h.Get(name) == "" {
			t.Errorf("answer lacks %s", name)
		}
	}
}

func TestBadInput(t *testing.T) {
	r := newRig(t)
	r.add("m-1", "52:54:00:00:00:01")
	admin := r.tokens[pool.Admin]
	for _, tt := range []struct {
		name, method, path, body string
		code                     int
		want                     string
	}{
		{"unknown field", "POST", "/api/v1/machines/m-1/power", `{"action":"on","force":true}`, 422, "force"},
		{"unknown value", "POST", "/api/v1/machines/m-1/power", `{"action":"explode"}`, 422, "action"},
		{"unknown parameter", "GET", "/api/v1/events?machin=x", "", 422, "machin"},
		{"not JSON", "POST", "/api/v1/services", `{`, 400, ""},
		{"no recipe", "POST", "/api/v1/services", `{}`, 400, "recipe"},
		{"unknown recipe", "POST", "/api/v1/services", `{"recipe":"mysq"}`, 404, "mysq"},
		{"host name", "POST", "/api/v1/machines/m-1/accept", `{"name":"a\nb"}`, 400, "name"},
		{"tags", "POST", "/api/v1/machines/m-1/accept", `{"tags":["a\u001b[31m"]}`, 400, "tags"},
		{"wipe without a name", "POST", "/api/v1/machines/m-1/wipe", `{"confirm":""}`, 400, "node-m-1"},
		{"release with wipe without a name", "POST", "/api/v1/machines/m-1/release", `{"wipe":true}`, 400, "node-m-1"},
		{"large body", "POST", "/api/v1/machines/m-1/power", `{"action":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "1.0 MiB"},
		{"large hello", "POST", wire.PathHello, `{"version":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "512.0 KiB"},
		{"template of another name", "PUT", "/api/v1/templates/A", `{"name":"B"}`, 400, "B"},
		{"template name", "PUT", "/api/v1/templates/..", `{"name":".."}`, 400, "letter first"},
		{"stream position", "GET", "/api/v1/stream?after=x", "", 400, "position"},
		{"a recipe that is none", "POST", "/api/v1/recipes", "garbage", 400, "no recipe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var body io.Reader
			if tt.body != "" {
				body = strings.NewReader(tt.body)
			}
			code, got, h := r.raw(tt.method, tt.path, admin, body, nil)
			if code != tt.code || !strings.Contains(got, tt.want) || h.Get("Content-Type") != "application/problem+json" {
				t.Errorf("= %d %s %.300s, want %d naming %q", code, h.Get("Content-Type"), got, tt.code, tt.want)
			}
		})
	}
	if len(r.engine.calls) != 0 {
		t.Errorf("the engine was asked %q", r.engine.calls)
	}
	err := func() error {
		_, err := r.client(pool.Admin).UploadRecipe(t.Context(), io.LimitReader(zeros{}, recipeBody+1))
		return err
	}()
	if !errors.Is(err, pool.ErrInvalid) && !errors.Is(err, pool.ErrUnavailable) {
		t.Errorf("a recipe of more than 100 MB = %v, want it refused", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestRoundTrip calls what the other tests do not, by the client.
func TestRoundTrip(t *testing.T) {
	r := newRig(t)
	r.add("m-1", "52:54:00:00:00:01")
	ctx, c := t.Context(), r.client(pool.Admin)
	ok := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	ok("Health", c.Health(ctx))
	o, err := c.Overview(ctx)
	ok("Overview", err)
	if o.Machines[pool.Discovered] != 1 || len(o.Attention) != 1 || o.Attention[0].Action != "accept" {
		t.Errorf("overview = %+v", o)
	}
	if v, err := c.Version(ctx); err != nil || v.Version != "1.2.3" || v.Schema == 0 {
		t.Errorf("Version = %+v, %v", v, err)
	}
	_, err = c.Subnets(ctx)
	ok("Subnets", err)
	_, err = c.Leases(ctx)
	ok("Leases", err)
	for _, id := range []string{"m-1", "node-m-1", "52:54:00:00:00:01"} {
		m, err := c.Machine(ctx, id)
		if err != nil || m.ID != "m-1" || m.Sentence == "" || !cmp.Equal(m.Unwiped, []string{"WD-1"}) || !cmp.Equal(m.Allowed, []pool.OpKind{pool.OpEnrol, pool.OpAdopt, pool.OpRetire}) {
			t.Errorf("Machine(%s) = %+v, %v", id, m, err)
		}
	}
	all, err := c.Machines(ctx)
	if err != nil || len(all) != 1 {
		t.Errorf("Machines = %d, %v", len(all), err)
	}
	op, err := c.Accept(ctx, "node-m-1", wire.AcceptRequest{Name: "db-1"})
	if err != nil || op.Kind != pool.OpEnrol || !r.engine.took("accept m-1 admin db-1") {
		t.Errorf("Accept = %+v, %v, engine %q", op, err, r.engine.calls)
	}
	_, err = c.Power(ctx, "m-1", wire.PowerRequest{Action: pool.DoPowerOn})
	ok("Power", err)
	_, err = c.Wipe(ctx, "m-1", wire.WipeRequest{Confirm: "node-m-1"})
	ok("Wipe", err)
	_, err = c.WriteImage(ctx, "m-1", wire.ImageRequest{Image: "debian-12"})
	ok("WriteImage", err)
	_, err = c.Release(ctx, "m-1", wire.ReleaseRequest{Wipe: true, Confirm: "node-m-1"})
	ok("Release", err)
	_, err = c.Retire(ctx, "m-1")
	ok("Retire", err)
	_, err = c.Retry(ctx, "m-1")
	ok("Retry", err)
	if _, err := c.Cancel(ctx, "m-1"); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("Cancel of nothing = %v, want a conflict", err)
	}
	for _, call := range []string{"power m-1 admin", "wipe m-1 admin", "deploy m-1 admin", "release m-1 admin", "retire m-1 admin", "retry m-1 admin"} {
		if !r.engine.took(call) {
			t.Errorf("engine was not asked %q", call)
		}
	}
	_, err = c.AddHosts(ctx, wire.HostsRequest{Nodes: []wire.HostNodes{{ID: "n{0}", Range: "10.0.0.1-10.0.0.3"}}, HostLogin: wire.HostLogin{User: "root", Password: "x"}})
	ok("AddHosts", err)
	if code, body, _ := r.raw("POST", "/api/v1/hosts", r.tokens[pool.Operator], strings.NewReader(`{"local":true}`), nil); code != 403 || !strings.Contains(body, "only an admin") {
		t.Errorf("an operator adds the appliance's own host = %d %s", code, body)
	}
	h, err := c.RemoveHost(ctx, "h-1")
	ok("RemoveHost", err)
	if h.State != pool.HostTerminated || !r.engine.took("add hosts 3 admin") || !r.engine.took("remove host h-1 admin") {
		t.Errorf("RemoveHost = %+v, engine %q", h, r.engine.calls)
	}
	if hosts, err := c.Hosts(ctx); err != nil || len(hosts) != 0 {
		t.Errorf("Hosts = %+v, %v; metal is no host", hosts, err)
	}
	_, err = c.Boot(ctx, "m-1")
	ok("Boot", err)
	_, err = c.MachineLog(ctx, "m-1", pool.EventFilter{Last: true, Limit: 5})
	ok("MachineLog", err)
	_, err = c.ConsoleLog(ctx, "m-1", pool.LogFilter{})
	ok("ConsoleLog", err)
	r.catalogue(c)
}

// catalogue goes on with recipes, services, templates and images.
func (r *rig) catalogue(c *client.Client) {
	ctx, t := r.t.Context(), r.t
	ok := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	recipe, err := c.UploadRecipe(ctx, strings.NewReader("recipe"))
	ok("UploadRecipe", err)
	got, err := c.Recipe(ctx, recipe.Digest)
	if err != nil || got.Name != "mysql" {
		t.Errorf("Recipe = %+v, %v", got, err)
	}
	if _, err := c.Recipe(ctx, "mysqll"); !errors.Is(err, pool.ErrNotFound) || !strings.Contains(err.Error(), "is it mysql?") {
		t.Errorf("Recipe(mysqll) = %v, want a suggestion", err)
	}
	list, err := c.Recipes(ctx)
	if err != nil || len(list) != 1 {
		t.Errorf("Recipes = %v, %v", list, err)
	}
	svc, err := c.Deploy(ctx, wire.DeployRequest{Recipe: "mysql"})
	if err != nil || svc.Name != "mysql" || !r.engine.took("deploy mysql admin") {
		t.Errorf("Deploy = %+v, %v", svc, err)
	}
	r.apply(&pool.Change{Services: []*pool.Service{{Name: "mysql", Phase: pool.ServiceRunning, Instances: 1, CreatedAt: time.Now().UTC()}},
		Instances: []*pool.Instance{{ID: "in-1", Service: "mysql", Number: 1, Phase: pool.InstanceRunning, Endpoint: "10.0.0.1:3306"}}})
	svcs, err := c.Services(ctx)
	if err != nil || len(svcs) != 1 || !cmp.Equal(svcs[0].Endpoints, []string{"10.0.0.1:3306"}) || svcs[0].Sentence != "Running: 1 instance." {
		t.Errorf("Services = %+v, %v", svcs, err)
	}
	_, err = c.ServiceLogs(ctx, "mysql", pool.LogFilter{Limit: 5, Last: true})
	ok("ServiceLogs", err)
	_, err = c.RetryService(ctx, "mysql")
	ok("RetryService", err)
	if _, err := c.Remove(ctx, "mysql", wire.RemoveRequest{Wipe: "other"}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("Remove with a wrong name = %v, want invalid", err)
	}
	_, err = c.Remove(ctx, "mysql", wire.RemoveRequest{Wipe: "mysql"})
	ok("Remove", err)
	want := pool.Template{Name: "TINY", Cores: 1}
	if tpl, err := c.PutTemplate(ctx, want); err != nil || !cmp.Equal(tpl, want) {
		t.Errorf("PutTemplate = %+v, %v", tpl, err)
	}
	if tpl, err := c.Template(ctx, "TINY"); err != nil || !cmp.Equal(tpl, want) {
		t.Errorf("Template = %+v, %v", tpl, err)
	}
	templates, err := c.Templates(ctx)
	if err != nil || len(templates) != len(pool.Shipped())+1 {
		t.Errorf("Templates = %d, %v; want the shipped ones and TINY", len(templates), err)
	}
	_, err = c.UploadImage(ctx, "debian-12", strings.NewReader("disk"), -1)
	ok("UploadImage", err)
	if im, err := c.Images(ctx); err != nil || len(im) != 1 || im[0].Frames != nil {
		t.Errorf("Images = %+v, %v", im, err)
	}
	ok("DeleteImage", c.DeleteImage(ctx, "debian-12"))
	if s, err := c.Session(ctx); err != nil || s.Role != pool.Admin {
		t.Errorf("Session = %+v, %v", s, err)
	}
	tokens, err := c.Tokens(ctx)
	if err != nil || len(tokens) != 3 {
		t.Errorf("Tokens = %+v, %v", tokens, err)
	}
}

func TestFingerprint(t *testing.T) {
	r := newRig(t)
	ca, print, err := client.FetchCA(t.Context(), r.url, r.CA.Fingerprint())
	if err != nil || print != r.CA.Fingerprint() || string(ca) != string(r.CA.PEM()) {
		t.Errorf("FetchCA = %q, %v", print, err)
	}
	if _, _, err := client.FetchCA(t.Context(), r.url, strings.Repeat("00", 32)); !errors.Is(err, client.ErrDenied) {
		t.Errorf("FetchCA of another appliance = %v, want denied", err)
	}
	c, err := client.New(client.Options{URL: r.url, Token: r.tokens[pool.Viewer], Fingerprint: r.CA.Fingerprint()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Version(t.Context()); err != nil {
		t.Errorf("call that knows only the fingerprint: %v", err)
	}
	plain, err := client.New(client.Options{URL: r.url})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.Version(t.Context()); !errors.Is(err, client.ErrDenied) {
		t.Errorf("call without the CA = %v, want denied", err)
	}
}

func TestCA(t *testing.T) {
	dir := t.TempDir()
	ca, err := OpenCA(dir, "10.77.0.1", "appliance.local")
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenCA(dir, "10.77.0.1")
	if err != nil || again.Fingerprint() != ca.Fingerprint() {
		t.Errorf("opened again: %v, another CA", err)
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("ca-key.pem has mode %v, %v", info.Mode(), err)
	}
	now := time.Now()
	first, err := ca.serverCertificate(now)
	if err != nil || first.Leaf.VerifyHostname("10.77.0.1") != nil || first.Leaf.VerifyHostname("appliance.local") != nil {
		t.Errorf("server certificate names %v %v, %v", first.Leaf.IPAddresses, first.Leaf.DNSNames, err)
	}
	if !first.Leaf.NotBefore.Equal(ca.cert.NotBefore) {
		t.Error("server certificate is not valid from the CA's first day")
	}
	if later, err := ca.serverCertificate(now.Add(serverLife * 3 / 4)); err != nil || later == first {
		t.Errorf("server certificate was not renewed in time: %v", err)
	}
	key, cert := filepath.Join(dir, "ca-key.pem"), filepath.Join(dir, "ca.pem")
	if err := os.Rename(cert, cert+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCA(dir); err == nil || !strings.Contains(err.Error(), "delete "+key) {
		t.Errorf("a CA's key without its certificate: %v; the error says what to do", err)
	}
	if err := errors.Join(os.Rename(cert+".away", cert), os.Remove(key)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCA(dir); err == nil {
		t.Error("a CA without its key was replaced")
	}
}

func TestFiles(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"/", 200, "console"}, {"/machines/m-1", 200, "console"}, {"/assets/app.js", 200, "let a;"}, {"/assets/none.js", 404, ""},
		{"/packages/dists/stable/Release", 200, "Origin"}, {"/packages/dists", 404, ""}, {"/packages/", 404, ""},
		{"/packages/.apt/status", 404, ""}, {"/packages/pool/.b.deb", 404, ""},
		{"/packages/../ca-key.pem", 404, ""}, {"/packages/%2e%2e/ca-key.pem", 404, ""}, {"/packages/..%2fca-key.pem", 404, ""},
		{"/packages/pool//a.deb", 404, ""}, {"/packages//etc/passwd", 404, ""}, {"/packages/pool%5c..%5ca.deb", 404, ""},
		{"/../ca-key.pem", 404, ""}, {"/%2e%2e/%2e%2e/etc/passwd", 404, ""}, {"/..%2f..%2fetc/passwd", 404, ""},
		{"/api/v2/machines", 404, "not found"}, {"/agent/v9", 404, "not found"}, {"/healthz", 200, "ok"}, {"/openapi.yaml", 200, "openapi: 3.1"},
	} {
		code, body, _ := r.raw("GET", tt.path, "", nil, func(req *http.Request) { req.URL.Opaque = tt.path })
		if code != tt.code || !strings.Contains(body, tt.want) || strings.Contains(body, "PRIVATE KEY") {
			t.Errorf("GET %s = %d %.100q, want %d with %q", tt.path, code, body, tt.code, tt.want)
		}
	}
	_, body, h := r.raw("GET", "/assets/app.js", "", nil, func(req *http.Request) { req.Header.Set("Accept-Encoding", "gzip") })
	if h.Get("Content-Encoding") != "gzip" || len(body) > 500 || !strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Errorf("script: encoding %q, %d bytes, %q", h.Get("Content-Encoding"), len(body), h.Get("Cache-Control"))
	}
	r.Server.Console = nil
	rec := httptest.NewRecorder()
	r.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), "without its console") {
		t.Errorf("no console = %d %s", rec.Code, rec.Body)
	}
}

func TestStream(t *testing.T) {
	r := newRig(t)
	say := func(n int) {
		r.apply(&pool.Change{Events: []*pool.Event{{At: time.Now().UTC(), Type: "test", Severity: pool.Info, Message: fmt.Sprint(n)}}})
	}
	say(1)
	say(2)
	c := r.client(pool.Viewer)
	enough := errors.New("enough")
	var seqs []int64
	var texts []string
	read := func(after int64, n int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		err := c.Stream(ctx, after, func(m wire.StreamMessage) error {
			if m.Event == nil {
				return nil
			}
			seqs, texts = append(seqs, m.Event.Seq), append(texts, m.Event.Message)
			if len(texts) == 1 {
				say(3) // while it listens
			}
			if len(texts) >= n {
				return enough
			}
			return nil
		})
		if err != enough {
			t.Fatalf("Stream = %v", err)
		}
	}
	read(0, 2)
	read(seqs[1], 3)
	if want := []string{"1", "2", "3"}; !cmp.Equal(texts, want) {
		t.Errorf("events = %q, want %q: none lost, none twice", texts, want)
	}
}

// TestStreamKinds reads the stream as a browser does.
func TestStreamKinds(t *testing.T) {
	r := newRig(t)
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.tokens[pool.Viewer])
	tr := &http.Transport{TLSClientConfig: r.CA.TLS().Clone()}
	tr.TLSClientConfig.InsecureSkipVerify = true
	defer tr.CloseIdleConnections()
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && lines.Text() != "" { // the start: retry and position
	}
	r.Feed.PublishBoot(pool.BootEvent{Stage: pool.StageLease})
	r.Feed.PublishLog(pool.LogLine{Line: "hello"})
	r.engine.lives <- pool.LiveUpdate{Machine: "m-1", Live: pool.LiveState{Agent: pool.InRAM}}
	got := map[string]bool{}
	for len(got) < 3 && lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			got[name] = true
		}
		if strings.HasPrefix(lines.Text(), "id:") {
			t.Errorf("a message that is not stored has %s", lines.Text())
		}
	}
	if want := map[string]bool{"boot": true, "log": true, "live": true}; !cmp.Equal(got, want) {
		t.Errorf("messages = %v, want %v", got, want)
	}
}

// quietStore has no events, and a token while it is valid.
type quietStore struct {
	Store
	valid time.Time
}

func (q *quietStore) Watch() (<-chan struct{}, func()) { return nil, func() {} }
func (q *quietStore) Events(context.Context, pool.EventFilter) ([]pool.Event, error) {
	return nil, nil
}
func (q *quietStore) UsedToken(context.Context, pool.APIToken) error { return nil }
func (q *quietStore) TokenByHash(context.Context, string) (pool.APIToken, error) {
	return pool.APIToken{Name: "v", Role: pool.Viewer, Expires: q.valid}, nil
}

// TestHeartbeat: a comment every 15 s, until the token is no longer valid.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Store: &quietStore{valid: time.Now().Add(50 * time.Second)}, Engine: &fakeEngine{}}
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		req.Header.Set("Authorization", "Bearer x")
		rec := httptest.NewRecorder()
		start := time.Now()
		err := s.stream(echo.New().NewContext(req, rec), 7)
		if n := strings.Count(rec.Body.String(), ": beat\n\n"); err == nil || n != 3 || time.Since(start) != 60*time.Second {
			t.Errorf("stream ended with %v after %s and %d beats; want 3 beats, and the end at the fourth", err, time.Since(start), n)
		}
		if !strings.Contains(rec.Body.String(), "id: 7\n") {
			t.Errorf("stream begins %q, want its position", rec.Body)
		}
	})
}
