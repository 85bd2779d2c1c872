package pool

import "time"

// ServicePhase says how far a service or an instance is.
type ServicePhase string

// Phases of services and instances. An instance is waiting while it has no
// machine; stopped instances keep theirs until it is released.
const (
	ServiceDeploying ServicePhase = "deploying"
	ServiceRunning   ServicePhase = "running"
	ServiceFailed    ServicePhase = "failed"
	ServiceRemoving  ServicePhase = "removing"
	ServiceRemoved   ServicePhase = "removed"

	InstanceWaiting    ServicePhase = "waiting"
	InstanceAcquiring  ServicePhase = "acquiring"
	InstanceInstalling ServicePhase = "installing"
	InstanceStarting   ServicePhase = "starting"
	InstanceRunning    ServicePhase = "running"
	InstanceStopping   ServicePhase = "stopping"
	InstanceReleasing  ServicePhase = "releasing"
	InstanceRemoved    ServicePhase = "removed"
	InstanceFailed     ServicePhase = "failed"
	// InstanceRecovering: its machine was lost; Instance.Heal says how far that is.
	InstanceRecovering ServicePhase = "recovering"
	ServiceRecovering  ServicePhase = "recovering"
)

// RecipeInfo is what the appliance knows of a recipe without running it.
// The recipe itself is stored as an archive under its Digest.
type RecipeInfo struct {
	Name         string        `json:"name"`
	Digest       string        `json:"digest"` // sha256:HEX of the archive
	Description  string        `json:"description,omitempty"`
	Type         string        `json:"type,omitempty"`
	Icon         string        `json:"icon,omitempty"`
	Template     string        `json:"template,omitempty"`
	Storage      string        `json:"storage,omitempty"` // storage template that its data lie on
	Instances    int           `json:"instances"`
	Min          int           `json:"min"`
	Max          int           `json:"max"`
	Elastic      bool          `json:"elastic,omitempty"`
	Stateful     bool          `json:"stateful"`
	Events       []string      `json:"events"` // lifecycle events that it has, in order
	StartTimeout time.Duration `json:"startTimeout"`
	// StartInterval is between tries of startDetection; 5 s when zero.
	StartInterval time.Duration `json:"startInterval,omitempty"`
	// Verify: its verify closure says of an interrupted event whether it was done.
	Verify    bool     `json:"verify,omitempty"`
	Packages  []string `json:"packages,omitempty"`
	Port      int      `json:"port,omitempty"`
	Shipped   bool     `json:"shipped,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	DependsOn []string `json:"dependsOn,omitempty"` // services of the same application
	// Application is that of a recipe which is a part of one; its Name is APP.NAME then.
	Application string `json:"application,omitempty"`
	// Members are the digests of an application's services, each after those
	// it depends on. Only an application has some.
	Members     []string `json:"members,omitempty"`
	Commands    []string `json:"commands,omitempty"` // custom commands
	Scaling     Scaling  `json:"scaling,omitzero"`
	HasMonitors bool     `json:"hasMonitors,omitempty"`
	HasDetails  bool     `json:"hasDetails,omitempty"`
	// MetricGroups is what the console draws of the monitors, and in what units.
	MetricGroups []MetricGroup `json:"metricGroups,omitempty"`
	// StopDetection and Locator say that the recipe has these closures.
	StopDetection bool `json:"stopDetection,omitempty"`
	Locator       bool `json:"locator,omitempty"`
	// Retries is how often an instance whose event failed is begun anew: -1
	// for ever, 0 never.
	Retries int `json:"retries"`
	// Timeouts are the recipe's own, by event.
	Timeouts map[string]time.Duration `json:"timeouts,omitempty"`
}

// MetricGroup is a titled list of metrics that the console draws.
type MetricGroup struct {
	Name    string   `json:"name"`
	Metrics []Metric `json:"metrics"`
}

// Metric is the name of a monitor and the unit that people read it in:
// REGULAR, PERCENTAGE, MEMORY (bytes) or DURATION (milliseconds).
type Metric struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// PackedRecipe is a recipe as it is stored.
type PackedRecipe struct {
	Info    RecipeInfo
	Archive []byte
}

// Service is a recipe that somebody asked to run.
type Service struct {
	// Name is the service's key: NAME, or APP.NAME in an application.
	Name        string       `json:"name"`
	Application string       `json:"application,omitempty"` // empty: the default one
	DependsOn   []string     `json:"dependsOn,omitempty"`   // keys of services whose first instance runs before this one's start
	Revision    int          `json:"revision,omitempty"`    // that new instances get; Recipe, Template and Image are its
	Recipe      RecipeInfo   `json:"recipe"`
	Template    string       `json:"template"`
	Image       string       `json:"image"`
	Instances   int          `json:"instances"` // wanted
	Phase       ServicePhase `json:"phase"`
	Rollout     *Rollout     `json:"rollout,omitempty"` // the last change of its revision
	// Removing: what is to become of the disks.
	Wipe bool `json:"wipe,omitempty"`
	// Remains lists what an abandoned service may have left behind.
	Remains   []string  `json:"remains,omitempty"`
	By        string    `json:"by"`
	Cause     *Cause    `json:"cause,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	RemovedAt time.Time `json:"removedAt,omitzero"`
	// Maintenance: while it lasts nothing of the service is healed.
	Maintenance *Maintenance `json:"maintenance,omitempty"`
	// ScaledAt is when its number of instances was changed last; until
	// ScaleSettled all instances had come or gone; then cool-downs count.
	Scaled       ScaleAction `json:"scaled,omitempty"`
	ScaledAt     time.Time   `json:"scaledAt,omitzero"`
	ScaleSettled time.Time   `json:"scaleSettled,omitzero"`
	Rev          int64       `json:"rev"`
}

