package tftp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	pin "github.com/pin/tftp/v3"
	"go.uber.org/goleak"
)

// start runs a server on loopback until the test ends, and proves that all of
// its goroutines end, too.
func start(t *testing.T, s *Server) netip.AddrPort {
	t.Helper()
	// Registered first, so it runs last.
	t.Cleanup(func() { goleak.VerifyNone(t) })
	return startQuiet(t, s)
}

// startQuiet is start for tests that run beside others.
func startQuiet(t *testing.T, s *Server) netip.AddrPort {
	t.Helper()
	conn := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func listen(t *testing.T) *net.UDPConn { return listenOn(t, "127.0.0.1:0") }

func listenOn(t *testing.T, at string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(at netip.AddrPort, name string) ([]byte, error) {
	c, err := pin.NewClient(at.String())
	if err != nil {
		return nil, err
	}
	c.SetBlockSize(8192)
	c.RequestTSize(true)
	w, err := c.Receive(name, "octet")
	if err != nil {
		return nil, err
	}
	n, ok := w.(pin.IncomingTransfer).Size()
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		return nil, err
	}
	if !ok || n != int64(b.Len()) {
		return nil, fmt.Errorf("tsize = %d, %t; got %d bytes", n, ok, b.Len())
	}
	return b.Bytes(), nil
}

// transfers collects what a server's Log is told.
type transfers struct {
	mu  sync.Mutex
	all []Transfer
	c   chan Transfer
}

func (x *transfers) log(t Transfer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.all = append(x.all, t)
	if x.c != nil {
		x.c <- t
	}
}

func TestGet(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 70_000) // over 1468*512, not a multiple
	x := &transfers{c: make(chan Transfer, 64)}
	s := &Server{
		FS: fstest.MapFS{
			"ipxe.efi":        {Data: big},
			"boot/grub.cfg":   {Data: []byte("set x=1\n")},
			"exact":           {Data: bytes.Repeat([]byte{7}, 2*maxBlock)},
			"empty-not.quite": {Data: []byte{0}},
		},
		Open: func(_ context.Context, name string, client netip.AddrPort) (fs.File, error) {
			if name == "autoexec.ipxe" {
				return fstest.MapFS{"a": {Data: []byte("#!ipxe\necho " + client.Addr().String() + "\n")}}.Open("a")
			}
			return nil, fs.ErrNotExist
		},
		Log: x.log,
	}
	at := start(t, s)
	for _, tt := range []struct {
		ask, file string
		want      string
		err       error
		told      string
	}{
		{"ipxe.efi", "ipxe.efi", string(big), nil, ""},
		{"/ipxe.efi", "ipxe.efi", string(big), nil, ""},
		{`\boot\grub.cfg`, "boot/grub.cfg", "set x=1\n", nil, ""},
		{"//boot//grub.cfg\xff", "boot/grub.cfg", "set x=1\n", nil, ""},
		{"exact", "exact", string(bytes.Repeat([]byte{7}, 2*maxBlock)), nil, ""},
		{"empty-not.quite", "empty-not.quite", "\x00", nil, ""},
		{"autoexec.ipxe", "autoexec.ipxe", "#!ipxe\necho 127.0.0.1\n", nil, ""},
		{"boot", "boot", "", ErrNotFound, "file not found"},
		{"nothing", "nothing", "", ErrNotFound, "file not found"},
		{"../etc/passwd", "../etc/passwd", "", ErrNotFound, "file name is not allowed"},
		{`..\..\etc\passwd`, `..\..\etc\passwd`, "", ErrNotFound, "file name is not allowed"},
		{"/boot/../../x", "/boot/../../x", "", ErrNotFound, "file name is not allowed"},
		{"C:/x", "C:/x", "", ErrNotFound, "file name is not allowed"},
	} {
		b, err := get(at, tt.ask)
		if string(b) != tt.want {
			t.Errorf("get %q: %d bytes, want %d", tt.ask, len(b), len(tt.want))
		}
		if (err != nil) != (tt.err != nil) || err != nil && !strings.HasSuffix(strings.TrimRight(err.Error(), "\x00"), tt.told) {
			t.Errorf("get %q: error %v, want %q", tt.ask, err, tt.told)
		}
		got := <-x.c
		if got.File != tt.file || !errors.Is(got.Err, tt.err) || got.Bytes != int64(len(tt.want)) || got.Client.Addr() != at.Addr() {
			t.Errorf("get %q: logged %+v, want file %q, error %v", tt.ask, got, tt.file, tt.err)
		}
	}
}

