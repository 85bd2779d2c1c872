package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"go.yaml.in/yaml/v3"
	"golang.org/x/term"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/images/debian"
	"appliance/pool"
	"appliance/recipes"
	"appliance/recipes/shipped"
)

func (a *app) templateCmd() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List the compute templates", Example: "  appliance template list", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Template, error) { return c.Templates(ctx) }, showTemplates)
		},
	}
	set := &cobra.Command{
		Use: "set FILE", Short: "Make or change a compute template",
		Long: "FILE is YAML (- is standard input), for example:\n\n" +
			"  name: DB_NODE\n  cores: 8\n  memory: 34359738368   # bytes\n  disk: 400000000000\n  tags: [ssd]\n  target: {type: nvme}\n" +
			"  drivers: [metal, vm]   # in order of preference: metal, ssh, vm\n  zone: hall-2\n",
		Example: "  appliance template set db-node.yaml",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var t pool.Template
			if err := a.readYAML(args[0], &t); err != nil {
				return err
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Template, error) {
				t, err := c.PutTemplate(ctx, t)
				return []pool.Template{t}, err
			}, showTemplates)
		},
	}
	return group("template", "Compute templates: named sizes with constraints", list, set)
}

func driverNames(list []pool.Driver) string {
	var out []string
	for _, d := range list {
		out = append(out, string(d))
	}
	return strings.Join(out, ",")
}

func showTemplates(w io.Writer, all []pool.Template) {
	_, _ = fmt.Fprintln(w, "NAME\tDRIVERS\tCORES\tMEMORY\tDISK\tPLACE\tTAGS\tIMAGE")
	for _, t := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", t.Name, driverNames(t.Wants()), t.Cores, pool.Bytes(t.Memory), pool.Bytes(t.Disk),
			dash(strings.Trim(t.Zone+"/"+t.Rack, "/")), dash(strings.Join(t.Tags, ",")), dash(t.Image))
	}
}

func (a *app) readYAML(path string, into any) error {
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	d := yaml.NewDecoder(in)
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: read %s: %v", pool.ErrInvalid, path, err)
	}
	return nil
}

func readLines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		if l := strings.TrimSpace(s.Text()); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out, s.Err()
}

func (a *app) imageCmd() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List the disk images", Example: "  appliance image list", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Image, error) { return c.Images(ctx) }, showImages)
		},
	}
	return group("image", "Disk images", list, a.imageImportCmd(), a.imageBuildCmd())
}

func showImages(w io.Writer, all []pool.Image) {
	if len(all) == 0 {
		_, _ = fmt.Fprintln(w, "No images yet. Build one: appliance image build")
		return
	}
	_, _ = fmt.Fprintln(w, "NAME\tARCH\tDISK\tSTORED\tDIGEST\tIMPORTED")
	for _, i := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.19s\t%s\n", i.Name, i.Arch, pool.Bytes(uint64(i.Size)), pool.Bytes(uint64(i.Stored)), i.Digest, i.CreatedAt.Local().Format(time.DateTime))
	}
}

