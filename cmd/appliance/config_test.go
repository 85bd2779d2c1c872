package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"appliance/pool"
)

func TestSuggestedConfigIsValid(t *testing.T) {
	text := suggestConfig()
	c, err := parseConfig([]byte(text))
	if err != nil {
		t.Fatalf("the suggested configuration is refused: %v\n%s", err, text)
	}
	if len(c.Subnets) != 1 || !c.Subnets[0].Discover || c.Data == "" || len(c.Accept) != 0 {
		t.Errorf("suggested configuration reads as %+v", c)
	}
	// What is commented out has to be right, too.
	var all []string
	for _, l := range strings.Split(text, "\n") {
		l = strings.Replace(l, "# accept:", "accept:", 1)
		for _, k := range []string{"#   - name: rack", "#     subnet:", "# listen:", "#   https:", "#   http:", "# names:", "# ssh_keys:", "    # router:", "    # dns:", "    # reserve:"} {
			if strings.HasPrefix(l, k) {
				l = strings.Replace(l, "# ", "", 1)
			}
		}
		all = append(all, l)
	}
	full := strings.Join(all, "\n")
	full = strings.ReplaceAll(full, "10.77.0.254", c.Subnets[0].First.String())
	full = strings.ReplaceAll(full, "10.77.0.20", c.Subnets[0].First.String())
	if c, err = parseConfig([]byte(full)); err != nil || len(c.Accept) != 1 || len(c.Subnets[0].Reserve) != 1 || len(c.SSHKeys) != 1 {
		t.Errorf("with all comments taken away: %v, %+v\n%s", err, c, full)
	}
}

func TestConfigRefuses(t *testing.T) {
	const ok = "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, first: 10.0.0.10, last: 10.0.0.20}]\n"
	if _, err := parseConfig([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"an unknown key":          ok + "intreface: eth2\n",
		"no interface":            "subnets: [{prefix: 10.0.0.0/24, first: 10.0.0.10, last: 10.0.0.20}]",
		"no subnet":               "interface: eth1",
		"a range outside":         "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, first: 10.0.1.10, last: 10.0.1.20}]",
		"a range upside down":     "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, first: 10.0.0.20, last: 10.0.0.10}]",
		"IPv6 range":              "interface: eth1\nsubnets: [{prefix: fd77::/64, first: 'fd78::1', last: 'fd78::2'}]",
		"mode":                    "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, mode: maybe}]",
		"option":                  "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, mode: proxy, options: {53: 'u8:1'}}]",
		"a relative data folder":  ok + "data: here\n",
		"a reserved name":         "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, first: 10.0.0.10, last: 10.0.0.20, reserve: {'52:54:00:00:00:01': box}}]",
		"a reserve for no MAC":    "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, first: 10.0.0.10, last: 10.0.0.20, reserve: {nonsense: 10.0.0.7}}]",
		"a rule without name":     ok + "accept: [{subnet: 10.0.0.0/24}]\n",
		"a key that is none":      ok + "ssh_keys: [hello]\n",
		"a key with a line break": ok + "ssh_keys: [\"ssh-ed25519 AAAA\\nroot ALL\"]\n",
		"a short lease":           "interface: eth1\nsubnets: [{prefix: 10.0.0.0/24, first: 10.0.0.10, last: 10.0.0.20, lease: 1s}]",
	} {
		if _, err := parseConfig([]byte(text)); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(suggestConfig()))
	f.Add([]byte("subnets: [{reserve: {a: b}}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parseConfig(b); err != nil && !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("error %v is not ErrInvalid", err)
		}
	})
}

// TestInterfaceAddr: subnets behind relay agents may stand before the interface's own.
func TestInterfaceAddr(t *testing.T) {
	subnets := []pool.Subnet{
		{Prefix: netip.MustParsePrefix("10.88.0.0/24")}, {Prefix: netip.MustParsePrefix("127.0.0.0/8")},
		{Prefix: netip.MustParsePrefix("fd88::/64")}, {Prefix: netip.MustParsePrefix("::1/128")},
	}
	for _, tt := range []struct {
		of     []netip.Prefix
		want   string
		family string
	}{
		{prefixes(subnets, netip.Addr.Is4), "127.0.0.1", "IPv4"},
		{prefixes(subnets, netip.Addr.Is6), "::1", "IPv6"},
		{nil, "127.0.0.1", "no subnet"},
	} {
		if a, err := interfaceAddr("lo", tt.of); err != nil || a.String() != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.family, a, err, tt.want)
		}
	}
	_, err := interfaceAddr("lo", prefixes(subnets[:1], netip.Addr.Is4))
	if want := "ip address add 10.88.0.1/24 dev lo"; !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "mode: off") {
		t.Errorf("only behind a relay agent: %v, want %q and the way without", err, want)
	}
}

// TestSealKeyOfTwoStarts: the key of the one that was quicker stands.
func TestSealKeyOfTwoStarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var quicker []byte
	late, err := sealKey(dir, func(b []byte) (int, error) {
		var err error
		if quicker, err = sealKey(dir, rand.Read); err != nil {
			return 0, err
		}
		return rand.Read(b)
	})
	if err != nil || !bytes.Equal(late, quicker) {
		t.Errorf("the later start has %x, %v; want %x", late, err, quicker)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %q, %v", left, err)
	}
}

func TestSecretText(t *testing.T) {
	for in, want := range map[string]string{"": "", "word\n": "word", "word\r\n": "word", "-----BEGIN KEY-----\nAA==\n-----END KEY-----\n": "-----BEGIN KEY-----\nAA==\n-----END KEY-----"} {
		a := &app{stdin: strings.NewReader(in)}
		if got, err := a.secretText(); err != nil || got != want {
			t.Errorf("secretText of %q = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestSealKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	key, err := sealKey(dir, rand.Read)
	if err != nil || len(key) != 32 {
		t.Fatalf("first key: %d bytes, %v", len(key), err)
	}
	again, err := sealKey(dir, rand.Read)
	if err != nil || !bytes.Equal(key, again) {
		t.Errorf("second start has another key, %v", err)
	}
	path := filepath.Join(dir, "seal.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("seal key has mode %v, %v; want 0600", info.Mode(), err)
	}
	if err := os.WriteFile(path, key[:7], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sealKey(dir, rand.Read); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("a short key: %v, want ErrInvalid", err)
	}
	// Never make a new key for an old database: its secrets would be lost for good.
	if err := errors.Join(os.Remove(path), os.WriteFile(filepath.Join(dir, "pool.db"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := sealKey(dir, rand.Read); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("a lost key: %v, want ErrInvalid", err)
	}
}
