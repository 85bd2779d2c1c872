package rack

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Firmware is what a machine runs before it boots.
type Firmware string

const (
	BIOS Firmware = "bios" // SeaBIOS; its PXE client is the iPXE in QEMU's network ROM
	UEFI Firmware = "uefi" // OVMF; its own PXE client, no iPXE in ROM
	// SecureUEFI is OVMF with Microsoft's keys enrolled and Secure Boot on.
	SecureUEFI Firmware = "uefi-secure"
	// ARM64 is an arm64 machine with AAVMF, always emulated.
	ARM64 Firmware = "uefi-arm64"
	// SecureARM64 is ARM64 with Microsoft's keys enrolled and Secure Boot on.
	SecureARM64 Firmware = "uefi-arm64-secure"
)

// arm says whether it is the firmware of an arm64 machine.
func (f Firmware) arm() bool { return f == ARM64 || f == SecureARM64 }

// uefi says whether the firmware keeps variables in a file of its own.
func (f Firmware) uefi() bool { return f != BIOS }

// A BootDevice is what a BMC can tell a machine to boot (IPMI 2.0, table
// 28-14, boot option parameter 5).
type BootDevice string

const (
	BootNone BootDevice = "none" // the firmware's own order
	BootPXE  BootDevice = "pxe"
	BootDisk BootDevice = "default" // ipmi_sim's word for the disk
	BootBIOS BootDevice = "bios"    // recorded; no firmware of ours has a setup to enter
	BootCD   BootDevice = "cdrom"   // recorded; the machines have no drive
)

// Spec is a machine as one would order it. The zero value is a BIOS machine
// with 1 GiB of memory and an empty disk of 6 GiB, behind a BMC.
type Spec struct {
	Name     string     // default mI, I being its place in the rack from 0 on
	Firmware Firmware   // default BIOS
	MemoryMB int        // default 1024
	CPUs     int        // default 1
	Disks    []Disk     // default one
	Boot     BootDevice // tried first when nothing else was asked: BootPXE or BootDisk (default); the other one follows
	NoBMC    bool
	// NetBoot is the client of a UEFI firmware that netboots; default NetPXE.
	NetBoot NetBoot
	// TrustTLS is a file with the certificates that the firmware's HTTPS Boot
	// trusts, an EFI_SIGNATURE_LIST (UEFI 2.10, 32.4.1); it is read at power on.
	TrustTLS string
}

// NetBoot is a client that UEFI firmware has for netboot.
type NetBoot string

const (
	NetPXE  NetBoot = ""     // PXE over IPv4; HTTP Boot when that fails
	NetHTTP NetBoot = "http" // HTTP Boot over IPv4
)

// Disk is a raw, sparse file. (Raw, not qcow2: what a guest wrote is in the
// host's page cache at once, so a machine may be killed at any moment without
// losing what it had flushed, and tests can read the bytes.)
type Disk struct {
	Path   string // default diskN in the machine's folder, made when absent
	Bytes  int64  // default 6 GiB
	Serial string // at most 20 characters; default DISK-I-N
}

func (s Spec) withDefaults(i int) Spec {
	if s.Name == "" {
		s.Name = "m" + strconv.Itoa(i)
	}
	if s.Firmware == "" {
		s.Firmware = BIOS
	}
	if s.MemoryMB == 0 {
		s.MemoryMB = 1024
	}
	if s.CPUs == 0 {
		s.CPUs = 1
	}
	if s.Boot == "" || s.Boot == BootNone {
		s.Boot = BootDisk
	}
	if len(s.Disks) == 0 {
		s.Disks = []Disk{{}}
	}
	return s
}

func (d Disk) withDefaults(dir string, machine, n int) Disk {
	if d.Path == "" {
		d.Path = filepath.Join(dir, fmt.Sprintf("disk%d", n))
	}
	if d.Bytes == 0 {
		d.Bytes = 6 << 30
	}
	if d.Serial == "" {
		d.Serial = fmt.Sprintf("DISK-%d-%d", machine, n)
	}
	return d
}

// argv is QEMU's command line; a pure function of the machine.
type argv struct {
	spec  Spec
	index int
	dir   string
	accel string // "" is TCG
	boot  BootDevice
	bmc   bool
	qmpFD int
}

const (
	ovmfCode   = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars   = "/usr/share/OVMF/OVMF_VARS_4M.fd"
	secureCode = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
	secureVars = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"
	armCode    = "/usr/share/AAVMF/AAVMF_CODE.fd"
	armVars    = "/usr/share/AAVMF/AAVMF_VARS.fd"
	armSecure  = "/usr/share/AAVMF/AAVMF_VARS.ms.fd"
)

// variables is the file that a firmware's variables are first made from.
func (f Firmware) variables() string {
	switch f {
	case SecureUEFI:
		return secureVars
	case ARM64:
		return armVars
	case SecureARM64:
		return armSecure
	case UEFI, BIOS:
	}
	return ovmfVars
}

