package dhcp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"
	"time"

	"appliance/pool"
)

type boots map[pool.MAC]bool

func (b boots) Netbooting(m pool.MAC) bool { return b[m] }

func solicitation(m pool.MAC, from netip.Addr, opts ...byte) []byte {
	return icmp6(m, allRouters, from, allRoutersIP6, append([]byte{icmpSolicit, 0, 0, 0, 0, 0, 0, 0}, opts...))
}

func TestSolicitations(t *testing.T) {
	self := mac(100)
	link := func(m pool.MAC) []byte { return append([]byte{1, 1}, m[:]...) }
	breakIt := func(at int, v byte) []byte {
		b := bytes.Clone(solicitation(mac(1), linkLocal(mac(1))))
		b[at] = v
		return b
	}
	for _, tt := range []struct {
		name  string
		frame []byte
		want  bool
	}{
		{"netbooting", solicitation(mac(1), linkLocal(mac(1))), true},
		{"netbooting, with link-layer option", solicitation(mac(1), linkLocal(mac(1)), link(mac(1))...), true},
		{"without address", solicitation(mac(1), netip.IPv6Unspecified()), true},
		{"not netbooting", solicitation(mac(2), linkLocal(mac(2))), false},
		{"option names another", solicitation(mac(1), linkLocal(mac(1)), link(mac(2))...), false},
		{"our own", solicitation(self, linkLocal(self)), false},
		{"broken option", solicitation(mac(1), linkLocal(mac(1)), 1, 0, 0, 0, 0, 0, 0, 0), false},
		{"routed", breakIt(14+7, 64), false},
		{"checksum", breakIt(14+40+2, 0x55), false},
		{"code", breakIt(14+40+1, 1), false},
		{"truncated", solicitation(mac(1), linkLocal(mac(1)))[:60], false},
	} {
		a := &Advertiser{Boots: boots{mac(1): true, self: true}, waiting: map[pool.MAC]solicit{}}
		now := time.Now()
		a.receive(tt.frame, self, now)
		due := a.due(now)
		if _, got := due[mac(1)]; got != tt.want || len(due) > 1 {
			t.Errorf("%s: answers %v, want one: %t", tt.name, due, tt.want)
		}
	}
}

func TestSolicitationWaitsForTheOffer(t *testing.T) {
	b := boots{}
	a := &Advertiser{Boots: b, waiting: map[pool.MAC]solicit{}}
	now := time.Now()
	a.receive(solicitation(mac(1), linkLocal(mac(1))), mac(100), now)
	a.receive(solicitation(mac(2), linkLocal(mac(2))), mac(100), now)
	if d := a.due(now.Add(time.Second)); len(d) != 0 {
		t.Errorf("answered before it boots from us: %v", d)
	}
	b[mac(1)] = true
	if d := a.due(now.Add(2 * time.Second)); len(d) != 1 || d[mac(1)] != linkLocal(mac(1)) {
		t.Errorf("due %v, want the one that boots", d)
	}
	a.due(now.Add(patience + time.Second))
	if len(a.waiting) != 0 {
		t.Errorf("still waiting: %v", a.waiting)
	}
}

func TestSilentWhereARouterIs(t *testing.T) {
	a := &Advertiser{Boots: boots{mac(1): true}, waiting: map[pool.MAC]solicit{}}
	now := time.Now()
	a.receive(solicitation(mac(1), linkLocal(mac(1))), mac(100), now)
	a.receive(advert(mac(50), mac(1), linkLocal(mac(1))), mac(100), now)
	if d := a.due(now); len(d) != 0 {
		t.Errorf("answered beside a router: %v", d)
	}
	a.receive(solicitation(mac(1), linkLocal(mac(1))), mac(100), now.Add(time.Minute))
	if d := a.due(now.Add(time.Minute)); len(d) != 0 {
		t.Errorf("answered beside a router: %v", d)
	}
	late := now.Add(routerQuiet + time.Second)
	a.receive(solicitation(mac(1), linkLocal(mac(1))), mac(100), late)
	if d := a.due(late); len(d) != 1 {
		t.Error("silent long after the router was last heard")
	}
}

// The advertisement is what was measured to end iPXE's wait, and no more.
func TestAdvertisement(t *testing.T) {
	b := advert(mac(100), mac(1), linkLocal(mac(1)))
	f, ok := parseND(b)
	if !ok || f.kind != icmpAdvert || f.ip != linkLocal(mac(100)) || pool.MAC(b[:6]) != mac(1) {
		t.Fatalf("%x reads as %+v, %t", b, f, ok)
	}
	if len(b) != 14+40+16 {
		t.Errorf("%d bytes, want 70", len(b))
	}
	body := b[14+40:]
	if lifetime := binary.BigEndian.Uint16(body[6:]); lifetime != 0 || body[5] != 0 {
		t.Errorf("lifetime %d, flags %x: it makes itself a router", lifetime, body[5])
	}
	if to := netip.AddrFrom16([16]byte(b[38:54])); to != linkLocal(mac(1)) {
		t.Errorf("to %s, want unicast", to)
	}
}

func advertised() []pool.Subnet {
	n := rack6()
	n.MTU = 1500
	n.Advertise = &pool.Advertise{Managed: true, Other: true, Autonomous: true, Router: 30 * time.Minute}
	return []pool.Subnet{n}
}

func TestAdvertisedNetwork(t *testing.T) {
	b := advertisement(advertised(), mac(9), 1500)
	want := "8600000040c0070800000000000000000101525400000009" + // M, O, 1800 s; source link-layer address
		"05010000000005dc" + // MTU 1500
		"030440c00001518000003840" + "00000000" + "fd770000000000000000000000000000" + // prefix: on-link, autonomous
		"1903000000000258" + "fd770000000000000000000000000001" + // DNS server, IPv6 only
		"1f03000000000258" + "047261636b076578616d706c65000000"[:32]
	if got := hex.EncodeToString(b); got != want {
		t.Errorf("advertisement\n%s, want\n%s", got, want)
	}
	if b := advertisement(nil, mac(9), 1500); b[6] != 0 || b[7] != 0 {
		t.Errorf("farewell %x has a router lifetime", b)
	}
}

func FuzzRA(f *testing.F) {
	for _, b := range [][]byte{advertisement(advertised(), mac(1), 1500), {icmpSolicit, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x52, 0x54, 0, 0, 0, 1}, {icmpAdvert}} {
		f.Add(icmp6(mac(1), allRouters, linkLocal(mac(1)), allRoutersIP6, append(make([]byte, 0, 300), append(b, make([]byte, 8)...)...)))
	}
	f.Add(advert(mac(1), mac(2), linkLocal(mac(2))))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := &Advertiser{Boots: boots{mac(1): true}, waiting: map[pool.MAC]solicit{}}
		now := time.Now()
		a.receive(b, mac(9), now)
		if len(a.waiting) > 0 && now.Before(a.router) {
			t.Error("it waits beside a router")
		}
		for m, ip := range a.due(now) {
			if m.IsZero() || m[0]&1 == 1 || ip.IsMulticast() {
				t.Errorf("would answer %s at %s", m, ip)
			}
			if f, ok := parseND(advert(mac(9), m, ip)); !ok || f.kind != icmpAdvert {
				t.Errorf("answer to %s is no advertisement", m)
			}
		}
	})
}
