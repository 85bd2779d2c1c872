package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// TestAdopt: the key is made here and stays here; only an identity for this
// very key is kept, and a new offer makes the older one worthless.
func TestAdopt(t *testing.T) {
	f := newFakeAppliance(t)
	home := HomeAt(t.TempDir())
	var csr bytes.Buffer
	if err := home.Offer(&csr); err != nil {
		t.Fatal(err)
	}
	if text := csr.String(); !strings.HasPrefix(text, "-----BEGIN CERTIFICATE REQUEST") || strings.Contains(text, "PRIVATE") {
		t.Fatalf("offer = %s", text)
	}
	identity := func(csr string) []byte {
		b, err := json.Marshal(wire.Identity{Server: f.srv.URL, CA: f.pem, Machine: "m-1", Certificate: f.certify(csr, time.Hour), Epoch: 3})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := identity(csr.String())
	if err := home.Adopt(bytes.NewReader(first)); err != nil {
		t.Fatal(err)
	}
	id, _, _, err := home.open()
	if err != nil || id.Machine != "m-1" || id.Epoch != 3 {
		t.Fatalf("open = %+v, %v", id, err)
	}
	for _, name := range []string{"key.pem", "identity.json"} {
		if info, err := os.Stat(filepath.Join(home.Config, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v; want it readable by its owner only", name, info.Mode(), err)
		}
	}
	if err := home.Offer(&bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := home.open(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after a new offer the older identity is there: %v", err)
	}
	for name, text := range map[string][]byte{"another key's": first, "no JSON": []byte("hello"), "nothing": nil} {
		if err := home.Adopt(bytes.NewReader(text)); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("identity that is %s = %v, want %v", name, err, pool.ErrInvalid)
		}
	}
}
