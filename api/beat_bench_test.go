package api

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// beatClients is what the process of the agents is told.
type beatClients struct {
	Host, CA, Cert, Key string
	N                   int
}

const beatClientsEnv = "API_BEAT_CLIENTS"

// TestBeatClients is the other process of BenchmarkBeats: agents, each with a
// stream of its own, that say a word every second until stdin ends.
func TestBeatClients(t *testing.T) {
	path := os.Getenv(beatClientsEnv)
	if path == "" {
		t.Skip("a part of BenchmarkBeats")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c beatClients
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair([]byte(c.Cert), []byte(c.Key))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(c.CA))
	d := tls.Dialer{Config: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}}
	for i := range c.N {
		conn, err := d.DialContext(t.Context(), "tcp", c.Host)
		if err != nil {
			t.Fatalf("agent %d: %v", i, err)
		}
		_, err = io.WriteString(conn, "GET "+wire.PathBeat+"?boot=boot-1 HTTP/1.1\r\nHost: "+c.Host+"\r\nConnection: Upgrade\r\nUpgrade: "+wire.BeatProtocol+"\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
			t.Fatalf("agent %d: %q, %v", i, line, err)
		}
		go func() { // ends with the process
			for range time.Tick(wire.BeatEvery) { // it ends with the process
				if _, err := conn.Write([]byte{'.'}); err != nil {
					return
				}
			}
		}()
	}
	if _, err := os.Stdout.WriteString("all there\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// BenchmarkBeats is what 5,000 agents that say a word a second cost the
// appliance: cores, and the memory of the process.
func BenchmarkBeats(b *testing.B) {
	const agents = 5000
	r := newRig(b)
	r.Log = slog.New(slog.DiscardHandler)
	m := r.add("m-1", "52:54:00:00:00:01")
	key := newAgentKey(b)
	r.edit(m.ID, func(m *pool.Machine) { m.Key = key.print })
	private, err := x509.MarshalPKCS8PrivateKey(key.private)
	if err != nil {
		b.Fatal(err)
	}
	text, err := json.Marshal(beatClients{Host: strings.TrimPrefix(r.url, "https://"), CA: string(r.CA.PEM()), N: agents,
		Cert: r.certificate(m.ID, key, time.Now()), Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))})
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "clients.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "TestBeatClients$")
	cmd.Env = append(os.Environ(), beatClientsEnv+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it ends with its stdin
	defer in.Close() //nolint:errcheck // that is all that is asked of it
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "all there") {
		b.Fatalf("agents: %q, %v", line, err)
	}
	time.Sleep(2 * time.Second)
	for b.Loop() {
		before, began, beats := cpu(b), time.Now(), r.engine.beats.Load()
		time.Sleep(10 * time.Second)
		took := time.Since(began)
		b.ReportMetric((cpu(b)-before).Seconds()/took.Seconds(), "cores")
		b.ReportMetric(float64(r.engine.beats.Load()-beats)/took.Seconds(), "beats/s")
		b.ReportMetric(float64(resident(b))/(1<<20), "MiB")
	}
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory of this process.
func resident(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(text))
	var pages int64
	for _, c := range f[1] {
		pages = pages*10 + int64(c-'0')
	}
	return pages * int64(os.Getpagesize())
}
