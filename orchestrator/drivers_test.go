package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
	"appliance/store"
)

// driven is a Compute whose choice is real and whose steps are recorded.
type driven struct {
	compute.Set

	mu    sync.Mutex
	did   []string
	fails map[string]error // by step, once
}

func (d *driven) Do(_ context.Context, j pool.Job) (pool.JobResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.did = append(d.did, j.Step)
	if err := d.fails[j.Step]; err != nil {
		delete(d.fails, j.Step)
		return pool.JobResult{}, err
	}
	return pool.JobResult{HostKey: "ssh-ed25519 AAAA", Facts: &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: 2}, Memory: 4 << 30}}, nil
}

func (d *driven) steps() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.did, " ")
}

// driverRig is an engine over the real store with agents that do all they are asked.
type driverRig struct {
	t  *testing.T
	db *store.DB
	e  *Engine
	c  *driven
}

func newDriverRig(t *testing.T) *driverRig {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	c := &driven{Set: compute.Set{compute.Metal{}, compute.Hosts{}, compute.VMs{Hypervisors: []compute.Hypervisor{{Name: "local", Cores: 2, Memory: 4 << 30}}}}, fails: map[string]error{}}
	r := &driverRig{t: t, db: db, c: c, e: &Engine{Store: db, Compute: c}}
	for _, err := range []error{db.PutImage(t.Context(), pool.Image{Name: "debian", Digest: "sha256:1", Size: 1 << 30})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.e.init()
	r.e.started = time.Now().Add(-time.Hour) // it has served for long
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.e.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *driverRig) until(what string, ok func() bool) {
	r.t.Helper()
	for range 1500 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	events, _ := r.db.Events(r.t.Context(), pool.EventFilter{})
	for _, e := range events {
		r.t.Log(e.Message)
	}
	r.t.Fatalf("never: %s; steps: %s", what, r.c.steps())
}

func (r *driverRig) machine(id string) pool.Machine {
	r.t.Helper()
	m, err := r.db.Machine(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// of returns the machine of the only instance of a service.
func (r *driverRig) of(service string) (m pool.Machine) {
	r.t.Helper()
	r.until("an instance of "+service+" has a machine", func() bool {
		list, err := r.db.Instances(r.t.Context(), service)
		if err != nil || len(list) != 1 || list[0].Machine == "" {
			return false
		}
		m = r.machine(list[0].Machine)
		return true
	})
	return m
}

// agent says hello and does every task until the machine has no owner.
func (r *driverRig) agent(m pool.Machine, mode pool.AgentMode, boot string) {
	r.t.Helper()
	h := pool.AgentHello{Machine: m.ID, MAC: m.MAC(), Mode: mode, BootID: boot, Version: "test", Epoch: m.Epoch, Key: "key"}
	if v, err := r.e.AgentHello(r.t.Context(), h); err != nil || v.State != verdictWork {
		r.t.Fatalf("hello of %s in %s = %s %s, %v", m.ID, mode, v.State, v.Why, err)
	}
	go func() {
		for r.t.Context().Err() == nil {
			ctx, stop := context.WithTimeout(r.t.Context(), 200*time.Millisecond)
			s, token, err := r.e.NextTask(ctx, m.ID, boot, mode)
			stop()
			if err != nil {
				if !errors.Is(err, pool.ErrConflict) {
					continue
				}
				if mode == pool.InRAM {
					return
				}
				if v, err := r.e.AgentHello(r.t.Context(), h); err != nil || v.State != verdictWork {
					return
				}
				continue
			}
			_ = r.e.TaskResult(r.t.Context(), pool.TaskOutcome{Machine: m.ID, Key: s.Key, Token: token, BootID: boot, State: "done", Result: []byte("{}")})
		}
	}()
}

func plainRecipe() pool.RecipeInfo {
	return pool.RecipeInfo{Name: "r", Digest: "sha256:abc", Template: "T", Instances: 1, Events: []string{"install", "start"}}
}

// TestVirtualMachine: it is made for its instance, gets agent and image as
// metal does, and is gone when the instance gives it up; a second one finds
// no room, and the reason names the hypervisor. A disk that was kept is
// removed once a person says so.
func TestVirtualMachine(t *testing.T) {
	for _, wipe := range []bool{true, false} {
		t.Run(fmt.Sprintf("wipe %t", wipe), func(t *testing.T) { virtualMachine(t, wipe) })
	}
}

func virtualMachine(t *testing.T, wipe bool) {
	r := newDriverRig(t)
	ctx := t.Context()
	if err := r.db.PutTemplate(ctx, pool.Template{Name: "T", Cores: 2, Drivers: []pool.Driver{"metal", "vm"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.e.Deploy(ctx, pool.DeployOptions{Name: "one", Recipe: plainRecipe(), By: "me"}); err != nil {
		t.Fatal(err)
	}
	m := r.of("one")
	if m.Driver != pool.DriverVM || m.Host != "local" || m.MAC() != compute.DomainMAC(m.ID) || m.BMC.GUID != compute.DomainGUID(m.ID) || !slices.Equal(m.Owned, []string{m.ID}) {
		t.Errorf("machine = %+v, BMC %+v", m, m.BMC)
	}
	r.until("it is defined", func() bool { return r.c.steps() == "define" })
	if _, err := r.e.MintBootToken(ctx, m.ID); err != nil {
		t.Errorf("its agent gets no token: %v", err)
	}
	if _, err := r.e.Deploy(ctx, pool.DeployOptions{Name: "two", Recipe: plainRecipe(), By: "me"}); !errors.Is(err, pool.ErrUnavailable) || !strings.Contains(err.Error(), "hypervisor local has 0 of 2 cores left, wants 2") {
		t.Errorf("a second one = %v", err)
	}
	r.agent(m, pool.InRAM, "boot-1")
	r.until("it starts from its disk", func() bool { return r.c.steps() == "define start-vm" })
	r.agent(r.machine(m.ID), pool.Installed, "boot-2")
	r.until("the service runs", func() bool {
		s, err := r.db.Service(ctx, "one")
		return err == nil && s.Phase == pool.ServiceRunning
	})
	if _, err := r.e.Remove(ctx, "one", wipe, "me"); err != nil {
		t.Fatal(err)
	}
	r.until("it is gone", func() bool { return r.machine(m.ID).Phase == pool.Retired })
	if got := r.c.steps(); got != "define start-vm undefine" {
		t.Errorf("steps = %s", got)
	}
	if kept := keptVM(r.machine(m.ID)); kept == wipe {
		t.Errorf("its disk is kept: %t", kept)
	}
	if wipe {
		return
	}
	if _, err := r.e.Release(ctx, m.Name, "me", pool.ReleaseOptions{}); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "--wipe "+m.Name) {
		t.Errorf("Release without a word on the disk = %v, want ErrInvalid that asks for --wipe", err)
	}
	if _, err := r.e.Release(ctx, m.Name, "me", pool.ReleaseOptions{Wipe: true}); err != nil {
		t.Fatal(err)
	}
	r.until("its disk is gone", func() bool { return r.c.steps() == "define start-vm undefine undefine" })
	r.until("and it", func() bool { now := r.machine(m.ID); return now.Phase == pool.Retired && !keptVM(now) })
}

// TestHostGoesBack: a host that cannot be connected to when an instance takes
// it is INVALID, and the instance takes the next; what an instance had is
// cleaned before it is FREE again.
func TestHostGoesBack(t *testing.T) {
	r := newDriverRig(t)
	ctx := t.Context()
	if err := r.db.PutTemplate(ctx, pool.Template{Name: "T", Drivers: []pool.Driver{"ssh"}}); err != nil {
		t.Fatal(err)
	}
	login := pool.NodeLogin{User: "root", Password: "pw"}
	hosts, err := r.e.AddHosts(ctx, pool.HostOptions{Nodes: []pool.Node{{ID: "a", Host: "10.0.0.1", Login: login}, {ID: "b", Host: "10.0.0.2", Login: login}}}, "me")
	if err != nil {
		t.Fatal(err)
	}
	a, b := hosts[0].ID, hosts[1].ID
	r.until("both are FREE", func() bool {
		return r.machine(a).HostState() == pool.HostFree && r.machine(b).HostState() == pool.HostFree
	})
	r.c.mu.Lock()
	r.c.fails["connect"] = &pool.Cause{Code: "host.auth", Message: "it refuses"}
	r.c.mu.Unlock()
	if _, err := r.e.Deploy(ctx, pool.DeployOptions{Name: "one", Recipe: plainRecipe(), By: "me"}); err != nil {
		t.Fatal(err)
	}
	r.until("the instance has b", func() bool { return r.machine(b).Phase == pool.Reserved })
	if got := r.machine(a); got.HostState() != pool.HostInvalid || got.Instance != "" {
		t.Errorf("a = %s, instance %q", got.HostState(), got.Instance)
	}
	r.until("the agent was put on b", func() bool { return strings.HasSuffix(r.c.steps(), "push") })
	r.agent(r.machine(b), pool.Installed, "boot-1")
	r.until("the service runs", func() bool {
		s, err := r.db.Service(ctx, "one")
		return err == nil && s.Phase == pool.ServiceRunning
	})
	if _, err := r.e.RemoveHost(ctx, "b", "me"); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("removing a host in use = %v", err)
	}
	if _, err := r.e.Start(ctx, "b", pool.OpWipe, pool.OpParams{}, "me"); err == nil {
		t.Error("a running host can be wiped")
	}
	if _, err := r.e.Remove(ctx, "one", true, "me"); err != nil {
		t.Fatal(err)
	}
	r.until("b is FREE again", func() bool { return r.machine(b).HostState() == pool.HostFree })
	if got := r.c.steps(); !strings.HasSuffix(got, "push clean") {
		t.Errorf("steps = %s", got)
	}
	if _, err := r.e.AddHosts(ctx, pool.HostOptions{Nodes: []pool.Node{{ID: "c", Host: "10.0.0.2", Login: login}}}, "me"); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("the same address again = %v", err)
	}
	if _, err := r.e.RemoveHost(ctx, "b", "me"); err != nil {
		t.Fatal(err)
	}
	if s, err := r.db.Secret(ctx, pool.LoginSecret(b)); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("its login is kept: %v, %v", s, err)
	}
}

// offPower says that everything is off, and answers every check.
type offPower struct{ Power }

func (offPower) PowerState(context.Context, pool.BMC) (pool.Power, error) { return pool.PowerOff, nil }
func (offPower) Check(context.Context, pool.BMC) error                    { return nil }

// TestVirtualMachineIsFenced: an operator's fence ends with the proof, as of metal.
func TestVirtualMachineIsFenced(t *testing.T) {
	r := newDriverRig(t)
	ctx := t.Context()
	if err := r.db.PutTemplate(ctx, pool.Template{Name: "T", Drivers: []pool.Driver{"vm"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.e.Deploy(ctx, pool.DeployOptions{Name: "one", Recipe: plainRecipe(), By: "me"}); err != nil {
		t.Fatal(err)
	}
	m := r.of("one")
	if got := opSteps(pool.Operation{Kind: pool.OpFence}, m, presence{}); !slices.Equal(got, []string{stepPowerOff, stepProof}) {
		t.Errorf("a fence of a virtual machine is %v", got)
	}
	if !controlled(m) {
		t.Error("libvirt does not control the virtual machine that it is to make")
	}
}

// TestProofOfVirtualMachine: libvirt has no password and knows a virtual
// machine by its UUID; a BMC without a password of its own proves nothing.
func TestProofOfVirtualMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Engine{BMC: offPower{}}
		if err := e.prove(t.Context(), pool.BMC{Protocol: compute.ProtocolLibvirt, Host: "local", GUID: compute.DomainGUID("m-1")}); err != nil {
			t.Errorf("of a virtual machine that libvirt says is off: %v", err)
		}
		if err := e.prove(t.Context(), pool.BMC{GUID: "g"}); err == nil {
			t.Error("a BMC without a password proved that its machine is off")
		}
	})
}
