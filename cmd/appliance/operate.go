package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func (a *app) serviceScaleCmd() *cobra.Command {
	var wipe string
	var wait bool
	cmd := &cobra.Command{
		Use: "scale SERVICE N", Short: "Set the number of instances of an elastic service",
		Long: "More instances take machines of the pool. Fewer: the highest numbers go first; each is drained and\n" +
			"stopped by its recipe, then its machine goes back. The disks of a service that keeps data stay\n" +
			"protected unless --wipe repeats the service's name.",
		Example: "  appliance service scale web 3\n  appliance service scale orders 1 --wipe orders",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 1 {
				return fmt.Errorf("%w: %q is no number of instances", errUsage, args[1])
			}
			if wipe != "" && wipe != args[0] {
				return fmt.Errorf("%w: --wipe %s does not repeat the service's name %s", errUsage, wipe, args[0])
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Service, error) {
				s, err := c.Scale(ctx, args[0], wire.ScaleRequest{Instances: n, Wipe: wipe != ""})
				if err != nil || !wait {
					return s, err
				}
				return c.WaitService(ctx, args[0], func(now wire.Service) (bool, error) {
					if now.Phase == pool.ServiceFailed && now.Cause != nil {
						return false, fmt.Errorf("%w: %s; %s", pool.ErrUnavailable, now.Cause.Message, now.Cause.Remedy)
					}
					return now.Phase == pool.ServiceRunning && standing(now) == now.Instances, nil
				})
			}, showService)
		},
	}
	cmd.Flags().StringVar(&wipe, "wipe", "", "erase the disks of machines that go back; type the service's `NAME` again")
	cmd.Flags().BoolVar(&wait, "wait", true, "wait until they have come or gone")
	return cmd
}

// standing counts the instances that are not gone.
func standing(s wire.Service) int {
	n := 0
	for _, in := range s.Running {
		if in.Phase != pool.InstanceRemoved {
			n++
		}
	}
	return n
}

func (a *app) serviceInvokeCmd() *cobra.Command {
	var r wire.InvokeRequest
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "invoke SERVICE COMMAND [ARGUMENT]...", Short: "Run a custom command of the recipe",
		Long: "The command runs on all instances that run, or on one. What it returned is printed for each; it is\n" +
			"kept with the instance's steps, its output with the service's logs. Arguments that begin with a\n" +
			"dash come after --.",
		Example: "  appliance service invoke apacheLB addNode 10.77.0.21\n  appliance service invoke web reload --rolling --timeout 5m\n" +
			"  appliance service invoke web set --instance 2 -- -v on",
		Args: usageArgs(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Args, r.Timeout = args[2:], int((timeout+time.Second-1)/time.Second)
			failed := false
			err := call(a, cmd, func(ctx context.Context, c *client.Client) (pool.Invocation, error) {
				inv, err := c.Invoke(ctx, args[0], args[1], r)
				for err == nil && !inv.Done {
					inv, err = c.Invocation(ctx, args[0], inv.ID, 20*time.Second)
				}
				for _, run := range inv.Results {
					failed = failed || run.Status != pool.StepDone
				}
				return inv, err
			}, showInvocation)
			if err == nil && failed {
				return fmt.Errorf("%w: %s did not succeed everywhere", pool.ErrUnavailable, args[1])
			}
			return err
		},
	}
	cmd.Flags().IntVar(&r.Instance, "instance", 0, "only on instance `NUMBER`")
	cmd.Flags().BoolVar(&r.Rolling, "rolling", false, "one instance after the other; a failure stops it")
	cmd.Flags().DurationVar(&timeout, "timeout", pool.CommandTimeout, "`TIME` that it may take on an instance")
	return cmd
}

func showInvocation(w io.Writer, inv pool.Invocation) {
	for _, r := range inv.Results {
		took := ""
		if !r.Ended.IsZero() && !r.Started.IsZero() {
			took = r.Ended.Sub(r.Started).Round(time.Millisecond).String()
		}
		_, _ = fmt.Fprintf(w, "instance %d\t%s\t%s\t%s\n", r.Number, r.Status, took, plainValue(string(r.Value)))
		if r.Cause != nil {
			_, _ = fmt.Fprintf(w, "\t%s %s\n", r.Cause.Message, r.Cause.Evidence)
		}
		for line := range strings.Lines(r.Output) {
			_, _ = fmt.Fprintf(w, "\t| %s\n", strings.TrimRight(line, "\n"))
		}
	}
}

// plainValue shows JSON as people write it: a string without quotes.
func plainValue(text string) string {
	var s string
	if json.Unmarshal([]byte(text), &s) == nil {
		return s
	}
	return text
}

func (a *app) scaleCmd() *cobra.Command {
	explain := &cobra.Command{
		Use: "explain SERVICE", Short: "Say what the scaling rules make of the samples now, and why they did what they did",
		Example: "  appliance scale explain web\n  appliance scale explain web -o json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.ScalingView, error) { return c.Scaling(ctx, args[0]) }, showScaling)
		},
	}
	return group("scale", "How services scale", explain)
}

