package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"appliance/images/debian/apt"
)

// Suite is the Debian release of the image.
const Suite = "bookworm"

// basePackages are in every image, besides Debian's required ones. What lets
// recipes install more over HTTPS is among them: apt, ca-certificates.
func basePackages() []string {
	return []string{
		"apt", "ca-certificates", "dbus", "e2fsprogs", "initramfs-tools", "iproute2", "kmod",
		"netbase", "openssh-server", "procps", "systemd-resolved", "systemd-sysv", "udev", "zstd",
	}
}

// kernelPackage is the package of a kernel choice.
func (p platform) kernelPackage(kernel string) (string, error) {
	switch kernel {
	case "", "generic":
		return "linux-image-" + string(p.arch), nil
	case "cloud":
		return "linux-image-cloud-" + string(p.arch), nil
	}
	if strings.HasPrefix(kernel, "linux-image-") {
		return kernel, nil
	}
	return "", fmt.Errorf("choose kernel: %q is not generic, cloud or a linux-image package", kernel)
}

// The hooks run inside mmdebstrap. What needs none of the image's own programs
// is written by overlay instead.
const (
	initramfsHook = `mkdir -p "$1/etc/initramfs-tools/conf.d" && printf 'COMPRESS=zstd\nMODULES=most\nRESUME=none\n' > "$1/etc/initramfs-tools/conf.d/appliance"`
	enableHook    = `chroot "$1" systemctl enable systemd-networkd systemd-resolved ssh && chroot "$1" systemctl disable apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer`
	cleanHook     = `rm -rf "$1"/var/cache/apt/*.bin "$1"/etc/ssh/ssh_host_* "$1"/var/log/*.log "$1"/var/log/apt "$1"/var/cache/debconf/*-old && : > "$1/etc/machine-id" && rm -f "$1/var/lib/dbus/machine-id" && sed -i /force-unsafe-io/d "$1"/etc/dpkg/dpkg.cfg.d/*`
)

// rootTar returns the tar of Debian's root file system, from the cache when
// the same was built before: same suite, packages, hooks. It holds whatever
// versions the mirror had then; remove the cache to have newer ones.
func (p platform) rootTar(ctx context.Context, o Options, scratch string, packages []string) (tar, key string, err error) {
	slices.Sort(packages)
	packages = slices.Compact(packages)
	args := []string{
		"--variant=minbase", "--format=tar", "--architectures=" + string(p.arch), "--components=main",
		"--include=" + strings.Join(packages, ","),
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright",
		"--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
		"--dpkgopt=path-exclude=/usr/share/info/*", "--dpkgopt=force-unsafe-io",
		`--aptopt=APT::Install-Recommends "false"`, `--aptopt=Acquire::Languages "none"`,
		"--essential-hook=" + initramfsHook,
		"--customize-hook=" + enableHook,
		"--customize-hook=" + cleanHook,
	}
	sum := sha256.Sum256([]byte(Suite + "\n" + strings.Join(args, "\n")))
	key = hex.EncodeToString(sum[:])[:16]
	tar = filepath.Join(o.CacheDir, "debian-"+Suite+"-"+key+".tar")
	unlock, err := waitLock(ctx, tar+".lock")
	if err != nil {
		return "", "", fmt.Errorf("find cached root file system: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if _, err := os.Stat(tar); errors.Is(err, fs.ErrNotExist) {
		err = bootstrap(ctx, tar, scratch, args)
		if err != nil {
			return "", "", fmt.Errorf("build root file system: %w", err)
		}
	} else if err != nil {
		return "", "", fmt.Errorf("find cached root file system: %w", err)
	}
	return tar, key, nil
}

// bootstrap runs mmdebstrap with args to make tar. It runs in namespaces of
// its own, so that neither a process nor a mount of it outlives us, however
// we end; its temporary tree is below scratch.
func bootstrap(ctx context.Context, tar, scratch string, args []string) error {
	mirror, err := apt.HostMirror(ctx)
	if err != nil {
		return err
	}
	part := tar + ".part"
	args = append([]string{"--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "env", "TMPDIR=" + scratch, "mmdebstrap"}, args...)
	args = append(args, Suite, part)
	for _, r := range mirror.Repos(Suite, "main") {
		args = append(args, r.String())
	}
	if err := tool(ctx, "", nil, "unshare", args...); err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return os.Rename(part, tar)
}
