package main

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"appliance/pool"
)

type fakeRows struct {
	machines  []pool.Machine
	services  []pool.Service
	instances []pool.Instance
	primary   map[string]string // by service
}

func (f *fakeRows) Machines(context.Context) ([]pool.Machine, error) { return f.machines, nil }
func (f *fakeRows) Services(context.Context) ([]pool.Service, error) { return f.services, nil }
func (f *fakeRows) Instances(context.Context, string) ([]pool.Instance, error) {
	return f.instances, nil
}

func (f *fakeRows) Attribute(_ context.Context, scope, name string) (pool.Attribute, error) {
	if v, ok := f.primary[strings.TrimPrefix(scope, "service:")]; ok && name == primaryAttribute {
		return pool.Attribute{Value: v}, nil
	}
	return pool.Attribute{}, pool.ErrNotFound
}

// A service whose instances are not alike has the address of its primary,
// while that runs.
func TestNameOfPrimary(t *testing.T) {
	ip := netip.MustParseAddr
	for _, tt := range []struct {
		primary string
		second  pool.ServicePhase
		want    []string
	}{
		{"2", pool.InstanceRunning, []string{"10.0.0.2"}},
		{`"1"`, pool.InstanceRunning, []string{"10.0.0.1"}},
		{"2", pool.InstanceRecovering, []string{"10.0.0.1"}},
		{"7", pool.InstanceRunning, []string{"10.0.0.1", "10.0.0.2"}},
		{`"left"`, pool.InstanceRunning, []string{"10.0.0.1", "10.0.0.2"}},
		{"", pool.InstanceRunning, []string{"10.0.0.1", "10.0.0.2"}},
	} {
		rows := &fakeRows{
			machines:  []pool.Machine{{ID: "m-1", Name: "a", Address: ip("10.0.0.1")}, {ID: "m-2", Name: "b", Address: ip("10.0.0.2")}},
			services:  []pool.Service{{Name: "db", Phase: pool.ServiceRunning}},
			instances: []pool.Instance{{ID: "a", Service: "db", Number: 1, Machine: "m-1", Phase: pool.InstanceRunning}, {ID: "b", Service: "db", Number: 2, Machine: "m-2", Phase: tt.second}},
			primary:   map[string]string{},
		}
		if tt.primary != "" {
			rows.primary["db"] = tt.primary
		}
		addrs, ok, err := (&names{rows: rows}).Lookup(t.Context(), "db")
		var got []string
		for _, a := range addrs {
			got = append(got, a.String())
		}
		if err != nil || !ok || !slices.Equal(got, tt.want) {
			t.Errorf("primary %s, the second %s: %v, %v, %v; want %v", tt.primary, tt.second, got, ok, err, tt.want)
		}
		if addrs, _, _ := (&names{rows: rows}).Lookup(t.Context(), "1.db"); len(addrs) != 1 || addrs[0] != ip("10.0.0.1") {
			t.Errorf("1.db is %v", addrs)
		}
	}
}

// Names follow a service to another machine.
func TestNames(t *testing.T) {
	ip := netip.MustParseAddr
	rows := &fakeRows{
		machines: []pool.Machine{{ID: "m-1", Name: "node-1", Address: ip("10.0.0.1")}, {ID: "m-2", Name: "Node-2", Address: ip("10.0.0.2")}, {ID: "m-3", Name: "mysql", Address: ip("10.0.0.3")}},
		services: []pool.Service{{Name: "mysql", Phase: pool.ServiceRunning}, {Name: "shop.web", Application: "shop", Phase: pool.ServiceRunning}, {Name: "old", Phase: pool.ServiceRemoved}},
		instances: []pool.Instance{{ID: "a", Service: "mysql", Number: 1, Machine: "m-1", Phase: pool.InstanceRunning},
			{ID: "b", Service: "shop.web", Number: 1, Machine: "m-2", Phase: pool.InstanceRunning}, {ID: "c", Service: "shop.web", Number: 2, Machine: "m-3", Phase: pool.InstanceStarting}},
	}
	n := &names{rows: rows}
	for name, want := range map[string]string{"mysql": "10.0.0.1", "1.mysql": "10.0.0.1", "mysql-1": "10.0.0.1", "mysql.default": "10.0.0.1", "web.shop": "10.0.0.2",
		"1.web.shop": "10.0.0.2", "node-2": "10.0.0.2", "2.web.shop": "", "old": "", "web": ""} {
		addrs, ok, err := n.Lookup(t.Context(), name)
		switch {
		case err != nil:
			t.Error(err)
		case want == "" && ok:
			t.Errorf("%s has %v", name, addrs)
		case want != "" && (len(addrs) != 1 || addrs[0] != ip(want)):
			t.Errorf("%s has %v, want %s", name, addrs, want)
		}
	}
	if addrs, ok, _ := n.Lookup(t.Context(), "shop"); !ok || len(addrs) != 0 {
		t.Errorf("an application has %v, %v", addrs, ok)
	}
	rows.instances[0].Machine = "m-2"
	n.read = time.Now().Add(-namesEvery)
	if addrs, _, _ := n.Lookup(t.Context(), "mysql"); len(addrs) != 1 || addrs[0] != ip("10.0.0.2") {
		t.Errorf("on another machine: %v", addrs)
	}
}
