// Command httpload is the load of bench/http.sh and is not shipped.
//
//	httpload [-streams N] big URL SIZE        prints GB/s
//	httpload [-streams N] [-for 4s] scripts URL  prints requests/s
//
// big reads a file N times at once and throws it away inside the kernel
// (MSG_TRUNC), so that the reader costs as little as it can. scripts asks for
// the scripts of a thousand machines below URL over N kept connections.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "httpload:", err)
		os.Exit(1)
	}
}

func run() error {
	streams := flag.Int("streams", 1, "connections")
	period := flag.Duration("for", 4*time.Second, "how long to ask for scripts")
	flag.Parse()
	u, err := url.Parse(flag.Arg(1))
	switch {
	case err != nil:
		return err
	case flag.Arg(0) == "big" && flag.NArg() == 3:
		size, err := strconv.ParseInt(flag.Arg(2), 10, 64)
		if err != nil {
			return err
		}
		return big(u, *streams, size)
	case flag.Arg(0) == "scripts" && flag.NArg() == 2:
		return scripts(u, *streams, *period)
	}
	return errors.New("usage: httpload [flags] big URL SIZE | scripts URL")
}

func big(u *url.URL, streams int, size int64) error {
	start := time.Now()
	var g errgroup.Group
	for range streams {
		g.Go(func() error {
			n, err := discard(u)
			if err == nil && n != size {
				err = fmt.Errorf("got %d bytes, want %d", n, size)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	fmt.Printf("%.3f\n", float64(size)*float64(streams)/time.Since(start).Seconds()/1e9)
	return nil
}

// discard reads one file and returns how long it was.
func discard(u *url.URL) (n int64, err error) {
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp4", u.Host)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", u.Path, u.Host); err != nil {
		return 0, err
	}
	buf, end := make([]byte, 1<<20), -1
	read := 0
	for end < 0 {
		k, err := conn.Read(buf[read:4096])
		if err != nil {
			return 0, err
		}
		read += k
		end = bytes.Index(buf[:read], []byte("\r\n\r\n"))
	}
	if !bytes.HasPrefix(buf, []byte("HTTP/1.1 200")) {
		return 0, fmt.Errorf("answer %.40q", buf)
	}
	n = int64(read - end - 4)
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return n, err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		for {
			k, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC)
			if errors.Is(err, unix.EAGAIN) {
				return false
			}
			if err != nil || k == 0 {
				failed = err
				return true
			}
			n += int64(k)
		}
	})
	return n, errors.Join(err, failed)
}

func scripts(u *url.URL, streams int, period time.Duration) error {
	var done atomic.Int64
	var g errgroup.Group
	start := time.Now()
	for i := range streams {
		g.Go(func() error { return ask(u, i, start.Add(period), &done) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	fmt.Printf("%.0f\n", float64(done.Load())/time.Since(start).Seconds())
	return nil
}

// ask asks for one machine's script after the other on one connection.
func ask(u *url.URL, first int, until time.Time, done *atomic.Int64) (err error) {
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp4", u.Host)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	r := bufio.NewReader(conn)
	var out []byte
	for n := first * 31; time.Now().Before(until); n++ {
		m := n % 1000
		out = fmt.Appendf(out[:0], "GET %s/02-00-00-00-%02x-%02x/script.ipxe?platform=efi HTTP/1.1\r\nHost: %s\r\nUser-Agent: iPXE/1.21.1\r\n\r\n", u.Path, m>>8, m&255, u.Host)
		if _, err := conn.Write(out); err != nil {
			return err
		}
		if err := answer(r); err != nil {
			return err
		}
		done.Add(1)
	}
	return nil
}

// answer reads a response, which must be a script.
func answer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("answer %q", line)
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return err
			}
		}
	}
	if b, err := r.Peek(6); err != nil || string(b) != "#!ipxe" {
		return fmt.Errorf("answer is no script: %q, %v", b, err)
	}
	_, err = r.Discard(length)
	return err
}
