package build

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// chainConfig starts the operating system on the disk. The ESP of an image of
// ours comes first, then what other systems' installers write. Where nothing
// is found the machine starts anew after a minute and asks the appliance
// again: GRUB's exit would leave it in the firmware's menu.
const chainConfig = `set timeout=0
function try {
  if [ -f "($esp)$1" ]; then
    echo "Starting ($esp)$1"
    set root="$esp"
    chainloader "($esp)$1"
    boot
  fi
}
unset esp
search --no-floppy --label APPLIANCE --set=esp
if [ -n "$esp" ]; then try /EFI/BOOT/BOOTX64.EFI; fi
for f in /EFI/BOOT/BOOTX64.EFI /EFI/debian/shimx64.efi /EFI/debian/grubx64.efi /EFI/ubuntu/shimx64.efi /EFI/redhat/shimx64.efi /EFI/centos/shimx64.efi /EFI/rocky/shimx64.efi /EFI/almalinux/shimx64.efi /EFI/fedora/shimx64.efi /EFI/opensuse/shim.efi /EFI/sles/shim.efi /EFI/Microsoft/Boot/bootmgfw.efi; do
  unset esp
  search --no-floppy --file --set=esp $f
  if [ -n "$esp" ]; then try $f; fi
done
echo "No operating system was found on the disks of this machine."
echo "It asks the network again in a minute."
sleep 60
reboot
`

// chainConfigOf is chainConfig with the names that loaders have on an architecture.
func chainConfigOf(arch string) string {
	if arch == arm64 {
		return strings.NewReplacer("x64", "aa64", "X64", "AA64").Replace(chainConfig)
	}
	return chainConfig
}

// grubChain makes the network boot program that starts the disk, with the
// modules of the unpacked grub-efi-amd64-bin or grub-efi-arm64-bin.
func grubChain(ctx context.Context, t target, tree, dir string) ([]byte, error) {
	var disk bytes.Buffer
	w, config := tar.NewWriter(&disk), chainConfigOf(t.arch)
	err := w.WriteHeader(&tar.Header{Name: "boot/grub/grub.cfg", Mode: 0o644, Size: int64(len(config)), Format: tar.FormatUSTAR})
	if err == nil {
		_, err = w.Write([]byte(config))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("make grub-chain.efi: %w", err)
	}
	memdisk, out := filepath.Join(dir, "memdisk.tar"), filepath.Join(dir, "grub-chain.efi")
	if err := os.WriteFile(memdisk, disk.Bytes(), 0o644); err != nil {
		return nil, fmt.Errorf("make grub-chain.efi: %w", err)
	}
	err = command(ctx, "grub-mkimage", "-O", t.grub, "-d", filepath.Join(tree, "usr/lib/grub", t.grub),
		"-m", memdisk, "-p", "(memdisk)/boot/grub", "-o", out,
		"memdisk", "tar", "normal", "test", "echo", "sleep", "part_gpt", "part_msdos", "fat",
		"search", "search_fs_file", "search_label", "chain", "boot", "reboot")
	if err != nil {
		return nil, fmt.Errorf("make grub-chain.efi: %w", err)
	}
	return os.ReadFile(out)
}

// command runs a program to its end; an error carries the last lines it wrote.
func command(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s: %w: %s", name, err, strings.Join(lines[max(0, len(lines)-5):], "; "))
	}
	return nil
}
