package rack_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"appliance/rack"
)

// demo is the demo as the test runs it: one BIOS and one UEFI machine.
func demo(ctx context.Context) error {
	d := rack.Demo{
		Machines: 2, UEFI: 1,
		Appliance: os.Getenv("APPLIANCE_BIN"), Image: os.Getenv("APPLIANCE_IMAGE"), Packages: os.Getenv("APPLIANCE_PACKAGES"),
		Accel: os.Getenv("RACK_ACCEL"), Out: os.Stdout,
		Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
	}
	d.Console, d.ConsoleAddr = rack.WorldConsole()
	dir, _ := rack.Inside()
	d.Answered = func() error { return say(dir, "answered", d.Endpoint()) }
	return d.Run(ctx)
}

// TestE2E is the whole way of make demo: from power-on to a database that
// answers, with the console reachable from the host.
func TestE2E(t *testing.T) {
	e2e(t)
	for _, name := range []string{"APPLIANCE_BIN", "APPLIANCE_IMAGE"} {
		if os.Getenv(name) == "" {
			t.Fatalf("%s is not set; run make e2e", name)
		}
	}
	console, addr, err := rack.ListenConsole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close() //nolint:errcheck // the appliance has its own
	f, code, cancel := world(t, "demo", console)
	t.Cleanup(func() { // before the folder goes
		if t.Failed() {
			show(t, filepath.Join(f.Dir, "appliance.log"))
			logs, _ := filepath.Glob(filepath.Join(f.Dir, "m*", "console.log"))
			for _, l := range logs {
				show(t, l)
			}
		}
	})
	for answered := filepath.Join(f.Dir, "answered"); ; time.Sleep(200 * time.Millisecond) {
		if _, err := os.Stat(answered); err == nil {
			break
		}
		select {
		case got := <-code:
			t.Fatalf("the demo ended with %d before an answer", got)
		default: // every stage of it has a deadline
		}
	}
	if err := getConsole(t.Context(), addr, filepath.Join(f.Dir, "data", "ca", "ca.pem")); err != nil {
		t.Errorf("console from the host: %v", err)
	}
	cancel()
	select {
	case got := <-code:
		if got != 0 {
			t.Errorf("exit code %d", got)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the rack does not come down")
	}
}

func getConsole(ctx context.Context, addr, ca string) (err error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("CA is no PEM")
	}
	c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+addr+"/", nil)
	if err != nil {
		return err
	}
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", res.Status)
	}
	return nil
}

// show logs the end of a file.
func show(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	t.Logf("%s (%v):\n%s", path, err, b[max(0, len(b)-6000):])
}
