package recipes

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Values that contain themselves, or double at each level, end no appliance.
func TestEndlessValues(t *testing.T) {
	const values = "def l = []\nl << l\ndef m = [:]\nm.a = m\ndef d = [1]\n60.times { d = [d, d] }\n"
	for _, s := range []string{
		"serviceStatistics l", "scalingRules d", "userInterface { metricGroups l }", "userInterface { metricGroups([metricGroup { metrics d }]) }",
		"customProperties m", "customCommands m", "lifecycle { start m }", "dependsOn d", "network { accessRules { incoming l } }",
		"userInterface { def g = []; g << metricGroup { name 'g'; metrics g }; metricGroups g }",
	} {
		Check(folderOf(service(values+s)), Options{}) // it ends
	}
	double := "m = [:]\n60.times { m = [a: m, b: m] }\nx = [:]\nx.x = x\n"
	fsys := fstest.MapFS{"a-service.groovy": {Data: []byte(service("lifecycle { start 'x' }"))},
		"a-service.properties": {Data: []byte(double)}, "a-service.overrides": {Data: []byte(double)}}
	if _, err := Load(fsys, Options{}); err != nil && !strings.Contains(err.Error(), "limit") {
		t.Error(err)
	}
}
