package dhcp

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// defaultLease is the lease time of a subnet that names none.
const defaultLease = time.Hour

func leaseTime(n pool.Subnet) time.Duration {
	if n.Lease > 0 {
		return n.Lease
	}
	return defaultLease
}

// respond returns an empty reply of type t: what RFC 2131, table 3, copies
// from the request, the relay agent's option (RFC 3046, 2.2) and the client
// identifier (RFC 6842).
func (s *Server) respond(x *exchange, t dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	r := &dhcpv4.DHCPv4{
		OpCode: dhcpv4.OpcodeBootReply, HWType: x.req.HWType, ClientHWAddr: x.req.ClientHWAddr,
		TransactionID: x.req.TransactionID, Flags: x.req.Flags,
		ClientIPAddr: net.IPv4zero, YourIPAddr: net.IPv4zero, ServerIPAddr: net.IPv4zero,
		GatewayIPAddr: x.req.GatewayIPAddr, Options: dhcpv4.Options{},
	}
	r.UpdateOption(dhcpv4.OptMessageType(t))
	r.UpdateOption(dhcpv4.OptServerIdentifier(s.Addr.AsSlice()))
	for _, code := range []dhcpv4.OptionCode{dhcpv4.OptionRelayAgentInformation, dhcpv4.OptionClientIdentifier} {
		if v := x.req.GetOneOption(code); v != nil {
			r.UpdateOption(dhcpv4.OptGeneric(code, v))
		}
	}
	return r
}

// answer returns an OFFER or ACK of addr with the subnet's options, and what to boot.
func (s *Server) answer(x *exchange, t dhcpv4.MessageType, addr netip.Addr) *dhcpv4.DHCPv4 {
	n, r := x.subnet, s.respond(x, t)
	r.YourIPAddr = addr.AsSlice()
	if t == dhcpv4.MessageTypeAck {
		r.ClientIPAddr = x.req.ClientIPAddr
	}
	lease := leaseTime(n)
	r.UpdateOption(dhcpv4.OptIPAddressLeaseTime(lease))
	r.UpdateOption(dhcpv4.OptRenewTimeValue(lease / 2))
	r.UpdateOption(dhcpv4.OptRebindingTimeValue(lease * 7 / 8))
	r.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(n.Prefix.Bits(), 32)))
	if n.Router.IsValid() {
		r.UpdateOption(dhcpv4.OptRouter(n.Router.AsSlice()))
	}
	if len(n.DNS) > 0 {
		var dns []net.IP
		for _, a := range n.DNS {
			dns = append(dns, a.AsSlice())
		}
		r.UpdateOption(dhcpv4.OptDNS(dns...))
	}
	if n.Domain != "" {
		r.UpdateOption(dhcpv4.OptDomainName(n.Domain))
	}
	if n.MTU > 0 {
		r.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, dhcpv4.Uint16(n.MTU).ToBytes()))
	}
	if netboots(x.client) {
		bootOptions(r, x)
	}
	return r
}

// bootOptions adds what the client is to boot, in the form it reads.
func bootOptions(r *dhcpv4.DHCPv4, x *exchange) {
	c, b := x.client, x.answer
	if v := x.req.GetOneOption(optClientUUID); v != nil && c.PXE {
		r.UpdateOption(dhcpv4.OptGeneric(optClientUUID, v)) // RFC 4578, 2.3
	}
	if c.IPXE {
		// Sub-option 176, no-pxedhcp: do not wait two seconds for a proxyDHCP.
		r.UpdateOption(dhcpv4.OptGeneric(optIPXE, []byte{176, 1, 1}))
	}
	if b.File == "" {
		return
	}
	// Both the fixed field and option 67: some firmware reads only one of them.
	if len(b.File) < 128 {
		r.BootFileName = b.File
	}
	if len(b.File) < 256 {
		r.UpdateOption(dhcpv4.OptBootFileName(b.File))
	}
	if b.Next.Is4() {
		r.ServerIPAddr = b.Next.AsSlice()
		r.UpdateOption(dhcpv4.OptTFTPServerName(b.Next.String()))
	}
	switch {
	case c.IPXE:
	case c.HTTP && strings.Contains(b.File, "://"):
		// UEFI HTTP boot takes only answers that call themselves so (UEFI 2.10, 24.7.2).
		r.UpdateOption(dhcpv4.OptClassIdentifier(httpClass))
	case c.PXE:
		r.UpdateOption(dhcpv4.OptClassIdentifier(pxeClass))
		// Sub-option 6, discovery control, bit 3: no menu and no boot server
		// discovery, boot the file that this answer names (PXE 2.1, 2.2.3).
		r.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionVendorSpecificInformation, []byte{6, 1, 8, 255}))
	}
}
