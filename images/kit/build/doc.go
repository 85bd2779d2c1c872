// Package build makes the boot kit out of Debian packages and the agent:
// network boot programs from Debian 13's ipxe, a GRUB that starts the disk,
// kernel, modules and network card firmware of Debian 12; for x86-64, and for
// arm64 where it is given an agent for that.
//
// The same packages and the same agent give the same bytes. Packages are
// fetched once and pinned in the cache; only Options.Update asks the mirrors
// again. The package runs where the appliance is built, never in it.
package build
