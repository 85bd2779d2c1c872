package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"appliance/api/wire"
	"appliance/pool"
)

// fakeAppliance speaks the agent's protocol from a script: a list of tasks.
type fakeAppliance struct {
	t    testing.TB
	srv  *httptest.Server
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
	done chan wire.Outcome
	todo chan wire.Assignment
	// errands are handed out to an agent that is busy; readings came back.
	errands  chan wire.Assignment
	readings chan pool.Readings
	watched  http.HandlerFunc // what an agent says of what it watches
	taken    map[string]int   // lines of output, by task

	mu      sync.Mutex
	welcome wire.Welcome // state, epoch
	accept  bool         // issue certificates
	hellos  []wire.Hello
	reports []wire.Report
	output  []string
	gone    map[string]bool // keys nobody wants
	attrs   map[string]wire.AttributeValue
	recipes map[string][]byte
	image   pool.Image
	frames  []byte
	spoil   func(offset int64) bool // flip a byte of what is served from offset
	breakAt int                     // cut the first answers after that many bytes
	fetches int

	verdict      func(wire.Outcome) int // status that refuses an outcome; 0 takes it
	console      []string
	consoleFails atomic.Int32 // how often it answers that it cannot
}

func newFakeAppliance(t testing.TB) *fakeAppliance {
	f := &fakeAppliance{t: t, done: make(chan wire.Outcome, 16), todo: make(chan wire.Assignment, 16), errands: make(chan wire.Assignment, 16), readings: make(chan pool.Readings, 16), gone: map[string]bool{},
		attrs: map[string]wire.AttributeValue{}, recipes: map[string][]byte{},
		welcome: wire.Welcome{Protocol: wire.Protocol, Version: "test", Machine: "m-1", Name: "node-1", State: wire.StateWork, Retry: 100 * time.Millisecond}}
	var err error
	if f.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	f.ca = tmpl
	f.ca = f.issue(tmpl, f.key.Public())
	f.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.ca.Raw}))
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := f.issue(&x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: f.ca.NotBefore, NotAfter: f.ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 2, 2)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, leafKey.Public())
	roots := x509.NewCertPool()
	roots.AddCert(f.ca)
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.PathHello, f.hello)
	mux.HandleFunc("POST "+wire.PathBye, func(http.ResponseWriter, *http.Request) {})
	f.mutual(mux)
	f.srv = httptest.NewUnstartedServer(mux)
	f.srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}},
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: roots}
	f.srv.StartTLS()
	t.Cleanup(f.srv.Close)
	return f
}

// say sets what the next hellos are answered.
func (f *fakeAppliance) say(w wire.Welcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.welcome = w
}

func (f *fakeAppliance) issue(tmpl *x509.Certificate, public any) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, f.ca, public, f.key)
	if err != nil {
		f.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fakeAppliance) certify(csr string, life time.Duration) string {
	b, _ := pem.Decode([]byte(csr))
	r, err := x509.ParseCertificateRequest(b.Bytes)
	if err != nil || r.CheckSignature() != nil {
		f.t.Errorf("bad certificate request: %v", err)
		return ""
	}
	c := f.issue(&x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "m-1"}, NotBefore: time.Now().Add(-time.Minute),
		NotAfter: time.Now().Add(life), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, r.PublicKey)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func (f *fakeAppliance) hello(w http.ResponseWriter, r *http.Request) {
	var h wire.Hello
	if err := json.NewDecoder(r.Body).Decode(&h); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hellos = append(f.hellos, h)
	answer := f.welcome
	if f.accept {
		answer.Certificate = f.certify(h.CSR, time.Hour)
	}
	f.write(w, answer)
}

func (f *fakeAppliance) write(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		f.t.Errorf("answer: %v", err)
	}
}

// mutual adds the paths that need a client certificate.
func (f *fakeAppliance) mutual(mux *http.ServeMux) {
	add := func(pattern string, h http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if len(r.TLS.PeerCertificates) == 0 {
				http.Error(w, "no certificate", http.StatusUnauthorized)
				return
			}
			h(w, r)
		})
	}
	add("GET "+wire.PathTask, f.task)
	add("POST "+wire.PathProgress, f.progress)
	add("POST "+wire.PathOutput, f.lines)
	add("POST "+wire.PathConsole, f.takeConsole)
	add("POST "+wire.PathResult, func(w http.ResponseWriter, r *http.Request) {
		var o wire.Outcome
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if f.verdict != nil {
			if code := f.verdict(o); code != 0 {
				http.Error(w, "no", code)
				return
			}
		}
		f.done <- o
		w.WriteHeader(http.StatusNoContent)
	})
	add("POST "+wire.PathReadings, func(w http.ResponseWriter, r *http.Request) {
		var in pool.Readings
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f.readings <- in
		w.WriteHeader(http.StatusNoContent)
	})
	add("POST "+wire.PathIdentity, func(w http.ResponseWriter, r *http.Request) {
		var q wire.IdentityRequest
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f.write(w, wire.Identity{Server: f.srv.URL, CA: f.pem, Machine: "m-1", Certificate: f.certify(q.CSR, time.Hour), Epoch: 3})
	})
	add("GET "+wire.PathRecipe+"{digest}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		b, ok := f.recipes[r.PathValue("digest")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b)
	})
	add("GET "+wire.PathImage+"{name}/manifest", func(w http.ResponseWriter, _ *http.Request) { f.write(w, f.image) })
	add("GET "+wire.PathImage+"{name}/frames", f.serveFrames)
	add(wire.PathAttr, f.attribute)
	add("POST "+wire.PathWatch, func(w http.ResponseWriter, r *http.Request) {
		if f.watched == nil {
			http.Error(w, "nobody wants it", http.StatusGone)
			return
		}
		f.watched(w, r)
	})
}

