package dhcp

import (
	"net/netip"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// onWire returns the frame of a message between ports.
func onWire(d *dhcpv4.DHCPv4, src, dst uint16) []byte {
	all := ip("255.255.255.255")
	return ethernet(broadcastMAC, mac(9), etherIPv4, udp4(netip.AddrPortFrom(ip("10.77.0.9"), src), netip.AddrPortFrom(all, dst), d.ToBytes()))
}

func TestOtherServer(t *testing.T) {
	s := newServer(newMemory())
	offer := func(kind dhcpv4.MessageType, id string, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
		d, err := dhcpv4.New(append(mods, dhcpv4.WithMessageType(kind), dhcpv4.WithHwAddr(make([]byte, 6)), from(id))...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, tt := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"OFFER", onWire(offer(dhcpv4.MessageTypeOffer, "10.77.0.9"), 67, 68), "10.77.0.9"},
		{"ACK", onWire(offer(dhcpv4.MessageTypeAck, "10.77.0.9"), 67, 68), "10.77.0.9"},
		{"client takes its offer", onWire(offer(dhcpv4.MessageTypeRequest, "10.77.0.9"), 68, 67), "10.77.0.9"},
		{"our own", onWire(offer(dhcpv4.MessageTypeOffer, "10.77.0.1"), 67, 68), ""},
		{"NAK", onWire(offer(dhcpv4.MessageTypeNak, "10.77.0.9"), 67, 68), ""},
		{"of another wire", onWire(offer(dhcpv4.MessageTypeRequest, "10.77.0.9", relayed("10.88.0.1")), 67, 67), ""},
		{"other port", onWire(offer(dhcpv4.MessageTypeOffer, "10.77.0.9"), 67, 69), ""},
		{"truncated", onWire(offer(dhcpv4.MessageTypeOffer, "10.77.0.9"), 67, 68)[:100], ""},
		{"empty", nil, ""},
	} {
		got, ok := s.see(tt.frame)
		if ok != (tt.want != "") || ok && got.addr != ip(tt.want) {
			t.Errorf("%s: %v, %t; want %q", tt.name, got, ok, tt.want)
		}
	}
}

func TestOwnProbeIsNeverAnswered(t *testing.T) {
	s := newServer(newMemory())
	s.foreign.start()
	m := s.foreign.probe
	if m[0]&3 != 2 {
		t.Errorf("probe address %s is not locally administered, or a group", m)
	}
	s.Directory = table{known: map[pool.MAC]bool{m: true}} // even if it were a machine
	if r := ask(t, s, dhcpv4.MessageTypeDiscover, m, bios); r != nil {
		t.Errorf("own probe answered: %s", r.Summary())
	}
}

func FuzzFrames(f *testing.F) {
	d, err := dhcpv4.New(dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer), from("10.77.0.9"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(onWire(d, 67, 68))
	f.Add(ethernet(broadcastMAC, mac(1), etherARP, arpQuestion(mac(1), ip("10.77.0.1"), ip("10.77.0.9"))))
	f.Add(icmp6(mac(1), allRouters, linkLocal(mac(1)), allRoutersIP6, []byte{icmpSolicit, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x52, 0x54, 0, 0, 0, 1}))
	f.Add(advert(mac(1), mac(2), linkLocal(mac(2))))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newServer(newMemory())
		if g, ok := s.see(b); ok && (g.addr.IsUnspecified() || g.addr == s.Addr) {
			t.Errorf("other server %s", g.addr)
		}
		if _, m, ok := arpUser(b); ok && len(b) < 42 {
			t.Errorf("short ARP of %s", m)
		}
		if n, ok := parseND(b); ok && (n.mac.IsZero() || n.mac[0]&1 == 1) {
			t.Errorf("solicitation of %s", n.mac)
		}
	})
}
