package store

import (
	"context"
	"database/sql"

	"appliance/pool"
)

// OpenCommands returns the custom commands that are pending or running.
func (db *DB) OpenCommands(ctx context.Context) ([]pool.Step, error) {
	list, err := docs[pool.Step](ctx, db.read, `
		SELECT doc FROM steps WHERE status IN ('pending', 'running') AND seq >= $1
		ORDER BY machine, seq, attempt`, pool.CommandSeq)
	return named(list, err, "open commands", "")
}

// Invocation returns the commands of one invocation: their keys are ID/NUMBER.
func (db *DB) Invocation(ctx context.Context, id string) ([]pool.Step, error) {
	list, err := docs[pool.Step](ctx, db.read, `
		SELECT doc FROM steps WHERE step_key >= $1 AND step_key < $2 AND seq >= $3
		ORDER BY seq, step_key`, id+"/", id+"0", pool.CommandSeq) // 0 is what follows /
	return named(list, err, "invocation", id)
}

// forgetCommands removes the oldest ended commands of an instance, beyond the
// bound, when a new one is written.
func forgetCommands(ctx context.Context, tx *sql.Tx, s pool.Step) error {
	if s.Rev != 0 || s.Seq < pool.CommandSeq+pool.KeptCommands {
		return nil
	}
	return exec(ctx, tx, "commands of instance", s.Owner, `
		DELETE FROM steps WHERE owner = $1 AND seq >= $2 AND seq <= $3 AND status NOT IN ('pending', 'running')`,
		s.Owner, pool.CommandSeq, s.Seq-pool.KeptCommands)
}
