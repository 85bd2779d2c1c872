package pool

import (
	"net/netip"
	"time"
)

// Lease binds an address to a MAC. Leases are keyed by MAC, not by client
// identifier: a booting machine shows three of those (firmware, iPXE, system).
type Lease struct {
	MAC      MAC        `json:"mac"`
	Address  netip.Addr `json:"address"`
	Hostname string     `json:"hostname,omitempty"`
	Start    time.Time  `json:"start"`
	Expires  time.Time  `json:"expires"`
	// Declined addresses answered a conflict probe or were declined by a client; MAC is zero.
	Declined bool `json:"declined,omitempty"`
}

// Subnet is a network that the appliance serves.
type Subnet struct {
	Name   string        `json:"name" yaml:"name"`
	Prefix netip.Prefix  `json:"prefix" yaml:"prefix"`
	First  netip.Addr    `json:"first" yaml:"first"` // of the range
	Last   netip.Addr    `json:"last" yaml:"last"`
	Router netip.Addr    `json:"router,omitzero" yaml:"router"`
	DNS    []netip.Addr  `json:"dns,omitempty" yaml:"dns"`
	Domain string        `json:"domain,omitempty" yaml:"domain"`
	Lease  time.Duration `json:"lease" yaml:"lease"`
	// MTU of the network; 0 tells clients nothing.
	MTU     int            `json:"mtu,omitempty" yaml:"mtu"`
	Reserve map[MAC]string `json:"reserve,omitempty" yaml:"reserve"` // MAC to address
	// Discover: machines nobody knows are answered, too.
	Discover bool `json:"discover" yaml:"discover"`
}

// InRange says whether a is one of the addresses that the subnet hands out.
func (s Subnet) InRange(a netip.Addr) bool {
	return a.IsValid() && s.First.IsValid() && !a.Less(s.First) && !s.Last.Less(a)
}
