package compute

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/digitalocean/go-libvirt"

	"appliance/pool"
)

// Hypervisor is a host of virtual machines that libvirt runs.
type Hypervisor struct {
	Name   string `yaml:"name"`
	Socket string `yaml:"socket"` // libvirt's; /run/libvirt/libvirt-sock when empty
	// Cores and Memory (bytes) are what virtual machines may take in all.
	Cores  int    `yaml:"cores"`
	Memory uint64 `yaml:"memory"`
	// Bridge is the host's bridge that they are connected to; Network a network
	// of libvirt's; Device a network card of the host's, beside which they stand
	// (macvtap): they reach all but the host itself. None of these: user-mode
	// networking, which reaches out only.
	Bridge  string `yaml:"bridge"`
	Network string `yaml:"network"`
	Device  string `yaml:"device"`
	// KVM uses the processor's virtualization; else QEMU emulates.
	KVM  bool   `yaml:"kvm"`
	Zone string `yaml:"zone"`

	// Remote is how the libvirt of another machine is reached; nil: by Socket.
	Remote *Remote `yaml:"-"`
	// Away says why it takes no virtual machine now; empty: it does.
	Away string `yaml:"-"`
}

// VMs makes virtual machines. They boot the same agent and get the same
// images as metal; libvirt stands where the BMC does, and proves that they
// are off.
type VMs struct {
	Hypervisors []Hypervisor
	// More returns those that are not configured but made: machines that a
	// recipe turned into hypervisors. nil: there are none.
	More func() []Hypervisor
	// Boot returns what starts the agent in the RAM of m: the kernel, and the
	// initramfs with m's own configuration and one-time token.
	Boot func(ctx context.Context, m pool.Machine) (kernel, initrd []byte, err error)
}

// Steps of the driver.
const (
	StepDefine   = "define"   // make it, and start the agent in its RAM
	StepStart    = "start-vm" // start it from the disk that was written
	StepUndefine = "undefine" // remove it and its disk
)

// ProtocolLibvirt is the protocol of the BMC of a virtual machine.
const ProtocolLibvirt = "libvirt"

// Kind implements Driver.
func (VMs) Kind() pool.Driver { return pool.DriverVM }

// Check says what is wrong with a hypervisor's configuration. Errors wrap pool.ErrInvalid.
func (h Hypervisor) Check() error {
	switch {
	case h.Name == "" || strings.ContainsFunc(h.Name, notName):
		return fmt.Errorf("%w: hypervisor name %q: letters, digits, dash", pool.ErrInvalid, h.Name)
	case h.Cores <= 0 || h.Memory == 0:
		return fmt.Errorf("%w: hypervisor %s: say with cores and memory what its virtual machines may take", pool.ErrInvalid, h.Name)
	case h.Bridge != "" && h.Network != "" || h.Device != "" && h.Bridge+h.Network != "":
		return fmt.Errorf("%w: hypervisor %s: of bridge, network and device only one may be set", pool.ErrInvalid, h.Name)
	case strings.ContainsFunc(h.Bridge+h.Network+h.Device, notName):
		return fmt.Errorf("%w: hypervisor %s: bridge %q, network %q or device %q is no name", pool.ErrInvalid, h.Name, h.Bridge, h.Network, h.Device)
	}
	return nil
}

func notName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
}

// Choose proposes a machine that does not exist yet: its ID is empty. The
// first hypervisor with room for it is taken; why not the others stands under
// "hypervisor NAME". Virtual machines serve one owner and are never free.
func (v VMs) Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	why = map[string][]string{}
	for _, m := range machines {
		if m.Driver.Or() == pool.DriverVM {
			why[m.ID] = []string{"is a virtual machine of its own owner"}
		}
	}
	want := wanted(t)
	for _, h := range v.all() {
		no := h.room(t, want, machines)
		if len(no) > 0 {
			why["hypervisor "+h.Name] = no
			continue
		}
		if !ok {
			best, ok = h.propose(want), true
		}
	}
	return best, why, ok
}

// all are the configured hypervisors, and those that were made.
func (v VMs) all() []Hypervisor {
	if v.More == nil {
		return v.Hypervisors
	}
	return append(slices.Clone(v.Hypervisors), v.More()...)
}

