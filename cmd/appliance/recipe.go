package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/pool"
	"appliance/recipes"
	"appliance/recipes/shipped"
)

func (a *app) recipeCmd() *cobra.Command {
	return group("recipe", "The recipes", a.recipeListCmd(), a.recipeCheckCmd(), a.recipeNewCmd(), a.recipeTestCmd())
}

func (a *app) recipeListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the recipes that can be deployed by name", Example: "  appliance recipe list",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.RecipeInfo, error) { return c.Recipes(ctx) }, showRecipes)
		},
	}
}

func showRecipes(w io.Writer, all []pool.RecipeInfo) {
	_, _ = fmt.Fprintln(w, "NAME\tTYPE\tTEMPLATE\tPORT\tDESCRIPTION")
	for _, r := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", r.Name, r.Type, r.Template, r.Port, r.Description)
	}
}

// checked is what "recipe check" answers.
type checked struct {
	Recipe   *pool.RecipeInfo  `json:"recipe"` // null when it does not load
	Findings []recipes.Finding `json:"findings"`
}

func (a *app) recipeCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use: "check FOLDER", Short: "Say all that is wrong with a recipe, without an appliance",
		Long: "check reads the descriptor, its properties, its scripts and the recipes it extends, and tells every\n" +
			"fault and warning with file, line and column. It runs nothing of the recipe but its descriptor, in a sandbox.",
		Example: "  appliance recipe check ./my-recipe\n  appliance recipe check ./my-recipe -o json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			r, found := recipes.CheckDir(args[0], recipes.Options{Library: shipped.FS()})
			c := checked{Findings: found}
			if r != nil {
				info := recipeInfo(r)
				c.Recipe = &info
			}
			if err := print(a, c, func(w io.Writer, c checked) { showChecked(w, args[0], c) }); err != nil || r != nil {
				return err
			}
			return fmt.Errorf("check recipe %s: %w: it does not load", args[0], pool.ErrInvalid)
		},
	}
}

func showChecked(w io.Writer, folder string, c checked) {
	faults := 0
	for _, f := range c.Findings {
		kind := "warning"
		if f.Fatal {
			kind = "error"
			faults++
		}
		_, _ = fmt.Fprintf(w, "%s: %s\n", kind, f.Text)
	}
	if c.Recipe == nil {
		_, _ = fmt.Fprintf(w, "%s: %d errors, %d warnings\n", folder, faults, len(c.Findings)-faults)
		return
	}
	i := c.Recipe
	_, _ = fmt.Fprintf(w, "%s is fine: %s, events %s\n", i.Name, i.Type, strings.Join(i.Events, " "))
}

func (a *app) recipeNewCmd() *cobra.Command {
	return &cobra.Command{
		Use: "new NAME", Short: "Make a folder with a recipe to start from", Example: "  appliance recipe new redis",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := recipes.Skeleton(filepath.Base(args[0]))
			if err != nil {
				return fmt.Errorf("make recipe: %w: %v", pool.ErrInvalid, err)
			}
			if err := os.Mkdir(args[0], 0o755); err != nil {
				return fmt.Errorf("make recipe: %v", err)
			}
			for name, text := range files {
				mode := os.FileMode(0o644)
				if strings.HasSuffix(name, ".sh") {
					mode = 0o755
				}
				if err := os.WriteFile(filepath.Join(args[0], name), text, mode); err != nil {
					return fmt.Errorf("make recipe: %v", err)
				}
			}
			_, _ = fmt.Fprintf(a.stdout, "%s\n", args[0])
			return nil
		},
	}
}

func (a *app) recipeTestCmd() *cobra.Command {
	var seconds int
	var keep bool
	cmd := &cobra.Command{
		Use: "test FOLDER", Short: "Run a recipe's lifecycle on this machine, without an appliance",
		Long: "test unpacks the recipe in a scratch folder and runs its events here, as on a machine of the pool: from init\n" +
			"to postStart with start detection, then stop detection while it watches the service, then preStop to shutdown.\n" +
			"What the scripts do, they do to this machine: use a container or a virtual machine for a recipe that installs.",
		Example: "  appliance recipe test ./my-recipe\n  appliance recipe test ./my-recipe --watch 5 -o json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.tryRecipe(cmd.Context(), args[0], time.Duration(seconds)*time.Second, keep)
		},
	}
	cmd.Flags().IntVar(&seconds, "watch", 30, "watch the running service for `SECONDS`")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the scratch folder, and say where it is")
	return cmd
}

func (a *app) tryRecipe(ctx context.Context, folder string, watch time.Duration, keep bool) (err error) {
	r, err := recipes.LoadDir(folder, recipes.Options{Library: shipped.FS()})
	if err != nil {
		return fmt.Errorf("test recipe %s: %w: %v", folder, pool.ErrInvalid, err)
	}
	dir, err := os.MkdirTemp("", "appliance-recipe-test-*")
	if err != nil {
		return fmt.Errorf("test recipe %s: %v", folder, err)
	}
	if keep {
		_, _ = fmt.Fprintln(a.stderr, dir)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	var steps []recipes.TrialStep
	trial := recipes.Trial{Recipe: r, Dir: dir, Watch: max(watch, time.Millisecond), Out: a.stderr, Tell: func(s recipes.TrialStep) {
		steps = append(steps, s)
		_, _ = fmt.Fprintf(a.stderr, "%s-1 %s\n", r.Name, trialLine(s))
	}}
	err = trial.Run(ctx)
	return errors.Join(err, print(a, steps, func(w io.Writer, all []recipes.TrialStep) {
		if err == nil {
			_, _ = fmt.Fprintf(w, "%s: %d events ran well\n", r.Name, len(all))
		}
	}))
}

// trialLine tells of an event in the words that users of the original know.
func trialLine(s recipes.TrialStep) string {
	line := fmt.Sprintf("%s completed, duration: %.1f seconds", s.Event, s.Duration.Seconds())
	if s.Error != "" {
		line = fmt.Sprintf("%s failed. Reason: %s", s.Event, s.Error)
	}
	if s.Value != nil {
		line += fmt.Sprintf(", result: %v", s.Value)
	}
	for _, w := range s.Warnings {
		line += "\n  warning: " + w
	}
	return line
}
