package api

import (
	"context"
	"io"
	"os"
	"time"

	"appliance/pool"
)

// Machines reads machines and what runs on them.
type Machines interface {
	Machine(ctx context.Context, id string) (pool.Machine, error)
	MachineByName(ctx context.Context, nameOrIDOrMAC string) (pool.Machine, error)
	Machines(ctx context.Context) ([]pool.Machine, error)
	OpenOperation(ctx context.Context, machine string) (pool.Operation, error)
	LastOperation(ctx context.Context, machine string) (pool.Operation, error)
	OpenOperations(ctx context.Context) ([]pool.Operation, error)
	Steps(ctx context.Context, owner string) ([]pool.Step, error)
	Wiped(ctx context.Context, machine string) (map[string]bool, error)
	Leases(ctx context.Context) ([]pool.Lease, error)
}

// Services reads services and keeps their attributes.
type Services interface {
	Service(ctx context.Context, name string) (pool.Service, error)
	Services(ctx context.Context) ([]pool.Service, error)
	Instance(ctx context.Context, id string) (pool.Instance, error)
	Instances(ctx context.Context, service string) ([]pool.Instance, error)
	Application(ctx context.Context, name string) (pool.Application, error)
	Applications(ctx context.Context) ([]pool.Application, error)
	Revisions(ctx context.Context, service string) ([]pool.Revision, error)
	Attribute(ctx context.Context, scope, name string) (pool.Attribute, error)
	Attributes(ctx context.Context, scope string) ([]pool.Attribute, error)
	SetAttribute(ctx context.Context, a pool.Attribute, e *pool.Event) (pool.Attribute, error)
	RemoveAttribute(ctx context.Context, scope, name string, rev int64, e *pool.Event) error
	Decisions(ctx context.Context, service string, limit int) ([]pool.ScalingDecision, error)
	Secret(ctx context.Context, name string) (pool.Secret, error)
	Apply(ctx context.Context, c *pool.Change) error
}

// Catalogue keeps what a service is made of.
type Catalogue interface {
	PutRecipe(ctx context.Context, r pool.RecipeInfo, archive []byte) error
	Recipe(ctx context.Context, digest string) (pool.RecipeInfo, []byte, error)
	Recipes(ctx context.Context) ([]pool.RecipeInfo, error)
	Template(ctx context.Context, name string) (pool.Template, error)
	Templates(ctx context.Context) ([]pool.Template, error)
	PutImage(ctx context.Context, i pool.Image) error
	Image(ctx context.Context, name string) (pool.Image, error)
	Images(ctx context.Context) ([]pool.Image, error)
	DeleteImage(ctx context.Context, name string) error
}

// Journal reads what happened, and keeps what consoles show.
type Journal interface {
	Events(ctx context.Context, f pool.EventFilter) ([]pool.Event, error)
	Watch() (<-chan struct{}, func())
	AppendLog(ctx context.Context, lines []pool.LogLine) ([]pool.LogLine, error)
	Logs(ctx context.Context, f pool.LogFilter) ([]pool.LogLine, error)
	BootEvents(ctx context.Context, macs []pool.MAC, since time.Time, limit int) ([]pool.BootEvent, error)
	Schema(ctx context.Context) (int64, error)
}

// Tokens keeps API tokens and sessions.
type Tokens interface {
	PutToken(ctx context.Context, t pool.APIToken) error
	UsedToken(ctx context.Context, t pool.APIToken) error
	TokenByHash(ctx context.Context, hash string) (pool.APIToken, error)
	Tokens(ctx context.Context) ([]pool.APIToken, error)
	DeleteToken(ctx context.Context, name string) error
}

// Store is all that the API remembers by.
type Store interface {
	Machines
	Services
	Catalogue
	Journal
	Tokens
}

