package images

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"appliance/pool"
)

// TestBigFile: a file that is sent by a thread of its own arrives whole, in
// part and in turns; and a client that takes nothing does not keep the server
// from ending.
func TestBigFile(t *testing.T) {
	dir, data := t.TempDir(), make([]byte, 24<<20+5)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data) // never fails
	if err := os.WriteFile(filepath.Join(dir, "big.img"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	var stuck net.Conn
	t.Cleanup(func() { _ = stuck.Close() }) // once the server has ended
	b := &Boot{Kit: os.DirFS(dir), Directory: directory{pool.BootAgent}, Site: func(netip.Addr) Site { return site }}
	at := serveBoot(t, b)
	get := func(span string, want []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/kit/big.img", nil)
		if err != nil {
			t.Fatal(err)
		}
		if span != "" {
			r.Header.Set("Range", "bytes="+span)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }() // it was read to its end
		got, err := io.ReadAll(answer.Body)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("bytes %q: got %d bytes, %v, want %d", span, len(got), err, len(want))
		}
	}
	get("", data)
	get("", data) // on the same connection
	get("1000-19000000", data[1000:19000001])
	get("24000000-", data[24000000:])
	var err error
	if stuck, err = net.Dial("tcp4", at); err != nil { //nolint:noctx // loopback
		t.Fatal(err)
	}
	if _, err := io.WriteString(stuck, "GET /kit/big.img HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stuck, make([]byte, 1<<16)); err != nil { // it is at it, and gets no further
		t.Fatal(err)
	}
}

// A client that stops in the middle of a big file is given up in the end, and
// one that still takes a little is not: each turn that sent something ends, and
// the next has the whole time again.
func TestStuckReader(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	client, err := net.Dial("tcp4", l.Addr().String()) //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	f, err := os.Create(filepath.Join(t.TempDir(), "big"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Truncate(1 << 30); err != nil {
		t.Fatal(err)
	}
	raw, err := server.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	during := make(chan int, 1)
	go func() {
		_, _ = io.ReadFull(client, make([]byte, 1)) // it is at it
		during <- corked(t, raw)
	}()
	sent, err := sendFile(server.(*net.TCPConn), f, 1<<30, 500*time.Millisecond)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("sent %d, %v; want that it is given up", sent, err)
	}
	if on, after := <-during, corked(t, raw); on != 1 || after != 0 {
		t.Errorf("TCP_CORK %d while it sends, %d after: only full segments, and the last one at once", on, after)
	}
	sent--                                                        // what was read
	if _, err := io.CopyN(io.Discard, client, sent); err != nil { // it goes on after all
		t.Fatal(err)
	}
	err = raw.Control(func(out uintptr) {
		for {
			k, done, err := sendSome(int(out), int(f.Fd()), 1<<28)
			if done != (k > 0) || err != nil {
				t.Errorf("sent %d, done %t, %v", k, done, err)
			}
			if k == 0 {
				return
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func corked(t *testing.T, c syscall.RawConn) (on int) {
	t.Helper()
	var failed error
	err := c.Control(func(fd uintptr) { on, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK) })
	if err := errors.Join(err, failed); err != nil {
		t.Error(err)
	}
	return on
}

// The same for what is no file, and over TLS.
func TestStuckReaderOfText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer func() { _ = client.Close() }()
		start := time.Now()
		if _, err := (&replayedConn{Conn: server}).Write([]byte("text")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != stuckTime {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}
