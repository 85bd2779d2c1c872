package rack_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/rack"
)

// TestSecureBoot: a machine with Secure Boot on, of which nothing is known,
// refuses the unsigned boot program, says nothing, is given the signed chain
// and is inventoried; a second one of its model gets the signed chain at once.
func TestSecureBoot(t *testing.T) {
	bootWorld(t, "secureBoot")
}

// TestARM64 boots an arm64 machine to its inventory.
func TestARM64(t *testing.T) {
	bootWorld(t, "armBoot")
}

func bootWorld(t *testing.T, role string) {
	t.Helper()
	e2e(t)
	if os.Getenv("APPLIANCE_BIN") == "" {
		t.Fatal("APPLIANCE_BIN is not set; run make e2e")
	}
	f, code, _ := world(t, role)
	if got := <-code; got != 0 {
		t.Errorf("exit code %d; what went wrong is above", got)
		show(t, filepath.Join(f.Dir, "appliance.log"))
		logs, _ := filepath.Glob(filepath.Join(f.Dir, "m*", "console.log"))
		for _, l := range logs {
			show(t, l)
		}
	}
}

// raised starts an appliance beside a rack of machines, all off.
func raised(ctx context.Context, specs ...rack.Spec) (d *day, end func() error, err error) {
	dir, _ := rack.Inside()
	d = &day{dir: dir, began: time.Now()}
	if d.rack, err = rack.Raise(ctx, rack.Config{Machines: specs}); err != nil {
		return nil, nil, err
	}
	if err := d.start(ctx); err != nil {
		return nil, nil, errors.Join(err, d.rack.Close())
	}
	return d, func() error { return errors.Join(d.kill(), d.rack.Close()) }, nil
}

// inventoried powers a machine on until the appliance has its facts; again
// when its firmware has given up, as its BMC or a person would.
func (d *day) inventoried(ctx context.Context, m *rack.Machine, each time.Duration, tries int) (wire.Machine, error) {
	for range tries {
		if err := m.PowerOff(ctx); err != nil {
			return wire.Machine{}, err
		}
		said := int64(0)
		if info, err := os.Stat(m.ConsoleLog()); err == nil {
			said = info.Size()
		}
		if err := m.PowerOn(ctx); err != nil {
			return wire.Machine{}, err
		}
		for end := time.Now().Add(each); time.Now().Before(end) && !gaveUp(m, said); time.Sleep(time.Second) {
			all, err := d.api.Machines(ctx)
			if err != nil {
				return wire.Machine{}, err
			}
			for _, x := range all {
				if x.Facts != nil && len(x.MACs) > 0 && x.MACs[0].String() == m.MAC() {
					return x, nil
				}
			}
		}
	}
	return wire.Machine{}, fmt.Errorf("%s was not inventoried in %d boots of %s at most", m.Spec.Name, tries, each)
}

// gaveUp says whether a firmware has nothing more to boot, by what it said on
// the console after its first said bytes.
func gaveUp(m *rack.Machine, said int64) bool {
	b, err := os.ReadFile(m.ConsoleLog())
	return err == nil && int64(len(b)) > said && strings.Contains(string(b[said:]), "No bootable option or device was found")
}

func secureBoot(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 45*time.Minute)
	defer cancel()
	d, end, err := raised(ctx,
		rack.Spec{Firmware: rack.SecureUEFI, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true},
		rack.Spec{Firmware: rack.SecureUEFI, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	for i, tries := range []int{3, 1} {
		m := d.rack.Machines[i]
		got, err := d.inventoried(ctx, m, 12*time.Minute, tries)
		if err != nil {
			return err
		}
		if !got.Facts.SecureBoot || got.Facts.Firmware != pool.UEFI {
			return fmt.Errorf("%s: facts say firmware %s, Secure Boot %t", m.Spec.Name, got.Facts.Firmware, got.Facts.SecureBoot)
		}
		console, err := os.ReadFile(m.ConsoleLog())
		if err != nil {
			return err
		}
		if !strings.Contains(string(console), "Secure boot enabled") {
			return fmt.Errorf("%s: the kernel did not say that Secure Boot is enabled", m.Spec.Name)
		}
		if refused := strings.Contains(string(console), "Access Denied"); refused != (i == 0) {
			return fmt.Errorf("%s: the firmware refused a program: %t; only the first of a model should meet that", m.Spec.Name, refused)
		}
		if err := m.PowerOff(ctx); err != nil {
			return err
		}
	}
	return nil
}

func armBoot(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	d, end, err := raised(ctx, rack.Spec{Firmware: rack.ARM64, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	got, err := d.inventoried(ctx, d.rack.Machines[0], 6*time.Minute, 2)
	if err != nil {
		return err
	}
	if got.Facts.Arch != "arm64" || got.Facts.Firmware != pool.UEFI {
		return fmt.Errorf("facts say architecture %s, firmware %s", got.Facts.Arch, got.Facts.Firmware)
	}
	return nil
}
