package agent

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"appliance/pool"
)

// wipeEnd is what is overwritten at both ends of a disk and in its middle,
// whatever else was done: partition tables, their backups, superblocks.
const wipeEnd = 16 << 20

// wipeDisk erases d and proves it by reading. It returns the method that the
// proof holds for: the device's own zeroing, or its discard with the ends
// overwritten, or zeros written all over.
func wipeDisk(ctx context.Context, d Disk, progress func(done int64)) (string, error) {
	size := d.Size()
	done := int64(0)
	step := func(n int64) { done += n; progress(min(done, size)) }
	if !d.Offload() && d.Discard() == nil {
		if err := zeroEnds(ctx, d); err != nil {
			return "", err
		}
		// What a discarded block reads as is the device's affair: look all over.
		if clean(d, 256) == nil {
			progress(size)
			return "discard+zero-ends", d.Sync()
		}
	}
	method := "zero"
	if d.Offload() {
		method = "zeroout"
	}
	if err := zeroAll(ctx, d, 0, size, step); err != nil {
		return "", err
	}
	if err := clean(d, 64); err != nil && method == "zeroout" {
		method = "zero" // the device did not do what it says: send it the zeros
		for at := int64(0); at < size; at += wipeEnd {
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			if err := writeZeros(d, at, min(wipeEnd, size-at)); err != nil {
				return "", err
			}
		}
	}
	if err := zeroEnds(ctx, d); err != nil {
		return "", err
	}
	if err := d.Sync(); err != nil {
		return "", fmt.Errorf("sync disk: %w", err)
	}
	return method, clean(d, 64)
}

// ends lists the ranges at start, middle and end.
func ends(size int64) []span {
	n := min(wipeEnd, size)
	mid := max(0, size/2-n/2) &^ 4095
	return []span{{0, n}, {mid, min(n, size-mid)}, {(size - n) &^ 4095, size - (size-n)&^4095}}
}

func zeroEnds(ctx context.Context, d Disk) error {
	for _, e := range ends(d.Size()) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := writeZeros(d, e.start, e.length); err != nil {
			return err
		}
	}
	return nil
}

// clean reads the ends and samples spread evenly and returns a cause that
// names the first place that is not zero.
func clean(d Disk, samples int64) error {
	buf := alignedBuffer(1 << 20)
	zero := make([]byte, len(buf))
	check := func(s span) error {
		for s.length > 0 {
			b := buf[:min(s.length, int64(len(buf)))]
			if _, err := d.ReadAt(b, s.start); err != nil {
				return fmt.Errorf("read disk at %d: %w", s.start, err)
			}
			if !bytes.Equal(b, zero[:len(b)]) {
				return newCause("wipe.verify", "The disk still holds data after it was erased.",
					fmt.Sprintf("not zero within 1 MiB from byte %d", s.start), "Replace the disk, or erase it with its maker's tool.")
			}
			s.start, s.length = s.start+int64(len(b)), s.length-int64(len(b))
		}
		return nil
	}
	for _, e := range ends(d.Size()) {
		if err := check(e); err != nil {
			return err
		}
	}
	for i := range samples {
		at := d.Size() / samples * i &^ 4095
		if err := check(span{at, min(64<<10, d.Size()-at)}); err != nil {
			return err
		}
	}
	return nil
}

// wipe erases the disks with the given serials, each of which must be in the
// machine, writable and unused. It looks at all before it touches the first.
func (t *RAM) wipe(ctx context.Context, p pool.WipeParams, progress func(pool.Progress)) (pool.WipeResult, error) {
	var res pool.WipeResult
	if len(p.Serials) == 0 {
		return res, fmt.Errorf("%w: wipe: no disk is named", pool.ErrInvalid)
	}
	facts := t.Inspector.Facts(ctx)
	var disks []pool.Disk
	var total int64
	for _, s := range p.Serials {
		d, err := findDisk(facts, s)
		if err != nil {
			return res, err
		}
		if d.ReadOnly || d.Removable {
			return res, fmt.Errorf("%w: wipe disk %s (serial %s): read-only and removable disks are never a target", pool.ErrInvalid, d.Name, s)
		}
		disks, total = append(disks, d), total+int64(d.Size)
	}
	var before int64
	for _, d := range disks {
		w, err := t.wipeOne(ctx, d, func(done int64) {
			progress(pool.Progress{Done: before + done, Total: total, Unit: "bytes", Detail: "erasing " + d.Name})
		})
		if err != nil {
			return res, err
		}
		res.Wiped = append(res.Wiped, w)
		before += int64(d.Size)
	}
	res.Facts = t.Inspector.Facts(ctx)
	for _, w := range res.Wiped {
		if d, ok := res.Facts.Disk(w.Serial); ok && len(d.Content) > 0 {
			return res, newCause("wipe.verify", "A disk still holds something after it was erased.",
				d.Name+": "+strings.Join(d.Content, ", "), "Replace the disk, or erase it with its maker's tool.")
		}
	}
	return res, nil
}

func (t *RAM) wipeOne(ctx context.Context, f pool.Disk, progress func(int64)) (w pool.WipedDisk, err error) {
	d, err := t.Open(f)
	if err != nil {
		return w, err
	}
	defer func() {
		if closeErr := d.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("close disk %s: %w", f.Name, closeErr)
		}
	}()
	method, err := wipeDisk(ctx, d, progress)
	if err != nil {
		return w, err
	}
	return pool.WipedDisk{Serial: f.Serial, Method: method, Size: f.Size}, d.Reread()
}
