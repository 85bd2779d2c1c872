package agent

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/pool"
)

// Inspector collects the facts of a machine. It only reads.
type Inspector struct {
	Root string // where the machine's / is; empty means "/"
	// Neighbours tells what LLDP heard, by interface; nil: nothing.
	Neighbours func(nic string) (Neighbour, bool)
	// BMC asks the BMC; nil: there is none.
	BMC func() (*pool.BMCFacts, error)
	// Look reads the content of disks; nil leaves it out.
	Look func(pool.Disk) ([]string, error)
	// Addresses of an interface; nil asks the kernel.
	Addresses func(nic string) []netip.Prefix
	Log       *slog.Logger
}

// Facts inspects the machine. What cannot be found out stays empty.
func (in *Inspector) Facts(ctx context.Context) *pool.Facts {
	f := &pool.Facts{
		At:       time.Now().UTC(),
		Hostname: in.read("/proc/sys/kernel/hostname"),
		Kernel:   in.read("/proc/sys/kernel/osrelease"),
		Arch:     pool.Arch(runtime.GOARCH),
		Firmware: pool.BIOS,
		Disks:    []pool.Disk{},
		NICs:     []pool.NIC{},
	}
	dmi := func(name string) string { return in.read("/sys/class/dmi/id/" + name) }
	f.UUID, f.Manufacturer = strings.ToLower(dmi("product_uuid")), dmi("sys_vendor")
	f.Product, f.Serial = dmi("product_name"), dmi("product_serial")
	f.FirmwareName = strings.TrimSpace(dmi("bios_vendor") + " " + dmi("bios_version"))
	if _, err := os.Stat(in.path("/sys/firmware/efi")); err == nil {
		f.Firmware = pool.UEFI
		f.SecureBoot = in.secureBoot()
	}
	switch in.read("/sys/class/tpm/tpm0/tpm_version_major") {
	case "2":
		f.TPM = "2.0"
	case "1":
		f.TPM = "1.2"
	}
	f.CPU, f.Memory = in.cpu(), in.memory()
	f.GPUs = in.gpus()
	f.NICs = append(f.NICs, in.nics()...)
	f.Disks = append(f.Disks, in.disks(ctx)...)
	if in.BMC != nil {
		b, err := in.BMC()
		if err != nil {
			silent(in.Log).Warn("BMC does not answer in-band", "err", err)
		}
		f.BMC = b
	}
	return f
}

func (in *Inspector) path(p string) string { return filepath.Join(in.Root, p) }

// read returns a small file's text as one clean line.
func (in *Inspector) read(p string) string {
	b, err := os.ReadFile(in.path(p))
	if err != nil {
		return ""
	}
	return oneLine(strings.ToValidUTF8(strings.TrimSpace(strings.Trim(string(b), "\x00")), "?"))
}

func (in *Inspector) number(p string) int64 {
	n, _ := strconv.ParseInt(in.read(p), 10, 64)
	return n
}

// names lists a folder.
func (in *Inspector) names(p string) []string {
	es, err := os.ReadDir(in.path(p))
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range es {
		out = append(out, e.Name())
	}
	return out
}

// link returns the last element of what a link points at.
func (in *Inspector) link(p string) string {
	t, err := os.Readlink(in.path(p))
	if err != nil {
		return ""
	}
	return filepath.Base(t)
}

func (in *Inspector) secureBoot() bool {
	found, err := filepath.Glob(in.path("/sys/firmware/efi/efivars/SecureBoot-*"))
	if err != nil || len(found) == 0 {
		return false
	}
	b, err := os.ReadFile(found[0])
	return err == nil && len(b) == 5 && b[4] == 1 // four bytes of attributes before it
}

func (in *Inspector) cpu() pool.CPU {
	var c pool.CPU
	for line := range strings.SplitSeq(in.text("/proc/cpuinfo"), "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			c.Model = strings.Join(strings.Fields(v), " ")
			break
		}
	}
	sockets, cores := map[string]bool{}, map[string]bool{}
	for _, n := range in.names("/sys/devices/system/cpu") {
		if _, err := strconv.Atoi(strings.TrimPrefix(n, "cpu")); err != nil || !strings.HasPrefix(n, "cpu") {
			continue
		}
		t := "/sys/devices/system/cpu/" + n + "/topology/"
		socket := in.read(t + "physical_package_id")
		if socket == "" {
			continue // offline
		}
		c.Threads++
		sockets[socket] = true
		cores[socket+"/"+in.read(t+"die_id")+"/"+in.read(t+"core_id")] = true
	}
	c.Sockets, c.Cores = len(sockets), len(cores)
	if c.Threads == 0 {
		c.Threads = runtime.NumCPU()
		c.Sockets, c.Cores = 1, c.Threads
	}
	return c
}

