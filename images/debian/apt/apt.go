package apt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A State is apt's view of the repositories Repos for a machine that has the
// packages of Status, kept in Dir. One process at a time may use a Dir.
type State struct {
	Dir   string
	Repos []Repo
	// Status is the dpkg status file of the machine; empty means that
	// nothing is installed.
	Status string
	// Arch is the machine's architecture; empty means that of the host.
	Arch string
}

// Open prepares dir and fetches the indexes of repos; they are verified as
// the host's apt is configured to. It blocks until all are fetched; an index
// that cannot be had is an error.
func Open(ctx context.Context, dir, status string, repos []Repo) (*State, error) {
	return OpenArch(ctx, dir, status, "", repos)
}

// OpenArch is Open for a machine of another architecture than the host's.
func OpenArch(ctx context.Context, dir, status, arch string, repos []Repo) (*State, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open apt state %s: %w", dir, err)
	}
	s := &State{Dir: abs, Repos: repos, Status: status, Arch: arch}
	for _, d := range []string{"lists/partial", "cache/archives/partial", "etc/parts", "etc/prefs"} {
		if err := os.MkdirAll(filepath.Join(abs, d), 0o755); err != nil {
			return nil, fmt.Errorf("open apt state: %w", err)
		}
	}
	if status == "" {
		s.Status = filepath.Join(abs, "status")
		if err := os.WriteFile(s.Status, nil, 0o644); err != nil {
			return nil, fmt.Errorf("open apt state: %w", err)
		}
	}
	var list strings.Builder
	for _, r := range repos {
		fmt.Fprintln(&list, r)
	}
	if err := os.WriteFile(filepath.Join(abs, "etc/sources.list"), []byte(list.String()), 0o644); err != nil {
		return nil, fmt.Errorf("open apt state: %w", err)
	}
	if _, err := s.apt(ctx, "", "apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any"); err != nil {
		return nil, fmt.Errorf("update package lists: %w", err)
	}
	return s, nil
}

// Show returns the candidate of each name, in the order asked; a name may be
// NAME=VERSION. A name that no repository has is an error.
func (s *State) Show(ctx context.Context, names ...string) ([]Package, error) {
	if len(names) == 0 {
		return nil, nil
	}
	out, err := s.apt(ctx, "", "apt-cache", append([]string{"show", "--no-all-versions"}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("show packages: %w", err)
	}
	found, err := ParseControl(bytes.NewReader(out))
	if err != nil {
		return nil, fmt.Errorf("show packages: %w", err)
	}
	byName := map[string]Package{}
	for _, p := range found {
		if p.Filename == "" {
			continue // the installed one's stanza
		}
		byName[p.Name], byName[p.Name+"="+p.Version] = p, p
	}
	all := make([]Package, 0, len(names))
	for _, n := range names {
		p, ok := byName[n]
		if !ok {
			return nil, fmt.Errorf("show packages: %s is in no repository", n)
		}
		all = append(all, p)
	}
	return all, nil
}

// Closure returns what "apt-get install --no-install-recommends names" would
// fetch for the machine of s.Status, sorted as apt orders it; empty when all
// is installed already.
func (s *State) Closure(ctx context.Context, names ...string) ([]Package, error) {
	args := append([]string{"install", "--print-uris", "-q", "-y", "--no-install-recommends", "--"}, names...)
	out, err := s.apt(ctx, "", "apt-get", args...)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", strings.Join(names, " "), err)
	}
	want, err := parseURIs(out)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", strings.Join(names, " "), err)
	}
	return s.Show(ctx, want...)
}

// parseURIs reads the output of apt-get --print-uris, one line
// 'URI' FILE SIZE HASH for each archive, and returns NAME=VERSION of each.
func parseURIs(out []byte) ([]string, error) {
	var all []string
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 3 || !strings.HasPrefix(f[0], "'") {
			continue // notes that apt prints in between
		}
		parts := strings.Split(strings.TrimSuffix(f[1], ".deb"), "_")
		if len(parts) != 3 {
			return nil, fmt.Errorf("archive name %q is not NAME_VERSION_ARCH.deb", f[1])
		}
		version, err := url.PathUnescape(parts[1])
		if err != nil {
			return nil, fmt.Errorf("archive name %q: %w", f[1], err)
		}
		all = append(all, parts[0]+"="+version)
	}
	return all, nil
}

