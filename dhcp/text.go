package dhcp

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"appliance/pool"
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

// uuidOf returns the client's UUID as SMBIOS tools write it: that of option 97
// (RFC 4578, 2.3), else a client identifier of the same form. "" when it sent
// none, or one of all zeros or ones, which boards without one have.
func uuidOf(r *request, c pool.Client) string {
	for _, v := range [][]byte{r.uuid, r.id} {
		if len(v) != 17 || v[0] != 0 {
			continue
		}
		u := slices.Clone(v[1:])
		if (u[0] == 0 || u[0] == 0xff) && !slices.ContainsFunc(u, func(b byte) bool { return b != u[0] }) {
			continue
		}
		if !c.IPXE { // firmware sends the structure of SMBIOS, whose first fields are little-endian
			slices.Reverse(u[:4])
			slices.Reverse(u[4:6])
			slices.Reverse(u[6:8])
		}
		h := hex.EncodeToString(u)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	}
	return ""
}
