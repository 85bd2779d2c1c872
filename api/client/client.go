package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"appliance/pool"
)

// Options say which appliance is called, and as whom.
type Options struct {
	// URL is the appliance's address: https://10.77.0.1:8443.
	URL string
	// Token is an API token; agents have none.
	Token string
	// CAFile or CAPEM hold the appliance's CA certificate. With neither,
	// Fingerprint must name it, or the system's roots are used.
	CAFile string
	CAPEM  []byte
	// Fingerprint is the SHA-256 of the CA certificate in hex, colons allowed,
	// as printed with the first token.
	Fingerprint string
	// Certificate proves an agent.
	Certificate *tls.Certificate
	// Timeout bounds one call that does not stream; 30 s when zero. Long polls get their wait on top.
	Timeout time.Duration
	// Dial replaces the dialer, for tests and namespaces.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client calls one appliance. It is safe for concurrent use.
type Client struct {
	base    string
	token   string
	timeout time.Duration
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	tls     *tls.Config // without client certificate

	mu   sync.Mutex
	http *http.Client
}

// New returns a client. It does not connect. Errors wrap pool.ErrInvalid.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%w: address %q: want https://HOST:PORT", pool.ErrInvalid, o.URL)
	}
	conf, err := trust(o)
	if err != nil {
		return nil, err
	}
	c := &Client{base: strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/"), token: o.Token, timeout: o.Timeout, tls: conf, dial: o.Dial}
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	c.SetCertificate(o.Certificate)
	return c, nil
}

// SetCertificate makes every later call prove itself with cert (nil: with
// none), on new connections.
func (c *Client) SetCertificate(cert *tls.Certificate) {
	conf := c.tls.Clone()
	if cert != nil {
		// Not Certificates: that one is held back when the server's list of
		// CAs does not name the issuer by the letter.
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	dial := c.dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	}
	next := &http.Client{
		Transport: &http.Transport{
			DialContext: dial, TLSClientConfig: conf, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 4,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.mu.Lock()
	old := c.http
	c.http = next
	c.mu.Unlock()
	if old != nil {
		old.CloseIdleConnections()
	}
}

// Close gives idle connections back.
func (c *Client) Close() { c.client().CloseIdleConnections() }

func (c *Client) client() *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.http
}

func trust(o Options) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS13}
	ca := o.CAPEM
	if o.CAFile != "" {
		b, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read CA certificate: %w", err)
		}
		ca = b
	}
	print := strings.ToLower(strings.ReplaceAll(o.Fingerprint, ":", ""))
	if len(ca) > 0 {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(ca) {
			return nil, fmt.Errorf("%w: CA certificate is not PEM", pool.ErrInvalid)
		}
		if block, _ := pem.Decode(ca); print != "" && block != nil && fingerprint(block.Bytes) != print {
			return nil, fmt.Errorf("%w: CA certificate has fingerprint %s, not %s", pool.ErrInvalid, fingerprint(block.Bytes), print)
		}
		return conf, nil
	}
	if print != "" {
		if b, err := hex.DecodeString(print); err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("%w: fingerprint %q: want a SHA-256 in hex", pool.ErrInvalid, o.Fingerprint)
		}
		// The chain is checked by VerifyConnection, against the one CA that the
		// fingerprint names.
		conf.InsecureSkipVerify = true
		conf.VerifyConnection = func(cs tls.ConnectionState) error { return verify(cs, print) }
	}
	return conf, nil
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// verify checks the server's chain against the CA in it that has the
// fingerprint.
func verify(cs tls.ConnectionState, print string) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	found := false
	for _, cert := range cs.PeerCertificates {
		if fingerprint(cert.Raw) == print && cert.IsCA {
			roots.AddCert(cert)
			found = true
		} else {
			between.AddCert(cert)
		}
	}
	if !found {
		return fmt.Errorf("%w: no certificate of the server has fingerprint %s", ErrDenied, print)
	}
	_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: cs.ServerName})
	return err
}

// FetchCA returns the CA certificate (PEM) that the appliance at address shows,
// after checking its fingerprint. With an empty fingerprint nothing is proved:
// the caller shows the returned one to a person.
func FetchCA(ctx context.Context, address, print string) (ca []byte, got string, err error) {
	c, err := New(Options{URL: address, Fingerprint: print})
	if err != nil {
		return nil, "", err
	}
	if print == "" {
		c.tls.InsecureSkipVerify = true
		c.SetCertificate(nil)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := c.send(ctx, http.MethodGet, "/healthz", nil, nil)
	if err != nil {
		return nil, "", err
	}
	if err := res.Body.Close(); err != nil {
		return nil, "", err
	}
	if res.TLS == nil {
		return nil, "", fmt.Errorf("%w: %s is not HTTPS", pool.ErrInvalid, address)
	}
	for _, cert := range res.TLS.PeerCertificates {
		if cert.IsCA && (print == "" || fingerprint(cert.Raw) == strings.ToLower(strings.ReplaceAll(print, ":", ""))) {
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), fingerprint(cert.Raw), nil
		}
	}
	return nil, "", fmt.Errorf("%w: %s shows no CA certificate", pool.ErrInvalid, address)
}

// send makes one request and returns its answer when it is a good one.
func (c *Client) send(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", pool.ErrInvalid, err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if n := req.Header.Get("Content-Length"); n != "" {
		if _, err := fmt.Sscan(n, &req.ContentLength); err != nil {
			return nil, fmt.Errorf("%w: length %q", pool.ErrInvalid, n)
		}
	}
	res, err := c.client().Do(req)
	if err != nil {
		return nil, sendError(ctx, err)
	}
	if res.StatusCode >= 300 {
		return nil, problem(res)
	}
	return res, nil
}

// sendError names what went wrong before there was an answer.
func sendError(ctx context.Context, err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrDenied):
		return err
	}
	var unknown x509.UnknownAuthorityError
	var wrong x509.HostnameError
	if errors.As(err, &unknown) || errors.As(err, &wrong) {
		return fmt.Errorf("%w: %v", ErrDenied, err)
	}
	return fmt.Errorf("%w: %w", pool.ErrUnavailable, err)
}

// call sends in (nil: nothing) as JSON and decodes the answer into out (nil:
// there is none). It says whether there was an answer to decode.
func (c *Client) call(ctx context.Context, method, path string, in, out any) (bool, error) {
	return c.callFor(ctx, c.timeout, method, path, in, out)
}

func (c *Client) callFor(ctx context.Context, limit time.Duration, method, path string, in, out any) (_ bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	header := http.Header{"Accept": {"application/json"}}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return false, fmt.Errorf("%w: %v", pool.ErrInvalid, err)
		}
		body = bytes.NewReader(b)
		header.Set("Content-Type", "application/json")
	}
	res, err := c.send(ctx, method, path, header, body)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode == http.StatusNoContent || out == nil {
		_, err := io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
		return false, err
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return false, fmt.Errorf("decode answer of %s %s: %w", method, path, err)
	}
	return true, nil
}

// read is a GET whose answer is a T.
func read[T any](ctx context.Context, c *Client, path string) (T, error) {
	var v T
	_, err := c.call(ctx, http.MethodGet, path, nil, &v)
	return v, err
}

// ask is a POST or PUT whose answer is a T.
func ask[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var v T
	_, err := c.call(ctx, method, path, in, &v)
	return v, err
}

// tell is a call without an answer.
func (c *Client) tell(ctx context.Context, method, path string, in any) error {
	_, err := c.call(ctx, method, path, in, nil)
	return err
}

func esc(s string) string { return url.PathEscape(s) }
