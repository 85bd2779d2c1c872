package dhcp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
	"pgregory.net/rapid"

	"appliance/pool"
)

func rack6() pool.Subnet {
	return pool.Subnet{Name: "six", Mode: pool.SubnetServer, Prefix: netip.MustParsePrefix("fd77::/64"), First: ip("fd77::100"), Last: ip("fd77::103"),
		DNS: []netip.Addr{ip("fd77::1"), ip("10.77.0.1")}, Domain: "rack.example", Lease: 10 * time.Minute, Discover: true,
		Reservations: []pool.Reservation{{MAC: mac(99), Address: ip("fd77::50")}, {Circuit: "port-9", Address: ip("fd77::51"), Options: pool.DHCPOptions{31: "ip:fd77::3"}}},
		Options:      pool.DHCPOptions{31: "ip:fd77::2"}}
}

func server6(l Leases) *Server {
	far := pool.Subnet{Name: "far", Prefix: netip.MustParsePrefix("fd88::/64"), First: ip("fd88::100"), Last: ip("fd88::1ff"), Discover: true}
	s := newServer(l, rack(), rack6(), far)
	s.Addr6, s.mac6 = ip("fd77::1"), mac(77)
	s.Directory = sixTable{}
	return s
}

// sixTable tells netbooting clients a file or, for HTTP, a URL.
type sixTable struct{}

func (sixTable) Answer(_ context.Context, m pool.MAC, c pool.Client, _ pool.Subnet) (pool.BootAnswer, bool, error) {
	switch {
	case c.HTTP || c.IPXE:
		return pool.BootAnswer{File: "http://[fd77::1]:8080/x"}, true, nil
	case c.PXE:
		return pool.BootAnswer{File: "snponly.efi", Next: ip("fd77::1")}, true, nil
	}
	return pool.BootAnswer{}, m == mac(7), nil
}

// msg6 returns a client's message.
func msg6(kind dhcpv6.MessageType, m pool.MAC, opts ...dhcpv6.Option) *dhcpv6.Message {
	d := &dhcpv6.Message{MessageType: kind, TransactionID: dhcpv6.TransactionID{1, 2, 3}}
	d.AddOption(dhcpv6.OptClientID(&dhcpv6.DUIDUUID{UUID: [16]byte{m[5]}})) // as UEFI does: it tells no MAC
	for _, o := range opts {
		d.AddOption(o)
	}
	return d
}

func ia(addrs ...string) *dhcpv6.OptIANA {
	x := &dhcpv6.OptIANA{IaId: [4]byte{0, 0, 0, 7}}
	for _, a := range addrs {
		x.Options.Add(&dhcpv6.OptIAAddress{IPv6Addr: ip(a).AsSlice()})
	}
	return x
}

func pxe6() dhcpv6.Option  { return dhcpv6.OptClientArchType(iana.EFI_X86_64) }
func http6() dhcpv6.Option { return dhcpv6.OptClientArchType(iana.EFI_X86_64_HTTP) }
func class6(s string) dhcpv6.Option {
	return &dhcpv6.OptVendorClass{EnterpriseNumber: 343, Data: [][]byte{[]byte(s)}}
}

// ask6 has s answer a client on its own wire.
func ask6(t testing.TB, s *Server, m pool.MAC, d dhcpv6.DHCPv6) *dhcpv6.Message {
	t.Helper()
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := s.reply6(t.Context(), d.ToBytes(), linkLocal(m), m)
	if err != nil {
		t.Fatalf("%s: %v", d.Summary(), err)
	}
	if r == nil {
		return nil
	}
	back, err := dhcpv6.FromBytes(r.ToBytes())
	if err != nil {
		t.Fatalf("answer cannot be read: %v", err)
	}
	inner, err := back.GetInnerMessage()
	if err != nil {
		t.Fatal(err)
	}
	return inner
}

func addr6(m *dhcpv6.Message) string {
	if m == nil || m.Options.OneIANA() == nil || m.Options.OneIANA().Options.OneAddress() == nil {
		return ""
	}
	return m.Options.OneIANA().Options.OneAddress().IPv6Addr.String()
}

