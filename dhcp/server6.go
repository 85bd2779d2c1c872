package dhcp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv6"
	"golang.org/x/sync/errgroup"

	"appliance/pool"
)

// UDP ports and the group of DHCPv6 (RFC 8415, 7).
const (
	clientPort6 = 546
	serverPort6 = 547
)

var allServers6 = netip.MustParseAddr("ff02::1:2")

// workers6 bounds the DHCPv6 packets in work at a time.
const workers6 = 64

// Serve6 answers DHCPv6 on the server's interface until ctx ends (nil) or a
// socket breaks. What clients send themselves is read from frames, because
// only those tell a client's MAC; what relay agents send comes by UDP.
func (s *Server) Serve6(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("serve DHCPv6 on %s: %w", s.Interface, err)
		}
	}()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	ifi, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return err
	}
	mac, ok := macOf(ifi)
	if !ok {
		return errNoEthernet
	}
	s.mac6 = mac
	lc := net.ListenConfig{Control: socketOptions(s.Interface)}
	pc, err := lc.ListenPacket(ctx, "udp6", fmt.Sprintf("[::]:%d", serverPort6))
	if err != nil {
		return fmt.Errorf("open socket: %w", err)
	}
	conn := pc.(*net.UDPConn)
	if err := ipv6.NewPacketConn(conn).JoinGroup(ifi, &net.UDPAddr{IP: allServers6.AsSlice()}); err != nil {
		return errors.Join(fmt.Errorf("join %s: %w", allServers6, err), conn.Close())
	}
	raw, err := packet.Listen(ifi, packet.Raw, etherIPv6, &packet.Config{Filter: dhcp6Filter()})
	if err != nil {
		return errors.Join(fmt.Errorf("open packet socket: %w", err), conn.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		_ = conn.Close()
		_ = raw.Close()
	})
	defer stop()
	var reads, work errgroup.Group
	work.SetLimit(workers6)
	reads.Go(func() error { defer cancel(); return s.readFrames6(ctx, raw, conn, ifi, &work) })
	reads.Go(func() error { defer cancel(); return s.readRelays6(ctx, conn, &work) })
	err = reads.Wait()
	_ = work.Wait() // packet6 never returns an error
	return err
}

// readFrames6 reads what clients send.
func (s *Server) readFrames6(ctx context.Context, raw *packet.Conn, out *net.UDPConn, ifi *net.Interface, work *errgroup.Group) error {
	buf := make([]byte, 2048)
	return heard(ctx, "DHCPv6", func() error {
		n, _, err := raw.ReadFrom(buf)
		if err != nil {
			return err
		}
		from, mac, b, ok := frame6(buf[:n])
		if !ok || mac == s.mac6 || len(b) > 0 && b[0] >= 12 {
			return nil // a relay agent's comes by UDP
		}
		b = append([]byte{}, b...)
		to := netip.AddrPortFrom(from.WithZone(ifi.Name), clientPort6)
		if !from.IsLinkLocalUnicast() {
			to = netip.AddrPortFrom(from, clientPort6)
		}
		work.Go(func() error { s.packet6(ctx, b, from, mac, to, out); return nil })
		return nil
	})
}

// readRelays6 reads what relay agents send.
func (s *Server) readRelays6(ctx context.Context, conn *net.UDPConn, work *errgroup.Group) error {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if n < 1 || buf[0] != 12 { // RELAY-FORW
			continue
		}
		b := append([]byte{}, buf[:n]...)
		work.Go(func() error {
			s.packet6(ctx, b, from.Addr(), pool.MAC{}, netip.AddrPortFrom(from.Addr(), serverPort6), conn)
			return nil
		})
	}
}

// packet6 answers one packet: the edge that logs.
func (s *Server) packet6(ctx context.Context, b []byte, from netip.Addr, mac pool.MAC, to netip.AddrPort, out *net.UDPConn) {
	s.stats.received.Add(1)
	r, err := s.reply6(ctx, b, from.WithZone(""), mac)
	if err != nil && ctx.Err() == nil {
		s.stats.failed.Add(1)
		s.log().Warn("DHCPv6 request not answered", "mac", mac.String(), "from", from.String(), "err", err)
	}
	if r == nil {
		return
	}
	if err := out.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return // it is closed
	}
	if _, err := out.WriteToUDPAddrPort(r.ToBytes(), to); err != nil && ctx.Err() == nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		s.stats.unsent.Add(1)
		s.log().Warn("DHCPv6 reply not sent", "to", to.String(), "err", err)
	}
}

// frame6 returns who sent the DHCPv6 message in a frame, and the message.
func frame6(f []byte) (netip.Addr, pool.MAC, []byte, bool) {
	if len(f) < 14+40+8 || binary.BigEndian.Uint16(f[12:]) != etherIPv6 || f[20] != 17 || binary.BigEndian.Uint16(f[56:]) != serverPort6 {
		return netip.Addr{}, pool.MAC{}, nil, false
	}
	n := int(binary.BigEndian.Uint16(f[58:]))
	mac := pool.MAC(f[6:12])
	if f[38] != 0xff { // a client that was not told the Server Unicast option multicasts (RFC 8415, 16)
		return netip.Addr{}, pool.MAC{}, nil, false
	}
	if n < 8 || 54+n > len(f) || mac.IsZero() || mac[0]&1 == 1 {
		return netip.Addr{}, pool.MAC{}, nil, false
	}
	return netip.AddrFrom16([16]byte(f[22:38])), mac, f[62 : 54+n], true
}

// dhcp6Filter passes UDP datagrams to port 547 over IPv6 without extension headers.
func dhcp6Filter() []bpf.RawInstruction {
	return assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv6, SkipTrue: 5},
		bpf.LoadAbsolute{Off: 20, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 17, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 56, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: serverPort6, SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 16},
		bpf.RetConstant{Val: 0},
	})
}
