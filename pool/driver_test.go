package pool_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"appliance/pool"
)

func TestTemplateDrivers(t *testing.T) {
	facts := &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: 4}, Memory: 8 << 30,
		Disks: []pool.Disk{{Name: "sda", Serial: "A", Size: 100 << 30, Type: "ssd"}}}
	metal := pool.Machine{Facts: facts, Zone: "hall-1", Rack: "r7"}
	host := pool.Machine{Driver: pool.DriverSSH, Facts: &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: 4}, Memory: 8 << 30}, Login: &pool.Login{Host: "a"}}
	node := host.Clone()
	node.Login.Template = "NODES"
	both := []pool.Driver{pool.DriverMetal, pool.DriverSSH}
	for name, tt := range map[string]struct {
		t    pool.Template
		m    pool.Machine
		want string
	}{
		"metal is the default":         {pool.Template{}, metal, ""},
		"a host is not the default":    {pool.Template{}, host, "is of driver ssh, wants metal"},
		"a host":                       {pool.Template{Drivers: both}, host, ""},
		"no disk is asked of a host":   {pool.Template{Drivers: both, Disk: 1 << 40}, host, ""},
		"a node of another template":   {pool.Template{Name: "T", Drivers: both}, node, "is a node of template NODES"},
		"a node of this template":      {pool.Template{Name: "NODES", Drivers: both}, node, ""},
		"preference":                   {pool.Template{Drivers: []pool.Driver{pool.DriverSSH, pool.DriverVM}}, metal, "is of driver metal, wants ssh, else vm"},
		"its zone":                     {pool.Template{Zone: "hall-1", Rack: "r7"}, metal, ""},
		"another zone":                 {pool.Template{Zone: "hall-2"}, metal, "is in zone hall-1, wants hall-2"},
		"another rack":                 {pool.Template{Rack: "r8"}, metal, "is in rack r7, wants r8"},
		"nobody said where it stands":  {pool.Template{Drivers: both, Zone: "hall-2"}, host, "is in no zone, wants hall-2"},
		"a virtual machine is not ssh": {pool.Template{Drivers: both}, pool.Machine{Driver: pool.DriverVM, Facts: facts}, "is of driver vm"},
	} {
		got := strings.Join(tt.t.Match(tt.m), "; ")
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: Match = %q, want %q", name, got, tt.want)
		}
	}
}

func TestTemplateCheckDrivers(t *testing.T) {
	store := func(s pool.StorageTemplate) pool.Template {
		return pool.Template{Name: "T", Storage: []pool.StorageTemplate{s}}
	}
	for name, tt := range map[string]struct {
		t    pool.Template
		want string
	}{
		"order":          {pool.Template{Name: "T", Drivers: []pool.Driver{"metal", "vm"}}, ""},
		"unknown":        {pool.Template{Name: "T", Drivers: []pool.Driver{"cloud"}}, `driver "cloud"`},
		"twice":          {pool.Template{Name: "T", Drivers: []pool.Driver{"vm", "vm"}}, "named twice"},
		"storage":        {store(pool.StorageTemplate{Name: "DATA", Path: "/srv/data"}), ""},
		"no name":        {store(pool.StorageTemplate{Path: "/srv/data"}), "storage template name"},
		"relative":       {store(pool.StorageTemplate{Name: "D", Path: "srv"}), "clean absolute path"},
		"not clean":      {store(pool.StorageTemplate{Name: "D", Path: "/srv/../etc"}), "clean absolute path"},
		"blank":          {store(pool.StorageTemplate{Name: "D", Path: "/srv/a b"}), "clean absolute path"},
		"the system's":   {store(pool.StorageTemplate{Name: "D", Path: "/var"}), "belongs to the system"},
		"below the":      {store(pool.StorageTemplate{Name: "D", Path: "/etc/x"}), "belongs to the system"},
		"file system":    {store(pool.StorageTemplate{Name: "D", Path: "/srv/x", FileSystem: "ntfs"}), "want ext4"},
		"storage, twice": {pool.Template{Name: "T", Storage: []pool.StorageTemplate{{Name: "D", Path: "/srv/a"}, {Name: "D", Path: "/srv/b"}}}, "named twice"},
	} {
		err := tt.t.Check()
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: Check = %v, want %q", name, err, tt.want)
		}
	}
}

// TestHostRules: a running host is ready without a wipe, is never wiped, and
// keeps its driver; a virtual machine may be made for its owner at once.
func TestHostRules(t *testing.T) {
	now := time.Now()
	full := &pool.Facts{At: now, Disks: []pool.Disk{{Name: "sda", Serial: "A", Size: 1 << 30, Content: []string{"gpt: 3 partitions"}}}}
	none := func(string) bool { return false }
	host := pool.Machine{ID: "m-1", Driver: pool.DriverSSH, Phase: pool.Enrolled, Facts: full}
	next := host
	next.Phase = pool.Ready
	if err := pool.CheckMachine(&host, next, none); err != nil {
		t.Errorf("a host with full disks is not ready: %v", err)
	}
	if c := pool.Protect(host, none, false, now); c.Is(pool.CondProtected) || c.Is(pool.CondDirty) {
		t.Errorf("Protect = %v: a host's disks are its own", c)
	}
	op := pool.Operation{ID: "op-1", Kind: pool.OpWipe, Status: pool.Running, Machine: "m-1", Token: "t"}
	if _, err := pool.MayWipe(host, op, "t", []string{"A"}, now); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("MayWipe of a host = %v, want %v", err, pool.ErrConflict)
	}
	next.Driver = ""
	if err := pool.CheckMachine(&host, next, none); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("a host became metal: %v", err)
	}
	vm := pool.Machine{ID: "m-2", Driver: pool.DriverVM, Phase: pool.Reserved, Instance: "in-1"}
	if err := pool.CheckMachine(nil, vm, none); err != nil {
		t.Errorf("a virtual machine for its owner: %v", err)
	}
	vm.Instance = ""
	if err := pool.CheckMachine(nil, vm, none); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("a virtual machine for nobody: %v", err)
	}
	vm.Driver, vm.Instance = pool.DriverMetal, "in-1"
	if err := pool.CheckMachine(nil, vm, none); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("metal from nowhere: %v", err)
	}
}

func TestHostState(t *testing.T) {
	broken := pool.Conditions{pool.CondBroken: {Value: pool.True}}
	for _, tt := range []struct {
		p    pool.Phase
		c    pool.Conditions
		want pool.HostState
	}{
		{pool.Discovered, nil, ""}, {pool.Discovered, broken, pool.HostInvalid}, {pool.Enrolled, broken, pool.HostInvalid},
		{pool.Enrolled, nil, ""}, {pool.Ready, nil, pool.HostFree}, {pool.Reserved, nil, pool.HostAllocated},
		{pool.Active, broken, pool.HostAllocated}, {pool.Retired, nil, pool.HostTerminated},
	} {
		if got := (pool.Machine{Phase: tt.p, Conditions: tt.c}).HostState(); got != tt.want {
			t.Errorf("%s %v: HostState = %q, want %q", tt.p, tt.c, got, tt.want)
		}
	}
}
