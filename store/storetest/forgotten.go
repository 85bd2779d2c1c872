package storetest

import (
	"testing"

	"appliance/pool"
)

// forgotten: what has ended of an instance is let go of, and nothing else.
func forgotten(t *testing.T, s Store) {
	ctx := t.Context()
	svc := pool.Service{Name: "f", Phase: pool.ServiceRunning}
	in := pool.Instance{ID: "in-f", Service: "f", Number: 1, Phase: pool.InstanceRunning}
	gone := pool.Instance{ID: "in-gone", Service: "f", Number: 2, Phase: pool.InstanceRemoved}
	step := func(owner string, round int, name string, seq int, st pool.StepStatus) *pool.Step {
		return &pool.Step{Key: pool.RoundKey(owner, round, name), Owner: owner, Machine: "m-f", Round: round, Name: name, Seq: seq, Attempt: 1, Status: st, Deadline: now()}
	}
	must(t, s.Apply(ctx, &pool.Change{Services: []*pool.Service{&svc}, Instances: []*pool.Instance{&in, &gone}, Steps: []*pool.Step{
		step(in.ID, 0, "init", 2, pool.StepDone), step(in.ID, 1, "start", 1, pool.StepFailed), step(in.ID, 1, "watch", 2, pool.StepRunning),
		step(in.ID, 2, "start", 1, pool.StepDone), step(in.ID, 0, "command", pool.CommandSeq, pool.StepDone), step(gone.ID, 0, "stop", 100, pool.StepDone)}}))
	count := func(owner string, want int) {
		t.Helper()
		if list, err := s.Steps(ctx, owner); err != nil || len(list) != want {
			t.Errorf("%s has %d steps, %v, want %d", owner, len(list), err, want)
		}
	}
	count(in.ID, 5)
	must(t, s.Apply(ctx, &pool.Change{Forgotten: []pool.Forgotten{{Service: "f", Instance: in.ID, Round: 2}}}))
	count(in.ID, 3) // the one that runs, that of round 2, the command
	if list, err := s.RunningSteps(ctx, "m-f"); err != nil || len(list) != 1 {
		t.Errorf("running steps %+v, %v", list, err)
	}
	must(t, s.Apply(ctx, &pool.Change{Forgotten: []pool.Forgotten{{Service: "f", Instance: in.ID, All: true}, {Service: "f", Instance: gone.ID, All: true}}}))
	count(in.ID, 3)
	count(gone.ID, 0)
	_, err := s.Instance(ctx, gone.ID)
	want(t, "an instance that was forgotten", err, pool.ErrNotFound)
	if list, err := s.Instances(ctx, "f"); err != nil || len(list) != 1 {
		t.Errorf("instances %+v, %v, want the one that was not removed", list, err)
	}
	in.Number = 3
	must(t, s.Apply(ctx, &pool.Change{Instances: []*pool.Instance{&in}})) // its Rev is what it was
}
