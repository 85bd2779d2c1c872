package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"appliance/pool"
)

// Discover returns the machine that has mac and records an unknown one as
// discovered, with an event. Of the machines that nobody accepted it keeps the
// newest Options.Discoveries that told what they are, and as many that never
// told more than a MAC: whoever invents machines fills neither the disk nor the
// list.
func (db *DB) Discover(ctx context.Context, mac pool.MAC, client pool.Client, now time.Time) (pool.Machine, error) {
	if mac.IsZero() {
		return pool.Machine{}, fmt.Errorf("%w: discover: want a MAC", pool.ErrInvalid)
	}
	m, err := machineByMAC(ctx, db.read, mac)
	if err == nil || !errors.Is(err, pool.ErrNotFound) {
		return named(m, err, "machine with MAC", mac.String())
	}
	fresh := false
	err = db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		fresh = false
		var err error
		if m, err = machineByMAC(ctx, tx, mac); !errors.Is(err, pool.ErrNotFound) {
			return err
		}
		fresh = true
		m = discovered(mac, client, now.UTC())
		if err := freeName(ctx, tx, &m); err != nil {
			return err
		}
		if err := insertMachine(ctx, tx, m); err != nil {
			return err
		}
		m.Rev++
		_, err = putEvents(ctx, tx, []*pool.Event{{At: now.UTC(), Type: "machine.discovered", Severity: pool.Info,
			Machine: m.ID, Message: fmt.Sprintf("Machine %s was seen for the first time, with MAC %s.", m.Name, mac)}})
		if err != nil {
			return err
		}
		return db.expire(ctx, tx)
	})
	if err != nil {
		return pool.Machine{}, fmt.Errorf("discover %s: %w", mac, err)
	}
	if fresh {
		db.tick()
	}
	return m, nil
}

// discovered returns a new machine of which only its MAC and client are known.
func discovered(mac pool.MAC, client pool.Client, now time.Time) pool.Machine {
	digits := strings.ReplaceAll(mac.String(), ":", "")
	m := pool.Machine{ID: pool.NewID("m"), Name: "node-" + digits[6:], Phase: pool.Discovered,
		MACs: []pool.MAC{mac}, CreatedAt: now, UpdatedAt: now}
	switch client.Arch {
	case pool.ArchBIOS, pool.ArchEFIx64, pool.ArchEFIx64Alt, pool.ArchEFIx64HTTP, pool.ArchEFIx64HTTPAlt:
		m.Firmware, m.Arch = client.Firmware(), pool.AMD64
	case pool.ArchEFIARM64, pool.ArchEFIARM64HTTP:
		m.Firmware, m.Arch = client.Firmware(), pool.ARM64
	}
	return m
}

// freeName gives m its whole MAC for a name when another machine has the short one.
func freeName(ctx context.Context, tx *sql.Tx, m *pool.Machine) error {
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM machines WHERE name = $1", m.Name).Scan(&n); err != nil || n == 0 {
		return err
	}
	m.Name = "node-" + strings.ReplaceAll(m.MAC().String(), ":", "")
	return nil
}

// expire removes the oldest machines that nobody accepted, beyond the bound.
// One with an open operation stays.
func (db *DB) expire(ctx context.Context, tx *sql.Tx) error {
	for _, inventoried := range []bool{false, true} {
		var n int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM machines WHERE phase = 'discovered' AND inventoried = $1", inventoried).Scan(&n)
		if err != nil {
			return err
		}
		if n <= db.opts.Discoveries {
			continue
		}
		_, err = tx.ExecContext(ctx, `
			DELETE FROM machines WHERE id IN (
				SELECT id FROM machines m
				WHERE phase = 'discovered' AND inventoried = $1
					AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.machine = m.id AND o.status IN ('queued', 'running', 'waiting'))
				ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $2)`, inventoried, db.opts.Discoveries)
		if err != nil {
			return err
		}
	}
	return nil
}
