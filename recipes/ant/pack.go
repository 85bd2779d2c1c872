package ant

import (
	"archive/tar"
	"archive/zip"
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

// packed are the files and folders that zip and tar put into their archive.
func (b *builder) packed(n *node) ([]file, error) {
	if n.attrs["basedir"] == "" && !n.has("fileset", "dirset", "zipfileset", "tarfileset") {
		return nil, fault("basedir attribute must be set, or at least one resource collection must be given!")
	}
	files, err := b.sets(n)
	if d := n.attrs["basedir"]; d != "" && err == nil {
		var list []file
		list, err = b.scan(n, d)
		for _, f := range list {
			f.name, f.mode = filepath.ToSlash(f.rel), 0o644
			if f.isDir {
				f.mode = 0o755
			}
			files = append(files, f)
		}
	}
	return slices.DeleteFunc(files, func(f file) bool {
		return f.name == "" || f.isDir && (n.yes("filesonly", false) || f.rel == "" && n.name == "tar")
	}), err
}

// archive writes the files of a task to destfile; one without files is none,
// unless whenempty says otherwise.
func (b *builder) archive(t *groovy.Thread, n *node, write func(w io.Writer, files []file) error) error {
	dest, err := n.need("destfile", "zipfile")
	if err != nil {
		return err
	}
	dest = b.path(dest)
	files, err := b.packed(n)
	if err != nil {
		return err
	}
	if files, err = n.distinct(files); err != nil {
		return err
	}
	for _, f := range files {
		if same(f.path(), dest) {
			return fault("A %s file cannot include itself", n.name) // it would grow for ever
		}
	}
	if len(files) == 0 && n.name != "jar" && n.attrs["whenempty"] != "create" {
		if n.attrs["whenempty"] == "fail" {
			return fault("Cannot create %s archive %s: no files were included.", n.name, dest)
		}
		return b.log(t, n, "Warning: skipping "+n.name+" archive "+dest+" because no files were included.")
	}
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return err
	}
	part := dest + ".part" // the old archive is read meanwhile, where it is updated
	out, err := os.Create(part)
	if err != nil {
		return err
	}
	if err := errors.Join(write(out, files), out.Close()); err != nil {
		_ = os.Remove(part) // best effort: the archive failed
		return err
	}
	if err := os.Rename(part, dest); err != nil {
		return err
	}
	return b.log(t, n, "Building "+n.name+": "+dest)
}

// distinct is what duplicate says of files with one name; folders are there once.
func (n *node) distinct(files []file) ([]file, error) {
	seen := map[string]bool{}
	var list []file
	for _, f := range files {
		if seen[f.name] && n.attrs["duplicate"] == "fail" && !f.isDir {
			return nil, fault("Duplicate file %s was found and the duplicate attribute is 'fail'.", f.name)
		}
		if seen[f.name] && (f.isDir || n.attrs["duplicate"] == "preserve") {
			continue
		}
		seen[f.name] = true
		list = append(list, f)
	}
	return list, nil
}

func zipTask(t *groovy.Thread, b *builder, n *node) error {
	return b.archive(t, n, func(w io.Writer, files []file) error {
		z := zip.NewWriter(w)
		if n.yes("update", false) {
			if err := b.keep(z, n, files); err != nil {
				return err
			}
		}
		method := zip.Deflate
		if !n.yes("compress", true) {
			method = zip.Store
		}
		for _, f := range files {
			if err := t.Context().Err(); err != nil {
				return err
			}
			if err := addZip(z, f, method); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

func addZip(z *zip.Writer, f file, method uint16) error {
	in, err := os.Open(f.path())
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // read only
	info, err := in.Stat()
	if err != nil {
		return err
	}
	h := &zip.FileHeader{Name: f.name, Method: method, Modified: info.ModTime().Round(2 * time.Second)}
	if h.SetMode(f.mode); f.isDir {
		h.Name, h.Method = f.name+"/", zip.Store
		h.SetMode(f.mode | fs.ModeDir)
	}
	w, err := z.CreateHeader(h)
	if err == nil && !f.isDir {
		_, err = io.Copy(w, in)
	}
	return err
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
		if slices.ContainsFunc(files, func(f file) bool { return f.name == strings.TrimSuffix(e.Name, "/") }) {
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
			if err := t.Context().Err(); err != nil {
				return err
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

// addTar adds a file; as in Ant, it has the mode that the set says and not its own.
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
	h := &tar.Header{Name: f.name, Mode: int64(f.mode), Size: info.Size(), ModTime: info.ModTime(), Typeflag: tar.TypeReg}
	if f.isDir {
		h.Name, h.Size, h.Typeflag = f.name+"/", 0, tar.TypeDir
		return a.WriteHeader(h)
	}
	if err := a.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(a, in)
	return err
}
