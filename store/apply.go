package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"appliance/pool"
)

// Apply stores all of c or nothing.
//
// Each row carries the Rev it was read at, 0 for a new one; a stale Rev is
// pool.ErrConflict, and so is what pool.CheckMachine and pool.CheckOperation
// refuse, a second open operation on a machine, and a name, MAC or instance
// that another machine has. Wipe records of c count for its machines. Events
// get the next Seq. On success the rows of c hold their new Rev and Seq; on
// an error they are untouched.
func (db *DB) Apply(ctx context.Context, c *pool.Change) error {
	if c.Empty() {
		return nil
	}
	x := &write{change: c}
	var first int64
	l, err := db.newLean(c)
	switch {
	case err != nil:
	case l != nil:
		x.lean = l
	default:
		x.do = func(ctx context.Context, tx *sql.Tx) (err error) {
			first, x.gone, err = db.apply(ctx, tx, c)
			return err
		}
	}
	if err == nil {
		err = db.writer.submit(ctx, x)
	}
	if err != nil {
		return fmt.Errorf("apply change: %w", err)
	}
	if l != nil {
		first = l.first
	}
	for i, e := range c.Events {
		e.Seq = first + int64(i)
	}
	if len(c.Events) > 0 {
		db.tick()
	}
	return nil
}

// bump sets the new Rev of each row.
func bump(c *pool.Change) {
	for _, m := range c.Machines {
		m.Rev++
	}
	for _, o := range c.Operations {
		o.Rev++
	}
	for _, s := range c.Steps {
		s.Rev++
	}
	for _, s := range c.Services {
		s.Rev++
	}
	for _, in := range c.Instances {
		in.Rev++
	}
	for _, a := range c.Applications {
		a.Rev++
	}
}

// applying is what a change does beside its rows.
type applying struct {
	phases map[string][]pool.Phase // of each machine, before and after
	gone
}

// gone is what a change let go of beside what it says.
type gone struct {
	operations []string // with their steps
	service    bool     // one of that name that was removed, with all of its own
}

// apply writes c and returns the Seq of its first event, and what went.
func (db *DB) apply(ctx context.Context, tx *sql.Tx, c *pool.Change) (int64, gone, error) {
	a := &applying{phases: map[string][]pool.Phase{}}
	for _, f := range []func() error{
		func() error { return each(c.Wipes, func(w *pool.WipeRecord) error { return putWipe(ctx, tx, *w) }) },
		func() error {
			return each(c.Machines, func(m *pool.Machine) error { return putMachine(ctx, tx, *m, a.phases) })
		},
		func() error {
			return each(c.Wipes, func(w *pool.WipeRecord) error { return checkUse(ctx, tx, *w, a.phases) })
		},
		func() error {
			return each(c.Operations, func(o *pool.Operation) error { return putOperation(ctx, tx, *o, a) })
		},
		func() error { return each(c.Steps, func(s *pool.Step) error { return putStep(ctx, tx, *s) }) },
		func() error {
			return each(c.Forgotten, func(f pool.Forgotten) error { return forgetEnded(ctx, tx, f) })
		},
		func() error {
			return each(c.Services, func(s *pool.Service) error { return putService(ctx, tx, *s, a) })
		},
		func() error {
			return each(c.Instances, func(in *pool.Instance) error { return putInstance(ctx, tx, *in) })
		},
		func() error {
			return each(c.Applications, func(app *pool.Application) error { return putApplication(ctx, tx, *app) })
		},
		func() error {
			return each(c.Revisions, func(r *pool.Revision) error { return putRevision(ctx, tx, *r) })
		},
		func() error {
			return each(c.Templates, func(t *pool.Template) error { return putTemplate(ctx, tx, *t) })
		},
		func() error {
			return each(c.Cleared, func(scope string) error { return clearAttributes(ctx, tx, scope) })
		},
		func() error {
			return each(c.Attributes, func(at *pool.Attribute) error { _, err := putAttribute(ctx, tx, *at); return err })
		},
		func() error {
			return each(c.Decisions, func(d *pool.ScalingDecision) error { return putDecision(ctx, tx, d) })
		},
		func() error {
			return each(slices.Sorted(maps.Keys(c.Secrets)), func(name string) error { return db.putSecret(ctx, tx, name, c.Secrets[name]) })
		},
		func() error {
			return each(slices.Sorted(maps.Keys(c.Settings)), func(name string) error { return putSetting(ctx, tx, name, c.Settings[name]) })
		},
	} {
		if err := f(); err != nil {
			return 0, gone{}, err
		}
	}
	first, err := putEvents(ctx, tx, c.Events)
	return first, a.gone, err
}

