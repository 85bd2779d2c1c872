package rack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// ipmi_sim asks a program for everything that is the hardware's: power and
// boot device (chassis_control), addresses (lan_config_program). Ours passes
// the question on to the rack process, which owns the machines:
//
//	PROGRAM chassis SOCKET get power boot        -> power:1 boot:pxe, a line each
//	PROGRAM chassis SOCKET set boot pxe power 1
//	PROGRAM chassis SOCKET lan get ip_addr       -> ip_addr:10.77.0.10
//
// SOCKET is a Unix socket; a name that begins with @ is abstract, so it needs
// no short path and goes with the network namespace.

// chassisTime bounds one question: a BMC that takes longer is taken for dead
// by those who ask it.
const chassisTime = 30 * time.Second

type chassisAnswer struct {
	Out string `json:"out"`
	Err string `json:"err,omitempty"`
}

// chassisMain is the program ipmi_sim starts. What it prints on out is the
// answer; any failure is the IPMI completion code "unspecified error".
func chassisMain(socket string, args []string, out, errOut io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), chassisTime)
	defer cancel()
	a, err := askChassis(ctx, socket, args)
	if err == nil && a.Err != "" {
		err = errors.New(a.Err)
	}
	if err == nil {
		_, err = io.WriteString(out, a.Out)
	}
	if err != nil {
		fmt.Fprintln(errOut, "chassis:", err) //nolint:errcheck // nowhere else to say it
		return 1
	}
	return 0
}

func askChassis(ctx context.Context, socket string, args []string) (a chassisAnswer, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return a, err
	}
	defer conn.Close() //nolint:errcheck // the answer is read, or the error is returned
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return a, err
		}
	}
	if err := json.NewEncoder(conn).Encode(args); err != nil {
		return a, err
	}
	return a, json.NewDecoder(conn).Decode(&a)
}

// chassis is the hardware that a BMC controls.
type chassis interface {
	On() bool
	PowerOn(ctx context.Context) error
	PowerOff(ctx context.Context) error
	PowerReset(ctx context.Context) error
	PowerSoft(ctx context.Context) error
	Boot() BootDevice
	SetBoot(ctx context.Context, d BootDevice, persistent bool) error
}

// serveChassis answers on l until l is closed and all answers are given.
func serveChassis(l net.Listener, answer func(ctx context.Context, args []string) (string, error)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer conn.Close() //nolint:errcheck // the asker sees a cut answer
			ctx, cancel := context.WithTimeout(context.Background(), chassisTime)
			defer cancel()
			_ = conn.SetDeadline(time.Now().Add(chassisTime))
			var args []string
			if err := json.NewDecoder(io.LimitReader(conn, 1<<16)).Decode(&args); err != nil {
				return
			}
			var a chassisAnswer
			if a.Out, err = answer(ctx, args); err != nil {
				a.Err = err.Error()
			}
			_ = json.NewEncoder(conn).Encode(a)
		})
	}
}

// answerChassis does what ipmi_sim's chassis_control asks (OpenIPMI,
// lanserv/bmc_chassis.c): get and check name parameters, set gives pairs.
func answerChassis(ctx context.Context, c chassis, args []string) (string, error) {
	if len(args) < 2 {
		return "", fmt.Errorf("chassis: too few words in %q", args)
	}
	switch op, args := args[0], args[1:]; op {
	case "get", "check":
		var out bytes.Buffer
		for _, parm := range args {
			switch {
			case parm == "power" && c.On():
				out.WriteString("power:1\n")
			case parm == "boot":
				out.WriteString("boot:" + string(c.Boot()) + "\n")
			case op == "get":
				out.WriteString(parm + ":0\n")
			}
		}
		return out.String(), nil
	case "set":
		for ; len(args) > 1; args = args[2:] {
			if err := setChassis(ctx, c, args[0], args[1]); err != nil {
				return "", err
			}
			if args[0] == "identify" { // has two values
				break
			}
		}
		return "", nil
	default:
		return "", fmt.Errorf("chassis: unknown operation %q", op)
	}
}

func setChassis(ctx context.Context, c chassis, parm, value string) error {
	switch parm + " " + value {
	case "power 1":
		return c.PowerOn(ctx)
	case "power 0":
		return c.PowerOff(ctx)
	case "reset 1":
		return c.PowerReset(ctx)
	case "shutdown 1":
		return c.PowerSoft(ctx)
	}
	switch parm {
	case "boot":
		return c.SetBoot(ctx, BootDevice(value), false)
	case "identify":
		return nil
	}
	return fmt.Errorf("chassis: cannot set %s to %q", parm, value)
}

// answerLAN does what ipmi_sim's lan_config_program asks. What it sets is
// accepted and forgotten: the BMC's address is the rack's to give.
func answerLAN(i int, args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("lan: no operation")
	}
	if args[0] != "get" {
		return "", nil
	}
	known := map[string]string{
		"ip_addr":             BMCAddr(i).String(),
		"ip_addr_src":         "static",
		"mac_addr":            bmcMAC(i),
		"subnet_mask":         "255.255.255.0",
		"default_gw_ip_addr":  Addr().String(),
		"default_gw_mac_addr": "00:00:00:00:00:00",
		"backup_gw_ip_addr":   "0.0.0.0",
		"backup_gw_mac_addr":  "00:00:00:00:00:00",
	}
	var out strings.Builder
	for _, parm := range args[1:] {
		if v, ok := known[parm]; ok {
			out.WriteString(parm + ":" + v + "\n")
		}
	}
	return out.String(), nil
}

func fileConn(f *os.File) (net.Conn, error) {
	conn, err := net.FileConn(f)
	return conn, errors.Join(err, f.Close())
}
