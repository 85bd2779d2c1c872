// Package kit carries the boot kit inside the binary: the network boot
// programs, the kernel and the initramfs with the agent, as cmd/bootkit built
// them into the folder data. With the build tag nokit it carries nothing.
//
// It knows nothing of machines: what is booted when is decided elsewhere.
package kit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// The files of a complete kit. With a kit for arm64 there are those whose
// names say so, too.
const (
	UndionlyKPXE = "undionly.kpxe"  // iPXE on the BIOS's own network driver
	IPXEEFI      = "ipxe.efi"       // iPXE for x86-64 UEFI, with drivers of its own
	SNPOnlyEFI   = "snponly.efi"    // iPXE on the UEFI's own network driver
	GRUBChainEFI = "grub-chain.efi" // starts the operating system on the disk, UEFI
	ShimEFI      = "shimx64.efi"    // signed by Microsoft: starts GRUB where Secure Boot is on
	GRUBNetEFI   = "grubx64.efi"    // signed by Debian; shim asks for it by this name
	Vmlinuz      = "vmlinuz"        // kernel of the agent, signed by Debian
	Initrd       = "initrd.zst"     // agent, modules, firmware
	ManifestFile = "manifest.json"

	IPXEARM64EFI      = "ipxe-arm64.efi"
	GRUBChainARM64EFI = "grub-chain-arm64.efi"
	ShimARM64EFI      = "shimaa64.efi"
	GRUBNetARM64EFI   = "grubaa64.efi"
	VmlinuzARM64      = "vmlinuz-arm64"
	InitrdARM64       = "initrd-arm64.zst"
)

// Packed ends the name of a file that the binary carries in one zstd frame:
// what is served has the name without it.
const Packed = ".pack"

// ErrNoKit is returned where the binary carries no boot kit.
var ErrNoKit = errors.New("this binary was built without a boot kit; build it with make build")

// A File is one file of the kit.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Packed is its size in the binary, where it lies there as Name + Packed.
	Packed int64 `json:"packed,omitempty"`
}

// Stored is the name under which the binary carries the file, and its size there.
func (f File) Stored() (name string, size int64) {
	if f.Packed > 0 {
		return f.Name + Packed, f.Packed
	}
	return f.Name, f.Size
}

// A Package is a Debian package whose files are in the kit.
type Package struct {
	Name          string `json:"name"`
	Version       string `json:"version"`
	Arch          string `json:"arch,omitempty"`
	Source        string `json:"source"`
	SourceVersion string `json:"source_version"`
	BuiltUsing    string `json:"built_using,omitempty"` // more sources, as "NAME (= VERSION), ..."
	Suite         string `json:"suite"`
	Component     string `json:"component"`
	SHA256        string `json:"sha256,omitempty"` // of the .deb
}

// A Manifest says what the kit holds.
type Manifest struct {
	Kernel   string    `json:"kernel"` // the version, as in /lib/modules
	Files    []File    `json:"files"`
	Agent    File      `json:"agent"` // /init of the initramfs
	Packages []Package `json:"packages"`
	Modules  int       `json:"modules"`
	Firmware []string  `json:"firmware"`
	// NoFirmware are files that modules of the kit name and Debian does not package.
	NoFirmware []string `json:"no_firmware,omitempty"`
	// ARM64 is what differs for arm64 machines; nil: the kit boots none.
	ARM64 *Part `json:"arm64,omitempty"`
}

// A Part is what the kit holds for one more architecture.
type Part struct {
	Kernel     string   `json:"kernel"`
	Agent      File     `json:"agent"`
	Modules    int      `json:"modules"`
	Firmware   []string `json:"firmware"`
	NoFirmware []string `json:"no_firmware,omitempty"`
}

// FS holds the files of the kit; it is empty but for a README when the binary
// was built without one.
func FS() fs.FS { return files() }

// ReadManifest says what the kit holds, or ErrNoKit.
func ReadManifest() (Manifest, error) { return Read(FS()) }

// Read says what the kit in a file system holds, or ErrNoKit.
func Read(kit fs.FS) (Manifest, error) {
	data, err := fs.ReadFile(kit, ManifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, ErrNoKit
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read boot kit: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("read boot kit: %w", err)
	}
	for _, f := range m.Files {
		name, size := f.Stored()
		info, err := fs.Stat(kit, name)
		if err != nil {
			return Manifest{}, fmt.Errorf("read boot kit: %w", err)
		}
		if info.Size() != size {
			return Manifest{}, fmt.Errorf("read boot kit: %s has %d bytes, its manifest says %d", name, info.Size(), size)
		}
	}
	return m, nil
}
