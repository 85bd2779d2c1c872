package tftp

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	pin "github.com/pin/tftp/v3"
)

// Packet types and error codes (RFC 1350, 5 and appendix).
const (
	opRRQ   = 1
	opWRQ   = 2
	opERROR = 5

	codeAccess = 2
	codeBad    = 4
)

// front is the socket as pin/tftp sees it: only read requests that may start
// a transfer come through. Data has sockets of its own.
type front struct {
	conn   *net.UDPConn
	server *Server
	limit  int

	mu     sync.Mutex
	active map[netip.AddrPort]bool
	last   netip.AddrPort // began last
	once   sync.Once
	closed chan struct{}
	died   chan error
}

// ReadFrom returns the next read request, rewritten in its plain form. When
// the socket breaks it says so once and blocks until Close: pin/tftp would
// ask again for ever.
func (f *front) ReadFrom(b []byte) (int, net.Addr, error) {
	buf := make([]byte, 2048)
	for {
		n, from, err := f.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case f.died <- err:
			default:
			}
			<-f.closed
			return 0, nil, net.ErrClosed
		}
		from = unmap(from)
		p, code, why := request(buf[:n])
		switch {
		case code != 0:
			f.server.counters.refused.Add(1)
			f.refuse(from, code, why)
			continue
		case p == nil || len(p) > len(b):
			f.server.counters.malformed.Add(1)
			continue
		case !f.begin(from):
			f.server.counters.dropped.Add(1)
			continue
		}
		return copy(b, p), net.UDPAddrFromAddrPort(from), nil
	}
}

// begin takes a place for a transfer to from. A repeated request, whose
// transfer is under way, gets none: the transfer repeats its first packet.
func (f *front) begin(from netip.AddrPort) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.active[from] || len(f.active) >= f.limit {
		return false
	}
	f.active[from], f.last = true, from
	return true
}

// OnFailure is pin/tftp's hook. Without a client's address it tells that the
// request just read could not start: no socket was to be had.
func (f *front) OnFailure(t pin.TransferStats, _ error) {
	if t.RemoteAddr == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.active, f.last)
	}
}

// OnSuccess is pin/tftp's hook.
func (f *front) OnSuccess(pin.TransferStats) {}

func (f *front) done(from netip.AddrPort) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.active, from)
}

// refuse sends an ERROR packet. A lost one costs the client a repetition.
func (f *front) refuse(to netip.AddrPort, code byte, why string) {
	p := append([]byte{0, opERROR, 0, code}, why...)
	_, _ = f.conn.WriteToUDPAddrPort(append(p, 0), to)
}

func (f *front) Close() error {
	f.once.Do(func() { close(f.closed) })
	if err := f.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (f *front) LocalAddr() net.Addr                { return f.conn.LocalAddr() }
func (f *front) SetDeadline(t time.Time) error      { return f.conn.SetDeadline(t) }
func (f *front) SetReadDeadline(t time.Time) error  { return f.conn.SetReadDeadline(t) }
func (f *front) SetWriteDeadline(t time.Time) error { return f.conn.SetWriteDeadline(t) }
func (f *front) WriteTo(b []byte, a net.Addr) (int, error) {
	return f.conn.WriteTo(b, a)
}

// request reads a packet that came to the server's port. It returns a read
// request in plain form (option names in lower case, for RFC 2347 says that
// case does not matter), or the error to answer with, or nothing for what is
// no request.
func request(p []byte) (rrq []byte, code byte, why string) {
	if len(p) < 4 || p[0] != 0 || p[1] != opRRQ && p[1] != opWRQ {
		return nil, 0, ""
	}
	body := p[2:]
	if body[len(body)-1] != 0 {
		return nil, 0, "" // truncated
	}
	fields := bytes.Split(body[:len(body)-1], []byte{0})
	if len(fields) < 2 || len(fields[0]) == 0 || len(fields[0]) > 512 {
		return nil, 0, ""
	}
	mode := strings.ToLower(string(fields[1]))
	switch {
	case p[1] == opWRQ:
		return nil, codeAccess, "this server is read-only"
	case mode != "octet" && mode != "netascii":
		return nil, codeBad, "mode is not octet or netascii"
	}
	out := append([]byte{0, opRRQ}, fields[0]...)
	out = append(append(append(out, 0), mode...), 0)
	for o := fields[2:]; len(o) >= 2; o = o[2:] {
		switch name := strings.ToLower(string(o[0])); name {
		case "blksize", "tsize": // all that is understood; RFC 2347: leave the others out
			if len(o[1]) > 20 {
				continue // no number
			}
			out = append(append(out, name...), 0)
			out = append(append(out, o[1]...), 0)
		}
	}
	return out, 0, ""
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
