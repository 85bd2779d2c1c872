package debian

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
)

const grubLib = "/usr/lib/grub"

// grubConfig is the whole of /boot/grub/grub.cfg. It names the kernel by the
// link that Debian's kernel packages keep up to date.
func grubConfig(p platform, root guid) string {
	return `# The only entry of this machine: written with the image.
set timeout=0
` + p.serial + `search --no-floppy --fs-uuid --set=root ` + string(root) + `
linux /vmlinuz root=UUID=` + string(root) + ` ro loglevel=5` + p.console + `
initrd /initrd.img
boot
`
}

// earlyConfig finds grub.cfg. It is compiled into GRUB's image for BIOS; the
// signed one for UEFI reads it in signedPrefix of the partition it came from.
func earlyConfig(root guid) string {
	return `search --no-floppy --fs-uuid --set=root ` + string(root) + `
set prefix=($root)/boot/grub
configfile ($root)/boot/grub/grub.cfg
`
}

// signedPrefix is compiled into Debian's signed GRUB.
const signedPrefix = "EFI/debian"

// biosImage makes core.img, GRUB for BIOS, in dir.
func biosImage(ctx context.Context, dir string, early string) error {
	err := tool(ctx, dir, nil, "grub-mkimage", "-O", "i386-pc", "-d", filepath.Join(grubLib, "i386-pc"), "-c", early, "-p", "/boot/grub",
		"-o", filepath.Join(dir, "core.img"), "biosdisk", "part_gpt", "ext2", "search", "search_fs_uuid", "configfile", "normal", "linux",
		"echo", "test", "boot", "gzio", "sleep", "serial", "terminal")
	if err != nil {
		return fmt.Errorf("make boot loader for BIOS: %w", err)
	}
	return nil
}

// installBIOS writes GRUB's boot.img to the MBR's code area and core.img to
// the BIOS boot partition that begins at sector lba and has room sectors,
// and does to them what grub-bios-setup does: it tells each where the next
// piece lies. (Offsets: grub-core/boot/i386/pc/boot.S and diskboot.S,
// include/grub/i386/pc/boot.h.)
func installBIOS(w io.WriterAt, boot, core []byte, lba, room int64) error {
	if len(boot) != sector || len(core) < 2*sector {
		return fmt.Errorf("install boot loader: boot.img has %d bytes, core.img %d", len(boot), len(core))
	}
	b := append([]byte(nil), boot...)
	c := append([]byte(nil), core...)
	c = append(c, make([]byte, (sector-len(c)%sector)%sector)...)
	sectors := int64(len(c) / sector)
	if sectors > room || sectors > 0xffff {
		return fmt.Errorf("install boot loader: core.img has %d sectors, the partition %d", sectors, room)
	}
	binary.LittleEndian.PutUint64(b[0x5c:], uint64(lba)) // kernel_sector
	b[0x64] = 0xff                                       // boot_drive: the one the BIOS names
	b[0x66], b[0x67] = 0x90, 0x90                        // drive_check: do not second-guess the BIOS
	block := c[sector-12:]                               // the only blocklist of diskboot.img
	binary.LittleEndian.PutUint64(block, uint64(lba+1))
	binary.LittleEndian.PutUint16(block[8:], uint16(sectors-1))
	binary.LittleEndian.PutUint16(block[10:], 0x820) // segment it is loaded to
	if _, err := w.WriteAt(b[:440], 0); err != nil {
		return fmt.Errorf("install boot loader: %w", err)
	}
	if _, err := w.WriteAt(c, lba*sector); err != nil {
		return fmt.Errorf("install boot loader: %w", err)
	}
	return nil
}
