package rack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/api/wire"
	"appliance/pool"
)

func TestScreenOnATerminal(t *testing.T) {
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(&out, true, 40)
		s.draw([]line{{"m0", "1s", "off"}, {"m1", "2s", "hostname\x1b[2J\n" + strings.Repeat("x", 80)}})
		time.Sleep(3 * time.Second)
		s.note("hello %d", 7)
		s.draw([]line{{"m0", "4s", "on"}})
	})
	want := "   1s  m0 off\n   2s  m1 hostname[2Jxxxxxxxxxxxxxxxxx…\n" +
		"\x1b[2A\r\x1b[J   3s  hello 7\n   1s  m0 off\n   2s  m1 hostname[2Jxxxxxxxxxxxxxxxxx…\n" +
		"\x1b[2A\r\x1b[J   4s  m0 on\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("screen (-want +got):\n%s", d)
	}
}

func TestScreenElsewhere(t *testing.T) {
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(&out, false, 0)
		for i, text := range []string{"off", "off", "on"} {
			s.draw([]line{{"m0", fmt.Sprint(i), text}})
			time.Sleep(time.Second)
		}
	})
	if want := "   0s  m0 off\n   2s  m0 on\n"; out.String() != want {
		t.Errorf("screen %q, want %q", out.String(), want)
	}
}

func TestMachineText(t *testing.T) {
	on := time.Unix(1, 0)
	op := &pool.Operation{Kind: pool.OpEnrol, Status: pool.Waiting, Step: "inspect", Waiting: pool.WaitAgent}
	for _, tt := range []struct {
		s    sighting
		want string
	}{
		{sighting{}, "off"},
		{sighting{on: on}, "powered on, not seen yet"},
		{sighting{on: on, machine: wire.Machine{Machine: pool.Machine{ID: "a", Phase: pool.Ready}, Sentence: "Waits."}}, "ready      Waits."},
		{sighting{on: on, machine: wire.Machine{Machine: pool.Machine{ID: "a", Phase: pool.Enrolled}, Operation: op,
			Live: wire.Live{Progress: &pool.Progress{Done: 57, Total: 100}}}}, "enrolled   enrol: inspect (waits for agent) 50 %"},
	} {
		if got := machineText(tt.s); got != tt.want {
			t.Errorf("machineText = %q, want %q", got, tt.want)
		}
	}
}

// fakeAPI is an appliance with one machine.
type fakeAPI struct {
	machine    wire.Machine
	service    wire.Service
	attributes map[string]string
}

func (f *fakeAPI) Machines(context.Context) ([]wire.Machine, error) {
	return []wire.Machine{f.machine}, nil
}
func (f *fakeAPI) UploadImage(context.Context, string, io.Reader, int64) (pool.Image, error) {
	return pool.Image{}, nil
}
func (f *fakeAPI) Deploy(context.Context, wire.DeployRequest) (wire.Service, error) {
	return f.service, nil
}
func (f *fakeAPI) Service(context.Context, string) (wire.Service, error) { return f.service, nil }
func (f *fakeAPI) Attribute(_ context.Context, _, name string) (v wire.AttributeValue, err error) {
	text, ok := f.attributes[name]
	if !ok {
		return v, pool.ErrNotFound
	}
	v.Value, err = json.Marshal(text)
	return v, err
}

