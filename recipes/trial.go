package recipes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Trial runs the lifecycle of a service recipe on this machine, without an
// appliance: from init to postStart, watches it for a while, and takes it down
// again. It is what the original's test-recipe does. What the recipe's scripts
// do, they do to this machine.
type Trial struct {
	Recipe *Recipe
	Dir    string        // scratch folder; the recipe is unpacked below it
	Watch  time.Duration // how long the service is watched; 30 s when zero
	Out    io.Writer     // output of the entries
	// Tell is called as each event ends, in order; nil tells nobody.
	Tell func(TrialStep)

	host   *local
	runner *Runner
}

// TrialStep is an event that ended.
type TrialStep struct {
	Event    string        `json:"event"`
	Error    string        `json:"error,omitempty"` // why it failed; empty when it did not
	Value    any           `json:"value,omitempty"` // what a closure returned
	Warnings []string      `json:"warnings,omitempty"`
	Duration time.Duration `json:"duration"` // nanoseconds
}

// stopFirst and stopEvery are when stopDetection is asked (section 2.2).
const (
	stopFirst = 2 * time.Second
	stopEvery = 5 * time.Second
)

// Run returns when the service is down again; the error is the first event's
// that failed. When ctx ends the service is taken down all the same.
func (t *Trial) Run(ctx context.Context) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	err := t.up(ctx)
	if err == nil {
		err = t.watch(ctx)
	}
	return errors.Join(err, t.down(context.WithoutCancel(ctx)))
}

// Event runs one event of the recipe, alone.
func (t *Trial) Event(ctx context.Context, name string) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	_, err := t.event(ctx, name)
	return err
}

// Command runs a custom command of the recipe, which was not started.
func (t *Trial) Command(ctx context.Context, name string, args ...string) (Result, error) {
	if err := t.prepare(ctx); err != nil {
		return Result{}, err
	}
	return t.runner.Command(ctx, name, args, t.Out)
}

func (t *Trial) prepare(ctx context.Context) error {
	if t.Recipe.IsApplication() {
		return invalidf("try recipe %s: it is an application; try its services one by one", t.Recipe.Name)
	}
	dir := filepath.Join(t.Dir, "gigaspaces", t.Recipe.Name) // scripts spare a path with this word
	if err := t.unpack(dir); err != nil {
		return fmt.Errorf("try recipe %s: %w", t.Recipe.Name, err)
	}
	unpacked, err := Load(os.DirFS(dir), Options{})
	if err != nil {
		return err
	}
	t.host = &local{}
	v := Values{PrivateAddress: "127.0.0.1", Template: t.Recipe.Template, MachineID: "this"}
	v.Services = map[string]Service{t.Recipe.Name: {Planned: 1, Instances: []Instance{{ID: 1, Address: v.PrivateAddress, Name: "localhost"}}}}
	t.runner = NewRunner(unpacked, t.host, v, dir)
	t.runner.Spawn = func(script func(context.Context) (Result, error)) {
		t.host.spawn(context.WithoutCancel(ctx), script)
	}
	return nil
}

func (t *Trial) unpack(dir string) error {
	archive, digest, err := t.Recipe.Pack()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return Unpack(archive, digest, dir)
}

// up brings the service up.
func (t *Trial) up(ctx context.Context) error {
	for _, e := range Events()[:slices.Index(Events(), "preStop")] {
		if e == "postStart" {
			if err := t.detect(ctx); err != nil {
				return err
			}
		}
		if _, err := t.event(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// event runs one event with its time limit.
func (t *Trial) event(ctx context.Context, name string) (Result, error) {
	limit := t.Recipe.Timeouts[name]
	if limit == 0 {
		limit = 30 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := t.runner.Run(ctx, name, nil, t.Out)
	if res.Ran || err != nil {
		t.tell(name, res, err)
	}
	return res, err
}

func (t *Trial) tell(name string, res Result, err error) {
	s := TrialStep{Event: name, Value: res.Value, Warnings: res.Warnings, Duration: res.Duration}
	if err != nil {
		s.Error = err.Error()
	}
	if t.Tell != nil {
		t.Tell(s)
	}
}

// detect asks startDetection until it is true, first quickly, then every
// startDetectionIntervalSecs.
func (t *Trial) detect(ctx context.Context) error {
	if _, ok := t.Recipe.Lifecycle["startDetection"]; !ok {
		return nil
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, t.Recipe.StartDetectionTimeout)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, t.Recipe.StartDetectionInterval) {
		res, err := t.runner.Run(ctx, "startDetection", nil, t.Out)
		res.Duration = time.Since(start)
		if code, failed := t.host.failed(); failed && err == nil && !res.OK {
			err = fmt.Errorf("The launched process exited with the error exit code %d", code) //nolint:staticcheck // the original's words
		}
		if err == nil && !res.OK {
			err = sleep(ctx, wait.Milliseconds())
			if err == nil {
				continue
			}
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("The Start Detection test failed in the defined time period: %.0f seconds.", t.Recipe.StartDetectionTimeout.Seconds()) //nolint:staticcheck // the original's words
		}
		t.tell("startDetection", res, err)
		return err
	}
}

// watch asks stopDetection, monitors and details while the service runs.
func (t *Trial) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(t.Watch, 30*time.Second))
	defer cancel()
	for _, e := range []string{"locator", "details", "monitors"} {
		_, _ = t.event(ctx, e) // told; what fails here never stops a service
	}
	for wait := stopFirst; sleep(ctx, wait.Milliseconds()) == nil; wait = stopEvery {
		if code, failed := t.host.failed(); failed {
			return fmt.Errorf("watch service: its start process exited with code %d", code)
		}
		if _, ok := t.Recipe.Lifecycle["stopDetection"]; !ok {
			continue
		}
		res, err := t.runner.Run(ctx, "stopDetection", nil, t.Out)
		if ctx.Err() != nil {
			break
		}
		if err == nil && res.OK {
			err = errors.New("watch service: stopDetection says that it has stopped")
		}
		if err != nil {
			t.tell("stopDetection", res, err)
			return err
		}
	}
	return nil
}

// down takes the service down; what fails is told, and the rest goes on.
func (t *Trial) down(ctx context.Context) error {
	var errs error
	for _, e := range Events()[slices.Index(Events(), "preStop"):] {
		_, err := t.event(ctx, e)
		errs = errors.Join(errs, err)
		if e == "stop" {
			t.host.shut(3 * time.Second)
		}
	}
	return errs
}
