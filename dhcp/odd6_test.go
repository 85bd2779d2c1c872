package dhcp

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"

	"appliance/pool"
)

// told says what a message tells of each identity association, in short.
func told(m *dhcpv6.Message) string {
	if m == nil {
		return "silence"
	}
	words := []string{m.MessageType.String()}
	if m.GetOneOption(dhcpv6.OptionRapidCommit) != nil {
		words = append(words, "rapid")
	}
	if st := m.Options.Status(); st != nil {
		words = append(words, st.StatusCode.String())
	}
	association := func(kind string, id [4]byte, st *dhcpv6.OptStatusCode, addrs []*dhcpv6.OptIAAddress) {
		w := fmt.Sprintf("%s%d", kind, id[3])
		if st != nil {
			w += "=" + st.StatusCode.String()
		}
		for _, a := range addrs {
			w += "=" + a.IPv6Addr.String()
			if a.ValidLifetime == 0 && a.PreferredLifetime == 0 {
				w += "(0)"
			}
		}
		words = append(words, w)
	}
	for _, x := range m.Options.IANA() {
		association("na", x.IaId, x.Options.Status(), x.Options.Addresses())
	}
	for _, x := range m.Options.IATA() {
		association("ta", x.IaId, x.Options.Status(), x.Options.Addresses())
	}
	for _, x := range m.Options.IAPD() {
		association("pd", x.IaId, x.Options.Status(), nil)
	}
	return strings.Join(words, " ")
}

// TestOddMessages6: what firmware does not send, answered as RFC 8415 has it.
// Machine 1 has fd77::100, machine 7 nothing.
func TestOddMessages6(t *testing.T) {
	const (
		solicit = dhcpv6.MessageTypeSolicit
		request = dhcpv6.MessageTypeRequest
		renew   = dhcpv6.MessageTypeRenew
		rebind  = dhcpv6.MessageTypeRebind
		confirm = dhcpv6.MessageTypeConfirm
		release = dhcpv6.MessageTypeRelease
		decline = dhcpv6.MessageTypeDecline
		inform  = dhcpv6.MessageTypeInformationRequest
	)
	rapid := dhcpv6.Option(&dhcpv6.OptionGeneric{OptionCode: dhcpv6.OptionRapidCommit})
	pd := dhcpv6.Option(&dhcpv6.OptIAPD{IaId: [4]byte{0, 0, 0, 9}})
	ta := func(addrs ...string) dhcpv6.Option {
		return &dhcpv6.OptIATA{IaId: [4]byte{0, 0, 0, 5}, Options: ia(addrs...).Options}
	}
	other := dhcpv6.Option(dhcpv6.OptServerID(&dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}))
	url := dhcpv6.OptRequestedOption(dhcpv6.OptionBootfileURL)
	for _, tt := range []struct {
		name string
		who  byte
		kind dhcpv6.MessageType
		ours bool // with our server identifier
		opts []dhcpv6.Option
		want string
	}{
		// 18.3.1, 18.3.9
		{"rapid commit", 1, solicit, false, []dhcpv6.Option{rapid, ia()}, "REPLY rapid na7=fd77::100"},
		{"rapid commit without an address to give", 1, solicit, false, []dhcpv6.Option{rapid, pd}, "ADVERTISE pd9=NoPrefixAvail"},
		{"a hint of another link", 1, solicit, false, []dhcpv6.Option{ia("fd99::1")}, "ADVERTISE na7=fd77::100"},
		{"prefix and address", 1, solicit, false, []dhcpv6.Option{ia(), pd}, "ADVERTISE na7=fd77::100 pd9=NoPrefixAvail"},
		{"temporary address", 1, solicit, false, []dhcpv6.Option{ia(), ta()}, "ADVERTISE na7=fd77::100 ta5=NoAddrsAvail"},
		// 18.3.2
		{"prefix and address", 1, request, true, []dhcpv6.Option{ia("fd77::100"), pd}, "REPLY na7=fd77::100 pd9=NoPrefixAvail"},
		{"prefix alone", 1, request, true, []dhcpv6.Option{pd}, "REPLY pd9=NoPrefixAvail"},
		{"address of another link", 1, request, true, []dhcpv6.Option{ia("fd99::1")}, "REPLY na7=NotOnLink"},
		// 18.3.3, 16.5
		{"address of the link", 1, confirm, false, []dhcpv6.Option{ia("fd77::100")}, "REPLY Success"},
		{"temporary address of another link", 1, confirm, false, []dhcpv6.Option{ia("fd77::100"), ta("fd99::1")}, "REPLY NotOnLink"},
		{"no address", 1, confirm, false, []dhcpv6.Option{ia()}, "silence"},
		{"to a server", 1, confirm, true, []dhcpv6.Option{ia("fd77::100")}, "silence"},
		// 18.3.4
		{"more than there is", 1, renew, true, []dhcpv6.Option{ia("fd99::1", "fd77::100"), pd}, "REPLY na7=fd77::100=fd99::1(0) pd9=NoBinding"},
		{"nothing known", 7, renew, true, []dhcpv6.Option{ia("fd77::101")}, "REPLY na7=NoBinding"},
		// 18.3.5
		{"more than there is", 1, rebind, false, []dhcpv6.Option{ia("fd77::100", "fd77::1f0")}, "REPLY na7=fd77::100=fd77::1f0(0)"},
		{"another server's lease", 7, rebind, false, []dhcpv6.Option{ia("fd77::101")}, "silence"},
		{"to another server", 1, rebind, false, []dhcpv6.Option{ia("fd77::100"), other}, "silence"},
		// 18.3.6, 16.12
		{"boot file asked for", 1, inform, false, []dhcpv6.Option{url}, "REPLY"},
		{"to us", 1, inform, true, []dhcpv6.Option{url}, "REPLY"},
		{"to another server", 1, inform, false, []dhcpv6.Option{url, other}, "silence"},
		{"with a prefix", 1, inform, false, []dhcpv6.Option{url, pd}, "silence"},
		{"with a temporary address", 1, inform, false, []dhcpv6.Option{url, ta()}, "silence"},
		// 18.3.7, 18.3.8
		{"another's address", 7, release, true, []dhcpv6.Option{ia("fd77::100")}, "REPLY Success na7=NoBinding"},
		{"address and prefix", 1, release, true, []dhcpv6.Option{ia("fd77::100"), pd}, "REPLY Success pd9=NoBinding"},
		{"another's address", 7, decline, true, []dhcpv6.Option{ia("fd77::100")}, "REPLY Success na7=NoBinding"},
		{"address and prefix", 1, decline, true, []dhcpv6.Option{ia("fd77::100"), pd}, "REPLY Success pd9=NoBinding"},
	} {
		s := server6(newMemory())
		id := dhcpv6.OptServerID(s.duid())
		ask6(t, s, mac(1), msg6(request, mac(1), id, ia("fd77::100"), pxe6()))
		m := msg6(tt.kind, mac(tt.who), append(tt.opts, pxe6())...)
		if tt.ours {
			m.AddOption(id)
		}
		r := ask6(t, s, mac(tt.who), m)
		if got := told(r); got != tt.want {
			t.Errorf("%s, %s: %s, want %s", tt.kind, tt.name, got, tt.want)
		}
		if u := "tftp://[fd77::1]/snponly.efi"; tt.kind == inform && r != nil && r.Options.BootFileURL() != u {
			t.Errorf("%s, %s: boot file %q, want %s", tt.kind, tt.name, r.Options.BootFileURL(), u)
		}
	}
}

