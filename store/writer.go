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
const maxGroup = 256

// write is one write that waits to be committed. do may be called more than
// once, in different transactions, and must not act on anything but tx and
// variables that it sets anew each time.
type write struct {
	do   func(ctx context.Context, tx *sql.Tx) error
	done chan error
}

// writer owns the only connection that writes. Writes that come while a
// commit is under way form the next group: one transaction, one fsync.
type writer struct {
	db *sql.DB

	mu      sync.Mutex
	waiting []*write
	closed  bool
	wake    chan struct{}
	ended   chan struct{}
}

func newWriter(db *sql.DB) *writer {
	return &writer{db: db, wake: make(chan struct{}, 1)}
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
	if err := ctx.Err(); err != nil {
		return err
	}
	x := &write{do: do, done: make(chan error, 1)}
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
// was stored. For a group of one the result is the error.
func (w *writer) together(group []*write) ([]error, error) {
	ctx := context.Background() // never a caller's: one who leaves must not undo the others' writes
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if len(group) == 1 {
		if err := group[0].do(ctx, tx); err != nil {
			return nil, undo(tx, err)
		}
		return []error{nil}, tx.Commit()
	}
	results := make([]error, len(group))
	for i, x := range group {
		if _, err := tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
			return nil, undo(tx, err)
		}
		end := "RELEASE one"
		if results[i] = x.do(ctx, tx); results[i] != nil {
			if spoils(results[i]) {
				return nil, undo(tx, results[i])
			}
			end = "ROLLBACK TO one; RELEASE one"
		}
		if _, err := tx.ExecContext(ctx, end); err != nil {
			return nil, undo(tx, err)
		}
	}
	return results, tx.Commit()
}

// undo rolls tx back and returns err. SQLite may have rolled it back itself.
func undo(tx *sql.Tx, err error) error {
	if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) && !spoils(err) {
		return errors.Join(err, e)
	}
	return err
}
