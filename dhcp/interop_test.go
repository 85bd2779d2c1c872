package dhcp

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/packet"

	"appliance/pool"
)

// needs skips an interoperability test in short runs, and where a program is
// missing; "make interop" installs all of them.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("long; make interop runs it")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed; make interop installs it", p)
		}
	}
}

// everybody answers each MAC: what asks here is a system, not a firmware.
type everybody struct{}

func (everybody) Answer(context.Context, pool.MAC, pool.Client, pool.Subnet) (pool.BootAnswer, bool, error) {
	return pool.BootAnswer{File: "snponly.efi", Next: ip("10.77.0.1")}, true, nil
}

func real4(l Leases, subnets ...pool.Subnet) *Server {
	s := newServer(l, subnets...)
	for i := range s.Subnets {
		s.Subnets[i].Mode = pool.SubnetServer
	}
	s.Directory = everybody{}
	return s
}

// bound returns the only lease that m has, once it has one.
func bound(t *testing.T, m *memory) pool.Lease {
	t.Helper()
	var out pool.Lease
	until(t, "a lease is stored", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, l := range m.rows {
			out = l
		}
		return len(m.rows) == 1
	})
	return out
}

func TestInteropDhclient(t *testing.T) {
	needs(t, "dhclient")
	if !inNamespace(t) {
		return
	}
	ns := peer(t)
	m := newMemory()
	serve(t, real4(m))
	dir := t.TempDir()
	script := filepath.Join(dir, "script")                                                                                                                      // a RELEASE is sent from the address
	if err := os.WriteFile(script, []byte("#!/bin/sh\n[ -z \"$new_ip_address\" ] || ip addr replace $new_ip_address/24 dev $interface\n"), 0o755); err != nil { //nolint:gosec // a script
		t.Fatal(err)
	}
	args := []string{"dhclient", "-4", "-v", "-sf", script, "-lf", filepath.Join(dir, "leases"), "-pf", filepath.Join(dir, "pid"), "-cf", "/dev/null"}
	out := run(t, ns, append(args, "-1", "cli0")...)
	l := bound(t, m)
	if l.MAC != mac(1) || !strings.Contains(out, "bound to "+l.Address.String()) {
		t.Errorf("stored %+v, dhclient said %s", l, out)
	}
	run(t, ns, append(args, "-r", "cli0")...) // RELEASE
	until(t, "the lease is released", func() bool { m.mu.Lock(); defer m.mu.Unlock(); return len(m.rows) == 0 })
}

// TestInteropDhcpcd: the second time it remembers a lease that the server does
// not, and probes that address itself while the server asks for it.
func TestInteropDhcpcd(t *testing.T) {
	needs(t, "dhcpcd")
	if !inNamespace(t) {
		return
	}
	ns := peer(t)
	script := "mount --bind " + t.TempDir() + " /var/lib/dhcpcd && exec dhcpcd -4 -1 -L -t 20 -c /bin/true -f /dev/null cli0"
	for _, name := range []string{"new", "forgotten"} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			serve(t, real4(m))
			out := run(t, ns, "unshare", "-m", "sh", "-c", script)
			l := bound(t, m)
			if l.MAC != mac(1) || !strings.Contains(run(t, ns, "ip", "-4", "addr", "show", "cli0"), l.Address.String()+"/24") || strings.Contains(out, "claims") {
				t.Errorf("stored %+v, dhcpcd said %s", l, out)
			}
			run(t, ns, "ip", "addr", "flush", "dev", "cli0")
		})
	}
}

// networkd runs systemd-networkd in namespace ns with a configuration for cli0.
func networkd(t *testing.T, ns int, conf string) {
	t.Helper()
	const program = "/lib/systemd/systemd-networkd"
	if _, err := os.Stat(program); err != nil {
		t.Skip("systemd-networkd is not installed")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "10-cli0.network")
	if err := os.WriteFile(file, []byte("[Match]\nName=cli0\n"+conf), 0o644); err != nil { //nolint:gosec // networkd reads it as another user
		t.Fatal(err)
	}
	// A /sys that cannot be written says that there is no udev to wait for.
	script := "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases && " +
		"cp " + file + " /run/systemd/network/ && chmod -R a+rwX /run/systemd && mount --bind /sys /sys && mount -o remount,ro,bind /sys && exec " + program
	begin(t, ns, "unshare", "-m", "env", "SYSTEMD_LOG_TARGET=console", "SYSTEMD_LOG_LEVEL=warning", "sh", "-c", script)
}

