package ipmi

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bmc-toolbox/bmclib/v2/providers/redfish"
	"github.com/go-logr/logr"

	"appliance/pool"
)

// redfishDriver is bmclib's gofish provider with three things mended: its
// requests end with the context of the call, an order that it carried out is
// not reported as failed, and its errors are told apart by what was seen on
// the wire, because bmclib turns them into text. It is used by one call and
// one goroutine.
type redfishDriver struct {
	conn *redfish.Conn
	wire *wire
}

// newRedfish returns a driver for the Redfish service of b.
func newRedfish(b pool.BMC, port int, wait time.Duration) *redfishDriver {
	w := &wire{base: &http.Transport{
		DialContext: (&net.Dialer{}).DialContext,
		// A BMC's certificate is its own; who it is was settled by the agent
		// in-band, and its password is unique.
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
	host := b.Address.String()
	if b.Address.Is6() {
		host = "[" + host + "]"
	}
	return &redfishDriver{wire: w, conn: redfish.New(host, b.User, b.Password.Reveal(), logr.Discard(),
		redfish.WithPort(strconv.Itoa(port)), redfish.WithHttpClient(&http.Client{Transport: w, Timeout: wait}))}
}

// Name is the provider's name in bmclib.
func (d *redfishDriver) Name() string { return redfish.ProviderName }

// Open makes a session.
func (d *redfishDriver) Open(ctx context.Context) error {
	return d.do(ctx, func() error { return d.conn.Open(ctx) })
}

// Close deletes the session, whatever has become of ctx.
func (d *redfishDriver) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return d.do(ctx, func() error { return d.conn.Close(ctx) })
}

// PowerStateGet returns Redfish's word for the power state.
func (d *redfishDriver) PowerStateGet(ctx context.Context) (state string, err error) {
	err = d.do(ctx, func() error {
		state, err = d.conn.PowerStateGet(ctx)
		return err
	})
	return state, err
}

// redfishGUID begins a GUID that Redfish told.
const redfishGUID = "redfish-"

// guid returns the system's UUID, which is in what says its power state; empty
// where it has none.
func (d *redfishDriver) guid(ctx context.Context) (string, error) {
	if _, err := d.PowerStateGet(ctx); err != nil {
		return "", err
	}
	d.wire.mu.Lock()
	defer d.wire.mu.Unlock()
	if strings.Trim(d.wire.uuid, "0") == "" || strings.Trim(d.wire.uuid, "f") == "" {
		return "", nil
	}
	return redfishGUID + d.wire.uuid, nil
}

// PowerSet gives one order: on, off, soft or reset. bmclib's word for what
// everybody else calls a reset (ForceRestart) is "cycle".
func (d *redfishDriver) PowerSet(ctx context.Context, state string) (bool, error) {
	if state == string(pool.DoPowerReset) {
		state = "cycle"
	}
	// The answer is not looked at: a soft off that was taken answers false.
	err := d.do(ctx, func() error {
		_, err := d.conn.PowerSet(ctx, state)
		return err
	})
	return err == nil, err
}

// BootDeviceSet says what the firmware starts next.
func (d *redfishDriver) BootDeviceSet(ctx context.Context, device string, persistent, efi bool) (ok bool, err error) {
	err = d.do(ctx, func() error {
		_, err := d.conn.BootDeviceSet(ctx, device, persistent, efi)
		return err
	})
	return err == nil, err
}

// do runs one call of the provider under ctx and gives its error a kind.
func (d *redfishDriver) do(ctx context.Context, call func() error) error {
	d.wire.begin(ctx)
	err := call()
	if err == nil {
		return nil
	}
	switch s, failed := d.wire.end(); {
	case failed != nil:
		return because(ErrUnreachable, failed)
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return because(ErrAuth, fmt.Errorf("HTTP status %d", s))
	case s >= 500 && s != http.StatusNotImplemented, s == http.StatusTooManyRequests:
		return because(ErrUnreachable, fmt.Errorf("HTTP status %d", s))
	case s >= 400:
		return because(ErrUnsupported, fmt.Errorf("HTTP status %d", s))
	}
	return because(ErrUnsupported, errors.New("no usable Redfish service: "+err.Error()))
}

// wire carries the requests of one call and remembers how the last one that
// failed did so. It holds the call's context because gofish has none for its
// requests, of which it may send several at once.
type wire struct {
	base http.RoundTripper

	mu     sync.Mutex
	ctx    context.Context
	failed error  // of the network
	status int    // an HTTP status of 400 or more
	uuid   string // of the system that was read: 32 hex digits, or nothing
}

func (w *wire) begin(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ctx, w.failed, w.status, w.uuid = ctx, nil, 0, ""
}

func (w *wire) end() (status int, failed error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status, w.failed
}

func (w *wire) call() context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ctx
}

func (w *wire) saw(status int, failed error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status, w.failed = status, failed
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := merge(r.Context(), w.call())
	answer, err := w.base.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		w.saw(0, err)
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		w.saw(answer.StatusCode, nil)
	}
	in := &body{Reader: io.LimitReader(answer.Body, maxBody), Closer: answer.Body, end: cancel}
	if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/Systems/") {
		var page bytes.Buffer
		in.Reader = io.TeeReader(in.Reader, &page)
		in.end = func() { cancel(); w.read(page.Bytes()) }
	}
	answer.Body = in
	return answer, nil
}

// read takes the UUID from a system's page (ComputerSystem, DSP2046).
func (w *wire) read(page []byte) {
	var system struct{ UUID, PowerState string }
	if json.Unmarshal(page, &system) != nil || system.PowerState == "" {
		return // something else below a system
	}
	uuid := strings.ToLower(strings.ReplaceAll(system.UUID, "-", ""))
	if b, err := hex.DecodeString(uuid); err != nil || len(b) != 16 {
		uuid = ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.uuid = uuid
}

// merge returns a context that ends with either of two.
func merge(a, b context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(a)
	stop := context.AfterFunc(b, func() { cancel(context.Cause(b)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// maxBody bounds an answer, which gofish reads into memory.
const maxBody = 4 << 20

// body ends the request's context when its answer was read.
type body struct {
	io.Reader
	io.Closer
	end func()
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.end()
	return b.Closer.Close()
}
