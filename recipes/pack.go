package recipes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
)

// MaxPacked is the size of the largest recipe, packed or unpacked, and
// maxFiles the most files it may have.
const (
	MaxPacked = 150 << 20
	maxFiles  = 10000
)

// packedBases is the folder of an archive that holds the descriptors of
// extended recipes: 1 is the base, 2 its base.
const packedBases = ".extends"

// list names the regular files of a folder. A link or device is refused: a
// recipe is what lies in its folder.
func list(fsys fs.FS, dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(fsys, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, dir), "/")
		if dir == "." {
			rel = p
		}
		switch {
		case d.IsDir():
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return invalidf("%s: is no regular file; links and devices are not packed", rel)
		case len(files) >= maxFiles:
			return invalidf("the recipe has more than %d files", maxFiles)
		}
		files = append(files, rel)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list files of recipe: %w", err)
	}
	sort.Strings(files)
	return files, nil
}

// Pack packs the folder that fsys is. The same files give the same bytes;
// digest is "sha256:" and the hash of the archive.
func Pack(fsys fs.FS) (archive []byte, digest string, err error) {
	files, err := list(fsys, ".")
	if err != nil {
		return nil, "", err
	}
	from := make(map[string]source, len(files))
	for _, f := range files {
		from[f] = source{fsys: fsys, dir: ".", file: f}
	}
	return pack(from)
}

// Pack packs the recipe with what it needs of extended recipes: their files
// that it lacks, and their descriptors. The result loads by itself. Overrides
// it was loaded with are appended to the properties file, as the original does,
// because Groovy scripts read that file themselves.
func (r *Recipe) Pack() (archive []byte, digest string, err error) {
	from, err := r.packed()
	if err != nil {
		return nil, "", err
	}
	return pack(from)
}

// packed are the files of the recipe's archive.
func (r *Recipe) packed() (map[string]source, error) {
	if r.IsApplication() {
		return r.packApplication()
	}
	from, err := r.sources()
	if err != nil {
		return nil, err
	}
	if err := r.addApplication(from); err != nil {
		return nil, err
	}
	if r.overrides != "" {
		r.appendProperties(from, "\n// overrides of the deployment\n"+r.overrides+"\n")
	}
	return from, nil
}

// sources are the files of a service and of what it extends.
func (r *Recipe) sources() (map[string]source, error) {
	from := map[string]source{}
	add := func(name string, s source) {
		if _, ok := from[name]; !ok {
			from[name] = s
		}
	}
	for _, f := range r.Files {
		add(f, source{fsys: r.fsys, dir: r.dir, file: f})
	}
	for i, s := range r.baseSources() {
		files, err := list(s.fsys, s.dir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			src := source{fsys: s.fsys, dir: s.dir, file: f}
			add(path.Join(packedBases, fmt.Sprint(i+1), f), src)
			if kindOf(f) == "" && !strings.HasSuffix(f, "-service.overrides") { // its properties, too: its scripts read that file
				add(f, src)
			}
		}
	}
	return from, nil
}

// emptyFS has every file, and each is empty.
type emptyFS struct{}

// Open is refused: only ReadFile is used.
func (emptyFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
}

// ReadFile reads nothing.
func (emptyFS) ReadFile(string) ([]byte, error) { return nil, nil }

func pack(from map[string]source) ([]byte, string, error) {
	names := make([]string, 0, len(from))
	for n := range from {
		names = append(names, n)
	}
	slices.Sort(names)
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	total := int64(0)
	for _, n := range names {
		src := from[n]
		body, err := fs.ReadFile(src.fsys, path.Join(src.dir, src.file))
		if err != nil {
			return nil, "", fmt.Errorf("pack %s: %w", n, err)
		}
		body = append(body, src.more...)
		if total += int64(len(body)); total > MaxPacked {
			return nil, "", invalidf("pack recipe: it is larger than %d bytes", int64(MaxPacked))
		}
		h := &tar.Header{Name: n, Mode: mode(n), Size: int64(len(body)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX, Typeflag: tar.TypeReg}
		if err := tw.WriteHeader(h); err != nil {
			return nil, "", fmt.Errorf("pack %s: %w", n, err)
		}
		if _, err := tw.Write(body); err != nil {
			return nil, "", fmt.Errorf("pack %s: %w", n, err)
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		return nil, "", fmt.Errorf("pack recipe: %w", err)
	}
	return buf.Bytes(), Digest(buf.Bytes()), nil
}

// mode makes scripts executable; nothing else of a file's mode is kept.
func mode(name string) int64 {
	if strings.HasSuffix(name, ".sh") {
		return 0o755
	}
	return 0o644
}

// Digest names an archive by its content.
func Digest(archive []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(archive)) }

// Unpack writes an archive that Pack made into the existing folder dir. It
// refuses an archive whose digest differs, that is too large, or that holds
// anything but regular files; nothing is written outside of dir.
func Unpack(archive []byte, digest, dir string) (err error) {
	if got := Digest(archive); got != digest {
		return invalidf("unpack recipe: the archive is %s, not %s", got, digest)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack recipe: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	zr, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return invalidf("unpack recipe: %v", err)
	}
	tr := tar.NewReader(zr)
	left := int64(MaxPacked)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return invalidf("unpack recipe: %v", err)
		}
		left -= h.Size
		if n >= 2*maxFiles || left < 0 { // with its folders
			return invalidf("unpack recipe: it is too large")
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		if h.Typeflag != tar.TypeReg || !fs.ValidPath(path.Clean(h.Name)) {
			return invalidf("unpack %q: not a regular file inside the recipe", h.Name)
		}
		if err := unpackFile(root, path.Clean(h.Name), tr); err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, body io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fs.FileMode(mode(name)))
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	_, err = io.Copy(f, body)
	if _, disk := errors.AsType[*fs.PathError](err); err != nil && !disk {
		err = invalid{err} // the archive could not be read
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	return nil
}
