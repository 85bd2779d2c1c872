package rack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/pool"
	"appliance/rack"
)

// zone is what the appliance answers for in the long tests.
const zone = "rack.internal"

// minutes runs a role that takes minutes in a world of its own.
func minutes(t *testing.T, role string) {
	t.Helper()
	e2e(t)
	if os.Getenv("RACK_E2E_LONG") == "" {
		t.Skip("takes some minutes: RACK_E2E_LONG=1, as make e2e-long has it")
	}
	inWorld(t, role)
}

// inWorld runs a role in a world of its own.
func inWorld(t *testing.T, role string) {
	t.Helper()
	e2e(t)
	f, code, _ := world(t, role)
	if got := <-code; got != 0 {
		t.Errorf("exit code %d; what went wrong is above", got)
		show(t, filepath.Join(f.Dir, "appliance.log"))
		logs, _ := filepath.Glob(filepath.Join(f.Dir, "m*", "console.log"))
		for _, l := range logs {
			show(t, l)
		}
	}
}

// site is what a long test stands on.
type site struct {
	machines []rack.Spec
	image    string        // file of the machines' image; empty: that of amd64
	pooled   int           // the first of them netboot into the pool; the others run already, or are off
	config   string        // further lines of the appliance's configuration
	limit    time.Duration // of all stages; 40 minutes when zero
	before   func(ctx context.Context, d *healDay) error
}

// metal is n machines of the pool.
func metal(n, memoryMB int) []rack.Spec {
	out := make([]rack.Spec, n)
	for i := range out {
		out[i] = rack.Spec{MemoryMB: memoryMB, Boot: rack.BootPXE}
	}
	return out
}

// run raises the site and goes through the stages.
func (s site) run(ctx context.Context, stages func(*healDay) []healStage) (err error) {
	limit := s.limit
	if limit == 0 {
		limit = 40 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, _ := rack.Inside()
	d := &healDay{day: day{dir: dir, began: time.Now()}, pooled: s.pooled, image: s.image}
	defer func() { err = errors.Join(err, d.keepLogs(err)) }()
	if d.rack, err = rack.Raise(ctx, rack.Config{Machines: s.machines, Accel: os.Getenv("RACK_ACCEL")}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.rack.Close()) }()
	defer func() {
		for _, end := range d.after {
			err = errors.Join(err, end())
		}
	}()
	d.config = fmt.Sprintf("data: %s\ninterface: %s\nsubnets:\n  - name: rack\n    prefix: %s\n    first: 10.77.0.100\n    last: 10.77.0.119\n    discover: true\n"+
		"accept:\n  - name: all\nimage: debian-12\ndns: {zone: %s}\n", filepath.Join(dir, "data"), rack.Bridge, rack.Subnet(), zone)
	if p := os.Getenv("APPLIANCE_PACKAGES"); p != "" {
		d.config += "packages: " + p + "\n"
	}
	key, err := d.operatorKey(ctx)
	if err != nil {
		return err
	}
	d.config += fmt.Sprintf("ssh_keys: [%q]\n", key) + s.config
	if s.before != nil {
		if err := s.before(ctx, d); err != nil {
			return err
		}
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.kill()) }()
	for _, stage := range append([]healStage{{"the machines are ready", d.ready}}, stages(d)...) {
		if err := stage.run(ctx); err != nil {
			return fmt.Errorf("%s: %w\n%s%s", stage.name, err, d.story(context.WithoutCancel(ctx)), d.journals(context.WithoutCancel(ctx)))
		}
		d.say("%s: as it should be", stage.name)
	}
	return nil
}

// operatorKey makes the SSH key of this site's operator and returns its public half.
func (d *healDay) operatorKey(ctx context.Context) (string, error) {
	path := filepath.Join(d.dir, "operator")
	if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", path).CombinedOutput(); err != nil {
		return "", fmt.Errorf("ssh-keygen: %w: %s", err, out)
	}
	b, err := os.ReadFile(path + ".pub")
	return strings.TrimSpace(string(b)), err
}

