package ant

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"appliance/recipes/groovy"
)

// copyFile copies one file; as in Ant, a new one has no permissions of the old.
func copyFile(from, to string, keepTime bool) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if same(from, to) {
		return nil // to open it for writing would empty it
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // read only
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err == nil && keepTime {
		err = os.Chtimes(to, info.ModTime(), info.ModTime())
	}
	return err
}

// transfer is one source and target of copy and move.
type transfer struct {
	from, to string
	isDir    bool
}

// sources checks what copy and move have to do, and lists the files and folders.
func (b *builder) sources(t *groovy.Thread, n *node) ([]file, error) {
	f, todir, tofile := n.attrs["file"], n.attrs["todir"], n.attrs["tofile"]
	sets := slices.DeleteFunc(slices.Clone(n.kids), func(k *node) bool { return k.name == "filterset" })
	switch {
	case f == "" && len(sets) == 0:
		return nil, fault("Specify at least one source--a file or a resource collection.")
	case todir != "" && tofile != "":
		return nil, fault("Only one of tofile and todir may be set.")
	case todir == "" && tofile == "":
		return nil, fault("One of tofile or todir must be set.")
	case f != "" && isDir(b.path(f)):
		return nil, fault("Use a resource collection to copy directories.")
	}
	var all []file
	if p := b.path(f); f != "" && !exists(p) {
		if err := b.tolerate(t, n, fault("Warning: Could not find file %s to copy.", p)); err != nil {
			return nil, err
		}
	} else if f != "" {
		all = append(all, file{dir: filepath.Dir(p), rel: filepath.Base(p)})
	}
	for _, k := range sets {
		list, err := b.sets(&node{kids: []*node{k}})
		if err != nil {
			if !n.yes("failonerror", true) {
				err = b.log(t, n, "Warning: "+message(err))
			}
			if err != nil {
				return nil, err
			}
		}
		all = append(all, list...)
	}
	return all, nil
}

// transfers are the pairs of source and target of copy and move, folders too
// with includeEmptyDirs.
func (b *builder) transfers(t *groovy.Thread, n *node) ([]transfer, error) {
	all, err := b.sources(t, n)
	if err != nil {
		return nil, err
	}
	if to := n.attrs["tofile"]; to != "" {
		all = slices.DeleteFunc(all, func(f file) bool { return f.isDir })
		switch {
		case len(all) > 1:
			return nil, fault("Cannot concatenate multiple files into a single file.")
		case len(all) == 0 && n.attrs["file"] == "":
			return nil, fault("Cannot perform operation from directory to file.")
		case len(all) == 0:
			return nil, nil
		}
		return []transfer{{all[0].path(), b.path(to), false}}, nil
	}
	var list []transfer
	for _, f := range all {
		if f.isDir && !n.yes("includeemptydirs", true) {
			continue
		}
		rel := f.rel
		if n.yes("flatten", false) && rel != "" {
			rel = filepath.Base(rel)
		}
		list = append(list, transfer{f.path(), filepath.Join(b.path(n.attrs["todir"]), rel), f.isDir})
	}
	return list, nil
}

// pending says whether a transfer is to be done: always with overwrite, else
// when the source is newer, by more than a second as in Ant, or granularity if that is more.
func (n *node) pending(p transfer, overwrite bool) (bool, error) {
	a, err1 := os.Stat(p.from)
	z, err2 := os.Stat(p.to)
	ms, err := n.number("granularity", 0)
	return n.yes("overwrite", overwrite) || err1 != nil || err2 != nil ||
		a.ModTime().After(z.ModTime().Add(time.Duration(max(ms, 1000))*time.Millisecond)), err
}

// due are the transfers of files that are pending.
func (n *node) due(list []transfer, overwrite bool) ([]transfer, error) {
	var files []transfer
	for _, p := range list {
		yes, err := n.pending(p, overwrite)
		if err != nil {
			return nil, err
		}
		if !p.isDir && yes && !same(p.from, p.to) {
			files = append(files, p)
		}
	}
	return files, nil
}

// target is the folder that the log of copy and move names.
func (b *builder) target(n *node) string {
	if to := n.attrs["tofile"]; to != "" {
		return filepath.Dir(b.path(to))
	}
	return b.path(n.attrs["todir"])
}

// makeDirs makes the folders that are not there yet.
func (b *builder) makeDirs(t *groovy.Thread, n *node, done string, list []transfer) error {
	dirs, made := 0, 0
	for _, p := range list {
		if !p.isDir {
			continue
		}
		dirs++
		if !exists(p.to) {
			made++
			if err := os.MkdirAll(p.to, 0o755); err != nil {
				return err
			}
		}
	}
	if made == 0 {
		return nil
	}
	empty := func(n int) string { return plural(n, "empty directory", "empty directories") }
	return b.log(t, n, fmt.Sprintf("%s %s to %s under %s", done, empty(dirs), empty(made), b.target(n)))
}

