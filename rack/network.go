package rack

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
)

// Bridge is the rack's switch, as what is tested sees it: an interface with
// the address [Addr].
const Bridge = "rack"

// Addr is the address of Bridge and of what is tested.
func Addr() netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, 1}) }

// Subnet is the rack's network.
func Subnet() netip.Prefix { return netip.PrefixFrom(Addr(), 24).Masked() }

// BMCAddr is the address of the BMC of machine i.
func BMCAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(10 + i)}) }

func tapName(i int) string { return fmt.Sprintf("t%d", i) }

// raiseNetwork makes the bridge and the taps in this process's network
// namespace. Bridged frames walk no netfilter rules, and LLDP passes.
func raiseNetwork(machines int) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("raise loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("raise loopback: %w", err)
	}
	lldp, quiet := uint16(1<<14), false
	bridge := &netlink.Bridge{GroupFwdMask: &lldp, MulticastSnooping: &quiet}
	bridge.Name = Bridge
	bridge.HardwareAddr = net.HardwareAddr{2, 0, 0, 0, 0x77, 1}
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("add bridge %s: %w", Bridge, err)
	}
	for _, name := range []string{"iptables", "ip6tables", "arptables"} {
		// Absent where the host has no br_netfilter: then there is nothing to turn off.
		err := os.WriteFile(filepath.Join("/proc/sys/net/bridge", "bridge-nf-call-"+name), []byte("0"), 0o644)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("keep bridge from netfilter: %w", err)
		}
	}
	if err := addUplink(bridge); err != nil {
		return err
	}
	for i := range machines {
		tap := &netlink.Tuntap{Mode: netlink.TUNTAP_MODE_TAP}
		tap.Name = tapName(i)
		if err := netlink.LinkAdd(tap); err != nil {
			return fmt.Errorf("add tap %s: %w", tap.Name, err)
		}
		if err := plug(bridge, tap.Name); err != nil {
			return err
		}
	}
	if err := setAddr(Addr(), true); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("raise bridge %s: %w", Bridge, err)
	}
	return nil
}

// addUplink gives the bridge one port that always has a link. Without it the
// bridge has no carrier, and no link-local address, until a machine is on.
func addUplink(bridge netlink.Link) error {
	pair := &netlink.Veth{PeerName: "uplink-end"}
	pair.Name = "uplink"
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("add uplink: %w", err)
	}
	end, err := netlink.LinkByName(pair.PeerName)
	if err != nil {
		return fmt.Errorf("add uplink: %w", err)
	}
	if err := netlink.LinkSetUp(end); err != nil {
		return fmt.Errorf("raise uplink: %w", err)
	}
	return plug(bridge, pair.Name)
}

func plug(bridge netlink.Link, name string) error {
	port, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("plug %s: %w", name, err)
	}
	if err := netlink.LinkSetMaster(port, bridge); err != nil {
		return fmt.Errorf("plug %s into %s: %w", name, bridge.Attrs().Name, err)
	}
	if err := netlink.LinkSetUp(port); err != nil {
		return fmt.Errorf("raise %s: %w", name, err)
	}
	return nil
}

func setLink(name string, up bool) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("set link of %s: %w", name, err)
	}
	set := netlink.LinkSetDown
	if up {
		set = netlink.LinkSetUp
	}
	if err := set(link); err != nil {
		return fmt.Errorf("set link of %s: %w", name, err)
	}
	return nil
}

// setAddr adds addr to the bridge or takes it away. It is idempotent.
func setAddr(addr netip.Addr, present bool) error {
	bridge, err := netlink.LinkByName(Bridge)
	if err != nil {
		return fmt.Errorf("set address %s: %w", addr, err)
	}
	a := &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(Subnet().Bits(), 32)}}
	if present {
		if err := netlink.AddrReplace(bridge, a); err != nil {
			return fmt.Errorf("add address %s: %w", addr, err)
		}
		return nil
	}
	held, err := netlink.AddrList(bridge, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list addresses of %s: %w", Bridge, err)
	}
	for _, h := range held {
		if h.IP.Equal(a.IP) {
			if err := netlink.AddrDel(bridge, &h); err != nil {
				return fmt.Errorf("remove address %s: %w", addr, err)
			}
		}
	}
	return nil
}

// dropNetwork removes what raiseNetwork made.
func dropNetwork(machines int) error {
	names := []string{"uplink", Bridge}
	for i := range machines {
		names = append(names, tapName(i))
	}
	var errs []error
	for _, name := range names {
		link, err := netlink.LinkByName(name)
		var absent netlink.LinkNotFoundError
		if errors.As(err, &absent) {
			continue
		}
		if err == nil {
			err = netlink.LinkDel(link)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}
