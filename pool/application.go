package pool

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Application is a set of services that are deployed and removed together.
// Its services know which of the others they start after.
type Application struct {
	Name string `json:"name"`
	// Recipe is the application's name, digest and description.
	Recipe RecipeInfo `json:"recipe"`
	// Services are the keys of its services, each after those it depends on.
	Services  []string     `json:"services"`
	Phase     ServicePhase `json:"phase"`
	Wipe      bool         `json:"wipe,omitempty"`    // removing: what is to become of the disks
	Abandon   bool         `json:"abandon,omitempty"` // removing: nobody is asked to stop anything
	By        string       `json:"by"`
	Cause     *Cause       `json:"cause,omitempty"`
	CreatedAt time.Time    `json:"createdAt"`
	UpdatedAt time.Time    `json:"updatedAt"`
	RemovedAt time.Time    `json:"removedAt,omitzero"`
	// Maintenance is that of all its services; each has it, too.
	Maintenance *Maintenance `json:"maintenance,omitempty"`
	// Update is the last change of what it is made of.
	Update *ApplicationUpdate `json:"update,omitempty"`
	Rev    int64              `json:"rev"`
}

// ApplicationUpdate takes an application to another version of its recipe, one
// service after the other, each after those it depends on; what fails takes all
// of them back. Its stages are those of a Rollout without a canary.
type ApplicationUpdate struct {
	Stage RolloutStage `json:"stage"`
	From  RecipeInfo   `json:"from"`
	To    RecipeInfo   `json:"to"`
	// Want are the services as they are to be, in that order; Before are those
	// that were there; what is only in Before is removed at the end.
	Want      []ServiceWanted `json:"want"`
	Before    []ServiceWanted `json:"before"`
	Image     string          `json:"image,omitempty"` // of services that are added
	Batch     int             `json:"batch"`
	Health    time.Duration   `json:"health,omitempty"`
	By        string          `json:"by"`
	StartedAt time.Time       `json:"startedAt"`
	Deadline  time.Time       `json:"deadline"`
	EndedAt   time.Time       `json:"endedAt,omitzero"`
	Cause     *Cause          `json:"cause,omitempty"` // of going back, or of failing
}

// Open says whether there is still something to do. A nil one is not open.
func (u *ApplicationUpdate) Open() bool {
	return u != nil && (u.Stage == RolloutRolling || u.Stage == RolloutBack)
}

// ServiceWanted is a service of an application as an update wants it or found it.
type ServiceWanted struct {
	Key       string     `json:"key"`
	Recipe    RecipeInfo `json:"recipe"`
	Revision  int        `json:"revision,omitempty"` // that it had
	DependsOn []string   `json:"dependsOn,omitempty"`
}

// DefaultApplication is the application of services that were deployed alone.
const DefaultApplication = "default"

// ServiceKey names a service of an application for ever: NAME in the default
// application, APP.NAME in another one. Service.Name holds it.
func ServiceKey(application, name string) string {
	if application == "" || application == DefaultApplication {
		return name
	}
	return application + "." + name
}

// BaseName is the service's name within its application.
func (s Service) BaseName() string {
	if s.Application == "" {
		return s.Name
	}
	return strings.TrimPrefix(s.Name, s.Application+".")
}

// ApplicationName is the application as recipes know it.
func (s Service) ApplicationName() string {
	if s.Application == "" {
		return DefaultApplication
	}
	return s.Application
}

// Revision is what a service is or was made of. The first is 1; an instance
// says by its Revision which one it runs.
type Revision struct {
	Service  string     `json:"service"`
	Number   int        `json:"number"`
	Recipe   RecipeInfo `json:"recipe"`
	Template string     `json:"template"`
	Image    string     `json:"image"`
	By       string     `json:"by"`
	At       time.Time  `json:"at"`
}

// SortDependencies returns names so that each comes after those that
// needs[name] holds; among equals the order of names stays. A circle and a
// name that is not among names are refused by name. Errors wrap ErrInvalid.
func SortDependencies(names []string, needs map[string][]string) ([]string, error) {
	for _, n := range names {
		for _, d := range needs[n] {
			if !slices.Contains(names, d) {
				hint := ""
				if near := Near(d, names); len(near) > 0 {
					hint = "; did you mean " + strings.Join(near, " or ") + "?"
				}
				return nil, fmt.Errorf("%w: service %s depends on %s, which is not there%s", ErrInvalid, n, d, hint)
			}
		}
	}
	var out []string
	for len(out) < len(names) {
		before := len(out)
		for _, n := range names {
			free := !slices.ContainsFunc(needs[n], func(d string) bool { return !slices.Contains(out, d) })
			if free && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("%w: services depend on each other in a circle: %s", ErrInvalid, strings.Join(circle(names, needs, out), " -> "))
		}
	}
	return out, nil
}

// circle follows the dependencies of what is left until a name comes again.
func circle(names []string, needs map[string][]string, done []string) []string {
	var path []string
	at := names[slices.IndexFunc(names, func(n string) bool { return !slices.Contains(done, n) })]
	for !slices.Contains(path, at) {
		path = append(path, at)
		i := slices.IndexFunc(needs[at], func(d string) bool { return !slices.Contains(done, d) })
		at = needs[at][i]
	}
	return append(path[slices.Index(path, at):], at)
}

// ApplicationSentence says in one plain sentence how an application is, of
// whose services some run.
func ApplicationSentence(a Application, services, running int) string {
	switch a.Phase {
	case ServiceRunning:
		return fmt.Sprintf("Running: %s.", plural(services, "service"))
	case ServiceRemoving:
		return "Being removed, in reverse order of the start."
	case ServiceRemoved:
		return "Removed."
	case ServiceFailed:
		if a.Cause != nil {
			return strings.TrimSpace(sentenceEnd("Failed: "+a.Cause.Message) + " " + sentenceEnd(a.Cause.Remedy))
		}
		return "Failed."
	default:
		return fmt.Sprintf("Being deployed: %d of %s running.", running, plural(services, "service"))
	}
}
