package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// herd is an appliance and several machines of the pool without BMCs, whose
// agents do what they are asked, at once. It runs in a synctest bubble.
type herd struct {
	mem    *memory
	engine *Engine
	wg     sync.WaitGroup

	mu       sync.Mutex
	monitors func(service string, number int) map[string]any // nil: looks are not answered
	command  func(p pool.CommandParams) pool.TaskOutcome
	events   []string // SERVICE/NUMBER EVENT, in order
}

// inHerd runs f with n ready machines; setup may change them before they are served.
func inHerd(t *testing.T, n int, f func(ctx context.Context, h *herd)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &herd{mem: newMemory(), command: func(pool.CommandParams) pool.TaskOutcome { return pool.TaskOutcome{State: "done"} }}
		h.mem.check = invariants
		for i := 1; i <= n; i++ {
			m := pool.Machine{ID: fmt.Sprintf("m-%d", i), Name: fmt.Sprintf("node-%d", i), Phase: pool.Ready, MACs: []pool.MAC{{2, 0, 0, 0, 0, byte(i)}},
				Key: "key", Arch: pool.AMD64, Firmware: pool.BIOS, CreatedAt: time.Now(), Conditions: pool.Conditions{},
				Facts: &pool.Facts{Arch: pool.AMD64, Firmware: pool.BIOS, CPU: pool.CPU{Cores: 2}, Memory: 2 << 30,
					Disks: []pool.Disk{{Name: "vda", Serial: fmt.Sprintf("D%d", i), Size: 20 << 30, Type: "virtio"}}}}
			h.mem.machines[m.ID] = m
			h.mem.wipes[m.ID] = map[string]bool{m.Facts.Disks[0].Serial: true}
		}
		h.engine = &Engine{Store: h.mem.open(), Compute: compute.Metal{}}
		h.engine.init()
		ctx, stop := context.WithCancel(t.Context())
		defer h.wg.Wait()
		defer stop()
		h.wg.Go(func() {
			if err := h.engine.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for i := 1; i <= n; i++ {
			h.wg.Go(func() { h.machine(ctx, i) })
		}
		f(ctx, h)
		if h.mem.broken != nil {
			t.Errorf("invariant: %v", h.mem.broken)
		}
	})
}

// machine boots the agent into RAM, and after a reboot what is on its disk.
func (h *herd) machine(ctx context.Context, i int) {
	id, system := fmt.Sprintf("m-%d", i), false
	var epoch int64
	for boot := 1; ctx.Err() == nil; boot++ {
		hello := pool.AgentHello{Machine: id, MAC: pool.MAC{2, 0, 0, 0, 0, byte(i)}, Mode: pool.InRAM, BootID: fmt.Sprintf("%s-%d", id, boot), Key: "key",
			Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})}
		if system {
			hello.Mode, hello.Epoch = pool.Installed, epoch
		}
		v, err := h.engine.AgentHello(ctx, hello)
		if err != nil || v.State != verdictWork {
			system = system && v.State != verdictFenced || v.State == verdictLocal
			sleep(ctx, 5*time.Second)
			continue
		}
		if e := h.tasks(ctx, id, hello); e >= 0 {
			if e > 0 {
				epoch = e
			}
			system = hello.Mode == pool.InRAM
		}
	}
}

// tasks works until the machine reboots: it returns the epoch of an image that
// was written, or 0; -1 when it is time for a hello.
func (h *herd) tasks(ctx context.Context, id string, hello pool.AgentHello) (epoch int64) {
	for ctx.Err() == nil {
		poll, stop := context.WithTimeout(ctx, 20*time.Second)
		s, token, err := h.engine.NextTask(poll, id, hello.BootID, hello.Mode)
		stop()
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			sleep(ctx, time.Second)
			return -1
		}
		o := h.do(ctx, s)
		o.Machine, o.Key, o.Token, o.BootID = id, s.Key, token, hello.BootID
		if s.Task.Kind == pool.TaskImage {
			var p pool.ImageParams
			_ = json.Unmarshal(s.Task.Params, &p)
			epoch = p.Epoch
		}
		if o.State != "" {
			_ = h.engine.TaskResult(ctx, o) // a late one is refused
		}
		if s.Task.Kind == pool.TaskReboot {
			return epoch
		}
	}
	return -1
}

