package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// Agent says hello to its appliance, asks for tasks, has them performed, one
// at a time, and reports. Run owns its goroutines.
type Agent struct {
	Mode    pool.AgentMode
	Version string
	BootID  string
	MAC     pool.MAC
	Machine string // known by an installed agent
	Epoch   int64  // of an installed agent; a lower one is refused
	Token   string // one-time; dropped once it was used or refused
	Key     Key
	Client  *Client
	Tasks   Performer
	Journal Journal
	// Facts collects the facts; nil sends none.
	Facts func(context.Context) *pool.Facts
	// Leave ends this system: wire's "local", and the tasks reboot and power-off.
	Leave func(context.Context, pool.TaskKind) error
	// Welcomed is told what the appliance said, before it is acted on.
	Welcomed func(wire.Welcome) error
	Log      *slog.Logger
	// Unconfirmed says who let this system start without the appliance; nil: nobody.
	Unconfirmed func() string

	renew time.Time // of the certificate
	said  *pool.Facts
	side  beside
	lane  bool // a copy that runs beside it: it never says hello
}

// Performer carries out tasks.
type Performer interface {
	// Perform does one task and returns its result, to be written as JSON.
	// An error that is a *pool.Cause is reported as it is. It must end soon
	// after ctx.
	Perform(ctx context.Context, as wire.Assignment, progress func(pool.Progress)) (any, error)
}

// leftover is a Performer whose tasks go on without the agent: HandOn hands on
// what a task that has ended printed meanwhile.
type leftover interface {
	HandOn(ctx context.Context, as wire.Assignment)
}

// Journal remembers outcomes by the key of their task, so that a repeated key
// is answered and not performed again.
type Journal interface {
	Outcome(key string) (wire.Outcome, bool, error)
	Record(out wire.Outcome) error
	Acknowledge(key string) error
	// Open lists the assignments whose outcome nobody has taken yet.
	Open() ([]wire.Assignment, error)
}

// keeper is a Journal that outlives the agent.
type keeper interface {
	Accept(as wire.Assignment) error
	// Accepted is when as was; zero when it was not.
	Accepted(key string) time.Time
}

// errInterrupted means: the task began, and nobody knows how it ended.
var errInterrupted = errors.New("interrupted")

// Run talks to the appliance until ctx ends. What fails is tried again for
// ever, less and less often.
func (a *Agent) Run(ctx context.Context) error {
	wait := time.Second
	var last string
	for ctx.Err() == nil {
		w, err := a.hello(ctx)
		if err == nil {
			wait, last = time.Second, ""
			err = a.obey(ctx, w)
		}
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			if err.Error() != last {
				a.log().Warn("appliance not reached; trying again", "err", err)
			}
			last = err.Error()
			pause(ctx, wait)
			wait = min(wait*2, 15*time.Second)
		}
	}
	a.side.wg.Wait()
	a.bye(ctx)
	return nil
}

func (a *Agent) log() *slog.Logger { return silent(a.Log) }

func (a *Agent) bye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, _ = a.Client.Do(ctx, "POST", wire.PathBye+"?boot="+url.QueryEscape(a.BootID), nil, nil) // a courtesy
}

// hello says who this is. Facts travel at first and when they changed.
func (a *Agent) hello(ctx context.Context) (wire.Welcome, error) {
	csr, err := a.Key.Request(a.Machine)
	if err != nil {
		return wire.Welcome{}, err
	}
	h := wire.Hello{Protocol: wire.Protocol, Version: a.Version, Mode: a.Mode, Machine: a.Machine, MAC: a.MAC,
		BootID: a.BootID, Epoch: a.Epoch, Token: a.Token, CSR: csr}
	if a.Facts != nil {
		if f := a.Facts(ctx); !sameFacts(f, a.said) {
			h.Facts = f
		}
	}
	if a.Unconfirmed != nil {
		h.Unconfirmed = a.Unconfirmed()
	}
	var w wire.Welcome
	if _, err = a.Client.Do(ctx, "POST", wire.PathHello, h, &w); err != nil {
		if errors.Is(err, errUnauthorized) && a.Token != "" {
			a.log().Warn("one-time token refused; going on without", "err", err)
			a.Token = ""
		}
		return w, fmt.Errorf("say hello: %w", err)
	}
	if err := sameProtocol(w); err != nil {
		return w, err
	}
	if h.Facts != nil {
		a.said = h.Facts
	}
	return w, a.welcome(w)
}

