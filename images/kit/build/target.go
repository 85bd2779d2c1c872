package build

import (
	"debug/elf"

	"appliance/images/kit"
)

// A target is an architecture that the kit boots.
type target struct {
	arch    string // Debian's name
	machine elf.Machine
	grub    string // GRUB's name of the platform
	chain   string // the kit's file that starts the disk
	initrd  string // the kit's name of the initramfs
	modules func() []string
	files   func(kernel string) map[string]string // file of the kit -> path in its package
}

// x86 is what every kit boots.
func x86() target {
	return target{
		arch: amd64, machine: elf.EM_X86_64, grub: "x86_64-efi", chain: kit.GRUBChainEFI, initrd: kit.Initrd, modules: wanted,
		files: func(kernel string) map[string]string {
			return map[string]string{
				kit.UndionlyKPXE: "usr/lib/ipxe/undionly.kpxe", kit.IPXEEFI: "usr/lib/ipxe/ipxe-amd64.efi",
				kit.SNPOnlyEFI: "usr/lib/ipxe/snponly.efi",
				kit.ShimEFI:    "usr/lib/shim/shimx64.efi.signed",
				kit.GRUBNetEFI: "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
				kit.Vmlinuz:    "boot/vmlinuz-" + kernel,
			}
		},
	}
}

// arm is what a kit boots that was given an agent for arm64. Debian builds no
// iPXE for it that uses the firmware's own network driver alone; the one with
// drivers of its own falls back to it.
func arm() target {
	return target{
		arch: arm64, machine: elf.EM_AARCH64, grub: "arm64-efi", chain: kit.GRUBChainARM64EFI, initrd: kit.InitrdARM64, modules: wantedARM64,
		files: func(kernel string) map[string]string {
			return map[string]string{
				kit.IPXEARM64EFI:    "usr/lib/ipxe/ipxe-arm64.efi",
				kit.ShimARM64EFI:    "usr/lib/shim/shimaa64.efi.signed",
				kit.GRUBNetARM64EFI: "usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed",
				kit.VmlinuzARM64:    "boot/vmlinuz-" + kernel,
			}
		},
	}
}
