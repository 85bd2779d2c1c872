package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/klauspost/compress/zstd"

	"appliance/api/wire"
	"appliance/images"
	"appliance/images/kit"
	"appliance/ipmi"
	"appliance/orchestrator"
	"appliance/orchestrator/compute"
	"appliance/pool"
)

// drivers returns the compute drivers of this appliance.
func (s *appliance) drivers() compute.Set {
	return compute.Set{compute.Metal{}, s.vms(), compute.Hosts{Agent: s.agentFor, Identity: s.hostIdentity, Server: s.url(),
		Local: filepath.Join(s.config.Data, "host"), Log: s.log}}
}

// vms returns the driver of virtual machines.
func (s *appliance) vms() compute.VMs {
	return compute.VMs{Hypervisors: s.config.Hypervisors, More: s.made.list, Boot: s.bootVM}
}

// userModeAppliance is where QEMU's user-mode network has the host.
const userModeAppliance = "10.0.2.2"

// bootVM returns the boot kit's kernel, and its initramfs with m's own
// configuration and one-time token before it.
func (s *appliance) bootVM(ctx context.Context, m pool.Machine) (kernel, initrd []byte, err error) {
	if kernel, err = fs.ReadFile(kit.FS(), kit.Vmlinuz); err != nil {
		return nil, nil, errors.Join(kit.ErrNoKit, err)
	}
	rest, err := fs.ReadFile(kit.FS(), kit.Initrd)
	if err != nil {
		return nil, nil, errors.Join(kit.ErrNoKit, err)
	}
	token, err := s.engine.MintBootToken(ctx, m.ID)
	if err != nil {
		return nil, nil, err
	}
	server := s.url()
	for _, h := range s.config.Hypervisors {
		if h.Name == m.Host && h.Bridge+h.Network+h.Device == "" {
			server = "https://" + net.JoinHostPort(userModeAppliance, strconv.Itoa(int(port(s.config.Listen.HTTPS))))
		}
	}
	c, err := json.Marshal(wire.BootConfig{Server: server, CA: string(s.ca.PEM()), MAC: m.MAC(), Token: token.Reveal()})
	if err != nil {
		return nil, nil, err
	}
	extra := images.Archive([]images.File{{Name: "etc", Dir: true}, {Name: "etc/appliance", Dir: true},
		{Name: "etc/appliance/boot.json", Mode: 0o600, Data: c}})
	return kernel, append(extra, rest...), nil
}

// power switches machines: by their BMCs, and virtual ones by libvirt. A host
// that already runs has neither, and so no proof.
type power struct {
	bmc *ipmi.Controller
	vms compute.VMs
}

func (p power) of(b pool.BMC) orchestrator.Power {
	if b.Protocol == compute.ProtocolLibvirt {
		return p.vms
	}
	return p.bmc
}

// PowerState implements orchestrator.Power, as do the others.
func (p power) PowerState(ctx context.Context, b pool.BMC) (pool.Power, error) {
	return p.of(b).PowerState(ctx, b)
}

func (p power) SetPower(ctx context.Context, b pool.BMC, a pool.PowerAction) error {
	return p.of(b).SetPower(ctx, b, a)
}

func (p power) SetBootDevice(ctx context.Context, b pool.BMC, d pool.BootDevice, f pool.Firmware) error {
	return p.of(b).SetBootDevice(ctx, b, d, f)
}

func (p power) Check(ctx context.Context, b pool.BMC) error { return p.of(b).Check(ctx, b) }

// hostIdentity issues the identity of an agent that was put on a host.
func (s *appliance) hostIdentity(ctx context.Context, m pool.Machine, csr string) ([]byte, error) {
	id, err := s.api.HostIdentity(ctx, m, csr)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(id, "", "  ")
}

// agentFor returns the static agent for an architecture: from the folder that
// the configuration names, else the one that this binary carries.
func (s *appliance) agentFor(arch pool.Arch) ([]byte, error) {
	name := "appliance-agent-" + string(arch)
	if s.config.Agents != "" {
		b, err := os.ReadFile(filepath.Join(s.config.Agents, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	f, err := kit.FS().Open(name + ".zst")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: this binary carries no agent for %s", pool.ErrNotFound, arch)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is read from memory
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("unpack agent for %s: %w", arch, err)
	}
	defer z.Close()
	b, err := io.ReadAll(io.LimitReader(z, 256<<20))
	if err != nil {
		return nil, fmt.Errorf("unpack agent for %s: %w", arch, err)
	}
	return b, nil
}
