package build

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"appliance/images/kit"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"
)

func sample(order ...string) *archive {
	var a archive
	for _, name := range order {
		a.add(name, 0o644, []byte("content of "+filepath.Base(name)))
	}
	a.add("init", 0o755, []byte("agent"))
	a.char("dev/console", 0o600, 5, 1)
	return &a
}

func TestArchiveIsReproducible(t *testing.T) {
	one, err := compress(sample("lib/a", "lib/b", "c"), zstd.SpeedDefault)
	if err != nil {
		t.Fatal(err)
	}
	two, err := compress(sample("c", "/lib/b", "lib/a"), zstd.SpeedDefault)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("the same files in another order give other bytes")
	}
	other, err := compress(sample("c", "lib/b"), zstd.SpeedDefault)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, other) {
		t.Error("other files give the same bytes")
	}
}

// An independent reader understands what we write.
func TestArchiveIsNewc(t *testing.T) {
	var raw bytes.Buffer
	if err := sample("lib/modules/x/kernel/a.ko").writeTo(&raw); err != nil {
		t.Fatal(err)
	}
	records, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(raw.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range records {
		names = append(names, r.Name)
		if r.Name == "init" {
			got := make([]byte, r.FileSize)
			if _, err := r.ReadAt(got, 0); err != nil || string(got) != "agent" || r.Mode != modeReg|0o755 {
				t.Errorf("init = %q mode %o, %v; want agent, 100755", got, r.Mode, err)
			}
		}
		if r.Name == "dev/console" && (r.Mode != modeChar|0o600 || r.Rmajor != 5 || r.Rminor != 1) {
			t.Errorf("dev/console = mode %o, %d:%d", r.Mode, r.Rmajor, r.Rminor)
		}
		if r.MTime != 0 || r.UID != 0 || r.GID != 0 {
			t.Errorf("%s: mtime %d, owner %d:%d; want all 0", r.Name, r.MTime, r.UID, r.GID)
		}
	}
	want := []string{"dev", "dev/console", "init", "lib", "lib/modules", "lib/modules/x", "lib/modules/x/kernel", "lib/modules/x/kernel/a.ko"}
	if diff := cmp.Diff(want, names[:min(len(want), len(names))]); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestParseModinfo(t *testing.T) {
	info := "firmware=qed/a.bin\x00\x00\x00license=GPL\x00alias=pci:v000010DFd*\x00alias=crypto-x\x00softdep=pre: b-c post: d\x00depends=crc8,lib-y\x00name=qed\x00"
	got := parseModinfo("kernel/drivers/net/q-ed.ko", []byte(info))
	want := module{path: "kernel/drivers/net/q-ed.ko", name: "q_ed", depends: []string{"crc8", "lib_y"},
		aliases: []string{"pci:v000010DFd*", "crypto-x"}, softdeps: []string{"pre: b-c post: d"}, firmware: []string{"qed/a.bin"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(module{})); diff != "" {
		t.Errorf("parseModinfo (-want +got):\n%s", diff)
	}
}

func FuzzParseModule(f *testing.F) {
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseModule("kernel/x.ko", data)
		if err == nil && m.name != "x" {
			t.Errorf("name = %q", m.name)
		}
	})
}

func testModules() []module {
	return []module{
		{path: "kernel/drivers/net/ethernet/m/nic.ko", name: "nic", depends: []string{"core", "ptp"}, aliases: []string{"pci:v1d2*"}, firmware: []string{"b.fw", "a.fw"}, softdeps: []string{"pre: crc32c"}},
		{path: "kernel/drivers/net/ethernet/m/nic_test.ko", name: "nic_test"},
		{path: "kernel/lib/core.ko", name: "core", depends: []string{"base"}},
		{path: "kernel/lib/base.ko", name: "base"},
		{path: "kernel/drivers/ptp/ptp.ko", name: "ptp", depends: []string{"base"}},
		{path: "kernel/crypto/crc32c_generic.ko", name: "crc32c_generic", aliases: []string{"crc32c"}},
		{path: "kernel/drivers/scsi/hba.ko", name: "hba", firmware: []string{"hba.fw"}},
		{path: "kernel/sound/beep.ko", name: "beep"},
	}
}

func TestChoose(t *testing.T) {
	s := newSet(testModules())
	unmatched, err := s.choose([]string{"kernel/drivers/net/ethernet/m/", "kernel/drivers/scsi/hba.ko", "kernel/fs/none.ko"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"kernel/fs/none.ko"}, unmatched); diff != "" {
		t.Errorf("unmatched (-want +got):\n%s", diff)
	}
	order := []string{"kernel/drivers/scsi/hba.ko", "kernel/lib/base.ko", "kernel/lib/core.ko", "kernel/drivers/ptp/ptp.ko", "kernel/drivers/net/ethernet/m/nic.ko"}
	got := s.indexes(order)
	wantDep := `kernel/drivers/scsi/hba.ko:
kernel/lib/base.ko:
kernel/lib/core.ko: kernel/lib/base.ko
kernel/drivers/ptp/ptp.ko: kernel/lib/base.ko
kernel/drivers/net/ethernet/m/nic.ko: kernel/drivers/ptp/ptp.ko kernel/lib/core.ko kernel/lib/base.ko
kernel/crypto/crc32c_generic.ko:
`
	if diff := cmp.Diff(wantDep, string(got["modules.dep"])); diff != "" {
		t.Errorf("modules.dep (-want +got):\n%s", diff)
	}
	if want := "alias pci:v1d2* nic\n"; !strings.Contains(string(got["modules.alias"]), want) {
		t.Errorf("modules.alias = %q, want %q in it", got["modules.alias"], want)
	}
	if want := "softdep nic pre: crc32c\n"; !strings.Contains(string(got["modules.softdep"]), want) {
		t.Errorf("modules.softdep = %q, want %q in it", got["modules.softdep"], want)
	}
	// Only network cards' firmware is carried.
	if diff := cmp.Diff([]string{"a.fw", "b.fw"}, s.firmware()); diff != "" {
		t.Errorf("firmware (-want +got):\n%s", diff)
	}
}

func TestChooseRefusesMissingDependency(t *testing.T) {
	s := newSet([]module{{path: "kernel/a.ko", name: "a", depends: []string{"gone"}}})
	if _, err := s.choose([]string{"kernel/a.ko"}); err == nil || !strings.Contains(err.Error(), "needed by a") {
		t.Errorf("choose = %v, want an error that names a", err)
	}
}

func TestAddFirmware(t *testing.T) {
	tree := t.TempDir()
	dir := filepath.Join(tree, "lib/firmware/ice")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ice-1.3.pkg"), []byte("fw"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("ice-1.3.pkg", filepath.Join(dir, "ice.pkg")); err != nil {
		t.Fatal(err)
	}
	var a archive
	var m kit.Manifest
	if err := addFirmware(&a, tree, []string{"ice/ice.pkg", "none.bin"}, &m); err != nil {
		t.Fatal(err)
	}
	if got := string(a.entries["lib/firmware/ice/ice.pkg"].data); got != "fw" {
		t.Errorf("ice.pkg = %q, want what its link leads to", got)
	}
	if diff := cmp.Diff(kit.Manifest{Firmware: []string{"ice/ice.pkg"}, NoFirmware: []string{"none.bin"}}, m); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
}

