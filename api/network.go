package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"appliance/api/wire"
	"appliance/pool"
)

// Network is what is known of the networks that are served, and changed there.
type Network interface {
	// Subnets returns what is configured now, and what each subnet is.
	Subnets() []pool.Subnet
	Modes() map[netip.Prefix]pool.SubnetMode
	// Foreign names other DHCP servers on the wire; empty: none.
	Foreign() string
	// Offers returns the addresses that are offered and not yet taken.
	Offers() []pool.Lease
	// ReleaseLease ends the lease of an address, or its being declined.
	ReleaseLease(ctx context.Context, addr netip.Addr) error
	Reservations(ctx context.Context) ([]pool.Reservation, error)
	Reserve(ctx context.Context, r pool.Reservation) error
	Unreserve(ctx context.Context, key string) error
	// Reload reads the configuration again and serves what it says now.
	Reload(ctx context.Context) error
}

type oneAddress struct {
	Address string `path:"address" maxLength:"64"`
}

type reserveInput struct {
	Body pool.Reservation
}

type reservationKey struct {
	Key string `query:"key" required:"true" maxLength:"512" doc:"mac/…, client/… or circuit/…"`
}

func (s *Server) networkRoutes(a huma.API) {
	const tag = "Network"
	handle(s, a, endpoint{http.MethodGet, "/subnets", "subnets", "The networks that are served", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]wire.SubnetView, error) { return s.subnets(ctx) })
	handle(s, a, endpoint{http.MethodGet, "/leases", "leases", "List leases", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]wire.LeaseView, error) { return s.leaseList(ctx) })
	do(s, a, endpoint{http.MethodDelete, "/leases/{address}", "releaseLease", "End a lease, or give a declined address free", tag, pool.Operator, 0},
		func(ctx context.Context, in *oneAddress) error {
			addr, err := netip.ParseAddr(in.Address)
			if err != nil {
				return fmt.Errorf("%w: %q is no address", pool.ErrInvalid, in.Address)
			}
			n, err := s.network()
			if err != nil {
				return err
			}
			return n.ReleaseLease(ctx, addr)
		})
	handle(s, a, endpoint{http.MethodGet, "/reservations", "reservations", "List reservations, the configuration's included", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]pool.Reservation, error) { return s.reservations(ctx) })
	do(s, a, endpoint{http.MethodPut, "/reservations", "reserve", "Keep an address or options for a client", tag, pool.Operator, 0},
		func(ctx context.Context, in *reserveInput) error {
			n, err := s.network()
			if err != nil {
				return err
			}
			return n.Reserve(ctx, in.Body)
		})
	do(s, a, endpoint{http.MethodDelete, "/reservations", "unreserve", "Remove a reservation that was made here", tag, pool.Operator, 0},
		func(ctx context.Context, in *reservationKey) error {
			n, err := s.network()
			if err != nil {
				return err
			}
			return n.Unreserve(ctx, in.Key)
		})
	do(s, a, endpoint{http.MethodPost, "/config/reload", "reloadConfig", "Read the configuration file again", tag, pool.Admin, 0},
		func(ctx context.Context, _ *nothing) error {
			n, err := s.network()
			if err != nil {
				return err
			}
			return n.Reload(ctx)
		})
}

func (s *Server) network() (Network, error) {
	if s.Network == nil {
		return nil, fmt.Errorf("%w: this appliance serves no network (netboot: false)", pool.ErrConflict)
	}
	return s.Network, nil
}

func (s *Server) subnets(ctx context.Context) ([]wire.SubnetView, error) {
	out := []wire.SubnetView{}
	if s.Network == nil {
		return out, nil
	}
	leases, err := s.Store.Leases(ctx)
	if err != nil {
		return nil, err
	}
	modes, now := s.Network.Modes(), time.Now()
	for _, n := range s.Network.Subnets() {
		v := wire.SubnetView{Subnet: n, Now: modes[n.Prefix]}
		for _, l := range leases {
			if n.Prefix.Contains(l.Address) && l.State(now) == pool.LeaseActive {
				v.Live++
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Server) leaseList(ctx context.Context) ([]wire.LeaseView, error) {
	stored, err := s.Store.Leases(ctx)
	if err != nil {
		return nil, err
	}
	machines, err := s.Store.Machines(ctx)
	if err != nil {
		return nil, err
	}
	names := map[pool.MAC]string{}
	for _, m := range machines {
		for _, mac := range m.MACs {
			names[mac] = m.Name
		}
	}
	var subnets []pool.Subnet
	now := time.Now()
	out := []wire.LeaseView{}
	add := func(l pool.Lease, state pool.LeaseState) {
		v := wire.LeaseView{Lease: l, State: state, Machine: names[l.MAC]}
		for _, n := range subnets {
			if n.Prefix.Contains(l.Address) {
				v.Subnet = n.Name
			}
		}
		out = append(out, v)
	}
	if s.Network != nil {
		subnets = s.Network.Subnets()
		for _, l := range s.Network.Offers() {
			add(l, pool.LeaseOffered)
		}
	}
	for _, l := range stored {
		add(l, l.State(now))
	}
	slices.SortStableFunc(out, func(a, b wire.LeaseView) int { return a.Address.Compare(b.Address) })
	return out, nil
}

func (s *Server) reservations(ctx context.Context) ([]pool.Reservation, error) {
	if s.Network == nil {
		return []pool.Reservation{}, nil
	}
	out, err := list(s.Network.Reservations(ctx))
	if err != nil {
		return nil, err
	}
	for _, n := range s.Network.Subnets() {
		out = append(out, n.Reservations...)
		for mac, text := range n.Reserve {
			if a, err := netip.ParseAddr(text); err == nil {
				out = append(out, pool.Reservation{MAC: mac, Address: a})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b pool.Reservation) int { return a.Address.Compare(b.Address) })
	return out, nil
}
