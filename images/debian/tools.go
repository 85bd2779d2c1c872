package debian

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"appliance/pool"
)

// A need is a Debian package that brings a program or file that a build or a
// mirror uses.
type need struct{ pkg, program, file string }

// needs are what builds of the platform use.
func (p platform) needs() []need {
	all := []need{
		{"apt", "apt-get", ""},
		{"mmdebstrap", "mmdebstrap", ""},
		{"e2fsprogs", "mke2fs", ""},
		{"dosfstools", "mkfs.vfat", ""},
		{"mtools", "mcopy", ""},
		{"tar", "tar", ""},
	}
	if p.bios {
		all = append(all, need{"grub-common", "grub-mkimage", ""}, need{"grub-pc-bin", "", grubLib + "/i386-pc/boot.img"})
	}
	if p.foreign() {
		all = append(all, need{"arch-test", "arch-test", ""}, need{"qemu-user-static", p.emulator + "-static", ""})
	}
	return all
}

// MissingTools returns the Debian packages that Build of an image for amd64
// and Mirror need and this host lacks, sorted as they are to be installed;
// empty when all are there.
func MissingTools() []string {
	p, _ := platformOf(pool.AMD64) // it is known
	return p.missing()
}

func (p platform) missing() []string {
	var missing []string
	for _, t := range p.needs() {
		err := error(nil)
		if t.program != "" {
			_, err = lookPath(t.program)
		} else {
			_, err = os.Stat(t.file)
		}
		if err != nil {
			missing = append(missing, t.pkg)
		}
	}
	return missing
}

// lookPath finds a program, also where only root's PATH leads.
func lookPath(program string) (string, error) {
	if p, err := exec.LookPath(program); err == nil {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if info, err := os.Stat(dir + program); err == nil && info.Mode()&0o111 != 0 {
			return dir + program, nil
		}
	}
	return "", exec.ErrNotFound
}

// needTools makes sure that no tool is missing; install lets it call apt-get.
func (p platform) needTools(ctx context.Context, install bool) error {
	missing := p.missing()
	if len(missing) == 0 {
		return nil
	}
	names := strings.Join(missing, " ")
	if !install {
		return fmt.Errorf("find build tools: missing Debian packages: %s (apt-get install %s)", names, names)
	}
	if err := tool(ctx, "", nil, "apt-get", "update", "-q"); err != nil {
		return fmt.Errorf("install build tools: %w", err)
	}
	args := append([]string{"install", "-y", "-q", "--no-install-recommends"}, missing...)
	if err := tool(ctx, "", nil, "apt-get", args...); err != nil {
		return fmt.Errorf("install build tools: %w", err)
	}
	return nil
}

// tool runs a program to its end; an error carries the last lines it wrote.
// The program dies with us.
func tool(ctx context.Context, dir string, stdin []byte, program string, args ...string) error {
	path, err := lookPath(program)
	if err != nil {
		return fmt.Errorf("%s: not installed", program)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "MTOOLS_SKIP_CHECK=1",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	// The signal comes when the thread that started the program ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdin = bytes.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		return fmt.Errorf("%s: %w: %s", program, err, strings.Join(lines[max(0, len(lines)-6):], "; "))
	}
	return nil
}
