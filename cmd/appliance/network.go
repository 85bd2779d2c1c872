package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"appliance/dhcp"
	"appliance/pool"
	"appliance/store"
)

// network is the networks that are served: what the configuration says of
// them, what people changed at run time, and the DHCP server that answers.
type network struct {
	path string // of the configuration file; empty: it was not read from one
	db   *store.DB
	dhcp *dhcp.Server
	log  *slog.Logger
	news chan pool.Event
	addr netip.Addr // of the appliance

	mu      sync.Mutex // guards subnets, and one change at a time
	subnets []pool.Subnet
	seen    time.Time // when the configuration file was changed
}

func newNetwork(c config, db *store.DB, log *slog.Logger) *network {
	n := &network{path: c.path, db: db, log: log, subnets: c.Subnets, news: make(chan pool.Event, 256)}
	n.changed()
	return n
}

// Subnets implements api.Network.
func (n *network) Subnets() []pool.Subnet {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]pool.Subnet{}, n.subnets...)
}

// Modes implements api.Network.
func (n *network) Modes() map[netip.Prefix]pool.SubnetMode { return n.dhcp.Modes() }

// Offers implements api.Network.
func (n *network) Offers() []pool.Lease { return n.dhcp.Offers() }

// Foreign implements api.Network.
func (n *network) Foreign() string {
	var out []string
	for _, f := range n.dhcp.Foreign() {
		out = append(out, f.String())
	}
	return strings.Join(out, ", ")
}

// Reservations implements api.Network.
func (n *network) Reservations(ctx context.Context) ([]pool.Reservation, error) {
	return n.db.Reservations(ctx)
}

// ReleaseLease implements api.Network.
func (n *network) ReleaseLease(ctx context.Context, addr netip.Addr) error {
	l, err := n.db.LeaseAt(ctx, addr)
	if err != nil {
		return err
	}
	if err := n.dhcp.Release(ctx, addr); err != nil {
		return err
	}
	n.tell("dhcp.released", pool.Info, fmt.Sprintf("The lease of %s, of %s, was ended by a person.", addr, l.MAC))
	return nil
}

// Reserve implements api.Network. It is stored once the server takes it.
func (n *network) Reserve(ctx context.Context, r pool.Reservation) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.Key() == "" {
		return fmt.Errorf("%w: a reservation is for a MAC, a client identifier or a circuit", pool.ErrInvalid)
	}
	inside := false
	for _, s := range n.subnets {
		inside = inside || s.Prefix.Contains(r.Address)
	}
	if !inside {
		return fmt.Errorf("%w: %s is in no subnet that is served", pool.ErrInvalid, r.Address)
	}
	all, err := n.db.Reservations(ctx)
	if err != nil {
		return err
	}
	kept := []pool.Reservation{r}
	for _, had := range all {
		if had.Key() != r.Key() {
			kept = append(kept, had)
		}
	}
	if err := n.dhcp.Configure(ctx, n.subnets, kept); err != nil {
		return err
	}
	if err := n.db.PutReservation(ctx, r); err != nil {
		return errors.Join(err, n.dhcp.Configure(ctx, n.subnets, all))
	}
	return nil
}

// Unreserve implements api.Network.
func (n *network) Unreserve(ctx context.Context, key string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.db.DeleteReservation(ctx, key); err != nil {
		return err
	}
	return n.apply(ctx, n.subnets)
}

// apply serves subnets. n.mu is held.
func (n *network) apply(ctx context.Context, subnets []pool.Subnet) error {
	all, err := n.db.Reservations(ctx)
	if err != nil {
		return err
	}
	if err := n.dhcp.Configure(ctx, subnets, all); err != nil {
		return err
	}
	n.subnets = subnets
	return nil
}

// Reload implements api.Network: what the file says of subnets is served from
// now on; with netboot: false nothing is. What else it says needs a restart.
func (n *network) Reload(ctx context.Context) error {
	if n.path == "" {
		return fmt.Errorf("%w: the configuration was not read from a file", pool.ErrConflict)
	}
	c, err := loadConfig(n.path)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	subnets := withNames(c.Subnets, c.DNS, n.addr)
	if !c.netboot() {
		subnets = nil
	}
	if err := n.apply(ctx, subnets); err != nil {
		return fmt.Errorf("read configuration %s: %w", n.path, err)
	}
	n.log.Info("configuration read again", "file", n.path, "subnets", len(subnets))
	n.tell("config.reloaded", pool.Info, fmt.Sprintf("The configuration was read again: %d subnets are served.", len(subnets)))
	return nil
}

// watch reloads when hup says so, or the file has changed, until ctx ends.
func (n *network) watch(ctx context.Context, hup <-chan os.Signal) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			n.changed()
		case <-tick.C:
			if !n.changed() {
				continue
			}
		}
		if err := n.Reload(ctx); err != nil {
			n.log.Error("configuration not read again: what was served before still is", "err", err)
			n.tell("config.refused", pool.Problem, "The changed configuration was refused, and what was served before still is: "+err.Error())
		}
	}
}

// changed says whether the file is another one than at the last call.
func (n *network) changed() bool {
	info, err := os.Stat(n.path)
	if err != nil {
		return false // an editor may be about to put it back
	}
	was := n.seen
	n.seen = info.ModTime()
	return !was.Equal(n.seen)
}

// foreign tells of another DHCP server.
func (n *network) foreign(f dhcp.ForeignServer) {
	kind := "DHCP server"
	if f.Proxy {
		kind = "proxyDHCP server"
	}
	if f.Gone {
		n.tell("dhcp.foreign.gone", pool.Info, fmt.Sprintf("The %s %s does not answer any more.", kind, f))
		return
	}
	n.tell("dhcp.foreign", pool.Warning, fmt.Sprintf("A %s that is no appliance is on the wire: %s.", kind, f))
}

// mode tells what a subnet with mode auto is.
func (n *network) mode(s pool.Subnet, now pool.SubnetMode, why string) {
	n.tell("dhcp.mode", pool.Info, fmt.Sprintf("On subnet %s the appliance is %s: %s.", s.Prefix, map[pool.SubnetMode]string{
		pool.SubnetServer: "the DHCP server", pool.SubnetProxy: "a proxyDHCP server"}[now], why))
}

// tell queues an event; when too many wait it is only logged.
func (n *network) tell(kind string, severity pool.Severity, message string) {
	select {
	case n.news <- pool.Event{At: time.Now().UTC(), Type: kind, Severity: severity, Message: message}:
	default:
		n.log.Warn("event dropped: too many at once", "message", message)
	}
}

// run stores what was told until ctx ends.
func (n *network) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-n.news:
			if err := n.db.Apply(ctx, &pool.Change{Events: []*pool.Event{&e}}); err != nil && ctx.Err() == nil {
				n.log.Warn("event not stored", "message", e.Message, "err", err)
			}
		}
	}
}
