package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"appliance/pool"
)

// VendorClass is what the agent calls itself to DHCP (option 60).
const VendorClass = "appliance-agent"

// Network brings up the interface that a machine booted from and keeps its
// address by DHCP. Its client identifier is the MAC, as iPXE's and the
// installed system's are: one machine, one lease.
type Network struct {
	MAC pool.MAC // zero: the first interface whose DHCP is answered
	Log *slog.Logger
	// Resolv is where the DNS servers are written; empty means nowhere.
	Resolv string
}

// Bound is an address that the network gave.
type Bound struct {
	Interface string
	MAC       pool.MAC
	Address   netip.Prefix
	Router    netip.Addr
	DNS       []netip.Addr

	lease *nclient4.Lease
	six   *lease6 // by DHCPv6; both nil: the kernel's, of an advertisement
}

// Up returns once there is a lease. It tries for ever, says why it has to,
// and ends only with ctx.
func (n *Network) Up(ctx context.Context) (Bound, error) {
	log := silent(n.Log)
	if lo, err := netlink.LinkByName("lo"); err == nil {
		if err := netlink.LinkSetUp(lo); err != nil {
			log.Warn("loopback stays down", "err", err)
		}
	}
	wait := 250 * time.Millisecond
	for try := 1; ; try++ {
		b, err := n.try(ctx, try)
		if err == nil {
			if b.lease == nil {
				log.Info("IPv6 address, no DHCPv4", "nic", b.Interface, "mac", b.MAC, "ip", b.Address, "dhcpv6", b.six != nil)
				return b, nil
			}
			log.Info("DHCP lease", "nic", b.Interface, "mac", b.MAC, "ip", b.Address, "server", b.lease.ACK.ServerIdentifier())
			return b, nil
		}
		if ctx.Err() != nil {
			return Bound{}, ctx.Err()
		}
		if try > 3 { // a driver may need a moment; that is no news
			log.Warn("no network yet; trying again", "try", try, "err", err)
		}
		pause(ctx, wait)
		wait = min(wait*3/2, 10*time.Second)
	}
}

// try asks on the interface that was booted from, or on each where that is
// not known.
func (n *Network) try(ctx context.Context, try int) (Bound, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return Bound{}, fmt.Errorf("list interfaces: %w", err)
	}
	var errs []error
	found := false
	for _, l := range links {
		a := l.Attrs()
		if l.Type() != "device" && l.Type() != "veth" || len(a.HardwareAddr) != 6 || a.Flags&net.FlagLoopback != 0 {
			continue
		}
		if err := netlink.LinkSetUp(l); err != nil { // also for link state and neighbours in the facts
			errs = append(errs, fmt.Errorf("set %s up: %w", a.Name, err))
		}
		mac := pool.MAC(a.HardwareAddr)
		if !n.MAC.IsZero() && mac != n.MAC {
			continue
		}
		found = true
		b, err := n.ask(ctx, l)
		if err == nil {
			return b, nil
		}
		errs = append(errs, err)
	}
	if !found {
		errs = append(errs, fmt.Errorf("%w: no interface has the MAC %s it booted from (try %d): is its driver in the boot kit?", pool.ErrNotFound, n.MAC, try))
	}
	return Bound{}, errors.Join(errs...)
}

func (n *Network) ask(ctx context.Context, l netlink.Link) (b Bound, err error) {
	name := l.Attrs().Name
	if err := awaitCarrier(ctx, name, 5*time.Second); err != nil {
		return Bound{}, err
	}
	c, err := nclient4.New(name, nclient4.WithTimeout(time.Second), nclient4.WithRetry(4))
	if err != nil {
		return Bound{}, fmt.Errorf("DHCP on %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	lease, err := c.Request(ctx, dhcpOptions(l.Attrs().HardwareAddr)...)
	if err != nil {
		b, err6 := n.ask6(ctx, l)
		if err6 == nil {
			return b, nil
		}
		return Bound{}, errors.Join(fmt.Errorf("DHCP on %s: %w", name, err), err6)
	}
	return n.bind(l, lease)
}

// sixOnly returns the IPv6 address that the kernel made of a router's
// advertisement, where nobody gives an IPv4 address.
func sixOnly(l netlink.Link) (Bound, bool) {
	all, err := netlink.AddrList(l, netlink.FAMILY_V6)
	if err != nil {
		return Bound{}, false
	}
	for _, a := range all {
		ip, ok := netip.AddrFromSlice(a.IP)
		if ones, _ := a.Mask.Size(); ok && ip.IsGlobalUnicast() && a.Flags&unix.IFA_F_TENTATIVE == 0 {
			return Bound{Interface: l.Attrs().Name, MAC: pool.MAC(l.Attrs().HardwareAddr), Address: netip.PrefixFrom(ip, ones)}, true
		}
	}
	return Bound{}, false
}

func dhcpOptions(mac net.HardwareAddr) []dhcpv4.Modifier {
	return []dhcpv4.Modifier{
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier(VendorClass)),
		dhcpv4.WithOption(dhcpv4.OptClientIdentifier(append([]byte{1}, mac...))), // RFC 2132, section 9.14
		dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer),
	}
}

