package orchestrator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// world is one appliance, which may be killed and started again, and one
// simulated machine with a BMC and the agents that run on it. Peers are more
// machines of the same appliance.
type world struct {
	peers   []*world
	index   int // of a peer, from 1
	mem     *memory
	rules   []AcceptRule
	noBMC   bool
	lanGUID string              // what the BMC says of itself over the network, and nothing in-band
	store   func(*handle) Store // what the engine of a new appliance remembers by; nil: the handle
	away    time.Duration       // until a killed appliance starts again; 3 s when zero

	engine atomic.Pointer[Engine]
	wg     sync.WaitGroup
	ctx    context.Context
	starts int
	nodes  []*world // further machines of the same appliance

	mu        sync.Mutex
	mac       pool.MAC
	on        bool
	stop      context.CancelFunc // of what runs on the machine
	boots     int
	password  string // of our user on the BMC
	bmcDown   bool
	bmcLoses  func() bool // true: this question gets no answer
	disk      string      // "", "old" (somebody's data), "system"
	machine   string      // of the installed system
	epoch     int64
	journal   map[string]pool.TaskOutcome // of the installed agent, on disk
	runs      map[string]int              // how often each lifecycle event ran
	failEvent string                      // this event fails
	damaged   *pool.Cause                 // why images cannot be written
	onTask    func(pool.Step) bool        // true: the machine loses power while it runs
	cut       bool                        // no packet passes
	lost      time.Time                   // when its power went
	dead      bool                        // its power supply is gone: its BMC cannot switch it on
	linkDown  string                      // of the appliance
	ran       []string                    // lifecycle events, in order
	begun     map[string]string           // by key the boot it was begun in; nil: not looked at
	verify    string                      // what the recipe's verify closure answers: true, false, or throws
	data      string                      // UUID of the file system on the disk for data; "-": it is empty; "": there is no such disk
	formats   int                         // how often one was made there
}

// peer adds a machine with addresses and a BMC of its own.
func (w *world) peer() *world {
	n := newWorld()
	n.index = len(w.peers) + 1
	n.mem = w.mem
	mac, err := pool.ParseMAC(fmt.Sprintf("52:54:00:00:00:%02x", n.index+1))
	if err != nil {
		panic(err)
	}
	n.mac = mac
	w.peers = append(w.peers, n)
	return n
}

func (w *world) address() netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(2 + 20*w.index)}) }
func (w *world) bmcAddress() netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(9 + 20*w.index)})
}
func (w *world) serial() string { return fmt.Sprintf("D%d", w.index+1) }

// lose takes the machine's power away, as at its plug.
func (w *world) lose(dead bool) {
	w.mu.Lock()
	w.dead, w.lost = dead, time.Now()
	w.mu.Unlock()
	w.power(false)
}

func (w *world) lostAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// beat says a word every second, as long as packets pass.
func (w *world) beat(ctx context.Context, machine, id string) {
	for sleep(ctx, time.Second) {
		if !w.isCut() {
			_ = w.engine.Load().Beat(machine, id) // its hello tells it
		}
	}
}

func (w *world) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// probe is the network, as the appliance asks it.
func (w *world) probe(ctx context.Context, addr netip.Addr) bool {
	for _, n := range append([]*world{w}, w.peers...) {
		n.mu.Lock()
		up := n.address() == addr && n.on && !n.cut
		n.mu.Unlock()
		if up {
			return true
		}
	}
	<-ctx.Done()
	return false
}

func newWorld() *world {
	mac, err := pool.ParseMAC("52:54:00:00:00:01")
	if err != nil {
		panic(err)
	}
	return &world{mem: newMemory(), mac: mac, journal: map[string]pool.TaskOutcome{}, runs: map[string]int{},
		rules: []AcceptRule{{Name: "all", Erase: true}}}
}

