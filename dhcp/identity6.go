package dhcp

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"

	"appliance/pool"
)

// served is the identity association that is given the machine's one address:
// the one that has it, or else the first; nil when none is asked for.
func (s *Server) served(x *exchange6) *dhcpv6.OptIANA {
	all := x.req.Options.IANA()
	if l, had := s.book.lease(x.who()); had {
		for _, ia := range all {
			if binary.BigEndian.Uint32(ia.IaId[:]) == l.IAID {
				return ia
			}
		}
	}
	return x.req.Options.OneIANA()
}

// refuseOthers answers the identity associations beside the one that r serves:
// each is answered (RFC 8415, 18.3), and a machine has one address. Of a REBIND
// another server may know more.
func (x *exchange6) refuseOthers(r *dhcpv6.Message) {
	status := status6(iana.StatusNoAddrsAvail, "a machine has one address")
	switch x.req.MessageType {
	case dhcpv6.MessageTypeSolicit, dhcpv6.MessageTypeRequest:
	case dhcpv6.MessageTypeRenew:
		status = status6(iana.StatusNoBinding, "no lease of yours is known here")
	default:
		return
	}
	answered := r.Options.IANA()
	if len(answered) == 0 {
		return // none has an address
	}
	for _, ia := range x.req.Options.IANA() {
		if !slices.ContainsFunc(answered, func(a *dhcpv6.OptIANA) bool { return a.IaId == ia.IaId }) {
			r.AddOption(&dhcpv6.OptIANA{IaId: ia.IaId, Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{status}}})
		}
	}
}

// holds says whether a lease is what the client renews.
func (x *exchange6) holds(l pool.Lease, ia *dhcpv6.OptIANA) bool {
	for _, a := range ia.Options.Addresses() {
		if got, ok := netip.AddrFromSlice(a.IPv6Addr); ok && got == l.Address {
			return true
		}
	}
	return false
}

// identity is the association of an address, with its times.
func (x *exchange6) identity(id [4]byte, addr netip.Addr) *dhcpv6.OptIANA {
	t := x.net.lease
	return &dhcpv6.OptIANA{IaId: id, T1: t / 2, T2: t * 4 / 5, Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{
		&dhcpv6.OptIAAddress{IPv6Addr: addr.AsSlice(), PreferredLifetime: t, ValidLifetime: t}}}}
}
