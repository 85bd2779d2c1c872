package images

import (
	"fmt"
	"regexp"
	"strings"

	"appliance/pool"
)

// word is what may stand in an iPXE command as one argument: iPXE splits at
// blanks, expands ${…}, and treats # as a comment, || && and ; as operators.
var word = regexp.MustCompile(`^[A-Za-z0-9_.,:/=@%+?\-\[\]]+$`)

// arg quotes nothing: an argument that would need quoting is refused, because
// iPXE's quoting differs between versions. Errors wrap pool.ErrInvalid.
func arg(s string) (string, error) {
	if !word.MatchString(s) {
		return "", fmt.Errorf("%w: write iPXE script: argument %q has a character that iPXE would interpret", pool.ErrInvalid, s)
	}
	return s, nil
}

// line joins command and arguments, each checked by arg.
func line(b *strings.Builder, args ...string) error {
	for i, a := range args {
		w, err := arg(a)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	b.WriteByte('\n')
	return nil
}

// comment writes a line that a person reads on the machine's screen.
func comment(b *strings.Builder, text string) {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune("${}&|;#\\\"'`", r) {
			return '.'
		}
		return r
	}, text)
	fmt.Fprintf(b, "echo %s\n", clean)
}

// Script returns the iPXE script for a machine: the agent by kernel and two
// initramfs files, or its own disk. name is shown on the screen. kargs are
// further kernel arguments. Errors wrap pool.ErrInvalid.
func Script(a pool.BootAction, c pool.Client, mac pool.MAC, s Site, name string, kargs []string) (string, error) {
	var b strings.Builder
	b.WriteString("#!ipxe\n")
	switch a {
	case pool.BootAgent:
		comment(&b, "appliance: "+name+" starts the agent in memory; its disks stay untouched")
		image, initrd := agentFiles(c)
		kernel := append([]string{"kernel", s.HTTP + KitPath(image), "initrd=extra.cpio", "initrd=" + initrd,
			"console=tty0", console(c), "panic=5", "BOOTIF=01-" + pathMAC(mac)}, kargs...)
		// The uncompressed archive goes first: the kernel reads on after it,
		// but not after a compressed one whose length it cannot see.
		for _, args := range [][]string{
			kernel,
			{"initrd", "--name", "extra.cpio", s.HTTP + ExtraPath(mac)},
			{"initrd", "--name", initrd, s.HTTP + KitPath(initrd)},
			{"boot"},
		} {
			if err := line(&b, args...); err != nil {
				return "", err
			}
		}
	case pool.BootLocal:
		comment(&b, "appliance: "+name+" starts its own disk")
		if c.Firmware() == pool.UEFI {
			// exit would end in the firmware's menu; GRUB finds the disk's loader.
			if err := line(&b, "chain", s.HTTP+KitPath(localNBP(c))); err != nil {
				return "", err
			}
			break
		}
		b.WriteString("sanboot --no-describe --drive 0x80 || exit\n")
	case pool.BootIgnore:
		comment(&b, "appliance: "+name+" has nothing to boot from here")
		b.WriteString("exit\n")
	}
	return b.String(), nil
}

// AutoexecScript is what iPXE finds as autoexec.ipxe on our TFTP server: it
// sends the machine to its own script.
func AutoexecScript(s Site) string {
	return "#!ipxe\ndhcp\nchain " + s.HTTP + "/boot/${netX/mac:hexhyp}/script.ipxe?platform=${platform}\n"
}
