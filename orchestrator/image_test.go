package orchestrator

import (
	"encoding/json"
	"slices"
	"testing"

	"appliance/pool"
)

// TestImageTask: the disk is chosen here, by the inventory that the wipe
// records are of, and named; the agent must not choose again.
func TestImageTask(t *testing.T) {
	v := &view{
		m: &pool.Machine{ID: "m-1", Name: "node", Epoch: 3, Facts: &pool.Facts{Disks: []pool.Disk{
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
	v.op.Params.SSHKeys = []string{"ssh-ed25519 BBBB mine"}
	if p := params(); !slices.Equal(p.SSHKeys, v.op.Params.SSHKeys) {
		t.Errorf("keys = %q, want those of the deployment", p.SSHKeys)
	}
}