func status(m *dhcpv6.Message) iana.StatusCode {
	if m == nil {
		return 255
	}
	if st := m.Options.Status(); st != nil {
		return st.StatusCode
	}
	if x := m.Options.OneIANA(); x != nil && x.Options.Status() != nil {
		return x.Options.Status().StatusCode
	}
	return iana.StatusSuccess
}

// TestManyIdentities: each identity association is answered; one gets the
// machine's address, and keeps it in whatever order they are renewed.
func TestManyIdentities(t *testing.T) {
	s := server6(newMemory())
	id := dhcpv6.OptServerID(s.duid())
	two := func(addrs ...string) *dhcpv6.OptIANA { x := ia(addrs...); x.IaId = [4]byte{0, 0, 0, 8}; return x }
	var a string
	for _, tt := range []struct {
		name  string
		ask   func() *dhcpv6.Message
		other iana.StatusCode
	}{
		{"solicit", func() *dhcpv6.Message { return msg6(dhcpv6.MessageTypeSolicit, mac(1), ia(), two(), pxe6()) }, iana.StatusNoAddrsAvail},
		{"request", func() *dhcpv6.Message { return msg6(dhcpv6.MessageTypeRequest, mac(1), id, ia(a), two(), pxe6()) }, iana.StatusNoAddrsAvail},
		{"renew", func() *dhcpv6.Message {
			return msg6(dhcpv6.MessageTypeRenew, mac(1), id, two("fd77::1f0"), ia(a), pxe6())
		}, iana.StatusNoBinding},
	} {
		r := ask6(t, s, mac(1), tt.ask())
		if r == nil {
			t.Fatalf("%s: silence", tt.name)
		}
		all := map[byte]*dhcpv6.OptIANA{}
		for _, x := range r.Options.IANA() {
			all[x.IaId[3]] = x
		}
		if len(all) != 2 || len(r.Options.IANA()) != 2 || all[7].Options.OneAddress() == nil || all[8].Options.Status() == nil || all[8].Options.Status().StatusCode != tt.other {
			t.Fatalf("%s: %s", tt.name, r.Summary())
		}
		if got := all[7].Options.OneAddress().IPv6Addr.String(); a != "" && got != a {
			t.Errorf("%s: address %s, want %s", tt.name, got, a)
		} else {
			a = got
		}
	}
}

// TestStateful goes through a machine's life: netboot, renewal, confirmation, release.
func TestStateful(t *testing.T) {
	m := newMemory()
	s := server6(m)
	id := dhcpv6.OptServerID(s.duid())
	adv := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeSolicit, mac(1), ia(), pxe6()))
	a := addr6(adv)
	if adv == nil || adv.MessageType != dhcpv6.MessageTypeAdvertise || a == "" || len(m.rows) != 0 {
		t.Fatalf("ADVERTISE = %v, stored %v", adv, m.rows)
	}
	if u := adv.Options.BootFileURL(); u != "tftp://[fd77::1]/snponly.efi" {
		t.Errorf("boot file URL = %q", u)
	}
	if d := adv.Options.DNS(); len(d) != 1 || d[0].String() != "fd77::1" {
		t.Errorf("DNS = %v", d)
	}
	if adv.GetOneOption(31) == nil {
		t.Error("the subnet's own option is missing")
	}
	rep := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeRequest, mac(1), id, ia(a), pxe6()))
	if rep == nil || addr6(rep) != a || m.rows[ip(a)].MAC != mac(1) || m.rows[ip(a)].IAID != 7 {
		t.Fatalf("REPLY = %v, stored %+v", rep, m.rows)
	}
	for _, kind := range []dhcpv6.MessageType{dhcpv6.MessageTypeRenew, dhcpv6.MessageTypeRebind} {
		opts := []dhcpv6.Option{ia(a), pxe6()}
		if kind == dhcpv6.MessageTypeRenew {
			opts = append(opts, id)
		}
		if r := ask6(t, s, mac(1), msg6(kind, mac(1), opts...)); addr6(r) != a {
			t.Errorf("%s = %v", kind, r)
		}
	}
	if r := ask6(t, s, mac(7), msg6(dhcpv6.MessageTypeRenew, mac(7), id, ia(a))); status(r) != iana.StatusNoBinding {
		t.Errorf("RENEW of another's = %v, want NoBinding", r)
	}
	if r := ask6(t, s, mac(7), msg6(dhcpv6.MessageTypeRebind, mac(7), ia(a))); r != nil {
		t.Errorf("REBIND of another's = %v, want silence", r)
	}
	if r := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeConfirm, mac(1), ia(a), pxe6())); status(r) != iana.StatusSuccess {
		t.Errorf("CONFIRM = %v", r)
	}
	if r := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeConfirm, mac(1), ia("fd99::1"), pxe6())); status(r) != iana.StatusNotOnLink {
		t.Errorf("CONFIRM of another link = %v", r)
	}
	if r := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeRelease, mac(1), id, ia(a), pxe6())); status(r) != iana.StatusSuccess || m.rows[ip(a)].MAC != mac(1) {
		t.Errorf("RELEASE in the middle of a boot = %v, stored %v", r, m.rows)
	}
	clear(s.booting.answered) // the boot is over
	if r := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeRelease, mac(1), id, ia(a), pxe6())); status(r) != iana.StatusSuccess || len(m.rows) != 0 {
		t.Errorf("RELEASE = %v, stored %v", r, m.rows)
	}
}

