package compute

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"appliance/pool"
)

func machine(id string, p pool.Phase, cores int, mem, disk uint64) pool.Machine {
	return pool.Machine{ID: id, Name: id, Phase: p, Facts: &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: cores}, Memory: mem << 30,
		Disks: []pool.Disk{{Name: "sda", Serial: "S" + id, Size: disk << 30, Type: "ssd"}}}}
}

func TestChoose(t *testing.T) {
	protected := machine("e", pool.Enrolled, 4, 8, 100)
	protected.Conditions = pool.Conditions{pool.CondProtected: {Value: pool.True}}
	machines := []pool.Machine{
		machine("a", pool.Ready, 32, 128, 1000),
		machine("b", pool.Ready, 4, 8, 100),
		machine("c", pool.Active, 4, 8, 100),
		machine("d", pool.Ready, 2, 8, 100),
		protected,
		{ID: "f", Name: "f", Phase: pool.Discovered},
	}
	want := pool.Template{Name: "T", Cores: 4, Memory: 8 << 30, Disk: 50 << 30}
	best, why, ok := Metal{}.Choose(want, machines)
	if !ok || best.ID != "b" {
		t.Fatalf("Choose = %s, %t; want b, the smallest that is large enough", best.ID, ok)
	}
	for id, text := range map[string]string{"c": Busy + "active", "d": "has 2 cores, wants 4", "e": "protected", "f": "never inventoried"} {
		if got := strings.Join(why[id], "; "); !strings.Contains(got, text) {
			t.Errorf("why not %s = %q, want %q", id, got, text)
		}
	}
	if _, _, ok := (Metal{}).Choose(pool.Template{Name: "X", Cores: 64}, machines); ok {
		t.Error("a machine with 64 cores was found among none")
	}
}

// TestChooseHolds: what is chosen is ready, fits, and nothing smaller does;
// every machine that is not ready or does not fit has a reason.
func TestChooseHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var machines []pool.Machine
		for i := range rapid.IntRange(0, 8).Draw(t, "machines") {
			machines = append(machines, machine(string(rune('a'+i)), rapid.SampledFrom(pool.Phases()).Draw(t, "phase"),
				rapid.IntRange(1, 8).Draw(t, "cores"), rapid.Uint64Range(1, 8).Draw(t, "memory"), rapid.Uint64Range(1, 8).Draw(t, "disk")))
		}
		want := pool.Template{Name: "T", Cores: rapid.IntRange(0, 8).Draw(t, "want"), Memory: rapid.Uint64Range(0, 8).Draw(t, "wantMemory") << 30}
		best, why, ok := Metal{}.Choose(want, machines)
		for _, m := range machines {
			fits := m.Phase == pool.Ready && len(want.Match(m)) == 0
			if fits && !ok {
				t.Fatalf("%s fits and nothing was chosen", m.ID)
			}
			if fits && m.Facts.CPU.Cores < best.Facts.CPU.Cores {
				t.Fatalf("%s is smaller than %s", m.ID, best.ID)
			}
			if fits == (len(why[m.ID]) > 0) {
				t.Fatalf("%s fits: %t, reasons: %v", m.ID, fits, why[m.ID])
			}
		}
		if ok && (best.Phase != pool.Ready || len(want.Match(best)) > 0) {
			t.Fatalf("%s was chosen and is %s: %v", best.ID, best.Phase, want.Match(best))
		}
	})
}