// Instance is one running copy of a service, on one machine.
type Instance struct {
	ID       string `json:"id"`
	Service  string `json:"service"`
	Number   int    `json:"number"` // 1..N
	Revision int    `json:"revision,omitempty"`
	Next     int    `json:"next,omitempty"` // revision that it is being changed to
	// Round counts how often its lifecycle was begun anew on its machine; only
	// steps of this round are to be done.
	Round     int          `json:"round,omitempty"`
	Machine   string       `json:"machine,omitempty"`
	Prefer    string       `json:"prefer,omitempty"` // the machine it was planned for, while it waits
	Phase     ServicePhase `json:"phase"`
	Step      string       `json:"step,omitempty"`
	Endpoint  string       `json:"endpoint,omitempty"` // host:port
	Cause     *Cause       `json:"cause,omitempty"`
	CreatedAt time.Time    `json:"createdAt"`
	UpdatedAt time.Time    `json:"updatedAt"`
	RunningAt time.Time    `json:"runningAt,omitzero"`
	// Wipe: its disks are erased when it is taken down alone (scaled in).
	Wipe bool `json:"wipe,omitempty"`
	// Watch is the key of the step by which its agent watches it, BootID the
	// boot of its machine that it runs in.
	Watch  string `json:"watch,omitempty"`
	BootID string `json:"bootId,omitempty"`
	// Stops counts how often it stopped soon after its start, Failures rounds
	// that failed, both one after the other; what failed is begun anew at
	// NotBefore (zero: when a person says so).
	Stops     int       `json:"stops,omitempty"`
	Failures  int       `json:"failures,omitempty"`
	NotBefore time.Time `json:"notBefore,omitzero"`
	Heal      *Heal     `json:"heal,omitempty"`
	// Storage is the disk of its data, once it was bound.
	Storage *BoundStorage `json:"storage,omitempty"`
	// Reinstall: it is being taken down to have its system written anew.
	Reinstall bool  `json:"reinstall,omitempty"`
	Rev       int64 `json:"rev"`
}

// Attribute is a value that a recipe keeps with the appliance. The value of a
// secret one is sealed in the store and empty here.
type Attribute struct {
	Scope  string    `json:"scope"` // global, application:APP, service:NAME, instance:ID
	Name   string    `json:"name"`
	Value  string    `json:"value"` // JSON
	Secret bool      `json:"secret,omitempty"`
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"` // who set it: a person, or SERVICE/NUMBER
	// Rev rises by one with each change, from 1. In a Change it is what it was
	// read at; 0 sets the attribute whatever it was, AttributeNew only if there is none.
	Rev int64 `json:"rev"`
}

// AttributeNew is the Rev of an attribute that must not exist yet.
const AttributeNew int64 = -1
