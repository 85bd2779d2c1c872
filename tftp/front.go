package tftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// front is one socket that requests arrive on.
type front struct {
	conn   *net.UDPConn
	server *Server
	local  netip.Addr // that the socket is bound to; unspecified: any

	mu     sync.Mutex
	active map[netip.AddrPort]*session
	by     map[netip.Addr]int // how many of them one address has
	wg     sync.WaitGroup
}

// session is a transfer under way, as the front knows it.
type session struct {
	raw    string // the request, to tell a repetition from a new one
	cancel context.CancelCauseFunc
	heard  atomic.Int64 // when the client was last heard, Unix nanoseconds
	inbox  chan []byte  // what came for it to the server's port; nil without single port
}

// alive is how long a client may be silent before the same request from the
// same port is a client that started anew, and not a late copy.
const alive = 1500 * time.Millisecond

// read takes requests until the socket breaks or is closed.
func (f *front) read(ctx context.Context) error {
	buf, oob := make([]byte, 2048), make([]byte, 128)
	for {
		n, on, _, from, err := f.conn.ReadMsgUDPAddrPort(buf, oob)
		if err != nil {
			return err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		f.packet(ctx, buf[:n], from, f.arrivedAt(oob[:on]))
	}
}

// packet handles one packet; it never blocks.
func (f *front) packet(ctx context.Context, p []byte, from netip.AddrPort, local netip.Addr) {
	c := &f.server.counters
	if f.server.SinglePort && len(p) >= 4 && p[0] == 0 && (p[1] == opACK || p[1] == opERROR) {
		f.pass(p, from)
		return
	}
	req, code, why := parse(p)
	switch {
	case code != 0:
		c.refused.Add(1)
		f.refuse(from, code, why)
	case req == nil:
		c.malformed.Add(1)
	default:
		f.begin(ctx, req, string(p), from, local)
	}
}

// pass hands a packet to its transfer, or drops it as the network may.
func (f *front) pass(p []byte, from netip.AddrPort) {
	f.mu.Lock()
	s := f.active[from]
	f.mu.Unlock()
	if s == nil {
		f.server.counters.malformed.Add(1)
		return
	}
	select {
	case s.inbox <- append([]byte(nil), p...):
	default:
	}
}

// begin starts a transfer. A repeated request, whose transfer is under way,
// starts none: the transfer repeats its first packet. Another request from the
// same port, or the same one after a silence, is a client that started anew.
func (f *front) begin(ctx context.Context, req *request, raw string, from netip.AddrPort, local netip.Addr) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.active[from]
	if old != nil && old.raw == raw && now.UnixNano()-old.heard.Load() < int64(alive) {
		f.server.counters.repeated.Add(1)
		return
	}
	if old == nil && (len(f.active) >= f.server.limit() || f.by[from.Addr()] >= f.server.share()) {
		f.server.counters.dropped.Add(1)
		return
	}
	if old == nil {
		f.by[from.Addr()]++
	}
	if old != nil {
		old.cancel(errAnew)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{raw: raw, cancel: cancel}
	s.heard.Store(now.UnixNano())
	if f.server.SinglePort {
		s.inbox = make(chan []byte, 16)
	}
	f.active[from] = s
	f.wg.Go(func() {
		defer cancel(nil)
		f.server.serve(ctx, f, s, req, from, local)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.active[from] == s {
			delete(f.active, from)
			if f.by[from.Addr()]--; f.by[from.Addr()] == 0 {
				delete(f.by, from.Addr())
			}
		}
	})
}

// refuse sends an ERROR packet. A lost one costs the client a repetition.
func (f *front) refuse(to netip.AddrPort, code byte, why string) {
	_, _ = f.conn.WriteToUDPAddrPort(errorPacket(code, why), f.target(to))
}

// target writes an address as the socket's family wants it.
func (f *front) target(to netip.AddrPort) netip.AddrPort {
	if f.local.Is6() && to.Addr().Is4() {
		return netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), to.Port())
	}
	return to
}

var errAnew = errors.New("client asked anew")
