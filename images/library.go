package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"appliance/pool"
)

// Library keeps disk images as files in Dir. What it knows of them beside
// their bytes is a pool.Image, the row, which the caller stores: it decides
// which file is the image's. It is safe for concurrent use.
type Library struct {
	Dir string

	rows sync.Mutex // held from naming a file to removing those that the row does not name
}

var imageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// CheckName says whether name can be an image's. Errors wrap pool.ErrInvalid.
func CheckName(name string) error {
	if !imageName.MatchString(name) {
		return fmt.Errorf("%w: image name %q: letters, digits, dot, dash, underscore; 63 at most", pool.ErrInvalid, name)
	}
	return nil
}

// Import reads a raw disk image to its end and stores it as independent zstd
// frames of pool.FrameSize bytes of disk, zero frames left out. It compresses
// on all CPUs and keeps a few frames in memory. Progress is called with the
// bytes read so far. When the image is whole, store keeps its row; from then
// on it replaces one of that name, whose file goes. Errors wrap
// pool.ErrInvalid for what is no disk image and pool.ErrUnavailable when there
// is no space; store's are returned as they are.
func (l *Library) Import(ctx context.Context, name string, r io.Reader, progress func(int64), store func(pool.Image) error) (pool.Image, error) {
	if err := CheckName(name); err != nil {
		return pool.Image{}, err
	}
	if err := os.MkdirAll(l.Dir, 0o755); err != nil {
		return pool.Image{}, fmt.Errorf("import image %s: %w: %v", name, pool.ErrUnavailable, err)
	}
	l.sweep(time.Now())
	f, err := os.CreateTemp(l.Dir, tempPattern)
	if err != nil {
		return pool.Image{}, fmt.Errorf("import image %s: %w: %v", name, pool.ErrUnavailable, err)
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	im, err := l.write(ctx, f, r, progress)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		if errors.Is(err, pool.ErrInvalid) || ctx.Err() != nil {
			return pool.Image{}, fmt.Errorf("import image %s: %w", name, err)
		}
		return pool.Image{}, fmt.Errorf("import image %s: %w: %v", name, pool.ErrUnavailable, err)
	}
	im.Name, im.CreatedAt = name, time.Now().UTC()
	l.rows.Lock()
	defer l.rows.Unlock()
	if err := l.place(f.Name(), l.framesPath(im)); err != nil {
		return pool.Image{}, fmt.Errorf("import image %s: %w: %v", name, pool.ErrUnavailable, err)
	}
	if err := store(im); err != nil {
		return pool.Image{}, err // the file goes with the next import or start
	}
	_ = l.remove(name, l.framesPath(im)) // what stays goes at the next start
	return im, nil
}

// place gives a file that is on disk its name, and waits until that is, too:
// the caller stores a row that counts on it.
func (l *Library) place(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	d, err := os.Open(l.Dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

const tempPattern = ".import-*"

// sweep removes what imports left that this process, or its machine, did not
// survive: temporary files that nobody has written to for an hour.
func (l *Library) sweep(now time.Time) {
	left, _ := filepath.Glob(filepath.Join(l.Dir, tempPattern)) // the pattern is well formed
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && now.Sub(info.ModTime()) > time.Hour {
			_ = os.Remove(name) // the next import tries again
		}
	}
}

// framesPath names the file that holds an image's frames, by what its row
// says of them: a crash between file and row leaves the old row its old file.
func (l *Library) framesPath(im pool.Image) string {
	h := sha256.New()
	for _, f := range im.Frames {
		_, _ = fmt.Fprintln(h, f.Index, f.Offset, f.Length, f.SHA256)
	}
	return filepath.Join(l.Dir, fmt.Sprintf("%s@%x.frames", im.Name, h.Sum(nil)[:16]))
}

// oldPath names an image's file as it was before a row decided.
func (l *Library) oldPath(name string) string { return filepath.Join(l.Dir, name+".frames") }

// remove removes the files of frames under an image's name, but keep.
func (l *Library) remove(name, keep string) error {
	list, _ := filepath.Glob(filepath.Join(l.Dir, name+"@*.frames")) // no name has a special character
	var failed error
	for _, p := range append(list, l.oldPath(name)) {
		if p == keep {
			continue
		}
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// Tidy removes the files that rows, which are all images with their frames,
// do not name: what an import left that a crash ended.
func (l *Library) Tidy(rows []pool.Image) error {
	l.rows.Lock()
	defer l.rows.Unlock()
	var failed error
	named := map[string]bool{}
	for _, im := range rows {
		path := l.framesPath(im)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			path = l.oldPath(im.Name)
		} else if err != nil {
			return fmt.Errorf("tidy images: %v", err)
		}
		named[path] = true
	}
	list, _ := filepath.Glob(filepath.Join(l.Dir, "*.frames")) // the pattern is well formed
	for _, p := range list {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(p), ".frames"), "@")
		if named[p] || CheckName(name) != nil {
			continue
		}
		failed = errors.Join(failed, os.Remove(p))
	}
	if failed != nil {
		return fmt.Errorf("tidy images: %v", failed)
	}
	return nil
}

