package dhcp

import (
	"encoding/binary"
	"hash/fnv"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
	"time"

	"appliance/pool"
)

// book is what is known of addresses, in memory: the leases, which the store
// has, too, and the offers, which nobody has: an offer promises nothing.
type book struct {
	mu     sync.Mutex
	leases map[netip.Addr]*pool.Lease
	owned  map[client]*pool.Lease
	offers map[netip.Addr]*offer
	held   map[client]*offer
	queue  []*offer // offers in order of their ends, ended and taken ones among them
	maps   map[*network][]*span
	stale  map[*network][]*pool.Lease // ended leases by their ends, found when a network was full
	looked map[*network]time.Time
}

// client is who has one lease: a MAC, once for IPv4 and once for IPv6.
type client struct {
	mac pool.MAC
	six bool
}

// offer is an address that was offered and not yet asked for.
type offer struct {
	who   client
	addr  netip.Addr
	until time.Time
	probe probeState
}

// span is a range of IPv4 addresses with a bit for each that somebody has or
// was offered, or that is nobody's to have.
type span struct {
	first, size uint64
	used, never []uint64
}

func newBook() *book {
	return &book{leases: map[netip.Addr]*pool.Lease{}, owned: map[client]*pool.Lease{}, offers: map[netip.Addr]*offer{},
		held: map[client]*offer{}, maps: map[*network][]*span{}, stale: map[*network][]*pool.Lease{}, looked: map[*network]time.Time{}}
}

// load takes over what the store has.
func (b *book) load(all []pool.Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range all {
		b.put(&all[i])
	}
}

// plan lays out the free addresses of the networks that are served now.
func (b *book) plan(p *plan, server netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.maps, b.stale, b.looked = map[*network][]*span{}, map[*network][]*pool.Lease{}, map[*network]time.Time{}
	for _, n := range p.networks {
		for _, r := range n.Ranges() {
			if r.First.Is4() && r.Last.Is4() && !r.Last.Less(r.First) {
				b.maps[n] = append(b.maps[n], newSpan(n, r, server))
			}
		}
	}
	for a := range b.leases {
		b.mark(a)
	}
	for a := range b.offers {
		b.mark(a)
	}
}

func newSpan(n *network, r pool.Range, server netip.Addr) *span {
	x := &span{first: number(r.First), size: number(r.Last) - number(r.First) + 1}
	x.used, x.never = make([]uint64, (x.size+63)/64), make([]uint64, (x.size+63)/64)
	for i := x.size; i < uint64(len(x.never))*64; i++ {
		x.never[i/64] |= 1 << (i % 64)
	}
	bar := func(a netip.Addr) {
		if r.Contains(a) {
			i := number(a) - x.first
			x.never[i/64] |= 1 << (i % 64)
		}
	}
	bar(server)
	bar(n.Router)
	if n.Prefix.Bits() < 31 {
		bar(n.Prefix.Masked().Addr())
		bar(broadcast(n.Prefix))
	}
	for a := range n.keeps.taken {
		bar(a)
	}
	for _, e := range n.Exclude {
		if !e.First.Is4() || !e.Last.Is4() {
			continue
		}
		for i := max(number(e.First), x.first); i <= min(number(e.Last), x.first+x.size-1); i++ {
			bar(address(i))
		}
	}
	return x
}

// mark brings the bit of an address in line with what is known of it.
func (b *book) mark(a netip.Addr) {
	if !a.Is4() {
		return
	}
	_, leased := b.leases[a]
	_, offered := b.offers[a]
	i := number(a)
	for _, runs := range b.maps {
		for _, r := range runs {
			if i < r.first || i-r.first >= r.size {
				continue
			}
			if k := i - r.first; leased || offered {
				r.used[k/64] |= 1 << (k % 64)
			} else {
				r.used[k/64] &^= 1 << (k % 64)
			}
		}
	}
}

// put records a lease in place of what its address and its MAC had.
func (b *book) put(l *pool.Lease) {
	who := client{l.MAC, l.Address.Is6()}
	if had, ok := b.leases[l.Address]; ok && !had.Declined {
		delete(b.owned, client{had.MAC, had.Address.Is6()})
	}
	if !l.Declined {
		if had, ok := b.owned[who]; ok && had.Address != l.Address {
			delete(b.leases, had.Address)
			b.mark(had.Address)
		}
		b.owned[who] = l
	}
	b.leases[l.Address] = l
	b.mark(l.Address)
}

