package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"appliance/dns"
	"appliance/pool"
)

// dnsConfig says for which zone the appliance answers; none: it does not.
type dnsConfig struct {
	Zone     string           `yaml:"zone"`
	Listen   string           `yaml:"listen"`   // ADDRESS:PORT; port 53 of the served interface when empty
	Upstream []netip.AddrPort `yaml:"upstream"` // who is asked for what is not ours
}

func (c dnsConfig) check() error {
	if c.Zone == "" {
		return nil
	}
	if what := dns.CheckZone(c.Zone); what != "" {
		return fmt.Errorf("%w: dns: zone %q: %s", pool.ErrInvalid, c.Zone, what)
	}
	return nil
}

// namesEvery is how long the names of the zone are kept before they are read anew.
const namesEvery = 200 * time.Millisecond

// nameRows is what names are made of.
type nameRows interface {
	Machines(ctx context.Context) ([]pool.Machine, error)
	Services(ctx context.Context) ([]pool.Service, error)
	Instances(ctx context.Context, service string) ([]pool.Instance, error)
	Attribute(ctx context.Context, scope, name string) (pool.Attribute, error)
}

// primaryAttribute is an attribute of a service: the number of the instance
// that its clients are to reach, where its instances are not alike.
const primaryAttribute = "primary"

// names is the zone's directory: what the tables say, read at most five times a second.
type names struct {
	rows nameRows

	mu    sync.Mutex
	table map[string][]netip.Addr
	names map[netip.Addr]string
	read  time.Time
}

// Lookup implements dns.Directory.
func (n *names) Lookup(ctx context.Context, name string) ([]netip.Addr, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refresh(ctx); err != nil {
		return nil, false, err
	}
	addrs, ok := n.table[name]
	return addrs, ok, nil
}

// Reverse implements dns.Directory.
func (n *names) Reverse(ctx context.Context, addr netip.Addr) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refresh(ctx); err != nil {
		return "", err
	}
	return n.names[addr.Unmap()], nil
}

// refresh reads the names anew when they are old. It is called with the lock held.
func (n *names) refresh(ctx context.Context) error {
	if n.table != nil && time.Since(n.read) < namesEvery {
		return nil
	}
	table, err := nameTable(ctx, n.rows)
	if err != nil {
		return err
	}
	n.table, n.names, n.read = table, reverseTable(table), time.Now()
	return nil
}

// reverseTable names each address by the longest of its names that means it
// alone: an instance's before its machine's, for that is what people ask for.
func reverseTable(table map[string][]netip.Addr) map[netip.Addr]string {
	out := map[netip.Addr]string{}
	for name, addrs := range table {
		numbered := strings.HasPrefix(strings.TrimLeft(name, "0123456789"), ".") && name[0] != '.'
		if len(addrs) != 1 {
			continue
		}
		a := addrs[0].Unmap()
		old := out[a]
		oldNumbered := old != "" && strings.HasPrefix(strings.TrimLeft(old, "0123456789"), ".")
		switch {
		case old == "", numbered && !oldNumbered:
			out[a] = name
		case numbered == oldNumbered && (len(name) > len(old) || len(name) == len(old) && name < old):
			out[a] = name
		}
	}
	return out
}

// withNames tells machines of the zone that the appliance answers for: DHCP
// options 6 and 15 of subnets that say neither themselves.
func withNames(subnets []pool.Subnet, c dnsConfig, addr netip.Addr) []pool.Subnet {
	if c.Zone == "" || !addr.Is4() {
		return subnets
	}
	if c.Listen != "" { // only where machines ask
		at, err := netip.ParseAddrPort(c.Listen)
		if err != nil || at.Port() != 53 || !at.Addr().IsUnspecified() && at.Addr() != addr {
			return subnets
		}
	}
	out := slices.Clone(subnets)
	for i := range out {
		s := &out[i]
		if len(s.DNS) > 0 || !s.Prefix.Addr().Is4() {
			continue
		}
		s.DNS = []netip.Addr{addr}
		if s.Domain == "" {
			s.Domain = strings.Trim(c.Zone, ".")
		}
	}
	return out
}

