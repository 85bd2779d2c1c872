package ant

import (
	"archive/tar"
	"archive/zip"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
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

func unzip(t *groovy.Thread, b *builder, n *node) error {
	src, err := n.need("src")
	if err != nil {
		return err
	}
	dest, err := n.need("dest")
	if err != nil {
		return err
	}
	r, err := zip.OpenReader(b.path(src))
	if err != nil {
		return fault("Error while expanding %s: %v", src, err)
	}
	defer func() { _ = r.Close() }() // read only
	if err := b.log(t, n, "Expanding: "+b.path(src)+" into "+b.path(dest)); err != nil {
		return err
	}
	if err := os.MkdirAll(b.path(dest), 0o755); err != nil {
		return err
	}
	for _, f := range r.File {
		if err := t.Context().Err(); err != nil {
			return err
		}
		p, err := inside(b.path(dest), f.Name)
		if err != nil {
			return err
		}
		if f.FileInfo().IsDir() {
			if err := os.MkdirAll(p, 0o755); err != nil {
				return err
			}
			continue
		}
		if !n.yes("overwrite", true) && exists(p) {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return err
		}
		if err := errors.Join(saveEntry(p, in, 0o644), in.Close()); err != nil { // unzip sets no permissions, as Ant's
			return err
		}
	}
	return nil
}

func untar(t *groovy.Thread, b *builder, n *node) error {
	src, err := n.need("src")
	if err != nil {
		return err
	}
	dest, err := n.need("dest")
	if err != nil {
		return err
	}
	f, err := os.Open(b.path(src))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	var r io.Reader = f
	switch strings.ToLower(n.attrs["compression"]) {
	case "", "none":
	case "gzip":
		if r, err = gzip.NewReader(f); err != nil {
			return fault("%s: %v", src, err)
		}
	case "bzip2":
		r = bzip2.NewReader(f)
	default:
		return fault("compression %s is not supported", n.attrs["compression"])
	}
	if err := b.log(t, n, "Expanding: "+b.path(src)+" into "+b.path(dest)); err != nil {
		return err
	}
	for tr := tar.NewReader(r); ; {
		if err := t.Context().Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault("%s: %v", src, err)
		}
		p, err := inside(b.path(dest), h.Name)
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(p, 0o755)
		case tar.TypeReg:
			err = saveEntry(p, tr, 0o644) // untar sets no permissions, as Ant's
		}
		if err != nil {
			return err
		}
	}
}

func gunzip(_ *groovy.Thread, b *builder, n *node) error {
	src, err := n.need("src")
	if err != nil {
		return err
	}
	f, err := os.Open(b.path(src))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	r, err := gzip.NewReader(f)
	if err != nil {
		return fault("%s: %v", src, err)
	}
	dest := strings.TrimSuffix(b.path(src), ".gz")
	if d := n.attrs["dest"]; d != "" {
		if dest = b.path(d); isDir(dest) {
			dest = filepath.Join(dest, strings.TrimSuffix(filepath.Base(src), ".gz"))
		}
	}
	return saveEntry(dest, r, 0o644)
}

func gzipTask(_ *groovy.Thread, b *builder, n *node) error {
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
	out, err := os.Create(b.path(dest))
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	return errors.Join(err, z.Close(), out.Close())
}

// packed are the files that zip and tar put into their archive.
func (b *builder) packed(n *node) ([]file, error) {
	files, err := b.filesets(n)
	if d := n.attrs["basedir"]; d != "" && err == nil {
		var list []file
		list, err = b.fileset(n, d)
		files = append(files, list...)
	}
	return files, err
}

// archive writes the files of a task to destfile.
func (b *builder) archive(t *groovy.Thread, n *node, write func(w io.Writer, files []file) error) error {
	dest, err := n.need("destfile", "zipfile")
	if err != nil {
		return err
	}
	files, err := b.packed(n)
	if err != nil {
		return err
	}
	for _, f := range files {
		if same(f.path(), b.path(dest)) {
			return fault("A %s file cannot include itself", n.name) // it would grow for ever
		}
	}
	part := b.path(dest) + ".part" // the old archive is read meanwhile, where it is updated
	out, err := os.Create(part)
	if err != nil {
		return err
	}
	if err := errors.Join(write(out, files), out.Close()); err != nil {
		_ = os.Remove(part) // best effort: the archive failed
		return err
	}
	if err := os.Rename(part, b.path(dest)); err != nil {
		return err
	}
	return b.log(t, n, "Building "+n.name+": "+b.path(dest))
}

