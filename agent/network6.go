package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/dhcpv6/nclient6"
	"github.com/insomniacslk/dhcp/iana"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"appliance/pool"
)

// lease6 is what a DHCPv6 server gave.
type lease6 struct {
	server dhcpv6.DUID
	iana   *dhcpv6.OptIANA
	at     time.Time
	valid  time.Duration
}

// ask6 gets an address where nobody gives an IPv4 address: the one that the
// kernel made of a router's advertisement, else one by DHCPv6.
func (n *Network) ask6(ctx context.Context, l netlink.Link) (Bound, error) {
	if b, ok := sixOnly(l); ok {
		return b, nil
	}
	return n.exchange6(ctx, l, func(c *nclient6.Client, who []dhcpv6.Modifier) (*dhcpv6.Message, error) {
		return c.RapidSolicit(ctx, who...)
	})
}

// exchange6 asks DHCPv6 and gives the interface what the answer says. The
// client identifier is of the MAC, as in DHCPv4: one machine, one lease.
func (n *Network) exchange6(_ context.Context, l netlink.Link, ask func(*nclient6.Client, []dhcpv6.Modifier) (*dhcpv6.Message, error)) (b Bound, err error) {
	a := l.Attrs()
	failed := func(err error) error { return fmt.Errorf("DHCPv6 on %s: %w", a.Name, err) }
	c, err := nclient6.New(a.Name, nclient6.WithTimeout(time.Second), nclient6.WithRetry(3))
	if err != nil {
		return Bound{}, failed(err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	reply, err := ask(c, []dhcpv6.Modifier{
		dhcpv6.WithClientID(&dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: a.HardwareAddr}),
		dhcpv6.WithIAID([4]byte(a.HardwareAddr[2:6])),
		dhcpv6.WithUserClass([]byte(VendorClass)),
		dhcpv6.WithRequestedOptions(dhcpv6.OptionDNSRecursiveNameServer),
	})
	if err != nil {
		return Bound{}, failed(err)
	}
	ia := reply.Options.OneIANA()
	if ia == nil || ia.Options.OneAddress() == nil || reply.Options.ServerID() == nil {
		return Bound{}, failed(fmt.Errorf("%w: the server gives no address", pool.ErrUnavailable))
	}
	given := ia.Options.OneAddress()
	ip, ok := netip.AddrFromSlice(given.IPv6Addr)
	if !ok || !ip.IsGlobalUnicast() {
		return Bound{}, failed(fmt.Errorf("%w: address %s", pool.ErrInvalid, given.IPv6Addr))
	}
	b = Bound{Interface: a.Name, MAC: pool.MAC(a.HardwareAddr), Address: netip.PrefixFrom(ip, 128),
		six: &lease6{server: reply.Options.ServerID(), iana: ia, at: time.Now(), valid: max(given.ValidLifetime, 2*time.Minute)}}
	for _, d := range reply.Options.DNS() {
		if x, ok := netip.AddrFromSlice(d); ok {
			b.DNS = append(b.DNS, x)
		}
	}
	// The server has asked whether somebody uses it, and the link's prefix
	// comes by advertisement.
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: ip.AsSlice(), Mask: net.CIDRMask(128, 128)}, Flags: unix.IFA_F_NODAD,
		ValidLft: int(b.six.valid.Seconds()), PreferedLft: int(b.six.valid.Seconds())}
	if err := netlink.AddrReplace(l, addr); err != nil {
		return Bound{}, failed(fmt.Errorf("set address %s: %w", ip, err))
	}
	return b, n.resolve(b.DNS)
}

// renew6 asks the server that gave the address for more time (RFC 8415, 18.2.4).
func (n *Network) renew6(ctx context.Context, b Bound) (Bound, error) {
	l, err := netlink.LinkByName(b.Interface)
	if err != nil {
		return Bound{}, fmt.Errorf("find %s: %w", b.Interface, err)
	}
	return n.exchange6(ctx, l, func(c *nclient6.Client, who []dhcpv6.Modifier) (*dhcpv6.Message, error) {
		m, err := dhcpv6.NewMessage(who...)
		if err != nil {
			return nil, err
		}
		m.MessageType = dhcpv6.MessageTypeRenew
		m.UpdateOption(dhcpv6.OptServerID(b.six.server))
		m.UpdateOption(b.six.iana)
		m.AddOption(dhcpv6.OptElapsedTime(0))
		return c.SendAndRead(ctx, c.RemoteAddr(), m, nclient6.IsMessageType(dhcpv6.MessageTypeReply))
	})
}
