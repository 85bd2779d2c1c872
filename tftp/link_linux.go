package tftp

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// own is a connected socket for one transfer alone: the kernel drops what
// comes from anybody else and tells when the client's port is closed.
type own struct {
	conn  *net.UDPConn
	raw   syscall.RawConn
	v6    bool
	of    *Server
	rest  int       // packets that are not watched for
	vain  int       // watches in a row that saw nothing
	armed time.Time // the deadline that the socket has
	stop  func() bool
	done  <-chan struct{}

	flat    []byte
	headers []byte
	vec     [][]byte
	oob     []byte
}

// segments is the kernel's bound for one UDP_SEGMENT send (UDP_MAX_SEGMENTS),
// and oneSend that of a datagram's length.
const (
	segments = 64
	oneSend  = 65000
)

func newOwn(ctx context.Context, conn *net.UDPConn, of *Server) (*own, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	l := &own{conn: conn, raw: raw, of: of, done: ctx.Done()}
	if a, ok := conn.RemoteAddr().(*net.UDPAddr); ok {
		l.v6 = a.AddrPort().Addr().Unmap().Is6()
	}
	// A block that is too long for the path is an error here, not fragments there.
	level, name, value := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO
	if l.v6 {
		level, name, value = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO
	}
	var serr error
	err = raw.Control(func(fd uintptr) { serr = unix.SetsockoptInt(int(fd), level, name, value) })
	if err := errors.Join(err, serr); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// The end of ctx wakes a transfer that waits.
	l.stop = context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	return l, nil
}

func (l *own) packet(p []byte) error {
	_, err := l.conn.Write(p)
	return sizeError(err)
}

func (l *own) blocks(first uint16, data []byte, size, n int) error {
	for i := 0; i < n; {
		k := min(n-i, segments, max(1, oneSend/(size+4)))
		if k > 1 && !l.of.noSegments.Load() {
			err := l.segmented(first+uint16(i), data[i*size:min((i+k)*size, len(data))], size, k)
			if err == nil {
				i += k
				continue
			}
			if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EIO) && !errors.Is(err, unix.EMSGSIZE) && !errors.Is(err, unix.ENOPROTOOPT) {
				return err
			}
			// Either the kernel cannot, or the path has become too narrow:
			// a plain send tells which.
			if err := l.single(first+uint16(i), data[i*size:min((i+1)*size, len(data))]); err != nil {
				return err
			}
			l.of.noSegments.Store(true)
			i++
			continue
		}
		if err := l.single(first+uint16(i), data[i*size:min((i+1)*size, len(data))]); err != nil {
			return err
		}
		i++
	}
	return nil
}

func (l *own) single(n uint16, part []byte) error {
	l.flat = append(appendHeader(l.flat[:0], n), part...)
	return l.packet(l.flat)
}

// segmented sends k blocks by one system call: the kernel cuts what it is
// given at UDP_SEGMENT (udp(7)).
func (l *own) segmented(first uint16, data []byte, size, k int) error {
	if l.oob == nil {
		l.headers, l.vec = make([]byte, 4*segments), make([][]byte, 2*segments)
		l.oob = make([]byte, unix.CmsgSpace(2))
		binary.NativeEndian.PutUint64(l.oob, uint64(unix.CmsgLen(2))) // struct cmsghdr
		binary.NativeEndian.PutUint32(l.oob[8:], unix.IPPROTO_UDP)
		binary.NativeEndian.PutUint32(l.oob[12:], unix.UDP_SEGMENT)
	}
	binary.NativeEndian.PutUint16(l.oob[unix.CmsgLen(0):], uint16(size+4))
	for i := range k {
		h := l.headers[4*i : 4*i+4]
		h[1] = opDATA
		binary.BigEndian.PutUint16(h[2:], first+uint16(i))
		l.vec[2*i], l.vec[2*i+1] = h, data[i*size:min((i+1)*size, len(data))]
	}
	vec := l.vec[:2*k]
	if len(vec[2*k-1]) == 0 {
		vec = vec[:2*k-1]
	}
	var serr error
	err := l.raw.Write(func(fd uintptr) bool {
		_, serr = unix.SendmsgBuffers(int(fd), vec, l.oob, nil, 0)
		return !errors.Is(serr, unix.EAGAIN)
	})
	return errors.Join(err, serr)
}

