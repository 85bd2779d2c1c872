package main

import (
	"context"
	"testing"
	"time"

	"appliance/images"
	"appliance/pool"
)

// TestNoKitForARM64: an appliance whose binary was built without a boot kit for
// arm64 tells of such a machine why it is not answered.
func TestNoKitForARM64(t *testing.T) {
	mac := pool.MAC{2, 0, 0, 0, 0, 1}
	var seen []pool.BootEvent
	d := &directory{paths: &images.Paths{}, see: func(e pool.BootEvent) { seen = append(seen, e) },
		states: &images.States{Read: func(context.Context, pool.MAC, bool) (pool.BootState, pool.Machine, error) {
			return pool.BootState{Known: true, Phase: pool.Enrolled}, pool.Machine{ID: "m"}, nil
		}}}
	for _, c := range []pool.Client{{Arch: pool.ArchEFIARM64, PXE: true}, {Arch: pool.ArchEFIARM64HTTP, PXE: true, HTTP: true}} {
		seen = nil
		if a, ok, err := d.Answer(t.Context(), mac, c, pool.Subnet{Discover: true}); ok || err != nil {
			t.Errorf("%+v: answered %+v, %v", c, a, err)
		}
		diagnosis, silent := pool.Explain(pool.Boot{Events: seen}, time.Now(), nil)
		if !silent || diagnosis.Rule != "arm-no-kit" {
			t.Errorf("%+v: events %+v are diagnosed as %q", c, seen, diagnosis.Rule)
		}
	}
	d.site.ARM64 = true
	if a, ok, err := d.Answer(t.Context(), mac, pool.Client{Arch: pool.ArchEFIARM64, PXE: true}, pool.Subnet{}); !ok || err != nil || a.File != images.NBPShimARM64 {
		t.Errorf("with a kit: %+v, %t, %v", a, ok, err)
	}
}
