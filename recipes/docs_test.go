package recipes

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"appliance/recipes/ant"
)

// TestDocs: docs/recipes.md names every property of every block, every event,
// what the context, the utilities and the tasks answer.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, w := range regexp.MustCompile(`\w+`).FindAllString(string(text), -1) {
		words[w] = true
	}
	named := func(what string, list ...string) {
		for _, id := range list {
			for _, part := range strings.Split(id, ".") {
				if !words[part] {
					t.Errorf("docs/recipes.md does not name %s %s", what, id)
				}
			}
		}
	}
	for name, b := range blockTypes() {
		named("block", name)
		for p := range b.props {
			named("property of "+name, strings.TrimPrefix(p, "*"))
		}
	}
	named("event", Events()...)
	named("statistic", statistics()...)
	named("access rule type", accessRuleTypes()...)
	named("service type", types()...)
	named("of ServiceUtils", slices.DeleteFunc(members("ServiceUtils"), func(id string) bool { return id == "downloadUtil" })...)
	for _, id := range []string{"instanceId", "serviceName", "applicationName", "serviceDirectory", "privateAddress", "publicAddress", "bindAddress",
		"machineID", "imageID", "hardwareID", "locationId", "cloudTemplateName", "externalProcessId", "isLocalCloud", "isPrivileged", "waitForService",
		"startMaintenanceMode", "stopMaintenanceMode", "thisInstance", "thisService", "thisApplication", "global", "setSecret", "containsKey",
		"waitForInstances", "numberOfPlannedInstances", "numberOfActualInstances", "getDetails", "getMonitors", "invoke"} {
		named("of the context", id)
	}
	elements := []string{"arg", "env", "include", "exclude", "filterset", "fileset"}
	for _, id := range ant.Tasks() {
		if !slices.Contains([]string{"target", "taskdef", "typedef", "unjar", "unwar"}, id) {
			elements = append(elements, id)
		}
	}
	named("task", elements...)
}
