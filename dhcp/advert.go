package dhcp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/mdlayher/packet"

	"appliance/pool"
)

const (
	// advertEvery is the default of pool.Advertise.Every.
	advertEvery = 200 * time.Second
	// The first advertisements come at short intervals (RFC 4861, 10:
	// MAX_INITIAL_RTR_ADVERT_INTERVAL and MAX_INITIAL_RTR_ADVERTISEMENTS).
	advertEarly   = 16 * time.Second
	adverts       = 3
	lookNetworks  = 2 * time.Second // how soon a change of what is advertised is seen
	validFor      = 24 * time.Hour  // of a prefix (RFC 4861, 6.2.1 has 30 days)
	preferredFor  = 4 * time.Hour
	optSourceLink = 1
	optPrefix     = 3
	optLinkMTU    = 5
	optRDNSS      = 25 // RFC 8106
	optDNSSL      = 31
)

var allNodesIP6 = netip.MustParseAddr("ff02::1")

// Advertised returns the IPv6 subnets that are to be advertised on the server's own link.
func (s *Server) Advertised() []pool.Subnet {
	p := s.plan.Load()
	if p == nil {
		return nil
	}
	var out []pool.Subnet
	for _, n := range p.networks {
		if n.Advertise != nil && n.Prefix.Addr().Is6() && n.mode.Load() != modeOff {
			out = append(out, n.Subnet)
		}
	}
	return out
}

func (a *Advertiser) networks() []pool.Subnet {
	if a.Networks == nil {
		return nil
	}
	return a.Networks.Advertised()
}

// unasked sends an advertisement to all when it is time, and returns when to
// look again; zero: when something arrives.
func (a *Advertiser) unasked(conn *packet.Conn, ifi *net.Interface, self pool.MAC, now time.Time) time.Time {
	if a.Networks == nil {
		return time.Time{}
	}
	nets := a.networks()
	if len(nets) == 0 {
		a.farewell(conn, ifi, self)
		a.early = 0
		return now.Add(lookNetworks)
	}
	if !now.Before(a.next) {
		a.advertise(conn, ifi, self, allNodes, allNodesIP6, nets)
		every := advertEvery
		for _, n := range nets {
			if n.Advertise.Every > 0 {
				every = min(every, n.Advertise.Every)
			}
		}
		if a.early < adverts {
			a.early++
			every = min(every, advertEarly)
		}
		a.next, a.said = now.Add(every), true
	}
	return now.Add(min(lookNetworks, a.next.Sub(now)))
}

// answer sends what is advertised to each who asked.
func (a *Advertiser) answer(conn *packet.Conn, ifi *net.Interface, self pool.MAC, nets []pool.Subnet) {
	for mac, w := range a.waiting {
		delete(a.waiting, mac)
		ip := w.ip
		if ip.IsUnspecified() {
			ip = allNodesIP6 // it has no address yet; the frame finds it alone
		}
		a.advertise(conn, ifi, self, mac, ip, nets)
		a.said = true
	}
}

// farewell takes back what was advertised: the appliance is no router any more
// (RFC 4861, 6.2.5).
func (a *Advertiser) farewell(conn *packet.Conn, ifi *net.Interface, self pool.MAC) {
	if !a.said {
		return
	}
	a.said = false
	b := advertisement(nil, self, 0)
	_, _ = conn.WriteTo(icmp6(self, allNodes, ownLinkLocal(ifi, self), allNodesIP6, b), &packet.Addr{HardwareAddr: allNodes[:]}) // the last word; nobody waits for it
}

func (a *Advertiser) advertise(conn *packet.Conn, ifi *net.Interface, self, to pool.MAC, ip netip.Addr, nets []pool.Subnet) {
	b := advertisement(nets, self, ifi.MTU)
	if _, err := conn.WriteTo(icmp6(self, to, ownLinkLocal(ifi, self), ip, b), &packet.Addr{HardwareAddr: to[:]}); err != nil {
		a.log().Warn("router advertisement not sent", "to", ip.String(), "err", err)
	}
}

// ownLinkLocal returns the interface's link-local address: who takes us for a
// router asks for it.
func ownLinkLocal(ifi *net.Interface, self pool.MAC) netip.Addr {
	all, _ := ifi.Addrs() // none: the one that is made of the MAC
	for _, v := range all {
		if p, err := netip.ParsePrefix(v.String()); err == nil && p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() {
			return p.Addr().WithZone("")
		}
	}
	return linkLocal(self)
}

// advertisement returns the ICMPv6 message that says what nets say (RFC 4861,
// 4.2; RFC 8106). Without nets it makes the sender no router.
func advertisement(nets []pool.Subnet, self pool.MAC, linkMTU int) []byte {
	b := make([]byte, 16, 256)
	b[0], b[4] = icmpAdvert, 64
	router, mtu := time.Duration(0), 0
	for _, n := range nets {
		if n.Advertise.Managed {
			b[5] |= 0x80
		}
		if n.Advertise.Other {
			b[5] |= 0x40
		}
		router = max(router, n.Advertise.Router)
		mtu = max(mtu, n.MTU)
	}
	binary.BigEndian.PutUint16(b[6:], uint16(min(router, 9000*time.Second)/time.Second)) // its bound: RFC 4861, 6.2.1
	b = append(b, optSourceLink, 1)
	b = append(b, self[:]...)
	if mtu >= 1280 && mtu <= linkMTU {
		b = append(b, optLinkMTU, 1, 0, 0)
		b = binary.BigEndian.AppendUint32(b, uint32(mtu))
	}
	for _, n := range nets {
		b = appendPrefix(b, n)
		b = appendDNS(b, n)
	}
	return b
}

func seconds32(d time.Duration) uint32 { return uint32(d / time.Second) }

func appendPrefix(b []byte, n pool.Subnet) []byte {
	flags := byte(0x80) // on-link
	if n.Advertise.Autonomous && n.Prefix.Bits() == 64 {
		flags |= 0x40
	}
	b = append(b, optPrefix, 4, byte(n.Prefix.Bits()), flags)
	b = binary.BigEndian.AppendUint32(b, seconds32(validFor))
	b = binary.BigEndian.AppendUint32(b, seconds32(preferredFor))
	b = append(b, 0, 0, 0, 0)
	a := n.Prefix.Masked().Addr().As16()
	return append(b, a[:]...)
}

// appendDNS adds the subnet's DNS servers and domain (RFC 8106, 5).
func appendDNS(b []byte, n pool.Subnet) []byte {
	var dns []byte
	for _, a := range n.DNS {
		if a.Is6() {
			dns = append(dns, a.AsSlice()...)
		}
	}
	life := seconds32(3 * advertEvery)
	if len(dns) > 0 && len(dns) <= 16*16 {
		b = append(b, optRDNSS, byte(1+len(dns)/8), 0, 0)
		b = binary.BigEndian.AppendUint32(b, life)
		b = append(b, dns...)
	}
	if n.Domain == "" {
		return b
	}
	var name []byte
	for _, label := range strings.Split(strings.Trim(n.Domain, "."), ".") {
		if len(label) == 0 || len(label) > 63 {
			return b
		}
		name = append(append(name, byte(len(label))), label...)
	}
	name = append(name, 0)
	for len(name)%8 != 0 {
		name = append(name, 0)
	}
	if len(name) > 255 {
		return b
	}
	b = append(b, optDNSSL, byte(1+len(name)/8), 0, 0)
	b = binary.BigEndian.AppendUint32(b, life)
	return append(b, name...)
}
