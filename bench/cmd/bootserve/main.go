// Command bootserve serves boot files over HTTP as the appliance does: scripts
// by the engine's state over a store with a thousand machines, and the files
// of a folder. It is for bench/http.sh and is not shipped.
//
//	bootserve ADDRESS DIR
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"appliance/images"
	"appliance/orchestrator"
	"appliance/pool"
	"appliance/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bootserve:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	if len(os.Args) != 3 {
		return errors.New("usage: bootserve ADDRESS DIR")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "bootserve")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := store.Open(ctx, store.Options{Dir: dir, Key: make([]byte, 32)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var fill errgroup.Group
	fill.SetLimit(100) // they share commits
	for i := range 1000 {
		fill.Go(func() error {
			mac := pool.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}
			_, err := db.Discover(ctx, mac, pool.Client{Arch: pool.ArchBIOS, PXE: true}, time.Now())
			return err
		})
	}
	if err := fill.Wait(); err != nil {
		return err
	}
	engine := &orchestrator.Engine{Store: db}
	states := &images.States{Read: engine.BootState}
	events := make(chan pool.BootEvent, 4096)
	go func() { // as the boot log: an event that nobody takes in time is dropped
		for range events {
		}
	}()
	b := &images.Boot{
		Kit: os.DirFS(os.Args[2]), Directory: directory{states}, Stamp: states.Stamp,
		Site: func(local netip.Addr) images.Site { return images.Site{TFTP: local, HTTP: "http://" + os.Args[1]} },
		Seen: func(e pool.BootEvent) {
			select {
			case events <- e:
			default:
			}
		},
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", os.Args[1])
	if err != nil {
		return err
	}
	return b.Serve(ctx, l)
}

// directory decides as the appliance's own does.
type directory struct{ states *images.States }

func (d directory) Boot(ctx context.Context, mac pool.MAC, c pool.Client) (pool.BootAction, string, error) {
	state, m, err := d.states.BootState(ctx, mac, true)
	return images.Decide(c, state), m.Name, err
}

func (d directory) BootConfig(context.Context, pool.MAC, netip.Addr) ([]byte, error) {
	return nil, pool.ErrNotFound
}
