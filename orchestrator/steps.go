package orchestrator

import (
	"time"

	"appliance/pool"
)

// Names of the steps of operations. They are stable: console, timeline and
// tests know them.
const (
	stepTrust      = "trust"       // wait: the agent got its certificate
	stepBMCUser    = "bmc-user"    // the agent makes our BMC user in-band
	stepBMCCheck   = "bmc-check"   // the user works from here
	stepBootDevice = "boot-device" // network next
	stepPowerOff   = "power-off"   // verified
	stepPowerOn    = "power-on"    // verified
	stepPowerSoft  = "power-soft"
	stepRestart    = "restart"   // the installed agent reboots a machine without BMC
	stepSwitchOn   = "switch-on" // wait: a person switches on a machine without BMC
	stepStandby    = "standby"   // wait: the agent in RAM asks for work
	stepFacts      = "facts"
	stepWipe       = "wipe"
	stepImage      = "image"
	stepBootDisk   = "boot-disk"
	stepReboot     = "reboot"
	stepSystem     = "system" // wait: the installed agent says hello with the epoch
	stepRescue     = "rescue" // wait: until it is cancelled
	stepShutdown   = "shutdown"

	// Steps of drivers: the appliance carries them out, over SSH or libvirt.
	stepConnect  = "connect"  // a running host: reach it, log in, look at it
	stepPush     = "push"     // put the agent there and start it
	stepClean    = "clean"    // take it away again
	stepDefine   = "define"   // a virtual machine: make it, and start the agent in its RAM
	stepStart    = "start-vm" // start it from the disk that was written
	stepUndefine = "undefine" // remove it, and its disk unless that is to be kept

	stepAcquire = "acquire" // wait: a machine and its system
	stepPrepare = "prepare"
	stepCleanup = "cleanup"
	stepRelease = "release"
	stepLocator = "locator" // which processes are the service's
	stepWatch   = "watch"   // the agent looks after the instance from now on
	stepPromote = "promote" // a replica takes over
	stepRestore = "restore" // from the verified backup
	stepProof   = "power-proof"
	stepStorage = "storage" // the disk of its data is mounted
	stepUnbind  = "storage-release"
	stepCheck   = "check" // of a rollout: the recipe's command check says that it serves
)

// pickup is how long an agent that was heard of may take to ask for a task.
const pickup = 5 * time.Minute

// spec is what is known of a step by its name.
type spec struct {
	task    pool.TaskKind  // empty: the appliance's own
	mode    pool.AgentMode // the agent it needs, also of waits
	waits   bool           // done when something was seen; nothing is sent
	idem    bool
	timeout time.Duration // of one try
	tries   int
	patient bool        // an unreachable BMC delays it up to its deadline
	firm    bool        // it is not cut short: cancel waits for its end
	driver  bool        // the machine's driver carries it out
	waiting pool.WaitOn // what the operation waits on while it runs
}

// opSpec returns the spec of an operation's step. All agent steps may run
// twice: they set a state (a user, an empty disk, an image) rather than move
// one. A reboot that was cut off has happened when another boot ID is seen.
func opSpec(name string) spec {
	agent := func(k pool.TaskKind, timeout time.Duration, tries int) spec {
		return spec{task: k, mode: pool.InRAM, idem: true, timeout: timeout, tries: tries, waiting: pool.WaitAgent}
	}
	bmc := spec{idem: true, timeout: 5 * time.Minute, tries: 3, patient: true, firm: true, waiting: pool.WaitBMC}
	wait := func(mode pool.AgentMode, on pool.WaitOn, timeout time.Duration) spec {
		return spec{mode: mode, waits: true, idem: true, timeout: timeout, tries: 1, waiting: on}
	}
	switch name {
	case stepConnect, stepPush, stepClean, stepDefine, stepStart, stepUndefine:
		return driverSpec(name)
	case stepTrust:
		return wait(pool.InRAM, pool.WaitAgent, 24*time.Hour)
	case stepSwitchOn:
		return wait(pool.InRAM, pool.WaitOperator, 24*time.Hour)
	case stepStandby:
		return wait(pool.InRAM, pool.WaitBoot, 15*time.Minute)
	case stepSystem:
		return wait(pool.Installed, pool.WaitBoot, 15*time.Minute)
	case stepRescue:
		return wait(pool.InRAM, pool.WaitOperator, 8*time.Hour)
	case stepBMCUser:
		s := agent(pool.TaskBMCUser, 3*time.Minute, 2)
		s.firm = true
		return s
	case stepFacts:
		return agent(pool.TaskFacts, 5*time.Minute, 2)
	case stepWipe:
		return agent(pool.TaskWipe, 4*time.Hour, 2)
	case stepImage:
		return agent(pool.TaskImage, time.Hour, 2)
	case stepReboot, stepRestart:
		s := agent(pool.TaskReboot, 5*time.Minute, 1)
		s.firm = true
		if name == stepRestart {
			s.mode = pool.Installed
		}
		return s
	case stepShutdown:
		s := agent(pool.TaskPowerOff, 5*time.Minute, 1)
		s.firm = true
		return s
	}
	return bmc // bmc-check, boot-device, boot-disk, power-*
}