// journals is what services printed and the journals of their machines hold,
// for who reads a failure.
func (d *healDay) journals(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var b strings.Builder
	services, err := d.api.Services(ctx)
	if err != nil {
		return err.Error()
	}
	for _, s := range services {
		out, err := d.cli(ctx, "service", "logs", s.Name, "--limit", "40")
		fmt.Fprintf(&b, "$ appliance service logs %s\n%s%v\n", s.Name, out, err)
		for _, in := range s.Running {
			m, err := d.api.Machine(ctx, in.Machine)
			if err != nil || !m.Address.IsValid() {
				continue
			}
			cmd := exec.CommandContext(ctx, "ssh", "-i", filepath.Join(d.dir, "operator"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
				"-o", "ConnectTimeout=10", "-o", "BatchMode=yes", "root@"+m.Address.String(), "systemctl --failed --no-pager; journalctl --no-pager -n 60 -o cat")
			text, err := cmd.CombinedOutput()
			fmt.Fprintf(&b, "journal of %s (%v):\n%s\n", m.Name, err, text)
		}
	}
	return b.String()
}

// keepLogs copies what a failed day left to where RACK_TEST_LOGS says.
func (d *healDay) keepLogs(failed error) error {
	to := os.Getenv("RACK_TEST_LOGS")
	if failed == nil || to == "" {
		return nil
	}
	logs, err := filepath.Glob(filepath.Join(d.dir, "*.log"))
	more, err2 := filepath.Glob(filepath.Join(d.dir, "m*", "*.log"))
	if err := errors.Join(err, err2, os.MkdirAll(to, 0o755)); err != nil {
		return err
	}
	for _, l := range append(logs, more...) {
		name := strings.ReplaceAll(strings.TrimPrefix(l, d.dir+"/"), "/", "-")
		b, err := os.ReadFile(l)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recipes copies shipped recipes into the folder that deployments start from.
func (d *healDay) recipes(names ...string) error {
	for _, n := range names {
		if err := os.CopyFS(filepath.Join(d.dir, n), os.DirFS(filepath.Join("..", "recipes", "shipped", n))); err != nil {
			return err
		}
	}
	return nil
}

// files writes small files below the folder that deployments start from.
func (d *healDay) files(all map[string]string) error {
	for name, text := range all {
		path := filepath.Join(d.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// deployed deploys without waiting, and then waits for the services.
func (d *healDay) deployed(ctx context.Context, within time.Duration, services []string, args ...string) error {
	if out, err := d.cli(ctx, append([]string{"deploy", "--wait=false"}, args...)...); err != nil {
		return fmt.Errorf("appliance deploy %s: %w: %s", strings.Join(args, " "), err, out)
	}
	for _, s := range services {
		if err := d.runs(ctx, s, within); err != nil {
			return err
		}
	}
	return nil
}

// must runs an appliance command that has to succeed.
func (d *healDay) must(ctx context.Context, args ...string) (string, error) {
	out, err := d.cli(ctx, args...)
	if err != nil {
		return out, fmt.Errorf("appliance %s: %w: %s", strings.Join(args, " "), err, out)
	}
	d.say("$ appliance %s\n%s", strings.Join(args, " "), strings.TrimSpace(out))
	return out, nil
}

// resolver asks the appliance for its zone, as the machines do.
func resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(rack.Addr().String(), "53"))
	}}
}

// resolve returns the addresses of a service's name.
func resolve(ctx context.Context, service string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	addrs, err := resolver().LookupNetIP(ctx, "ip4", service+"."+zone+".")
	var none *net.DNSError
	if errors.As(err, &none) && none.IsNotFound {
		return nil, nil
	}
	return addrs, err
}

// byName dials names of the zone.
func byName(ctx context.Context, network, addr string) (net.Conn, error) {
	return (&net.Dialer{Timeout: 5 * time.Second, Resolver: resolver()}).DialContext(ctx, network, addr)
}

// page asks for a page, by a name of the zone or an address, over a new connection.
func page(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	c := http.Client{Transport: &http.Transport{DialContext: byName, DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return strings.TrimSpace(string(b)), err
}

// deathFigures says how long it took from a machine's death until it was
// confirmed, and until its BMC had proved that it is off.
func (d *healDay) deathFigures(ctx context.Context, machine string, at time.Time) error {
	all, err := d.api.Events(ctx, pool.EventFilter{Machine: machine, Last: true, Limit: 1000})
	if err != nil {
		return err
	}
	var lost, fenced time.Time
	for _, e := range all {
		switch {
		case e.At.Before(at):
		case lost.IsZero() && e.Type == "machine.lost":
			lost = e.At
		case fenced.IsZero() && e.Type == "machine.condition" && strings.Contains(e.Message, ": fenced is true"):
			fenced = e.At
		}
	}
	if lost.IsZero() || fenced.IsZero() {
		return fmt.Errorf("machine %s: no event of its loss (%s) or of its fencing (%s)", machine, lost, fenced)
	}
	for _, f := range []struct {
		name        string
		at          time.Time
		floor, goal int
	}{{"heal.confirmed", lost, 8, 5}, {"heal.fenced", fenced, 12, 8}} {
		secs := f.at.Sub(at).Seconds()
		fmt.Printf("bench %s %.1f s (%.1f-%.1f) floor %d goal %d down\n", f.name, secs, secs, secs, f.floor, f.goal)
	}
	return nil
}
