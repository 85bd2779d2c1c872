package wire

import (
	"encoding/json"
	"time"

	"appliance/pool"
)

// Machine is a machine as the API shows it: the row, its open or last
// operation, what lives in memory, and one sentence that says what it does.
type Machine struct {
	pool.Machine
	Sentence  string           `json:"sentence"`
	Operation *pool.Operation  `json:"operation,omitempty"` // open, else the last one
	Steps     []pool.Step      `json:"steps,omitempty"`     // of that operation; only in the answer for one machine
	Live      Live             `json:"live"`
	Unwiped   []string         `json:"unwiped,omitempty"` // serials without a wipe record
	Leases    []pool.Lease     `json:"leases,omitempty"`
	BootedAt  time.Time        `json:"bootedAt,omitzero"`
	Allowed   []pool.OpKind    `json:"allowed"` // operations that the phase allows now
	Service   string           `json:"service,omitempty"`
	BMCState  string           `json:"bmcState,omitempty"`
	Timings   map[string]int64 `json:"timings,omitempty"` // milliseconds since power-on: inventory, ready …
}

// Live is what is known only in memory.
type Live = pool.LiveState

// Instance is an instance with its steps.
type Instance struct {
	pool.Instance
	MachineName string      `json:"machineName,omitempty"`
	Steps       []pool.Step `json:"steps"`
}

// Service is a service with its instances.
type Service struct {
	pool.Service
	Sentence   string           `json:"sentence"`
	Endpoints  []string         `json:"endpoints"`
	Running    []Instance       `json:"instanceList"`
	Attributes []pool.Attribute `json:"attributes,omitempty"` // secret ones without value
}

// AcceptRequest lets a discovered machine in.
type AcceptRequest struct {
	// Erase allows that what is on its disks is erased; Serials must then name
	// every disk that holds something, as shown to the person.
	Erase   bool     `json:"erase,omitempty"`
	Serials []string `json:"serials,omitempty"`
	Name    string   `json:"name,omitempty" maxLength:"63"`
	Tags    []string `json:"tags,omitempty"`
}

// PowerRequest switches a machine.
type PowerRequest struct {
	Action pool.PowerAction `json:"action" enum:"on,off,soft,cycle,reset"`
	Boot   pool.BootDevice  `json:"boot,omitempty" enum:"none,pxe,disk,bios"`
}

// WipeRequest erases disks of an enrolled machine.
type WipeRequest struct {
	Serials []string `json:"serials,omitempty"` // none: all its disks
	Confirm string   `json:"confirm"`           // the machine's name, typed
}

// ImageRequest writes an image to the disk of a ready, reserved or active machine with no service on it.
type ImageRequest struct {
	Image    string        `json:"image" minLength:"1" maxLength:"128"`
	Disk     pool.DiskHint `json:"disk,omitzero"`
	Hostname string        `json:"hostname,omitempty" maxLength:"63"`
	SSHKeys  []string      `json:"sshKeys,omitempty"`
}

// ReleaseRequest gives a machine back to the pool or lifts its protection.
type ReleaseRequest struct {
	Wipe    bool     `json:"wipe,omitempty"`
	Serials []string `json:"serials,omitempty"` // disks that may be erased
	Confirm string   `json:"confirm,omitempty"` // the machine's name, typed, when Wipe
}

// DeployRequest asks for a service. Recipe is a shipped recipe's name, or
// Digest names an archive that was uploaded before.
type DeployRequest struct {
	Recipe    string `json:"recipe,omitempty"`
	Digest    string `json:"digest,omitempty"`
	Name      string `json:"name,omitempty" maxLength:"63"`
	Instances int    `json:"instances,omitempty" minimum:"0" maximum:"1000"`
	Template  string `json:"template,omitempty"`
	Image     string `json:"image,omitempty"`
	// Plan is the digest of a plan: what it was made on must still hold.
	Plan string `json:"plan,omitempty" maxLength:"80"`
}

