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

// The files of a complete kit.
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
)

// ErrNoKit is returned where the binary carries no boot kit.
var ErrNoKit = errors.New("this binary was built without a boot kit; build it with make build")

// A File is one file of the kit.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// A Package is a Debian package whose files are in the kit.
type Package struct {
	Name          string `json:"name"`
	Version       string `json:"version"`
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
		info, err := fs.Stat(kit, f.Name)
		if err != nil {
			return Manifest{}, fmt.Errorf("read boot kit: %w", err)
		}
		if info.Size() != f.Size {
			return Manifest{}, fmt.Errorf("read boot kit: %s has %d bytes, its manifest says %d", f.Name, info.Size(), f.Size)
		}
	}
	return m, nil
}
