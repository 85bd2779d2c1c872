package rack_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/rack"
)

// TestE2ESecureBoot deploys a service on a machine with Secure Boot on: the
// system that was written to its disk starts by signed programs, too.
func TestE2ESecureBoot(t *testing.T) { minutes(t, "secureDeploy") }

func secureDeploy(ctx context.Context) error {
	machine := rack.Spec{Firmware: rack.SecureUEFI, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true}
	return site{machines: []rack.Spec{machine}, limit: 60 * time.Minute}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"a machine with Secure Boot is ready", d.secureReady},
			{"nginx runs on it", func(ctx context.Context) error { return d.oneNginx(ctx) }},
			{"its own system started with Secure Boot", d.secureSystem},
		}
	})
}

func (d *healDay) secureReady(ctx context.Context) error {
	got, err := d.inventoried(ctx, d.rack.Machines[0], 12*time.Minute, 3)
	if err != nil {
		return err
	}
	if !got.Facts.SecureBoot {
		return fmt.Errorf("%s says that Secure Boot is off", got.Name)
	}
	_, err = d.machine(ctx, 0, 10*time.Minute, "is ready", func(m wire.Machine) bool { return m.Phase == pool.Ready })
	return err
}

func (d *healDay) secureSystem(ctx context.Context) error {
	m, err := d.machineOf(ctx, "nginx")
	if err != nil {
		return err
	}
	if m.Phase != pool.Active {
		return fmt.Errorf("%s is %s, want active", m.Name, m.Phase)
	}
	console, err := os.ReadFile(d.rack.Machines[0].ConsoleLog())
	if err != nil {
		return err
	}
	secure := strings.Split(string(console), "EFI stub: UEFI Secure Boot is enabled.")
	if last := secure[len(secure)-1]; len(secure) < 3 || !strings.Contains(last, "Debian GNU/Linux 12") {
		return fmt.Errorf("the last of %d kernels with Secure Boot is not that of the disk: %q", len(secure)-1, last)
	}
	return nil
}
