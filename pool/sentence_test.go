package pool

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestSentence(t *testing.T) {
	now := time.Date(2026, 1, 2, 14, 3, 20, 0, time.UTC)
	bmc := &BMC{Address: netip.MustParseAddr("10.0.0.9")}
	facts := &Facts{}
	cond := func(c ConditionType, value, reason string, ago time.Duration) Conditions {
		return Conditions{c: {Value: value, Reason: reason, Since: now.Add(-ago)}}
	}
	writing := &Operation{Kind: OpDeploy, Status: Running, Step: "image", Attempt: 1, Params: OpParams{Image: "debian-12"},
		Heartbeat: now.Add(-20 * time.Second), Deadline: now.Add(time.Hour)}
	for _, tt := range []struct {
		name string
		m    Machine
		op   *Operation
		live LiveState
		want string
	}{
		{"new", Machine{Phase: Discovered}, nil, LiveState{}, "Seen on the network; its inventory has not come yet."},
		{"waits", Machine{Phase: Discovered, Facts: facts}, nil, LiveState{}, "Waiting to be accepted; until then nothing is written to it."},
		{"ready", Machine{Phase: Ready}, nil, LiveState{Agent: InRAM}, "Ready: in the pool, its agent stands by in memory."},
		{"protected", Machine{Phase: Enrolled, Facts: facts, Conditions: cond(CondProtected, True, "disk WD-1 holds gpt", 0)}, nil, LiveState{},
			"Protected: disk WD-1 holds gpt; release it to allow that its disks are erased."},
		{"active", Machine{Phase: Active, Image: "debian-12"}, nil, LiveState{Agent: Installed}, "Runs debian-12."},
		{"lost", Machine{Phase: Active, Image: "debian-12", Conditions: cond(CondAgent, "lost", "", time.Minute)}, nil, LiveState{},
			"Runs debian-12; its agent was last heard at 14:02:20 UTC."},
		{"writes", Machine{Phase: Reserved}, writing, LiveState{Progress: &Progress{Done: 63, Total: 100, Detail: "to disk WD-42 (sda)"}},
			"Writing debian-12 to disk WD-42 (sda), 63 %, 12 s left."},
		{"BMC", Machine{Phase: Enrolled, BMC: bmc, Conditions: cond(CondBMC, "unreachable", "", 40*time.Second)},
			&Operation{Kind: OpDeploy, Status: Waiting, Waiting: WaitBMC, Deadline: now.Add(3 * time.Minute)}, LiveState{},
			"Waiting for the BMC at 10.0.0.9: no answer for 40 s; it gives up in 3 min."},
		{"boots", Machine{Phase: Reserved}, &Operation{Kind: OpDeploy, Status: Waiting, Waiting: WaitBoot, StartedAt: now.Add(-30 * time.Second)}, LiveState{},
			"Booting for 30 s; waiting for its agent."},
		{"person", Machine{Phase: Reserved}, &Operation{Kind: OpDeploy, Status: Waiting, Waiting: WaitOperator, Step: "power-on"}, LiveState{},
			"Deployment waits for a person: switch the machine on, or restart it, so that it boots from the network."},
		{"failed", Machine{Phase: Enrolled, Conditions: cond(CondBroken, True, "", 0)},
			&Operation{Kind: OpWipe, Status: Failed, Cause: &Cause{Message: "disk WD-1 does not answer", Remedy: "Replace it"}}, LiveState{},
			"Wipe failed: disk WD-1 does not answer. Replace it."},
		{"cancelled", Machine{Phase: Enrolled}, &Operation{Kind: OpWipe, Status: Running, Step: "wipe", CancelAsked: now}, LiveState{},
			"Erasing its disks. Cancelled: it stops at the next safe point."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Sentence(tt.m, tt.op, tt.live, "", now); got != tt.want {
				t.Errorf("Sentence = %q\nwant       %q", got, tt.want)
			}
		})
	}
}

