package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"appliance/images"
	"appliance/pool"
	"appliance/store"
)

// At its start the appliance removes the file of an import whose row was never
// stored, and keeps the one that the row names.
func TestLibraryIsTidied(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	l := &images.Library{Dir: filepath.Join(dir, "images")}
	lost := errors.New("power is lost")
	disk := bytes.Repeat([]byte("x"), 512)
	im, err := l.Import(t.Context(), "debian", bytes.NewReader(disk), nil, func(im pool.Image) error { return db.PutImage(t.Context(), im) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Import(t.Context(), "debian", bytes.NewReader(append(disk, disk...)), nil, func(pool.Image) error { return lost }); !errors.Is(err, lost) {
		t.Fatalf("import = %v", err)
	}
	l = library(dir, db, slog.New(slog.DiscardHandler))
	if err := l.Verify(t.Context(), im); err != nil {
		t.Error(err)
	}
	if list, err := os.ReadDir(l.Dir); err != nil || len(list) != 1 {
		t.Errorf("%v, %v; want one file", list, err)
	}
}
