package recipes

import (
	"fmt"
	"strings"
)

// Skeleton is a new service recipe by file name, which loads without a
// warning: a descriptor, its properties, a script for each common event.
func Skeleton(name string) (map[string][]byte, error) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || len(name) > 64 {
		return nil, fmt.Errorf("make recipe %q: a name has 1 to 64 letters, digits, - and _", name)
	}
	script := func(what string) []byte {
		return fmt.Appendf(nil, "#!/bin/bash\n# %s\nset -euo pipefail\n\necho \"$USM_SERVICE_NAME $USM_INSTANCE_ID: %s\"\n", what, what)
	}
	return map[string][]byte{
		name + "-service.groovy": fmt.Appendf(nil, `service {
    name %q
    type "APP_SERVER"

    numInstances 1
    minAllowedInstances 1
    maxAllowedInstances 1
    // Keep the data of a dead machine until a person decides.
    stateful true

    compute {
        template "SMALL_LINUX"
    }

    // Debian packages that the recipe installs; the appliance mirrors them.
    customProperties(["org.appliance.packages": ""])

    lifecycle {
        install "install.sh"
        start "start.sh"

        startDetectionTimeoutSecs 120
        startDetection {
            ServiceUtils.isPortOccupied(port)
        }
        stopDetection {
            !ServiceUtils.isPortOccupied(port)
        }

        stop "stop.sh"
    }
}
`, name),
		name + "-service.properties": []byte("// Values the descriptor and the scripts (as RECIPE_port) use.\nport = 8080\n"),
		"install.sh":                 script("install"),
		"start.sh":                   script("start"),
		"stop.sh":                    script("stop"),
	}, nil
}
