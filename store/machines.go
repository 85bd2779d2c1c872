package store

import (
	"context"
	"database/sql"
	"slices"

	"appliance/pool"
)

// Machine returns the machine with the given ID.
func (db *DB) Machine(ctx context.Context, id string) (pool.Machine, error) {
	m, err := cached(&db.cache, cacheKey{cachedMachine, id}, pool.Machine.Clone, func() (pool.Machine, error) {
		return doc[pool.Machine](ctx, db.read, "SELECT doc FROM machines WHERE id = $1", id)
	})
	return named(m, err, "machine", id)
}

// MachineByMAC returns the machine that was seen with mac.
func (db *DB) MachineByMAC(ctx context.Context, mac pool.MAC) (pool.Machine, error) {
	text := mac.String()
	if id, ok := db.cache.owner(text); ok {
		// What is cached is where to look: the machine may have lost the MAC.
		if m, err := db.Machine(ctx, id); err == nil && slices.Contains(m.MACs, mac) {
			return m, nil
		}
	}
	m, err := settled(&db.cache, func() (pool.Machine, error) { return machineByMAC(ctx, db.read, mac) })
	if err == nil {
		db.cache.owned(text, m.ID)
	}
	return named(m, err, "machine with MAC", text)
}

func machineByMAC(ctx context.Context, q queryer, mac pool.MAC) (pool.Machine, error) {
	return doc[pool.Machine](ctx, q, "SELECT m.doc FROM machines m JOIN machine_macs a ON a.machine = m.id WHERE a.mac = $1", mac.String())
}

// MachineByName returns the machine with the given ID, name or MAC, whatever
// fits first.
func (db *DB) MachineByName(ctx context.Context, name string) (pool.Machine, error) {
	mac := name
	if a, err := pool.ParseMAC(name); err == nil {
		mac = a.String()
	}
	m, err := settled(&db.cache, func() (pool.Machine, error) {
		return doc[pool.Machine](ctx, db.read, `
			SELECT doc FROM machines
			WHERE id = $1 OR name = $1 OR id IN (SELECT machine FROM machine_macs WHERE mac = $2)
			ORDER BY CASE WHEN id = $1 THEN 0 WHEN name = $1 THEN 1 ELSE 2 END LIMIT 1`, name, mac)
	})
	return named(m, err, "machine", name)
}

// Machines returns all machines by name.
func (db *DB) Machines(ctx context.Context) ([]pool.Machine, error) {
	list, err := settled(&db.cache, func() ([]pool.Machine, error) {
		return docs[pool.Machine](ctx, db.read, "SELECT doc FROM machines ORDER BY name")
	})
	return named(list, err, "machines", "")
}

// Wiped returns the serials whose wipe record on machine still holds. The map
// is shared and not to be changed.
func (db *DB) Wiped(ctx context.Context, machine string) (map[string]bool, error) {
	m, err := cached(&db.cache, cacheKey{cachedWiped, machine}, shared, func() (map[string]bool, error) { return wiped(ctx, db.read, machine) })
	return named(m, err, "wipe records of machine", machine)
}

func wiped(ctx context.Context, q queryer, machine string) (map[string]bool, error) {
	serials, err := rows(ctx, q, func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) },
		"SELECT serial FROM wipes WHERE machine = $1 AND NOT used", machine)
	out := map[string]bool{}
	for _, s := range serials {
		out[s] = true
	}
	return out, err
}

// scanOperation reads a document and the token, which no document holds.
func scanOperation(scan func(...any) error) (o pool.Operation, err error) {
	var b []byte
	var token string
	if err := scan(&b, &token); err != nil {
		return o, kind(err)
	}
	err = decode(b, &o)
	o.Token = token
	return o, err
}

func (db *DB) operation(ctx context.Context, where string, args ...any) (pool.Operation, error) {
	return scanOperation(db.read.QueryRowContext(ctx, "SELECT doc, token FROM operations WHERE "+where, args...).Scan)
}

// Operation returns the operation with the given ID.
func (db *DB) Operation(ctx context.Context, id string) (pool.Operation, error) {
	o, err := cached(&db.cache, cacheKey{cachedOperation, id}, deepCopy, func() (pool.Operation, error) { return db.operation(ctx, "id = $1", id) })
	return named(o, err, "operation", id)
}

