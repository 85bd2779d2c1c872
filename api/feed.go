package api

import (
	"sync"

	"appliance/api/wire"
	"appliance/pool"
)

// Feed hands messages that are not stored events to whoever listens to the
// event stream now. The zero value is ready. Publishing never blocks: a
// listener that does not keep up misses messages.
type Feed struct {
	mu   sync.Mutex
	subs map[chan wire.StreamMessage]struct{}
}

// PublishBoot hands on a boot event.
func (f *Feed) PublishBoot(e pool.BootEvent) { f.publish(wire.StreamMessage{Boot: &e}) }

// PublishLog hands on a line of output.
func (f *Feed) PublishLog(l pool.LogLine) { f.publish(wire.StreamMessage{Log: &l}) }

// PublishLive hands on a machine's volatile state.
func (f *Feed) PublishLive(u pool.LiveUpdate) { f.publish(wire.StreamMessage{Live: &u}) }

func (f *Feed) publish(m wire.StreamMessage) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.subs {
		select {
		case ch <- m:
		default:
		}
	}
}

// listen returns a channel of what is published from now on, and what ends it.
func (f *Feed) listen() (<-chan wire.StreamMessage, func()) {
	if f == nil {
		return nil, func() {}
	}
	ch := make(chan wire.StreamMessage, 256)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subs == nil {
		f.subs = map[chan wire.StreamMessage]struct{}{}
	}
	f.subs[ch] = struct{}{}
	return ch, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subs, ch)
	}
}
