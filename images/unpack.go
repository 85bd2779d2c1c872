package images

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// bigFile is from where on a file is worth being sent by the kernel alone, and
// a download one that waits for its turn.
const bigFile = 1 << 20

// packed ends the name of a file that a kit carries in one zstd frame.
const packed = ".pack"

// Unpack writes the big files of a boot kit into dir, which it makes, and
// returns the kit with those in place of its own: only what is in the file
// system can be sent without passing through this process (sendfile(2)). So
// are files that the kit carries packed (NAME.pack), as NAME.
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
	known := k.manifest()
	keep := map[string]bool{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return k, fmt.Errorf("unpack boot kit: %w", err)
		}
		name, isPacked := strings.CutSuffix(e.Name(), packed)
		sum := known[name]
		if sum == "" {
			if sum, err = k.sum(e.Name()); err != nil {
				return k, fmt.Errorf("unpack boot kit: %s: %w", name, err)
			}
		}
		k.sums[name] = sum
		if !isPacked && info.Size() < bigFile {
			continue
		}
		path := filepath.Join(dir, sum[:16]+"-"+name)
		keep[filepath.Base(path)] = true
		if err := k.place(path, e.Name(), sum); err != nil {
			return k, fmt.Errorf("unpack boot kit: %s: %w", name, err)
		}
		k.big[name] = path
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

// content opens a file of the kit, unpacked.
func (k Kit) content(name string) (io.ReadCloser, error) {
	f, err := k.small.Open(name)
	if err != nil || !strings.HasSuffix(name, packed) {
		return f, err
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return z.IOReadCloser(), nil // the file below lies in memory
}

// manifest returns the SHA-256 of each file as the kit's own manifest tells:
// to read 70 MB anew at each start would hold up what starts beside.
func (k Kit) manifest() map[string]string {
	var m struct {
		Files []struct{ Name, SHA256 string }
	}
	known := map[string]string{}
	text, err := fs.ReadFile(k.small, "manifest.json")
	if err != nil || json.Unmarshal(text, &m) != nil {
		return known
	}
	for _, f := range m.Files {
		if len(f.SHA256) == 2*sha256.Size {
			known[f.Name] = f.SHA256
		}
	}
	return known
}

// sum is the SHA-256 of a file's content, hexadecimal.
func (k Kit) sum(name string) (string, error) {
	in, err := k.content(name)
	if err != nil {
		return "", err
	}
	return copySum(io.Discard, in)
}

// copySum copies in to its end, closes it and returns the SHA-256 of it.
func copySum(out io.Writer, in io.ReadCloser) (string, error) {
	h := sha256.New()
	_, err := io.Copy(io.MultiWriter(out, h), in)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, in.Close())
}

// place writes the content of the kit's file name to path unless that holds it
// already. It is refused if its SHA-256 is not sum.
func (k Kit) place(path, name, sum string) error {
	if sumOf(path) == sum {
		return nil
	}
	in, err := k.content(name)
	if err != nil {
		return err
	}
	tmp := path + ".new"
	out, err := os.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	got, err := copySum(out, in)
	if err == nil && got != sum {
		err = fmt.Errorf("its SHA-256 is %s, the manifest says %s", got, sum)
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}

// sumOf is the SHA-256 of a file in the file system; "" when it cannot be read.
func sumOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	sum, err := copySum(io.Discard, f)
	if err != nil {
		return ""
	}
	return sum
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
