package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a directory; a name below others exists, too.
type names map[string][]netip.Addr

func (n names) Reverse(_ context.Context, addr netip.Addr) (string, error) {
	for name, addrs := range n {
		if slices.Contains(addrs, addr) {
			return name, nil
		}
	}
	return "", nil
}

func (n names) Lookup(_ context.Context, name string) ([]netip.Addr, bool, error) {
	if name == "broken" {
		return nil, false, errors.New("disk")
	}
	a, ok := n[name]
	for k := range n {
		ok = ok || strings.HasSuffix(k, "."+name)
	}
	return a, ok, nil
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func server() *Server {
	many := make([]netip.Addr, 100)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})
	}
	return &Server{Zone: "rack.internal", Addr: ip("10.0.0.1"), Names: names{
		"mysql": {ip("10.0.0.5")}, "1.mysql": {ip("10.0.0.5")}, "web.shop": {ip("10.0.0.6"), ip("10.0.0.7"), ip("fd00::7")}, "idle": nil, "many": many}}
}

// ask packs a query; edns 0 is none.
func ask(t testing.TB, name string, typ dnsmessage.Type, edns int) []byte {
	t.Helper()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: 77, RecursionDesired: true})
	if err := errors.Join(b.StartQuestions(), b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: typ, Class: dnsmessage.ClassINET})); err != nil {
		t.Fatal(err)
	}
	if edns > 0 {
		var h dnsmessage.ResourceHeader
		if err := errors.Join(b.StartAdditionals(), h.SetEDNS0(edns, 0, false), b.OPTResource(h, dnsmessage.OPTResource{})); err != nil {
			t.Fatal(err)
		}
	}
	out, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parsed(t testing.TB, b []byte) dnsmessage.Message {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		t.Fatalf("answer %x: %v", b, err)
	}
	return m
}

func addrs(m dnsmessage.Message) []string {
	out := []string{}
	for _, r := range m.Answers {
		switch b := r.Body.(type) {
		case *dnsmessage.AResource:
			out = append(out, netip.AddrFrom4(b.A).String())
		case *dnsmessage.AAAAResource:
			out = append(out, netip.AddrFrom16(b.AAAA).String())
		default:
			out = append(out, strings.TrimPrefix(fmt.Sprintf("%T", b), "*dnsmessage."))
		}
	}
	slices.Sort(out)
	return out
}

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		typ   dnsmessage.Type
		rcode dnsmessage.RCode
		want  []string
		soa   bool // in the authority section
	}{
		{"mysql.rack.internal.", dnsmessage.TypeA, 0, []string{"10.0.0.5"}, false},
		{"MySQL.Rack.Internal.", dnsmessage.TypeA, 0, []string{"10.0.0.5"}, false},
		{"1.mysql.rack.internal.", dnsmessage.TypeA, 0, []string{"10.0.0.5"}, false},
		{"web.shop.rack.internal.", dnsmessage.TypeA, 0, []string{"10.0.0.6", "10.0.0.7"}, false},
		{"web.shop.rack.internal.", dnsmessage.TypeAAAA, 0, []string{"fd00::7"}, false},
		{"web.shop.rack.internal.", dnsmessage.TypeALL, 0, []string{"10.0.0.6", "10.0.0.7", "fd00::7"}, false},
		{"shop.rack.internal.", dnsmessage.TypeA, 0, nil, true}, // has a name below it
		{"idle.rack.internal.", dnsmessage.TypeA, 0, nil, true}, // nothing of it runs
		{"mysql.rack.internal.", dnsmessage.TypeMX, 0, nil, true},
		{"mysql.rack.internal.", dnsmessage.TypeAAAA, 0, nil, true},
		{"none.rack.internal.", dnsmessage.TypeA, dnsmessage.RCodeNameError, nil, true},
		{"rack.internal.", dnsmessage.TypeSOA, 0, []string{"SOAResource"}, false},
		{"rack.internal.", dnsmessage.TypeNS, 0, []string{"NSResource"}, false},
		{"rack.internal.", dnsmessage.TypeA, 0, nil, true},
		{"appliance.rack.internal.", dnsmessage.TypeA, 0, []string{"10.0.0.1"}, false},
		{"broken.rack.internal.", dnsmessage.TypeA, dnsmessage.RCodeServerFailure, nil, false},
		{"example.org.", dnsmessage.TypeA, dnsmessage.RCodeRefused, nil, false},
		{"notrack.internal.", dnsmessage.TypeA, dnsmessage.RCodeRefused, nil, false},
	} {
		t.Run(tt.name+" "+tt.typ.String(), func(t *testing.T) {
			m := parsed(t, server().Answer(t.Context(), ask(t, tt.name, tt.typ, 1232), false))
			if m.ID != 77 || !m.Response || m.RCode != tt.rcode || m.RecursionAvailable || len(m.Questions) != 1 || m.Questions[0].Name.String() != tt.name {
				t.Errorf("header %+v, question %v", m.Header, m.Questions)
			}
			if got := addrs(m); !slices.Equal(got, append([]string{}, tt.want...)) {
				t.Errorf("answers %v, want %v", got, tt.want)
			}
			if got := len(m.Authorities) == 1 && m.Authorities[0].Header.Type == dnsmessage.TypeSOA; got != tt.soa {
				t.Errorf("SOA %v, want %v", got, tt.soa)
			}
			if ok := tt.rcode == 0 || tt.rcode == dnsmessage.RCodeNameError; m.Authoritative != ok {
				t.Errorf("authoritative %v", m.Authoritative)
			}
			for _, r := range append(m.Answers, m.Authorities...) {
				if r.Header.TTL > 10 {
					t.Errorf("a TTL of %d s holds on to a machine that is gone", r.Header.TTL)
				}
			}
		})
	}
}

