package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"appliance/dhcp"
	"appliance/images"
	"appliance/pool"
	"appliance/tftp"
)

const insideEnv = "DOCTOR_TEST_INSIDE"

// inNamespace runs the test again in a network namespace of its own, joined by
// a pair of links (eth0 here, eth0 in the other one), and says that it did.
func inNamespace(t *testing.T) (other string, inside bool) {
	t.Helper()
	if peer := os.Getenv(insideEnv); peer != "" {
		return peer, true
	}
	if os.Getuid() != 0 || testing.Short() {
		t.Skip("needs root and a namespace, as make test has it")
	}
	sh := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	a, b := fmt.Sprintf("doc%da", os.Getpid()), fmt.Sprintf("doc%db", os.Getpid())
	for _, n := range []string{a, b} {
		sh("ip", "netns", "add", n)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", n).Run() }) //nolint:noctx // ends at once
	}
	sh("ip", "link", "add", "eth0", "netns", a, "type", "veth", "peer", "name", "eth0", "netns", b)
	for i, n := range []string{a, b} {
		sh("ip", "-n", n, "link", "set", "lo", "up")
		sh("ip", "-n", n, "link", "set", "eth0", "up")
		sh("ip", "-n", n, "addr", "add", fmt.Sprintf("10.99.0.%d/24", i+1), "dev", "eth0")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", a, self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideEnv+"="+b)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("inside: %v\n%s", err, out)
	}
	t.Logf("inside:\n%s", out)
	return b, false
}

// leaseBook is a dhcp.Leases that has none.
type leaseBook struct{ binds atomic.Int64 }

func (*leaseBook) LeaseAt(context.Context, netip.Addr) (pool.Lease, error) {
	return pool.Lease{}, pool.ErrNotFound
}
func (*leaseBook) Leases(context.Context) ([]pool.Lease, error) { return nil, nil }
func (l *leaseBook) BindAll(_ context.Context, all []pool.Lease) []error {
	l.binds.Add(int64(len(all)))
	return make([]error, len(all))
}
func (*leaseBook) Unbind(context.Context, pool.MAC, netip.Addr) error   { return nil }
func (*leaseBook) Decline(context.Context, netip.Addr, time.Time) error { return nil }
func (*leaseBook) Forget(context.Context, netip.Addr) error             { return nil }

// TestDoctorNetwork has the real servers of the appliance and, on the other
// end of the wire, dnsmasq as the DHCP server that nobody knew of.
func TestDoctorNetwork(t *testing.T) {
	other, inside := inNamespace(t)
	if !inside {
		return
	}
	addr := netip.MustParseAddr("10.99.0.1")
	ctx, cancel := context.WithCancel(t.Context())
	var servers sync.WaitGroup
	defer servers.Wait()
	defer cancel()
	c := config{Interface: "eth0", Listen: listen{HTTP: ":8080"}, Subnets: []pool.Subnet{
		{Name: "rack", Prefix: netip.MustParsePrefix("10.99.0.0/24"), First: netip.MustParseAddr("10.99.0.100"), Last: netip.MustParseAddr("10.99.0.120"), Lease: time.Hour, Discover: true},
		{Name: "far", Prefix: netip.MustParsePrefix("10.98.0.0/24"), First: netip.MustParseAddr("10.98.0.100"), Last: netip.MustParseAddr("10.98.0.120"), Lease: time.Hour, Discover: true},
	}}
	site := images.Site{TFTP: addr, HTTP: "http://10.99.0.1:8080"}
	book := &leaseBook{}
	d := &directory{site: site}
	startServers(t, ctx, &servers, c, addr, d, book, site)

	got := map[string][]finding{}
	look := func() {
		clear(got)
		all, err := examine(ctx, c, addr)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			got[f.Check] = append(got[f.Check], f)
			t.Logf("%t\t%s\t%s", f.OK, f.Check, f.Found)
		}
	}
	for range 5 { // the DHCP server looks around before it answers
		if look(); len(got["10.99.0.0/24 as BIOS client"]) == 1 && got["10.99.0.0/24 as BIOS client"][0].OK {
			break
		}
	}
	for check, want := range map[string]string{
		"10.99.0.0/24 as BIOS client":         "boot file undionly.kpxe",
		"10.99.0.0/24 as UEFI client":         "boot file snponly.efi",
		"10.99.0.0/24 as HTTP Boot client":    "boot file http://10.99.0.1:8080/kit/snponly.efi, class HTTPClient",
		"10.98.0.0/24 as relayed UEFI client": "offers 10.98.0.1",
		"10.98.0.0/24 as relayed BIOS client": "offers 10.98.0.1",
		"MTU of eth0":                         "1500",
		"TFTP snponly.efi":                    "100000 bytes in",
		"HTTP /kit/vmlinuz":                   "200 OK",
		"clock":                               "20",
	} {
		if f := got[check]; len(f) != 1 || !f[0].OK || !strings.Contains(f[0].Found, want) {
			t.Errorf("%s: %+v, want %q", check, f, want)
		}
	}
	if n := book.binds.Load(); n != 0 {
		t.Errorf("%d leases were bound for the doctor", n)
	}

	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	dnsmasq := exec.CommandContext(ctx, "ip", "netns", "exec", other, "dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces",
		"--dhcp-range=10.99.0.200,10.99.0.210", "--dhcp-boot=pxelinux.0", "--no-ping", "--dhcp-leasefile="+filepath.Join(dir, "leases"), "--user=root")
	if err := dnsmasq.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = dnsmasq.Wait() }()
	found := false
	for end := time.Now().Add(30 * time.Second); !found && time.Now().Before(end); {
		look()
		for _, f := range got["10.99.0.0/24 as BIOS client"] {
			found = found || !f.OK && strings.Contains(f.Found, "10.99.0.2 ") && strings.Contains(f.Found, "pxelinux.0")
		}
	}
	if !found {
		t.Error("the other DHCP server was not named")
	}
}

// startServers runs the appliance's servers until ctx ends.
func startServers(t *testing.T, ctx context.Context, wg *sync.WaitGroup, c config, addr netip.Addr, d *directory, book dhcp.Leases, site images.Site) {
	t.Helper()
	conn, err := dhcp.Listen(ctx, c.Interface)
	if err != nil {
		t.Fatal(err)
	}
	s := &dhcp.Server{Subnets: c.Subnets, Interface: c.Interface, Addr: addr, Leases: book, Directory: d}
	files := fstest.MapFS{images.NBPUEFI: {Data: make([]byte, 100_000)}, images.Kernel: {Data: make([]byte, 1000)}}
	boot := &images.Boot{Kit: files, Directory: d, Site: func(netip.Addr) images.Site { return site }}
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: addr.AsSlice(), Port: 69})
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", "10.99.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []func() error{
		func() error { return s.Serve(ctx, conn) },
		func() error { return (&tftp.Server{FS: files, Open: boot.OpenTFTP}).Serve(ctx, udp) },
		func() error { return boot.Serve(ctx, l) },
	} {
		wg.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(time.Second) // the servers look around first
}
