package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"appliance/api/wire"
	"appliance/pool"
)

// TestInventory: Ansible itself reads what we print.
func TestInventory(t *testing.T) {
	machine := func(name string, phase pool.Phase, addr string) wire.Machine {
		m := wire.Machine{Machine: pool.Machine{ID: "m-" + name, Name: name, Phase: phase, Tags: []string{"ssd-fast"}, Zone: "z1"}, Service: "shop.db"}
		if addr != "" {
			m.Address = netip.MustParseAddr(addr)
		}
		return m
	}
	got := inventory([]wire.Machine{machine("a", pool.Active, "10.0.0.1"), machine("b", pool.Ready, "10.0.0.2"), machine("c", pool.Active, "")})
	if n := len(got["all"].Hosts); n != 1 {
		t.Fatalf("%d hosts, want the active one that has an address", n)
	}
	for _, group := range []string{"service_shop_db", "tag_ssd_fast", "zone_z1"} {
		if got["all"].Children[group].Hosts["a"] == nil {
			t.Errorf("group %s lacks a: %v", group, got)
		}
	}
	if testing.Short() {
		return
	}
	program, err := exec.LookPath("ansible-inventory")
	if err != nil {
		t.Skip("no ansible-inventory here")
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hosts.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "-i", file, "--list").Output()
	var list map[string]struct{ Hosts []string }
	if err == nil {
		err = json.Unmarshal(out, &list)
	}
	if err != nil || !slices.Equal(list["service_shop_db"].Hosts, []string{"a"}) {
		t.Errorf("ansible-inventory: %v, %s", err, out)
	}
}
