package pool

import (
	"maps"
	"time"
)

// ConditionType names one aspect of a machine's health.
type ConditionType string

// The conditions. Each is a fact with a value, not a state to be in.
const (
	CondPower     ConditionType = "power"     // on, off, unknown
	CondBMC       ConditionType = "bmc"       // ok, unreachable, locked, auth_failed, none
	CondAgent     ConditionType = "agent"     // none, booting, standby, busy, installed, lost
	CondHealth    ConditionType = "health"    // ok, warn, critical
	CondHold      ConditionType = "hold"      // true: a person holds it back
	CondBroken    ConditionType = "broken"    // true: an operation failed and nothing was done about it
	CondProtected ConditionType = "protected" // true: its disks hold what nobody allowed to erase
	CondDirty     ConditionType = "dirty"     // true: not every disk has a wipe record
	CondDrift     ConditionType = "drift"     // true: not the hardware it was
	CondFenced    ConditionType = "fenced"    // true: its BMC proved that it is off; until it is let start, nothing on it may
)

// True is the value of a condition that only is or is not.
const True = "true"

// Condition is the value of one aspect, since when, and why.
type Condition struct {
	Value  string    `json:"value"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
}

// Conditions holds a machine's conditions; one that is absent does not hold.
type Conditions map[ConditionType]Condition

// Is says whether t holds the value True.
func (c Conditions) Is(t ConditionType) bool { return c[t].Value == True }

// With returns a copy of c in which t has value. Since moves only when the
// value changes. An empty value takes the condition away.
func (c Conditions) With(t ConditionType, value, reason string, now time.Time) Conditions {
	out := c.clone()
	if value == "" {
		delete(out, t)
		return out
	}
	old, had := out[t]
	n := Condition{Value: value, Since: now, Reason: reason}
	if had && old.Value == value {
		n.Since = old.Since
	}
	out[t] = n
	return out
}

// Without returns a copy of c that lacks the given conditions.
func (c Conditions) Without(types ...ConditionType) Conditions {
	out := c.clone()
	for _, t := range types {
		delete(out, t)
	}
	return out
}

func (c Conditions) clone() Conditions {
	if c == nil {
		return Conditions{}
	}
	return maps.Clone(c)
}
