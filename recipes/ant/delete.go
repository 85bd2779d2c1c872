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
	return n.attrs["includes"] != "" || n.attrs["excludes"] != "" ||
		slices.ContainsFunc(n.kids, func(k *node) bool { return slices.Contains([]string{"include", "exclude", "patternset"}, k.name) })
}

func deleteTask(_ *groovy.Thread, b *builder, n *node) error {
	report := func(err error) error {
		if err == nil || n.yes("quiet", false) || !n.yes("failonerror", true) {
			return nil
		}
		return fault("Unable to delete: %v", err)
	}
	if f := n.attrs["file"]; f != "" {
		if err := os.Remove(b.path(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return report(err)
		}
	}
	if d := n.attrs["dir"]; d != "" {
		p := filepath.Clean(b.path(d))
		if p == "/" {
			return fault("delete dir=\"/\" is refused")
		}
		if n.selects() {
			files, err := b.fileset(n, d)
			if err != nil {
				return report(err)
			}
			for _, f := range files {
				if f.isDir {
					continue
				}
				if err := report(os.Remove(f.path())); err != nil {
					return err
				}
			}
		} else if err := os.RemoveAll(p); err != nil {
			return report(err)
		}
	}
	for _, k := range n.kids {
		if k.name != "fileset" {
			continue
		}
		if !isDir(b.path(k.attrs["dir"])) && k.attrs["file"] == "" {
			if err := report(fault("%s does not exist", k.attrs["dir"])); err != nil {
				return err
			}
			continue
		}
		files, err := b.filesets(&node{kids: []*node{k}})
		if err != nil {
			return report(err)
		}
		for _, f := range files {
			if err := report(os.Remove(f.path())); err != nil {
				return err
			}
		}
		if err := b.deleteDirs(n, k); err != nil {
			return report(err)
		}
	}
	return nil
}

// deleteDirs deletes the folders of a set that are empty now, from the inside
// out, and the set's own where it takes everything (includeEmptyDirs).
func (b *builder) deleteDirs(n, set *node) error {
	if !n.yes("includeemptydirs", false) || set.attrs["dir"] == "" {
		return nil
	}
	all, err := b.fileset(set, set.attrs["dir"])
	if err != nil {
		return err
	}
	if !set.selects() {
		all = slices.Insert(all, 0, file{b.path(set.attrs["dir"]), "", true})
	}
	for _, f := range slices.Backward(all) {
		if f.isDir {
			_ = os.Remove(f.path()) // one that is not empty stays
		}
	}
	return nil
}
