package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"

	"appliance/pool"
)

// engine moves packets: a reader for each socket, shards that decide, a
// binder that stores leases in groups, a sender for each socket.
//
//	recvmmsg ─▶ shard of the MAC ─▶ OFFER, NAK ──────────────────────▶ sendmmsg
//	                  │                                                  ▲
//	                  ├─▶ lease ─▶ binder: one commit for all that wait ─┘
//	                  └─▶ fresh address ─▶ prober ─▶ the shard again
type engine struct {
	s       *Server
	conns   []*ipv4.PacketConn
	senders []*sender
	probing *probing
	shards  [shards]chan *exchange
	binder  batcher
	free    sync.Pool
	work    sync.WaitGroup // shards
	rest    sync.WaitGroup // binder, prober, senders
	done    chan struct{}
}

func (s *Server) newEngine(ctx context.Context, conns []*net.UDPConn) (*engine, error) {
	e := &engine{s: s, done: make(chan struct{})}
	e.free.New = func() any { return &exchange{} }
	e.binder.init()
	raw, mac, err := s.openRaw()
	if err != nil {
		return nil, err
	}
	for _, c := range conns {
		pc := ipv4.NewPacketConn(c)
		if err := pc.SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true); err != nil {
			return nil, err
		}
		e.conns = append(e.conns, pc)
		out := &sender{s: s, pc: pc, raw: raw, mac: mac, free: &e.free}
		out.queue.init()
		e.senders = append(e.senders, out)
	}
	if s.Interface != "" {
		if e.probing, err = s.openProbing(ctx); err != nil {
			e.close()
			return nil, err
		}
		s.prober.send = e.probing.send
	}
	s.prober.resume = func(x *exchange, o *offer) {
		s.book.mu.Lock()
		x.offer, x.probed = o, o.probe
		s.book.mu.Unlock()
		e.dispatch(x)
	}
	for i := range e.shards {
		e.shards[i] = make(chan *exchange, perShard)
	}
	return e, nil
}

func (e *engine) close() {
	if len(e.senders) > 0 && e.senders[0].raw != nil {
		_ = e.senders[0].raw.Close() // it only sends; nothing is lost
	}
	if e.probing != nil {
		e.probing.close()
	}
}

// start starts all but the readers.
func (e *engine) start(ctx context.Context) {
	for i := range e.shards {
		e.work.Go(func() {
			for {
				select {
				case <-e.done:
					return
				case x := <-e.shards[i]:
					e.handle(ctx, x)
				}
			}
		})
	}
	e.rest.Go(func() { e.bind(ctx) })
	e.rest.Go(func() { e.s.prober.run(e.done) })
	for _, out := range e.senders {
		e.rest.Go(out.run)
	}
}

// stop ends what start started, after what was stored is answered.
func (e *engine) stop() {
	close(e.done)
	e.work.Wait()
	e.binder.end()
	for _, out := range e.senders {
		out.queue.end()
	}
	e.rest.Wait()
}

// dispatch hands x to the shard of its MAC; what a shard has no room for is dropped.
func (e *engine) dispatch(x *exchange) {
	m := &x.req.mac
	h := (uint32(m[2])<<24 | uint32(m[3])<<16 | uint32(m[4])<<8 | uint32(m[5])) * 2654435761
	select {
	case e.shards[h>>26] <- x:
	default:
		e.s.stats.dropped.Add(1)
		e.free.Put(x)
	}
}

const (
	batch      = 64   // packets in one system call
	maxRequest = 1600 // bytes of one; more is no DHCP message of ours
)

// read is the read loop of one socket. It returns why it ended.
func (e *engine) read(ctx context.Context, i int) error {
	msgs := make([]ipv4.Message, batch)
	for k := range msgs {
		msgs[k].Buffers = [][]byte{make([]byte, maxRequest)}
		msgs[k].OOB = make([]byte, 64)
	}
	for {
		n, err := e.conns[i].ReadBatch(msgs, 0)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		e.s.stats.received.Add(uint64(n))
		for k := range msgs[:n] {
			m, x := &msgs[k], e.free.Get().(*exchange)
			x.in = append(x.in[:0], m.Buffers[0][:m.N]...)
			if !x.req.read(x.in) {
				e.s.stats.malformed.Add(1)
				e.free.Put(x)
				continue
			}
			x.reset(addrOf(m.Addr), destination(m.OOB[:m.NN]), i == 1, now)
			e.dispatch(x)
		}
	}
}

