package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServeOnAFullDisk fills the file system under a serving appliance: what
// would have to be stored is refused with the reason, what is read is
// answered, and with room again all goes on. One that is started there says
// why it cannot.
func TestServeOnAFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system; make test runs it as root")
	}
	data := t.TempDir()
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("mount is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(data, 0); err != nil {
			t.Error(err)
		}
	})
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil || l.Close() != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	config := filepath.Join(work, "appliance.yaml")
	write(t, config, fmt.Sprintf("data: %s\nnetboot: false\nlisten: {https: \"127.0.0.1:%s\"}\n", data, port))
	env := func(name string) string {
		return map[string]string{"APPLIANCE_CONFIG": config, "HOME": work}[name]
	}
	call := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &out, &out, env)
		return code, out.String()
	}
	serve := func() (stop func() string) { // it answers, or has ended
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan string, 1)
		go func() {
			var out bytes.Buffer
			run(ctx, []string{"serve"}, strings.NewReader(""), &out, &out, env)
			ended <- out.String()
		}()
		stop = func() string { cancel(); return <-ended }
		for {
			if code, _ := call("template", "list"); code == 0 {
				return stop
			}
			select {
			case out := <-ended:
				cancel()
				return func() string { return out }
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	stop := serve()
	set := func(name string) (int, string) {
		file := filepath.Join(work, name+".yaml")
		write(t, file, "name: "+name+"\ntags: ["+strings.Repeat("x", 4000)+"]\n")
		return call("template", "set", file)
	}
	ballast := filepath.Join(data, "ballast")
	fill(t, ballast, 104<<10)
	stored := 0
	code, out := set("T0")
	for ; code == 0 && stored < 2000; code, out = set(fmt.Sprintf("T%d", stored)) {
		stored++
	}
	if stored == 0 || code != 1 || !strings.Contains(out, "unavailable: ") || !strings.Contains(out, "the disk of the data folder is full") {
		t.Errorf("template set on a full disk = %d %s", code, out)
	}
	t.Logf("after %d more templates: %s", stored, out)
	code, out = call("template", "list")
	if n := strings.Count(out, "\nT"); code != 0 || n != stored {
		t.Errorf("template list on a full disk = %d with %d of %d", code, n, stored)
	}
	if out := stop(); strings.Contains(out, "panic") {
		t.Errorf("serve said %s", out)
	}
	fill(t, ballast+"2", 0)
	if out := serve()(); !strings.Contains(out, "appliance serve: unavailable: the disk of the data folder is full") {
		t.Errorf("serve on a full disk said %s", out)
	}
	if err := errors.Join(os.Remove(ballast), os.Remove(ballast+"2")); err != nil {
		t.Fatal(err)
	}
	stop = serve()
	if code, out := set("AFTER"); code != 0 {
		t.Errorf("template set when there is room again = %d %s", code, out)
	}
	if code, out = call("template", "list"); code != 0 || strings.Count(out, "\nT") != stored || !strings.Contains(out, "AFTER") {
		t.Errorf("template list when there is room again = %d %s, want %d and AFTER", code, out, stored)
	}
	stop()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fill takes what room there is, but for a rest.
func fill(t *testing.T, path string, rest int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1 << 20; n >= 4096; n /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, n))
		}
	}
	end, err := f.Seek(0, io.SeekCurrent)
	if err := errors.Join(err, f.Truncate(end-rest), f.Close()); err != nil {
		t.Fatal(err)
	}
}
