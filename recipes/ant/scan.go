package ant

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// file is a file of a set: the set's folder and the path below it, "" for the
// folder itself.
type file struct {
	dir, rel string
	isDir    bool
	name     string      // in an archive, with slashes
	mode     fs.FileMode // in an archive
}

func (f file) path() string { return filepath.Join(f.dir, f.rel) }

// glob is a pattern of Ant, part by part: ** is any number of folders, * and ?
// stand for characters of one name.
type glob []string

func newGlob(pattern string) glob {
	pattern = strings.ReplaceAll(pattern, `\`, "/")
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	return parts(pattern)
}

func parts(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// match says whether the pattern is that of the whole path.
func (g glob) match(path []string) bool {
	return wild(g, path, "**", func(pattern, name string) bool {
		return wild([]rune(pattern), []rune(name), '*', func(p, r rune) bool { return p == '?' || p == r })
	})
}

// wild matches a row of things with a pattern in which many stands for any number.
func wild[T comparable](pattern, row []T, many T, one func(p, v T) bool) bool {
	i, j, star, mark := 0, 0, -1, 0
	for j < len(row) {
		switch {
		case i < len(pattern) && pattern[i] == many:
			star, mark = i, j
			i++
		case i < len(pattern) && one(pattern[i], row[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i] == many {
		i++
	}
	return i == len(pattern)
}

// defaultExcludes are what no set takes that does not say defaultexcludes="no",
// as of Ant 1.9.
const defaultExcludes = "**/*~ **/#*# **/.#* **/%*% **/._* **/CVS **/CVS/** **/.cvsignore **/SCCS **/SCCS/** **/vssver.scc" +
	" **/.svn **/.svn/** **/.DS_Store **/.git **/.git/** **/.gitattributes **/.gitignore **/.gitmodules" +
	" **/.hg **/.hg/** **/.hgignore **/.hgsub **/.hgsubstate **/.hgtags **/.bzr **/.bzr/** **/.bzrignore"

// rule is what a set takes.
type rule struct {
	include, exclude []glob
	fold             bool // the case of letters does not matter
}

// rule is what the attributes and the elements of n say.
func (b *builder) rule(n *node, defaults bool) rule {
	r := rule{fold: !n.yes("casesensitive", true)}
	list := func(attr, element string) (all []glob) {
		for _, p := range b.patterns(n, attr, element) {
			if r.fold {
				p = strings.ToLower(p)
			}
			all = append(all, newGlob(p))
		}
		return all
	}
	r.include, r.exclude = list("includes", "include"), list("excludes", "exclude")
	if len(r.include) == 0 {
		r.include = []glob{{"**"}}
	}
	if defaults && n.yes("defaultexcludes", true) {
		for _, p := range strings.Fields(defaultExcludes) {
			if r.fold {
				p = strings.ToLower(p)
			}
			r.exclude = append(r.exclude, newGlob(p))
		}
	}
	return r
}

// patterns are the includes or excludes of a set.
func (b *builder) patterns(n *node, attr, element string) []string {
	list := strings.FieldsFunc(n.attrs[attr], func(r rune) bool { return r == ',' || r == ' ' })
	for _, k := range n.kids {
		switch {
		case k.name == element && b.holds(k):
			list = append(list, k.attrs["name"])
		case k.name == "patternset":
			list = append(list, b.patterns(k, attr, element)...)
		}
	}
	return list
}

func (r rule) takes(rel string) bool {
	if r.fold {
		rel = strings.ToLower(rel)
	}
	path := parts(filepath.ToSlash(rel))
	in := func(g glob) bool { return g.match(path) }
	return slices.ContainsFunc(r.include, in) && !slices.ContainsFunc(r.exclude, in)
}

// scan lists the files and folders of dir that n takes, dir itself among them.
// It follows links unless n says otherwise, but none to a folder that it is in,
// where Ant goes around five times.
func (b *builder) scan(n *node, dir string) ([]file, error) {
	dir = b.path(dir)
	switch {
	case !exists(dir) && !n.yes("erroronmissingdir", true):
		return nil, nil
	case !exists(dir):
		return nil, fault("%s does not exist.", dir)
	case !isDir(dir):
		return nil, fault("%s is not a directory.", dir)
	}
	r, links := b.rule(n, true), n.yes("followsymlinks", true)
	var list []file
	var visit func(rel string, above []fs.FileInfo) error
	visit = func(rel string, above []fs.FileInfo) error {
		p := filepath.Join(dir, rel)
		info, err := os.Stat(p)
		if err != nil {
			return nil //nolint:nilerr // a link to nothing is no file
		}
		if !info.IsDir() {
			if r.takes(rel) {
				list = append(list, file{dir: dir, rel: rel})
			}
			return nil
		}
		if slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, info) }) {
			return nil
		}
		if r.takes(rel) {
			list = append(list, file{dir: dir, rel: rel, isDir: true})
		}
		entries, err := os.ReadDir(p)
		for _, e := range entries {
			if links || e.Type()&fs.ModeSymlink == 0 {
				if err := visit(filepath.Join(rel, e.Name()), append(above[:len(above):len(above)], info)); err != nil {
					return err
				}
			}
		}
		return err
	}
	return list, visit("", nil)
}

// set lists the files and folders of a nested set, or the one file that it names.
func (b *builder) set(n *node) ([]file, error) {
	one, dir := n.attrs["file"], n.attrs["dir"]
	var list []file
	var err error
	switch {
	case one != "" && dir != "":
		return nil, fault("you can only specify one of the dir and file attributes")
	case one != "":
		p := b.path(one)
		if r := b.rule(n, true); exists(p) && r.takes(filepath.Base(p)) {
			list = []file{{dir: filepath.Dir(p), rel: filepath.Base(p), isDir: isDir(p)}}
		}
	case dir != "":
		list, err = b.scan(n, dir)
	default:
		return nil, fault("No directory specified for %s.", n.name)
	}
	if n.attrs["fullpath"] != "" && n.attrs["prefix"] != "" {
		return nil, fault("Cannot specify both fullpath and prefix attributes")
	}
	if n.attrs["fullpath"] != "" && len(list) > 1 {
		return nil, fault("fullpath attribute may only be specified for filesets that specify a single file.")
	}
	for i := range list {
		f := &list[i]
		f.name = strings.TrimPrefix(first(n.attrs["fullpath"], filepath.ToSlash(filepath.Join(n.attrs["prefix"], f.rel))), "/")
		mode := first(n.attrs["filemode"], n.attrs["mode"], "644")
		if f.isDir {
			mode = first(n.attrs["dirmode"], "755")
		}
		if f.mode, err = octal(mode); err != nil {
			return nil, err
		}
	}
	return list, err
}

// sets are the files and folders of the nested sets.
func (b *builder) sets(n *node) ([]file, error) {
	var all []file
	for _, k := range n.kids {
		if slices.Contains([]string{"fileset", "dirset", "zipfileset", "tarfileset"}, k.name) {
			list, err := b.set(k)
			if err != nil {
				return nil, err
			}
			for _, f := range list {
				if k.name != "dirset" || f.isDir {
					all = append(all, f)
				}
			}
		}
	}
	return all, nil
}

// filesets are the files of the nested sets, and the folders of a dirset.
func (b *builder) filesets(n *node) ([]file, error) {
	var all []file
	for _, k := range n.kids {
		list, err := b.sets(&node{kids: []*node{k}})
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			if f.isDir == (k.name == "dirset") {
				all = append(all, f)
			}
		}
	}
	return all, nil
}
