package rack_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"appliance/rack"
)

// hostAddr is the address of machine i when it is a host that already runs.
func hostAddr(i int) string { return fmt.Sprintf("10.77.0.%d", 140+i) }

// hosts switches machines on that have a Debian of their own on their disks:
// the image as anybody could have installed it, with an address, an SSH key of
// the operator's and, once the appliance serves, its package repository, all of
// which the operator put there. The appliance knows nothing of them.
func (d *healDay) hosts(ctx context.Context, machines ...int) error {
	for _, i := range machines {
		if err := d.hostDisk(ctx, i, filepath.Join(d.dir, "operator.pub")); err != nil {
			return fmt.Errorf("disk of host %d: %w", i, err)
		}
		if err := d.rack.Machines[i].PowerOn(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hostDisk writes the disk of a host: debugfs and sfdisk change it without
// mounting anything.
func (d *healDay) hostDisk(ctx context.Context, i int, key string) error {
	disk, image := d.rack.Machines[i].Spec.Disks[0].Path, cmp.Or(d.image, os.Getenv("APPLIANCE_IMAGE"))
	root, at, err := rootOf(image)
	if err != nil {
		return err
	}
	network := fmt.Sprintf("[Match]\nName=en* eth*\n[Network]\nAddress=%s/24\nIPv6AcceptRA=no\n", hostAddr(i))
	files := map[string]string{
		"host.network": network, "host.hostname": fmt.Sprintf("box%d\n", i),
		"host.list": fmt.Sprintf("deb [trusted=yes] https://%s:8443/packages/ /\n", rack.Addr()),
		"host.conf": "Acquire::https::CAInfo \"/etc/appliance-ca.pem\";\n",
	}
	if err := d.files(files); err != nil {
		return err
	}
	in := func(name string) string { return filepath.Join(d.dir, name) }
	commands := "mkdir /root/.ssh\nsif /root/.ssh mode 040700\n" +
		"write " + key + " /root/.ssh/authorized_keys\nsif /root/.ssh/authorized_keys mode 0100600\n" +
		"write " + in("host.network") + " /etc/systemd/network/05-host.network\n" +
		"rm /etc/hostname\nwrite " + in("host.hostname") + " /etc/hostname\n"
	if ca := filepath.Join(d.dir, "data", "ca", "ca.pem"); exists(ca) {
		commands += "write " + in("host.list") + " /etc/apt/sources.list.d/host.list\n" +
			"write " + in("host.conf") + " /etc/apt/apt.conf.d/95host\n" +
			"write " + ca + " /etc/appliance-ca.pem\n"
	}
	if err := os.WriteFile(in("host.debugfs"), []byte(commands), 0o644); err != nil {
		return err
	}
	for _, line := range []string{
		"cp --sparse=always " + image + " " + disk,
		fmt.Sprintf("debugfs -w -f %s '%s?offset=%d' 2>&1 | tee /dev/stderr | if grep -i -E 'not found|usage|could not|error' >&2; then exit 1; fi", in("host.debugfs"), disk, at),
		"truncate -s 6G " + disk,
		"sfdisk -q --relocate gpt-bak-std " + disk,
		fmt.Sprintf("echo ', +' | sfdisk -q --no-reread --no-tell-kernel -N %d %s", root, disk),
	} {
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, out)
		}
	}
	return nil
}

// rootOf is the partition of an image's root file system, and where it begins.
func rootOf(image string) (partition int, at int64, err error) {
	b, err := os.ReadFile(image + ".json")
	if err != nil {
		return 0, 0, err
	}
	var about struct {
		Root   int   `json:"root_partition"`
		RootAt int64 `json:"root_offset"`
	}
	err = json.Unmarshal(b, &about)
	return about.Root, about.RootAt, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// hypervisorConfig names the libvirt of the appliance's own host, that is, of
// the world; its socket is linked once libvirtd runs.
func hypervisorConfig() string {
	dir, _ := rack.Inside()
	return fmt.Sprintf("hypervisors:\n  - {name: local, socket: %s, cores: 4, memory: 6442450944, bridge: %s}\n", filepath.Join(dir, "libvirt-sock"), rack.Bridge)
}

// libvirtScript runs libvirtd with files of its own: nothing of the host's
// libvirt is seen, and nothing is written there.
const libvirtScript = `
mount -t tmpfs tmpfs /run && mkdir -p /run/libvirt /run/u /run/w "$1/libvirt" || exit 1
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc || exit 1
mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/libvirt && mount --bind "$1/libvirt" /var/lib/libvirt && mount -t tmpfs tmpfs /var/log && mount -t tmpfs tmpfs /var/cache && mkdir -p /etc/libvirt || exit 1
grep -q ^libvirt-qemu: /etc/passwd || echo 'libvirt-qemu:x:64055:64055::/:/bin/false' >>/etc/passwd
grep -q ^libvirt-qemu: /etc/group || echo 'libvirt-qemu:x:64055:' >>/etc/group
printf 'unix_sock_rw_perms = "0700"\nauth_unix_rw = "none"\nlog_outputs = "3:stderr"\n' >/etc/libvirt/libvirtd.conf
printf 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = "file"\n' >/etc/libvirt/qemu.conf
/usr/sbin/libvirtd -f /etc/libvirt/libvirtd.conf &
wait
`

// hypervisor starts libvirtd in the world, with QEMU's emulation. It ends with
// the world.
func (d *healDay) hypervisor(ctx context.Context) error {
	out, err := os.Create(filepath.Join(d.dir, "libvirtd.log"))
	if err != nil {
		return err
	}
	defer out.Close()                                                                                                                    //nolint:errcheck // a duplicate; libvirtd has its own
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", libvirtScript, "sh", d.dir) //nolint:noctx // ends with the world
	cmd.Env, cmd.Stdout, cmd.Stderr = rack.Environ(), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start libvirtd: %w", err)
	}
	socket := ""
	err = d.until(ctx, time.Minute, "libvirtd listens", func() (bool, error) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		fields := strings.Fields(string(b))
		if err != nil || len(fields) == 0 {
			return false, nil //nolint:nilerr // not yet
		}
		socket = "/proc/" + fields[0] + "/root/run/libvirt/libvirt-sock"
		return exists(socket), nil
	})
	if err != nil {
		b, _ := os.ReadFile(out.Name())
		return errors.Join(err, fmt.Errorf("libvirtd said: %s", b))
	}
	return os.Symlink(socket, filepath.Join(d.dir, "libvirt-sock"))
}
