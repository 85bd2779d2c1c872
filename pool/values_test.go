package pool_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"appliance/pool"
)

func FuzzParseMAC(f *testing.F) {
	for _, s := range []string{"52:54:00:12:34:56", "52-54-00-12-34-56", "5254.0012.3456", "", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff",
		"01:00:5e:00:00:01", "52:54:00:12:34", "52:54:00:12:34:56:78:9a", "52:54:00:12:34:5G", "52:54:00:12:34:56\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := pool.ParseMAC(s)
		if err != nil {
			if !errors.Is(err, pool.ErrInvalid) || !m.IsZero() {
				t.Fatalf("ParseMAC(%q) = %v, %v", s, m, err)
			}
			return
		}
		if m.IsZero() || m[0]&1 != 0 {
			t.Fatalf("ParseMAC(%q) = %v, no interface has it", s, m)
		}
		again, err := pool.ParseMAC(m.String())
		if err != nil || again != m || strings.Trim(m.String(), "0123456789abcdef:") != "" || len(m.String()) != 17 {
			t.Fatalf("ParseMAC(%q) prints %q, which reads as %v, %v", s, m, again, err)
		}
	})
}

func TestMACText(t *testing.T) {
	m, err := pool.ParseMAC("52-54-00-AB-CD-EF")
	if err != nil {
		t.Fatal(err)
	}
	in := map[pool.MAC]pool.NIC{m: {MAC: m}}
	b, err := json.Marshal(in)
	if err != nil || !strings.Contains(string(b), `{"52:54:00:ab:cd:ef":`) {
		t.Fatalf("Marshal = %s, %v", b, err)
	}
	var out map[pool.MAC]pool.NIC
	if err := json.Unmarshal(b, &out); err != nil || !cmp.Equal(in, out, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })) {
		t.Errorf("Unmarshal = %v, %v, want %v", out, err, in)
	}
	var n pool.NIC
	if err := json.Unmarshal([]byte(`{"mac":""}`), &n); err != nil || !n.MAC.IsZero() {
		t.Errorf("an empty MAC = %v, %v, want none", n.MAC, err)
	}
	if err := json.Unmarshal([]byte(`{"mac":"ff:ff:ff:ff:ff:ff"}`), &n); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("the broadcast address: %v, want %v", err, pool.ErrInvalid)
	}
}

// TestSecretNeverPrints sends a secret down every way by which values become text.
func TestSecretNeverPrints(t *testing.T) {
	const text = "hunter2-correct-horse"
	s := pool.NewSecret(text)
	type inside struct{ password pool.Secret } // fmt calls no method of an unexported field
	bmc := pool.BMC{User: "u", Password: s}
	values := map[string]any{"secret": s, "pointer": &s, "struct": bmc, "pointer to struct": &bmc, "unexported": inside{s},
		"slice": []pool.Secret{s}, "map": map[string]pool.Secret{"k": s}, "error": fmt.Errorf("login with %v: %w", s, pool.ErrInvalid),
		"machine": pool.Machine{BMC: &bmc}, "change": pool.Change{Secrets: map[string]pool.Secret{"x": s}}}
	for name, v := range values {
		var out []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%20s", "%.3s", "%p"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
		out = append(out, fmt.Sprint(v), fmt.Sprintln(v))
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).Info("message", "value", v, slog.Any("again", v), slog.Group("g", "v", v))
		}
		out = append(out, log.String())
		b, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		out = append(out, string(b))
		for _, o := range out {
			for _, bad := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), text[:3]} {
				if strings.Contains(o, bad) {
					t.Errorf("%s shows the secret: %s", name, o)
				}
			}
		}
	}
	if s.Reveal() != text || !s.Equal(pool.NewSecret(text)) || s.Equal(pool.NewSecret("x")) || s.IsZero() || !pool.NewSecret("").IsZero() {
		t.Error("Reveal, Equal or IsZero is wrong")
	}
	if err := json.Unmarshal([]byte(`"x"`), &s); !errors.Is(err, pool.ErrInvalid) || s.Reveal() != text {
		t.Errorf("a secret read from JSON: %v, want %v", err, pool.ErrInvalid)
	}
}

