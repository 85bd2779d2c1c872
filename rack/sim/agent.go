package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"sync"

	"appliance/agent"
	"appliance/api/wire"
	"appliance/pool"
)

// version is what the simulated agents call themselves.
const version = "simulated"

// ram is the agent in RAM: agent.Agent with tasks that change nothing but the
// simulated disk and BMC.
func (m *Machine) ram(ctx context.Context, id string, c wire.BootConfig) error {
	client, err := agent.NewClient(c.Server, c.CA)
	if err != nil {
		return err
	}
	client.Dial = m.dial
	key, err := agent.NewKey()
	if err != nil {
		return err
	}
	m.enter(ctx, "ram")
	a := &agent.Agent{Mode: pool.InRAM, Version: version, BootID: id, MAC: m.MAC, Token: c.Token, Key: key, Client: client,
		Tasks: &tasks{machine: m, client: client}, Journal: newJournal(), Facts: func(context.Context) *pool.Facts { return m.facts() },
		Leave: m.leave, Log: m.rack.Log.With("machine", m.Index)}
	return a.Run(ctx)
}

// system is the installed one; a disk that holds no system starts nothing.
func (m *Machine) system(ctx context.Context, boot string) error {
	m.disk.mu.Lock()
	id, key := m.disk.identity, m.disk.key
	m.disk.mu.Unlock()
	if id == nil {
		m.enter(ctx, "stuck")
		<-ctx.Done()
		return ctx.Err()
	}
	if !pause(ctx, m.draw(m.rack.Times.System)) {
		return ctx.Err()
	}
	m.enter(ctx, "system")
	for ctx.Err() == nil {
		if err := m.installed(ctx, boot+"-os", *id, key); err != nil {
			return err
		}
		m.mu.Lock()
		absent := m.absent
		m.mu.Unlock()
		pause(ctx, absent)
	}
	return ctx.Err()
}

// installed is one life of the installed agent.
func (m *Machine) installed(ctx context.Context, boot string, id wire.Identity, key agent.Key) error {
	cert, err := key.Certificate(id.Certificate)
	if err != nil {
		return err
	}
	client, err := agent.NewClient(id.Server, id.CA)
	if err != nil {
		return err
	}
	client.Dial = m.dial
	client.Use(cert)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	m.mu.Lock()
	m.agent = stop
	m.mu.Unlock()
	m.disk.mu.Lock()
	j := m.disk.journal
	m.disk.mu.Unlock()
	j.restart(boot)
	a := &agent.Agent{Mode: pool.Installed, Version: version, BootID: boot, Machine: id.Machine, Epoch: id.Epoch, Key: key, Client: client,
		Tasks: &tasks{machine: m, client: client, journal: j}, Journal: j, Leave: m.leave, Log: m.rack.Log.With("machine", m.Index)}
	return a.Run(ctx)
}

// leave ends the running system, for a reboot or for good.
func (m *Machine) leave(ctx context.Context, k pool.TaskKind) error {
	if k == pool.TaskPowerOff {
		m.SetPower(false)
	} else {
		m.Reset()
	}
	<-ctx.Done()
	return nil
}

