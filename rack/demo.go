package rack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// A Demo is the whole way on a virtual rack: from power-on to a database that
// answers. It runs in a world.
type Demo struct {
	Machines, UEFI int    // of the machines, the last UEFI have UEFI firmware
	MemoryMB       int    // of one; 1024 when zero
	Appliance      string // the binary that is shown
	Image          string // raw disk image, imported as debian-12
	Packages       string // package repository, as "appliance package mirror" makes it; "" for none
	Exit           bool   // end after the answer, instead of waiting for ctx
	Accel          string // as in Config

	// Answered, unless nil, is called once the database has answered.
	Answered func() error

	Console     *os.File // listener in the host's namespace; nil for none
	ConsoleAddr string   // its address

	Out   io.Writer
	TTY   bool // Out is a terminal: redraw in place
	Width int  // of that terminal
	Log   *slog.Logger

	dir    string
	rack   *Rack
	app    *applianceProcess
	screen *screen
	began  time.Time
	seen   []sighting // per machine
	deploy time.Duration
	query  time.Duration

	endpoint string
}

// Endpoint is where the database answered, inside the rack.
func (d *Demo) Endpoint() string { return d.endpoint }

// sighting is what the demo saw of one machine, since its power-on.
type sighting struct {
	on               time.Time
	inventory, ready time.Duration
	machine          wire.Machine
}

// Deadlines of the stages, on two cores without hardware virtualization. Each
// machine beyond the first adds its share.
const (
	serveTime     = time.Minute
	importTime    = 4 * time.Minute
	inventoryTime = 3 * time.Minute
	readyTime     = 5 * time.Minute
	shareTime     = time.Minute
	deployTime    = 15 * time.Minute
	queryTime     = 2 * time.Minute

	together = 3 // machines that may boot at once
)

// StageError says on which machine and at which stage a demo went wrong, why,
// and where to read on.
type StageError struct {
	Machine string // "" when it is not of one machine
	Stage   string
	Logs    []string
	Err     error
}

func (e *StageError) Error() string {
	var b strings.Builder
	if e.Machine != "" {
		fmt.Fprintf(&b, "%s: ", e.Machine)
	}
	fmt.Fprintf(&b, "%s: %v", e.Stage, e.Err)
	for _, l := range e.Logs {
		fmt.Fprintf(&b, "\n  log: %s", l)
		if line := lastLine(l); line != "" {
			fmt.Fprintf(&b, "\n       it ends with: %.160q", line)
		}
	}
	return b.String()
}

func (e *StageError) Unwrap() error { return e.Err }

// Run runs the demo. It returns nil once the database has answered and, unless
// Exit is set, ctx has ended; a *StageError when a stage failed. It leaves no
// process behind.
func (d *Demo) Run(ctx context.Context) (err error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	d.began, d.screen = time.Now(), newScreen(d.Out, d.TTY, d.Width)
	if d.rack, err = Raise(ctx, Config{Machines: d.specs(), Accel: d.Accel, Log: d.Log}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.rack.Close()) }()
	d.dir, d.seen = d.rack.Dir, make([]sighting, len(d.rack.Machines))
	d.screen.note("A rack of %d machines stands, all powered off. Their consoles: %s", d.Machines, filepath.Join(d.dir, "m*", "console.log"))

	if err := d.serve(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.app.stop()) }()
	api, err := d.app.client()
	if err != nil {
		return err
	}
	defer api.Close()
	if err := d.importImage(ctx, api); err != nil {
		return err
	}
	if err := d.fill(ctx, api); err != nil {
		return err
	}
	if d.endpoint, err = d.install(ctx, api); err != nil {
		return err
	}
	said, err := d.ask(ctx, api, d.endpoint)
	if err != nil {
		return err
	}
	d.tell(said, d.endpoint)
	if d.Answered != nil {
		if err := d.Answered(); err != nil {
			return err
		}
	}
	if d.Exit {
		return nil
	}
	select {
	case <-ctx.Done():
		d.screen.note("Taking the rack down.")
		return nil
	case <-d.app.done:
		return d.broken("", "serve", errors.New("the appliance has ended"))
	}
}