func TestDecline6(t *testing.T) {
	m := newMemory()
	s := server6(m)
	id := dhcpv6.OptServerID(s.duid())
	r := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeSolicit, mac(1), ia(), pxe6(), &dhcpv6.OptionGeneric{OptionCode: dhcpv6.OptionRapidCommit}))
	a := addr6(r)
	if r == nil || r.MessageType != dhcpv6.MessageTypeReply || r.GetOneOption(dhcpv6.OptionRapidCommit) == nil || m.rows[ip(a)].MAC != mac(1) {
		t.Fatalf("rapid commit = %v, stored %v", r, m.rows)
	}
	ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeDecline, mac(1), id, ia(a), pxe6()))
	if !m.rows[ip(a)].Declined {
		t.Errorf("stored %+v, want it set aside", m.rows)
	}
	if b := addr6(ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeSolicit, mac(1), ia(), pxe6()))); b == a || b == "" {
		t.Errorf("offered %q after declining %s", b, a)
	}
}

func TestWhoIsAnswered6(t *testing.T) {
	s := server6(newMemory())
	other := dhcpv6.OptServerID(&dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}})
	for _, tt := range []struct {
		name string
		mac  pool.MAC
		msg  *dhcpv6.Message
		want bool
	}{
		{"stranger", mac(1), msg6(dhcpv6.MessageTypeSolicit, mac(1), ia()), false},
		{"known system", mac(7), msg6(dhcpv6.MessageTypeSolicit, mac(7), ia()), true},
		{"reserved", mac(99), msg6(dhcpv6.MessageTypeSolicit, mac(99), ia()), true},
		{"to another server", mac(7), msg6(dhcpv6.MessageTypeRequest, mac(7), ia(), other), false},
		{"SOLICIT to a server", mac(7), msg6(dhcpv6.MessageTypeSolicit, mac(7), ia(), dhcpv6.OptServerID(s.duid())), false},
		{"REQUEST to none", mac(7), msg6(dhcpv6.MessageTypeRequest, mac(7), ia()), false},
		{"stateless", mac(7), msg6(dhcpv6.MessageTypeInformationRequest, mac(7)), true},
		{"stateless with an IA", mac(7), msg6(dhcpv6.MessageTypeInformationRequest, mac(7), ia()), false},
		{"a server's", mac(7), msg6(dhcpv6.MessageTypeReply, mac(7), ia()), false},
	} {
		if r := ask6(t, s, tt.mac, tt.msg); (r != nil) != tt.want {
			t.Errorf("%s: %v, want an answer: %t", tt.name, r, tt.want)
		}
	}
	if a := addr6(ask6(t, s, mac(99), msg6(dhcpv6.MessageTypeSolicit, mac(99), ia()))); a != "fd77::50" {
		t.Errorf("reserved: %s", a)
	}
	r := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeInformationRequest, mac(1), http6(), class6("HTTPClient:Arch:00016")))
	if r == nil || r.Options.BootFileURL() != "http://[fd77::1]:8080/x" || string(r.Options.VendorClass(343)[0]) != "HTTPClient" {
		t.Errorf("HTTP boot: %v", r)
	}
}

