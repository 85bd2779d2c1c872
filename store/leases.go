package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"appliance/pool"
)

const leaseColumns = "SELECT address, mac, hostname, start, expires, detail FROM leases"

// leaseDetail is what of a lease is only shown.
type leaseDetail struct {
	ClientID string `json:"clientId,omitempty"`
	IAID     uint32 `json:"iaid,omitempty"`
	pool.LeasePlace
}

func scanLease(scan func(...any) error) (l pool.Lease, err error) {
	var address, detail string
	var mac sql.NullString
	var start, expires int64
	if err := scan(&address, &mac, &l.Hostname, &start, &expires, &detail); err != nil {
		return l, kind(err)
	}
	if l.Address, err = netip.ParseAddr(address); err != nil {
		return l, err
	}
	l.Start, l.Expires = time.UnixMicro(start).UTC(), time.UnixMicro(expires).UTC()
	if detail != "" {
		var d leaseDetail
		if err := json.Unmarshal([]byte(detail), &d); err != nil {
			return l, fmt.Errorf("read lease of %s: %w", address, err)
		}
		l.ClientID, l.IAID, l.LeasePlace = d.ClientID, d.IAID, d.LeasePlace
	}
	l.Declined = !mac.Valid
	return l, l.MAC.UnmarshalText([]byte(mac.String))
}

// detailOf is the stored form of what is only shown; empty for most leases.
func detailOf(l pool.Lease) (string, error) {
	d := leaseDetail{l.ClientID, l.IAID, l.LeasePlace}
	if d == (leaseDetail{}) {
		return "", nil
	}
	return detailText(make([]byte, 0, 128), &d)
}

func family(a netip.Addr) int64 {
	if a.Is4() {
		return 4
	}
	return 6
}

// Lease returns the IPv4 lease of mac, also when it has expired.
func (db *DB) Lease(ctx context.Context, mac pool.MAC) (pool.Lease, error) {
	return db.leaseOf(ctx, mac, 4)
}

// Lease6 returns the IPv6 lease of mac, also when it has expired.
func (db *DB) Lease6(ctx context.Context, mac pool.MAC) (pool.Lease, error) {
	return db.leaseOf(ctx, mac, 6)
}

func (db *DB) leaseOf(ctx context.Context, mac pool.MAC, family int64) (pool.Lease, error) {
	l, err := scanLease(db.read.QueryRowContext(ctx, leaseColumns+" WHERE mac = $1 AND family = $2", mac.String(), family).Scan)
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
// lease of a family: the one it had before goes. It returns pool.ErrConflict
// when another MAC holds the address, unexpired, or when it is declined.
func (db *DB) Bind(ctx context.Context, l pool.Lease) (pool.Lease, error) {
	if err := db.BindAll(ctx, []pool.Lease{l})[0]; err != nil {
		return pool.Lease{}, err
	}
	l.Start, l.Expires, l.Declined = l.Start.UTC(), l.Expires.UTC(), false
	return l, nil
}

// Unbind ends the lease of addr if mac holds it; otherwise it does nothing.
func (db *DB) Unbind(ctx context.Context, mac pool.MAC, addr netip.Addr) error {
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "lease of", mac.String(), "DELETE FROM leases WHERE address = $1 AND mac = $2", addr.String(), mac.String())
	})
}

// Forget removes the lease of addr or its being declined, whoever holds it.
func (db *DB) Forget(ctx context.Context, addr netip.Addr) error {
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "lease of", addr.String(), "DELETE FROM leases WHERE address = $1", addr.String())
	})
}

// Decline keeps addr from being bound before until, whoever holds it.
func (db *DB) Decline(ctx context.Context, addr netip.Addr, until time.Time) error {
	if !addr.IsValid() {
		return fmt.Errorf("%w: decline: want an address", pool.ErrInvalid)
	}
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "declined address", addr.String(), `
			INSERT INTO leases (address, mac, family, hostname, start, expires, detail) VALUES ($1, NULL, $2, '', $3, $4, '')
			ON CONFLICT (address) DO UPDATE SET mac = NULL, hostname = '', start = excluded.start, expires = excluded.expires, detail = ''`,
			addr.String(), family(addr), time.Now().UnixMicro(), until.UnixMicro())
	})
}

// Reservations returns those that were made by people at run time, in order of their keys.
func (db *DB) Reservations(ctx context.Context) ([]pool.Reservation, error) {
	list, err := docs[pool.Reservation](ctx, db.read, "SELECT doc FROM reservations ORDER BY name")
	return named(list, err, "reservations", "")
}

// PutReservation stores r in place of the one with its key.
func (db *DB) PutReservation(ctx context.Context, r pool.Reservation) error {
	if r.Key() == "" {
		return fmt.Errorf("%w: reservation: want a MAC, a client identifier or a circuit", pool.ErrInvalid)
	}
	b, err := text(r)
	if err != nil {
		return err
	}
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "reservation", r.Key(), `
			INSERT INTO reservations (name, doc) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc`, r.Key(), b)
	})
}

// DeleteReservation removes the reservation with this key; pool.ErrNotFound when there is none.
func (db *DB) DeleteReservation(ctx context.Context, key string) error {
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM reservations WHERE name = $1", key)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("%w: reservation %s", pool.ErrNotFound, key)
	})
}

// moveLeases takes leases over from the first schema.
func moveLeases(ctx context.Context, tx *sql.Tx) error {
	type old struct {
		address, hostname string
		mac               sql.NullString
		start, expires    time.Time
	}
	list, err := rows(ctx, tx, func(r *sql.Rows) (o old, err error) {
		return o, r.Scan(&o.address, &o.mac, &o.hostname, &o.start, &o.expires)
	}, "SELECT address, mac, hostname, start, expires FROM leases_first")
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range list {
		errs = append(errs, exec(ctx, tx, "lease of", o.address,
			"INSERT INTO leases (address, mac, family, hostname, start, expires, detail) VALUES ($1, $2, 4, $3, $4, $5, '')",
			o.address, o.mac, o.hostname, o.start.UnixMicro(), o.expires.UnixMicro()))
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE leases_first")
	return errors.Join(append(errs, err)...)
}
