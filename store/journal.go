package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// Events returns the events that f selects, in rising order.
func (db *DB) Events(ctx context.Context, f pool.EventFilter) ([]pool.Event, error) {
	var q query
	q.add("SELECT seq, doc FROM events WHERE seq > ?", f.After)
	q.and("machine", f.Machine)
	q.and("service", f.Service)
	q.and("instance", f.Instance)
	q.and("severity", string(f.Severity))
	if f.Type != "" {
		q.add(" AND substr(type, 1, ?) = ?", len(f.Type), f.Type)
	}
	q.page(f.Limit, f.Last)
	list, err := rows(ctx, db.read, func(r *sql.Rows) (e pool.Event, err error) {
		var b []byte
		var seq int64
		if err := r.Scan(&seq, &b); err != nil {
			return e, err
		}
		err = decode(b, &e)
		e.Seq = seq
		return e, err
	}, q.sql.String(), q.args...)
	list, err = reversed(list, err, f.Last)
	return named(list, err, "events", "")
}

// AppendLog stores lines and returns them with their Seq. Of each machine the
// newest Options.LogLines are kept, and for a while a few more.
func (db *DB) AppendLog(ctx context.Context, lines []pool.LogLine) ([]pool.LogLine, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	var out []pool.LogLine
	err := db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		out = slices.Clone(lines)
		last, err := lastSeq(ctx, tx, "logs")
		if err != nil {
			return err
		}
		machines := map[string]bool{}
		for i := range out {
			l := &out[i]
			l.Seq = last + 1 + int64(i)
			machines[l.Machine] = true
			err := exec(ctx, tx, "log line of step", l.Step, `
				INSERT INTO logs (seq, at, machine, service, instance, step, line) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				l.Seq, l.At.UTC(), l.Machine, l.Service, l.Instance, l.Step, l.Line)
			if err != nil {
				return err
			}
		}
		if last/pruneEvery == (last+int64(len(out)))/pruneEvery {
			return nil
		}
		for m := range machines {
			if err := prune(ctx, tx, "logs", "machine", m, db.opts.LogLines); err != nil {
				return err
			}
		}
		return nil
	})
	return named(out, err, "log", "lines")
}

// pruneEvery is how many lines pass between two looks at what is too old: a
// look walks over all index entries that stay.
const pruneEvery = 256

func lastSeq(ctx context.Context, tx *sql.Tx, table string) (last int64, err error) {
	return last, tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM "+table).Scan(&last)
}

// prune keeps the newest keep rows of table whose column is value.
func prune(ctx context.Context, tx *sql.Tx, table, column, value string, keep int) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM `+table+` WHERE `+column+` = $1 AND seq <= (
			SELECT seq FROM `+table+` WHERE `+column+` = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)`, value, keep)
	return err
}

// Logs returns the lines that f selects, in rising order.
func (db *DB) Logs(ctx context.Context, f pool.LogFilter) ([]pool.LogLine, error) {
	var q query
	q.add("SELECT seq, at, machine, service, instance, step, line FROM logs WHERE seq > ?", f.After)
	q.and("machine", f.Machine)
	q.and("service", f.Service)
	q.and("instance", f.Instance)
	q.and("step", f.Step)
	q.page(f.Limit, f.Last)
	list, err := rows(ctx, db.read, func(r *sql.Rows) (l pool.LogLine, err error) {
		return l, r.Scan(&l.Seq, &l.At, &l.Machine, &l.Service, &l.Instance, &l.Step, &l.Line)
	}, q.sql.String(), q.args...)
	list, err = reversed(list, err, f.Last)
	return named(list, err, "log", "lines")
}

// maxBootEvents bounds the boot events of all MACs together.
const maxBootEvents = 200_000

// AppendBoot stores boot events; Machine is filled in when a machine has the
// MAC. Of each MAC the newest Options.BootEvents are kept.
func (db *DB) AppendBoot(ctx context.Context, events []pool.BootEvent) error {
	if len(events) == 0 {
		return nil
	}
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		last, err := lastSeq(ctx, tx, "boot_events")
		if err != nil {
			return err
		}
		macs := map[pool.MAC]string{}
		unknown := map[pool.MAC]string{}
		for _, e := range events {
			macs[e.MAC] = ""
			if e.Machine == "" {
				unknown[e.MAC] = ""
			}
		}
		if err := machinesOf(ctx, tx, unknown); err != nil {
			return err
		}
		if err := putBoot(ctx, tx, events, last, unknown); err != nil {
			return err
		}
		if n := int64(len(events)); len(macs) <= 8 || last/pruneEvery != (last+n)/pruneEvery && len(macs) <= pruneEvery {
			for mac := range macs {
				if err := prune(ctx, tx, "boot_events", "mac", mac.String(), db.opts.BootEvents); err != nil {
					return err
				}
			}
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM boot_events WHERE seq <= $1", last-maxBootEvents)
		return err
	})
}

// machinesOf fills in which machine has each MAC.
func machinesOf(ctx context.Context, tx *sql.Tx, macs map[pool.MAC]string) error {
	args := make([]any, 0, len(macs))
	for m := range macs {
		args = append(args, m.String())
	}
	return chunks(len(args), func(from, to int) error {
		found, err := rows(ctx, tx, func(r *sql.Rows) (p [2]string, err error) { return p, r.Scan(&p[0], &p[1]) },
			"SELECT mac, machine FROM machine_macs WHERE mac IN ("+list(1, to-from)+")", args[from:to]...)
		for _, p := range found {
			if m, err := pool.ParseMAC(p[0]); err == nil {
				macs[m] = p[1]
			}
		}
		return err
	})
}

// putBoot writes events, numbered after last.
func putBoot(ctx context.Context, tx *sql.Tx, events []pool.BootEvent, last int64, machines map[pool.MAC]string) error {
	const columns = 4
	args, buf := make([]any, 0, columns*leaseChunks[0]), make([]byte, 0, 1024)
	return chunks(len(events), func(from, to int) error {
		args = args[:0]
		var stmt strings.Builder
		stmt.WriteString("INSERT INTO boot_events (seq, mac, at, doc) VALUES ")
		for i, e := range events[from:to] {
			e.Seq = last + 1 + int64(from+i)
			if e.Machine == "" {
				e.Machine = machines[e.MAC]
			}
			b, err := bootText(buf, &e)
			if err != nil {
				return err
			}
			if i > 0 {
				stmt.WriteByte(',')
			}
			stmt.WriteString("(" + list(i*columns+1, columns) + ")")
			args = append(args, e.Seq, e.MAC.String(), e.At.UTC(), b)
		}
		return exec(ctx, tx, "boot events", "", stmt.String(), args...)
	})
}

// BootEvents returns the last limit (1000 when zero) boot events of macs since
// a time, in the order in which they happened.
func (db *DB) BootEvents(ctx context.Context, macs []pool.MAC, since time.Time, limit int) ([]pool.BootEvent, error) {
	if len(macs) == 0 {
		return []pool.BootEvent{}, nil
	}
	var q query
	q.add("SELECT doc FROM boot_events WHERE mac IN (?", macs[0].String())
	for _, m := range macs[1:] {
		q.add(", ?", m.String())
	}
	q.add(") AND at >= ?", since.UTC())
	q.page(limit, true)
	list, err := docs[pool.BootEvent](ctx, db.read, q.sql.String(), q.args...)
	slices.SortStableFunc(list, func(a, b pool.BootEvent) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return int(a.Seq - b.Seq)
	})
	return named(list, err, "boot events of", macs[0].String())
}
