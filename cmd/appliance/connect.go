package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"golang.org/x/term"

	"appliance/api/client"
	"appliance/pool"
)

var errNoAppliance = errors.New("no appliance answers")

// connection says how to reach the appliance: flags, then environment, then
// what login saved, then, for root on its own host, its data folder.
type connection struct{ url, tokenFile, caFile string }

// saved is what login keeps.
type saved struct {
	URL   string `yaml:"url"`
	Token string `yaml:"token"`
	CA    string `yaml:"ca"` // PEM
}

func (a *app) savedPath() (string, error) {
	if p := a.getenv("APPLIANCE_LOGIN"); p != "" {
		return p, nil
	}
	dir := a.getenv("XDG_CONFIG_HOME")
	if dir == "" {
		home := a.getenv("HOME")
		if home == "" {
			return "", fmt.Errorf("%w: neither HOME nor XDG_CONFIG_HOME is set", pool.ErrInvalid)
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "appliance", "login.yaml"), nil
}

// client returns a client for the appliance.
func (a *app) client() (*client.Client, error) {
	o := client.Options{URL: first(a.conn.url, a.getenv("APPLIANCE_URL")), Token: a.getenv("APPLIANCE_TOKEN"),
		CAFile: first(a.conn.caFile, a.getenv("APPLIANCE_CA"))}
	if a.conn.tokenFile != "" {
		b, err := os.ReadFile(a.conn.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read token: %v", err)
		}
		o.Token = strings.TrimSpace(string(b))
	}
	a.fillSaved(&o)
	a.fillLocal(&o)
	if o.URL == "" {
		return nil, fmt.Errorf("%w: no address is known", errNoAppliance)
	}
	return client.New(o)
}

func (a *app) fillSaved(o *client.Options) {
	path, err := a.savedPath()
	if err != nil {
		return
	}
	b, err := os.ReadFile(path)
	var s saved
	if err != nil || yaml.Unmarshal(b, &s) != nil || o.URL != "" && o.URL != s.URL {
		return
	}
	o.URL, o.Token = s.URL, first(o.Token, s.Token)
	if o.CAFile == "" {
		o.CAPEM = []byte(s.CA)
	}
}

// fillLocal uses the data folder of an appliance on this host, where the
// caller may read it.
func (a *app) fillLocal(o *client.Options) {
	c, err := loadConfig(first(a.getenv("APPLIANCE_CONFIG"), defaultConfig))
	if errors.Is(err, fs.ErrNotExist) { // a laptop's, if it ever served
		if c, err = a.withoutNetboot(c, err); err == nil {
			_, err = os.Stat(adminTokenPath(c.Data))
		}
	}
	if err != nil {
		return
	}
	own := "https://" + net.JoinHostPort(first(listenHost(c.Listen.HTTPS), "localhost"), strconv.Itoa(int(port(c.Listen.HTTPS))))
	if o.URL == "" {
		o.URL = own
	}
	if o.URL != own && !strings.HasPrefix(o.URL, "https://localhost:") {
		return
	}
	if o.Token == "" {
		if b, err := os.ReadFile(adminTokenPath(c.Data)); err == nil {
			o.Token = strings.TrimSpace(string(b))
		}
	}
	if ca := filepath.Join(c.Data, "ca", "ca.pem"); o.CAFile == "" && len(o.CAPEM) == 0 {
		if _, err := os.Stat(ca); err == nil {
			o.CAFile = ca
		}
	}
}

// listenHost returns the host of a listen address; empty for one that means
// every address of this host.
func listenHost(listen string) string {
	host, _, err := net.SplitHostPort(listen)
	if ip, bad := netip.ParseAddr(host); err != nil || bad == nil && ip.IsUnspecified() {
		return ""
	}
	return host
}

// port returns the port of a listen address such as ":8443".
func port(listen string) uint16 {
	_, text, err := net.SplitHostPort(listen)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// adminTokenPath is where serve puts the first token: readable by root only.
func adminTokenPath(data string) string { return filepath.Join(data, "admin.token") }

func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

// call connects, asks, and writes the answer as JSON or as the table that show writes.
func call[T any](a *app, cmd *cobra.Command, ask func(context.Context, *client.Client) (T, error), show func(io.Writer, T)) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	v, err := ask(cmd.Context(), c)
	if err != nil {
		return err
	}
	return print(a, v, show)
}

// print writes v as JSON or by show, aligned at tabs.
func print[T any](a *app, v T, show func(io.Writer, T)) error {
	if a.output == "json" {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	show(w, v)
	return w.Flush()
}

func (a *app) loginCmd() *cobra.Command {
	var print string
	cmd := &cobra.Command{
		Use:   "login URL",
		Short: "Keep an appliance's address, CA and token for later commands",
		Long: "login reads an API token from standard input and keeps it with the appliance's\n" +
			"address and CA certificate, readable by you only.",
		Example: "  appliance login https://10.77.0.1:8443 --fingerprint 3f:9a:… < token\n  appliance login https://10.77.0.1:8443",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.login(cmd.Context(), args[0], print)
		},
	}
	cmd.Flags().StringVar(&print, "fingerprint", "", "SHA-256 `FINGERPRINT` of the appliance's CA, as serve printed it")
	return cmd
}

// secretLine reads a line, and where somebody types it does not show it.
func (a *app) secretLine(in *bufio.Reader) (string, error) {
	if f, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b, err := term.ReadPassword(int(f.Fd()))
		return string(b), err
	}
	return in.ReadString('\n')
}

// secretText reads all of standard input; where somebody types it, a line. One
// end of line is not part of it.
func (a *app) secretText() (string, error) {
	if f, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return a.secretLine(nil)
	}
	b, err := io.ReadAll(io.LimitReader(a.stdin, 2<<20)) // more than the API takes
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), err
}

func (a *app) login(ctx context.Context, url, print string) error {
	ca, got, err := client.FetchCA(ctx, url, print)
	if err != nil {
		return err
	}
	in := bufio.NewReader(a.stdin)
	if print == "" {
		_, _ = fmt.Fprintf(a.stderr, "The appliance's CA has the fingerprint\n  %s\nIs it the one that serve printed? [y/N] ", got)
		if line, _ := in.ReadString('\n'); !strings.HasPrefix(strings.ToLower(line), "y") {
			return fmt.Errorf("%w: the fingerprint was not confirmed", pool.ErrInvalid)
		}
	}
	_, _ = fmt.Fprint(a.stderr, "API token: ")
	line, err := a.secretLine(in)
	token := strings.TrimSpace(line)
	if token == "" {
		return fmt.Errorf("%w: no token was given (%v)", pool.ErrInvalid, err)
	}
	c, err := client.New(client.Options{URL: url, Token: token, CAPEM: ca})
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Session(ctx)
	if err != nil {
		return err
	}
	path, err := a.savedPath()
	if err != nil {
		return err
	}
	b, err := yaml.Marshal(saved{URL: url, Token: token, CA: string(ca)})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep login: %v", err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("keep login: %v", err)
	}
	_, _ = fmt.Fprintf(a.stderr, "\nLogged in at %s as %s (%s).\n", url, s.Name, s.Role)
	return nil
}
