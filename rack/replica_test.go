package rack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"appliance/pool"
)

// number returns instance n of the mariadb service, and i of its machine.
func (d *healDay) number(ctx context.Context, n int) (in pool.Instance, i int, err error) {
	s, err := d.api.Service(ctx, "mariadb")
	if err != nil {
		return in, -1, err
	}
	for _, one := range s.Running {
		if one.Number != n || one.Phase == pool.InstanceRemoved {
			continue
		}
		for i, m := range d.rack.Machines {
			if row, err := d.api.Machine(ctx, m.MAC()); err == nil && row.ID == one.Machine {
				return one.Instance, i, nil
			}
		}
		return one.Instance, -1, nil
	}
	return in, -1, fmt.Errorf("service mariadb has no instance %d: %+v", n, s.Running)
}

// primaryAndReplica deploys mariadb with further arguments.
func (d *healDay) primaryAndReplica(ctx context.Context, args ...string) error {
	if err := d.recipes("mariadb"); err != nil {
		return err
	}
	if err := d.deployed(ctx, 45*time.Minute, []string{"mariadb"}, append([]string{"./mariadb"}, args...)...); err != nil {
		return err
	}
	if err := d.roles(ctx, "primary", "replica"); err != nil {
		return err
	}
	// A custom command with an argument, and what it did arrives at the replica.
	if _, err := d.must(ctx, "service", "invoke", "mariadb", "createDatabase", "extra", "--instance", "1"); err != nil {
		return err
	}
	db, err := d.database(ctx, "mariadb", "2.mariadb")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // read only
	return d.until(ctx, time.Minute, "the replica has the database that was made at the primary", func() (bool, error) {
		var name string
		err := db.QueryRowContext(ctx, "SHOW DATABASES LIKE 'extra'").Scan(&name)
		return err == nil && name == "extra", nil //nolint:nilerr // not yet
	})
}

// roles says what the instances are, and that the service's name means the primary.
func (d *healDay) roles(ctx context.Context, want ...string) error {
	out, err := d.must(ctx, "service", "invoke", "mariadb", "role")
	if err != nil {
		return err
	}
	for n, role := range want {
		var line string
		for l := range strings.Lines(out) {
			if strings.HasPrefix(l, fmt.Sprintf("instance %d", n+1)) {
				line = l
			}
		}
		if !strings.Contains(line, role) {
			return fmt.Errorf("instance %d is no %s: %s", n+1, role, out)
		}
		in, _, err := d.number(ctx, n+1)
		if err != nil {
			return err
		}
		m, err := d.api.Machine(ctx, in.Machine)
		if err != nil {
			return err
		}
		addrs, err := resolve(ctx, "mariadb")
		if err != nil {
			return err
		}
		if role == "primary" && (len(addrs) != 1 || addrs[0] != m.Address) {
			return fmt.Errorf("mariadb.%s is %v, want the primary's %s alone", zone, addrs, m.Address)
		}
	}
	return nil
}

