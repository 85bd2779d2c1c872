package dhcp

import (
	"net/netip"
	"strings"

	"appliance/pool"
)

// lease writes an OFFER or ACK of addr with the network's options, the
// client's own, and what to boot.
func (x *exchange) give(kind byte, addr netip.Addr) {
	p := x.respond(kind)
	p.setYour(addr)
	if kind == msgAck {
		p.setClient(x.req.ci)
	}
	x.addOptions(p, true)
	if netboots(x.client) {
		x.bootOptions(p)
	}
	p.finish(&x.req)
}

// inform writes the ACK of an INFORM: options, no address, no lease time.
func (x *exchange) inform() {
	p := x.respond(msgAck)
	p.setClient(x.req.ci)
	x.addOptions(p, false)
	if netboots(x.client) {
		x.bootOptions(p)
	}
	p.finish(&x.req)
}

// addOptions writes the options of the client's reservation and of its network.
func (x *exchange) addOptions(p *reply, lease bool) {
	boots := netboots(x.client) && x.answer.File != ""
	if lease && (x.kept == nil || len(x.kept.options) == 0) {
		wire := x.net.wire
		if boots {
			wire = x.net.boots
		}
		p.b = append(p.b, wire...)
	} else {
		list := x.net.options
		if x.kept != nil {
			list = merge(x.kept.options, list)
		}
		for _, o := range list {
			timed := o.code == optLeaseTime || o.code == optRenew || o.code == optRebind
			if (lease || !timed) && !(boots && o.bootCode()) {
				p.option(o.code, o.v...)
			}
		}
	}
	if x.kept != nil && x.kept.Hostname != "" {
		p.text(optHostName, x.kept.Hostname)
	}
}

// bootOptions adds what the client is to boot, in the form it reads.
func (x *exchange) bootOptions(p *reply) {
	c, b := x.client, x.answer
	if len(x.req.uuid) > 0 && len(x.req.uuid) <= maxOptionLength && c.PXE {
		p.option(optUUID, x.req.uuid...) // RFC 4578, 2.3
	}
	if c.IPXE {
		// Sub-option 176, no-pxedhcp: do not wait two seconds for a proxyDHCP.
		p.option(optIPXE, 176, 1, 1)
	}
	if b.File == "" {
		return
	}
	x.bootFile(p)
	switch {
	case c.IPXE:
	case c.HTTP && strings.Contains(b.File, "://"):
		// UEFI HTTP boot takes only answers that call themselves so (UEFI 2.10, 24.7.2).
		p.text(optClass, httpClass)
	case c.PXE:
		p.text(optClass, pxeClass)
		p.option(optVendor, bootNamedFile...)
	}
}

// bootNamedFile is PXE's discovery control (sub-option 6), bit 3: no menu and
// no boot server discovery, boot the file that this answer names (PXE 2.1, 2.2.3).
var bootNamedFile = []byte{6, 1, 8, 255}

// bootFile names the file and where it is.
func (x *exchange) bootFile(p *reply) {
	b := x.answer
	// Both the fixed field and option 67: some firmware reads only one of them.
	if len(b.File) < 128 {
		p.setFile(b.File)
	}
	if len(b.File) <= maxOptionLength {
		p.text(optBootFile, b.File)
	}
	if b.Next.Is4() {
		p.setNext(b.Next)
		p.text(optTFTPServer, b.Next.String())
	}
}

// refuse writes a NAK (RFC 2131, table 3).
func (x *exchange) refuse(why string) {
	p := x.respond(msgNak)
	p.text(optMessage, why)
	if x.req.relayed() {
		p.setBroadcast() // the relay agent must broadcast it: the client has no address
	}
	p.finish(&x.req)
}

// offerProxy writes the OFFER of a proxyDHCP server: no address, what to boot
// (PXE 2.1, 2.2.3). A BIOS, iPXE and HTTP boot take the file from it. UEFI's
// PXE client asks for it on port 4011, as the specification has it; some such
// firmware ignores an offer that wants to spare it the way. iPXE passes over a
// proxy's answer without a next server, although the file is a whole URL.
func (x *exchange) offerProxy() {
	p := x.respond(msgOffer)
	if len(x.req.uuid) > 0 && len(x.req.uuid) <= maxOptionLength {
		p.option(optUUID, x.req.uuid...)
	}
	p.text(optMark, markText)
	c := x.client
	if c.PXE && !c.HTTP && !c.IPXE && c.Firmware() == pool.UEFI {
		p.setNext(x.server)
		p.text(optClass, pxeClass)
		p.finish(&x.req)
		return
	}
	x.bootFile(p)
	switch {
	case c.HTTP:
		p.text(optClass, httpClass)
	default:
		p.text(optClass, pxeClass)
		p.option(optVendor, bootNamedFile...)
	}
	if c.IPXE {
		p.setNext(x.server)
		p.option(optIPXE, 176, 1, 1)
	}
	p.finish(&x.req)
}

// ackProxy writes the ACK of a boot server on port 4011.
func (x *exchange) ackProxy() {
	p := x.respond(msgAck)
	p.setClient(x.req.ci)
	if len(x.req.uuid) > 0 && len(x.req.uuid) <= maxOptionLength {
		p.option(optUUID, x.req.uuid...)
	}
	x.bootFile(p)
	if x.client.HTTP {
		p.text(optClass, httpClass)
	} else {
		p.text(optClass, pxeClass)
		p.option(optVendor, bootNamedFile...)
	}
	if x.client.IPXE {
		p.setNext(x.server)
	}
	p.finish(&x.req)
}
