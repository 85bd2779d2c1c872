package ipmi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bougou/go-ipmi/pkg/server"
	"github.com/bougou/go-ipmi/pkg/types"
	"go.uber.org/goleak"

	"appliance/ipmi"
	"appliance/pool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// controller looks often, so that tests are quick.
func controller() *ipmi.Controller { return &ipmi.Controller{Poll: 5 * time.Millisecond} }

// wantFault asks for one kind of error, and for no other; nil wants none.
func wantFault(t *testing.T, what string, err, fault error) {
	t.Helper()
	for _, f := range []error{ipmi.ErrAuth, ipmi.ErrUnreachable, ipmi.ErrUnsupported, ipmi.ErrIdentity, ipmi.ErrPower} {
		if errors.Is(err, f) != (f == fault) {
			t.Errorf("%s: error %v, want %v", what, err, fault)
			return
		}
	}
	if fault == nil {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	var coded interface{ Code() string }
	if !errors.As(err, &coded) || !strings.HasPrefix(coded.Code(), "bmc.") {
		t.Errorf("%s: %v has no code", what, err)
	}
	if s := err.Error(); strings.Contains(s, password) || strings.Contains(s, "\n") || !strings.Contains(s, "127.0.0.1") {
		t.Errorf("%s: error text %q: want one line with the address and no password", what, s)
	}
}

func TestSetPower(t *testing.T) {
	t.Setenv("PATH", "") // no ipmitool
	for _, tt := range []struct {
		name    string
		chassis *chassis
		do      pool.PowerAction
		orders  []string
		on      bool
		want    error
	}{
		{"on", &chassis{}, pool.DoPowerOn, []string{"on"}, true, nil},
		{"already on", &chassis{on: true}, pool.DoPowerOn, nil, true, nil},
		{"slowly on", &chassis{delay: 60 * time.Millisecond}, pool.DoPowerOn, []string{"on"}, true, nil},
		{"off", &chassis{on: true, delay: 20 * time.Millisecond}, pool.DoPowerOff, []string{"off"}, false, nil},
		{"already off", &chassis{}, pool.DoPowerOff, nil, false, nil},
		{"soft", &chassis{on: true, delay: 20 * time.Millisecond}, pool.DoPowerSoft, []string{"soft"}, false, nil},
		{"soft, already off", &chassis{}, pool.DoPowerSoft, nil, false, nil},
		{"soft, not heard", &chassis{on: true, deaf: true}, pool.DoPowerSoft, []string{"soft"}, true, ipmi.ErrPower},
		{"stuck", &chassis{stuck: true}, pool.DoPowerOn, []string{"on"}, false, ipmi.ErrPower},
		{"cycle", &chassis{on: true, delay: 20 * time.Millisecond}, pool.DoPowerCycle, []string{"off", "on"}, true, nil},
		{"cycle of what is off", &chassis{}, pool.DoPowerCycle, []string{"on"}, true, nil},
		{"reset", &chassis{on: true}, pool.DoPowerReset, []string{"reset"}, true, nil},
		{"reset of what is off", &chassis{}, pool.DoPowerReset, nil, false, ipmi.ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, at := inProcess(t, tt.chassis)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if errors.Is(tt.want, ipmi.ErrPower) {
				ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
				defer cancel()
			}
			c := controller()
			wantFault(t, "SetPower", c.SetPower(ctx, at, tt.do), tt.want)
			if got := tt.chassis.seen(); !slices.Equal(got, tt.orders) {
				t.Errorf("orders = %v, want %v", got, tt.orders)
			}
			want := map[bool]pool.Power{true: pool.PowerOn, false: pool.PowerOff}[tt.on]
			if got, err := c.PowerState(t.Context(), at); err != nil || got != want {
				t.Errorf("PowerState = %s, %v, want %s", got, err, want)
			}
			if n := b.Sessions.Count(); n != 0 {
				t.Errorf("%d sessions were not given back", n)
			}
		})
	}
}

func TestSetPowerRefusesNonsense(t *testing.T) {
	_, at := inProcess(t, &chassis{})
	if err := controller().SetPower(t.Context(), at, "dance"); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("SetPower(dance) = %v, want %v", err, pool.ErrInvalid)
	}
	for name, change := range map[string]func(*pool.BMC){
		"protocol": func(b *pool.BMC) { b.Protocol = "telnet" },
		"user":     func(b *pool.BMC) { b.User = "" },
	} {
		b := at
		change(&b)
		if err := controller().Check(t.Context(), b); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("Check with a bad %s = %v, want %v", name, err, pool.ErrInvalid)
		}
	}
}

