package dhcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"appliance/pool"
)

func TestClassify(t *testing.T) {
	arch := func(n byte) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, n}))
	}
	class := func(s string) dhcpv4.Modifier { return dhcpv4.WithOption(dhcpv4.OptClassIdentifier(s)) }
	for _, tt := range []struct {
		name string
		mods []dhcpv4.Modifier
		want pool.Client
	}{
		{"nothing", nil, pool.Client{Arch: -1}},
		{"BIOS", []dhcpv4.Modifier{class("PXEClient:Arch:00000:UNDI:002001"), arch(0)}, pool.Client{Arch: 0, PXE: true}},
		{"UEFI 7", []dhcpv4.Modifier{class("PXEClient"), arch(7)}, pool.Client{Arch: 7, PXE: true}},
		{"UEFI 9", []dhcpv4.Modifier{class("PXEClient"), arch(9)}, pool.Client{Arch: 9, PXE: true}},
		{"arm64", []dhcpv4.Modifier{class("PXEClient"), arch(11)}, pool.Client{Arch: 11, PXE: true}},
		{"HTTP", []dhcpv4.Modifier{class("HTTPClient:Arch:00016"), arch(16)}, pool.Client{Arch: 16, PXE: true, HTTP: true}},
		{"user class, bare", []dhcpv4.Modifier{dhcpv4.WithUserClass("iPXE", false)}, pool.Client{Arch: -1, IPXE: true}},
		{"user class, RFC 3004", []dhcpv4.Modifier{dhcpv4.WithUserClass("iPXE", true)}, pool.Client{Arch: -1, IPXE: true}},
		{"user class, second of two", []dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptRFC3004UserClass([]string{"a", "iPXE"}))}, pool.Client{Arch: -1, IPXE: true}},
		{"user class, other", []dhcpv4.Modifier{dhcpv4.WithUserClass("iPXEx", true)}, pool.Client{Arch: -1}},
		{"option 175", []dhcpv4.Modifier{class("PXEClient"), arch(7), dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(optIPXE), []byte{1}))}, pool.Client{Arch: 7, PXE: true, IPXE: true}},
	} {
		if diff := cmp.Diff(tt.want, clientOf(t, msg(t, dhcpv4.MessageTypeDiscover, mac(1), tt.mods...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func clientOf(t *testing.T, d *dhcpv4.DHCPv4) pool.Client {
	t.Helper()
	var r request
	if !r.read(d.ToBytes()) {
		t.Fatalf("refused: %s", d.Summary())
	}
	return classify(&r)
}

func TestThreeIdentifiersOneLease(t *testing.T) {
	m := newMemory()
	s := newServer(m)
	s.Directory = table{known: map[pool.MAC]bool{mac(1): true}}
	var stages []pool.BootStage
	s.Boot = func(e pool.BootEvent) { stages = append(stages, e.Stage) }
	first := boot(t, s, mac(1), bios)
	for _, c := range []dhcpv4.Modifier{ipxe, agent, system} {
		if a := boot(t, s, mac(1), c); a != first {
			t.Errorf("got %s, then %s", first, a)
		}
	}
	if len(m.rows) != 1 {
		t.Errorf("%d leases, want 1", len(m.rows))
	}
	want := []pool.BootStage{pool.StageDiscover, pool.StageLease, pool.StageIPXE, pool.StageAgentIP}
	if diff := cmp.Diff(want, stages); diff != "" {
		t.Errorf("boot events (-want +got):\n%s", diff)
	}
	if !s.Netbooting(mac(1)) || s.Netbooting(mac(2)) {
		t.Error("Netbooting does not tell them apart")
	}
}

func TestIPXEFromCardStartsTheBoot(t *testing.T) {
	s := newServer(newMemory())
	var stages []pool.BootStage
	s.Boot = func(e pool.BootEvent) { stages = append(stages, e.Stage) }
	boot(t, s, mac(1), ipxe)
	boot(t, s, mac(1), ipxe) // the one that the first loaded
	want := []pool.BootStage{pool.StageDiscover, pool.StageIPXE, pool.StageIPXE}
	if diff := cmp.Diff(want, stages); diff != "" {
		t.Errorf("boot events (-want +got):\n%s", diff)
	}
}

func TestNoAckWithoutStore(t *testing.T) {
	m := newMemory()
	s := newServer(m)
	m.fail = errors.New("disk full")
	req := msg(t, dhcpv4.MessageTypeRequest, mac(1), bios, wants("10.77.0.103"), from("10.77.0.1"))
	resp, err := s.reply(t.Context(), req, arrival{})
	if resp != nil || !errors.Is(err, m.fail) {
		t.Errorf("reply = %v, %v; want silence and %v", resp, err, m.fail)
	}
	if n := s.Stats().Acks; n != 0 {
		t.Errorf("acks = %d, want 0", n)
	}
	s.Directory = table{err: pool.ErrUnavailable}
	if resp, err := s.reply(t.Context(), req, arrival{}); resp != nil || !errors.Is(err, pool.ErrUnavailable) {
		t.Errorf("reply = %v, %v; want silence and %v", resp, err, pool.ErrUnavailable)
	}
}

func TestDecline(t *testing.T) {
	m := newMemory()
	s := newServer(m)
	a := boot(t, s, mac(1), bios)
	// A stranger cannot decline what it does not have.
	if r := ask(t, s, dhcpv4.MessageTypeDecline, mac(2), wants(a.String()), from("10.77.0.1")); r != nil || m.rows[a].Declined {
		t.Errorf("a stranger declined %s: %v", a, r)
	}
	if r := ask(t, s, dhcpv4.MessageTypeDecline, mac(1), wants(a.String()), from("10.77.0.1")); r != nil {
		t.Errorf("DECLINE answered: %v", r)
	}
	if l := m.rows[a]; !l.Declined || time.Until(l.Expires) < 50*time.Minute {
		t.Errorf("after DECLINE: %+v, want it set aside", l)
	}
	if b := boot(t, s, mac(1), bios); b == a {
		t.Errorf("got the declined %s again", a)
	}
	if n := s.Stats().Declines; n != 1 {
		t.Errorf("declines = %d, want 1", n)
	}
}

func TestRelease(t *testing.T) {
	m := newMemory()
	s := newServer(m)
	a := boot(t, s, mac(1), bios)
	ask(t, s, dhcpv4.MessageTypeRelease, mac(2), has(a.String()), from("10.77.0.1"))
	if len(m.rows) != 1 {
		t.Error("a stranger released the lease")
	}
	ask(t, s, dhcpv4.MessageTypeRelease, mac(1), has(a.String()), from("10.77.0.1"))
	if len(m.rows) != 0 {
		t.Errorf("after RELEASE: %v", m.rows)
	}
}

func TestOffersRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(newMemory())
		seen := map[netip.Addr]bool{}
		for i := range byte(10) {
			r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(i+1), bios)
			seen[addr4(r.YourIPAddr)] = true
		}
		if len(seen) != 10 {
			t.Fatalf("%d addresses offered to 10 clients", len(seen))
		}
		full := msg(t, dhcpv4.MessageTypeDiscover, mac(20), bios)
		if r, err := s.reply(t.Context(), full, arrival{}); r != nil || !errors.Is(err, pool.ErrUnavailable) {
			t.Errorf("11th client: %v, %v; want ErrUnavailable", r, err)
		}
		if n := s.Stats().Exhausted; n != 1 {
			t.Errorf("exhausted = %d, want 1", n)
		}
		time.Sleep(holdFor)
		if r := ask(t, s, dhcpv4.MessageTypeDiscover, mac(20), bios); r == nil {
			t.Error("offers that nobody took still hold their addresses")
		}
	})
}

