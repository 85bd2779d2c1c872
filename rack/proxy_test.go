package rack_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// TestE2EProxy: dnsmasq gives the addresses of the rack. The appliance finds
// that out, says what to boot and gives none; a machine netboots into the pool
// and a service is deployed on it.
func TestE2EProxy(t *testing.T) { minutes(t, "proxied") }

// otherServer is the DHCP server that the rack had before.
const otherServer = "10.77.0.2"

func proxied(ctx context.Context) error {
	return site{machines: metal(1, 768), before: func(ctx context.Context, d *healDay) error { return d.otherDHCP(ctx) }}.run(ctx,
		func(d *healDay) []healStage {
			return []healStage{
				{"a machine netboots once the other server was found", d.netbootsBeside},
				{"the other server gave its address", d.leasedElsewhere},
				{"a service runs", func(ctx context.Context) error {
					if err := d.recipeOf("web", 8080, false); err != nil {
						return err
					}
					return d.deployed(ctx, 15*time.Minute, []string{"web"}, "./web")
				}},
				{"it answers, at an address of the other server", func(ctx context.Context) error {
					key, err := d.get(ctx)
					if err == nil && !strings.HasPrefix(key, "key-") {
						err = fmt.Errorf("it shows %q", key)
					}
					return errors.Join(err, d.leasedElsewhere(ctx))
				}},
			}
		})
}

// otherDHCP starts dnsmasq in a network namespace at the other end of the
// bridge's uplink.
func (d *healDay) otherDHCP(ctx context.Context) error {
	const serve = `until ip link show uplink-end; do sleep 0.1; done
ip address add %s/24 dev uplink-end
ip link set uplink-end up
exec dnsmasq --keep-in-foreground --port=0 --no-ping --conf-file=/dev/null --bind-interfaces --interface=uplink-end --log-dhcp --log-facility=- \
 --dhcp-range=10.77.0.200,10.77.0.219,1h --dhcp-leasefile=%s --user=root --pid-file=`
	out, err := os.Create(filepath.Join(d.dir, "dnsmasq.log"))
	if err != nil {
		return err
	}
	defer out.Close()                                                                                                            //nolint:errcheck // a duplicate; dnsmasq has its own
	cmd := exec.Command("unshare", "--net", "sh", "-c", fmt.Sprintf(serve, otherServer, filepath.Join(d.dir, "dnsmasq.leases"))) //nolint:noctx // ends with the day
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	d.after = append(d.after, func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // killed
		return err
	})
	// Until unshare has made its namespace the link would stay in ours.
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	err = d.until(ctx, 10*time.Second, "dnsmasq has a network of its own", func() (bool, error) {
		its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
		return its != ours, err
	})
	if err != nil {
		return err
	}
	if text, err := exec.CommandContext(ctx, "ip", "link", "set", "uplink-end", "netns", strconv.Itoa(cmd.Process.Pid)).CombinedOutput(); err != nil {
		return fmt.Errorf("give dnsmasq its link: %w: %s", err, text)
	}
	return seen(ctx, out.Name(), "DHCP, IP range 10.77.0.200")
}

// netbootsBeside waits until the appliance has decided: until then it is
// silent, and a machine would find nothing to boot.
func (d *healDay) netbootsBeside(ctx context.Context) error {
	err := d.until(ctx, time.Minute, "the appliance is a proxyDHCP server", func() (bool, error) {
		all, err := d.api.Events(ctx, pool.EventFilter{Type: "dhcp.mode", Last: true, Limit: 1})
		return len(all) == 1 && strings.Contains(all[0].Message, "proxyDHCP"), err
	})
	if err != nil {
		return err
	}
	if err := d.netboot(ctx, 0); err != nil {
		return err
	}
	_, err = d.machine(ctx, 0, 15*time.Minute, "is ready", func(m wire.Machine) bool { return m.Phase == pool.Ready })
	return err
}

// leasedElsewhere says whether the machine's address is the other server's,
// and whether the appliance knows what it is there and beside whom.
func (d *healDay) leasedElsewhere(ctx context.Context) error {
	m, err := d.api.Machine(ctx, d.rack.Machines[0].MAC())
	if err != nil {
		return err
	}
	theirs := func(a netip.Addr) bool {
		return a.Compare(netip.MustParseAddr("10.77.0.200")) >= 0 && a.Compare(netip.MustParseAddr("10.77.0.219")) <= 0
	}
	if !theirs(m.Address) || len(m.Leases) != 0 {
		return fmt.Errorf("%s is at %s and has the leases %v, want an address of %s and no lease of ours", m.Name, m.Address, m.Leases, otherServer)
	}
	for kind, text := range map[string]string{"dhcp.mode": "proxyDHCP", "dhcp.foreign": otherServer} {
		all, err := d.api.Events(ctx, pool.EventFilter{Type: kind, Last: true, Limit: 1})
		if err != nil {
			return err
		}
		if len(all) != 1 || !strings.Contains(all[0].Message, text) {
			return fmt.Errorf("events %s: %v, want one with %q", kind, all, text)
		}
		d.say("%s", all[0].Message)
	}
	d.say("%s, %s, at %s", m.Name, m.Phase, m.Address)
	return nil
}
