package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"appliance/api/wire"
	"appliance/pool"
)

// from returns a client of a loopback address.
func (r *rig) from(address string) *http.Transport {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.CA.PEM())
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DialContext: d.DialContext}
	r.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// TestSlowSenders: who sends his hello slowly, and often, holds up no other
// address's.
func TestSlowSenders(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	r.verdicts(m.ID)
	var ended atomic.Int32
	slow := r.from("127.0.0.1")
	for range 2 * maxHellos {
		c, err := slow.DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		tc := tls.Client(c, &tls.Config{RootCAs: slow.TLSClientConfig.RootCAs, ServerName: "127.0.0.1"})
		if err := tc.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(tc, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", wire.PathHello); err != nil {
			t.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = tc.Read(make([]byte, 1)) // it ends when the request's time is over, or the test
			ended.Add(1)
		}()
		t.Cleanup(func() { _ = c.Close(); <-read })
	}
	b, err := json.Marshal(hello(m, newAgentKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), "POST", r.url+wire.PathHello, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.from("127.0.0.2").RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("hello = %s, %v", res.Status, err)
	}
	if n := ended.Load(); n > 0 {
		t.Errorf("the hello waited until the time of %d slow ones was over", n)
	}
}

// TestHelloOfManyDisks: the largest inventory that is taken fits in a hello.
func TestHelloOfManyDisks(t *testing.T) {
	r := newRig(t)
	m := r.add("m-1", "52:54:00:00:00:01")
	r.verdicts(m.ID)
	h := hello(m, newAgentKey(t))
	h.Facts = &pool.Facts{}
	for n := range 1024 {
		h.Facts.Disks = append(h.Facts.Disks, pool.Disk{Name: fmt.Sprintf("sd%d", n), ByID: fmt.Sprintf("ata-ST16000NM002G-2KW103_%016d", n),
			Serial: fmt.Sprintf("%016d", n), Model: "ST16000NM002G-2KW103", Size: 16000900661248, Type: "hdd",
			Content: []string{"gpt: 2 partitions", "partition 1: ZFS member", "partition 2: ZFS member"}})
	}
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if code, got, _ := r.raw("POST", wire.PathHello, "", bytes.NewReader(b), nil); code != http.StatusOK {
		t.Errorf("hello of %d bytes = %d %s", len(b), code, got)
	}
}
