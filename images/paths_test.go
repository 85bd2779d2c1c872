package images

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

type memorySettings struct {
	mu sync.Mutex
	m  map[string]string
}

func (s *memorySettings) Setting(_ context.Context, key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[key]
	if !ok {
		return "", pool.ErrNotFound
	}
	return v, nil
}

func (s *memorySettings) SetSetting(_ context.Context, key, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]string{}
	}
	s.m[key] = value
	return nil
}

func TestChoosePath(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC) }
	plain, shim := pool.BootPath{NBP: NBPUEFI, Files: "http"}, pool.BootPath{NBP: NBPShim, Files: "tftp"}
	ipxe := pool.BootPath{NBP: NBPIPXE, Files: "http"}
	model := func(class string, r ...pool.PathRecord) pool.BootModel { return pool.BootModel{Class: class, Paths: r} }
	for _, tt := range []struct {
		name   string
		models []pool.BootModel
		want   pool.BootPath
	}{
		{"nothing known", nil, plain},
		{"the unsigned one was refused", []pool.BootModel{model("efi-x64", pool.PathRecord{Path: plain, Failed: 1, LastFailed: at(1)})}, shim},
		{"what worked", []pool.BootModel{model("efi-x64", pool.PathRecord{Path: plain, Failed: 1, LastFailed: at(1)}, pool.PathRecord{Path: shim, Worked: 3, LastWorked: at(2)})}, shim},
		{"what worked fails now", []pool.BootModel{model("efi-x64", pool.PathRecord{Path: plain, Failed: 1, LastFailed: at(1)}, pool.PathRecord{Path: shim, Worked: 3, LastWorked: at(2), Failed: 1, LastFailed: at(3)})}, ipxe},
		{"worked again after it failed", []pool.BootModel{model("efi-x64", pool.PathRecord{Path: plain, Failed: 1, LastFailed: at(1), Worked: 1, LastWorked: at(2)})}, plain},
		{"pinned, though it failed", []pool.BootModel{model("efi-x64", pool.PathRecord{Path: plain, Worked: 1, LastWorked: at(5)}, pool.PathRecord{Path: shim, Failed: 9, LastFailed: at(9), Pinned: true})}, shim},
		{"another class says what is refused", []pool.BootModel{model("efi-x64-http", pool.PathRecord{Path: plain, Failed: 1, LastFailed: at(1)})}, shim},
		{"another class says nothing of what works", []pool.BootModel{model("efi-x64-http", pool.PathRecord{Path: ipxe, Worked: 1, LastWorked: at(1)})}, plain},
		{"its model before its maker", []pool.BootModel{
			model("efi-x64", pool.PathRecord{Path: plain, Worked: 1, LastWorked: at(1)}),
			model("efi-x64", pool.PathRecord{Path: plain, Failed: 1, LastFailed: at(2)})}, plain},
	} {
		if got := ChoosePath("efi-x64", tt.models...); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	var all []pool.PathRecord
	for i, p := range Candidates("efi-x64") {
		all = append(all, pool.PathRecord{Path: p, Failed: 1, LastFailed: at(10 - i)})
	}
	if got := ChoosePath("efi-x64", model("efi-x64", all...)); got != all[len(all)-1].Path {
		t.Errorf("all failed: %+v, want the one that failed longest ago", got)
	}
	if got := ChoosePath(""); got.NBP != "" {
		t.Errorf("unknown class: %+v", got)
	}
}

