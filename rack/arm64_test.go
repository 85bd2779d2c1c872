package rack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/pool"
	"appliance/rack"
)

// TestE2EARM64 deploys the shipped recipe nginx on an arm64 machine with Secure Boot on: its image
// is one that our builder made, its packages come from the appliance.
func TestE2EARM64(t *testing.T) { minutes(t, "armDeploy") }

const armTemplate = "name: ARM_LINUX\ncores: 1\nmemory: 536870912\ndisk: 2147483648\narch: arm64\n"

func armDeploy(ctx context.Context) error {
	image := os.Getenv("APPLIANCE_IMAGE_ARM64")
	if image == "" {
		return fmt.Errorf("APPLIANCE_IMAGE_ARM64 is not set; run make e2e-long")
	}
	machine := rack.Spec{Firmware: rack.SecureARM64, MemoryMB: 1024, Boot: rack.BootPXE, NoBMC: true}
	return site{machines: []rack.Spec{machine}, pooled: 1, image: image, limit: 75 * time.Minute}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"the image is one for arm64", d.armImage},
			{"nginx runs", d.armWeb},
			{"it serves, on arm64", d.armServes},
		}
	})
}

// TestE2EHostARM64 adopts an arm64 host that already runs, and puts nginx on it.
func TestE2EHostARM64(t *testing.T) { minutes(t, "armHost") }

func armHost(ctx context.Context) error {
	image := os.Getenv("APPLIANCE_IMAGE_ARM64")
	if image == "" {
		return fmt.Errorf("APPLIANCE_IMAGE_ARM64 is not set; run make e2e-long")
	}
	host := rack.Spec{Firmware: rack.ARM64, MemoryMB: 1024, NoBMC: true}
	return site{machines: []rack.Spec{host}, image: image, limit: 75 * time.Minute}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"an arm64 host runs", func(ctx context.Context) error { return d.hosts(ctx, 0) }},
			{"it is adopted", func(ctx context.Context) error { return d.adopt(ctx, 0) }},
			{"nginx runs on it", d.armHostWeb},
		}
	})
}

func (d *healDay) armHostWeb(ctx context.Context) error {
	if err := d.recipes("nginx"); err != nil {
		return err
	}
	if err := d.deployed(ctx, 45*time.Minute, []string{"nginx"}, "./nginx", "--template", "host"); err != nil {
		return err
	}
	m, err := d.machineOf(ctx, "nginx")
	if err != nil {
		return err
	}
	if m.Driver.Or() != pool.DriverSSH || m.Facts.Arch != pool.ARM64 {
		return fmt.Errorf("%s is of driver %s and %s, want ssh and arm64", m.Name, m.Driver.Or(), m.Facts.Arch)
	}
	return d.welcomes(ctx, m)
}

func (d *healDay) armImage(ctx context.Context) error {
	all, err := d.api.Images(ctx)
	if err == nil && (len(all) != 1 || all[0].Arch != pool.ARM64) {
		err = fmt.Errorf("images %+v, want one of arm64", all)
	}
	return err
}

func (d *healDay) armWeb(ctx context.Context) error {
	if err := d.recipes("nginx"); err != nil {
		return err
	}
	if err := d.files(map[string]string{"arm.yaml": armTemplate}); err != nil {
		return err
	}
	if _, err := d.must(ctx, "template", "set", filepath.Join(d.dir, "arm.yaml")); err != nil {
		return err
	}
	return d.deployed(ctx, 45*time.Minute, []string{"nginx"}, "./nginx", "--template", "ARM_LINUX")
}

func (d *healDay) armServes(ctx context.Context) error {
	m, err := d.machineOf(ctx, "nginx")
	if err != nil {
		return err
	}
	if m.Phase != pool.Active || m.Facts.Arch != pool.ARM64 || !m.Facts.SecureBoot {
		return fmt.Errorf("%s is %s, %s, Secure Boot %t; want an active machine of arm64 with Secure Boot", m.Name, m.Phase, m.Facts.Arch, m.Facts.SecureBoot)
	}
	return d.welcomes(ctx, m)
}

// welcomes wants nginx's page from the machine.
func (d *healDay) welcomes(ctx context.Context, m pool.Machine) error {
	text, err := page(ctx, "http://"+m.Address.String()+"/")
	if err == nil && !strings.Contains(text, "It works.") {
		err = fmt.Errorf("its page says %q", text)
	}
	return err
}
