package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"appliance/pool"
)

// same compares values as a store keeps them.
var same = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})}

func machineRoundTrip(t *testing.T, s Store) {
	ctx := t.Context()
	m := ready(t, s, 1)
	m.Name, m.MACs, m.Tags, m.UUID, m.Image = "db-1", append(m.MACs, mac(2)), []string{"a", "b"}, "u-u", "debian-12"
	m.Address, m.Key, m.OfferedKey, m.AcceptedBy = netip.MustParseAddr("10.0.0.9"), "aa", "bb", "rule all"
	m.BMC = &pool.BMC{Address: netip.MustParseAddr("10.0.1.9"), MAC: mac(9), Port: 623, User: "appliance", UserID: 3, GUID: "g"}
	m.Phase, m.Instance, m.Epoch = pool.Reserved, "i-1", 1
	must(t, s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&m}}))
	for _, name := range []string{m.ID, "db-1", mac(1).String(), mac(2).String(), "52-54-00-00-00-02"} {
		got, err := s.MachineByName(ctx, name)
		must(t, err)
		if d := cmp.Diff(m, got, same); d != "" {
			t.Errorf("MachineByName(%s) differs (-want +got):\n%s", name, d)
		}
	}
	if got, err := s.MachineByMAC(ctx, mac(2)); err != nil || got.ID != m.ID {
		t.Errorf("MachineByMAC = %s, %v, want %s", got.ID, err, m.ID)
	}
	for name, f := range map[string]func() error{
		"Machine":       func() error { _, err := s.Machine(ctx, "m-none"); return err },
		"MachineByMAC":  func() error { _, err := s.MachineByMAC(ctx, mac(77)); return err },
		"MachineByName": func() error { _, err := s.MachineByName(ctx, ""); return err },
	} {
		want(t, name+" of none", f(), pool.ErrNotFound)
	}
	// A MAC that it no longer has finds nothing.
	m.MACs = m.MACs[:1]
	must(t, s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&m}}))
	_, err := s.MachineByMAC(ctx, mac(2))
	want(t, "MachineByMAC of a MAC it lost", err, pool.ErrNotFound)
}

func machineUnique(t *testing.T, s Store) {
	a, b := ready(t, s, 1), ready(t, s, 2)
	for name, change := range map[string]func(*pool.Machine){
		"name": func(m *pool.Machine) { m.Name = a.Name },
		"MAC":  func(m *pool.Machine) { m.MACs = append(m.MACs, a.MAC()) },
	} {
		m := b.Clone()
		change(&m)
		want(t, "same "+name, s.Apply(t.Context(), &pool.Change{Machines: []*pool.Machine{&m}}), pool.ErrConflict)
	}
	for i, m := range []pool.Machine{a, b} {
		m.Phase, m.Instance, m.Epoch = pool.Reserved, "i-1", 1
		err := s.Apply(t.Context(), &pool.Change{Machines: []*pool.Machine{&m}})
		want(t, fmt.Sprintf("machine %d of one instance", i+1), err, []error{nil, pool.ErrConflict}[i])
	}
}

func machineRules(t *testing.T, s Store) {
	ctx := t.Context()
	m := enrolled(t, s, 1)
	next := m.Clone()
	next.Phase, next.Conditions = pool.Ready, next.Conditions.Without(pool.CondDirty)
	want(t, "ready without a wipe record", s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&next}}), pool.ErrConflict)
	if next.Rev != m.Rev {
		t.Errorf("Rev after a refused change = %d, want %d", next.Rev, m.Rev)
	}
	c := pool.Change{Machines: []*pool.Machine{&next}, Wipes: []*pool.WipeRecord{wipe(m, 1)}}
	must(t, s.Apply(ctx, &c))
	if next.Rev != m.Rev+1 {
		t.Errorf("Rev = %d, want %d", next.Rev, m.Rev+1)
	}
	want(t, "stale Rev", s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&m}}), pool.ErrConflict)
	if w, err := s.Wiped(ctx, m.ID); err != nil || !cmp.Equal(w, map[string]bool{serial(1): true}) {
		t.Errorf("Wiped = %v, %v, want %s", w, err, serial(1))
	}
	used := wipe(m, 1)
	used.Used = true
	same := next.Clone()
	want(t, "ready with a used wipe record",
		s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&same}, Wipes: []*pool.WipeRecord{used}}), pool.ErrConflict)
	want(t, "use of a record of a ready machine", s.Apply(ctx, &pool.Change{Wipes: []*pool.WipeRecord{used}}), pool.ErrConflict)
	reserved := next.Clone()
	reserved.Phase, reserved.Instance, reserved.Epoch = pool.Reserved, "i-1", 1
	must(t, s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&reserved}}))
	must(t, s.Apply(ctx, &pool.Change{Wipes: []*pool.WipeRecord{used}}))
	if w, err := s.Wiped(ctx, m.ID); err != nil || len(w) != 0 {
		t.Errorf("Wiped after use = %v, %v, want none", w, err)
	}
	back := reserved.Clone()
	back.Phase = pool.Ready
	want(t, "ready after reserved", s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&back}}), pool.ErrConflict)
	fresh := pool.Machine{ID: pool.NewID("m"), Name: "x", Phase: pool.Ready}
	want(t, "a new machine that is ready", s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&fresh}}), pool.ErrConflict)
	gone := pool.Machine{ID: pool.NewID("m"), Name: "x", Phase: pool.Discovered, Rev: 3}
	want(t, "a machine that is gone", s.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&gone}}), pool.ErrConflict)
}

