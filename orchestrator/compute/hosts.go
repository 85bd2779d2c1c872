package compute

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// Hosts brings hosts that already run into the pool, over SSH, and the
// appliance's own without. It puts an agent there and takes it away again; it
// never writes to a disk's partition table, never installs a system, and
// never proves that a host is off.
type Hosts struct {
	// Agent returns the static agent for an architecture.
	Agent func(pool.Arch) ([]byte, error)
	// Identity issues what the agent on m comes back with (identity.json),
	// for the key whose request m's agent made.
	Identity func(ctx context.Context, m pool.Machine, csr string) ([]byte, error)
	// Server is where agents reach the appliance.
	Server string
	// Local is the folder of the agents on the appliance's own host.
	Local string
	Log   *slog.Logger

	// Dial opens connections; the zero value is a plain one.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Steps of the driver.
const (
	StepConnect = "connect" // reach it, log in, look at it; writes nothing
	StepPush    = "push"    // put the agent there, with its identity, and start it
	StepClean   = "clean"   // stop the agent and remove what push made
)

// Kind implements Driver.
func (Hosts) Kind() pool.Driver { return pool.DriverSSH }

// Choose returns the first FREE host that fits t, in the order they were
// added: hosts of t's own node list before those that serve all templates.
func (Hosts) Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	_, why, ok = choose(pool.DriverSSH, t, machines)
	if !ok {
		return pool.Machine{}, why, false
	}
	var free []pool.Machine
	for _, m := range machines {
		if m.Driver.Or() == pool.DriverSSH && len(why[m.ID]) == 0 {
			free = append(free, m)
		}
	}
	own := func(m pool.Machine) int {
		if m.Login != nil && m.Login.Template == t.Name {
			return 0
		}
		return 1
	}
	return slices.MinFunc(free, func(a, b pool.Machine) int {
		return cmp.Or(cmp.Compare(own(a), own(b)), a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	}), why, true
}

// Do implements Driver. All its steps are idempotent.
func (h Hosts) Do(ctx context.Context, j pool.Job) (pool.JobResult, error) {
	switch j.Step {
	case StepConnect, StepPush, StepClean:
	default:
		return pool.JobResult{}, noStep(pool.DriverSSH, j)
	}
	s, err := h.open(ctx, j)
	if err != nil {
		return pool.JobResult{}, err
	}
	defer s.close()
	switch j.Step {
	case StepPush:
		return h.push(ctx, s, j.Machine)
	case StepClean:
		return h.clean(ctx, s, j.Machine)
	}
	facts, err := probe(ctx, s)
	return pool.JobResult{Facts: facts, HostKey: s.hostKey()}, err
}

// open logs in to the job's machine.
func (h Hosts) open(ctx context.Context, j pool.Job) (shell, error) {
	l := j.Machine.Login
	if l.Local() {
		return &localShell{}, nil
	}
	if l == nil {
		return nil, fmt.Errorf("%w: host %s has no login", pool.ErrInvalid, j.Machine.Name)
	}
	secret, err := pool.OpenLogin(j.Credential)
	if err != nil {
		return nil, err
	}
	dial := h.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTime}).DialContext
	}
	return openSSH(ctx, dial, *l, secret)
}

const dialTime = 10 * time.Second

// base is where agents lie on a host; empty lets the host's user decide.
func (h Hosts) base(m pool.Machine) string {
	if m.Login.Local() {
		return h.Local
	}
	return ""
}

// push puts the agent on the host and starts it. Whatever ran there for this
// machine before is stopped first.
func (h Hosts) push(ctx context.Context, s shell, m pool.Machine) (pool.JobResult, error) {
	facts, err := probe(ctx, s)
	if err != nil {
		return pool.JobResult{}, err
	}
	if err := h.reachable(m); err != nil {
		return pool.JobResult{}, err
	}
	binary, err := h.Agent(facts.Arch)
	if err != nil {
		return pool.JobResult{}, cause("agent.missing", "There is no agent for "+string(facts.Arch)+", which "+m.Name+" is.", err.Error(),
			"Build the binary with make build, or name a folder with appliance-agent-"+string(facts.Arch)+" as \"agents\" in the configuration.")
	}
	p := prelude{base: h.base(m), machine: m.ID}
	if err := upload(ctx, s, p, binary); err != nil {
		return pool.JobResult{}, scriptCause(m, "put the agent on it", err)
	}
	csr, err := s.run(ctx, p.script(scriptOffer), nil)
	if err != nil {
		return pool.JobResult{}, scriptCause(m, "make the agent's key", err)
	}
	identity, err := h.Identity(ctx, m, string(csr))
	if err != nil {
		return pool.JobResult{}, fmt.Errorf("issue identity of %s: %w", m.Name, err)
	}
	if _, err := s.run(ctx, p.script(scriptAdopt), identity); err != nil {
		return pool.JobResult{}, scriptCause(m, "start the agent", err)
	}
	return pool.JobResult{Facts: facts, Output: "the agent is in " + p.shown()}, nil
}

// reachable refuses a host that could not reach the appliance.
func (h Hosts) reachable(m pool.Machine) error {
	u, err := url.Parse(h.Server)
	if err != nil {
		return fmt.Errorf("%w: appliance address %q", pool.ErrInvalid, h.Server)
	}
	loop := func(host string) bool {
		a, err := netip.ParseAddr(host)
		return err == nil && a.IsLoopback() || host == "localhost"
	}
	if !loop(u.Hostname()) || m.Login.Local() || loop(m.Login.Host) {
		return nil
	}
	return cause("host.route", m.Name+" cannot reach the appliance, which serves on "+u.Host+" only.", "",
		"Name the interface that the hosts reach as \"interface\" in the configuration, and start the appliance again.")
}

func (h Hosts) clean(ctx context.Context, s shell, m pool.Machine) (pool.JobResult, error) {
	p := prelude{base: h.base(m), machine: m.ID}
	if _, err := s.run(ctx, p.script(scriptClean), nil); err != nil {
		return pool.JobResult{}, scriptCause(m, "remove the agent", err)
	}
	return pool.JobResult{Output: "the agent and " + p.shown() + " are gone"}, nil
}

// Codes of causes that trying again does not mend.
const (
	CodeAuth    = "host.auth"
	CodeHostKey = "host.key"
	CodeKind    = "host.kind"
)

func cause(code, message, evidence, remedy string) *pool.Cause {
	return &pool.Cause{Code: code, Message: message, Evidence: evidence, Remedy: remedy}
}

func scriptCause(m pool.Machine, what string, err error) error {
	var c *pool.Cause
	if errors.As(err, &c) {
		return err
	}
	return cause("host.script", "The appliance could not "+what+": "+m.Name+" refused.", err.Error(),
		"Look at the evidence: the user may lack rights, or the disk may be full. Then retry.")
}