// serve runs the appliance, again after each kill, until ctx ends.
func (w *world) serve(ctx context.Context) {
	w.ctx = ctx
	for _, n := range w.nodes {
		n.ctx = ctx
	}
	started := make(chan struct{})
	w.wg.Go(func() {
		for first := true; ctx.Err() == nil; first = false {
			h := w.mem.open()
			e := &Engine{Store: h, Compute: compute.Metal{}, Rules: w.rules, BMC: bmcSim{w}, Probe: w.probe,
				Links: func() string { w.mu.Lock(); defer w.mu.Unlock(); return w.linkDown }}
			if w.store != nil {
				e.Store = w.store(h)
			}
			w.engine.Store(e)
			for _, n := range w.nodes {
				n.engine.Store(e)
			}
			for _, p := range w.peers {
				p.set(func() { p.ctx = ctx })
				p.engine.Store(e)
			}
			w.starts++
			if first {
				close(started)
			}
			ectx, stop := context.WithCancel(ctx)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = e.Run(ectx) // a killed appliance says what it likes
			}()
			select {
			case <-h.dead:
			case <-done:
			case <-ctx.Done():
			}
			stop()
			<-done
			h.kill()
			sleep(ctx, cmp.Or(w.away, 3*time.Second)) // until systemd starts it again
		}
	})
	<-started
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *world) facts() *pool.Facts {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := pool.Disk{Name: "vda", Serial: w.serial(), Size: 20 << 30, Type: "virtio"}
	if w.disk != "" {
		d.Content = []string{"gpt: 2 partitions"}
	}
	f := &pool.Facts{Arch: pool.AMD64, Firmware: pool.BIOS, CPU: pool.CPU{Cores: 2}, Memory: 2 << 30, Disks: []pool.Disk{d}}
	if w.data != "" {
		d := pool.Disk{Name: "vdb", Serial: "DATA" + w.serial(), ByID: "virtio-DATA" + w.serial(), Size: 10 << 30, Type: "virtio"}
		if w.data != "-" {
			d.Content = []string{"ext4 data"}
		}
		f.Disks = append(f.Disks, d)
	}
	if !w.noBMC {
		f.BMC = &pool.BMCFacts{Address: w.bmcAddress(), GUID: "g"}
		if w.lanGUID != "" {
			f.BMC.GUID = ""
		}
	}
	return f
}

// power switches the machine; what runs on it dies.
func (w *world) power(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on == on {
		return
	}
	w.on = on
	if !on {
		w.stop()
		return
	}
	w.bootLocked()
}

// times says how often an event ran.
func (w *world) times(event string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs[event]
}

func (w *world) bootLocked() {
	if w.ctx.Err() != nil {
		return
	}
	if w.stop != nil {
		w.stop()
	}
	w.boots++
	id := fmt.Sprintf("boot-%d", w.boots)
	ctx, stop := context.WithCancel(w.ctx)
	w.stop = stop
	w.wg.Go(func() { w.firmware(ctx, id) })
}

func (w *world) reboot() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on {
		w.bootLocked()
	}
}

// firmware asks what to boot, and boots it.
func (w *world) firmware(ctx context.Context, id string) {
	if !sleep(ctx, 20*time.Second) {
		return
	}
	for {
		st, m, err := w.engine.Load().BootState(ctx, w.mac, true)
		if err == nil {
			ram := !st.Known || st.Phase == pool.Enrolled || st.Phase == pool.Ready || st.NeedsRAM ||
				st.Phase == pool.Discovered && !st.HasFacts || st.Phase == pool.Reserved && st.Op != pool.OpDeploy
			if !ram {
				w.system(ctx, id)
				return
			}
			token := ""
			if m.Accepted() || st.Op == pool.OpEnrol {
				t, err := w.engine.Load().MintBootToken(ctx, m.ID)
				if err != nil {
					sleep(ctx, time.Second)
					continue
				}
				token = t.Reveal()
			}
			w.ram(ctx, id, token)
			return
		}
		if !sleep(ctx, time.Second) {
			return
		}
	}
}

// ram is the agent in RAM.
func (w *world) ram(ctx context.Context, id, token string) {
	journal := map[string]pool.TaskOutcome{}
	for ctx.Err() == nil {
		e := w.engine.Load()
		h := pool.AgentHello{MAC: w.mac, Mode: pool.InRAM, BootID: id, Key: "key-" + id, Address: w.address(), Facts: w.facts()}
		if token != "" {
			if m, err := e.UseBootToken(ctx, w.mac, token); err == nil {
				h.Machine = m
			}
		}
		v, err := e.AgentHello(ctx, h)
		switch {
		case err != nil:
			sleep(ctx, time.Second)
			continue
		case v.State == verdictWait:
			sleep(ctx, v.Retry)
			continue
		case v.State == verdictLocal:
			w.system(ctx, id)
			return
		}
		if w.tasks(ctx, v.Machine.ID, id, pool.InRAM, journal) {
			return
		}
	}
}

