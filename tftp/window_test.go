package tftp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

// pullOptions are what the test's own client asks for; zero leaves an option out.
type pullOptions struct {
	block, window int
	mode          string
	rto           time.Duration // 0: a second
}

type pulled struct {
	data          []byte
	block, window int
	size          int64
}

// pull reads a file as RFC 7440 says a client does: it acknowledges each
// window, and the last block in order when there is a gap.
func pull(at netip.AddrPort, name string, o pullOptions) (r pulled, err error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return r, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadBuffer(4 << 20)
	if o.mode == "" {
		o.mode = "octet"
	}
	if o.rto == 0 {
		o.rto = time.Second
	}
	last := []byte("\x00\x01" + name + "\x00" + o.mode + "\x00tsize\x000\x00")
	if o.block > 0 {
		last = append(last, "blksize\x00"+strconv.Itoa(o.block)+"\x00"...)
	}
	if o.window > 0 {
		last = append(last, "WindowSize\x00"+strconv.Itoa(o.window)+"\x00"...)
	}
	to, known := at, false
	r.block, r.window = 512, 1
	buf, want, got, gap, tries := make([]byte, 65536), uint16(1), 0, false, 0
	send := func() error { _, err := c.WriteToUDPAddrPort(last, to); return err }
	if err := send(); err != nil {
		return r, err
	}
	for {
		_ = c.SetReadDeadline(time.Now().Add(o.rto))
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			if tries++; tries > 40 {
				return r, fmt.Errorf("no answer after %d bytes", len(r.data))
			}
			got, gap = 0, false
			if want > 1 { // RFC 7440, 4: the last block in order
				last = binary.BigEndian.AppendUint16([]byte{0, opACK}, want-1)
			}
			if err := send(); err != nil {
				return r, err
			}
			continue
		}
		if !known {
			to, known = from, true
		}
		if from != to || n < 4 {
			continue
		}
		p := buf[:n]
		switch p[1] {
		case opERROR:
			return r, errors.New(string(bytes.TrimRight(p[4:], "\x00")))
		case opOACK:
			f := bytes.Split(p[2:], []byte{0})
			for i := 0; i+1 < len(f); i += 2 {
				v, _ := strconv.Atoi(string(f[i+1]))
				switch string(f[i]) {
				case "blksize":
					r.block = v
				case "WindowSize":
					r.window = v
				case "tsize":
					r.size = int64(v)
				}
			}
			last = []byte{0, opACK, 0, 0}
			if err := send(); err != nil {
				return r, err
			}
		case opDATA:
			k := binary.BigEndian.Uint16(p[2:])
			if k != want {
				if int16(k-want) > 0 && !gap {
					gap, got = true, 0
					last = binary.BigEndian.AppendUint16([]byte{0, opACK}, want-1)
					if err := send(); err != nil {
						return r, err
					}
				}
				continue
			}
			tries, gap = 0, false
			want++
			got++
			r.data = append(r.data, p[4:]...)
			end := n-4 < r.block
			if got >= r.window || end {
				got = 0
				last = []byte{0, opACK, p[2], p[3]}
				if err := send(); err != nil {
					return r, err
				}
			}
			if end {
				return r, nil
			}
		}
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

func TestWindows(t *testing.T) {
	big := noise(3<<20 + 17)
	files := fstest.MapFS{"big": {Data: big}, "exact": {Data: big[:1468*32]}, "empty": {}}
	for _, single := range []bool{false, true} {
		s := &Server{FS: files, SinglePort: single}
		at := start(t, s)
		for _, tt := range []struct {
			file          string
			block, window int
		}{
			{"big", 0, 0}, {"big", 1428, 4}, {"big", 1468, 16}, {"big", 65464, 64}, {"big", 512, 1000}, {"exact", 1468, 16},
			{"exact", 8, 7}, {"empty", 1468, 16}, {"empty", 0, 0},
		} {
			got, err := pull(at, tt.file, pullOptions{block: tt.block, window: tt.window})
			want := files[tt.file].Data
			if err != nil || !bytes.Equal(got.data, want) || got.size != int64(len(want)) {
				t.Errorf("single port %t, %+v: %d bytes, tsize %d, %v; want %d bytes", single, tt, len(got.data), got.size, err, len(want))
			}
			if w := min(max(tt.window, 1), maxWindow); got.window != w {
				t.Errorf("single port %t, %+v: window %d, want %d", single, tt, got.window, w)
			}
		}
	}
}

// Without UDP_SEGMENT the same bytes go out one by one.
func TestWithoutSegments(t *testing.T) {
	big := noise(1 << 20)
	s := &Server{FS: fstest.MapFS{"big": {Data: big}}}
	s.noSegments.Store(true)
	at := start(t, s)
	got, err := pull(at, "big", pullOptions{block: 1468, window: 16})
	if err != nil || !bytes.Equal(got.data, big) {
		t.Errorf("got %d bytes, %v", len(got.data), err)
	}
}

func TestLimits(t *testing.T) {
	big := noise(100_000)
	x := &transfers{c: make(chan Transfer, 1)}
	s := &Server{FS: fstest.MapFS{"big": {Data: big}}, Log: x.log, Limits: func(netip.AddrPort) Limits { return Limits{Block: 1024, Window: 2} }}
	got, err := pull(start(t, s), "big", pullOptions{block: 1468, window: 16})
	if err != nil || got.block != 1024 || got.window != 2 || !bytes.Equal(got.data, big) {
		t.Errorf("block %d, window %d, %d bytes, %v; want 1024, 2, %d", got.block, got.window, len(got.data), err, len(big))
	}
	if l := <-x.c; l.Block != 1024 || l.Window != 2 || l.Bytes != int64(len(big)) || l.Size != l.Bytes {
		t.Errorf("logged %+v", l)
	}
}

// bad is a network in one process: it loses, doubles and reorders.
type bad struct {
	t                   *testing.T
	server              netip.AddrPort
	lose, double, delay float64
	mu                  sync.Mutex
	rand                *rand.Rand
	conns               []*net.UDPConn
	wg                  sync.WaitGroup
	dropped, doubled, n int
	front               *net.UDPConn
	clients             map[netip.AddrPort]*net.UDPConn
}

func newBad(t *testing.T, server netip.AddrPort, lose, double, delay float64) *bad {
	b := &bad{t: t, server: server, lose: lose, double: double, delay: delay, rand: rand.New(rand.NewPCG(7, 7)), clients: map[netip.AddrPort]*net.UDPConn{}}
	b.front = listen(t)
	b.conns = append(b.conns, b.front)
	b.wg.Go(b.requests)
	t.Cleanup(func() {
		b.mu.Lock()
		for _, c := range b.conns {
			_ = c.Close()
		}
		b.mu.Unlock()
		b.wg.Wait()
	})
	return b
}

func (b *bad) addr() netip.AddrPort { return b.front.LocalAddr().(*net.UDPAddr).AddrPort() }

// requests passes requests on. Each client gets a socket towards the server
// and one towards itself, as if the transfer's port were the relay's.
func (b *bad) requests() {
	buf := make([]byte, 2048)
	for {
		n, client, err := b.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		b.mu.Lock()
		up := b.clients[client]
		if up == nil {
			up = listen(b.t)
			down := listen(b.t)
			b.clients[client] = up
			b.conns = append(b.conns, up, down)
			b.wg.Go(func() { b.between(client, up, down) })
		}
		b.mu.Unlock()
		b.forward(up, buf[:n], b.server)
	}
}

func (b *bad) between(client netip.AddrPort, up, down *net.UDPConn) {
	var mu sync.Mutex
	var tid netip.AddrPort
	b.wg.Go(func() {
		buf := make([]byte, 65536)
		for {
			n, _, err := down.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			mu.Lock()
			to := tid
			mu.Unlock()
			b.forward(up, buf[:n], to)
		}
	})
	buf := make([]byte, 65536)
	for {
		n, from, err := up.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		mu.Lock()
		tid = from
		mu.Unlock()
		b.forward(down, buf[:n], client)
	}
}

func (b *bad) forward(c *net.UDPConn, p []byte, to netip.AddrPort) {
	b.mu.Lock()
	b.n++
	lose, double, late := b.rand.Float64() < b.lose, b.rand.Float64() < b.double, b.rand.Float64() < b.delay
	if lose {
		b.dropped++
	}
	if double {
		b.doubled++
	}
	b.mu.Unlock()
	send := func(p []byte) { _, _ = c.WriteToUDPAddrPort(p, to) }
	switch {
	case lose:
		return
	case late:
		p := bytes.Clone(p)
		time.AfterFunc(3*time.Millisecond, func() { send(p) })
	default:
		send(p)
	}
	if double {
		send(bytes.Clone(p))
	}
}

// TestBadNetwork transfers over links that lose, double and reorder packets
// in both directions: what arrives is right, and blocks do not multiply.
func TestBadNetwork(t *testing.T) {
	data := noise(400_000)
	for _, tt := range []struct {
		name                string
		lose, double, delay float64
		window, block       int
	}{
		{"2 % lost, windows", 0.02, 0, 0, 16, 1428},
		{"2 % lost, lock-step", 0.02, 0, 0, 0, 8192},
		{"doubled", 0, 0.2, 0, 16, 1428},
		{"doubled, lock-step", 0, 0.2, 0, 0, 1428},
		{"reordered", 0, 0, 0.05, 8, 1428},
		{"all of it", 0.02, 0.05, 0.05, 4, 1428},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := &transfers{c: make(chan Transfer, 16)}
			s := &Server{FS: fstest.MapFS{"f": {Data: data}}, Log: x.log}
			at := startQuiet(t, s)
			b := newBad(t, at, tt.lose, tt.double, tt.delay)
			got, err := pull(b.addr(), "f", pullOptions{block: tt.block, window: tt.window, rto: 300 * time.Millisecond})
			if err != nil || !bytes.Equal(got.data, data) {
				t.Fatalf("got %d of %d bytes, %v", len(got.data), len(data), err)
			}
			b.mu.Lock()
			n, dropped := b.n, b.dropped
			b.mu.Unlock()
			blocks := len(data)/1428 + 1
			if n > 6*blocks+1000 {
				t.Errorf("%d packets for %d blocks: they multiply", n, blocks)
			}
			t.Logf("%d packets, %d dropped", n, dropped)
		})
	}
}

// readerOnly is a file that cannot be read at a place.
type readerOnly struct{ fs.File }

func TestFileWithoutReadAt(t *testing.T) {
	data := noise(70_000)
	files := fstest.MapFS{"f": {Data: data}}
	s := &Server{FS: fsFunc(func(name string) (fs.File, error) {
		f, err := files.Open(name)
		return readerOnly{f}, err
	})}
	got, err := pull(start(t, s), "f", pullOptions{block: 1000, window: 5})
	if err != nil || !bytes.Equal(got.data, data) {
		t.Errorf("got %d bytes, %v", len(got.data), err)
	}
}

type fsFunc func(string) (fs.File, error)

func (f fsFunc) Open(name string) (fs.File, error) { return f(name) }