// wanted is what a virtual machine for t has: what t asks for, and at least
// what the agent in RAM and a small system need.
func wanted(t pool.Template) pool.Facts {
	return pool.Facts{Arch: pool.AMD64, Firmware: pool.BIOS, CPU: pool.CPU{Sockets: 1, Cores: max(t.Cores, 1), Threads: max(t.Cores, 1)},
		Memory: max(t.Memory, 768<<20), NICs: []pool.NIC{}, Manufacturer: "QEMU",
		Disks: []pool.Disk{{Name: "vda", Size: max(t.Disk, 4<<30), Type: "virtio"}}}
}

func (h Hypervisor) room(t pool.Template, want pool.Facts, machines []pool.Machine) (no []string) {
	if h.Away != "" {
		return []string{h.Away}
	}
	cores, memory := h.Cores, h.Memory
	for _, m := range machines {
		if m.Host == h.Name && m.Driver == pool.DriverVM && m.Phase != pool.Retired && m.Facts != nil {
			cores -= m.Facts.CPU.Cores
			memory -= min(memory, m.Facts.Memory)
		}
	}
	if want.CPU.Cores > cores {
		no = append(no, fmt.Sprintf("has %d of %d cores left, wants %d", max(cores, 0), h.Cores, want.CPU.Cores))
	}
	if want.Memory > memory {
		no = append(no, fmt.Sprintf("has %s of %s left, wants %s", pool.Bytes(memory), pool.Bytes(h.Memory), pool.Bytes(want.Memory)))
	}
	if t.Arch != "" && t.Arch != pool.AMD64 {
		no = append(no, fmt.Sprintf("makes amd64, wants %s", t.Arch))
	}
	if t.Zone != "" && t.Zone != h.Zone {
		no = append(no, fmt.Sprintf("is in zone %q, wants %s", h.Zone, t.Zone))
	}
	if t.Rack != "" {
		no = append(no, "is in no rack, wants "+t.Rack)
	}
	if len(t.Tags) > 0 {
		no = append(no, "lacks tags "+strings.Join(t.Tags, ", "))
	}
	return no
}

func (h Hypervisor) propose(want pool.Facts) pool.Machine {
	return pool.Machine{Driver: pool.DriverVM, Host: h.Name, Zone: h.Zone, Arch: want.Arch, Firmware: want.Firmware, Facts: &want,
		BMC: &pool.BMC{Protocol: ProtocolLibvirt, Host: h.Name}}
}

// Do implements Driver.
func (v VMs) Do(ctx context.Context, j pool.Job) (pool.JobResult, error) {
	switch j.Step {
	case StepDefine, StepStart, StepUndefine:
	default:
		return pool.JobResult{}, noStep(pool.DriverVM, j)
	}
	h, err := v.of(j.Machine.Host)
	if err != nil {
		return pool.JobResult{}, err
	}
	c, err := h.connect(ctx)
	if err != nil {
		return pool.JobResult{}, err
	}
	defer c.close()
	switch j.Step {
	case StepStart:
		return pool.JobResult{}, c.start(j.Machine)
	case StepUndefine:
		out := "the virtual machine and its disk are gone"
		if j.Keep {
			out = "the virtual machine is gone; its disk is kept as volume " + j.Machine.ID + ".qcow2 of libvirt's pool " + poolName
		}
		return pool.JobResult{Output: out}, c.undefine(j.Machine, j.Keep)
	}
	kernel, initrd, err := v.Boot(ctx, j.Machine)
	if err != nil {
		return pool.JobResult{}, fmt.Errorf("boot files of %s: %w", j.Machine.Name, err)
	}
	return pool.JobResult{}, c.define(j.Machine, kernel, initrd)
}

func (v VMs) of(name string) (Hypervisor, error) {
	all := v.all()
	i := slices.IndexFunc(all, func(h Hypervisor) bool { return h.Name == name })
	if i < 0 {
		return Hypervisor{}, cause("hypervisor.none", "Hypervisor "+name+" is neither in the configuration nor a service that runs.", "",
			"Name it in the configuration again, with its socket, and start the appliance again; or deploy the service again that made it.")
	}
	return all[i], nil
}

// conn is one connection to a hypervisor's libvirt.
type conn struct {
	*libvirt.Libvirt
	host Hypervisor
	stop func() bool
}

