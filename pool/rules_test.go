package pool_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"appliance/pool"
)

// TestPhasesReachable walks the phases: each can be reached from discovered,
// and from each a machine can be retired and let in again.
func TestPhasesReachable(t *testing.T) {
	reach := func(from pool.Phase) map[pool.Phase]bool {
		seen := map[pool.Phase]bool{from: true}
		for todo := []pool.Phase{from}; len(todo) > 0; todo = todo[1:] {
			for _, next := range pool.Phases() {
				if todo[0].MayFollow(next) && !seen[next] {
					seen[next], todo = true, append(todo, next)
				}
			}
		}
		return seen
	}
	for _, from := range pool.Phases() {
		seen := reach(from)
		for _, to := range pool.Phases() {
			if !seen[to] && to != pool.Discovered {
				t.Errorf("%s is never reached from %s", to, from)
			}
			if to == pool.Discovered && from != pool.Discovered && seen[to] {
				t.Errorf("%s leads back to discovered", from)
			}
		}
	}
}

// TestOperationTable holds the table of docs/DESIGN.md: which operations each
// phase allows, and that its success has somewhere to lead.
func TestOperationTable(t *testing.T) {
	const enrol, adopt, inspect, test, configure, wipe, deploy, release, rescue, update, power, fence, retire = pool.OpEnrol, pool.OpAdopt,
		pool.OpInspect, pool.OpTest, pool.OpConfigure, pool.OpWipe, pool.OpDeploy, pool.OpRelease, pool.OpRescue, pool.OpUpdate,
		pool.OpPower, pool.OpFence, pool.OpRetire
	table := map[pool.Phase][]pool.OpKind{
		"":              {},
		pool.Discovered: {enrol, adopt, retire},
		pool.Enrolled:   {inspect, test, configure, wipe, release, rescue, power, retire},
		pool.Ready:      {inspect, test, configure, rescue, power, retire},
		pool.Reserved:   {deploy, release, rescue, power, fence},
		pool.Active:     {update, rescue, deploy, release, power, fence},
		pool.Retired:    {enrol},
	}
	leads := map[pool.OpKind]pool.Phase{enrol: pool.Enrolled, adopt: pool.Active, deploy: pool.Active,
		release: pool.Enrolled, fence: pool.Enrolled, retire: pool.Retired}
	for phase, allowed := range table {
		for _, k := range pool.OpKinds() {
			if got, want := phase.Allows(k), slices.Contains(allowed, k); got != want {
				t.Errorf("%q.Allows(%s) = %v, want %v", phase, k, got, want)
			}
			if to, ok := leads[k]; ok && phase.Allows(k) && phase != to && !phase.MayFollow(to) {
				t.Errorf("%s of a machine that is %s leads to %s, which may not follow", k, phase, to)
			}
		}
	}
}

// TestCheckMachineProperty: whatever is drawn, what CheckMachine lets through
// breaks no invariant (5: ready means clean and wiped; one owner at a time).
func TestCheckMachineProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var old *pool.Machine
		if rapid.Bool().Draw(t, "known") {
			m := anyMachine(t)
			old = &m
		}
		next, wiped := anyMachine(t), anyWiped(t)
		err := pool.CheckMachine(old, next, wiped)
		if err != nil {
			if !errors.Is(err, pool.ErrConflict) || !strings.Contains(err.Error(), next.ID) {
				t.Fatalf("CheckMachine = %v, want %v that names the machine", err, pool.ErrConflict)
			}
			return
		}
		if !slices.Contains(pool.Phases(), next.Phase) {
			t.Fatalf("phase %q was let through", next.Phase)
		}
		if old != nil && (old.Phase != next.Phase && !old.Phase.MayFollow(next.Phase) || next.Epoch < old.Epoch) {
			t.Fatalf("%s epoch %d after %s epoch %d", next.Phase, next.Epoch, old.Phase, old.Epoch)
		}
		if old != nil && old.Instance != next.Instance && (next.Epoch <= old.Epoch || old.Instance != "" && next.Instance != "") {
			t.Fatalf("owner %q after %q in epoch %d after %d", next.Instance, old.Instance, next.Epoch, old.Epoch)
		}
		if next.Instance != "" && next.Phase != pool.Reserved && next.Phase != pool.Active {
			t.Fatalf("a machine that is %s has owner %s", next.Phase, next.Instance)
		}
		if next.Phase == pool.Ready {
			wantReady(t, next, wiped)
		}
		if old != nil && (old.Phase == pool.Reserved || old.Phase == pool.Active) && next.Phase == pool.Enrolled &&
			!next.Conditions.Is(pool.CondDirty) && !next.Conditions.Is(pool.CondProtected) {
			t.Fatalf("enrolled after %s, neither dirty nor protected", old.Phase)
		}
	})
}

