package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"appliance/agent"
	"appliance/api/wire"
	"appliance/pool"
)

// Machine is one simulated machine. What is on its disk and in its BMC stays
// while it is off; what runs on it dies with its power.
type Machine struct {
	Index int
	MAC   pool.MAC

	rack     *Rack
	ctx      context.Context // the rack's
	local    *local
	firmware pool.Firmware
	bmc      *bmcDevice
	link     link
	disk     disk
	badDisk  atomic.Int32
	dead     atomic.Bool
	wg       sync.WaitGroup

	mu      sync.Mutex
	random  *rand.Rand
	on      bool
	state   string
	stop    context.CancelFunc // of what runs on it
	boots   int
	address netip.Addr
	agent   context.CancelFunc // of the agent alone
	absent  time.Duration      // until an agent that was killed is started again
}

// disk is what outlives a machine's power.
type disk struct {
	mu       sync.Mutex
	serial   string
	content  []string
	identity *wire.Identity // of the installed system; nil: there is none
	key      agent.Key
	journal  *journal
}

// Power says whether the machine is on.
func (m *Machine) Power() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.on
}

// State is what it does: off, firmware, ram, system, or stuck (nothing to start).
func (m *Machine) State() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.on {
		return "off"
	}
	return m.state
}

// SetPower switches the machine; off cuts off whatever runs.
func (m *Machine) SetPower(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.on == on || on && (m.dead.Load() || m.ctx.Err() != nil) {
		return
	}
	m.on = on
	if on {
		m.bootLocked()
		return
	}
	m.link.cut()
	m.stop()
}

// Reset starts a machine that is on anew.
func (m *Machine) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.on && m.ctx.Err() == nil {
		m.link.cut()
		m.stop()
		m.bootLocked()
	}
}

func (m *Machine) bootLocked() {
	m.boots++
	id := fmt.Sprintf("sim-%d-%d-%d", m.rack.Seed, m.Index, m.boots)
	ctx, stop := context.WithCancel(m.ctx)
	m.stop, m.state = stop, "firmware"
	m.wg.Go(func() { m.run(ctx, id) })
}

// run is one life of the machine, from power to power.
func (m *Machine) run(ctx context.Context, id string) {
	m.link.connect()
	wait := m.draw(m.rack.Times.Post)
	for pause(ctx, wait) {
		err := m.boot(ctx, id)
		if ctx.Err() != nil {
			return
		}
		m.rack.Log.Debug("firmware starts anew", "machine", m.Index, "err", err)
		m.enter(ctx, "firmware")
		wait = 2 * time.Second // firmware walks its boot order again
	}
}

func (m *Machine) enter(ctx context.Context, state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		m.state = state
	}
}

func (m *Machine) draw(d Dist) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return d.draw(m.random)
}

// boot asks the network what to start and starts it. It returns when that
// leads nowhere.
func (m *Machine) boot(ctx context.Context, id string) error {
	what, config, err := m.netboot(ctx)
	if err != nil {
		return err
	}
	if what == bootDisk {
		return m.system(ctx, id)
	}
	if !pause(ctx, m.draw(m.rack.Times.Kernel)) {
		return ctx.Err()
	}
	return m.ram(ctx, id, config)
}

// killAgent ends the agent: the one in RAM is PID 1, whose end restarts the
// machine; the installed one is started again after a while.
func (m *Machine) killAgent(absent time.Duration) {
	m.mu.Lock()
	state, stop := m.state, m.agent
	m.absent = absent
	m.mu.Unlock()
	switch state {
	case "ram":
		m.Reset()
	case "system":
		m.link.cut()
		if stop != nil {
			stop()
		}
		m.link.connect()
	}
}
