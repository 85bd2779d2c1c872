package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"appliance/pool"
)

// Rack is a simulated rack. Set the fields before Run and do not change them
// after. Machines, their MACs, serials and times follow from Seed.
type Rack struct {
	// Interface is the network interface that the appliance is reached by.
	Interface string
	// BMCs is the network that BMCs have their addresses in; each machine's is
	// the network's address plus its number plus one. The zero value gives no
	// machine a BMC. The appliance must have a route to it.
	BMCs     netip.Prefix
	Machines int
	UEFI     int // so many of them start by UEFI, the others by BIOS
	Seed     uint64
	Times    Times
	Faults   []Fault
	// Whole has every machine fetch the whole of kernel and initramfs; else it
	// asks for the first 64 KiB of each.
	Whole bool
	// Used is the share of machines, 0 to 1, whose disk holds something at first.
	Used float64
	Log  *slog.Logger // nil is silent

	wire *exchanger

	mu       sync.Mutex
	machines []*Machine
	events   map[string]int // effects of lifecycle events, by the key of their step
}

// Dist is a distribution of times: log-normal with the given median. Spread is
// the standard deviation of its logarithm; 0 is always the median.
type Dist struct {
	Median time.Duration
	Spread float64
}

func (d Dist) draw(r *rand.Rand) time.Duration {
	if d.Spread == 0 || d.Median == 0 {
		return d.Median
	}
	return time.Duration(float64(d.Median) * exp(d.Spread*r.NormFloat64()))
}

// Times say how long things take. The zero value takes no time at all.
type Times struct {
	Stagger time.Duration // machines are switched on evenly over this time
	Post    Dist          // from power to the first DHCPDISCOVER
	Kernel  Dist          // from the boot kit to the agent's hello
	System  Dist          // from the disk's loader to the installed agent's hello
	Task    Dist          // inventory, BMC user, wipe, preparing
	Image   Dist          // writing an image
	Event   Dist          // a lifecycle event
}

// Realistic are times of servers, divided by speed.
func Realistic(speed float64) Times {
	d := func(median time.Duration, spread float64) Dist {
		return Dist{Median: time.Duration(float64(median) / speed), Spread: spread}
	}
	return Times{Stagger: time.Duration(float64(30*time.Second) / speed), Post: d(90*time.Second, 0.4), Kernel: d(15*time.Second, 0.2),
		System: d(40*time.Second, 0.3), Task: d(3*time.Second, 0.5), Image: d(60*time.Second, 0.3), Event: d(10*time.Second, 0.8)}
}

// Run switches all machines on and lets the rack live until ctx ends. It owns
// every goroutine it starts. It needs root: it binds DHCP's client port and
// addresses of the machines.
func (r *Rack) Run(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	w, err := openExchanger(ctx, r.Interface)
	if err != nil {
		return err
	}
	r.wire = w
	local, err := openLocal(ctx)
	if err != nil {
		return fmt.Errorf("open rack: %w", err)
	}
	defer local.close()
	if r.BMCs.IsValid() {
		if err := local.add(r.BMCs); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { w.run(ctx) })
	r.build(ctx, local)
	for _, m := range r.machines {
		if m.bmc != nil {
			if err := m.bmc.serve(ctx, &wg); err != nil {
				return err
			}
		}
	}
	for i, m := range r.machines {
		wait := time.Duration(0)
		if n := len(r.machines); n > 1 {
			wait = r.Times.Stagger * time.Duration(i) / time.Duration(n)
		}
		wg.Go(func() {
			if pause(ctx, wait) {
				m.SetPower(true)
			}
		})
	}
	wg.Go(func() { r.play(ctx) })
	<-ctx.Done()
	for _, m := range r.machines {
		m.SetPower(false)
	}
	wg.Wait()
	for _, m := range r.machines {
		m.wg.Wait()
	}
	return nil
}

func (r *Rack) check() error {
	switch {
	case r.Machines < 1 || r.Machines > 60000:
		return fmt.Errorf("%w: rack of %d machines: want 1 to 60000", pool.ErrInvalid, r.Machines)
	case r.Interface == "":
		return fmt.Errorf("%w: rack: name the interface that the appliance is reached by", pool.ErrInvalid)
	case r.BMCs.IsValid() && (!r.BMCs.Addr().Is4() || 1<<(32-r.BMCs.Bits()) < r.Machines+2):
		return fmt.Errorf("%w: rack: network %s is too small for %d BMCs", pool.ErrInvalid, r.BMCs, r.Machines)
	}
	for _, f := range r.Faults {
		if err := f.check(r.Machines); err != nil {
			return err
		}
	}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

func (r *Rack) build(ctx context.Context, local *local) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = map[string]int{}
	for i := range r.Machines {
		rnd := rand.New(rand.NewPCG(r.Seed, uint64(i)+1))
		m := &Machine{rack: r, ctx: ctx, local: local, Index: i, random: rnd,
			MAC: pool.MAC{0x52, 0x54, 0x01, byte(i >> 16), byte(i >> 8), byte(i)}, firmware: pool.BIOS,
			disk: disk{serial: fmt.Sprintf("SIM%06d", i), journal: newJournal()}}
		if i < r.UEFI {
			m.firmware = pool.UEFI
		}
		if rnd.Float64() < r.Used {
			m.disk.content = []string{"gpt: 2 partitions"}
		}
		if r.BMCs.IsValid() {
			m.bmc = newBMC(m, plus(r.BMCs.Masked().Addr(), i+1))
		}
		r.machines = append(r.machines, m)
	}
}

func plus(a netip.Addr, n int) netip.Addr {
	b := a.As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
	return netip.AddrFrom4(b)
}

// Status counts what a rack's machines are doing, as they themselves see it.
type Status struct {
	Off      int `json:"off"`
	Firmware int `json:"firmware"`
	RAM      int `json:"ram"`
	System   int `json:"system"`
	Stuck    int `json:"stuck"`
	// Events are lifecycle events that were run; Doubled are those that were
	// run twice under one key: an appliance must never let that happen.
	Events  int `json:"events"`
	Doubled int `json:"doubled"`
}

// Status may be called while Run runs.
func (r *Rack) Status() Status {
	var s Status
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.machines {
		switch m.State() {
		case "off":
			s.Off++
		case "firmware":
			s.Firmware++
		case "ram":
			s.RAM++
		case "system":
			s.System++
		default:
			s.Stuck++
		}
	}
	for _, n := range r.events {
		s.Events += n
		s.Doubled += n - 1
	}
	return s
}

// ranEvent notes that an event of a recipe had its effect.
func (r *Rack) ranEvent(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events[key]++
}

// pick returns the machines that a fault is about.
func (r *Rack) pick(f Fault, rnd *rand.Rand) []*Machine {
	var out []*Machine
	for i, m := range r.machines {
		if slices.ContainsFunc(f.Ranges, func(x [2]int) bool { return x[0] <= i && i <= x[1] }) || f.Share > 0 && rnd.Float64() < f.Share {
			out = append(out, m)
		}
	}
	return out
}

// pause waits; false says that ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
