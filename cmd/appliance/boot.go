package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"appliance/api"
	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func (a *app) bootCmd() *cobra.Command {
	return group("boot", "How machines boot", a.bootShowCmd(), a.bootExplainCmd(), a.bootPathCmd(), a.bootCACmd())
}

func (a *app) bootCACmd() *cobra.Command {
	var path string
	var der bool
	cmd := &cobra.Command{
		Use: "ca", Short: "The certificate by which firmware trusts the appliance (UEFI HTTPS Boot)",
		Long: "ca writes the certificate that a machine's firmware has to hold (TLS Auth Configuration, Server CA)\n" +
			"to fetch its boot program by HTTPS. The appliance makes it at its first start. Run it on the appliance.",
		Example: "  appliance boot ca > ca.pem\n  appliance boot ca --der > ca.cer",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			text, err := os.ReadFile(api.FirmwareCAFile(filepath.Join(c.Data, "ca")))
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w: there is no such certificate yet: start the appliance once, with listen.boot_https not off", pool.ErrNotFound)
			}
			if err != nil {
				return err
			}
			if block, _ := pem.Decode(text); der && block != nil {
				text = block.Bytes
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", first(a.getenv("APPLIANCE_CONFIG"), defaultConfig), "configuration `FILE`")
	cmd.Flags().BoolVar(&der, "der", false, "write DER, which most firmware wants, not PEM")
	return cmd
}

func (a *app) bootShowCmd() *cobra.Command {
	var all bool
	show := &cobra.Command{
		Use: "show MACHINE", Short: "The boot timeline: each stage and how long it took",
		Example: "  appliance boot show node-0000dd01\n  appliance boot show node-0000dd01 --all -o json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.BootShow, error) {
				b, err := c.Boot(ctx, args[0])
				if !all && len(b.Boots) > 1 {
					b.Boots = b.Boots[len(b.Boots)-1:]
				}
				return b, err
			}, showBoot)
		},
	}
	show.Flags().BoolVar(&all, "all", false, "every boot on record, not only the last")
	return show
}

func showBoot(w io.Writer, b wire.BootShow) {
	if len(b.Boots) == 0 {
		_, _ = fmt.Fprintln(w, "Nothing was seen of a boot of this machine yet.")
	}
	for _, boot := range b.Boots {
		_, _ = fmt.Fprintf(w, "boot of %s, %s in all\n", boot.Start.Local().Format(time.DateTime), boot.End.Sub(boot.Start).Round(100*time.Millisecond))
		last := boot.Start
		for _, e := range boot.Events {
			_, _ = fmt.Fprintf(w, "  +%.1fs\t%.1fs\t%s\t%s\n", e.At.Sub(boot.Start).Seconds(), e.At.Sub(last).Seconds(), e.Stage, e.Detail)
			last = e.At
		}
	}
	if b.Silent != "" {
		_, _ = fmt.Fprintln(w, b.Silent)
	}
}

func (a *app) bootExplainCmd() *cobra.Command {
	return &cobra.Command{
		Use: "explain MACHINE", Short: "Why a machine's last boot is where it is, and what to do",
		Long: "explain compares the last boot with what its model needs for each stage, and names the rule by\n" +
			"which a silent boot was diagnosed.",
		Example: "  appliance boot explain node-0000dd01\n  appliance boot explain node-0000dd01 -o json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.BootShow, error) {
				b, err := c.Boot(ctx, args[0])
				if len(b.Boots) > 1 {
					b.Boots = b.Boots[len(b.Boots)-1:]
				}
				return b, err
			}, explainBoot)
		},
	}
}

func explainBoot(w io.Writer, b wire.BootShow) {
	if len(b.Boots) == 0 {
		_, _ = fmt.Fprintln(w, "Nothing was seen of a boot of this machine yet.")
		return
	}
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	if b.Path != nil {
		p("model\t%s (%s)", b.Path.Model, b.Path.Class)
		p("path\t%s", pathText(b.Path.Path))
	}
	boot := b.Boots[0]
	last := boot.Start
	for _, e := range boot.Events {
		took, usual := e.At.Sub(last), ""
		if t := b.Times[e.Stage]; t.Count >= 3 {
			usual = fmt.Sprintf("usually %s, %s at most", t.Mean.Round(100*time.Millisecond), t.Max.Round(100*time.Millisecond))
		}
		p("  %s\t%s\t%s\t%s", e.Stage, took.Round(100*time.Millisecond), usual, e.Detail)
		last = e.At
	}
	d := b.Diagnosis
	if d == nil {
		p("Nothing is wrong with it as far as can be seen.")
		return
	}
	p("silent\tfor %s since %s; %s is what this stage may take", pool.Span(d.Quiet), d.Stage, pool.Span(d.Wait))
	p("what\t%s", d.Says)
	p("why\t%s", d.Causes)
	p("do\t%s", d.Do)
	p("rule\t%s", d.Rule)
}

