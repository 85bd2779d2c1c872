package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// ward is an appliance that is killed and started again, with several
// machines around it. Everything between them may go wrong: messages are lost
// on the way there or back, doubled, or come late; machines lose power, agents
// die, BMCs say nothing. What a machine has on its disk, its agent's journal
// among it, outlives all that.
type ward struct {
	mem     *memory
	engine  atomic.Pointer[Engine]
	wg      sync.WaitGroup
	ctx     context.Context
	boxes   []*box
	trouble func() trouble // what happens to a message; nil: nothing

	mu      sync.Mutex
	random  *rand.Rand
	faults  int
	effects map[string]int // of lifecycle events, by instance and event
}

// trouble is what happens to one message.
type trouble int

const (
	fine trouble = iota
	lostThere
	lostBack
	doubled
	late
)

// box is one machine.
type box struct {
	ward     *ward
	mac      pool.MAC
	serial   string
	addr     netip.Addr
	mu       sync.Mutex
	on       bool
	stop     context.CancelFunc
	boots    int
	password string
	frozen   int    // BMC
	disk     string // "", "old", "system"
	machine  string
	epoch    int64
	log      map[string]*entry  // the installed agent's journal
	cut      string             // loses power after the effect of this event, before its agent recorded that
	agent    context.CancelFunc // of the installed agent alone
}

// entry is what a journal knows of a key.
type entry struct {
	boot    string
	done    chan struct{} // closed when it ended in that boot
	outcome *pool.TaskOutcome
}

func newWard(machines int, seed uint64) *ward {
	w := &ward{mem: newMemory(), random: rand.New(rand.NewPCG(seed, 1)), effects: map[string]int{}}
	for i := range machines {
		w.boxes = append(w.boxes, &box{ward: w, mac: pool.MAC{0x52, 0x54, 0, 0, 0, byte(i + 1)}, serial: fmt.Sprintf("D%d", i),
			addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 2)}), disk: "old", log: map[string]*entry{}})
	}
	return w
}

// serve runs the appliance, again after each kill, until ctx ends.
func (w *ward) serve(ctx context.Context) {
	w.ctx = ctx
	started := make(chan struct{})
	w.wg.Go(func() {
		for first := true; ctx.Err() == nil; first = false {
			h := w.mem.open()
			e := &Engine{Store: h, Compute: compute.Metal{}, Rules: []AcceptRule{{Name: "all", Erase: true}}, BMC: wardBMC{w},
				Probe: func(context.Context, netip.Addr) bool { return true }} // a machine whose agent is silent answers: nothing is lost here
			w.engine.Store(e)
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
			sleep(ctx, 3*time.Second) // until systemd starts it again
		}
	})
	<-started
}

// intended checks that what has its effect now was on disk before.
func (w *ward) intended(s pool.Step) {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	if row, ok := w.mem.steps[s.Key]; (!ok || row.StartedAt.IsZero() || row.BootID == "") && w.mem.broken == nil {
		w.mem.broken = fmt.Errorf("step %s has its effect, and its row is %+v", s.Key, row)
	}
}

// fault counts one.
func (w *ward) fault() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults++
}

// killAgent kills the agent: in RAM it is PID 1.
func (b *box) killAgent() {
	b.mu.Lock()
	stop := b.agent
	b.agent = nil
	b.mu.Unlock()
	if stop == nil {
		b.reboot()
		return
	}
	stop()
}

var errNet = errors.New("connection reset")

// send is one request of a machine's, with what happens to it on the way.
func send[T any](ctx context.Context, w *ward, request func(*Engine) (T, error)) (T, error) {
	var none T
	t := fine
	if w.trouble != nil {
		if t = w.trouble(); t != fine {
			w.fault()
		}
	}
	switch t {
	case lostThere:
		sleep(ctx, time.Second)
		return none, errNet
	case lostBack:
		_, _ = request(w.engine.Load())
		sleep(ctx, time.Second)
		return none, errNet
	case doubled:
		_, _ = request(w.engine.Load())
	case late: // given up by its sender, and it arrives all the same, when others have come since
		w.wg.Go(func() {
			if sleep(w.ctx, 40*time.Second) {
				_, _ = request(w.engine.Load())
			}
		})
		sleep(ctx, time.Second)
		return none, errNet
	case fine:
	}
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	return request(w.engine.Load())
}

func (b *box) power(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.on == on || on && b.ward.ctx.Err() != nil {
		return
	}
	b.on = on
	if !on {
		b.stop()
		return
	}
	b.bootLocked()
}

func (b *box) bootLocked() {
	b.boots++
	id := fmt.Sprintf("%s-boot-%d", b.serial, b.boots)
	ctx, stop := context.WithCancel(b.ward.ctx)
	b.stop, b.agent = stop, nil
	b.ward.wg.Go(func() { b.firmware(ctx, id) })
}

// reboot is also what becomes of a machine whose agent in RAM dies.
func (b *box) reboot() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.on && b.ward.ctx.Err() == nil {
		b.stop()
		b.bootLocked()
	}
}

