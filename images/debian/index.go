package debian

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"appliance/images/debian/apt"
)

// publishIndex merges all into the repository's index and replaces it. The
// indexes are written under the hash of their content first; Release, which
// names them (Acquire-By-Hash), is replaced last, so a client sees the former
// repository or the new one. It returns what the index lists.
func publishIndex(dir string, all []apt.Package, now time.Time) ([]apt.Package, error) {
	old, err := readIndex(filepath.Join(dir, "Packages"))
	if err != nil {
		return nil, err
	}
	for _, p := range old {
		// An archive that someone removed is no longer offered.
		if info, err := os.Stat(filepath.Join(dir, p.Filename)); err == nil && info.Size() == p.Size {
			all = append(all, p)
		}
	}
	all = unique(all)
	var plain bytes.Buffer
	for _, p := range all {
		plain.WriteString(p.Stanza + "\n\n")
	}
	packed, err := gzipped(plain.Bytes())
	if err != nil {
		return nil, fmt.Errorf("publish index: %w", err)
	}
	byHash := filepath.Join(dir, "by-hash/SHA256")
	if err := os.MkdirAll(byHash, 0o755); err != nil {
		return nil, fmt.Errorf("publish index: %w", err)
	}
	release := fmt.Sprintf("Origin: appliance\nLabel: appliance\nDate: %s\nAcquire-By-Hash: yes\nSHA256:\n", now.UTC().Format(time.RFC1123))
	files := []struct {
		name string
		data []byte
	}{{"Packages", plain.Bytes()}, {"Packages.gz", packed}}
	for _, f := range files {
		hash := sha256Hex(f.data)
		release += fmt.Sprintf(" %s %d %s\n", hash, len(f.data), f.name)
		if err := writeFile(filepath.Join(byHash, hash), f.data); err != nil {
			return nil, fmt.Errorf("publish index: %w", err)
		}
	}
	if err := writeFile(filepath.Join(dir, "Release"), []byte(release)); err != nil {
		return nil, fmt.Errorf("publish index: %w", err)
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, f.name), f.data); err != nil {
			return nil, fmt.Errorf("publish index: %w", err)
		}
	}
	return all, nil
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func readIndex(file string) (all []apt.Package, err error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if all, err = apt.ParseControl(f); err != nil {
		return nil, fmt.Errorf("read index %s: %w", file, err)
	}
	return all, nil
}

func gzipped(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
