package rack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestArgv(t *testing.T) {
	for _, tt := range []struct {
		name      string
		a         argv
		want, not []string
	}{
		{
			"bios",
			argv{index: 2, dir: "/r", boot: BootDisk, bmc: true, qmpFD: 3},
			[]string{
				"pc,graphics=off", "tcg,thread=multi,tb-size=128", "1024",
				"tap,id=net0,ifname=t2,script=no,downscript=no",
				"virtio-net-pci,id=nic0,netdev=net0,mac=02:00:00:00:00:03,bootindex=90",
				"if=none,id=drive0,format=raw,file=/r/disk0,cache=unsafe,discard=unmap,detect-zeroes=unmap",
				"virtio-blk-pci,id=disk0,drive=drive0,bootindex=10,serial=DISK-2-0",
				"socket,id=ipmi,host=127.0.0.1,port=9102,reconnect=2", "isa-ipmi-kcs,bmc=bmc0,ioport=0xca2,irq=5",
				"type=1,manufacturer=Rack,product=Virtual,serial=RACK0003,uuid=7261636b-0000-4000-8000-000000000003",
			},
			[]string{"q35", "kvm"},
		}, {
			"uefi, network first, no BMC",
			argv{spec: Spec{Firmware: UEFI, MemoryMB: 512}, dir: "/a,b", boot: BootPXE, qmpFD: 3},
			[]string{
				"q35", "512",
				"virtio-net-pci,romfile=,id=nic0,netdev=net0,mac=02:00:00:00:00:01,bootindex=1",
				"if=pflash,format=raw,unit=1,file=/a,,b/vars.fd",
			},
			[]string{"isa-ipmi-kcs,bmc=bmc0,ioport=0xca2,irq=5", "pc,graphics=off"},
		}, {
			"kvm",
			argv{boot: BootDisk, accel: "kvm"},
			[]string{"kvm", "host"}, []string{"max"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.a.spec = tt.a.spec.withDefaults(tt.a.index)
			for n, d := range tt.a.spec.Disks {
				tt.a.spec.Disks[n] = d.withDefaults(tt.a.dir, tt.a.index, n)
			}
			got := tt.a.build()
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("argv lacks %q:\n%s", w, strings.Join(got, "\n"))
				}
			}
			for _, w := range tt.not {
				if slices.Contains(got, w) {
					t.Errorf("argv has %q", w)
				}
			}
		})
	}
}

// fakeChassis records what was asked.
type fakeChassis struct {
	on    bool
	boot  BootDevice
	calls []string
}

func (c *fakeChassis) On() bool { return c.on }
func (c *fakeChassis) PowerOn(context.Context) error {
	c.on, c.calls = true, append(c.calls, "on")
	return nil
}
func (c *fakeChassis) PowerOff(context.Context) error {
	c.on, c.calls = false, append(c.calls, "off")
	return nil
}
func (c *fakeChassis) PowerReset(context.Context) error {
	if !c.on {
		return ErrOff
	}
	c.calls = append(c.calls, "reset")
	return nil
}
func (c *fakeChassis) PowerSoft(context.Context) error {
	c.calls = append(c.calls, "soft")
	return nil
}
func (c *fakeChassis) Boot() BootDevice { return c.boot }
func (c *fakeChassis) SetBoot(_ context.Context, d BootDevice, persistent bool) error {
	c.boot, c.calls = d, append(c.calls, fmt.Sprintf("boot %s %t", d, persistent))
	return nil
}

// TestChassis asks as ipmi_sim does: a process with arguments and a pipe.
func TestChassis(t *testing.T) {
	c := &fakeChassis{boot: BootNone}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		serveChassis(l, func(ctx context.Context, args []string) (string, error) { return answerChassis(ctx, c, args) })
	}()
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		<-done
	}()
	for _, tt := range []struct {
		args string
		out  string
		code int
	}{
		{"get power", "power:0\n", 0},
		{"set reset 1", "", 1},
		{"set boot pxe power 1", "", 0},
		{"get power boot identify", "power:1\nboot:pxe\nidentify:0\n", 0},
		{"check power", "power:1\n", 0},
		{"set reset 1", "", 0},
		{"set shutdown 1", "", 0},
		{"set identify 15 0", "", 0},
		{"set power 0", "", 0},
		{"set power 7", "", 1},
		{"set fan 1", "", 1},
		{"forget power", "", 1},
		{"get", "", 1},
	} {
		var out, errOut bytes.Buffer
		if code := chassisMain(socket, strings.Fields(tt.args), &out, &errOut); code != tt.code || out.String() != tt.out {
			t.Errorf("chassis %s = %d %q (%s), want %d %q", tt.args, code, out.String(), errOut.String(), tt.code, tt.out)
		}
	}
	if d := cmp.Diff([]string{"boot pxe false", "on", "reset", "soft", "off"}, c.calls); d != "" {
		t.Errorf("hardware was asked (-want +got):\n%s", d)
	}
	var errOut bytes.Buffer
	if code := chassisMain(socket+"-absent", []string{"get", "power"}, &errOut, &errOut); code == 0 {
		t.Error("chassis without a rack succeeds")
	}
}

