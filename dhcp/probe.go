package dhcp

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"time"

	"appliance/pool"
)

const (
	// probeTime is how long a fresh address is asked for: two probes, the
	// second after a third of it. RFC 5227 waits seconds; firmware does not.
	probeTime = 300 * time.Millisecond
	// maxHeldOffers is how many OFFERs wait for their probe at a time. In a storm
	// those beyond it go out at once; an answer that comes before the REQUEST
	// still makes that a NAK.
	maxHeldOffers = 64
	// probeWatch is how long an answer to a probe still counts.
	probeWatch = 5 * time.Second
)

// probeState is what is known of an offered address.
type probeState uint8

const (
	probeClear  probeState = iota // it was the client's, or nobody answered for it
	probeWanted                   // it is to be asked for
	probeAsking                   // it was asked for
	probeUsed                     // somebody answered
)

// prober asks whether an address that was nobody's is used: by ARP on the
// link, by ICMP echo behind relay agents.
//
//	wanted ─▶ asking ─▶ nobody within probeTime ─▶ clear: OFFER
//	             └────▶ answered ─▶ used: set aside, the next address; NAK if the OFFER is out
type prober struct {
	// send sends probes for addresses, on the link or behind a relay agent. nil: nothing is probed.
	send func(list []netip.Addr, local bool)
	// resume goes on with an exchange whose address turned out as it did.
	resume func(x *exchange, o *offer)

	book   *book
	mu     sync.Mutex
	asked  map[netip.Addr]*question
	fifo   []*question     // in order of at
	held   []*question     // those whose exchange waits
	unsent [2][]netip.Addr // behind relay agents; on the link
	wake   chan struct{}
}

// question is an address that was asked for.
type question struct {
	offer *offer
	x     *exchange // waits for the outcome; nil: its OFFER is out
	local bool
	at    time.Time
	twice bool // asked a second time
	over  bool
}

func (p *prober) init(b *book) {
	p.book, p.asked, p.wake = b, map[netip.Addr]*question{}, make(chan struct{}, 1)
}

