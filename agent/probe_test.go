package agent

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
)

func TestContent(t *testing.T) {
	const size = 4 << 20
	put := func(at int, s string) func([]byte) { return func(b []byte) { copy(b[at:], s) } }
	for _, tt := range []struct {
		name string
		fill func([]byte)
		want []string
	}{
		{"nothing", func([]byte) {}, nil},
		{"erased flash", func(b []byte) { copy(b, bytes.Repeat([]byte{0xff}, len(b))) }, nil},
		{"unknown", put(40, "secret sauce"), []string{"unknown data at its start"}},
		{"unknown, further in", put(64<<10, "a superblock"), []string{"unknown data at its start"}},
		{"unknown, at the end", put(size-512, "a RAID controller's"), []string{"unknown data at its end"}},
		{"xfs", func(b []byte) { copy(b, "XFSB"); copy(b[108:], "data") }, []string{"xfs data"}},
		{"btrfs", put(65536+64, "_BHRfS_M"), []string{"btrfs"}},
		{"swap", put(4086, "SWAPSPACE2"), []string{"swap"}},
		{"lvm", put(536, "LVM2 001"), []string{"LVM2 physical volume"}},
		{"luks", put(0, "LUKS\xba\xbe"), []string{"LUKS"}},
		{"ntfs", put(3, "NTFS    "), []string{"ntfs"}},
		{"fat32 with boot signature", func(b []byte) { copy(b[82:], "FAT32   "); copy(b[71:], "EFI        "); b[510], b[511] = 0x55, 0xaa }, []string{"vfat EFI"}},
		{"md 1.2", func(b []byte) { copy(b[4096:], "\xfc\x4e\x2b\xa9"); copy(b[4096+32:], "host:0\x1b[2J") }, []string{"md RAID host:0 [2J"}},
		{"md 0.90 at the end", put(size-0x10000, "\xfc\x4e\x2b\xa9"), []string{"md RAID"}},
		{"zfs", func(b []byte) { binary.BigEndian.PutUint64(b[128<<10+4096:], 0x00bab10c) }, []string{"ZFS member"}},
		{"backup table only", put(size-512, gptMagic), []string{"gpt: backup table only"}},
		{"mbr", func(b []byte) {
			b[510], b[511], b[446+4], b[446+20] = 0x55, 0xaa, 0x83, 0x82
			b[446+8+1], b[446+12+1], b[462+8+1], b[462+12+1] = 8, 8, 16, 1
			copy(b[0x800*512:], "XFSB")
		}, []string{"mbr: 2 partitions", "partition 1: xfs"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := make([]byte, size)
			tt.fill(b)
			got, err := Content(bytes.NewReader(b), size)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("Content = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
	b := rawGPT(16 << 20)
	got, err := Content(bytes.NewReader(b), int64(len(b)))
	if want := []string{"gpt: 1 partition", "partition 1: ext4 root"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Content of a GPT disk = %q, %v; want %q", got, err, want)
	}
	if got, err := Content(bytes.NewReader(b[:4<<20]), 64<<20); err == nil && len(got) == 0 {
		t.Error("a disk that is shorter than it says passed for empty")
	}
}

// writer is memory as a disk; what does not fit is lost.
type writer []byte

func (w writer) WriteAt(b []byte, off int64) (int, error) {
	if off < int64(len(w)) {
		copy(w[off:], b)
	}
	return len(b), nil
}

func TestGrowGPT(t *testing.T) {
	for _, mib := range []int{17, 32, 100} {
		disk := make([]byte, mib<<20+512*7) // no whole number of MiB
		copy(disk, rawGPT(16<<20))
		size := int64(len(disk))
		g, err := ReadGPT(bytes.NewReader(disk), size, 512)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Grow(); err != nil {
			t.Fatal(err)
		}
		if err := g.Write(writer(disk)); err != nil {
			t.Fatal(err)
		}
		again, err := ReadGPT(bytes.NewReader(disk), size, 512)
		if err != nil {
			t.Fatal(err)
		}
		p := again.Used()[0]
		if p.First != 2048 || (p.Last+1)%2048 != 0 || int64(p.Last) > size/512-35 || int64(p.Last) < size/512-35-2048 {
			t.Errorf("%d MiB: partition is %d-%d of %d sectors", mib, p.First, p.Last, size/512)
		}
		h := disk[size-512:]
		if binary.LittleEndian.Uint64(h[24:]) != uint64(size/512-1) || binary.LittleEndian.Uint32(h[16:]) != headerCRC(h, 92) {
			t.Errorf("%d MiB: backup header is wrong", mib)
		}
	}
	small := rawGPT(16 << 20)[:8<<20]
	g, err := ReadGPT(bytes.NewReader(small), int64(len(small)), 512)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Grow(); err == nil {
		t.Error("a table grew onto a disk that is smaller than its partitions")
	}
}

func FuzzGPT(f *testing.F) {
	f.Add(rawGPT(16 << 20)[:40<<10])
	f.Add([]byte(gptMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		size := int64(16 << 20)
		if g, err := ReadGPT(bytes.NewReader(b), size, 512); err == nil {
			disk := make(writer, 256<<10) // its start will do
			if g.Grow() == nil && g.Write(disk) == nil {
				if _, err := ReadGPT(bytes.NewReader(disk), size, 512); err != nil {
					t.Errorf("what was written does not read: %v", err)
				}
			}
		}
		_, _ = Content(bytes.NewReader(b), size) // must not panic
	})
}

func lldp(tlvs ...string) []byte {
	var b []byte
	for _, v := range tlvs {
		b = binary.BigEndian.AppendUint16(b, uint16(v[0])<<9|uint16(len(v)-1))
		b = append(b, v[1:]...)
	}
	return b
}

func TestParseLLDP(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want Neighbour
		bad  bool
	}{
		{"identifiers", lldp("\x01\x04\x02\x00\x00\x00\x00\x01", "\x02\x05eth0", "\x03\x00\x78", "\x00"), Neighbour{"02:00:00:00:00:01", "eth0", 2 * time.Minute}, false},
		{"names", lldp("\x01\x05\x01\x0a\x00\x00\x01", "\x02\x07x", "\x03\x00\x0a", "\x04port 7", "\x05sw\n1", "\x7f\x00\x80\xc2", "\x00"), Neighbour{"sw 1", "port 7", 10 * time.Second}, false},
		{"address", lldp("\x01\x05\x01\x0a\x00\x00\x01", "\x02\x07x", "\x03\x00\x0a", "\x00"), Neighbour{"10.0.0.1", "x", 10 * time.Second}, false},
		{"no end", lldp("\x01\x04x", "\x02\x05e", "\x03\x00\x01"), Neighbour{}, true},
		{"wrong order", lldp("\x02\x05e", "\x01\x04x", "\x03\x00\x01", "\x00"), Neighbour{}, true},
		{"cut", []byte{2, 200, 4}, Neighbour{}, true},
		{"empty", nil, Neighbour{}, true},
	} {
		got, err := ParseLLDP(tt.in)
		if (err != nil) != tt.bad || err == nil && got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
}

func FuzzTLV(f *testing.F) {
	f.Add(lldp("\x01\x04\x02\x00\x00\x00\x00\x01", "\x02\x05eth0", "\x03\x00\x78", "\x00"))
	f.Add([]byte{2, 200, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseLLDP(b)
		if err == nil && strings.ContainsAny(n.Switch+n.Port, "\n\r\x1b") {
			t.Errorf("control characters in %+v", n)
		}
	})
}

func FuzzDIMMs(f *testing.F) {
	f.Add([]byte("\x11\x20\x00\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00DIMM 0\x00\x00\x7f\x04\x00\x7f\x00\x00"))
	f.Fuzz(func(_ *testing.T, b []byte) { _ = dimms(b) })
}

func TestFacts(t *testing.T) {
	dir := t.TempDir()
	dimm := "\x11\x20\x00\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40" + strings.Repeat("\x00", 18) + "DIMM 0\x00\x00"
	tree(t, dir, map[string]string{
		"proc/sys/kernel/osrelease": "6.1.0\n", "proc/sys/kernel/hostname": "evil\nname\n", "proc/cpuinfo": "processor\t: 0\nmodel name\t: A  CPU\n",
		"sys/firmware/efi/efivars/SecureBoot-8be4": "\x06\x00\x00\x00\x01", "sys/firmware/dmi/tables/DMI": dimm + dimm + "\x7f\x04\x00\x7f\x00\x00",
		"sys/class/dmi/id/product_uuid": "4C4C-0001\n", "sys/class/dmi/id/sys_vendor": "Dell Inc.\n", "sys/class/dmi/id/product_name": "R640\n",
		"sys/class/dmi/id/product_serial": "ABC\n", "sys/class/dmi/id/bios_vendor": "Dell\n", "sys/class/dmi/id/bios_version": "2.1\n",
		"sys/class/tpm/tpm0/tpm_version_major":                     "2\n",
		"sys/devices/system/cpu/cpu0/topology/physical_package_id": "0\n", "sys/devices/system/cpu/cpu0/topology/core_id": "0\n",
		"sys/devices/system/cpu/cpu1/topology/physical_package_id": "0\n", "sys/devices/system/cpu/cpu1/topology/core_id": "0\n",
		"sys/devices/system/cpu/cpu2/topology/physical_package_id": "1\n", "sys/devices/system/cpu/cpu2/topology/core_id": "0\n",
		"sys/devices/system/cpu/cpufreq/x":       "",
		"sys/bus/pci/devices/0000:3b:00.0/class": "0x030200\n", "sys/bus/pci/devices/0000:3b:00.0/vendor": "0x10de\n", "sys/bus/pci/devices/0000:3b:00.0/device": "0x20b0\n",
		"sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n", "sys/bus/pci/devices/0000:01:00.0/vendor": "0x102b\n", // the BMC's VGA
		"sys/devices/pci/net/eno1/address": "52:54:00:aa:bb:01\n", "sys/devices/pci/net/eno1/type": "1\n", "sys/devices/pci/net/eno1/carrier": "1\n",
		"sys/devices/pci/net/eno1/speed": "10000\n", "sys/devices/pci/net/eno1/device/driver": "-> ../../../bus/pci/drivers/ixgbe",
		"sys/class/net/eno1": "-> ../../devices/pci/net/eno1", "sys/class/net/lo/address": "00:00:00:00:00:00\n",
		"sys/block/sda/size": "2048\n", "sys/block/sda/device/vendor": "ATA     \n", "sys/block/sda/device/model": "INTEL SSD\n", "sys/block/sda/queue/rotational": "0\n",
		"sys/block/sda/device/vpd_pg80": "\x00\x80\x00\x0aSERIAL 1  ", "sys/block/sda/device/wwid": "naa.5000\n",
		"sys/block/sdb/size": "4096\n", "sys/block/sdb/device/model": "RAID LUN\n", "sys/block/sdb/device/wwid": "naa.6000\n", "sys/block/sdb/queue/rotational": "1\n", "sys/block/sdb/ro": "1\n",
		"sys/block/nvme0n1/size": "8192\n", "sys/block/nvme0n1/device/serial": "N1  \n", "sys/block/nvme0n1/device/model": "P 5800\n",
		"sys/block/nvme0c0n1/size": "8192\n", "sys/block/loop0/size": "10\n", "sys/block/sr0/size": "10\n", "sys/block/md0/size": "10\n", "sys/block/sdc/size": "0\n",
		"sys/block/vda/size": "16\n", "sys/block/vda/serial": "V", "sys/block/vdb/size": "16\n", "sys/block/vdb/serial": "V", "sys/block/vdb/removable": "1\n",
		"sys/block/vdd/size": "16\n", "sys/block/vdd/device": "-> ../../devices/pci/virtio3", "sys/devices/pci/virtio3/x": "",
	})
	in := &Inspector{Root: dir, Addresses: func(string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")} },
		Neighbours: func(string) (Neighbour, bool) { return Neighbour{Switch: "sw1", Port: "7"}, true },
		BMC:        func() (*pool.BMCFacts, error) { return bmcFacts(&fakeBMC{}) },
		Look: func(d pool.Disk) ([]string, error) {
			if d.Name == "sda" {
				return []string{"gpt: 3 partitions"}, nil
			}
			return nil, nil
		}}
	got := in.Facts(t.Context())
	want := &pool.Facts{At: got.At, Hostname: "evil name", UUID: "4c4c-0001", Manufacturer: "Dell Inc.", Product: "R640", Serial: "ABC", Arch: got.Arch,
		Firmware: pool.UEFI, FirmwareName: "Dell 2.1", SecureBoot: true, TPM: "2.0", CPU: pool.CPU{Model: "A CPU", Sockets: 2, Cores: 2, Threads: 3},
		Memory: 32 << 30, Kernel: "6.1.0", GPUs: []string{"0000:3b:00.0 10de:20b0"},
		NICs: []pool.NIC{{Name: "eno1", MAC: pool.MAC{0x52, 0x54, 0, 0xaa, 0xbb, 1}, Driver: "ixgbe", Speed: 10000, Link: true,
			Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")}, Switch: "sw1", Port: "7"}},
		Disks: []pool.Disk{
			{Name: "nvme0n1", ByID: "nvme-P_5800_N1", Serial: "N1", Model: "P 5800", Size: 8192 * 512, Type: "nvme"},
			{Name: "sda", ByID: "ata-INTEL_SSD_SERIAL_1", Serial: "SERIAL 1", Model: "INTEL SSD", Size: 1 << 20, Type: "ssd", Content: []string{"gpt: 3 partitions"}},
			{Name: "sdb", ByID: "wwn-0x6000", Serial: "naa.6000", Model: "RAID LUN", Size: 2 << 20, Type: "hdd", ReadOnly: true},
			{Name: "vda", ByID: "virtio-V", Serial: "V@slot-vda", Size: 8192, Type: "virtio"},
			{Name: "vdb", ByID: "virtio-V", Serial: "V@slot-vdb", Size: 8192, Type: "virtio", Removable: true},
			{Name: "vdd", Serial: "slot-pci-virtio3", Size: 8192, Type: "virtio"},
		},
		BMC: &pool.BMCFacts{Address: netip.MustParseAddr("10.77.0.10"), MAC: pool.MAC{2, 0, 0, 0, 0xbc, 1}, Channel: 1, Version: "2.88"}}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Errorf("facts (-want +got):\n%s", d)
	}
}

func TestModules(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, map[string]string{
		"m/modules.dep":          "kernel/virtio_net.ko: kernel/net_failover.ko kernel/failover.ko\nkernel/net_failover.ko: kernel/failover.ko\nkernel/failover.ko:\nkernel/e1000.ko.xz:\nkernel/bad-one.ko:\n",
		"m/modules.alias":        "# x\nalias virtio:d00000001v* virtio-net\nalias pci:v00008086d0000100[0-9A-F]sv*sd*bc*sc*i* e1000\nalias acpi*:X: bad_one\n",
		"sys/devices/a/modalias": "virtio:d00000001v00001AF4\n", "sys/devices/b/modalias": "pci:v00008086d0000100Esv1sd1bc02sc00i00\n",
	})
	m, err := OpenModules(dir+"/m", dir+"/sys", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	m.insert = func(path string) error { got = append(got, moduleName(path)); return nil }
	m.Coldplug()
	h := &Hotplug{Modules: m}
	h.message("add@/x\x00ACTION=add\x00MODALIAS=pci:v00008086d00001001sv1sd1bc02sc00i00\x00")
	if err := m.Load("bad-one", "built-in"); err != nil {
		t.Error(err)
	}
	if want := []string{"failover", "net_failover", "virtio_net", "e1000", "bad_one"}; !slices.Equal(got, want) {
		t.Errorf("loaded %q, want %q", got, want)
	}
}

func TestBootMAC(t *testing.T) {
	for in, want := range map[string]string{"01-52-54-00-12-34-56": "52:54:00:12:34:56", "52:54:00:12:34:56": "52:54:00:12:34:56"} {
		if got := bootMAC(map[string]string{"BOOTIF": in}); got.String() != want {
			t.Errorf("BOOTIF=%s is %s, want %s", in, got, want)
		}
	}
	if got := bootMAC(nil); !got.IsZero() {
		t.Errorf("no BOOTIF is %s", got)
	}
}