// driverSpec returns the spec of a driver's step. All of them may run twice.
func driverSpec(name string) spec {
	s := spec{driver: true, idem: true, tries: 3, timeout: 5 * time.Minute}
	switch name {
	case stepConnect:
		s.timeout, s.tries = time.Minute, 2
	case stepDefine:
		s.timeout, s.tries = 20*time.Minute, 2 // the image's first use on a hypervisor
	}
	return s
}

// opSteps returns the names of the steps of an operation on m, in order, given
// the agent that is live now. It is nil for what has no steps.
func opSteps(op pool.Operation, m pool.Machine, live presence) []string {
	if m.Driver.Or() == pool.DriverSSH {
		return hostSteps(op.Kind)
	}
	if m.Driver == pool.DriverVM {
		return vmSteps(op, m, live)
	}
	switch op.Kind {
	case pool.OpEnrol:
		return []string{stepTrust, stepBMCUser, stepBMCCheck}
	case pool.OpInspect:
		s := bootSteps(m, live)
		if m.BMC != nil && m.BMC.User == "" { // an enrolment that went wrong is made good
			s = append(s, stepBMCUser, stepBMCCheck)
		}
		return append(s, stepFacts)
	case pool.OpWipe:
		return append(bootSteps(m, live), stepFacts, stepWipe)
	case pool.OpRescue:
		return append(bootSteps(m, live), stepRescue)
	case pool.OpDeploy:
		s := append(bootSteps(m, live), stepImage)
		if controlled(m) {
			s = append(s, stepBootDisk)
		}
		return append(s, stepReboot, stepSystem)
	case pool.OpPower:
		return powerSteps(op.Params, m, live)
	case pool.OpFence:
		return []string{stepPowerOff, stepProof}
	case pool.OpAdopt, pool.OpTest, pool.OpConfigure, pool.OpRelease, pool.OpUpdate, pool.OpRetire:
	}
	return nil
}

// bootSteps bring the agent into RAM: nothing but a look when one is live,
// else by the BMC, else by the installed agent, else by a person.
func bootSteps(m pool.Machine, live presence) []string {
	switch {
	case live.mode == pool.InRAM && live.trusted:
		return []string{stepStandby}
	case controlled(m):
		return []string{stepBootDevice, stepPowerOff, stepPowerOn, stepStandby}
	case live.mode == pool.Installed && (m.Phase == pool.Reserved || m.Phase == pool.Active):
		return []string{stepRestart, stepStandby}
	case m.Conditions[pool.CondAgent].Value == "booting":
		return []string{stepStandby}
	}
	return []string{stepSwitchOn, stepStandby}
}

// powerSteps: a cycle is two steps, off (verified) and on, so that a restart
// in the middle knows what is left; a reset is done the same way.
func powerSteps(p pool.OpParams, m pool.Machine, live presence) []string {
	if !controlled(m) {
		switch p.Power {
		case pool.DoPowerCycle, pool.DoPowerReset:
			if live.mode == pool.Installed {
				return []string{stepRestart}
			}
			return []string{stepReboot}
		case pool.DoPowerOff, pool.DoPowerSoft:
			return []string{stepShutdown}
		case pool.DoPowerOn:
		}
		return []string{stepSwitchOn}
	}
	var s []string
	if p.Boot != "" && p.Boot != pool.BootNone {
		s = append(s, stepBootDevice)
	}
	switch p.Power {
	case pool.DoPowerOn:
		s = append(s, stepPowerOn)
	case pool.DoPowerOff:
		s = append(s, stepPowerOff)
	case pool.DoPowerSoft:
		s = append(s, stepPowerSoft)
	case pool.DoPowerCycle, pool.DoPowerReset:
		s = append(s, stepPowerOff, stepPowerOn)
	}
	return s
}

