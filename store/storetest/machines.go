package storetest

import (
	"testing"
	"time"

	"appliance/pool"
)

func machines(t *testing.T, s Store) {
	m, err := s.Discover(t.Context(), pool.MAC{0x52, 0x54, 0, 1, 2, 3}, pool.Client{Arch: pool.ArchEFIx64}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "node-010203" {
		t.Errorf("Name = %s, want node-010203", m.Name)
	}
	ts, err := s.Templates(t.Context())
	if err != nil || len(ts) != len(pool.Shipped()) {
		t.Errorf("Templates = %v, %v, want the shipped ones", ts, err)
	}
}
