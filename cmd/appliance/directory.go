package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"appliance/api/wire"
	"appliance/images"
	"appliance/orchestrator"
	"appliance/pool"
	"appliance/store"
)

// directory answers DHCP and HTTP boot from one decision: images.Decide over
// what the engine knows of the machine.
type directory struct {
	db      *store.DB
	engine  *orchestrator.Engine
	states  *images.States
	paths   *images.Paths
	see     func(pool.BootEvent)
	site    images.Site
	server  string // where agents reach the API
	site6   images.Site
	server6 string // empty: no IPv6 subnet is served
	ca      []byte // PEM
	subnets func() []pool.Subnet
	// taken is the address that a machine took of another DHCP server, where
	// the appliance is a proxy; nil: it is none.
	taken func(pool.MAC) netip.Addr
}

// Answer implements dhcp.Directory.
func (d *directory) Answer(ctx context.Context, mac pool.MAC, c pool.Client, subnet pool.Subnet) (pool.BootAnswer, bool, error) {
	if isDoctor(mac) { // "appliance doctor network" asks: nothing is recorded of it
		answer, ok := images.Answer(c, images.Decide(c, pool.BootState{Discover: subnet.Discover}), mac, d.site, images.ChoosePath(c.Class()))
		return answer, ok, nil
	}
	netboots := c.PXE || c.IPXE
	state, _, err := d.states.BootState(ctx, mac, subnet.Discover)
	if err != nil {
		return pool.BootAnswer{}, false, err
	}
	if !state.Known && subnet.Discover && netboots {
		if _, err := d.db.Discover(ctx, mac, c, time.Now()); err != nil {
			return pool.BootAnswer{}, false, err
		}
		if state, _, err = d.states.BootState(ctx, mac, subnet.Discover); err != nil {
			return pool.BootAnswer{}, false, err
		}
	}
	if !netboots {
		return pool.BootAnswer{}, state.Known, nil // an installed system, or the agent
	}
	action := images.Decide(c, state)
	if action == pool.BootIgnore {
		return pool.BootAnswer{}, false, nil
	}
	site := d.site
	if c.IPv6 {
		site = d.site6
	}
	answer, ok := images.Answer(c, action, mac, site, d.paths.Path(mac, c, time.Now()))
	if !ok && d.see != nil {
		d.see(pool.BootEvent{At: time.Now(), MAC: mac, Stage: pool.StageDHCP, Code: pool.CodeMissing, Class: c.Class(),
			Detail: fmt.Sprintf("no boot program for client architecture %d", c.Arch)})
	}
	return answer, ok, nil
}

// siteAt is where a machine finds the appliance that reached it at an address.
func (d *directory) siteAt(local netip.Addr) images.Site {
	if local.Unmap().Is6() && d.server6 != "" {
		return d.site6
	}
	return d.site
}

// Boot implements images.Directory.
func (d *directory) Boot(ctx context.Context, mac pool.MAC, c pool.Client) (pool.BootAction, string, error) {
	discover := false
	for _, s := range d.subnets() {
		discover = discover || s.Discover
	}
	state, m, err := d.states.BootState(ctx, mac, discover)
	if err != nil {
		return pool.BootIgnore, "", err
	}
	if !state.Known {
		return pool.BootIgnore, "", fmt.Errorf("%w: machine %s was not seen by DHCP", pool.ErrNotFound, mac)
	}
	return images.Decide(c, state), m.Name, nil
}

// BootConfig implements images.Directory. The one-time token goes only to a
// machine that was accepted, or is being enrolled, that is to boot the agent
// now, and that asks from the address it leased, here or of the server that
// gives the addresses; others get the configuration without one. Where a system
// runs from its disk, anybody on it can ask from that address.
func (d *directory) BootConfig(ctx context.Context, mac pool.MAC, from netip.Addr) ([]byte, error) {
	m, err := d.db.MachineByMAC(ctx, mac)
	if err != nil {
		return nil, err
	}
	c := wire.BootConfig{Server: d.server, CA: string(d.ca), MAC: mac}
	lease, err := d.db.Lease(ctx, mac)
	if from.Unmap().Is6() && d.server6 != "" {
		c.Server = d.server6
		lease, err = d.db.Lease6(ctx, mac)
	}
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return nil, err
	}
	ours := err == nil && lease.Address == from && time.Now().Before(lease.Expires) ||
		d.taken != nil && from.IsValid() && d.taken(mac) == from.Unmap()
	if !ours {
		return json.Marshal(c)
	}
	state, _, err := d.states.BootState(ctx, mac, true)
	if err != nil {
		return nil, err
	}
	state.LoopStop = false // it was let begin this boot
	if images.Decide(pool.Client{}, state) == pool.BootAgent {
		token, err := d.engine.MintBootToken(ctx, m.ID)
		if err != nil && !errors.Is(err, pool.ErrConflict) { // conflict: nobody let it in
			return nil, err
		}
		c.Token = token.Reveal()
	}
	return json.Marshal(c)
}