// controlled says whether m can be switched by its BMC: only by our own user.
func controlled(m pool.Machine) bool { return m.BMC != nil && m.BMC.User != "" }

// needsRAM says whether an operation has an open step for the agent in RAM.
// Once an image is written the machine is to start its disk.
func needsRAM(steps []*pool.Step) bool {
	for _, s := range latest(steps) {
		open := s.Status == pool.StepPending || s.Status == pool.StepRunning || s.Status == pool.StepInterrupted
		if open && s.Mode == pool.InRAM && s.Name != stepReboot && s.Name != stepShutdown {
			return true
		}
	}
	return false
}

// latest returns the last try of each step, in order.
func latest(steps []*pool.Step) []*pool.Step {
	var out []*pool.Step
	for _, s := range steps { // by Seq, Attempt
		if n := len(out); n > 0 && out[n-1].Seq == s.Seq {
			out[n-1] = s
			continue
		}
		out = append(out, s)
	}
	return out
}

// current returns the first step that is not done, nil when all are.
func current(steps []*pool.Step) *pool.Step {
	for _, s := range latest(steps) {
		if s.Status != pool.StepDone {
			return s
		}
	}
	return nil
}

func find(steps []*pool.Step, name string) *pool.Step {
	var out *pool.Step
	for _, s := range steps {
		if s.Name == name {
			out = s
		}
	}
	return out
}

// lifecycle events, in order; removal last.
func upEvents() []string {
	return []string{"preServiceStart", "init", "preInstall", "install", "postInstall",
		"preStart", "start", "startDetection", stepLocator, "postStart"}
}

func downEvents() []string { return []string{"drain", "preStop", "stop", "postStop", "shutdown"} }

// eventSpec returns how a lifecycle event or a step around it runs. install
// and what only looks or prepares may run again after an interruption; of the
// others the recipe's verify closure says whether they were done, else a
// person decides.
func eventSpec(name string, r pool.RecipeInfo) spec {
	s := spec{task: pool.TaskEvent, mode: pool.Installed, timeout: 10 * time.Minute, tries: 1, waiting: pool.WaitAgent}
	switch name {
	case stepPrepare:
		s.task, s.idem, s.tries = pool.TaskPrepare, true, 3
	case stepStorage:
		s.task, s.idem, s.tries, s.timeout = pool.TaskStorage, true, 2, time.Hour // a large disk may have to be checked
	case stepUnbind:
		s.task, s.idem, s.timeout = pool.TaskStorage, true, 5*time.Minute
	case stepCheck:
		s.idem, s.tries, s.timeout = true, 5, time.Minute
	case "install":
		s.timeout, s.tries, s.idem = 30*time.Minute, 3, true
	case "start":
		s.timeout, s.idem = 5*time.Minute, true
	case "startDetection":
		s.task, s.idem, s.timeout = pool.TaskDetect, true, r.StartTimeout
		if s.timeout <= 0 {
			s.timeout = 90 * time.Second
		}
	case "drain", "preStop", "stop", "postStop", "preServiceStop", stepShutdown:
		s.timeout, s.idem = 5*time.Minute, true
	case stepDepends:
		s = spec{waits: true, idem: true, timeout: dependTime, tries: 1}
	case stepLocator:
		s.timeout, s.idem, s.tries = time.Minute, true, 2
	case stepWatch:
		s.task, s.timeout, s.idem, s.tries = pool.TaskWatch, time.Minute, true, 3
	case stepPromote, stepRestore:
		s.timeout = 30 * time.Minute
	case stepRestart:
		s.task, s.idem, s.timeout = pool.TaskReboot, true, 2*time.Minute
	case stepCleanup:
		s.task, s.idem, s.timeout = pool.TaskCleanup, true, 5*time.Minute
	}
	if own := r.Timeouts[name]; own > 0 && name != "startDetection" {
		s.timeout = own
	}
	return s
}
