package apt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// keyring holds the keys of Debian's archives; it is part of every Debian.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// A Repo is one suite of a package repository.
type Repo struct {
	URI        string
	Suite      string // "/" or "./" for a flat repository
	Components []string
	// Keyring is the file the Release file's signature is checked with;
	// empty leaves the choice to apt.
	Keyring string
	// Trusted repositories need no signature.
	Trusted bool
}

// String is r as a line of sources.list.
func (r Repo) String() string {
	opt := ""
	switch {
	case r.Trusted:
		opt = "[trusted=yes] "
	case r.Keyring != "":
		opt = "[signed-by=" + r.Keyring + "] "
	}
	return strings.TrimSpace(fmt.Sprintf("deb %s%s %s %s", opt, r.URI, r.Suite, strings.Join(r.Components, " ")))
}

// Mirror says where the host gets Debian and its security updates from.
type Mirror struct {
	Main     string
	Security string // may be empty
}

// Repos are the repositories of a Debian release on m: the release and, if
// the mirror is known, its security updates.
func (m Mirror) Repos(codename string, components ...string) []Repo {
	key := keyring
	if _, err := os.Stat(key); err != nil {
		key = ""
	}
	all := []Repo{{URI: m.Main, Suite: codename, Components: components, Keyring: key}}
	if m.Security != "" {
		all = append(all, Repo{URI: m.Security, Suite: codename + "-security", Components: components, Keyring: key})
	}
	return all
}

// HostMirror reads the mirrors from this host's apt configuration. The host
// must be a Debian whose sources name its own release.
func HostMirror(ctx context.Context) (Mirror, error) {
	out, err := run(ctx, "", nil, "apt-get", "indextargets",
		"--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages")
	if err != nil {
		return Mirror{}, fmt.Errorf("read apt sources: %w", err)
	}
	code, err := codename("/etc/os-release")
	if err != nil {
		return Mirror{}, err
	}
	return pickMirror(out, code)
}

// pickMirror chooses among the lines "URI|release|component" of a host that runs code.
func pickMirror(targets []byte, code string) (Mirror, error) {
	var m Mirror
	in := bufio.NewScanner(bytes.NewReader(targets))
	for in.Scan() {
		f := strings.Split(in.Text(), "|")
		if len(f) != 3 || f[2] != "main" {
			continue
		}
		base, _, _ := strings.Cut(f[1], "/")
		switch {
		case m.Main == "" && base == f[1] && (base == code || base == "stable" || base == "oldstable"):
			m.Main = f[0]
		case m.Security == "" && strings.HasSuffix(strings.ReplaceAll(f[1], "/updates", "-security"), "-security"):
			m.Security = f[0]
		}
	}
	if m.Main == "" {
		return Mirror{}, fmt.Errorf("find Debian mirror: this host's apt sources name none for %q; add one below /etc/apt/sources.list.d", code)
	}
	return m, in.Err()
}

// codename is VERSION_CODENAME of an os-release file (os-release(5)).
func codename(file string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find release of this host: %s is missing", file)
	}
	if err != nil {
		return "", fmt.Errorf("find release of this host: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(value, `"'`), nil
		}
	}
	return "", fmt.Errorf("find release of this host: no VERSION_CODENAME in %s", file)
}
