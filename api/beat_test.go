package api

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// beatStream opens the stream of beats of an agent and returns the answer's
// status line.
func beatStream(t *testing.T, r *rig, m pool.Machine, key agentKey, boot string) (*tls.Conn, string) {
	t.Helper()
	block := r.certificate(m.ID, key, time.Now())
	cert, err := tls.X509KeyPair([]byte(block), keyPEM(t, key))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(r.CA.PEM()))
	d := tls.Dialer{Config: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}}
	host := strings.TrimPrefix(r.url, "https://")
	c, err := d.DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, "GET "+wire.PathBeat+"?boot="+boot+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: "+wire.BeatProtocol+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return c.(*tls.Conn), strings.TrimSpace(line)
}

func keyPEM(t *testing.T, k agentKey) []byte {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}

func TestBeats(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key := newAgentKey(t)
	r.edit(m.ID, func(m *pool.Machine) { m.Key = key.print })
	conn, status := beatStream(t, r, m, key, "boot-1")
	if status != "HTTP/1.1 101 Switching Protocols" {
		t.Fatalf("answer %q", status)
	}
	before := r.engine.beats.Load()
	for range 3 {
		if _, err := conn.Write([]byte{'.'}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for end := time.Now().Add(5 * time.Second); r.engine.beats.Load() < before+3; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d beats arrived, want 3", r.engine.beats.Load()-before)
		}
	}
	if _, status := beatStream(t, r, m, key, "boot-0"); !strings.Contains(status, "409") {
		t.Errorf("beat of an unknown boot: %q, want 409", status)
	}
}

func TestWatchReports(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	key := newAgentKey(t)
	r.edit(m.ID, func(m *pool.Machine) { m.Key = key.print })
	c := r.agent(key, r.certificate(m.ID, key, time.Now()))
	report := pool.WatchReport{Watch: "in-1/watch/1", BootID: "boot-1", State: pool.WatchStopped, Why: "its processes are dead", At: time.Now()}
	if err := c.Watched(t.Context(), report); err != nil {
		t.Errorf("Watched: %v", err)
	}
	if _, err := r.Store.SetAttribute(t.Context(), pool.Attribute{Scope: "global", Name: "password", Value: `"hush-hush\nline two"`, Secret: true}, nil); err != nil {
		t.Fatal(err)
	}
	report.Evidence = "it printed last: login hush-hush refused | line two"
	if err := c.Watched(t.Context(), report); err != nil {
		t.Errorf("Watched: %v", err)
	}
	if said := strings.Join(r.engine.calls, "\n"); strings.Contains(said, "hush-hush") || strings.Contains(said, "line two") || !strings.Contains(said, "login ******** refused") {
		t.Errorf("the engine was told: %s", said)
	}
	r.engine.taskErr = pool.ErrNotFound
	if err := c.Watched(t.Context(), report); err == nil {
		t.Error("a watch that has ended was taken")
	}
	r.engine.taskErr = nil
	report.Why = "a\x1b[31m"
	if err := c.Watched(t.Context(), report); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("Watched with a control character = %v, want ErrInvalid", err)
	}
}

// TestMaintainByAgent: only of the instance that the machine has now.
func TestMaintainByAgent(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	r.apply(&pool.Change{Instances: []*pool.Instance{{ID: "in-1", Service: "db", Number: 1, Machine: m.ID}, {ID: "in-old", Service: "gone", Number: 1, Machine: m.ID}}})
	m.Instance = "in-1"
	ask := func(instance string) error {
		body := strings.NewReader(`{"instance":"` + instance + `","seconds":60}`)
		return r.maintain(echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), "POST", wire.PathMaintain, body), httptest.NewRecorder()), m)
	}
	if err := ask("in-1"); err != nil {
		t.Errorf("maintenance of its own: %v", err)
	}
	if err := ask("in-old"); err == nil {
		t.Error("maintenance of what it had once was begun")
	}
}

func TestHealingAPI(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	r.apply(&pool.Change{Services: []*pool.Service{{Name: "db", Phase: pool.ServiceRecovering, Instances: 1}}})
	c, ctx := r.client(pool.Operator), t.Context()
	s, err := c.StopHealing(ctx, wire.StopHealingRequest{Why: "new switch"})
	if err != nil || !s.Stopped || s.Why != "new switch" {
		t.Errorf("StopHealing = %+v, %v", s, err)
	}
	if s, err = c.Healing(ctx); err != nil || !s.Stopped {
		t.Errorf("Healing = %+v, %v", s, err)
	}
	if s, err = c.ResumeHealing(ctx); err != nil || s.Stopped {
		t.Errorf("ResumeHealing = %+v, %v", s, err)
	}
	if _, err := c.ReinstallService(ctx, "db", wire.ReinstallRequest{Instance: 1}); err != nil {
		t.Errorf("ReinstallService: %v", err)
	}
	if _, err := c.TakeAsDone(ctx, "db"); err != nil {
		t.Errorf("TakeAsDone: %v", err)
	}
	if _, err := c.RecoverService(ctx, "db", wire.RecoverRequest{WithoutData: true}); err != nil {
		t.Errorf("RecoverService: %v", err)
	}
	if _, err := c.Fence(ctx, "m-1"); err != nil {
		t.Errorf("Fence: %v", err)
	}
	if _, err := c.MaintainService(ctx, "db", wire.MaintenanceRequest{Seconds: 60, Reason: "memory"}); err != nil {
		t.Errorf("MaintainService: %v", err)
	}
	if _, err := c.EndServiceMaintenance(ctx, "db"); err != nil {
		t.Errorf("EndServiceMaintenance: %v", err)
	}
	if _, err := c.MaintainMachine(ctx, m.Name, wire.MaintenanceRequest{}); err != nil {
		t.Errorf("MaintainMachine: %v", err)
	}
	if _, err := c.EndMachineMaintenance(ctx, m.Name); err != nil {
		t.Errorf("EndMachineMaintenance: %v", err)
	}
	if _, err := c.MaintainService(ctx, "no", wire.MaintenanceRequest{}); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("MaintainService of none = %v, want ErrNotFound", err)
	}
	calls := strings.Join(r.engine.calls, "\n")
	for _, want := range []string{"recover db operator true false", "fence m-1 operator", "maintain db operator memory 1m0s", "unmaintain db operator", "maintain m-1 operator  0s"} {
		if !strings.Contains(calls, want) {
			t.Errorf("calls lack %q:\n%s", want, calls)
		}
	}
	if code, _, _ := r.raw(http.MethodPost, "/api/v1/healing/stop", r.tokens[pool.Viewer], strings.NewReader("{}"), nil); code != http.StatusForbidden {
		t.Errorf("a viewer stops healing: %d", code)
	}
}
