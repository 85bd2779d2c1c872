package rack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
	"appliance/rack"
)

// TestE2EThreeDrivers puts one recipe, byte for byte, on metal, on a virtual
// machine and on a host that already runs.
func TestE2EThreeDrivers(t *testing.T) { minutes(t, "drivers") }

// TestE2EApplicationOnVMs is the shop on two virtual machines: only the
// services' compute template differs.
func TestE2EApplicationOnVMs(t *testing.T) { minutes(t, "shopOnVMs") }

// TestE2EApplicationOnHosts is the shop on two hosts that already run.
func TestE2EApplicationOnHosts(t *testing.T) { inWorld(t, "shopOnHosts") }

func drivers(ctx context.Context) error {
	host := rack.Spec{MemoryMB: 768}
	return site{machines: append(metal(1, 768), host), pooled: 1, config: hypervisorConfig(), before: func(ctx context.Context, d *healDay) error {
		return errors.Join(d.hypervisor(ctx), d.hosts(ctx, 1))
	}}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"a host is adopted", func(ctx context.Context) error { return d.adopt(ctx, 1) }},
			{"one recipe runs on all three", d.greeters},
			{"all three are given back", d.givenBack},
		}
	})
}

func shopOnVMs(ctx context.Context) error {
	return site{machines: metal(1, 128), limit: 90 * time.Minute, config: hypervisorConfig(), before: func(ctx context.Context, d *healDay) error {
		return d.hypervisor(ctx)
	}}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"the shop runs on two virtual machines", func(ctx context.Context) error { return d.shop(ctx, "vm") }},
			{"rows are written and read through the front", d.rowsThrough},
			{"both are virtual", func(ctx context.Context) error { return d.both(ctx, pool.DriverVM) }},
		}
	})
}

func shopOnHosts(ctx context.Context) error {
	return site{machines: metal(1, 128)}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"two hosts run", func(ctx context.Context) error { return d.boxes(ctx, 0, 1) }},
			{"they are adopted", func(ctx context.Context) error { return d.adopt(ctx, 0, 1) }},
			{"the shop runs on two hosts", func(ctx context.Context) error { return d.shop(ctx, "host") }},
			{"rows are written and read through the front", d.rowsThrough},
			{"both are hosts", func(ctx context.Context) error { return d.both(ctx, pool.DriverSSH) }},
			{"the front follows the database", d.followed},
		}
	})
}

// followed has the database say that it is elsewhere, and back again: the front
// goes there by itself, and passes connections on in the end.
func (d *healDay) followed(ctx context.Context) error {
	was, err := d.api.Attribute(ctx, baseService, "endpoint")
	if err != nil {
		return err
	}
	for _, at := range []json.RawMessage{[]byte(`"10.77.0.250:3306"`), was.Value} {
		var want string
		if err := json.Unmarshal(at, &want); err != nil {
			return err
		}
		if _, err := d.api.SetAttribute(ctx, "service:"+baseService, "endpoint", wire.AttributeRequest{Value: at}); err != nil {
			return err
		}
		err := d.until(ctx, 2*time.Minute, "the front tells "+want, func() (bool, error) {
			told, err := page(ctx, "http://"+frontName+"."+zone+"./backend")
			return told == want, err
		})
		if err != nil {
			return err
		}
	}
	db, err := d.database(ctx, baseService, frontName)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it is asked whether it is there
	// It tells where it goes a moment before it goes there.
	err = d.until(ctx, time.Minute, "connections are passed on", func() (bool, error) { return db.PingContext(ctx) == nil, nil })
	if err != nil {
		return err
	}
	return d.rowsThrough(ctx)
}

func (d *healDay) rowsThrough(ctx context.Context) error {
	return errors.Join(d.insert(ctx, frontName, 100), d.counted(ctx, frontName))
}

func (d *healDay) both(ctx context.Context, want pool.Driver) error {
	for _, name := range []string{frontService, baseService} {
		m, err := d.machineOf(ctx, name)
		if err != nil {
			return err
		}
		if m.Driver.Or() != want {
			return fmt.Errorf("%s runs on %s, which is of driver %s, want %s", name, m.Name, m.Driver.Or(), want)
		}
		d.say("%s runs on %s (%s)", name, m.Name, m.Driver)
	}
	return nil
}

