package pool_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"appliance/pool"
)

// noon is the time of all tests.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// anyDisks draws some disks; serials may repeat between machines, not within one.
func anyDisks(t *rapid.T) []pool.Disk {
	var out []pool.Disk
	for i := range rapid.IntRange(0, 4).Draw(t, "disks") {
		d := pool.Disk{
			Name:      fmt.Sprintf("sd%c", 'a'+i),
			Serial:    fmt.Sprintf("S%d", i),
			ByID:      fmt.Sprintf("ata-S%d", i),
			Size:      rapid.SampledFrom([]uint64{0, 1 << 30, 10 << 30, 10 << 30, 40 << 30}).Draw(t, "size"),
			Type:      rapid.SampledFrom([]string{"nvme", "ssd", "hdd"}).Draw(t, "type"),
			ReadOnly:  rapid.IntRange(0, 9).Draw(t, "readOnly") == 0,
			Removable: rapid.IntRange(0, 9).Draw(t, "removable") == 0,
		}
		if rapid.Bool().Draw(t, "holds something") {
			d.Content = []string{"gpt: 3 partitions"}
		}
		out = append(out, d)
	}
	return out
}

// anyWiped draws which serials have a wipe record.
func anyWiped(t *rapid.T) func(string) bool {
	has := map[string]bool{}
	for i := range 4 {
		has[fmt.Sprintf("S%d", i)] = rapid.Bool().Draw(t, "wiped")
	}
	return func(s string) bool { return has[s] }
}

// anyMachine draws a machine, valid or not.
func anyMachine(t *rapid.T) pool.Machine {
	m := pool.Machine{
		ID:       "m-1",
		Phase:    rapid.SampledFrom(append(pool.Phases(), "", "broken")).Draw(t, "phase"),
		Instance: rapid.SampledFrom([]string{"", "i-1", "i-2"}).Draw(t, "instance"),
		Epoch:    rapid.Int64Range(0, 3).Draw(t, "epoch"),
	}
	if rapid.IntRange(0, 4).Draw(t, "facts") > 0 {
		age := rapid.SampledFrom([]time.Duration{0, time.Minute, 5 * time.Minute, 5*time.Minute + 1, time.Hour}).Draw(t, "age")
		m.Facts = &pool.Facts{At: noon.Add(-age), Disks: anyDisks(t)}
	}
	for _, c := range []pool.ConditionType{pool.CondDirty, pool.CondHold, pool.CondBroken, pool.CondProtected} {
		if rapid.IntRange(0, 4).Draw(t, string(c)) == 0 {
			m.Conditions = m.Conditions.With(c, pool.True, "drawn", noon)
		}
	}
	return m
}