// sameProtocol refuses an appliance of another major protocol version.
func sameProtocol(w wire.Welcome) error {
	own, _, _ := strings.Cut(wire.Protocol, ".")
	its, _, _ := strings.Cut(w.Protocol, ".")
	if own != its {
		return fmt.Errorf("%w: appliance %s speaks agent protocol %q, this agent speaks %q: update the older of the two",
			pool.ErrConflict, w.Version, w.Protocol, wire.Protocol)
	}
	return nil
}

// sameFacts compares what was found, not when.
func sameFacts(a, b *pool.Facts) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	x.At, y.At = time.Time{}, time.Time{}
	return reflect.DeepEqual(x, y)
}

func (a *Agent) welcome(w wire.Welcome) error {
	if w.Machine != "" {
		a.Machine = w.Machine
	}
	if w.Certificate != "" {
		cert, err := a.Key.Certificate(w.Certificate)
		if err != nil {
			return err
		}
		a.Client.Use(cert)
		a.renew, a.Token = renewAt(cert), ""
	} else if now := a.Client.now(); !a.renew.IsZero() && now.After(a.renew) {
		a.renew = now.Add(time.Minute) // asked for and not given: ask again, but not at once
	}
	if a.Welcomed != nil {
		return a.Welcomed(w)
	}
	return nil
}

// obey does what the Welcome says and returns when it is time for a hello.
func (a *Agent) obey(ctx context.Context, w wire.Welcome) error {
	retry := w.Retry
	if retry <= 0 {
		retry = 5 * time.Second
	}
	retry = min(max(retry, 100*time.Millisecond), 5*time.Minute)
	switch w.State {
	case wire.StateWork:
		if a.Mode == pool.Installed && w.Epoch < a.Epoch {
			return fmt.Errorf("%w: appliance confirms epoch %d, this system is of epoch %d", pool.ErrConflict, w.Epoch, a.Epoch)
		}
		a.log().Info("ready for tasks", "machine", w.Name)
		return a.work(ctx)
	case wire.StateLocal:
		if a.Mode == pool.Installed {
			pause(ctx, retry)
			return nil
		}
		a.log().Info("told to start the disk", "machine", w.Name, "why", w.Why)
		return a.Leave(ctx, pool.TaskReboot)
	case wire.StateWait, wire.StateFenced:
		a.log().Info("waiting", "machine", w.Name, "state", w.State, "why", w.Why)
		pause(ctx, retry)
		return nil
	}
	pause(ctx, retry)
	return fmt.Errorf("%w: appliance %s answered hello with state %q", pool.ErrInvalid, w.Version, w.State)
}

// work performs tasks until the connection is lost, the appliance wants a new
// hello, or half of the certificate's life is over.
func (a *Agent) work(ctx context.Context) error {
	bctx, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() { defer close(beating); a.beats(bctx) }()
	defer func() { stop(); <-beating }()
	open, err := a.Journal.Open()
	if err != nil {
		return err
	}
	for _, as := range open {
		if err := a.turn(ctx, as); err != nil {
			return err
		}
	}
	path := fmt.Sprintf("%s?wait=25&boot=%s&mode=%s", wire.PathTask, url.QueryEscape(a.BootID), a.Mode)
	for ctx.Err() == nil {
		if !a.renew.IsZero() && a.Client.now().After(a.renew) {
			return nil
		}
		var as wire.Assignment
		found, err := a.Client.Do(ctx, "GET", path, nil, &as)
		if err != nil {
			return fmt.Errorf("ask for a task: %w", err)
		}
		if !found {
			continue
		}
		if err := a.turn(ctx, as); err != nil {
			return err
		}
	}
	return nil
}