// system is the installed agent; an empty disk starts nothing.
func (w *world) system(ctx context.Context, id string) {
	id += "-os"
	beating := false
	for ctx.Err() == nil {
		w.mu.Lock()
		machine, epoch, disk := w.machine, w.epoch, w.disk
		w.mu.Unlock()
		if disk != "system" {
			<-ctx.Done()
			return
		}
		if w.isCut() {
			sleep(ctx, time.Second)
			continue
		}
		e := w.engine.Load()
		v, err := e.AgentHello(ctx, pool.AgentHello{Machine: machine, MAC: w.mac, Mode: pool.Installed, BootID: id, Epoch: epoch, Address: w.address()})
		if err != nil {
			sleep(ctx, time.Second)
			continue
		}
		if v.State != verdictWork {
			sleep(ctx, 5*time.Second)
			continue
		}
		if !beating {
			beating = true
			w.wg.Go(func() { w.beat(ctx, machine, id) })
		}
		if w.tasks(ctx, machine, id, pool.Installed, w.journal) {
			return
		}
	}
}

// tasks works until the appliance wants a hello (false), or the machine
// starts anew (true).
func (w *world) tasks(ctx context.Context, machine, id string, mode pool.AgentMode, journal map[string]pool.TaskOutcome) bool {
	for ctx.Err() == nil {
		poll, stop := context.WithTimeout(ctx, 20*time.Second)
		s, token, err := w.engine.Load().NextTask(poll, machine, id, mode) // it does not notice that it is another one
		stop()
		if w.isCut() { // what it was told is lost
			sleep(ctx, time.Second)
			return false
		}
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			sleep(ctx, time.Second)
			return false
		}
		w.mu.Lock()
		o, known := journal[s.Key]
		if boot := w.begun[s.Key]; !known && boot != "" && boot != id {
			o, known = pool.TaskOutcome{State: "interrupted"}, true
			journal[s.Key] = o
		} else if w.begun != nil && mode == pool.Installed {
			w.begun[s.Key] = id
		}
		w.mu.Unlock()
		if !known {
			if o = w.do(ctx, s); ctx.Err() != nil {
				return true
			}
			// Also to an appliance that was started again meanwhile.
			_ = w.engine.Load().TaskProgress(ctx, machine, s.Key, token, id, pool.Progress{Done: 1, Total: 1})
			w.mu.Lock()
			journal[s.Key] = o
			w.mu.Unlock()
		}
		o.Machine, o.Key, o.Token, o.BootID = machine, s.Key, token, id
		for {
			err := w.engine.Load().TaskResult(ctx, o)
			if err == nil || errors.Is(err, pool.ErrNotFound) {
				break
			}
			if !sleep(ctx, time.Second) {
				return true
			}
		}
		if s.Task.Kind == pool.TaskReboot {
			w.reboot()
			return true
		}
	}
	return true
}

// do carries a task out.
func (w *world) do(ctx context.Context, s pool.Step) pool.TaskOutcome {
	sleep(ctx, 10*time.Second)
	if w.onTask != nil && w.onTask(s) {
		w.reboot()
		<-ctx.Done()
	}
	o := pool.TaskOutcome{State: "done"}
	if ctx.Err() != nil {
		return o
	}
	put := func(v any) { o.Result, _ = json.Marshal(v) }
	switch s.Task.Kind {
	case pool.TaskFacts:
		put(w.facts())
	case pool.TaskBMCUser:
		var p pool.BMCUserParams
		_ = json.Unmarshal(s.Task.Params, &p)
		w.mu.Lock()
		w.password = p.Password
		w.mu.Unlock()
		put(pool.BMCUserResult{None: w.noBMC, Facts: w.facts().BMC, UserID: 3})
	case pool.TaskWipe:
		w.mu.Lock()
		w.disk = ""
		if w.data != "" {
			w.data = "-"
		}
		w.mu.Unlock()
		r := pool.WipeResult{Facts: w.facts()}
		for _, d := range r.Facts.Disks {
			r.Wiped = append(r.Wiped, pool.WipedDisk{Serial: d.Serial, Method: "zero", Size: d.Size})
		}
		put(r)
	case pool.TaskImage:
		var p pool.ImageParams
		_ = json.Unmarshal(s.Task.Params, &p)
		w.mu.Lock()
		damaged := w.damaged
		if damaged == nil {
			w.disk, w.machine, w.epoch = "system", p.Machine, p.Epoch
		}
		w.mu.Unlock()
		if damaged != nil {
			o.State, o.Cause = "failed", damaged
			return o
		}
		put(pool.ImageResult{Serial: w.serial()})
	case pool.TaskStorage:
		return w.storage(s)
	case pool.TaskEvent:
		if s.Verifying {
			return w.verdict()
		}
		w.mu.Lock()
		w.runs[s.Name]++
		w.ran = append(w.ran, s.Name)
		fails := w.failEvent == s.Name
		w.mu.Unlock()
		if fails {
			o.State, o.Cause = "failed", &pool.Cause{Code: "event.failed", Message: s.Name + " ended with status 1.", Remedy: "Read its output."}
		}
	case pool.TaskReboot, pool.TaskPowerOff, pool.TaskPrepare, pool.TaskDetect, pool.TaskCleanup, pool.TaskCommand, pool.TaskLook, pool.TaskWatch:
	}
	return o
}

