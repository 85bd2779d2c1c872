package pool

import (
	"net/netip"
	"slices"
	"time"
)

// Client is what a netbooting program says of itself.
type Client struct {
	// Arch is DHCP option 93 (RFC 4578, 2.1); -1 when it was not sent.
	Arch int `json:"arch"`
	// IPXE says that option 175 or the user class iPXE was sent, or that the
	// request came for iPXE's own script.
	IPXE bool `json:"ipxe,omitempty"`
	// HTTP says that the vendor class is HTTPClient (UEFI HTTP Boot).
	HTTP bool `json:"http,omitempty"`
	// PXE says that the vendor class is PXEClient or HTTPClient: it asks to netboot.
	PXE bool `json:"pxe,omitempty"`
	// IPv6 says that it asked by DHCPv6: what it boots has to be reached so.
	IPv6 bool `json:"ipv6,omitempty"`
}

// Arm says that the client is an arm64 machine.
func (c Client) Arm() bool { return c.Arch == ArchEFIARM64 || c.Arch == ArchEFIARM64HTTP }

// Client architectures (RFC 4578 and IANA's registry).
const (
	ArchBIOS       = 0
	ArchEFIx64     = 7 // EFI BC by the letter of RFC 4578, x64 in the field
	ArchEFIx64Alt  = 9
	ArchEFIARM64   = 11
	ArchEFIx64HTTP = 16
	// ArchEFIx64HTTPAlt is to ArchEFIx64HTTP what 9 is to 7.
	ArchEFIx64HTTPAlt = 17
	// ArchEFIARM64HTTP is UEFI HTTP Boot on arm64.
	ArchEFIARM64HTTP = 19
	ArchUnspecified  = -1
)

// Firmware returns what kind of firmware the client architecture belongs to.
func (c Client) Firmware() Firmware {
	if c.Arch == ArchBIOS || c.Arch == ArchUnspecified {
		return BIOS
	}
	return UEFI
}

// BootAnswer is what DHCP tells a machine to boot.
type BootAnswer struct {
	// File is DHCP's boot file: a TFTP name, or a URL for iPXE and HTTP Boot. Empty: nothing to boot.
	File string
	// Next is the boot server's address (siaddr); zero when File is a URL.
	Next netip.Addr
}

// BootAction is what a machine is to boot.
type BootAction string

// What a machine can boot: nothing of ours (its request stays unanswered),
// the agent in RAM, or its own disk.
const (
	BootIgnore BootAction = "ignore"
	BootAgent  BootAction = "agent"
	BootLocal  BootAction = "local"
)

// BootState is all that the boot decision may look at, beside the client.
type BootState struct {
	Known    bool   // the MAC belongs to a machine in the table
	Discover bool   // the subnet answers unknown machines
	Phase    Phase  // of the machine
	HasFacts bool   // it was inventoried
	Op       OpKind // the open operation, empty when there is none
	Step     Step   // its running step, zero when there is none
	NeedsRAM bool   // the operation has an open step for the agent in RAM
	LoopStop bool   // it fetched the agent several times without a hello: boot the disk, say so
}

// BootEvent is one thing seen while a machine boots. Boot events are batched
// and never delay an answer.
type BootEvent struct {
	Seq     int64         `json:"seq"`
	At      time.Time     `json:"at"`
	MAC     MAC           `json:"mac"`
	Machine string        `json:"machine,omitempty"`
	Stage   BootStage     `json:"stage"`
	Detail  string        `json:"detail,omitempty"`
	Address netip.Addr    `json:"address,omitzero"`
	Bytes   int64         `json:"bytes,omitempty"`
	Took    time.Duration `json:"took,omitempty"`
	Failed  bool          `json:"failed,omitempty"`
	// Code names what happened for rules to test; the stage alone says it mostly.
	Code BootCode `json:"code,omitempty"`
	// Class is that of the client that asked DHCP.
	Class string `json:"class,omitempty"`
	// Block, Window and Resent are those of a TFTP transfer.
	Block  int `json:"block,omitempty"`
	Window int `json:"window,omitempty"`
	Resent int `json:"resent,omitempty"`
}

