package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"appliance/pool"
)

// Disk is a whole disk that may be written. A block device and a file are
// disks; tests use files.
type Disk interface {
	io.ReaderAt
	io.WriterAt
	Size() int64
	Sector() int64 // logical block size
	// Zero makes [off, off+n) read as zeros, by the device's own means where
	// it has any.
	Zero(off, n int64) error
	// Discard gives the whole disk's blocks back. What they read as afterwards
	// is the device's affair. It wraps pool.ErrUnavailable when the disk has no such means.
	Discard() error
	// Offload says that the device zeroes by itself, without being sent the zeros.
	Offload() bool
	Sync() error
	// Reread makes the kernel look at the partition table again.
	Reread() error
	Close() error
}

// Open opens the disk that f describes, alone: a disk of which anything is
// mounted or otherwise in use is refused with pool.ErrConflict.
func openDisk(f pool.Disk) (Disk, error) {
	path := "/dev/" + f.Name
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("%w: open disk %s (serial %s): it is in use: mounted, or part of a RAID or volume group", pool.ErrConflict, path, f.Serial)
	}
	if err != nil {
		return nil, fmt.Errorf("open disk %s: %w", path, err)
	}
	d := &blockDisk{file: file, queue: filepath.Join("/sys/block", f.Name, "queue")}
	if d.size, err = file.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(fmt.Errorf("measure disk %s: %w", path, err), file.Close())
	}
	sector, err := unix.IoctlGetInt(int(file.Fd()), unix.BLKSSZGET)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("measure sectors of %s: %w", path, err), file.Close())
	}
	d.sector = int64(sector)
	return d, nil
}

// blockDisk is a block device opened for direct I/O, past the page cache.
type blockDisk struct {
	file   *os.File
	queue  string
	size   int64
	sector int64
}

func (d *blockDisk) Size() int64   { return d.size }
func (d *blockDisk) Sector() int64 { return d.sector }
func (d *blockDisk) Close() error  { return d.file.Close() }
func (d *blockDisk) Sync() error   { return d.file.Sync() }

// ReadAt reads any range; what is not aligned goes through a buffer.
func (d *blockDisk) ReadAt(b []byte, off int64) (int, error) {
	if d.aligned(b, off) {
		return d.file.ReadAt(b, off)
	}
	start := off &^ (d.sector - 1)
	end := min((off+int64(len(b))+d.sector-1)&^(d.sector-1), d.size)
	if start >= end {
		return 0, io.EOF
	}
	buf := alignedBuffer(int(end - start))
	n, err := d.file.ReadAt(buf, start)
	n = copy(b, buf[min(int(off-start), n):n])
	if n == len(b) {
		return n, nil
	}
	if err == nil {
		err = io.EOF
	}
	return n, err
}

// WriteAt writes whole sectors.
func (d *blockDisk) WriteAt(b []byte, off int64) (int, error) {
	if off%d.sector != 0 || int64(len(b))%d.sector != 0 {
		return 0, fmt.Errorf("%w: write %d bytes at %d: sectors have %d", pool.ErrInvalid, len(b), off, d.sector)
	}
	if !d.aligned(b, off) {
		c := alignedBuffer(len(b))
		copy(c, b)
		b = c
	}
	return d.file.WriteAt(b, off)
}

func (d *blockDisk) aligned(b []byte, off int64) bool {
	return len(b) > 0 && off%d.sector == 0 && int64(len(b))%d.sector == 0 &&
		uintptr(unsafe.Pointer(unsafe.SliceData(b)))%4096 == 0
}

// alignedBuffer returns n bytes that begin at a page, as direct I/O wants.
func alignedBuffer(n int) []byte {
	b := make([]byte, n+4096)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & 4095
	return b[skip : skip+n : skip+n]
}

// Zero uses BLKZEROOUT: the device's write-zeroes where it has it, else the
// kernel sends the zeros; either way the blocks read as zeros afterwards.
func (d *blockDisk) Zero(off, n int64) error {
	err := d.span(unix.BLKZEROOUT, off, n)
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTTY) {
		return fmt.Errorf("zero %s at %d: %w", d.file.Name(), off, err)
	}
	return writeZeros(d, off, n)
}

func (d *blockDisk) span(request uint, off, n int64) error {
	r := [2]uint64{uint64(off), uint64(n)}
	_, _, e := unix.Syscall(unix.SYS_IOCTL, d.file.Fd(), uintptr(request), uintptr(unsafe.Pointer(&r)))
	if e != 0 {
		return e
	}
	return nil
}

func (d *blockDisk) Discard() error {
	if d.limit("discard_max_bytes") == 0 {
		return fmt.Errorf("%w: %s has no discard", pool.ErrUnavailable, d.file.Name())
	}
	const step = 8 << 30
	for off := int64(0); off < d.size; off += step {
		if err := d.span(unix.BLKDISCARD, off, min(step, d.size-off)); err != nil {
			return fmt.Errorf("%w: discard %s: %v", pool.ErrUnavailable, d.file.Name(), err)
		}
	}
	return nil
}

func (d *blockDisk) Offload() bool { return d.limit("write_zeroes_max_bytes") > 0 }

func (d *blockDisk) limit(name string) int64 {
	b, _ := os.ReadFile(filepath.Join(d.queue, name))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n
}

// Reread asks until nobody holds a partition open any more.
func (d *blockDisk) Reread() error {
	var err error
	for range 20 {
		if err = unix.IoctlSetInt(int(d.file.Fd()), unix.BLKRRPART, 0); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("read partition table of %s again: %w", d.file.Name(), err)
}

// OpenFileDisk opens a regular file as a disk.
func OpenFileDisk(path string) (Disk, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open disk: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("measure disk: %w", err), f.Close())
	}
	return &fileDisk{File: f, size: st.Size()}, nil
}

// fileDisk is a file as a disk.
type fileDisk struct {
	*os.File
	size int64
}

func (d *fileDisk) Size() int64             { return d.size }
func (d *fileDisk) Sector() int64           { return 512 }
func (d *fileDisk) Zero(off, n int64) error { return writeZeros(d, off, n) }
func (d *fileDisk) Discard() error {
	return fmt.Errorf("%w: a file has no discard", pool.ErrUnavailable)
}
func (d *fileDisk) Offload() bool { return false }
func (d *fileDisk) Reread() error { return nil }

func writeZeros(w io.WriterAt, off, n int64) error {
	zeros := alignedBuffer(int(min(n, pool.FrameSize)))
	for n > 0 {
		k := min(n, int64(len(zeros)))
		if _, err := w.WriteAt(zeros[:k], off); err != nil {
			return fmt.Errorf("write zeros at %d: %w", off, err)
		}
		off, n = off+k, n-k
	}
	return nil
}

// zeroAll zeroes [off, off+n) in pieces, so that it can be stopped and told of.
func zeroAll(ctx context.Context, d Disk, off, n int64, each func(int64)) error {
	const step = 256 << 20
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k := min(n, step)
		if err := d.Zero(off, k); err != nil {
			return err
		}
		off, n = off+k, n-k
		if each != nil {
			each(k)
		}
	}
	return nil
}
