// Package store remembers the pool in SQLite; each method is one transaction.
//
// A row is its indexed columns and a JSON document with the whole value. What
// the values may be is said by package pool: Apply asks pool's Check functions
// before it writes, so no caller can step around an invariant.
//
// All writes go through one goroutine with one connection (see writer). Writes
// that wait together share one transaction and one fsync, each in a savepoint
// of its own; a method returns nil only when its transaction is on disk. Reads
// use a pool of read-only connections and never wait for a write.
//
// The store never speaks a protocol, never decides what comes next, and never
// shows a secret: secrets are sealed with a key that is not in the database.
package store
