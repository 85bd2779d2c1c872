// Command dhcpload plays many PXE clients behind one relay agent, for
// bench/dhcp.sh: DISCOVER, OFFER, REQUEST, ACK with MACs that nobody saw
// before, and a circuit and remote identifier in option 82. It is not shipped.
//
//	dhcpload [-secs 4 | -clients N] [-flight 256] [-rto 1s] [-limit 45s] SERVER:PORT RELAY
//
// -clients N -flight N is a boot storm: all at the same instant. It prints
// "name value" lines. An address that two MACs were acknowledged, or an answer
// without option 82, is an error.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const group = 64 // packets in one system call

// state of a client.
const (
	idle = iota
	discovering
	requesting
)

type player struct {
	state     int
	number    uint32 // of the MAC
	tries     int
	begin     time.Time
	resend    time.Time
	rto       time.Duration
	addr, sid [4]byte
}

type load struct {
	conn    *ipv4.PacketConn
	server  *net.UDPAddr
	relay   [4]byte
	rto     time.Duration
	clients int // 0: until end
	end     time.Time

	players                                            []player
	out                                                []ipv4.Message
	bufs                                               [group][640]byte
	next                                               uint32
	owners                                             map[[4]byte]uint32
	took                                               []time.Duration
	started, bound, failed, resent, twice, naked, bare int
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "dhcpload:", err)
		os.Exit(1)
	}
}

func run() error {
	secs := flag.Float64("secs", 4, "how long new clients come")
	clients := flag.Int("clients", 0, "how many come, in place of -secs")
	flight := flag.Int("flight", 256, "how many are at it at a time")
	rto := flag.Duration("rto", time.Second, "first wait before a client asks again; it doubles")
	limit := flag.Duration("limit", 45*time.Second, "give up after")
	flag.Parse()
	if flag.NArg() != 2 {
		return errors.New("usage: dhcpload [flags] SERVER:PORT RELAY")
	}
	server, err := net.ResolveUDPAddr("udp4", flag.Arg(0))
	if err != nil {
		return err
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20)
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 32<<20)
		})
	}}
	pc, err := lc.ListenPacket(context.Background(), "udp4", flag.Arg(1)+":67")
	if err != nil {
		return err
	}
	l := &load{conn: ipv4.NewPacketConn(pc), server: server, rto: *rto, clients: *clients, players: make([]player, *flight),
		owners: map[[4]byte]uint32{}, next: uint32(time.Now().UnixNano()) &^ 0xfffff}
	copy(l.relay[:], net.ParseIP(flag.Arg(1)).To4())
	begin := time.Now()
	l.end = begin.Add(time.Duration(*secs * float64(time.Second)))
	if err := l.play(pc, begin.Add(*limit)); err != nil {
		return err
	}
	l.report(time.Since(begin))
	return nil
}

// play lets clients come and go until all are done.
func (l *load) play(pc net.PacketConn, limit time.Time) error {
	now := time.Now()
	for i := range l.players {
		l.fresh(i, now)
	}
	l.flush()
	in := make([]ipv4.Message, group)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, 1600)}
	}
	scan := now
	for {
		if err := pc.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			return err
		}
		n, err := l.conn.ReadBatch(in, 0)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		now = time.Now()
		for _, m := range in[:max(n, 0)] {
			l.receive(m.Buffers[0][:m.N], now)
		}
		l.flush()
		if now.Sub(scan) > 20*time.Millisecond {
			scan = now
			if !l.again(now) || now.After(limit) {
				return nil
			}
		}
	}
}

// fresh lets the next client come.
func (l *load) fresh(i int, now time.Time) {
	p := &l.players[i]
	if l.clients > 0 && l.started >= l.clients || l.clients == 0 && now.After(l.end) {
		p.state = idle
		return
	}
	l.started++
	l.next++
	*p = player{state: discovering, number: l.next, begin: now, resend: now.Add(l.rto), rto: l.rto}
	l.send(i)
}

// again resends what waited too long; false when nobody is left.
func (l *load) again(now time.Time) bool {
	active := false
	for i := range l.players {
		p := &l.players[i]
		if p.state == idle {
			continue
		}
		active = true
		if now.Before(p.resend) {
			continue
		}
		if p.tries == 4 {
			l.failed++
			l.fresh(i, now)
			continue
		}
		p.tries++
		p.rto *= 2
		p.resend = now.Add(p.rto)
		l.resent++
		l.send(i)
	}
	l.flush()
	return active
}