// TestRapidCommitExhausted6: without a free address there is nothing to commit to.
func TestRapidCommitExhausted6(t *testing.T) {
	s := server6(newMemory())
	id := dhcpv6.OptServerID(s.duid())
	for n := byte(1); n <= 4; n++ {
		ask6(t, s, mac(n), msg6(dhcpv6.MessageTypeRequest, mac(n), id, ia(), pxe6()))
	}
	m := msg6(dhcpv6.MessageTypeSolicit, mac(5), ia(), pxe6(), &dhcpv6.OptionGeneric{OptionCode: dhcpv6.OptionRapidCommit})
	if got, want := told(ask6(t, s, mac(5), m)), "ADVERTISE na7=NoAddrsAvail"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestRenumbered6: a machine that renews what the configuration gives it no
// more gets what it gives instead, and what it had ends.
func TestRenumbered6(t *testing.T) {
	leases := newMemory()
	s := server6(leases)
	id := dhcpv6.OptServerID(s.duid())
	ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeRequest, mac(1), id, ia("fd77::100"), pxe6()))
	n := rack6()
	n.Reservations = []pool.Reservation{{MAC: mac(1), Address: ip("fd77::50")}}
	if err := s.Configure(t.Context(), []pool.Subnet{rack(), n}, nil); err != nil {
		t.Fatal(err)
	}
	r := ask6(t, s, mac(1), msg6(dhcpv6.MessageTypeRenew, mac(1), id, ia("fd77::100"), pxe6()))
	if got, want := told(r), "REPLY na7=fd77::50=fd77::100(0)"; got != want {
		t.Errorf("RENEW: %s, want %s", got, want)
	}
	if l := leases.rows[ip("fd77::50")]; l.MAC != mac(1) || len(leases.rows) != 1 {
		t.Errorf("stored %+v, want the new address alone", leases.rows)
	}
}

