package dhcp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"appliance/pool"
)

// maxOptions bounds the options of a subnet: an answer has to fit a packet.
const maxOptions = 500

// defaultLease is the lease time of a subnet that names none.
const defaultLease = time.Hour

// network is a subnet, made ready to answer from.
type network struct {
	pool.Subnet
	lease   time.Duration
	options []rawOption // of an OFFER or ACK, before a client's own
	wire    []byte      // options, as they go out
	boots   []byte      // wire without bootCodes
	keeps   reservations
	mode    atomic.Int32 // what it does now: modeOf…
	local   bool         // it is the interface's own
}

// What a network does now.
const (
	modeServer int32 = iota
	modeProxy
	modeOff
	modeUndecided // auto, and still listening for other servers
)

// reservations of a network, by what names their client.
type reservations struct {
	byMAC     map[pool.MAC]*kept
	byID      map[string]*kept // hexadecimal
	byCircuit map[string]*kept
	taken     map[netip.Addr]*kept
}

// kept is a reservation, made ready.
type kept struct {
	pool.Reservation
	options []rawOption
}

// of returns the reservation of a client, if there is one.
func (k *reservations) of(mac pool.MAC, id, circuit string) *kept {
	if r, ok := k.byMAC[mac]; ok {
		return r
	}
	if r, ok := k.byID[id]; ok && id != "" {
		return r
	}
	if r, ok := k.byCircuit[circuit]; ok && circuit != "" {
		return r
	}
	return nil
}

func (k *reservations) add(n pool.Subnet, r pool.Reservation) error {
	bad := func(why string) error {
		return fmt.Errorf("%w: subnet %s: reservation %s: %s", pool.ErrInvalid, n.Prefix, r.Key(), why)
	}
	if r.Key() == "" {
		return bad("want a MAC, a client identifier or a circuit")
	}
	if r.Address.IsValid() && !n.Prefix.Contains(r.Address) {
		return bad(fmt.Sprintf("%s is no address inside it", r.Address))
	}
	if r.Hostname != "" && hostname([]byte(r.Hostname)) == "" {
		return bad(fmt.Sprintf("%q is no host name", r.Hostname))
	}
	options, err := rawOptions(r.Options)
	if err != nil {
		return bad(err.Error())
	}
	x := &kept{r, options}
	if r.Address.IsValid() {
		if other, ok := k.taken[r.Address]; ok && other.Key() != r.Key() {
			return bad(fmt.Sprintf("%s is reserved for %s, too", r.Address, other.Key()))
		}
		k.taken[r.Address] = x
	}
	switch {
	case !r.MAC.IsZero():
		k.byMAC[r.MAC] = x
	case r.ClientID != "":
		k.byID[r.ClientID] = x
	default:
		k.byCircuit[r.Circuit] = x
	}
	return nil
}

// plan is what is served: the networks, and who stands for them.
type plan struct {
	networks []*network
	byRelay  map[netip.Addr]*network
}

// find returns the network of an address.
func (p *plan) find(a netip.Addr) *network {
	for _, n := range p.networks {
		if n.Prefix.Contains(a) {
			return n
		}
	}
	return nil
}

// behind returns the network that a relay agent stands for.
func (p *plan) behind(relay netip.Addr) *network {
	if n, ok := p.byRelay[relay]; ok {
		return n
	}
	return p.find(relay)
}

// newPlan compiles subnets. more are reservations from elsewhere than the
// configuration; those that fit no subnet are left out.
func newPlan(subnets []pool.Subnet, more []pool.Reservation, own ...netip.Addr) (*plan, error) {
	p := &plan{byRelay: map[netip.Addr]*network{}}
	for _, s := range subnets {
		if err := checkRanges(s); err != nil {
			return nil, err
		}
		n := &network{Subnet: s, lease: s.Lease, keeps: reservations{
			byMAC: map[pool.MAC]*kept{}, byID: map[string]*kept{}, byCircuit: map[string]*kept{}, taken: map[netip.Addr]*kept{},
		}}
		if n.lease <= 0 {
			n.lease = defaultLease
		}
		for _, a := range own {
			n.local = n.local || s.Prefix.Contains(a)
		}
		for _, o := range p.networks {
			if o.Prefix.Overlaps(s.Prefix) {
				return nil, fmt.Errorf("%w: subnet %s overlaps subnet %s", pool.ErrInvalid, s.Prefix, o.Prefix)
			}
		}
		if err := n.reserve(more); err != nil {
			return nil, err
		}
		if s.Prefix.Addr().Is4() {
			if err := n.compile(); err != nil {
				return nil, err
			}
		} else if _, err := options6(s.Options); err != nil {
			return nil, fmt.Errorf("subnet %s: %w", s.Prefix, err)
		}
		for _, r := range s.Relays {
			if other, ok := p.byRelay[r]; ok {
				return nil, fmt.Errorf("%w: relay %s stands for %s and %s", pool.ErrInvalid, r, other.Prefix, s.Prefix)
			}
			p.byRelay[r] = n
		}
		p.networks = append(p.networks, n)
	}
	return p, nil
}

