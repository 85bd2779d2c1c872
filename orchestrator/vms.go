package orchestrator

import (
	"fmt"
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

// keptVM says whether nobody has a virtual machine any more, and its disk was
// kept all the same: it holds the data of a service.
func keptVM(m pool.Machine) bool {
	return m.Driver == pool.DriverVM && m.Conditions.Is(pool.CondProtected) && (m.Phase == pool.Enrolled || m.Phase == pool.Retired)
}

// drops has a virtual machine that was kept removed, with its disk: a person
// says so.
func (v *view) drops(d *draft, by string, o pool.ReleaseOptions) error {
	m := v.m
	if v.op != nil {
		return fmt.Errorf("%w: machine %s: %s is under way (step %s); wait for it or cancel it", pool.ErrConflict, m.Name, v.op.Kind, v.op.Step)
	}
	if !o.Wipe && !slices.Contains(o.Serials, m.ID) {
		return fmt.Errorf("%w: release %s: %s; to have the virtual machine removed with its disk say --wipe %s", pool.ErrInvalid, m.Name, m.Conditions[pool.CondProtected].Reason, m.Name)
	}
	d.condition(m, pool.CondProtected, "", "")
	d.condition(m, pool.CondHold, "", "")
	d.condition(m, pool.CondBroken, "", "")
	d.condition(m, pool.CondDirty, pool.True, "its disk is to be removed")
	if m.Phase == pool.Retired {
		d.phase(m, pool.Enrolled, "its disk is to be removed")
	}
	op := d.newOperation(m, pool.OpRelease, pool.OpParams{Wipe: true}, by)
	e := d.tellMachine(m, "machine.released", pool.Info, "%s released %s: it is removed with its disk.", by, m.Name)
	e.By, e.Operation = by, op.ID
	return nil
}

// gone ends a virtual machine that was given up: it exists no more. Its disk
// does, where it was kept.
func (v *view) gone(d *draft) {
	m := d.machine(v.m)
	m.BMC = nil
	if !v.op.Params.Wipe {
		d.condition(m, pool.CondProtected, pool.True, "its virtual machine was removed, its disk is kept as volume "+m.ID+".qcow2 on "+m.Host)
	}
	d.condition(m, pool.CondDirty, "", "")
	d.condition(m, pool.CondAgent, "none", "")
	d.condition(m, pool.CondPower, string(pool.PowerOff), "")
	d.phase(m, pool.Retired, "its virtual machine was removed")
}