func TestIDsAndTokens(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		for _, s := range []string{pool.NewID("m"), pool.NewToken()} {
			if seen[s] || strings.ToLower(s) != s {
				t.Fatalf("%q came twice or is not lower case", s)
			}
			seen[s] = true
		}
	}
	if id := pool.NewID("op"); len(id) != len("op-")+16 {
		t.Errorf("NewID = %s, want 16 letters and digits", id)
	}
}

func TestBoots(t *testing.T) {
	boot := func(stages ...pool.BootStage) []pool.BootStage { return stages }
	for name, want := range map[string][][]pool.BootStage{
		"none":          nil,
		"by its BMC":    {boot(pool.StagePower, pool.StageDiscover, pool.StageLease, pool.StageNBP, pool.StageIPXE, pool.StageHello)},
		"off, then on":  {boot(pool.StagePower, pool.StagePower, pool.StageDiscover, pool.StageNBP)},
		"by its button": {boot(pool.StageDiscover, pool.StageDiscover, pool.StageLease, pool.StageHello), boot(pool.StageDiscover, pool.StageLease, pool.StageLocal, pool.StageOS)},
		"reset at once": {boot(pool.StageDiscover, pool.StageIPXE, pool.StageScript, pool.StageKernel, pool.StageHello), boot(pool.StageIPXE, pool.StageLocal, pool.StageScript), boot(pool.StageIPXE)},
		"iPXE by iPXE":  {boot(pool.StageDiscover, pool.StageNBP, pool.StageIPXE, pool.StageIPXE, pool.StageScript, pool.StageKernel)},
		"seen midway":   {boot(pool.StageScript, pool.StageKernel), boot(pool.StagePower, pool.StageDiscover)},
	} {
		var events []pool.BootEvent
		for _, b := range want {
			for _, s := range b {
				events = append(events, pool.BootEvent{At: noon.Add(time.Duration(len(events)) * time.Second), Stage: s})
			}
		}
		shuffled := slices.Clone(events)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		var got [][]pool.BootStage
		for _, b := range pool.Boots(shuffled) {
			var stages []pool.BootStage
			for _, e := range b.Events {
				stages = append(stages, e.Stage)
			}
			got = append(got, stages)
			if b.Start != b.Events[0].At || b.End != b.Events[len(b.Events)-1].At {
				t.Errorf("%s: boot from %v to %v, want its first and last event", name, b.Start, b.End)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: Boots differ (-want +got):\n%s", name, d)
		}
	}
	rapid.Check(t, func(t *rapid.T) { // no event is lost and none is out of order
		stages := rapid.SliceOf(rapid.SampledFrom(boot(pool.StagePower, pool.StageDiscover, pool.StageLease, pool.StageHello))).Draw(t, "stages")
		var events []pool.BootEvent
		for i, s := range stages {
			events = append(events, pool.BootEvent{Seq: int64(i), At: noon.Add(time.Duration(i)), Stage: s})
		}
		var all []pool.BootEvent
		for _, b := range pool.Boots(events) {
			all = append(all, b.Events...)
		}
		if len(all) != len(events) || !slices.IsSortedFunc(all, func(a, b pool.BootEvent) int { return int(a.Seq - b.Seq) }) {
			t.Fatalf("Boots of %v holds %d events", stages, len(all))
		}
	})
}

func TestMachineClone(t *testing.T) {
	m := pool.Machine{MACs: []pool.MAC{{2}}, Tags: []string{"a"}, BMC: &pool.BMC{User: "u"}}
	c := m.Clone()
	c.MACs[0], c.Tags[0], c.BMC.User = pool.MAC{4}, "b", "v"
	if m.MACs[0] != (pool.MAC{2}) || m.Tags[0] != "a" || m.BMC.User != "u" {
		t.Errorf("a change of the clone reached the machine: %+v", m)
	}
}

func TestPercent(t *testing.T) {
	for p, want := range map[pool.Progress]int{{Done: 1}: -1, {Done: 1, Total: 3}: 33, {Done: 9, Total: 3}: 100, {Done: -1, Total: 3}: 0} {
		if got := p.Percent(); got != want {
			t.Errorf("%+v: Percent = %d, want %d", p, got, want)
		}
	}
}
