package dhcp

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

const (
	// settle is how long a subnet with mode auto is silent when it is enabled,
	// listening for another server. dnsmasq pings an address for three seconds
	// before it offers it.
	settle = 3500 * time.Millisecond
	// detectEvery is the default of Server.Detect.
	detectEvery = time.Minute
	maxMissed   = 3  // probes that a server leaves unanswered before it is gone
	maxServers  = 64 // known at a time: whoever invents servers fills nothing
)

// ForeignServer is a DHCP server on the wire that is no appliance.
type ForeignServer struct {
	Address netip.Addr // its server identifier
	MAC     pool.MAC   // zero: only clients spoke of it
	Vendor  string     // of the MAC; empty: not known
	Proxy   bool       // it was seen to give no addresses: a proxyDHCP server
	Since   time.Time
	Gone    bool // it did not answer any more
}

// String names the server as an operator would.
func (f ForeignServer) String() string {
	s := f.Address.String()
	if !f.MAC.IsZero() {
		s += " (" + f.MAC.String()
		if f.Vendor != "" {
			s += ", " + f.Vendor
		}
		s += ")"
	}
	return s
}

// foreign is what is known of other DHCP servers on the wire.
type foreign struct {
	mu      sync.Mutex
	probe   pool.MAC // the detector's client address
	until   time.Time
	servers map[netip.Addr]*stranger
	ours    map[netip.Addr]int // other appliances: probes since they last said so
	asked   int
}

type stranger struct {
	ForeignServer
	missed int // probes since it was last heard
}

func (f *foreign) start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = rand.Read(f.probe[:])   // never fails (crypto/rand)
	f.probe[0] = f.probe[0]&^1 | 2 // an individual, locally administered address
	f.listen(time.Now())
}

// listen begins the time in which nothing is decided. f.mu is held.
func (f *foreign) listen(now time.Time) { f.until = now.Add(settle) }

// own says whether mac is the detector's.
func (f *foreign) own(mac pool.MAC) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return mac == f.probe
}

// sighting is what a frame says of a server.
type sighting struct {
	addr  netip.Addr
	mac   pool.MAC // zero: a client said it
	proxy bool     // it offers no address
	mark  bool     // it is an appliance
	gives bool     // it offers or acknowledges an address
}

// heard records another server; true when that is news.
func (f *foreign) heard(g sighting, now time.Time) (ForeignServer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g.mark {
		if f.ours == nil {
			f.ours = map[netip.Addr]int{}
		}
		if len(f.ours) < maxServers {
			f.ours[g.addr] = 0
		}
		delete(f.servers, g.addr)
		return ForeignServer{}, false
	}
	if _, ok := f.ours[g.addr]; ok {
		return ForeignServer{}, false
	}
	if f.servers == nil {
		f.servers = map[netip.Addr]*stranger{}
	}
	x, known := f.servers[g.addr]
	if !known {
		if len(f.servers) >= maxServers {
			return ForeignServer{}, false
		}
		x = &stranger{ForeignServer: ForeignServer{Address: g.addr, Proxy: g.proxy, Since: now}}
		f.servers[g.addr] = x
	}
	x.missed = 0
	if x.MAC.IsZero() && !g.mac.IsZero() {
		x.MAC, x.Vendor = g.mac, Vendor(g.mac)
	}
	gives := x.Proxy && g.gives
	if gives {
		x.Proxy = false
	}
	return x.ForeignServer, !known || gives
}

// ask counts a probe that is about to be sent. It returns the servers that
// have not answered the last three, and forgets them.
func (f *foreign) ask() (gone []ForeignServer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	for a, missed := range f.ours {
		if f.ours[a] = missed + 1; missed >= maxMissed {
			delete(f.ours, a) // its address may become somebody else's
		}
	}
	for a, x := range f.servers {
		if x.missed >= maxMissed {
			x.Gone = true
			gone = append(gone, x.ForeignServer)
			delete(f.servers, a)
			continue
		}
		x.missed++
	}
	return gone
}

// Foreign returns the other DHCP servers on the wire that are no appliances.
func (s *Server) Foreign() []ForeignServer {
	f := &s.foreign
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []ForeignServer
	for _, x := range f.servers {
		out = append(out, x.ForeignServer)
	}
	slices.SortFunc(out, func(a, b ForeignServer) int { return a.Address.Compare(b.Address) })
	return out
}

// giver returns a foreign server that hands out addresses, if there is one.
func (f *foreign) giver() (ForeignServer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.servers {
		if !x.Proxy {
			return x.ForeignServer, true
		}
	}
	return ForeignServer{}, false
}

// Modes returns what each subnet that is served is now. One that still listens
// for other servers is SubnetAuto.
func (s *Server) Modes() map[netip.Prefix]pool.SubnetMode {
	out := map[netip.Prefix]pool.SubnetMode{}
	if p := s.plan.Load(); p != nil {
		for _, n := range p.networks {
			out[n.Prefix] = modeName(n.mode.Load())
		}
	}
	return out
}

func modeName(m int32) pool.SubnetMode {
	switch m {
	case modeServer:
		return pool.SubnetServer
	case modeProxy:
		return pool.SubnetProxy
	case modeOff:
		return pool.SubnetOff
	}
	return pool.SubnetAuto
}