// turn performs a task in its turn, or begins one that runs beside it.
func (a *Agent) turn(ctx context.Context, as wire.Assignment) error {
	if runsBeside(as.Kind) {
		a.side.begin(ctx, a, as)
		return nil
	}
	defer a.side.meanwhile(ctx, a)()
	return a.perform(ctx, as)
}

// perform has one task performed, or finds its outcome in the journal, and
// returns once the appliance has taken the outcome.
func (a *Agent) perform(ctx context.Context, as wire.Assignment) error {
	log := a.log().With("step", as.Name, "key", as.Key)
	out, known, err := a.Journal.Outcome(as.Key)
	if err != nil {
		return err
	}
	if !known {
		log.Info("task begins", "kind", as.Kind)
		began := time.Now()
		out, err = a.try(ctx, as)
		if errors.Is(err, errGone) {
			log.Info("task is no longer wanted")
			return a.forget(as)
		}
		if ctx.Err() != nil {
			return ctx.Err() // the agent ends; the task's own process may go on
		}
		if out.Cause != nil {
			log.Warn("task ended", "state", out.State, "err", out.Cause.Message, "took", time.Since(began).Round(time.Millisecond))
		} else {
			log.Info("task ended", "state", out.State, "took", time.Since(began).Round(time.Millisecond))
		}
		if err := a.Journal.Record(out); err != nil {
			return err
		}
	}
	if l, ok := a.Tasks.(leftover); known && ok { // it ended while no agent lived
		l.HandOn(ctx, as)
	}
	leaves, err := a.leaves(as, out)
	if err != nil {
		return err
	}
	out.Token, out.BootID = as.Token, a.BootID
	if err := a.deliver(ctx, out); err != nil {
		return err
	}
	if leaves { // the outcome is told: now act; it stays open until another boot finds it
		return a.Leave(ctx, as.Kind)
	}
	return a.Journal.Acknowledge(as.Key)
}

// leaves says whether the system is to be left once out is told, and has the
// journal keep that as a task that is open: should this agent die first, the
// next one leaves, unless the time for it is over. Another boot does not.
func (a *Agent) leaves(as wire.Assignment, out wire.Outcome) (bool, error) {
	if as.Kind != pool.TaskReboot && as.Kind != pool.TaskPowerOff || out.State != wire.OutcomeDone || out.BootID != a.BootID {
		return false, nil
	}
	k, ok := a.Journal.(keeper)
	if !ok {
		return true, nil
	}
	if at := k.Accepted(as.Key); !at.IsZero() {
		return time.Since(at) < max(as.Timeout, time.Minute), nil
	}
	return true, k.Accept(as)
}

// forget closes a task that was cancelled; should its key come again, it was
// interrupted.
func (a *Agent) forget(as wire.Assignment) error {
	out := wire.Outcome{Key: as.Key, Token: as.Token, BootID: a.BootID, State: wire.OutcomeInterrupted}
	return errors.Join(a.Journal.Record(out), a.Journal.Acknowledge(as.Key))
}

// try performs the task under its deadline, reporting how far it is.
func (a *Agent) try(ctx context.Context, as wire.Assignment) (wire.Outcome, error) {
	out := wire.Outcome{Key: as.Key, Token: as.Token, BootID: a.BootID}
	if as.Epoch < a.Epoch {
		out.State = wire.OutcomeFailed
		out.Cause = newCause("epoch.stale", fmt.Sprintf("The task is of epoch %d; this system belongs to epoch %d.", as.Epoch, a.Epoch),
			"", "Release the machine and deploy it again.")
		return out, nil
	}
	timeout := as.Timeout
	if timeout <= 0 {
		timeout = time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &reporter{agent: a, as: as, gone: stop}
	done := make(chan struct{})
	reports := make(chan struct{})
	go func() { defer close(reports); r.run(ctx, done) }()
	var result any
	var err error
	if as.Kind != pool.TaskReboot && as.Kind != pool.TaskPowerOff {
		result, err = a.guarded(ctx, as, r.set)
	}
	close(done)
	<-reports
	if errors.Is(context.Cause(ctx), errGone) {
		return out, errGone
	}
	if r, ok := result.(recorded); ok && err == nil { // by the process that did it
		return r.Outcome, nil
	}
	fill(&out, result, err, ctx.Err(), timeout)
	return out, nil
}

func (a *Agent) guarded(ctx context.Context, as wire.Assignment, progress func(pool.Progress)) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = newCause("agent.panic", fmt.Sprintf("The agent has a defect: %v.", r), string(debug.Stack()),
				"Report it with the evidence; then try again.")
		}
	}()
	return a.Tasks.Perform(ctx, as, progress)
}

