package rack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrOff is returned for what only a machine that is powered on can do.
var ErrOff = errors.New("machine is off")

// A Machine is one QEMU machine of a rack. Its methods may be called at the
// same time; each ends at its context's deadline at the latest.
//
// The boot order follows a server's: what was asked for once counts for the
// next boot only, and a reboot from inside is a boot like any other.
type Machine struct {
	Spec  Spec // as raised, with its defaults; SwapDisk and AddDisk change it
	Index int
	Dir   string // its folder: console.log, qemu.log, bmc.log, diskN, vars.fd
	BMC   *BMC   // nil: it has none

	accel string
	log   *slog.Logger
	owned sync.WaitGroup // goroutines

	mu        sync.Mutex
	vm        *vm        // nil: off
	next      BootDevice // for the next boot only; BootNone: nothing asked
	unplugged bool
}

// vm is one life of a machine, from power on to power off.
type vm struct {
	cmd   *exec.Cmd
	qmp   *qmp
	done  chan struct{} // closed when the process has been waited for
	index int           // boot index of the network card
	posts bool          // the firmware may still read the order it boots by
}

// settleTime is how long after a reset a firmware may reset once more before
// it boots: SeaBIOS does so up to twice, and then reads the boot order again.
const settleTime = 3 * time.Second

func (v *vm) alive() bool {
	if v == nil {
		return false
	}
	select {
	case <-v.done:
		return false
	default:
		return true
	}
}

// MAC is the address of the machine's network card.
func (m *Machine) MAC() string { return mac(m.Index) }

// Serial is the machine's serial number, as SMBIOS tells it.
func (m *Machine) Serial() string { return serial(m.Index) }

// UUID is the machine's UUID, as SMBIOS and its BMC tell it.
func (m *Machine) UUID() string { return uuid(m.Index) }

// ConsoleLog is the file that holds all the machine ever said on its serial
// line, over all its boots.
func (m *Machine) ConsoleLog() string { return filepath.Join(m.Dir, "console.log") }

// On says whether the machine is powered on.
func (m *Machine) On() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.vm.alive()
}

// PowerOn switches the machine on. It is idempotent.
func (m *Machine) PowerOn(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vm.alive() {
		return nil
	}
	if err := m.start(ctx); err != nil {
		return fmt.Errorf("power on %s: %w", m.Spec.Name, err)
	}
	m.log.Info("machine powered on", "machine", m.Spec.Name)
	return nil
}

// PowerOff switches the machine off at once, as pulling its cord would; what
// the guest has not flushed is lost. It is idempotent.
func (m *Machine) PowerOff(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.stop(ctx); err != nil {
		return fmt.Errorf("power off %s: %w", m.Spec.Name, err)
	}
	return nil
}

// PowerReset restarts the machine as its reset button does. It returns ErrOff
// for a machine that is off.
func (m *Machine) PowerReset(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.vm.alive() {
		return fmt.Errorf("reset %s: %w", m.Spec.Name, ErrOff)
	}
	if err := m.stop(ctx); err != nil {
		return fmt.Errorf("reset %s: %w", m.Spec.Name, err)
	}
	if err := m.start(ctx); err != nil {
		return fmt.Errorf("reset %s: %w", m.Spec.Name, err)
	}
	return nil
}

// PowerSoft presses the power button: the guest may power off, or ignore it.
// It returns ErrOff for a machine that is off.
func (m *Machine) PowerSoft(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.vm.alive() {
		return fmt.Errorf("press power button of %s: %w", m.Spec.Name, ErrOff)
	}
	if err := m.vm.qmp.run(ctx, "system_powerdown", nil, nil); err != nil {
		return fmt.Errorf("press power button of %s: %w", m.Spec.Name, err)
	}
	return nil
}