// setMode says what n is at first. What a subnet with mode auto was found to
// be stays while its leases run.
func (s *Server) setMode(n *network, before *plan) {
	switch n.Mode {
	case pool.SubnetServer:
		n.mode.Store(modeServer)
	case pool.SubnetProxy:
		n.mode.Store(modeProxy)
	case pool.SubnetOff:
		n.mode.Store(modeOff)
	default:
		if s.Interface == "" || !n.local || n.Prefix.Addr().Is6() {
			n.mode.Store(modeServer) // nobody else can be heard there, or it does not matter
			return
		}
		if before != nil {
			old := before.find(n.Prefix.Addr())
			auto := old != nil && old.Prefix == n.Prefix && (old.Mode == "" || old.Mode == pool.SubnetAuto)
			if auto && old.mode.Load() != modeUndecided && (s.book.live(n, s.now()) > 0 || !s.changedSince(old)) {
				n.mode.Store(old.mode.Load())
				return
			}
		}
		n.mode.Store(modeUndecided)
		s.foreign.mu.Lock()
		s.foreign.listen(s.now())
		s.foreign.mu.Unlock()
	}
}

// changedSince says whether the wire is not what it was when old was decided:
// then it is decided anew.
func (s *Server) changedSince(old *network) bool {
	_, other := s.foreign.giver()
	return other != (old.mode.Load() == modeProxy)
}

// settled decides what the subnets are that listened long enough.
func (s *Server) settled() {
	p := s.plan.Load()
	if p == nil {
		return
	}
	for _, n := range p.networks {
		if n.mode.Load() != modeUndecided {
			continue
		}
		other, heard := s.foreign.giver()
		live := s.book.live(n, s.now())
		switch {
		case !heard:
			s.become(n, modeServer, "no other DHCP server answers")
		case live > 0:
			s.become(n, modeServer, fmt.Sprintf("DHCP server %s answers, too, but %d leases of ours are live: turn one of the two off", other, live))
		default:
			s.become(n, modeProxy, fmt.Sprintf("DHCP server %s answers: it gives the addresses, the appliance says what to boot", other))
		}
	}
}

func (s *Server) become(n *network, mode int32, why string) {
	n.mode.Store(mode)
	s.log().Info("subnet decided", "subnet", n.Prefix.String(), "mode", string(modeName(mode)), "why", why)
	if s.OnMode != nil {
		s.OnMode(n.Subnet, modeName(mode), why)
	}
}

// appeared acts on a server that was not there before. A subnet with mode auto
// turns into a proxy while it has given nothing.
func (s *Server) appeared(f ForeignServer) {
	s.log().Warn("another DHCP server is on the wire", "server", f.String(), "proxy", f.Proxy)
	if s.OnForeign != nil {
		s.OnForeign(f)
	}
	p := s.plan.Load()
	if p == nil || f.Proxy {
		return
	}
	for _, n := range p.networks {
		auto := n.Mode == "" || n.Mode == pool.SubnetAuto
		if auto && n.local && n.mode.Load() == modeServer && n.Prefix.Addr().Is4() && s.book.live(n, s.now()) == 0 {
			s.become(n, modeProxy, fmt.Sprintf("DHCP server %s appeared and no lease of ours is live: it gives the addresses", f))
		}
	}
}

// see reads a frame and returns the server that it is from, or that it asks: a
// client that takes an offer names its server to all (RFC 2131, 4.3.1). What
// came through a relay agent is of another wire.
func (s *Server) see(frame []byte) (sighting, bool) {
	if len(frame) < 14 {
		return sighting{}, false
	}
	_, port, payload, ok := udpPayload(frame[14:])
	if !ok || port != clientPort && port != serverPort {
		return sighting{}, false
	}
	p, err := dhcpv4.FromBytes(payload)
	if err != nil || !addr4(p.GatewayIPAddr).IsUnspecified() {
		return sighting{}, false
	}
	g := sighting{addr: addr4(p.ServerIdentifier()), mark: string(p.GetOneOption(dhcpv4.GenericOptionCode(optMark))) == markText}
	switch p.MessageType() {
	case dhcpv4.MessageTypeOffer, dhcpv4.MessageTypeAck:
		g.mac = pool.MAC(frame[6:12])
		g.proxy = addr4(p.YourIPAddr).IsUnspecified()
		g.gives = !g.proxy
	case dhcpv4.MessageTypeRequest:
		g.gives = true
	default:
		return sighting{}, false
	}
	return g, !g.addr.IsUnspecified() && g.addr != s.Addr
}

// probeMessage is the detector's DISCOVER: of a client, or of a PXE client,
// because some servers answer only those.
func (f *foreign) probeMessage() ([]byte, error) {
	f.mu.Lock()
	mac, pxe := f.probe, f.asked%2 == 0
	f.mu.Unlock()
	d, err := dhcpv4.NewDiscovery(mac[:], dhcpv4.WithBroadcast(true))
	if err != nil {
		return nil, err
	}
	d.UpdateOption(dhcpv4.OptClassIdentifier(detectorClass))
	if pxe {
		d.UpdateOption(dhcpv4.OptClassIdentifier(pxeClass + ":Arch:00007:UNDI:003016"))
		d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, 7}))
		d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(optUUID), make([]byte, 17)))
	}
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(optMark), []byte(markText)))
	return d.ToBytes(), nil
}

// Vendor returns who made the interface with a MAC, as far as a short table of
// what is found in racks knows.
func Vendor(m pool.MAC) string {
	i, ok := slices.BinarySearchFunc(ouis, [3]byte(m[:3]), func(o oui, want [3]byte) int {
		return cmp.Compare(uint32(o.prefix[0])<<16|uint32(o.prefix[1])<<8|uint32(o.prefix[2]), uint32(want[0])<<16|uint32(want[1])<<8|uint32(want[2]))
	})
	if !ok {
		return ""
	}
	return ouis[i].vendor
}