func (l *own) receive(b []byte, until time.Time, slack time.Duration) (int, error) {
	// To set a deadline costs as much as a small read: one that is set and
	// ends a bit too early does as well.
	if early := until.Sub(l.armed); early < 0 || early > slack {
		if err := l.conn.SetReadDeadline(until); err != nil {
			return 0, err
		}
		l.armed = until
		select {
		case <-l.done: // its wake-up may have come before the deadline was set
			return 0, context.Canceled
		default:
		}
	}
	n, seen, err := l.watch(b)
	if !seen {
		n, err = l.conn.Read(b)
	}
	if err != nil {
		l.armed = time.Time{}
	}
	return n, err
}

const (
	// watchTime is how long a transfer watches for an answer before it sleeps.
	watchTime = 60 * time.Microsecond
	// maxWatched is how many transfers there may be beside it.
	maxWatched = 2
)

// watch looks for an answer for a moment: on a short way it is there sooner
// than a goroutine that sleeps would be awake, and lock-step is nothing but
// such waits. One transfer at a time does so, none while there are more than a
// few: the processors have better to do then. One that watched in vain does so
// ever more seldom.
func (l *own) watch(b []byte) (n int, seen bool, err error) {
	if l.rest > 0 {
		l.rest--
		return 0, false, nil
	}
	if l.of.counters.active.Load() > maxWatched || runtime.GOMAXPROCS(0) < 2 || !l.of.watching.CompareAndSwap(false, true) {
		return 0, false, nil
	}
	defer l.of.watching.Store(false)
	end := time.Now().Add(watchTime)
	rerr := l.raw.Read(func(fd uintptr) bool {
		for {
			n, err = unix.Read(int(fd), b)
			if !errors.Is(err, unix.EAGAIN) || !time.Now().Before(end) {
				return true
			}
		}
	})
	switch {
	case rerr != nil:
		return 0, true, rerr
	case errors.Is(err, unix.EAGAIN):
		l.vain = min(l.vain+1, 10)
		l.rest = 1 << l.vain
		return 0, false, nil
	}
	l.vain = 0
	return max(n, 0), true, err
}

// mtu asks the kernel for the path's MTU: the route's, or what routers have
// answered to an earlier packet.
func (l *own) mtu() (n int) {
	level, name := unix.IPPROTO_IP, unix.IP_MTU
	if l.v6 {
		level, name = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	_ = l.raw.Control(func(fd uintptr) {
		if v, err := unix.GetsockoptInt(int(fd), level, name); err == nil {
			n = v
		}
	})
	return n
}

func (l *own) close() {
	l.stop()
	_ = l.conn.Close() // nothing of it is in flight that matters
}

func sizeError(err error) error {
	if errors.Is(err, unix.EMSGSIZE) {
		return errSize
	}
	return err
}

// prepare sets what the server's own socket needs.
func (f *front) prepare() error {
	if a, ok := f.conn.LocalAddr().(*net.UDPAddr); ok {
		f.local = a.AddrPort().Addr()
	}
	raw, err := f.conn.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) {
		// A rack's requests arrive in one instant. Without the privilege the
		// system's own bound stays.
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
		}
		if f.local.IsUnspecified() { // say which address was asked
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	})
}

// arrivedAt returns the address that a request was sent to: its answers leave
// from there.
func (f *front) arrivedAt(oob []byte) netip.Addr {
	if !f.local.IsUnspecified() {
		return f.local.Unmap()
	}
	all, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.Addr{}
	}
	for _, m := range all {
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= 12:
			a, _ := netip.AddrFromSlice(m.Data[4:8]) // ipi_spec_dst: ours, also for a broadcast
			return a
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= 16:
			a, _ := netip.AddrFromSlice(m.Data[:16])
			return a.Unmap()
		}
	}
	return netip.Addr{}
}
