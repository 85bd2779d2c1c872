package images

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"appliance/pool"
)

// disk makes an image of n frames and a half, of which some are zeros.
func disk(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n*pool.FrameSize+pool.FrameSize/2)
	for i := 0; i < n; i += 3 {
		_, _ = r.Read(b[i*pool.FrameSize : i*pool.FrameSize+100_000])
	}
	copy(b[len(b)-512:], "the end")
	return b
}

func unstored(pool.Image) error { return nil }

func TestLibrary(t *testing.T) {
	l := &Library{Dir: t.TempDir()}
	raw := disk(7)
	var last int64
	im, err := l.Import(t.Context(), "debian-12", bytes.NewReader(raw), func(n int64) { last = n }, unstored)
	if err != nil {
		t.Fatal(err)
	}
	if im.Size != int64(len(raw)) || last != im.Size || len(im.Frames) != 4 {
		t.Errorf("size %d, progress %d, %d frames; want %d, %d, 4", im.Size, last, len(im.Frames), len(raw), len(raw))
	}
	if err := l.Verify(t.Context(), im); err != nil {
		t.Errorf("verify: %v", err)
	}
	f, err := l.Frames(im)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	got := bytes.Repeat([]byte{0xff}, len(raw))
	clear(got) // what frames leave out is zero
	for _, fr := range im.Frames {
		b, err := DecodeFrame(dec, f, fr)
		if err != nil {
			t.Fatal(err)
		}
		copy(got[fr.Index*pool.FrameSize:], b)
	}
	if !bytes.Equal(got, raw) {
		t.Error("decoded image differs from the one imported")
	}
	again, err := l.Import(t.Context(), "again", bytes.NewReader(raw), nil, unstored)
	if err != nil || again.Digest != im.Digest {
		t.Errorf("same bytes have digest %s, %v; want %s", again.Digest, err, im.Digest)
	}
	// The stored file stays readable by plain zstd.
	if zstdc, err := exec.LookPath("zstd"); err == nil {
		if out, err := exec.CommandContext(t.Context(), zstdc, "-q", "-t", l.framesPath(im), "--format=zstd").CombinedOutput(); err != nil && !strings.Contains(string(out), "unknown suffix") {
			t.Errorf("zstd -t: %v: %s", err, out)
		}
	}
}

// An image is for the machines whose loader is in its EFI system partition.
func TestImageArchitecture(t *testing.T) {
	entry := func(name string) []byte { return append([]byte(name+" "), make([]byte, 20)...) }
	for _, tt := range []struct {
		name string
		at   int
		put  []byte
		want pool.Arch
	}{
		{"no EFI system partition", 0, nil, pool.AMD64},
		{"amd64", 3 << 20, entry("BOOTX64 EFI"), pool.AMD64},
		{"arm64", 3 << 20, entry("BOOTAA64EFI"), pool.ARM64},
		{"both", 3 << 20, append(entry("BOOTAA64EFI"), entry("BOOTX64 EFI")...), pool.AMD64},
		{"in a text", 3<<20 + 7, entry("BOOTAA64EFI"), pool.AMD64},
		{"a label", 3 << 20, append([]byte("BOOTAA64EFI\x08"), make([]byte, 20)...), pool.AMD64},
	} {
		raw := disk(2)
		copy(raw[tt.at:], tt.put)
		im, err := (&Library{Dir: t.TempDir()}).Import(t.Context(), "x", bytes.NewReader(raw), nil, unstored)
		if err != nil || im.Arch != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.name, im.Arch, err, tt.want)
		}
	}
}

// What a killed import left goes with the next one, but not what is being written.
func TestLibraryLeftovers(t *testing.T) {
	l := &Library{Dir: t.TempDir()}
	dead, busy := filepath.Join(l.Dir, ".import-1"), filepath.Join(l.Dir, ".import-2")
	for _, name := range []string{dead, busy} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(dead, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Import(t.Context(), "small", bytes.NewReader(make([]byte, 512)), nil, unstored); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead import's file: %v, want that it is gone", err)
	}
	if _, err := os.Stat(busy); err != nil {
		t.Errorf("a running import's file: %v", err)
	}
}