func showScaling(w io.Writer, s wire.ScalingView) {
	_, _ = fmt.Fprintf(w, "%s has %d of %d to %d instances.\n", s.Service, s.Instances, s.Min, s.Max)
	if !s.Elastic {
		_, _ = fmt.Fprintln(w, "It is not elastic: nothing scales it.")
	}
	_, _ = fmt.Fprintf(w, "Now: %s: %s.\n", s.Now.Action, strings.TrimSuffix(s.Now.Why, "."))
	showNumbers(w, s.Now)
	for _, d := range s.Decisions {
		_, _ = fmt.Fprintf(w, "\n%s  %s %d -> %d by %s: %s.\n", d.At.Local().Format(time.DateTime), d.Action, d.From, d.To, d.By, strings.TrimSuffix(d.Why, "."))
		showNumbers(w, d)
	}
}

func showNumbers(w io.Writer, d pool.ScalingDecision) {
	for _, n := range d.Numbers {
		value := "unknown"
		if n.Known {
			value = strconv.FormatFloat(n.Value, 'g', 6, 64)
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s over %s, %s of instances: %s\t%s%s\n", n.Rule.Metric, n.Rule.Time.Kind, n.Rule.Window, n.Rule.Instances.Kind, value, n.Verdict,
			limits(n.Rule))
		for _, in := range n.Instances {
			value := "unknown"
			if in.Known {
				value = strconv.FormatFloat(in.Value, 'g', 6, 64)
			}
			_, _ = fmt.Fprintf(w, "    instance %d\t%s of %d samples\t\n", in.Number, value, in.Samples)
		}
	}
}

func limits(r pool.ScalingRule) string {
	var parts []string
	if r.High != nil {
		parts = append(parts, fmt.Sprintf("above %g: +%d", r.High.Value, r.High.By))
	}
	if r.Low != nil {
		parts = append(parts, fmt.Sprintf("below %g: -%d", r.Low.Value, r.Low.By))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// showReadings prints details and monitors of a service's instances.
func showReadings(w io.Writer, all []pool.Readings) {
	for _, r := range all {
		_, _ = fmt.Fprintf(w, "instance %d\n", r.Number)
		for _, part := range []struct {
			name string
			of   map[string]any
		}{{"monitor", r.Monitors}, {"detail", r.Details}} {
			for _, k := range slices.Sorted(maps.Keys(part.of)) {
				b, err := json.Marshal(part.of[k])
				if err != nil {
					continue // it came as JSON
				}
				_, _ = fmt.Fprintf(w, "  %s %s\t%s\n", part.name, k, plainValue(string(b)))
			}
		}
		if r.Trouble != "" {
			_, _ = fmt.Fprintf(w, "  trouble\t%s\n", r.Trouble)
		}
	}
}

// serviceReadings is what "service show --monitors" adds.
type serviceReadings struct {
	wire.Service
	Readings []pool.Readings `json:"readings"`
}

func (a *app) showMonitors(cmd *cobra.Command, name string) error {
	return call(a, cmd, func(ctx context.Context, c *client.Client) (serviceReadings, error) {
		s, err := c.Service(ctx, name)
		if err != nil {
			return serviceReadings{}, err
		}
		r, err := c.Readings(ctx, name)
		return serviceReadings{s, r}, err
	}, func(w io.Writer, s serviceReadings) {
		_, _ = fmt.Fprintf(w, "%s\n\n", s.Sentence)
		showReadings(w, s.Readings)
	})
}

// followLogs prints lines of a service as they come, until ctx ends. The event
// stream says when to look; nothing is lost where it breaks.
func (a *app) followLogs(ctx context.Context, service string, f pool.LogFilter) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	news := make(chan struct{}, 1)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for ctx.Err() == nil {
			_ = c.Stream(ctx, -1, func(m wire.StreamMessage) error { // it is only to be quicker than the clock below
				if m.Log != nil && m.Log.Service == service {
					select {
					case news <- struct{}{}:
					default:
					}
				}
				return nil
			})
			sleepFor(ctx, 2*time.Second)
		}
	}()
	defer func() { stop(); <-watched }()
	f.Last, f.Limit = false, 1000
	for {
		lines, err := c.ServiceLogs(ctx, service, f)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if len(lines) > 0 {
			f.After = lines[len(lines)-1].Seq
			if err := print(a, lines, showLines); err != nil {
				return err
			}
			continue
		}
		select {
		case <-news:
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
			return nil
		}
	}
}

func sleepFor(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// jsonValue is what somebody typed as a value: JSON, else a string.
func jsonValue(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(bytes.TrimSpace([]byte(text)))
	}
	b, _ := json.Marshal(text) // a string always has a JSON form
	return b
}