// A machine with Secure Boot loads the unsigned program, is silent and asks
// again: it gets the signed one, and so does the next of its model. It outlives a restart.
func TestPathsLearn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memorySettings{}
		p := &Paths{Store: store}
		uefi := pool.Client{Arch: pool.ArchEFIx64, PXE: true}
		other := pool.MAC{2, 0, 0, 0, 0, 9}
		event := func(m pool.MAC, stage pool.BootStage, detail string) {
			p.Observe(pool.BootEvent{At: time.Now(), MAC: m, Stage: stage, Detail: detail})
		}
		if got := p.Path(mac, uefi, time.Now()); got.NBP != NBPUEFI {
			t.Fatalf("first: %+v", got)
		}
		if got := p.Path(mac, uefi, time.Now()); got.NBP != NBPUEFI {
			t.Fatalf("its REQUEST: %+v", got)
		}
		event(mac, pool.StageNBP, NBPUEFI)
		time.Sleep(30 * time.Second)
		if got := p.Path(mac, uefi, time.Now()); got.NBP != NBPShim {
			t.Fatalf("after a refusal: %+v", got)
		}
		event(mac, pool.StageNBP, NBPShim)
		time.Sleep(time.Second)
		event(mac, pool.StageNBP, "grubx64.efi")
		time.Sleep(time.Second)
		event(mac, pool.StageScript, "boot/02-00-00-00-00-01/grub.cfg")
		event(mac, pool.StageKernel, "kit/vmlinuz")
		if got := p.Path(other, uefi, time.Now()); got.NBP != NBPShim {
			t.Errorf("another of its maker: %+v", got)
		}
		if err := p.save(t.Context()); err != nil {
			t.Fatal(err)
		}
		again := &Paths{Store: store}
		if err := again.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := again.Path(other, uefi, time.Now()); got.NBP != NBPShim {
			t.Errorf("after a restart: %+v", got)
		}
		m := again.Models()
		if len(m) != 1 || m[0].Key != "nic 02:00:00" || len(m[0].Paths) != 2 || m[0].Stages[pool.StageScript].Count == 0 {
			t.Errorf("models %+v", m)
		}
	})
}

// A firmware that takes its address by HTTP Boot and fetches nothing may want
// HTTPS; one that fetched the program and refused it is not asked to.
func TestPathsLearnHTTPS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Paths{Store: &memorySettings{}}
		c := pool.Client{Arch: pool.ArchEFIx64HTTP, PXE: true, HTTP: true}
		event := func(m pool.MAC, stage pool.BootStage, detail string) {
			p.Observe(pool.BootEvent{At: time.Now(), MAC: m, Stage: stage, Detail: detail})
		}
		if got := p.Path(mac, c, time.Now()); got.TLS || got.NBP != NBPUEFI {
			t.Fatalf("first: %+v", got)
		}
		event(mac, pool.StageDiscover, "")
		event(mac, pool.StageLease, "")
		if got := p.Path(mac, c, time.Now()); got.TLS {
			t.Fatalf("a late copy of its request: %+v", got)
		}
		time.Sleep(20 * time.Second)
		want := pool.BootPath{NBP: NBPUEFI, Files: pool.FilesHTTP, TLS: true}
		if got := p.Path(mac, c, time.Now()); got != want {
			t.Fatalf("fetched nothing by HTTP: %+v", got)
		}
		if got := p.Path(mac, pool.Client{Arch: pool.ArchEFIx64, PXE: true}, time.Now()); got.NBP != NBPUEFI {
			t.Errorf("by PXE it gets %+v: nothing was refused there", got)
		}
		event(mac, pool.StageLease, "")
		other := pool.MAC{2, 9, 9, 1, 0, 9}
		p.Path(other, c, time.Now())
		event(other, pool.StageLease, "")
		event(other, pool.StageNBP, NBPUEFI)
		time.Sleep(20 * time.Second)
		if got := p.Path(other, c, time.Now()); got.TLS || got.NBP != NBPIPXE {
			t.Errorf("fetched and refused: %+v", got)
		}
	})
	https := site
	https.HTTPS = "https://10.77.0.1:8444"
	c := pool.Client{Arch: pool.ArchEFIx64HTTP, PXE: true, HTTP: true}
	if a, ok := Answer(c, pool.BootAgent, mac, https, pool.BootPath{NBP: NBPUEFI, Files: pool.FilesHTTP, TLS: true}); !ok || a.File != "https://10.77.0.1:8444/kit/snponly.efi" {
		t.Errorf("answer %+v", a)
	}
	if err := (&Paths{}).Pin("m", pool.ClassEFIx64, pool.BootPath{NBP: NBPUEFI, Files: pool.FilesHTTP, TLS: true}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("PXE pinned to HTTPS: %v", err)
	}
}

