package dhcp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/ipv4"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"appliance/pool"
)

// probing is the prober's open sockets.
type probing struct {
	arp  *packet.Conn
	icmp *ipv4.PacketConn // nil: what is behind relay agents is not probed
	conn net.PacketConn   // of icmp
	self pool.MAC
	from netip.Addr
	id   uint16
	buf  [][]byte
	msgs []ipv4.Message
	addr []net.IPAddr
}

// openProbing opens them on the server's interface.
func (s *Server) openProbing(ctx context.Context) (*probing, error) {
	ifi, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return nil, err
	}
	p := &probing{from: s.Addr, id: uint16(rand.Uint32())} //nolint:gosec // only tells our pings from others'
	p.self, _ = macOf(ifi)
	if p.arp, err = packet.Listen(ifi, packet.Raw, etherARP, nil); err != nil {
		return nil, fmt.Errorf("open ARP socket: %w", err)
	}
	lc := net.ListenConfig{Control: bigSendBuffer}
	if p.conn, err = lc.ListenPacket(ctx, "ip4:icmp", "0.0.0.0"); err != nil {
		s.log().Warn("addresses behind relay agents are not probed", "err", err)
		return p, nil
	}
	p.icmp = ipv4.NewPacketConn(p.conn)
	var f ipv4.ICMPFilter
	f.SetAll(true)
	f.Accept(ipv4.ICMPTypeEchoReply)
	if err := p.icmp.SetICMPFilter(&f); err != nil {
		p.close()
		return nil, fmt.Errorf("open ICMP socket: %w", err)
	}
	return p, nil
}

func bigSendBuffer(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20) // what is not sent is not answered
	})
}

func (p *probing) close() {
	_ = p.arp.Close()
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// send is the prober's.
func (p *probing) send(list []netip.Addr, local bool) {
	if local {
		for _, a := range list {
			f := ethernet(broadcastMAC, p.self, etherARP, arpQuestion(p.self, p.from, a))
			_, _ = p.arp.WriteTo(f, &packet.Addr{HardwareAddr: broadcastMAC[:]}) // what is not sent is not answered
		}
		return
	}
	if p.icmp == nil {
		return
	}
	for len(list) > 0 {
		n := min(len(list), 64)
		p.ping(list[:n])
		list = list[n:]
	}
}

// ping sends an echo request to each address in one call.
func (p *probing) ping(list []netip.Addr) {
	for len(p.buf) < len(list) {
		p.buf = append(p.buf, echo(nil, p.id, 1))
	}
	p.msgs, p.addr = p.msgs[:0], p.addr[:0]
	for _, a := range list {
		p.addr = append(p.addr, net.IPAddr{IP: a.AsSlice()})
	}
	for i := range list {
		p.msgs = append(p.msgs, ipv4.Message{Buffers: [][]byte{p.buf[i]}, Addr: &p.addr[i]})
	}
	for rest := p.msgs; len(rest) > 0; {
		n, err := p.icmp.WriteBatch(rest, 0)
		if err != nil {
			n = 1 // that one has no route; the others may
		}
		rest = rest[n:]
	}
}

// listen tells pr of answers until ctx ends.
func (p *probing) listen(ctx context.Context, pr *prober) error {
	var g errgroup.Group
	stop := context.AfterFunc(ctx, func() { p.close() })
	defer stop()
	g.Go(func() error {
		buf := make([]byte, 256)
		return heard(ctx, "ARP", func() error {
			n, _, err := p.arp.ReadFrom(buf)
			if err != nil {
				return err
			}
			if a, mac, ok := arpUser(buf[:n]); ok && mac != p.self {
				pr.answered(a, mac)
			}
			return nil
		})
	})
	if p.icmp != nil {
		g.Go(func() error {
			buf := make([]byte, 256)
			return heard(ctx, "ICMP", func() error {
				n, from, err := p.conn.ReadFrom(buf)
				if err != nil {
					return err
				}
				if ip, ok := from.(*net.IPAddr); ok && echoed(buf[:n], p.id) {
					pr.answered(addr4(ip.IP), pool.MAC{})
				}
				return nil
			})
		})
	}
	return g.Wait()
}

// heard reads until ctx ends, also over a link that is down for a while.
func heard(ctx context.Context, what string, read func() error) error {
	for {
		err := read()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, syscall.ENETDOWN):
			time.Sleep(10 * time.Millisecond)
		case err != nil:
			return fmt.Errorf("listen for %s: %w", what, err)
		}
	}
}
