package dhcp

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"sync"
	"time"

	"appliance/pool"
)

// hold is an address that was offered and not yet asked for.
type hold struct {
	mac    pool.MAC
	until  time.Time
	probed bool // nobody uses it; until then the hold's maker is still asking
}

// holds are the offers that are out. They live in memory: an offer promises nothing.
type holds struct {
	mu     sync.Mutex
	byAddr map[netip.Addr]hold
	byMAC  map[pool.MAC]netip.Addr
}

// of returns what mac was offered.
func (h *holds) of(mac pool.MAC, now time.Time) (netip.Addr, hold, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	addr, ok := h.byMAC[mac]
	if !ok || !now.Before(h.byAddr[addr].until) {
		return netip.Addr{}, hold{}, false
	}
	return addr, h.byAddr[addr], true
}

// free says whether nobody but mac holds addr.
func (h *holds) free(addr netip.Addr, mac pool.MAC, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	got, ok := h.byAddr[addr]
	return !ok || got.mac == mac || !now.Before(got.until)
}

// take holds addr, and nothing else, for mac; false when another MAC holds it.
func (h *holds) take(addr netip.Addr, mac pool.MAC, probed bool, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byAddr == nil {
		h.byAddr, h.byMAC = map[netip.Addr]hold{}, map[pool.MAC]netip.Addr{}
	}
	if got, ok := h.byAddr[addr]; ok && got.mac != mac {
		if now.Before(got.until) {
			return false
		}
		delete(h.byMAC, got.mac)
	}
	if old, ok := h.byMAC[mac]; ok && old != addr {
		delete(h.byAddr, old)
	}
	h.byAddr[addr], h.byMAC[mac] = hold{mac, now.Add(holdFor), probed}, addr
	return true
}

// drop gives back what mac was offered.
func (h *holds) drop(mac pool.MAC) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if addr, ok := h.byMAC[mac]; ok {
		delete(h.byAddr, addr)
		delete(h.byMAC, mac)
	}
}

// offer finds an address for the client and holds it. The zero address means
// that there is none, or that an earlier DISCOVER of the client is in work.
func (s *Server) offer(ctx context.Context, x *exchange) (netip.Addr, error) {
	if _, h, ok := s.holds.of(x.mac, x.now); ok && !h.probed {
		return netip.Addr{}, nil
	}
	for range 4 { // squatted addresses at a time that one client may meet
		addr, fresh, err := s.choose(ctx, x)
		if err != nil {
			return netip.Addr{}, err
		}
		if !addr.IsValid() {
			s.stats.exhausted.Add(1)
			return netip.Addr{}, fmt.Errorf("%w: subnet %s has no free address", pool.ErrUnavailable, x.subnet.Prefix)
		}
		if !s.holds.take(addr, x.mac, !fresh, x.now) {
			continue // another client was quicker
		}
		if !fresh {
			return addr, nil
		}
		clear, err := s.clear(ctx, x, addr)
		if err != nil {
			s.holds.drop(x.mac)
			return netip.Addr{}, err
		}
		if clear {
			s.holds.take(addr, x.mac, true, x.now)
			return addr, nil
		}
	}
	return netip.Addr{}, nil
}

// clear probes a fresh address. One that somebody uses is set aside.
func (s *Server) clear(ctx context.Context, x *exchange, addr netip.Addr) (bool, error) {
	probe := s.Probe
	if probe == nil {
		if s.Interface == "" || !x.local {
			return true, nil // ARP does not reach behind a relay agent
		}
		probe = s.arp
	}
	who, used, err := probe(ctx, addr)
	if err != nil {
		return false, fmt.Errorf("probe %s: %w", addr, err)
	}
	if !used || who == x.mac {
		return true, nil
	}
	s.holds.drop(x.mac)
	s.stats.conflicts.Add(1)
	s.log().Warn("address in use by a stranger, set aside", "ip", addr.String(), "mac", who.String())
	if err := s.Leases.Decline(ctx, addr, x.now.Add(aside)); err != nil {
		return false, fmt.Errorf("set aside %s: %w", addr, err)
	}
	return false, nil
}

