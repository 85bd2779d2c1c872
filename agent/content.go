package agent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// signature is what tells a kind of content by fixed bytes.
type signature struct {
	kind   string
	at     int64
	magic  string
	label  int64 // offset of its label, 0: none
	length int   // of the label
}

// signatures are recognised on whole disks and on partitions alike. Offsets
// are those of the projects' own headers.
func signatures() []signature {
	return []signature{
		{"xfs", 0, "XFSB", 108, 12},
		{"btrfs", 65536 + 64, "_BHRfS_M", 65536 + 299, 256},
		{"ntfs", 3, "NTFS    ", 0, 0},
		{"exfat", 3, "EXFAT   ", 0, 0},
		{"vfat", 82, "FAT32   ", 71, 11},
		{"vfat", 54, "FAT16   ", 43, 11},
		{"vfat", 54, "FAT12   ", 43, 11},
		{"swap", 4096 - 10, "SWAPSPACE2", 1024 + 28, 16},
		{"swap (suspended)", 4096 - 10, "S1SUSPEND", 0, 0},
		{"LVM2 physical volume", 512 + 24, "LVM2 001", 0, 0},
		{"LUKS", 0, "LUKS\xba\xbe", 24, 48},
		{"md RAID", 4096, "\xfc\x4e\x2b\xa9", 4096 + 32, 32},
		{"md RAID", 0, "\xfc\x4e\x2b\xa9", 32, 32},
		{"iso9660", 32769, "CD001", 32808, 32},
		{"bcache", 4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca", 0, 0},
		{"VMFS", 0x100000, "\x0d\xd0\x01\xc0", 0, 0},
		{"drbd", 0, "\x83\x74\x02\x6b", 0, 0},
		{"ceph", 0, "bluestore block device\n", 0, 0},
		{"squashfs", 0, "hsqs", 0, 0},
	}
}

// Content says what is recognised on a disk of the given size: its partition
// table with the number of partitions, and file systems, volumes, RAID members
// and swap, on the whole disk and on each partition. Nothing recognised is an
// empty list. It only reads. A disk that cannot be read is an error: it must
// not pass for empty.
func Content(r io.ReaderAt, size int64) ([]string, error) {
	var out []string
	p := prober{r: r, size: size}
	table, parts := p.table()
	if table != "" {
		out = append(out, table)
	} else if kind := p.probe(0, size); kind != "" {
		out = append(out, kind)
	}
	for i, part := range parts {
		if kind := p.probe(part.start, part.length); kind != "" {
			out = append(out, fmt.Sprintf("partition %d: %s", i+1, kind))
		}
	}
	if len(out) == 0 {
		if p.marks(0) {
			out = append(out, "unknown data at its start")
		} else if p.marks(max(0, size-markSize)) { // where RAID controllers keep theirs
			out = append(out, "unknown data at its end")
		}
	}
	return out, p.err
}

type span struct{ start, length int64 }

type prober struct {
	r    io.ReaderAt
	size int64
	err  error
}

// read returns n bytes at off, fewer at the end of the disk.
func (p *prober) read(off int64, n int) []byte {
	if off < 0 || off >= p.size || p.err != nil {
		return nil
	}
	b := make([]byte, min(int64(n), p.size-off))
	k, err := p.r.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = fmt.Errorf("read disk at %d: %w", off, err)
	}
	return b[:k]
}

// table recognises the partition table and lists the partitions in use.
func (p *prober) table() (string, []span) {
	for _, sector := range []int64{512, 4096} {
		g, err := ReadGPT(p.r, p.size, sector)
		if err != nil {
			continue
		}
		var parts []span
		for _, e := range g.Used() {
			parts = append(parts, span{int64(e.First) * sector, int64(e.Last-e.First+1) * sector})
		}
		return fmt.Sprintf("gpt: %s", count(len(parts), "partition")), parts
	}
	if b := p.read(p.size-512, 512); len(b) == 512 && string(b[:8]) == gptMagic {
		return "gpt: backup table only", nil
	}
	b := p.read(0, 512)
	// A boot sector of a FAT or NTFS file system has the same last two bytes.
	if len(b) < 512 || b[510] != 0x55 || b[511] != 0xaa || isFileSystem(b) {
		return "", nil
	}
	var parts []span
	for i := range 4 {
		e := b[446+16*i:][:16]
		first, n := binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])
		if e[4] != 0 && n != 0 {
			parts = append(parts, span{int64(first) * 512, int64(n) * 512})
		}
	}
	return fmt.Sprintf("mbr: %s", count(len(parts), "partition")), parts
}

func isFileSystem(boot []byte) bool {
	return string(boot[3:11]) == "NTFS    " || string(boot[3:11]) == "EXFAT   " ||
		string(boot[54:57]) == "FAT" || string(boot[82:87]) == "FAT32"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// probe names what lies at off.
func (p *prober) probe(off, length int64) string {
	head := p.read(off, 128<<10)
	at := func(pos int64, n int) []byte {
		if pos+int64(n) <= int64(len(head)) {
			return head[pos:][:n]
		}
		return p.read(off+pos, n)
	}
	if b := at(1024, 256); len(b) == 256 && b[56] == 0x53 && b[57] == 0xef {
		return named(extKind(b), b[120:136])
	}
	for _, s := range signatures() {
		if s.at+int64(len(s.magic)) > length || !bytes.Equal(at(s.at, len(s.magic)), []byte(s.magic)) {
			continue
		}
		if s.label == 0 {
			return s.kind
		}
		return named(s.kind, at(s.label, s.length))
	}
	if p.zfs(off, length) {
		return "ZFS member"
	}
	// md 0.90 and 1.0 keep their superblock at the end.
	for _, end := range []int64{(length &^ 0xffff) - 0x10000, ((length/512 - 16) &^ 7) * 512} {
		if end > 0 && bytes.Equal(p.read(off+end, 4), []byte("\xfc\x4e\x2b\xa9")) {
			return "md RAID"
		}
	}
	return ""
}

// extKind tells ext2, 3 and 4 apart by their features.
func extKind(b []byte) string {
	compat, incompat := binary.LittleEndian.Uint32(b[92:]), binary.LittleEndian.Uint32(b[96:])
	switch {
	case incompat&0x0240 != 0: // extents, flex_bg
		return "ext4"
	case compat&4 != 0: // journal
		return "ext3"
	}
	return "ext2"
}

// zfs looks for an uberblock in the first label, whatever its byte order.
func (p *prober) zfs(off, length int64) bool {
	if length < 256<<10 {
		return false
	}
	b := p.read(off+128<<10, 128<<10)
	for i := 0; i+8 <= len(b); i += 1024 {
		if binary.LittleEndian.Uint64(b[i:]) == 0x00bab10c || binary.BigEndian.Uint64(b[i:]) == 0x00bab10c {
			return true
		}
	}
	return false
}

// markSize is how much of either end must hold nothing for a disk to be empty.
const markSize = 1 << 20

// marks says whether the first markSize bytes from off hold anything but zeros or ones.
func (p *prober) marks(off int64) bool {
	b := p.read(off, markSize)
	return len(bytes.Trim(b, "\x00")) > 0 && len(bytes.Trim(b, "\xff")) > 0
}

func named(kind string, label []byte) string {
	l, _, _ := strings.Cut(string(label), "\x00")
	if l = strings.TrimSpace(oneLine(strings.ToValidUTF8(l, "?"))); l == "" {
		return kind
	}
	return kind + " " + l
}
