package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"appliance/api/wire"
	"appliance/pool"
)

// runInRAM is one life of the agent in RAM. It returns only when something
// that has no other place to go went wrong.
func runInRAM(ctx context.Context, version string, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var g errgroup.Group
	defer func() {
		cancel()
		_ = g.Wait() // they end with ctx and have said what they had to
	}()
	modules, err := OpenModules("/lib/modules/"+kernelRelease(), "/sys", log)
	if err != nil {
		log.Warn("kernel modules", "err", err)
	}
	hotplug := &Hotplug{Modules: modules}
	if err := hotplug.Listen(); err != nil {
		log.Warn("devices that appear late stay without a driver", "err", err)
	} else {
		g.Go(func() error { return hotplug.Run(ctx) })
	}
	modules.Coldplug()
	if err := modules.Load("af_packet", "efivarfs", "ipmi_si", "ipmi_devintf", "sd_mod"); err != nil {
		log.Info("modules by need", "err", err) // no BMC, for one
	}
	log.Info("drivers loaded", "modules", modules.Loaded())
	if _, err := os.Stat("/sys/firmware/efi"); err == nil {
		if err := unix.Mount("efivarfs", "/sys/firmware/efi/efivars", "efivarfs", unix.MS_RDONLY, ""); err != nil {
			log.Warn("firmware variables", "err", err)
		}
	}
	boot, err := readBootConfig(wire.BootConfigPath)
	if err != nil {
		return err
	}
	if boot.MAC.IsZero() {
		boot.MAC = bootMAC(kernelArgs())
	}
	net := &Network{MAC: boot.MAC, Log: log, Resolv: "/etc/resolv.conf"}
	bound, err := net.Up(ctx)
	if err != nil {
		return err
	}
	g.Go(func() error { return net.Keep(ctx, bound) })
	<-ctx.Done()
	return nil
}

func readBootConfig(path string) (wire.BootConfig, error) {
	var c wire.BootConfig
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read boot configuration: %w: was this kernel started by an appliance?", err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("%w: read boot configuration %s: %v", pool.ErrInvalid, path, err)
	}
	if c.Server == "" || c.CA == "" {
		return c, fmt.Errorf("%w: read boot configuration %s: server or CA is missing", pool.ErrInvalid, path)
	}
	return c, nil
}
