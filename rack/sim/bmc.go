package sim

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/hal"
	"github.com/bougou/go-ipmi/pkg/hal/mock"
	"github.com/bougou/go-ipmi/pkg/server"
	"github.com/bougou/go-ipmi/pkg/transport/udp"

	"appliance/pool"
)

// bmcDevice is a machine's BMC: IPMI 2.0 over RMCP+ on an address of its own.
type bmcDevice struct {
	machine *Machine
	addr    netip.Addr
	guid    [16]byte
	bmc     *bmc.BMC
	frozen  atomic.Int32 // above zero it answers nothing
}

func newBMC(m *Machine, addr netip.Addr) *bmcDevice {
	d := &bmcDevice{machine: m, addr: addr}
	for i := range d.guid {
		d.guid[i] = byte(m.random.Uint32())
	}
	d.bmc = bmc.New(bmc.DeviceInfo{DeviceID: 32, IPMIVersion: 0x20, AdditionalDeviceSupport: 0x39}, d.guid,
		hardware{mock.New(), &chassis{machine: m}})
	return d
}

// serve answers until ctx ends, in a goroutine of wg's.
func (d *bmcDevice) serve(ctx context.Context, wg *sync.WaitGroup) error {
	var conn *net.UDPConn
	var err error
	for range 250 { // the network was given to the kernel just now
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: d.addr.AsSlice(), Port: 623})
		if !errors.Is(err, syscall.EADDRNOTAVAIL) || !pause(ctx, 20*time.Millisecond) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("open BMC of machine %d: %w", d.machine.Index, err)
	}
	s := server.NewServer(d.bmc, &freezing{Conn: udp.Wrap(conn), frozen: &d.frozen})
	wg.Go(func() {
		stop := context.AfterFunc(ctx, func() { _, _ = s.Close(), conn.Close() })
		defer stop()
		_ = s.Serve(ctx) // ends with the closed socket's error
	})
	return nil
}

// setUser makes the appliance's user, as an agent does in-band.
func (d *bmcDevice) setUser(name, password string) (pool.BMCUserResult, error) {
	const slot = 3
	u := func(u *bmc.User) error {
		u.Name, u.Enabled = name, true
		u.SetPassword([]byte(password))
		u.ChannelAccess = map[uint8]bmc.UserChannelAccess{1: {MaxPrivilege: bmc.PrivilegeLevelAdministrator, Enabled: true}}
		return nil
	}
	if err := d.bmc.Users.Upsert(slot, u); err != nil {
		return pool.BMCUserResult{}, fmt.Errorf("make BMC user: %w", err)
	}
	return pool.BMCUserResult{Facts: d.facts(), UserID: slot}, nil
}

func (d *bmcDevice) facts() *pool.BMCFacts {
	return &pool.BMCFacts{Address: d.addr, Channel: 1, GUID: hex.EncodeToString(d.guid[:]), Version: "2.0"}
}

// freezing is a BMC's socket. While it is frozen what arrives is lost.
type freezing struct {
	*udp.Conn
	frozen *atomic.Int32
}

func (f *freezing) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := f.Conn.ReadFrom(b)
		if err != nil || f.frozen.Load() == 0 {
			return n, from, err
		}
	}
}

func (f *freezing) WriteTo(b []byte, to net.Addr) (int, error) {
	if f.frozen.Load() > 0 {
		return len(b), nil
	}
	return f.Conn.WriteTo(b, to)
}

// hardware is what a BMC controls: nothing but the chassis.
type hardware struct {
	*mock.HAL
	chassis *chassis
}

// Chassis implements hal.HAL.
func (h hardware) Chassis() hal.ChassisHAL { return h.chassis }

// chassis is the machine behind its BMC; boot flags are the embedded one's.
type chassis struct {
	mock.Chassis
	machine *Machine
}

// PowerState implements hal.ChassisHAL.
func (c *chassis) PowerState(context.Context) (bool, error) { return c.machine.Power(), nil }

// SetPower implements hal.ChassisHAL.
func (c *chassis) SetPower(_ context.Context, on bool) error {
	c.machine.SetPower(on)
	return nil
}

// PowerCycle implements hal.ChassisHAL.
func (c *chassis) PowerCycle(context.Context) error {
	c.machine.SetPower(false)
	c.machine.SetPower(true)
	return nil
}

// ColdReset implements hal.ChassisHAL.
func (c *chassis) ColdReset(context.Context) error {
	c.machine.Reset()
	return nil
}

// WarmReset is what go-ipmi's server makes of a soft shutdown.
func (c *chassis) WarmReset(context.Context) error {
	c.machine.SetPower(false)
	return nil
}
