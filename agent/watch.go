package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// watched is an instance that the agent looks after, as it lies on disk.
type watched struct {
	Key      string            `json:"key"` // of the task that asked for it
	Epoch    int64             `json:"epoch"`
	BootID   string            `json:"bootId"`
	Instance pool.InstanceInfo `json:"instance"`
}

// maxPIDs is how many processes an instance is known by.
const maxPIDs = 10

// watchFile is a file about an instance that is watched: "json" the instance,
// "pids" what its locator said, "exit" how its start process ended.
func (h Home) watchFile(instance, kind string) string {
	return filepath.Join(h.state("watch"), filepath.Base(instance)+"."+kind)
}

// watch begins to look after the instance. It is what the task watch does.
func (l *lifecycle) watch(p pool.PrepareParams) error {
	b, err := json.Marshal(watched{Key: l.task.Key, Epoch: l.task.Epoch, BootID: bootID(), Instance: p.Instance})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	if err := os.MkdirAll(l.home.state("watch"), 0o700); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return writeSynced(l.home.watchFile(p.Instance.ID, "json"), b)
}

// unwatch ends it: what the appliance asks for now is its own business.
func (h Home) unwatch(instance string) error {
	if err := os.Remove(h.watchFile(instance, "json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("end watch: %w", err)
	}
	return nil
}

// moves says whether an event may change what the watch looks at.
func moves(event string) bool {
	return event != "locator" && event != "verify" && !strings.HasPrefix(event, commandPrefix)
}

// commandPrefix is put before a custom command that runs as an event.
const commandPrefix = "command:"

// process is one that a locator found. Its start time, in ticks, tells it from
// a later one of the same number.
type process struct {
	PID   int    `json:"pid"`
	Since uint64 `json:"since"`
}

// lives says whether it lives still.
func (p process) lives() bool {
	_, since, ok := statOf(p.PID)
	return ok && since == p.Since && alive(p.PID)
}

// located reads which processes the instance's locator found.
func (h Home) located(instance string) (pids []process) {
	if b, err := os.ReadFile(h.watchFile(instance, "pids")); err == nil {
		_ = json.Unmarshal(b, &pids) // else there are none
	}
	return pids
}

// keepPIDs records which processes the locator found.
func (l *lifecycle) keepPIDs(in pool.InstanceInfo, value any) error {
	if err := os.MkdirAll(l.home.state("watch"), 0o700); err != nil {
		return fmt.Errorf("keep PIDs: %w", err)
	}
	list, _ := value.([]any)
	pids := []process{}
	for _, v := range list {
		n, err := strconv.Atoi(fmt.Sprint(v))
		if err != nil || n < 2 {
			_, _ = fmt.Fprintf(l.out, "warning: locator: %v is no PID\n", v)
			continue
		}
		_, since, _ := statOf(n) // 0: it has ended already
		pids = append(pids, process{n, since})
	}
	if len(pids) > maxPIDs {
		_, _ = fmt.Fprintf(l.out, "warning: locator found %d processes; the first %d are watched\n", len(pids), maxPIDs)
		pids = pids[:maxPIDs]
	}
	b, err := json.Marshal(pids)
	if err != nil {
		return fmt.Errorf("keep PIDs: %w", err)
	}
	return writeSynced(l.home.watchFile(in.ID, "pids"), b)
}

// startEnded reads how the instance's start process ended; false while it
// lives, or when nobody knows.
func (h Home) startEnded(instance string) (code int, ended bool) {
	b, err := os.ReadFile(h.watchFile(instance, "exit"))
	if err != nil {
		return 0, false
	}
	code, err = strconv.Atoi(strings.TrimSpace(string(b)))
	return code, err == nil
}

// watcher looks after instances: what it finds stopped it tells the appliance,
// and starts alone when the appliance is not reached.
type watcher struct {
	tasks  *installed
	client *Client
	log    *slog.Logger
	first  time.Duration // until the first look; 2 s when zero
	every  time.Duration // between looks; 5 s when zero
	alone  time.Duration // how long the appliance is asked before the agent acts alone; 10 s when zero
	settle time.Duration // between the end of a process and its next start; 2 s when zero

	wg   sync.WaitGroup
	mu   sync.Mutex
	busy map[string]bool
}

func orElse(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// run looks after all that is to be watched until ctx ends.
func (w *watcher) run(ctx context.Context) {
	w.busy = map[string]bool{}
	defer w.wg.Wait()
	for ctx.Err() == nil {
		files, _ := filepath.Glob(w.tasks.home.watchFile("*", "json"))
		for _, f := range files {
			w.begin(ctx, f)
		}
		pause(ctx, min(time.Second, orElse(w.every, time.Second)))
	}
}

// begin starts one watch, once.
func (w *watcher) begin(ctx context.Context, file string) {
	wd, err := readWatch(file)
	if err != nil || wd.BootID != w.tasks.journal.BootID {
		_ = os.Remove(file) // of an earlier boot: nothing of it runs, the appliance starts it
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[wd.Key] {
		return
	}
	w.busy[wd.Key] = true
	w.wg.Go(func() {
		w.one(ctx, file, wd)
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.busy, wd.Key)
	})
}

func readWatch(file string) (wd watched, err error) {
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &wd)
	}
	return wd, err
}

