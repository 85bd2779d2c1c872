package ant

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"appliance/recipes/groovy"
)

// selects says whether a task takes only some files of its folder.
func (n *node) selects() bool {
	return n.attrs["includes"] != "" || n.attrs["excludes"] != "" || n.attrs["defaultexcludes"] != "" || n.has("include", "exclude", "patternset")
}

// deleteTask deletes dir with all that is in it; of what includes, excludes and
// file sets take, the default excludes stay. It does not follow a link out of
// dir, as Ant does.
func deleteTask(t *groovy.Thread, b *builder, n *node) error {
	f, d := n.attrs["file"], n.attrs["dir"]
	if f == "" && d == "" && !n.has("fileset") {
		return fault("At least one of the file or dir attributes, or a nested resource collection, must be set.")
	}
	if f != "" {
		if err := b.deleteFile(t, n, b.path(f)); err != nil {
			return err
		}
	}
	if d != "" && !n.selects() {
		if err := b.deleteDir(t, n, filepath.Clean(b.path(d))); err != nil {
			return err
		}
	} else if d != "" {
		if err := b.deleteSet(t, n, n); err != nil {
			return err
		}
	}
	for _, k := range n.kids {
		if k.name == "fileset" {
			if err := b.deleteSet(t, n, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// report is an error of delete, unless the task goes on after it.
func (n *node) report(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || n.yes("quiet", false) || !n.yes("failonerror", true) {
		return nil
	}
	return fault("Unable to delete: %v", err)
}

func (b *builder) deleteFile(t *groovy.Thread, n *node, p string) error {
	info, err := os.Lstat(p)
	if err != nil {
		return n.report(err)
	}
	if info.IsDir() {
		return b.log(t, n, "Directory "+p+" cannot be removed using the file attribute.  Use dir instead.")
	}
	if err := b.log(t, n, "Deleting: "+p); err != nil {
		return err
	}
	return n.report(os.Remove(p))
}

func (b *builder) deleteDir(t *groovy.Thread, n *node, p string) error {
	if p == "/" {
		return fault("delete dir=\"/\" is refused")
	}
	if !isDir(p) {
		return nil
	}
	if err := b.log(t, n, "Deleting directory "+p); err != nil {
		return err
	}
	return n.report(os.RemoveAll(p))
}

// deleteSet deletes the files of a set, and with includeEmptyDirs its folders
// that are empty then, from the inside out.
func (b *builder) deleteSet(t *groovy.Thread, n, set *node) error {
	if d := set.attrs["dir"]; d != "" && !isDir(b.path(d)) {
		if n.yes("quiet", false) || !n.yes("failonerror", true) || !set.yes("erroronmissingdir", true) {
			return nil
		}
		return fault("Directory does not exist: %s", b.path(d))
	}
	attrs := set.attrs
	if set == n { // the file is another one
		attrs = map[string]string{"dir": n.attrs["dir"], "includes": n.attrs["includes"], "excludes": n.attrs["excludes"]}
		for _, id := range []string{"defaultexcludes", "followsymlinks", "casesensitive"} {
			if v, ok := n.attrs[id]; ok {
				attrs[id] = v
			}
		}
	}
	all, err := b.set(&node{name: "fileset", attrs: attrs, kids: set.kids})
	if err != nil {
		return err
	}
	dirs := n.yes("includeemptydirs", false)
	slices.Reverse(all)
	for _, f := range all {
		if err := t.Context().Err(); err != nil {
			return err
		}
		if f.isDir {
			if dirs {
				_ = os.Remove(f.path()) // one that is not empty stays
			}
			continue
		}
		if n.yes("verbose", false) {
			if err := b.log(t, n, "Deleting "+f.path()); err != nil {
				return err
			}
		}
		if err := n.report(os.Remove(f.path())); err != nil {
			return err
		}
	}
	return nil
}
