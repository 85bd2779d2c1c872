package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"appliance/api/wire"
)

// TestGuard: what the image had enabled starts by itself; what a recipe left
// enabled, as a unit or as a script of a runlevel, gets the condition.
func TestGuard(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, map[string]string{
		"etc/systemd/system/multi-user.target.wants/ssh.service": "",
		"etc/systemd/system/sysinit.target.requires/x.mount":     "",
		"etc/rc2.d/S01cron": "",
	})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close() //nolint:errcheck // only read
	if err := guardUnits(root); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, generatorFile))
	if err != nil || st.Mode()&0o111 == 0 {
		t.Errorf("generator: %v, %v", st, err)
	}
	tree(t, dir, map[string]string{
		"etc/systemd/system/multi-user.target.wants/nginx.service": "",
		"etc/systemd/system/timers.target.wants/backup.timer":      "",
		"etc/rc3.d/S01mysql": "",
	})
	out := t.TempDir()
	if err := Guard(dir, out); err != nil {
		t.Fatal(err)
	}
	got, err := filepath.Glob(out + "/*.d/50-appliance.conf")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range got {
		names = append(names, strings.TrimSuffix(filepath.Base(filepath.Dir(f)), ".d"))
		if b, _ := os.ReadFile(f); !strings.Contains(string(b), "ConditionPathExists="+confirmedPath) {
			t.Errorf("%s: %q", f, b)
		}
	}
	if want := "backup.timer mysql.service nginx.service"; strings.Join(names, " ") != want {
		t.Errorf("guarded %v, want %s", names, want)
	}
}

func TestConfirmation(t *testing.T) {
	dir := t.TempDir()
	h := Home{State: dir, Boot: filepath.Join(dir, "run")}
	for _, tt := range []struct {
		name string
		w    wire.Welcome
		want bool
	}{
		{"waits", wire.Welcome{State: wire.StateWait, Epoch: 3}, false},
		{"a lower epoch", wire.Welcome{State: wire.StateWork, Epoch: 2}, false},
		{"confirmed", wire.Welcome{State: wire.StateWork, Epoch: 3}, true},
		{"waits again", wire.Welcome{State: wire.StateWait, Epoch: 3}, true},
		{"fenced", wire.Welcome{State: wire.StateFenced, Epoch: 4}, false},
	} {
		if err := h.heed(tt.w, 3); err != nil {
			t.Fatal(err)
		}
		if h.Confirmed() != tt.want {
			t.Errorf("%s: confirmed %t, want %t", tt.name, h.Confirmed(), tt.want)
		}
	}
	if err := h.StartUnconfirmed(); err != nil {
		t.Fatal(err)
	}
	if !h.Confirmed() || !strings.Contains(h.unconfirmed(), " at ") {
		t.Errorf("confirmed %t, recorded %q", h.Confirmed(), h.unconfirmed())
	}
	if err := h.heed(wire.Welcome{State: wire.StateWork, Epoch: 3}, 3); err != nil || h.unconfirmed() != "" {
		t.Errorf("after it was told: %q, %v", h.unconfirmed(), err)
	}
}