// Download puts the archives of all into dir under the names that Package.File gives. An
// archive that is there with the right content is left alone. Each is checked
// against the signed index; a partial download never gets the final name.
// fetched is how many had to be fetched.
func (s *State) Download(ctx context.Context, dir string, all []Package) (fetched int, err error) {
	part := filepath.Join(s.Dir, "cache/archives/fetch")
	if err := os.MkdirAll(part, 0o755); err != nil {
		return 0, fmt.Errorf("download packages: %w", err)
	}
	var missing []Package
	var args []string
	for _, p := range all {
		if Verify(filepath.Join(dir, p.File()), p) != nil {
			missing, args = append(missing, p), append(args, p.Name+"="+p.Version)
		}
	}
	if len(missing) == 0 {
		return 0, nil
	}
	// The sandbox user of apt cannot write below our folders.
	args = append([]string{"download", "-q", "-o", "APT::Sandbox::User=root"}, args...)
	if _, err := s.apt(ctx, part, "apt-get", args...); err != nil {
		return 0, fmt.Errorf("download packages: %w", err)
	}
	for _, p := range missing {
		file := filepath.Join(part, p.base())
		if err := Verify(file, p); err != nil {
			return 0, fmt.Errorf("download %s: %w", p.Name, err)
		}
		if err := move(file, filepath.Join(dir, p.File())); err != nil {
			return 0, fmt.Errorf("download %s: %w", p.Name, err)
		}
	}
	return len(missing), nil
}

// Verify compares file with the size and hash of p.
func Verify(file string, p Package) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if n != p.Size {
		return fmt.Errorf("verify %s: size is %d, want %d", filepath.Base(file), n, p.Size)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != p.SHA256 {
		return fmt.Errorf("verify %s: sha256 is %s, want %s", filepath.Base(file), got, p.SHA256)
	}
	return nil
}

// move makes file's content durable and gives it its final name, which may
// lie on another file system.
func move(file, to string) error {
	tmp := to + ".part"
	if err := copyFile(file, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, to); err != nil {
		return err
	}
	return os.Remove(file)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}

// apt runs a program of apt on s with the working directory dir.
func (s *State) apt(ctx context.Context, dir, program string, args ...string) ([]byte, error) {
	set := []string{
		"Dir::Etc::sourcelist=" + s.Dir + "/etc/sources.list",
		"Dir::Etc::sourceparts=" + s.Dir + "/etc/parts",
		"Dir::Etc::preferences=" + s.Dir + "/etc/preferences",
		"Dir::Etc::preferencesparts=" + s.Dir + "/etc/prefs",
		"Dir::State=" + s.Dir,
		"Dir::State::lists=" + s.Dir + "/lists",
		"Dir::State::status=" + s.Status,
		"Dir::State::extended_states=" + s.Dir + "/extended_states",
		"Dir::Cache=" + s.Dir + "/cache",
		"Dir::Cache::archives=" + s.Dir + "/cache/archives",
		"Dir::Cache::pkgcache=pkgcache.bin", "Dir::Cache::srcpkgcache=srcpkgcache.bin",
		"Acquire::GzipIndexes=false", "Acquire::Languages=none",
		"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false",
		"Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled=false",
		"Acquire::Retries=3", "Dpkg::Use-Pty=0", "Debug::NoLocking=true",
	}
	if s.Arch != "" {
		set = append(set, "APT::Architecture="+s.Arch, "APT::Architectures="+s.Arch)
	}
	all := make([]string, 0, 2*len(set)+len(args))
	for _, o := range set {
		all = append(all, "-o", o)
	}
	return run(ctx, dir, nil, program, append(all, args...)...)
}

// run runs a program to its end and returns what it wrote. An error carries
// the last lines of its standard error, and of its output: there apt explains
// unmet dependencies.
func run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, tail(stderr.String()+tail(stdout.String(), 4), 9))
	}
	return stdout.Bytes(), nil
}

// tail is the last n lines of text on one line.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
