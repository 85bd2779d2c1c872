package recipes

import (
	"net"
	"net/netip"

	"appliance/recipes/groovy"
)

// netInterface is a java.net.NetworkInterface.
type netInterface struct {
	f *folder
	i net.Interface
}

// networkInterface are the static methods of NetworkInterface.
func (f *folder) networkInterface(_ *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	if f.checking() {
		return nil, unchecked("NetworkInterface." + m)
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, groovy.Throw("SocketException", "%v", err)
	}
	var list []groovy.Value
	for _, i := range all {
		n := &netInterface{f, i}
		switch {
		case m == "getByName" && len(args) == 1:
			if i.Name == groovy.Format(args[0]) {
				return n, nil
			}
		case m == "getByInetAddress" && len(args) == 1:
			for _, a := range n.addresses() {
				if to, ok := args[0].(*address); ok && a.(*address).ip == to.ip {
					return n, nil
				}
			}
		case m == "getNetworkInterfaces" && len(args) == 0:
			list = append(list, n)
		default:
			return nil, groovy.ErrNoMember
		}
	}
	if m == "getNetworkInterfaces" {
		return groovy.NewEnumeration(list...), nil
	}
	return nil, nil
}

func (n *netInterface) addresses() []groovy.Value {
	var list []groovy.Value
	addrs, err := n.i.Addrs()
	if err != nil {
		return nil // it is gone
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			ip := p.Addr()
			if ip.Is6() && ip.IsLinkLocalUnicast() {
				ip = ip.WithZone(n.i.Name)
			}
			list = append(list, &address{n.f, "", ip})
		}
	}
	return list
}

// Type names the class; String is the name.
func (*netInterface) Type() string     { return "java.net.NetworkInterface" }
func (n *netInterface) String() string { return "name:" + n.i.Name + " (" + n.i.Name + ")" }

// Key makes the same interfaces equal.
func (n *netInterface) Key() string { return n.i.Name }

// Get reads a property.
func (n *netInterface) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "name", "displayName":
		return n.i.Name, nil
	case "index":
		return int64(n.i.Index), nil
	case "MTU", "mtu":
		return int64(n.i.MTU), nil
	case "loopback":
		return n.i.Flags&net.FlagLoopback != 0, nil
	case "up":
		return n.i.Flags&net.FlagUp != 0, nil
	case "pointToPoint":
		return n.i.Flags&net.FlagPointToPoint != 0, nil
	case "virtual":
		return false, nil
	case "hardwareAddress":
		if len(n.i.HardwareAddr) == 0 || n.i.Flags&net.FlagLoopback != 0 {
			return nil, nil
		}
		return groovy.NewBytes(n.i.HardwareAddr), nil
	case "inetAddresses":
		return groovy.NewEnumeration(n.addresses()...), nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*netInterface) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method that is no getter.
func (n *netInterface) Call(_ *groovy.Thread, id string, _ []groovy.Value) (groovy.Value, error) {
	if id == "supportsMulticast" {
		return n.i.Flags&net.FlagMulticast != 0, nil
	}
	return nil, groovy.ErrNoMember
}
