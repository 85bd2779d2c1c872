package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"appliance/dhcp"
	"appliance/orchestrator"
	"appliance/orchestrator/compute"
	"appliance/pool"
)

// defaultConfig is where serve looks when it is told nothing.
const defaultConfig = "/etc/appliance/appliance.yaml"

// config is the whole configuration: where the appliance stands, never what
// it serves. It names no MAC, no BMC and no machine; those are discovered.
type config struct {
	path      string        // of the file that it was read from
	Data      string        `yaml:"data"`
	Interface string        `yaml:"interface"`
	Subnets   []pool.Subnet `yaml:"subnets"`
	Accept    []acceptRule  `yaml:"accept"`
	Listen    listen        `yaml:"listen"`
	DNS       dnsConfig     `yaml:"dns"`
	Image     string        `yaml:"image"`
	Names     []string      `yaml:"names"`    // further names and addresses of the console
	SSHKeys   []string      `yaml:"ssh_keys"` // let into installed systems
	Kernel    []string      `yaml:"kernel"`   // further kernel arguments of the boot kit
	Packages  string        `yaml:"packages"` // folder of the package repository; DATA/packages when empty
	Netboot   *bool         `yaml:"netboot"`  // false: no DHCP, TFTP, HTTP boot
	// Hypervisors are where virtual machines may be made.
	Hypervisors []compute.Hypervisor `yaml:"hypervisors"`
	Agents      string               `yaml:"agents"` // folder with appliance-agent-ARCH, for what the binary does not carry
	TFTP        tftpConfig           `yaml:"tftp"`
	Healing     healingConfig        `yaml:"healing"`
}

type healingConfig struct {
	// Return is how long a machine that was fenced and switched on again may
	// take until its agent reports; 10 minutes when zero.
	Return time.Duration `yaml:"return"`
}

type tftpConfig struct {
	SinglePort bool `yaml:"single_port"` // data, too, leaves from port 69
}

type acceptRule struct {
	Name   string       `yaml:"name"`
	Subnet netip.Prefix `yaml:"subnet"`
	Erase  bool         `yaml:"erase"`
	Tags   []string     `yaml:"tags"`
}

type listen struct {
	HTTPS string `yaml:"https"`
	HTTP  string `yaml:"http"`
	// BootHTTPS is where firmware that trusts our CA fetches boot programs; "off": nowhere.
	BootHTTPS string `yaml:"boot_https"`
}

// exampleConfig is what "appliance config init" writes; a test reads it.
const exampleConfig = `# The appliance's configuration. It says where the appliance stands; machines,
# MACs and BMC addresses are not named here: they are discovered.

# Everything that must not be lost: database, images, packages, keys.
data: /var/lib/appliance

# The network interface that the rack is connected to. It needs an address in
# the first subnet below. Ask "appliance doctor" whether it can serve there.
interface: %s

subnets:
  - name: rack
    prefix: %s
    first: %s
    last: %s
    lease: 1h
    # Machines that nobody knows are answered, inventoried and shown; nothing is
    # written to them until they are accepted.
    discover: true
    # What the appliance is here: server, proxy (beside a DHCP server that stays),
    # off, or auto: proxy if another server answers when it starts.
    # mode: auto
    # router: 10.77.0.254
    # dns: [10.77.0.1]
    # reserve: { "52:54:00:12:34:56": 10.77.0.20 }

# Machines in these subnets are accepted without asking. Accepting never erases:
# a machine whose disks hold something is protected until a person allows it,
# or a rule says "erase: true".
# accept:
#   - name: rack
#     subnet: 10.77.0.0/24

# The image that services are put on, unless their template names another.
image: debian-12

# Names of services and machines: SERVICE.ZONE, N.SERVICE.ZONE, SERVICE.APP.ZONE.
# Machines of subnets above that say neither dns nor domain are told to ask here
# (DHCP options 6 and 15). Addresses have names, too (PTR).
# dns:
#   zone: rack.internal
#   upstream: ["192.0.2.53:53"]  # who is asked for other names; none: refused

# listen:
#   https: ":8443"  # console, API, agents
#   http: ":8080"   # boot files only
#   boot_https: ":8444"  # boot files for UEFI HTTPS Boot; "off": none

# A firewall between appliance and machines that lets only UDP port 69 through:
# tftp:
#   single_port: true

# Where virtual machines may be made, for templates with "drivers: [vm]".
# hypervisors:
#   - name: local
#     socket: /run/libvirt/libvirt-sock
#     cores: 8
#     memory: 17179869184
#     bridge: br0
#     kvm: true

# Names by which browsers call the console, for its certificate.
# names: [appliance.example.org]

# Public keys that may log in to installed systems as root.
# ssh_keys: ["ssh-ed25519 AAAA… you@desk"]
`