func testDemo(t *testing.T) *Demo {
	t.Helper()
	dir := t.TempDir()
	m := &Machine{Spec: Spec{}.withDefaults(0), Dir: filepath.Join(dir, "m0")}
	d := &Demo{
		Machines: 1, dir: dir, rack: &Rack{Dir: dir, Machines: []*Machine{m}}, seen: make([]sighting, 1),
		screen: newScreen(io.Discard, false, 0), app: &applianceProcess{done: make(chan struct{})},
	}
	if err := errors.Join(os.Mkdir(m.Dir, 0o755), os.WriteFile(m.ConsoleLog(), []byte("PXE-E18\nno boot\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFill: every way in which a machine does not become ready ends, and says
// which machine, which stage, why, and where to read on.
func TestFill(t *testing.T) {
	mac, err := pool.ParseMAC("02:00:00:00:00:01")
	if err != nil {
		t.Fatal(err)
	}
	row := pool.Machine{ID: "a", MACs: []pool.MAC{mac}, Phase: pool.Enrolled, Facts: &pool.Facts{}}
	ready, broken, protected := row, row, row
	ready.Phase = pool.Ready
	broken.Conditions = pool.Conditions{}.With(pool.CondBroken, pool.True, "", time.Unix(0, 0))
	protected.Conditions = pool.Conditions{}.With(pool.CondProtected, pool.True, "disk holds ext4", time.Unix(0, 0))
	for _, tt := range []struct {
		name string
		api  fakeAPI
		want []string
	}{
		{"ready", fakeAPI{machine: wire.Machine{Machine: ready}}, nil},
		{"silent", fakeAPI{}, []string{"m0 (bios): inventory: none ", "after power-on", "console.log", `"no boot"`, "appliance.log"}},
		{"stuck", fakeAPI{machine: wire.Machine{Machine: row}}, []string{"ready: not done within 6m0s", "appliance.log"}},
		{"protected", fakeAPI{machine: wire.Machine{Machine: protected}}, []string{"m0 (bios): enrolled: protected: disk holds ext4"}},
		{"failed", fakeAPI{machine: wire.Machine{Machine: broken, Operation: &pool.Operation{
			Kind: pool.OpWipe, Step: "erase", Status: pool.Failed,
			Cause: &pool.Cause{Code: "disk.io", Message: "The disk does not answer.", Evidence: "EIO", Remedy: "Replace it."},
		}}}, []string{"m0 (bios): wipe erase: disk.io: The disk does not answer. (EIO) Replace it."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := testDemo(t)
				d.seen[0].on = time.Now()
				err := d.fill(t.Context(), &tt.api)
				if (err == nil) != (tt.want == nil) {
					t.Fatalf("fill = %v", err)
				}
				for _, w := range tt.want {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("fill = %v\nwhich lacks %q", err, w)
					}
				}
			})
		})
	}
}

func TestInstall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := testDemo(t)
		d.seen[0].machine.ID = "a"
		run := wire.Service{Service: pool.Service{Phase: pool.ServiceRunning}, Endpoints: []string{"10.77.0.101:3306"}}
		if got, err := d.install(t.Context(), &fakeAPI{service: run}); err != nil || got != run.Endpoints[0] {
			t.Errorf("install = %q, %v", got, err)
		}
		failed := wire.Service{Service: pool.Service{Phase: pool.ServiceFailed}, Running: []wire.Instance{{Instance: pool.Instance{
			Machine: "a", Step: "install", Cause: &pool.Cause{Code: "script.exit", Message: "Exit code 100."},
		}}}}
		_, err := d.install(t.Context(), &fakeAPI{service: failed})
		if err == nil || !strings.Contains(err.Error(), "m0 (bios): deploy install: script.exit: Exit code 100.") {
			t.Errorf("install of what fails = %v", err)
		}
		_, err = d.install(t.Context(), &fakeAPI{service: wire.Service{Sentence: "Waits for a machine."}})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Waits for a machine.") {
			t.Errorf("install without end = %v", err)
		}
		close(d.app.done)
		if _, err = d.install(t.Context(), &fakeAPI{}); err == nil || !strings.Contains(err.Error(), "the appliance has ended") {
			t.Errorf("install without appliance = %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err = testDemo(t).install(ctx, &fakeAPI{}); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted install = %v", err)
		}
	})
}

func TestLogin(t *testing.T) {
	got, err := loginOf(t.Context(), &fakeAPI{attributes: map[string]string{"user": "app", "password": "p"}})
	if want := (loginSQL{"app", "p", ""}); err != nil || got != want {
		t.Errorf("loginOf = %v, %v, want %v", got, err, want)
	}
}

// TestDemoConfig: the configuration names no MAC, no BMC and no machine.
func TestDemoConfig(t *testing.T) {
	got := demoConfig("/d", "/p")
	for _, w := range []string{"discover: true", "interface: rack", "prefix: 10.77.0.0/24", `data: "/d"`, `packages: "/p"`, "erase: false"} {
		if !strings.Contains(got, w) {
			t.Errorf("configuration lacks %q", w)
		}
	}
	for _, w := range []string{mac(0), bmcMAC(0), BMCAddr(0).String(), FactoryPassword} {
		if strings.Contains(got, w+"\n") || strings.Contains(got, w+" ") {
			t.Errorf("configuration names %q", w)
		}
	}
}
