package recipes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"appliance/recipes/groovy"
)

// child is a java.lang.Process: one that a script runs beside itself.
type child struct {
	f        *folder
	name     string
	in       *os.File // what it reads
	out, err *stream
	done     chan struct{} // closed when it has ended
	code     int           // after done
	failed   error         // after done
	kill     context.CancelFunc
	sinks    [2]groovy.Value // where consumeProcessOutput puts output and errors
	t        *groovy.Thread  // that they belong to
}

// start is "cmd".execute() and ProcessBuilder.start(): the process runs beside
// the script, until it ends, the script ends it, or the evaluation is ended
// from outside while it waits for it.
func (f *folder) start(t *groovy.Thread, s groovy.Start) (groovy.Value, error) {
	return f.launch(t, s, nil, nil)
}

// killedCode is the exit code of a process that a script ended.
const killedCode = 143

// launch starts a process. Output and errors go to out and errs, when they are
// not nil; errs may be out.
func (f *folder) launch(t *groovy.Thread, s groovy.Start, out, errs io.Writer) (*child, error) {
	c := Command{Argv: s.Argv, Dir: f.dir, Env: f.env}
	if s.Dir != "" {
		if c.Dir = s.Dir; !filepath.IsAbs(c.Dir) {
			c.Dir = filepath.Join(f.dir, c.Dir)
		}
	}
	c.Env = append(c.Env[:len(c.Env):len(c.Env)], s.Env...)
	if err := there(c); err != nil {
		return nil, err
	}
	stdin, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", s.Argv[0], err)
	}
	p := &child{f: f, name: s.Argv[0], in: in, out: newStream(), err: newStream(), done: make(chan struct{})}
	if out == nil {
		out = p.out
	}
	c.Stdin, c.Stderr = stdin, io.Writer(p.err)
	if errs != nil {
		c.Stderr = errs
	}
	if s.Merge {
		c.Stderr = out
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p.kill = cancel
	f.started = append(f.started, p)
	started := make(chan struct{})
	c.Started = sync.OnceFunc(func() { close(started) })
	go func() { // ends with the process
		defer cancel()
		p.code, p.failed = f.host.Exec(ctx, c, out)
		if ctx.Err() != nil { // killed
			p.code, p.failed = killedCode, nil
		}
		_ = stdin.Close() // who still writes is told
		close(p.done)
		p.out.end()
		p.err.end()
	}()
	select {
	case <-started: // it is there, whatever becomes of us
	case <-p.done:
		if errors.Is(p.failed, fs.ErrPermission) {
			return nil, groovy.Throw("IOException", "Cannot run program %q (in directory %q): error=13, Permission denied", s.Argv[0], c.Dir)
		}
		if p.failed != nil {
			return nil, groovy.Throw("IOException", "Cannot run program %q: %v", s.Argv[0], p.failed)
		}
	}
	return p, nil
}

// there says, as Java does at once, when there is no such program.
func there(c Command) error {
	name := c.Argv[0]
	fault := func(text string) error {
		return groovy.Throw("IOException", "Cannot run program %q (in directory %q): error=2, %s", name, c.Dir, text)
	}
	if _, err := os.Stat(c.Dir); errors.Is(err, fs.ErrNotExist) {
		return fault("No such file or directory")
	}
	if !strings.Contains(name, "/") {
		if _, err := exec.LookPath(name); err != nil {
			return fault("No such file or directory")
		}
		return nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.Dir, name)
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return fault("No such file or directory")
	}
	return nil
}

// leave is the end of the evaluation: nobody reads any more. Errors that the
// script did not look at go to out.
func (p *child) leave(kill bool, out io.Writer) error {
	if kill {
		p.kill()
	}
	var err error
	if b := p.err.some(); len(b) > 0 && out != nil {
		_, err = out.Write(b)
	}
	p.out.discard()
	p.err.discard()
	_ = p.in.Close() // it may be closed
	return err
}

// ended says whether the process has ended.
func (p *child) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wait waits until the process has ended, at most for a time; zero is no limit.
func (p *child) wait(t *groovy.Thread, limit time.Duration) (ended bool, err error) {
	var timeout <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		if err := p.drain(t); err != nil {
			return false, err
		}
		outWake, errWake := p.wakes()
		select {
		case <-p.done:
			return true, p.drain(t)
		case <-timeout:
			return false, nil
		case <-t.Context().Done():
			p.kill()
			<-p.done
			return false, t.Context().Err()
		case <-outWake:
		case <-errWake:
		}
	}
}

