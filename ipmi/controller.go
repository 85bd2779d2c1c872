package ipmi

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/bmc-toolbox/bmclib/v2/providers/redfish"
	"github.com/go-logr/logr"
	"github.com/jacobweinstock/registrar"

	"appliance/pool"
)

// Controller controls machines through their BMCs. Its zero value is ready;
// its methods may be called by many goroutines at once.
type Controller struct {
	// Log is told what was switched; nil is silent.
	Log *slog.Logger
	// Timeout ends a call whose context has no deadline; 20 s when zero.
	Timeout time.Duration
	// Poll is the time between two looks at the power state; 500 ms when zero.
	Poll time.Duration
}

// session is an open conversation with one BMC.
type session struct {
	*bmclib.Client
	lan     *lan           // nil for Redfish
	redfish *redfishDriver // nil for IPMI
}

// guid returns what tells the BMC from every other, empty where it tells nothing.
func (s session) guid(ctx context.Context) (string, error) {
	if s.lan == nil {
		return s.redfish.guid(ctx)
	}
	return s.lan.guid(ctx)
}

// guidKind is the way in which a GUID was told. Those of two ways do not
// compare: firmware writes the bytes in different orders, or different GUIDs.
func guidKind(guid string) string {
	for _, k := range []string{rakpGUID, redfishGUID} {
		if strings.HasPrefix(guid, k) {
			return k
		}
	}
	return ""
}

// PowerState returns the chassis power of the machine behind b: on or off,
// or unknown while it changes.
func (c *Controller) PowerState(ctx context.Context, b pool.BMC) (power pool.Power, err error) {
	power = pool.PowerUnknown
	err = c.with(ctx, b, "read power of", func(ctx context.Context, s session) error {
		power, err = s.power(ctx)
		return err
	})
	return power, err
}

// SetPower carries do out on the machine behind b and returns once the BMC
// reports the outcome. On, off and soft are idempotent: what is so already is
// left alone. Soft asks the operating system, which may take its time or not
// listen; when ctx ends first the error is ErrPower, and the caller may ask
// for off. Cycle is off and then on, each seen to happen; it leaves a machine
// on that was off. Reset needs a machine that is on. A BMC that is not the one
// that was enrolled is ErrIdentity, and nothing is switched. Give ctx a
// deadline: a BMC may take minutes.
func (c *Controller) SetPower(ctx context.Context, b pool.BMC, do pool.PowerAction) error {
	return c.with(ctx, b, "set power "+string(do)+" of", func(ctx context.Context, s session) error {
		if err := s.same(ctx, b); err != nil {
			return err
		}
		switch do {
		case pool.DoPowerOn:
			return c.reach(ctx, s, do, pool.PowerOn)
		case pool.DoPowerOff, pool.DoPowerSoft:
			return c.reach(ctx, s, do, pool.PowerOff)
		case pool.DoPowerCycle:
			if err := c.reach(ctx, s, pool.DoPowerOff, pool.PowerOff); err != nil {
				return err
			}
			return c.reach(ctx, s, pool.DoPowerOn, pool.PowerOn)
		case pool.DoPowerReset:
			return c.reset(ctx, s)
		}
		return fmt.Errorf("%w: no power action %q", pool.ErrInvalid, do)
	})
}

// SetBootDevice says what the firmware of the machine behind b starts next,
// once. Firmware UEFI also asks for a start by UEFI, where the BMC can tell.
func (c *Controller) SetBootDevice(ctx context.Context, b pool.BMC, device pool.BootDevice, firmware pool.Firmware) error {
	return c.with(ctx, b, "set boot device "+string(device)+" of", func(ctx context.Context, s session) error {
		if err := s.same(ctx, b); err != nil {
			return err
		}
		_, err := s.SetBootDevice(ctx, string(device), false, firmware == pool.UEFI)
		return err
	})
}

// Check logs in to b, reads the power state, and makes sure that it is the BMC
// that was enrolled, where its GUID is known.
func (c *Controller) Check(ctx context.Context, b pool.BMC) error {
	return c.with(ctx, b, "check", func(ctx context.Context, s session) error {
		if _, err := s.power(ctx); err != nil {
			return err
		}
		return s.same(ctx, b)
	})
}

// GUID returns what tells b from every other BMC, empty where it tells nothing
// over the network. Errors are those of Check.
func (c *Controller) GUID(ctx context.Context, b pool.BMC) (guid string, err error) {
	err = c.with(ctx, b, "identify", func(ctx context.Context, s session) (err error) {
		guid, err = s.guid(ctx)
		return err
	})
	return guid, err
}

// same makes sure that the BMC that answers is the one that was enrolled,
// where its GUID is known: what is switched is not somebody else's machine.
func (s session) same(ctx context.Context, b pool.BMC) error {
	if b.GUID == "" || s.lan == nil && guidKind(b.GUID) != redfishGUID {
		return nil
	}
	guid, err := s.guid(ctx)
	if guidKind(b.GUID) != guidKind(guid) {
		return err // it was told another way: the two do not compare
	}
	if plain := strings.ToLower(strings.ReplaceAll(b.GUID, "-", "")); err == nil && guid != "" && strings.ReplaceAll(guid, "-", "") != plain {
		err = because(ErrIdentity, fmt.Errorf("its GUID is %s, enrolled was %s", guid, b.GUID))
	}
	return err
}

