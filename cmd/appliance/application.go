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

func (a *app) applicationCmd() *cobra.Command {
	return group("application", "The applications: services that belong together", a.applicationListCmd(), a.applicationShowCmd(),
		a.applicationUpdateCmd(), a.applicationRollbackCmd(), a.applicationRemoveCmd())
}

func (a *app) applicationListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the applications", Example: "  appliance application list -o json", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Application, error) { return c.Applications(ctx) },
				func(w io.Writer, all []wire.Application) {
					if len(all) == 0 {
						_, _ = fmt.Fprintln(w, "No applications yet. Deploy one: appliance deploy webshop")
						return
					}
					_, _ = fmt.Fprintln(w, "NAME\tPHASE\tSERVICES\tNOW")
					for _, app := range all {
						_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", app.Name, app.Phase, strings.Join(app.Services, ","), app.Sentence)
					}
				})
		},
	}
}

func (a *app) applicationShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show APPLICATION", Short: "Show one application and its services", Example: "  appliance application show webshop",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Application, error) {
				return c.Application(ctx, args[0])
			}, showApplication)
		},
	}
}

func (a *app) applicationRemoveCmd() *cobra.Command {
	var r wire.RemoveRequest
	var wait bool
	cmd := &cobra.Command{
		Use: "remove APPLICATION", Short: "Remove an application, its services in reverse order",
		Long: "remove stops each service once nothing depends on it any more, and releases the machines.\n" +
			"Their disks stay protected unless --wipe repeats the application's name. With --abandon nothing is\n" +
			"asked of the machines, which may be gone: they are given up dirty, protected and on hold, and each\n" +
			"service lists what may remain; also while a removal is under way.",
		Example: "  appliance application remove webshop\n  appliance application remove webshop --wipe webshop\n  appliance application remove webshop --abandon",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Wipe != "" && r.Wipe != args[0] {
				return fmt.Errorf("%w: --wipe %s does not repeat the application's name %s", errUsage, r.Wipe, args[0])
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Application, error) {
				app, err := c.RemoveApplication(ctx, args[0], r)
				if err != nil || !wait {
					return app, err
				}
				return c.WaitApplication(ctx, args[0], func(now wire.Application) (bool, error) {
					return now.Phase == pool.ServiceRemoved, nil
				})
			}, showApplication)
		},
	}
	cmd.Flags().StringVar(&r.Wipe, "wipe", "", "erase the disks; type the application's `NAME` again")
	cmd.Flags().BoolVar(&r.Abandon, "abandon", false, "ask nobody: give the machines up, and list what may remain")
	cmd.Flags().BoolVar(&wait, "wait", true, "wait until it is gone")
	cmd.MarkFlagsMutuallyExclusive("wipe", "abandon")
	return cmd
}

func (a *app) applicationUpdateCmd() *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use: "update APPLICATION RECIPE", Short: "Take an application to another version of its recipe, without a gap",
		Long: "Its services are updated one after the other, each after those that it depends on; what is new is\n" +
			"deployed, what is gone is removed at the end. What fails takes all of them back. The difference is\n" +
			"shown first; appliance plan RECIPE shows it without doing anything.",
		Example: "  appliance application update webshop ./webshop\n  appliance plan ./webshop --out shop.plan && appliance application update webshop ./webshop --plan-file shop.plan",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if d.Plan, err = planDigest(d.file, d.Plan); err != nil {
				return err
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := a.upload(cmd.Context(), c, args[1], &d.DeployRequest); err != nil {
				return err
			}
			return a.updateApplication(cmd.Context(), c, args[0], &d)
		},
	}
	f := cmd.Flags()
	f.IntVar(&d.batch, "batch", 1, "`N` instances of a service at a time")
	f.StringVar(&d.Image, "image", "", "`NAME` of the image for services that are added")
	f.StringVar(&d.file, "plan-file", "", "do what the plan in `FILE` says; refused when it is stale")
	f.BoolVar(&d.wait, "wait", true, "follow the update to its end")
	f.DurationVar(&d.timeout, "timeout", 2*time.Hour, "stop following after this `TIME`; the update goes on")
	return cmd
}

