package ant

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// file is a file of a set: the set's folder and the path below it.
type file struct {
	dir, rel string
	isDir    bool
}

func (f file) path() string { return filepath.Join(f.dir, f.rel) }

// glob turns a pattern of Ant into a regular expression: ** is any number of
// folders, * and ? do not cross a slash.
func glob(pattern string) (*regexp.Regexp, error) {
	pattern = strings.ReplaceAll(pattern, `\`, "/")
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(pattern); {
		switch {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 3
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i += 2
		case pattern[i] == '*':
			b.WriteString("[^/]*")
			i++
		case pattern[i] == '?':
			b.WriteString("[^/]")
			i++
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
			i++
		}
	}
	return regexp.Compile(b.String() + "$")
}

// patterns are the includes or excludes of a set.
func patterns(n *node, attr, element string) ([]*regexp.Regexp, error) {
	list := strings.FieldsFunc(n.attrs[attr], func(r rune) bool { return r == ',' || r == ' ' })
	for _, k := range n.kids {
		if k.name == element {
			list = append(list, k.attrs["name"])
		}
		if k.name == "patternset" {
			more, err := patterns(k, attr, element)
			if err != nil {
				return nil, err
			}
			for _, re := range more {
				list = append(list, "\x00"+re.String())
			}
		}
	}
	var out []*regexp.Regexp
	for _, p := range list {
		if re, ok := strings.CutPrefix(p, "\x00"); ok {
			out = append(out, regexp.MustCompile(re))
			continue
		}
		re, err := glob(p)
		if err != nil {
			return nil, fault("pattern %s: %v", p, err)
		}
		out = append(out, re)
	}
	return out, nil
}

func matches(list []*regexp.Regexp, rel string) bool {
	return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(rel) })
}

// fileset lists the files below dir that n includes, folders too.
func (b *builder) fileset(n *node, dir string) ([]file, error) {
	include, err := patterns(n, "includes", "include")
	if err != nil {
		return nil, err
	}
	exclude, err := patterns(n, "excludes", "exclude")
	if err != nil {
		return nil, err
	}
	dir = b.path(dir)
	var list []file
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if rel == "." {
			return nil
		}
		if (len(include) == 0 || matches(include, rel)) && !matches(exclude, rel) {
			list = append(list, file{dir, rel, d.IsDir()})
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault("%s does not exist", dir)
	}
	return list, err
}

// filesets are the files of the nested sets.
func (b *builder) filesets(n *node) ([]file, error) {
	var all []file
	for _, k := range n.kids {
		switch k.name {
		case "fileset", "dirset", "zipfileset", "tarfileset":
			if f := k.attrs["file"]; f != "" {
				p := b.path(f)
				all = append(all, file{filepath.Dir(p), filepath.Base(p), false})
				continue
			}
			dir, err := k.need("dir")
			if err != nil {
				return nil, err
			}
			list, err := b.fileset(k, dir)
			if err != nil {
				return nil, err
			}
			for _, f := range list {
				if f.isDir == (k.name == "dirset") {
					all = append(all, f)
				}
			}
		}
	}
	return all, nil
}

func mkdir(_ *groovy.Thread, b *builder, n *node) error {
	d, err := n.need("dir")
	if err != nil {
		return err
	}
	return os.MkdirAll(b.path(d), 0o755)
}

// permission changes mode as chmod(1) is told: 755, +x, u=rw,go-w.
func permission(mode fs.FileMode, perm string) (fs.FileMode, error) {
	if n, err := strconv.ParseUint(perm, 8, 12); err == nil {
		return fs.FileMode(n & 0o777), nil
	}
	for _, clause := range strings.Split(perm, ",") {
		i := strings.IndexAny(clause, "+-=")
		if i < 0 {
			return 0, fault("perm %s is no permission", perm)
		}
		bits := fs.FileMode(0)
		for _, r := range clause[i+1:] {
			switch r {
			case 'r':
				bits |= 0o444
			case 'w':
				bits |= 0o222
			case 'x', 'X':
				bits |= 0o111
			case 's', 't':
			default:
				return 0, fault("perm %s is no permission", perm)
			}
		}
		who := fs.FileMode(0)
		for _, r := range clause[:i] {
			who |= map[rune]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[r]
		}
		if who == 0 {
			who = 0o777
		}
		switch clause[i] {
		case '+':
			mode |= bits & who
		case '-':
			mode &^= bits & who
		default:
			mode = mode&^who | bits&who
		}
	}
	return mode, nil
}

func chmod(_ *groovy.Thread, b *builder, n *node) error {
	if !n.forHere() {
		return nil
	}
	perm, err := n.need("perm")
	if err != nil {
		return err
	}
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	if f := n.attrs["file"]; f != "" {
		p := b.path(f)
		files = append(files, file{filepath.Dir(p), filepath.Base(p), false})
	}
	if d := n.attrs["dir"]; d != "" {
		list, err := b.fileset(n, d)
		if err != nil {
			return err
		}
		for _, f := range list {
			if !f.isDir || n.attrs["type"] == "both" || n.attrs["type"] == "dir" {
				files = append(files, f)
			}
		}
	}
	for _, f := range files {
		info, err := os.Stat(f.path())
		if err != nil {
			return err
		}
		mode, err := permission(info.Mode().Perm(), perm)
		if err != nil {
			return err
		}
		if err := os.Chmod(f.path(), mode); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies one file with its permissions.
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
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err == nil && keepTime {
		err = os.Chtimes(to, info.ModTime(), info.ModTime())
	}
	return err
}

// same says whether two paths name one file.
func same(p, q string) bool {
	a, err1 := os.Stat(p)
	z, err2 := os.Stat(q)
	return err1 == nil && err2 == nil && os.SameFile(a, z)
}

// transfers are the pairs of source and target of copy and move.
func (b *builder) transfers(n *node) ([][2]string, error) {
	var list [][2]string
	target := func(rel string) (string, error) {
		if n.yes("flatten", false) {
			rel = filepath.Base(rel)
		}
		if f := n.attrs["tofile"]; f != "" {
			return b.path(f), nil
		}
		d, err := n.need("todir", "tofile")
		return filepath.Join(b.path(d), rel), err
	}
	if f := n.attrs["file"]; f != "" {
		to, err := target(filepath.Base(f))
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(b.path(f)); err != nil || info.IsDir() {
			if err == nil {
				return nil, fault("Use a resource collection to copy directories.")
			}
			if !n.yes("failonerror", true) {
				return nil, nil
			}
			return nil, fault("Warning: Could not find file %s to copy.", b.path(f))
		}
		list = append(list, [2]string{b.path(f), to})
	}
	files, err := b.filesets(n)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		to, err := target(f.rel)
		if err != nil {
			return nil, err
		}
		list = append(list, [2]string{f.path(), to})
	}
	return list, nil
}

// newer says whether from must be copied over to: always with overwrite, else
// when it is newer.
func newer(from, to string, overwrite bool) bool {
	a, err1 := os.Stat(from)
	z, err2 := os.Stat(to)
	return overwrite || err1 != nil || err2 != nil || a.ModTime().After(z.ModTime())
}

func copyTask(t *groovy.Thread, b *builder, n *node) error {
	list, err := b.transfers(n)
	if err != nil {
		return err
	}
	count := 0
	for _, p := range list {
		if !newer(p[0], p[1], n.yes("overwrite", false)) {
			continue
		}
		if err := t.Context().Err(); err != nil {
			return err
		}
		if err := copyFile(p[0], p[1], n.yes("preservelastmodified", false)); err != nil {
			return err
		}
		if err := b.filter(n, p[1]); err != nil {
			return err
		}
		count++
	}
	if count == 0 {
		return nil
	}
	return b.log(t, n, "Copying "+plural(count, "file"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// filter replaces @token@ by what the filterset of a copy says.
func (b *builder) filter(n *node, path string) error {
	var pairs []string
	for _, k := range n.kids {
		if k.name != "filterset" {
			continue
		}
		begin, end := first(k.attrs["begintoken"], "@"), first(k.attrs["endtoken"], "@")
		for _, f := range k.kids {
			pairs = append(pairs, begin+f.attrs["token"]+end, f.attrs["value"])
		}
	}
	if pairs == nil {
		return nil
	}
	return edit(path, func(s string) string { return strings.NewReplacer(pairs...).Replace(s) })
}

func move(t *groovy.Thread, b *builder, n *node) error {
	if f := n.attrs["file"]; f != "" && n.attrs["tofile"] != "" || isDir(b.path(f)) && f != "" {
		to := b.path(n.attrs["tofile"])
		if n.attrs["tofile"] == "" {
			to = filepath.Join(b.path(n.attrs["todir"]), filepath.Base(f))
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if os.Rename(b.path(f), to) == nil {
			return b.log(t, n, "Moving 1 file to "+filepath.Dir(to))
		}
	}
	list, err := b.transfers(n)
	if err != nil {
		return err
	}
	for _, p := range list {
		if same(p[0], p[1]) {
			continue
		}
		if err := copyFile(p[0], p[1], true); err != nil {
			return err
		}
		if err := os.Remove(p[0]); err != nil {
			return err
		}
	}
	return nil
}

func isDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}

func touch(_ *groovy.Thread, b *builder, n *node) error {
	f, err := n.need("file")
	if err != nil {
		return err
	}
	p := b.path(f)
	if n.yes("mkdirs", false) {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
	}
	w, err := os.OpenFile(p, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	now := time.Now()
	return errors.Join(w.Close(), os.Chtimes(p, now, now))
}

func symlink(_ *groovy.Thread, b *builder, n *node) error {
	link, err := n.need("link")
	if err != nil {
		return err
	}
	if n.yes("overwrite", false) {
		if err := os.Remove(b.path(link)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Symlink(n.attrs["resource"], b.path(link))
}
