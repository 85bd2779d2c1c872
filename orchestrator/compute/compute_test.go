package compute

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"appliance/pool"
)

func host(id string, p pool.Phase, cores int, at int) pool.Machine {
	m := machine(id, p, cores, 8, 100)
	m.Driver, m.Login, m.CreatedAt = pool.DriverSSH, &pool.Login{Host: id}, time.Unix(int64(at), 0)
	return m
}

// TestPreference: the first driver of the template that has a machine gives
// it; every machine that was not taken says why.
func TestPreference(t *testing.T) {
	set := Set{Metal{}, Hosts{}}
	pooled := []pool.Machine{machine("a", pool.Ready, 4, 8, 100), machine("b", pool.Ready, 2, 8, 100),
		host("h1", pool.Ready, 8, 2), host("h2", pool.Ready, 2, 1), host("h3", pool.Active, 2, 0)}
	for _, tt := range []struct {
		name    string
		drivers []pool.Driver
		cores   int
		want    string
		why     map[string]string
	}{
		{"metal is the default", nil, 0, "b", map[string]string{"h1": "is of driver ssh, wants metal"}},
		{"metal, else ssh", []pool.Driver{"metal", "ssh"}, 4, "a", map[string]string{"b": "has 2 cores", "h1": "would do, but template T prefers metal"}},
		{"metal, else ssh: none", []pool.Driver{"metal", "ssh"}, 6, "h1", map[string]string{"a": "has 4 cores, wants 6", "h2": "has 2 cores"}},
		{"the first free host, not the smallest", []pool.Driver{"ssh"}, 0, "h2", map[string]string{"h3": Busy + "active", "a": "is of driver metal, wants ssh"}},
		{"none", []pool.Driver{"ssh", "metal"}, 9, "", map[string]string{"a": "has 4", "b": "has 2", "h1": "has 8", "h2": "has 2", "h3": "has 2"}},
		{"a driver that is not there", []pool.Driver{"vm", "metal"}, 0, "b", nil},
	} {
		best, why, ok := set.Choose(pool.Template{Name: "T", Drivers: tt.drivers, Cores: tt.cores}, pooled)
		if best.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: Choose = %q, %t; want %q", tt.name, best.ID, ok, tt.want)
		}
		for id, text := range tt.why {
			if got := strings.Join(why[id], "; "); !strings.Contains(got, text) {
				t.Errorf("%s: why not %s = %q, want %q", tt.name, id, got, text)
			}
		}
	}
}

func TestOwnNodesFirst(t *testing.T) {
	own := host("own", pool.Ready, 4, 9)
	own.Login.Template = "NODES"
	all := []pool.Machine{host("any", pool.Ready, 4, 1), own}
	for name, want := range map[string]string{"NODES": "own", "OTHER": "any"} {
		if best, _, _ := (Hosts{}).Choose(pool.Template{Name: name, Drivers: []pool.Driver{"ssh"}}, all); best.ID != want {
			t.Errorf("template %s: Choose = %s, want %s", name, best.ID, want)
		}
	}
}

// TestPreferenceHolds: what is chosen is of the first driver in the order
// that has any that fits, and nothing that fits is passed over without a word.
func TestPreferenceHolds(t *testing.T) {
	set := Set{Metal{}, Hosts{}}
	rapid.Check(t, func(t *rapid.T) {
		var machines []pool.Machine
		for i := range rapid.IntRange(0, 8).Draw(t, "machines") {
			m := machine(string(rune('a'+i)), rapid.SampledFrom(pool.Phases()).Draw(t, "phase"), rapid.IntRange(1, 4).Draw(t, "cores"), 8, 100)
			m.Driver = rapid.SampledFrom(pool.Drivers()).Draw(t, "driver")
			machines = append(machines, m)
		}
		tpl := pool.Template{Name: "T", Cores: rapid.IntRange(0, 4).Draw(t, "want"), Drivers: rapid.SampledFrom([][]pool.Driver{
			nil, {"metal"}, {"ssh"}, {"metal", "ssh"}, {"ssh", "metal"}, {"vm", "ssh", "metal"}}).Draw(t, "drivers")}
		best, why, ok := set.Choose(tpl, machines)
		first := -1
		for _, m := range machines {
			p := tpl.Prefers(m.Driver)
			if m.Driver == pool.DriverVM || m.Phase != pool.Ready || len(tpl.Match(m)) > 0 {
				if len(why[m.ID]) == 0 {
					t.Fatalf("%s is not free and nobody says why", m.ID)
				}
				continue
			}
			if first < 0 || p < first {
				first = p
			}
		}
		if ok != (first >= 0) {
			t.Fatalf("Choose found one: %t; first that fits: %d", ok, first)
		}
		if ok && (tpl.Prefers(best.Driver) != first || best.Phase != pool.Ready || len(tpl.Match(best)) > 0) {
			t.Fatalf("chose %s of %s, place %d; the first with a machine is at %d", best.ID, best.Driver, tpl.Prefers(best.Driver), first)
		}
	})
}

// TestManyVirtualMachines: each one that is still to be made takes its share.
func TestManyVirtualMachines(t *testing.T) {
	set := Set{Metal{}, VMs{Hypervisors: []Hypervisor{{Name: "a", Cores: 4, Memory: 64 << 30}, {Name: "b", Cores: 2, Memory: 64 << 30}}}}
	best, why := set.ChooseMany(pool.Template{Name: "T", Cores: 2, Drivers: []pool.Driver{"metal", "vm"}}, []pool.Machine{machine("m", pool.Ready, 2, 8, 100)}, 6)
	var got []string
	for _, m := range best {
		got = append(got, string(m.Driver.Or())+m.Host)
	}
	if strings.Join(got, " ") != "metal vma vma vmb" {
		t.Errorf("chose %v; want metal first, then what fits on a and b: 2 + 1", got)
	}
	if text := strings.Join(why["hypervisor a"], " "); !strings.Contains(text, "0 of 4 cores left") {
		t.Errorf("why not a = %q", text)
	}
}
