package agent

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"appliance/api/wire"
	"appliance/pool"
)

// Where the installed agent and what it needs lie.
const (
	InstalledPath = "/usr/local/bin/appliance-agent"
	identityDir   = "etc/appliance"
	unitName      = "appliance-agent.service"
)

// unit starts the installed agent. KillMode=process: what it runs for recipes
// has scopes of its own and outlives it.
const unit = `[Unit]
Description=Agent of the appliance
After=systemd-networkd.service
Wants=systemd-networkd.service

[Service]
ExecStart=` + InstalledPath + ` run
Restart=always
RestartSec=1
KillMode=process
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
`

// hostname is one label (RFC 1123, section 2.1): nothing else goes into files.
var hostname = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

// personal is what makes the written image this machine's system.
type personal struct {
	params   pool.ImageParams
	identity wire.Identity
	key      Key
	mac      pool.MAC
	sixOnly  bool // nobody gave it an IPv4 address
	dns      []netip.Addr
	binary   string // path of the agent's own file
}

func (p personal) check() error {
	if !hostname.MatchString(p.params.Hostname) {
		return fmt.Errorf("%w: hostname %q", pool.ErrInvalid, p.params.Hostname)
	}
	for _, k := range p.params.SSHKeys {
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(k)); err != nil || strings.ContainsAny(strings.TrimSpace(k), "\n\r") {
			return fmt.Errorf("%w: SSH key %q is not one line of authorized_keys", pool.ErrInvalid, k)
		}
	}
	if u, err := url.Parse(p.identity.Server); err != nil || u.Scheme != "https" || strings.ContainsAny(p.identity.Server, " \n\r\"") {
		return fmt.Errorf("%w: appliance address %q", pool.ErrInvalid, p.identity.Server)
	}
	return nil
}

