package orchestrator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
	"appliance/store"
)

// fleet is an engine over the real store, with machines that are active and
// whose instances have all of their way up before them; the agents do nothing
// and say that it is done. It is what the benchmarks drive.
type fleet struct {
	db      *store.DB
	engine  *Engine
	ids     []string // of instances; machine of in-N is m-N
	done    atomic.Int64
	stop    context.CancelFunc
	stopped chan struct{}
}

// sized is how many instances a service of a fleet has.
func newFleet(tb testing.TB, dir string, n, sized int) *fleet {
	tb.Helper()
	db, err := store.Open(tb.Context(), store.Options{Dir: dir, Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		tb.Fatal(err)
	}
	f := &fleet{db: db, stopped: make(chan struct{}),
		engine: &Engine{Store: db, Compute: compute.Metal{}}}
	f.engine.init()
	ctx, stop := context.WithCancel(tb.Context())
	f.stop = stop
	go func() {
		defer close(f.stopped)
		if err := f.engine.Run(ctx); err != nil {
			tb.Error(err)
		}
	}()
	if n > 0 {
		f.fill(tb, n, sized)
	}
	return f
}

func (f *fleet) close(tb testing.TB) {
	tb.Helper()
	f.stop()
	<-f.stopped
	if err := f.db.Close(); err != nil {
		tb.Error(err)
	}
}

// fleetRecipe has all twelve lifecycle events.
func fleetRecipe() pool.RecipeInfo {
	r := recipe()
	r.Events = append(upEvents()[1:], downEvents()...)
	return r
}

// fill stores n machines with instances, in services of sized.
func (f *fleet) fill(tb testing.TB, n, sized int) {
	tb.Helper()
	if err := f.db.PutTemplate(tb.Context(), pool.Template{Name: "SMALL_LINUX"}); err != nil {
		tb.Fatal(err)
	}
	for at := 0; at < n; at += sized {
		d := &draft{now: time.Now().UTC(), mint: mint}
		svc := &pool.Service{Name: fmt.Sprintf("s%d", at/sized), Recipe: fleetRecipe(), Template: "SMALL_LINUX", Image: "debian-12",
			Instances: min(sized, n-at), Phase: pool.ServiceDeploying, By: "bench", CreatedAt: d.now}
		d.service(svc)
		for i := at; i < min(at+sized, n); i++ {
			f.ids = append(f.ids, d.fleetInstance(svc, i, i-at+1))
		}
		if err := f.db.Apply(tb.Context(), &d.Change); err != nil {
			tb.Fatal(err)
		}
	}
}

func (d *draft) fleetInstance(svc *pool.Service, i, number int) string {
	m := &pool.Machine{ID: fmt.Sprintf("m-%d", i), Name: fmt.Sprintf("node-%d", i), Phase: pool.Active, Epoch: 1, Firmware: pool.BIOS, Arch: pool.AMD64,
		Address: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), CreatedAt: d.now, Key: "key",
		Conditions: pool.Conditions{pool.CondAgent: {Value: "installed", Since: d.now}},
		Facts:      &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: 8}, Memory: 32 << 30, Disks: []pool.Disk{{Name: "sda", Serial: fmt.Sprintf("D%d", i), Size: 1 << 40}}}}
	in := &pool.Instance{ID: fmt.Sprintf("in-%d", i), Service: svc.Name, Number: number, Machine: m.ID, Phase: pool.InstanceInstalling, CreatedAt: d.now}
	m.Instance = in.ID
	d.machine(m)
	d.instance(in)
	d.secret(tokenSecret(in.ID), pool.NewSecret("token-of-"+in.ID))
	names := append([]string{stepPrepare}, upEvents()[1:]...)
	d.newSteps(in.ID, m.ID, 1, 2, d.now.Add(24*time.Hour), names, func(n string) spec { return eventSpec(n, svc.Recipe) })
	return in.ID
}

// hello makes the agent of an instance's machine known.
func (f *fleet) hello(ctx context.Context, id string) error {
	machine := "m-" + id[len("in-"):]
	_, err := f.engine.AgentHello(ctx, pool.AgentHello{Machine: machine, Mode: pool.Installed, BootID: "boot-" + machine, Epoch: 1})
	return err
}

// agent works for the instance's machine until the instance has left the
// phases that it passes through, and calls each with the time from one result
// to the next task.
func (f *fleet) agent(ctx context.Context, id string, until pool.ServicePhase, each func(time.Duration)) error {
	machine := "m-" + id[len("in-"):]
	var reported time.Time
	for {
		poll, stop := context.WithTimeout(ctx, 500*time.Millisecond)
		s, token, err := f.engine.NextTask(poll, machine, "boot-"+machine, pool.Installed)
		stop()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, pool.ErrNotFound):
			if there, err := f.reached(ctx, id, until); there || err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if each != nil && !reported.IsZero() {
			each(time.Since(reported))
		}
		reported = time.Now()
		err = f.engine.TaskResult(ctx, pool.TaskOutcome{Machine: machine, Key: s.Key, Token: token, BootID: "boot-" + machine, State: "done"})
		if err != nil {
			return fmt.Errorf("result of %s: %w", s.Key, err)
		}
		f.done.Add(1)
		if there, err := f.reached(ctx, id, until); there || err != nil {
			return err
		}
	}
}

// reached says whether an instance is in a phase; one that was removed may be
// forgotten already.
func (f *fleet) reached(ctx context.Context, id string, until pool.ServicePhase) (bool, error) {
	in, err := f.db.Instance(ctx, id)
	if until == pool.InstanceRemoved && errors.Is(err, pool.ErrNotFound) {
		return true, nil
	}
	return err == nil && in.Phase == until, err
}
