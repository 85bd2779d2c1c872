package pool

import "time"

// Client classes that rules tell apart.
func efi() []string { return []string{ClassEFIx64, ClassEFIx64HTTP, ClassEFIARM64, ClassEFIARM64HTTP} }
func overHTTP() []string {
	return []string{ClassEFIx64HTTP, ClassEFIARM64HTTP}
}

// BootRules is the table that silent boots are diagnosed by: special rules
// before general ones.
func BootRules() []BootRule {
	var all []BootRule
	for _, part := range [][]BootRule{dhcpRules(), transferRules(), programRules(), agentRules()} {
		all = append(all, part...)
	}
	return all
}

// dhcpRules are about power and addresses.
func dhcpRules() []BootRule {
	return []BootRule{
		{ID: "power-no-dhcp", After: []BootStage{StagePower}, Wait: 3 * time.Minute,
			Says:   "it was switched on and has not asked for an address",
			Causes: "network boot may be off or behind the disk in its boot order, its cable may be in another network, or its self-test takes long",
			Do:     "read its console; set the boot device to pxe; look whether its switch port is in the rack's network"},
		{ID: "dhcp-elsewhere", After: []BootStage{StageDHCP}, Code: CodeElsewhere, Wait: 20 * time.Second,
			Says:   "offer sent, no request for it: another DHCP server won ({detail})",
			Causes: "two DHCP servers are on its network",
			Do:     "switch the other one off there, or set the subnet to mode: proxy"},
		{ID: "dhcp-foreign", After: []BootStage{StageDHCP}, Code: CodeForeign, Wait: 20 * time.Second,
			Says:   "it is not answered, because another DHCP server is on the wire ({detail})",
			Causes: "a server that hands out addresses appeared beside the appliance",
			Do:     "switch it off, or set the subnet to mode: proxy"},
		{ID: "dhcp-full", After: []BootStage{StageDHCP}, Code: CodeFull, Wait: 0,
			Says:   "it asked for an address and none was free",
			Causes: "the subnet's range is too small, or leases are too long",
			Do:     "give the subnet a larger range or a shorter lease; see: appliance lease list"},
		{ID: "dhcp-decline", After: []BootStage{StageDHCP}, Code: CodeDecline, Wait: 20 * time.Second,
			Says:   "it found its address in use and gave it back ({detail})",
			Causes: "a device with a fixed address stands inside the range",
			Do:     "exclude that address from the range, or move the device"},
		{ID: "dhcp-nak-loop", After: []BootStage{StageDHCP}, Code: CodeNak, Count: 2, Wait: 20 * time.Second,
			Says:   "it asked {count} times for an address that is not its own",
			Causes: "it remembers a lease of another network, and its firmware does not start over",
			Do:     "power it off for a minute; look whether it was moved between networks"},
		{ID: "dhcp-nak", After: []BootStage{StageDHCP}, Code: CodeNak, Wait: 30 * time.Second,
			Says:   "it asked for an address that is not its own, was refused and has not asked anew",
			Causes: "it remembers a lease of another network, or another server answered it meanwhile",
			Do:     "power it off and on"},
		{ID: "arm-no-kit", After: []BootStage{StageDHCP}, Code: CodeMissing, Class: []string{ClassEFIARM64, ClassEFIARM64HTTP}, Wait: 0,
			Says:   "it is an arm64 machine and asks to netboot, and the appliance has no boot kit for arm64",
			Causes: "the binary was built without one",
			Do:     "take a binary that make build has built: it carries the kit for arm64; appliance version says what it carries"},
		{ID: "no-program", After: []BootStage{StageDHCP}, Code: CodeMissing, Wait: 0,
			Says:   "it asks to netboot as a client for which there is no boot program ({detail})",
			Causes: "32-bit UEFI, RISC-V, or a firmware that sends a wrong architecture",
			Do:     "look for a firmware update, or for a setting that says BIOS, UEFI or HTTP"},
		{ID: "discover-repeated", After: []BootStage{StageDiscover}, Count: 3, Wait: 30 * time.Second,
			Says:   "its firmware asked for an address {count} times and never took the offer",
			Causes: "the offers do not reach it: a VLAN that is one-way, a relay agent without a route back, or a switch port that blocks at first (spanning tree without edge port)",
			Do:     "appliance doctor network; on the switch: edge port (portfast); behind a relay: a route from the appliance to the relay's address"},
		{ID: "discover-no-request", After: []BootStage{StageDiscover}, Wait: 30 * time.Second,
			Says:   "its firmware asked for an address and did not take the offered one",
			Causes: "another DHCP server may answer it, or the offer does not reach it (VLAN, spanning tree without edge port)",
			Do:     "appliance doctor network lists every server that answers"},
		{ID: "lease-no-http", After: []BootStage{StageLease}, Class: overHTTP(), Wait: time.Minute,
			Says:   "its firmware got {ip} by HTTP Boot and has not fetched the boot program",
			Causes: "a firewall blocks HTTP to the appliance, or the firmware wants HTTPS only",
			Do:     "open TCP 8080 to the appliance; allow HTTP in the firmware's settings, or enrol the appliance's CA there"},
		{ID: "lease-no-tftp", After: []BootStage{StageLease}, Wait: time.Minute,
			Says:   "its firmware got {ip} and has not fetched the boot program",
			Causes: "a firewall may block TFTP (UDP 69), a switch's DHCP snooping may strip the boot file, or the firmware only boots from its disk",
			Do:     "open UDP 69 to the appliance; appliance doctor network tries TFTP through the path"},
	}
}

