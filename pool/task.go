package pool

import (
	"encoding/json"
	"net/netip"
	"time"
)

// AgentHello is what an agent says of itself, after the API has checked who
// it is: Machine is set only when a certificate or a valid token proved it.
type AgentHello struct {
	Machine string    // proved; empty for an agent that only claims its MAC
	MAC     MAC       // of the interface it booted from
	Mode    AgentMode // where it runs
	BootID  string
	Version string
	Epoch   int64  // of an installed agent
	Key     string // fingerprint of the key in its request for a certificate
	Address netip.Addr
	Facts   *Facts
	// Unconfirmed says who let it start without the appliance, and when.
	Unconfirmed string
}

// Verdict answers an AgentHello.
type Verdict struct {
	Machine Machine
	// State is wait, work, local or fenced, as in the agent's protocol.
	State string
	Retry time.Duration
	// Certify says that a certificate may be issued for the offered key.
	Certify bool
	Why     string
}

// TaskOutcome tells how an agent's task ended. Late ones, whose key or token
// is no longer that of an open step, are logged and never applied.
type TaskOutcome struct {
	Machine string
	Key     string
	Token   string
	BootID  string
	State   string // done, failed, interrupted
	Result  json.RawMessage
	Cause   *Cause
	Output  string
}

// ConsoleStep is the step of lines of a machine's console.
const ConsoleStep = "console"

// LogLine is one line of output of a step, or of a machine's console.
type LogLine struct {
	Seq      int64     `json:"seq"`
	At       time.Time `json:"at"`
	Machine  string    `json:"machine,omitempty"`
	Service  string    `json:"service,omitempty"`
	Instance string    `json:"instance,omitempty"`
	Step     string    `json:"step"` // ConsoleStep for the console
	Line     string    `json:"line"`
}

// LogFilter selects lines; empty fields select all. Limit 0 means 1000.
type LogFilter struct {
	After    int64
	Machine  string
	Service  string
	Instance string
	Step     string
	Limit    int
	Last     bool // the last Limit lines, in rising order
}

// Role says what the bearer of a token may do.
type Role string

// Roles. A viewer reads; an operator changes; an admin also makes tokens and restores.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// APIToken is a person's or program's right to call the API. Only the SHA-256
// of its text is kept.
type APIToken struct {
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Hash    string    `json:"-"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	Used    time.Time `json:"used,omitzero"`
}

// BMCUserParams ask for the appliance's own BMC user (TaskBMCUser).
type BMCUserParams struct {
	User     string `json:"user"`
	Password string `json:"password"` // put in on the way out; never stored in the step
}

// BMCUserResult tells where the BMC is and which slot the user got.
type BMCUserResult struct {
	None   bool      `json:"none,omitempty"` // the machine has no BMC
	Facts  *BMCFacts `json:"facts,omitempty"`
	UserID int       `json:"userId,omitempty"`
}

// WipeParams ask to erase disks (TaskWipe).
type WipeParams struct {
	Serials []string `json:"serials"`
}

// WipeResult tells what was erased.
type WipeResult struct {
	Wiped []WipedDisk `json:"wiped"`
	Facts *Facts      `json:"facts"` // the disks' content afterwards
}

// WipedDisk is one erased disk.
type WipedDisk struct {
	Serial string `json:"serial"`
	Method string `json:"method"` // "discard+zero-ends", "zero", "nvme-format"
	Size   uint64 `json:"size"`
}

// ImageParams ask to write an image (TaskImage). The manifest and frames
// are below the image path of the agent's protocol.
type ImageParams struct {
	Image    string       `json:"image"`
	Digest   string       `json:"digest"`
	Disk     DiskHint     `json:"disk"`
	Machine  string       `json:"machine"`
	Hostname string       `json:"hostname"`
	SSHKeys  []string     `json:"sshKeys,omitempty"`
	Epoch    int64        `json:"epoch"`
	Files    []Identified `json:"files,omitempty"`
}

// ImageResult tells which disk was written.
type ImageResult struct {
	Serial  string        `json:"serial"`
	Written int64         `json:"written"` // bytes
	Took    time.Duration `json:"took"`
	// Label and partition of the system for a kexec or a boot entry.
	Device string `json:"device"`
}

// PrepareParams make an installed machine ready for a recipe (TaskPrepare).
type PrepareParams struct {
	Instance InstanceInfo `json:"instance"`
	Digest   string       `json:"digest"`   // of the recipe archive
	Packages bool         `json:"packages"` // use the appliance's package repository
}

// InstanceInfo is what a recipe may know of its instance: its context.
type InstanceInfo struct {
	ID          string     `json:"id"`
	Number      int        `json:"number"`
	Service     string     `json:"service"`
	Application string     `json:"application"`
	Planned     int        `json:"planned"`
	Machine     string     `json:"machine"`
	Address     netip.Addr `json:"address,omitzero"`
	Template    string     `json:"template"`
	Image       string     `json:"image,omitempty"`
	Digest      string     `json:"digest"`
}

// StorageParams bind the disk of an instance's data (TaskStorage).
type StorageParams struct {
	Instance   InstanceInfo `json:"instance"`
	Name       string       `json:"name"` // of the storage template
	Serial     string       `json:"serial"`
	UUID       string       `json:"uuid"` // of the file system
	Path       string       `json:"path"`
	FileSystem string       `json:"fileSystem"`
	// Format allows a file system on the disk if nothing is on it: only while
	// the instance's data were never on one, and only on a disk of its machine
	// that was proved empty.
	Format bool `json:"format,omitempty"`
	// Release unmounts it; Erase makes the disk empty again.
	Release bool `json:"release,omitempty"`
	Erase   bool `json:"erase,omitempty"`
}

// StorageResult tells which disk was bound.
type StorageResult struct {
	Serial    string `json:"serial"`
	Device    string `json:"device"`
	Size      uint64 `json:"size"`
	Formatted bool   `json:"formatted,omitempty"`
}

// EventParams run one lifecycle event (TaskEvent, TaskDetect).
type EventParams struct {
	Instance InstanceInfo `json:"instance"`
	Event    string       `json:"event"`
	Args     []string     `json:"args,omitempty"`
	// Interval between tries of a detection.
	Interval time.Duration `json:"interval,omitempty"`
}

// MaxResult bounds, as JSON, what a command or an event returns and is kept.
const MaxResult = 64 << 10

// EventResult is what a lifecycle event returned.
type EventResult struct {
	Value   json.RawMessage `json:"value,omitempty"`
	Skipped bool            `json:"skipped,omitempty"` // the recipe has no such event
}
