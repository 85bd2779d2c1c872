package store

import (
	"context"
	"database/sql"
	"slices"

	"appliance/pool"
)

// maxDecisions bounds the scaling decisions that are kept of a service.
const maxDecisions = 200

// Decisions returns the last scaling decisions of a service, newest first.
// Limit 0 means all that are kept.
func (db *DB) Decisions(ctx context.Context, service string, limit int) ([]pool.ScalingDecision, error) {
	if limit <= 0 {
		limit = maxDecisions
	}
	list, err := docs[pool.ScalingDecision](ctx, db.read,
		"SELECT doc FROM scaling WHERE service = $1 ORDER BY seq DESC LIMIT $2", service, limit)
	return named(slices.Clip(list), err, "scaling decisions of", service)
}

// putDecision numbers and writes a decision.
func putDecision(ctx context.Context, tx *sql.Tx, d *pool.ScalingDecision) error {
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM scaling WHERE service = $1", d.Service).Scan(&last); err != nil {
		return err
	}
	v := *d
	v.Seq = last + 1
	b, err := text(v)
	if err != nil {
		return err
	}
	if err := exec(ctx, tx, "scaling decision of", d.Service, "INSERT INTO scaling (service, seq, doc) VALUES ($1, $2, $3)", d.Service, v.Seq, b); err != nil {
		return err
	}
	return exec(ctx, tx, "scaling decisions of", d.Service, "DELETE FROM scaling WHERE service = $1 AND seq <= $2", d.Service, v.Seq-maxDecisions)
}
