package ant

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
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
	if f := n.attrs["file"]; f != "" {
		return writeFile(b.path(f), text, n.yes("append", false))
	}
	if l := n.attrs["level"]; l == "verbose" || l == "debug" {
		return nil
	}
	return b.log(t, n, text)
}

// each calls fn for the file or the files below dir that a task names.
func (b *builder) each(n *node, dirAttr string, fn func(path string) error) error {
	if f := n.attrs["file"]; f != "" {
		return fn(b.path(f))
	}
	files, err := b.filesets(n)
	if err != nil {
		return err
	}
	if d := n.attrs[dirAttr]; d != "" {
		list, err := b.fileset(n, d)
		if err != nil {
			return err
		}
		files = append(files, list...)
	}
	for _, f := range files {
		if f.isDir {
			continue
		}
		if err := fn(f.path()); err != nil {
			return err
		}
	}
	return nil
}

func fixcrlf(_ *groovy.Thread, b *builder, n *node) error {
	eol := "\n"
	switch strings.ToLower(n.attrs["eol"]) {
	case "crlf", "dos":
		eol = "\r\n"
	case "cr", "mac":
		eol = "\r"
	}
	return b.each(n, "srcdir", func(path string) error {
		return edit(path, func(s string) string {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
			if eol != "\r\n" {
				s = strings.TrimSuffix(s, "\x1a")
			}
			return strings.ReplaceAll(s, "\n", eol)
		})
	})
}

func replace(_ *groovy.Thread, b *builder, n *node) error {
	var pairs []string
	add := func(token, value string) {
		if token != "" {
			pairs = append(pairs, token, value)
		}
	}
	token, value := n.attrs["token"], n.attrs["value"]
	for _, k := range n.kids {
		switch k.name {
		case "replacetoken":
			token = k.text
		case "replacevalue":
			value = k.text
		case "replacefilter":
			add(k.attrs["token"], first(k.attrs["value"], value))
		}
	}
	add(token, value)
	if pairs == nil {
		return fault("either token or a nested replacetoken or replacefilter must be given")
	}
	return b.each(n, "dir", func(path string) error {
		return edit(path, func(s string) string { return strings.NewReplacer(pairs...).Replace(s) })
	})
}

var backReference = regexp.MustCompile(`\\(\d)`)

func replaceRegexp(_ *groovy.Thread, b *builder, n *node) error {
	pattern, with := n.attrs["match"], n.attrs["replace"]
	for _, k := range n.kids {
		switch k.name {
		case "regexp":
			pattern = k.attrs["pattern"]
		case "substitution":
			with = k.attrs["expression"]
		}
	}
	flags := n.attrs["flags"]
	if n.yes("byline", false) {
		flags += "m"
	}
	if f := strings.ReplaceAll(flags, "g", ""); f != "" {
		pattern = "(?" + f + ")" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return fault("%v", err)
	}
	with = backReference.ReplaceAllString(strings.ReplaceAll(with, "$", "$$"), "$${$1}")
	return b.each(n, "dir", func(path string) error {
		return edit(path, func(s string) string {
			if strings.Contains(flags, "g") || n.yes("byline", false) {
				return re.ReplaceAllString(s, with)
			}
			at := re.FindStringSubmatchIndex(s)
			if at == nil {
				return s
			}
			return s[:at[0]] + string(re.ExpandString(nil, with, s, at)) + s[at[1]:]
		})
	})
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
	}
	if f := n.attrs["destfile"]; f != "" {
		return writeFile(b.path(f), text, n.yes("append", false))
	}
	return b.log(t, n, text)
}

func loadFile(t *groovy.Thread, b *builder, n *node) error {
	f, err := n.need("srcfile")
	if err != nil {
		return err
	}
	s, err := readText(b.path(f))
	if err != nil {
		return err
	}
	b.props.Put(n.attrs["property"], s)
	return t.Alloc(len(s))
}

// property sets properties once: the first value stays, as in Ant.
func property(_ *groovy.Thread, b *builder, n *node) error {
	set := func(k, v string) {
		if _, ok := b.props.Get(k); !ok {
			b.props.Put(k, v)
		}
	}
	switch {
	case n.attrs["name"] != "":
		v := n.attrs["value"]
		if l := n.attrs["location"]; l != "" {
			v = b.path(l)
		}
		set(n.attrs["name"], v)
	case n.attrs["environment"] != "":
		for _, kv := range append(os.Environ(), b.host.Env...) {
			if k, v, ok := strings.Cut(kv, "="); ok {
				b.props.Put(n.attrs["environment"]+"."+k, v)
			}
		}
	case n.attrs["file"] != "":
		s, err := readText(b.path(n.attrs["file"]))
		if err != nil {
			return nil // a properties file that is not there is none
		}
		for _, l := range strings.Split(s, "\n") {
			if k, v, ok := strings.Cut(l, "="); ok && !strings.HasPrefix(strings.TrimSpace(l), "#") {
				set(strings.TrimSpace(k), strings.TrimSpace(v))
			}
		}
	}
	return nil
}

func available(_ *groovy.Thread, b *builder, n *node) error {
	f, err := n.need("file")
	if err != nil {
		return err
	}
	p := b.path(f)
	if exists(p) && (n.attrs["type"] != "dir" || isDir(p)) {
		b.props.Put(n.attrs["property"], first(n.attrs["value"], "true"))
	}
	return nil
}

func fail(_ *groovy.Thread, b *builder, n *node) error {
	if p := n.attrs["if"]; p != "" {
		if _, ok := b.props.Get(p); !ok {
			return nil
		}
	}
	if p := n.attrs["unless"]; p != "" {
		if _, ok := b.props.Get(p); ok {
			return nil
		}
	}
	return fault("%s", first(n.attrs["message"], n.text, "No message"))
}

func sleep(t *groovy.Thread, _ *builder, n *node) error {
	total := time.Duration(0)
	for id, unit := range map[string]time.Duration{"hours": time.Hour, "minutes": time.Minute, "seconds": time.Second, "milliseconds": time.Millisecond} {
		v, _ := strconv.Atoi(n.attrs[id])
		total += time.Duration(v) * unit
	}
	timer := time.NewTimer(min(max(total, 0), 24*time.Hour))
	defer timer.Stop()
	select {
	case <-t.Context().Done():
		return t.Context().Err()
	case <-timer.C:
		return nil
	}
}

// checksum writes or compares the digest of a file.
func checksum(_ *groovy.Thread, b *builder, n *node) error {
	f, err := n.need("file")
	if err != nil {
		return err
	}
	algorithm := first(n.attrs["algorithm"], "MD5")
	var h hash.Hash
	switch strings.ToUpper(strings.ReplaceAll(algorithm, "-", "")) {
	case "MD5":
		h = md5.New()
	case "SHA", "SHA1":
		h = sha1.New()
	case "SHA256":
		h = sha256.New()
	default:
		return fault("checksum: algorithm %s is not supported", algorithm)
	}
	in, err := os.Open(b.path(f))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // read only
	if _, err := io.Copy(h, in); err != nil {
		return err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	switch {
	case n.attrs["verifyproperty"] != "":
		b.props.Put(n.attrs["verifyproperty"], strconv.FormatBool(strings.EqualFold(sum, n.attrs["property"])))
	case n.attrs["property"] != "":
		b.props.Put(n.attrs["property"], sum)
	default:
		return writeFile(filepath.Clean(b.path(f))+"."+first(n.attrs["fileext"], algorithm), sum, false)
	}
	return nil
}