func (a *app) applicationRollbackCmd() *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use: "rollback APPLICATION", Short: "Take an application back to the version before",
		Long:    "An update that is under way is undone; else the version before the one that runs is taken, by an update.",
		Example: "  appliance application rollback webshop",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			defer c.Close()
			ctx := cmd.Context()
			app, err := c.Application(ctx, args[0])
			if err != nil {
				return err
			}
			switch {
			case app.Update == nil:
				return fmt.Errorf("%w: application %s has no version before this one", pool.ErrConflict, app.Name)
			case !app.Update.Open():
				d.Digest = app.Update.From.Digest
				return a.updateApplication(ctx, c, args[0], &d)
			}
			if app, err = c.UndoApplication(ctx, args[0]); err != nil {
				return err
			}
			if d.wait {
				ctx, cancel := context.WithTimeout(ctx, d.timeout)
				defer cancel()
				app, err = a.followUpdate(ctx, c, app)
				if u := app.Update; err != nil && u != nil && u.Stage == pool.RolloutUndone {
					err = nil // it is what was asked for
				}
			}
			if err != nil {
				return err
			}
			return print(a, app, showApplication)
		},
	}
	cmd.Flags().BoolVar(&d.wait, "wait", true, "follow it to its end")
	cmd.Flags().DurationVar(&d.timeout, "timeout", 2*time.Hour, "stop following after this `TIME`; it goes on")
	return cmd
}