// Four addresses, five clients: the fifth is told so, and gets the one that is given back.
func TestAddressesRunOut6(t *testing.T) {
	s := server6(newMemory())
	id := dhcpv6.OptServerID(s.duid())
	seen := map[string]byte{}
	for n := byte(1); n <= 4; n++ {
		a := addr6(ask6(t, s, mac(n), msg6(dhcpv6.MessageTypeRequest, mac(n), id, ia(), pxe6())))
		if seen[a] != 0 || a == "" {
			t.Fatalf("client %d got %q, as %d has", n, a, seen[a])
		}
		seen[a] = n
	}
	if r := ask6(t, s, mac(5), msg6(dhcpv6.MessageTypeSolicit, mac(5), ia(), pxe6())); status(r) != iana.StatusNoAddrsAvail {
		t.Errorf("fifth client: %v, want NoAddrsAvail", r)
	}
	l, _ := s.book.lease(client{mac(2), true})
	clear(s.booting.answered) // the boots are over
	ask6(t, s, mac(2), msg6(dhcpv6.MessageTypeRelease, mac(2), id, ia(l.Address.String()), pxe6()))
	if a := addr6(ask6(t, s, mac(5), msg6(dhcpv6.MessageTypeSolicit, mac(5), ia(), pxe6()))); a != l.Address.String() {
		t.Errorf("fifth client: %s, want %s", a, l.Address)
	}
}

func TestNoReplyWithoutStore6(t *testing.T) {
	m := newMemory()
	s := server6(m)
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.fail = errors.New("disk full")
	d := msg6(dhcpv6.MessageTypeRequest, mac(1), dhcpv6.OptServerID(s.duid()), ia(), pxe6())
	if r, err := s.reply6(t.Context(), d.ToBytes(), linkLocal(mac(1)), mac(1)); r != nil || !errors.Is(err, m.fail) {
		t.Errorf("reply = %v, %v; want silence and %v", r, err, m.fail)
	}
}