// isOpen is the condition of the index operations_open.
const isOpen = "status IN ('queued', 'running', 'waiting')"

// OpenOperation returns the one operation that is open on machine, or
// pool.ErrNotFound.
func (db *DB) OpenOperation(ctx context.Context, machine string) (pool.Operation, error) {
	o, err := settled(&db.cache, func() (pool.Operation, error) { return db.operation(ctx, isOpen+" AND machine = $1", machine) })
	return named(o, err, "open operation of machine", machine)
}

// LastOperation returns the operation that is open on machine, else the one
// that was asked for last: a clock that was set back hides no open one.
func (db *DB) LastOperation(ctx context.Context, machine string) (pool.Operation, error) {
	o, err := cached(&db.cache, cacheKey{cachedLast, machine}, deepCopy, func() (pool.Operation, error) {
		return db.operation(ctx, "machine = $1 ORDER BY "+isOpen+" DESC, queued_at DESC, id DESC LIMIT 1", machine)
	})
	return named(o, err, "last operation of machine", machine)
}

// OpenOperations returns all open operations, oldest first.
func (db *DB) OpenOperations(ctx context.Context) ([]pool.Operation, error) {
	list, err := settled(&db.cache, func() ([]pool.Operation, error) {
		return rows(ctx, db.read, func(r *sql.Rows) (pool.Operation, error) { return scanOperation(r.Scan) },
			"SELECT doc, token FROM operations WHERE "+isOpen+" ORDER BY queued_at, id")
	})
	return named(list, err, "open operations", "")
}

// Steps returns the steps of an operation or instance by Seq and Attempt.
func (db *DB) Steps(ctx context.Context, owner string) ([]pool.Step, error) {
	list, err := db.cache.steps(cacheKey{cachedSteps, owner}, db.stepsOf(ctx, owner))
	return named(list, err, "steps of", owner)
}

func (db *DB) stepsOf(ctx context.Context, owner string) func() ([]pool.Step, error) {
	return func() ([]pool.Step, error) {
		return docs[pool.Step](ctx, db.read, "SELECT doc FROM steps WHERE owner = $1 ORDER BY seq, attempt, step_key", owner)
	}
}

// SharedSteps is Steps for who changes none that is done: those are shared,
// the others are copies.
func (db *DB) SharedSteps(ctx context.Context, owner string) ([]*pool.Step, error) {
	list, err := db.cache.sharedSteps(cacheKey{cachedSteps, owner}, db.stepsOf(ctx, owner))
	out := make([]*pool.Step, len(list))
	for i, s := range list {
		if s.Status != pool.StepDone {
			own := cloneStep(s)
			s = &own
		}
		out[i] = s
	}
	return named(out, err, "steps of", owner)
}

// Step returns the step with the given key.
func (db *DB) Step(ctx context.Context, key string) (pool.Step, error) {
	if s, ok := db.cache.oneStep(key); ok {
		return s, nil
	}
	s, err := settled(&db.cache, func() (pool.Step, error) {
		return doc[pool.Step](ctx, db.read, "SELECT doc FROM steps WHERE step_key = $1", key)
	})
	return named(s, err, "step", key)
}

const runningSteps = "SELECT doc FROM steps WHERE machine = $1 AND status = 'running' ORDER BY seq, attempt, step_key"

// RunningSteps returns the steps on machine that run, of all owners, by Seq
// and Attempt.
func (db *DB) RunningSteps(ctx context.Context, machine string) ([]pool.Step, error) {
	list, err := db.cache.steps(cacheKey{cachedRunning, machine}, func() ([]pool.Step, error) {
		return docs[pool.Step](ctx, db.read, runningSteps, machine)
	})
	return named(list, err, "running steps of machine", machine)
}

// TimedSteps returns the steps whose deadline counts: those that run, and
// further tries that are pending.
func (db *DB) TimedSteps(ctx context.Context) ([]pool.Step, error) {
	list, err := settled(&db.cache, func() ([]pool.Step, error) {
		return docs[pool.Step](ctx, db.read, "SELECT doc FROM steps WHERE status = 'running' OR status = 'pending' AND attempt > 1 ORDER BY step_key")
	})
	return named(list, err, "steps with a deadline", "")
}