// BootCode names a thing that can happen in a boot beside its stages.
type BootCode string

// What rules test for.
const (
	CodeTimeout   BootCode = "timeout"   // the client stopped answering in the middle of a transfer
	CodeAborted   BootCode = "aborted"   // the client ended a transfer
	CodeMTU       BootCode = "mtu"       // a router said that packets are too long
	CodeMissing   BootCode = "missing"   // it asked for a file that there is not
	CodeRead      BootCode = "read"      // the appliance could not read a file
	CodeBroken    BootCode = "broken"    // an HTTP download broke off
	CodeRefused   BootCode = "refused"   // the appliance refused a request
	CodeNak       BootCode = "nak"       // it asked for an address that is not its own
	CodeDecline   BootCode = "decline"   // it found its address in use
	CodeElsewhere BootCode = "elsewhere" // it took another server's offer; Detail names that
	CodeFull      BootCode = "full"      // no address was free
	CodeForeign   BootCode = "foreign"   // another DHCP server keeps us silent
)

// BootStage names where a boot is.
type BootStage string

// The stages in the order in which a boot meets them. StagePower starts a new boot.
const (
	StagePower    BootStage = "bmc.power"
	StageDiscover BootStage = "dhcp.discover" // by the firmware
	StageLease    BootStage = "dhcp.ack"
	StageNBP      BootStage = "tftp.nbp" // or HTTP
	StageIPXE     BootStage = "ipxe.dhcp"
	StageScript   BootStage = "http.script"
	StageKernel   BootStage = "http.kernel"
	StageInitrd   BootStage = "http.initrd"
	StageExtra    BootStage = "http.extra"
	StageAgentIP  BootStage = "agent.dhcp"
	StageHello    BootStage = "agent.hello"
	StageFacts    BootStage = "agent.facts"
	StageStep     BootStage = "step"
	StageLocal    BootStage = "local"      // told to boot its disk
	StageOS       BootStage = "os.hello"   // the installed agent reported
	StageSilent   BootStage = "silent"     // nothing came for too long
	StageError    BootStage = "boot.error" // a refused or broken transfer
	StageDHCP     BootStage = "dhcp.note"  // something else that DHCP saw; Code says what
)

// Boot is one boot attempt of one machine.
type Boot struct {
	Start  time.Time   `json:"start"`
	End    time.Time   `json:"end"` // of its last event
	Events []BootEvent `json:"events"`
}

// Boots splits a machine's boot events, in any order, into attempts, oldest
// first. An attempt starts at a BMC power event, at a DHCPDISCOVER of the
// firmware that does not directly follow one or another such DISCOVER, or when
// iPXE asks for an address although the attempt was past iPXE: a reset was too
// quick for the DISCOVER of an iPXE in ROM to be told from its own.
func Boots(events []BootEvent) []Boot {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b BootEvent) int { return a.At.Compare(b.At) })
	var out []Boot
	last, past := BootStage(""), false
	for _, e := range events {
		fresh := len(out) == 0 || e.Stage == StagePower && last != StagePower ||
			e.Stage == StageDiscover && last != StagePower && last != StageDiscover ||
			e.Stage == StageIPXE && past
		if fresh {
			out, past = append(out, Boot{Start: e.At}), false
		}
		past = past || pastIPXE(e.Stage)
		b := &out[len(out)-1]
		b.Events, b.End = append(b.Events, e), e.At
		last = e.Stage
	}
	return out
}

// pastIPXE says whether a stage comes after all that iPXE asks DHCP for.
func pastIPXE(s BootStage) bool {
	switch s {
	case StageKernel, StageInitrd, StageExtra, StageAgentIP, StageHello, StageFacts, StageStep, StageLocal, StageOS:
		return true
	case StagePower, StageDiscover, StageLease, StageNBP, StageIPXE, StageScript, StageSilent, StageError, StageDHCP:
	}
	return false
}