// recorded is the result of a task whose outcome is in the journal already.
type recorded struct{ wire.Outcome }

// output is implemented by results and errors that carry last lines of output.
type output interface{ LastLines() string }

func fill(out *wire.Outcome, result any, err, ended error, timeout time.Duration) {
	var lines output
	if errors.As(err, &lines) {
		out.Output = lines.LastLines()
	} else if l, ok := result.(output); ok {
		out.Output = l.LastLines()
	}
	if errors.Is(err, errInterrupted) {
		out.State = wire.OutcomeInterrupted
		return
	}
	if err == nil && result != nil {
		out.Result, err = json.Marshal(result)
	}
	if err == nil {
		out.State = wire.OutcomeDone
		return
	}
	out.State = wire.OutcomeFailed
	if errors.Is(ended, context.DeadlineExceeded) {
		out.Cause = newCause("step.timeout", fmt.Sprintf("The step did not end within %v.", timeout), err.Error(),
			"Look at its output; allow it more time in the recipe, or try again.")
		return
	}
	out.Cause = causeOf(err)
}

// deliver posts the outcome until the appliance has answered. One that it
// refuses as invalid becomes a failure that says so: the step must not wait
// for its deadline. An error says that the agent has to do something else first.
func (a *Agent) deliver(ctx context.Context, out wire.Outcome) error {
	wait, refused := 250*time.Millisecond, false
	for {
		_, err := a.Client.Do(ctx, "POST", wire.PathResult, out, nil)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, pool.ErrInvalid) && !refused:
			refused = true
			out.State, out.Result = wire.OutcomeFailed, nil
			out.Cause = newCause("result.refused", "The appliance refused what the step told.", err.Error(),
				"Look at the evidence; update the agent or mend what it names, then try again.")
			continue
		case errors.Is(err, errGone), errors.Is(err, pool.ErrNotFound), errors.Is(err, pool.ErrInvalid):
			a.log().Warn("nobody takes the outcome of a task", "key", out.Key, "err", err)
			return nil
		case errors.Is(err, errUnauthorized) && a.lane: // the agent itself says hello
		case errors.Is(err, errUnauthorized):
			w, err := a.hello(ctx)
			if err != nil {
				a.log().Warn("hello after a lost session", "err", err)
			} else if w.State != wire.StateWork {
				return fmt.Errorf("%w: deliver outcome of %s: the appliance now says %q: %s", pool.ErrUnavailable, out.Key, w.State, w.Why)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause(ctx, wait)
		wait = min(wait*2, 10*time.Second)
	}
}

// reporter tells how far a task is: at most twice a second, at least every
// five seconds, which is also the sign of life while a task runs.
type reporter struct {
	agent *Agent
	as    wire.Assignment
	gone  context.CancelCauseFunc

	latest lockedProgress
}

func (r *reporter) set(p pool.Progress) { r.latest.set(p) }

func (r *reporter) run(ctx context.Context, done <-chan struct{}) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var sent time.Time
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p, fresh := r.latest.take()
		if !fresh && time.Since(sent) < 5*time.Second {
			continue
		}
		sent = time.Now()
		_, err := r.agent.Client.Do(ctx, "POST", wire.PathProgress,
			wire.Report{Key: r.as.Key, Token: r.as.Token, BootID: r.agent.BootID, Progress: p}, nil)
		if errors.Is(err, errGone) {
			r.gone(errGone)
			return
		}
	}
}
