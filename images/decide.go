package images

import (
	"net/netip"
	"net/url"

	"appliance/pool"
)

// Decide says what a machine in state s boots. It is pure: invariant 6.
//
// An unknown machine is answered only where the subnet discovers. A machine
// that nobody accepted gets the agent once, for its inventory, and its own
// disk from then on. An active machine boots its disk, always, unless an
// operation has a step for the agent in RAM.
func Decide(c pool.Client, s pool.BootState) pool.BootAction {
	if c.Arch == pool.ArchEFIARM64 {
		return pool.BootIgnore // the boot kit is for amd64
	}
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
	NBPLocal = "grub-chain.efi" // UEFI: starts the disk's own loader
	Kernel   = "vmlinuz"
	Initrd   = "initrd.zst"
	Autoexec = "autoexec.ipxe"
)

// Site is where a machine finds the appliance.
type Site struct {
	TFTP netip.Addr
	HTTP string // http://10.77.0.1:8080
}

// Answer turns a decision into what DHCP tells the client. ok is false when
// it is told nothing to boot.
func Answer(c pool.Client, a pool.BootAction, mac pool.MAC, s Site) (ans pool.BootAnswer, ok bool) {
	if a == pool.BootIgnore {
		return pool.BootAnswer{}, false
	}
	if c.IPXE {
		return pool.BootAnswer{File: s.HTTP + ScriptPath(mac) + "?platform=" + platform(c)}, true
	}
	nbp := NBPBIOS
	switch c.Arch {
	case pool.ArchBIOS, pool.ArchUnspecified:
	case pool.ArchEFIx64, pool.ArchEFIx64Alt, pool.ArchEFIx64HTTP:
		nbp = NBPUEFI
		if a == pool.BootLocal {
			nbp = NBPLocal
		}
	default:
		return pool.BootAnswer{}, false // no NBP for this client
	}
	if c.HTTP {
		return pool.BootAnswer{File: s.HTTP + KitPath(nbp)}, true
	}
	return pool.BootAnswer{File: nbp, Next: s.TFTP}, true
}

// platform is the client's firmware in iPXE's word for it.
func platform(c pool.Client) string {
	if c.Firmware() == pool.UEFI {
		return "efi"
	}
	return "pcbios"
}

// ScriptPath is the HTTP path of a machine's iPXE script.
func ScriptPath(mac pool.MAC) string { return "/boot/" + pathMAC(mac) + "/script.ipxe" }

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
