package store

import (
	"context"
	"database/sql"
	"fmt"

	"appliance/pool"
)

// Application returns the application with the given name.
func (db *DB) Application(ctx context.Context, name string) (pool.Application, error) {
	a, err := doc[pool.Application](ctx, db.read, "SELECT doc FROM applications WHERE name = $1", name)
	return named(a, err, "application", name)
}

// Applications returns all applications by name, removed ones included.
func (db *DB) Applications(ctx context.Context) ([]pool.Application, error) {
	list, err := docs[pool.Application](ctx, db.read, "SELECT doc FROM applications ORDER BY name")
	return named(list, err, "applications", "")
}

// Revision returns what a service was made of at its revision n.
func (db *DB) Revision(ctx context.Context, service string, n int) (pool.Revision, error) {
	r, err := doc[pool.Revision](ctx, db.read, "SELECT doc FROM revisions WHERE service = $1 AND number = $2", service, n)
	return named(r, err, fmt.Sprintf("revision %d of service", n), service)
}

// Revisions returns the revisions of a service, oldest first.
func (db *DB) Revisions(ctx context.Context, service string) ([]pool.Revision, error) {
	list, err := docs[pool.Revision](ctx, db.read, "SELECT doc FROM revisions WHERE service = $1 ORDER BY number", service)
	return named(list, err, "revisions of service", service)
}

// putApplication lets a new application take the name of one that was removed.
func putApplication(ctx context.Context, tx *sql.Tx, a pool.Application) error {
	if a.Name == "" {
		return fmt.Errorf("%w: application: has no name", pool.ErrInvalid)
	}
	if a.Rev == 0 {
		if err := exec(ctx, tx, "application", a.Name, "DELETE FROM applications WHERE name = $1 AND phase = $2", a.Name, pool.ServiceRemoved); err != nil {
			return err
		}
	}
	if _, err := stored[pool.Application](ctx, tx, "application", a.Name, a.Rev, "SELECT rev, doc FROM applications WHERE name = $1"); err != nil {
		return err
	}
	a.Rev++
	b, err := text(a)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "application", a.Name, `
		INSERT INTO applications (name, phase, rev, doc) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET phase = excluded.phase, rev = excluded.rev, doc = excluded.doc`,
		a.Name, a.Phase, a.Rev, b)
}

// putRevision adds a revision; one that exists is never changed.
func putRevision(ctx context.Context, tx *sql.Tx, r pool.Revision) error {
	if r.Service == "" || r.Number < 1 {
		return fmt.Errorf("%w: revision %d of service %q: has no service or no number", pool.ErrInvalid, r.Number, r.Service)
	}
	b, err := text(r)
	if err != nil {
		return err
	}
	return exec(ctx, tx, fmt.Sprintf("revision %d of service", r.Number), r.Service,
		"INSERT INTO revisions (service, number, doc) VALUES ($1, $2, $3)", r.Service, r.Number, b)
}
