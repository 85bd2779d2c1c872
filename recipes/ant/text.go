package ant

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// maxText bounds the files whose text a task changes.
const maxText = 64 << 20

func readText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // read only
	b, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(b) > maxText {
		err = fault("%s is larger than %d bytes", path, maxText)
	}
	return string(b), err
}

func writeFile(path, text string, add bool) error {
	flag := os.O_TRUNC
	if add {
		flag = os.O_APPEND
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|flag, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

// edit changes the text of a file; one that stays as it is is not written.
func edit(path string, change func(string) string) error {
	old, err := readText(path)
	if err != nil {
		return err
	}
	if text := change(old); text != old {
		return writeFile(path, text, false)
	}
	return nil
}

func echo(t *groovy.Thread, b *builder, n *node) error {
	text := n.attrs["message"] + n.text
	switch l := n.attrs["level"]; l {
	case "", "error", "warning", "warn", "info", "verbose", "debug":
	default:
		return fault("%s is not a legal value for this attribute", l)
	}
	if f := n.attrs["file"]; f != "" {
		if text == "" {
			text = "\n"
		}
		if err := os.MkdirAll(filepath.Dir(b.path(f)), 0o755); err != nil {
			return err
		}
		return writeFile(b.path(f), text, n.yes("append", false))
	}
	if l := n.attrs["level"]; l == "verbose" || l == "debug" {
		return nil
	}
	return b.log(t, n, text)
}

// each calls fn for the file and the files of the sets and below dir that a task names.
func (b *builder) each(n *node, dirAttr string, fn func(path string) error) error {
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	if f := n.attrs["file"]; f != "" {
		files = append(files, file{dir: b.path(f)})
	} else if d := n.attrs[dirAttr]; d != "" {
		list, err := b.scan(n, d)
		if err != nil {
			return err
		}
		files = append(files, list...)
	}
	for _, f := range files {
		if f.isDir {
			continue
		}
		info, missing := os.Stat(f.path())
		if err := fn(f.path()); err != nil {
			return err
		}
		if missing == nil && n.yes("preservelastmodified", false) {
			if err := os.Chtimes(f.path(), info.ModTime(), info.ModTime()); err != nil {
				return err
			}
		}
	}
	return nil
}

func fixcrlf(_ *groovy.Thread, b *builder, n *node) error {
	eol := "\n"
	switch e := strings.ToLower(n.attrs["eol"]); e {
	case "", "asis", "lf", "unix":
	case "crlf", "dos":
		eol = "\r\n"
	case "cr", "mac":
		eol = "\r"
	default:
		return fault("%s is not a legal value for this attribute", e)
	}
	if f := n.attrs["file"]; f != "" && !exists(b.path(f)) {
		return nil
	}
	ends := strings.NewReplacer("\r\r\n", "\n", "\r\n", "\n", "\r", "\n")
	return b.each(n, "srcdir", func(path string) error {
		return edit(path, func(s string) string {
			s = ends.Replace(s)
			if eol != "\r\n" || n.attrs["eof"] == "remove" {
				s = strings.TrimSuffix(s, "\x1a")
			}
			if n.yes("fixlast", true) && s != "" && !strings.HasSuffix(s, "\n") {
				s += "\n"
			}
			return strings.ReplaceAll(s, "\n", eol)
		})
	})
}

// changes are the tokens that replace changes and their values, in this order.
func changes(n *node) ([]pair, error) {
	token, value := n.attrs["token"], n.attrs["value"]
	var list []pair
	for _, k := range n.kids {
		switch k.name {
		case "replacetoken":
			token = k.text
		case "replacevalue":
			value = k.text
		}
	}
	if token != "" {
		list = append(list, pair{token, value})
	}
	for _, k := range n.kids {
		if k.name != "replacefilter" {
			continue
		}
		v, ok := k.attrs["value"]
		if !ok {
			v = value
		}
		if k.attrs["token"] == "" {
			return nil, fault("token must not be empty.")
		}
		list = append(list, pair{k.attrs["token"], v})
	}
	if list == nil {
		return nil, fault("Either token or a nested replacefilter must be specified")
	}
	return list, nil
}

func replace(t *groovy.Thread, b *builder, n *node) error {
	list, err := changes(n)
	if err != nil {
		return err
	}
	if f := n.attrs["file"]; f != "" && !exists(b.path(f)) {
		return fault("Replace: source file %s doesn't exist", b.path(f))
	}
	if n.attrs["file"] == "" && n.attrs["dir"] == "" && !n.has("fileset", "dirset") {
		return fault("Either the file or the dir attribute or nested resources must be specified")
	}
	count, files := 0, 0
	err = b.each(n, "dir", func(path string) error {
		return edit(path, func(s string) string {
			old := s
			for _, p := range list {
				count += strings.Count(s, p.key)
				s = strings.ReplaceAll(s, p.key, p.value)
			}
			if s != old {
				files++
			}
			return s
		})
	})
	switch {
	case err != nil:
		return err
	case count == 0 && n.yes("failonnoreplacements", false):
		return fault("didn't replace anything")
	case n.yes("summary", false):
		return b.log(t, n, fmt.Sprintf("Replaced %d occurrences in %d files.", count, files))
	}
	return nil
}

func concat(t *groovy.Thread, b *builder, n *node) error {
	text := n.text
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	for _, f := range files {
		s, err := readText(f.path())
		if err != nil {
			return err
		}
		text += s
		if n.yes("fixlastline", false) && s != "" && !strings.HasSuffix(s, "\n") {
			text += "\n"
		}
		if len(text) > maxText {
			return fault("the files are larger than %d bytes together", maxText)
		}
	}
	if f := n.attrs["destfile"]; f != "" {
		if len(files) == 0 && text == "" {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(b.path(f)), 0o755); err != nil {
			return err
		}
		return writeFile(b.path(f), text, n.yes("append", false))
	}
	return b.log(t, n, text)
}

func loadFile(t *groovy.Thread, b *builder, n *node) error {
	f, err := n.need("srcfile")
	if err != nil {
		return err
	}
	id := n.attrs["property"]
	if id == "" {
		return fault("output property not defined")
	}
	if n.yes("quiet", false) && !exists(b.path(f)) {
		return nil
	}
	if !exists(b.path(f)) {
		return b.tolerate(t, n, fault("%s doesn't exist", b.path(f)))
	}
	s, err := readText(b.path(f))
	switch {
	case err != nil:
		return b.tolerate(t, n, fault("Unable to load file: %v", err))
	case s == "":
		return b.log(t, n, "Do not set property "+id+" as its length is 0.")
	}
	return b.define(t, id, s)
}

// property sets properties once: the first value stays, as in Ant.
func property(t *groovy.Thread, b *builder, n *node) error {
	prefix := n.attrs["prefix"]
	if prefix != "" && !strings.HasSuffix(prefix, ".") {
		prefix += "."
	}
	switch {
	case n.attrs["name"] != "":
		v, ok := n.attrs["value"]
		if l := n.attrs["location"]; l != "" {
			v, ok = filepath.Clean(b.path(l)), true
		}
		if !ok && n.text == "" {
			return fault("You must specify value, location or refid with the name attribute")
		}
		return b.define(t, n.attrs["name"], v+n.text)
	case n.attrs["environment"] != "":
		env := append(os.Environ(), b.host.Env...)
		for _, kv := range slices.Backward(env) { // the last one is what a process sees
			if k, v, ok := strings.Cut(kv, "="); ok {
				if err := b.define(t, strings.TrimSuffix(n.attrs["environment"], ".")+"."+k, v); err != nil {
					return err
				}
			}
		}
		return nil
	case n.attrs["file"] != "":
		if p := b.path(n.attrs["file"]); exists(p) { // one that is not there is none
			return b.load(t, p, prefix)
		}
		return nil
	}
	return fault("You must specify url, file, resource, environment or runtime when not using the name attribute")
}

// there says whether the file of available is there.
func (b *builder) there(n *node) (bool, error) {
	f := n.attrs["file"]
	if f == "" {
		return false, fault("At least one of (classname|file|resource) is required")
	}
	paths := []string{b.path(f)}
	if list := n.attrs["filepath"]; list != "" {
		paths = nil
		for _, d := range strings.Split(b.pathList(list), ":") {
			paths = append(paths, filepath.Join(d, f))
		}
	}
	return slices.ContainsFunc(paths, func(p string) bool {
		return exists(p) && (n.attrs["type"] == "" || isDir(p) == (n.attrs["type"] == "dir"))
	}), nil
}

// available sets its property, also one that is set, as Ant does.
func available(t *groovy.Thread, b *builder, n *node) error {
	if n.attrs["property"] == "" {
		return fault("property attribute is required")
	}
	ok, err := b.there(n)
	if err != nil || !ok {
		return err
	}
	b.props.Put(n.attrs["property"], first(n.attrs["value"], "true"))
	return t.Alloc(256)
}

func fail(t *groovy.Thread, b *builder, n *node) error {
	if !b.holds(n) {
		return nil
	}
	if n.has("condition") {
		ok, err := b.condition(t, n.kids[0])
		if err != nil || !ok {
			return err
		}
	}
	var why []string
	for _, id := range []string{"if", "unless"} {
		if v := n.attrs[id]; v != "" {
			why = append(why, id+"="+v)
		}
	}
	return fault("%s", first(n.attrs["message"]+n.text, strings.Join(why, " and "), "No message"))
}

func sleep(t *groovy.Thread, _ *builder, n *node) error {
	total := time.Duration(0)
	for id, unit := range map[string]time.Duration{"hours": time.Hour, "minutes": time.Minute, "seconds": time.Second, "milliseconds": time.Millisecond} {
		v, err := n.number(id, 0)
		if err != nil {
			return err
		}
		total += time.Duration(v) * unit
	}
	if total < 0 {
		return fault("Negative sleep periods are not supported")
	}
	return pause(t, total)
}

// pause waits, at most a day, or until the script has to end.
func pause(t *groovy.Thread, total time.Duration) error {
	timer := time.NewTimer(min(max(total, 0), 24*time.Hour))
	defer timer.Stop()
	select {
	case <-t.Context().Done():
		return t.Context().Err()
	case <-timer.C:
		return nil
	}
}
