package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"appliance/pool"
)

// fakeHypervisors adds sealed values to rows.
type fakeHypervisors struct {
	fakeRows
	says, keys map[string]string // by scope
}

func (f *fakeHypervisors) Attribute(_ context.Context, scope, name string) (pool.Attribute, error) {
	if v, ok := f.says[scope]; ok && name == hypervisorAttribute {
		return pool.Attribute{Value: v}, nil
	}
	return pool.Attribute{}, pool.ErrNotFound
}

func (f *fakeHypervisors) Secret(_ context.Context, name string) (pool.Secret, error) {
	for scope, key := range f.keys {
		if name == "attr/"+scope+"/"+hypervisorKey {
			return pool.NewSecret(key), nil
		}
	}
	return pool.Secret{}, pool.ErrNotFound
}

// A machine on which a recipe made a hypervisor is one for as long as the
// instance runs; what another recipe calls "hypervisor" is none.
func TestMadeHypervisors(t *testing.T) {
	makes := pool.RecipeInfo{Commands: []string{hypervisorCommand}}
	const says = `"{\"address\":\"10.0.0.9:16514\",\"ca\":\"CA\",\"certificate\":\"C\",\"device\":\"ens3\",\"cores\":2,\"memory\":1073741824,\"kvm\":true}"`
	rows := &fakeHypervisors{
		fakeRows: fakeRows{
			services: []pool.Service{{Name: "hv", Recipe: makes}, {Name: "web"}, {Name: "old", Recipe: makes, Phase: pool.ServiceRemoved}},
			instances: []pool.Instance{{ID: "a", Service: "hv", Number: 1, Phase: pool.InstanceRunning}, {ID: "b", Service: "hv", Number: 2, Phase: pool.InstanceRecovering},
				{ID: "c", Service: "hv", Number: 3, Phase: pool.InstanceInstalling}, {ID: "d", Service: "hv", Number: 4, Phase: pool.InstanceRunning}},
		},
		says: map[string]string{"instance:a": says, "instance:b": says, "instance:d": `"no JSON"`},
		keys: map[string]string{"instance:a": `"KEY"`, "instance:b": `"KEY"`, "instance:d": `"KEY"`},
	}
	got := (&hypervisors{rows: rows, log: slog.New(slog.DiscardHandler)}).list()
	if len(got) != 3 || got[0].Name != "hv-1" || got[1].Name != "hv-2" || got[2].Name != "hv-4" {
		t.Fatalf("list = %+v", got)
	}
	h := got[0]
	if h.Away != "" || h.Cores != 2 || h.Memory != 1<<30 || h.Device != "ens3" || !h.KVM || h.Remote == nil || h.Remote.Address != "10.0.0.9:16514" ||
		h.Remote.CA != "CA" || h.Remote.Certificate != "C" || h.Remote.Key.Reveal() != "KEY" {
		t.Errorf("hv-1 = %+v, %+v", h, h.Remote)
	}
	if !strings.Contains(got[1].Away, "recovering") || got[1].Remote == nil {
		t.Errorf("one whose machine was lost: %+v", got[1])
	}
	if got[2].Away == "" {
		t.Errorf("one that says nothing: %+v", got[2])
	}
}
