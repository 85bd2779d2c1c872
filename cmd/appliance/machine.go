package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func (a *app) machineCmd() *cobra.Command {
	return group("machine", "The machines: list, accept, switch, release",
		a.machineListCmd(), a.machineShowCmd(), a.machineAcceptCmd(), a.machinePowerCmd(), a.machineFenceCmd(), a.machineInspectCmd(),
		a.machineImageCmd(), a.machineReleaseCmd(), a.machineWipeCmd(), a.machineRetryCmd(), a.machineCancelCmd(),
		a.machineRetireCmd(), a.machineLogCmd(), a.machineConsoleCmd())
}

func (a *app) machineListCmd() *cobra.Command {
	var phase string
	cmd := &cobra.Command{
		Use: "list", Short: "List the machines and what they are doing",
		Example: "  appliance machine list\n  appliance machine list --phase ready -o json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Machine, error) {
				all, err := c.Machines(ctx)
				kept := all[:0]
				for _, m := range all {
					if phase == "" || string(m.Phase) == phase {
						kept = append(kept, m)
					}
				}
				return kept, err
			}, showMachines)
		},
	}
	cmd.Flags().StringVar(&phase, "phase", "", "only machines in this `PHASE`")
	return cmd
}

func showMachines(w io.Writer, all []wire.Machine) {
	if len(all) == 0 {
		_, _ = fmt.Fprintln(w, "No machines yet. Connect a server to the rack's network and switch it on; it appears here within a minute.")
		return
	}
	_, _ = fmt.Fprintln(w, "NAME\tPHASE\tPOWER\tADDRESS\tCORES\tMEMORY\tDISKS\tNOW")
	for _, m := range all {
		cores, memory, disks := "-", "-", "-"
		if f := m.Facts; f != nil {
			cores, memory, disks = fmt.Sprint(f.CPU.Cores), pool.Bytes(f.Memory), fmt.Sprint(len(f.Disks))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Name, m.Phase, first(m.Conditions[pool.CondPower].Value, "unknown"),
			dash(m.Address.String()), cores, memory, disks, m.Sentence)
	}
}

func dash(s string) string {
	if s == "" || s == "invalid IP" {
		return "-"
	}
	return s
}

func (a *app) machineShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show MACHINE", Short: "Show one machine: what it does, what it is made of",
		Long:    "MACHINE is a name, an ID or a MAC address.",
		Example: "  appliance machine show node-0000dd01\n  appliance machine show 52:54:00:12:34:56 -o json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Machine, error) {
				return c.Machine(ctx, args[0])
			}, showMachine)
		},
	}
}

func showMachine(w io.Writer, m wire.Machine) {
	line := func(k, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", k, fmt.Sprintf(format, args...))
	}
	_, _ = fmt.Fprintf(w, "%s\n\n", m.Sentence)
	line("name", "%s (%s)", m.Name, m.ID)
	line("phase", "%s", m.Phase)
	var macs []string
	for _, v := range m.MACs {
		macs = append(macs, v.String())
	}
	line("MAC", "%s", strings.Join(macs, ", "))
	line("address", "%s", dash(m.Address.String()))
	for _, t := range []pool.ConditionType{pool.CondPower, pool.CondBMC, pool.CondAgent, pool.CondHealth, pool.CondHold, pool.CondBroken, pool.CondProtected, pool.CondDirty, pool.CondDrift, pool.CondFenced} {
		if c, ok := m.Conditions[t]; ok {
			line(string(t), "%s since %s  %s", c.Value, c.Since.Local().Format(time.DateTime), c.Reason)
		}
	}
	if m.BMC != nil {
		line("BMC", "%s, user %s", m.BMC.Address, first(m.BMC.User, "none of ours yet"))
	}
	if f := m.Facts; f != nil {
		line("hardware", "%s %s, serial %s", f.Manufacturer, f.Product, dash(f.Serial))
		line("firmware", "%s %s", f.Firmware, f.FirmwareName)
		line("CPU", "%s, %d sockets, %d cores, %d threads", f.CPU.Model, f.CPU.Sockets, f.CPU.Cores, f.CPU.Threads)
		line("memory", "%s", pool.Bytes(f.Memory))
		for _, d := range f.Disks {
			line("disk "+d.Name, "%s %s, serial %s, %s", pool.Bytes(d.Size), d.Type, d.Serial, first(strings.Join(d.Content, "; "), "empty"))
		}
		for _, n := range f.NICs {
			line("NIC "+n.Name, "%s %s %s", n.MAC, n.Driver, strings.TrimSpace(n.Switch+" "+n.Port))
		}
	}
	if o := m.Operation; o != nil {
		line("operation", "%s: %s, step %s", o.Kind, o.Status, dash(o.Step))
		if o.Cause != nil {
			showCause(w, *o.Cause)
		}
	}
	for _, s := range m.Steps {
		took := ""
		if !s.EndedAt.IsZero() {
			took = s.EndedAt.Sub(s.StartedAt).Round(time.Millisecond).String()
		}
		line("  "+s.Name, "%s %s", s.Status, took)
	}
}

