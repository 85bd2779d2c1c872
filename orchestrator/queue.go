package orchestrator

import (
	"context"
	"sync"
	"time"
)

// queue says which key gets a tick now: each key is worked on by one worker
// at a time, and a key added while it is worked on comes again. It holds no
// truth: it is refilled from the tables at start. The zero value is ready.
type queue struct {
	mu     sync.Mutex
	ready  []string
	queued map[string]bool
	busy   map[string]bool
	timers map[string]*alarm
	bell   chan struct{}
	closed bool
}

type alarm struct {
	at time.Time
	t  *time.Timer
}

func (q *queue) init() {
	if q.queued == nil {
		q.queued, q.busy = map[string]bool{}, map[string]bool{}
		q.timers, q.bell = map[string]*alarm{}, make(chan struct{}, 1)
	}
}

// add asks for a tick of key.
func (q *queue) add(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.push(key)
}

func (q *queue) push(key string) {
	q.init()
	if q.closed || q.queued[key] {
		return
	}
	q.queued[key] = true
	if !q.busy[key] {
		q.ready = append(q.ready, key)
		q.ring()
	}
}

func (q *queue) ring() {
	select {
	case q.bell <- struct{}{}:
	default:
	}
}

// addAt asks for a tick of key at a time; an earlier one that was asked for
// before stands.
func (q *queue) addAt(key string, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.init()
	if q.closed {
		return
	}
	if a := q.timers[key]; a != nil {
		if !at.Before(a.at) {
			return
		}
		a.t.Stop()
	}
	a := &alarm{at: at}
	a.t = time.AfterFunc(time.Until(at), func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.timers[key] == a {
			delete(q.timers, key)
			q.push(key)
		}
	})
	q.timers[key] = a
}

// next blocks until a key is due. The caller must call done with it.
func (q *queue) next(ctx context.Context) (string, bool) {
	for {
		q.mu.Lock()
		q.init()
		if len(q.ready) > 0 {
			key := q.ready[0]
			q.ready = q.ready[1:]
			delete(q.queued, key)
			q.busy[key] = true
			if len(q.ready) > 0 {
				q.ring()
			}
			q.mu.Unlock()
			return key, true
		}
		bell := q.bell
		q.mu.Unlock()
		select {
		case <-bell:
		case <-ctx.Done():
			return "", false
		}
	}
}

// done ends the tick of key.
func (q *queue) done(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, key)
	if q.queued[key] {
		q.ready = append(q.ready, key)
		q.ring()
	}
}

// close stops all timers; nothing is due afterwards.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for k, a := range q.timers {
		a.t.Stop()
		delete(q.timers, k)
	}
}
