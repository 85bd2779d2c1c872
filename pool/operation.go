package pool

import (
	"slices"
	"time"
)

// OpKind names an operation on a machine.
type OpKind string

// The operations.
const (
	OpEnrol     OpKind = "enrol"
	OpAdopt     OpKind = "adopt"
	OpInspect   OpKind = "inspect"
	OpTest      OpKind = "test"
	OpConfigure OpKind = "configure"
	OpWipe      OpKind = "wipe"
	OpDeploy    OpKind = "deploy"
	OpRelease   OpKind = "release"
	OpRescue    OpKind = "rescue"
	OpUpdate    OpKind = "update"
	OpPower     OpKind = "power"
	OpFence     OpKind = "fence"
	OpRetire    OpKind = "retire"
)

// OpKinds lists all operations.
func OpKinds() []OpKind {
	return []OpKind{OpEnrol, OpAdopt, OpInspect, OpTest, OpConfigure, OpWipe, OpDeploy,
		OpRelease, OpRescue, OpUpdate, OpPower, OpFence, OpRetire}
}

// Allows says whether operation k may start on a machine in phase p.
func (p Phase) Allows(k OpKind) bool {
	switch p {
	case Discovered:
		return slices.Contains([]OpKind{OpEnrol, OpAdopt, OpRetire}, k)
	case Enrolled:
		return slices.Contains([]OpKind{OpInspect, OpTest, OpConfigure, OpWipe, OpRelease, OpRescue, OpPower, OpRetire}, k)
	case Ready:
		return slices.Contains([]OpKind{OpInspect, OpTest, OpConfigure, OpRescue, OpPower, OpRetire}, k)
	case Reserved:
		return slices.Contains([]OpKind{OpDeploy, OpRelease, OpRescue, OpPower, OpFence}, k)
	case Active:
		return slices.Contains([]OpKind{OpUpdate, OpRescue, OpDeploy, OpRelease, OpPower, OpFence}, k)
	case Retired:
		return k == OpEnrol
	}
	return false
}

// Status says how far an operation is.
type Status string

// Status of an operation.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Waiting   Status = "waiting"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Open says whether there is still something to do.
func (s Status) Open() bool { return s == Queued || s == Running || s == Waiting }

// WaitOn says what an operation waits for.
type WaitOn string

// What an operation can wait on.
const (
	WaitNothing  WaitOn = ""
	WaitBoot     WaitOn = "boot"
	WaitAgent    WaitOn = "agent"
	WaitBMC      WaitOn = "bmc"
	WaitOperator WaitOn = "operator"
	WaitSlot     WaitOn = "slot"
)

// Operation is something done to a machine: one at a time, never without a
// deadline, resumed by every restart of the appliance.
type Operation struct {
	ID      string   `json:"id"`
	Machine string   `json:"machine"`
	Kind    OpKind   `json:"kind"`
	Status  Status   `json:"status"`
	By      string   `json:"by"` // a person's name, "rule NAME", "service NAME"
	Params  OpParams `json:"params"`
	// Step is the name of the step that runs or ran last, Attempt its try from 1.
	Step    string `json:"step,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
	Waiting WaitOn `json:"waiting,omitempty"`
	// Deadline ends the whole operation; a step has its own, earlier one.
	Deadline  time.Time `json:"deadline"`
	Heartbeat time.Time `json:"heartbeat,omitzero"`
	// Token is carried by every message of an agent or BMC about this operation.
	Token     string    `json:"-"`
	Cause     *Cause    `json:"cause,omitempty"`
	QueuedAt  time.Time `json:"queuedAt"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// CancelAsked is when somebody asked to stop it; it stops at the next safe point.
	CancelAsked time.Time `json:"cancelAsked,omitzero"`
	Rev         int64     `json:"rev"`
}

// OpParams are what an operation was asked to do; each kind reads its own.
type OpParams struct {
	Image    string       `json:"image,omitempty"`    // deploy
	Instance string       `json:"instance,omitempty"` // deploy: on whose behalf
	Disk     DiskHint     `json:"disk,omitzero"`      // deploy: target
	Hostname string       `json:"hostname,omitempty"` // deploy
	SSHKeys  []string     `json:"sshKeys,omitempty"`  // deploy
	Disks    []string     `json:"disks,omitempty"`    // wipe: serials; empty means all
	Erase    bool         `json:"erase,omitempty"`    // enrol, release: the protected mark may be lifted
	Power    PowerAction  `json:"power,omitempty"`    // power
	Boot     BootDevice   `json:"boot,omitempty"`     // power: boot device for the next start
	Wipe     bool         `json:"wipe,omitempty"`     // release: wipe afterwards
	Why      string       `json:"why,omitempty"`      // fence: what was seen
	Facts    *Facts       `json:"facts,omitempty"`    // adopt: what the running system told
	Extra    []Identified `json:"extra,omitempty"`    // deploy: files for the installed system
}

// Identified is a named text.
type Identified struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Cause says why something failed, so that a person can act on it.
type Cause struct {
	Code     string    `json:"code"`               // stable, for machines: "bmc.unreachable"
	Message  string    `json:"message"`            // one plain sentence
	Evidence string    `json:"evidence,omitempty"` // what was seen
	Remedy   string    `json:"remedy"`             // what to do next
	Tried    []string  `json:"tried,omitempty"`    // what was tried already
	Step     string    `json:"step,omitempty"`
	At       time.Time `json:"at"`
}

// Error makes a Cause an error.
func (c *Cause) Error() string { return c.Message }

// Progress is how far a step is. It lives in memory: only changes of state are stored.
type Progress struct {
	Done   int64     `json:"done"`
	Total  int64     `json:"total,omitempty"` // 0 unknown
	Unit   string    `json:"unit,omitempty"`  // "bytes", "packages"
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at"`
}

// Percent returns 0 to 100, or -1 when the total is unknown.
func (p Progress) Percent() int {
	if p.Total <= 0 {
		return -1
	}
	return int(min(100, max(0, p.Done*100/p.Total)))
}