func pathText(p pool.BootPath) string {
	text := p.NBP + ", then files by " + p.Files
	if p.Block > 0 {
		text += fmt.Sprintf(", TFTP blocks of %d at most", p.Block)
	}
	if p.TLS {
		text = "by HTTPS " + text
	}
	if p.Window > 0 {
		text += fmt.Sprintf(", %d in a window", p.Window)
	}
	return text
}

func (a *app) bootPathCmd() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "How each model boots, as it was learned",
		Example: "  appliance boot path list\n  appliance boot path list -o json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.BootPaths, error) { return c.BootPaths(ctx) }, showPaths)
		},
	}
	return group("path", "The way each model boots best", list, a.bootPathSetCmd(), a.bootPathExportCmd(), a.bootPathImportCmd())
}

func showPaths(w io.Writer, b wire.BootPaths) {
	if len(b.Models) == 0 {
		_, _ = fmt.Fprintln(w, "Nothing was learned yet.")
	}
	for _, m := range b.Models {
		_, _ = fmt.Fprintf(w, "%s (%s)\n", m.Key, m.Class)
		for _, r := range m.Paths {
			mark := ""
			if r.Pinned {
				mark = "pinned"
			}
			_, _ = fmt.Fprintf(w, "  %s\tworked %d, failed %d\t%s\t%s\n", pathText(r.Path), r.Worked, r.Failed, mark, r.Cause)
		}
	}
}

func (a *app) bootPathSetCmd() *cobra.Command {
	var p wire.PinPath
	var clear bool
	cmd := &cobra.Command{
		Use: "set MODEL CLASS [NBP]", Short: "Make a model boot one way, whatever was learned",
		Long: "MODEL and CLASS are as \"boot path list\" shows them. --clear goes back to what was learned.",
		Example: "  appliance boot path set \"Dell Inc. PowerEdge R640 / 2.1\" efi-x64 shimx64.efi --files tftp\n" +
			"  appliance boot path set \"nic 52:54:00\" efi-x64-http snponly.efi --tls\n" +
			"  appliance boot path set \"nic 52:54:00\" efi-x64 --clear",
		Args: usageArgs(cobra.RangeArgs(2, 3)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Model, p.Class = args[0], args[1]
			switch {
			case clear && len(args) == 3, !clear && len(args) == 2:
				return fmt.Errorf("%w: give a boot program (NBP) or --clear", errUsage)
			case clear:
				p.Path = pool.BootPath{}
			default:
				p.Path.NBP = args[2]
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.BootPaths, error) { return c.PinBootPath(ctx, p) }, showPaths)
		},
	}
	cmd.Flags().StringVar(&p.Path.Files, "files", pool.FilesHTTP, "how the program fetches what follows: `http` or tftp")
	cmd.Flags().IntVar(&p.Path.Block, "block", 0, "TFTP blocks of at most `N` bytes; 0: as the path allows")
	cmd.Flags().IntVar(&p.Path.Window, "window", 0, "TFTP windows of at most `N` blocks; 0: as asked for")
	cmd.Flags().BoolVar(&p.Path.TLS, "tls", false, "HTTP Boot fetches the program by HTTPS; the firmware has to hold \"appliance boot ca\"")
	cmd.Flags().BoolVar(&clear, "clear", false, "go back to what was learned")
	return cmd
}

func (a *app) bootPathExportCmd() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Write what was learned as JSON, for another appliance",
		Example: "  appliance boot path export > paths.json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.BootPaths, error) { return c.BootPaths(ctx) },
				func(w io.Writer, b wire.BootPaths) {
					e := json.NewEncoder(w)
					e.SetIndent("", "  ")
					_ = e.Encode(b) // to a buffer
				})
		},
	}
}

func (a *app) bootPathImportCmd() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Take over what another appliance learned",
		Example: "  appliance boot path import paths.json",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			var p wire.BootPaths
			if err := json.Unmarshal(b, &p); err != nil {
				return fmt.Errorf("%w: read %s: %v", pool.ErrInvalid, args[0], err)
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.BootPaths, error) { return c.ImportBootPaths(ctx, p) }, showPaths)
		},
	}
}
