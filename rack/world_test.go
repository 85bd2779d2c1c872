package rack_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"appliance/rack"
)

// roleEnv makes this test program play a part inside a world.
const roleEnv = "RACK_TEST_ROLE"

func TestMain(m *testing.M) {
	rack.Main()
	role := os.Getenv(roleEnv)
	if _, inside := rack.Inside(); role != "" && (inside || role == "standIn") {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		err := roles()[role](ctx)
		stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func roles() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"idle":  idle,
		"power": power,
		"demo":  demo,

		"trouble": trouble,

		"healWeb":  healWeb,
		"healRows": healRows,

		"application":      application,
		"replica":          replica,
		"replicaOnHosts":   replicaOnHosts,
		"operator":         operator,
		"rolling":          rolling,
		"rollingOnHosts":   rollingOnHosts,
		"storage":          storage,
		"drivers":          drivers,
		"shopOnVMs":        shopOnVMs,
		"shopOnHosts":      shopOnHosts,
		"hypervisorOnHost": hypervisorOnHost,
		"hypervisor":       madeHypervisor,

		"secureBoot": secureBoot,
		"armBoot":    armBoot,
		"secureARM":  secureARM,
		"httpBoot":   httpBoot,
		"proxied":    proxied,
		"armDeploy":  armDeploy,
		"armHost":    armHost,

		"secureDeploy": secureDeploy,

		"reboots":       reboots,
		"demoOfStandIn": demoOfStandIn,
		"standIn":       standIn,
	}
}

// world runs role in a world of its own and returns the world's run folder and
// what Isolate will return. The world ends with the test.
func world(t *testing.T, role string, files ...*os.File) (f *rack.Folder, code <-chan int, cancel func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, as make test has it")
	}
	t.Setenv(roleEnv, role)
	f, err := rack.OpenFolder(filepath.Join(t.TempDir(), "rack"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		n, err := rack.Isolate(ctx, f, []string{os.Args[0]}, files...)
		if err != nil {
			t.Error(err)
		}
		ended <- n
		if err := f.Close(true); err != nil {
			t.Error(err)
		}
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range ended { //nolint:revive // until the world has ended
		}
	})
	return f, ended, cancel
}

// await waits for a file that the inside writes when it is where it should be.
func await(t *testing.T, path string, within time.Duration) string {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(b), "\n") {
			return strings.TrimSpace(string(b))
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %s", path, within)
		}
	}
}

// members lists the processes of the world whose init is pid, seen from here.
func members(t *testing.T, pid int) []string {
	t.Helper()
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err != nil {
		t.Fatal(err)
	}
	return inNamespace(t, ns)
}

func inNamespace(t *testing.T, ns string) (pids []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if got, err := os.Readlink(l); err == nil && got == ns {
			pids = append(pids, l)
		}
	}
	return pids
}

// firstChild is the oldest child of pid: of an init, what it was started for.
func firstChild(t *testing.T, pid int) (first int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		b, err := os.ReadFile(l)
		if err != nil {
			continue // the thread has ended
		}
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil && (first == 0 || n < first) {
				first = n
			}
		}
	}
	if first == 0 {
		t.Fatalf("process %d has no child", pid)
	}
	return first
}

func say(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o644)
}

// idle raises a bridge's worth of nothing: an orphan in a session of its own,
// which only the end of the world ends.
func idle(context.Context) error {
	signal.Reset(syscall.SIGTERM)
	dir, _ := rack.Inside()
	orphan := exec.Command("sh", "-c", "setsid sleep 600 </dev/null >/dev/null 2>&1 &") //nolint:noctx // it is to outlive us
	if err := orphan.Run(); err != nil {
		return err
	}
	short := exec.Command("sh", "-c", "setsid true & exit 0") //nolint:noctx // ends at once
	if err := short.Run(); err != nil {
		return err
	}
	links, err := os.ReadDir("/sys/class/net")
	if err != nil {
		return err
	}
	text := fmt.Sprint("pid ", os.Getpid() > 1, " parent ", os.Getppid(), " links ", len(links))
	if err := say(dir, "there", text); err != nil {
		return err
	}
	time.Sleep(10 * time.Minute)
	return errors.New("nobody ended us")
}

