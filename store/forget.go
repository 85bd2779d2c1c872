package store

import (
	"context"
	"database/sql"

	"appliance/pool"
)

const (
	// maxEvents bounds the events that are kept; maxOperations the ended
	// operations of one machine, with their steps.
	maxEvents     = 500_000
	maxOperations = 100
)

// forgetOperations removes the oldest ended operations of machine, beyond the
// bound, and their steps. It returns their IDs.
func forgetOperations(ctx context.Context, tx *sql.Tx, machine string) ([]string, error) {
	old, err := rows(ctx, tx, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) }, `
		SELECT id FROM operations WHERE machine = $1 AND status NOT IN ('queued', 'running', 'waiting')
		ORDER BY queued_at DESC, id DESC LIMIT 100 OFFSET $2`, machine, maxOperations)
	if err != nil {
		return nil, err
	}
	return old, each(old, func(id string) error {
		return all(ctx, tx, id, "DELETE FROM steps WHERE owner = $1", "DELETE FROM operations WHERE id = $1")
	})
}

// forgetService removes a service of that name that was removed, and all that
// was remembered of it and its instances. False: there was none.
func forgetService(ctx context.Context, tx *sql.Tx, name string) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT count(*) FROM services WHERE name = $1 AND phase = $2", name, pool.ServiceRemoved).Scan(&n)
	if err != nil || n == 0 {
		return false, err
	}
	const scopes = "scope = 'service:' || $1 OR scope IN (SELECT 'instance:' || id FROM instances WHERE service = $1)"
	return true, all(ctx, tx, name,
		"DELETE FROM secrets WHERE name IN (SELECT 'attr/' || scope || '/' || name FROM attributes WHERE "+scopes+")",
		"DELETE FROM attributes WHERE "+scopes,
		"DELETE FROM steps WHERE owner IN (SELECT id FROM instances WHERE service = $1)",
		"DELETE FROM scaling WHERE service = $1",
		"DELETE FROM instances WHERE service = $1",
		"DELETE FROM revisions WHERE service = $1",
		"DELETE FROM services WHERE name = $1")
}

// forgetEnded removes what has ended of an instance. What is open stays,
// whatever is asked.
func forgetEnded(ctx context.Context, tx *sql.Tx, f pool.Forgotten) error {
	if f.All {
		const gone = "(SELECT id FROM instances WHERE id = $1 AND doc->>'phase' = 'removed')"
		return all(ctx, tx, f.Instance, "DELETE FROM steps WHERE owner IN "+gone, "DELETE FROM instances WHERE id IN "+gone)
	}
	return exec(ctx, tx, "steps of instance", f.Instance, `
		DELETE FROM steps WHERE owner = $1 AND seq < $2 AND coalesce(CAST(doc->>'round' AS INTEGER), 0) < $3 AND status NOT IN ('pending', 'running')`,
		f.Instance, pool.CommandSeq, f.Round)
}

// all runs statements that take one name.
func all(ctx context.Context, tx *sql.Tx, name string, statements ...string) error {
	return each(statements, func(text string) error { return exec(ctx, tx, "forgotten", name, text, name) })
}
