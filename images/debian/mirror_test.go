package debian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"appliance/images/debian/apt"

	"github.com/google/go-cmp/cmp"
)

// An upstream is a package repository of made-up packages, served on loopback.
type upstream struct {
	dir, url string
	day      int
	mu       sync.Mutex
	asked    []string
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not there: not a Debian host", program)
		}
	}
	u := &upstream{dir: t.TempDir()}
	files := http.FileServer(http.Dir(u.dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.asked = append(u.asked, r.URL.Path)
		u.mu.Unlock()
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	u.url = srv.URL
	return u
}

// take returns which archives were asked for since the last call.
func (u *upstream) take() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var debs []string
	for _, p := range u.asked {
		if strings.HasSuffix(p, ".deb") {
			debs = append(debs, strings.TrimPrefix(p, "/pool/"))
		}
	}
	u.asked = nil
	slices.Sort(debs)
	return debs
}

// add builds packages, each given as its control fields, and publishes them.
func (u *upstream) add(t *testing.T, controls ...string) {
	t.Helper()
	var all []apt.Package
	for _, control := range controls {
		tree := t.TempDir()
		if !strings.Contains(control, "Architecture:") {
			control += "Architecture: all\n"
		}
		control += "Maintainer: t <t@example.org>\nDescription: made up\n"
		parsed, err := apt.ParseControl(strings.NewReader(control))
		if err != nil {
			t.Fatal(err)
		}
		p := parsed[0]
		if err := os.MkdirAll(filepath.Join(tree, "DEBIAN"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tree, "DEBIAN/control"), []byte(control), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(u.dir, "pool"), 0o755); err != nil {
			t.Fatal(err)
		}
		deb := filepath.Join(u.dir, "pool", p.File())
		if out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--root-owner-group", "-b", tree, deb).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", p.Name, err, out)
		}
		p.Size, p.SHA256 = fileSum(t, deb)
		p.Stanza = strings.TrimSpace(control) + fmt.Sprintf("\nSize: %d\nSHA256: %s", p.Size, p.SHA256)
		all = append(all, p.Relocated("pool/"+p.File()))
	}
	if _, err := publishIndex(u.dir, all, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	// Two indexes of one second are the same one to an HTTP client.
	u.day++
	day := time.Unix(1e9, 0).AddDate(0, 0, u.day)
	if err := os.Chtimes(filepath.Join(u.dir, "Release"), day, day); err != nil {
		t.Fatal(err)
	}
}

func (u *upstream) repos() []apt.Repo {
	return []apt.Repo{{URI: u.url + "/", Suite: "./", Trusted: true}}
}

func fileSum(t *testing.T, file string) (int64, string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(data)), sha256Hex(data)
}

func statusFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "status")
	text := "Package: base\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: there already\n\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestMirror(t *testing.T) {
	ctx := t.Context()
	u := newUpstream(t)
	u.add(t,
		"Package: base\nVersion: 1\n",
		"Package: lib\nVersion: 1:1.0+x~1-1\nDepends: base\n",
		"Package: server\nVersion: 2\nDepends: lib, base\nRecommends: extra\n",
		"Package: extra\nVersion: 1\n",
		"Package: other\nVersion: 1\nDepends: lib\n")
	o := MirrorOptions{Dir: t.TempDir(), ImageStatus: statusFile(t), Packages: []string{"server"}}

	// First: what the image lacks, no more.
	res, err := mirrorFrom(ctx, o, u.repos())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"lib_1_1.0+x~1-1_all.deb", "server_2_all.deb"}
	if diff := cmp.Diff(want, u.take()); diff != "" {
		t.Errorf("fetched archives (-want +got):\n%s", diff)
	}
	if res.Wanted != 2 || res.Fetched != 2 || res.Packages != 2 || res.Bytes == 0 {
		t.Errorf("first run = %+v", res)
	}

	// Again: nothing to fetch.
	if res, err = mirrorFrom(ctx, o, u.repos()); err != nil || res.Fetched != 0 || res.Packages != 2 {
		t.Errorf("second run = %+v, %v", res, err)
	}
	if got := u.take(); len(got) != 0 {
		t.Errorf("second run fetched %v", got)
	}

	// Another recipe adds to it; an archive lost or damaged since is fetched anew.
	if err := os.WriteFile(filepath.Join(o.Dir, "pool/server_2_all.deb"), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	o.Packages = []string{"other"}
	if res, err = mirrorFrom(ctx, o, u.repos()); err != nil || res.Wanted != 2 || res.Fetched != 2 || res.Packages != 3 {
		t.Errorf("third run = %+v, %v", res, err)
	}
	if diff := cmp.Diff([]string{"other_1_all.deb", "server_2_all.deb"}, u.take()); diff != "" {
		t.Errorf("fetched archives (-want +got):\n%s", diff)
	}

	checkConsumer(t, o, "server", "lib", "server")
	checkConsumer(t, o, "other", "lib", "other")

	// A newer version upstream comes with any later call; the old one stays.
	u.add(t, "Package: lib\nVersion: 1:1.1\nDepends: base\n")
	if res, err = mirrorFrom(ctx, o, u.repos()); err != nil || res.Fetched != 1 || res.Packages != 4 {
		t.Errorf("run after an update = %+v, %v", res, err)
	}
	checkConsumer(t, o, "server", "lib", "server")
}