func TestNotice(t *testing.T) {
	got := Notice(kit.Manifest{Packages: []kit.Package{{Name: "linux-image-6.1", Version: "6.1-2", Source: "linux-signed-amd64",
		SourceVersion: "6.1+2", BuiltUsing: "linux (= 6.1-2), gcc-12 (= 12.2.0-14)", Suite: "bookworm", Component: "main"}}})
	for _, want := range []string{"linux-image-6.1 6.1-2\n", "apt-get source linux-signed-amd64=6.1+2\n", "apt-get source linux=6.1-2\n", "apt-get source gcc-12=12.2.0-14\n", "Debian bookworm, main"} {
		if !strings.Contains(got, want) {
			t.Errorf("notice lacks %q:\n%s", want, got)
		}
	}
}

func TestReadAgentRefuses(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "script": "#!/bin/sh\n"} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := readAgent(file, elf.EM_X86_64); err == nil {
			t.Errorf("readAgent(%s) = nil error", name)
		}
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAgent(shell, elf.EM_X86_64); err == nil || !strings.Contains(err.Error(), "not a static binary") {
		t.Errorf("readAgent(%s) = %v, want not a static binary", shell, err)
	}
}

// assemble rewrites only what changed, two runs agree to the byte, and what
// the kit has no more goes.
func TestAssemble(t *testing.T) {
	base := func(tg target) part {
		p := part{target: tg, base: t.TempDir(), agent: []byte("agent " + tg.arch)}
		m := kit.Manifest{Kernel: "6.1-" + tg.arch}
		for name := range tg.files("6.1") {
			f := describe(name, []byte(name))
			if name == kit.VmlinuzARM64 {
				f.Packed = f.Size
			}
			stored, _ := f.Stored()
			if err := os.WriteFile(filepath.Join(p.base, stored), []byte(name), 0o644); err != nil {
				t.Fatal(err)
			}
			m.Files = append(m.Files, f)
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{"base.json": text, baseName: []byte("base")} {
			if err := os.WriteFile(filepath.Join(p.base, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	parts := []part{base(x86()), base(arm())}
	one, two := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, two, one} {
		if _, err := assemble(dir, parts); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{kit.Initrd, kit.InitrdARM64, kit.ManifestFile} {
		a, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(two, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs between two runs", name)
		}
	}
	m, err := kit.Read(os.DirFS(one))
	if err != nil {
		t.Fatal(err)
	}
	if m.Kernel != "6.1-amd64" || m.ARM64 == nil || m.ARM64.Kernel != "6.1-arm64" || len(m.Files) != 12 || m.Agent.Size != 11 {
		t.Errorf("manifest = %+v", m)
	}
	if _, err := assemble(one, parts[:1]); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(one, "*"))
	if err != nil || len(left) != 8 {
		t.Errorf("without arm64 %v is left, %v; want 7 files and the manifest", left, err)
	}
}

// What does not shrink by much is carried as it is.
func TestPack(t *testing.T) {
	if p, err := pack(make([]byte, 4<<20)); err != nil || p == nil || len(p) > 1<<16 {
		t.Errorf("pack of zeros: %d bytes, %v", len(p), err)
	}
	if p, err := pack(make([]byte, 1000)); err != nil || p != nil {
		t.Errorf("pack of a small file: %d bytes, %v; want none", len(p), err)
	}
}