// loadConfig reads and checks a configuration file. Errors wrap pool.ErrInvalid.
func loadConfig(path string) (config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return config{}, err
	}
	c, err := parseConfig(b)
	if err != nil {
		return config{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	c.path = path
	return c, nil
}

func parseConfig(b []byte) (config, error) {
	c := config{Data: "/var/lib/appliance", Listen: listen{HTTPS: ":8443", HTTP: ":8080", BootHTTPS: ":8444"}, Image: "debian-12"}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return config{}, fmt.Errorf("%w: %v", pool.ErrInvalid, err)
	}
	return c, c.check()
}

// withoutNetboot switches netboot off in c; where there is no configuration
// (missing), it is the one of a laptop: all in the user's own folder, served
// on this host only.
func (a *app) withoutNetboot(c config, missing error) (config, error) {
	off := false
	if missing == nil {
		c.Netboot = &off
		return c, c.check()
	}
	data := a.getenv("XDG_DATA_HOME")
	if data == "" {
		home := a.getenv("HOME")
		if home == "" {
			return c, fmt.Errorf("%w: neither HOME nor XDG_DATA_HOME is set: name a configuration with --config", pool.ErrInvalid)
		}
		data = filepath.Join(home, ".local", "share")
	}
	return parseConfig(fmt.Appendf(nil, "data: %q\nnetboot: false\nlisten: {https: \"127.0.0.1:8443\"}\n", filepath.Join(data, "appliance")))
}

// packages is the folder of the package repository.
func (c config) packages() string { return first(c.Packages, filepath.Join(c.Data, "packages")) }

func (c config) netboot() bool { return c.Netboot == nil || *c.Netboot }

func (c *config) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", pool.ErrInvalid, fmt.Sprintf(format, args...))
	}
	if err := c.DNS.check(); err != nil {
		return err
	}
	if !filepath.IsAbs(c.Data) {
		return bad("data: %q is not an absolute path", c.Data)
	}
	if c.netboot() && c.Interface == "" {
		return bad("interface is missing: name the one that the rack is connected to, or set netboot: false")
	}
	if c.netboot() && len(c.Subnets) == 0 {
		return bad("subnets is empty: say which addresses the machines get")
	}
	for i := range c.Subnets {
		s := &c.Subnets[i]
		if s.Lease == 0 {
			s.Lease = time.Hour
		}
		switch {
		case s.Lease < 2*time.Minute:
			return bad("subnet %s: lease %s is shorter than two minutes", s.Prefix, s.Lease)
		case len(s.Ranges()) == 0 && s.Mode != pool.SubnetProxy && s.Mode != pool.SubnetOff && s.Prefix.Addr().Is4():
			return bad("subnet %s: first and last are missing: say which addresses the machines get, or set mode: proxy", s.Prefix)
		}
	}
	if err := dhcp.CheckSubnets(c.Subnets); err != nil {
		return err
	}
	for i, h := range c.Hypervisors {
		if err := h.Check(); err != nil {
			return err
		}
		if slices.ContainsFunc(c.Hypervisors[:i], func(o compute.Hypervisor) bool { return o.Name == h.Name }) {
			return bad("hypervisor %s is named twice", h.Name)
		}
	}
	for _, r := range c.Accept {
		if r.Name == "" {
			return bad("accept: a rule has no name")
		}
	}
	for _, k := range c.SSHKeys {
		if strings.ContainsAny(k, "\r\n") || len(strings.Fields(k)) < 2 {
			return bad("ssh_keys: %.20q is no public key line", k)
		}
	}
	return nil
}