func checkRanges(s pool.Subnet) error {
	if !s.Prefix.IsValid() {
		return fmt.Errorf("%w: subnet %s: prefix is missing", pool.ErrInvalid, s.Name)
	}
	for _, r := range s.Ranges() {
		wide := r.First.Is6() && r.Last.Is6() && with64(r.First, 0) != with64(r.Last, 0)
		if !s.Prefix.Contains(r.First) || !s.Prefix.Contains(r.Last) || r.Last.Less(r.First) || wide {
			return fmt.Errorf("%w: subnet %s: first %s to last %s is no range inside it", pool.ErrInvalid, s.Prefix, r.First, r.Last)
		}
	}
	for _, r := range s.Exclude {
		if !r.First.IsValid() || !r.Last.IsValid() || r.Last.Less(r.First) {
			return fmt.Errorf("%w: subnet %s: exclude %s to %s is no range", pool.ErrInvalid, s.Prefix, r.First, r.Last)
		}
	}
	switch s.Mode {
	case "", pool.SubnetAuto, pool.SubnetServer, pool.SubnetProxy, pool.SubnetOff:
	default:
		return fmt.Errorf("%w: subnet %s: mode %q: want server, proxy, off or auto", pool.ErrInvalid, s.Prefix, s.Mode)
	}
	return nil
}

// reserve takes the reservations of the configuration, and of more those that are for n.
func (n *network) reserve(more []pool.Reservation) error {
	for mac, text := range n.Reserve {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("%w: subnet %s: reserve %s: %q is no address", pool.ErrInvalid, n.Prefix, mac, text)
		}
		if err := n.keeps.add(n.Subnet, pool.Reservation{MAC: mac, Address: a}); err != nil {
			return err
		}
	}
	for _, r := range n.Reservations {
		if err := n.keeps.add(n.Subnet, r); err != nil {
			return err
		}
	}
	for _, r := range more {
		if r.Address.IsValid() && n.Prefix.Contains(r.Address) {
			if err := n.keeps.add(n.Subnet, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// compile makes the options of an OFFER or ACK.
func (n *network) compile() error {
	extra, err := rawOptions(n.Subnet.Options)
	if err != nil {
		return fmt.Errorf("subnet %s: %w", n.Prefix, err)
	}
	seconds := func(d time.Duration) []byte { return binary.BigEndian.AppendUint32(nil, uint32(d/time.Second)) }
	mask := binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-n.Prefix.Bits()))
	list := []rawOption{
		{optLeaseTime, seconds(n.lease)}, {optRenew, seconds(n.lease / 2)}, {optRebind, seconds(n.lease * 7 / 8)}, {optMask, mask},
	}
	if n.Router.Is4() {
		list = append(list, rawOption{optRouter, n.Router.AsSlice()})
	}
	var dns []byte
	for _, a := range n.DNS {
		if a.Is4() {
			dns = append(dns, a.AsSlice()...)
		}
	}
	if len(dns) > 0 {
		list = append(list, rawOption{optDNS, dns})
	}
	if n.Domain != "" {
		list = append(list, rawOption{optDomain, []byte(n.Domain)})
	}
	if n.MTU > 0 {
		list = append(list, rawOption{optMTU, binary.BigEndian.AppendUint16(nil, uint16(n.MTU))})
	}
	n.options = merge(extra, list)
	n.wire, n.boots = wireOptions(n.options), wireOptions(slices.DeleteFunc(slices.Clone(n.options), rawOption.bootCode))
	if len(n.wire) > maxOptions {
		return fmt.Errorf("%w: subnet %s: its options take %d bytes; clients take answers with %d", pool.ErrInvalid, n.Prefix, len(n.wire), maxOptions)
	}
	return nil
}

// usable says whether a client without reservation may have addr, as far as
// the configuration goes.
func (n *network) usable(addr, server netip.Addr) bool {
	if !n.InRange(addr) || !n.Prefix.Contains(addr) || addr == server || addr == n.Router {
		return false
	}
	if addr.Is4() && n.Prefix.Bits() < 31 && (addr == n.Prefix.Masked().Addr() || addr == broadcast(n.Prefix)) {
		return false
	}
	_, kept := n.keeps.taken[addr]
	return !kept
}

func number(a netip.Addr) uint64 {
	b := a.As4()
	return uint64(binary.BigEndian.Uint32(b[:]))
}

func address(n uint64) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// broadcast returns the last address of an IPv4 prefix.
func broadcast(p netip.Prefix) netip.Addr {
	return address(number(p.Masked().Addr()) | (1<<(32-p.Bits()) - 1))
}

// CheckSubnets says whether a Server takes subnets. Errors wrap pool.ErrInvalid.
func CheckSubnets(subnets []pool.Subnet) error {
	_, err := newPlan(subnets, nil)
	return err
}
