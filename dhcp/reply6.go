package dhcp

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"
	"github.com/insomniacslk/dhcp/rfc1035label"

	"appliance/pool"
)

// exchange6 is one DHCPv6 request with all that was found out about it.
type exchange6 struct {
	req    *dhcpv6.Message
	relay  *dhcpv6.RelayMessage // the outermost; nil: it came from the client itself
	mac    pool.MAC
	duid   string // hexadecimal
	client pool.Client
	net    *network
	place  pool.LeasePlace
	kept   *kept
	answer pool.BootAnswer
	now    time.Time
}

func (x *exchange6) who() client { return client{x.mac, true} }

// duid is the server's own identifier: of its link-layer address (RFC 8415, 11.4).
func (s *Server) duid() dhcpv6.DUID {
	m := s.mac6
	return &dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: m[:]}
}

// reply6 returns what a DHCPv6 packet is answered with; nil means silence. from
// is who sent it, mac the link-layer address that it came from, zero when that
// is not known. It uses no socket, so tests and the fuzzer call it directly.
func (s *Server) reply6(ctx context.Context, b []byte, from netip.Addr, mac pool.MAC) (dhcpv6.DHCPv6, error) {
	x, ok := s.read6(b, from, mac)
	if !ok {
		s.stats.malformed.Add(1)
		return nil, nil
	}
	if x.net == nil || x.net.mode.Load() == modeOff {
		s.stats.ignored.Add(1)
		return nil, nil
	}
	if id := x.req.Options.ServerID(); id != nil && !bytes.Equal(id.ToBytes(), s.duid().ToBytes()) {
		s.stats.ignored.Add(1)
		return nil, nil // for another server
	}
	a, ok, err := s.Directory.Answer(ctx, x.mac, x.client, x.net.Subnet)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", x.mac, err)
	}
	x.kept = x.net.keeps.of(x.mac, x.duid, x.place.Circuit)
	if !ok && x.kept == nil {
		s.stats.ignored.Add(1)
		return nil, nil
	}
	x.answer = a
	r, err := s.decide6(ctx, x)
	if r == nil || err != nil {
		return nil, err
	}
	x.refuseOthers(r)
	if x.relay == nil {
		return r, nil
	}
	wrapped, err := dhcpv6.NewRelayReplFromRelayForw(x.relay, r)
	if err != nil {
		return nil, fmt.Errorf("answer relay agent: %w", err)
	}
	return wrapped, nil
}

// read6 reads a packet: a client's message, in relay agents' envelopes or not.
func (s *Server) read6(b []byte, from netip.Addr, mac pool.MAC) (*exchange6, bool) {
	d, err := dhcpv6.FromBytes(b)
	if err != nil {
		return nil, false
	}
	x := &exchange6{now: s.now(), mac: mac}
	p := s.plan.Load()
	link, peer := s.Addr6, from
	for hops := 0; d.IsRelay(); hops++ {
		r, ok := d.(*dhcpv6.RelayMessage)
		if !ok || r.MessageType != dhcpv6.MessageTypeRelayForward || hops > 8 {
			return nil, false
		}
		if x.relay == nil {
			x.relay = r
		}
		link, peer = x.relayed(r, link)
		if d = r.Options.RelayMessage(); d == nil {
			return nil, false
		}
	}
	m, ok := d.(*dhcpv6.Message)
	if !ok || m.Options.ClientID() == nil && m.MessageType != dhcpv6.MessageTypeInformationRequest {
		return nil, false
	}
	x.req = m
	if id := m.Options.ClientID(); id != nil {
		x.duid = hex.EncodeToString(id.ToBytes())
		if x.mac.IsZero() {
			x.mac = macOfDUID(id)
		}
	}
	if x.mac.IsZero() {
		x.mac = macOfLinkLocal(peer)
	}
	if x.mac.IsZero() || x.mac[0]&1 == 1 {
		return nil, false // nobody's: leases belong to MACs
	}
	x.client = classify6(m)
	x.net = p.behind(link)
	return x, true
}

