package dhcp

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// onLink makes s think that it has an interface, so that mode auto listens.
func onLink(s *Server) *Server {
	s.Interface = "none"
	return s
}

func sightingOf(a string) sighting { return sighting{addr: ip(a), mac: mac(9), gives: true} }

func TestAutoDecidesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onLink(newServer(newMemory()))
		var said []string
		s.OnMode = func(_ pool.Subnet, now pool.SubnetMode, why string) { said = append(said, string(now)+": "+why) }
		if r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), bios); r != nil {
			t.Error("answered before it listened for other servers")
		}
		f, news := s.foreign.heard(sightingOf("10.77.0.9"), time.Now())
		if !news || f.Vendor != "QEMU" {
			t.Errorf("heard = %v, %t", f, news)
		}
		var noted []pool.BootEvent
		s.Boot = func(e pool.BootEvent) { noted = append(noted, e) }
		ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), bios)
		ask(t, s, dhcpv4.MessageTypeDiscover, mac(7), system)
		if len(noted) != 1 || noted[0].Code != pool.CodeForeign || noted[0].MAC != mac(1) || !strings.Contains(noted[0].Detail, "10.77.0.9") {
			t.Errorf("noted %+v, want that another server keeps us silent", noted)
		}
		s.appeared(f)
		s.settled()
		if m := s.Modes()[rack().Prefix]; m != pool.SubnetProxy || len(said) != 1 || !strings.Contains(said[0], "10.77.0.9 (52:54:00:00:00:09, QEMU)") {
			t.Errorf("mode %s, said %q; want proxy because of 10.77.0.9", m, said)
		}
		if r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), bios); r == nil || !addr4(r.YourIPAddr).IsUnspecified() || r.BootFileName != "undionly.kpxe" {
			t.Errorf("proxy offer = %v", r)
		}
		// It goes away: nothing flips by itself, but it is decided anew when asked.
		for range 4 {
			s.foreign.ask()
		}
		if m := s.Modes()[rack().Prefix]; m != pool.SubnetProxy || len(s.Foreign()) != 0 {
			t.Errorf("mode %s, foreign %v", m, s.Foreign())
		}
		if err := s.Configure(t.Context(), s.Subnets, nil); err != nil {
			t.Fatal(err)
		}
		s.settled()
		if m := s.Modes()[rack().Prefix]; m != pool.SubnetServer {
			t.Errorf("mode %s after it was decided anew, want server", m)
		}
		// With a lease of ours live, another server changes nothing.
		boot(t, s, mac(1), bios)
		s.foreign.heard(sightingOf("10.77.0.10"), time.Now())
		s.appeared(s.Foreign()[0])
		if err := s.Configure(t.Context(), s.Subnets, nil); err != nil {
			t.Fatal(err)
		}
		if m := s.Modes()[rack().Prefix]; m != pool.SubnetServer {
			t.Errorf("mode %s although a lease is live", m)
		}
	})
}

