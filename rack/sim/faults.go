package sim

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/pool"
)

// Kinds of faults.
const (
	BMCFreezes = "bmc-freezes" // it answers nothing for a while
	AgentDies  = "agent-dies"  // killed; in RAM the kernel panics and starts anew, installed it is started again after a while
	LinkFlaps  = "link-flaps"  // no network for a while
	DiskErrors = "disk-errors" // wipes and images fail for a while
	PowerCut   = "power-cut"   // machine and BMC are without power for a while; the machine starts when it returns
	Dies       = "dies"        // the machine goes off and does not start any more, whatever its BMC is asked
)

func kinds() []string { return []string{BMCFreezes, AgentDies, LinkFlaps, DiskErrors, PowerCut, Dies} }

// Fault is one line of a fault script.
type Fault struct {
	At     time.Duration // since the rack was switched on
	Kind   string
	Ranges [][2]int      // machines, from 0
	Share  float64       // or each machine with this probability
	For    time.Duration // how long; each kind has a default
	Every  time.Duration // again and again after this time; 0: once
}

// ReadFaults reads a fault script: a fault a line,
//
//	TIME KIND MACHINES [for TIME] [every TIME]
//
// MACHINES are numbers and ranges from 0 ("3,10-19"), a share ("5%"), which
// the seed draws, or "all"; "#" begins a comment. Errors wrap pool.ErrInvalid
// and name the line.
func ReadFaults(in io.Reader) ([]Fault, error) {
	var out []Fault
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		f, err := parseFault(words)
		if err != nil {
			return nil, fmt.Errorf("%w: faults, line %d: %v", pool.ErrInvalid, n, err)
		}
		out = append(out, f)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read faults: %w", err)
	}
	return out, nil
}

func parseFault(words []string) (Fault, error) {
	var f Fault
	if len(words) < 3 {
		return f, fmt.Errorf("%q: want TIME KIND MACHINES [for TIME] [every TIME]", strings.Join(words, " "))
	}
	var err error
	if f.At, err = span(words[0], true); err != nil {
		return f, err
	}
	f.Kind = words[1]
	if !slices.Contains(kinds(), f.Kind) {
		return f, fmt.Errorf("fault %q: want one of %s", f.Kind, strings.Join(kinds(), ", "))
	}
	if err := f.who(words[2]); err != nil {
		return f, err
	}
	for rest := words[3:]; len(rest) > 0; rest = rest[2:] {
		if len(rest) < 2 {
			return f, fmt.Errorf("%q: a time is missing", rest[0])
		}
		d, err := span(rest[1], false)
		switch {
		case err != nil:
			return f, err
		case rest[0] == "for":
			f.For = d
		case rest[0] == "every":
			f.Every = d
		default:
			return f, fmt.Errorf("%q: want for or every", rest[0])
		}
	}
	return f, nil
}

func span(text string, zero bool) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d == 0 && !zero || d > 1000*time.Hour {
		return 0, fmt.Errorf("time %q: want something like 90s or 2m", text)
	}
	return d, nil
}

func (f *Fault) who(text string) error {
	if text == "all" {
		f.Ranges = [][2]int{{0, math.MaxInt}}
		return nil
	}
	if share, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return fmt.Errorf("share %q: want more than 0%% and no more than 100%%", text)
		}
		f.Share = p / 100
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		a, err := strconv.ParseUint(low, 10, 31)
		b := a
		if err == nil && isRange {
			b, err = strconv.ParseUint(high, 10, 31)
		}
		if err != nil || b < a {
			return fmt.Errorf("machines %q: want numbers and ranges, a share like 5%%, or all", text)
		}
		f.Ranges = append(f.Ranges, [2]int{int(a), int(b)})
	}
	return nil
}

func (f Fault) check(machines int) error {
	for _, x := range f.Ranges {
		if x[0] >= machines {
			return fmt.Errorf("%w: fault %s: there is no machine %d in a rack of %d", pool.ErrInvalid, f.Kind, x[0], machines)
		}
	}
	return nil
}

// length is how long a fault lasts.
func (f Fault) length() time.Duration {
	switch {
	case f.For > 0:
		return f.For
	case f.Kind == LinkFlaps:
		return 3 * time.Second
	case f.Kind == AgentDies:
		return 5 * time.Second
	}
	return 30 * time.Second
}

// play lets the faults of the script happen.
func (r *Rack) play(ctx context.Context) {
	start := time.Now()
	done := make(chan struct{})
	for i, f := range r.Faults {
		rnd := rand.New(rand.NewPCG(r.Seed, uint64(i)<<32))
		go func() {
			defer func() { done <- struct{}{} }()
			for at := f.At; pause(ctx, time.Until(start.Add(at))); at += f.Every {
				for _, m := range r.pick(f, rnd) {
					r.Log.Info("fault", "machine", m.Index, "kind", f.Kind, "for", f.length())
					m.wg.Go(func() { m.suffer(ctx, f) })
				}
				if f.Every == 0 {
					return
				}
			}
		}()
	}
	for range r.Faults {
		<-done
	}
}

// suffer is one fault on one machine, from its beginning to its end.
func (m *Machine) suffer(ctx context.Context, f Fault) {
	switch f.Kind {
	case BMCFreezes:
		if m.bmc != nil {
			m.bmc.frozen.Add(1)
			pause(ctx, f.length())
			m.bmc.frozen.Add(-1)
		}
	case LinkFlaps:
		m.link.down()
		pause(ctx, f.length())
		m.link.up()
	case DiskErrors:
		m.badDisk.Add(1)
		pause(ctx, f.length())
		m.badDisk.Add(-1)
	case AgentDies:
		m.killAgent(f.length())
	case Dies:
		m.dead.Store(true)
		m.SetPower(false)
	case PowerCut:
		if m.bmc != nil {
			m.bmc.frozen.Add(1)
		}
		was := m.Power()
		m.link.cut()
		m.SetPower(false)
		pause(ctx, f.length())
		if m.bmc != nil {
			m.bmc.frozen.Add(-1)
		}
		if was {
			m.SetPower(true)
		}
	}
}

func exp(x float64) float64 { return math.Exp(x) }