// primaryDies kills the primary's machine and cuts its cable: it is switched
// on again first, as every stateful service's is, and does not come back.
func (d *healDay) primaryDies(ctx context.Context) error {
	in, i, err := d.number(ctx, 1)
	if err != nil {
		return err
	}
	m := d.rack.Machines[i]
	at, err := d.insertUntilDeath(ctx, "mariadb", func() error {
		return errors.Join(m.PowerOff(ctx), m.Unplug(ctx, true))
	})
	if err != nil {
		return err
	}
	err = d.until(ctx, 15*time.Minute, "the replica has taken over", func() (bool, error) {
		all, err := d.api.Events(ctx, pool.EventFilter{Type: "instance.promoted", Last: true, Limit: 1})
		return len(all) == 1 && all[0].At.After(at), err
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{"machine.lost", "instance.power-on", "instance.promoted"} {
		if err := d.since(ctx, kind, at); err != nil {
			return err
		}
	}
	if m.On() {
		return errors.New("the lost primary is on: it was not fenced again")
	}
	return errors.Join(d.deathFigures(ctx, in.Machine, at), d.takenOver(ctx))
}

// takenOver says that the service's name means instance 2 now, which has every
// row and takes new ones.
func (d *healDay) takenOver(ctx context.Context) error {
	err := d.until(ctx, 30*time.Second, "the name means the new primary", func() (bool, error) {
		two, _, err := d.number(ctx, 2)
		if err != nil {
			return false, err
		}
		row, err := d.api.Machine(ctx, two.Machine)
		if err != nil {
			return false, err
		}
		addrs, err := resolve(ctx, "mariadb")
		return len(addrs) == 1 && addrs[0] == row.Address, err
	})
	if err != nil {
		return err
	}
	return errors.Join(d.counted(ctx, "mariadb"), d.insert(ctx, "mariadb", 20))
}

// hostOfPrimaryDies kills the host of the primary. Nothing can prove that a host
// is off: the replica takes over once the operator says so.
func (d *healDay) hostOfPrimaryDies(ctx context.Context) error {
	in, _, err := d.number(ctx, 1)
	if err != nil {
		return err
	}
	m, err := d.api.Machine(ctx, in.Machine)
	if err != nil {
		return err
	}
	var dies *box
	for _, b := range d.running {
		if b.name == m.Name {
			dies = b
		}
	}
	if dies == nil {
		return fmt.Errorf("the primary runs on %s, which is no host of ours", m.Name)
	}
	at, err := d.insertUntilDeath(ctx, "mariadb", dies.end)
	if err != nil {
		return err
	}
	err = d.until(ctx, 5*time.Minute, "the service waits for the operator", func() (bool, error) {
		s, err := d.api.Service(ctx, "mariadb")
		return s.Cause != nil && s.Cause.Code == "heal.unproved", err
	})
	if err != nil {
		return err
	}
	if err := errors.Join(d.since(ctx, "machine.lost", at), d.since(ctx, "instance.waiting", at)); err != nil {
		return err
	}
	out, err := d.must(ctx, "service", "show", "mariadb")
	if err != nil {
		return err
	}
	for _, words := range []string{"nothing proves that it is off", "appliance service recover mariadb --machine-off"} {
		if !strings.Contains(out, words) {
			return fmt.Errorf("it does not say %q", words)
		}
	}
	if addrs, err := resolve(ctx, "mariadb"); err != nil || len(addrs) != 1 || addrs[0] == m.Address {
		return fmt.Errorf("the name of the lost primary's service is %v, %w", addrs, err)
	}
	if _, err := d.must(ctx, "service", "recover", "mariadb", "--machine-off"); err != nil {
		return err
	}
	err = d.until(ctx, 5*time.Minute, "the replica has taken over", func() (bool, error) {
		all, err := d.api.Events(ctx, pool.EventFilter{Type: "instance.promoted", Last: true, Limit: 1})
		return len(all) == 1 && all[0].At.After(at), err
	})
	if err != nil {
		return err
	}
	return errors.Join(d.since(ctx, "instance.override", at), d.takenOver(ctx))
}

// anotherReplica waits for the lost instance, which is made anew on the spare.
func (d *healDay) anotherReplica(ctx context.Context) error {
	err := d.until(ctx, 25*time.Minute, "instance 1 runs on the spare", func() (bool, error) {
		in, _, err := d.number(ctx, 1)
		return in.Phase == pool.InstanceRunning, err
	})
	if err != nil {
		return err
	}
	if err := d.roles(ctx, "replica", "primary"); err != nil {
		return err
	}
	if err := d.insert(ctx, "mariadb", 20); err != nil {
		return err
	}
	return d.until(ctx, time.Minute, "the new replica has every row", func() (bool, error) {
		return d.counted(ctx, "1.mariadb") == nil, nil
	})
}
