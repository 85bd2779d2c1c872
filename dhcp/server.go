package dhcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"appliance/pool"
)

// Leases remembers who has which address. Errors wrap pool.Err….
type Leases interface {
	// LeaseAt returns the last lease of addr, run out or not, or its being declined.
	LeaseAt(ctx context.Context, addr netip.Addr) (pool.Lease, error)
	// Leases returns all of them.
	Leases(ctx context.Context) ([]pool.Lease, error)
	// BindAll stores each of ls durably before it returns, or says why not:
	// the MAC's only lease of that family from then on. ErrConflict: another
	// MAC holds the address, or it is declined.
	BindAll(ctx context.Context, ls []pool.Lease) []error
	// Unbind ends the lease of mac on addr.
	Unbind(ctx context.Context, mac pool.MAC, addr netip.Addr) error
	// Decline sets addr aside until the given time.
	Decline(ctx context.Context, addr netip.Addr, until time.Time) error
	// Forget removes what is stored of addr.
	Forget(ctx context.Context, addr netip.Addr) error
}

// Directory decides who is answered, and with what to boot.
type Directory interface {
	// Answer says what mac is told to boot. False: it gets no answer at all.
	Answer(ctx context.Context, mac pool.MAC, client pool.Client, subnet pool.Subnet) (pool.BootAnswer, bool, error)
}

// Server answers DHCPv4 and DHCPv6 on one interface, and for relay agents that
// send to it. All fields are set before Serve and not changed after; what is
// served can be changed by Configure at any time.
type Server struct {
	// Subnets are those served at first. The one that holds Addr is the interface's own.
	Subnets []pool.Subnet
	// Reservations are those made at run time, beside the subnets' own.
	Reservations []pool.Reservation
	// Interface is the network interface's name. Without one the server
	// answers relay agents and clients that have an address, probes nothing
	// and looks for no other server.
	Interface string
	// Addr is the server identifier (option 54): the interface's address.
	Addr netip.Addr
	// Addr6 is the interface's IPv6 address that clients reach the appliance
	// by; zero: no DHCPv6.
	Addr6 netip.Addr

	Leases    Leases
	Directory Directory

	// Log tells of what is refused and what is wrong; nil is silent.
	Log *slog.Logger
	// Boot observes what belongs to a machine's boot. It must not block.
	Boot func(pool.BootEvent)
	// OnForeign is told when another DHCP server appears on the wire, and when
	// it has gone. It must not block.
	OnForeign func(ForeignServer)
	// OnMode is told what a subnet with mode auto is from now on, and why. It must not block.
	OnMode func(subnet pool.Subnet, now pool.SubnetMode, why string)

	// Detect is how often the server looks for another one; 0 means a minute.
	Detect time.Duration

	once    sync.Once
	plan    atomic.Pointer[plan]
	book    *book
	prober  prober
	foreign foreign
	booting booting
	stats   counters
	change  sync.Mutex // one Configure at a time
	loadErr error
	mac6    pool.MAC // of the interface: the DHCPv6 server's identifier
}

const (
	shards   = 64 // goroutines that answer, each the same MACs
	perShard = 512
	holdFor  = 30 * time.Second // an offer nobody asks for is free again then
	asideFor = time.Hour        // a declined or squatted address is not given out for so long
)

// Listen opens the server's socket: UDP port 67 on one interface, with a
// receive buffer that holds a rack's worth of DISCOVERs. Linux, root.
func Listen(ctx context.Context, iface string) (*net.UDPConn, error) {
	return listen(ctx, iface, serverPort)
}

// ListenBoot opens the socket of the boot server of proxyDHCP, UDP port 4011.
func ListenBoot(ctx context.Context, iface string) (*net.UDPConn, error) {
	return listen(ctx, iface, proxyPort)
}

