package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
  - {name: far, prefix: "fd88::/64", first: "fd88::1:0", last: "fd88::1:ff", discover: true}
accept:
  - {name: six, subnet: "fd77::/64"}
  - {name: far, subnet: "fd88::/64"}
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
	s := raiseSix(t, sixWay{lay: sixOnLink})
	if s == nil {
		return
	}
	s.becomesReady()
	s.acked("efi-x64", "PXE")
	s.deploys()
}

// TestNetboot6HTTP boots such a machine by UEFI HTTP Boot, until it is ready.
func TestNetboot6HTTP(t *testing.T) {
	s := raiseSix(t, sixWay{lay: sixOnLink, http: true})
	if s == nil {
		return
	}
	s.becomesReady()
	s.acked("efi-x64-http", "HTTP boot")
	s.fetched("http://[fd77::1]:8080/kit/snponly.efi")
}

// TestNetboot6HTTPS boots such a machine, whose firmware holds the appliance's
// CA, behind a relay agent by HTTPS.
func TestNetboot6HTTPS(t *testing.T) {
	s := raiseSix(t, sixWay{lay: sixBehindRelay, http: true, tls: true})
	if s == nil {
		return
	}
	s.becomesReady()
	s.acked("efi-x64-http", "relay fd88::1")
	s.fetched("https://[fd77::1]:8444/kit/snponly.efi")
}

// TestNetboot6Secure boots such a machine with Secure Boot on: GRUB goes on
// fetching from the address that the firmware has released.
func TestNetboot6Secure(t *testing.T) {
	s := raiseSix(t, sixWay{lay: sixOnLink, secure: true})
	if s == nil {
		return
	}
	s.becomesReady()
	s.acked("efi-x64", "PXE")
	if out := s.must("boot", "show", "node-660001", "--all"); !strings.Contains(out, "http.extra") {
		s.Errorf("the boot configuration was fetched from an address that is nobody's:\n%s", out)
	}
}

// TestNetboot6Relayed is TestNetboot6 with the machine on another link, behind
// a router that ISC's relay agent runs on.
func TestNetboot6Relayed(t *testing.T) {
	s := raiseSix(t, sixWay{lay: sixBehindRelay})
	if s == nil {
		return
	}
	s.becomesReady()
	s.acked("efi-x64", "relay fd88::1")
	s.deploys()
}

// six is an appliance and a machine that speaks nothing but IPv6.
type six struct {
	*testing.T
	bin, dir, data string
}

// sixWay is how the machine comes to its boot program.
type sixWay struct {
	lay  func(*testing.T) (ns int) // makes the links, and tells the process whose namespace the machine's is in
	http bool                      // the firmware has no PXE
	tls  bool                      // the firmware holds the appliance's CA, and its model boots by HTTPS

	secure bool // the firmware loads what is signed, and its model boots so
}

