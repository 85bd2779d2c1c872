package api

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"appliance/pool"
)

// How long certificates live. An agent renews by saying hello.
const (
	caLife     = 10 * 365 * 24 * time.Hour
	serverLife = 365 * 24 * time.Hour
	agentLife  = 7 * 24 * time.Hour
)

// CA is the appliance's own certificate authority: it certifies the server
// and the agents, and nothing else. It is safe for concurrent use.
type CA struct {
	cert    *x509.Certificate
	key     crypto.Signer
	names   []string
	makeKey func() (crypto.Signer, error) // of the server

	mu     sync.Mutex
	server *tls.Certificate
}

// OpenCA reads ca.pem and ca-key.pem in dir, and makes them if neither is
// there. Names are the DNS names and IP addresses of the server's certificate.
// A half or damaged pair is an error, never replaced: the agents trust it.
func OpenCA(dir string, names ...string) (*CA, error) {
	ca, err := openCA(dir, "ca", ecdsaKey, names)
	if err != nil {
		return nil, err
	}
	if _, err := ca.serverCertificate(time.Now()); err != nil {
		return nil, err
	}
	return ca, nil
}

func ecdsaKey() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// openCA reads the pair of files that base names, or makes it.
func openCA(dir, base string, makeKey func() (crypto.Signer, error), names []string) (*CA, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of the CA: %w", err)
	}
	certFile, keyFile := filepath.Join(dir, base+".pem"), filepath.Join(dir, base+"-key.pem")
	certPEM, certErr := os.ReadFile(certFile)
	keyPEM, keyErr := os.ReadFile(keyFile)
	if errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist) {
		var err error
		if certPEM, keyPEM, err = newCA(makeKey); err != nil {
			return nil, fmt.Errorf("make CA: %w", err)
		}
		// The key first: a certificate without its key would be used by nobody and refused.
		if err := writeFile(keyFile, keyPEM, 0o600); err != nil {
			return nil, fmt.Errorf("write CA key: %w", err)
		}
		if err := writeFile(certFile, certPEM, 0o644); err != nil {
			return nil, errors.Join(fmt.Errorf("write CA certificate: %w", err), os.Remove(keyFile))
		}
	} else if errors.Is(certErr, fs.ErrNotExist) && keyErr == nil {
		return nil, fmt.Errorf("read CA: %s is there and %s is not: put it back from a backup; if this appliance never served a machine, its first start was cut off: delete %s, and start again",
			keyFile, certFile, keyFile)
	} else if err := errors.Join(certErr, keyErr); err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("read CA in %s: %w", certFile, err)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || pair.Leaf == nil || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("read CA in %s: not the certificate of a CA", certFile)
	}
	return &CA{cert: pair.Leaf, key: signer, names: slices.Clone(names), makeKey: makeKey}, nil
}

// writeFile writes a whole new file and syncs it.
func writeFile(path string, b []byte, mode fs.FileMode) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

func newCA(makeKey func() (crypto.Signer, error)) (certPEM, keyPEM []byte, err error) {
	key, err := makeKey()
	if err != nil {
		return nil, nil, err
	}
	// A day back: machines whose clocks are a little slow must believe it.
	from := time.Now().Add(-24 * time.Hour)
	id := serial()
	t := &x509.Certificate{
		SerialNumber: id, Subject: pkix.Name{CommonName: fmt.Sprintf("appliance CA %x", id.Bytes()[:4])},
		NotBefore: from, NotAfter: from.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return encodePEM("CERTIFICATE", der), encodePEM("PRIVATE KEY", k), nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// serial returns 127 random bits with the highest set (RFC 5280, 4.1.2.2).
func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b[:])
}

// PEM returns the CA's certificate.
func (ca *CA) PEM() []byte { return encodePEM("CERTIFICATE", ca.cert.Raw) }

// Fingerprint returns the SHA-256 of the CA's certificate in hex.
func (ca *CA) Fingerprint() string {
	sum := sha256.Sum256(ca.cert.Raw)
	return hex.EncodeToString(sum[:])
}

// TLS returns the server's configuration. A client certificate is asked for
// and not required; the handlers verify it, so that one that has expired is
// named in a problem document instead of a TLS alert, and still proves a
// hello that renews it.
func (ca *CA) TLS() *tls.Config {
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		ClientAuth: tls.RequestClientCert,
		ClientCAs:  clients,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return ca.serverCertificate(time.Now())
		},
	}
}

// serverCertificate returns the server's certificate, a new one when a third
// of its life is left. It starts when the CA does: an agent whose machine has
// no clock checks it at that time.
func (ca *CA) serverCertificate(now time.Time) (*tls.Certificate, error) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if ca.server != nil && ca.server.Leaf.NotAfter.Sub(now) > serverLife/3 {
		return ca.server, nil
	}
	key, err := ca.makeKey()
	if err != nil {
		return nil, fmt.Errorf("make server key: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "appliance"},
		NotBefore: ca.cert.NotBefore, NotAfter: earlier(now.Add(serverLife), ca.cert.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if _, ok := key.(*rsa.PrivateKey); ok {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	for _, n := range append([]string{"localhost", "127.0.0.1", "::1"}, ca.names...) {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if n != "" {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	leaf, err := ca.issue(t, key.Public())
	if err != nil {
		return nil, fmt.Errorf("issue server certificate: %w", err)
	}
	// The CA goes along: a client that knows its fingerprint finds it there.
	ca.server = &tls.Certificate{Certificate: [][]byte{leaf.Raw, ca.cert.Raw}, PrivateKey: key, Leaf: leaf}
	return ca.server, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (ca *CA) issue(t *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, ca.cert, public, ca.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// agentCertificate certifies that the key of a checked request is machine's.
func (ca *CA) agentCertificate(machine string, csr *x509.CertificateRequest, now time.Time) (string, error) {
	leaf, err := ca.issue(&x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: machine},
		NotBefore: now.Add(-time.Hour), NotAfter: earlier(now.Add(agentLife), ca.cert.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, csr.PublicKey)
	if err != nil {
		return "", fmt.Errorf("issue certificate of machine %s: %w", machine, err)
	}
	return string(encodePEM("CERTIFICATE", leaf.Raw)), nil
}

// client returns the machine and key fingerprint that a client certificate
// proves. Expired tells that its time is over; it is still the CA's word.
func (ca *CA) client(cert *x509.Certificate, now time.Time) (machine, key string, expired bool, err error) {
	if err := cert.CheckSignatureFrom(ca.cert); err != nil {
		return "", "", false, err
	}
	if !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || cert.Subject.CommonName == "" {
		return "", "", false, errors.New("not an agent's certificate")
	}
	return cert.Subject.CommonName, keyFingerprint(cert.RawSubjectPublicKeyInfo), now.After(cert.NotAfter), nil
}

// keyFingerprint is the SHA-256 of a public key (its SubjectPublicKeyInfo) in hex.
func keyFingerprint(spki []byte) string {
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// parseCSR reads a certificate request whose signature proves that the asker
// has the key. Errors wrap pool.ErrInvalid.
func parseCSR(text string) (*x509.CertificateRequest, string, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, "", fmt.Errorf("%w: certificate request is not PEM", pool.ErrInvalid)
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, "", fmt.Errorf("%w: certificate request: %v", pool.ErrInvalid, err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, "", fmt.Errorf("%w: certificate request: %v", pool.ErrInvalid, err)
	}
	return csr, keyFingerprint(csr.RawSubjectPublicKeyInfo), nil
}
