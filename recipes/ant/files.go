package ant

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

func isDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

// same says whether two paths name one file.
func same(p, q string) bool {
	a, err1 := os.Stat(p)
	z, err2 := os.Stat(q)
	return err1 == nil && err2 == nil && os.SameFile(a, z)
}

func mkdir(t *groovy.Thread, b *builder, n *node) error {
	d, err := n.need("dir")
	if err != nil {
		return err
	}
	switch p := b.path(d); {
	case isDir(p):
		return nil
	case exists(p):
		return fault("Unable to create directory as a file already exists with that name: %s", p)
	default:
		return errors.Join(os.MkdirAll(p, 0o755), b.log(t, n, "Created dir: "+p))
	}
}

// octal is a file mode in an attribute.
func octal(s string) (fs.FileMode, error) {
	m, err := strconv.ParseUint(s, 8, 12)
	if err != nil {
		return 0, fault("%q is no file mode", s)
	}
	return fs.FileMode(m & 0o777), nil
}

// chmod runs chmod, as Ant does: dir alone is that folder and nothing in it, and
// what goes wrong is told, but fails only with failonerror.
func chmod(t *groovy.Thread, b *builder, n *node) error {
	here, err := n.forHere()
	if err != nil || !here {
		return err
	}
	perm, err := n.need("perm")
	if err != nil {
		return err
	}
	sets, kind := &node{name: n.name, kids: n.kids}, first(n.attrs["type"], "file")
	if f := n.attrs["file"]; f != "" {
		sets.kids = append(sets.kids[:len(sets.kids):len(sets.kids)], &node{name: "fileset", attrs: map[string]string{"file": f}})
	}
	files, err := b.sets(sets)
	if err != nil {
		return err
	}
	var paths []string
	if d := n.attrs["dir"]; d != "" && !n.selects() {
		paths = append(paths, b.path(d))
	} else if d != "" {
		list, err := b.scan(n, d)
		if err != nil {
			return err
		}
		files = append(files, list...)
	} else if !slices.ContainsFunc(sets.kids, func(k *node) bool { return strings.HasSuffix(k.name, "set") }) {
		return fault("no resources specified")
	}
	dirsets := len(slices.DeleteFunc(slices.Clone(n.kids), func(k *node) bool { return k.name != "dirset" })) > 0
	for _, f := range files {
		if kind == "both" || f.isDir == (kind == "dir") || f.isDir && dirsets {
			paths = append(paths, f.path())
		}
	}
	for list := range slices.Chunk(paths, 300) {
		if err := b.start(t, n, append([]string{"chmod", perm}, list...)); err != nil {
			return err
		}
	}
	return nil
}

// moment is what millis or datetime of touch say; now without them.
func moment(n *node) (time.Time, error) {
	if s := n.attrs["millis"]; s != "" {
		ms, err := n.number("millis", 0)
		return time.UnixMilli(ms), err
	}
	s := n.attrs["datetime"]
	if s == "" || strings.EqualFold(s, "now") {
		return time.Now(), nil
	}
	for _, layout := range []string{"1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM"} {
		if at, err := time.ParseInLocation(layout, strings.ToUpper(s), time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fault("Unable to parse date/time %s", s)
}

func touch(t *groovy.Thread, b *builder, n *node) error {
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	var paths []string
	if f := n.attrs["file"]; f != "" {
		paths = append(paths, b.path(f))
	} else if len(n.kids) == 0 {
		return fault("Specify at least one source--a file or resource collection.")
	}
	for _, f := range files {
		paths = append(paths, f.path())
	}
	at, err := moment(n)
	if err != nil {
		return err
	}
	for _, p := range paths {
		if n.yes("mkdirs", false) {
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				return err
			}
		}
		if !exists(p) {
			if err := b.log(t, n, "Creating "+p); err != nil {
				return err
			}
			if err := writeFile(p, "", false); err != nil {
				return fault("Could not create %s", p)
			}
		}
		if err := os.Chtimes(p, at, at); err != nil {
			return err
		}
	}
	return nil
}

func symlink(t *groovy.Thread, b *builder, n *node) error {
	link, err := n.need("link")
	if err != nil {
		return err
	}
	p := b.path(link)
	if n.attrs["action"] == "delete" {
		info, err := os.Lstat(p)
		if err == nil && info.Mode()&fs.ModeSymlink == 0 {
			err = fault("%s is not a symbolic link", p)
		}
		if err == nil {
			err = errors.Join(b.log(t, n, "Removing symlink: "+p), os.Remove(p))
		}
		return b.tolerate(t, n, err)
	}
	target, err := n.need("resource")
	if err != nil {
		return err
	}
	if _, err := os.Lstat(p); err == nil {
		if !n.yes("overwrite", false) {
			return b.log(t, n, "Skipping symlink creation, since file at "+p+" already exists and overwrite is set to false")
		}
		if err := os.Remove(p); err != nil {
			return b.tolerate(t, n, err)
		}
	}
	if os.Symlink(target, p) != nil {
		return b.tolerate(t, n, fault("Unable to create symlink %s to target %s", p, target))
	}
	return nil
}

// tolerate logs an error that the task goes on after: failonerror="no".
func (b *builder) tolerate(t *groovy.Thread, n *node, err error) error {
	if err == nil || n.yes("failonerror", true) {
		return err
	}
	return b.log(t, n, message(err))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
