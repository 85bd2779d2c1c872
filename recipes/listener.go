package recipes

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"appliance/recipes/groovy"
)

// listener is a java.net.ServerSocket; scripts make one to see whether a port
// is free.
type listener struct {
	f      *folder
	l      *net.TCPListener
	wait   time.Duration
	closed bool
}

// newListener is new ServerSocket(port [, backlog [, address]]).
func (f *folder) newListener(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if f.checking() {
		return nil, unchecked("ServerSocket")
	}
	if len(args) == 0 || len(args) > 3 {
		return nil, groovy.Throw("GroovyRuntimeException", "Could not find matching constructor for: java.net.ServerSocket")
	}
	n, ok := groovy.Int(args[0])
	if !ok || n < 0 || n > 65535 {
		return nil, groovy.Throw("IllegalArgumentException", "Port value out of range: %s", groovy.Format(args[0]))
	}
	host := ""
	if len(args) == 3 && args[2] != nil {
		host = hostOf(args[2])
	}
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", net.JoinHostPort(host, strconv.FormatInt(n, 10)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, groovy.Throw("BindException", "%s", bindReason(err))
	case err != nil:
		return nil, groovy.Throw("SocketException", "%s", reason(err))
	}
	s := &listener{f: f, l: l.(*net.TCPListener)}
	f.opened = append(f.opened, s)
	return s, nil
}

func bindReason(err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return "Address already in use"
	}
	return reason(err)
}

// Close stops listening; once more is nothing.
func (s *listener) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.f.forget(s)
	return s.l.Close()
}

// Type names the class.
func (*listener) Type() string { return "java.net.ServerSocket" }

// Get reads a property.
func (s *listener) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "localPort":
		return int64(s.l.Addr().(*net.TCPAddr).Port), nil
	case "closed":
		return s.closed, nil
	case "bound":
		return true, nil
	}
	return nil, groovy.ErrNoMember
}

// Set sets how long accept waits.
func (s *listener) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	switch id {
	case "soTimeout":
		ms, _ := groovy.Int(v)
		s.wait = time.Duration(min(max(ms, 0), 86400_000)) * time.Millisecond
	case "reuseAddress":
	default:
		return groovy.ErrNoMember
	}
	return nil
}

// Call calls a method.
func (s *listener) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch {
	case id == "close":
		return nil, s.Close()
	case id == "accept" && len(args) == 0:
		return s.accept(t)
	case id == "withCloseable" && len(args) == 1:
		if c, ok := args[0].(*groovy.Closure); ok {
			v, err := t.Call(c, s)
			return v, errors.Join(err, s.Close())
		}
	}
	return nil, groovy.ErrNoMember
}

// accept waits for a connection, until the evaluation is ended.
func (s *listener) accept(t *groovy.Thread) (groovy.Value, error) {
	until := time.Time{}
	if s.wait > 0 {
		until = time.Now().Add(s.wait)
	}
	_ = s.l.SetDeadline(until) // of an open listener
	stop := context.AfterFunc(t.Context(), func() { _ = s.l.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c, err := s.l.Accept()
	switch {
	case t.Context().Err() != nil:
		return nil, t.Context().Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, groovy.Throw("SocketTimeoutException", "Accept timed out")
	case errors.Is(err, net.ErrClosed):
		return nil, groovy.Throw("SocketException", "Socket is closed")
	case err != nil:
		return nil, groovy.Throw("SocketException", "%s", reason(err))
	}
	conn := &socket{f: s.f}
	conn.use(c)
	return conn, nil
}
