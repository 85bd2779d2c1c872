package pool

import (
	"fmt"
	"time"
)

// patience is how long after a stage the next one may take before the boot
// counts as silent, what usually stands in the way, and whether the boot ends
// there by itself.
type patience struct {
	wait   time.Duration
	after  string
	causes string
}

// expect says how long each stage may last. A stage that is absent ends a boot.
func expect(s BootStage) (patience, bool) {
	switch s {
	case StagePower:
		return patience{3 * time.Minute, "it was switched on and has not asked for an address",
			"network boot may be off or behind the disk in its boot order, its cable may be in another network, or its self-test takes long"}, true
	case StageDiscover:
		return patience{30 * time.Second, "its firmware asked for an address and did not take the offered one",
			"another DHCP server may answer it, or the answer does not reach it (VLAN, spanning tree without edge port)"}, true
	case StageLease:
		return patience{time.Minute, "its firmware got an address and has not fetched the boot program",
			"a firewall may block TFTP (UDP 69 and the ports above 1024), or the firmware only boots from its disk"}, true
	case StageNBP:
		return patience{90 * time.Second, "it loaded the boot program, which has not asked for an address",
			"iPXE may have no driver for this network card, Secure Boot may refuse it, or the link takes long to come up"}, true
	case StageIPXE:
		return patience{time.Minute, "iPXE got an address and has not fetched its script",
			"a firewall may block HTTP to the appliance"}, true
	case StageScript:
		return patience{time.Minute, "iPXE fetched its script and not the kernel",
			"read its screen: the download may be refused or memory too small"}, true
	case StageKernel, StageInitrd, StageExtra:
		return patience{3 * time.Minute, "it loaded the kernel, and the agent has not asked for an address",
			"the kernel may have no driver for this network card, or stopped while it started; read its console"}, true
	case StageAgentIP:
		return patience{time.Minute, "its agent got an address and has not said hello",
			"a firewall may block HTTPS to the appliance, or its clock is far off so that it does not believe the certificate"}, true
	case StageHello:
		return patience{2 * time.Minute, "its agent said hello and has sent no inventory",
			"a disk or a BMC that does not answer may hold it up; read its console"}, true
	case StageLocal:
		return patience{10 * time.Minute, "it was told to boot its disk, and no agent has reported from there",
			"its disk may not boot, or holds a system that is not the appliance's"}, true
	case StageError:
		return patience{time.Minute, "a transfer broke off", "its link may be bad; read the evidence in the timeline"}, true
	case StageFacts, StageStep, StageOS, StageSilent:
	}
	return patience{}, false
}

// Diagnose says at which stage a boot went silent and what the likely causes
// are, or nothing while it is going on or where it has arrived.
func Diagnose(b Boot, now time.Time) string {
	var last BootEvent
	for _, e := range b.Events {
		if e.Stage != StageSilent {
			last = e
		}
	}
	p, more := expect(last.Stage)
	quiet := now.Sub(last.At)
	if len(b.Events) == 0 || !more || quiet < p.wait {
		return ""
	}
	text := fmt.Sprintf("Silent for %s: %s; %s.", Span(quiet), p.after, p.causes)
	if last.Failed && last.Detail != "" {
		text += " The last thing seen was: " + sentenceEnd(last.Detail)
	}
	return text
}