// each calls f for all of list until one fails.
func each[T any](list []T, f func(T) error) error {
	for _, v := range list {
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

// stored reads the document that is stored under key; nil when there is none.
// It refuses a rev that is not the stored one. text selects rev and doc.
func stored[T any](ctx context.Context, tx *sql.Tx, what, key string, rev int64, text string) (*T, error) {
	var has int64
	var b []byte
	err := tx.QueryRowContext(ctx, text, key).Scan(&has, &b)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if rev != 0 {
			return nil, fmt.Errorf("%w: %s %s is gone", pool.ErrConflict, what, key)
		}
		return nil, nil
	case err != nil:
		return nil, err
	case has != rev:
		return nil, fmt.Errorf("%w: %s %s was changed by another: it is at revision %d, not %d", pool.ErrConflict, what, key, has, rev)
	}
	v := new(T)
	return v, json.Unmarshal(b, v)
}

// exec runs one statement and says in its error what it wrote.
func exec(ctx context.Context, tx *sql.Tx, what, key, text string, args ...any) error {
	if _, err := tx.ExecContext(ctx, text, args...); err != nil {
		if spoils(err) {
			return err
		}
		return fmt.Errorf("write %s %s: %w", what, key, kind(err))
	}
	return nil
}

func putMachine(ctx context.Context, tx *sql.Tx, m pool.Machine, phases map[string][]pool.Phase) error {
	old, err := stored[pool.Machine](ctx, tx, "machine", m.ID, m.Rev, "SELECT rev, doc FROM machines WHERE id = $1")
	if err != nil {
		return err
	}
	records, err := wiped(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	if err := pool.CheckMachine(old, m, func(serial string) bool { return records[serial] }); err != nil {
		return err
	}
	phases[m.ID] = []pool.Phase{m.Phase}
	if old != nil {
		phases[m.ID] = append(phases[m.ID], old.Phase)
	}
	return insertMachine(ctx, tx, m)
}

// insertMachine writes a machine that was checked.
func insertMachine(ctx context.Context, tx *sql.Tx, m pool.Machine) error {
	if m.ID == "" || m.Name == "" {
		return fmt.Errorf("%w: machine %q: has no ID or no name", pool.ErrInvalid, m.ID+m.Name)
	}
	m.Rev++
	b, err := text(m)
	if err != nil {
		return err
	}
	err = exec(ctx, tx, "machine", m.ID, `
		INSERT INTO machines (id, name, phase, instance, inventoried, created_at, rev, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, phase = excluded.phase, instance = excluded.instance,
			inventoried = excluded.inventoried, rev = excluded.rev, doc = excluded.doc`,
		m.ID, m.Name, m.Phase, m.Instance, m.Facts != nil, m.CreatedAt.UTC(), m.Rev, b)
	if err != nil {
		return err
	}
	if err := exec(ctx, tx, "machine", m.ID, "DELETE FROM machine_macs WHERE machine = $1", m.ID); err != nil {
		return err
	}
	return each(m.MACs, func(mac pool.MAC) error {
		return exec(ctx, tx, "MAC "+mac.String()+" of machine", m.ID, "INSERT INTO machine_macs (mac, machine) VALUES ($1, $2)", mac.String(), m.ID)
	})
}

func putOperation(ctx context.Context, tx *sql.Tx, o pool.Operation, a *applying) error {
	old, err := stored[pool.Operation](ctx, tx, "operation", o.ID, o.Rev, "SELECT rev, doc FROM operations WHERE id = $1")
	if err != nil {
		return err
	}
	at := a.phases[o.Machine]
	if at == nil && old == nil {
		var p pool.Phase
		if err := tx.QueryRowContext(ctx, "SELECT phase FROM machines WHERE id = $1", o.Machine).Scan(&p); err != nil {
			return fmt.Errorf("operation %s: machine %s: %w", o.ID, o.Machine, kind(err))
		}
		at = []pool.Phase{p}
	}
	if err := pool.CheckOperation(old, o, at...); err != nil {
		return err
	}
	if old == nil {
		old, err := forgetOperations(ctx, tx, o.Machine)
		if err != nil {
			return err
		}
		a.operations = append(a.operations, old...)
	}
	o.Rev++
	b, err := text(o)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "operation", o.ID, `
		INSERT INTO operations (id, machine, status, token, queued_at, rev, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, token = excluded.token, queued_at = excluded.queued_at,
			rev = excluded.rev, doc = excluded.doc`,
		o.ID, o.Machine, o.Status, o.Token, o.QueuedAt.UTC(), o.Rev, b)
}

func putStep(ctx context.Context, tx *sql.Tx, s pool.Step) error {
	if err := pool.CheckStep(s); err != nil {
		return err
	}
	if _, err := stored[pool.Step](ctx, tx, "step", s.Key, s.Rev, "SELECT rev, doc FROM steps WHERE step_key = $1"); err != nil {
		return err
	}
	if err := forgetCommands(ctx, tx, s); err != nil {
		return err
	}
	s.Rev++
	b, err := text(s)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "step", s.Key, `
		INSERT INTO steps (step_key, owner, machine, status, seq, attempt, rev, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (step_key) DO UPDATE SET owner = excluded.owner, machine = excluded.machine, status = excluded.status,
			seq = excluded.seq, attempt = excluded.attempt, rev = excluded.rev, doc = excluded.doc`,
		s.Key, s.Owner, s.Machine, s.Status, s.Seq, s.Attempt, s.Rev, b)
}

