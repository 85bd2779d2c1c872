package dhcp

import (
	"encoding/hex"
	"net/netip"
	"strings"
)

// hostname returns a client's host name if it is one (RFC 1123, 2.1), and
// nothing otherwise: it reaches logs, pages and scripts.
func hostname(b []byte) string {
	s := strings.TrimRight(string(b), "\x00")
	if len(s) == 0 || len(s) > 63 {
		return ""
	}
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (c != '-' && c != '.' || i == 0 || i == len(s)-1) {
			return ""
		}
	}
	return s
}

// addr4 returns the address in ip, the unspecified one when there is none.
func addr4(ip []byte) netip.Addr {
	a, ok := netip.AddrFromSlice(ip)
	if !ok || !a.Unmap().Is4() {
		return netip.IPv4Unspecified()
	}
	return a.Unmap()
}

func hexText(b []byte) string { return hex.EncodeToString(b) }
