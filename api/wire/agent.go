// Package wire holds the types that travel: requests and answers of the REST
// API, and the protocol between the appliance and its agents. It says nothing
// of how they are carried.
package wire

import (
	"encoding/json"
	"time"

	"appliance/pool"
)

// Protocol is the version of the agent's protocol. An agent and an appliance
// of different majors refuse each other by name; a minor may differ.
const Protocol = "1.0"

// Paths of the agent's protocol, below the appliance's HTTPS address.
const (
	PathHello    = "/agent/v1/hello"         // POST Hello -> Welcome
	PathTask     = "/agent/v1/task"          // GET ?wait=SECONDS&boot=BOOTID&mode=MODE[&busy=1] -> Assignment or 204; busy: only commands and looks
	PathProgress = "/agent/v1/task/progress" // POST Report
	PathResult   = "/agent/v1/task/result"   // POST Outcome
	PathOutput   = "/agent/v1/task/output"   // POST Output
	PathAttr     = "/agent/v1/attributes"    // GET ?scope=&name= -> AttributeValue (a list without name), PUT AttributeValue, DELETE ?scope=&name=
	PathRecipe   = "/agent/v1/recipe/"       // GET digest -> tar.gz
	PathImage    = "/agent/v1/image/"        // GET NAME/manifest, NAME/frames (ranges)
	PathIdentity = "/agent/v1/identity"      // POST IdentityRequest -> Identity
	PathConsole  = "/agent/v1/console"       // POST Console
	PathBye      = "/agent/v1/bye"           // POST ?boot=BOOTID: the agent ends on purpose
	PathPeer     = "/agent/v1/service"       // GET ?name=&instances=N&wait=SECONDS -> pool.Peer, 204 when there is none
	PathInvoke   = "/agent/v1/invoke"        // POST InvokeCall -> pool.Invocation, when it is done
	PathReadings = "/agent/v1/readings"      // POST pool.Readings, of a look; GET ?service=&instance=N -> pool.Readings
	PathBeat     = "/agent/v1/beat"          // GET ?boot=BOOTID, upgraded to BeatProtocol
	PathWatch    = "/agent/v1/watch"         // POST pool.WatchReport -> 204; 409: say it again later; 410: stop watching
	PathMaintain = "/agent/v1/maintenance"   // POST Maintain: the recipe of an instance asks for it
)

// BeatProtocol is what an agent's stream of beats is upgraded to: it sends a
// byte every BeatEvery, and the appliance one every BeatAnswer.
const (
	BeatProtocol = "appliance-beat"
	BeatEvery    = time.Second
	BeatAnswer   = 10 * time.Second
)

// Maintain asks for maintenance of an instance's service, or ends it.
type Maintain struct {
	Instance string `json:"instance"`
	Seconds  int64  `json:"seconds,omitempty"` // 0 ends it
}

// BootConfigPath is where the boot kit's extra initramfs file lies in RAM;
// its content is a BootConfig.
const BootConfigPath = "/etc/appliance/boot.json"

// BootConfig is what an agent in RAM knows when it starts. The one-time token
// is there only after the machine was accepted; it travels in a file, never
// on the kernel's command line, which is printed and recorded.
type BootConfig struct {
	Server string   `json:"server"` // https://10.77.0.1:8443
	CA     string   `json:"ca"`     // PEM
	MAC    pool.MAC `json:"mac"`
	Token  string   `json:"token,omitempty"`
}

// Hello is an agent's first message, and again after each loss of the
// connection. Discovery carries no secret: before acceptance a Hello is
// anybody's word.
type Hello struct {
	Protocol string         `json:"protocol"`
	Version  string         `json:"version"` // of the agent
	Mode     pool.AgentMode `json:"mode"`
	Machine  string         `json:"machine,omitempty"` // known by an installed agent
	MAC      pool.MAC       `json:"mac,omitzero"`
	BootID   string         `json:"bootId"`
	Epoch    int64          `json:"epoch,omitempty"` // of an installed agent
	Token    string         `json:"token,omitempty"` // one-time
	CSR      string         `json:"csr,omitempty"`   // PEM, PKCS #10: proves the key; its fingerprint is what acceptance pins
	Facts    *pool.Facts    `json:"facts,omitempty"`
	// Unconfirmed says who let an installed system start without the
	// appliance, and when; empty when nobody did.
	Unconfirmed string `json:"unconfirmed,omitempty"`
}

