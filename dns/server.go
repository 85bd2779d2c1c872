package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sync/errgroup"
)

const (
	atOnce      = 128 // packets or connections that are answered at the same time
	maxForwards = 64  // of which so many wait for an upstream: a dead one keeps nobody from the zone's names
	askTime     = 2 * time.Second
	idleTime    = 10 * time.Second
	maxQueries  = 100 // on one connection
	answerBound = 5 * time.Second
)

// Server answers for Zone. Set the fields before Serve; it is safe for use by
// several goroutines.
type Server struct {
	Zone     string
	Addr     netip.Addr // of the appliance: its name server
	Names    Directory
	Upstream []netip.AddrPort // asked for what is not ours; none: that is refused
	TTL      time.Duration    // of answers; 5 s when zero
	Log      *slog.Logger     // nil is silent

	forwards atomic.Int32 // under way
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// CheckZone says whether zone can be one. It returns what is wrong, or "".
func CheckZone(zone string) string {
	zone = strings.Trim(zone, ".")
	if len(zone) > 200 {
		return "it is longer than 200 characters"
	}
	for label := range strings.SplitSeq(zone, ".") {
		if label == "" || len(label) > 63 || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Sprintf("%q is no label of letters, digits and dashes", label)
		}
	}
	return ""
}

// ServeUDP answers packets of conn, which it closes, until ctx ends; then it
// returns nil.
func (s *Server) ServeUDP(ctx context.Context, conn net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var g errgroup.Group
	g.SetLimit(atOnce)
	defer func() { _ = g.Wait() }() // answers have no errors
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read DNS query: %w", err)
		}
		packet := append([]byte(nil), buf[:n]...)
		g.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, answerBound)
			defer cancel()
			if out := s.Answer(ctx, packet, false); out != nil {
				if _, err := conn.WriteTo(out, from); err != nil && ctx.Err() == nil {
					s.log().Debug("answer not sent", "to", from, "err", err)
				}
			}
			return nil
		})
	}
}

// ServeTCP answers connections of l, which it closes, until ctx ends; then it
// returns nil.
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var g errgroup.Group
	g.SetLimit(atOnce)
	defer func() { _ = g.Wait() }()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = c.Close()
			}
			return nil
		}
		var soft interface{ Temporary() bool }
		switch {
		case errors.As(err, &soft) && soft.Temporary(): // no file descriptors, a client that went away
			time.Sleep(5 * time.Millisecond)
			continue
		case err != nil:
			return fmt.Errorf("accept DNS connection: %w", err)
		}
		g.Go(func() error { s.connection(ctx, c); return nil })
	}
}

// connection answers the queries on one connection, one after the other.
func (s *Server) connection(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	defer func() { _ = c.Close() }()
	for range maxQueries {
		_ = c.SetDeadline(time.Now().Add(idleTime)) // a closed one fails below
		packet, err := readMessage(c)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, answerBound)
		out := s.Answer(ctx, packet, true)
		cancel()
		if out == nil || writeMessage(c, out) != nil {
			return
		}
	}
}

func readMessage(r io.Reader) ([]byte, error) {
	var n uint16
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

func writeMessage(w io.Writer, b []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	return err
}

// forward asks the upstreams in turn; nil when none answered. Their answer
// counts only when it is to this question. More than maxForwards at a time are
// not asked for.
func (s *Server) forward(ctx context.Context, packet []byte, q query, tcp bool) []byte {
	defer s.forwards.Add(-1)
	if s.forwards.Add(1) > maxForwards {
		return nil
	}
	for _, up := range s.Upstream {
		out, err := exchange(ctx, up, packet, tcp)
		if err == nil && !answers(out, q) {
			err = errors.New("it answered something else")
		}
		if err == nil {
			return out
		}
		s.log().Debug("upstream", "server", up, "err", err)
	}
	return nil
}

func answers(b []byte, q query) bool {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || !h.Response || h.ID != q.header.ID {
		return false
	}
	asked, err := p.Question()
	return err == nil && asked.Type == q.question.Type && asked.Class == q.question.Class &&
		strings.EqualFold(asked.Name.String(), q.question.Name.String())
}

func exchange(ctx context.Context, up netip.AddrPort, packet []byte, tcp bool) ([]byte, error) {
	network := "udp"
	if tcp {
		network = "tcp"
	}
	d := net.Dialer{Timeout: askTime}
	c, err := d.DialContext(ctx, network, up.String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }() // it was read, or is given up
	if err := c.SetDeadline(time.Now().Add(askTime)); err != nil {
		return nil, err
	}
	if tcp {
		if err := writeMessage(c, packet); err != nil {
			return nil, err
		}
		return readMessage(c)
	}
	if _, err := c.Write(packet); err != nil {
		return nil, err
	}
	b := make([]byte, 65535)
	n, err := c.Read(b)
	return b[:n], err
}
