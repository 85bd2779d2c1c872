package dhcp

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// packets reads a file of packets in hexadecimal; its own comment says how.
func packets(t *testing.T, file string) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, name := map[string][]byte{}, ""
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "== "); ok {
			name = n
			continue
		}
		for word := range strings.FieldsSeq(line) {
			word, times, repeated := strings.Cut(word, "*")
			b, err := hex.DecodeString(word)
			n := 1
			if repeated && err == nil {
				n, err = strconv.Atoi(times)
			}
			if err != nil || name == "" {
				t.Fatalf("%s: %s: %q: %v", file, name, line, err)
			}
			for range n {
				out[name] = append(out[name], b...)
			}
		}
	}
	return out
}

// TestReplayProxy replays what PXE clients send, byte for byte, to a server
// that is a proxy: firmware of virtual machines ignores proxies, so no other
// test has these packets from a real client.
func TestReplayProxy(t *testing.T) {
	all := packets(t, "testdata/pxe-clients.txt")
	n := rack()
	n.Mode = pool.SubnetProxy
	s := newServer(newMemory(), n)
	var seen []string
	s.Boot = func(e pool.BootEvent) { seen = append(seen, string(e.Stage)+" "+e.Detail) }
	broadcast := netip.MustParseAddrPort("255.255.255.255:68")
	client := netip.MustParseAddrPort("10.77.0.120:68")
	const url = "http://10.77.0.1:8080/boot/ipxe.efi"
	for _, tt := range []struct {
		packet string
		port   int
		want   dhcpv4.MessageType // none: silence
		file   string
		class  string
		vendor string // option 43
		event  string
	}{
		{"uefi-discover", 67, dhcpv4.MessageTypeOffer, "", "PXEClient", "", "dhcp.discover PXE, UEFI x86-64, UUID 7261636b-0000-4000-8000-000000006601"},
		{"uefi-request-elsewhere", 67, dhcpv4.MessageTypeNone, "", "", "", ""},
		{"uefi-request-4011", 4011, dhcpv4.MessageTypeAck, "ipxe.efi", "PXEClient", "060108ff", "dhcp.ack PXE, UEFI x86-64, UUID 7261636b-0000-4000-8000-000000006601"},
		{"bios-discover", 67, dhcpv4.MessageTypeOffer, "undionly.kpxe", "PXEClient", "060108ff", "dhcp.discover PXE, BIOS, UUID 7261636b-0000-4000-8000-000000006601"},
		{"bios-request-4011", 4011, dhcpv4.MessageTypeAck, "undionly.kpxe", "PXEClient", "060108ff", "dhcp.ack PXE, BIOS, UUID 7261636b-0000-4000-8000-000000006601"},
		{"bios-inform-4011", 4011, dhcpv4.MessageTypeAck, "undionly.kpxe", "PXEClient", "060108ff", "dhcp.ack PXE, BIOS, UUID 7261636b-0000-4000-8000-000000006601"},
		{"http-discover", 67, dhcpv4.MessageTypeOffer, url, "HTTPClient", "", "dhcp.discover HTTP boot, UEFI x86-64 HTTP, UUID 7261636b-0000-4000-8000-000000006601"},
		{"http-request-4011", 4011, dhcpv4.MessageTypeAck, url, "HTTPClient", "", "dhcp.ack HTTP boot, UEFI x86-64 HTTP, UUID 7261636b-0000-4000-8000-000000006601"},
		{"overloaded-discover", 67, dhcpv4.MessageTypeOffer, "undionly.kpxe", "PXEClient", "060108ff", "dhcp.discover PXE, BIOS, UUID 7261636b-0000-4000-8000-000000006601"},
		{"zero-uuid-discover", 67, dhcpv4.MessageTypeOffer, "", "PXEClient", "", "dhcp.discover PXE, UEFI x86-64"},
	} {
		p := all[tt.packet]
		if len(p) < headerLen {
			t.Fatalf("%s: %d bytes", tt.packet, len(p))
		}
		delete(all, tt.packet)
		at, to := arrival{src: netip.MustParseAddrPort("0.0.0.0:68"), dst: netip.MustParseAddr("255.255.255.255")}, broadcast
		if tt.port == proxyPort {
			at, to = arrival{src: client, dst: s.Addr, proxy: true}, client
		}
		seen = nil
		r, x, err := answered(t.Context(), s, p, at)
		if err != nil || (r == nil) != (tt.want == dhcpv4.MessageTypeNone) {
			t.Errorf("%s: %v, %v, want %s", tt.packet, r, err, tt.want)
			continue
		}
		if event := strings.Join(seen, "; "); event != tt.event {
			t.Errorf("%s: event %q, want %q", tt.packet, event, tt.event)
		}
		if r == nil {
			continue
		}
		vendor := hex.EncodeToString(r.GetOneOption(dhcpv4.OptionVendorSpecificInformation))
		uuid := r.GetOneOption(dhcpv4.OptionClientMachineIdentifier)
		if r.MessageType() != tt.want || !addr4(r.YourIPAddr).IsUnspecified() || r.BootFileName != tt.file || r.ClassIdentifier() != tt.class ||
			vendor != tt.vendor || x.to.to != to || len(uuid) != 17 || r.Options.Has(dhcpv4.OptionIPAddressLeaseTime) ||
			addr4(r.ServerIdentifier()) != s.Addr || tt.class == "PXEClient" && addr4(r.ServerIPAddr) != s.Addr {
			t.Errorf("%s: to %s, option 43 %s: %s", tt.packet, x.to.to, vendor, r.Summary())
		}
		if string(r.TransactionID[:]) != string(p[4:8]) || string(r.ClientHWAddr) != string(p[28:34]) || r.Flags != uint16(p[10])<<8|uint16(p[11]) {
			t.Errorf("%s: the answer is another client's: %s", tt.packet, r.Summary())
		}
	}
	for name := range all {
		t.Errorf("packet %s is not replayed", name)
	}
}
