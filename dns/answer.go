package dns

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// DefaultTTL is how long an answer may be kept.
	DefaultTTL = 5 * time.Second
	// udpSize is how much a client takes that says nothing (RFC 1035), and how
	// much it gets at most: what passes any network unfragmented.
	udpSize    = 512
	maxUDPSize = 1232
	// maxAnswers bounds the addresses in one answer.
	maxAnswers = 200
	// apex names the server itself: appliance.ZONE.
	apex = "appliance"

	rcodeBadVersion = 16 // RFC 6891: its upper bits are in the OPT record
)

// Directory knows the names of the zone.
type Directory interface {
	// Lookup returns the addresses of a name, given by what stands before the
	// zone, in lower case without a final dot. exists is true also for a name
	// that has none now, and for one that only has others below it.
	Lookup(ctx context.Context, name string) (addrs []netip.Addr, exists bool, err error)
	// Reverse returns the name of an address, as Lookup takes it; "" for one
	// that has none.
	Reverse(ctx context.Context, addr netip.Addr) (name string, err error)
}

// Answer returns the answer to a query, nil when it deserves none. Over UDP it
// fits what the client takes; over TCP it may be 64 KiB.
func (s *Server) Answer(ctx context.Context, packet []byte, tcp bool) []byte {
	q, ok := parse(packet)
	if !ok {
		return nil
	}
	limit := 65535
	if !tcp {
		limit = max(udpSize, min(int(q.size), maxUDPSize))
	}
	r := reply{q: q, rcode: q.rcode, authoritative: true}
	reverse := q.rcode == dnsmessage.RCodeSuccess && q.extended == 0 && s.pointer(ctx, &r)
	switch name, ours := s.below(q.question.Name.String()); {
	case reverse:
	case q.rcode != dnsmessage.RCodeSuccess || q.extended != 0:
		r.authoritative = false
	case q.question.Class != dnsmessage.ClassINET && q.question.Class != dnsmessage.ClassANY:
		r.rcode, r.authoritative = dnsmessage.RCodeRefused, false
	case !ours && len(s.Upstream) > 0 && q.header.RecursionDesired:
		if out := s.forward(ctx, packet, q, tcp); out != nil {
			return out
		}
		r.rcode, r.authoritative = dnsmessage.RCodeServerFailure, false
	case !ours:
		r.rcode, r.authoritative = dnsmessage.RCodeRefused, false
	default:
		s.fill(ctx, &r, name)
	}
	return s.pack(r, limit)
}

// pointer answers for the name of an address that the zone has; false for all
// others: their names are somebody else's.
func (s *Server) pointer(ctx context.Context, r *reply) bool {
	addr, ok := reversed(r.q.question.Name.String())
	if !ok || r.q.question.Class != dnsmessage.ClassINET && r.q.question.Class != dnsmessage.ClassANY {
		return false
	}
	name := apex
	if addr != s.Addr.Unmap() {
		var err error
		if name, err = s.Names.Reverse(ctx, addr); err != nil {
			s.log().Error("address not looked up", "ip", addr, "err", err)
			r.rcode, r.authoritative = dnsmessage.RCodeServerFailure, false
			return true
		}
	}
	if name == "" {
		return false
	}
	if t := r.q.question.Type; t == dnsmessage.TypePTR || t == dnsmessage.TypeALL {
		r.pointer = name + "." + s.zone() + "."
	}
	return true
}

// reversed reads an address from its name below in-addr.arpa (RFC 1035,
// section 3.5) or ip6.arpa (RFC 3596, section 2.5).
func reversed(name string) (netip.Addr, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		labels := strings.Split(rest, ".")
		if len(labels) != 4 {
			return netip.Addr{}, false
		}
		slices.Reverse(labels)
		a, err := netip.ParseAddr(strings.Join(labels, "."))
		return a, err == nil && a.Is4()
	}
	rest, ok := strings.CutSuffix(name, ".ip6.arpa")
	labels := strings.Split(rest, ".")
	if !ok || len(labels) != 32 {
		return netip.Addr{}, false
	}
	slices.Reverse(labels)
	var b strings.Builder
	for i, l := range labels {
		if len(l) != 1 {
			return netip.Addr{}, false
		}
		if i > 0 && i%4 == 0 {
			b.WriteByte(':')
		}
		b.WriteString(l)
	}
	a, err := netip.ParseAddr(b.String())
	return a, err == nil
}