// changeIsWhole asks that a change that is refused at its end leaves nothing.
func changeIsWhole(t *testing.T, s Store) {
	ctx := t.Context()
	m := ready(t, s, 1)
	before, err := s.Events(ctx, pool.EventFilter{})
	must(t, err)
	next := m.Clone()
	next.Tags = []string{"half"}
	c := &pool.Change{
		Machines:   []*pool.Machine{&next},
		Operations: []*pool.Operation{operation(m, pool.OpInspect)},
		Steps:      []*pool.Step{{Key: "o/facts/1", Owner: "o", Status: pool.StepPending}},
		Services:   []*pool.Service{{Name: "db"}},
		Instances:  []*pool.Instance{{ID: "i-1", Service: "db", Rev: 9}}, // it was never there
		Wipes:      []*pool.WipeRecord{{Machine: m.ID, Serial: "other"}},
		Secrets:    map[string]pool.Secret{"x": pool.NewSecret("y")},
		Attributes: []*pool.Attribute{{Scope: "global", Name: "a"}},
		Events:     []*pool.Event{{At: now(), Type: "test"}},
	}
	want(t, "change with one stale row", s.Apply(ctx, c), pool.ErrConflict)
	if got, err := s.Machine(ctx, m.ID); err != nil || len(got.Tags) != 0 || got.Rev != m.Rev {
		t.Errorf("machine after a refused change = %v rev %d, %v", got.Tags, got.Rev, err)
	}
	for name, f := range map[string]func() error{
		"operation": func() error { _, err := s.OpenOperation(ctx, m.ID); return err },
		"step":      func() error { _, err := s.Step(ctx, "o/facts/1"); return err },
		"service":   func() error { _, err := s.Service(ctx, "db"); return err },
		"secret":    func() error { _, err := s.Secret(ctx, "x"); return err },
		"attribute": func() error { _, err := s.Attribute(ctx, "global", "a"); return err },
	} {
		want(t, name+" of a refused change", f(), pool.ErrNotFound)
	}
	if w, err := s.Wiped(ctx, m.ID); err != nil || w["other"] {
		t.Errorf("Wiped after a refused change = %v, %v", w, err)
	}
	if after, err := s.Events(ctx, pool.EventFilter{}); err != nil || len(after) != len(before) {
		t.Errorf("%d events after a refused change, %v, want %d", len(after), err, len(before))
	}
	c.Instances[0].Rev = 0
	must(t, s.Apply(ctx, c))
}

func discover(t *testing.T, s Store) {
	ctx := t.Context()
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			m, err := s.Discover(ctx, mac(1), pool.Client{Arch: pool.ArchEFIARM64}, now())
			if err != nil {
				t.Error(err)
			}
			ids[i] = m.ID
		})
	}
	wg.Wait()
	m, err := s.MachineByMAC(ctx, mac(1))
	must(t, err)
	for _, id := range ids {
		if id != m.ID {
			t.Errorf("Discover = %s, want %s for all", id, m.ID)
		}
	}
	if m.Name != "node-000001" || m.Phase != pool.Discovered || m.Arch != pool.ARM64 || m.Firmware != pool.UEFI || m.Rev != 1 {
		t.Errorf("Discover = %+v", m)
	}
	events, err := s.Events(ctx, pool.EventFilter{Type: "machine.discovered"})
	if err != nil || len(events) != 1 || events[0].Machine != m.ID {
		t.Errorf("events = %v, %v, want one of %s", events, err, m.ID)
	}
	twin, err := s.Discover(ctx, pool.MAC{2, 2, 2, 0, 0, 1}, pool.Client{Arch: -1}, now())
	if err != nil || twin.Name != "node-020202000001" || twin.Firmware != "" {
		t.Errorf("Discover of a twin = %+v, %v", twin, err)
	}
	_, err = s.Discover(ctx, pool.MAC{}, pool.Client{}, now())
	want(t, "no MAC", err, pool.ErrInvalid)
}

