package rack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// maxMachines is how many BMC addresses lie below the pool of leases.
const maxMachines = 80

// Config says what rack to raise.
type Config struct {
	Machines []Spec
	Accel    string       // "kvm", or TCG: a /dev/kvm that is there need not work
	Log      *slog.Logger // nil: silent
}

// A Rack is a bridge with machines on it, all powered off at first.
type Rack struct {
	Dir      string
	Machines []*Machine
}

// Raise makes the rack of c in the world this process lives in, with its BMCs
// answering. It is refused in the host's namespaces. The rack stands until
// Close, or until the world ends.
func Raise(ctx context.Context, c Config) (_ *Rack, err error) {
	dir, ok := Inside()
	if !ok {
		return nil, errors.New("raise rack: not in a world of its own (see Isolate)")
	}
	if len(c.Machines) == 0 || len(c.Machines) > maxMachines {
		return nil, fmt.Errorf("raise rack: %d machines asked for, 1 to %d possible", len(c.Machines), maxMachines)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	prog, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("raise rack: %w", err)
	}
	if strings.ContainsAny(prog, `'"`) {
		return nil, fmt.Errorf("raise rack: program path %s holds a quote", prog)
	}
	if err := raiseNetwork(len(c.Machines)); err != nil {
		return nil, fmt.Errorf("raise rack: %w", err)
	}
	r := &Rack{Dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("raise rack: %w", err), r.Close())
		}
	}()
	for i, spec := range c.Machines {
		m, err := openMachine(ctx, dir, i, spec, c, prog)
		if err != nil {
			return nil, err
		}
		r.Machines = append(r.Machines, m)
	}
	return r, nil
}

func openMachine(ctx context.Context, dir string, i int, spec Spec, c Config, prog string) (*Machine, error) {
	spec = spec.withDefaults(i)
	m := &Machine{Spec: spec, Index: i, Dir: filepath.Join(dir, spec.Name), accel: c.Accel, log: c.Log, next: BootNone}
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("open machine %s: %w", spec.Name, err)
	}
	m.Spec.Disks = nil
	for n, d := range spec.Disks {
		m.Spec.Disks = append(m.Spec.Disks, d.withDefaults(m.Dir, i, n))
	}
	if spec.NoBMC {
		return m, nil
	}
	var err error
	m.BMC, err = openBMC(ctx, m, m, prog)
	return m, err
}

// Close powers every machine off, stops the BMCs and removes the network.
// Files stay; they are the Folder's.
func (r *Rack) Close() error {
	var errs []error
	for _, m := range r.Machines {
		errs = append(errs, m.close())
	}
	return errors.Join(append(errs, dropNetwork(len(r.Machines)))...)
}
