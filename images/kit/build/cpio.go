package build

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// File types of a cpio entry's mode (cpio(5)).
const (
	modeDir  = 0o040000
	modeChar = 0o020000
	modeReg  = 0o100000
)

// An archive is an initramfs in the making (kernel documentation
// driver-api/early-userspace/buffer-format.rst, "newc"). Owners are root,
// times are zero and inode numbers follow the sorted names, so equal contents
// give equal bytes.
type archive struct {
	entries map[string]entry
}

type entry struct {
	mode         uint32
	major, minor uint32
	data         []byte
}

// add puts a file at name, and the folders above it.
func (a *archive) add(name string, mode uint32, data []byte) {
	a.put(name, entry{mode: modeReg | mode, data: data})
}

// dir puts a folder at name, and the folders above it.
func (a *archive) dir(name string) { a.put(name, entry{mode: modeDir | 0o755}) }

// char puts a character device at name.
func (a *archive) char(name string, mode, major, minor uint32) {
	a.put(name, entry{mode: modeChar | mode, major: major, minor: minor})
}

func (a *archive) put(name string, e entry) {
	if a.entries == nil {
		a.entries = map[string]entry{}
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	a.entries[name] = e
	for up := path.Dir(name); up != "."; up = path.Dir(up) {
		if _, ok := a.entries[up]; !ok {
			a.entries[up] = entry{mode: modeDir | 0o755}
		}
	}
}

// writeTo writes the archive. Sorted names put a folder before what is in it.
func (a *archive) writeTo(w io.Writer) error {
	names := make([]string, 0, len(a.entries))
	for name := range a.entries {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if err := writeEntry(w, name, uint32(i+1), a.entries[name]); err != nil {
			return fmt.Errorf("write initramfs entry %s: %w", name, err)
		}
	}
	if err := writeEntry(w, "TRAILER!!!", 0, entry{}); err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	return nil
}

func writeEntry(w io.Writer, name string, inode uint32, e entry) error {
	links := uint32(1)
	if e.mode&modeDir != 0 {
		links = 2
	}
	head := "070701"
	for _, field := range []uint32{inode, e.mode, 0, 0, links, 0, uint32(len(e.data)), 0, 0, e.major, e.minor, uint32(len(name) + 1), 0} {
		head += fmt.Sprintf("%08X", field)
	}
	head += name + "\x00"
	for _, part := range [][]byte{[]byte(head), e.data} {
		if _, err := w.Write(part); err != nil {
			return err
		}
		if _, err := w.Write(make([]byte, -len(part)&3)); err != nil {
			return err
		}
	}
	return nil
}
