package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"appliance/pool"
)

// imageWriter puts an image onto a disk: the frames it has, and zeros
// wherever it has none.
type imageWriter struct {
	image    pool.Image
	disk     Disk
	fetch    func(ctx context.Context, offset, length int64) (io.ReadCloser, error) // length 0: all the rest
	progress func(pool.Progress)

	mu      sync.Mutex
	done    int64
	written int64
}

// maxFrame bounds a compressed frame: what does not compress grows a little.
const maxFrame = pool.FrameSize + pool.FrameSize/64

// checkImage refuses a manifest that is not sound or not the one named by digest.
func checkImage(im pool.Image, digest string, disk, sector int64) error {
	sum := sha256.New()
	next, end := int64(0), int64(0)
	for _, f := range im.Frames {
		if f.Index < next || f.Index*pool.FrameSize >= im.Size || f.Offset < end || f.Length <= 0 || f.Length > maxFrame {
			return fmt.Errorf("%w: manifest of image %s: frame %d does not follow the one before it", pool.ErrInvalid, im.Name, f.Index)
		}
		next, end = f.Index+1, f.Offset+f.Length
		_, _ = fmt.Fprintf(sum, "%d %s\n", f.Index, f.SHA256) // a hash takes everything
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != im.Digest || digest != "" && got != digest {
		return newCause("image.changed", fmt.Sprintf("Image %s is not the one this deployment was planned with.", im.Name),
			fmt.Sprintf("planned %s, manifest says %s, its frames are %s", digest, im.Digest, got), "Deploy again with the image as it is now.")
	}
	if im.Size > disk {
		return newCause("disk.small", fmt.Sprintf("Image %s needs %s, the disk has %s.", im.Name, pool.Bytes(uint64(im.Size)), pool.Bytes(uint64(disk))),
			"", "Choose a larger disk in the template's target, or a smaller image.")
	}
	if sector != 512 {
		return newCause("disk.sectors", fmt.Sprintf("The disk has sectors of %d bytes; images are made for 512.", sector),
			"", "Switch the disk to 512-byte (512e) sectors, or choose another.")
	}
	return nil
}

// write does it all but the partition table's growth.
func (w *imageWriter) write(ctx context.Context) error {
	if err := w.zeroGaps(ctx); err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	g, ctx := errgroup.WithContext(ctx)
	todo := make(chan fetched)
	free := make(chan []byte, workers+1)
	for range cap(free) {
		free <- make([]byte, 0, maxFrame)
	}
	g.Go(func() error {
		defer close(todo)
		return w.stream(ctx, todo, free)
	})
	for range workers {
		g.Go(func() error { return w.worker(ctx, todo, free) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := w.disk.Sync(); err != nil {
		return fmt.Errorf("sync disk: %w", err)
	}
	return nil
}

// zeroGaps zeroes what the frames leave out, and the end of the disk, where
// an older table or superblock may lie.
func (w *imageWriter) zeroGaps(ctx context.Context) error {
	gap := func(from, to int64) error {
		return zeroAll(ctx, w.disk, from, to-from, func(n int64) { w.tell(n, 0, "zeroing") })
	}
	at := int64(0)
	for _, f := range w.image.Frames {
		if start := f.Index * pool.FrameSize; start > at {
			if err := gap(at, start); err != nil {
				return err
			}
		}
		at = min((f.Index+1)*pool.FrameSize, w.image.Size)
	}
	round := func(n int64) int64 { return (n + w.disk.Sector() - 1) / w.disk.Sector() * w.disk.Sector() }
	if err := gap(at, w.image.Size); err != nil {
		return err
	}
	tail := max(round(w.image.Size), (w.disk.Size()-wipeEnd)&^4095)
	return zeroAll(ctx, w.disk, tail, w.disk.Size()-tail, nil)
}

func (w *imageWriter) tell(done, written int64, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done, w.written = w.done+done, w.written+written
	w.progress(pool.Progress{Done: w.done, Total: w.image.Size, Unit: "bytes", Detail: what})
}

type fetched struct {
	frame pool.Frame
	data  []byte
}

// stream fetches the frames in their order by one request, and goes on where
// it was when the connection breaks, until ctx ends.
func (w *imageWriter) stream(ctx context.Context, todo chan<- fetched, free chan []byte) error {
	next, wait := 0, 200*time.Millisecond
	for next < len(w.image.Frames) {
		n, err := w.streamFrom(ctx, next, todo, free)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && (errors.Is(err, pool.ErrNotFound) || errors.Is(err, pool.ErrInvalid)) {
			return err
		}
		if n > 0 {
			wait = 200 * time.Millisecond
		}
		if next += n; next < len(w.image.Frames) {
			pause(ctx, wait)
			wait = min(2*wait, 5*time.Second)
		}
	}
	return nil
}

func (w *imageWriter) streamFrom(ctx context.Context, first int, todo chan<- fetched, free chan []byte) (n int, err error) {
	at := w.image.Frames[first].Offset
	body, err := w.fetch(ctx, at, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	for _, f := range w.image.Frames[first:] {
		if _, err := io.CopyN(io.Discard, body, f.Offset-at); err != nil {
			return n, err
		}
		var buf []byte
		select {
		case buf = <-free:
		case <-ctx.Done():
			return n, ctx.Err()
		}
		buf = buf[:f.Length]
		if _, err := io.ReadFull(body, buf); err != nil {
			free <- buf[:0] // there is room: it came from there
			return n, err
		}
		at = f.Offset + f.Length
		select {
		case todo <- fetched{f, buf}:
		case <-ctx.Done():
			return n, ctx.Err()
		}
		n++
	}
	return n, nil
}

func (w *imageWriter) worker(ctx context.Context, todo <-chan fetched, free chan<- []byte) error {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*pool.FrameSize))
	if err != nil {
		return fmt.Errorf("start zstd: %w", err)
	}
	defer z.Close()
	out := alignedBuffer(pool.FrameSize)
	for f := range todo {
		if err := w.frame(ctx, z, f, out); err != nil {
			return err
		}
		free <- f.data[:0] // there is room: it came from there
	}
	return nil
}

// frame writes one frame. One that is damaged is fetched again, twice.
func (w *imageWriter) frame(ctx context.Context, z *zstd.Decoder, f fetched, out []byte) error {
	off := f.frame.Index * pool.FrameSize
	want := int(min(pool.FrameSize, w.image.Size-off))
	var why error
	for try := range 3 {
		if try > 0 {
			if err := w.again(ctx, f); err != nil {
				why = err
				continue
			}
		}
		b, err := z.DecodeAll(f.data, out[:0])
		sum := sha256.Sum256(b)
		switch {
		case err != nil:
			why = err
		case len(b) != want:
			why = fmt.Errorf("%d bytes, want %d", len(b), want)
		case hex.EncodeToString(sum[:]) != f.frame.SHA256:
			why = fmt.Errorf("SHA-256 is %x, want %s", sum, f.frame.SHA256)
		default:
			if n := int64(want) % w.disk.Sector(); n != 0 { // the last one of an odd image
				pad := int(w.disk.Sector() - n)
				clear(out[want:][:pad])
				b = out[:want+pad]
			}
			if _, err := w.disk.WriteAt(b, off); err != nil {
				return fmt.Errorf("write disk at %d: %w", off, err)
			}
			w.tell(int64(want), int64(want), "writing")
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return newCause("image.damaged", fmt.Sprintf("Frame %d of image %s is damaged.", f.frame.Index, w.image.Name),
		fmt.Sprintf("fetched three times; last: %v", why), "Import the image again, then deploy again.")
}

func (w *imageWriter) again(ctx context.Context, f fetched) (err error) {
	body, err := w.fetch(ctx, f.frame.Offset, f.frame.Length)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	_, err = io.ReadFull(body, f.data)
	return err
}

// growTable lets the image's table end where the disk ends. An image without
// a GPT stays as it is.
func growTable(d Disk) error {
	g, err := ReadGPT(d, d.Size(), d.Sector())
	if errors.Is(err, pool.ErrInvalid) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := g.Grow(); err != nil {
		return err
	}
	if err := g.Write(d); err != nil {
		return err
	}
	if err := protect(d, d.Sector()); err != nil {
		return err
	}
	return d.Sync()
}

// rootPartition finds the system: the ext4 file system labelled root, else
// the last partition that is ext4. The number counts from 1.
func rootPartition(d Disk) (int, error) {
	g, err := ReadGPT(d, d.Size(), d.Sector())
	if err != nil {
		return 0, err
	}
	p := prober{r: d, size: d.Size()}
	found := 0
	for _, e := range g.Used() {
		switch p.probe(int64(e.First)*d.Sector(), int64(e.Last-e.First+1)*d.Sector()) {
		case "ext4 root":
			return e.Index + 1, nil
		case "ext4":
			found = e.Index + 1
		}
	}
	if p.err != nil {
		return 0, p.err
	}
	if found == 0 {
		return 0, newCause("image.no-root", "The image has no ext4 partition for the system.", "",
			"Import an image whose root file system is ext4, labelled root.")
	}
	return found, nil
}
