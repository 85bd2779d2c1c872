package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
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
image: debian-12
packages: %s
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

// sixRecipe is a web server out of the appliance's repository of packages.
const sixRecipe = `service {
    name "six"
    type "WEB_SERVER"
    numInstances 1
    compute { template "SMALL_LINUX" }
    lifecycle {
        install "install.sh"
        start "start.sh"
        startDetectionTimeoutSecs 120
        startDetection { ServiceUtils.isPortOccupied(80) }
        postStart { context.attributes.thisService.address = context.privateAddress }
    }
}
`

// sixInstall says on the page what sources the machine has, and its addresses.
const sixInstall = `#!/bin/sh
set -e
apt-get -q update
DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends nginx
{ cat /etc/apt/sources.list.d/*; ip -4 -o address show scope global; ip -6 -o address show scope global; } > /var/www/html/index.html
`

// TestNetboot6 boots a UEFI machine that speaks nothing but IPv6, from the
// firmware's DHCPv6 to the agent's, its inventory and its acceptance, until it
// is ready, and deploys a web server on it: "make netboot6" runs it, with the
// binary that is shipped, in a network namespace. No advertisement lets hosts
// make addresses of their own.
func TestNetboot6(t *testing.T) {
	bin := os.Getenv("APPLIANCE_BIN")
	if os.Getenv("NETBOOT6") == "" || bin == "" {
		t.Skip("boots a machine in QEMU; make netboot6 runs it")
	}
	if os.Getenv("NETBOOT6") == "outside" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestNetboot6$", "-test.v", "-test.timeout", "30m") //nolint:gosec // this very test
		cmd.Env = append(os.Environ(), "NETBOOT6=inside")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Errorf("in a namespace: %v", err)
		}
		return
	}
	s := raiseSix(t, bin)
	defer s.logs()
	s.becomesReady()
	s.deploys()
}

// six is an appliance beside a machine that speaks nothing but IPv6.
type six struct {
	*testing.T
	bin, dir, data string
}

func raiseSix(t *testing.T, bin string) *six {
	t.Helper()
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
	write(t, conf, fmt.Sprintf(netboot6Config, data, os.Getenv("APPLIANCE_PACKAGES")))
	vars, err := os.ReadFile("/usr/share/OVMF/OVMF_VARS_4M.fd")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "vars.fd"), string(vars))
	disk := filepath.Join(dir, "disk")
	write(t, disk, "")
	if err := os.Truncate(disk, 3<<30); err != nil {
		t.Fatal(err)
	}
	start(t, filepath.Join(dir, "serve.log"), bin, "serve", "--config", conf)
	start(t, filepath.Join(dir, "qemu.log"), "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "768", "-M", "q35",
		"-nodefaults", "-no-user-config", "-display", "none",
		"-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd", "-drive", "if=pflash,format=raw,file="+filepath.Join(dir, "vars.fd"),
		"-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=no",
		"-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:66:00:01,romfile=,bootindex=1",
		"-drive", "if=none,id=d0,format=raw,file="+filepath.Join(dir, "disk"), "-device", "virtio-blk-pci,drive=d0,serial=SIX,bootindex=2",
		"-device", "virtio-rng-pci", "-serial", "file:"+filepath.Join(dir, "console.log"))
	return &six{T: t, bin: bin, dir: dir, data: data}
}

// logs shows what a failed test left.
func (s *six) logs() {
	if !s.Failed() {
		return
	}
	for _, name := range []string{"serve.log", "qemu.log", "console.log"} {
		b, _ := os.ReadFile(filepath.Join(s.dir, name)) // it may not be there
		s.Logf("%s:\n%s", name, b)
	}
}

func (s *six) becomesReady() {
	told := false
	for begin := time.Now(); ; time.Sleep(2 * time.Second) {
		m, ok := s.machine()
		if ok && !told {
			told = true
			s.Logf("%s is inventoried after %s; leases %v", m.Name, time.Since(begin).Round(time.Second), m.Leases)
		}
		if ok && m.Phase == pool.Ready {
			s.Logf("ready after %s, at %s", time.Since(begin).Round(time.Second), m.Address)
			s.oneAddress(m)
			return
		}
		if time.Since(begin) > 12*time.Minute {
			s.Fatalf("inventoried %t, phase %s: %s", ok, m.Phase, m.Sentence)
		}
	}
}

// oneAddress wants the machine to have one lease, of IPv6, and its agent to use it.
func (s *six) oneAddress(m wire.Machine) {
	s.Helper()
	if len(m.Leases) != 1 || !m.Leases[0].Address.Is6() || m.Address != m.Leases[0].Address {
		s.Errorf("address %s, leases %v, want one of IPv6 that the agent has, too", m.Address, m.Leases)
	}
}

// deploys puts a web server on the machine, of the appliance's packages, and
// asks it for its page.
func (s *six) deploys() {
	begin := time.Now()
	s.must("image", "import", os.Getenv("APPLIANCE_IMAGE"), "--name", "debian-12")
	recipe := filepath.Join(s.dir, "six")
	if err := os.Mkdir(recipe, 0o755); err != nil {
		s.Fatal(err)
	}
	for name, text := range map[string]string{"six-service.groovy": sixRecipe, "install.sh": sixInstall, "start.sh": "#!/bin/sh\nsystemctl start nginx\n"} {
		if err := os.WriteFile(filepath.Join(recipe, name), []byte(text), 0o755); err != nil {
			s.Fatal(err)
		}
	}
	s.must("deploy", recipe, "--timeout", "15m")
	m, ok := s.machine()
	if !ok || m.Phase != pool.Active {
		s.Fatalf("the machine is %s: %s", m.Phase, m.Sentence)
	}
	s.oneAddress(m)
	s.Logf("deployed in %s, at %s", time.Since(begin).Round(time.Second), m.Address)
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, "http://"+netip.AddrPortFrom(m.Address, 80).String()+"/", nil)
	if err != nil {
		s.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read only
	page, err := io.ReadAll(res.Body)
	if text := string(page); err != nil || !strings.Contains(text, "https://[fd77::1]:8443/packages/") || !strings.Contains(text, m.Address.String()+"/") || strings.Contains(text, " inet ") {
		s.Errorf("page: %v\n%s\nwant the repository's address and the machine's, all of IPv6", err, page)
	}
}

// must runs an appliance command that has to succeed.
func (s *six) must(args ...string) string {
	s.Helper()
	out, err := s.cli(args...)
	if err != nil {
		s.Fatalf("appliance %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *six) cli(args ...string) (string, error) {
	cmd := exec.CommandContext(s.Context(), s.bin, append(args, "--server", "https://127.0.0.1:8443",
		"--ca", filepath.Join(s.data, "ca", "ca.pem"), "--token-file", filepath.Join(s.data, "admin.token"))...) //nolint:gosec // the binary under test
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), err
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

// machine returns the machine once its agent has told what it is made of.
func (s *six) machine() (wire.Machine, bool) {
	out, err := s.cli("machine", "list", "-o", "json")
	if err != nil {
		return wire.Machine{}, false
	}
	var all []wire.Machine
	if json.Unmarshal([]byte(out), &all) != nil || len(all) != 1 || all[0].Facts == nil {
		return wire.Machine{}, false
	}
	return all[0], true
}