func (d *Demo) specs() []Spec {
	out := make([]Spec, d.Machines)
	for i := range out {
		out[i].MemoryMB = d.MemoryMB
		if i >= d.Machines-d.UEFI {
			out[i].Firmware = UEFI
		}
	}
	return out
}

// broken makes a StageError. A machine's name adds its console log.
func (d *Demo) broken(machine, stage string, err error) error {
	e := &StageError{Machine: machine, Stage: stage, Err: err, Logs: []string{filepath.Join(d.dir, "appliance.log")}}
	for _, m := range d.rack.Machines {
		if m.Spec.Name == machine {
			e.Machine = fmt.Sprintf("%s (%s)", machine, m.Spec.Firmware)
			e.Logs = append([]string{m.ConsoleLog()}, e.Logs...)
		}
	}
	return e
}

// within runs a stage under its deadline. Only the caller's own end passes
// through as it is.
func (d *Demo) within(ctx context.Context, limit time.Duration, stage string, f func(context.Context) error) error {
	in, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := f(in)
	var known *StageError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case in.Err() != nil:
		err = fmt.Errorf("not done within %s: %w", limit, err)
	}
	return d.broken("", stage, err)
}

func (d *Demo) serve(ctx context.Context) error {
	return d.within(ctx, serveTime, "serve", func(ctx context.Context) (err error) {
		if d.app, err = startAppliance(ctx, d); err != nil {
			return err
		}
		if err := d.app.await(ctx); err != nil {
			return errors.Join(err, d.app.stop())
		}
		d.screen.note("The appliance serves %s on %s.", Subnet(), Bridge)
		return nil
	})
}

func (d *Demo) importImage(ctx context.Context, api demoAPI) error {
	return d.within(ctx, importTime, "import image", func(ctx context.Context) error {
		f, err := os.Open(d.Image)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // read only
		info, err := f.Stat()
		if err != nil {
			return err
		}
		start := time.Now()
		if _, err := api.UploadImage(ctx, imageName, f, info.Size()); err != nil {
			return err
		}
		d.screen.note("Image %s is imported (%s).", imageName, round(time.Since(start)))
		return nil
	})
}

// fill powers the machines on, a few at a time, and waits until all are ready.
func (d *Demo) fill(ctx context.Context, api demoAPI) error {
	limit := readyTime + time.Duration(d.Machines)*shareTime
	return d.within(ctx, limit, "ready", func(ctx context.Context) error {
		for {
			if err := d.look(ctx, api); err != nil {
				return err
			}
			ready, booting := 0, 0
			for i, m := range d.rack.Machines {
				s := &d.seen[i]
				switch {
				case s.ready > 0:
					ready++
				case !s.on.IsZero() && s.inventory == 0:
					booting++
				}
				if err := d.check(m, s); err != nil {
					return err
				}
			}
			if ready == len(d.rack.Machines) {
				d.screen.note("All %d machines are ready.", ready)
				return nil
			}
			if err := d.powerOn(ctx, together-booting); err != nil {
				return err
			}
			if err := d.pause(ctx); err != nil {
				return err
			}
		}
	})
}

// check says what is wrong with a machine that will not become ready.
func (d *Demo) check(m *Machine, s *sighting) error {
	switch {
	case s.on.IsZero() || s.ready > 0:
		return nil
	case s.inventory == 0 && time.Since(s.on) > inventoryTime+time.Duration(d.Machines)*shareTime/2:
		return d.broken(m.Spec.Name, "inventory", fmt.Errorf("none %s after power-on", round(time.Since(s.on))))
	}
	for _, c := range []pool.ConditionType{pool.CondBroken, pool.CondProtected, pool.CondHold} {
		if !s.machine.Conditions.Is(c) {
			continue
		}
		if op := s.machine.Operation; op != nil && op.Cause != nil {
			return d.broken(m.Spec.Name, string(op.Kind)+" "+op.Step, causeError(op.Cause))
		}
		return d.broken(m.Spec.Name, string(s.machine.Phase), fmt.Errorf("%s: %s", c, s.machine.Conditions[c].Reason))
	}
	return nil
}

func causeError(c *pool.Cause) error {
	return fmt.Errorf("%s: %s (%s) %s", c.Code, c.Message, c.Evidence, c.Remedy)
}

