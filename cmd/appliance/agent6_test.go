package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"appliance/agent"
	"appliance/dhcp"
	"appliance/pool"
)

// TestAgentByIPv6: where nobody gives IPv4 addresses and routers let no host
// make one of its own, the agent gets its address by DHCPv6, and keeps it.
func TestAgentByIPv6(t *testing.T) {
	if os.Getenv("AGENT6") != "" {
		agentSix(t)
		return
	}
	other, inside := inNamespace(t)
	if !inside {
		return
	}
	for _, args := range []string{"-n " + other + " addr flush dev eth0 scope global", "addr add fd77::1/64 dev eth0 nodad"} {
		if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil { //nolint:gosec // the lines above
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	prefix, addr := netip.MustParsePrefix("fd77::/64"), netip.MustParseAddr("fd77::1")
	seen := make(chan pool.BootEvent, 100)
	s := &dhcp.Server{Interface: "eth0", Addr: netip.MustParseAddr("10.99.0.1"), Addr6: addr, Leases: &leaseBook{}, Directory: anybody{},
		Boot: func(e pool.BootEvent) { seen <- e },
		Subnets: []pool.Subnet{{Name: "six", Prefix: prefix, First: netip.MustParseAddr("fd77::100"), Last: netip.MustParseAddr("fd77::1ff"),
			Lease: 2 * time.Minute, Advertise: &pool.Advertise{Managed: true}}}}
	conn, err := dhcp.ListenND("eth0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for _, f := range []func() error{
		func() error { return s.Serve6(ctx) },
		func() error { return (&dhcp.Advertiser{Interface: "eth0", Boots: s, Networks: s}).Serve(ctx, conn) },
	} {
		wg.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", other, os.Args[0], "-test.run", "^TestAgentByIPv6$", "-test.v") //nolint:gosec // this very test
	cmd.Env = append(os.Environ(), "AGENT6=inside")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("agent: %v\n%s", err, out)
	}
	n := 0
	for len(seen) > 0 {
		if e := <-seen; e.Stage == pool.StageAgentIP && prefix.Contains(e.Address) {
			n++
		}
	}
	if n < 1 {
		t.Errorf("the timeline does not show the agent's address\n%s", out)
	}
}

// anybody knows each MAC.
type anybody struct{}

func (anybody) Answer(context.Context, pool.MAC, pool.Client, pool.Subnet) (pool.BootAnswer, bool, error) {
	return pool.BootAnswer{}, true, nil
}

// agentSix is the machine's side.
func agentSix(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	eth0, err := net.InterfaceByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	n := &agent.Network{MAC: pool.MAC(eth0.HardwareAddr)}
	b, err := n.Up(ctx)
	if err != nil {
		t.Fatal(err)
	}
	again, err := n.Renew(ctx, b)
	if err != nil || again.Address != b.Address || !netip.MustParsePrefix("fd77::100/120").Contains(b.Address.Addr()) {
		t.Errorf("bound %s, renewed %s, %v", b.Address, again.Address, err)
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: b.Address.Addr().AsSlice()}}
	c, err := d.DialContext(ctx, "tcp6", "[fd77::1]:9") // refused by who is there: the way works
	if err == nil {
		_ = c.Close()
	} else if !strings.Contains(err.Error(), "refused") {
		t.Errorf("the appliance is not reached from %s: %v", b.Address, errors.Unwrap(err))
	}
}