func TestInteropNetworkd(t *testing.T) {
	needs(t, "unshare", "/lib/systemd/systemd-networkd")
	if !inNamespace(t) {
		return
	}
	ns := peer(t)
	m := newMemory()
	serve(t, real4(m))
	networkd(t, ns, "[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n")
	l := bound(t, m)
	until(t, "networkd has set the address", func() bool {
		return strings.Contains(run(t, ns, "ip", "-4", "addr", "show", "cli0"), l.Address.String()+"/24")
	})
	if l.MAC != mac(1) {
		t.Errorf("stored %+v", l)
	}
}

// behindRelay makes a third namespace behind the second, which gets two
// addresses, 10.77.0.2 and 10.88.0.1, and returns both.
func behindRelay(t *testing.T) (relay, cli int) {
	t.Helper()
	relay = peer(t)
	run(t, relay, "ip", "addr", "add", "10.77.0.2/24", "dev", "cli0")
	cli = begin(t, 0, "sleep", "60").Process.Pid
	run(t, relay, "ip", "link", "add", "r0", "type", "veth", "peer", "name", "cli0", "netns", strconv.Itoa(cli))
	run(t, relay, "ip", "addr", "add", "10.88.0.1/24", "dev", "r0")
	run(t, relay, "ip", "link", "set", "r0", "up")
	run(t, cli, "ip", "link", "set", "cli0", "address", mac(2).String(), "up")
	run(t, 0, "ip", "route", "add", "10.88.0.0/24", "via", "10.77.0.2")
	return relay, cli
}

func far() pool.Subnet {
	return pool.Subnet{Name: "far", Prefix: netip.MustParsePrefix("10.88.0.0/24"), First: ip("10.88.0.10"), Last: ip("10.88.0.20"), Router: ip("10.88.0.1"), Lease: 10 * time.Minute}
}

func TestInteropDhcrelay(t *testing.T) {
	needs(t, "dhcrelay")
	if !inNamespace(t) {
		return
	}
	relay, cli := behindRelay(t)
	m := newMemory()
	serve(t, real4(m, rack(), far()))
	begin(t, relay, "dhcrelay", "-4", "-d", "-q", "-a", "-iu", "cli0", "-id", "r0", "--no-pid", "10.77.0.1")
	got := udhcpc(t, cli)
	l := bound(t, m)
	if got["ip"] != l.Address.String() || got["router"] != "10.88.0.1" || !far().InRange(l.Address) {
		t.Errorf("udhcpc behind dhcrelay: %v, stored %+v", got, l)
	}
	if l.Relay != ip("10.88.0.1") || l.Circuit != "r0" {
		t.Errorf("stored %+v, want that it tells relay and circuit", l)
	}
}

func TestInteropDnsmasqRelay(t *testing.T) {
	needs(t, "dnsmasq")
	if !inNamespace(t) {
		return
	}
	relay, cli := behindRelay(t)
	m := newMemory()
	serve(t, real4(m, rack(), far()))
	begin(t, relay, "dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--dhcp-relay=10.88.0.1,10.77.0.1")
	got := udhcpc(t, cli)
	if l := bound(t, m); got["ip"] != l.Address.String() || !far().InRange(l.Address) || l.Relay != ip("10.88.0.1") {
		t.Errorf("udhcpc behind dnsmasq's relay: %v, stored %+v", got, l)
	}
}

// besideServer has s, with mode auto, meet another server, and returns what a
// BIOS PXE client of arch 0 is offered by us.
func besideServer(t *testing.T, start func(ns int)) {
	t.Helper()
	ns := peer(t)
	run(t, ns, "ip", "addr", "add", "10.77.0.9/24", "dev", "cli0")
	start(ns)
	s := newServer(newMemory())
	s.Detect = time.Second
	heard, decided := make(chan ForeignServer, 8), make(chan pool.SubnetMode, 8)
	s.OnForeign = func(f ForeignServer) { heard <- f }
	s.OnMode = func(_ pool.Subnet, m pool.SubnetMode, _ string) { decided <- m }
	s.Interface = "srv0"
	conn, err := Listen(t.Context(), s.Interface)
	if err != nil {
		t.Fatal(err)
	}
	pxe, err := ListenBoot(t.Context(), s.Interface)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, conn, pxe) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	if f := <-heard; f.Address != ip("10.77.0.9") || f.MAC != mac(1) || f.Vendor != "QEMU" || f.Gone {
		t.Errorf("heard of %+v", f)
	}
	if m := <-decided; m != pool.SubnetProxy {
		t.Fatalf("decided %s, want proxy", m)
	}
	offer := ask(t, s, dhcpv4.MessageTypeDiscover, mac(2), bios)
	if offer == nil || !addr4(offer.YourIPAddr).IsUnspecified() || offer.BootFileName != "undionly.kpxe" {
		t.Errorf("proxy OFFER = %v", offer)
	}
	if st := s.Stats(); st.Offers != 0 || st.Acks != 0 || st.Naks != 0 {
		t.Errorf("%+v: acted as a server", st)
	}
}

