package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func (a *app) serviceCmd() *cobra.Command {
	return group("service", "The services that run", a.serviceListCmd(), a.serviceShowCmd(), a.serviceLogsCmd(),
		a.serviceScaleCmd(), a.serviceInvokeCmd(), a.serviceRemoveCmd(), a.serviceRetryCmd(), a.serviceReinstallCmd(), a.serviceRecoverCmd(),
		a.serviceUpdateCmd(), a.serviceRollbackCmd(), a.serviceSteerCmd("promote", "Let the others follow a healthy canary"),
		a.serviceSteerCmd("pause", "Stop an update where it is"), a.serviceSteerCmd("resume", "Go on with an update that was paused"), a.serviceRevisionsCmd())
}

func (a *app) serviceListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the services", Example: "  appliance service list -o json", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Service, error) { return c.Services(ctx) },
				func(w io.Writer, all []wire.Service) {
					if len(all) == 0 {
						_, _ = fmt.Fprintln(w, "No services yet. Put one on the pool: appliance deploy mysql")
						return
					}
					_, _ = fmt.Fprintln(w, "NAME\tRECIPE\tPHASE\tINSTANCES\tENDPOINT\tNOW")
					for _, s := range all {
						_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", s.Name, s.Recipe.Name, s.Phase, s.Instances, dash(strings.Join(s.Endpoints, ",")), s.Sentence)
					}
				})
		},
	}
}

func (a *app) serviceShowCmd() *cobra.Command {
	var reveal []string
	var monitors bool
	cmd := &cobra.Command{
		Use: "show SERVICE", Short: "Show one service, its instances and their steps",
		Long: "With --reveal it prints the value of a secret attribute; that is recorded. With --monitors it\n" +
			"prints the details and monitors that its instances have now.",
		Example: "  appliance service show mysql\n  appliance service show mysql --reveal password\n  appliance service show web --monitors",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if monitors {
				return a.showMonitors(cmd, args[0])
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				s, err := c.Service(ctx, args[0])
				if err != nil {
					return s, err
				}
				for _, name := range reveal {
					v, err := c.Attribute(ctx, args[0], name)
					if err != nil {
						return s, err
					}
					s.Attributes = append(s.Attributes, pool.Attribute{Scope: v.Scope, Name: v.Name, Value: string(v.Value), Secret: v.Secret})
				}
				return s, nil
			}, showService)
		},
	}
	cmd.Flags().BoolVar(&monitors, "monitors", false, "print details and monitors instead")
	cmd.Flags().StringSliceVar(&reveal, "reveal", nil, "print these secret `ATTRIBUTES`, too")
	return cmd
}

func showService(w io.Writer, s wire.Service) {
	_, _ = fmt.Fprintf(w, "%s\n\n", s.Sentence)
	_, _ = fmt.Fprintf(w, "name\t%s\nrecipe\t%s %s\nphase\t%s\n", s.Name, s.Recipe.Name, s.Recipe.Digest, s.Phase)
	for _, e := range s.Endpoints {
		_, _ = fmt.Fprintf(w, "endpoint\t%s\n", e)
	}
	if r := s.Rollout; r != nil {
		_, _ = fmt.Fprintf(w, "update\trevision %d to %d: %s\n", r.From, r.To, rolloutState(*r))
	}
	for _, left := range s.Remains {
		_, _ = fmt.Fprintf(w, "may remain\t%s\n", left)
	}
	for _, at := range s.Attributes {
		v := at.Value
		if at.Secret && v == "" {
			v = "(secret: --reveal " + at.Name + ")"
		}
		_, _ = fmt.Fprintf(w, "attribute %s\t%s\n", at.Name, v)
	}
	for _, in := range s.Running {
		_, _ = fmt.Fprintf(w, "instance %d\t%s on %s %s\n", in.Number, in.Phase, first(in.MachineName, in.Machine, "no machine yet"), in.Endpoint)
		if b := in.Storage; b != nil {
			_, _ = fmt.Fprintf(w, "  storage %s\tdisk %s (%s) at %s\n", b.Name, b.Serial, pool.Bytes(b.Size), b.Path)
		}
		if h := in.Heal; h != nil {
			_, _ = fmt.Fprintf(w, "  recovery\t%s since %s (its machine was lost at %s)\n", h.Stage, h.Since.Local().Format(time.DateTime), h.At.Local().Format(time.DateTime))
		}
		for _, st := range in.Steps {
			if st.Round != in.Round {
				continue
			}
			took := ""
			if !st.EndedAt.IsZero() {
				took = st.EndedAt.Sub(st.StartedAt).Round(time.Millisecond).String()
			}
			_, _ = fmt.Fprintf(w, "  %s\t%s %s\n", st.Name, st.Status, took)
		}
		if in.Cause != nil {
			showCause(w, *in.Cause)
		}
	}
	if s.Cause != nil {
		showCause(w, *s.Cause)
	}
}

func (a *app) serviceLogsCmd() *cobra.Command {
	var f pool.LogFilter
	var follow bool
	cmd := &cobra.Command{
		Use: "logs SERVICE", Short: "What the service's steps and commands printed, and with -f what they print",
		Example: "  appliance service logs mysql --step install\n  appliance service logs -f web",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Last = true
			err := call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.LogLine, error) {
				lines, err := c.ServiceLogs(ctx, args[0], f)
				if len(lines) > 0 {
					f.After = lines[len(lines)-1].Seq
				}
				return lines, err
			}, showLines)
			if err != nil || !follow {
				return err
			}
			return a.followLogs(cmd.Context(), args[0], f)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is printed")
	cmd.Flags().IntVar(&f.Limit, "limit", 500, "the last `N` lines")
	cmd.Flags().StringVar(&f.Step, "step", "", "only this `STEP`")
	cmd.Flags().StringVar(&f.Instance, "instance", "", "only this instance `ID`")
	return cmd
}