func showCause(w io.Writer, c pool.Cause) {
	_, _ = fmt.Fprintf(w, "cause\t%s (%s)\n", c.Message, c.Code)
	if c.Evidence != "" {
		_, _ = fmt.Fprintf(w, "evidence\t%s\n", c.Evidence)
	}
	_, _ = fmt.Fprintf(w, "remedy\t%s\n", c.Remedy)
}

func (a *app) machineAcceptCmd() *cobra.Command {
	var r wire.AcceptRequest
	var all, wait bool
	cmd := &cobra.Command{
		Use: "accept MACHINE", Short: "Let a discovered machine in",
		Long: "accept lets a discovered machine into the pool. It never erases: a machine whose\n" +
			"disks hold something is protected, unless --erase names the serial of each such disk.",
		Example: "  appliance machine accept node-0000dd01 --wait\n  appliance machine accept --all\n" +
			"  appliance machine accept node-0000dd02 --erase WD-WX42,WD-WX43 --name db7",
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return fmt.Errorf("%w: name a machine, or give --all", errUsage)
			}
			r.Erase = len(r.Serials) > 0
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Machine, error) {
				names := args
				if all {
					list, err := c.Machines(ctx)
					if err != nil {
						return nil, err
					}
					for _, m := range list {
						if m.Phase == pool.Discovered {
							names = append(names, m.ID)
						}
					}
				}
				return acceptAll(ctx, c, names, r, wait)
			}, showMachines)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "accept every discovered machine")
	f.StringSliceVar(&r.Serials, "erase", nil, "`SERIALS` of disks whose content may be erased")
	f.StringVar(&r.Name, "name", "", "give it this `NAME`")
	f.StringSliceVar(&r.Tags, "tag", nil, "`TAGS` that templates can ask for")
	f.BoolVar(&wait, "wait", false, "wait until it is ready")
	return cmd
}

func acceptAll(ctx context.Context, c *client.Client, names []string, r wire.AcceptRequest, wait bool) ([]wire.Machine, error) {
	for _, n := range names {
		if _, err := c.Accept(ctx, n, r); err != nil {
			return nil, err
		}
	}
	var out []wire.Machine
	for _, n := range names {
		m, err := c.WaitMachine(ctx, n, func(m wire.Machine) (bool, error) {
			if o := m.Operation; wait && o != nil && o.Status == pool.Failed && o.Cause != nil {
				return false, fmt.Errorf("%s of %s: %w: %s; %s", o.Kind, m.Name, pool.ErrUnavailable, o.Cause.Message, o.Cause.Remedy)
			}
			return !wait || m.Phase == pool.Ready || m.Conditions.Is(pool.CondProtected), nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// operation makes a command that starts an operation on one machine.
func (a *app) operation(use, short, example string, ask func(context.Context, *client.Client, string) (pool.Operation, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: example, Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.Operation, error) {
				return ask(ctx, c, args[0])
			}, showOperation)
		},
	}
}

func showOperation(w io.Writer, o pool.Operation) {
	_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", o.ID, o.Kind, o.Status)
}

func (a *app) machinePowerCmd() *cobra.Command {
	var boot string
	cmd := &cobra.Command{
		Use: "power MACHINE on|off|soft|cycle|reset", Short: "Switch a machine through its BMC",
		Example: "  appliance machine power node-0000dd01 on\n  appliance machine power node-0000dd01 cycle --boot pxe",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := wire.PowerRequest{Action: pool.PowerAction(args[1]), Boot: pool.BootDevice(boot)}
			switch r.Action {
			case pool.DoPowerOn, pool.DoPowerOff, pool.DoPowerSoft, pool.DoPowerCycle, pool.DoPowerReset:
			default:
				return fmt.Errorf("%w: power action %q: want on, off, soft, cycle or reset", errUsage, args[1])
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.Operation, error) {
				return c.Power(ctx, args[0], r)
			}, showOperation)
		},
	}
	cmd.Flags().StringVar(&boot, "boot", "", "boot `DEVICE` of the next start: pxe, disk, bios or none")
	return cmd
}

func (a *app) machineInspectCmd() *cobra.Command {
	return a.operation("inspect MACHINE", "Take the inventory again", "  appliance machine inspect node-0000dd01",
		func(ctx context.Context, c *client.Client, id string) (pool.Operation, error) {
			return c.Inspect(ctx, id)
		})
}

func (a *app) machineRetireCmd() *cobra.Command {
	return a.operation("retire MACHINE", "Take a machine out of the pool for good", "  appliance machine retire node-0000dd01",
		func(ctx context.Context, c *client.Client, id string) (pool.Operation, error) {
			return c.Retire(ctx, id)
		})
}

