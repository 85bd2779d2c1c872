package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"appliance/pool"
)

const leaseColumns = "SELECT address, mac, hostname, start, expires FROM leases"

func scanLease(scan func(...any) error) (l pool.Lease, err error) {
	var address string
	var mac sql.NullString
	if err := scan(&address, &mac, &l.Hostname, &l.Start, &l.Expires); err != nil {
		return l, kind(err)
	}
	if l.Address, err = netip.ParseAddr(address); err != nil {
		return l, err
	}
	l.Declined = !mac.Valid
	return l, l.MAC.UnmarshalText([]byte(mac.String))
}

// Lease returns the lease of mac, also when it has expired.
func (db *DB) Lease(ctx context.Context, mac pool.MAC) (pool.Lease, error) {
	l, err := scanLease(db.read.QueryRowContext(ctx, leaseColumns+" WHERE mac = $1", mac.String()).Scan)
	return named(l, err, "lease of", mac.String())
}

// LeaseAt returns the lease of addr, also when it has expired, and also when
// it is a declined address.
func (db *DB) LeaseAt(ctx context.Context, addr netip.Addr) (pool.Lease, error) {
	l, err := scanLease(db.read.QueryRowContext(ctx, leaseColumns+" WHERE address = $1", addr.String()).Scan)
	return named(l, err, "lease of", addr.String())
}

// Leases returns all leases by address, expired and declined ones included.
func (db *DB) Leases(ctx context.Context) ([]pool.Lease, error) {
	list, err := rows(ctx, db.read, func(r *sql.Rows) (pool.Lease, error) { return scanLease(r.Scan) }, leaseColumns)
	slices.SortFunc(list, func(a, b pool.Lease) int { return a.Address.Compare(b.Address) })
	return named(list, err, "leases", "")
}

// Bind stores l and returns it; nil means that it is on disk. A MAC has one
// lease: the one it had before goes. It returns pool.ErrConflict when another
// MAC holds the address, unexpired, or when it is declined.
func (db *DB) Bind(ctx context.Context, l pool.Lease) (pool.Lease, error) {
	if l.MAC.IsZero() || !l.Address.IsValid() {
		return pool.Lease{}, fmt.Errorf("%w: bind %s to %s: want a MAC and an address", pool.ErrInvalid, l.Address, l.MAC)
	}
	l.Start, l.Expires, l.Declined = l.Start.UTC(), l.Expires.UTC(), false
	mac, addr := l.MAC.String(), l.Address.String()
	err := db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var by string
		err := tx.QueryRowContext(ctx, `
			SELECT coalesce(mac, 'nobody: it was declined') FROM leases
			WHERE address = $1 AND (mac IS NULL OR mac <> $2) AND expires > $3`, addr, mac, time.Now().UTC()).Scan(&by)
		if err == nil {
			return fmt.Errorf("%w: bind %s to %s: it belongs to %s", pool.ErrConflict, addr, mac, by)
		} else if err != sql.ErrNoRows {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM leases WHERE address = $1 OR mac = $2", addr, mac); err != nil {
			return err
		}
		return exec(ctx, tx, "lease of", mac,
			"INSERT INTO leases (address, mac, hostname, start, expires) VALUES ($1, $2, $3, $4, $5)",
			addr, mac, l.Hostname, l.Start, l.Expires)
	})
	if err != nil {
		return pool.Lease{}, err
	}
	return l, nil
}

// Unbind ends the lease of addr if mac holds it; otherwise it does nothing.
func (db *DB) Unbind(ctx context.Context, mac pool.MAC, addr netip.Addr) error {
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "lease of", mac.String(), "DELETE FROM leases WHERE address = $1 AND mac = $2", addr.String(), mac.String())
	})
}

// Decline keeps addr from being bound before until, whoever holds it.
func (db *DB) Decline(ctx context.Context, addr netip.Addr, until time.Time) error {
	if !addr.IsValid() {
		return fmt.Errorf("%w: decline: want an address", pool.ErrInvalid)
	}
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "declined address", addr.String(), `
			INSERT INTO leases (address, mac, hostname, start, expires) VALUES ($1, NULL, '', $2, $3)
			ON CONFLICT (address) DO UPDATE SET mac = NULL, hostname = '', start = excluded.start, expires = excluded.expires`,
			addr.String(), time.Now().UTC(), until.UTC())
	})
}