// Silence is a failure too, without the machine asking again; and iPXE that
// got an address and no script is given TFTP.
func TestPathsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Paths{Store: &memorySettings{}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		bios := pool.Client{Arch: pool.ArchBIOS, PXE: true}
		want := Candidates(pool.ClassBIOS)
		for i, w := range want {
			m := pool.MAC{2, 0, 0, 0, 1, byte(i)}
			got := p.Path(m, bios, time.Now())
			if got != w {
				t.Errorf("attempt %d: %+v, want %+v", i, got, w)
			}
			p.Observe(pool.BootEvent{At: time.Now(), MAC: m, Stage: pool.StageNBP, Detail: got.NBP})
			time.Sleep(5 * time.Second)
			p.Observe(pool.BootEvent{At: time.Now(), MAC: m, Stage: pool.StageIPXE})
			if in := p.Path(m, pool.Client{IPXE: true}, time.Now()); in != w {
				t.Errorf("iPXE of attempt %d: %+v, want %+v", i, in, w)
			}
			time.Sleep(2 * time.Minute)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		for _, r := range p.Models()[0].Paths {
			if r.Failed != 1 || r.Cause == "" {
				t.Errorf("record %+v, want one failure with a cause", r)
			}
		}
	})
}

func TestPathsBlackHole(t *testing.T) {
	p := &Paths{Store: &memorySettings{}}
	uefi := pool.Client{Arch: pool.ArchEFIx64, PXE: true}
	seen := map[int]bool{}
	for range 6 {
		got := p.Path(mac, uefi, time.Now())
		seen[got.Block] = true
		p.Observe(pool.BootEvent{At: time.Now(), MAC: mac, Stage: pool.StageError, Failed: true, Code: pool.CodeTimeout, Block: 1468, Resent: 5})
	}
	if !seen[512] {
		t.Error("small blocks were never tried")
	}
}

func TestPinAndImport(t *testing.T) {
	p := &Paths{Store: &memorySettings{}}
	uefi := pool.Client{Arch: pool.ArchEFIx64, PXE: true}
	shim := pool.BootPath{NBP: NBPShim, Files: pool.FilesTFTP}
	if err := p.Pin("nic 02:00:00", pool.ClassEFIx64, shim); err != nil {
		t.Fatal(err)
	}
	if got := p.Path(mac, uefi, time.Now()); got != shim {
		t.Errorf("pinned: %+v", got)
	}
	q := &Paths{Store: &memorySettings{}}
	if err := q.Import(p.Models()); err != nil {
		t.Fatal(err)
	}
	if got := q.Path(mac, uefi, time.Now()); got != shim {
		t.Errorf("imported: %+v", got)
	}
	for _, tt := range []struct {
		class string
		path  pool.BootPath
	}{
		{"vax", shim}, {pool.ClassBIOS, shim}, {pool.ClassEFIx64, pool.BootPath{NBP: NBPShim, Files: "nfs"}},
		{pool.ClassEFIx64, pool.BootPath{NBP: NBPShim, Files: "tftp", Block: 9000}}, {pool.ClassEFIx64, pool.BootPath{NBP: NBPShim, Files: "tftp", Window: -1}},
	} {
		if err := p.Pin("m", tt.class, tt.path); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("Pin(%s, %+v) = %v, want ErrInvalid", tt.class, tt.path, err)
		}
	}
	if err := p.Pin("nic 02:00:00", pool.ClassEFIx64, pool.BootPath{}); err != nil {
		t.Fatal(err)
	}
	if got := (&Paths{models: p.models}).Path(pool.MAC{2, 0, 0, 0, 0, 7}, uefi, time.Now()); got.NBP != NBPUEFI {
		t.Errorf("unpinned: %+v", got)
	}
}
