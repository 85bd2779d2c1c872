package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// exchange is one request with all that was found out about it.
type exchange struct {
	req    *dhcpv4.DHCPv4
	mac    pool.MAC
	client pool.Client
	subnet pool.Subnet
	local  bool // on our own wire, not behind a relay agent
	direct bool // sent to our address, not broadcast or relayed: a client that renews
	answer pool.BootAnswer
	now    time.Time
}

// reply returns what a request is answered with; nil means silence. It uses no
// socket but the conflict probe's, so tests and the fuzzer call it directly.
func (s *Server) reply(ctx context.Context, req *dhcpv4.DHCPv4, a arrival) (*dhcpv4.DHCPv4, error) {
	x := &exchange{req: req, mac: pool.MAC(req.ClientHWAddr), client: classify(req), now: time.Now()}
	if s.foreign.own(x.mac) {
		return nil, nil // the detector's own DISCOVER
	}
	if !s.place(x, a) {
		s.stats.ignored.Add(1)
		return nil, nil
	}
	switch req.MessageType() { //nolint:exhaustive // parse lets only these through
	case dhcpv4.MessageTypeRelease:
		return nil, s.release(ctx, x)
	case dhcpv4.MessageTypeDecline:
		return nil, s.decline(ctx, x)
	case dhcpv4.MessageTypeRequest:
		if id := req.ServerIdentifier(); id != nil && addr4(id) != s.Addr {
			// The client took another server's offer (RFC 2131, 4.3.2).
			s.holds.drop(x.mac)
			s.stats.ignored.Add(1)
			return nil, nil
		}
	}
	if quiet, err := s.quiet(ctx, x); quiet || err != nil {
		return nil, err
	}
	answer, ok, err := s.Directory.Answer(ctx, x.mac, x.client, x.subnet)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", x.mac, err)
	}
	if _, reserved := x.subnet.Reserve[x.mac]; !ok && !reserved {
		s.stats.ignored.Add(1)
		return nil, nil
	}
	x.answer = answer
	switch req.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return s.discover(ctx, x)
	case dhcpv4.MessageTypeRequest:
		return s.request(ctx, x)
	default:
		return s.inform(x)
	}
}

// place finds the subnet that the client is on: the relay agent's (RFC 2131,
// 4.3.1, and its link selection, RFC 3527), that of the address it renews, or
// the interface's own.
func (s *Server) place(x *exchange, a arrival) bool {
	link := addr4(x.req.GatewayIPAddr)
	if !link.IsUnspecified() {
		if sel := x.req.RelayAgentInfo(); sel != nil {
			if v := sel.Get(dhcpv4.LinkSelectionSubOption); len(v) == 4 {
				link, _ = netip.AddrFromSlice(v)
			}
		}
	} else {
		x.local, x.direct = true, a.dst == s.Addr
		link = s.Addr
		if ci := addr4(x.req.ClientIPAddr); !ci.IsUnspecified() && x.direct {
			link = ci
			own, ok := s.subnetOf(s.Addr)
			x.local = ok && own.Prefix.Contains(ci)
		}
	}
	var ok bool
	x.subnet, ok = s.subnetOf(link)
	return ok
}

func (s *Server) subnetOf(a netip.Addr) (pool.Subnet, bool) {
	for _, n := range s.Subnets {
		if n.Prefix.Contains(a) {
			return n, true
		}
	}
	return pool.Subnet{}, false
}

// quiet says whether another DHCP server's presence forbids an answer: all of
// them, but the renewal of a lease that this server gave and that still runs.
// That gives out nothing, and to refuse it would take a running machine off
// the network.
func (s *Server) quiet(ctx context.Context, x *exchange) (bool, error) {
	if !s.foreign.blocks() || x.req.MessageType() == dhcpv4.MessageTypeInform {
		return false, nil
	}
	if x.req.MessageType() == dhcpv4.MessageTypeRequest && x.direct {
		l, err := s.Leases.Lease(ctx, x.mac)
		if err != nil && !errors.Is(err, pool.ErrNotFound) {
			return true, fmt.Errorf("read lease of %s: %w", x.mac, err)
		}
		if err == nil && l.Address == addr4(x.req.ClientIPAddr) && x.now.Before(l.Expires) {
			return false, nil
		}
	}
	s.stats.foreign.Add(1)
	return true, nil
}

// discover answers a DHCPDISCOVER with an OFFER, held in memory only.
func (s *Server) discover(ctx context.Context, x *exchange) (*dhcpv4.DHCPv4, error) {
	addr, err := s.offer(ctx, x)
	if err != nil || !addr.IsValid() {
		return nil, err
	}
	if netboots(x.client) {
		if rom := s.booting.note(x.mac, x.client.IPXE, x.now); rom || !x.client.IPXE {
			s.event(x, pool.StageDiscover, addr)
		}
	}
	s.stats.offers.Add(1)
	return s.answer(x, dhcpv4.MessageTypeOffer, addr), nil
}

