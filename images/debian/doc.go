// Package debian builds the Debian 12 disk image that the appliance deploys,
// and mirrors the packages that recipes install on it.
//
// The image is put together from files: no loop device, no mount, no
// grub-install, so it can be built in a container or in a network namespace.
// It drives Debian's own tools (MissingTools names the packages) and takes
// Debian from the mirrors that this host's apt is configured with. It never
// leaves a mirror of the host in the image.
//
// The disk, GPT, boots by BIOS and by UEFI (EFI/BOOT/BOOTX64.EFI):
//
//	1  BIOS boot   1 MiB    GRUB's core image
//	2  ESP         64 MiB   label APPLIANCE
//	3  root        the rest ext4, label root; last, so that it can grow
package debian
