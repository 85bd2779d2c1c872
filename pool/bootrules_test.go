package pool

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// seen makes a boot of events, a second apart.
func seen(class string, events ...BootEvent) Boot {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := Boot{Start: start}
	for i, e := range events {
		e.At, e.Class, e.Address = start.Add(time.Duration(i)*time.Second), class, netip.MustParseAddr("10.77.0.100")
		b.Events, b.End = append(b.Events, e), e.At
	}
	return b
}

func stages(all ...BootStage) (out []BootEvent) {
	for _, s := range all {
		out = append(out, BootEvent{Stage: s})
	}
	return out
}

// TestBootRules provokes each rule of the table by what is seen of a machine
// that stops there, and fails for a rule that nothing provokes.
func TestBootRules(t *testing.T) {
	to := func(s ...BootStage) []BootEvent { return stages(s...) }
	with := func(events []BootEvent, last ...BootEvent) []BootEvent { return append(slices.Clone(events), last...) }
	note := func(c BootCode, detail string) BootEvent { return BootEvent{Stage: StageDHCP, Code: c, Detail: detail} }
	fault := func(c BootCode, e BootEvent) BootEvent {
		e.Stage, e.Code, e.Failed = StageError, c, true
		return e
	}
	nbp := func(name string) BootEvent { return BootEvent{Stage: StageNBP, Detail: name} }
	toNBP := to(StageDiscover, StageLease)
	provoked := map[string]bool{}
	toScript := with(toNBP, nbp("snponly.efi"), BootEvent{Stage: StageIPXE}, BootEvent{Stage: StageScript})
	for _, tt := range []struct {
		rule   string
		class  string
		events []BootEvent
		says   string // a part of the sentence
	}{
		{"power-no-dhcp", "", to(StagePower), "has not asked for an address"},
		{"dhcp-elsewhere", ClassBIOS, with(to(StageDiscover), note(CodeElsewhere, "10.0.0.9")), "another DHCP server won (10.0.0.9)"},
		{"dhcp-foreign", ClassBIOS, with(nil, note(CodeForeign, "10.0.0.9")), "10.0.0.9"},
		{"dhcp-full", ClassBIOS, with(to(StageDiscover), note(CodeFull, "")), "none was free"},
		{"dhcp-decline", ClassBIOS, with(toNBP, note(CodeDecline, "10.77.0.100")), "in use"},
		{"dhcp-nak-loop", ClassBIOS, with(nil, note(CodeNak, ""), note(CodeNak, "")), "2 times"},
		{"dhcp-nak", ClassBIOS, with(nil, note(CodeNak, "")), "was refused"},
		{"arm-no-kit", ClassEFIARM64, with(nil, note(CodeMissing, "architecture 11")), "no boot kit for arm64"},
		{"no-program", "", with(nil, note(CodeMissing, "architecture 6")), "architecture 6"},
		{"discover-repeated", ClassBIOS, to(StageDiscover, StageDiscover, StageDiscover), "3 times"},
		{"discover-no-request", ClassBIOS, to(StageDiscover), "did not take"},
		{"lease-no-http", ClassEFIx64HTTP, toNBP, "HTTP Boot"},
		{"lease-no-tftp", ClassBIOS, toNBP, "10.77.0.100"},
		{"tftp-mtu", ClassEFIx64, with(toNBP, fault(CodeMTU, BootEvent{Block: 1468})), "1468"},
		{"tftp-blackhole", ClassEFIx64, with(toNBP, fault(CodeTimeout, BootEvent{Block: 1468, Resent: 6})), "at 1468 bytes"},
		{"tftp-ports", ClassBIOS, with(toNBP, fault(CodeTimeout, BootEvent{Block: 512})), "no data was acknowledged"},
		{"tftp-stalled", ClassBIOS, with(toNBP, fault(CodeTimeout, BootEvent{Block: 1468, Bytes: 40000})), "after 40000 bytes"},
		{"tftp-missing", ClassBIOS, with(toNBP, fault(CodeMissing, BootEvent{Detail: "TFTP pxelinux.0: file not found"})), "pxelinux.0"},
		{"http-missing", ClassBIOS, with(toNBP, fault(CodeMissing, BootEvent{Detail: "render boot script"})), "by HTTP"},
		{"tftp-aborted", ClassBIOS, with(toNBP, fault(CodeAborted, BootEvent{Detail: "undionly.kpxe"})), "ended a transfer itself"},
		{"appliance-read", ClassBIOS, with(toNBP, fault(CodeRead, BootEvent{Detail: "snponly.efi"})), "could not read"},
		{"appliance-refused", ClassBIOS, with(toNBP, fault(CodeRefused, BootEvent{Detail: "render boot script"})), "refused a request"},
		{"http-broken", ClassBIOS, with(toScript, BootEvent{Stage: StageKernel, Failed: true, Code: CodeBroken, Detail: "vmlinuz"}), "broke off (vmlinuz)"},
		{"shim-no-grub", ClassEFIx64, with(toNBP, nbp("shimx64.efi")), "has not fetched GRUB"},
		{"grub-no-config", ClassEFIx64, with(toNBP, nbp("shimx64.efi"), nbp("grubx64.efi")), "not asked for its configuration"},
		{"nbp-secure-boot", ClassEFIx64, with(toNBP, nbp("snponly.efi")), "Secure Boot refused it, or HTTP is blocked"},
		{"nbp-no-driver", ClassBIOS, with(toNBP, nbp("undionly.kpxe")), "no driver"},
		{"ipxe-repeated", ClassBIOS, with(toNBP, stages(StageNBP, StageIPXE, StageIPXE, StageIPXE)...), "3 times"},
		{"ipxe-no-script", ClassBIOS, with(toNBP, stages(StageNBP, StageIPXE)...), "not fetched its script"},
		{"script-repeated", ClassBIOS, with(toNBP, stages(StageScript, StageScript, StageScript)...), "3 times"},
		{"script-no-kernel", ClassBIOS, toScript, "not the kernel"},
		{"kernel-no-initrd", ClassBIOS, with(toScript, stages(StageKernel)...), "not the initramfs"},
		{"extra-no-initrd", ClassBIOS, with(toScript, stages(StageKernel, StageExtra)...), "boot configuration"},
		{"kernel-signed-silent", ClassEFIx64, with(toScript, BootEvent{Stage: StageInitrd, Detail: "kit/initrd.zst"}, BootEvent{Stage: StageInitrd, Detail: "kit/initrd.zst"}), "2 times"},
		{"kernel-no-agent", ClassBIOS, with(toScript, stages(StageKernel, StageExtra, StageInitrd)...), "agent has not asked"},
		{"agent-repeated", ClassBIOS, with(toScript, stages(StageInitrd, StageAgentIP, StageAgentIP, StageAgentIP)...), "3 times"},
		{"agent-no-hello", ClassBIOS, with(toScript, stages(StageInitrd, StageAgentIP)...), "not said hello"},
		{"agent-no-facts", ClassBIOS, with(toScript, stages(StageAgentIP, StageHello)...), "no inventory"},
		{"disk-no-system", ClassBIOS, with(toScript, stages(StageLocal)...), "boot its disk"},
		{"disk-no-system", ClassEFIx64, with(toScript, BootEvent{Stage: StageLocal}, BootEvent{Stage: StageScript}, nbp("grub-chain.efi")), "boot its disk"},
		{"disk-chain-silent", ClassEFIx64, with(toNBP, nbp("grub-chain.efi")), "grub-chain.efi"},
	} {
		provoked[tt.rule] = true
		b := seen(tt.class, tt.events...)
		d, silent := Explain(b, b.End.Add(time.Hour), nil)
		if !silent || d.Rule != tt.rule {
			t.Errorf("%s: diagnosed as %q, silent %t", tt.rule, d.Rule, silent)
			continue
		}
		if s := d.Sentence(); !strings.Contains(s, tt.says) || strings.ContainsAny(s, "{}") || !strings.HasSuffix(s, ".") {
			t.Errorf("%s: %q, want %q in it", tt.rule, s, tt.says)
		}
		if d.Wait > 0 {
			if _, silent := Explain(b, b.End.Add(d.Wait-time.Second), nil); silent {
				t.Errorf("%s: silent before its %s have passed", tt.rule, d.Wait)
			}
		}
	}
	ids := map[string]bool{}
	for _, r := range BootRules() {
		if ids[r.ID] {
			t.Errorf("rule %s is there twice", r.ID)
		}
		ids[r.ID] = true
		if !provoked[r.ID] {
			t.Errorf("no test provokes rule %s", r.ID)
		}
		if r.Says == "" || r.Causes == "" || r.Do == "" || len(r.After) == 0 {
			t.Errorf("rule %s lacks a word: %+v", r.ID, r)
		}
	}
	if len(ids) < 23 {
		t.Errorf("%d rules, want 23 at least", len(ids))
	}
}

