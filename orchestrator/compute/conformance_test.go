package compute_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"appliance/orchestrator/compute"
	"appliance/orchestrator/compute/drivertest"
	"appliance/pool"
)

// machineOf returns a machine of the pool.
func machineOf(id string, d pool.Driver, p pool.Phase, cores int) pool.Machine {
	return pool.Machine{ID: id, Name: id, Driver: d, Phase: p, Facts: &pool.Facts{Arch: pool.AMD64, CPU: pool.CPU{Cores: cores}, Memory: 8 << 30,
		Disks: []pool.Disk{{Name: "sda", Serial: "S" + id, Size: 100 << 30, Type: "ssd"}}}}
}

func mixed() []pool.Machine {
	return []pool.Machine{
		machineOf("m1", pool.DriverMetal, pool.Ready, 4), machineOf("m2", pool.DriverMetal, pool.Active, 4), machineOf("m3", pool.DriverMetal, pool.Ready, 1),
		machineOf("h1", pool.DriverSSH, pool.Active, 4), machineOf("h2", pool.DriverSSH, pool.Ready, 4), machineOf("h3", pool.DriverSSH, pool.Enrolled, 4),
		machineOf("v1", pool.DriverVM, pool.Active, 1),
	}
}

func templates(d pool.Driver) (fits, never pool.Template) {
	return pool.Template{Name: "T", Cores: 2, Drivers: []pool.Driver{d}}, pool.Template{Name: "N", Cores: 512, Drivers: []pool.Driver{d}}
}

func TestFake(t *testing.T) {
	drivertest.Run(t, func(*testing.T) drivertest.Rig {
		f := &drivertest.Fake{Driver: pool.DriverSSH}
		r := drivertest.Rig{Driver: f, Pool: mixed(), Machine: machineOf("a", pool.DriverSSH, pool.Reserved, 1), Other: machineOf("b", pool.DriverSSH, pool.Reserved, 1),
			Up: []string{"up"}, Down: []string{"down"}, Left: f.Left}
		r.Fits, r.Never = templates(pool.DriverSSH)
		return r
	})
}

func TestMetal(t *testing.T) {
	drivertest.Run(t, func(*testing.T) drivertest.Rig {
		r := drivertest.Rig{Driver: compute.Metal{}, Pool: mixed(), Machine: machineOf("a", pool.DriverMetal, pool.Reserved, 1), Other: machineOf("b", pool.DriverMetal, pool.Reserved, 1)}
		r.Fits, r.Never = templates(pool.DriverMetal)
		return r
	})
}

// standIn is an agent in sh: it does what push needs of one.
const standIn = `#!/bin/sh
case "$1" in
offer) mkdir -p "$APPLIANCE_AGENT_HOME/etc"; echo CSR;;
adopt) cat >"$APPLIANCE_AGENT_HOME/etc/identity.json";;
run) while :; do sleep 1; done;;
esac
`

// TestHosts runs the suite on the appliance's own host: the same scripts that
// run over SSH, with an agent that is a script.
func TestHosts(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) drivertest.Rig {
		dir := filepath.Join(t.TempDir(), "it's a host") // a name that has to be quoted
		h := compute.Hosts{Local: dir, Server: "https://127.0.0.1:8443",
			Agent: func(pool.Arch) ([]byte, error) { return []byte(standIn), nil },
			Identity: func(_ context.Context, m pool.Machine, csr string) ([]byte, error) {
				if csr != "CSR\n" {
					return nil, fmt.Errorf("request %q", csr)
				}
				return []byte(m.ID), nil
			}}
		left := func(m pool.Machine) []string {
			out, err := filepath.Glob(filepath.Join(dir, m.ID, "*"))
			if err != nil {
				t.Fatal(err)
			}
			out = slices.DeleteFunc(out, func(p string) bool { return filepath.Base(p) == "log" }) // it comes when the agent starts
			for _, p := range processes(t, filepath.Join(dir, m.ID)+"/") {
				out = append(out, "process "+strings.TrimPrefix(p, "setsid "))
			}
			return out
		}
		host := func(id string) pool.Machine {
			m := machineOf(id, pool.DriverSSH, pool.Reserved, 1)
			m.Login = &pool.Login{}
			return m
		}
		r := drivertest.Rig{Driver: h, Pool: mixed(), Machine: host("m-a"), Other: host("m-b"),
			Up: []string{compute.StepConnect, compute.StepPush}, Down: []string{compute.StepClean}, Left: left}
		r.Fits, r.Never = templates(pool.DriverSSH)
		t.Cleanup(func() {
			for _, m := range []pool.Machine{r.Machine, r.Other} {
				if _, err := h.Do(context.Background(), pool.Job{Step: compute.StepClean, Machine: m}); err != nil {
					t.Error(err)
				}
			}
		})
		return r
	})
}

