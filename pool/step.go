package pool

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// StepStatus says how far a step is.
type StepStatus string

// Status of a step. Interrupted means: it started, and nobody knows how it ended.
const (
	StepPending     StepStatus = "pending"
	StepRunning     StepStatus = "running"
	StepDone        StepStatus = "done"
	StepFailed      StepStatus = "failed"
	StepInterrupted StepStatus = "interrupted"
	StepCancelled   StepStatus = "cancelled"
)

// Executor says who carries a step out.
type Executor string

// Executors.
const (
	ByAppliance Executor = "appliance"
	ByAgent     Executor = "agent"
)

// AgentMode says where an agent runs.
type AgentMode string

// Agent modes.
const (
	InRAM     AgentMode = "ram"       // PID 1 of the boot kit
	Installed AgentMode = "installed" // a service of the installed system
)

// Step is one unit of work of an operation or of an instance. It is stored as
// running, with its key, attempt, epoch and deadline, before anything leaves
// the process, and as done after.
type Step struct {
	// Key identifies one try for ever: an agent that sees it again returns
	// the recorded result.
	Key     string `json:"key"`
	Owner   string `json:"owner"`   // operation or instance ID
	Machine string `json:"machine"` // empty before there is one
	Seq     int    `json:"seq"`     // order within the owner
	// Round is that of the instance it was made in; see Instance.Round.
	Round    int      `json:"round,omitempty"`
	Name     string   `json:"name"`
	Executor Executor `json:"executor"`
	// Mode is the agent the step needs, when an agent carries it out.
	Mode StepMode `json:"mode,omitempty"`
	// Idempotent steps run again after an interruption; others are decided by
	// the recipe's verify closure, or wait for a decision.
	Idempotent bool `json:"idempotent"`
	// Verifying: this try only asks the recipe whether the interrupted one was done.
	Verifying bool       `json:"verifying,omitempty"`
	Status    StepStatus `json:"status"`
	Attempt   int        `json:"attempt"`
	Tries     int        `json:"tries"` // allowed
	Epoch     int64      `json:"epoch"`
	BootID    string     `json:"bootId,omitempty"` // of the agent that accepted it
	// Timeout is the allowed duration of one try.
	Timeout   time.Duration   `json:"timeout"`
	Deadline  time.Time       `json:"deadline,omitzero"`
	NotBefore time.Time       `json:"notBefore,omitzero"` // when a retry is due
	StartedAt time.Time       `json:"startedAt,omitzero"`
	EndedAt   time.Time       `json:"endedAt,omitzero"`
	Task      *Task           `json:"task,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Output    string          `json:"output,omitempty"` // its last lines
	Cause     *Cause          `json:"cause,omitempty"`
	Rev       int64           `json:"rev"`
}

// StepMode is the AgentMode a step needs.
type StepMode = AgentMode

// NextKey names the try after this one.
func (s Step) NextKey() string {
	return fmt.Sprintf("%s/%d", strings.TrimSuffix(s.Key, fmt.Sprintf("/%d", s.Attempt)), s.Attempt+1)
}

// RoundKey names the first try of a step in a round of its owner.
func RoundKey(owner string, round int, name string) string {
	if round > 0 {
		name = fmt.Sprintf("r%d.%s", round, name)
	}
	return StepKey(owner, name, 1)
}

// StepKey names one try of a step.
func StepKey(owner, name string, attempt int) string {
	return fmt.Sprintf("%s/%s/%d", owner, name, attempt)
}

// Task is what an agent is asked to do. Params are of the type that api/wire
// declares for Kind. What is secret is put in on the way out, never stored.
type Task struct {
	Kind   TaskKind        `json:"kind"`
	Params json.RawMessage `json:"params,omitempty"`
}

// TaskKind names what an agent can do.
type TaskKind string

// Tasks of the agent in RAM, then those of the installed one.
const (
	TaskFacts    TaskKind = "facts"    // inspect again, disks' content included
	TaskBMCUser  TaskKind = "bmc-user" // make the appliance's own BMC user in-band
	TaskWipe     TaskKind = "wipe"
	TaskImage    TaskKind = "image"
	TaskReboot   TaskKind = "reboot"
	TaskPowerOff TaskKind = "power-off"

	TaskPrepare TaskKind = "prepare" // recipe archive, package source, confirmed epoch
	TaskEvent   TaskKind = "event"   // one lifecycle event
	TaskDetect  TaskKind = "detect"  // start detection until true
	TaskCleanup TaskKind = "cleanup" // remove what prepare made
	TaskWatch   TaskKind = "watch"   // look after the instance from now on
	TaskStorage TaskKind = "storage" // mount the disk of its data; make a file system on it the first time
)