// bound records a lease that is stored, and that its offer is taken.
func (b *book) bound(l pool.Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(client{l.MAC, l.Address.Is6()})
	b.put(&l)
}

// forget removes the lease of an address.
func (b *book) forget(a netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.leases[a]; ok {
		if !l.Declined {
			delete(b.owned, client{l.MAC, a.Is6()})
		}
		delete(b.leases, a)
		b.mark(a)
	}
}

// lease returns the last lease of a client, ended or not.
func (b *book) lease(who client) (pool.Lease, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.owned[who]; ok {
		return *l, true
	}
	return pool.Lease{}, false
}

// at returns the last lease of an address, ended or not, or its being declined.
func (b *book) at(a netip.Addr) (pool.Lease, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.leases[a]; ok {
		return *l, true
	}
	return pool.Lease{}, false
}

// live counts the leases inside a network that run.
func (b *book) live(n *network, now time.Time) (count int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for a, l := range b.leases {
		if n.Prefix.Contains(a) && !l.Declined && now.Before(l.Expires) {
			count++
		}
	}
	return count
}

// drop gives back what a client was offered. b.mu is held.
func (b *book) drop(who client) {
	if o, ok := b.held[who]; ok {
		delete(b.held, who)
		delete(b.offers, o.addr)
		b.mark(o.addr)
	}
}

func (b *book) dropOffer(who client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(who)
}

// expire gives back the offers that nobody took in time. b.mu is held.
func (b *book) expire(now time.Time) {
	i := 0
	for ; i < len(b.queue) && !now.Before(b.queue[i].until); i++ {
		if o := b.queue[i]; b.held[o.who] == o {
			b.drop(o.who)
		}
	}
	if b.queue = b.queue[i:]; len(b.queue) == 0 {
		b.queue = nil // or what it slid over would stay for ever
	}
}

// hold offers addr to a client. b.mu is held.
func (b *book) hold(who client, addr netip.Addr, probe probeState, now time.Time) *offer {
	if o, ok := b.held[who]; ok && o.addr == addr {
		probe = o.probe
	}
	b.drop(who)
	o := &offer{who: who, addr: addr, until: now.Add(holdFor), probe: probe}
	b.offers[addr], b.held[who] = o, o
	if len(b.queue) > 2*len(b.held)+1024 { // a client that asks over and over leaves dead ones
		b.queue = slices.DeleteFunc(b.queue, func(o *offer) bool { return b.held[o.who] != o })
	}
	b.queue = append(b.queue, o)
	b.mark(addr)
	return o
}

// free says whether nobody but who has addr or was offered it. b.mu is held.
func (b *book) free(addr netip.Addr, who client, now time.Time) bool {
	if l, ok := b.leases[addr]; ok && now.Before(l.Expires) && (l.Declined || l.MAC != who.mac) {
		return false
	}
	o, ok := b.offers[addr]
	return !ok || o.who == who || !now.Before(o.until)
}

// choose finds an address to offer and holds it: the reserved one, the offer
// that is out, the client's own lease, what it asks for, or one that nobody
// has (RFC 2131, 4.3.1). What was not this client's wants a probe. nil: there
// is none.
func (b *book) choose(n *network, who client, want netip.Addr, res *kept, server netip.Addr, now time.Time) *offer {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire(now)
	mine := netip.Addr{}
	own, had := b.owned[who]
	if had && now.Before(own.Expires) {
		mine = own.Address
	}
	state := func(a netip.Addr) probeState {
		if a == mine {
			return probeClear
		}
		return probeWanted
	}
	if res != nil && res.Address.IsValid() {
		a := res.Address
		if !b.free(a, who, now) && (res.Circuit == "" && res.ClientID == "" || b.declined(a, now)) {
			return nil
		}
		return b.hold(who, a, state(a), now) // who is plugged in there now gets it, if the one before is gone
	}
	candidates := [3]netip.Addr{}
	if o, ok := b.held[who]; ok {
		candidates[0] = o.addr
	}
	if had {
		candidates[1] = own.Address
	}
	candidates[2] = want
	for _, c := range candidates {
		if c.IsValid() && n.usable(c, server) && b.free(c, who, now) {
			return b.hold(who, c, state(c), now)
		}
	}
	search := b.search
	if who.six {
		search = b.search6
	}
	if a := search(n, who, now); a.IsValid() {
		return b.hold(who, a, probeWanted, now)
	}
	return nil
}

func (b *book) declined(a netip.Addr, now time.Time) bool {
	l, ok := b.leases[a]
	return ok && l.Declined && now.Before(l.Expires)
}

