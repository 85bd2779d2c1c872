package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"appliance/api"
	"appliance/dhcp"
	"appliance/dns"
	"appliance/images"
	"appliance/images/kit"
	"appliance/ipmi"
	"appliance/orchestrator"
	"appliance/pool"
	"appliance/store"
	"appliance/ui"
)

const noConfig = `%s does not exist: an appliance has to be told which network it serves.

  appliance config init > %s   write a commented one for this host
  appliance doctor              ask whether it can serve there
  appliance serve               serve
`

func (a *app) serveCmd() *cobra.Command {
	var path, level string
	var noNetboot bool
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the appliance: DHCP, TFTP, HTTP, API, console, engine",
		Long: "serve runs until it is interrupted. At its first start it makes an admin token, and says\n" +
			"where it is and which fingerprint the appliance's CA has.\n\n" +
			"With --no-netboot it serves no DHCP, TFTP and HTTP boot, and needs neither root nor a\n" +
			"configuration: hosts are brought with \"appliance host add\". Without a configuration its data\n" +
			"are in ~/.local/share/appliance.",
		Example: "  appliance serve\n  appliance serve --config ./appliance.yaml --log debug\n  appliance serve --no-netboot",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(path)
			if noNetboot && (err == nil || errors.Is(err, fs.ErrNotExist)) {
				c, err = a.withoutNetboot(c, err)
			}
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w: "+strings.TrimSuffix(noConfig, "\n"), errUsage, path, path)
			}
			if err != nil {
				return err
			}
			var l slog.Level
			if err := l.UnmarshalText([]byte(level)); err != nil {
				return fmt.Errorf("%w: log level %q: want debug, info, warn or error", errUsage, level)
			}
			log := slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: l}))
			return a.serve(cmd.Context(), c, log)
		},
	}
	cmd.Flags().StringVar(&path, "config", first(a.getenv("APPLIANCE_CONFIG"), defaultConfig), "configuration `FILE`")
	cmd.Flags().BoolVar(&noNetboot, "no-netboot", false, "serve no DHCP, TFTP and HTTP boot: only hosts and virtual machines")
	cmd.Flags().StringVar(&level, "log", "info", "log `LEVEL`: debug, info, warn or error")
	return cmd
}

// gcPercent lets the heap grow to three times of what lives in it, not twice,
// before the garbage collector runs: it took a fifth of what a step costs
// (docs/FIGURES.md). GOGC in the environment is obeyed instead.
const gcPercent = 200

// appliance is everything that serve runs, wired together.
type appliance struct {
	config  config
	log     *slog.Logger
	addr    netip.Addr // of the rack's interface
	addr6   netip.Addr // its IPv6 address, where an IPv6 subnet is served
	db      *store.DB
	ca      *api.CA
	fwCA    *api.CA // of boot files by HTTPS; nil: there is none
	engine  *orchestrator.Engine
	boots   *bootLog
	api     *api.Server
	dir     *directory
	states  *images.States
	dhcp    *dhcp.Server
	net     *network
	paths   *images.Paths
	metrics *metrics
	made    *hypervisors // by a recipe
}

