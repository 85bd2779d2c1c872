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

// socket is a java.net.Socket.
type socket struct {
	f      *folder
	c      net.Conn // nil: not connected
	wait   time.Duration
	in     *input
	out    *writer
	closed bool
}

// newSocket is new Socket() and new Socket(host, port).
func (f *folder) newSocket(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if f.checking() {
		return nil, unchecked("Socket")
	}
	s := &socket{f: f}
	switch len(args) {
	case 0:
		return s, nil
	case 2:
		return s, s.connect(t, args[0], args[1], 0)
	}
	return nil, groovy.Throw("GroovyRuntimeException", "Could not find matching constructor for: java.net.Socket")
}

// endpoint is a java.net.InetSocketAddress.
type endpoint struct {
	host groovy.Value
	port int64
}

func newEndpoint(_ *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	port, ok := groovy.Int(last(args))
	if !ok || len(args) > 2 {
		return nil, groovy.Throw("GroovyRuntimeException", "Could not find matching constructor for: java.net.InetSocketAddress")
	}
	if port < 0 || port > 65535 {
		return nil, groovy.Throw("IllegalArgumentException", "port out of range:%d", port)
	}
	e := &endpoint{"0.0.0.0", port}
	if len(args) == 2 {
		e.host = args[0]
	}
	return e, nil
}

// Type names the class.
func (*endpoint) Type() string { return "java.net.InetSocketAddress" }

// Get reads a property.
func (e *endpoint) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "port":
		return e.port, nil
	case "hostName", "hostString":
		return hostOf(e.host), nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses; Call knows no methods but the getters.
func (*endpoint) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call knows no methods.
func (*endpoint) Call(*groovy.Thread, string, []groovy.Value) (groovy.Value, error) {
	return nil, groovy.ErrNoMember
}

// hostOf is the name that a text or an InetAddress is dialled by.
func hostOf(v groovy.Value) string {
	switch v := v.(type) {
	case nil:
		return "127.0.0.1"
	case *address:
		return v.ip.String()
	}
	return groovy.Format(v)
}

// connect connects; its errors are Java's.
func (s *socket) connect(t *groovy.Thread, host, port groovy.Value, wait time.Duration) error {
	n, ok := groovy.Int(port)
	if !ok || n < 0 || n > 65535 {
		return groovy.Throw("IllegalArgumentException", "port out of range:%s", groovy.Format(port))
	}
	if s.c != nil || s.closed {
		return groovy.Throw("SocketException", "Socket is closed or already connected")
	}
	name := hostOf(host)
	d := net.Dialer{Timeout: wait}
	c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(name, strconv.FormatInt(n, 10)))
	if err != nil {
		return socketFault(t, name, err)
	}
	s.use(c)
	return nil
}

// use makes c the connection.
func (s *socket) use(c net.Conn) {
	s.c = c
	s.f.opened = append(s.f.opened, s)
	st := newStream()
	st.src = s
	s.in = bytesOf(st)
	s.out = outputTo(s)
}

