package ipmi_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/ipmi"
	"appliance/pool"
)

// chassisProgram keeps the power of a machine in a file: what ipmi_sim calls.
const chassisProgram = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
shift # the management controller
op=$1; shift
case $op in
get|check) for p in "$@"; do case $p in
	power) echo "power:$(cat power)";;
	boot) echo "boot:$(cat boot)";;
	*) [ $op = check ] || echo "$p:0";;
	esac; done;;
set) while [ $# -ge 1 ]; do p=$1 v=$2; shift; shift; case $p in
	power) echo "$v" > power;;
	reset) echo reset >> orders;;
	shutdown) echo 0 > power; echo shutdown >> orders;;
	boot) echo "$v" > boot;;
	esac; done;;
esac
exit 0
`

// sim starts Debian's ipmi_sim on a loopback port and returns its folder.
func sim(t *testing.T) (string, pool.BMC) {
	t.Helper()
	program, err := exec.LookPath("ipmi_sim")
	if err != nil {
		t.Skip("needs ipmi_sim of the package openipmi; make test installs it")
	}
	dir := t.TempDir()
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	chassis := filepath.Join(dir, "chassis")
	conf := fmt.Sprintf(`name "test"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 %d
  priv_limit admin
  allowed_auths_callback none md2 md5 straight
  allowed_auths_user none md2 md5 straight
  allowed_auths_operator none md2 md5 straight
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789000001
endlan
chassis_control "%s 0x20"
user 1 true "" "" callback 10
user 2 true "admin" "%s" admin 10 none md2 md5 straight
`, port, chassis, password)
	const emu = "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nsel_enable 0x20 1000 0x0a\nmc_enable 0x20\n"
	for name, text := range map[string]string{"chassis": chassisProgram, "lan.conf": conf, "emu": emu, "power": "0\n", "boot": "default\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "-n", "-c", filepath.Join(dir, "lan.conf"), "-f", filepath.Join(dir, "emu"), "-s", dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // t.Context has ended, so the process is being killed
		if _ = cmd.Wait(); t.Failed() {
			t.Logf("ipmi_sim said: %s", out.String())
		}
	})
	return dir, pool.BMC{Address: netip.MustParseAddr("127.0.0.1"), Port: port, User: "admin", Password: pool.NewSecret(password)}
}

// TestSim drives a BMC that others wrote: it knows cipher suite 3 only, and
// calls a program for the chassis.
func TestSim(t *testing.T) {
	dir, at := sim(t)
	t.Setenv("PATH", "") // no ipmitool
	c := &ipmi.Controller{Poll: 20 * time.Millisecond}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for c.Check(ctx, at) != nil && ctx.Err() == nil { // until it listens
		time.Sleep(10 * time.Millisecond)
	}
	file := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	for _, tt := range []struct {
		do   pool.PowerAction
		want pool.Power
	}{
		{pool.DoPowerOff, pool.PowerOff}, {pool.DoPowerOn, pool.PowerOn}, {pool.DoPowerOn, pool.PowerOn}, {pool.DoPowerReset, pool.PowerOn},
		{pool.DoPowerCycle, pool.PowerOn}, {pool.DoPowerSoft, pool.PowerOff}, {pool.DoPowerCycle, pool.PowerOn}, {pool.DoPowerOff, pool.PowerOff},
	} {
		wantFault(t, "SetPower "+string(tt.do), c.SetPower(ctx, at, tt.do), nil)
		if got, err := c.PowerState(ctx, at); err != nil || got != tt.want {
			t.Errorf("PowerState after %s = %s, %v, want %s", tt.do, got, err, tt.want)
		}
	}
	if got := file("orders"); got != "reset\nshutdown" {
		t.Errorf("orders = %q, want a reset and a shutdown", got)
	}
	for device, want := range map[pool.BootDevice]string{pool.BootPXE: "pxe", pool.BootDisk: "default", pool.BootBIOS: "bios", pool.BootNone: "none"} {
		wantFault(t, "SetBootDevice "+string(device), c.SetBootDevice(ctx, at, device, pool.UEFI), nil)
		if got := file("boot"); got != want {
			t.Errorf("boot device %s = %s, want %s", device, got, want)
		}
	}
	for name, change := range map[string]func(*pool.BMC){
		"password": func(b *pool.BMC) { b.Password = pool.NewSecret("wrong") },
		"user":     func(b *pool.BMC) { b.User = "nobody" },
	} {
		b := at
		change(&b)
		wantFault(t, "a wrong "+name, c.Check(ctx, b), ipmi.ErrAuth)
	}
	at.GUID = "a123456789abcdefa123456789000001"
	wantFault(t, "its GUID", c.Check(ctx, at), nil)
	// It has few sessions; what was given back can be had again.
	for n := range 100 {
		if _, err := c.PowerState(ctx, at); err != nil {
			t.Fatalf("call %d: %v", n, err)
		}
	}
}