// search walks the ranges from a place that depends on the MAC, so that a
// machine tends to get the same address even when its lease was forgotten.
// Neighbours by MAC, as the machines of one delivery are, are neighbours by
// address: what a rack that powers on writes to disk lies close together. An
// address that never was anybody's is preferred to one whose lease ran out.
func (b *book) search(n *network, who client, now time.Time) netip.Addr {
	const near = 64
	h, mac := fnv.New32a(), who.mac
	mac[5] &^= near - 1
	_, _ = h.Write(mac[:]) // never fails (hash.Hash)
	group, place := uint64(h.Sum32()), uint64(who.mac[5]%near)
	runs := b.maps[n]
	for i := range runs {
		if a := runs[(int(group%uint64(len(runs)))+i)%len(runs)].search(group*near + place); a.IsValid() {
			return a
		}
	}
	return b.oldest(n, now)
}

// search6 looks at some places of an IPv6 range, which depend on the MAC: a
// range is either so large that one of them is free, or small enough to look
// at all.
func (b *book) search6(n *network, who client, now time.Time) netip.Addr {
	h := fnv.New64a()
	_, _ = h.Write(who.mac[:]) // never fails (hash.Hash)
	sum := h.Sum64()
	for _, r := range n.Ranges() {
		first, last := low64(r.First), low64(r.Last)
		size := last - first + 1 // 0: all 2^64
		tries := uint64(1024)
		if size != 0 {
			tries = min(tries, size)
		}
		for i := range tries {
			k := sum + i
			if size != 0 {
				k %= size
			}
			a := with64(r.First, first+k)
			if n.usable(a, netip.Addr{}) && b.free(a, who, now) {
				return a
			}
		}
	}
	return netip.Addr{}
}

func low64(a netip.Addr) uint64 {
	b := a.As16()
	return binary.BigEndian.Uint64(b[8:])
}

func with64(a netip.Addr, low uint64) netip.Addr {
	b := a.As16()
	binary.BigEndian.PutUint64(b[8:], low)
	return netip.AddrFrom16(b)
}

// search returns a free address of r, from a place on.
func (r *span) search(sum uint64) netip.Addr {
	start := sum % r.size
	words := uint64(len(r.used))
	for i := range words + 1 {
		w := (start/64 + i) % words
		free := ^(r.used[w] | r.never[w])
		if i == 0 {
			free &= ^uint64(0) << (start % 64)
		}
		if free != 0 {
			return address(r.first + w*64 + uint64(bits.TrailingZeros64(free)))
		}
	}
	return netip.Addr{}
}

// oldest returns the address whose lease ran out longest ago. All are looked
// at once a second at most, however many ask of a network that is full.
func (b *book) oldest(n *network, now time.Time) netip.Addr {
	if len(b.stale[n]) == 0 && now.Sub(b.looked[n]) >= time.Second {
		b.looked[n] = now
		var list []*pool.Lease
		for a, l := range b.leases {
			if !now.Before(l.Expires) && n.InRange(a) {
				list = append(list, l)
			}
		}
		slices.SortFunc(list, func(x, y *pool.Lease) int { return x.Expires.Compare(y.Expires) })
		b.stale[n] = list
	}
	for list := b.stale[n]; len(list) > 0; list = b.stale[n] {
		l := list[0]
		b.stale[n] = list[1:]
		_, offered := b.offers[l.Address]
		if _, kept := n.keeps.taken[l.Address]; b.leases[l.Address] == l && !offered && !kept {
			return l.Address
		}
	}
	return netip.Addr{}
}

// claim checks that who may have addr bound, and keeps others from it
// meanwhile. It returns why not; used says that somebody else answered for it.
func (b *book) claim(n *network, who client, addr netip.Addr, res *kept, server netip.Addr, now time.Time) (why string, used bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire(now)
	if res != nil && res.Address.IsValid() {
		if addr != res.Address {
			return "address is not for you", false
		}
		if !b.free(addr, who, now) && (res.Circuit == "" && res.ClientID == "" || b.declined(addr, now)) {
			return "address is taken", false
		}
	} else if !addr.IsValid() || !n.usable(addr, server) {
		return "address is not for you", false
	} else if !b.free(addr, who, now) {
		return "address is taken", false
	}
	if o, ok := b.held[who]; ok && o.addr == addr && o.probe == probeUsed {
		return "", true
	}
	b.hold(who, addr, probeClear, now)
	return "", false
}