// query is what was asked.
type query struct {
	header   dnsmessage.Header
	question dnsmessage.Question
	asked    bool // there is a question to repeat
	edns     bool
	size     uint16
	extended int // upper bits of the response code
	rcode    dnsmessage.RCode
}

// parse reads a query; false when it is none, or not to be answered: an answer
// to an answer could go on for ever.
func parse(packet []byte) (q query, ok bool) {
	var p dnsmessage.Parser
	h, err := p.Start(packet)
	if err != nil || h.Response {
		return q, false
	}
	q.header = h
	question, err := p.Question()
	if err != nil {
		q.rcode = dnsmessage.RCodeFormatError
		return q, true
	}
	q.question, q.asked = question, true
	if h.OpCode != 0 {
		q.rcode = dnsmessage.RCodeNotImplemented
		return q, true
	}
	if _, err := p.Question(); err != dnsmessage.ErrSectionDone {
		q.rcode = dnsmessage.RCodeFormatError // more than one: nobody means that (RFC 9619)
		return q, true
	}
	if p.SkipAllAnswers() != nil || p.SkipAllAuthorities() != nil {
		q.rcode = dnsmessage.RCodeFormatError
		return q, true
	}
	return q, q.options(&p)
}

// options reads EDNS. A second OPT is a format error (RFC 6891, section 6.1.1).
func (q *query) options(p *dnsmessage.Parser) bool {
	for {
		h, err := p.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return true
		}
		if err != nil || h.Type == dnsmessage.TypeOPT && q.edns {
			q.rcode = dnsmessage.RCodeFormatError
			return true
		}
		if h.Type == dnsmessage.TypeOPT {
			q.edns, q.size = true, uint16(h.Class)
			if h.TTL>>16&0xff != 0 {
				q.extended = rcodeBadVersion >> 4
			}
		}
		if p.SkipAdditional() != nil {
			q.rcode = dnsmessage.RCodeFormatError
			return true
		}
	}
}

// below returns what stands before the zone in name; false for another zone.
func (s *Server) below(name string) (string, bool) {
	name, zone := strings.ToLower(strings.TrimSuffix(name, ".")), s.zone()
	if name == zone {
		return "", true
	}
	return strings.CutSuffix(name, "."+zone)
}

func (s *Server) zone() string { return strings.ToLower(strings.Trim(s.Zone, ".")) }

// reply is an answer before it is packed.
type reply struct {
	q             query
	rcode         dnsmessage.RCode
	authoritative bool
	addrs         []netip.Addr
	pointer       string // the name of an address
	soa, ns       bool   // in the answer
	negative      bool   // SOA in the authority section
}

// fill answers for a name of the zone.
func (s *Server) fill(ctx context.Context, r *reply, name string) {
	var addrs []netip.Addr
	exists, err := true, error(nil)
	switch name {
	case "":
	case apex:
		addrs = []netip.Addr{s.Addr}
	default:
		addrs, exists, err = s.Names.Lookup(ctx, name)
	}
	if err != nil {
		s.log().Error("name not looked up", "name", name, "err", err)
		r.rcode, r.authoritative = dnsmessage.RCodeServerFailure, false
		return
	}
	if !exists {
		r.rcode, r.negative = dnsmessage.RCodeNameError, true
		return
	}
	t := r.q.question.Type
	all := t == dnsmessage.TypeALL
	r.soa = name == "" && (t == dnsmessage.TypeSOA || all)
	r.ns = name == "" && (t == dnsmessage.TypeNS || all)
	for _, a := range addrs {
		if a = a.Unmap(); all || t == dnsmessage.TypeA && a.Is4() || t == dnsmessage.TypeAAAA && a.Is6() {
			r.addrs = append(r.addrs, a)
		}
	}
	r.negative = len(r.addrs) == 0 && !r.soa && !r.ns // NODATA (RFC 2308)
	// Another one first each time: clients take the first.
	if n := len(r.addrs); n > 1 {
		k := rand.IntN(n)
		r.addrs = append(append([]netip.Addr(nil), r.addrs[k:]...), r.addrs[:k]...)
	}
	r.addrs = r.addrs[:min(len(r.addrs), maxAnswers)]
}

