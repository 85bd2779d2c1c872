package dhcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"appliance/pool"
)

// receiveBuffer holds some 10,000 DISCOVERs: a rack row after a power cut.
const receiveBuffer = 16 << 20

// socketOptions prepares a UDP socket that is bound to iface and may broadcast.
// SO_REUSEPORT is left off: two servers on one port would both answer.
func socketOptions(iface string) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		cerr := c.Control(func(fd uintptr) {
			f := int(fd)
			if err = unix.SetsockoptInt(f, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
				return
			}
			if unix.SetsockoptInt(f, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
				// Without the privilege the kernel gives what it allows.
				_ = unix.SetsockoptInt(f, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
			}
			if iface != "" {
				if err = unix.BindToDevice(f, iface); err != nil {
					err = fmt.Errorf("bind to interface %s: %w", iface, err)
				}
			}
		})
		if cerr != nil {
			return cerr
		}
		return err
	}
}

// joinGroup makes the network card pass frames to a multicast address. That
// says nothing to switches; see Advertiser.report.
func joinGroup(conn *packet.Conn, index int, group pool.MAC) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	mreq := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_MULTICAST, Alen: 6}
	copy(mreq.Address[:], group[:])
	cerr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptPacketMreq(int(fd), unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq)
	})
	return errors.Join(cerr, err)
}

// segmentSize appends the control message that makes the kernel cut a datagram
// into such of size bytes.
func segmentSize(b []byte, size int) []byte {
	b = binary.NativeEndian.AppendUint64(b, uint64(unix.CmsgLen(2))) // struct cmsghdr
	b = binary.NativeEndian.AppendUint32(b, unix.IPPROTO_UDP)
	b = binary.NativeEndian.AppendUint32(b, unix.UDP_SEGMENT)
	b = binary.NativeEndian.AppendUint16(b, uint16(size))
	return append(b, make([]byte, unix.CmsgSpace(2)-len(b))...)
}