// transferRules are about transfers that broke.
func transferRules() []BootRule {
	return []BootRule{
		{ID: "tftp-mtu", After: []BootStage{StageError}, Code: CodeMTU, Wait: 0,
			Says:   "a router on the way does not take TFTP blocks of {block} bytes",
			Causes: "a tunnel or a VLAN in a VLAN makes the path's MTU smaller than 1500",
			Do:     "nothing: its next attempt gets smaller blocks; or raise the MTU of the path"},
		{ID: "tftp-blackhole", After: []BootStage{StageError}, Code: CodeTimeout, Block: 1025, Bytes: "none", Wait: 0,
			Says:   "TFTP blocks were sent again and again at {block} bytes and never acknowledged: path MTU",
			Causes: "the path drops long packets without a word (a tunnel, a firewall that drops ICMP)",
			Do:     "nothing: its next attempt gets blocks of 512 bytes; or raise the MTU of the path; appliance doctor network measures it"},
		{ID: "tftp-ports", After: []BootStage{StageError}, Code: CodeTimeout, Bytes: "none", Wait: 0,
			Says:   "it asked for {detail} and no data was acknowledged",
			Causes: "a firewall lets UDP port 69 through and not the ports that TFTP's data comes from",
			Do:     "set single_port below tftp in the appliance's configuration, or open UDP 1024-65535 from the appliance"},
		{ID: "tftp-stalled", After: []BootStage{StageError}, Code: CodeTimeout, Wait: 0,
			Says:   "it stopped in the middle of a transfer, after {bytes} bytes ({detail})",
			Causes: "the link went away, it was reset, or its card drops bursts",
			Do:     "look at its cable and switch port for errors; its next attempt gets smaller blocks, one at a time"},
		{ID: "tftp-missing", After: []BootStage{StageError}, Code: CodeMissing, Detail: "tftp", Wait: 30 * time.Second,
			Says:   "it asked for a file that there is not ({detail})",
			Causes: "it was told another boot file, by another DHCP server or by its own settings",
			Do:     "remove options 66 and 67 from the other server; reset the boot settings of its firmware"},
		{ID: "http-missing", After: []BootStage{StageError}, Code: CodeMissing, Wait: 30 * time.Second,
			Says:   "it asked by HTTP for something that there is not ({detail})",
			Causes: "it is not known by that MAC, or an old address stands in its firmware's HTTP Boot settings",
			Do:     "remove the fixed URL from its firmware; look at its MACs: appliance machine show"},
		{ID: "tftp-aborted", After: []BootStage{StageError}, Code: CodeAborted, Wait: 30 * time.Second,
			Says:   "it ended a transfer itself ({detail})",
			Causes: "its firmware has no memory for the file, or was told to boot something else by its keyboard",
			Do:     "read its console; update the firmware of its network card"},
		{ID: "appliance-read", After: []BootStage{StageError}, Code: CodeRead, Wait: 0,
			Says:   "the appliance could not read a file of its own ({detail})",
			Causes: "the appliance's disk is full or broken",
			Do:     "read the appliance's log and its disk's; restart it: it writes the boot kit anew"},
		{ID: "appliance-refused", After: []BootStage{StageError}, Code: CodeRefused, Wait: 0,
			Says:   "the appliance refused a request of it ({detail})",
			Causes: "a kernel argument in the configuration that iPXE would interpret, or a store that does not answer",
			Do:     "read the appliance's log; it names the reason"},
		{ID: "http-broken", After: []BootStage{StageError, StageKernel, StageInitrd, StageNBP}, Code: CodeBroken, Wait: 30 * time.Second,
			Says:   "a download broke off ({detail})",
			Causes: "its link is bad, or it was reset meanwhile",
			Do:     "look at its cable and switch port for errors"},
	}
}

