package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"appliance/pool"
)

// link is a machine's network cable: down, nothing gets through and what was
// open hangs; cut, what was open is gone and nothing new is opened until
// connect.
type link struct {
	mu    sync.Mutex
	off   bool
	flaps int
	conns map[*cable]struct{}
}

// cable is a connection over the link.
type cable struct {
	net.Conn
	link *link
}

func (c *cable) Close() error {
	c.link.mu.Lock()
	delete(c.link.conns, c)
	c.link.mu.Unlock()
	return c.Conn.Close()
}

func (l *link) connect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.off = false
}

// cut closes what is open.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.off = true
	l.closeAll()
}

func (l *link) closeAll() {
	for c := range l.conns {
		_ = c.Conn.Close() // that is the point
	}
	clear(l.conns)
}

func (l *link) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flaps++
	l.closeAll()
}

func (l *link) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flaps--
}

var errNoLink = errors.New("network is down")

func (l *link) works() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.off && l.flaps == 0
}

// dial opens a connection from an address of the machine's own.
func (m *Machine) dial(ctx context.Context, network, to string) (net.Conn, error) {
	if !m.link.works() {
		return nil, errNoLink
	}
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: m.addr().AsSlice()}}
	var conn net.Conn
	var err error
	for range 100 { // the address was given to the kernel just now
		if conn, err = d.DialContext(ctx, network, to); !errors.Is(err, syscall.EADDRNOTAVAIL) || !pause(ctx, 20*time.Millisecond) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	c := &cable{Conn: conn, link: &m.link}
	m.link.mu.Lock()
	defer m.link.mu.Unlock()
	if m.link.off || m.link.flaps > 0 {
		return nil, errors.Join(errNoLink, conn.Close())
	}
	if m.link.conns == nil {
		m.link.conns = map[*cable]struct{}{}
	}
	m.link.conns[c] = struct{}{}
	return c, nil
}

func (m *Machine) addr() netip.Addr {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.address
}

// local makes addresses of machines the kernel's own, by one ip process that
// reads what to do: a route in the table local costs less than an address.
type local struct {
	cmd *exec.Cmd
	in  io.WriteCloser

	mu   sync.Mutex
	have map[netip.Prefix]bool
}

func openLocal(ctx context.Context) (*local, error) {
	cmd := exec.CommandContext(ctx, "ip", "-force", "-batch", "-")
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start ip: %w", err)
	}
	return &local{cmd: cmd, in: in, have: map[netip.Prefix]bool{}}, nil
}

// add returns before the kernel has the address.
func (l *local) add(p netip.Prefix) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.have[p] {
		return nil
	}
	l.have[p] = true
	if _, err := fmt.Fprintf(l.in, "route replace local %s dev lo table local\n", p); err != nil {
		return fmt.Errorf("%w: give %s to the kernel: %v", pool.ErrUnavailable, p, err)
	}
	return nil
}

// close takes back what was given to the kernel.
func (l *local) close() {
	_ = l.in.Close()
	_ = l.cmd.Wait() // killed with the rack, perhaps
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, "ip", "-force", "-batch", "-")
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return
	}
	for p := range l.have {
		_, _ = fmt.Fprintf(in, "route del local %s dev lo table local\n", p)
	}
	_ = in.Close()
	_ = cmd.Wait() // what is left is of no harm
}
