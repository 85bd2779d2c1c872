package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"appliance/pool"
)

// decide says what a request is answered with. It touches no socket and waits
// for nothing but the Directory, so tests and the fuzzer call it directly.
func (s *Server) decide(ctx context.Context, x *exchange) (verdict, error) {
	r := &x.req
	if s.foreign.own(r.mac) {
		return silence, nil // the detector's own DISCOVER
	}
	if r.kind == msgDiscover && r.mark {
		x.server = s.Addr
		return s.greet(x), nil
	}
	if !s.locate(x) {
		return s.ignore(), nil
	}
	switch x.net.mode.Load() {
	case modeOff:
		return s.ignore(), nil
	case modeProxy:
		return s.proxyDecide(ctx, x)
	case modeUndecided:
		if r.kind != msgInform && !s.renewsOwn(x) {
			s.stats.foreign.Add(1)
			if other, heard := s.foreign.giver(); heard && r.kind == msgDiscover {
				s.note(x, pool.CodeForeign, other.String())
			}
			return silence, nil
		}
	}
	if x.proxy {
		return s.bootServer(ctx, x) // a client may ask there although it has all
	}
	switch r.kind {
	case msgRelease:
		return silence, s.release(ctx, x)
	case msgDecline:
		return silence, s.decline(ctx, x)
	case msgRequest:
		if r.server.IsValid() && r.server != x.server && r.server != s.Addr {
			s.note(x, pool.CodeElsewhere, r.server.String())
			s.book.dropOffer(x.who()) // the client took another server's offer (RFC 2131, 4.3.2)
			return s.ignore(), nil
		}
	}
	if ok, err := s.known(ctx, x); !ok || err != nil {
		return silence, err
	}
	switch r.kind {
	case msgDiscover:
		return s.discover(ctx, x)
	case msgRequest:
		return s.request(ctx, x)
	}
	if r.ci.IsUnspecified() {
		return s.ignore(), nil // nowhere to send it
	}
	s.stats.acks.Add(1)
	x.inform()
	return answer, nil
}

func (s *Server) ignore() verdict {
	s.stats.ignored.Add(1)
	return silence
}

// known asks the Directory; false when the client is not to be answered.
func (s *Server) known(ctx context.Context, x *exchange) (bool, error) {
	x.kept = x.reservation()
	a, ok, err := s.Directory.Answer(ctx, x.req.mac, x.client, x.net.Subnet)
	if err != nil {
		return false, fmt.Errorf("look up %s: %w", x.req.mac, err)
	}
	if !ok && x.kept == nil {
		s.stats.ignored.Add(1)
		return false, nil
	}
	x.answer = a
	return true, nil
}

// locate finds the network that the client is on: the relay agent's (RFC
// 2131, 4.3.1, and its link selection, RFC 3527), that of the address it
// renews, or the interface's own. It also says which server this one is to
// the client (RFC 5107).
func (s *Server) locate(x *exchange) bool {
	p, r := s.plan.Load(), &x.req
	x.server = s.Addr
	if r.relayed() {
		if r.override.IsValid() && !r.override.IsUnspecified() {
			x.server = r.override
		}
		if r.selection.IsValid() {
			x.net = p.find(r.selection)
		} else {
			x.net = p.behind(r.gi)
		}
		return x.net != nil
	}
	x.local, x.direct = true, x.dst == s.Addr
	x.net = p.find(s.Addr)
	if !r.ci.IsUnspecified() && x.direct {
		x.local = x.net != nil && x.net.Prefix.Contains(r.ci)
		x.net = p.find(r.ci)
	}
	return x.net != nil
}

// renewsOwn says whether x renews a lease that this server gave and that
// still runs. To refuse that would take a running machine off the network.
func (s *Server) renewsOwn(x *exchange) bool {
	l, ok := s.book.lease(x.who())
	return x.req.kind == msgRequest && x.direct && ok && l.Address == x.req.ci && x.now.Before(l.Expires)
}

