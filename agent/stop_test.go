package agent

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// stubborn heeds no SIGTERM, and has a child.
const stubborn = "trap '' TERM\nsleep 1000 &\necho $! > MARK/child\necho $$ > MARK/pid\nwhile :; do sleep 1; done"

func (r *watchRig) child() int {
	b, _ := os.ReadFile(filepath.Join(r.mark, "child"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

// event has the agent perform one event.
func (r *watchRig) event(name string) wire.Outcome {
	r.t.Helper()
	b, err := json.Marshal(pool.EventParams{Instance: r.in, Event: name})
	if err != nil {
		r.t.Fatal(err)
	}
	as := wire.Assignment{Key: "in-1/" + name + "/9", Token: "tok", Epoch: 3, Name: name, Kind: pool.TaskEvent, Timeout: time.Minute, Params: b}
	got, err := r.watcher.tasks.Perform(r.t.Context(), as, func(pool.Progress) {})
	if err != nil {
		r.t.Fatal(err)
	}
	return got.(recorded).Outcome
}

// TestDefaultStop: a recipe without stop has what its start left running
// ended: SIGTERM, then SIGKILL, children and all.
func TestDefaultStop(t *testing.T) {
	for name, script := range map[string]string{"heeds": sleeper, "stubborn": stubborn} {
		t.Run(name, func(t *testing.T) {
			r := newWatchRig(t, script)
			pid, child := r.pid(), r.child()
			if !alive(pid) || name == "stubborn" && !alive(child) {
				t.Fatalf("process %d or its child %d does not live", pid, child)
			}
			o := r.event("stop")
			if o.State != wire.OutcomeDone || alive(pid) || child > 1 && alive(child) {
				t.Errorf("stop = %s (%+v), process lives %t, child %t\n%s", o.State, o.Cause, alive(pid), child > 1 && alive(child), o.Output)
			}
			if killed := strings.Contains(o.Output, "are killed"); killed != (name == "stubborn") {
				t.Errorf("output %q", o.Output)
			}
			if o := r.event("postStop"); o.State != wire.OutcomeDone {
				t.Errorf("postStop = %+v", o)
			}
		})
	}
}

// TestStopSparesOthers: numbers of processes that were recorded in an earlier
// boot, or that another process has now, are nobody's business.
func TestStopSparesOthers(t *testing.T) {
	h := Home{State: t.TempDir()}
	if err := os.MkdirAll(h.state("watch"), 0o700); err != nil {
		t.Fatal(err)
	}
	other := exec.CommandContext(t.Context(), "sleep", "1000")
	other.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // ours may be 0, from outside of a PID namespace
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	pid := other.Process.Pid
	session, since, ok := statOf(pid)
	if !ok || session != pid {
		t.Fatalf("sleep %d has session %d, known %t", pid, session, ok)
	}
	locate := func() {
		l := &lifecycle{home: h, out: io.Discard}
		if err := l.keepPIDs(pool.InstanceInfo{ID: "in-1"}, []any{pid}); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range map[string]begun{
		"earlier boot":  {PID: pid, Since: since, BootID: "earlier"},
		"another since": {PID: pid, Since: 1, BootID: "earlier too"},
	} {
		b.Instance.ID = "in-1"
		if err := h.keepStart(b); err != nil {
			t.Fatal(err)
		}
		locate()
		if got := h.processes("in-1", "now"); len(got) != 0 {
			t.Errorf("%s: processes %v would be ended", name, got)
		}
	}
	// The locator found it before this start: it was another's number then.
	if err := h.keepStart(begun{PID: pid, Since: since + 1, BootID: "now", Instance: pool.InstanceInfo{ID: "in-1"}}); err != nil {
		t.Fatal(err)
	}
	if got := h.processes("in-1", "now"); len(got) != 0 {
		t.Errorf("found before the start: processes %v would be ended", got)
	}
	// The locator found it after this start; then it ended, and another one has its number.
	for _, found := range []struct {
		since uint64
		lives bool
	}{{since, true}, {since - 1, false}} {
		b, err := json.Marshal([]process{{pid, found.since}})
		if err == nil {
			err = os.WriteFile(h.watchFile("in-1", "pids"), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := h.processes("in-1", "now"); slices.Contains(got, pid) != found.lives {
			t.Errorf("located with start time %d of %d: processes %v would be ended", found.since, since, got)
		}
	}
	if got := sessionOf(begun{PID: pid, Since: since}); !slices.Equal(got, []int{pid}) {
		t.Errorf("the session of the start process: %v, want %d", got, pid)
	}
	if got := sessionOf(begun{PID: 0}); len(got) != 0 {
		t.Errorf("the sessions outside of this PID namespace: %v", got)
	}
}

// TestFencedStandsDown: an agent that hears that its machine has a higher epoch
// stops what an earlier owner's recipe runs, and starts nothing any more.
func TestFencedStandsDown(t *testing.T) {
	r := newWatchRig(t, stubborn)
	if err := r.home.confirm("test", 3); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.home.Run(ctx, "test", nil) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	r.server.say(wire.Welcome{Protocol: wire.Protocol, Machine: "m-1", State: wire.StateFenced, Epoch: 3, Retry: 100 * time.Millisecond})
	r.until("revoked", func() bool { return !r.home.Confirmed() })
	time.Sleep(time.Second)
	if !alive(r.pid()) {
		t.Error("it was stopped although no other system has its machine")
	}
	pid, child := r.pid(), r.child()
	r.server.say(wire.Welcome{Protocol: wire.Protocol, Machine: "m-1", State: wire.StateFenced, Epoch: 4, Retry: 100 * time.Millisecond})
	r.until("end of its processes", func() bool { return !alive(pid) && !alive(child) })
	r.until("postStop", func() bool { _, err := os.Stat(filepath.Join(r.mark, "poststop")); return err == nil })
	r.until("end of the watch", func() bool { _, err := os.Stat(r.home.watchFile("in-1", "json")); return os.IsNotExist(err) })
	if r.home.Confirmed() || r.pid() != pid {
		t.Errorf("confirmed %t, process %d, was %d", r.home.Confirmed(), r.pid(), pid)
	}
}

// TestStartedWithoutProcess: a start closure leaves no process of its own; what
// is watched was started all the same.
func TestStartedWithoutProcess(t *testing.T) {
	h := Home{State: t.TempDir()}
	l := &lifecycle{home: h}
	if err := l.watch(pool.PrepareParams{Instance: pool.InstanceInfo{ID: "in-1"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := h.started(bootID()); len(got) != 1 || got[0].Instance.ID != "in-1" {
			t.Errorf("started %+v", got)
		}
		if err := h.keepStart(begun{BootID: bootID(), Instance: pool.InstanceInfo{ID: "in-1"}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.started("later"); len(got) != 0 {
		t.Errorf("after a boot: %+v", got)
	}
}

// TestStopIsTriedAgain: what a closure started, and whose stop fails, is
// stopped at a later hello, also by another agent.
func TestStopIsTriedAgain(t *testing.T) {
	r := newWatchRig(t, sleeper)
	archive, digest, err := recipes.Pack(fstest.MapFS{"tester-service.groovy": {Data: []byte(strings.ReplaceAll(`service {
	name "tester"
	type "DATABASE"
	lifecycle {
		start { new File("MARK/up").append("x") }
		stop {
			new File("MARK/tried").append("x")
			assert new File("MARK/may").exists()
			new File("MARK/down").append("x")
		}
	}
}
`, "MARK", r.mark))}})
	if err != nil {
		t.Fatal(err)
	}
	r.server.recipes[digest] = archive
	in := pool.InstanceInfo{ID: "in-2", Number: 2, Service: "tester", Application: "default", Planned: 2, Machine: "m-1", Digest: digest}
	for i, kind := range []pool.TaskKind{pool.TaskPrepare, pool.TaskWatch} {
		as := r.server.assignment("in-2/"+strconv.Itoa(i), kind, pool.PrepareParams{Instance: in, Digest: digest})
		if got, err := r.watcher.tasks.Perform(t.Context(), as, func(pool.Progress) {}); err != nil || got.(recorded).State != wire.OutcomeDone {
			t.Fatalf("%s: %+v, %v", kind, got, err)
		}
	}
	lies := func(name string) bool { _, err := os.Stat(filepath.Join(r.mark, name)); return err == nil }
	r.watcher.standDown(t.Context())
	if !lies("tried") || lies("down") {
		t.Fatalf("stop was tried %t, succeeded %t", lies("tried"), lies("down"))
	}
	if err := os.WriteFile(filepath.Join(r.mark, "may"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again := &watcher{tasks: r.watcher.tasks, client: r.watcher.client, log: r.watcher.log}
	again.standDown(t.Context())
	if !lies("down") {
		t.Error("a stop that failed was not tried again")
	}
	if left := r.home.started(bootID()); len(left) != 0 {
		t.Errorf("after it was stopped: %+v", left)
	}
}