// serve opens everything, so that what cannot work fails at once, and runs it
// until ctx ends.
func (a *app) serve(ctx context.Context, c config, log *slog.Logger) (err error) {
	if a.getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	key, err := sealKey(c.Data, rand.Read)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{Dir: c.Data, Key: key, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &appliance{config: c, log: log, db: db}
	if err := s.wire(); err != nil {
		return err
	}
	if err := s.shipRecipes(ctx); err != nil {
		return err
	}
	if err := s.firstToken(ctx, a); err != nil {
		return err
	}
	listeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	return s.run(ctx, listeners)
}

// wire makes the parts and connects them.
func (s *appliance) wire() error {
	c := s.config
	if err := s.identity(); err != nil {
		return err
	}
	feed := &api.Feed{}
	s.states, s.made = &images.States{}, &hypervisors{rows: s.db, log: s.log}
	s.engine = &orchestrator.Engine{
		Store: feedLogs{s.db, feed, s.states}, BMC: power{&ipmi.Controller{Log: s.log}, s.vms()}, Compute: s.drivers(),
		Rules: c.rules(), Image: c.Image, SSHKeys: c.SSHKeys, Log: s.log,
		Probe: probe, Links: downLink(c), Return: c.Healing.Return,
	}
	if c.DNS.Zone != "" {
		s.engine.NameTime = dns.DefaultTTL + namesEvery
	}
	s.states.Read = s.engine.BootState
	s.boots = &bootLog{db: s.db, engine: s.engine, states: s.states, feed: feed, log: s.log, queue: make(chan pool.BootEvent, 4096)}
	s.paths = &images.Paths{Store: s.db, Facts: s.boots.factsOf, Log: s.log}
	if err := s.paths.Load(context.Background()); err != nil {
		return err
	}
	s.metrics = newMetrics()
	s.boots.paths, s.boots.metrics, s.engine.Boot = s.paths, s.metrics, s.boots.See
	s.dir = &directory{
		db: s.db, engine: s.engine, states: s.states, paths: s.paths, see: s.boots.See, site: s.siteOf(s.addr), server: s.url(), ca: s.ca.PEM(),
		subnets: func() []pool.Subnet { return nil },
	}
	if s.addr6.IsValid() {
		s.dir.site6 = s.siteOf(s.addr6)
		s.dir.server6 = "https://" + netip.AddrPortFrom(s.addr6, port(c.Listen.HTTPS)).String()
	}
	s.api = &api.Server{
		Store: s.db, Engine: s.engine, Agents: s.engine, Images: library(c.Data, s.db, s.log),
		CheckRecipe: checkRecipe, Differences: differences, CA: s.ca, URL: s.url(), Console: ui.Files(), Packages: rootedDir(c.packages()), Feed: feed,
		Version: version, Kit: kitVersion(), Interface: c.Interface, Started: time.Now(), Log: s.log,
	}
	s.api.Metrics = s.metrics.handler()
	if !c.netboot() {
		return nil
	}
	return s.wireNetboot(c)
}

// identity finds the appliance's addresses, and opens the CAs that vouch for
// them and for its names.
func (s *appliance) identity() (err error) {
	c := s.config
	s.addr = netip.MustParseAddr("127.0.0.1")
	if c.Interface != "" {
		addr, err := interfaceAddr(c.Interface, prefixes(c.Subnets, netip.Addr.Is4))
		switch {
		case err == nil:
			s.addr = addr
		case c.netboot():
			return err
		default:
			s.log.Warn("only this host reaches the appliance", "err", err)
		}
	}
	names := append([]string{"localhost", "127.0.0.1", "::1", s.addr.String(), listenHost(c.Listen.HTTPS)}, c.Names...)
	if six := prefixes(c.Subnets, netip.Addr.Is6); len(six) > 0 && c.netboot() {
		if s.addr6, err = interfaceAddr(c.Interface, six); err != nil {
			return err
		}
		names = append(names, s.addr6.String())
	}
	if h, err := os.Hostname(); err == nil {
		names = append(names, h)
	}
	if len(c.Hypervisors) > 0 {
		names = append(names, userModeAppliance)
	}
	if s.ca, err = api.OpenCA(filepath.Join(c.Data, "ca"), names...); err != nil {
		return err
	}
	if c.netboot() && port(c.Listen.BootHTTPS) != 0 {
		s.fwCA, err = api.OpenFirmwareCA(filepath.Join(c.Data, "ca"), names...)
	}
	return err
}

// wireNetboot adds what serves the network: DHCP and the subnets.
func (s *appliance) wireNetboot(c config) error {
	s.api.Paths = s.paths
	c.Subnets = withNames(c.Subnets, c.DNS, s.addr)
	if f := checkNeighbours(neighbourLimit(), mayNeighbour(c.Subnets)); f.Do != "" {
		s.log.Warn("the kernel's neighbour table is smaller than the subnets", "found", f.Found, "do", f.Do)
	}
	s.net = newNetwork(c, s.db, s.log)
	s.net.addr = s.addr
	reservations, err := s.db.Reservations(context.Background())
	if err != nil {
		return err
	}
	s.dhcp = &dhcp.Server{
		Subnets: c.Subnets, Reservations: reservations, Interface: c.Interface, Addr: s.addr, Addr6: s.addr6, Leases: s.db, Directory: s.dir,
		Log: s.log, Boot: s.boots.See, OnForeign: s.net.foreign, OnMode: s.net.mode,
	}
	s.net.dhcp, s.dir.subnets, s.api.Network = s.dhcp, s.net.Subnets, s.net
	s.dir.taken = s.dhcp.Taken
	return nil
}

func (s *appliance) siteOf(addr netip.Addr) images.Site {
	m, err := kit.ReadManifest()
	site := images.Site{TFTP: addr, HTTP: "http://" + netip.AddrPortFrom(addr, port(s.config.Listen.HTTP)).String(), ARM64: err == nil && m.ARM64 != nil}
	if p := port(s.config.Listen.BootHTTPS); p != 0 {
		site.HTTPS = "https://" + netip.AddrPortFrom(addr, p).String()
	}
	return site
}

// url is where agents and browsers reach the API.
func (s *appliance) url() string {
	if host := listenHost(s.config.Listen.HTTPS); host != "" {
		return "https://" + net.JoinHostPort(host, strconv.Itoa(int(port(s.config.Listen.HTTPS))))
	}
	return "https://" + netip.AddrPortFrom(s.addr, port(s.config.Listen.HTTPS)).String()
}

// rootedDir is a folder whose links do not lead out of it. It is opened anew
// each time: it may appear while the appliance serves.
type rootedDir string

// Open implements fs.FS.
func (d rootedDir) Open(name string) (fs.File, error) {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // what is open stays so
	return root.FS().Open(name)
}

func kitVersion() string {
	m, err := kit.ReadManifest()
	if err != nil {
		return err.Error()
	}
	return m.Kernel
}

// firstToken makes the first admin token and tells where it is. Its text goes
// into a file that only root reads, never into a log.
func (s *appliance) firstToken(ctx context.Context, a *app) error {
	path := adminTokenPath(s.config.Data)
	fresh, err := s.api.EnsureAdmin(ctx, func(token string) error {
		err := os.Remove(path) // one that nobody takes any more
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = keepNew(path, []byte(token+"\n"))
		}
		if err != nil {
			return fmt.Errorf("keep first admin token: %v", err)
		}
		return nil
	})
	if err != nil || !fresh {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "console      %s\nadmin token  in %s (readable by root only)\nCA           SHA-256 %s\n",
		s.api.URL, path, s.ca.Fingerprint())
	return err
}

