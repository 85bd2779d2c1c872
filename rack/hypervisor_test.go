package rack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
