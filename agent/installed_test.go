package agent

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

const testRecipe = `
service {
	name "tester"
	type "DATABASE"
	numInstances 1
	compute { template "SMALL_LINUX" }
	lifecycle {
		install "install.sh"
		start "start.sh"
		preStart { context.attributes.thisInstance["port"] = 3306; context.attributes.thisInstance.setSecret("password", "hunter22") }
		postStart { println "port is ${context.attributes.thisInstance.port}${context.attributes.thisInstance.password}" }
		startDetection { new File("MARK").exists() }
		stop "hang.sh"
		postStop { "x" * 70000 }
		shutdown "exit3.sh"
		monitors { ["Sessions": 7, "Name": "x"] }
		details { ["url": "http://here"] }
		locator { [new File("MARK.pid").text.trim().toLong()] }
	}
	customCommands (["add": { a, b -> a.toInteger() + b.toInteger() }, "break": "exit3.sh", "big": { "x" * 70000 }])
}
`

// installedMachine is a system as the agent in RAM leaves it.
func installedMachine(t *testing.T, f *fakeAppliance) Home {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(testHome, dir)
	home := Home{Config: dir + "/etc", State: dir + "/var", Binary: os.Args[0], Boot: dir + "/run"}
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := key.Request("m-1")
	if err != nil {
		t.Fatal(err)
	}
	id, err := json.Marshal(wire.Identity{Server: f.srv.URL, CA: f.pem, Machine: "m-1", Certificate: f.certify(csr, time.Hour), Epoch: 3})
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	tree(t, dir, map[string]string{"etc/identity.json": string(id), "etc/key.pem": string(text), "var/x": ""})
	return home
}

func runHome(t *testing.T, home Home) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := home.Run(ctx, "test", nil); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	return func() { cancel(); <-done }
}

