package rack_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
	"appliance/rack"
)

// badDayConfig lets in what leases from the range, which m0 does; m1 has its
// address elsewhere, as a server that is nobody's business here would.
func (d *day) badDayConfig() string {
	reserved := "02:00:00:00:ff:01" // nobody's
	if len(d.rack.Machines) > 1 {
		reserved = d.rack.Machines[1].MAC()
	}
	return fmt.Sprintf(`data: %s
interface: %s
subnets:
  - name: rack
    prefix: %s
    first: 10.77.0.100
    last: 10.77.0.119
    discover: true
    reserve: { "%s": 10.77.0.130 }
accept:
  - name: range
    subnet: 10.77.0.96/27
image: debian-12
`, filepath.Join(d.dir, "data"), rack.Bridge, rack.Subnet(), reserved)
}

// start starts "appliance serve" and returns when it answers.
func (d *day) start(ctx context.Context) error {
	config := filepath.Join(d.dir, "appliance.yaml")
	text := d.config
	if text == "" {
		text = d.badDayConfig()
	}
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(d.dir, "appliance.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()                                                               //nolint:errcheck // a duplicate; the appliance has its own
	d.serve = exec.Command(os.Getenv("APPLIANCE_BIN"), "serve", "--config", config) //nolint:noctx // ends by kill or with the world
	d.serve.Env, d.serve.Stdout, d.serve.Stderr = rack.Environ(), log, log
	if err := d.serve.Start(); err != nil {
		return err
	}
	return d.until(ctx, time.Minute, "the appliance answers", func() (bool, error) {
		if d.api == nil {
			data := filepath.Join(d.dir, "data")
			token, err := os.ReadFile(filepath.Join(data, "admin.token"))
			if err != nil {
				return false, nil //nolint:nilerr // not yet
			}
			c, err := client.New(client.Options{URL: "https://10.77.0.1:8443", Token: strings.TrimSpace(string(token)), CAFile: filepath.Join(data, "ca", "ca.pem")})
			if err != nil {
				return false, err
			}
			d.api = c
		}
		return d.api.Health(ctx) == nil, nil
	})
}

// kill is kill -9.
func (d *day) kill() error {
	if err := d.serve.Process.Kill(); err != nil {
		return err
	}
	if err := d.serve.Wait(); err == nil {
		return errors.New("the appliance ended by itself")
	}
	return nil
}

// cli runs an appliance command as a person would.
func (d *day) cli(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, os.Getenv("APPLIANCE_BIN"), args...)
	cmd.Env = append(rack.Environ(), "APPLIANCE_CONFIG="+filepath.Join(d.dir, "appliance.yaml"))
	cmd.Dir = d.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// refused runs a command that has to fail with exit code 1 and say all of words.
func (d *day) refused(ctx context.Context, words []string, args ...string) error {
	out, err := d.cli(ctx, args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("appliance %s: %v, want exit code 1: %s", strings.Join(args, " "), err, out)
	}
	d.say("$ appliance %s\n%s", strings.Join(args, " "), strings.TrimSpace(out))
	for _, w := range words {
		if !strings.Contains(out, w) {
			return fmt.Errorf("appliance %s: it does not say %q: %s", strings.Join(args, " "), w, out)
		}
	}
	return nil
}

func (d *day) until(ctx context.Context, limit time.Duration, what string, ok func() (bool, error)) error {
	for deadline := time.Now().Add(limit); ; {
		done, err := ok()
		if err != nil {
			return fmt.Errorf("wait until %s: %w", what, err)
		}
		if done {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait until %s: not within %s", what, limit)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// machine waits until what the appliance says of machine i is as ok wants it.
func (d *day) machine(ctx context.Context, i int, limit time.Duration, what string, ok func(wire.Machine) bool) (m wire.Machine, err error) {
	err = d.until(ctx, limit, fmt.Sprintf("m%d %s", i, what), func() (bool, error) {
		m, err = d.api.Machine(ctx, d.rack.Machines[i].MAC())
		if errors.Is(err, pool.ErrNotFound) {
			return false, nil
		}
		return err == nil && ok(m), err
	})
	if err != nil {
		err = fmt.Errorf("%w; it is %s: %s", err, m.Phase, m.Sentence)
	}
	return m, err
}

func (d *day) netboot(ctx context.Context, i int) error {
	m := d.rack.Machines[i]
	if err := m.SetBoot(ctx, rack.BootPXE, false); err != nil {
		return err
	}
	if !m.On() {
		return m.PowerOn(ctx)
	}
	return m.PowerReset(ctx)
}

// untouched says whether disk i is as it was before the day began.
func (d *day) untouched(i int) error {
	now, err := sumDisk(d.rack.Machines[i].Spec.Disks[0].Path)
	if err == nil && now != d.disks[i] {
		err = fmt.Errorf("the disk of m%d was written to: %s, before %s", i, now, d.disks[i])
	}
	return err
}

// empty says whether every byte of disk i is zero.
func (d *day) empty(i int) error {
	now, err := sumDisk(d.rack.Machines[i].Spec.Disks[0].Path)
	if err == nil && now.bytes != 0 {
		err = fmt.Errorf("the disk of m%d holds %d bytes after a wipe, the first at %d", i, now.bytes, now.first)
	}
	return err
}
