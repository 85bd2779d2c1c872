package sim_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// site is an appliance in a network namespace of its own and a simulated rack
// in another, both of the binary that is shipped.
type site struct {
	t        *testing.T
	bin, dir string
	outer    string // namespace of the appliance
	inner    string // of the rack
	last     string // what the rack said last
}

func (s *site) sh(line string, args ...any) {
	s.t.Helper()
	if out, err := exec.CommandContext(s.t.Context(), "sh", "-ec", fmt.Sprintf(line, args...)).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	bin := os.Getenv("APPLIANCE_BIN")
	if bin == "" || os.Getuid() != 0 {
		t.Skip("needs root and APPLIANCE_BIN; make sim-test runs it")
	}
	s := &site{t: t, bin: bin, dir: t.TempDir(), outer: fmt.Sprintf("simA%d", os.Getpid()), inner: fmt.Sprintf("simR%d", os.Getpid())}
	t.Cleanup(func() {
		for _, ns := range []string{s.outer, s.inner} {
			_ = exec.CommandContext(context.Background(), "ip", "netns", "del", ns).Run() // it may not have been made
		}
	})
	s.sh("ip netns add %[1]s; ip netns add %[2]s; ip link add sim0 netns %[1]s type veth peer name sim0 netns %[2]s", s.outer, s.inner)
	s.sh("ip -n %[1]s addr add 10.77.0.1/16 dev sim0; ip -n %[2]s addr add 10.77.255.250/16 dev sim0", s.outer, s.inner)
	for _, ns := range []string{s.outer, s.inner} {
		s.sh("ip -n %[1]s link set sim0 up; ip -n %[1]s link set lo up", ns)
	}
	// By the rack as a router: each BMC on the link would take an entry of the
	// kernel's neighbour table, which holds 1,024 unless somebody says more.
	s.sh("ip -n %s route add 10.78.0.0/16 via 10.77.255.250", s.outer)
	config := fmt.Sprintf("data: %s/data\ninterface: sim0\nsubnets:\n- {name: rack, prefix: 10.77.0.0/16, first: 10.77.1.1, last: 10.77.200.250, lease: 1h, discover: true}\n"+
		"accept:\n- {name: all, subnet: 10.77.0.0/16, erase: true}\n", s.dir)
	if err := os.WriteFile(filepath.Join(s.dir, "appliance.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs the binary in a namespace until the test ends or stop is called.
func (s *site) start(ns string, args ...string) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", ns, s.bin}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	log, err := os.Create(filepath.Join(s.dir, args[0]+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			_ = cmd.Wait() // interrupted
			_ = log.Close()
		}
	}
	s.t.Cleanup(stop)
	return stop
}

// phases counts the machines of each phase, as the appliance tells.
func (s *site) phases() map[string]int {
	cmd := exec.CommandContext(s.t.Context(), "ip", "netns", "exec", s.outer, s.bin, "machine", "list", "-o", "json",
		"--server", "https://10.77.0.1:8443", "--token-file", s.dir+"/data/admin.token", "--ca", s.dir+"/data/ca/ca.pem")
	out, err := cmd.Output()
	if err != nil {
		return nil // it is not up yet
	}
	var list []struct {
		Phase string `json:"phase"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	n := map[string]int{}
	for _, m := range list {
		n[m.Phase]++
	}
	return n
}

// until waits until n machines are in phase.
func (s *site) until(phase string, n int, limit time.Duration) time.Duration {
	s.t.Helper()
	start := time.Now()
	var has map[string]int
	for time.Since(start) < limit {
		if has = s.phases(); has[phase] == n {
			return time.Since(start)
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.t.Fatalf("after %s: %v, want %d %s\n%s\n%s", limit, has, n, phase, s.tail("rack"), s.tail("serve"))
	return 0
}

func (s *site) tail(name string) string {
	b, _ := os.ReadFile(filepath.Join(s.dir, name+".log"))
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return name + ":\n" + string(bytes.Join(lines[max(0, len(lines)-15):], []byte("\n")))
}

// TestRack takes simulated machines from power-on to ready while BMCs freeze,
// links flap, agents die and the power fails: none is lost on the way, none
// hangs. SIM_MACHINES says how many, 60 when not set; with SIM_QUIET nothing goes
// wrong and nothing takes time, for bench/rack.sh.
func TestRack(t *testing.T) {
	s := newSite(t)
	n, _ := strconv.Atoi(os.Getenv("SIM_MACHINES"))
	if n == 0 {
		n = 60
	}
	speed, faults := "30", "1s bmc-freezes 10% for 3s\n2s link-flaps 20% for 2s\n2s agent-dies 20%\n3s power-cut 10% for 2s\n4s agent-dies 20%\n5s link-flaps 20% for 2s\n"
	if os.Getenv("SIM_QUIET") != "" {
		speed, faults = "0", ""
	}
	script := filepath.Join(s.dir, "faults")
	if err := os.WriteFile(script, []byte(faults), 0o600); err != nil {
		t.Fatal(err)
	}
	stopServe := s.start(s.outer, "serve", "--config", s.dir+"/appliance.yaml")
	up := time.Now()
	for s.phases() == nil {
		if time.Since(up) > time.Minute {
			t.Fatal("the appliance does not answer\n" + s.tail("serve"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	stopRack := s.start(s.inner, "rack", "--interface", "sim0", "--machines", strconv.Itoa(n), "--uefi", strconv.Itoa(n/3),
		"--bmc-network", "10.78.0.0/16", "--faults", script, "--used", "0.3", "--speed", speed, "--status", "1s", "-o", "json")
	took := s.until("ready", n, 10*time.Minute)
	t.Logf("%d machines from power to ready in %s", n, took)
	fmt.Printf("sim: %d machines ready after %.2f s\n", n, took.Seconds())
	stopRack()
	stopServe()
	if f, err := os.Open(filepath.Join(s.dir, "rack.log")); err == nil {
		for lines := bufio.NewScanner(f); lines.Scan(); s.last = lines.Text() {
		}
		_ = f.Close()
	}
	if !strings.Contains(s.last, `"doubled":0`) || slices.Contains(strings.Fields(s.last), "panic:") {
		t.Errorf("the rack said last: %s", s.last)
	}
}
