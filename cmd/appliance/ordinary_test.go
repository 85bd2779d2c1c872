package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ordinary starts the appliance as a user who is nobody, without any
// configuration, and brings its own host.
const ordinary = `
ip link set lo up
exec setpriv --reuid=65534 --regid=65534 --clear-groups env -i HOME="$1" PATH="$2:$PATH" sh -c '
appliance serve --no-netboot --log warn >"$HOME/log" 2>&1 &
pid=$!
n=0
until appliance template list >/dev/null 2>&1 || [ $n -gt 600 ]; do n=$((n + 1)); sleep 0.1; done
id -u
appliance host add localhost
appliance host show localhost
ls "$HOME/.local/share/appliance"
kill $pid
wait $pid
echo "ended $?"
cat "$HOME/log"
'`

// TestOrdinaryUser: serve --no-netboot needs neither root nor a configuration.
// It runs in a network of its own, where its port is free.
func TestOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	dir := t.TempDir()
	bin, home := filepath.Join(dir, "bin"), filepath.Join(dir, "home")
	for _, d := range []string{bin, home} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	copyTest(t, filepath.Join(bin, "appliance"))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", ordinary, "sh", home, bin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	b, err := cmd.CombinedOutput()
	out := string(b)
	for _, want := range []string{"65534\n", "localhost", "FREE", "(own host)", "agent", "pool.db", "ended 0"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in what it said (%v):\n%s", want, err, out)
		}
	}
}

// copyTest copies the test's own binary, which is the appliance when it is called so.
func copyTest(t *testing.T, to string) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(own)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
