// Package rack is the virtual rack: QEMU machines behind ipmi_sim BMCs on a
// bridge of their own, for the demo, the end-to-end tests and rehearsals.
//
// A rack is a black box to what it tests. It speaks to an appliance as
// hardware does, by Ethernet frames, IPMI and a serial line, and shares no code
// with the appliance's servers.
//
// # The world
//
// A rack lives in a world: PID, mount and network namespaces made by
// [Isolate].
//
//	caller (host)                holds the lock of the run folder, waits
//	  └─ init (PID 1 of world)   starts the rack process, reaps orphans
//	       └─ rack process       makes bridge and taps, owns all that follow
//	            ├─ ipmi_sim      one for each BMC
//	            ├─ QEMU          one for each machine that is powered on
//	            └─ appliance     or whatever else is tested
//
// When any of the upper three ends, by kill -9 too, the kernel kills all
// below it, and the network namespace, which has no name, goes with its last
// process: bridge, taps and addresses need no cleaning. Only files can stay
// behind; the next run of the same folder removes them.
//
// # The wires
//
// The bridge `rack` has 10.77.0.1/24, the address of what is tested. Machine i
// has tap ti and MAC 02:00:00:00:00:(i+1); its BMC answers at 10.77.0.(10+i).
// Nothing has a route out of the world.
//
// A program that uses this package calls [Main] first of all.
package rack