// choose returns the address to offer: the reservation, the offer that is
// out, the client's own lease, what it asks for, or one that nobody has
// (RFC 2131, 4.3.1). Fresh ones were not this client's and want a probe.
func (s *Server) choose(ctx context.Context, x *exchange) (addr netip.Addr, fresh bool, err error) {
	l, err := s.Leases.Lease(ctx, x.mac)
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return netip.Addr{}, false, fmt.Errorf("read lease of %s: %w", x.mac, err)
	}
	had := err == nil && l.Address.IsValid()
	if _, ok := x.subnet.Reserve[x.mac]; ok {
		addr = reserved(x.subnet, x.mac)
		free, err := s.free(ctx, x, addr)
		if err != nil || !free {
			return netip.Addr{}, false, err
		}
		return addr, !had || l.Address != addr, nil
	}
	want := addr4(x.req.RequestedIPAddress())
	held, _, _ := s.holds.of(x.mac, x.now)
	for _, c := range []netip.Addr{held, l.Address, want} {
		if !c.IsValid() || !s.allowed(x, c) {
			continue
		}
		free, err := s.free(ctx, x, c)
		if err != nil {
			return netip.Addr{}, false, err
		}
		if free {
			mine := had && l.Address == c && x.now.Before(l.Expires)
			return c, !mine && c != held, nil
		}
	}
	addr, err = s.search(ctx, x)
	return addr, true, err
}

// search walks the range from a place that depends on the MAC, so that a
// machine tends to get the same address even when its lease was forgotten.
// An address that never was anybody's is preferred to one whose lease ran out.
func (s *Server) search(ctx context.Context, x *exchange) (netip.Addr, error) {
	n := x.subnet
	if !n.First.Is4() || !n.Last.Is4() || n.Last.Less(n.First) {
		return netip.Addr{}, nil
	}
	first, size := number(n.First), number(n.Last)-number(n.First)+1
	h := fnv.New32a()
	_, _ = h.Write(x.mac[:]) // never fails (hash.Hash)
	start := uint64(h.Sum32()) % size
	// A few single look-ups find an address unless the range is nearly full.
	for i := range min(size, 8) {
		a := address(first + (start+i)%size)
		if !s.allowed(x, a) {
			continue
		}
		if _, err := s.Leases.LeaseAt(ctx, a); errors.Is(err, pool.ErrNotFound) {
			return a, nil
		} else if err != nil {
			return netip.Addr{}, fmt.Errorf("read lease of %s: %w", a, err)
		}
	}
	leases, err := s.Leases.Leases(ctx)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("read leases: %w", err)
	}
	taken := make(map[netip.Addr]time.Time, len(leases))
	for _, l := range leases {
		if l.Expires.After(taken[l.Address]) {
			taken[l.Address] = l.Expires
		}
	}
	var old netip.Addr
	for i := range size {
		a := address(first + (start+i)%size)
		until, known := taken[a]
		if known && x.now.Before(until) || !s.allowed(x, a) {
			continue
		}
		if !known {
			return a, nil
		}
		if !old.IsValid() || until.Before(taken[old]) {
			old = a
		}
	}
	return old, nil
}

// free says whether the store knows of nobody else who has addr.
func (s *Server) free(ctx context.Context, x *exchange, addr netip.Addr) (bool, error) {
	if !addr.Is4() {
		return false, nil
	}
	l, err := s.Leases.LeaseAt(ctx, addr)
	if errors.Is(err, pool.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read lease of %s: %w", addr, err)
	}
	return !x.now.Before(l.Expires) || !l.Declined && l.MAC == x.mac, nil
}

// allowed says whether the client may have addr as far as configuration and
// offers go; the store has the last word.
func (s *Server) allowed(x *exchange, addr netip.Addr) bool {
	n := x.subnet
	if _, ok := n.Reserve[x.mac]; ok {
		return addr == reserved(n, x.mac)
	}
	if !addr.Is4() || !n.InRange(addr) || !n.Prefix.Contains(addr) || addr == s.Addr || addr == n.Router {
		return false
	}
	if n.Prefix.Bits() < 31 && (addr == n.Prefix.Masked().Addr() || addr == broadcast(n.Prefix)) {
		return false
	}
	for _, text := range n.Reserve {
		if a, err := netip.ParseAddr(text); err == nil && a == addr {
			return false
		}
	}
	return s.holds.free(addr, x.mac, x.now)
}

// reserved returns the address that mac has by configuration; zero when that is no address.
func reserved(n pool.Subnet, mac pool.MAC) netip.Addr {
	a, err := netip.ParseAddr(n.Reserve[mac])
	if err != nil || !n.Prefix.Contains(a) {
		return netip.Addr{}
	}
	return a
}

func number(a netip.Addr) uint64 {
	b := a.As4()
	return uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
}

func address(n uint64) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// broadcast returns the last address of p.
func broadcast(p netip.Prefix) netip.Addr {
	return address(number(p.Masked().Addr()) | (1<<(32-p.Bits()) - 1))
}