// programRules are about boot programs.
func programRules() []BootRule {
	return []BootRule{
		// The program that it was told to start its disk by comes after the word.
		// StageLocal comes first in After: what was learned of that stage counts.
		{ID: "disk-no-system", After: []BootStage{StageLocal, StageScript, StageNBP}, Had: []BootStage{StageLocal}, Wait: 10 * time.Minute,
			Says:   "it was told to boot its disk, and no agent has reported from there",
			Causes: "its disk may not boot, or holds a system that is not the appliance's",
			Do:     "read its console; write its system anew: appliance service reinstall, or machine image where no service has it"},
		{ID: "disk-chain-silent", After: []BootStage{StageLocal, StageNBP}, Detail: "grub-chain", Wait: 10 * time.Minute,
			Says:   "it loaded the program that starts its disk ({detail}), and no agent has reported from there",
			Causes: "its disk may not boot, or holds a system that is not the appliance's",
			Do:     "read its console; write its system anew: appliance service reinstall, or machine image where no service has it"},
		{ID: "shim-no-grub", After: []BootStage{StageNBP}, Detail: "shim", Wait: time.Minute,
			Says:   "it loaded shim, which has not fetched GRUB",
			Causes: "its firmware does not trust Microsoft's third-party keys, or has revoked this shim",
			Do:     "in its firmware allow the Microsoft 3rd Party UEFI CA; or switch Secure Boot off"},
		{ID: "grub-no-config", After: []BootStage{StageNBP}, Detail: "grub", Wait: time.Minute,
			Says:   "it loaded GRUB, which has not asked for its configuration",
			Causes: "shim refused GRUB (revoked), or GRUB cannot use its network card",
			Do:     "read its screen; update its firmware's network driver"},
		{ID: "nbp-secure-boot", After: []BootStage{StageNBP}, Class: efi(), Not: []BootStage{StageIPXE, StageScript}, Wait: 90 * time.Second,
			Says:   "boot program sent ({detail}), no script asked for: Secure Boot refused it, or HTTP is blocked",
			Causes: "a firmware with Secure Boot on starts only signed programs and says so only on its screen",
			Do:     "nothing: its next attempt gets the signed chain; power it off and on to make that now"},
		{ID: "nbp-no-driver", After: []BootStage{StageNBP}, Wait: 90 * time.Second,
			Says:   "it loaded the boot program ({detail}), which has not asked for an address",
			Causes: "iPXE may have no driver for this network card, or the link takes long to come up",
			Do:     "read its screen; its switch port should be an edge port; update the firmware of its network card"},
		{ID: "ipxe-repeated", After: []BootStage{StageIPXE}, Count: 3, Not: []BootStage{StageScript}, Wait: time.Minute,
			Says:   "iPXE got an address {count} times and never fetched its script",
			Causes: "HTTP to the appliance is blocked, and iPXE starts over each time",
			Do:     "open TCP 8080 to the appliance; its next boot fetches by TFTP"},
		{ID: "ipxe-no-script", After: []BootStage{StageIPXE}, Wait: time.Minute,
			Says:   "iPXE got {ip} and has not fetched its script",
			Causes: "a firewall may block HTTP to the appliance",
			Do:     "open TCP 8080 to the appliance; its next boot fetches by TFTP"},
		{ID: "script-repeated", After: []BootStage{StageScript}, Count: 3, Not: []BootStage{StageKernel}, Wait: time.Minute,
			Says:   "it fetched its script {count} times and never the kernel",
			Causes: "iPXE or GRUB starts over: the kernel's download is refused at once, or memory is too small",
			Do:     "read its screen: it says why"},
		{ID: "script-no-kernel", After: []BootStage{StageScript}, Wait: time.Minute,
			Says:   "it fetched its script and not the kernel",
			Causes: "the download may be refused by a proxy or filter, or memory too small",
			Do:     "read its screen: it says why"},
		{ID: "kernel-no-initrd", After: []BootStage{StageKernel}, Wait: 2 * time.Minute,
			Says:   "it loaded the kernel and not the initramfs",
			Causes: "memory is too small (the agent wants 512 MiB), or under Secure Boot the kernel's signature was refused",
			Do:     "read its screen; look at its memory"},
		{ID: "extra-no-initrd", After: []BootStage{StageExtra}, Not: []BootStage{StageInitrd}, Wait: 2 * time.Minute,
			Says:   "it loaded its boot configuration and not the initramfs",
			Causes: "memory is too small (the agent wants 512 MiB), or the download is slow",
			Do:     "read its screen; look at its memory"},
	}
}

