package dhcp

import (
	"testing"

	"appliance/pool"
)

func TestUUIDOf(t *testing.T) {
	raw := "\x00\x6b\x63\x61\x72\x00\x00\x00\x40\x80\x00\x00\x00\x00\x00\x00\x01" // as SMBIOS has it
	for _, tt := range []struct {
		name string
		r    request
		ipxe bool
		want string
	}{
		{"firmware", request{uuid: []byte(raw)}, false, "7261636b-0000-4000-8000-000000000001"},
		{"iPXE", request{uuid: []byte("\x00rack\x00\x00\x40\x00\x80\x00\x00\x00\x00\x00\x00\x01")}, true, "7261636b-0000-4000-8000-000000000001"},
		{"client identifier", request{id: []byte(raw)}, false, "7261636b-0000-4000-8000-000000000001"},
		{"of a MAC", request{id: []byte{1, 2, 0, 0, 0, 0, 1}}, false, ""},
		{"zeros", request{uuid: make([]byte, 17)}, false, ""},
		{"short", request{uuid: []byte(raw)[:16]}, false, ""},
	} {
		if got := uuidOf(&tt.r, pool.Client{IPXE: tt.ipxe}); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
