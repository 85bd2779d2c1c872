package ipmi_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/hal"
	"github.com/bougou/go-ipmi/pkg/hal/mock"
	"github.com/bougou/go-ipmi/pkg/handlers"
	"github.com/bougou/go-ipmi/pkg/server"
	"github.com/bougou/go-ipmi/pkg/transport/udp"
	"github.com/bougou/go-ipmi/pkg/types"

	"appliance/pool"
)

const password = "correct-horse"

// chassis is a machine whose power follows its BMC's orders after delay.
type chassis struct {
	mock.Chassis

	mu     sync.Mutex
	on     bool
	then   bool // what on becomes
	at     time.Time
	delay  time.Duration
	deaf   bool // to soft off
	stuck  bool // to all orders
	orders []string
}

func (c *chassis) settle() {
	if !c.at.IsZero() && !time.Now().Before(c.at) {
		c.on, c.at = c.then, time.Time{}
	}
}

func (c *chassis) order(name string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	c.orders = append(c.orders, name)
	if !c.stuck && (name != "soft" || !c.deaf) {
		c.then, c.at = on, time.Now().Add(c.delay)
	}
}

// PowerState implements hal.ChassisHAL.
func (c *chassis) PowerState(context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	return c.on, nil
}

// SetPower implements hal.ChassisHAL.
func (c *chassis) SetPower(_ context.Context, on bool) error {
	c.order(map[bool]string{true: "on", false: "off"}[on], on)
	return nil
}

// ColdReset implements hal.ChassisHAL.
func (c *chassis) ColdReset(context.Context) error { c.order("reset", true); return nil }

// WarmReset is what go-ipmi's server makes of a soft shutdown.
func (c *chassis) WarmReset(context.Context) error { c.order("soft", false); return nil }

// PowerCycle implements hal.ChassisHAL.
func (c *chassis) PowerCycle(context.Context) error { c.order("cycle", true); return nil }

func (c *chassis) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.orders
}

// hardware is a HAL with our chassis.
type hardware struct {
	*mock.HAL
	chassis *chassis
}

// Chassis implements hal.HAL.
func (h hardware) Chassis() hal.ChassisHAL { return h.chassis }

// inProcess starts go-ipmi's BMC on a loopback port. It knows the user admin.
func inProcess(t *testing.T, c *chassis, opts ...server.ServerOption) (*bmc.BMC, pool.BMC) {
	t.Helper()
	guid := [16]byte{0: 0xaa, 15: 0x01}
	b := bmc.New(bmc.DeviceInfo{DeviceID: 32, IPMIVersion: 0x20, AdditionalDeviceSupport: 0x39}, guid, hardware{mock.New(), c})
	user, err := b.Users.Add(2, "admin")
	if err != nil {
		t.Fatal(err)
	}
	user.SetPassword([]byte(password))
	user.Enabled = true
	user.ChannelAccess[1] = bmc.UserChannelAccess{MaxPrivilege: bmc.PrivilegeLevelAdministrator, Enabled: true}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := server.NewServer(b, udp.Wrap(conn), opts...)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(ctx) // ends with the closed socket's error
	}()
	t.Cleanup(func() {
		cancel()
		_ = s.Close()
		_ = conn.Close()
		<-ended
	})
	return b, pool.BMC{Address: netip.MustParseAddr("127.0.0.1"), Port: conn.LocalAddr().(*net.UDPAddr).Port,
		User: "admin", Password: pool.NewSecret(password)}
}

// answering replaces the handler of one command by an answer.
func answering(command types.Command, code types.CompletionCode, data ...byte) server.ServerOption {
	r := handlers.NewRegistry()
	handlers.RegisterAllHandlers(r)
	r.RegisterFunc(command, func(context.Context, *handlers.HandlerContext, []byte) ([]byte, types.CompletionCode, error) {
		return data, code, nil
	})
	return server.WithHandlerRegistry(r)
}
