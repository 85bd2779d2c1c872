// Package debian builds the Debian 12 disk image that the appliance deploys,
// and mirrors the packages that recipes install on it.
//
// The image is put together from files: no loop device, no mount, no
// grub-install, so it can be built in a container or in a network namespace.
// It drives Debian's own tools (MissingTools names the packages) and takes
// Debian from the mirrors that this host's apt is configured with. It never
// leaves a mirror of the host in the image.
//
// The disk, GPT, boots by UEFI, with Secure Boot or without (Debian's signed
// shim, EFI/BOOT/BOOTX64.EFI or BOOTAA64.EFI, then its signed GRUB and kernel)
// and, for amd64, by BIOS:
//
//	BIOS boot   1 MiB    GRUB's core image (amd64 only)
//	ESP         64 MiB   label APPLIANCE
//	root        the rest ext4, label root; last, so that it can grow
//
// An image of another architecture than the host's is built the same way; what
// packages run while they are installed is run by QEMU's user emulation, which
// the kernel has to know (binfmt_misc).
package debian
