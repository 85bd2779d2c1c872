// Command rack raises the virtual rack, for the demo and for those who work
// on the appliance. It is a development tool and is not shipped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"text/tabwriter"

	"appliance/rack"
)

const usage = `Usage:
  rack demo [flags]                 the whole way, from power-on to a database (make demo)
  rack up [flags] [COMMAND ...]     raise a rack and run COMMAND in it, or stay until Ctrl-C
  rack exec [flags] COMMAND ...     run COMMAND in a rack that is up
Each takes -h.
`

var errUsage = errors.New("usage")

func main() {
	rack.Main()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit code: 0, 1 failed, 2 usage, or that of a command that
// was run.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = fmt.Fprint(stderr, usage)
		return 2
	}
	var code int
	var err error
	switch name := args[0]; name {
	case "up":
		code, err = up(ctx, args[1:], stdout, stderr)
	case "exec":
		code, err = enter(ctx, args[1:], stderr)
	case "demo":
		code, err = runDemo(ctx, args[1:], stdout, stderr)
	case "help", "-h", "--help":
		_, _ = fmt.Fprint(stdout, usage)
		return 0
	default:
		_, _ = fmt.Fprintf(stderr, "rack: unknown command %q\n%s", name, usage)
		return 2
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "rack %s: %v\n", args[0], err)
		return 1
	}
	return code
}

func flags(name, args string, stderr io.Writer) (fs *flag.FlagSet, folder *string) {
	fs = flag.NewFlagSet("rack "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		_, _ = fmt.Fprintf(stderr, "Usage: rack %s [flags] %s\n", name, args)
		fs.PrintDefaults()
	}
	return fs, fs.String("dir", filepath.Join("build", "rack", "rack"), "run `folder` of the rack")
}

func parse(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage // flag has said what is wrong
	}
	return nil
}

// specs are n machines of which the last uefi have UEFI firmware.
func specs(n, uefi, memory int) []rack.Spec {
	out := make([]rack.Spec, n)
	for i := range out {
		out[i].MemoryMB = memory
		if i >= n-uefi {
			out[i].Firmware = rack.UEFI
		}
	}
	return out
}

// up is "rack up". On the host it makes the world and waits; inside it raises
// the rack.
func up(ctx context.Context, args []string, stdout, stderr io.Writer) (code int, err error) {
	fs, dir := flags("up", "[COMMAND ...]", stderr)
	n := fs.Int("n", 3, "raise `n` machines")
	uefi := fs.Int("uefi", 1, "the last `n` of them have UEFI firmware")
	memory := fs.Int("memory", 1024, "memory of a machine in `MB`")
	on := fs.Bool("on", false, "power the machines on")
	debug := fs.Bool("debug", false, "log what the BMCs do")
	if err := parse(fs, args); err != nil {
		return 0, err
	}
	if _, inside := rack.Inside(); !inside {
		return outside(ctx, *dir, false, append([]string{"up"}, args...))
	}
	level := slog.LevelInfo
	if *debug {
		level = slog.LevelDebug
	}
	r, err := rack.Raise(ctx, rack.Config{
		Machines: specs(*n, *uefi, *memory),
		Accel:    os.Getenv("RACK_ACCEL"),
		Log:      slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := list(stdout, r); err != nil {
		return 0, err
	}
	for _, m := range r.Machines {
		if *on {
			if err := m.PowerOn(ctx); err != nil {
				return 0, err
			}
		}
	}
	if fs.NArg() == 0 {
		<-ctx.Done()
		return 0, nil
	}
	return command(ctx, rack.Environ(), fs.Args())
}

func list(w io.Writer, r *rack.Rack) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "MACHINE\tFIRMWARE\tMAC\tBMC\tCONSOLE LOG") //nolint:errcheck // Flush tells
	for _, m := range r.Machines {
		bmc := "none"
		if m.BMC != nil {
			bmc = m.BMC.Addr.String()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", m.Spec.Name, m.Spec.Firmware, m.MAC(), bmc, m.ConsoleLog()) //nolint:errcheck // Flush tells
	}
	return t.Flush()
}

// outside makes a world in dir and runs this program in it with args.
func outside(ctx context.Context, dir string, keep bool, args []string, files ...*os.File) (code int, err error) {
	f, err := rack.OpenFolder(dir)
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, errors.Join(err, f.Close(keep))
	}
	code, err = rack.Isolate(ctx, f, append([]string{self}, args...), files...)
	// What went wrong is in the files; who interrupted it does not want them.
	return code, errors.Join(err, f.Close(keep || code != 0 && ctx.Err() == nil))
}

// enter is "rack exec".
func enter(ctx context.Context, args []string, stderr io.Writer) (int, error) {
	fs, dir := flags("exec", "COMMAND ...", stderr)
	if err := parse(fs, args); err != nil {
		return 0, err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return 0, errUsage
	}
	pid, err := rack.WorldInit(*dir)
	if err != nil {
		return 0, err
	}
	// nsenter, because a Go process has threads and cannot enter a mount namespace itself.
	return command(ctx, os.Environ(), append([]string{"nsenter", "-t", strconv.Itoa(pid), "-m", "-n", "-p", "--"}, fs.Args()...))
}

// command runs argv with our streams and returns its exit code.
func command(ctx context.Context, env, argv []string) (int, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode(), nil
	}
	return 0, err
}
