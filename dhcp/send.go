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
	whole bool // the kernel does not cut datagrams apart
}

const (
	// segments is the kernel's bound for one UDP_SEGMENT send (UDP_MAX_SEGMENTS
	// of older ones), and oneSend that of a datagram's length.
	segments = 64
	oneSend  = 65000
)

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
			o.add(x)
		}
		o.flush()
		for _, x := range list {
			o.free.Put(x)
		}
	}
}

// add queues a datagram. Those of one length to one relay agent go through the
// kernel as one that it cuts apart at the end of the way (UDP_SEGMENT, udp(7)):
// most of what a reply costs is that way.
func (o *sender) add(x *exchange) {
	x.ip = x.to.to.Addr().As4()
	x.target = net.UDPAddr{IP: x.ip[:], Port: int(x.to.to.Port())}
	size := len(x.out.b)
	for i := range o.msgs {
		m := &o.msgs[i]
		to := m.Addr.(*net.UDPAddr)
		if n := len(m.Buffers); !o.whole && len(m.Buffers[0]) == size && n < segments && (n+1)*size <= oneSend &&
			to.Port == x.target.Port && to.IP.Equal(x.target.IP) {
			if n == 1 {
				m.OOB = segmentSize(m.OOB[:0], size)
			}
			m.Buffers = append(m.Buffers, x.out.b)
			return
		}
	}
	n := len(o.msgs)
	if n == cap(o.msgs) {
		o.msgs = append(o.msgs, ipv4.Message{})
	}
	o.msgs = o.msgs[:n+1] // with the slices of an earlier one
	m := &o.msgs[n]
	m.Buffers, m.OOB, m.Addr = append(m.Buffers[:0], x.out.b), m.OOB[:0], &x.target
}

// flush sends the queued datagrams. One that the network does not take keeps
// no other back.
func (o *sender) flush() {
	for rest := o.msgs; len(rest) > 0; {
		n, err := o.pc.WriteBatch(rest, 0)
		if err != nil {
			n = 1
			if len(rest[0].Buffers) > 1 {
				o.apart(&rest[0])
			} else if refused(err) {
				o.unsent(rest[0].Addr.String(), err)
			}
		}
		rest = rest[n:]
	}
}

// apart sends one by one what could not be sent together. When that works the
// kernel, or the network card's driver, cannot cut: it is not asked again.
func (o *sender) apart(m *ipv4.Message) {
	for _, b := range m.Buffers {
		_, err := o.pc.WriteBatch([]ipv4.Message{{Buffers: [][]byte{b}, Addr: m.Addr}}, 0)
		if err == nil {
			o.whole = true
		} else if refused(err) {
			o.unsent(m.Addr.String(), err)
		}
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