// pack writes a reply; one that is longer than limit is cut and says so.
func (s *Server) pack(r reply, limit int) []byte {
	b, err := s.build(r, false)
	if err == nil && len(b) > limit {
		r.addrs, r.pointer, r.soa, r.ns, r.negative = nil, "", false, false, false
		b, err = s.build(r, true)
	}
	if err != nil {
		s.log().Error("answer not packed", "err", err)
		return nil
	}
	return b
}

func (s *Server) build(r reply, cut bool) ([]byte, error) {
	h := dnsmessage.Header{ID: r.q.header.ID, Response: true, OpCode: r.q.header.OpCode, Authoritative: r.authoritative, Truncated: cut,
		RecursionDesired: r.q.header.RecursionDesired, RecursionAvailable: len(s.Upstream) > 0, RCode: r.rcode}
	b := dnsmessage.NewBuilder(nil, h)
	b.EnableCompression()
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if r.q.asked {
		if err := b.Question(r.q.question); err != nil {
			return nil, err
		}
	}
	if err := s.answers(&b, r); err != nil {
		return nil, err
	}
	if err := b.StartAuthorities(); err != nil {
		return nil, err
	}
	if r.negative {
		if err := s.putSOA(&b); err != nil {
			return nil, err
		}
	}
	if err := b.StartAdditionals(); err != nil {
		return nil, err
	}
	if r.q.edns {
		var o dnsmessage.ResourceHeader
		if err := o.SetEDNS0(maxUDPSize, dnsmessage.RCode(r.q.extended<<4), false); err != nil {
			return nil, err
		}
		if err := b.OPTResource(o, dnsmessage.OPTResource{}); err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

func (s *Server) answers(b *dnsmessage.Builder, r reply) error {
	if err := b.StartAnswers(); err != nil {
		return err
	}
	h := dnsmessage.ResourceHeader{Name: r.q.question.Name, Class: dnsmessage.ClassINET, TTL: s.ttl()}
	for _, a := range r.addrs {
		var err error
		if a.Is4() {
			err = b.AResource(h, dnsmessage.AResource{A: a.As4()})
		} else {
			err = b.AAAAResource(h, dnsmessage.AAAAResource{AAAA: a.As16()})
		}
		if err != nil {
			return err
		}
	}
	if r.pointer != "" {
		name, err := dnsmessage.NewName(r.pointer)
		if err != nil {
			return err
		}
		if err := b.PTRResource(h, dnsmessage.PTRResource{PTR: name}); err != nil {
			return err
		}
	}
	if r.soa {
		if err := s.putSOA(b); err != nil {
			return err
		}
	}
	if !r.ns {
		return nil
	}
	name, err := dnsmessage.NewName(apex + "." + s.zone() + ".")
	if err != nil {
		return err
	}
	return b.NSResource(h, dnsmessage.NSResource{NS: name})
}

func (s *Server) putSOA(b *dnsmessage.Builder) error {
	zone, err := dnsmessage.NewName(s.zone() + ".")
	if err != nil {
		return err
	}
	ns, err := dnsmessage.NewName(apex + "." + s.zone() + ".")
	if err != nil {
		return err
	}
	mbox, err := dnsmessage.NewName("hostmaster." + s.zone() + ".")
	if err != nil {
		return err
	}
	return b.SOAResource(dnsmessage.ResourceHeader{Name: zone, Class: dnsmessage.ClassINET, TTL: s.ttl()},
		dnsmessage.SOAResource{NS: ns, MBox: mbox, Serial: uint32(time.Now().Unix()), Refresh: 60, Retry: 10, Expire: 3600, MinTTL: s.ttl()})
}

func (s *Server) ttl() uint32 {
	if s.TTL <= 0 {
		return uint32(DefaultTTL / time.Second)
	}
	return uint32(s.TTL / time.Second)
}
