// Package sim is a rack of thousands of simulated machines in one process. It
// is a black box for whatever appliance it is pointed at: each machine's
// firmware speaks DHCP, TFTP and HTTP, its BMC speaks IPMI 2.0 over RMCP+, its
// agent speaks the agents' protocol over TLS, all over real sockets with
// addresses of the machine's own. What is simulated is what happens in
// between: no kernel starts, no byte is written to a disk, a lifecycle event
// takes its time and succeeds. How long things take is drawn from
// distributions by a seed, faults come from a script, and the same seed and
// script draw the same again.
//
// It is not the virtual rack of package rack, whose machines are real ones
// under QEMU; it never stands in for those where it matters what a machine does.
package sim