// StatusPath names the file that holds the list of packages installed in an
// image (dpkg's status file), for the package mirror.
func (l *Library) StatusPath(name string) string { return filepath.Join(l.Dir, name+".status") }

// piece is one frame on its way from the reader to the file.
type piece struct {
	frame pool.Frame
	data  []byte
	done  chan struct{}
}

func (l *Library) write(ctx context.Context, w io.Writer, r io.Reader, progress func(int64)) (pool.Image, error) {
	var im pool.Image
	var found loaders
	order := make(chan *piece, 2*runtime.NumCPU()) // bounds what is in memory
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(order)
		n, err := split(ctx, r, order, &found, progress)
		im.Size = n
		return err
	})
	g.Go(func() error {
		digest := sha256.New()
		for p := range order {
			select {
			case <-p.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			p.frame.Offset = im.Stored
			if _, err := w.Write(p.data); err != nil {
				return err
			}
			im.Stored += p.frame.Length
			im.Frames = append(im.Frames, p.frame)
			_, _ = fmt.Fprintf(digest, "%d %s\n", p.frame.Index, p.frame.SHA256)
		}
		im.Digest = "sha256:" + hex.EncodeToString(digest.Sum(nil))
		return nil
	})
	if err := g.Wait(); err != nil {
		return pool.Image{}, err
	}
	if im.Size == 0 || im.Size%512 != 0 {
		return pool.Image{}, fmt.Errorf("%w: %d bytes are no raw disk image (a multiple of 512, not compressed, not qcow2)", pool.ErrInvalid, im.Size)
	}
	im.Arch = found.arch()
	return im, nil
}

// split reads frames, starts the compression of each, and hands them on in
// order. A frame of zeros is left out.
func split(ctx context.Context, r io.Reader, out chan<- *piece, found *loaders, progress func(int64)) (int64, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(runtime.NumCPU()))
	if err != nil {
		return 0, err
	}
	var work errgroup.Group
	work.SetLimit(runtime.NumCPU())
	defer func() { _ = work.Wait(); _ = enc.Close() }()
	zero := make([]byte, pool.FrameSize)
	var total int64
	for index := int64(0); ; index++ {
		buf := make([]byte, pool.FrameSize)
		n, err := io.ReadFull(r, buf)
		buf = buf[:n]
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return total, fmt.Errorf("read image: %w", err)
		}
		if index == 0 {
			if err := looksRaw(buf); err != nil {
				return 0, err
			}
		}
		total += int64(n)
		if progress != nil {
			progress(total)
		}
		if n > 0 && !bytes.Equal(buf, zero[:n]) {
			found.see(buf)
			p := &piece{frame: pool.Frame{Index: index}, done: make(chan struct{})}
			work.Go(func() error {
				defer close(p.done)
				sum := sha256.Sum256(buf)
				p.frame.SHA256 = hex.EncodeToString(sum[:])
				p.data = enc.EncodeAll(buf, nil)
				p.frame.Length = int64(len(p.data))
				return nil
			})
			select {
			case out <- p:
			case <-ctx.Done():
				return total, ctx.Err()
			}
		}
		if err != nil {
			return total, nil
		}
	}
}