// relayed notes what a relay agent says of the client, and returns the link
// that it stands on and who it heard. The one next to the client, which is
// read last, has the last word.
func (x *exchange6) relayed(r *dhcpv6.RelayMessage, link netip.Addr) (netip.Addr, netip.Addr) {
	x.mac = pool.MAC{} // the frame was the relay agent's
	if a, ok := netip.AddrFromSlice(r.LinkAddr); ok && !a.IsUnspecified() && !a.IsLinkLocalUnicast() {
		link = a
	}
	x.place.Relay = link
	if id := r.Options.InterfaceID(); id != nil {
		x.place.Circuit = plainID(id)
	}
	if id := r.Options.RemoteID(); id != nil {
		x.place.Remote = plainID(id.RemoteID)
	}
	if kind, hw := r.Options.ClientLinkLayerAddress(); kind == iana.HWTypeEthernet && len(hw) == 6 {
		x.mac = pool.MAC(hw) // RFC 6939
	}
	peer, _ := netip.AddrFromSlice(r.PeerAddr)
	return link, peer
}

func macOfDUID(d dhcpv6.DUID) pool.MAC {
	var hw net.HardwareAddr
	switch d := d.(type) {
	case *dhcpv6.DUIDLLT:
		hw = d.LinkLayerAddr
	case *dhcpv6.DUIDLL:
		hw = d.LinkLayerAddr
	}
	if len(hw) != 6 {
		return pool.MAC{}
	}
	return pool.MAC(hw)
}

// macOfLinkLocal is the inverse of linkLocal; zero when a was not made of a MAC.
func macOfLinkLocal(a netip.Addr) pool.MAC {
	b := a.As16()
	if !a.Is6() || !a.IsLinkLocalUnicast() || b[11] != 0xff || b[12] != 0xfe {
		return pool.MAC{}
	}
	return pool.MAC{b[8] ^ 2, b[9], b[10], b[13], b[14], b[15]}
}

// classify6 says what the client calls itself.
func classify6(m *dhcpv6.Message) pool.Client {
	c := pool.Client{Arch: pool.ArchUnspecified, IPv6: true}
	if a := m.Options.ArchTypes(); len(a) > 0 {
		c.Arch, c.PXE = int(a[0]), true // RFC 5970, 3.3: only what netboots sends it
	}
	for _, v := range m.Options.VendorClasses() {
		for _, d := range v.Data {
			c.HTTP = c.HTTP || strings.HasPrefix(string(d), httpClass)
			c.PXE = c.PXE || strings.HasPrefix(string(d), pxeClass)
		}
	}
	c.PXE = c.PXE || c.HTTP
	for _, u := range m.Options.UserClasses() {
		c.IPXE = c.IPXE || string(u) == "iPXE"
	}
	return c
}

// decide6 answers each kind of message (RFC 8415, 18.3).
func (s *Server) decide6(ctx context.Context, x *exchange6) (*dhcpv6.Message, error) {
	mine := x.req.Options.ServerID() != nil
	switch x.req.MessageType { //nolint:exhaustive // the others are servers' and relay agents'
	case dhcpv6.MessageTypeSolicit:
		if mine {
			return nil, nil // RFC 8415, 16.2: MUST be discarded
		}
		return s.solicit(ctx, x)
	case dhcpv6.MessageTypeRequest:
		if !mine {
			return nil, nil
		}
		return s.assign(ctx, x, true)
	case dhcpv6.MessageTypeRenew:
		if !mine {
			return nil, nil
		}
		return s.assign(ctx, x, false)
	case dhcpv6.MessageTypeRebind:
		if mine {
			return nil, nil
		}
		return s.assign(ctx, x, false)
	case dhcpv6.MessageTypeConfirm:
		if mine {
			return nil, nil
		}
		return s.confirm6(x), nil
	case dhcpv6.MessageTypeRelease, dhcpv6.MessageTypeDecline:
		if !mine {
			return nil, nil
		}
		return s.giveBack(ctx, x)
	case dhcpv6.MessageTypeInformationRequest:
		if o := x.req.Options; o.OneIANA() != nil || o.OneIATA() != nil || o.OneIAPD() != nil {
			return nil, nil // RFC 8415, 16.12
		}
		r := s.respond6(x, dhcpv6.MessageTypeReply)
		s.options6(x, r)
		return r, nil
	}
	return nil, nil
}