func TestWriteIsRefused(t *testing.T) {
	s := &Server{FS: fstest.MapFS{}}
	at := start(t, s)
	c, err := pin.NewClient(at.String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Send("x", "octet")
	if err == nil || !strings.Contains(err.Error(), "code: 2") && !strings.Contains(err.Error(), "code=2") {
		t.Errorf("write: %v, want error code 2", err)
	}
	if n := s.Stats().Refused; n != 1 {
		t.Errorf("refused = %d, want 1", n)
	}
}

// broken fails in the middle of a file, with an error that names a path.
type broken struct{ fs.FS }

func (b broken) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	return brokenFile{f}, err
}

type brokenFile struct{ fs.File }

func (brokenFile) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: "/secret/place", Err: fs.ErrPermission}
}

func TestErrorsLeakNothing(t *testing.T) {
	x := &transfers{c: make(chan Transfer, 1)}
	at := start(t, &Server{FS: broken{fstest.MapFS{"f": {Data: []byte("x")}}}, Log: x.log})
	_, err := get(at, "f")
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), ErrRead.Error()) {
		t.Errorf("get = %v, want only %q", err, ErrRead)
	}
	if got := <-x.c; !errors.Is(got.Err, ErrRead) || !errors.Is(got.Err, fs.ErrPermission) {
		t.Errorf("logged %v, want the cause, too", got.Err)
	}
}

func TestGarbage(t *testing.T) {
	s := &Server{FS: fstest.MapFS{"f": {Data: []byte("hello")}}}
	at := start(t, s)
	conn, err := net.Dial("udp4", at.String()) //nolint:noctx // UDP on loopback does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	junk := [][]byte{
		{}, {0}, {0, 1}, {0, 1, 0}, {0, 1, 0, 0}, {0, 1, 'f'}, []byte("\x00\x01f\x00octet"), []byte("\x00\x01f\x00"),
		{0, 3, 0, 1, 'x'}, {0, 4, 0, 0}, {0, 5, 0, 0, 0}, {0, 6, 0}, {0xff, 1, 'f', 0, 'o', 0},
		bytes.Repeat([]byte{0xff}, 1400), append([]byte{0, 1}, bytes.Repeat([]byte{'a'}, 1400)...),
		append(append([]byte{0, 1}, bytes.Repeat([]byte{'a'}, 600)...), "\x00octet\x00"...),
	}
	for _, p := range junk {
		if _, err := conn.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	// The socket is read in order: a served file says that all of it was read.
	if b, err := get(at, "f"); err != nil || string(b) != "hello" {
		t.Errorf("get after garbage = %q, %v", b, err)
	}
	if n := s.Stats().Malformed; n != uint64(len(junk)) {
		t.Errorf("malformed = %d, want %d", n, len(junk))
	}
}

// gate is a file whose reads wait until open is closed.
type gate struct {
	fs.File
	open <-chan struct{}
}

func (g gate) Read(b []byte) (int, error) {
	<-g.open
	return g.File.Read(b)
}

