package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/u-root/u-root/pkg/cpio"

	"appliance/api/wire"
	"appliance/pool"
)

// TestPID1 boots the agent as PID 1 of the boot kit's kernel in QEMU, by
// direct boot and QEMU's own DHCP, and has it inventory the machine, wipe its
// disk, write an image onto it and make it this machine's.
func TestPID1(t *testing.T) {
	kernel, initrd := "../images/kit/data/vmlinuz", "../images/kit/data/initrd.zst"
	for _, need := range []string{"qemu-system-x86_64", "mke2fs", "debugfs", "sgdisk", "ipmi_sim", "ipmitool"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("%s is not installed; make test installs it", need)
		}
	}
	if _, err := os.Stat(initrd); err != nil || testing.Short() {
		t.Skip("needs the boot kit (make kit) and a minute")
	}
	f := newFakeAppliance(t)
	f.accept = true
	dir := t.TempDir()
	f.setImage(bootImage(t, dir))
	disk := filepath.Join(dir, "disk.raw")
	ones(t, disk, 192<<20)
	ports := startBMC(t, dir)
	vm := startVM(t, dir, kernel, vmInitrd(t, dir, initrd, f), disk, ports)

	facts := want[pool.Facts](t, f.run("op/facts/1", pool.TaskFacts, nil))
	if len(facts.Disks) != 1 || facts.Disks[0].Serial != "D1SERIAL" || facts.Disks[0].Type != "virtio" || facts.Disks[0].ByID != "virtio-D1SERIAL" ||
		len(facts.NICs) != 1 || facts.NICs[0].Driver != "virtio_net" || facts.Memory != 512<<20 || facts.CPU.Threads != 1 {
		b, _ := json.MarshalIndent(facts, "", " ")
		t.Errorf("facts: %s", b)
	}
	if f.hellos[0].Facts == nil || f.hellos[0].MAC.String() != "52:54:00:00:00:01" || f.hellos[0].Mode != pool.InRAM {
		t.Errorf("first hello: %+v", f.hellos[0])
	}
	// 16 bytes: ipmi_sim takes one of 20 in-band and then refuses it over lanplus.
	user := pool.BMCUserParams{User: "appliance", Password: "p0123456789abcde"}
	r := want[pool.BMCUserResult](t, f.run("op/bmc-user/1", pool.TaskBMCUser, user))
	if r.Facts == nil || r.UserID != 3 || r.Facts.Address.String() != "10.77.0.10" || r.Facts.MAC.String() != "02:00:00:00:bc:01" {
		t.Errorf("BMC user: %+v %+v", r, r.Facts)
	}
	command(t, "ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", ports.lan, "-U", user.User, "-P", user.Password, "mc", "info")
	wiped := want[pool.WipeResult](t, f.run("op/wipe/1", pool.TaskWipe, pool.WipeParams{Serials: []string{"D1SERIAL"}}))
	t.Logf("wiped by %s", wiped.Wiped[0].Method)
	res := want[pool.ImageResult](t, f.run("op/image/1", pool.TaskImage, pool.ImageParams{Image: "debian", Digest: f.image.Digest,
		Machine: "m-1", Hostname: "node-1", Epoch: 3}))
	t.Logf("image: %+v", res)
	want[any](t, f.run("op/power-off/1", pool.TaskPowerOff, nil))
	if err := vm.Wait(); err != nil {
		t.Errorf("QEMU: %v", err)
	}
	console := strings.Join(f.consoleLines(), "\n")
	for _, line := range []string{"Linux version", "agent starts", "ready for tasks", "image written"} {
		if !strings.Contains(console, line) {
			t.Errorf("the console that was sent has no %q:\n%s", line, console)
		}
	}
	checkInstalled(t, disk)
}

