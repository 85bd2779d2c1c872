package ant

import (
	"archive/tar"
	"archive/zip"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// inside is where an archive's entry goes; entries that would leave the
// target folder are refused.
func inside(dir, name string) (string, error) {
	p := filepath.Join(dir, filepath.FromSlash(name))
	if p != filepath.Clean(dir) && !strings.HasPrefix(p, filepath.Clean(dir)+string(filepath.Separator)) {
		return "", fault("the archive's entry %q would leave %s", name, dir)
	}
	return p, nil
}

func saveEntry(path string, r io.Reader, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	w, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode.Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// unpacking is an archive that goes into a folder.
type unpacking struct {
	dest      string
	rules     []rule // none: all entries
	overwrite bool
}

// entry puts one entry into place, with its time and, as in Ant, without its
// permissions. Without overwrite a file stays that is as new.
func (u unpacking) entry(name string, isDir bool, at time.Time, r io.Reader) error {
	if len(u.rules) > 0 && !slices.ContainsFunc(u.rules, func(r rule) bool { return r.takes(filepath.FromSlash(strings.TrimLeft(name, "/"))) }) {
		return nil
	}
	p, err := inside(u.dest, name)
	if err != nil {
		return err
	}
	if isDir {
		return os.MkdirAll(p, 0o755)
	}
	if info, err := os.Stat(p); err == nil && !u.overwrite && !info.ModTime().Before(at) {
		return nil
	}
	if err := saveEntry(p, r, 0o644); err != nil {
		return err
	}
	return os.Chtimes(p, at, at)
}

// unpack calls one for each archive that a task names.
func (b *builder) unpack(t *groovy.Thread, n *node, one func(src string, u unpacking) error) error {
	dest := n.attrs["dest"]
	if dest == "" {
		return fault("Dest attribute must be specified")
	}
	u := unpacking{dest: b.path(dest), overwrite: n.yes("overwrite", true)}
	var archives []string
	if src := n.attrs["src"]; src != "" {
		archives = append(archives, b.path(src))
	}
	for _, k := range n.kids {
		if k.name == "patternset" {
			u.rules = append(u.rules, b.rule(&node{kids: []*node{k}}, false))
		}
	}
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	for _, f := range files {
		archives = append(archives, f.path())
	}
	if len(archives) == 0 && !n.has("fileset") {
		return fault("src attribute and/or resources must be specified")
	}
	for _, src := range archives {
		if !exists(src) {
			return fault("src '%s' doesn't exist.", src)
		}
		if err := b.log(t, n, "Expanding: "+src+" into "+u.dest); err != nil {
			return err
		}
		if err := one(src, u); err != nil {
			return err
		}
	}
	return nil
}

func unzip(t *groovy.Thread, b *builder, n *node) error {
	return b.unpack(t, n, func(src string, u unpacking) error {
		r, err := zip.OpenReader(src)
		if err != nil {
			return fault("Error while expanding %s\n%v", src, err)
		}
		defer func() { _ = r.Close() }() // read only
		if len(r.File) == 0 && n.yes("failonemptyarchive", false) {
			return fault("archive '%s' is empty", src)
		}
		for _, f := range r.File {
			if err := t.Context().Err(); err != nil {
				return err
			}
			in, err := f.Open()
			if err != nil {
				return err
			}
			if err := errors.Join(u.entry(f.Name, f.FileInfo().IsDir(), f.Modified, in), in.Close()); err != nil {
				return err
			}
		}
		return nil
	})
}

// uncompressed reads a file as the attribute compression says.
func (n *node) uncompressed(f io.Reader) (io.Reader, error) {
	switch c := n.attrs["compression"]; c {
	case "", "none":
		return f, nil
	case "gzip":
		return gzip.NewReader(f)
	case "bzip2":
		return bzip2.NewReader(f), nil
	default:
		return nil, fault("compression %s is not supported", c)
	}
}

// untar unpacks files and folders; of a link, as in Ant, comes an empty file.
func untar(t *groovy.Thread, b *builder, n *node) error {
	return b.unpack(t, n, func(src string, u unpacking) error {
		f, err := os.Open(src)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // read only
		r, err := n.uncompressed(f)
		if err != nil {
			return fault("Error while expanding %s\n%s", src, message(err))
		}
		empty := true
		for tr := tar.NewReader(r); ; empty = false {
			if err := t.Context().Err(); err != nil {
				return err
			}
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fault("Error while expanding %s\n%v", src, err)
			}
			switch h.Typeflag {
			case tar.TypeDir, tar.TypeReg, tar.TypeSymlink, tar.TypeLink:
				if err := u.entry(h.Name, h.Typeflag == tar.TypeDir, h.ModTime, tr); err != nil {
					return err
				}
			}
		}
		if empty && n.yes("failonemptyarchive", false) {
			return fault("archive '%s' is empty", src)
		}
		return nil
	})
}

// gunzip unpacks one file, where what is there is older.
func gunzip(t *groovy.Thread, b *builder, n *node) error {
	src, err := n.need("src")
	if err != nil {
		return err
	}
	path := b.path(src)
	f, err := os.Open(path)
	if err != nil {
		return fault("the archive %s doesn't exist", filepath.Base(src))
	}
	defer func() { _ = f.Close() }() // read only
	dest := strings.TrimSuffix(path, ".gz")
	if d := n.attrs["dest"]; d != "" {
		if dest = b.path(d); isDir(dest) {
			dest = filepath.Join(dest, strings.TrimSuffix(filepath.Base(src), ".gz"))
		}
	}
	old, err1 := os.Stat(path)
	now, err2 := os.Stat(dest)
	if err1 == nil && err2 == nil && !old.ModTime().After(now.ModTime()) {
		return nil
	}
	if err := b.log(t, n, "Expanding "+filepath.Base(src)+" to "+dest); err != nil {
		return err
	}
	r, err := gzip.NewReader(f)
	if err != nil {
		return fault("Problem expanding gzip %v", err)
	}
	return saveEntry(dest, r, 0o644)
}

func gzipTask(t *groovy.Thread, b *builder, n *node) error {
	src, err := n.need("src")
	if err != nil {
		return err
	}
	dest, err := n.need("destfile", "zipfile")
	if err != nil {
		return err
	}
	in, err := os.Open(b.path(src))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // read only
	if err := b.log(t, n, "Building: "+b.path(dest)); err != nil {
		return err
	}
	out, err := os.Create(b.path(dest))
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	return errors.Join(err, z.Close(), out.Close())
}
