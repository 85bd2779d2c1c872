package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// matchRule returns the first rule that lets a discovered machine in. Only
// one whose agent is there, with facts and a key, is looked at.
func matchRule(rules []AcceptRule, m *pool.Machine, live presence) (AcceptRule, bool) {
	if m.Phase != pool.Discovered || m.Facts == nil || m.OfferedKey == "" || live.mode != pool.InRAM {
		return AcceptRule{}, false
	}
	for _, r := range rules {
		if !r.Subnet.IsValid() || m.Address.IsValid() && r.Subnet.Contains(m.Address) {
			return r, true
		}
	}
	return AcceptRule{}, false
}

// accept pins the key that m's agent offered and queues its enrolment. It
// erases nothing: what its disks hold is protected unless p allows otherwise.
// The phase stays until the agent has its certificate.
func accept(d *draft, m *pool.Machine, p pool.OpParams, by, name string, tags []string, wiped map[string]bool) *pool.Operation {
	d.machine(m)
	m.Key, m.AcceptedBy = m.OfferedKey, by
	if name != "" {
		m.Name = name
	}
	for _, t := range tags {
		if !slices.Contains(m.Tags, t) {
			m.Tags = append(m.Tags, t)
		}
	}
	e := d.tellMachine(m, "machine.accepted", pool.Info, "%s was accepted by %s.", m.Name, by)
	e.By = by
	d.condition(m, pool.CondBroken, "", "")
	if m.Facts != nil {
		d.protect(m, wiped, func(serial string) bool {
			return p.Erase && (len(p.Disks) == 0 || slices.Contains(p.Disks, serial))
		})
	}
	return d.newOperation(m, pool.OpEnrol, p, by)
}

// checkErase says whether serials names every disk of m that holds something.
func checkErase(m *pool.Machine, wiped map[string]bool, listed []string) error {
	if m.Facts == nil {
		return fmt.Errorf("%w: erase %s: it was never inventoried, so nobody saw its disks", pool.ErrInvalid, m.Name)
	}
	for _, s := range listed {
		if _, ok := m.Facts.Disk(s); !ok {
			return fmt.Errorf("%w: erase %s: it has no disk %s; it has %s", pool.ErrInvalid, m.Name, s, strings.Join(serials(m.Facts.Disks), ", "))
		}
	}
	var missing []string
	for _, disk := range pool.Unwiped(*m, func(s string) bool { return wiped[s] }) {
		if len(disk.Content) > 0 && !slices.Contains(listed, disk.Serial) {
			missing = append(missing, fmt.Sprintf("%s (%s, holds %s)", disk.Serial, pool.Bytes(disk.Size), strings.Join(disk.Content, ", ")))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: erase %s: name every disk that holds something: %s", pool.ErrInvalid, m.Name, strings.Join(missing, "; "))
	}
	return nil
}

// release takes m from its owner: credentials first, then the phase, all in
// one transaction. Its disks are protected unless they may be wiped.
func release(d *draft, m *pool.Machine, wiped map[string]bool, wipe bool, why, by string) {
	op := &pool.Operation{ID: d.mint("op"), Machine: m.ID, Kind: pool.OpRelease, Status: pool.Succeeded, By: by,
		Params: pool.OpParams{Wipe: wipe}, Token: d.mint(""), QueuedAt: d.now, StartedAt: d.now, EndedAt: d.now, Deadline: d.now}
	if !m.Driver.Erases() { // its driver has to clean it first
		op.Status, op.StartedAt, op.EndedAt, op.Deadline = pool.Queued, time.Time{}, time.Time{}, d.now.Add(queueTime)
	}
	d.operation(op)
	d.newOwner(m, "", op.ID, wiped)
	m.Key, m.Image = "", ""
	d.secret(bootSecret(m.ID), pool.Secret{})
	d.condition(m, pool.CondBroken, "", "")
	d.condition(m, pool.CondFenced, "", "")
	d.condition(m, pool.CondDirty, pool.True, why)
	if wipe || !m.Driver.Erases() {
		d.condition(m, pool.CondProtected, "", "")
	} else {
		d.condition(m, pool.CondProtected, pool.True, why)
	}
	d.phase(m, pool.Enrolled, "released by "+by)
	e := d.tellMachine(m, "machine.released", pool.Info, "%s was released by %s.", m.Name, by)
	e.By, e.Operation = by, op.ID
}
