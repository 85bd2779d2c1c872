package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func (a *app) hostCmd() *cobra.Command {
	return group("host", "Hosts that already run: adopted over SSH, never imaged, never wiped", a.hostAddCmd(), a.hostListCmd(), a.hostShowCmd(), a.hostRemoveCmd())
}

// hostFile is what --file reads: a node list as those have it who bring their
// own nodes, in YAML.
type hostFile struct {
	Template string          `yaml:"template"`
	Nodes    []hostFileNodes `yaml:"nodesList"`
	Zone     string          `yaml:"zone"`
	Rack     string          `yaml:"rack"`
	Tags     []string        `yaml:"tags"`
	User     string          `yaml:"username"`
	Password string          `yaml:"password"`
	KeyFile  string          `yaml:"keyFile"`
}

type hostFileNodes struct {
	ID       string `yaml:"id"`
	List     string `yaml:"host-list"`
	Range    string `yaml:"host-range"`
	User     string `yaml:"username"`
	Password string `yaml:"credential"`
	KeyFile  string `yaml:"keyFile"`
	Port     int    `yaml:"port"`
}

type hostFlags struct {
	list, span, id, file, user, keyFile, passwordFile string
	port                                              int
	wait                                              bool
	timeout                                           time.Duration
}

func (a *app) hostAddCmd() *cobra.Command {
	var f hostFlags
	var r wire.HostsRequest
	cmd := &cobra.Command{
		Use: "add [localhost]", Short: "Bring hosts that already run into the pool",
		Long: "add reaches each host over SSH, pins its host key and shows it, and looks at what it is. It\n" +
			"writes nothing: an agent is put there when a service takes the host, and removed when it\n" +
			"gives it back. The partition tables of its disks are never written to.\n\n" +
			"Hosts are named by a list, a range or a CIDR prefix; {0} in --id becomes a counter from 1.\n" +
			"Passwords and keys are read from files, never from the command line, and kept sealed.\n" +
			"--file reads a node list in YAML: template, username, keyFile or password, and nodesList with\n" +
			"id, host-list or host-range, username, credential, keyFile. A node's key goes before its\n" +
			"credential, and both before the template's. It also reads a cloud or template descriptor in\n" +
			"Groovy (NAME-cloud.groovy, NAME-template.groovy) with custom.nodesList.\n\n" +
			"\"host add localhost\" brings the appliance's own host, without SSH: with \"appliance serve\n" +
			"--no-netboot\" that is a whole engine on a laptop.",
		Example: "  appliance host add --list web1,web2 --user root --key ~/.ssh/id_ed25519\n" +
			"  appliance host add --range 10.0.0.10-10.0.0.19 --id node{0} --user admin --password-file pw\n" +
			"  appliance host add --range 10.0.0.12/30 --id node{0} --user root --key k --template host\n" +
			"  appliance host add --file nodes.yaml\n  appliance host add localhost",
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.hostsRequest(&r, f, args); err != nil {
				return err
			}
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Host, error) {
				hosts, err := c.AddHosts(ctx, r)
				if err != nil || !f.wait {
					return hosts, err
				}
				return a.awaitHosts(ctx, c, hosts, f.timeout)
			}, showHosts)
		},
	}
	g := cmd.Flags()
	g.StringVar(&f.list, "list", "", "`HOSTS`: addresses or names, separated by commas")
	g.StringVar(&f.span, "range", "", "`RANGE`: FIRST-LAST or a CIDR prefix")
	g.StringVar(&f.id, "id", "host{0}", "`NAME` of the hosts; {0} becomes a counter")
	g.StringVar(&f.file, "file", "", "node list in `FILE` (YAML, or a descriptor in Groovy)")
	g.StringVar(&f.user, "user", "", "log in as `USER`")
	g.StringVar(&f.keyFile, "key", "", "private key in `FILE`, without a passphrase")
	g.StringVar(&f.passwordFile, "password-file", "", "read the password from `FILE`")
	g.IntVar(&f.port, "port", 0, "`PORT` of the SSH servers; 22 when not given")
	g.StringVar(&r.Template, "template", "", "serve this compute `TEMPLATE` only")
	g.StringVar(&r.Zone, "zone", "", "`ZONE` where they stand")
	g.StringVar(&r.Rack, "rack", "", "`RACK` where they stand")
	g.StringSliceVar(&r.Tags, "tag", nil, "`TAG` them; may be given several times")
	g.BoolVar(&f.wait, "wait", true, "wait until each host is FREE or INVALID")
	g.DurationVar(&f.timeout, "timeout", 3*time.Minute, "stop waiting after this `TIME`")
	return cmd
}