// storage is the agent's side of a disk for data.
func (w *world) storage(s pool.Step) pool.TaskOutcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	var p pool.StorageParams
	_ = json.Unmarshal(s.Task.Params, &p)
	fails := func(code string) pool.TaskOutcome {
		return pool.TaskOutcome{State: "failed", Cause: &pool.Cause{Code: code, Message: "No.", Remedy: "None."}}
	}
	switch {
	case p.Release:
		return pool.TaskOutcome{State: "done"}
	case w.data == p.UUID:
	case !p.Format:
		return fails("storage.missing")
	case w.data != "-":
		return fails("storage.foreign")
	default:
		w.data, w.formats = p.UUID, w.formats+1
	}
	b, _ := json.Marshal(pool.StorageResult{Serial: p.Serial, Device: "/dev/vdb", Size: 10 << 30, Formatted: p.Format})
	return pool.TaskOutcome{State: "done", Result: b}
}

func (w *world) verdict() pool.TaskOutcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs["verify"]++
	if w.verify == "throws" {
		return pool.TaskOutcome{State: "failed", Cause: &pool.Cause{Code: "recipe.failed", Message: "Event verify failed.", Remedy: "Mend it."}}
	}
	return pool.TaskOutcome{State: "done", Result: json.RawMessage(`{"value":` + w.verify + `}`)}
}

// bmcSim is the machine's BMC.
type bmcSim struct{ w *world }

type codeError string

func (c codeError) Error() string { return "bmc says " + string(c) }
func (c codeError) Code() string  { return string(c) }

// of is the BMC at the address.
func (b bmcSim) of(m pool.BMC) bmcSim {
	for _, p := range b.w.peers {
		if p.bmcAddress() == m.Address {
			return bmcSim{p}
		}
	}
	return b
}

func (b bmcSim) session(ctx context.Context, m pool.BMC) error {
	sleep(ctx, time.Second)
	b.w.mu.Lock()
	loses := b.w.bmcLoses
	b.w.mu.Unlock()
	if loses != nil && loses() {
		<-ctx.Done()
	}
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case b.w.bmcDown:
		return codeError(codeUnreachable)
	case m.User != bmcUser || m.Password.Reveal() == "" || m.Password.Reveal() != b.w.password:
		return codeError(codeAuth)
	}
	return nil
}

func (b bmcSim) PowerState(ctx context.Context, m pool.BMC) (pool.Power, error) {
	b = b.of(m)
	if err := b.session(ctx, m); err != nil {
		return pool.PowerUnknown, err
	}
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if b.w.on {
		return pool.PowerOn, nil
	}
	return pool.PowerOff, nil
}

func (b bmcSim) SetPower(ctx context.Context, m pool.BMC, a pool.PowerAction) error {
	b = b.of(m)
	if err := b.session(ctx, m); err != nil {
		return err
	}
	b.w.mu.Lock()
	dead := b.w.dead
	b.w.mu.Unlock()
	if dead && a == pool.DoPowerOn {
		return codeError(codePower)
	}
	b.w.power(a == pool.DoPowerOn)
	return nil
}

func (b bmcSim) SetBootDevice(ctx context.Context, m pool.BMC, _ pool.BootDevice, _ pool.Firmware) error {
	return b.of(m).session(ctx, m)
}

func (b bmcSim) GUID(ctx context.Context, m pool.BMC) (string, error) {
	return b.of(m).w.lanGUID, b.of(m).session(ctx, m)
}

func (b bmcSim) Check(ctx context.Context, m pool.BMC) error { return b.of(m).session(ctx, m) }