// agentRules are about the agent and the installed system.
func agentRules() []BootRule {
	return []BootRule{
		{ID: "kernel-signed-silent", After: []BootStage{StageInitrd, StageExtra}, Class: efi(), Detail: "initrd", Had: []BootStage{StageScript}, Count: 2, Wait: 3 * time.Minute,
			Says:   "it loaded kernel and initramfs {count} times in one boot, and the agent never asked for an address",
			Causes: "the kernel stops at once and the machine starts over: a firmware whose memory map it does not bear, or a broken download",
			Do:     "read its console; update its firmware"},
		{ID: "kernel-no-agent", After: []BootStage{StageInitrd, StageExtra}, Wait: 3 * time.Minute,
			Says:   "it loaded the kernel, and the agent has not asked for an address",
			Causes: "the kernel may have no driver for this network card, or stopped while it started",
			Do:     "read its console; a card that needs firmware from Debian's non-free-firmware says so there"},
		{ID: "agent-repeated", After: []BootStage{StageAgentIP}, Count: 3, Not: []BootStage{StageHello}, Wait: time.Minute,
			Says:   "its agent got an address {count} times and never said hello",
			Causes: "HTTPS to the appliance is blocked on its network",
			Do:     "open TCP 8443 to the appliance"},
		{ID: "agent-no-hello", After: []BootStage{StageAgentIP}, Wait: time.Minute,
			Says:   "its agent got {ip} and has not said hello",
			Causes: "a firewall may block HTTPS to the appliance, or its clock is far off so that it does not believe the certificate",
			Do:     "open TCP 8443 to the appliance; set the clock in its firmware"},
		{ID: "agent-no-facts", After: []BootStage{StageHello}, Wait: 2 * time.Minute,
			Says:   "its agent said hello and has sent no inventory",
			Causes: "a disk or a BMC that does not answer may hold it up",
			Do:     "read its console; pull disks that do not answer"},
	}
}
