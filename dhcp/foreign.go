package dhcp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/packet"

	"appliance/pool"
)

const (
	// settle is how long the server is silent at its start, listening for
	// another one. dnsmasq pings an address for three seconds before it offers it.
	settle = 3500 * time.Millisecond
	// detectEvery is the default of Server.Detect.
	detectEvery = time.Minute
)

// foreign is what is known of other DHCP servers on the wire.
//
//	settling ──nothing heard──▶ alone ◀──two probes without an answer──┐
//	    └────────heard──────────▶ ─────────heard─────────▶ blocked ────┘
type foreign struct {
	mu       sync.Mutex
	probe    pool.MAC // the detector's client address
	settling bool
	addr     netip.Addr // of the other server; zero: alone
	missed   int        // probes since it was last heard
}

func (f *foreign) start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = rand.Read(f.probe[:])   // never fails (crypto/rand)
	f.probe[0] = f.probe[0]&^1 | 2 // an individual, locally administered address
	f.settling, f.addr, f.missed = true, netip.Addr{}, 0
}

// own says whether mac is the detector's.
func (f *foreign) own(mac pool.MAC) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return mac == f.probe
}

// blocks says whether addresses must not be handed out.
func (f *foreign) blocks() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settling || f.addr.IsValid()
}

// heard records another server; true when that is news.
func (f *foreign) heard(addr netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	news := f.addr != addr
	f.addr, f.missed = addr, 0
	return news
}

// ask counts a probe that is about to be sent. It returns the server that has
// not answered the last two, and forgets it.
func (f *foreign) ask() netip.Addr {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := netip.Addr{}
	if f.addr.IsValid() && f.missed >= 2 {
		gone, f.addr = f.addr, netip.Addr{}
	}
	f.missed++
	return gone
}

// Foreign returns the DHCP server because of which this one hands out no
// addresses, if there is one.
func (s *Server) Foreign() (netip.Addr, bool) {
	f := &s.foreign
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.addr, f.addr.IsValid()
}

// detect looks for other DHCP servers until ctx ends: it asks as a client
// with a random address would, and listens to what servers and clients say.
func (s *Server) detect(ctx context.Context) (err error) {
	ifi, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return err
	}
	self, _ := macOf(ifi)
	conn, err := packet.Listen(ifi, packet.Raw, etherIPv4, &packet.Config{Filter: udpFilter(dhcpv4.ServerPort, dhcpv4.ClientPort)})
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
	start := time.Now()
	next := start
	buf := make([]byte, 2048)
	for {
		now := time.Now()
		if now.Sub(start) >= settle {
			s.settled()
		}
		if !now.Before(next) {
			next = now.Add(every)
			if err := s.ask(conn, self); err != nil {
				s.log().Warn("no search for other DHCP servers", "err", err) // the link may be down: it comes back
			}
		}
		wait := next
		if end := start.Add(settle); now.Before(end) && end.Before(wait) {
			wait = end
		}
		if err := conn.SetReadDeadline(wait); err != nil {
			return err
		}
		n, _, err := conn.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ENETDOWN): // it may come up again
		case err != nil:
			return fmt.Errorf("listen for other DHCP servers: %w", err)
		default:
			if a, ok := s.otherServer(buf[:n]); ok && s.foreign.heard(a) {
				s.log().Warn("another DHCP server is on the wire: handing out no addresses", "ip", a.String())
				s.tellForeign(a)
			}
		}
	}
}

func (s *Server) settled() {
	s.foreign.mu.Lock()
	defer s.foreign.mu.Unlock()
	s.foreign.settling = false
}

// ask broadcasts the detector's DISCOVER and takes note of who is gone.
func (s *Server) ask(conn *packet.Conn, self pool.MAC) error {
	if gone := s.foreign.ask(); gone.IsValid() {
		s.log().Info("the other DHCP server is gone: handing out addresses again", "ip", gone.String())
		s.tellForeign(netip.Addr{})
	}
	d, err := dhcpv4.NewDiscovery(s.foreign.probe[:], dhcpv4.WithBroadcast(true))
	if err != nil {
		return err
	}
	b := udp4(netip.AddrPortFrom(netip.IPv4Unspecified(), dhcpv4.ClientPort),
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), dhcpv4.ServerPort), d.ToBytes())
	_, err = conn.WriteTo(ethernet(broadcastMAC, self, etherIPv4, b), &packet.Addr{HardwareAddr: broadcastMAC[:]})
	return err
}

func (s *Server) tellForeign(a netip.Addr) {
	if s.OnForeign != nil {
		s.OnForeign(a)
	}
}

// otherServer reads a frame and returns the foreign server that it is from,
// or that it asks: a client that takes an offer names its server to all
// (RFC 2131, 4.3.1). What came through a relay agent is of another wire.
func (s *Server) otherServer(frame []byte) (netip.Addr, bool) {
	if len(frame) < 14 {
		return netip.Addr{}, false
	}
	_, port, payload, ok := udpPayload(frame[14:])
	if !ok || port != dhcpv4.ClientPort && port != dhcpv4.ServerPort {
		return netip.Addr{}, false
	}
	p, err := dhcpv4.FromBytes(payload)
	if err != nil || !addr4(p.GatewayIPAddr).IsUnspecified() {
		return netip.Addr{}, false
	}
	switch p.MessageType() {
	case dhcpv4.MessageTypeOffer, dhcpv4.MessageTypeAck, dhcpv4.MessageTypeRequest:
	default:
		return netip.Addr{}, false
	}
	id := addr4(p.ServerIdentifier())
	return id, !id.IsUnspecified() && id != s.Addr
}
