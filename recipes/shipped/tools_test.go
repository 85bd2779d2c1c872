package shipped_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"appliance/recipes"
	"appliance/recipes/shipped"
)

// write makes a folder of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lifecycle runs a recipe on this machine and returns what each event gave.
func lifecycle(t *testing.T, dir string) (map[string]recipes.TrialStep, string, error) {
	t.Helper()
	r, err := recipes.LoadDir(dir, recipes.Options{Library: shipped.FS()})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	steps := map[string]recipes.TrialStep{}
	trial := recipes.Trial{Recipe: r, Dir: t.TempDir(), Watch: time.Millisecond, Out: &out, Tell: func(s recipes.TrialStep) { steps[s.Event] = s }}
	err = trial.Run(t.Context())
	return steps, out.String(), err
}

// report is the part of a step's value that every tool has.
type report struct {
	Tool                   string
	Summary                string
	Changed, Failed, Total int
	RebootNeeded           bool
}

func reportOf(t *testing.T, v any) (r report) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		t.Fatalf("report %v: %v", v, err)
	}
	return r
}

// need ends the test when a program that make test installs is not here.
func need(t *testing.T, program string) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the real tool; make test does, without -short")
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%v; scripts/prepare.sh installs it", err)
	}
}

// TestPuppet: a real puppet apply, twice, and what it reports.
func TestPuppet(t *testing.T) {
	need(t, "puppet")
	target := filepath.Join(t.TempDir(), "motd")
	files := map[string]string{
		"motd-service.groovy":     "service {\n  extend \"../../../services/puppet\"\n  name \"motd\"\n}\n",
		"motd-service.properties": "runParams = [\"motd::text\": \"from hiera\"]\n",
		"modules/motd/manifests/init.pp": fmt.Sprintf(
			"class motd(String $text) {\n  file { '%s': ensure => file, content => $text }\n}\n", target),
		"manifests/site.pp": "include motd\n",
	}
	steps, out, err := lifecycle(t, write(t, files))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if b, err := os.ReadFile(target); string(b) != "from hiera" {
		t.Errorf("%s = %q, %v", target, b, err)
	}
	if r := reportOf(t, steps["start"].Value); r.Tool != "puppet" || r.Changed != 1 || r.Failed != 0 {
		t.Errorf("report of the first run = %+v", r)
	}
	if steps, _, err = lifecycle(t, write(t, files)); err != nil || reportOf(t, steps["start"].Value).Changed != 0 {
		t.Errorf("second run changed %+v, %v", steps["start"].Value, err)
	}
	files["manifests/site.pp"] = "exec { '/bin/false': }\n"
	if steps, out, err = lifecycle(t, write(t, files)); err == nil || !strings.Contains(err.Error(), "puppet: 1 of ") {
		t.Errorf("a failed resource gives %v, %+v\n%s", err, steps, out)
	}
}

// TestAnsible: a real playbook on this machine, and what it reports.
func TestAnsible(t *testing.T) {
	need(t, "ansible-playbook")
	target := filepath.Join(t.TempDir(), "motd")
	files := map[string]string{
		"motd-service.groovy":     "service {\n  extend \"../../../services/ansible\"\n  name \"motd\"\n}\n",
		"motd-service.properties": "runParams = [text: \"from a variable\"]\n",
		"site.yml": fmt.Sprintf("- hosts: all\n  gather_facts: false\n  tasks:\n  - name: write it\n"+
			"    ansible.builtin.copy: {dest: %s, content: '{{ text }}'}\n", target),
	}
	steps, out, err := lifecycle(t, write(t, files))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if b, err := os.ReadFile(target); string(b) != "from a variable" {
		t.Errorf("%s = %q, %v", target, b, err)
	}
	if r := reportOf(t, steps["start"].Value); r.Tool != "ansible" || r.Changed != 1 || r.Summary != "1 of 1 tasks changed something" {
		t.Errorf("report of the first run = %+v", r)
	}
	files["site.yml"] = "- hosts: all\n  gather_facts: false\n  tasks:\n  - name: break it\n    ansible.builtin.command: /bin/false\n"
	if _, _, err := lifecycle(t, write(t, files)); err == nil || !strings.Contains(err.Error(), "ansible: 1 of 1 tasks failed (break it)") {
		t.Errorf("a failed task gives %v", err)
	}
}

// TestPlan: the custom command plan changes nothing and says what would change.
func TestPlan(t *testing.T) {
	need(t, "puppet")
	target := filepath.Join(t.TempDir(), "motd")
	dir := write(t, map[string]string{
		"motd-service.groovy": "service {\n  extend \"../../../services/puppet\"\n  name \"motd\"\n}\n",
		"manifests/site.pp":   fmt.Sprintf("file { '%s': content => 'x' }\n", target),
	})
	value, err := command(t, dir, "plan")
	if err != nil {
		t.Fatal(err)
	}
	if r := reportOf(t, value); r.Changed != 1 || !strings.Contains(r.Summary, "would change") {
		t.Errorf("plan = %+v", r)
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("plan changed the machine")
	}
}

