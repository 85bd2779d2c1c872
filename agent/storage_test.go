package agent

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"appliance/pool"
)

// loop makes a loop device over an empty file.
func loop(t *testing.T) (device string, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "disk")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 64<<20)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "losetup", "-f", "--show", file).CombinedOutput()
	if err != nil {
		t.Skipf("no loop device: %v: %s", err, out)
	}
	device = strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "losetup", "-d", device).CombinedOutput(); err != nil {
			t.Errorf("losetup -d: %v: %s", err, out)
		}
	})
	return device, file
}

// dataRig is a machine whose disks are loop devices.
type dataRig struct {
	t     *testing.T
	names map[string]string // device by serial
	out   bytes.Buffer
	path  string
}

func newDataRig(t *testing.T, serials ...string) *dataRig {
	t.Helper()
	if os.Geteuid() != 0 || testing.Short() {
		t.Skip("needs root, loop devices and mount; make root-test runs it")
	}
	r := &dataRig{t: t, names: map[string]string{}, path: filepath.Join(t.TempDir(), "data")}
	for _, s := range serials {
		r.names[s], _ = loop(t)
	}
	t.Cleanup(func() { _ = unix.Unmount(r.path, 0) }) // as a rule it is not mounted
	return r
}

func (r *dataRig) disks(context.Context) []pool.Disk {
	var out []pool.Disk
	for serial, device := range r.names {
		d := pool.Disk{Name: filepath.Base(device), Serial: serial, Size: 64 << 20, Type: "virtio"}
		c, err := lookAtDisk(d)
		if err != nil {
			r.t.Error(err)
		}
		d.Content = c
		out = append(out, d)
	}
	return out
}

func (r *dataRig) bind(serial string, change func(*pool.StorageParams)) (pool.StorageResult, error) {
	p := pool.StorageParams{Name: "DATA", Serial: serial, UUID: pool.StorageUUID("in-1", "DATA"), Path: r.path, Format: true}
	if change != nil {
		change(&p)
	}
	b := &binder{disks: r.disks, out: &r.out}
	if p.Release {
		return pool.StorageResult{}, b.release(r.t.Context(), p)
	}
	return b.bind(r.t.Context(), p)
}

func code(err error) string {
	var c *pool.Cause
	if errors.As(err, &c) {
		return c.Code
	}
	return ""
}

func (r *dataRig) release(erase bool) {
	r.t.Helper()
	if _, err := r.bind("S1", func(p *pool.StorageParams) { p.Release, p.Erase = true, erase }); err != nil {
		r.t.Fatal(err)
	}
}

// TestDataDisk binds a real block device: formatted once, mounted again with
// what it holds, never formatted when it is not to be or holds something.
func TestDataDisk(t *testing.T) {
	r := newDataRig(t, "S1", "S2")
	res, err := r.bind("S1", nil)
	if err != nil || !res.Formatted || res.Serial != "S1" {
		t.Fatalf("first time: %+v, %v\n%s", res, err, r.out.String())
	}
	kept := filepath.Join(r.path, "row")
	if err := os.WriteFile(kept, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if res, err = r.bind("S1", nil); err != nil || res.Formatted {
		t.Errorf("while it is mounted: %+v, %v", res, err)
	}
	r.release(false)
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Errorf("released, and still there: %v", err)
	}
	// Another name in the plan does not matter: the data are found by their UUID.
	if res, err = r.bind("S2", func(p *pool.StorageParams) { p.Format = false }); err != nil || res.Formatted || res.Serial != "S1" {
		t.Errorf("again: %+v, %v", res, err)
	}
	if b, err := os.ReadFile(kept); err != nil || string(b) != "kept" {
		t.Errorf("what was written = %q, %v", b, err)
	}
	r.release(true)
	if c := r.disks(t.Context()); len(c[0].Content)+len(c[1].Content) != 0 {
		t.Errorf("erased disks hold %v", c)
	}
}

func TestDataDiskRefusals(t *testing.T) {
	r := newDataRig(t, "S1")
	device := r.names["S1"]
	if _, err := r.bind("S1", func(p *pool.StorageParams) { p.Format = false }); code(err) != "storage.missing" {
		t.Errorf("an empty disk that was formatted before = %v", err)
	}
	if _, err := r.bind("S9", nil); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("a disk that is not there = %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), "mkfs.ext4", "-q", "-L", "other", device).CombinedOutput(); err != nil {
		t.Fatalf("mkfs: %v: %s", err, out)
	}
	before, _, err := superblock(device)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.bind("S1", nil); code(err) != "storage.foreign" {
		t.Errorf("somebody else's disk = %v", err)
	}
	if after, label, err := superblock(device); err != nil || after != before || label != "other" {
		t.Errorf("it was written to: %s %s, %v", after, label, err)
	}
	if err := os.MkdirAll(r.path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := eraseEnds(device); err != nil {
		t.Fatal(err)
	}
	hidden := filepath.Join(r.path, "hidden")
	if err := os.WriteFile(hidden, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.bind("S1", nil); code(err) != "storage.path" {
		t.Errorf("a mount point with files = %v", err)
	}
	if err := os.Remove(hidden); err != nil {
		t.Fatal(err)
	}
	if _, err := r.bind("S1", nil); err != nil { // its file system was made before the mount point was looked at
		t.Fatal(err)
	}
	r.release(false)
}

// TestDataDiskCutOff: a file system that was cut off while it was made is made
// again; by its label it is told from one that holds data.
func TestDataDiskCutOff(t *testing.T) {
	r := newDataRig(t, "S1")
	if out, err := exec.CommandContext(t.Context(), "mkfs.ext4", "-q", "-U", pool.StorageUUID("in-1", "DATA"), "-L", labelNew, r.names["S1"]).CombinedOutput(); err != nil {
		t.Fatalf("mkfs: %v: %s", err, out)
	}
	if _, err := r.bind("S1", func(p *pool.StorageParams) { p.Format = false }); code(err) != "storage.missing" {
		t.Errorf("half a file system where data were = %v", err)
	}
	res, err := r.bind("S1", nil)
	if err != nil || !res.Formatted {
		t.Errorf("half a file system = %+v, %v", res, err)
	}
	r.release(false)
}

// TestDataDiskBesideABrokenOne: a disk that cannot be read keeps no data from
// being found on another; where they are not found it may have them.
func TestDataDiskBesideABrokenOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk")
	b := make([]byte, 4096)
	b[1024+56], b[1024+57], b[1024+104] = 0x53, 0xef, 0xab
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &binder{disks: func(context.Context) []pool.Disk {
		return []pool.Disk{{Name: "no-such-disk"}, {Name: filepath.Join("..", file)}}
	}}
	if own, all, err := r.own(t.Context(), "ab000000-0000-0000-0000-000000000000"); err != nil || len(own) != 1 || len(all) != 2 {
		t.Errorf("own = %v of %v, %v", own, all, err)
	}
	if own, _, err := r.own(t.Context(), "cd000000-0000-0000-0000-000000000000"); err == nil {
		t.Errorf("a disk that was not looked at is not it: %v", own)
	}
}
