package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/mdlayher/packet"

	"appliance/pool"
)

// detect looks for other DHCP servers until ctx ends: it asks as a client
// with a random address would, and listens to what servers and clients say.
func (s *Server) detect(ctx context.Context) (err error) {
	ifi, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return err
	}
	self, _ := macOf(ifi)
	conn, err := packet.Listen(ifi, packet.Raw, etherIPv4, &packet.Config{Filter: udpFilter(serverPort, clientPort)})
	if err != nil {
		return fmt.Errorf("open packet socket: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()

	every := s.Detect
	if every <= 0 {
		every = detectEvery
	}
	next := time.Now()
	buf := make([]byte, 2048)
	for {
		wait := s.listening()
		now := time.Now()
		if !wait.After(now) {
			s.settled()
			wait = now.Add(time.Second) // another subnet may begin to listen
		}
		if !now.Before(next) {
			next = now.Add(every)
			if err := s.ask(conn, self); err != nil {
				s.log().Warn("no search for other DHCP servers", "err", err) // the link may be down: it comes back
			}
		}
		if next.Before(wait) {
			wait = next
		}
		if err := conn.SetReadDeadline(wait); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil // it may have ended just before the deadline was set anew
		}
		n, _, err := conn.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ENETDOWN): // it may come up again
		case err != nil:
			return fmt.Errorf("listen for other DHCP servers: %w", err)
		default:
			if n >= 12 && pool.MAC(buf[6:12]) == self {
				continue // what we send ourselves
			}
			if g, ok := s.see(buf[:n]); ok {
				if f, news := s.foreign.heard(g, now); news {
					s.appeared(f)
				}
			}
		}
	}
}

// listening returns when subnets that are not decided are to be.
func (s *Server) listening() time.Time {
	s.foreign.mu.Lock()
	defer s.foreign.mu.Unlock()
	return s.foreign.until
}

// ask broadcasts the detector's DISCOVER and takes note of who is gone.
func (s *Server) ask(conn *packet.Conn, self pool.MAC) error {
	for _, f := range s.foreign.ask() {
		s.log().Info("the other DHCP server is gone", "server", f.String())
		if s.OnForeign != nil {
			s.OnForeign(f)
		}
	}
	b, err := s.foreign.probeMessage()
	if err != nil {
		return err
	}
	b = udp4(netip.AddrPortFrom(netip.IPv4Unspecified(), clientPort),
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), serverPort), b)
	_, err = conn.WriteTo(ethernet(broadcastMAC, self, etherIPv4, b), &packet.Addr{HardwareAddr: broadcastMAC[:]})
	return err
}

// Look listens and asks for DHCP servers on an interface for some time, as a
// Server does all the time, and returns those that are no appliances. addr is
// our own address there.
func Look(ctx context.Context, iface string, addr netip.Addr, long time.Duration) ([]ForeignServer, error) {
	s := &Server{Interface: iface, Addr: addr, Detect: max(long/3, time.Second)}
	s.foreign.start()
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	if err := s.detect(ctx); err != nil {
		return nil, fmt.Errorf("look for DHCP servers on %s: %w", iface, err)
	}
	return s.Foreign(), nil
}
