package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// Exec performs the accepted task key in this process and records how it
// ended, whether or not the agent lives to see it. It is what
// "appliance-agent exec KEY" does. An error means that nothing was recorded;
// pool.ErrConflict that the task began before.
func (h Home) Exec(ctx context.Context, key string) (err error) {
	journal := &Files{Dir: h.state("journal"), BootID: bootID()}
	as, err := journal.Assignment(key)
	if err != nil {
		return err
	}
	lock, err := journal.Begin(key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	f, err := os.OpenFile(journal.path(key, fileOutput), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep output: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	timeout := as.Timeout
	if timeout <= 0 {
		timeout = time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out := wire.Outcome{Key: as.Key, Token: as.Token, BootID: journal.BootID}
	l := &lifecycle{home: h, task: as, out: &outputFile{file: f}}
	result, taskErr := l.perform(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		taskErr = newCause("step.cancelled", "The step was ended before it was done.", "", "Try again when it is wanted.")
	}
	withOutput(taskErr, lastOutput(journal.path(key, fileOutput)))
	fill(&out, result, taskErr, ctx.Err(), timeout)
	if taskErr != nil && out.Cause != nil {
		_, _ = fmt.Fprintf(l.out, "%s\n", out.Cause.Message) // also where people look first
	}
	out.Output = lastOutput(journal.path(key, fileOutput))
	return journal.Record(out)
}

// lifecycle performs one task of a recipe.
type lifecycle struct {
	home   Home
	task   wire.Assignment
	out    io.Writer
	client *Client // opened when needed
}

func (l *lifecycle) perform(ctx context.Context) (any, error) {
	switch l.task.Kind {
	case pool.TaskPrepare:
		var p pool.PrepareParams
		if err := readParams(l.task, &p); err != nil {
			return nil, err
		}
		return nil, l.prepare(ctx, p)
	case pool.TaskEvent:
		var p pool.EventParams
		if err := readParams(l.task, &p); err != nil {
			return nil, err
		}
		return l.event(ctx, p)
	case pool.TaskCommand:
		var p pool.CommandParams
		if err := readParams(l.task, &p); err != nil {
			return nil, err
		}
		return l.command(ctx, p)
	case pool.TaskDetect:
		var p pool.EventParams
		if err := readParams(l.task, &p); err != nil {
			return nil, err
		}
		return l.detect(ctx, p)
	case pool.TaskCleanup:
		var p pool.PrepareParams
		if err := readParams(l.task, &p); err != nil {
			return nil, err
		}
		return nil, l.cleanup(p.Instance)
	case pool.TaskWatch:
		var p pool.PrepareParams
		if err := readParams(l.task, &p); err != nil {
			return nil, err
		}
		return nil, l.watch(p)
	case pool.TaskStorage:
		var p pool.StorageParams
		if err := readParams(l.task, &p); err != nil {
			return nil, err
		}
		return l.bindStorage(ctx, p)
	case pool.TaskFacts, pool.TaskBMCUser, pool.TaskWipe, pool.TaskImage, pool.TaskReboot, pool.TaskPowerOff, pool.TaskLook:
	}
	return nil, fmt.Errorf("%w: the installed agent has no task %q", pool.ErrInvalid, l.task.Kind)
}

// folder is where an instance's recipe lies, below gigaspaces as its users
// know it.
func (h Home) folder(in pool.InstanceInfo) (string, error) {
	name := in.Service + "-" + strconv.Itoa(in.Number)
	if in.Service == "" || !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\\x00\n") {
		return "", fmt.Errorf("%w: service name %q", pool.ErrInvalid, in.Service)
	}
	return filepath.Join(h.state("gigaspaces"), name), nil
}

func (l *lifecycle) connect() (err error) {
	if l.client == nil {
		_, _, l.client, err = l.home.open()
	}
	return err
}

// prepare puts the recipe in place of whatever an earlier try left there.
func (l *lifecycle) prepare(ctx context.Context, p pool.PrepareParams) error {
	dir, err := l.home.folder(p.Instance)
	if err != nil {
		return err
	}
	if err := l.home.unwatch(p.Instance.ID); err != nil {
		return err
	}
	if err := l.connect(); err != nil {
		return err
	}
	archive, err := l.fetch(ctx, p.Digest)
	if err != nil {
		return err
	}
	fresh := dir + ".new"
	if err := errors.Join(os.RemoveAll(fresh), os.MkdirAll(fresh, 0o755)); err != nil {
		return fmt.Errorf("unpack recipe: %w", err)
	}
	if err := recipes.Unpack(archive, p.Digest, fresh); err != nil {
		return fmt.Errorf("%w: %w", pool.ErrInvalid, err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(fresh, dir)); err != nil {
		return fmt.Errorf("unpack recipe: %w", err)
	}
	_, _ = fmt.Fprintf(l.out, "recipe %s is in %s\n", p.Digest, dir)
	if !p.Packages {
		return nil
	}
	host := &recipeHost{lifecycle: l, instance: p.Instance}
	code, err := host.Exec(ctx, recipes.Command{Argv: []string{"apt-get", "-q", "-o", "Acquire::Retries=5", "update"}, Dir: dir}, l.out)
	if err != nil {
		return err
	}
	if code != 0 {
		return newCause("packages.update", "The machine cannot read the appliance's package repository.",
			fmt.Sprintf("apt-get update ended with code %d", code), "Fill it with \"appliance package mirror\", then try again.")
	}
	return nil
}

func (l *lifecycle) fetch(ctx context.Context, digest string) (archive []byte, err error) {
	body, err := l.client.Get(ctx, wire.PathRecipe+digest, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("fetch recipe %s: %w", digest, err)
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if archive, err = io.ReadAll(io.LimitReader(body, recipes.MaxPacked+1)); err != nil {
		return nil, fmt.Errorf("fetch recipe %s: %w", digest, err)
	}
	return archive, nil
}

func (l *lifecycle) cleanup(in pool.InstanceInfo) error {
	dir, err := l.home.folder(in)
	if err != nil {
		return err
	}
	if err := errors.Join(l.home.unwatch(in.ID), os.RemoveAll(dir), os.RemoveAll(dir+".new")); err != nil {
		return fmt.Errorf("remove recipe: %w", err)
	}
	return nil
}

// runner loads the recipe that prepare unpacked.
func (l *lifecycle) runner(in pool.InstanceInfo) (*recipes.Runner, error) {
	dir, err := l.home.folder(in)
	if err != nil {
		return nil, err
	}
	v := recipeValues(in)
	r, err := recipes.LoadDir(dir, recipes.Options{Values: v})
	if err != nil {
		return nil, fmt.Errorf("%w: load recipe: %w", pool.ErrInvalid, err)
	}
	run := recipes.NewRunner(r, &recipeHost{lifecycle: l, instance: in}, v, dir)
	own, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own file: %w", err)
	}
	run.Groovy = []string{own, "groovy"}
	return run, nil
}

func recipeValues(in pool.InstanceInfo) recipes.Values {
	address := ""
	if in.Address.IsValid() {
		address = in.Address.String()
	}
	self := recipes.Instance{ID: in.Number, Address: address, Name: in.ID}
	return recipes.Values{InstanceID: in.Number, ServiceName: in.Service, ApplicationName: in.Application,
		Planned: in.Planned, PrivateAddress: address, MachineID: in.Machine, Template: in.Template, ImageID: in.Image,
		Services: map[string]recipes.Service{in.Service: {Planned: max(in.Planned, 1), Instances: []recipes.Instance{self}}}}
}

func (l *lifecycle) event(ctx context.Context, p pool.EventParams) (any, error) {
	if moves(p.Event) && !strings.HasPrefix(l.task.Key, aloneKey) {
		if err := l.home.unwatch(p.Instance.ID); err != nil {
			return nil, err
		}
	}
	run, err := l.runner(p.Instance)
	if err != nil {
		return nil, err
	}
	var res recipes.Result
	if name, ok := strings.CutPrefix(p.Event, commandPrefix); ok {
		res, err = run.Command(ctx, name, p.Args, l.out)
	} else {
		res, err = run.Run(ctx, p.Event, p.Args, l.out)
	}
	l.warn(res)
	if err != nil {
		return nil, eventCause(p.Event, res, err)
	}
	if p.Event == "stop" && !res.Ran {
		if err := l.home.stopProcesses(ctx, p.Instance.ID, bootID(), l.out); err != nil {
			return nil, err
		}
	}
	if p.Event == "locator" && res.Ran {
		if err := l.keepPIDs(p.Instance, res.Value); err != nil {
			return nil, err
		}
	}
	return l.result(res)
}

// result is what an event returned. Nobody reads more of it than its summary:
// what is too large to be kept is left out.
func (l *lifecycle) result(res recipes.Result) (any, error) {
	out, large, err := eventResult(res)
	if large > 0 {
		_, _ = fmt.Fprintf(l.out, "warning: what it returned is not kept: %s of at most %s\n", pool.Bytes(uint64(large)), pool.Bytes(pool.MaxResult))
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// command runs a custom command.
func (l *lifecycle) command(ctx context.Context, p pool.CommandParams) (any, error) {
	run, err := l.runner(p.Instance)
	if err != nil {
		return nil, err
	}
	res, err := run.Command(ctx, p.Command, p.Args, l.out)
	l.warn(res)
	if err != nil {
		return nil, commandCause(p.Command, res, err)
	}
	out, large, err := eventResult(res)
	if large > 0 {
		return nil, newCause("command.result", "The command was done, but it returned more than is kept.",
			fmt.Sprintf("%s of at most %s", pool.Bytes(uint64(large)), pool.Bytes(pool.MaxResult)), "Let it return less, or write what it has to say to a file or an attribute.")
	}
	return out, err
}

// detect asks until the answer is true: often at first, for most services are
// there at once, then every interval.
func (l *lifecycle) detect(ctx context.Context, p pool.EventParams) (any, error) {
	run, err := l.runner(p.Instance)
	if err != nil {
		return nil, err
	}
	event := p.Event
	if event == "" {
		event = "startDetection"
	}
	interval := max(p.Interval, time.Second)
	wait, tries, warned := 50*time.Millisecond, 0, ""
	for {
		res, err := run.Run(ctx, event, p.Args, l.out)
		tries++
		if err != nil {
			return nil, fmt.Errorf("%s, try %d: %w", event, tries, err)
		}
		if res.OK {
			return l.result(res)
		}
		if w := strings.Join(res.Warnings, "; "); w != warned {
			l.warn(res)
			warned = w
		}
		if code, ended := l.home.startEnded(p.Instance.ID); ended && code != 0 {
			return nil, newCause("start.exit", fmt.Sprintf("The launched process exited with the error exit code %d.", code),
				joined(fmt.Sprintf("%s was asked %d times", event, tries), l.home.startSaid(p.Instance)), "Read the service's output, mend the recipe, then try again.")
		}
		pause(ctx, wait)
		wait = min(wait*3/2, interval)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s was not true in %d tries: %w", event, tries, ctx.Err())
		}
	}
}

func (l *lifecycle) warn(res recipes.Result) {
	for _, w := range res.Warnings {
		_, _ = fmt.Fprintf(l.out, "warning: %s\n", w)
	}
}

// instanceEnv tells "appliance-agent groovy" on whose behalf it runs.
const instanceEnv = "APPLIANCE_INSTANCE"

// Groovy runs a Groovy script of the recipe around it, as a process started by
// that recipe. The code is the process's.
func (h Home) Groovy(ctx context.Context, file string, args []string, out io.Writer) (int, error) {
	var in pool.InstanceInfo
	if err := json.Unmarshal([]byte(os.Getenv(instanceEnv)), &in); err != nil {
		return 1, fmt.Errorf("%w: %s is not set: a Groovy script runs as part of a recipe", pool.ErrInvalid, instanceEnv)
	}
	l := &lifecycle{home: h, out: out}
	run, err := l.runner(in)
	if err != nil {
		return 1, err
	}
	return run.RunScript(ctx, file, args, out)
}

// recipeHost is the machine, and the appliance's attributes, to a recipe.
type recipeHost struct {
	lifecycle *lifecycle
	instance  pool.InstanceInfo
}

var (
	_ recipes.Host       = (*recipeHost)(nil)
	_ recipes.Maintainer = (*recipeHost)(nil)
)

// Maintain implements recipes.Maintainer.
func (h *recipeHost) Maintain(ctx context.Context, span time.Duration) error {
	if err := h.lifecycle.connect(); err != nil {
		return err
	}
	_, err := h.lifecycle.client.Do(ctx, "POST", wire.PathMaintain, wire.Maintain{Instance: h.instance.ID, Seconds: int64(span.Seconds())}, nil)
	if err != nil {
		return fmt.Errorf("maintenance of %s: %w", h.instance.Service, err)
	}
	return nil
}

// Exec implements recipes.Host.
func (h *recipeHost) Exec(ctx context.Context, c recipes.Command, out io.Writer) (int, error) {
	if len(c.Argv) == 0 {
		return 0, fmt.Errorf("%w: empty command", pool.ErrInvalid)
	}
	env, err := h.env(c.Env)
	if err != nil {
		return 0, err
	}
	if c.Background {
		return h.background(c, env)
	}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, env, c.Stdin, out, out
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second // a daemon that keeps the output open does not hold us
	if err = cmd.Start(); err == nil {
		if c.Started != nil {
			c.Started()
		}
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what did not heed SIGTERM
		}
		return -1, fmt.Errorf("run %s: %w", c.Argv[0], ctx.Err())
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return -1, fmt.Errorf("run %s: %w", c.Argv[0], err)
	}
	return 0, nil
}

// background starts a process that belongs to the service: in a session of
// its own, its output in a file of its own.
func (h *recipeHost) background(c recipes.Command, env []string) (code int, err error) {
	dir := h.lifecycle.home.state("log")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return -1, fmt.Errorf("start %s: %w", c.Argv[0], err)
	}
	log, err := os.OpenFile(h.lifecycle.home.serviceLog(h.instance), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return -1, fmt.Errorf("start %s: %w", c.Argv[0], err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	had, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return -1, fmt.Errorf("start %s: %w", c.Argv[0], err)
	}
	exit, err := h.exitFile()
	if err != nil {
		return -1, err
	}
	// A shell waits for it and writes down how it ended: we shall not be there.
	argv := append([]string{"-c", `"$@"; echo $? >"$0.new" && mv "$0.new" "$0"`, exit}, c.Argv...)
	cmd := exec.CommandContext(context.Background(), "/bin/sh", argv...) // it outlives us
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return -1, fmt.Errorf("start %s: %w", c.Argv[0], err)
	}
	_, since, _ := statOf(cmd.Process.Pid) // not there: it has ended already
	if err := h.lifecycle.home.keepStart(begun{PID: cmd.Process.Pid, Since: since, BootID: bootID(), Cgroup: cgroupOf(os.Getpid()),
		LogAt: had, Epoch: h.lifecycle.task.Epoch, Instance: h.instance}); err != nil {
		return -1, err
	}
	return 0, cmd.Process.Release()
}

// exitFile is where it will be said how the instance's start process ended.
func (h *recipeHost) exitFile() (string, error) {
	home := h.lifecycle.home
	if err := os.MkdirAll(home.state("watch"), 0o700); err != nil {
		return "", fmt.Errorf("start: %w", err)
	}
	f := home.watchFile(h.instance.ID, "exit")
	for _, old := range []string{f, home.watchFile(h.instance.ID, "pids")} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("start: %w", err)
		}
	}
	return filepath.Abs(f)
}

func (h *recipeHost) env(extra []string) ([]string, error) {
	in, err := json.Marshal(h.instance)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	env := append(os.Environ(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
		"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", instanceEnv+"="+string(in))
	return append(env, extra...), nil
}
