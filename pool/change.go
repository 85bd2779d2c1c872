package pool

// Change is what one transaction writes: rows as they are to be, each with
// the Rev it was read at (0 for a new one), and the events that tell of it.
// All of it is stored or nothing; a stale Rev is ErrConflict. After a
// successful Apply the store has set the new Rev in the rows of the Change.
type Change struct {
	Machines   []*Machine
	Operations []*Operation
	Steps      []*Step
	Services   []*Service
	Instances  []*Instance
	// Applications are written as services are; Revisions are never changed.
	Applications []*Application
	Revisions    []*Revision
	// Templates take the place of those of the same name.
	Templates  []*Template
	Attributes []*Attribute
	Wipes      []*WipeRecord
	// Cleared are scopes of attributes that end: all they hold goes first.
	Cleared []string
	// Forgotten are steps and instances that have ended and are let go of.
	Forgotten []Forgotten
	// Decisions get the next Seq of their service.
	Decisions []*ScalingDecision
	// Secrets are sealed under their names; a zero Secret deletes.
	Secrets map[string]Secret
	// Settings are stored under their names.
	Settings map[string]string
	Events   []*Event
}

// Forgotten lets go of what has ended of an instance: its steps of rounds
// before Round, or, with All, an instance that was removed, and all its steps.
type Forgotten struct {
	Service  string
	Instance string
	Round    int
	All      bool
}

// Empty says whether there is nothing to write.
func (c Change) Empty() bool {
	return len(c.Machines)+len(c.Operations)+len(c.Steps)+len(c.Services)+len(c.Instances)+
		len(c.Applications)+len(c.Revisions)+len(c.Cleared)+len(c.Forgotten)+len(c.Templates)+len(c.Decisions)+
		len(c.Attributes)+len(c.Wipes)+len(c.Secrets)+len(c.Settings)+len(c.Events) == 0
}