func copyTask(t *groovy.Thread, b *builder, n *node) error {
	list, err := b.transfers(t, n)
	if err != nil {
		return err
	}
	files, err := n.due(list, false)
	if err != nil {
		return err
	}
	if len(files) > 0 {
		if err := b.log(t, n, "Copying "+plural(len(files), "file", "files")+" to "+b.target(n)); err != nil {
			return err
		}
	}
	for _, p := range files {
		if err := t.Context().Err(); err != nil {
			return err
		}
		if err := b.copyFiltered(n, p, n.yes("preservelastmodified", false)); err != nil {
			if err = b.tolerate(t, n, fault("Failed to copy %s to %s due to %v", p.from, p.to, err)); err != nil {
				return err
			}
		}
	}
	return b.makeDirs(t, n, "Copied", list)
}

func (b *builder) copyFiltered(n *node, p transfer, keepTime bool) error {
	if err := copyFile(p.from, p.to, keepTime); err != nil {
		return err
	}
	return b.filter(n, p.to)
}

func move(t *groovy.Thread, b *builder, n *node) error {
	if f := n.attrs["file"]; f != "" && isDir(b.path(f)) {
		to := b.path(n.attrs["tofile"])
		if n.attrs["tofile"] == "" {
			d, err := n.need("todir", "tofile")
			if err != nil {
				return err
			}
			to = filepath.Join(b.path(d), filepath.Base(f))
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if !exists(to) && os.Rename(b.path(f), to) == nil {
			return nil
		}
		set := &node{name: "fileset", attrs: map[string]string{"dir": f}}
		n = &node{name: n.name, attrs: map[string]string{"todir": to, "overwrite": n.attrs["overwrite"]}, kids: append(n.kids[:len(n.kids):len(n.kids)], set)}
	}
	n, err := b.moveWhole(t, n)
	if err != nil || n == nil {
		return err
	}
	list, err := b.transfers(t, n)
	if err != nil {
		return err
	}
	files, err := n.due(list, true)
	if err != nil {
		return err
	}
	if len(files) > 0 {
		if err := b.log(t, n, "Moving "+plural(len(files), "file", "files")+" to "+b.target(n)); err != nil {
			return err
		}
	}
	for _, p := range files {
		if err := b.moveFile(n, p); err != nil {
			return err
		}
	}
	if err := b.makeDirs(t, n, "Moved", list); err != nil {
		return err
	}
	for _, p := range list {
		if p.isDir && p.from != p.to && hollow(p.from) {
			if err := os.RemoveAll(p.from); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveWhole renames the folders of the sets that take all in them, where there is
// nothing at the target yet; it returns what is left to do, nil for nothing.
func (b *builder) moveWhole(t *groovy.Thread, n *node) (*node, error) {
	to := n.attrs["todir"]
	if to == "" || n.attrs["tofile"] != "" || n.yes("flatten", false) || n.has("filterset") {
		return n, nil
	}
	left := &node{name: n.name, attrs: n.attrs}
	for _, k := range n.kids {
		dir := k.attrs["dir"]
		if k.name != "fileset" || dir == "" || k.selects() || exists(b.path(to)) || !isDir(b.path(dir)) {
			left.kids = append(left.kids, k)
			continue
		}
		some, err := b.scan(k, dir)
		if err != nil {
			return nil, err
		}
		all, err := b.scan(&node{name: k.name, attrs: map[string]string{"defaultexcludes": "no"}}, dir)
		if err != nil {
			return nil, err
		}
		if len(some) == len(all) && os.MkdirAll(filepath.Dir(b.path(to)), 0o755) == nil && os.Rename(b.path(dir), b.path(to)) == nil {
			files := len(slices.DeleteFunc(all, func(f file) bool { return f.isDir }))
			if err := b.log(t, n, "Moving "+plural(files, "file", "files")+" to "+b.path(to)); err != nil {
				return nil, err
			}
			continue
		}
		left.kids = append(left.kids, k)
	}
	if len(left.kids) == 0 && n.attrs["file"] == "" && len(n.kids) > 0 {
		return nil, nil
	}
	return left, nil
}

// moveFile moves one file; what is filtered is written anew.
func (b *builder) moveFile(n *node, p transfer) error {
	if err := os.MkdirAll(filepath.Dir(p.to), 0o755); err != nil {
		return err
	}
	if !n.has("filterset") && !isDir(p.to) && os.Rename(p.from, p.to) == nil {
		return nil
	}
	if err := b.copyFiltered(n, p, true); err != nil { // to another file system
		return err
	}
	return os.Remove(p.from)
}

// hollow says whether there are only folders in a folder.
func hollow(dir string) bool {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = fs.ErrExist
		}
		return err
	})
	return err == nil
}
