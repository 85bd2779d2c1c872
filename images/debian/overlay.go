package debian

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const networkFile = `# Written with the image. A file that sorts before this one overrides it.
[Match]
Type=ether
Name=en* eth*

[Network]
DHCP=ipv4
# Without this the link counts as configured only once the wait for a router
# advertisement is over.
IPv6AcceptRA=no

[DHCPv4]
# The same identifier as the firmware and the agent: one machine, one lease.
ClientIdentifier=mac
`

// overlay are the files that make Debian's root file system this image.
func overlay(p platform, root guid) []struct {
	name, content string
	mode          fs.FileMode
} {
	return []struct {
		name, content string
		mode          fs.FileMode
	}{
		{"etc/fstab", "LABEL=root / ext4 errors=remount-ro,x-systemd.growfs 0 1\n", 0o644},
		{"etc/hostname", "unnamed\n", 0o644},
		{"etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n", 0o644},
		{"etc/machine-id", "", 0o444},
		{"etc/apt/sources.list", "# The appliance writes its own source below sources.list.d.\n", 0o644},
		{"etc/apt/apt.conf.d/90appliance", "APT::Install-Recommends \"false\";\nAcquire::Languages \"none\";\n", 0o644},
		{"etc/systemd/network/80-dhcp.network", networkFile, 0o644},
		{"etc/systemd/system/systemd-networkd-wait-online.service.d/any.conf",
			"[Service]\nExecStart=\nExecStart=/lib/systemd/systemd-networkd-wait-online --any --timeout=60\n", 0o644},
		{"etc/systemd/system/ssh.service.d/keys.conf",
			"[Service]\nExecStartPre=\n" +
				"ExecStartPre=/bin/sh -c 'test -s /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N \"\" -f /etc/ssh/ssh_host_ed25519_key'\n" +
				"ExecStartPre=/usr/sbin/sshd -t\n", 0o644},
		{"etc/ssh/sshd_config.d/appliance.conf",
			"HostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\nUseDNS no\n", 0o644},
		{"boot/grub/grub.cfg", grubConfig(p, root), 0o644},
	}
}

// finish turns the unpacked root file system in dir into the image's.
func finish(dir string, p platform, root guid) error {
	tree, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("write image files: %w", err)
	}
	err = writeOverlay(tree, p, root)
	return errors.Join(err, tree.Close())
}

func writeOverlay(tree *os.Root, p platform, root guid) error {
	for _, f := range overlay(p, root) {
		if err := tree.MkdirAll(filepath.Dir(f.name), 0o755); err != nil {
			return fmt.Errorf("write image file %s: %w", f.name, err)
		}
		// What the packages put there may be a link; replace it.
		if err := tree.Remove(f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write image file %s: %w", f.name, err)
		}
		if err := tree.WriteFile(f.name, []byte(f.content), f.mode); err != nil {
			return fmt.Errorf("write image file %s: %w", f.name, err)
		}
	}
	for _, l := range []struct{ name, target string }{
		{"etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf"},
		{"etc/systemd/system/e2scrub_reap.service", "/dev/null"},
	} {
		if err := tree.Remove(l.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write image link %s: %w", l.name, err)
		}
		if err := tree.Symlink(l.target, l.name); err != nil {
			return fmt.Errorf("write image link %s: %w", l.name, err)
		}
	}
	// Packages may leave sources behind; the image is to have none.
	left, err := fs.Glob(tree.FS(), "etc/apt/sources.list.d/*")
	if err != nil {
		return fmt.Errorf("list package sources: %w", err)
	}
	for _, name := range left {
		if err := tree.Remove(name); err != nil {
			return fmt.Errorf("remove package source %s: %w", name, err)
		}
	}
	for _, link := range []string{"vmlinuz", "initrd.img"} {
		if _, err := tree.Readlink(link); err != nil {
			return fmt.Errorf("find kernel of the image: %w", err)
		}
	}
	return nil
}
