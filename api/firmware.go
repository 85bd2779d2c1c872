package api

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"path/filepath"
	"time"
)

// OpenFirmwareCA opens the authority that firmware is to trust which boots by
// HTTPS: firmware-ca.pem and firmware-ca-key.pem in dir, made if neither is
// there. It is one of its own, with RSA keys, because the UEFI firmware of
// many servers was built without elliptic curves.
func OpenFirmwareCA(dir string, names ...string) (*CA, error) {
	return openCA(dir, "firmware-ca", rsaKey, names)
}

// FirmwareCAFile is the certificate that OpenFirmwareCA keeps below dir.
func FirmwareCAFile(dir string) string { return filepath.Join(dir, "firmware-ca.pem") }

func rsaKey() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// FirmwareTLS returns the configuration of a server of boot files for firmware:
// with the ciphers of a TLS that has neither elliptic curves nor version 1.3.
// What is served so is public; that it is what the appliance serves is the point.
func (ca *CA) FirmwareTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_RSA_WITH_AES_128_CBC_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
		},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := ca.serverCertificate(time.Now())
			if err != nil {
				return nil, err
			}
			return &tls.Certificate{Certificate: c.Certificate[:1], PrivateKey: c.PrivateKey, Leaf: c.Leaf}, nil
		},
	}
}
