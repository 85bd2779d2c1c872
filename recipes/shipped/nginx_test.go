package shipped_test

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"appliance/recipes"
	"appliance/recipes/shipped"
)

// endpointHost is a machine whose appliance knows one attribute; with down it
// is not reached.
type endpointHost struct {
	recipes.Host // none of the rest is asked for
	endpoint     string
	down         bool
}

func (h *endpointHost) Attribute(_ context.Context, s recipes.Scope, name string) (recipes.Attribute, bool, error) {
	if h.down {
		return recipes.Attribute{}, false, io.ErrUnexpectedEOF
	}
	return recipes.Attribute{Value: h.endpoint}, s.Service == "db" && name == "endpoint", nil
}

func (h *endpointHost) Exec(ctx context.Context, c recipes.Command, out io.Writer) (int, error) {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.Dir, out, out
	if c.Started != nil {
		c.Started()
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return -1, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// TestNginxFollows: nginx passes on to where the service behind is now, once
// for each change, and a change that fails is tried again.
func TestNginxFollows(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it is nginx's port
	r, err := recipes.Load(shipped.FS(), recipes.Options{Dir: "nginx", Overrides: "backendService = \"db\"\nhttpPort = " + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)})
	if err != nil {
		t.Fatal(err)
	}
	archive, digest, err := r.Pack()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "nginx")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := recipes.Unpack(archive, digest, dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"nginx_configure.sh": "cat backend >> configured; echo >> configured; [ ! -e broken ]", "nginx_reload.sh": "echo r >> reloaded", "backend": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if r, err = recipes.LoadDir(dir, recipes.Options{}); err != nil {
		t.Fatal(err)
	}
	host := &endpointHost{}
	run := recipes.NewRunner(r, host, recipes.Values{InstanceID: 1}, dir)
	broken := filepath.Join(dir, "broken")
	for _, step := range []struct {
		endpoint            string
		down, broken        bool
		configured, reloads string
	}{
		{"10.0.0.1:3306", false, false, "10.0.0.1:3306\n", "r\n"},
		{"10.0.0.1:3306", false, false, "10.0.0.1:3306\n", "r\n"}, // nothing has changed
		{"10.0.0.2:3306", true, false, "10.0.0.1:3306\n", "r\n"},  // nobody says
		{"10.0.0.2:3306", false, true, "10.0.0.1:3306\n10.0.0.2:3306\n", "r\n"},
		{"10.0.0.2:3306", false, false, "10.0.0.1:3306\n10.0.0.2:3306\n10.0.0.2:3306\n", "r\nr\n"},
	} {
		host.endpoint, host.down = step.endpoint, step.down
		if err := os.RemoveAll(broken); err != nil {
			t.Fatal(err)
		}
		if step.broken {
			if err := os.WriteFile(broken, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out output
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		res, err := run.Run(ctx, "stopDetection", nil, &out)
		cancel()
		if err != nil || res.OK || len(res.Warnings) > 0 {
			t.Errorf("stopDetection with %+v = %+v, %v\n%s", step, res, err, out)
		}
		configured, _ := os.ReadFile(filepath.Join(dir, "configured"))
		reloaded, _ := os.ReadFile(filepath.Join(dir, "reloaded"))
		if string(configured) != step.configured || string(reloaded) != step.reloads {
			t.Errorf("with %+v it was configured for %q and reloaded %q\n%s", step, configured, reloaded, out)
		}
	}
}

// output is what an event printed.
type output []byte

func (o *output) Write(b []byte) (int, error) { *o = append(*o, b...); return len(b), nil }