// raiseSix runs the calling test again in a namespace, and returns nil once
// that has ended. In there it starts appliance and machine.
func raiseSix(t *testing.T, way sixWay) *six {
	t.Helper()
	bin := os.Getenv("APPLIANCE_BIN")
	if os.Getenv("NETBOOT6") == "" || bin == "" {
		t.Skip("boots a machine in QEMU; make netboot6 runs it")
	}
	if os.Getenv("NETBOOT6") == "outside" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "30m") //nolint:gosec // this very test
		cmd.Env = append(os.Environ(), "NETBOOT6=inside")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Errorf("in a namespace: %v", err)
		}
		return nil
	}
	dir := t.TempDir()
	s := &six{T: t, bin: bin, dir: dir, data: filepath.Join(dir, "data")}
	t.Cleanup(s.logs)
	ns := way.lay(t)
	conf := filepath.Join(dir, "appliance.yaml")
	write(t, conf, fmt.Sprintf(netboot6Config, s.data, os.Getenv("APPLIANCE_PACKAGES")))
	board, code, keys := []string{"-M", "q35"}, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"
	if way.secure {
		board = []string{"-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"}
		code, keys = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"
	}
	vars, err := os.ReadFile(keys)
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
	machine := []string{"nsenter", "-t", strconv.Itoa(ns), "-n", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024",
		"-nodefaults", "-no-user-config", "-display", "none", "-uuid", "7261636b-0000-4000-8000-000000006601",
		"-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=no",
		"-drive", "if=pflash,format=raw,readonly=on,file=" + code, "-drive", "if=pflash,format=raw,file=" + filepath.Join(dir, "vars.fd"),
		"-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:66:00:01,romfile=,bootindex=1",
		"-drive", "if=none,id=d0,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=d0,serial=SIX,bootindex=2",
		"-device", "virtio-rng-pci", "-serial", "file:" + filepath.Join(dir, "console.log")}
	machine = append(machine, board...)
	if way.secure {
		s.path("efi-x64", "shimx64.efi")
	}
	if way.http {
		machine = append(machine, "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=no")
	}
	if way.tls {
		machine = append(machine, "-fw_cfg", "name=etc/edk2/https/cacerts,file="+s.trust(conf))
	}
	start(t, filepath.Join(dir, "qemu.log"), machine...)
	return s
}

// path sets how machines of the firmware's kind boot, once the appliance serves.
func (s *six) path(args ...string) {
	s.Helper()
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		out, err := s.cli(append([]string{"boot", "path", "set", "nic 52:54:00"}, args...)...)
		if err == nil {
			return
		}
		if time.Since(begin) > time.Minute { // it does not serve
			s.Fatalf("boot path set: %v\n%s", err, out)
		}
	}
}

// trust has such machines boot by HTTPS, and returns a file with the CA as EDK2
// keeps those that it trusts (EFI_SIGNATURE_LIST of EFI_CERT_X509_GUID; UEFI
// 2.10, 32.4.1).
func (s *six) trust(conf string) string {
	s.Helper()
	s.path("efi-x64-http", "snponly.efi", "--tls")
	der, err := exec.CommandContext(s.Context(), s.bin, "boot", "ca", "--der", "--config", conf).Output() //nolint:gosec // the binary under test
	if err != nil {
		s.Fatal(err)
	}
	list := []byte{0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}
	const owner = 16 // nobody
	list = binary.LittleEndian.AppendUint32(list, uint32(28+owner+len(der)))
	list = binary.LittleEndian.AppendUint32(list, 0)
	list = binary.LittleEndian.AppendUint32(list, uint32(owner+len(der)))
	list = append(append(list, make([]byte, owner)...), der...)
	file := filepath.Join(s.dir, "cacerts")
	write(s.T, file, string(list))
	return file
}

// ipLines runs ip(8) in the namespace of a process.
func ipLines(t *testing.T, ns int, lines ...string) {
	t.Helper()
	for _, line := range lines {
		arg := append([]string{"-t", strconv.Itoa(ns), "-n", "ip"}, strings.Fields(line)...)
		if out, err := exec.CommandContext(t.Context(), "nsenter", arg...).CombinedOutput(); err != nil { //nolint:gosec // constants of this file
			t.Fatalf("ip %s: %v\n%s", line, err, out)
		}
	}
}

// sixOnLink has appliance and machine on one link.
func sixOnLink(t *testing.T) int {
	t.Helper()
	ipLines(t, os.Getpid(), "link set lo up", "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0", "addr add 10.77.0.1/24 dev br0",
		"addr add fd77::1/64 dev br0 nodad", "link set br0 up", "tuntap add tap0 mode tap", "link set tap0 master br0 up")
	return os.Getpid()
}

// sixFar is the link of the machine as its router, systemd-networkd, advertises it.
const sixFar = `[Match]
Name=far0
[Network]
Address=fd88::1/64
IPv6SendRA=yes
[IPv6SendRA]
Managed=yes
OtherInformation=yes
[IPv6Prefix]
Prefix=fd88::/64
AddressAutoconfiguration=no
`

