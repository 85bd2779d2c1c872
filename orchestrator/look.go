package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"appliance/pool"
)

const (
	// readingsAge is how old details and monitors may be when they are asked for.
	readingsAge = 5 * time.Second
	// lookTime is how long an agent may take to read them.
	lookTime = 10 * time.Second
	// keptSamples bounds the samples of one monitor of one instance that are
	// kept where no scaling rule wants more; maxSamples where one does.
	keptSamples = 60
	maxSamples  = 3600
	// maxMonitors bounds the monitors of one instance that are sampled.
	maxMonitors = 64
)

// lookout is what agents read of instances. It lives in memory only: a sample
// is no change of state. The zero value is ready.
type lookout struct {
	mu      sync.Mutex
	asked   map[string][]pool.Step              // by machine: looks that its agent is to have
	since   map[string]time.Time                // by instance: when it was asked last
	last    map[string]pool.Readings            // by instance
	samples map[string]map[string][]pool.Sample // by instance and monitor
	news    map[string]bool                     // services whose samples are new
	n       int
}

func (l *lookout) init() {
	if l.asked == nil {
		l.asked, l.since, l.last = map[string][]pool.Step{}, map[string]time.Time{}, map[string]pool.Readings{}
		l.samples, l.news = map[string]map[string][]pool.Sample{}, map[string]bool{}
	}
}

// ask queues a look at an instance for its machine's agent, unless one is
// under way.
func (l *lookout) ask(info pool.InstanceInfo, epoch int64, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	if at, ok := l.since[info.ID]; ok && now.Sub(at) < lookTime {
		return false
	}
	l.since[info.ID] = now
	l.n++
	s := pool.Step{Key: fmt.Sprintf("look/%s/%d", info.ID, l.n), Owner: info.ID, Machine: info.Machine, Name: "look", Executor: pool.ByAgent,
		Mode: pool.Installed, Idempotent: true, Status: pool.StepRunning, Attempt: 1, Tries: 1, Epoch: epoch, Timeout: lookTime,
		StartedAt: now, Deadline: now.Add(lookTime), Task: &pool.Task{Kind: pool.TaskLook, Params: encode(pool.EventParams{Instance: info})}}
	list := slices.DeleteFunc(l.asked[info.Machine], func(o pool.Step) bool { return o.Owner == info.ID })
	l.asked[info.Machine] = append(list, s)
	return true
}

// take returns a look that machine's agent is to have; those that nobody took
// in time are dropped.
func (l *lookout) take(machine string, now time.Time) (pool.Step, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for list := l.asked[machine]; len(list) > 0; list = list[1:] {
		l.asked[machine] = list[1:]
		if now.Before(list[0].Deadline) {
			return list[0], true
		}
	}
	delete(l.asked, machine)
	return pool.Step{}, false
}

// put keeps readings of an instance, and the numbers among its monitors as samples.
func (l *lookout) put(r pool.Readings, service string, keep int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.init()
	delete(l.since, r.Instance)
	l.last[r.Instance] = r
	of := l.samples[r.Instance]
	if of == nil {
		of = map[string][]pool.Sample{}
		l.samples[r.Instance] = of
	}
	for _, name := range slices.Sorted(maps.Keys(r.Monitors)) {
		v, ok := number(r.Monitors[name])
		if !ok || len(of) >= maxMonitors && of[name] == nil {
			continue
		}
		list := append(of[name], pool.Sample{At: r.At, Value: v})
		if drop := len(list) - keep; drop > 0 {
			list = slices.Delete(list, 0, drop)
		}
		of[name] = list
	}
	l.news[service] = true
}

// number is a monitor's value, if it is a finite number.
func number(v any) (float64, bool) {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case int:
		f = float64(v)
	default:
		return 0, false
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

func (l *lookout) reading(instance string) (pool.Readings, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.last[instance]
	return r, ok
}

// window returns the samples of a monitor that are not older than since.
func (l *lookout) window(instance, monitor string, since time.Time) []pool.Sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.samples[instance][monitor]
	for len(list) > 0 && list[0].At.Before(since) {
		list = list[1:]
	}
	return slices.Clone(list)
}

// forget drops all that is known of instances that are not in keep.
func (l *lookout) forget(keep map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := func(id string) bool { return !keep[id] }
	maps.DeleteFunc(l.last, func(id string, _ pool.Readings) bool { return gone(id) })
	maps.DeleteFunc(l.since, func(id string, _ time.Time) bool { return gone(id) })
	maps.DeleteFunc(l.samples, func(id string, _ map[string][]pool.Sample) bool { return gone(id) })
}

