package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"appliance/pool"
)

// Neighbour is what a switch says of itself and of the port.
type Neighbour struct {
	Switch string
	Port   string
	TTL    time.Duration
}

// ParseLLDP reads an LLDP data unit (IEEE 802.1AB-2016, section 8): the
// payload of an Ethernet frame of type 0x88cc. System name and port
// description are preferred to the identifiers where they are sent. Errors
// wrap pool.ErrInvalid.
func ParseLLDP(b []byte) (Neighbour, error) {
	var n Neighbour
	var chassis, port string
	for i := 0; ; i++ {
		if len(b) < 2 {
			return n, fmt.Errorf("%w: LLDP: ends in the middle of a TLV", pool.ErrInvalid)
		}
		head := binary.BigEndian.Uint16(b)
		kind, length := head>>9, int(head&0x1ff)
		if len(b) < 2+length {
			return n, fmt.Errorf("%w: LLDP: TLV %d of %d bytes in %d", pool.ErrInvalid, kind, length, len(b)-2)
		}
		v := b[2 : 2+length]
		b = b[2+length:]
		// The first three are mandatory and in this order.
		if i < 3 && int(kind) != i+1 || kind >= 1 && kind <= 3 && length < 2 {
			return n, fmt.Errorf("%w: LLDP: TLV %d of %d bytes at place %d", pool.ErrInvalid, kind, length, i)
		}
		switch kind {
		case 0:
			if n.Switch == "" {
				n.Switch = chassis
			}
			if n.Port == "" {
				n.Port = port
			}
			return n, nil
		case 1:
			chassis = lldpID(v, 4, 5)
		case 2:
			port = lldpID(v, 3, 4)
		case 3:
			n.TTL = time.Duration(binary.BigEndian.Uint16(v)) * time.Second
		case 4:
			n.Port = lldpText(v)
		case 5:
			n.Switch = lldpText(v)
		}
	}
}

// lldpID reads an identifier whose first byte says of what kind it is.
func lldpID(v []byte, mac, address byte) string {
	id := v[1:]
	switch {
	case v[0] == mac && len(id) == 6:
		return net.HardwareAddr(id).String()
	case v[0] == address && len(id) > 1:
		if a, ok := netip.AddrFromSlice(id[1:]); ok { // after IANA's address family
			return a.String()
		}
	}
	return lldpText(id)
}

func lldpText(v []byte) string {
	return strings.TrimSpace(oneLine(strings.ToValidUTF8(strings.Trim(string(v), "\x00"), "?")))
}

// Listener hears the switches that the interfaces are plugged into.
type Listener struct {
	Log *slog.Logger

	mu    sync.Mutex
	heard map[string]heard
}

type heard struct {
	Neighbour
	until time.Time
}

// Neighbour returns what was heard last on an interface, until its time is up.
func (l *Listener) Neighbour(nic string) (Neighbour, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.heard[nic]
	return h.Neighbour, ok && time.Now().Before(h.until)
}

// Run listens on the named interfaces until ctx ends.
func (l *Listener) Run(ctx context.Context, nics []string) error {
	var g errgroup.Group
	for _, n := range nics {
		g.Go(func() error {
			if err := l.listen(ctx, n); err != nil {
				silent(l.Log).Warn("no LLDP", "nic", n, "err", err)
			}
			return nil
		})
	}
	return g.Wait()
}

const etherLLDP = 0x88cc

func (l *Listener) listen(ctx context.Context, nic string) (err error) {
	i, err := net.InterfaceByName(nic)
	if err != nil {
		return err
	}
	proto := uint16(etherLLDP>>8 | etherLLDP&0xff<<8) // network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	m := unix.PacketMreq{Ifindex: int32(i.Index), Type: unix.PACKET_MR_MULTICAST, Alen: 6}
	copy(m.Address[:], []byte{0x01, 0x80, 0xc2, 0, 0, 0x0e})
	if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: i.Index}); err != nil {
		return err
	}
	buf := make([]byte, 2048)
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for ctx.Err() == nil {
		if n, err := unix.Poll(poll, 1000); n < 1 || err != nil {
			continue
		}
		n, from, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			pause(ctx, time.Second) // the interface is down for a moment
			continue
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		l.frame(nic, buf[:n])
	}
	return nil
}

func (l *Listener) frame(nic string, b []byte) {
	n, err := ParseLLDP(b)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard == nil {
		l.heard = map[string]heard{}
	}
	l.heard[nic] = heard{n, time.Now().Add(n.TTL)}
}
