package store

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"appliance/pool"
)

// stepChange is what an engine at work writes for a step that ended: that one,
// the next one, their instance, and two events.
func stepChange(i, n int, rev int64) *pool.Change {
	id, machine := fmt.Sprintf("in-%d", i), fmt.Sprintf("m-%d", i)
	now := time.Date(2026, 11, 26, 2, 0, 0, 123456789, time.UTC)
	step := func(n int, rev int64, status pool.StepStatus) *pool.Step {
		return &pool.Step{Key: fmt.Sprintf("%s/step%d/1", id, n), Owner: id, Machine: machine, Seq: n, Name: fmt.Sprintf("step%d", n),
			Executor: pool.ByAgent, Mode: pool.Installed, Status: status, Attempt: 1, Tries: 3, Epoch: 1, BootID: "boot-" + machine,
			Timeout: time.Minute, Deadline: now, StartedAt: now, Rev: rev,
			Task: &pool.Task{Kind: pool.TaskEvent, Params: []byte(`{"instance":{"id":"` + id + `","number":1,"service":"s0","planned":64,"machine":"` + machine +
				`","address":"10.0.0.1","template":"SMALL_LINUX","image":"debian-12","digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},"event":"install"}`)}}
	}
	event := func(kind string) *pool.Event {
		return &pool.Event{At: now, Type: kind, Severity: pool.Info, Machine: machine, Service: "s0", Instance: id, Step: "install",
			Digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", Message: "s0/1: install is done."}
	}
	return &pool.Change{Steps: []*pool.Step{step(n, min(rev, 1), pool.StepDone), step(n+1, 0, pool.StepRunning)},
		Instances: []*pool.Instance{{ID: id, Service: "s0", Number: i, Machine: machine, Phase: pool.InstanceInstalling, Step: "install", CreatedAt: now, UpdatedAt: now, Rev: rev}},
		Events:    []*pool.Event{event("step.done"), event("step.started")}}
}

// BenchmarkGroup is what the writer spends on such changes, 128 of them in a
// commit: it is one thread, and the most that all can do.
func BenchmarkGroup(b *testing.B) {
	db, err := Open(b.Context(), Options{Dir: b.TempDir(), Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }() // nothing is read after it
	const width = 128
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	done, from := 0, used()
	for n := 0; b.Loop(); n++ {
		round := n % 10 // of the life of 8 x 128 instances
		first := n / 10 * width
		var group []*write
		for i := range width {
			l, err := db.newLean(stepChange(first+i, round, int64(round)))
			if err != nil {
				b.Fatal(err)
			}
			group = append(group, &write{lean: l, change: l.change, done: make(chan error, 1)})
		}
		results, err := db.writer.together(group)
		if err != nil || results[0] != nil {
			b.Fatal(err, results[0])
		}
		done += width
	}
	b.ReportMetric(float64((used()-from).Nanoseconds())/float64(done)/1000, "cpu-us/change")
}

// TestStepMoves: a step whose machine changes is found on the new one by who
// reads it anew, and on the old one no more. Its machine stands in an index.
func TestStepMoves(t *testing.T) {
	db, ctx := testStore(t), t.Context()
	c := stepChange(1, 1, 0)
	if err := db.Apply(ctx, c); err != nil {
		t.Fatal(err)
	}
	moved := *c.Steps[1]
	moved.Machine = "m-2"
	if err := db.Apply(ctx, &pool.Change{Steps: []*pool.Step{&moved}}); err != nil {
		t.Fatal(err)
	}
	db.cache.clear()
	for machine, want := range map[string]int{"m-1": 0, "m-2": 1} {
		list, err := db.RunningSteps(ctx, machine)
		if err != nil || len(list) != want {
			t.Errorf("RunningSteps(%s) = %d steps, %v, want %d", machine, len(list), err, want)
		}
	}
}
