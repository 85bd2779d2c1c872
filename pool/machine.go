package pool

import (
	"net/netip"
	"slices"
	"time"
)

// Phase says where a machine is in its life.
type Phase string

// The six phases. An unknown MAC has none.
const (
	Discovered Phase = "discovered"
	Enrolled   Phase = "enrolled"
	Ready      Phase = "ready"
	Reserved   Phase = "reserved"
	Active     Phase = "active"
	Retired    Phase = "retired"
)

// Phases lists all phases in the order of a machine's life.
func Phases() []Phase { return []Phase{Discovered, Enrolled, Ready, Reserved, Active, Retired} }

// Machine is a server, virtual or not.
//
// Rev counts its writes; a Change carries the Rev it was read at, and the
// store refuses one that is stale.
type Machine struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Phase Phase  `json:"phase"`
	// Driver says how it was come by; empty is metal.
	Driver Driver `json:"driver,omitempty"`
	// Zone and Rack say where it stands; empty when nobody said.
	Zone string `json:"zone,omitempty"`
	Rack string `json:"rack,omitempty"`
	// Login is how a running host is reached; nil for all others.
	Login *Login `json:"login,omitempty"`
	// Host is the machine, or "local" for the appliance's own, that a virtual
	// machine runs on; empty for all others.
	Host string `json:"host,omitempty"`
	// MACs are all addresses it was seen with; the first is the one it netboots from.
	MACs     []MAC    `json:"macs"`
	Firmware Firmware `json:"firmware,omitempty"`
	Arch     Arch     `json:"arch,omitempty"`
	UUID     string   `json:"uuid,omitempty"` // SMBIOS type 1
	// Facts are the last inventory; nil before the first.
	Facts *Facts `json:"facts,omitempty"`
	// BMC is nil until an inventory has told of one.
	BMC        *BMC       `json:"bmc,omitempty"`
	Conditions Conditions `json:"conditions,omitempty"`
	// Instance owns the machine while it is reserved or active.
	Instance string `json:"instance,omitempty"`
	// Owned are the serials of the disks that were proved empty when the owner
	// took the machine. An image is written to one of these and to no other:
	// what was plugged in later nobody allowed to erase.
	Owned []string `json:"owned,omitempty"`
	Image string   `json:"image,omitempty"` // name of the image on its disk
	Tags  []string `json:"tags,omitempty"`
	// Epoch rises with each change of owner; an agent refuses a lower one.
	Epoch int64 `json:"epoch"`
	// Key is the pinned fingerprint (SHA-256 of the public key, hex) of its agent; empty before acceptance.
	Key string `json:"key,omitempty"`
	// OfferedKey is what the agent in RAM showed at its last hello; acceptance pins it.
	OfferedKey string     `json:"offeredKey,omitempty"`
	Address    netip.Addr `json:"address,omitzero"` // its last known address
	// AcceptedBy says who or which rule let it in.
	AcceptedBy string `json:"acceptedBy,omitempty"`
	// Maintenance: while it lasts the machine is not fenced and nothing on it is healed.
	Maintenance *Maintenance `json:"maintenance,omitempty"`
	CreatedAt   time.Time    `json:"createdAt"`
	UpdatedAt   time.Time    `json:"updatedAt"`
	Rev         int64        `json:"rev"`
}

// MAC returns the address it netboots from, or the zero MAC.
func (m Machine) MAC() MAC {
	if len(m.MACs) == 0 {
		return MAC{}
	}
	return m.MACs[0]
}

// Accepted says whether somebody let the machine in.
func (m Machine) Accepted() bool { return m.Phase != "" && m.Phase != Discovered && m.Phase != Retired }

// Clone returns a copy that may be changed without m: what they share is never changed in place.
func (m Machine) Clone() Machine {
	m.MACs = slices.Clone(m.MACs)
	m.Tags = slices.Clone(m.Tags)
	m.Owned = slices.Clone(m.Owned)
	if m.BMC != nil {
		b := *m.BMC
		m.BMC = &b
	}
	if m.Login != nil {
		l := *m.Login
		m.Login = &l
	}
	return m // Facts and Conditions are never changed in place
}

// Firmware is how a machine boots.
type Firmware string

// The two kinds of firmware.
const (
	BIOS Firmware = "bios"
	UEFI Firmware = "uefi"
)

// Arch is a CPU architecture, in Go's words.
type Arch string

// The architectures that boot.
const (
	AMD64 Arch = "amd64"
	ARM64 Arch = "arm64"
)

// Power is the chassis power of a machine.
type Power string

// Chassis power.
const (
	PowerOn      Power = "on"
	PowerOff     Power = "off"
	PowerUnknown Power = "unknown"
)

// PowerAction is what a BMC can be asked to do.
type PowerAction string

// Power actions. Soft asks the operating system to shut down.
const (
	DoPowerOn    PowerAction = "on"
	DoPowerOff   PowerAction = "off"
	DoPowerSoft  PowerAction = "soft"
	DoPowerCycle PowerAction = "cycle"
	DoPowerReset PowerAction = "reset"
)

// BootDevice is what the firmware starts next.
type BootDevice string

// Boot devices (IPMI 2.0, table 28-14).
const (
	BootNone BootDevice = "none"
	BootPXE  BootDevice = "pxe"
	BootDisk BootDevice = "disk"
	BootBIOS BootDevice = "bios"
)

// BMC is how a machine's baseboard management controller is reached. The
// password is sealed in the store under Secret "bmc/MACHINE" and filled in
// only on the way to the ipmi package.
type BMC struct {
	Address  netip.Addr `json:"address"`
	MAC      MAC        `json:"mac,omitzero"`
	Port     int        `json:"port,omitempty"`     // 623 or 443 when zero
	Protocol string     `json:"protocol,omitempty"` // "ipmi" (also when empty), "redfish", or "libvirt"
	User     string     `json:"user,omitempty"`     // ours, made in-band at enrolment; empty before
	UserID   int        `json:"userId,omitempty"`
	GUID     string     `json:"guid,omitempty"`
	Host     string     `json:"host,omitempty"` // hypervisor, for protocol "libvirt"
	Password Secret     `json:"-"`
}

// BMCSecret is the name under which a machine's BMC password is sealed.
func BMCSecret(machine string) string { return "bmc/" + machine }
