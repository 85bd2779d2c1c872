package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

// maxAsked bounds the machines whose last boots the doctor reads.
const maxAsked = 50

// checkTransfers tells how TFTP and HTTP came through to machines of each
// subnet at their last boots: this host cannot stand at the far end of its own
// wire, but they did.
func checkTransfers(ctx context.Context, c *client.Client, subnets []pool.Subnet, now time.Time) ([]finding, error) {
	machines, err := c.Machines(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(machines, func(a, b wire.Machine) int { return cmp.Compare(b.UpdatedAt.UnixNano(), a.UpdatedAt.UnixNano()) })
	var events []pool.BootEvent
	for _, m := range machines[:min(len(machines), maxAsked)] {
		b, err := c.Boot(ctx, m.ID)
		if err != nil {
			return nil, err
		}
		if n := len(b.Boots); n > 0 {
			events = append(events, b.Boots[n-1].Events...)
		}
	}
	return judgeTransfers(subnets, events, now), nil
}

// judgeTransfers sums up what machines of each subnet fetched.
func judgeTransfers(subnets []pool.Subnet, events []pool.BootEvent, now time.Time) []finding {
	var out []finding
	for _, s := range subnets {
		for _, protocol := range []string{"TFTP", "HTTP"} {
			var all, broken []pool.BootEvent
			for _, e := range events {
				tftp := e.Block > 0
				download := tftp || e.Stage == pool.StageKernel || e.Stage == pool.StageInitrd
				if !s.Prefix.Contains(e.Address) || !download || tftp != (protocol == "TFTP") {
					continue
				}
				all = append(all, e)
				if e.Failed && (e.Code == pool.CodeTimeout || e.Code == pool.CodeMTU || e.Code == pool.CodeBroken) {
					broken = append(broken, e)
				}
			}
			out = append(out, judge(fmt.Sprintf("%s to machines of %s", protocol, s.Prefix), all, broken, now))
		}
	}
	return out
}

func judge(check string, all, broken []pool.BootEvent, now time.Time) finding {
	if len(all) == 0 {
		return finding{Check: check, OK: true, Found: "no machine there has fetched anything by it of late"}
	}
	last := slices.MaxFunc(all, func(a, b pool.BootEvent) int { return a.At.Compare(b.At) })
	blocks, resent := 0, 0
	for _, e := range all {
		if e.Block > 0 {
			blocks, resent = blocks+int(e.Bytes)/e.Block+1, resent+e.Resent
		}
	}
	f := finding{Check: check, OK: true, Found: fmt.Sprintf("%d transfers at the last boots, %d of them broken; the last %s ago: %s in %s",
		len(all), len(broken), pool.Span(now.Sub(last.At)), pool.Bytes(uint64(max(last.Bytes, 0))), last.Took.Round(time.Millisecond))}
	if last.Block > 0 {
		f.Found += fmt.Sprintf(", blocks of %d; %d of %d blocks sent again", last.Block, resent, blocks)
	}
	switch {
	case len(broken) > 0:
		f.OK, f.Do = false, "appliance boot explain MACHINE says what broke; the last: "+slices.MaxFunc(broken, func(a, b pool.BootEvent) int { return a.At.Compare(b.At) }).Detail
	case resent*20 > blocks:
		f.OK, f.Do = false, "the path loses packets: look at cables and switch ports for errors"
	}
	return f
}
