package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"appliance/pool"
)

// begun tells what an instance's start event left running, as it lies on disk.
type begun struct {
	PID      int               `json:"pid"`   // of the start process, leader of its session
	Since    uint64            `json:"since"` // its start time in ticks: tells it from a later process of that number
	BootID   string            `json:"bootId"`
	Cgroup   string            `json:"cgroup,omitempty"` // the scope it is in
	LogAt    int64             `json:"logAt,omitempty"`  // where its output begins in the service's log
	Epoch    int64             `json:"epoch"`
	Instance pool.InstanceInfo `json:"instance"`
}

// keepStart records the start process. What a locator found earlier is
// forgotten: by now others may have these numbers.
func (h Home) keepStart(b begun) error {
	if err := os.Remove(h.watchFile(b.Instance.ID, "pids")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep start: %w", err)
	}
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("keep start: %w", err)
	}
	return writeSynced(h.watchFile(b.Instance.ID, "start"), text)
}

// begunOf reads what the instance's start event left.
func (h Home) begunOf(instance string) (b begun, err error) {
	text, err := os.ReadFile(h.watchFile(instance, "start"))
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	return b, err
}

// started lists what start events of this boot left behind, and what is
// watched since, or was when it was to be stopped: a start closure leaves no
// process of its own.
func (h Home) started(boot string) []begun {
	var out []begun
	known := func(instance string) bool {
		return slices.ContainsFunc(out, func(b begun) bool { return b.Instance.ID == instance })
	}
	for _, kind := range []string{"start", "down"} {
		files, _ := filepath.Glob(h.watchFile("*", kind)) // the pattern is good
		for _, f := range files {
			var b begun
			if text, err := os.ReadFile(f); err == nil && json.Unmarshal(text, &b) == nil && b.BootID == boot && !known(b.Instance.ID) {
				out = append(out, b)
			}
		}
	}
	files, _ := filepath.Glob(h.watchFile("*", "json"))
	for _, f := range files {
		wd, err := readWatch(f)
		if err == nil && wd.BootID == boot && !known(wd.Instance.ID) {
			out = append(out, begun{BootID: boot, Epoch: wd.Epoch, Instance: wd.Instance})
		}
	}
	return out
}

// keepDown marks what is to be stopped and was started by a closure: nothing
// else tells of it once its watch has ended.
func (h Home) keepDown(b begun) error {
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("keep what is to be stopped: %w", err)
	}
	return writeSynced(h.watchFile(b.Instance.ID, "down"), text)
}

const (
	stopRounds = 3 // as the original: SIGTERM, asked five times whether it worked
	stopLooks  = 5
	stopPause  = 200 * time.Millisecond
	killTime   = 5 * time.Second
)

// stopProcesses ends what the instance's start event and its locator name:
// SIGTERM, then SIGKILL. It is what stops a service whose recipe has no stop.
func (h Home) stopProcesses(ctx context.Context, instance, boot string, out io.Writer) error {
	left := h.processes(instance, boot)
	if len(left) == 0 {
		return nil
	}
	_, _ = fmt.Fprintf(out, "no stop event: ending processes %v\n", left)
	for range stopRounds {
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGTERM) // it may have ended
		}
		for range stopLooks {
			pause(ctx, stopPause)
			if left = h.processes(instance, boot); len(left) == 0 {
				return nil
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	_, _ = fmt.Fprintf(out, "processes %v did not heed SIGTERM: they are killed\n", left)
	for end := time.Now().Add(killTime); len(left) > 0 && time.Now().Before(end); left = h.processes(instance, boot) {
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(stopPause / 4) // also when ctx has ended: it is the last thing done
	}
	if len(left) > 0 {
		return newCause("stop.alive", fmt.Sprintf("Processes %v live on after SIGKILL.", left), "they wait for a disk or a network file system",
			"Look at the machine; start it anew if they do not go.")
	}
	return nil
}

// processes lists what lives of an instance: the session of its start process,
// what is in its scope, what its locator found. Only of this boot: numbers of
// processes are given again.
func (h Home) processes(instance, boot string) []int {
	b, err := h.begunOf(instance)
	if err != nil || b.BootID != boot {
		return nil
	}
	pids := append(sessionOf(b), scopeOf(b.Cgroup)...)
	for _, p := range h.located(instance) {
		if p.lives() {
			pids = append(pids, p.PID)
		}
	}
	own := os.Getpid()
	pids = slices.DeleteFunc(pids, func(pid int) bool { return pid < 2 || pid == own || !alive(pid) })
	slices.Sort(pids)
	return slices.Compact(pids)
}

// sessionOf lists the processes of the start process's session. A session's
// number is not given again while one of them lives. Number 0 is no start
// process's: in a PID namespace it stands for every session from outside.
func sessionOf(b begun) []int {
	if b.PID < 2 {
		return nil
	}
	if _, since, ok := statOf(b.PID); ok && since != b.Since {
		return nil // another process has its number: the session is gone
	}
	var out []int
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is good
	for _, d := range dirs {
		pid, err := strconv.Atoi(filepath.Base(d))
		if err != nil {
			continue
		}
		if session, _, ok := statOf(pid); ok && session == b.PID {
			out = append(out, pid)
		}
	}
	return out
}

// statOf reads session and start time of a process (proc(5)).
func statOf(pid int) (session int, since uint64, ok bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, 0, false
	}
	i := strings.LastIndexByte(string(b), ')')
	f := strings.Fields(string(b[i+1:])) // f[0] is field 3
	if i < 0 || len(f) < 20 {
		return 0, 0, false
	}
	session, err1 := strconv.Atoi(f[3])
	since, err2 := strconv.ParseUint(f[19], 10, 64)
	return session, since, err1 == nil && err2 == nil
}

