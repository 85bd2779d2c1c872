package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"appliance/pool"
	"appliance/store"
)

// crashDir tells the test program to be the process that gets killed.
const crashDir = "STORE_TEST_CRASH_DIR"

// TestKill kills a process while it commits, some times, and asks that all it
// was told is stored is there, in order and without a gap.
func TestKill(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
			if n == 200+37*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the writing process ended: %v, want killed", err)
		}
		check(t, dir, acknowledged)
	}
}

func check(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	list, err := db.Events(t.Context(), pool.EventFilter{Limit: 1 << 30})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for i, e := range list {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d has Seq %d", i, e.Seq)
		}
		stored[e.Message] = true
	}
	for m := range acknowledged {
		if !stored[m] {
			t.Errorf("event %s was acknowledged and is lost", m)
		}
	}
	if len(acknowledged) < 200 {
		t.Errorf("only %d writes were acknowledged", len(acknowledged))
	}
}

// writeUntilKilled writes from several goroutines, so that commits are groups,
// and prints what is stored.
func writeUntilKilled(t *testing.T, dir string) {
	db := open(t, dir)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				name := strconv.Itoa(os.Getpid()) + "." + strconv.Itoa(w) + "." + strconv.Itoa(i)
				if err := db.Apply(t.Context(), event(name)); err != nil {
					t.Error(err)
					return
				}
				if _, err := fmt.Println(name); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestDiskFull fills a real, small file system under the store.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system; make test runs it as root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("mount is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	db := open(t, dir)
	ballast := dir + "/ballast"
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%08192d", 1)
	stored, err := 0, error(nil)
	for ; err == nil && stored < 10000; stored++ {
		err = db.Apply(t.Context(), event(text))
	}
	stored-- // the last one was refused
	if !errors.Is(err, pool.ErrUnavailable) {
		t.Fatalf("Apply on a full disk = %v, want %v", err, pool.ErrUnavailable)
	}
	if list, err := db.Events(t.Context(), pool.EventFilter{Limit: 1 << 30}); err != nil || len(list) != stored {
		t.Errorf("%d events on a full disk, %v, want %d", len(list), err, stored)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := db.Apply(t.Context(), event(text)); err != nil {
		t.Errorf("Apply when there is room again = %v", err)
	}
	if list, err := db.Events(t.Context(), pool.EventFilter{Limit: 1 << 30}); err != nil || len(list) != stored+1 {
		t.Errorf("%d events, %v, want %d", len(list), err, stored+1)
	}
}

// BenchmarkApply measures commits of many writers: how many share an fsync.
func BenchmarkApply(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(strconv.Itoa(writers), func(b *testing.B) {
			db, err := store.Open(b.Context(), store.Options{Dir: b.TempDir(), Key: key})
			if err != nil {
				b.Fatal(err)
			}
			todo := make(chan struct{})
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for range todo {
						if err := db.Apply(b.Context(), event("x")); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				todo <- struct{}{}
			}
			close(todo)
			wg.Wait()
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