// still says whether the same watch is wanted.
func still(file, key string) bool {
	wd, err := readWatch(file)
	return err == nil && wd.Key == key
}

// one watches an instance until that is not wanted any more.
func (w *watcher) one(ctx context.Context, file string, wd watched) {
	log := w.log.With("instance", wd.Instance.ID)
	l := &lifecycle{home: w.tasks.home, client: w.client, out: io.Discard}
	run, err := l.runner(wd.Instance)
	if err != nil {
		log.Warn("recipe not loaded; its processes are watched all the same", "err", err)
	}
	pause(ctx, orElse(w.first, 2*time.Second))
	var unreached time.Time // since when the appliance does not take it
	var told *pool.WatchReport
	for ctx.Err() == nil && still(file, wd.Key) {
		if told != nil && w.say(ctx, *told) == nil {
			told = nil
		}
		why, evidence := w.stopped(ctx, run, wd)
		if why == "" || ctx.Err() != nil || !still(file, wd.Key) {
			unreached = time.Time{}
			pause(ctx, orElse(w.every, 5*time.Second))
			continue
		}
		log.Warn("service has stopped", "why", why)
		err := w.say(ctx, pool.WatchReport{Watch: wd.Key, BootID: wd.BootID, State: pool.WatchStopped, Why: why, Evidence: evidence, At: time.Now().UTC()})
		switch {
		case err == nil, errors.Is(err, errGone), errors.Is(err, pool.ErrNotFound):
			if still(file, wd.Key) {
				_ = os.Remove(file) // the appliance takes it from here
			}
			return
		case errors.Is(err, pool.ErrConflict): // maintenance: it is told again
			unreached = time.Time{}
		case unreached.IsZero():
			unreached = time.Now()
		}
		if unreached.IsZero() || time.Since(unreached) < orElse(w.alone, 10*time.Second) {
			pause(ctx, min(time.Second, orElse(w.every, time.Second)))
			continue
		}
		if told = w.relaunch(ctx, file, wd, why); told == nil {
			pause(ctx, 2*orElse(w.alone, 10*time.Second))
		}
		unreached = time.Now()
		pause(ctx, orElse(w.first, 2*time.Second))
	}
}

func (w *watcher) say(ctx context.Context, r pool.WatchReport) error {
	_, err := w.client.Do(ctx, "POST", wire.PathWatch, r, nil)
	return err
}