// Welcome answers a Hello.
type Welcome struct {
	Protocol string `json:"protocol"`
	Version  string `json:"version"`
	Machine  string `json:"machine"`
	Name     string `json:"name"`
	// State tells the agent what to do: "wait" (not accepted: say hello again
	// after Retry), "work" (ask for tasks), "local" (boot your disk), or
	// "fenced" (start nothing: another machine has your work).
	State string        `json:"state"`
	Retry time.Duration `json:"retry,omitempty"`
	// Certificate (PEM) is issued for the CSR once the machine is accepted.
	Certificate string `json:"certificate,omitempty"`
	Epoch       int64  `json:"epoch,omitempty"`
	Why         string `json:"why,omitempty"`
}

// States of a Welcome.
const (
	StateWait   = "wait"
	StateWork   = "work"
	StateLocal  = "local"
	StateFenced = "fenced"
)

// Assignment is a task for the agent that asked.
type Assignment struct {
	Key        string          `json:"key"`   // for ever the same for one try
	Token      string          `json:"token"` // of the operation; comes back with every message
	Epoch      int64           `json:"epoch"`
	Name       string          `json:"name"` // of the step
	Kind       pool.TaskKind   `json:"kind"`
	Idempotent bool            `json:"idempotent"`
	Timeout    time.Duration   `json:"timeout"`
	Params     json.RawMessage `json:"params,omitempty"`
}

// Report tells how far a task is. The answer is 204, or 410 when the task was
// cancelled or belongs to nobody: the agent stops it.
type Report struct {
	Key      string        `json:"key"`
	Token    string        `json:"token"`
	BootID   string        `json:"bootId"`
	Progress pool.Progress `json:"progress"`
}

// Outcome tells how a task ended.
type Outcome struct {
	Key    string          `json:"key"`
	Token  string          `json:"token"`
	BootID string          `json:"bootId"`
	State  string          `json:"state"` // done, failed, interrupted
	Result json.RawMessage `json:"result,omitempty"`
	Cause  *pool.Cause     `json:"cause,omitempty"`
	Output string          `json:"output,omitempty"` // last lines
}

// States of an Outcome.
const (
	OutcomeDone        = "done"
	OutcomeFailed      = "failed"
	OutcomeInterrupted = "interrupted"
)

// Output carries lines that a task printed, in order; First numbers them from 0.
type Output struct {
	Key   string   `json:"key"`
	Token string   `json:"token"`
	First int      `json:"first"`
	Lines []string `json:"lines"`
}

// Console carries what kernel and agent in RAM printed on the machine's
// console, in order. A line whose answer was lost comes again.
type Console struct {
	Lines []string `json:"lines"`
}

// IdentityRequest asks for the certificate of the system that the agent in
// RAM is installing. It is answered only for the machine that asks.
type IdentityRequest struct {
	CSR   string `json:"csr"`
	Token string `json:"token"` // of the deploy operation
}

// Identity is what an installed agent needs to come back. It lies in
// /etc/appliance/identity.json of the installed system, mode 0600, beside
// key.pem, which never travels.
type Identity struct {
	Server      string `json:"server"`
	CA          string `json:"ca"`
	Machine     string `json:"machine"`
	Certificate string `json:"certificate"`
	Epoch       int64  `json:"epoch"`
}

// AttributeValue is one attribute on its way.
type AttributeValue struct {
	Scope  string          `json:"scope"`
	Name   string          `json:"name"`
	Value  json.RawMessage `json:"value"`
	Secret bool            `json:"secret,omitempty"`
	Rev    int64           `json:"rev,omitempty"`
	At     time.Time       `json:"at,omitzero"`
	By     string          `json:"by,omitempty"`
}

// InvokeCall asks for a custom command of a service of the same application.
type InvokeCall struct {
	Service  string   `json:"service"`
	Instance int      `json:"instance,omitempty"` // 0: all that run
	Command  string   `json:"command"`
	Args     []string `json:"args,omitempty"`
}
