package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"appliance/pool"
)

func TestJudgeTransfers(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	rack := pool.Subnet{Prefix: netip.MustParsePrefix("10.77.0.0/24")}
	at := netip.MustParseAddr("10.77.0.100")
	nbp := pool.BootEvent{At: now.Add(-3 * time.Minute), Stage: pool.StageNBP, Address: at, Bytes: 284_672, Block: 1468, Window: 4, Took: 120 * time.Millisecond}
	lossy, cut := nbp, nbp
	lossy.Resent = 30
	cut.Stage, cut.Failed, cut.Code, cut.Detail = pool.StageError, true, pool.CodeMTU, "TFTP snponly.efi: path MTU"
	kernel := pool.BootEvent{At: now.Add(-time.Minute), Stage: pool.StageKernel, Address: at, Bytes: 8 << 20, Took: time.Second}
	far := kernel
	far.Address = netip.MustParseAddr("10.88.0.1")
	for _, tt := range []struct {
		name       string
		events     []pool.BootEvent
		tftp, http bool
		says       string
	}{
		{"nothing yet", []pool.BootEvent{far}, true, true, "no machine"},
		{"all well", []pool.BootEvent{nbp, kernel}, true, true, "0 of 194 blocks sent again"},
		{"loses", []pool.BootEvent{lossy, kernel}, false, true, "30 of 194"},
		{"too long", []pool.BootEvent{nbp, cut}, false, true, "1 of them broken"},
		{"broken off", []pool.BootEvent{nbp, {At: now, Stage: pool.StageKernel, Address: at, Failed: true, Code: pool.CodeBroken}}, true, false, "broken"},
	} {
		got := judgeTransfers([]pool.Subnet{rack}, tt.events, now)
		if len(got) != 2 || got[0].OK != tt.tftp || got[1].OK != tt.http || !strings.Contains(got[0].Found+got[1].Found, tt.says) || (got[0].Do == "") != tt.tftp {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}