// followUpdate prints what happens until an application's update has ended.
func (a *app) followUpdate(ctx context.Context, c *client.Client, app wire.Application) (wire.Application, error) {
	last := map[string]string{}
	got, err := c.WaitApplication(ctx, app.Name, func(now wire.Application) (bool, error) {
		for _, s := range now.Members {
			text := s.Sentence
			if s.Rollout.Open() {
				text = fmt.Sprintf("%s to revision %d", rolloutState(*s.Rollout), s.Rollout.Target())
			}
			if text != last[s.Name] && a.output != "json" {
				last[s.Name] = text
				_, _ = fmt.Fprintf(a.stderr, "%s  %s: %s\n", time.Now().Format(time.TimeOnly), s.Name, text)
			}
		}
		u := now.Update
		app = now
		if u != nil && (u.Stage == pool.RolloutUndone || u.Stage == pool.RolloutFailed) && u.Cause != nil {
			return false, fmt.Errorf("%w: the update of application %s is %s: %s %s", pool.ErrUnavailable, now.Name, u.Stage, u.Cause.Message, u.Cause.Remedy)
		}
		return !u.Open(), nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return app, fmt.Errorf("application %s: still updating; it goes on: appliance application show %s", app.Name, app.Name)
	}
	if err != nil {
		return app, err
	}
	return got, nil
}

func showApplication(w io.Writer, app wire.Application) {
	_, _ = fmt.Fprintf(w, "%s\n\n", app.Sentence)
	_, _ = fmt.Fprintf(w, "name\t%s\nrecipe\t%s %s\nphase\t%s\n", app.Name, app.Recipe.Name, app.Recipe.Digest, app.Phase)
	if u := app.Update; u != nil {
		_, _ = fmt.Fprintf(w, "update\tfrom %.19s to %.19s: %s\n", u.From.Digest, u.To.Digest, u.Stage)
	}
	if m := app.Maintenance; m.Holds(time.Now()) {
		_, _ = fmt.Fprintf(w, "maintenance\tby %s: %s\n", m.By, dash(m.Reason))
	}
	_, _ = fmt.Fprintln(w)
	_, _ = fmt.Fprintln(w, "SERVICE\tPHASE\tINSTANCES\tAFTER\tENDPOINT\tNOW")
	for _, s := range app.Members {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", s.Name, s.Phase, s.Instances, dash(strings.Join(s.DependsOn, ",")), dash(strings.Join(s.Endpoints, ",")), s.Sentence)
	}
	if app.Cause != nil {
		showCause(w, *app.Cause)
	}
}

// followApplication prints what happens until the application runs or failed.
func (a *app) followApplication(ctx context.Context, c *client.Client, app wire.Application) (wire.Application, error) {
	last := map[string]string{}
	got, err := c.WaitApplication(ctx, app.Name, func(now wire.Application) (bool, error) {
		for _, s := range now.Members {
			if s.Sentence != last[s.Name] && a.output != "json" {
				last[s.Name] = s.Sentence
				_, _ = fmt.Fprintf(a.stderr, "%s  %s: %s\n", time.Now().Format(time.TimeOnly), s.Name, s.Sentence)
			}
		}
		if now.Phase == pool.ServiceFailed && now.Cause != nil {
			return false, fmt.Errorf("%w: %s; %s", pool.ErrUnavailable, now.Cause.Message, now.Cause.Remedy)
		}
		return now.Phase == pool.ServiceRunning, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return app, fmt.Errorf("application %s: still deploying; it goes on: appliance application show %s", app.Name, app.Name)
	}
	return got, err
}

func showPlan(w io.Writer, p pool.Plan) {
	_, _ = fmt.Fprintf(w, "plan\t%s\n", p.Digest)
	if p.Application != "" {
		_, _ = fmt.Fprintf(w, "application\t%s\n", p.Application)
	}
	_, _ = fmt.Fprintf(w, "expected\t%s\n", expected(p.Expected, p.Unmeasured))
	for _, s := range p.Services {
		_, _ = fmt.Fprintf(w, "\n%s %s\t%s %s, template %s, image %s\n", s.Action, s.Service, s.Recipe, s.Digest, s.Template, s.Image)
		if len(s.DependsOn) > 0 {
			_, _ = fmt.Fprintf(w, "  starts after\t%s\n", strings.Join(s.DependsOn, ", "))
		}
		for _, d := range s.Changes {
			_, _ = fmt.Fprintf(w, "  %s %s\t%s\n", d.Kind, d.Change, showDifference(d))
		}
		for i, in := range s.Instances {
			_, _ = fmt.Fprintf(w, "  instance %d\t%s\t%s\n", in.Number, first(in.Name, "no machine"), in.Why)
			if in.Storage != "" {
				_, _ = fmt.Fprintf(w, "    storage\t%s\n", in.Storage)
			}
			if i > 0 && len(in.Steps) == len(s.Instances[0].Steps) {
				continue // the same as above
			}
			for _, st := range in.Steps {
				took := "not measured yet"
				if st.Samples > 0 {
					took = st.Expected.Round(100 * time.Millisecond).String()
				}
				_, _ = fmt.Fprintf(w, "    %s\t%s\n", st.Name, took)
			}
		}
		for i, o := range s.Others {
			if i == 20 {
				_, _ = fmt.Fprintf(w, "  and %d others\n", len(s.Others)-i+s.OthersLeft)
				break
			}
			_, _ = fmt.Fprintf(w, "  not %s\t%s\n", o.Name, strings.Join(o.Why, "; "))
		}
	}
	for _, problem := range p.Problems {
		_, _ = fmt.Fprintf(w, "\nproblem\t%s\n", problem)
	}
}

func expected(d time.Duration, unmeasured int) string {
	switch {
	case unmeasured == 0:
		return "about " + pool.Span(d)
	case d == 0:
		return "not known: nothing of it was measured yet"
	}
	return fmt.Sprintf("at least %s (%d steps were not measured yet)", pool.Span(d), unmeasured)
}

func showDifference(d pool.Difference) string {
	switch {
	case d.Old != "" && d.New != "":
		return fmt.Sprintf("%s: %s -> %s", d.Name, d.Old, d.New)
	case d.Old != "":
		return fmt.Sprintf("%s: was %s", d.Name, d.Old)
	case d.New != "":
		return fmt.Sprintf("%s: %s", d.Name, d.New)
	}
	return d.Name
}
