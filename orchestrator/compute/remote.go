package compute

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"appliance/pool"
)

// Remote is how the libvirt of another machine is reached: over TLS, with a
// certificate of its own CA for each side.
type Remote struct {
	Address     string // host:port
	CA          string // PEM; it alone says who the other side is
	Certificate string // PEM; ours
	Key         pool.Secret
}

// dial connects and waits for the byte by which libvirt says that it took our
// certificate (virNetTLSSession; libvirt's remote driver does the same).
func (r *Remote) dial(ctx context.Context) (net.Conn, error) {
	pair, err := tls.X509KeyPair([]byte(r.Certificate), []byte(r.Key.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("certificate for libvirt at %s: %w", r.Address, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(r.CA)) {
		return nil, fmt.Errorf("CA of libvirt at %s is no PEM", r.Address)
	}
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTime}, Config: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}}
	c, err := d.DialContext(ctx, "tcp", r.Address)
	if err != nil {
		return nil, err
	}
	err = c.SetReadDeadline(time.Now().Add(dialTime))
	var ok [1]byte
	if err == nil {
		_, err = io.ReadFull(c, ok[:])
	}
	if err == nil && ok[0] != 1 {
		err = errors.New("libvirt refused our certificate")
	}
	if err = errors.Join(err, c.SetReadDeadline(time.Time{})); err != nil {
		return nil, errors.Join(fmt.Errorf("libvirt at %s: %w", r.Address, err), c.Close())
	}
	return c, nil
}
