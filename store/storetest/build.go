package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"appliance/pool"
)

// now is a time that a store can keep exactly.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// mac returns the n-th MAC.
func mac(n int) pool.MAC { return pool.MAC{0x52, 0x54, 0, byte(n >> 16), byte(n >> 8), byte(n)} }

// must stops the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails the test unless err is of the wanted kind; nil wants none.
func want(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error %v, want %v", what, err, kind)
	}
}

// discovered adds the n-th machine.
func discovered(t *testing.T, s Store, n int) pool.Machine {
	t.Helper()
	m, err := s.Discover(t.Context(), mac(n), pool.Client{Arch: pool.ArchBIOS}, now())
	must(t, err)
	return m
}

// enrolled adds the n-th machine with facts: one disk, DISK-n.
func enrolled(t *testing.T, s Store, n int) pool.Machine {
	t.Helper()
	m := discovered(t, s, n)
	m.Phase = pool.Enrolled
	m.Facts = &pool.Facts{At: now(), Arch: pool.AMD64, Firmware: pool.BIOS, CPU: pool.CPU{Cores: 2}, Memory: 2 << 30,
		Disks: []pool.Disk{{Name: "sda", Serial: serial(n), Size: 10 << 30, Type: "virtio"}}}
	m.Conditions = m.Conditions.With(pool.CondDirty, pool.True, "new", now())
	must(t, s.Apply(t.Context(), &pool.Change{Machines: []*pool.Machine{&m}}))
	return m
}

func serial(n int) string { return fmt.Sprintf("DISK-%d", n) }

// ready adds the n-th machine, wiped and in the pool.
func ready(t *testing.T, s Store, n int) pool.Machine {
	t.Helper()
	m := enrolled(t, s, n)
	m.Phase, m.Conditions = pool.Ready, m.Conditions.Without(pool.CondDirty)
	must(t, s.Apply(t.Context(), &pool.Change{Machines: []*pool.Machine{&m}, Wipes: []*pool.WipeRecord{wipe(m, n)}}))
	return m
}

func wipe(m pool.Machine, n int) *pool.WipeRecord {
	return &pool.WipeRecord{Machine: m.ID, Serial: serial(n), Method: "zero", Size: 10 << 30, At: now()}
}

// operation returns a new one on m.
func operation(m pool.Machine, kind pool.OpKind) *pool.Operation {
	return &pool.Operation{ID: pool.NewID("op"), Machine: m.ID, Kind: kind, Status: pool.Queued, By: "test",
		Token: pool.NewToken(), QueuedAt: now(), Deadline: now().Add(time.Hour)}
}
