package main

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"appliance": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
			stop()
			os.Exit(code)
		},
	})
}

// TestScript runs the command line as users type it.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			var lc net.ListenConfig
			l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			_, port, err := net.SplitHostPort(l.Addr().String())
			e.Setenv("PORT", port)
			if err != nil {
				return err
			}
			return l.Close()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"expand":    expand,
			"waitfile":  waitFile,
			"waitserve": waitServe,
		},
	})
}

// expand replaces $WORK and $PORT in a file.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.NewReplacer("$WORK", ts.Getenv("WORK"), "$PORT", ts.Getenv("PORT")).Replace(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

func waitFile(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// waitServe waits until the appliance answers.
func waitServe(ts *testscript.TestScript, _ bool, _ []string) {
	until(ts, func() bool {
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		c, err := d.DialContext(context.Background(), "tcp", "127.0.0.1:"+ts.Getenv("PORT"))
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

func until(ts *testscript.TestScript, ok func() bool) {
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("the appliance did not come up in 30 seconds")
}