func (a *app) machineImageCmd() *cobra.Command {
	var r wire.ImageRequest
	var keys string
	cmd := a.operation("image MACHINE", "Write an image to the disk of a machine that no service has",
		"  appliance machine image node-0000dd01 --image debian-12 --ssh-key ~/.ssh/id_ed25519.pub",
		func(ctx context.Context, c *client.Client, id string) (pool.Operation, error) {
			if keys != "" {
				lines, err := readLines(keys)
				if err != nil {
					return pool.Operation{}, err
				}
				r.SSHKeys = lines
			}
			return c.WriteImage(ctx, id, r)
		})
	f := cmd.Flags()
	f.StringVar(&r.Image, "image", "debian-12", "`NAME` of the image")
	f.StringVar(&r.Disk.Serial, "disk", "", "`SERIAL` of the disk")
	f.StringVar(&r.Hostname, "hostname", "", "`NAME` of the installed system")
	f.StringVar(&keys, "ssh-key", "", "`FILE` of public keys that may log in as root")
	return cmd
}

func (a *app) machineReleaseCmd() *cobra.Command {
	var r wire.ReleaseRequest
	cmd := &cobra.Command{
		Use: "release MACHINE", Short: "Give a machine back to the pool, or lift the protection of its disks",
		Long: "release takes a machine from its service and, with --wipe and its name typed again,\n" +
			"erases it. With --erase it lifts the protection of the disks with these serials.\n" +
			"A virtual machine whose disk was kept is removed by --wipe.",
		Example: "  appliance machine release db7 --wipe db7\n  appliance machine release node-0000dd02 --erase WD-WX42",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Wipe = r.Confirm != ""
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Machine, error) {
				m, err := c.Release(ctx, args[0], r)
				return []wire.Machine{m}, err
			}, showMachines)
		},
	}
	cmd.Flags().StringVar(&r.Confirm, "wipe", "", "erase its disks; type the machine's `NAME` again")
	cmd.Flags().StringSliceVar(&r.Serials, "erase", nil, "`SERIALS` of disks that may be erased")
	return cmd
}

func (a *app) machineWipeCmd() *cobra.Command {
	var r wire.WipeRequest
	cmd := a.operation("wipe MACHINE", "Erase the disks of an enrolled machine", "  appliance machine wipe node-0000dd01 --confirm node-0000dd01",
		func(ctx context.Context, c *client.Client, id string) (pool.Operation, error) {
			return c.Wipe(ctx, id, r)
		})
	cmd.Flags().StringVar(&r.Confirm, "confirm", "", "the machine's `NAME`, typed again")
	cmd.Flags().StringSliceVar(&r.Serials, "disk", nil, "`SERIALS` of the disks; all when none is given")
	return cmd
}

// after makes a command that answers with the machine as it is afterwards.
func (a *app) after(use, short, example string, ask func(context.Context, *client.Client, string) (wire.Machine, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: example, Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Machine, error) {
				m, err := ask(ctx, c, args[0])
				return []wire.Machine{m}, err
			}, showMachines)
		},
	}
}

func (a *app) machineRetryCmd() *cobra.Command {
	return a.after("retry MACHINE", "Do again what failed", "  appliance machine retry node-0000dd01",
		func(ctx context.Context, c *client.Client, id string) (wire.Machine, error) { return c.Retry(ctx, id) })
}

func (a *app) machineCancelCmd() *cobra.Command {
	return a.after("cancel MACHINE", "Stop its operation at the next safe point", "  appliance machine cancel node-0000dd01",
		func(ctx context.Context, c *client.Client, id string) (wire.Machine, error) { return c.Cancel(ctx, id) })
}

func (a *app) machineLogCmd() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "log MACHINE", Short: "What happened to a machine", Example: "  appliance machine log node-0000dd01 --limit 20",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Event, error) {
				return c.MachineLog(ctx, args[0], pool.EventFilter{Limit: limit, Last: true})
			}, showEvents)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "the last `N` events")
	return cmd
}

func (a *app) machineConsoleCmd() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "console-log MACHINE", Short: "What kernel and agent in memory printed on its console",
		Long: "console-log shows the lines that a trusted agent in memory sent: its own and the kernel's.\n" +
			"A machine that was not accepted, and an installed system, send none.",
		Example: "  appliance machine console-log node-0000dd01",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.LogLine, error) {
				return c.ConsoleLog(ctx, args[0], pool.LogFilter{Limit: limit, Last: true})
			}, showLines)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 200, "the last `N` lines")
	return cmd
}

func showLines(w io.Writer, lines []pool.LogLine) {
	for _, l := range lines {
		_, _ = fmt.Fprintf(w, "%s  %s  %s\n", l.At.Local().Format(time.TimeOnly), l.Step, l.Line)
	}
}