type boot struct {
	state pool.BootState
	token string
}

func (b *box) firmware(ctx context.Context, id string) {
	for sleep(ctx, 20*time.Second) {
		got, err := send(ctx, b.ward, func(e *Engine) (boot, error) {
			st, m, err := e.BootState(ctx, b.mac, true)
			if err != nil || !m.Accepted() && st.Op != pool.OpEnrol {
				return boot{state: st}, err
			}
			t, err := e.MintBootToken(ctx, m.ID)
			return boot{st, t.Reveal()}, err
		})
		if err != nil {
			continue
		}
		st := got.state
		if !st.Known || st.Phase == pool.Enrolled || st.Phase == pool.Ready || st.NeedsRAM ||
			st.Phase == pool.Discovered && !st.HasFacts || st.Phase == pool.Reserved && st.Op != pool.OpDeploy {
			b.ram(ctx, id, got.token)
		} else {
			b.system(ctx, id)
		}
		return
	}
}

func (b *box) facts() *pool.Facts {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := pool.Disk{Name: "vda", Serial: b.serial, Size: 20 << 30, Type: "virtio"}
	if b.disk != "" {
		d.Content = []string{"gpt: 2 partitions"}
	}
	return &pool.Facts{Arch: pool.AMD64, Firmware: pool.BIOS, CPU: pool.CPU{Cores: 2}, Memory: 2 << 30, Disks: []pool.Disk{d},
		BMC: &pool.BMCFacts{Address: b.addr, GUID: b.serial}}
}

func (b *box) ram(ctx context.Context, id, token string) {
	log := map[string]*entry{}
	for ctx.Err() == nil {
		v, err := send(ctx, b.ward, func(e *Engine) (pool.Verdict, error) {
			h := pool.AgentHello{MAC: b.mac, Mode: pool.InRAM, BootID: id, Key: "key-" + id, Address: b.addr, Facts: b.facts()}
			if token != "" {
				if m, err := e.UseBootToken(ctx, b.mac, token); err == nil {
					h.Machine = m
				}
			}
			return e.AgentHello(ctx, h)
		})
		switch {
		case err != nil:
			sleep(ctx, time.Second)
		case v.State == verdictLocal:
			b.system(ctx, id)
			return
		case v.State == verdictWait:
			if token == "" && v.Machine.Accepted() || !sleep(ctx, max(v.Retry, time.Second)) {
				b.reboot() // its token was lost or spent: a person boots it again
				return
			}
		default:
			b.work(ctx, ctx, v.Machine.ID, id, pool.InRAM, log)
		}
	}
}

func (b *box) system(ctx context.Context, id string) {
	id += "-os"
	b.mu.Lock()
	machine, epoch, disk, log := b.machine, b.epoch, b.disk, b.log
	b.mu.Unlock()
	if disk != "system" {
		if sleep(ctx, 10*time.Minute) { // a person sees that it starts nothing
			b.reboot()
		}
		return
	}
	for ctx.Err() == nil {
		actx, stop := context.WithCancel(ctx)
		b.mu.Lock()
		b.agent = stop
		b.mu.Unlock()
		b.installed(ctx, actx, id, machine, epoch, log)
		stop()
		sleep(ctx, 5*time.Second) // until systemd starts the agent again
	}
}

// installed is one life of the installed agent; ctx is the machine's.
func (b *box) installed(ctx, actx context.Context, id, machine string, epoch int64, log map[string]*entry) {
	for actx.Err() == nil {
		v, err := send(actx, b.ward, func(e *Engine) (pool.Verdict, error) {
			return e.AgentHello(actx, pool.AgentHello{Machine: machine, MAC: b.mac, Mode: pool.Installed, BootID: id, Epoch: epoch, Address: b.addr})
		})
		switch {
		case err != nil || v.State == verdictWait:
			sleep(actx, time.Second)
		case v.State == verdictFenced:
			if sleep(actx, 10*time.Minute) { // a person switches it over
				b.reboot()
				return
			}
		default:
			b.work(ctx, actx, machine, id, pool.Installed, log)
		}
	}
}

type task struct {
	step  pool.Step
	token string
}

// work asks for tasks until the appliance wants a hello, or the agent ends
// (actx). What it had begun goes on while the machine runs (ctx).
func (b *box) work(ctx, actx context.Context, machine, id string, mode pool.AgentMode, log map[string]*entry) {
	for actx.Err() == nil {
		got, err := send(actx, b.ward, func(e *Engine) (task, error) {
			poll, stop := context.WithTimeout(actx, 20*time.Second)
			defer stop()
			s, token, err := e.NextTask(poll, machine, id, mode)
			return task{s, token}, err
		})
		if errors.Is(err, pool.ErrNotFound) || errors.Is(err, errNet) {
			continue
		}
		if err != nil {
			sleep(actx, time.Second)
			return
		}
		o := b.perform(ctx, actx, got.step, id, log)
		if actx.Err() != nil {
			return
		}
		o.Machine, o.Key, o.Token, o.BootID = machine, got.step.Key, got.token, id
		for {
			_, err := send(actx, b.ward, func(e *Engine) (struct{}, error) { return struct{}{}, e.TaskResult(actx, o) })
			if err == nil || errors.Is(err, pool.ErrNotFound) {
				break
			}
			if !sleep(actx, time.Second) {
				return
			}
		}
		if got.step.Task.Kind == pool.TaskReboot {
			b.reboot()
			return
		}
	}
}

