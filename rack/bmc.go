package rack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// FactoryUser and FactoryPassword log in to every BMC of a new rack.
const (
	FactoryUser     = "admin"
	FactoryPassword = "secret"
)

// A BMC is an ipmi_sim process that speaks IPMI 2.0 (lanplus, cipher suite 3)
// on its own address, KCS to its machine's operating system, and serial over
// LAN to its console. Users made in a run stay over Stop and Start.
type BMC struct {
	Addr netip.Addr

	index int
	name  string
	dir   string
	prog  string // answers chassis and lan questions: PROG chassis SOCKET …
	log   *slog.Logger
	ctl   net.Listener
	owned sync.WaitGroup

	mu   sync.Mutex
	cmd  *exec.Cmd // nil: stopped
	done chan struct{}
}

// openBMC starts the BMC of machine c.
func openBMC(ctx context.Context, m *Machine, c chassis, prog string) (*BMC, error) {
	b := &BMC{Addr: BMCAddr(m.Index), index: m.Index, name: m.Spec.Name, dir: m.Dir, prog: prog, log: m.log}
	var err error
	if b.ctl, err = new(net.ListenConfig).Listen(ctx, "unix", b.socket()); err != nil {
		return nil, fmt.Errorf("open BMC of %s: %w", b.name, err)
	}
	b.owned.Go(func() {
		serveChassis(b.ctl, func(ctx context.Context, args []string) (string, error) {
			out, err := b.answer(ctx, c, args)
			b.log.Debug("BMC asks its hardware", "machine", b.name, "question", strings.Join(args, " "), "answer", strings.ReplaceAll(out, "\n", " "), "err", err)
			return out, err
		})
	})
	err = b.writeConfig()
	if err == nil {
		err = b.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open BMC of %s: %w", b.name, err), b.close(ctx))
	}
	return b, nil
}

func (b *BMC) answer(ctx context.Context, c chassis, args []string) (string, error) {
	if len(args) > 0 && args[0] == "lan" {
		return answerLAN(b.index, args[1:])
	}
	return answerChassis(ctx, c, args)
}

func (b *BMC) socket() string { return fmt.Sprintf("@rack/chassis/%d", b.index) }

// Start starts a BMC that was stopped and returns when it answers. It is
// idempotent.
func (b *BMC) Start(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cmd != nil {
		return nil
	}
	if err := setAddr(b.Addr, true); err != nil {
		return fmt.Errorf("start BMC of %s: %w", b.name, err)
	}
	out, err := os.OpenFile(filepath.Join(b.dir, "bmc.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("start BMC of %s: %w", b.name, err)
	}
	defer out.Close()                     //nolint:errcheck // a duplicate; ipmi_sim has its own
	cmd := exec.Command("ipmi_sim", "-n", //nolint:noctx // ends by Stop or with the world
		"-c", filepath.Join(b.dir, "lan.conf"), "-f", filepath.Join(b.dir, "emu"), "-s", filepath.Join(b.dir, "bmc-state"))
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start BMC of %s: %w (Debian package openipmi)", b.name, err)
	}
	done := make(chan struct{})
	b.owned.Go(func() {
		_ = cmd.Wait() // how it ended is in bmc.log
		close(done)
	})
	b.cmd, b.done = cmd, done
	if err := b.await(ctx); err != nil {
		return errors.Join(fmt.Errorf("start BMC of %s: %w: %s", b.name, err, lastLine(out.Name())), b.stop(ctx))
	}
	return nil
}

// Stop kills the BMC: it answers neither the network nor its machine. Its
// machine's power stays as it is. It is idempotent.
func (b *BMC) Stop(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stop(ctx)
}

func (b *BMC) stop(ctx context.Context) error {
	if b.cmd == nil {
		return nil
	}
	if err := b.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop BMC of %s: %w", b.name, err)
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return fmt.Errorf("stop BMC of %s: %w", b.name, ctx.Err())
	}
	b.cmd = nil
	return nil
}

// Unplug pulls the BMC's network cable, or plugs it in again. Unlike a
// stopped BMC, which refuses, an unplugged one does not answer at all, and its
// machine still reaches it in-band.
func (b *BMC) Unplug(pulled bool) error {
	if err := setAddr(b.Addr, !pulled); err != nil {
		return fmt.Errorf("unplug BMC of %s: %w", b.name, err)
	}
	return nil
}

func (b *BMC) close(ctx context.Context) error {
	err := b.Stop(ctx)
	if cerr := b.ctl.Close(); !errors.Is(cerr, net.ErrClosed) {
		err = errors.Join(err, cerr)
	}
	if err == nil {
		b.owned.Wait()
	}
	return err
}

// await returns when the BMC answers an ASF presence ping (IPMI 2.0, section
// 13.2.4). It tries for 10 seconds.
func (b *BMC) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var last error
	for {
		if last = pingBMC(ctx, netip.AddrPortFrom(b.Addr, 623)); last == nil {
			return nil
		}
		select {
		case <-b.done:
			return errors.New("ipmi_sim has ended")
		case <-ctx.Done():
			return fmt.Errorf("no answer to a ping: %w", last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func pingBMC(ctx context.Context, addr netip.AddrPort) error {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", addr.String())
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // a datagram socket
	if err := conn.SetDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		return err
	}
	ping := []byte{
		6, 0, 0xff, 6, // RMCP 1.0, no acknowledgement, class ASF
		0, 0, 0x11, 0xbe, // ASF's enterprise number
		0x80, 1, 0, 0, // presence ping, tag, reserved, no data
	}
	if _, err := conn.Write(ping); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 64))
	return err
}

// writeConfig writes ipmi_sim's two files. Where it finds a mistake it stops
// reading and opens no socket, without a word; so they are kept to what works.
func (b *BMC) writeConfig() error {
	state := filepath.Join(b.dir, "bmc-state")
	if err := os.MkdirAll(state, 0o755); err != nil {
		return fmt.Errorf("write config of ipmi_sim: %w", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "emu"), []byte(emuText), 0o644); err != nil {
		return fmt.Errorf("write config of ipmi_sim: %w", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "lan.conf"), []byte(b.lanText()), 0o600); err != nil {
		return fmt.Errorf("write config of ipmi_sim: %w", err)
	}
	return nil
}

const emuText = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`

func (b *BMC) lanText() string {
	prog := shellQuote(b.prog) + " " + chassisArg + " " + b.socket()
	var t strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&t, format+"\n", args...) }
	line(`name "bmc%d"`, b.index)
	line(`set_working_mc 0x20`)
	line(`startlan 1`)
	line(`  addr %s 623`, b.Addr)
	line(`  priv_limit admin`)
	for _, level := range []string{"callback", "user", "operator", "admin"} {
		line(`  allowed_auths_%s none md2 md5 straight`, level)
	}
	line(`  guid %s`, strings.ReplaceAll(uuid(b.index), "-", ""))
	line(`  lan_config_program "%s lan"`, prog)
	line(`endlan`)
	line(`chassis_control "%s"`, prog)
	line(`serial 15 127.0.0.1 %d codec VM`, kcsPort(b.index))
	line(`sol "tcp:127.0.0.1:%d" 115200 history=65536`, serialPort(b.index))
	line(`user 1 true "" "" callback 10`)
	line(`user 2 true "%s" "%s" admin 10 none md2 md5 straight`, FactoryUser, FactoryPassword)
	return t.String()
}

// shellQuote quotes for the shell that ipmi_sim runs its programs by, within
// the double quotes of its configuration.
func shellQuote(s string) string { return "'" + s + "'" }
