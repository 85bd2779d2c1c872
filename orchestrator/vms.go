package orchestrator

import (
	"slices"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// vmSteps are the steps of an operation on a virtual machine. It boots the
// agent and gets its image as metal does; libvirt stands where the BMC does.
func vmSteps(op pool.Operation, m pool.Machine, live presence) []string {
	switch op.Kind {
	case pool.OpDeploy:
		return []string{stepDefine, stepStandby, stepImage, stepStart, stepSystem}
	case pool.OpRelease:
		return []string{stepUndefine}
	case pool.OpPower:
		op.Params.Boot = ""
		return powerSteps(op.Params, m, live)
	case pool.OpFence:
		return []string{stepPowerOff, stepProof}
	case pool.OpEnrol, pool.OpAdopt, pool.OpInspect, pool.OpTest, pool.OpConfigure, pool.OpWipe, pool.OpRescue, pool.OpUpdate,
		pool.OpRetire:
	}
	return nil
}

// born gives the virtual machine that was chosen, and is still to be made,
// who it is. Its disk is its owner's from the first: nobody else's data can
// be on it.
func (v *iview) born(m *pool.Machine) {
	f := *m.Facts
	f.Disks = slices.Clone(f.Disks)
	m.ID = v.mint("m")
	m.Name, m.CreatedAt, m.AcceptedBy = "vm-"+m.ID[max(0, len(m.ID)-8):], v.now, "service "+v.svc.Name
	m.MACs = []pool.MAC{compute.DomainMAC(m.ID)}
	f.At, f.UUID = v.now, compute.DomainGUID(m.ID)
	for i := range f.Disks {
		f.Disks[i].Serial = m.ID
	}
	m.Facts, m.UUID = &f, f.UUID
	b := *m.BMC
	b.GUID, b.User = f.UUID, bmcUser
	m.BMC = &b
	m.Conditions = pool.Conditions{}
}

// gone ends a virtual machine that was given up: it exists no more.
func (v *view) gone(d *draft) {
	m := d.machine(v.m)
	m.BMC = nil
	d.condition(m, pool.CondDirty, "", "")
	d.condition(m, pool.CondAgent, "none", "")
	d.condition(m, pool.CondPower, string(pool.PowerOff), "")
	d.phase(m, pool.Retired, "its virtual machine was removed")
}
