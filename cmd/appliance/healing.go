package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

// probePorts are asked whether a machine's system lives. One that nobody
// listens on is refused by the system, which is an answer, too.
var probePorts = [...]string{"22"}

// probe says whether anything answers at an address.
func probe(ctx context.Context, addr netip.Addr) bool {
	for _, port := range probePorts {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(addr.String(), port))
		if err == nil {
			_ = c.Close() // it is all that was to be known
			return true
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return true
		}
	}
	return false
}

// downLink returns the name of the interface to the rack if it is down.
func downLink(c config) func() string {
	name := c.Interface
	return func() string {
		if name == "" || !c.netboot() {
			return ""
		}
		i, err := net.InterfaceByName(name)
		if err != nil || i.Flags&net.FlagUp == 0 || i.Flags&net.FlagRunning == 0 {
			return name
		}
		return ""
	}
}

func (a *app) healingCmd() *cobra.Command {
	return group("healing", "Whether lost machines are fenced and services healed", a.healingShowCmd(), a.healingStopCmd(), a.healingResumeCmd())
}

func showHealing(w io.Writer, s pool.HealingState) {
	if !s.Stopped {
		_, _ = fmt.Fprintln(w, "Healing goes on: machines that are lost are fenced, and what they ran is healed.")
		return
	}
	_, _ = fmt.Fprintf(w, "Healing was stopped by %s at %s: %s.\n", s.By, s.Since.Local().Format(time.DateTime), s.Why)
	if len(s.Machines) > 0 {
		_, _ = fmt.Fprintf(w, "Silent then: %s.\n", strings.Join(s.Machines, ", "))
	}
	_, _ = fmt.Fprintln(w, "Find out what happened to network and power, then: appliance healing resume")
}

func (a *app) healingShowCmd() *cobra.Command {
	return &cobra.Command{Use: "show", Short: "Say whether healing goes on, and why not", Example: "  appliance healing show -o json", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.HealingState, error) { return c.Healing(ctx) }, showHealing)
		}}
}

func (a *app) healingStopCmd() *cobra.Command {
	var r wire.StopHealingRequest
	cmd := &cobra.Command{Use: "stop", Short: "Fence and replace nothing until it is resumed", Example: "  appliance healing stop --why \"new switch in rack 3\"", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.HealingState, error) { return c.StopHealing(ctx, r) }, showHealing)
		}}
	cmd.Flags().StringVar(&r.Why, "why", "", "`REASON`, for those who wonder")
	return cmd
}

func (a *app) healingResumeCmd() *cobra.Command {
	return &cobra.Command{Use: "resume", Short: "Let healing go on, also for machines that are silent now", Example: "  appliance healing resume", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.HealingState, error) { return c.ResumeHealing(ctx) }, showHealing)
		}}
}

func (a *app) serviceRecoverCmd() *cobra.Command {
	var r wire.RecoverRequest
	cmd := &cobra.Command{
		Use: "recover SERVICE", Short: "Decide for a service that waits because its machine was lost",
		Long: "A service that keeps data goes to another machine by itself only from a replica or a verified\n" +
			"backup, and only when its lost machine is switched off by proof. recover is your word instead:\n" +
			"--machine-off says that you switched the lost machine off yourself, --without-data that the\n" +
			"service may start empty elsewhere. The lost machine's disks stay protected in any case.",
		Example: "  appliance service recover mysql --machine-off\n  appliance service recover mysql --without-data",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				return c.RecoverService(ctx, args[0], r)
			}, showService)
		},
	}
	cmd.Flags().BoolVar(&r.WithoutData, "without-data", false, "start it empty on another machine")
	cmd.Flags().BoolVar(&r.MachineOff, "machine-off", false, "the lost machine is switched off, whatever its BMC says")
	return cmd
}

func (a *app) machineFenceCmd() *cobra.Command {
	return a.operation("fence MACHINE", "Switch a machine off, with proof, whatever runs on it; its service is recovered", "  appliance machine fence node-0000dd01",
		func(ctx context.Context, c *client.Client, id string) (pool.Operation, error) {
			return c.Fence(ctx, id)
		})
}

func (a *app) maintenanceCmd() *cobra.Command {
	return group("maintenance", "Keep healing and scaling away from a machine, service or application that you work on", a.maintenanceStartCmd(), a.maintenanceStopCmd())
}

func (a *app) maintenanceStartCmd() *cobra.Command {
	var span time.Duration
	var r wire.MaintenanceRequest
	cmd := &cobra.Command{
		Use: "start machine|service|application NAME", Short: "Begin maintenance: nothing there is fenced, replaced, started again or scaled by rules",
		Example: "  appliance maintenance start machine node-0000dd01 --for 2h --reason \"new memory\"\n  appliance maintenance start service mysql\n  appliance maintenance start application webshop --for 30m",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Seconds = int64(span.Seconds())
			begin := (*client.Client).MaintainMachine
			switch args[0] {
			case "machine":
			case "service":
				begin = (*client.Client).MaintainService
			case "application":
				begin = (*client.Client).MaintainApplication
			default:
				return fmt.Errorf("%w: maintenance of a %q: want machine, service or application", errUsage, args[0])
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.Maintenance, error) {
				return begin(c, ctx, args[1], r)
			},
				func(w io.Writer, m pool.Maintenance) {
					until := "until: appliance maintenance stop " + args[0] + " " + args[1]
					if !m.Until.IsZero() {
						until = "until " + m.Until.Local().Format(time.DateTime)
					}
					_, _ = fmt.Fprintf(w, "Maintenance of %s %s, %s.\n", args[0], args[1], until)
				})
		},
	}
	cmd.Flags().DurationVar(&span, "for", 0, "`TIME` after which it ends; without, you end it")
	cmd.Flags().StringVar(&r.Reason, "reason", "", "`TEXT`, for those who wonder")
	return cmd
}

func (a *app) maintenanceStopCmd() *cobra.Command {
	return &cobra.Command{
		Use: "stop machine|service|application NAME", Short: "End maintenance", Example: "  appliance maintenance stop service mysql",
		Args: usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (string, error) {
				var err error
				switch args[0] {
				case "machine":
					_, err = c.EndMachineMaintenance(ctx, args[1])
				case "service":
					_, err = c.EndServiceMaintenance(ctx, args[1])
				case "application":
					_, err = c.EndApplicationMaintenance(ctx, args[1])
				default:
					err = fmt.Errorf("%w: maintenance of a %q: want machine, service or application", errUsage, args[0])
				}
				return args[1], err
			}, func(w io.Writer, name string) { _, _ = fmt.Fprintf(w, "Maintenance of %s has ended.\n", name) })
		},
	}
}