func wantReady(t *rapid.T, m pool.Machine, wiped func(string) bool) {
	for _, c := range []pool.ConditionType{pool.CondDirty, pool.CondHold, pool.CondBroken, pool.CondProtected} {
		if m.Conditions.Is(c) {
			t.Fatalf("ready and %s", c)
		}
	}
	if m.Facts == nil {
		t.Fatal("ready and never inventoried")
	}
	for _, d := range m.Facts.Disks {
		if d.Target() && (!wiped(d.Serial) || len(d.Content) > 0) {
			t.Fatalf("ready with disk %+v, wiped %v", d, wiped(d.Serial))
		}
	}
}

// TestCheckMachineLetsLifePass walks one machine through its whole life: the
// property above would also hold if nothing ever passed.
func TestCheckMachineLetsLifePass(t *testing.T) {
	m := pool.Machine{ID: "m-1"}
	var old *pool.Machine
	for i, step := range []struct {
		phase    pool.Phase
		instance string
	}{
		{pool.Discovered, ""}, {pool.Enrolled, ""}, {pool.Ready, ""}, {pool.Reserved, "i-1"}, {pool.Active, "i-1"},
		{pool.Enrolled, ""}, {pool.Ready, ""}, {pool.Retired, ""}, {pool.Enrolled, ""},
	} {
		next := m.Clone()
		next.Phase, next.Facts = step.phase, &pool.Facts{Disks: []pool.Disk{{Serial: "S0", Size: 1}}}
		if next.Instance != step.instance {
			next.Instance, next.Epoch = step.instance, next.Epoch+1
		}
		next.Conditions = nil
		all := func(string) bool { return true }
		if step.phase == pool.Enrolled && m.Phase == pool.Active {
			if err := pool.CheckMachine(old, next, all); !errors.Is(err, pool.ErrConflict) {
				t.Fatalf("released and clean: CheckMachine = %v, want %v", err, pool.ErrConflict)
			}
			next.Conditions = next.Conditions.With(pool.CondDirty, pool.True, "released", noon)
		}
		if err := pool.CheckMachine(old, next, all); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		m, old = next, &next
	}
}

// TestMayWipeProperty holds invariant 9: no wipe without phase, operation,
// token, freshness and permission, and never a disk that was not asked for.
func TestMayWipeProperty(t *testing.T) {
	passed := 0
	rapid.Check(t, func(t *rapid.T) {
		m := anyMachine(t)
		likely := rapid.IntRange(0, 3).Draw(t, "likely") > 0
		if likely {
			m.Phase, m.Conditions = pool.Enrolled, m.Conditions.Without(pool.CondProtected)
		}
		op := pool.Operation{ID: "op-1", Machine: rapid.SampledFrom([]string{"m-1", "m-1", "m-2"}).Draw(t, "machine"),
			Kind:   rapid.SampledFrom([]pool.OpKind{pool.OpWipe, pool.OpWipe, pool.OpDeploy}).Draw(t, "kind"),
			Status: rapid.SampledFrom([]pool.Status{pool.Running, pool.Waiting, pool.Queued, pool.Failed, pool.Succeeded}).Draw(t, "status"),
			Token:  rapid.SampledFrom([]string{"t", ""}).Draw(t, "operation's token")}
		token := rapid.SampledFrom([]string{"t", "t", "u", ""}).Draw(t, "token")
		right := likely && rapid.IntRange(0, 3).Draw(t, "right operation") > 0
		if right { // often enough that some of a short run's few draws pass
			op.Machine, op.Kind, op.Status, op.Token, token = m.ID, pool.OpWipe, pool.Running, "t", "t"
			m.Facts = &pool.Facts{At: noon, Disks: anyDisks(t)}
		}
		serials := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"S0", "S1", "S2", "other"}), 0, 3, rapid.ID).Draw(t, "serials")
		if right && rapid.Bool().Draw(t, "all disks") {
			serials = nil
		}
		disks, err := pool.MayWipe(m, op, token, serials, noon)
		if err != nil {
			if !errors.Is(err, pool.ErrConflict) || disks != nil {
				t.Fatalf("MayWipe = %v, %v", disks, err)
			}
			return
		}
		passed++
		if m.Phase != pool.Enrolled || m.Conditions.Is(pool.CondProtected) || op.Machine != m.ID || op.Kind != pool.OpWipe ||
			!op.Status.Open() || token == "" || token != op.Token || m.Facts == nil || noon.Sub(m.Facts.At) > pool.WipeFresh {
			t.Fatalf("MayWipe let through: %+v, %+v, token %q", m, op, token)
		}
		var got []string
		for _, d := range disks {
			if !d.Target() {
				t.Fatalf("MayWipe gives disk %+v", d)
			}
			got = append(got, d.Serial)
		}
		for _, s := range serials {
			if !slices.Contains(got, s) {
				t.Fatalf("MayWipe leaves out disk %s without a word", s)
			}
		}
		if len(serials) > 0 && len(got) != len(serials) {
			t.Fatalf("MayWipe gives %v, asked were %v", got, serials)
		}
	})
	if passed == 0 && !testing.Short() { // twenty draws may be all wrong ones
		t.Error("MayWipe refused everything that was drawn")
	}
}

