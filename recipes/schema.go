package recipes

import "strings"

// propKind is what a property of a block takes.
type propKind int

const (
	pString propKind = iota
	pInt             // int or long
	pBool
	pList
	pMap
	pExec    // executable entry
	pExecMap // name -> executable entry
	pBlock   // a block of the property's name
	pAny
)

// blockType is what a block may hold and where it may stand.
type blockType struct {
	props   map[string]propKind
	parents []string // block types around it; "" is the root
}

// blockTypes are the objects of the language (docs/recipes.md); stateful,
// eventTimeoutSecs and verify are ours.
func blockTypes() map[string]blockType {
	return makeTypes(map[string][2]string{
		"application": {"", "name:s service:x"},
		"service": {" application", `name:s icon:s type:s numInstances:i minAllowedInstances:i maxAllowedInstances:i
			minAllowedInstancesPerLocation:i maxAllowedInstancesPerLocation:i elastic:b locationAware:b retries:i
			compute:o storage:o isolationSLA:o network:o lifecycle:o customCommands:E customProperties:m plugins:l
			userInterface:o dependsOn:l scalingRules:l serviceStatistics:l perInstanceStatistics:l
			scaleCooldownInSeconds:i scaleOutCooldownInSeconds:i scaleInCooldownInSeconds:i samplingPeriodInSeconds:i
			url:s maxJarSize:i stateful:b statefulProcessingUnit:o statelessProcessingUnit:o dataGrid:o memcached:o
			mirrorProcessingUnit:o`},
		"lifecycle": {"service", `preServiceStart:e init:e preInstall:e install:e postInstall:e preStart:e start:e
			postStart:e drain:e preStop:e stop:e postStop:e shutdown:e preServiceStop:e startDetection:e stopDetection:e
			locator:e monitors:e details:e verify:e startDetectionTimeoutSecs:i startDetectionIntervalSecs:i
			eventTimeoutSecs:m`},
		"compute":                 {"service", "template:s"},
		"storage":                 {"service", "template:s"},
		"isolationSLA":            {"service", "global:o appShared:o tenantShared:o dedicated:o"},
		"global":                  {"isolationSLA", "instanceMemoryMB:i instanceCpuCores:a useManagement:b"},
		"appShared":               {"isolationSLA", "instanceMemoryMB:i instanceCpuCores:a useManagement:b"},
		"tenantShared":            {"isolationSLA", "instanceMemoryMB:i instanceCpuCores:a useManagement:b"},
		"dedicated":               {"isolationSLA", ""},
		"network":                 {"service", "port:i protocolDescription:s template:s accessRules:o"},
		"accessRules":             {"network", "incoming:l outgoing:l"},
		"accessRule":              {"accessRules", "type:s portRange:s target:s"},
		"userInterface":           {"service", "metricGroups:l widgetGroups:l"},
		"metricGroup":             {"userInterface", "name:s metrics:l"},
		"widgetGroup":             {"userInterface", "name:s title:s widgets:l"},
		"balanceGauge":            {"widgetGroup", "metric:a"},
		"barLineChart":            {"widgetGroup", "metric:a axisYUnit:a"},
		"plugin":                  {"service", "name:s className:s config:m"},
		"scalingRule":             {"service", "serviceStatistics:a highThreshold:o lowThreshold:o"},
		"highThreshold":           {"scalingRule", "value:a instancesIncrease:i"},
		"lowThreshold":            {"scalingRule", "value:a instancesDecrease:i"},
		"serviceStatistics":       {"service scalingRule", "name:s metric:s movingTimeRangeInSeconds:i timeStatistics:a instancesStatistics:a statistics:a"},
		"perInstanceStatistics":   {"service", "name:s metric:s movingTimeRangeInSeconds:i timeStatistics:a statistics:a"},
		"statefulProcessingUnit":  {"service", "*"},
		"statelessProcessingUnit": {"service", "*"},
		"dataGrid":                {"service", "*"},
		"memcached":               {"service", "*"},
		"mirrorProcessingUnit":    {"service", "*"},
	})
}

// makeTypes reads block types: the types around one, then its properties with
// a letter for what each takes.
func makeTypes(list map[string][2]string) map[string]blockType {
	letters := map[string]propKind{"s": pString, "i": pInt, "b": pBool, "l": pList, "m": pMap, "e": pExec, "E": pExecMap, "o": pBlock, "a": pAny}
	types := make(map[string]blockType, len(list))
	for name, def := range list {
		t := blockType{props: map[string]propKind{}, parents: strings.Split(def[0], " ")}
		for _, f := range strings.Fields(def[1]) {
			if prop, letter, ok := strings.Cut(f, ":"); ok && letter != "x" {
				t.props[prop] = letters[letter]
			}
		}
		types[name] = t
	}
	return types
}

// grids are the processing units that the language has and we do not run.
func grids() []string {
	return []string{"statefulProcessingUnit", "statelessProcessingUnit", "dataGrid", "memcached", "mirrorProcessingUnit"}
}