// hostsRequest puts together what was asked for by flags or in a file.
func (a *app) hostsRequest(r *wire.HostsRequest, f hostFlags, args []string) error {
	named := f.list != "" || f.span != "" || f.file != ""
	if len(args) == 1 {
		if args[0] != "localhost" || named {
			return fmt.Errorf("%w: name hosts with --list, --range or --file; only localhost is named alone", errUsage)
		}
		r.Local = true
		return nil
	}
	if !named {
		return fmt.Errorf("%w: name hosts with --list, --range or --file, or localhost", errUsage)
	}
	r.User, r.Port = f.user, f.port
	var err error
	if r.Key, err = readSecretFile(f.keyFile); err != nil {
		return err
	}
	if r.Password, err = readSecretFile(f.passwordFile); err != nil {
		return err
	}
	r.Password = strings.TrimRight(r.Password, "\r\n")
	if f.list != "" || f.span != "" {
		r.Nodes = append(r.Nodes, wire.HostNodes{ID: f.id, List: f.list, Range: f.span})
	}
	if f.file == "" {
		return nil
	}
	if filepath.Ext(f.file) == ".groovy" {
		return readHostGroovy(r, f.file)
	}
	return a.readHostFile(r, f.file)
}

func (a *app) readHostFile(r *wire.HostsRequest, path string) error {
	var file hostFile
	if err := a.readYAML(path, &file); err != nil {
		return err
	}
	if len(file.Nodes) == 0 {
		return fmt.Errorf("%w: %s: Nodes list not set", pool.ErrInvalid, path)
	}
	r.Template, r.Zone, r.Rack = first(r.Template, file.Template), first(r.Zone, file.Zone), first(r.Rack, file.Rack)
	r.Tags = append(r.Tags, file.Tags...)
	r.User, r.Password = first(r.User, file.User), first(r.Password, file.Password)
	key, err := readSecretFile(file.KeyFile)
	if err != nil {
		return err
	}
	r.Key = first(r.Key, key)
	for _, n := range file.Nodes {
		key, err := readSecretFile(n.KeyFile)
		if err != nil {
			return err
		}
		r.Nodes = append(r.Nodes, wire.HostNodes{ID: n.ID, List: n.List, Range: n.Range,
			HostLogin: wire.HostLogin{User: n.User, Password: n.Password, Key: key, Port: n.Port}})
	}
	return nil
}

// readSecretFile reads a key or a password; no file is no secret.
func readSecretFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w: The specified key file is missing/was not found: %v", pool.ErrInvalid, err)
	}
	return string(b), nil
}

// awaitHosts waits until each host has been looked at.
func (a *app) awaitHosts(ctx context.Context, c *client.Client, hosts []wire.Host, timeout time.Duration) ([]wire.Host, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out := make([]wire.Host, len(hosts))
	bad := 0
	for i, h := range hosts {
		for {
			now, err := c.Host(ctx, h.ID)
			if err != nil {
				return hosts, err
			}
			out[i] = now
			if now.State != "" {
				break
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return out, fmt.Errorf("%w: host %s is still being looked at; see: appliance host list", pool.ErrUnavailable, h.Name)
			}
		}
		if out[i].State == pool.HostInvalid {
			bad++
			_, _ = fmt.Fprintf(a.stderr, "%s is INVALID: %s\n", out[i].Name, out[i].Why)
		}
	}
	if bad == len(out) {
		return out, fmt.Errorf("%w: no host could be taken in", pool.ErrUnavailable)
	}
	return out, nil
}

func (a *app) hostListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the hosts: FREE, ALLOCATED, INVALID, TERMINATED", Example: "  appliance host list -o json", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.Host, error) { return c.Hosts(ctx) }, showHosts)
		},
	}
}

func showHosts(w io.Writer, all []wire.Host) {
	if len(all) == 0 {
		_, _ = fmt.Fprintln(w, "No hosts yet. Bring one that runs: appliance host add --list HOST --user USER --key FILE")
		return
	}
	_, _ = fmt.Fprintln(w, "NAME\tSTATE\tHOST\tUSER\tARCH\tCORES\tMEMORY\tTEMPLATE\tSERVICE\tHOST KEY")
	for _, h := range all {
		state := string(h.State)
		if state == "" {
			state = "checking"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", h.Name, state, first(h.Host, "(own host)"), dash(h.User), dash(string(h.Arch)),
			h.Cores, pool.Bytes(h.Memory), dash(h.Template), dash(h.Service), dash(h.HostKey))
	}
}

func (a *app) hostShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "One host: its state and why, its pinned key", Example: "  appliance host show host1", Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Host, error) { return c.Host(ctx, args[0]) }, showHost)
		},
	}
}

func showHost(w io.Writer, h wire.Host) {
	showHosts(w, []wire.Host{h})
	for _, l := range [][2]string{{"kernel", h.System}, {"agent", h.Agent}, {"zone", h.Zone}, {"rack", h.Rack}, {"tags", strings.Join(h.Tags, ", ")}, {"why", h.Why}} {
		if l[1] != "" {
			_, _ = fmt.Fprintf(w, "\n%s\t%s", l[0], l[1])
		}
	}
	_, _ = fmt.Fprintln(w)
}

func (a *app) hostRemoveCmd() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Take a host out of the pool; its login is forgotten", Example: "  appliance host remove host1", Args: usageArgs(cobra.ExactArgs(1)),
		Long: "remove refuses a host that is allocated to a service. What ran on the host otherwise goes on:\n" +
			"the appliance put nothing there but its agent, which was removed when the service gave it back.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) (wire.Host, error) { return c.RemoveHost(ctx, args[0]) }, showHost)
		},
	}
}
