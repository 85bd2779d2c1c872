package recipes

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"appliance/recipes/groovy"
)

// address is a java.net.InetAddress.
type address struct {
	f    *folder
	name string
	ip   netip.Addr
}

// inetAddress are the static methods of InetAddress. While a recipe is checked
// no name is looked up.
func (f *folder) inetAddress(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	switch m {
	case "getLocalHost":
		return f.thisHost(), nil
	case "getLoopbackAddress":
		return &address{f, "localhost", netip.MustParseAddr("127.0.0.1")}, nil
	case "getByName", "getAllByName":
		if len(args) != 1 {
			return nil, groovy.ErrNoMember
		}
		list, err := f.resolve(t.Context(), args[0])
		if err != nil {
			return nil, err
		}
		if m == "getByName" {
			return list[0], nil
		}
		return groovy.Array("InetAddress", list...), nil
	case "getByAddress":
		if b, ok := groovy.Bytes(last(args)); ok {
			if ip, ok := netip.AddrFromSlice(b); ok {
				return &address{f, ip.String(), ip}, nil
			}
		}
		return nil, groovy.Throw("UnknownHostException", "addr is of illegal length")
	}
	return nil, groovy.ErrNoMember
}

func (f *folder) thisHost() *address {
	a := &address{f, "localhost", netip.MustParseAddr("127.0.0.1")}
	if f.context != nil {
		if ip, err := netip.ParseAddr(f.context.values.PrivateAddress); err == nil {
			a.ip = ip
		}
	}
	if h, err := os.Hostname(); err == nil && !f.checking() {
		a.name = h
	}
	return a
}

func (f *folder) resolve(ctx context.Context, v groovy.Value) ([]groovy.Value, error) {
	host := ""
	if v != nil {
		host = groovy.Format(v)
	}
	if host == "" || host == "localhost" {
		return []groovy.Value{&address{f, "localhost", netip.MustParseAddr("127.0.0.1")}}, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []groovy.Value{&address{f, "", ip}}, nil
	}
	if f.checking() {
		return []groovy.Value{&address{f, host, netip.MustParseAddr("127.0.0.1")}}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, groovy.Throw("UnknownHostException", "%s: Name or service not known", host)
	}
	var list []groovy.Value
	for _, four := range []bool{true, false} { // IPv4 first, as Java
		for _, ip := range ips {
			if ip = ip.Unmap(); ip.Is4() == four {
				list = append(list, &address{f, host, ip})
			}
		}
	}
	return list, nil
}

// Type names the class; String is name/address.
func (a *address) Type() string {
	if a.ip.Is4() {
		return "java.net.Inet4Address"
	}
	return "java.net.Inet6Address"
}

func (a *address) String() string { return a.name + "/" + a.ip.String() }

// Key makes equal addresses equal.
func (a *address) Key() string { return a.ip.String() }

// Get reads a property.
func (a *address) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "hostAddress":
		return a.ip.String(), nil
	case "hostName", "canonicalHostName":
		return a.host(t.Context()), nil
	case "address":
		return groovy.NewBytes(a.ip.AsSlice()), nil
	case "loopbackAddress": // of the class
		return a.f.inetAddress(t, "getLoopbackAddress", nil)
	case "siteLocalAddress":
		return a.ip.IsPrivate(), nil
	case "linkLocalAddress":
		return a.ip.IsLinkLocalUnicast(), nil
	case "anyLocalAddress":
		return a.ip.IsUnspecified(), nil
	case "multicastAddress":
		return a.ip.IsMulticast(), nil
	}
	return nil, groovy.ErrNoMember
}

// host is the name, looked up when only the address is known.
func (a *address) host(ctx context.Context) string {
	if a.name == "" && !a.f.checking() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if names, err := net.DefaultResolver.LookupAddr(ctx, a.ip.String()); err == nil && len(names) > 0 {
			return names[0][:max(len(names[0])-1, 0)]
		}
	}
	return first(a.name, a.ip.String())
}

// refused says that somebody is there, who refuses.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// Set refuses.
func (*address) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method.
func (a *address) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "isLoopbackAddress":
		return a.ip.IsLoopback(), nil
	case "isReachable":
	default:
		return nil, groovy.ErrNoMember
	}
	if a.f.checking() {
		return nil, unchecked("InetAddress.isReachable")
	}
	ms, _ := groovy.Int(last(args))
	d := net.Dialer{Timeout: time.Duration(min(max(ms, 1), 60_000)) * time.Millisecond}
	c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(a.ip.String(), "7")) // as Java without raw sockets
	if err == nil {
		return true, c.Close()
	}
	return refused(err), t.Context().Err()
}
