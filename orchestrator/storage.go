package orchestrator

import (
	"encoding/json"
	"fmt"
	"slices"

	"appliance/pool"
)

// storagePlan says which disk an instance's data get on m, for a plan. t is
// narrowed to what its recipe asks for.
func storagePlan(t pool.Template, m pool.Machine) string {
	if len(t.Storage) == 0 || m.Facts == nil {
		return ""
	}
	_, data, err := t.Disks(m.Facts)
	if err != nil {
		return err.Error()
	}
	s, disk := t.Storage[0], data[0]
	return fmt.Sprintf("%s: disk %s (%s, %s, serial %s) at %s", s.Name, disk.Name, disk.Type, pool.Bytes(disk.Size), disk.Serial, s.Path)
}

// storageParams says which disk the agent is to bind. One that was bound on
// this machine is found again and never formatted; the first time only a disk
// that was proved empty when the instance took the machine may be.
func (v *iview) storageParams(s *pool.Step, info pool.InstanceInfo) *pool.Cause {
	name := v.rev.Recipe.Storage
	b := v.in.Storage
	if s.Name == stepUnbind {
		p := pool.StorageParams{Instance: info, Name: b.Name, Serial: b.Serial, UUID: b.UUID, Path: b.Path, Release: true}
		if t, ok := v.template.StorageByName(b.Name); ok {
			p.Erase = t.DeleteOnExit
		}
		s.Task.Params = encode(p)
		return nil
	}
	t, err := v.template.Storing(name)
	if err != nil {
		return cause("storage.template", fmt.Sprintf("%s has no disk for its data.", v.title()), err.Error(), "Add the storage template, then retry.", s.Name, v.now)
	}
	st := t.Storage[0]
	p := pool.StorageParams{Instance: info, Name: name, UUID: pool.StorageUUID(v.in.ID, name), Path: st.Path, FileSystem: st.FileSystem}
	if b != nil && b.Machine == v.m.ID && b.Name == name {
		p.Serial = b.Serial
		s.Task.Params = encode(p)
		return nil
	}
	if v.m.Facts == nil {
		return cause("disk.none", fmt.Sprintf("%s was never inventoried.", v.m.Name), "", "Inspect it, then retry.", s.Name, v.now)
	}
	_, data, err := t.Disks(v.m.Facts)
	if err != nil {
		return cause("storage.choice", fmt.Sprintf("No disk of %s can be chosen for storage %s of %s.", v.m.Name, name, v.title()), err.Error(),
			"Name the disk by serial or by-id in the storage template, then retry.", s.Name, v.now)
	}
	if !slices.Contains(v.m.Owned, data[0].Serial) {
		return cause("storage.owner", fmt.Sprintf("Disk %s of %s was not proved empty when %s took the machine: it is not written to.", data[0].Serial, v.m.Name, v.title()),
			"it may have been put in since", "Name another disk in the storage template, or release the machine and have the disk wiped.", s.Name, v.now)
	}
	p.Serial, p.Format = data[0].Serial, true
	s.Task.Params = encode(p)
	return nil
}

// bound records which disk holds the instance's data from now on.
func (v *iview) bound(d *draft, s *pool.Step, result json.RawMessage) *pool.Cause {
	var r pool.StorageResult
	var p pool.StorageParams
	if json.Unmarshal(s.Task.Params, &p) != nil || json.Unmarshal(result, &r) != nil || r.Serial == "" {
		return cause("task.result", fmt.Sprintf("The agent on %s bound the storage, but its answer makes no sense.", v.m.Name), string(result),
			"Retry; if it happens again, the agent and the appliance do not fit: install the machine anew.", s.Name, v.now)
	}
	d.instance(v.in).Storage = &pool.BoundStorage{Name: p.Name, Machine: v.m.ID, Serial: r.Serial, UUID: p.UUID, Path: p.Path, Size: r.Size}
	what := "found again, as it was left"
	if r.Formatted {
		what = "with a new file system"
	}
	v.tellStep(d, s, "storage.bound", pool.Info, "%s has disk %s (%s) at %s, %s.", v.title(), r.Serial, pool.Bytes(r.Size), p.Path, what)
	return nil
}