func (a *app) serviceRemoveCmd() *cobra.Command {
	var r wire.RemoveRequest
	var wait bool
	cmd := &cobra.Command{
		Use: "remove SERVICE", Short: "Stop a service and give its machines back",
		Long: "remove stops the service and releases its machines. Their disks stay protected until\n" +
			"somebody releases them, unless --wipe repeats the service's name. With --abandon nothing\n" +
			"is asked of machines that are lost: they stay dirty, protected and on hold.",
		Example: "  appliance service remove mysql\n  appliance service remove mysql --wipe mysql\n  appliance service remove mysql --abandon",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Wipe != "" && r.Wipe != args[0] {
				return fmt.Errorf("%w: --wipe %s does not repeat the service's name %s", errUsage, r.Wipe, args[0])
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				s, err := c.Remove(ctx, args[0], r)
				if err != nil || !wait {
					return s, err
				}
				return c.WaitService(ctx, args[0], func(now wire.Service) (bool, error) {
					return now.Phase == pool.ServiceRemoved, nil
				})
			}, showService)
		},
	}
	cmd.Flags().StringVar(&r.Wipe, "wipe", "", "erase the disks; type the service's `NAME` again")
	cmd.Flags().BoolVar(&r.Abandon, "abandon", false, "stop nothing: give the machines up, and list what may remain")
	cmd.MarkFlagsMutuallyExclusive("wipe", "abandon")
	cmd.Flags().BoolVar(&wait, "wait", true, "wait until it is gone")
	return cmd
}

func (a *app) serviceRetryCmd() *cobra.Command {
	var done bool
	cmd := &cobra.Command{
		Use: "retry SERVICE", Short: "Do again what failed of a service",
		Long: "A step that was cut off, of which nobody knows whether it was done, and whose recipe has no\n" +
			"verify closure that says so, waits for you: retry runs it again; retry --done takes your word\n" +
			"that it was done, and goes on after it.",
		Example: "  appliance service retry mysql\n  appliance service retry mysql --done",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				if done {
					return c.TakeAsDone(ctx, args[0])
				}
				return c.RetryService(ctx, args[0])
			}, showService)
		},
	}
	cmd.Flags().BoolVar(&done, "done", false, "the step that was cut off was done")
	return cmd
}

func (a *app) serviceReinstallCmd() *cobra.Command {
	var r wire.ReinstallRequest
	cmd := &cobra.Command{
		Use: "reinstall SERVICE", Short: "Write the system of an instance's machine anew, and run its lifecycle from the start",
		Long: "The instance is stopped, its machine gets the service's image again, and its recipe is installed.\n" +
			"The disk of its storage template is left as it is and mounted again. A stateful service that keeps\n" +
			"its data on the disk of the system would lose them: that needs --without-data.",
		Example: "  appliance service reinstall mysql --instance 1\n  appliance service reinstall web --instance 2 --without-data",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				return c.ReinstallService(ctx, args[0], r)
			}, showService)
		},
	}
	cmd.Flags().IntVar(&r.Instance, "instance", 1, "`NUMBER` of the instance")
	cmd.Flags().BoolVar(&r.WithoutData, "without-data", false, "what is on the disk of its system may be lost")
	return cmd
}

func (a *app) eventCmd() *cobra.Command {
	var f pool.EventFilter
	var follow bool
	tail := &cobra.Command{
		Use: "tail", Short: "The last events, and with -f those to come",
		Example: "  appliance event tail -f\n  appliance event tail --service mysql --limit 50 -o json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Last = true
			var last int64
			err := call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Event, error) {
				all, err := c.Events(ctx, f)
				if len(all) > 0 {
					last = all[len(all)-1].Seq
				}
				return all, err
			}, showEvents)
			if err != nil || !follow {
				return err
			}
			return a.tail(cmd.Context(), last, f)
		},
	}
	tail.Flags().IntVar(&f.Limit, "limit", 50, "the last `N` events")
	tail.Flags().StringVar(&f.Machine, "machine", "", "only of this machine `ID`")
	tail.Flags().StringVar(&f.Service, "service", "", "only of this `SERVICE`")
	tail.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what happens")
	return group("event", "What happened", tail)
}

func (a *app) tail(ctx context.Context, last int64, f pool.EventFilter) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		err := c.Stream(ctx, last, func(m wire.StreamMessage) error {
			e := m.Event
			if e == nil {
				return nil
			}
			last = e.Seq
			if (f.Machine == "" || f.Machine == e.Machine) && (f.Service == "" || f.Service == e.Service) {
				return print(a, []pool.Event{*e}, showEvents)
			}
			return nil
		})
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, pool.ErrUnavailable) {
			return err
		}
		_, _ = fmt.Fprintln(a.stderr, "the event stream broke; trying again")
		select {
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
			return nil
		}
	}
}

func showEvents(w io.Writer, all []pool.Event) {
	for _, e := range all {
		_, _ = fmt.Fprintf(w, "%s  %-7s %s\n", e.At.Local().Format(time.DateTime), e.Severity, e.Message)
	}
}
