package agent

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"appliance/pool"
)

// binder mounts the disk of an instance's data. It makes a file system only
// when the appliance says that the instance never had one, on a disk that
// holds nothing; one that bears the instance's UUID is mounted as it is.
type binder struct {
	disks func(context.Context) []pool.Disk
	out   io.Writer
}

// labelNew is the label of a file system that is still being made: its own
// name is written last, when all of it is on the disk.
const labelNew = "appliance-new"

// bindStorage is what the task storage does.
func (l *lifecycle) bindStorage(ctx context.Context, p pool.StorageParams) (any, error) {
	in := &Inspector{Look: lookAtDisk}
	b := &binder{disks: in.disks, out: l.out}
	if p.Release {
		return nil, b.release(ctx, p)
	}
	return b.bind(ctx, p)
}

func (b *binder) bind(ctx context.Context, p pool.StorageParams) (pool.StorageResult, error) {
	var res pool.StorageResult
	disk, made, err := b.find(ctx, p)
	if err != nil {
		return res, err
	}
	device := "/dev/" + disk.Name
	if !made {
		if err := b.format(ctx, disk, p); err != nil {
			return res, err
		}
		b.say("made a file system on %s (serial %s, %s)", device, disk.Serial, pool.Bytes(disk.Size))
	}
	if err := b.mount(ctx, device, p); err != nil {
		return res, err
	}
	b.say("%s (serial %s) is mounted on %s", device, disk.Serial, p.Path)
	return pool.StorageResult{Serial: disk.Serial, Device: device, Size: disk.Size, Formatted: !made}, nil
}

func (b *binder) say(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format+"\n", args...) }

// find returns the disk, and whether its file system was made.
func (b *binder) find(ctx context.Context, p pool.StorageParams) (disk pool.Disk, made bool, err error) {
	own, all, err := b.own(ctx, p.UUID)
	switch {
	case err != nil:
		return disk, false, err
	case len(own) > 1:
		return disk, false, newCause("storage.twice", fmt.Sprintf("%d disks bear the file system of storage %s; nothing was mounted.", len(own), p.Name),
			diskNames(own), "Take away the copy, then try again.")
	case len(own) == 1 && own[0].label != labelNew:
		return own[0].Disk, true, nil
	case !p.Format:
		return disk, false, newCause("storage.missing", fmt.Sprintf("The disk with the data of storage %s is not in the machine, or no longer bears its file system; none was made anew.", p.Name),
			fmt.Sprintf("file system %s was on disk %s", p.UUID, p.Serial), "Put the disk back, then try again. If its data are lost: remove the service, and restore them from a backup.")
	case len(own) == 1: // it was cut off while it was made: nobody has written to it yet
		return own[0].Disk, false, nil
	}
	if disk, err = findDisk(&pool.Facts{Disks: all}, p.Serial); err != nil {
		return disk, false, err
	}
	if len(disk.Content) > 0 || !disk.Target() {
		return disk, false, foreign(disk, disk.Content)
	}
	return disk, false, nil
}

func foreign(d pool.Disk, content []string) error {
	return newCause("storage.foreign", fmt.Sprintf("Disk %s (serial %s) is not empty; nothing was written to it.", d.Name, d.Serial),
		"it holds "+strings.Join(content, ", "), "Release the machine and have the disk wiped, or name another one in the storage template.")
}

func diskNames(list []ownDisk) string {
	var out []string
	for _, d := range list {
		out = append(out, d.Name+" (serial "+d.Serial+")")
	}
	return strings.Join(out, ", ")
}

// ownDisk is a disk that bears the wanted file system.
type ownDisk struct {
	pool.Disk
	label string
}

// own finds the disks that bear the file system uuid. One that cannot be read
// matters only where none was found: it may be the one.
func (b *binder) own(ctx context.Context, uuid string) (own []ownDisk, all []pool.Disk, err error) {
	all = b.disks(ctx)
	var unread error
	for _, d := range all {
		id, label, err := superblock("/dev/" + d.Name)
		if err != nil {
			unread = errors.Join(unread, fmt.Errorf("look at disk %s: %w", d.Name, err))
		} else if id == uuid {
			own = append(own, ownDisk{d, label})
		}
	}
	if len(own) == 0 && unread != nil {
		return nil, nil, unread
	}
	return own, all, nil
}

// superblock reads UUID and label of an ext4 file system that fills the whole
// device; both are empty where there is none.
func superblock(device string) (uuid, label string, err error) {
	f, err := os.Open(device)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sb := make([]byte, 256)
	if _, err := f.ReadAt(sb, 1024); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "", "", nil
	} else if err != nil {
		return "", "", err
	}
	if sb[56] != 0x53 || sb[57] != 0xef {
		return "", "", nil
	}
	id := hex.EncodeToString(sb[104:120])
	label, _, _ = strings.Cut(string(sb[120:136]), "\x00")
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:], label, nil
}

// format makes the file system. It looks again, at a disk that it alone has
// open: between the inventory and now somebody may have used it.
func (b *binder) format(ctx context.Context, d pool.Disk, p pool.StorageParams) error {
	device := "/dev/" + d.Name
	if err := emptyNow(device, d, p.UUID); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", "-U", p.UUID, "-L", labelNew, device).CombinedOutput(); err != nil {
		return newCause("storage.format", fmt.Sprintf("No file system could be made on disk %s (serial %s).", d.Name, d.Serial),
			fmt.Sprintf("mkfs.ext4: %v: %s", err, oneLine(string(out))), "Look at the disk's health; then try again.")
	}
	if err := syncDevice(device); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "e2label", device, storageLabel(p.Name)).CombinedOutput(); err != nil {
		return fmt.Errorf("label %s: %w: %s", device, err, oneLine(string(out)))
	}
	return syncDevice(device)
}

