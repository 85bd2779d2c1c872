package pool_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"appliance/pool"
)

func disks(list ...pool.Disk) *pool.Facts { return &pool.Facts{Disks: list} }

func disk(serial string, gib uint64) pool.Disk {
	return pool.Disk{Name: "sd" + serial, Serial: serial, ByID: "scsi-" + serial, Size: gib << 30, Type: "hdd"}
}

func TestTemplateDisks(t *testing.T) {
	data := func(s pool.StorageTemplate) pool.Template {
		s.Name = "DATA"
		return pool.Template{Name: "T", Storage: []pool.StorageTemplate{s}}
	}
	for name, tt := range map[string]struct {
		t            pool.Template
		f            *pool.Facts
		system, data string
		fault        string
	}{
		"a named one is not the system's, small as it is": {data(pool.StorageTemplate{ByID: "scsi-a"}), disks(disk("a", 1), disk("b", 9)), "b", "a", ""},
		"by serial":                {data(pool.StorageTemplate{Serial: "b"}), disks(disk("a", 1), disk("b", 9)), "a", "b", ""},
		"the system's first":       {data(pool.StorageTemplate{Size: 5 << 30}), disks(disk("a", 1), disk("b", 9)), "a", "b", ""},
		"only the system's":        {data(pool.StorageTemplate{}), disks(disk("a", 1)), "", "", "storage template DATA"},
		"too small":                {data(pool.StorageTemplate{Size: 50 << 30}), disks(disk("a", 1), disk("b", 9)), "", "", "size>=50.0 GiB"},
		"two that do not differ":   {data(pool.StorageTemplate{}), disks(disk("a", 1), disk("b", 9), disk("c", 9)), "", "", "in storage template DATA"},
		"named, and not there":     {data(pool.StorageTemplate{Serial: "z"}), disks(disk("a", 1), disk("b", 9)), "", "", "serial=z"},
		"the only one is the data": {data(pool.StorageTemplate{Serial: "a"}), disks(disk("a", 1)), "", "", "no disk matches"},
	} {
		t.Run(name, func(t *testing.T) {
			system, data, err := tt.t.Disks(tt.f)
			if tt.fault != "" {
				if !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), tt.fault) {
					t.Fatalf("Disks = %v, want %q", err, tt.fault)
				}
				return
			}
			if err != nil || system.Serial != tt.system || data[0].Serial != tt.data {
				t.Errorf("Disks = %s, %v, %v; want %s, %s", system.Serial, data, err, tt.system, tt.data)
			}
		})
	}
}

// TestTemplateDisksApart: whatever disks a machine has, its system and its data
// never share one, and what is chosen may be written to.
func TestTemplateDisksApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []pool.Disk
		for i := range rapid.IntRange(0, 5).Draw(t, "disks") {
			d := disk(fmt.Sprint(i), uint64(rapid.IntRange(1, 4).Draw(t, "size")))
			d.ReadOnly = rapid.Bool().Draw(t, "ro")
			list = append(list, d)
		}
		tm := pool.Template{Name: "T", Disk: uint64(rapid.IntRange(0, 3).Draw(t, "system")) << 30}
		for i := range rapid.IntRange(0, 3).Draw(t, "storages") {
			s := pool.StorageTemplate{Name: fmt.Sprint("S", i), Size: uint64(rapid.IntRange(0, 3).Draw(t, "min")) << 30}
			if rapid.Bool().Draw(t, "named") {
				s.Serial = fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "serial"))
			}
			tm.Storage = append(tm.Storage, s)
		}
		system, data, err := tm.Disks(disks(list...))
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, d := range append(data, system) {
			if seen[d.Serial] || !d.Target() {
				t.Fatalf("disk %s twice, or not to be written to: %v, %v", d.Serial, system, data)
			}
			seen[d.Serial] = true
		}
	})
}

func TestStoring(t *testing.T) {
	tm := pool.Template{Name: "T", Storage: []pool.StorageTemplate{{Name: "A"}, {Name: "B"}}}
	if got, err := tm.Storing(""); err != nil || len(got.Storage) != 0 {
		t.Errorf("Storing nothing = %v, %v", got.Storage, err)
	}
	if got, err := tm.Storing("B"); err != nil || len(got.Storage) != 1 || got.Storage[0].Name != "B" || len(tm.Storage) != 2 {
		t.Errorf("Storing B = %v, %v", got.Storage, err)
	}
	if _, err := tm.Storing("C"); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "it has A, B") {
		t.Errorf("Storing C = %v", err)
	}
	host := pool.Machine{Driver: pool.DriverSSH, Facts: disks(disk("a", 100))}
	tm.Drivers = []pool.Driver{pool.DriverSSH}
	if no := tm.Match(host); len(no) != 2 || !strings.Contains(no[0], "not written to") {
		t.Errorf("a running host = %v", no)
	}
	if a, b := pool.StorageUUID("in-1", "A"), pool.StorageUUID("in-2", "A"); a == b || len(a) != 36 || a[14] != '8' {
		t.Errorf("UUIDs %s, %s", a, b)
	}
}