func TestSetBootDevice(t *testing.T) {
	c := &chassis{}
	_, at := inProcess(t, c)
	for _, tt := range []struct {
		device   pool.BootDevice
		firmware pool.Firmware
		want     types.BootDeviceSelector
		efi      types.BIOSBootType
	}{
		{pool.BootPXE, pool.BIOS, types.BootDeviceSelectorForcePXE, types.BIOSBootTypeLegacy},
		{pool.BootPXE, pool.UEFI, types.BootDeviceSelectorForcePXE, types.BIOSBootTypeEFI},
		{pool.BootDisk, pool.UEFI, types.BootDeviceSelectorForceHardDrive, types.BIOSBootTypeEFI},
		{pool.BootBIOS, "", types.BootDeviceSelectorForceBIOSSetup, types.BIOSBootTypeLegacy},
		{pool.BootNone, pool.BIOS, types.BootDeviceSelectorNoOverride, types.BIOSBootTypeLegacy},
	} {
		wantFault(t, "SetBootDevice", controller().SetBootDevice(t.Context(), at, tt.device, tt.firmware), nil)
		got, err := c.GetBootFlags(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !got.BootFlagsValid || got.Persist || got.BootDeviceSelector != tt.want || got.BIOSBootType != tt.efi {
			t.Errorf("%s by %s: flags %+v, want %v once, efi %v", tt.device, tt.firmware, got, tt.want, tt.efi)
		}
	}
	wantFault(t, "boot device floppy", controller().SetBootDevice(t.Context(), at, "floppy", pool.BIOS), ipmi.ErrUnsupported)
}

// TestCipherSuites logs in to BMCs that know only one suite, with the right
// and with a wrong password: the second is never taken for a missing suite.
func TestCipherSuites(t *testing.T) {
	for _, suite := range []types.CipherSuiteID{types.CipherSuiteID3, types.CipherSuiteID17} {
		_, at := inProcess(t, &chassis{}, server.WithCipherSuites([]types.CipherSuiteID{suite}))
		wantFault(t, fmt.Sprintf("suite %d", suite), controller().Check(t.Context(), at), nil)
		wrong := at
		wrong.Password = pool.NewSecret("wrong")
		wantFault(t, fmt.Sprintf("suite %d, wrong password", suite), controller().Check(t.Context(), wrong), ipmi.ErrAuth)
		nobody := at
		nobody.User = "nobody"
		wantFault(t, fmt.Sprintf("suite %d, unknown user", suite), controller().Check(t.Context(), nobody), ipmi.ErrAuth)
		long := at
		long.User = strings.Repeat("u", 17)
		wantFault(t, "a user name too long", controller().Check(t.Context(), long), ipmi.ErrAuth)
		wantFault(t, "after failed logins", controller().Check(t.Context(), at), nil)
	}
}

func TestUnsupported(t *testing.T) {
	for code, fault := range map[types.CompletionCode]error{
		types.CodeInvalidCommand:        ipmi.ErrUnsupported,
		types.CodeNotSupported:          ipmi.ErrUnsupported,
		types.CodeInsufficientPrivilege: ipmi.ErrAuth,
		types.CodeNodeBusy:              ipmi.ErrUnreachable,
	} {
		b, at := inProcess(t, &chassis{}, answering(types.CommandChassisControl, code))
		wantFault(t, fmt.Sprintf("code %#x", code), controller().SetPower(t.Context(), at, pool.DoPowerOn), fault)
		if n := b.Sessions.Count(); n != 0 {
			t.Errorf("code %#x: %d sessions were not given back", code, n)
		}
	}
	_, at := inProcess(t, &chassis{}, answering(types.CommandSetSystemBootOptions, types.CodeParameterNotSupported))
	wantFault(t, "boot options", controller().SetBootDevice(t.Context(), at, pool.BootPXE, pool.UEFI), ipmi.ErrUnsupported)
	_, at = inProcess(t, &chassis{}, answering(types.CommandSetSessionPrivilegeLevel, 0x81))
	wantFault(t, "no administrator", controller().Check(t.Context(), at), ipmi.ErrAuth)
}

func TestUnreachable(t *testing.T) {
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := silent.LocalAddr().(*net.UDPAddr).Port
	_, at := inProcess(t, &chassis{})
	at.Port = port
	quick := &ipmi.Controller{Timeout: 100 * time.Millisecond}
	for name, call := range map[string]func(context.Context) error{
		"PowerState":    func(ctx context.Context) error { _, err := quick.PowerState(ctx, at); return err },
		"SetPower":      func(ctx context.Context) error { return quick.SetPower(ctx, at, pool.DoPowerOff) },
		"SetBootDevice": func(ctx context.Context) error { return quick.SetBootDevice(ctx, at, pool.BootPXE, pool.BIOS) },
		"Check":         func(ctx context.Context) error { return quick.Check(ctx, at) },
	} {
		wantFault(t, name+" of a silent BMC", call(t.Context()), ipmi.ErrUnreachable)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantFault(t, "the caller's deadline", controller().Check(ctx, at), ipmi.ErrUnreachable)
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := controller().Check(ctx, at); !errors.Is(err, context.Canceled) || errors.Is(err, ipmi.ErrUnreachable) {
		t.Errorf("Check of a caller who left = %v, want %v", err, context.Canceled)
	}
	if err := silent.Close(); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "a port nobody listens on", controller().Check(t.Context(), at), ipmi.ErrUnreachable)
}

func TestCheckIdentity(t *testing.T) {
	guid := [16]byte{0: 0xaa, 15: 0x01}
	box := &chassis{}
	_, at := inProcess(t, box, answering(types.CommandGetSystemGUID, types.CodeOK, guid[:]...))
	for guid, fault := range map[string]error{
		"":                                     nil,
		"aa000000000000000000000000000001":     nil,
		"AA000000-0000-0000-0000-000000000001": nil,
		"bb000000000000000000000000000001":     ipmi.ErrIdentity,
	} {
		at.GUID = guid
		wantFault(t, "GUID "+guid, controller().Check(t.Context(), at), fault)
	}
	at.GUID = "bb000000000000000000000000000001" // an address that another machine's BMC has now
	wantFault(t, "power of a stranger", controller().SetPower(t.Context(), at, pool.DoPowerOn), ipmi.ErrIdentity)
	wantFault(t, "boot device of a stranger", controller().SetBootDevice(t.Context(), at, pool.BootPXE, pool.UEFI), ipmi.ErrIdentity)
	if len(box.orders) > 0 {
		t.Errorf("the stranger got orders %v", box.orders)
	}
	_, at = inProcess(t, &chassis{}) // knows no such command
	at.GUID = "bb000000000000000000000000000001"
	wantFault(t, "no GUID to be had", controller().Check(t.Context(), at), nil)
}

func TestFaultsDiffer(t *testing.T) {
	codes, texts := map[string]bool{}, map[string]bool{}
	for fault, kind := range map[error]error{ipmi.ErrAuth: pool.ErrConflict, ipmi.ErrUnreachable: pool.ErrUnavailable,
		ipmi.ErrUnsupported: pool.ErrInvalid, ipmi.ErrIdentity: pool.ErrConflict, ipmi.ErrPower: pool.ErrUnavailable} {
		var coded interface{ Code() string }
		if !errors.As(fmt.Errorf("wrapped: %w", fault), &coded) || !errors.Is(fault, kind) {
			t.Fatalf("%v has no code or is not %v", fault, kind)
		}
		codes[coded.Code()], texts[fault.Error()] = true, true
	}
	if len(codes) != 5 || len(texts) != 5 {
		t.Errorf("codes %v and texts %v, want five of each", codes, texts)
	}
}

func TestLogHasNoPassword(t *testing.T) {
	var log bytes.Buffer
	_, at := inProcess(t, &chassis{})
	c := &ipmi.Controller{Poll: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))}
	wantFault(t, "SetPower", c.SetPower(t.Context(), at, pool.DoPowerOn), nil)
	if s := log.String(); !strings.Contains(s, "order=on") || !strings.Contains(s, "bmc=127.0.0.1") || strings.Contains(s, password) {
		t.Errorf("log = %q, want the order and the BMC, and no password", s)
	}
}

