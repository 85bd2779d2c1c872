package shipped_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// puppetFake is a puppet that writes down how it is called and what Puppet's
// summary of a run looks like.
const puppetFake = `#!/bin/bash
[ "$1" = --version ] && exit 0
echo "$@" >> "$PUPPET_LOG/calls"
while [ $# -gt 0 ]; do
    [ "$1" = --lastrunfile ] && printf -- '---\nresources:\n  changed: 3\n  failed: 0\n  out_of_sync: 4\n  total: 9\nevents:\n  total: 3\n' > "$2"
    shift
done
exit 2
`

// TestPuppetAgent: puppetMode agent is one run of the agent against the server
// that the recipe names; without one it says so before anything runs.
func TestPuppetAgent(t *testing.T) {
	bin, log := write(t, map[string]string{"puppet": puppetFake}), t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("PUPPET_LOG", log)
	service := "service {\n  extend \"../../../services/puppet\"\n  name \"x\"\n}\n"
	dir := write(t, map[string]string{"x-service.groovy": service,
		"x-service.properties": "puppetMode = \"agent\"\npuppetServer = \"puppet.example\"\npuppetEnvironment = \"lab\"\n"})
	steps, out, err := lifecycle(t, dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if r := reportOf(t, steps["start"].Value); r.Changed != 3 || r.Total != 9 || r.Failed != 0 {
		t.Errorf("report = %+v", r)
	}
	calls, _ := os.ReadFile(filepath.Join(log, "calls"))
	for _, want := range []string{"agent --onetime --no-daemonize", "--server puppet.example", "--environment lab", "--detailed-exitcodes"} {
		if !strings.Contains(string(calls), want) {
			t.Errorf("puppet was called with %q, want %s", calls, want)
		}
	}
	if v, err := command(t, dir, "plan"); err != nil || reportOf(t, v).Changed != 4 {
		t.Errorf("plan = %v, %v", v, err)
	}
	none := write(t, map[string]string{"x-service.groovy": service, "x-service.properties": "puppetMode = \"agent\"\n"})
	if _, out, err := lifecycle(t, none); err == nil || !strings.Contains(out+err.Error(), "puppetMode agent needs puppetServer") {
		t.Errorf("without a server: %v\n%s", err, out)
	}
}