// Behind two relay agents: the inner one says which link it is, and which port.
func TestRelayed6(t *testing.T) {
	s := server6(newMemory())
	inner, err := dhcpv6.EncapsulateRelay(msg6(dhcpv6.MessageTypeSolicit, mac(1), ia(), pxe6()), dhcpv6.MessageTypeRelayForward, net.ParseIP("fd88::1"), linkLocal(mac(1)).AsSlice())
	if err != nil {
		t.Fatal(err)
	}
	inner.AddOption(dhcpv6.OptInterfaceID([]byte("ge-0/0/7")))
	inner.AddOption(dhcpv6.OptClientLinkLayerAddress(iana.HWTypeEthernet, net.HardwareAddr{0x52, 0x54, 0, 0, 0, 8}))
	outer, err := dhcpv6.EncapsulateRelay(inner, dhcpv6.MessageTypeRelayForward, net.IPv6unspecified, net.ParseIP("fd88::1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := s.reply6(t.Context(), outer.ToBytes(), ip("fd77::9"), pool.MAC{})
	if err != nil || r == nil || !r.IsRelay() {
		t.Fatalf("reply = %v, %v", r, err)
	}
	back, err := dhcpv6.FromBytes(r.ToBytes())
	if err != nil {
		t.Fatal(err)
	}
	in, err := dhcpv6.DecapsulateRelay(back)
	if err != nil || string(in.(*dhcpv6.RelayMessage).Options.InterfaceID()) != "ge-0/0/7" {
		t.Errorf("inner envelope = %v, %v; want the interface's identifier back", in, err)
	}
	m, err := back.GetInnerMessage()
	if err != nil || !netip.MustParsePrefix("fd88::/64").Contains(ip(addr6(m))) {
		t.Errorf("offered %s, %v; want one of the relay's link", addr6(m), err)
	}
	x, ok := s.read6(outer.ToBytes(), ip("fd77::9"), mac(9))
	if !ok || x.mac != mac(8) || x.place.Circuit != "ge-0/0/7" || x.place.Relay != ip("fd88::1") {
		t.Errorf("read %+v", x)
	}
}

// Whatever is asked: no address has two owners.
func TestOneOwnerPerAddress6(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := newMemory()
		s := server6(m)
		id := dhcpv6.OptServerID(s.duid())
		kinds := []dhcpv6.MessageType{dhcpv6.MessageTypeSolicit, dhcpv6.MessageTypeRequest, dhcpv6.MessageTypeRenew, dhcpv6.MessageTypeRelease, dhcpv6.MessageTypeDecline}
		for range rapid.IntRange(1, 40).Draw(r, "messages") {
			who := mac(rapid.ByteRange(1, 6).Draw(r, "mac"))
			opts := []dhcpv6.Option{pxe6(), ia("fd77::10" + string('0'+rune(rapid.IntRange(0, 4).Draw(r, "addr"))))}
			kind := rapid.SampledFrom(kinds).Draw(r, "kind")
			if kind != dhcpv6.MessageTypeSolicit {
				opts = append(opts, id)
			}
			before := len(m.rows)
			resp := ask6(t, s, who, msg6(kind, who, opts...))
			if a := addr6(resp); a != "" && resp.MessageType == dhcpv6.MessageTypeReply && m.rows[ip(a)].MAC != who {
				r.Fatalf("%s of %s: REPLY with %s, stored %+v (%d rows before)", kind, who, a, m.rows[ip(a)], before)
			}
			owners := map[pool.MAC]int{}
			for _, l := range m.rows {
				owners[l.MAC]++
				if !l.Declined && owners[l.MAC] > 1 {
					r.Fatalf("%s has two leases", l.MAC)
				}
			}
		}
	})
}

func FuzzReply6(f *testing.F) {
	s := server6(newMemory())
	id := dhcpv6.OptServerID(s.duid())
	for _, k := range []dhcpv6.MessageType{1, 3, 4, 5, 6, 8, 9, 11} {
		for _, o := range [][]dhcpv6.Option{{ia(), pxe6()}, {ia("fd77::100"), id, pxe6()}, {http6(), class6("HTTPClient")}} {
			f.Add(msg6(k, mac(1), o...).ToBytes())
			if r, err := dhcpv6.EncapsulateRelay(msg6(k, mac(1), o...), dhcpv6.MessageTypeRelayForward, net.ParseIP("fd88::1"), linkLocal(mac(1)).AsSlice()); err == nil {
				f.Add(r.ToBytes())
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMemory(pool.Lease{MAC: mac(1), Address: ip("fd77::100"), Expires: time.Now().Add(time.Hour)})
		s := server6(m)
		if err := s.prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := s.reply6(t.Context(), b, linkLocal(mac(1)), mac(1))
		if err != nil {
			t.Fatalf("reply: %v", err)
		}
		if r == nil {
			return
		}
		back, err := dhcpv6.FromBytes(r.ToBytes())
		if err != nil {
			t.Fatalf("reply cannot be read: %v", err)
		}
		in, err := back.GetInnerMessage()
		if err != nil {
			t.Fatalf("reply has no message: %v", err)
		}
		if a := addr6(in); a != "" && !rack6().InRange(ip(a)) && ip(a) != ip("fd77::51") && !netip.MustParsePrefix("fd88::/64").Contains(ip(a)) {
			t.Errorf("gave %s", a)
		}
	})
}
