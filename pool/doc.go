// Package pool says what a machine, lease, service, instance, operation, step
// and event are, and which may follow which.
//
// It is the vocabulary that every other package speaks: plain values and pure
// functions, no I/O, no clock but the times it is given. It imports nothing
// but the standard library and never a protocol, a database or a log.
//
// Four things about a machine are kept apart: where it is (its phase), what
// runs on it (at most one operation), how that ended (a cause), and how
// healthy it is (conditions).
//
//	unknown MAC ──▶ discovered ──enrol──▶ enrolled ──inspect, wipe──▶ ready
//	                    │                  ▲  ▲  │                      │ reserve
//	                    │ adopt            │  │  └──── cause ◀──────────┤
//	                    ▼                  │  │                         ▼
//	                  active ◀──deploy─────┼──┼────────────────── reserved
//	                    │                  │  │                         │
//	                    └──── release ─────┘  └──────── release ────────┘
//	                         (enrolled + dirty, then wipe)
//
//	any phase but reserved and active ──retire──▶ retired ──enrol──▶ enrolled
//
// The ten invariants of docs/DESIGN.md are functions here: CheckMachine is
// asked by the store before each write, so no caller can step around them.
package pool
