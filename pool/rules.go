package pool

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// WipeFresh is how recently a disk must have been seen before it may be erased.
const WipeFresh = 5 * time.Minute

// CheckMachine says whether the stored row old may become next. A nil old is
// a new machine. wiped reports whether a disk's serial has a valid wipe
// record on this machine. Errors wrap ErrConflict: the caller planned on
// something that does not hold.
func CheckMachine(old *Machine, next Machine, wiped func(serial string) bool) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: machine %s: %s", ErrConflict, next.ID, fmt.Sprintf(format, args...))
	}
	if !slices.Contains(Phases(), next.Phase) {
		return refuse("phase %q does not exist", next.Phase)
	}
	if old == nil {
		made := next.Driver == DriverVM && next.Phase == Reserved && next.Instance != "" // for its owner, in one transaction
		if next.Phase != Discovered && next.Phase != Active && !made {
			return refuse("a new machine is discovered or adopted, not %s", next.Phase)
		}
	} else {
		if old.Phase != next.Phase && !slices.Contains(follows[old.Phase], next.Phase) {
			return refuse("%s does not follow %s", next.Phase, old.Phase)
		}
		if old.Driver.Or() != next.Driver.Or() {
			return refuse("its driver is %s and stays so", old.Driver.Or())
		}
		if next.Epoch < old.Epoch {
			return refuse("epoch %d after %d", next.Epoch, old.Epoch)
		}
		if old.Instance != "" && next.Instance != "" && old.Instance != next.Instance {
			return refuse("belongs to instance %s, not to %s", old.Instance, next.Instance)
		}
		if old.Instance != next.Instance && next.Epoch == old.Epoch {
			return refuse("a change of owner needs a new epoch")
		}
	}
	owned := next.Phase == Reserved || next.Phase == Active
	if next.Instance != "" && !owned {
		return refuse("a machine that is %s has no owner", next.Phase)
	}
	left := old != nil && (old.Phase == Reserved || old.Phase == Active)
	if left && next.Phase == Enrolled && !next.Conditions.Is(CondDirty) && !next.Conditions.Is(CondProtected) {
		return refuse("it was %s: what is on its disks makes it dirty or protected", old.Phase) // invariant 5
	}
	if next.Phase == Ready {
		return checkReady(next, wiped, refuse)
	}
	return nil
}

// checkReady holds invariant 5: ready means inventoried, not dirty, not held,
// not protected, and a wipe record for each disk now in the machine. A host
// that already runs keeps its disks: it is clean when what was put on it is gone.
func checkReady(m Machine, wiped func(string) bool, refuse func(string, ...any) error) error {
	for _, c := range []ConditionType{CondDirty, CondHold, CondBroken, CondProtected} {
		if m.Conditions.Is(c) {
			return refuse("%s, so it cannot be ready", c)
		}
	}
	if m.Facts == nil {
		return refuse("was never inventoried, so it cannot be ready")
	}
	if !m.Driver.Erases() {
		return nil // its disks are not ours to wipe
	}
	if open := Unwiped(m, wiped); len(open) > 0 {
		d := open[0]
		if wiped(d.Serial) {
			return refuse("disk %s (%s) was wiped and holds %s again, so it cannot be ready", d.Serial, d.Name, d.Content[0])
		}
		return refuse("disk %s (%s) has no wipe record, so it cannot be ready", d.Serial, d.Name)
	}
	return nil
}

// Target says whether a disk is one that the appliance writes to and wipes.
func (d Disk) Target() bool { return !d.ReadOnly && !d.Removable && d.Size > 0 }

// follows are the phases that may follow each phase.
var follows = map[Phase][]Phase{
	Discovered: {Enrolled, Active, Retired},
	Enrolled:   {Ready, Retired},
	Ready:      {Enrolled, Reserved, Retired},
	Reserved:   {Active, Enrolled},
	Active:     {Enrolled, Reserved},
	Retired:    {Enrolled},
}

// MayFollow says whether next may come after p.
func (p Phase) MayFollow(next Phase) bool { return slices.Contains(follows[p], next) }

// Unwiped returns the disks of m that have no valid wipe record, or have one
// and hold something all the same: they were elsewhere meanwhile.
func Unwiped(m Machine, wiped func(serial string) bool) []Disk {
	var out []Disk
	if m.Facts != nil {
		for _, d := range m.Facts.Disks {
			if d.Target() && (!wiped(d.Serial) || len(d.Content) > 0) {
				out = append(out, d)
			}
		}
	}
	return out
}

// MayWipe says whether the disks with the given serials may be erased on m by
// operation op now: invariant 9. No serials means every target disk. It
// returns the disks, or an error that wraps ErrConflict.
func MayWipe(m Machine, op Operation, token string, serials []string, now time.Time) ([]Disk, error) {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: wipe machine %s: %s", ErrConflict, m.ID, fmt.Sprintf(format, args...))
	}
	switch {
	case !m.Driver.Erases():
		return nil, refuse("its driver is %s: its disks are not the appliance's", m.Driver)
	case m.Phase != Enrolled:
		return nil, refuse("it is %s; only an enrolled machine is wiped", m.Phase)
	case op.Kind != OpWipe || !op.Status.Open() || op.Machine != m.ID:
		return nil, refuse("operation %s is no open wipe of it", op.ID)
	case token == "" || token != op.Token:
		return nil, refuse("the token is not that of operation %s", op.ID)
	case m.Conditions.Is(CondProtected):
		return nil, refuse("its disks are protected: %s", m.Conditions[CondProtected].Reason)
	case m.Facts == nil || now.Sub(m.Facts.At) > WipeFresh:
		return nil, refuse("its disks were not seen in the last %s", WipeFresh)
	}
	var out []Disk
	for _, d := range m.Facts.Disks {
		if d.Target() && (len(serials) == 0 || slices.Contains(serials, d.Serial)) {
			out = append(out, d)
		}
	}
	for _, s := range serials {
		if d, ok := m.Facts.Disk(s); !ok {
			return nil, refuse("disk %s is not in it now", s)
		} else if !d.Target() {
			return nil, refuse("disk %s (%s) is read-only, removable or empty", s, d.Name)
		}
	}
	return out, nil
}

// Protect returns m's conditions after an inventory: dirty unless every disk
// has a wipe record and is empty, protected when one holds something.
// erase says that a rule or a person allowed to erase it.
func Protect(m Machine, wiped func(serial string) bool, erase bool, now time.Time) Conditions {
	c := m.Conditions
	if !m.Driver.Erases() {
		return c
	}
	open := Unwiped(m, wiped)
	if len(open) == 0 {
		return c.Without(CondDirty)
	}
	c = c.With(CondDirty, True, fmt.Sprintf("%d of its disks have no wipe record or are not empty", len(open)), now)
	for _, d := range open {
		if len(d.Content) > 0 && !erase {
			return c.With(CondProtected, True,
				fmt.Sprintf("disk %s (%s, %s) holds %s", d.Serial, d.Name, Bytes(d.Size), strings.Join(d.Content, ", ")), now)
		}
	}
	return c
}
