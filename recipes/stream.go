package recipes

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

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

	src    io.ReadCloser // of a file: where more comes from
	closed bool          // by the script
	marked bool          // since then,
	taken  []byte        // this was read
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
	if s.src != nil {
		return s.pull(ctx, find)
	}
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
			b := s.cut(n)
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

// cut takes the first n unread bytes.
func (s *stream) cut(n int) []byte {
	b := s.data[:n:n]
	s.data = s.data[n:]
	if s.marked {
		s.taken = append(s.taken, b...)
	}
	return b
}

// pull is take of a file. Its end is asked for anew each time: it may grow.
func (s *stream) pull(ctx context.Context, find func(b []byte) int) ([]byte, error) {
	if f, ok := s.src.(interface{ SetReadDeadline(t time.Time) error }); ok {
		stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) }) // of a pipe or a connection
		defer stop()
	}
	for seen := -1; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(s.data) > max(seen, 0) {
			if n := find(s.data); n >= 0 {
				return s.cut(n), nil
			}
		}
		if len(s.data) >= maxUnread {
			return s.cut(len(s.data)), nil
		}
		seen = len(s.data)
		piece := make([]byte, 64<<10)
		n, err := s.src.Read(piece)
		s.data = append(s.data, piece[:n]...)
		switch {
		case n > 0:
		case !errors.Is(err, io.EOF):
			return nil, cmp.Or(ctx.Err(), err)
		case len(s.data) == 0:
			return nil, io.EOF
		default:
			return s.cut(len(s.data)), nil
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
		if s.src != nil && b.Len() > maxRead { // a part of it, written back, would destroy the rest
			return "", groovy.Throw("IOException", "the file is larger than %d bytes", maxRead)
		}
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
func (s *stream) line(t *groovy.Thread) ([]byte, bool, error) {
	b, err := s.take(t.Context(), func(b []byte) int {
		i := bytes.IndexAny(b, "\r\n")
		switch {
		case i < 0 || b[i] == '\r' && i+1 == len(b):
			return -1
		case b[i] == '\r' && b[i+1] == '\n':
			return i + 2
		}
		return i + 1
	})
	if errors.Is(err, io.EOF) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	line := bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if len(line) == len(b) && len(b) >= maxUnread {
		return nil, false, groovy.Throw("IOException", "a line is longer than %d bytes", maxUnread)
	}
	return line, true, t.Alloc(len(line) + 16)
}
