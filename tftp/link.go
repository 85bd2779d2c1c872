package tftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// link carries one transfer's packets.
type link interface {
	// packet sends one packet. errSize: it does not fit the path.
	packet(p []byte) error
	// blocks sends n DATA packets numbered from first on, with data cut at
	// size; the last may be short.
	blocks(first uint16, data []byte, size, n int) error
	// receive returns the next packet from the client, or an error that wraps
	// os.ErrDeadlineExceeded at until, or early by slack at the most.
	receive(b []byte, until time.Time, slack time.Duration) (int, error)
	// mtu is the path's as far as it is known; 0: not at all.
	mtu() int
	close()
}

// errSize: a packet is larger than the path takes without fragments.
var errSize = errors.New("block does not fit the path's MTU")

// shared is the server's own socket, lent to a transfer (single port).
type shared struct {
	*front
	to    netip.AddrPort
	inbox <-chan []byte
	done  <-chan struct{}
	buf   []byte
}

func (l *shared) packet(p []byte) error {
	_, err := l.conn.WriteToUDPAddrPort(p, l.target(l.to))
	return sizeError(err)
}

func (l *shared) blocks(first uint16, data []byte, size, n int) error {
	for i := range n {
		part := data[i*size : min((i+1)*size, len(data))]
		l.buf = append(appendHeader(l.buf[:0], first+uint16(i)), part...)
		if err := l.packet(l.buf); err != nil {
			return err
		}
	}
	return nil
}

func (l *shared) receive(b []byte, until time.Time, _ time.Duration) (int, error) {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case p := <-l.inbox:
		return copy(b, p), nil
	case <-l.done:
		return 0, context.Canceled
	case <-t.C:
		return 0, os.ErrDeadlineExceeded
	}
}

func (l *shared) mtu() int { return 0 }
func (l *shared) close()   {}

func appendHeader(p []byte, n uint16) []byte { return append(p, 0, opDATA, byte(n>>8), byte(n)) }

// openLink makes the link of a transfer to a client.
func (f *front) openLink(ctx context.Context, s *session, to netip.AddrPort, local netip.Addr) (link, error) {
	if s.inbox != nil {
		return &shared{front: f, to: to, inbox: s.inbox, done: ctx.Done()}, nil
	}
	var from *net.UDPAddr
	if local.IsValid() && !local.IsUnspecified() {
		from = net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	conn, err := net.DialUDP("udp", from, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	return newOwn(ctx, conn, f.server)
}
