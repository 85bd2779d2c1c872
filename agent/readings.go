package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"appliance/pool"
	"appliance/recipes"
)

// readingsCache is how long details and monitors are not read again, as in
// the original.
const readingsCache = 5 * time.Second

// maxReadings bounds what one look may send.
const maxReadings = 256 << 10

// lookouts reads details and monitors of the instances on this machine.
type lookouts struct {
	home   Home
	client *Client
	proc   procFS // /proc when empty

	mu  sync.Mutex
	all map[string]*lookout // by instance
}

// lookout is what is remembered of one instance between looks.
type lookout struct {
	mu     sync.Mutex // one look at a time
	digest string
	run    *recipes.Runner
	last   pool.Readings
	cpu    time.Duration
	cpuAt  time.Time
}

// Look implements looker: the recipe's details and monitors, and what its
// processes use. What fails is told in Trouble and leaves the rest alone.
func (l *lookouts) Look(ctx context.Context, p pool.EventParams) pool.Readings {
	l.mu.Lock()
	if l.all == nil {
		l.all = map[string]*lookout{}
	}
	o := l.all[p.Instance.ID]
	if o == nil {
		if len(l.all) >= 64 { // of instances that were here once
			clear(l.all)
		}
		o = &lookout{}
		l.all[p.Instance.ID] = o
	}
	l.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); o.last.Instance == "" || now.Sub(o.last.At) >= readingsCache {
		o.last = l.read(ctx, o, p.Instance)
	}
	return o.last
}

func (l *lookouts) read(ctx context.Context, o *lookout, in pool.InstanceInfo) (r pool.Readings) {
	r = pool.Readings{Instance: in.ID, Number: in.Number, Details: map[string]any{}, Monitors: map[string]any{}}
	defer func() {
		if p := recover(); p != nil {
			r.Trouble = fmt.Sprintf("the agent has a defect: %v: %.500s", p, debug.Stack())
		}
		r.At = time.Now().UTC()
	}()
	var trouble []string
	fails := func(what string, err error) {
		if err != nil {
			trouble = append(trouble, what+": "+err.Error())
		}
	}
	if o.run == nil || o.digest != in.Digest {
		lc := &lifecycle{home: l.home, client: l.client, out: io.Discard}
		run, err := lc.runner(in)
		if err != nil {
			r.Trouble = err.Error()
			return r
		}
		o.run, o.digest = run, in.Digest
	}
	maps.Copy(r.Details, ownDetails(in, o.run))
	fails("processes", l.processes(ctx, o, in, r.Monitors))
	fails("monitors", section(ctx, o.run, "monitors", r.Monitors))
	fails("details", section(ctx, o.run, "details", r.Details))
	r.Trouble = strings.Join(trouble, "; ")
	if b, err := json.Marshal(r); err != nil || len(b) > maxReadings {
		r.Details, r.Monitors = nil, nil
		r.Trouble = fmt.Sprintf("the recipe's details and monitors are %d bytes, %d at most", len(b), maxReadings)
	}
	return r
}

// section evaluates monitors or details; their value is a map.
func section(ctx context.Context, run *recipes.Runner, event string, into map[string]any) error {
	res, err := run.Run(ctx, event, nil, io.Discard)
	if err != nil || !res.Ran || res.Value == nil {
		return err
	}
	m, ok := res.Value.(map[string]any)
	if !ok {
		return fmt.Errorf("they are no map but %T", res.Value)
	}
	maps.Copy(into, m)
	return nil
}

// ownDetails are published of every instance.
func ownDetails(in pool.InstanceInfo, run *recipes.Runner) map[string]any {
	d := map[string]any{"Machine ID": in.Machine, "Instance ID": in.Number, "Working Directory": run.Dir}
	if in.Address.IsValid() {
		d["Cloud Private IP"], d["Cloud Public IP"] = in.Address.String(), in.Address.String()
	}
	if in.Image != "" {
		d["Cloud Image ID"] = in.Image
	}
	if run.Recipe.Icon != "" {
		d["icon"] = run.Recipe.Icon
	}
	if run.Recipe.URL != "" {
		d["url"] = run.Recipe.URL
	}
	return d
}

// processes adds the process monitors: of what the recipe's locator names,
// else of what listens on its port; several processes count together.
func (l *lookouts) processes(ctx context.Context, o *lookout, _ pool.InstanceInfo, into map[string]any) error {
	proc := l.proc
	if proc == "" {
		proc = "/proc"
	}
	pids, err := located(ctx, o.run)
	if err != nil {
		return err
	}
	if len(pids) == 0 && o.run.Recipe.Port > 0 {
		pids = proc.listening(o.run.Recipe.Port)
	}
	u, err := proc.sum(pids)
	if err != nil || u.processes == 0 {
		return err
	}
	now, total := time.Now(), u.user+u.kernel
	into[monitorCPUTime], into[monitorCPUKernel] = total.Milliseconds(), u.kernel.Milliseconds()
	into[monitorVirtual], into[monitorResident] = u.virtual, u.resident
	into[monitorThreads], into[monitorFaults] = u.threads, u.faults
	if passed := now.Sub(o.cpuAt); !o.cpuAt.IsZero() && passed > 0 && total >= o.cpu {
		into[monitorCPUUsage] = float64(total-o.cpu) / float64(passed) * 100
	}
	o.cpu, o.cpuAt = total, now
	return nil
}

// located asks the recipe's locator for its processes.
func located(ctx context.Context, run *recipes.Runner) ([]int, error) {
	res, err := run.Run(ctx, "locator", nil, io.Discard)
	if err != nil || !res.Ran {
		return nil, err
	}
	list, _ := res.Value.([]any) // anything else: it found none
	var pids []int
	for _, v := range list {
		if n, ok := v.(int64); ok && n > 0 {
			pids = append(pids, int(n))
		}
	}
	return pids, nil
}
