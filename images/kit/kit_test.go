package kit

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

func TestRead(t *testing.T) {
	manifest := &fstest.MapFile{Data: []byte(`{"kernel":"6.1","files":[{"name":"vmlinuz","size":3}]}`)}
	for _, tt := range []struct {
		name string
		kit  fstest.MapFS
		want string // part of the error
	}{
		{"none", fstest.MapFS{"README": {}}, ErrNoKit.Error()},
		{"whole", fstest.MapFS{ManifestFile: manifest, Vmlinuz: {Data: []byte("abc")}}, ""},
		{"packed", fstest.MapFS{ManifestFile: {Data: []byte(`{"kernel":"6.1","files":[{"name":"vmlinuz","size":3,"packed":2}]}`)}, "vmlinuz.pack": {Data: []byte("ab")}}, ""},
		{"packed and cut", fstest.MapFS{ManifestFile: {Data: []byte(`{"kernel":"6.1","files":[{"name":"vmlinuz","size":3,"packed":2}]}`)}, "vmlinuz.pack": {Data: []byte("a")}}, "vmlinuz.pack has 1 bytes"},
		{"file missing", fstest.MapFS{ManifestFile: manifest}, "vmlinuz"},
		{"file cut", fstest.MapFS{ManifestFile: manifest, Vmlinuz: {Data: []byte("a")}}, "has 1 bytes"},
		{"garbage", fstest.MapFS{ManifestFile: {Data: []byte("{")}}, "read boot kit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Read(tt.kit)
			if tt.want == "" {
				if err != nil || m.Kernel != "6.1" {
					t.Fatalf("Read = %+v, %v; want kernel 6.1", m, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Read error = %v, want one with %q", err, tt.want)
			}
		})
	}
}

// The embedded kit is whole, or it is said that there is none.
func TestEmbedded(t *testing.T) {
	m, err := ReadManifest()
	if errors.Is(err, ErrNoKit) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range m.Files {
		have[f.Name] = true
	}
	want := []string{UndionlyKPXE, IPXEEFI, SNPOnlyEFI, GRUBChainEFI, ShimEFI, GRUBNetEFI, Vmlinuz, Initrd}
	if m.ARM64 != nil {
		want = append(want, IPXEARM64EFI, GRUBChainARM64EFI, ShimARM64EFI, GRUBNetARM64EFI, VmlinuzARM64, InitrdARM64)
	}
	for _, name := range want {
		if !have[name] {
			t.Errorf("the kit has no %s", name)
		}
	}
}