// nameTable holds SERVICE, N.SERVICE, SERVICE.APP, N.SERVICE.APP and, for
// hosts that ask by their own name, SERVICE-N and the machines' names. A
// service has the addresses of its instances that run; where it says which of
// these is the primary, that one's alone. Where a machine is called as a
// service is, the service has the name.
func nameTable(ctx context.Context, rows nameRows) (map[string][]netip.Addr, error) {
	machines, err := rows.Machines(ctx)
	if err != nil {
		return nil, err
	}
	services, err := rows.Services(ctx)
	if err != nil {
		return nil, err
	}
	instances, err := rows.Instances(ctx, "")
	if err != nil {
		return nil, err
	}
	at := map[string]netip.Addr{}
	for _, m := range machines {
		at[m.ID] = m.Address
	}
	table := map[string][]netip.Addr{}
	of := map[string][]string{} // names of a service
	for _, s := range services {
		if s.Phase == pool.ServiceRemoved {
			continue
		}
		of[s.Name] = []string{strings.ToLower(s.BaseName() + "." + s.ApplicationName())}
		if s.Application == "" {
			of[s.Name] = append(of[s.Name], strings.ToLower(s.Name))
		}
		for _, name := range of[s.Name] {
			table[name] = nil
		}
		if app := strings.ToLower(s.ApplicationName()); table[app] == nil {
			table[app] = nil // there are names below it
		}
	}
	first, err := primaries(ctx, rows, instances)
	if err != nil {
		return nil, err
	}
	for _, in := range instances {
		if addr := at[in.Machine]; in.Phase == pool.InstanceRunning && addr.IsValid() {
			n, primary := strconv.Itoa(in.Number), first[in.Service]
			for _, name := range of[in.Service] {
				if primary == 0 || primary == in.Number {
					table[name] = append(table[name], addr)
				}
				table[n+"."+name] = []netip.Addr{addr}
				if !strings.Contains(name, ".") {
					table[name+"-"+n] = []netip.Addr{addr}
				}
			}
		}
	}
	for _, m := range machines {
		if name := strings.ToLower(m.Name); m.Address.IsValid() {
			if _, taken := table[name]; !taken {
				table[name] = []netip.Addr{m.Address}
			}
		}
	}
	return table, nil
}

// primaries says which instance is the primary, of services that have several
// and whose primary runs.
func primaries(ctx context.Context, rows nameRows, instances []pool.Instance) (map[string]int, error) {
	running := map[string][]int{}
	for _, in := range instances {
		if in.Phase == pool.InstanceRunning {
			running[in.Service] = append(running[in.Service], in.Number)
		}
	}
	out := map[string]int{}
	for service, numbers := range running {
		if len(numbers) < 2 {
			continue
		}
		a, err := rows.Attribute(ctx, "service:"+service, primaryAttribute)
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n, err := strconv.Atoi(strings.Trim(a.Value, `"`)); err == nil && slices.Contains(numbers, n) {
			out[service] = n
		}
	}
	return out, nil
}

// nameServer is the zone's server and its sockets.
type nameServer struct {
	server *dns.Server
	udp    net.PacketConn
	tcp    net.Listener
}

// openNames opens the sockets of the zone; nil when there is none.
func (s *appliance) openNames(ctx context.Context) (*nameServer, error) {
	c := s.config.DNS
	if c.Zone == "" {
		return nil, nil
	}
	addr := first(c.Listen, netip.AddrPortFrom(s.addr, 53).String())
	n := &nameServer{server: &dns.Server{Zone: c.Zone, Addr: s.addr, Upstream: c.Upstream, Names: &names{rows: s.db}, Log: s.log}}
	var lc net.ListenConfig
	var err error
	if n.udp, err = lc.ListenPacket(ctx, "udp", addr); err != nil {
		return nil, inUse("listen for DNS", err)
	}
	if n.tcp, err = lc.Listen(ctx, "tcp", addr); err != nil {
		_ = n.udp.Close()
		return nil, inUse("listen for DNS", err)
	}
	return n, nil
}

func (n *nameServer) run(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return n.server.ServeUDP(ctx, n.udp) })
	g.Go(func() error { return n.server.ServeTCP(ctx, n.tcp) })
}
