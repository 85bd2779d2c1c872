package images

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// bigFile is from where on a file is worth being sent by the kernel alone, and
// a download one that waits for its turn.
const bigFile = 1 << 20

// Unpack writes the big files of a boot kit into dir, which it makes, and
// returns the kit with those in place of its own: only what is in the file
// system can be sent without passing through this process (sendfile(2)).
// Files that are there and whole stay; what was left of another kit goes.
// It also returns each file's SHA-256, as its ETag.
func Unpack(kit fs.FS, dir string) (Kit, error) {
	k := Kit{small: kit, sums: map[string]string{}, big: map[string]string{}}
	entries, err := fs.ReadDir(kit, ".")
	if err != nil {
		return k, fmt.Errorf("unpack boot kit: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return k, fmt.Errorf("unpack boot kit: %w", err)
	}
	keep := map[string]bool{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		b, err := fs.ReadFile(kit, e.Name())
		if err != nil {
			return k, fmt.Errorf("unpack boot kit: %w", err)
		}
		sum := sha256.Sum256(b)
		k.sums[e.Name()] = hex.EncodeToString(sum[:])
		if len(b) < bigFile {
			continue
		}
		name := filepath.Join(dir, hex.EncodeToString(sum[:8])+"-"+e.Name())
		keep[filepath.Base(name)] = true
		if err := place(name, b); err != nil {
			return k, fmt.Errorf("unpack boot kit: %w", err)
		}
		k.big[e.Name()] = name
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return k, fmt.Errorf("unpack boot kit: %w", err)
	}
	for _, e := range old {
		if !keep[e.Name()] && e.Type().IsRegular() {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return k, fmt.Errorf("unpack boot kit: %w", err)
			}
		}
	}
	return k, nil
}

// place writes name unless it holds b already.
func place(name string, b []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, b) {
		return nil
	}
	tmp := name + ".new"
	if err := os.WriteFile(tmp, b, 0o644); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, name)
}

// Kit is a boot kit whose big files lie in a folder.
type Kit struct {
	small fs.FS
	big   map[string]string // name -> path
	sums  map[string]string
}

// Open implements fs.FS.
func (k Kit) Open(name string) (fs.File, error) {
	if path, ok := k.big[name]; ok {
		return os.Open(path)
	}
	return k.small.Open(name)
}

// Sum returns the SHA-256 of a file, hexadecimal; "" when it is not known.
func (k Kit) Sum(name string) string { return k.sums[name] }
