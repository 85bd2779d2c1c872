package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

const netboot6Config = `data: %s
interface: br0
subnets:
  - {name: rack, prefix: 10.77.0.0/24, mode: "off"}
  - name: six
    prefix: "fd77::/64"
    first: "fd77::1:0"
    last: "fd77::1:ff"
    discover: true
    advertise: {managed: true, other: true}
accept:
  - {name: six, subnet: "fd77::/64"}
`

// TestNetboot6 boots a UEFI machine that speaks nothing but IPv6, from the
// firmware's DHCPv6 to the agent's, its inventory and its acceptance, until it
// is ready: "make netboot6" runs it, with the binary that is shipped, in a
// network namespace. No advertisement lets hosts make addresses of their own.
func TestNetboot6(t *testing.T) {
	bin := os.Getenv("APPLIANCE_BIN")
	if os.Getenv("NETBOOT6") == "" || bin == "" {
		t.Skip("boots a machine in QEMU; make netboot6 runs it")
	}
	if os.Getenv("NETBOOT6") == "outside" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestNetboot6$", "-test.v", "-test.timeout", "15m") //nolint:gosec // this very test
		cmd.Env = append(os.Environ(), "NETBOOT6=inside")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("in a namespace: %v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	for _, line := range []string{
		"link set lo up", "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0", "addr add 10.77.0.1/24 dev br0",
		"addr add fd77::1/64 dev br0 nodad", "link set br0 up", "tuntap add tap0 mode tap", "link set tap0 master br0 up",
	} {
		if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil { //nolint:gosec // the lines above
			t.Fatalf("ip %s: %v\n%s", line, err, out)
		}
	}
	conf, data := filepath.Join(dir, "appliance.yaml"), filepath.Join(dir, "data")
	write(t, conf, fmt.Sprintf(netboot6Config, data))
	vars, err := os.ReadFile("/usr/share/OVMF/OVMF_VARS_4M.fd")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "vars.fd"), string(vars))
	disk := filepath.Join(dir, "disk")
	write(t, disk, "")
	if err := os.Truncate(disk, 256<<20); err != nil {
		t.Fatal(err)
	}
	start(t, filepath.Join(dir, "serve.log"), bin, "serve", "--config", conf)
	start(t, filepath.Join(dir, "qemu.log"), "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "512", "-M", "q35",
		"-nodefaults", "-no-user-config", "-display", "none",
		"-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "-drive", "if=pflash,format=raw,file="+filepath.Join(dir, "vars.fd"),
		"-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=no",
		"-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:66:00:01,romfile=,bootindex=1",
		"-drive", "if=none,id=d0,format=raw,file="+filepath.Join(dir, "disk"), "-device", "virtio-blk-pci,drive=d0,serial=SIX",
		"-device", "virtio-rng-pci", "-serial", "file:"+filepath.Join(dir, "console.log"))
	defer func() {
		if t.Failed() {
			for _, name := range []string{"serve.log", "qemu.log", "console.log"} {
				b, _ := os.ReadFile(filepath.Join(dir, name)) // it may not be there
				t.Logf("%s:\n%s", name, b)
			}
		}
	}()
	told := false
	for begin := time.Now(); ; time.Sleep(2 * time.Second) {
		m, ok := inventoried(t.Context(), bin, data)
		if ok && !told {
			told = true
			t.Logf("%s is inventoried after %s; leases %v", m.Name, time.Since(begin).Round(time.Second), m.Leases)
		}
		if ok && m.Phase == pool.Ready {
			t.Logf("ready after %s, at %s", time.Since(begin).Round(time.Second), m.Address)
			if len(m.Leases) != 1 || !m.Leases[0].Address.Is6() || m.Address != m.Leases[0].Address {
				t.Errorf("address %s, leases %v, want one of IPv6 that the agent has, too", m.Address, m.Leases)
			}
			return
		}
		if time.Since(begin) > 12*time.Minute {
			t.Fatalf("inventoried %t, phase %s: %s", ok, m.Phase, m.Sentence)
		}
	}
}

// start runs a program until the test ends.
func start(t *testing.T, log string, arg ...string) {
	t.Helper()
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(arg[0], arg[1:]...) //nolint:gosec,noctx // constants of this file; ended below
	cmd.Stdout, cmd.Stderr = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = f.Close()
	})
}

// inventoried returns the machine once its agent has told what it is made of.
func inventoried(ctx context.Context, bin, data string) (wire.Machine, bool) {
	cmd := exec.CommandContext(ctx, bin, "machine", "list", "-o", "json", "--server", "https://127.0.0.1:8443",
		"--ca", filepath.Join(data, "ca", "ca.pem"), "--token-file", filepath.Join(data, "admin.token"))
	out, err := cmd.Output()
	if err != nil {
		return wire.Machine{}, false
	}
	var all []wire.Machine
	if json.Unmarshal(out, &all) != nil || len(all) != 1 || all[0].Facts == nil {
		return wire.Machine{}, false
	}
	return all[0], true
}