// chefFake is a client that records what it was asked and ends with $CHEF_CODE.
const chefFake = `#!/bin/bash
[ "$1" = --version ] && { echo "Cinc Client: 18"; exit; }
printf '%s\n' "$@" > "$CHEF_LOG/argv"
while [ $# -gt 0 ]; do
    [ "$1" = --json-attributes ] && cp "$2" "$CHEF_LOG/json"
    [ "$1" = --config ] && cp "$2" "$CHEF_LOG/config"
    shift
done
echo run >> "$CHEF_LOG/runs"
echo "Infra Phase complete, 3/12 resources updated in 04 seconds"
exit "${CHEF_CODE:-0}"
`

// TestChef: recipe 2 of the founding article reaches the client with its run
// list and attributes, and each exit code means what Chef says.
func TestChef(t *testing.T) {
	bin, log := write(t, map[string]string{"cinc-client": chefFake}), t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("CHEF_LOG", log)
	files := map[string]string{
		"mysql-vanilla-service.groovy": `service {
    extend "../../../services/chef"
    name "mysql-vanilla"
    type "DATABASE"
    numInstances 1
}
`,
		"mysql-vanilla-service.properties": `runParams = [
"mysql": [ "bind_address": "0.0.0.0",
"tunable": ["query_cache_limit": "2M"]
],
"run_list": ["recipe[mysql::server]"]
]
chefServerURL = "https://chef.example/organizations/x"
`,
	}
	for _, tt := range []struct {
		code, runs string
		reboot     bool
		want       string // of the error
	}{
		{"0", "run\n", false, ""},
		{"35", "run\n", true, ""},
		{"37", "run\n", true, "the machine must be restarted before the run can go on (exit code 37)"},
		{"213", "run\nrun\n", false, "upgraded itself twice"},
		{"1", "run\n", false, "the run failed with exit code 1 after 3 of 12 resources"},
	} {
		t.Run(tt.code, func(t *testing.T) {
			t.Setenv("CHEF_CODE", tt.code)
			_ = os.Remove(filepath.Join(log, "runs"))
			steps, out, err := lifecycle(t, write(t, files))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("err = %v, want %q\n%s", err, tt.want, out)
			}
			if b, _ := os.ReadFile(filepath.Join(log, "runs")); string(b) != tt.runs {
				t.Errorf("runs = %q", b)
			}
			if err == nil {
				if r := reportOf(t, steps["start"].Value); r.Changed != 3 || r.Total != 12 || r.RebootNeeded != tt.reboot {
					t.Errorf("report = %+v", r)
				}
			}
		})
	}
	var first map[string]any
	b, err := os.ReadFile(filepath.Join(log, "json"))
	if err == nil {
		err = json.Unmarshal(b, &first)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(first); got != "map[mysql:map[bind_address:0.0.0.0 tunable:map[query_cache_limit:2M]] run_list:[recipe[mysql::server]]]" {
		t.Errorf("first-boot.json = %s", got)
	}
	if b, _ := os.ReadFile(filepath.Join(log, "config")); !strings.Contains(string(b), `chef_server_url "https://chef.example/organizations/x"`) {
		t.Errorf("client.rb = %s", b)
	}
}

// TestChefWithoutClient says what to do, before anything is changed.
func TestChefWithoutClient(t *testing.T) {
	for _, c := range []string{"cinc-client", "chef-client"} {
		if _, err := exec.LookPath(c); err == nil {
			t.Skipf("this machine has %s", c)
		}
	}
	dir := write(t, map[string]string{"x-service.groovy": "service {\n  extend \"../../../services/chef\"\n  name \"x\"\n}\n"})
	_, out, err := lifecycle(t, dir)
	if err == nil || !strings.Contains(err.Error(), "installed no client") || !strings.Contains(out, "set chefArtifact") {
		t.Errorf("install = %v\n%s", err, out)
	}
}

// command runs a custom command of a recipe on this machine.
func command(t *testing.T, dir, name string) (any, error) {
	t.Helper()
	r, err := recipes.LoadDir(dir, recipes.Options{Library: shipped.FS()})
	if err != nil {
		t.Fatal(err)
	}
	trial := recipes.Trial{Recipe: r, Dir: t.TempDir(), Out: os.Stderr}
	res, err := trial.Command(t.Context(), name)
	return res.Value, err
}
