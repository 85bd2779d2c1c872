// Command appliance is the appliance and its command line: one binary that
// serves a rack from the first DHCPDISCOVER to a running service, and asks a
// running appliance about it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // recipes may name zones where the machine has none

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/pool"
)

// version is set by the linker.
var version = "dev"

// errUsage marks what was typed wrong: exit code 2.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(code)
}

// app is what commands share: their surroundings and how to reach the appliance.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	conn           connection
	output         string // table or json
}

// run executes one command line and returns 0, 1 (failed) or 2 (usage).
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return 1
	}
	text := err.Error()
	if errors.Is(err, errUsage) {
		text = strings.TrimPrefix(text, errUsage.Error()+": ")
	}
	_, _ = fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), text)
	if h := hint(err); h != "" {
		_, _ = fmt.Fprintln(stderr, "hint: "+h)
	}
	if errors.Is(err, errUsage) {
		_, _ = fmt.Fprintf(stderr, "try: %s --help\n", cmd.CommandPath())
		return 2
	}
	return 1
}

// hint says what to do about an error, where that is not in its text.
func hint(err error) string {
	switch {
	case errors.Is(err, client.ErrDenied):
		return "log in with: appliance login https://ADDRESS:8443"
	case errors.Is(err, errNoAppliance):
		return "is it running? On its host: systemctl status appliance; from elsewhere: appliance login https://ADDRESS:8443"
	}
	return ""
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "appliance",
		Short: "From racked servers to running services, on bare metal",
		Long: "appliance netboots racked servers, inventories them, keeps them in a pool,\n" +
			"and puts services on them by recipes.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.output, "output", "o", "table", "output `FORMAT` of reading commands: table or json")
	f.StringVar(&a.conn.url, "server", "", "`URL` of the appliance (or APPLIANCE_URL)")
	f.StringVar(&a.conn.tokenFile, "token-file", "", "read the API token from `FILE` (or APPLIANCE_TOKEN)")
	f.StringVar(&a.conn.caFile, "ca", "", "CA certificate `FILE` of the appliance (or APPLIANCE_CA)")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %v", errUsage, err) })
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if a.output != "table" && a.output != "json" {
			return fmt.Errorf("%w: output %q: want table or json", errUsage, a.output)
		}
		return nil
	}
	root.AddCommand(a.serveCmd(), a.machineCmd(), a.hostCmd(), a.bootCmd(), a.leaseCmd(), a.deployCmd(), a.planCmd(), a.applicationCmd(), a.serviceCmd(), a.healingCmd(), a.maintenanceCmd(), a.scaleCmd(), a.attributeCmd(), a.recipeCmd(),
		a.templateCmd(), a.imageCmd(), a.packageCmd(), a.eventCmd(), a.tokenCmd(), a.loginCmd(),
		a.inventoryCmd(), a.backupCmd(), a.restoreCmd(), a.installCmd(), a.configCmd(), a.doctorCmd(), a.rackCmd(), a.versionCmd())
	return root
}

// usageArgs makes a wrong number of arguments an errUsage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		err := check(c, args)
		if err == nil {
			return nil
		}
		if len(args) > 0 && c.HasSubCommands() {
			var names []string
			for _, s := range c.Commands() {
				names = append(names, s.Name())
			}
			text := fmt.Sprintf("there is no command %q", args[0])
			if near := pool.Near(args[0], names); len(near) > 0 {
				text += "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return fmt.Errorf("%w: %s", errUsage, text)
		}
		return fmt.Errorf("%w: %v", errUsage, err)
	}
}

// group is a command that only holds others.
func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(sub...)
	return c
}