// socketFault is an error of the network as Java's.
func socketFault(t *groovy.Thread, host string, err error) error {
	var dns *net.DNSError
	switch {
	case t.Context().Err() != nil:
		return t.Context().Err()
	case errors.As(err, &dns):
		return groovy.Throw("UnknownHostException", "%s", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return groovy.Throw("ConnectException", "Connection refused")
	case errors.Is(err, syscall.EHOSTUNREACH):
		return groovy.Throw("NoRouteToHostException", "No route to host")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return groovy.Throw("SocketTimeoutException", "connect timed out")
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return groovy.Throw("SocketTimeoutException", "connect timed out")
	}
	return groovy.Throw("SocketException", "%s", reason(err))
}

// SetReadDeadline and SetWriteDeadline end what waits for the connection.
func (s *socket) SetReadDeadline(when time.Time) error { return s.c.SetReadDeadline(when) }

// SetWriteDeadline ends what waits for the connection to take more.
func (s *socket) SetWriteDeadline(when time.Time) error { return s.c.SetWriteDeadline(when) }

// poll is what has come, without waiting.
func (s *socket) poll() []byte {
	_ = s.c.SetReadDeadline(time.Now().Add(time.Millisecond)) // of an open connection
	defer func() { _ = s.c.SetReadDeadline(time.Time{}) }()
	b := make([]byte, 64<<10)
	n, _ := s.c.Read(b) // a fault is told by the next read
	return b[:n]
}

// Read reads what has come; it waits until something has, as long as soTimeout says.
func (s *socket) Read(b []byte) (int, error) {
	if s.wait > 0 {
		_ = s.c.SetReadDeadline(time.Now().Add(s.wait)) // of an open connection
	}
	n, err := s.c.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, groovy.Throw("SocketTimeoutException", "Read timed out")
	case errors.Is(err, net.ErrClosed):
		return n, groovy.Throw("SocketException", "Socket closed")
	case errors.Is(err, syscall.ECONNRESET):
		return n, groovy.Throw("SocketException", "Connection reset")
	}
	return n, err
}

// Write writes.
func (s *socket) Write(b []byte) (int, error) { return s.c.Write(b) }

// Close closes the connection; once more is nothing.
func (s *socket) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.f.forget(s)
	if s.c != nil {
		_ = s.c.Close() // the other side may have
	}
	return nil
}

// Type names the class.
func (*socket) Type() string { return "java.net.Socket" }

// Get reads a property.
func (s *socket) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "closed":
		return s.closed, nil
	case "connected":
		return s.c != nil, nil
	case "soTimeout":
		return s.wait.Milliseconds(), nil
	case "inputStream", "outputStream":
		if s.c == nil || s.closed {
			return nil, groovy.Throw("SocketException", "%s", map[bool]string{true: "Socket is closed", false: "Socket is not connected"}[s.closed])
		}
		if id == "inputStream" {
			return s.in, nil
		}
		return s.out, nil
	case "port", "localPort":
		if s.c == nil {
			return int64(0), nil
		}
		a := s.c.RemoteAddr()
		if id == "localPort" {
			a = s.c.LocalAddr()
		}
		return int64(a.(*net.TCPAddr).Port), nil
	}
	return nil, groovy.ErrNoMember
}

// Set sets how long a read waits.
func (s *socket) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	switch id {
	case "soTimeout":
		ms, _ := groovy.Int(v)
		s.wait = time.Duration(min(max(ms, 0), 86400_000)) * time.Millisecond
	case "keepAlive", "tcpNoDelay", "reuseAddress":
	default:
		return groovy.ErrNoMember
	}
	return nil
}

// Call calls a method.
func (s *socket) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "connect":
		if len(args) == 0 {
			return nil, groovy.ErrNoMember
		}
		e, ok := args[0].(*endpoint)
		if !ok {
			return nil, groovy.ErrNoMember
		}
		ms := int64(0)
		if len(args) == 2 {
			ms, _ = groovy.Int(args[1])
		}
		return nil, s.connect(t, e.host, e.port, time.Duration(min(max(ms, 0), 86400_000))*time.Millisecond)
	case "close":
		return nil, s.Close()
	case "shutdownOutput":
		if c, ok := s.c.(*net.TCPConn); ok {
			return nil, c.CloseWrite()
		}
	case "withStreams":
		c, ok := last(args).(*groovy.Closure)
		if !ok {
			return nil, groovy.ErrNoMember
		}
		if s.c == nil || s.closed {
			return s.Get(t, "inputStream")
		}
		v, err := t.Call(c, s.in, s.out)
		return v, errors.Join(err, s.Close())
	case "leftShift":
		if s.c == nil || s.closed {
			return s.Get(t, "outputStream")
		}
		return s.out.Call(t, id, args)
	case "withCloseable":
		if c, ok := last(args).(*groovy.Closure); ok {
			v, err := t.Call(c, s)
			return v, errors.Join(err, s.Close())
		}
	}
	return nil, groovy.ErrNoMember
}