// takeNews returns the services that have new samples, once.
func (l *lookout) takeNews() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.Sorted(maps.Keys(l.news))
	clear(l.news)
	return out
}

// takeLook gives a look to the agent that asks for something to do.
func (e *Engine) takeLook(_ context.Context, machine string) (pool.Step, string, error) {
	s, ok := e.looks.take(machine, time.Now())
	if !ok {
		return pool.Step{}, "", nil
	}
	return s, "look", nil
}

// TakeReadings keeps what an agent read of the instance on its machine.
// Errors wrap ErrNotFound for an instance that is not there any more.
func (e *Engine) TakeReadings(ctx context.Context, machine string, r pool.Readings) error {
	e.init()
	in, err := e.Store.Instance(ctx, r.Instance)
	if err != nil {
		return err
	}
	if in.Machine != machine || in.Phase == pool.InstanceRemoved {
		return fmt.Errorf("%w: instance %s is not on machine %s", pool.ErrNotFound, r.Instance, machine)
	}
	svc, err := e.Store.Service(ctx, in.Service)
	if err != nil {
		return err
	}
	r.Number, r.At = in.Number, time.Now().UTC()
	e.looks.put(r, svc.Name, kept(svc.Recipe.Scaling))
	e.ring("r:" + r.Instance)
	return nil
}

// kept is how many samples the rules of a service want.
func kept(s pool.Scaling) int {
	n := keptSamples
	for _, r := range s.Rules {
		if s.Sampling > 0 {
			n = max(n, int(r.Window/s.Sampling)+2)
		}
	}
	return min(n, maxSamples)
}

// Readings returns details and monitors of the instances of a service that
// run: those that are older than five seconds are read anew. It waits for the
// agents as long as ctx does, ten seconds at most; Trouble says who did not
// answer. Errors wrap ErrNotFound.
func (e *Engine) Readings(ctx context.Context, service string) ([]pool.Readings, error) {
	e.init()
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return nil, err
	}
	instances, err := e.Store.Instances(ctx, service)
	if err != nil {
		return nil, err
	}
	asked := time.Now()
	fresh := func(in pool.Instance) bool {
		r, ok := e.looks.reading(in.ID)
		return ok && asked.Sub(r.At) < readingsAge
	}
	instances = slices.DeleteFunc(instances, func(in pool.Instance) bool { return in.Phase != pool.InstanceRunning })
	for _, in := range instances {
		if fresh(in) {
			continue
		}
		if err := e.askLook(ctx, svc, in); err != nil {
			return nil, err
		}
	}
	wait, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	out := make([]pool.Readings, 0, len(instances))
	for _, in := range instances {
		for !fresh(in) && wait.Err() == nil {
			bell := e.bell("r:" + in.ID)
			if fresh(in) {
				break
			}
			select {
			case <-bell:
			case <-wait.Done():
			}
		}
		e.ring("r:" + in.ID) // keeps no bell that nothing will ring
		r, ok := e.looks.reading(in.ID)
		if !ok || !fresh(in) {
			r.Instance, r.Number = in.ID, in.Number
			r.Trouble = "its agent did not answer"
		}
		out = append(out, r)
	}
	return out, nil
}

// askLook has the agent of an instance's machine read details and monitors.
func (e *Engine) askLook(ctx context.Context, svc pool.Service, in pool.Instance) error {
	m, err := e.Store.Machine(ctx, in.Machine)
	if errors.Is(err, pool.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	rev, err := e.revisionOf(ctx, svc, in)
	if err != nil {
		return err
	}
	if e.looks.ask(instanceInfo(&in, &svc, rev, &m), m.Epoch, time.Now()) {
		e.ring(m.ID)
	}
	return nil
}

// Samples returns what is kept of the monitors of a service's instances, by
// instance ID and monitor.
func (e *Engine) Samples(ctx context.Context, service string) (map[string]map[string][]pool.Sample, error) {
	e.init()
	instances, err := e.Store.Instances(ctx, service)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string][]pool.Sample{}
	e.looks.mu.Lock()
	defer e.looks.mu.Unlock()
	for _, in := range instances {
		for name, list := range e.looks.samples[in.ID] {
			if out[in.ID] == nil {
				out[in.ID] = map[string][]pool.Sample{}
			}
			out[in.ID][name] = slices.Clone(list)
		}
	}
	return out, nil
}
