package dhcp

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// memory is the lease store's behaviour in a map: one row an address, one
// address a MAC.
type memory struct {
	mu   sync.Mutex
	rows map[netip.Addr]pool.Lease
	fail error // what BindAll answers
}

func newMemory(ls ...pool.Lease) *memory {
	m := &memory{rows: map[netip.Addr]pool.Lease{}}
	for _, l := range ls {
		m.rows[l.Address] = l
	}
	return m
}

func (m *memory) Lease(_ context.Context, mac pool.MAC) (pool.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.rows {
		if l.MAC == mac && !l.Declined {
			return l, nil
		}
	}
	return pool.Lease{}, fmt.Errorf("%w: lease of %s", pool.ErrNotFound, mac)
}

func (m *memory) LeaseAt(_ context.Context, a netip.Addr) (pool.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.rows[a]; ok {
		return l, nil
	}
	return pool.Lease{}, fmt.Errorf("%w: lease of %s", pool.ErrNotFound, a)
}

func (m *memory) Leases(context.Context) ([]pool.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.rows)), nil
}

func (m *memory) BindAll(_ context.Context, ls []pool.Lease) []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := make([]error, len(ls))
	for i, l := range ls {
		if m.fail != nil {
			errs[i] = m.fail
			continue
		}
		if had, ok := m.rows[l.Address]; ok && had.MAC != l.MAC && time.Now().Before(had.Expires) {
			errs[i] = fmt.Errorf("%w: %s belongs to %s", pool.ErrConflict, l.Address, had.MAC)
			continue
		}
		maps.DeleteFunc(m.rows, func(_ netip.Addr, r pool.Lease) bool { return r.MAC == l.MAC && r.Address.Is4() == l.Address.Is4() })
		m.rows[l.Address] = l
	}
	return errs
}

func (m *memory) Forget(_ context.Context, a netip.Addr) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, a)
	return nil
}

func (m *memory) Unbind(_ context.Context, mac pool.MAC, a netip.Addr) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[a].MAC != mac {
		return pool.ErrNotFound
	}
	delete(m.rows, a)
	return nil
}

func (m *memory) Decline(_ context.Context, a netip.Addr, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[a] = pool.Lease{Address: a, Expires: until, Declined: true}
	return nil
}

// table answers what cmd's directory does: machines it knows, and what asks
// to netboot where the subnet discovers.
type table struct {
	known map[pool.MAC]bool
	err   error
}

func (d table) Answer(_ context.Context, mac pool.MAC, c pool.Client, n pool.Subnet) (pool.BootAnswer, bool, error) {
	next := ip("10.77.0.1")
	switch {
	case d.err != nil:
		return pool.BootAnswer{}, false, d.err
	case !d.known[mac] && !(n.Discover && (c.PXE || c.IPXE)):
		return pool.BootAnswer{}, false, nil
	case c.IPXE:
		return pool.BootAnswer{File: "http://10.77.0.1:8080/boot/script.ipxe"}, true, nil
	case c.HTTP:
		return pool.BootAnswer{File: "http://10.77.0.1:8080/boot/ipxe.efi"}, true, nil
	case c.PXE && c.Firmware() == pool.BIOS:
		return pool.BootAnswer{File: "undionly.kpxe", Next: next}, true, nil
	case c.PXE:
		return pool.BootAnswer{File: "ipxe.efi", Next: next}, true, nil
	}
	return pool.BootAnswer{}, true, nil
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func mac(n byte) pool.MAC { return pool.MAC{0x52, 0x54, 0, 0, 0, n} }

// rack is the subnet of most tests.
func rack() pool.Subnet {
	return pool.Subnet{
		Name: "rack", Prefix: netip.MustParsePrefix("10.77.0.0/24"), First: ip("10.77.0.100"), Last: ip("10.77.0.109"),
		Router: ip("10.77.0.254"), DNS: []netip.Addr{ip("10.77.0.1"), ip("10.77.0.2")}, Domain: "rack.example", MTU: 9000,
		Lease: 10 * time.Minute, Discover: true, Reserve: map[pool.MAC]string{mac(99): "10.77.0.50"},
	}
}

func newServer(l Leases, subnets ...pool.Subnet) *Server {
	if len(subnets) == 0 {
		subnets = []pool.Subnet{rack()}
	}
	return &Server{Subnets: subnets, Addr: ip("10.77.0.1"), Leases: l, Directory: table{}}
}

// Clients of each kind.
func bios(d *dhcpv4.DHCPv4) {
	d.UpdateOption(dhcpv4.OptClassIdentifier("PXEClient:Arch:00000:UNDI:002001"))
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, 0}))
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(optUUID), []byte("\x00guid-of-16-bytes")))
}

func ipxe(d *dhcpv4.DHCPv4) {
	bios(d)
	d.UpdateOption(dhcpv4.OptUserClass("iPXE"))
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(optIPXE), []byte{177, 5, 1, 0x1a, 0xf4, 0x10, 0}))
	d.UpdateOption(dhcpv4.OptClientIdentifier(append([]byte{1}, d.ClientHWAddr...)))
}

