package pool

import (
	"net/netip"
	"time"
)

// Lease binds an address to a MAC. Leases are keyed by MAC, not by client
// identifier: a booting machine shows three of those (firmware, iPXE, system).
// A MAC has at most one IPv4 and one IPv6 lease.
type Lease struct {
	MAC      MAC        `json:"mac"`
	Address  netip.Addr `json:"address"`
	Hostname string     `json:"hostname,omitempty"`
	Start    time.Time  `json:"start"`
	Expires  time.Time  `json:"expires"`
	// Declined addresses answered a conflict probe or were declined by a client; MAC is zero.
	Declined bool `json:"declined,omitempty"`
	// ClientID is DHCPv4's option 61 or DHCPv6's DUID, in hexadecimal.
	ClientID string `json:"clientId,omitempty"`
	// IAID is DHCPv6's identity association.
	IAID uint32 `json:"iaid,omitempty"`
	LeasePlace
}

// LeasePlace is where a client is plugged in, as its relay agent tells.
type LeasePlace struct {
	// Relay is the relay agent's address: giaddr, or DHCPv6's link-address.
	Relay netip.Addr `json:"relay,omitzero"`
	// Circuit and Remote are option 82's sub-options 1 and 2 (DHCPv6: options
	// 18 and 37): as text where they are text, in hexadecimal after "0x" where not.
	Circuit string `json:"circuit,omitempty"`
	Remote  string `json:"remote,omitempty"`
}

// LeaseState says what a lease is now.
type LeaseState string

// The states of a lease. An offered one is in memory only: an offer promises nothing.
const (
	LeaseOffered  LeaseState = "offered"
	LeaseActive   LeaseState = "active"
	LeaseExpired  LeaseState = "expired"
	LeaseDeclined LeaseState = "declined"
)

// State returns what l, which is stored, is at a time.
func (l Lease) State(now time.Time) LeaseState {
	switch {
	case !now.Before(l.Expires):
		return LeaseExpired
	case l.Declined:
		return LeaseDeclined
	}
	return LeaseActive
}

// Reservation keeps an address, options or both for one client. It is found by
// the first of MAC, client identifier and circuit that is not empty and fits.
type Reservation struct {
	MAC      MAC        `json:"mac,omitzero" yaml:"mac"`
	ClientID string     `json:"clientId,omitempty" yaml:"client_id"` // option 61 or DUID, in hexadecimal
	Circuit  string     `json:"circuit,omitempty" yaml:"circuit"`    // what LeasePlace.Circuit shows
	Address  netip.Addr `json:"address,omitzero" yaml:"address"`
	Hostname string     `json:"hostname,omitempty" yaml:"hostname"`
	// Options are sent to this client, beside and before the subnet's.
	Options DHCPOptions `json:"options,omitempty" yaml:"options"`
}

// Key names what the reservation is for: mac/…, client/… or circuit/….
func (r Reservation) Key() string {
	switch {
	case !r.MAC.IsZero():
		return "mac/" + r.MAC.String()
	case r.ClientID != "":
		return "client/" + r.ClientID
	case r.Circuit != "":
		return "circuit/" + r.Circuit
	}
	return ""
}
