package tftp

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"\x00\x01f\x00octet\x00", "\x00\x01f\x00octet\x00tsize\x000\x00blksize\x00", "\x00\x02f\x00octet\x00", "\x00\x01f\x00mail\x00", "",
		"\x00\x01f\x00NETASCII\x00blksize\x008\x00timeout\x001\x00windowsize\x0016\x00", "\x00\x01f\x00octet\x00blksize\x00-1\x00windowsize\x0099999999999999999999\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		req, code, why := parse(p)
		if req != nil && code != 0 || (code != 0) != (why != "") {
			t.Fatalf("parse(%q) = %v, %d, %q", p, req, code, why)
		}
		if req == nil {
			return
		}
		if req.name == "" || strings.ContainsRune(req.name, 0) {
			t.Fatalf("parse(%q): name %q", p, req.name)
		}
		x := transfer{src: &source{size: 1 << 20}}
		oack := x.negotiate(req, maxBlock, maxWindow)
		if x.block < minBlock || x.block > maxBlock || x.window < 1 || x.window > maxWindow || x.fixed < 0 || x.fixed > 255*time.Second {
			t.Fatalf("parse(%q): negotiated %+v", p, x)
		}
		if oack != nil && (len(oack) > 2+len(p)+64 || oack[len(oack)-1] != 0) {
			t.Fatalf("parse(%q): OACK %q", p, oack)
		}
	})
}

// FuzzRRQ sends packets to a running server's port, each answered or not, and
// then a request that must be served: nothing that arrives stops it.
func FuzzRRQ(f *testing.F) {
	for _, s := range []string{
		"\x00\x01f\x00octet\x00", "\x00\x01f\x00octet\x00tsize\x000\x00", "\x00\x04\x00\x01", "\x00\x05\x00\x00\x00", "\x00\x01../f\x00netascii\x00blksize\x008\x00windowsize\x0064\x00",
	} {
		f.Add([]byte(s), []byte("\x00\x04\x00\x00"))
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	ctx, cancel := context.WithCancel(f.Context())
	f.Cleanup(cancel)
	s := &Server{FS: fstest.MapFS{"f": {Data: []byte("hello")}, "g": {Data: make([]byte, 100_000)}}}
	go func() { _ = s.Serve(ctx, conn) }() // ends with ctx
	f.Fuzz(func(t *testing.T, p, q []byte) {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Skip(err)
		}
		defer func() { _ = c.Close() }()
		_, _ = c.WriteToUDPAddrPort(p, at)
		// What the transfer's own port makes of it, if one was opened.
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
		b := make([]byte, 2048)
		if n, from, err := c.ReadFromUDPAddrPort(b); err == nil && n > 0 {
			if from != at && b[1] != opERROR {
				_, _ = c.WriteToUDPAddrPort(q, from)
			}
			_, _ = c.WriteToUDPAddrPort([]byte("\x00\x05\x00\x00\x00"), from)
		}
		ok, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
		if err != nil {
			t.Skip(err)
		}
		_ = ok.Close()
		if got, err := pull(at, "f", pullOptions{}); err != nil || string(got.data) != "hello" {
			t.Fatalf("after %q and %q: got %q, %v", p, q, got.data, err)
		}
	})
}

func TestNetascii(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"a\nb", "a\r\nb"}, {"a\r\nb", "a\r\nb"}, {"a\rb", "a\r\x00b"}, {"\n", "\r\n"}, {"\r", "\r\x00"},
	} {
		if got := string(toNetascii([]byte(tt.in))); got != tt.want {
			t.Errorf("toNetascii(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	at := start(t, &Server{FS: fstest.MapFS{"f": {Data: []byte("one\ntwo\n")}, "kernel": {Data: make([]byte, maxText+1)}}})
	got, err := pull(at, "f", pullOptions{mode: "netascii"})
	if err != nil || string(got.data) != "one\r\ntwo\r\n" || got.size != 10 {
		t.Errorf("netascii = %q, tsize %d, %v; want \"one\\r\\ntwo\\r\\n\", 10", got.data, got.size, err)
	}
	if got, err := pull(at, "kernel", pullOptions{mode: "netascii"}); err == nil {
		t.Errorf("a big file as netascii: %d bytes, want that it is refused", len(got.data))
	}
}

// A client that lost power and asks again from the same port is served anew;
// a late copy of its request is not.
func TestRepeatedRequest(t *testing.T) {
	x := &transfers{c: make(chan Transfer, 4)}
	s := &Server{FS: fstest.MapFS{"f": {Data: make([]byte, 4000)}, "g": {Data: []byte("hello")}}, Log: x.log}
	at := start(t, s)
	c := listen(t)
	defer func() { _ = c.Close() }()
	ask := func(name string) {
		if _, err := c.WriteToUDPAddrPort([]byte("\x00\x01"+name+"\x00octet\x00"), at); err != nil {
			t.Fatal(err)
		}
	}
	read := func() ([]byte, netip.AddrPort) {
		b := make([]byte, 2048)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Fatal(err)
		}
		return b[:n], from
	}
	ask("f")
	_, first := read()
	ask("f") // a copy: the first transfer goes on
	for s.Stats().Repeated != 1 {
		time.Sleep(time.Millisecond)
	}
	ask("g") // another file: the client began anew
	p, second := read()
	for string(p) != "\x00\x03\x00\x01hello" { // the first one's repetition may come between
		p, second = read()
	}
	if second == first {
		t.Error("the second transfer has the port of the first")
	}
	if got := <-x.c; got.File != "f" || got.Err == nil {
		t.Errorf("first ended with %+v, want one that was given up", got)
	}
	if _, err := c.WriteToUDPAddrPort([]byte{0, 4, 0, 1}, second); err != nil {
		t.Fatal(err)
	}
	if got := <-x.c; got.File != "g" || got.Err != nil || got.Bytes != 5 {
		t.Errorf("second ended with %+v, want 5 bytes of g", got)
	}
}
