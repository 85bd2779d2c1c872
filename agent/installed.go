package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// Home says where the installed agent keeps its things; the zero value is
// where the agent in RAM put them.
type Home struct {
	Config string // identity.json and key.pem; /etc/appliance
	State  string // journal and recipes; /var/lib/appliance
	Binary string // what performs a task; the running file
	Boot   string // what ends with this boot; /run/appliance
}

func (h Home) config(name string) string {
	if h.Config == "" {
		h.Config = "/etc/appliance"
	}
	return filepath.Join(h.Config, name)
}

func (h Home) state(name string) string {
	if h.State == "" {
		h.State = "/var/lib/appliance"
	}
	return filepath.Join(h.State, name)
}

// open reads identity and key and returns a client that uses them.
func (h Home) open() (wire.Identity, Key, *Client, error) {
	var id wire.Identity
	b, err := os.ReadFile(h.config("identity.json"))
	if err != nil {
		return id, Key{}, nil, fmt.Errorf("read identity: %w: was this system installed by an appliance?", err)
	}
	if err := json.Unmarshal(b, &id); err != nil {
		return id, Key{}, nil, fmt.Errorf("%w: read identity: %v", pool.ErrInvalid, err)
	}
	if b, err = os.ReadFile(h.config("key.pem")); err != nil {
		return id, Key{}, nil, fmt.Errorf("read key: %w", err)
	}
	key, err := ParseKey(b)
	if err != nil {
		return id, key, nil, err
	}
	cert, err := key.Certificate(id.Certificate)
	if err != nil {
		return id, key, nil, err
	}
	c, err := NewClient(id.Server, id.CA)
	if err != nil {
		return id, key, nil, err
	}
	c.Use(cert)
	return id, key, c, nil
}

// Run is the service of the installed system. It returns when ctx ends; what
// it started for recipes goes on.
func (h Home) Run(ctx context.Context, version string, log *slog.Logger) error {
	id, key, client, err := h.open()
	if err != nil {
		return err
	}
	journal := &Files{Dir: h.state("journal"), BootID: bootID()}
	if err := os.MkdirAll(journal.Dir, 0o700); err != nil {
		return fmt.Errorf("make journal: %w", err)
	}
	a := &Agent{Mode: pool.Installed, Version: version, BootID: journal.BootID, Machine: id.Machine, Epoch: id.Epoch,
		Key: key, Client: client, Journal: journal, Log: log, Leave: leaveInstalled,
		Tasks: &installed{home: h, client: client, journal: journal, log: silent(log),
			looks: &lookouts{home: h, client: client}}}
	watch := &watcher{tasks: a.Tasks.(*installed), client: client, log: silent(log)}
	a.Unconfirmed = h.unconfirmed
	a.Welcomed = func(w wire.Welcome) error {
		if err := h.heed(w, id.Epoch); err != nil {
			return err
		}
		if w.State == wire.StateFenced && w.Epoch > id.Epoch {
			watch.standDown(ctx)
		}
		if w.Certificate == "" && (w.State != wire.StateWork || w.Epoch <= id.Epoch) {
			return nil
		}
		if w.Certificate != "" {
			id.Certificate = w.Certificate
		}
		if w.State == wire.StateWork && w.Epoch > id.Epoch {
			id.Epoch, a.Epoch = w.Epoch, w.Epoch // from now on the older one is refused
		}
		b, err := json.MarshalIndent(id, "", "  ")
		if err != nil {
			return fmt.Errorf("write identity: %w", err)
		}
		return writeSynced(h.config("identity.json"), append(b, '\n'))
	}
	if cert, err := key.Certificate(id.Certificate); err == nil {
		a.renew = renewAt(cert)
	}
	silent(log).Info("agent starts", "version", version, "machine", id.Machine, "epoch", id.Epoch)
	var wg sync.WaitGroup
	wg.Go(func() { watch.run(ctx) })
	defer wg.Wait()
	return a.Run(ctx)
}

// heed lets this boot start what recipes put here, or nothing any more, as
// the appliance says.
func (h Home) heed(w wire.Welcome, epoch int64) error {
	switch {
	case w.State == wire.StateWork && w.Epoch >= epoch:
		return errors.Join(h.told(), h.confirm("appliance", w.Epoch))
	case w.State == wire.StateFenced:
		return h.revoke()
	}
	return nil
}

func leaveInstalled(ctx context.Context, kind pool.TaskKind) error {
	verb := "reboot"
	if kind == pool.TaskPowerOff {
		verb = "poweroff"
	}
	if out, err := exec.CommandContext(ctx, "systemctl", verb).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", verb, err, oneLine(string(out)))
	}
	<-ctx.Done() // the system is going down
	return nil
}

