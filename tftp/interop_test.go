package tftp

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestInterop has the clients of others fetch files: sizes around the blocks'
// edges, and a name that is not there.
func TestInterop(t *testing.T) {
	big := noise(700_001)
	files := fstest.MapFS{"big": {Data: big}, "edge": {Data: big[:512*3]}, "small": {Data: []byte("x")}}
	at := start(t, &Server{FS: files})
	port := strconv.Itoa(int(at.Port()))
	for _, c := range []struct {
		name, program string
		args          func(file, out string) []string
	}{
		{"tftp-hpa", "tftp", func(f, out string) []string {
			return []string{"-4", "-m", "binary", at.Addr().String(), port, "-c", "get", f, out}
		}},
		{"atftp, window 8", "atftp", func(f, out string) []string {
			return []string{"--option", "blksize 1428", "--option", "windowsize 8", "--get", "-r", f, "-l", out, at.Addr().String(), port}
		}},
		{"atftp, plain", "atftp", func(f, out string) []string {
			return []string{"--get", "-r", f, "-l", out, at.Addr().String(), port}
		}},
		{"curl", "curl", func(f, out string) []string {
			return []string{"-sS", "--fail", "--tftp-blksize", "1468", "-o", out, "tftp://" + at.String() + "/" + f}
		}},
		{"busybox", "busybox", func(f, out string) []string {
			return []string{"tftp", "-b", "1024", "-g", "-r", f, "-l", out, at.Addr().String(), port}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, err := exec.LookPath(c.program)
			if err != nil {
				t.Skipf("%s is not here: make prepare installs it", c.program)
			}
			for name, f := range files {
				out := filepath.Join(t.TempDir(), "out")
				if text, err := client(t, path, c.args(name, out)); err != nil {
					t.Errorf("%s: %v: %s", name, err, text)
					continue
				}
				if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, f.Data) {
					t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(f.Data))
				}
			}
			out := filepath.Join(t.TempDir(), "out")
			text, err := client(t, path, c.args("absent", out))
			if info, serr := os.Stat(out); serr == nil && info.Size() > 0 {
				t.Errorf("absent: %d bytes", info.Size())
			}
			if err == nil && !strings.Contains(strings.ToLower(text), "not found") {
				t.Errorf("absent: no error: %s", text)
			}
		})
	}
}

func client(t *testing.T, path string, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	return string(text), err
}
