package pool

import (
	"encoding/json"
	"time"
)

// Tasks of the installed agent that may run beside a lifecycle event. A
// command is a step like any other; a look is answered and forgotten.
const (
	TaskCommand TaskKind = "command" // one custom command: CommandParams, answers EventResult
	TaskLook    TaskKind = "look"    // details and monitors now: EventParams, answers Readings
)

// CommandSeq is the Seq of an instance's first custom command: its lifecycle
// steps are below.
const CommandSeq = 1000

// Bounds of custom commands.
const (
	CommandTimeout    = time.Minute // when nothing else is said
	MaxCommandTimeout = 6 * time.Hour
	MaxCommandArgs    = 64
	MaxCommandArg     = 8 << 10
	// KeptCommands is how many commands of one instance are remembered.
	KeptCommands = 100
)

// CommandParams run a custom command (TaskCommand).
type CommandParams struct {
	Service    string       `json:"service"` // its key
	Instance   InstanceInfo `json:"instance"`
	Command    string       `json:"command"`
	Args       []string     `json:"args,omitempty"`
	Invocation string       `json:"invocation"`
	Rolling    bool         `json:"rolling,omitempty"`
	By         string       `json:"by,omitempty"`
}

// InvokeOptions say which custom command is wanted.
type InvokeOptions struct {
	Command string
	Args    []string
	// Instance is a number; 0 is all instances that run.
	Instance int
	// Rolling runs it on one instance after the other, and stops where it fails.
	Rolling bool
	Timeout time.Duration // of each instance; 0: CommandTimeout
	By      string
}

// Invocation is one call of a custom command, on one or more instances.
type Invocation struct {
	ID      string       `json:"id"`
	Service string       `json:"service"`
	Command string       `json:"command"`
	Args    []string     `json:"args,omitempty"`
	Rolling bool         `json:"rolling,omitempty"`
	By      string       `json:"by,omitempty"`
	Done    bool         `json:"done"` // all its instances have ended
	Results []CommandRun `json:"results"`
}

// CommandRun is how a custom command went on one instance.
type CommandRun struct {
	Instance string          `json:"instance"`
	Number   int             `json:"number"`
	Machine  string          `json:"machine"`
	Status   StepStatus      `json:"status"`
	Value    json.RawMessage `json:"value,omitempty"` // what it returned
	Output   string          `json:"output,omitempty"`
	Cause    *Cause          `json:"cause,omitempty"`
	Started  time.Time       `json:"startedAt,omitzero"`
	Ended    time.Time       `json:"endedAt,omitzero"`
}

// Readings are the details and monitors of one instance, as its agent read
// them. A monitor that is no number is not sampled.
type Readings struct {
	Instance string         `json:"instance"`
	Number   int            `json:"number"`
	At       time.Time      `json:"at,omitzero"`
	Details  map[string]any `json:"details,omitempty"`
	Monitors map[string]any `json:"monitors,omitempty"`
	// Trouble says why some or all of them are missing.
	Trouble string `json:"trouble,omitempty"`
}

// Sample is one monitor's value at a time.
type Sample struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// Peer is a service of the same application, as a recipe sees it.
type Peer struct {
	Name      string         `json:"name"`
	Planned   int            `json:"planned"`
	Instances []PeerInstance `json:"instances"`
}

// PeerInstance is an instance that has a machine and is coming up or runs.
type PeerInstance struct {
	ID      string `json:"id"`
	Number  int    `json:"number"`
	Address string `json:"address"`
	Host    string `json:"host"`
	Running bool   `json:"running"`
}
