package ipmi

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/bmc-toolbox/bmclib/v2/providers"
	"github.com/bougou/go-ipmi/pkg/client"
	"github.com/bougou/go-ipmi/pkg/command/chassis"
	"github.com/bougou/go-ipmi/pkg/types"
	"github.com/jacobweinstock/registrar"

	"appliance/pool"
)

// An exchange with a BMC is tried lanTries+1 times, lanWait each: a chassis
// command may take a busy BMC more than a second.
const (
	lanWait  = 2 * time.Second
	lanTries = 3
)

// lan is bmclib's provider for IPMI 2.0 over LAN. It is used by one call and
// one goroutine.
type lan struct {
	host   string
	port   int
	user   string
	pass   pool.Secret
	conn   *client.Client // nil: no session
	system [16]byte       // GUID that the BMC told at the login
}

// lanFeatures lists what lan can do, for bmclib's registry.
func lanFeatures() registrar.Features {
	return registrar.Features{providers.FeaturePowerState, providers.FeaturePowerSet, providers.FeatureBootDeviceSet}
}

// Name is the provider's name in bmclib.
func (l *lan) Name() string { return "goipmi" }

// Open logs in: with cipher suite 17 (HMAC-SHA256), or with 3 (HMAC-SHA1)
// where the BMC knows no better.
func (l *lan) Open(ctx context.Context) error {
	err := l.suites(ctx)
	if garbled(err) {
		err = l.suites(ctx)
	}
	return lanFault(err)
}

func (l *lan) suites(ctx context.Context) error {
	err := l.login(ctx, types.CipherSuiteID17)
	if noSuite(err) {
		err = l.login(ctx, types.CipherSuiteID3)
	}
	return err
}

// login opens a session by RMCP+ (IPMI 2.0, section 13.15). It takes the
// steps one by one because go-ipmi's Connect tells its errors only as text.
func (l *lan) login(ctx context.Context, suite types.CipherSuiteID) (err error) {
	c, err := client.NewClient(l.host, l.port, l.user, l.pass.Reveal())
	if err != nil {
		return because(ErrAuth, err) // a user name that no BMC can have
	}
	c.WithTimeout(lanWait).WithRetry(lanTries).WithCipherSuiteID(suite).WithMaxPrivilegeLevel(types.PrivilegeLevelAdministrator)
	active := false
	defer func() {
		switch {
		case err == nil:
			l.conn = c
		case active:
			_ = hangUp(ctx, c) // err says more
		default:
			abandon(ctx, c)
		}
	}()
	if _, err := c.OpenSession(ctx); errors.Is(err, types.ErrUnpackedDataTooShort) {
		return errShortRefusal
	} else if err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	second, err := c.RAKPMessage1(ctx)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	l.system = second.ManagedSystemGUID
	if _, err := c.RAKPMessage3(ctx); err != nil {
		return fmt.Errorf("log in: %w: %w", errLastStep, err)
	}
	active = true
	if _, err := c.SetSessionPrivilegeLevel(ctx, types.PrivilegeLevelAdministrator); err != nil {
		if answer, ok := types.IsResponseError(err); ok {
			return because(ErrAuth, fmt.Errorf("the user is no administrator: %w", answer))
		}
		return fmt.Errorf("set privilege level: %w", err)
	}
	return nil
}

// hangUp gives c's session back and closes its socket, within a few seconds
// whatever has become of ctx.
func hangUp(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*lanWait)
	defer cancel()
	return c.WithRetry(1).Close(ctx)
}

// abandon closes the socket of a client that has no session. There is nothing
// to tell the BMC, so the farewell that go-ipmi insists on gets no time; its
// error is that.
func abandon(ctx context.Context, c *client.Client) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_ = c.Close(ctx)
}

// Close gives the session back. bmclib calls it once.
func (l *lan) Close(ctx context.Context) error {
	if l.conn == nil {
		return nil
	}
	c := l.conn
	l.conn = nil
	return lanFault(hangUp(ctx, c))
}

// PowerStateGet returns "on" or "off".
func (l *lan) PowerStateGet(ctx context.Context) (string, error) {
	status, err := l.conn.GetChassisStatus(ctx)
	if err != nil {
		return "", lanFault(err)
	}
	if status.PowerIsOn {
		return string(pool.PowerOn), nil
	}
	return string(pool.PowerOff), nil
}

// PowerSet gives one order (IPMI 2.0, section 28.3): on, off, soft or reset.
func (l *lan) PowerSet(ctx context.Context, state string) (bool, error) {
	orders := map[pool.PowerAction]chassis.ChassisControl{
		pool.DoPowerOn:    chassis.ChassisControlPowerUp,
		pool.DoPowerOff:   chassis.ChassisControlPowerDown,
		pool.DoPowerSoft:  chassis.ChassisControlSoftShutdown,
		pool.DoPowerReset: chassis.ChassisControlHardReset,
	}
	order, ok := orders[pool.PowerAction(state)]
	if !ok {
		return false, because(ErrUnsupported, fmt.Errorf("no order %q", state))
	}
	if _, err := l.conn.ChassisControl(ctx, order); err != nil {
		return false, lanFault(err)
	}
	return true, nil
}

// BootDeviceSet says what the firmware starts next (IPMI 2.0, table 28-14).
// A BMC that does not know the EFI flag is asked again without it.
func (l *lan) BootDeviceSet(ctx context.Context, device string, persistent, efi bool) (bool, error) {
	selectors := map[pool.BootDevice]types.BootDeviceSelector{
		pool.BootNone: types.BootDeviceSelectorNoOverride,
		pool.BootPXE:  types.BootDeviceSelectorForcePXE,
		pool.BootDisk: types.BootDeviceSelectorForceHardDrive,
		pool.BootBIOS: types.BootDeviceSelectorForceBIOSSetup,
	}
	selector, ok := selectors[pool.BootDevice(device)]
	if !ok {
		return false, because(ErrUnsupported, fmt.Errorf("no boot device %q", device))
	}
	err := l.conn.SetBootDevice(ctx, selector, types.BIOSBootType(efi), persistent)
	if answer, refused := types.IsResponseError(err); refused && efi &&
		(answer.CompletionCode() == types.CodeRequestDataFieldInvalid || answer.CompletionCode() == types.CodeParameterOutOfRange) {
		err = l.conn.SetBootDevice(ctx, selector, types.BIOSBootTypeLegacy, persistent)
	}
	if err != nil {
		return false, lanFault(err)
	}
	return true, nil
}

// rakpGUID begins a GUID that was told at the login (RAKP message 2, IPMI 2.0,
// section 13.21) and not by a command: BMCs write the two in different orders.
const rakpGUID = "rakp-"

// guid returns the system's GUID as the agent reports it: 32 hex digits in
// the order of the wire. A BMC that has no command for it tells it at the
// login; empty from one that tells none.
func (l *lan) guid(ctx context.Context) (string, error) {
	r, err := l.conn.GetSystemGUID(ctx)
	if err = lanFault(err); errors.Is(err, ErrUnsupported) {
		return l.loginGUID(), nil
	} else if err != nil {
		return "", err
	}
	if r.GUID == ([16]byte{}) {
		return l.loginGUID(), nil
	}
	return hex.EncodeToString(r.GUID[:]), nil
}

func (l *lan) loginGUID() string {
	if l.system == ([16]byte{}) {
		return ""
	}
	return rakpGUID + hex.EncodeToString(l.system[:])
}
