// Package recipes loads a recipe folder of Cloudify 2.x into a checked value,
// packs it, and runs its lifecycle entries on a machine.
//
// A recipe is a descriptor (NAME-service.groovy), its properties and the
// scripts they name; docs/recipes.md is the language. Load evaluates the
// descriptor in a sandbox: it reads only the folder, its base folders and
// nothing of the machine it runs on. What Load returns has been checked: every
// script it names is there, every value has its type.
//
// The package does not plan, store or talk to machines. A Runner evaluates
// closures itself and hands every command to the Host its caller supplies.
package recipes

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"appliance/recipes/groovy"
)

// ErrInvalid is wrapped by every error of Load that the recipe's author must
// mend.
var ErrInvalid = errors.New("invalid recipe")

// Recipe is a loaded and checked service or application.
type Recipe struct {
	Name        string
	Description string // custom property org.appliance.description
	Type        string // DATABASE, WEB_SERVER, ...; UNDEFINED when not said
	Icon        string // a file of the recipe; may be empty
	URL         string

	Elastic       bool
	LocationAware bool
	NumInstances  int
	Min, Max      int
	Retries       int    // of an instance's start; -1 is unlimited
	Template      string // compute template; empty is the default one
	Storage       string // storage template that its data lie on; empty: none
	Stateful      bool   // true unless the recipe says stateful false

	StartDetectionTimeout  time.Duration
	StartDetectionInterval time.Duration
	Timeouts               map[string]time.Duration // by event, from eventTimeoutSecs

	Packages []string // Debian packages that the recipe installs
	Port     int      // of the service; 0 is unknown
	Protocol string   // of Port; tcp unless the recipe says otherwise

	Lifecycle      map[string]Entry // by event name
	CustomCommands map[string]Entry
	DependsOn      []string

	CustomProperties map[string]string
	Properties       map[string]any // as JSON data
	Network          any            // kept as JSON data, as are the next three
	UserInterface    any
	MetricGroups     []MetricGroup // of UserInterface: what the console draws
	Scaling          Scaling
	ScalingRules     any
	Statistics       any

	Services []*Recipe // of an application; nil for a service
	Files    []string  // of the folder, sorted, slash separated
	Warnings []string  // what was accepted but has no effect or no good one

	// Application is the name of the application that the service is a part of.
	Application string

	app        *source // of the application's descriptor
	descriptor string
	overrides  string // of the deployment
	fsys       fs.FS
	dir        string
	bases      []string // folders of extended recipes, child first, in fsys or lib
	baseFS     []fs.FS
	vars       map[string]groovy.Value
}

// IsApplication says whether the recipe is a set of services.
func (r *Recipe) IsApplication() bool { return r.Services != nil }

// Events are the lifecycle events in the order of an instance's life; the
// detections, locator, monitors, details and verify are entries, not steps.
func Events() []string {
	return []string{"preServiceStart", "init", "preInstall", "install", "postInstall", "preStart", "start", "postStart",
		"drain", "preStop", "stop", "postStop", "shutdown", "preServiceStop"}
}

// Entry is what runs at an event or for a custom command: exactly one of a
// command line, arguments, a choice by operating system, a closure, or a map
// of further entries (monitors, details).
type Entry struct {
	Line    string   // a command line for sh, first word a script or program
	Args    []string // a command of separate arguments
	ByOS    []OSEntry
	Closure *groovy.Closure
	Sub     []SubEntry
	Where   string // file:line:column
}

// OSEntry is the entry for operating systems whose name matches Pattern.
type OSEntry struct {
	Pattern string
	Entry   Entry
}

// SubEntry is a named part of monitors or details.
type SubEntry struct {
	Name  string
	Entry Entry
}

// String describes the entry for a person.
func (e Entry) String() string {
	switch {
	case e.Closure != nil:
		return "closure at " + e.Closure.Place()
	case e.Line != "":
		return e.Line
	case len(e.Args) > 0:
		return fmt.Sprintf("%q", e.Args)
	case len(e.ByOS) > 0:
		if o, ok := e.forLinux(); ok {
			return o.String()
		}
		return "nothing on Linux"
	case len(e.Sub) > 0:
		return fmt.Sprintf("%d entries", len(e.Sub))
	}
	return "nothing"
}

// invalid marks err as the author's fault without adding text.
type invalid struct{ err error }

func (i invalid) Error() string        { return i.err.Error() }
func (i invalid) Unwrap() error        { return i.err }
func (i invalid) Is(target error) bool { return target == ErrInvalid }

func invalidf(format string, args ...any) error { return invalid{fmt.Errorf(format, args...)} }