// request answers a DHCPREQUEST in each of its four forms (RFC 2131, 4.3.2).
func (s *Server) request(ctx context.Context, x *exchange) (*dhcpv4.DHCPv4, error) {
	addr := addr4(x.req.ClientIPAddr) // renewing, rebinding
	if want := addr4(x.req.RequestedIPAddress()); addr.IsUnspecified() {
		addr = want
		if x.req.ServerIdentifier() == nil { // INIT-REBOOT: it remembers an address
			if !x.subnet.Prefix.Contains(addr) {
				return s.nak(x, "address is of another network"), nil
			}
			l, err := s.Leases.Lease(ctx, x.mac)
			switch {
			case errors.Is(err, pool.ErrNotFound):
				s.stats.ignored.Add(1)
				return nil, nil // no record: MUST remain silent
			case err != nil:
				return nil, fmt.Errorf("read lease of %s: %w", x.mac, err)
			case l.Address != addr:
				return s.nak(x, "address is not yours"), nil
			}
		}
	}
	if !s.allowed(x, addr) {
		return s.nak(x, "address is not for you"), nil
	}
	l, err := s.Leases.Bind(ctx, pool.Lease{
		MAC: x.mac, Address: addr, Hostname: hostname(x.req.HostName()),
		Start: x.now, Expires: x.now.Add(leaseTime(x.subnet)),
	})
	if errors.Is(err, pool.ErrConflict) {
		s.holds.drop(x.mac)
		return s.nak(x, "address is taken"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("bind %s to %s: %w", addr, x.mac, err) // never ACK a lease that is not on disk
	}
	s.holds.drop(x.mac)
	s.stats.acks.Add(1)
	switch {
	case x.req.ClassIdentifier() == AgentClass:
		s.event(x, pool.StageAgentIP, l.Address)
	case x.client.IPXE:
		s.booting.note(x.mac, true, x.now)
		s.event(x, pool.StageIPXE, l.Address)
	case netboots(x.client):
		s.booting.note(x.mac, false, x.now)
		s.event(x, pool.StageLease, l.Address)
	}
	if addr4(x.req.ClientIPAddr).IsUnspecified() {
		s.log().Info("lease bound", "mac", x.mac.String(), "ip", l.Address.String(), "client", describe(x.client))
	}
	return s.answer(x, dhcpv4.MessageTypeAck, l.Address), nil
}

// inform answers a DHCPINFORM: options, no address, no lease (RFC 2131, 4.3.5).
func (s *Server) inform(x *exchange) (*dhcpv4.DHCPv4, error) {
	if addr4(x.req.ClientIPAddr).IsUnspecified() {
		s.stats.ignored.Add(1)
		return nil, nil // nowhere to send it
	}
	s.stats.acks.Add(1)
	r := s.answer(x, dhcpv4.MessageTypeAck, netip.IPv4Unspecified())
	for _, o := range []dhcpv4.OptionCode{dhcpv4.OptionIPAddressLeaseTime, dhcpv4.OptionRenewTimeValue, dhcpv4.OptionRebindingTimeValue} {
		r.DeleteOption(o)
	}
	return r, nil
}

// release ends the lease that the client gives back (RFC 2131, 4.3.4).
func (s *Server) release(ctx context.Context, x *exchange) error {
	addr := addr4(x.req.ClientIPAddr)
	if addr4(x.req.ServerIdentifier()) != s.Addr || addr.IsUnspecified() {
		s.stats.ignored.Add(1)
		return nil
	}
	if err := s.Leases.Unbind(ctx, x.mac, addr); err != nil && !errors.Is(err, pool.ErrNotFound) {
		return fmt.Errorf("release %s of %s: %w", addr, x.mac, err)
	}
	return nil
}

// decline sets aside an address that the client found in use (RFC 2131,
// 4.3.3). Only the holder of an address can decline it.
func (s *Server) decline(ctx context.Context, x *exchange) error {
	addr := addr4(x.req.RequestedIPAddress())
	if addr4(x.req.ServerIdentifier()) != s.Addr || !x.subnet.InRange(addr) {
		s.stats.ignored.Add(1)
		return nil
	}
	l, err := s.Leases.Lease(ctx, x.mac)
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return fmt.Errorf("read lease of %s: %w", x.mac, err)
	}
	if err != nil || l.Address != addr {
		s.stats.ignored.Add(1)
		return nil
	}
	s.stats.declines.Add(1)
	s.log().Warn("address declined: it is in use by somebody else", "mac", x.mac.String(), "ip", addr.String())
	if err := s.Leases.Unbind(ctx, x.mac, addr); err != nil && !errors.Is(err, pool.ErrNotFound) {
		return fmt.Errorf("release %s of %s: %w", addr, x.mac, err)
	}
	if err := s.Leases.Decline(ctx, addr, x.now.Add(aside)); err != nil {
		return fmt.Errorf("set aside %s: %w", addr, err)
	}
	return nil
}

// nak refuses a request (RFC 2131, table 3).
func (s *Server) nak(x *exchange, why string) *dhcpv4.DHCPv4 {
	s.stats.naks.Add(1)
	s.log().Info("request refused", "mac", x.mac.String(), "why", why)
	r := s.respond(x, dhcpv4.MessageTypeNak)
	r.UpdateOption(dhcpv4.OptMessage(why))
	if !addr4(x.req.GatewayIPAddr).IsUnspecified() {
		r.SetBroadcast() // the relay agent must broadcast it: the client has no address
	}
	return r
}

func (s *Server) event(x *exchange, stage pool.BootStage, addr netip.Addr) {
	if s.Boot != nil {
		s.Boot(pool.BootEvent{At: x.now, MAC: x.mac, Stage: stage, Address: addr, Detail: describe(x.client)})
	}
}

// hostname returns a client's host name if it is one (RFC 1123, 2.1), and
// nothing otherwise: it reaches logs, pages and scripts.
func hostname(s string) string {
	s = strings.TrimRight(s, "\x00")
	if len(s) == 0 || len(s) > 63 {
		return ""
	}
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (c != '-' && c != '.' || i == 0 || i == len(s)-1) {
			return ""
		}
	}
	return s
}

// addr4 returns the address in ip, the unspecified one when there is none.
func addr4(ip []byte) netip.Addr {
	a, ok := netip.AddrFromSlice(ip)
	if !ok || !a.Unmap().Is4() {
		return netip.IPv4Unspecified()
	}
	return a.Unmap()
}