// One repository serves machines of both architectures: each gets packages of
// its own, and what was asked for one is not looked for with the other's image.
func TestMirrorOfTwoArchitectures(t *testing.T) {
	u := newUpstream(t)
	dir := t.TempDir()
	for _, arch := range []string{"amd64", "arm64"} {
		u.add(t, "Package: lib\nVersion: 1\nArchitecture: "+arch+"\n", "Package: server-"+arch+"\nVersion: 1\nArchitecture: "+arch+"\nDepends: lib, data\n")
	}
	u.add(t, "Package: data\nVersion: 1\n")
	var both []MirrorOptions
	for _, arch := range []string{"amd64", "arm64", "amd64"} {
		status := filepath.Join(t.TempDir(), "status")
		text := "Package: dpkg\nStatus: install ok installed\nVersion: 1\nArchitecture: " + arch + "\nMaintainer: t <t@example.org>\nDescription: there already\n\n"
		if err := os.WriteFile(status, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		o := MirrorOptions{Dir: dir, ImageStatus: status, Packages: []string{"server-" + arch}}
		if res, err := mirrorFrom(t.Context(), o, u.repos()); err != nil || res.Wanted != 3 {
			t.Fatalf("%s: %+v, %v", arch, res, err)
		}
		both = append(both, o)
	}
	for i, arch := range []string{"amd64", "arm64"} {
		checkConsumerOf(t, arch, both[i], "server-"+arch, "data", "lib", "server-"+arch)
	}
}

// checkConsumer lets the apt of a machine with the image install name from
// the repository over the network, without any other source.
func checkConsumer(t *testing.T, o MirrorOptions, name string, want ...string) {
	t.Helper()
	checkConsumerOf(t, "", o, name, want...)
}

// checkConsumerOf is checkConsumer of a machine of another architecture.
func checkConsumerOf(t *testing.T, arch string, o MirrorOptions, name string, want ...string) {
	t.Helper()
	srv := httptest.NewServer(http.FileServer(http.Dir(o.Dir)))
	defer srv.Close()
	machine, err := apt.OpenArch(t.Context(), t.TempDir(), o.ImageStatus, arch, []apt.Repo{{URI: srv.URL + "/", Suite: "/", Trusted: true}})
	if err != nil {
		t.Fatal(err)
	}
	need, err := machine.Closure(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range need {
		got = append(got, p.Name)
		if arch != "" && p.Arch != arch && p.Arch != "all" {
			t.Errorf("%s of %s for a machine of %s", p.Name, p.Arch, arch)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("install %s (-want +got):\n%s", name, diff)
	}
	if n, err := machine.Download(t.Context(), t.TempDir(), need); err != nil || n != len(want) {
		t.Errorf("download for %s = %d, %v; want %d", name, n, err, len(want))
	}
}

func TestMirrorRefuses(t *testing.T) {
	u := newUpstream(t)
	u.add(t, "Package: aa\nVersion: 1\nDepends: nowhere\n")
	status := statusFile(t)
	for _, tt := range []struct {
		name     string
		packages []string
		want     string
	}{
		{"none", nil, "no package named"},
		{"option", []string{"-oDir=/"}, "is not a package name"},
		{"unknown", []string{"nosuch"}, "nosuch"},
		{"unmet", []string{"aa"}, "nowhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := mirrorFrom(t.Context(), MirrorOptions{Dir: dir, ImageStatus: status, Packages: tt.packages}, u.repos())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
			if _, err := os.Stat(filepath.Join(dir, "Release")); err == nil {
				t.Error("a failed run published an index")
			}
		})
	}
}

func TestMirrorIsExclusive(t *testing.T) {
	u := newUpstream(t)
	u.add(t, "Package: aa\nVersion: 1\n")
	dir := t.TempDir()
	unlock, err := lock(filepath.Join(dir, ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	o := MirrorOptions{Dir: dir, ImageStatus: statusFile(t), Packages: []string{"aa"}}
	if _, err := mirrorFrom(t.Context(), o, u.repos()); !errors.Is(err, errLocked) {
		t.Errorf("error = %v, want that another run is at work", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := mirrorFrom(t.Context(), o, u.repos()); err != nil {
		t.Error(err)
	}
}

// Whatever moment a run ends at, what is published can be read and is whole.
func TestMirrorCancelled(t *testing.T) {
	u := newUpstream(t)
	u.add(t, "Package: aa\nVersion: 1\n", "Package: bb\nVersion: 1\n")
	o := MirrorOptions{Dir: t.TempDir(), ImageStatus: statusFile(t), Packages: []string{"aa"}}
	if _, err := mirrorFrom(t.Context(), o, u.repos()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(o.Dir, "Release"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.Packages = []string{"bb"}
	if _, err := mirrorFrom(ctx, o, u.repos()); err == nil {
		t.Error("a cancelled run succeeded")
	}
	after, err := os.ReadFile(filepath.Join(o.Dir, "Release"))
	if err != nil || string(after) != string(before) {
		t.Errorf("a cancelled run changed the index: %v", err)
	}
	checkConsumer(t, o, "aa", "aa")
}