// sockets are what serve listens on; all are open before anything runs.
type sockets struct {
	https, console, http net.Listener
	bootTLS              net.Listener // nil: no boot files by HTTPS
	names                *nameServer  // nil: no zone is configured
	dhcp, boot, tftp     *net.UDPConn
	tftp6                *net.UDPConn // nil: no IPv6 subnet is served
}

func (s *appliance) listen(ctx context.Context) (l sockets, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	var lc net.ListenConfig
	if l.https, err = lc.Listen(ctx, "tcp", s.config.Listen.HTTPS); err != nil {
		return l, inUse("listen for HTTPS", err)
	}
	if l.console, err = passedListener(); err != nil {
		return l, err
	}
	if l.names, err = s.openNames(ctx); err != nil {
		return l, err
	}
	if !s.config.netboot() {
		return l, nil
	}
	if _, err := kit.ReadManifest(); err != nil {
		return l, err
	}
	if l.http, err = lc.Listen(ctx, "tcp", s.config.Listen.HTTP); err != nil {
		return l, inUse("listen for HTTP boot", err)
	}
	if s.fwCA != nil {
		if l.bootTLS, err = lc.Listen(ctx, "tcp", s.config.Listen.BootHTTPS); err != nil {
			return l, inUse("listen for HTTPS boot", err)
		}
	}
	if l.dhcp, err = dhcp.Listen(ctx, s.config.Interface); err != nil {
		return l, inUse("listen for DHCP", err)
	}
	if l.boot, err = dhcp.ListenBoot(ctx, s.config.Interface); err != nil {
		return l, inUse("listen for proxyDHCP", err)
	}
	c, err := lc.ListenPacket(ctx, "udp4", netip.AddrPortFrom(s.addr, 69).String())
	if err != nil {
		return l, inUse("listen for TFTP", err)
	}
	l.tftp = c.(*net.UDPConn)
	if s.addr6.IsValid() {
		c, err := lc.ListenPacket(ctx, "udp6", netip.AddrPortFrom(s.addr6, 69).String())
		if err != nil {
			return l, inUse("listen for TFTP", err)
		}
		l.tftp6 = c.(*net.UDPConn)
	}
	return l, nil
}

