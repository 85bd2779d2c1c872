package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"appliance/pool"
	"appliance/store"
)

// TestUnpackBackup: a backup is whole, with or without the first token, and
// holds nothing else.
func TestUnpackBackup(t *testing.T) {
	whole := append([]string{store.File}, inBackup[:]...)
	for _, tt := range []struct {
		name  string
		files []string
		ok    bool
	}{
		{"whole", whole, true},
		{"with the first token", append(whole[:len(whole):len(whole)], "admin.token"), true},
		{"with all that may be", append(whole[:len(whole):len(whole)], mayBeInBackup[:]...), true},
		{"without the seal key", append([]string{store.File}, inBackup[1:]...), false},
		{"a file twice", append(whole[:len(whole):len(whole)], store.File), false},
		{"a path that leads out", append(whole[:len(whole):len(whole)], "../escaped"), false},
		{"nothing", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, dir := filepath.Join(t.TempDir(), "b.tar.gz"), t.TempDir()
			f, err := os.Create(from)
			if err != nil {
				t.Fatal(err)
			}
			z := gzip.NewWriter(f)
			w := tar.NewWriter(z)
			for _, name := range tt.files {
				if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: 1}); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(w.Close(), z.Close(), f.Close()); err != nil {
				t.Fatal(err)
			}
			err = unpackBackup(from, dir)
			if tt.ok && err != nil || !tt.ok && !errors.Is(err, pool.ErrInvalid) {
				t.Errorf("unpackBackup = %v, want fine: %v", err, tt.ok)
			}
			if _, err := os.Stat(filepath.Join(dir, "../escaped")); err == nil {
				t.Error("a file was written outside")
			}
			for _, name := range tt.files {
				if _, err := os.Stat(filepath.Join(dir, name)); tt.ok && err != nil {
					t.Error(err)
				}
			}
		})
	}
}
