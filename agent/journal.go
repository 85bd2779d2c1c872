package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"appliance/api/wire"
	"appliance/pool"
)

// Files is the journal of the installed agent: a folder for each key with one
// file for each thing that happened, written once, whole, and synced before
// anything that follows from it:
//
//	accepted.json  the assignment, before anything is started
//	started.json   process and boot id, by the process that performs it
//	exited.json    the outcome, by the same process
//	acknowledged   the appliance has taken the outcome
//	output         what the task printed
//	sent           how many of its lines the appliance has
//	lock           held by the process that performs it, as long as it lives
type Files struct {
	Dir    string
	BootID string
}

// started tells who performs a task.
type started struct {
	PID    int       `json:"pid"`
	BootID string    `json:"bootId"`
	At     time.Time `json:"at"`
}

const (
	fileAccepted     = "accepted.json"
	fileStarted      = "started.json"
	fileExited       = "exited.json"
	fileAcknowledged = "acknowledged"
	fileOutput       = "output"
	fileSent         = "sent"
	fileLock         = "lock"
)

const (
	keptTasks  = 500      // acknowledged tasks that the journal remembers
	keptOutput = 64 << 20 // of what they printed; of the older ones only the outcome is kept
)

// name is the folder of a key: keys hold slashes.
func (j *Files) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:10])
}

func (j *Files) path(key, file string) string { return filepath.Join(j.Dir, j.name(key), file) }

// Accept records that as is going to be performed. It is idempotent.
func (j *Files) Accept(as wire.Assignment) error {
	if err := os.MkdirAll(filepath.Join(j.Dir, j.name(as.Key)), 0o700); err != nil {
		return fmt.Errorf("record task: %w", err)
	}
	return j.write(as.Key, fileAccepted, as)
}

// Accepted is when key was; zero when it was not.
func (j *Files) Accepted(key string) time.Time {
	st, err := os.Stat(j.path(key, fileAccepted))
	if err != nil {
		return time.Time{}
	}
	return st.ModTime()
}

// Assignment returns what was accepted under key. Errors wrap pool.ErrNotFound.
func (j *Files) Assignment(key string) (wire.Assignment, error) {
	var as wire.Assignment
	ok, err := j.read(j.path(key, fileAccepted), &as)
	if err == nil && !ok {
		err = fmt.Errorf("%w: no task %q was accepted", pool.ErrNotFound, key)
	}
	return as, err
}

// Begin marks the task as started by this process, which holds the returned
// lock until it ends. A task begins once: pool.ErrConflict says that it did.
func (j *Files) Begin(key string) (lock *os.File, err error) {
	lock, err = os.OpenFile(j.path(key, fileLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock task: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: task %s is being performed", pool.ErrConflict, key), lock.Close())
	}
	var s started
	if ok, err := j.read(j.path(key, fileStarted), &s); ok || err != nil {
		return nil, errors.Join(fmt.Errorf("%w: task %s was started before", pool.ErrConflict, key), err, lock.Close())
	}
	if err := j.write(key, fileStarted, started{os.Getpid(), j.BootID, time.Now().UTC()}); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// Fate says what became of a task that was accepted.
type Fate string

// Fates. A task that started and neither lives nor left an outcome was
// interrupted: nobody knows how far it came.
const (
	FateWaiting     Fate = "waiting"
	FateRunning     Fate = "running"
	FateExited      Fate = "exited"
	FateInterrupted Fate = "interrupted"
)

// Fate looks at what is recorded under key and whether its process lives.
func (j *Files) Fate(key string) (Fate, started, error) {
	var s started
	began, err := j.read(j.path(key, fileStarted), &s)
	if err != nil {
		return "", s, err
	}
	alive := began && s.BootID == j.BootID && j.alive(key)
	// Asked after the lock: the outcome is written before the lock is given back.
	if _, known, err := j.Outcome(key); known || err != nil {
		return FateExited, s, err
	}
	switch {
	case !began:
		return FateWaiting, s, nil
	case alive:
		return FateRunning, s, nil
	}
	return FateInterrupted, s, nil
}

func (j *Files) alive(key string) bool {
	f, err := os.Open(j.path(key, fileLock))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil
}

// Outcome implements Journal.
func (j *Files) Outcome(key string) (wire.Outcome, bool, error) {
	var out wire.Outcome
	ok, err := j.read(j.path(key, fileExited), &out)
	return out, ok, err
}

// Record implements Journal. The first outcome stands.
func (j *Files) Record(out wire.Outcome) error {
	if _, known, err := j.Outcome(out.Key); known || err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(j.Dir, j.name(out.Key)), 0o700); err != nil {
		return fmt.Errorf("record outcome: %w", err)
	}
	return j.write(out.Key, fileExited, out)
}

// Acknowledge implements Journal, and forgets the oldest tasks.
func (j *Files) Acknowledge(key string) error {
	if err := j.write(key, fileAcknowledged, time.Now().UTC()); err != nil {
		return err
	}
	return j.prune()
}

// Open implements Journal: tasks that were accepted in this life or another
// and are not acknowledged, oldest first.
func (j *Files) Open() ([]wire.Assignment, error) {
	dirs, err := os.ReadDir(j.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	type dated struct {
		as wire.Assignment
		at time.Time
	}
	var open []dated
	for _, d := range dirs {
		p := filepath.Join(j.Dir, d.Name())
		if _, err := os.Stat(filepath.Join(p, fileAcknowledged)); err == nil {
			continue
		}
		st, err := os.Stat(filepath.Join(p, fileAccepted))
		if err != nil {
			continue // a folder that was made, and then the machine died
		}
		var as wire.Assignment
		if _, err := j.read(filepath.Join(p, fileAccepted), &as); err != nil {
			return nil, err
		}
		open = append(open, dated{as, st.ModTime()})
	}
	slices.SortFunc(open, func(a, b dated) int { return a.at.Compare(b.at) })
	var out []wire.Assignment
	for _, o := range open {
		out = append(out, o.as)
	}
	return out, nil
}

// prune forgets the oldest tasks that are acknowledged, and what older ones
// printed: the appliance has it.
func (j *Files) prune() error {
	done, err := filepath.Glob(filepath.Join(j.Dir, "*", fileAcknowledged))
	if err != nil {
		return err
	}
	at := func(p string) time.Time {
		st, err := os.Stat(p)
		if err != nil {
			return time.Time{}
		}
		return st.ModTime()
	}
	slices.SortFunc(done, func(a, b string) int { return at(b).Compare(at(a)) })
	var printed int64
	for i, p := range done {
		dir := filepath.Dir(p)
		if i >= keptTasks {
			if err := os.RemoveAll(dir); err != nil {
				return fmt.Errorf("forget old task: %w", err)
			}
			continue
		}
		st, err := os.Stat(filepath.Join(dir, fileOutput))
		if err != nil {
			continue // it printed nothing, or that is forgotten
		}
		if printed += st.Size(); printed > keptOutput {
			if err := os.Remove(filepath.Join(dir, fileOutput)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("forget old output: %w", err)
			}
		}
	}
	return nil
}

func (j *Files) read(path string, into any) (bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		return false, fmt.Errorf("read journal %s: %w", path, err)
	}
	return true, nil
}

func (j *Files) write(key, file string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return writeSynced(j.path(key, file), b)
}

// writeSynced puts a whole file in place: after a power cut there is the old
// one or the new one.
func writeSynced(path string, b []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
