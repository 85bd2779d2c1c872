package dhcp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/packet"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"appliance/pool"
)

// inNamespace runs the calling test again in a network namespace of its own,
// where srv0 is 10.77.0.1/24 and one end of a cable. It returns true in
// there, and false, once that run has ended, outside. The namespace goes with
// the process, however that ends.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const env = "DHCP_TEST_NAMESPACE"
	if os.Getenv(env) == t.Name() {
		run(t, 0, "ip", "link", "set", "lo", "up")
		run(t, 0, "ip", "link", "add", "srv0", "type", "veth", "peer", "name", "cli0")
		run(t, 0, "ip", "addr", "add", "10.77.0.1/24", "dev", "srv0")
		run(t, 0, "ip", "link", "set", "srv0", "up")
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace; make test runs it")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.timeout", "60s") //nolint:gosec // this very test
	cmd.Env = append(os.Environ(), env+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("in a namespace: %v\n%s", err, out)
	}
	return false
}

// run runs a command, in the namespace of process ns unless that is 0.
func run(t *testing.T, ns int, arg ...string) string {
	t.Helper()
	if ns != 0 {
		arg = append([]string{"nsenter", "-t", strconv.Itoa(ns), "-n"}, arg...)
	}
	out, err := exec.CommandContext(t.Context(), arg[0], arg[1:]...).CombinedOutput() //nolint:gosec // constants of this file
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(arg, " "), err, out)
	}
	return string(out)
}

// begin starts a command that ends with the test, and returns its process.
func begin(t *testing.T, ns int, arg ...string) *exec.Cmd {
	t.Helper()
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if ns == 0 {
		attr.Cloneflags = syscall.CLONE_NEWNET
	} else {
		arg = append([]string{"nsenter", "-t", strconv.Itoa(ns), "-n"}, arg...)
	}
	cmd := exec.Command(arg[0], arg[1:]...) //nolint:gosec,noctx // constants of this file; ended below
	cmd.SysProcAttr = attr
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// peer makes a second namespace at the other end of the cable and returns a
// process that lives in it.
func peer(t *testing.T) int {
	t.Helper()
	pid := begin(t, 0, "sleep", "60").Process.Pid
	run(t, 0, "ip", "link", "set", "cli0", "netns", strconv.Itoa(pid))
	run(t, pid, "ip", "link", "set", "lo", "up")
	run(t, pid, "ip", "link", "set", "cli0", "address", mac(1).String(), "up")
	return pid
}

// serve runs s on srv0 until the test ends. Past the time in which it only
// listens for other servers.
func serve(t *testing.T, s *Server) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
	s.Interface = "srv0"
	conn, err := Listen(t.Context(), s.Interface)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	until(t, "the server listens", func() bool { s.foreign.mu.Lock(); defer s.foreign.mu.Unlock(); return s.foreign.asked > 0 })
	s.settled()
}

// until polls for what has no event; the run's own deadline ends it.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Since(start) > 30*time.Second {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// udhcpc gets a lease in namespace ns with BusyBox's client, as a BIOS PXE
// client of arch 0, and returns what its script was told.
func udhcpc(t *testing.T, ns int, extra ...string) map[string]string {
	t.Helper()
	return udhcpcUntil(t, ns, append([]string{"-n", "-t", "8"}, extra...)...)
}

// udhcpcUntil is udhcpc that begins again until it has a lease, unless extra
// says otherwise.
func udhcpcUntil(t *testing.T, ns int, extra ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	script, out := filepath.Join(dir, "script"), filepath.Join(dir, "env")
	text := "#!/bin/sh\n[ \"$1\" = bound ] && env > " + out + "\nexit 0\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil { //nolint:gosec // a script
		t.Fatal(err)
	}
	run(t, ns, append([]string{"busybox", "udhcpc", "-i", "cli0", "-f", "-q", "-A", "1", "-T", "1", "-s", script,
		"-V", "PXEClient:Arch:00000:UNDI:002001", "-x", "0x5d:0000", "-O", "tftp", "-O", "bootfile"}, extra...)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(b)) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		got[k] = v
	}
	return got
}

func TestRealClient(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ns := peer(t)
	m := newMemory()
	s := newServer(m)
	serve(t, s)
	for _, flags := range [][]string{nil, {"-B"}} { // in a frame to a client without address; broadcast
		got := udhcpc(t, ns, flags...)
		for k, want := range map[string]string{
			"mask": "24", "router": "10.77.0.254", "dns": "10.77.0.1 10.77.0.2", "domain": "rack.example", "lease": "600",
			"serverid": "10.77.0.1", "siaddr": "10.77.0.1", "boot_file": "undionly.kpxe", "bootfile": "undionly.kpxe", "tftp": "10.77.0.1",
		} {
			if got[k] != want {
				t.Errorf("udhcpc %v: %s = %q, want %q", flags, k, got[k], want)
			}
		}
		if l, err := m.Lease(t.Context(), mac(1)); err != nil || got["ip"] != l.Address.String() {
			t.Errorf("udhcpc %v: bound %q, stored %v, %v", flags, got["ip"], l, err)
		}
	}
	if st := s.Stats(); st.Offers != 2 || st.Acks != 2 || st.Unsent != 0 || st.Malformed != 0 {
		t.Errorf("%+v, want two offers and two acks", st)
	}
}

