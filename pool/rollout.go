package pool

import "time"

// RolloutStage says how far a change of a service's revision is.
type RolloutStage string

// The stages. A rollout begins with its canary, or without one with rolling;
// it ends done, undone (the old revision runs again) or failed.
const (
	RolloutCanary   RolloutStage = "canary"   // the first instances get the new revision
	RolloutApproval RolloutStage = "approval" // they are healthy, and a person decides
	RolloutRolling  RolloutStage = "rolling"  // batch by batch
	RolloutBack     RolloutStage = "back"     // back to the old revision, without a canary
	RolloutDone     RolloutStage = "done"
	RolloutUndone   RolloutStage = "undone"
	RolloutFailed   RolloutStage = "failed"
)

// Rollout is the change of a service from one revision to another, without a
// gap: on each instance's own machine, a batch at a time.
type Rollout struct {
	From  int          `json:"from"`
	To    int          `json:"to"`
	Stage RolloutStage `json:"stage"`
	// Canary instances come first; with Auto the rest follows once they are healthy.
	Canary int  `json:"canary,omitempty"`
	Auto   bool `json:"auto,omitempty"`
	Batch  int  `json:"batch"` // instances that are changed at a time
	// Extra instances of the new revision, one batch of them, serve while the
	// others are changed, and go at the end.
	Extra  bool     `json:"extra,omitempty"`
	Extras []string `json:"extras,omitempty"`
	// Health is how long an instance must run before it counts.
	Health    time.Duration `json:"health"`
	Paused    bool          `json:"paused,omitempty"`
	By        string        `json:"by"`
	StartedAt time.Time     `json:"startedAt"`
	EndedAt   time.Time     `json:"endedAt,omitzero"`
	Deadline  time.Time     `json:"deadline"`
	Cause     *Cause        `json:"cause,omitempty"` // of going back, or of failing
}

// Open says whether there is still something to do. A nil one is not open.
func (r *Rollout) Open() bool {
	return r != nil && r.Stage != RolloutDone && r.Stage != RolloutUndone && r.Stage != RolloutFailed
}

// Target is the revision that instances go to now.
func (r *Rollout) Target() int {
	if r.Stage == RolloutBack || r.Stage == RolloutUndone {
		return r.From
	}
	return r.To
}

// UpdateOptions say how a service is to be changed. Zero values take the
// defaults: one at a time, no canary, ten seconds of health.
type UpdateOptions struct {
	Recipe RecipeInfo
	To     int // instead of Recipe: a revision that it had
	Canary int
	Auto   bool
	Batch  int
	Extra  bool
	Health time.Duration
	By     string
	// Template and Image change what the service's machines are like; empty
	// ones stay. An image is written to the machines anew, one batch after the
	// other; a template must fit the machines that the service has.
	Template string
	Image    string
	// WithoutData: what a stateful service keeps on its system's disks may be
	// lost when a new image is written.
	WithoutData bool
	// DependsOn replaces what the service starts after, when it is not nil.
	DependsOn []string
	Plan      string // digest of a plan; empty: none was made
}
