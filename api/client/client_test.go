package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func serve(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := client.New(client.Options{URL: srv.URL, Token: "secret-token"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		code int
		body string
		want error
		text string
	}{
		{400, `{"title":"Bad Request","detail":"invalid: name"}`, pool.ErrInvalid, "invalid: name"},
		{422, `{"title":"x","detail":"validation failed","errors":["body.action: unknown"]}`, pool.ErrInvalid, "validation failed: body.action: unknown"},
		{404, `{"title":"Not Found"}`, pool.ErrNotFound, "Not Found"},
		{410, `{"detail":"gone"}`, pool.ErrNotFound, "gone"},
		{409, `{"detail":"busy"}`, pool.ErrConflict, "busy"},
		{503, `<html>`, pool.ErrUnavailable, "answered 503 Service Unavailable"},
		{401, ``, client.ErrDenied, "answered 401 Unauthorized"},
		{403, `{"detail":"viewer"}`, client.ErrDenied, "viewer"},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.code)
			_, _ = w.Write([]byte(tt.body))
		})
		_, err := c.Version(t.Context())
		if !errors.Is(err, tt.want) || err.Error() != tt.text {
			t.Errorf("%d %s: %v, want %q of kind %v", tt.code, tt.body, err, tt.text, tt.want)
		}
	}
}

func TestNotAnswering(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	c, err := client.New(client.Options{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Version(t.Context()); !errors.Is(err, pool.ErrUnavailable) {
		t.Errorf("closed port = %v, want unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Version(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled call = %v, want canceled", err)
	}
}

func TestStreamEnds(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Last-Event-ID"); got != "41" {
			t.Errorf("Last-Event-ID = %q, want 41", got)
		}
		_, _ = w.Write([]byte("retry: 1\nid: 41\n\n: beat\n\nid: 42\nevent: event\ndata: {\"event\":{\"seq\":42}}\n\n"))
	})
	var got []int64
	err := c.Stream(t.Context(), 41, func(m wire.StreamMessage) error {
		got = append(got, m.Event.Seq)
		return nil
	})
	if !errors.Is(err, pool.ErrUnavailable) || len(got) != 1 || got[0] != 42 {
		t.Errorf("Stream = %v after %v, want 42 and unavailable", err, got)
	}
}

func TestWait(t *testing.T) {
	n := 0
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable) // it restarts
			return
		}
		_, _ = w.Write([]byte(`{"id":"m-1","phase":"ready"}`))
	})
	m, err := c.WaitMachine(t.Context(), "m-1", func(m wire.Machine) (bool, error) { return m.Phase == pool.Ready, nil })
	if err != nil || m.ID != "m-1" {
		t.Errorf("WaitMachine = %+v, %v", m, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []client.Options{{URL: ""}, {URL: "ftp://x"}, {URL: "https://x", CAPEM: []byte("x")}, {URL: "https://x", Fingerprint: "zz"}} {
		if _, err := client.New(o); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("New(%+v) = %v, want invalid", o, err)
		}
	}
}

// TestBootPaths: the calls go to the API, not to the console's files.
func TestBootPaths(t *testing.T) {
	var asked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		_, _ = w.Write([]byte(`{"models":[{"key":"nic 52:54:00"}]}`))
	})
	for _, f := range []func(context.Context) (wire.BootPaths, error){
		c.BootPaths,
		func(ctx context.Context) (wire.BootPaths, error) { return c.PinBootPath(ctx, wire.PinPath{}) },
		func(ctx context.Context) (wire.BootPaths, error) { return c.ImportBootPaths(ctx, wire.BootPaths{}) },
	} {
		if p, err := f(t.Context()); err != nil || len(p.Models) != 1 {
			t.Errorf("%+v, %v", p, err)
		}
	}
	want := []string{"GET /api/v1/boot/paths", "POST /api/v1/boot/paths/pin", "POST /api/v1/boot/paths"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}
