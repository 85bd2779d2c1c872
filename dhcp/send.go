package dhcp

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/packet"

	"appliance/pool"
)

// sender puts replies on the wire.
type sender struct {
	udp  *net.UDPConn
	raw  *packet.Conn // nil without an interface
	mac  pool.MAC
	addr netip.Addr
}

// open prepares for sending on the server's interface.
func (s *Server) open(conn *net.UDPConn) (*sender, error) {
	out := &sender{udp: conn, addr: s.Addr}
	if s.Interface == "" {
		return out, nil
	}
	ifi, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return nil, err
	}
	mac, ok := macOf(ifi)
	if !ok {
		return nil, fmt.Errorf("%w: it is no Ethernet interface", pool.ErrInvalid)
	}
	// Protocol 0 receives nothing: the socket only sends.
	raw, err := packet.Listen(ifi, packet.Raw, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	out.raw, out.mac = raw, mac
	return out, nil
}

func (o *sender) close() {
	if o.raw != nil {
		_ = o.raw.Close() // it only sends; nothing is lost
	}
}

// route is where a reply goes.
type route struct {
	to  netip.AddrPort
	mac pool.MAC // not zero: in a frame of our own, for a client without address
}

// routeOf says where the reply to req goes (RFC 2131, 4.1).
func routeOf(req, resp *dhcpv4.DHCPv4) route {
	all := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), dhcpv4.ClientPort)
	gi, ci, yi := addr4(req.GatewayIPAddr), addr4(req.ClientIPAddr), addr4(resp.YourIPAddr)
	switch {
	case !gi.IsUnspecified():
		return route{to: netip.AddrPortFrom(gi, dhcpv4.ServerPort)}
	case resp.MessageType() == dhcpv4.MessageTypeNak:
		return route{to: all}
	case !ci.IsUnspecified():
		return route{to: netip.AddrPortFrom(ci, dhcpv4.ClientPort)}
	case req.IsBroadcast() || yi.IsUnspecified():
		return route{to: all}
	}
	return route{to: netip.AddrPortFrom(yi, dhcpv4.ClientPort), mac: pool.MAC(req.ClientHWAddr)}
}

func (o *sender) send(req, resp *dhcpv4.DHCPv4) error {
	r, b := routeOf(req, resp), resp.ToBytes()
	if !r.mac.IsZero() {
		if o.raw != nil {
			return o.frame(r.mac, r.to, b)
		}
		// Without a packet socket a broadcast reaches it, too.
		r.to = netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), dhcpv4.ClientPort)
	}
	_, err := o.udp.WriteToUDPAddrPort(b, r.to)
	return err
}

// frame sends to a client that cannot answer ARP yet.
func (o *sender) frame(dst pool.MAC, to netip.AddrPort, b []byte) error {
	f := ethernet(dst, o.mac, etherIPv4, udp4(netip.AddrPortFrom(o.addr, dhcpv4.ServerPort), to, b))
	_, err := o.raw.WriteTo(f, &packet.Addr{HardwareAddr: dst[:]})
	return err
}
