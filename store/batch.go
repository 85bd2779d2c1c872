package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"

	"appliance/pool"
)

// lean is a change of nothing but steps, instances and events: nearly all
// that an engine at work writes. Its rows cannot collide with others (no
// column of theirs is unique but the key), so once the Revs were compared it
// cannot fail for reasons of its own, needs no savepoint, and shares
// statements with its group. It is encoded by the caller, not by the writer.
type lean struct {
	change    *pool.Change
	steps     []string // documents with the next Rev
	instances []string
	events    []string // documents without Seq, which the column has
	known     []int64  // Revs of steps, then of instances, as they are cached; unknown
	first     int64    // Seq of the first event, once written
}

// unknown is the Rev of a row that is not cached.
const unknown = -1

// newLean returns the lean form of a change, nil if it has none.
func (db *DB) newLean(c *pool.Change) (*lean, error) {
	rest := *c
	rest.Steps, rest.Instances, rest.Events = nil, nil, nil
	if !rest.Empty() {
		return nil, nil
	}
	l := &lean{change: c}
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	buf := *scratch
	for _, s := range c.Steps {
		if s.Rev == 0 && s.Seq >= pool.CommandSeq {
			return nil, nil // old ones are forgotten with it
		}
		if s.Rev > 0 && !db.cache.stays(s) {
			return nil, nil // its machine is in an index, which a lean change leaves alone
		}
		if err := pool.CheckStep(*s); err != nil {
			return nil, err
		}
		if err := put(&l.steps, func() (string, error) { return stepText(buf, s, s.Rev+1) }); err != nil {
			return nil, err
		}
	}
	for _, in := range c.Instances {
		if err := checkInstance(*in); err != nil {
			return nil, err
		}
		if err := put(&l.instances, func() (string, error) { return instanceText(buf, in, in.Rev+1) }); err != nil {
			return nil, err
		}
	}
	for _, e := range c.Events {
		if err := put(&l.events, func() (string, error) { return eventText(buf, e) }); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// scratches are buffers that rows are put into JSON in.
var scratches = sync.Pool{New: func() any {
	b := make([]byte, 0, 4096)
	return &b
}}

// put appends what text returns.
func put(list *[]string, text func() (string, error)) error {
	t, err := text()
	*list = append(*list, t)
	return err
}

// group is what one transaction has written so far.
type group struct {
	db   *DB
	conn *sql.Conn // that tx is on
	tx   *sql.Tx
	revs map[rowKey]int64 // of rows that this transaction wrote
	lost bool             // rows were deleted: revs that are cached do not count

	steps, instances, events []driver.NamedValue // arguments of rows that wait to be written
	at                       map[rowKey]int
	seq                      int64 // last Seq; -1 when it has to be looked up
}

// rowKey names a row.
type rowKey struct{ what, id string }

const (
	aStep      = "step"
	anInstance = "instance"
)

func newGroup(db *DB) *group {
	return &group{db: db, revs: map[rowKey]int64{}, at: map[rowKey]int{}}
}

// begin readies the group, which the writer keeps for its memory, for another
// transaction.
func (g *group) begin(conn *sql.Conn, tx *sql.Tx) {
	g.conn, g.tx, g.lost, g.seq = conn, tx, false, -1
	g.drop()
	clear(g.revs)
}

// drop lets go of the rows that wait.
func (g *group) drop() {
	for _, rows := range []*[]driver.NamedValue{&g.steps, &g.instances, &g.events} {
		clear(*rows)
		*rows = (*rows)[:0]
	}
	clear(g.at)
}

// add compares the Revs of l's rows and lets them wait for flush. An error
// that wraps pool.ErrConflict concerns l alone.
func (g *group) add(ctx context.Context, l *lean) error {
	for i, s := range l.change.Steps {
		if err := g.compare(ctx, rowKey{aStep, s.Key}, s.Rev, l.known[i]); err != nil {
			return err
		}
	}
	for i, in := range l.change.Instances {
		if err := g.compare(ctx, rowKey{anInstance, in.ID}, in.Rev, l.known[len(l.change.Steps)+i]); err != nil {
			return err
		}
	}
	if len(l.events) > 0 && g.seq < 0 {
		var err error
		if g.seq, err = lastSeq(ctx, g.tx, "events"); err != nil {
			return err
		}
	}
	for i, s := range l.change.Steps {
		g.revs[rowKey{aStep, s.Key}] = s.Rev + 1
		g.steps = g.row(rowKey{aStep, s.Key}, g.steps, s.Key, s.Owner, s.Machine, string(s.Status), int64(s.Seq), int64(s.Attempt), s.Rev+1, l.steps[i])
	}
	for i, in := range l.change.Instances {
		g.revs[rowKey{anInstance, in.ID}] = in.Rev + 1
		g.instances = g.row(rowKey{anInstance, in.ID}, g.instances, in.ID, in.Service, int64(in.Number), in.Machine, in.Rev+1, l.instances[i])
	}
	l.first = g.seq + 1
	for i, e := range l.change.Events {
		g.seq++
		g.events = appendArgs(g.events, g.seq, e.Type, string(e.Severity), e.Machine, e.Service, e.Instance, l.events[i])
	}
	return nil
}

// row adds a row to those that wait, in place of an earlier one of the same key.
func (g *group) row(key rowKey, rows []driver.NamedValue, columns ...driver.Value) []driver.NamedValue {
	if i, ok := g.at[key]; ok {
		appendArgs(rows[:i], columns...)
		return rows
	}
	g.at[key] = len(rows)
	return appendArgs(rows, columns...)
}

// appendArgs appends what a driver takes: text and int64.
func appendArgs(args []driver.NamedValue, columns ...driver.Value) []driver.NamedValue {
	for _, c := range columns {
		args = append(args, driver.NamedValue{Value: c})
	}
	return args
}

// compare refuses a rev that is not the stored one; known is the one that is cached.
func (g *group) compare(ctx context.Context, key rowKey, rev, known int64) error {
	has, ok := g.revs[key]
	if !ok && !g.lost && known != unknown {
		has, ok = known, true
	}
	if !ok {
		q := "SELECT rev FROM steps WHERE step_key = $1"
		if key.what == anInstance {
			q = "SELECT rev FROM instances WHERE id = $1"
		}
		if err := g.tx.QueryRowContext(ctx, q, key.id).Scan(&has); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	switch {
	case has == rev:
		return nil
	case has == 0:
		return fmt.Errorf("%w: %s %s is gone", pool.ErrConflict, key.what, key.id)
	}
	return fmt.Errorf("%w: %s %s was changed by another: it is at revision %d, not %d", pool.ErrConflict, key.what, key.id, has, rev)
}

// wrote notes what a change wrote that is not lean.
func (g *group) wrote(c *pool.Change, went gone) {
	g.seq = -1
	if c == nil {
		g.lost = true
		return
	}
	g.lost = g.lost || went.service || len(went.operations) > 0 || len(c.Forgotten) > 0
	for _, s := range c.Steps {
		g.revs[rowKey{aStep, s.Key}] = s.Rev + 1
	}
	for _, in := range c.Instances {
		g.revs[rowKey{anInstance, in.ID}] = in.Rev + 1
	}
}

// flush writes what waits.
func (g *group) flush(ctx context.Context) error {
	err := errors.Join(
		g.insert(ctx, stepColumns, g.steps),
		g.insert(ctx, instanceColumns, g.instances),
		g.insert(ctx, eventColumns, g.events))
	if err == nil && len(g.events) > 0 {
		n := int64(len(g.events) / eventColumns.n)
		if last := g.seq - n; last/pruneEvery != g.seq/pruneEvery {
			_, err = g.tx.ExecContext(ctx, "DELETE FROM events WHERE seq <= $1", g.seq-maxEvents)
		}
	}
	g.drop()
	return err
}

// columns is a statement that writes rows, for some numbers of them. What
// never changes of a row is not set anew: its indexes need no touch then.
type columns struct {
	n     int            // columns of a row
	texts map[int]string // by number of rows
}

// rowsAtOnce are how many rows a statement writes: few texts, so that each stays prepared.
var rowsAtOnce = []int{512, 64, 8, 1}

var (
	stepColumns = newColumns("INSERT INTO steps (step_key, owner, machine, status, seq, attempt, rev, doc) VALUES ",
		" ON CONFLICT (step_key) DO UPDATE SET status = excluded.status, rev = excluded.rev, doc = excluded.doc", 8)
	instanceColumns = newColumns("INSERT INTO instances (id, service, number, machine, rev, doc) VALUES ",
		" ON CONFLICT (id) DO UPDATE SET machine = excluded.machine, rev = excluded.rev, doc = excluded.doc", 6)
	eventColumns = newColumns("INSERT INTO events (seq, type, severity, machine, service, instance, doc) VALUES ", "", 7)
)

func newColumns(insert, conflict string, n int) columns {
	c := columns{n, map[int]string{}}
	for _, rows := range rowsAtOnce {
		var b strings.Builder
		b.WriteString(insert)
		for i := range rows {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("(" + list(i*n+1, n) + ")")
		}
		c.texts[rows] = b.String() + conflict
	}
	return c
}

// insert writes rows. It hands them to the driver: database/sql would look at
// each value once more, and copy all.
func (g *group) insert(ctx context.Context, c columns, args []driver.NamedValue) error {
	if len(args) == 0 {
		return nil
	}
	return g.conn.Raw(func(conn any) error {
		d, ok := conn.(driver.ExecerContext)
		if !ok {
			return fmt.Errorf("the driver %T executes no text", conn)
		}
		for _, n := range rowsAtOnce {
			for ; len(args) >= n*c.n; args = args[n*c.n:] {
				some := args[:n*c.n]
				for i := range some {
					some[i].Ordinal = i + 1
				}
				if _, err := d.ExecContext(ctx, c.texts[n], some); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