// TestSentenceIsOne: whatever the state, there is something to read.
func TestSentenceIsOne(t *testing.T) {
	now := time.Now()
	for _, p := range append(Phases(), "") {
		for _, k := range OpKinds() {
			for _, s := range []Status{Queued, Running, Waiting, Succeeded, Failed, Cancelled} {
				for _, w := range []WaitOn{WaitNothing, WaitBoot, WaitAgent, WaitBMC, WaitOperator, WaitSlot} {
					got := Sentence(Machine{Phase: p}, &Operation{Kind: k, Status: s, Waiting: w}, LiveState{}, "", now)
					if len(got) < 10 || !strings.HasSuffix(got, ".") || strings.Contains(got, "  ") || got[:1] != strings.ToUpper(got[:1]) {
						t.Errorf("%s %s %s %s: %q", p, k, s, w, got)
					}
				}
			}
		}
	}
}

func TestSentenceNamesTheService(t *testing.T) {
	m := Machine{Phase: Active, Instance: "in-1", Image: "debian-12"}
	if got, want := Sentence(m, nil, LiveState{Agent: Installed}, "orders", time.Now()), "Runs debian-12 for service orders."; got != want {
		t.Errorf("Sentence = %q, want %q", got, want)
	}
}

func TestServiceSentence(t *testing.T) {
	in := Instance{ID: "i", Number: 1, Phase: InstanceInstalling, Step: "install"}
	for _, tt := range []struct {
		s    Service
		in   Instance
		want string
	}{
		{Service{Phase: ServiceDeploying, Instances: 1}, in, "Being deployed: 0 of 1 instance running. Instance 1 is installing on node-1: install."},
		{Service{Phase: ServiceRunning, Instances: 2}, Instance{ID: "i", Phase: InstanceRunning}, "Running: 1 of 2 instances."},
		{Service{Phase: ServiceFailed, Cause: &Cause{Message: "no machine", Remedy: "Add one"}}, in, "Failed: no machine. Add one."},
		{Service{Phase: ServiceRemoved}, in, "Removed."},
	} {
		if got := ServiceSentence(tt.s, []Instance{tt.in}, map[string]string{"i": "node-1"}); got != tt.want {
			t.Errorf("ServiceSentence = %q, want %q", got, tt.want)
		}
	}
}

func TestDiagnose(t *testing.T) {
	start := time.Date(2026, 1, 2, 14, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		stage BootStage
		after time.Duration
		want  string // empty: not silent
	}{
		{StageDiscover, 10 * time.Second, ""},
		{StageDiscover, 40 * time.Second, "another DHCP server"},
		{StageLease, 2 * time.Minute, "TFTP"},
		{StageNBP, 2 * time.Minute, "no driver"},
		{StageKernel, 5 * time.Minute, "loaded the kernel"},
		{StageAgentIP, 2 * time.Minute, "HTTPS"},
		{StageLocal, time.Hour, "boot its disk"},
		{StageOS, time.Hour, ""},
		{StageFacts, time.Hour, ""},
	} {
		b := Boot{Start: start, Events: []BootEvent{{At: start, Stage: tt.stage}, {At: start.Add(time.Second), Stage: StageSilent}}}
		got := Diagnose(b, start.Add(tt.after))
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s after %s: %q, want %q in it", tt.stage, tt.after, got, tt.want)
		}
	}
	broken := Boot{Events: []BootEvent{{At: start, Stage: StageError, Code: CodeAborted, Failed: true, Detail: "vmlinuz: timeout"}}}
	if got := Diagnose(broken, start.Add(time.Hour)); !strings.Contains(got, "(vmlinuz: timeout)") {
		t.Errorf("a broken transfer: %q, want its evidence", got)
	}
	if got := Diagnose(Boot{}, start); got != "" {
		t.Errorf("no boot: %q", got)
	}
}