// putService lets a new service take the name of one that was removed. What
// was remembered of that one goes: its secrets are not for the new one.
func putService(ctx context.Context, tx *sql.Tx, s pool.Service, a *applying) error {
	if s.Name == "" {
		return fmt.Errorf("%w: service: has no name", pool.ErrInvalid)
	}
	if s.Rev == 0 {
		went, err := forgetService(ctx, tx, s.Name)
		if err != nil {
			return err
		}
		a.service = a.service || went
	}
	if _, err := stored[pool.Service](ctx, tx, "service", s.Name, s.Rev, "SELECT rev, doc FROM services WHERE name = $1"); err != nil {
		return err
	}
	s.Rev++
	b, err := text(s)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "service", s.Name, `
		INSERT INTO services (name, phase, rev, doc) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET phase = excluded.phase, rev = excluded.rev, doc = excluded.doc`,
		s.Name, s.Phase, s.Rev, b)
}

func checkInstance(in pool.Instance) error {
	if in.ID == "" || in.Service == "" {
		return fmt.Errorf("%w: instance %q: has no ID or no service", pool.ErrInvalid, in.ID)
	}
	return nil
}

func putInstance(ctx context.Context, tx *sql.Tx, in pool.Instance) error {
	if err := checkInstance(in); err != nil {
		return err
	}
	if _, err := stored[pool.Instance](ctx, tx, "instance", in.ID, in.Rev, "SELECT rev, doc FROM instances WHERE id = $1"); err != nil {
		return err
	}
	in.Rev++
	b, err := text(in)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "instance", in.ID, `
		INSERT INTO instances (id, service, number, machine, rev, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET service = excluded.service, number = excluded.number, machine = excluded.machine,
			rev = excluded.rev, doc = excluded.doc`,
		in.ID, in.Service, in.Number, in.Machine, in.Rev, b)
}

func putWipe(ctx context.Context, tx *sql.Tx, w pool.WipeRecord) error {
	b, err := text(w)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "wipe record of disk", w.Serial, `
		INSERT INTO wipes (machine, serial, at, used, doc) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (machine, serial) DO UPDATE SET at = excluded.at, used = excluded.used, doc = excluded.doc`,
		w.Machine, w.Serial, w.At.UTC(), w.Used, b)
}

// checkUse refuses to use up the wipe record of a machine that is ready and
// that this change leaves so.
func checkUse(ctx context.Context, tx *sql.Tx, w pool.WipeRecord, phases map[string][]pool.Phase) error {
	if !w.Used || phases[w.Machine] != nil {
		return nil
	}
	m, err := doc[pool.Machine](ctx, tx, "SELECT doc FROM machines WHERE id = $1", w.Machine)
	if errors.Is(err, pool.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	records, err := wiped(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	return pool.CheckMachine(&m, m, func(serial string) bool { return records[serial] })
}

// putEvents numbers and writes events; it returns the number of the first.
func putEvents(ctx context.Context, tx *sql.Tx, events []*pool.Event) (int64, error) {
	if len(events) == 0 {
		return 0, nil
	}
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM events").Scan(&last); err != nil {
		return 0, err
	}
	for i, e := range events {
		v := *e
		v.Seq = last + 1 + int64(i)
		b, err := text(v)
		if err != nil {
			return 0, err
		}
		err = exec(ctx, tx, "event", v.Type, `
			INSERT INTO events (seq, type, severity, machine, service, instance, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			v.Seq, v.Type, v.Severity, v.Machine, v.Service, v.Instance, b)
		if err != nil {
			return 0, err
		}
	}
	if n := int64(len(events)); last/pruneEvery != (last+n)/pruneEvery {
		if _, err := tx.ExecContext(ctx, "DELETE FROM events WHERE seq <= $1", last+n-maxEvents); err != nil {
			return 0, err
		}
	}
	return last + 1, nil
}
