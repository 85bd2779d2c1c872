package dhcp

import (
	"encoding/hex"
	"net"
	"net/netip"
	"time"

	"appliance/pool"
)

// exchange is one request with all that was found out about it, and what it
// is answered with. The read loop takes it from a pool; whoever finishes with
// it gives it back.
type exchange struct {
	in  []byte // the packet; req lies in it
	req request

	src    netip.AddrPort
	dst    netip.Addr // zero when the kernel did not say
	proxy  bool       // it came to port 4011
	client pool.Client
	net    *network
	local  bool // on our own wire, not behind a relay agent
	direct bool // sent to our address, not broadcast or relayed: a client that renews
	server netip.Addr
	answer pool.BootAnswer
	kept   *kept // its reservation, if there is one
	now    time.Time
	tries  int    // addresses that turned out to be used
	offer  *offer // that was probed; nil: a request that just came
	probed probeState

	lease  pool.Lease // what is to be stored before the ACK
	out    reply
	buf    []byte // of out
	to     route
	target net.UDPAddr // of to, for the socket
	ip     [4]byte     // of target
}

// route is where a reply goes.
type route struct {
	to  netip.AddrPort
	mac pool.MAC // not zero: in a frame of our own, for a client without address
}

// verdict is what becomes of a request.
type verdict uint8

const (
	silence verdict = iota // nothing is said
	answer                 // out is sent
	store                  // lease is stored first; then Server.stored decides
	wait                   // the conflict probe goes on with it
)

func (x *exchange) who() client { return client{x.req.mac, false} }

// place is where the client is plugged in.
func (x *exchange) place() pool.LeasePlace {
	if !x.req.relayed() {
		return pool.LeasePlace{}
	}
	p := pool.LeasePlace{Relay: x.req.gi}
	if len(x.req.circuit) > 0 {
		p.Circuit = plainID(x.req.circuit)
	}
	if len(x.req.remote) > 0 {
		p.Remote = plainID(x.req.remote)
	}
	return p
}

// reservation finds the client's own, when its network has any.
func (x *exchange) reservation() *kept {
	k := &x.net.keeps
	if len(k.byMAC)+len(k.byID)+len(k.byCircuit) == 0 {
		return nil
	}
	id, circuit := "", ""
	if len(k.byID) > 0 {
		id = hex.EncodeToString(x.req.id)
	}
	if len(k.byCircuit) > 0 {
		circuit = plainID(x.req.circuit)
	}
	return k.of(x.req.mac, id, circuit)
}

// routed says where the reply goes (RFC 2131, 4.1).
func (x *exchange) routed() route {
	all := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), clientPort)
	r := &x.req
	switch {
	case x.proxy:
		return route{to: x.src} // PXE 2.1, 2.2.5: to where the client asked from
	case r.relayed():
		return route{to: netip.AddrPortFrom(r.gi, serverPort)}
	case x.out.kind == msgNak:
		return route{to: all}
	case !r.ci.IsUnspecified():
		return route{to: netip.AddrPortFrom(r.ci, clientPort)}
	case r.flags&flagBroadcast != 0 || x.out.yi.IsUnspecified():
		return route{to: all}
	}
	return route{to: netip.AddrPortFrom(x.out.yi, clientPort), mac: r.mac}
}

// respond begins the reply.
func (x *exchange) respond(kind byte) *reply {
	x.out.start(x.buf, &x.req, kind, x.server)
	return &x.out
}
