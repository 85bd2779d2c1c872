package pool_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"appliance/pool"
)

// TestChooseProperty holds invariant 10: the chosen disk is what the hint
// asks for, and an ambiguous choice is refused with the list.
func TestChooseProperty(t *testing.T) {
	chosen, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		disks := anyDisks(t)
		h := pool.DiskHint{
			Serial:  rapid.SampledFrom([]string{"", "", "S0", "none"}).Draw(t, "serial"),
			ByID:    rapid.SampledFrom([]string{"", "", "ata-S1"}).Draw(t, "by-id"),
			Type:    rapid.SampledFrom([]string{"", "", "ssd"}).Draw(t, "type"),
			MinSize: rapid.SampledFrom([]uint64{0, 2 << 30}).Draw(t, "min"),
			MaxSize: rapid.SampledFrom([]uint64{0, 20 << 30}).Draw(t, "max"),
		}
		fits := func(d pool.Disk) bool {
			return !d.ReadOnly && !d.Removable && d.Size > 0 && (h.Serial == "" || h.Serial == d.Serial) && (h.ByID == "" || h.ByID == d.ByID) &&
				(h.Type == "" || h.Type == d.Type) && d.Size >= h.MinSize && (h.MaxSize == 0 || d.Size <= h.MaxSize)
		}
		d, err := h.Choose(disks)
		if err == nil {
			chosen++
			if !fits(d) {
				t.Fatalf("Choose(%v) = %+v, which does not fit", h, d)
			}
			for _, o := range disks {
				if o.Serial != d.Serial && fits(o) && o.Size <= d.Size {
					t.Fatalf("Choose(%v) = %+v, but %+v is as good", h, d, o)
				}
			}
			return
		}
		refused++
		if !errors.Is(err, pool.ErrInvalid) {
			t.Fatalf("Choose = %v, want %v", err, pool.ErrInvalid)
		}
		for _, o := range disks {
			if (fits(o) || !slices.ContainsFunc(disks, fits)) && !strings.Contains(err.Error(), o.Serial) {
				t.Fatalf("Choose = %q, which does not list disk %s", err, o.Serial)
			}
		}
	})
	if (chosen == 0 || refused == 0) && !testing.Short() { // a short run draws too little
		t.Errorf("%d chosen and %d refused: the draw is one-sided", chosen, refused)
	}
}

func TestTemplateMatch(t *testing.T) {
	big := pool.Machine{Tags: []string{"ssd"}, Facts: &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: 4}, Memory: 7500 << 20,
		Disks: []pool.Disk{{Name: "sda", Serial: "A", Size: 100 << 30, Type: "ssd"}}}}
	for name, tt := range map[string]struct {
		t    pool.Template
		m    pool.Machine
		want []string
	}{
		"fits":            {pool.Template{Cores: 4, Memory: 8 << 30, Disk: 100 << 30, Tags: []string{"ssd"}, Arch: pool.AMD64}, big, nil},
		"asks nothing":    {pool.Template{}, big, nil},
		"not inventoried": {pool.Template{}, pool.Machine{}, []string{"never inventoried"}},
		"all too small": {pool.Template{Cores: 8, Memory: 16 << 30, Disk: 1 << 40, Arch: pool.ARM64, Tags: []string{"gpu"}}, big,
			[]string{"has 4 cores, wants 8", "has 7.3 GiB of memory, wants 16.0 GiB", "is amd64, wants arm64", "lacks tag gpu", "no disk matches size>=1.0 TiB"}},
		"target": {pool.Template{Target: pool.DiskHint{Type: "nvme"}}, big, []string{"no disk matches type=nvme; has sda (ssd, 100.0 GiB, serial A)"}},
	} {
		got := tt.t.Match(tt.m)
		if len(got) != len(tt.want) {
			t.Errorf("%s: Match = %q, want %q", name, got, tt.want)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], tt.want[i]) || strings.HasPrefix(got[i], "invalid") {
				t.Errorf("%s: Match[%d] = %q, want %q", name, i, got[i], tt.want[i])
			}
		}
	}
}

func TestTemplateCheck(t *testing.T) {
	for _, s := range pool.Shipped() {
		if err := s.Check(); err != nil {
			t.Errorf("shipped template: %v", err)
		}
	}
	for name, bad := range map[string]pool.Template{
		"no name":  {},
		"name":     {Name: "a b"},
		"line":     {Name: "a\nb"},
		"cores":    {Name: "a", Cores: -1},
		"arch":     {Name: "a", Arch: "mips"},
		"max disk": {Name: "a", Target: pool.DiskHint{MinSize: 2, MaxSize: 1}},
	} {
		if err := bad.Check(); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("%s: Check = %v, want %v", name, err, pool.ErrInvalid)
		}
	}
}

func TestNear(t *testing.T) {
	names := []string{"SMALL_LINUX", "MEDIUM_LINUX", "LARGE_LINUX", "GPU"}
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"SMAL_LINUX", []string{"SMALL_LINUX"}},
		{"medium_linux", []string{"MEDIUM_LINUX"}},
		{"gpus", []string{"GPU"}},
		{"nothing like it at all", nil},
		{"", nil},
	} {
		if got := pool.Near(tt.name, names); !cmp.Equal(got, tt.want) {
			t.Errorf("Near(%q) = %v, want %v", tt.name, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if got := pool.Near(name, []string{"zzz", name}); len(got) == 0 || got[0] != name {
			t.Fatalf("Near(%q) = %q, want the name itself first", name, got)
		}
	})
}

func TestBytes(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 30: "5.0 GiB", 1<<64 - 1: "16.0 EiB"} {
		if got := pool.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
}