func TestExpiredLeasesAreReusedLast(t *testing.T) {
	var have []pool.Lease
	for i := range byte(9) {
		a := netip.AddrFrom4([4]byte{10, 77, 0, 100 + i})
		have = append(have, pool.Lease{MAC: mac(i + 1), Address: a, Expires: time.Now().Add(-time.Duration(i+1) * time.Hour)})
	}
	s := newServer(newMemory(have...))
	if a := boot(t, s, mac(50), bios); a != ip("10.77.0.109") {
		t.Errorf("got %s, want the address that nobody ever had", a)
	}
	if a := boot(t, s, mac(51), bios); a != ip("10.77.0.108") {
		t.Errorf("got %s, want the one that ran out longest ago", a)
	}
}

// Whatever clients ask for, in whatever order: no address has two owners, and
// none is given that the subnet does not hand out.
func TestOneOwnerPerAddress(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := newMemory()
		s := newServer(m)
		kinds := []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeRelease, dhcpv4.MessageTypeDecline}
		clients := []dhcpv4.Modifier{bios, ipxe, efi, httpBoot}
		owner := map[netip.Addr]pool.MAC{}
		for range rapid.IntRange(1, 60).Draw(r, "messages") {
			who := mac(rapid.ByteRange(1, 14).Draw(r, "mac"))
			kind := rapid.SampledFrom(kinds).Draw(r, "kind")
			addr := fmt.Sprintf("10.77.0.%d", rapid.IntRange(98, 112).Draw(r, "addr"))
			mods := []dhcpv4.Modifier{rapid.SampledFrom(clients).Draw(r, "client")}
			if rapid.Bool().Draw(r, "ciaddr") {
				mods = append(mods, has(addr))
			} else {
				mods = append(mods, wants(addr))
			}
			if kind != dhcpv4.MessageTypeDiscover {
				mods = append(mods, from("10.77.0.1"))
			}
			resp, err := s.reply(t.Context(), msg(t, kind, who, mods...), arrival{})
			if err != nil && !errors.Is(err, pool.ErrUnavailable) {
				r.Fatalf("%s of %s: %v", kind, who, err)
			}
			if l, ok := m.rows[ip(addr)]; !ok || l.Declined { // given back
				delete(owner, ip(addr))
			}
			if resp == nil || resp.MessageType() == dhcpv4.MessageTypeNak {
				continue
			}
			got := addr4(resp.YourIPAddr)
			if !rack().InRange(got) {
				r.Fatalf("%s of %s: got %s, outside the range", kind, who, got)
			}
			if o, ok := owner[got]; ok && o != who {
				r.Fatalf("%s given to %s while %s has it", got, who, o)
			}
			if resp.MessageType() == dhcpv4.MessageTypeAck {
				for a, o := range owner {
					if o == who {
						delete(owner, a)
					}
				}
				owner[got] = who
				if m.rows[got].MAC != who {
					r.Fatalf("ACK of %s to %s is not stored: %+v", got, who, m.rows[got])
				}
			}
		}
	})
}

