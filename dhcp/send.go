package dhcp

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/mdlayher/packet"
	"golang.org/x/net/ipv4"

	"appliance/pool"
)

// sender puts replies on the wire, many in one system call.
type sender struct {
	s     *Server
	pc    *ipv4.PacketConn
	raw   *packet.Conn // nil without an interface
	mac   pool.MAC
	free  *sync.Pool
	queue batcher
	msgs  []ipv4.Message
}

// openRaw opens the packet socket for clients without an address, and keeps it.
func (s *Server) openRaw() (*packet.Conn, pool.MAC, error) {
	if s.Interface == "" {
		return nil, pool.MAC{}, nil
	}
	ifi, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return nil, pool.MAC{}, err
	}
	mac, ok := macOf(ifi)
	if !ok {
		return nil, pool.MAC{}, errNoEthernet
	}
	// Protocol 0 receives nothing: the socket only sends.
	raw, err := packet.Listen(ifi, packet.Raw, 0, nil)
	if err != nil {
		return nil, pool.MAC{}, fmt.Errorf("open packet socket: %w", err)
	}
	return raw, mac, nil
}

// run sends what is queued until the queue ends.
func (o *sender) run() {
	for {
		list := o.queue.take(batch)
		if list == nil {
			return
		}
		o.msgs = o.msgs[:0]
		for _, x := range list {
			if !x.to.mac.IsZero() {
				if o.raw != nil {
					o.frame(x)
					continue
				}
				// Without a packet socket a broadcast reaches it, too.
				x.to.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), clientPort)
			}
			x.ip = x.to.to.Addr().As4()
			x.target = net.UDPAddr{IP: x.ip[:], Port: int(x.to.to.Port())}
			o.msgs = append(o.msgs, ipv4.Message{Buffers: [][]byte{x.out.b}, Addr: &x.target})
		}
		o.flush()
		for _, x := range list {
			o.free.Put(x)
		}
	}
}

// flush sends the queued datagrams. One that the network does not take keeps
// no other back.
func (o *sender) flush() {
	for rest := o.msgs; len(rest) > 0; {
		n, err := o.pc.WriteBatch(rest, 0)
		if err != nil {
			n = 1
			if refused(err) {
				o.unsent(rest[0].Addr.String(), err)
			}
		}
		rest = rest[n:]
	}
}

func (o *sender) unsent(to string, err error) {
	o.s.stats.unsent.Add(1)
	o.s.log().Warn("reply not sent", "to", to, "err", err)
}

// frame sends to a client that cannot answer ARP yet.
func (o *sender) frame(x *exchange) {
	dst := x.to.mac
	f := ethernet(dst, o.mac, etherIPv4, udp4(netip.AddrPortFrom(o.s.Addr, serverPort), x.to.to, x.out.b))
	if _, err := o.raw.WriteTo(f, &packet.Addr{HardwareAddr: dst[:]}); refused(err) {
		o.unsent(dst.String(), err)
	}
}