func TestLAN(t *testing.T) {
	got, err := answerLAN(4, []string{"get", "ip_addr", "mac_addr", "colour"})
	if want := "ip_addr:10.77.0.14\nmac_addr:02:00:00:00:bc:05\n"; err != nil || got != want {
		t.Errorf("answerLAN = %q, %v, want %q", got, err, want)
	}
	if got, err := answerLAN(4, []string{"set", "ip_addr", "1.2.3.4"}); got != "" || err != nil {
		t.Errorf("answerLAN set = %q, %v", got, err)
	}
	if _, err := answerLAN(4, nil); err == nil {
		t.Error("answerLAN of nothing succeeds")
	}
}

// serveQMP plays QEMU: a greeting, events between answers, one error.
func serveQMP(conn net.Conn) {
	enc, dec := json.NewEncoder(conn), json.NewDecoder(conn)
	say := func(v any) { _ = enc.Encode(v) }
	type m = map[string]any
	say(m{"QMP": m{"version": m{}, "capabilities": []string{"oob"}}})
	for {
		var q struct {
			Execute string `json:"execute"`
			ID      string `json:"id"`
		}
		if dec.Decode(&q) != nil {
			return
		}
		switch q.Execute {
		case "qmp_capabilities":
			say(m{"return": m{}, "id": q.ID})
		case "query-status":
			say(m{"event": "RESET", "data": m{"guest": true}})
			say(m{"return": m{}, "id": "of long ago"})
			say(m{"return": m{"status": "running"}, "id": q.ID})
		case "quit":
			_ = conn.Close()
		case "stall":
		default:
			say(m{"error": m{"class": "CommandNotFound", "desc": "no " + q.Execute}, "id": q.ID})
		}
	}
}

func TestQMP(t *testing.T) {
	ours, theirs := net.Pipe()
	go serveQMP(theirs)
	q, err := openQMP(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Status string }
	if err := q.run(t.Context(), "query-status", nil, &status); err != nil || status.Status != "running" {
		t.Errorf("query-status = %+v, %v", status, err)
	}
	if e := <-q.events; e != "RESET" {
		t.Errorf("event %q, want RESET", e)
	}
	if err := q.run(t.Context(), "dance", nil, nil); err == nil || !strings.Contains(err.Error(), "run dance: CommandNotFound: no dance") {
		t.Errorf("unknown command = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.run(ctx, "stall", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("command without answer = %v, want %v", err, context.Canceled)
	}
	if err := q.run(t.Context(), "quit", nil, nil); !errors.Is(err, errGone) {
		t.Errorf("quit = %v, want %v", err, errGone)
	}
	if err := q.run(t.Context(), "query-status", nil, nil); !errors.Is(err, errGone) {
		t.Errorf("after quit = %v, want %v", err, errGone)
	}
	if _, open := <-q.events; open {
		t.Error("events after the end")
	}
	if err := q.close(); err != nil {
		t.Error(err)
	}
}

// TestFolder: one holder at a time; what an earlier run left is reaped, by
// pid and start time; what is not ours is left alone.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(dir); !errors.Is(err, ErrRunning) {
		t.Errorf("second OpenFolder = %v, want %v", err, ErrRunning)
	}
	sleep := exec.CommandContext(t.Context(), "sleep", "600")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- sleep.Wait() }()
	if err := f.record(sleep.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if pid, err := WorldInit(dir); err != nil || pid != sleep.Process.Pid {
		t.Errorf("WorldInit = %d, %v, want %d", pid, err, sleep.Process.Pid)
	}
	if err := os.MkdirAll(filepath.Join(dir, "m0", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(true); err != nil { // as the kernel does for a dead holder
		t.Fatal(err)
	}
	f, err = OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("the process of the earlier run ended by itself")
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("left of the earlier run: %v, %v", names, err)
	}
	if _, err := WorldInit(dir); err == nil {
		t.Error("WorldInit finds a dead world")
	}
	if err := f.Close(false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(foreign); err == nil || !strings.Contains(err.Error(), "someone else") {
		t.Errorf("OpenFolder of a foreign folder = %v", err)
	}
}

func TestStartTimeOfAnotherProcess(t *testing.T) {
	start, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !isProcess(os.Getpid(), start) || isProcess(os.Getpid(), start+1) {
		t.Error("a process is not told from another with its pid")
	}
}

func TestRaiseOnTheHost(t *testing.T) {
	t.Setenv(insideEnv, "")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := Raise(ctx, Config{Machines: make([]Spec, 1)}); err == nil {
		t.Error("Raise in the host's namespaces succeeds")
	}
}