// wakes are the channels that say that there is output for a sink; nil where
// there is no sink.
func (p *child) wakes() (out, err <-chan struct{}) {
	list := [2]<-chan struct{}{}
	for i, s := range []*stream{p.out, p.err} {
		if p.sinks[i] != nil {
			s.mu.Lock()
			list[i] = s.wake
			s.mu.Unlock()
		}
	}
	return list[0], list[1]
}

// drain gives what has come to where the script wants it.
func (p *child) drain(t *groovy.Thread) error {
	for i, s := range []*stream{p.out, p.err} {
		if p.sinks[i] == nil {
			continue
		}
		if b := s.some(); len(b) > 0 {
			if err := put(t, p.sinks[i], string(b)); err != nil {
				return err
			}
		}
	}
	return nil
}

// put adds text to an Appendable, a Writer or an OutputStream.
func put(t *groovy.Thread, sink groovy.Value, text string) error {
	switch o := sink.(type) {
	case *fileObject:
		return o.append(t, text)
	case *writer:
		return o.write(t, []byte(text))
	case *byteArray:
		return o.write(t, []byte(text))
	}
	_, err := t.CallMethod(sink, "append", []groovy.Value{text})
	return err
}

// sleep waits, and gives what processes have put out meanwhile to its sinks:
// scripts look there after a while.
func (f *folder) sleep(ctx context.Context, ms int64) error {
	err := sleep(ctx, ms)
	for _, p := range f.started {
		if p.t != nil {
			err = errors.Join(err, p.drain(p.t))
		}
	}
	return err
}

// Type names the class.
func (*child) Type() string { return "java.lang.UNIXProcess" }

// Get reads a property.
func (p *child) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "text":
		return bytesOf(p.out).Call(t, "getText", nil)
	case "in", "inputStream":
		return bytesOf(p.out), nil
	case "err", "errorStream":
		return bytesOf(p.err), nil
	case "out", "outputStream":
		return outputTo(p.in), nil
	case "alive":
		return !p.ended(), nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*child) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method.
func (p *child) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "waitFor":
		return p.waitFor(t, args)
	case "exitValue":
		if err := p.drain(t); err != nil {
			return nil, err
		}
		if !p.ended() {
			return nil, groovy.Throw("IllegalThreadStateException", "process hasn't exited")
		}
		return int64(p.code), p.failed
	case "waitForOrKill":
		ms, _ := groovy.Int(last(args))
		ended, err := p.wait(t, max(time.Duration(ms)*time.Millisecond, time.Millisecond))
		if err == nil && !ended {
			p.kill()
			_, err = p.wait(t, 0) // who asks for its exit value next gets it
		}
		return nil, err
	case "destroy", "destroyForcibly":
		p.kill()
		return p, nil
	case "isAlive":
		return !p.ended(), nil
	case "closeStreams":
		return nil, p.leave(false, nil)
	case "consumeProcessOutput", "consumeProcessOutputStream", "consumeProcessErrorStream", "waitForProcessOutput":
		return p.consume(t, id, args)
	case "or", "pipeTo":
		if next, ok := last(args).(*child); ok {
			p.pipe(next)
			return next, nil
		}
	case "leftShift", "withWriter", "withOutputStream":
		return outputTo(p.in).Call(t, id, args)
	}
	return nil, groovy.ErrNoMember
}

func (p *child) waitFor(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 2 {
		ms := millis(append([]groovy.Value{nil}, args...))
		ended, err := p.wait(t, max(time.Duration(ms)*time.Millisecond, time.Millisecond))
		return ended, err
	}
	if _, err := p.wait(t, 0); err != nil {
		return nil, err
	}
	return int64(p.code), p.failed
}

// consume says where output and errors go: to what the arguments are, or
// nowhere.
func (p *child) consume(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	p.t = t
	sink := func(i int, s *stream, v groovy.Value) {
		if p.sinks[i] = v; v == nil {
			s.discard()
		}
	}
	a := append(args[:len(args):len(args)], nil, nil)
	if id != "consumeProcessErrorStream" {
		sink(0, p.out, a[0])
		a = a[1:]
	}
	if id != "consumeProcessOutputStream" {
		sink(1, p.err, a[0])
	}
	if id == "waitForProcessOutput" {
		if _, err := p.wait(t, 0); err != nil {
			return nil, err
		}
	}
	return nil, p.drain(t)
}

// pipe gives what p puts out to next.
func (p *child) pipe(next *child) {
	ctx := context.Background() // the goroutine ends with either process
	go func() {
		defer func() { _ = next.in.Close() }() // next reads its end
		for {
			b, err := p.out.take(ctx, func(b []byte) int { return len(b) })
			if err != nil {
				return
			}
			if _, err := next.in.Write(b); err != nil {
				p.out.discard()
				return
			}
		}
	}()
}
