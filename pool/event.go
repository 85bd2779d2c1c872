package pool

import "time"

// Severity ranks an event.
type Severity string

// Severities.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Problem Severity = "error"
)

// Event is a change of state, written in the transaction that made it.
// Console, webhooks and metrics read the sequence of events.
type Event struct {
	Seq       int64     `json:"seq"` // set by the store: gapless, rising
	At        time.Time `json:"at"`
	Type      string    `json:"type"` // "machine.phase", "operation.failed", "step.done", "service.running" …
	Severity  Severity  `json:"severity"`
	Machine   string    `json:"machine,omitempty"`
	Service   string    `json:"service,omitempty"`
	Instance  string    `json:"instance,omitempty"`
	Operation string    `json:"operation,omitempty"`
	Step      string    `json:"step,omitempty"`
	By        string    `json:"by,omitempty"`
	Digest    string    `json:"digest,omitempty"`    // of the recipe that it is about
	Scope     string    `json:"scope,omitempty"`     // of an attribute
	Attribute string    `json:"attribute,omitempty"` // its name; never its value
	Message   string    `json:"message"`             // one plain sentence; never a secret
	Cause     *Cause    `json:"cause,omitempty"`
}

// EventFilter selects events; empty fields select all.
type EventFilter struct {
	After    int64 // events with a higher Seq
	Machine  string
	Service  string
	Instance string
	Type     string // prefix
	Severity Severity
	Limit    int  // 0 means 1000
	Last     bool // the last Limit events instead of the first, still in rising order
}
