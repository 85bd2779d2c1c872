package rack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	initName   = "rack-init"   // argv[0] of a world's init
	insideEnv  = "RACK_INSIDE" // the run folder, set inside a world only
	chassisArg = "chassis"     // argv[1] of a BMC's chassis and LAN program

	// quitTime is what a world has to clean up before it is killed.
	quitTime = 30 * time.Second
)

// Main takes the process over, and does not return, when it was started as
// the init of a world or as a BMC's chassis program. A program that uses this
// package calls it before anything else, a test from TestMain.
func Main() {
	switch {
	case os.Args[0] == initName:
		os.Exit(worldInit(os.Args[1:]))
	case len(os.Args) > 2 && os.Args[1] == chassisArg:
		os.Exit(chassisMain(os.Args[2], os.Args[3:], os.Stdout, os.Stderr))
	}
}

// Inside returns the run folder of the world this process lives in, and false
// in the host's namespaces.
func Inside() (dir string, ok bool) {
	dir = os.Getenv(insideEnv)
	return dir, dir != ""
}

// Isolate runs the program at argv[0] with argv in a new world whose run
// folder is f, and returns its exit code once every process of the world has
// ended. The program inherits the standard streams, and files from descriptor
// 3 on. When ctx ends the world gets SIGTERM, and SIGKILL 30 seconds later.
//
// Isolate needs root. The caller's death, however it comes, ends the world.
func Isolate(ctx context.Context, f *Folder, argv []string, files ...*os.File) (code int, err error) {
	// The kernel sends the parent-death signal when the *thread* that forked
	// dies, so the thread must stay for as long as we wait.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	dir, err := filepath.Abs(f.Dir)
	if err != nil {
		return 0, fmt.Errorf("isolate rack: %w", err)
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, fmt.Errorf("isolate rack: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return 0, fmt.Errorf("isolate rack: %w", err)
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = append([]string{initName, path}, argv[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = files
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = quitTime
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) {
		return 0, fmt.Errorf("isolate rack: make namespaces: %w (it needs root)", err)
	} else if err != nil {
		return 0, fmt.Errorf("isolate rack: %w", err)
	}
	record := f.record(cmd.Process.Pid)
	err = cmd.Wait()
	if record != nil {
		return 0, fmt.Errorf("isolate rack: %w", record)
	}
	if cmd.ProcessState == nil {
		return 0, fmt.Errorf("isolate rack: %w", err)
	}
	return cmd.ProcessState.ExitCode(), nil
}

// worldInit is PID 1 of a world: it starts argv, hands it the signals it gets,
// reaps what is orphaned and returns argv's exit code. Its end ends the world.
func worldInit(argv []string) int {
	die := func(err error) int {
		fmt.Fprintln(os.Stderr, initName+":", err)
		return 1
	}
	if os.Getpid() != 1 || len(argv) == 0 {
		return die(errors.New("start world: not the first process of a PID namespace"))
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := mountWorld(); err != nil {
		return die(err)
	}
	files := []uintptr{0, 1, 2}
	for fd := uintptr(3); isPassed(fd); fd++ { // what Isolate passed on follows without a gap
		files = append(files, fd)
	}
	child, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Env: os.Environ(), Files: files})
	if err != nil {
		return die(fmt.Errorf("start %s: %w", argv[0], err))
	}
	go func() { // ends with the process
		for range signals {
			_ = syscall.Kill(child, syscall.SIGTERM)
		}
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return die(fmt.Errorf("wait: %w", err))
		case pid == child && status.Signaled():
			return 128 + int(status.Signal())
		case pid == child:
			return status.ExitStatus()
		}
	}
}

// isPassed tells a descriptor that came through exec from one that the Go
// runtime opened (epoll, eventfd), which is always close-on-exec.
func isPassed(fd uintptr) bool {
	flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// mountWorld makes /proc and /sys show the new namespaces, and no mount of
// ours visible outside them.
func mountWorld() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	return nil
}

// Environ is the environment without what a world adds to it, for the
// programs that a rack runs.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, insideEnv+"=") || strings.HasPrefix(s, consoleEnv+"=")
	})
}
