package pool

import (
	"net/netip"
	"time"
)

// Facts is what an agent found on a machine. Sizes are bytes.
type Facts struct {
	At           time.Time `json:"at"`
	Hostname     string    `json:"hostname,omitempty"`
	UUID         string    `json:"uuid,omitempty"`
	Manufacturer string    `json:"manufacturer,omitempty"`
	Product      string    `json:"product,omitempty"`
	Serial       string    `json:"serial,omitempty"`
	Arch         Arch      `json:"arch"`
	Firmware     Firmware  `json:"firmware"`
	FirmwareName string    `json:"firmwareName,omitempty"` // vendor and version
	SecureBoot   bool      `json:"secureBoot,omitempty"`
	TPM          string    `json:"tpm,omitempty"` // "2.0", "1.2" or empty
	CPU          CPU       `json:"cpu"`
	Memory       uint64    `json:"memory"`
	Disks        []Disk    `json:"disks"`
	NICs         []NIC     `json:"nics"`
	GPUs         []string  `json:"gpus,omitempty"`
	BMC          *BMCFacts `json:"bmc,omitempty"` // nil: no BMC answered in-band
	Kernel       string    `json:"kernel,omitempty"`
	// Init of a host that already runs: systemd, or none that the appliance can use.
	Init string `json:"init,omitempty"`
}

// CPU counts what a machine computes with.
type CPU struct {
	Model   string `json:"model,omitempty"`
	Sockets int    `json:"sockets"`
	Cores   int    `json:"cores"`
	Threads int    `json:"threads"`
}

// Disk is a block device that holds data.
type Disk struct {
	Name   string `json:"name"`           // kernel name such as sda, of this boot only
	ByID   string `json:"byId,omitempty"` // /dev/disk/by-id name
	Serial string `json:"serial"`         // what a wipe record is kept by; WWN or by-id where there is none
	Model  string `json:"model,omitempty"`
	Size   uint64 `json:"size"`
	Type   string `json:"type"` // nvme, ssd, hdd, virtio
	// ReadOnly and Removable disks are never a target.
	ReadOnly  bool `json:"readOnly,omitempty"`
	Removable bool `json:"removable,omitempty"`
	// Content lists what was recognised on it: "gpt: 3 partitions", "ext4 root"; empty means nothing was.
	Content []string `json:"content,omitempty"`
}

// NIC is a network interface.
type NIC struct {
	Name      string         `json:"name"`
	MAC       MAC            `json:"mac"`
	Driver    string         `json:"driver,omitempty"`
	Speed     int            `json:"speed,omitempty"` // Mbit/s, 0 unknown
	Link      bool           `json:"link"`
	Addresses []netip.Prefix `json:"addresses,omitempty"`
	// Switch and Port come from LLDP (IEEE 802.1AB).
	Switch string `json:"switch,omitempty"`
	Port   string `json:"port,omitempty"`
}

// BMCFacts is what the BMC said in-band (IPMI 2.0, sections 20.1 and 23.2).
type BMCFacts struct {
	Address netip.Addr `json:"address"`
	MAC     MAC        `json:"mac,omitzero"`
	Channel int        `json:"channel"`
	GUID    string     `json:"guid,omitempty"`
	Version string     `json:"version,omitempty"`
}

// Disk returns the disk with the given serial.
func (f *Facts) Disk(serial string) (Disk, bool) {
	if f != nil {
		for _, d := range f.Disks {
			if d.Serial == serial {
				return d, true
			}
		}
	}
	return Disk{}, false
}

// WipeRecord proves that a disk was erased on a machine.
type WipeRecord struct {
	Serial    string    `json:"serial"`
	Machine   string    `json:"machine"`
	Operation string    `json:"operation"`
	Method    string    `json:"method"` // discard, zero, secure-erase …
	Size      uint64    `json:"size"`
	At        time.Time `json:"at"`
	// Used is set once data was written again; the record proves nothing from then on.
	Used bool `json:"used,omitempty"`
}