func (c config) rules() []orchestrator.AcceptRule {
	var out []orchestrator.AcceptRule
	for _, r := range c.Accept {
		out = append(out, orchestrator.AcceptRule{Name: r.Name, Subnet: r.Subnet, Erase: r.Erase, Tags: r.Tags})
	}
	return out
}

// prefixes returns those of one family's subnets.
func prefixes(all []pool.Subnet, family func(netip.Addr) bool) (out []netip.Prefix) {
	for _, s := range all {
		if family(s.Prefix.Addr()) {
			out = append(out, s.Prefix)
		}
	}
	return out
}

// interfaceAddr returns an interface's address inside the first of the prefixes
// that it has one in (the others lie behind relay agents), or its first IPv4
// address when there are none.
func interfaceAddr(name string, prefixes []netip.Prefix) (netip.Addr, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: interface %s: %v; %s", pool.ErrInvalid, name, err, "see: ip address")
	}
	addrs, err := ifi.Addrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("read addresses of interface %s: %v", name, err)
	}
	if len(prefixes) == 0 {
		prefixes = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	}
	for _, prefix := range prefixes {
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && prefix.Contains(p.Addr()) {
				return p.Addr(), nil
			}
		}
	}
	return netip.Addr{}, fmt.Errorf("%w: interface %s has no address in %s; add one: ip address add %s/%d dev %s"+
		" (where all subnets lie behind relay agents: configure the interface's own, too, with mode: off)",
		pool.ErrInvalid, name, prefixes, prefixes[0].Addr().Next(), prefixes[0].Bits(), name)
}

// suggestConfig writes the example for the interface that looks most like a rack's.
func suggestConfig() string {
	name, prefix := "eth1", netip.MustParsePrefix("10.77.0.1/24")
	ifis, _ := net.Interfaces() // none: the example's own stands
	for _, ifi := range ifis {
		addrs, _ := ifi.Addrs()
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is4() && p.Addr().IsPrivate() && ifi.Flags&net.FlagUp != 0 && p.Bits() <= 28 {
				name, prefix = ifi.Name, p
			}
		}
	}
	first, last := rangeIn(prefix)
	return fmt.Sprintf(exampleConfig, name, prefix.Masked(), first, last)
}

// rangeIn returns a hundred addresses from .100 on, or the upper half of a small prefix.
func rangeIn(p netip.Prefix) (first, last netip.Addr) {
	b := p.Masked().Addr().As4()
	if p.Bits() <= 24 {
		b[3] = 100
		first = netip.AddrFrom4(b)
		b[3] = 199
		return first, netip.AddrFrom4(b)
	}
	size := byte(1 << (32 - p.Bits()))
	base := b[3]
	b[3] = base + size/2
	first = netip.AddrFrom4(b)
	b[3] = base + size - 2
	return first, netip.AddrFrom4(b)
}

// sealKey returns the key that seals secrets: a file beside, not in, the
// database; made on the first call.
func sealKey(dir string, random func([]byte) (int, error)) ([]byte, error) {
	path := filepath.Join(dir, "seal.key")
	key, err := os.ReadFile(path)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err == nil {
		return nil, fmt.Errorf("%w: %s holds %d bytes, a seal key has 32; restore it from a backup", pool.ErrInvalid, path, len(key))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read seal key: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "pool.db")); err == nil {
		return nil, fmt.Errorf("%w: %s is missing but the database is there; without it its secrets cannot be read: restore it from a backup", pool.ErrInvalid, path)
	}
	key = make([]byte, 32)
	if _, err := random(key); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %v", err)
	}
	switch err := keepNew(path, key); {
	case errors.Is(err, fs.ErrExist):
		return sealKey(dir, random) // another start was quicker
	case err != nil:
		return nil, fmt.Errorf("write seal key: %v", err)
	}
	return key, nil
}

// keepNew writes a file that must not be lost: whole and on the disk before it
// counts, readable by us alone. Errors wrap fs.ErrExist when there is one.
func keepNew(path string, b []byte) (err error) {
	dir, name := filepath.Split(path)
	f, err := os.CreateTemp(dir, name+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes what was renamed in a folder stay so when the power fails.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