// claims races 20 claimants for 12 machines: exactly 12 win, each another one.
func claims(t *testing.T, s Store) {
	const machines, claimants = 12, 20
	for n := range machines {
		ready(t, s, n+1)
	}
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for c := range claimants {
		wg.Go(func() {
			switch err := claim(t.Context(), s, fmt.Sprintf("i-%d", c)); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, pool.ErrUnavailable):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != machines || lost.Load() != claimants-machines {
		t.Errorf("%d won and %d lost, want %d and %d", won.Load(), lost.Load(), machines, claimants-machines)
	}
	owners := map[string]bool{}
	list, err := s.Machines(t.Context())
	must(t, err)
	for _, m := range list {
		if m.Phase != pool.Reserved || owners[m.Instance] {
			t.Errorf("machine %s is %s of %s", m.Name, m.Phase, m.Instance)
		}
		owners[m.Instance] = true
	}
}

// claim takes any ready machine, as the engine does: plan, apply, plan again.
func claim(ctx context.Context, s Store, instance string) error {
	for {
		list, err := s.Machines(ctx)
		if err != nil {
			return err
		}
		tried := false
		for _, m := range list {
			if m.Phase != pool.Ready {
				continue
			}
			tried = true
			m.Phase, m.Instance, m.Epoch = pool.Reserved, instance, m.Epoch+1
			c := &pool.Change{Machines: []*pool.Machine{&m}, Operations: []*pool.Operation{operation(m, pool.OpDeploy)}}
			if err := s.Apply(ctx, c); err == nil || !errors.Is(err, pool.ErrConflict) {
				return err
			}
			break
		}
		if !tried {
			return pool.ErrUnavailable
		}
	}
}

func oneOperation(t *testing.T, s Store) {
	ctx := t.Context()
	m := enrolled(t, s, 1)
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{operation(m, pool.OpInspect)}})
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, pool.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d operations opened on one machine, want 1", won.Load())
	}
	op, err := s.OpenOperation(ctx, m.ID)
	must(t, err)
	if op.Token == "" || op.Rev != 1 {
		t.Errorf("OpenOperation lost the token or Rev: %+v", op)
	}
	op.Status, op.EndedAt = pool.Succeeded, now()
	second := operation(m, pool.OpWipe)
	second.QueuedAt = op.QueuedAt.Add(time.Second)
	// The end of one and the start of the next are one change.
	must(t, s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{&op, second}}))
	last, err := s.LastOperation(ctx, m.ID)
	if d := cmp.Diff(*second, last, same); err != nil || d != "" {
		t.Errorf("LastOperation: %v (-want +got):\n%s", err, d)
	}
	if got, err := s.Operation(ctx, op.ID); err != nil || !cmp.Equal(op, got, same) {
		t.Errorf("Operation = %+v, %v, want %+v", got, err, op)
	}
	if list, err := s.OpenOperations(ctx); err != nil || len(list) != 1 || list[0].Token != second.Token {
		t.Errorf("OpenOperations = %+v, %v", list, err)
	}
	op.Status = pool.Running
	want(t, "an ended operation runs again", s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{&op}}), pool.ErrConflict)
	second.Status = pool.Failed
	want(t, "failed without a cause", s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{second}}), pool.ErrInvalid)
	other := enrolled(t, s, 2)
	want(t, "deploy on an enrolled machine",
		s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{operation(other, pool.OpDeploy)}}), pool.ErrConflict)
	endless := operation(other, pool.OpInspect)
	endless.Deadline = time.Time{}
	want(t, "no deadline", s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{endless}}), pool.ErrInvalid)
	nowhere := operation(pool.Machine{ID: "m-none"}, pool.OpInspect)
	want(t, "no such machine", s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{nowhere}}), pool.ErrNotFound)
	_, err = s.OpenOperation(ctx, other.ID)
	want(t, "OpenOperation of none", err, pool.ErrNotFound)
	ended, open := operation(other, pool.OpInspect), operation(other, pool.OpPower)
	ended.Status, ended.EndedAt, open.QueuedAt = pool.Succeeded, now(), ended.QueuedAt.Add(-time.Hour)
	must(t, s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{ended, open}}))
	if last, err := s.LastOperation(ctx, other.ID); err != nil || last.ID != open.ID {
		t.Errorf("LastOperation after the clock was set back = %s, %v, want the open one, %s", last.ID, err, open.ID)
	}
	// The oldest ended ones are forgotten, with their steps; open ones never.
	first := operation(other, pool.OpInspect)
	first.QueuedAt, first.Status, first.EndedAt = open.QueuedAt.Add(-time.Hour), pool.Succeeded, now()
	must(t, s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{first}, Steps: []*pool.Step{{Key: first.ID + "/facts/1", Owner: first.ID, Name: "facts"}}}))
	for range 101 {
		o := operation(other, pool.OpInspect)
		o.Status, o.EndedAt = pool.Succeeded, now()
		must(t, s.Apply(ctx, &pool.Change{Operations: []*pool.Operation{o}}))
	}
	_, err = s.Operation(ctx, first.ID)
	want(t, "the oldest of a hundred operations", err, pool.ErrNotFound)
	_, err = s.Step(ctx, first.ID+"/facts/1")
	want(t, "its step", err, pool.ErrNotFound)
	_, err = s.Operation(ctx, open.ID)
	must(t, err)
}