// storageLabel fits in the 16 bytes of the superblock.
func storageLabel(name string) string { return "data-" + name[:min(len(name), 11)] }

func emptyNow(device string, d pool.Disk, uuid string) (err error) {
	f, err := os.OpenFile(device, os.O_RDONLY|unix.O_EXCL, 0)
	if errors.Is(err, unix.EBUSY) {
		return newCause("storage.busy", fmt.Sprintf("Disk %s (serial %s) is in use; nothing was written to it.", d.Name, d.Serial),
			"it is mounted, or part of a RAID or volume group", "Name another disk in the storage template.")
	}
	if err != nil {
		return fmt.Errorf("open disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("measure disk: %w", err)
	}
	content, err := Content(f, size)
	if err != nil {
		return err
	}
	if id, label, err := superblock(device); err != nil || id == uuid && label == labelNew {
		return err // ours, cut off while it was made
	}
	if len(content) > 0 {
		return foreign(d, content)
	}
	return nil
}

func syncDevice(device string) (err error) {
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("sync disk: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// mount puts the file system in place, checked first. What is there already
// is left as it is.
func (b *binder) mount(ctx context.Context, device string, p pool.StorageParams) error {
	there, elsewhere, err := mountedAt(device, p.Path)
	switch {
	case err != nil:
		return err
	case there == mountOurs:
		return nil
	case there == mountOther:
		return newCause("storage.path", fmt.Sprintf("Another file system is mounted on %s.", p.Path), "", "Unmount it, or give the storage template another path.")
	}
	for _, old := range elsewhere { // the storage template had another path before
		if err := unix.Unmount(old, 0); err != nil {
			return newCause("storage.path", fmt.Sprintf("%s is mounted on %s and cannot be taken from there to %s.", device, old, p.Path), err.Error(),
				"Stop what uses it, then try again.")
		}
	}
	if err := os.MkdirAll(p.Path, 0o755); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	entries, err := os.ReadDir(p.Path)
	if err != nil {
		return fmt.Errorf("look at mount point: %w", err)
	}
	if len(entries) > 0 {
		return newCause("storage.path", fmt.Sprintf("%s holds files that are not on the data disk; mounting would hide them.", p.Path),
			fmt.Sprintf("%d entries, the first is %s", len(entries), entries[0].Name()), "Move them away, or give the storage template another path.")
	}
	out, err := exec.CommandContext(ctx, "e2fsck", "-p", device).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Exited() && exit.ExitCode() < 4: // it was mended; killed is -1
		b.say("e2fsck: %s", oneLine(string(out)))
	case errors.As(err, &exit):
		return newCause("storage.damaged", fmt.Sprintf("The file system on %s is damaged; it was not mounted.", device),
			fmt.Sprintf("e2fsck -p: exit code %d: %s", exit.ExitCode(), oneLine(string(out))), "Run e2fsck on the machine, or restore from a backup; then try again.")
	case err != nil:
		return fmt.Errorf("check file system: %w", err)
	}
	if err := unix.Mount(device, p.Path, "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", device, p.Path, err)
	}
	return nil
}

type mountState int

const (
	mountNone mountState = iota
	mountOurs
	mountOther
)

// mountedAt says what is mounted on path, and where else device is mounted.
func mountedAt(device, path string) (there mountState, elsewhere []string, err error) {
	var st unix.Stat_t
	if err := unix.Stat(device, &st); err != nil {
		return 0, nil, fmt.Errorf("look at %s: %w", device, err)
	}
	want := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return 0, nil, fmt.Errorf("read mounts: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line) // proc(5): id, parent, major:minor, root, mount point
		if len(f) < 5 {
			continue
		}
		at := unescapeMount(f[4])
		switch {
		case at == path && f[2] == want:
			there = mountOurs
		case at == path:
			there = mountOther // the last one is on top
		case f[2] == want:
			elsewhere = append(elsewhere, at)
		}
	}
	slices.Reverse(elsewhere)
	return there, elsewhere, nil
}

// unescapeMount reads the octal escapes of mountinfo.
func unescapeMount(s string) string {
	for _, esc := range []struct{ code, text string }{{`\040`, " "}, {`\011`, "\t"}, {`\012`, "\n"}, {`\134`, `\`}} {
		s = strings.ReplaceAll(s, esc.code, esc.text)
	}
	return s
}

// release unmounts the instance's data, and empties their disk when that is wanted.
func (b *binder) release(ctx context.Context, p pool.StorageParams) error {
	own, _, err := b.own(ctx, p.UUID)
	if err != nil {
		return err
	}
	for _, d := range own {
		device := "/dev/" + d.Name
		there, at, err := mountedAt(device, p.Path)
		if err != nil {
			return err
		}
		if there == mountOurs {
			at = append([]string{p.Path}, at...)
		}
		for _, dir := range at {
			if err := unix.Unmount(dir, 0); err != nil {
				return fmt.Errorf("unmount %s: %w", dir, err)
			}
			b.say("%s is no longer mounted on %s", device, dir)
		}
		if !p.Erase {
			continue
		}
		if err := eraseEnds(device); err != nil {
			return err
		}
		b.say("the file system on %s is erased", device)
	}
	return nil
}

// eraseEnds takes away what a disk is recognised by.
func eraseEnds(device string) (err error) {
	f, err := os.OpenFile(device, os.O_RDWR|unix.O_EXCL, 0)
	if err != nil {
		return fmt.Errorf("erase disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("measure disk: %w", err)
	}
	n := min(size, markSize)
	for _, off := range []int64{0, size - n} {
		if err := writeZeros(f, off, n); err != nil {
			return err
		}
	}
	return f.Sync()
}