// TestProtectProperty: after an inventory nothing that holds data is clean,
// and what a person or rule did not allow is protected.
func TestProtectProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, wiped, erase := anyMachine(t), anyWiped(t), rapid.Bool().Draw(t, "erase")
		before := m.Clone().Conditions
		c := pool.Protect(m, wiped, erase, noon)
		if d := cmp.Diff(before, m.Conditions, cmp.Transformer("empty", func(c pool.Conditions) pool.Conditions { return c.Without() })); d != "" {
			t.Fatalf("Protect changed the machine:\n%s", d)
		}
		dirty, holds := false, false
		if m.Facts != nil {
			for _, d := range m.Facts.Disks {
				if d.Target() {
					dirty = dirty || !wiped(d.Serial) || len(d.Content) > 0
					holds = holds || len(d.Content) > 0
				}
			}
		}
		if c.Is(pool.CondDirty) != dirty {
			t.Fatalf("dirty = %v, want %v", c.Is(pool.CondDirty), dirty)
		}
		if holds && !erase && !c.Is(pool.CondProtected) {
			t.Fatal("a disk holds something and nobody allowed to erase it, but it is not protected")
		}
		if before.Is(pool.CondProtected) && !c.Is(pool.CondProtected) {
			t.Fatal("an inventory lifted the protection")
		}
	})
}

func TestConditionsSince(t *testing.T) {
	var c pool.Conditions
	c = c.With(pool.CondPower, "on", "", noon)
	again := c.With(pool.CondPower, "on", "checked", noon.Add(time.Hour))
	if got := again[pool.CondPower]; got.Since != noon || got.Reason != "checked" {
		t.Errorf("the same value again = %+v, want since %v", got, noon)
	}
	off := again.With(pool.CondPower, "off", "", noon.Add(time.Hour))
	if got := off[pool.CondPower].Since; got != noon.Add(time.Hour) {
		t.Errorf("another value since %v, want an hour later", got)
	}
	if c[pool.CondPower].Value != "on" || len(off.With(pool.CondPower, "", "", noon)) != 0 {
		t.Error("With changed its receiver, or an empty value stays")
	}
}

func TestCheckOperation(t *testing.T) {
	good := pool.Operation{ID: "op-1", Machine: "m-1", Kind: pool.OpWipe, Status: pool.Running, Deadline: noon}
	ended := good
	ended.Status = pool.Cancelled
	for name, tt := range map[string]struct {
		old    *pool.Operation
		change func(*pool.Operation)
		want   error
	}{
		"new":                    {nil, func(*pool.Operation) {}, nil},
		"goes on":                {&good, func(o *pool.Operation) { o.Status = pool.Waiting }, nil},
		"ends":                   {&good, func(o *pool.Operation) { o.Status, o.Deadline = pool.Succeeded, time.Time{} }, nil},
		"not allowed":            {nil, func(o *pool.Operation) { o.Kind = pool.OpDeploy }, pool.ErrConflict},
		"no deadline":            {nil, func(o *pool.Operation) { o.Deadline = time.Time{} }, pool.ErrInvalid},
		"unknown kind":           {nil, func(o *pool.Operation) { o.Kind = "dance" }, pool.ErrInvalid},
		"unknown status":         {nil, func(o *pool.Operation) { o.Status = "odd" }, pool.ErrInvalid},
		"failed without a cause": {&good, func(o *pool.Operation) { o.Status = pool.Failed }, pool.ErrInvalid},
		"failed": {&good, func(o *pool.Operation) {
			o.Status, o.Cause = pool.Failed, &pool.Cause{Code: "agent.silent", Message: "It went silent."}
		}, nil},
		"another machine": {&good, func(o *pool.Operation) { o.Machine = "m-2" }, pool.ErrConflict},
		"runs again":      {&ended, func(*pool.Operation) {}, pool.ErrConflict},
	} {
		next := good
		tt.change(&next)
		if err := pool.CheckOperation(tt.old, next, pool.Enrolled); !errors.Is(err, tt.want) {
			t.Errorf("%s: CheckOperation = %v, want %v", name, err, tt.want)
		}
	}
}
