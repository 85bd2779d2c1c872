package dhcp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/ipv6"

	"appliance/pool"
)

// ICMPv6 types (RFC 4861, 4.1 and 4.2).
const (
	icmpSolicit = 133
	icmpAdvert  = 134
)

var (
	allNodes      = pool.MAC{0x33, 0x33, 0, 0, 0, 1}
	allRouters    = pool.MAC{0x33, 0x33, 0, 0, 0, 2}
	allRoutersIP6 = netip.MustParseAddr("ff02::2")
)

// Netboots knows which machines are booting from us; Server does.
type Netboots interface {
	Netbooting(mac pool.MAC) bool
}

// Advertiser answers router solicitations (RFC 4861) of machines that are
// netbooting, because iPXE waits for such an answer before it goes on even
// when DHCPv4 has given it everything. The answer makes nobody a router:
// lifetime 0, no prefix, unicast to the one who asked. It is silent where
// another router advertises.
//
// Measured with QEMU, seconds from iPXE's DHCP lease to the fetch of its
// script, without and with the answer: 15.8 and 0.07 (iPXE 1.0.0 of 2019, the
// network card's ROM), 3.9 and 0.03 (Debian 13's 1.21.1, after UEFI PXE). 16
// bytes suffice: neither a lifetime nor a prefix nor a flag is looked at.
//
// Where subnets with Advertise are served, it is what RFC 4861 calls an
// advertising interface instead: it answers every solicitation with what they
// say, and says it unasked, too.
type Advertiser struct {
	Interface string
	Boots     Netboots
	Networks  Networks     // nil: nothing is advertised but what netbooting machines wait for
	Log       *slog.Logger // nil is silent

	waiting map[pool.MAC]solicit
	router  time.Time // until then another router counts as present
	next    time.Time // of the next unasked advertisement
	early   int       // unasked advertisements that went out at short intervals
	said    bool      // there is something to take back at the end
}

// Networks knows which IPv6 subnets are served now; Server does.
type Networks interface {
	Advertised() []pool.Subnet
}

// solicit is a solicitation that is not answered yet: iPXE sends it while it
// still waits for our OFFER.
type solicit struct {
	ip    netip.Addr
	until time.Time
}

const (
	maxWaiting  = 1024
	patience    = 10 * time.Second       // how long a solicitation waits for the MAC to become a netbooting one
	lookAgain   = 100 * time.Millisecond // how often those waiting are looked at
	routerQuiet = 30 * time.Minute       // routers advertise at least so often (RFC 4861, 6.2.1: MaxRtrAdvInterval 1800 s)
)

// ListenND opens a packet socket that receives router solicitations and
// advertisements on iface. Linux, CAP_NET_RAW.
func ListenND(iface string) (*packet.Conn, error) {
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, fmt.Errorf("open ND socket on %s: %w", iface, err)
	}
	conn, err := packet.Listen(ifi, packet.Raw, etherIPv6, &packet.Config{Filter: ndFilter()})
	if err != nil {
		return nil, fmt.Errorf("open ND socket on %s: %w", iface, err)
	}
	for _, group := range []pool.MAC{allNodes, allRouters} {
		if err := joinGroup(conn, ifi.Index, group); err != nil {
			return nil, errors.Join(fmt.Errorf("open ND socket on %s: join %s: %w", iface, group, err), conn.Close())
		}
	}
	return conn, nil
}

