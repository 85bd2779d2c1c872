package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// A service with a process of its own, which writes its PID and how often it
// was started.
const watchedRecipe = `
service {
	name "tester"
	type "DATABASE"
	numInstances 1
	lifecycle {
		start "start.sh"
		startDetection { new File("MARK/pid").exists() }
		locator { [new File("MARK/pid").text.trim().toInteger()] }
		postStop { new File("MARK/poststop").append("x") }
		stopDetection {
			def gone = new File("MARK/gone")
			def stopped = gone.exists()
			if (stopped && gone.text == "once") { gone.delete() }
			stopped
		}
	}
}
`

// watchRig is a machine on which the service runs, and its watcher.
type watchRig struct {
	t       *testing.T
	mark    string
	home    Home
	in      pool.InstanceInfo
	watcher *watcher
	server  *fakeAppliance

	mu      sync.Mutex
	code    int // the appliance's answer; 0: 204
	reports []pool.WatchReport
}

func (r *watchRig) told() []pool.WatchReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]pool.WatchReport(nil), r.reports...)
}

func (r *watchRig) answer(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.code = code
}

func (r *watchRig) take(w http.ResponseWriter, req *http.Request) {
	var report pool.WatchReport
	if err := json.NewDecoder(req.Body).Decode(&report); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.code != 0 {
		http.Error(w, "no", r.code)
		return
	}
	r.reports = append(r.reports, report)
	w.WriteHeader(http.StatusNoContent)
}