// TestTwoClients6: OVMF's client for router advertisements and its PXE client have
// identity associations of their own, and get one address. What the first
// releases, as PXE begins to fetch, is the second's by then.
func TestTwoClients6(t *testing.T) {
	leases := newMemory()
	s := server6(leases)
	id := dhcpv6.OptServerID(s.duid())
	first, pxe := ia("fd77::100"), ia("fd77::100")
	first.IaId = [4]byte{0xfe, 0x4d, 0xd5, 0xf3}
	ask6(t, s, mac(7), msg6(dhcpv6.MessageTypeRequest, mac(7), id, first))
	ask6(t, s, mac(7), msg6(dhcpv6.MessageTypeRequest, mac(7), id, pxe, pxe6()))
	for _, kind := range []dhcpv6.MessageType{dhcpv6.MessageTypeRelease, dhcpv6.MessageTypeDecline} {
		r := ask6(t, s, mac(7), msg6(kind, mac(7), id, first))
		if got, want := told(r), "REPLY Success na243=NoBinding"; got != want {
			t.Errorf("%s of the first: %s, want %s", kind, got, want)
		}
		if l := leases.rows[ip("fd77::100")]; l.MAC != mac(7) || l.Declined {
			t.Errorf("%s of the first: stored %+v, want PXE's lease", kind, leases.rows)
		}
	}
	if r := ask6(t, s, mac(7), msg6(dhcpv6.MessageTypeRelease, mac(7), id, pxe)); told(r) != "REPLY Success" || leases.rows[ip("fd77::100")].MAC != mac(7) {
		t.Errorf("RELEASE of PXE: %s, stored %+v, want that GRUB can go on", told(r), leases.rows)
	}
}

// TestUnicast6: no client is told that it may send to the server alone.
func TestUnicast6(t *testing.T) {
	m := msg6(dhcpv6.MessageTypeSolicit, mac(1), ia(), pxe6()).ToBytes()
	for to, want := range map[netip.Addr]bool{allServers6: true, ip("fd77::1"): false} {
		b := make([]byte, 48, 48+len(m))
		b[0], b[6], b[7] = 0x60, 17, 64
		copy(b[8:], linkLocal(mac(1)).AsSlice())
		copy(b[24:], to.AsSlice())
		binary.BigEndian.PutUint16(b[40:], clientPort6)
		binary.BigEndian.PutUint16(b[42:], serverPort6)
		binary.BigEndian.PutUint16(b[44:], uint16(8+len(m)))
		if _, _, _, ok := frame6(ethernet(mac(77), mac(1), etherIPv6, append(b, m...))); ok != want {
			t.Errorf("a message to %s is read: %t, want %t", to, ok, want)
		}
	}
}

// TestRelays6: how deep a client may stand behind relay agents, who it is then,
// and what its port gets it.
func TestRelays6(t *testing.T) {
	const privacy = "fe80::1234:5678:9abc:def0" // tells no MAC
	for _, tt := range []struct {
		name   string
		peer   string
		agents int
		port   string
		mac    *pool.MAC // the client's, by option 79
		want   string    // told; empty: silence
	}{
		{"link-local address", linkLocal(mac(1)).String(), 1, "port-1", nil, "ADVERTISE na7=fd77::10"},
		{"option 79", privacy, 1, "port-1", new(mac(1)), "ADVERTISE na7=fd77::10"},
		{"nothing that tells a MAC", privacy, 1, "port-1", nil, "silence"},
		{"reserved port", linkLocal(mac(1)).String(), 1, "port-9", nil, "ADVERTISE na7=fd77::51"},
		{"nine relay agents", linkLocal(mac(1)).String(), 9, "port-9", nil, "ADVERTISE na7=fd77::51"},
		{"ten relay agents", linkLocal(mac(1)).String(), 10, "port-9", nil, "silence"},
	} {
		var d dhcpv6.DHCPv6 = msg6(dhcpv6.MessageTypeSolicit, mac(1), ia(), pxe6())
		link, peer := net.ParseIP("fd77::9"), net.ParseIP(tt.peer)
		for n := range tt.agents {
			r, err := dhcpv6.EncapsulateRelay(d, dhcpv6.MessageTypeRelayForward, link, peer)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				r.AddOption(dhcpv6.OptInterfaceID([]byte(tt.port)))
				if tt.mac != nil {
					r.AddOption(dhcpv6.OptClientLinkLayerAddress(iana.HWTypeEthernet, tt.mac[:]))
				}
			}
			d, link, peer = r, net.IPv6unspecified, net.ParseIP("fd77::9")
		}
		if got := told(ask6(t, server6(newMemory()), pool.MAC{}, d)); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
