package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"appliance/api/wire"
	"appliance/pool"
)

// RAM performs the tasks of the agent in RAM.
type RAM struct {
	Inspector *Inspector
	Client    *Client
	MAC       pool.MAC     // of the interface it booted from
	SixOnly   bool         // it has an address of IPv6 only
	DNS       []netip.Addr // for the installed system
	Binary    string       // the agent's own file
	Open      func(pool.Disk) (Disk, error)
	// Mount makes a partition's files reachable at a folder until unmount.
	Mount func(ctx context.Context, device string) (dir string, unmount func() error, err error)
	// BMC opens the BMC; pool.ErrNotFound: there is none.
	BMC func() (bmcDevice, error)
	Log *slog.Logger
}

type bmcDevice interface {
	bmc
	Close() error
}

// Perform implements Performer.
func (t *RAM) Perform(ctx context.Context, as wire.Assignment, progress func(pool.Progress)) (any, error) {
	switch as.Kind {
	case pool.TaskFacts:
		return t.Inspector.Facts(ctx), nil
	case pool.TaskBMCUser:
		var p pool.BMCUserParams
		if err := readParams(as, &p); err != nil {
			return nil, err
		}
		return t.bmcUser(p)
	case pool.TaskWipe:
		var p pool.WipeParams
		if err := readParams(as, &p); err != nil {
			return nil, err
		}
		return t.wipe(ctx, p, progress)
	case pool.TaskImage:
		var p pool.ImageParams
		if err := readParams(as, &p); err != nil {
			return nil, err
		}
		return t.image(ctx, as, p, progress)
	case pool.TaskReboot, pool.TaskPowerOff, pool.TaskPrepare, pool.TaskEvent, pool.TaskDetect, pool.TaskCleanup, pool.TaskCommand, pool.TaskLook, pool.TaskWatch, pool.TaskStorage:
	}
	return nil, fmt.Errorf("%w: the agent in RAM has no task %q", pool.ErrInvalid, as.Kind)
}

func readParams(as wire.Assignment, into any) error {
	if err := json.Unmarshal(as.Params, into); err != nil {
		return fmt.Errorf("%w: parameters of task %s: %v", pool.ErrInvalid, as.Kind, err)
	}
	return nil
}

func (t *RAM) bmcUser(p pool.BMCUserParams) (res pool.BMCUserResult, err error) {
	d, err := t.BMC()
	if errors.Is(err, pool.ErrNotFound) {
		return pool.BMCUserResult{None: true}, nil
	}
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return makeBMCUser(d, p.User, pool.NewSecret(p.Password))
}

// image writes the image, makes it this machine's, and leaves it unmounted.
func (t *RAM) image(ctx context.Context, as wire.Assignment, p pool.ImageParams, progress func(pool.Progress)) (res pool.ImageResult, err error) {
	began := time.Now()
	target, err := p.Disk.Choose(t.Inspector.Facts(ctx).Disks)
	if err != nil {
		return res, err
	}
	// Everything that can be refused is, before the first byte is written.
	own := personal{params: p, mac: t.MAC, sixOnly: t.SixOnly, dns: t.DNS, binary: t.Binary}
	if own.identity, own.key, err = t.identity(ctx, as.Token, p.Machine); err != nil {
		return res, err
	}
	if err := own.check(); err != nil {
		return res, err
	}
	path := wire.PathImage + url.PathEscape(p.Image)
	var im pool.Image
	if _, err := t.Client.Do(ctx, "GET", path+"/manifest", nil, &im); err != nil {
		return res, fmt.Errorf("fetch manifest of image %s: %w", p.Image, err)
	}
	number, written, err := t.writeDisk(ctx, target, im, p.Digest, path+"/frames", progress)
	if err != nil {
		return res, err
	}
	device := partition(target.Name, number)
	progress(pool.Progress{Done: im.Size, Total: im.Size, Unit: "bytes", Detail: "installing the agent"})
	if err := t.install(ctx, device, own); err != nil {
		return res, err
	}
	silent(t.Log).Info("image written", "image", p.Image, "disk", target.Name, "serial", target.Serial)
	return pool.ImageResult{Serial: target.Serial, Written: written, Took: time.Since(began), Device: device}, nil
}

func (t *RAM) writeDisk(ctx context.Context, f pool.Disk, im pool.Image, digest, frames string, progress func(pool.Progress)) (root int, written int64, err error) {
	d, err := t.Open(f)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if closeErr := d.Close(); err == nil && closeErr != nil { // the partitions stay claimed while it is open
			err = fmt.Errorf("close disk %s: %w", f.Name, closeErr)
		}
	}()
	if err := checkImage(im, digest, d.Size(), d.Sector()); err != nil {
		return 0, 0, err
	}
	w := &imageWriter{image: im, disk: d, progress: progress, fetch: func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return t.Client.Get(ctx, frames, off, n)
	}}
	if err := w.write(ctx); err != nil {
		return 0, 0, err
	}
	if err := growTable(d); err != nil {
		return 0, 0, err
	}
	if root, err = rootPartition(d); err != nil {
		return 0, 0, err
	}
	return root, w.written, d.Reread()
}

// identity makes the installed system's key and has it certified.
func (t *RAM) identity(ctx context.Context, token, machine string) (wire.Identity, Key, error) {
	var id wire.Identity
	key, err := NewKey()
	if err != nil {
		return id, key, err
	}
	csr, err := key.Request(machine)
	if err != nil {
		return id, key, err
	}
	if _, err := t.Client.Do(ctx, "POST", wire.PathIdentity, wire.IdentityRequest{CSR: csr, Token: token}, &id); err != nil {
		return id, key, fmt.Errorf("ask for the system's identity: %w", err)
	}
	_, err = key.Certificate(id.Certificate)
	return id, key, err
}