func (f *fakeAppliance) task(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	todo := f.todo
	if r.URL.Query().Get("busy") != "" {
		todo = f.errands
	}
	select {
	case as := <-todo:
		f.write(w, as)
	case <-ctx.Done():
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *fakeAppliance) progress(w http.ResponseWriter, r *http.Request) {
	var p wire.Report
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports = append(f.reports, p)
	if f.gone[p.Key] {
		w.WriteHeader(http.StatusGone)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeAppliance) lines(w http.ResponseWriter, r *http.Request) {
	var o wire.Output
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken == nil {
		f.taken = map[string]int{}
	}
	// As the appliance does: what it has comes again when its answer was lost.
	if skip := f.taken[o.Key] - o.First; skip > 0 {
		o.Lines, o.First = o.Lines[min(skip, len(o.Lines)):], f.taken[o.Key]
	}
	f.taken[o.Key] = o.First + len(o.Lines)
	f.output = append(f.output, o.Lines...)
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeAppliance) serveFrames(w http.ResponseWriter, r *http.Request) {
	off, end := int64(0), int64(len(f.frames)-1)
	h := r.Header.Get("Range")
	if n, err := fmt.Sscanf(h, "bytes=%d-%d", &off, &end); h != "" && n < 1 {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b := bytes.Clone(f.frames[off : end+1])
	f.mu.Lock()
	f.fetches++
	if f.spoil != nil && f.spoil(off) {
		b[len(b)/2] ^= 0x55
	}
	cut := f.breakAt > 0 && f.fetches == 1 && f.breakAt < len(b)
	f.mu.Unlock()
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	if h != "" {
		w.WriteHeader(http.StatusPartialContent)
	}
	if cut {
		_, _ = w.Write(b[:f.breakAt]) // then the connection is closed: the length was a promise
		return
	}
	_, _ = w.Write(b)
}

func (f *fakeAppliance) attribute(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := r.URL.Query().Get("scope") + "/" + r.URL.Query().Get("name")
	switch r.Method {
	case http.MethodPut:
		var a wire.AttributeValue
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f.attrs[a.Scope+"/"+a.Name] = a
		w.WriteHeader(http.StatusNoContent)
	case http.MethodDelete:
		delete(f.attrs, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		a, ok := f.attrs[key]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f.write(w, a)
	}
}

// setImage makes raw the image that is served.
func (f *fakeAppliance) setImage(raw []byte) {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.image, f.frames = pool.Image{Name: "debian", Size: int64(len(raw)), Arch: pool.AMD64}, nil
	digest := sha256.New()
	for i := 0; i < len(raw); i += pool.FrameSize {
		b := raw[i:min(i+pool.FrameSize, len(raw))]
		if len(bytes.Trim(b, "\x00")) == 0 {
			continue
		}
		sum := sha256.Sum256(b)
		c := enc.EncodeAll(b, nil)
		fr := pool.Frame{Index: int64(i / pool.FrameSize), Offset: int64(len(f.frames)), Length: int64(len(c)), SHA256: hex.EncodeToString(sum[:])}
		f.image.Frames, f.frames = append(f.image.Frames, fr), append(f.frames, c...)
		_, _ = fmt.Fprintf(digest, "%d %s\n", fr.Index, fr.SHA256)
	}
	f.image.Digest = "sha256:" + hex.EncodeToString(digest.Sum(nil))
}

// run hands out one task and returns its outcome.
func (f *fakeAppliance) run(key string, kind pool.TaskKind, params any) wire.Outcome {
	f.t.Helper()
	f.todo <- f.assignment(key, kind, params)
	return f.outcome(key)
}

func (f *fakeAppliance) assignment(key string, kind pool.TaskKind, params any) wire.Assignment {
	b, err := json.Marshal(params)
	if err != nil {
		f.t.Fatal(err)
	}
	return wire.Assignment{Key: key, Token: "tok", Epoch: 3, Name: key, Kind: kind, Timeout: 5 * time.Minute, Params: b}
}

func (f *fakeAppliance) outcome(key string) wire.Outcome {
	f.t.Helper()
	select {
	case o := <-f.done:
		if o.Key != key {
			f.t.Fatalf("outcome of %q, want %q", o.Key, key)
		}
		return o
	case <-time.After(4 * time.Minute): // a deadline, not a measure
		f.t.Fatalf("no outcome of %q", key)
	}
	return wire.Outcome{}
}

// want fails unless o is done, and reads its result.
func want[T any](t testing.TB, o wire.Outcome) (v T) {
	t.Helper()
	if o.State != wire.OutcomeDone {
		t.Fatalf("%s is %s: %+v\n%s", o.Key, o.State, o.Cause, o.Output)
	}
	if len(o.Result) > 0 {
		if err := json.Unmarshal(o.Result, &v); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func (f *fakeAppliance) helloCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.hellos)
}

// fakeBMC answers in-band commands as a BMC with ten users does.
type fakeBMC struct {
	users map[byte][]string // name, password
	noIP  bool              // its LAN has no address yet
	calls []string
}

func (b *fakeBMC) Close() error { return nil }

func (b *fakeBMC) Command(netFn, cmd byte, data ...byte) ([]byte, error) {
	b.calls = append(b.calls, fmt.Sprintf("%02x", cmd))
	refuse := func(code byte) ([]byte, error) { return nil, &completionError{netFn, cmd, code} }
	text := func(d []byte) string { return strings.TrimRight(string(d), "\x00") }
	switch {
	case netFn == netFnApp && cmd == cmdDeviceID:
		return []byte{0x20, 1, 0x02, 0x88, 2}, nil
	case netFn == netFnApp && cmd == cmdChannelInfo:
		if data[0] == 1 {
			return []byte{1, 4, 1}, nil
		}
		return refuse(0xcc)
	case netFn == netFnTransport && cmd == cmdGetLAN && data[0] == 1 && data[1] == 3:
		if b.noIP {
			return []byte{0x11, 0, 0, 0, 0}, nil
		}
		return []byte{0x11, 10, 77, 0, 10}, nil
	case netFn == netFnTransport && cmd == cmdGetLAN && data[0] == 1 && data[1] == 5:
		return []byte{0x11, 2, 0, 0, 0, 0xbc, 1}, nil
	case cmd == cmdGetUserAccess:
		return []byte{4, 2, 1, 0}, nil
	case cmd == cmdGetUserName:
		if u, ok := b.users[data[0]]; ok {
			return append([]byte(u[0]), make([]byte, 16-len(u[0]))...), nil
		}
		return refuse(0xcc)
	case cmd == cmdSetUserName:
		b.users[data[0]] = []string{text(data[1:]), ""}
		return nil, nil
	case cmd == cmdSetUserAccess:
		return nil, nil
	case cmd == cmdSetPassword && data[1] == 2:
		b.users[data[0]&0x3f][1] = text(data[2:])
		return nil, nil
	case cmd == cmdSetPassword && data[1] == 3:
		if b.users[data[0]&0x3f][1] != text(data[2:]) {
			return refuse(0x80)
		}
		return nil, nil
	case cmd == cmdSetPassword && data[1] == 1:
		if len(data) < 18 {
			return refuse(0xc7)
		}
		return nil, nil
	}
	return refuse(0xc1)
}

func TestBMCUser(t *testing.T) {
	b := &fakeBMC{users: map[byte][]string{2: {"ADMIN", "x"}}}
	for range 2 { // the second time it finds its own slot
		res, err := makeBMCUser(b, "appliance", pool.NewSecret("0123456789abcdefghij"))
		if err != nil {
			t.Fatal(err)
		}
		if res.UserID != 3 || res.Facts.Address != netip.MustParseAddr("10.77.0.10") || res.Facts.Channel != 1 {
			t.Errorf("user %d, facts %+v", res.UserID, res.Facts)
		}
	}
	if b.users[3][1] != "0123456789abcdefghij" || b.users[2][0] != "ADMIN" {
		t.Errorf("users are %v", b.users)
	}
	if f, err := bmcFacts(&fakeBMC{noIP: true}); err != nil || f.Address.IsValid() {
		t.Errorf("a BMC without an address has %v, %v", f.Address, err)
	}
	b.users[4] = []string{"other", ""}
	b.users[3][0] = "third"
	if _, err := makeBMCUser(b, "appliance", pool.NewSecret("p")); causeOf(err).Code != "bmc.no-slot" {
		t.Errorf("with no free slot: %v", err)
	}
}
