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
	}
	return nil
}
