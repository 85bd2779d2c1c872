// Package storetest is the conformance suite of the store: what every store
// must do, whatever it keeps its rows in.
package storetest

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"appliance/pool"
)

// Store is what the suite asks of a store: the contract of package store.
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
	SharedSteps(ctx context.Context, owner string) ([]*pool.Step, error)
	Step(ctx context.Context, key string) (pool.Step, error)
	RunningSteps(ctx context.Context, machine string) ([]pool.Step, error)
	Service(ctx context.Context, name string) (pool.Service, error)
	Services(ctx context.Context) ([]pool.Service, error)
	Instance(ctx context.Context, id string) (pool.Instance, error)
	Instances(ctx context.Context, service string) ([]pool.Instance, error)
	Application(ctx context.Context, name string) (pool.Application, error)
	Applications(ctx context.Context) ([]pool.Application, error)
	Revision(ctx context.Context, service string, n int) (pool.Revision, error)
	Revisions(ctx context.Context, service string) ([]pool.Revision, error)
	Template(ctx context.Context, name string) (pool.Template, error)
	Templates(ctx context.Context) ([]pool.Template, error)
	PutTemplate(ctx context.Context, t pool.Template) error
	DeleteTemplate(ctx context.Context, name string) error
	Attribute(ctx context.Context, scope, name string) (pool.Attribute, error)
	Attributes(ctx context.Context, scope string) ([]pool.Attribute, error)
	DeleteAttribute(ctx context.Context, scope, name string) error
	SetAttribute(ctx context.Context, a pool.Attribute, e *pool.Event) (pool.Attribute, error)
	RemoveAttribute(ctx context.Context, scope, name string, rev int64, e *pool.Event) error
	OpenCommands(ctx context.Context) ([]pool.Step, error)
	Invocation(ctx context.Context, id string) ([]pool.Step, error)
	Decisions(ctx context.Context, service string, limit int) ([]pool.ScalingDecision, error)
	Secret(ctx context.Context, name string) (pool.Secret, error)
	Wiped(ctx context.Context, machine string) (map[string]bool, error)
	Events(ctx context.Context, f pool.EventFilter) ([]pool.Event, error)
	Watch() (<-chan struct{}, func())
	AppendLog(ctx context.Context, lines []pool.LogLine) ([]pool.LogLine, error)
	Logs(ctx context.Context, f pool.LogFilter) ([]pool.LogLine, error)
	AppendBoot(ctx context.Context, events []pool.BootEvent) error
	BootEvents(ctx context.Context, macs []pool.MAC, since time.Time, limit int) ([]pool.BootEvent, error)
	Lease(ctx context.Context, mac pool.MAC) (pool.Lease, error)
	LeaseAt(ctx context.Context, addr netip.Addr) (pool.Lease, error)
	Leases(ctx context.Context) ([]pool.Lease, error)
	Bind(ctx context.Context, l pool.Lease) (pool.Lease, error)
	BindAll(ctx context.Context, ls []pool.Lease) []error
	Lease6(ctx context.Context, mac pool.MAC) (pool.Lease, error)
	Forget(ctx context.Context, addr netip.Addr) error
	Reservations(ctx context.Context) ([]pool.Reservation, error)
	PutReservation(ctx context.Context, r pool.Reservation) error
	DeleteReservation(ctx context.Context, key string) error
	Unbind(ctx context.Context, mac pool.MAC, addr netip.Addr) error
	Decline(ctx context.Context, addr netip.Addr, until time.Time) error
	Discover(ctx context.Context, mac pool.MAC, client pool.Client, now time.Time) (pool.Machine, error)
	PutRecipe(ctx context.Context, r pool.RecipeInfo, archive []byte) error
	Recipe(ctx context.Context, digest string) (pool.RecipeInfo, []byte, error)
	Recipes(ctx context.Context) ([]pool.RecipeInfo, error)
	PutImage(ctx context.Context, i pool.Image) error
	Image(ctx context.Context, name string) (pool.Image, error)
	Images(ctx context.Context) ([]pool.Image, error)
	DeleteImage(ctx context.Context, name string) error
	PutToken(ctx context.Context, t pool.APIToken) error
	TokenByHash(ctx context.Context, hash string) (pool.APIToken, error)
	Tokens(ctx context.Context) ([]pool.APIToken, error)
	DeleteToken(ctx context.Context, name string) error
	Setting(ctx context.Context, key string) (string, error)
	SetSetting(ctx context.Context, key, value string) error
	Backup(ctx context.Context, path string) error
	Schema(ctx context.Context) (int64, error)
}

// Run runs the suite. open returns an empty store that the test closes.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"MachineRoundTrip", machineRoundTrip},
		{"MachineUnique", machineUnique},
		{"MachineRules", machineRules},
		{"ChangeIsWhole", changeIsWhole},
		{"Discover", discover},
		{"Claims", claims},
		{"OneOperation", oneOperation},
		{"Steps", steps},
		{"Services", services},
		{"Applications", applications},
		{"Forgotten", forgotten},
		{"Attributes", attributes},
		{"AttributeRevisions", attributeRevisions},
		{"ClearedScopes", clearedScopes},
		{"Commands", commands},
		{"Decisions", decisions},
		{"Events", events},
		{"Logs", logs},
		{"BootEvents", bootEvents},
		{"Leases", leases},
		{"BindAll", bindAll},
		{"Reservations", reservations},
		{"Library", library},
		{"Settings", settings},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}
