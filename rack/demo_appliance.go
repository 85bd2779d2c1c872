package rack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

const (
	imageName   = "debian-12"
	serviceName = "mysql"
	consoleEnv  = "RACK_CONSOLE"
	apiURL      = "https://10.77.0.1:8443"
)

// demoAPI is what the demo asks of an appliance; *client.Client has it.
type demoAPI interface {
	Machines(ctx context.Context) ([]wire.Machine, error)
	UploadImage(ctx context.Context, name string, raw io.Reader, size int64) (pool.Image, error)
	Deploy(ctx context.Context, r wire.DeployRequest) (wire.Service, error)
	Service(ctx context.Context, name string) (wire.Service, error)
	Attribute(ctx context.Context, service, name string) (wire.AttributeValue, error)
}

// demoConfig is the appliance's whole configuration: where it stands, and no
// machine, MAC or BMC.
func demoConfig(data, packages string) string {
	text := fmt.Sprintf(`data: %s
interface: %s
subnets:
  - name: rack
    prefix: %s
    first: 10.77.0.100
    last: 10.77.0.199
    lease: 1h
    discover: true
accept:
  - name: rack
    subnet: %s
    erase: false
image: %s
names: [localhost, 127.0.0.1]
`, strconv.Quote(data), Bridge, Subnet(), Subnet(), imageName)
	if packages != "" {
		text += "packages: " + strconv.Quote(packages) + "\n"
	}
	return text
}

// applianceProcess is the "appliance serve" that a demo shows.
type applianceProcess struct {
	data string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startAppliance starts "appliance serve" with the console's listener as
// descriptor 3, by systemd's protocol (sd_listen_fds(3)).
func startAppliance(ctx context.Context, d *Demo) (*applianceProcess, error) {
	p := &applianceProcess{data: filepath.Join(d.dir, "data"), log: filepath.Join(d.dir, "appliance.log"), done: make(chan struct{})}
	config := filepath.Join(d.dir, "appliance.yaml")
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if err := os.WriteFile(config, []byte(demoConfig(p.data, d.Packages)), 0o644); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	defer out.Close() //nolint:errcheck // a duplicate; the appliance has its own
	// LISTEN_PID has to be the pid of the process that is exec'ed: the shell's own.
	script := `exec "$@"`
	p.cmd = exec.Command("/bin/sh") //nolint:noctx // ends by stop or with the world
	p.cmd.Env = append(Environ(), "APPLIANCE_CONFIG="+config)
	if d.Console != nil {
		script = `LISTEN_FDS=1 LISTEN_FDNAMES=console LISTEN_PID=$$; export LISTEN_FDS LISTEN_FDNAMES LISTEN_PID; exec "$@"`
		p.cmd.ExtraFiles = []*os.File{d.Console}
	}
	p.cmd.Args = []string{"sh", "-c", script, "sh", d.Appliance, "serve", "--config", config}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", d.Appliance, err)
	}
	go func() { // ends with the process
		_ = p.cmd.Wait() // how it ended is in its log
		close(p.done)
	}()
	return p, nil
}

// await returns when the appliance answers.
func (p *applianceProcess) await(ctx context.Context) error {
	last := errors.New("not started")
	for {
		api, err := p.client()
		if err == nil {
			err = api.Health(ctx)
			api.Close()
		}
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-p.done:
			return errors.New("the appliance ended at once")
		case <-ctx.Done():
			return fmt.Errorf("the appliance does not answer: %w", last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// client calls the appliance as its first administrator, by what serve wrote
// into its data folder.
func (p *applianceProcess) client() (*client.Client, error) {
	token, err := os.ReadFile(p.tokenFile())
	if err != nil {
		return nil, fmt.Errorf("read first token: %w", err)
	}
	return client.New(client.Options{
		URL: apiURL, Token: strings.TrimSpace(string(token)), CAFile: filepath.Join(p.data, "ca", "ca.pem"),
	})
}

func (p *applianceProcess) tokenFile() string { return filepath.Join(p.data, "admin.token") }

// stop ends the appliance: SIGTERM, and after 20 seconds SIGKILL.
func (p *applianceProcess) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop appliance: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(20 * time.Second):
	}
	_ = p.cmd.Process.Kill() // it has ended meanwhile, or it ends now
	<-p.done
	return errors.New("stop appliance: it did not end within 20 s of SIGTERM and was killed")
}

// ListenConsole opens the console's listener in the host's namespace, on
// loopback only: port 8443, or the next free one. The file goes to Isolate as
// its first; inside the world WorldConsole finds it.
func ListenConsole(ctx context.Context) (*os.File, string, error) {
	var last error
	for port := 8443; port < 8443+100; port++ {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		f, err := l.(*net.TCPListener).File()
		addr := l.Addr().String()
		if err := errors.Join(err, l.Close()); err != nil { // the file keeps the socket
			return nil, "", fmt.Errorf("open console listener: %w", err)
		}
		if err := os.Setenv(consoleEnv, addr); err != nil {
			return nil, "", errors.Join(err, f.Close())
		}
		return f, addr, nil
	}
	return nil, "", fmt.Errorf("open console listener: %w", last)
}

// WorldConsole returns the listener that ListenConsole opened, in the world it
// was passed to; nil when there is none.
func WorldConsole() (f *os.File, addr string) {
	addr = os.Getenv(consoleEnv)
	if _, inside := Inside(); !inside || addr == "" {
		return nil, ""
	}
	unix.CloseOnExec(3) // for the appliance only, not for all we start
	return os.NewFile(3, "console"), addr
}