func inUse(what string, err error) error {
	return fmt.Errorf("%s: %w: %v; see: appliance doctor", what, pool.ErrConflict, err)
}

func (l sockets) close() {
	for _, c := range []net.Listener{l.https, l.console, l.http, l.bootTLS} {
		if c != nil {
			_ = c.Close()
		}
	}
	for _, c := range []*net.UDPConn{l.dhcp, l.boot, l.tftp, l.tftp6} {
		if c != nil {
			_ = c.Close()
		}
	}
}

// passedListener returns the listener that the parent passed as descriptor 3
// under the name "console" (systemd's socket activation), or nil.
func passedListener() (net.Listener, error) {
	if os.Getenv("LISTEN_FDS") != "1" || os.Getenv("LISTEN_FDNAMES") != "console" {
		return nil, nil
	}
	if pid := os.Getenv("LISTEN_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	f := os.NewFile(3, "console")
	defer func() { _ = f.Close() }()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("%w: descriptor 3 is no listener: %v", pool.ErrInvalid, err)
	}
	return l, nil
}

// run owns every part until ctx ends or one of them breaks.
func (s *appliance) run(ctx context.Context, l sockets) error {
	// Boot events are stored to the very end: after everyone who writes them.
	logCtx, stopLog := context.WithCancel(context.WithoutCancel(ctx))
	logDone := make(chan error, 1)
	go func() { logDone <- s.boots.Run(logCtx) }()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.engine.Run(ctx) })
	g.Go(func() error { return s.api.Serve(ctx, l.https) })
	if l.console != nil {
		g.Go(func() error { return s.api.Serve(ctx, l.console) })
	}
	if s.dhcp != nil {
		s.runNetboot(ctx, g, l)
	}
	if l.names != nil {
		l.names.run(ctx, g)
	}
	s.log.Info("serving", "url", s.api.URL, "interface", s.config.Interface, "version", version)
	err := g.Wait()
	stopLog()
	return errors.Join(err, <-logDone)
}

func (s *appliance) runNetboot(ctx context.Context, g *errgroup.Group, l sockets) {
	g.Go(func() error { return s.dhcp.Serve(ctx, l.dhcp, l.boot) })
	g.Go(func() error { return s.net.run(ctx) })
	if s.net.path != "" {
		hup := make(chan os.Signal, 1)
		signal.Notify(hup, syscall.SIGHUP)
		g.Go(func() error {
			defer signal.Stop(hup)
			return s.net.watch(ctx, hup)
		})
	}
	g.Go(func() error {
		conn, err := dhcp.ListenND(s.config.Interface)
		if err != nil {
			s.log.Warn("no router advertisements: iPXE waits 13 seconds longer", "err", err)
			return nil
		}
		return (&dhcp.Advertiser{Interface: s.config.Interface, Boots: s.dhcp, Networks: s.dhcp, Log: s.log}).Serve(ctx, conn)
	})
	if s.addr6.IsValid() {
		g.Go(func() error { return s.dhcp.Serve6(ctx) })
	}
	g.Go(func() error { return s.serveBootFiles(ctx, l) })
}

// feedLogs passes each stored line of output on to the event stream.
type feedLogs struct {
	*store.DB
	feed   *api.Feed
	states *images.States
}

// Apply implements the engine's store: what was remembered of the machines
// that it writes is forgotten.
func (f feedLogs) Apply(ctx context.Context, c *pool.Change) error {
	err := f.DB.Apply(ctx, c)
	var ids []string
	for _, m := range c.Machines {
		ids = append(ids, m.ID)
	}
	for _, o := range c.Operations {
		ids = append(ids, o.Machine)
	}
	for _, st := range c.Steps {
		ids = append(ids, st.Machine)
	}
	slices.Sort(ids)
	f.states.Forget(slices.Compact(ids)...)
	return err
}

// AppendLog implements the engine's store.
func (f feedLogs) AppendLog(ctx context.Context, lines []pool.LogLine) ([]pool.LogLine, error) {
	out, err := f.DB.AppendLog(ctx, lines)
	for _, l := range out {
		f.feed.PublishLog(l)
	}
	return out, err
}
