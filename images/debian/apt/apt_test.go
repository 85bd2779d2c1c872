package apt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const packages = `Package: gawk
Version: 1:5.2.1-2
Architecture: amd64
Depends: libc6 (>= 2.34), libmpfr6
Description: a language
 with a longer text: and a colon
Filename: pool/main/g/gawk/gawk_5.2.1-2_amd64.deb
Size: 673000
SHA256: abc

Package: libx
Source: xorg (2.0-1)
Version: 2.0-1+b3
Architecture: amd64
Status: install ok installed


Package: rebuilt
Version: 1.0-1+b2
Architecture: all
Status: deinstall ok config-files
Built-Using: linux (= 6.1-2)`

func TestParseControl(t *testing.T) {
	got, err := ParseControl(strings.NewReader(packages))
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Stanza = ""
	}
	want := []Package{
		{Name: "gawk", Version: "1:5.2.1-2", Arch: "amd64", Source: "gawk", SourceVersion: "1:5.2.1-2",
			Filename: "pool/main/g/gawk/gawk_5.2.1-2_amd64.deb", Size: 673000, SHA256: "abc", Depends: "libc6 (>= 2.34), libmpfr6"},
		{Name: "libx", Version: "2.0-1+b3", Arch: "amd64", Source: "xorg", SourceVersion: "2.0-1", Installed: true},
		{Name: "rebuilt", Version: "1.0-1+b2", Arch: "all", Source: "rebuilt", SourceVersion: "1.0-1", BuiltUsing: "linux (= 6.1-2)"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ParseControl (-want +got):\n%s", diff)
	}
	if got[0].File() != "gawk_1_5.2.1-2_amd64.deb" || got[0].base() != "gawk_1%3a5.2.1-2_amd64.deb" {
		t.Errorf("names = %s, %s", got[0].File(), got[0].base())
	}
}

func TestParseControlRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no name":      "Version: 1\n",
		"no field":     "Package: a\nnonsense\n",
		"continuation": " more\nPackage: a\n",
		"size":         "Package: a\nSize: -1\n",
	} {
		if got, err := ParseControl(strings.NewReader(text)); err == nil {
			t.Errorf("%s: ParseControl = %v, want an error", name, got)
		}
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add(packages)
	f.Add("Package: a\nSource: b (1)\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseControl(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range all {
			again, err := ParseControl(strings.NewReader(p.Stanza + "\n\n"))
			if err != nil || len(again) != 1 || again[0].Key() != p.Key() {
				t.Errorf("stanza %q reads as %v, %v", p.Stanza, again, err)
			}
		}
	})
}

func TestRelocated(t *testing.T) {
	all, err := ParseControl(strings.NewReader(packages))
	if err != nil {
		t.Fatal(err)
	}
	p := all[0].Relocated("./pool/gawk.deb")
	if n := strings.Count(p.Stanza, "Filename:"); n != 1 || !strings.Contains(p.Stanza, "Filename: ./pool/gawk.deb") {
		t.Errorf("stanza = %q", p.Stanza)
	}
	if !strings.Contains(p.Stanza, "\n with a longer text: and a colon\n") {
		t.Errorf("stanza lost a continuation line: %q", p.Stanza)
	}
}

func TestPickMirror(t *testing.T) {
	const main, sec, other = "http://mirror.test/debian/", "http://mirror.test/debian-security/", "http://other.test/apt/"
	for _, tt := range []struct {
		name    string
		targets string
		want    Mirror
		wantErr bool
	}{
		{"plain", other + "|nodistro|main\n" + main + "|bookworm|main\n" + main + "|bookworm-updates|main\n" + sec + "|bookworm-security|main\n", Mirror{main, sec}, false},
		{"stable", main + "|stable|main\n", Mirror{Main: main}, false},
		{"first wins", main + "|bookworm|main\n" + other + "|bookworm|main\n", Mirror{Main: main}, false},
		{"other component", other + "|bookworm|stable\n", Mirror{}, true},
		{"empty", "", Mirror{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pickMirror([]byte(tt.targets), "bookworm")
			if got != tt.want || (err != nil) != tt.wantErr {
				t.Errorf("pickMirror = %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseURIs(t *testing.T) {
	out := "'http://m.test/pool/g/gawk_5.2.1-2_amd64.deb' gawk_1%3a5.2.1-2_amd64.deb 673 SHA256:abc\nNote: something\n"
	got, err := parseURIs([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"gawk=1:5.2.1-2"}, got); diff != "" {
		t.Errorf("parseURIs (-want +got):\n%s", diff)
	}
	if _, err := parseURIs([]byte("'u' nonsense 1 h\n")); err == nil {
		t.Error("parseURIs took an archive name without version")
	}
}

func TestVerify(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.deb")
	if err := os.WriteFile(file, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	good := Package{Size: 3, SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
	if err := Verify(file, good); err != nil {
		t.Error(err)
	}
	for _, bad := range []Package{{Size: 4, SHA256: good.SHA256}, {Size: 3, SHA256: "00"}} {
		if err := Verify(file, bad); err == nil {
			t.Errorf("Verify(%+v) = nil error", bad)
		}
	}
}
