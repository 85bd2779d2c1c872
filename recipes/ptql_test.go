package recipes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// proc makes a folder like /proc of processes: name, parent, arguments.
func proc(t *testing.T, list map[int][]string) string {
	t.Helper()
	root := t.TempDir()
	for pid, p := range list {
		dir := filepath.Join(root, fmt.Sprint(pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"comm": p[0][:min(len(p[0]), 15)] + "\n", "stat": fmt.Sprintf("%d (%s) S %s 1 1", pid, p[0], p[1]),
			"cmdline": strings.Join(p[2:], "\x00") + "\x00", "environ": "HOME=/root\x00X=1\x00"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("/usr/bin/"+p[0], filepath.Join(dir, "exe")); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestProcessQuery: the operators that recipes use (State.Name eq and re,
// Args.* eq, ct and ew, commas as "and"), and the rest of Sigar's.
func TestProcessQuery(t *testing.T) {
	root := proc(t, map[int][]string{
		1: {"init", "0", "/sbin/init"}, 20: {"mysqld", "1", "/usr/sbin/mysqld", "--port=3306"},
		30: {"java", "1", "java", "-cp", "x.jar", "org.Main", "--port=3306"}, 31: {"java", "30", "java", "org.Other"},
		40: {"a very) odd name-that-is-long", "1", "/opt/a very) odd name-that-is-long", "a,b"},
	})
	for query, want := range map[string][]int{
		"State.Name.eq=mysqld":                         {20},
		"State.Name.eq=java":                           {30, 31},
		"State.Name.re=mysql|init":                     {1, 20},
		"State.Name.ne=java":                           {1, 20, 40},
		"State.Name.eq=java,Args.*.eq=org.Main":        {30},
		"Args.*.ct=3306":                               {20, 30},
		"Args.*.ew=.jar":                               {30},
		"Args.0.sw=/usr":                               {20},
		"Args.9.eq=x":                                  nil,
		"State.Ppid.eq=30":                             {31},
		"Pid.Pid.gt=25,Pid.Pid.le=31":                  {30, 31},
		"Exe.Name.eq=/usr/bin/mysqld":                  {20},
		"Env.X.eq=1,State.Name.sw=in":                  {1},
		"Env.Y.eq=1":                                   nil,
		"State.State.eq=S,State.Name.eq=init":          {1},
		"State.Name.eq=a very) odd name-that-is-long":  {40},
		"Args.*.eq=a,b":                                {40},
		"State.Name.eq=java,Args.*.ct=a,b":             nil,
		"Pid.PidFile.eq=" + filepath.Join(root, "pid"): {20},
	} {
		if err := os.WriteFile(filepath.Join(root, "pid"), []byte("20\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		terms, err := parseQuery(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got, err := pids(root, terms); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s = %v, %v; want %v", query, got, err, want)
		}
	}
	for query, want := range map[string]string{
		"": "is empty", "State.Name": "is not Class.Attribute.operator=value", "State.Nam.eq=x": "State has Name, Ppid, State",
		"Mem.Size.gt=5": "class Mem is none of", "State.Name.xx=5": "operator xx is none of", "State.Name.re=(": "missing closing",
	} {
		if _, err := parseQuery(query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseQuery(%q) = %v, want %q", query, err, want)
		}
	}
}

// FuzzProcessQuery: a query is refused or asked, never more.
func FuzzProcessQuery(f *testing.F) {
	f.Add("State.Name.eq=java,Args.*.re=a+")
	f.Fuzz(func(t *testing.T, query string) {
		if terms, err := parseQuery(query); err == nil && len(terms) == 0 {
			t.Error("no terms and no error")
		}
	})
}

// TestProcessUtils asks the real /proc from a closure, as locators do.
func TestProcessUtils(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sleep", "54321")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	run, _ := deploy(t, loaded(t, service(`lifecycle {
	start "true"
	locator { ServiceUtils.ProcessUtils.getPidsWithQuery("State.Name.eq=sleep,Args.*.eq=54321") }
	details { ["n": ServiceUtils.ProcessUtils.getPidsWithName("sleep").size() > 0] }
}`)))
	res, err := run.Run(t.Context(), "locator", nil, nil)
	if want := []any{int64(cmd.Process.Pid)}; err != nil || fmt.Sprint(res.Value) != fmt.Sprint(want) {
		t.Errorf("locator = %v, %v; want %v", res.Value, err, want)
	}
}
