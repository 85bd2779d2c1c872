package dhcp

import (
	"encoding/binary"
	"net/netip"
)

// reply is an answer in the making: a header, and options behind it.
type reply struct {
	b    []byte // nil: there is no answer
	kind byte
	yi   netip.Addr
}

// start begins an answer to r: what RFC 2131, table 3, copies from the request.
func (p *reply) start(buf []byte, r *request, kind byte, server netip.Addr) {
	p.b, p.kind, p.yi = append(buf[:0], zeroHeader[:]...), kind, netip.IPv4Unspecified()
	b := p.b
	b[0], b[1], b[2] = bootReply, 1, 6
	copy(b[4:], r.xid[:])
	binary.BigEndian.PutUint16(b[10:], r.flags)
	gi := r.gi.As4()
	copy(b[24:], gi[:])
	copy(b[28:], r.mac[:])
	binary.BigEndian.PutUint32(b[236:], cookie)
	p.option(optType, kind)
	id := server.As4()
	p.option(optServer, id[:]...)
}

var zeroHeader [headerLen]byte

// option adds one; a long one in parts (RFC 3396).
func (p *reply) option(code byte, v ...byte) {
	for len(v) > maxOptionLength {
		p.b = append(append(p.b, code, maxOptionLength), v[:maxOptionLength]...)
		v = v[maxOptionLength:]
	}
	p.b = append(append(p.b, code, byte(len(v))), v...)
}

func (p *reply) text(code byte, s string) {
	p.b = append(append(p.b, code, byte(len(s))), s...)
}

func (p *reply) setClient(a netip.Addr) { v := a.As4(); copy(p.b[12:], v[:]) }
func (p *reply) setNext(a netip.Addr)   { v := a.As4(); copy(p.b[20:], v[:]) }
func (p *reply) setFile(s string)       { copy(p.b[108:236], s) }
func (p *reply) setBroadcast()          { p.b[10] |= flagBroadcast >> 8 }

func (p *reply) setYour(a netip.Addr) {
	p.yi = a
	v := a.As4()
	copy(p.b[16:], v[:])
}

// finish ends the options: with the relay agent's own, which go back as they
// came and last (RFC 3046, 2.2), and the client identifier (RFC 6842).
func (p *reply) finish(r *request) {
	if len(r.id) > 0 && len(r.id) <= maxOptionLength {
		p.option(optClientID, r.id...)
	}
	if len(r.relay) > 0 {
		p.option(optRelay, r.relay...)
	}
	p.b = append(p.b, optEnd)
	if n := minReply - len(p.b); n > 0 {
		p.b = append(p.b, zeroHeader[:n]...)
	}
}
