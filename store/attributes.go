package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"appliance/pool"
)

// Attribute returns one attribute. The value of a secret one is the Secret
// "attr/SCOPE/NAME".
func (db *DB) Attribute(ctx context.Context, scope, name string) (pool.Attribute, error) {
	a, err := doc[pool.Attribute](ctx, db.read, "SELECT doc FROM attributes WHERE scope = $1 AND name = $2", scope, name)
	return named(a, err, "attribute", scope+" "+name)
}

// Attributes returns the attributes of scope by name, or all by scope and name
// when scope is empty.
func (db *DB) Attributes(ctx context.Context, scope string) ([]pool.Attribute, error) {
	var q query
	q.add("SELECT doc FROM attributes WHERE 1 = 1")
	q.and("scope", scope)
	q.add(" ORDER BY scope, name")
	list, err := docs[pool.Attribute](ctx, db.read, q.sql.String(), q.args...)
	return named(list, err, "attributes of", scope)
}

// SetAttribute stores a and the event that tells of it, and returns a as it is
// stored. a.Rev is what it was read at: pool.ErrConflict when it has changed
// since; 0 sets it whatever it was, pool.AttributeNew only when there is none.
// The value of a secret one is sealed, and none in what is returned.
func (db *DB) SetAttribute(ctx context.Context, a pool.Attribute, e *pool.Event) (pool.Attribute, error) {
	if a.Scope == "" || a.Name == "" {
		return a, fmt.Errorf("%w: attribute %s %s: has no scope or no name", pool.ErrInvalid, a.Scope, a.Name)
	}
	sealed := pool.Secret{}
	if a.Secret {
		sealed, a.Value = pool.NewSecret(a.Value), ""
	}
	var stored pool.Attribute
	err := db.withEvent(ctx, e, func(ctx context.Context, tx *sql.Tx) error {
		stored = a
		rev, err := putAttribute(ctx, tx, a)
		if err != nil {
			return err
		}
		stored.Rev = rev
		return db.putSecret(ctx, tx, attrSecret(a.Scope, a.Name), sealed)
	})
	if err != nil {
		return a, fmt.Errorf("set attribute %s %s: %w", a.Scope, a.Name, err)
	}
	return stored, nil
}

// RemoveAttribute removes an attribute with its sealed value, or all of a
// scope when name is empty, and tells of it. rev is what it was read at, 0
// whatever it is: pool.ErrConflict when it has changed since. Errors wrap
// pool.ErrNotFound when there is none.
func (db *DB) RemoveAttribute(ctx context.Context, scope, name string, rev int64, e *pool.Event) error {
	err := db.withEvent(ctx, e, func(ctx context.Context, tx *sql.Tx) error {
		if name == "" {
			return clearAttributes(ctx, tx, scope)
		}
		old, err := doc[pool.Attribute](ctx, tx, "SELECT doc FROM attributes WHERE scope = $1 AND name = $2", scope, name)
		if err != nil {
			return err
		}
		if rev > 0 && old.Rev != rev {
			return fmt.Errorf("%w: it is at revision %d, not %d", pool.ErrConflict, old.Rev, rev)
		}
		if err := db.putSecret(ctx, tx, attrSecret(scope, name), pool.Secret{}); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM attributes WHERE scope = $1 AND name = $2", scope, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove attribute %s %s: %w", scope, name, err)
	}
	return nil
}

// DeleteAttribute removes an attribute and its sealed value, and tells nobody;
// pool.ErrNotFound when there is none.
func (db *DB) DeleteAttribute(ctx context.Context, scope, name string) error {
	return db.RemoveAttribute(ctx, scope, name, 0, nil)
}

// withEvent runs write and writes e, if there is one, in one transaction.
func (db *DB) withEvent(ctx context.Context, e *pool.Event, write func(context.Context, *sql.Tx) error) error {
	var first int64
	err := db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if err := write(ctx, tx); err != nil || e == nil {
			return err
		}
		first, err = putEvents(ctx, tx, []*pool.Event{e})
		return err
	})
	if err == nil && e != nil {
		e.Seq = first
		db.tick()
	}
	return err
}

func attrSecret(scope, name string) string { return "attr/" + scope + "/" + name }

// putAttribute writes a and returns its new Rev.
func putAttribute(ctx context.Context, tx *sql.Tx, a pool.Attribute) (int64, error) {
	old, err := doc[pool.Attribute](ctx, tx, "SELECT doc FROM attributes WHERE scope = $1 AND name = $2", a.Scope, a.Name)
	switch {
	case errors.Is(err, pool.ErrNotFound) && a.Rev > 0:
		return 0, fmt.Errorf("%w: attribute %s %s is gone", pool.ErrConflict, a.Scope, a.Name)
	case errors.Is(err, pool.ErrNotFound):
	case err != nil:
		return 0, err
	case a.Rev == pool.AttributeNew:
		return 0, fmt.Errorf("%w: attribute %s %s exists, at revision %d", pool.ErrConflict, a.Scope, a.Name, old.Rev)
	case a.Rev > 0 && a.Rev != old.Rev:
		return 0, fmt.Errorf("%w: attribute %s %s is at revision %d, not %d", pool.ErrConflict, a.Scope, a.Name, old.Rev, a.Rev)
	}
	a.Rev = old.Rev + 1
	b, err := text(a)
	if err != nil {
		return 0, err
	}
	return a.Rev, exec(ctx, tx, "attribute", a.Scope+" "+a.Name, `
		INSERT INTO attributes (scope, name, doc) VALUES ($1, $2, $3)
		ON CONFLICT (scope, name) DO UPDATE SET doc = excluded.doc`, a.Scope, a.Name, b)
}

// clearAttributes removes all that a scope holds, sealed values included.
func clearAttributes(ctx context.Context, tx *sql.Tx, scope string) error {
	return all(ctx, tx, scope,
		"DELETE FROM secrets WHERE name IN (SELECT 'attr/' || scope || '/' || name FROM attributes WHERE scope = $1)",
		"DELETE FROM attributes WHERE scope = $1")
}