// SetBoot says what the machine boots: from now on with persistent, else at
// its next boot only, whether that comes by power or by a reboot from inside.
// BootNone withdraws what was asked for once.
func (m *Machine) SetBoot(ctx context.Context, d BootDevice, persistent bool) error {
	switch d {
	case BootNone, BootPXE, BootDisk, BootBIOS, BootCD:
	default:
		return fmt.Errorf("set boot device of %s: unknown device %q", m.Spec.Name, d)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if persistent && (d == BootPXE || d == BootDisk) {
		m.Spec.Boot = d
	} else {
		m.next = d
	}
	if !m.vm.alive() || m.vm.posts {
		return nil // taken up by the next start, or when the firmware has settled
	}
	if err := m.order(ctx, m.nextBoot()); err != nil {
		return fmt.Errorf("set boot device of %s: %w", m.Spec.Name, err)
	}
	return nil
}

// Boot returns what was asked for the next boot, BootNone for nothing.
func (m *Machine) Boot() BootDevice {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next == "" {
		return BootNone
	}
	return m.next
}

func (m *Machine) nextBoot() BootDevice {
	if m.next == BootPXE || m.next == BootDisk {
		return m.next
	}
	return m.Spec.Boot
}

// order sets what the firmware of a running machine finds at its next reset.
// (QEMU hands the order to the firmware anew at each reset, and until then
// what it handed over before stands.)
func (m *Machine) order(ctx context.Context, d BootDevice) error {
	index := nicIndex(d)
	if m.vm.index == index { // QEMU refuses an index that is taken, by the same device too
		return nil
	}
	err := m.vm.qmp.run(ctx, "qom-set", map[string]any{
		"path": "/machine/peripheral/nic0", "property": "bootindex", "value": index,
	}, nil)
	if err == nil {
		m.vm.index = index
	}
	return err
}

// Unplug pulls the machine's network cable, or plugs it in again.
func (m *Machine) Unplug(ctx context.Context, pulled bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := setLink(tapName(m.Index), !pulled); err != nil {
		return fmt.Errorf("unplug %s: %w", m.Spec.Name, err)
	}
	m.unplugged = pulled
	if !m.vm.alive() {
		return nil
	}
	return m.setCarrier(ctx)
}

func (m *Machine) setCarrier(ctx context.Context) error {
	return m.vm.qmp.run(ctx, "set_link", map[string]any{"name": "nic0", "up": !m.unplugged}, nil)
}

// SwapDisk puts d into the place of disk n; the old disk's file stays. The
// machine has to be off.
func (m *Machine) SwapDisk(n int, d Disk) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vm.alive() {
		return fmt.Errorf("swap disk %d of %s: machine is on", n, m.Spec.Name)
	}
	if n < 0 || n >= len(m.Spec.Disks) {
		return fmt.Errorf("swap disk %d of %s: it has %d disks", n, m.Spec.Name, len(m.Spec.Disks))
	}
	m.Spec.Disks[n] = d.withDefaults(m.Dir, m.Index, n)
	return nil
}

// AddDisk adds a disk. The machine has to be off.
func (m *Machine) AddDisk(d Disk) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vm.alive() {
		return fmt.Errorf("add disk to %s: machine is on", m.Spec.Name)
	}
	m.Spec.Disks = append(m.Spec.Disks, d.withDefaults(m.Dir, m.Index, len(m.Spec.Disks)))
	return nil
}

// start runs QEMU until it has answered. m.mu is held.
func (m *Machine) start(ctx context.Context) error {
	if err := m.makeFiles(); err != nil {
		return err
	}
	now := m.nextBoot()
	m.next = BootNone
	v, err := m.exec(ctx, argv{spec: m.Spec, index: m.Index, dir: m.Dir, accel: m.accel, boot: now, bmc: !m.Spec.NoBMC, qmpFD: 3})
	if err != nil {
		return err
	}
	m.vm = v
	m.owned.Go(func() { m.watch(v) })
	if !m.unplugged {
		return nil
	}
	if err := m.setCarrier(ctx); err != nil {
		return errors.Join(err, m.stop(context.WithoutCancel(ctx)))
	}
	return nil
}