func TestStartBesideAnotherWithLiveLeases(t *testing.T) {
	held := pool.Lease{MAC: mac(7), Address: ip("10.77.0.103"), Expires: time.Now().Add(time.Hour)}
	s := onLink(newServer(newMemory(held)))
	s.Directory = table{known: map[pool.MAC]bool{mac(7): true}}
	renew := func() *dhcpv4.DHCPv4 {
		r, err := s.reply(t.Context(), msg(t, dhcpv4.MessageTypeRequest, mac(7), has("10.77.0.103")), arrival{dst: ip("10.77.0.1")})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := renew(); r == nil || r.MessageType() != dhcpv4.MessageTypeAck {
		t.Errorf("renewal while it listens = %v, want ACK", r)
	}
	s.foreign.heard(sightingOf("10.77.0.9"), time.Now())
	s.settled()
	if m := s.Modes()[rack().Prefix]; m != pool.SubnetServer {
		t.Errorf("mode %s with a live lease, want server", m)
	}
}

func TestAppliancesAreNotForeign(t *testing.T) {
	s := newServer(newMemory())
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.foreign.start()
	b, err := s.foreign.probeMessage()
	if err != nil {
		t.Fatal(err)
	}
	other := newServer(newMemory())
	other.Addr = ip("10.77.0.2")
	r, x, err := answered(t.Context(), other, b, arrival{dst: ip("255.255.255.255")})
	if err != nil || r == nil || !addr4(r.YourIPAddr).IsUnspecified() {
		t.Fatalf("another appliance answers the detector with %v, %v", r, err)
	}
	g, ok := s.see(ethernet(broadcastMAC, mac(8), etherIPv4, udp4(netip.AddrPortFrom(other.Addr, 67), x.to.to, x.out.b)))
	if _, news := s.foreign.heard(g, time.Now()); !ok || news || len(s.Foreign()) != 0 {
		t.Errorf("seen %+v, %t; foreign %v; want that it is ours", g, ok, s.Foreign())
	}
	if _, news := s.foreign.heard(sightingOf("10.77.0.2"), time.Now()); news {
		t.Error("a client that asks the other appliance makes it foreign")
	}
}

func TestOffIsOff(t *testing.T) {
	n := rack()
	n.Mode = pool.SubnetOff
	s := newServer(newMemory(), n)
	for _, k := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeInform} {
		if r := ask(t, s, k, mac(1), bios, wants("10.77.0.104"), from("10.77.0.1"), has("10.77.0.104")); r != nil {
			t.Errorf("%s answered: %s", k, r.Summary())
		}
	}
	if err := s.Configure(t.Context(), []pool.Subnet{rack()}, nil); err != nil {
		t.Fatal(err)
	}
	boot(t, s, mac(1), bios)
	if err := s.Configure(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	if r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(2), bios); r != nil {
		t.Errorf("nothing is served, and it answers: %s", r.Summary())
	}
}

// TestProxy replays what PXE clients of each kind send (PXE 2.1, 2.2 and table
// 2-1; UEFI 2.10, 24.3) and reads the answers as they would.
func TestProxy(t *testing.T) {
	n := rack()
	n.Mode = pool.SubnetProxy
	for _, tt := range []struct {
		name  string
		who   dhcpv4.Modifier
		offer string // boot file of the OFFER on port 67
		class string
		ack   string // of the ACK on port 4011
	}{
		{"BIOS", bios, "undionly.kpxe", "PXEClient", "undionly.kpxe"},
		{"UEFI", efi, "", "PXEClient", "ipxe.efi"},
		{"UEFI HTTP", httpBoot, "http://10.77.0.1:8080/boot/ipxe.efi", "HTTPClient", "http://10.77.0.1:8080/boot/ipxe.efi"},
		{"iPXE", ipxe, "http://10.77.0.1:8080/boot/script.ipxe", "PXEClient", "http://10.77.0.1:8080/boot/script.ipxe"},
	} {
		s := newServer(newMemory(), n)
		o := ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), tt.who)
		if o == nil || o.MessageType() != dhcpv4.MessageTypeOffer || !addr4(o.YourIPAddr).IsUnspecified() || o.BootFileName != tt.offer ||
			o.ClassIdentifier() != tt.class || o.Options.Has(dhcpv4.OptionIPAddressLeaseTime) {
			t.Errorf("%s: proxy OFFER = %v", tt.name, o)
			continue
		}
		if want := addr4(o.ServerIdentifier()); want != s.Addr {
			t.Errorf("%s: server identifier %s", tt.name, want)
		}
		// It has its address from the other server, and asks the boot server.
		req := msg(t, dhcpv4.MessageTypeRequest, mac(1), tt.who, has("10.77.0.120"))
		src := netip.MustParseAddrPort("10.77.0.120:68")
		a, x, err := answered(t.Context(), s, req.ToBytes(), arrival{src: src, dst: s.Addr, proxy: true})
		if err != nil || a == nil || a.MessageType() != dhcpv4.MessageTypeAck || a.BootFileName != tt.ack || a.ClassIdentifier() != tt.class || x.to.to != src {
			t.Errorf("%s: ACK on 4011 = %v, %v", tt.name, a, err)
		}
		// iPXE takes no answer of a proxy that names no next server.
		if tt.name == "iPXE" && (addr4(o.ServerIPAddr) != s.Addr || a == nil || addr4(a.ServerIPAddr) != s.Addr) {
			t.Errorf("iPXE: next server %s of the OFFER, %v", o.ServerIPAddr, a)
		}
		// The other server's business is not ours.
		for _, m := range [][]dhcpv4.Modifier{{tt.who, wants("10.77.0.120"), from("10.77.0.9")}, {tt.who, has("10.77.0.120")}, {tt.who, wants("10.77.0.120")}} {
			if r := ask(t, s, dhcpv4.MessageTypeRequest, mac(1), m...); r != nil {
				t.Errorf("%s: REQUEST to another server answered: %s", tt.name, r.Summary())
			}
		}
		if got := s.Taken(mac(1)); got != netip.MustParseAddr("10.77.0.120") {
			t.Errorf("%s: took %v of another server", tt.name, got)
		}
		if got := s.Taken(mac(2)); got.IsValid() {
			t.Errorf("%s: a machine that asked nothing took %v", tt.name, got)
		}
		if st := s.Stats(); st.Proxied != 2 || st.Offers != 0 || st.Acks != 0 {
			t.Errorf("%s: %+v", tt.name, st)
		}
	}
	s := newServer(newMemory(), n)
	s.Directory = table{known: map[pool.MAC]bool{mac(7): true}}
	if r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(7), system); r != nil {
		t.Errorf("a system that does not netboot got a proxy OFFER: %s", r.Summary())
	}
}