func efi(d *dhcpv4.DHCPv4) {
	d.UpdateOption(dhcpv4.OptClassIdentifier("PXEClient:Arch:00007:UNDI:003000"))
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, 7}))
}

func httpBoot(d *dhcpv4.DHCPv4) {
	d.UpdateOption(dhcpv4.OptClassIdentifier("HTTPClient:Arch:00016:UNDI:003001"))
	d.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, 16}))
}

func agent(d *dhcpv4.DHCPv4) { d.UpdateOption(dhcpv4.OptClassIdentifier(AgentClass)) }

func system(d *dhcpv4.DHCPv4) {
	d.UpdateOption(dhcpv4.OptClientIdentifier([]byte("\xff\x00\x00\x00\x01duid")))
	d.UpdateOption(dhcpv4.OptHostName("node-1"))
}

func relayed(gi string) dhcpv4.Modifier {
	return func(d *dhcpv4.DHCPv4) {
		d.GatewayIPAddr = ip(gi).AsSlice()
		d.UpdateOption(dhcpv4.OptRelayAgentInfo(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(1), []byte("port-7"))))
	}
}

func wants(a string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(ip(a).AsSlice()))
}

func from(server string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(ip(server).AsSlice()))
}

func has(a string) dhcpv4.Modifier { return dhcpv4.WithClientIP(ip(a).AsSlice()) }

// parse reads a client's message as the server does, and for the tests with
// the library, which must take it, too.
func parse(b []byte) (*dhcpv4.DHCPv4, bool) {
	var r request
	if !r.read(b) {
		return nil, false
	}
	d, err := dhcpv4.FromBytes(b)
	return d, err == nil
}

// msg returns a client's message, after it went over the wire.
func msg(t testing.TB, kind dhcpv4.MessageType, m pool.MAC, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	d, err := dhcpv4.New(dhcpv4.WithHwAddr(m[:]), dhcpv4.WithMessageType(kind), dhcpv4.WithTransactionID(dhcpv4.TransactionID{1, 2, 3, 4}))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range mods {
		f(d)
	}
	req, ok := parse(d.ToBytes())
	if !ok {
		t.Fatalf("parse %s: refused", d.Summary())
	}
	return req
}

// arrival is where a packet came from and went to.
type arrival struct {
	src   netip.AddrPort
	dst   netip.Addr
	proxy bool
}

// begin readies an exchange from a packet.
func begun(b []byte, a arrival) (*exchange, bool) {
	x := &exchange{in: b}
	if !x.req.read(x.in) {
		return nil, false
	}
	x.reset(a.src, a.dst, a.proxy, time.Now())
	return x, true
}

// answered has s answer a packet, as the engine would, and reads the answer
// with the library. nil is silence.
func answered(ctx context.Context, s *Server, b []byte, a arrival) (*dhcpv4.DHCPv4, *exchange, error) {
	if err := s.prepare(ctx); err != nil {
		return nil, nil, err
	}
	x, ok := begun(b, a)
	if !ok {
		return nil, nil, fmt.Errorf("%w: packet", pool.ErrInvalid)
	}
	v, err := s.decide(ctx, x)
	return concluded(ctx, s, x, v, err)
}

func concluded(ctx context.Context, s *Server, x *exchange, v verdict, err error) (*dhcpv4.DHCPv4, *exchange, error) {
	if v == store {
		v, err = s.stored(ctx, x, s.Leases.BindAll(ctx, []pool.Lease{x.lease})[0])
	}
	if v != answer {
		return nil, x, err
	}
	x.to = x.routed()
	d, perr := dhcpv4.FromBytes(x.out.b)
	if perr != nil {
		return nil, x, fmt.Errorf("answer cannot be read: %w", perr)
	}
	return d, x, err
}

// reply has s answer a message.
func (s *Server) reply(ctx context.Context, req *dhcpv4.DHCPv4, a arrival) (*dhcpv4.DHCPv4, error) {
	d, _, err := answered(ctx, s, req.ToBytes(), a)
	return d, err
}

// ask has s answer a message that was broadcast on its own wire.
func ask(t testing.TB, s *Server, kind dhcpv4.MessageType, m pool.MAC, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	r, err := s.reply(t.Context(), msg(t, kind, m, mods...), arrival{dst: ip("255.255.255.255")})
	if err != nil {
		t.Fatalf("%s of %s: %v", kind, m, err)
	}
	return r
}

// boot takes a client through OFFER and ACK and returns its address.
func boot(t testing.TB, s *Server, m pool.MAC, mods ...dhcpv4.Modifier) netip.Addr {
	t.Helper()
	o := ask(t, s, dhcpv4.MessageTypeDiscover, m, mods...)
	if o == nil {
		t.Fatalf("no offer for %s", m)
	}
	want := addr4(o.YourIPAddr).String()
	a := ask(t, s, dhcpv4.MessageTypeRequest, m, append(mods, wants(want), from("10.77.0.1"))...)
	if a == nil || a.MessageType() != dhcpv4.MessageTypeAck || addr4(a.YourIPAddr).String() != want {
		t.Fatalf("offered %s to %s, then answered %v", want, m, a)
	}
	return addr4(a.YourIPAddr)
}
