package recipes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"appliance/recipes/groovy"
)

func tarOf(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 1, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fakeHost runs commands for real and keeps attributes in memory.
type fakeHost struct {
	mu       sync.Mutex
	attrs    map[Scope]map[string]any
	secret   map[string]bool
	commands []Command
	peers    map[string]Service
	invoked  []string // SERVICE/INSTANCE COMMAND ARGS
	fails    error    // what Invoke answers
}

func newFakeHost() *fakeHost {
	return &fakeHost{attrs: map[Scope]map[string]any{}, secret: map[string]bool{}}
}

func (h *fakeHost) Exec(ctx context.Context, c Command, out io.Writer) (int, error) {
	h.mu.Lock()
	h.commands = append(h.commands, c)
	h.mu.Unlock()
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, append(os.Environ(), c.Env...), out, out
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func (h *fakeHost) Attribute(_ context.Context, s Scope, name string) (Attribute, bool, error) {
	v, ok := h.attrs[s][name]
	return Attribute{v, h.secret[name]}, ok, nil
}

func (h *fakeHost) SetAttribute(_ context.Context, s Scope, name string, v any, secret bool) error {
	if h.attrs[s] == nil {
		h.attrs[s] = map[string]any{}
	}
	h.attrs[s][name] = v
	h.secret[name] = secret
	return nil
}

func (h *fakeHost) RemoveAttribute(_ context.Context, s Scope, name string) error {
	delete(h.attrs[s], name)
	if name == "" {
		delete(h.attrs, s)
	}
	return nil
}

func (h *fakeHost) Service(_ context.Context, name string, n int, wait time.Duration) (Service, bool, error) {
	s, ok := h.peers[name]
	if wait > 0 && n > len(s.Instances) && ok { // they come while it waits
		for len(s.Instances) < n {
			s.Instances = append(s.Instances, Instance{ID: len(s.Instances) + 1, Address: fmt.Sprintf("10.0.1.%d", len(s.Instances)+1)})
		}
		h.peers[name] = s
	}
	return s, ok, nil
}

func (h *fakeHost) Invoke(_ context.Context, service string, instance int, command string, args []string) ([]any, error) {
	h.invoked = append(h.invoked, fmt.Sprintf("%s/%d %s %s", service, instance, command, strings.Join(args, " ")))
	return []any{"ok", int64(len(args))}, h.fails
}

func (h *fakeHost) Readings(_ context.Context, service string, instance int) (details, monitors map[string]any, err error) {
	return map[string]any{"url": fmt.Sprintf("http://%s-%d", service, instance)}, map[string]any{"Sessions": int64(7)}, nil
}

// deploy packs a recipe, unpacks it as a machine does, and makes its runner.
func deploy(t *testing.T, r *Recipe) (*Runner, *fakeHost) {
	t.Helper()
	archive, digest, err := r.Pack()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := Unpack(archive, digest, dir); err != nil {
		t.Fatal(err)
	}
	v := Values{InstanceID: 2, Planned: 3, PrivateAddress: "10.0.0.7"}
	u, err := Load(os.DirFS(dir), Options{Values: v})
	if err != nil {
		t.Fatal(err)
	}
	h := newFakeHost()
	return NewRunner(u, h, v, dir), h
}

func loaded(t *testing.T, descriptor string, files ...string) *Recipe {
	t.Helper()
	r, err := Load(folderOf(descriptor, files...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The first recipe of the article runs with the scripts it names.
func TestRunArticle(t *testing.T) {
	r, err := Load(os.DirFS("testdata/article"), Options{Dir: "mysql"})
	if err != nil {
		t.Fatal(err)
	}
	run, h := deploy(t, r)
	run.Groovy = nil
	if res, err := run.Run(t.Context(), "startDetection", nil, nil); err != nil || res.OK {
		t.Errorf("startDetection before install = %+v, %v", res, err)
	}
	var out strings.Builder
	res, err := run.Run(t.Context(), "install", nil, &out)
	if err != nil || !res.OK {
		t.Fatalf("install = %+v, %v", res, err)
	}
	if want := "wrote port=3306\nwrote instance=2\ntoken is ********\n"; out.String() != want {
		t.Errorf("output %q, want %q", out.String(), want)
	}
	if got := h.attrs[Scope{Kind: ThisService, Service: "mysql"}]["port"]; got != int64(3306) {
		t.Errorf("attribute port = %v", got)
	}
	if !h.secret["token"] || h.secret["port"] {
		t.Errorf("secret = %v", h.secret)
	}
	if res, err := run.Run(t.Context(), "startDetection", nil, nil); err != nil || !res.OK {
		t.Errorf("startDetection after install = %+v, %v", res, err)
	}
	run.Groovy = []string{"/bin/echo", "groovy"}
	out.Reset()
	if _, err := run.Run(t.Context(), "start", nil, &out); err != nil || out.String() != "groovy mysql_start.groovy\n" || !h.commands[0].Background {
		t.Errorf("start = %q, %v, commands %+v", out.String(), err, h.commands)
	}
	if res, err := run.Run(t.Context(), "postStop", nil, nil); err != nil || res.Ran {
		t.Errorf("an event without entry = %+v, %v", res, err)
	}
	out.Reset()
	if code, err := run.RunScript(t.Context(), "mysql_start.groovy", []string{"a", "b"}, &out); code != 0 || err != nil || out.String() != "start a b\n" {
		t.Errorf("RunScript = %d, %v, %q", code, err, out.String())
	}
}

// Detections are closures over a port that is really open or closed.
func TestDetection(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	run, _ := deploy(t, loaded(t, service("lifecycle {\n startDetection { ServiceUtils.isPortOccupied(port) }\n stopDetection { !ServiceUtils.isPortOccupied(port) }\n}"), "x-service.properties", "port = "+port))
	for _, open := range []bool{true, false} {
		started, err1 := run.Run(t.Context(), "startDetection", nil, nil)
		stopped, err2 := run.Run(t.Context(), "stopDetection", nil, nil)
		if started.OK != open || stopped.OK == open || err1 != nil || err2 != nil {
			t.Errorf("port open %v: started %v (%v), stopped %v (%v)", open, started.OK, err1, stopped.OK, err2)
		}
		if open {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDetectionFaults(t *testing.T) {
	run, _ := deploy(t, loaded(t, service("lifecycle {\n startDetection { 5 }\n stopDetection { throw new RuntimeException(\"boo\") }\n}")))
	for event, want := range map[string]string{"startDetection": "not a Boolean", "stopDetection": "boo"} {
		res, err := run.Run(t.Context(), event, nil, nil)
		if err != nil || res.OK || len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], want) {
			t.Errorf("%s = %+v, %v", event, res, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	loop, _ := deploy(t, loaded(t, service("lifecycle { startDetection { while (true) { } } }")))
	if _, err := loop.Run(ctx, "startDetection", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a detection whose time is over = %v", err)
	}
}

func TestCommands(t *testing.T) {
	run, h := deploy(t, loaded(t, service(`lifecycle {
		init { println "init ${context.serviceName} of ${context.applicationName} at ${context.privateAddress}" }
		preInstall(["sh", "-c", "echo list \$1", "sh", "a b"])
		install "env.sh one"
		postInstall(["Win.*": "x.bat", "Linux": "exit.sh"])
		preStart { def p = "sh env.sh two".execute(); p.waitFor(); p.text.trim() }
		start "env.sh"
		monitors(["a": { 1 + 1 }, "b": { [c: port] }])
	}
	customCommands(["say": "env.sh", "add": { a, b -> a.toInteger() + b.toInteger() }, "wait": { context.waitForService("none", 0, TimeUnit.SECONDS) }])`),
		"env.sh", "#!/bin/sh\necho \"$USM_SERVICE_NAME $USM_INSTANCE_ID $USM_NUMBER_OF_INSTANCES $RECIPE_port $*\"\n", "exit.sh", "exit 4\n", "x-service.properties", "port = 99"))
	for _, tt := range []struct {
		event, out, fail string
		value            any
	}{
		{event: "init", out: "init a of default at 10.0.0.7\n"},
		{event: "preInstall", out: "list a b\n"},
		{event: "install", out: "a 2 3 99 one\n"},
		{event: "postInstall", fail: "postInstall: external process exited with abnormal status code: 4"},
		{event: "preStart", value: "a 2 3 99 two"},
		{event: "start", out: "a 2 3 99 \n"},
	} {
		var out strings.Builder
		res, err := run.Run(t.Context(), tt.event, nil, &out)
		if (err == nil) != (tt.fail == "") || err != nil && err.Error() != tt.fail || out.String() != tt.out || tt.value != nil && res.Value != tt.value {
			t.Errorf("%s = %+v, %v, output %q", tt.event, res, err, out.String())
		}
	}
	if last := h.commands[len(h.commands)-1]; !last.Background {
		t.Errorf("start was not run in the background: %+v", last)
	}
	var out strings.Builder
	if _, err := run.Command(t.Context(), "say", []string{"it's", "$(id)"}, &out); err != nil || out.String() != "a 2 3 99 it's $(id)\n" {
		t.Errorf("say = %q, %v", out.String(), err)
	}
	if res, err := run.Command(t.Context(), "add", []string{"2", "3"}, nil); err != nil || res.Value != int64(5) {
		t.Errorf("add = %+v, %v", res, err)
	}
	if res, err := run.Command(t.Context(), "wait", nil, nil); err != nil || res.Value != nil {
		t.Errorf("wait = %+v, %v", res, err)
	}
	if _, err := run.Command(t.Context(), "none", nil, nil); err == nil || !strings.Contains(err.Error(), "No such Custom Command: none") {
		t.Errorf("none = %v", err)
	}
	res, err := run.Run(t.Context(), "monitors", nil, nil)
	if m, ok := res.Value.(map[string]any); err != nil || !ok || m["a"] != int64(2) {
		t.Errorf("monitors = %+v, %v", res, err)
	}
}

func TestAttributes(t *testing.T) {
	run, h := deploy(t, loaded(t, service(`lifecycle { init {
		def a = context.attributes
		a.thisInstance.x = 1
		a.thisService["y"] = [1, [k: "v"]]
		a.thisApplication.z = "app"
		a.global.w = true
		a.other.v = "o"
		a.global.gone = 1
		a.global.remove("gone")
		assert a.thisService.y[1].k == "v"
		assert a.thisInstance.containsKey("x") && !a.thisInstance.containsKey("nope")
		assert a.thisService.instances[2].x == 1
		assert a.thisInstance.nope == null
	} }`)))
	if _, err := run.Run(t.Context(), "init", nil, nil); err != nil {
		t.Fatal(err)
	}
	for s, name := range map[Scope]string{{ThisInstance, "a", 2}: "x", {Kind: ThisService, Service: "a"}: "y", {Kind: ThisApplication}: "z", {Kind: Global}: "w", {Kind: ThisService, Service: "other"}: "v"} {
		if _, ok := h.attrs[s][name]; !ok || len(h.attrs[s]) != 1 {
			t.Errorf("scope %+v holds %v, want only %s", s, h.attrs[s], name)
		}
	}
}

// A failing closure names its place in the descriptor.
func TestFailure(t *testing.T) {
	run, _ := deploy(t, loaded(t, service("lifecycle {\n  init {\n    nothing.here()\n  }\n  preInstall { System.exit(7) }\n}")))
	_, err := run.Run(t.Context(), "init", nil, nil)
	var e *groovy.Error
	if !errors.As(err, &e) || e.File != "x-service.groovy" || e.Pos.Line != 5 || !strings.Contains(err.Error(), "Could not resolve DSL entry with name: nothing") {
		t.Errorf("init = %v", err)
	}
	if res, err := run.Run(t.Context(), "preInstall", nil, nil); err == nil || res.ExitCode != 7 {
		t.Errorf("preInstall = %+v, %v", res, err)
	}
}

// The shell parts of the shipped database are exercised by the end-to-end
// run; here its closure meets a stand-in for its script.
func TestMySQLPostStart(t *testing.T) {
	text, err := os.ReadFile("shipped/mysql/mysql-service.groovy")
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"x-service.properties", "jdbcPort = 3306\ndbName = 'd'\ndbUser = 'u'", "mysql.svg", "",
		"mysql_postStart.sh", "#!/bin/sh\nprintf hush-hush > mysql.password\necho ready hush-hush\n"}
	for _, s := range []string{"install", "start", "stop", "shutdown", "createDatabase", "version"} {
		files = append(files, "mysql_"+s+".sh", "")
	}
	run, h := deploy(t, loaded(t, string(text), files...))
	run.Values.InstanceID = 1
	var out strings.Builder
	if _, err := run.Run(t.Context(), "postStart", nil, &out); err != nil {
		t.Fatal(err)
	}
	got := h.attrs[Scope{Kind: ThisService, Service: "mysql"}]
	if got["password"] != "hush-hush" || !h.secret["password"] || got["endpoint"] != "10.0.0.7:3306" || got["user"] != "u" {
		t.Errorf("attributes = %v", got)
	}
	for _, c := range h.commands {
		if slices.ContainsFunc(c.Argv, func(a string) bool { return strings.Contains(a, "hush") }) {
			t.Errorf("the password is in an argument of %v", c.Argv)
		}
	}
}
