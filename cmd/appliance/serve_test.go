package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/images"
	"appliance/orchestrator"
	"appliance/pool"
	"appliance/store"
)

func TestRootedDir(t *testing.T) {
	dir := t.TempDir()
	d := rootedDir(filepath.Join(dir, "packages"))
	if _, err := fs.ReadFile(d, "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there yet = %v, want not exist", err)
	}
	for _, err := range []error{
		os.Mkdir(string(d), 0o755),
		os.WriteFile(filepath.Join(dir, "seal.key"), []byte("secret"), 0o600),
		os.WriteFile(filepath.Join(string(d), "a"), []byte("package"), 0o644),
		os.Symlink("../seal.key", filepath.Join(string(d), "out")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if b, err := fs.ReadFile(d, "a"); err != nil || string(b) != "package" {
		t.Errorf("file = %q, %v", b, err)
	}
	for _, name := range []string{"out", "../seal.key"} {
		if b, err := fs.ReadFile(d, name); err == nil {
			t.Errorf("%s leads out of the folder: %q", name, b)
		}
	}
}

// TestBootLogBoundsStrangersWords: a path asked for over TFTP or HTTP ends up
// on an operator's terminal.
func TestBootLogBoundsStrangersWords(t *testing.T) {
	b := &bootLog{queue: make(chan pool.BootEvent, 1)}
	b.See(pool.BootEvent{Detail: "TFTP \x1b[2J\r\nall is well\xff " + strings.Repeat("ä", 4096)})
	e := <-b.queue
	if !strings.HasPrefix(e.Detail, "TFTP .[2J..all is well? ää") || len(e.Detail) > maxDetail+len("…") {
		t.Errorf("detail of %d bytes: %q", len(e.Detail), e.Detail)
	}
}

// TestBootConfig: the one-time token goes to a machine that is being enrolled
// or was accepted, at the address that it leased, and to nobody else; not to
// the users of a system that runs there.
func TestBootConfig(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, store.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	mac, own, now := pool.MAC{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("10.77.0.100"), time.Now()
	m, err := db.Discover(ctx, mac, pool.Client{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Bind(ctx, pool.Lease{MAC: mac, Address: own, Start: now, Expires: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	d := &directory{db: db, engine: &orchestrator.Engine{Store: db, Log: slog.New(slog.DiscardHandler)}, server: "https://10.77.0.1:8443", ca: []byte("PEM")}
	d.states = &images.States{Read: d.engine.BootState}
	token := func(from netip.Addr) string {
		t.Helper()
		b, err := d.BootConfig(ctx, mac, from)
		if err != nil {
			t.Fatal(err)
		}
		var c wire.BootConfig
		if err := json.Unmarshal(b, &c); err != nil || c.Server != d.server || c.CA != "PEM" || c.MAC != mac {
			t.Fatalf("BootConfig = %s, %v", b, err)
		}
		return c.Token
	}
	if got := token(own); got != "" {
		t.Error("a machine that nobody accepted got a token")
	}
	if _, err := d.engine.Accept(ctx, m.ID, "eve", pool.AcceptOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := token(netip.MustParseAddr("10.77.0.101")); got != "" {
		t.Error("another address got the token")
	}
	if got := token(own); got == "" {
		t.Error("a machine that is being enrolled got no token")
	}
	// Beside another DHCP server: the address that it was heard to take there.
	there := netip.MustParseAddr("10.77.0.102")
	d.taken = func(pool.MAC) netip.Addr { return there }
	if got := token(there); got == "" {
		t.Error("a machine with another server's address got no token")
	}
	if got := token(netip.MustParseAddr("10.77.0.103")); got != "" {
		t.Error("another address got the token, with a proxy")
	}
	// Its own system runs: whoever has an account there asks from its address.
	runs := &images.States{Read: func(context.Context, pool.MAC, bool) (pool.BootState, pool.Machine, error) {
		return pool.BootState{Known: true, Phase: pool.Active, HasFacts: true}, m, nil
	}}
	d.states = runs
	for _, from := range []netip.Addr{own, there} {
		if got := token(from); got != "" {
			t.Errorf("a user of the system at %s got the token of its machine", from)
		}
	}
}
