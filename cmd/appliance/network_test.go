package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"appliance/dhcp"
	"appliance/pool"
	"appliance/store"
)

// nobody answers no machine.
type nobody struct{}

func (nobody) Answer(context.Context, pool.MAC, pool.Client, pool.Subnet) (pool.BootAnswer, bool, error) {
	return pool.BootAnswer{}, false, nil
}

const twoSubnets = `interface: eth1
subnets:
  - {name: a, prefix: 10.77.0.0/24, first: 10.77.0.100, last: 10.77.0.199}
  - {name: b, prefix: 10.88.0.0/24, first: 10.88.0.100, last: 10.88.0.199, mode: %s}
`

// networkOf is a network over a store and a server without sockets.
func networkOf(t *testing.T) (*network, *store.DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "appliance.yaml")
	write(t, path, fmt.Sprintf(twoSubnets, "server"))
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	n := newNetwork(c, db, slog.New(slog.DiscardHandler))
	n.dhcp = &dhcp.Server{Subnets: c.Subnets, Addr: netip.MustParseAddr("10.77.0.1"), Leases: db, Directory: nobody{}}
	return n, db, path
}

func TestReload(t *testing.T) {
	n, _, path := networkOf(t)
	b := netip.MustParsePrefix("10.88.0.0/24")
	for _, mode := range []pool.SubnetMode{pool.SubnetProxy, pool.SubnetOff, pool.SubnetServer} {
		write(t, path, fmt.Sprintf(twoSubnets, `"`+mode+`"`))
		if err := n.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := n.Modes()[b]; got != mode || len(n.Subnets()) != 2 {
			t.Errorf("mode %s, %d subnets; want %s and 2", got, len(n.Subnets()), mode)
		}
	}
	write(t, path, fmt.Sprintf(twoSubnets, "maybe"))
	if err := n.Reload(t.Context()); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("Reload of a bad file = %v", err)
	}
	if got := n.Modes()[b]; got != pool.SubnetServer {
		t.Errorf("a refused file changed the mode to %s", got)
	}
	write(t, path, "netboot: false\n"+fmt.Sprintf(twoSubnets, "server"))
	if err := n.Reload(t.Context()); err != nil || len(n.Subnets()) != 0 || len(n.Modes()) != 0 {
		t.Errorf("netboot: false: %v, still served: %v", err, n.Subnets())
	}
}

// TestWatch: a changed file is read again by itself, and at once on SIGHUP.
func TestWatch(t *testing.T) {
	n, _, path := networkOf(t)
	ctx, cancel := context.WithCancel(t.Context())
	hup := make(chan os.Signal, 1)
	done := make(chan error, 1)
	go func() { done <- n.watch(ctx, hup) }()
	for _, mode := range []pool.SubnetMode{pool.SubnetOff, pool.SubnetProxy} {
		write(t, path, fmt.Sprintf(twoSubnets, `"`+mode+`"`))
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Duration(len(mode))*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if mode == pool.SubnetProxy {
			hup <- os.Interrupt
		}
		for n.Modes()[netip.MustParsePrefix("10.88.0.0/24")] != mode {
			time.Sleep(10 * time.Millisecond)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReserveAndRelease(t *testing.T) {
	n, db, _ := networkOf(t)
	ctx := t.Context()
	mac := pool.MAC{2, 0, 0, 0, 0, 1}
	r := pool.Reservation{MAC: mac, Address: netip.MustParseAddr("10.77.0.20")}
	if err := n.Reserve(ctx, r); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]pool.Reservation{
		"nobody":    {Address: r.Address},
		"elsewhere": {MAC: mac, Address: netip.MustParseAddr("10.99.0.1")},
		"taken":     {Circuit: "port 7", Address: r.Address},
	} {
		if err := n.Reserve(ctx, bad); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if all, err := n.Reservations(ctx); err != nil || len(all) != 1 {
		t.Errorf("Reservations = %v, %v", all, err)
	}
	if err := n.Unreserve(ctx, r.Key()); err != nil {
		t.Error(err)
	}
	if err := n.Unreserve(ctx, r.Key()); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("Unreserve twice = %v", err)
	}
	l := pool.Lease{MAC: mac, Address: netip.MustParseAddr("10.77.0.105"), Expires: time.Now().Add(time.Hour)}
	if _, err := db.Bind(ctx, l); err != nil {
		t.Fatal(err)
	}
	if err := n.ReleaseLease(ctx, l.Address); err != nil {
		t.Error(err)
	}
	if err := n.ReleaseLease(ctx, l.Address); !errors.Is(err, pool.ErrNotFound) {
		t.Errorf("ReleaseLease twice = %v", err)
	}
}