// TestWorldEndsWhole: whoever is killed, nothing of the world is left.
func TestWorldEndsWhole(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, init int, cancel func())
		code int
	}{
		{"kill -9 of init", func(t *testing.T, init int, _ func()) {
			if err := syscall.Kill(init, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}, -1},
		{"kill -9 of the rack process", func(t *testing.T, init int, _ func()) {
			if err := syscall.Kill(firstChild(t, init), syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}, 128 + 9},
		{"cancelled", func(_ *testing.T, _ int, cancel func()) { cancel() }, 128 + 15},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, code, cancel := world(t, "idle")
			if got, want := await(t, filepath.Join(f.Dir, "there"), time.Minute), "pid true parent 1 links 1"; got != want {
				t.Errorf("inside: %s, want %s", got, want)
			}
			init, err := rack.WorldInit(f.Dir)
			if err != nil {
				t.Fatal(err)
			}
			ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", init))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(members(t, init)); n < 3 { // init, rack process, orphan
				t.Errorf("world has %d processes, want 3 at least", n)
			}
			tt.end(t, init, cancel)
			select {
			case got := <-code:
				if got != tt.code {
					t.Errorf("exit code %d, want %d", got, tt.code)
				}
			case <-time.After(time.Minute):
				t.Fatal("the world does not end")
			}
			if left := inNamespace(t, ns); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if _, err := rack.WorldInit(f.Dir); err == nil {
				t.Error("the world is still found")
			}
		})
	}
}