// check says whether x's offer may go out: clear, used, or asking, in which
// case the prober keeps x and resumes it. A second DISCOVER of a client whose
// address is being asked for is dropped: the first will be answered.
func (p *prober) check(x *exchange, o *offer) probeState {
	p.book.mu.Lock()
	state := o.probe
	p.book.mu.Unlock()
	if state == probeUsed {
		return probeUsed
	}
	if state == probeClear || p.send == nil || x.net.NoProbe {
		return probeClear
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if q, ok := p.asked[o.addr]; ok && !q.over && q.offer.who == o.who {
		q.offer = o
		if q.x == nil {
			return probeClear // its OFFER went out while others waited
		}
		return probeAsking
	}
	q := &question{offer: o, local: x.local, at: x.now}
	p.asked[o.addr] = q
	p.fifo = append(p.fifo, q)
	p.ask(q)
	if len(p.held) >= maxHeldOffers {
		return probeClear
	}
	p.held = append(p.held, q)
	q.x = x
	return probeWanted
}

// ask queues a probe. p.mu is held.
func (p *prober) ask(q *question) {
	i := 0
	if q.local {
		i = 1
	}
	p.unsent[i] = append(p.unsent[i], q.offer.addr)
	select {
	case p.wake <- struct{}{}:
	default: // it is awake already
	}
}

// answered takes note that mac, or somebody unknown, answers for addr.
func (p *prober) answered(addr netip.Addr, mac pool.MAC) {
	p.mu.Lock()
	q, ok := p.asked[addr]
	if !ok || q.over || mac == q.offer.who.mac {
		p.mu.Unlock()
		return // nobody asked, or the client itself, which has the address from before
	}
	x := p.end(q)
	p.mu.Unlock()
	p.book.mu.Lock()
	q.offer.probe = probeUsed
	p.book.mu.Unlock()
	if x != nil {
		p.resume(x, q.offer)
	}
}

// end takes a question off the table. p.mu is held.
func (p *prober) end(q *question) *exchange {
	x := q.x
	q.over, q.x = true, nil
	if x != nil {
		p.held = slices.DeleteFunc(p.held, func(o *question) bool { return o == q })
	}
	if p.asked[q.offer.addr] == q {
		delete(p.asked, q.offer.addr)
	}
	return x
}

// tick sends what is to be sent and ends what waited long enough. It returns
// when to call it next; zero: when woken.
func (p *prober) tick(now time.Time) time.Duration {
	p.mu.Lock()
	var clear []*offer // taken down under p.mu: check may give a question a newer one
	var xs []*exchange
	next := time.Duration(0)
	p.held = slices.DeleteFunc(p.held, func(q *question) bool {
		age := now.Sub(q.at)
		if age >= probeTime {
			clear, xs = append(clear, q.offer), append(xs, q.x)
			q.x = nil
			return true
		}
		if age >= probeTime/3 && !q.twice {
			q.twice = true
			p.ask(q)
		}
		next = 10 * time.Millisecond
		return false
	})
	i := 0
	for ; i < len(p.fifo) && (p.fifo[i].over || now.Sub(p.fifo[i].at) > probeWatch && p.fifo[i].x == nil); i++ {
		if q := p.fifo[i]; !q.over {
			p.end(q)
		}
	}
	if p.fifo = p.fifo[i:]; len(p.fifo) == 0 {
		p.fifo = nil
	}
	send := p.unsent
	p.unsent = [2][]netip.Addr{}
	p.mu.Unlock()
	for i, list := range send {
		if len(list) > 0 {
			p.send(list, i == 1)
		}
	}
	for i, o := range clear {
		p.book.mu.Lock()
		if o.probe != probeUsed {
			o.probe = probeClear
		}
		p.book.mu.Unlock()
		p.resume(xs[i], o)
	}
	return next
}

// run ticks until done is closed. What still waits then is dropped.
func (p *prober) run(done <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if next := p.tick(time.Now()); next > 0 {
			timer.Reset(next)
		} else {
			timer.Reset(probeWatch)
		}
		select {
		case <-done:
			return
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// arpQuestion returns the server's ARP request for addr (RFC 826). It names its
// sender: an ARP Probe, which does not, tells a client that tries the address
// just then that another one wants it (RFC 5227, 2.1.1).
func arpQuestion(self pool.MAC, sender, addr netip.Addr) []byte {
	b := make([]byte, 28)
	binary.BigEndian.PutUint16(b, 1) // Ethernet
	binary.BigEndian.PutUint16(b[2:], etherIPv4)
	b[4], b[5] = 6, 4
	binary.BigEndian.PutUint16(b[6:], 1) // request
	copy(b[8:], self[:])
	if sender.Is4() {
		from := sender.As4()
		copy(b[14:], from[:])
	}
	t := addr.As4()
	copy(b[24:], t[:])
	return b
}

// arpUser returns who says, by any ARP packet, that it has an address.
func arpUser(frame []byte) (netip.Addr, pool.MAC, bool) {
	if len(frame) < 14+28 || binary.BigEndian.Uint16(frame[12:]) != etherARP {
		return netip.Addr{}, pool.MAC{}, false
	}
	b := frame[14:]
	if binary.BigEndian.Uint16(b) != 1 || binary.BigEndian.Uint16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 {
		return netip.Addr{}, pool.MAC{}, false
	}
	return netip.AddrFrom4([4]byte(b[14:18])), pool.MAC(b[8:14]), true
}

// echo returns an ICMP echo request (RFC 792) of ours.
func echo(b []byte, id, seq uint16) []byte {
	b = append(b[:0], 8, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, seq)
	b = append(b, markText...)
	binary.BigEndian.PutUint16(b[2:], checksum(b, 0))
	return b
}

// echoed says whether an ICMP message answers an echo request with id.
func echoed(b []byte, id uint16) bool {
	return len(b) >= 8+len(markText) && b[0] == 0 && binary.BigEndian.Uint16(b[4:]) == id && string(b[8:8+len(markText)]) == markText
}