// watch uses up, at a machine's reset, what was asked for its next boot, and
// ends with the machine's life.
func (m *Machine) watch(v *vm) {
	settled := time.NewTimer(settleTime)
	defer settled.Stop()
	for {
		select {
		case event, ok := <-v.qmp.events:
			if !ok {
				<-v.done
				return
			}
			if event != "RESET" {
				continue
			}
			m.mu.Lock()
			if m.vm == v && !v.posts {
				v.posts, m.next = true, BootNone
			}
			m.mu.Unlock()
			settled.Reset(settleTime)
		case <-settled.C:
			m.mu.Lock()
			if m.vm == v && v.alive() {
				v.posts = false
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				if err := m.order(ctx, m.nextBoot()); err != nil && !errors.Is(err, errGone) {
					m.log.Warn("boot order not restored", "machine", m.Spec.Name, "err", err)
				}
				cancel()
			}
			m.mu.Unlock()
		}
	}
}

func (m *Machine) exec(ctx context.Context, a argv) (*vm, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close() //nolint:errcheck // a duplicate; QEMU has its own
	out, err := os.OpenFile(filepath.Join(m.Dir, "qemu.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	defer out.Close() //nolint:errcheck // a duplicate; QEMU has its own
	// Not CommandContext: the machine outlives the call that switched it on.
	cmd := exec.Command(a.spec.program(), a.build()...) //nolint:noctx // ends by PowerOff or with the world
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = Environ()
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C is for us, not for it
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start QEMU: %w", err), ours.Close())
	}
	_ = theirs.Close()
	v := &vm{cmd: cmd, index: nicIndex(a.boot), posts: true, done: make(chan struct{})}
	m.owned.Go(func() {
		_ = cmd.Wait() // how it ended is in qemu.log
		close(v.done)
	})
	conn, err := fileConn(ours)
	if err == nil {
		v.qmp, err = openQMP(ctx, conn)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		<-v.done
		return nil, fmt.Errorf("start QEMU: %w: %s", err, lastLine(out.Name()))
	}
	return v, nil
}

// stop ends QEMU. m.mu is held.
func (m *Machine) stop(ctx context.Context) error {
	v := m.vm
	if v == nil {
		return nil
	}
	// The disks are raw files without a cache of QEMU's: killing loses nothing.
	if err := v.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill QEMU: %w", err)
	}
	select {
	case <-v.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	m.vm = nil
	return v.qmp.close()
}

// close switches the machine off and waits for all it owns.
func (m *Machine) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := m.PowerOff(ctx)
	if m.BMC != nil {
		err = errors.Join(err, m.BMC.close(ctx))
	}
	if err == nil {
		m.owned.Wait()
	}
	return err
}

// makeFiles makes the disks and the firmware's variables where there are none.
func (m *Machine) makeFiles() error {
	for _, d := range m.Spec.Disks {
		f, err := os.OpenFile(d.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("make disk: %w", err)
		}
		if err := errors.Join(f.Truncate(d.Bytes), f.Close()); err != nil {
			return fmt.Errorf("make disk: %w", err)
		}
	}
	vars := filepath.Join(m.Dir, "vars.fd")
	if _, err := os.Stat(vars); !m.Spec.Firmware.uefi() || err == nil {
		return nil
	}
	b, err := os.ReadFile(m.Spec.Firmware.variables())
	if err != nil {
		return fmt.Errorf("make UEFI variables: %w (Debian packages ovmf, qemu-efi-aarch64)", err)
	}
	if err := os.WriteFile(vars, b, 0o644); err != nil {
		return fmt.Errorf("make UEFI variables: %w", err)
	}
	return nil
}

// socketPair returns two ends of a stream; both are close-on-exec.
func socketPair() (a, b *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "qmp"), os.NewFile(uintptr(fds[1]), "qmp"), nil
}

func lastLine(path string) (line string) {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // read only
	for s := bufio.NewScanner(io.LimitReader(f, 1<<20)); s.Scan(); {
		line = s.Text()
	}
	return line
}