// write writes into the system mounted at root. Nothing leaves root, whatever
// links the image holds.
func (p personal) write(root *os.Root) error {
	if err := p.check(); err != nil {
		return err
	}
	files, err := p.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := put(root, f.name, f.data, f.mode); err != nil {
			return err
		}
	}
	for _, step := range []func(*os.Root) error{p.trust, p.sources, p.agent, sshHostKey, enable, guardUnits} {
		if err := step(root); err != nil {
			return err
		}
	}
	for _, f := range p.params.Files {
		if err := put(root, strings.TrimPrefix(path.Clean("/"+f.Name), "/"), []byte(f.Text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

type file struct {
	name string
	data []byte
	mode fs.FileMode
}

func (p personal) files() ([]file, error) {
	id, err := json.MarshalIndent(p.identity, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write identity: %w", err)
	}
	key, err := p.key.PEM()
	if err != nil {
		return nil, err
	}
	var machineID [16]byte
	_, _ = rand.Read(machineID[:]) // never fails (crypto/rand)
	keys := ""
	for _, k := range p.params.SSHKeys {
		keys += strings.TrimSpace(k) + "\n"
	}
	h := p.params.Hostname
	return []file{
		{"etc/hostname", []byte(h + "\n"), 0o644},
		{"etc/hosts", []byte("127.0.0.1 localhost\n127.0.1.1 " + h + "\n::1 localhost ip6-localhost ip6-loopback\n"), 0o644},
		{"etc/machine-id", []byte(hex.EncodeToString(machineID[:]) + "\n"), 0o444},
		{"etc/resolv.conf", []byte(resolvConf(p.dns)), 0o644},
		{"etc/systemd/network/10-appliance.network", []byte(p.network()), 0o644},
		{"root/.ssh/authorized_keys", []byte(keys), 0o600},
		{"usr/sbin/policy-rc.d", []byte("#!/bin/sh\n# Packages start nothing: the appliance's recipes do.\nexit 101\n"), 0o755},
		{identityDir + "/identity.json", append(id, '\n'), 0o600},
		{identityDir + "/key.pem", key, 0o600},
		{"etc/systemd/system/" + unitName, []byte(unit), 0o644},
	}, nil
}

// network configures the card that the machine booted from in the way that it
// got its address as it booted. Its identifier is its MAC: one machine, one lease.
func (p personal) network() string {
	match := "[Match]\nMACAddress=" + p.mac.String() + "\n\n"
	if p.sixOnly {
		return match + "[Network]\nDHCP=ipv6\nIPv6AcceptRA=yes\n\n[DHCPv6]\nDUIDType=link-layer\nWithoutRA=solicit\n"
	}
	return match + "[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n\n[DHCPv4]\nClientIdentifier=mac\n"
}

// put replaces the file by one with exactly this content and mode.
func put(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	dir := path.Dir(name)
	perm := fs.FileMode(0o755)
	if dir == "root/.ssh" || dir == identityDir {
		perm = 0o700
	}
	if err := root.MkdirAll(dir, perm); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // it may be a link
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := root.WriteFile(name, data, mode); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := root.Chmod(name, mode); err != nil { // whatever the umask
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// trust makes the system trust the appliance's CA.
func (p personal) trust(root *os.Root) error {
	ca := []byte(strings.TrimSpace(p.identity.CA) + "\n")
	if err := put(root, "usr/local/share/ca-certificates/appliance.crt", ca, 0o644); err != nil {
		return err
	}
	const bundle = "etc/ssl/certs/ca-certificates.crt"
	old, err := root.ReadFile(bundle)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", bundle, err)
	}
	if bytes.Contains(old, bytes.TrimSpace(ca)) {
		return nil
	}
	if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) {
		old = append(old, '\n')
	}
	return put(root, bundle, append(old, ca...), 0o644)
}

// sources leaves the appliance's repository as the only source of packages.
func (p personal) sources(root *os.Root) error {
	for _, n := range []string{"etc/apt/sources.list", "etc/apt/sources.list.d"} {
		if err := root.RemoveAll(n); err != nil {
			return fmt.Errorf("remove %s: %w", n, err)
		}
	}
	list := "deb [trusted=yes] " + strings.TrimRight(p.identity.Server, "/") + "/packages/ /\n"
	if err := put(root, "etc/apt/sources.list.d/appliance.list", []byte(list), 0o644); err != nil {
		return err
	}
	return put(root, "etc/apt/apt.conf.d/95appliance",
		[]byte("Acquire::https::CAInfo \"/usr/local/share/ca-certificates/appliance.crt\";\n"), 0o644)
}

// agent copies the running binary.
func (p personal) agent(root *os.Root) (err error) {
	in, err := os.Open(p.binary)
	if err != nil {
		return fmt.Errorf("copy agent: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	name := strings.TrimPrefix(InstalledPath, "/")
	if err := put(root, name, nil, 0o755); err != nil {
		return err
	}
	out, err := root.OpenFile(name, os.O_WRONLY, 0o755)
	if err != nil {
		return fmt.Errorf("copy agent: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("copy agent: %w", err)
	}
	return nil
}

// sshHostKey gives the system a host key of its own, where it has an SSH
// server; keys that came with the image are everybody's.
func sshHostKey(root *os.Root) error {
	if _, err := root.Stat("etc/ssh"); err != nil {
		return nil // no SSH server
	}
	old, err := fs.Glob(root.FS(), "etc/ssh/ssh_host_*")
	if err != nil {
		return fmt.Errorf("list SSH host keys: %w", err)
	}
	for _, o := range old {
		if err := root.Remove(o); err != nil {
			return fmt.Errorf("remove SSH host key: %w", err)
		}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make SSH host key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return fmt.Errorf("write SSH host key: %w", err)
	}
	pub, err := ssh.NewPublicKey(public)
	if err != nil {
		return fmt.Errorf("write SSH host key: %w", err)
	}
	if err := put(root, "etc/ssh/ssh_host_ed25519_key", pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	return put(root, "etc/ssh/ssh_host_ed25519_key.pub", ssh.MarshalAuthorizedKey(pub), 0o644)
}

// enable does what systemctl enable does.
func enable(root *os.Root) error {
	const wants = "etc/systemd/system/multi-user.target.wants"
	if err := root.MkdirAll(wants, 0o755); err != nil {
		return fmt.Errorf("enable agent: %w", err)
	}
	link := wants + "/" + unitName
	if err := root.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("enable agent: %w", err)
	}
	if err := root.Symlink("/etc/systemd/system/"+unitName, link); err != nil {
		return fmt.Errorf("enable agent: %w", err)
	}
	return nil
}