func TestHostname(t *testing.T) {
	for in, want := range map[string]string{
		"node-1": "node-1", "a.b": "a.b", "node\x00": "node", "": "", "-x": "", "x-": "", "a\nb": "", "a b": "", "ä": "",
		strings.Repeat("a", 64): "", "$(reboot)": "",
	} {
		if got := hostname([]byte(in)); got != want {
			t.Errorf("hostname(%q) = %q, want %q", in, got, want)
		}
	}
}

// garbage are packets that no client sends.
func garbage(t testing.TB) [][]byte {
	ok := msg(t, dhcpv4.MessageTypeDiscover, mac(1), ipxe).ToBytes()
	var out [][]byte
	for n := range 240 { // shorter than a header with its cookie
		out = append(out, ok[:n])
	}
	mod := func(f func(b []byte)) {
		b := bytes.Clone(ok)
		f(b)
		out = append(out, b)
	}
	mod(func(b []byte) { b[0] = 2 })                          // a server's
	mod(func(b []byte) { b[1] = 6 })                          // not Ethernet
	mod(func(b []byte) { b[2] = 16 })                         // a long address
	mod(func(b []byte) { b[2] = 200 })                        // an address longer than its field
	mod(func(b []byte) { copy(b[28:], make([]byte, 6)) })     // no address
	mod(func(b []byte) { b[28] = 1 })                         // a group's address
	mod(func(b []byte) { copy(b[236:], []byte{1, 2, 3, 4}) }) // no cookie
	mod(func(b []byte) { b[240], b[241] = 60, 255 })          // an option longer than the packet
	mod(func(b []byte) { copy(b[240:], []byte{53, 1, 2}) })   // an OFFER
	mod(func(b []byte) { copy(b[240:], []byte{255}) })        // BOOTP without a type
	return append(out, bytes.Repeat([]byte{0xff}, 1500), make([]byte, 300))
}

