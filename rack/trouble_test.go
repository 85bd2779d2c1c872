package rack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
	"appliance/rack"
)

// TestE2ETrouble is one long bad day: servers with a system on their disks
// netboot by accident, the appliance is killed while images are written and
// again while a service is installed, a BMC is off the network for half a
// minute, a second appliance is started on the same data. Nothing is written
// to what nobody accepted, nothing is lost, nothing is done twice.
func TestE2ETrouble(t *testing.T) {
	e2e(t)
	for _, name := range []string{"APPLIANCE_BIN", "APPLIANCE_IMAGE"} {
		if os.Getenv(name) == "" {
			t.Fatalf("%s is not set; run make e2e", name)
		}
	}
	f, code, _ := world(t, "trouble")
	if got := <-code; got != 0 {
		t.Errorf("exit code %d; what went wrong is above", got)
		show(t, filepath.Join(f.Dir, "appliance.log"))
		logs, _ := filepath.Glob(filepath.Join(f.Dir, "m*", "console.log"))
		for _, l := range logs {
			show(t, l)
		}
	}
}

// day is a bad day: m0 is let in by a rule, m1 by nobody.
type day struct {
	dir   string
	rack  *rack.Rack
	serve *exec.Cmd
	api   *client.Client
	began time.Time
	disks [2]sum // as they were before the machines ran
	// config is the appliance's; empty: that of the bad day.
	config string
}

func trouble(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 14*time.Minute)
	defer cancel()
	dir, _ := rack.Inside()
	d := &day{dir: dir, began: time.Now()}
	specs := []rack.Spec{{MemoryMB: 1024}, {MemoryMB: 1024}}
	for i := range specs {
		disk := filepath.Join(dir, fmt.Sprintf("foreign%d", i))
		if err := foreignDisk(disk); err != nil {
			return err
		}
		if d.disks[i], err = sumDisk(disk); err != nil {
			return err
		}
		specs[i].Disks = []rack.Disk{{Path: disk}}
	}
	if d.rack, err = rack.Raise(ctx, rack.Config{Machines: specs, Accel: os.Getenv("RACK_ACCEL")}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.rack.Close()) }()
	if err := d.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.kill()) }()
	for _, stage := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"two servers netboot by accident", d.accident},
		{"a second appliance on the same data", d.second},
		{"nobody is free", d.nobodyFree},
		{"the stranger goes back to its disk", d.backToDisk},
		{"a person lets both in", d.letIn},
		{"two deployments, and a kill while images are written", d.killInImage},
		{"a BMC is away", d.bmcAway},
		{"a kill while a service is installed", d.killInInstall},
		{"both services run", d.running},
		{"both services are removed", d.remove},
	} {
		if err := stage.run(ctx); err != nil {
			return fmt.Errorf("%s: %w\n%s", stage.name, err, d.story(context.WithoutCancel(ctx)))
		}
		d.say("%s: as it should be", stage.name)
	}
	return nil
}

