// Command tftpload reads a file many times at once over TFTP and prints the
// rate in MB/s. It is the load of bench/tftp.sh and is not shipped.
//
//	tftpload [-clients N] [-count N] [-block N] [-window N] ADDRESS FILE SIZE
//
// A transfer that fails, or that brings another number of bytes than SIZE, is
// an error: a rate of broken transfers is no figure.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

type load struct {
	server        netip.AddrPort
	file          string
	size          int64
	block, window int
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tftpload:", err)
		os.Exit(1)
	}
}

func run() error {
	var l load
	clients := flag.Int("clients", 1, "transfers at once")
	count := flag.Int("count", 1, "transfers of each client")
	flag.IntVar(&l.block, "block", 1428, "block size")
	flag.IntVar(&l.window, "window", 1, "window size; 1 asks for none")
	flag.Parse()
	if flag.NArg() != 3 {
		return errors.New("usage: tftpload [flags] ADDRESS FILE SIZE")
	}
	var err error
	if l.server, err = netip.ParseAddrPort(flag.Arg(0)); err != nil {
		return err
	}
	if l.size, err = strconv.ParseInt(flag.Arg(2), 10, 64); err != nil {
		return err
	}
	l.file = flag.Arg(1)
	start := time.Now()
	var g errgroup.Group
	for range *clients {
		g.Go(func() error {
			for range *count {
				if err := l.get(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	total := float64(l.size) * float64(*clients) * float64(*count)
	fmt.Printf("%.2f\n", total/time.Since(start).Seconds()/1e6)
	return nil
}

// client is one transfer.
type client struct {
	conn  *net.UDPConn
	to    netip.AddrPort
	last  []byte // what is sent again after a silence
	block int
	win   int
	want  uint16 // the block that comes next
	in    int    // blocks since the last acknowledgement
	bytes int64
}

func (l load) get() (err error) {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		return err
	}
	c := &client{conn: conn, to: l.server, block: 512, win: 1, want: 1}
	c.last = fmt.Appendf(nil, "\x00\x01%s\x00octet\x00blksize\x00%d\x00tsize\x000\x00", l.file, l.block)
	if l.window > 1 {
		c.last = fmt.Appendf(c.last, "windowsize\x00%d\x00", l.window)
	}
	if err := c.send(); err != nil {
		return err
	}
	if err := c.receive(); err != nil {
		return fmt.Errorf("read %s after %d bytes: %w", l.file, c.bytes, err)
	}
	if c.bytes != l.size {
		return fmt.Errorf("read %s: %d bytes, want %d", l.file, c.bytes, l.size)
	}
	return nil
}

func (c *client) send() error {
	_, err := c.conn.WriteToUDPAddrPort(c.last, c.to)
	return err
}

func (c *client) receive() error {
	buf := make([]byte, 2048)
	deadline := time.Time{}
	for tries := 0; tries < 8; {
		if now := time.Now(); deadline.Sub(now) < 500*time.Millisecond {
			deadline = now.Add(time.Second)
			if err := c.conn.SetReadDeadline(deadline); err != nil {
				return err
			}
		}
		n, from, err := c.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			tries++
			c.in, deadline = 0, time.Time{}
			if err := c.send(); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if n < 4 {
			continue
		}
		c.to = from
		done, err := c.packet(buf[:n])
		if done || err != nil {
			return err
		}
	}
	return errors.New("no answer")
}

func (c *client) packet(p []byte) (done bool, err error) {
	switch p[1] {
	case 5:
		return false, fmt.Errorf("server says %q", p[4:])
	case 6:
		f := bytes.Split(p[2:], []byte{0})
		for i := 0; i+1 < len(f); i += 2 {
			v, _ := strconv.Atoi(string(f[i+1]))
			switch string(bytes.ToLower(f[i])) {
			case "blksize":
				c.block = v
			case "windowsize":
				c.win = v
			}
		}
		c.last = []byte{0, 4, 0, 0}
		return false, c.send()
	case 3:
		k := binary.BigEndian.Uint16(p[2:])
		if k != c.want {
			if int16(k-c.want) > 0 && c.in >= 0 { // a gap: ask once from there on (RFC 7440, 4)
				c.in = -c.win
				c.last = binary.BigEndian.AppendUint16([]byte{0, 4}, c.want-1)
				return false, c.send()
			}
			return false, nil
		}
		c.want++
		c.in = max(c.in, 0) + 1
		c.bytes += int64(len(p) - 4)
		end := len(p)-4 < c.block
		if c.in >= c.win || end {
			c.in = 0
			c.last = append(c.last[:0], 0, 4, p[2], p[3])
			err = c.send()
		}
		return end, err
	}
	return false, nil
}