// TestRelayOptions: link selection and server identifier override (RFC 3527,
// 5107), relay addresses outside the subnet, and the echo of it all.
func TestRelayOptions(t *testing.T) {
	far := pool.Subnet{Prefix: netip.MustParsePrefix("10.88.0.0/24"), First: ip("10.88.0.10"), Last: ip("10.88.0.20"), Discover: true, Relays: []netip.Addr{ip("192.0.2.1")}}
	s := newServer(newMemory(), rack(), far)
	sub := func(code byte, v ...byte) dhcpv4.Option { return dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(code), v) }
	via := func(gi string, opts ...dhcpv4.Option) dhcpv4.Modifier {
		return func(d *dhcpv4.DHCPv4) {
			d.GatewayIPAddr = ip(gi).AsSlice()
			d.UpdateOption(dhcpv4.OptRelayAgentInfo(opts...))
		}
	}
	for _, tt := range []struct {
		name       string
		mod        dhcpv4.Modifier
		in, server string
	}{
		{"giaddr", via("10.88.0.1", sub(1, 'p')), "10.88.0.0/24", "10.77.0.1"},
		{"relay outside", via("192.0.2.1", sub(1, 'p')), "10.88.0.0/24", "10.77.0.1"},
		{"link selection", via("192.0.2.7", sub(5, 10, 88, 0, 0)), "10.88.0.0/24", "10.77.0.1"},
		{"link selection before giaddr", via("10.77.0.254", sub(5, 10, 88, 0, 0)), "10.88.0.0/24", "10.77.0.1"},
		{"override", via("10.88.0.1", sub(11, 10, 88, 0, 1)), "10.88.0.0/24", "10.88.0.1"},
	} {
		o := ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), bios, tt.mod)
		if o == nil || !netip.MustParsePrefix(tt.in).Contains(addr4(o.YourIPAddr)) || addr4(o.ServerIdentifier()).String() != tt.server {
			t.Errorf("%s: %v", tt.name, o)
			continue
		}
		want := msg(t, dhcpv4.MessageTypeDiscover, mac(1), tt.mod).GetOneOption(dhcpv4.OptionRelayAgentInformation)
		if got := o.GetOneOption(dhcpv4.OptionRelayAgentInformation); string(got) != string(want) {
			t.Errorf("%s: option 82 comes back as %v, want %v", tt.name, got, want)
		}
		a := ask(t, s, dhcpv4.MessageTypeRequest, mac(1), bios, tt.mod, wants(addr4(o.YourIPAddr).String()), from(tt.server))
		if a == nil || a.MessageType() != dhcpv4.MessageTypeAck {
			t.Errorf("%s: %v, want ACK", tt.name, a)
		}
	}
	if r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), bios, via("10.88.0.1", sub(5, 10, 99, 0, 0))); r != nil {
		t.Errorf("a link that is not served: %s", r.Summary())
	}
	l, ok := s.book.lease(client{mac(1), false})
	if !ok || l.Relay != ip("10.88.0.1") {
		t.Errorf("lease %+v, want that it tells the relay", l)
	}
}

