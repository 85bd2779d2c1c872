package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"appliance/pool"
)

// maxGroup bounds how many writes share one transaction.
const maxGroup = 1024

// write is one write that waits to be committed: either lean, or do. do may be
// called more than once, in different transactions, and must not act on
// anything but tx and variables that it sets anew each time.
type write struct {
	lean *lean
	do   func(ctx context.Context, tx *sql.Tx) error
	// change is what do writes, as far as the cache is concerned.
	change *pool.Change
	gone   gone // beside the change
	// beside: do writes nothing that is cached.
	beside bool
	done   chan error
}

// writer owns the only connection that writes. Writes that come while a
// commit is under way form the next group: one transaction, one fsync.
type writer struct {
	db    *sql.DB
	store *DB
	group *group // what the transaction under way has written

	mu      sync.Mutex
	waiting []*write
	closed  bool
	wake    chan struct{}
	ended   chan struct{}
}

func newWriter(db *sql.DB, store *DB) *writer {
	return &writer{db: db, store: store, group: newGroup(store), wake: make(chan struct{}, 1)}
}

// start starts the writing goroutine; close ends it.
func (w *writer) start() {
	w.ended = make(chan struct{})
	go w.run()
}

func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	if w.ended != nil {
		w.poke()
		<-w.ended
	}
	return w.db.Close()
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

// write commits do. It returns do's error, or the commit's. A context that
// has ended is refused at the door; from then on write waits for the outcome,
// so an error always means that nothing was stored.
func (w *writer) write(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return w.submit(ctx, &write{do: do})
}

// beside is write for what is never cached: logs, leases, boot events, settings.
func (w *writer) beside(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return w.submit(ctx, &write{do: do, beside: true})
}

func (w *writer) submit(ctx context.Context, x *write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.done = make(chan error, 1)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return fmt.Errorf("%w: the store is closed", pool.ErrUnavailable)
	}
	w.waiting = append(w.waiting, x)
	w.mu.Unlock()
	w.poke()
	return kind(<-x.done)
}

func (w *writer) run() {
	defer close(w.ended)
	for range w.wake {
		for {
			w.mu.Lock()
			n := min(len(w.waiting), maxGroup)
			group := w.waiting[:n:n]
			w.waiting = w.waiting[n:]
			closed := w.closed
			w.mu.Unlock()
			if n == 0 {
				if closed {
					return
				}
				break
			}
			w.commit(group)
		}
	}
}

// commit stores group in one transaction. When something spoils the
// transaction itself (a full disk, say), each write is tried alone, so that
// it hits only those whom it concerns.
func (w *writer) commit(group []*write) {
	results, err := w.together(group)
	if err != nil && len(group) > 1 {
		for _, x := range group {
			_, err := w.together([]*write{x})
			x.done <- err
		}
		return
	}
	for i, x := range group {
		if err != nil {
			x.done <- err
		} else {
			x.done <- results[i]
		}
	}
}

// together runs group in one transaction. The results are those of each
// write; the error is that of the transaction, in which case nothing of it
// was stored. For a group of one the result is the error. The cache is in line
// with what was stored when together returns.
func (w *writer) together(writes []*write) (_ []error, err error) {
	ctx := context.Background() // never a caller's: one who leaves must not undo the others' writes
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // the pool keeps it; the transaction has ended
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	g, results := w.group, make([]error, len(writes))
	g.begin(conn, tx)
	w.store.cache.revs(writes)
	for i, x := range writes {
		if x.lean != nil {
			results[i] = g.add(ctx, x.lean)
		} else {
			results[i], err = w.one(ctx, g, x, len(writes) == 1)
		}
		if err == nil && results[i] != nil && (spoils(results[i]) || len(writes) == 1) {
			err = results[i]
		}
		if err != nil {
			return nil, undo(tx, err)
		}
	}
	if err := g.flush(ctx); err != nil {
		return nil, undo(tx, err)
	}
	w.store.cache.commit.Lock()
	defer w.store.cache.commit.Unlock()
	if err := tx.Commit(); err != nil {
		w.store.cache.clear() // it may be stored all the same: read again
		return nil, err
	}
	for i, x := range writes {
		if results[i] == nil {
			w.publish(x)
		}
	}
	return results, nil
}

// one runs a write that is not lean, with a savepoint around it unless it is
// alone. The second error is that of the transaction.
func (w *writer) one(ctx context.Context, g *group, x *write, alone bool) (result, err error) {
	if err := g.flush(ctx); err != nil { // it may look at what was written before it
		return nil, err
	}
	if !x.beside {
		defer func() {
			if result == nil {
				g.wrote(x.change, x.gone)
			}
		}()
	}
	if alone {
		return x.do(ctx, g.tx), nil
	}
	if _, err := g.tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return nil, err
	}
	end := "RELEASE one"
	if result = x.do(ctx, g.tx); result != nil {
		if spoils(result) {
			return result, result
		}
		end = "ROLLBACK TO one; RELEASE one"
	}
	_, err = g.tx.ExecContext(ctx, end)
	return result, err
}

// publish brings the cache in line with a write that was committed: the rows
// of its change get their new Rev here, before anybody can read them.
func (w *writer) publish(x *write) {
	switch {
	case x.change != nil:
		bump(x.change)
		w.store.cache.applied(x.change, x.gone)
	case !x.beside:
		w.store.cache.clear()
	}
}

// undo rolls tx back and returns err. SQLite may have rolled it back itself.
func undo(tx *sql.Tx, err error) error {
	if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) && !spoils(err) {
		return errors.Join(err, e)
	}
	return err
}
