package orchestrator

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"appliance/pool"
)

// TestWipeSparesWhatNobodySaw: a wipe that was asked for while the disk was
// empty erases nothing that has come onto it since.
func TestWipeSparesWhatNobodySaw(t *testing.T) {
	live(t, func(w *world) {
		w.rules = []AcceptRule{{Name: "all"}}
		w.onTask = func(s pool.Step) bool {
			if s.Name == stepFacts && w.lastOp().Kind == pool.OpWipe {
				w.mu.Lock()
				w.disk = "old"
				w.mu.Unlock()
			}
			return false
		}
	}, func(_ context.Context, w *world) {
		w.until(t, "protected", func() bool {
			for _, m := range w.mem.machines {
				return m.Conditions.Is(pool.CondProtected)
			}
			return false
		})
		time.Sleep(time.Hour)
		op, m := w.lastOp(), w.only()
		if w.disk != "old" || op.Kind != pool.OpWipe || op.Status != pool.Failed || op.Cause.Code != "disk.protected" || m.Phase != pool.Enrolled {
			t.Errorf("disk %q, %s %s (%v), phase %s\n%s", w.disk, op.Kind, op.Status, op.Cause, m.Phase, w.story())
		}
	})
}

// TestWipeLooksAgain: an appliance that was away between the look at the disks
// and the wipe looks again; the operation does not fail by it.
func TestWipeLooksAgain(t *testing.T) {
	for _, point := range []string{"step.started wipe", "step.assigned wipe"} {
		t.Run(point, func(t *testing.T) {
			live(t, func(w *world) {
				w.rules, w.away = []AcceptRule{{Name: "all", Erase: true}}, 20*time.Minute
				w.mem.fault.mode = "kill-after"
				w.mem.fault.when = func(name string) bool { return strings.HasSuffix(name, point) }
			}, func(_ context.Context, w *world) {
				w.until(t, "ready", w.phase(pool.Ready))
				if !w.mem.hit {
					t.Error("it was never killed")
				}
				w.mem.mu.Lock()
				defer w.mem.mu.Unlock()
				for _, o := range w.mem.ops {
					if o.Status != pool.Succeeded {
						t.Errorf("%s %s: %v", o.Kind, o.Status, o.Cause)
					}
				}
			})
		})
	}
}

// TestFactsHaveOurTime: MayWipe goes by the time of the inventory, so it is
// the appliance's, whatever a machine's clock says.
func TestFactsHaveOurTime(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	wrong := pool.Facts{At: now.Add(24 * time.Hour), Disks: []pool.Disk{{Serial: "D1", Size: 1}}}
	encoded, err := json.Marshal(wrong)
	if err != nil {
		t.Fatal(err)
	}
	wiped, err := json.Marshal(pool.WipeResult{Wiped: []pool.WipedDisk{{Serial: "D1"}}, Facts: &wrong})
	if err != nil {
		t.Fatal(err)
	}
	for name, tell := range map[string]func(v *view, d *draft) *pool.Cause{
		"hello": func(v *view, d *draft) *pool.Cause {
			v.m.Phase = pool.Discovered
			(&Engine{}).hear(v, d, pool.AgentHello{Facts: &wrong})
			return nil
		},
		"facts": func(v *view, d *draft) *pool.Cause { return v.applyFacts(d, &pool.Step{Name: stepFacts}, encoded) },
		"wipe": func(v *view, d *draft) *pool.Cause {
			s := &pool.Step{Name: stepWipe, Task: &pool.Task{Params: encode(pool.WipeParams{Serials: []string{"D1"}})}}
			return v.applyWipe(d, s, wiped)
		},
	} {
		v := &view{now: now, m: &pool.Machine{ID: "m-1", Phase: pool.Enrolled}, op: &pool.Operation{Kind: pool.OpWipe}, wiped: map[string]bool{}}
		if c := tell(v, &draft{now: now}); c != nil {
			t.Errorf("%s: %v", name, c)
		} else if v.m.Facts == nil || !v.m.Facts.At.Equal(now) {
			t.Errorf("%s: facts %+v, want them of %s", name, v.m.Facts, now)
		}
	}
}

// TestWipeRecordsEndWithTheOwner: also those of disks that the last inventory
// did not see.
func TestWipeRecordsEndWithTheOwner(t *testing.T) {
	d := &draft{}
	d.newOwner(&pool.Machine{ID: "m-1"}, "", "op-1", map[string]bool{"GONE": true, "USED": false})
	if len(d.Wipes) != 1 || d.Wipes[0].Serial != "GONE" || !d.Wipes[0].Used {
		t.Errorf("records %+v, want that of GONE used", d.Wipes)
	}
}

// TestBMCFaults: another BMC at the address is never asked again; power that
// does not follow is tried again. Both tell a person what to do.
func TestBMCFaults(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		code   string
		status pool.Status
		rows   int
	}{{codeIdentity, pool.Failed, 1}, {codePower, pool.Running, 2}, {codeAuth, pool.Failed, 1}} {
		s := &pool.Step{Key: "op-1/power-off/1", Owner: "op-1", Name: stepPowerOff, Executor: pool.ByAppliance, Status: pool.StepRunning,
			Attempt: 1, Tries: 3, Deadline: now.Add(time.Minute), Timeout: time.Minute}
		v := &view{now: now, m: &pool.Machine{ID: "m-1", Name: "node", Phase: pool.Enrolled}, steps: []*pool.Step{s},
			op:     &pool.Operation{ID: "op-1", Kind: pool.OpPower, Status: pool.Running, Deadline: now.Add(time.Hour)},
			effect: &effect{err: codeError(tt.code)}, mint: mint}
		planMachine(v)
		if v.op.Status != tt.status || len(v.steps) != tt.rows || s.Status != pool.StepFailed {
			t.Errorf("%s: operation %s, %d rows, step %s", tt.code, v.op.Status, len(v.steps), s.Status)
		}
		if c := s.Cause; c == nil || c.Code != tt.code || c.Remedy == "" || c.Remedy == "Look at the evidence, then retry." {
			t.Errorf("%s: cause %+v", tt.code, c)
		}
	}
}

// quick is a store in which an agent is quicker, once.
type quick struct {
	*handle
	met bool
}

func (q *quick) Apply(ctx context.Context, c *pool.Change) error {
	if !q.met {
		q.met = true
		return stale("step", "x", 2, 1)
	}
	return q.handle.Apply(ctx, c)
}

// TestResumeBesideAgents: what an agent writes while deadlines are extended
// does not end the appliance.
func TestResumeBesideAgents(t *testing.T) {
	q := &quick{handle: newMemory().open()}
	now := time.Now().UTC()
	op := pool.Operation{ID: "op-1", Machine: "m-1", Kind: pool.OpInspect, Status: pool.Running, Deadline: now}
	q.ops[op.ID], q.opOrder = op, []string{op.ID}
	if err := (&Engine{Store: q}).extend(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := q.ops[op.ID]; !q.met || !got.Deadline.Equal(now.Add(time.Hour)) {
		t.Errorf("deadline %s, want %s", got.Deadline, now.Add(time.Hour))
	}
}
