package images

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"appliance/pool"
)

var site = Site{TFTP: netip.MustParseAddr("10.77.0.1"), HTTP: "http://10.77.0.1:8080"}

var mac = pool.MAC{2, 0, 0, 0, 0, 1}

func TestDecide(t *testing.T) {
	pxe := pool.Client{Arch: pool.ArchBIOS, PXE: true}
	os := pool.Client{Arch: pool.ArchUnspecified}
	for _, tt := range []struct {
		name   string
		client pool.Client
		state  pool.BootState
		want   pool.BootAction
	}{
		{"unknown, no discovery", pxe, pool.BootState{}, pool.BootIgnore},
		{"unknown, discovery", pxe, pool.BootState{Discover: true}, pool.BootAgent},
		{"unknown, discovery, does not netboot", os, pool.BootState{Discover: true}, pool.BootIgnore},
		{"discovered, first time", pxe, pool.BootState{Known: true, Discover: true, Phase: pool.Discovered}, pool.BootAgent},
		{"discovered, discovery switched off", pxe, pool.BootState{Known: true, Phase: pool.Discovered}, pool.BootIgnore},
		{"discovered and inventoried", pxe, pool.BootState{Known: true, Discover: true, Phase: pool.Discovered, HasFacts: true}, pool.BootLocal},
		{"being accepted", pxe, pool.BootState{Known: true, Phase: pool.Discovered, HasFacts: true, Op: pool.OpEnrol, NeedsRAM: true}, pool.BootAgent},
		{"enrolled", pxe, pool.BootState{Known: true, Phase: pool.Enrolled}, pool.BootAgent},
		{"ready", pxe, pool.BootState{Known: true, Phase: pool.Ready}, pool.BootAgent},
		{"reserved, before the image", pxe, pool.BootState{Known: true, Phase: pool.Reserved, Op: pool.OpDeploy, NeedsRAM: true}, pool.BootAgent},
		{"reserved, after the image", pxe, pool.BootState{Known: true, Phase: pool.Reserved, Op: pool.OpDeploy}, pool.BootLocal},
		{"reserved, after a failure", pxe, pool.BootState{Known: true, Phase: pool.Reserved}, pool.BootAgent},
		{"active", pxe, pool.BootState{Known: true, Phase: pool.Active}, pool.BootLocal},
		{"active, power operation", pxe, pool.BootState{Known: true, Phase: pool.Active, Op: pool.OpPower}, pool.BootLocal},
		{"active, rescue", pxe, pool.BootState{Known: true, Phase: pool.Active, Op: pool.OpRescue, NeedsRAM: true}, pool.BootAgent},
		{"retired", pxe, pool.BootState{Known: true, Phase: pool.Retired}, pool.BootLocal},
		{"boots in a circle", pxe, pool.BootState{Known: true, Phase: pool.Enrolled, LoopStop: true}, pool.BootLocal},
		{"arm64", pool.Client{Arch: pool.ArchEFIARM64, PXE: true}, pool.BootState{Known: true, Phase: pool.Enrolled}, pool.BootAgent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Decide(tt.client, tt.state); got != tt.want {
				t.Errorf("Decide(%+v, %+v) = %s, want %s", tt.client, tt.state, got, tt.want)
			}
		})
	}
}

