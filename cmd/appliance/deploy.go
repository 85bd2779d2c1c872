package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
	"appliance/recipes"
	"appliance/recipes/shipped"
)

// deployment is what deploy and plan are asked for.
type deployment struct {
	wire.DeployRequest
	wait    bool
	timeout time.Duration
	dry     bool   // show the plan, do nothing
	file    string // of a plan
	batch   int    // of an update; 0 is 1
}

func (d *deployment) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.Name, "name", "", "`NAME` of the service or application; the recipe's when not given")
	f.IntVar(&d.Instances, "instances", 0, "`N` instances; the recipe's number when not given")
	f.StringVar(&d.Template, "template", "", "compute `TEMPLATE`; the recipe's when not given")
	f.StringVar(&d.Image, "image", "", "`NAME` of the image")
}

func (a *app) deployCmd() *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use: "deploy RECIPE", Short: "Put a service or an application on machines of the pool",
		Long: "RECIPE is the name of a shipped recipe (see: appliance recipe list) or the folder of a\n" +
			"recipe or application, which is checked here and uploaded.\n\n" +
			"With --plan it says what it would do, and does nothing. With --plan-file or --plan-id it\n" +
			"does what was planned, or refuses when machines, images or services have changed since.",
		Example: "  appliance deploy mysql\n  appliance deploy ./my-recipe --name orders --instances 2\n" +
			"  appliance deploy webshop --plan\n" +
			"  appliance plan webshop --out shop.plan && appliance deploy webshop --plan-file shop.plan\n" +
			"  appliance deploy mysql --template MEDIUM_LINUX --wait=false",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if d.dry {
				return a.plan(cmd, args[0], &d, "")
			}
			return a.deploy(cmd, args[0], &d)
		},
	}
	d.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&d.wait, "wait", true, "follow the deployment to its end")
	f.DurationVar(&d.timeout, "timeout", time.Hour, "stop following after this `TIME`; the deployment goes on")
	f.BoolVar(&d.dry, "plan", false, "show the plan and do nothing")
	f.StringVar(&d.file, "plan-file", "", "do what the plan in `FILE` says; refused when it is stale")
	f.StringVar(&d.Plan, "plan-id", "", "`DIGEST` of a plan; refused when it is stale")
	cmd.MarkFlagsMutuallyExclusive("plan", "plan-file", "plan-id")
	return cmd
}

func (a *app) planCmd() *cobra.Command {
	var d deployment
	var out string
	cmd := &cobra.Command{
		Use: "plan RECIPE", Short: "Say what a deployment would do, and how long it takes",
		Long: "plan names the machines, why these and why not the others, the steps, and the time\n" +
			"they took before on machines of the same model. It changes nothing.",
		Example: "  appliance plan mysql\n  appliance plan ./webshop -o json\n  appliance plan webshop --out shop.plan",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.plan(cmd, args[0], &d, out)
		},
	}
	d.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the plan to `FILE`, for: appliance deploy --plan-file")
	return cmd
}

func (a *app) plan(cmd *cobra.Command, arg string, d *deployment, out string) error {
	return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.Plan, error) {
		if _, err := a.upload(ctx, c, arg, &d.DeployRequest); err != nil {
			return pool.Plan{}, err
		}
		p, err := c.Plan(ctx, d.DeployRequest)
		if err != nil || out == "" {
			return p, err
		}
		b, err := json.MarshalIndent(p, "", "  ")
		if err != nil {
			return p, err
		}
		return p, os.WriteFile(out, append(b, '\n'), 0o644)
	}, showPlan)
}

func (a *app) deploy(cmd *cobra.Command, arg string, d *deployment) error {
	var err error
	if d.Plan, err = planDigest(d.file, d.Plan); err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx := cmd.Context()
	recipe, err := a.upload(ctx, c, arg, &d.DeployRequest)
	if err != nil {
		return err
	}
	if len(recipe.Members) > 0 {
		name := first(d.Name, strings.ToLower(recipe.Name))
		if old, err := c.Application(ctx, name); err == nil && old.Phase == pool.ServiceRunning && old.Recipe.Name == recipe.Name && old.Recipe.Digest != recipe.Digest {
			_, _ = fmt.Fprintf(a.stderr, "application %s is made of %s; it is updated to %s, one service after the other\n", name, old.Recipe.Digest, recipe.Digest)
			return a.updateApplication(ctx, c, name, d)
		}
		app, err := c.DeployApplication(ctx, d.DeployRequest)
		if err == nil && d.wait {
			ctx, cancel := context.WithTimeout(ctx, d.timeout)
			defer cancel()
			app, err = a.followApplication(ctx, c, app)
		}
		if err != nil {
			return err
		}
		return print(a, app, showApplication)
	}
	name := first(d.Name, strings.ToLower(recipe.Name))
	if old, err := c.Service(ctx, name); err == nil && old.Phase == pool.ServiceRunning && old.Recipe.Name == recipe.Name && old.Recipe.Digest != recipe.Digest {
		if d.Instances != 0 && d.Instances != old.Instances {
			return fmt.Errorf("%w: service %s runs with %d instances and another revision of this recipe: change one after the other: appliance service scale %s %d",
				pool.ErrInvalid, name, old.Instances, name, d.Instances)
		}
		_, _ = fmt.Fprintf(a.stderr, "service %s runs recipe %s; it is updated to %s, one instance at a time\n", name, old.Recipe.Digest, recipe.Digest)
		if err := a.showChanges(ctx, c, d); err != nil {
			return err
		}
		s, err := a.changeService(ctx, c, name, wire.UpdateRequest{Recipe: d.Recipe, Digest: d.Digest, Template: d.Template, Image: d.Image, Plan: d.Plan}, d.wait, d.timeout)
		if err != nil {
			return err
		}
		return print(a, s, showService)
	}
	s, err := c.Deploy(ctx, d.DeployRequest)
	if err == nil && d.wait {
		ctx, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		s, err = a.follow(ctx, c, s)
	}
	if err != nil {
		return err
	}
	return print(a, s, showService)
}