func TestInteropBesideDnsmasq(t *testing.T) {
	needs(t, "dnsmasq")
	if !inNamespace(t) {
		return
	}
	besideServer(t, func(ns int) {
		begin(t, ns, "dnsmasq", "--keep-in-foreground", "--port=0", "--no-ping", "--conf-file=/dev/null", "--bind-interfaces", "--interface=cli0",
			"--dhcp-range=10.77.0.200,10.77.0.220,1h", "--dhcp-leasefile="+filepath.Join(t.TempDir(), "leases"), "--user=root", "--pid-file=")
	})
}

func TestInteropBesideKea(t *testing.T) {
	needs(t, "kea-dhcp4")
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "kea.json")
	text := `{"Dhcp4":{"interfaces-config":{"interfaces":["cli0"]},"lease-database":{"type":"memfile","persist":false},
"subnet4":[{"id":1,"subnet":"10.77.0.0/24","pools":[{"pool":"10.77.0.200 - 10.77.0.220"}]}]}}`
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	besideServer(t, func(ns int) {
		begin(t, ns, "env", "KEA_PIDFILE_DIR="+dir, "KEA_LOCKFILE_DIR="+dir, "kea-dhcp4", "-c", conf)
	})
}

// badCable passes frames between two interfaces, and loses, repeats and swaps
// some: this kernel has no netem.
func badCable(t *testing.T, a, b string, lose, repeat, late float64) {
	t.Helper()
	var conns []*packet.Conn
	for _, name := range []string{a, b} {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := packet.Listen(ifi, packet.Raw, 3, nil) // ETH_P_ALL
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetPromiscuous(true); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	var wg sync.WaitGroup
	pass := func(in, out *packet.Conn, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same faults each time
		send := func(f []byte) { _, _ = out.WriteTo(f, &packet.Addr{HardwareAddr: f[:6]}) }
		var held []byte
		buf := make([]byte, 4096)
		for {
			n, _, err := in.ReadFrom(buf)
			if err != nil {
				return
			}
			f := append([]byte{}, buf[:n]...)
			if r.Float64() < lose {
				continue
			}
			if held == nil && r.Float64() < late {
				held = f
				continue
			}
			send(f)
			if r.Float64() < repeat {
				send(f)
			}
			if held != nil {
				send(held)
				held = nil
			}
		}
	}
	wg.Go(func() { pass(conns[0], conns[1], 1) })
	wg.Go(func() { pass(conns[1], conns[0], 2) })
	t.Cleanup(func() {
		for _, c := range conns {
			_ = c.Close()
		}
		wg.Wait()
	})
}

// TestBadCable: over a link that loses, repeats and swaps frames clients still
// get their address, always the same, and nobody else's.
func TestInteropBadCable(t *testing.T) {
	needs(t, "busybox")
	if !inNamespace(t) {
		return
	}
	// srv0 = cli0 ~ bad cable ~ x0 = cli0 of another namespace
	run(t, 0, "ip", "link", "set", "cli0", "name", "mid0", "up")
	run(t, 0, "ip", "link", "add", "x0", "type", "veth", "peer", "name", "cli0")
	run(t, 0, "ip", "link", "set", "x0", "up")
	ns := peer(t)
	m := newMemory()
	serve(t, real4(m))
	badCable(t, "mid0", "x0", 0.25, 0.25, 0.25)
	first := ""
	for i := range 6 {
		got := udhcpcUntil(t, ns)
		if first == "" {
			first = got["ip"]
		}
		if got["ip"] == "" || got["ip"] != first {
			t.Errorf("run %d: got %q, then %q", i, first, got["ip"])
		}
	}
	if l := bound(t, m); l.Address.String() != first {
		t.Errorf("stored %+v, bound %s", l, first)
	}
}
