package rack_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// TestE2EHypervisor turns a machine of the pool into a hypervisor by the
// shipped recipe, and has a virtual machine made there for a service. The
// machines of this rack are emulated, so that one would be emulated twice: the
// test ends when it runs the boot kit, and removes it.
func TestE2EHypervisor(t *testing.T) { minutes(t, "hypervisor") }

// TestE2EHypervisorOnHost has the same recipe on a host that already runs, so
// that its virtual machines are emulated once: one is made there, gets its
// image, and runs a recipe. Then it is killed: libvirt proves that it is off, and
// the service goes on on another one.
func TestE2EHypervisorOnHost(t *testing.T) { minutes(t, "hypervisorOnHost") }

func hypervisorOnHost(ctx context.Context) error {
	return site{machines: metal(1, 128)}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"a host runs", func(ctx context.Context) error { return d.boxes(ctx, 0) }},
			{"it is adopted", func(ctx context.Context) error { return d.adopt(ctx, 0) }},
			{"it is made a hypervisor", func(ctx context.Context) error {
				return errors.Join(d.recipes("hypervisor"), d.files(map[string]string{"hypervisor/hypervisor-service.properties": "tlsPort = 16514\nreservedMemory = 512\nbridge = \"br0\"\n"}),
					d.deployed(ctx, 15*time.Minute, []string{"hypervisor"}, "./hypervisor", "--template", "host"))
			}},
			{"a recipe runs on a virtual machine there", d.runsThere},
			{"the virtual machine dies", d.diesThere},
		}
	})
}

func (d *healDay) runsThere(ctx context.Context) error {
	if err := os.CopyFS(filepath.Join(d.dir, "greeter"), os.DirFS("../cmd/appliance/testdata/greeter")); err != nil {
		return err
	}
	if err := d.deployed(ctx, 20*time.Minute, []string{"greeter"}, "./greeter", "--template", "vm"); err != nil {
		return err
	}
	return d.greetsThere(ctx)
}

// greetsThere says whether the greeter answers from a virtual machine of the hypervisor's.
func (d *healDay) greetsThere(ctx context.Context) error {
	m, err := d.machineOf(ctx, "greeter")
	if err != nil {
		return err
	}
	if m.Driver != pool.DriverVM || m.Host != "hypervisor-1" {
		return fmt.Errorf("%s is of driver %s on %s", m.Name, m.Driver, m.Host)
	}
	text, err := page(ctx, "http://greeter."+zone+".:18080/")
	if err != nil || text != "hello from Linux, instance 1" {
		return fmt.Errorf("the greeter says %q, %w", text, err)
	}
	out, err := d.must(ctx, "service", "invoke", "hypervisor", "virtualMachines")
	if err == nil && !strings.Contains(out, m.ID) {
		err = fmt.Errorf("%s does not run on the hypervisor: %s", m.ID, out)
	}
	return err
}

func (d *healDay) diesThere(ctx context.Context) error {
	m, err := d.machineOf(ctx, "greeter")
	if err != nil {
		return err
	}
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	killed, at := 0, time.Now()
	for _, p := range all {
		b, err := os.ReadFile(p)
		if err != nil || !strings.Contains(string(b), "guest="+m.ID) || !strings.Contains(string(b), "qemu-system") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(p)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			return err
		}
		killed++
	}
	if killed != 1 {
		return fmt.Errorf("%d processes are the virtual machine %s", killed, m.ID)
	}
	err = d.until(ctx, 20*time.Minute, "the greeter runs on another virtual machine", func() (bool, error) {
		now, err := d.machineOf(ctx, "greeter")
		if err != nil {
			return false, nil //nolint:nilerr // it is on its way
		}
		s, err := d.api.Service(ctx, "greeter")
		return now.ID != m.ID && s.Phase == pool.ServiceRunning && s.Running[0].Phase == pool.InstanceRunning, err
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{"machine.lost", "instance.replacing", "instance.healed"} {
		if err := d.since(ctx, kind, at); err != nil {
			return err
		}
	}
	return errors.Join(d.deathFigures(ctx, m.ID, at), d.greetsThere(ctx))
}

func madeHypervisor(ctx context.Context) error {
	return site{machines: metal(1, 2048), pooled: 1}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"the hypervisor runs", d.hypervisorRuns},
			{"a virtual machine is made there", d.madeThere},
			{"it is removed", d.removedThere},
		}
	})
}

func (d *healDay) hypervisorRuns(ctx context.Context) error {
	if err := d.recipes("hypervisor"); err != nil {
		return err
	}
	if err := d.deployed(ctx, 30*time.Minute, []string{"hypervisor"}, "./hypervisor"); err != nil {
		return err
	}
	out, err := d.must(ctx, "service", "invoke", "hypervisor", "virtualMachines")
	if err == nil && strings.Contains(out, "m-") {
		err = fmt.Errorf("virtual machines are there before anybody made one: %s", out)
	}
	return err
}

func (d *healDay) madeThere(ctx context.Context) error {
	if err := os.CopyFS(filepath.Join(d.dir, "greeter"), os.DirFS("../cmd/appliance/testdata/greeter")); err != nil {
		return err
	}
	if err := d.deployed(ctx, 0, nil, "./greeter", "--template", "vm"); err != nil {
		return err
	}
	var m wire.Machine
	err := d.until(ctx, 15*time.Minute, "the agent's kernel is started on a virtual machine", func() (bool, error) {
		s, err := d.api.Service(ctx, "greeter")
		if err != nil || len(s.Running) != 1 || s.Running[0].Machine == "" {
			return false, err
		}
		if s.Phase == pool.ServiceFailed {
			return false, fmt.Errorf("%s", s.Sentence)
		}
		m, err = d.api.Machine(ctx, s.Running[0].Machine)
		return m.Operation != nil && m.Operation.Step == "standby", err
	})
	if err != nil {
		return err
	}
	if m.Driver != pool.DriverVM || m.Host != "hypervisor-1" {
		return fmt.Errorf("%s is of driver %s on %s", m.Name, m.Driver, m.Host)
	}
	out, err := d.must(ctx, "service", "invoke", "hypervisor", "virtualMachines")
	if err != nil {
		return err
	}
	if !strings.Contains(out, m.ID) {
		return fmt.Errorf("%s does not run on the hypervisor: %s", m.ID, out)
	}
	// How far a machine comes that is emulated twice depends on how busy this
	// one is: that is told and not asked for.
	err = d.until(ctx, 4*time.Minute, "its agent reports", func() (bool, error) {
		m, err = d.api.Machine(ctx, m.ID)
		return m.Operation != nil && m.Operation.Step != "standby", err
	})
	d.say("the virtual machine %s: %s (%v)", m.Name, m.Sentence, err)
	return nil
}

func (d *healDay) removedThere(ctx context.Context) error {
	if _, err := d.must(ctx, "service", "remove", "greeter", "--wipe", "greeter"); err != nil {
		return err
	}
	out, err := d.must(ctx, "service", "invoke", "hypervisor", "virtualMachines")
	if err == nil && strings.Contains(out, "m-") {
		err = fmt.Errorf("the virtual machine is still there: %s", out)
	}
	return err
}
