package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"appliance/dhcp"
	"appliance/images/debian"
	"appliance/images/kit"
	"appliance/pool"
)

func (a *app) configCmd() *cobra.Command {
	initCmd := &cobra.Command{
		Use: "init", Short: "Write a commented configuration for this host to standard output",
		Example: "  appliance config init > /etc/appliance/appliance.yaml",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(a.stdout, suggestConfig())
			return err
		},
	}
	return group("config", "The configuration file", initCmd)
}

const unit = `[Unit]
Description=appliance: bare-metal provisioning and services
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/local/bin/appliance serve --config %s
Restart=always
RestartSec=2
LimitNOFILE=65536
ProtectHome=true
PrivateTmp=true

[Install]
WantedBy=multi-user.target
`

func (a *app) installCmd() *cobra.Command {
	var path string
	var now bool
	cmd := &cobra.Command{
		Use: "install", Short: "Install this binary as a systemd service",
		Long: "install copies this binary to /usr/local/bin, writes a configuration if there is none,\n" +
			"and a systemd unit. It must run as root.",
		Example: "  appliance install\n  appliance install --now",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.install(cmd.Context(), path, now)
		},
	}
	cmd.Flags().StringVar(&path, "config", defaultConfig, "configuration `FILE`")
	cmd.Flags().BoolVar(&now, "now", false, "also start it")
	return cmd
}

func (a *app) install(ctx context.Context, path string, now bool) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: only root can install; try: sudo appliance install", pool.ErrInvalid)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := copyFile(self, "/usr/local/bin/appliance", 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(suggestConfig())
		err = errors.Join(err, f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write configuration: %v", err)
	}
	if err := os.WriteFile("/etc/systemd/system/appliance.service", fmt.Appendf(nil, unit, path), 0o644); err != nil {
		return fmt.Errorf("write unit: %v", err)
	}
	_, _ = fmt.Fprintf(a.stdout, "installed: /usr/local/bin/appliance, %s, appliance.service\n", path)
	steps := [][]string{{"systemctl", "daemon-reload"}, {"systemctl", "enable", "appliance"}}
	if now {
		steps = append(steps, []string{"systemctl", "restart", "appliance"})
	}
	for _, s := range steps {
		if out, err := exec.CommandContext(ctx, s[0], s[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s: %v: %s; start it by hand: appliance serve --config %s", pool.ErrUnavailable, strings.Join(s, " "), err, strings.TrimSpace(string(out)), path)
		}
	}
	if !now {
		_, _ = fmt.Fprintf(a.stdout, "next: look at %s, then: appliance doctor; systemctl start appliance\n", path)
	}
	return nil
}

// copyFile replaces to by a copy of from, at once.
func copyFile(from, to string, mode fs.FileMode) error {
	if same, err := filepath.EvalSymlinks(from); err == nil && same == to {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("copy %s: %v", from, err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("copy %s to %s: %v", from, to, err)
	}
	return errors.Join(os.Rename(to+".new", to), syncDir(filepath.Dir(to)))
}

// finding is one answer of the doctor.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Do    string `json:"do,omitempty"`
}

func (a *app) doctorCmd() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Can an appliance serve here? Ports, address, another DHCP server, space, tools",
		Long:    "doctor changes nothing. It exits with 1 when something stands in the way.",
		Example: "  appliance doctor\n  appliance doctor --config ./appliance.yaml -o json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			all := diagnose(cmd.Context(), c)
			err = print(a, all, showFindings)
			for _, f := range all {
				if !f.OK {
					return errors.Join(err, fmt.Errorf("%w: an appliance cannot serve here yet", pool.ErrUnavailable))
				}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", first(a.getenv("APPLIANCE_CONFIG"), defaultConfig), "configuration `FILE`")
	cmd.AddCommand(a.doctorNetworkCmd())
	return cmd
}

// minSpace is what database, images and packages of a small site need.
const minSpace = 4 << 30

func diagnose(ctx context.Context, c config) []finding {
	var out []finding
	add := func(check string, ok bool, found, do string) {
		if ok {
			do = ""
		}
		out = append(out, finding{check, ok, found, do})
	}
	add("root", os.Geteuid() == 0, fmt.Sprintf("user %d", os.Geteuid()), "run as root: DHCP and TFTP use ports below 1024")
	m, err := kit.ReadManifest()
	add("boot kit", err == nil, first(m.Kernel, errText(err)), "build the binary with make build")
	addr, err := interfaceAddr(c.Interface, prefixes(c.Subnets, netip.Addr.Is4))
	add("interface", err == nil, c.Interface+" "+addr.String()+" "+errText(err), "give the interface an address in the subnet, or change the configuration")
	for _, p := range []struct{ network, addr, use string }{
		{"tcp", c.Listen.HTTPS, "HTTPS (console, API, agents)"}, {"tcp", c.Listen.HTTP, "HTTP (boot files)"},
		{"tcp", c.Listen.BootHTTPS, "HTTPS (boot files for firmware)"},
		{"udp4", ":67", "DHCP"}, {"udp4", netip.AddrPortFrom(addr, 69).String(), "TFTP"},
	} {
		if p.addr == "off" {
			continue
		}
		err := tryPort(ctx, p.network, p.addr)
		add("port "+p.addr+" "+p.network, err == nil, first(errText(err), "free for "+p.use), "find who uses it: ss -lunpt; if it is an appliance that runs, all is well")
	}
	if err == nil {
		out = append(out, otherDHCP(ctx, c, addr))
	}
	out = append(out, checkNeighbours(neighbourLimit(), mayNeighbour(c.Subnets)))
	free, err := freeSpace(c.Data)
	add("space in "+c.Data, err == nil && free >= minSpace, pool.Bytes(free)+" free "+errText(err), "make room: images and packages need some GiB")
	missing := debian.MissingTools()
	add("tools for image build", len(missing) == 0, first(strings.Join(missing, " "), "all there"), "apt-get install "+strings.Join(missing, " "))
	return out
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func tryPort(ctx context.Context, network, addr string) error {
	var lc net.ListenConfig
	if network == "tcp" {
		l, err := lc.Listen(ctx, network, addr)
		if err != nil {
			return err
		}
		return l.Close()
	}
	l, err := lc.ListenPacket(ctx, network, addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// otherDHCP asks the wire who else hands out addresses.
func otherDHCP(ctx context.Context, c config, addr netip.Addr) finding {
	f := finding{Check: "another DHCP server", OK: true, Found: "none answered in 4 seconds"}
	all, err := dhcp.Look(ctx, c.Interface, addr, 4*time.Second)
	if err != nil {
		f.OK, f.Found = false, "cannot look: "+err.Error()
		return f
	}
	for _, other := range all {
		f.OK, f.Found, f.Do = false, other.String()+" answers here",
			"switch it off on this network, give the rack a network of its own, or leave the addresses to it (subnet mode: proxy)"
	}
	return f
}

func freeSpace(dir string) (uint64, error) {
	for {
		var st syscall.Statfs_t
		err := syscall.Statfs(dir, &st)
		if err == nil {
			return st.Bavail * uint64(st.Bsize), nil
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == "/" {
			return 0, err
		}
		dir = filepath.Dir(dir)
	}
}
