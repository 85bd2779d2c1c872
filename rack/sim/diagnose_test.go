package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/api/client"
	"appliance/pool"
)

const (
	actEnv    = "SIM_DIAGNOSE" // the act that this process plays in the rack's namespace
	actDirEnv = "SIM_DIAGNOSE_DIR"
	readyFile = "ready" // in the act's folder: the appliance may be started
)

// TestDiagnoses provokes the rules of pool.BootRules on the wire of the binary
// that is shipped: machines stop in the middle of a boot, and what the
// appliance recorded of them must be diagnosed by the rule.
func TestDiagnoses(t *testing.T) {
	if act := os.Getenv(actEnv); act != "" {
		acts()[act](t, os.Getenv(actDirEnv))
		return
	}
	s := newSite(t)
	// far is a network behind a relay agent whose only address is reserved.
	const server = `subnets:
- {name: rack, prefix: 10.77.0.0/16, first: 10.77.1.1, last: 10.77.1.250, mode: server, discover: true, no_probe: true}
- {name: far, prefix: 10.79.0.0/24, first: 10.79.0.10, last: 10.79.0.10, discover: true, no_probe: true, reserve: {"52:54:00:d1:ff:ff": 10.79.0.10}}
`
	s.act("stops", server)
	s.act("refused", server+"kernel: [\"a;b\"]\n")
	s.act("foreign", "subnets:\n- {name: rack, prefix: 10.77.0.0/16, first: 10.77.1.1, last: 10.77.1.250, discover: true}\n")
	s.cableAway()
	var never []string
	for _, r := range pool.BootRules() {
		// The first has no wire with a whole binary: TestNoKitForARM64 of
		// cmd/appliance provokes it. The others are acts of their own, above.
		if !slices.Contains(provoked(), r.ID) && !slices.Contains([]string{"arm-no-kit", "power-no-dhcp", "dhcp-foreign", "appliance-refused"}, r.ID) {
			never = append(never, r.ID)
		}
	}
	if len(never) > 0 {
		t.Errorf("rules that nothing provokes here: %v", never)
	}
}

// act runs an appliance with a configuration, and an act of this test beside
// it in the rack's namespace.
func (s *site) act(name, config string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	config = fmt.Sprintf("data: %s/data\ninterface: sim0\n", dir) + config
	if err := os.WriteFile(filepath.Join(dir, "appliance.yaml"), []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(s.t.Context(), "ip", "netns", "exec", s.inner, os.Args[0], "-test.run", "^TestDiagnoses$", "-test.timeout", "5m", "-test.v")
	cmd.Env = append(os.Environ(), actEnv+"="+name, actDirEnv+"="+dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // some have to be there before the appliance
		if _, err := os.Stat(filepath.Join(dir, readyFile)); err == nil || time.Now().After(end) {
			break
		}
	}
	stop := s.start(s.outer, "serve", "--config", dir+"/appliance.yaml")
	err := cmd.Wait()
	stop()
	s.sh("ip -n %[1]s addr flush dev sim0; ip -n %[1]s addr add 10.77.255.250/16 dev sim0", s.inner) // of leases
	if err != nil {
		s.t.Errorf("%s: %v\n%s\n%s", name, err, out.String(), s.tail("serve"))
	}
}

func acts() map[string]func(*testing.T, string) {
	return map[string]func(*testing.T, string){"stops": stops, "refused": refused, "foreign": foreign}
}

// appliance is the API of the appliance whose data lie in dir, once it answers.
func appliance(t *testing.T, dir string) (c *client.Client, ca string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, readyFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		token, err := os.ReadFile(filepath.Join(dir, "data", "admin.token"))
		if err != nil {
			continue
		}
		caFile := filepath.Join(dir, "data", "ca", "ca.pem")
		c, err := client.New(client.Options{URL: "https://10.77.0.1:8443", Token: strings.TrimSpace(string(token)), CAFile: caFile})
		if err != nil || c.Health(t.Context()) != nil {
			continue
		}
		b, err := os.ReadFile(caFile)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c, string(b)
	}
	t.Fatal("the appliance does not answer")
	return nil, ""
}