func awaitCarrier(ctx context.Context, name string, limit time.Duration) error {
	end := time.Now().Add(limit)
	for {
		b, _ := os.ReadFile(filepath.Join("/sys/class/net", name, "carrier"))
		if strings.TrimSpace(string(b)) == "1" {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("%w: %s has no link: is the cable in?", pool.ErrUnavailable, name)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// bind gives the interface what the lease says.
func (n *Network) bind(l netlink.Link, lease *nclient4.Lease) (Bound, error) {
	ack := lease.ACK
	b := Bound{Interface: l.Attrs().Name, MAC: pool.MAC(l.Attrs().HardwareAddr), lease: lease}
	ip, ok := netip.AddrFromSlice(ack.YourIPAddr.To4())
	ones, bits := ack.SubnetMask().Size()
	if !ok || ip.IsUnspecified() || bits != 32 {
		return Bound{}, fmt.Errorf("%w: DHCP on %s: no address and mask in the ACK", pool.ErrInvalid, b.Interface)
	}
	b.Address = netip.PrefixFrom(ip, ones)
	for _, d := range ack.DNS() {
		if a, ok := netip.AddrFromSlice(d.To4()); ok {
			b.DNS = append(b.DNS, a)
		}
	}
	old, err := netlink.AddrList(l, netlink.FAMILY_V4)
	if err != nil {
		return Bound{}, fmt.Errorf("list addresses of %s: %w", b.Interface, err)
	}
	want := &net.IPNet{IP: ip.AsSlice(), Mask: ack.SubnetMask()}
	for _, a := range old {
		if a.String() != want.String() && !a.Equal(netlink.Addr{IPNet: want}) {
			if err := netlink.AddrDel(l, &a); err != nil {
				return Bound{}, fmt.Errorf("remove address %s: %w", a.IPNet, err)
			}
		}
	}
	if err := netlink.AddrReplace(l, &netlink.Addr{IPNet: want}); err != nil {
		return Bound{}, fmt.Errorf("set address %s: %w", want, err)
	}
	if r := ack.Router(); len(r) > 0 {
		b.Router, _ = netip.AddrFromSlice(r[0].To4())
		if err := netlink.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: r[0]}); err != nil {
			return Bound{}, fmt.Errorf("set route by %s: %w", r[0], err)
		}
	}
	return b, n.resolve(b.DNS)
}

func (n *Network) resolve(dns []netip.Addr) error {
	if n.Resolv == "" {
		return nil
	}
	if err := os.WriteFile(n.Resolv, []byte(resolvConf(dns)), 0o644); err != nil {
		return fmt.Errorf("write DNS servers: %w", err)
	}
	return nil
}

func resolvConf(dns []netip.Addr) string {
	var b strings.Builder
	b.WriteString("# Written by the appliance's agent from the DHCP lease.\n")
	for _, a := range dns {
		b.WriteString("nameserver " + a.String() + "\n")
	}
	return b.String()
}

// Keep renews the lease until ctx ends (RFC 2131, section 4.4.5): at half its
// time, then every eighth of it; when it has expired, from the start.
func (n *Network) Keep(ctx context.Context, b Bound) error {
	log := silent(n.Log)
	for ctx.Err() == nil {
		began, full := b.given()
		if full == 0 { // the kernel keeps what routers advertise
			<-ctx.Done()
			return nil
		}
		pause(ctx, max(full/2-time.Since(began), full/8, time.Second))
		if ctx.Err() != nil {
			return nil
		}
		next, err := n.Renew(ctx, b)
		if err == nil {
			b = next
			continue
		}
		log.Warn("DHCP lease not renewed", "nic", b.Interface, "ip", b.Address, "err", err)
		var nak *nclient4.ErrNak
		if errors.As(err, &nak) || time.Since(began) > full {
			if next, err = n.Up(ctx); err != nil {
				return nil // ctx ended
			}
			b = next
		}
	}
	return nil
}

// given says when the address was given and for how long; 0: nobody gave it.
func (b Bound) given() (began time.Time, full time.Duration) {
	switch {
	case b.lease != nil:
		return b.lease.CreationTime, b.lease.ACK.IPAddressLeaseTime(time.Hour)
	case b.six != nil:
		return b.six.at, b.six.valid
	}
	return time.Time{}, 0
}

// Renew asks for more time with an address that was given.
func (n *Network) Renew(ctx context.Context, b Bound) (Bound, error) {
	if b.six != nil {
		return n.renew6(ctx, b)
	}
	return n.renew(ctx, b)
}

func (n *Network) renew(ctx context.Context, b Bound) (_ Bound, err error) {
	l, err := netlink.LinkByName(b.Interface)
	if err != nil {
		return Bound{}, fmt.Errorf("find %s: %w", b.Interface, err)
	}
	c, err := nclient4.New(b.Interface, nclient4.WithTimeout(2*time.Second), nclient4.WithRetry(3))
	if err != nil {
		return Bound{}, fmt.Errorf("DHCP on %s: %w", b.Interface, err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	lease, err := c.Renew(ctx, b.lease, dhcpOptions(l.Attrs().HardwareAddr)...)
	if err != nil {
		return Bound{}, fmt.Errorf("renew lease on %s: %w", b.Interface, err)
	}
	return n.bind(l, lease)
}

// bootMAC reads BOOTIF= of the kernel's command line: pxelinux and iPXE write
// it as 01-52-54-00-12-34-56, others as a plain MAC.
func bootMAC(args map[string]string) pool.MAC {
	v := args["BOOTIF"]
	if len(v) == 20 {
		v = v[3:]
	}
	mac, err := pool.ParseMAC(v)
	if err != nil {
		return pool.MAC{}
	}
	return mac
}

// setClock moves a clock that is wrong by more than a minute.
func setClock(to time.Time) error {
	if d := time.Until(to); d.Abs() < time.Minute {
		return nil
	}
	tv := unix.NsecToTimeval(to.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		return fmt.Errorf("set clock: %w", err)
	}
	return nil
}