func (h *herd) do(ctx context.Context, s pool.Step) pool.TaskOutcome {
	o := pool.TaskOutcome{State: "done"}
	put := func(v any) { o.Result, _ = json.Marshal(v) }
	h.mu.Lock()
	defer h.mu.Unlock()
	switch s.Task.Kind {
	case pool.TaskFacts:
		put(h.mem.machines[s.Machine].Facts)
	case pool.TaskImage:
		put(pool.ImageResult{})
	case pool.TaskWipe:
		var p pool.WipeParams
		_ = json.Unmarshal(s.Task.Params, &p)
		res := pool.WipeResult{Facts: h.mem.machines[s.Machine].Facts}
		for _, serial := range p.Serials {
			res.Wiped = append(res.Wiped, pool.WipedDisk{Serial: serial, Method: "zero", Size: 20 << 30})
		}
		put(res)
	case pool.TaskCommand:
		o = h.command(paramsOf(&s))
	case pool.TaskLook:
		var p pool.EventParams
		_ = json.Unmarshal(s.Task.Params, &p)
		if h.monitors != nil {
			_ = h.engine.TakeReadings(ctx, s.Machine, pool.Readings{Instance: p.Instance.ID, Monitors: h.monitors(p.Instance.Service, p.Instance.Number),
				Details: map[string]any{"url": "http://" + p.Instance.Address.String()}})
		}
		o.State = ""
	default:
		var p pool.EventParams
		if json.Unmarshal(s.Task.Params, &p) == nil && p.Event != "" {
			h.events = append(h.events, fmt.Sprintf("%s/%d %s", p.Instance.Service, p.Instance.Number, p.Event))
		}
	}
	return o
}

// until waits up to an hour of simulated time.
func (h *herd) until(t *testing.T, what string, ok func(m *memory) bool) {
	t.Helper()
	for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		h.mem.mu.Lock()
		done := ok(h.mem)
		h.mem.mu.Unlock()
		if done {
			return
		}
	}
	h.mem.mu.Lock()
	defer h.mem.mu.Unlock()
	for _, e := range h.mem.events[max(0, len(h.mem.events)-40):] {
		t.Log(e.At.Format(time.TimeOnly), e.Message)
	}
	t.Fatalf("not within an hour: %s", what)
}

// settled says whether a service runs with n instances and nothing else is left of it.
func settled(service string, n int) func(*memory) bool {
	return func(m *memory) bool {
		running := 0
		for _, in := range m.instances {
			switch {
			case in.Service != service || in.Phase == pool.InstanceRemoved:
			case in.Phase != pool.InstanceRunning:
				return false
			default:
				running++
			}
		}
		return running == n && m.services[service].Phase == pool.ServiceRunning
	}
}

// elastic is a recipe that may have one to three instances, and keeps nothing on disk.
func elastic() pool.RecipeInfo {
	r := recipe()
	r.Name, r.Elastic, r.Stateful, r.Min, r.Max, r.Instances = "web", true, false, 1, 3, 1
	r.Events = []string{"install", "start", "preStop", "stop"}
	r.Commands = []string{"addNode", "reload"}
	return r
}

func (h *herd) deploy(ctx context.Context, t *testing.T, r pool.RecipeInfo, n int) {
	t.Helper()
	if _, err := h.engine.Deploy(ctx, pool.DeployOptions{Name: "web", Recipe: r, Instances: n, By: "eve"}); err != nil {
		t.Fatal(err)
	}
	h.until(t, "the service runs", settled("web", n))
}