// A box in a port is replaced: the new one gets the port's address.
func TestReservations(t *testing.T) {
	n := rack()
	n.Reservations = []pool.Reservation{
		{Circuit: "port-7", Address: ip("10.77.0.60"), Hostname: "rack1-u7", Options: pool.DHCPOptions{6: "ip:10.77.0.53", 42: "ip:10.77.0.1"}},
		{ClientID: "ff0102", Address: ip("10.77.0.61")},
		{MAC: mac(5), Options: pool.DHCPOptions{26: "u16:1400"}},
	}
	m := newMemory()
	s := newServer(m, n)
	port := func(d *dhcpv4.DHCPv4) {
		d.GatewayIPAddr = ip("10.77.0.254").AsSlice()
		d.UpdateOption(dhcpv4.OptRelayAgentInfo(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(1), []byte("port-7")), dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(2), []byte{0, 1})))
	}
	for _, who := range []pool.MAC{mac(1), mac(2)} {
		if a := boot(t, s, who, bios, port); a != ip("10.77.0.60") {
			t.Errorf("%s in port 7 got %s", who, a)
		}
	}
	l := m.rows[ip("10.77.0.60")]
	if len(m.rows) != 1 || l.MAC != mac(2) || l.Hostname != "rack1-u7" || l.Circuit != "port-7" || l.Remote != "0x0001" {
		t.Errorf("stored %+v", m.rows)
	}
	o := ask(t, s, dhcpv4.MessageTypeDiscover, mac(2), bios, port)
	if d := o.DNS(); len(d) != 1 || addr4(d[0]) != ip("10.77.0.53") || o.HostName() != "rack1-u7" || len(o.NTPServers()) != 1 {
		t.Errorf("options of the port: %s", o.Summary())
	}
	id := dhcpv4.WithOption(dhcpv4.OptClientIdentifier([]byte{0xff, 1, 2}))
	if a := boot(t, s, mac(3), bios, id); a != ip("10.77.0.61") {
		t.Errorf("client identifier: %s", a)
	}
	o = ask(t, s, dhcpv4.MessageTypeDiscover, mac(5), bios)
	if mtu := o.GetOneOption(dhcpv4.OptionInterfaceMTU); string(mtu) != "\x05\x78" || !n.InRange(addr4(o.YourIPAddr)) {
		t.Errorf("options without an address: %s", o.Summary())
	}
	if r := ask(t, s, dhcpv4.MessageTypeRequest, mac(4), bios, wants("10.77.0.60"), from("10.77.0.1")); r == nil || r.MessageType() != dhcpv4.MessageTypeNak {
		t.Errorf("another's reserved address: %v, want NAK", r)
	}
}

func TestExclusions(t *testing.T) {
	n := rack()
	n.Pools = []pool.Range{{First: ip("10.77.0.200"), Last: ip("10.77.0.201")}}
	n.Exclude = []pool.Range{{First: ip("10.77.0.101"), Last: ip("10.77.0.108")}}
	s := newServer(newMemory(), n)
	got := map[netip.Addr]bool{}
	for i := byte(1); i <= 4; i++ {
		got[boot(t, s, mac(i), bios)] = true
	}
	for _, want := range []string{"10.77.0.100", "10.77.0.109", "10.77.0.200", "10.77.0.201"} {
		if !got[ip(want)] {
			t.Errorf("%s was not given out; %v were", want, got)
		}
	}
	if _, err := s.reply(t.Context(), msg(t, dhcpv4.MessageTypeDiscover, mac(9), bios), arrival{}); !errors.Is(err, pool.ErrUnavailable) {
		t.Errorf("fifth client: %v, want ErrUnavailable", err)
	}
}