func (in *Inspector) text(p string) string {
	b, _ := os.ReadFile(in.path(p))
	return string(b)
}

// memory is what is plugged in (SMBIOS type 17), else what the kernel manages.
func (in *Inspector) memory() uint64 {
	if n := dimms([]byte(in.text("/sys/firmware/dmi/tables/DMI"))); n > 0 {
		return n
	}
	for line := range strings.SplitSeq(in.text("/proc/meminfo"), "\n") {
		if w := strings.Fields(line); len(w) == 3 && w[0] == "MemTotal:" {
			n, _ := strconv.ParseUint(w[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// dimms adds up the memory devices of an SMBIOS table (DSP0134, sections 6.1
// and 7.18).
func dimms(table []byte) (sum uint64) {
	for len(table) >= 4 {
		kind, length := table[0], int(table[1])
		if length < 4 || length > len(table) {
			return sum
		}
		if kind == 17 && length >= 0x0e {
			sum += dimm(table[:length])
		}
		// Strings follow and end with two zero bytes.
		rest := table[length:]
		end := strings.Index(string(rest), "\x00\x00")
		if end < 0 || kind == 127 {
			return sum
		}
		table = rest[end+2:]
	}
	return sum
}

func dimm(t []byte) uint64 {
	n := uint64(binary.LittleEndian.Uint16(t[0x0c:]))
	switch {
	case n == 0 || n == 0xffff: // empty slot, unknown
		return 0
	case n == 0x7fff && len(t) >= 0x20: // extended size, MiB
		return uint64(binary.LittleEndian.Uint32(t[0x1c:])&0x7fffffff) << 20
	case n&0x8000 != 0: // KiB
		return (n & 0x7fff) << 10
	}
	return n << 20
}

// gpus lists PCI display controllers (class 03), but not the plain VGA that
// comes with a BMC or a virtual machine.
func (in *Inspector) gpus() []string {
	var out []string
	for _, n := range in.names("/sys/bus/pci/devices") {
		d := "/sys/bus/pci/devices/" + n + "/"
		if !strings.HasPrefix(in.read(d+"class"), "0x03") {
			continue
		}
		vendor, device := strings.TrimPrefix(in.read(d+"vendor"), "0x"), strings.TrimPrefix(in.read(d+"device"), "0x")
		if slices.Contains([]string{"1a03", "102b", "1234", "1b36", "1af4", "15ad"}, vendor) {
			continue // ASPEED, Matrox, QEMU, VMware
		}
		out = append(out, fmt.Sprintf("%s %s:%s", n, vendor, device))
	}
	return out
}

func (in *Inspector) nics() []pool.NIC {
	var out []pool.NIC
	for _, n := range in.names("/sys/class/net") {
		d := "/sys/class/net/" + n + "/"
		if _, err := os.Stat(in.path(d + "device")); err != nil || in.read(d+"type") != "1" {
			continue // not hardware, or not Ethernet
		}
		mac, err := pool.ParseMAC(in.read(d + "address"))
		if err != nil {
			continue
		}
		c := pool.NIC{Name: n, MAC: mac, Driver: in.link(d + "device/driver"),
			Link: in.read(d+"carrier") == "1", Speed: int(max(0, in.number(d+"speed")))}
		if in.Addresses != nil {
			c.Addresses = in.Addresses(n)
		} else {
			c.Addresses = addresses(n)
		}
		if in.Neighbours != nil {
			if nb, ok := in.Neighbours(n); ok {
				c.Switch, c.Port = nb.Switch, nb.Port
			}
		}
		out = append(out, c)
	}
	return out
}

// addresses lists an interface's own addresses, link-local ones left out.
func addresses(nic string) []netip.Prefix {
	i, err := net.InterfaceByName(nic)
	if err != nil {
		return nil
	}
	as, err := i.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, a := range as {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLinkLocalUnicast() {
			out = append(out, p)
		}
	}
	return out
}