// machineOf is the machine of a service's only instance.
func (d *healDay) machineOf(ctx context.Context, service string) (pool.Machine, error) {
	s, err := d.api.Service(ctx, service)
	if err != nil {
		return pool.Machine{}, err
	}
	if len(s.Running) != 1 || s.Running[0].Machine == "" {
		return pool.Machine{}, fmt.Errorf("service %s has instances %+v", service, s.Running)
	}
	m, err := d.api.Machine(ctx, s.Running[0].Machine)
	return m.Machine, err
}

var greeterOn = map[string]struct {
	template string
	driver   pool.Driver
}{
	"on-metal": {"SMALL_LINUX", pool.DriverMetal},
	"on-vm":    {"vm", pool.DriverVM},
	"on-host":  {"host", pool.DriverSSH},
}

// greeters deploys the same folder three times and looks at the digest that
// the events of each carry.
func (d *healDay) greeters(ctx context.Context) error {
	if err := os.CopyFS(filepath.Join(d.dir, "greeter"), os.DirFS("../cmd/appliance/testdata/greeter")); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(greeterOn))
	for _, name := range names {
		if err := d.deployed(ctx, 0, nil, "./greeter", "--name", name, "--template", greeterOn[name].template); err != nil {
			return err
		}
	}
	digests := map[string]bool{}
	for _, name := range names {
		if err := d.runs(ctx, name, 20*time.Minute); err != nil {
			return err
		}
		m, err := d.machineOf(ctx, name)
		if err != nil {
			return err
		}
		if m.Driver.Or() != greeterOn[name].driver {
			return fmt.Errorf("%s runs on %s, which is of driver %s", name, m.Name, m.Driver.Or())
		}
		text, err := page(ctx, "http://"+name+"."+zone+".:18080/")
		if err != nil || text != "hello from Linux, instance 1" {
			return fmt.Errorf("%s says %q, %w", name, text, err)
		}
		all, err := d.api.Events(ctx, pool.EventFilter{Service: name, Last: true, Limit: 1000})
		if err != nil {
			return err
		}
		n, mine := 0, map[string]bool{}
		for _, e := range all {
			if e.Digest != "" {
				digests[e.Digest], mine[e.Digest] = true, true
				n++
			}
		}
		if n == 0 {
			return fmt.Errorf("no event of %s carries the recipe's digest", name)
		}
		d.say("%s on %s (%s) says %q; %d events carry digest %s", name, m.Name, m.Driver.Or(), text, n, slices.Collect(maps.Keys(mine)))
	}
	if len(digests) != 1 {
		return fmt.Errorf("the events carry %d digests: %v", len(digests), digests)
	}
	return nil
}

func (d *healDay) givenBack(ctx context.Context) error {
	vm, err := d.machineOf(ctx, "on-vm")
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(greeterOn)) {
		if out, err := d.cli(ctx, "service", "remove", name, "--wipe", name); err != nil {
			return fmt.Errorf("remove %s: %w: %s", name, err, out)
		}
	}
	err = d.until(ctx, 5*time.Minute, "the metal is ready, the virtual machine gone, the host free", func() (bool, error) {
		m, err := d.api.Machine(ctx, d.rack.Machines[0].MAC())
		if err != nil {
			return false, err
		}
		gone, err := d.api.Machine(ctx, vm.ID)
		if err != nil && !errors.Is(err, pool.ErrNotFound) {
			return false, err
		}
		h, err := d.api.Host(ctx, "box1")
		return m.Phase == pool.Ready && (gone.ID == "" || gone.Phase == pool.Retired) && h.State == pool.HostFree, err
	})
	if err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(d.dir, "libvirt", "appliance", "*"))
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("libvirt keeps %v", left)
	}
	return err
}

// adopt brings hosts that run into the pool, as an operator does.
func (d *healDay) adopt(ctx context.Context, machines ...int) error {
	var list []string
	for _, i := range machines {
		list = append(list, hostAddr(i))
	}
	for _, addr := range list {
		err := d.until(ctx, 5*time.Minute, "the SSH server of "+addr+" answers", func() (bool, error) {
			c, err := byName(ctx, "tcp", addr+":22")
			if err != nil {
				return false, nil //nolint:nilerr // not yet
			}
			return true, c.Close()
		})
		if err != nil {
			return err
		}
	}
	out, err := d.must(ctx, "host", "add", "--list", strings.Join(list, ","), "--id", "box{0}", "--user", "root", "--key", filepath.Join(d.dir, "operator"))
	if err == nil && strings.Count(out, "FREE") != len(list) {
		err = fmt.Errorf("not all are FREE: %s", out)
	}
	return err
}
