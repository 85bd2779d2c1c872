package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"appliance/pool"
)

const (
	tftpBlock  = 1428
	tftpWindow = 4 // what EDK2 asks for (RFC 7440)
	tftpWait   = time.Second
	tftpTries  = 6
)

// tftp reads a file and throws it away, as a firmware does whose program
// nobody is going to run (RFC 1350, 2347, 2348, 7440).
func (m *Machine) tftp(ctx context.Context, server netip.AddrPort, name string) error {
	var conn *net.UDPConn
	var err error
	for range 100 { // the address was given to the kernel just now
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: m.addr().AsSlice()})
		if !errors.Is(err, syscall.EADDRNOTAVAIL) || !pause(ctx, 20*time.Millisecond) {
			break
		}
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	rrq := []byte("\x00\x01" + name + "\x00octet\x00blksize\x00" + strconv.Itoa(tftpBlock) + "\x00windowsize\x00" + strconv.Itoa(tftpWindow) + "\x00")
	t := transfer{conn: conn, to: server, last: rrq, size: 512, window: 1}
	return t.read(ctx, m.link.works)
}

// transfer is one read under way.
type transfer struct {
	conn   *net.UDPConn
	to     netip.AddrPort // the server's port 69, then that of the transfer
	fixed  bool
	last   []byte // sent again when nothing comes
	size   int
	window int
	block  uint16 // the last one that came in order
	since  int    // blocks since the last acknowledgement
}

func (t *transfer) read(ctx context.Context, works func() bool) error {
	b := make([]byte, 4+65464)
	again := true
	for tries := 0; tries < tftpTries; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if again && works() {
			if _, err := t.conn.WriteToUDPAddrPort(t.last, t.to); err != nil {
				return err
			}
		}
		again = false
		_ = t.conn.SetReadDeadline(time.Now().Add(tftpWait))
		n, from, err := t.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if e := net.Error(nil); !errors.As(err, &e) || !e.Timeout() {
				return err
			}
			again = true
			tries++
			continue
		}
		if t.fixed && from != t.to || !works() {
			continue
		}
		t.to, t.fixed = from, true
		done, fresh, err := t.packet(b[:n])
		if done || err != nil {
			return err
		}
		if fresh {
			tries = 0
		}
	}
	return fmt.Errorf("%w: the TFTP server does not answer", pool.ErrUnavailable)
}

// packet takes one packet and acknowledges what is due.
func (t *transfer) packet(p []byte) (done, fresh bool, err error) {
	if len(p) < 4 {
		return false, false, nil
	}
	switch binary.BigEndian.Uint16(p) {
	case 6: // OACK
		words := strings.Split(strings.TrimRight(string(p[2:]), "\x00"), "\x00")
		for i := 0; i+1 < len(words); i += 2 {
			n, err := strconv.Atoi(words[i+1])
			if err != nil || n < 1 || n > 65464 {
				return false, false, fmt.Errorf("%w: TFTP option %s=%s", pool.ErrInvalid, words[i], words[i+1])
			}
			switch strings.ToLower(words[i]) {
			case "blksize":
				t.size = n
			case "windowsize":
				t.window = n
			}
		}
		return false, true, t.ack()
	case 3: // DATA
		if binary.BigEndian.Uint16(p[2:]) != t.block+1 {
			if t.since > 0 || binary.BigEndian.Uint16(p[2:]) == t.block { // a gap, or a repetition: say where we are
				return false, false, t.ack()
			}
			return false, false, nil
		}
		t.block++
		t.since++
		last := len(p)-4 < t.size
		if last || t.since >= t.window {
			err = t.ack()
		}
		return last, true, err
	case 5: // ERROR
		return false, false, fmt.Errorf("%w: TFTP error %d: %s", pool.ErrUnavailable, binary.BigEndian.Uint16(p[2:]), strings.TrimRight(string(p[4:]), "\x00"))
	}
	return false, false, nil
}

func (t *transfer) ack() error {
	t.since = 0
	t.last = binary.BigEndian.AppendUint16([]byte{0, 4}, t.block)
	_, err := t.conn.WriteToUDPAddrPort(t.last, t.to)
	return err
}
