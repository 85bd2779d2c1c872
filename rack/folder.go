package rack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const lockName = "lock"

// A Folder is the run folder of one world, held by a lock that the kernel
// drops when its holder dies.
type Folder struct {
	Dir  string
	lock *os.File
}

// ErrRunning is returned by OpenFolder for a folder whose world lives.
var ErrRunning = errors.New("a rack is running here")

// OpenFolder takes the folder at dir, which it makes where there is none. What
// an earlier run left is ended (its init, by pid and start time) and removed.
// It returns ErrRunning while another process holds the folder. A folder that
// has files but no lock is not ours and is refused.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open run folder: %w", err)
	}
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
			return nil, fmt.Errorf("open run folder %s: it has files of someone else (%d entries)", dir, len(names))
		}
	}
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open run folder: %w", err)
	}
	f := &Folder{Dir: dir, lock: lock}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("open run folder %s: %w", dir, ErrRunning)
		}
		return nil, fmt.Errorf("lock run folder %s: %w", dir, err)
	}
	if err := f.reap(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return f, nil
}

// Close gives the folder back. With keep its files stay until the next run;
// else it is removed.
func (f *Folder) Close(keep bool) error {
	var err error
	if !keep {
		err = os.RemoveAll(f.Dir)
	}
	return errors.Join(err, f.lock.Close())
}

// record writes down the init of the world, so that Exec finds it and a later
// run can end it.
func (f *Folder) record(pid int) error {
	start, err := startTime(pid)
	if err != nil {
		return fmt.Errorf("record init: %w", err)
	}
	if err := f.lock.Truncate(0); err != nil {
		return fmt.Errorf("record init: %w", err)
	}
	if _, err := f.lock.WriteAt(fmt.Appendf(nil, "%d %d\n", pid, start), 0); err != nil {
		return fmt.Errorf("record init: %w", err)
	}
	return nil
}

// reap ends the world that an earlier run recorded, should it still be dying,
// and removes its files.
func (f *Folder) reap() error {
	pid, start, err := readInit(f.Dir)
	if err == nil && isProcess(pid, start) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("reap rack of an earlier run: kill %d: %w", pid, err)
		}
		for deadline := time.Now().Add(10 * time.Second); isProcess(pid, start); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				return fmt.Errorf("reap rack of an earlier run: process %d does not end", pid)
			}
		}
	}
	names, err := os.ReadDir(f.Dir)
	if err != nil {
		return fmt.Errorf("reap run folder: %w", err)
	}
	for _, n := range names {
		if n.Name() == lockName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(f.Dir, n.Name())); err != nil {
			return fmt.Errorf("reap run folder: %w", err)
		}
	}
	return nil
}

// WorldInit returns the pid, as seen from the host, of the init of the world
// that runs in dir.
func WorldInit(dir string) (pid int, err error) {
	pid, start, err := readInit(dir)
	if err != nil {
		return 0, err
	}
	if !isProcess(pid, start) {
		return 0, fmt.Errorf("find rack in %s: it has ended", dir)
	}
	return pid, nil
}

func readInit(dir string) (pid int, start uint64, err error) {
	b, err := os.ReadFile(filepath.Join(dir, lockName))
	if err != nil {
		return 0, 0, fmt.Errorf("find rack: %w", err)
	}
	line, _, _ := bufio.NewReader(bytes.NewReader(b)).ReadLine()
	if _, err := fmt.Sscanf(string(line), "%d %d", &pid, &start); err != nil || pid <= 1 {
		return 0, 0, fmt.Errorf("find rack in %s: no world is recorded", dir)
	}
	return pid, start, nil
}

// isProcess says whether pid is still the process that began at start. A
// zombie has ended.
func isProcess(pid int, start uint64) bool {
	got, err := startTime(pid)
	return err == nil && got == start
}

// startTime returns field 22 of /proc/PID/stat (proc_pid_stat(5)).
func startTime(pid int) (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the command in parentheses and may hold anything.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}