// with opens a session, runs do in it, gives it back, and says in errors what
// was done to which BMC.
func (c *Controller) with(ctx context.Context, b pool.BMC, what string, do func(context.Context, session) error) (err error) {
	if !b.Address.IsValid() || b.User == "" {
		return fmt.Errorf("%w: %s BMC: it has no address or no user", pool.ErrInvalid, what)
	}
	caller := ctx
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cmp.Or(c.Timeout, 20*time.Second))
		defer cancel()
	}
	defer func() {
		if err = clean(caller, err); err != nil {
			err = fmt.Errorf("%s BMC %s: %w", what, b.Address, err)
		}
	}()
	s, err := c.session(b)
	if err != nil {
		return err
	}
	if err := s.Open(ctx); err != nil {
		return err
	}
	// A BMC has few sessions: ours is given back also when ctx has ended.
	defer func() {
		if e := s.Close(context.WithoutCancel(ctx)); e != nil && err == nil && c.Log != nil {
			c.Log.LogAttrs(ctx, slog.LevelWarn, "BMC session not closed", slog.Any("bmc", b.Address), slog.Any("err", e))
		}
	}()
	return do(ctx, s)
}

// session returns a bmclib client with the one driver that b needs.
func (c *Controller) session(b pool.BMC) (session, error) {
	var s session
	reg := registrar.NewRegistry(registrar.WithLogger(logr.Discard()))
	switch b.Protocol {
	case "", "ipmi":
		host := b.Address.String()
		if b.Address.Is6() {
			host = "[" + host + "]" // go-ipmi joins host and port by a colon
		}
		s.lan = &lan{host: host, port: cmp.Or(b.Port, 623), user: b.User, pass: b.Password}
		reg.Register(s.lan.Name(), "ipmi", lanFeatures(), nil, s.lan)
	case "redfish":
		s.redfish = newRedfish(b, cmp.Or(b.Port, 443), cmp.Or(c.Timeout, 20*time.Second))
		reg.Register(s.redfish.Name(), redfish.ProviderProtocol, redfish.Features, nil, s.redfish)
	default:
		return s, fmt.Errorf("%w: BMC protocol %q: want ipmi or redfish", pool.ErrInvalid, b.Protocol)
	}
	// User and password are the driver's; bmclib needs neither.
	s.Client = bmclib.NewClient(b.Address.String(), "", "", bmclib.WithRegistry(reg), bmclib.WithLogger(logr.Discard()))
	return s, nil
}

// power returns the power state in our words.
func (s session) power(ctx context.Context) (pool.Power, error) {
	text, err := s.GetPowerState(ctx)
	if err != nil {
		return pool.PowerUnknown, err
	}
	return normal(text), nil
}

// normal reads a power state as the many BMCs write it: "On", "Chassis Power
// is off". What is on its way ("PoweringOn") is unknown.
func normal(text string) pool.Power {
	switch strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "chassis power is ") {
	case "on":
		return pool.PowerOn
	case "off":
		return pool.PowerOff
	}
	return pool.PowerUnknown
}

// reach gives the order do, unless the power is as wanted, and waits until it is.
func (c *Controller) reach(ctx context.Context, s session, do pool.PowerAction, want pool.Power) error {
	has, err := s.power(ctx)
	if err != nil || has == want {
		return err
	}
	if err := c.order(ctx, s, do); err != nil {
		return err
	}
	return c.await(ctx, s, want)
}

// order gives one order.
func (c *Controller) order(ctx context.Context, s session, do pool.PowerAction) error {
	_, err := s.SetPowerState(ctx, string(do))
	if err == nil && c.Log != nil {
		c.Log.LogAttrs(ctx, slog.LevelInfo, "power order given", slog.String("bmc", s.Auth.Host), slog.String("order", string(do)))
	}
	return err
}

// await reads the power state until it is want.
func (c *Controller) await(ctx context.Context, s session, want pool.Power) error {
	tick := time.NewTicker(cmp.Or(c.Poll, 500*time.Millisecond))
	defer tick.Stop()
	for {
		has, err := s.power(ctx)
		if err != nil && !over(ctx) {
			return err
		}
		if err == nil && has == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return because(ErrPower, fmt.Errorf("it is %s, not %s: %w", has, want, ctx.Err()))
		case <-tick.C:
		}
	}
}

// over says whether ctx has ended, or ends this moment: a read that shares
// its deadline may fail a little earlier.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// reset restarts a machine that is on.
func (c *Controller) reset(ctx context.Context, s session) error {
	has, err := s.power(ctx)
	if err != nil {
		return err
	}
	if has != pool.PowerOn {
		return because(ErrUnsupported, fmt.Errorf("the machine is %s: there is nothing to reset", has))
	}
	if err := c.order(ctx, s, pool.DoPowerReset); err != nil {
		return err
	}
	return c.await(ctx, s, pool.PowerOn)
}