func listen(ctx context.Context, iface string, port int) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: socketOptions(iface)}
	conn, err := lc.ListenPacket(ctx, "udp4", fmt.Sprintf(":%d", port))
	if err != nil {
		return nil, fmt.Errorf("open DHCP socket on %s: %w", iface, err)
	}
	return conn.(*net.UDPConn), nil
}

// prepare reads the leases and the subnets, once.
func (s *Server) prepare(ctx context.Context) error {
	s.once.Do(func() {
		s.book = newBook()
		s.prober.init(s.book)
		all, err := s.Leases.Leases(context.WithoutCancel(ctx)) // what it returns is for good, not for who asked first
		if err != nil {
			s.loadErr = fmt.Errorf("read leases: %w", err)
			return
		}
		s.book.load(all)
		s.loadErr = s.configure(s.Subnets, s.Reservations)
	})
	return s.loadErr
}

// Configure changes what is served from now on; nothing is served when subnets
// is empty. Leases stay: one that no longer fits is refused when it is
// renewed. A subnet with mode auto that was served before keeps being what it
// was found to be while its leases run. Errors wrap pool.ErrInvalid and change
// nothing.
func (s *Server) Configure(ctx context.Context, subnets []pool.Subnet, reservations []pool.Reservation) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.configure(subnets, reservations)
}

func (s *Server) configure(subnets []pool.Subnet, more []pool.Reservation) error {
	s.change.Lock()
	defer s.change.Unlock()
	p, err := newPlan(subnets, more, s.Addr, s.Addr6)
	if err != nil {
		return err
	}
	before := s.plan.Load()
	for _, n := range p.networks {
		s.setMode(n, before)
	}
	s.book.plan(p, s.Addr)
	s.plan.Store(p)
	return nil
}

// now is the time; a variable of the tests' clock is time.Now itself.
func (s *Server) now() time.Time { return time.Now() }

// Serve answers requests that arrive on conns, port 67's first and then, if
// there is one, port 4011's, until ctx ends (nil) or one of them breaks. It
// owns conns and every goroutine it starts, and returns when all have ended.
func (s *Server) Serve(ctx context.Context, conns ...*net.UDPConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closeAll := func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}
	failed := func(err error) error { return fmt.Errorf("serve DHCP on %s: %w", s.Interface, err) }
	if err := s.prepare(ctx); err != nil {
		closeAll()
		return failed(err)
	}
	e, err := s.newEngine(ctx, conns)
	if err != nil {
		closeAll()
		return failed(err)
	}
	defer e.close()
	stop := context.AfterFunc(ctx, closeAll)
	defer stop()

	var g errgroup.Group
	side := func(f func() error) {
		g.Go(func() error {
			defer cancel() // without one of its parts the server might hand out what another one owns
			return f()
		})
	}
	if s.Interface != "" {
		s.foreign.start()
		side(func() error { return s.detect(ctx) })
		side(func() error { return e.probing.listen(ctx, &s.prober) })
	}
	var reads errgroup.Group
	for i := range conns {
		reads.Go(func() error {
			defer cancel()
			return e.read(ctx, i)
		})
	}
	e.start(ctx)
	readErr := reads.Wait()
	cancel()
	e.stop()
	err = errors.Join(readErr, g.Wait())
	closeAll()
	if err != nil {
		return failed(err)
	}
	return nil
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// Offers returns the addresses that are offered now.
func (s *Server) Offers() []pool.Lease {
	if s.plan.Load() == nil {
		return nil // not prepared yet
	}
	b := s.book
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []pool.Lease
	for _, o := range b.held {
		out = append(out, pool.Lease{MAC: o.who.mac, Address: o.addr, Start: o.until.Add(-holdFor), Expires: o.until})
	}
	return out
}

// Release ends the lease of an address, or its being declined, as a person
// asked for.
func (s *Server) Release(ctx context.Context, addr netip.Addr) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.Leases.Forget(ctx, addr); err != nil {
		return fmt.Errorf("release %s: %w", addr, err)
	}
	s.book.forget(addr)
	return nil
}
