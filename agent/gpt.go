package agent

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"appliance/pool"
)

// gptMagic begins a GPT header (UEFI 2.10, section 5.3.2).
const gptMagic = "EFI PART"

const gptEntry = 128 // bytes; the only size in the field

// GPT is a partition table.
type GPT struct {
	Sector int64 // bytes
	Size   int64 // of the disk, bytes

	header  []byte // one sector
	entries []byte
}

// Partition is an entry in use. First and Last are sectors, both included.
type Partition struct {
	Index       int // from 0
	First, Last uint64
}

// ReadGPT reads the primary table of a disk of the given size. Errors wrap
// pool.ErrInvalid when there is no sound one.
func ReadGPT(r io.ReaderAt, size, sector int64) (*GPT, error) {
	h := make([]byte, sector)
	if _, err := r.ReadAt(h, sector); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read GPT: %w", err)
	}
	if string(h[:8]) != gptMagic {
		return nil, fmt.Errorf("%w: read GPT: no header", pool.ErrInvalid)
	}
	le := binary.LittleEndian
	length, entries, each := le.Uint32(h[12:]), le.Uint32(h[80:]), le.Uint32(h[84:])
	if length < 92 || int64(length) > sector || each != gptEntry || entries == 0 || entries > 1024 || le.Uint64(h[72:]) != 2 {
		return nil, fmt.Errorf("%w: read GPT: header of %d bytes, %d entries of %d bytes at sector %d",
			pool.ErrInvalid, length, entries, each, le.Uint64(h[72:]))
	}
	if le.Uint32(h[16:]) != headerCRC(h, length) {
		return nil, fmt.Errorf("%w: read GPT: the header's checksum is wrong", pool.ErrInvalid)
	}
	g := &GPT{Sector: sector, Size: size, header: h, entries: make([]byte, entries*each)}
	if _, err := r.ReadAt(g.entries, 2*sector); err != nil {
		return nil, fmt.Errorf("%w: read GPT entries: %v", pool.ErrInvalid, err)
	}
	if le.Uint32(h[88:]) != crc32.ChecksumIEEE(g.entries) {
		return nil, fmt.Errorf("%w: read GPT: the entries' checksum is wrong", pool.ErrInvalid)
	}
	for _, p := range g.Used() {
		if p.First > p.Last || p.Last > uint64(1)<<50 {
			return nil, fmt.Errorf("%w: read GPT: partition %d ends before it begins", pool.ErrInvalid, p.Index+1)
		}
	}
	return g, nil
}

func headerCRC(h []byte, length uint32) uint32 {
	h = bytes.Clone(h[:length])
	clear(h[16:20])
	return crc32.ChecksumIEEE(h)
}

// Used lists the partitions in the order of the disk.
func (g *GPT) Used() []Partition {
	var out []Partition
	for i := range len(g.entries) / gptEntry {
		e := g.entries[i*gptEntry:][:gptEntry]
		if !bytes.Equal(e[:16], make([]byte, 16)) {
			out = append(out, Partition{i, binary.LittleEndian.Uint64(e[32:]), binary.LittleEndian.Uint64(e[40:])})
		}
	}
	slices.SortFunc(out, func(a, b Partition) int { return cmp.Compare(a.First, b.First) })
	return out
}

// Grow moves the backup table to the end of the disk and lets the last
// partition reach to it, in whole MiB. It only changes g; Write writes.
// Errors wrap pool.ErrInvalid when the disk is too small for the partitions.
func (g *GPT) Grow() error {
	le := binary.LittleEndian
	sectors := uint64(g.Size / g.Sector)
	table := uint64((int64(len(g.entries)) + g.Sector - 1) / g.Sector)
	used := g.Used()
	if sectors < 2*table+4 || len(used) > 0 && used[len(used)-1].Last >= sectors-table-1 {
		return fmt.Errorf("%w: grow GPT: the partitions need more than the disk's %s", pool.ErrInvalid, pool.Bytes(uint64(g.Size)))
	}
	usable := sectors - table - 2
	le.PutUint64(g.header[32:], sectors-1)
	le.PutUint64(g.header[48:], usable)
	if len(used) > 0 {
		last := used[len(used)-1]
		step := uint64(1<<20) / uint64(g.Sector)
		if end := (usable+1)/step*step - 1; end > last.Last {
			le.PutUint64(g.entries[last.Index*gptEntry+40:], end)
		}
	}
	return nil
}

// Write writes the backup table first, then the primary and the protective
// MBR, so that there is a sound one at every moment.
func (g *GPT) Write(w io.WriterAt) error {
	le := binary.LittleEndian
	sectors := g.Size / g.Sector
	table := (int64(len(g.entries)) + g.Sector - 1) / g.Sector
	entries := make([]byte, table*g.Sector)
	copy(entries, g.entries)
	le.PutUint32(g.header[88:], crc32.ChecksumIEEE(g.entries))
	write := func(own, other, at uint64, entriesAt int64) error {
		h := bytes.Clone(g.header)
		le.PutUint64(h[24:], own)
		le.PutUint64(h[32:], other)
		le.PutUint64(h[72:], at)
		le.PutUint32(h[16:], headerCRC(h, le.Uint32(h[12:])))
		if _, err := w.WriteAt(entries, entriesAt); err != nil {
			return fmt.Errorf("write GPT entries: %w", err)
		}
		if _, err := w.WriteAt(h, int64(own)*g.Sector); err != nil {
			return fmt.Errorf("write GPT header: %w", err)
		}
		return nil
	}
	backup := uint64(sectors - 1 - table)
	if err := write(uint64(sectors-1), 1, backup, int64(backup)*g.Sector); err != nil {
		return err
	}
	return write(1, uint64(sectors-1), 2, 2*g.Sector)
}

// protect writes the size of the disk into the protective MBR (UEFI 2.10,
// section 5.2.3), whose boot code it keeps.
func protect(d Disk, sector int64) error {
	b := make([]byte, sector)
	if _, err := d.ReadAt(b, 0); err != nil {
		return fmt.Errorf("read protective MBR: %w", err)
	}
	for i := range 4 {
		e := b[446+16*i:][:16]
		if e[4] == 0xee {
			binary.LittleEndian.PutUint32(e[12:], uint32(min(d.Size()/sector-1, 0xffffffff)))
			if _, err := d.WriteAt(b, 0); err != nil {
				return fmt.Errorf("write protective MBR: %w", err)
			}
			return nil
		}
	}
	return nil
}