// listenIn opens a socket for DHCP clients' packets in the network namespace of
// a process.
func listenIn(pid int, name string) (*packet.Conn, error) {
	ns, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		return nil, err
	}
	defer func() { _ = ns.Close() }()
	type opened struct {
		c   *packet.Conn
		err error
	}
	out := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its namespace
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			out <- opened{nil, err}
			return
		}
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			out <- opened{nil, err}
			return
		}
		c, err := packet.Listen(ifi, packet.Raw, etherIPv4, &packet.Config{Filter: udpFilter(clientPort, clientPort)})
		out <- opened{c, err}
	}()
	o := <-out
	return o.c, o.err
}

func TestSquatter(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ns := peer(t)
	run(t, ns, "ip", "addr", "add", "10.77.0.103/24", "dev", "cli0")
	m := newMemory()
	s := newServer(m)
	serve(t, s)
	c, err := listenIn(ns, "cli0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	discover := msg(t, 1, mac(2), bios, wants("10.77.0.103"), dhcpv4.WithBroadcast(true))
	b := udp4(netip.AddrPortFrom(netip.IPv4Unspecified(), clientPort), netip.AddrPortFrom(ip("255.255.255.255"), serverPort), discover.ToBytes())
	start := time.Now()
	if _, err := c.WriteTo(ethernet(broadcastMAC, mac(2), etherIPv4, b), &packet.Addr{HardwareAddr: broadcastMAC[:]}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2048)
	n, _, err := c.ReadFrom(buf)
	if err != nil {
		t.Fatalf("no offer: %v", err)
	}
	_, _, payload, _ := udpPayload(buf[14:n])
	offer, err := dhcpv4.FromBytes(payload)
	if err != nil || offer.MessageType() != dhcpv4.MessageTypeOffer || addr4(offer.YourIPAddr) == ip("10.77.0.103") {
		t.Errorf("offer = %v, %v; want another address than the squatted one", offer, err)
	}
	if took := time.Since(start); took < probeTime {
		t.Errorf("offered after %s, want that the free address was asked for for %s", took, probeTime)
	}
	if l, err := m.LeaseAt(t.Context(), ip("10.77.0.103")); err != nil || !l.Declined {
		t.Errorf("squatted address: %+v, %v, want it set aside", l, err)
	}
	if n := s.Stats().Conflicts; n != 1 {
		t.Errorf("conflicts = %d, want 1", n)
	}
}

func TestAdvertiserOnTheWire(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	run(t, 0, "ip", "link", "set", "cli0", "address", mac(1).String(), "up")
	srv, err := net.InterfaceByName("srv0")
	if err != nil {
		t.Fatal(err)
	}
	cli, err := net.InterfaceByName("cli0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ListenND("srv0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { goleak.VerifyNone(t) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	a := &Advertiser{Interface: "srv0", Boots: boots{mac(1): true}}
	go func() { done <- a.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	c, err := packet.Listen(cli, packet.Raw, etherIPv6, &packet.Config{Filter: ndFilter()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	send := func(m pool.MAC) {
		if _, err := c.WriteTo(solicitation(m, linkLocal(m)), &packet.Addr{HardwareAddr: allRouters[:]}); err != nil {
			t.Fatal(err)
		}
	}
	send(mac(2)) // does not boot from us
	send(mac(1))
	buf := make([]byte, 2048)
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			t.Fatalf("no advertisement: %v", err)
		}
		f, ok := parseND(buf[:n])
		if !ok || f.kind != icmpAdvert {
			continue // our own solicitations, and the server's question
		}
		if to := pool.MAC(buf[:6]); to != mac(1) || f.mac != pool.MAC(srv.HardwareAddr) {
			t.Errorf("advertisement from %s to %s", f.mac, to)
		}
		return
	}
}

func TestPortInUse(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	conn, err := Listen(t.Context(), "srv0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if second, err := Listen(t.Context(), "srv0"); err == nil {
		_ = second.Close()
		t.Error("two servers on one port: both would answer")
	}
	if _, err := Listen(t.Context(), "none0"); err == nil || !strings.Contains(fmt.Sprint(err), "none0") {
		t.Errorf("Listen on no interface = %v", err)
	}
}
