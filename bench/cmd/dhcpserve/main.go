// Command dhcpserve runs the appliance's DHCP server over its store, for
// bench/dhcp.sh: leases fsynced in SQLite, conflict probe, option 82 and boot
// events on. Only the decision what to boot is a constant. It is not shipped.
//
//	dhcpserve [-cpuprofile FILE] INTERFACE ADDRESS SUBNET FIRST LAST DIR
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"

	"appliance/dhcp"
	"appliance/pool"
	"appliance/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "dhcpserve:", err)
		os.Exit(1)
	}
}

// constant tells every client to boot the same file.
type constant struct{ next netip.Addr }

func (c constant) Answer(context.Context, pool.MAC, pool.Client, pool.Subnet) (pool.BootAnswer, bool, error) {
	return pool.BootAnswer{File: "snponly.efi", Next: c.next}, true, nil
}

func run() error {
	profile := flag.String("cpuprofile", "", "write a CPU profile to `FILE`")
	flag.Parse()
	if flag.NArg() != 6 {
		return fmt.Errorf("usage: dhcpserve [flags] INTERFACE ADDRESS SUBNET FIRST LAST DIR")
	}
	iface, dir := flag.Arg(0), flag.Arg(5)
	var a [3]netip.Addr
	for i, k := range []int{1, 3, 4} {
		addr, err := netip.ParseAddr(flag.Arg(k))
		if err != nil {
			return err
		}
		a[i] = addr
	}
	prefix, err := netip.ParsePrefix(flag.Arg(2))
	if err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // a profile cut short is no harm
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	db, err := store.Open(ctx, store.Options{Dir: dir, Key: make([]byte, 32)})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // every lease was committed
	conn, err := dhcp.Listen(ctx, iface)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	events := make(chan pool.BootEvent, 4096)
	go keep(ctx, db, events, log)
	s := &dhcp.Server{
		Subnets: []pool.Subnet{{Name: "bench", Mode: pool.SubnetServer, Prefix: prefix, First: a[1], Last: a[2], Router: a[0],
			DNS: []netip.Addr{a[0]}, Lease: time.Hour, Discover: true}},
		Interface: iface, Addr: a[0], Leases: db, Directory: constant{a[0]}, Log: log,
		Boot: func(e pool.BootEvent) {
			select {
			case events <- e:
			default: // as the appliance does when too many come at once
			}
		},
	}
	err = s.Serve(ctx, conn)
	fmt.Fprintf(os.Stderr, "dhcpserve: %+v\n", s.Stats())
	return err
}

// keep stores boot events in batches, as the appliance does.
func keep(ctx context.Context, db *store.DB, events <-chan pool.BootEvent, log *slog.Logger) {
	for {
		var batch []pool.BootEvent
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			batch = append(batch, e)
		}
		time.Sleep(200 * time.Millisecond)
		for more := true; more; {
			select {
			case e := <-events:
				batch = append(batch, e)
			default:
				more = false
			}
		}
		if err := db.AppendBoot(ctx, batch); err != nil && ctx.Err() == nil {
			log.Warn("boot events not stored", "err", err)
		}
	}
}
