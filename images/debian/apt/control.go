package apt

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Package is one binary package of a release.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	// Source and SourceVersion name the source package it was built from.
	Source        string `json:"source"`
	SourceVersion string `json:"source_version"`
	// Filename is the path below the repository's root; empty in a dpkg status file.
	Filename string `json:"filename,omitempty"`
	Size     int64  `json:"size,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	Depends  string `json:"-"`
	// BuiltUsing is the field of that name: sources whose code is in the
	// package though it was built from another (Debian Policy section 7.8).
	BuiltUsing string `json:"built_using,omitempty"`
	// Installed is true for a stanza of a dpkg status file that says so.
	Installed bool `json:"-"`
	// Stanza is the control text the package was read from, without the final blank line.
	Stanza string `json:"-"`
}

// base is the file name of p's archive as apt-get download writes it.
func (p Package) base() string {
	return p.Name + "_" + strings.ReplaceAll(p.Version, ":", "%3a") + "_" + p.Arch + ".deb"
}

// File is the name under which p's archive is kept: no other version's, and
// with nothing in it that a URL would have to quote away from itself.
func (p Package) File() string {
	return p.Name + "_" + strings.ReplaceAll(p.Version, ":", "_") + "_" + p.Arch + ".deb"
}

// Key identifies p: name, version and architecture.
func (p Package) Key() string { return p.Name + "=" + p.Version + ":" + p.Arch }

// ParseControl reads the stanzas of a Packages index or of a dpkg status file
// (deb822, Debian Policy section 5.1). A stanza without a name, or a line that
// is neither a field nor a continuation, is an error.
func ParseControl(r io.Reader) ([]Package, error) {
	var (
		all    []Package
		stanza []string
		line   int
	)
	flush := func() error {
		if len(stanza) == 0 {
			return nil
		}
		p, err := parseStanza(stanza)
		if err != nil {
			return fmt.Errorf("parse stanza before line %d: %w", line, err)
		}
		all, stanza = append(all, p), nil
		return nil
	}
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), 4<<20)
	for in.Scan() {
		line++
		text := in.Text()
		if strings.TrimSpace(text) != "" {
			stanza = append(stanza, text)
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read control text after line %d: %w", line, err)
	}
	line++
	return all, flush()
}

func parseStanza(lines []string) (Package, error) {
	field := map[string]string{}
	name := ""
	for _, line := range lines {
		if line[0] == ' ' || line[0] == '\t' {
			if name == "" {
				return Package{}, fmt.Errorf("continuation %q without a field", line)
			}
			continue // no field we read has more than one line
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return Package{}, fmt.Errorf("line %q is not a field", line)
		}
		name = strings.ToLower(key)
		field[name] = strings.TrimSpace(value)
	}
	p := Package{
		Name: field["package"], Version: field["version"], Arch: field["architecture"],
		Filename: field["filename"], SHA256: field["sha256"], Depends: field["depends"],
		BuiltUsing: field["built-using"],
		Stanza:     strings.Join(lines, "\n"),
	}
	if p.Name == "" {
		return Package{}, fmt.Errorf("no Package field in %q", lines[0])
	}
	if s := field["size"]; s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return Package{}, fmt.Errorf("size %q of %s is not a number", s, p.Name)
		}
		p.Size = n
	}
	p.Source, p.SourceVersion = source(field["source"], p)
	p.Installed = strings.HasSuffix(field["status"], " installed")
	return p, nil
}

// source reads the Source field, "NAME" or "NAME (VERSION)"; what it leaves
// out is as in the binary package (Debian Policy section 5.6.1). A binary-only
// rebuild's "+bN" is no part of the source's version.
func source(field string, p Package) (name, version string) {
	name, rest, ok := strings.Cut(field, " ")
	if name == "" {
		name = p.Name
	}
	if ok {
		return name, strings.Trim(rest, "()")
	}
	version = p.Version
	if i := strings.LastIndex(version, "+b"); i > 0 && digits(version[i+2:]) {
		version = version[:i]
	}
	return name, version
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// withFilename returns stanza with its Filename field set to name.
func withFilename(stanza, name string) string {
	var out []string
	for line := range strings.SplitSeq(stanza, "\n") {
		if key, _, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, "Filename") {
			continue
		}
		out = append(out, line)
	}
	return strings.Join(append(out, "Filename: "+name), "\n")
}

// Relocated returns p as an index of a repository that keeps it as name lists it.
func (p Package) Relocated(name string) Package {
	p.Filename, p.Stanza = name, withFilename(p.Stanza, name)
	return p
}