func newWatchRig(t *testing.T, start string) *watchRig {
	t.Helper()
	f := newFakeAppliance(t)
	r := &watchRig{t: t, mark: t.TempDir(), server: f}
	f.watched = r.take
	r.home = installedMachine(t, f)
	archive, digest, err := recipes.Pack(fstest.MapFS{
		"tester-service.groovy": {Data: []byte(strings.ReplaceAll(watchedRecipe, "MARK", r.mark))},
		"start.sh":              {Data: []byte("#!/bin/bash\n" + strings.ReplaceAll(start, "MARK", r.mark) + "\n"), Mode: 0o755},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.recipes[digest] = archive
	r.in = pool.InstanceInfo{ID: "in-1", Number: 1, Service: "tester", Application: "default", Planned: 1, Machine: "m-1", Digest: digest}
	_, _, client, err := r.home.open()
	if err != nil {
		t.Fatal(err)
	}
	journal := &Files{Dir: r.home.state("journal"), BootID: bootID()}
	tasks := &installed{home: r.home, client: client, journal: journal, log: silent(nil)}
	r.watcher = &watcher{tasks: tasks, client: client, log: silent(nil), first: 50 * time.Millisecond, every: 50 * time.Millisecond,
		alone: 300 * time.Millisecond, settle: 10 * time.Millisecond}
	for i, step := range []struct {
		name string
		kind pool.TaskKind
	}{{"prepare", pool.TaskPrepare}, {"start", pool.TaskEvent}, {"startDetection", pool.TaskDetect}, {"locator", pool.TaskEvent}, {"watch", pool.TaskWatch}} {
		var params any = pool.EventParams{Instance: r.in, Event: step.name}
		if step.kind == pool.TaskPrepare || step.kind == pool.TaskWatch {
			params = pool.PrepareParams{Instance: r.in, Digest: digest}
		}
		as := f.assignment("in-1/"+step.name+"/"+strconv.Itoa(i), step.kind, params)
		got, err := tasks.Perform(t.Context(), as, func(pool.Progress) {})
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if o := got.(recorded); o.State != wire.OutcomeDone {
			t.Fatalf("%s: %+v\n%s", step.name, o.Cause, o.Output)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.watcher.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if pid := r.pid(); pid > 1 && alive(pid) && syscall.Kill(pid, syscall.SIGKILL) == nil {
			r.until("end of the start process", func() bool { _, ended := r.home.startEnded("in-1"); return ended })
		}
	})
	return r
}

func (r *watchRig) pid() int {
	b, err := os.ReadFile(filepath.Join(r.mark, "pid"))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

func (r *watchRig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%s: did not come", what)
		}
	}
}

const sleeper = "echo $$ > MARK/pid\nexec sleep 1000"

func TestDeadProcessIsTold(t *testing.T) {
	r := newWatchRig(t, sleeper)
	time.Sleep(300 * time.Millisecond)
	if n := len(r.told()); n != 0 {
		t.Fatalf("%d reports of a service that runs: %+v", n, r.told())
	}
	if err := syscall.Kill(r.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.until("report", func() bool { return len(r.told()) > 0 })
	got := r.told()[0]
	if got.State != pool.WatchStopped || got.Watch != "in-1/watch/4" || !strings.Contains(got.Why, "code 137") && !strings.Contains(got.Why, "dead") {
		t.Errorf("report %+v", got)
	}
	r.until("end of the watch", func() bool {
		_, err := os.Stat(r.home.watchFile("in-1", "json"))
		return os.IsNotExist(err)
	})
	time.Sleep(time.Second)
	if n := len(r.told()); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// TestStartSaidWhy: how a start process ended comes with what it printed last,
// and with nothing that an earlier one had printed into the same file.
func TestStartSaidWhy(t *testing.T) {
	r := newWatchRig(t, "echo $$ > MARK/pid\nwhile [ ! -e MARK/fail ]; do sleep 0.05; done\necho no such table; echo; printf 'giving up' >&2; exit 3")
	if err := os.WriteFile(filepath.Join(r.mark, "fail"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.until("report", func() bool { return len(r.told()) > 0 })
	if got := r.told()[0]; !strings.HasSuffix(got.Why, "code 3") && !strings.Contains(got.Why, "dead") || !strings.HasSuffix(got.Evidence, "it printed last: no such table | giving up") {
		t.Errorf("report %+v", got)
	}
	r.until("the end is known", func() bool { _, ended := r.home.startEnded(r.in.ID); return ended })
	if got := r.home.startSaid(r.in); got != "it printed last: no such table | giving up" {
		t.Errorf("the start process said %q", got)
	}
	b, err := r.home.begunOf(r.in.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.LogAt = 1 << 20 // the next one has printed nothing yet
	if err := r.home.keepStart(b); err != nil {
		t.Fatal(err)
	}
	if got := r.home.startSaid(r.in); got != "" {
		t.Errorf("a start process that printed nothing said %q", got)
	}
}

func TestSaidLast(t *testing.T) {
	for _, tt := range []struct{ output, want string }{
		{"", ""},
		{"\n \n", ""},
		{"1\n2\n3\n4\n5\n\n6\n", "it printed last: 2 | 3 | 4 | 5 | 6"},
		{"a\x1b[31mred\n", "it printed last: a [31mred"},
	} {
		if got := saidLast(tt.output); got != tt.want {
			t.Errorf("saidLast(%q) = %q, want %q", tt.output, got, tt.want)
		}
	}
	if got := saidLast(strings.Repeat("x", 5000)); len(got) > 2*saidBytes {
		t.Errorf("%d bytes are told", len(got))
	}
}

func TestStopDetectionIsTold(t *testing.T) {
	r := newWatchRig(t, sleeper)
	if err := os.WriteFile(filepath.Join(r.mark, "gone"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.until("report", func() bool { return len(r.told()) > 0 })
	if got := r.told()[0]; got.Why != "its stop detection says so" {
		t.Errorf("report %+v", got)
	}
}

// TestStopDetectionOnce: one answer, of a moment in which the machine was
// busy, starts nothing anew.
func TestStopDetectionOnce(t *testing.T) {
	r := newWatchRig(t, sleeper)
	gone := filepath.Join(r.mark, "gone")
	if err := os.WriteFile(gone, []byte("once"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.until("it was asked", func() bool { _, err := os.Stat(gone); return os.IsNotExist(err) })
	time.Sleep(time.Second)
	if got := r.told(); len(got) != 0 {
		t.Errorf("one answer was told: %+v", got)
	}
}

// TestMaintenanceIsToldAgain: an appliance in maintenance takes the word
// later, and nothing is started meanwhile.
func TestMaintenanceIsToldAgain(t *testing.T) {
	r := newWatchRig(t, sleeper)
	if err := r.home.confirm("test", 3); err != nil {
		t.Fatal(err)
	}
	r.answer(http.StatusConflict)
	old := r.pid()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if r.pid() != old {
		t.Error("it was started in maintenance")
	}
	r.answer(0)
	r.until("report", func() bool { return len(r.told()) > 0 })
}

// TestAloneItIsStartedAgain: while the appliance is away the agent starts what
// died, and tells it later; not before this boot was confirmed.
func TestAloneItIsStartedAgain(t *testing.T) {
	r := newWatchRig(t, sleeper)
	r.answer(http.StatusServiceUnavailable)
	old := r.pid()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if r.pid() != old {
		t.Fatal("it was started although nobody confirmed this boot")
	}
	if err := r.home.confirm("test", 3); err != nil {
		t.Fatal(err)
	}
	r.until("a new process", func() bool { return r.pid() != old && alive(r.pid()) })
	r.until("postStop", func() bool { _, err := os.Stat(filepath.Join(r.mark, "poststop")); return err == nil })
	time.Sleep(500 * time.Millisecond)
	r.answer(0)
	r.until("report", func() bool { return len(r.told()) > 0 })
	if got := r.told()[0]; got.State != pool.WatchRestarted {
		t.Errorf("report %+v", got)
	}
	if _, err := os.Stat(r.home.watchFile("in-1", "json")); err != nil {
		t.Errorf("it is not watched any more: %v", err)
	}
}

// TestWatchOfEarlierBoot: after a reboot nothing is watched or started until
// the appliance says so.
func TestWatchOfEarlierBoot(t *testing.T) {
	r := newWatchRig(t, sleeper)
	file := r.home.watchFile("in-2", "json")
	b, err := json.Marshal(watched{Key: "k", BootID: "earlier", Instance: r.in})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r.until("it is forgotten", func() bool { _, err := os.Stat(file); return os.IsNotExist(err) })
}

// TestTaskEndsWatch: what the appliance asks for is its own business.
func TestTaskEndsWatch(t *testing.T) {
	r := newWatchRig(t, sleeper)
	for _, tt := range []struct {
		event string
		ends  bool
	}{{"locator", false}, {"postStop", true}} {
		b, err := json.Marshal(pool.EventParams{Instance: r.in, Event: tt.event})
		if err != nil {
			t.Fatal(err)
		}
		as := wire.Assignment{Key: "in-1/x/" + tt.event, Token: "tok", Epoch: 3, Name: tt.event, Kind: pool.TaskEvent, Timeout: time.Minute, Params: b}
		if _, err := r.watcher.tasks.Perform(t.Context(), as, func(pool.Progress) {}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(r.home.watchFile("in-1", "json")); os.IsNotExist(err) != tt.ends {
			t.Errorf("after %s: %v", tt.event, err)
		}
	}
}
