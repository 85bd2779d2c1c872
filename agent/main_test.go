package agent

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// testHome names the folder of the agent under test: with it in the
// environment, this test binary is "appliance-agent exec KEY" or "… groovy FILE".
const testHome = "AGENT_TEST_HOME"

func TestMain(m *testing.M) {
	dir := os.Getenv(testHome)
	if dir == "" || len(os.Args) < 3 {
		os.Exit(m.Run())
	}
	home := Home{Config: dir + "/etc", State: dir + "/var", Boot: dir + "/run"}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var err error
	code := 0
	switch os.Args[1] {
	case "exec":
		err = home.Exec(ctx, os.Args[2])
	case "groovy":
		code, err = home.Groovy(ctx, os.Args[2], os.Args[3:], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
