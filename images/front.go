package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"appliance/pool"
)

// Serve answers requests for boot files on l until ctx ends (nil) or l
// breaks. It owns l and every connection.
//
// Requests for a script, of which a storm brings one for each machine, are
// answered from the connection's own loop, mostly by what is ready; the first
// request for anything else takes its connection to net/http, whole.
func (b *Boot) Serve(ctx context.Context, l net.Listener) error {
	asked := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &bootFront{boot: b, l: l, pass: make(chan net.Conn), done: ctx.Done()}
	srv := &http.Server{Handler: b.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: idleTime, MaxHeaderBytes: 16 << 10, ErrorLog: b.ErrorLog}
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		defer cancel()
		failed = f.accept(ctx, &wg)
	})
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err := srv.Serve(f)
	cancel()
	_ = l.Close()
	wg.Wait()
	if asked.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve boot files: %w", errors.Join(failed, err))
}

const (
	idleTime = time.Minute
	headSize = 4096 // a request for a script is far smaller
)

// bootFront is the listener that net/http sees.
type bootFront struct {
	boot *Boot
	l    net.Listener
	pass chan net.Conn
	done <-chan struct{}
}

// Accept implements net.Listener.
func (f *bootFront) Accept() (net.Conn, error) {
	select {
	case c := <-f.pass:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (f *bootFront) Close() error { return nil }

// Addr implements net.Listener.
func (f *bootFront) Addr() net.Addr { return f.l.Addr() }

func (f *bootFront) accept(ctx context.Context, wg *sync.WaitGroup) error {
	for {
		c, err := f.l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = c.Close()
			}
			return nil
		}
		var soft interface{ Temporary() bool }
		switch {
		case errors.As(err, &soft) && soft.Temporary(): // no file descriptors, a client that went away
			time.Sleep(5 * time.Millisecond)
			continue
		case err != nil:
			return err
		}
		wg.Go(func() { f.connection(ctx, c) })
	}
}

// connection answers requests for scripts until another one comes.
func (f *bootFront) connection(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	x := exchange{boot: f.boot, conn: c, buf: make([]byte, 0, headSize)}
	keep := x.serve(ctx)
	if !stop() || !keep { // ctx has ended, or the client is done
		_ = c.Close()
		return
	}
	select {
	case f.pass <- x.replay():
	case <-f.done:
		_ = c.Close()
	}
}

// exchange is the loop of one connection.
type exchange struct {
	boot     *Boot
	conn     net.Conn
	buf      []byte // what was read and not answered
	out      []byte
	deadline time.Time
	local    netip.Addr
	remote   netip.Addr
}

// serve returns true at the first request that is not answered with a script;
// it is still in buf then.
func (x *exchange) serve(ctx context.Context) bool {
	x.local, x.remote = addrOf(x.conn.LocalAddr()), addrOf(x.conn.RemoteAddr())
	for {
		end := bytes.Index(x.buf, []byte("\r\n\r\n"))
		if end < 0 {
			if len(x.buf) == cap(x.buf) {
				return true // net/http has the words for what is wrong with it
			}
			if !x.read() {
				return false
			}
			continue
		}
		head := x.buf[:end+2]
		mac, platform, ok := scriptRequest(head)
		if !ok {
			return true
		}
		start, body := time.Now(), x.boot.ready(mac, platform, x.local)
		if body == nil {
			var err error
			if body, err = x.boot.render(ctx, mac, platform, x.local, x.remote); err != nil {
				return true // net/http has the words for it
			}
		}
		x.out = appendScript(x.out[:0], body, x.boot.date(start))
		if _, err := x.conn.Write(x.out); err != nil {
			return false
		}
		x.boot.saw(pool.BootEvent{At: start, MAC: mac, Stage: pool.StageScript, Detail: "iPXE script", Address: x.remote, Bytes: int64(len(body))})
		x.buf = x.buf[:copy(x.buf, x.buf[end+4:])]
	}
}

func (x *exchange) read() bool {
	// A deadline is set anew only when half of it has gone.
	if now := time.Now(); x.deadline.Sub(now) < idleTime/2 {
		x.deadline = now.Add(idleTime)
		if x.conn.SetDeadline(x.deadline) != nil { // of writing, too: who takes no answers holds nothing
			return false
		}
	}
	n, err := x.conn.Read(x.buf[len(x.buf):cap(x.buf)])
	x.buf = x.buf[:len(x.buf)+n]
	return err == nil
}

// replay is the connection with what was read of it in front again. It keeps
// the socket's ReadFrom, by which net/http reaches sendfile.
func (x *exchange) replay() net.Conn {
	_ = x.conn.SetDeadline(time.Time{})
	if t, ok := x.conn.(*net.TCPConn); ok {
		return &replayed{TCPConn: t, head: x.buf}
	}
	return &replayedConn{Conn: x.conn, head: x.buf}
}

type replayed struct {
	*net.TCPConn
	head []byte
}

func (r *replayed) Read(b []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(b, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.TCPConn.Read(b)
}

type replayedConn struct {
	net.Conn
	head []byte
}

func (r *replayedConn) Read(b []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(b, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.Conn.Read(b)
}

// scriptRequest reads "GET /boot/MAC/script.ipxe[?platform=P] HTTP/1.1" with
// headers that say nothing about a body or the connection's end. What it
// does not recognize is net/http's.
func scriptRequest(head []byte) (mac pool.MAC, platform string, ok bool) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	target, found := bytes.CutPrefix(line, []byte("GET /boot/"))
	target, found2 := bytes.CutSuffix(target, []byte(" HTTP/1.1"))
	if !found || !found2 || len(target) < 29 || string(target[17:29]) != "/script.ipxe" {
		return mac, "", false
	}
	switch string(target[29:]) {
	case "", "?platform=pcbios":
		platform = "pcbios"
	case "?platform=efi":
		platform = "efi"
	case "?platform=" + platformARM64:
		platform = platformARM64
	default:
		return mac, "", false
	}
	between := target[2]
	if between != '-' && between != ':' {
		return mac, "", false
	}
	for i := range 6 {
		hi, lo := hexDigit(target[3*i]), hexDigit(target[3*i+1])
		if hi < 0 || lo < 0 || i < 5 && target[3*i+2] != between {
			return mac, "", false
		}
		mac[i] = byte(hi<<4 | lo)
	}
	if mac.IsZero() || mac[0]&1 == 1 {
		return mac, "", false // no interface's: pool.ParseMAC says why
	}
	host := false
	for len(rest) > 0 {
		var h []byte
		h, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, _, _ := bytes.Cut(h, []byte(":"))
		switch {
		case len(h) == 0 || h[0] == ' ' || h[0] == '\t':
			return mac, "", false
		case bytes.EqualFold(name, []byte("Host")):
			host = true
		case bytes.EqualFold(name, []byte("Connection")) && !bytes.Contains(bytes.ToLower(h), []byte("keep-alive")),
			bytes.EqualFold(name, []byte("Content-Length")), bytes.EqualFold(name, []byte("Transfer-Encoding")),
			bytes.EqualFold(name, []byte("Expect")), bytes.EqualFold(name, []byte("Upgrade")),
			bytes.HasPrefix(bytes.ToLower(name), []byte("if-")), bytes.EqualFold(name, []byte("Range")):
			return mac, "", false
		}
	}
	return mac, platform, host
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