// send queues the message that a client sends in its state.
func (l *load) send(i int) {
	p := &l.players[i]
	b := l.bufs[len(l.out)][:]
	clear(b)
	copy(b, []byte{1, 1, 6, 1})
	binary.BigEndian.PutUint32(b[4:], uint32(i))
	copy(b[24:], l.relay[:])
	b[28], b[29] = 0x02, 0xbe
	binary.BigEndian.PutUint32(b[30:], p.number)
	o := b[:236]
	put := func(code byte, v ...byte) { o = append(append(o, code, byte(len(v))), v...) }
	o = append(o, 99, 130, 83, 99)
	if p.state == discovering {
		put(53, 1)
	} else {
		put(53, 3)
		put(50, p.addr[:]...)
		put(54, p.sid[:]...)
	}
	put(55, 1, 3, 6, 15, 43, 60, 66, 67)
	put(60, []byte("PXEClient:Arch:00007:UNDI:003016")...)
	put(93, 0, 7)
	put(94, 1, 3, 16)
	put(97, append([]byte{0}, b[24:40]...)...)
	put(82, 1, 4, 'g', 'e', '-', byte('0'+p.number%10), 2, 3, 't', 'o', 'r')
	o = append(o, 255)
	l.out = append(l.out, ipv4.Message{Buffers: [][]byte{b[:max(len(o), 300)]}, Addr: l.server})
	if len(l.out) == group {
		l.flush()
	}
}

func (l *load) flush() {
	for rest := l.out; len(rest) > 0; {
		n, err := l.conn.WriteBatch(rest, 0)
		if err != nil {
			time.Sleep(50 * time.Microsecond) // the queue is full
			continue
		}
		rest = rest[n:]
	}
	l.out = l.out[:0]
}

// receive takes an answer.
func (l *load) receive(b []byte, now time.Time) {
	if len(b) < 241 || b[0] != 2 {
		return
	}
	i := int(binary.BigEndian.Uint32(b[4:]))
	if i >= len(l.players) || l.players[i].number != binary.BigEndian.Uint32(b[30:]) {
		return
	}
	p := &l.players[i]
	kind, sid, relayed := options(b[240:])
	switch {
	case kind == 2 && p.state == discovering:
		p.state, p.sid, p.tries, p.rto, p.resend = requesting, sid, 0, l.rto, now.Add(l.rto)
		copy(p.addr[:], b[16:20])
		l.send(i)
	case kind == 5 && p.state == requesting:
		a := [4]byte(b[16:20])
		if other, ok := l.owners[a]; ok && other != p.number {
			l.twice++
		}
		if !relayed {
			l.bare++
		}
		l.owners[a] = p.number
		l.bound++
		l.took = append(l.took, now.Sub(p.begin))
		l.fresh(i, now)
	case kind == 6:
		l.naked++
		l.fresh(i, now)
	}
}

func options(b []byte) (kind byte, sid [4]byte, relayed bool) {
	for len(b) > 1 && b[0] != 255 {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		n := int(b[1])
		if n > len(b)-2 {
			return 0, sid, false
		}
		switch b[0] {
		case 53:
			kind = b[2]
		case 54:
			copy(sid[:], b[2:6])
		case 82:
			relayed = n == 11
		}
		b = b[2+n:]
	}
	return kind, sid, relayed
}

func (l *load) report(took time.Duration) {
	slices.Sort(l.took)
	at := func(q float64) float64 {
		if len(l.took) == 0 {
			return 0
		}
		return l.took[int(q*float64(len(l.took)-1))].Seconds() * 1000
	}
	fmt.Printf("dora %d\ndora_per_s %.1f\nfailed %d\nresent %d\ntwice %d\nnak %d\nwithout_82 %d\np50_ms %.2f\np99_ms %.2f\nmax_ms %.2f\nsecs %.4f\n",
		l.bound, float64(l.bound)/took.Seconds(), l.failed, l.resent, l.twice, l.naked, l.bare, at(.5), at(.99), at(1), took.Seconds())
	if l.twice > 0 {
		fmt.Fprintln(os.Stderr, "dhcpload: an address was acknowledged to two MACs")
	}
}
