package dhcp

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"appliance/pool"
)

// serve6 serves DHCPv6 and router advertisements on srv0.
func serve6(t *testing.T, s *Server) {
	t.Helper()
	conn, err := ListenND("srv0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, f := range []func() error{
		func() error { return s.Serve6(ctx) },
		func() error { return (&Advertiser{Interface: "srv0", Boots: s, Networks: s}).Serve(ctx, conn) },
	} {
		wg.Go(func() {
			if err := f(); err != nil {
				t.Errorf("serve: %v, want nil", err)
			}
		})
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
}

func real6(l Leases) *Server {
	n := rack6()
	n.Reservations = nil
	n.Advertise = &pool.Advertise{Managed: true, Other: true, Router: 30 * time.Minute}
	s := real4(l, rack(), n)
	s.Interface, s.Addr6 = "srv0", ip("fd77::1")
	return s
}

func TestInteropDhclient6(t *testing.T) {
	needs(t, "dhclient")
	if !inNamespace(t) {
		return
	}
	run(t, 0, "ip", "addr", "add", "fd77::1/64", "dev", "srv0", "nodad")
	ns := peer(t)
	m := newMemory()
	serve6(t, real6(m))
	hasLinkLocal(t, ns, "cli0")
	dir := t.TempDir()
	args := []string{"dhclient", "-6", "-v", "-sf", "/bin/true", "-lf", filepath.Join(dir, "leases"), "-pf", filepath.Join(dir, "pid"), "-cf", "/dev/null"}
	out := run(t, ns, append(args, "-1", "cli0")...)
	if l := bound(t, m); l.MAC != mac(1) || !rack6().InRange(l.Address) {
		t.Errorf("stored %+v, dhclient said %s", l, out)
	}
	run(t, ns, append(args, "-r", "cli0")...)
	until(t, "the lease is released", func() bool { m.mu.Lock(); defer m.mu.Unlock(); return len(m.rows) == 0 })
}

func TestInteropNetworkd6(t *testing.T) {
	needs(t, "unshare", "/lib/systemd/systemd-networkd")
	if !inNamespace(t) {
		return
	}
	run(t, 0, "ip", "addr", "add", "fd77::1/64", "dev", "srv0", "nodad")
	ns := peer(t)
	m := newMemory()
	serve6(t, real6(m))
	networkd(t, ns, "[Network]\nDHCP=no\nIPv6AcceptRA=yes\n") // it asks DHCPv6 because the advertisement says so
	l := bound(t, m)
	until(t, "networkd has set address and route", func() bool {
		return strings.Contains(run(t, ns, "ip", "-6", "addr", "show", "cli0"), l.Address.String()+"/128") &&
			strings.Contains(run(t, ns, "ip", "-6", "route", "show", "default"), "via fe80")
	})
}

// behindRelay6 makes a third namespace behind the second, which gets two
// addresses, fd77::2 and fd88::1, and returns both.
func behindRelay6(t *testing.T) (relay, cli int) {
	t.Helper()
	run(t, 0, "ip", "addr", "add", "fd77::1/64", "dev", "srv0", "nodad")
	relay = peer(t)
	run(t, relay, "ip", "addr", "add", "fd77::2/64", "dev", "cli0", "nodad")
	cli = begin(t, 0, "sleep", "60").Process.Pid
	run(t, relay, "ip", "link", "add", "r0", "type", "veth", "peer", "name", "cli0", "netns", strconv.Itoa(cli))
	run(t, relay, "ip", "addr", "add", "fd88::1/64", "dev", "r0", "nodad")
	run(t, relay, "ip", "link", "set", "r0", "up")
	run(t, cli, "ip", "link", "set", "cli0", "address", mac(2).String(), "up")
	hasLinkLocal(t, relay, "cli0")
	hasLinkLocal(t, relay, "r0")
	hasLinkLocal(t, cli, "cli0")
	return relay, cli
}

// hasLinkLocal waits until an interface has an address to send from.
func hasLinkLocal(t *testing.T, ns int, name string) {
	t.Helper()
	until(t, name+" has a link-local address", func() bool {
		out := run(t, ns, "ip", "-6", "addr", "show", "dev", name, "scope", "link")
		return strings.Contains(out, "fe80") && !strings.Contains(out, "tentative")
	})
}

func far6() pool.Subnet {
	return pool.Subnet{Name: "far", Prefix: netip.MustParsePrefix("fd88::/64"), First: ip("fd88::100"), Last: ip("fd88::1ff"), DNS: []netip.Addr{ip("fd77::1")}, Discover: true}
}

// uefi6 is ISC's client, which says that it is a UEFI machine, and what checks
// what its script was told.
func uefi6(t *testing.T) (args []string, told func(want ...string)) {
	t.Helper()
	dir := t.TempDir()
	script, conf, out := filepath.Join(dir, "script"), filepath.Join(dir, "conf"), filepath.Join(dir, "env")
	for name, text := range map[string]string{
		script: "#!/bin/sh\n[ \"$reason\" = PREINIT6 ] || env > " + out + "\n",
		conf:   "send dhcp6.client-arch-type 7;\nalso request dhcp6.bootfile-url;\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil { //nolint:gosec // a script
			t.Fatal(err)
		}
	}
	return []string{"dhclient", "-6", "-v", "-sf", script, "-lf", filepath.Join(dir, "leases"), "-pf", filepath.Join(dir, "pid"), "-cf", conf}, func(want ...string) {
		t.Helper()
		env, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(env), w+"\n") {
				t.Errorf("dhclient was not told %s:\n%s", w, env)
			}
		}
	}
}

