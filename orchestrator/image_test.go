package orchestrator

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"appliance/pool"
)

// TestImageTask: the disk is chosen here, by the inventory that the wipe
// records are of, and named; the agent must not choose again.
func TestImageTask(t *testing.T) {
	v := &view{
		m: &pool.Machine{ID: "m-1", Name: "node", Epoch: 3, Owned: []string{"BIG", "SMALL"}, Facts: &pool.Facts{Disks: []pool.Disk{
			{Name: "sda", Serial: "BIG", Type: "hdd", Size: 40 << 30}, {Name: "sdb", Serial: "SMALL", Type: "hdd", Size: 20 << 30},
		}}},
		image:   &pool.Image{Name: "debian-12", Size: 30 << 30, Digest: "sha256:aa"},
		op:      &pool.Operation{Params: pool.OpParams{Image: "debian-12", Disk: pool.DiskHint{Type: "hdd"}}},
		sshKeys: []string{"ssh-ed25519 AAAA site"},
	}
	params := func() (p pool.ImageParams) {
		s := &pool.Step{Name: stepImage, Task: &pool.Task{Kind: pool.TaskImage}}
		if c := v.imageParams(s); c != nil {
			t.Fatal(c)
		}
		if err := json.Unmarshal(s.Task.Params, &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := params()
	if p.Disk != (pool.DiskHint{Serial: "BIG"}) {
		t.Errorf("disk = %+v, want the one with serial BIG and no other choice", p.Disk)
	}
	if !slices.Equal(p.SSHKeys, v.sshKeys) || p.Hostname != "node" {
		t.Errorf("keys %q, host %q; want the site's keys and the machine's name", p.SSHKeys, p.Hostname)
	}
	// A disk that came later fits better, and is not ours to write to.
	v.m.Facts.Disks = append(v.m.Facts.Disks, pool.Disk{Name: "sdc", Serial: "LATER", Type: "hdd", Size: 35 << 30})
	if p := params(); p.Disk.Serial != "BIG" {
		t.Errorf("disk = %+v, want the one that was there when the machine was claimed", p.Disk)
	}
	v.op.Params.Disk.Serial = "LATER"
	if c := v.imageParams(&pool.Step{Name: stepImage, Task: &pool.Task{Kind: pool.TaskImage}}); c == nil || c.Code != "disk.choice" {
		t.Errorf("naming a disk that came later: %+v, want disk.choice", c)
	}
	v.op.Params.Disk.Serial = ""
	v.op.Params.SSHKeys = []string{"ssh-ed25519 BBBB mine"}
	if p := params(); !slices.Equal(p.SSHKeys, v.op.Params.SSHKeys) {
		t.Errorf("keys = %q, want those of the deployment", p.SSHKeys)
	}
}

// TestImageWithoutService: a person writes an image to a machine of the pool,
// once and again, without any service.
func TestImageWithoutService(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		w.until(t, "ready", w.phase(pool.Ready))
		m := w.only()
		for n := range 2 {
			if _, err := w.engine.Load().Start(ctx, m.Name, pool.OpDeploy, pool.OpParams{Image: "debian-12"}, "eve"); err != nil {
				t.Fatalf("Start %d: %v", n, err)
			}
			if op := w.opEnds(t); op.Status != pool.Succeeded {
				t.Fatalf("deploy %d is %s: %v\n%s", n, op.Status, op.Cause, w.story())
			}
			if m := w.only(); m.Phase != pool.Active || m.Image != "debian-12" {
				t.Errorf("deploy %d: the machine is %s with image %q", n, m.Phase, m.Image)
			}
		}
	})
}