// TestGUIDOverLAN: a BMC says who it is by command, or, where it has none, at
// the login; what was told one way is compared with what is told that way.
func TestGUIDOverLAN(t *testing.T) {
	const byCommand, atLogin = "cc000000000000000000000000000002", "rakp-aa000000000000000000000000000001"
	guid := [16]byte{0: 0xcc, 15: 0x02}
	for _, tt := range []struct {
		name string
		opts []server.ServerOption
		want string
	}{
		{"by command", []server.ServerOption{answering(types.CommandGetSystemGUID, types.CodeOK, guid[:]...)}, byCommand},
		{"no such command", []server.ServerOption{answering(types.CommandGetSystemGUID, types.CodeInvalidCommand)}, atLogin},
		{"a GUID of zeros", []server.ServerOption{answering(types.CommandGetSystemGUID, types.CodeOK, make([]byte, 16)...)}, atLogin},
	} {
		box := &chassis{}
		_, at := inProcess(t, box, tt.opts...)
		got, err := controller().GUID(t.Context(), at)
		if err != nil || got != tt.want {
			t.Errorf("%s: GUID = %q, %v, want %q", tt.name, got, err, tt.want)
		}
		at.GUID = got
		wantFault(t, tt.name+": itself", controller().Check(t.Context(), at), nil)
		at.GUID = strings.Replace(got, "0000000", "0000009", 1) // another machine's
		wantFault(t, tt.name+": another", controller().Check(t.Context(), at), ipmi.ErrIdentity)
		wantFault(t, tt.name+": power of another", controller().SetPower(t.Context(), at, pool.DoPowerOff), ipmi.ErrIdentity)
		if len(box.seen()) > 0 {
			t.Errorf("%s: another machine got orders %v", tt.name, box.seen())
		}
	}
}
