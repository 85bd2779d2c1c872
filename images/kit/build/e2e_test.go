package build

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"appliance/images/kit"
)

// TestBuild builds a whole kit from Debian's packages, drops everything but
// the packages and builds again: the bytes must be the same, and the third
// run, with all cached, quick. IMAGES_E2E=1 runs it; IMAGES_CACHE keeps the
// packages between runs.
func TestBuild(t *testing.T) {
	if os.Getenv("IMAGES_E2E") == "" {
		t.Skip("needs a package mirror; make test runs it with IMAGES_E2E=1")
	}
	cache := os.Getenv("IMAGES_CACHE")
	if cache == "" {
		cache = t.TempDir()
	}
	agent, agentARM := buildAgent(t, "amd64"), buildAgent(t, "arm64")
	build := func(data string) kit.Manifest {
		t.Helper()
		m, err := Build(t.Context(), Options{Agent: agent, ARM64: agentARM, Data: data, Cache: cache, Notice: filepath.Join(data, "NOTICE")})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, two := t.TempDir(), t.TempDir()
	m := build(one)
	if m.Modules < 150 || len(m.Firmware) < 40 {
		t.Errorf("kit has %d modules and %d firmware files, want 150 and 40", m.Modules, len(m.Firmware))
	}
	if a := m.ARM64; a == nil || a.Modules < 100 || a.Kernel == "" {
		t.Errorf("kit for arm64: %+v, want 100 modules", a)
	}
	bases, err := filepath.Glob(filepath.Join(cache, "base-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range bases {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	build(two)
	for _, f := range append(m.Files, kit.File{Name: kit.ManifestFile}, kit.File{Name: "NOTICE"}) {
		name, _ := f.Stored()
		a, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(two, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s: a second build from the same packages gives other bytes", f.Name)
		}
		if (f.Name == kit.Initrd || f.Name == kit.InitrdARM64) && len(a) > 30<<20 {
			t.Errorf("initramfs has %d bytes, want at most 30 MiB", len(a))
		}
	}
	began := time.Now()
	build(two)
	t.Logf("a run with everything cached took %v", time.Since(began))
}

func buildAgent(t *testing.T, arch string) string {
	t.Helper()
	dir := t.TempDir()
	src := filepath.Join(dir, "main.go")
	if err := os.WriteFile(src, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "agent")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", out, src)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build agent: %v\n%s", err, text)
	}
	return out
}