func (d *day) say(format string, args ...any) {
	fmt.Printf("%7.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// story is what the appliance says of the machines, for who reads a failure.
func (d *day) story(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var b strings.Builder
	for _, args := range [][]string{{"machine", "list"}, {"service", "list"}, {"event", "tail"}} {
		out, err := d.cli(ctx, args...)
		fmt.Fprintf(&b, "$ appliance %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	return b.String()
}

func (d *day) accident(ctx context.Context) error {
	for i := range d.rack.Machines {
		if err := d.netboot(ctx, i); err != nil {
			return err
		}
	}
	f, err := os.Open(os.Getenv("APPLIANCE_IMAGE"))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := d.api.UploadImage(ctx, "debian-12", f, info.Size()); err != nil {
		return err
	}
	m1, err := d.machine(ctx, 1, 2*time.Minute, "is inventoried", func(m wire.Machine) bool { return m.Facts != nil })
	if err != nil {
		return err
	}
	if m1.Phase != pool.Discovered || len(m1.Facts.Disks) != 1 || len(m1.Facts.Disks[0].Content) == 0 {
		return fmt.Errorf("m1 is %s with disks %+v, want it discovered, and its disk seen to hold something", m1.Phase, m1.Facts.Disks)
	}
	m0, err := d.machine(ctx, 0, 2*time.Minute, "is enrolled and its operation over", func(m wire.Machine) bool {
		return m.Phase == pool.Enrolled && m.Operation != nil && m.Operation.Status == pool.Succeeded
	})
	if err != nil {
		return err
	}
	if !m0.Conditions.Is(pool.CondProtected) || !strings.Contains(m0.Sentence, "holds mbr: 1 partition, partition 1: ext4 precious") || m0.AcceptedBy != "rule range" || m0.Operation.Kind != pool.OpEnrol {
		return fmt.Errorf("m0, let in by %s: %s: %s, want it protected by its enrolment", m0.AcceptedBy, m0.Operation.Kind, m0.Sentence)
	}
	d.say("m0: %s", m0.Sentence)
	d.say("m1: %s", m1.Sentence)
	return nil
}

func (d *day) second(ctx context.Context) error {
	return d.refused(ctx, []string{"another appliance", filepath.Join(d.dir, "data")}, "serve", "--config", filepath.Join(d.dir, "appliance.yaml"))
}

func (d *day) nobodyFree(ctx context.Context) error {
	if err := d.recipe(); err != nil {
		return err
	}
	if err := d.refused(ctx, []string{"wants 1 free machine for template SMALL_LINUX, none fits", "protected", "discovered"}, "deploy", "./probe"); err != nil {
		return err
	}
	services, err := d.api.Services(ctx)
	if err == nil && len(services) != 0 {
		err = fmt.Errorf("a refused deployment left %+v", services)
	}
	return err
}

// backToDisk resets the stranger, which tries the network first once more.
func (d *day) backToDisk(ctx context.Context) error {
	if err := d.netboot(ctx, 1); err != nil {
		return err
	}
	err := d.until(ctx, time.Minute, "m1 starts its own system", func() (bool, error) {
		b, err := os.ReadFile(d.rack.Machines[1].ConsoleLog())
		return bytes.Contains(b, []byte(foreignText)), err
	})
	if err != nil {
		return err
	}
	m1, err := d.machine(ctx, 1, time.Second, "stays discovered", func(m wire.Machine) bool { return m.Phase == pool.Discovered })
	if err != nil {
		return err
	}
	err = d.until(ctx, 10*time.Second, "the boot timeline tells of it", func() (bool, error) { // boot events are stored in batches
		out, err := d.cli(ctx, "boot", "show", m1.Name)
		found := strings.Contains(out, "told to start its own disk")
		if found {
			d.say("$ appliance boot show %s\n%s", m1.Name, strings.TrimSpace(out))
		}
		return found, err
	})
	if err != nil {
		return err
	}
	users := exec.CommandContext(ctx, "ipmitool", strings.Fields("-I lanplus -C 3 -H "+d.rack.Machines[1].BMC.Addr.String()+" -U "+rack.FactoryUser+" -E user list 1")...)
	users.Env = append(rack.Environ(), "IPMI_PASSWORD="+rack.FactoryPassword)
	if out, err := users.CombinedOutput(); err != nil || strings.Contains(string(out), "appliance") {
		return fmt.Errorf("the stranger's BMC has a user of ours: %v\n%s", err, out)
	}
	return errors.Join(d.untouched(0), d.untouched(1))
}

// letIn lets a person name the disks that may be erased: of the protected
// machine, and of the stranger.
func (d *day) letIn(ctx context.Context) error {
	m0, err := d.api.Machine(ctx, d.rack.Machines[0].MAC())
	if err != nil {
		return err
	}
	m1, err := d.api.Machine(ctx, d.rack.Machines[1].MAC())
	if err != nil {
		return err
	}
	if _, err := d.api.Accept(ctx, m1.ID, wire.AcceptRequest{Erase: true}); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), m1.Facts.Disks[0].Serial) {
		return fmt.Errorf("accept with erase, and no disk named: %v, want the disk in the answer", err)
	}
	if _, err := d.api.Accept(ctx, m1.ID, wire.AcceptRequest{Erase: true, Serials: []string{m1.Facts.Disks[0].Serial}}); err != nil {
		return err
	}
	if err := d.netboot(ctx, 1); err != nil {
		return err
	}
	if _, err := d.api.Release(ctx, m0.ID, wire.ReleaseRequest{Wipe: true, Serials: []string{m0.Facts.Disks[0].Serial}, Confirm: m0.Name}); err != nil {
		return err
	}
	for i := range d.rack.Machines {
		if _, err := d.machine(ctx, i, 3*time.Minute, "is ready", func(m wire.Machine) bool { return m.Phase == pool.Ready }); err != nil {
			return err
		}
		if err := d.empty(i); err != nil {
			return err
		}
	}
	return nil
}

func (d *day) killInImage(ctx context.Context) error {
	for _, name := range []string{"a", "b"} {
		if out, err := d.cli(ctx, "deploy", "./probe", "--name", name, "--wait=false"); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	for i := range d.rack.Machines {
		m, err := d.machine(ctx, i, 2*time.Minute, "has written a part of the image", func(m wire.Machine) bool {
			p := m.Live.Progress
			return m.Operation != nil && m.Operation.Step == "image" && p != nil && p.Detail == "writing" && p.Done < p.Total
		})
		if err != nil {
			return err
		}
		d.say("m%d: image %d of %d bytes", i, m.Live.Progress.Done, m.Live.Progress.Total)
	}
	if err := d.kill(); err != nil {
		return err
	}
	return d.start(ctx)
}

// bmcAway takes the BMC of m1 off the network until a step has missed it, and
// for half a minute at least.
func (d *day) bmcAway(ctx context.Context) error {
	bmc := d.rack.Machines[1].BMC
	if err := bmc.Unplug(true); err != nil {
		return err
	}
	pulled := time.Now()
	m1, err := d.machine(ctx, 1, 5*time.Minute, "misses its BMC", func(m wire.Machine) bool {
		return m.Conditions[pool.CondBMC].Value == "unreachable"
	})
	if err != nil {
		return err
	}
	d.say("m1: %s; %s", m1.Conditions[pool.CondBMC].Reason, m1.Sentence)
	if m1.Operation == nil || m1.Operation.Step != "boot-disk" || !m1.Operation.Status.Open() {
		return fmt.Errorf("m1 misses its BMC, but not in the middle of its deployment: %+v", m1.Operation)
	}
	missed := time.Now()
	for _, since := range []time.Time{pulled.Add(30 * time.Second), missed.Add(15 * time.Second)} {
		select {
		case <-time.After(time.Until(since)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return bmc.Unplug(false)
}

// instance returns the only instance of a service, and i of its machine.
func (d *day) instance(ctx context.Context, name string) (in wire.Instance, i int, err error) {
	s, err := d.api.Service(ctx, name)
	if err != nil {
		return in, 0, err
	}
	if len(s.Running) != 1 || s.Running[0].Machine == "" {
		return in, 0, fmt.Errorf("service %s has instances %+v", name, s.Running)
	}
	if s.Phase == pool.ServiceFailed {
		return in, 0, fmt.Errorf("service %s: %s: %+v", name, s.Sentence, s.Running[0].Cause)
	}
	in = s.Running[0]
	for i, m := range d.rack.Machines {
		if row, err := d.api.Machine(ctx, m.MAC()); err == nil && row.ID == in.Machine {
			return in, i, nil
		}
	}
	return in, 0, fmt.Errorf("service %s is on machine %s, which is not of this rack", name, in.Machine)
}

func (d *day) killInInstall(ctx context.Context) error {
	err := d.until(ctx, 4*time.Minute, "one of the services is being installed", func() (bool, error) {
		for _, name := range []string{"a", "b"} {
			in, i, err := d.instance(ctx, name)
			if err != nil {
				return false, err
			}
			at := slices.IndexFunc(in.Steps, func(s pool.Step) bool { return s.Name == "install" && s.Status == pool.StepRunning && s.BootID != "" })
			if at >= 0 {
				d.say("service %s is being installed on m%d", name, i)
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := d.kill(); err != nil {
		return err
	}
	return d.start(ctx)
}

// running waits for both services, and looks whether anything ran twice.
func (d *day) running(ctx context.Context) error {
	for _, name := range []string{"a", "b"} {
		var in wire.Instance
		i := 0
		err := d.until(ctx, 5*time.Minute, "service "+name+" runs", func() (_ bool, err error) {
			in, i, err = d.instance(ctx, name)
			return in.Phase == pool.InstanceRunning, err
		})
		if err != nil {
			return err
		}
		for _, s := range in.Steps {
			if s.Attempt != 1 || s.Status != pool.StepDone {
				return fmt.Errorf("service %s: step %s is %s in its try %d", name, s.Name, s.Status, s.Attempt)
			}
		}
		v, err := d.api.Attribute(ctx, name, "installs")
		if err != nil || string(v.Value) != `"1"` {
			return fmt.Errorf("service %s was installed %s times (%v)", name, v.Value, err)
		}
		m, err := d.api.Machine(ctx, in.Machine)
		if err != nil {
			return err
		}
		for _, s := range m.Steps {
			if s.Attempt != 1 && (s.Name != "boot-disk" || i != 1) {
				return fmt.Errorf("m%d: step %s is %s in its try %d", i, s.Name, s.Status, s.Attempt)
			}
		}
		d.say("service %s runs on m%d: %s", name, i, m.Sentence)
	}
	return nil
}

// remove removes a with its data and b without.
func (d *day) remove(ctx context.Context) error {
	_, a, err := d.instance(ctx, "a")
	if err != nil {
		return err
	}
	_, b, err := d.instance(ctx, "b")
	if err != nil {
		return err
	}
	path := d.rack.Machines[b].Spec.Disks[0].Path
	for _, args := range [][]string{{"service", "remove", "a", "--wipe", "a"}, {"service", "remove", "b"}} {
		if out, err := d.cli(ctx, args...); err != nil {
			return fmt.Errorf("appliance %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	if _, err := d.machine(ctx, a, 3*time.Minute, "is ready again", func(m wire.Machine) bool { return m.Phase == pool.Ready }); err != nil {
		return err
	}
	if err := d.empty(a); err != nil {
		return err
	}
	m, err := d.machine(ctx, b, time.Second, "is enrolled", func(m wire.Machine) bool { return m.Phase == pool.Enrolled })
	if err != nil {
		return err
	}
	if !m.Conditions.Is(pool.CondProtected) || m.Operation == nil || m.Operation.Kind != pool.OpRelease {
		return fmt.Errorf("m%d after a removal that keeps its data: %s (%+v)", b, m.Sentence, m.Operation)
	}
	d.say("m%d: %s", b, m.Sentence)
	held, err := holds(path, probeText)
	if err == nil && !held {
		err = fmt.Errorf("the data of service b is gone from m%d", b)
	}
	return err
}
