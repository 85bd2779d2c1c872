package dhcp

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// TestExchanges compares answers, as text, with testdata/exchanges.txt.
// UPDATE_GOLDEN=1 rewrites that file; the diff is the review.
func TestExchanges(t *testing.T) {
	const (
		discover = dhcpv4.MessageTypeDiscover
		request  = dhcpv4.MessageTypeRequest
	)
	far := pool.Subnet{Prefix: rack().Prefix, First: ip("10.88.0.10"), Last: ip("10.88.0.20"), Router: ip("10.88.0.1")}
	far.Prefix, _ = ip("10.88.0.0").Prefix(24)
	mine := func(m pool.MAC, a string, left time.Duration) pool.Lease {
		return pool.Lease{MAC: m, Address: ip(a), Expires: time.Now().Add(left)}
	}
	declined := pool.Lease{Address: ip("10.77.0.105"), Expires: time.Now().Add(time.Hour), Declined: true}
	var b strings.Builder
	for _, tt := range []struct {
		name string
		kind dhcpv4.MessageType
		mac  pool.MAC
		mods []dhcpv4.Modifier
		have []pool.Lease
		dst  string
	}{
		{"BIOS PXE, fresh", discover, mac(1), []dhcpv4.Modifier{bios}, nil, ""},
		{"BIOS iPXE, fresh", discover, mac(1), []dhcpv4.Modifier{ipxe}, nil, ""},
		{"UEFI PXE, fresh", discover, mac(1), []dhcpv4.Modifier{efi}, nil, ""},
		{"UEFI HTTP boot, fresh", discover, mac(1), []dhcpv4.Modifier{httpBoot}, nil, ""},
		{"own lease run out", discover, mac(1), []dhcpv4.Modifier{efi}, []pool.Lease{mine(mac(1), "10.77.0.107", -time.Hour)}, ""},
		{"wants a free address", discover, mac(1), []dhcpv4.Modifier{efi, wants("10.77.0.103")}, nil, ""},
		{"wants another's address", discover, mac(1), []dhcpv4.Modifier{efi, wants("10.77.0.103")}, []pool.Lease{mine(mac(2), "10.77.0.103", time.Hour)}, ""},
		{"wants a declined address", discover, mac(1), []dhcpv4.Modifier{efi, wants("10.77.0.105")}, []pool.Lease{declined}, ""},
		{"wants our own address", discover, mac(1), []dhcpv4.Modifier{efi, wants("10.77.0.1")}, nil, ""},
		{"reservation", discover, mac(99), nil, nil, ""},
		{"known system", discover, mac(7), []dhcpv4.Modifier{system}, nil, ""},
		{"stranger that does not netboot", discover, mac(1), []dhcpv4.Modifier{system}, nil, ""},
		{"stranger behind a relay, not discovered", discover, mac(1), []dhcpv4.Modifier{bios, relayed("10.88.0.1")}, nil, ""},
		{"known machine behind a relay", discover, mac(7), []dhcpv4.Modifier{bios, relayed("10.88.0.1")}, nil, ""},
		{"relay of no subnet of ours", discover, mac(7), []dhcpv4.Modifier{bios, relayed("10.99.0.1")}, nil, ""},
		{"selecting", request, mac(1), []dhcpv4.Modifier{bios, wants("10.77.0.103"), from("10.77.0.1")}, nil, ""},
		{"selecting another server", request, mac(1), []dhcpv4.Modifier{bios, wants("10.77.0.103"), from("10.77.0.9")}, nil, ""},
		{"selecting what another got", request, mac(1), []dhcpv4.Modifier{bios, wants("10.77.0.103"), from("10.77.0.1")}, []pool.Lease{mine(mac(2), "10.77.0.103", time.Hour)}, ""},
		{"selecting outside the range", request, mac(1), []dhcpv4.Modifier{bios, wants("10.77.0.20"), from("10.77.0.1")}, nil, ""},
		{"reboot with its address", request, mac(7), []dhcpv4.Modifier{system, wants("10.77.0.103")}, []pool.Lease{mine(mac(7), "10.77.0.103", time.Hour)}, ""},
		{"reboot with another address", request, mac(7), []dhcpv4.Modifier{system, wants("10.77.0.104")}, []pool.Lease{mine(mac(7), "10.77.0.103", time.Hour)}, ""},
		{"reboot from another network", request, mac(7), []dhcpv4.Modifier{system, wants("192.168.1.4")}, nil, ""},
		{"reboot without record", request, mac(7), []dhcpv4.Modifier{system, wants("10.77.0.104")}, nil, ""},
		{"reboot from another network behind a relay", request, mac(7), []dhcpv4.Modifier{system, wants("192.168.1.4"), relayed("10.88.0.1")}, nil, ""},
		{"renewing", request, mac(7), []dhcpv4.Modifier{system, has("10.77.0.103")}, []pool.Lease{mine(mac(7), "10.77.0.103", time.Hour)}, "10.77.0.1"},
		{"renewing from behind a relay", request, mac(7), []dhcpv4.Modifier{system, has("10.88.0.13")}, []pool.Lease{mine(mac(7), "10.88.0.13", time.Hour)}, "10.77.0.1"},
		{"rebinding", request, mac(7), []dhcpv4.Modifier{system, has("10.77.0.103")}, []pool.Lease{mine(mac(7), "10.77.0.103", time.Hour)}, ""},
		{"renewing what another has", request, mac(7), []dhcpv4.Modifier{system, has("10.77.0.103")}, []pool.Lease{mine(mac(2), "10.77.0.103", time.Hour)}, "10.77.0.1"},
		{"inform", dhcpv4.MessageTypeInform, mac(7), []dhcpv4.Modifier{system, has("10.77.0.20")}, nil, ""},
		{"release", dhcpv4.MessageTypeRelease, mac(7), []dhcpv4.Modifier{has("10.77.0.103"), from("10.77.0.1")}, []pool.Lease{mine(mac(7), "10.77.0.103", time.Hour)}, "10.77.0.1"},
		{"agent", request, mac(7), []dhcpv4.Modifier{agent, wants("10.77.0.103"), from("10.77.0.1")}, nil, ""},
	} {
		s := newServer(newMemory(tt.have...), rack(), far)
		s.Directory = table{known: map[pool.MAC]bool{mac(7): true}}
		var events []string
		s.Boot = func(e pool.BootEvent) {
			events = append(events, fmt.Sprintf("event %s %s %s (%s)\n", e.MAC, e.Stage, e.Address, e.Detail))
		}
		a := arrival{dst: ip("255.255.255.255")}
		if tt.dst != "" {
			a.dst = ip(tt.dst)
		}
		req := msg(t, tt.kind, tt.mac, tt.mods...)
		resp, x, err := answered(t.Context(), s, req.ToBytes(), a)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		fmt.Fprintf(&b, "=== %s\n%s", tt.name, text(resp, x))
		for _, e := range events {
			b.WriteString(e)
		}
	}
	const file = "testdata/exchanges.txt"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("answers differ from %s (-want +got):\n%s", file, diff)
	}
}

// text is an answer, after it went over the wire, and where it goes.
func text(resp *dhcpv4.DHCPv4, x *exchange) string {
	if resp == nil {
		return "silence\n"
	}
	to := "to " + x.to.to.String()
	if !x.to.mac.IsZero() {
		to += " in a frame to " + x.to.mac.String()
	}
	return to + "\n" + strings.ReplaceAll(resp.Summary(), "\t", " ")
}