// diagnosed waits until the last boot of mac (with upTo: the last one that has
// such an event, up to it) is diagnosed by a rule once enough time has passed.
func diagnosed(t *testing.T, c *client.Client, mac pool.MAC, rule string, upTo func(pool.BootEvent) bool) {
	t.Helper()
	var last string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		b, err := c.Boot(t.Context(), mac.String())
		if err != nil || len(b.Boots) == 0 {
			last = fmt.Sprint("not seen: ", err)
			continue
		}
		boot := b.Boots[len(b.Boots)-1]
		if upTo != nil {
			boot = until(b.Boots, upTo)
		}
		d, _ := pool.Explain(boot, time.Now().Add(24*time.Hour), nil)
		if d.Rule == rule {
			t.Logf("%s: %s", rule, d.Sentence())
			return
		}
		last = fmt.Sprintf("%q of %s", d.Rule, eventText(boot.Events))
	}
	t.Errorf("%s: diagnosed as %s", rule, last)
}

// until is the last boot with such an event, up to that event: on a busy
// machine others have begun since.
func until(boots []pool.Boot, is func(pool.BootEvent) bool) pool.Boot {
	for _, b := range slices.Backward(boots) {
		for i, e := range slices.Backward(b.Events) {
			if is(e) {
				b.Events = b.Events[:i+1]
				return b
			}
		}
	}
	return pool.Boot{}
}

func eventText(events []pool.BootEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%s %s %s", e.Stage, e.Code, e.Detail))
	}
	return strings.Join(all, "; ")
}

func testMAC(i int) pool.MAC { return pool.MAC{0x52, 0x54, 0, 0xd1, 0, byte(i)} }

// refused: the appliance's own configuration holds what iPXE would interpret.
func refused(t *testing.T, dir string) {
	c, ca := appliance(t, dir)
	b, err := openBox(testMAC(1), 0, ca)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.bound(firmware), b.bound(ipxe), b.get(b.own("script.ipxe"), 0)); err != nil {
		t.Fatal(err)
	}
	diagnosed(t, c, b.mac, "appliance-refused", nil)
}

// foreign: another DHCP server is there already when the appliance starts.
func foreign(t *testing.T, dir string) {
	other, err := listen(dhcpv4.ServerPort)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	go func() { // ends with the socket
		buf := make([]byte, 2048)
		for {
			n, _, err := other.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			d, err := dhcpv4.FromBytes(buf[:n])
			if err != nil || d.MessageType() != dhcpv4.MessageTypeDiscover {
				continue
			}
			o, err := dhcpv4.NewReplyFromRequest(d, dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer), dhcpv4.WithYourIP(net.IP{10, 77, 200, 1}),
				dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IP{10, 77, 255, 250})))
			if err == nil {
				_, _ = other.WriteToUDP(o.ToBytes(), &net.UDPAddr{IP: net.IPv4bcast, Port: 68}) // it asks again
			}
		}
	}()
	b, err := openBox(testMAC(1), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
				_, _ = b.send(firmware, dhcpv4.MessageTypeDiscover, 0) // the appliance may not be up yet
			}
		}
	}()
	defer close(stop)
	c, _ := appliance(t, dir)
	diagnosed(t, c, b.mac, "dhcp-foreign", func(e pool.BootEvent) bool { return e.Code == pool.CodeForeign })
}

