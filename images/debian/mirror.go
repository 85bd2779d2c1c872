package debian

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"appliance/images/debian/apt"
	"appliance/pool"
)

// MirrorOptions say what to put into a package repository.
type MirrorOptions struct {
	// Dir is the repository: it is served as it is, at .../packages, and
	// used by machines with "deb [trusted=yes] https://SERVER/packages/ /".
	// (With "./" in place of "/" apt asks for .../packages/./Release.)
	// What begins with a dot is Mirror's own and need not be served.
	Dir string
	// ImageStatus is the dpkg status file of the image the packages are to
	// be installed on, as Build writes it. It says the architecture, too: a
	// repository may hold packages of several.
	ImageStatus string
	// Packages are what one recipe installs.
	Packages []string
	Log      *slog.Logger // nil is silent
}

// MirrorResult says what the repository holds after Mirror.
type MirrorResult struct {
	Wanted   int   // packages that the image lacks for MirrorOptions.Packages
	Fetched  int   // of all recipes' packages, those that were fetched now
	Packages int   // in the repository
	Bytes    int64 // of all of them
}

// Mirror adds to the repository all that "apt-get install
// --no-install-recommends PACKAGES" would fetch on a machine with the image,
// and brings what earlier calls asked for up to the same state of Debian.
//
// It is idempotent. Machines may read Dir meanwhile: the index is replaced
// last and at once, and no archive is ever removed or changed. A crash leaves
// the former index. Two calls on one Dir exclude each other: the second is
// refused.
func Mirror(ctx context.Context, o MirrorOptions) (MirrorResult, error) {
	mirror, err := apt.HostMirror(ctx)
	if err != nil {
		return MirrorResult{}, fmt.Errorf("mirror packages: %w", err)
	}
	res, err := mirrorFrom(ctx, o, mirror.Repos(Suite, "main"))
	if err != nil {
		return MirrorResult{}, fmt.Errorf("mirror packages: %w", err)
	}
	return res, nil
}

// mirrorFrom is Mirror with the repositories to take packages from.
func mirrorFrom(ctx context.Context, o MirrorOptions, repos []apt.Repo) (res MirrorResult, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	asked, err := cleanNames(o.Packages)
	if err != nil {
		return res, err
	}
	if o.ImageStatus, err = filepath.Abs(o.ImageStatus); err != nil {
		return res, err
	}
	if _, err := os.Stat(o.ImageStatus); err != nil {
		return res, fmt.Errorf("read package list of the image: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "pool"), 0o755); err != nil {
		return res, err
	}
	unlock, err := lock(filepath.Join(o.Dir, ".lock"))
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	arch, err := archOf(o.ImageStatus)
	if err != nil {
		return res, err
	}
	groups, err := readGroups(o.Dir, arch)
	if err != nil {
		return res, err
	}
	if !slices.ContainsFunc(groups, func(g []string) bool { return slices.Equal(g, asked) }) {
		groups = append(groups, asked)
	}
	return fill(ctx, o, arch, repos, groups, asked)
}

// fill resolves every group, fetches what is missing, and publishes the index.
func fill(ctx context.Context, o MirrorOptions, arch string, repos []apt.Repo, groups [][]string, asked []string) (MirrorResult, error) {
	var res MirrorResult
	began := time.Now()
	state, err := apt.OpenArch(ctx, filepath.Join(o.Dir, own(".apt", arch)), o.ImageStatus, arch, repos)
	if err != nil {
		return res, err
	}
	var all []apt.Package
	for _, g := range groups {
		need, err := state.Closure(ctx, g...)
		if err != nil {
			return res, err
		}
		if slices.Equal(g, asked) {
			res.Wanted = len(need)
		}
		o.Log.Info("packages resolved", "for", strings.Join(g, " "), "count", len(need), "after", time.Since(began).Round(time.Millisecond))
		all = append(all, need...)
	}
	all = unique(all)
	if res.Fetched, err = state.Download(ctx, filepath.Join(o.Dir, "pool"), all); err != nil {
		return res, err
	}
	for i, p := range all {
		all[i] = p.Relocated("pool/" + p.File())
	}
	index, err := publishIndex(o.Dir, all, time.Now())
	if err != nil {
		return res, err
	}
	// After the index: what is recorded is always in it or will be asked again.
	if err := writeGroups(o.Dir, arch, groups); err != nil {
		return res, err
	}
	res.Packages = len(index)
	for _, p := range index {
		res.Bytes += p.Size
	}
	o.Log.Info("packages mirrored", "fetched", res.Fetched, "packages", res.Packages, "bytes", res.Bytes, "after", time.Since(began).Round(time.Millisecond))
	return res, nil
}

// cleanNames checks, sorts and dedupes package names.
func cleanNames(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, errors.New("no package named")
	}
	out := slices.Clone(names)
	slices.Sort(out)
	out = slices.Compact(out)
	for _, n := range out {
		if !packageName(n) {
			return nil, fmt.Errorf("%q is not a package name", n)
		}
	}
	return out, nil
}

// unique sorts packages by their key and drops repeated ones.
func unique(all []apt.Package) []apt.Package {
	slices.SortFunc(all, func(a, b apt.Package) int { return strings.Compare(a.Key(), b.Key()) })
	return slices.CompactFunc(all, func(a, b apt.Package) bool { return a.Key() == b.Key() })
}

// archOf is the architecture of the system that a dpkg status file is of:
// dpkg's own. It is empty, the host's, where there is none.
func archOf(status string) (arch string, err error) {
	f, err := os.Open(status)
	if err != nil {
		return "", fmt.Errorf("read package list of the image: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	all, err := apt.ParseControl(f)
	if err != nil {
		return "", fmt.Errorf("read package list of the image %s: %w", status, err)
	}
	for _, p := range all {
		if p.Name == "dpkg" && p.Installed {
			return p.Arch, nil
		}
	}
	return "", nil
}

// own is the name of what Mirror keeps for an architecture: amd64 came first
// and has the plain one.
func own(name, arch string) string {
	if arch == "" || arch == string(pool.AMD64) {
		return name
	}
	return name + "-" + arch
}

// readGroups reads what earlier calls asked for, one list for each.
func readGroups(dir, arch string) ([][]string, error) {
	data, err := os.ReadFile(filepath.Join(dir, own(".asked", arch)+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var groups [][]string
	if err := json.Unmarshal(data, &groups); err != nil {
		return nil, fmt.Errorf("read what was asked before: %w", err)
	}
	return groups, nil
}

func writeGroups(dir, arch string, groups [][]string) error {
	data, err := json.Marshal(groups)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, own(".asked", arch)+".json"), append(data, '\n'))
}