// sixBehindRelay has a router between appliance and machine.
func sixBehindRelay(t *testing.T) int {
	t.Helper()
	dir := t.TempDir()
	far := filepath.Join(dir, "far0.network")
	if err := os.WriteFile(far, []byte(sixFar), 0o644); err != nil { //nolint:gosec // networkd reads it as another user
		t.Fatal(err)
	}
	// A /sys that cannot be written says that there is no udev to wait for.
	const router = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases &&
cp "$0" /run/systemd/network/ && chmod -R a+rwX /run/systemd && echo 1 > /proc/sys/net/ipv6/conf/all/forwarding &&
mount --bind /sys /sys && mount -o remount,ro,bind /sys && exec /lib/systemd/systemd-networkd`
	ns := start(t, filepath.Join(dir, "router.log"), "unshare", "-n", "-m", "env", "SYSTEMD_LOG_TARGET=console", "sh", "-c", router, far)
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for its := own; its == own; time.Sleep(time.Millisecond) { // until unshare has made it
		if its, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/net", ns)); err != nil {
			t.Fatal(err)
		}
	}
	ipLines(t, os.Getpid(), "link set lo up", "link add br0 type veth peer name up0 netns "+strconv.Itoa(ns), "addr add 10.77.0.1/24 dev br0",
		"addr add fd77::1/64 dev br0 nodad", "link set br0 up", "route add fd88::/64 via fd77::2")
	ipLines(t, ns, "link set lo up", "addr add fd77::2/64 dev up0 nodad", "link set up0 up",
		"link add far0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0", "link add port0 type veth peer name port1", "link set port1 up", "link set port0 master far0 up", // a carrier
		"link set far0 up", "tuntap add tap0 mode tap", "link set tap0 master far0 up")
	for _, name := range []string{"up0", "far0"} {
		for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			out, err := exec.CommandContext(t.Context(), "nsenter", "-t", strconv.Itoa(ns), "-n", "ip", "-6", "addr", "show", "dev", name, "scope", "link").Output() //nolint:gosec // constants of this file
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(out), "fe80") && !strings.Contains(string(out), "tentative") {
				break
			}
			if time.Since(begin) > 30*time.Second {
				t.Fatalf("%s has no link-local address", name)
			}
		}
	}
	start(t, filepath.Join(dir, "relay.log"), "nsenter", "-t", strconv.Itoa(ns), "-n", "dhcrelay", "-6", "-d", "-I", "--no-pid", "-l", "far0", "-u", "fd77::1%up0")
	return ns
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

// acked wants on record a lease by DHCPv6 that a client of the class took, and
// that detail is told of, and after it the boot program.
func (s *six) acked(class, detail string) {
	s.Helper()
	m, _ := s.machine()
	var b wire.BootShow
	if err := json.Unmarshal([]byte(s.must("boot", "show", m.Name, "--all", "-o", "json")), &b); err != nil {
		s.Fatal(err)
	}
	for _, boot := range b.Boots {
		leased := false
		for _, e := range boot.Events {
			leased = leased || e.Stage == pool.StageLease && e.Class == class && e.Address.Is6() && strings.Contains(e.Detail, detail)
			if leased && e.Stage == pool.StageNBP && !e.Failed {
				return
			}
		}
	}
	s.Errorf("no lease of class %s with %q, and then a boot program, in %+v", class, detail, b.Boots)
}

// fetched wants the firmware to have fetched its program by HTTP Boot from url.
func (s *six) fetched(url string) {
	s.Helper()
	console, err := os.ReadFile(filepath.Join(s.dir, "console.log"))
	if err != nil {
		s.Fatal(err)
	}
	if text := string(console); !strings.Contains(text, "URI: "+url) || strings.Contains(text, "Start PXE") {
		s.Errorf("the firmware did not boot by %s", url)
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

// start runs a program until the test ends, and returns its process.
func start(t *testing.T, log string, arg ...string) int {
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
	return cmd.Process.Pid
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
