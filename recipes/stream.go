package recipes

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"appliance/recipes/groovy"
)

// maxUnread is how much of a process's output waits to be read; more holds the
// process up.
const maxUnread = 16 << 20

// stream is a java.io.InputStream and Reader of what somebody writes: the
// output of a process, the body of an answer. Writing and reading may happen
// at the same time.
type stream struct {
	mu    sync.Mutex
	wake  chan struct{} // closed, and made anew, when something has changed
	data  []byte
	ended bool // nothing more comes
	shut  bool // nobody reads any more
	first func(t *groovy.Thread) error
}

func newStream() *stream { return &stream{wake: make(chan struct{})} }

// textStream is a stream of a text.
func textStream(s string) *stream {
	return &stream{wake: make(chan struct{}), data: []byte(s), ended: true}
}

func (s *stream) changed() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// Write gives b to the reader; it waits while too much is unread.
func (s *stream) Write(b []byte) (int, error) {
	for {
		s.mu.Lock()
		if s.shut {
			s.mu.Unlock()
			return len(b), nil // as a process sees it whose output is thrown away
		}
		if len(s.data) < maxUnread {
			s.data = append(s.data, b...)
			s.changed()
			s.mu.Unlock()
			return len(b), nil
		}
		wake := s.wake
		s.mu.Unlock()
		<-wake
	}
}

// end says that nothing more comes.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed()
}

// discard throws away what is and what comes.
func (s *stream) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut, s.data = true, nil
	s.changed()
}

// take gives what find says is ready of the unread bytes, as a count, and
// waits until it says so; -1 asks for more. At the end of the stream it gives
// the rest, and io.EOF when there is none.
func (s *stream) take(ctx context.Context, find func(b []byte) int) ([]byte, error) {
	seen := 0
	for {
		s.mu.Lock()
		n := -1
		if len(s.data) > seen || seen == 0 && len(s.data) > 0 {
			n = find(s.data)
		}
		seen = len(s.data)
		switch {
		case s.shut || s.ended && len(s.data) == 0:
			s.mu.Unlock()
			return nil, io.EOF
		case n < 0 && (s.ended || len(s.data) >= maxUnread):
			n = len(s.data)
		}
		if n >= 0 {
			b := s.data[:n:n]
			s.data = s.data[n:]
			s.changed()
			s.mu.Unlock()
			return b, nil
		}
		wake := s.wake
		s.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// all reads to the end.
func (s *stream) all(t *groovy.Thread) (string, error) {
	var b strings.Builder
	for {
		part, err := s.take(t.Context(), func(b []byte) int { return len(b) })
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		if err := t.Alloc(len(part)); err != nil {
			return "", err
		}
		b.Write(part)
	}
}

// some reads what is there, without waiting.
func (s *stream) some() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.data
	s.data = nil
	if len(b) > 0 {
		s.changed()
	}
	return b
}

// line reads a line without its end; false when there is none.
func (s *stream) line(t *groovy.Thread) (string, bool, error) {
	b, err := s.take(t.Context(), func(b []byte) int {
		for i, c := range b {
			if c == '\n' {
				return i + 1
			}
		}
		return -1
	})
	if errors.Is(err, io.EOF) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	return text, true, t.Alloc(len(text) + 16)
}

// Type names the class.
func (*stream) Type() string { return "java.io.BufferedInputStream" }

// Get reads a property.
func (s *stream) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "text":
		return s.opened(t, func() (groovy.Value, error) { return s.all(t) })
	case "bytes":
		return s.Call(t, "getBytes", nil)
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*stream) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// opened reads once the source is there.
func (s *stream) opened(t *groovy.Thread, f func() (groovy.Value, error)) (groovy.Value, error) {
	if s.first != nil {
		first := s.first
		s.first = nil
		if err := first(t); err != nil {
			return nil, err
		}
	}
	return f()
}

// Call calls a method. What it does not know itself is asked of the text.
func (s *stream) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	return s.opened(t, func() (groovy.Value, error) { return s.call(t, id, args) })
}

func (s *stream) call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "close":
		s.discard()
		return nil, nil
	case "newReader", "getIn", "iterator":
		return s, nil
	case "available", "ready":
		s.mu.Lock()
		defer s.mu.Unlock()
		if id == "ready" {
			return len(s.data) > 0, nil
		}
		return int64(len(s.data)), nil
	case "getText":
		return s.all(t)
	case "readLine":
		line, ok, err := s.line(t)
		if err != nil || !ok {
			return nil, err
		}
		return line, nil
	case "read":
		if len(args) == 0 {
			b, err := s.take(t.Context(), func([]byte) int { return 1 })
			if err != nil {
				if errors.Is(err, io.EOF) {
					return int64(-1), nil
				}
				return nil, err
			}
			return int64(b[0]), nil
		}
	case "eachLine":
		return s.eachLine(t, args)
	case "withReader", "withInputStream", "withStream", "withCloseable":
		if c, ok := last(args).(*groovy.Closure); ok {
			v, err := t.Call(c, s)
			s.discard()
			return v, err
		}
	}
	text, err := s.all(t)
	if err != nil {
		return nil, err
	}
	return t.CallMethod(text, id, args)
}

func last(args []groovy.Value) groovy.Value {
	if len(args) == 0 {
		return nil
	}
	return args[len(args)-1]
}

// eachLine calls a closure for each line as it comes, with its number when the
// closure takes two.
func (s *stream) eachLine(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	c, ok := last(args).(*groovy.Closure)
	if !ok {
		return nil, groovy.ErrNoMember
	}
	var v groovy.Value
	for n := int64(1); ; n++ {
		line, ok, err := s.line(t)
		if err != nil || !ok {
			return v, err
		}
		if c.Params() == 2 {
			v, err = t.Call(c, line, n)
		} else {
			v, err = t.Call(c, line)
		}
		if err != nil {
			return nil, err
		}
	}
}