// solicit answers with an ADVERTISE, or, where the client asked for that and
// there is an address and the lease could be stored, with the lease itself
// (rapid commit).
func (s *Server) solicit(ctx context.Context, x *exchange6) (*dhcpv6.Message, error) {
	if x.req.GetOneOption(dhcpv6.OptionRapidCommit) != nil && x.req.Options.OneIANA() != nil {
		r, err := s.assign(ctx, x, true)
		if err != nil {
			return nil, err
		}
		if r.Options.OneIANA().Options.OneAddress() != nil {
			r.AddOption(&dhcpv6.OptionGeneric{OptionCode: dhcpv6.OptionRapidCommit})
			return r, nil
		}
	}
	r := s.respond6(x, dhcpv6.MessageTypeAdvertise)
	if ia := s.served(x); ia != nil {
		addr := s.choose6(x, ia)
		if !addr.IsValid() {
			s.stats.exhausted.Add(1)
			r.AddOption(refusal(ia, iana.StatusNoAddrsAvail, "no address is free in "+x.net.Prefix.String()))
			return r, nil
		}
		r.AddOption(x.identity(ia, addr))
	}
	if netboots(x.client) {
		s.booting.note(x.mac, x.client.IPXE, x.now)
		if !x.client.IPXE {
			s.event6(x, pool.StageDiscover, netip.Addr{})
		}
	}
	s.stats.offers.Add(1)
	s.options6(x, r)
	return r, nil
}

// assign stores the lease of what was asked for. fresh: the client has none
// yet, so that it gets any; otherwise it gets what it had, or what the
// configuration gives it instead.
func (s *Server) assign(ctx context.Context, x *exchange6, fresh bool) (*dhcpv6.Message, error) {
	r := s.respond6(x, dhcpv6.MessageTypeReply)
	ia := s.served(x)
	if ia == nil {
		s.options6(x, r)
		return r, nil
	}
	l, had := s.book.lease(x.who())
	if !fresh && (!had || !x.holds(l, ia)) {
		if x.req.MessageType == dhcpv6.MessageTypeRebind {
			return nil, nil // another server may know of it
		}
		r.AddOption(refusal(ia, iana.StatusNoBinding, noLease))
		return r, nil
	}
	if x.req.MessageType == dhcpv6.MessageTypeRequest && x.elsewhere(ia.Options) {
		r.AddOption(refusal(ia, iana.StatusNotOnLink, notHere))
		return r, nil
	}
	addr := l.Address
	if fresh || !x.usable(addr, s.Addr6) {
		addr = s.choose6(x, ia)
	}
	if !addr.IsValid() {
		r.AddOption(refusal(ia, iana.StatusNoAddrsAvail, "no address is free in "+x.net.Prefix.String()))
		return r, nil
	}
	lease := pool.Lease{MAC: x.mac, Address: addr, Start: x.now, Expires: x.now.Add(x.net.lease), ClientID: x.duid,
		IAID: binary.BigEndian.Uint32(ia.IaId[:]), LeasePlace: x.place}
	if x.kept != nil {
		lease.Hostname = x.kept.Hostname
	}
	if err := s.Leases.BindAll(ctx, []pool.Lease{lease})[0]; errors.Is(err, pool.ErrConflict) {
		s.book.dropOffer(x.who())
		s.refresh(ctx, addr)
		r.AddOption(refusal(ia, iana.StatusNoAddrsAvail, "the address is taken"))
		return r, nil
	} else if err != nil {
		return nil, fmt.Errorf("bind %s to %s: %w", addr, x.mac, err) // no REPLY of a lease that is not on disk
	}
	s.book.bound(lease)
	s.stats.acks.Add(1)
	if netboots(x.client) {
		s.booting.note(x.mac, x.client.IPXE, x.now)
		stage := pool.StageLease
		if x.client.IPXE {
			stage = pool.StageIPXE
		}
		s.event6(x, stage, addr)
	} else if slices.ContainsFunc(x.req.Options.UserClasses(), func(c []byte) bool { return string(c) == AgentClass }) {
		s.event6(x, pool.StageAgentIP, addr)
	}
	r.AddOption(x.identity(ia, addr))
	s.options6(x, r)
	return r, nil
}

