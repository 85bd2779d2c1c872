package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"appliance/pool"
	"appliance/rack/sim"
)

// rackCmd is "appliance rack": rehearsal and load test of an appliance.
func (a *app) rackCmd() *cobra.Command {
	var r sim.Rack
	var faults, bmcs string
	var speed float64
	var every, length time.Duration
	cmd := &cobra.Command{
		Use: "rack", Short: "Simulate a rack of machines against a running appliance",
		Long: "The machines' firmware speaks DHCP, TFTP and HTTP, their BMCs speak IPMI 2.0, their agents the\n" +
			"agents' protocol, over real sockets on the named interface, with addresses of their own. No\n" +
			"kernel starts and nothing is written to a disk. Point it at an appliance of its own, never at\n" +
			"one that serves a rack: to the appliance these machines are real. It needs root.\n\n" +
			"The file of --faults has a fault a line: TIME KIND MACHINES [for TIME] [every TIME]. KIND is one of\n" +
			"bmc-freezes, agent-dies, link-flaps, disk-errors, power-cut, dies; MACHINES are numbers from 0\n" +
			"(3,10-19), a share (5%) or all. The same seed and faults draw the same again.\n\n" +
			"The appliance needs a route to --bmc-network by the rack's interface.",
		Example: "  appliance rack --interface rack0 --machines 1000\n" +
			"  appliance rack --interface rack0 --machines 1000 --faults bad-day.txt --seed 7 --speed 10\n" +
			"  printf '60s power-cut 20%% for 30s\\n2m bmc-freezes all for 1m\\n' > bad-day.txt",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if length > 0 {
				var stop context.CancelFunc
				ctx, stop = context.WithTimeout(ctx, length)
				defer stop()
			}
			if err := fillRack(&r, faults, bmcs, speed); err != nil {
				return err
			}
			return a.runRack(ctx, &r, every)
		},
	}
	f := cmd.Flags()
	f.IntVar(&r.Machines, "machines", 10, "simulate `N` machines")
	f.IntVar(&r.UEFI, "uefi", 0, "`N` of them start by UEFI, the others by BIOS")
	f.StringVar(&r.Interface, "interface", "", "`NAME` of the interface that the appliance is reached by")
	f.StringVar(&bmcs, "bmc-network", "", "`PREFIX` that the BMCs have their addresses in, such as 10.78.0.0/16; none: no BMCs")
	f.StringVar(&faults, "faults", "", "read the faults from `FILE`")
	f.Uint64Var(&r.Seed, "seed", 1, "`NUMBER` that machines, times and shares are drawn by")
	f.Float64Var(&speed, "speed", 10, "everything a machine does is `N` times as fast as with real servers; 0: at once")
	f.Float64Var(&r.Used, "used", 0, "`SHARE` of the machines, 0 to 1, whose disk holds something")
	f.BoolVar(&r.Whole, "whole", false, "fetch the whole of kernel and initramfs, not the first 64 KiB")
	f.DurationVar(&every, "status", 5*time.Second, "say how far the machines are after each `TIME`")
	f.DurationVar(&length, "for", 0, "end after this `TIME`; 0: when interrupted")
	return cmd
}

func fillRack(r *sim.Rack, faults, bmcs string, speed float64) error {
	if bmcs != "" {
		p, err := netip.ParsePrefix(bmcs)
		if err != nil {
			return fmt.Errorf("%w: BMC network %q: want something like 10.78.0.0/16", errUsage, bmcs)
		}
		r.BMCs = p
	}
	if speed < 0 || r.Used < 0 || r.Used > 1 {
		return fmt.Errorf("%w: speed %g, used %g: want 0 or more, and 0 to 1", errUsage, speed, r.Used)
	}
	if speed > 0 {
		r.Times = sim.Realistic(speed)
	}
	if faults == "" {
		return nil
	}
	f, err := os.Open(faults)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	r.Faults, err = sim.ReadFaults(f)
	if err != nil {
		return fmt.Errorf("%s: %w", faults, err)
	}
	return nil
}

func (a *app) runRack(ctx context.Context, r *sim.Rack, every time.Duration) error {
	if every <= 0 {
		return fmt.Errorf("%w: status every %s: want more than 0", pool.ErrInvalid, every)
	}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	start := time.Now()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			s := r.Status()
			if a.output == "json" {
				if err := json.NewEncoder(a.stdout).Encode(s); err != nil {
					return err
				}
				continue
			}
			_, _ = fmt.Fprintf(a.stdout, "%6.0f s  off %d  firmware %d  agent in RAM %d  system %d  nothing to start %d  events %d (doubled %d)\n",
				time.Since(start).Seconds(), s.Off, s.Firmware, s.RAM, s.System, s.Stuck, s.Events, s.Doubled)
		}
	}
}