// scopeOf lists the processes of a scope that a start event ran in.
func scopeOf(cgroup string) []int {
	if cgroup == "" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", cgroup, "cgroup.procs"))
	if err != nil {
		return nil // it is gone, with all that was in it
	}
	var out []int
	for f := range strings.FieldsSeq(string(b)) {
		if pid, err := strconv.Atoi(f); err == nil {
			out = append(out, pid)
		}
	}
	return out
}

// cgroupOf is the control group of a process of ours, empty where there is no
// scope of its own.
func cgroupOf(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		p, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		base := filepath.Base(p)
		if ok && strings.HasPrefix(base, "appliance-") && strings.HasSuffix(base, ".scope") && fs.ValidPath(strings.TrimPrefix(p, "/")) {
			return p
		}
	}
	return ""
}

// standDown stops what an earlier owner's recipes run here: the appliance says
// that the machine has another epoch now, so another machine may have its work.
func (w *watcher) standDown(ctx context.Context) {
	h, boot := w.tasks.home, w.tasks.journal.BootID
	open, err := w.tasks.journal.Open()
	if err != nil {
		w.log.Warn("journal not read", "err", err)
	}
	for _, as := range open {
		w.tasks.kill(as.Key) // what is being started must not come up
	}
	for _, b := range h.started(boot) {
		w.log.Warn("this system is fenced: stopping what it runs", "instance", b.Instance.ID)
		if b.PID == 0 {
			if err := h.keepDown(b); err != nil {
				w.log.Warn("not marked", "instance", b.Instance.ID, "err", err)
			}
		}
		if err := h.unwatch(b.Instance.ID); err != nil {
			w.log.Warn("watch not ended", "instance", b.Instance.ID, "err", err)
		}
		if !w.stopAll(ctx, b) {
			continue // it is tried again at the next hello
		}
		for _, kind := range []string{"start", "down"} {
			if err := os.Remove(h.watchFile(b.Instance.ID, kind)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				w.log.Warn("start not forgotten", "instance", b.Instance.ID, "err", err)
			}
		}
	}
}

// stopAll stops what an instance's start left running, and says whether it is
// known to have stopped: by its processes, or, where a closure started it, by
// its stop event.
func (w *watcher) stopAll(ctx context.Context, b begun) bool {
	h, boot := w.tasks.home, w.tasks.journal.BootID
	wd := watched{Epoch: b.Epoch, BootID: boot, Instance: b.Instance}
	stopped := true
	for _, event := range []string{"preStop", "stop", "postStop"} {
		if err := w.tasks.alone(ctx, wd, event); err != nil {
			w.log.Warn("event failed", "instance", b.Instance.ID, "event", event, "err", err)
			stopped = stopped && (event != "stop" || b.PID != 0)
		}
	}
	if err := h.stopProcesses(ctx, b.Instance.ID, boot, io.Discard); err != nil {
		w.log.Warn("not stopped", "instance", b.Instance.ID, "err", err)
		stopped = false
	}
	return stopped
}