// usable says whether the configuration gives the client an address.
func (x *exchange6) usable(addr, server netip.Addr) bool {
	if x.kept != nil && x.kept.Address.IsValid() {
		return addr == x.kept.Address
	}
	return x.net.usable(addr, server)
}

func (s *Server) choose6(x *exchange6, ia *dhcpv6.OptIANA) netip.Addr {
	want := netip.Addr{}
	if a := ia.Options.OneAddress(); a != nil {
		want, _ = netip.AddrFromSlice(a.IPv6Addr)
	}
	if o := s.book.choose(x.net, x.who(), want, x.kept, s.Addr6, x.now); o != nil {
		return o.addr
	}
	return netip.Addr{}
}

// confirm6 says whether the client's addresses are of the link that it is on.
func (s *Server) confirm6(x *exchange6) *dhcpv6.Message {
	var all dhcpv6.IdentityOptions
	for _, ia := range x.req.Options.IANA() {
		all.Options = append(all.Options, ia.Options.Options...)
	}
	for _, ia := range x.req.Options.IATA() {
		all.Options = append(all.Options, ia.Options.Options...)
	}
	if all.OneAddress() == nil {
		return nil
	}
	r := s.respond6(x, dhcpv6.MessageTypeReply)
	if x.elsewhere(all) {
		r.AddOption(status6(iana.StatusNotOnLink, notHere))
	} else {
		r.AddOption(status6(iana.StatusSuccess, ""))
	}
	return r
}

// giveBack ends leases that are released, and sets aside what is declined. Only
// who took the lease last can: UEFI has two clients, and the one that answers
// router advertisements releases when the other, PXE's or HTTP Boot's, begins
// to fetch.
func (s *Server) giveBack(ctx context.Context, x *exchange6) (*dhcpv6.Message, error) {
	r := s.respond6(x, dhcpv6.MessageTypeReply)
	l, had := s.book.lease(x.who())
	for _, ia := range x.req.Options.IANA() {
		if !had || !x.holds(l, ia) || l.ClientID != x.duid || l.IAID != binary.BigEndian.Uint32(ia.IaId[:]) {
			r.AddOption(refusal(ia, iana.StatusNoBinding, noLease))
			continue
		}
		if x.req.MessageType == dhcpv6.MessageTypeDecline {
			s.stats.declines.Add(1)
			s.log().Warn("address declined: it is in use by somebody else", "mac", x.mac.String(), "ip", l.Address.String())
			if err := s.aside(ctx, l.Address); err != nil {
				return nil, err
			}
			continue
		}
		if err := s.release6(ctx, x, l); err != nil {
			return nil, fmt.Errorf("release %s of %s: %w", l.Address, x.mac, err)
		}
		s.stats.releases.Add(1)
	}
	r.AddOption(status6(iana.StatusSuccess, ""))
	return r, nil
}