// processes lists the command lines that name a folder, without their PIDs:
// a shell that forks just now is one.
func processes(t *testing.T, dir string) (out []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if b, err := os.ReadFile(p); err == nil && strings.Contains(string(b), dir+"loop") {
			out = append(out, strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// haltingKernel is the smallest thing that QEMU takes for a Linux kernel: it
// stops the processor.
func haltingKernel() []byte {
	k := make([]byte, 4096)
	k[0x1f1] = 1                                      // setup_sects
	copy(k[0x1fe:], []byte{0x55, 0xaa, 0xeb, 0x62})   // boot flag; jump over the header
	copy(k[0x202:], []byte{'H', 'd', 'r', 'S', 4, 2}) // magic, protocol 2.04
	copy(k[0x264:], []byte{0xfa, 0xf4, 0xeb, 0xfd})   // cli; hlt; again
	copy(k[0x22c:], []byte{0xff, 0xff, 0xff, 0x37})   // initrd_addr_max
	return k
}

// startLibvirt starts a libvirtd of its own, in namespaces that end with the
// test, and returns its socket and where its disks are. remote, when it is not
// empty, is a script that runs before, and libvirtd listens on a port, too.
func startLibvirt(t *testing.T, remote string) (socket, disks string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a dozen virtual machines; make test runs it")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root for namespaces; make test runs it as root")
	}
	for _, f := range []string{"/usr/sbin/libvirtd", "/usr/bin/qemu-system-x86_64"} {
		if _, err := os.Stat(f); err != nil {
			t.Skipf("needs %s; scripts/prepare.sh installs it", f)
		}
	}
	script := `
mount -t tmpfs tmpfs /run && mkdir -p /run/libvirt /run/u /run/w /run/v /run/x || exit 1
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc || exit 1
mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /var/log && mount -t tmpfs tmpfs /var/cache && mkdir -p /var/lib/libvirt /etc/libvirt || exit 1
echo 'libvirt-qemu:x:64055:64055::/:/bin/false' >>/etc/passwd
echo 'libvirt-qemu:x:64055:' >>/etc/group
ip link set lo up
printf 'unix_sock_rw_perms = "0700"\nauth_unix_rw = "none"\nlog_outputs = "4:stderr"\n' >/etc/libvirt/libvirtd.conf
printf 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = "file"\n' >/etc/libvirt/qemu.conf
` + remote + `
/usr/sbin/libvirtd $LISTEN -f /etc/libvirt/libvirtd.conf & # not as PID 1: that has to wait for orphans
wait
`
	network := "--net"
	if remote != "" {
		network = "--ipc" // it has to be reached
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", network, "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 600 {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		if fields := strings.Fields(string(b)); err == nil && len(fields) > 0 {
			root := "/proc/" + fields[0] + "/root"
			if _, err := os.Stat(root + "/run/libvirt/libvirt-sock"); err == nil {
				return root + "/run/libvirt/libvirt-sock", root + "/var/lib/libvirt/appliance"
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("libvirtd does not listen")
	return "", ""
}

// TestVMs runs the suite against a real libvirtd with QEMU's emulation.
func TestVMs(t *testing.T) {
	socket, disks := startLibvirt(t, "")
	vmSuite(t, compute.Hypervisor{Name: "local", Socket: socket, Cores: 8, Memory: 8 << 30}, disks)
	t.Run("power", func(t *testing.T) { vmPower(t, socket, disks) })
}

// TestVMsRemote runs the suite against a libvirtd that is reached over TLS, with
// the certificates that the shipped recipe "hypervisor" makes; others are refused.
func TestVMsRemote(t *testing.T) {
	scripts, err := filepath.Abs("../../recipes/shipped/hypervisor")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(address, ":")
	_, disks := startLibvirt(t, fmt.Sprintf(`
mkdir -p /etc/libvirt/appliance && cd %[1]s && bash %[2]s/hypervisor_certificates.sh 127.0.0.1 >certificates.log 2>&1 || exit 1
bash %[2]s/hypervisor_certificates.sh 127.0.0.1 >again.log 2>&1 || exit 1
printf 'listen_tls = 1\nlisten_tcp = 0\nlisten_addr = "127.0.0.1"\ntls_port = "%[3]s"\nauth_tls = "none"\nca_file = "/etc/libvirt/appliance/ca.pem"\n' >>/etc/libvirt/libvirtd.conf
printf 'cert_file = "/etc/libvirt/appliance/server.pem"\nkey_file = "/etc/libvirt/appliance/server.key"\n' >>/etc/libvirt/libvirtd.conf
LISTEN=--listen
`, work, scripts, port))
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(work, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if again := read("again.log"); !strings.Contains(again, "are there") {
		t.Errorf("certificates were made twice: %s", again)
	}
	if _, err := os.Stat(filepath.Join(work, "pki", "ca.key")); !os.IsNotExist(err) {
		t.Errorf("the CA's key is kept: %v", err)
	}
	h := compute.Hypervisor{Name: "local", Cores: 8, Memory: 8 << 30, Remote: &compute.Remote{
		Address: address, CA: read("pki/ca.pem"), Certificate: read("pki/client.pem"), Key: pool.NewSecret(read("pki/client.key"))}}
	vmSuite(t, h, disks)
	t.Run("another certificate is refused", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), "openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1 client",
			"-keyout", filepath.Join(work, "other.key"), "-out", filepath.Join(work, "other.pem")).CombinedOutput()
		if err != nil {
			t.Fatalf("openssl: %v: %s", err, out)
		}
		other := *h.Remote
		other.Certificate, other.Key = read("other.pem"), pool.NewSecret(read("other.key"))
		h.Remote = &other
		v := compute.VMs{Hypervisors: []compute.Hypervisor{h}}
		if p, err := v.PowerState(t.Context(), pool.BMC{Host: "local", GUID: compute.DomainGUID("m-a")}); err == nil {
			t.Errorf("with a certificate of nobody's: %s", p)
		}
	})
}

// vmSuite runs the suite against a libvirtd.
func vmSuite(t *testing.T, local compute.Hypervisor, disks string) {
	full := local
	full.Name, full.Cores = "full", 1
	drivertest.Run(t, func(t *testing.T) drivertest.Rig {
		v := compute.VMs{Hypervisors: []compute.Hypervisor{full}, More: func() []compute.Hypervisor { return []compute.Hypervisor{local} },
			Boot: func(context.Context, pool.Machine) ([]byte, []byte, error) {
				return haltingKernel(), []byte("initramfs with a token"), nil
			}}
		made := func(id string) pool.Machine {
			m := machineOf(id, pool.DriverVM, pool.Reserved, 1)
			m.Host, m.MACs, m.Facts.Memory = "local", []pool.MAC{compute.DomainMAC(id)}, 128<<20
			m.BMC = &pool.BMC{Protocol: compute.ProtocolLibvirt, Host: "local", GUID: compute.DomainGUID(id)}
			return m
		}
		left := func(m pool.Machine) []string {
			out, err := filepath.Glob(filepath.Join(disks, m.ID+".*"))
			if err != nil {
				t.Fatal(err)
			}
			on, err := v.PowerState(t.Context(), *m.BMC)
			if err != nil {
				t.Fatal(err)
			}
			if on == pool.PowerOn {
				out = append(out, "power on")
			}
			return out
		}
		r := drivertest.Rig{Driver: v, Pool: mixed(), Machine: made("m-a"), Other: made("m-b"),
			Up: []string{compute.StepDefine, compute.StepStart}, Down: []string{compute.StepUndefine}, Left: left}
		r.Fits, r.Never = templates(pool.DriverVM)
		return r
	})
}

// vmPower: off is proved by libvirt, not taken for granted; the one-time
// token is gone once the disk starts.
func vmPower(t *testing.T, socket, disks string) {
	v := compute.VMs{Hypervisors: []compute.Hypervisor{{Name: "local", Socket: socket, Cores: 8, Memory: 8 << 30}},
		Boot: func(context.Context, pool.Machine) ([]byte, []byte, error) {
			return haltingKernel(), []byte("token"), nil
		}}
	m := machineOf("m-p", pool.DriverVM, pool.Reserved, 1)
	m.Host, m.MACs, m.Facts.Memory = "local", []pool.MAC{compute.DomainMAC("m-p")}, 128<<20
	b := pool.BMC{Protocol: compute.ProtocolLibvirt, Host: "local", GUID: compute.DomainGUID("m-p")}
	expect := func(when string, want pool.Power) {
		t.Helper()
		if got, err := v.PowerState(t.Context(), b); err != nil || got != want {
			t.Errorf("%s it is %s, %v; want %s", when, got, err, want)
		}
	}
	do := func(step string) {
		t.Helper()
		if _, err := v.Do(t.Context(), pool.Job{Step: step, Machine: m}); err != nil {
			t.Fatal(err)
		}
	}
	expect("before it is made", pool.PowerOff)
	do(compute.StepDefine)
	expect("with the agent in RAM", pool.PowerOn)
	if _, err := os.Stat(filepath.Join(disks, "m-p.initrd")); err != nil {
		t.Errorf("initramfs: %v", err)
	}
	do(compute.StepStart)
	expect("from its disk", pool.PowerOn)
	if _, err := os.Stat(filepath.Join(disks, "m-p.initrd")); !os.IsNotExist(err) {
		t.Errorf("the one-time token is still there: %v", err)
	}
	for _, a := range []struct {
		do   pool.PowerAction
		want pool.Power
	}{{pool.DoPowerOff, pool.PowerOff}, {pool.DoPowerOff, pool.PowerOff}, {pool.DoPowerOn, pool.PowerOn}, {pool.DoPowerCycle, pool.PowerOn}, {pool.DoPowerOff, pool.PowerOff}} {
		if err := v.SetPower(t.Context(), b, a.do); err != nil {
			t.Fatalf("%s: %v", a.do, err)
		}
		expect("after "+string(a.do), a.want)
	}
	b.Host = "elsewhere"
	if got, err := v.PowerState(t.Context(), b); err == nil || got != pool.PowerUnknown {
		t.Errorf("a hypervisor that nobody knows says %s, %v: that is no proof", got, err)
	}
	do(compute.StepUndefine)
}
