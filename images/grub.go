package images

import (
	"fmt"
	"strings"

	"appliance/pool"
)

// GRUBStart is the configuration that a signed GRUB asks for: it goes on with
// the machine's own, by the MAC that it booted from. Names are plain TFTP
// names: the signed GRUB of Debian 12 has no HTTP that works.
const GRUBStart = "set timeout=0\nsource /boot/${net_default_mac}/grub.cfg\n"

// GRUB returns the configuration by which a signed GRUB boots a machine: the
// agent by the signed kernel and two initramfs files, or its own disk. Errors
// wrap pool.ErrInvalid.
func GRUB(a pool.BootAction, c pool.Client, mac pool.MAC, name string, kargs []string) (string, error) {
	var b strings.Builder
	b.WriteString("set timeout=0\n")
	switch a {
	case pool.BootAgent:
		comment(&b, "appliance: "+name+" starts the agent in memory; its disks stay untouched")
		kernel, initrd := agentFiles(c)
		// As in the iPXE script: the uncompressed archive goes first.
		for _, args := range [][]string{
			append([]string{"linux", KitPath(kernel), "console=tty0", console(c), "panic=5", "BOOTIF=01-" + pathMAC(mac)}, kargs...),
			{"initrd", ExtraPath(mac), KitPath(initrd)},
			{"boot"},
		} {
			if err := line(&b, args...); err != nil {
				return "", err
			}
		}
	case pool.BootLocal:
		comment(&b, "appliance: "+name+" starts its own disk")
		b.WriteString(grubLocal(c.Arm()))
	case pool.BootIgnore:
		comment(&b, "appliance: "+name+" has nothing to boot from here")
		b.WriteString("exit\n")
	}
	return b.String(), nil
}

// console is the serial line that firmware of the kind has.
func console(c pool.Client) string {
	if c.Arm() {
		return "console=ttyAMA0,115200"
	}
	return "console=ttyS0,115200"
}

// agentFiles names the kernel and the initramfs for a client's architecture.
func agentFiles(c pool.Client) (kernel, initrd string) {
	if c.Arm() {
		return KernelARM64, InitrdARM64
	}
	return Kernel, Initrd
}

// grubLocal starts the operating system on the disk. The ESP of an image of
// ours comes first, then what other systems' installers write: signed loaders
// before unsigned ones, for the firmware refuses those under Secure Boot.
func grubLocal(arm bool) string {
	suffix := "x64"
	if arm {
		suffix = "aa64"
	}
	var b strings.Builder
	b.WriteString("search --no-floppy --label APPLIANCE --set=esp\n")
	fmt.Fprintf(&b, "if [ -n \"$esp\" ]; then set root=\"$esp\"; chainloader /EFI/BOOT/BOOT%s.EFI; boot; fi\n", strings.ToUpper(suffix))
	for _, f := range []string{
		"/EFI/BOOT/BOOT" + strings.ToUpper(suffix) + ".EFI", "/EFI/debian/shim" + suffix + ".efi", "/EFI/debian/grub" + suffix + ".efi",
		"/EFI/ubuntu/shim" + suffix + ".efi", "/EFI/redhat/shim" + suffix + ".efi", "/EFI/rocky/shim" + suffix + ".efi",
		"/EFI/almalinux/shim" + suffix + ".efi", "/EFI/fedora/shim" + suffix + ".efi", "/EFI/opensuse/shim.efi", "/EFI/sles/shim.efi",
		"/EFI/Microsoft/Boot/bootmgfw.efi",
	} {
		fmt.Fprintf(&b, "unset esp\nsearch --no-floppy --file --set=esp %s\nif [ -n \"$esp\" ]; then set root=\"$esp\"; chainloader %s; boot; fi\n", f, f)
	}
	b.WriteString("echo \"No operating system was found on the disks of this machine.\"\necho \"It asks the network again in a minute.\"\nsleep 60\nreboot\n")
	return b.String()
}
