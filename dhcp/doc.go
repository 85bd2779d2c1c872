// Package dhcp answers DHCPv4 (RFC 2131, 2132, 3046, 4578), as a server or as a
// proxyDHCP server (PXE 2.1), DHCPv6 (RFC 8415, 5970) and router solicitations
// (RFC 4861) for machines that boot from the network.
//
// It is an authoritative server for the subnets it is given; on each it is
// server, proxy, or nothing, and with mode auto it decides by who else answers.
// It says nothing to whom the Directory does not want answered, and it never
// acknowledges a lease that is not stored.
//
//	DISCOVER ─▶ Directory: answer it? ─▶ address: reservation, own lease,
//	            requested, or fresh ─▶ fresh ones are probed (RFC 2131, 2.2) ─▶ OFFER, held in memory
//	REQUEST  ─▶ Leases.BindAll committed ─▶ ACK; refused ─▶ NAK; broken ─▶ silence
//
// Leases belong to a MAC, not to a client identifier: one booting machine
// shows three of those (firmware, iPXE, system) and keeps one address.
//
// What is known of addresses is in memory (book); the store has the last word.
// engine.go shows how packets move: the codec of the hot path is request.go and
// build.go, all else uses github.com/insomniacslk/dhcp, which also checks this
// package's packets in its tests.
package dhcp