// TestDecideKeepsDisks walks every combination: what must never happen.
func TestDecideKeepsDisks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := pool.BootState{
			Known:    rapid.Bool().Draw(t, "known"),
			Discover: rapid.Bool().Draw(t, "discover"),
			Phase:    rapid.SampledFrom(append(pool.Phases(), "")).Draw(t, "phase"),
			HasFacts: rapid.Bool().Draw(t, "facts"),
			Op:       rapid.SampledFrom(append(pool.OpKinds(), "")).Draw(t, "op"),
			NeedsRAM: rapid.Bool().Draw(t, "ram"),
		}
		c := pool.Client{Arch: rapid.SampledFrom([]int{-1, 0, 7, 9, 11, 16, 99}).Draw(t, "arch"),
			IPXE: rapid.Bool().Draw(t, "ipxe"), PXE: rapid.Bool().Draw(t, "pxe")}
		got := Decide(c, s)
		if got == pool.BootAgent && s.Known && s.Phase == pool.Active && !s.NeedsRAM {
			t.Fatal("an active machine was given the agent")
		}
		if got == pool.BootAgent && s.Known && s.Phase == pool.Discovered && s.HasFacts && !s.NeedsRAM {
			t.Fatal("an inventoried machine was given the agent before it was accepted")
		}
		if got != pool.BootIgnore && !s.Known && !s.Discover {
			t.Fatal("an unknown machine was answered where nobody discovers")
		}
		if a, ok := Answer(c, got, mac, site, ChoosePath(c.Class())); ok && a.File == "" {
			t.Fatal("an answer without a boot file")
		}
	})
}

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		client pool.Client
		action pool.BootAction
		want   string // empty: not answered
	}{
		{"BIOS ROM", pool.Client{Arch: 0, PXE: true}, pool.BootAgent, "undionly.kpxe"},
		{"UEFI", pool.Client{Arch: 7, PXE: true}, pool.BootAgent, "snponly.efi"},
		{"UEFI by the other number", pool.Client{Arch: 9, PXE: true}, pool.BootAgent, "snponly.efi"},
		{"UEFI to its disk", pool.Client{Arch: 7, PXE: true}, pool.BootLocal, "grub-chain.efi"},
		{"HTTP Boot", pool.Client{Arch: 16, PXE: true, HTTP: true}, pool.BootAgent, "http://10.77.0.1:8080/kit/snponly.efi"},
		{"HTTP Boot by the other number", pool.Client{Arch: 17, PXE: true, HTTP: true}, pool.BootAgent, "http://10.77.0.1:8080/kit/snponly.efi"},
		{"iPXE on BIOS", pool.Client{Arch: 0, PXE: true, IPXE: true}, pool.BootAgent, "http://10.77.0.1:8080/boot/02-00-00-00-00-01/script.ipxe?platform=pcbios"},
		{"iPXE on UEFI", pool.Client{Arch: 7, PXE: true, IPXE: true}, pool.BootLocal, "http://10.77.0.1:8080/boot/02-00-00-00-00-01/script.ipxe?platform=efi"},
		{"arm64, without a kit for it", pool.Client{Arch: 11, PXE: true}, pool.BootAgent, ""},
		{"ignored", pool.Client{Arch: 0, PXE: true}, pool.BootIgnore, ""},
		{"no NBP for it", pool.Client{Arch: 27, PXE: true}, pool.BootAgent, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Answer(tt.client, tt.action, mac, site, ChoosePath(tt.client.Class()))
			if got.File != tt.want || ok != (tt.want != "") {
				t.Errorf("Answer = %q, %v, want %q", got.File, ok, tt.want)
			}
			if ok && !strings.HasPrefix(got.File, "http") && got.Next != site.TFTP {
				t.Errorf("next server = %v, want %v", got.Next, site.TFTP)
			}
		})
	}
}

// A site with a kit for arm64 answers such machines: the signed chain first,
// for it boots with Secure Boot and without.
func TestAnswerARM64(t *testing.T) {
	arm := site
	arm.ARM64 = true
	for _, tt := range []struct {
		client pool.Client
		action pool.BootAction
		nbp    string
		want   string
	}{
		{pool.Client{Arch: 11, PXE: true}, pool.BootAgent, "", "shimaa64.efi"},
		{pool.Client{Arch: 11, PXE: true}, pool.BootLocal, "", "shimaa64.efi"},
		{pool.Client{Arch: 11, PXE: true}, pool.BootAgent, NBPIPXEARM64, "ipxe-arm64.efi"},
		{pool.Client{Arch: 11, PXE: true}, pool.BootLocal, NBPIPXEARM64, "grub-chain-arm64.efi"},
		{pool.Client{Arch: 19, PXE: true, HTTP: true}, pool.BootAgent, "", "http://10.77.0.1:8080/kit/ipxe-arm64.efi"},
		{pool.Client{Arch: 11, IPXE: true}, pool.BootAgent, NBPIPXEARM64, "http://10.77.0.1:8080/boot/02-00-00-00-00-01/script.ipxe?platform=efi-arm64"},
	} {
		path := ChoosePath(tt.client.Class())
		if tt.nbp != "" {
			path = pool.BootPath{NBP: tt.nbp, Files: pool.FilesHTTP}
		}
		if got, ok := Answer(tt.client, tt.action, mac, arm, path); !ok || got.File != tt.want {
			t.Errorf("%+v, %s by %s: %q, %v, want %q", tt.client, tt.action, tt.nbp, got.File, ok, tt.want)
		}
	}
	text, err := Script(pool.BootLocal, pool.Client{Arch: 11, IPXE: true}, mac, arm, "m", nil)
	if err != nil || !strings.Contains(text, "/kit/grub-chain-arm64.efi") {
		t.Errorf("script to the disk: %v\n%s", err, text)
	}
}