// What was learned of a model takes the place of what is true of all.
func TestLearnedTimes(t *testing.T) {
	b := seen(ClassEFIx64, stages(StagePower)...)
	slow := map[BootStage]StageTime{StageDiscover: {Count: 5, Mean: 4 * time.Minute, Max: 4 * time.Minute}}
	quick := map[BootStage]StageTime{StageDiscover: {Count: 5, Mean: 10 * time.Second, Max: 12 * time.Second}}
	few := map[BootStage]StageTime{StageDiscover: {Count: 2, Mean: time.Second, Max: time.Second}}
	for _, tt := range []struct {
		name  string
		times map[BootStage]StageTime
		after time.Duration
		want  bool
	}{
		{"unknown, in time", nil, 2 * time.Minute, false},
		{"unknown, late", nil, 4 * time.Minute, true},
		{"a slow model, in time", slow, 8 * time.Minute, false},
		{"a slow model, late", slow, 9 * time.Minute, true},
		{"a quick model, late", quick, time.Minute, true},
		{"seen too rarely", few, 2 * time.Minute, false},
	} {
		if _, got := Explain(b, b.End.Add(tt.after), tt.times); got != tt.want {
			t.Errorf("%s: silent %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestStageTime(t *testing.T) {
	var s StageTime
	for range 20 {
		s = s.Add(10 * time.Second)
	}
	s = s.Add(time.Minute)
	if s.Max != time.Minute || s.Mean < 10*time.Second || s.Mean > 20*time.Second {
		t.Errorf("after one long stage: %+v", s)
	}
	for range 200 {
		s = s.Add(10 * time.Second)
	}
	if s.Max > 11*time.Second {
		t.Errorf("the long stage does not fade: %+v", s)
	}
}
