package orchestrator

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"appliance/pool"
)

// Store is what the engine remembers by. Each method is one transaction;
// errors wrap the kinds of pool.
type Store interface {
	Apply(ctx context.Context, c *pool.Change) error
	Machine(ctx context.Context, id string) (pool.Machine, error)
	MachineByMAC(ctx context.Context, mac pool.MAC) (pool.Machine, error)
	MachineByName(ctx context.Context, name string) (pool.Machine, error)
	Machines(ctx context.Context) ([]pool.Machine, error)
	Operation(ctx context.Context, id string) (pool.Operation, error)
	OpenOperation(ctx context.Context, machine string) (pool.Operation, error)
	LastOperation(ctx context.Context, machine string) (pool.Operation, error)
	OpenOperations(ctx context.Context) ([]pool.Operation, error)
	Steps(ctx context.Context, owner string) ([]pool.Step, error)
	// SharedSteps is Steps for who changes none that is done.
	SharedSteps(ctx context.Context, owner string) ([]*pool.Step, error)
	Step(ctx context.Context, key string) (pool.Step, error)
	RunningSteps(ctx context.Context, machine string) ([]pool.Step, error)
	// TimedSteps returns the steps whose deadline counts: those that run, and
	// further tries that are pending.
	TimedSteps(ctx context.Context) ([]pool.Step, error)
	// OpenCommands are the custom commands that are pending or running, on any
	// instance; Invocation those of one invocation, ended ones included.
	OpenCommands(ctx context.Context) ([]pool.Step, error)
	Invocation(ctx context.Context, id string) ([]pool.Step, error)
	Service(ctx context.Context, name string) (pool.Service, error)
	Services(ctx context.Context) ([]pool.Service, error)
	Instance(ctx context.Context, id string) (pool.Instance, error)
	Instances(ctx context.Context, service string) ([]pool.Instance, error)
	// Siblings is Instances of a service for who changes none of them.
	Siblings(ctx context.Context, service string) ([]*pool.Instance, error)
	Application(ctx context.Context, name string) (pool.Application, error)
	Applications(ctx context.Context) ([]pool.Application, error)
	Revision(ctx context.Context, service string, n int) (pool.Revision, error)
	Revisions(ctx context.Context, service string) ([]pool.Revision, error)
	Attribute(ctx context.Context, scope, name string) (pool.Attribute, error)
	Template(ctx context.Context, name string) (pool.Template, error)
	Templates(ctx context.Context) ([]pool.Template, error)
	Image(ctx context.Context, name string) (pool.Image, error)
	Images(ctx context.Context) ([]pool.Image, error)
	Secret(ctx context.Context, name string) (pool.Secret, error)
	Wiped(ctx context.Context, machine string) (map[string]bool, error)
	AppendLog(ctx context.Context, lines []pool.LogLine) ([]pool.LogLine, error)
	Discover(ctx context.Context, mac pool.MAC, client pool.Client, now time.Time) (pool.Machine, error)
	Setting(ctx context.Context, key string) (string, error)
	SetSetting(ctx context.Context, key, value string) error
}

// Power controls machines through their BMCs. Errors may say what kind they
// are by a method Code() string: bmc.auth, bmc.unreachable, bmc.unsupported,
// bmc.identity, bmc.power.
type Power interface {
	PowerState(ctx context.Context, b pool.BMC) (pool.Power, error)
	// SetPower returns when the BMC reports what was asked for.
	SetPower(ctx context.Context, b pool.BMC, a pool.PowerAction) error
	SetBootDevice(ctx context.Context, b pool.BMC, d pool.BootDevice, f pool.Firmware) error
	Check(ctx context.Context, b pool.BMC) error
}

// Compute chooses machines: the best for t, or why each one is not. It must
// be pure; the engine claims what it chose in one transaction.
type Compute interface {
	Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool)
	// Do carries out a step that the machine's driver has of its own. It may
	// be asked twice for the same step; errors are *pool.Cause where a person
	// can act on them.
	Do(ctx context.Context, j pool.Job) (pool.JobResult, error)
}

// AcceptRule lets discovered machines in that match: by Subnet of their
// address; a zero Subnet matches all.
type AcceptRule struct {
	Name   string
	Subnet netip.Prefix
	// Erase allows that what is on their disks is erased. Without it a
	// machine whose disks hold something is accepted, and protected.
	Erase bool
	Tags  []string
}

// Engine is the planner and step machine. Set the fields before Run; all
// methods may be called at any time from any goroutine.
type Engine struct {
	Store   Store
	BMC     Power // nil: no machine is switched by its BMC
	Compute Compute
	Rules   []AcceptRule
	Image   string       // default image of deployments; empty: the only one there is
	SSHKeys []string     // let into systems whose deployment names none
	Log     *slog.Logger // nil is silent
	// Boot observes what the engine sees of booting machines: power switched
	// on, an agent's first hello. Nil: nobody does. It must not block.
	Boot func(pool.BootEvent)
	// Probe says whether anything at an address answers on the network; nil:
	// nothing does. It must end with ctx.
	Probe func(ctx context.Context, addr netip.Addr) bool
	// Links says which of the appliance's own links is down; empty or nil: none.
	Links func() string
	// Return is how long a machine that is switched on again may take until its
	// agent reports; 10 minutes when zero.
	Return time.Duration
	// NameTime is how long a client may hold an answer of the service's name: an
	// instance that others can stand in for is stopped that long after its
	// name went to them. Zero: there are no names.
	NameTime time.Duration

	q       queue
	times   durations
	once    sync.Once
	started time.Time
	clock   clock
	wg      sync.WaitGroup // effects

	mu       sync.Mutex
	live     map[string]*presence
	bells    map[string]chan struct{} // closed when a machine's rows changed
	working  map[string]context.CancelFunc
	effects  map[string]*effect // by step key, until the planner took them
	assigned map[string]assignment
	watchers map[chan pool.LiveUpdate]struct{}
	fetches  map[pool.MAC][]time.Time
	arrivals map[netip.Addr]arrivals // of machines that nobody knew, by who said hello
	guard    guard

	looks lookout // details, monitors and samples
}

func (e *Engine) init() {
	e.once.Do(func() {
		e.started = time.Now()
		e.clock.base = e.started
		e.live, e.bells = map[string]*presence{}, map[string]chan struct{}{}
		e.working, e.effects = map[string]context.CancelFunc{}, map[string]*effect{}
		e.assigned, e.watchers = map[string]assignment{}, map[chan pool.LiveUpdate]struct{}{}
		e.fetches = map[pool.MAC][]time.Time{}
		e.arrivals = map[netip.Addr]arrivals{}
		e.guard.suspects = map[string]*suspect{}
		if e.Log == nil {
			e.Log = slog.New(slog.DiscardHandler)
		}
	})
}
