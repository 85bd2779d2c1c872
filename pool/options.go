package pool

import "time"

// AcceptOptions say how a discovered machine is let in.
type AcceptOptions struct {
	// Erase allows that what its disks hold is erased. Serials must then name
	// every disk that holds something, unless a rule accepts (By is "rule NAME").
	Erase   bool
	Serials []string
	Name    string // a new name; empty keeps the one it has
	Tags    []string
}

// ReleaseOptions say how a machine goes back to the pool, or which of its
// disks are no longer protected.
type ReleaseOptions struct {
	Wipe    bool
	Serials []string
}

// DeployOptions say which service is wanted. Empty fields take the recipe's
// or the appliance's default.
type DeployOptions struct {
	Name      string
	Recipe    RecipeInfo
	Template  string
	Image     string
	Instances int
	By        string
	// Application and DependsOn (keys) are of a service that is a part of one.
	Application string
	DependsOn   []string
	Plan        string // digest of a plan; empty: none was made
}

// HostOptions bring hosts that already run into the pool.
type HostOptions struct {
	Nodes []Node // a Node without Host is the appliance's own host
	// Template whose node list they are; empty for hosts that serve all.
	Template   string
	Zone, Rack string
	Tags       []string
}

// LiveState is what is known of a machine only in memory.
type LiveState struct {
	Agent    AgentMode `json:"agent,omitempty"` // empty: none
	Version  string    `json:"version,omitempty"`
	BootID   string    `json:"bootId,omitempty"`
	SeenAt   time.Time `json:"seenAt,omitzero"`
	Progress *Progress `json:"progress,omitempty"` // of the step that runs
}

// LiveUpdate tells that a machine's volatile state changed.
type LiveUpdate struct {
	Machine string    `json:"machine"`
	Live    LiveState `json:"live"`
}
