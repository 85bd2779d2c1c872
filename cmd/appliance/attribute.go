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

const scopeHelp = "`SCOPE`: global, application:APP, service:NAME or instance:NAME/NUMBER"

func (a *app) attributeCmd() *cobra.Command {
	return group("attribute", "What recipes keep with the appliance", a.attributeListCmd(), a.attributeGetCmd(), a.attributeSetCmd(),
		a.attributeRemoveCmd(), a.attributeWatchCmd())
}

func (a *app) attributeListCmd() *cobra.Command {
	var scope string
	cmd := &cobra.Command{
		Use: "list", Short: "List attributes; secret ones without value", Example: "  appliance attribute list --scope service:mysql",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Attribute, error) { return c.Attributes(ctx, scope) }, showAttributes)
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "", scopeHelp+"; all when not given")
	return cmd
}

func showAttributes(w io.Writer, all []pool.Attribute) {
	_, _ = fmt.Fprintln(w, "SCOPE\tNAME\tREVISION\tSET BY\tVALUE")
	for _, at := range all {
		v := plainValue(at.Value)
		if at.Secret {
			v = "(secret)"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", at.Scope, at.Name, at.Rev, dash(at.By), v)
	}
}

func (a *app) attributeGetCmd() *cobra.Command {
	var scope string
	cmd := &cobra.Command{
		Use: "get NAME", Short: "Print one attribute; that a secret one was shown is recorded",
		Example: "  appliance attribute get password --scope service:mysql",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.AttributeValue, error) {
				return c.GetAttribute(ctx, scope, args[0])
			}, func(w io.Writer, v wire.AttributeValue) { _, _ = fmt.Fprintln(w, plainValue(string(v.Value))) })
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "global", scopeHelp)
	return cmd
}

func (a *app) attributeSetCmd() *cobra.Command {
	var scope string
	var r wire.AttributeRequest
	var rev int64
	cmd := &cobra.Command{
		Use: "set NAME [VALUE]", Short: "Set an attribute; the value is read from standard input when it is not given",
		Long: "VALUE is JSON, or else a string. A secret is read from standard input only, so that it stands in no\n" +
			"list of processes; it is sealed and shown to nobody but recipes and who asks with \"attribute get\".\n" +
			"With --rev it is set only if it is still at that revision: 0 means that there must be none yet.",
		Example: "  appliance attribute set mode '\"rw\"' --scope application:shop\n  appliance attribute set password --secret --scope service:db < password\n" +
			"  appliance attribute set leader 10.77.0.21 --rev 3",
		Args: usageArgs(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Secret && len(args) == 2 {
				return fmt.Errorf("%w: a secret is read from standard input: leave VALUE out", errUsage)
			}
			text := ""
			if len(args) == 2 {
				text = args[1]
			} else {
				var err error
				if text, err = a.secretText(); err != nil {
					return err
				}
				if text == "" {
					return fmt.Errorf("%w: no value was given", errUsage)
				}
			}
			r.Value = jsonValue(text)
			if cmd.Flags().Changed("rev") {
				r.Rev = &rev
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (pool.Attribute, error) {
				return c.SetAttribute(ctx, scope, args[0], r)
			}, func(w io.Writer, at pool.Attribute) { showAttributes(w, []pool.Attribute{at}) })
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "global", scopeHelp)
	cmd.Flags().BoolVar(&r.Secret, "secret", false, "seal the value")
	cmd.Flags().Int64Var(&rev, "rev", 0, "only if it is at `REVISION`")
	return cmd
}

func (a *app) attributeRemoveCmd() *cobra.Command {
	var scope string
	var rev int64
	cmd := &cobra.Command{
		Use: "remove NAME", Short: "Remove an attribute", Example: "  appliance attribute remove mode --scope application:shop",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return c.RemoveAttribute(cmd.Context(), scope, args[0], rev)
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "global", scopeHelp)
	cmd.Flags().Int64Var(&rev, "rev", 0, "only if it is at `REVISION`")
	return cmd
}

func (a *app) attributeWatchCmd() *cobra.Command {
	var scope string
	cmd := &cobra.Command{
		Use: "watch", Short: "Print changes of attributes as they happen", Example: "  appliance attribute watch --scope service:mysql\n  appliance attribute watch -o json",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.watchAttributes(cmd.Context(), scope) },
	}
	cmd.Flags().StringVar(&scope, "scope", "", scopeHelp+" or instance:ID, as list shows it; all when not given")
	return cmd
}

func (a *app) watchAttributes(ctx context.Context, scope string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	var last int64 = -1
	for {
		err := c.Stream(ctx, last, func(m wire.StreamMessage) error {
			e := m.Event
			if e == nil {
				return nil
			}
			last = e.Seq
			if !strings.HasPrefix(e.Type, "attribute.") || scope != "" && scope != e.Scope {
				return nil
			}
			return print(a, []pool.Event{*e}, showEvents)
		})
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, pool.ErrUnavailable) {
			return err
		}
		_, _ = fmt.Fprintln(a.stderr, "the event stream broke; trying again")
		sleepFor(ctx, 2*time.Second)
	}
}
