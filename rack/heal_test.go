package rack_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// TestE2EHeal kills what runs, in two racks. The stateless service's process
// dies and is started again; its machine dies at its plug and the spare takes
// its place, without a hand and with its attributes. The rows of the stateful one
// are there after its machine was power-cycled back; and when the chassis does
// not come back, it waits for a person and says so.
func TestE2EHeal(t *testing.T) {
	for _, role := range []string{"healWeb", "healRows"} {
		t.Run(role, func(t *testing.T) { minutes(t, role) })
	}
}

// healDay is a day on which machines die.
type healDay struct {
	day
	rows    []string // acknowledged by the database
	tried   int      // rows that were sent to it
	key     string   // attribute of the web service
	pooled  int      // how many of the rack's machines are the pool's
	image   string   // file of the machines' image; empty: that of amd64
	after   []func() error
	running []*box // hosts that are no machines
}

// healStage is a part of such a day.
type healStage struct {
	name string
	run  func(context.Context) error
}

func healWeb(ctx context.Context) error {
	return site{machines: metal(2, 768), pooled: 2, config: "healing: {return: 4m}\n"}.run(ctx, func(d *healDay) []healStage {
		return []healStage{{"the service runs", func(ctx context.Context) error { return d.deploy(ctx, "web", 8080, false) }},
			{"its process dies", d.processDies}, {"its machine dies", d.webDies}}
	})
}

func healRows(ctx context.Context) error {
	return site{machines: metal(1, 768), pooled: 1, config: "healing: {return: 4m}\n"}.run(ctx, func(d *healDay) []healStage {
		return []healStage{{"the service runs", func(ctx context.Context) error { return d.deploy(ctx, "rowstore", 9090, true) }},
			{"its machine dies", d.rowsDie}, {"its chassis does not come back", d.chassisGone}, {"a person repairs it", d.repaired}}
	})
}

func (d *healDay) ready(ctx context.Context) error {
	f, err := os.Open(cmp.Or(d.image, os.Getenv("APPLIANCE_IMAGE")))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for i := range d.pooled {
		if err := d.netboot(ctx, i); err != nil {
			return err
		}
	}
	if _, err := d.api.UploadImage(ctx, "debian-12", f, info.Size()); err != nil {
		return err
	}
	for i := range d.pooled {
		if _, err := d.machine(ctx, i, 15*time.Minute, "is ready", func(m wire.Machine) bool { return m.Phase == pool.Ready }); err != nil {
			return err
		}
	}
	return nil
}

// server is a TCP server in the Perl that every Debian has: GET / shows the
// key that the instance has as an attribute, GET /die ends it; a line "put X"
// is answered once X is on the disk, "all" with all that is.
const server = `#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET; use IO::Handle;
my ($port, $dir) = @ARGV;
my $l = IO::Socket::INET->new(LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "listen: $!";
while (my $c = $l->accept) {
  my $line = <$c> // next; $line =~ s/\s+$//;
  if ($line =~ m{^GET /die}) { exit 0 }
  if ($line =~ m{^GET }) {
    open my $k, '<', "$dir/key" or next; my $key = <$k> // '';
    print $c "HTTP/1.0 200 OK\r\nContent-Length: " . length($key) . "\r\n\r\n$key";
  } elsif ($line =~ /^put (\S+)/) {
    open my $f, '>>', "$dir/rows" or next; print $f "$1\n"; $f->flush; $f->sync or next; close $f; print $c "ok\n";
  } elsif ($line eq 'all') {
    if (open my $f, '<', "$dir/rows") { print $c $_ while <$f> } print $c ".\n";
  }
  close $c;
}
`