// Serve answers solicitations that arrive on conn until ctx ends (nil) or
// conn breaks. It owns conn.
func (a *Advertiser) Serve(ctx context.Context, conn *packet.Conn) (err error) {
	defer func() { err = errors.Join(err, conn.Close()) }()
	ifi, err := net.InterfaceByName(a.Interface)
	if err != nil {
		return fmt.Errorf("advertise on %s: %w", a.Interface, err)
	}
	self, ok := macOf(ifi)
	if !ok {
		return fmt.Errorf("advertise on %s: %w: it is no Ethernet interface", a.Interface, pool.ErrInvalid)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()
	a.waiting = map[pool.MAC]solicit{}
	defer a.farewell(conn, ifi, self)
	defer a.report(ctx, ifi)()
	// A router answers this within half a second; without it we might not
	// hear of one for minutes.
	ask := icmp6(self, allRouters, linkLocal(self), allRoutersIP6, []byte{icmpSolicit, 0, 0, 0, 0, 0, 0, 0})
	if _, err := conn.WriteTo(ask, &packet.Addr{HardwareAddr: allRouters[:]}); err != nil {
		a.log().Warn("no search for routers", "err", err) // the link may be down: routers advertise by themselves
	}
	buf := make([]byte, 2048)
	for {
		deadline := a.unasked(conn, ifi, self, time.Now())
		if len(a.waiting) > 0 {
			deadline = time.Now().Add(lookAgain)
		}
		if err := conn.SetReadDeadline(deadline); err != nil {
			return fmt.Errorf("advertise on %s: %w", a.Interface, err)
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
			return fmt.Errorf("advertise on %s: %w", a.Interface, err)
		default:
			a.receive(buf[:n], self, time.Now())
		}
		if nets := a.networks(); len(nets) > 0 {
			a.answer(conn, ifi, self, nets)
			continue
		}
		for mac, ip := range a.due(time.Now()) {
			a.send(conn, self, mac, ip)
		}
	}
}

// report has the kernel tell switches that solicitations are wanted here (MLD,
// RFC 3810), for those that prune multicast. Without IPv6 on the interface it
// does nothing. The returned function takes it back.
func (a *Advertiser) report(ctx context.Context, ifi *net.Interface) func() {
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp6", "[::]:0")
	if err != nil {
		return func() {}
	}
	if err := ipv6.NewPacketConn(c).JoinGroup(ifi, &net.UDPAddr{IP: allRoutersIP6.AsSlice()}); err != nil {
		a.log().Debug("switches are not told of ff02::2", "err", err)
	}
	return func() { _ = c.Close() }
}

// receive takes note of a frame: a solicitation to answer, or a router.
func (a *Advertiser) receive(frame []byte, self pool.MAC, now time.Time) {
	f, ok := parseND(frame)
	if !ok || f.mac == self {
		return
	}
	if f.kind == icmpAdvert {
		if now.After(a.router) {
			a.log().Info("another router is on the wire: answering no solicitations", "ip", f.ip.String(), "mac", f.mac.String())
		}
		a.router = now.Add(routerQuiet)
		return
	}
	if len(a.waiting) < maxWaiting && (now.After(a.router) || len(a.networks()) > 0) {
		a.waiting[f.mac] = solicit{f.ip, now.Add(patience)}
	}
}

// due returns the solicitors to answer now, and forgets them and those who
// waited long enough without booting from us.
func (a *Advertiser) due(now time.Time) map[pool.MAC]netip.Addr {
	out := map[pool.MAC]netip.Addr{}
	for mac, w := range a.waiting {
		switch {
		case !now.After(a.router) || now.After(w.until):
			delete(a.waiting, mac)
		case a.Boots.Netbooting(mac):
			delete(a.waiting, mac)
			out[mac] = w.ip
		}
	}
	return out
}

func (a *Advertiser) send(conn *packet.Conn, self, mac pool.MAC, ip netip.Addr) {
	if _, err := conn.WriteTo(advert(self, mac, ip), &packet.Addr{HardwareAddr: mac[:]}); err != nil {
		a.log().Warn("router advertisement not sent", "mac", mac.String(), "err", err)
		return
	}
	a.log().Debug("solicitation answered", "mac", mac.String(), "ip", ip.String())
}

// advert returns the frame of the smallest router advertisement that ends
// iPXE's wait: the 16 bytes of RFC 4861, 4.2, all zero but the type; no
// option. The M and O flags stay clear, or iPXE would start DHCPv6 and wait
// for that.
func advert(self, mac pool.MAC, ip netip.Addr) []byte {
	if ip.IsUnspecified() {
		ip = linkLocal(mac) // it has no address that it may use; the frame finds it all the same
	}
	b := make([]byte, 16)
	b[0] = icmpAdvert
	return icmp6(self, mac, linkLocal(self), ip, b)
}

// icmp6 returns a frame that carries an ICMPv6 message with hop limit 255,
// which neighbour discovery demands (RFC 4861, 6.1.2).
func icmp6(src, dst pool.MAC, from, to netip.Addr, msg []byte) []byte {
	s, d := from.As16(), to.As16()
	binary.BigEndian.PutUint16(msg[2:], checksum(msg, pseudo(s[:], d[:], 58, len(msg))))
	ip := make([]byte, 40, 40+len(msg))
	ip[0], ip[6], ip[7] = 0x60, 58, 255
	binary.BigEndian.PutUint16(ip[4:], uint16(len(msg)))
	copy(ip[8:], s[:])
	copy(ip[24:], d[:])
	return ethernet(dst, src, etherIPv6, append(ip, msg...))
}

// linkLocal returns the address that RFC 4291, appendix A, makes of a MAC.
func linkLocal(m pool.MAC) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfe, 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]})
}

// nd is what a neighbour discovery frame says.
type nd struct {
	kind byte
	mac  pool.MAC // of the frame: a reply to any other place would not reach the sender
	ip   netip.Addr
}

// parseND reads a solicitation or advertisement and checks what RFC 4861,
// 6.1.1 and 6.1.2, demand. A link-layer option that contradicts the frame's
// own source is no reason to trust either.
func parseND(b []byte) (nd, bool) {
	if len(b) < 14+40+8 || binary.BigEndian.Uint16(b[12:]) != etherIPv6 {
		return nd{}, false
	}
	f := nd{mac: pool.MAC(b[6:12])}
	ip := b[14:]
	n := int(binary.BigEndian.Uint16(ip[4:]))
	if ip[0]>>4 != 6 || ip[6] != 58 || ip[7] != 255 || n < 8 || n > len(ip)-40 || f.mac.IsZero() || f.mac[0]&1 == 1 {
		return nd{}, false
	}
	msg := ip[40 : 40+n]
	if checksum(msg, pseudo(ip[8:24], ip[24:40], 58, n)) != 0 || msg[1] != 0 {
		return nd{}, false
	}
	f.kind, f.ip = msg[0], netip.AddrFrom16([16]byte(ip[8:24]))
	switch f.kind {
	case icmpSolicit:
		link, ok := sourceLink(msg[8:])
		return f, ok && (link.IsZero() || link == f.mac) && !f.ip.IsMulticast()
	case icmpAdvert:
		return f, n >= 16 && f.ip.IsLinkLocalUnicast()
	}
	return nd{}, false
}

// sourceLink returns the source link-layer address among options (RFC 4861,
// 4.6.1), zero when there is none; false when the options are broken.
func sourceLink(opts []byte) (pool.MAC, bool) {
	var mac pool.MAC
	for len(opts) > 0 {
		if len(opts) < 2 || opts[1] == 0 || int(opts[1])*8 > len(opts) {
			return mac, false
		}
		if opts[0] == 1 && opts[1] == 1 {
			mac = pool.MAC(opts[2:8])
		}
		opts = opts[int(opts[1])*8:]
	}
	return mac, true
}

func (a *Advertiser) log() *slog.Logger {
	if a.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return a.Log
}
