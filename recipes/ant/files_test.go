package ant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What scripts keep must be there afterwards.
func TestNothingIsLost(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"delete of some files of a folder", `new AntBuilder().delete(dir: "d", includes: "*.tmp")`, "d/data"},
		{"delete by nested patterns", `new AntBuilder().delete(dir: "d") { include(name: "*.tmp") }`, "d/data"},
		{"delete of all but some files", `new AntBuilder().delete(dir: "d", excludes: "data")`, "d/data"},
		{"copy onto itself", `new AntBuilder().copy(file: "d/data", tofile: "d/data", overwrite: true)`, "d/data"},
		{"move onto itself", `new AntBuilder().move(todir: "d") { fileset(dir: "d") }`, "d/data"},
		{"move by a mapper", `try { new AntBuilder().move(todir: "d") { fileset(dir: "d"); mapper(type: "glob", from: "*", to: "*.bak") } } catch (e) { assert e.message.contains("mapper") }`, "d/data"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
				t.Fatal(err)
			}
			for _, f := range []string{"data", "a.tmp"} {
				if err := os.WriteFile(filepath.Join(dir, "d", f), []byte(f), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := run(t, dir, tt.src); err != nil {
				t.Fatal(err)
			}
			if got := read(t, dir, tt.want); got != "data" {
				t.Errorf("%s = %q", tt.want, got)
			}
			_, err := os.Stat(filepath.Join(dir, "d", "a.tmp"))
			if strings.HasPrefix(tt.name, "delete") != os.IsNotExist(err) {
				t.Errorf("a.tmp: %v", err)
			}
		})
	}
}

// An archive that holds itself would grow until the disk is full.
func TestArchiveOfItself(t *testing.T) {
	dir := t.TempDir()
	src := `new AntBuilder().zip(destfile: "d.zip", basedir: ".")`
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, dir, src); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, dir, src); err == nil || !strings.Contains(err.Error(), "cannot include itself") {
		t.Errorf("second time: %v", err)
	}
}