// Engine does what people ask.
type Engine interface {
	Accept(ctx context.Context, machine, by string, o pool.AcceptOptions) (pool.Operation, error)
	Start(ctx context.Context, machine string, kind pool.OpKind, p pool.OpParams, by string) (pool.Operation, error)
	Release(ctx context.Context, machine, by string, o pool.ReleaseOptions) (pool.Machine, error)
	Cancel(ctx context.Context, operation, by string) error
	Deploy(ctx context.Context, o pool.DeployOptions) (pool.Service, error)
	DeployApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Application, error)
	RemoveApplication(ctx context.Context, name string, wipe bool, by string) (pool.Application, error)
	AbandonApplication(ctx context.Context, name, by string) (pool.Application, error)
	// UpdateApplication takes its services to another version, one after the other.
	UpdateApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Application, error)
	UndoApplication(ctx context.Context, name, by string) (pool.Application, error)
	// Plan and PlanApplication say what a deployment would do, and change nothing.
	Plan(ctx context.Context, o pool.DeployOptions) (pool.Plan, error)
	PlanApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Plan, error)
	PlanUpdate(ctx context.Context, service string, o pool.UpdateOptions) (pool.Plan, error)
	PlanApplicationUpdate(ctx context.Context, o pool.ApplicationOptions) (pool.Plan, error)
	Update(ctx context.Context, service string, o pool.UpdateOptions) (pool.Service, error)
	// Steer promotes, pauses, resumes or undoes the update of a service.
	Steer(ctx context.Context, service, action, by string) (pool.Service, error)
	// Abandon ends a service without asking its machines.
	Abandon(ctx context.Context, service, by string) (pool.Service, error)
	Remove(ctx context.Context, service string, wipe bool, by string) (pool.Service, error)
	Retry(ctx context.Context, machineOrService, by string) error
	AddHosts(ctx context.Context, o pool.HostOptions, by string) ([]pool.Machine, error)
	RemoveHost(ctx context.Context, host, by string) (pool.Machine, error)
	Scale(ctx context.Context, service string, n int, wipe bool, by string) (pool.Service, error)
	ExplainScaling(ctx context.Context, service string) (pool.ScalingDecision, error)
	Invoke(ctx context.Context, service string, o pool.InvokeOptions) (pool.Invocation, error)
	// WaitInvocation returns when it is done or ctx ended.
	WaitInvocation(ctx context.Context, service, id string) (pool.Invocation, error)
	Readings(ctx context.Context, service string) ([]pool.Readings, error)
	Samples(ctx context.Context, service string) (map[string]map[string][]pool.Sample, error)
	Live(machine string) pool.LiveState
	// Healing says whether lost machines are fenced; Stop and Resume switch it.
	Healing(ctx context.Context) (pool.HealingState, error)
	StopHealing(ctx context.Context, by, why string) (pool.HealingState, error)
	ResumeHealing(ctx context.Context, by string) (pool.HealingState, error)
	// Reinstall has the system of an instance's machine written anew.
	Reinstall(ctx context.Context, service string, number int, withoutData bool, by string) (pool.Service, error)
	// TakeAsDone takes a person's word that a step which was cut off was done.
	TakeAsDone(ctx context.Context, service, by string) (pool.Service, error)
	// Recover takes a person's word on a service that waits for one.
	Recover(ctx context.Context, service string, o pool.RecoverOptions) (pool.Service, error)
	// Maintain begins maintenance for a time, without end when it is zero.
	Maintain(ctx context.Context, machineOrService, by, reason string, span time.Duration) (pool.Maintenance, error)
	Unmaintain(ctx context.Context, machineOrService, by string) error
	// WatchLive returns a channel of changes, which may be nil, and a func that ends the watch.
	WatchLive() (<-chan pool.LiveUpdate, func())
}

// Agents answers what agents say, once the API knows who they are.
type Agents interface {
	AgentHello(ctx context.Context, h pool.AgentHello) (pool.Verdict, error)
	AgentBye(ctx context.Context, machine, bootID string) error
	// Beat notes a sign of life; ErrConflict: the agent must say hello first.
	Beat(machine, bootID string) error
	Watched(ctx context.Context, r pool.WatchReport) error
	UseBootToken(ctx context.Context, mac pool.MAC, token string) (machine string, err error)
	// NextTask blocks until there is a task, or ctx ended: pool.ErrNotFound.
	NextTask(ctx context.Context, machine, bootID string, mode pool.AgentMode) (pool.Step, string, error)
	// NextErrand is NextTask for an agent that is busy: only what runs beside.
	NextErrand(ctx context.Context, machine, bootID string) (pool.Step, string, error)
	TakeReadings(ctx context.Context, machine string, r pool.Readings) error
	TaskProgress(ctx context.Context, machine, key, token, bootID string, p pool.Progress) error
	TaskResult(ctx context.Context, o pool.TaskOutcome) error
	TaskOutput(ctx context.Context, machine, key, token string, first int, lines []string) error
	// Identity refuses a token that is not that of machine's open deployment.
	Identity(ctx context.Context, machine, token string) (pool.Machine, error)
}

// Images keeps the files of disk images.
type Images interface {
	// Import calls store with the row of the image that it has read; with what
	// store says the image is replaced, or not.
	Import(ctx context.Context, name string, r io.Reader, progress func(int64), store func(pool.Image) error) (pool.Image, error)
	// Frames opens an image's stored frames.
	Frames(im pool.Image) (*os.File, error)
	// Delete calls forget, which removes the row, and then removes the files.
	Delete(name string, forget func() error) error
}
