// Package orchestrator moves machines and services to what was asked.
//
// It has two layers. The planner (plan_*.go, steps.go, accept.go) is pure
// functions: they are given everything they may look at and return a
// pool.Change, never an effect. The step machine (engine.go, queue.go,
// effects.go, agents.go) reads state, asks the planner, and commits what it
// answers. Every step is a row, committed as running before anything leaves
// the process and as done after; a restart reads the rows and goes on.
//
//	tables ──▶ queue (one worker a key) ──▶ read ──▶ plan ──▶ Apply ──┐
//	   ▲                                      ▲                      │
//	   └──────────────── rows, events ◀───────┼──────────────────────┘
//	                                          │
//	             agents, BMC (effects) ───────┘ what they report is looked at
//	                                            by the next tick, never before
//
// It imports no protocol and no database: machines are switched through
// Power, chosen by Compute, remembered by Store, and agents come to it.
package orchestrator