func (a *app) imageImportCmd() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Put a raw disk image into the library",
		Example: "  appliance image import debian-12.raw --name debian-12",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			return a.importImage(cmd, args[0], name)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` in the library; the file's when not given")
	return cmd
}

func (a *app) importImage(cmd *cobra.Command, path, name string) error {
	return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Image, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		in, done := a.progress(f, info.Size(), "upload "+name)
		defer done()
		im, err := c.UploadImage(ctx, name, in, info.Size())
		return []pool.Image{im}, err
	}, showImages)
}

// progress shows how much of r was read, when somebody is looking.
func (a *app) progress(r io.Reader, size int64, what string) (io.Reader, func()) {
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return r, func() {}
	}
	p := mpb.New(mpb.WithOutput(f))
	bar := p.AddBar(size, mpb.PrependDecorators(decor.Name(what+" ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
	return bar.ProxyReader(r), func() { bar.Abort(false); p.Wait() }
}

func (a *app) imageBuildCmd() *cobra.Command {
	var o debian.Options
	var name string
	var keep bool
	cmd := &cobra.Command{
		Use: "build", Short: "Build the Debian 12 image on this host and import it",
		Long: "build puts a Debian 12 disk image together (UEFI and, for amd64, BIOS; no loop device, no mount)\n" +
			"from the mirrors that this host's apt uses, and imports it. It must run as root.",
		Example: "  appliance image build\n  appliance image build --out debian-12.raw --no-import\n  appliance image build --arch arm64 --name debian-12-arm64",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Out == "" {
				dir, err := os.MkdirTemp("", "appliance-image-*")
				if err != nil {
					return err
				}
				defer func() { _ = os.RemoveAll(dir) }()
				o.Out = filepath.Join(dir, name+".raw")
			}
			o.Log = slog.New(slog.DiscardHandler)
			o.Stage = func(s string) {
				_, _ = fmt.Fprintf(a.stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), s)
			}
			if _, err := debian.Build(cmd.Context(), o); err != nil {
				return err
			}
			if keep {
				_, _ = fmt.Fprintln(a.stdout, o.Out)
				return nil
			}
			if err := a.importImage(cmd, o.Out, name); err != nil {
				return err
			}
			return a.keepStatus(o.Out+".status", name)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "debian-12", "`NAME` in the library")
	f.StringVar(&o.Out, "out", "", "keep the raw image as `FILE`")
	f.BoolVar(&keep, "no-import", false, "only build, do not import")
	f.StringVar((*string)(&o.Arch), "arch", "amd64", "`ARCH` of the machines: amd64, or arm64 (built with QEMU's user emulation)")
	f.StringVar(&o.Kernel, "kernel", "generic", "`KIND` of kernel: generic, or cloud for virtual machines")
	f.StringVar(&o.CacheDir, "cache", "/var/cache/appliance", "keep what a next build can use in `FOLDER`")
	f.BoolVar(&o.Install, "install", false, "install missing build tools with apt-get")
	return cmd
}

// keepStatus puts the image's package list where "package mirror" finds it.
func (a *app) keepStatus(path, name string) error {
	c, err := loadConfig(first(a.getenv("APPLIANCE_CONFIG"), defaultConfig))
	if err != nil {
		_, _ = fmt.Fprintf(a.stderr, "note: the package list %s is not kept, as there is no %s here; give it to: appliance package mirror --status\n", path, defaultConfig)
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("keep package list: %v", err)
	}
	dir := filepath.Join(c.Data, "images")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep package list: %v", err)
	}
	return os.WriteFile(filepath.Join(dir, name+".status"), b, 0o644)
}

func (a *app) packageCmd() *cobra.Command {
	var o debian.MirrorOptions
	var image string
	mirror := &cobra.Command{
		Use: "mirror RECIPE…", Short: "Fill the appliance's package repository with what recipes install",
		Long: "mirror computes what a recipe's packages need beside what the image holds, downloads it\n" +
			"from the mirrors that this host's apt uses, and serves it to machines, which use only it.\n" +
			"RECIPE is a shipped recipe's name or a folder.",
		Example: "  appliance package mirror mysql\n  appliance package mirror ./my-recipe --image debian-12",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, arg := range args {
				names, err := packagesOf(arg)
				if err != nil {
					return err
				}
				o.Packages = append(o.Packages, names...)
			}
			if o.Dir == "" || o.ImageStatus == "" {
				c, err := loadConfig(first(a.getenv("APPLIANCE_CONFIG"), defaultConfig))
				if err != nil {
					return fmt.Errorf("find the data folder: %w; or give --dir and --status", err)
				}
				o.Dir = first(o.Dir, c.packages())
				o.ImageStatus = first(o.ImageStatus, filepath.Join(c.Data, "images", first(image, c.Image)+".status"))
			}
			o.Log = slog.New(slog.NewTextHandler(a.stderr, nil))
			report, err := debian.Mirror(cmd.Context(), o)
			if err != nil {
				return err
			}
			return print(a, report, func(w io.Writer, r debian.MirrorResult) {
				_, _ = fmt.Fprintf(w, "%d packages of %s in %s; %d fetched now\n", r.Packages, pool.Bytes(uint64(r.Bytes)), o.Dir, r.Fetched)
			})
		},
	}
	mirror.Flags().StringVar(&o.Dir, "dir", "", "`FOLDER` of the repository; the appliance's when not given")
	mirror.Flags().StringVar(&o.ImageStatus, "status", "", "package list `FILE` of the image; the appliance's when not given")
	mirror.Flags().StringVar(&image, "image", "", "`NAME` of the image to compute against")
	return group("package", "The package repository for machines without internet", mirror)
}

func packagesOf(arg string) ([]string, error) {
	r, err := loadRecipe(arg)
	if err != nil {
		return nil, err
	}
	names := r.Packages
	for _, s := range r.Services {
		names = append(names, s.Packages...)
	}
	return names, nil
}

// loadRecipe loads a folder or a shipped recipe, which may extend another.
func loadRecipe(arg string) (r *recipes.Recipe, err error) {
	if info, serr := os.Stat(arg); serr == nil && info.IsDir() {
		r, err = recipes.LoadDir(arg, recipes.Options{Library: shipped.FS()})
	} else if _, err = recipeFS(arg); err == nil {
		r, err = recipes.Load(shipped.FS(), recipes.Options{Dir: arg})
	} else {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("load recipe %s: %w: %v", arg, pool.ErrInvalid, err)
	}
	return r, nil
}

// recipeFS opens a shipped recipe by name, or a folder.
func recipeFS(arg string) (fs.FS, error) {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		return os.DirFS(arg), nil
	}
	if sub, err := fs.Sub(shipped.FS(), arg); err == nil {
		if _, err := fs.Stat(sub, "."); err == nil {
			return sub, nil
		}
	}
	text := fmt.Sprintf("no recipe is called %q; shipped: %s", arg, strings.Join(shipped.Names(), ", "))
	return nil, fmt.Errorf("%w: %s", pool.ErrNotFound, text)
}

func (a *app) tokenCmd() *cobra.Command {
	var r wire.TokenRequest
	var role string
	var days int
	create := &cobra.Command{
		Use: "create NAME", Short: "Make an API token; it is shown this once", Example: "  appliance token create ci --role operator --days 90",
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Name, r.Role = args[0], pool.Role(role)
			if days > 0 {
				r.Expires = time.Now().Add(time.Duration(days) * 24 * time.Hour)
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Token, error) { return c.CreateToken(ctx, r) },
				func(w io.Writer, t wire.Token) { _, _ = fmt.Fprintln(w, t.Token) })
		},
	}
	create.Flags().StringVar(&role, "role", "viewer", "`ROLE`: viewer, operator or admin")
	create.Flags().IntVar(&days, "days", 0, "it ends after `N` days; 0: never")
	list := &cobra.Command{
		Use: "list", Short: "List the API tokens", Example: "  appliance token list", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.APIToken, error) { return c.Tokens(ctx) },
				func(w io.Writer, all []pool.APIToken) {
					_, _ = fmt.Fprintln(w, "NAME\tROLE\tCREATED\tEXPIRES")
					for _, t := range all {
						exp := "never"
						if !t.Expires.IsZero() {
							exp = t.Expires.Local().Format(time.DateTime)
						}
						_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, t.Role, t.Created.Local().Format(time.DateTime), exp)
					}
				})
		},
	}
	del := &cobra.Command{
		Use: "delete NAME", Short: "Take a token back", Example: "  appliance token delete ci", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return c.DeleteToken(cmd.Context(), args[0])
		},
	}
	return group("token", "API tokens", list, create, del)
}

// versions is what "appliance version" answers; Server is nil when none answers.
type versions struct {
	Client string        `json:"client"`
	Server *wire.Version `json:"server,omitempty"`
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is, and what the appliance runs", Example: "  appliance version -o json",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versions{Client: version}
			if c, err := a.client(); err == nil {
				defer c.Close()
				ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
				defer cancel()
				if s, err := c.Version(ctx); err == nil {
					v.Server = &s
				}
			} else if !errors.Is(err, errNoAppliance) {
				return err
			}
			return print(a, v, func(w io.Writer, v versions) {
				_, _ = fmt.Fprintf(w, "appliance\t%s\nprotocol\t%s\n", v.Client, wire.Protocol)
				if v.Server != nil {
					_, _ = fmt.Fprintf(w, "server\t%s, kit %s, schema %d, up since %s\n", v.Server.Version, v.Server.Kit, v.Server.Schema, v.Server.Started.Local().Format(time.DateTime))
				}
			})
		},
	}
}
