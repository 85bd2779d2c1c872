package store_test

import (
	"bytes"
	"testing"

	"appliance/store"
	"appliance/store/storetest"
)

var key = bytes.Repeat([]byte{7}, 32)

// open opens a store on a file in dir; the test closes it.
func open(t *testing.T, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, t.TempDir()) })
}