// What does not fit is cut over UDP, whole over TCP.
func TestTruncation(t *testing.T) {
	s := server()
	for _, tt := range []struct {
		edns int
		tcp  bool
		cut  bool
	}{{0, false, true}, {1232, false, true}, {65000, false, true}, {0, true, false}} {
		b := s.Answer(t.Context(), ask(t, "many.rack.internal.", dnsmessage.TypeA, tt.edns), tt.tcp)
		m := parsed(t, b)
		if m.Truncated != tt.cut || tt.cut && len(b) > maxUDPSize || !tt.cut && len(m.Answers) != 100 {
			t.Errorf("%+v: truncated %v, %d answers, %d bytes", tt, m.Truncated, len(m.Answers), len(b))
		}
	}
}

// Each of several instances comes first now and then.
func TestRotation(t *testing.T) {
	s, first := server(), map[string]bool{}
	for range 100 {
		m := parsed(t, s.Answer(t.Context(), ask(t, "web.shop.rack.internal.", dnsmessage.TypeA, 0), false))
		first[netip.AddrFrom4(m.Answers[0].Body.(*dnsmessage.AResource).A).String()] = true
	}
	if len(first) != 2 {
		t.Errorf("first are %v", first)
	}
}

func TestBadPackets(t *testing.T) {
	s, good := server(), ask(t, "mysql.rack.internal.", dnsmessage.TypeA, 512)
	edit := func(i int, v byte) []byte { b := slices.Clone(good); b[i] = v; return b }
	for name, tt := range map[string]struct {
		packet []byte
		rcode  int // -1: no answer
	}{
		"empty":           {nil, -1},
		"short":           {good[:11], -1},
		"an answer":       {edit(2, 0x81), -1},
		"no question":     {append(slices.Clone(good[:4]), 0, 0, 0, 0, 0, 0, 0, 0), int(dnsmessage.RCodeFormatError)},
		"half a question": {good[:20], int(dnsmessage.RCodeFormatError)},
		"status query":    {edit(2, 0x11), int(dnsmessage.RCodeNotImplemented)},
		"two questions":   {edit(5, 2), int(dnsmessage.RCodeFormatError)},
	} {
		t.Run(name, func(t *testing.T) {
			out := s.Answer(t.Context(), tt.packet, false)
			if tt.rcode < 0 {
				if out != nil {
					t.Errorf("answered %x", out)
				}
				return
			}
			if m := parsed(t, out); int(m.RCode) != tt.rcode {
				t.Errorf("%v, want %d", m.RCode, tt.rcode)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(ask(f, "mysql.rack.internal.", dnsmessage.TypeA, 1232), false)
	f.Add(ask(f, "rack.internal.", dnsmessage.TypeALL, 0), true)
	s := server()
	f.Fuzz(func(t *testing.T, b []byte, tcp bool) {
		out := s.Answer(t.Context(), b, tcp)
		if out == nil {
			return
		}
		if m := parsed(t, out); !m.Response || m.ID != uint16(b[0])<<8|uint16(b[1]) || !tcp && len(out) > maxUDPSize {
			t.Errorf("answer %+v of %d bytes", m.Header, len(out))
		}
	})
}

// serve runs s on loopback and returns its address.
func serve(t *testing.T, s *Server) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- s.ServeUDP(ctx, conn) }()
	go func() { done <- s.ServeTCP(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// Go's own resolver finds names over UDP, and over TCP what was cut; an
// upstream is asked only where one is configured.
func TestResolver(t *testing.T) {
	up := serve(t, &Server{Zone: "example.org", Addr: ip("192.0.2.1"), Names: names{"www": {ip("192.0.2.80")}}})
	s := server()
	resolver := func(addr string) *net.Resolver {
		return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}}
	}
	r := resolver(serve(t, s))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for name, want := range map[string]int{"mysql.rack.internal.": 1, "web.shop.rack.internal.": 2, "many.rack.internal.": 100} {
		if got, err := r.LookupNetIP(ctx, "ip4", name); err != nil || len(got) != want {
			t.Errorf("%s: %d addresses, %v; want %d", name, len(got), err, want)
		}
	}
	var missing *net.DNSError
	if _, err := r.LookupNetIP(ctx, "ip4", "none.rack.internal."); !errors.As(err, &missing) || !missing.IsNotFound {
		t.Errorf("a name that is not there: %v", err)
	}
	if _, err := r.LookupNetIP(ctx, "ip4", "www.example.org."); err == nil {
		t.Error("it forwards although nobody said so")
	}
	f := server()
	f.Upstream = []netip.AddrPort{netip.MustParseAddrPort(up)}
	if got, err := resolver(serve(t, f)).LookupNetIP(ctx, "ip4", "www.example.org."); err != nil || len(got) != 1 || got[0].Unmap() != ip("192.0.2.80") {
		t.Errorf("forwarded: %v, %v", got, err)
	}
}

// A dead upstream, with many who wait for it, keeps nobody from the zone's names.
func TestForwardsBounded(t *testing.T) {
	up := serve(t, &Server{Zone: "example.org", Addr: ip("192.0.2.1"), Names: names{"www": {ip("192.0.2.80")}}})
	s := server()
	s.Upstream = []netip.AddrPort{netip.MustParseAddrPort(up)}
	s.forwards.Store(maxForwards)
	m := parsed(t, s.Answer(t.Context(), ask(t, "www.example.org.", dnsmessage.TypeA, 0), false))
	if m.RCode != dnsmessage.RCodeServerFailure || s.forwards.Load() != maxForwards {
		t.Errorf("rcode %v with %d forwards under way", m.RCode, s.forwards.Load())
	}
	if m = parsed(t, s.Answer(t.Context(), ask(t, "mysql.rack.internal.", dnsmessage.TypeA, 0), false)); len(addrs(m)) != 1 {
		t.Errorf("the zone's name: %v", m)
	}
}

func TestCheckZone(t *testing.T) {
	for zone, ok := range map[string]bool{"rack.internal": true, "a.": true, "": false, "a..b": false, "ä": false, strings.Repeat("a", 64): false, "a b": false} {
		if got := CheckZone(zone) == ""; got != ok {
			t.Errorf("CheckZone(%q) = %q", zone, CheckZone(zone))
		}
	}
}

// TestPointer: addresses that the zone has have names; those of others are
// somebody else's, and no address that is malformed is one.
func TestPointer(t *testing.T) {
	s := server()
	for question, want := range map[string]string{
		"6.0.0.10.in-addr.arpa.": "web.shop.rack.internal.",
		"1.0.0.10.in-addr.arpa.": "appliance.rack.internal.",
		"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.": "web.shop.rack.internal.",
	} {
		m := parsed(t, s.Answer(t.Context(), ask(t, question, dnsmessage.TypePTR, 0), false))
		if len(m.Answers) != 1 || !m.Authoritative || m.Answers[0].Body.(*dnsmessage.PTRResource).PTR.String() != want {
			t.Errorf("%s = %+v, want %s", question, m.Answers, want)
		}
	}
	m := parsed(t, s.Answer(t.Context(), ask(t, "1.0.0.10.in-addr.arpa.", dnsmessage.TypeA, 0), false))
	if len(m.Answers) != 0 || m.RCode != dnsmessage.RCodeSuccess {
		t.Errorf("an address of an address = %+v", m)
	}
	for _, question := range []string{"99.0.0.10.in-addr.arpa.", "0.10.in-addr.arpa.", "x.0.0.10.in-addr.arpa.", "256.0.0.10.in-addr.arpa.", "7.d.f.ip6.arpa.", "in-addr.arpa."} {
		m := parsed(t, s.Answer(t.Context(), ask(t, question, dnsmessage.TypePTR, 0), false))
		if len(m.Answers) != 0 || m.RCode != dnsmessage.RCodeRefused {
			t.Errorf("%s = %v %+v, want refused", question, m.RCode, m.Answers)
		}
	}
}
