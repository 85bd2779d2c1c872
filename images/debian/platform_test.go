package debian

import (
	"slices"
	"strings"
	"testing"

	"appliance/pool"
)

// An image for arm64 has no part for a BIOS, a root of its architecture's type,
// and leaves the serial line to the firmware's tables.
func TestPlatformARM64(t *testing.T) {
	p, err := platformOf(pool.ARM64)
	if err != nil {
		t.Fatal(err)
	}
	parts := p.partitions("k", minSize)
	if len(parts) != 2 || parts[0].Type != typeESP || parts[1].Type != typeRootARM64 || parts[1].Start != rootStart {
		t.Errorf("partitions %+v", parts)
	}
	if err := writeGPT(&memory{}, minSize, testGUID, parts); err != nil {
		t.Error(err)
	}
	if c := grubConfig(p, testGUID); strings.Contains(c, "serial") || strings.Contains(c, "console=") || !strings.Contains(c, "linux /vmlinuz root=UUID="+string(testGUID)) {
		t.Errorf("grub.cfg:\n%s", c)
	}
	if p.foreign() && !slices.ContainsFunc(p.needs(), func(n need) bool { return n.pkg == "qemu-user-static" }) {
		t.Error("nothing brings the emulator")
	}
	if x := amd64(t); len(x.partitions("k", minSize)) != 3 || !strings.Contains(grubConfig(x, testGUID), "console=ttyS0") {
		t.Error("amd64 lost its BIOS partition or its serial line")
	}
}
