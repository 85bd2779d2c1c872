// Package agent does on a machine what the appliance asks: as PID 1 of the
// boot kit's initramfs it inventories the machine, erases disks and writes
// images; as a service of the installed system it runs the lifecycle events
// of recipes.
//
// The machine pulls: the agent says hello, asks for a task, and reports.
// Nothing connects to it. It trusts one certificate authority, the one that
// came with it, and proves itself by a key that it made and that never leaves
// the machine.
//
//	RAM:       mounts ▶ modules ▶ DHCP ▶ facts ▶ hello ─▶ wait ─┐ hello again
//	                                               ├──▶ local: reboot to the disk
//	                                               └──▶ work: tasks, one at a time
//	installed: identity ▶ hello ─▶ work: tasks │ fenced: start nothing
//
// Until the machine is accepted nothing is written to it: no disk, no BMC
// user, no boot order. As PID 1 the agent never exits; what it cannot do it
// says on the console and tries again. It runs no shell; what it starts in
// the installed system it starts through "appliance-agent exec KEY", which
// records the exit even if the agent dies meanwhile.
package agent
