package rack_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"appliance/rack"
)

// A host that already runs need not be a machine: here it is a Debian with a
// systemd of its own, in namespaces and a control group, connected to the
// rack's bridge. To the appliance it is an address with an SSH server.

// boxScript is the life of such a host: $1 is its folder, $2 its control group.
// What could change the kernel that all share is read-only or not permitted.
const boxScript = `
set -e
root=$1/root
mount --make-rprivate /
mkdir -p "$1/rw" "$root"
mount -t tmpfs tmpfs "$1/rw"
mkdir "$1/rw/u" "$1/rw/w"
mount -t overlay overlay -o "lowerdir=$1/own:$1/../debian,upperdir=$1/rw/u,workdir=$1/rw/w" "$root"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for d in null zero random urandom full tty; do touch "$root/dev/$d"; mount --bind "/dev/$d" "$root/dev/$d"; done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/net"
touch "$root/dev/net/tun"
mount --bind /dev/net/tun "$root/dev/net/tun"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
hostname "$(basename "$1")"
ip link set lo up
while ! ip link show host0 >/dev/null 2>&1; do sleep 0.1; done
export container=rack
exec setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio chroot "$root" /lib/systemd/systemd --log-target=journal --show-status=0
`

// box is such a host.
type box struct {
	name  string
	cmd   *exec.Cmd
	group string
}

// boxes starts hosts number numbers; they have the same addresses, names and
// keys as those that are machines.
func (d *healDay) boxes(ctx context.Context, numbers ...int) error {
	groups := filepath.Join(d.dir, "cgroup")
	if err := os.MkdirAll(groups, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("cgroup2", groups, "cgroup2", 0, ""); err != nil {
		return fmt.Errorf("mount control groups: %w", err)
	}
	if err := d.debian(ctx); err != nil {
		return err
	}
	for _, n := range numbers {
		if err := d.box(n, groups); err != nil {
			return fmt.Errorf("host %d: %w", n, err)
		}
	}
	return nil
}

// debian takes the files out of the image.
func (d *healDay) debian(ctx context.Context) error {
	image := os.Getenv("APPLIANCE_IMAGE")
	_, at, err := rootOf(image)
	if err != nil {
		return err
	}
	base := filepath.Join(d.dir, "debian")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "debugfs", "-R", "rdump / "+base, fmt.Sprintf("%s?offset=%d", image, at))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("take the files out of the image: %w: %s", err, out)
	}
	return nil
}

func (d *healDay) box(n int, groups string) (err error) {
	name := fmt.Sprintf("box%d", n+1)
	dir := filepath.Join(d.dir, name)
	key, err := os.ReadFile(filepath.Join(d.dir, "operator.pub"))
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(filepath.Join(d.dir, "data", "ca", "ca.pem"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	own := map[string]string{
		"etc/hostname":                        name + "\n",
		"etc/systemd/network/05-br0.netdev":   "[NetDev]\nName=br0\nKind=bridge\n",
		"etc/systemd/network/05-host.network": "[Match]\nName=host0\n[Network]\nBridge=br0\n",
		"etc/systemd/network/06-br0.network":  fmt.Sprintf("[Match]\nName=br0\n[Network]\nAddress=%s/24\nIPv6AcceptRA=no\n", hostAddr(n)),
		"etc/apt/sources.list.d/host.list":    fmt.Sprintf("deb [trusted=yes] https://%s:8443/packages/ /\n", rack.Addr()),
		"etc/apt/apt.conf.d/95host":           "Acquire::https::CAInfo \"/etc/appliance-ca.pem\";\n",
		"etc/appliance-ca.pem":                string(ca),
		"root/.ssh/authorized_keys":           string(key),
	}
	for path, text := range own {
		p := filepath.Join(dir, "own", path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(dir, "own", "root", ".ssh"), 0o700); err != nil {
		return err
	}
	b := &box{name: name}
	if b.group, err = os.MkdirTemp(groups, "rack-box-"); err != nil {
		return err
	}
	d.running, d.after = append(d.running, b), append(d.after, b.end)
	group, err := os.Open(b.group)
	if err != nil {
		return err
	}
	defer group.Close() //nolint:errcheck // it is only named
	log, err := os.Create(filepath.Join(d.dir, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()                                                                                                                                                      //nolint:errcheck // a duplicate; the host has its own
	b.cmd = exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "--uts", "--ipc", "--cgroup", "sh", "-c", boxScript, "sh", dir) //nolint:noctx // ends by end or with the world
	b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr = rack.Environ(), log, log
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, UseCgroupFD: true, CgroupFD: int(group.Fd())}
	if err := b.cmd.Start(); err != nil {
		return err
	}
	return b.connect(n)
}

// connect puts a network card of the rack's bridge into the host.
func (b *box) connect(n int) error {
	bridge, err := netlink.LinkByName(rack.Bridge)
	if err != nil {
		return err
	}
	pair := &netlink.Veth{PeerName: "host0"}
	pair.Name = fmt.Sprintf("box%d", n)
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("add its network card: %w", err)
	}
	peer, err := netlink.LinkByName(pair.PeerName)
	if err != nil {
		return err
	}
	return errors.Join(netlink.LinkSetMaster(pair, bridge), netlink.LinkSetUp(pair), b.moveIn(peer))
}

// moveIn waits until unshare has made the host's network, and moves the card there.
func (b *box) moveIn(card netlink.Link) error {
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	for range 600 {
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", b.cmd.Process.Pid))
		if err != nil {
			return err
		}
		if theirs != ours {
			return netlink.LinkSetNsPid(card, b.cmd.Process.Pid)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("it has no network of its own")
}

// end kills the host and removes its control groups.
func (b *box) end() error {
	if b.cmd != nil && b.cmd.Process != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
	}
	var last error
	for range 100 {
		if last = removeGroups(b.group); last == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond) // until the last of its processes is gone
	}
	return last
}

// removeGroups removes a control group with all below it.
func removeGroups(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeGroups(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove control group %s: %w", dir, err)
	}
	return nil
}