// program is the QEMU that runs a machine.
func (s Spec) program() string {
	if s.Firmware.arm() {
		return "qemu-system-aarch64"
	}
	return "qemu-system-x86_64"
}

func mac(i int) string     { return fmt.Sprintf("02:00:00:00:00:%02x", i+1) }
func bmcMAC(i int) string  { return fmt.Sprintf("02:00:00:00:bc:%02x", i+1) }
func serial(i int) string  { return fmt.Sprintf("RACK%04d", i+1) }
func uuid(i int) string    { return fmt.Sprintf("7261636b-0000-4000-8000-%012x", i+1) }
func kcsPort(i int) int    { return 9100 + i }
func serialPort(i int) int { return 9200 + i }

// nicIndex is the boot index of the network card: before all disks (from 10
// on) or after them. Whatever cannot boot falls through to the next.
func nicIndex(d BootDevice) int {
	if d == BootPXE {
		return 1
	}
	return 90
}

func (a argv) build() []string {
	s, i := a.spec, a.index
	accel, cpu := "tcg,thread=multi,tb-size=128", "max"
	switch {
	case s.Firmware.arm():
		cpu = "cortex-a57"
	case a.accel == "kvm":
		accel, cpu = "kvm", "host"
	}
	rom := ""
	if s.Firmware.uefi() {
		rom = "romfile=," // without it OVMF would find iPXE in the card's ROM
	}
	args := []string{
		"-name", s.Name, "-accel", accel, "-cpu", cpu,
		"-nodefaults", "-no-user-config", "-display", "none",
		"-m", strconv.Itoa(s.MemoryMB), "-smp", strconv.Itoa(s.CPUs),
		"-smbios", fmt.Sprintf("type=1,manufacturer=Rack,product=Virtual,serial=%s,uuid=%s", serial(i), uuid(i)),
		"-netdev", fmt.Sprintf("tap,id=net0,ifname=%s,script=no,downscript=no", tapName(i)),
		"-device", fmt.Sprintf("virtio-net-pci,%sid=nic0,netdev=net0,mac=%s,bootindex=%d", rom, mac(i), nicIndex(a.boot)),
		"-device", "virtio-rng-pci",
		"-chardev", fmt.Sprintf("socket,id=qmp,fd=%d", a.qmpFD), "-mon", "chardev=qmp,mode=control",
		"-chardev", fmt.Sprintf("socket,id=console,host=127.0.0.1,port=%d,server=on,wait=off,logfile=%s,logappend=on",
			serialPort(i), comma(filepath.Join(a.dir, "console.log"))),
		"-serial", "chardev:console",
	}
	for n, d := range s.Disks {
		args = append(args,
			"-drive", fmt.Sprintf("if=none,id=drive%d,format=raw,file=%s,cache=unsafe,discard=unmap,detect-zeroes=unmap", n, comma(d.Path)),
			"-device", fmt.Sprintf("virtio-blk-pci,id=disk%d,drive=drive%d,bootindex=%d,serial=%s", n, n, 10+n, d.Serial))
	}
	if a.bmc && !s.Firmware.arm() { // the ARM board has no ISA bus for the system interface
		args = append(args,
			"-chardev", fmt.Sprintf("socket,id=ipmi,host=127.0.0.1,port=%d,reconnect=2", kcsPort(i)),
			"-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi",
			"-device", "isa-ipmi-kcs,bmc=bmc0,ioport=0xca2,irq=5")
	}
	vars := "if=pflash,format=raw,unit=1,file=" + comma(filepath.Join(a.dir, "vars.fd"))
	if s.NetBoot == NetHTTP {
		args = append(args, "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=no")
	}
	if s.TrustTLS != "" {
		args = append(args, "-fw_cfg", "name=etc/edk2/https/cacerts,file="+comma(s.TrustTLS))
	}
	noIPv6 := "name=opt/org.tianocore/IPv6PXESupport,string=no"
	switch s.Firmware {
	case UEFI:
		return append(args, "-M", "q35", "-drive", "if=pflash,format=raw,unit=0,readonly=on,file="+ovmfCode, "-drive", vars, "-fw_cfg", noIPv6)
	case SecureUEFI:
		return append(args, "-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1",
			"-drive", "if=pflash,format=raw,unit=0,readonly=on,file="+secureCode, "-drive", vars, "-fw_cfg", noIPv6)
	case ARM64, SecureARM64:
		return append(args, "-M", "virt", "-drive", "if=pflash,format=raw,unit=0,readonly=on,file="+armCode, "-drive", vars, "-fw_cfg", noIPv6)
	case BIOS:
	}
	return append(args, "-M", "pc,graphics=off") // SeaBIOS then prints on the serial line
}

// comma quotes a value of a QEMU option, where a comma ends it.
func comma(s string) string {
	return strings.ReplaceAll(s, ",", ",,")
}
