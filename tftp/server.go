package tftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
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
	// ErrMTU: the block size that was agreed on does not fit the path, as a
	// router said. The next request of the client gets smaller blocks.
	ErrMTU = errors.New("path MTU is too small")
	// ErrSend: the network refused a packet.
	ErrSend = errors.New("packet cannot be sent")
	// ErrRead: the file could not be read to its end.
	ErrRead = errors.New("file cannot be read")
	// ErrStopped: the server was stopped.
	ErrStopped = errors.New("server is stopping")
)

// Transfer is one transfer that ended.
type Transfer struct {
	File   string // as served; as asked for when the name was refused
	Client netip.AddrPort
	Size   int64 // of the file; 0 when it was not opened
	Bytes  int64 // that the client acknowledged
	Took   time.Duration
	Block  int // bytes in a block
	Window int // blocks in a window; 1 is lock-step
	Resent int // blocks that were sent again
	// Err is nil when the client acknowledged all of it. It wraps one of the
	// errors above and may say more than the client was told.
	Err error
}

// Limits bound what is granted to a client; 0 is no bound but the server's own.
type Limits struct {
	Block  int
	Window int
}

// Server serves files. All fields are set before Serve and not changed after.
type Server struct {
	// FS holds the files. It may be nil where Open knows all of them.
	FS fs.FS
	// Open, if set, is asked before FS; an error that wraps fs.ErrNotExist
	// leaves the name to FS. It answers files that depend on who asks.
	Open func(ctx context.Context, name string, client netip.AddrPort) (fs.File, error)
	// Limits, if set, says what a client is granted at most: what worked for
	// it before. It must not block.
	Limits func(client netip.AddrPort) Limits
	// Log is told of each transfer that ended, by the goroutine that served it.
	Log func(Transfer)
	// MaxTransfers bounds the transfers at one time; 0 means 1024. A request
	// beyond it is dropped: the client asks again. One address has half of
	// them at most.
	MaxTransfers int
	// SinglePort sends data from the server's port, for firewalls that let
	// nothing else through. It costs a copy and a lock for each packet.
	SinglePort bool

	noSegments atomic.Bool // the kernel refused UDP_SEGMENT
	watching   atomic.Bool // a transfer watches its socket; see own.watch
	counters   struct{ malformed, refused, dropped, repeated, active atomic.Uint64 }
}

const maxTransfers = 1024

func (s *Server) limit() int {
	if s.MaxTransfers > 0 {
		return s.MaxTransfers
	}
	return maxTransfers
}

// share is what one address may have of them.
func (s *Server) share() int { return (s.limit() + 1) / 2 }

// Stats counts requests that started no transfer, and transfers under way.
type Stats struct {
	Malformed uint64 // not a request: dropped without an answer
	Refused   uint64 // writes and modes we do not have: answered with an error
	Dropped   uint64 // over MaxTransfers, or one address's share of them
	Repeated  uint64 // repetitions of a request in work
	Active    uint64
}

// Stats returns the counters as they are now.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{c.malformed.Load(), c.refused.Load(), c.dropped.Load(), c.repeated.Load(), c.active.Load()}
}

// Serve answers requests that arrive on conn until ctx ends (nil) or conn
// breaks. It owns conn and returns when every transfer has ended: at once,
// for their clients are told. It may run for several sockets at a time.
//
// Data leaves from a port of its own for each transfer (RFC 1350, 4) and from
// the address that was asked.
func (s *Server) Serve(ctx context.Context, conn *net.UDPConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &front{conn: conn, server: s, active: map[netip.AddrPort]*session{}, by: map[netip.Addr]int{}}
	if err := f.prepare(); err != nil {
		return errors.Join(fmt.Errorf("serve TFTP: %w", err), conn.Close())
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err := f.read(ctx)
	ended := ctx.Err() != nil
	cancel()
	f.wg.Wait()
	closed := conn.Close() // after the transfers: some send on it
	if ended {
		return nil
	}
	return fmt.Errorf("serve TFTP: %w", errors.Join(err, closed))
}

// serve is one transfer, from its request on.
func (s *Server) serve(ctx context.Context, f *front, ss *session, req *request, client netip.AddrPort, local netip.Addr) {
	s.counters.active.Add(1)
	defer s.counters.active.Add(^uint64(0))
	start := time.Now()
	t := Transfer{File: req.name, Client: client}
	told := s.transfer(ctx, f, ss, req, local, &t)
	if told != nil {
		code := byte(codeNotFound)
		if errors.Is(told, ErrRead) {
			code = codeOther
		}
		f.refuse(client, code, told.Error())
	}
	t.Took = time.Since(start)
	if s.Log != nil {
		s.Log(t)
	}
}

// transfer serves a request and notes in t what came of it. The error it
// returns is what the client is still to be told.
func (s *Server) transfer(ctx context.Context, f *front, ss *session, req *request, local netip.Addr, t *Transfer) (told error) {
	name, err := cleanName(req.name)
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
	src, err := newSource(file, size, req.netascii)
	if err != nil {
		t.Err = err
		return ErrRead
	}
	defer src.close()
	t.Size = src.size
	l, err := f.openLink(ctx, ss, t.Client, local)
	if err != nil {
		t.Err = fmt.Errorf("%w: %w", ErrSend, err)
		return nil // the client asks again
	}
	defer l.close()
	x := &transfer{link: l, src: src, heard: &ss.heard}
	oack := x.negotiate(req, s.blockLimit(l, t.Client), s.windowLimit(t.Client))
	t.Err = x.run(ctx, oack)
	t.Block, t.Window, t.Bytes, t.Resent = x.block, x.window, x.bytes, x.resent
	return nil
}

// blockLimit is the largest block for a client: what its path takes in one
// packet, with IPv4 or IPv6, UDP and TFTP headers.
func (s *Server) blockLimit(l link, client netip.AddrPort) int {
	limit, headers := maxBlock, 20+8+4
	if client.Addr().Is6() {
		limit, headers = maxBlock-20, 40+8+4
	}
	if mtu := l.mtu(); mtu > 0 {
		limit = min(limit, mtu-headers)
	}
	if s.Limits != nil {
		if n := s.Limits(client).Block; n > 0 {
			limit = min(limit, n)
		}
	}
	return max(limit, minBlock)
}

func (s *Server) windowLimit(client netip.AddrPort) int {
	if s.Limits != nil {
		if n := s.Limits(client).Window; n > 0 {
			return min(n, maxWindow)
		}
	}
	return maxWindow
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