// installed performs the tasks of an installed agent, each in a process of
// its own that outlives the agent.
type installed struct {
	home    Home
	client  *Client
	journal *Files
	log     *slog.Logger
	looks   *lookouts
}

// Look implements looker.
func (t *installed) Look(ctx context.Context, p pool.EventParams) pool.Readings {
	return t.looks.Look(ctx, p)
}

// Perform implements Performer. It finds a task that an earlier agent started.
func (t *installed) Perform(ctx context.Context, as wire.Assignment, progress func(pool.Progress)) (any, error) {
	if as.Kind == pool.TaskFacts {
		in := &Inspector{BMC: inspectBMC, Look: lookAtDisk, Log: t.log}
		return in.Facts(ctx), nil
	}
	if err := t.journal.Accept(as); err != nil {
		return nil, err
	}
	fate, who, err := t.journal.Fate(as.Key)
	if err != nil {
		return nil, err
	}
	tail := &tail{client: t.client, journal: t.journal, as: as}
	var ended <-chan error
	switch fate {
	case FateWaiting:
		if ended, err = t.start(as.Key); err != nil {
			return nil, err
		}
	case FateRunning:
		t.log.Info("task goes on", "key", as.Key, "pid", who.PID)
		ended = nil
	case FateInterrupted:
		return nil, errInterrupted
	case FateExited:
	}
	if err := t.await(ctx, as, ended, tail, progress); err != nil {
		return nil, err
	}
	out, known, err := t.journal.Outcome(as.Key)
	if err == nil && !known {
		err = errInterrupted
	}
	return recorded{out}, err
}

// HandOn implements leftover. The outcome carries the last lines, too, so an
// appliance that does not take them is not waited for.
func (t *installed) HandOn(ctx context.Context, as wire.Assignment) {
	tail := &tail{client: t.client, journal: t.journal, as: as}
	defer tail.close()
	if err := tail.flush(ctx); err != nil {
		t.log.Warn("output not handed on", "key", as.Key, "err", err)
	}
}

// start runs "appliance-agent exec KEY" in a scope of its own, or, without
// systemd, in a session of its own.
func (t *installed) start(key string) (<-chan error, error) {
	binary := t.home.Binary
	if binary == "" {
		own, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("start task: %w", err)
		}
		binary = own
	}
	argv := []string{binary, "exec", key}
	if run, err := exec.LookPath("systemd-run"); err == nil {
		if _, err := os.Stat("/run/systemd/system"); err == nil {
			argv = append([]string{run, "--scope", "--quiet", "--collect", "--unit=" + t.scope(key), "--"}, argv...)
		}
	}
	// It must outlive the agent, so no context of the agent's may end it.
	cmd := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start task: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the process
	return ended, nil
}

func (t *installed) scope(key string) string { return "appliance-" + t.journal.name(key) + ".scope" }

// await follows the task until it has ended, handing on what it prints. When
// it is cancelled or out of time its processes are ended; when only the agent
// ends, they go on.
func (t *installed) await(ctx context.Context, as wire.Assignment, ended <-chan error, tail *tail, progress func(pool.Progress)) error {
	defer tail.close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	over := false
	for !over {
		select {
		case err := <-ended:
			fate, _, fateErr := t.journal.Fate(as.Key)
			if fate == FateWaiting || fateErr != nil {
				return fmt.Errorf("start task: its process ended before it began: %w", errors.Join(err, fateErr))
			}
			if over = fate != FateRunning; !over {
				ended = nil // another process has it: an earlier agent's
			}
		case <-tick.C:
			if ended == nil {
				fate, _, err := t.journal.Fate(as.Key)
				if err != nil {
					return err
				}
				over = fate != FateRunning
			}
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errGone) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.kill(as.Key)
			}
			return context.Cause(ctx)
		}
		n, err := tail.send(ctx, false)
		if errors.Is(err, errGone) {
			t.kill(as.Key)
			return errGone
		}
		if n > 0 {
			progress(pool.Progress{Done: int64(tail.sent), Unit: "lines", Detail: tail.last})
		}
	}
	return tail.flush(ctx)
}

// kill ends everything that the task started.
func (t *installed) kill(key string) {
	_, who, err := t.journal.Fate(key)
	if err != nil || who.PID <= 1 || who.BootID != t.journal.BootID || !t.journal.alive(key) {
		return
	}
	// The process is the leader of its group; its own children have others.
	_ = syscall.Kill(-who.PID, syscall.SIGTERM)
	end := time.Now().Add(10 * time.Second)
	for t.journal.alive(key) && time.Now().Before(end) {
		time.Sleep(50 * time.Millisecond)
	}
	if t.journal.alive(key) {
		_ = syscall.Kill(-who.PID, syscall.SIGKILL)
	}
	t.log.Warn("task ended by force", "key", key, "pid", who.PID)
}