// perform does what agent and exec do: the key is in the journal before
// anything happens, and its exit after, also when the agent is dead by then.
// A key that began in an earlier boot and has no exit was interrupted.
func (b *box) perform(ctx, actx context.Context, s pool.Step, id string, log map[string]*entry) pool.TaskOutcome {
	b.mu.Lock()
	e := log[s.Key]
	if e == nil {
		e = &entry{boot: id, done: make(chan struct{})}
		log[s.Key] = e
		b.ward.wg.Go(func() {
			o := b.do(ctx, s)
			b.mu.Lock()
			defer b.mu.Unlock()
			if ctx.Err() == nil {
				e.outcome = &o
				close(e.done)
			}
		})
	}
	b.mu.Unlock()
	if e.boot == id {
		select {
		case <-e.done:
		case <-actx.Done():
			return pool.TaskOutcome{}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.outcome != nil {
		return *e.outcome
	}
	return pool.TaskOutcome{State: "interrupted"}
}

func (b *box) do(ctx context.Context, s pool.Step) pool.TaskOutcome {
	o := pool.TaskOutcome{State: "done"}
	if !sleep(ctx, 10*time.Second) {
		return o
	}
	put := func(v any) { o.Result, _ = json.Marshal(v) }
	switch s.Task.Kind {
	case pool.TaskFacts:
		put(b.facts())
	case pool.TaskBMCUser:
		var p pool.BMCUserParams
		_ = json.Unmarshal(s.Task.Params, &p)
		b.mu.Lock()
		b.password = p.Password
		b.mu.Unlock()
		put(pool.BMCUserResult{Facts: b.facts().BMC, UserID: 3})
	case pool.TaskWipe:
		b.mu.Lock()
		b.disk, b.log = "", map[string]*entry{}
		b.mu.Unlock()
		put(pool.WipeResult{Wiped: []pool.WipedDisk{{Serial: b.serial, Method: "zero", Size: 20 << 30}}, Facts: b.facts()})
	case pool.TaskImage:
		var p pool.ImageParams
		_ = json.Unmarshal(s.Task.Params, &p)
		b.mu.Lock()
		b.disk, b.machine, b.epoch, b.log = "system", p.Machine, p.Epoch, map[string]*entry{}
		b.mu.Unlock()
		put(pool.ImageResult{Serial: b.serial})
	case pool.TaskEvent:
		b.ward.intended(s)
		b.ward.mu.Lock()
		b.ward.effects[effectOf(s)]++
		b.ward.mu.Unlock()
		b.mu.Lock()
		cut := b.cut == s.Name
		if cut {
			b.cut = ""
		}
		b.mu.Unlock()
		if cut {
			b.ward.fault()
			b.reboot()
			<-ctx.Done()
		}
	default:
	}
	return o
}

// wardBMC are the BMCs of the machines, by their addresses.
type wardBMC struct{ w *ward }

func (b wardBMC) session(ctx context.Context, m pool.BMC) (*box, error) {
	sleep(ctx, time.Second)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, x := range b.w.boxes {
		x.mu.Lock()
		found, frozen, password := x.addr == m.Address, x.frozen > 0, x.password
		x.mu.Unlock()
		switch {
		case !found:
			continue
		case frozen:
			return nil, codeError(codeUnreachable)
		case m.User != bmcUser || m.Password.Reveal() == "" || m.Password.Reveal() != password:
			return nil, codeError(codeAuth)
		}
		return x, nil
	}
	return nil, codeError(codeUnreachable)
}

func (b wardBMC) PowerState(ctx context.Context, m pool.BMC) (pool.Power, error) {
	x, err := b.session(ctx, m)
	if err != nil {
		return pool.PowerUnknown, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.on {
		return pool.PowerOn, nil
	}
	return pool.PowerOff, nil
}

func (b wardBMC) SetPower(ctx context.Context, m pool.BMC, a pool.PowerAction) error {
	x, err := b.session(ctx, m)
	if err == nil {
		x.power(a == pool.DoPowerOn)
	}
	return err
}

func (b wardBMC) SetBootDevice(ctx context.Context, m pool.BMC, _ pool.BootDevice, _ pool.Firmware) error {
	_, err := b.session(ctx, m)
	return err
}

func (b wardBMC) Check(ctx context.Context, m pool.BMC) error {
	_, err := b.session(ctx, m)
	return err
}

// effectOf names the effect of an event: a service that is started again, after
// its machine was, has those of its later rounds, too.
func effectOf(s pool.Step) string {
	if s.Round == 0 {
		return s.Owner + "/" + s.Name
	}
	return fmt.Sprintf("%s/%s#%d", s.Owner, s.Name, s.Round)
}
