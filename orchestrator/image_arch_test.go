package orchestrator

import (
	"strings"
	"testing"

	"appliance/pool"
)

// An image is never written to a machine of another architecture.
func TestImageOfAnotherArchitecture(t *testing.T) {
	disk := pool.Disk{Name: "sda", Serial: "S1", Size: 10 << 30}
	for _, arch := range []pool.Arch{pool.AMD64, pool.ARM64} {
		v := &view{op: &pool.Operation{Params: pool.OpParams{Image: "debian-12"}}, image: &pool.Image{Name: "debian-12", Arch: pool.AMD64, Size: 1 << 30}}
		v.m = &pool.Machine{ID: "m", Name: "m", Owned: []string{"S1"}, Facts: &pool.Facts{Arch: arch, Disks: []pool.Disk{disk}}}
		c := v.imageParams(&pool.Step{Name: stepImage, Task: &pool.Task{}})
		if (c == nil) != (arch == pool.AMD64) || c != nil && (c.Code != "image.arch" || !strings.Contains(c.Message, "arm64")) {
			t.Errorf("%s: %+v", arch, c)
		}
	}
}
