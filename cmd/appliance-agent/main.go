// Command appliance-agent is PID 1 of the boot kit, and the service that runs
// recipes in an installed system.
//
//	appliance-agent version
package main

import (
	"fmt"
	"os"

	"appliance/agent"
)

// version is set by the linker.
var version = "devel"

func main() {
	if os.Getpid() == 1 {
		agent.Init(version) // never returns
	}
	fmt.Println(version)
}