// UpdateRequest takes a service to another recipe (by name or digest), or to a
// revision that it had. Zero values take the defaults: one instance at a time,
// no canary, ten seconds of health.
type UpdateRequest struct {
	Recipe     string `json:"recipe,omitempty"`
	Digest     string `json:"digest,omitempty"`
	ToRevision int    `json:"toRevision,omitempty" minimum:"0"`
	Batch      int    `json:"batch,omitempty" minimum:"0" maximum:"1000"`
	Extra      bool   `json:"extra,omitempty"` // one batch more while it is under way
	Canary     int    `json:"canary,omitempty" minimum:"0" maximum:"1000"`
	Auto       bool   `json:"auto,omitempty"` // a healthy canary needs nobody
	Health     int    `json:"health,omitempty" minimum:"0" maximum:"86400" doc:"seconds that an instance must run before it counts"`
	Template   string `json:"template,omitempty" maxLength:"63" doc:"compute template that its machines must fit; what is there stays"`
	Image      string `json:"image,omitempty" maxLength:"128" doc:"image that is written to the machines anew, batch by batch"`
	// WithoutData: what a stateful service keeps on its system's disks may be lost.
	WithoutData bool   `json:"withoutData,omitempty"`
	Plan        string `json:"plan,omitempty" maxLength:"80"` // digest of a plan: what it was made on must still hold
}

// ApplicationUpdateRequest takes an application to another version of its recipe.
type ApplicationUpdateRequest struct {
	Recipe string `json:"recipe,omitempty"`
	Digest string `json:"digest,omitempty"`
	Image  string `json:"image,omitempty" doc:"of services that are added"`
	Batch  int    `json:"batch,omitempty" minimum:"0" maximum:"1000"`
	Health int    `json:"health,omitempty" minimum:"0" maximum:"86400"`
	Plan   string `json:"plan,omitempty" maxLength:"80"`
}

// ReinstallRequest has the system of an instance's machine written anew.
type ReinstallRequest struct {
	Instance    int  `json:"instance" minimum:"1"`
	WithoutData bool `json:"withoutData,omitempty" doc:"what a stateful service keeps on the disk of its system may be lost"`
}

// SteerRequest is what a person says to an update that is under way.
type SteerRequest struct {
	Action string `json:"action" enum:"promote,pause,resume,undo"`
}

// Application is an application with its services, in the order in which they start.
type Application struct {
	pool.Application
	Sentence string    `json:"sentence"`
	Members  []Service `json:"members"`
}

// ScaleRequest sets the number of instances of a service. Wipe erases the disks
// of machines that go back; without it they stay protected, unless the recipe
// says stateful false.
type ScaleRequest struct {
	Instances int  `json:"instances" minimum:"1" maximum:"1000"`
	Wipe      bool `json:"wipe,omitempty"`
}

// InvokeRequest runs a custom command.
type InvokeRequest struct {
	Args     []string `json:"args,omitempty" maxItems:"64"`
	Instance int      `json:"instance,omitempty" minimum:"0" doc:"number of the instance; 0 is all that run"`
	Rolling  bool     `json:"rolling,omitempty" doc:"one instance after the other; a failure stops it"`
	Timeout  int      `json:"timeout,omitempty" minimum:"0" maximum:"21600" doc:"seconds of each instance; 0 is 60"`
	Wait     int      `json:"wait,omitempty" minimum:"0" maximum:"600" doc:"seconds until the answer comes although it is not done"`
}

// ScalingView explains how a service scales.
type ScalingView struct {
	Service   string                 `json:"service"`
	Instances int                    `json:"instances"`
	Min       int                    `json:"min"`
	Max       int                    `json:"max"`
	Elastic   bool                   `json:"elastic"`
	Rules     pool.Scaling           `json:"rules"`
	Now       pool.ScalingDecision   `json:"now"`       // what the rules say of the samples now
	Decisions []pool.ScalingDecision `json:"decisions"` // newest first
}

// AttributeRequest sets an attribute. Rev makes it a compare-and-set: 0 wants
// that there is none yet, another that the attribute is still at that revision.
type AttributeRequest struct {
	Value  json.RawMessage `json:"value"`
	Secret bool            `json:"secret,omitempty"`
	Rev    *int64          `json:"rev,omitempty" minimum:"0"`
}

