package debian

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"appliance/images/debian/apt"
	"appliance/pool"
)

// A platform is an architecture that images are built for.
type platform struct {
	arch   pool.Arch
	grub   string // GRUB's name of its UEFI
	suffix string // that UEFI's loaders have in their names
	bios   bool   // it boots by BIOS, too
	root   guid   // partition type
	// serial lines of GRUB's configuration, and the kernel's console. Where
	// both are empty the firmware's tables name the serial line.
	serial, console string
	emulator        string // QEMU's name of it
}

// platformOf is the platform of an architecture, amd64 where none is named.
func platformOf(arch pool.Arch) (platform, error) {
	switch arch {
	case "", pool.AMD64:
		return platform{
			arch: pool.AMD64, grub: "x86_64-efi", suffix: "x64", bios: true, root: typeRootAMD64,
			serial: "if [ $grub_platform = pc ]; then serial --unit=0 --speed=115200; terminal_output console serial; fi\n", console: " console=tty0 console=ttyS0,115200", emulator: "qemu-x86_64",
		}, nil
	case pool.ARM64:
		return platform{arch: pool.ARM64, grub: "arm64-efi", suffix: "aa64", root: typeRootARM64, emulator: "qemu-aarch64"}, nil
	}
	return platform{}, fmt.Errorf("architecture %q: want amd64 or arm64", arch)
}

// foreign says whether this host runs programs of the platform by emulation only.
func (p platform) foreign() bool { return string(p.arch) != runtime.GOARCH }

// partitions are those of a disk of size bytes, the root file system's last.
func (p platform) partitions(key string, size int64) []partition {
	rootSize := (size/sector - 1 - gptSectors + 1 - rootStart) &^ 2047 // whole MiB
	all := []partition{
		{typeESP, derived(key, "part2"), "esp", espStart, espSize},
		{p.root, derived(key, "part3"), "root", rootStart, rootSize},
	}
	if p.bios {
		all = slices.Insert(all, 0, partition{typeBIOSBoot, derived(key, "part1"), "bios", biosStart, biosSize})
	}
	return all
}

// emulate makes sure that programs of a foreign platform run here: packages'
// scripts do, while the image is put together. Where no systemd has told the
// kernel of the emulator, and install is set, it is told now.
func (p platform) emulate(ctx context.Context, install bool) error {
	if !p.foreign() || tool(ctx, "", nil, "arch-test", string(p.arch)) == nil {
		return nil
	}
	if install {
		const formats = "/proc/sys/fs/binfmt_misc"
		if _, err := os.Stat(formats + "/register"); errors.Is(err, fs.ErrNotExist) {
			if err := tool(ctx, "", nil, "mount", "-t", "binfmt_misc", "binfmt_misc", formats); err != nil {
				return fmt.Errorf("run programs of %s: %w", p.arch, err)
			}
		}
		if err := tool(ctx, "", nil, "/lib/systemd/systemd-binfmt", "/usr/lib/binfmt.d/"+p.emulator+".conf"); err != nil {
			return fmt.Errorf("run programs of %s: %w", p.arch, err)
		}
	}
	if err := tool(ctx, "", nil, "arch-test", string(p.arch)); err != nil {
		return fmt.Errorf("run programs of %s: this host does not (%w): its kernel knows no emulator for them; restart systemd-binfmt.service, or say --install", p.arch, err)
	}
	return nil
}

// signedLoaders is a folder with the platform's shim and GRUB, signed, of
// Debian's packages. It is kept in the cache.
func (p platform) signedLoaders(ctx context.Context, o Options, scratch string) (string, error) {
	kept := filepath.Join(o.CacheDir, "debian-"+Suite+"-loaders-"+string(p.arch))
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	}
	mirror, err := apt.HostMirror(ctx)
	if err != nil {
		return "", err
	}
	state, err := apt.OpenArch(ctx, filepath.Join(scratch, "apt"), "", string(p.arch), mirror.Repos(Suite, "main"))
	if err != nil {
		return "", err
	}
	found, err := state.Show(ctx, "shim-signed", "grub-efi-"+string(p.arch)+"-signed")
	if err != nil {
		return "", err
	}
	if _, err := state.Download(ctx, scratch, found); err != nil {
		return "", err
	}
	tree, part := filepath.Join(scratch, "loaders"), kept+".part"
	if err := errors.Join(os.RemoveAll(part), os.Mkdir(part, 0o755)); err != nil {
		return "", fmt.Errorf("keep signed loaders: %w", err)
	}
	for _, pkg := range found {
		if err := tool(ctx, "", nil, "dpkg-deb", "-x", filepath.Join(scratch, pkg.File()), tree); err != nil {
			return "", fmt.Errorf("unpack %s: %w", pkg.Name, err)
		}
	}
	for name, from := range map[string]string{p.shim(): "usr/lib/shim/shim" + p.suffix, p.signedGRUB(): "usr/lib/grub/" + p.grub + "-signed/grub" + p.suffix} {
		b, err := os.ReadFile(filepath.Join(tree, from+".efi.signed"))
		if err == nil {
			err = os.WriteFile(filepath.Join(part, name), b, 0o644)
		}
		if err != nil {
			return "", fmt.Errorf("keep signed loaders: %w", err)
		}
	}
	return kept, os.Rename(part, kept)
}

// shim is the file in EFI/BOOT that the firmware starts.
func (p platform) shim() string { return "BOOT" + strings.ToUpper(p.suffix) + ".EFI" }

// signedGRUB is the file beside it that shim starts.
func (p platform) signedGRUB() string { return "grub" + p.suffix + ".efi" }
