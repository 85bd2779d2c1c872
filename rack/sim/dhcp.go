package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"
)

// errSilence means that no DHCP server answered in time.
var errSilence = errors.New("no DHCP server answers")

// exchanger is DHCP's client port, which all machines of a rack share.
type exchanger struct {
	conn *net.UDPConn

	mu      sync.Mutex
	waiting map[dhcpv4.TransactionID]chan *dhcpv4.DHCPv4
}

func openExchanger(ctx context.Context, iface string) (*exchanger, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		cerr := c.Control(func(fd uintptr) {
			err = errors.Join(
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
				unix.BindToDevice(int(fd), iface))
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20) // the usual size does for small racks
		})
		return errors.Join(cerr, err)
	}}
	conn, err := lc.ListenPacket(ctx, "udp4", ":68")
	if err != nil {
		return nil, fmt.Errorf("open DHCP client port on %s: %w", iface, err)
	}
	return &exchanger{conn: conn.(*net.UDPConn), waiting: map[dhcpv4.TransactionID]chan *dhcpv4.DHCPv4{}}, nil
}

// run hands answers to whom they are for, until ctx ends.
func (x *exchanger) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = x.conn.Close() })
	defer stop()
	b := make([]byte, 4096)
	for {
		n, err := x.conn.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p, err := dhcpv4.FromBytes(b[:n])
		if err != nil || p.OpCode != dhcpv4.OpcodeBootReply {
			continue
		}
		x.mu.Lock()
		ch := x.waiting[p.TransactionID]
		x.mu.Unlock()
		select {
		case ch <- p: // a nil channel takes nothing
		default:
		}
	}
}

// exchange sends a message of the machine's and waits for the answer.
func (m *Machine) exchange(ctx context.Context, req *dhcpv4.DHCPv4, want dhcpv4.MessageType, wait time.Duration) (*dhcpv4.DHCPv4, error) {
	x := m.rack.wire
	ch := make(chan *dhcpv4.DHCPv4, 4)
	x.mu.Lock()
	x.waiting[req.TransactionID] = ch
	x.mu.Unlock()
	defer func() {
		x.mu.Lock()
		delete(x.waiting, req.TransactionID)
		x.mu.Unlock()
	}()
	if m.link.works() {
		all := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), dhcpv4.ServerPort)
		if _, err := x.conn.WriteToUDPAddrPort(req.ToBytes(), all); err != nil && !errors.Is(err, syscall.ENOBUFS) {
			return nil, fmt.Errorf("send %s: %w", req.MessageType(), err)
		}
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case p := <-ch:
			if p.MessageType() == want && m.link.works() {
				return p, nil
			}
			if p.MessageType() == dhcpv4.MessageTypeNak {
				return nil, errSilence // from the start again
			}
		case <-t.C:
			return nil, errSilence
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