// One address leaves half of the places to the others.
func TestShareOfOneAddress(t *testing.T) {
	entered, open := make(chan struct{}, 16), make(chan struct{})
	files := fstest.MapFS{"f": {Data: []byte("hello")}}
	s := &Server{MaxTransfers: 6, Open: func(_ context.Context, name string, _ netip.AddrPort) (fs.File, error) {
		f, err := files.Open(name)
		entered <- struct{}{}
		return gate{f, open}, err
	}}
	at := start(t, s)
	ask := func(c *net.UDPConn) {
		if _, err := c.WriteToUDPAddrPort([]byte("\x00\x01f\x00octet\x00"), at); err != nil {
			t.Fatal(err)
		}
	}
	conns := []*net.UDPConn{listen(t), listen(t), listen(t), listenOn(t, "127.0.0.2:0")}
	for _, c := range conns[:3] {
		ask(c)
		<-entered
	}
	late := listen(t)
	for ask(late); s.Stats().Dropped != 1; { // the test's deadline ends this
		time.Sleep(time.Millisecond)
	}
	ask(conns[3])
	<-entered
	close(open)
	for _, c := range conns {
		finish(t, c)
	}
	for served := false; !served; { // its places are free again
		ask(late)
		select {
		case <-entered:
			served = true
		case <-time.After(5 * time.Millisecond):
		}
	}
	finish(t, late)
}

// silent is a link to a client that never answers.
type silent struct{}

func (l *silent) packet([]byte) error                   { return nil }
func (l *silent) blocks(uint16, []byte, int, int) error { return nil }
func (l *silent) mtu() int                              { return 0 }
func (l *silent) close()                                {}
func (l *silent) receive(_ []byte, until time.Time, _ time.Duration) (int, error) {
	time.Sleep(time.Until(until))
	return 0, os.ErrDeadlineExceeded
}

// A client that asks for long waits and is silent is given up all the same.
func TestLongTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		x := &transfer{link: &silent{}, src: &source{size: 10}, heard: new(atomic.Int64)}
		oack := x.negotiate(&request{timeout: option{"timeout", 255}}, 512, 1)
		if err := x.run(t.Context(), oack); !errors.Is(err, ErrTimeout) || !bytes.Contains(oack, []byte("\x00255\x00")) {
			t.Errorf("run = %v, OACK %q", err, oack)
		}
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("it had its place for %s", took)
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	const limit = 3
	entered, open := make(chan struct{}, 16), make(chan struct{})
	files := fstest.MapFS{"f": {Data: []byte("hello")}}
	s := &Server{MaxTransfers: limit, Open: func(_ context.Context, name string, _ netip.AddrPort) (fs.File, error) {
		f, err := files.Open(name)
		entered <- struct{}{}
		return gate{f, open}, err
	}}
	at := start(t, s)
	rrq := []byte("\x00\x01f\x00octet\x00")
	ask := func(c *net.UDPConn) {
		if _, err := c.WriteToUDPAddrPort(rrq, at); err != nil {
			t.Fatal(err)
		}
	}
	var conns []*net.UDPConn
	for i := range limit {
		c := listenOn(t, fmt.Sprintf("127.0.0.%d:0", i+1)) // one address has its share only
		conns = append(conns, c)
		ask(c)
		<-entered
	}
	// One more, and one that repeats itself: neither starts a transfer.
	late := listen(t)
	ask(late)
	ask(conns[0])
	for st := s.Stats(); st.Dropped != 1 || st.Repeated != 1; st = s.Stats() { // the test's deadline ends this
		time.Sleep(time.Millisecond)
	}
	close(open)
	for _, c := range conns {
		finish(t, c)
	}
	// The late one asks again, as clients do, and is served once a place is free.
	for served := false; !served; {
		ask(late)
		select {
		case <-entered:
			served = true
		case <-time.After(5 * time.Millisecond):
		}
	}
	finish(t, late)
}

// finish takes a file of one block on c and closes it.
func finish(t *testing.T, c *net.UDPConn) {
	t.Helper()
	b := make([]byte, 2048)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "\x00\x03\x00\x01hello" {
		t.Errorf("got %q, %v, want block 1", b[:n], err)
	}
	if _, err := c.WriteToUDPAddrPort([]byte{0, 4, 0, 1}, from); err != nil {
		t.Error(err)
	}
	_ = c.Close()
}