func (t *RAM) install(ctx context.Context, device string, own personal) (err error) {
	dir, unmount, err := t.Mount(ctx, device)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unmount()) }()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open system on %s: %w", device, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return own.write(root)
}

// partition is the kernel's name for partition n of a disk.
func partition(disk string, n int) string {
	if c := disk[len(disk)-1]; c >= '0' && c <= '9' {
		disk += "p"
	}
	return fmt.Sprintf("/dev/%s%d", disk, n)
}

// mountPartition mounts an ext4 partition once the kernel has shown it.
func mountPartition(modules *Modules) func(context.Context, string) (string, func() error, error) {
	return func(ctx context.Context, device string) (string, func() error, error) {
		if err := modules.Load("crc32c_generic", "ext4"); err != nil {
			return "", nil, err
		}
		const dir = "/run/system"
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, fmt.Errorf("mount %s: %w", device, err)
		}
		var err error
		for range 50 {
			if err = unix.Mount(device, dir, "ext4", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err == nil {
				return dir, func() error {
					unix.Sync()
					if err := unix.Unmount(dir, 0); err != nil {
						return fmt.Errorf("unmount %s: %w", device, err)
					}
					return nil
				}, nil
			}
			pause(ctx, 100*time.Millisecond)
		}
		return "", nil, newCause("image.mount", "The system that was written cannot be mounted.", fmt.Sprintf("mount %s: %v", device, err),
			"Import the image again, then deploy again.")
	}
}

// runInRAM is one life of the agent in RAM. It returns only when something
// went wrong that has no other place to go.
func runInRAM(ctx context.Context, version string, log *slog.Logger, console *Console, key Key) error {
	ctx, cancel := context.WithCancel(ctx)
	var g errgroup.Group
	defer func() {
		cancel()
		_ = g.Wait() // they end with ctx and have said what they had to
	}()
	boot, err := readBootConfig(wire.BootConfigPath)
	if err != nil {
		return err
	}
	modules, hotplug := drivers(log)
	if hotplug != nil {
		g.Go(func() error { return hotplug.Run(ctx) })
	}
	if boot.MAC.IsZero() {
		boot.MAC = bootMAC(kernelArgs())
	}
	client, err := NewClient(boot.Server, boot.CA)
	if err != nil {
		return err
	}
	net := &Network{MAC: boot.MAC, Log: log, Resolv: "/etc/resolv.conf"}
	bound, err := net.Up(ctx)
	if err != nil {
		return err
	}
	g.Go(func() error { return net.Keep(ctx, bound) })
	g.Go(func() error { return console.Run(ctx, client) })
	if hotplug != nil {
		hotplug.Settle(ctx, 300*time.Millisecond, 15*time.Second)
	}
	lldp := &Listener{Log: log}
	in := &Inspector{Neighbours: lldp.Neighbour, BMC: inspectBMC, Look: lookAtDisk, Log: log}
	g.Go(func() error { return lldp.Run(ctx, names(in.nics())) })
	tasks := &RAM{Inspector: in, Client: client, MAC: bound.MAC, SixOnly: bound.Address.Addr().Is6(), DNS: bound.DNS, Binary: "/proc/self/exe",
		Open: openDisk, Mount: mountPartition(modules), Log: log,
		BMC: func() (bmcDevice, error) { return openIPMI() }}
	a := &Agent{Mode: pool.InRAM, Version: version, BootID: bootID(), MAC: bound.MAC, Token: boot.Token, Key: key,
		Client: client, Tasks: tasks, Journal: &Memory{}, Facts: in.Facts, Log: log,
		Leave: func(ctx context.Context, k pool.TaskKind) error {
			console.flush(ctx, client) // what was just said
			if k == pool.TaskPowerOff {
				return powerOff()
			}
			return restart()
		},
		Welcomed: func(wire.Welcome) error { return setClock(client.Date()) },
	}
	log.Info("asking the appliance", "server", boot.Server, "accepted", boot.Token != "")
	return a.Run(ctx)
}

// drivers loads what the machine's devices ask for. What does not load is
// said on the console: the rest of the machine may do.
func drivers(log *slog.Logger) (*Modules, *Hotplug) {
	modules, err := OpenModules("/lib/modules/"+kernelRelease(), "/sys", log)
	if err != nil {
		log.Warn("kernel modules", "err", err)
	}
	hotplug := &Hotplug{Modules: modules}
	if err := hotplug.Listen(); err != nil {
		log.Warn("devices that appear late stay without a driver", "err", err)
		hotplug = nil
	}
	modules.Coldplug()
	if err := modules.Load("af_packet", "sd_mod", "ipmi_devintf"); err != nil {
		log.Info("modules by need", "err", err)
	}
	if err := modules.Load("ipmi_si"); err != nil { // refuses to load where there is no BMC
		log.Info("no BMC driver", "err", err)
	}
	log.Info("drivers loaded", "modules", modules.Loaded())
	if _, err := os.Stat("/sys/firmware/efi"); err == nil {
		if err := modules.Load("efivarfs"); err != nil {
			log.Warn("firmware variables", "err", err)
		}
		if err := unix.Mount("efivarfs", "/sys/firmware/efi/efivars", "efivarfs", unix.MS_RDONLY, ""); err != nil && !errors.Is(err, unix.EBUSY) {
			log.Warn("firmware variables", "err", err)
		}
	}
	return modules, hotplug
}

func names(nics []pool.NIC) []string {
	var out []string
	for _, n := range nics {
		out = append(out, n.Name)
	}
	return out
}

// bootID is new at every start of the kernel.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
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
