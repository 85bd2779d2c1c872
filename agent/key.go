package agent

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"time"

	"appliance/pool"
)

// Key is an agent's private key. It is made on the machine and never leaves it.
type Key struct{ private ed25519.PrivateKey }

// NewKey makes a key.
func NewKey() (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make key: %w", err)
	}
	return Key{private}, nil
}

// ParseKey reads what PEM wrote. Errors wrap pool.ErrInvalid and do not quote the text.
func ParseKey(text []byte) (Key, error) {
	b, _ := pem.Decode(text)
	if b == nil {
		return Key{}, fmt.Errorf("%w: read key: no PEM block", pool.ErrInvalid)
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("%w: read key: %v", pool.ErrInvalid, err)
	}
	private, ok := k.(ed25519.PrivateKey)
	if !ok {
		return Key{}, fmt.Errorf("%w: read key: a %T, want Ed25519", pool.ErrInvalid, k)
	}
	return Key{private}, nil
}

// PEM writes the key as PKCS #8.
func (k Key) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Request returns a certificate request (PKCS #10, PEM); its signature proves
// that the asker has the key. The name in it is for the reader: the appliance
// decides what it certifies.
func (k Key) Request(name string) (string, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader,
		&x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, k.private)
	if err != nil {
		return "", fmt.Errorf("make certificate request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// Certificate joins the key and the certificate that was issued for it.
// Errors wrap pool.ErrInvalid.
func (k Key) Certificate(text string) (*tls.Certificate, error) {
	leaf, err := parseCertificate(text)
	if err != nil {
		return nil, fmt.Errorf("read own certificate: %w", err)
	}
	if !k.private.Public().(ed25519.PublicKey).Equal(leaf.PublicKey) {
		return nil, fmt.Errorf("%w: read own certificate: issued for another key", pool.ErrInvalid)
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: k.private, Leaf: leaf}, nil
}

// renewAt is half of a certificate's life.
func renewAt(c *tls.Certificate) time.Time {
	return c.Leaf.NotBefore.Add(c.Leaf.NotAfter.Sub(c.Leaf.NotBefore) / 2)
}

func parseCertificate(text string) (*x509.Certificate, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil || b.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%w: no certificate in PEM", pool.ErrInvalid)
	}
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", pool.ErrInvalid, err)
	}
	return c, nil
}