// reset readies an exchange, whose request was read, for being decided.
func (x *exchange) reset(src netip.AddrPort, dst netip.Addr, proxy bool, now time.Time) {
	x.src, x.dst, x.proxy, x.now = src, dst, proxy, now
	x.client = classify(&x.req)
	x.net, x.local, x.direct, x.kept = nil, false, false, nil
	x.answer, x.lease, x.out = pool.BootAnswer{}, pool.Lease{}, reply{}
	x.tries, x.offer, x.probed = 0, nil, probeClear
}

// handle decides on a request: the edge that logs.
func (e *engine) handle(ctx context.Context, x *exchange) {
	decide := e.s.decide
	if x.offer != nil {
		decide = e.s.resumed
	}
	v, err := decide(ctx, x)
	e.finish(ctx, x, v, err)
}

func (e *engine) finish(ctx context.Context, x *exchange, v verdict, err error) {
	if err != nil && ctx.Err() == nil {
		e.s.stats.failed.Add(1)
		e.s.log().Warn("request not answered", "mac", x.req.mac.String(), "type", x.req.kind, "err", err)
	}
	switch v {
	case answer:
		x.to, x.buf = x.routed(), x.out.b
		i := 0
		if x.proxy {
			i = 1
		}
		e.senders[i].queue.add(x)
	case store:
		e.binder.add(x)
	case silence:
		e.free.Put(x)
	case wait: // the prober has it
	}
}

// bind stores leases: all that wait, while the group before was committed, are
// the next group.
func (e *engine) bind(ctx context.Context) {
	late := context.WithoutCancel(ctx) // what is asked of the store is waited for
	leases := make([]pool.Lease, 0, maxBind)
	for {
		group := e.binder.take(maxBind)
		if group == nil {
			return
		}
		leases = leases[:0]
		for _, x := range group {
			leases = append(leases, x.lease)
		}
		for i, err := range e.s.Leases.BindAll(late, leases) {
			v, err := e.s.stored(late, group[i], err)
			e.finish(ctx, group[i], v, err)
		}
	}
}

const maxBind = 512

// batcher collects exchanges for a goroutine that takes many at a time.
type batcher struct {
	mu    sync.Mutex
	list  []*exchange
	spare []*exchange
	ended bool
	wake  chan struct{}
}

func (b *batcher) init() { b.wake = make(chan struct{}, 1) }

func (b *batcher) add(x *exchange) {
	b.mu.Lock()
	b.list = append(b.list, x)
	b.mu.Unlock()
	b.poke()
}

func (b *batcher) poke() {
	select {
	case b.wake <- struct{}{}:
	default: // it is awake already
	}
}

// take returns what was added, limit of it at most, and waits for some; nil
// once the batcher has ended and is empty. The slice is good until the next call.
func (b *batcher) take(limit int) []*exchange {
	for {
		b.mu.Lock()
		if n := min(len(b.list), limit); n > 0 {
			b.spare = append(b.spare[:0], b.list[:n]...)
			b.list = append(b.list[:0], b.list[n:]...)
			b.mu.Unlock()
			return b.spare
		}
		ended := b.ended
		b.mu.Unlock()
		if ended {
			return nil
		}
		<-b.wake
	}
}

func (b *batcher) end() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.poke()
}

// destination reads the address that a packet was sent to from its control
// message (IP_PKTINFO); zero when that is not there.
func destination(oob []byte) netip.Addr {
	var cm ipv4.ControlMessage
	if len(oob) == 0 || cm.Parse(oob) != nil {
		return netip.Addr{}
	}
	return addr4(cm.Dst)
}

func addrOf(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok {
		ap := u.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

var errNoEthernet = fmt.Errorf("%w: it is no Ethernet interface", pool.ErrInvalid)

// refused says whether err is of one packet and not of its socket.
func refused(err error) bool { return err != nil && !errors.Is(err, net.ErrClosed) }
