package build

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// wanted says which modules the agent gets, by path below /lib/modules/VERSION;
// what they depend on comes by itself. A pattern that ends in a slash takes
// the folder and all below it; others are path.Match patterns.
//
// The choice: every wired server network card, RAID and disk controller, NVMe,
// USB, IPMI, TPM, bonding and VLANs; no wireless, no graphics, no sound.
func wanted() []string {
	makers := append(commonMakers(), "atheros", "cavium/liquidio", "realtek", "sfc")
	return patterns(makers, commonModules(), `
		drivers/net/vmxnet3/vmxnet3 drivers/net/hyperv/hv_netvsc drivers/net/xen-netfront drivers/block/xen-blkfront drivers/pci/controller/vmd
		drivers/scsi/vmw_pvscsi drivers/scsi/hv_storvsc
		drivers/scsi/aacraid/aacraid drivers/scsi/hpsa drivers/scsi/arcmsr/arcmsr drivers/scsi/3w-9xxx drivers/scsi/3w-sas
		drivers/scsi/pm8001/pm80xx drivers/scsi/isci/isci drivers/scsi/mvsas/mvsas drivers/message/fusion/mptspi drivers/message/fusion/mptsas
		drivers/ata/ata_piix drivers/ata/ata_generic drivers/usb/host/uhci-hcd drivers/char/tpm/tpm_tis drivers/char/tpm/tpm_crb drivers/acpi/button
		arch/x86/crypto/crc32c-intel arch/x86/crypto/crct10dif-pclmul`)
}

// wantedARM64 is wanted for arm64 servers (SBSA): the same choice, and the
// network cards of their own makers' systems on chip.
func wantedARM64() []string {
	makers := append(commonMakers(), "apm", "cavium", "freescale", "hisilicon", "qualcomm/emac", "realtek", "stmicro", "socionext")
	return patterns(makers, commonModules(), `
		drivers/scsi/hpsa drivers/scsi/hisi_sas/hisi_sas_v3_hw drivers/ata/ahci_platform
		drivers/mmc/host/dw_mmc drivers/mmc/host/sdhci-iproc drivers/usb/host/xhci-plat-hcd`)
}

func commonMakers() []string {
	return []string{"amazon", "amd", "aquantia", "broadcom", "chelsio", "cisco", "emulex", "google", "intel", "marvell", "mellanox/mlx4", "mellanox/mlx5", "qlogic"}
}

func commonModules() string {
	return `
		drivers/net/virtio_net drivers/net/bonding/bonding net/8021q/8021q
		drivers/net/usb/r8152 drivers/net/usb/cdc_ether drivers/net/usb/cdc_ncm drivers/net/usb/rndis_host drivers/net/usb/ax88179_178a
		drivers/net/phy/broadcom drivers/net/phy/realtek drivers/net/phy/marvell drivers/net/phy/at803x drivers/net/phy/smsc
		drivers/block/virtio_blk drivers/nvme/host/nvme
		drivers/scsi/sd_mod drivers/scsi/sr_mod drivers/scsi/sg drivers/scsi/virtio_scsi
		drivers/scsi/megaraid/megaraid_sas drivers/scsi/mpt3sas/mpt3sas drivers/scsi/mpi3mr/mpi3mr drivers/scsi/smartpqi/smartpqi
		drivers/ata/ahci drivers/mmc/core/mmc_block drivers/mmc/host/sdhci-pci drivers/mmc/host/sdhci-acpi
		drivers/usb/host/xhci-pci drivers/usb/host/ehci-pci drivers/usb/host/ohci-pci drivers/usb/storage/usb-storage drivers/usb/storage/uas
		drivers/hid/hid-generic drivers/hid/usbhid/usbhid drivers/input/evdev
		drivers/char/ipmi/ipmi_si drivers/char/ipmi/ipmi_ssif drivers/char/ipmi/ipmi_devintf drivers/char/ipmi/ipmi_poweroff drivers/char/ipmi/ipmi_watchdog
		drivers/char/hw_random/virtio-rng drivers/char/virtio_console drivers/firmware/efi/efi-pstore
		drivers/virtio/virtio_pci drivers/virtio/virtio_mmio drivers/md/dm-mod drivers/md/raid1
		fs/ext4/ext4 fs/fat/vfat fs/nls/nls_ascii fs/nls/nls_cp437 fs/nls/nls_iso8859-1 fs/nls/nls_utf8 fs/efivarfs/efivarfs
		crypto/crc32c_generic`
}

// patterns are those of makers' network cards and of modules named below kernel/.
func patterns(makers []string, files ...string) (all []string) {
	for _, maker := range makers {
		all = append(all, "kernel/drivers/net/ethernet/"+maker+"/")
	}
	for _, f := range strings.Fields(strings.Join(files, " ")) {
		all = append(all, "kernel/"+f+".ko")
	}
	return all
}

// unwanted are modules that the folders of wanted hold and no server boots with.
func unwanted(name string) bool {
	return strings.HasSuffix(name, "_test") || strings.HasPrefix(name, "prestera") ||
		slices.Contains([]string{"chtls", "ch_ipsec", "ch_ktls", "octeon_ep", "rvu_af", "rvu_nicpf", "rvu_nicvf"}, name)
}