func TestGarbageIsDroppedAndCounted(t *testing.T) {
	for i, b := range garbage(t) {
		if req, ok := parse(b); ok {
			t.Errorf("packet %d accepted: %s", i, req.Summary())
		}
	}
	defer goleak.VerifyNone(t)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(newMemory())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, conn) }()
	c, err := net.DialUDP("udp4", nil, conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	sent := uint64(0)
	for _, b := range garbage(t) {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		sent++
		for s.Stats().Received < sent { // one at a time: a full socket buffer would drop some
			time.Sleep(50 * time.Microsecond)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	_ = c.Close()
	if got := s.Stats(); got.Malformed != sent || got.Received != sent {
		t.Errorf("%+v, want %d malformed", got, sent)
	}
}

func TestServeEndsWithItsSocket(t *testing.T) {
	defer goleak.VerifyNone(t)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- newServer(newMemory()).Serve(t.Context(), conn) }()
	_ = conn.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve = %v, want net.ErrClosed", err)
	}
}

func FuzzReply(f *testing.F) {
	for _, m := range []dhcpv4.Modifier{bios, ipxe, efi, httpBoot, agent, system, relayed("10.77.0.9"), wants("10.77.0.104"), has("10.77.0.104"), from("10.77.0.1")} {
		for _, k := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeInform, dhcpv4.MessageTypeRelease, dhcpv4.MessageTypeDecline} {
			f.Add(msg(f, k, mac(1), m).ToBytes())
		}
	}
	for _, b := range garbage(f)[230:] {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, ok := begun(b, arrival{}); !ok {
			return
		}
		s := newServer(newMemory(pool.Lease{MAC: mac(1), Address: ip("10.77.0.104"), Expires: time.Now().Add(time.Hour)}))
		s.Directory = table{known: map[pool.MAC]bool{mac(1): true}}
		for _, mode := range []pool.SubnetMode{pool.SubnetServer, pool.SubnetProxy} {
			s.Subnets[0].Mode = mode
			for _, proxy := range []bool{false, true} {
				fuzzed(t, s, b, arrival{src: netip.MustParseAddrPort("10.77.0.104:68"), dst: ip("10.77.0.1"), proxy: proxy})
			}
			s.once = sync.Once{}
		}
	})
}

func fuzzed(t *testing.T, s *Server, b []byte, a arrival) {
	resp, x, err := answered(t.Context(), s, b, a)
	if err != nil {
		t.Fatalf("reply: %v", err)
	}
	if resp == nil {
		return
	}
	if !x.to.to.IsValid() {
		t.Errorf("reply goes nowhere: %s", resp.Summary())
	}
	if got := resp.TransactionID; got != dhcpv4.TransactionID(x.req.xid) || addr4(resp.ServerIdentifier()) != x.server {
		t.Errorf("reply is not to the request: %s", resp.Summary())
	}
	if a := addr4(resp.YourIPAddr); !a.IsUnspecified() && !rack().InRange(a) && a != ip("10.77.0.50") {
		t.Errorf("gave %s", a)
	}
	if len(x.out.b) > maxReply {
		t.Errorf("reply of %d bytes: it would be fragmented", len(x.out.b))
	}
}
