package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// agentsDir is a folder with the agent, built once for all tests here.
var agentsDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "appliance-agents-")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-o", filepath.Join(dir, "appliance-agent-amd64"), "appliance/cmd/appliance-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build agent: %w: %s", err, out)
	}
	return dir, err
})

// served is an appliance without netboot, in this process, and its command line.
type served struct {
	t    *testing.T
	work string
	env  func(string) string
	stop func() string
}

// serveHere serves an appliance on a free port of the loopback.
func serveHere(t *testing.T, more string) *served {
	t.Helper()
	agents, err := agentsDir()
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	config := filepath.Join(work, "appliance.yaml")
	write(t, config, fmt.Sprintf("data: %s\nnetboot: false\nagents: %s\nlisten: {https: \"127.0.0.1:%d\"}\n%s", filepath.Join(work, "data"), agents, freePort(t), more))
	s := &served{t: t, work: work, env: func(name string) string {
		return map[string]string{"APPLIANCE_CONFIG": config, "HOME": work, "PATH": os.Getenv("PATH")}[name]
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan string, 1)
	go func() {
		var out bytes.Buffer
		run(ctx, []string{"serve", "--log", "warn"}, strings.NewReader(""), &out, &out, s.env)
		ended <- out.String()
	}()
	s.stop = sync.OnceValue(func() string { cancel(); return <-ended })
	t.Cleanup(func() {
		if out := s.stop(); t.Failed() {
			t.Logf("serve said: %s", out)
		}
		for _, pid := range processesIn(t, work) { // what a failed test left
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	for range 600 {
		if code, _, _ := s.call("template", "list"); code == 0 {
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the appliance does not answer: %s", s.stop())
	return nil
}

func freePort(t *testing.T) int {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

// call runs a command line.
func (s *served) call(args ...string) (code int, stdout, stderr string) {
	var out, bad bytes.Buffer
	code = run(s.t.Context(), args, strings.NewReader(""), &out, &bad, s.env)
	return code, out.String(), bad.String()
}

// must runs a command line that has to succeed.
func (s *served) must(args ...string) string {
	s.t.Helper()
	code, out, bad := s.call(args...)
	if code != 0 {
		_, events, _ := s.call("event", "tail")
		s.t.Fatalf("appliance %s = %d: %s%s\n%s", strings.Join(args, " "), code, out, bad, events)
	}
	return out
}

func decodeJSON[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func (s *served) host(name string) wire.Host {
	s.t.Helper()
	return decodeJSON[wire.Host](s.t, s.must("host", "show", name, "-o", "json"))
}

// until waits for a state of a host.
func (s *served) until(name string, want pool.HostState) wire.Host {
	s.t.Helper()
	var h wire.Host
	for range 600 {
		if h = s.host(name); h.State == want {
			return h
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("host %s is %q (%s), want %s", name, h.State, h.Why, want)
	return h
}

// digests returns the recipe digests that the events of a service carry.
func (s *served) digests(service string) map[string]int {
	s.t.Helper()
	out := map[string]int{}
	for _, e := range decodeJSON[[]pool.Event](s.t, s.must("event", "tail", "--limit", "1000", "--service", service, "-o", "json")) {
		if e.Digest != "" {
			out[e.Digest]++
		}
	}
	return out
}

// sshHost is an SSH server on the loopback in namespaces of its own: files
// that are made below /var/lib and processes that are started end with it.
type sshHost struct {
	port     int
	root     string // its file system, seen from here
	key      string // private key of the user, a file
	conf     string
	process  *exec.Cmd
	hostKeys string
}

func startSSH(t *testing.T) *sshHost {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to start an SSH server in a namespace of its own; make test runs it as root")
	}
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
		t.Skip("needs openssh-server; scripts/prepare.sh installs it")
	}
	dir := t.TempDir()
	h := &sshHost{port: freePort(t), key: filepath.Join(dir, "user"), conf: filepath.Join(dir, "sshd_config"), hostKeys: dir}
	for _, k := range []string{"user", "host", "other"} {
		if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, k)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	h.start(t, "host")
	return h
}

func (h *sshHost) start(t *testing.T, hostKey string) {
	t.Helper()
	write(t, h.conf, fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s/%s\nAuthorizedKeysFile %s.pub\nPidFile none\n"+
		"PermitRootLogin prohibit-password\nPasswordAuthentication no\nStrictModes no\nUsePAM no\nLogLevel ERROR\n", h.port, h.hostKeys, hostKey, h.key))
	script := "mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /run && mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f " + h.conf
	h.process = exec.CommandContext(t.Context(), "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script)
	h.process.Stderr = os.Stderr
	if err := h.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.stop() })
	for range 100 {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", h.port))
		if err == nil {
			_ = c.Close()
			h.findRoot(t)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("sshd does not listen")
}

// findRoot looks for the child of unshare: its root is the host's.
func (h *sshHost) findRoot(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", h.process.Process.Pid, h.process.Process.Pid))
	if err != nil || len(bytes.Fields(b)) == 0 {
		t.Fatalf("children of unshare: %q, %v", b, err)
	}
	h.root = "/proc/" + string(bytes.Fields(b)[0]) + "/root"
}

func (h *sshHost) stop() {
	if h.process.ProcessState == nil {
		_ = h.process.Process.Kill()
		_ = h.process.Wait()
	}
	for range 100 { // its child ends a little later
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", h.port))
		if err != nil {
			return
		}
		_ = c.Close()
		time.Sleep(20 * time.Millisecond)
	}
}

// agents lists what is below the folder of agents on the host.
func (h *sshHost) agents(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(h.root + "/var/lib/appliance-agent/*")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// runGreeter deploys the greeter, asks it, and removes it.
func (s *served) runGreeter(service, template string) map[string]int {
	s.t.Helper()
	if got := get(s.t, "http://127.0.0.1:18080/"); !strings.Contains(got, "refused") {
		s.t.Fatalf("somebody else has port 18080: %s", got)
	}
	out := s.must("deploy", "testdata/greeter", "--name", service, "--template", template, "--timeout", "5m", "-o", "json")
	svc := decodeJSON[wire.Service](s.t, out)
	if svc.Phase != pool.ServiceRunning || len(svc.Endpoints) != 1 {
		s.t.Fatalf("deploy = %s", out)
	}
	if got := get(s.t, "http://"+svc.Endpoints[0]+"/"); got != "hello from Linux, instance 1\n" {
		s.t.Errorf("%s answers %q", svc.Endpoints[0], got)
	}
	return s.digests(service)
}

func (s *served) removeService(name string) {
	s.t.Helper()
	s.must("service", "remove", name)
}

// TestHostOverSSH adopts a host over a real SSH server, runs a recipe on it,
// and gives it back: the host key is pinned and shown, nothing is written
// before a service takes it, and nothing is left afterwards; a partition
// table on it is what it was, byte for byte.
func TestHostOverSSH(t *testing.T) {
	h := startSSH(t)
	s := serveHere(t, "")
	disk := partitioned(t)
	before := sumOf(t, disk)

	added := decodeJSON[[]wire.Host](t, s.must("host", "add", "--list", "127.0.0.1", "--id", "web{0}", "--port", fmt.Sprint(h.port), "--user", "root",
		"--key", h.key, "--zone", "hall-1", "-o", "json"))
	if len(added) != 1 || added[0].Name != "web1" || added[0].State != pool.HostFree || !strings.HasPrefix(added[0].HostKey, "SHA256:") || added[0].Zone != "hall-1" {
		t.Fatalf("host add = %+v", added)
	}
	if shown, err := exec.CommandContext(t.Context(), "ssh-keygen", "-lf", h.hostKeys+"/host.pub").Output(); err != nil || !strings.Contains(string(shown), added[0].HostKey) {
		t.Errorf("pinned %s, ssh-keygen says %s (%v)", added[0].HostKey, shown, err)
	}
	if left := h.agents(t); len(left) > 0 {
		t.Errorf("adding wrote to the host: %v", left)
	}
	if code, _, bad := s.call("host", "add", "--list", "127.0.0.1", "--id", "again", "--port", fmt.Sprint(h.port), "--user", "root", "--key", h.key); code != 1 || !strings.Contains(bad, "in the pool already, as web1") {
		t.Errorf("the same host again = %d %s", code, bad)
	}

	digests := s.runGreeter("greeter", "host")
	if len(digests) != 1 || len(h.agents(t)) != 1 {
		t.Errorf("digests %v, agents %v; want one each", digests, h.agents(t))
	}
	if now := s.host("web1"); now.State != pool.HostAllocated || now.Service != "greeter" {
		t.Errorf("host show = %+v", now)
	}
	if code, _, bad := s.call("host", "remove", "web1"); code != 1 || !strings.Contains(bad, "allocated") {
		t.Errorf("host remove of an allocated host = %d %s", code, bad)
	}
	s.removeService("greeter")
	s.until("web1", pool.HostFree)
	if left := h.agents(t); len(left) > 0 {
		t.Errorf("the release left %v", left)
	}
	if got := get(t, "http://127.0.0.1:18080/"); !strings.Contains(got, "refused") {
		t.Errorf("the service still answers: %s", got)
	}
	if after := sumOf(t, disk); after != before {
		t.Error("the partitioned disk has changed")
	}
	noSecret(t, s, h.key)
	s.must("host", "remove", "web1")
	if now := s.host("web1"); now.State != pool.HostTerminated || now.HostKey != "" {
		t.Errorf("after host remove: %+v", now)
	}
	again := decodeJSON[[]wire.Host](t, s.must("host", "add", "--list", "127.0.0.1", "--id", "web1", "--port", fmt.Sprint(h.port), "--user", "root", "--key", h.key, "-o", "json"))
	if again[0].State != pool.HostFree {
		t.Errorf("a host that comes again = %+v", again)
	}
}

// noSecret looks for the login's key wherever people read.
func noSecret(t *testing.T, s *served, keyFile string) {
	t.Helper()
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Split(string(key), "\n")[2]
	for _, args := range [][]string{{"event", "tail", "--limit", "1000", "-o", "json"}, {"machine", "show", "web1", "-o", "json"}, {"host", "list", "-o", "json"}} {
		if strings.Contains(s.must(args...), line) {
			t.Errorf("%v shows the private key", args)
		}
	}
	db, err := filepath.Glob(filepath.Join(s.work, "data", "pool.db*"))
	if err != nil || len(db) == 0 {
		t.Fatalf("database: %v, %v", db, err)
	}
	for _, f := range db {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte(line)) {
			t.Errorf("%s holds the private key unsealed (%v)", f, err)
		}
	}
}

// partitioned makes a disk with a partition table, as a loop device where the
// kernel has them.
func partitioned(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(64 << 20); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sfdisk", "-q", file)
	cmd.Stdin = strings.NewReader("label: gpt\nsize=16MiB\nsize=16MiB\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sfdisk: %v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "losetup", "--find", "--show", file).CombinedOutput()
	if err != nil {
		t.Logf("no loop device here (%s): the file stands for the disk", bytes.TrimSpace(out))
		return file
	}
	loop := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "losetup", "-d", loop).CombinedOutput(); err != nil {
			t.Errorf("losetup -d: %v: %s", err, out)
		}
	})
	return loop
}

func sumOf(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// TestHostKeyChanged: a host that shows another key than the pinned one is
// not talked to; one that does not answer is INVALID and comes back.
func TestHostKeyChanged(t *testing.T) {
	h := startSSH(t)
	s := serveHere(t, "")
	s.must("host", "add", "--list", "127.0.0.1", "--id", "web1", "--port", fmt.Sprint(h.port), "--user", "root", "--key", h.key)
	h.stop()
	h.start(t, "other")
	s.must("machine", "inspect", "web1")
	bad := s.until("web1", pool.HostInvalid)
	if !strings.Contains(bad.Why, "host key has changed") {
		t.Errorf("why = %q", bad.Why)
	}
	if code, _, out := s.call("deploy", "testdata/greeter", "--template", "host"); code == 0 || !strings.Contains(out, "web1") {
		t.Errorf("deploy onto an impostor = %d %s", code, out)
	}
	if left := h.agents(t); len(left) > 0 {
		t.Errorf("the impostor got an agent: %v", left)
	}
	code, _, out := s.call("host", "add", "--list", "127.0.0.1", "--id", "nobody", "--port", fmt.Sprint(freePort(t)), "--user", "root", "--key", h.key)
	if code != 1 || !strings.Contains(out, "INVALID") || !strings.Contains(out, "No SSH server answers") {
		t.Errorf("a host that is not there = %d %s", code, out)
	}
	wrong := s.host("nobody")
	if wrong.State != pool.HostInvalid {
		t.Errorf("a host that is not there is %s", wrong.State)
	}
	code, _, out = s.call("host", "add", "--list", "localhost", "--id", "stranger", "--port", fmt.Sprint(h.port), "--user", "root", "--key", filepath.Join(h.hostKeys, "other"))
	if code != 1 || !strings.Contains(out, "refuses user root") {
		t.Errorf("a wrong key = %d %s", code, out)
	}
}

// TestLocalhost is a whole engine on a laptop: no netboot and no SSH. It needs
// no root, but is root where the test is; TestOrdinaryUser is not.
func TestLocalhost(t *testing.T) {
	s := serveHere(t, "")
	out := s.must("host", "add", "localhost")
	if !strings.Contains(out, "FREE") || !strings.Contains(out, "(own host)") {
		t.Fatalf("host add localhost = %s", out)
	}
	digests := s.runGreeter("local", "SMALL_LINUX")
	if len(digests) != 1 {
		t.Errorf("digests = %v", digests)
	}
	pids := processesIn(t, filepath.Join(s.work, "data", "host"))
	if len(pids) == 0 {
		t.Error("no agent runs from the data folder")
	}
	s.removeService("local")
	s.until("localhost", pool.HostFree)
	if left, err := os.ReadDir(filepath.Join(s.work, "data", "host")); err == nil && len(left) > 0 {
		t.Errorf("the release left %v", left)
	}
	if pids := processesIn(t, filepath.Join(s.work, "data", "host")); len(pids) > 0 {
		t.Errorf("processes %v still run", pids)
	}
	s.must("host", "remove", "localhost")
}

// processesIn lists the processes that work in a folder or whose command line names it.
func processesIn(t *testing.T, dir string) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		cmd, err := os.ReadFile(p + "/cmdline")
		if err != nil {
			continue // it has ended
		}
		cwd, _ := os.Readlink(p + "/cwd")
		pid, _ := strconv.Atoi(filepath.Base(p))
		if pid != os.Getpid() && (bytes.Contains(cmd, []byte(dir+"/")) || strings.HasPrefix(cwd, dir+"/")) {
			pids = append(pids, pid)
		}
	}
	return pids
}
