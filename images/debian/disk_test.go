package debian

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/diskfs/go-diskfs"
	"github.com/diskfs/go-diskfs/partition/gpt"

	"appliance/pool"
)

const testGUID guid = "5CA3360B-5DE6-4FCF-B4CE-419CEE433B51"

func testParts() []partition {
	return []partition{
		{typeBIOSBoot, derived("k", "1"), "bios", biosStart, biosSize},
		{typeESP, derived("k", "2"), "esp", espStart, espSize},
		{typeRootAMD64, derived("k", "3"), "root", rootStart, 34 * mib / sector},
	}
}

// An independent reader accepts the table and both of its checksums.
func TestWriteGPT(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk.img")
	const size = 128 * mib
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if err := writeGPT(f, size, testGUID, testParts()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	disk, err := diskfs.Open(file, diskfs.WithOpenMode(diskfs.ReadOnly))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := disk.GetPartitionTable()
	if err != nil {
		t.Fatal(err)
	}
	table, ok := raw.(*gpt.Table)
	if !ok {
		t.Fatalf("table is %T, want GPT", raw)
	}
	if !strings.EqualFold(table.GUID, string(testGUID)) || !table.ProtectiveMBR {
		t.Errorf("disk GUID %s, protective MBR %v", table.GUID, table.ProtectiveMBR)
	}
	for i, want := range testParts() {
		got := table.Partitions[i]
		if !strings.EqualFold(string(got.Type), string(want.Type)) || !strings.EqualFold(got.GUID, string(want.ID)) ||
			got.Name != want.Name || int64(got.Start) != want.Start || int64(got.End) != want.Start+want.Size-1 {
			t.Errorf("partition %d = %+v, want %+v", i+1, got, want)
		}
	}
	if err := table.Verify(disk.Backend, size); err != nil {
		t.Errorf("verify backup table: %v", err)
	}
}

func TestWriteGPTRefuses(t *testing.T) {
	for name, parts := range map[string][]partition{
		"overlap":   {{typeESP, testGUID, "a", 2048, 2048}, {typeRootAMD64, testGUID, "b", 4095, 10}},
		"too long":  {{typeRootAMD64, testGUID, "a", 2048, 1 << 20}},
		"in table":  {{typeRootAMD64, testGUID, "a", 10, 100}},
		"bad GUID":  {{typeRootAMD64, "xyz", "a", 2048, 100}},
		"long name": {{typeRootAMD64, testGUID, strings.Repeat("n", 37), 2048, 100}},
	} {
		if err := writeGPT(&memory{}, 64*mib, testGUID, parts); err == nil {
			t.Errorf("%s: writeGPT = nil error", name)
		}
	}
}

// memory is a disk that grows as it is written.
type memory struct{ data []byte }

func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	if need := int(at) + len(p); need > len(m.data) {
		m.data = append(m.data, make([]byte, need-len(m.data))...)
	}
	return copy(m.data[at:], p), nil
}

func TestInstallBIOS(t *testing.T) {
	boot := bytes.Repeat([]byte{0x11}, sector)
	core := bytes.Repeat([]byte{0x22}, 3*sector+100)
	disk := &memory{data: bytes.Repeat([]byte{0x33}, sector)}
	if err := installBIOS(disk, boot, core, 2048, 2048); err != nil {
		t.Fatal(err)
	}
	mbr := disk.data[:sector]
	if got := binary.LittleEndian.Uint64(mbr[0x5c:]); got != 2048 {
		t.Errorf("kernel sector = %d, want 2048", got)
	}
	if mbr[0x64] != 0xff || mbr[0x66] != 0x90 || mbr[0x67] != 0x90 {
		t.Errorf("boot drive %#x, check %#x", mbr[0x64], mbr[0x66:0x68])
	}
	if !bytes.Equal(mbr[440:], bytes.Repeat([]byte{0x33}, 72)) {
		t.Error("disk signature or partition table of the MBR was overwritten")
	}
	img := disk.data[2048*sector:]
	if len(img) != 4*sector {
		t.Fatalf("core image takes %d bytes, want %d", len(img), 4*sector)
	}
	le := binary.LittleEndian
	if at, n, seg := le.Uint64(img[500:]), le.Uint16(img[508:]), le.Uint16(img[510:]); at != 2049 || n != 3 || seg != 0x820 {
		t.Errorf("blocklist = %d+%d at %#x, want 2049+3 at 0x820", at, n, seg)
	}
	if boot[0x64] != 0x11 || core[500] != 0x22 {
		t.Error("the caller's bytes were changed")
	}
	if err := installBIOS(disk, boot, core, 2048, 3); err == nil {
		t.Error("a core image larger than its partition was taken")
	}
}