// discover answers a DHCPDISCOVER with an OFFER, held in memory only, once
// nobody else answers for its address; see prober.
func (s *Server) discover(ctx context.Context, x *exchange) (verdict, error) {
	for ; x.tries < 4; x.tries++ { // squatted addresses at a time that one client may meet
		o := s.book.choose(x.net, x.who(), x.req.want, x.kept, x.server, x.now)
		if o == nil {
			s.stats.exhausted.Add(1)
			why := "subnet " + x.net.Prefix.String() + " has no free address"
			if x.kept != nil && x.kept.Address.IsValid() {
				why = "address " + x.kept.Address.String() + ", reserved for it, is in use: release its lease"
			}
			s.note(x, pool.CodeFull, why)
			return silence, fmt.Errorf("%w: %s", pool.ErrUnavailable, why)
		}
		switch s.prober.check(x, o) {
		case probeClear:
			s.offered(x, o.addr)
			return answer, nil
		case probeUsed:
			if err := s.setAside(ctx, x.who(), o.addr, pool.MAC{}); err != nil {
				return silence, err
			}
		case probeWanted:
			return wait, nil
		case probeAsking:
			return silence, nil // the DISCOVER before this one will be answered
		}
	}
	return silence, nil
}

// resumed goes on with a DISCOVER whose address was probed.
func (s *Server) resumed(ctx context.Context, x *exchange) (verdict, error) {
	o := x.offer
	x.offer = nil
	if x.probed == probeUsed {
		if err := s.setAside(ctx, x.who(), o.addr, pool.MAC{}); err != nil {
			return silence, err
		}
		x.tries, x.now = x.tries+1, s.now() // the next address is asked for as long as this one was
		return s.discover(ctx, x)
	}
	s.offered(x, o.addr)
	return answer, nil
}

// offered writes the OFFER and tells of it.
func (s *Server) offered(x *exchange, addr netip.Addr) {
	if netboots(x.client) {
		if rom := s.booting.note(x.req.mac, x.client.IPXE, x.now); rom || !x.client.IPXE {
			s.event(x, pool.StageDiscover, addr)
		}
	}
	s.stats.offers.Add(1)
	x.give(msgOffer, addr)
}

// request decides on a DHCPREQUEST in each of its four forms (RFC 2131, 4.3.2).
func (s *Server) request(ctx context.Context, x *exchange) (verdict, error) {
	r := &x.req
	addr := r.ci // renewing, rebinding
	if addr.IsUnspecified() {
		addr = r.want
		if !r.server.IsValid() { // INIT-REBOOT: it remembers an address
			if !x.net.Prefix.Contains(addr) {
				return s.nak(x, "address is of another network"), nil
			}
			switch l, ok := s.book.lease(x.who()); {
			case !ok:
				return s.ignore(), nil // no record: MUST remain silent
			case l.Address != addr:
				return s.nak(x, "address is not yours"), nil
			}
		}
	}
	return s.bind(ctx, x, addr)
}

// bind prepares to store the lease of addr.
func (s *Server) bind(ctx context.Context, x *exchange, addr netip.Addr) (verdict, error) {
	switch why, used := s.book.claim(x.net, x.who(), addr, x.kept, x.server, x.now); {
	case used:
		return s.nak(x, "address is in use"), s.setAside(ctx, x.who(), addr, pool.MAC{})
	case why != "":
		return s.nak(x, why), nil
	}
	if l, ok := s.book.at(addr); ok && l.MAC != x.req.mac && x.now.Before(l.Expires) {
		// Reserved for whoever is plugged in there, and that one has changed.
		if err := s.Leases.Unbind(ctx, l.MAC, addr); err != nil && !errors.Is(err, pool.ErrNotFound) {
			return silence, fmt.Errorf("release %s of %s: %w", addr, l.MAC, err)
		}
		s.book.forget(addr)
	}
	x.lease = pool.Lease{
		MAC: x.req.mac, Address: addr, Hostname: hostname(x.req.host),
		Start: x.now, Expires: x.now.Add(x.net.lease), LeasePlace: x.place(),
	}
	if x.kept != nil && x.kept.Hostname != "" {
		x.lease.Hostname = x.kept.Hostname
	}
	if len(x.req.id) > 0 {
		x.lease.ClientID = hexText(x.req.id)
	}
	return store, nil
}

