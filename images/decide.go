package images

import (
	"net/netip"
	"net/url"
	"strings"

	"appliance/pool"
)

// Decide says what a machine in state s boots. It is pure: invariant 6.
//
// An unknown machine is answered only where the subnet discovers. A machine
// that nobody accepted gets the agent once, for its inventory, and its own
// disk from then on. An active machine boots its disk, always, unless an
// operation has a step for the agent in RAM.
func Decide(c pool.Client, s pool.BootState) pool.BootAction {
	if !s.Known {
		if s.Discover && c.PXE || s.Discover && c.IPXE {
			return pool.BootAgent
		}
		return pool.BootIgnore
	}
	if s.LoopStop {
		return pool.BootLocal
	}
	switch s.Phase {
	case pool.Discovered:
		if s.HasFacts && !s.NeedsRAM {
			return pool.BootLocal
		}
		if !s.HasFacts && !s.Discover {
			return pool.BootIgnore
		}
		return pool.BootAgent
	case pool.Enrolled, pool.Ready:
		return pool.BootAgent // it waits in standby
	case pool.Reserved:
		// Between the image and its first hello it has to start its disk.
		if s.Op == pool.OpDeploy && !s.NeedsRAM {
			return pool.BootLocal
		}
		return pool.BootAgent
	case pool.Active:
		if s.NeedsRAM {
			return pool.BootAgent
		}
		return pool.BootLocal
	case pool.Retired:
		return pool.BootLocal
	}
	return pool.BootIgnore
}

// Names of the boot kit's files.
const (
	NBPBIOS  = "undionly.kpxe"
	NBPUEFI  = "snponly.efi"
	NBPIPXE  = "ipxe.efi"       // with network drivers of its own
	NBPShim  = "shimx64.efi"    // signed: Secure Boot
	NBPLocal = "grub-chain.efi" // UEFI: starts the disk's own loader
	Kernel   = "vmlinuz"
	Initrd   = "initrd.zst"
	Autoexec = "autoexec.ipxe"

	NBPShimARM64  = "shimaa64.efi"
	NBPIPXEARM64  = "ipxe-arm64.efi"
	NBPLocalARM64 = "grub-chain-arm64.efi"
	KernelARM64   = "vmlinuz-arm64"
	InitrdARM64   = "initrd-arm64.zst"
)

// Site is where a machine finds the appliance.
type Site struct {
	TFTP netip.Addr
	HTTP string // http://10.77.0.1:8080
	// HTTPS is where firmware fetches boot programs by TLS; empty: nowhere.
	HTTPS string
	// ARM64 says that there is a boot kit for arm64 machines.
	ARM64 bool
}

// over is the site as seen by who fetches files over a protocol.
func (s Site) over(files string) Site {
	if files == pool.FilesTFTP {
		host := s.TFTP.String()
		if s.TFTP.Is6() {
			host = "[" + host + "]"
		}
		s.HTTP = "tftp://" + host
	}
	return s
}

// Answer turns a decision into what DHCP tells the client. ok is false when
// it is told nothing to boot. p is how its model boots best: ChoosePath.
func Answer(c pool.Client, a pool.BootAction, mac pool.MAC, s Site, p pool.BootPath) (ans pool.BootAnswer, ok bool) {
	if a == pool.BootIgnore || c.Arm() && !s.ARM64 {
		return pool.BootAnswer{}, false
	}
	if c.IPXE {
		return pool.BootAnswer{File: s.over(p.Files).HTTP + ScriptPath(mac) + "?platform=" + platform(c)}, true
	}
	nbp := p.NBP
	if a == pool.BootLocal && nbp != "" && !signed(nbp) && c.Firmware() == pool.UEFI {
		nbp = localNBP(c) // iPXE's exit ends in the firmware's menu
	}
	switch {
	case nbp == "":
		return pool.BootAnswer{}, false // no NBP for this client
	case c.HTTP && p.TLS && s.HTTPS != "":
		return pool.BootAnswer{File: s.HTTPS + KitPath(nbp)}, true
	case c.HTTP:
		return pool.BootAnswer{File: s.HTTP + KitPath(nbp)}, true
	}
	return pool.BootAnswer{File: nbp, Next: s.TFTP}, true
}

// localNBP starts the disk of a UEFI machine.
func localNBP(c pool.Client) string {
	if c.Arm() {
		return NBPLocalARM64
	}
	return NBPLocal
}

// signed says whether firmware with Secure Boot starts the program. What it
// starts reads GRUB's configuration, for the agent and for the disk alike.
func signed(nbp string) bool { return nbp == NBPShim || nbp == NBPShimARM64 }

// platform is the client's firmware in iPXE's word for it.
func platform(c pool.Client) string {
	switch {
	case c.Arm():
		return platformARM64
	case c.Firmware() == pool.UEFI:
		return "efi"
	}
	return "pcbios"
}

// platformARM64 is our own word: iPXE's is "efi" on every architecture.
const platformARM64 = "efi-arm64"

// clientOf is the iPXE that runs on a platform.
func clientOf(platform string) pool.Client {
	c := pool.Client{IPXE: true, Arch: pool.ArchBIOS}
	switch strings.ToLower(platform) {
	case "efi":
		c.Arch = pool.ArchEFIx64
	case platformARM64:
		c.Arch = pool.ArchEFIARM64
	}
	return c
}

// ScriptPath is the HTTP path of a machine's iPXE script.
func ScriptPath(mac pool.MAC) string { return "/boot/" + pathMAC(mac) + "/script.ipxe" }

// GRUBPath is the path of a machine's GRUB configuration.
func GRUBPath(mac pool.MAC) string { return "/boot/" + pathMAC(mac) + "/grub.cfg" }

// ExtraPath is the HTTP path of a machine's extra initramfs.
func ExtraPath(mac pool.MAC) string { return "/boot/" + pathMAC(mac) + "/extra.cpio" }

// KitPath is the HTTP path of a file of the boot kit.
func KitPath(name string) string { return "/kit/" + url.PathEscape(name) }

// pathMAC writes a MAC with hyphens, as iPXE's ${mac:hexhyp} does.
func pathMAC(m pool.MAC) string {
	b := []byte(m.String())
	for i := range b {
		if b[i] == ':' {
			b[i] = '-'
		}
	}
	return string(b)
}
