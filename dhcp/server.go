package dhcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/net/ipv4"
	"golang.org/x/sync/errgroup"

	"appliance/pool"
)

// Leases remembers who has which address. Errors wrap pool.Err….
type Leases interface {
	// Lease returns the last lease of mac, run out or not.
	Lease(ctx context.Context, mac pool.MAC) (pool.Lease, error)
	// LeaseAt returns the last lease of addr, run out or not, or its being declined.
	LeaseAt(ctx context.Context, addr netip.Addr) (pool.Lease, error)
	// Leases returns all of them.
	Leases(ctx context.Context) ([]pool.Lease, error)
	// Bind stores l durably before it returns: the MAC's only lease from then
	// on. ErrConflict: another MAC holds the address, or it is declined.
	Bind(ctx context.Context, l pool.Lease) (pool.Lease, error)
	// Unbind ends the lease of mac on addr.
	Unbind(ctx context.Context, mac pool.MAC, addr netip.Addr) error
	// Decline sets addr aside until the given time.
	Decline(ctx context.Context, addr netip.Addr, until time.Time) error
}

// Directory decides who is answered, and with what to boot.
type Directory interface {
	// Answer says what mac is told to boot. False: it gets no answer at all.
	Answer(ctx context.Context, mac pool.MAC, client pool.Client, subnet pool.Subnet) (pool.BootAnswer, bool, error)
}

// Server answers DHCPv4 on one interface, and for relay agents that send to
// it. All fields are set before Serve and not changed after.
type Server struct {
	// Subnets are those served. The one that holds Addr is the interface's own.
	Subnets []pool.Subnet
	// Interface is the network interface's name. Without one the server
	// answers relay agents and clients that have an address, probes nothing
	// and looks for no other server.
	Interface string
	// Addr is the server identifier (option 54): the interface's address.
	Addr netip.Addr

	Leases    Leases
	Directory Directory

	// Log tells of leases bound and refused; nil is silent.
	Log *slog.Logger
	// Boot observes what belongs to a machine's boot. It must not block.
	Boot func(pool.BootEvent)
	// OnForeign is told when another DHCP server appears on the wire, and with
	// the zero address when it has gone. It must not block.
	OnForeign func(netip.Addr)

	// Probe says who uses addr, if anybody does. Nil means ARP on Interface.
	Probe func(ctx context.Context, addr netip.Addr) (pool.MAC, bool, error)
	// Detect is how often the server looks for another one; 0 means a minute.
	Detect time.Duration

	holds   holds
	foreign foreign
	booting booting
	stats   counters
}

const (
	workers = 256              // packets in work at a time; a conflict probe keeps one busy for ProbeTime
	holdFor = 30 * time.Second // an offer nobody asks for is free again then
	aside   = time.Hour        // a declined or squatted address is not given out for so long
)

// Listen opens the server's socket: UDP port 67 on one interface, with a
// receive buffer that holds a rack's worth of DISCOVERs. Linux, root.
func Listen(ctx context.Context, iface string) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: socketOptions(iface)}
	conn, err := lc.ListenPacket(ctx, "udp4", ":67")
	if err != nil {
		return nil, fmt.Errorf("open DHCP socket on %s: %w", iface, err)
	}
	return conn.(*net.UDPConn), nil
}

// Serve answers requests that arrive on conn until ctx ends (nil) or conn
// breaks. It owns conn and every goroutine it starts, and returns when all
// have ended.
func (s *Server) Serve(ctx context.Context, conn *net.UDPConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := s.open(conn)
	if err != nil {
		return errors.Join(fmt.Errorf("serve DHCP on %s: %w", s.Interface, err), conn.Close())
	}
	defer out.close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	var side errgroup.Group
	if s.Interface != "" {
		s.foreign.start()
		side.Go(func() error {
			defer cancel() // without its detector the server might hand out what another one owns
			return s.detect(ctx)
		})
	}
	err = s.read(ctx, conn, out)
	ended := ctx.Err() != nil
	cancel()
	if serr := side.Wait(); serr != nil {
		return fmt.Errorf("serve DHCP on %s: %w", s.Interface, serr)
	}
	if ended {
		return nil
	}
	return errors.Join(fmt.Errorf("serve DHCP on %s: %w", s.Interface, err), conn.Close())
}

// read is the read loop. It returns why it ended, after all replies have gone.
func (s *Server) read(ctx context.Context, conn *net.UDPConn, out *sender) error {
	pc := ipv4.NewPacketConn(conn)
	if err := pc.SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true); err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(workers)
	defer func() { _ = g.Wait() }() // packet never returns an error
	buf := make([]byte, 64<<10)
	for {
		n, cm, src, err := pc.ReadFrom(buf)
		if err != nil {
			return err
		}
		s.stats.received.Add(1)
		req, ok := parse(buf[:n])
		if !ok {
			s.stats.malformed.Add(1)
			continue
		}
		a := arrival{src: addrOf(src)}
		if cm != nil {
			a.dst, _ = netip.AddrFromSlice(cm.Dst.To4())
		}
		g.Go(func() error {
			s.packet(ctx, req, a, out)
			return nil
		})
	}
}

// packet answers one request: the edge that logs.
func (s *Server) packet(ctx context.Context, req *dhcpv4.DHCPv4, a arrival, out *sender) {
	resp, err := s.reply(ctx, req, a)
	if err != nil && ctx.Err() == nil {
		s.stats.failed.Add(1)
		s.log().Warn("request not answered", "mac", req.ClientHWAddr.String(), "type", req.MessageType().String(), "err", err)
	}
	if resp == nil {
		return
	}
	if err := out.send(req, resp); err != nil && ctx.Err() == nil {
		s.stats.unsent.Add(1)
		s.log().Warn("reply not sent", "mac", req.ClientHWAddr.String(), "type", resp.MessageType().String(), "err", err)
	}
}

// arrival is where a packet came from and went to.
type arrival struct {
	src netip.AddrPort
	dst netip.Addr // zero when the kernel did not say
}

// parse reads a client's message. What it accepts has an Ethernet address
// that an interface can have, and a message type that clients send.
func parse(b []byte) (*dhcpv4.DHCPv4, bool) {
	req, err := dhcpv4.FromBytes(b)
	if err != nil || req.OpCode != dhcpv4.OpcodeBootRequest || req.HWType != 1 || len(req.ClientHWAddr) != 6 {
		return nil, false
	}
	if m := pool.MAC(req.ClientHWAddr); m.IsZero() || m[0]&1 == 1 {
		return nil, false
	}
	switch req.MessageType() {
	case dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeDecline,
		dhcpv4.MessageTypeRelease, dhcpv4.MessageTypeInform:
		return req, true
	default:
		return nil, false
	}
}

func addrOf(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok {
		ap := u.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
