// Command tftpserve serves the files of a folder from memory by the
// appliance's TFTP server, for bench/tftp.sh. It is not shipped.
//
//	tftpserve [-single-port] [-cpuprofile FILE] ADDRESS DIR
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"testing/fstest"

	"appliance/tftp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tftpserve:", err)
		os.Exit(1)
	}
}

func run() error {
	single := flag.Bool("single-port", false, "send data from the server's port")
	profile := flag.String("cpuprofile", "", "write a CPU profile to `FILE`")
	flag.Parse()
	if flag.NArg() != 2 {
		return fmt.Errorf("usage: tftpserve [flags] ADDRESS DIR")
	}
	at, err := netip.ParseAddrPort(flag.Arg(0))
	if err != nil {
		return err
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	files, err := inMemory(flag.Arg(1))
	if err != nil {
		return err
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return (&tftp.Server{FS: files, SinglePort: *single}).Serve(ctx, conn)
}

// inMemory reads a folder as the binary holds its boot kit: in memory.
func inMemory(dir string) (fstest.MapFS, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := fstest.MapFS{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(dir + "/" + e.Name())
		if err != nil {
			return nil, err
		}
		files[e.Name()] = &fstest.MapFile{Data: b}
	}
	return files, nil
}
