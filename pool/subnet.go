package pool

import (
	"net/netip"
	"time"
)

// SubnetMode says what the appliance is on a network.
type SubnetMode string

// The modes of a subnet. The empty mode is SubnetAuto.
const (
	// SubnetServer: it gives addresses, whoever else does.
	SubnetServer SubnetMode = "server"
	// SubnetProxy: another server gives addresses, this one says what to boot (PXE 2.1, proxyDHCP).
	SubnetProxy SubnetMode = "proxy"
	// SubnetOff: it says nothing.
	SubnetOff SubnetMode = "off"
	// SubnetAuto: proxy where another server answers when the subnet is enabled, else server.
	SubnetAuto SubnetMode = "auto"
)

// Range is a run of addresses, both ends included.
type Range struct {
	First netip.Addr `json:"first" yaml:"first"`
	Last  netip.Addr `json:"last" yaml:"last"`
}

// Contains says whether a is in r.
func (r Range) Contains(a netip.Addr) bool {
	return a.IsValid() && r.First.IsValid() && !a.Less(r.First) && !r.Last.Less(a)
}

// DHCPOptions are further options by code. A value says its type: "ip:10.0.0.1,10.0.0.2",
// "text:…", "u8:1", "u16:1500", "u32:3600", "hex:0a0b".
type DHCPOptions map[uint16]string

// Subnet is a network that the appliance serves, of IPv4 or of IPv6.
type Subnet struct {
	Name   string        `json:"name" yaml:"name"`
	Mode   SubnetMode    `json:"mode,omitempty" yaml:"mode"`
	Prefix netip.Prefix  `json:"prefix" yaml:"prefix"`
	First  netip.Addr    `json:"first,omitzero" yaml:"first"` // of the range
	Last   netip.Addr    `json:"last,omitzero" yaml:"last"`
	Router netip.Addr    `json:"router,omitzero" yaml:"router"`
	DNS    []netip.Addr  `json:"dns,omitempty" yaml:"dns"`
	Domain string        `json:"domain,omitempty" yaml:"domain"`
	Lease  time.Duration `json:"lease" yaml:"lease"`
	// MTU of the network; 0 tells clients nothing.
	MTU     int            `json:"mtu,omitempty" yaml:"mtu"`
	Reserve map[MAC]string `json:"reserve,omitempty" yaml:"reserve"` // MAC to address
	// Discover: machines nobody knows are answered, too.
	Discover bool `json:"discover" yaml:"discover"`

	// Pools are further ranges, Exclude what is never handed out of any.
	Pools        []Range       `json:"pools,omitempty" yaml:"pools"`
	Exclude      []Range       `json:"exclude,omitempty" yaml:"exclude"`
	Reservations []Reservation `json:"reservations,omitempty" yaml:"reservations"`
	Options      DHCPOptions   `json:"options,omitempty" yaml:"options"`
	// Relays are addresses of relay agents, beside those in Prefix, that stand for this subnet.
	Relays []netip.Addr `json:"relays,omitempty" yaml:"relays"`
	// NoProbe leaves out the conflict probe of fresh addresses.
	NoProbe bool `json:"noProbe,omitempty" yaml:"no_probe"`
	// Advertise sends router advertisements on the interface (IPv6 only); nil sends none.
	Advertise *Advertise `json:"advertise,omitempty" yaml:"advertise"`
}

// Advertise says what router advertisements (RFC 4861) of a subnet hold.
type Advertise struct {
	// Managed and Other are the M and O flags: addresses, or only the rest, come by DHCPv6.
	Managed bool `json:"managed,omitempty" yaml:"managed"`
	Other   bool `json:"other,omitempty" yaml:"other"`
	// Autonomous lets hosts make addresses of the prefix themselves (SLAAC).
	Autonomous bool `json:"autonomous,omitempty" yaml:"autonomous"`
	// Router makes the appliance the default router for so long; 0 makes it none.
	Router time.Duration `json:"router,omitempty" yaml:"router"`
	// Every is how often unasked advertisements are sent; 0 means every 200 seconds.
	Every time.Duration `json:"every,omitempty" yaml:"every"`
}

// InRange says whether a is one of the addresses that the subnet hands out.
func (s Subnet) InRange(a netip.Addr) bool {
	in := Range{s.First, s.Last}.Contains(a)
	for _, r := range s.Pools {
		in = in || r.Contains(a)
	}
	for _, r := range s.Exclude {
		in = in && !r.Contains(a)
	}
	return in
}

// Ranges returns the ranges that the subnet hands out of, before Exclude.
func (s Subnet) Ranges() []Range {
	var out []Range
	if s.First.IsValid() && s.Last.IsValid() {
		out = append(out, Range{s.First, s.Last})
	}
	return append(out, s.Pools...)
}
