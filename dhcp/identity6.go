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

// What clients are told beside a status code.
const (
	noLease = "no lease of yours is known here"
	notHere = "an address is of another network"
)

// refusal answers an identity association that gets no address.
func refusal(ia *dhcpv6.OptIANA, code iana.StatusCode, text string) *dhcpv6.OptIANA {
	return &dhcpv6.OptIANA{IaId: ia.IaId, Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{status6(code, text)}}}
}

// refuseOthers answers the identity associations beside the one that r serves:
// each is answered (RFC 8415, 18.3); a machine has one address, and prefixes are
// delegated to nobody. Of a REBIND another server may know more.
func (x *exchange6) refuseOthers(r *dhcpv6.Message) {
	address, prefix := status6(iana.StatusNoAddrsAvail, "a machine has one address"), status6(iana.StatusNoPrefixAvail, "no prefixes are delegated here")
	others := x.req.Options.IANA()
	switch x.req.MessageType {
	case dhcpv6.MessageTypeSolicit, dhcpv6.MessageTypeRequest:
	case dhcpv6.MessageTypeRelease, dhcpv6.MessageTypeDecline:
		others = nil // giveBack has answered them
		fallthrough
	case dhcpv6.MessageTypeRenew:
		address = status6(iana.StatusNoBinding, noLease)
		prefix = address
	default:
		return
	}
	answered := r.Options.IANA()
	for _, ia := range others {
		if !slices.ContainsFunc(answered, func(a *dhcpv6.OptIANA) bool { return a.IaId == ia.IaId }) {
			r.AddOption(refusal(ia, address.StatusCode, address.StatusMessage))
		}
	}
	for _, ia := range x.req.Options.IATA() {
		r.AddOption(&dhcpv6.OptIATA{IaId: ia.IaId, Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{address}}})
	}
	for _, ia := range x.req.Options.IAPD() {
		r.AddOption(&dhcpv6.OptIAPD{IaId: ia.IaId, Options: dhcpv6.PDOptions{Options: dhcpv6.Options{prefix}}})
	}
}

// elsewhere says whether one of the addresses is of another link than the client's.
func (x *exchange6) elsewhere(o dhcpv6.IdentityOptions) bool {
	return slices.ContainsFunc(o.Addresses(), func(a *dhcpv6.OptIAAddress) bool {
		got, ok := netip.AddrFromSlice(a.IPv6Addr)
		return !ok || !x.net.Prefix.Contains(got)
	})
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

// identity is the association of an address, with its times. What else the
// client renews ends now (RFC 8415, 18.3.4).
func (x *exchange6) identity(ia *dhcpv6.OptIANA, addr netip.Addr) *dhcpv6.OptIANA {
	t := x.net.lease
	r := &dhcpv6.OptIANA{IaId: ia.IaId, T1: t / 2, T2: t * 4 / 5, Options: dhcpv6.IdentityOptions{Options: dhcpv6.Options{
		&dhcpv6.OptIAAddress{IPv6Addr: addr.AsSlice(), PreferredLifetime: t, ValidLifetime: t}}}}
	if x.req.MessageType != dhcpv6.MessageTypeRenew && x.req.MessageType != dhcpv6.MessageTypeRebind {
		return r
	}
	for _, a := range ia.Options.Addresses() {
		if got, ok := netip.AddrFromSlice(a.IPv6Addr); ok && got != addr {
			r.Options.Add(&dhcpv6.OptIAAddress{IPv6Addr: a.IPv6Addr})
		}
	}
	return r
}
