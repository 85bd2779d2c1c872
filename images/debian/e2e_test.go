package debian

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/diskfs/go-diskfs"
	"github.com/diskfs/go-diskfs/partition/gpt"
)

// TestBuildAndMirror builds the image for virtual machines twice, the second
// time from the cache, and mirrors a small package for it. IMAGES_E2E=1 runs
// it; IMAGES_CACHE keeps the root file system between runs.
func TestBuildAndMirror(t *testing.T) {
	if os.Getenv("IMAGES_E2E") == "" || os.Geteuid() != 0 {
		t.Skip("needs root and a package mirror; make test runs it with IMAGES_E2E=1")
	}
	out := filepath.Join(t.TempDir(), "debian.img")
	o := Options{Out: out, CacheDir: os.Getenv("IMAGES_CACHE"), Kernel: "cloud", Install: true}
	var info Info
	for range 2 {
		began := time.Now()
		var err error
		if info, err = Build(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		t.Logf("built in %v", time.Since(began).Round(time.Millisecond))
	}
	if !strings.HasSuffix(info.Kernel, "-cloud-amd64") || len(info.Packages) < 100 {
		t.Errorf("kernel %s, %d packages", info.Kernel, len(info.Packages))
	}
	text, err := os.ReadFile(out + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var stored Info
	if err := json.Unmarshal(text, &stored); err != nil || stored.RootUUID != info.RootUUID {
		t.Errorf("%s.json: root %s, %v; want %s", out, stored.RootUUID, err, info.RootUUID)
	}
	disk, err := diskfs.Open(out, diskfs.WithOpenMode(diskfs.ReadOnly))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := disk.GetPartitionTable()
	if err != nil {
		t.Fatal(err)
	}
	table, ok := raw.(*gpt.Table)
	if !ok || len(table.GetPartitions()) < info.RootPart {
		t.Fatalf("partition table = %T", raw)
	}
	if err := table.Verify(disk.Backend, uint64(info.Size)); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(out), "*"))
	if err != nil || len(left) != 3+len(cached(t, o, out)) {
		t.Errorf("files left beside the image: %v, %v", left, err)
	}
	m := MirrorOptions{Dir: t.TempDir(), ImageStatus: out + ".status", Packages: []string{"hello"}}
	res, err := Mirror(t.Context(), m)
	if err != nil || res.Wanted == 0 || res.Packages != res.Wanted {
		t.Fatalf("Mirror = %+v, %v", res, err)
	}
	checkConsumer(t, m, "hello", "hello")
}

// cached is what Build keeps beside out for the next build.
func cached(t *testing.T, o Options, out string) []string {
	t.Helper()
	if o.CacheDir != "" {
		return nil
	}
	tars, err := filepath.Glob(filepath.Join(filepath.Dir(out), "debian-*"))
	if err != nil {
		t.Fatal(err)
	}
	return tars
}
