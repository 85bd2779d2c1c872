package orchestrator

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"appliance/pool"
)

// cpu is what this process has used of the processors.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchSteps measures durable steps while n instances are at work: each step
// is committed as running before the agent has it and as done after, and
// every commit is fsynced.
func benchSteps(b *testing.B, atWork, total int) {
	for b.Loop() {
		f := newFleet(b, b.TempDir(), total, 64)
		start, used := time.Now(), cpu()
		var g errgroup.Group
		g.SetLimit(atWork)
		for _, id := range f.ids {
			g.Go(func() error {
				if err := f.hello(b.Context(), id); err != nil {
					return err
				}
				f.engine.q.add("i:" + id)
				return f.agent(b.Context(), id, pool.InstanceRunning, nil)
			})
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
		took := time.Since(start)
		b.ReportMetric(float64(f.done.Load())/took.Seconds(), "steps/s")
		b.ReportMetric(float64((cpu()-used).Microseconds())/float64(f.done.Load()), "cpu-us/step")
		f.close(b)
	}
}

func BenchmarkSteps64(b *testing.B)   { benchSteps(b, 64, 2048) }
func BenchmarkSteps1024(b *testing.B) { benchSteps(b, 1024, 4096) }

// BenchmarkStepLatency is the engine's own time for a step: from the result
// of one to the next one in the agent's hands, one instance at work.
func BenchmarkStepLatency(b *testing.B) {
	for b.Loop() {
		f := newFleet(b, b.TempDir(), 256, 16)
		var took []time.Duration
		for _, id := range f.ids {
			if err := f.hello(b.Context(), id); err != nil {
				b.Fatal(err)
			}
			f.engine.q.add("i:" + id)
			if err := f.agent(b.Context(), id, pool.InstanceRunning, func(d time.Duration) { took = append(took, d) }); err != nil {
				b.Fatal(err)
			}
		}
		slices.Sort(took)
		at := func(p int) float64 { return float64(took[len(took)*p/100].Microseconds()) / 1000 }
		b.ReportMetric(at(50), "p50-ms")
		b.ReportMetric(at(99), "p99-ms")
		f.close(b)
	}
}

// BenchmarkThousandInstances takes one service of 1,000 instances through all
// twelve lifecycle events: up until it runs, and down until it is removed.
func BenchmarkThousandInstances(b *testing.B) {
	for b.Loop() {
		f := newFleet(b, b.TempDir(), 1000, 1000)
		for _, id := range f.ids {
			if err := f.hello(b.Context(), id); err != nil {
				b.Fatal(err)
			}
		}
		start := time.Now()
		all := func(until pool.ServicePhase) {
			var wg sync.WaitGroup
			for _, id := range f.ids {
				wg.Go(func() {
					f.engine.q.add("i:" + id)
					if err := f.agent(b.Context(), id, until, nil); err != nil {
						b.Error(err)
					}
				})
			}
			wg.Wait()
		}
		all(pool.InstanceRunning)
		up := time.Since(start)
		f.phase(b, pool.ServiceRunning)
		if _, err := f.engine.Remove(b.Context(), "s0", false, "bench"); err != nil {
			b.Fatal(err)
		}
		all(pool.InstanceRemoved)
		f.phase(b, pool.ServiceRemoved)
		b.ReportMetric(time.Since(start).Seconds(), "s")
		b.ReportMetric(up.Seconds(), "up-s")
		f.close(b)
	}
}

// phase waits until the first service is in a phase.
func (f *fleet) phase(tb testing.TB, p pool.ServicePhase) {
	tb.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if svc, err := f.db.Service(tb.Context(), "s0"); err != nil || svc.Phase == p {
			return
		}
	}
	tb.Fatalf("service s0 is not %s after 30 s", p)
}

// killDir tells the test program to be the appliance that is killed.
const killDir = "ORCHESTRATOR_TEST_KILL_DIR"

// killed is how many steps are open when the appliance is killed.
const killed = 10_000

// BenchmarkKillRestart kills an appliance with 10,000 open steps, and measures
// from the exec of the next one until a step that was open is done.
func BenchmarkKillRestart(b *testing.B) {
	if dir := os.Getenv(killDir); dir != "" {
		beKilled(b, dir)
		return
	}
	for b.Loop() {
		dir := b.TempDir()
		first, said := appliance(b, dir, "")
		await(b, said, "open")
		if err := first.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		_ = first.Wait() // it was killed
		start := time.Now()
		second, said := appliance(b, dir, "again")
		await(b, said, "moving")
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "ms")
		await(b, said, "hundred")
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "hundred-ms")
		if err := second.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		_ = second.Wait()
	}
}

func appliance(b *testing.B, dir, again string) (*exec.Cmd, *bufio.Scanner) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkKillRestart$", "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), killDir+"="+dir, killDir+"_AGAIN="+again)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func await(b *testing.B, lines *bufio.Scanner, want string) {
	b.Helper()
	for lines.Scan() {
		if lines.Text() == want {
			return
		}
	}
	b.Fatalf("the appliance ended before it was %s", want)
}

// beKilled brings 10,000 steps under way, or goes on with them.
func beKilled(b *testing.B, dir string) {
	again := os.Getenv(killDir+"_AGAIN") != ""
	n := killed
	if again {
		n = 0
	}
	f := newFleet(b, dir, n, 1000)
	if again {
		f.goOn(b)
		return
	}
	var g errgroup.Group
	g.SetLimit(256)
	for _, id := range f.ids {
		g.Go(func() error {
			if err := f.hello(b.Context(), id); err != nil {
				return err
			}
			f.engine.q.add("i:" + id)
			machine := "m-" + id[len("in-"):]
			_, _, err := f.engine.NextTask(b.Context(), machine, "boot-"+machine, pool.Installed)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	f.engine.beat(b.Context())
	time.Sleep(1500 * time.Millisecond) // so that there is a downtime to add
	fmt.Println("open")
	<-b.Context().Done()
}

// goOn lets the agents of all machines come back.
func (f *fleet) goOn(b *testing.B) {
	var once, hundred sync.Once
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	for i := range 64 {
		go func() {
			for n := i; n < killed; n += 64 {
				id := fmt.Sprintf("in-%d", n)
				machine := "m-" + id[len("in-"):]
				if err := f.hello(ctx, id); err != nil {
					b.Error(err)
					return
				}
				s, token, err := f.engine.NextTask(ctx, machine, "boot-"+machine, pool.Installed)
				if err == nil {
					err = f.engine.TaskResult(ctx, pool.TaskOutcome{Machine: machine, Key: s.Key, Token: token, BootID: "boot-" + machine, State: "done"})
				}
				if err != nil {
					b.Error(err)
					return
				}
				once.Do(func() { fmt.Println("moving") })
				if f.done.Add(1) >= 100 {
					hundred.Do(func() { fmt.Println("hundred") })
				}
			}
		}()
	}
	<-b.Context().Done()
}