func TestServeEnds(t *testing.T) {
	t.Run("socket dies", func(t *testing.T) {
		defer goleak.VerifyNone(t)
		conn := listen(t)
		done := make(chan error, 1)
		go func() { done <- (&Server{FS: fstest.MapFS{}}).Serve(t.Context(), conn) }()
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve = %v, want net.ErrClosed", err)
		}
	})
	t.Run("ended before it began", func(t *testing.T) {
		defer goleak.VerifyNone(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := (&Server{FS: fstest.MapFS{}}).Serve(ctx, listen(t)); err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	t.Run("in the middle of a transfer", func(t *testing.T) {
		defer goleak.VerifyNone(t)
		x := &transfers{c: make(chan Transfer, 1)}
		conn := listen(t)
		ctx, cancel := context.WithCancel(t.Context())
		s := &Server{Log: x.log, FS: fstest.MapFS{"f": {Data: make([]byte, 64<<20)}}}
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, conn) }()
		c, err := pin.NewClient(conn.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Receive("f", "octet")
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.WriteTo(writerFunc(func(b []byte) (int, error) {
			cancel()
			return len(b), nil
		}))
		if err == nil || !strings.Contains(err.Error(), ErrStopped.Error()) {
			t.Errorf("client got %v, want %q", err, ErrStopped)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
		if got := <-x.c; !errors.Is(got.Err, ErrStopped) {
			t.Errorf("logged %v, want ErrStopped", got.Err)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

var _ io.Writer = writerFunc(nil)

// TestOptions reads the option acknowledgement itself: a boot ROM that asks
// for more than fits a frame gets what fits, whatever the letters' case.
func TestOptions(t *testing.T) {
	at := start(t, &Server{FS: fstest.MapFS{"f": {Data: make([]byte, 5000)}}})
	for _, tt := range []struct{ ask, want string }{
		{"blksize\x0065464\x00", "\x00\x06blksize\x001468\x00"},
		{"BLKSIZE\x0065464\x00", "\x00\x06BLKSIZE\x001468\x00"}, // its own spelling: firmware compares bytes
		{"blksize\x008\x00", "\x00\x06blksize\x008\x00"},
		{"blksize\x007\x00tsize\x000\x00", "\x00\x06tsize\x005000\x00"},
		{"blksize\x00512\x00blksize\x001000\x00", "\x00\x06blksize\x00512\x00"},
		{"Timeout\x003\x00", "\x00\x06Timeout\x003\x00"},
		{"timeout\x00256\x00tsize\x000\x00", "\x00\x06tsize\x005000\x00"},
		{"windowsize\x0065535\x00", "\x00\x06windowsize\x0064\x00"},
		{"windowsize\x000\x00tsize\x000\x00", "\x00\x06tsize\x005000\x00"},
		{"multicast\x00\x00tsize\x000\x00", "\x00\x06tsize\x005000\x00"},
		{"blksize\x001000\x00", "\x00\x06blksize\x001000\x00"},
		{"tsize\x000\x00", "\x00\x06tsize\x005000\x00"},
		{"windowsize\x004\x00tsize\x000\x00", "\x00\x06tsize\x005000\x00windowsize\x004\x00"},
	} {
		c := listen(t)
		if _, err := c.WriteToUDPAddrPort([]byte("\x00\x01f\x00OCTET\x00"+tt.ask), at); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 2048)
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(b[:n]); got != tt.want {
			t.Errorf("asked %q: got %q, want %q", tt.ask, got, tt.want)
		}
		if _, err := c.WriteToUDPAddrPort([]byte{0, 5, 0, 8, 0}, from); err != nil { // as ROMs do that only want the size
			t.Fatal(err)
		}
		_ = c.Close()
	}
}
