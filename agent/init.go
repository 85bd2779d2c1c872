package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mounts are what PID 1 needs before anything else.
func mounts() []struct{ source, target, kind string } {
	return []struct{ source, target, kind string }{
		{"proc", "/proc", "proc"},
		{"sysfs", "/sys", "sysfs"},
		{"devtmpfs", "/dev", "devtmpfs"},
		{"tmpfs", "/run", "tmpfs"},
		{"tmpfs", "/tmp", "tmpfs"},
	}
}

// Init is PID 1 of the boot kit. It never returns: the kernel panics when its
// first process ends.
func Init(version string) {
	mountErr := mountAll()
	kept := &Console{Kernel: openKernelLog()}
	kept.pull()
	log := slog.New(&consoleHandler{out: io.MultiWriter(openConsole(), kept)})
	log.Info("agent starts", "version", version, "kernel", kernelRelease())
	if mountErr != nil {
		log.Error("mount what PID 1 needs", "err", mountErr)
	}
	key, err := NewKey() // for all its lives: the appliance pins it
	if err != nil {
		log.Error("no key", "err", err)
	}
	go reap()
	for {
		func() {
			defer func() {
				if r := recover(); r != nil {
					log.Error("agent starts again after a panic", "panic", r, "stack", string(debug.Stack()))
				}
			}()
			err := runInRAM(context.Background(), version, log, kept, key)
			log.Error("agent in RAM ended and starts again", "err", err)
		}()
		time.Sleep(5 * time.Second)
	}
}

func mountAll() error {
	var errs []error
	for _, m := range mounts() {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			errs = append(errs, err)
			continue
		}
		err := unix.Mount(m.source, m.target, m.kind, unix.MS_NOSUID, "")
		if err != nil && !errors.Is(err, unix.EBUSY) { // busy: the kernel mounted it
			errs = append(errs, fmt.Errorf("mount %s: %w", m.target, err))
		}
	}
	return errors.Join(errs...)
}

// reap collects the processes that ended and were left to PID 1. The agent in
// RAM starts none itself, so nothing else waits for one.
func reap() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	for range ended {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
		}
	}
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// kernelArgs reads the kernel's command line.
func kernelArgs() map[string]string {
	args := map[string]string{}
	b, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return args
	}
	for _, w := range strings.Fields(string(b)) {
		k, v, _ := strings.Cut(w, "=")
		args[k] = v
	}
	return args
}

// restart leaves the machine to its firmware; powerOff switches it off.
// Neither returns when it works.
func restart() error  { return leave(unix.LINUX_REBOOT_CMD_RESTART) }
func powerOff() error { return leave(unix.LINUX_REBOOT_CMD_POWER_OFF) }

func leave(cmd int) error {
	unix.Sync()
	if err := unix.Reboot(cmd); err != nil {
		return fmt.Errorf("reboot: %w", err)
	}
	return nil
}
