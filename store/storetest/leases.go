package storetest

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
)

// bindAll: a group of leases ends as binding them one after the other would.
func bindAll(t *testing.T, s Store) {
	ctx := t.Context()
	addr := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n}) }
	lease := func(m int, a netip.Addr, left time.Duration) pool.Lease {
		return pool.Lease{MAC: mac(m), Address: a, Start: now(), Expires: now().Add(left)}
	}
	place := pool.LeasePlace{Relay: netip.MustParseAddr("10.9.0.1"), Circuit: "ge-0/0/7", Remote: "0x00ff"}
	first := lease(1, addr(1), time.Hour)
	first.LeasePlace, first.ClientID = place, "ff00"
	six := lease(1, netip.MustParseAddr("fd77::5"), time.Hour)
	six.IAID = 7
	must(t, s.Decline(ctx, addr(9), now().Add(time.Hour)))
	errs := s.BindAll(ctx, []pool.Lease{
		first, six, lease(2, addr(2), time.Hour), lease(3, addr(3), -time.Hour),
		lease(4, addr(3), time.Hour), // its holder's has run out
		lease(5, addr(2), time.Hour), // another's
		lease(6, addr(9), time.Hour), // declined
		{Address: addr(7)},           // nobody's
		lease(2, addr(8), time.Hour), // moves, and so
		lease(5, addr(2), time.Hour), // gives the address free
	})
	for i, kind := range []error{nil, nil, nil, nil, nil, pool.ErrConflict, pool.ErrConflict, pool.ErrInvalid, nil, nil} {
		if !errors.Is(errs[i], kind) {
			t.Errorf("lease %d: %v, want %v", i, errs[i], kind)
		}
	}
	got := map[string]string{}
	all, err := s.Leases(ctx)
	must(t, err)
	for _, l := range all {
		got[l.Address.String()] = l.MAC.String()
	}
	want := map[string]string{"10.0.0.1": mac(1).String(), "fd77::5": mac(1).String(), "10.0.0.8": mac(2).String(),
		"10.0.0.3": mac(4).String(), "10.0.0.2": mac(5).String(), "10.0.0.9": pool.MAC{}.String()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
	if l, err := s.Lease(ctx, mac(1)); err != nil || !cmp.Equal(first, l, same) {
		t.Errorf("Lease = %+v, %v, want %+v", l, err, first)
	}
	if l, err := s.Lease6(ctx, mac(1)); err != nil || !cmp.Equal(six, l, same) {
		t.Errorf("Lease6 = %+v, %v, want %+v", l, err, six)
	}
	// More than any one statement takes, twice: the second time they renew.
	var many []pool.Lease
	for n := range 300 {
		a := netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)})
		many = append(many, pool.Lease{MAC: pool.MAC{2, 0, 0, 1, byte(n >> 8), byte(n)}, Address: a, Start: now(), Expires: now().Add(time.Hour)})
	}
	for range 2 {
		for i, err := range s.BindAll(ctx, many) {
			if err != nil {
				t.Fatalf("lease %d of many: %v", i, err)
			}
		}
	}
	if all, err := s.Leases(ctx); err != nil || len(all) != len(want)+len(many) {
		t.Errorf("%d leases, %v, want %d", len(all), err, len(want)+len(many))
	}
	must(t, s.Forget(ctx, addr(9)))
	if _, err := s.LeaseAt(ctx, addr(9)); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("LeaseAt after Forget = %v", err)
	}
}

func reservations(t *testing.T, s Store) {
	ctx := t.Context()
	a := pool.Reservation{MAC: mac(1), Address: netip.MustParseAddr("10.0.0.5"), Options: pool.DHCPOptions{42: "ip:10.0.0.1"}}
	b := pool.Reservation{Circuit: "port 7", Hostname: "n7"}
	must(t, s.PutReservation(ctx, b))
	must(t, s.PutReservation(ctx, a))
	a.Hostname = "db1"
	must(t, s.PutReservation(ctx, a))
	got, err := s.Reservations(ctx)
	if err != nil || !cmp.Equal([]pool.Reservation{b, a}, got, same) {
		t.Errorf("Reservations = %+v, %v", got, err)
	}
	must(t, s.DeleteReservation(ctx, a.Key()))
	want(t, "DeleteReservation twice", s.DeleteReservation(ctx, a.Key()), pool.ErrNotFound)
	want(t, "PutReservation for nobody", s.PutReservation(ctx, pool.Reservation{}), pool.ErrInvalid)
}