// bootImage makes a disk image with a GPT and an ext4 root.
func bootImage(t *testing.T, dir string) []byte {
	tree, img := filepath.Join(dir, "tree"), filepath.Join(dir, "image.raw")
	for _, d := range []string{"etc/ssh", "etc/ssl/certs", "usr/local/bin", "var"} {
		if err := os.MkdirAll(filepath.Join(tree, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(img, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(img, 96<<20); err != nil {
		t.Fatal(err)
	}
	command(t, "sgdisk", "-n", "1:2048:4095", "-t", "1:ef02", "-n", "2:4096:0", "-c", "2:root", img)
	command(t, "mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", tree, "-E", "offset=2097152", img, "80M")
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// ones makes a disk that holds nothing but 0xff.
func ones(t testing.TB, path string, size int) {
	t.Helper()
	if err := os.WriteFile(path, bytes.Repeat([]byte{0xff}, size), 0o600); err != nil {
		t.Fatal(err)
	}
}

// vmInitrd is the kit's initramfs and a second one whose /init is the agent of
// this source tree.
func vmInitrd(t *testing.T, dir, base string, f *fakeAppliance) string {
	bin := filepath.Join(dir, "agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=test", "-o", bin, "appliance/cmd/appliance-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build agent: %v\n%s", err, out)
	}
	agent, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(f.srv.URL, "https://"), ":")
	boot, err := json.Marshal(wire.BootConfig{Server: "https://10.0.2.2:" + port, CA: f.pem, MAC: pool.MAC{0x52, 0x54, 0, 0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	initrd, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.NewBuffer(append(initrd, make([]byte, -len(initrd)&511)...))
	w := cpio.Newc.Writer(out)
	if err := cpio.WriteRecords(w, []cpio.Record{
		cpio.StaticFile("init", string(agent), 0o755),
		cpio.Directory("etc", 0o755), cpio.Directory("etc/appliance", 0o755),
		cpio.StaticFile("etc/appliance/boot.json", string(boot), 0o600),
	}); err != nil {
		t.Fatal(err)
	}
	if err := cpio.WriteTrailer(w); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "initrd")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// bmcPorts are where the simulated BMC listens, on loopback.
type bmcPorts struct{ lan, kcs string }

// startBMC starts OpenIPMI's simulator with one user.
func startBMC(t *testing.T, dir string) bmcPorts {
	free := func(network string) string {
		var addr net.Addr
		if network == "udp" {
			c, err := new(net.ListenConfig).ListenPacket(t.Context(), network, "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			addr = c.LocalAddr()
			_ = c.Close()
		} else {
			l, err := new(net.ListenConfig).Listen(t.Context(), network, "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			addr = l.Addr()
			_ = l.Close()
		}
		_, port, _ := net.SplitHostPort(addr.String())
		return port
	}
	p := bmcPorts{free("udp"), free("tcp")}
	const auths = "none md2 md5 straight\n"
	tree(t, dir, map[string]string{
		"lan.conf": "name \"bmc\"\nset_working_mc 0x20\nstartlan 1\n addr 127.0.0.1 " + p.lan + "\n priv_limit admin\n allowed_auths_callback " + auths +
			" allowed_auths_user " + auths + " allowed_auths_operator " + auths + " allowed_auths_admin " + auths +
			" guid a123456789abcdefa123456789000001\n lan_config_program \"" + dir + "/lancfg\"\nendlan\nserial 15 127.0.0.1 " + p.kcs +
			" codec VM\nuser 1 true \"\" \"\" callback 10\nuser 2 true \"admin\" \"secret\" admin 10 " + auths,
		"emu": "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n",
		"lancfg": "#!/bin/bash\ncase \" $* \" in *\" get \"*|*\" check \"*) for p in \"$@\"; do case $p in\nip_addr) echo ip_addr:10.77.0.10;;\nip_addr_src) echo ip_addr_src:static;;\n" +
			"mac_addr) echo mac_addr:02:00:00:00:bc:01;;\nsubnet_mask) echo subnet_mask:255.255.255.0;;\ndefault_gw_ip_addr|backup_gw_ip_addr) echo $p:0.0.0.0;;\n" +
			"default_gw_mac_addr|backup_gw_mac_addr) echo $p:00:00:00:00:00:00;;\nesac; done;; esac\n",
		"bmc-state/x": "",
	})
	if err := os.Chmod(filepath.Join(dir, "lancfg"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sim := exec.CommandContext(ctx, "ipmi_sim", "-n", "-c", dir+"/lan.conf", "-f", dir+"/emu", "-s", dir+"/bmc-state")
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = sim.Wait() })
	return p
}

func startVM(t *testing.T, dir, kernel, initrd, disk string, bmc bmcPorts) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	console := filepath.Join(dir, "console.log")
	vm := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "512", "-nographic", "-no-reboot",
		"-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=1",
		"-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,mac=52:54:00:00:00:01,romfile=",
		"-drive", "file="+disk+",format=raw,if=none,id=d,cache=unsafe,discard=unmap", "-device", "virtio-blk-pci,drive=d,serial=D1SERIAL",
		"-chardev", "socket,id=ipmi,host=127.0.0.1,port="+bmc.kcs+",reconnect=1", "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi",
		"-device", "isa-ipmi-kcs,bmc=bmc0,ioport=0xca2,irq=5",
		"-serial", "file:"+console, "-monitor", "none")
	if err := vm.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = vm.Wait() // a second time when the test has waited
		b, _ := os.ReadFile(console)
		t.Logf("console:\n%s", b)
	})
	return vm
}

func checkInstalled(t *testing.T, disk string) {
	t.Helper()
	d, err := OpenFileDisk(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if out := command(t, "sgdisk", "-v", disk); !strings.Contains(out, "No problems found") {
		t.Errorf("partition table: %s", out)
	}
	part := filepath.Join(t.TempDir(), "root")
	b := make([]byte, d.Size()-2<<20)
	if _, err := d.ReadAt(b, 2<<20); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/etc/hostname":                   "node-1\n",
		"/etc/appliance/identity.json":    `"machine": "m-1"`,
		"/etc/systemd/system/" + unitName: "appliance-agent run",
	} {
		if got := command(t, "debugfs", "-R", "cat "+name, part); !strings.Contains(got, want) {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	if out := command(t, "debugfs", "-R", "stat /usr/local/bin/appliance-agent", part); !strings.Contains(out, "Mode:  0755") {
		t.Errorf("the installed agent: %s", out)
	}
	command(t, "e2fsck", "-f", "-n", part)
}