// cableAway: a machine that its BMC has switched on asks for no address.
func (s *site) cableAway() {
	s.t.Helper()
	const away = 15 * time.Second
	dir := filepath.Join(s.dir, "power")
	script := filepath.Join(s.dir, "away")
	config := fmt.Sprintf("data: %s/data\ninterface: sim0\nsubnets:\n- {name: rack, prefix: 10.77.0.0/16, first: 10.77.1.1, last: 10.77.1.250, mode: server, discover: true}\n"+
		"accept:\n- {name: all, subnet: 10.77.0.0/16, erase: true}\n", dir)
	for _, err := range []error{os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "appliance.yaml"), []byte(config), 0o600),
		os.WriteFile(script, fmt.Appendf(nil, "%s link-flaps all for 10m\n", away), 0o600)} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	defer s.start(s.outer, "serve", "--config", dir+"/appliance.yaml")()
	began := time.Now()
	defer s.start(s.inner, "rack", "--interface", "sim0", "--machines", "1", "--bmc-network", "10.78.0.0/16", "--faults", script, "--speed", "0")()
	cli := func(out any, args ...string) error {
		args = append([]string{"netns", "exec", s.outer, s.bin}, args...)
		b, err := exec.CommandContext(s.t.Context(), "ip", append(args, "-o", "json", "--server", "https://10.77.0.1:8443",
			"--token-file", dir+"/data/admin.token", "--ca", dir+"/data/ca/ca.pem")...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, b)
		}
		return json.Unmarshal(b, out)
	}
	var all []struct{ ID, Phase string }
	last := error(nil)
	for end := time.Now().Add(2 * time.Minute); len(all) == 0 || all[0].Phase != "ready"; time.Sleep(200 * time.Millisecond) {
		if last = cli(&all, "machine", "list"); time.Now().After(end) {
			s.t.Fatalf("no ready machine: %v %+v\n%s\n%s", last, all, s.tail("serve"), s.tail("rack"))
		}
	}
	time.Sleep(time.Until(began.Add(away + time.Second)))
	var op, show json.RawMessage
	if err := cli(&op, "machine", "power", all[0].ID, "cycle"); err != nil {
		s.t.Fatal(err)
	}
	rule := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && rule != "power-no-dhcp"; time.Sleep(500 * time.Millisecond) {
		var b struct{ Boots []pool.Boot }
		if last = errors.Join(cli(&show, "boot", "show", all[0].ID), json.Unmarshal(show, &b)); last == nil && len(b.Boots) > 0 {
			d, _ := pool.Explain(b.Boots[len(b.Boots)-1], time.Now().Add(24*time.Hour), nil)
			rule = d.Rule
		}
	}
	if rule != "power-no-dhcp" {
		s.t.Errorf("a machine without its cable is diagnosed as %q, want power-no-dhcp (%v)\n%s", rule, last, show)
	}
}

// stop is one way of stopping in the middle of a boot.
type stop struct {
	rule string
	arch uint16
	do   func(ctx context.Context, b *box) error
}

// stops plays all of them at once, and at last the one that breaks the kit.
func stops(t *testing.T, dir string) {
	c, ca := appliance(t, dir)
	play := func(t *testing.T, i int, s stop) {
		b, err := openBox(testMAC(i+1), s.arch, ca)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = b.conn.Close()
			for _, r := range b.open {
				_ = r.conn.Close()
			}
		})
		if err := s.do(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		diagnosed(t, c, b.mac, s.rule, nil)
	}
	all := allStops()
	t.Run("stops", func(t *testing.T) {
		for i, s := range all {
			t.Run(s.rule, func(t *testing.T) {
				t.Parallel()
				play(t, i, s)
			})
		}
	})
	play(t, len(all), stop{rule: "appliance-read", do: func(_ context.Context, b *box) error {
		if err := b.bound(firmware); err != nil {
			return err
		}
		r, err := b.tftp("kit/initrd.zst")
		if err != nil {
			return err
		}
		if _, err := r.blocks(10); err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(dir, "data", "kit", "*-initrd.zst"))
		if err != nil || len(files) != 1 {
			return fmt.Errorf("files of the kit: %v, %w", files, err)
		}
		if err := os.Truncate(files[0], 20_000); err != nil {
			return err
		}
		if _, err := r.blocks(0); err == nil || !strings.Contains(err.Error(), "cannot be read") {
			return fmt.Errorf("the transfer of a file that was cut: %w", err)
		}
		return nil
	}})
}

func provoked() []string {
	all := []string{"appliance-read"}
	for _, s := range allStops() {
		all = append(all, s.rule)
	}
	return all
}

var errNotAsSaid = errors.New("it went on")

// relayed makes a message one of a machine in the network far.
func relayed(m *dhcpv4.DHCPv4) { m.GatewayIPAddr = net.IP{10, 79, 0, 1} }

func elsewhere() netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, 9}) }
