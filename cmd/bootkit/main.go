// Command bootkit builds what the appliance carries or serves: the boot kit,
// the Debian disk image, a package mirror. It is a tool of the source tree and
// is not shipped.
//
//	bootkit kit    -agent FILE [-agent-arm64 FILE] [-data DIR] [-cache DIR] [-notice FILE] [-update]
//	bootkit image  -out FILE [-arch amd64|arm64] [-kernel generic|cloud] [-cache DIR] [-size MIB] [-install] [PACKAGE...]
//	bootkit mirror -dir DIR -status FILE PACKAGE...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"appliance/images/debian"
	"appliance/images/kit/build"
)

var errUsage = errors.New("usage: bootkit kit|image|mirror [flags]; each has -help")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "bootkit:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	flags := flag.NewFlagSet("bootkit "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	switch args[0] {
	case "mirror":
		return mirror(ctx, flags, args[1:], stdout, log)
	case "kit":
		return bootKit(ctx, flags, args[1:], stdout, log)
	case "image":
		return image(ctx, flags, args[1:], stdout, log)
	}
	return fmt.Errorf("%w: unknown command %q", errUsage, args[0])
}

func parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	return err
}

func image(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer, log *slog.Logger) error {
	o := debian.Options{Log: log}
	flags.StringVar(&o.Out, "out", "", "write the raw image to `FILE`")
	flags.StringVar(&o.Kernel, "kernel", "generic", "`KIND` of kernel: generic, cloud or a linux-image package")
	flags.StringVar((*string)(&o.Arch), "arch", "amd64", "`ARCH` of the machines: amd64 or arm64")
	flags.StringVar(&o.CacheDir, "cache", "", "keep the root file system in `DIR`")
	flags.StringVar(&o.WorkDir, "work", "", "make the scratch folder in `DIR`")
	size := flags.Int64("size", 0, "size of the disk in `MIB` (0: the default)")
	flags.BoolVar(&o.Install, "install", false, "install missing build tools with apt-get")
	if err := parse(flags, args); err != nil {
		return err
	}
	o.Size, o.Packages = *size<<20, flags.Args()
	info, err := debian.Build(ctx, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: Debian %s, kernel %s, %d packages\n", o.Out, info.Suite, info.Kernel, len(info.Packages))
	return err
}

func bootKit(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer, log *slog.Logger) error {
	o := build.Options{Log: log}
	flags.StringVar(&o.Agent, "agent", "bin/appliance-agent", "static `FILE` that becomes /init")
	flags.StringVar(&o.ARM64, "agent-arm64", "", "the same for arm64 machines; empty: the kit boots none")
	flags.StringVar(&o.Data, "data", "images/kit/data", "put the kit into `DIR`")
	flags.StringVar(&o.Cache, "cache", "build/cache/kit", "keep packages in `DIR`")
	flags.StringVar(&o.Notice, "notice", "", "write the notice about third-party binaries to `FILE`")
	flags.BoolVar(&o.Update, "update", false, "look for newer packages")
	if err := parse(flags, args); err != nil {
		return err
	}
	m, err := build.Build(ctx, o)
	if err != nil {
		return err
	}
	for _, f := range m.Files {
		name, size := f.Stored()
		if _, err := fmt.Fprintf(stdout, "%10d %s\n", size, name); err != nil {
			return err
		}
	}
	return nil
}

func mirror(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer, log *slog.Logger) error {
	o := debian.MirrorOptions{Log: log}
	flags.StringVar(&o.Dir, "dir", "build/packages", "the repository `DIR`")
	flags.StringVar(&o.ImageStatus, "status", "", "dpkg status `FILE` of the image")
	if err := parse(flags, args); err != nil {
		return err
	}
	o.Packages = flags.Args()
	res, err := debian.Mirror(ctx, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d packages, %d bytes; %d fetched\n", o.Dir, res.Packages, res.Bytes, res.Fetched)
	return err
}
