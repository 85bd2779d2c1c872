package recipes

import (
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestBusyPortIsOccupied: a service of this machine that is too busy to take
// a connection within a second has not stopped.
func TestBusyPortIsOccupied(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer func() { _ = f.Close() }() // the listener below has its own
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	l, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it has served
	port := l.Addr().(*net.TCPAddr).Port
	for { // until nobody gets in any more
		c, err := (&net.Dialer{Timeout: 300 * time.Millisecond}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			break
		}
		defer func() { _ = c.Close() }() // it held a place
	}
	time.AfterFunc(1500*time.Millisecond, func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close() // served
		}
	})
	began := time.Now()
	if ok, err := occupied(t.Context(), "127.0.0.1", strconv.Itoa(port)); !ok || err != nil {
		t.Errorf("after %s a busy port is occupied: %t, %v", time.Since(began), ok, err)
	}
}
