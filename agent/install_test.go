package agent

import (
	"strings"
	"testing"

	"appliance/pool"
)

// The installed system asks for its address in the way that the agent in RAM
// got its own, and says who it is by its MAC.
func TestInstalledNetwork(t *testing.T) {
	for _, tt := range []struct {
		name    string
		sixOnly bool
		want    []string
		not     string
	}{
		{"IPv4", false, []string{"DHCP=ipv4", "IPv6AcceptRA=no", "ClientIdentifier=mac"}, "DHCPv6"},
		{"IPv6 only", true, []string{"DHCP=ipv6", "IPv6AcceptRA=yes", "DUIDType=link-layer"}, "ipv4"},
	} {
		got := personal{mac: pool.MAC{2, 0, 0, 0, 0, 1}, sixOnly: tt.sixOnly}.network()
		for _, w := range append(tt.want, "MACAddress=02:00:00:00:00:01") {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", tt.name, w, got)
			}
		}
		if strings.Contains(got, tt.not) {
			t.Errorf("%s: %q in\n%s", tt.name, tt.not, got)
		}
	}
}
