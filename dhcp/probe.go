package dhcp

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/packet"

	"appliance/pool"
)

// probeTime is how long a fresh address is asked for: two ARP probes, the
// second after a third of it. RFC 5227 waits seconds; firmware does not.
const probeTime = 300 * time.Millisecond

// arp asks who uses addr by ARP probes (RFC 5227, 2.1.1): sender address
// zero, so that no cache on the wire is touched. It blocks for probeTime when
// nobody answers.
func (s *Server) arp(ctx context.Context, addr netip.Addr) (who pool.MAC, used bool, err error) {
	ifi, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return pool.MAC{}, false, err
	}
	self, _ := macOf(ifi)
	conn, err := packet.Listen(ifi, packet.Raw, etherARP, nil)
	if err != nil {
		return pool.MAC{}, false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	defer stop()

	ask := ethernet(broadcastMAC, self, etherARP, arpProbe(self, addr))
	buf := make([]byte, 1600)
	for _, wait := range []time.Duration{probeTime / 3, probeTime * 2 / 3} {
		if _, err := conn.WriteTo(ask, &packet.Addr{HardwareAddr: broadcastMAC[:]}); err != nil {
			return pool.MAC{}, false, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return pool.MAC{}, false, err
		}
		for {
			n, _, err := conn.ReadFrom(buf)
			if ctx.Err() != nil {
				return pool.MAC{}, false, ctx.Err()
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return pool.MAC{}, false, err
			}
			if mac, ok := arpUser(buf[:n], addr); ok && mac != self {
				return mac, true, nil
			}
		}
	}
	return pool.MAC{}, false, nil
}

// arpProbe returns an ARP request for addr (RFC 826) without sender address.
func arpProbe(self pool.MAC, addr netip.Addr) []byte {
	b := make([]byte, 28)
	binary.BigEndian.PutUint16(b, 1) // Ethernet
	binary.BigEndian.PutUint16(b[2:], etherIPv4)
	b[4], b[5] = 6, 4
	binary.BigEndian.PutUint16(b[6:], 1) // request
	copy(b[8:], self[:])
	t := addr.As4()
	copy(b[24:], t[:])
	return b
}

// arpUser returns who says, by any ARP packet, that it has addr.
func arpUser(frame []byte, addr netip.Addr) (pool.MAC, bool) {
	if len(frame) < 14+28 || binary.BigEndian.Uint16(frame[12:]) != etherARP {
		return pool.MAC{}, false
	}
	b := frame[14:]
	if binary.BigEndian.Uint16(b) != 1 || binary.BigEndian.Uint16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 {
		return pool.MAC{}, false
	}
	if netip.AddrFrom4([4]byte(b[14:18])) != addr {
		return pool.MAC{}, false
	}
	return pool.MAC(b[8:14]), true
}
