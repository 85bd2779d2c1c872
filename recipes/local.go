package recipes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// local is a Host on this machine without an appliance: processes are real,
// attributes live in memory.
type local struct {
	mu         sync.Mutex
	attributes map[Scope]map[string]Attribute
	started    []*started
}

// started is a background process or Groovy script, and how it ended.
type started struct {
	end  func(syscall.Signal)
	done chan struct{} // closed when it has ended
	code int           // after done
}

// Exec runs a command in a process group of its own.
func (l *local) Exec(ctx context.Context, c Command, out io.Writer) (int, error) {
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...) //nolint:noctx // ended by group, below: a shell's children, too
	cmd.Dir, cmd.Env = c.Dir, append(os.Environ(), c.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, out, out
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return 127, fmt.Errorf("run %s: %w", c.Argv[0], err)
	}
	if c.Started != nil {
		c.Started()
	}
	s := &started{done: make(chan struct{}), end: func(sig syscall.Signal) { // and what it started
		_ = syscall.Kill(-cmd.Process.Pid, sig) // gone already is what is wanted
	}}
	go func() { // ends with the process, which shut ends at last
		defer close(s.done)
		_ = cmd.Wait() // the code says all
		s.code = cmd.ProcessState.ExitCode()
	}()
	if c.Background {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.started = append(l.started, s)
		return 0, nil
	}
	select {
	case <-s.done:
		return s.code, nil
	case <-ctx.Done():
		s.end(syscall.SIGKILL)
		<-s.done
		return s.code, ctx.Err()
	}
}

// spawn runs a Groovy script beside the caller until ctx ends or shut ends it.
func (l *local) spawn(ctx context.Context, script func(context.Context) (Result, error)) {
	ctx, cancel := context.WithCancel(ctx)
	s := &started{done: make(chan struct{}), end: func(syscall.Signal) { cancel() }}
	go func() { // ends with the script, which shut ends at last
		defer close(s.done)
		defer cancel()
		res, err := script(ctx)
		if s.code = res.ExitCode; err != nil && s.code == 0 {
			s.code = 1
		}
	}()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started = append(l.started, s)
}

// failed returns the exit code of a background process that ended badly.
func (l *local) failed() (code int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.started {
		select {
		case <-s.done:
			if s.code != 0 {
				return s.code, true
			}
		default:
		}
	}
	return 0, false
}

// shut ends what was started in the background: first asked, then killed.
func (l *local) shut(patience time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.started {
		s.end(syscall.SIGTERM)
		select {
		case <-s.done:
		case <-time.After(patience):
		}
		s.end(syscall.SIGKILL) // also what outlived its parent
		<-s.done
	}
	l.started = nil
}

// Attribute reads an attribute.
func (l *local) Attribute(_ context.Context, s Scope, name string) (Attribute, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.attributes[s][name]
	return v, ok, nil
}

// SetAttribute writes one.
func (l *local) SetAttribute(_ context.Context, s Scope, name string, value any, secret bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name == "" {
		return errors.New("set attribute: its name is empty")
	}
	if l.attributes == nil {
		l.attributes = map[Scope]map[string]Attribute{}
	}
	if l.attributes[s] == nil {
		l.attributes[s] = map[string]Attribute{}
	}
	l.attributes[s][name] = Attribute{value, secret}
	return nil
}

// RemoveAttribute removes one, or all of the scope.
func (l *local) RemoveAttribute(_ context.Context, s Scope, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name == "" {
		delete(l.attributes, s)
		return nil
	}
	delete(l.attributes[s], name)
	return nil
}

// Service implements Host: a trial has no other services; what Values says of
// its own stands.
func (l *local) Service(context.Context, string, int, time.Duration) (Service, bool, error) {
	return Service{}, false, nil
}

// Invoke implements Host.
func (l *local) Invoke(_ context.Context, service string, _ int, command string, _ []string) ([]any, error) {
	return nil, fmt.Errorf("command %s of service %s: a trial on this host has no other services", command, service)
}

// Readings implements Host.
func (l *local) Readings(context.Context, string, int) (details, monitors map[string]any, err error) {
	return nil, nil, nil
}
