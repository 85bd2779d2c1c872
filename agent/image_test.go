package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"appliance/pool"
)

// plainDisk is a disk that is a file and nothing more.
type plainDisk struct {
	*os.File
	size int64
}

func (d plainDisk) Size() int64           { return d.size }
func (d plainDisk) Sector() int64         { return 512 }
func (d plainDisk) Zero(_, _ int64) error { return nil } // a new file is zeros
func (d plainDisk) Discard() error        { return pool.ErrUnavailable }
func (d plainDisk) Offload() bool         { return true }
func (d plainDisk) Reread() error         { return nil }

// TestImageOverABadLine: a connection that breaks in the middle of each frame
// delays an image and spoils none of it, however often it breaks.
func TestImageOverABadLine(t *testing.T) {
	f := &fakeAppliance{t: t}
	raw := make([]byte, 10*pool.FrameSize+1234)
	for i := range raw { // frames of 4 KiB each: quick, but not one byte
		if i%1024 == 0 {
			raw[i] = byte(rand.N(255) + 1) //nolint:gosec // data, not a key
		}
	}
	f.setImage(raw)
	path := filepath.Join(t.TempDir(), "disk")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(12 * pool.FrameSize)
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		breaks := 0
		w := &imageWriter{image: f.image, disk: plainDisk{file, size}, progress: func(pool.Progress) {},
			fetch: func(_ context.Context, off, _ int64) (io.ReadCloser, error) {
				breaks++
				for i, fr := range f.image.Frames {
					if fr.Offset == off && i+1 < len(f.image.Frames) { // this frame, and a half of the next
						next := f.image.Frames[i+1]
						part := io.MultiReader(bytes.NewReader(f.frames[off:next.Offset+next.Length/2]), iotest.ErrReader(errors.New("connection reset")))
						return io.NopCloser(part), nil
					}
				}
				return io.NopCloser(bytes.NewReader(f.frames[off:])), nil
			}}
		if err := w.write(t.Context()); err != nil {
			t.Error(err)
		}
		if breaks != len(f.image.Frames) {
			t.Errorf("%d fetches for %d frames, want one each", breaks, len(f.image.Frames))
		}
	})
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got[:len(raw)], raw) || len(bytes.Trim(got[len(raw):], "\x00")) != 0 {
		t.Errorf("the disk does not hold the image (%v)", err)
	}
}

// TestImageOfOtherBytes: a frame that unpacks well, to bytes that are not those
// of the manifest, is named and never written.
func TestImageOfOtherBytes(t *testing.T) {
	f := &fakeAppliance{t: t}
	f.setImage(bytes.Repeat([]byte{7}, 2*pool.FrameSize))
	f.image.Frames[1].SHA256 = f.image.Frames[0].SHA256[1:] + "0"
	path := filepath.Join(t.TempDir(), "disk")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // looked at by its path
	fetches := 0
	w := &imageWriter{image: f.image, disk: plainDisk{file, 4 * pool.FrameSize}, progress: func(pool.Progress) {},
		fetch: func(_ context.Context, off, length int64) (io.ReadCloser, error) {
			fetches++
			b := f.frames[off:]
			if length > 0 {
				b = b[:length]
			}
			return io.NopCloser(bytes.NewReader(b)), nil
		}}
	err = w.write(t.Context())
	if err == nil || !strings.Contains(err.Error(), "Frame 1 of image debian is damaged") || fetches != 3 {
		t.Errorf("write = %v after %d fetches, want frame 1 named after 3", err, fetches)
	}
	if b, err := os.ReadFile(path); err != nil || int64(len(b)) > pool.FrameSize && bytes.Contains(b[pool.FrameSize:], []byte{7}) {
		t.Errorf("the damaged frame was written (%v)", err)
	}
}