// probed has s probe, with a function that takes what is asked for.
func probed(t *testing.T, s *Server, asked func([]netip.Addr, bool)) chan *exchange {
	t.Helper()
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	back := make(chan *exchange, 8)
	s.prober.send = asked
	s.prober.resume = func(x *exchange, o *offer) {
		s.book.mu.Lock()
		x.offer, x.probed = o, o.probe
		s.book.mu.Unlock()
		back <- x
	}
	return back
}

func discoverOf(t *testing.T, s *Server, m pool.MAC, mods ...dhcpv4.Modifier) (*exchange, verdict) {
	t.Helper()
	x, ok := begun(msg(t, dhcpv4.MessageTypeDiscover, m, append(mods, bios)...).ToBytes(), arrival{dst: ip("255.255.255.255")})
	if !ok {
		t.Fatal("refused")
	}
	v, err := s.decide(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return x, v
}

func TestConflictProbe(t *testing.T) {
	m := newMemory()
	s := newServer(m)
	var asked []netip.Addr
	back := probed(t, s, func(list []netip.Addr, local bool) {
		if !local {
			t.Error("a client on the link is probed by ICMP")
		}
		asked = append(asked, list...)
	})
	if _, v := discoverOf(t, s, mac(1)); v != wait {
		t.Fatalf("verdict %d, want that it waits for the probe", v)
	}
	if _, v := discoverOf(t, s, mac(1)); v != silence {
		t.Errorf("second DISCOVER: verdict %d, want silence", v)
	}
	s.prober.tick(time.Now())
	first := asked[0]
	s.prober.answered(first, mac(1)) // the client itself
	s.prober.answered(first, mac(200))
	x := <-back
	v, err := s.resumed(t.Context(), x)
	if err != nil || v != wait || !m.rows[first].Declined {
		t.Fatalf("used address: verdict %d, %v, rows %v; want it set aside and another one probed", v, err, m.rows)
	}
	s.prober.tick(time.Now())
	s.prober.tick(time.Now().Add(probeTime))
	x = <-back
	if v, err := s.resumed(t.Context(), x); v != answer || err != nil || x.out.yi != asked[len(asked)-1] {
		t.Errorf("nobody answered: verdict %d, %v, OFFER of %s, probed %v", v, err, x.out.yi, asked)
	}
	second := asked[len(asked)-1]
	if o, ok := s.book.held[client{mac(1), false}]; !ok || o.addr != second || o.probe != probeClear || second == first {
		t.Errorf("offer %+v, want %s, clear", o, second)
	}
}

// In a storm offers go out at once; an answer to the probe that comes before
// the REQUEST makes it a NAK.
func TestProbeWhileOffered(t *testing.T) {
	n := rack()
	n.Last = ip("10.77.0.250")
	m := newMemory()
	s := newServer(m, n)
	probed(t, s, func([]netip.Addr, bool) {})
	for i := range byte(maxHeldOffers) {
		if _, v := discoverOf(t, s, mac(i)); v != wait {
			t.Fatalf("client %d: verdict %d", i, v)
		}
	}
	x, v := discoverOf(t, s, mac(200))
	if v != answer {
		t.Fatalf("verdict %d, want the OFFER at once", v)
	}
	addr := x.out.yi
	s.prober.answered(addr, mac(201))
	r := ask(t, s, dhcpv4.MessageTypeRequest, mac(200), bios, wants(addr.String()), from("10.77.0.1"))
	if r == nil || r.MessageType() != dhcpv4.MessageTypeNak || !m.rows[addr].Declined {
		t.Errorf("REQUEST of an address in use = %v, rows %v", r, m.rows)
	}
}

// A retransmitted DISCOVER meets the end of the probe of the one before: for
// the race detector.
func TestProbeRetransmitted(t *testing.T) {
	s := newServer(newMemory())
	discover := msg(t, dhcpv4.MessageTypeDiscover, mac(1), bios).ToBytes()
	var again sync.WaitGroup
	back := probed(t, s, func([]netip.Addr, bool) { // within tick
		again.Go(func() {
			x, _ := begun(discover, arrival{dst: ip("255.255.255.255")})
			if _, err := s.decide(t.Context(), x); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(10 * time.Millisecond) // to wait for it would order the two
	})
	x, _ := begun(discover, arrival{dst: ip("255.255.255.255")})
	x.now = x.now.Add(-probeTime)
	if v, err := s.decide(t.Context(), x); v != wait || err != nil {
		t.Fatalf("verdict %d, %v", v, err)
	}
	s.prober.tick(time.Now())
	again.Wait()
	if v, err := s.resumed(t.Context(), <-back); v != answer || err != nil {
		t.Errorf("verdict %d, %v, want the OFFER", v, err)
	}
}

func TestOverlappingSubnets(t *testing.T) {
	wide := rack()
	wide.Prefix = netip.MustParsePrefix("10.77.0.0/16")
	for _, list := range [][]pool.Subnet{{rack(), wide}, {wide, rack()}, {rack(), rack()}} {
		if err := CheckSubnets(list); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("%s and %s: %v, want ErrInvalid", list[0].Prefix, list[1].Prefix, err)
		}
	}
}

// Who invents packets fills no memory.
func TestInventedClientsAndServers(t *testing.T) {
	s := newServer(newMemory())
	for range 5000 {
		ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), bios)
	}
	if n := len(s.book.queue); n > 2000 {
		t.Errorf("%d offers are kept of one client that asks over and over", n)
	}
	now := time.Now()
	for i := range 3 * maxBooting {
		s.booting.note(pool.MAC{2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}, false, now)
	}
	if n := len(s.booting.answered); n > maxBooting || len(s.booting.firmware) > maxBooting {
		t.Errorf("%d booting machines are kept", n)
	}
	for i := range uint64(1000) {
		s.foreign.heard(sighting{addr: address(i + 1), mark: true}, now)
		s.foreign.heard(sighting{addr: address(i + 5000), gives: true}, now)
	}
	if len(s.foreign.ours) > maxServers || len(s.foreign.servers) > maxServers {
		t.Errorf("%d appliances and %d other servers are kept", len(s.foreign.ours), len(s.foreign.servers))
	}
}

