package debian

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf16"
)

const (
	sector     = 512
	gptEntries = 128
	gptEntry   = 128 // bytes of one entry
	gptSectors = 1 + gptEntries*gptEntry/sector
)

// A guid is written as UEFI prints it: 8-4-4-4-12 hexadecimal digits.
type guid string

// Partition types (UEFI 2.10 table 5-7, GRUB manual "BIOS installation", and
// the Discoverable Partitions Specification).
const (
	typeBIOSBoot guid = "21686148-6449-6E6F-744E-656564454649"
	typeESP      guid = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
	// The root file system's, by architecture.
	typeRootAMD64 guid = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
	typeRootARM64 guid = "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"
)

// bytes is g as it lies on disk: the first three fields little endian
// (UEFI 2.10 appendix A).
func (g guid) bytes() ([16]byte, error) {
	var out [16]byte
	raw, err := hex.DecodeString(strings.ReplaceAll(string(g), "-", ""))
	if err != nil || len(raw) != 16 {
		return out, fmt.Errorf("parse GUID %q: not 32 hexadecimal digits", string(g))
	}
	copy(out[:], raw)
	for _, swap := range [][2]int{{0, 3}, {1, 2}, {4, 5}, {6, 7}} {
		out[swap[0]], out[swap[1]] = out[swap[1]], out[swap[0]]
	}
	return out, nil
}

// A partition is one entry of the table; Start and Size are sectors.
type partition struct {
	Type, ID    guid
	Name        string
	Start, Size int64
}

// writeGPT writes the protective MBR and both copies of the table of a disk
// of size bytes (UEFI 2.10 section 5.3). The MBR's boot code is left alone.
func writeGPT(w io.WriterAt, size int64, disk guid, parts []partition) error {
	if size%sector != 0 || len(parts) > gptEntries {
		return fmt.Errorf("write partition table: %d bytes, %d partitions", size, len(parts))
	}
	total := size / sector
	first, last := int64(1+gptSectors), total-1-gptSectors
	table, err := gptTable(parts, first, last)
	if err != nil {
		return fmt.Errorf("write partition table: %w", err)
	}
	id, err := disk.bytes()
	if err != nil {
		return fmt.Errorf("write partition table: %w", err)
	}
	header := func(self, other, entries int64) []byte {
		h := make([]byte, sector)
		copy(h, "EFI PART")
		le := binary.LittleEndian
		le.PutUint32(h[8:], 0x00010000)
		le.PutUint32(h[12:], 92)
		le.PutUint64(h[24:], uint64(self))
		le.PutUint64(h[32:], uint64(other))
		le.PutUint64(h[40:], uint64(first))
		le.PutUint64(h[48:], uint64(last))
		copy(h[56:], id[:])
		le.PutUint64(h[72:], uint64(entries))
		le.PutUint32(h[80:], gptEntries)
		le.PutUint32(h[84:], gptEntry)
		le.PutUint32(h[88:], crc32.ChecksumIEEE(table))
		le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
		return h
	}
	for _, piece := range []struct {
		at   int64
		data []byte
	}{
		{446, protective(total)},
		{sector, header(1, total-1, 2)},
		{2 * sector, table},
		{(total - gptSectors) * sector, table},
		{(total - 1) * sector, header(total-1, 1, total-gptSectors)},
	} {
		if _, err := w.WriteAt(piece.data, piece.at); err != nil {
			return fmt.Errorf("write partition table: %w", err)
		}
	}
	return nil
}

// protective is the MBR's partition table and signature, bytes 446 to 511.
func protective(total int64) []byte {
	b := make([]byte, 66)
	copy(b, []byte{0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff})
	binary.LittleEndian.PutUint32(b[8:], 1)
	binary.LittleEndian.PutUint32(b[12:], uint32(min(total-1, 0xffffffff)))
	b[64], b[65] = 0x55, 0xaa
	return b
}

func gptTable(parts []partition, first, last int64) ([]byte, error) {
	table := make([]byte, gptEntries*gptEntry)
	end := first
	for i, p := range parts {
		if p.Start < end || p.Size <= 0 || p.Start+p.Size-1 > last {
			return nil, fmt.Errorf("partition %d %q: sectors %d+%d overlap or lie outside %d-%d", i+1, p.Name, p.Start, p.Size, first, last)
		}
		end = p.Start + p.Size
		e := table[i*gptEntry : (i+1)*gptEntry]
		kind, err := p.Type.bytes()
		if err != nil {
			return nil, err
		}
		id, err := p.ID.bytes()
		if err != nil {
			return nil, err
		}
		copy(e, kind[:])
		copy(e[16:], id[:])
		binary.LittleEndian.PutUint64(e[32:], uint64(p.Start))
		binary.LittleEndian.PutUint64(e[40:], uint64(end-1))
		name := utf16.Encode([]rune(p.Name))
		if len(name) > 36 {
			return nil, fmt.Errorf("partition %d: name %q is too long", i+1, p.Name)
		}
		for j, u := range name {
			binary.LittleEndian.PutUint16(e[56+2*j:], u)
		}
	}
	return table, nil
}
