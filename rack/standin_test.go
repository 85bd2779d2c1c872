package rack_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/rack"
)

// standIn is "appliance serve" for a test of the demo itself: an API whose one
// machine is ready when it is looked at for the fourth time, and whose service
// answers to nobody.
func standIn(ctx context.Context) error {
	if os.Getenv("LISTEN_FDS") != "1" || os.Getenv("LISTEN_FDNAMES") != "console" || os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("no console is passed: LISTEN_PID=%s of %d", os.Getenv("LISTEN_PID"), os.Getpid())
	}
	console, err := net.FileListener(os.NewFile(3, "console"))
	if err != nil {
		return err
	}
	config, err := os.ReadFile(os.Args[3])
	if err != nil {
		return err
	}
	data, _, _ := strings.Cut(strings.TrimPrefix(string(config), "data: "), "\n")
	if data, err = strconv.Unquote(data); err != nil {
		return err
	}
	cert, err := selfSigned(data)
	if err != nil {
		return err
	}
	rackSide, err := new(net.ListenConfig).Listen(ctx, "tcp", "10.77.0.1:8443")
	if err != nil {
		return err
	}
	s := http.Server{Handler: standInAPI(), ReadHeaderTimeout: time.Minute, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	failed := make(chan error, 2)
	for _, l := range []net.Listener{rackSide, console} {
		go func() { failed <- s.ServeTLS(l, "", "") }()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return s.Close()
	}
}

func standInAPI() http.Handler {
	mux := http.NewServeMux()
	var looks atomic.Int32
	answer := func(path string, v func() any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(v()); err != nil {
				panic(http.ErrAbortHandler)
			}
		})
	}
	mac, _ := pool.ParseMAC("02:00:00:00:00:01")
	answer("/healthz", func() any { return struct{}{} })
	answer("/api/v1/images/debian-12", func() any { return pool.Image{} })
	answer("/api/v1/machines", func() any {
		m := wire.Machine{Machine: pool.Machine{ID: "a", MACs: []pool.MAC{mac}, Phase: pool.Discovered}}
		if looks.Add(1) > 3 {
			m.Phase, m.Facts = pool.Ready, &pool.Facts{}
		}
		return []wire.Machine{m}
	})
	service := func() any {
		return wire.Service{Service: pool.Service{Name: "mysql", Phase: pool.ServiceRunning}, Endpoints: []string{"127.0.0.1:1"}}
	}
	answer("/api/v1/services", service)
	answer("/api/v1/services/mysql", service)
	mux.HandleFunc("/api/v1/services/mysql/attributes/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"title":"not found","status":404,"detail":"no such attribute"}`))
	})
	return mux
}

func selfSigned(data string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{{10, 77, 0, 1}, {127, 0, 0, 1}},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	err = errors.Join(
		os.MkdirAll(filepath.Join(data, "ca"), 0o700),
		os.WriteFile(filepath.Join(data, "ca", "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(filepath.Join(data, "admin.token"), []byte("token\n"), 0o600),
	)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// demoOfStandIn expects the demo to come as far as the database and to say
// that it does not answer.
func demoOfStandIn(ctx context.Context) error {
	dir, _ := rack.Inside()
	image := filepath.Join(dir, "image")
	if err := os.WriteFile(image, make([]byte, 1<<20), 0o644); err != nil {
		return err
	}
	if err := os.Setenv(roleEnv, "standIn"); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	d := rack.Demo{Machines: 1, MemoryMB: 256, Appliance: self, Image: image, Out: &out, Exit: true}
	d.Console, d.ConsoleAddr = rack.WorldConsole()
	err = d.Run(ctx)
	var stage *rack.StageError
	if !errors.As(err, &stage) || stage.Stage != "query" || !strings.Contains(err.Error(), "ask 127.0.0.1:1: select version") {
		return fmt.Errorf("demo = %w, want a failed query\n%s", err, out.String())
	}
	for _, want := range []string{"m0 bios off", "m0 bios discovered", "m0 bios ready", "All 1 machines are ready.", "service mysql running"} {
		if !strings.Contains(out.String(), want) {
			return fmt.Errorf("the screen lacks %q:\n%s", want, out.String())
		}
	}
	return nil
}

func TestDemoOfStandIn(t *testing.T) {
	e2e(t)
	console, _, err := rack.ListenConsole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close() //nolint:errcheck // nobody connects
	_, code, _ := world(t, "demoOfStandIn", console)
	if got := <-code; got != 0 {
		t.Errorf("exit code %d; what went wrong is above", got)
	}
}