func zipTask(t *groovy.Thread, b *builder, n *node) error {
	return b.archive(t, n, func(w io.Writer, files []file) error {
		z := zip.NewWriter(w)
		if n.yes("update", false) {
			if err := b.keep(z, n, files); err != nil {
				return err
			}
		}
		for _, f := range files {
			if f.isDir {
				continue
			}
			in, err := os.Open(f.path())
			if err != nil {
				return err
			}
			e, err := z.Create(filepath.ToSlash(f.rel))
			if err == nil {
				_, err = io.Copy(e, in)
			}
			if err = errors.Join(err, in.Close()); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

// keep takes over what the archive holds already and files do not replace.
func (b *builder) keep(z *zip.Writer, n *node, files []file) error {
	dest, err := n.need("destfile", "zipfile")
	if err != nil {
		return err
	}
	old, err := zip.OpenReader(b.path(dest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault("%s: %v", dest, err)
	}
	defer func() { _ = old.Close() }() // read only
	for _, e := range old.File {
		if slices.ContainsFunc(files, func(f file) bool { return filepath.ToSlash(f.rel) == e.Name }) {
			continue
		}
		if err := z.Copy(e); err != nil {
			return fault("%s: %v", dest, err)
		}
	}
	return nil
}

func tarTask(t *groovy.Thread, b *builder, n *node) error {
	return b.archive(t, n, func(w io.Writer, files []file) error {
		var z io.WriteCloser
		if strings.EqualFold(n.attrs["compression"], "gzip") {
			z = gzip.NewWriter(w)
			w = z
		}
		a := tar.NewWriter(w)
		for _, f := range files {
			if f.isDir {
				continue
			}
			if err := addTar(a, f); err != nil {
				return err
			}
		}
		err := a.Close()
		if z != nil {
			err = errors.Join(err, z.Close())
		}
		return err
	})
}

func addTar(a *tar.Writer, f file) error {
	in, err := os.Open(f.path())
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // read only
	info, err := in.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: filepath.ToSlash(f.rel), Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime(), Typeflag: tar.TypeReg}
	if err := a.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(a, in)
	return err
}

// get downloads a file; it is in place only when it is whole.
func get(t *groovy.Thread, b *builder, n *node) error {
	src, err := n.need("src")
	if err != nil {
		return err
	}
	dest, err := n.need("dest")
	if err != nil {
		return err
	}
	to := b.path(dest)
	if isDir(to) {
		to = filepath.Join(to, filepath.Base(strings.Split(src, "?")[0]))
	}
	if n.yes("skipexisting", false) && exists(to) {
		return b.log(t, n, "Destination already exists (skipping): "+to)
	}
	if err := b.log(t, n, "Getting: "+src); err != nil {
		return err
	}
	for try := 1; ; try++ {
		if err = download(t, src, to); err == nil {
			return b.log(t, n, "To: "+to)
		}
		if cause := t.Context().Err(); cause != nil {
			return cause
		}
		if try >= 3 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if n.yes("ignoreerrors", false) {
		return b.log(t, n, fmt.Sprintf("Error getting %s to %s: %v", src, to, err))
	}
	return fault("Error getting %s to %s: %v", src, to, err)
}

func download(t *groovy.Thread, src, to string) error {
	if p, ok := strings.CutPrefix(src, "file:"); ok {
		return copyFile("/"+strings.TrimLeft(p, "/"), to, false)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, src, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	part := to + ".part"
	if err := saveEntry(part, resp.Body, 0o644); err != nil {
		_ = os.Remove(part) // best effort: the download failed
		return err
	}
	return os.Rename(part, to)
}