func (d *healDay) recipeOf(name string, port int, stateful bool) error {
	dir := filepath.Join(d.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for file, text := range map[string]string{
		name + "-service.groovy": fmt.Sprintf(`service {
    name "%[1]s"
    type "UNDEFINED"
    numInstances 1
    stateful %[3]t
    compute { template "SMALL_LINUX" }
    lifecycle {
        init {
            def mine = context.attributes.thisInstance
            if (mine.key == null) { mine.key = "key-" + UUID.randomUUID().toString() }
        }
        install "install.sh"
        preStart { new File("/var/lib/%[1]s/key").text = context.attributes.thisInstance.key }
        start "serve.sh"
        startDetectionTimeoutSecs 60
        startDetection { ServiceUtils.isPortOccupied(%[2]d) }
        stopDetection { ServiceUtils.isPortFree(%[2]d) }
    }
}
`, name, port, stateful),
		"install.sh": fmt.Sprintf("#!/bin/sh\nset -e\nmkdir -p /var/lib/%s\ncp server.pl /usr/local/bin/%s.pl\nsync\n", name, name),
		"serve.sh":   fmt.Sprintf("#!/bin/sh\nexec perl /usr/local/bin/%s.pl %d /var/lib/%s\n", name, port, name),
		"server.pl":  server,
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (d *healDay) deploy(ctx context.Context, name string, port int, stateful bool) error {
	if err := d.recipeOf(name, port, stateful); err != nil {
		return err
	}
	if out, err := d.cli(ctx, "deploy", "./"+name, "--wait=false"); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if err := d.runs(ctx, name, 15*time.Minute); err != nil {
		return err
	}
	var err error
	if !stateful {
		if d.key, err = d.get(ctx); err == nil && !strings.HasPrefix(d.key, "key-") {
			err = fmt.Errorf("the web service shows %q", d.key)
		}
	}
	time.Sleep(35 * time.Second) // the window after the appliance's own start is over: it may fence
	return err
}

func (d *healDay) runs(ctx context.Context, name string, within time.Duration) error {
	return d.until(ctx, within, "service "+name+" runs", func() (bool, error) {
		s, err := d.api.Service(ctx, name)
		if err == nil && s.Phase == pool.ServiceFailed {
			err = fmt.Errorf("%s", s.Sentence)
		}
		return s.Phase == pool.ServiceRunning, err
	})
}

func (d *healDay) addr(ctx context.Context, name string, port int) (string, error) {
	s, err := d.api.Service(ctx, name)
	if err != nil {
		return "", err
	}
	if len(s.Endpoints) != 1 {
		return "", fmt.Errorf("service %s has endpoints %v", name, s.Endpoints)
	}
	return fmt.Sprintf("%s:%d", strings.Split(s.Endpoints[0], ":")[0], port), nil
}

// get asks the web service, wherever it is now.
func (d *healDay) get(ctx context.Context) (string, error) {
	addr, err := d.addr(ctx, "web", 8080)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// ask sends a line to the row store and returns its answer.
func (d *healDay) ask(ctx context.Context, line string) ([]string, error) {
	addr, err := d.addr(ctx, "rowstore", 9090)
	if err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // it is read to its end
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(c, line); err != nil {
		return nil, err
	}
	var out []string
	for s := bufio.NewScanner(c); s.Scan(); {
		out = append(out, s.Text())
	}
	return out, nil
}

// put writes rows and keeps those that were acknowledged.
func (d *healDay) put(ctx context.Context, n int) error {
	for range n {
		row := fmt.Sprintf("row-%d", len(d.rows))
		out, err := d.ask(ctx, "put "+row)
		if err != nil || len(out) != 1 || out[0] != "ok" {
			return fmt.Errorf("put %s: %v, %w", row, out, err)
		}
		d.rows = append(d.rows, row)
	}
	return nil
}

// count reads every row that was acknowledged.
func (d *healDay) count(ctx context.Context) error {
	out, err := d.ask(ctx, "all")
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, r := range out {
		has[r] = true
	}
	for _, r := range d.rows {
		if !has[r] {
			return fmt.Errorf("%s was acknowledged and is gone; there are %d rows", r, len(out)-1)
		}
	}
	d.say("all %d acknowledged rows are there", len(d.rows))
	return nil
}

// since says how long after at an event of the kind came.
func (d *healDay) since(ctx context.Context, kind string, at time.Time) error {
	all, err := d.api.Events(ctx, pool.EventFilter{Type: kind, Last: true, Limit: 1})
	if err != nil {
		return err
	}
	if len(all) == 0 || all[0].At.Before(at) {
		return fmt.Errorf("no event %s", kind)
	}
	d.say("%6.1f s after the death: %s", all[0].At.Sub(at).Seconds(), all[0].Message)
	return nil
}

func (d *healDay) processDies(ctx context.Context) error {
	addr, err := d.addr(ctx, "web", 8080)
	if err != nil {
		return err
	}
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	at := time.Now()
	_, err = fmt.Fprint(c, "GET /die HTTP/1.0\r\n\r\n")
	if err := errors.Join(err, c.Close()); err != nil {
		return err
	}
	err = d.until(ctx, 3*time.Minute, "it was started again", func() (bool, error) {
		all, err := d.api.Events(ctx, pool.EventFilter{Type: "instance.running", Last: true, Limit: 1})
		return len(all) == 1 && all[0].At.After(at), err
	})
	if err != nil {
		return err
	}
	if err := d.since(ctx, "instance.running", at); err != nil {
		return err
	}
	if key, err := d.get(ctx); err != nil || key != d.key {
		return fmt.Errorf("it shows %q (%w), want %q", key, err, d.key)
	}
	return nil
}

func (d *healDay) webDies(ctx context.Context) error {
	in, i, err := d.instance(ctx, "web")
	if err != nil {
		return err
	}
	at := time.Now()
	if err := d.rack.Machines[i].PowerOff(ctx); err != nil {
		return err
	}
	err = d.until(ctx, 20*time.Minute, "it serves again", func() (bool, error) {
		now, _, err := d.instance(ctx, "web")
		if err != nil || now.Machine == in.Machine || now.Phase != pool.InstanceRunning {
			return false, nil //nolint:nilerr // it is on its way
		}
		key, err := d.get(ctx)
		if err == nil && key != d.key {
			return false, fmt.Errorf("its attribute was not handed over: %q, want %q", key, d.key)
		}
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{"machine.lost", "instance.replacing", "instance.healed"} {
		if err := d.since(ctx, kind, at); err != nil {
			return err
		}
	}
	m, err := d.machine(ctx, i, time.Second, "is held back", func(m wire.Machine) bool { return m.Phase == pool.Enrolled && m.Instance == "" })
	if err != nil {
		return err
	}
	if !m.Conditions.Is(pool.CondProtected) || !m.Conditions.Is(pool.CondHold) {
		return fmt.Errorf("the lost machine: %v", m.Conditions)
	}
	return nil
}

func (d *healDay) rowsDie(ctx context.Context) error {
	if err := d.put(ctx, 50); err != nil {
		return err
	}
	in, i, err := d.instance(ctx, "rowstore")
	if err != nil {
		return err
	}
	at := time.Now()
	if err := d.rack.Machines[i].PowerOff(ctx); err != nil {
		return err
	}
	if err := d.back(ctx, in.Machine, at); err != nil {
		return err
	}
	if !d.rack.Machines[i].On() {
		return errors.New("its machine is off")
	}
	return d.put(ctx, 20)
}

// back waits until the row store runs on the same machine, and counts.
func (d *healDay) back(ctx context.Context, machine string, at time.Time) error {
	err := d.until(ctx, 15*time.Minute, "the row store is back", func() (bool, error) {
		now, _, err := d.instance(ctx, "rowstore")
		if err != nil {
			return false, err
		}
		return now.Phase == pool.InstanceRunning && now.RunningAt.After(at) && now.Machine == machine, nil
	})
	if err != nil {
		return err
	}
	for _, kind := range []string{"machine.lost", "instance.running"} {
		if err := d.since(ctx, kind, at); err != nil {
			return err
		}
	}
	return d.count(ctx)
}

// chassisGone kills the machine and cuts its cable, so that it cannot come
// back when its BMC switches it on.
func (d *healDay) chassisGone(ctx context.Context) error {
	_, i, err := d.instance(ctx, "rowstore")
	if err != nil {
		return err
	}
	m := d.rack.Machines[i]
	if err := m.Unplug(ctx, true); err != nil {
		return err
	}
	if err := m.PowerOff(ctx); err != nil {
		return err
	}
	err = d.until(ctx, 15*time.Minute, "it waits for a person", func() (bool, error) {
		s, err := d.api.Service(ctx, "rowstore")
		return s.Cause != nil && s.Cause.Code == "heal.nodata", err
	})
	if err != nil {
		return err
	}
	out, err := d.cli(ctx, "service", "show", "rowstore")
	if err != nil {
		return err
	}
	d.say("$ appliance service show rowstore\n%s", strings.TrimSpace(out))
	for _, word := range []string{"neither a replica nor a verified backup", "--without-data"} {
		if !strings.Contains(out, word) {
			return fmt.Errorf("it does not say %q", word)
		}
	}
	if m.On() {
		return errors.New("its machine is on: it was not fenced again")
	}
	return nil
}

func (d *healDay) repaired(ctx context.Context) error {
	in, i, err := d.instance(ctx, "rowstore")
	if err != nil {
		return err
	}
	m, at := d.rack.Machines[i], time.Now()
	if err := m.Unplug(ctx, false); err != nil {
		return err
	}
	if err := m.PowerOn(ctx); err != nil {
		return err
	}
	err = d.until(ctx, 15*time.Minute, "the row store is back", func() (bool, error) {
		now, _, err := d.instance(ctx, "rowstore")
		return err == nil && now.Phase == pool.InstanceRunning && now.RunningAt.After(at) && now.Machine == in.Machine, nil
	})
	if err != nil {
		return err
	}
	return d.count(ctx)
}