// RemoveRequest ends a service. Its disks stay protected unless Wipe names it.
type RemoveRequest struct {
	Wipe string `json:"wipe,omitempty"` // the service's name, typed
	// Abandon gives the machines up without asking them to stop anything.
	Abandon bool `json:"abandon,omitempty"`
}

// Token is a new API token: the only time its text is shown.
type Token struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Token   string    `json:"token"`
	Expires time.Time `json:"expires,omitzero"`
}

// TokenRequest asks for a new API token.
type TokenRequest struct {
	Name string    `json:"name" minLength:"1" maxLength:"63" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$"`
	Role pool.Role `json:"role" enum:"viewer,operator,admin"`
	// Expires is when it ends; zero means never.
	Expires time.Time `json:"expires,omitzero"`
}

// LoginRequest starts a browser's session.
type LoginRequest struct {
	Token string `json:"token" minLength:"1" maxLength:"200"`
}

// Session tells who calls.
type Session struct {
	Name    string    `json:"name"`
	Role    pool.Role `json:"role"`
	Expires time.Time `json:"expires,omitzero"`
}

// BootShow is a machine's boot timeline.
type BootShow struct {
	Machine string      `json:"machine"`
	Boots   []pool.Boot `json:"boots"`            // newest last
	Silent  string      `json:"silent,omitempty"` // where it went silent, and the likely causes
	// Diagnosis is the same in parts; absent while the boot goes on or has arrived.
	Diagnosis *pool.Diagnosis `json:"diagnosis,omitempty"`
	// Path is how its model boots now, and why.
	Path *BootChoice `json:"path,omitempty"`
	// Times is how long each stage takes on its model.
	Times map[pool.BootStage]pool.StageTime `json:"times,omitempty"`
}

// BootChoice is the way that a machine boots.
type BootChoice struct {
	Model string        `json:"model"`
	Class string        `json:"class"`
	Path  pool.BootPath `json:"path"`
}

// PinPath makes a model boot one way; an empty nbp takes that back.
type PinPath struct {
	Model string        `json:"model" minLength:"1" maxLength:"500"`
	Class string        `json:"class" enum:"bios,efi-x64,efi-x64-http,efi-arm64,efi-arm64-http"`
	Path  pool.BootPath `json:"path"`
}

// BootPaths is what was learned of models.
type BootPaths struct {
	Models []pool.BootModel `json:"models"`
}

// Version tells what runs.
type Version struct {
	Version  string    `json:"version"`
	Protocol string    `json:"protocol"`
	Started  time.Time `json:"started"`
	Kit      string    `json:"kit"` // kernel of the boot kit, or why there is none
	Schema   int64     `json:"schema"`
}

// Overview is the console's first page.
type Overview struct {
	Machines  map[pool.Phase]int `json:"machines"`
	Free      map[string]int     `json:"free"` // by template
	Services  int                `json:"services"`
	Attention []Attention        `json:"attention"`
	Foreign   string             `json:"foreignDhcp,omitempty"` // another DHCP server that was seen
	Version   string             `json:"version"`
	Subnets   []pool.Subnet      `json:"subnets"`
	Interface string             `json:"interface"`
}

// Attention is something that needs a person.
type Attention struct {
	Machine string      `json:"machine,omitempty"`
	Service string      `json:"service,omitempty"`
	Name    string      `json:"name"`
	Cause   *pool.Cause `json:"cause"`
	Action  string      `json:"action,omitempty"` // accept, release, retry, power, decide
}

// Problem is an RFC 9457 problem document.
type Problem struct {
	Type   string   `json:"type,omitempty"`
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Detail string   `json:"detail"`
	Errors []string `json:"errors,omitempty"`
}

// StreamMessage is one message of the event stream (GET /api/v1/stream):
// type "event" carries a stored event, "live" a machine's volatile state,
// "boot" a boot event, "log" a line of output. The stream resumes after the
// Last-Event-ID that the client sends.
type StreamMessage struct {
	Event *pool.Event     `json:"event,omitempty"`
	Live  *LiveUpdate     `json:"live,omitempty"`
	Boot  *pool.BootEvent `json:"boot,omitempty"`
	Log   *pool.LogLine   `json:"log,omitempty"`
}

// LiveUpdate tells that a machine's volatile state changed.
type LiveUpdate = pool.LiveUpdate