// libvirtDialer connects to libvirt: by its socket, or over TLS.
type libvirtDialer struct {
	ctx  context.Context // of this one connection
	host Hypervisor
	path string
	conn net.Conn
}

// Dial implements go-libvirt's Dialer.
func (d *libvirtDialer) Dial() (c net.Conn, err error) {
	if d.host.Remote != nil {
		c, err = d.host.Remote.dial(d.ctx)
	} else {
		c, err = (&net.Dialer{Timeout: dialTime}).DialContext(d.ctx, "unix", d.path)
	}
	d.conn = c
	return c, err
}

func (h Hypervisor) connect(ctx context.Context) (*conn, error) {
	path := h.Socket
	if path == "" {
		path = "/run/libvirt/libvirt-sock"
	}
	d := &libvirtDialer{ctx: ctx, host: h, path: path}
	l := libvirt.NewWithDialer(d)
	uri := libvirt.QEMUSystem
	if strings.Contains(path, "/session/") || !strings.HasPrefix(path, "/run/libvirt/") && !strings.HasPrefix(path, "/var/run/libvirt/") && strings.Contains(path, "/user/") {
		uri = libvirt.QEMUSession
	}
	if err := l.ConnectToURI(uri); err != nil {
		where := path
		if h.Remote != nil {
			where = h.Remote.Address
		}
		return nil, cause("hypervisor.unreachable", "libvirt of hypervisor "+h.Name+" does not answer.", where+": "+err.Error(),
			"Start libvirtd (or virtqemud) there, and see that the appliance may open its socket. Then retry.")
	}
	// The library knows no contexts: its connection ends with ours.
	return &conn{l, h, context.AfterFunc(ctx, func() { _ = d.conn.Close() })}, nil
}

func (c *conn) close() {
	c.stop()
	_ = c.Disconnect() // it is over either way
}

// PowerState says whether the virtual machine behind b is on. One that
// libvirt does not know is off: nothing runs.
func (v VMs) PowerState(ctx context.Context, b pool.BMC) (pool.Power, error) {
	h, err := v.of(b.Host)
	if err != nil {
		return pool.PowerUnknown, &powerError{"bmc.unreachable", err}
	}
	c, err := h.connect(ctx)
	if err != nil {
		return pool.PowerUnknown, &powerError{"bmc.unreachable", err}
	}
	defer c.close()
	return c.power(b.GUID)
}

// SetPower switches the virtual machine behind b, and returns when libvirt
// says that it is so. Off pulls the plug, soft asks the system.
func (v VMs) SetPower(ctx context.Context, b pool.BMC, a pool.PowerAction) error {
	h, err := v.of(b.Host)
	if err != nil {
		return &powerError{"bmc.unreachable", err}
	}
	c, err := h.connect(ctx)
	if err != nil {
		return &powerError{"bmc.unreachable", err}
	}
	defer c.close()
	want := pool.PowerOff
	if a == pool.DoPowerOn || a == pool.DoPowerReset || a == pool.DoPowerCycle {
		want = pool.PowerOn
	}
	if err := c.switchTo(b.GUID, a); err != nil {
		return &powerError{"bmc.power", err}
	}
	for {
		now, err := c.power(b.GUID)
		if err != nil {
			return &powerError{"bmc.unreachable", err}
		}
		if now == want {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return &powerError{"bmc.power", fmt.Errorf("virtual machine is %s: %w", now, ctx.Err())}
		}
	}
}

// SetBootDevice refuses: what a virtual machine starts is set by its steps.
func (VMs) SetBootDevice(context.Context, pool.BMC, pool.BootDevice, pool.Firmware) error {
	return &powerError{"bmc.unsupported", errors.New("libvirt starts what the virtual machine was defined with")}
}

// Check says whether libvirt answers.
func (v VMs) Check(ctx context.Context, b pool.BMC) error {
	_, err := v.PowerState(ctx, b)
	return err
}

// powerError carries the code that the engine knows.
type powerError struct {
	code string
	err  error
}

func (e *powerError) Error() string { return e.err.Error() }
func (e *powerError) Unwrap() error { return e.err }
func (e *powerError) Code() string  { return e.code }
