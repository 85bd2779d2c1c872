// Package dhcp answers DHCPv4 (RFC 2131, 2132, 3046, 4578) for machines that
// boot from the network, and the router solicitations such machines wait on.
//
// It is an authoritative server for the subnets it is given and nothing else:
// no proxyDHCP, no DHCPv6, no general-purpose server for an office network.
// It says nothing to whom the Directory does not want answered, it never
// acknowledges a lease that is not stored, and it hands out no addresses while
// another DHCP server is on the wire.
//
//	DISCOVER ─▶ Directory: answer it? ─▶ address: reservation, own lease,
//	            requested, or fresh ─▶ fresh ones are probed (RFC 5227) ─▶ OFFER, held in memory
//	REQUEST  ─▶ Leases.Bind committed ─▶ ACK; refused ─▶ NAK; broken ─▶ silence
//
// Leases belong to a MAC, not to a client identifier: one booting machine
// shows three of those (firmware, iPXE, system) and keeps one address.
package dhcp