// tester packs the test's recipe, with what is written into the folder mark.
func tester(t *testing.T, f *fakeAppliance, mark string) pool.InstanceInfo {
	t.Helper()
	archive, digest, err := recipes.Pack(fstest.MapFS{
		"tester-service.groovy": {Data: []byte(strings.ReplaceAll(testRecipe, "MARK", filepath.Join(mark, "up")))},
		"install.sh":            {Data: []byte("#!/bin/bash\necho installing\necho $USM_INSTANCE_ID\n"), Mode: 0o755},
		"start.sh":              {Data: []byte("#!/bin/bash\ntouch " + mark + "/up\n"), Mode: 0o755},
		"exit3.sh":              {Data: []byte("#!/bin/bash\necho it broke\nexit 3\n"), Mode: 0o755},
		"hang.sh": {Data: []byte("#!/bin/bash\necho $$ > " + mark + "/pid\necho begun\necho x >> " + mark + "/count\n" +
			"until [ -e " + mark + "/go ] || [ ! -d " + mark + " ]; do sleep 0.05; done\necho ended\n"), Mode: 0o755},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.recipes[digest] = archive
	return pool.InstanceInfo{ID: "i-1", Number: 1, Service: "tester", Application: "default", Planned: 1, Machine: "m-1", Digest: digest}
}

func TestLifecycle(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.Epoch = 3
	home := installedMachine(t, f)
	mark := t.TempDir()
	in := tester(t, f, mark)
	defer runHome(t, home)()
	event := func(name string) pool.EventParams { return pool.EventParams{Instance: in, Event: name} }
	want[any](t, f.run("prepare", pool.TaskPrepare, pool.PrepareParams{Instance: in, Digest: in.Digest}))
	o := f.run("install", pool.TaskEvent, event("install"))
	want[pool.EventResult](t, o)
	if o.Output != "installing\n1" {
		t.Errorf("output of install: %q", o.Output)
	}
	if r := want[pool.EventResult](t, f.run("init", pool.TaskEvent, event("init"))); !r.Skipped {
		t.Error("an event that the recipe lacks was not skipped")
	}
	want[pool.EventResult](t, f.run("preStart", pool.TaskEvent, event("preStart")))
	want[pool.EventResult](t, f.run("start", pool.TaskEvent, event("start")))
	want[pool.EventResult](t, f.run("detect", pool.TaskDetect, event("startDetection")))
	if o = f.run("postStart", pool.TaskEvent, event("postStart")); o.Output != "port is 3306********" { // a secret is masked where it is read, too
		t.Errorf("the attribute came back as %q (%+v)", o.Output, o.Cause)
	}
	o = f.run("shutdown", pool.TaskEvent, event("shutdown"))
	if o.State != wire.OutcomeFailed || o.Cause.Code != "recipe.exit" || !strings.Contains(o.Cause.Message, "exit code 3") || !strings.Contains(o.Output, "it broke") ||
		!strings.Contains(o.Cause.Evidence, "it printed last: it broke") {
		t.Errorf("shutdown: %+v %q", o.Cause, o.Output)
	}
	// What is too large to be kept: an event is done all the same, a command says so.
	if o = f.run("postStop", pool.TaskEvent, event("postStop")); o.State != wire.OutcomeDone || len(o.Result) > 100 || !strings.Contains(o.Output, "is not kept: 68.4 KiB of at most 64.0 KiB") {
		t.Errorf("a large result of an event: %s %.200s %q", o.State, o.Result, o.Output)
	}
	if o = f.run("big", pool.TaskCommand, pool.CommandParams{Instance: in, Command: "big"}); o.State != wire.OutcomeFailed || o.Cause.Code != "command.result" || len(o.Result) > 0 {
		t.Errorf("a large result of a command: %s %+v", o.State, o.Cause)
	}
	bad := f.assignment("stale", pool.TaskEvent, event("install"))
	bad.Epoch = 2
	f.todo <- bad
	if o = f.outcome("stale"); o.Cause == nil || o.Cause.Code != "epoch.stale" {
		t.Errorf("a task of an older epoch: %+v", o)
	}
	want[any](t, f.run("cleanup", pool.TaskCleanup, pool.PrepareParams{Instance: in}))
	if _, err := os.Stat(home.state("gigaspaces/tester-1")); err == nil {
		t.Error("cleanup left the recipe")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := strings.Join(f.output, "\n"); !strings.Contains(got, "installing\n1\n") || !strings.Contains(got, "port is 3306") {
		t.Errorf("streamed output: %q", got)
	}
}

// TestAgentDies ends the agent in the middle of an event: the event goes on,
// and the next agent finds it, hands its output on once, and tells its end.
func TestAgentDies(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.Epoch = 3
	home := installedMachine(t, f)
	mark := t.TempDir()
	in := tester(t, f, mark)
	stop := runHome(t, home)
	want[any](t, f.run("prepare", pool.TaskPrepare, pool.PrepareParams{Instance: in, Digest: in.Digest}))
	as := f.assignment("stop", pool.TaskEvent, pool.EventParams{Instance: in, Event: "stop"})
	f.todo <- as
	awaitOutput(t, f, "begun")
	stop()
	defer runHome(t, home)()
	tree(t, mark, map[string]string{"go": ""})
	want[pool.EventResult](t, f.outcome("stop")) // whether it ended before the next agent came or after
	f.todo <- as                                 // the appliance asks again, not having heard: the same answer
	want[pool.EventResult](t, f.outcome("stop"))
	if b, err := os.ReadFile(mark + "/count"); err != nil || string(b) != "x\n" {
		t.Errorf("the script ran %q (%v), want once", b, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := strings.Join(f.output[1:], "\n"); got != "begun\nended" {
		t.Errorf("streamed output: %q", got)
	}
}

// TestTaskDies kills the process that performs an event, as a power cut would:
// nobody knows how far it came, and it does not run again.
func TestTaskDies(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.Epoch = 3
	home := installedMachine(t, f)
	mark := t.TempDir()
	in := tester(t, f, mark)
	defer runHome(t, home)()
	want[any](t, f.run("prepare", pool.TaskPrepare, pool.PrepareParams{Instance: in, Digest: in.Digest}))
	f.todo <- f.assignment("stop", pool.TaskEvent, pool.EventParams{Instance: in, Event: "stop"})
	awaitOutput(t, f, "begun")
	j := &Files{Dir: home.state("journal"), BootID: bootID()}
	fate, who, err := j.Fate("stop")
	if err != nil || fate != FateRunning {
		t.Fatalf("fate %q, %v", fate, err)
	}
	if err := syscall.Kill(who.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if o := f.outcome("stop"); o.State != wire.OutcomeInterrupted {
		t.Errorf("outcome: %+v", o)
	}
	tree(t, mark, map[string]string{"go": ""}) // lets the orphan end
}

// TestCancelledEvent: the appliance no longer wants it, and all of it ends.
func TestCancelledEvent(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.Epoch = 3
	home := installedMachine(t, f)
	mark := t.TempDir()
	in := tester(t, f, mark)
	defer runHome(t, home)()
	want[any](t, f.run("prepare", pool.TaskPrepare, pool.PrepareParams{Instance: in, Digest: in.Digest}))
	f.todo <- f.assignment("stop", pool.TaskEvent, pool.EventParams{Instance: in, Event: "stop"})
	awaitOutput(t, f, "begun")
	f.mu.Lock()
	f.gone["stop"] = true
	f.mu.Unlock()
	want[pool.EventResult](t, f.run("install", pool.TaskEvent, pool.EventParams{Instance: in, Event: "install"}))
	j := &Files{Dir: home.state("journal"), BootID: bootID()}
	if j.alive("stop") {
		t.Error("the cancelled event's process lives")
	}
}

// TestEndlessEvent: an event that would never end is ended with all that it
// started, says so, and what comes after it runs.
func TestEndlessEvent(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.Epoch = 3
	home := installedMachine(t, f)
	mark := t.TempDir()
	in := tester(t, f, mark)
	defer runHome(t, home)()
	want[any](t, f.run("prepare", pool.TaskPrepare, pool.PrepareParams{Instance: in, Digest: in.Digest}))
	as := f.assignment("stop", pool.TaskEvent, pool.EventParams{Instance: in, Event: "stop"})
	as.Timeout = 2 * time.Second
	f.todo <- as
	o := <-f.done
	if o.State != wire.OutcomeFailed || o.Cause == nil || o.Cause.Code != "step.timeout" || !strings.Contains(o.Cause.Message, "did not end within 2s") {
		t.Errorf("an endless event: %s %+v", o.State, o.Cause)
	}
	awaitOutput(t, f, "begun")
	pid, err := os.ReadFile(filepath.Join(mark, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/cmdline"); err == nil && strings.Contains(string(b), "hang.sh") {
		t.Errorf("its script lives: %q", b)
	}
	want[pool.EventResult](t, f.run("install", pool.TaskEvent, pool.EventParams{Instance: in, Event: "install"}))
}

func TestFenced(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.State, f.welcome.Epoch = wire.StateFenced, 4
	home := installedMachine(t, f)
	in := tester(t, f, t.TempDir())
	f.todo <- f.assignment("prepare", pool.TaskPrepare, pool.PrepareParams{Instance: in, Digest: in.Digest})
	stop := runHome(t, home)
	for f.helloCount() < 3 {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if len(f.todo) != 1 {
		t.Error("a fenced agent asked for a task")
	}
	if f.hellos[0].Epoch != 3 || f.hellos[0].Machine != "m-1" || f.hellos[0].Mode != pool.Installed {
		t.Errorf("hello: %+v", f.hellos[0])
	}
}

func TestEpochRisesAndStays(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.Epoch, f.accept = 5, true
	home := installedMachine(t, f)
	before, _, _, err := home.open()
	if err != nil {
		t.Fatal(err)
	}
	stop := runHome(t, home)
	for f.helloCount() < 1 {
		time.Sleep(10 * time.Millisecond)
	}
	f.todo <- f.assignment("x", pool.TaskCleanup, pool.PrepareParams{})
	if o := f.outcome("x"); o.Cause == nil || o.Cause.Code != "epoch.stale" {
		t.Errorf("a task of epoch 3 after epoch 5 was confirmed: %+v", o)
	}
	stop()
	after, _, _, err := home.open()
	if err != nil {
		t.Fatal(err)
	}
	if after.Epoch != 5 || after.Certificate == before.Certificate {
		t.Errorf("identity of epoch %d, certificate renewed: %v", after.Epoch, after.Certificate != before.Certificate)
	}
}

func awaitOutput(t *testing.T, f *fakeAppliance, line string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		f.mu.Lock()
		got := strings.Contains(strings.Join(f.output, "\n"), line)
		f.mu.Unlock()
		if got {
			return
		}
	}
	t.Fatalf("no output %q", line)
}

func TestJournal(t *testing.T) {
	as := wire.Assignment{Key: "op/x/1", Kind: pool.TaskEvent}
	// Each case is what a crash can leave, and what the next agent says of it.
	for _, tt := range []struct {
		name  string
		leave func(t *testing.T, j *Files)
		boot  string
		fate  Fate
	}{
		{"accepted", func(*testing.T, *Files) {}, "b1", FateWaiting},
		{"started, machine restarted", func(t *testing.T, j *Files) { begin(t, j) }, "b2", FateInterrupted},
		{"started, process gone", func(t *testing.T, j *Files) { begin(t, j) }, "b1", FateInterrupted},
		{"exited, not acknowledged", func(t *testing.T, j *Files) {
			begin(t, j)
			if err := j.Record(wire.Outcome{Key: "op/x/1", State: wire.OutcomeDone}); err != nil {
				t.Fatal(err)
			}
		}, "b2", FateExited},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &Files{Dir: t.TempDir(), BootID: "b1"}
			if err := j.Accept(as); err != nil {
				t.Fatal(err)
			}
			tt.leave(t, j)
			next := &Files{Dir: j.Dir, BootID: tt.boot}
			if fate, _, err := next.Fate(as.Key); err != nil || fate != tt.fate {
				t.Errorf("fate %q, %v; want %q", fate, err, tt.fate)
			}
			if open, err := next.Open(); err != nil || len(open) != 1 || open[0].Key != as.Key {
				t.Errorf("open: %v, %v", open, err)
			}
			if _, err := next.Begin(as.Key); (err == nil) != (tt.fate == FateWaiting) {
				t.Errorf("Begin = %v", err)
			}
			if err := next.Acknowledge(as.Key); err != nil {
				t.Fatal(err)
			}
			if open, err := next.Open(); err != nil || len(open) != 0 {
				t.Errorf("open after acknowledgement: %v, %v", open, err)
			}
		})
	}
}

func begin(t *testing.T, j *Files) {
	lock, err := j.Begin("op/x/1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Begin("op/x/1"); err == nil {
		t.Error("a running task began again")
	}
	if fate, _, err := j.Fate("op/x/1"); err != nil || fate != FateRunning {
		t.Errorf("fate of a running task: %q, %v", fate, err)
	}
	if err := lock.Close(); err != nil { // as the kernel does for a dead process
		t.Fatal(err)
	}
}

func TestFirstOutcomeStands(t *testing.T) {
	j := &Files{Dir: t.TempDir(), BootID: "b"}
	for _, s := range []string{wire.OutcomeDone, wire.OutcomeFailed} {
		if err := j.Record(wire.Outcome{Key: "k", State: s}); err != nil {
			t.Fatal(err)
		}
	}
	if out, ok, err := j.Outcome("k"); err != nil || !ok || out.State != wire.OutcomeDone {
		t.Errorf("outcome %+v, %v, %v", out, ok, err)
	}
}
