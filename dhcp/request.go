package dhcp

import (
	"encoding/binary"
	"net/netip"

	"appliance/pool"
)

// Message types (RFC 2132, 9.6).
const (
	msgDiscover = 1
	msgOffer    = 2
	msgRequest  = 3
	msgDecline  = 4
	msgAck      = 5
	msgNak      = 6
	msgRelease  = 7
	msgInform   = 8
)

// Options that this package reads or writes (RFC 2132 and those named).
const (
	optPad          = 0
	optMask         = 1
	optRouter       = 3
	optDNS          = 6
	optHostName     = 12
	optDomain       = 15
	optMTU          = 26
	optVendor       = 43
	optWant         = 50
	optLeaseTime    = 51
	optOverload     = 52
	optType         = 53
	optServer       = 54
	optMessage      = 56
	optRenew        = 58
	optRebind       = 59
	optClass        = 60
	optClientID     = 61
	optTFTPServer   = 66
	optBootFile     = 67
	optUserClass    = 77
	optRelay        = 82  // RFC 3046
	optArch         = 93  // RFC 4578
	optUUID         = 97  // RFC 4578, 2.3
	optIPXE         = 175 // iPXE encapsulates its own options in it; its presence says that the client is iPXE
	optMark         = 224 // site-specific: says that a message is an appliance's
	optEnd          = 255
	relayCircuit    = 1
	relayRemote     = 2
	relaySelect     = 5  // RFC 3527, link selection
	relayOverride   = 11 // RFC 5107, server identifier override
	flagBroadcast   = 0x8000
	headerLen       = 240 // with the cookie
	cookie          = 0x63825363
	serverPort      = 67
	clientPort      = 68
	proxyPort       = 4011
	bootReply       = 2
	maxReply        = 1472
	minReply        = 300 // BOOTP's, which some relay agents and ROMs want
	maxOptionLength = 255
)

// markText is what optMark holds.
const markText = "appliance"

// request is a client's message, read in place: its slices lie in the packet.
type request struct {
	kind           byte
	xid            [4]byte
	flags          uint16
	ci, gi         netip.Addr // the unspecified address when not set
	mac            pool.MAC
	want, server   netip.Addr // options 50 and 54; invalid when not sent
	class, user    []byte
	arch, uuid     []byte
	id, host       []byte
	relay          []byte // option 82 as it came
	circuit        []byte
	remote         []byte
	selection      netip.Addr // invalid when not sent
	override       netip.Addr
	ipxe, mark     bool
	overload, over byte
}

// read fills r from a packet. What it accepts has an Ethernet address that an
// interface can have, and a message type that clients send.
func (r *request) read(b []byte) bool {
	*r = request{}
	if len(b) < headerLen || b[0] != 1 || b[1] != 1 || b[2] != 6 || binary.BigEndian.Uint32(b[236:]) != cookie {
		return false
	}
	copy(r.xid[:], b[4:])
	copy(r.mac[:], b[28:])
	if r.mac.IsZero() || r.mac[0]&1 == 1 {
		return false
	}
	r.flags = binary.BigEndian.Uint16(b[10:])
	r.ci, r.gi = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[24:28]))
	if !r.options(b[headerLen:]) {
		return false
	}
	// Options may go on in the fields of file and server name (RFC 2132, 9.3).
	if r.overload&1 != 0 && !r.options(b[108:236]) || r.overload&2 != 0 && !r.options(b[44:108]) {
		return false
	}
	switch r.kind {
	case msgDiscover, msgRequest, msgDecline, msgRelease, msgInform:
		return r.readRelay()
	}
	return false
}

// options reads options until their end; false when one is longer than b.
func (r *request) options(b []byte) bool {
	for len(b) > 0 {
		code := b[0]
		if code == optEnd {
			return true
		}
		if code == optPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || int(b[1]) > len(b)-2 {
			return false
		}
		r.option(code, b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
	return true
}

// option takes note of one. One that comes in parts is put together (RFC 3396).
func (r *request) option(code byte, v []byte) {
	switch code {
	case optType:
		if len(v) == 1 && r.kind == 0 {
			r.kind = v[0]
		}
	case optOverload:
		if len(v) == 1 && r.over == 0 {
			r.overload, r.over = v[0], 1 // what lies in the fields themselves does not overload
		}
	case optWant:
		r.want = fourBytes(v)
	case optServer:
		r.server = fourBytes(v)
	case optClass:
		r.class = joined(r.class, v)
	case optUserClass:
		r.user = joined(r.user, v)
	case optArch:
		r.arch = joined(r.arch, v)
	case optUUID:
		r.uuid = joined(r.uuid, v)
	case optClientID:
		r.id = joined(r.id, v)
	case optHostName:
		r.host = joined(r.host, v)
	case optRelay:
		r.relay = joined(r.relay, v)
	case optIPXE:
		r.ipxe = true
	case optMark:
		r.mark = string(v) == markText
	}
}

func joined(had, v []byte) []byte {
	if had == nil {
		return v
	}
	return append(had[:len(had):len(had)], v...)
}

func fourBytes(v []byte) netip.Addr {
	if len(v) != 4 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(v))
}

// readRelay reads the sub-options of option 82; false when they are broken.
func (r *request) readRelay() bool {
	if len(r.relay) > maxOptionLength {
		return false // it could not go back in one piece (RFC 3046, 2.0)
	}
	for b := r.relay; len(b) > 0; {
		if len(b) < 2 || int(b[1]) > len(b)-2 {
			return false
		}
		v := b[2 : 2+int(b[1])]
		switch b[0] {
		case relayCircuit:
			r.circuit = v
		case relayRemote:
			r.remote = v
		case relaySelect:
			r.selection = fourBytes(v)
		case relayOverride:
			r.override = fourBytes(v)
		}
		b = b[2+int(b[1]):]
	}
	return true
}

// relayed says whether the message came through a relay agent.
func (r *request) relayed() bool { return !r.gi.IsUnspecified() }
