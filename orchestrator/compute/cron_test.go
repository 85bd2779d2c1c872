package compute_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// TestHostWithCron: where systemd starts nothing, cron starts the agent after a
// boot; what others have in the crontab stays.
func TestHostWithCron(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	table := filepath.Join(bin, "table")
	fake := "#!/bin/sh\ncase $1 in -l) cat '" + table + "';; -) cat >'" + table + ".new'; mv '" + table + ".new' '" + table + "';; esac\n"
	if err := errors.Join(os.WriteFile(filepath.Join(bin, "crontab"), []byte(fake), 0o755), os.WriteFile(table, []byte("5 4 * * * theirs\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		t.Skip("systemd runs here")
	}
	h := compute.Hosts{Local: dir, Server: "https://127.0.0.1:8443", Agent: func(pool.Arch) ([]byte, error) { return []byte(standIn), nil },
		Identity: func(_ context.Context, m pool.Machine, _ string) ([]byte, error) { return []byte(m.ID), nil }}
	m := machineOf("m-a", pool.DriverSSH, pool.Reserved, 1)
	m.Login = &pool.Login{}
	do := func(step string) {
		t.Helper()
		if _, err := h.Do(t.Context(), pool.Job{Step: step, Machine: m}); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	runs := func(n int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if got := processes(t, filepath.Join(dir, m.ID)+"/"); len(got) == n {
				return
			} else if time.Now().After(end) {
				t.Fatalf("processes %q, want %d", got, n)
			}
		}
	}
	do(compute.StepPush)
	do(compute.StepPush) // again: there is one line all the same
	runs(1)
	b, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) != 2 || lines[0] != "5 4 * * * theirs" || !strings.HasPrefix(lines[1], "@reboot ") {
		t.Fatalf("the crontab is %q", lines)
	}
	pid, err := os.ReadFile(filepath.Join(dir, m.ID, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err != nil || n < 2 {
		t.Fatalf("pid %q, %v", pid, err)
	}
	if err := syscall.Kill(-n, syscall.SIGKILL); err != nil { // as a restart of the host
		t.Fatal(err)
	}
	runs(0)
	line := exec.CommandContext(t.Context(), "/bin/sh", "-c", strings.TrimPrefix(lines[1], "@reboot "))
	line.Env = []string{"PATH=/usr/bin:/bin"} // cron's
	if err := line.Start(); err != nil {
		t.Fatal(err)
	}
	runs(1)
	do(compute.StepClean)
	runs(0)
	_ = line.Wait() // it was killed
	if b, err := os.ReadFile(table); err != nil || string(b) != "5 4 * * * theirs\n" {
		t.Errorf("what is left of the crontab: %q, %v", b, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}