func TestCopySparse(t *testing.T) {
	src := make([]byte, 300<<10)
	src[70<<10], src[299<<10] = 1, 2
	disk := &memory{data: make([]byte, 400<<10)}
	if err := copySparse(disk, bytes.NewReader(src), 4096); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(disk.data[4096:4096+len(src)], src) {
		t.Error("the copy differs")
	}
}

func TestChecked(t *testing.T) {
	if os.Geteuid() != 0 {
		if _, _, _, err := (Options{Out: "x"}).checked(); err == nil || !strings.Contains(err.Error(), "root") {
			t.Errorf("checked = %v, want that root is needed", err)
		}
		return
	}
	for name, o := range map[string]Options{
		"no output": {}, "size": {Out: "x", Size: 1}, "package": {Out: "x", Packages: []string{"-o=x"}},
		"shell": {Out: "x", Packages: []string{"a;reboot"}}, "kernel": {Out: "x", Kernel: "windows"}, "architecture": {Out: "x", Arch: "riscv64"}, "kernel name": {Out: "x", Kernel: "linux-image-6,1"},
	} {
		if _, _, _, err := o.checked(); err == nil {
			t.Errorf("%s: checked = nil error", name)
		}
	}
	o, p, kernel, err := Options{Out: "d/x"}.checked()
	if err != nil || p.arch != pool.AMD64 || kernel != "linux-image-amd64" || o.Size != defaultSize || !filepath.IsAbs(o.Out) || o.CacheDir != filepath.Dir(o.Out) {
		t.Errorf("checked = %+v, %s, %v", o, kernel, err)
	}
	if _, p, kernel, err := (Options{Out: "d/x", Arch: pool.ARM64, Kernel: "cloud"}).checked(); err != nil || p.arch != pool.ARM64 || kernel != "linux-image-cloud-arm64" {
		t.Errorf("checked for arm64: %s, %s, %v", p.arch, kernel, err)
	}
}

func TestFinish(t *testing.T) {
	dir := t.TempDir()
	for _, link := range []string{"vmlinuz", "initrd.img"} {
		if err := os.Symlink("boot/"+link, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "etc/apt/sources.list.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(secret, []byte("host"), 0o644); err != nil {
		t.Fatal(err)
	}
	// What a package left as a link to the outside is replaced, not followed.
	if err := os.Symlink(secret, filepath.Join(dir, "etc/hostname")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/apt/sources.list.d/host.list"), []byte("deb http://mirror.test/ x y\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := finish(dir, amd64(t), testGUID); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(secret); err != nil || string(got) != "host" {
		t.Errorf("file outside = %q, %v", got, err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "etc/apt/sources.list.d"))
	if err != nil || len(left) != 0 {
		t.Errorf("package sources left: %v, %v", left, err)
	}
	grub, err := os.ReadFile(filepath.Join(dir, "boot/grub/grub.cfg"))
	if err != nil || !strings.Contains(string(grub), "root=UUID="+string(testGUID)) {
		t.Errorf("grub.cfg = %q, %v", grub, err)
	}
}

func amd64(t *testing.T) platform {
	t.Helper()
	p, err := platformOf(pool.AMD64)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
