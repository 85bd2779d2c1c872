package pool

import "time"

// Maintenance says that somebody works on a machine, service or application:
// until it ends nothing is fenced, replaced or started again there.
type Maintenance struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // zero: until somebody ends it
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Holds says whether m lasts now. A nil one does not.
func (m *Maintenance) Holds(now time.Time) bool {
	return m != nil && (m.Until.IsZero() || now.Before(m.Until))
}

// HealStage says how far the recovery of an instance is.
type HealStage string

// The stages. From fencing an instance goes on to power-on (the same chassis)
// or to replacing, and where neither is safe to waiting: for a person.
const (
	HealFencing   HealStage = "fencing"   // its machine is switched off, and proof of it is sought
	HealPowerOn   HealStage = "power-on"  // the same chassis is switched on again
	HealPromoting HealStage = "promoting" // a replica takes over
	HealReplacing HealStage = "replacing" // another machine takes its place
	HealWaiting   HealStage = "waiting"   // a person decides
)

// Heal is the recovery of an instance whose machine was lost.
type Heal struct {
	Stage HealStage `json:"stage"`
	// Machine is the one that was lost, At when it said its last word.
	Machine string    `json:"machine"`
	At      time.Time `json:"at"`
	Since   time.Time `json:"since"` // the loss was confirmed
	// Deadline ends the stage; the next remedy follows.
	Deadline time.Time `json:"deadline,omitzero"`
	// Proof says that the machine's BMC said that it is off, or that a person did.
	Proof bool `json:"proof,omitempty"`
	// Replica is the instance that is promoted, Command how.
	Replica string `json:"replica,omitempty"`
	// Backup is what the recipe's restore command is given on the new machine.
	Backup string `json:"backup,omitempty"`
	// Without data: a person gave up what the lost machine's disks hold.
	WithoutData bool `json:"withoutData,omitempty"`
	// Tried lists the remedies so far.
	Tried []string `json:"tried,omitempty"`
}

// HealingState says whether machines are fenced and services healed.
type HealingState struct {
	// Stopped says that the storm guard, or a person, stopped healing.
	Stopped   bool      `json:"stopped"`
	Since     time.Time `json:"since,omitzero"`
	By        string    `json:"by,omitempty"` // "storm guard" or a person
	Why       string    `json:"why,omitempty"`
	Machines  []string  `json:"machines,omitempty"` // names of those that were silent
	ResumedAt time.Time `json:"resumedAt,omitzero"`
}

// RecoverOptions are what a person says about a service that waits.
type RecoverOptions struct {
	// WithoutData gives up what is on the lost machine's disks: the service
	// starts empty elsewhere. The disks stay protected.
	WithoutData bool
	// MachineOff is a person's word that the lost machine is switched off, where
	// its BMC cannot prove it.
	MachineOff bool
	By         string
}

// States of a WatchReport.
const (
	WatchStopped   = "stopped"   // the service has stopped, and the appliance is to start it
	WatchRestarted = "restarted" // it had stopped, and the agent alone started it again
)

// WatchReport is what an agent says of an instance that it watches.
type WatchReport struct {
	Machine  string    `json:"-"`     // proved
	Watch    string    `json:"watch"` // key of the step that began it
	BootID   string    `json:"bootId"`
	State    string    `json:"state"`
	Why      string    `json:"why"` // which detector said so
	Evidence string    `json:"evidence,omitempty"`
	At       time.Time `json:"at"`
}
