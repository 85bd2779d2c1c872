package tftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	pin "github.com/pin/tftp/v3"
)

// Ends of a transfer that are not success.
var (
	// ErrNotFound: there is no such file.
	ErrNotFound = errors.New("file not found")
	// ErrAborted: the client ended the transfer. Boot ROMs do so after they
	// have learnt a file's size: with no bytes sent it is no fault.
	ErrAborted = errors.New("client ended the transfer")
	// ErrTimeout: the client stopped answering.
	ErrTimeout = errors.New("client stopped answering")
	// ErrRead: the file could not be read to its end.
	ErrRead = errors.New("file cannot be read")
	// ErrStopped: the server was stopped.
	ErrStopped = errors.New("server is stopping")
)

// Transfer is one transfer that ended.
type Transfer struct {
	File   string // as served; as asked for when the name was refused
	Client netip.AddrPort
	Bytes  int64
	Took   time.Duration
	// Err is nil when the client acknowledged all of it. It wraps one of the
	// errors above and may say more than the client was told.
	Err error
}

// Server serves files. All fields are set before Serve and not changed after.
type Server struct {
	// FS holds the files. It may be nil where Open knows all of them.
	FS fs.FS
	// Open, if set, is asked before FS; an error that wraps fs.ErrNotExist
	// leaves the name to FS. It answers files that depend on who asks.
	Open func(ctx context.Context, name string, client netip.AddrPort) (fs.File, error)
	// Log is told of each transfer that ended, by the goroutine that served it.
	Log func(Transfer)
	// MaxTransfers bounds the transfers at one time; 0 means 256. A request
	// beyond it is dropped: the client asks again.
	MaxTransfers int

	counters struct{ malformed, refused, dropped atomic.Uint64 }
}

const (
	maxBlock     = 1468 // fits an Ethernet frame of 1500 with IPv4, UDP and TFTP headers: boot ROMs do not reassemble
	blockTimeout = time.Second
	blockTries   = 6
	maxTransfers = 256
)

// Stats counts requests that started no transfer.
type Stats struct {
	Malformed uint64 // not a request: dropped without an answer
	Refused   uint64 // writes and modes we do not have: answered with an error
	Dropped   uint64 // over MaxTransfers, or a repetition of a request in work
}

// Stats returns the counters as they are now.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{c.malformed.Load(), c.refused.Load(), c.dropped.Load()}
}

// Serve answers requests that arrive on conn until ctx ends (nil) or conn
// breaks. It owns conn and returns when every transfer has ended: those whose
// client still answers at their next block, the others after their last try,
// seven seconds at most. Data leaves from a port of its own for each transfer
// (RFC 1350, 4), by the address that the route to the client chooses.
func (s *Server) Serve(ctx context.Context, conn *net.UDPConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	limit := s.MaxTransfers
	if limit <= 0 {
		limit = maxTransfers
	}
	f := &front{conn: conn, server: s, limit: limit, active: map[netip.AddrPort]bool{}, closed: make(chan struct{}), died: make(chan error, 1)}
	p := pin.NewServer(func(name string, out io.ReaderFrom) error { return s.serve(ctx, f, name, out) }, nil)
	p.SetBlockSize(maxBlock)
	p.SetBlockSizeNegotiation(false) // it looks interfaces up for each request, and is 4 bytes off
	p.SetTimeout(blockTimeout)
	p.SetRetries(blockTries)
	p.SetHook(f)
	p.SetBackoff(func(int) time.Duration { return 0 })

	served := make(chan error, 1)
	go func() { served <- p.Serve(f) }() // ends by Shutdown below
	var died error
	select {
	case <-ctx.Done():
	case died = <-f.died:
	}
	cancel()
	closed := f.Close() // before Shutdown, which does not know the socket if Serve has not begun yet
	p.Shutdown()
	if err := errors.Join(<-served, died, closed); err != nil {
		return fmt.Errorf("serve TFTP: %w", err)
	}
	return nil
}

// serve is one transfer. The error it returns is what the client reads.
func (s *Server) serve(ctx context.Context, f *front, raw string, out io.ReaderFrom) (told error) {
	start := time.Now()
	t := Transfer{File: raw}
	x, ok := out.(pin.OutgoingTransfer)
	if !ok {
		return ErrRead
	}
	addr := x.RemoteAddr()
	t.Client = unmap(addr.AddrPort())
	defer f.done(t.Client)
	defer func() {
		t.Took = time.Since(start)
		if s.Log != nil {
			s.Log(t)
		}
	}()
	name, err := cleanName(raw)
	if err != nil {
		t.Err = fmt.Errorf("%w: %w", ErrNotFound, err)
		return err
	}
	t.File = name
	file, size, err := s.open(ctx, name, t.Client)
	if err != nil {
		t.Err = err
		if errors.Is(err, ErrNotFound) {
			return ErrNotFound
		}
		return ErrRead
	}
	defer func() { _ = file.Close() }() // it was only read
	x.SetSize(size)
	r := &reader{ctx: ctx, r: file}
	_, err = out.ReadFrom(r)
	t.Bytes = r.sent
	t.Err = ending(err, r.err)
	return nil // ReadFrom has told the client
}

// open returns the file and its size.
func (s *Server) open(ctx context.Context, name string, client netip.AddrPort) (fs.File, int64, error) {
	file, err := fs.File(nil), error(fs.ErrNotExist)
	if s.Open != nil {
		file, err = s.Open(ctx, name, client)
	}
	if s.FS != nil && errors.Is(err, fs.ErrNotExist) {
		file, err = s.FS.Open(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, fmt.Errorf("%w: %s", ErrNotFound, name)
	case err != nil:
		return nil, 0, fmt.Errorf("%w: %w", ErrRead, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, 0, errors.Join(fmt.Errorf("%w: %w", ErrRead, err), file.Close())
	case !info.Mode().IsRegular():
		return nil, 0, errors.Join(fmt.Errorf("%w: %s is no regular file", ErrNotFound, name), file.Close())
	}
	return file, info.Size(), nil
}

// ending turns what pin/tftp returned into one of our errors.
func ending(err, read error) error {
	var n net.Error
	switch {
	case err == nil:
		return nil
	case read != nil:
		return read
	case errors.As(err, &n) && n.Timeout():
		return ErrTimeout
	case strings.Contains(err.Error(), "code="): // an ERROR packet: pin/tftp has no type for it
		return ErrAborted
	}
	return fmt.Errorf("%w: %v", ErrAborted, err)
}

// reader feeds a transfer: it counts, ends with ctx, and keeps what went
// wrong from the client, to whom pin/tftp sends the error's text.
type reader struct {
	ctx  context.Context
	r    io.Reader
	sent int64
	err  error
}

func (r *reader) Read(b []byte) (int, error) {
	if r.ctx.Err() != nil {
		r.err = ErrStopped
		return 0, ErrStopped
	}
	n, err := r.r.Read(b)
	r.sent += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = fmt.Errorf("%w: %w", ErrRead, err)
		return n, ErrRead
	}
	return n, err
}
