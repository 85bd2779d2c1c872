package api

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"testing"
)

// TestFirmwareTLS: a TLS without elliptic curves and version 1.3, as firmware
// has it, believes the server by the certificate that is enrolled there.
func TestFirmwareTLS(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenFirmwareCA(dir, "10.77.0.1"); err != nil {
		t.Fatal(err)
	}
	ca, err := OpenFirmwareCA(dir, "10.77.0.1") // the one that is there
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(FirmwareCAFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatalf("no certificate: %s", text)
	}
	for _, suite := range []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256} {
		a, b := net.Pipe()
		go func() { // ends with the pipe
			c := tls.Server(a, ca.FirmwareTLS())
			_, _ = io.WriteString(c, "boot")
			_ = c.Close()
		}()
		c := tls.Client(b, &tls.Config{RootCAs: roots, ServerName: "10.77.0.1", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}})
		if got, err := io.ReadAll(c); err != nil || string(got) != "boot" || c.ConnectionState().CipherSuite != suite {
			t.Errorf("%s: %q, %v", tls.CipherSuiteName(suite), got, err)
		}
		_ = b.Close()
	}
}
