package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// A custom command runs while an event does, and a look answers: a recipe that
// waits in an event for a command of another does not wait for ever.
func TestBesideAnEvent(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.Epoch = 3
	home := installedMachine(t, f)
	mark := t.TempDir()
	in := tester(t, f, mark)
	defer runHome(t, home)()
	want[any](t, f.run("prepare", pool.TaskPrepare, pool.PrepareParams{Instance: in, Digest: in.Digest}))
	f.todo <- f.assignment("stop", pool.TaskEvent, pool.EventParams{Instance: in, Event: "stop"}) // until MARK/go is there
	awaitOutput(t, f, "begun")
	if err := os.WriteFile(filepath.Join(mark, "up.pid"), fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(key, name string, args ...string) wire.Assignment {
		return f.assignment(key, pool.TaskCommand, pool.CommandParams{Instance: in, Command: name, Args: args})
	}
	f.errands <- command("inv-1/1", "add", "2", "3")
	f.errands <- command("inv-1/1", "add", "2", "3") // the same once more: performed once
	o := f.outcome("inv-1/1")
	if r := want[pool.EventResult](t, o); string(r.Value) != "5" {
		t.Errorf("value of add: %s", r.Value)
	}
	f.errands <- command("inv-2/1", "break")
	if o := f.outcome("inv-2/1"); o.State != wire.OutcomeFailed || o.Cause.Code != "command.exit" || !strings.Contains(o.Output, "it broke") {
		t.Errorf("a command that fails: %+v %q", o.Cause, o.Output)
	}
	f.errands <- command("inv-3/1", "none")
	if o := f.outcome("inv-3/1"); o.State != wire.OutcomeFailed || !strings.Contains(o.Cause.Evidence, "No such Custom Command: none") {
		t.Errorf("a command that is not there: %+v", o.Cause)
	}
	f.errands <- f.assignment("look/1", pool.TaskLook, pool.EventParams{Instance: in})
	checkReadings(t, <-f.readings, home)
	if err := os.WriteFile(filepath.Join(mark, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want[pool.EventResult](t, f.outcome("stop"))
}

func checkReadings(t *testing.T, r pool.Readings, home Home) {
	t.Helper()
	if r.Instance != "i-1" || r.Trouble != "" || r.Monitors["Sessions"] != 7.0 || r.Details["url"] != "http://here" || r.Details["Instance ID"] != 1.0 {
		t.Errorf("readings: %+v", r)
	}
	if dir := r.Details["Working Directory"]; dir != home.state("gigaspaces/tester-1") {
		t.Errorf("working directory %v", dir)
	}
	for _, name := range []string{monitorCPUTime, monitorVirtual, monitorResident, monitorThreads} {
		if v, ok := r.Monitors[name].(float64); !ok || v <= 0 {
			t.Errorf("%s is %v", name, r.Monitors[name])
		}
	}
}

// Details and monitors are read once in five seconds, and a recipe that fails
// in one of them leaves the rest alone.
func TestLook(t *testing.T) {
	f := newFakeAppliance(t)
	home := installedMachine(t, f)
	in := tester(t, f, t.TempDir())
	client, err := NewClient(f.srv.URL, f.pem)
	if err != nil {
		t.Fatal(err)
	}
	params, err := json.Marshal(pool.PrepareParams{Instance: in, Digest: in.Digest})
	if err != nil {
		t.Fatal(err)
	}
	l := &lifecycle{home: home, out: &strings.Builder{}, task: wire.Assignment{Kind: pool.TaskPrepare, Params: params}}
	if _, err := l.perform(t.Context()); err != nil {
		t.Fatal(err)
	}
	looks := &lookouts{home: home, client: client}
	first := looks.Look(t.Context(), pool.EventParams{Instance: in})
	if !strings.Contains(first.Trouble, "processes") || first.Monitors["Sessions"] != int64(7) {
		t.Errorf("the locator fails, its file is not there: %+v", first)
	}
	if again := looks.Look(t.Context(), pool.EventParams{Instance: in}); !again.At.Equal(first.At) {
		t.Error("read again within five seconds")
	}
	looks.all["i-1"].last.At = time.Now().Add(-readingsCache)
	if again := looks.Look(t.Context(), pool.EventParams{Instance: in}); !again.At.After(first.At) {
		t.Error("not read again after five seconds")
	}
	in.Service = "../x"
	in.ID = "i-2"
	if r := looks.Look(t.Context(), pool.EventParams{Instance: in}); r.Trouble == "" {
		t.Error("an instance without a recipe has readings")
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		name, stat string
		want       usage
		bad        bool
	}{
		{name: "plain", stat: "7 (mariadbd) S 1 7 7 0 -1 4194560 100 0 3 0 250 50 0 0 20 0 12 0 99 4096 2 18446744073709551615 1 1",
			want: usage{processes: 1, user: 2500 * time.Millisecond, kernel: 500 * time.Millisecond, virtual: 4096,
				resident: int64(2 * os.Getpagesize()), faults: 103, threads: 12}},
		{name: "a name that lies", stat: "7 (a) S 1) S 1 7 7 0 -1 0 1 0 0 0 1 0 0 0 20 0 1 0 9 1 0 5",
			want: usage{processes: 1, user: 10 * time.Millisecond, virtual: 1, faults: 1, threads: 1}},
		{name: "short", stat: "7 (x) S 1 2", bad: true},
		{name: "no name", stat: "7 x S", bad: true},
		{name: "empty", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var u usage
			if err := u.add([]byte(tt.stat)); (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			if !tt.bad && u != tt.want {
				t.Errorf("usage %+v, want %+v", u, tt.want)
			}
		})
	}
}

func FuzzUsage(f *testing.F) {
	f.Add([]byte("7 (mariadbd) S 1 7 7 0 -1 4194560 100 0 3 0 250 50 0 0 20 0 12 0 99 4096 2 5"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var u usage
		_ = u.add(b) // it must not crash
	})
}

func TestListener(t *testing.T) {
	const line = "   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0"
	if inode, ok := listener(line, 3306); !ok || inode != "4242" {
		t.Errorf("listener = %q, %v", inode, ok)
	}
	for _, bad := range []string{"", strings.Replace(line, " 0A ", " 01 ", 1), strings.Replace(line, "0CEA", "0CEB", 1), strings.Replace(line, "0CEA", "zz", 1)} {
		if _, ok := listener(bad, 3306); ok {
			t.Errorf("%q listens on 3306", bad)
		}
	}
}
