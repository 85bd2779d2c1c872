package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
)

// newCause says why a task failed.
func newCause(code, message, evidence, remedy string) *pool.Cause {
	return &pool.Cause{Code: code, Message: message, Evidence: evidence, Remedy: remedy, At: time.Now().UTC()}
}

// causeOf makes any error a cause.
func causeOf(err error) *pool.Cause {
	var c *pool.Cause
	if errors.As(err, &c) {
		return c
	}
	code := "agent.task"
	switch {
	case errors.Is(err, pool.ErrInvalid):
		code = "agent.invalid"
	case errors.Is(err, pool.ErrNotFound):
		code = "agent.not-found"
	case errors.Is(err, pool.ErrUnavailable):
		code = "agent.unavailable"
	}
	return newCause(code, sentence(err.Error()), "", "Look at the evidence and the output; then try again.")
}

// eventResult is what an entry of a recipe returned; without its value, whose
// size is large, where that is more than is kept.
func eventResult(res recipes.Result) (out pool.EventResult, large int, err error) {
	out.Skipped = !res.Ran
	if res.Value == nil {
		return out, 0, nil
	}
	b, err := json.Marshal(res.Value)
	if err != nil {
		return out, 0, fmt.Errorf("%w: value of the event: %v", pool.ErrInvalid, err)
	}
	if len(b)+len(`{"value":}`) > pool.MaxResult {
		return out, len(b), nil
	}
	out.Value = b
	return out, 0, nil
}

func commandCause(name string, res recipes.Result, err error) error {
	if res.ExitCode != 0 {
		return newCause("command.exit", fmt.Sprintf("Command %s ended with exit code %d.", name, res.ExitCode), err.Error(),
			"Read its output, then invoke it again.")
	}
	return newCause("command.failed", fmt.Sprintf("Command %s failed.", name), err.Error(), "Read its output, then invoke it again.")
}

func eventCause(event string, res recipes.Result, err error) error {
	if res.ExitCode != 0 {
		return newCause("recipe.exit", fmt.Sprintf("Event %s ended with exit code %d.", event, res.ExitCode), err.Error(),
			"Read the event's output, mend the recipe, then try again.")
	}
	return newCause("recipe.failed", fmt.Sprintf("Event %s failed.", event), err.Error(),
		"Read the event's output, mend the recipe, then try again.")
}

// sentence makes an error text one.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// lockedProgress is the last progress, and whether it was told already.
type lockedProgress struct {
	mu    sync.Mutex
	p     pool.Progress
	fresh bool
}

func (l *lockedProgress) set(p pool.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.At = time.Now().UTC()
	l.p, l.fresh = p, true
}

func (l *lockedProgress) take() (pool.Progress, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := l.fresh
	l.fresh = false
	return l.p, fresh
}

// Memory is the journal of the agent in RAM. It dies with the agent; the
// appliance knows the boot id that each key was accepted under.
type Memory struct {
	mu       sync.Mutex
	outcomes map[string]wire.Outcome
}

// Outcome implements Journal.
func (m *Memory) Outcome(key string) (wire.Outcome, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out, ok := m.outcomes[key]
	return out, ok, nil
}

// Record implements Journal.
func (m *Memory) Record(out wire.Outcome) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outcomes == nil {
		m.outcomes = map[string]wire.Outcome{}
	}
	m.outcomes[out.Key] = out
	return nil
}

// Acknowledge implements Journal.
func (m *Memory) Acknowledge(string) error { return nil }

// Open implements Journal.
func (m *Memory) Open() ([]wire.Assignment, error) { return nil, nil }
