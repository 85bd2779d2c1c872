package dhcp

import (
	"context"

	"appliance/pool"
)

// proxyDecide answers beside another DHCP server: what to boot, and nothing
// else (PXE 2.1, 2.2). Leases that this server gave before are still renewed.
func (s *Server) proxyDecide(ctx context.Context, x *exchange) (verdict, error) {
	if x.proxy {
		return s.bootServer(ctx, x)
	}
	if s.renewsOwn(x) {
		if ok, err := s.known(ctx, x); !ok || err != nil {
			return silence, err
		}
		return s.request(ctx, x)
	}
	if x.req.kind == msgRelease {
		return silence, s.release(ctx, x)
	}
	if x.req.kind == msgRequest && netboots(x.client) && x.req.want.IsValid() {
		s.booting.take(x.req.mac, x.req.want, x.now) // SELECTING: everybody hears it
	}
	if x.req.kind != msgDiscover || !netboots(x.client) {
		s.stats.foreign.Add(1)
		return silence, nil
	}
	if ok, err := s.known(ctx, x); !ok || err != nil {
		return silence, err
	}
	if x.answer.File == "" {
		return s.ignore(), nil
	}
	if rom := s.booting.note(x.req.mac, x.client.IPXE, x.now); rom || !x.client.IPXE {
		s.event(x, pool.StageDiscover, x.req.ci)
	} else {
		s.event(x, pool.StageIPXE, x.req.ci)
	}
	s.stats.proxied.Add(1)
	x.offerProxy()
	return answer, nil
}

// bootServer answers what comes to port 4011: a client that has its address
// and asks for its boot file.
func (s *Server) bootServer(ctx context.Context, x *exchange) (verdict, error) {
	if x.req.kind != msgRequest && x.req.kind != msgInform && x.req.kind != msgDiscover || !netboots(x.client) {
		return s.ignore(), nil
	}
	if ok, err := s.known(ctx, x); !ok || err != nil {
		return silence, err
	}
	if x.answer.File == "" {
		return s.ignore(), nil
	}
	s.booting.note(x.req.mac, x.client.IPXE, x.now)
	s.event(x, pool.StageLease, x.src.Addr())
	s.stats.proxied.Add(1)
	x.ackProxy()
	return answer, nil
}

// greet answers another appliance that looks for DHCP servers: an OFFER of no
// address, marked as ours, so that neither takes the other for a stranger.
func (s *Server) greet(x *exchange) verdict {
	p := x.respond(msgOffer)
	p.text(optMark, markText)
	p.finish(&x.req)
	return answer
}