// planDigest is the digest of the plan in a file, else the one that was given.
func planDigest(file, given string) (string, error) {
	if file == "" {
		return given, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var p pool.Plan
	if err := json.Unmarshal(b, &p); err != nil || p.Digest == "" {
		return "", fmt.Errorf("%w: %s is no plan: make one with appliance plan --out", pool.ErrInvalid, file)
	}
	return p.Digest, nil
}

// showChanges prints in what the recipes differ.
func (a *app) showChanges(ctx context.Context, c *client.Client, d *deployment) error {
	r := d.DeployRequest
	r.Plan = ""
	p, err := c.Plan(ctx, r)
	if err != nil {
		return err
	}
	for _, s := range p.Services {
		if p.Application != "" {
			_, _ = fmt.Fprintf(a.stderr, "  %s %s\n", s.Action, s.Service)
		}
		for _, x := range s.Changes {
			_, _ = fmt.Fprintf(a.stderr, "  %s %s: %s\n", x.Kind, x.Change, showDifference(x))
		}
	}
	return nil
}

// updateApplication takes a running application to another version.
func (a *app) updateApplication(ctx context.Context, c *client.Client, name string, d *deployment) error {
	if d.Template != "" || d.Instances != 0 {
		return fmt.Errorf("%w: application %s: templates and numbers of instances are set in its recipe", pool.ErrInvalid, name)
	}
	d.Name = name
	if err := a.showChanges(ctx, c, d); err != nil {
		return err
	}
	app, err := c.UpdateApplication(ctx, name, wire.ApplicationUpdateRequest{Recipe: d.Recipe, Digest: d.Digest, Image: d.Image, Plan: d.Plan, Batch: d.batch})
	if err == nil && d.wait {
		ctx, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		app, err = a.followUpdate(ctx, c, app)
	}
	if err != nil {
		return err
	}
	return print(a, app, showApplication)
}

// upload sends the recipe when arg is a folder; a bare word is the name of one
// that the appliance has.
func (a *app) upload(ctx context.Context, c *client.Client, arg string, r *wire.DeployRequest) (pool.RecipeInfo, error) {
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() {
		if strings.ContainsRune(arg, os.PathSeparator) {
			return pool.RecipeInfo{}, fmt.Errorf("%w: %s is no folder", pool.ErrInvalid, arg)
		}
		r.Recipe = arg
		known, err := c.Recipe(ctx, arg)
		return known, err
	}
	recipe, err := recipes.LoadDir(arg, recipes.Options{Library: shipped.FS()})
	if err != nil {
		return pool.RecipeInfo{}, fmt.Errorf("%w: %v", pool.ErrInvalid, err)
	}
	archive, _, err := recipe.Pack() // with what it extends
	if err != nil {
		return pool.RecipeInfo{}, fmt.Errorf("%w: %v", pool.ErrInvalid, err)
	}
	up, err := c.UploadRecipe(ctx, bytes.NewReader(archive))
	r.Digest = up.Digest
	return up, err
}

// follow prints what happens to a service until it runs or failed.
func (a *app) follow(ctx context.Context, c *client.Client, s wire.Service) (wire.Service, error) {
	last := ""
	got, err := c.WaitService(ctx, s.Name, func(now wire.Service) (bool, error) {
		if now.Sentence != last && a.output != "json" {
			last = now.Sentence
			_, _ = fmt.Fprintf(a.stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), last)
		}
		if now.Phase == pool.ServiceFailed && now.Cause != nil {
			return false, fmt.Errorf("%w: %s; %s", pool.ErrUnavailable, now.Cause.Message, now.Cause.Remedy)
		}
		return now.Phase == pool.ServiceRunning, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return s, fmt.Errorf("service %s: still deploying; it goes on: appliance service show %s", s.Name, s.Name)
	}
	return got, err
}
