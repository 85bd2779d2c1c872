package main

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"appliance/api"
	"appliance/images"
	"appliance/orchestrator"
	"appliance/pool"
	"appliance/store"
)

// bootLog records what is seen of machines that boot. Observers hand events
// to See, which never blocks; Run stores them in batches.
type bootLog struct {
	db      *store.DB
	engine  *orchestrator.Engine
	states  *images.States
	feed    *api.Feed
	log     *slog.Logger
	queue   chan pool.BootEvent
	lost    atomic.Int64
	paths   *images.Paths
	metrics *metrics // nil: nothing is counted
	facts   sync.Map // pool.MAC -> *pool.Facts, nil too: what the last batch found
}

// macAt returns the MAC that leased an address.
func (b *bootLog) macAt(addr netip.Addr) (pool.MAC, bool) {
	l, err := b.db.LeaseAt(context.Background(), addr.Unmap())
	return l.MAC, err == nil && !l.MAC.IsZero()
}

// factsOf returns a machine's facts as they were when it was last seen.
func (b *bootLog) factsOf(mac pool.MAC) *pool.Facts {
	if f, ok := b.facts.Load(mac); ok {
		return f.(*pool.Facts)
	}
	m, err := b.db.MachineByMAC(context.Background(), mac)
	if err != nil {
		return nil
	}
	b.facts.Store(mac, m.Facts)
	return m.Facts
}

// batchEvery is how long an event waits for others to share its write.
const batchEvery = 200 * time.Millisecond

// maxDetail bounds what a machine that nobody vouches for makes us remember:
// file names and paths are its own words.
const maxDetail = 200

// See takes an event; when too many wait, it is counted and dropped. What is
// known of the machine's boot path is so at once: its firmware may ask again
// in the same second.
func (b *bootLog) See(e pool.BootEvent) {
	e.Detail = plain(e.Detail)
	if b.metrics != nil {
		b.metrics.see(e)
	}
	if !e.MAC.IsZero() && b.paths != nil {
		b.paths.Observe(e)
	}
	select {
	case b.queue <- e:
	default:
		b.lost.Add(1)
	}
}

// plain takes out of text what would act on a terminal, and what is too long.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '.'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

// Run stores events until ctx ends, and then what is left.
func (b *bootLog) Run(ctx context.Context) error {
	for {
		var batch []pool.BootEvent
		select {
		case e := <-b.queue:
			batch = append(batch, e)
		case <-ctx.Done():
			b.store(context.WithoutCancel(ctx), b.drain(nil))
			return nil
		}
		select {
		case <-time.After(batchEvery):
		case <-ctx.Done():
		}
		b.store(context.WithoutCancel(ctx), b.drain(batch))
	}
}

func (b *bootLog) drain(batch []pool.BootEvent) []pool.BootEvent {
	for {
		select {
		case e := <-b.queue:
			batch = append(batch, e)
		default:
			return batch
		}
	}
}

func (b *bootLog) store(ctx context.Context, batch []pool.BootEvent) {
	kept := batch[:0]
	for _, e := range batch {
		if e.MAC.IsZero() && e.Address.IsValid() {
			// TFTP and plain files name no MAC: the lease does.
			if l, err := b.db.LeaseAt(ctx, e.Address); err == nil {
				e.MAC = l.MAC
				b.paths.Observe(e)
			}
		}
		if e.MAC.IsZero() {
			continue
		}
		if m, err := b.db.MachineByMAC(ctx, e.MAC); err == nil {
			e.Machine = m.ID
			b.facts.Store(e.MAC, m.Facts)
		}
		if e.Stage == pool.StageExtra && !e.Failed {
			b.engine.AgentFetched(e.MAC)
			b.states.ForgetMAC(e.MAC) // whether it loops is part of the state
		}
		b.feed.PublishBoot(e)
		kept = append(kept, e)
	}
	if len(kept) == 0 {
		return
	}
	if err := b.db.AppendBoot(ctx, kept); err != nil {
		b.log.Warn("boot events not stored", "events", len(kept), "err", err)
	}
	if n := b.lost.Swap(0); n > 0 {
		b.log.Warn("boot events dropped: too many at once", "events", n)
	}
}