// stored goes on with an exchange whose lease was stored, or not: no ACK
// without that.
func (s *Server) stored(ctx context.Context, x *exchange, err error) (verdict, error) {
	l := x.lease
	if errors.Is(err, pool.ErrConflict) {
		s.book.dropOffer(x.who())
		s.refresh(ctx, l.Address)
		return s.nak(x, "address is taken"), nil
	}
	if err != nil {
		return silence, fmt.Errorf("bind %s to %s: %w", l.Address, l.MAC, err)
	}
	s.book.bound(l)
	s.stats.acks.Add(1)
	switch {
	case string(x.req.class) == AgentClass:
		s.event(x, pool.StageAgentIP, l.Address)
	case x.client.IPXE:
		s.booting.note(x.req.mac, true, x.now)
		s.event(x, pool.StageIPXE, l.Address)
	case netboots(x.client):
		s.booting.note(x.req.mac, false, x.now)
		s.event(x, pool.StageLease, l.Address)
	}
	x.give(msgAck, l.Address)
	return answer, nil
}

// refresh reads what the store knows of an address that it refused.
func (s *Server) refresh(ctx context.Context, addr netip.Addr) {
	if l, err := s.Leases.LeaseAt(ctx, addr); err == nil {
		s.book.load([]pool.Lease{l})
	}
}

// release ends the lease that the client gives back (RFC 2131, 4.3.4).
func (s *Server) release(ctx context.Context, x *exchange) error {
	addr := x.req.ci
	l, ok := s.book.lease(x.who())
	if x.req.server != x.server || addr.IsUnspecified() || !ok || l.Address != addr {
		s.stats.ignored.Add(1)
		return nil
	}
	if err := s.Leases.Unbind(ctx, x.req.mac, addr); err != nil && !errors.Is(err, pool.ErrNotFound) {
		return fmt.Errorf("release %s of %s: %w", addr, x.req.mac, err)
	}
	s.book.forget(addr)
	s.stats.releases.Add(1)
	return nil
}

// decline sets aside an address that the client found in use (RFC 2131,
// 4.3.3). Only the holder of an address can decline it.
func (s *Server) decline(ctx context.Context, x *exchange) error {
	addr := x.req.want
	l, ok := s.book.lease(x.who())
	if x.req.server != x.server || !ok || l.Address != addr {
		s.stats.ignored.Add(1)
		return nil
	}
	s.stats.declines.Add(1)
	s.note(x, pool.CodeDecline, addr.String())
	s.log().Warn("address declined: it is in use by somebody else", "mac", x.req.mac.String(), "ip", addr.String())
	return s.aside(ctx, addr)
}

// aside keeps an address from being given out for a while.
func (s *Server) aside(ctx context.Context, addr netip.Addr) error {
	l := pool.Lease{Address: addr, Start: s.now(), Expires: s.now().Add(asideFor), Declined: true}
	if err := s.Leases.Decline(ctx, addr, l.Expires); err != nil {
		return fmt.Errorf("set aside %s: %w", addr, err)
	}
	s.book.load([]pool.Lease{l})
	return nil
}

// setAside is aside for an address that was offered to who and that somebody
// uses.
func (s *Server) setAside(ctx context.Context, who client, addr netip.Addr, by pool.MAC) error {
	s.book.dropOffer(who)
	s.stats.conflicts.Add(1)
	s.log().Warn("address in use by a stranger, set aside", "ip", addr.String(), "mac", by.String())
	return s.aside(ctx, addr)
}

// nak refuses a request.
func (s *Server) nak(x *exchange, why string) verdict {
	s.stats.naks.Add(1)
	s.note(x, pool.CodeNak, why)
	s.log().Info("request refused", "mac", x.req.mac.String(), "why", why)
	x.refuse(why)
	return answer
}

func (s *Server) event(x *exchange, stage pool.BootStage, addr netip.Addr) {
	if s.Boot == nil {
		return
	}
	detail := describe(x.client)
	if u := uuidOf(&x.req, x.client); u != "" {
		detail += ", UUID " + u
	}
	if p := x.place(); p.Relay.IsValid() {
		detail += ", relay " + p.Relay.String()
		if p.Circuit != "" {
			detail += " port " + p.Circuit
		}
		if p.Remote != "" {
			detail += " of " + p.Remote
		}
	}
	s.Boot(pool.BootEvent{At: x.now, MAC: x.req.mac, Stage: stage, Address: addr, Detail: detail, Class: x.client.Class()})
}

// note tells of something in a machine's boot that is no stage of it.
func (s *Server) note(x *exchange, code pool.BootCode, detail string) {
	if s.Boot == nil || !netboots(x.client) {
		return
	}
	s.Boot(pool.BootEvent{At: x.now, MAC: x.req.mac, Stage: pool.StageDHCP, Code: code, Detail: detail, Class: x.client.Class()})
}
