package recipes

import (
	"context"
	"io"
	"time"
)

// Host is what a Runner needs of the machine and of the appliance; the agent
// supplies it. Its methods are called from one goroutine at a time per Run.
type Host interface {
	// Exec runs a command to its end and returns its exit code. A background
	// command keeps running; Exec then returns 0 once it has started. It may be
	// called by several goroutines at once: scripts run processes side by side.
	Exec(ctx context.Context, c Command, out io.Writer) (code int, err error)
	// Attribute reads an attribute; false when it is not set.
	Attribute(ctx context.Context, s Scope, name string) (Attribute, bool, error)
	// SetAttribute writes one. A secret is never logged or shown.
	SetAttribute(ctx context.Context, s Scope, name string, value any, secret bool) error
	// RemoveAttribute removes one, or all of the scope when name is empty.
	RemoveAttribute(ctx context.Context, s Scope, name string) error
	// Service returns a service of the application as it is now; false when
	// there is none. It waits up to wait until there is one with n instances.
	Service(ctx context.Context, name string, n int, wait time.Duration) (Service, bool, error)
	// Invoke runs a custom command of a service of the application: on one of
	// its instances, or on all that run when instance is 0. It returns what they
	// returned, as JSON data, by their numbers. The error is the first one's.
	Invoke(ctx context.Context, service string, instance int, command string, args []string) ([]any, error)
	// Readings returns the details and monitors of an instance.
	Readings(ctx context.Context, service string, instance int) (details, monitors map[string]any, err error)
}

// Maintainer is a Host that can begin maintenance of the service, for at most
// a time, and end it (zero). Without it the context's methods refuse.
type Maintainer interface {
	Maintain(ctx context.Context, span time.Duration) error
}

// Command is a process to run.
type Command struct {
	Argv       []string
	Dir        string
	Env        []string // NAME=value, in addition to the host's own
	Background bool     // start: the process belongs to the service and goes on

	Stdin  io.Reader // nil: nothing to read
	Stderr io.Writer // nil: errors go to out
	// Started, when set, is called once the process has been started.
	Started func()
}

// Attribute is the value of an attribute.
type Attribute struct {
	Value  any  // JSON data
	Secret bool // it is masked in what the recipe prints
}

// Scope is where an attribute lives. Service and Instance are set for
// instance and service scope.
type Scope struct {
	Kind     ScopeKind
	Service  string
	Instance int
}

// ScopeKind is one of the four attribute scopes.
type ScopeKind string

// The scopes, from narrow to wide.
const (
	ThisInstance    ScopeKind = "instance"
	ThisService     ScopeKind = "service"
	ThisApplication ScopeKind = "application"
	Global          ScopeKind = "global"
)

// Values are what a recipe sees of its instance.
type Values struct {
	InstanceID      int
	ServiceName     string
	ApplicationName string // "default" when empty
	Planned         int    // instances planned; at least 1
	PrivateAddress  string
	PublicAddress   string // PrivateAddress when empty
	MachineID       string
	LocationID      string
	Template        string
	ImageID         string
	HardwareID      string
	Services        map[string]Service // known without asking: this one
}

// Service is another service as context.waitForService sees it.
type Service struct {
	Planned   int
	Instances []Instance
}

// Instance is one instance that has a machine.
type Instance struct {
	ID      int
	Address string
	Name    string
}

// Result is what an entry gave.
type Result struct {
	Ran      bool // false: the recipe has no such entry
	OK       bool // detections: the answer; else: ended well
	ExitCode int
	Value    any // a closure's value as JSON data
	Warnings []string
	Duration time.Duration
}
