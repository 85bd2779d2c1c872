// Command appliance-agent is PID 1 of the boot kit, and the service that runs
// recipes in an installed system.
//
//	appliance-agent run               the service of the installed system
//	appliance-agent exec KEY          performs one accepted task; started by run
//	appliance-agent groovy FILE ARG…  a Groovy script of a recipe; started by it
//	appliance-agent offer             a key and, on stdout, the request for its certificate
//	appliance-agent adopt             keeps the identity that stdin holds
//	appliance-agent guard DIR         a systemd generator: what recipes left enabled waits for the appliance
//	appliance-agent start --unconfirmed
//	                                  lets this boot start what is here without the appliance; recorded
//	appliance-agent version
//
// On a host that was adopted APPLIANCE_AGENT_HOME names the agent's folder.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"appliance/agent"
)

// version is set by the linker.
var version = "devel"

var errUsage = errors.New("usage: appliance-agent run | exec KEY | groovy FILE [ARG...] | offer | adopt | guard DIR | start --unconfirmed | version")

func main() {
	if os.Getpid() == 1 {
		agent.Init(version) // never returns
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "appliance-agent:", err)
	}
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	home := agent.HomeAt(os.Getenv(agent.HomeVariable))
	var err error
	switch {
	case len(args) == 1 && args[0] == "version":
		_, err = fmt.Fprintln(stdout, version)
	case len(args) == 1 && args[0] == "offer":
		err = home.Offer(stdout)
	case len(args) == 1 && args[0] == "adopt":
		err = home.Adopt(os.Stdin)
	case len(args) == 1 && args[0] == "run":
		err = home.Run(ctx, version, slog.New(slog.NewTextHandler(stderr, nil)))
	case len(args) == 2 && args[0] == "exec":
		err = home.Exec(ctx, args[1])
	case len(args) == 2 && args[0] == "guard":
		err = agent.Guard("/", args[1])
	case len(args) == 2 && args[0] == "start" && args[1] == "--unconfirmed":
		if err = home.StartUnconfirmed(); err == nil {
			_, err = fmt.Fprintln(stdout, "This boot may start what is here; it is recorded. Start services with systemctl start NAME.")
		}
	case len(args) >= 2 && args[0] == "groovy":
		return home.Groovy(ctx, args[1], args[2:], stdout)
	default:
		return 2, errUsage
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