// stopped asks the detectors; any of them is enough.
func (w *watcher) stopped(ctx context.Context, run *recipes.Runner, wd watched) (why, evidence string) {
	h := w.tasks.home
	if code, ended := h.startEnded(wd.Instance.ID); ended && code != 0 {
		return fmt.Sprintf("its start process ended with code %d", code), h.startSaid(wd.Instance)
	}
	pids := h.located(wd.Instance.ID)
	each := run != nil && run.Recipe.CustomProperties["org.cloudifysource.stop-detection-on-all-processes"] == "false"
	var dead []int
	for _, p := range pids {
		if !p.lives() {
			dead = append(dead, p.PID)
		}
	}
	if len(pids) > 0 && (len(dead) == len(pids) || each && len(dead) > 0) {
		return "its processes are dead", joined(fmt.Sprintf("PIDs %v", dead), h.startSaid(wd.Instance))
	}
	if run == nil {
		return "", ""
	}
	if _, has := run.Recipe.Lifecycle["stopDetection"]; !has {
		return "", ""
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for n := range 2 { // an answer of a moment in which the machine was busy starts nothing anew
		if n > 0 {
			pause(ctx, min(time.Second, orElse(w.every, time.Second)))
		}
		res, err := run.Run(ctx, "stopDetection", nil, io.Discard)
		if err != nil {
			w.log.Warn("stop detection says nothing", "instance", wd.Instance.ID, "err", err)
		}
		if err != nil || !res.OK {
			return "", ""
		}
	}
	return "its stop detection says so", ""
}

// alive says whether a process lives; a zombie does not.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// relaunch starts the service again while the appliance is away: postStop, a
// pause, preStart, start, startDetection, locator, postStart. It answers what
// is to be told later; nil when it did not come up.
func (w *watcher) relaunch(ctx context.Context, file string, wd watched, why string) *pool.WatchReport {
	if !w.tasks.home.Confirmed() {
		w.log.Warn("not started again: the appliance has not confirmed this boot", "instance", wd.Instance.ID)
		return nil
	}
	w.log.Warn("the appliance is not reached: starting the service again", "instance", wd.Instance.ID)
	for _, event := range []string{"postStop", "preStart", "start", "startDetection", "locator", "postStart"} {
		if !still(file, wd.Key) {
			return nil
		}
		if event == "preStart" {
			pause(ctx, orElse(w.settle, 2*time.Second))
		}
		if err := w.tasks.alone(ctx, wd, event); err != nil && event != "postStop" {
			w.log.Warn("not started again", "instance", wd.Instance.ID, "event", event, "err", err)
			return nil
		}
	}
	return &pool.WatchReport{Watch: wd.Key, BootID: wd.BootID, State: pool.WatchRestarted, Why: why, At: time.Now().UTC()}
}

// aloneKey begins the keys of what the agent does of itself.
const aloneKey = "alone/"

// alone performs one event of the recipe without being asked, as it would a
// task: in a process of its own, recorded in the journal.
func (t *installed) alone(ctx context.Context, wd watched, event string) error {
	params, err := json.Marshal(pool.EventParams{Instance: wd.Instance, Event: event, Interval: 5 * time.Second})
	if err != nil {
		return err
	}
	as := wire.Assignment{Key: fmt.Sprintf("%s%s/%s/%d", aloneKey, wd.Instance.ID, event, time.Now().UnixNano()),
		Epoch: wd.Epoch, Name: event, Kind: pool.TaskEvent, Timeout: 10 * time.Minute, Params: params}
	if event == "startDetection" {
		as.Kind, as.Timeout = pool.TaskDetect, 90*time.Second
	}
	if err := t.journal.Accept(as); err != nil {
		return err
	}
	defer func() { _ = t.journal.Acknowledge(as.Key) }() // nobody else asks for it
	ended, err := t.start(as.Key)
	if err != nil {
		return err
	}
	select {
	case <-ended: //nolint:errcheck // the journal says how it ended
	case <-ctx.Done(): // it goes on
		return ctx.Err()
	}
	out, known, err := t.journal.Outcome(as.Key)
	switch {
	case err != nil:
		return err
	case !known:
		return errInterrupted
	case out.Cause != nil:
		return out.Cause
	}
	return nil
}
