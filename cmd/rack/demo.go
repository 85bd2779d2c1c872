package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/term"

	"appliance/rack"
)

// runDemo is "rack demo". On the host it opens the console's listener and
// makes the world; inside it runs the demo.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	fs, dir := flags("demo", "", stderr)
	fs.Lookup("dir").DefValue = filepath.Join("build", "rack", "demo")
	*dir = fs.Lookup("dir").DefValue
	machines, err := demoMachines(os.Getenv("DEMO_MACHINES"))
	if err != nil {
		return 0, err
	}
	var d rack.Demo
	var keep, debug bool
	fs.IntVar(&d.Machines, "machines", machines, "raise `n` machines (or DEMO_MACHINES)")
	fs.IntVar(&d.UEFI, "uefi", 1, "the last `n` of them have UEFI firmware")
	fs.IntVar(&d.MemoryMB, "memory", 1024, "memory of a machine in `MB`")
	fs.StringVar(&d.Appliance, "appliance", filepath.Join("bin", "appliance"), "the appliance's `binary`")
	fs.StringVar(&d.Image, "image", filepath.Join("build", "debian-12.raw"), "raw disk image `file` that machines get")
	fs.StringVar(&d.Packages, "packages", "", "`folder` of packages that machines install from")
	fs.BoolVar(&d.Exit, "exit", false, "end after the answer instead of waiting for Ctrl-C")
	fs.BoolVar(&keep, "keep-data", false, "keep the run folder: logs, disks, the appliance's data")
	fs.BoolVar(&debug, "debug", false, "log what the BMCs do")
	if err := parse(fs, args); err != nil {
		return 0, err
	}
	if d.Machines < 1 || d.UEFI < 0 || d.UEFI > d.Machines {
		fmt.Fprintf(stderr, "rack demo: %d machines, %d of them UEFI: want at least one machine, and no more UEFI ones than that\n", d.Machines, d.UEFI) //nolint:errcheck // nowhere else to say it
		return 0, errUsage
	}
	for _, p := range []*string{&d.Appliance, &d.Image, &d.Packages} {
		if err := absolute(p); err != nil {
			return 0, err
		}
	}
	if _, inside := rack.Inside(); !inside {
		f, addr, err := rack.ListenConsole(ctx)
		if err != nil {
			return 0, err
		}
		defer f.Close()                                                                //nolint:errcheck // a listener nobody has connected to by us
		fmt.Fprintf(stdout, "Console (once the appliance serves): https://%s\n", addr) //nolint:errcheck // a screen
		return outside(ctx, *dir, keep, append([]string{"demo"}, args...), f)
	}
	d.Console, d.ConsoleAddr = rack.WorldConsole()
	d.Out, d.Accel = stdout, os.Getenv("RACK_ACCEL")
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		d.TTY = true
		d.Width, _, _ = term.GetSize(fd) // unknown: the demo has a default
	}
	if debug {
		d.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	err = d.Run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return interrupted, nil
	}
	return 0, err
}

// interrupted is the exit code of what a Ctrl-C ended before it was done, as
// shells have it.
const interrupted = 130

func demoMachines(env string) (int, error) {
	if env == "" {
		return 3, nil
	}
	n, err := strconv.Atoi(env)
	if err != nil {
		return 0, fmt.Errorf("read DEMO_MACHINES: %q is no number", env)
	}
	return n, nil
}

// absolute makes the path absolute and checks that something is there.
func absolute(p *string) (err error) {
	if *p == "" {
		return nil
	}
	if *p, err = filepath.Abs(*p); err != nil {
		return err
	}
	if _, err := os.Stat(*p); err != nil {
		return fmt.Errorf("%w (make demo builds it)", err)
	}
	return nil
}
