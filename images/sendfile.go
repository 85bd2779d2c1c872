package images

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// bigSend is from where on a file is sent by a thread of its own.
	bigSend = 1 << 20
	// sendTurn is how long that thread sends before it looks whether the
	// connection was closed, and how long it waits for a client that takes nothing.
	sendTurn = 100 * time.Millisecond
	// stuckTime is how long a client may take nothing at all, in the middle of
	// what it asked for.
	stuckTime = 2 * time.Minute
)

// ReadFrom implements io.ReaderFrom: net/http comes here with what a handler
// copies. A big file is sent by sendfile, and the thread that does so waits in
// the kernel until the client has taken some: it goes on sooner than a
// goroutine that the network poller wakes. How many there are at a time is the
// Gate's business.
func (r *replayed) ReadFrom(src io.Reader) (int64, error) {
	lim, ok := src.(*io.LimitedReader)
	if !ok {
		return io.Copy(struct{ io.Writer }{r}, src)
	}
	f, ok := lim.R.(*os.File)
	if !ok {
		return io.Copy(struct{ io.Writer }{r}, src)
	}
	if lim.N < bigSend {
		if err := r.SetWriteDeadline(time.Now().Add(5 * stuckTime)); err != nil { // for all of it
			return 0, err
		}
		return r.TCPConn.ReadFrom(src)
	}
	sent, err := sendFile(r.TCPConn, f, lim.N, stuckTime)
	lim.N -= sent
	return sent, err
}

// Write writes what is no file; net/http clears the deadline after each answer.
func (r *replayed) Write(b []byte) (int, error) {
	if err := r.SetWriteDeadline(time.Now().Add(stuckTime)); err != nil {
		return 0, err
	}
	return r.TCPConn.Write(b)
}

// Write is as that of replayed.
func (r *replayedConn) Write(b []byte) (int, error) {
	if err := r.SetWriteDeadline(time.Now().Add(stuckTime)); err != nil {
		return 0, err
	}
	return r.Conn.Write(b)
}

// sendFile sends n bytes of f, from where it stands. The error is
// os.ErrDeadlineExceeded once the client has taken nothing for the time stuck.
func sendFile(c *net.TCPConn, f *os.File, n int64, stuck time.Duration) (sent int64, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	file, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	// Only full segments, until the end: Go sets TCP_NODELAY, by which the end
	// of each piece of sendfile's leaves at once, however short it is.
	if err := cork(raw, 1); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, cork(raw, 0)) }()
	for sent < n && err == nil {
		if err := c.SetWriteDeadline(time.Now().Add(stuck)); err != nil {
			return sent, err
		}
		var k int64
		var failed error
		outer := raw.Write(func(out uintptr) (done bool) {
			inner := file.Control(func(in uintptr) { k, done, failed = sendSome(int(out), int(in), n-sent) })
			sent += k
			failed = errors.Join(failed, inner)
			return done || failed != nil
		})
		err = errors.Join(failed, outer)
	}
	return sent, err
}

func cork(c syscall.RawConn, on int) error {
	var failed error
	err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, on) })
	return errors.Join(err, os.NewSyscallError("setsockopt", failed))
}

// sendSome sends for a turn. It is not done when the client took nothing.
func sendSome(out, in int, n int64) (sent int64, done bool, err error) {
	for end := time.Now().Add(sendTurn); sent < n && time.Now().Before(end); {
		k, err := unix.Sendfile(out, in, nil, int(min(n-sent, 4<<20)))
		sent += int64(max(k, 0))
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			ready, err := unix.Poll([]unix.PollFd{{Fd: int32(out), Events: unix.POLLOUT}}, int(sendTurn.Milliseconds()))
			if err != nil && !errors.Is(err, unix.EINTR) {
				return sent, true, os.NewSyscallError("poll", err)
			}
			if ready == 0 && err == nil {
				return sent, sent > 0, nil
			}
		case err != nil:
			return sent, true, os.NewSyscallError("sendfile", err)
		case k == 0:
			return sent, true, io.ErrUnexpectedEOF // the file became shorter
		}
	}
	return sent, true, nil
}