// looksRaw refuses what people often give instead of a raw image.
func looksRaw(head []byte) error {
	for _, m := range []struct{ magic, what string }{
		{"QFI\xfb", "a qcow2 image; convert it with: qemu-img convert -O raw"},
		{"\x28\xb5\x2f\xfd", "zstd-compressed; decompress it with: zstd -d"},
		{"\x1f\x8b", "gzip-compressed; decompress it with: gunzip"},
		{"\xfd7zXZ", "xz-compressed; decompress it with: unxz"},
		{"KDMV", "a VMDK image; convert it with: qemu-img convert -O raw"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return fmt.Errorf("%w: the file is %s", pool.ErrInvalid, m.what)
		}
	}
	return nil
}

// Frames opens the stored frames of im, for serving ranges of them. The
// caller closes it. Errors wrap pool.ErrNotFound.
func (l *Library) Frames(im pool.Image) (*os.File, error) {
	if err := CheckName(im.Name); err != nil {
		return nil, err
	}
	f, err := os.Open(l.framesPath(im))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(l.oldPath(im.Name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: image %s is not in the library", pool.ErrNotFound, im.Name)
	}
	return f, err
}

// Delete removes an image's files once forget, whose errors are returned as
// they are, has removed its row: an image that is listed has its files.
func (l *Library) Delete(name string, forget func() error) error {
	if err := CheckName(name); err != nil {
		return err
	}
	l.rows.Lock()
	defer l.rows.Unlock()
	if err := forget(); err != nil {
		return err
	}
	err := l.remove(name, "")
	if e := os.Remove(l.StatusPath(name)); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("delete image %s: %v", name, err)
	}
	return nil
}

// Verify reads every frame of im and compares its hash. The error names the
// first damaged frame and wraps pool.ErrInvalid.
func (l *Library) Verify(ctx context.Context, im pool.Image) error {
	f, err := l.Frames(im)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(2*pool.FrameSize))
	if err != nil {
		return err
	}
	defer dec.Close()
	for _, fr := range im.Frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := DecodeFrame(dec, f, fr); err != nil {
			return fmt.Errorf("verify image %s: %w", im.Name, err)
		}
	}
	return nil
}

// DecodeFrame reads one frame from r and returns its bytes of disk, checked
// against its hash. The error wraps pool.ErrInvalid and names the frame.
func DecodeFrame(dec *zstd.Decoder, r io.ReaderAt, fr pool.Frame) ([]byte, error) {
	if fr.Length <= 0 || fr.Length > 2*pool.FrameSize {
		return nil, fmt.Errorf("%w: frame %d claims %d bytes", pool.ErrInvalid, fr.Index, fr.Length)
	}
	buf := make([]byte, fr.Length)
	if _, err := r.ReadAt(buf, fr.Offset); err != nil {
		return nil, fmt.Errorf("%w: frame %d is cut short: %v", pool.ErrInvalid, fr.Index, err)
	}
	out, err := dec.DecodeAll(buf, make([]byte, 0, pool.FrameSize))
	if err != nil {
		return nil, fmt.Errorf("%w: frame %d is damaged: %v", pool.ErrInvalid, fr.Index, err)
	}
	if sum := sha256.Sum256(out); hex.EncodeToString(sum[:]) != fr.SHA256 {
		return nil, fmt.Errorf("%w: frame %d is damaged: its hash differs", pool.ErrInvalid, fr.Index)
	}
	return out, nil
}