func (m *Machine) facts() *pool.Facts {
	uuid := sha256.Sum256([]byte(fmt.Sprintf("%d/%d", m.rack.Seed, m.Index)))
	f := &pool.Facts{UUID: hex.EncodeToString(uuid[:16]), Manufacturer: "Simulated", Product: "Rack", Serial: fmt.Sprintf("R%06d", m.Index),
		Arch: pool.AMD64, Firmware: m.firmware, CPU: pool.CPU{Model: "simulated", Sockets: 1, Cores: 8, Threads: 16}, Memory: 32 << 30,
		NICs:   []pool.NIC{{Name: "eth0", MAC: m.MAC, Speed: 10000, Link: true, Addresses: []netip.Prefix{netip.PrefixFrom(m.addr(), 24)}}},
		Kernel: "simulated"}
	if m.bmc != nil {
		f.BMC = m.bmc.facts()
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	f.Disks = []pool.Disk{{Name: "sda", Serial: m.disk.serial, Model: "simulated", Size: 480 << 30, Type: "ssd", Content: m.disk.content}}
	return f
}

// tasks performs an agent's tasks on a machine.
type tasks struct {
	machine *Machine
	client  *agent.Client
	journal *journal // of the installed agent
}

// Perform implements agent.Performer.
func (t *tasks) Perform(ctx context.Context, as wire.Assignment, progress func(pool.Progress)) (any, error) {
	m := t.machine
	times := m.rack.Times
	switch as.Kind {
	case pool.TaskFacts:
		pause(ctx, m.draw(times.Task))
		return m.facts(), ctx.Err()
	case pool.TaskBMCUser:
		var p pool.BMCUserParams
		if err := decode(as, &p); err != nil {
			return nil, err
		}
		pause(ctx, m.draw(times.Task))
		if m.bmc == nil {
			return pool.BMCUserResult{None: true}, ctx.Err()
		}
		return m.bmc.setUser(p.User, p.Password)
	case pool.TaskWipe:
		return t.wipe(ctx, as)
	case pool.TaskImage:
		return t.image(ctx, as, progress)
	case pool.TaskEvent, pool.TaskDetect:
		return t.event(ctx, as)
	case pool.TaskReboot, pool.TaskPowerOff:
		return nil, nil // the agent leaves
	case pool.TaskStorage:
		var p pool.StorageParams
		if err := decode(as, &p); err != nil {
			return nil, err
		}
		pause(ctx, m.draw(times.Task))
		return pool.StorageResult{Serial: p.Serial, Formatted: p.Format}, ctx.Err()
	case pool.TaskPrepare, pool.TaskCleanup, pool.TaskCommand, pool.TaskLook, pool.TaskWatch:
	}
	pause(ctx, m.draw(times.Task))
	return nil, ctx.Err()
}

// event runs a lifecycle event. Its effect comes at the end: an event that was
// cut off before had none, and one that is told to run again under the same
// key is doubled.
func (t *tasks) event(ctx context.Context, as wire.Assignment) (any, error) {
	if t.journal == nil {
		return nil, fmt.Errorf("%w: the agent in RAM has no task %q", pool.ErrInvalid, as.Kind)
	}
	t.journal.begin(as.Key)
	if !pause(ctx, t.machine.draw(t.machine.rack.Times.Event)) {
		return nil, ctx.Err()
	}
	if as.Kind == pool.TaskEvent {
		t.machine.rack.ranEvent(as.Key)
	}
	return pool.EventResult{}, nil
}

func (t *tasks) diskError(what string) error {
	if t.machine.badDisk.Load() == 0 {
		return nil
	}
	return &pool.Cause{Code: "disk.io", Message: "The disk of the machine fails: " + what + ".", Evidence: "simulated input/output error",
		Remedy: "Replace the disk, then retry."}
}

func (t *tasks) wipe(ctx context.Context, as wire.Assignment) (any, error) {
	var p pool.WipeParams
	if err := decode(as, &p); err != nil {
		return nil, err
	}
	m := t.machine
	if !pause(ctx, m.draw(m.rack.Times.Task)) {
		return nil, ctx.Err()
	}
	if err := t.diskError("wipe"); err != nil {
		return nil, err
	}
	m.disk.mu.Lock()
	m.disk.content, m.disk.identity, m.disk.journal = nil, nil, newJournal()
	serial := m.disk.serial
	m.disk.mu.Unlock()
	return pool.WipeResult{Wiped: []pool.WipedDisk{{Serial: serial, Method: "simulated", Size: 480 << 30}}, Facts: m.facts()}, nil
}

// image asks for all that the agent in RAM asks for, and writes nothing.
func (t *tasks) image(ctx context.Context, as wire.Assignment, progress func(pool.Progress)) (any, error) {
	var p pool.ImageParams
	if err := decode(as, &p); err != nil {
		return nil, err
	}
	m := t.machine
	key, err := agent.NewKey()
	if err != nil {
		return nil, err
	}
	csr, err := key.Request(p.Machine)
	if err != nil {
		return nil, err
	}
	var id wire.Identity
	if _, err := t.client.Do(ctx, "POST", wire.PathIdentity, wire.IdentityRequest{CSR: csr, Token: as.Token}, &id); err != nil {
		return nil, fmt.Errorf("ask for the system's identity: %w", err)
	}
	var im pool.Image
	if _, err := t.client.Do(ctx, "GET", wire.PathImage+url.PathEscape(p.Image)+"/manifest", nil, &im); err != nil {
		return nil, fmt.Errorf("fetch manifest of image %s: %w", p.Image, err)
	}
	took := m.draw(m.rack.Times.Image)
	for i := range int64(4) {
		progress(pool.Progress{Done: i * im.Size / 4, Total: im.Size, Unit: "bytes"})
		if !pause(ctx, took/4) {
			return nil, ctx.Err()
		}
	}
	if err := t.diskError("write"); err != nil {
		return nil, err
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.disk.identity, m.disk.key, m.disk.journal = &id, key, newJournal()
	m.disk.content = []string{"gpt: 2 partitions"}
	return pool.ImageResult{Serial: m.disk.serial, Written: im.Size, Took: took, Device: "/dev/sda1"}, nil
}

func decode(as wire.Assignment, into any) error {
	if err := json.Unmarshal(as.Params, into); err != nil {
		return fmt.Errorf("%w: parameters of task %s: %v", pool.ErrInvalid, as.Kind, err)
	}
	return nil
}

// journal is an installed agent's, as agent.Files keeps it on a disk: an event
// that began in an earlier boot or an earlier life of the agent and has no
// outcome was interrupted.
type journal struct {
	mu    sync.Mutex
	boot  string
	began map[string]wire.Assignment
	ended map[string]wire.Outcome
	lost  map[string]bool // began before the last restart
}

func newJournal() *journal {
	return &journal{began: map[string]wire.Assignment{}, ended: map[string]wire.Outcome{}, lost: map[string]bool{}}
}

// restart notes that the agent starts: what is under way was cut off.
func (j *journal) restart(boot string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.boot = boot
	for key := range j.began {
		if _, ok := j.ended[key]; !ok {
			j.lost[key] = true
		}
	}
}

func (j *journal) begin(key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.began[key] = wire.Assignment{Key: key}
}

// Outcome implements agent.Journal.
func (j *journal) Outcome(key string) (wire.Outcome, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if out, ok := j.ended[key]; ok {
		return out, true, nil
	}
	if j.lost[key] {
		return wire.Outcome{Key: key, BootID: j.boot, State: wire.OutcomeInterrupted}, true, nil
	}
	return wire.Outcome{}, false, nil
}

// Record implements agent.Journal.
func (j *journal) Record(out wire.Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended[out.Key] = out
	return nil
}

// Acknowledge implements agent.Journal.
func (j *journal) Acknowledge(string) error { return nil }

// Open implements agent.Journal: what nobody has taken is asked for again by
// the appliance itself.
func (j *journal) Open() ([]wire.Assignment, error) { return nil, nil }