// release6 ends a lease. That of a machine that netboots goes on until its boot
// is over: UEFI releases the address when a program takes the card over, and
// GRUB goes on fetching from it.
func (s *Server) release6(ctx context.Context, x *exchange6, l pool.Lease) error {
	if !s.Netbooting(x.mac) {
		if err := s.Leases.Unbind(ctx, x.mac, l.Address); err != nil && !errors.Is(err, pool.ErrNotFound) {
			return err
		}
		s.book.forget(l.Address)
		return nil
	}
	if end := x.now.Add(takenFor); end.Before(l.Expires) {
		l.Expires = end
	}
	if err := s.Leases.BindAll(ctx, []pool.Lease{l})[0]; err != nil {
		return err
	}
	s.book.bound(l)
	return nil
}

func (s *Server) respond6(x *exchange6, kind dhcpv6.MessageType) *dhcpv6.Message {
	r := &dhcpv6.Message{MessageType: kind, TransactionID: x.req.TransactionID}
	r.AddOption(dhcpv6.OptServerID(s.duid()))
	if id := x.req.Options.ClientID(); id != nil {
		r.AddOption(dhcpv6.OptClientID(id))
	}
	return r
}

func status6(code iana.StatusCode, text string) *dhcpv6.OptStatusCode {
	return &dhcpv6.OptStatusCode{StatusCode: code, StatusMessage: text}
}

// options6 adds the network's options, the client's own, and what to boot.
func (s *Server) options6(x *exchange6, r *dhcpv6.Message) {
	var dns []net.IP
	for _, a := range x.net.DNS {
		if a.Is6() {
			dns = append(dns, a.AsSlice())
		}
	}
	if len(dns) > 0 {
		r.AddOption(dhcpv6.OptDNS(dns...))
	}
	if x.net.Domain != "" {
		r.AddOption(dhcpv6.OptDomainSearchList(&rfc1035label.Labels{Labels: []string{x.net.Domain}}))
	}
	add := func(o pool.DHCPOptions) {
		list, _ := options6(o) // checked when they were configured
		for _, v := range list {
			r.UpdateOption(&dhcpv6.OptionGeneric{OptionCode: dhcpv6.OptionCode(v.code), OptionData: v.v})
		}
	}
	add(x.net.Subnet.Options)
	if x.kept != nil {
		add(x.kept.Options)
	}
	b := x.answer
	if !netboots(x.client) || b.File == "" {
		return
	}
	url := b.File
	if !strings.Contains(url, "://") {
		url = "tftp://[" + b.Next.String() + "]/" + url // RFC 5970, 3.1
	}
	r.UpdateOption(dhcpv6.OptBootFileURL(url)) // also in place of a configured one
	if x.client.HTTP && !x.client.IPXE {
		// UEFI takes only answers that call themselves so (UEFI 2.10, 24.7.2); 343 is Intel, which PXE's class is of.
		r.AddOption(&dhcpv6.OptVendorClass{EnterpriseNumber: 343, Data: [][]byte{[]byte(httpClass)}})
	}
}

func (s *Server) event6(x *exchange6, stage pool.BootStage, addr netip.Addr) {
	if s.Boot == nil {
		return
	}
	detail := describe(x.client) + ", IPv6"
	if duid, ok := strings.CutPrefix(x.duid, "0004"); ok { // RFC 6355: the machine's UUID
		id, _ := hex.DecodeString("00" + duid) // it was made by EncodeToString
		if u := uuidOf(&request{uuid: id}, x.client); u != "" {
			detail += ", UUID " + u
		}
	}
	if x.place.Relay.IsValid() {
		detail += ", relay " + x.place.Relay.String()
		if x.place.Circuit != "" {
			detail += " port " + x.place.Circuit
		}
	}
	s.Boot(pool.BootEvent{At: x.now, MAC: x.mac, Stage: stage, Address: addr, Detail: detail, Class: x.client.Class()})
}