func TestLibraryDamaged(t *testing.T) {
	l := &Library{Dir: t.TempDir()}
	im, err := l.Import(t.Context(), "x", bytes.NewReader(disk(3)), nil, unstored)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"a bit flipped": func(b []byte) []byte { b[im.Frames[1].Offset+im.Frames[1].Length/2] ^= 1; return b },
		"cut short":     func(b []byte) []byte { return b[:len(b)-10] },
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(l.framesPath(im))
			if err != nil {
				t.Fatal(err)
			}
			keep := bytes.Clone(b)
			if err := os.WriteFile(l.framesPath(im), spoil(b), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := l.Verify(t.Context(), im); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "frame ") {
				t.Errorf("verify = %v, want ErrInvalid that names the frame", err)
			}
			if err := os.WriteFile(l.framesPath(im), keep, 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// An import that was cut off between its file and its row leaves the image
// that the row tells of whole, also one of an older appliance's naming.
func TestLibraryReplace(t *testing.T) {
	l := &Library{Dir: t.TempDir()}
	files := func() int {
		list, err := os.ReadDir(l.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	lost := errors.New("power is lost")
	first, err := l.Import(t.Context(), "x", bytes.NewReader(disk(3)), nil, unstored)
	if err != nil {
		t.Fatal(err)
	}
	for _, naming := range []string{"of today", "of old"} {
		if naming == "of old" {
			if err := os.Rename(l.framesPath(first), filepath.Join(l.Dir, "x.frames")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Import(t.Context(), "x", bytes.NewReader(disk(4)), nil, func(pool.Image) error { return lost }); !errors.Is(err, lost) {
			t.Fatalf("import = %v, want what keeps the row says", err)
		}
		if err := l.Verify(t.Context(), first); err != nil {
			t.Errorf("naming %s: the image whose row stayed: %v", naming, err)
		}
		if files() != 2 {
			t.Fatalf("naming %s: %d files, want both images'", naming, files())
		}
		if err := l.Tidy([]pool.Image{first}); err != nil || files() != 1 {
			t.Errorf("naming %s: tidy: %v, %d files, want the one that the row names", naming, err, files())
		}
		if err := l.Verify(t.Context(), first); err != nil {
			t.Errorf("naming %s: after tidying: %v", naming, err)
		}
	}
	second, err := l.Import(t.Context(), "x", bytes.NewReader(disk(4)), nil, unstored)
	if err != nil || files() != 1 {
		t.Errorf("import: %v, %d files, want that the old one is gone", err, files())
	}
	if err := l.Verify(t.Context(), second); err != nil {
		t.Error(err)
	}
	if again, err := l.Import(t.Context(), "x", bytes.NewReader(disk(4)), nil, unstored); err != nil || files() != 1 || l.Verify(t.Context(), again) != nil {
		t.Errorf("the same once more: %v, %d files", err, files())
	}
	if err := l.Delete("x", func() error { return lost }); !errors.Is(err, lost) || files() != 1 {
		t.Errorf("delete with a row that stays: %v, %d files", err, files())
	}
	if err := l.Delete("x", func() error { return nil }); err != nil || files() != 0 {
		t.Errorf("delete: %v, %d files", err, files())
	}
}

func TestImportRefuses(t *testing.T) {
	l := &Library{Dir: t.TempDir()}
	for _, tt := range []struct {
		name, image string
		r           io.Reader
	}{
		{"a name with a slash", "../x", strings.NewReader(strings.Repeat("a", 512))},
		{"nothing", "x", strings.NewReader("")},
		{"an odd length", "x", strings.NewReader("hello")},
		{"qcow2", "x", strings.NewReader("QFI\xfb" + strings.Repeat("a", 508))},
		{"gzip", "x", strings.NewReader("\x1f\x8b" + strings.Repeat("a", 510))},
	} {
		if _, err := l.Import(t.Context(), tt.image, tt.r, nil, unstored); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("import of %s: %v, want ErrInvalid", tt.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Import(ctx, "x", bytes.NewReader(disk(40)), nil, unstored); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled import: %v", err)
	}
	left, err := os.ReadDir(l.Dir)
	if err != nil || len(left) != 0 {
		t.Errorf("refused imports left %v, %v", left, err)
	}
}
