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

	"appliance/images/debian/apt"
	"appliance/pool"
)

// A platform is an architecture that images are built for.
type platform struct {
	arch    pool.Arch
	grub    string // GRUB's name of its UEFI
	loader  string // in EFI/BOOT
	modules []string
	bios    bool // it boots by BIOS, too
	root    guid // partition type
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
			arch: pool.AMD64, grub: "x86_64-efi", loader: "BOOTX64.EFI", modules: []string{"serial", "terminal"}, bios: true, root: typeRootAMD64,
			serial: "serial --unit=0 --speed=115200\nterminal_output console serial\n", console: " console=tty0 console=ttyS0,115200", emulator: "qemu-x86_64",
		}, nil
	case pool.ARM64:
		return platform{arch: pool.ARM64, grub: "arm64-efi", loader: "BOOTAA64.EFI", root: typeRootARM64, emulator: "qemu-aarch64"}, nil
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

// grubModules is the folder of GRUB's modules for the platform's UEFI: the
// host's own, or of the platform's package, which is kept in the cache.
func (p platform) grubModules(ctx context.Context, o Options, scratch string) (string, error) {
	if !p.foreign() {
		return filepath.Join(grubLib, p.grub), nil
	}
	kept := filepath.Join(o.CacheDir, "grub-"+p.grub)
	if _, err := os.Stat(filepath.Join(kept, "moddep.lst")); err == nil {
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
	found, err := state.Show(ctx, "grub-efi-"+string(p.arch)+"-bin")
	if err != nil {
		return "", err
	}
	if _, err := state.Download(ctx, scratch, found); err != nil {
		return "", err
	}
	tree := filepath.Join(scratch, "grub")
	if err := tool(ctx, "", nil, "dpkg-deb", "-x", filepath.Join(scratch, found[0].File()), tree); err != nil {
		return "", fmt.Errorf("unpack %s: %w", found[0].Name, err)
	}
	// The cache may lie on another file system.
	part := kept + ".part"
	if err := errors.Join(os.RemoveAll(part), os.RemoveAll(kept), os.CopyFS(part, os.DirFS(filepath.Join(tree, "usr/lib/grub", p.grub)))); err != nil {
		return "", fmt.Errorf("keep GRUB's modules: %w", err)
	}
	return kept, os.Rename(part, kept)
}
