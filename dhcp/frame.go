package dhcp

import (
	"encoding/binary"
	"net"
	"net/netip"

	"appliance/pool"
)

// Ethernet types.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd
)

var broadcastMAC = pool.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ethernet returns a frame of the given type.
func ethernet(dst, src pool.MAC, kind uint16, payload []byte) []byte {
	b := make([]byte, 0, 14+len(payload))
	b = append(b, dst[:]...)
	b = append(b, src[:]...)
	b = binary.BigEndian.AppendUint16(b, kind)
	return append(b, payload...)
}

// udp4 returns an IPv4 packet (RFC 791) that carries a UDP datagram (RFC 768).
func udp4(src, dst netip.AddrPort, payload []byte) []byte {
	s, d := src.Addr().As4(), dst.Addr().As4()
	ip := make([]byte, 20, 28+len(payload))
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(payload)))
	copy(ip[12:], s[:])
	copy(ip[16:], d[:])
	binary.BigEndian.PutUint16(ip[10:], checksum(ip, 0))

	seg := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(seg, src.Port())
	binary.BigEndian.PutUint16(seg[2:], dst.Port())
	binary.BigEndian.PutUint16(seg[4:], uint16(8+len(payload)))
	seg = append(seg, payload...)
	sum := checksum(seg, pseudo(s[:], d[:], 17, len(seg)))
	if sum == 0 {
		sum = 0xffff // zero means "none" (RFC 768)
	}
	binary.BigEndian.PutUint16(seg[6:], sum)
	return append(ip, seg...)
}

// udpPayload returns the ports and payload of an unfragmented UDP datagram in
// an IPv4 packet. Checksums were the network card's business.
func udpPayload(p []byte) (srcPort, dstPort uint16, payload []byte, ok bool) {
	if len(p) < 20 || p[0]>>4 != 4 || p[9] != 17 || binary.BigEndian.Uint16(p[6:])&0x3fff != 0 {
		return 0, 0, nil, false
	}
	head := int(p[0]&15) * 4
	total := int(binary.BigEndian.Uint16(p[2:]))
	if head < 20 || total > len(p) || total < head+8 {
		return 0, 0, nil, false
	}
	seg := p[head:total]
	n := int(binary.BigEndian.Uint16(seg[4:]))
	if n < 8 || n > len(seg) {
		return 0, 0, nil, false
	}
	return binary.BigEndian.Uint16(seg), binary.BigEndian.Uint16(seg[2:]), seg[8:n], true
}

// pseudo is the sum of the pseudo header (RFC 768, RFC 8200, 8.1).
func pseudo(src, dst []byte, proto, length int) uint32 {
	return words(src) + words(dst) + uint32(proto) + uint32(length)
}

func words(b []byte) (sum uint32) {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

// checksum is the Internet checksum (RFC 1071) of b, started with sum.
func checksum(b []byte, sum uint32) uint16 {
	sum += words(b)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// macOf returns the address of an Ethernet interface.
func macOf(i *net.Interface) (pool.MAC, bool) {
	if len(i.HardwareAddr) != 6 {
		return pool.MAC{}, false
	}
	return pool.MAC(i.HardwareAddr), true
}