func TestApplianceGone(t *testing.T) {
	var f foreign
	f.heard(sighting{addr: ip("10.77.0.2"), mark: true}, time.Now())
	for range maxMissed {
		f.ask()
		if _, news := f.heard(sightingOf("10.77.0.2"), time.Now()); news {
			t.Fatal("an appliance that missed a question is foreign")
		}
	}
	f.ask()
	if _, news := f.heard(sightingOf("10.77.0.2"), time.Now()); !news {
		t.Error("who has the address of an appliance that went is never seen")
	}
}

// A client takes options of one code for parts of one value (RFC 3396).
func TestConfiguredBootOptions(t *testing.T) {
	n := rack()
	n.Options = pool.DHCPOptions{67: "text:phone.cfg", 66: "text:10.77.0.3", 60: "text:phones", 42: "ip:10.77.0.1"}
	s := newServer(newMemory(), n)
	s.Directory = table{known: map[pool.MAC]bool{mac(2): true}}
	r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(1), bios)
	if got := string(r.Options.Get(dhcpv4.OptionBootfileName)); got != "undionly.kpxe" || r.ClassIdentifier() != pxeClass {
		t.Errorf("boot file %q, class %q", got, r.ClassIdentifier())
	}
	if r.Options.Get(dhcpv4.OptionNTPServers) == nil {
		t.Error("other options of the subnet are gone")
	}
	r = ask(t, s, dhcpv4.MessageTypeDiscover, mac(2))
	if got := string(r.Options.Get(dhcpv4.OptionBootfileName)); got != "phone.cfg" {
		t.Errorf("boot file of what does not netboot: %q, want the configured one", got)
	}
}