// TestInteropStateless6: a client with an address of its own asks what to boot
// by INFORMATION-REQUEST.
func TestInteropStateless6(t *testing.T) {
	needs(t, "dhclient")
	if !inNamespace(t) {
		return
	}
	run(t, 0, "ip", "addr", "add", "fd77::1/64", "dev", "srv0", "nodad")
	ns := peer(t)
	m := newMemory()
	s := real6(m)
	s.Directory = sixTable{}
	for i := range s.Subnets {
		s.Subnets[i].First, s.Subnets[i].Last = netip.Addr{}, netip.Addr{}
	}
	serve6(t, s)
	hasLinkLocal(t, ns, "cli0")
	args, told := uefi6(t)
	run(t, ns, append(args, "-S", "-1", "cli0")...)
	told("new_dhcp6_bootfile_url=tftp://[fd77::1]/snponly.efi", "new_dhcp6_name_servers=fd77::1")
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.rows) != 0 {
		t.Errorf("stored %+v, want nothing", m.rows)
	}
}

// relayed6 has ISC's client get a lease and the boot file's URL through a relay
// agent, and release it. The server's own link is not served.
func relayed6(t *testing.T, cli int, circuit string) {
	t.Helper()
	m := newMemory()
	s := real6(m)
	for i := range s.Subnets {
		s.Subnets[i].Mode = pool.SubnetOff
	}
	s.Subnets = append(s.Subnets, far6())
	s.Directory = sixTable{}
	serve6(t, s)
	args, told := uefi6(t)
	out := run(t, cli, append(args, "-1", "cli0")...)
	l := bound(t, m)
	if l.MAC != mac(2) || !far6().InRange(l.Address) || l.Relay != ip("fd88::1") || l.Circuit != circuit {
		t.Errorf("stored %+v, want an address of the far link, its relay and circuit %q; dhclient said %s", l, circuit, out)
	}
	told("new_ip6_address="+l.Address.String(), "new_dhcp6_bootfile_url=tftp://[fd77::1]/snponly.efi", "new_dhcp6_name_servers=fd77::1")
	run(t, cli, append(args, "-r", "cli0")...)
	until(t, "the lease is released, and ends with the boot", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.rows[l.Address].Expires.Before(time.Now().Add(takenFor))
	})
}

func TestInteropDhcrelay6(t *testing.T) {
	needs(t, "dhcrelay", "dhclient")
	if !inNamespace(t) {
		return
	}
	relay, cli := behindRelay6(t)
	begin(t, relay, "dhcrelay", "-6", "-d", "-q", "-I", "--no-pid", "-l", "r0", "-u", "fd77::1%cli0")
	relayed6(t, cli, "0x01000000") // its own number of the interface
}

func TestInteropDnsmasqRelay6(t *testing.T) {
	needs(t, "dnsmasq", "dhclient")
	if !inNamespace(t) {
		return
	}
	relay, cli := behindRelay6(t)
	begin(t, relay, "dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--dhcp-relay=fd88::1,fd77::1")
	relayed6(t, cli, "")
}

// TestInteropDhcpcd6: dhcpcd asks for a prefix, too.
func TestInteropDhcpcd6(t *testing.T) {
	needs(t, "dhcpcd")
	if !inNamespace(t) {
		return
	}
	run(t, 0, "ip", "addr", "add", "fd77::1/64", "dev", "srv0", "nodad")
	ns := peer(t)
	m := newMemory()
	serve6(t, real6(m))
	hasLinkLocal(t, ns, "cli0")
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, []byte("duid ll\nipv6only\nia_na 1\nia_pd 2\n"), 0o644); err != nil { //nolint:gosec // dhcpcd reads it as another user
		t.Fatal(err)
	}
	out := run(t, ns, "unshare", "-m", "sh", "-c", "mount --bind "+dir+" /var/lib/dhcpcd && exec dhcpcd -6 -1 -d -t 20 -c /bin/true -f "+conf+" cli0")
	l := bound(t, m)
	if l.MAC != mac(1) || !strings.Contains(run(t, ns, "ip", "-6", "addr", "show", "cli0"), l.Address.String()+"/128") || !strings.Contains(out, "no prefixes are delegated here") {
		t.Errorf("stored %+v, dhcpcd said %s", l, out)
	}
}

// TestInteropDecline6: ISC's client declines the first address that it is given,
// as where its script finds it in use, and gets another.
func TestInteropDecline6(t *testing.T) {
	needs(t, "dhclient")
	if !inNamespace(t) {
		return
	}
	run(t, 0, "ip", "addr", "add", "fd77::1/64", "dev", "srv0", "nodad")
	ns := peer(t)
	m := newMemory()
	serve6(t, real6(m))
	hasLinkLocal(t, ns, "cli0")
	dir := t.TempDir()
	script, used := filepath.Join(dir, "script"), filepath.Join(dir, "used")
	text := "#!/bin/sh\n[ \"$reason\" != BOUND6 ] || [ -e " + used + " ] || { echo $new_ip6_address > " + used + "; exit 3; }\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil { //nolint:gosec // a script
		t.Fatal(err)
	}
	out := run(t, ns, "dhclient", "-6", "-v", "-sf", script, "-lf", filepath.Join(dir, "leases"), "-pf", filepath.Join(dir, "pid"), "-cf", "/dev/null", "-1", "cli0")
	first, err := os.ReadFile(used)
	if err != nil {
		t.Fatal(err)
	}
	declined := ip(strings.TrimSpace(string(first)))
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.rows[declined].Declined || len(m.rows) != 2 {
		t.Errorf("stored %+v, want %s set aside and another lease; dhclient said %s", m.rows, declined, out)
	}
}