// A set is the modules chosen from all of a kernel's.
type set struct {
	byName map[string]module
	alias  map[string][]string // alias without wildcards -> names
	chosen map[string]bool
}

func newSet(all []module) *set {
	s := &set{byName: map[string]module{}, alias: map[string][]string{}, chosen: map[string]bool{}}
	for _, m := range all {
		s.byName[m.name] = m
		for _, a := range m.aliases {
			if !strings.ContainsAny(a, "*?[") {
				s.alias[underscores(a)] = append(s.alias[underscores(a)], m.name)
			}
		}
	}
	return s
}

// choose takes what the patterns match and all it depends on. It returns the
// patterns that matched nothing: a kernel may have them built in or not at all.
func (s *set) choose(patterns []string) (unmatched []string, err error) {
	for _, p := range patterns {
		hit := false
		for _, m := range s.byName {
			ok := strings.HasSuffix(p, "/") && strings.HasPrefix(m.path, p)
			if !ok {
				if ok, err = path.Match(p, m.path); err != nil {
					return nil, fmt.Errorf("choose modules by %q: %w", p, err)
				}
			}
			if !ok || unwanted(m.name) {
				continue
			}
			hit = true
			if err := s.take(m.name); err != nil {
				return nil, err
			}
		}
		if !hit {
			unmatched = append(unmatched, p)
		}
	}
	return unmatched, nil
}

// take chooses a module, what it depends on, and what it asks for softly.
func (s *set) take(name string) error {
	if s.chosen[name] {
		return nil
	}
	m, ok := s.byName[name]
	if !ok {
		return fmt.Errorf("choose modules: %s is not in this kernel", name)
	}
	s.chosen[name] = true
	for _, d := range m.depends {
		if err := s.take(d); err != nil {
			return fmt.Errorf("%w (needed by %s)", err, name)
		}
	}
	for _, soft := range m.softdeps {
		for word := range strings.FieldsSeq(soft) {
			word = underscores(word)
			if _, ok := s.byName[word]; ok {
				if err := s.take(word); err != nil {
					return err
				}
				continue
			}
			for _, other := range s.alias[word] {
				if err := s.take(other); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// modules are the chosen ones, in the order of modules.order: where two claim
// the same device the first is tried first. Those not listed come last.
func (s *set) modules(order []string) []module {
	place := map[string]int{}
	for i, p := range order {
		place[p] = i + 1
	}
	var all []module
	for name := range s.chosen {
		all = append(all, s.byName[name])
	}
	slices.SortFunc(all, func(a, b module) int {
		pa, pb := place[a.path], place[b.path]
		switch {
		case pa == pb:
			return strings.Compare(a.path, b.path)
		case pa == 0:
			return 1
		case pb == 0:
			return -1
		}
		return pa - pb
	})
	return all
}

// needs is all that m depends on, near ones first: as in modules.dep they are
// to be loaded from the last to the first.
func (s *set) needs(m module) []string {
	var order []string // what is to be loaded first comes first
	done := map[string]bool{m.name: true}
	var visit func(module)
	visit = func(m module) {
		for _, d := range m.depends {
			if !done[d] {
				done[d] = true
				visit(s.byName[d])
				order = append(order, s.byName[d].path)
			}
		}
	}
	visit(m)
	slices.Reverse(order)
	return order
}

// indexes are the files modules.dep, modules.alias and modules.softdep for
// the chosen modules, as depmod(8) writes them.
func (s *set) indexes(order []string) map[string][]byte {
	var dep, alias, soft strings.Builder
	alias.WriteString("# Aliases extracted from modules themselves.\n")
	soft.WriteString("# Soft dependencies extracted from modules themselves.\n")
	for _, m := range s.modules(order) {
		dep.WriteString(m.path + ":")
		for _, d := range s.needs(m) {
			dep.WriteString(" " + d)
		}
		dep.WriteString("\n")
		for _, a := range m.aliases {
			fmt.Fprintf(&alias, "alias %s %s\n", a, m.name)
		}
		for _, d := range m.softdeps {
			fmt.Fprintf(&soft, "softdep %s %s\n", m.name, d)
		}
	}
	return map[string][]byte{
		"modules.dep": []byte(dep.String()), "modules.alias": []byte(alias.String()), "modules.softdep": []byte(soft.String()),
	}
}

// firmware is what the chosen network modules may ask for, sorted.
func (s *set) firmware() []string {
	var all []string
	for name := range s.chosen {
		if m := s.byName[name]; strings.HasPrefix(m.path, "kernel/drivers/net/") {
			all = append(all, m.firmware...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unnamedFirmware is what modules load without saying so in their .modinfo.
func unnamedFirmware() []string {
	return []string{
		"cxgb4/t4-config.txt", "cxgb4/t5-config.txt", "cxgb4/t6-config.txt",
		"cxgb4/aq1202_fw.cld", "cxgb4/bcm8483.bin",
	}
}