// powerOn switches on up to n machines that are still off, as a person with
// the factory password would, once in their life.
func (d *Demo) powerOn(ctx context.Context, n int) error {
	for i, m := range d.rack.Machines {
		if n <= 0 || !d.seen[i].on.IsZero() {
			continue
		}
		n--
		for _, words := range []string{"chassis bootdev pxe", "chassis power on"} {
			args := append([]string{"-I", "lanplus", "-C", "3", "-H", m.BMC.Addr.String(), "-U", FactoryUser, "-E"}, strings.Fields(words)...)
			cmd := exec.CommandContext(ctx, "ipmitool", args...)
			cmd.Env = append(Environ(), "IPMI_PASSWORD="+FactoryPassword)
			if out, err := cmd.CombinedOutput(); err != nil {
				return d.broken(m.Spec.Name, "power on", fmt.Errorf("%s: %w: %s", words, err, strings.TrimSpace(string(out))))
			}
		}
		d.seen[i].on = time.Now()
	}
	return nil
}

// look asks the appliance about its machines and draws what it says.
func (d *Demo) look(ctx context.Context, api demoAPI) error {
	machines, err := api.Machines(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	for i, m := range d.rack.Machines {
		s := &d.seen[i]
		for _, w := range machines {
			if strings.EqualFold(w.MAC().String(), m.MAC()) {
				s.machine = w
			}
		}
		if s.inventory == 0 && s.machine.Facts != nil {
			s.inventory = now.Sub(s.on)
		}
		if s.ready == 0 && s.machine.Phase == pool.Ready {
			s.ready = now.Sub(s.on)
		}
	}
	d.draw(nil)
	return nil
}

// pause waits for the next look, or for the appliance's unexpected end.
func (d *Demo) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-d.app.done:
		return d.broken("", "serve", errors.New("the appliance has ended"))
	case <-time.After(500 * time.Millisecond):
		return nil
	}
}

// install deploys the service and returns its endpoint.
func (d *Demo) install(ctx context.Context, api demoAPI) (endpoint string, err error) {
	err = d.within(ctx, deployTime, "deploy "+serviceName, func(ctx context.Context) error {
		start := time.Now()
		if _, err := api.Deploy(ctx, wire.DeployRequest{Recipe: serviceName}); err != nil {
			return err
		}
		d.screen.note("$ appliance deploy %s", serviceName)
		for {
			s, err := api.Service(ctx, serviceName)
			if err != nil {
				return err
			}
			if err := d.look(ctx, api); err != nil {
				return err
			}
			d.draw(&s)
			switch {
			case s.Phase == pool.ServiceRunning && len(s.Endpoints) > 0:
				endpoint, d.deploy = s.Endpoints[0], time.Since(start)
				return nil
			case s.Phase == pool.ServiceFailed:
				return d.serviceError(s)
			}
			err = d.pause(ctx)
			if ctx.Err() != nil {
				return fmt.Errorf("%w; the service was: %s", ctx.Err(), s.Sentence)
			}
			if err != nil {
				return err
			}
		}
	})
	return endpoint, err
}

// serviceError names the machine that a failed service was on.
func (d *Demo) serviceError(s wire.Service) error {
	cause, machine, step := s.Cause, "", ""
	for _, in := range s.Running {
		if in.Cause != nil {
			cause, step = in.Cause, in.Step
		}
		for i, seen := range d.seen {
			if in.Machine != "" && seen.machine.ID == in.Machine {
				machine = d.rack.Machines[i].Spec.Name
			}
		}
	}
	if cause == nil {
		return d.broken(machine, "deploy "+step, errors.New(s.Sentence))
	}
	return d.broken(machine, "deploy "+step, causeError(cause))
}

func (d *Demo) ask(ctx context.Context, api demoAPI, endpoint string) (said answerSQL, err error) {
	err = d.within(ctx, queryTime, "query", func(ctx context.Context) error {
		start := time.Now()
		login, err := loginOf(ctx, api)
		if err != nil {
			return err
		}
		if said, err = askDatabase(ctx, endpoint, login); err != nil {
			return fmt.Errorf("ask %s: %w", endpoint, err)
		}
		d.query = time.Since(start)
		return nil
	})
	return said, err
}
