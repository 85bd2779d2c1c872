package pool

import "time"

// Plan says what a deployment will do before it is done: which machines, why
// these and why not the others, which steps, and how long that took before.
type Plan struct {
	// Digest is of the state that the plan was made on: a deployment that names
	// it is refused once that state is another.
	Digest      string        `json:"digest"`
	At          time.Time     `json:"at"`
	Application string        `json:"application,omitempty"`
	Services    []ServicePlan `json:"services"` // each after those it depends on
	// Expected is until everything runs, by what was measured before.
	Expected time.Duration `json:"expected"`
	// Unmeasured counts the steps of which nobody knows how long they take.
	Unmeasured int `json:"unmeasured,omitempty"`
	// Problems say why it cannot be done now.
	Problems []string `json:"problems,omitempty"`
}

// PlanAction is what happens to a service.
type PlanAction string

// The actions.
const (
	PlanDeploy PlanAction = "deploy"
	PlanUpdate PlanAction = "update"
	PlanRemove PlanAction = "remove"
	PlanNone   PlanAction = "none" // it is as it is to be
)

// ServicePlan is the plan of one service.
type ServicePlan struct {
	Service   string         `json:"service"`
	Action    PlanAction     `json:"action"`
	Recipe    string         `json:"recipe"`
	Digest    string         `json:"digest"`
	Template  string         `json:"template"`
	Image     string         `json:"image"`
	DependsOn []string       `json:"dependsOn,omitempty"`
	Instances []InstancePlan `json:"instances"`
	// Others are machines that were not chosen, and why; OthersLeft counts
	// those that are left out here.
	Others     []Passed      `json:"others,omitempty"`
	OthersLeft int           `json:"othersLeft,omitempty"`
	From       int           `json:"from,omitempty"` // update: revision that runs
	Changes    []Difference  `json:"changes,omitempty"`
	Expected   time.Duration `json:"expected"` // until it runs, counted from the deployment
}

// InstancePlan is the plan of one instance.
type InstancePlan struct {
	Number   int           `json:"number"`
	Machine  string        `json:"machine,omitempty"` // ID; empty when none is free
	Name     string        `json:"name,omitempty"`
	Why      string        `json:"why,omitempty"`
	Storage  string        `json:"storage,omitempty"` // which disk its data get, and where
	Steps    []StepPlan    `json:"steps"`
	Expected time.Duration `json:"expected"` // of all its steps
}

// StepPlan is one step, with the time it took before; no Samples: nobody knows.
type StepPlan struct {
	Name     string        `json:"name"`
	Expected time.Duration `json:"expected,omitempty"`
	Samples  int           `json:"samples,omitempty"`
}

// Passed is a machine that was not chosen.
type Passed struct {
	Machine string   `json:"machine"`
	Name    string   `json:"name"`
	Why     []string `json:"why"`
}

// Difference is one thing in which two recipes differ. Old is empty for what
// was added, New for what is gone; both are for what cannot be shown.
type Difference struct {
	Kind   string `json:"kind"` // file, property, descriptor
	Name   string `json:"name"`
	Change string `json:"change"` // added, removed, changed
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
}

// ApplicationOptions say which application is wanted.
type ApplicationOptions struct {
	Name    string     // the recipe's when empty
	Recipe  RecipeInfo // of the application
	Members []RecipeInfo
	Image   string
	By      string
	Plan    string // digest of a plan; empty: none was made
	// Batch and Health are of an update; zero takes the defaults.
	Batch  int
	Health time.Duration
}
