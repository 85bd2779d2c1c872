package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func (a *app) serviceUpdateCmd() *cobra.Command {
	var r wire.UpdateRequest
	var wait bool
	var timeout time.Duration
	var file string
	cmd := &cobra.Command{
		Use: "update SERVICE [RECIPE]", Short: "Take a service to a changed recipe, image or template, without a gap",
		Long: "Each instance is drained, stopped, and started from the new recipe on its own machine, a batch\n" +
			"at a time; the next batch waits until the last one has been healthy. With --extra one more\n" +
			"batch serves meanwhile. A canary goes first, and waits to be promoted unless --auto is given.\n" +
			"An instance that fails takes all back to the revision that ran before. Where the recipe has a\n" +
			"custom command check, an instance counts only once it has succeeded there.\n\n" +
			"With --image each machine's system is written anew, batch by batch; the disk of a storage template\n" +
			"stays. A template must fit the machines that the service has.",
		Example: "  appliance service update web ./nginx\n  appliance service update web ./nginx --batch 2 --extra\n" +
			"  appliance service update web ./nginx --canary 1 --wait=false && appliance service promote web\n" +
			"  appliance service update web --image debian-12.8\n  appliance service update web ./nginx --plan-file web.plan",
		Args: usageArgs(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && r.Image == "" && r.Template == "" {
				return fmt.Errorf("%w: name a recipe, or --image or --template", errUsage)
			}
			var err error
			if r.Plan, err = planDigest(file, r.Plan); err != nil {
				return err
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				var d wire.DeployRequest
				if len(args) == 2 {
					if _, err := a.upload(ctx, c, args[1], &d); err != nil {
						return wire.Service{}, err
					}
				}
				r.Recipe, r.Digest = d.Recipe, d.Digest
				return a.changeService(ctx, c, args[0], r, wait, timeout)
			}, showService)
		},
	}
	f := cmd.Flags()
	f.IntVar(&r.Batch, "batch", 1, "`N` instances at a time")
	f.BoolVar(&r.Extra, "extra", false, "add one batch of the new revision while the others are changed")
	f.IntVar(&r.Canary, "canary", 0, "`N` instances first; then somebody promotes, or rolls back")
	f.BoolVar(&r.Auto, "auto", false, "a healthy canary is promoted at once")
	f.StringVar(&r.Image, "image", "", "`NAME` of the image that is written to its machines anew")
	f.StringVar(&r.Template, "template", "", "compute `TEMPLATE` that its machines have to fit")
	f.BoolVar(&r.WithoutData, "without-data", false, "what a stateful service keeps on its system's disks may be lost by a new image")
	f.StringVar(&file, "plan-file", "", "do what the plan in `FILE` says; refused when it is stale")
	f.IntVar(&r.Health, "health", 10, "`SECONDS` that an instance must run before it counts")
	f.BoolVar(&wait, "wait", true, "follow the update to its end")
	f.DurationVar(&timeout, "timeout", time.Hour, "stop following after this `TIME`; the update goes on")
	return cmd
}

func (a *app) serviceRollbackCmd() *cobra.Command {
	var r wire.UpdateRequest
	var wait bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "rollback SERVICE", Short: "Take a service back to a revision that it had",
		Long: "Without --to-revision an update that is under way is undone, else the revision before the\n" +
			"one that runs is taken. There is no canary: that revision has run before.",
		Example: "  appliance service rollback web\n  appliance service rollback web --to-revision 3",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				s, err := c.Service(ctx, args[0])
				if err != nil {
					return s, err
				}
				if r.ToRevision == 0 && s.Rollout.Open() {
					return c.SteerRollout(ctx, args[0], "undo")
				}
				if r.ToRevision == 0 {
					if r.ToRevision = s.Revision - 1; r.ToRevision < 1 {
						return s, fmt.Errorf("%w: service %s has no revision before %d: see appliance service revisions", pool.ErrConflict, s.Name, s.Revision)
					}
				}
				return a.changeService(ctx, c, args[0], r, wait, timeout)
			}, showService)
		},
	}
	f := cmd.Flags()
	f.IntVar(&r.ToRevision, "to-revision", 0, "`N` of: appliance service revisions")
	f.BoolVar(&r.WithoutData, "without-data", false, "what a stateful service keeps on its system's disks may be lost, where that revision has another image")
	f.IntVar(&r.Batch, "batch", 1, "`N` instances at a time")
	f.BoolVar(&wait, "wait", true, "follow it to its end")
	f.DurationVar(&timeout, "timeout", time.Hour, "stop following after this `TIME`; it goes on")
	return cmd
}

// changeService begins an update and follows it.
func (a *app) changeService(ctx context.Context, c *client.Client, name string, r wire.UpdateRequest, wait bool, timeout time.Duration) (wire.Service, error) {
	s, err := c.UpdateService(ctx, name, r)
	if err != nil || !wait {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	last := ""
	got, err := c.WaitService(ctx, name, func(now wire.Service) (bool, error) {
		r := now.Rollout
		if r == nil {
			return true, nil
		}
		done := 0
		for _, in := range now.Running {
			if in.Phase == pool.InstanceRunning && in.Revision == r.Target() {
				done++
			}
		}
		text := fmt.Sprintf("%s, %d of %d instances at revision %d", rolloutState(*r), done, now.Instances, r.Target())
		if text != last && a.output != "json" {
			last = text
			_, _ = fmt.Fprintf(a.stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), text)
		}
		if (r.Stage == pool.RolloutUndone || r.Stage == pool.RolloutFailed) && r.Cause != nil {
			return false, fmt.Errorf("%w: %s %s", pool.ErrUnavailable, r.Cause.Message, r.Cause.Remedy)
		}
		return !r.Open() || r.Stage == pool.RolloutApproval, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return s, fmt.Errorf("service %s: still updating; it goes on: appliance service show %s", name, name)
	}
	return got, err
}

func rolloutState(r pool.Rollout) string {
	switch {
	case r.Paused && r.Open():
		return "paused"
	case r.Stage == pool.RolloutApproval:
		return "the canary is healthy and waits: appliance service promote"
	case r.Stage == pool.RolloutBack:
		return "going back"
	}
	return string(r.Stage)
}

func (a *app) serviceSteerCmd(action, short string) *cobra.Command {
	return &cobra.Command{
		Use: action + " SERVICE", Short: short, Example: "  appliance service " + action + " web",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				return c.SteerRollout(ctx, args[0], action)
			}, showService)
		},
	}
}

func (a *app) serviceRevisionsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "revisions SERVICE", Short: "What a service was made of", Example: "  appliance service revisions web",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Revision, error) {
				return c.Revisions(ctx, args[0])
			}, func(w io.Writer, all []pool.Revision) {
				_, _ = fmt.Fprintln(w, "REVISION\tRECIPE\tDIGEST\tIMAGE\tBY\tAT")
				for _, r := range all {
					_, _ = fmt.Fprintf(w, "%d\t%s\t%.19s\t%s\t%s\t%s\n", r.Number, r.Recipe.Name, r.Recipe.Digest, dash(r.Image), r.By, r.At.Local().Format(time.DateTime))
				}
			})
		},
	}
}