// power raises a rack of two and works it through the BMC of the first.
func power(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	dir, _ := rack.Inside()
	r, err := rack.Raise(ctx, rack.Config{Machines: []rack.Spec{{MemoryMB: 256}, {MemoryMB: 256, Firmware: rack.UEFI, NoBMC: true}}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	ipmi := func(args ...string) (string, error) {
		args = append(strings.Fields("-I lanplus -C 3 -H 10.77.0.10 -U admin -P secret"), args...)
		out, err := exec.CommandContext(ctx, "ipmitool", args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("ipmitool %v: %w: %s", args[10:], err, out)
		}
		return string(out), err
	}
	for _, cmd := range []string{"chassis bootdev pxe", "power on", "power status"} {
		out, err := ipmi(strings.Fields(cmd)...)
		if err != nil {
			return err
		}
		if cmd == "power status" && !strings.Contains(out, "is on") {
			return fmt.Errorf("after power on: %s", out)
		}
	}
	m, uefi := r.Machines[0], r.Machines[1]
	if err := uefi.PowerOn(ctx); err != nil {
		return err
	}
	if err := m.AddDisk(rack.Disk{}); err == nil {
		return errors.New("a disk was added to a running machine")
	}
	if err := m.Unplug(ctx, true); err != nil {
		return err
	}
	if err := m.Unplug(ctx, false); err != nil {
		return err
	}
	if err := seen(ctx, m.ConsoleLog(), "iPXE initialising devices"); err != nil {
		return err
	}
	if err := m.SetBoot(ctx, rack.BootPXE, false); err != nil {
		return err
	}
	if err := m.SetBoot(ctx, rack.BootNone, false); err != nil {
		return err
	}
	if err := seen(ctx, uefi.ConsoleLog(), "BdsDxe"); err != nil {
		return err
	}
	if err := m.BMC.Stop(ctx); err != nil {
		return err
	}
	if out, err := ipmi("-N", "1", "-R", "1", "power", "status"); err == nil {
		return fmt.Errorf("a stopped BMC answers: %s", out)
	}
	if err := m.BMC.Start(ctx); err != nil {
		return err
	}
	if out, err := ipmi("power", "status"); err != nil || !strings.Contains(out, "is on") {
		return fmt.Errorf("after the BMC's restart: %s, %w", out, err)
	}
	if err := say(dir, "there", "powered"); err != nil {
		return err
	}
	if os.Getenv("RACK_TEST_STAY") != "" {
		<-ctx.Done()
	}
	_, err = ipmi("power", "off")
	if err == nil && m.On() {
		err = errors.New("machine is on after power off")
	}
	return err
}

// seen waits until the file at path holds text.
func seen(ctx context.Context, path, text string) error {
	for {
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), text) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %q in %s: %w; it ends with %q", text, path, ctx.Err(), b[max(0, len(b)-300):])
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// e2e skips a test that boots QEMU machines unless make test asked for them.
func e2e(t *testing.T) {
	t.Helper()
	if os.Getenv("RACK_E2E") == "" {
		t.Skip("boots QEMU machines: RACK_E2E=1, as make test has it")
	}
}

// TestPower powers machines through ipmitool and sees their firmware speak.
func TestPower(t *testing.T) {
	e2e(t)
	_, code, _ := world(t, "power")
	if got := <-code; got != 0 {
		t.Errorf("exit code %d; what went wrong is above", got)
	}
}

// TestKillLeavesNothing kills the init of a world in which QEMU and ipmi_sim run.
func TestKillLeavesNothing(t *testing.T) {
	e2e(t)
	t.Setenv("RACK_TEST_STAY", "1")
	f, code, _ := world(t, "power")
	await(t, filepath.Join(f.Dir, "there"), 3*time.Minute)
	init, err := rack.WorldInit(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(members(t, init)); n < 5 { // init, rack process, ipmi_sim, two QEMUs
		t.Errorf("world has %d processes, want 5 at least", n)
	}
	pidns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", init))
	if err != nil {
		t.Fatal(err)
	}
	netns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", init))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(init, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-code
	if left := inNamespace(t, pidns); len(left) > 0 {
		t.Errorf("processes left behind: %v", left)
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if got, err := os.Readlink(l); err == nil && got == netns {
			t.Errorf("%s holds the network namespace", l)
		}
	}
	if _, err := os.Stat("/sys/class/net/" + rack.Bridge); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("bridge on the host: %v", err)
	}
}

// resetLater is a boot sector that waits for 110 ticks, six seconds, and then
// resets the machine.
func resetLater() []byte {
	return []byte{
		0xfb,       //       sti
		0xb4, 0x00, //       mov ah, 0
		0xcd, 0x1a, //       int 1ah: ticks to cx:dx
		0x89, 0xd3, //       mov bx, dx
		0xb4, 0x00, // loop: mov ah, 0
		0xcd, 0x1a, //       int 1ah
		0x29, 0xda, //       sub dx, bx
		0x83, 0xfa, 110, //  cmp dx, 110
		0x72, 0xf5, //       jb loop
		0xb0, 0xfe, //       mov al, 0feh
		0xe6, 0x64, //       out 64h, al: reset, by the keyboard controller
		0xf4,       //       hlt
		0xeb, 0xfd, //       jmp $-1
	}
}

// reboots has a system on its disk that restarts by itself, and asks for the
// network once while it runs: the next boot is from the network, what was
// asked for is used up, and the boot after that is from the disk.
func reboots(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	dir, _ := rack.Inside()
	sector := make([]byte, 1<<20)
	copy(sector, resetLater())
	sector[510], sector[511] = 0x55, 0xaa
	disk := filepath.Join(dir, "resets")
	if err := os.WriteFile(disk, sector, 0o644); err != nil {
		return err
	}
	r, err := rack.Raise(ctx, rack.Config{Machines: []rack.Spec{{MemoryMB: 128, NoBMC: true, Disks: []rack.Disk{{Path: disk}}}}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	m := r.Machines[0]
	if err := m.PowerOn(ctx); err != nil {
		return err
	}
	const fromDisk, fromNet = "Booting from Hard Disk", "iPXE initialising devices"
	if err := seen(ctx, m.ConsoleLog(), fromDisk); err != nil {
		return err
	}
	if b, err := os.ReadFile(m.ConsoleLog()); err != nil || strings.Contains(string(b), fromNet) {
		return fmt.Errorf("network was tried before the disk (%w):\n%s", err, b)
	}
	if err := m.SetBoot(ctx, rack.BootPXE, false); err != nil {
		return err
	}
	if err := seen(ctx, m.ConsoleLog(), fromNet); err != nil {
		return err
	}
	if got := m.Boot(); got != rack.BootNone {
		return fmt.Errorf("asked for after its use: %s", got)
	}
	if err := os.Truncate(m.ConsoleLog(), 0); err != nil {
		return err
	}
	if err := m.PowerReset(ctx); err != nil {
		return err
	}
	return seen(ctx, m.ConsoleLog(), fromDisk)
}

// TestBootOnce: a boot device that was asked for counts for one boot.
func TestBootOnce(t *testing.T) {
	e2e(t)
	_, code, _ := world(t, "reboots")
	if got := <-code; got != 0 {
		t.Errorf("exit code %d; what went wrong is above", got)
	}
}
