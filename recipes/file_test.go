package recipes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFileLarge: a file larger than what a script may hold is copied byte for
// byte, and refused where it would have to be held.
func TestFileLarge(t *testing.T) {
	dir := t.TempDir()
	b := make([]byte, maxRead+12345)
	for i := range b {
		b[i] = byte(i * 7)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	got := outcome(t, "x.groovy", `
def a = new File("`+dir+`/a"), b = new File("`+dir+`/b"), c = new File("`+dir+`/c")
b << a.newInputStream()
c.withOutputStream { out -> a.withInputStream { out << it } }
for (what in [{ a.text }, { a.bytes }, { c.bytes = a.newInputStream().bytes }])
    try { what(); println "held" } catch (IOException e) { println e.message }
`)
	if want := strings.Repeat("the file is larger than 16777216 bytes\n", 3) + "==> ok"; got != want {
		t.Errorf("got %s", got)
	}
	for _, name := range []string{"b", "c"} {
		if copied, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(copied) != string(b) {
			t.Errorf("%s: %d bytes, %v", name, len(copied), err)
		}
	}
}

// TestFileLeft: what a script writes is in the file though it closes nothing,
// and no file stays open behind it.
func TestFileLeft(t *testing.T) {
	dir := t.TempDir()
	got := outcome(t, "x.groovy", `
def f = new File("`+dir+`/f")
def w = new BufferedWriter(new FileWriter(f)); w.write("kept"); w.newLine()
new PrintWriter(new File("`+dir+`/g")).print("too")
f.newReader().readLine()
300.times { new FileInputStream(f) }
new File("`+dir+`/gone").with { text = "x"; deleteOnExit() }
println new File("/proc/self/fd").list().size() > 300
try { f.traverse(kind: 1) { } } catch (IllegalArgumentException e) { println e.message }
throw new IllegalStateException("end")
`)
	if want := "true\ntraverse knows no option kind\n==> java.lang.IllegalStateException: end"; got != want {
		t.Errorf("got %s", got)
	}
	for name, want := range map[string]string{"f": "kept\n", "g": "too"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "gone")); err == nil {
		t.Error("deleteOnExit deleted nothing")
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range open {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, dir) {
			t.Errorf("%s is open", to)
		}
	}
}
