package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// errGone is the answer 410: the task was cancelled or belongs to nobody.
var errGone = errors.New("task is no longer wanted")

// errUnauthorized is the answer 401 or 403: say hello again.
var errUnauthorized = errors.New("not authorized")

// Client speaks the agent's protocol. It trusts the given CA and nothing
// else, whatever the system trusts. Safe for use by several goroutines.
type Client struct {
	// Dial opens connections; nil is the usual way. Set it before the first use.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	server string
	roots  *x509.CertPool
	ca     *x509.Certificate

	mu   sync.Mutex
	cert *tls.Certificate
	http *http.Client
	date time.Time // the appliance's clock at its last answer
}

// NewClient returns a client of the appliance at server (https://…) that
// trusts the CA given as PEM. Errors wrap pool.ErrInvalid.
func NewClient(server, ca string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%w: appliance address %q: want https://HOST:PORT", pool.ErrInvalid, server)
	}
	cert, err := parseCertificate(ca)
	if err != nil {
		return nil, fmt.Errorf("read appliance CA: %w", err)
	}
	c := &Client{server: strings.TrimRight(server, "/"), roots: x509.NewCertPool(), ca: cert}
	c.roots.AddCert(cert)
	c.connect(nil)
	return c, nil
}

// Use makes the client prove itself with cert from the next connection on.
func (c *Client) Use(cert *tls.Certificate) {
	c.mu.Lock()
	old := c.http
	c.mu.Unlock()
	c.connect(cert)
	old.CloseIdleConnections()
}

func (c *Client) connect(cert *tls.Certificate) {
	conf := &tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    c.roots,
		Time:       c.now,
	}
	if cert != nil {
		conf.Certificates = []tls.Certificate{*cert}
	}
	t := &http.Transport{
		TLSClientConfig:       conf,
		DialContext:           c.dial,
		TLSHandshakeTimeout:   15 * time.Second,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute,
		ForceAttemptHTTP2:     false,
	}
	c.mu.Lock()
	c.cert, c.http = cert, &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the agent's protocol has no redirects")
	}}
	c.mu.Unlock()
}

func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, network, address)
	}
	return (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext(ctx, network, address)
}

// proved says whether the client has a certificate to show.
func (c *Client) proved() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cert != nil
}

// now is the time that certificates are checked at. A machine whose clock
// stands before the CA was made has no idea of the time (an empty battery);
// then the CA's signature must do, and the appliance's answer sets the clock.
func (c *Client) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := time.Now()
	if t.Before(c.ca.NotBefore) {
		if t = c.date; t.IsZero() {
			t = c.ca.NotBefore.Add(time.Hour)
		}
	}
	return t
}

// Date is the appliance's time at its last answer, or zero.
func (c *Client) Date() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.date
}

// Do sends in as JSON (nil: no body) and reads the answer into out (nil: none
// is expected). An answer 204 leaves out alone and returns false. Errors are
// errGone, errUnauthorized, or wrap the pool's kinds.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) (found bool, err error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return false, fmt.Errorf("%w: encode request: %v", pool.ErrInvalid, err)
		}
		body = bytes.NewReader(b)
	}
	resp, err := c.send(ctx, method, path, body, nil)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, drain(resp.Body)) }()
	if resp.StatusCode == http.StatusNoContent || out == nil {
		return false, nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(out); err != nil {
		return false, fmt.Errorf("%w: answer to %s: %v", pool.ErrUnavailable, path, err)
	}
	return true, nil
}

// Get opens the content at path: length bytes from offset on, or all the rest
// when length is 0.
func (c *Client) Get(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	h := http.Header{}
	switch {
	case length > 0:
		h.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	case offset > 0:
		h.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := c.send(ctx, http.MethodGet, path, nil, h)
	if err != nil {
		return nil, err
	}
	if offset > 0 && resp.StatusCode != http.StatusPartialContent {
		return nil, errors.Join(fmt.Errorf("%w: %s: the appliance does not resume", pool.ErrUnavailable, path), resp.Body.Close())
	}
	return resp.Body, nil
}

func (c *Client) send(ctx context.Context, method, path string, body io.Reader, h http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, body)
	if err != nil {
		return nil, fmt.Errorf("%w: request %s: %v", pool.ErrInvalid, path, err)
	}
	for k, v := range h {
		req.Header[k] = v
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "appliance-agent/"+wire.Protocol)
	c.mu.Lock()
	client := c.http
	c.mu.Unlock()
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s: %w", pool.ErrUnavailable, method, path, hideURL(err))
	}
	if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.date = t
		c.mu.Unlock()
	}
	if resp.StatusCode < 300 { // 101 among them
		return resp, nil
	}
	return nil, errors.Join(refusal(path, resp), drain(resp.Body))
}

// hideURL takes the address out of net/http's errors: it may carry a query.
func hideURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func refusal(path string, resp *http.Response) error {
	var p wire.Problem
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if json.Unmarshal(b, &p) != nil || p.Detail == "" {
		p.Detail = resp.Status
	}
	kind := pool.ErrUnavailable
	switch resp.StatusCode {
	case http.StatusGone:
		kind = errGone
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = errUnauthorized
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		kind = pool.ErrInvalid
	case http.StatusNotFound:
		kind = pool.ErrNotFound
	case http.StatusConflict:
		kind = pool.ErrConflict
	}
	return fmt.Errorf("%w: %s: %s", kind, path, p.Detail)
}

// drain reads what is left of an answer, so that its connection is used again.
func drain(body io.ReadCloser) error {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	return body.Close()
}
