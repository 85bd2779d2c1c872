package main

import (
	"net/netip"
	"strings"
	"testing"

	"appliance/pool"
)

func TestNeighbours(t *testing.T) {
	ip := netip.MustParseAddr
	subnets := []pool.Subnet{
		{Prefix: netip.MustParsePrefix("10.0.0.0/16"), First: ip("10.0.1.0"), Last: ip("10.0.4.255"), Pools: []pool.Range{{First: ip("10.0.9.1"), Last: ip("10.0.9.10")}}},
		{Prefix: netip.MustParsePrefix("10.9.0.0/16"), First: ip("10.9.0.1"), Last: ip("10.9.9.255"), Relays: []netip.Addr{ip("10.9.0.1")}},
		{Prefix: netip.MustParsePrefix("fd00::/64"), First: ip("fd00::1"), Last: ip("fd00::ffff")},
	}
	need := mayNeighbour(subnets)
	if need != 2*(1024+10) {
		t.Errorf("mayNeighbour = %d", need)
	}
	if f := checkNeighbours(1024, need); !f.OK || !strings.Contains(f.Do, "gc_thresh3=4096") || !strings.Contains(f.Do, "more than 512 machines") {
		t.Errorf("a small table = %+v", f)
	}
	if f := checkNeighbours(4096, need); !f.OK || f.Do != "" {
		t.Errorf("a large table = %+v", f)
	}
	if f := checkNeighbours(0, need); !f.OK || !strings.Contains(f.Found, "nobody knows") {
		t.Errorf("no table = %+v", f)
	}
}

func TestWithNames(t *testing.T) {
	ip := netip.MustParseAddr
	subnets := []pool.Subnet{
		{Name: "plain", Prefix: netip.MustParsePrefix("10.0.0.0/24")},
		{Name: "own", Prefix: netip.MustParsePrefix("10.0.1.0/24"), DNS: []netip.Addr{ip("192.0.2.1")}},
		{Name: "domain", Prefix: netip.MustParsePrefix("10.0.2.0/24"), Domain: "example.org"},
		{Name: "six", Prefix: netip.MustParsePrefix("fd00::/64")},
	}
	got := withNames(subnets, dnsConfig{Zone: "rack.internal."}, ip("10.0.0.1"))
	if got[0].DNS[0] != ip("10.0.0.1") || got[0].Domain != "rack.internal" || got[1].DNS[0] != ip("192.0.2.1") || got[1].Domain != "" ||
		got[2].Domain != "example.org" || len(got[2].DNS) != 1 || len(got[3].DNS) != 0 || len(subnets[0].DNS) != 0 {
		t.Errorf("withNames = %+v", got)
	}
	for _, c := range []dnsConfig{{}, {Zone: "z", Listen: "127.0.0.1:5353"}, {Zone: "z", Listen: "10.0.0.9:53"}} {
		if got := withNames(subnets, c, ip("10.0.0.1")); len(got[0].DNS) != 0 {
			t.Errorf("withNames(%+v) = %v", c, got[0].DNS)
		}
	}
	if got := withNames(subnets, dnsConfig{Zone: "z", Listen: "0.0.0.0:53"}, ip("10.0.0.1")); len(got[0].DNS) != 1 {
		t.Errorf("all addresses = %v", got[0].DNS)
	}
}

func TestReverseTable(t *testing.T) {
	ip := netip.MustParseAddr
	a, b, c := ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3")
	got := reverseTable(map[string][]netip.Addr{"db": {a}, "1.db": {a}, "1.db.default": {a}, "db-1": {a}, "node-1": {a},
		"web": {a, b}, "2.web.shop": {b}, "node-3": {c}})
	if got[a] != "1.db.default" || got[b] != "2.web.shop" || got[c] != "node-3" {
		t.Errorf("reverseTable = %v", got)
	}
}
