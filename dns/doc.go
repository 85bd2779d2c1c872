// Package dns answers for the appliance's zone over UDP and TCP (RFC 1035,
// EDNS(0) of RFC 6891): the addresses of services, of their instances and of
// machines, with a short time to live, so that a name follows its service to
// another machine.
//
// It is authoritative for that zone and nothing else. It forwards nothing
// unless it is told to whom, keeps no cache, transfers no zone, and signs
// nothing. What Answer makes of a packet is a pure function of the packet and
// of what the Directory says; bad packets get no answer or a FORMERR.
package dns
