package sim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// cli calls the appliance in its namespace.
func (s *site) cli(args ...string) ([]byte, error) {
	all := append([]string{"netns", "exec", s.outer, s.bin}, args...)
	all = append(all, "--server", "https://10.77.0.1:8443", "--token-file", s.dir+"/data/admin.token", "--ca", s.dir+"/data/ca/ca.pem")
	ctx, stop := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer stop()
	return exec.CommandContext(ctx, "ip", all...).CombinedOutput()
}

// TestDeployStorm deploys as many services at once as there are machines, each
// asked for by a caller of its own: every one gets a machine that no other has,
// is imaged, and runs. SIM_DEPLOYS says how many, 20 when not set.
func TestDeployStorm(t *testing.T) {
	s := newSite(t)
	n, _ := strconv.Atoi(os.Getenv("SIM_DEPLOYS"))
	if n == 0 {
		n = 20
	}
	image := filepath.Join(s.dir, "debian-12.raw")
	if err := os.WriteFile(image, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	stopServe := s.start(s.outer, "serve", "--config", s.dir+"/appliance.yaml")
	for up := time.Now(); s.phases() == nil; time.Sleep(100 * time.Millisecond) {
		if time.Since(up) > time.Minute {
			t.Fatal("the appliance does not answer\n" + s.tail("serve"))
		}
	}
	if out, err := s.cli("image", "import", image); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	stopRack := s.start(s.inner, "rack", "--interface", "sim0", "--machines", strconv.Itoa(n), "--uefi", strconv.Itoa(n/3),
		"--bmc-network", "10.78.0.0/16", "--speed", "0", "--status", "1s", "-o", "json")
	s.until("ready", n, 10*time.Minute)
	began := time.Now()
	var wg sync.WaitGroup
	callers := make(chan struct{}, 16)
	for i := range n {
		wg.Go(func() {
			callers <- struct{}{}
			defer func() { <-callers }()
			if out, err := s.cli("deploy", "nginx", "--name", fmt.Sprint("web", i), "--wait=false"); err != nil {
				t.Errorf("deploy %d: %v\n%s", i, err, out)
			}
		})
	}
	wg.Wait()
	asked := time.Since(began)
	machines := map[string]bool{}
	for running := 0; running < n; time.Sleep(200 * time.Millisecond) {
		if time.Since(began) > 10*time.Minute || t.Failed() {
			t.Fatalf("%d of %d run\n%s\n%s", running, n, s.tail("rack"), s.tail("serve"))
		}
		running, machines = s.running()
	}
	if len(machines) != n {
		t.Errorf("%d services run on %d machines", n, len(machines))
	}
	for id, alone := range machines {
		if !alone {
			t.Errorf("machine %s has an instance that another has, too", id)
		}
	}
	fmt.Printf("sim: %d services asked for at once in %.2f s run after %.2f s\n", n, asked.Seconds(), time.Since(began).Seconds())
	stopRack()
	stopServe()
}

// running counts the services that run, and the machines that instances have.
func (s *site) running() (n int, machines map[string]bool) {
	machines = map[string]bool{}
	var services []struct {
		Phase string `json:"phase"`
	}
	var list []struct {
		ID       string `json:"id"`
		Instance string `json:"instance"`
	}
	for kind, into := range map[string]any{"service": &services, "machine": &list} {
		out, err := s.cli(kind, "list", "-o", "json")
		if err != nil {
			return 0, machines // it is busy
		}
		if err := json.Unmarshal(out, into); err != nil {
			s.t.Fatalf("%v: %s", err, out)
		}
	}
	for _, svc := range services {
		if svc.Phase == "running" {
			n++
		}
	}
	owners := map[string]bool{}
	for _, m := range list {
		if m.Instance != "" {
			machines[m.ID] = !owners[m.Instance]
			owners[m.Instance] = true
		}
	}
	return n, machines
}
